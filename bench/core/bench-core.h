/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bench-core.h: clocks and the way to report a figure, for the programs that bench/core/run starts. */
#ifndef BENCH_CORE_H
#define BENCH_CORE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline int64_t
bench_clock_ns (clockid_t clock)
{
  struct timespec t;
  clock_gettime (clock, &t);
  return (int64_t) t.tv_sec * 1000000000 + t.tv_nsec;
}

/* One figure, for the runner: a key of words with dots between, and a number. */
static inline void
bench_report (const char *key, double value)
{
  printf ("%s %.6g\n", key, value);
}

/* A benchmark that cannot do what it measures has nothing to tell. */
#define BENCH_CHECK(ok)                                                                                                \
  do {                                                                                                                 \
    if (!(ok)) {                                                                                                       \
      fprintf (stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #ok);                                                \
      exit (1);                                                                                                        \
    }                                                                                                                  \
  } while (0)

#endif
