/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-support.h: what the core's tests share: a kind of memory that counts its calls and fails on demand, threads that
 * wait for a buffer, and the main function's body. Each binary uses a part of it, so everything is static inline.
 */
#ifndef TEST_SUPPORT_H
#define TEST_SUPPORT_H

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bufalloc/allocator-ops.h>
#include <bufalloc/bufalloc.h>

#define MS INT64_C (1000000)
#define N_ELEMENTS(array) (sizeof (array) / sizeof (array)[0])

/* What the counting kind was asked for. An allocator of it reaches its counts through BaConfig.foreign. */
typedef struct
{
  atomic_int opens;
  atomic_int closes;
  atomic_int creates; /* that succeeded */
  atomic_int destroys;
  atomic_int calls; /* of create */
  int fail_at; /* the call of create that fails, from 1; 0 = none */
  int fail_code;
  int open_code; /* what open returns */
  bool bad_memory; /* create describes memory that no pool may take */
  unsigned most; /* limit of the limited kind */
} Counts;

static inline int
counting_open (const BaConfig *config, void **state, BaError *error)
{
  Counts *counts = (Counts *) config->foreign;
  if (counts->open_code < 0)
    return ba_error_set (error, counts->open_code, "told to fail");
  counts->opens++;
  *state = counts;
  return 0;
}

static inline int
counting_create (void *state, const BaRequest *request, BaMemory *out)
{
  Counts *counts = state;
  if (++counts->calls == counts->fail_at)
    return counts->fail_code;
  out->blocks[0].data = calloc (1, request->spec->size_bytes);
  if (!out->blocks[0].data)
    return -ENOMEM;
  out->n_blocks = counts->bad_memory ? 0 : 1;
  out->blocks[0].size_bytes = request->spec->size_bytes;
  out->layout = request->spec->layout;
  out->priv = out->blocks[0].data;
  counts->creates++;
  return 0;
}

static inline void
counting_destroy (void *state, BaMemory *memory)
{
  Counts *counts = state;
  free (memory->priv);
  counts->destroys++;
}

static inline void
counting_close (void *state)
{
  Counts *counts = state;
  counts->closes++;
}

static inline unsigned
counting_most (void *state)
{
  Counts *counts = state;
  return counts->most;
}

static const BaAllocatorOps counting_ops = {
  .name = "counting",
  .open = counting_open,
  .create = counting_create,
  .destroy = counting_destroy,
  .close = counting_close,
};

static inline BaAllocator *
counting_allocator (Counts *counts, BaRegistry *registry)
{
  BaAllocator *allocator;
  BaConfig config = { .foreign = counts, .registry = registry };
  int r = ba_factory_register ("counting", &counting_ops);
  ck_assert (r == 0 || r == -EEXIST);
  ck_assert_int_eq (ba_allocator_new_by_name ("counting", &config, NULL, &allocator), 0);
  return allocator;
}

static inline BaPool *
build (BaAllocator *allocator, unsigned count, BaWhenFull when_full)
{
  BaPool *pool;
  BaSpec spec = { .name = "test", .count = count, .size_bytes = 256, .when_full = when_full };
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &spec, &pool), 0);
  return pool;
}

static inline BaBuffer *
acquire (BaPool *pool)
{
  BaBuffer *buffer;
  ck_assert_int_eq (ba_pool_acquire (pool, BA_NO_WAIT, NULL, &buffer), 0);
  return buffer;
}

static inline BaBuffer *
take (BaPool *pool)
{
  BaBuffer *buffer;
  ck_assert_int_eq (ba_pool_take (pool, BA_NO_WAIT, NULL, &buffer), 0);
  return buffer;
}

static inline BaPoolStats
stats_of (BaPool *pool)
{
  BaPoolStats stats;
  ba_pool_get_stats (pool, &stats);
  return stats;
}

static inline int64_t
monotonic_ns (void)
{
  struct timespec t;
  clock_gettime (CLOCK_MONOTONIC, &t);
  return (int64_t) t.tv_sec * 1000000000 + t.tv_nsec;
}

/* The count of waits grows under the same lock that the wait gives up: who sees it knows that the waiter waits. */
static inline void
until_n_have_waited (BaPool *pool, uint64_t n)
{
  while (stats_of (pool).waits < n)
    sched_yield ();
}

/* A thread that waits for one buffer. */
typedef struct
{
  pthread_t thread;
  BaPool *pool;
  int (*call) (BaPool *, int64_t, const BaCancel *, BaBuffer **);
  int64_t timeout_ns;
  BaCancel cancel;
  int r;
  BaBuffer *buffer;
} Waiter;

static inline void *
waiter_main (void *data)
{
  Waiter *w = data;
  w->r = w->call (w->pool, w->timeout_ns, &w->cancel, &w->buffer);
  return NULL;
}

static inline void
waiter_start (Waiter *w, BaPool *pool, int (*call) (BaPool *, int64_t, const BaCancel *, BaBuffer **))
{
  w->pool = pool;
  w->call = call;
  if (w->timeout_ns == 0)
    w->timeout_ns = BA_WAIT_FOREVER;
  w->buffer = NULL;
  ck_assert_int_eq (pthread_create (&w->thread, NULL, waiter_main, w), 0);
}

static inline int
waiter_join (Waiter *w)
{
  pthread_join (w->thread, NULL);
  return w->r;
}

static inline int
run_tests (const char *name, const TTest *const *tests, size_t n_tests)
{
  Suite *suite = suite_create (name);
  TCase *tcase = tcase_create (name);
  tcase_set_timeout (tcase, 120); /* for runs under valgrind: a hang is what it catches */
  for (size_t i = 0; i < n_tests; i++)
    tcase_add_test (tcase, tests[i]);
  suite_add_tcase (suite, tcase);
  SRunner *runner = srunner_create (suite);
  srunner_run_all (runner, CK_ENV);
  int failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#define RUN(name, ...)                                                                                                 \
  int main (void)                                                                                                      \
  {                                                                                                                    \
    const TTest *const tests[] = { __VA_ARGS__ };                                                                      \
    return run_tests (name, tests, N_ELEMENTS (tests));                                                                \
  }

#endif
