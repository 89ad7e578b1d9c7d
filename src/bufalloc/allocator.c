/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * allocator.c: the handle. It owns order, checks, counting and roll-back; the hooks of a kind do one thing each.
 *
 * The handle owns its pools, pools own the backend (hooks and their state), nobody owns the handle but its users: so
 * there is no cycle, and memory that is still out keeps just what it needs to be freed.
 */
#include "allocator.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "allocator-private.h"
#include "debug.h"
#include "layout-private.h"
#include "log.h"
#include "pool-private.h"
#include "pool.h"
#include "registry-private.h"

struct BaAllocator
{
  atomic_uint refs;
  BaBackend *backend;   /* constant */
  BaRegistry *registry; /* constant */
  pthread_mutex_t lock;
  BaPool **pools;       /* oldest first; a reference each */
  unsigned n_pools;
  unsigned n_room;
};

BaBackend *
bai_backend_ref (BaBackend *backend)
{
  atomic_fetch_add_explicit (&backend->refs, 1, memory_order_relaxed);
  return backend;
}

void
bai_backend_unref (BaBackend *backend)
{
  if (!backend || atomic_fetch_sub_explicit (&backend->refs, 1, memory_order_acq_rel) != 1)
    return;
  if (backend->ops->close)
    backend->ops->close (backend->state);
  bai_debug_free (backend->debug);
  free (backend);
}

int
bai_hook_code (const BaAllocatorOps *ops, const char *hook, int r)
{
  if (r <= 0)
    return r;
  ba_log (BA_LOG_ERROR, "the %s hook of kind %s returned %d: 0 or a negative code is expected, so it counts as failed",
          hook, ops->name, r);
  return -EINVAL;
}

int
bai_backend_create (const BaBackend *backend, const BaRequest *request, uint64_t id, BaMemory *out)
{
  if (backend->debug)
    return bai_debug_create (backend->debug, backend->state, request, id, out);
  return bai_hook_code (backend->ops, "create", backend->ops->create (backend->state, request, out));
}

void
bai_backend_destroy (const BaBackend *backend, uint64_t id, BaMemory *memory)
{
  if (backend->debug)
    bai_debug_destroy (backend->debug, backend->state, id);
  else if (backend->ops->destroy)
    backend->ops->destroy (backend->state, memory);
}

/* Runs the open hook. Where it fails without a word, there is a sentence nevertheless. */
static int
open_backend (BaBackend *backend, const BaConfig *config, BaError *error)
{
  const BaAllocatorOps *ops = backend->ops;
  if (!ops->open)
    return 0;
  if (error)
    *error = (BaError){ 0 };
  int r = bai_hook_code (ops, "open", ops->open (config, &backend->state, error));
  if (r == 0 || !error)
    return r;
  if (error->message[0] == '\0')
    return ba_error_set (error, r, "an allocator of kind %s cannot be opened: %s", ops->name, ba_error_text (r));
  error->code = r;
  return r;
}

int
bai_allocator_new (const BaAllocatorOps *ops, const BaConfig *config, BaError *error, BaAllocator **out)
{
  int r = -ENOMEM;
  *out = NULL;
  BaAllocator *allocator = calloc (1, sizeof *allocator);
  BaBackend *backend = calloc (1, sizeof *backend);
  if (!allocator || !backend) {
    ba_error_set (error, r, "no memory for an allocator of kind %s", ops->name);
    goto fail;
  }
  if ((config->debug || bai_debug_from_environment ()) && !(backend->debug = bai_debug_new (ops, config))) {
    ba_error_set (error, r, "no memory for the debug mode of an allocator of kind %s", ops->name);
    goto fail;
  }
  atomic_init (&backend->refs, 1);
  backend->ops = ops;
  if ((r = open_backend (backend, config, error)) < 0)
    goto fail;

  atomic_init (&allocator->refs, 1);
  pthread_mutex_init (&allocator->lock, NULL);
  allocator->backend = backend;
  allocator->registry = ba_registry_ref (config->registry ? config->registry : ba_registry_get_default ());
  *out = allocator;
  return 0;

fail:
  if (backend)
    bai_debug_free (backend->debug);
  free (backend);
  free (allocator);
  return r;
}

const BaAllocatorOps *
bai_allocator_get_ops (const BaAllocator *allocator)
{
  return allocator->backend->ops;
}

BaAllocator *
ba_allocator_ref (BaAllocator *allocator)
{
  atomic_fetch_add_explicit (&allocator->refs, 1, memory_order_relaxed);
  return allocator;
}

