/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-fbdevzerosink-geometry.c: odd screens. Every frame of each way (flip, copy, convert) is compared pixel by pixel
 * with what was drawn, on screens of odd sizes, of every pixel format, with padding between the rows, and with 1 to 5
 * pages; and what is around a smaller picture is black on every page.
 */
#include "test-pictures.h"

#include <math.h>

/* The formats that a screen can have. */
static const gchar *formats[] = { "BGRx", "RGBx", "xRGB",  "xBGR",  "BGRA", "RGBA",
                                  "BGR",  "RGB",  "RGB16", "BGR16", "RGB15" };

/* ---- every way on every screen --------------------------------------------------------------------------------- */

typedef enum
{
  FLIP,
  COPY,
  COPY_PADDED,
  CONVERT,
  N_WAYS
} FrameWay;

/* Plays @n_frames the size of the screen that way, and looks at each of them. */
static void
play_on (gint width, gint height, const gchar *format, const gchar *more, guint pages, FrameWay way, guint n_frames)
{
  static const gchar *names[] = { "flip", "copy", "copy of padded rows", "convert" };
  ScreenFile file = screen_file_new ();
  gchar *settings =
      g_strdup_printf ("device=virtual:%dx%d,format=%s,pages=%u,rate=0%s,file=%s offer-pages=always sync=false", width,
                       height, format, pages, more, file.path);
  gchar *what = g_strdup_printf ("%s: %s", names[way], settings);
  /* dithered: to one of the two levels beside it, of 32 (test-convert.c looks at the mean) */
  gboolean few_bits = g_str_has_suffix (format, "16") || g_str_has_suffix (format, "15");
  const gchar *native, *caps_format;
  GstVideoRectangle all = { 0, 0, width, height };
  Feeder feeder = feeder_play (settings);
  Screen screen = screen_open (&file, format);

  /* a screen has no alpha: its BGRA is BGRx */
  native = g_str_equal (format, "BGRA") ? "BGRx" : g_str_equal (format, "RGBA") ? "RGBx" : format;
  caps_format = way != CONVERT ? native : g_str_equal (native, "xRGB") ? "BGRx" : "xRGB";
  feeder_negotiate (&feeder, caps_format, width, height, way == FLIP);
  for (guint n = 0; n < n_frames; n++) {
    feed_padded (&feeder, way == COPY_PADDED ? 4 * GST_VIDEO_INFO_COMP_PSTRIDE (&screen.info, 0) : 0);
    ck_assert_uint_eq (screen.watch.trailer->sequence, pages > 1 ? n + 1 : screen.watch.trailer->sequence);
    assert_frame (&screen, n, &all, way == CONVERT && few_bits ? 9 : 0, what);
  }
  if (way == CONVERT)
    assert_counts (&feeder.player, 0, n_frames, 0);
  else if (way == FLIP)
    assert_counts (&feeder.player, n_frames, 0, 0);
  else
    assert_counts (&feeder.player, 0, 0, n_frames);
  feeder_end (&feeder);
  screen_close (&screen);
  screen_file_free (&file);
  g_free (what);
  g_free (settings);
}

START_TEST (every_way_in_every_format)
{
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    for (guint way = FLIP; way < N_WAYS; way++)
      play_on (171, 93, formats[i], "", 3, way, 7);
  }
}
END_TEST

START_TEST (every_way_with_1_2_3_and_5_pages)
{
  static const guint pages[] = { 1, 2, 3, 5 };
  static const gchar *some[] = { "BGRx", "RGB16", "BGR" };

  for (guint i = 0; i < G_N_ELEMENTS (pages); i++) {
    for (guint f = 0; f < G_N_ELEMENTS (some); f++) {
      for (guint way = FLIP; way < N_WAYS; way++)
        play_on (171, 93, some[f], "", pages[i], way, 2 * pages[i] + 1);
    }
  }
}
END_TEST

START_TEST (every_way_with_padding_between_the_rows)
{
  static const struct
  {
    const gchar *format, *stride;
  } rows[] = { { "BGRx", ",stride=704" },  { "xBGR", ",stride=1024" }, { "RGB16", ",stride=352" },
               { "RGB15", ",stride=344" }, { "BGR", ",stride=516" },   { "RGB", ",stride=576" } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    for (guint way = FLIP; way < N_WAYS; way++)
      play_on (171, 93, rows[i].format, rows[i].stride, 3, way, 5);
  }
}
END_TEST

