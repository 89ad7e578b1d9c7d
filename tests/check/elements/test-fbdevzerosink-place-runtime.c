/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-fbdevzerosink-place-runtime.c: where the picture is shown, and turned how, while it plays: GstVideoOverlay's
 * rectangle and expose, GstVideoDirection with the stream's tag; what is on the screen after the stop; and the settings
 * for the console and for damaged rows.
 */
#include "test-pictures.h"

#include <gst/video/videodirection.h>

#define COLOUR 0x4080c0

/* Pushes a frame of one colour. */
static void
feed_flat (Feeder *feeder, guint32 colour)
{
  GstBuffer *buffer = bgrx_frame (GST_VIDEO_INFO_WIDTH (&feeder->info), GST_VIDEO_INFO_HEIGHT (&feeder->info),
                                  4 * GST_VIDEO_INFO_WIDTH (&feeder->info), colour);

  ck_assert_int_eq (gst_pad_push (feeder->pad, buffer), GST_FLOW_OK);
}

static void
set_rectangle (Feeder *feeder, gint x, gint y, gint width, gint height)
{
  ck_assert (GST_IS_VIDEO_OVERLAY (feeder->player.sink));
  ck_assert (gst_video_overlay_set_render_rectangle (GST_VIDEO_OVERLAY (feeder->player.sink), x, y, width, height));
}

/* ---- the rectangle --------------------------------------------------------------------------------------------- */

