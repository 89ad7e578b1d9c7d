/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbaconvert-read.c: picture rows of every input format.
 *
 * A reader takes the chroma sample that belongs to a pixel (nearest, no interpolation), whatever the first pixel is.
 * Pixels of 32 and 16 bits are handled as little endian numbers with a shift for each channel; channels of 5 and 6 bits
 * are widened by repeating their bits. Alpha is straight and is blended on black.
 */

#include "gstbaconvert-private.h"

typedef struct
{
  GstVideoFormat format;
  GstBaReadRow read; /* NULL: gray */
  GstBaRowLayout layout;
} YuvFormat;

GST_BA_INLINE guint32
load16 (const guint8 *p)
{
  guint16 v;

  memcpy (&v, p, sizeof (v));
  return GUINT16_FROM_LE (v);
}

GST_BA_INLINE guint32
pack (guint32 r, guint32 g, guint32 b)
{
  return b | g << 8 | r << 16 | 0xff000000u;
}

GST_BA_INLINE const guint8 *
row_of (const GstVideoFrame *frame, guint plane, gint y_px)
{
  return (const guint8 *) GST_VIDEO_FRAME_PLANE_DATA (frame, plane)
         + (gssize) y_px * GST_VIDEO_FRAME_PLANE_STRIDE (frame, plane);
}

/* A pair of pixels that starts at an odd one: @row begins one pixel early; that pixel is thrown away. */
static void
convert_row (const GstBaReader *reader, const GstBaRow *row, gboolean odd, gint width_px, guint8 *dst)
{
  static const struct
  {
    guint8 y, u, v;
  } pair_bytes[GST_BA_N_ROW_LAYOUTS] = {
    [GST_BA_ROW_PLANAR_2] = { 2, 1, 1 },   [GST_BA_ROW_PLANAR_1] = { 2, 2, 2 }, [GST_BA_ROW_UV_2] = { 2, 2, 0 },
    [GST_BA_ROW_VU_2] = { 2, 2, 0 },       [GST_BA_ROW_YUYV_2] = { 4, 0, 0 },   [GST_BA_ROW_UYVY_2] = { 4, 0, 0 },
    [GST_BA_ROW_PLANAR10_2] = { 4, 2, 2 }, [GST_BA_ROW_UV10_2] = { 4, 4, 0 },
  };
  guint8 pair[8];
  GstBaRow rest = *row;

  if (!odd) {
    gst_ba_yuv_row (reader->kernel, &reader->factors, reader->layout, row, dst, width_px);
    return;
  }

  gst_ba_yuv_kernel_c (&reader->factors, reader->layout, row, pair, 0, 2);
  memcpy (dst, pair + 4, 4);
  if (width_px == 1)
    return;

  rest.y += pair_bytes[reader->layout].y;
  rest.u += pair_bytes[reader->layout].u;
  rest.v += pair_bytes[reader->layout].v;
  gst_ba_yuv_row (reader->kernel, &reader->factors, reader->layout, &rest, dst + 4, width_px - 1);
}

static void
read_planar (const GstBaReader *reader, const GstVideoFrame *frame, gint x_px, gint y_px, gint width_px, guint8 *dst)
{
  const gint y_chroma = y_px >> reader->y_shift;
  const gboolean halved = reader->layout != GST_BA_ROW_PLANAR_1;
  const gboolean odd = halved && (x_px & 1);
  const gsize sample_bytes = reader->layout == GST_BA_ROW_PLANAR10_2 ? 2 : 1;
  const gsize y_offset = (gsize) (x_px - (odd ? 1 : 0)) * sample_bytes;
  const gsize chroma_offset = (gsize) (halved ? x_px / 2 : x_px) * sample_bytes;
  const GstBaRow row = {
    (const guint8 *) GST_VIDEO_FRAME_COMP_DATA (frame, 0) + (gssize) y_px * GST_VIDEO_FRAME_COMP_STRIDE (frame, 0)
        + y_offset,
    (const guint8 *) GST_VIDEO_FRAME_COMP_DATA (frame, 1) + (gssize) y_chroma * GST_VIDEO_FRAME_COMP_STRIDE (frame, 1)
        + chroma_offset,
    (const guint8 *) GST_VIDEO_FRAME_COMP_DATA (frame, 2) + (gssize) y_chroma * GST_VIDEO_FRAME_COMP_STRIDE (frame, 2)
        + chroma_offset,
  };

  convert_row (reader, &row, odd, width_px, dst);
}

