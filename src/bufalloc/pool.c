/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pool.c: the two queues, the waits, and the way home.
 *
 * One mutex guards everything in BaPool that is not marked constant. What must end (memory, user data, the pool
 * itself) is collected under the lock and ended after it, so that no hook or callback ever runs inside.
 *
 * Who keeps the pool alive: its references, and every buffer that is out (HELD, LENT, ORPHAN). Both counts are under
 * the lock, so whoever brings the second of them to zero frees it.
 */
#include "pool.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "buffer-private.h"
#include "fifo-private.h"
#include "pool-private.h"
#include "registry-private.h"

struct BaPool
{
  uint64_t id;          /* constant */
  BaBackend *backend;   /* constant */
  BaSpec spec;          /* constant; name and category point to the arrays below */
  char name[BA_NAME_BYTES];
  char category[BA_NAME_BYTES];

  pthread_mutex_t lock;
  pthread_cond_t has_free;
  pthread_cond_t has_filled;
  unsigned free_waiters;
  unsigned filled_waiters;
  BaFifo free;
  BaFifo filled;
  BaBuffer **slots;     /* every buffer but the orphans, by index; holes are NULL */
  unsigned n_slots;
  unsigned first_hole;  /* no hole below it */
  unsigned refs;
  unsigned out;         /* HELD, LENT and ORPHAN buffers */
  bool closed;
  BaPoolStats stats;    /* n_free and n_filled are the queues' lengths */
};

/* ---- time ---------------------------------------------------------------------------------------------------- */

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

/* ---- ending things, with no lock held -------------------------------------------------------------------------- */

static void
end_buffer (BaPool *pool, BaBuffer *buffer)
{
  BaMemory memory;
  bai_buffer_describe (buffer, &memory);
  bool external = buffer->external;
  BaReleaseFunc release = buffer->release;
  void *user = buffer->release_user;
  bai_buffer_free (buffer);
  if (!external) {
    if (pool->backend->ops->destroy)
      pool->backend->ops->destroy (pool->backend->state, &memory);
  } else if (release) {
    release (&memory, user);
  }
}

static void
end_buffers (BaPool *pool, BaFifo *ended)
{
  BaBuffer *buffer;
  while ((buffer = bai_fifo_pop (ended)))
    end_buffer (pool, buffer);
}

static void
end_pool (BaPool *pool)
{
  assert (pool->free.length == 0 && pool->filled.length == 0);
  BaBackend *backend = pool->backend;
  pthread_cond_destroy (&pool->has_free);
  pthread_cond_destroy (&pool->has_filled);
  pthread_mutex_destroy (&pool->lock);
  free (pool->slots);
  free (pool);
  bai_backend_unref (backend); /* last: its close hook may end what the pool came from */
}

/* ---- under the lock ------------------------------------------------------------------------------------------ */

static bool
dead_locked (const BaPool *pool)
{
  return pool->refs == 0 && pool->out == 0;
}

static void
set_state (BaBuffer *buffer, BaState state)
{
  atomic_store_explicit (&buffer->state, state, memory_order_relaxed);
}

static BaState
get_state (const BaBuffer *buffer)
{
  return (BaState) atomic_load_explicit (&buffer->state, memory_order_relaxed);
}

static void
clear_slot_locked (BaPool *pool, BaBuffer *buffer)
{
  pool->slots[buffer->index] = NULL;
  if (buffer->index < pool->first_hole)
    pool->first_hole = buffer->index;
  pool->stats.n_buffers--;
}

/* A buffer that is out leaves the pool's books: it will end when it returns. */
static void
orphan_locked (BaPool *pool, BaBuffer *buffer)
{
  switch (get_state (buffer)) {
    case BA_STATE_HELD:
      pool->stats.n_held--;
      break;
    case BA_STATE_LENT:
      pool->stats.n_lent--;
      break;
    default:
      pool->out++; /* was FILLED, and somebody still reads it */
      break;
  }
  clear_slot_locked (pool, buffer);
  pool->stats.n_orphans++;
  set_state (buffer, BA_STATE_ORPHAN);
}