/* Ends the allocator's part in a pool that is no longer in its list. */
static void
let_pool_go (BaAllocator *allocator, BaPool *pool)
{
  bai_registry_leave (allocator->registry, pool); /* before our reference goes: see registry.c */
  ba_pool_close (pool);
  ba_pool_unref (pool);
}

void
ba_allocator_unref (BaAllocator *allocator)
{
  if (!allocator || atomic_fetch_sub_explicit (&allocator->refs, 1, memory_order_acq_rel) != 1)
    return;
  for (unsigned i = 0; i < allocator->n_pools; i++)
    let_pool_go (allocator, allocator->pools[i]);
  free (allocator->pools);
  ba_registry_unref (allocator->registry);
  pthread_mutex_destroy (&allocator->lock);
  bai_backend_unref (allocator->backend);
  free (allocator);
}

const char *
ba_allocator_get_name (const BaAllocator *allocator)
{
  return allocator->backend->ops->name;
}

/* ---- checks -------------------------------------------------------------------------------------------------- */

static bool
name_fits (const char *name)
{
  return !name || strlen (name) < BA_NAME_BYTES;
}

static int
check_spec (const BaAllocator *allocator, const BaSpec *spec, BaSpec *checked)
{
  const BaAllocatorOps *ops = allocator->backend->ops;

  if (!spec || !name_fits (spec->name) || !name_fits (spec->category))
    return -EINVAL;
  if (spec->when_full != BA_WHEN_FULL_BLOCK && spec->when_full != BA_WHEN_FULL_DROP_OLDEST)
    return -EINVAL;
  *checked = *spec;
  if (!spec->size_bytes && !ops->decides_size && spec->layout.n_planes == 1
      && !bai_layout_end (&spec->layout, &checked->size_bytes))
    return -EINVAL;
  if (checked->size_bytes && !bai_layout_fits (&spec->layout, checked->size_bytes))
    return -EINVAL;
  if (!ops->decides_size && spec->count && !checked->size_bytes)
    return -EINVAL;
  if (spec->max_buffers && spec->count > spec->max_buffers)
    return -EINVAL;
  if (ops->max_buffers) {
    unsigned most = ops->max_buffers (allocator->backend->state);
    if (checked->count > most)
      return -EAGAIN;
    if (checked->count == 0)
      checked->count = spec->max_buffers && spec->max_buffers < most ? spec->max_buffers : most;
  }
  return 0;
}

static bool
flags_known (unsigned flags)
{
  return (flags & ~(unsigned) (BA_INJECT_FILLED | BA_INJECT_ONCE)) == 0;
}

/* A reference to @pool where it is one of the allocator's, else NULL. */
static BaPool *
get_own (BaAllocator *allocator, BaPool *pool)
{
  BaPool *own = NULL;
  pthread_mutex_lock (&allocator->lock);
  for (unsigned i = 0; i < allocator->n_pools && !own; i++) {
    if (allocator->pools[i] == pool)
      own = ba_pool_ref (pool);
  }
  pthread_mutex_unlock (&allocator->lock);
  return own;
}

/* ---- building ------------------------------------------------------------------------------------------------ */

/* One buffer of the pool's specification, from the kind into the pool. */
static int
create_one (BaPool *pool, unsigned flags, uint64_t *id)
{
  const BaBackend *backend = bai_pool_get_backend (pool);
  BaRequest request = { bai_pool_get_spec (pool), ba_pool_get_id (pool), bai_pool_next_index (pool) };
  BaAdoption how = { .id = bai_registry_next_id (), .flags = flags };
  BaMemory memory = BA_MEMORY_INIT;
  int r = bai_backend_create (backend, &request, how.id, &memory);
  if (r < 0)
    return r;
  r = bai_pool_adopt (pool, &memory, &how);
  if (r < 0)
    bai_backend_destroy (backend, how.id, &memory);
  else if (id)
    *id = how.id;
  return r;
}

static int
keep_pool (BaAllocator *allocator, BaPool *pool)
{
  int r = 0;
  pthread_mutex_lock (&allocator->lock);
  if (allocator->n_pools == allocator->n_room) {
    unsigned n = allocator->n_room ? allocator->n_room * 2 : 4;
    BaPool **pools = realloc (allocator->pools, n * sizeof *pools);
    if (pools) {
      allocator->pools = pools;
      allocator->n_room = n;
    } else {
      r = -ENOMEM;
    }
  }
  if (r == 0)
    allocator->pools[allocator->n_pools++] = ba_pool_ref (pool);
  pthread_mutex_unlock (&allocator->lock);
  return r;
}

