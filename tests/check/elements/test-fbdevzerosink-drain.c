/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-fbdevzerosink-drain.c: when pages come back: at DRAIN and ALLOCATION queries, at a flush, at the end of the
 * stream, while the last sample is kept, and while an application holds a sample across other caps.
 */
#include "test-pictures.h"

/* The core pool behind the feeder's pages. */
static BaPool *
pages_of (const Feeder *feeder)
{
  GstBaFbdevAllocator *allocator = gst_ba_fbdev_pool_get_allocator (GST_BA_FBDEV_POOL (feeder->pool));

  return gst_ba_fbdev_allocator_get_pages (allocator);
}

static guint
free_pages (const Feeder *feeder)
{
  BaPoolStats stats;

  ba_pool_get_stats (pages_of (feeder), &stats);
  return stats.n_free;
}

static Feeder
paged_feeder (const ScreenFile *file, const gchar *more)
{
  gchar *settings = g_strdup_printf ("device=virtual:64x32,rate=0,file=%s sync=false %s", file->path, more);
  Feeder feeder = feeder_play (settings);

  feeder_negotiate (&feeder, "BGRx", 64, 32, TRUE);
  ck_assert_ptr_nonnull (feeder.pool);
  g_free (settings);
  return feeder;
}

static void
ask_peer (Feeder *feeder, GstQuery *query)
{
  ck_assert (gst_pad_peer_query (feeder->pad, query));
  gst_query_unref (query);
}

/* All pages but the one on screen are free afterwards, and that one still has its frame. */
START_TEST (drain_and_allocation_give_pages_back)
{
  ScreenFile file = screen_file_new ();
  Feeder feeder = paged_feeder (&file, "pages=4");
  Screen screen = screen_open (&file, "BGRx");
  GstCaps *caps = gst_video_info_to_caps (&feeder.info);
  GstVideoRectangle all = { 0, 0, 64, 32 };

  for (guint i = 0; i < 4; i++) {
    feed (&feeder);
    feed (&feeder);
    ask_peer (&feeder, i % 2 ? gst_query_new_allocation (caps, TRUE) : gst_query_new_drain ());
    ck_assert_uint_eq (free_pages (&feeder), 3);
    assert_frame (&screen, feeder.n - 1, &all, 0, "after a drain");
  }
  assert_counts (&feeder.player, 8, 0, 0);
  gst_caps_unref (caps);
  feeder_end (&feeder);
  screen_close (&screen);
  screen_file_free (&file);
}
END_TEST

/* What last-sample gives after a drain is a copy: it has the picture, and no page. */
START_TEST (the_last_sample_is_right_before_and_after_a_drain)
{
  ScreenFile file = screen_file_new ();
  Feeder feeder = paged_feeder (&file, "pages=3");

  for (guint i = 0; i < 2; i++) {
    guint8 wanted[4 * 64];
    GstSample *sample;
    GstVideoFrame frame;

    feed (&feeder);
    if (i == 1)
      ask_peer (&feeder, gst_query_new_drain ());
    g_object_get (feeder.player.sink, "last-sample", &sample, NULL);
    ck_assert_ptr_nonnull (sample);
    ck_assert (gst_video_frame_map (&frame, &feeder.info, gst_sample_get_buffer (sample), GST_MAP_READ));
    picture_row (feeder.n - 1, 31, 64, wanted);
    for (gint x = 0; x < 64; x++) {
      const guint8 *p = (const guint8 *) frame.data[0] + 31 * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0) + 4 * x;

      if (p[0] != wanted[4 * x + 3] || p[1] != wanted[4 * x + 2] || p[2] != wanted[4 * x + 1])
        ck_abort_msg ("sample %u, pixel %d: %d %d %d", i, x, p[2], p[1], p[0]);
    }
    gst_video_frame_unmap (&frame);
    gst_sample_unref (sample);
  }
  feeder_end (&feeder);
  screen_file_free (&file);
}
END_TEST

/* With every number of pages, upstream never runs dry although the sink remembers its last sample. */
START_TEST (the_last_sample_starves_nobody)
{
  for (guint pages = 2; pages <= 5; pages++) {
    ScreenFile file = screen_file_new ();
    gchar *more = g_strdup_printf ("pages=%u offer-pages=always enable-last-sample=true", pages);
    Feeder feeder = paged_feeder (&file, more);

    for (guint n = 0; n < 30; n++)
      feed (&feeder);
    assert_counts (&feeder.player, 30, 0, 0);
    ck_assert_uint_eq (player_count (&feeder.player, "overflowed"), 0);
    feeder_end (&feeder);
    g_free (more);
    screen_file_free (&file);
  }
}
END_TEST

