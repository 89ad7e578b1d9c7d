/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pool-wait.c: out of the two queues: at once, or after a wait that ends for an item, a deadline, a flag or the end. */
#include <errno.h>

#include "pool-inside-private.h"
#include "probes-private.h"

static int64_t
now_ns (void)
{
  struct timespec t;
  clock_gettime (CLOCK_MONOTONIC, &t);
  return (int64_t) t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct timespec
to_timespec (int64_t ns)
{
  return (struct timespec){ .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };
}

/* The oldest filled buffer that nobody else reads, for a producer who may overwrite it. */
static BaBuffer *
steal_filled_locked (BaPool *pool)
{
  BaBuffer *before = NULL;
  for (BaBuffer *b = pool->filled.head; b; before = b, b = b->next) {
    if (bai_is_unread (b) && !b->once) {
      bai_fifo_unlink (&pool->filled, before, b);
      pool->stats.drops++;
      return b;
    }
  }
  return NULL;
}

static inline BaBuffer *
next_free_locked (BaPool *pool)
{
  BaBuffer *buffer = bai_fifo_pop (&pool->free);
  if (!buffer && pool->spec.when_full == BA_WHEN_FULL_DROP_OLDEST)
    buffer = steal_filled_locked (pool);
  if (!buffer)
    return NULL;
  /* FREE had no holder, a stolen one had the queue: nobody else can change the count now */
  atomic_store_explicit (&buffer->refs, 1, memory_order_relaxed);
  bai_set_state (buffer, BA_STATE_HELD);
  pool->stats.n_held++;
  pool->stats.acquires++;
  return buffer;
}

static inline BaBuffer *
next_filled_locked (BaPool *pool)
{
  BaBuffer *buffer = bai_fifo_pop (&pool->filled);
  if (!buffer)
    return NULL;
  bai_set_state (buffer, BA_STATE_LENT); /* the queue's reference becomes the consumer's */
  pool->stats.n_lent++;
  pool->stats.takes++;
  return buffer;
}

/* Which queue: a constant wherever it is used, so that the fast path has no call through a pointer. */
typedef enum
{
  QUEUE_FREE,
  QUEUE_FILLED
} Queue;

static inline BaBuffer *
next_locked (BaPool *pool, Queue queue)
{
  return queue == QUEUE_FREE ? next_free_locked (pool) : next_filled_locked (pool);
}

static inline bool
cancelled (const BaCancel *cancel)
{
  return cancel && atomic_load_explicit (cancel, memory_order_acquire) != 0;
}

static inline void
count_out_locked (BaPool *pool, BaBuffer *buffer, int64_t since_ns)
{
  unsigned out = pool->stats.n_held + pool->stats.n_lent;
  pool->out++;
  if (out > pool->stats.peak_out)
    pool->stats.peak_out = out;
  atomic_store_explicit (&buffer->out_since_ns, since_ns, memory_order_relaxed);
}

/* Nothing was there at the first look. The lock is held, before and after. */
static int
wait_locked (BaPool *pool, Queue queue, int64_t timeout_ns, const BaCancel *cancel, BaBuffer **out)
{
  pthread_cond_t *cond = queue == QUEUE_FREE ? &pool->has_free : &pool->has_filled;
  unsigned *waiters = queue == QUEUE_FREE ? &pool->free_waiters : &pool->filled_waiters;
  int64_t began_ns = now_ns ();
  struct timespec deadline = to_timespec (timeout_ns > INT64_MAX - began_ns ? INT64_MAX : began_ns + timeout_ns);
  bool late = false;
  int r = 1;

  pool->stats.waits++;
  while (r > 0) {
    (*waiters)++;
    if (timeout_ns < 0)
      pthread_cond_wait (cond, &pool->lock);
    else
      late = pthread_cond_timedwait (cond, &pool->lock, &deadline) == ETIMEDOUT;
    (*waiters)--;

    if (pool->closed)
      r = -ESHUTDOWN;
    else if (cancelled (cancel))
      r = -ECANCELED;
    else if ((*out = next_locked (pool, queue)))
      r = 0;
    else if (late)
      r = -ETIMEDOUT;
  }
  uint64_t waited_ns = (uint64_t) (now_ns () - began_ns);
  if (waited_ns > pool->stats.longest_wait_ns)
    pool->stats.longest_wait_ns = waited_ns;
  if (r < 0 && *waiters)
    pthread_cond_signal (cond); /* the wake-up that ended this wait may have been meant for an item */
  return r;
}

static inline int
get (BaPool *pool, Queue queue, int64_t timeout_ns, const BaCancel *cancel, BaBuffer **out)
{
  int r = 0;
  BaBuffer *buffer = NULL;
  int64_t since_ns = bai_coarse_now_ns ();

  pthread_mutex_lock (&pool->lock);
  bai_pool_settle_locked (pool);
  if (pool->closed)
    r = -ESHUTDOWN;
  else if (cancelled (cancel))
    r = -ECANCELED;
  else if ((buffer = next_locked (pool, queue)))
    r = 0;
  else if (timeout_ns == 0)
    r = -EAGAIN;
  else if ((r = wait_locked (pool, queue, timeout_ns, cancel, &buffer)) == 0)
    since_ns = bai_coarse_now_ns ();
  if (buffer) {
    count_out_locked (pool, buffer, since_ns);
    if (queue == QUEUE_FREE)
      bai_pool_consider_shuttle_locked (pool, buffer);
  }
  pthread_mutex_unlock (&pool->lock);
  *out = buffer;
  return r;
}

int
ba_pool_acquire (BaPool *pool, int64_t timeout_ns, const BaCancel *cancel, BaBuffer **out)
{
  int r = 0;
  *out = cancelled (cancel) ? NULL : bai_pool_take_shuttle (pool);
  if (!*out)
    r = get (pool, QUEUE_FREE, timeout_ns, cancel, out);
  if (r == 0)
    BAI_PROBE (acquire, pool->id, (*out)->id);
  return r;
}

int
ba_pool_take (BaPool *pool, int64_t timeout_ns, const BaCancel *cancel, BaBuffer **out)
{
  int r = get (pool, QUEUE_FILLED, timeout_ns, cancel, out);
  if (r == 0)
    BAI_PROBE (take, pool->id, (*out)->id);
  return r;
}
