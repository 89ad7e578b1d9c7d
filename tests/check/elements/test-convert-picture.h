/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-convert-picture.h: pictures with a float reference, and pages to convert them into, for test-convert*.c.
 *
 * The reference takes pictures apart with GStreamer's own unpack functions and does the colours in double; it shares
 * no table and no arithmetic with the converter. Planes and pages are allocated to the last byte that belongs to the
 * picture, so that a run under AddressSanitizer sees every sample too many.
 */
#pragma once

#include <check.h>
#include <gst/video/video.h>

#include <math.h>

#include "gstbaconvert.h"

#define GUARD 0xa5
#define LEFT_PX 3 /* where the rectangle lies in the page */
#define LEFT_BITS 8 /* the same where a pixel is one bit */
#define TOP_PX 2

static const GstVideoFormat inputs[] = {
  GST_VIDEO_FORMAT_I420,      GST_VIDEO_FORMAT_YV12,      GST_VIDEO_FORMAT_NV12,  GST_VIDEO_FORMAT_NV21,
  GST_VIDEO_FORMAT_YUY2,      GST_VIDEO_FORMAT_UYVY,      GST_VIDEO_FORMAT_Y42B,  GST_VIDEO_FORMAT_Y444,
  GST_VIDEO_FORMAT_I420_10LE, GST_VIDEO_FORMAT_P010_10LE, GST_VIDEO_FORMAT_NV16, GST_VIDEO_FORMAT_NV61,
  GST_VIDEO_FORMAT_GRAY8,     GST_VIDEO_FORMAT_BGRx,
  GST_VIDEO_FORMAT_RGBx,      GST_VIDEO_FORMAT_xRGB,      GST_VIDEO_FORMAT_xBGR,  GST_VIDEO_FORMAT_BGRA,
  GST_VIDEO_FORMAT_RGBA,      GST_VIDEO_FORMAT_ARGB,      GST_VIDEO_FORMAT_ABGR,  GST_VIDEO_FORMAT_RGB,
  GST_VIDEO_FORMAT_BGR,       GST_VIDEO_FORMAT_RGB16,     GST_VIDEO_FORMAT_BGR16, GST_VIDEO_FORMAT_RGB15,
  GST_VIDEO_FORMAT_BGR15,
};
#define N_YUV 13 /* the first of them */

/* for a loop test's number: the sub-case that failed */
#define WHAT_BYTES 160

typedef struct
{
  GstVideoColorMatrix matrix;
  gdouble kr, kb;
} Matrix;

static const Matrix matrices[] = {
  { GST_VIDEO_COLOR_MATRIX_BT601, 0.299, 0.114 },
  { GST_VIDEO_COLOR_MATRIX_BT709, 0.2126, 0.0722 },
  { GST_VIDEO_COLOR_MATRIX_BT2020, 0.2627, 0.0593 },
  { GST_VIDEO_COLOR_MATRIX_SMPTE240M, 0.212, 0.087 },
};

typedef struct
{
  GstVideoFrame frame; /* planes allocated one by one, to the last byte of the picture */
  gdouble *rgb; /* the reference: R, G, B of each pixel, 0 to 255; NAN where the colour is out of gamut */
} Picture;

typedef struct
{
  guint8 *bytes;
  gsize size_bytes, first_byte;
  gint stride_bytes, width_px, height_px;
  GstBaPageFormat out;
  const Matrix *luma; /* of gray pages */
} Page;

static guint32
rnd (guint32 *seed)
{
  *seed = *seed * 1664525u + 1013904223u;
  return *seed >> 8;
}

/* R, G, B of pixel (x, y); @a where the picture has alpha */
typedef void (*Painter) (gint x, gint y, gint width, gint height, gdouble *rgb, gdouble *a);

static void
paint_noise (gint x, gint y, gint width, gint height, gdouble *rgb, gdouble *a)
{
  guint32 block = (guint32) ((y / 2) * 4099 + x / 2) * 2654435761u + 99, pixel = (guint32) (y * 8209 + x) * 40503u + 7;
  const gdouble jitter = rnd (&pixel) % 17 - 8.0;
  gint i;

  (void) width;
  (void) height;
  for (i = 0; i < 3; i++)
    rgb[i] = CLAMP (rnd (&block) % 256 + jitter, 0, 255);
  *a = rnd (&pixel) % 256;
}

static gdouble flat_colour[3] = { 201, 87, 31 };

