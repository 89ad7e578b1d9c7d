/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbaoverlay-private.h: one bitmap of an overlay, at the size and in the direction in which the screen shows it.
 *
 * Its pixels are premultiplied, bytes B G R A. A run is a stretch of one row that begins and ends with a pixel
 * that is not transparent; in it there may be a few that are, which are written as they were. What no run touches is
 * not.
 */
#pragma once

#include "gstbaconvert-private.h"
#include "gstbaoverlay.h"

G_BEGIN_DECLS

/* Pixels from @x_px on, counted from the bitmap's left edge. */
typedef struct
{
  gint x_px;
  gint n_px;
  gboolean opaque; /* all of them: what is below need not be known */
} GstBaOverlayRun;

typedef struct
{
  GstVideoRectangle area; /* of the screen, what @pixels holds */
  GstVideoRectangle seen; /* the smallest rectangle of the screen with all runs; empty where there are none */
  guint8 *pixels;
  GstBaOverlayRun *runs;
  guint *first_run; /* of row y; first_run[area.h] is their number */
} GstBaOverlayBitmap;

/* Where the bitmap lies on the screen, before it is cut: edges, because it may be far larger than any screen. */
typedef struct
{
  gint64 left, top, right, bottom;
} GstBaOverlayPlace;

/* A direction as what leads from a pixel of the screen back to one of the bitmap: first the axes change places, if
 * @transposed; then the bitmap's columns or rows are counted from the other end. */
typedef struct
{
  gboolean transposed, from_right, from_bottom;
} GstBaOverlayTurn;

/* gstbaoverlay-bitmap.c: brings @pixels (GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB, straight alpha unless @premultiplied)
 * to @area, a part of @place that is not empty. FALSE: there is no memory, or no sense in the sizes; @bitmap is empty
 * then. */
gboolean gst_ba_overlay_bitmap_init (GstBaOverlayBitmap *bitmap, const guint8 *pixels, gint stride_bytes, gint width_px,
                                     gint height_px, gboolean premultiplied, gfloat alpha, const GstBaOverlayTurn *turn,
                                     const GstBaOverlayPlace *place, const GstVideoRectangle *area);
void gst_ba_overlay_bitmap_clear (GstBaOverlayBitmap *bitmap);

/* gstbaoverlay-blend.c: as gst_ba_overlay_blend(), one bitmap; @format is one that gst_ba_writer_supports(). */
void gst_ba_overlay_bitmap_blend (const GstBaOverlayBitmap *bitmap, const GstBaPageFormat *format, guint8 *rows,
                                  gint stride_bytes, const GstVideoRectangle *area);

G_END_DECLS
