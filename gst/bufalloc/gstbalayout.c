/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstbalayout.c: the only table between GStreamer's formats and DRM's, and between their ways to say strides. */
#include "gstbalayout.h"

/* DRM names a little-endian word from its high bits down, GStreamer the bytes in memory from the first one on. */
static const struct
{
  guint32 fourcc;
  GstVideoFormat format;
} formats[] = {
  {BA_FOURCC ('X', 'R', '2', '4'), GST_VIDEO_FORMAT_BGRx},
  {BA_FOURCC ('X', 'B', '2', '4'), GST_VIDEO_FORMAT_RGBx},
  {BA_FOURCC ('B', 'X', '2', '4'), GST_VIDEO_FORMAT_xRGB},
  {BA_FOURCC ('R', 'X', '2', '4'), GST_VIDEO_FORMAT_xBGR},
  {BA_FOURCC ('A', 'R', '2', '4'), GST_VIDEO_FORMAT_BGRA},
  {BA_FOURCC ('A', 'B', '2', '4'), GST_VIDEO_FORMAT_RGBA},
  {BA_FOURCC ('B', 'A', '2', '4'), GST_VIDEO_FORMAT_ARGB},
  {BA_FOURCC ('R', 'A', '2', '4'), GST_VIDEO_FORMAT_ABGR},
  {BA_FOURCC ('R', 'G', '2', '4'), GST_VIDEO_FORMAT_BGR},
  {BA_FOURCC ('B', 'G', '2', '4'), GST_VIDEO_FORMAT_RGB},
  {BA_FOURCC ('R', 'G', '1', '6'), GST_VIDEO_FORMAT_RGB16},
  {BA_FOURCC ('B', 'G', '1', '6'), GST_VIDEO_FORMAT_BGR16},
  {BA_FOURCC ('X', 'R', '1', '5'), GST_VIDEO_FORMAT_RGB15},
  {BA_FOURCC ('X', 'B', '1', '5'), GST_VIDEO_FORMAT_BGR15},
  {BA_FOURCC ('Y', 'U', '1', '2'), GST_VIDEO_FORMAT_I420},
  {BA_FOURCC ('Y', 'V', '1', '2'), GST_VIDEO_FORMAT_YV12},
  {BA_FOURCC ('N', 'V', '1', '2'), GST_VIDEO_FORMAT_NV12},
  {BA_FOURCC ('N', 'V', '2', '1'), GST_VIDEO_FORMAT_NV21},
  {BA_FOURCC ('Y', 'U', 'Y', 'V'), GST_VIDEO_FORMAT_YUY2},
  {BA_FOURCC ('U', 'Y', 'V', 'Y'), GST_VIDEO_FORMAT_UYVY},
  {BA_FOURCC ('N', 'V', '1', '6'), GST_VIDEO_FORMAT_NV16},
  {BA_FOURCC ('N', 'V', '6', '1'), GST_VIDEO_FORMAT_NV61},
  {BA_FOURCC ('Y', 'V', 'Y', 'U'), GST_VIDEO_FORMAT_YVYU},
  {BA_FOURCC ('Y', 'U', '1', '6'), GST_VIDEO_FORMAT_Y42B},
  {BA_FOURCC ('Y', 'U', '2', '4'), GST_VIDEO_FORMAT_Y444},
  {BA_FOURCC ('P', '0', '1', '0'), GST_VIDEO_FORMAT_P010_10LE},
  {BA_FOURCC ('R', '8', ' ', ' '), GST_VIDEO_FORMAT_GRAY8},
};

GstVideoFormat
gst_ba_fourcc_to_format (guint32 fourcc)
{
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    if (formats[i].fourcc == fourcc)
      return formats[i].format;
  }
  return GST_VIDEO_FORMAT_UNKNOWN;
}

guint32
gst_ba_fourcc_from_format (GstVideoFormat format)
{
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    if (formats[i].format == format)
      return formats[i].fourcc;
  }
  return 0;
}

void
gst_ba_layout_from_info (const GstVideoInfo * info, BaLayout * layout)
{
  *layout = (BaLayout) {
  .fourcc = gst_ba_fourcc_from_format (GST_VIDEO_INFO_FORMAT (info)),
      .width_px = GST_VIDEO_INFO_WIDTH (info),
      .height_px = GST_VIDEO_INFO_HEIGHT (info),
      .n_planes = GST_VIDEO_INFO_N_PLANES (info),
  };
  for (guint i = 0; i < layout->n_planes; i++) {
    layout->offset_bytes[i] = GST_VIDEO_INFO_PLANE_OFFSET (info, i);
    layout->stride_bytes[i] = GST_VIDEO_INFO_PLANE_STRIDE (info, i);
  }
}
