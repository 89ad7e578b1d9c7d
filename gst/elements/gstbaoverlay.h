/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbaoverlay.h: subtitles and other pictures over the video, as GstVideoOverlayComposition brings them, on screen rows.
 *
 * The bitmaps are scaled and turned to the screen's pixels once, when they are seen first, and kept as long as they are
 * shown; a frame costs one blend of the rows they cover. Knows pixels only. Never reads a page: it blends into rows that
 * the caller has in the cache.
 */
#pragma once

#include <gst/video/video.h>

#include "gstbaconvert.h"

G_BEGIN_DECLS

typedef struct _GstBaOverlay GstBaOverlay;

/** gst_ba_overlay_new: (transfer full): an empty one. Threads: any. */
GstBaOverlay *gst_ba_overlay_new (void);

/** gst_ba_overlay_free: frees it (nullable). */
void gst_ba_overlay_free (GstBaOverlay *overlay);

/**
 * gst_ba_overlay_prepare:
 * @overlay: (transfer none): an overlay
 * @composition: (transfer none) (nullable): what the frame at hand brings, NULL for nothing. Its render coordinates are
 *   pixels of the frame
 * @crop: the part of the frame that is shown
 * @direction: how it is turned, neither AUTO nor CUSTOM
 * @dst: where it lies on the screen
 *
 * Makes ready what lies over the frame at hand. Rectangles whose sequence number, alpha and place are those of the frame
 * before cost nothing. A rectangle's edges go to the nearest pixel of the screen, and it gets at least one; what would
 * lie outside @dst is cut. Honours global alpha and premultiplied flags.
 * Threads: one at a time.
 *
 * Returns: whether anything is to be seen
 */
gboolean gst_ba_overlay_prepare (GstBaOverlay *overlay, GstVideoOverlayComposition *composition,
                                 const GstVideoRectangle *crop, GstVideoOrientationMethod direction,
                                 const GstVideoRectangle *dst);

/** gst_ba_overlay_get_n_rectangles: how many rectangles are to be seen. */
guint gst_ba_overlay_get_n_rectangles (GstBaOverlay *overlay);

/** gst_ba_overlay_get_rectangle: rectangle number @n, in pixels of the screen, without transparent edges (@rect is out,
 * caller-allocates). */
void gst_ba_overlay_get_rectangle (GstBaOverlay *overlay, guint n, GstVideoRectangle *rect);

/** gst_ba_overlay_covers: whether any of the screen rows from @first_row on, @n_rows of them, has something over it that
 * is not transparent. */
gboolean gst_ba_overlay_covers (GstBaOverlay *overlay, gint first_row, gint n_rows);

/**
 * gst_ba_overlay_blend:
 * @overlay: (transfer none): a prepared overlay
 * @format: (transfer none): how the pixels at @rows lie in memory
 * @rows: (not nullable): rows in fast memory, read and written
 * @stride_bytes: from one to the next
 * @area: which part of the screen they are; x is a multiple of 8 where a pixel has one bit
 *
 * Lays what is over @area onto @rows. Threads: one at a time.
 */
void gst_ba_overlay_blend (GstBaOverlay *overlay, const GstBaPageFormat *format, guint8 *rows, gint stride_bytes,
                           const GstVideoRectangle *area);

/** gst_ba_overlay_blend_rectangle: the same with rectangle number @n alone; the first is the lowest. */
void gst_ba_overlay_blend_rectangle (GstBaOverlay *overlay, guint n, const GstBaPageFormat *format, guint8 *rows,
                                     gint stride_bytes, const GstVideoRectangle *area);

/**
 * gst_ba_overlay_get_span:
 * @overlay: (transfer none): a prepared overlay
 * @n: a rectangle
 * @row: a row of the screen
 * @x_px: (out): the first pixel of @row that @n changes
 * @n_px: (out): pixels from there to the last one
 *
 * Returns: whether @n changes any pixel of @row
 */
gboolean gst_ba_overlay_get_span (GstBaOverlay *overlay, guint n, gint row, gint *x_px, gint *n_px);

/**
 * gst_ba_overlay_get_band:
 * @overlay: (transfer none): an overlay
 * @size_bytes: how much
 *
 * Memory for rows to blend onto, the same for each call until more is asked for. It belongs to @overlay.
 *
 * Returns: (transfer none) (nullable): NULL where memory ran out
 */
guint8 *gst_ba_overlay_get_band (GstBaOverlay *overlay, gsize size_bytes);

G_END_DECLS
