/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbamemory.h: a GstMemory that is one block of a core buffer.
 *
 * The memory holds a reference to the core buffer: a page is busy as long as any GstMemory refers to it, whatever
 * became of the GstBuffer. It can be mapped for writing only while nobody else (a decoder's reference, the screen)
 * holds the core buffer; GStreamer then copies for the writer.
 */
#pragma once

#include <gst/bufalloc/gstbufalloc-prelude.h>

G_BEGIN_DECLS

#define GST_BA_MEMORY_NORMAL "bufalloc-normal"
#define GST_BA_MEMORY_FBDEV "bufalloc-fbdev"
#define GST_BA_MEMORY_AVFRAME "bufalloc-avframe"

/**
 * gst_is_ba_memory:
 * @memory: any memory
 *
 * Returns: whether it is a block of a core buffer, so that gst_ba_memory_get_buffer() works. Whose page it is, is for
 *   the allocator to say (gst_ba_fbdev_allocator_owns()).
 */
GST_BA_API
gboolean gst_is_ba_memory (GstMemory * memory);

/**
 * gst_ba_memory_get_buffer: (skip)
 * @memory: a memory, or a part of one
 *
 * Returns: (transfer none) (nullable): the core buffer behind it, valid as long as @memory; %NULL for other memory
 */
GST_BA_API
BaBuffer *gst_ba_memory_get_buffer (GstMemory * memory);

/**
 * gst_ba_memory_get_start: (skip)
 * @memory: a memory for which gst_is_ba_memory() is true
 *
 * Returns: bytes from the first one of the core buffer to the first one of @memory
 */
GST_BA_API
gsize gst_ba_memory_get_start (GstMemory * memory);

/**
 * gst_ba_memory_new: (skip)
 * @allocator: (transfer none): the allocator it shall belong to, a #GstBaAllocator
 * @buffer: (transfer full): a core buffer of one block
 * @offset: bytes of the block before the memory's first one; they do not belong to the memory
 * @size: bytes of the memory; its maxsize is what the block has from @offset on
 *
 * Returns: (transfer full): a memory
 */
GST_BA_API
GstMemory *gst_ba_memory_new (GstAllocator * allocator, BaBuffer * buffer, gsize offset, gsize size);

G_END_DECLS