/* Takes @pool out of the list; the list's reference becomes the caller's. False where it is not in it. */
static bool
drop_pool (BaAllocator *allocator, BaPool *pool)
{
  bool found = false;
  pthread_mutex_lock (&allocator->lock);
  for (unsigned i = 0; i < allocator->n_pools && !found; i++) {
    if (allocator->pools[i] == pool) {
      allocator->n_pools--;
      memmove (allocator->pools + i, allocator->pools + i + 1, (allocator->n_pools - i) * sizeof *allocator->pools);
      found = true;
    }
  }
  pthread_mutex_unlock (&allocator->lock);
  return found;
}

int
ba_allocator_build_pool (BaAllocator *allocator, const BaSpec *spec, BaPool **out)
{
  BaSpec checked;
  BaPool *pool = NULL;
  *out = NULL;
  int r = check_spec (allocator, spec, &checked);
  if (r == 0)
    r = bai_pool_new (allocator->backend, &checked, &pool);
  if (r == 0)
    r = bai_pool_reserve (pool, checked.count);
  for (unsigned i = 0; r == 0 && i < checked.count; i++)
    r = create_one (pool, BA_INJECT_FREE, NULL);
  /* Into the registry first: from the moment the allocator's list has it, another thread may destroy it, and what has
   * left the registry must not be entered after that. */
  if (r == 0)
    r = bai_registry_enter (allocator->registry, pool);
  if (r == 0 && (r = keep_pool (allocator, pool)) < 0)
    bai_registry_leave (allocator->registry, pool);
  if (r < 0) {
    if (pool)
      ba_pool_close (pool); /* what was created so far ends here, though somebody may have found the pool already */
    ba_pool_unref (pool);
    return r;
  }
  *out = pool;
  return 0;
}

int
ba_allocator_get_pool (BaAllocator *allocator, BaPool **out)
{
  BaPool *found = NULL;
  pthread_mutex_lock (&allocator->lock);
  for (unsigned i = 0; i < allocator->n_pools && !found; i++) {
    if (!ba_pool_is_closed (allocator->pools[i]))
      found = allocator->pools[i];
  }
  if (!found && allocator->n_pools)
    found = allocator->pools[0];
  *out = found ? ba_pool_ref (found) : NULL;
  pthread_mutex_unlock (&allocator->lock);
  return *out ? 0 : -EAGAIN;
}

int
ba_allocator_destroy_pool (BaAllocator *allocator, BaPool *pool)
{
  if (!drop_pool (allocator, pool))
    return -EINVAL;
  let_pool_go (allocator, pool);
  return 0;
}

/* ---- changing a pool that runs --------------------------------------------------------------------------------- */

int
ba_allocator_inject (BaAllocator *allocator, BaPool *pool, unsigned flags, uint64_t *id)
{
  if (id)
    *id = 0;
  if (!flags_known (flags))
    return -EINVAL;
  BaPool *own = get_own (allocator, pool);
  if (!own)
    return -EINVAL;
  int r = -EINVAL;
  if (bai_pool_get_spec (own)->size_bytes || allocator->backend->ops->decides_size)
    r = create_one (own, flags, id);
  ba_pool_unref (own);
  return r;
}

int
ba_allocator_inject_external (BaAllocator *allocator, BaPool *pool, const BaMemory *memory, unsigned flags,
                              BaReleaseFunc release, void *user, uint64_t *id)
{
  if (id)
    *id = 0;
  if (!memory || !flags_known (flags))
    return -EINVAL;
  BaPool *own = get_own (allocator, pool);
  if (!own)
    return -EINVAL;
  BaAdoption how = { bai_registry_next_id (), flags, true, release, user };
  BaDebug *debug = allocator->backend->debug;
  int r = debug ? bai_debug_track (debug, how.id, memory) : 0;
  if (r == 0) {
    r = bai_pool_adopt (own, memory, &how);
    if (r < 0 && debug)
      bai_debug_untrack (debug, how.id);
  }
  if (r == 0 && id)
    *id = how.id;
  ba_pool_unref (own);
  return r;
}

int
ba_allocator_remove (BaAllocator *allocator, BaPool *pool, uint64_t id)
{
  BaPool *own = get_own (allocator, pool);
  if (!own)
    return -EINVAL;
  int r = bai_pool_remove (own, id);
  ba_pool_unref (own);
  return r;
}

int
ba_debug_check (BaAllocator *allocator, unsigned *n_damaged)
{
  BaDebug *debug = allocator->backend->debug;
  unsigned n = debug ? bai_debug_count_damaged (debug) : 0;
  if (n_damaged)
    *n_damaged = n;
  return debug ? 0 : -ENOTSUP;
}
