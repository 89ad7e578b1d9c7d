/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pool-inside-private.h: the inside of a pool, for pool.c, pool-wait.c, pool-admit.c and health.c only.
 *
 * One mutex guards everything in BaPool that is neither marked constant nor atomic. What must end (memory, user data,
 * the pool itself) is collected under the lock and ended after it, so that no hook or callback ever runs inside.
 *
 * Who keeps the pool alive: its references, and every buffer that is out (HELD, LENT, ORPHAN). Both counts are under
 * the lock, so whoever brings the second of them to zero frees it.
 *
 * One buffer may come and go without the lock: the shuttle, at the end of this file.
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
  BaBuffer *last;  /* acquired last; to compare with only, it may have ended */
  unsigned streak; /* how often in a row the buffer acquired last was the next that came home */
  atomic_uintptr_t shuttle;       /* see below */
  atomic_uint_least64_t shuttled; /* acquires of shuttles, beside stats.acquires */
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

/* Ends the shuttle, if there is one (see below): queues, states and numbers are right after that. */
void bai_pool_settle_shuttle_locked (BaPool *pool);

static inline void
bai_pool_settle_locked (BaPool *pool)
{
  if (atomic_load_explicit (&pool->shuttle, memory_order_relaxed) != 0)
    bai_pool_settle_shuttle_locked (pool);
}

/* A snapshot of the numbers; settles first. */
static inline void
bai_pool_snapshot_locked (BaPool *pool, BaPoolStats *stats)
{
  bai_pool_settle_locked (pool);
  *stats = pool->stats;
  stats->n_free = pool->free.length;
  stats->n_filled = pool->filled.length;
  stats->acquires += atomic_load_explicit (&pool->shuttled, memory_order_relaxed);
}

/* Drops a reference: the caller's, or the queue's own of a buffer just taken out of the filled queue. False where
 * others still hold it. */
static inline bool
bai_drop_ref (BaBuffer *buffer)
{
  return atomic_fetch_sub_explicit (&buffer->refs, 1, memory_order_acq_rel) == 1;
}

/* Drops a reference where it is the only one: of two threads that believe it theirs, one only is told true. */
static inline bool
bai_drop_only_ref (BaBuffer *buffer)
{
  unsigned one = 1;
  return atomic_compare_exchange_strong_explicit (&buffer->refs, &one, 0, memory_order_acq_rel, memory_order_relaxed);
}

/* Whether @buffer, which is not FREE, has lost its last reference: another thread is about to bring it home. */
static inline bool
bai_is_leaving (const BaBuffer *buffer)
{
  return atomic_load_explicit (&buffer->refs, memory_order_relaxed) == 0;
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

/* ---- the shuttle ------------------------------------------------------------------------------------------------- */

/*
 * The shuttle is a buffer that goes out and comes home without the lock.
 *
 * Whoever acquires a buffer, gives it up and acquires again needs no queue. Where the buffer that was acquired last was
 * the next to come home more often in a row than there are buffers, the pool makes the next one its shuttle. From then
 * on one word says where it is: its address while it is out, the address with BAI_SHUTTLE_HOME while it rests; 0 says
 * that there is none. Both ways are one compare-and-swap of that word, so of a thread that takes the shuttle, one that
 * brings it back and one that ends its being the shuttle, exactly one is first.
 *
 * Under the lock the word is only ever set to 0 (bai_pool_settle_locked) or from 0 to a buffer that goes out. Whatever
 * looks at queues, states or numbers settles first: then there is no shuttle, and the pool's books are right. In the
 * books a shuttle is HELD and out, wherever it is: they are put right when they are opened. Nobody waits for a free
 * buffer while there is a shuttle: a waiter settles first, and none is made while somebody waits. So what comes home as
 * a shuttle is nobody's missed wake-up.
 *
 * After a successful swap homewards the buffer may be somebody else's and the pool gone: neither may be touched again.
 */
#define BAI_SHUTTLE_HOME ((uintptr_t) 1)

/* The shuttle goes out with one reference; NULL where there is none, or not at home. The caller refers to the pool. */
static inline BaBuffer *
bai_pool_take_shuttle (BaPool *pool)
{
  uintptr_t word = atomic_load_explicit (&pool->shuttle, memory_order_relaxed);
  if (!(word & BAI_SHUTTLE_HOME)
      || !atomic_compare_exchange_strong_explicit (&pool->shuttle, &word, word & ~BAI_SHUTTLE_HOME,
                                                   memory_order_acquire, memory_order_relaxed))
    return NULL;
  BaBuffer *buffer = (BaBuffer *) (word & ~BAI_SHUTTLE_HOME);
  atomic_store_explicit (&buffer->refs, 1, memory_order_relaxed);
  atomic_store_explicit (&buffer->out_since_ns, bai_coarse_now_ns (), memory_order_relaxed);
  atomic_fetch_add_explicit (&pool->shuttled, 1, memory_order_relaxed);
  return buffer;
}

static inline bool
bai_pool_is_shuttle (BaPool *pool, const BaBuffer *buffer)
{
  return atomic_load_explicit (&pool->shuttle, memory_order_relaxed) == (uintptr_t) buffer;
}

/* @buffer, which was the shuttle a moment ago, has no reference left. False where it is not the shuttle any more: it
 * goes home the long way. */
static inline bool
bai_pool_bring_shuttle (BaPool *pool, BaBuffer *buffer)
{
  uintptr_t word = (uintptr_t) buffer;
  bai_buffer_clear_holder (buffer);
  /* who asks since when it is out, right after it was taken again, shall not hear of the last time */
  atomic_store_explicit (&buffer->out_since_ns, INT64_MAX, memory_order_relaxed);
  return atomic_compare_exchange_strong_explicit (&pool->shuttle, &word, word | BAI_SHUTTLE_HOME, memory_order_release,
                                                  memory_order_relaxed);
}

/* @buffer goes out, with the lock held, after settling. */
static inline void
bai_pool_consider_shuttle_locked (BaPool *pool, BaBuffer *buffer)
{
  pool->last = buffer;
  if (pool->streak > pool->stats.n_buffers && pool->free_waiters == 0 && !buffer->once
      && pool->spec.when_full != BA_WHEN_FULL_DROP_OLDEST)
    atomic_store_explicit (&pool->shuttle, (uintptr_t) buffer, memory_order_relaxed);
}

#endif