/* An application's sample keeps its page, and its pixels, over other sizes, formats, and the end of the stream. */
START_TEST (a_held_sample_keeps_its_pixels_over_new_caps)
{
  static const struct
  {
    const gchar *format;
    gint width, height;
  } caps[] = { { "BGRx", 40, 20 }, { "RGB", 64, 32 }, { "BGRx", 64, 32 }, { "xRGB", 30, 30 } };
  ScreenFile file = screen_file_new ();
  Feeder feeder = paged_feeder (&file, "pages=4 scaling=none");
  Screen screen = screen_open (&file, "BGRx");
  GstSample *sample;
  GstMapInfo map;
  guint8 *before;

  feed (&feeder);
  g_object_get (feeder.player.sink, "last-sample", &sample, NULL);
  ck_assert (gst_buffer_map (gst_sample_get_buffer (sample), &map, GST_MAP_READ));
  before = g_memdup2 (map.data, map.size);
  for (guint i = 0; i < 2 * G_N_ELEMENTS (caps); i++) {
    gint width = caps[i % 4].width, height = caps[i % 4].height;

    feeder_negotiate (&feeder, caps[i % 4].format, width, height, TRUE);
    for (guint n = 0; n < 6; n++) {
      feed (&feeder);
      assert_frame (&screen, feeder.n - 1, &(GstVideoRectangle){ (64 - width) / 2, (32 - height) / 2, width, height },
                    0, "while a sample is held");
    }
    ck_assert_int_eq (memcmp (before, map.data, map.size), 0);
  }
  gst_pad_push_event (feeder.pad, gst_event_new_eos ());
  ck_assert_int_eq (memcmp (before, map.data, map.size), 0);
  ck_assert_uint_eq (player_count (&feeder.player, "dropped"), 0);
  feeder_end (&feeder);
  ck_assert_int_eq (memcmp (before, map.data, map.size), 0);
  gst_buffer_unmap (gst_sample_get_buffer (sample), &map);
  gst_sample_unref (sample);
  g_free (before);
  screen_close (&screen);
  screen_file_free (&file);
}
END_TEST

/* After EOS, pausing and playing again the last frame is still there, and a flush begins a new stream. */
START_TEST (the_end_keeps_the_frame_and_a_flush_begins_anew)
{
  ScreenFile file = screen_file_new ();
  Feeder feeder = paged_feeder (&file, "pages=3");
  Screen screen = screen_open (&file, "BGRx");
  GstVideoRectangle all = { 0, 0, 64, 32 };

  for (guint i = 0; i < 3; i++) {
    GstSegment segment;

    for (guint n = 0; n < 5; n++)
      feed (&feeder);
    gst_pad_push_event (feeder.pad, gst_event_new_eos ());
    player_wait (&feeder.player, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    assert_frame (&screen, feeder.n - 1, &all, 0, "at the end");
    player_reach (&feeder.player, GST_STATE_PAUSED);
    assert_frame (&screen, feeder.n - 1, &all, 0, "at the end, paused");
    player_set (&feeder.player, GST_STATE_PLAYING);
    gst_pad_push_event (feeder.pad, gst_event_new_flush_start ());
    gst_pad_push_event (feeder.pad, gst_event_new_flush_stop (TRUE));
    assert_frame (&screen, feeder.n - 1, &all, 0, "after the flush");
    gst_segment_init (&segment, GST_FORMAT_TIME);
    gst_pad_push_event (feeder.pad, gst_event_new_segment (&segment));
  }
  assert_counts (&feeder.player, 15, 0, 0);
  feeder_end (&feeder);
  screen_close (&screen);
  screen_file_free (&file);
}
END_TEST

RUN ("fbdevzerosink-drain", drain_and_allocation_give_pages_back, the_last_sample_is_right_before_and_after_a_drain,
     the_last_sample_starves_nobody, a_held_sample_keeps_its_pixels_over_new_caps,
     the_end_keeps_the_frame_and_a_flush_begins_anew)
