/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbaconvert-write.c: rows of every page format out of picture rows.
 *
 * Pixels of 32 and 16 bits are handled as little endian numbers with a shift for each channel. Where a channel has less
 * than 8 bits, its rest is not rounded away but dithered, with Bayer's ordered pattern: 8 × 8 for 5 and 6 bits, 16 × 16
 * for one bit, so that a flat colour comes out right on average over the pattern. The pattern is fixed to the page. A
 * value that a level of the page stands for has no rest, and comes out as that level everywhere.
 */

#include "gstbaconvert-private.h"

#define BLOCK_PX 64

GST_BA_INLINE void
write_rgb32_inline (const GstBaWriter *writer, const guint8 *src, guint8 *dst, gint y_px, gint width_px)
{
  const guint rs = writer->r_shift, gs = writer->g_shift, bs = writer->b_shift;
  const guint32 opaque = (guint32) 255 << writer->a_shift;
  gint i;

  (void) y_px;
  for (i = 0; i < width_px; i++) {
    const guint32 p = gst_ba_load32 (src + 4 * (gsize) i);

    gst_ba_store32 (dst + 4 * (gsize) i, (p >> 16 & 255) << rs | (p >> 8 & 255) << gs | (p & 255) << bs | opaque);
  }
}

static void
write_rgb24 (const GstBaWriter *writer, const guint8 *src, guint8 *dst, gint y_px, gint width_px)
{
  (void) y_px;
  gst_ba_row_to_24 (src, dst, width_px, writer->r_shift == 0);
}

/* 64 × level + rest: level l of 5 bits stands for 8 l + l / 4, its bits repeated, as screens do and as the reader does.
 * Four levels are 33 apart; three steps are 8 and one is 9, where each unit of the rest counts 7, not 8. */
GST_BA_INLINE guint16
levels_5 (guint16 c)
{
  const guint16 fours = (guint16) (c * 1986u >> 16); /* c / 33 */
  const guint16 r = (guint16) (c - 33 * fours);
  const guint16 step = MIN (r >> 3, 3);
  const guint16 rest = (guint16) (r - 8 * step);

  return (guint16) ((4 * fours + step) * 64 + 8 * rest - (step == 3 ? rest : 0));
}

/* The same for 6 bits: level l stands for 4 l + l / 16, sixteen are 65 apart; one step is 5. */
GST_BA_INLINE guint16
levels_6 (guint16 c)
{
  const guint16 sixteens = (guint16) (c * 1009u >> 16); /* c / 65 */
  const guint16 r = (guint16) (c - 65 * sixteens);
  const guint16 step = MIN (r >> 2, 15);
  const guint16 rest = (guint16) (r - 4 * step);

  return (guint16) ((16 * sixteens + step) * 64 + 16 * rest - (step == 15 ? 3 * rest : 0));
}

GST_BA_INLINE void
dither_block (const GstBaWriter *writer, const guint8 *src, const guint16 *pattern, guint16 *dst, gboolean green6)
{
  /* products stay in 16 bits, shifts by a number that is not known would not */
  const guint16 rs = (guint16) (1u << writer->r_shift), gs = (guint16) (1u << writer->g_shift);
  const guint16 bs = (guint16) (1u << writer->b_shift);
  guint16 r[BLOCK_PX], g[BLOCK_PX], b[BLOCK_PX];
  gint i;

  for (i = 0; i < BLOCK_PX; i++) {
    const guint32 p = gst_ba_load32 (src + 4 * i);

    b[i] = (guint16) (p & 255);
    g[i] = (guint16) (p >> 8 & 255);
    r[i] = (guint16) (p >> 16 & 255);
  }
  for (i = 0; i < BLOCK_PX; i++)
    b[i] = (guint16) ((guint16) (levels_5 (b[i]) + pattern[i]) >> 6);
  for (i = 0; i < BLOCK_PX; i++)
    r[i] = (guint16) ((guint16) (levels_5 (r[i]) + pattern[i]) >> 6);
  for (i = 0; i < BLOCK_PX; i++)
    g[i] = (guint16) ((guint16) ((green6 ? levels_6 (g[i]) : levels_5 (g[i])) + pattern[i]) >> 6);
  for (i = 0; i < BLOCK_PX; i++)
    dst[i] = GUINT16_TO_LE ((guint16) ((guint16) (r[i] * rs) | (guint16) (g[i] * gs) | (guint16) (b[i] * bs)));
}

