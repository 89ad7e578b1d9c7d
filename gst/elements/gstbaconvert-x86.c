/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbaconvert-x86.c: the Y'CbCr kernels for x86-64, 32 pixels at a time with AVX2 or 16 with SSE2.
 *
 * The same arithmetic as gst_ba_yuv_kernel_c(), bit for bit: the high half of a 16 × 16 bit product is one instruction
 * here (pmulhw), so the factors need not be squeezed into 8 bits as in libyuv's kernels. Chroma is multiplied before it
 * is doubled to two pixels. In the AVX2 part "low" and "high" mean pixels 0-7 and 8-15 of each half of 32, which is the
 * order unpacklo and unpackhi leave behind; the last unpack and pack put everything back in order.
 */
#ifdef __x86_64__

#include "gstbaconvert-private.h"
#include <immintrin.h>

#define AVX2_INLINE static inline __attribute__ ((always_inline, target ("avx2")))
#define SSE2_INLINE static inline __attribute__ ((always_inline))

typedef struct
{
  __m256i u, v;
} Chroma256;

typedef struct
{
  __m256i b, g, r;
} Terms256;

typedef struct
{
  __m128i b, g, r;
} Terms128;

AVX2_INLINE __m256i
load256 (const void *p)
{
  return _mm256_loadu_si256 ((const __m256i *) p);
}

/* 16 samples of U and of V as signed numbers that fill 16 bits */
AVX2_INLINE Chroma256
load_chroma_avx2 (GstBaRowLayout layout, const GstBaRow *row, gint x)
{
  const __m256i middle = _mm256_set1_epi16 ((short) 0x8000);
  const __m256i upper = _mm256_set1_epi16 ((short) 0xff00);
  Chroma256 c;

  if (layout == GST_BA_ROW_PLANAR_2) {
    c.u = _mm256_slli_epi16 (_mm256_cvtepu8_epi16 (_mm_loadu_si128 ((const __m128i *) (row->u + x / 2))), 8);
    c.v = _mm256_slli_epi16 (_mm256_cvtepu8_epi16 (_mm_loadu_si128 ((const __m128i *) (row->v + x / 2))), 8);
  } else if (layout == GST_BA_ROW_UV_2 || layout == GST_BA_ROW_VU_2) {
    const __m256i pairs = load256 (row->u + x);
    const __m256i first = _mm256_slli_epi16 (pairs, 8);
    const __m256i second = _mm256_and_si256 (pairs, upper);

    c.u = layout == GST_BA_ROW_UV_2 ? first : second;
    c.v = layout == GST_BA_ROW_UV_2 ? second : first;
  } else if (layout == GST_BA_ROW_PLANAR10_2) {
    c.u = _mm256_slli_epi16 (load256 (row->u + x), 6);
    c.v = _mm256_slli_epi16 (load256 (row->v + x), 6);
  } else {
    const guint8 *pairs = layout == GST_BA_ROW_UV10_2 ? row->u : row->y;
    __m256i a = load256 (pairs + 2 * x), b = load256 (pairs + 2 * x + 32);
    const __m256i low_half = _mm256_set1_epi32 (0xffff);

    if (layout == GST_BA_ROW_YUYV_2) {
      a = _mm256_and_si256 (a, upper);
      b = _mm256_and_si256 (b, upper);
    } else if (layout == GST_BA_ROW_UYVY_2) {
      a = _mm256_slli_epi16 (a, 8);
      b = _mm256_slli_epi16 (b, 8);
    }

    c.u = _mm256_packus_epi32 (_mm256_and_si256 (a, low_half), _mm256_and_si256 (b, low_half));
    c.v = _mm256_packus_epi32 (_mm256_srli_epi32 (a, 16), _mm256_srli_epi32 (b, 16));
    c.u = _mm256_permute4x64_epi64 (c.u, 0xd8);
    c.v = _mm256_permute4x64_epi64 (c.v, 0xd8);
  }
  c.u = _mm256_xor_si256 (c.u, middle);
  c.v = _mm256_xor_si256 (c.v, middle);
  return c;
}