START_TEST (the_next_frames_are_in_the_rectangle)
{
  static const struct
  {
    const gchar *scaling;
    GstVideoRectangle rect, picture;
  } rows[] = {
    { "stretch", { 10, 4, 32, 16 }, { 10, 4, 32, 16 } }, { "fit", { 0, 0, 32, 32 }, { 0, 8, 32, 16 } },
    { "fit", { 40, 0, 24, 32 }, { 40, 10, 24, 12 } },    { "fill", { 1, 3, 16, 16 }, { 1, 3, 16, 16 } },
    { "none", { 0, 0, 64, 32 }, { 0, 0, 64, 32 } },      { "stretch", { 63, 31, 1, 1 }, { 63, 31, 1, 1 } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    const GstVideoRectangle *r = &rows[i].rect, *p = &rows[i].picture;
    ScreenFile file = screen_file_new ();
    gchar *more = g_strdup_printf ("pages=3 scaling=%s", rows[i].scaling);
    Feeder feeder = small_feeder (&file, more);

    feeder_negotiate (&feeder, "BGRx", 64, 32, FALSE);
    for (guint n = 0; n < 4; n++)
      feed_flat (&feeder, 0xffffff);
    set_rectangle (&feeder, r->x, r->y, r->w, r->h);
    for (guint n = 0; n < 7; n++) {
      feed_flat (&feeder, COLOUR);
      assert_picture (&file, p->x, p->y, p->w, p->h, COLOUR);
    }
    /* and back to the whole screen */
    set_rectangle (&feeder, -1, -1, -1, -1);
    feed_flat (&feeder, COLOUR);
    assert_picture (&file, 0, 0, 64, 32, COLOUR);
    feeder_end (&feeder);
    g_free (more);
    screen_file_free (&file);
  }
}
END_TEST

/* Frames in pages are asked for anew, and those that were drawn for the old place still come out at the new one. */
START_TEST (a_rectangle_asks_upstream_to_negotiate_again)
{
  ScreenFile file = screen_file_new ();
  Feeder feeder = small_feeder (&file, "pages=4 scaling=stretch");

  feeder_negotiate (&feeder, "BGRx", 64, 32, TRUE);
  ck_assert_ptr_nonnull (feeder.pool);
  feed (&feeder);
  player_reach (&feeder.player, GST_STATE_PLAYING); /* a sink at rest would paint the frame anew at once */
  gst_pad_check_reconfigure (feeder.pad);
  set_rectangle (&feeder, 8, 4, 32, 16);
  ck_assert (gst_pad_check_reconfigure (feeder.pad));
  feed (&feeder);
  feed (&feeder);
  assert_counts (&feeder.player, 1, 2, 0);
  feeder_negotiate (&feeder, "BGRx", 64, 32, TRUE);
  ck_assert_ptr_null (feeder.pool); /* a picture that is scaled gets none */
  feeder_end (&feeder);
  screen_file_free (&file);
}
END_TEST

/* A rectangle that fits the picture 1:1 flips, wherever it is. */
START_TEST (a_window_in_a_rectangle_flips)
{
  ScreenFile file = screen_file_new ();
  Feeder feeder = small_feeder (&file, "pages=3");
  Screen screen = screen_open (&file, "BGRx");

  set_rectangle (&feeder, 5, 7, 40, 20);
  feeder_negotiate (&feeder, "BGRx", 40, 20, TRUE);
  ck_assert_ptr_nonnull (feeder.pool);
  for (guint n = 0; n < 7; n++) {
    feed (&feeder);
    assert_frame (&screen, n, &(GstVideoRectangle){ 5, 7, 40, 20 }, 0, "in a rectangle");
  }
  assert_counts (&feeder.player, 7, 0, 0);
  feeder_end (&feeder);
  screen_close (&screen);
  screen_file_free (&file);
}
END_TEST

static BaPool *
pages_of (const Feeder *feeder)
{
  return gst_ba_fbdev_allocator_get_pages (gst_ba_fbdev_pool_get_allocator (GST_BA_FBDEV_POOL (feeder->pool)));
}

/* The frame before has its page until the next one comes, as the last sample; its copy is on screen, and the third page is
 * the next frame's: none is left to copy that into. */
START_TEST (with_a_rectangle_for_each_frame_none_waits_for_a_page)
{
  ScreenFile file = screen_file_new ();
  Feeder feeder = small_feeder (&file, "pages=3 scaling=none");
  Screen screen = screen_open (&file, "BGRx");
  BaPoolStats stats;

  set_rectangle (&feeder, 0, 0, 40, 20);
  feeder_negotiate (&feeder, "BGRx", 40, 20, TRUE);
  feed (&feeder);
  for (gint i = 1; i < 6; i++) {
    GstSample *sample;

    set_rectangle (&feeder, 2 * i, i, 40, 20);
    feed (&feeder);
    assert_frame (&screen, i, &(GstVideoRectangle){ 2 * i, i, 40, 20 }, 0, "at a new place");
    g_object_get (feeder.player.sink, "last-sample", &sample, NULL);
    ck_assert_ptr_nonnull (sample);
    gst_sample_unref (sample);
  }
  assert_counts (&feeder.player, 1, 0, 5);
  ba_pool_get_stats (pages_of (&feeder), &stats);
  ck_assert_uint_eq (stats.waits, 0);
  feeder_end (&feeder);
  screen_close (&screen);
  screen_file_free (&file);
}
END_TEST

/* Pages come back when frames come, which cannot while one is painted anew. */
START_TEST (expose_waits_for_no_page)
{
  ScreenFile file = screen_file_new ();
  Feeder feeder = small_feeder (&file, "pages=3 scaling=none");
  BaPoolStats before, after;
  GstBuffer *mine;
  BaPool *pages;

  set_rectangle (&feeder, 0, 0, 40, 20);
  feeder_negotiate (&feeder, "BGRx", 40, 20, TRUE);
  pages = pages_of (&feeder);
  feed (&feeder);
  set_rectangle (&feeder, 2, 1, 40, 20);
  expose (&feeder.player);
  mine = draw_page (feeder.pool, 0x77);
  ba_pool_get_stats (pages, &before);
  ck_assert_uint_eq (before.n_free, 0);
  set_rectangle (&feeder, 4, 2, 40, 20);
  expose (&feeder.player);
  ba_pool_get_stats (pages, &after);
  ck_assert_uint_eq (after.waits, before.waits);
  gst_buffer_unref (mine);
  feeder_end (&feeder);
  screen_file_free (&file);
}
END_TEST

START_TEST (a_rectangle_is_a_property_too)
{
  ScreenFile file = screen_file_new ();
  Feeder feeder = small_feeder (&file, "scaling=stretch render-rectangle=\"<10,4,32,16>\"");

  feeder_negotiate (&feeder, "BGRx", 64, 32, FALSE);
  feed_flat (&feeder, COLOUR);
  assert_picture (&file, 10, 4, 32, 16, COLOUR);
  feeder_end (&feeder);
  screen_file_free (&file);
}
END_TEST

/* What lies outside the screen is cut off, and nothing is written there. */
START_TEST (a_rectangle_may_leave_the_screen)
{
  static const GstVideoRectangle rects[] = {
    { -16, -8, 32, 16 }, { 48, 24, 32, 16 }, { -10, -10, 100, 100 }, { 200, 100, 32, 16 }, { -300, 0, 32, 16 }
  };
  static const GstVideoRectangle seen[] = {
    { 0, 0, 16, 8 }, { 48, 24, 16, 8 }, { 0, 0, 64, 32 }, { 0, 0, 0, 0 }, { 0, 0, 0, 0 }
  };

  for (guint i = 0; i < G_N_ELEMENTS (rects); i++) {
    for (guint way = 0; way < 2; way++) {
      ScreenFile file = screen_file_new ();
      Feeder feeder = small_feeder (&file, "scaling=stretch");

      set_rectangle (&feeder, rects[i].x, rects[i].y, rects[i].w, rects[i].h);
      feeder_negotiate (&feeder, "BGRx", way ? 32 : 64, way ? 16 : 32, FALSE);
      for (guint n = 0; n < 3; n++)
        feed_flat (&feeder, COLOUR);
      assert_picture (&file, seen[i].x, seen[i].y, seen[i].w, seen[i].h, COLOUR);
      feeder_end (&feeder);
      screen_file_free (&file);
    }
  }
}
END_TEST

/* ---- expose ---------------------------------------------------------------------------------------------------- */

/* A still picture, as imagefreeze makes it: the next frame is due in an hour. */
static void
expose_a_still (GstState state)
{
  static const gchar *caps[] = { "format=BGRx,width=64,height=32", "format=I420,width=64,height=32",
                                 "format=BGRx,width=32,height=16" };

  for (guint i = 0; i < 3 * G_N_ELEMENTS (caps); i++) {
    ScreenFile file = screen_file_new ();
    gchar *source = g_strdup_printf ("videotestsrc pattern=solid-color foreground-color=0xff4080c0 ! "
                                     "video/x-raw,framerate=1/3600,%s !",
                                     caps[i / 3]);
    gchar *settings =
        g_strdup_printf ("device=virtual:64x32,rate=0,pages=%u,file=%s scaling=stretch", i % 3 + 1, file.path);
    Player player = player_new (source, settings);

    player_reach (&player, state);
    assert_picture (&file, 0, 0, 64, 32, COLOUR);
    gst_video_overlay_set_render_rectangle (GST_VIDEO_OVERLAY (player.sink), 10, 4, 32, 16);
    expose (&player);
    assert_picture (&file, 10, 4, 32, 16, COLOUR);
    gst_video_overlay_set_render_rectangle (GST_VIDEO_OVERLAY (player.sink), -1, -1, -1, -1);
    expose (&player);
    assert_picture (&file, 0, 0, 64, 32, COLOUR);
    expose (&player);
    assert_picture (&file, 0, 0, 64, 32, COLOUR);
    player_drain (&player);
    ck_assert_uint_eq (player.n_errors, 0);
    player_free (&player);
    g_free (settings);
    g_free (source);
    screen_file_free (&file);
  }
}

START_TEST (expose_shows_the_frame_at_its_new_place_when_paused)
{
  expose_a_still (GST_STATE_PAUSED);
}
END_TEST

START_TEST (expose_shows_the_frame_at_its_new_place_while_it_plays)
{
  expose_a_still (GST_STATE_PLAYING);
}
END_TEST

/* Others draw on the screen too: what did not change in the frame may have changed there. */
START_TEST (expose_paints_over_what_others_drew)
{
  for (guint i = 0; i < 2; i++) {
    ScreenFile file = screen_file_new ();
    Feeder feeder = small_feeder (&file, i == 0 ? "pages=1" : "pages=2 damage=always");
    guint8 text[256];
    FILE *screen;

    memset (text, 0xee, sizeof text);
    feeder_negotiate (&feeder, "BGRx", 64, 32, FALSE);
    for (guint n = 0; n < 4; n++)
      feed_flat (&feeder, COLOUR);
    ck_assert_ptr_nonnull (screen = fopen (file.path, "r+b"));
    for (guint page = 0; page < 2 - (i == 0); page++) {
      fseek (screen, (long) page * 8192, SEEK_SET);
      ck_assert_uint_eq (fwrite (text, 1, sizeof text, screen), sizeof text);
    }
    fclose (screen);
    expose (&feeder.player);
    assert_picture (&file, 0, 0, 64, 32, COLOUR);
    feeder_end (&feeder);
    screen_file_free (&file);
  }
}
END_TEST

/* The last frame is not one of the new caps. */
START_TEST (expose_between_caps_and_frame_is_no_error)
{
  ScreenFile file = screen_file_new ();
  Feeder feeder = small_feeder (&file, "pages=3");

  feeder_negotiate (&feeder, "BGRx", 64, 32, FALSE);
  feed_flat (&feeder, COLOUR);
  feed_flat (&feeder, COLOUR);
  feeder_negotiate (&feeder, "BGRx", 128, 64, FALSE);
  expose (&feeder.player);
  assert_picture (&file, 0, 0, 64, 32, COLOUR);
  player_drain (&feeder.player);
  ck_assert_uint_eq (feeder.player.n_errors, 0);
  feeder_end (&feeder);
  screen_file_free (&file);
}
END_TEST

/* Less than what pages are moved for alignment. */
START_TEST (a_still_in_a_page_moves_by_a_few_pixels)
{
  for (gint x = 1; x <= 24; x += 23) {
    ScreenFile file = screen_file_new ();
    gchar *settings = g_strdup_printf ("device=virtual:64x32,rate=0,pages=3,file=%s scaling=none "
                                       "render-rectangle=\"<0,8,32,16>\"", file.path);
    Player player = player_new ("videotestsrc pattern=solid-color foreground-color=0xff4080c0 ! "
                                "video/x-raw,format=BGRx,width=32,height=16,framerate=1/3600 !", settings);

    player_reach (&player, GST_STATE_PAUSED);
    assert_picture (&file, 0, 8, 32, 16, COLOUR);
    gst_video_overlay_set_render_rectangle (GST_VIDEO_OVERLAY (player.sink), x, 8, 32, 16);
    expose (&player);
    assert_picture (&file, x, 8, 32, 16, COLOUR);
    player_free (&player);
    g_free (settings);
    screen_file_free (&file);
  }
}
END_TEST

START_TEST (expose_without_a_frame_does_nothing)
{
  static const GstState states[] = { GST_STATE_NULL, GST_STATE_READY, GST_STATE_PLAYING };
  ScreenFile file = screen_file_new ();
  Player player = pushing_player (&file, "");

  for (guint i = 0; i < G_N_ELEMENTS (states); i++) {
    player_set (&player, states[i]);
    expose (&player);
    ck_assert (gst_video_overlay_set_render_rectangle (GST_VIDEO_OVERLAY (player.sink), 1, 2, 3, 4));
    expose (&player);
  }
  player_drain (&player);
  ck_assert_uint_eq (player.n_errors, 0);
  player_free (&player);
  screen_file_free (&file);
}
END_TEST

/* An application exposes whenever it likes; the frames of the stream go on. */
START_TEST (expose_while_it_plays)
{
  ScreenFile file = screen_file_new ();
  gchar *settings = g_strdup_printf ("device=virtual:64x32,rate=500,pages=6,file=%s sync=false", file.path);
  Player player = player_new ("videotestsrc num-buffers=200 pattern=solid-color foreground-color=0xff4080c0 ! "
                              "video/x-raw,format=BGRx,width=64,height=32 !",
                              settings);

  player_set (&player, GST_STATE_PLAYING);
  for (guint64 i = 0; i < 150; i++) {
    /* one for each frame: who asks for the lock without a pause keeps it from the stream, however fair that is */
    while (player_count (&player, "flipped") + player_count (&player, "converted") + player_count (&player, "copied") < i)
      g_thread_yield ();
    gst_video_overlay_set_render_rectangle (GST_VIDEO_OVERLAY (player.sink), i % 8, i % 4, 64 - i % 8, 32 - i % 4);
    expose (&player);
    player_drain (&player);
    ck_assert_msg (player.n_errors == 0, "%s", player.error);
  }
  gst_video_overlay_set_render_rectangle (GST_VIDEO_OVERLAY (player.sink), -1, -1, -1, -1);
  player_wait (&player, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  ck_assert_msg (player.n_errors == 0, "%s", player.error);
  expose (&player);
  assert_picture (&file, 0, 0, 64, 32, COLOUR);
  player_free (&player);
  g_free (settings);
  screen_file_free (&file);
}
END_TEST

/* ---- directions ------------------------------------------------------------------------------------------------ */

static const guint32 quarters[] = { 0xc04040, 0x40c040, 0x4040c0, 0xc0c040 };

/* Which quarter of the frame is upper left, upper right, lower left, lower right; by GstVideoOrientationMethod. */
static const guint turned[][4] = { { 0, 1, 2, 3 }, { 2, 0, 3, 1 }, { 3, 2, 1, 0 }, { 1, 3, 0, 2 },
                                   { 1, 0, 3, 2 }, { 2, 3, 0, 1 }, { 0, 2, 1, 3 }, { 3, 1, 2, 0 } };

static void
feed_quarters (Feeder *feeder)
{
  gint width = GST_VIDEO_INFO_WIDTH (&feeder->info), height = GST_VIDEO_INFO_HEIGHT (&feeder->info);
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, feeder->info.size, NULL);
  GstVideoFrame frame;

  ck_assert (gst_video_frame_map (&frame, &feeder->info, buffer, GST_MAP_WRITE));
  for (gint y = 0; y < height; y++) {
    guint8 *p = (guint8 *) frame.data[0] + y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0);

    for (gint x = 0; x < width; x++, p += 4)
      GST_WRITE_UINT32_LE (p, quarters[(y >= height / 2) * 2 + (x >= width / 2)]);
  }
  gst_video_frame_unmap (&frame);
  ck_assert_int_eq (gst_pad_push (feeder->pad, buffer), GST_FLOW_OK);
}

