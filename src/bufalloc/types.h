/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * types.h: the plain structs and enums that every other header of bufalloc uses.
 *
 * Opaque objects are declared here and defined in their own .c file. The structs that are visible are descriptions
 * (a layout, a specification): the caller fills them, the library copies what it keeps.
 */
#ifndef BUFALLOC_TYPES_H
#define BUFALLOC_TYPES_H

#ifdef __cplusplus
#include <atomic>
using std::atomic_int; /* the same size and layout; before C++23 there is no stdatomic.h */
#else
#include <stdatomic.h>
#endif
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define BA_API __attribute__ ((visibility ("default")))
#define BA_PRINTF(fmt, first) __attribute__ ((format (printf, fmt, first)))
#else
#define BA_API
#define BA_PRINTF(fmt, first)
#endif

/** BaBuffer: one buffer of a pool: memory, layout, state (buffer.h). */
typedef struct BaBuffer BaBuffer;
/** BaPool: a set of buffers with a free and a filled queue (pool.h). */
typedef struct BaPool BaPool;
/** BaAllocator: makes buffers of one kind of memory and owns the pools built from it (allocator.h). */
typedef struct BaAllocator BaAllocator;
/** BaRegistry: finds pools by id, name or category (registry.h). */
typedef struct BaRegistry BaRegistry;
/** BaDisplay: a screen whose pages are mapped into this process (display.h). */
typedef struct BaDisplay BaDisplay;
/** BaAllocatorOps: the hooks of one kind of memory (allocator-ops.h). */
typedef struct BaAllocatorOps BaAllocatorOps;

/** BA_MAX_PLANES: the most planes a layout has, and the most separate blocks a buffer has. */
#define BA_MAX_PLANES 4

/** BA_NAME_BYTES: room for a pool's name or category with its end zero; longer ones are -EINVAL. */
#define BA_NAME_BYTES 64

/** BA_WAIT_FOREVER, BA_NO_WAIT: values for every `timeout_ns`; any negative number waits without limit. */
#define BA_WAIT_FOREVER INT64_C (-1)
#define BA_NO_WAIT INT64_C (0)

/**
 * BaCancel: a flag with which a waiter can be called off without touching the others.
 *
 * Set it to non-zero, then call ba_pool_wake() (or ba_display_wake()) on what is waited for: the wait ends with
 * -ECANCELED. It stays set until its owner clears it. Any thread.
 */
typedef atomic_int BaCancel;

/** BA_FOURCC: four characters as libdrm writes them (drm_fourcc.h): little endian, first character in the low byte. */
#define BA_FOURCC(a, b, c, d) \
  ((uint32_t) (a) | ((uint32_t) (b) << 8) | ((uint32_t) (c) << 16) | ((uint32_t) (d) << 24))

/**
 * BA_FOURCC_R8, BA_FOURCC_R1, BA_FOURCC_D1: the formats of grey screens, which older drm_fourcc.h lack. R8: a byte a
 * pixel, 0 = black. R1 and D1: a bit a pixel, the first pixel in a byte's highest bit; a row begins at a byte, and the
 * bits behind its last pixel are not shown. In R1 a set bit is white, in D1 it is black (so zeroed memory is white).
 */
#define BA_FOURCC_R8 BA_FOURCC ('R', '8', ' ', ' ')
#define BA_FOURCC_R1 BA_FOURCC ('R', '1', ' ', ' ')
#define BA_FOURCC_D1 BA_FOURCC ('D', '1', ' ', ' ')

/**
 * BaLayout: how the picture lies in a buffer's memory.
 * @fourcc: DRM fourcc of the picture (drm_fourcc.h), 0 where the content is no picture or has no such name
 * @width_px: pixels of one row
 * @height_px: rows
 * @n_planes: used entries of the arrays, 0 where the content is no picture
 * @offset_bytes: where a plane's first pixel lies, counted through the buffer's blocks as if they were one
 * @stride_bytes: from one row of a plane to the next
 *
 * Written by whoever describes the memory, never changed while the buffer lives.
 */