GST_BA_INLINE void
write_16_bits (const GstBaWriter *writer, const guint8 *src, guint8 *dst, gint y_px, gint width_px, gboolean green6)
{
  const guint8 *pattern_row = writer->pattern[y_px & (GST_BA_PATTERN_PX - 1)];
  guint16 pattern[BLOCK_PX], pixels[BLOCK_PX];
  guint8 rest[4 * BLOCK_PX] = { 0 };
  gint x, i;

  for (i = 0; i < BLOCK_PX; i++)
    pattern[i] = pattern_row[i & (GST_BA_PATTERN_PX - 1)];
  for (x = 0; width_px - x >= BLOCK_PX; x += BLOCK_PX) {
    dither_block (writer, src + 4 * (gsize) x, pattern, pixels, green6);
    memcpy (dst + 2 * (gsize) x, pixels, sizeof (pixels));
  }
  if (x < width_px) {
    memcpy (rest, src + 4 * (gsize) x, 4 * (gsize) (width_px - x));
    dither_block (writer, rest, pattern, pixels, green6);
    memcpy (dst + 2 * (gsize) x, pixels, 2 * (gsize) (width_px - x));
  }
}

GST_BA_INLINE void
write_rgb16_inline (const GstBaWriter *writer, const guint8 *src, guint8 *dst, gint y_px, gint width_px)
{
  write_16_bits (writer, src, dst, y_px, width_px, TRUE);
}

GST_BA_INLINE void
write_rgb15_inline (const GstBaWriter *writer, const guint8 *src, guint8 *dst, gint y_px, gint width_px)
{
  write_16_bits (writer, src, dst, y_px, width_px, FALSE);
}

/* of 255 × 32768 */
GST_BA_INLINE guint32
luma (const GstBaWriter *writer, const guint8 *pixel)
{
  const guint32 p = gst_ba_load32 (pixel);

  return (p >> 16 & 255) * writer->luma_r + (p >> 8 & 255) * writer->luma_g + (p & 255) * writer->luma_b;
}

GST_BA_INLINE void
write_gray_inline (const GstBaWriter *writer, const guint8 *src, guint8 *dst, gint y_px, gint width_px)
{
  gint i;

  (void) y_px;
  for (i = 0; i < width_px; i++)
    dst[i] = (guint8) ((luma (writer, src + 4 * (gsize) i) + 16384) >> 15);
}

/* Eight bytes of 0 or 1, the first the lowest, to the bits of one, the first the highest: of each byte only one of the
 * multiplied copies reaches the upper byte. */
GST_BA_INLINE guint8
pack_bits (const guint8 *bytes)
{
  guint64 eight;

  memcpy (&eight, bytes, 8);
  return (guint8) (GUINT64_FROM_LE (eight) * G_GUINT64_CONSTANT (0x8040201008040201) >> 56);
}

/* Thresholds lie in the middles of 256 steps between black and white, so both stay what they are. */
GST_BA_INLINE void
write_mono_inline (const GstBaWriter *writer, const guint8 *src, guint8 *dst, gint y_px, gint width_px)
{
  const guint8 *pattern = writer->pattern[y_px & (GST_BA_PATTERN_PX - 1)];
  guint32 thresholds[BLOCK_PX];
  guint8 white[BLOCK_PX];
  gint x, i;

  for (i = 0; i < BLOCK_PX; i++)
    thresholds[i] = (2 * (guint32) pattern[i & (GST_BA_PATTERN_PX - 1)] + 1) * (255 * 32768 / 512);
  for (x = 0; x < width_px; x += BLOCK_PX) {
    const gint pixels = MIN (BLOCK_PX, width_px - x);

    memset (white, 0, sizeof (white));
    for (i = 0; i < pixels; i++)
      white[i] = luma (writer, src + 4 * (gsize) (x + i)) > thresholds[i];
    for (i = 0; i < pixels; i += 8)
      dst[(x + i) / 8] = pack_bits (white + i) ^ writer->black;
  }
}