START_TEST (a_screen_of_1366x768)
{
  static const gchar *some[] = { "BGRx", "RGBx", "BGRA", "RGB16", "RGB" };

  for (guint i = 0; i < G_N_ELEMENTS (some); i++) {
    for (guint way = FLIP; way < N_WAYS; way++)
      play_on (1366, 768, some[i], "", 3, way, 4);
  }
  play_on (1366, 768, "BGRx", ",stride=5504", 5, FLIP, 6);
}
END_TEST

START_TEST (screens_of_a_line_and_of_a_pixel)
{
  for (guint way = FLIP; way < N_WAYS; way++) {
    play_on (1, 1, "BGRx", "", 3, way, 4);
    play_on (1, 93, "RGB16", "", 3, way, 4);
    play_on (171, 1, "BGR", "", 3, way, 4);
  }
}
END_TEST

/* ---- windows inside a page ------------------------------------------------------------------------------------- */

static Feeder
window_feeder (const ScreenFile *file, const gchar *format, const gchar *more, guint pages)
{
  gchar *settings = g_strdup_printf (
      "device=virtual:171x93,format=%s,pages=%u,rate=0%s,file=%s scaling=none offer-pages=always sync=false", format,
      pages, more, file->path);
  Feeder feeder = feeder_play (settings);

  g_free (settings);
  return feeder;
}

START_TEST (windows_inside_a_page_flip_with_black_around_them)
{
  static const gint sizes[][2] = { { 100, 50 }, { 101, 51 }, { 171, 40 }, { 33, 93 }, { 170, 92 }, { 1, 1 } };
  static const guint pages[] = { 2, 3, 5 };

  for (guint f = 0; f < G_N_ELEMENTS (formats); f++) {
    for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
      gint width = sizes[i][0], height = sizes[i][1];
      guint n_pages = pages[(f + i) % 3];
      ScreenFile file = screen_file_new ();
      Feeder feeder = window_feeder (&file, formats[f], i % 2 ? ",stride=768" : "", n_pages);
      Screen screen = screen_open (&file, formats[f]);
      GstVideoRectangle rect = { (171 - width) / 2, (93 - height) / 2, width, height };
      gchar *what = g_strdup_printf ("%s %dx%d, %u pages", formats[f], width, height, n_pages);

      feeder_negotiate (&feeder, gst_video_format_to_string (GST_VIDEO_INFO_FORMAT (&screen.info)), width, height, TRUE);
      if (!feeder.pool) /* the alpha formats are called by another name */
        feeder_negotiate (&feeder, g_str_equal (formats[f], "BGRA") ? "BGRx" : "RGBx", width, height, TRUE);
      ck_assert_msg (feeder.pool != NULL, "%s: no pages", what);
      for (guint n = 0; n < 2 * n_pages + 1; n++) {
        feed (&feeder);
        assert_frame (&screen, n, &rect, 0, what);
      }
      assert_borders (&screen, &rect, what);
      assert_counts (&feeder.player, 2 * n_pages + 1, 0, 0);
      ck_assert_uint_eq (player_count (&feeder.player, "bytes-written"), 0);
      feeder_end (&feeder);
      screen_close (&screen);
      screen_file_free (&file);
      g_free (what);
    }
  }
}
END_TEST

/* An element that asks for alignment gets its first pixel aligned, and nothing outside the page. */
START_TEST (an_aligned_window_stays_inside_its_page)
{
  for (gsize mask = 0; mask < 64; mask = 2 * mask + 1) {
    ScreenFile file = screen_file_new ();
    Feeder feeder = window_feeder (&file, "BGRx", ",stride=768", 3);
    Screen screen = screen_open (&file, "BGRx");
    GstAllocationParams params = { .align = mask };
    GstStructure *config;
    GstBuffer *buffer;
    GstVideoFrame frame;
    GstMapInfo map;

    feeder_negotiate (&feeder, "BGRx", 101, 51, TRUE);
    gst_buffer_pool_set_active (feeder.pool, FALSE);
    config = gst_buffer_pool_get_config (feeder.pool);
    gst_buffer_pool_config_set_allocator (config, NULL, &params);
    if (!gst_buffer_pool_set_config (feeder.pool, config))
      ck_assert (gst_buffer_pool_set_config (feeder.pool, gst_buffer_pool_get_config (feeder.pool)));
    ck_assert (gst_buffer_pool_set_active (feeder.pool, TRUE));
    ck_assert_int_eq (gst_buffer_pool_acquire_buffer (feeder.pool, &buffer, NULL), GST_FLOW_OK);
    ck_assert (gst_video_frame_map (&frame, &feeder.info, buffer, GST_MAP_WRITE));
    ck_assert_uint_eq (GPOINTER_TO_SIZE (GST_VIDEO_FRAME_PLANE_DATA (&frame, 0)) & mask, 0);
    gst_video_frame_unmap (&frame);
    ck_assert (gst_buffer_map (buffer, &map, GST_MAP_READ));
    ck_assert_uint_ge (map.size, (gsize) 768 * 50 + 101 * 4);
    ck_assert_uint_le (map.size, (gsize) 768 * 51);
    gst_buffer_unmap (buffer, &map);
    gst_buffer_unref (buffer);
    for (guint n = 0; n < 4; n++) {
      gint right = 0, left = (171 - 101) / 2;

      feed (&feeder);
      for (; left > 0 && ((gsize) left * 4 & mask); left--)
        right++;
      assert_frame (&screen, n, &(GstVideoRectangle){ left, 21, 101, 51 }, 0, "aligned");
      ck_assert_int_lt (right, 64);
    }
    assert_counts (&feeder.player, 4, 0, 0);
    feeder_end (&feeder);
    screen_close (&screen);
    screen_file_free (&file);
  }
}
END_TEST

