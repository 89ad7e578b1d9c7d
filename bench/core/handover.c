/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * handover.c: how long a filled buffer takes from ba_pool_submit() on one thread to ba_pool_take() on another.
 *
 * Ping-pong: each thread sleeps until the other has handed something over, so that a wake-up is in every figure. The
 * pools' way (acquire, submit; take, release) takes turns with a mutex, a flag and a condition for each side, which is
 * the least that pthreads need for it. Stream: one thread fills a pool of 8 as fast as the other empties it. Where the
 * kernel puts the threads decides more than anything else, so they are put: both on one processor, then on two.
 */
#include <pthread.h>
#include <sched.h>

#include <bufalloc/bufalloc.h>

#include "bench-core.h"

#define ROUND_TRIPS 4000
#define STREAM_FRAMES 60000
#define ROUNDS 4

typedef struct
{
  BaPool *there, *back;
  pthread_mutex_t lock;
  pthread_cond_t is_ping, is_pong;
  int turn; /* lock */
} Table;

static void
give (BaPool *pool)
{
  BaBuffer *buffer;
  BENCH_CHECK (ba_pool_acquire (pool, BA_WAIT_FOREVER, NULL, &buffer) == 0);
  BENCH_CHECK (ba_pool_submit (pool, buffer) == 0);
}

static void
get (BaPool *pool)
{
  BaBuffer *buffer;
  BENCH_CHECK (ba_pool_take (pool, BA_WAIT_FOREVER, NULL, &buffer) == 0);
  ba_pool_release (pool, buffer);
}

static void *
pong_with_pools (void *data)
{
  Table *table = data;
  for (int i = 0; i < ROUND_TRIPS; i++) {
    get (table->there);
    give (table->back);
  }
  return NULL;
}

static void
ping_with_pools (Table *table)
{
  for (int i = 0; i < ROUND_TRIPS; i++) {
    give (table->there);
    get (table->back);
  }
}

static void
pass_turn (Table *table, int mine)
{
  pthread_mutex_lock (&table->lock);
  while (table->turn != mine)
    pthread_cond_wait (mine ? &table->is_pong : &table->is_ping, &table->lock);
  table->turn = !mine;
  pthread_cond_signal (mine ? &table->is_ping : &table->is_pong);
  pthread_mutex_unlock (&table->lock);
}

static void *
pong_with_condition (void *data)
{
  for (int i = 0; i < ROUND_TRIPS; i++)
    pass_turn (data, 1);
  return NULL;
}

static void
ping_with_condition (Table *table)
{
  for (int i = 0; i < ROUND_TRIPS; i++)
    pass_turn (table, 0);
}

static void *
drain (void *data)
{
  Table *table = data;
  for (int i = 0; i < STREAM_FRAMES; i++)
    get (table->there);
  return NULL;
}

static void
fill (Table *table)
{
  for (int i = 0; i < STREAM_FRAMES; i++)
    give (table->there);
}

/* Finds two processors that this process may use; the second one is -1 where there is no other. */
static void
find_processors (int found[2])
{
  cpu_set_t allowed;
  unsigned n = 0;
  found[0] = found[1] = -1;
  BENCH_CHECK (sched_getaffinity (0, sizeof allowed, &allowed) == 0);
  for (int i = 0; i < CPU_SETSIZE && n < 2; i++) {
    if (CPU_ISSET (i, &allowed))
      found[n++] = i;
  }
}

static void
put_on (pthread_t thread, int processor)
{
  cpu_set_t set;
  CPU_ZERO (&set);
  CPU_SET (processor, &set);
  BENCH_CHECK (pthread_setaffinity_np (thread, sizeof set, &set) == 0);
}

static void
measure (const char *what, Table *table, int processor, void (*here) (Table *), void *(*other) (void *),
         double hand_overs)
{
  pthread_t thread;
  char key[64];
  snprintf (key, sizeof key, "handover.%s", what);
  BENCH_CHECK (pthread_create (&thread, NULL, other, table) == 0);
  put_on (thread, processor);
  int64_t began_ns = bench_clock_ns (CLOCK_MONOTONIC);
  here (table);
  pthread_join (thread, NULL);
  bench_report (key, (double) (bench_clock_ns (CLOCK_MONOTONIC) - began_ns) / hand_overs);
}

int
main (void)
{
  BaAllocator *allocator;
  Table table = { .turn = 0 };
  BaSpec spec = { .count = 8, .size_bytes = 4096 };
  BENCH_CHECK (ba_allocator_new (BA_TYPE_NORMAL, &allocator) == 0);
  BENCH_CHECK (ba_allocator_build_pool (allocator, &spec, &table.there) == 0);
  BENCH_CHECK (ba_allocator_build_pool (allocator, &spec, &table.back) == 0);
  pthread_mutex_init (&table.lock, NULL);
  pthread_cond_init (&table.is_ping, NULL);
  pthread_cond_init (&table.is_pong, NULL);

  int processors[2];
  find_processors (processors);
  put_on (pthread_self (), processors[0]);
  for (int i = 0; i < ROUNDS; i++) {
    measure ("one.pools", &table, processors[0], ping_with_pools, pong_with_pools, 2.0 * ROUND_TRIPS);
    measure ("one.condition", &table, processors[0], ping_with_condition, pong_with_condition, 2.0 * ROUND_TRIPS);
    measure ("one.stream", &table, processors[0], fill, drain, STREAM_FRAMES);
    if (processors[1] < 0)
      continue;
    measure ("two.pools", &table, processors[1], ping_with_pools, pong_with_pools, 2.0 * ROUND_TRIPS);
    measure ("two.condition", &table, processors[1], ping_with_condition, pong_with_condition, 2.0 * ROUND_TRIPS);
    measure ("two.stream", &table, processors[1], fill, drain, STREAM_FRAMES);
  }

  pthread_cond_destroy (&table.is_ping);
  pthread_cond_destroy (&table.is_pong);
  pthread_mutex_destroy (&table.lock);
  ba_pool_unref (table.there);
  ba_pool_unref (table.back);
  ba_allocator_unref (allocator);
  return 0;
}
