/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/bufalloc/gstbafbdevallocator.h>
#include <gst/bufalloc/gstbapool.h>

G_BEGIN_DECLS

#define GST_TYPE_BA_FBDEV_POOL (gst_ba_fbdev_pool_get_type ())
GST_BA_API
G_DECLARE_FINAL_TYPE (GstBaFbdevPool, gst_ba_fbdev_pool, GST, BA_FBDEV_POOL, GstBaPool)

/**
 * GST_BA_POOL_OPTION_DMABUF:
 *
 * An option of a #GstBaFbdevPool's configuration: its memory is GstDmaBufMemory, so that a device can write into the pages
 * of the screen (a camera that imports dmabufs). Pages are still recognised, and flipped. gst_buffer_pool_has_option()
 * says whether the screen's pages may be that; where the driver refuses when it comes to it, so does set_config. Memory
 * that stands in for a page, where none comes back, is no dmabuf. Buffers are made anew around their memory each time.
 */
#define GST_BA_POOL_OPTION_DMABUF "GstBufferPoolOptionBaDmabuf"

/**
 * gst_ba_fbdev_pool_new:
 * @allocator: (transfer none): the pages
 *
 * A view of a display's pages: its buffers are pages, or windows inside them where the caps are smaller than the
 * screen. It takes caps of the screen's format only, at most as large as the screen, and wants
 * %GST_BUFFER_POOL_OPTION_VIDEO_META where the page's stride is not the format's default one. Claims nothing before a
 * buffer is acquired, so any number of views can exist at the same time.
 *
 * The window is centred unless gst_ba_fbdev_pool_set_origin() says otherwise; its first byte is moved left to the
 * alignment that the configuration's allocation parameters ask for. What else they ask for (prefix, padding, zeros) there
 * is no room for: the pool refuses once and has none of it in its own configuration then. Threads: any.
 *
 * Returns: (transfer full): an inactive pool
 */
GST_BA_API
GstBufferPool *gst_ba_fbdev_pool_new (GstBaFbdevAllocator * allocator);

/**
 * gst_ba_fbdev_pool_get_allocator:
 * @self: a pool
 *
 * Returns: (transfer none) (nullable): the allocator of its pages; %NULL for a pool that was not made with
 * gst_ba_fbdev_pool_new()
 */
GST_BA_API
GstBaFbdevAllocator *gst_ba_fbdev_pool_get_allocator (GstBaFbdevPool * self);

/**
 * gst_ba_fbdev_pool_set_origin:
 * @self: a pool that is not configured yet
 * @x: column of the screen where the window begins, not negative
 * @y: row of the screen where it begins, not negative
 *
 * Where the window lies instead of in the middle. A window that would leave the screen there is moved back into it.
 */
GST_BA_API
void gst_ba_fbdev_pool_set_origin (GstBaFbdevPool * self, gint x, gint y);

/**
 * gst_ba_fbdev_pool_get_window:
 * @self: a configured pool
 * @window: (out caller-allocates): where on the screen its buffers lie, in pixels
 */
GST_BA_API
void gst_ba_fbdev_pool_get_window (GstBaFbdevPool * self, GstVideoRectangle * window);

G_END_DECLS
