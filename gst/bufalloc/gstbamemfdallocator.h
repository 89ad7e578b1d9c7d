/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbamemfdallocator.h: memory that other processes can map.
 *
 * Every memory is a GstFdMemory (gst_is_fd_memory(), gst_fd_memory_get_fd()) over a memfd that is sealed against
 * shrinking. Set it as the allocator of a GstBaNormalPool's configuration: then all buffers of the pool are parts of one
 * file, each at a page-aligned offset, which is the memory's offset. GStreamer's GstFdMemory maps a file from its
 * beginning: what lies before a memory's offset belongs to other buffers, so never resize one to begin earlier; and each
 * further buffer takes more address space than the one before it (not more memory). Buffers of such a pool are made
 * anew around their memory each time, which costs an allocation for each acquire.
 */
#pragma once

#include <gst/allocators/gstfdmemory.h>
#include <gst/bufalloc/gstbufalloc-prelude.h>

G_BEGIN_DECLS

#define GST_TYPE_BA_MEMFD_ALLOCATOR (gst_ba_memfd_allocator_get_type ())
GST_BA_API
G_DECLARE_FINAL_TYPE (GstBaMemfdAllocator, gst_ba_memfd_allocator, GST, BA_MEMFD_ALLOCATOR, GstFdAllocator)

/**
 * gst_ba_memfd_allocator_new:
 *
 * The file descriptor of a memory belongs to it: dup() it to keep it longer. gst_allocator_alloc() makes a file of its
 * own for each memory; alignments above a memory page are refused. Threads: any.
 *
 * Returns: (transfer full) (nullable): the allocator, %NULL where memory ran out
 */
GST_BA_API
GstAllocator *gst_ba_memfd_allocator_new (void);

G_END_DECLS
