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

/** gst_ba_fbdev_allocator_get_display: (skip): (transfer none): the display. */
GST_BA_API
BaDisplay *gst_ba_fbdev_allocator_get_display (GstBaFbdevAllocator * self);

/** gst_ba_fbdev_allocator_get_pages: (skip): (transfer none): the core pool of all its pages. */
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

G_END_DECLS