AVX2_INLINE Terms256
chroma_terms_avx2 (const GstBaYuvFactors *f, Chroma256 c)
{
  Terms256 t;

  t.b = _mm256_mulhi_epi16 (c.u, _mm256_set1_epi16 (f->u_to_b));
  t.r = _mm256_mulhi_epi16 (c.v, _mm256_set1_epi16 (f->v_to_r));
  t.g = _mm256_add_epi16 (_mm256_mulhi_epi16 (c.u, _mm256_set1_epi16 (f->u_to_g)),
                          _mm256_mulhi_epi16 (c.v, _mm256_set1_epi16 (f->v_to_g)));
  return t;
}

AVX2_INLINE __m256i
finish_avx2 (__m256i y_low, __m256i y_high, __m256i low, __m256i high)
{
  return _mm256_packus_epi16 (_mm256_srai_epi16 (_mm256_add_epi16 (y_low, low), 5),
                              _mm256_srai_epi16 (_mm256_add_epi16 (y_high, high), 5));
}

AVX2_INLINE void
store256 (guint8 *dst, __m256i v)
{
  _mm256_storeu_si256 ((__m256i *) dst, v);
}

AVX2_INLINE gint
kernel_avx2 (const GstBaYuvFactors *f, GstBaRowLayout layout, const GstBaRow *row, guint8 *dst, gint x, gint width_px)
{
  const __m256i zero = _mm256_setzero_si256 ();
  const __m256i opaque = _mm256_set1_epi8 ((char) 0xff);
  const __m256i y_gain = _mm256_set1_epi16 ((short) f->y_gain);
  const __m256i bias = _mm256_set1_epi16 (f->bias);

  for (; width_px - x >= 32; x += 32) {
    __m256i y_low, y_high, b, g, r, bg_low, bg_high, rx_low, rx_high, p0, p1, p2, p3;
    Terms256 low, high;
    guint8 *d = dst + 4 * (gsize) x;

    if (layout >= GST_BA_ROW_YUYV_2) {
      const __m256i a = load256 (row->y + 2 * x), c = load256 (row->y + 2 * x + 32);
      const __m256i upper = _mm256_set1_epi16 ((short) 0xff00);

      y_low = _mm256_permute2x128_si256 (a, c, 0x20);
      y_high = _mm256_permute2x128_si256 (a, c, 0x31);
      if (layout == GST_BA_ROW_PLANAR10_2) {
        y_low = _mm256_slli_epi16 (y_low, 6);
        y_high = _mm256_slli_epi16 (y_high, 6);
      } else if (layout == GST_BA_ROW_YUYV_2) {
        y_low = _mm256_slli_epi16 (y_low, 8);
        y_high = _mm256_slli_epi16 (y_high, 8);
      } else if (layout == GST_BA_ROW_UYVY_2) {
        y_low = _mm256_and_si256 (y_low, upper);
        y_high = _mm256_and_si256 (y_high, upper);
      }
    } else {
      const __m256i y = load256 (row->y + x);

      y_low = _mm256_unpacklo_epi8 (zero, y);
      y_high = _mm256_unpackhi_epi8 (zero, y);
    }
    y_low = _mm256_add_epi16 (_mm256_mulhi_epu16 (y_low, y_gain), bias);
    y_high = _mm256_add_epi16 (_mm256_mulhi_epu16 (y_high, y_gain), bias);

    if (layout == GST_BA_ROW_PLANAR_1) {
      const __m256i middle = _mm256_set1_epi16 ((short) 0x8000);
      const __m256i u = load256 (row->u + x), v = load256 (row->v + x);

      low = chroma_terms_avx2 (f, (Chroma256){ _mm256_xor_si256 (_mm256_unpacklo_epi8 (zero, u), middle),
                                               _mm256_xor_si256 (_mm256_unpacklo_epi8 (zero, v), middle) });
      high = chroma_terms_avx2 (f, (Chroma256){ _mm256_xor_si256 (_mm256_unpackhi_epi8 (zero, u), middle),
                                                _mm256_xor_si256 (_mm256_unpackhi_epi8 (zero, v), middle) });
    } else {
      const Terms256 t = chroma_terms_avx2 (f, load_chroma_avx2 (layout, row, x));

      low.b = _mm256_unpacklo_epi16 (t.b, t.b);
      low.g = _mm256_unpacklo_epi16 (t.g, t.g);
      low.r = _mm256_unpacklo_epi16 (t.r, t.r);
      high.b = _mm256_unpackhi_epi16 (t.b, t.b);
      high.g = _mm256_unpackhi_epi16 (t.g, t.g);
      high.r = _mm256_unpackhi_epi16 (t.r, t.r);
    }

    b = finish_avx2 (y_low, y_high, low.b, high.b);
    g = finish_avx2 (y_low, y_high, low.g, high.g);
    r = finish_avx2 (y_low, y_high, low.r, high.r);
    bg_low = _mm256_unpacklo_epi8 (b, g);
    bg_high = _mm256_unpackhi_epi8 (b, g);
    rx_low = _mm256_unpacklo_epi8 (r, opaque);
    rx_high = _mm256_unpackhi_epi8 (r, opaque);
    p0 = _mm256_unpacklo_epi16 (bg_low, rx_low);
    p1 = _mm256_unpackhi_epi16 (bg_low, rx_low);
    p2 = _mm256_unpacklo_epi16 (bg_high, rx_high);
    p3 = _mm256_unpackhi_epi16 (bg_high, rx_high);
    store256 (d, _mm256_permute2x128_si256 (p0, p1, 0x20));
    store256 (d + 32, _mm256_permute2x128_si256 (p2, p3, 0x20));
    store256 (d + 64, _mm256_permute2x128_si256 (p0, p1, 0x31));
    store256 (d + 96, _mm256_permute2x128_si256 (p2, p3, 0x31));
  }
  return x;
}