/* Drops a reference: the caller's, or the queue's own of a buffer just taken out of the filled queue. False where
 * others still hold it. */
static bool
drop_ref (BaBuffer *buffer)
{
  return atomic_fetch_sub_explicit (&buffer->refs, 1, memory_order_acq_rel) == 1;
}

/* @buffer has no holder left: into the free queue, or onto @ended. */
static void
return_locked (BaPool *pool, BaBuffer *buffer, BaFifo *ended)
{
  buffer->given_up = false;
  pool->out--;
  switch (get_state (buffer)) {
    case BA_STATE_HELD:
      pool->stats.n_held--;
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
    clear_slot_locked (pool, buffer);
    bai_fifo_push (ended, buffer);
    return;
  }
  set_state (buffer, BA_STATE_FREE);
  bai_fifo_push (&pool->free, buffer);
  if (pool->free_waiters)
    pthread_cond_signal (&pool->has_free);
}

/* Into the filled queue. A producer who may overwrite it is told even where a consumer sleeps: one consumer may have
 * been told of several buffers before it wakes, or may be about to give up. */
static void
push_filled_locked (BaPool *pool, BaBuffer *buffer)
{
  bai_fifo_push (&pool->filled, buffer);
  if (pool->filled_waiters)
    pthread_cond_signal (&pool->has_filled);
  if (pool->free_waiters && pool->spec.when_full == BA_WHEN_FULL_DROP_OLDEST)
    pthread_cond_signal (&pool->has_free);
}

static void
close_locked (BaPool *pool, BaFifo *ended)
{
  BaBuffer *buffer;
  if (pool->closed)
    return;
  pool->closed = true;
  while ((buffer = bai_fifo_pop (&pool->free))) {
    clear_slot_locked (pool, buffer);
    bai_fifo_push (ended, buffer);
  }
  while ((buffer = bai_fifo_pop (&pool->filled))) {
    if (drop_ref (buffer)) {
      clear_slot_locked (pool, buffer);
      bai_fifo_push (ended, buffer);
    } else {
      orphan_locked (pool, buffer);
    }
  }
  for (unsigned i = 0; i < pool->n_slots; i++) {
    if (pool->slots[i])
      orphan_locked (pool, pool->slots[i]);
  }
  pthread_cond_broadcast (&pool->has_free);
  pthread_cond_broadcast (&pool->has_filled);
}

/* The oldest filled buffer that nobody else reads, for a producer who may overwrite it. */
static BaBuffer *
steal_filled_locked (BaPool *pool)
{
  BaBuffer *before = NULL;
  for (BaBuffer *b = pool->filled.head; b; before = b, b = b->next) {
    if (atomic_load_explicit (&b->refs, memory_order_acquire) == 1 && !b->once) {
      bai_fifo_unlink (&pool->filled, before, b);
      pool->stats.drops++;
      return b;
    }
  }
  return NULL;
}

static BaBuffer *
next_free_locked (BaPool *pool)
{
  BaBuffer *buffer = bai_fifo_pop (&pool->free);
  if (!buffer && pool->spec.when_full == BA_WHEN_FULL_DROP_OLDEST)
    buffer = steal_filled_locked (pool);
  if (!buffer)
    return NULL;
  /* FREE had no holder, a stolen one had the queue: nobody else can change the count now */
  atomic_store_explicit (&buffer->refs, 1, memory_order_relaxed);
  set_state (buffer, BA_STATE_HELD);
  pool->stats.n_held++;
  pool->stats.acquires++;
  return buffer;
}

static BaBuffer *
next_filled_locked (BaPool *pool)
{
  BaBuffer *buffer = bai_fifo_pop (&pool->filled);
  if (!buffer)
    return NULL;
  set_state (buffer, BA_STATE_LENT); /* the queue's reference becomes the consumer's */
  pool->stats.n_lent++;
  pool->stats.takes++;
  return buffer;
}

