/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * paint.c: frames into pages, so that bench/paint/run can count what they cost.
 *
 *   paint WHAT PAGE IN WIDTH HEIGHT FRAMES
 *
 *   WHAT   plain   whole frames            motion   every row of every frame differs
 *          still   one frame again and again; add -damage to either: changed rows only
 *          row     one row differs, with damage
 *          over    whole frames and two lines of subtitles that stay
 *          new     the same, new subtitles in each frame
 *          flip    subtitles only, over frames that are on their pages already
 *   PAGE, IN  names of formats; PAGE may be mono
 *
 * There are three pages, taken in turn, and the input is two frames, which are there before the first is painted: so the
 * difference of two runs with different FRAMES is frames and nothing else. Prints the bytes written for the last frame.
 */
#include <stdlib.h>
#include <string.h>

#include <gst/video/video.h>

#include "gstbapaint.h"

#define N_PAGES 3

typedef struct
{
  gint width_px, height_px;
  GstBaPageFormat format;
  GstVideoInfo info;
  GstBuffer *buffers[2];
  GstVideoFrame frames[2];
  guint8 *pages[N_PAGES];
  gint stride_bytes;
  GstVideoRectangle screen;
} Bench;

static void
bench_init (Bench *bench, char **argv)
{
  guint i, j;

  memset (bench, 0, sizeof (*bench));
  bench->format.mono = strcmp (argv[2], "mono") == 0 ? GST_BA_MONO_ONE_IS_WHITE : GST_BA_MONO_NONE;
  if (bench->format.mono == GST_BA_MONO_NONE)
    bench->format.format = gst_video_format_from_string (argv[2]);
  bench->width_px = atoi (argv[4]);
  bench->height_px = atoi (argv[5]);
  bench->screen = (GstVideoRectangle){ 0, 0, bench->width_px, bench->height_px };
  if (!gst_video_info_set_format (&bench->info, gst_video_format_from_string (argv[3]), (guint) bench->width_px,
                                  (guint) bench->height_px))
    exit (2);
  bench->stride_bytes = (gint) GST_ROUND_UP_64 (gst_ba_convert_get_row_bytes (&bench->format, bench->width_px));
  for (i = 0; i < N_PAGES; i++)
    bench->pages[i] = g_malloc0 ((gsize) bench->stride_bytes * (gsize) bench->height_px);
  for (i = 0; i < 2; i++) {
    GstMapInfo map;

    bench->buffers[i] = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (&bench->info), NULL);
    gst_buffer_map (bench->buffers[i], &map, GST_MAP_WRITE);
    for (j = 0; j < map.size; j++)
      map.data[j] = (guint8) (16 + (j * 37 + i * 101) % 200);
    gst_buffer_unmap (bench->buffers[i], &map);
    if (!gst_video_frame_map (&bench->frames[i], &bench->info, bench->buffers[i], GST_MAP_READ))
      exit (2);
  }
}

/* Two lines at the bottom, letters of a kind: soft edges, transparent between them. */
static GstVideoOverlayComposition *
subtitles (const Bench *bench)
{
  const gint w = bench->width_px * 3 / 4, h = bench->height_px / 8;
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, (gsize) w * (gsize) h * 4, NULL);
  GstVideoOverlayRectangle *rectangle;
  GstVideoOverlayComposition *composition;
  GstMapInfo map;
  gint x, y;

  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  memset (map.data, 0xff, map.size);
  for (y = 0; y < h; y++)
    for (x = 0; x < w; x++) {
      const gint part = x % 12;

      map.data[4 * ((gsize) y * w + x) + 3] = part < 6 ? 0 : part == 6 || part == 11 ? 120 : 255;
    }
  gst_buffer_unmap (buffer, &map);
  gst_buffer_add_video_meta (buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB, (guint) w,
                             (guint) h);
  rectangle = gst_video_overlay_rectangle_new_raw (buffer, bench->width_px / 8, bench->height_px * 13 / 16, (guint) w,
                                                   (guint) h, GST_VIDEO_OVERLAY_FORMAT_FLAG_NONE);
  composition = gst_video_overlay_composition_new (rectangle);
  gst_video_overlay_rectangle_unref (rectangle);
  gst_buffer_unref (buffer);
  return composition;
}

int
main (int argc, char **argv)
{
  GstVideoOverlayComposition *shown, *other;
  GstBaConvertConfig config = { .direction = GST_VIDEO_ORIENTATION_IDENTITY, .n_threads = 1 };
  GstBaConvert *convert;
  GstBaOverlay *overlay;
  GstBaDamage *damage;
  GstBaPaintJob job;
  guint64 bytes = 0;
  gboolean moves, over;
  Bench bench;
  gint i, n;

  gst_init (&argc, &argv);
  if (argc != 7)
    return 2;
  bench_init (&bench, argv);
  n = atoi (argv[6]);
  moves = g_str_has_prefix (argv[1], "motion");
  over = strcmp (argv[1], "over") == 0 || strcmp (argv[1], "new") == 0 || strcmp (argv[1], "flip") == 0;

  config.in_info = &bench.info;
  config.crop = bench.screen;
  config.out = bench.format;
  config.width_px = bench.width_px;
  config.height_px = bench.height_px;
  convert = gst_ba_convert_new (&config);
  overlay = gst_ba_overlay_new ();
  damage = gst_ba_damage_new (gst_ba_convert_get_row_bytes (&bench.format, bench.width_px), bench.height_px, N_PAGES);
  if (convert == NULL || damage == NULL)
    return 2;
  shown = subtitles (&bench);
  other = subtitles (&bench);

  job = (GstBaPaintJob){ .convert = convert, .format = bench.format, .stride_bytes = bench.stride_bytes };
  job.dst = bench.screen;
  job.overlay = over ? overlay : NULL;
  job.damage = g_str_has_suffix (argv[1], "-damage") || strcmp (argv[1], "row") == 0 ? damage : NULL;
  for (i = 0; i < n; i++) {
    const gboolean turn = strcmp (argv[1], "new") == 0 && i % 2 != 0;

    job.page_number = (guint) i % N_PAGES;
    job.page = bench.pages[job.page_number];
    job.frame = &bench.frames[moves ? i % 2 : 0];
    if (strcmp (argv[1], "row") == 0)
      ((guint8 *) GST_VIDEO_FRAME_PLANE_DATA (job.frame, 0))[0] ^= 64;
    if (over)
      gst_ba_overlay_prepare (overlay, turn ? other : shown, &bench.screen, GST_VIDEO_ORIENTATION_IDENTITY,
                              &bench.screen);
    bytes = strcmp (argv[1], "flip") == 0 ? gst_ba_paint_over (overlay, &bench.format, job.page, bench.stride_bytes)
                                          : gst_ba_paint (&job);
  }
  g_print ("bytes %" G_GUINT64_FORMAT "\n", bytes);

  gst_ba_damage_free (damage);
  gst_ba_overlay_free (overlay);
  gst_ba_convert_free (convert);
  gst_video_overlay_composition_unref (shown);
  gst_video_overlay_composition_unref (other);
  for (i = 0; i < N_PAGES; i++)
    g_free (bench.pages[i]);
  for (i = 0; i < 2; i++) {
    gst_video_frame_unmap (&bench.frames[i]);
    gst_buffer_unref (bench.buffers[i]);
  }
  return 0;
}
