/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbaconvert-rows.c: readers make picture rows of every input format, writers make page rows of picture rows.
 *
 * A reader takes the chroma sample that belongs to a pixel (nearest, no interpolation), whatever the first pixel is.
 * Pixels of 32 and 16 bits are handled as little endian numbers with a shift for each channel. Alpha is straight and
 * is blended on black. Writers to 5 and 6 bits round; they do not dither.
 */

#include "gstbaconvert-private.h"

typedef struct
{
  GstVideoFormat format;
  GstBaReadRow read;
  GstBaRowLayout layout;
} YuvFormat;

typedef struct
{
  GstVideoFormat format;
  guint8 pixel_bytes;
  guint8 r_shift, g_shift, b_shift, a_shift;
  gboolean alpha;
} RgbFormat;

static inline guint32
load32 (const guint8 *p)
{
  guint32 v;

  memcpy (&v, p, sizeof (v));
  return GUINT32_FROM_LE (v);
}

static inline void
store32 (guint8 *p, guint32 v)
{
  v = GUINT32_TO_LE (v);
  memcpy (p, &v, sizeof (v));
}

static inline guint32
load16 (const guint8 *p)
{
  guint16 v;

  memcpy (&v, p, sizeof (v));
  return GUINT16_FROM_LE (v);
}

static inline void
store16 (guint8 *p, guint32 v)
{
  const guint16 le = GUINT16_TO_LE ((guint16) v);

  memcpy (p, &le, sizeof (le));
}

static inline guint32
pack (guint32 r, guint32 g, guint32 b)
{
  return b | g << 8 | r << 16 | 0xff000000u;
}

static inline const guint8 *
row_of (const GstVideoFrame *frame, guint plane, gint y_px)
{
  return (const guint8 *) GST_VIDEO_FRAME_PLANE_DATA (frame, plane)
         + (gssize) y_px * GST_VIDEO_FRAME_PLANE_STRIDE (frame, plane);
}

/* A pair of pixels that starts at an odd one: @row begins one pixel early; that pixel is thrown away. */
static void
convert_row (const GstBaReader *reader, const GstBaRow *row, gboolean odd, gint width_px, guint8 *dst)
{
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

  if (reader->layout == GST_BA_ROW_PLANAR10_2 || reader->layout == GST_BA_ROW_UV10_2) {
    rest.y += 4;
    rest.u += reader->layout == GST_BA_ROW_UV10_2 ? 4 : 2;
    rest.v += 2;
  } else {
    rest.y += 2;
    rest.u += reader->layout == GST_BA_ROW_PLANAR_2 ? 1 : 2;
    rest.v += 1;
  }
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
  const GstBaRow row = { row_of (frame, 0, y_px) + offset, row_of (frame, 1, y_px >> reader->y_shift) + offset, NULL };

  convert_row (reader, &row, odd, width_px, dst);
}

/* Y and UV lie byte by byte in turn: taken apart they are a row of NV12. */
static void
read_packed (const GstBaReader *reader, const GstVideoFrame *frame, gint x_px, gint y_px, gint width_px, guint8 *dst)
{
  const gboolean odd = x_px & 1;
  const gint samples = GST_ROUND_UP_2 (width_px + (odd ? 1 : 0));
  const guint8 *src = row_of (frame, 0, y_px) + 2 * (gsize) (x_px - (odd ? 1 : 0));
  const gboolean y_first = GST_VIDEO_FRAME_FORMAT (frame) == GST_VIDEO_FORMAT_YUY2;
  const GstBaRow row = { reader->samples[0], reader->samples[1], NULL };

  SplitUVPlane (src, 0, reader->samples[y_first ? 0 : 1], 0, reader->samples[y_first ? 1 : 0], 0, samples, 1);
  convert_row (reader, &row, odd, width_px, dst);
}

static void
read_gray (const GstBaReader *reader, const GstVideoFrame *frame, gint x_px, gint y_px, gint width_px, guint8 *dst)
{
  const guint8 *src = row_of (frame, 0, y_px) + x_px;
  gint i;

  for (i = 0; i < width_px; i++)
    store32 (dst + 4 * (gsize) i, reader->gray[src[i]]);
}

static GST_BA_HOT void
read_rgb32 (const GstBaReader *reader, const GstVideoFrame *frame, gint x_px, gint y_px, gint width_px, guint8 *dst)
{
  const guint8 *src = row_of (frame, 0, y_px) + 4 * (gsize) x_px;
  const guint rs = reader->r_shift, gs = reader->g_shift, bs = reader->b_shift;
  gint i;

  for (i = 0; i < width_px; i++) {
    const guint32 p = load32 (src + 4 * (gsize) i);

    store32 (dst + 4 * (gsize) i, pack (p >> rs & 255, p >> gs & 255, p >> bs & 255));
  }
}

/* c × a / 255, rounded, exact, for two channels 16 bits apart: t + t / 256 is at most 65407 */
static inline guint32
blend_on_black (guint32 pair, guint32 a)
{
  const guint32 t = pair * a + 0x00800080;

  return (t + (t >> 8 & 0x00ff00ff)) >> 8 & 0x00ff00ff;
}

