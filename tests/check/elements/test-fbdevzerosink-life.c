/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-fbdevzerosink-life.c: that every wait can be ended, and what remains when the sink stops, plays again, or is gone
 * while somebody still has a page.
 */
#include "test-sink-support.h"

#define SOURCE "videotestsrc pattern=snow ! video/x-raw,format=BGRx,width=64,height=32,framerate=30/1 ! "
#define COUNTED(n) "videotestsrc num-buffers=" #n " ! video/x-raw,format=BGRx,width=64,height=32,framerate=30/1 ! "
#define FAST "device=virtual:64x32,rate=0 sync=false"

/* ---- waits that end -------------------------------------------------------------------------------------------- */

typedef struct
{
  GMutex lock;
  GCond cond;
  BaPool *pages;
} PagesSeen;

static GstPadProbeReturn
see_pages (GstPad * pad, GstPadProbeInfo * info, gpointer data)
{
  PagesSeen *seen = data;
  BaBuffer *page = gst_ba_memory_get_buffer (gst_buffer_peek_memory (GST_PAD_PROBE_INFO_BUFFER (info), 0));

  ck_assert_ptr_nonnull (page);
  g_mutex_lock (&seen->lock);
  seen->pages = ba_pool_ref (ba_buffer_get_pool (page));
  g_cond_signal (&seen->cond);
  g_mutex_unlock (&seen->lock);
  return GST_PAD_PROBE_REMOVE;
}

/* A paused pipeline whose source waits for a page: the sink has one, the queue the other. */
static Player
starved_player (const gchar * more)
{
  gchar *settings = g_strdup_printf ("device=virtual:64x32,pages=2,rate=0 offer-pages=always %s", more);
  Player player = player_new (SOURCE "queue !", settings);
  GstPad *pad = gst_element_get_static_pad (player.sink, "sink");
  PagesSeen seen = { 0 };
  BaPoolStats stats;

  g_mutex_init (&seen.lock);
  g_cond_init (&seen.cond);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, see_pages, &seen, NULL);
  player_reach (&player, GST_STATE_PAUSED);
  g_mutex_lock (&seen.lock);
  while (!seen.pages)
    g_cond_wait (&seen.cond, &seen.lock);
  g_mutex_unlock (&seen.lock);
  do {
    g_thread_yield ();
    ba_pool_get_stats (seen.pages, &stats);
  } while (stats.waits == 0 || stats.n_free > 0);
  ba_pool_unref (seen.pages);
  gst_object_unref (pad);
  g_free (settings);
  return player;
}

START_TEST (null_while_upstream_waits_for_a_page)
{
  Player player = starved_player ("");

  player_set (&player, GST_STATE_NULL);
  ck_assert_uint_eq (player.n_errors, 0);
  /* and it plays again */
  player_reach (&player, GST_STATE_PLAYING);
  while (player_count (&player, "flipped") < 3)
    g_thread_yield ();
  player_free (&player);
}
END_TEST

START_TEST (ready_and_paused_again_while_upstream_waits)
{
  Player player = starved_player ("");

  player_reach (&player, GST_STATE_READY);
  player_reach (&player, GST_STATE_PAUSED);
  player_reach (&player, GST_STATE_PLAYING);
  while (player_count (&player, "flipped") < 3)
    g_thread_yield ();
  player_free (&player);
}
END_TEST

START_TEST (flush_while_upstream_waits)
{
  Player player = starved_player ("sync=false");
  guint64 before;

  ck_assert (gst_element_seek_simple (player.pipeline, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, 0));
  player_reach (&player, GST_STATE_PLAYING);
  before = player_count (&player, "flipped");
  while (player_count (&player, "flipped") < before + 5) {
    player_drain (&player);
    ck_assert_msg (player.n_errors == 0, "%s", player.error);
    g_thread_yield ();
  }
  player_free (&player);
}
END_TEST

START_TEST (pause_and_resume_do_not_stop_the_source)
{
  Player player = player_new (COUNTED (60), "device=virtual:64x32,pages=3,rate=200 sync=false");

  for (guint i = 0; i < 10; i++) {
    player_reach (&player, GST_STATE_PLAYING);
    player_reach (&player, GST_STATE_PAUSED);
  }
  player_play_to_end (&player);
  assert_counts (&player, 60, 0, 0);
  player_free (&player);
}
END_TEST

START_TEST (pause_and_resume_while_frames_wait_for_a_back_page)
{
  Player player = player_new ("videotestsrc num-buffers=60 ! video/x-raw,format=I420,width=64,height=32 !",
      "device=virtual:64x32,pages=2,rate=200 sync=false");

  for (guint i = 0; i < 10; i++) {
    player_reach (&player, GST_STATE_PLAYING);
    player_reach (&player, GST_STATE_PAUSED);
  }
  player_play_to_end (&player);
  assert_counts (&player, 0, 60, 0);
  player_free (&player);
}
END_TEST

