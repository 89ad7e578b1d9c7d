/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pool.c: references to a pool, its numbers, and the way home of its buffers.
 *
 * pool-wait.c hands buffers out; pool-admit.c lets them into the pool and out of it for good; what guards what is said
 * in pool-inside-private.h.
 */
#include "pool.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>

#include "log.h"
#include "pool-inside-private.h"
#include "probes-private.h"

/* ---- the way home ---------------------------------------------------------------------------------------------- */

void
bai_pool_settle_shuttle_locked (BaPool *pool)
{
  uintptr_t word = atomic_exchange_explicit (&pool->shuttle, 0, memory_order_acquire);
  if (!(word & BAI_SHUTTLE_HOME))
    return; /* it is out, as the books say, and will come home the long way */
  pool->out--;
  pool->stats.n_held--;
  bai_pool_push_free_locked (pool, (BaBuffer *) (word & ~BAI_SHUTTLE_HOME));
}

/* @buffer has no holder left: into the free queue, or onto @ended. */
static inline void
return_locked (BaPool *pool, BaBuffer *buffer, BaFifo *ended)
{
  buffer->given_up = false;
  bai_buffer_clear_holder (buffer);
  pool->out--;
  switch (bai_get_state (buffer)) {
    case BA_STATE_HELD:
      pool->stats.n_held--;
      pool->streak = pool->last == buffer && pool->streak < UINT_MAX ? pool->streak + 1 : 0;
      break;
    case BA_STATE_LENT:
      pool->stats.n_lent--;
      break;
    case BA_STATE_ORPHAN:
      pool->stats.n_orphans--;
      bai_fifo_push (ended, buffer);
      return;
    default:
      assert (!"a buffer inside the pool lost a reference that nobody had");
  }
  if (buffer->once) {
    bai_pool_clear_slot_locked (pool, buffer);
    bai_fifo_push (ended, buffer);
    return;
  }
  bai_pool_push_free_locked (pool, buffer);
}

/* What ends still needs the pool: it was counted as out until it has ended. */
static void
end_and_recount (BaPool *pool, BaFifo *ended)
{
  unsigned n = ended->length;
  bai_pool_end_buffers (pool, ended);
  pthread_mutex_lock (&pool->lock);
  pool->out -= n;
  bool dead = bai_pool_dead_locked (pool);
  pthread_mutex_unlock (&pool->lock);
  if (dead)
    bai_pool_end (pool);
}

/* @buffer has no holder left, the lock is held: brings it home or ends it, and gives the lock up. */
static inline void
go_home_and_unlock (BaPool *pool, BaBuffer *buffer)
{
  BaFifo ended = { 0 };
  uint64_t pool_id = pool->id, buffer_id = buffer->id;
  return_locked (pool, buffer, &ended);
  pool->out += ended.length;
  bool dead = bai_pool_dead_locked (pool);
  pthread_mutex_unlock (&pool->lock);

  BAI_PROBE (release, pool_id, buffer_id);
  if (ended.length)
    end_and_recount (pool, &ended);
  else if (dead)
    bai_pool_end (pool);
}

/* A reference was dropped that nobody had. Gives the lock up. */
static void
refuse_and_unlock (BaPool *pool, BaBuffer *buffer, BaState state)
{
  uint64_t buffer_id = buffer->id;
  if (state == BA_STATE_FREE || state == BA_STATE_FILLED) /* else it was acquired since, which set the count */
    atomic_store_explicit (&buffer->refs, state == BA_STATE_FILLED ? 1 : 0, memory_order_relaxed);
  pthread_mutex_unlock (&pool->lock);
  ba_log (BA_LOG_ERROR, "buffer %" PRIu64 " is %s, and somebody who does not hold it drops a reference", buffer_id,
          ba_state_name (state));
}

/* True where @buffer is home: it, and the pool, may be gone by now. */
static inline bool
come_home_as_shuttle (BaPool *pool, BaBuffer *buffer)
{
  uint64_t pool_id = pool->id, buffer_id = buffer->id;
  bool home = bai_pool_is_shuttle (pool, buffer) && bai_pool_bring_shuttle (pool, buffer);
  if (home)
    BAI_PROBE (release, pool_id, buffer_id);
  return home;
}

void
bai_pool_refuse (BaPool *pool, BaBuffer *buffer)
{
  pthread_mutex_lock (&pool->lock);
  bai_pool_settle_locked (pool);
  refuse_and_unlock (pool, buffer, bai_get_state (buffer));
}

void
bai_pool_return (BaPool *pool, BaBuffer *buffer)
{
  if (come_home_as_shuttle (pool, buffer))
    return;
  pthread_mutex_lock (&pool->lock);
  bai_pool_settle_locked (pool);
  BaState state = bai_get_state (buffer);
  if (state == BA_STATE_FILLED) /* that was the queue's reference */
    refuse_and_unlock (pool, buffer, state);
  else
    go_home_and_unlock (pool, buffer);
}

void
bai_pool_unref_buffer (BaPool *pool, BaBuffer *buffer)
{
  pthread_mutex_lock (&pool->lock);
  BaState state = bai_get_state (buffer);
  unsigned refs = atomic_fetch_sub_explicit (&buffer->refs, 1, memory_order_acq_rel);
  if (refs == 0 || (refs == 1 && state == BA_STATE_FILLED)) {
    refuse_and_unlock (pool, buffer, state);
    return;
  }
  if (refs == 1) {
    go_home_and_unlock (pool, buffer);
    return;
  }
  if (refs == 2 && state == BA_STATE_FILLED && pool->free_waiters)
    pthread_cond_signal (&pool->has_free);
  pthread_mutex_unlock (&pool->lock);
}

