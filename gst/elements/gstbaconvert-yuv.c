/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbaconvert-yuv.c: Y'CbCr to R'G'B' for one row: the factors, the kernel in C, and which kernel is the best.
 *
 * libyuv has these rows too, but multiplies chroma with 8 bit factors of 6 fraction bits. Measured on x86-64 over all
 * in-gamut colours against a float reference (largest / mean error of the worst channel, which is blue):
 *
 *            limited range    full range
 *    BT.601  2.33 / 0.61      1.27 / 0.34
 *    BT.709  12.70 / 3.83     0.91 / 0.28
 *    BT.2020 16.06 / 4.76     1.91 / 0.48 (green)
 *
 * The two large ones come from a blue factor above 2 that is clamped to 127/64, and they are what HD and UHD video is
 * coded in. The kernels here have 16 bit factors: they err by at most 0.55 in any matrix and range.
 */

#include "gstbaconvert-private.h"

#include <math.h>

#define BLOCK_PX 128

static void
matrix_and_range (const GstVideoInfo *info, GstVideoColorMatrix *matrix, gboolean *full)
{
  const GstVideoColorimetry *c = &info->colorimetry;

  *matrix = c->matrix;
  if (*matrix == GST_VIDEO_COLOR_MATRIX_UNKNOWN || *matrix == GST_VIDEO_COLOR_MATRIX_RGB)
    *matrix = GST_VIDEO_INFO_HEIGHT (info) <= 576 ? GST_VIDEO_COLOR_MATRIX_BT601 : GST_VIDEO_COLOR_MATRIX_BT709;

  *full = c->range == GST_VIDEO_COLOR_RANGE_0_255
          || (c->range == GST_VIDEO_COLOR_RANGE_UNKNOWN && GST_VIDEO_INFO_IS_GRAY (info));
}

static void
weights_of (GstVideoColorMatrix matrix, gdouble *red, gdouble *blue)
{
  if (!gst_video_color_matrix_get_Kr_Kb (matrix, red, blue))
    gst_video_color_matrix_get_Kr_Kb (GST_VIDEO_COLOR_MATRIX_BT709, red, blue);
}

/* R'G'B' has no matrix: BT.601 is what GStreamer means by gray. */
void
gst_ba_yuv_luma_weights (const GstVideoInfo *info, gdouble *red, gdouble *blue)
{
  GstVideoColorMatrix matrix = GST_VIDEO_COLOR_MATRIX_BT601;
  gboolean full;

  if (!GST_VIDEO_INFO_IS_RGB (info))
    matrix_and_range (info, &matrix, &full);
  weights_of (matrix, red, blue);
}

/* The kernels see every sample stretched to 16 bits, so one code value is 2^(16 - depth), and keep the upper half of
 * sample × factor. With 5 fraction bits in the result, a factor is gain × 2^(5 + depth): the largest, 2.14 for blue,
 * still fits a signed number, and the largest sum, (255 + 2 × 128) × 1.17 × 32, too. The bias takes the black level
 * away, rounds, and makes up for what the two truncated products lose on average. It is the same for all channels, so
 * that gray stays gray. */
void
gst_ba_yuv_factors_init (GstBaYuvFactors *factors, const GstVideoInfo *info)
{
  const guint depth = GST_VIDEO_INFO_COMP_DEPTH (info, 0);
  const gdouble codes = (gdouble) (1u << (depth - 8)), one = 32.0 * (1u << depth);
  GstVideoColorMatrix matrix;
  gdouble kr = 0, kb = 0, kg, luma_gain, chroma_gain, black;
  gboolean full;

  matrix_and_range (info, &matrix, &full);
  if (!gst_video_color_matrix_get_Kr_Kb (matrix, &kr, &kb))
    gst_video_color_matrix_get_Kr_Kb (GST_VIDEO_COLOR_MATRIX_BT709, &kr, &kb);
  kg = 1 - kr - kb;

  luma_gain = full ? 255.0 / ((1u << depth) - 1) : 255.0 / (219 * codes);
  chroma_gain = full ? luma_gain : 255.0 / (224 * codes);
  black = full ? 0 : 16 * codes;

  factors->y_gain = (guint16) lrint (luma_gain * one);
  factors->u_to_b = (gint16) lrint (2 * (1 - kb) * chroma_gain * one);
  factors->u_to_g = (gint16) lrint (-2 * (1 - kb) * kb / kg * chroma_gain * one);
  factors->v_to_g = (gint16) lrint (-2 * (1 - kr) * kr / kg * chroma_gain * one);
  factors->v_to_r = (gint16) lrint (2 * (1 - kr) * chroma_gain * one);
  factors->bias = (gint16) lrint (-black * luma_gain * 32 + 16 + 1);
}

GST_BA_INLINE guint16
read16 (const guint8 *p)
{
  return (guint16) (p[0] | p[1] << 8);
}