static void
assert_turned (const ScreenFile *file, guint method)
{
  Watch watch = watch_open (file);

  for (guint i = 0; i < 4; i++) {
    guint32 found = pixel (&watch, i % 2 ? 48 : 16, i / 2 ? 24 : 8), wanted = quarters[turned[method][i]];

    for (gint shift = 0; shift < 24; shift += 8)
      ck_assert_msg (ABS ((gint) (found >> shift & 255) - (gint) (wanted >> shift & 255)) <= 3,
                     "method %u, quarter %u: %06x, not %06x", method, i, found, wanted);
  }
  watch_close (&watch);
}

START_TEST (every_direction_turns_the_picture)
{
  for (guint method = GST_VIDEO_ORIENTATION_IDENTITY; method <= GST_VIDEO_ORIENTATION_UR_LL; method++) {
    for (guint scaled = 0; scaled < 2; scaled++) {
      ScreenFile file = screen_file_new ();
      Feeder feeder = small_feeder (&file, "scaling=stretch");

      ck_assert (GST_IS_VIDEO_DIRECTION (feeder.player.sink));
      g_object_set (feeder.player.sink, "video-direction", method, NULL);
      feeder_negotiate (&feeder, "BGRx", scaled ? 40 : 64, scaled ? 40 : 32, FALSE);
      for (guint n = 0; n < 3; n++) {
        feed_quarters (&feeder);
        assert_turned (&file, method);
      }
      feeder_end (&feeder);
      screen_file_free (&file);
    }
  }
}
END_TEST

