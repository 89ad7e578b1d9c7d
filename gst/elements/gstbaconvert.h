/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbaconvert.h: one picture from its format, size and direction into a rectangle of a page, in one pass.
 *
 * Knows pixels only: no device, no pool, no negotiation. Pages are written in order, whole rows, and never read. The
 * only temporaries are bands of rows that stay in the cache; they belong to the GstBaConvert and are made once.
 */
#pragma once

#include <gst/video/video.h>

G_BEGIN_DECLS

typedef struct _GstBaConvert GstBaConvert;

/** GstBaMono: whether a page has one bit per pixel (the first pixel of a byte is its highest bit), and what a 1 is. */
typedef enum
{
  GST_BA_MONO_NONE,
  GST_BA_MONO_ONE_IS_WHITE, /* DRM_FORMAT_R1, FB_VISUAL_MONO10 */
  GST_BA_MONO_ONE_IS_BLACK, /* DRM_FORMAT_D1, FB_VISUAL_MONO01 */
} GstBaMono;

/**
 * GstBaPageFormat: how the pixels of a page lie in memory.
 * @format: GStreamer's name; %GST_VIDEO_FORMAT_UNKNOWN for one bit per pixel, which has none
 * @mono: one bit per pixel, and what a 1 is
 */
typedef struct
{
  GstVideoFormat format;
  GstBaMono mono;
} GstBaPageFormat;

/**
 * GstBaConvertConfig: what a conversion is to do. Zero it, then set what matters.
 * @in_info: (transfer none): format, size and colorimetry of the input; only looked at by gst_ba_convert_new()
 * @crop: the part of the input to show, in pixels of the input; inside it
 * @direction: how the crop is turned: as for GstVideoDirection, neither AUTO nor CUSTOM
 * @out: the page's format
 * @x_px: column of the page where the rectangle begins; dither patterns depend on it. A multiple of 8 for one bit
 * @y_px: row of the page where the rectangle begins
 * @width_px: width of the rectangle to fill, at least 1; where it and @height_px differ from the turned crop's size the
 *   picture is scaled: bilinear, after a box filter where it shrinks to half or less
 * @height_px: its height, at least 1
 * @n_threads: threads that share the rows of a large picture (from half a million pixels on the page); 1 = the
 *   caller's only, 0 = one for each processor, up to 4
 */
typedef struct
{
  const GstVideoInfo *in_info;
  GstVideoRectangle crop;
  GstVideoOrientationMethod direction;
  GstBaPageFormat out;
  gint x_px;
  gint y_px;
  gint width_px;
  gint height_px;
  guint n_threads;
} GstBaConvertConfig;

/**
 * gst_ba_convert_supports:
 * @in: a format of system memory
 * @out: (transfer none): a format of a page
 *
 * Returns: whether gst_ba_convert_new() takes the pair
 */
gboolean gst_ba_convert_supports (GstVideoFormat in, const GstBaPageFormat *out);

/**
 * gst_ba_convert_new:
 * @config: (transfer none): what to do; copied
 *
 * Prepares a conversion. To pages of less than 8 bits per channel it dithers, with a fixed pattern that belongs to the
 * screen, so that pictures that do not change give bytes that do not change.
 * Threads: any.
 *
 * Returns: (transfer full) (nullable): the conversion, NULL where the formats are not supported or memory ran out
 */
GstBaConvert *gst_ba_convert_new (const GstBaConvertConfig *config);

/**
 * gst_ba_convert_frame:
 * @convert: (transfer none): a conversion
 * @in: (transfer none): a frame mapped for reading, of the format and size that @convert was made for; its strides
 *   and plane offsets may be any
 * @out: (not nullable): first pixel of the rectangle, in a page
 * @out_stride_bytes: from one row of the page to the next
 *
 * Converts one frame. Alpha is blended on black. Bytes of the page outside the rectangle are not touched; where a pixel
 * has one bit, the rest of the last byte of a row is made black.
 * Threads: one at a time.
 */
void gst_ba_convert_frame (GstBaConvert *convert, const GstVideoFrame *in, guint8 *out, gint out_stride_bytes);

/**
 * gst_ba_convert_rows:
 * @convert: (transfer none): a conversion
 * @in: (transfer none): as for gst_ba_convert_frame()
 * @first_row: row of the rectangle to begin with
 * @n_rows: rows to convert, at least 1
 * @out: (not nullable): where the first pixel of row @first_row goes
 * @out_stride_bytes: from one row to the next
 *
 * A part of gst_ba_convert_frame(), by the caller's thread alone: the same bytes, wherever the caller wants them (a
 * band in the cache, to blend something over it, or to see which rows changed). Cheapest in ascending order without
 * gaps: a call that begins where the last one ended, with @in at the same address, goes on with the same picture
 * and may use what was read for it. So a new picture begins at row 0, or anywhere but where the last call ended.
 * Threads: one at a time.
 */
void gst_ba_convert_rows (GstBaConvert *convert, const GstVideoFrame *in, gint first_row, gint n_rows, guint8 *out,
                          gint out_stride_bytes);

/**
 * gst_ba_convert_get_row_bytes:
 * @out: (transfer none): a format of a page
 * @width_px: pixels
 *
 * Returns: the bytes that @width_px pixels take
 */
gsize gst_ba_convert_get_row_bytes (const GstBaPageFormat *out, gint width_px);

/** gst_ba_convert_free: frees it (nullable). */
void gst_ba_convert_free (GstBaConvert *convert);

G_END_DECLS
