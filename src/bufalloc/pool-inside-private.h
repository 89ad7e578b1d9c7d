/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pool-inside-private.h: the inside of a pool, for pool.c, pool-wait.c, pool-admit.c and health.c only.
 *
 * One mutex guards everything in BaPool that is not marked constant. What must end (memory, user data, the pool
 * itself) is collected under the lock and ended after it, so that no hook or callback ever runs inside.
 *
 * Who keeps the pool alive: its references, and every buffer that is out (HELD, LENT, ORPHAN). Both counts are under
 * the lock, so whoever brings the second of them to zero frees it.
 */
#ifndef BUFALLOC_POOL_INSIDE_PRIVATE_H
#define BUFALLOC_POOL_INSIDE_PRIVATE_H

#include <pthread.h>
#include <time.h>

#include "buffer-private.h"
#include "fifo-private.h"
#include "pool-private.h"

struct BaPool
{
  uint64_t id;        /* constant */
  BaBackend *backend; /* constant */
  BaSpec spec;        /* constant; name and category point to the arrays below */
  char name[BA_NAME_BYTES];
  char category[BA_NAME_BYTES];

  pthread_mutex_t lock;
  pthread_cond_t has_free;
  pthread_cond_t has_filled;
  unsigned free_waiters;
  unsigned filled_waiters;
  BaFifo free;
  BaFifo filled;
  BaBuffer **slots; /* every buffer but the orphans, by index; holes are NULL */
  unsigned n_slots;
  unsigned first_hole; /* no hole below it */
  unsigned refs;
  bool closed;
  unsigned out; /* HELD, LENT and ORPHAN buffers; not beside refs: one load of both would wait for the store of one */
  BaPoolStats stats; /* n_free and n_filled are the queues' lengths */
};

/* Good to a few milliseconds, and so cheap that every acquire can afford it. */
static inline int64_t
bai_coarse_now_ns (void)
{
  struct timespec t;
  clock_gettime (CLOCK_MONOTONIC_COARSE, &t);
  return (int64_t) t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline bool
bai_pool_dead_locked (const BaPool *pool)
{
  return pool->refs == 0 && pool->out == 0;
}

static inline void
bai_set_state (BaBuffer *buffer, BaState state)
{
  atomic_store_explicit (&buffer->state, state, memory_order_relaxed);
}

static inline BaState
bai_get_state (const BaBuffer *buffer)
{
  return (BaState) atomic_load_explicit (&buffer->state, memory_order_relaxed);
}

/* Drops a reference: the caller's, or the queue's own of a buffer just taken out of the filled queue. False where
 * others still hold it. */
static inline bool
bai_drop_ref (BaBuffer *buffer)
{
  return atomic_fetch_sub_explicit (&buffer->refs, 1, memory_order_acq_rel) == 1;
}

/* Whether nobody but the filled queue refers to @buffer. */
static inline bool
bai_is_unread (const BaBuffer *buffer)
{
  return atomic_load_explicit (&buffer->refs, memory_order_acquire) == 1;
}

static inline void
bai_pool_push_free_locked (BaPool *pool, BaBuffer *buffer)
{
  bai_set_state (buffer, BA_STATE_FREE);
  bai_fifo_push (&pool->free, buffer);
  if (pool->free_waiters)
    pthread_cond_signal (&pool->has_free);
}

/* Into the filled queue. A producer who may overwrite it is told even where a consumer sleeps: one consumer may have
 * been told of several buffers before it wakes, or may be about to give up. */
static inline void
bai_pool_push_filled_locked (BaPool *pool, BaBuffer *buffer)
{
  bai_set_state (buffer, BA_STATE_FILLED);
  bai_fifo_push (&pool->filled, buffer);
  if (pool->filled_waiters)
    pthread_cond_signal (&pool->has_filled);
  if (pool->free_waiters && pool->spec.when_full == BA_WHEN_FULL_DROP_OLDEST)
    pthread_cond_signal (&pool->has_free);
}

/* Takes @buffer out of the pool's table: its place is free for another. */
void bai_pool_clear_slot_locked (BaPool *pool, BaBuffer *buffer);

/* Collects what can end now on @ended, makes orphans of the rest, wakes everybody. Nothing happens the second time. */
void bai_pool_close_locked (BaPool *pool, BaFifo *ended);

/* Ends what was collected. No lock may be held; somebody must keep the pool alive meanwhile. */
void bai_pool_end_buffers (BaPool *pool, BaFifo *ended);

/* Frees a dead pool. No lock may be held. */
void bai_pool_end (BaPool *pool);

#endif
