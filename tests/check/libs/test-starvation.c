/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-starvation.c: somebody before the sink keeps pages and wants more before he gives one back. With pages only,
 * nothing would ever move again; so these tests hang (and end by the runner's limit) where no memory off the screen
 * steps in. And the other way round: pipelines that are merely slow, paused or full get none.
 */
#include "../elements/test-sink-support.h"
#include "test-leaks.h"

#define N_PAGES 6
#define MAX_OVERFLOW 16

/* Keeps the last @n_keep buffers that pass a pad, as an application with its samples does. */
typedef struct
{
  GMutex lock;
  GCond changed;
  GQueue kept;
  guint n_keep;
  guint n_seen;
  guint n_off_screen;
  GstBaFbdevAllocator *allocator; /* of the first page seen; a reference */
} Hoard;

static GstPadProbeReturn
hoard_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Hoard *hoard = data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info), *old = NULL;
  GstMemory *memory = gst_buffer_peek_memory (buffer, 0);

  g_mutex_lock (&hoard->lock);
  if (!hoard->allocator && GST_IS_BA_FBDEV_ALLOCATOR (memory->allocator))
    hoard->allocator = gst_object_ref (memory->allocator);
  if (hoard->allocator && gst_ba_fbdev_allocator_is_overflow (hoard->allocator, memory))
    hoard->n_off_screen++;
  hoard->n_seen++;
  if (hoard->n_keep > 0)
    g_queue_push_tail (&hoard->kept, gst_buffer_ref (buffer));
  if (g_queue_get_length (&hoard->kept) > hoard->n_keep)
    old = g_queue_pop_head (&hoard->kept);
  g_cond_broadcast (&hoard->changed);
  g_mutex_unlock (&hoard->lock);
  if (old)
    gst_buffer_unref (old);
  return GST_PAD_PROBE_OK;
}

static void
hoard_begin (Hoard *hoard, Player *player, const gchar *element, guint n_keep)
{
  GstElement *source = gst_bin_get_by_name (GST_BIN (player->pipeline), element);
  GstPad *pad = gst_element_get_static_pad (source, "src");

  memset (hoard, 0, sizeof *hoard);
  g_mutex_init (&hoard->lock);
  g_cond_init (&hoard->changed);
  g_queue_init (&hoard->kept);
  hoard->n_keep = n_keep;
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, hoard_buffer, hoard, NULL);
  gst_object_unref (pad);
  gst_object_unref (source);
}

static void
hoard_wait (Hoard *hoard, guint n_seen)
{
  g_mutex_lock (&hoard->lock);
  while (hoard->n_seen < n_seen)
    g_cond_wait (&hoard->changed, &hoard->lock);
  g_mutex_unlock (&hoard->lock);
}

static void
hoard_give_back (Hoard *hoard)
{
  GstBuffer *buffer;

  g_mutex_lock (&hoard->lock);
  hoard->n_keep = 0;
  while ((buffer = g_queue_pop_head (&hoard->kept))) {
    g_mutex_unlock (&hoard->lock);
    gst_buffer_unref (buffer);
    g_mutex_lock (&hoard->lock);
  }
  g_mutex_unlock (&hoard->lock);
}

static BaPoolStats
page_stats (Hoard *hoard)
{
  BaPoolStats stats;

  ck_assert_ptr_nonnull (hoard->allocator);
  ba_pool_get_stats (gst_ba_fbdev_allocator_get_pages (hoard->allocator), &stats);
  return stats;
}

/* Returns when somebody has waited for a page that many times more; each time is some milliseconds. */
static void
hoard_wait_for_waits (Hoard *hoard, guint n)
{
  guint64 before = page_stats (hoard).waits;

  while (page_stats (hoard).waits < before + n)
    g_thread_yield ();
}

/* The pipeline is gone: every page is home. */
static void
hoard_end (Hoard *hoard)
{
  if (hoard->allocator) {
    BaPoolStats stats = page_stats (hoard);

    ck_assert_uint_eq (stats.n_held + stats.n_lent + stats.n_filled + stats.n_orphans, 0);
    ck_assert_uint_eq (stats.n_free, stats.n_buffers);
    gst_object_unref (hoard->allocator);
  }
  g_mutex_clear (&hoard->lock);
  g_cond_clear (&hoard->changed);
}

static void
assert_all_shown (Player *player, guint n_frames)
{
  ck_assert_uint_eq (
      player_count (player, "flipped") + player_count (player, "copied") + player_count (player, "dropped"), n_frames);
}

#define SINK "device=virtual:64x48,rate=0 sync=false"

