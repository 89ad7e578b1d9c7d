/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/bufalloc/gstbapool.h>

G_BEGIN_DECLS

#define GST_TYPE_BA_NORMAL_POOL (gst_ba_normal_pool_get_type ())
GST_BA_API
G_DECLARE_FINAL_TYPE (GstBaNormalPool, gst_ba_normal_pool, GST, BA_NORMAL_POOL, GstBaPool)

/**
 * gst_ba_normal_pool_new:
 *
 * A pool of memory of this process, with GstVideoMeta and GstVideoAlignment where the configuration asks for them. With
 * a #GstBaMemfdAllocator as the configuration's allocator its memory is a GstFdMemory that other processes can map; with a
 * #GstBaDmabufAllocator it is a GstDmaBufMemory that devices can have too. Other allocators are not used.
 * Threads: any.
 *
 * Returns: (transfer full): an inactive pool
 */
GST_BA_API
GstBufferPool *gst_ba_normal_pool_new (void);

/**
 * gst_ba_normal_pool_new_with_allocator:
 * @allocator: (transfer none): a #GstBaMemfdAllocator or a #GstBaDmabufAllocator
 *
 * As gst_ba_normal_pool_new(), with memory of @allocator also where a configuration names no allocator: elements that
 * are given a pool put their own answer in that place, which mostly is none. Threads: any.
 *
 * Returns: (transfer full): an inactive pool
 */
GST_BA_API
GstBufferPool *gst_ba_normal_pool_new_with_allocator (GstAllocator * allocator);

G_END_DECLS