static GST_BA_HOT void
read_rgba32 (const GstBaReader *reader, const GstVideoFrame *frame, gint x_px, gint y_px, gint width_px, guint8 *dst)
{
  const guint8 *src = row_of (frame, 0, y_px) + 4 * (gsize) x_px;
  const guint rs = reader->r_shift, gs = reader->g_shift, bs = reader->b_shift, as = reader->a_shift;
  gint i;

  for (i = 0; i < width_px; i++) {
    const guint32 p = load32 (src + 4 * (gsize) i), a = p >> as & 255;
    const guint32 rb = blend_on_black ((p >> rs & 255) << 16 | (p >> bs & 255), a);
    const guint32 g = blend_on_black (p >> gs & 255, a);

    store32 (dst + 4 * (gsize) i, rb | g << 8 | 0xff000000u);
  }
}

static void
read_rgb24 (const GstBaReader *reader, const GstVideoFrame *frame, gint x_px, gint y_px, gint width_px, guint8 *dst)
{
  const guint8 *src = row_of (frame, 0, y_px) + 3 * (gsize) x_px;

  if (reader->r_shift == 0)
    RAWToARGB (src, 0, dst, 0, width_px, 1);
  else
    RGB24ToARGB (src, 0, dst, 0, width_px, 1);
}

static GST_BA_HOT void
read_rgb16 (const GstBaReader *reader, const GstVideoFrame *frame, gint x_px, gint y_px, gint width_px, guint8 *dst)
{
  const guint8 *src = row_of (frame, 0, y_px) + 2 * (gsize) x_px;
  const guint rs = reader->r_shift, gs = reader->g_shift, bs = reader->b_shift;
  const guint g_up = reader->green6 ? 2 : 3, g_down = reader->green6 ? 4 : 2, g_mask = reader->green6 ? 63 : 31;
  gint i;

  for (i = 0; i < width_px; i++) {
    const guint32 p = load16 (src + 2 * (gsize) i);
    const guint32 r = p >> rs & 31, g = p >> gs & g_mask, b = p >> bs & 31;

    store32 (dst + 4 * (gsize) i, pack (r << 3 | r >> 2, g << g_up | g >> g_down, b << 3 | b >> 2));
  }
}

static const YuvFormat yuv_formats[] = {
  { GST_VIDEO_FORMAT_I420, read_planar, GST_BA_ROW_PLANAR_2 },
  { GST_VIDEO_FORMAT_YV12, read_planar, GST_BA_ROW_PLANAR_2 },
  { GST_VIDEO_FORMAT_Y42B, read_planar, GST_BA_ROW_PLANAR_2 },
  { GST_VIDEO_FORMAT_Y444, read_planar, GST_BA_ROW_PLANAR_1 },
  { GST_VIDEO_FORMAT_I420_10LE, read_planar, GST_BA_ROW_PLANAR10_2 },
  { GST_VIDEO_FORMAT_NV12, read_pairs, GST_BA_ROW_UV_2 },
  { GST_VIDEO_FORMAT_NV21, read_pairs, GST_BA_ROW_VU_2 },
  { GST_VIDEO_FORMAT_P010_10LE, read_pairs, GST_BA_ROW_UV10_2 },
  { GST_VIDEO_FORMAT_YUY2, read_packed, GST_BA_ROW_UV_2 },
  { GST_VIDEO_FORMAT_UYVY, read_packed, GST_BA_ROW_UV_2 },
  { GST_VIDEO_FORMAT_GRAY8, read_gray, GST_BA_ROW_PLANAR_1 },
};

static const RgbFormat rgb_formats[] = {
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

static const RgbFormat *
find_rgb (GstVideoFormat format)
{
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (rgb_formats); i++)
    if (rgb_formats[i].format == format)
      return &rgb_formats[i];
  return NULL;
}

static gboolean
has_green6 (GstVideoFormat format)
{
  return format == GST_VIDEO_FORMAT_RGB16 || format == GST_VIDEO_FORMAT_BGR16;
}

gboolean
gst_ba_reader_supports (GstVideoFormat format)
{
  return find_yuv (format) != NULL || find_rgb (format) != NULL;
}

/* Gray runs through the kernel once, with neutral chroma. */
static void
init_gray (GstBaReader *reader)
{
  guint8 luma[256], neutral[256], pixels[256 * 4];
  const GstBaRow row = { luma, neutral, neutral };
  guint i;

  for (i = 0; i < 256; i++)
    luma[i] = (guint8) i;
  memset (neutral, 128, sizeof (neutral));
  gst_ba_yuv_kernel_c (&reader->factors, GST_BA_ROW_PLANAR_1, &row, pixels, 0, 256);
  for (i = 0; i < 256; i++)
    reader->gray[i] = load32 (pixels + 4 * i);
}

