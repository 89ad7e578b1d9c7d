/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * convert.c: what a frame of 1920x1080 costs in the converter of fbdevzerosink.
 *
 *   convert list                   the ways it knows
 *   convert WAY FRAMES             CPU milliseconds of a frame, all threads: "way.NAME MS"
 *   convert WAY FRAMES bare        the frames alone, for callgrind: no first frame that is not counted, no figure
 *
 * "libyuv" is I420ToARGB() of libyuv into the same page, and "copy" is memcpy of the page, for comparison.
 */
#include <libyuv.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gstbaconvert.h"

#define WIDTH_PX 1920
#define HEIGHT_PX 1080

typedef struct
{
  const gchar *name;
  GstVideoFormat in;
  const gchar *colorimetry;
  GstVideoOrientationMethod direction;
  GstBaPageFormat out;
  gint width_px, height_px; /* 0: that of the turned input */
  guint n_threads;
} Way;

static const Way ways[] = {
  { "i420-601", GST_VIDEO_FORMAT_I420, "bt601", 0, { GST_VIDEO_FORMAT_BGRx, 0 }, 0, 0, 1 },
  { "i420-709", GST_VIDEO_FORMAT_I420, "bt709", 0, { GST_VIDEO_FORMAT_BGRx, 0 }, 0, 0, 1 },
  { "i420-709-2-threads", GST_VIDEO_FORMAT_I420, "bt709", 0, { GST_VIDEO_FORMAT_BGRx, 0 }, 0, 0, 2 },
  { "nv12-709", GST_VIDEO_FORMAT_NV12, "bt709", 0, { GST_VIDEO_FORMAT_BGRx, 0 }, 0, 0, 1 },
  { "yuy2-709", GST_VIDEO_FORMAT_YUY2, "bt709", 0, { GST_VIDEO_FORMAT_BGRx, 0 }, 0, 0, 1 },
  { "p010-2020", GST_VIDEO_FORMAT_P010_10LE, "bt2020", 0, { GST_VIDEO_FORMAT_BGRx, 0 }, 0, 0, 1 },
  { "i420-10-2020", GST_VIDEO_FORMAT_I420_10LE, "bt2020", 0, { GST_VIDEO_FORMAT_BGRx, 0 }, 0, 0, 1 },
  { "y444-709", GST_VIDEO_FORMAT_Y444, "bt709", 0, { GST_VIDEO_FORMAT_BGRx, 0 }, 0, 0, 1 },
  { "i420-rgbx", GST_VIDEO_FORMAT_I420, "bt709", 0, { GST_VIDEO_FORMAT_RGBx, 0 }, 0, 0, 1 },
  { "i420-rgb", GST_VIDEO_FORMAT_I420, "bt709", 0, { GST_VIDEO_FORMAT_RGB, 0 }, 0, 0, 1 },
  { "i420-rgb16", GST_VIDEO_FORMAT_I420, "bt709", 0, { GST_VIDEO_FORMAT_RGB16, 0 }, 0, 0, 1 },
  { "i420-gray8", GST_VIDEO_FORMAT_I420, "bt709", 0, { GST_VIDEO_FORMAT_GRAY8, 0 }, 0, 0, 1 },
  { "i420-mono", GST_VIDEO_FORMAT_I420, "bt709", 0, { 0, GST_BA_MONO_ONE_IS_WHITE }, 0, 0, 1 },
  { "bgrx-rgb16", GST_VIDEO_FORMAT_BGRx, NULL, 0, { GST_VIDEO_FORMAT_RGB16, 0 }, 0, 0, 1 },
  { "rgba-bgrx", GST_VIDEO_FORMAT_RGBA, NULL, 0, { GST_VIDEO_FORMAT_BGRx, 0 }, 0, 0, 1 },
  { "i420-mirrored",
    GST_VIDEO_FORMAT_I420,
    "bt709",
    GST_VIDEO_ORIENTATION_HORIZ,
    { GST_VIDEO_FORMAT_BGRx, 0 },
    0,
    0,
    1 },
  { "i420-180", GST_VIDEO_FORMAT_I420, "bt709", GST_VIDEO_ORIENTATION_180, { GST_VIDEO_FORMAT_BGRx, 0 }, 0, 0, 1 },
  { "i420-90r", GST_VIDEO_FORMAT_I420, "bt709", GST_VIDEO_ORIENTATION_90R, { GST_VIDEO_FORMAT_BGRx, 0 }, 0, 0, 1 },
  { "i420-90r-720",
    GST_VIDEO_FORMAT_I420,
    "bt709",
    GST_VIDEO_ORIENTATION_90R,
    { GST_VIDEO_FORMAT_BGRx, 0 },
    720,
    1280,
    1 },
  { "i420-720", GST_VIDEO_FORMAT_I420, "bt709", 0, { GST_VIDEO_FORMAT_BGRx, 0 }, 1280, 720, 1 },
  { "i420-720-2-threads", GST_VIDEO_FORMAT_I420, "bt709", 0, { GST_VIDEO_FORMAT_BGRx, 0 }, 1280, 720, 2 },
  { "i420-480", GST_VIDEO_FORMAT_I420, "bt709", 0, { GST_VIDEO_FORMAT_BGRx, 0 }, 800, 480, 1 },
  { "i420-2160", GST_VIDEO_FORMAT_I420, "bt709", 0, { GST_VIDEO_FORMAT_BGRx, 0 }, 3840, 2160, 1 },
  { "bgrx-720", GST_VIDEO_FORMAT_BGRx, NULL, 0, { GST_VIDEO_FORMAT_BGRx, 0 }, 1280, 720, 1 },
};

