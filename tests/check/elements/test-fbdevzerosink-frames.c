/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-fbdevzerosink-frames.c: frames on their way to a virtual screen: which way they go, where their pixels end, and
 * what is said about it.
 */
#include "test-sink-support.h"

#define COUNTED(n) "videotestsrc num-buffers=" #n " ! video/x-raw,format=BGRx,width=64,height=32,framerate=30/1 ! "
#define FAST "device=virtual:64x32,rate=0 sync=false"
#define BGRX(width, height) "video/x-raw,format=BGRx,framerate=30/1,pixel-aspect-ratio=1/1," \
  "width=" #width ",height=" #height

/* ---- which way ------------------------------------------------------------------------------------------------- */

START_TEST (frames_drawn_into_pages_are_flipped)
{
  Player player = player_new (COUNTED (20), FAST);
  GstStructure *stats;
  guint pages;

  player_play_to_end (&player);
  assert_counts (&player, 20, 0, 0);
  ck_assert_uint_eq (player_count (&player, "bytes-copied"), 0);
  ck_assert_uint_eq (player_count (&player, "bytes-written"), 0);
  stats = player_stats (&player);
  ck_assert_str_eq (gst_structure_get_string (stats, "reason"), "");
  ck_assert (gst_structure_get_uint (stats, "pages", &pages) && pages == 6);
  gst_structure_free (stats);
  player_drain (&player);
  ck_assert_str_eq (player.paths->str, "flip ");
  player_free (&player);
}
END_TEST

START_TEST (the_preroll_frame_counts_once)
{
  ScreenFile file = screen_file_new ();
  gchar *settings = g_strdup_printf ("device=virtual:64x32,rate=0,file=%s", file.path);
  Player player = player_new (COUNTED (5), settings);
  Watch watch;

  player_reach (&player, GST_STATE_PAUSED);
  assert_counts (&player, 1, 0, 0);
  watch = watch_open (&file);
  ck_assert_uint_eq (watch.trailer->sequence, 1);
  player_play_to_end (&player);
  assert_counts (&player, 5, 0, 0);
  ck_assert_uint_eq (watch.trailer->sequence, 5);
  watch_close (&watch);
  player_free (&player);
  g_free (settings);
  screen_file_free (&file);
}
END_TEST

START_TEST (foreign_memory_is_copied_once_and_the_reason_is_told)
{
  Player player = player_new (COUNTED (10), FAST " offer-pages=never");
  GstStructure *stats;

  player_play_to_end (&player);
  assert_counts (&player, 0, 0, 10);
  ck_assert_uint_eq (player_count (&player, "bytes-copied"), 10 * 64 * 32 * 4);
  ck_assert_uint_eq (player_count (&player, "bytes-written"), 10 * 64 * 32 * 4);
  stats = player_stats (&player);
  ck_assert_msg (strstr (gst_structure_get_string (stats, "reason"), "no page was offered") != NULL, "%s",
      gst_structure_get_string (stats, "reason"));
  gst_structure_free (stats);
  player_drain (&player);
  ck_assert_str_eq (player.paths->str, "copy ");
  player_free (&player);
}
END_TEST

START_TEST (another_format_is_converted_once)
{
  Player player = player_new ("videotestsrc num-buffers=10 ! video/x-raw,format=I420,width=64,height=32 !", FAST);

  player_play_to_end (&player);
  assert_counts (&player, 0, 10, 0);
  ck_assert_uint_eq (player_count (&player, "bytes-copied"), 0);
  player_drain (&player);
  ck_assert_str_eq (player.paths->str, "convert ");
  player_free (&player);
}
END_TEST

START_TEST (a_smaller_frame_at_1to1_flips_as_well)
{
  ScreenFile file = screen_file_new ();
  gchar *settings = g_strdup_printf ("device=virtual:64x32,rate=0,file=%s scaling=none sync=false", file.path);
  Player player = player_new ("videotestsrc num-buffers=8 pattern=solid-color foreground-color=0xff4080c0 ! "
      "video/x-raw,format=BGRx,width=40,height=20 !", settings);

  player_play_to_end (&player);
  assert_counts (&player, 8, 0, 0);
  assert_picture (&file, 12, 6, 40, 20, 0x4080c0);
  player_free (&player);
  g_free (settings);
  screen_file_free (&file);
}
END_TEST

