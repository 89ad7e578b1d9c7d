/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/bufalloc/gstbufalloc-prelude.h>

G_BEGIN_DECLS

#define GST_TYPE_BA_ALLOCATOR (gst_ba_allocator_get_type ())
GST_BA_API
G_DECLARE_DERIVABLE_TYPE (GstBaAllocator, gst_ba_allocator, GST, BA_ALLOCATOR, GstAllocator)

/**
 * GstBaAllocatorClass:
 * @parent_class: the parent
 *
 * Base of the allocators whose memory is a core buffer.
 */
struct _GstBaAllocatorClass
{
  GstAllocatorClass parent_class;

  /*< private >*/
  gpointer _gst_reserved[GST_PADDING];
};

/**
 * gst_ba_allocator_get_core: (skip)
 * @allocator: an allocator
 *
 * Returns: (transfer none) (nullable): the core allocator behind it; %NULL for a page allocator without a display
 */
GST_BA_API
BaAllocator *gst_ba_allocator_get_core (GstBaAllocator * allocator);

#define GST_TYPE_BA_NORMAL_ALLOCATOR (gst_ba_normal_allocator_get_type ())
GST_BA_API
G_DECLARE_FINAL_TYPE (GstBaNormalAllocator, gst_ba_normal_allocator, GST, BA_NORMAL_ALLOCATOR, GstBaAllocator)

/**
 * gst_ba_normal_allocator_new:
 *
 * Memory of this process, aligned to 64 bytes or what the allocation parameters ask for, whichever is more.
 * Threads: any.
 *
 * Returns: (transfer full) (nullable): the allocator, %NULL where memory ran out
 */
GST_BA_API
GstAllocator *gst_ba_normal_allocator_new (void);

G_END_DECLS
