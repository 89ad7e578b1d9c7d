/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbaconvert-rows.c: picture rows from and to 24 bits per pixel, mirrored, and mixed of two.
 *
 * libyuv has these rows as well, but brings the C++ library and libjpeg with it: more memory than the rest of the
 * plugin together.
 */
#include "gstbaconvert-private.h"

#ifdef __x86_64__
#include <immintrin.h>

#define SSSE3 __attribute__ ((target ("ssse3")))

/* 16 pixels are 48 bytes: three registers on one side and four on the other. Both return where they stopped. */
static SSSE3 gint
read_ssse3 (const guint8 *src, guint8 *dst, gint width_px, gboolean red_first)
{
  const __m128i order = red_first ? _mm_setr_epi8 (2, 1, 0, -1, 5, 4, 3, -1, 8, 7, 6, -1, 11, 10, 9, -1)
                                  : _mm_setr_epi8 (0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1);
  const __m128i opaque = _mm_set1_epi32 ((gint) 0xff000000u);
  gint x;

  for (x = 0; width_px - x >= 16; x += 16) {
    const __m128i *in = (const __m128i *) (src + 3 * (gsize) x);
    const __m128i a = _mm_loadu_si128 (in), b = _mm_loadu_si128 (in + 1), c = _mm_loadu_si128 (in + 2);
    __m128i *out = (__m128i *) (dst + 4 * (gsize) x);

    _mm_storeu_si128 (out, _mm_or_si128 (_mm_shuffle_epi8 (a, order), opaque));
    _mm_storeu_si128 (out + 1, _mm_or_si128 (_mm_shuffle_epi8 (_mm_alignr_epi8 (b, a, 12), order), opaque));
    _mm_storeu_si128 (out + 2, _mm_or_si128 (_mm_shuffle_epi8 (_mm_alignr_epi8 (c, b, 8), order), opaque));
    _mm_storeu_si128 (out + 3, _mm_or_si128 (_mm_shuffle_epi8 (_mm_srli_si128 (c, 4), order), opaque));
  }
  return x;
}

static SSSE3 gint
write_ssse3 (const guint8 *src, guint8 *dst, gint width_px, gboolean red_first)
{
  const __m128i order = red_first ? _mm_setr_epi8 (2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1)
                                  : _mm_setr_epi8 (0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
  gint x;

  for (x = 0; width_px - x >= 16; x += 16) {
    const __m128i *in = (const __m128i *) (src + 4 * (gsize) x);
    const __m128i a = _mm_shuffle_epi8 (_mm_loadu_si128 (in), order);
    const __m128i b = _mm_shuffle_epi8 (_mm_loadu_si128 (in + 1), order);
    const __m128i c = _mm_shuffle_epi8 (_mm_loadu_si128 (in + 2), order);
    const __m128i d = _mm_shuffle_epi8 (_mm_loadu_si128 (in + 3), order);
    __m128i *out = (__m128i *) (dst + 3 * (gsize) x);

    _mm_storeu_si128 (out, _mm_or_si128 (a, _mm_slli_si128 (b, 12)));
    _mm_storeu_si128 (out + 1, _mm_or_si128 (_mm_srli_si128 (b, 4), _mm_slli_si128 (c, 8)));
    _mm_storeu_si128 (out + 2, _mm_or_si128 (_mm_srli_si128 (c, 8), _mm_slli_si128 (d, 4)));
  }
  return x;
}
#endif

void
gst_ba_row_from_24 (const guint8 *src, guint8 *dst, gint width_px, gboolean red_first)
{
  const gint red = red_first ? 0 : 2, blue = red_first ? 2 : 0;
  gint x = 0;

#ifdef __x86_64__
  if (__builtin_cpu_supports ("ssse3"))
    x = read_ssse3 (src, dst, width_px, red_first);
#endif
  for (; x < width_px; x++) {
    const guint8 *in = src + 3 * (gsize) x;

    gst_ba_store32 (dst + 4 * (gsize) x, 0xff000000u | (guint32) in[red] << 16 | (guint32) in[1] << 8 | in[blue]);
  }
}

void
gst_ba_row_to_24 (const guint8 *src, guint8 *dst, gint width_px, gboolean red_first)
{
  const gint red = red_first ? 0 : 2, blue = red_first ? 2 : 0;
  gint x = 0;

#ifdef __x86_64__
  if (__builtin_cpu_supports ("ssse3"))
    x = write_ssse3 (src, dst, width_px, red_first);
#endif
  for (; x < width_px; x++) {
    const guint8 *in = src + 4 * (gsize) x;
    guint8 *out = dst + 3 * (gsize) x;

    out[red] = in[2];
    out[1] = in[1];
    out[blue] = in[0];
  }
}

GST_BA_INLINE void
mirror_inline (const guint8 *restrict src, guint8 *restrict dst, gint width_px)
{
  gint x;

  for (x = 0; x < width_px; x++)
    gst_ba_store32 (dst + 4 * (gsize) x, gst_ba_load32 (src + 4 * (gsize) (width_px - 1 - x)));
}
GST_BA_VARIANTS (mirror, (const guint8 *restrict src, guint8 *restrict dst, gint width_px), (src, dst, width_px))

void
gst_ba_row_mirror (const guint8 *src, guint8 *dst, gint width_px)
{
  GST_BA_PICK (mirror) (src, dst, width_px);
}

/* 255 × 256 + 128 just fits into 16 bits. */
GST_BA_INLINE void
mix_inline (const guint8 *restrict upper, const guint8 *restrict lower, guint16 weight, guint8 *restrict dst,
            gint n_bytes)
{
  const guint16 rest = (guint16) (256 - weight);
  gint i;

  for (i = 0; i < n_bytes; i++)
    dst[i] = (guint8) ((guint16) (upper[i] * rest + lower[i] * weight + 128) >> 8);
}
GST_BA_VARIANTS (mix,
                 (const guint8 *restrict upper, const guint8 *restrict lower, guint16 weight, guint8 *restrict dst,
                  gint n_bytes),
                 (upper, lower, weight, dst, n_bytes))

void
gst_ba_row_mix (const guint8 *upper, const guint8 *lower, guint16 weight, guint8 *dst, gint width_px)
{
  GST_BA_PICK (mix) (upper, lower, weight, dst, 4 * width_px);
}