START_TEST (one_page_is_written_while_it_is_visible)
{
  ScreenFile file = screen_file_new ();
  gchar *settings = g_strdup_printf ("device=virtual:64x32,rate=0,file=%s pages=1 sync=false", file.path);
  Player player = player_new ("videotestsrc num-buffers=8 pattern=solid-color foreground-color=0xff4080c0 ! "
      "video/x-raw,format=BGRx,width=64,height=32 !", settings);
  GstStructure *stats;
  guint pages;

  player_play_to_end (&player);
  assert_counts (&player, 0, 0, 8);
  stats = player_stats (&player);
  ck_assert (gst_structure_get_uint (stats, "pages", &pages) && pages == 1);
  gst_structure_free (stats);
  assert_picture (&file, 0, 0, 64, 32, 0x4080c0);
  player_free (&player);
  g_free (settings);
  screen_file_free (&file);
}
END_TEST

START_TEST (one_page_shows_a_frame_before_it_plays)
{
  ScreenFile file = screen_file_new ();
  gchar *settings = g_strdup_printf ("device=virtual:64x32,rate=0,pages=1,file=%s max-lateness=-1", file.path);
  Player player = player_new ("videotestsrc num-buffers=2 pattern=solid-color foreground-color=0xff4080c0 ! "
      "video/x-raw,format=I420,width=64,height=32 !", settings);

  player_reach (&player, GST_STATE_PAUSED);
  assert_counts (&player, 0, 1, 0);
  assert_picture (&file, 0, 0, 64, 32, 0x4080c0);
  player_play_to_end (&player);
  assert_counts (&player, 0, 2, 0);
  player_free (&player);
  g_free (settings);
  screen_file_free (&file);
}
END_TEST

START_TEST (pages_asks_for_fewer)
{
  for (guint pages = 1; pages <= 4; pages++) {
    gchar *settings = g_strdup_printf (FAST " pages=%u offer-pages=always", pages);
    Player player = player_new (COUNTED (10), settings);
    GstStructure *stats;
    guint has;

    player_play_to_end (&player);
    assert_counts (&player, 10, 0, 0);
    stats = player_stats (&player);
    ck_assert (gst_structure_get_uint (stats, "pages", &has) && has == pages);
    gst_structure_free (stats);
    player_free (&player);
    g_free (settings);
  }
}
END_TEST

/* Nobody gets a page to draw on that is on screen. */
static GstPadProbeReturn
watch_pages (GstPad * pad, GstPadProbeInfo * info, gpointer data)
{
  const Watch *watch = data;
  GstMemory *memory = gst_buffer_peek_memory (GST_PAD_PROBE_INFO_BUFFER (info), 0);
  gint number = ba_display_get_page_number (gst_ba_fbdev_allocator_get_display (GST_BA_FBDEV_ALLOCATOR
          (memory->allocator)), gst_ba_memory_get_buffer (memory));

  ck_assert_int_ge (number, 0);
  if (watch->trailer->sequence > 0)
    ck_assert_int_ne (number, (gint) watch->trailer->front_page);
  return GST_PAD_PROBE_OK;
}

START_TEST (the_page_on_screen_is_nobody_elses)
{
  ScreenFile file = screen_file_new ();
  gchar *settings = g_strdup_printf ("device=virtual:64x32,pages=3,rate=500,file=%s sync=false", file.path);
  Player player = player_new (COUNTED (40), settings);
  GstPad *pad = gst_element_get_static_pad (player.sink, "sink");
  Watch watch;

  player_set (&player, GST_STATE_READY);
  watch = watch_open (&file);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, watch_pages, &watch, NULL);
  player_play_to_end (&player);
  assert_counts (&player, 40, 0, 0);
  player_set (&player, GST_STATE_NULL);
  watch_close (&watch);
  gst_object_unref (pad);
  player_free (&player);
  g_free (settings);
  screen_file_free (&file);
}
END_TEST

