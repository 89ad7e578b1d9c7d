/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbaconvert.c: chooses the way of a conversion once, and walks it for every frame.
 *
 * copy     same format and size without alpha: rows as they are
 * whole    same size, to BGRx, in a layout and colours that libyuv is exact for: one call of libyuv over the frame
 * rows     same size, all else: each row straight into the page if that is BGRx, else by way of one row in the cache
 * scaled   another size: gstbaconvert-scale.c
 *
 * Which colours go through libyuv, which through our own kernels, and why: see gstbaconvert-yuv.c, with the numbers.
 */

#include "gstbaconvert-private.h"

#define SIZE_MAX_PX 65535

struct _GstBaConvert
{
  GstVideoFormat in_format;
  GstVideoRectangle crop;
  GstBaReader reader;
  GstBaWriter writer;
  gboolean copy;
  const struct YuvConstants *constants; /* (nullable): libyuv converts whole frames with these */
  GstBaScaler *scaler; /* (nullable): same size */
  guint8 *line; /* one picture row for the writer */
};

gboolean
gst_ba_convert_supports (GstVideoFormat in, GstVideoFormat out)
{
  return gst_ba_reader_supports (in) && gst_ba_writer_supports (out);
}

/* libyuv takes whole frames from the first sample of a pair on, with one chroma row for two rows from an even one on.
 * Not the 10 bit formats, where it was 3.04 off in limited BT.601. */
static gboolean
fits_libyuv (const GstVideoInfo *info, const GstVideoRectangle *crop)
{
  switch (GST_VIDEO_INFO_FORMAT (info)) {
    case GST_VIDEO_FORMAT_I420:
    case GST_VIDEO_FORMAT_YV12:
    case GST_VIDEO_FORMAT_NV12:
    case GST_VIDEO_FORMAT_NV21:
      return crop->x % 2 == 0 && crop->y % 2 == 0;
    case GST_VIDEO_FORMAT_Y42B:
      return crop->x % 2 == 0;
    case GST_VIDEO_FORMAT_Y444:
      return TRUE;
    default:
      return FALSE;
  }
}

GstBaConvert *
gst_ba_convert_new (const GstVideoInfo *in_info, const GstVideoRectangle *crop, GstVideoFormat out_format,
                    gint width_px, gint height_px)
{
  GstBaConvert *self;
  GstVideoFormat in_format;
  gboolean same_size;

  g_return_val_if_fail (in_info != NULL && crop != NULL, NULL);
  g_return_val_if_fail (width_px >= 1 && height_px >= 1, NULL);
  g_return_val_if_fail (crop->x >= 0 && crop->y >= 0 && crop->w >= 1 && crop->h >= 1, NULL);
  g_return_val_if_fail (crop->w <= GST_VIDEO_INFO_WIDTH (in_info) - crop->x, NULL);
  g_return_val_if_fail (crop->h <= GST_VIDEO_INFO_HEIGHT (in_info) - crop->y, NULL);

  in_format = GST_VIDEO_INFO_FORMAT (in_info);
  if (!gst_ba_convert_supports (in_format, out_format))
    return NULL;
  if (MAX (width_px, height_px) > SIZE_MAX_PX || MAX (crop->w, crop->h) > SIZE_MAX_PX)
    return NULL;

  self = g_try_new0 (GstBaConvert, 1);
  if (self == NULL)
    return NULL;

  self->in_format = in_format;
  self->crop = *crop;
  same_size = crop->w == width_px && crop->h == height_px;
  if (!gst_ba_reader_init (&self->reader, in_info, crop->w) || !gst_ba_writer_init (&self->writer, out_format))
    goto failed;

  if (!same_size) {
    self->scaler = gst_ba_scaler_new (crop, width_px, height_px);
    if (self->scaler == NULL)
      goto failed;
    return self;
  }

  self->copy = in_format == out_format && !GST_VIDEO_INFO_HAS_ALPHA (in_info);
  if (self->writer.write == NULL && fits_libyuv (in_info, crop))
    self->constants = gst_ba_yuv_libyuv_constants (in_info);
  self->line = g_try_malloc_n ((gsize) width_px, 4);
  if (self->line == NULL)
    goto failed;
  return self;

failed:
  gst_ba_convert_free (self);
  return NULL;
}

