/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * allocator.h: makes pools of one kind of memory, and changes them while they run.
 *
 * To begin: ba_allocator_new() (factory.h), ba_allocator_build_pool(), ba_pool_acquire(), ba_pool_release(), and
 * ba_allocator_unref() at the end. The allocator owns its pools: with its last reference they close. Buffers that are
 * still out stay valid, and free themselves when they are released.
 */
#ifndef BUFALLOC_ALLOCATOR_H
#define BUFALLOC_ALLOCATOR_H

#include <bufalloc/allocator-ops.h>
#include <bufalloc/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** ba_allocator_ref: (transfer full): another reference. Threads: any. */
BA_API BaAllocator *ba_allocator_ref (BaAllocator *allocator);

/** ba_allocator_unref: drops a reference (nullable); the last one destroys its pools. Threads: any. */
BA_API void ba_allocator_unref (BaAllocator *allocator);

/** ba_allocator_get_name: (transfer none): name of its kind, "normal" for example. Threads: any. */
BA_API const char *ba_allocator_get_name (const BaAllocator *allocator);

/**
 * ba_allocator_build_pool:
 * @allocator: (transfer none): an allocator
 * @spec: (transfer none): count, size, names; copied
 * @out: (out) (transfer full): the pool with all its buffers free, NULL on error
 *
 * Creates @spec->count buffers and registers the pool. Either all of it happens or nothing. The allocator keeps a
 * reference of its own until ba_allocator_destroy_pool() or its end. Threads: any.
 *
 * Returns: 0; -EINVAL for a spec that cannot be; -ENOMEM; -EAGAIN where the kind has fewer buffers than asked for;
 *   or what the kind's create hook returned
 */
BA_API int ba_allocator_build_pool (BaAllocator *allocator, const BaSpec *spec, BaPool **out);

/**
 * ba_allocator_get_pool:
 * @allocator: (transfer none): an allocator
 * @out: (out) (transfer full): its managed pool, NULL on error
 *
 * The managed pool: the oldest one that it has built and not yet destroyed, and that is not closed; where all of them
 * are closed, the oldest of those. Threads: any.
 *
 * Returns: 0, or -EAGAIN where there is none
 */
BA_API int ba_allocator_get_pool (BaAllocator *allocator, BaPool **out);

/**
 * ba_allocator_destroy_pool:
 * @allocator: (transfer none): the pool's allocator
 * @pool: (transfer none): a pool that it built
 *
 * Closes the pool (ba_pool_close()), takes it out of the registry and drops the allocator's reference.
 * Never blocks. Threads: any.
 *
 * Returns: 0, or -EINVAL where the pool is not (or no longer) this allocator's
 */
BA_API int ba_allocator_destroy_pool (BaAllocator *allocator, BaPool *pool);

/**
 * ba_allocator_inject:
 * @allocator: (transfer none): the pool's allocator
 * @pool: (transfer none): a pool that it built
 * @flags: %BA_INJECT_FREE or %BA_INJECT_FILLED, perhaps with %BA_INJECT_ONCE
 * @id: (out) (optional): the new buffer's id, 0 on error
 *
 * Grows the pool by one buffer of the pool's specification. Threads: any.
 *
 * Returns: 0, -EINVAL, -ENOMEM, -ESHUTDOWN, -EAGAIN (the kind has no more, or BaSpec.max_buffers), or the create
 *   hook's code
 */
BA_API int ba_allocator_inject (BaAllocator *allocator, BaPool *pool, unsigned flags, uint64_t *id);

/**
 * BaReleaseFunc:
 * @memory: (transfer none): what was injected
 * @user: (nullable): as given
 *
 * Tells the owner of injected memory that the library is done with it. Called exactly once, on whatever thread
 * dropped the last reference, with no lock held.
 */
typedef void (*BaReleaseFunc) (const BaMemory *memory, void *user);

/**
 * ba_allocator_inject_external:
 * @allocator: (transfer none): the pool's allocator
 * @pool: (transfer none): a pool that it built
 * @memory: (transfer none): blocks with address, size and perhaps physical address; layout; fd, -1 = none: begin with
 *   %BA_MEMORY_INIT. Copied.
 * @flags: as for ba_allocator_inject()
 * @release: (nullable): called once when the buffer has left the pool
 * @user: (nullable): for @release
 * @id: (out) (optional): the new buffer's id, 0 on error
 *
 * Puts memory of somebody else into the pool. On failure it stays the caller's and @release is not called.
 * Threads: any.
 *
 * Returns: 0, -EINVAL (no block, a block without address or size, a layout outside the blocks, another's pool),
 *   -ENOMEM, -EAGAIN (BaSpec.max_buffers) or -ESHUTDOWN
 */
BA_API int ba_allocator_inject_external (BaAllocator *allocator, BaPool *pool, const BaMemory *memory, unsigned flags,
                                         BaReleaseFunc release, void *user, uint64_t *id);

/**
 * ba_allocator_remove:
 * @allocator: (transfer none): the pool's allocator
 * @pool: (transfer none): a pool that it built
 * @id: the buffer's id, or 0 for the oldest free one
 *
 * Shrinks the pool: a free or filled buffer goes at once, one that is out goes when it comes back. Threads: any.
 *
 * Returns: 0; -EINPROGRESS where it is out; -EINVAL where there is no such buffer or pool; -EAGAIN where @id is 0 and
 *   none is free; -ESHUTDOWN where the pool is closed and the buffer no longer in it
 */
BA_API int ba_allocator_remove (BaAllocator *allocator, BaPool *pool, uint64_t id);

#ifdef __cplusplus
}
#endif
#endif