/* The only reference was dropped outside the lock: home with it, unless another thread submitted it at that moment. */
static int
release_dropped (BaPool *pool, BaBuffer *buffer)
{
  if (come_home_as_shuttle (pool, buffer))
    return 0;
  pthread_mutex_lock (&pool->lock);
  bai_pool_settle_locked (pool);
  BaState state = bai_get_state (buffer);
  if (state == BA_STATE_HELD || state == BA_STATE_ORPHAN) {
    go_home_and_unlock (pool, buffer);
    return 0;
  }
  if (bai_is_leaving (buffer)) /* that was the queue's reference, or is the consumer's by now */
    atomic_store_explicit (&buffer->refs, 1, memory_order_relaxed);
  pthread_mutex_unlock (&pool->lock);
  return -EINVAL;
}

int
ba_pool_release (BaPool *pool, BaBuffer *buffer)
{
  if (buffer->pool != pool)
    return -EINVAL;
  if (bai_pool_is_shuttle (pool, buffer) && bai_drop_only_ref (buffer)) /* held, then, and by the caller alone */
    return release_dropped (pool, buffer);
  pthread_mutex_lock (&pool->lock);
  bai_pool_settle_locked (pool);
  BaState state = bai_get_state (buffer);
  if (buffer->given_up || state == BA_STATE_FREE || state == BA_STATE_FILLED || bai_is_leaving (buffer)) {
    pthread_mutex_unlock (&pool->lock);
    return -EINVAL;
  }
  buffer->given_up = true;
  bool last = bai_is_unread (buffer);
  if (last) /* the caller's is the only reference, so nobody can add one now */
    atomic_store_explicit (&buffer->refs, 0, memory_order_relaxed);
  else
    last = bai_drop_ref (buffer);
  if (last)
    go_home_and_unlock (pool, buffer);
  else
    pthread_mutex_unlock (&pool->lock);
  return 0;
}

int
ba_pool_submit (BaPool *pool, BaBuffer *buffer)
{
  if (buffer->pool != pool)
    return -EINVAL;
  int r = 0;
  uint64_t pool_id = pool->id, buffer_id = buffer->id;
  pthread_mutex_lock (&pool->lock);
  bai_pool_settle_locked (pool);
  BaState state = bai_get_state (buffer);
  if (buffer->given_up || (state != BA_STATE_HELD && state != BA_STATE_ORPHAN) || bai_is_leaving (buffer)) {
    r = -EINVAL;
  } else if (state == BA_STATE_ORPHAN) {
    r = -ESHUTDOWN;
  } else {
    pool->out--;
    pool->stats.n_held--;
    bai_buffer_clear_holder (buffer);
    bai_pool_push_filled_locked (pool, buffer);
  }
  pthread_mutex_unlock (&pool->lock);
  if (r == 0)
    BAI_PROBE (submit, pool_id, buffer_id);
  return r;
}

/* ---- references and the end ------------------------------------------------------------------------------------ */

BaPool *
ba_pool_ref (BaPool *pool)
{
  pthread_mutex_lock (&pool->lock);
  pool->refs++;
  pthread_mutex_unlock (&pool->lock);
  return pool;
}

void
ba_pool_unref (BaPool *pool)
{
  BaFifo ended = { 0 };
  if (!pool)
    return;
  pthread_mutex_lock (&pool->lock);
  if (pool->refs > 1) { /* read and dropped in one go, or two threads would each leave the closing to the other */
    pool->refs--;
    pthread_mutex_unlock (&pool->lock);
    return;
  }
  bai_pool_close_locked (pool, &ended); /* our own count keeps the pool while its buffers end */
  pthread_mutex_unlock (&pool->lock);
  bai_pool_end_buffers (pool, &ended);

  pthread_mutex_lock (&pool->lock);
  pool->refs--;
  bool dead = bai_pool_dead_locked (pool);
  pthread_mutex_unlock (&pool->lock);
  if (dead)
    bai_pool_end (pool);
}

void
ba_pool_wake (BaPool *pool)
{
  pthread_mutex_lock (&pool->lock);
  pthread_cond_broadcast (&pool->has_free);
  pthread_cond_broadcast (&pool->has_filled);
  pthread_mutex_unlock (&pool->lock);
}

void
ba_pool_close (BaPool *pool)
{
  BaFifo ended = { 0 };
  pthread_mutex_lock (&pool->lock);
  bai_pool_close_locked (pool, &ended);
  pthread_mutex_unlock (&pool->lock);
  bai_pool_end_buffers (pool, &ended);
}

bool
ba_pool_is_closed (BaPool *pool)
{
  pthread_mutex_lock (&pool->lock);
  bool closed = pool->closed;
  pthread_mutex_unlock (&pool->lock);
  return closed;
}

/* ---- numbers and names ----------------------------------------------------------------------------------------- */

void
ba_pool_get_stats (BaPool *pool, BaPoolStats *stats)
{
  pthread_mutex_lock (&pool->lock);
  bai_pool_snapshot_locked (pool, stats);
  pthread_mutex_unlock (&pool->lock);
}

uint64_t
ba_pool_get_id (const BaPool *pool)
{
  return pool->id;
}

const char *
ba_pool_get_name (const BaPool *pool)
{
  return pool->name;
}

const char *
ba_pool_get_category (const BaPool *pool)
{
  return pool->category;
}