START_TEST (a_turned_picture_keeps_its_shape)
{
  ScreenFile file = screen_file_new ();
  Feeder feeder = small_feeder (&file, "scaling=fit");

  g_object_set (feeder.player.sink, "video-direction", GST_VIDEO_ORIENTATION_90R, NULL);
  feeder_negotiate (&feeder, "BGRx", 64, 32, FALSE);
  for (guint n = 0; n < 3; n++)
    feed_flat (&feeder, COLOUR);
  assert_picture (&file, 24, 0, 16, 32, COLOUR);
  feeder_end (&feeder);
  screen_file_free (&file);
}
END_TEST

START_TEST (auto_follows_the_tag_and_others_do_not)
{
  static const gchar *tags[] = { "rotate-90",      "rotate-180",      "rotate-270",      "flip-rotate-0",
                                 "flip-rotate-90", "flip-rotate-180", "flip-rotate-270", "rotate-0" };

  for (guint automatic = 0; automatic < 2; automatic++) {
    ScreenFile file = screen_file_new ();
    Feeder feeder = small_feeder (&file, "scaling=stretch");

    if (automatic)
      g_object_set (feeder.player.sink, "video-direction", GST_VIDEO_ORIENTATION_AUTO, NULL);
    feeder_negotiate (&feeder, "BGRx", 64, 32, FALSE);
    for (guint i = 0; i < G_N_ELEMENTS (tags); i++) {
      GstTagList *list = gst_tag_list_new (GST_TAG_IMAGE_ORIENTATION, tags[i], NULL);
      GstVideoOrientationMethod method = GST_VIDEO_ORIENTATION_IDENTITY;

      ck_assert (gst_video_orientation_from_tag (list, &method));
      ck_assert (gst_pad_push_event (feeder.pad, gst_event_new_tag (list)));
      feed_quarters (&feeder);
      assert_turned (&file, automatic ? method : GST_VIDEO_ORIENTATION_IDENTITY);
    }
    feeder_end (&feeder);
    screen_file_free (&file);
  }
}
END_TEST

