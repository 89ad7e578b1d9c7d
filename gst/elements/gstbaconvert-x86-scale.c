/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbaconvert-x86-scale.c: the two inner loops of scaling for x86-64, with the results of those in C bit for bit.
 */
#ifdef __x86_64__

#include "gstbaconvert-private.h"
#include <immintrin.h>

/* One pixel and its right neighbour in 16 bit lanes, two pixels at a time: 255 × 256 + 128 just fits. */
gint
gst_ba_scale_row_sse2 (const guint8 *src, const gint32 *left, const guint16 *weight, guint8 *dst, gint width_px)
{
  const __m128i zero = _mm_setzero_si128 (), one = _mm_set1_epi16 (256), half = _mm_set1_epi16 (128);
  gint x;

  for (x = 0; width_px - x >= 2; x += 2) {
    const __m128i a = _mm_loadl_epi64 ((const __m128i *) (src + 4 * (gsize) left[x]));
    const __m128i b = _mm_loadl_epi64 ((const __m128i *) (src + 4 * (gsize) left[x + 1]));
    const __m128i pixels = _mm_unpacklo_epi32 (a, b);
    __m128i next, sum;
    gint32 weights;

    memcpy (&weights, weight + x, 4);
    next = _mm_cvtsi32_si128 (weights);
    next = _mm_shuffle_epi32 (_mm_unpacklo_epi16 (next, next), 0x50);
    sum = _mm_add_epi16 (_mm_mullo_epi16 (_mm_unpacklo_epi8 (pixels, zero), _mm_sub_epi16 (one, next)),
                         _mm_mullo_epi16 (_mm_unpackhi_epi8 (pixels, zero), next));
    sum = _mm_srli_epi16 (_mm_add_epi16 (sum, half), 8);
    _mm_storel_epi64 ((__m128i *) (dst + 4 * (gsize) x), _mm_packus_epi16 (sum, sum));
  }
  return x;
}

/* Four pixels: a + ((b - a) × weight + 128) / 256, which is what mulhrs makes of 128 × weight, and the same number as
 * above. Each half of a register has two pixels, and behind them their neighbours. */
__attribute__ ((target ("avx2"))) gint
gst_ba_scale_row_avx2 (const guint8 *src, const gint32 *left, const guint16 *weight, guint8 *dst, gint width_px)
{
  const __m256i zero = _mm256_setzero_si256 ();
  const __m256i spread =
      _mm256_setr_epi8 (0, 1, 0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3, 2, 3, 4, 5, 4, 5, 4, 5, 4, 5, 6, 7, 6, 7, 6, 7, 6, 7);
  gint x;

  for (x = 0; width_px - x >= 4; x += 4) {
    guint64 pairs[4];
    gint64 weights;
    __m256i pixels, here, step;
    gint i;

    for (i = 0; i < 4; i++)
      memcpy (&pairs[i], src + 4 * (gsize) left[x + i], 8);
    memcpy (&weights, weight + x, 8);
    pixels = _mm256_setr_epi64x ((gint64) pairs[0], (gint64) pairs[1], (gint64) pairs[2], (gint64) pairs[3]);
    pixels = _mm256_shuffle_epi32 (pixels, 0xd8);
    here = _mm256_unpacklo_epi8 (pixels, zero);
    step = _mm256_sub_epi16 (_mm256_unpackhi_epi8 (pixels, zero), here);
    step =
        _mm256_mulhrs_epi16 (step, _mm256_slli_epi16 (_mm256_shuffle_epi8 (_mm256_set1_epi64x (weights), spread), 7));
    here = _mm256_add_epi16 (here, step);
    here = _mm256_permute4x64_epi64 (_mm256_packus_epi16 (here, here), 0x08);
    _mm_storeu_si128 ((__m128i *) (dst + 4 * (gsize) x), _mm256_castsi256_si128 (here));
  }
  return x;
}

static inline __attribute__ ((always_inline)) void
finish_boxes (const guint16 *sums, guint8 *dst, gint n_boxes, gint box_px, gfloat reciprocal)
{
  const __m128i zero = _mm_setzero_si128 ();
  const __m128 factor = _mm_set1_ps (reciprocal), half = _mm_set1_ps (0.5f);
  gint x, i;

  for (x = 0; x < n_boxes; x++, dst += 4) {
    __m128i sum = zero;
    gint32 pixel;

    for (i = 0; i < box_px; i++, sums += 4)
      sum = _mm_add_epi32 (sum, _mm_unpacklo_epi16 (_mm_loadl_epi64 ((const __m128i *) sums), zero));
    sum = _mm_cvttps_epi32 (_mm_add_ps (_mm_mul_ps (_mm_cvtepi32_ps (sum), factor), half));
    sum = _mm_packs_epi32 (sum, sum);
    pixel = _mm_cvtsi128_si32 (_mm_packus_epi16 (sum, sum));
    memcpy (dst, &pixel, 4);
  }
}

void
gst_ba_finish_boxes_sse2 (const guint16 *sums, guint8 *dst, gint n_boxes, gint box_px, gfloat reciprocal)
{
  if (box_px == 2)
    finish_boxes (sums, dst, n_boxes, 2, reciprocal);
  else if (box_px == 3)
    finish_boxes (sums, dst, n_boxes, 3, reciprocal);
  else
    finish_boxes (sums, dst, n_boxes, box_px, reciprocal);
}

#endif /* __x86_64__ */