/* Samples of @n pixels, stretched to 16 bits; of chroma as many as there are. */
GST_BA_INLINE void
load_block (GstBaRowLayout layout, const GstBaRow *row, gint x, gint n, guint16 *y, guint16 *u, guint16 *v)
{
  const gboolean deep = layout == GST_BA_ROW_PLANAR10_2 || layout == GST_BA_ROW_UV10_2;
  const gint n_chroma = layout == GST_BA_ROW_PLANAR_1 ? n : (n + 1) / 2;
  const gint chroma = layout == GST_BA_ROW_PLANAR_1 ? x : x / 2;
  const gint low = layout == GST_BA_ROW_PLANAR10_2 ? 6 : 0;
  gint i;

  if (layout == GST_BA_ROW_YUYV_2 || layout == GST_BA_ROW_UYVY_2) {
    const guint8 *src = row->y + 2 * (gsize) x;
    const gint luma = layout == GST_BA_ROW_UYVY_2, other = !luma;

    for (i = 0; i < n; i++)
      y[i] = (guint16) (src[2 * i + luma] << 8);
    for (i = 0; i < n_chroma; i++) {
      u[i] = (guint16) (src[4 * i + other] << 8);
      v[i] = (guint16) (src[4 * i + other + 2] << 8);
    }
    return;
  }
  for (i = 0; i < n; i++)
    y[i] = (guint16) (deep ? read16 (row->y + 2 * (gsize) x + 2 * i) << low : row->y[(gsize) x + i] << 8);
  if (layout == GST_BA_ROW_PLANAR_2 || layout == GST_BA_ROW_PLANAR_1) {
    const guint8 *pu = row->u + chroma, *pv = row->v + chroma;

    for (i = 0; i < n_chroma; i++)
      u[i] = (guint16) (pu[i] << 8);
    for (i = 0; i < n_chroma; i++)
      v[i] = (guint16) (pv[i] << 8);
  } else if (layout == GST_BA_ROW_PLANAR10_2) {
    const guint8 *pu = row->u + 2 * (gsize) chroma, *pv = row->v + 2 * (gsize) chroma;

    for (i = 0; i < n_chroma; i++)
      u[i] = (guint16) (read16 (pu + 2 * i) << low);
    for (i = 0; i < n_chroma; i++)
      v[i] = (guint16) (read16 (pv + 2 * i) << low);
  } else if (layout == GST_BA_ROW_UV10_2) {
    const guint8 *pairs = row->u + 4 * (gsize) chroma;

    for (i = 0; i < n_chroma; i++) {
      u[i] = read16 (pairs + 4 * i);
      v[i] = read16 (pairs + 4 * i + 2);
    }
  } else {
    const guint8 *pairs = row->u + 2 * (gsize) chroma;
    guint16 *first = layout == GST_BA_ROW_UV_2 ? u : v, *second = layout == GST_BA_ROW_UV_2 ? v : u;

    for (i = 0; i < n_chroma; i++) {
      const guint16 pair = read16 (pairs + 2 * i);

      first[i] = (guint16) (pair << 8);
      second[i] = pair & 0xff00;
    }
  }
}

GST_BA_INLINE void
finish (const gint16 *luma, const gint16 *chroma, gint per_chroma, guint8 *out)
{
  gint16 sums[BLOCK_PX];
  gint i;

  for (i = 0; i < BLOCK_PX / per_chroma; i++) {
    sums[per_chroma * i] = chroma[i];
    sums[per_chroma * i + per_chroma - 1] = chroma[i];
  }
  for (i = 0; i < BLOCK_PX; i++) {
    const gint16 value = (gint16) ((gint16) (luma[i] + sums[i]) >> 5);
    const gint16 not_negative = MAX (value, 0);

    out[i] = (guint8) MIN (not_negative, 255);
  }
}

/* @layout and a full @n are known where this is inlined: each loop becomes a few vector instructions. Arithmetic shifts
 * of negative numbers round down, as the vector instructions do: every compiler for Linux does so. */
