/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstavzerodec-decide.c: whether a codec can decode a picture into pages of the screen, or into memory that the screen
 * shows too. Nothing but arithmetic on what gstavzerodec-direct.c found out.
 */
#include "gstavzerodec-private.h"

/* Pages that must be left when the codec holds all it wants: on screen, waiting for its flip, being written. */
#define PAGES_BESIDES_CODEC 3

/* What a codec that predicts from earlier frames needs to read from them. */
#define FAST_READ_MBPS 1000.0

gboolean
gst_av_zero_refuse (gchar reason[GST_AV_ZERO_REASON_BYTES], const gchar *format, ...)
{
  va_list args;
  va_start (args, format);
  g_vsnprintf (reason, GST_AV_ZERO_REASON_BYTES, format, args);
  va_end (args);
  return FALSE;
}

gboolean
gst_av_zero_direct_check_codec (const GstAvZeroDirectQuestion *q, gchar reason[GST_AV_ZERO_REASON_BYTES])
{
  if (q->mode == GST_AV_ZERO_DIRECT_NEVER)
    return gst_av_zero_refuse (reason, "direct-rendering=never");
  if (q->format != q->page_format)
    return gst_av_zero_refuse (reason, "the stream is %s, the pages of the screen are %s",
                               gst_video_format_to_string (q->format), gst_video_format_to_string (q->page_format));
  if (!q->has_dr1)
    return gst_av_zero_refuse (reason, "the codec does not decode into memory of others");
  if (q->flags & GST_AV_ZERO_REWRITES)
    return gst_av_zero_refuse (reason, "the codec writes again into frames that may be on screen");
  if (q->frame_threads)
    return gst_av_zero_refuse (reason, "frame threads hold too many pages: see thread-type and direct-rendering");
  if (q->n_pages < q->frames_held + PAGES_BESIDES_CODEC)
    return gst_av_zero_refuse (reason, "the codec holds up to %u frames, which takes %u pages, and there are %u",
                               q->frames_held, q->frames_held + PAGES_BESIDES_CODEC, q->n_pages);
  if (q->mode == GST_AV_ZERO_DIRECT_AUTO && (q->flags & GST_AV_ZERO_READS_BACK) && !q->is_cached
      && q->read_mbps < FAST_READ_MBPS) {
    if (q->read_mbps <= 0.0)
      return gst_av_zero_refuse (reason, "the codec reads its frames back, and how fast pages read is not known");
    return gst_av_zero_refuse (reason, "the codec reads its frames back, and pages read with %.0f MB/s only",
                               q->read_mbps);
  }
  return TRUE;
}

/* Where plane @i ends in the page at the latest. */
static gsize
end_of_plane (const GstAvZeroDirectQuestion *q, guint n_planes, guint i)
{
  gsize end = q->page_bytes;
  for (guint k = 0; k < n_planes; k++) {
    if (q->plane_offset_bytes[k] > q->plane_offset_bytes[i])
      end = MIN (end, q->plane_offset_bytes[k]);
  }
  return end;
}

/* As check_layout() says, for each plane; here the page may have room that is not seen, below it and right of it. */
static gboolean
check_planes (const GstAvZeroDirectQuestion *q, const GstVideoFormatInfo *finfo, gchar reason[GST_AV_ZERO_REASON_BYTES])
{
  gint width = MAX (q->aligned_width_px, q->width_px), height = MAX (q->aligned_height_px, q->height_px);
  gint64 align = MAX (q->stride_align_bytes, 1);
  if (q->window.w != q->width_px || q->window.h != q->height_px)
    return gst_av_zero_refuse (reason, "the picture is %dx%d, its place on the screen %dx%d", q->width_px, q->height_px,
                               q->window.w, q->window.h);
  if ((width > q->width_px && q->window.x + q->window.w < q->page_width_px)
      || (height > q->height_px && q->window.y + q->window.h < q->page_height_px))
    return gst_av_zero_refuse (reason, "the codec may write %d columns and %d lines beside the picture",
                               width - q->width_px, height - q->height_px);
  for (guint i = 0; i < GST_VIDEO_FORMAT_INFO_N_PLANES (finfo); i++) {
    gint components[GST_VIDEO_MAX_COMPONENTS], stride = q->plane_stride_bytes[i];
    gst_video_format_info_component (finfo, i, components);
    gint c = components[0];
    gint64 left =
        (gint64) (q->window.x >> GST_VIDEO_FORMAT_INFO_W_SUB (finfo, c)) * GST_VIDEO_FORMAT_INFO_PSTRIDE (finfo, c);
    gint64 top = q->window.y >> GST_VIDEO_FORMAT_INFO_H_SUB (finfo, c);
    gint64 row = (gint64) GST_VIDEO_SUB_SCALE (GST_VIDEO_FORMAT_INFO_W_SUB (finfo, c), width)
                 * GST_VIDEO_FORMAT_INFO_PSTRIDE (finfo, c);
    gint64 rows = GST_VIDEO_SUB_SCALE (GST_VIDEO_FORMAT_INFO_H_SUB (finfo, c), height);
    gint64 start = (gint64) q->plane_offset_bytes[i] + top * stride + left;
    if (stride % align != 0 || start % align != 0)
      return gst_av_zero_refuse (reason,
                                 "rows of plane %u are %d bytes apart, from byte %" G_GINT64_FORMAT
                                 ": the codec wants multiples of %d",
                                 i, stride, start, (gint) align);
    if (left + (row + align - 1) / align * align > stride)
      return gst_av_zero_refuse (reason, "a row of the codec has %" G_GINT64_FORMAT " bytes, one of plane %u %d", row,
                                 i, stride);
    if (start + stride * (rows - 1) + row > (gint64) end_of_plane (q, GST_VIDEO_FORMAT_INFO_N_PLANES (finfo), i))
      return gst_av_zero_refuse (
          reason, "the codec wants %" G_GINT64_FORMAT " lines, which plane %u of a page does not have", rows, i);
  }
  return TRUE;
}