static void
read_pairs (const GstBaReader *reader, const GstVideoFrame *frame, gint x_px, gint y_px, gint width_px, guint8 *dst)
{
  const gboolean odd = x_px & 1;
  const gsize sample_bytes = reader->layout == GST_BA_ROW_UV10_2 ? 2 : 1;
  const gsize offset = (gsize) (x_px - (odd ? 1 : 0)) * sample_bytes;
  const guint8 *pairs = row_of (frame, 1, y_px >> reader->y_shift) + offset;
  const GstBaRow row = { row_of (frame, 0, y_px) + offset, pairs, pairs };

  convert_row (reader, &row, odd, width_px, dst);
}

static void
read_packed (const GstBaReader *reader, const GstVideoFrame *frame, gint x_px, gint y_px, gint width_px, guint8 *dst)
{
  const gboolean odd = x_px & 1;
  const guint8 *src = row_of (frame, 0, y_px) + 2 * (gsize) (x_px - (odd ? 1 : 0));
  const GstBaRow row = { src, src, src };

  convert_row (reader, &row, odd, width_px, dst);
}

/* what the kernels make of it with neutral chroma */
GST_BA_INLINE void
read_gray_inline (const GstBaReader *reader, const GstVideoFrame *frame, gint x_px, gint y_px, gint width_px,
                  guint8 *dst)
{
  const guint8 *src = row_of (frame, 0, y_px) + x_px;
  const gint gain = reader->factors.y_gain, bias = reader->factors.bias;
  gint i;

  for (i = 0; i < width_px; i++) {
    const gint value = ((src[i] << 8) * gain >> 16) + bias;
    const guint32 gray = (guint32) CLAMP (value >> 5, 0, 255);

    gst_ba_store32 (dst + 4 * (gsize) i, gray * 0x010101u | 0xff000000u);
  }
}

GST_BA_INLINE void
read_rgb32_inline (const GstBaReader *reader, const GstVideoFrame *frame, gint x_px, gint y_px, gint width_px,
                   guint8 *dst)
{
  const guint8 *src = row_of (frame, 0, y_px) + 4 * (gsize) x_px;
  const guint rs = reader->r_shift, gs = reader->g_shift, bs = reader->b_shift;
  gint i;

  for (i = 0; i < width_px; i++) {
    const guint32 p = gst_ba_load32 (src + 4 * (gsize) i);

    gst_ba_store32 (dst + 4 * (gsize) i, pack (p >> rs & 255, p >> gs & 255, p >> bs & 255));
  }
}

/* c × a / 255, rounded, exact, for two channels 16 bits apart: t + t / 256 is at most 65407 */
GST_BA_INLINE guint32
blend_on_black (guint32 pair, guint32 a)
{
  const guint32 t = pair * a + 0x00800080;

  return (t + (t >> 8 & 0x00ff00ff)) >> 8 & 0x00ff00ff;
}

GST_BA_INLINE void
read_rgba32_inline (const GstBaReader *reader, const GstVideoFrame *frame, gint x_px, gint y_px, gint width_px,
                    guint8 *dst)
{
  const guint8 *src = row_of (frame, 0, y_px) + 4 * (gsize) x_px;
  const guint rs = reader->r_shift, gs = reader->g_shift, bs = reader->b_shift, as = reader->a_shift;
  gint i;

  for (i = 0; i < width_px; i++) {
    const guint32 p = gst_ba_load32 (src + 4 * (gsize) i), a = p >> as & 255;
    const guint32 rb = blend_on_black ((p >> rs & 255) << 16 | (p >> bs & 255), a);
    const guint32 g = blend_on_black (p >> gs & 255, a);

    gst_ba_store32 (dst + 4 * (gsize) i, rb | g << 8 | 0xff000000u);
  }
}