/* @width_px: the longest row that will be asked for. FALSE: no memory, or a format without a reader. */
gboolean
gst_ba_reader_init (GstBaReader *reader, const GstVideoInfo *info, gint width_px)
{
  const GstVideoFormat format = GST_VIDEO_INFO_FORMAT (info);
  const YuvFormat *yuv = find_yuv (format);
  const RgbFormat *rgb = find_rgb (format);
  guint i;

  memset (reader, 0, sizeof (*reader));
  if (yuv != NULL) {
    reader->read = yuv->read;
    reader->layout = yuv->layout;
    reader->kernel = gst_ba_yuv_best_kernel ();
    gst_ba_yuv_factors_init (&reader->factors, info);
    if (yuv->read == read_gray)
      init_gray (reader);
    else
      reader->y_shift = (guint8) GST_VIDEO_FORMAT_INFO_H_SUB (info->finfo, 1);
    for (i = 0; yuv->read == read_packed && i < 2; i++)
      if ((reader->samples[i] = g_try_malloc ((gsize) width_px + 2)) == NULL)
        return FALSE;
    return TRUE;
  }
  if (rgb == NULL)
    return FALSE;

  if (rgb->pixel_bytes == 4)
    reader->read = rgb->alpha ? read_rgba32 : read_rgb32;
  else
    reader->read = rgb->pixel_bytes == 3 ? read_rgb24 : read_rgb16;
  reader->r_shift = rgb->r_shift;
  reader->g_shift = rgb->g_shift;
  reader->b_shift = rgb->b_shift;
  reader->a_shift = rgb->a_shift;
  reader->green6 = has_green6 (format);
  return TRUE;
}

void
gst_ba_reader_finish (GstBaReader *reader)
{
  g_free (reader->samples[0]);
  g_free (reader->samples[1]);
}

static GST_BA_HOT void
write_rgb32 (const GstBaWriter *writer, const guint8 *src, guint8 *dst, gint width_px)
{
  const guint rs = writer->r_shift, gs = writer->g_shift, bs = writer->b_shift;
  const guint32 opaque = (guint32) 255 << writer->a_shift;
  gint i;

  for (i = 0; i < width_px; i++) {
    const guint32 p = load32 (src + 4 * (gsize) i);

    store32 (dst + 4 * (gsize) i, (p >> 16 & 255) << rs | (p >> 8 & 255) << gs | (p & 255) << bs | opaque);
  }
}

static void
write_rgb24 (const GstBaWriter *writer, const guint8 *src, guint8 *dst, gint width_px)
{
  if (writer->r_shift == 0)
    ARGBToRAW (src, 0, dst, 0, width_px, 1);
  else
    ARGBToRGB24 (src, 0, dst, 0, width_px, 1);
}

/* The factors give c × 31 / 255 and c × 63 / 255, rounded, for every c from 0 to 255, and all fit 16 bits: red and
 * blue go through one 32 bit number. */
static inline void
write_16_bits (const GstBaWriter *writer, const guint8 *src, guint8 *dst, gint width_px, gboolean green6)
{
  const guint rs = writer->r_shift, gs = writer->g_shift, bs = writer->b_shift;
  gint i;

  for (i = 0; i < width_px; i++) {
    const guint32 p = load32 (src + 4 * (gsize) i), c = p >> 8 & 255;
    const guint32 rb = ((p & 0x00ff00ff) * 249 + 1014 * 0x00010001u) >> 11;
    const guint32 g = green6 ? (c * 253 + 505) >> 10 : (c * 249 + 1014) >> 11;

    store16 (dst + 2 * (gsize) i, (rb >> 16 & 31) << rs | g << gs | (rb & 31) << bs);
  }
}

static GST_BA_HOT void
write_rgb16 (const GstBaWriter *writer, const guint8 *src, guint8 *dst, gint width_px)
{
  write_16_bits (writer, src, dst, width_px, TRUE);
}

static GST_BA_HOT void
write_rgb15 (const GstBaWriter *writer, const guint8 *src, guint8 *dst, gint width_px)
{
  write_16_bits (writer, src, dst, width_px, FALSE);
}

gboolean
gst_ba_writer_supports (GstVideoFormat format)
{
  return find_rgb (format) != NULL;
}

gboolean
gst_ba_writer_init (GstBaWriter *writer, GstVideoFormat format)
{
  const RgbFormat *rgb = find_rgb (format);

  if (rgb == NULL)
    return FALSE;

  writer->pixel_bytes = rgb->pixel_bytes;
  writer->r_shift = rgb->r_shift;
  writer->g_shift = rgb->g_shift;
  writer->b_shift = rgb->b_shift;
  writer->a_shift = rgb->a_shift;
  if (rgb->pixel_bytes == 4)
    writer->write = format == GST_VIDEO_FORMAT_BGRx || format == GST_VIDEO_FORMAT_BGRA ? NULL : write_rgb32;
  else if (rgb->pixel_bytes == 3)
    writer->write = write_rgb24;
  else
    writer->write = has_green6 (format) ? write_rgb16 : write_rgb15;
  return TRUE;
}
