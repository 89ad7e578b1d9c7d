/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pairs.c: what one "get a buffer, give it back" costs, alone and with several threads on one pool.
 *
 * Against ba_pool_acquire() + ba_pool_release(): av_buffer_pool_get() + av_buffer_unref() of libavutil, which does the
 * same job; a pthread mutex locked and unlocked, and one compare-and-swap, as the floor. Each runs for a fixed time;
 * the fair share is the slowest thread's pairs over the mean. A thread that only sleeps is there from the beginning, so
 * that libc takes none of its short cuts for processes without threads. pairs TURN: odd turns go the other way round.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include <bufalloc/bufalloc.h>
#include <libavutil/buffer.h>

#include "bench-core.h"

#define MAX_THREADS 8
#define BUFFER_BYTES 4096
#define PAIRS_AT_ONCE 64
#define ONE_THREAD_NS 60000000
#define MANY_THREADS_NS 300000000

typedef struct
{
  BaPool *pool;
  AVBufferPool *av_pool;
  pthread_mutex_t lock;
  atomic_int word;
} Subjects;

typedef void (*PairsFunc) (Subjects *subjects);

static void
pairs_bufalloc (Subjects *subjects)
{
  for (int i = 0; i < PAIRS_AT_ONCE; i++) {
    BaBuffer *buffer;
    BENCH_CHECK (ba_pool_acquire (subjects->pool, BA_WAIT_FOREVER, NULL, &buffer) == 0);
    ba_pool_release (subjects->pool, buffer);
  }
}

static void
pairs_avbuffer (Subjects *subjects)
{
  for (int i = 0; i < PAIRS_AT_ONCE; i++) {
    AVBufferRef *buffer = av_buffer_pool_get (subjects->av_pool);
    BENCH_CHECK (buffer);
    av_buffer_unref (&buffer);
  }
}

static void
pairs_mutex (Subjects *subjects)
{
  for (int i = 0; i < PAIRS_AT_ONCE; i++) {
    pthread_mutex_lock (&subjects->lock);
    pthread_mutex_unlock (&subjects->lock);
  }
}

static void
pairs_cas (Subjects *subjects)
{
  for (int i = 0; i < PAIRS_AT_ONCE; i++) {
    int was = atomic_load_explicit (&subjects->word, memory_order_relaxed);
    while (!atomic_compare_exchange_weak (&subjects->word, &was, was + 1))
      continue;
  }
}

static const struct
{
  const char *name;
  PairsFunc pairs;
} contenders[] = {
  { "bufalloc", pairs_bufalloc },
  { "avbuffer", pairs_avbuffer },
  { "mutex", pairs_mutex },
  { "cas", pairs_cas },
};

#define N_CONTENDERS (sizeof contenders / sizeof contenders[0])

typedef struct
{
  PairsFunc pairs;
  Subjects *subjects;
  pthread_barrier_t *start;
  atomic_bool *stop;
  uint64_t n_pairs;
  int64_t cpu_ns;
} Runner;

static void *
run (void *data)
{
  Runner *runner = data;
  pthread_barrier_wait (runner->start);
  int64_t began_ns = bench_clock_ns (CLOCK_THREAD_CPUTIME_ID);
  while (!atomic_load_explicit (runner->stop, memory_order_relaxed)) {
    runner->pairs (runner->subjects);
    runner->n_pairs += PAIRS_AT_ONCE;
  }
  runner->cpu_ns = bench_clock_ns (CLOCK_THREAD_CPUTIME_ID) - began_ns;
  return NULL;
}