/* ---- where the pixels end -------------------------------------------------------------------------------------- */

START_TEST (scaling_puts_the_picture_where_it_says)
{
  static const struct
  {
    const gchar *mode, *caps;
    gint x, y, w, h;
  } rows[] = {
    {"none", "format=BGRx,width=32,height=20", 16, 6, 32, 20},
    {"none", "format=I420,width=32,height=20", 16, 6, 32, 20},
    {"none", "format=BGRx,width=96,height=48", 0, 0, 64, 32},
    {"fit", "format=BGRx,width=32,height=32", 16, 0, 32, 32},
    {"fit", "format=I420,width=64,height=64", 16, 0, 32, 32},
    {"fit", "format=BGRx,width=128,height=32", 0, 8, 64, 16},
    {"fit", "format=I420,width=32,height=32,pixel-aspect-ratio=2/1", 0, 0, 64, 32},
    {"fill", "format=BGRx,width=32,height=32", 0, 0, 64, 32},
    {"fill", "format=I420,width=128,height=32", 0, 0, 64, 32},
    {"stretch", "format=BGRx,width=32,height=32", 0, 0, 64, 32},
    {"stretch", "format=I420,width=16,height=64", 0, 0, 64, 32},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    ScreenFile file = screen_file_new ();
    gchar *settings = g_strdup_printf ("device=virtual:64x32,rate=0,file=%s scaling=%s sync=false", file.path,
        rows[i].mode);
    gchar *source = g_strdup_printf ("videotestsrc num-buffers=7 pattern=solid-color foreground-color=0xff4080c0 ! "
        "video/x-raw,%s !", rows[i].caps);
    Player player = player_new (source, settings);

    player_play_to_end (&player);
    ck_assert_uint_eq (player_count (&player, "dropped"), 0);
    assert_picture (&file, rows[i].x, rows[i].y, rows[i].w, rows[i].h, 0x4080c0);
    player_free (&player);
    g_free (source);
    g_free (settings);
    screen_file_free (&file);
  }
}
END_TEST