static gdouble
cpu_ms (void)
{
  struct timespec now;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static GstBuffer *
make_picture (const GstVideoInfo *info)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (info), NULL);
  guint32 seed = 1;
  GstMapInfo map;
  gsize i;

  if (!gst_buffer_map (buffer, &map, GST_MAP_WRITE))
    g_error ("no memory");
  for (i = 0; i < map.size; i++) {
    seed = seed * 1664525u + 1013904223u;
    map.data[i] = (guint8) (seed >> 24);
  }
  gst_buffer_unmap (buffer, &map);
  return buffer;
}

int
main (int argc, char **argv)
{
  const Way *way = NULL;
  const gboolean libyuv = argc > 1 && strcmp (argv[1], "libyuv") == 0;
  const gboolean copy = argc > 1 && strcmp (argv[1], "copy") == 0;
  const gboolean bare = argc > 3 && strcmp (argv[3], "bare") == 0;
  GstBaConvertConfig config = { 0 };
  GstBaConvert *convert = NULL;
  gint frame_number, frames, stride;
  GstVideoFrame frame;
  GstVideoInfo info;
  GstBuffer *buffer;
  guint8 *page;
  gdouble begin = 0;
  gsize i, page_bytes;

  gst_init (NULL, NULL);
  if (argc == 2 && strcmp (argv[1], "list") == 0) {
    for (i = 0; i < G_N_ELEMENTS (ways); i++)
      g_print ("%s\n", ways[i].name);
    return 0;
  }
  for (i = 0; argc > 1 && i < G_N_ELEMENTS (ways); i++)
    if (strcmp (ways[i].name, argv[1]) == 0)
      way = &ways[i];
  if (libyuv || copy)
    way = &ways[0];
  frames = argc > 2 ? atoi (argv[2]) : 0;
  if (way == NULL || frames < 1) {
    g_printerr ("usage: convert list | convert WAY FRAMES [bare]\n");
    return 2;
  }

  gst_video_info_set_format (&info, way->in, WIDTH_PX, HEIGHT_PX);
  if (way->colorimetry != NULL)
    gst_video_colorimetry_from_string (&info.colorimetry, way->colorimetry);
  buffer = make_picture (&info);
  if (!gst_video_frame_map (&frame, &info, buffer, GST_MAP_READ))
    g_error ("the picture cannot be mapped");

  config.in_info = &info;
  config.crop.w = WIDTH_PX;
  config.crop.h = HEIGHT_PX;
  config.direction = way->direction;
  config.out = way->out;
  config.width_px = way->width_px != 0 ? way->width_px : WIDTH_PX;
  config.height_px = way->height_px != 0 ? way->height_px : HEIGHT_PX;
  if (way->width_px == 0 && way->direction == GST_VIDEO_ORIENTATION_90R) {
    config.width_px = HEIGHT_PX;
    config.height_px = WIDTH_PX;
  }
  config.n_threads = way->n_threads;
  convert = gst_ba_convert_new (&config);
  if (convert == NULL)
    g_error ("the conversion is not supported");
  stride = GST_ROUND_UP_64 ((gint) gst_ba_convert_get_row_bytes (&way->out, config.width_px));
  page_bytes = (gsize) stride * (gsize) config.height_px;
  page = g_malloc0 (2 * page_bytes);

  for (frame_number = bare ? 0 : -2; frame_number < frames; frame_number++) {
    if (frame_number == 0)
      begin = cpu_ms ();
    if (copy)
      memcpy (page, page + page_bytes, page_bytes);
    else if (libyuv)
      I420ToARGB (GST_VIDEO_FRAME_PLANE_DATA (&frame, 0), GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0),
                  GST_VIDEO_FRAME_PLANE_DATA (&frame, 1), GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 1),
                  GST_VIDEO_FRAME_PLANE_DATA (&frame, 2), GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 2), page, stride,
                  WIDTH_PX, HEIGHT_PX);
    else
      gst_ba_convert_frame (convert, &frame, page, stride);
  }
  if (!bare)
    g_print ("way.%s %.4f\n", argv[1], (cpu_ms () - begin) / frames);

  gst_ba_convert_free (convert);
  gst_video_frame_unmap (&frame);
  gst_buffer_unref (buffer);
  g_free (page);
  return 0;
}
