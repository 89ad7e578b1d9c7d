/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbaconvert.h: one picture from its format and size into a rectangle of a page, in one pass.
 *
 * Knows pixels only: no device, no pool, no negotiation. Pages are written in order, whole rows, and never read. The
 * only temporary is a band of rows that stays in the cache; it belongs to the GstBaConvert and is made once.
 */
#pragma once

#include <gst/video/video.h>

G_BEGIN_DECLS

typedef struct _GstBaConvert GstBaConvert;

/**
 * gst_ba_convert_supports:
 * @in: a format of system memory
 * @out: a format of a page
 *
 * Returns: whether gst_ba_convert_new() takes the pair
 */
gboolean gst_ba_convert_supports (GstVideoFormat in, GstVideoFormat out);

/**
 * gst_ba_convert_new:
 * @in_info: (transfer none): format, size and colorimetry of the input
 * @crop: the part of the input to show, in pixels of the input; inside it
 * @out_format: the page's format
 * @width_px: width of the rectangle to fill, at least 1
 * @height_px: its height, at least 1
 *
 * Prepares a conversion. Where @width_px × @height_px differs from @crop's size the picture is scaled.
 * Threads: any.
 *
 * Returns: (transfer full) (nullable): the conversion, NULL where the formats are not supported or memory ran out
 */
GstBaConvert *gst_ba_convert_new (const GstVideoInfo *in_info, const GstVideoRectangle *crop, GstVideoFormat out_format,
                                  gint width_px, gint height_px);

/**
 * gst_ba_convert_frame:
 * @convert: (transfer none): a conversion
 * @in: (transfer none): a frame mapped for reading, of the format and size that @convert was made for; its strides
 *   and plane offsets may be any
 * @out: (not nullable): first pixel of the rectangle, in a page
 * @out_stride_bytes: from one row of the page to the next
 *
 * Converts one frame. Alpha is blended on black. Bytes of the page outside the rectangle are not touched.
 * Threads: one at a time.
 */
void gst_ba_convert_frame (GstBaConvert *convert, const GstVideoFrame *in, guint8 *out, gint out_stride_bytes);

/** gst_ba_convert_free: frees it (nullable). */
void gst_ba_convert_free (GstBaConvert *convert);

G_END_DECLS
