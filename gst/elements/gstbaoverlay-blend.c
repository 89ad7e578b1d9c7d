/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbaoverlay-blend.c: a bitmap onto rows of any page format, in place.
 *
 * Pixels of 32, 24 and 16 bits are handled as little endian numbers with a shift for each channel, as the converter
 * does. A transparent pixel leaves all bits of the one below as they are. Gray and one bit need the bitmap's luma only.
 * There is no dithering here, on purpose: what is below carries the pattern already, and letters are best with clean
 * edges.
 */

#include "gstbaoverlay-private.h"

/* v / 255, rounded, exact up to 255 × 255 */
GST_BA_INLINE guint32
divide_255 (guint32 v)
{
  v += 128;
  return (v + (v >> 8)) >> 8;
}

/* @below is B G R x. Two channels go through one number, 16 bits apart. No sum leaves its 8 bits: colours are never above
 * their alpha. */
GST_BA_INLINE guint32
blend_pixel (guint32 over, guint32 below)
{
  const guint32 rest = 255 - (over >> 24);
  const guint32 rb = (below & 0x00ff00ff) * rest + 0x00800080;
  const guint32 g = divide_255 ((below >> 8 & 255) * rest) << 8;

  return (over & 0x00ffffff) + (((rb + (rb >> 8 & 0x00ff00ff)) >> 8 & 0x00ff00ff) | g);
}

#if G_BYTE_ORDER == G_LITTLE_ENDIAN
/* Four pixels at once, the same arithmetic in lanes of 16 bits. The compiler multiplies in 32 if left to itself. */
typedef guint32 Pixels __attribute__ ((vector_size (16)));
typedef guint16 Lanes __attribute__ ((vector_size (16)));

GST_BA_INLINE Lanes
fade_lanes (Pixels channels, Lanes rest)
{
  const Lanes v = (Lanes) channels * rest + 128;

  return (v + (v >> 8)) >> 8;
}

GST_BA_INLINE void
blend_four (const guint8 *src, guint8 *dst)
{
  Pixels over, below, alpha, kept;
  Lanes rest, rb, ga;

  memcpy (&over, src, sizeof (over));
  memcpy (&below, dst, sizeof (below));
  alpha = over >> 24;
  rest = 255 - (Lanes) (alpha | alpha << 16);
  rb = fade_lanes (below & 0x00ff00ff, rest);
  ga = fade_lanes ((below >> 8 & 0x000000ff) | 0x00ff0000, rest);
  kept = (Pixels) (over == 0);
  below = (below & kept) | ((over + ((Pixels) rb | (Pixels) ga << 8)) & ~kept);
  memcpy (dst, &below, sizeof (below));
}
#endif

static GST_BA_HOT void
blend_bgrx (const guint8 *src, guint8 *dst, gint width_px)
{
  gint i = 0;

#if G_BYTE_ORDER == G_LITTLE_ENDIAN
  for (; i + 4 <= width_px; i += 4)
    blend_four (src + 4 * (gsize) i, dst + 4 * (gsize) i);
#endif
  for (; i < width_px; i++) {
    const guint32 over = gst_ba_load32 (src + 4 * (gsize) i), below = gst_ba_load32 (dst + 4 * (gsize) i);

    if (over != 0)
      gst_ba_store32 (dst + 4 * (gsize) i, blend_pixel (over, below) | 0xff000000u);
  }
}

/* Nobody looks at the alpha of a page; it becomes opaque. */
static GST_BA_HOT void
blend_32 (const GstBaRgbFormat *rgb, const guint8 *src, guint8 *dst, gint width_px)
{
  const guint rs = rgb->r_shift, gs = rgb->g_shift, bs = rgb->b_shift;
  const guint32 opaque = (guint32) 255 << rgb->a_shift;
  gint i;

  for (i = 0; i < width_px; i++) {
    const guint32 p = gst_ba_load32 (dst + 4 * (gsize) i);
    const guint32 below = (p >> rs & 255) << 16 | (p >> gs & 255) << 8 | (p >> bs & 255);
    const guint32 over = gst_ba_load32 (src + 4 * (gsize) i), v = blend_pixel (over, below);
    const guint32 blended = (v >> 16) << rs | (v >> 8 & 255) << gs | (v & 255) << bs | opaque;

    gst_ba_store32 (dst + 4 * (gsize) i, over == 0 ? p : blended);
  }
}

