/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstbaallocator-private.h: construction, for the allocators and pools of the library. Not installed. */
#pragma once

#include "gstbafbdevallocator.h"

/* Hands the core allocator (transfer full) to a new @self, in place of one that it may have. */
void gst_ba_allocator_set_core (GstBaAllocator * self, BaAllocator * core);

/* A normal allocator whose memory is aligned to @align_bytes, a power of two; 0 = the default. NULL where memory ran
 * out. */
GstAllocator *gst_ba_normal_allocator_new_aligned (gsize align_bytes);

/* The alignment that every memory of @self has. */
gsize gst_ba_normal_allocator_get_align (GstBaNormalAllocator * self);

/* Where @self keeps what was drawn on @page last; valid as long as @self, read by @page's holder. NULL for memory in
 * place of a page. */
const GstVideoRectangle *gst_ba_fbdev_allocator_peek_drawn (GstBaFbdevAllocator * self, BaBuffer * page);

/* One core buffer of @size_bytes that belongs to no pool any more: its last reference frees it. NULL where memory ran
 * out. */
BaBuffer *gst_ba_make_orphan (BaAllocator * core, gsize size_bytes);
