/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstbafdmemory-private.h: GstFdMemory over core buffers, for the allocators of files. Not installed. */
#pragma once

#include <gst/allocators/gstfdmemory.h>
#include <gst/bufalloc/gstbufalloc-prelude.h>

/* As gst_allocator_alloc(), over a core buffer of its own. */
GstMemory *gst_ba_fd_memory_alloc (GstAllocator * allocator, BaAllocator * core, gsize size,
    const GstAllocationParams * params);

/* A memory over a core buffer (transfer full) of a pool, which goes back there with the memory's last reference: always
 * the same memory for one core buffer. @prefix bytes of the buffer come before its first one. @fd is given where the
 * buffer has no file of its own, and is owned by the memory; -1 = it has. NULL where it cannot be made. */
GstMemory *gst_ba_fd_memory_wrap (GstAllocator * allocator, BaBuffer * buffer, int fd, gsize prefix, gsize size);

/* Whether such a memory exists for @buffer, so that no file is needed. */
gboolean gst_ba_fd_memory_rests_with (BaBuffer * buffer);

/* The core buffer behind @memory, or behind what it is a part of (transfer none); NULL where it is none of these. */
BaBuffer *gst_ba_fd_memory_get_buffer (GstMemory * memory);

/* Where the core buffer's first byte lies in the memory's file. */
gsize gst_ba_fd_memory_get_file_offset (BaBuffer * buffer);