/* Decoders that predict go through an earlier frame with the strides of the present one. Any single frame may come to
 * be in libavcodec's own memory: so only pages that are laid out as that is. */
static gboolean
check_strides (const GstAvZeroDirectQuestion *q, guint n_planes, gchar reason[GST_AV_ZERO_REASON_BYTES])
{
  for (guint i = 0; i < n_planes && (q->flags & GST_AV_ZERO_READS_BACK); i++) {
    gint stride = n_planes == 1 ? q->page_stride_bytes : q->plane_stride_bytes[i];
    if (q->own_stride_bytes[i] != 0 && q->own_stride_bytes[i] != stride)
      return gst_av_zero_refuse (reason, "the codec reads its frames back, with rows %d bytes apart, not the page's %d",
                                 q->own_stride_bytes[i], stride);
  }
  return TRUE;
}

/*
 * libavcodec may write whole aligned rows and lines (avcodec_align_dimensions2). What lies right of or below the
 * picture must then be no visible part of the screen and no part of the next page. Of packed formats it reads and
 * writes nothing behind that, so the last page needs no guard behind it.
 */
static gboolean
check_layout (const GstAvZeroDirectQuestion *q, gchar reason[GST_AV_ZERO_REASON_BYTES])
{
  const GstVideoFormatInfo *finfo = gst_video_format_get_info (q->format);
  if (!check_strides (q, GST_VIDEO_FORMAT_INFO_N_PLANES (finfo), reason))
    return FALSE;
  if (GST_VIDEO_FORMAT_INFO_N_PLANES (finfo) != 1)
    return check_planes (q, finfo, reason);
  gint pixel_bytes = GST_VIDEO_FORMAT_INFO_PSTRIDE (finfo, 0);
  gint64 row_bytes = (gint64) q->width_px * pixel_bytes;
  gint64 align = MAX (q->stride_align_bytes, 1);
  gint64 written_row_bytes = (MAX ((gint64) q->aligned_width_px * pixel_bytes, row_bytes) + align - 1) / align * align;
  gint64 offset = (gint64) q->window.y * q->page_stride_bytes + (gint64) q->window.x * pixel_bytes;

  if (q->window.w != q->width_px || q->window.h != q->height_px)
    return gst_av_zero_refuse (reason, "the picture is %dx%d, its place on the screen %dx%d", q->width_px, q->height_px,
                               q->window.w, q->window.h);
  if (q->page_stride_bytes % align != 0)
    return gst_av_zero_refuse (reason, "rows of the page are %d bytes apart, the codec wants a multiple of %d",
                               q->page_stride_bytes, (gint) align);
  if (offset % align != 0)
    return gst_av_zero_refuse (
        reason, "the picture begins at byte %" G_GINT64_FORMAT " of a page, the codec wants a multiple of %d", offset,
        (gint) align);
  if (written_row_bytes > row_bytes && q->window.x + q->window.w < q->page_width_px)
    return gst_av_zero_refuse (reason, "the codec may write %" G_GINT64_FORMAT " bytes beyond the picture's right edge",
                               written_row_bytes - row_bytes);
  if ((gint64) q->window.x * pixel_bytes + written_row_bytes > q->page_stride_bytes)
    return gst_av_zero_refuse (reason, "a row of the codec has %" G_GINT64_FORMAT " bytes, one of the page %d",
                               written_row_bytes, q->page_stride_bytes);
  if (q->aligned_height_px > q->height_px && q->window.y + q->window.h < q->page_height_px)
    return gst_av_zero_refuse (reason, "the codec may write %d lines below the picture",
                               q->aligned_height_px - q->height_px);
  gint64 end =
      offset + (gint64) q->page_stride_bytes * (MAX (q->aligned_height_px, q->height_px) - 1) + written_row_bytes;
  if (end > (gint64) q->page_bytes)
    return gst_av_zero_refuse (reason, "the codec wants %d lines, which a page of %d lines does not have",
                               q->aligned_height_px, q->page_height_px);
  return TRUE;
}

gboolean
gst_av_zero_direct_decide (const GstAvZeroDirectQuestion *question, gchar reason[GST_AV_ZERO_REASON_BYTES])
{
  reason[0] = '\0';
  return gst_av_zero_direct_check_codec (question, reason) && check_layout (question, reason);
}
