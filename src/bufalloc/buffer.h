/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * buffer.h: what is known about one buffer, and its references.
 *
 * A buffer comes out of a pool with one reference that belongs to whoever acquired or took it. Others who need the
 * memory add references; when the last one goes, on whatever thread, the buffer is home again. Nothing here knows
 * about queues.
 */
#ifndef BUFALLOC_BUFFER_H
#define BUFALLOC_BUFFER_H

#include <bufalloc/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * ba_buffer_ref:
 * @buffer: (transfer none): a buffer that the caller holds a reference to
 *
 * Adds a holder. Threads: any.
 *
 * Returns: (transfer full): @buffer
 */
BA_API BaBuffer *ba_buffer_ref (BaBuffer *buffer);

/**
 * ba_buffer_unref:
 * @buffer: (transfer full) (nullable): a reference; NULL does nothing
 *
 * Drops a holder. The last one brings the buffer home: to its pool's free queue, or to its end where it is an orphan
 * or was injected for one use. Never blocks for longer than the pool's lock. Threads: any.
 */
BA_API void ba_buffer_unref (BaBuffer *buffer);

/**
 * ba_buffer_is_shared:
 * @buffer: (transfer none): a buffer that the caller holds
 *
 * True while somebody besides the caller holds a reference: then its content should not be changed.
 * A snapshot, reliable in this direction only: false stays false as long as the caller gives no reference away.
 * Threads: any.
 */
BA_API bool ba_buffer_is_shared (const BaBuffer *buffer);

/** ba_buffer_get_id: a number that no other buffer of this process ever has; never 0. Threads: any. */
BA_API uint64_t ba_buffer_get_id (const BaBuffer *buffer);

/**
 * ba_buffer_get_index:
 *
 * Its place in its pool, from 0: small, unique among the pool's buffers at any moment, used again after a removal. An
 * orphan is no longer among them: it may share its number with a newer buffer. Which page of a display it is, is
 * another number: ba_display_get_page_number(). Threads: any.
 */
BA_API unsigned ba_buffer_get_index (const BaBuffer *buffer);

/**
 * ba_buffer_get_pool:
 * @buffer: (transfer none): a buffer that the caller holds
 *
 * Returns: (transfer none): its pool, alive at least as long as the caller's reference. Threads: any.
 */
BA_API BaPool *ba_buffer_get_pool (const BaBuffer *buffer);

/** ba_buffer_get_data: (transfer none): the address of its first block. Threads: any. */
BA_API void *ba_buffer_get_data (const BaBuffer *buffer);

/** ba_buffer_get_physical_address: bus address of its first block, 0 = unknown. Threads: any. */
BA_API uint64_t ba_buffer_get_physical_address (const BaBuffer *buffer);

/** ba_buffer_get_size: bytes of all its blocks together. Threads: any. */
BA_API size_t ba_buffer_get_size (const BaBuffer *buffer);

/** ba_buffer_get_n_blocks: separate stretches of memory, 1 for most kinds, up to BA_MAX_PLANES. Threads: any. */
BA_API unsigned ba_buffer_get_n_blocks (const BaBuffer *buffer);

/**
 * ba_buffer_get_block:
 * @buffer: (transfer none): a buffer
 * @i: which, below ba_buffer_get_n_blocks()
 *
 * Returns: (transfer none): the block, valid as long as @buffer; NULL where @i is too large. Threads: any.
 */
BA_API const BaBlock *ba_buffer_get_block (const BaBuffer *buffer, unsigned i);

/** ba_buffer_get_layout: (transfer none): the picture in it, n_planes 0 = none; valid as long as @buffer. */
BA_API const BaLayout *ba_buffer_get_layout (const BaBuffer *buffer);

/**
 * ba_buffer_get_plane:
 * @buffer: (transfer none): a buffer
 * @plane: which, below its layout's n_planes
 *
 * Returns: (transfer none) (nullable): address of the plane's first pixel, whichever block it lies in; NULL where
 * there is no such plane. Threads: any.
 */
BA_API void *ba_buffer_get_plane (const BaBuffer *buffer, unsigned plane);

/**
 * ba_buffer_get_fd:
 * @buffer: (transfer none): a buffer
 * @offset_bytes: (out) (optional): where in the file it begins
 *
 * Returns: the file descriptor behind the memory, owned by the buffer's allocator (dup() it to keep it), or -1 where
 * the memory has none. Threads: any.
 */
BA_API int ba_buffer_get_fd (const BaBuffer *buffer, size_t *offset_bytes);

/** ba_buffer_get_ownership: who frees the memory. Threads: any. */
BA_API BaOwnership ba_buffer_get_ownership (const BaBuffer *buffer);

/** ba_buffer_get_state: where it is, at this moment. Threads: any. */
BA_API BaState ba_buffer_get_state (const BaBuffer *buffer);

/** ba_state_name: (transfer none): "free", "held", "filled", "lent" or "orphan". Threads: any. */
BA_API const char *ba_state_name (BaState state);

/**
 * ba_buffer_set_holder:
 * @buffer: (transfer none): a buffer that the caller holds
 * @tag: (transfer none) (nullable): who has it, "display thread" for example: a string that lives as long as the
 *   process (a literal), because findings of ba_pool_check_health() show it; NULL = nobody said
 *
 * Says who has the buffer. Forgotten when it is submitted and when it comes home. Threads: a holder.
 */
BA_API void ba_buffer_set_holder (BaBuffer *buffer, const char *tag);

/** ba_buffer_get_holder: (transfer none) (nullable): what its holder said last. Threads: a holder. */
BA_API const char *ba_buffer_get_holder (const BaBuffer *buffer);

/**
 * ba_buffer_set_user_data:
 * @buffer: (transfer none): a buffer that the caller holds
 * @data: (nullable): anything
 * @destroy: (nullable): called once for @data: when other data is set, or just before the buffer is freed, on the
 *   thread that does so, with no lock held
 *
 * Hangs something on the buffer that stays across acquire and release. Threads: the holder only; when several hold
 * it, they must agree on who sets it.
 */
BA_API void ba_buffer_set_user_data (BaBuffer *buffer, void *data, void (*destroy) (void *data));

/** ba_buffer_get_user_data: (transfer none) (nullable): what was set last. Threads: a holder. */
BA_API void *ba_buffer_get_user_data (const BaBuffer *buffer);

#ifdef __cplusplus
}
#endif
#endif