static void
paint_flat (gint x, gint y, gint width, gint height, gdouble *rgb, gdouble *a)
{
  (void) x, (void) y, (void) width, (void) height;
  memcpy (rgb, flat_colour, sizeof (flat_colour));
  *a = 255;
}

static const Matrix *
matrix_of (const GstVideoInfo *info)
{
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (matrices); i++)
    if (matrices[i].matrix == info->colorimetry.matrix)
      return &matrices[i];
  g_assert_not_reached ();
}

static gboolean
is_full (const GstVideoInfo *info)
{
  return info->colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255;
}

/* Fills @words (A R G B or A Y U V, 16 bits each) of one row. */
static void
paint_row (const GstVideoInfo *info, Painter paint, gint y, guint16 *words)
{
  const gint width = GST_VIDEO_INFO_WIDTH (info);
  gint x, i;

  for (x = 0; x < width; x++, words += 4) {
    gdouble c[3], a, yuv[3];

    paint (x, y, width, GST_VIDEO_INFO_HEIGHT (info), c, &a);
    words[0] = (guint16) (a * 257);
    if (GST_VIDEO_INFO_IS_RGB (info)) {
      for (i = 0; i < 3; i++)
        words[i + 1] = (guint16) (c[i] * 257);
    } else {
      const Matrix *m = matrix_of (info);
      const gdouble luma = m->kr * c[0] + (1 - m->kr - m->kb) * c[1] + m->kb * c[2];

      yuv[0] = is_full (info) ? luma : 16 + luma * 219 / 255;
      yuv[1] = 128 + (c[2] - luma) / 2 / (1 - m->kb) * (is_full (info) ? 1 : 224 / 255.0);
      yuv[2] = 128 + (c[0] - luma) / 2 / (1 - m->kr) * (is_full (info) ? 1 : 224 / 255.0);
      for (i = 0; i < 3; i++)
        words[i + 1] = (guint16) CLAMP (yuv[i] * 256 + 128, 0, 65535);
    }
  }
}

static void
reference_pixel (const GstVideoInfo *info, const gdouble *in, gdouble *rgb)
{
  gint i;

  if (GST_VIDEO_INFO_IS_RGB (info)) {
    for (i = 0; i < 3; i++)
      rgb[i] = GST_VIDEO_INFO_HAS_ALPHA (info) ? in[i + 1] * in[0] / 255 : in[i + 1];
  } else {
    const Matrix *m = matrix_of (info);
    const gint depth = (gint) GST_VIDEO_INFO_COMP_DEPTH (info, 0);
    const gdouble codes = 1 << (depth - 8), top = (1 << depth) - 1;
    const gdouble luma = is_full (info) ? in[1] / top : (in[1] - 16 * codes) / (219 * codes);
    const gdouble cb = (in[2] - 128 * codes) / (is_full (info) ? top : 224 * codes);
    const gdouble cr = (in[3] - 128 * codes) / (is_full (info) ? top : 224 * codes);

    rgb[0] = 255 * (luma + 2 * (1 - m->kr) * cr);
    rgb[2] = 255 * (luma + 2 * (1 - m->kb) * cb);
    rgb[1] = (255 * luma - m->kr * rgb[0] - m->kb * rgb[2]) / (1 - m->kr - m->kb);
  }
  if (MIN (MIN (rgb[0], rgb[1]), rgb[2]) < -0.5 || MAX (MAX (rgb[0], rgb[1]), rgb[2]) > 255.5)
    rgb[0] = rgb[1] = rgb[2] = NAN;
}

/* GStreamer 1.22 packs and unpacks the last pair of an odd width of NV61 the wrong way round (gstbaconvert must not): such
 * a picture is made as NV16, and all of its pairs turned round. */
static const GstVideoFormatInfo *
info_to_pack (const GstVideoInfo *info)
{
  return GST_VIDEO_INFO_FORMAT (info) == GST_VIDEO_FORMAT_NV61 ? gst_video_format_get_info (GST_VIDEO_FORMAT_NV16)
                                                               : info->finfo;
}

static void
turn_pairs_round (GstVideoFrame *frame)
{
  guint8 *pairs = frame->data[1];
  gint x, y;

  for (y = 0; y < GST_VIDEO_INFO_HEIGHT (&frame->info); y++, pairs += GST_VIDEO_INFO_PLANE_STRIDE (&frame->info, 1))
    for (x = 0; x + 1 < GST_VIDEO_INFO_PLANE_STRIDE (&frame->info, 1); x += 2) {
      const guint8 first = pairs[x];

      pairs[x] = pairs[x + 1];
      pairs[x + 1] = first;
    }
}