START_TEST (padded_rows_are_copied_by_their_stride)
{
  ScreenFile file = screen_file_new ();
  Player player = pushing_player (&file, "");
  GstBuffer *buffer = bgrx_frame (64, 32, 300, 0x123456);
  gsize offset[GST_VIDEO_MAX_PLANES] = { 0 };
  gint stride[GST_VIDEO_MAX_PLANES] = { 300 };

  gst_buffer_add_video_meta_full (buffer, 0, GST_VIDEO_FORMAT_BGRx, 64, 32, 1, offset, stride);
  player_push (&player, buffer, BGRX (64, 32));
  player_push_end (&player);
  player_wait (&player, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  ck_assert_uint_eq (player.n_errors, 0);
  assert_counts (&player, 0, 0, 1);
  assert_picture (&file, 0, 0, 64, 32, 0x123456);
  player_free (&player);
  screen_file_free (&file);
}
END_TEST

START_TEST (crop_meta_is_obeyed)
{
  for (guint mode = 0; mode < 2; mode++) {
    ScreenFile file = screen_file_new ();
    Player player = pushing_player (&file, mode ? "scaling=stretch" : "scaling=none");
    GstBuffer *buffer = bgrx_frame (96, 48, 96 * 4, 0xff0000);
    GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta (buffer);
    GstMapInfo map;

    crop->x = 20;
    crop->y = 10;
    crop->width = 32;
    crop->height = 16;
    ck_assert (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
    for (gint y = 10; y < 26; y++) {
      for (gint x = 20; x < 52; x++)
        memcpy (map.data + (y * 96 + x) * 4, "\x40\x80\x20", 3);
    }
    gst_buffer_unmap (buffer, &map);
    player_push (&player, buffer, BGRX (96, 48));
    player_push_end (&player);
    player_wait (&player, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    ck_assert_uint_eq (player.n_errors, 0);
    if (mode)
      assert_picture (&file, 0, 0, 64, 32, 0x208040);
    else
      assert_picture (&file, 16, 8, 32, 16, 0x208040);
    player_free (&player);
    screen_file_free (&file);
  }
}
END_TEST

/* One frame that cannot be shown: one error, and the text has @word. */
static void
assert_one_error (GstBuffer * buffer, const gchar * word)
{
  Player player = player_new ("", "device=virtual:64x32,rate=0 sync=false");
  GstPad *pad = gst_pad_new ("src", GST_PAD_SRC), *peer = gst_element_get_static_pad (player.sink, "sink");
  GstCaps *caps = gst_caps_from_string (BGRX (64, 32));
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_set_active (pad, TRUE);
  ck_assert_int_eq (gst_pad_link (pad, peer), GST_PAD_LINK_OK);
  player_set (&player, GST_STATE_PLAYING);
  gst_pad_push_event (pad, gst_event_new_stream_start ("test"));
  gst_pad_push_event (pad, gst_event_new_caps (caps));
  gst_pad_push_event (pad, gst_event_new_segment (&segment));
  /* a good one first: GstBaseSink 1.22 never lets go of its caps where the very first frame fails */
  ck_assert_int_eq (gst_pad_push (pad, bgrx_frame (64, 32, 64 * 4, 0)), GST_FLOW_OK);
  ck_assert_int_eq (gst_pad_push (pad, buffer), GST_FLOW_ERROR);
  player_wait (&player, GST_MESSAGE_ERROR);
  ck_assert_msg (strstr (player.error, word) != NULL, "%s", player.error);
  player_set (&player, GST_STATE_NULL);
  ck_assert_uint_eq (player.n_errors, 1);
  gst_pad_unlink (pad, peer);
  gst_object_unref (peer);
  gst_object_unref (pad);
  gst_caps_unref (caps);
  player_free (&player);
}

START_TEST (a_frame_too_small_for_its_caps_is_an_error)
{
  assert_one_error (bgrx_frame (64, 16, 64 * 4, 0), "frame");
}
END_TEST

START_TEST (a_crop_outside_the_frame_is_an_error)
{
  GstBuffer *buffer = bgrx_frame (64, 32, 64 * 4, 0);
  GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta (buffer);

  crop->x = 40;
  crop->y = 0;
  crop->width = 64;
  crop->height = 32;
  assert_one_error (buffer, "crop");
}
END_TEST

START_TEST (crops_that_make_no_sense_are_an_error)
{
  static const guint crops[][4] = { {0, 0, 0, 0}, {0, 0, 64, 0}, {G_MAXUINT - 10, 0, 64, 32}, {0, G_MAXUINT, 1, 2},
  {G_MAXINT, 0, G_MAXINT, 32}, {64, 0, 1, 1}, {0, 32, 1, 1}, {0, 0, G_MAXUINT, 1}
  };

  for (guint i = 0; i < G_N_ELEMENTS (crops); i++) {
    GstBuffer *buffer = bgrx_frame (64, 32, 64 * 4, 0);
    GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta (buffer);

    crop->x = crops[i][0];
    crop->y = crops[i][1];
    crop->width = crops[i][2];
    crop->height = crops[i][3];
    assert_one_error (buffer, "crop");
  }
}
END_TEST

START_TEST (size_and_format_change_in_the_middle)
{
  ScreenFile file = screen_file_new ();
  Player player = pushing_player (&file, "");
  GstBuffer *grey = gst_buffer_new_allocate (NULL, 32 * 16, NULL);

  gst_buffer_memset (grey, 0, 126, -1);
  player_push (&player, bgrx_frame (64, 32, 64 * 4, 0xffffff), BGRX (64, 32));
  player_push (&player, grey, "video/x-raw,format=GRAY8,width=32,height=16,framerate=30/1,colorimetry=1:4:0:0");
  player_push (&player, bgrx_frame (64, 64, 64 * 4, 0x0000ff), BGRX (64, 64));
  player_push (&player, bgrx_frame (64, 32, 64 * 4, 0x00ff00), BGRX (64, 32));
  player_push (&player, bgrx_frame (32, 32, 32 * 4, 0x808040), BGRX (32, 32));
  player_push_end (&player);
  player_wait (&player, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  ck_assert_msg (player.n_errors == 0, "%s", player.error);
  assert_counts (&player, 0, 2, 3);
  assert_picture (&file, 16, 0, 32, 32, 0x808040);
  player_free (&player);
  screen_file_free (&file);
}
END_TEST

START_TEST (caps_change_while_pages_are_out)
{
  static const gchar *caps[] = { "format=BGRx,width=40,height=20", "format=I420,width=64,height=32",
    "format=BGRx,width=64,height=32", "format=BGRx,width=64,height=30"
  };
  ScreenFile file = screen_file_new ();
  gchar *settings = g_strdup_printf ("device=virtual:64x32,rate=0,pages=3,file=%s scaling=none sync=false", file.path);
  Player player = player_new ("videotestsrc pattern=solid-color foreground-color=0xff4080c0 ! capsfilter name=cf "
      "caps=video/x-raw,format=BGRx,width=64,height=32 ! queue max-size-buffers=1 !", settings);
  GstElement *filter = gst_bin_get_by_name (GST_BIN (player.pipeline), "cf");

  player_reach (&player, GST_STATE_PLAYING);
  for (guint i = 0; i < 12; i++) {
    gchar *text = g_strdup_printf ("video/x-raw,%s", caps[i % 4]);
    guint64 before;

    gst_util_set_object_arg (G_OBJECT (filter), "caps", text);
    before = player_count (&player, "flipped") + player_count (&player, "converted");
    while (player_count (&player, "flipped") + player_count (&player, "converted") < before + 6) {
      player_drain (&player);
      ck_assert_msg (player.n_errors == 0, "%s", player.error);
      g_thread_yield ();
    }
    g_free (text);
  }
  ck_assert_uint_gt (player_count (&player, "converted"), 0);
  ck_assert_uint_eq (player_count (&player, "copied"), 0);
  ck_assert_uint_eq (player_count (&player, "dropped"), 0);
  player_set (&player, GST_STATE_NULL);
  assert_picture (&file, 0, 1, 64, 30, 0x4080c0);
  gst_object_unref (filter);
  player_free (&player);
  g_free (settings);
  screen_file_free (&file);
}
END_TEST

/* ---- what it says ---------------------------------------------------------------------------------------------- */

START_TEST (the_path_is_told_whenever_it_changes)
{
  ScreenFile file = screen_file_new ();
  Player player = pushing_player (&file, "");

  for (guint i = 0; i < 2; i++) {
    player_push (&player, bgrx_frame (64, 32, 64 * 4, 0), BGRX (64, 32));
    player_push (&player, bgrx_frame (64, 32, 64 * 4, 0), BGRX (64, 32));
    player_push (&player, bgrx_frame (32, 16, 32 * 4, 0), BGRX (32, 16));
  }
  player_push_end (&player);
  player_wait (&player, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  ck_assert_str_eq (player.paths->str, "copy convert copy convert ");
  player_free (&player);
  screen_file_free (&file);
}
END_TEST

RUN ("fbdevzerosink-frames", frames_drawn_into_pages_are_flipped, the_preroll_frame_counts_once,
    foreign_memory_is_copied_once_and_the_reason_is_told, another_format_is_converted_once,
    a_smaller_frame_at_1to1_flips_as_well, one_page_is_written_while_it_is_visible,
    one_page_shows_a_frame_before_it_plays, pages_asks_for_fewer, the_page_on_screen_is_nobody_elses,
    scaling_puts_the_picture_where_it_says, padded_rows_are_copied_by_their_stride, crop_meta_is_obeyed,
    a_frame_too_small_for_its_caps_is_an_error, a_crop_outside_the_frame_is_an_error,
    crops_that_make_no_sense_are_an_error, size_and_format_change_in_the_middle, caps_change_while_pages_are_out,
    the_path_is_told_whenever_it_changes)
