/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbaconvert.c: sets up the stages of a conversion once, and drives rows through them for every frame.
 *
 * Which stages a row goes through (see gstbaconvert-private.h):
 *
 * copy       same format and size, not turned, no alpha: rows as they are
 * read       a BGRx page: straight into the page
 * turn       where the direction is not the identity
 * scale      where the size is another one
 * write      where the page is not BGRx, by way of one row in the cache
 *
 * A large picture is cut into slices of rows for gstbaconvert-threads.c; each thread has a Lane, which is everything
 * that is written to besides the page. A row depends on its number alone, so slices and bands give the same bytes.
 */

#include "gstbaconvert-private.h"

#define SIZE_MAX_PX 65535
#define THREADS_MAX 16
#define THREADS_AUTO_MAX 4
#define THREADS_FROM_PX (512 * 1024)

/* Rows in a slice. What two slices need of the input is read twice: two rows where it is scaled, and a band of columns
 * where rows become columns. */
#define SLICE_ROWS 64
#define SLICE_ROWS_TRANSPOSED 160

typedef struct
{
  guint8 *line; /* (nullable): one picture row for the writer */
  GstBaTurnState turn;
  GstBaScalerState *scaler; /* (nullable): same size */
  gconstpointer data; /* first plane of the picture that the states remember rows of */
  gint next_row; /* where the last call ended, -1 = none */
} Lane;

struct _GstBaConvert
{
  GstVideoRectangle crop;
  gint y_px, width_px, height_px;
  gsize row_bytes;
  gint copy_pixel_bytes; /* 0: not a copy */
  GstBaReader reader;
  GstBaTurn turn;
  GstBaScaler *scaler; /* (nullable): same size */
  GstBaWriter writer;

  guint n_lanes;
  Lane *lanes;
  GstBaThreads *threads; /* (nullable) */
  gint slice_rows;
  const GstVideoFrame *in; /* of gst_ba_convert_frame(), while it runs */
  guint8 *out;
  gint out_stride_bytes;
};

gboolean
gst_ba_convert_supports (GstVideoFormat in, const GstBaPageFormat *out)
{
  g_return_val_if_fail (out != NULL, FALSE);

  return gst_ba_reader_supports (in) && gst_ba_writer_supports (out);
}

gsize
gst_ba_convert_get_row_bytes (const GstBaPageFormat *out, gint width_px)
{
  const GstBaRgbFormat *rgb;

  g_return_val_if_fail (out != NULL && width_px >= 0, 0);

  rgb = gst_ba_rgb_format (out->format);
  if (out->mono != GST_BA_MONO_NONE)
    return ((gsize) width_px + 7) / 8;
  return (gsize) width_px * (rgb != NULL ? rgb->pixel_bytes : 1);
}

static void
convert_rows (const GstBaConvert *self, Lane *lane, const GstVideoFrame *in, gint first_row, gint n_rows, guint8 *out,
              gint out_stride_bytes)
{
  const GstBaWriter *writer = &self->writer;
  const gint end = first_row + n_rows;
  gint y;

  if (first_row != lane->next_row || lane->data != GST_VIDEO_FRAME_PLANE_DATA (in, 0)) {
    lane->turn.band_number = -1;
    if (lane->scaler != NULL)
      gst_ba_scaler_state_reset (lane->scaler);
  }
  lane->data = GST_VIDEO_FRAME_PLANE_DATA (in, 0);
  lane->next_row = end;

  for (y = first_row; y < end; y++) {
    guint8 *dst = out + (gssize) (y - first_row) * out_stride_bytes;
    guint8 *line = writer->write != NULL ? lane->line : dst;
    const guint8 *row;

    if (self->copy_pixel_bytes != 0) {
      row = (const guint8 *) GST_VIDEO_FRAME_PLANE_DATA (in, 0)
            + (gssize) (self->crop.y + y) * GST_VIDEO_FRAME_PLANE_STRIDE (in, 0)
            + (gsize) self->crop.x * (gsize) self->copy_pixel_bytes;
      memcpy (dst, row, self->row_bytes);
      continue;
    }

    if (self->scaler != NULL)
      row = gst_ba_scaler_row (self->scaler, lane->scaler, &lane->turn, in, y, line);
    else
      row = gst_ba_turn_row (&self->turn, &lane->turn, in, y, line);
    if (writer->write != NULL)
      writer->write (writer, row, dst, self->y_px + y, self->width_px);
    else if (row != dst)
      memcpy (dst, row, self->row_bytes);
  }
}

static void
convert_slice (gpointer user_data, guint worker, guint slice)
{
  GstBaConvert *self = user_data;
  const gint first_row = (gint) slice * self->slice_rows;

  convert_rows (self, &self->lanes[worker], self->in, first_row, MIN (self->slice_rows, self->height_px - first_row),
                self->out + (gssize) first_row * self->out_stride_bytes, self->out_stride_bytes);
}

static gboolean
lane_init (const GstBaConvert *self, Lane *lane)
{
  lane->next_row = -1;
  if (!gst_ba_turn_state_init (&self->turn, &lane->turn))
    return FALSE;
  if (self->scaler != NULL && (lane->scaler = gst_ba_scaler_state_new (self->scaler)) == NULL)
    return FALSE;
  if (self->writer.write != NULL && (lane->line = g_try_malloc_n ((gsize) self->width_px, 4)) == NULL)
    return FALSE;
  return TRUE;
}

static void
lane_finish (Lane *lane)
{
  gst_ba_turn_state_finish (&lane->turn);
  gst_ba_scaler_state_free (lane->scaler);
  g_free (lane->line);
}