START_TEST (a_direction_while_it_plays_asks_upstream_to_negotiate_again)
{
  ScreenFile file = screen_file_new ();
  Feeder feeder = small_feeder (&file, "pages=4 scaling=stretch");

  feeder_negotiate (&feeder, "BGRx", 64, 32, TRUE);
  ck_assert_ptr_nonnull (feeder.pool);
  feed (&feeder);
  player_reach (&feeder.player, GST_STATE_PLAYING); /* a sink at rest would paint the frame anew at once */
  gst_pad_check_reconfigure (feeder.pad);
  g_object_set (feeder.player.sink, "video-direction", GST_VIDEO_ORIENTATION_180, NULL);
  ck_assert (gst_pad_check_reconfigure (feeder.pad));
  feed (&feeder);
  assert_counts (&feeder.player, 1, 1, 0);
  feeder_negotiate (&feeder, "BGRx", 64, 32, TRUE);
  ck_assert_ptr_null (feeder.pool);
  feed_quarters (&feeder);
  assert_turned (&file, GST_VIDEO_ORIENTATION_180);
  feeder_end (&feeder);
  screen_file_free (&file);
}
END_TEST

/* ---- the other settings ---------------------------------------------------------------------------------------- */

START_TEST (clear_on_stop_leaves_a_black_screen)
{
  for (guint pages = 1; pages <= 3; pages++) {
    ScreenFile file = screen_file_new ();
    gchar *more = g_strdup_printf ("pages=%u clear-on-stop=true", pages);
    Feeder feeder = small_feeder (&file, more);
    GstSample *sample;
    GstMapInfo map;

    feeder_negotiate (&feeder, "BGRx", 64, 32, pages > 2);
    feed (&feeder);
    g_object_get (feeder.player.sink, "last-sample", &sample, NULL);
    feeder_end (&feeder);
    assert_picture (&file, 0, 0, 0, 0, 0);
    /* the page that an application holds is not the sink's to clear */
    ck_assert (gst_buffer_map (gst_sample_get_buffer (sample), &map, GST_MAP_READ));
    ck_assert_uint_ne (map.data[4] | map.data[5] | map.data[6], 0);
    gst_buffer_unmap (gst_sample_get_buffer (sample), &map);
    gst_sample_unref (sample);
    g_free (more);
    screen_file_free (&file);
  }
}
END_TEST

