/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * memory.c: what a buffer costs besides its payload, whether building a pool is linear, and how fast each kind of
 * normal memory is: the first time an 8 MiB frame is written (the kernel finds and clears the pages), and after that.
 */
#include <malloc.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bufalloc/bufalloc.h>

#include "bench-core.h"

#define FRAME_BYTES ((size_t) 8 << 20)
#define OVERHEAD_BUFFERS 10000 /* many, as the heap grows in large steps */
#define SMALL_BYTES 64

static BaPool *
build (BaAllocator *allocator, unsigned count, size_t size_bytes)
{
  BaPool *pool;
  BaSpec spec = { .count = count, .size_bytes = size_bytes };
  BENCH_CHECK (ba_allocator_build_pool (allocator, &spec, &pool) == 0);
  return pool;
}

static void
destroy (BaAllocator *allocator, BaPool *pool)
{
  BENCH_CHECK (ba_allocator_destroy_pool (allocator, pool) == 0);
  ba_pool_unref (pool);
}

/* Two counts: what malloc has given out, and what it took from the system for it, with the gaps that alignment leaves.
 * The pool itself is shared out over its buffers. */
static void
measure_overhead (const char *name, size_t size_bytes)
{
  char key[64];
  BaAllocator *allocator;
  BENCH_CHECK (ba_allocator_new (BA_TYPE_NORMAL, &allocator) == 0);
  struct mallinfo2 before = mallinfo2 ();
  BaPool *pool = build (allocator, OVERHEAD_BUFFERS, size_bytes);
  struct mallinfo2 after = mallinfo2 ();
  double in_use = (double) (after.uordblks + after.hblkhd) - (double) (before.uordblks + before.hblkhd);
  double taken = (double) (after.arena + after.hblkhd) - (double) (before.arena + before.hblkhd);
  destroy (allocator, pool);
  ba_allocator_unref (allocator);
  snprintf (key, sizeof key, "overhead.%s.used", name);
  bench_report (key, in_use / OVERHEAD_BUFFERS - (double) size_bytes);
  snprintf (key, sizeof key, "overhead.%s.taken", name);
  bench_report (key, taken / OVERHEAD_BUFFERS - (double) size_bytes);
}

static void
measure_build (void)
{
  static const unsigned counts[] = { 100, 1000, 10000 };
  BaAllocator *allocator;
  BENCH_CHECK (ba_allocator_new (BA_TYPE_NORMAL, &allocator) == 0);
  /* freed memory stays in the heap for the next pool: the time is then that of the library, not of the kernel */
  mallopt (M_TRIM_THRESHOLD, 1 << 30);
  for (int round = 0; round < 6; round++) {
    for (unsigned i = 0; i < sizeof counts / sizeof counts[0]; i++) {
      unsigned repeat = 10000 / counts[i];
      int64_t build_ns = 0, destroy_ns = 0;
      for (unsigned k = 0; k < repeat; k++) {
        int64_t t0 = bench_clock_ns (CLOCK_THREAD_CPUTIME_ID);
        BaPool *pool = build (allocator, counts[i], SMALL_BYTES);
        int64_t t1 = bench_clock_ns (CLOCK_THREAD_CPUTIME_ID);
        destroy (allocator, pool);
        build_ns += t1 - t0;
        destroy_ns += bench_clock_ns (CLOCK_THREAD_CPUTIME_ID) - t1;
      }
      if (round == 0)
        continue; /* the heap grows in the first one */
      char key[64];
      snprintf (key, sizeof key, "build.%u", counts[i]);
      bench_report (key, (double) build_ns / 10000);
      snprintf (key, sizeof key, "destroy.%u", counts[i]);
      bench_report (key, (double) destroy_ns / 10000);
    }
  }
  ba_allocator_unref (allocator);
}

/* What the huge kind says it got: "… in transparent huge pages". */
static void
catch_huge (BaLogLevel level, const char *message, void *user)
{
  (void) level;
  const char *in = strstr (message, " in ");
  if (in && strstr (message, "pages"))
    snprintf (user, 64, "%s", in + 4);
}

static double
write_mbps (void *data, int value)
{
  int64_t began_ns = bench_clock_ns (CLOCK_THREAD_CPUTIME_ID);
  memset (data, value, FRAME_BYTES);
  __asm__ volatile("" : : "r"(data) : "memory");
  int64_t took_ns = bench_clock_ns (CLOCK_THREAD_CPUTIME_ID) - began_ns;
  return (double) FRAME_BYTES * 1e3 / (double) (took_ns ? took_ns : 1);
}

static void
measure_touch (const char *name, BaMemoryKind kind)
{
  char key[64], got[64] = "";
  BaAllocator *allocator;
  BaBuffer *buffer;
  BaConfig config = { .memory = kind };
  ba_log_set_handler (catch_huge, got);
  BENCH_CHECK (ba_allocator_new_with_config (BA_TYPE_NORMAL, &config, NULL, &allocator) == 0);
  BaPool *pool = build (allocator, 1, FRAME_BYTES);
  BENCH_CHECK (ba_pool_acquire (pool, BA_NO_WAIT, NULL, &buffer) == 0);
  ba_log_set_handler (NULL, NULL);

  snprintf (key, sizeof key, "touch.%s.first", name);
  bench_report (key, write_mbps (ba_buffer_get_data (buffer), 1));
  snprintf (key, sizeof key, "touch.%s.steady", name);
  for (int i = 0; i < 5; i++)
    bench_report (key, write_mbps (ba_buffer_get_data (buffer), i));
  if (got[0])
    printf ("note.huge %s\n", got);

  ba_pool_release (pool, buffer);
  ba_pool_unref (pool);
  ba_allocator_unref (allocator);
}

/* Runs a part in a process of its own, so that it finds the heap as no other part has left it. */
static void
run_apart (void (*part) (void))
{
  int status = 1;
  fflush (stdout);
  pid_t child = fork ();
  BENCH_CHECK (child >= 0);
  if (child == 0) {
    part ();
    exit (0);
  }
  BENCH_CHECK (waitpid (child, &status, 0) == child && status == 0);
}

static void
overhead_of_256 (void)
{
  measure_overhead ("256", 256);
}

static void
overhead_of_4096 (void)
{
  measure_overhead ("4096", 4096);
}

static void
touch_all (void)
{
  mallopt (M_MMAP_THRESHOLD, 1 << 20); /* else the second frame is the first one again, touched already */
  for (int round = 0; round < 3; round++) {
    measure_touch ("heap", BA_MEMORY_HEAP);
    measure_touch ("huge", BA_MEMORY_HUGE);
    measure_touch ("memfd", BA_MEMORY_MEMFD);
  }
}

int
main (void)
{
  run_apart (overhead_of_256);
  run_apart (overhead_of_4096);
  run_apart (measure_build);
  run_apart (touch_all);
  return 0;
}