static bool
cancelled (const BaCancel *cancel)
{
  return cancel && atomic_load_explicit (cancel, memory_order_acquire) != 0;
}

/* The one wait: an item, or closed, or cancelled, or past the deadline. */
static int
wait_for (BaPool *pool, BaBuffer *(*next) (BaPool *), pthread_cond_t *cond, unsigned *waiters, int64_t timeout_ns,
          const BaCancel *cancel, BaBuffer **out)
{
  int r = 0;
  BaBuffer *buffer = NULL;
  int64_t began_ns = 0;

  *out = NULL;
  pthread_mutex_lock (&pool->lock);
  for (;;) {
    if (pool->closed)
      r = -ESHUTDOWN;
    else if (cancelled (cancel))
      r = -ECANCELED;
    else if ((buffer = next (pool)))
      r = 0;
    else if (timeout_ns == 0)
      r = -EAGAIN;
    else if (r == 0)
      r = 1; /* go on waiting; -ETIMEDOUT from below ends it */
    if (r <= 0)
      break;
    r = 0;

    if (began_ns == 0) {
      began_ns = now_ns ();
      pool->stats.waits++;
    }
    (*waiters)++;
    if (timeout_ns < 0) {
      pthread_cond_wait (cond, &pool->lock);
    } else {
      int64_t deadline_ns = timeout_ns > INT64_MAX - began_ns ? INT64_MAX : began_ns + timeout_ns;
      struct timespec deadline = to_timespec (deadline_ns);
      if (pthread_cond_timedwait (cond, &pool->lock, &deadline) == ETIMEDOUT)
        r = -ETIMEDOUT;
    }
    (*waiters)--;
  }
  if (began_ns) {
    uint64_t waited_ns = (uint64_t) (now_ns () - began_ns);
    if (waited_ns > pool->stats.longest_wait_ns)
      pool->stats.longest_wait_ns = waited_ns;
  }
  if (buffer) {
    pool->out++;
    if (pool->stats.n_held + pool->stats.n_lent > pool->stats.peak_out)
      pool->stats.peak_out = pool->stats.n_held + pool->stats.n_lent;
  } else if (*waiters) {
    pthread_cond_signal (cond); /* the wake-up that ended this wait may have been meant for an item */
  }
  pthread_mutex_unlock (&pool->lock);
  *out = buffer;
  return r;
}

/* ---- for allocator.c and buffer.c ------------------------------------------------------------------------------ */

int
bai_pool_new (BaBackend *backend, const BaSpec *spec, BaPool **out)
{
  *out = NULL;
  BaPool *pool = calloc (1, sizeof *pool);
  if (!pool)
    return -ENOMEM;
  pthread_condattr_t attr;
  if (pthread_condattr_init (&attr) != 0) {
    free (pool);
    return -ENOMEM;
  }
  pthread_condattr_setclock (&attr, CLOCK_MONOTONIC);
  pthread_cond_init (&pool->has_free, &attr);
  pthread_cond_init (&pool->has_filled, &attr);
  pthread_condattr_destroy (&attr);
  pthread_mutex_init (&pool->lock, NULL);

  pool->id = bai_registry_next_id ();
  pool->backend = bai_backend_ref (backend);
  pool->spec = *spec;
  strncpy (pool->name, spec->name ? spec->name : "", sizeof pool->name - 1);
  strncpy (pool->category, spec->category ? spec->category : "", sizeof pool->category - 1);
  pool->spec.name = pool->name;
  pool->spec.category = pool->category;
  pool->refs = 1;
  *out = pool;
  return 0;
}

static int
grow_slots_locked (BaPool *pool)
{
  if (pool->n_slots > UINT32_MAX / 4)
    return -ENOMEM;
  unsigned n = pool->n_slots ? pool->n_slots * 2 : 8;
  BaBuffer **slots = realloc (pool->slots, n * sizeof *slots);
  if (!slots)
    return -ENOMEM;
  memset (slots + pool->n_slots, 0, (n - pool->n_slots) * sizeof *slots);
  pool->slots = slots;
  pool->n_slots = n;
  return 0;
}