/* Whichever rows are written: what is to be seen is there, although every frame differs in a few rows only. */
START_TEST (damaged_rows_are_all_there)
{
  static const gchar *damage[] = { "auto", "always", "never" };

  for (guint i = 0; i < G_N_ELEMENTS (damage); i++) {
    for (guint pages = 1; pages <= 4; pages++) {
      ScreenFile file = screen_file_new ();
      gchar *more = g_strdup_printf ("pages=%u offer-pages=never damage=%s", pages, damage[i]);
      Feeder feeder = small_feeder (&file, more);

      feeder_negotiate (&feeder, "BGRx", 64, 32, FALSE);
      for (guint n = 0; n < 12; n++) {
        guint8 rows[64 * 32 * 4];
        Watch watch;

        memset (rows, 0x20, sizeof rows);
        memset (rows + n * 64 * 4, 0xa0 + n, 2 * 64 * 4);
        ck_assert_int_eq (gst_pad_push (feeder.pad, gst_buffer_new_memdup (rows, sizeof rows)), GST_FLOW_OK);
        watch = watch_open (&file);
        for (guint y = 0; y < 32; y++) {
          for (guint x = 0; x < 64; x++) {
            guint32 wanted = y >= n && y < n + 2 ? (0xa0 + n) * 0x010101u : 0x202020;

            if (pixel (&watch, x, y) != wanted)
              ck_abort_msg ("%s, frame %u, pixel %u,%u: %06x, not %06x", more, n, x, y, pixel (&watch, x, y), wanted);
          }
        }
        watch_close (&watch);
      }
      feeder_end (&feeder);
      g_free (more);
      screen_file_free (&file);
    }
  }
}
END_TEST

RUN ("fbdevzerosink-place-runtime", the_next_frames_are_in_the_rectangle, a_rectangle_asks_upstream_to_negotiate_again,
     a_window_in_a_rectangle_flips, with_a_rectangle_for_each_frame_none_waits_for_a_page, expose_waits_for_no_page,
     a_rectangle_is_a_property_too, a_rectangle_may_leave_the_screen,
     expose_shows_the_frame_at_its_new_place_when_paused, expose_shows_the_frame_at_its_new_place_while_it_plays,
     expose_without_a_frame_does_nothing, expose_paints_over_what_others_drew,
     expose_between_caps_and_frame_is_no_error, a_still_in_a_page_moves_by_a_few_pixels, expose_while_it_plays,
     every_direction_turns_the_picture, a_turned_picture_keeps_its_shape, auto_follows_the_tag_and_others_do_not,
     a_direction_while_it_plays_asks_upstream_to_negotiate_again, clear_on_stop_leaves_a_black_screen,
     damaged_rows_are_all_there)