/* ---- borders --------------------------------------------------------------------------------------------------- */

START_TEST (borders_are_black_on_every_page_after_larger_pictures)
{
  static const gint sizes[][2] = { { 171, 93 }, { 100, 50 }, { 171, 93 }, { 50, 93 },
                                   { 171, 20 }, { 50, 93 },  { 30, 30 },  { 100, 50 } };

  for (guint way = 0; way < 3; way++) {
    for (guint pages = way == 0 ? 2 : 1; pages <= 5; pages += pages == 3 ? 2 : 1) {
      ScreenFile file = screen_file_new ();
      Feeder feeder = window_feeder (&file, "BGRx", "", pages);
      Screen screen = screen_open (&file, "BGRx");

      for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
        gint width = sizes[i][0], height = sizes[i][1];
        GstVideoRectangle rect = { (171 - width) / 2, (93 - height) / 2, width, height };

        feeder_negotiate (&feeder, way == 2 ? "RGB" : "BGRx", width, height, way == 0);
        for (guint n = 0; n < 2 * pages; n++) {
          feed (&feeder);
          assert_frame (&screen, feeder.n - 1, &rect, 0, "after another size");
        }
        assert_borders (&screen, &rect, "after another size");
      }
      feeder_end (&feeder);
      screen_close (&screen);
      screen_file_free (&file);
    }
  }
}
END_TEST