static unsigned
next_hole_locked (BaPool *pool)
{
  while (pool->first_hole < pool->n_slots && pool->slots[pool->first_hole])
    pool->first_hole++;
  return pool->first_hole;
}

unsigned
bai_pool_next_index (BaPool *pool)
{
  pthread_mutex_lock (&pool->lock);
  unsigned index = next_hole_locked (pool);
  pthread_mutex_unlock (&pool->lock);
  return index;
}

int
bai_pool_adopt (BaPool *pool, const BaMemory *memory, const BaAdoption *how, uint64_t *id)
{
  BaBuffer *buffer;
  if (id)
    *id = 0;
  int r = bai_buffer_new (pool, memory, &pool->spec.layout, &buffer);
  if (r < 0)
    return r;
  buffer->once = (how->flags & BA_INJECT_ONCE) != 0;
  buffer->external = how->external;
  buffer->release = how->release;
  buffer->release_user = how->user;

  pthread_mutex_lock (&pool->lock);
  unsigned index = next_hole_locked (pool);
  if (pool->closed)
    r = -ESHUTDOWN;
  else if (index == pool->n_slots)
    r = grow_slots_locked (pool);
  if (r == 0) {
    if (id)
      *id = buffer->id;
    buffer->index = index;
    pool->slots[index] = buffer;
    pool->stats.n_buffers++;
    if (how->flags & BA_INJECT_FILLED) {
      atomic_store_explicit (&buffer->refs, 1, memory_order_relaxed);
      set_state (buffer, BA_STATE_FILLED);
      push_filled_locked (pool, buffer);
    } else {
      bai_fifo_push (&pool->free, buffer);
      if (pool->free_waiters)
        pthread_cond_signal (&pool->has_free);
    }
  }
  pthread_mutex_unlock (&pool->lock);
  if (r < 0)
    bai_buffer_free (buffer);
  return r;
}

static BaBuffer *
find_locked (BaPool *pool, uint64_t id)
{
  if (id == 0)
    return pool->free.head;
  for (unsigned i = 0; i < pool->n_slots; i++) {
    if (pool->slots[i] && pool->slots[i]->id == id)
      return pool->slots[i];
  }
  return NULL;
}

int
bai_pool_remove (BaPool *pool, uint64_t id)
{
  BaFifo ended = { 0 };
  int r = 0;

  pthread_mutex_lock (&pool->lock);
  BaBuffer *buffer = find_locked (pool, id);
  if (!buffer) {
    r = pool->closed ? -ESHUTDOWN : id == 0 ? -EAGAIN : -EINVAL;
  } else {
    BaState state = get_state (buffer);
    if (state == BA_STATE_FREE)
      bai_fifo_remove (&pool->free, buffer);
    else if (state == BA_STATE_FILLED)
      bai_fifo_remove (&pool->filled, buffer);
    if (state == BA_STATE_FREE || (state == BA_STATE_FILLED && drop_ref (buffer))) {
      clear_slot_locked (pool, buffer);
      bai_fifo_push (&ended, buffer);
    } else {
      orphan_locked (pool, buffer);
      r = -EINPROGRESS;
    }
  }
  pthread_mutex_unlock (&pool->lock);
  end_buffers (pool, &ended);
  return r;
}

/* @buffer has no holder left, the lock is held: brings it home or ends it, and gives the lock up. */
static void
go_home_and_unlock (BaPool *pool, BaBuffer *buffer)
{
  BaFifo ended = { 0 };
  return_locked (pool, buffer, &ended);
  /* what ends still needs the pool: count it as out until it has ended */
  pool->out += ended.length;
  bool dead = dead_locked (pool);
  pthread_mutex_unlock (&pool->lock);

  if (ended.length) {
    unsigned n = ended.length;
    end_buffers (pool, &ended);
    pthread_mutex_lock (&pool->lock);
    pool->out -= n;
    dead = dead_locked (pool);
    pthread_mutex_unlock (&pool->lock);
  }
  if (dead)
    end_pool (pool);
}