static void
picture_init (Picture *picture, const GstVideoInfo *info, Painter paint, gint padding_bytes)
{
  const gint width = GST_VIDEO_INFO_WIDTH (info), height = GST_VIDEO_INFO_HEIGHT (info);
  guint8 *memory = g_malloc0 (GST_VIDEO_INFO_SIZE (info));
  const GstVideoFormatInfo *finfo = info_to_pack (info);
  const GstVideoFormatInfo *unpacked = gst_video_format_get_info (finfo->unpack_format);
  const gboolean wide = GST_VIDEO_FORMAT_INFO_DEPTH (unpacked, 0) == 16;
  const gsize words = (gsize) width * 4 + 64;
  guint16 *row = g_new0 (guint16, words);
  guint8 *bytes = g_new0 (guint8, words);
  GstVideoFrame tight;
  gint x, y, i;
  guint plane;

  memset (&tight, 0, sizeof (tight));
  tight.info = *info;
  for (plane = 0; plane < GST_VIDEO_INFO_N_PLANES (info); plane++)
    tight.data[plane] = memory + GST_VIDEO_INFO_PLANE_OFFSET (info, plane);
  for (y = 0; y < height; y++) {
    paint_row (info, paint, y, row);
    for (i = 0; i < 4 * width; i++)
      bytes[i] = (guint8) (row[i] >> 8);
    finfo->pack_func (finfo, GST_VIDEO_PACK_FLAG_NONE, wide ? (gpointer) row : (gpointer) bytes, 0, tight.data,
                      tight.info.stride, GST_VIDEO_CHROMA_SITE_UNKNOWN, y, width);
  }

  picture->rgb = g_new (gdouble, (gsize) width * (gsize) height * 3);
  for (y = 0; y < height; y++) {
    finfo->unpack_func (finfo, GST_VIDEO_PACK_FLAG_TRUNCATE_RANGE * wide, wide ? (gpointer) row : (gpointer) bytes,
                        tight.data, tight.info.stride, 0, y, width);
    for (x = 0; x < width; x++) {
      gdouble in[4];

      for (i = 0; i < 4; i++)
        in[i] = wide ? row[4 * x + i] >> (16 - GST_VIDEO_INFO_COMP_DEPTH (info, 0)) : bytes[4 * x + i];
      reference_pixel (info, in, picture->rgb + 3 * ((gsize) y * width + x));
    }
  }

  if (finfo != info->finfo)
    turn_pairs_round (&tight);
  picture->frame = tight;
  for (plane = 0; plane < GST_VIDEO_FRAME_N_PLANES (&tight); plane++) {
    const gint component = plane == 0 ? 0 : 1;
    const gint rows = GST_VIDEO_FORMAT_INFO_SCALE_HEIGHT (finfo, component, height);
    gint used =
        GST_VIDEO_FORMAT_INFO_SCALE_WIDTH (finfo, component, width) * GST_VIDEO_FORMAT_INFO_PSTRIDE (finfo, component);
    gint stride;
    guint8 *copy;

    if (GST_VIDEO_INFO_FORMAT (info) == GST_VIDEO_FORMAT_YUY2 || GST_VIDEO_INFO_FORMAT (info) == GST_VIDEO_FORMAT_UYVY)
      used = 2 * GST_ROUND_UP_2 (width);
    stride = used + padding_bytes;
    copy = g_malloc ((gsize) stride * (gsize) (rows - 1) + (gsize) used);
    for (y = 0; y < rows; y++)
      memcpy (copy + (gsize) y * stride,
              (const guint8 *) tight.data[plane] + (gsize) y * GST_VIDEO_FRAME_PLANE_STRIDE (&tight, plane),
              (gsize) used);
    picture->frame.data[plane] = copy;
    picture->frame.info.stride[plane] = stride;
  }
  g_free (memory);
  g_free (row);
  g_free (bytes);
}

static void
picture_clear (Picture *picture)
{
  guint plane;

  for (plane = 0; plane < GST_VIDEO_FRAME_N_PLANES (&picture->frame); plane++)
    g_free (picture->frame.data[plane]);
  g_free (picture->rgb);
}

/* Bytes of @width_px pixels, as a program that knows no converter would count them. */
static gsize
row_bytes_of (const GstBaPageFormat *out, gint width_px)
{
  if (out->mono != GST_BA_MONO_NONE)
    return (gsize) (width_px / 8 + (width_px % 8 != 0));
  return (gsize) width_px * GST_VIDEO_FORMAT_INFO_PSTRIDE (gst_video_format_get_info (out->format), 0);
}

