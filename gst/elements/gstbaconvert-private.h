/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbaconvert-private.h: what the files of the converter share, and its unit test looks at.
 *
 * Everything in here works on one row. A "picture row" is the common form between reading and writing: 32 bits per
 * pixel, bytes B G R x in this order (libyuv calls it ARGB), x being 255. A row function reads exactly the samples that
 * belong to the pixels it is asked for and writes exactly these pixels: nothing behind the last one is touched, in
 * neither buffer, and the destination is never read (it may be the page).
 */
#pragma once

#include "gstbaconvert.h"

#include <libyuv.h>

G_BEGIN_DECLS

/* The loops marked with this are plain C that GCC turns into vector code at -O3 only, whatever the build type is. */
#if defined(__GNUC__) && !defined(__clang__)
#define GST_BA_HOT __attribute__ ((optimize ("O3")))
#else
#define GST_BA_HOT
#endif

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
  GST_BA_ROW_PLANAR10_2, /* 10 bits in the low end of 16, little endian; one U and V for two pixels */
  GST_BA_ROW_UV10_2, /* 10 bits in the high end of 16, little endian; one UV pair for two pixels */
} GstBaRowLayout;

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
const struct YuvConstants *gst_ba_yuv_libyuv_constants (const GstVideoInfo *info);
GstBaYuvKernel gst_ba_yuv_best_kernel (void);
void gst_ba_yuv_row (GstBaYuvKernel kernel, const GstBaYuvFactors *factors, GstBaRowLayout layout, const GstBaRow *row,
                     guint8 *dst, gint width_px);

/* gstbaconvert-rows.c: picture rows from every input format, and to every page format. */

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
  guint8 r_shift, g_shift, b_shift, a_shift; /* of the pixel as one little endian number */
  gboolean green6;
  guint32 gray[256];
  guint8 *samples[2]; /* (owned) (nullable) packed Y'CbCr taken apart: Y, and UV pairs */
};

typedef struct _GstBaWriter GstBaWriter;
typedef void (*GstBaWriteRow) (const GstBaWriter *writer, const guint8 *src, guint8 *dst, gint width_px);

struct _GstBaWriter
{
  GstBaWriteRow write; /* NULL: the page wants picture rows as they are */
  gint pixel_bytes;
  guint8 r_shift, g_shift, b_shift, a_shift;
};

gboolean gst_ba_reader_supports (GstVideoFormat format);
gboolean gst_ba_reader_init (GstBaReader *reader, const GstVideoInfo *info, gint width_px);
void gst_ba_reader_finish (GstBaReader *reader);
gboolean gst_ba_writer_supports (GstVideoFormat format);
gboolean gst_ba_writer_init (GstBaWriter *writer, GstVideoFormat format);

/* gstbaconvert-scale.c */
typedef struct _GstBaScaler GstBaScaler;

GstBaScaler *gst_ba_scaler_new (const GstVideoRectangle *crop, gint width_px, gint height_px);
void gst_ba_scaler_frame (GstBaScaler *scaler, const GstBaReader *reader, const GstBaWriter *writer,
                          const GstVideoFrame *frame, guint8 *out, gint out_stride_bytes);
void gst_ba_scaler_free (GstBaScaler *scaler);

/* Pixel x of @dst is pixel left[x] of @src and weight[x] / 256 of the way to the one after it, which must exist. */
void gst_ba_scale_row_c (const guint8 *src, const gint32 *left, const guint16 *weight, guint8 *dst, gint first_px,
                         gint width_px);
#ifdef __x86_64__
gint gst_ba_scale_row_sse2 (const guint8 *src, const gint32 *left, const guint16 *weight, guint8 *dst, gint width_px);
#endif

G_END_DECLS
