/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pool-private.h: what allocator.c and buffer.c may do to a pool. */
#ifndef BUFALLOC_POOL_PRIVATE_H
#define BUFALLOC_POOL_PRIVATE_H

#include "allocator-ops.h"
#include "allocator.h"
#include "debug-private.h"
#include "pool.h"

/* The refcounted inside of an allocator: hooks and their state. Pools and so buffers hold it, never the handle. */
typedef struct
{
  atomic_uint refs;
  const BaAllocatorOps *ops;
  void *state;
  BaDebug *debug; /* NULL: not in debug mode */
} BaBackend;

BaBackend *bai_backend_ref (BaBackend *backend);
void bai_backend_unref (BaBackend *backend); /* the last one runs the close hook */

/* The hooks of the kind, or what stands before them in debug mode. @id is the buffer's. */
int bai_backend_create (const BaBackend *backend, const BaRequest *request, uint64_t id, BaMemory *out);
void bai_backend_destroy (const BaBackend *backend, uint64_t id, BaMemory *memory);

/* Makes an empty pool; @spec was checked. Returns 0 or -ENOMEM. */
int bai_pool_new (BaBackend *backend, const BaSpec *spec, BaPool **out);

/* Makes room in the table of buffers, so that a count that cannot be fails before anything is created. The pool is
 * new, and nobody else knows it. Returns 0 or -ENOMEM. */
int bai_pool_reserve (BaPool *pool, unsigned count);

/* How a memory enters a pool: with the kind's destroy hook to end it, or with a release callback of its owner's. */
typedef struct
{
  uint64_t id;    /* the buffer's, from bai_registry_next_id() */
  unsigned flags; /* BaInjectFlags */
  bool external;
  BaReleaseFunc release;
  void *user;
} BaAdoption;

/* Puts @memory into the pool. On failure it stays the caller's. Returns 0, -EINVAL, -ENOMEM,
 * -EAGAIN (BaSpec.max_buffers) or -ESHUTDOWN. */
int bai_pool_adopt (BaPool *pool, const BaMemory *memory, const BaAdoption *how);

/* As ba_allocator_remove(), for a pool that is known to be the allocator's. */
int bai_pool_remove (BaPool *pool, uint64_t id);

/* A reference to @buffer was dropped, and there was none: says so, and counts it as never dropped. */
void bai_pool_refuse (BaPool *pool, BaBuffer *buffer);

/* The last reference of @buffer is gone: brings it home, or ends it. */
void bai_pool_return (BaPool *pool, BaBuffer *buffer);

/* As ba_buffer_unref(), for a pool whose producers may be waiting for the last reader of a filled buffer to leave. */
void bai_pool_unref_buffer (BaPool *pool, BaBuffer *buffer);

BaBackend *bai_pool_get_backend (BaPool *pool);
const BaSpec *bai_pool_get_spec (const BaPool *pool);
/* The place the next adopted buffer will probably have, a hint for create hooks. */
unsigned bai_pool_next_index (BaPool *pool);

#endif