START_TEST (an_application_that_keeps_more_samples_than_there_are_pages)
{
  Player player = player_new ("videotestsrc name=source num-buffers=60 !", SINK);
  Hoard hoard;
  guint64 overflowed;

  hoard_begin (&hoard, &player, "source", N_PAGES + 4);
  player_play_to_end (&player);
  overflowed = player_count (&player, "overflowed");
  assert_all_shown (&player, 60);
  ck_assert_uint_ge (overflowed, 1);
  ck_assert_uint_eq (overflowed, hoard.n_off_screen);
  /* those that are dropped: from when the pages ran out until the application gave the first one back */
  ck_assert_uint_le (player_count (&player, "dropped"), 4);
  ck_assert_uint_ge (player_count (&player, "copied"), 1);
  hoard_give_back (&hoard);
  player_free (&player);
  hoard_end (&hoard);
  assert_nothing_alive ();
}
END_TEST

START_TEST (who_keeps_every_buffer_there_is_gets_a_warning_and_may_go_on)
{
  Player player = player_new ("videotestsrc name=source num-buffers=60 !", SINK);
  Hoard hoard;
  GstBus *bus = gst_element_get_bus (player.pipeline);
  GstMessage *message;

  hoard_begin (&hoard, &player, "source", 1000);
  gst_element_set_state (player.pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_WARNING | GST_MESSAGE_EOS);
  ck_assert_int_eq (GST_MESSAGE_TYPE (message), GST_MESSAGE_WARNING);
  ck_assert_ptr_eq (GST_MESSAGE_SRC (message), GST_OBJECT (player.sink));
  ck_assert_uint_eq (g_queue_get_length (&hoard.kept), N_PAGES + MAX_OVERFLOW);
  gst_message_unref (message);

  hoard_give_back (&hoard);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_WARNING | GST_MESSAGE_EOS);
  ck_assert_int_eq (GST_MESSAGE_TYPE (message), GST_MESSAGE_EOS);
  gst_message_unref (message);
  gst_object_unref (bus);
  player_free (&player);
  hoard_end (&hoard);
  assert_nothing_alive ();
}
END_TEST

START_TEST (the_reason_says_who_keeps_the_pages)
{
  Player player = player_new ("videotestsrc name=source num-buffers=20 !", SINK);
  Hoard hoard;
  GstStructure *stats;

  hoard_begin (&hoard, &player, "source", N_PAGES + 1);
  player_play_to_end (&player);
  stats = player_stats (&player);
  ck_assert_uint_ge (player_count (&player, "overflowed"), 1);
  ck_assert_msg (strstr (gst_structure_get_string (stats, "reason"), "keep all pages") != NULL, "the reason is '%s'",
                 gst_structure_get_string (stats, "reason"));
  gst_structure_free (stats);
  hoard_give_back (&hoard);
  player_free (&player);
  hoard_end (&hoard);
  assert_nothing_alive ();
}
END_TEST

START_TEST (there_is_an_end_to_it)
{
  BaError error = { 0 };
  BaDisplay *display;
  GstAllocator *allocator;
  BaBuffer *buffers[8 + MAX_OVERFLOW + 1];
  guint n = 0;

  ck_assert_int_eq (ba_display_open ("virtual:64x48,pages=3,rate=0", NULL, &error, &display), 0);
  allocator = gst_ba_fbdev_allocator_new (display, &error);
  ck_assert_ptr_nonnull (allocator);
  while (n < G_N_ELEMENTS (buffers)
         && gst_ba_fbdev_allocator_acquire (GST_BA_FBDEV_ALLOCATOR (allocator), 800 * GST_MSECOND, NULL, &buffers[n])
                == 0)
    n++;
  ck_assert_uint_eq (n, 3 + MAX_OVERFLOW);
  ck_assert_uint_eq (gst_ba_fbdev_allocator_get_overflows (GST_BA_FBDEV_ALLOCATOR (allocator)), MAX_OVERFLOW);
  while (n > 0)
    ba_buffer_unref (buffers[--n]);
  ba_display_close (display);
  ba_display_unref (display);
  gst_object_unref (allocator);
  assert_nothing_alive ();
}
END_TEST

