/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbafbdevallocator.h: the pages of one display, for everybody who wants to write them.
 *
 * There is one set of pages for each display, in the core pool that this allocator owns. Any number of GstBaFbdevPool
 * are views of it. It keeps the display mapped as long as a memory of it lives; closing the display (so that it shows
 * what it showed before) is its opener's business.
 */
#pragma once

#include <gst/bufalloc/gstbaallocator.h>

G_BEGIN_DECLS

#define GST_TYPE_BA_FBDEV_ALLOCATOR (gst_ba_fbdev_allocator_get_type ())
GST_BA_API
G_DECLARE_FINAL_TYPE (GstBaFbdevAllocator, gst_ba_fbdev_allocator, GST, BA_FBDEV_ALLOCATOR, GstBaAllocator)

/**
 * gst_ba_fbdev_allocator_new: (skip)
 * @display: (transfer none): an open display; a reference is taken
 * @error: (nullable) (out caller-allocates): why it failed
 *
 * Returns: (transfer full) (nullable): an allocator of its pages, %NULL on failure
 */
GST_BA_API
GstAllocator *gst_ba_fbdev_allocator_new (BaDisplay * display, BaError * error);

/**
 * gst_ba_fbdev_allocator_get_display: (skip)
 * @self: an allocator
 *
 * Returns: (transfer none) (nullable): the display; %NULL for the one that gst_allocator_find() gives
 */
GST_BA_API
BaDisplay *gst_ba_fbdev_allocator_get_display (GstBaFbdevAllocator * self);

/**
 * gst_ba_fbdev_allocator_get_pages: (skip)
 * @self: an allocator
 *
 * Returns: (transfer none) (nullable): the core pool of all its pages; %NULL where there is no display
 */
GST_BA_API
BaPool *gst_ba_fbdev_allocator_get_pages (GstBaFbdevAllocator * self);

/**
 * gst_ba_fbdev_allocator_get_info:
 * @self: an allocator
 * @info: (out caller-allocates): format, size and stride of a whole page
 *
 * Returns: whether the screen's format has a name in GStreamer
 */
GST_BA_API
gboolean gst_ba_fbdev_allocator_get_info (GstBaFbdevAllocator * self, GstVideoInfo * info);

/**
 * gst_ba_fbdev_allocator_owns:
 * @self: an allocator
 * @memory: any memory
 *
 * Returns: whether @memory is (a part of) a page of this very display
 */
GST_BA_API
gboolean gst_ba_fbdev_allocator_owns (GstBaFbdevAllocator * self, GstMemory * memory);

/**
 * gst_ba_fbdev_allocator_prepare_page: (skip)
 * @self: an allocator
 * @page: (transfer none): a page that the caller alone holds and is about to draw
 * @rect: where it will draw, in pixels of the screen
 *
 * Makes sure that everything outside @rect is black: clears the page where something else was drawn there last, and
 * remembers @rect as drawn. Threads: the holder of @page.
 */
GST_BA_API
void gst_ba_fbdev_allocator_prepare_page (GstBaFbdevAllocator * self, BaBuffer * page, const GstVideoRectangle * rect);

/**
 * gst_ba_fbdev_allocator_get_drawn: (skip)
 * @self: an allocator
 * @page: (transfer none): a page that the caller holds
 * @rect: (out caller-allocates): the part of the screen outside which @page is black
 *
 * What was said last to gst_ba_fbdev_allocator_prepare_page(), or the whole screen. Threads: a holder of @page.
 */
GST_BA_API
void gst_ba_fbdev_allocator_get_drawn (GstBaFbdevAllocator * self, BaBuffer * page, GstVideoRectangle * rect);

/**
 * gst_ba_fbdev_allocator_acquire: (skip)
 * @self: an allocator
 * @timeout_ns: as for ba_pool_acquire()
 * @cancel: (nullable): as for ba_pool_acquire()
 * @buffer: (out) (transfer full): a page, or memory off the screen with a page's size and stride; %NULL on failure
 *
 * A page for an element before the sink. Some elements keep buffers and want more before they push one (deinterlacing,
 * rate conversion, an application with its samples): with all pages in their hands nothing would ever move again. So
 * where no page comes back for a while and the sink has nothing to show either, it gives memory off the screen instead,
 * which the sink copies; at most 16 buffers of it exist at a time, and gst_ba_fbdev_allocator_get_overflows() counts.
 * "A while" is longer than the time between two frames, so that an element which is merely slow is waited for. As long
 * as such memory is out, the last pages are left to the sink, which needs them to copy into.
 * Threads: any.
 *
 * Returns: as ba_pool_acquire()
 */
GST_BA_API
gint gst_ba_fbdev_allocator_acquire (GstBaFbdevAllocator * self, gint64 timeout_ns, const BaCancel * cancel,
    BaBuffer ** buffer);

/**
 * gst_ba_fbdev_allocator_set_showing:
 * @self: an allocator
 * @showing: whether the sink has a frame in hand
 *
 * The sink says when a frame comes in and when it is done with it. In between a page will come back by itself, so whoever
 * waits for one waits on. Threads: one at a time.
 */
GST_BA_API
void gst_ba_fbdev_allocator_set_showing (GstBaFbdevAllocator * self, gboolean showing);

/**
 * gst_ba_fbdev_allocator_is_overflow:
 * @self: an allocator
 * @memory: any memory
 *
 * Returns: whether @memory was given in place of a page
 */
GST_BA_API
gboolean gst_ba_fbdev_allocator_is_overflow (GstBaFbdevAllocator * self, GstMemory * memory);

/**
 * gst_ba_fbdev_allocator_get_overflows:
 * @self: an allocator
 *
 * Returns: how often memory was given in place of a page
 */
GST_BA_API
guint64 gst_ba_fbdev_allocator_get_overflows (GstBaFbdevAllocator * self);

/**
 * gst_ba_fbdev_allocator_wrap: (skip)
 * @self: an allocator
 * @buffer: (transfer full): what gst_ba_fbdev_allocator_acquire() gave
 * @offset: bytes before the memory's first one
 * @size: bytes of the memory
 *
 * Returns: (transfer full): a memory over it
 */
GST_BA_API
GstMemory *gst_ba_fbdev_allocator_wrap (GstBaFbdevAllocator * self, BaBuffer * buffer, gsize offset, gsize size);

G_END_DECLS