static guint
lanes_for (const GstBaConvertConfig *config)
{
  if ((gint64) config->width_px * config->height_px < THREADS_FROM_PX)
    return 1;
  if (config->n_threads == 0)
    return MIN (g_get_num_processors (), THREADS_AUTO_MAX);
  return MIN (config->n_threads, THREADS_MAX);
}

/* Bytes of the input are those of the page. Gray pages show all values, from black to white. */
static gboolean
is_copy (const GstBaConvertConfig *config)
{
  const GstVideoInfo *in = config->in_info;

  if (GST_VIDEO_INFO_FORMAT (in) != config->out.format || config->direction != GST_VIDEO_ORIENTATION_IDENTITY
      || config->crop.w != config->width_px || config->crop.h != config->height_px)
    return FALSE;
  return !GST_VIDEO_INFO_HAS_ALPHA (in)
         && !(GST_VIDEO_INFO_IS_GRAY (in) && in->colorimetry.range == GST_VIDEO_COLOR_RANGE_16_235);
}

static gboolean
is_sane (const GstBaConvertConfig *config)
{
  const GstVideoRectangle *crop = &config->crop;

  g_return_val_if_fail (config->width_px >= 1 && config->height_px >= 1, FALSE);
  g_return_val_if_fail (crop->x >= 0 && crop->y >= 0 && crop->w >= 1 && crop->h >= 1, FALSE);
  g_return_val_if_fail (crop->w <= GST_VIDEO_INFO_WIDTH (config->in_info) - crop->x, FALSE);
  g_return_val_if_fail (crop->h <= GST_VIDEO_INFO_HEIGHT (config->in_info) - crop->y, FALSE);
  g_return_val_if_fail (config->out.mono == GST_BA_MONO_NONE || config->x_px % 8 == 0, FALSE);

  return MAX (config->width_px, config->height_px) <= SIZE_MAX_PX && MAX (crop->w, crop->h) <= SIZE_MAX_PX;
}

GstBaConvert *
gst_ba_convert_new (const GstBaConvertConfig *config)
{
  gboolean gray_only;
  GstBaConvert *self;
  guint i;

  g_return_val_if_fail (config != NULL && config->in_info != NULL, NULL);

  if (!gst_ba_convert_supports (GST_VIDEO_INFO_FORMAT (config->in_info), &config->out) || !is_sane (config))
    return NULL;

  self = g_try_new0 (GstBaConvert, 1);
  if (self == NULL)
    return NULL;

  self->crop = config->crop;
  self->y_px = config->y_px;
  self->width_px = config->width_px;
  self->height_px = config->height_px;
  self->row_bytes = gst_ba_convert_get_row_bytes (&config->out, config->width_px);
  gray_only = config->out.mono != GST_BA_MONO_NONE || config->out.format == GST_VIDEO_FORMAT_GRAY8;
  if (!gst_ba_reader_init (&self->reader, config->in_info, gray_only)
      || !gst_ba_writer_init (&self->writer, &config->out, config->in_info, config->x_px)
      || !gst_ba_turn_init (&self->turn, &self->reader, &self->crop, config->direction))
    goto failed;

  if (is_copy (config))
    self->copy_pixel_bytes = GST_VIDEO_INFO_COMP_PSTRIDE (config->in_info, 0);
  if (self->turn.width_px != self->width_px || self->turn.height_px != self->height_px) {
    self->scaler = gst_ba_scaler_new (&self->turn, self->width_px, self->height_px);
    if (self->scaler == NULL)
      goto failed;
  }

  self->n_lanes = lanes_for (config);
  self->lanes = g_try_new0 (Lane, self->n_lanes);
  if (self->lanes == NULL)
    goto failed;
  for (i = 0; i < self->n_lanes; i++)
    if (!lane_init (self, &self->lanes[i]))
      goto failed;
  self->slice_rows = self->turn.transposed ? SLICE_ROWS_TRANSPOSED : SLICE_ROWS;
  /* without threads, for want of them, the caller does it all */
  if (self->n_lanes > 1)
    self->threads = gst_ba_threads_new (self->n_lanes, convert_slice, self);
  return self;

failed:
  gst_ba_convert_free (self);
  return NULL;
}

void
gst_ba_convert_free (GstBaConvert *self)
{
  guint i;

  if (self == NULL)
    return;

  gst_ba_threads_free (self->threads);
  for (i = 0; self->lanes != NULL && i < self->n_lanes; i++)
    lane_finish (&self->lanes[i]);
  g_free (self->lanes);
  gst_ba_scaler_free (self->scaler);
  g_free (self);
}

/* The same memory comes again with another picture in it. */
static void
forget_picture (GstBaConvert *self)
{
  guint i;

  for (i = 0; i < self->n_lanes; i++)
    self->lanes[i].next_row = -1;
}

void
gst_ba_convert_frame (GstBaConvert *self, const GstVideoFrame *in, guint8 *out, gint out_stride_bytes)
{
  g_return_if_fail (self != NULL && in != NULL && out != NULL);

  forget_picture (self);
  if (self->threads != NULL) {
    self->in = in;
    self->out = out;
    self->out_stride_bytes = out_stride_bytes;
    gst_ba_threads_run (self->threads, (guint) ((self->height_px + self->slice_rows - 1) / self->slice_rows));
  } else {
    convert_rows (self, &self->lanes[0], in, 0, self->height_px, out, out_stride_bytes);
  }
  forget_picture (self);
}

void
gst_ba_convert_rows (GstBaConvert *self, const GstVideoFrame *in, gint first_row, gint n_rows, guint8 *out,
                     gint out_stride_bytes)
{
  g_return_if_fail (self != NULL && in != NULL && out != NULL);
  g_return_if_fail (first_row >= 0 && n_rows >= 1 && n_rows <= self->height_px - first_row);

  convert_rows (self, &self->lanes[0], in, first_row, n_rows, out, out_stride_bytes);
}