GST_BA_INLINE void
convert_block (const GstBaYuvFactors *f, GstBaRowLayout layout, const GstBaRow *row, guint8 *dst, gint x, gint n)
{
  const gint per_chroma = layout == GST_BA_ROW_PLANAR_1 ? 1 : 2;
  guint16 y[BLOCK_PX] = { 0 }, u[BLOCK_PX] = { 0 }, v[BLOCK_PX] = { 0 };
  gint16 luma[BLOCK_PX], to_b[BLOCK_PX], to_g[BLOCK_PX], to_r[BLOCK_PX];
  guint8 b[BLOCK_PX], g[BLOCK_PX], r[BLOCK_PX];
  guint32 pixels[BLOCK_PX];
  gint i;

  load_block (layout, row, x, n, y, u, v);
  for (i = 0; i < BLOCK_PX; i++)
    luma[i] = (gint16) ((gint16) (((guint32) y[i] * f->y_gain) >> 16) + f->bias);
  for (i = 0; i < BLOCK_PX / per_chroma; i++)
    to_b[i] = (gint16) (((gint16) (u[i] ^ 0x8000) * f->u_to_b) >> 16);
  for (i = 0; i < BLOCK_PX / per_chroma; i++)
    to_r[i] = (gint16) (((gint16) (v[i] ^ 0x8000) * f->v_to_r) >> 16);
  for (i = 0; i < BLOCK_PX / per_chroma; i++)
    to_g[i] = (gint16) ((gint16) (((gint16) (u[i] ^ 0x8000) * f->u_to_g) >> 16)
                        + (gint16) (((gint16) (v[i] ^ 0x8000) * f->v_to_g) >> 16));
  finish (luma, to_b, per_chroma, b);
  finish (luma, to_g, per_chroma, g);
  finish (luma, to_r, per_chroma, r);
  for (i = 0; i < BLOCK_PX; i++)
    pixels[i] = GUINT32_TO_LE (b[i] | (guint32) g[i] << 8 | (guint32) r[i] << 16 | 0xff000000u);
  memcpy (dst + 4 * (gsize) x, pixels, 4 * (gsize) n);
}

/* With the vector kernels of x86-64 the C one does the few pixels they leave: there it had better be small than fast, as
 * what is fast here is half of the plugin's code. */
#ifdef __x86_64__
#define HOT_WHERE_ALONE
#define WHOLE_BLOCKS_APART 0
#else
#define HOT_WHERE_ALONE GST_BA_HOT
#define WHOLE_BLOCKS_APART 1
#endif

GST_BA_INLINE gint
convert_blocks (const GstBaYuvFactors *f, GstBaRowLayout layout, const GstBaRow *row, guint8 *dst, gint x,
                gint width_px)
{
  for (; WHOLE_BLOCKS_APART && width_px - x >= BLOCK_PX; x += BLOCK_PX)
    convert_block (f, layout, row, dst, x, BLOCK_PX);
  for (; x < width_px; x += BLOCK_PX)
    convert_block (f, layout, row, dst, x, MIN (BLOCK_PX, width_px - x));
  return MAX (x, width_px);
}

HOT_WHERE_ALONE gint
gst_ba_yuv_kernel_c (const GstBaYuvFactors *factors, GstBaRowLayout layout, const GstBaRow *row, guint8 *dst,
                     gint first_px, gint width_px)
{
  switch (layout) {
    case GST_BA_ROW_PLANAR_2:
      return convert_blocks (factors, GST_BA_ROW_PLANAR_2, row, dst, first_px, width_px);
    case GST_BA_ROW_PLANAR_1:
      return convert_blocks (factors, GST_BA_ROW_PLANAR_1, row, dst, first_px, width_px);
    case GST_BA_ROW_UV_2:
      return convert_blocks (factors, GST_BA_ROW_UV_2, row, dst, first_px, width_px);
    case GST_BA_ROW_VU_2:
      return convert_blocks (factors, GST_BA_ROW_VU_2, row, dst, first_px, width_px);
    case GST_BA_ROW_YUYV_2:
      return convert_blocks (factors, GST_BA_ROW_YUYV_2, row, dst, first_px, width_px);
    case GST_BA_ROW_UYVY_2:
      return convert_blocks (factors, GST_BA_ROW_UYVY_2, row, dst, first_px, width_px);
    case GST_BA_ROW_PLANAR10_2:
      return convert_blocks (factors, GST_BA_ROW_PLANAR10_2, row, dst, first_px, width_px);
    case GST_BA_ROW_UV10_2:
      return convert_blocks (factors, GST_BA_ROW_UV10_2, row, dst, first_px, width_px);
  }
  g_return_val_if_reached (first_px);
}

/* the fastest that this processor has */
GstBaYuvKernel
gst_ba_yuv_best_kernel (void)
{
#ifdef __x86_64__
  if (__builtin_cpu_supports ("avx2"))
    return gst_ba_yuv_kernel_avx2;
  return gst_ba_yuv_kernel_sse2;
#else
  return gst_ba_yuv_kernel_c;
#endif
}

void
gst_ba_yuv_row (GstBaYuvKernel kernel, const GstBaYuvFactors *factors, GstBaRowLayout layout, const GstBaRow *row,
                guint8 *dst, gint width_px)
{
  gint x = kernel (factors, layout, row, dst, 0, width_px);

#ifdef __x86_64__
  if (x < width_px)
    x = gst_ba_yuv_kernel_sse2 (factors, layout, row, dst, x, width_px);
#endif
  if (x < width_px)
    gst_ba_yuv_kernel_c (factors, layout, row, dst, x, width_px);
}