void
bai_pool_return (BaPool *pool, BaBuffer *buffer)
{
  pthread_mutex_lock (&pool->lock);
  go_home_and_unlock (pool, buffer);
}

BaBackend *
bai_pool_get_backend (BaPool *pool)
{
  return pool->backend;
}

const BaSpec *
bai_pool_get_spec (const BaPool *pool)
{
  return &pool->spec;
}

/* ---- public -------------------------------------------------------------------------------------------------- */

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
  close_locked (pool, &ended); /* our own count keeps the pool while its buffers end */
  pthread_mutex_unlock (&pool->lock);
  end_buffers (pool, &ended);

  pthread_mutex_lock (&pool->lock);
  pool->refs--;
  bool dead = dead_locked (pool);
  pthread_mutex_unlock (&pool->lock);
  if (dead)
    end_pool (pool);
}

int
ba_pool_acquire (BaPool *pool, int64_t timeout_ns, const BaCancel *cancel, BaBuffer **out)
{
  return wait_for (pool, next_free_locked, &pool->has_free, &pool->free_waiters, timeout_ns, cancel, out);
}

int
ba_pool_take (BaPool *pool, int64_t timeout_ns, const BaCancel *cancel, BaBuffer **out)
{
  return wait_for (pool, next_filled_locked, &pool->has_filled, &pool->filled_waiters, timeout_ns, cancel, out);
}

int
ba_pool_submit (BaPool *pool, BaBuffer *buffer)
{
  if (buffer->pool != pool)
    return -EINVAL;
  int r = 0;
  pthread_mutex_lock (&pool->lock);
  BaState state = get_state (buffer);
  if (buffer->given_up || (state != BA_STATE_HELD && state != BA_STATE_ORPHAN)) {
    r = -EINVAL;
  } else if (state == BA_STATE_ORPHAN) {
    r = -ESHUTDOWN;
  } else {
    pool->out--;
    pool->stats.n_held--;
    set_state (buffer, BA_STATE_FILLED);
    push_filled_locked (pool, buffer);
  }
  pthread_mutex_unlock (&pool->lock);
  return r;
}

int
ba_pool_release (BaPool *pool, BaBuffer *buffer)
{
  if (buffer->pool != pool)
    return -EINVAL;
  pthread_mutex_lock (&pool->lock);
  BaState state = get_state (buffer);
  if (buffer->given_up || state == BA_STATE_FREE || state == BA_STATE_FILLED) {
    pthread_mutex_unlock (&pool->lock);
    return -EINVAL;
  }
  buffer->given_up = true;
  bool last = atomic_load_explicit (&buffer->refs, memory_order_acquire) == 1;
  if (last) /* the caller's is the only reference, so nobody can add one now */
    atomic_store_explicit (&buffer->refs, 0, memory_order_relaxed);
  else
    last = drop_ref (buffer);
  if (last)
    go_home_and_unlock (pool, buffer);
  else
    pthread_mutex_unlock (&pool->lock);
  return 0;
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
  close_locked (pool, &ended);
  pthread_mutex_unlock (&pool->lock);
  end_buffers (pool, &ended);
}

bool
ba_pool_is_closed (BaPool *pool)
{
  pthread_mutex_lock (&pool->lock);
  bool closed = pool->closed;
  pthread_mutex_unlock (&pool->lock);
  return closed;
}

void
ba_pool_get_stats (BaPool *pool, BaPoolStats *stats)
{
  pthread_mutex_lock (&pool->lock);
  *stats = pool->stats;
  stats->n_free = pool->free.length;
  stats->n_filled = pool->filled.length;
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