SSE2_INLINE __m128i
load128 (const void *p)
{
  return _mm_loadu_si128 ((const __m128i *) p);
}

SSE2_INLINE Terms128
chroma_terms_sse2 (const GstBaYuvFactors *f, __m128i u, __m128i v)
{
  const __m128i middle = _mm_set1_epi16 ((short) 0x8000);
  Terms128 t;

  u = _mm_xor_si128 (u, middle);
  v = _mm_xor_si128 (v, middle);
  t.b = _mm_mulhi_epi16 (u, _mm_set1_epi16 (f->u_to_b));
  t.r = _mm_mulhi_epi16 (v, _mm_set1_epi16 (f->v_to_r));
  t.g =
      _mm_add_epi16 (_mm_mulhi_epi16 (u, _mm_set1_epi16 (f->u_to_g)), _mm_mulhi_epi16 (v, _mm_set1_epi16 (f->v_to_g)));
  return t;
}

/* 8 pairs of chroma samples */
SSE2_INLINE Terms128
load_terms_sse2 (const GstBaYuvFactors *f, GstBaRowLayout layout, const GstBaRow *row, gint x)
{
  const __m128i zero = _mm_setzero_si128 ();
  __m128i u, v;

  if (layout == GST_BA_ROW_PLANAR_2) {
    u = _mm_unpacklo_epi8 (zero, _mm_loadl_epi64 ((const __m128i *) (row->u + x / 2)));
    v = _mm_unpacklo_epi8 (zero, _mm_loadl_epi64 ((const __m128i *) (row->v + x / 2)));
  } else if (layout == GST_BA_ROW_UV_2 || layout == GST_BA_ROW_VU_2) {
    const __m128i pairs = load128 (row->u + x);
    const __m128i first = _mm_slli_epi16 (pairs, 8);
    const __m128i second = _mm_and_si128 (pairs, _mm_set1_epi16 ((short) 0xff00));

    u = layout == GST_BA_ROW_UV_2 ? first : second;
    v = layout == GST_BA_ROW_UV_2 ? second : first;
  } else if (layout == GST_BA_ROW_PLANAR10_2) {
    u = _mm_slli_epi16 (load128 (row->u + x), 6);
    v = _mm_slli_epi16 (load128 (row->v + x), 6);
  } else {
    /* SSE2 packs 32 bits to 16 with signed saturation only: extend the sign first and it is exact */
    const guint8 *pairs = layout == GST_BA_ROW_UV10_2 ? row->u : row->y;
    const __m128i upper = _mm_set1_epi16 ((short) 0xff00);
    __m128i a = load128 (pairs + 2 * x), b = load128 (pairs + 2 * x + 16);

    if (layout == GST_BA_ROW_YUYV_2) {
      a = _mm_and_si128 (a, upper);
      b = _mm_and_si128 (b, upper);
    } else if (layout == GST_BA_ROW_UYVY_2) {
      a = _mm_slli_epi16 (a, 8);
      b = _mm_slli_epi16 (b, 8);
    }

    u = _mm_packs_epi32 (_mm_srai_epi32 (_mm_slli_epi32 (a, 16), 16), _mm_srai_epi32 (_mm_slli_epi32 (b, 16), 16));
    v = _mm_packs_epi32 (_mm_srai_epi32 (a, 16), _mm_srai_epi32 (b, 16));
  }
  return chroma_terms_sse2 (f, u, v);
}

