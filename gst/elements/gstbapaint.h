/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbapaint.h: a frame, and what lies over it, into a page; whole, or the rows that changed only.
 *
 * Puts GstBaConvert and GstBaOverlay together. Where nothing lies over the frame and all rows are wanted the frame is
 * converted straight into the page; else band by band by way of a few rows in the cache. Pages are never read.
 */
#pragma once

#include "gstbaconvert.h"
#include "gstbaoverlay.h"

G_BEGIN_DECLS

/*
 * GstBaDamage: which rows of which page differ from the picture that was painted last. It keeps one copy of that picture
 * in ordinary memory, and for each page a mark per row: rows that changed since that page was painted.
 */
typedef struct _GstBaDamage GstBaDamage;

/**
 * gst_ba_damage_new:
 * @row_bytes: bytes of a screen row that are visible
 * @n_rows: rows of the screen
 * @n_pages: pages of the display
 *
 * Threads: any. Returns: (transfer full) (nullable): nothing painted yet; NULL where memory ran out
 */
GstBaDamage *gst_ba_damage_new (gsize row_bytes, gint n_rows, guint n_pages);

/** gst_ba_damage_free: frees it (nullable). */
void gst_ba_damage_free (GstBaDamage *damage);

/** gst_ba_damage_forget_page: something else was drawn on page @page: all of its rows are to be written again. */
void gst_ba_damage_forget_page (GstBaDamage *damage, guint page);

/**
 * GstBaPaintJob: one frame.
 * @convert: (transfer none): made for the frame and for @dst
 * @frame: (transfer none): mapped for reading
 * @overlay: (transfer none) (nullable): prepared for the frame; NULL = nothing lies over it
 * @damage: (transfer none) (nullable): write changed rows only; NULL = all rows
 * @format: the page's
 * @page: (not nullable): the screen's first visible pixel in the page
 * @page_number: which page it is, for @damage
 * @stride_bytes: from one row of the page to the next
 * @dst: where on the screen the frame lies
 */
typedef struct
{
  GstBaConvert *convert;
  const GstVideoFrame *frame;
  GstBaOverlay *overlay;
  GstBaDamage *damage;
  GstBaPageFormat format;
  guint8 *page;
  guint page_number;
  gint stride_bytes;
  GstVideoRectangle dst;
} GstBaPaintJob;

/**
 * gst_ba_paint:
 * @job: (transfer none): what to paint
 *
 * Threads: one at a time for each of the objects in @job.
 *
 * Returns: how many bytes of the page were written
 */
guint64 gst_ba_paint (const GstBaPaintJob *job);

/**
 * gst_ba_paint_over:
 * @overlay: (transfer none): prepared
 * @format: (transfer none): the page's
 * @page: (not nullable): the screen's first visible pixel in the page
 * @stride_bytes: from one row of the page to the next
 *
 * Blends @overlay onto a page that has its frame already: each rectangle is read into the cache once, row by row,
 * blended there and written back. For pages that read fast, or where a rectangle is small beside the frame.
 * Threads: the holder of the page.
 *
 * Returns: how many bytes of the page were written
 */
guint64 gst_ba_paint_over (GstBaOverlay *overlay, const GstBaPageFormat *format, guint8 *page, gint stride_bytes);

/**
 * gst_ba_paint_around:
 * @format: of the page
 * @page: its first byte
 * @stride_bytes: from one row of it to the next
 * @width_px: of the page
 * @height_px: of the page
 * @rect: inside the page; where it has one bit per pixel, x is a multiple of 8
 *
 * Makes black what is around @rect, and reads nothing. With one bit per pixel the bits behind the last pixel of a row
 * that share its byte stay as they are.
 *
 * Returns: bytes written
 */
guint64 gst_ba_paint_around (const GstBaPageFormat *format, guint8 *page, gint stride_bytes, gint width_px,
                             gint height_px, const GstVideoRectangle *rect);

G_END_DECLS