/* What was on the pages before the sink began is seen neither beside the picture nor behind it. */
START_TEST (a_used_screen_is_black_around_the_first_picture)
{
  for (guint way = 0; way < 3; way++) {
    ScreenFile file = screen_file_new ();
    Feeder feeder = window_feeder (&file, "BGRx", "", 3);
    Screen screen = screen_open (&file, "BGRx");
    GstVideoRectangle rect = { 35, 21, 100, 50 };
    gsize bytes = 3 * screen.watch.trailer->page_bytes;
    int fd = open (file.path, O_RDWR | O_CLOEXEC);
    guint8 *map = mmap (NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    ck_assert_ptr_ne (map, MAP_FAILED);
    close (fd);
    memset (map, 0xa5, bytes);
    feeder_negotiate (&feeder, way == 2 ? "RGB" : "BGRx", 100, 50, way == 0);
    for (guint n = 0; n < 7; n++) {
      feed (&feeder);
      assert_frame (&screen, n, &rect, 0, "on a used screen");
    }
    munmap (map, bytes);
    feeder_end (&feeder);
    screen_close (&screen);
    screen_file_free (&file);
  }
}
END_TEST

/* A mark beside the picture, made by somebody else, stays: nobody writes the borders again with every frame. */
START_TEST (borders_are_set_once)
{
  for (guint way = 0; way < 3; way++) {
    ScreenFile file = screen_file_new ();
    Feeder feeder = window_feeder (&file, "BGRx", "", 3);
    Screen screen = screen_open (&file, "BGRx");
    gsize page_bytes = screen.watch.trailer->page_bytes;
    int fd = open (file.path, O_RDWR | O_CLOEXEC);
    guint8 *map = mmap (NULL, 3 * page_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    ck_assert_ptr_ne (map, MAP_FAILED);
    close (fd);
    feeder_negotiate (&feeder, way == 2 ? "RGB" : "BGRx", 100, 50, way == 0);
    for (guint n = 0; n < 6; n++)
      feed (&feeder);
    for (guint page = 0; page < 3; page++)
      map[page * page_bytes + 5] = 0x77;
    for (guint n = 0; n < 6; n++)
      feed (&feeder);
    for (guint page = 0; page < 3; page++)
      ck_assert_uint_eq (map[page * page_bytes + 5], 0x77);
    munmap (map, 3 * page_bytes);
    feeder_end (&feeder);
    screen_close (&screen);
    screen_file_free (&file);
  }
}
END_TEST

/* ---- YUV ------------------------------------------------------------------------------------------------------- */

static gint
i420_sample (guint plane, gint x, gint y, guint n)
{
  return plane == 0 ? 80 + (x * 3 + y * 5 + n * 7) % 100 : plane == 1 ? 112 + (x + 2 * y + n) % 32 : 144 - (x + n) % 32;
}

/* I420 against a float reference with nearest chroma: BT.601 below 720 lines, BT.709 from there on. */
static void
play_i420_on (gint width, gint height, const gchar *format, gint off)
{
  gdouble kr = height < 720 ? 0.299 : 0.2126, kb = height < 720 ? 0.114 : 0.0722, kg = 1 - kr - kb, sum = 0;
  ScreenFile file = screen_file_new ();
  gchar *settings =
      g_strdup_printf ("device=virtual:%dx%d,format=%s,rate=0,file=%s sync=false", width, height, format, file.path);
  Feeder feeder = feeder_play (settings);
  Screen screen = screen_open (&file, format);
  guint8 *argb = g_malloc (4 * width);

  feeder_negotiate (&feeder, "I420", width, height, TRUE);
  for (guint n = 0; n < 3; n++) {
    GstBuffer *buffer = gst_buffer_new_allocate (NULL, feeder.info.size, NULL);
    GstVideoFrame frame;

    ck_assert (gst_video_frame_map (&frame, &feeder.info, buffer, GST_MAP_WRITE));
    for (guint p = 0; p < 3; p++) {
      for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (&frame, p); y++) {
        guint8 *row = (guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&frame, p) + y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, p);

        for (gint x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH (&frame, p); x++)
          row[x] = i420_sample (p, x, y, n);
      }
    }
    gst_video_frame_unmap (&frame);
    ck_assert_int_eq (gst_pad_push (feeder.pad, buffer), GST_FLOW_OK);
    for (gint y = 0; y < height; y++) {
      page_row (&screen, screen.watch.trailer->front_page, y, argb);
      for (gint x = 0; x < width; x++) {
        gdouble luma = (i420_sample (0, x, y, n) - 16) * 255.0 / 219;
        gdouble cb = (i420_sample (1, x / 2, y / 2, n) - 128) * 255.0 / 224;
        gdouble cr = (i420_sample (2, x / 2, y / 2, n) - 128) * 255.0 / 224;
        gdouble r = luma + 2 * (1 - kr) * cr, b = luma + 2 * (1 - kb) * cb, g = (luma - kr * r - kb * b) / kg;
        gdouble wanted[] = { r, g, b };

        for (guint c = 0; c < 3; c++) {
          gdouble error = fabs (wanted[c] - argb[4 * x + 1 + c]);

          if (error > off)
            ck_abort_msg ("%s, frame %u, pixel %d,%d, channel %u: %d, not %.1f", settings, n, x, y, c,
                          argb[4 * x + 1 + c], wanted[c]);
          sum += error;
        }
      }
    }
  }
  ck_assert_double_le (sum / (9.0 * width * height), off > 3 ? 4 : 1);
  assert_counts (&feeder.player, 0, 3, 0);
  g_free (argb);
  feeder_end (&feeder);
  screen_close (&screen);
  screen_file_free (&file);
  g_free (settings);
}

START_TEST (yuv_on_odd_screens)
{
  play_i420_on (171, 93, "BGRx", 3);
  play_i420_on (171, 93, "xBGR", 3);
  play_i420_on (171, 93, "RGB", 3);
  play_i420_on (171, 93, "RGB16", 3 + 9);
  play_i420_on (1366, 768, "BGRx", 3);
}
END_TEST

RUN ("fbdevzerosink-geometry", every_way_in_every_format, every_way_with_1_2_3_and_5_pages,
     every_way_with_padding_between_the_rows, a_screen_of_1366x768, screens_of_a_line_and_of_a_pixel,
     windows_inside_a_page_flip_with_black_around_them, an_aligned_window_stays_inside_its_page,
     borders_are_black_on_every_page_after_larger_pictures, a_used_screen_is_black_around_the_first_picture,
     borders_are_set_once, yuv_on_odd_screens)
