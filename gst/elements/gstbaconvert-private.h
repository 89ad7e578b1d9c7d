/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbaconvert-private.h: what the files of the converter share, and its unit test looks at.
 *
 * A picture goes through four stages, row by row: read (any format to picture rows), turn, scale, write (picture rows
 * to the page's format). A "picture row" is the common form between them: 32 bits per pixel, bytes B G R x in this
 * order, x being 255. A row function reads exactly the samples that belong to the pixels it is
 * asked for and writes exactly these pixels: nothing behind the last one is touched, in neither buffer, and the
 * destination is never read (it may be the page).
 *
 * What a stage was set up with is const from then on and shared by all threads; what it remembers from row to row is in
 * a state of its own, one for each thread.
 */
#pragma once

#include "gstbaconvert.h"

G_BEGIN_DECLS

/* The loops marked with this are plain C that GCC turns into vector code at -O3 only, whatever the build type is. */
#if defined(__GNUC__) && !defined(__clang__)
#define GST_BA_HOT __attribute__ ((optimize ("O3")))
#else
#define GST_BA_HOT
#endif

/* Into a GST_BA_HOT function nothing is inlined that does not insist. */
#define GST_BA_INLINE static inline __attribute__ ((always_inline))

/* Makes the static function @name, which does what the inline name_inline does, and on x86-64 a second one of the same
 * C that may use AVX2; GST_BA_PICK() is the one for this processor. */
#ifdef __x86_64__
#define GST_BA_VARIANTS(name, parameters, arguments)                                                                   \
  static GST_BA_HOT void name parameters                                                                               \
  {                                                                                                                    \
    name##_inline arguments;                                                                                           \
  }                                                                                                                    \
  static GST_BA_HOT __attribute__ ((target ("avx2"))) void name##_avx2 parameters                                      \
  {                                                                                                                    \
    name##_inline arguments;                                                                                           \
  }
#define GST_BA_PICK(name) (__builtin_cpu_supports ("avx2") ? name##_avx2 : name)
#else
#define GST_BA_VARIANTS(name, parameters, arguments)                                                                   \
  static GST_BA_HOT void name parameters                                                                               \
  {                                                                                                                    \
    name##_inline arguments;                                                                                           \
  }
#define GST_BA_PICK(name) name
#endif

GST_BA_INLINE guint32
gst_ba_load32 (const guint8 *p)
{
  guint32 v;

  memcpy (&v, p, sizeof (v));
  return GUINT32_FROM_LE (v);
}

GST_BA_INLINE void
gst_ba_store32 (guint8 *p, guint32 v)
{
  v = GUINT32_TO_LE (v);
  memcpy (p, &v, sizeof (v));
}

/* Y'CbCr to R'G'B' with 16 bit factors; gst_ba_yuv_factors_init() knows their scale. */
typedef struct
{
  guint16 y_gain;
  gint16 u_to_b;
  gint16 u_to_g;
  gint16 v_to_g;
  gint16 v_to_r;
  gint16 bias;
} GstBaYuvFactors;

/* How the samples of a row lie in memory. */
typedef enum
{
  GST_BA_ROW_PLANAR_2, /* 8 bit Y, U, V; one U and V for two pixels */
  GST_BA_ROW_PLANAR_1, /* 8 bit Y, U, V; one U and V for each pixel */
  GST_BA_ROW_UV_2, /* 8 bit Y, UV pairs; one pair for two pixels */
  GST_BA_ROW_VU_2, /* the same, V first */
  GST_BA_ROW_YUYV_2, /* 8 bit, Y U Y V, all in y */
  GST_BA_ROW_UYVY_2, /* 8 bit, U Y V Y, all in y */
  GST_BA_ROW_PLANAR10_2, /* 10 bits in the low end of 16, little endian; one U and V for two pixels */
  GST_BA_ROW_UV10_2, /* 10 bits in the high end of 16, little endian; one UV pair for two pixels */
} GstBaRowLayout;

#define GST_BA_N_ROW_LAYOUTS (GST_BA_ROW_UV10_2 + 1)

typedef struct
{
  const guint8 *y;
  const guint8 *u; /* or the pairs */
  const guint8 *v;
} GstBaRow;

/* Converts the pixels from @first_px (even) to before @width_px and returns the one it stopped at: the vector kernels
 * do whole groups only and leave the rest to the next kernel. All kernels give the same result bit for bit. */
typedef gint (*GstBaYuvKernel) (const GstBaYuvFactors *factors, GstBaRowLayout layout, const GstBaRow *row, guint8 *dst,
                                gint first_px, gint width_px);

gint gst_ba_yuv_kernel_c (const GstBaYuvFactors *factors, GstBaRowLayout layout, const GstBaRow *row, guint8 *dst,
                          gint first_px, gint width_px);
#ifdef __x86_64__
gint gst_ba_yuv_kernel_sse2 (const GstBaYuvFactors *factors, GstBaRowLayout layout, const GstBaRow *row, guint8 *dst,
                             gint first_px, gint width_px);
gint gst_ba_yuv_kernel_avx2 (const GstBaYuvFactors *factors, GstBaRowLayout layout, const GstBaRow *row, guint8 *dst,
                             gint first_px, gint width_px);
#endif

/* gstbaconvert-yuv.c */
void gst_ba_yuv_factors_init (GstBaYuvFactors *factors, const GstVideoInfo *info);
/* the shares of red and blue in luma; green has the rest */
void gst_ba_yuv_luma_weights (const GstVideoInfo *info, gdouble *red, gdouble *blue);
GstBaYuvKernel gst_ba_yuv_best_kernel (void);
void gst_ba_yuv_row (GstBaYuvKernel kernel, const GstBaYuvFactors *factors, GstBaRowLayout layout, const GstBaRow *row,
                     guint8 *dst, gint width_px);

/* gstbaconvert-read.c: picture rows of every input format */

typedef struct
{
  GstVideoFormat format;
  guint8 pixel_bytes;
  guint8 r_shift, g_shift, b_shift, a_shift; /* of the pixel as one little endian number */
  gboolean alpha;
} GstBaRgbFormat;

/* (nullable): not such a format */
const GstBaRgbFormat *gst_ba_rgb_format (GstVideoFormat format);
gboolean gst_ba_rgb_format_has_green6 (GstVideoFormat format);

typedef struct _GstBaReader GstBaReader;

/* Reads @width_px pixels at (@x_px, @y_px) of @frame into the picture row @dst. */
typedef void (*GstBaReadRow) (const GstBaReader *reader, const GstVideoFrame *frame, gint x_px, gint y_px,
                              gint width_px, guint8 *dst);

struct _GstBaReader
{
  GstBaReadRow read;
  GstBaYuvKernel kernel;
  GstBaYuvFactors factors;
  GstBaRowLayout layout;
  guint8 y_shift; /* chroma row = row >> y_shift */
  guint8 r_shift, g_shift, b_shift, a_shift;
  gboolean green6;
};

gboolean gst_ba_reader_supports (GstVideoFormat format);
/* @gray_only: whether the page shows no colours. FALSE: a format without a reader. */
gboolean gst_ba_reader_init (GstBaReader *reader, const GstVideoInfo *info, gboolean gray_only);

/* gstbaconvert-turn.c: rows of the turned crop */

typedef struct
{
  const GstBaReader *reader;
  GstVideoRectangle crop;
  gint width_px, height_px; /* turned */
  gboolean transposed; /* rows of the turned picture are columns of the crop */
  gboolean flip_x, flip_y; /* of the turned picture */
  gint band_px; /* columns of the crop in a band */
  gsize band_stride_bytes;
} GstBaTurn;

typedef struct
{
  guint8 *line; /* (nullable): a row of the crop, to be mirrored */
  guint8 *tile; /* (nullable): a few rows of a band of columns */
  guint8 *band; /* (nullable): the band, turned */
  gint band_number; /* what is in the band, -1 = nothing */
} GstBaTurnState;

/* FALSE: not a direction */
gboolean gst_ba_turn_init (GstBaTurn *turn, const GstBaReader *reader, const GstVideoRectangle *crop,
                           GstVideoOrientationMethod direction);
gboolean gst_ba_turn_state_init (const GstBaTurn *turn, GstBaTurnState *state);
void gst_ba_turn_state_finish (GstBaTurnState *state);
/* Row @n, in @dst or in a buffer of @state with room for one pixel more, which holds until the next call. */
guint8 *gst_ba_turn_row (const GstBaTurn *turn, GstBaTurnState *state, const GstVideoFrame *frame, gint n, guint8 *dst);
/* @dst[x] row y = @src[y] row x: @width_px pixels of each of @height_px rows of @src */
void gst_ba_transpose (const guint8 *src, gsize src_stride_bytes, guint8 *dst, gsize dst_stride_bytes, gint width_px,
                       gint height_px);

/* gstbaconvert-scale.c */
typedef struct _GstBaScaler GstBaScaler;
typedef struct _GstBaScalerState GstBaScalerState;

GstBaScaler *gst_ba_scaler_new (const GstBaTurn *turn, gint width_px, gint height_px);
void gst_ba_scaler_free (GstBaScaler *scaler);
GstBaScalerState *gst_ba_scaler_state_new (const GstBaScaler *scaler);
void gst_ba_scaler_state_free (GstBaScalerState *state);
/* What the state remembers belongs to another picture. */
void gst_ba_scaler_state_reset (GstBaScalerState *state);
/* Row @n of the scaled picture, in @dst or in a buffer of @state that holds until the next call. */
const guint8 *gst_ba_scaler_row (const GstBaScaler *scaler, GstBaScalerState *state, GstBaTurnState *turn_state,
                                 const GstVideoFrame *frame, gint n, guint8 *dst);

/* Pixel x of @dst is pixel left[x] of @src and weight[x] / 256 of the way to the one after it, which must exist. The
 * others do whole groups from pixel 0 on, and return where they stopped. */
void gst_ba_scale_row_c (const guint8 *src, const gint32 *left, const guint16 *weight, guint8 *dst, gint first_px,
                         gint width_px);
#ifdef __x86_64__
gint gst_ba_scale_row_sse2 (const guint8 *src, const gint32 *left, const guint16 *weight, guint8 *dst, gint width_px);
gint gst_ba_scale_row_avx2 (const guint8 *src, const gint32 *left, const guint16 *weight, guint8 *dst, gint width_px);
#endif

/* @sums: the channels of each pixel, added up over the lines of a box; each pixel of @dst is the sum of the next
 * @box_px of them times @reciprocal, rounded. */
void gst_ba_finish_boxes_c (const guint16 *sums, guint8 *dst, gint n_boxes, gint box_px, gfloat reciprocal);
#ifdef __x86_64__
void gst_ba_finish_boxes_sse2 (const guint16 *sums, guint8 *dst, gint n_boxes, gint box_px, gfloat reciprocal);
#endif

/* gstbaconvert-rows.c: rows of plain pixels */

/* 24 bits per pixel, red or blue in the first byte */
void gst_ba_row_from_24 (const guint8 *src, guint8 *dst, gint width_px, gboolean red_first);
void gst_ba_row_to_24 (const guint8 *src, guint8 *dst, gint width_px, gboolean red_first);
/* The last pixel first. */
void gst_ba_row_mirror (const guint8 *src, guint8 *dst, gint width_px);
/* @weight / 256 of the way from @upper to @lower. */
void gst_ba_row_mix (const guint8 *upper, const guint8 *lower, guint16 weight, guint8 *dst, gint width_px);

/* gstbaconvert-write.c: rows of every page format */

#define GST_BA_PATTERN_PX 16

typedef struct _GstBaWriter GstBaWriter;

/* @y_px: row of the page */
typedef void (*GstBaWriteRow) (const GstBaWriter *writer, const guint8 *src, guint8 *dst, gint y_px, gint width_px);

struct _GstBaWriter
{
  GstBaWriteRow write; /* NULL: the page wants picture rows as they are */
  guint8 r_shift, g_shift, b_shift, a_shift;
  guint8 black; /* of 8 pixels of one bit */
  guint16 luma_r, luma_g, luma_b; /* of 32768 */
  guint8 pattern[GST_BA_PATTERN_PX][GST_BA_PATTERN_PX]; /* dither, beginning at the rectangle's first column */
};

gboolean gst_ba_writer_supports (const GstBaPageFormat *page);
/* @x_px: column of the page where rows begin */
gboolean gst_ba_writer_init (GstBaWriter *writer, const GstBaPageFormat *page, const GstVideoInfo *in_info, gint x_px);

/* gstbaconvert-threads.c: a job in slices, done by the caller and a few threads */

typedef struct _GstBaThreads GstBaThreads;

/* @worker: 0 for the thread that called gst_ba_threads_run() */
typedef void (*GstBaSliceFunc) (gpointer user_data, guint worker, guint slice);

/* (nullable): not one thread could be started. There may be fewer than the @n_workers, caller included, that are asked
 * for. */
GstBaThreads *gst_ba_threads_new (guint n_workers, GstBaSliceFunc func, gpointer user_data);
/* Returns when each of the slices is done. One call at a time. */
void gst_ba_threads_run (GstBaThreads *threads, guint n_slices);
void gst_ba_threads_free (GstBaThreads *threads);

G_END_DECLS
