/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-scale.c: many buffers: what each costs beside its payload, and how the time to build a pool grows. */
#include <malloc.h>
#include <stdio.h>

#include "test-support.h"

enum
{
  FEW = 10000,
  MANY = 80000,
  PAYLOAD_BYTES = 64,
  MOST_OVERHEAD_BYTES = 256
};

static int64_t
cpu_ns (void)
{
  struct timespec t;
  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &t);
  return (int64_t) t.tv_sec * 1000000000 + t.tv_nsec;
}

static BaPool *
pool_of (BaAllocator *allocator, unsigned count)
{
  BaPool *pool;
  BaSpec spec = { .count = count, .size_bytes = PAYLOAD_BYTES };
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &spec, &pool), 0);
  return pool;
}

/* The best of three, so that what else the machine does is left out. */
static int64_t
build_and_destroy_ns (BaAllocator *allocator, unsigned count)
{
  int64_t best_ns = INT64_MAX;
  for (unsigned i = 0; i < 3; i++) {
    int64_t began_ns = cpu_ns ();
    BaPool *pool = pool_of (allocator, count);
    ck_assert_uint_eq (stats_of (pool).n_free, count);
    ba_allocator_destroy_pool (allocator, pool);
    ba_pool_unref (pool);
    int64_t took_ns = cpu_ns () - began_ns;
    best_ns = took_ns < best_ns ? took_ns : best_ns;
  }
  return best_ns;
}

START_TEST (the_time_to_build_a_pool_grows_with_its_buffers_and_no_faster)
{
  Counts counts = { 0 };
  BaAllocator *allocator = counting_allocator (&counts, NULL);
  int64_t few_ns = build_and_destroy_ns (allocator, FEW), many_ns = build_and_destroy_ns (allocator, MANY);
  /* eight times as many: 8 where it is linear, 64 where it is square; caches and page faults are somewhere between */
  ck_assert_msg (many_ns < 28 * few_ns, "%d buffers: %lld us, %d buffers: %lld us", FEW, (long long) few_ns / 1000,
                 MANY, (long long) many_ns / 1000);
  ba_allocator_unref (allocator);
  ck_assert_int_eq (counts.creates, counts.destroys);
}
END_TEST

START_TEST (a_buffer_costs_no_more_than_256_bytes_beside_its_payload)
{
  BaAllocator *allocator;
  ck_assert_int_eq (ba_allocator_new (BA_TYPE_NORMAL, &allocator), 0);
  size_t before = mallinfo2 ().uordblks;
  BaPool *pool = pool_of (allocator, 10000);
  size_t after = mallinfo2 ().uordblks;
  if (after > before) { /* sanitizers and valgrind have heaps of their own, of which this says nothing */
    double overhead_bytes = (double) (after - before) / 10000 - PAYLOAD_BYTES;
    ck_assert_msg (overhead_bytes <= MOST_OVERHEAD_BYTES, "%.0f bytes", overhead_bytes);
    printf ("overhead of a buffer: %.0f bytes\n", overhead_bytes);
  }
  ba_pool_unref (pool);
  ba_allocator_unref (allocator);
}
END_TEST

RUN ("scale", the_time_to_build_a_pool_grows_with_its_buffers_and_no_faster,
     a_buffer_costs_no_more_than_256_bytes_beside_its_payload)
