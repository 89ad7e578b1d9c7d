/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbadmabufallocator.h: memory of this process that devices can have too.
 *
 * Every memory is a GstDmaBufMemory (gst_is_dmabuf_memory(), gst_dmabuf_memory_get_fd()) that the CPU's caches keep, from
 * /dev/udmabuf or a heap in /dev/dma_heap. Elements work in it as in any other memory, and a screen that imports dmabufs
 * shows it where it lies. Mapping it tells the drivers that have it (DMA_BUF_IOCTL_SYNC), unmapping that this is over.
 * Set it as the allocator of a GstBaNormalPool's configuration for a pool of it.
 */
#pragma once

#include <gst/allocators/gstdmabuf.h>
#include <gst/bufalloc/gstbufalloc-prelude.h>

G_BEGIN_DECLS

#define GST_TYPE_BA_DMABUF_ALLOCATOR (gst_ba_dmabuf_allocator_get_type ())
GST_BA_API
G_DECLARE_FINAL_TYPE (GstBaDmabufAllocator, gst_ba_dmabuf_allocator, GST, BA_DMABUF_ALLOCATOR, GstDmaBufAllocator)

/**
 * gst_ba_dmabuf_allocator_new: (skip)
 * @source: "udmabuf", or the name of a heap in /dev/dma_heap ("system", "linux,cma", …)
 * @error: (nullable) (out caller-allocates): why it failed
 *
 * gst_allocator_alloc() makes a dmabuf for each memory; alignments above a memory page are refused. Threads: any.
 *
 * Returns: (transfer full) (nullable): the allocator, %NULL where there is no such source, or no permission to use it
 */
GST_BA_API
GstAllocator *gst_ba_dmabuf_allocator_new (const gchar * source, BaError * error);

G_END_DECLS