static GstBaConvertConfig
config_of (const Picture *picture, const GstVideoRectangle *crop, GstBaPageFormat out, gint width, gint height)
{
  return (GstBaConvertConfig){
    .in_info = &picture->frame.info,
    .crop = *crop,
    .out = out,
    .x_px = out.mono != GST_BA_MONO_NONE ? LEFT_BITS : LEFT_PX,
    .y_px = TOP_PX,
    .width_px = width,
    .height_px = height,
    .n_threads = 1,
  };
}

/* A page with guard bytes on all sides but the last, where the allocation ends with the last pixel. */
static void
page_init (Page *page, const GstBaConvertConfig *config)
{
  const gsize row_bytes = row_bytes_of (&config->out, config->width_px);

  page->out = config->out;
  page->width_px = config->width_px;
  page->height_px = config->height_px;
  page->luma = GST_VIDEO_INFO_IS_RGB (config->in_info) ? &matrices[0] : matrix_of (config->in_info);
  page->stride_bytes = (gint) row_bytes_of (&config->out, config->width_px + config->x_px) + 13;
  page->first_byte = (gsize) TOP_PX * page->stride_bytes + row_bytes_of (&config->out, config->x_px);
  page->size_bytes = page->first_byte + (gsize) (config->height_px - 1) * page->stride_bytes + row_bytes;
  page->bytes = g_malloc (page->size_bytes);
  memset (page->bytes, GUARD, page->size_bytes);
}

static void
page_check_guards (const Page *page)
{
  const gsize row_bytes = row_bytes_of (&page->out, page->width_px), first = page->first_byte;
  const guint8 black = page->out.mono == GST_BA_MONO_ONE_IS_BLACK ? 0xff : 0;
  gint y;
  gsize i;

  for (i = 0; i < page->size_bytes; i++)
    if ((i < first || (i - first) % page->stride_bytes >= row_bytes) && page->bytes[i] != GUARD)
      ck_abort_msg ("byte %" G_GSIZE_FORMAT " outside the rectangle was written", i);
  for (y = 0; page->out.mono != GST_BA_MONO_NONE && page->width_px % 8 != 0 && y < page->height_px; y++) {
    const guint8 last = page->bytes[first + (gsize) y * page->stride_bytes + row_bytes - 1] ^ black;

    ck_assert_msg ((last & (0xff >> page->width_px % 8)) == 0, "the end of row %d is not black", y);
  }
}

static void
page_convert_config (Page *page, const Picture *picture, const GstBaConvertConfig *config)
{
  GstBaConvert *convert = gst_ba_convert_new (config);

  ck_assert (convert != NULL);
  ck_assert_uint_eq (gst_ba_convert_get_row_bytes (&config->out, config->width_px),
                     row_bytes_of (&config->out, config->width_px));
  page_init (page, config);
  gst_ba_convert_frame (convert, &picture->frame, page->bytes + page->first_byte, page->stride_bytes);
  gst_ba_convert_free (convert);
  page_check_guards (page);
}

static void
page_convert (Page *page, const Picture *picture, const GstVideoRectangle *crop, GstBaPageFormat out, gint width,
              gint height)
{
  const GstBaConvertConfig config = config_of (picture, crop, out, width, height);

  page_convert_config (page, picture, &config);
}

static gboolean
is_gray (const GstBaPageFormat *out)
{
  return out->mono != GST_BA_MONO_NONE || out->format == GST_VIDEO_FORMAT_GRAY8;
}

/* bits of a channel */
static gint
page_depth (const Page *page, gint channel)
{
  if (page->out.mono != GST_BA_MONO_NONE)
    return 1;
  return (gint) GST_VIDEO_FORMAT_INFO_DEPTH (gst_video_format_get_info (page->out.format),
                                             is_gray (&page->out) ? 0 : (guint) channel);
}