#define WRITER(name)                                                                                                   \
  GST_BA_VARIANTS (name, (const GstBaWriter *writer, const guint8 *src, guint8 *dst, gint y_px, gint width_px),        \
                   (writer, src, dst, y_px, width_px))

WRITER (write_rgb32)
WRITER (write_rgb16)
WRITER (write_rgb15)
WRITER (write_gray)
WRITER (write_mono)

/* Bayer's pattern of 2^@bits × 2^@bits: each of the numbers below 4^@bits once, neighbours far apart */
static guint
bayer (guint x, guint y, guint bits)
{
  guint value = 0, i;

  for (i = 0; i < bits; i++)
    value = value << 2 | ((x ^ y) >> i & 1) << 1 | (y >> i & 1);
  return value;
}

static void
init_pattern (GstBaWriter *writer, guint bits, guint x_px)
{
  guint x, y;

  for (y = 0; y < GST_BA_PATTERN_PX; y++)
    for (x = 0; x < GST_BA_PATTERN_PX; x++)
      writer->pattern[y][x] = (guint8) bayer (x + x_px, y, bits);
}

gboolean
gst_ba_writer_supports (const GstBaPageFormat *page)
{
  if (page->mono != GST_BA_MONO_NONE)
    return page->format == GST_VIDEO_FORMAT_UNKNOWN
           && (page->mono == GST_BA_MONO_ONE_IS_WHITE || page->mono == GST_BA_MONO_ONE_IS_BLACK);
  return page->format == GST_VIDEO_FORMAT_GRAY8 || gst_ba_rgb_format (page->format) != NULL;
}

gboolean
gst_ba_writer_init (GstBaWriter *writer, const GstBaPageFormat *page, const GstVideoInfo *in_info, gint x_px)
{
  const GstBaRgbFormat *rgb = gst_ba_rgb_format (page->format);
  gdouble red, blue;

  if (!gst_ba_writer_supports (page))
    return FALSE;

  memset (writer, 0, sizeof (*writer));
  if (rgb == NULL) {
    gst_ba_yuv_luma_weights (in_info, &red, &blue);
    writer->luma_r = (guint16) (red * 32768 + 0.5);
    writer->luma_b = (guint16) (blue * 32768 + 0.5);
    writer->luma_g = (guint16) (32768 - writer->luma_r - writer->luma_b);
    writer->write = page->mono == GST_BA_MONO_NONE ? GST_BA_PICK (write_gray) : GST_BA_PICK (write_mono);
    writer->black = page->mono == GST_BA_MONO_ONE_IS_BLACK ? 0xff : 0;
    init_pattern (writer, 4, (guint) x_px);
    return TRUE;
  }

  writer->r_shift = rgb->r_shift;
  writer->g_shift = rgb->g_shift;
  writer->b_shift = rgb->b_shift;
  writer->a_shift = rgb->a_shift;
  if (rgb->pixel_bytes == 4) {
    const gboolean as_is = page->format == GST_VIDEO_FORMAT_BGRx || page->format == GST_VIDEO_FORMAT_BGRA;

    writer->write = as_is ? NULL : GST_BA_PICK (write_rgb32);
  } else if (rgb->pixel_bytes == 3) {
    writer->write = write_rgb24;
  } else {
    writer->write = gst_ba_rgb_format_has_green6 (page->format) ? GST_BA_PICK (write_rgb16) : GST_BA_PICK (write_rgb15);
    init_pattern (writer, 3, (guint) x_px);
  }
  return TRUE;
}