static void
measure (Subjects *subjects, unsigned which, unsigned n_buffers, unsigned n_threads)
{
  pthread_t threads[MAX_THREADS];
  Runner runners[MAX_THREADS];
  pthread_barrier_t start;
  atomic_bool stop = false;
  int64_t length_ns = n_threads == 1 ? ONE_THREAD_NS : MANY_THREADS_NS;

  pthread_barrier_init (&start, NULL, n_threads + 1);
  for (unsigned i = 0; i < n_threads; i++) {
    runners[i] = (Runner){ .pairs = contenders[which].pairs, .subjects = subjects, .start = &start, .stop = &stop };
    BENCH_CHECK (pthread_create (&threads[i], NULL, run, &runners[i]) == 0);
  }
  pthread_barrier_wait (&start);
  int64_t began_ns = bench_clock_ns (CLOCK_MONOTONIC);
  nanosleep (&(struct timespec){ .tv_nsec = length_ns }, NULL);
  atomic_store (&stop, true);
  for (unsigned i = 0; i < n_threads; i++)
    pthread_join (threads[i], NULL);
  int64_t wall_ns = bench_clock_ns (CLOCK_MONOTONIC) - began_ns;
  pthread_barrier_destroy (&start);

  uint64_t n_pairs = 0, fewest = UINT64_MAX;
  int64_t cpu_ns = 0;
  for (unsigned i = 0; i < n_threads; i++) {
    n_pairs += runners[i].n_pairs;
    cpu_ns += runners[i].cpu_ns;
    if (runners[i].n_pairs < fewest)
      fewest = runners[i].n_pairs;
  }
  char key[64];
  const char *name = contenders[which].name;
  snprintf (key, sizeof key, "pairs.%u.%u.%s.cpu", n_buffers, n_threads, name);
  bench_report (key, (double) cpu_ns / (double) n_pairs);
  snprintf (key, sizeof key, "pairs.%u.%u.%s.wall", n_buffers, n_threads, name);
  bench_report (key, (double) wall_ns / (double) n_pairs);
  snprintf (key, sizeof key, "pairs.%u.%u.%s.fair", n_buffers, n_threads, name);
  bench_report (key, (double) fewest * n_threads / (double) n_pairs);
}

static void *
sleep_until_the_end (void *data)
{
  while (sem_wait (data) < 0)
    continue;
  return NULL;
}

static void
measure_with (unsigned n_buffers, unsigned turn)
{
  static const unsigned thread_counts[] = { 1, 2, 4, 8 };
  BaAllocator *allocator;
  Subjects subjects = { .av_pool = av_buffer_pool_init (BUFFER_BYTES, NULL) };
  BENCH_CHECK (subjects.av_pool);
  BENCH_CHECK (ba_allocator_new (BA_TYPE_NORMAL, &allocator) == 0);
  BaSpec spec = { .count = n_buffers, .size_bytes = BUFFER_BYTES };
  BENCH_CHECK (ba_allocator_build_pool (allocator, &spec, &subjects.pool) == 0);
  pthread_mutex_init (&subjects.lock, NULL);

  for (unsigned i = 0; i < sizeof thread_counts / sizeof thread_counts[0]; i++) {
    /* the floor is of interest alone only */
    unsigned n = thread_counts[i] == 1 ? N_CONTENDERS : 2;
    for (unsigned k = 0; k < n; k++)
      measure (&subjects, turn % 2 ? n - 1 - k : k, n_buffers, thread_counts[i]);
  }

  pthread_mutex_destroy (&subjects.lock);
  av_buffer_pool_uninit (&subjects.av_pool);
  ba_pool_unref (subjects.pool);
  ba_allocator_unref (allocator);
}

int
main (int argc, char **argv)
{
  unsigned turn = argc > 1 ? (unsigned) atoi (argv[1]) : 0;
  sem_t end;
  pthread_t sleeper;
  sem_init (&end, 0, 0);
  BENCH_CHECK (pthread_create (&sleeper, NULL, sleep_until_the_end, &end) == 0);
  measure_with (8, turn);
  measure_with (16, turn);
  sem_post (&end);
  pthread_join (sleeper, NULL);
  sem_destroy (&end);
  return 0;
}