static void
page_pixel (const Page *page, gint x, gint y, gint *rgb)
{
  const GstVideoFormatInfo *finfo = gst_video_format_get_info (page->out.format);
  const guint8 *row = page->bytes + page->first_byte + (gsize) y * page->stride_bytes;
  gpointer data[GST_VIDEO_MAX_PLANES] = { NULL };
  gint strides[GST_VIDEO_MAX_PLANES] = { 0 };
  guint8 pixel[8] = { 0 }, argb[64] = { 0 };

  if (is_gray (&page->out)) {
    const gboolean one = page->out.mono != GST_BA_MONO_NONE && (row[x / 8] >> (7 - x % 8) & 1);

    rgb[0] = page->out.mono == GST_BA_MONO_NONE                    ? row[x]
             : one == (page->out.mono == GST_BA_MONO_ONE_IS_WHITE) ? 255
                                                                   : 0;
    rgb[1] = rgb[2] = rgb[0];
    return;
  }
  memcpy (pixel, row + row_bytes_of (&page->out, x), row_bytes_of (&page->out, 1));
  data[0] = pixel;
  strides[0] = 8;
  finfo->unpack_func (finfo, GST_VIDEO_PACK_FLAG_NONE, argb, data, strides, 0, 0, 1);
  rgb[0] = argb[1];
  rgb[1] = argb[2];
  rgb[2] = argb[3];
  if (GST_VIDEO_FORMAT_INFO_HAS_ALPHA (finfo) && argb[0] != 255)
    ck_abort_msg ("alpha of the page is %d", argb[0]);
}

/* What the page should show where the picture is @rgb. */
static void
page_wanted (const Page *page, const gdouble *rgb, gdouble *wanted)
{
  const Matrix *m = page->luma;

  memcpy (wanted, rgb, 3 * sizeof (*rgb));
  if (is_gray (&page->out))
    wanted[0] = wanted[1] = wanted[2] = m->kr * rgb[0] + (1 - m->kr - m->kb) * rgb[1] + m->kb * rgb[2];
}

/* The values that a channel of @depth bits can have: its bits repeated. */
static gint
level_value (gint level, gint depth)
{
  return depth == 1 ? 255 * level : (level << (8 - depth)) | (level >> (2 * depth - 8));
}

/* Whether @value is one of the two levels around @wanted, give or take @slack. */
static gboolean
is_neighbour (gint value, gdouble wanted, gint depth, gdouble slack)
{
  const gint levels = 1 << depth;
  gint level = 0;

  while (level < levels - 1 && level_value (level, depth) < value)
    level++;
  if (level_value (level, depth) != value)
    return FALSE;
  return wanted > (level == 0 ? -256 : level_value (level - 1, depth)) - slack
         && wanted < (level == levels - 1 ? 512 : level_value (level + 1, depth)) + slack;
}

/* @wanted gives the reference for pixel (x, y) of the page. Channels of less than 8 bits are dithered: each pixel is a
 * neighbour; what they are on average is for a test of flat colours. */
static void
page_check (const Page *page, const gdouble *wanted, gint wanted_stride_px, gdouble max_error, gdouble max_mean,
            const gchar *what)
{
  gdouble sums[3] = { 0 }, reference[3];
  gint x, y, i, rgb[3], count = 0;

  for (y = 0; y < page->height_px; y++)
    for (x = 0; x < page->width_px; x++) {
      page_wanted (page, wanted + 3 * ((gsize) y * wanted_stride_px + x), reference);
      if (isnan (reference[0]))
        continue;
      page_pixel (page, x, y, rgb);
      count++;
      for (i = 0; i < 3; i++) {
        const gdouble error = fabs (rgb[i] - reference[i]);
        const gint depth = page_depth (page, i);

        if (depth == 8 ? error > max_error : !is_neighbour (rgb[i], reference[i], depth, max_error))
          ck_abort_msg ("%s to %s at %d,%d of %dx%d: channel %d is %d, not %.2f", what,
                        gst_video_format_to_string (page->out.format), x, y, page->width_px, page->height_px, i, rgb[i],
                        reference[i]);
        sums[i] += depth == 8 ? error : 0;
      }
    }
  for (i = 0; i < 3 && count >= 256; i++)
    ck_assert_msg (sums[i] / count <= max_mean, "%s to %s: mean error %.2f", what,
                   gst_video_format_to_string (page->out.format), sums[i] / count);
}

static void
info_init (GstVideoInfo *info, GstVideoFormat format, const gint *size, guint colour)
{
  gst_video_info_set_format (info, format, size[0], size[1]);
  if (GST_VIDEO_INFO_IS_RGB (info))
    return;
  info->colorimetry.matrix = matrices[colour / 2].matrix;
  info->colorimetry.range = colour % 2 ? GST_VIDEO_COLOR_RANGE_0_255 : GST_VIDEO_COLOR_RANGE_16_235;
}