START_TEST (a_stream_goes_on_when_a_hoard_is_given_back)
{
  Player player = player_new ("videotestsrc name=source num-buffers=60 !", SINK " enable-last-sample=false");
  Hoard hoard;

  /* nobody gives a page back, so at the end of all pages and all memory in their place the source waits */
  hoard_begin (&hoard, &player, "source", 1000);
  player_set (&player, GST_STATE_PLAYING);
  hoard_wait (&hoard, N_PAGES);
  hoard_wait_for_waits (&hoard, 10);
  hoard_give_back (&hoard);
  player_wait (&player, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  ck_assert_msg (player.n_errors == 0, "%s", player.error);
  assert_all_shown (&player, 60);
  /* and is at its full speed again: the frames after that are flipped */
  ck_assert_uint_ge (player_count (&player, "flipped"), 20);
  player_free (&player);
  hoard_end (&hoard);
  assert_nothing_alive ();
}
END_TEST

START_TEST (elements_that_keep_frames)
{
  static const gchar *launches[] = {
    "videotestsrc name=source num-buffers=40 ! video/x-raw,framerate=10/1 ! videorate ! video/x-raw,framerate=25/1 !",
    "videotestsrc name=source num-buffers=40 ! video/x-raw,interlace-mode=interleaved,framerate=25/1 "
    "! deinterlace mode=interlaced method=greedyh !",
    "videotestsrc name=source num-buffers=40 ! deinterlace mode=auto !",
    "videotestsrc name=source num-buffers=40 ! tee name=t t. ! queue min-threshold-buffers=12 ! fakesink async=false "
    "sync=false t. ! queue !",
    "videotestsrc name=source num-buffers=40 ! queue min-threshold-buffers=12 !",
  };
  static const gchar *settings[] = { SINK, SINK " pages=3", SINK " pages=2 offer-pages=always" };

  for (guint i = 0; i < G_N_ELEMENTS (launches); i++) {
    for (guint j = 0; j < G_N_ELEMENTS (settings); j++) {
      Player player = player_new (launches[i], settings[j]);

      player_play_to_end (&player);
      ck_assert_msg (player_count (&player, "dropped") <= 2, "%" G_GUINT64_FORMAT " frames dropped by '%s' to '%s'",
                     player_count (&player, "dropped"), launches[i], settings[j]);
      ck_assert_uint_ge (player_count (&player, "flipped") + player_count (&player, "copied"), 38);
      player_free (&player);
    }
  }
  assert_nothing_alive ();
}
END_TEST

START_TEST (a_queue_that_wants_more_frames_than_there_are_pages)
{
  Player player = player_new ("videotestsrc name=source num-buffers=40 ! queue min-threshold-buffers=12 !", SINK);

  player_play_to_end (&player);
  assert_all_shown (&player, 40);
  ck_assert_uint_ge (player_count (&player, "overflowed"), 12 - N_PAGES);
  ck_assert_uint_eq (player_count (&player, "dropped"), 0);
  player_free (&player);
  assert_nothing_alive ();
}
END_TEST

static void
assert_no_overflow (const gchar *launch, const gchar *settings, guint n_frames)
{
  Player player = player_new (launch, settings);

  player_play_to_end (&player);
  ck_assert_msg (player_count (&player, "overflowed") == 0, "%" G_GUINT64_FORMAT " frames off the screen with '%s'",
                 player_count (&player, "overflowed"), launch);
  assert_counts (&player, n_frames, 0, 0);
  player_free (&player);
}

START_TEST (a_slow_stream_is_not_starved)
{
  assert_no_overflow ("videotestsrc num-buffers=4 ! video/x-raw,framerate=2/1 !", "device=virtual:64x48,rate=0", 4);
  assert_no_overflow ("videotestsrc num-buffers=4 ! video/x-raw,framerate=2/1 ! queue !",
                      "device=virtual:64x48,rate=0,pages=3", 4);
  assert_nothing_alive ();
}
END_TEST

START_TEST (a_slow_element_behind_a_queue_full_of_pages_is_not_starving)
{
  assert_no_overflow ("videotestsrc num-buffers=16 ! queue ! identity sleep-time=120000 !", SINK, 16);
  assert_nothing_alive ();
}
END_TEST

START_TEST (a_slow_screen_is_not_starved)
{
  assert_no_overflow ("videotestsrc num-buffers=8 ! queue !", "device=virtual:64x48,rate=5,pages=3 sync=false", 8);
  assert_nothing_alive ();
}
END_TEST

START_TEST (a_paused_pipeline_is_not_starved)
{
  Player player = player_new ("videotestsrc name=source num-buffers=40 ! queue !", SINK);
  Hoard hoard;

  hoard_begin (&hoard, &player, "source", 0);
  player_reach (&player, GST_STATE_PAUSED);
  hoard_wait (&hoard, N_PAGES);
  hoard_wait_for_waits (&hoard, 40);
  ck_assert_uint_eq (player_count (&player, "overflowed"), 0);
  player_play_to_end (&player);
  ck_assert_uint_eq (player_count (&player, "overflowed"), 0);
  assert_counts (&player, 40, 0, 0);
  player_free (&player);
  hoard_end (&hoard);
  assert_nothing_alive ();
}
END_TEST

RUN ("starvation", an_application_that_keeps_more_samples_than_there_are_pages,
    who_keeps_every_buffer_there_is_gets_a_warning_and_may_go_on, the_reason_says_who_keeps_the_pages,
     there_is_an_end_to_it, a_stream_goes_on_when_a_hoard_is_given_back, elements_that_keep_frames,
     a_queue_that_wants_more_frames_than_there_are_pages, a_slow_stream_is_not_starved,
     a_slow_element_behind_a_queue_full_of_pages_is_not_starving, a_slow_screen_is_not_starved,
     a_paused_pipeline_is_not_starved)