static void
read_rgb24 (const GstBaReader *reader, const GstVideoFrame *frame, gint x_px, gint y_px, gint width_px, guint8 *dst)
{
  const guint8 *src = row_of (frame, 0, y_px) + 3 * (gsize) x_px;

  gst_ba_row_from_24 (src, dst, width_px, reader->r_shift == 0);
}

GST_BA_INLINE void
read_rgb16_inline (const GstBaReader *reader, const GstVideoFrame *frame, gint x_px, gint y_px, gint width_px,
                   guint8 *dst)
{
  const guint8 *src = row_of (frame, 0, y_px) + 2 * (gsize) x_px;
  const guint rs = reader->r_shift, gs = reader->g_shift, bs = reader->b_shift;
  const guint g_up = reader->green6 ? 2 : 3, g_down = reader->green6 ? 4 : 2, g_mask = reader->green6 ? 63 : 31;
  gint i;

  for (i = 0; i < width_px; i++) {
    const guint32 p = load16 (src + 2 * (gsize) i);
    const guint32 r = p >> rs & 31, g = p >> gs & g_mask, b = p >> bs & 31;

    gst_ba_store32 (dst + 4 * (gsize) i, pack (r << 3 | r >> 2, g << g_up | g >> g_down, b << 3 | b >> 2));
  }
}

#define READER(name)                                                                                                   \
  GST_BA_VARIANTS (                                                                                                    \
      name, (const GstBaReader *reader, const GstVideoFrame *frame, gint x_px, gint y_px, gint width_px, guint8 *dst), \
      (reader, frame, x_px, y_px, width_px, dst))

READER (read_gray)
READER (read_rgb32)
READER (read_rgba32)
READER (read_rgb16)

static const YuvFormat yuv_formats[] = {
  { GST_VIDEO_FORMAT_I420, read_planar, GST_BA_ROW_PLANAR_2 },
  { GST_VIDEO_FORMAT_YV12, read_planar, GST_BA_ROW_PLANAR_2 },
  { GST_VIDEO_FORMAT_Y42B, read_planar, GST_BA_ROW_PLANAR_2 },
  { GST_VIDEO_FORMAT_Y444, read_planar, GST_BA_ROW_PLANAR_1 },
  { GST_VIDEO_FORMAT_I420_10LE, read_planar, GST_BA_ROW_PLANAR10_2 },
  { GST_VIDEO_FORMAT_NV12, read_pairs, GST_BA_ROW_UV_2 },
  { GST_VIDEO_FORMAT_NV21, read_pairs, GST_BA_ROW_VU_2 },
  { GST_VIDEO_FORMAT_NV16, read_pairs, GST_BA_ROW_UV_2 },
  { GST_VIDEO_FORMAT_NV61, read_pairs, GST_BA_ROW_VU_2 },
  { GST_VIDEO_FORMAT_P010_10LE, read_pairs, GST_BA_ROW_UV10_2 },
  { GST_VIDEO_FORMAT_YUY2, read_packed, GST_BA_ROW_YUYV_2 },
  { GST_VIDEO_FORMAT_UYVY, read_packed, GST_BA_ROW_UYVY_2 },
  { GST_VIDEO_FORMAT_GRAY8, NULL, GST_BA_ROW_PLANAR_1 },
};