typedef struct
{
  uint32_t fourcc;
  uint32_t width_px;
  uint32_t height_px;
  uint32_t n_planes;
  size_t offset_bytes[BA_MAX_PLANES];
  size_t stride_bytes[BA_MAX_PLANES];
} BaLayout;

/**
 * BaBlock: one stretch of memory.
 * @data: (nullable): its address in this process
 * @size_bytes: its length
 * @physical_address: bus address for devices that want it, 0 = unknown
 */
typedef struct
{
  void *data;
  size_t size_bytes;
  uint64_t physical_address;
} BaBlock;

/**
 * BaOwnership: who frees a buffer's memory.
 * @BA_OWNED: the allocator that made it
 * @BA_EXTERNAL: whoever injected it; the library tells it once through its release callback
 */
typedef enum
{
  BA_OWNED,
  BA_EXTERNAL
} BaOwnership;

/**
 * BaState: where a buffer is. It is in exactly one of these.
 * @BA_STATE_FREE: in the pool, content undefined
 * @BA_STATE_HELD: with a producer (ba_pool_acquire())
 * @BA_STATE_FILLED: in the pool, waiting for a consumer (ba_pool_submit())
 * @BA_STATE_LENT: with a consumer (ba_pool_take())
 * @BA_STATE_ORPHAN: out, and freed as soon as its last reference goes: it was removed, or its pool was closed
 */
typedef enum
{
  BA_STATE_FREE,
  BA_STATE_HELD,
  BA_STATE_FILLED,
  BA_STATE_LENT,
  BA_STATE_ORPHAN
} BaState;

/**
 * BaWhenFull: what ba_pool_acquire() does when there is no free buffer but nobody takes the filled ones.
 * @BA_WHEN_FULL_BLOCK: the producer waits (nothing is lost)
 * @BA_WHEN_FULL_DROP_OLDEST: the oldest filled buffer is given to the producer, its content is lost and counted
 */
typedef enum
{
  BA_WHEN_FULL_BLOCK,
  BA_WHEN_FULL_DROP_OLDEST
} BaWhenFull;

/**
 * BaSpec: what a pool should be. Zero it, then set what matters.
 * @name: (nullable): the name to find it by, at most BA_NAME_BYTES - 1 bytes; NULL or "" = not to be found by name
 * @category: (nullable): a word shared by related pools ("video"), same limit
 * @count: buffers to create; the framebuffer kind takes 0 for "all pages"
 * @size_bytes: bytes of one buffer; 0 where the kind decides it (framebuffer), or where @layout does: with one plane it
 *   is then where the last row ends, its padding included. More planes need a size, -EINVAL: how many rows a
 *   sub-sampled plane has is the format's business
 * @layout: the picture in it; zeroed where there is none. A layout that does not fit into @size_bytes is -EINVAL
 * @when_full: what happens when nobody takes the filled buffers
 * @max_buffers: the most buffers the pool may have, those that are out included and orphans not; 0 = no limit. A pool
 *   that has as many refuses to grow with -EAGAIN; but with %BA_WHEN_FULL_DROP_OLDEST a buffer that is injected filled
 *   takes the place of the oldest filled one that nobody else reads, which leaves the pool and is counted as a drop
 */
typedef struct
{
  const char *name;
  const char *category;
  unsigned count;
  size_t size_bytes;
  BaLayout layout;
  BaWhenFull when_full;
  unsigned max_buffers;
} BaSpec;

/**
 * BaInjectFlags: where an injected buffer begins.
 * @BA_INJECT_FREE: in the free queue
 * @BA_INJECT_FILLED: in the filled queue, so that the next ba_pool_take() may get it
 * @BA_INJECT_ONCE: it leaves the pool for good when its first user has released it (a decoded frame)
 */
typedef enum
{
  BA_INJECT_FREE = 0,
  BA_INJECT_FILLED = 1 << 0,
  BA_INJECT_ONCE = 1 << 1
} BaInjectFlags;

#ifdef __cplusplus
}
#endif
#endif
