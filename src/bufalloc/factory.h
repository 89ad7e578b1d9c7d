/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * factory.h: allocators by type or by name, our own kinds and registered ones.
 */
#ifndef BUFALLOC_FACTORY_H
#define BUFALLOC_FACTORY_H

#include <bufalloc/allocator-ops.h>
#include <bufalloc/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * BaType: the kinds of memory that are built in.
 * @BA_TYPE_AUTO: framebuffer where the config names a display or blocks, else normal
 * @BA_TYPE_NORMAL: "normal": memory of this process
 * @BA_TYPE_AVFRAME: "avframe": wrapped frames of FFmpeg (avframe.h)
 * @BA_TYPE_FRAMEBUFFER: "framebuffer": pages of a display, or a list of mapped blocks
 */
typedef enum
{
  BA_TYPE_AUTO,
  BA_TYPE_NORMAL,
  BA_TYPE_AVFRAME,
  BA_TYPE_FRAMEBUFFER
} BaType;

/**
 * BaMemoryKind: where normal memory comes from.
 * @BA_MEMORY_HEAP: malloc(), aligned
 * @BA_MEMORY_HUGE: huge pages: explicit ones, else transparent ones, else plain pages; each buffer begins at a multiple
 *   of 2 MiB; which it got is logged (level INFO), transparent ones only where the system makes them at all
 * @BA_MEMORY_MEMFD: one memfd for each pool, every buffer at a page-aligned offset of it, so that another process can
 *   map it. It is sealed: it grows, never shrinks, and takes no further seals. A pool that becomes empty and grows
 *   again gets a new file. The system finds the pages when they are first written, as for the heap: more than the
 *   machine has is not refused when the pool is built
 * @BA_MEMORY_UDMABUF: a dmabuf for each buffer, over a memfd (/dev/udmabuf): memory as any other for the CPU, and a
 *   device that imports dmabufs can have it too, a screen for one (dmabuf.h). ba_buffer_get_fd() is the dmabuf. What the
 *   CPU does with it while a device has it goes between ba_dmabuf_begin_access() and ba_dmabuf_end_access()
 * @BA_MEMORY_DMA_HEAP: the same from a heap of the kernel's, in /dev/dma_heap: some devices need memory in one piece,
 *   which is what heaps of CMA memory have
 */
typedef enum
{
  BA_MEMORY_HEAP,
  BA_MEMORY_HUGE,
  BA_MEMORY_MEMFD,
  BA_MEMORY_UDMABUF,
  BA_MEMORY_DMA_HEAP
} BaMemoryKind;

/**
 * BaConfig: what an allocator should be. Zero it, then set what matters; each kind reads its own part.
 * @memory: normal: where memory comes from
 * @align_bytes: normal: alignment of every buffer, a power of two; 0 = 64; at most a page for memfds and 2 MiB for huge
 *   pages
 * @display: (nullable) (transfer none): framebuffer: the screen; a reference is taken
 * @blocks: (nullable) (array length=n_blocks) (transfer none): framebuffer: mapped memory in place of a display;
 *   copied, never freed by us
 * @n_blocks: entries of @blocks
 * @registry: (nullable) (transfer none): where its pools register; a reference is taken; NULL = the process's default
 * @debug: debug mode, for every kind: see debug.h. The environment variable BUFALLOC_DEBUG=1 switches it on for all
 * @heap: (nullable): normal, %BA_MEMORY_DMA_HEAP: which one, NULL = "system"; only looked at during the call
 * @foreign: (nullable): for registered kinds: whatever their documentation says
 */
typedef struct BaConfig
{
  BaMemoryKind memory;
  size_t align_bytes;
  BaDisplay *display;
  const BaBlock *blocks;
  unsigned n_blocks;
  BaRegistry *registry;
  const void *foreign;
  bool debug;
  const char *heap;
} BaConfig;

/**
 * ba_allocator_new:
 * @type: a kind
 * @out: (out) (transfer full): the allocator, NULL on error
 *
 * An allocator with the defaults of its kind. Threads: any.
 *
 * Returns: 0, -EINVAL, -ENOMEM, or -ENOTSUP where this build lacks the kind
 */
BA_API int ba_allocator_new (BaType type, BaAllocator **out);

/**
 * ba_allocator_new_with_config:
 * @type: a kind
 * @config: (nullable): details, NULL = defaults; copied
 * @error: (nullable) (out caller-allocates): a sentence on failure
 * @out: (out) (transfer full): the allocator, NULL on error
 *
 * Threads: any. Returns: as ba_allocator_new()
 */
BA_API int ba_allocator_new_with_config (BaType type, const BaConfig *config, BaError *error, BaAllocator **out);

/**
 * ba_allocator_new_by_name:
 * @name: "auto", "normal", "avframe", "framebuffer" or a registered name
 * @config: (nullable): as above
 * @error: (nullable) (out caller-allocates): a sentence on failure
 * @out: (out) (transfer full): the allocator, NULL on error
 *
 * Threads: any. Returns: as ba_allocator_new(); -EINVAL for an unknown name
 */
BA_API int ba_allocator_new_by_name (const char *name, const BaConfig *config, BaError *error, BaAllocator **out);

/** ba_type_name: (transfer none) (nullable): "auto", "normal", …; NULL for a number that is no type. Threads: any. */
BA_API const char *ba_type_name (BaType type);

/**
 * ba_type_from_name:
 * @name: a name
 * @type: (out): the type, %BA_TYPE_AUTO on failure
 *
 * Threads: any. Returns: 0, or -EINVAL where it is no built-in kind
 */
BA_API int ba_type_from_name (const char *name, BaType *type);

/**
 * ba_factory_register:
 * @name: (transfer none): how to ask for it; copied
 * @ops: (transfer none): the kind; must stay valid until ba_factory_unregister() and the end of all it made
 *
 * Adds a kind of memory to this process. Threads: any.
 *
 * Returns: 0; -EEXIST where the name is taken; -EINVAL for an empty or too long name or ops without create; -ENOMEM
 */
BA_API int ba_factory_register (const char *name, const BaAllocatorOps *ops);

/** ba_factory_unregister: 0, or -EINVAL where @name is not registered. Existing allocators go on. Threads: any. */
BA_API int ba_factory_unregister (const char *name);

#ifdef __cplusplus
}
#endif
#endif
