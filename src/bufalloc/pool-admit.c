/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pool-admit.c: how pools begin and end, and how buffers enter and leave them for good. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pool-inside-private.h"
#include "probes-private.h"
#include "registry-private.h"

/* Places in a pool's table: twice as many still fit into an unsigned. */
#define MOST_RESERVED (UINT32_MAX / 4)

/* ---- ending things, with no lock held -------------------------------------------------------------------------- */

static void
end_buffer (BaPool *pool, BaBuffer *buffer)
{
  BaMemory memory;
  bai_buffer_describe (buffer, &memory);
  bool external = buffer->external;
  BaReleaseFunc release = buffer->release;
  void *user = buffer->release_user;
  uint64_t id = buffer->id;
  BAI_PROBE_SIZE (destroy, pool->id, id, buffer->size_bytes);
  bai_buffer_free (buffer);
  if (!external) {
    bai_backend_destroy (pool->backend, id, &memory);
    return;
  }
  if (pool->backend->debug)
    bai_debug_untrack (pool->backend->debug, id);
  if (release)
    release (&memory, user);
}

void
bai_pool_end_buffers (BaPool *pool, BaFifo *ended)
{
  BaBuffer *buffer;
  while ((buffer = bai_fifo_pop (ended)))
    end_buffer (pool, buffer);
}

void
bai_pool_end (BaPool *pool)
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

/* ---- the table of buffers ------------------------------------------------------------------------------------- */

void
bai_pool_clear_slot_locked (BaPool *pool, BaBuffer *buffer)
{
  pool->slots[buffer->index] = NULL;
  if (buffer->index < pool->first_hole)
    pool->first_hole = buffer->index;
  pool->stats.n_buffers--;
}