SSE2_INLINE __m128i
finish_sse2 (__m128i y_low, __m128i y_high, __m128i low, __m128i high)
{
  return _mm_packus_epi16 (_mm_srai_epi16 (_mm_add_epi16 (y_low, low), 5),
                           _mm_srai_epi16 (_mm_add_epi16 (y_high, high), 5));
}

SSE2_INLINE gint
kernel_sse2 (const GstBaYuvFactors *f, GstBaRowLayout layout, const GstBaRow *row, guint8 *dst, gint x, gint width_px)
{
  const __m128i zero = _mm_setzero_si128 ();
  const __m128i opaque = _mm_set1_epi8 ((char) 0xff);
  const __m128i y_gain = _mm_set1_epi16 ((short) f->y_gain);
  const __m128i bias = _mm_set1_epi16 (f->bias);

  for (; width_px - x >= 16; x += 16) {
    __m128i y_low, y_high, b, g, r, bg, rx;
    __m128i *d = (__m128i *) (dst + 4 * (gsize) x);
    Terms128 low, high;

    if (layout == GST_BA_ROW_PLANAR10_2) {
      y_low = _mm_slli_epi16 (load128 (row->y + 2 * x), 6);
      y_high = _mm_slli_epi16 (load128 (row->y + 2 * x + 16), 6);
    } else if (layout == GST_BA_ROW_YUYV_2) {
      y_low = _mm_slli_epi16 (load128 (row->y + 2 * x), 8);
      y_high = _mm_slli_epi16 (load128 (row->y + 2 * x + 16), 8);
    } else if (layout == GST_BA_ROW_UYVY_2) {
      y_low = _mm_and_si128 (load128 (row->y + 2 * x), _mm_set1_epi16 ((short) 0xff00));
      y_high = _mm_and_si128 (load128 (row->y + 2 * x + 16), _mm_set1_epi16 ((short) 0xff00));
    } else if (layout == GST_BA_ROW_UV10_2) {
      y_low = load128 (row->y + 2 * x);
      y_high = load128 (row->y + 2 * x + 16);
    } else {
      const __m128i y = load128 (row->y + x);

      y_low = _mm_unpacklo_epi8 (zero, y);
      y_high = _mm_unpackhi_epi8 (zero, y);
    }
    y_low = _mm_add_epi16 (_mm_mulhi_epu16 (y_low, y_gain), bias);
    y_high = _mm_add_epi16 (_mm_mulhi_epu16 (y_high, y_gain), bias);

    if (layout == GST_BA_ROW_PLANAR_1) {
      const __m128i u = load128 (row->u + x), v = load128 (row->v + x);

      low = chroma_terms_sse2 (f, _mm_unpacklo_epi8 (zero, u), _mm_unpacklo_epi8 (zero, v));
      high = chroma_terms_sse2 (f, _mm_unpackhi_epi8 (zero, u), _mm_unpackhi_epi8 (zero, v));
    } else {
      const Terms128 t = load_terms_sse2 (f, layout, row, x);

      low.b = _mm_unpacklo_epi16 (t.b, t.b);
      low.g = _mm_unpacklo_epi16 (t.g, t.g);
      low.r = _mm_unpacklo_epi16 (t.r, t.r);
      high.b = _mm_unpackhi_epi16 (t.b, t.b);
      high.g = _mm_unpackhi_epi16 (t.g, t.g);
      high.r = _mm_unpackhi_epi16 (t.r, t.r);
    }

    b = finish_sse2 (y_low, y_high, low.b, high.b);
    g = finish_sse2 (y_low, y_high, low.g, high.g);
    r = finish_sse2 (y_low, y_high, low.r, high.r);
    bg = _mm_unpacklo_epi8 (b, g);
    rx = _mm_unpacklo_epi8 (r, opaque);
    _mm_storeu_si128 (d, _mm_unpacklo_epi16 (bg, rx));
    _mm_storeu_si128 (d + 1, _mm_unpackhi_epi16 (bg, rx));
    bg = _mm_unpackhi_epi8 (b, g);
    rx = _mm_unpackhi_epi8 (r, opaque);
    _mm_storeu_si128 (d + 2, _mm_unpacklo_epi16 (bg, rx));
    _mm_storeu_si128 (d + 3, _mm_unpackhi_epi16 (bg, rx));
  }
  return x;
}