START_TEST (null_at_any_moment_does_not_hang)
{
  for (guint i = 0; i < 30; i++) {
    Player player = player_new (SOURCE, i % 2 ? "device=virtual:64x32,pages=3,rate=1000 sync=false"
        : "device=virtual:64x32,pages=2,rate=1000 offer-pages=always sync=false");

    player_set (&player, GST_STATE_PLAYING);
    while (player_count (&player, "flipped") < i / 2)
      g_thread_yield ();
    player_set (&player, GST_STATE_NULL);
    ck_assert_uint_eq (player.n_errors, 0);
    player_free (&player);
  }
}
END_TEST

/* ---- life ------------------------------------------------------------------------------------------------------ */

START_TEST (the_element_plays_a_second_time)
{
  Player player = player_new (COUNTED (6), FAST);

  for (guint i = 0; i < 3; i++) {
    player_play_to_end (&player);
    assert_counts (&player, 6, 0, 0);
    player_set (&player, GST_STATE_NULL);
  }
  player_free (&player);
}
END_TEST

START_TEST (counts_stay_readable_after_the_end)
{
  Player player = player_new (COUNTED (6), FAST);

  player_play_to_end (&player);
  player_set (&player, GST_STATE_NULL);
  ck_assert_uint_eq (player_count (&player, "flipped"), 6);
  player_free (&player);
}
END_TEST

START_TEST (a_sample_outlives_the_screen)
{
  Player player = player_new ("videotestsrc num-buffers=4 pattern=white ! video/x-raw,format=BGRx,width=64,height=32 !",
      FAST);
  GstSample *sample;
  GstMapInfo map;

  player_play_to_end (&player);
  g_object_get (player.sink, "last-sample", &sample, NULL);
  ck_assert_ptr_nonnull (sample);
  player_free (&player);
  ck_assert (gst_buffer_map (gst_sample_get_buffer (sample), &map, GST_MAP_READ));
  ck_assert_uint_eq (map.data[0], 0xff);
  ck_assert_uint_eq (map.data[(64 * 32 - 1) * 4 + 2], 0xff);
  gst_buffer_unmap (gst_sample_get_buffer (sample), &map);
  gst_sample_unref (sample);
}
END_TEST

START_TEST (a_kept_sample_does_not_stop_the_stream)
{
  Player player = player_new (SOURCE, "device=virtual:64x32,pages=4,rate=0 sync=false");
  GstSample *sample;
  guint64 before;

  player_reach (&player, GST_STATE_PLAYING);
  g_object_get (player.sink, "last-sample", &sample, NULL);
  ck_assert_ptr_nonnull (sample);
  before = player_count (&player, "flipped");
  while (player_count (&player, "flipped") < before + 20)
    g_thread_yield ();
  player_set (&player, GST_STATE_NULL);
  gst_sample_unref (sample);
  player_free (&player);
}
END_TEST

START_TEST (the_end_without_a_frame)
{
  ScreenFile file = screen_file_new ();
  Player player = pushing_player (&file, "");

  player_push_end (&player);
  player_wait (&player, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  ck_assert_uint_eq (player.n_errors, 0);
  assert_counts (&player, 0, 0, 0);
  player_free (&player);
  screen_file_free (&file);
}
END_TEST

START_TEST (the_last_picture_stays)
{
  ScreenFile file = screen_file_new ();
  gchar *settings = g_strdup_printf ("device=virtual:64x32,rate=0,file=%s sync=false", file.path);
  Player player = player_new ("videotestsrc num-buffers=4 pattern=solid-color foreground-color=0xff112233 ! "
      "video/x-raw,format=BGRx,width=64,height=32 !", settings);

  player_play_to_end (&player);
  player_free (&player);
  assert_picture (&file, 0, 0, 64, 32, 0x112233);
  g_free (settings);
  screen_file_free (&file);
}
END_TEST

START_TEST (settings_are_what_was_set)
{
  static const struct
  {
    const gchar *name, *values[4];
  } rows[] = { { "console", { "auto", "keep", "graphics" } }, { "damage", { "auto", "always", "never" } } };
  GstElement *sink = gst_object_ref_sink (gst_element_factory_make ("fbdevzerosink", NULL));
  gboolean clear;

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    for (guint v = 0; v < 3; v++) {
      GValue value = G_VALUE_INIT;
      gchar *found;

      if (v > 0)
        gst_util_set_object_arg (G_OBJECT (sink), rows[i].name, rows[i].values[v]);
      g_object_get_property (G_OBJECT (sink), rows[i].name, &value);
      found = gst_value_serialize (&value);
      ck_assert_str_eq (found, rows[i].values[v]); /* the first one is the default */
      g_free (found);
      g_value_unset (&value);
    }
  }
  g_object_get (sink, "clear-on-stop", &clear, NULL);
  ck_assert (!clear);
  gst_object_unref (sink);
}
END_TEST

RUN ("fbdevzerosink-life", null_while_upstream_waits_for_a_page, ready_and_paused_again_while_upstream_waits,
    flush_while_upstream_waits, pause_and_resume_do_not_stop_the_source,
    pause_and_resume_while_frames_wait_for_a_back_page, null_at_any_moment_does_not_hang,
    the_element_plays_a_second_time, counts_stay_readable_after_the_end, a_sample_outlives_the_screen,
    a_kept_sample_does_not_stop_the_stream, the_end_without_a_frame, the_last_picture_stays,
     settings_are_what_was_set)