void
gst_ba_convert_free (GstBaConvert *self)
{
  if (self == NULL)
    return;

  gst_ba_reader_finish (&self->reader);
  gst_ba_scaler_free (self->scaler);
  g_free (self->line);
  g_free (self);
}

static void
convert_whole (const GstBaConvert *self, const GstVideoFrame *in, guint8 *out, gint out_stride_bytes)
{
  const GstVideoFormatInfo *finfo = in->info.finfo;
  const struct YuvConstants *k = self->constants;
  const gint w = self->crop.w, h = self->crop.h;
  const guint8 *data[3] = { NULL };
  gint strides[3] = { 0 };
  guint i;

  for (i = 0; i < GST_VIDEO_FRAME_N_PLANES (in); i++) {
    /* the planes of YV12 come V first; all others are in the order of the components */
    const guint plane = GST_VIDEO_FRAME_N_PLANES (in) == 3 ? GST_VIDEO_FORMAT_INFO_PLANE (finfo, i) : i;
    const gint x = GST_VIDEO_FORMAT_INFO_SCALE_WIDTH (finfo, i, self->crop.x);
    const gint y = GST_VIDEO_FORMAT_INFO_SCALE_HEIGHT (finfo, i, self->crop.y);

    strides[i] = GST_VIDEO_FRAME_PLANE_STRIDE (in, plane);
    data[i] = (const guint8 *) GST_VIDEO_FRAME_PLANE_DATA (in, plane) + (gssize) y * strides[i]
              + (gssize) x * GST_VIDEO_FORMAT_INFO_PSTRIDE (finfo, i);
  }

  switch (self->in_format) {
    case GST_VIDEO_FORMAT_NV12:
      NV12ToARGBMatrix (data[0], strides[0], data[1], strides[1], out, out_stride_bytes, k, w, h);
      break;
    case GST_VIDEO_FORMAT_NV21:
      NV21ToARGBMatrix (data[0], strides[0], data[1], strides[1], out, out_stride_bytes, k, w, h);
      break;
    case GST_VIDEO_FORMAT_Y42B:
      I422ToARGBMatrix (data[0], strides[0], data[1], strides[1], data[2], strides[2], out, out_stride_bytes, k, w, h);
      break;
    case GST_VIDEO_FORMAT_Y444:
      I444ToARGBMatrix (data[0], strides[0], data[1], strides[1], data[2], strides[2], out, out_stride_bytes, k, w, h);
      break;
    default:
      I420ToARGBMatrix (data[0], strides[0], data[1], strides[1], data[2], strides[2], out, out_stride_bytes, k, w, h);
      break;
  }
}

void
gst_ba_convert_frame (GstBaConvert *self, const GstVideoFrame *in, guint8 *out, gint out_stride_bytes)
{
  const GstBaReader *reader = &self->reader;
  const GstBaWriter *writer = &self->writer;
  const GstVideoRectangle *crop = &self->crop;
  const gsize pixel_bytes = (gsize) writer->pixel_bytes;
  gint y;

  if (self->scaler != NULL) {
    gst_ba_scaler_frame (self->scaler, reader, writer, in, out, out_stride_bytes);
    return;
  }
  if (self->constants != NULL) {
    convert_whole (self, in, out, out_stride_bytes);
    return;
  }

  for (y = 0; y < crop->h; y++) {
    guint8 *dst = out + (gssize) y * out_stride_bytes;

    if (self->copy) {
      const guint8 *src = (const guint8 *) GST_VIDEO_FRAME_PLANE_DATA (in, 0)
                          + (gssize) (crop->y + y) * GST_VIDEO_FRAME_PLANE_STRIDE (in, 0)
                          + (gsize) crop->x * pixel_bytes;

      memcpy (dst, src, (gsize) crop->w * pixel_bytes);
    } else if (writer->write == NULL) {
      reader->read (reader, in, crop->x, crop->y + y, crop->w, dst);
    } else {
      reader->read (reader, in, crop->x, crop->y + y, crop->w, self->line);
      writer->write (writer, self->line, dst, crop->w);
    }
  }
}