#define DISPATCH(kernel)                                                                                               \
  switch (layout) {                                                                                                    \
    case GST_BA_ROW_PLANAR_2:                                                                                          \
      return kernel (factors, GST_BA_ROW_PLANAR_2, row, dst, first_px, width_px);                                      \
    case GST_BA_ROW_PLANAR_1:                                                                                          \
      return kernel (factors, GST_BA_ROW_PLANAR_1, row, dst, first_px, width_px);                                      \
    case GST_BA_ROW_UV_2:                                                                                              \
      return kernel (factors, GST_BA_ROW_UV_2, row, dst, first_px, width_px);                                          \
    case GST_BA_ROW_VU_2:                                                                                              \
      return kernel (factors, GST_BA_ROW_VU_2, row, dst, first_px, width_px);                                          \
    case GST_BA_ROW_YUYV_2:                                                                                            \
      return kernel (factors, GST_BA_ROW_YUYV_2, row, dst, first_px, width_px);                                        \
    case GST_BA_ROW_UYVY_2:                                                                                            \
      return kernel (factors, GST_BA_ROW_UYVY_2, row, dst, first_px, width_px);                                        \
    case GST_BA_ROW_PLANAR10_2:                                                                                        \
      return kernel (factors, GST_BA_ROW_PLANAR10_2, row, dst, first_px, width_px);                                    \
    case GST_BA_ROW_UV10_2:                                                                                            \
      return kernel (factors, GST_BA_ROW_UV10_2, row, dst, first_px, width_px);                                        \
  }

__attribute__ ((target ("avx2"))) gint
gst_ba_yuv_kernel_avx2 (const GstBaYuvFactors *factors, GstBaRowLayout layout, const GstBaRow *row, guint8 *dst,
                        gint first_px, gint width_px)
{
  DISPATCH (kernel_avx2)
  g_return_val_if_reached (first_px);
}

gint
gst_ba_yuv_kernel_sse2 (const GstBaYuvFactors *factors, GstBaRowLayout layout, const GstBaRow *row, guint8 *dst,
                        gint first_px, gint width_px)
{
  DISPATCH (kernel_sse2)
  g_return_val_if_reached (first_px);
}

#endif /* __x86_64__ */
