/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbapaint.c: frame, overlay and damage together make what is written to a page.
 *
 * A band is a few rows, small enough to be in the cache still when they go on to the page. Pages may be slow to read by
 * a factor of a hundred: only gst_ba_paint_over() does it, and of a row only what lies between the first pixel that
 * changes and the last.
 */

#include "gstbapaint-private.h"

#define BAND_BYTES 16384

static guint64
paint_whole (const GstBaPaintJob *job, guint8 *out, gsize row_bytes)
{
  gst_ba_convert_frame (job->convert, job->frame, out, job->stride_bytes);
  return (guint64) row_bytes * (guint64) job->dst.h;
}

/* Rows @first to before @first + @n of the rectangle, by way of @band. */
static guint64
paint_band (const GstBaPaintJob *job, GstBaOverlay *overlay, GstBaDamage *damage, gint first, gint n, guint8 *band,
            gint band_stride_bytes, guint8 *out, gsize row_bytes)
{
  const GstVideoRectangle area = { job->dst.x, job->dst.y + first, job->dst.w, n };
  guint64 written_bytes = 0;
  gint y;

  gst_ba_convert_rows (job->convert, job->frame, first, n, band, band_stride_bytes);
  if (overlay != NULL)
    gst_ba_overlay_blend (overlay, &job->format, band, band_stride_bytes, &area);
  for (y = 0; y < n; y++) {
    const guint8 *row = band + (gssize) y * band_stride_bytes;

    if (damage != NULL && !gst_ba_damage_take_row (damage, area.y + y, row))
      continue;
    memcpy (out + (gssize) (first + y) * job->stride_bytes, row, row_bytes);
    written_bytes += row_bytes;
  }
  return written_bytes;
}

guint64
gst_ba_paint (const GstBaPaintJob *job)
{
  GstBaOverlay *overlay;
  GstBaDamage *damage;
  gsize row_bytes, first_byte, band_stride_bytes;
  guint64 written_bytes = 0;
  guint8 *out, *band;
  gint y, n, band_rows;

  g_return_val_if_fail (job != NULL && job->convert != NULL && job->frame != NULL && job->page != NULL, 0);
  g_return_val_if_fail (job->dst.x >= 0 && job->dst.y >= 0 && job->dst.w >= 1 && job->dst.h >= 1, 0);
  g_return_val_if_fail (job->format.mono == GST_BA_MONO_NONE || job->dst.x % 8 == 0, 0);

  row_bytes = gst_ba_convert_get_row_bytes (&job->format, job->dst.w);
  first_byte = gst_ba_convert_get_row_bytes (&job->format, job->dst.x);
  out = job->page + (gssize) job->dst.y * job->stride_bytes + first_byte;

  overlay = job->overlay;
  if (overlay != NULL && !gst_ba_overlay_covers (overlay, job->dst.y, job->dst.h))
    overlay = NULL;
  damage = job->damage;
  if (damage != NULL && !gst_ba_damage_begin (damage, job->page_number, first_byte, row_bytes, job->dst.y, job->dst.h))
    damage = NULL;
  if (overlay == NULL && damage == NULL)
    return paint_whole (job, out, row_bytes);

  band_stride_bytes = GST_ROUND_UP_64 (row_bytes);
  band_rows = (gint) CLAMP (BAND_BYTES / band_stride_bytes, 1, (gsize) job->dst.h);
  if (damage != NULL)
    band = gst_ba_damage_get_band (damage, band_stride_bytes * (gsize) band_rows);
  else
    band = gst_ba_overlay_get_band (overlay, band_stride_bytes * (gsize) band_rows);
  if (band == NULL) {
    /* a frame without what lies over it is better than none */
    if (damage != NULL)
      gst_ba_damage_forget_page (damage, job->page_number);
    return paint_whole (job, out, row_bytes);
  }

  for (y = 0; y < job->dst.h; y += n) {
    n = MIN (band_rows, job->dst.h - y);
    if (damage != NULL || gst_ba_overlay_covers (overlay, job->dst.y + y, n)) {
      written_bytes += paint_band (job, overlay, damage, y, n, band, (gint) band_stride_bytes, out, row_bytes);
    } else {
      gst_ba_convert_rows (job->convert, job->frame, y, n, out + (gssize) y * job->stride_bytes, job->stride_bytes);
      written_bytes += (guint64) row_bytes * (guint64) n;
    }
  }
  return written_bytes;
}

guint64
gst_ba_paint_over (GstBaOverlay *overlay, const GstBaPageFormat *format, guint8 *page, gint stride_bytes)
{
  guint64 written_bytes = 0;
  guint n, i;

  g_return_val_if_fail (overlay != NULL && format != NULL && page != NULL, 0);

  n = gst_ba_overlay_get_n_rectangles (overlay);
  for (i = 0; i < n; i++) {
    GstVideoRectangle rect, part;
    guint8 *line;

    gst_ba_overlay_get_rectangle (overlay, i, &rect);
    /* where bits begin in the middle of a byte, 7 more */
    line = gst_ba_overlay_get_band (overlay, gst_ba_convert_get_row_bytes (format, rect.w + 7));
    if (line == NULL)
      continue;
    for (part = rect, part.h = 1; part.y < rect.y + rect.h; part.y++) {
      guint8 *out;
      gsize bytes;

      if (!gst_ba_overlay_get_span (overlay, i, part.y, &part.x, &part.w))
        continue;
      if (format->mono != GST_BA_MONO_NONE) {
        part.w += part.x % 8;
        part.x -= part.x % 8;
      }
      bytes = gst_ba_convert_get_row_bytes (format, part.w);
      out = page + (gssize) part.y * stride_bytes + gst_ba_convert_get_row_bytes (format, part.x);
      memcpy (line, out, bytes);
      gst_ba_overlay_blend_rectangle (overlay, i, format, line, (gint) bytes, &part);
      memcpy (out, line, bytes);
      written_bytes += bytes;
    }
  }
  return written_bytes;
}

guint64
gst_ba_paint_around (const GstBaPageFormat *format, guint8 *page, gint stride_bytes, gint width_px, gint height_px,
                     const GstVideoRectangle *rect)
{
  gsize row_bytes, left_bytes, right_byte;
  guint64 written_bytes = 0;
  gint y, black;

  g_return_val_if_fail (format != NULL && page != NULL && rect != NULL, 0);

  row_bytes = gst_ba_convert_get_row_bytes (format, width_px);
  left_bytes = gst_ba_convert_get_row_bytes (format, rect->x);
  right_byte = gst_ba_convert_get_row_bytes (format, rect->x + rect->w);
  black = format->mono == GST_BA_MONO_ONE_IS_BLACK ? 0xff : 0;
  for (y = 0; y < height_px; y++) {
    guint8 *row = page + (gssize) y * stride_bytes;

    if (y < rect->y || y >= rect->y + rect->h) {
      memset (row, black, row_bytes);
      written_bytes += row_bytes;
    } else {
      memset (row, black, left_bytes);
      memset (row + right_byte, black, row_bytes - right_byte);
      written_bytes += left_bytes + row_bytes - right_byte;
    }
  }
  return written_bytes;
}