static int
grow_slots_locked (BaPool *pool)
{
  if (pool->n_slots > MOST_RESERVED)
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

int
bai_pool_reserve (BaPool *pool, unsigned count)
{
  if (count == 0)
    return 0;
  if (count > MOST_RESERVED)
    return -ENOMEM;
  pool->slots = calloc (count, sizeof *pool->slots);
  if (!pool->slots)
    return -ENOMEM;
  pool->n_slots = count;
  return 0;
}

static unsigned
next_hole_locked (BaPool *pool)
{
  while (pool->first_hole < pool->n_slots && pool->slots[pool->first_hole])
    pool->first_hole++;
  return pool->first_hole;
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

/* ---- beginning and closing ------------------------------------------------------------------------------------- */

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
  pthread_mutexattr_t mutex_attr;
  pthread_mutexattr_init (&mutex_attr);
  /* held for some ten ns: to spin a little is faster than to sleep, and fairer */
  pthread_mutexattr_settype (&mutex_attr, PTHREAD_MUTEX_ADAPTIVE_NP);
  pthread_mutex_init (&pool->lock, &mutex_attr);
  pthread_mutexattr_destroy (&mutex_attr);

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

/* A buffer that is out leaves the pool's books: it will end when it returns. */
static void
orphan_locked (BaPool *pool, BaBuffer *buffer)
{
  switch (bai_get_state (buffer)) {
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
  bai_pool_clear_slot_locked (pool, buffer);
  pool->stats.n_orphans++;
  bai_set_state (buffer, BA_STATE_ORPHAN);
}

/* @buffer was taken out of the free or the filled queue: it ends, or its last reader ends it. */
static bool
let_go_locked (BaPool *pool, BaBuffer *buffer, BaFifo *ended)
{
  if (bai_get_state (buffer) == BA_STATE_FILLED && !bai_drop_ref (buffer)) {
    orphan_locked (pool, buffer);
    return false;
  }
  bai_pool_clear_slot_locked (pool, buffer);
  bai_fifo_push (ended, buffer);
  return true;
}

void
bai_pool_close_locked (BaPool *pool, BaFifo *ended)
{
  BaBuffer *buffer;
  if (pool->closed)
    return;
  bai_pool_settle_locked (pool);
  pool->closed = true;
  while ((buffer = bai_fifo_pop (&pool->free)))
    let_go_locked (pool, buffer, ended);
  while ((buffer = bai_fifo_pop (&pool->filled)))
    let_go_locked (pool, buffer, ended);
  for (unsigned i = 0; i < pool->n_slots; i++) {
    if (pool->slots[i])
      orphan_locked (pool, pool->slots[i]);
  }
  pthread_cond_broadcast (&pool->has_free);
  pthread_cond_broadcast (&pool->has_filled);
}

/* ---- for allocator.c ------------------------------------------------------------------------------------------- */

unsigned
bai_pool_next_index (BaPool *pool)
{
  pthread_mutex_lock (&pool->lock);
  unsigned index = next_hole_locked (pool);
  pthread_mutex_unlock (&pool->lock);
  return index;
}

/* Room for one more below BaSpec.max_buffers: where the policy allows it, in the place of the oldest filled one. */
static int
make_room_locked (BaPool *pool, unsigned flags, BaFifo *ended)
{
  if (pool->spec.max_buffers == 0 || pool->stats.n_buffers < pool->spec.max_buffers)
    return 0;
  if (pool->spec.when_full != BA_WHEN_FULL_DROP_OLDEST || !(flags & BA_INJECT_FILLED))
    return -EAGAIN;
  BaBuffer *before = NULL;
  for (BaBuffer *b = pool->filled.head; b; before = b, b = b->next) {
    if (bai_is_unread (b)) {
      bai_fifo_unlink (&pool->filled, before, b);
      pool->stats.drops++;
      let_go_locked (pool, b, ended);
      return 0;
    }
  }
  return -EAGAIN;
}

static int
enter_locked (BaPool *pool, BaBuffer *buffer, unsigned flags, BaFifo *ended)
{
  if (pool->closed)
    return -ESHUTDOWN;
  int r = make_room_locked (pool, flags, ended);
  unsigned index = next_hole_locked (pool);
  if (r == 0 && index == pool->n_slots)
    r = grow_slots_locked (pool);
  if (r < 0)
    return r;
  buffer->index = index;
  pool->slots[index] = buffer;
  pool->stats.n_buffers++;
  if (flags & BA_INJECT_FILLED) {
    atomic_store_explicit (&buffer->refs, 1, memory_order_relaxed);
    bai_pool_push_filled_locked (pool, buffer);
  } else {
    bai_pool_push_free_locked (pool, buffer);
  }
  return 0;
}

int
bai_pool_adopt (BaPool *pool, const BaMemory *memory, const BaAdoption *how)
{
  BaFifo ended = { 0 };
  BaBuffer *buffer;
  int r = bai_buffer_new (pool, memory, &pool->spec.layout, &buffer);
  if (r < 0)
    return r;
  buffer->id = how->id;
  size_t size_bytes = buffer->size_bytes;
  buffer->once = (how->flags & BA_INJECT_ONCE) != 0;
  buffer->external = how->external;
  buffer->release = how->release;
  buffer->release_user = how->user;
  buffer->unref_locked = pool->spec.when_full == BA_WHEN_FULL_DROP_OLDEST;

  pthread_mutex_lock (&pool->lock);
  r = enter_locked (pool, buffer, how->flags, &ended);
  pthread_mutex_unlock (&pool->lock);
  bai_pool_end_buffers (pool, &ended);
  if (r < 0) {
    bai_buffer_free (buffer);
    return r;
  }
  BAI_PROBE_SIZE (create, pool->id, how->id, size_bytes);
  return 0;
}

int
bai_pool_remove (BaPool *pool, uint64_t id)
{
  BaFifo ended = { 0 };
  int r = 0;

  pthread_mutex_lock (&pool->lock);
  bai_pool_settle_locked (pool);
  BaBuffer *buffer = find_locked (pool, id);
  if (!buffer) {
    r = pool->closed ? -ESHUTDOWN : id == 0 ? -EAGAIN : -EINVAL;
  } else {
    BaState state = bai_get_state (buffer);
    bool gone = false;
    if (state == BA_STATE_FREE && bai_fifo_remove (&pool->free, buffer))
      gone = let_go_locked (pool, buffer, &ended);
    else if (state == BA_STATE_FILLED && bai_fifo_remove (&pool->filled, buffer))
      gone = let_go_locked (pool, buffer, &ended);
    else
      orphan_locked (pool, buffer);
    r = gone ? 0 : -EINPROGRESS;
  }
  pthread_mutex_unlock (&pool->lock);
  bai_pool_end_buffers (pool, &ended);
  return r;
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