static void
blend_24 (const GstBaRgbFormat *rgb, const guint8 *src, guint8 *dst, gint width_px)
{
  const guint red = rgb->r_shift / 8, blue = rgb->b_shift / 8;
  gint i;

  for (i = 0; i < width_px; i++, dst += 3) {
    const guint32 below = (guint32) dst[red] << 16 | (guint32) dst[1] << 8 | dst[blue];
    const guint32 v = blend_pixel (gst_ba_load32 (src + 4 * (gsize) i), below);

    dst[red] = (guint8) (v >> 16);
    dst[1] = (guint8) (v >> 8);
    dst[blue] = (guint8) v;
  }
}

/* All of it fits 16 bits, which vectors have more of. */
GST_BA_INLINE guint16
blend_channel (guint16 below, guint16 over, guint16 rest)
{
  const guint16 v = (guint16) (below * rest + 128);

  return (guint16) (over + ((guint16) (v + (v >> 8)) >> 8));
}

/* The factors give c × 31 / 255 and c × 63 / 255, rounded, for every c from 0 to 255: a level comes back as it was. The
 * bit that no channel has stays. */
GST_BA_INLINE void
blend_16_bits (const GstBaRgbFormat *rgb, const guint8 *src, guint8 *dst, gint width_px, gboolean green6)
{
  const guint rs = rgb->r_shift, gs = rgb->g_shift, bs = rgb->b_shift;
  gint i;

  for (i = 0; i < width_px; i++) {
    const guint32 over = gst_ba_load32 (src + 4 * (gsize) i);
    const guint16 rest = (guint16) (255 - (over >> 24));
    guint16 p, kept, r, g, b;

    memcpy (&p, dst + 2 * (gsize) i, sizeof (p));
    p = GUINT16_FROM_LE (p);
    kept = p & (green6 ? 0 : 0x8000);
    r = p >> rs & 31;
    g = p >> gs & (green6 ? 63 : 31);
    b = p >> bs & 31;
    r = blend_channel ((guint16) (r << 3 | r >> 2), over >> 16 & 255, rest);
    g = blend_channel ((guint16) (green6 ? g << 2 | g >> 4 : g << 3 | g >> 2), over >> 8 & 255, rest);
    b = blend_channel ((guint16) (b << 3 | b >> 2), over & 255, rest);
    r = (guint16) ((guint16) (r * 249 + 1014) >> 11);
    g = green6 ? (guint16) ((guint16) (g * 253 + 505) >> 10) : (guint16) ((guint16) (g * 249 + 1014) >> 11);
    b = (guint16) ((guint16) (b * 249 + 1014) >> 11);
    p = GUINT16_TO_LE ((guint16) (kept | r << rs | g << gs | b << bs));
    memcpy (dst + 2 * (gsize) i, &p, sizeof (p));
  }
}

static GST_BA_HOT void
blend_16 (const GstBaRgbFormat *rgb, const guint8 *src, guint8 *dst, gint width_px)
{
  blend_16_bits (rgb, src, dst, width_px, TRUE);
}

static GST_BA_HOT void
blend_15 (const GstBaRgbFormat *rgb, const guint8 *src, guint8 *dst, gint width_px)
{
  blend_16_bits (rgb, src, dst, width_px, FALSE);
}

/* The luma of BT.601, 32768 times; gray stays what it is. */
GST_BA_INLINE guint32
luma (const guint8 *p)
{
  return 3735u * p[0] + 19235u * p[1] + 9798u * p[2];
}