static const GstBaRgbFormat rgb_formats[] = {
  { GST_VIDEO_FORMAT_BGRx, 4, 16, 8, 0, 24, FALSE }, { GST_VIDEO_FORMAT_RGBx, 4, 0, 8, 16, 24, FALSE },
  { GST_VIDEO_FORMAT_xRGB, 4, 8, 16, 24, 0, FALSE }, { GST_VIDEO_FORMAT_xBGR, 4, 24, 16, 8, 0, FALSE },
  { GST_VIDEO_FORMAT_BGRA, 4, 16, 8, 0, 24, TRUE },  { GST_VIDEO_FORMAT_RGBA, 4, 0, 8, 16, 24, TRUE },
  { GST_VIDEO_FORMAT_ARGB, 4, 8, 16, 24, 0, TRUE },  { GST_VIDEO_FORMAT_ABGR, 4, 24, 16, 8, 0, TRUE },
  { GST_VIDEO_FORMAT_RGB, 3, 0, 8, 16, 0, FALSE },   { GST_VIDEO_FORMAT_BGR, 3, 16, 8, 0, 0, FALSE },
  { GST_VIDEO_FORMAT_RGB16, 2, 11, 5, 0, 0, FALSE }, { GST_VIDEO_FORMAT_BGR16, 2, 0, 5, 11, 0, FALSE },
  { GST_VIDEO_FORMAT_RGB15, 2, 10, 5, 0, 0, FALSE }, { GST_VIDEO_FORMAT_BGR15, 2, 0, 5, 10, 0, FALSE },
};

static const YuvFormat *
find_yuv (GstVideoFormat format)
{
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (yuv_formats); i++)
    if (yuv_formats[i].format == format)
      return &yuv_formats[i];
  return NULL;
}

const GstBaRgbFormat *
gst_ba_rgb_format (GstVideoFormat format)
{
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (rgb_formats); i++)
    if (rgb_formats[i].format == format)
      return &rgb_formats[i];
  return NULL;
}

gboolean
gst_ba_rgb_format_has_green6 (GstVideoFormat format)
{
  return format == GST_VIDEO_FORMAT_RGB16 || format == GST_VIDEO_FORMAT_BGR16;
}

gboolean
gst_ba_reader_supports (GstVideoFormat format)
{
  return find_yuv (format) != NULL || gst_ba_rgb_format (format) != NULL;
}

gboolean
gst_ba_reader_init (GstBaReader *reader, const GstVideoInfo *info, gboolean gray_only)
{
  const GstVideoFormat format = GST_VIDEO_INFO_FORMAT (info);
  const YuvFormat *yuv = find_yuv (format);
  const GstBaRgbFormat *rgb = gst_ba_rgb_format (format);

  memset (reader, 0, sizeof (*reader));
  if (yuv != NULL) {
    const gboolean planes_of_8 = GST_VIDEO_INFO_COMP_DEPTH (info, 0) == 8 && yuv->read != read_packed;

    reader->layout = yuv->layout;
    reader->kernel = gst_ba_yuv_best_kernel ();
    gst_ba_yuv_factors_init (&reader->factors, info);
    if (GST_VIDEO_INFO_IS_GRAY (info) || (gray_only && planes_of_8)) {
      reader->read = GST_BA_PICK (read_gray);
    } else {
      reader->read = yuv->read;
      reader->y_shift = (guint8) GST_VIDEO_FORMAT_INFO_H_SUB (info->finfo, 1);
    }
    return TRUE;
  }
  if (rgb == NULL)
    return FALSE;

  if (rgb->pixel_bytes == 4)
    reader->read = rgb->alpha ? GST_BA_PICK (read_rgba32) : GST_BA_PICK (read_rgb32);
  else
    reader->read = rgb->pixel_bytes == 3 ? read_rgb24 : GST_BA_PICK (read_rgb16);
  reader->r_shift = rgb->r_shift;
  reader->g_shift = rgb->g_shift;
  reader->b_shift = rgb->b_shift;
  reader->a_shift = rgb->a_shift;
  reader->green6 = gst_ba_rgb_format_has_green6 (format);
  return TRUE;
}
