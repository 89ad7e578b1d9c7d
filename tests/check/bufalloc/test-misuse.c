/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-misuse.c: two threads that both believe a buffer theirs give it up at the same moment. One of them is told 0, the
 * other -EINVAL, and the pool has as many buffers as before. Many rounds, with busy pauses of changing length so that the
 * two meet in every order.
 */
#include "test-support.h"

#include <sched.h>

enum
{
  ROUNDS = 20000,
  N_BUFFERS = 2,
  WARM_UP = 4 /* pairs before a round: more than there are buffers, so that one of them goes without the lock */
};

typedef int (*GiveUp) (BaPool *pool, BaBuffer *buffer);

typedef struct
{
  BaPool *pool;
  GiveUp give_up; /* what the second thread does */
  BaBuffer *_Atomic buffer;
  atomic_int round; /* which the buffer is for */
  atomic_int done;
  int result;
} Match;

static void
pause_for (int turns)
{
  for (volatile int i = 0; i < turns; i++)
    continue;
}

static void *
second_thread (void *data)
{
  Match *match = data;

  for (int i = 1; i <= ROUNDS; i++) {
    while (atomic_load (&match->round) < i)
      sched_yield ();
    pause_for (i % 37);
    match->result = match->give_up (match->pool, match->buffer);
    atomic_store (&match->done, i);
  }
  return NULL;
}

static void
play_against (GiveUp give_up)
{
  BaSpec spec = { .size_bytes = 64, .count = N_BUFFERS };
  Match match = { .give_up = give_up };
  BaAllocator *allocator;
  BaPoolStats stats;
  BaBuffer *buffer;
  pthread_t thread;
  int both = 0, neither = 0;

  ck_assert_int_eq (ba_allocator_new (BA_TYPE_NORMAL, &allocator), 0);
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &spec, &match.pool), 0);
  ck_assert_int_eq (pthread_create (&thread, NULL, second_thread, &match), 0);
  for (int i = 1; i <= ROUNDS; i++) {
    for (int k = 0; k < WARM_UP; k++) {
      if (ba_pool_acquire (match.pool, BA_NO_WAIT, NULL, &buffer) != 0 || ba_pool_release (match.pool, buffer) != 0)
        ck_abort_msg ("round %d: the pool has lost its buffers", i);
    }
    if (ba_pool_acquire (match.pool, BA_NO_WAIT, NULL, &buffer) != 0)
      ck_abort_msg ("round %d: the pool has lost its buffers", i);
    match.buffer = buffer;
    atomic_store (&match.round, i);
    pause_for (i % 41);
    int result = ba_pool_release (match.pool, buffer);
    while (atomic_load (&match.done) < i)
      sched_yield ();
    both += result == 0 && match.result == 0;
    neither += result != 0 && match.result != 0;
    if (result != 0 && result != -EINVAL)
      ck_abort_msg ("round %d: %d", i, result);
    while (ba_pool_take (match.pool, BA_NO_WAIT, NULL, &buffer) == 0) {
      if (ba_pool_release (match.pool, buffer) != 0)
        ck_abort_msg ("round %d: the consumer cannot release", i);
    }
  }
  ck_assert_int_eq (pthread_join (thread, NULL), 0);
  ck_assert_int_eq (both, 0);
  ck_assert_int_eq (neither, 0);
  ba_pool_get_stats (match.pool, &stats);
  ck_assert_uint_eq (stats.n_buffers, N_BUFFERS);
  ck_assert_uint_eq (stats.n_free, N_BUFFERS);
  ba_pool_unref (match.pool);
  ba_allocator_unref (allocator);
}

START_TEST (of_two_who_release_one_is_told_that_it_was_not_his)
{
  play_against (ba_pool_release);
}
END_TEST

START_TEST (of_one_who_releases_and_one_who_submits_one_is_told_that_it_was_not_his)
{
  play_against (ba_pool_submit);
}
END_TEST

RUN ("misuse", of_two_who_release_one_is_told_that_it_was_not_his,
     of_one_who_releases_and_one_who_submits_one_is_told_that_it_was_not_his)