/* Rounds once, at the end: 255 × 255 × 32768 fits. */
GST_BA_INLINE guint32
blend_luma (const guint8 *over, guint32 below)
{
  return (luma (over) * 255 + below * (255u - over[3]) * 32768 + 255 * 16384) / (255 * 32768);
}

static void
blend_gray (const guint8 *src, guint8 *dst, gint width_px)
{
  gint i;

  for (i = 0; i < width_px; i++, src += 4)
    dst[i] = (guint8) blend_luma (src, dst[i]);
}

static void
blend_mono (const guint8 *src, guint8 *row, gint x_px, gint width_px, gboolean one_is_white)
{
  gint x;

  for (x = x_px; x < x_px + width_px; x++, src += 4) {
    const guint8 bit = (guint8) (0x80 >> (x & 7));
    const gboolean was_white = ((row[x >> 3] & bit) != 0) == one_is_white;

    if (src[3] == 0)
      continue;
    if ((blend_luma (src, was_white ? 255 : 0) >= 128) == one_is_white)
      row[x >> 3] |= bit;
    else
      row[x >> 3] &= (guint8) ~bit;
  }
}

static void
blend_run (const GstBaPageFormat *format, const GstBaRgbFormat *rgb, const guint8 *src, guint8 *row, gint x_px,
           gint width_px, gboolean opaque)
{
  guint8 *dst;

  if (format->mono != GST_BA_MONO_NONE) {
    blend_mono (src, row, x_px, width_px, format->mono == GST_BA_MONO_ONE_IS_WHITE);
    return;
  }
  if (rgb == NULL) {
    blend_gray (src, row + x_px, width_px);
    return;
  }

  dst = row + (gsize) x_px * rgb->pixel_bytes;
  if (rgb->pixel_bytes == 3)
    blend_24 (rgb, src, dst, width_px);
  else if (rgb->pixel_bytes == 2 && gst_ba_rgb_format_has_green6 (format->format))
    blend_16 (rgb, src, dst, width_px);
  else if (rgb->pixel_bytes == 2)
    blend_15 (rgb, src, dst, width_px);
  else if (rgb->a_shift != 24 || rgb->b_shift != 0)
    blend_32 (rgb, src, dst, width_px);
  else if (opaque)
    memcpy (dst, src, (gsize) width_px * 4);
  else
    blend_bgrx (src, dst, width_px);
}

void
gst_ba_overlay_bitmap_blend (const GstBaOverlayBitmap *bitmap, const GstBaPageFormat *format, guint8 *rows,
                             gint stride_bytes, const GstVideoRectangle *area)
{
  const GstVideoRectangle *seen = &bitmap->seen;
  const GstBaRgbFormat *rgb = gst_ba_rgb_format (format->format);
  const gint top = MAX (seen->y, area->y), bottom = MIN (seen->y + seen->h, area->y + area->h);
  const gint left = MAX (seen->x, area->x), right = MIN (seen->x + seen->w, area->x + area->w);
  gint y;

  for (y = top; y < bottom; y++) {
    const gint bitmap_y = y - bitmap->area.y;
    guint8 *row = rows + (gssize) (y - area->y) * stride_bytes;
    guint i;

    for (i = bitmap->first_run[bitmap_y]; i < bitmap->first_run[bitmap_y + 1]; i++) {
      const GstBaOverlayRun *run = &bitmap->runs[i];
      const gint first = MAX (bitmap->area.x + run->x_px, left);
      const gint end = MIN (bitmap->area.x + run->x_px + run->n_px, right);
      const gsize at = (gsize) bitmap_y * bitmap->area.w + (gsize) (first - bitmap->area.x);

      if (first < end)
        blend_run (format, rgb, bitmap->pixels + 4 * at, row, first - area->x, end - first, run->opaque);
    }
  }
}
