/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-fbdevzerosink-time.c: what the sink does before, at and after the moment a frame is due; and what it does with a
 * display that is to be another one the next time.
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "test-sink-support.h"

#define FRAME_BYTES (64 * 32 * 4)

/* The first frame is shown at once, the second one is due in ten seconds: it must be on its page long before. */
START_TEST (a_frame_is_converted_before_it_is_due)
{
  Player player = player_new ("videotestsrc ! video/x-raw,format=I420,width=64,height=32,framerate=1/10 !",
      "device=virtual:64x32,rate=0");

  player_reach (&player, GST_STATE_PLAYING);
  while (player_count (&player, "bytes-written") < 2 * FRAME_BYTES)
    g_thread_yield ();
  ck_assert_uint_eq (player_count (&player, "converted"), 1);
  player_free (&player);
}
END_TEST

/* Plays 30 frames as if the first one had been due ten seconds ago. */
static Player
play_late (void)
{
  Player player = player_new ("videotestsrc num-buffers=30 ! video/x-raw,format=BGRx,width=64,height=32 !",
      "device=virtual:64x32,rate=0");
  GstClock *clock = gst_system_clock_obtain ();

  gst_pipeline_use_clock (GST_PIPELINE (player.pipeline), clock);
  gst_element_set_start_time (player.pipeline, GST_CLOCK_TIME_NONE);
  gst_element_set_base_time (player.pipeline, gst_clock_get_time (clock) - 10 * GST_SECOND);
  gst_object_unref (clock);
  player_play_to_end (&player);
  return player;
}

/* Which frames are late is the base class's to say, and once in a while it finds none: that play proves nothing. */
START_TEST (late_frames_are_counted_and_stay_counted)
{
  guint64 dropped = 0;

  for (guint play = 0; play < 10 && dropped == 0; play++) {
    Player player = play_late ();

    dropped = player_count (&player, "dropped");
    ck_assert_uint_eq (player_count (&player, "flipped") + dropped, 30);
    player_reach (&player, GST_STATE_READY);
    ck_assert_uint_eq (player_count (&player, "dropped"), dropped);
    player_free (&player);
  }
  ck_assert_uint_gt (dropped, 0);
}
END_TEST

/* With two pages a frame waits for the flip before it, and a step may come just then. */
START_TEST (steps_show_frame_after_frame)
{
  Player player = player_new ("videotestsrc ! video/x-raw,format=I420,width=64,height=32,framerate=100/1 !",
      "device=virtual:64x32,pages=2,rate=20");

  player_reach (&player, GST_STATE_PLAYING);
  for (guint i = 0; i < 20; i++) {
    player_reach (&player, GST_STATE_PAUSED);
    ck_assert (gst_element_send_event (player.pipeline, gst_event_new_step (GST_FORMAT_BUFFERS, 1, 1.0, TRUE, FALSE)));
    player_wait (&player, GST_MESSAGE_STEP_DONE | GST_MESSAGE_ERROR);
    ck_assert_msg (player.n_errors == 0, "%s", player.error);
    player_reach (&player, GST_STATE_PLAYING);
  }
  player_free (&player);
}
END_TEST

/* The core pool of the sink's pages, as an application finds it. */
static BaPool *
find_pages (Player * player)
{
  GstPad *pad = gst_element_get_static_pad (player->sink, "sink");
  GstCaps *caps = gst_caps_from_string ("video/x-raw,format=BGRx,width=64,height=32,framerate=30/1");
  GstQuery *query = gst_query_new_allocation (caps, TRUE);
  GstBufferPool *pool;
  BaPool *pages;

  ck_assert (gst_pad_query (pad, query));
  gst_query_parse_nth_allocation_pool (query, 0, &pool, NULL, NULL, NULL);
  ck_assert (GST_IS_BA_FBDEV_POOL (pool));
  pages = ba_pool_ref (gst_ba_fbdev_allocator_get_pages (gst_ba_fbdev_pool_get_allocator (GST_BA_FBDEV_POOL (pool))));
  gst_object_unref (pool);
  gst_query_unref (query);
  gst_caps_unref (caps);
  gst_object_unref (pad);
  return pages;
}

