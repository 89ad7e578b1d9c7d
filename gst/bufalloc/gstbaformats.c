/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbaformats.c: GStreamer's and FFmpeg's names for the same bytes, in one table for both directions.
 *
 * The first row that matches wins, so that the plain name comes before its aliases (yuvj: the same bytes, full range,
 * which is said in the colorimetry). Formats with a palette and those that are no memory have no row.
 */
#include <gst/bufalloc/gstbaavframe.h>

#include <libavutil/pixfmt.h>

typedef struct
{
  GstVideoFormat format;
  enum AVPixelFormat pix_fmt;
} FormatRow;

#define ROW(format, pix_fmt)                                                                                           \
  {                                                                                                                    \
    GST_VIDEO_FORMAT_##format, AV_PIX_FMT_##pix_fmt                                                                    \
  }

static const FormatRow rows[] = {
  ROW (I420, YUV420P),
  ROW (I420, YUVJ420P),
  ROW (Y42B, YUV422P),
  ROW (Y42B, YUVJ422P),
  ROW (Y444, YUV444P),
  ROW (Y444, YUVJ444P),
  ROW (Y41B, YUV411P),
  ROW (Y41B, YUVJ411P),
  ROW (YUV9, YUV410P),
  ROW (A420, YUVA420P),
  ROW (NV12, NV12),
  ROW (NV21, NV21),
  ROW (NV16, NV16),
  ROW (NV24, NV24),
  ROW (YUY2, YUYV422),
  ROW (UYVY, UYVY422),
  ROW (YVYU, YVYU422),
  ROW (Y210, Y210LE),
  ROW (AYUV64, AYUV64),
  ROW (GRAY8, GRAY8),
  ROW (GRAY16_LE, GRAY16LE),
  ROW (GRAY16_BE, GRAY16BE),
  ROW (I420_10LE, YUV420P10LE),
  ROW (I420_10BE, YUV420P10BE),
  ROW (I420_12LE, YUV420P12LE),
  ROW (I420_12BE, YUV420P12BE),
  ROW (I422_10LE, YUV422P10LE),
  ROW (I422_10BE, YUV422P10BE),
  ROW (I422_12LE, YUV422P12LE),
  ROW (I422_12BE, YUV422P12BE),
  ROW (Y444_10LE, YUV444P10LE),
  ROW (Y444_10BE, YUV444P10BE),
  ROW (Y444_12LE, YUV444P12LE),
  ROW (Y444_12BE, YUV444P12BE),
  ROW (Y444_16LE, YUV444P16LE),
  ROW (Y444_16BE, YUV444P16BE),
  ROW (A420_10LE, YUVA420P10LE),
  ROW (A420_10BE, YUVA420P10BE),
  ROW (A422_10LE, YUVA422P10LE),
  ROW (A422_10BE, YUVA422P10BE),
  ROW (A444_10LE, YUVA444P10LE),
  ROW (A444_10BE, YUVA444P10BE),
  ROW (P010_10LE, P010LE),
  ROW (P010_10BE, P010BE),
  ROW (P016_LE, P016LE),
  ROW (P016_BE, P016BE),
  ROW (RGB, RGB24),
  ROW (BGR, BGR24),
  ROW (RGBx, RGB0),
  ROW (BGRx, BGR0),
  ROW (xRGB, 0RGB),
  ROW (xBGR, 0BGR),
  ROW (RGBA, RGBA),
  ROW (BGRA, BGRA),
  ROW (ARGB, ARGB),
  ROW (ABGR, ABGR),
  ROW (RGBA64_LE, RGBA64LE),
  ROW (RGBA64_BE, RGBA64BE),
  ROW (BGRA64_LE, BGRA64LE),
  ROW (BGRA64_BE, BGRA64BE),
  ROW (GBR, GBRP),
  ROW (GBRA, GBRAP),
  ROW (GBR_10LE, GBRP10LE),
  ROW (GBR_10BE, GBRP10BE),
  ROW (GBR_12LE, GBRP12LE),
  ROW (GBR_12BE, GBRP12BE),
  ROW (GBRA_10LE, GBRAP10LE),
  ROW (GBRA_10BE, GBRAP10BE),
  ROW (GBRA_12LE, GBRAP12LE),
  ROW (GBRA_12BE, GBRAP12BE),
  /* One word a pixel, in the byte order of this machine on both sides. */
  ROW (RGB16, RGB565),
  ROW (BGR16, BGR565),
  ROW (RGB15, RGB555),
  ROW (BGR15, BGR555),
};

GstVideoFormat
gst_ba_format_from_av (gint pix_fmt)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    if ((gint) rows[i].pix_fmt == pix_fmt)
      return rows[i].format;
  }
  return GST_VIDEO_FORMAT_UNKNOWN;
}

gint
gst_ba_format_to_av (GstVideoFormat format)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    if (rows[i].format == format)
      return (gint) rows[i].pix_fmt;
  }
  return AV_PIX_FMT_NONE;
}