/* Not the first one, which is shown when there is a page, as that is what stands there until it plays. */
START_TEST (a_frame_without_a_page_is_dropped_and_counted)
{
  ScreenFile file = screen_file_new ();
  Player player = pushing_player (&file, "pages=3");
  BaPool *pages = find_pages (&player);
  BaBuffer *taken[2];
  const gchar *caps = "video/x-raw,format=BGRx,width=64,height=32,framerate=0/1";

  ck_assert_int_eq (player_push (&player, bgrx_frame (64, 32, 256, 0x708090), caps), GST_FLOW_OK);
  while (player_count (&player, "copied") == 0)
    g_thread_yield ();
  for (guint i = 0; i < 2; i++) /* the third one is on the screen */
    ck_assert_int_eq (ba_pool_acquire (pages, BA_WAIT_FOREVER, NULL, &taken[i]), 0);
  ck_assert_int_eq (player_push (&player, bgrx_frame (64, 32, 256, 0x102030), caps), GST_FLOW_OK);
  while (player_count (&player, "dropped") == 0)
    g_thread_yield ();
  for (guint i = 0; i < 2; i++)
    ck_assert_int_eq (ba_pool_release (pages, taken[i]), 0);
  ck_assert_int_eq (player_push (&player, bgrx_frame (64, 32, 256, 0x405060), caps), GST_FLOW_OK);
  player_push_end (&player);
  player_wait (&player, GST_MESSAGE_EOS);
  ck_assert_uint_eq (player_count (&player, "copied"), 2);
  ck_assert_uint_eq (player_count (&player, "dropped"), 1);
  assert_picture (&file, 0, 0, 64, 32, 0x405060);
  ba_pool_unref (pages);
  player_free (&player);
  screen_file_free (&file);
}
END_TEST

START_TEST (another_device_in_ready_is_opened)
{
  ScreenFile file = screen_file_new ();
  Player player = player_new ("videotestsrc num-buffers=5 pattern=red ! video/x-raw,format=BGRx !",
      "device=virtual:16x16,pages=2 sync=false");
  gchar *device = g_strdup_printf ("virtual:64x32,rate=0,file=%s", file.path);
  GstStructure *stats;
  guint n_pages;

  player_reach (&player, GST_STATE_READY);
  g_object_set (player.sink, "device", device, "pages", 4, NULL);
  player_play_to_end (&player);
  stats = player_stats (&player);
  ck_assert (gst_structure_get_uint (stats, "pages", &n_pages));
  ck_assert_uint_eq (n_pages, 4);
  gst_structure_free (stats);
  assert_picture (&file, 0, 0, 64, 32, 0xff0000);

  /* one that does not exist fails with one error, and going on without it is not possible */
  player_reach (&player, GST_STATE_READY);
  g_object_set (player.sink, "device", "/no/such/device", NULL);
  for (guint i = 1; i <= 2; i++) {
    ck_assert_int_eq (gst_element_set_state (player.sink, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
    player_drain (&player);
    ck_assert_uint_eq (player.n_errors, i);
  }
  player_free (&player);
  g_free (device);
  screen_file_free (&file);
}
END_TEST

START_TEST (a_file_that_is_no_card_is_one_clear_error)
{
  Player player = player_new ("videotestsrc num-buffers=1 !", "");
  gint fd = g_open ("/dev/null", O_RDWR | O_CLOEXEC, 0);

  ck_assert_int_ge (fd, 0);
  g_object_set (player.sink, "fd", fd, "device", "auto", NULL);
  gst_util_set_object_arg (G_OBJECT (player.sink), "kms-api", "atomic");
  ck_assert_int_eq (gst_element_set_state (player.sink, GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
  player_drain (&player);
  ck_assert_uint_eq (player.n_errors, 1);
  ck_assert_msg (strstr (player.error, "could not be opened") != NULL, "%s", player.error);
  ck_assert_msg (strstr (player.error, "card") != NULL, "%s", player.error);
  player_free (&player);
  ck_assert_int_eq (close (fd), 0);     /* it stays the application's */
}
END_TEST

START_TEST (the_reason_says_why_no_page_was_offered)
{
  static const struct
  {
    const gchar *settings, *reason;
  } cases[] = {
    { "device=virtual:64x32,pages=1", "the screen has one page only" },
    { "device=virtual:64x32,pages=2", "the screen has two pages only" },
    { "device=virtual:64x32 offer-pages=never", "offer-pages=never" },
    { "device=virtual:32x16 scaling=none", "the picture is larger than the screen" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    Player player = player_new ("videotestsrc num-buffers=2 ! video/x-raw,format=BGRx,width=64,height=32 !",
        cases[i].settings);
    GstStructure *stats;

    player_play_to_end (&player);
    stats = player_stats (&player);
    ck_assert_ptr_nonnull (strstr (gst_structure_get_string (stats, "reason"), cases[i].reason));
    gst_structure_free (stats);
    player_free (&player);
  }
}
END_TEST

int
main (int argc, char **argv)
{
  const TTest *const tests[] = { a_frame_is_converted_before_it_is_due, late_frames_are_counted_and_stay_counted,
    steps_show_frame_after_frame, a_frame_without_a_page_is_dropped_and_counted, another_device_in_ready_is_opened,
    a_file_that_is_no_card_is_one_clear_error,
    the_reason_says_why_no_page_was_offered };

  gst_init (&argc, &argv);
  return run_tests ("fbdevzerosink-time", tests, G_N_ELEMENTS (tests));
}
