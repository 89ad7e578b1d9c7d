/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-pitfalls-sink.c: traps of GstBaseSink and of negotiation that the other tests would not notice: which pages are
 * whose, waits in a frame's way, and the pools that upstream has. docs/traps.md says which test holds which trap.
 */
#include "test-feeder.h"

/* ---- pages on screen, waiting, being drawn ----------------------------------------------------------------------- */

START_TEST (the_page_on_screen_is_not_handed_out_while_the_frame_after_it_is_being_shown)
{
  for (guint last_sample = 0; last_sample < 2; last_sample++) {
    Feeder feeder = feeder_new ("device=virtual:64x32,pages=3,rate=1 sync=false async=false", GST_STATE_READY);
    GstBufferPool *pool;
    GstBuffer *buffer, *third, *none;
    BaBuffer *visible, *waiting;

    g_object_set (feeder.player.sink, "enable-last-sample", last_sample == 1, NULL);
    player_set (&feeder.player, GST_STATE_PLAYING);
    feeder_set_caps (&feeder, BGRX (64, 32));
    pool = feeder_get_pool (&feeder, BGRX (64, 32));
    ck_assert (gst_buffer_pool_set_active (pool, TRUE));
    buffer = draw_page (pool, 1);
    visible = page_of (buffer);
    ck_assert_int_eq (gst_pad_push (feeder.pad, buffer), GST_FLOW_OK);
    ck_assert_int_eq (ba_display_wait (display_of (pool), NULL), 0);
    buffer = draw_page (pool, 2);
    waiting = page_of (buffer);
    ck_assert_ptr_ne (waiting, visible);
    /* from here to its vsync the second frame waits, for the better part of a second, and the first one is seen */
    ck_assert_int_eq (gst_pad_push (feeder.pad, buffer), GST_FLOW_OK);
    ck_assert_int_eq (take_page (pool, &third), GST_FLOW_OK);
    ck_assert_ptr_ne (page_of (third), visible);
    ck_assert_ptr_ne (page_of (third), waiting);
    ck_assert_int_eq (take_page (pool, &none), GST_FLOW_EOS);
    gst_buffer_unref (third);
    gst_buffer_pool_set_active (pool, FALSE);
    gst_object_unref (pool);
    feeder_free (&feeder);
  }
}
END_TEST

START_TEST (the_answer_asks_for_the_page_on_screen_and_the_one_that_waits_and_the_one_being_drawn)
{
  static const struct
  {
    const gchar *settings;
    guint min, max;
  } rows[] = {
    {"device=virtual:64x32,pages=3,rate=0", 3, 3},
    {"device=virtual:64x32,pages=6,rate=0", 3, 6},
    {"device=virtual:64x32,pages=2,rate=0 offer-pages=always", 2, 2},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    for (gint need_pool = 0; need_pool < 2; need_pool++) {
      Feeder feeder = feeder_new (rows[i].settings, GST_STATE_PAUSED);
      GstQuery *query = feeder_ask (&feeder, BGRX (64, 32), need_pool);
      guint min, max;

      gst_query_parse_nth_allocation_pool (query, 0, NULL, NULL, &min, &max);
      ck_assert_uint_eq (min, rows[i].min);
      /* whoever brings a pool of his own may make it as large as he likes */
      ck_assert_uint_eq (max, need_pool ? rows[i].max : 0);
      gst_query_unref (query);
      feeder_free (&feeder);
    }
  }
}
END_TEST

START_TEST (a_drain_gives_the_buffers_back_and_leaves_the_page_on_screen)
{
  for (guint way = 0; way < 2; way++) {
    Feeder feeder = feeder_new ("device=virtual:64x32,pages=3,rate=0 sync=false async=false", GST_STATE_PLAYING);
    GstBufferPool *pool;
    GstBuffer *buffer, *others[2], *none;
    BaBuffer *shown;
    GWeakRef weak;

    feeder_set_caps (&feeder, BGRX (64, 32));
    pool = feeder_get_pool (&feeder, BGRX (64, 32));
    ck_assert (gst_buffer_pool_set_active (pool, TRUE));
    buffer = draw_page (pool, 7);
    shown = page_of (buffer);
    ck_assert_int_eq (gst_pad_push (feeder.pad, buffer), GST_FLOW_OK);
    if (way == 0) {
      GstQuery *query = gst_query_new_drain ();

      ck_assert (gst_pad_peer_query (feeder.pad, query));
      gst_query_unref (query);
    } else {
      gst_query_unref (feeder_ask (&feeder, BGRX (64, 32), TRUE));
    }
    for (guint i = 0; i < 2; i++) {
      ck_assert_int_eq (take_page (pool, &others[i]), GST_FLOW_OK);
      ck_assert_ptr_ne (page_of (others[i]), shown);
    }
    ck_assert_int_eq (take_page (pool, &none), GST_FLOW_EOS);
    for (guint i = 0; i < 2; i++)
      gst_buffer_unref (others[i]);
    /* a pool ends when it is stopped and no GstBuffer of it is out: the sink has none */
    g_weak_ref_init (&weak, pool);
    ck_assert (gst_buffer_pool_set_active (pool, FALSE));
    gst_object_unref (pool);
    ck_assert_ptr_null (g_weak_ref_get (&weak));
    g_weak_ref_clear (&weak);
    feeder_free (&feeder);
  }
}
END_TEST

/* ---- waits in a frame's way -------------------------------------------------------------------------------------- */

/* Pushes one frame, from a thread of its own. */
typedef struct
{
  GstPad *pad;
  GstBuffer *buffer;
  GstFlowReturn flow;
} Push;

static gpointer
push_frame (gpointer data)
{
  Push *push = data;

  push->flow = gst_pad_push (push->pad, push->buffer);
  return NULL;
}

/* A sink with a vsync a second, whose third frame waits for the vsync of the second one. */
static Feeder
feeder_with_waiting_frame (Push * push, GThread ** thread, BaDisplay ** display)
{
  Feeder feeder = feeder_new ("device=virtual:64x32,pages=4,rate=1 sync=false async=false", GST_STATE_PLAYING);
  GstBufferPool *pool;
  guint64 waits;

  feeder_set_caps (&feeder, BGRX (64, 32));
  pool = feeder_get_pool (&feeder, BGRX (64, 32));
  ck_assert (gst_buffer_pool_set_active (pool, TRUE));
  *display = ba_display_ref (display_of (pool));
  ck_assert_int_eq (gst_pad_push (feeder.pad, draw_page (pool, 1)), GST_FLOW_OK);
  ck_assert_int_eq (ba_display_wait (*display, NULL), 0);
  ck_assert_int_eq (gst_pad_push (feeder.pad, draw_page (pool, 2)), GST_FLOW_OK);
  *push = (Push) {
  feeder.pad, draw_page (pool, 3), GST_FLOW_OK};
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
  waits = shown_by (*display).waits;
  *thread = g_thread_new ("pusher", push_frame, push);
  while (shown_by (*display).waits == waits && shown_by (*display).flips == 2)
    g_thread_yield ();
  return feeder;
}

/* A machine that is held up for longer than the wait proves nothing; so several tries, of which one has to do. */
START_TEST (properties_can_be_read_and_set_while_a_frame_waits_for_its_vsync)
{
  gboolean proved = FALSE;

  for (guint i = 0; i < 5 && !proved; i++) {
    Push push;
    GThread *thread;
    BaDisplay *display;
    Feeder feeder = feeder_with_waiting_frame (&push, &thread, &display);
    gboolean waited = shown_by (display).flips == 2;
    gchar *device;

    ck_assert_uint_eq (player_count (&feeder.player, "dropped"), 0);
    g_object_get (feeder.player.sink, "device", &device, NULL);
    g_free (device);
    gst_util_set_object_arg (G_OBJECT (feeder.player.sink), "scaling", "none");
    proved = waited && shown_by (display).flips == 2;
    g_thread_join (thread);
    ck_assert_int_eq (push.flow, GST_FLOW_OK);
    ck_assert_uint_eq (shown_by (display).flips, 3);
    feeder_free (&feeder);
    ba_display_unref (display);
  }
  ck_assert_msg (proved, "each time the properties came only after the vsync");
}
END_TEST

START_TEST (a_frame_that_waits_for_its_vsync_gives_way_when_the_sink_stops)
{
  gboolean proved = FALSE;

  for (guint i = 0; i < 5 && !proved; i++) {
    Push push;
    GThread *thread;
    BaDisplay *display;
    Feeder feeder = feeder_with_waiting_frame (&push, &thread, &display);

    player_set (&feeder.player, GST_STATE_READY);
    g_thread_join (thread);
    proved = shown_by (display).flips == 2;
    ck_assert_int_eq (push.flow, proved ? GST_FLOW_FLUSHING : GST_FLOW_OK);
    feeder_free (&feeder);
    ba_display_unref (display);
  }
  ck_assert_msg (proved, "each time the frame was shown although the sink stopped");
}
END_TEST

START_TEST (a_frame_dropped_before_it_plays_does_not_stop_the_sink)
{
  ScreenFile file = screen_file_new ();
  gchar *settings = device_in (&file, "device=virtual:64x32,pages=3,rate=0");
  Feeder feeder = feeder_new (settings, GST_STATE_PAUSED);
  GstBufferPool *pool;
  BaPool *pages;
  BaBuffer *taken[3];
  Push push = { feeder.pad, bgrx_frame (64, 32, 256, 0x102030), GST_FLOW_ERROR };
  GThread *thread;

  feeder_set_caps (&feeder, BGRX (64, 32));
  pool = feeder_get_pool (&feeder, BGRX (64, 32));
  pages = ba_pool_ref (gst_ba_fbdev_allocator_get_pages (gst_ba_fbdev_pool_get_allocator (GST_BA_FBDEV_POOL (pool))));
  gst_object_unref (pool);
  for (guint i = 0; i < 3; i++)
    ck_assert_int_eq (ba_pool_acquire (pages, BA_NO_WAIT, NULL, &taken[i]), 0);
  thread = g_thread_new ("pusher", push_frame, &push);  /* waits for the preroll to end */
  player_reach (&feeder.player, GST_STATE_PAUSED);
  ck_assert_uint_eq (player_count (&feeder.player, "dropped"), 1);
  for (guint i = 0; i < 3; i++)
    ck_assert_int_eq (ba_pool_release (pages, taken[i]), 0);
  ba_pool_unref (pages);
  player_reach (&feeder.player, GST_STATE_PLAYING);
  g_thread_join (thread);
  ck_assert_int_eq (push.flow, GST_FLOW_OK);
  ck_assert_int_eq (gst_pad_push (feeder.pad, bgrx_frame (64, 32, 256, 0x405060)), GST_FLOW_OK);
  /* when it played there was a page for it */
  ck_assert_uint_eq (player_count (&feeder.player, "dropped"), 0);
  ck_assert_uint_eq (player_count (&feeder.player, "copied"), 2);
  feeder_free (&feeder);
  assert_picture (&file, 0, 0, 64, 32, 0x405060);
  g_free (settings);
  screen_file_free (&file);
}
END_TEST

/* ---- pools ------------------------------------------------------------------------------------------------------- */

static void
count_pool_warnings (GstDebugCategory * category, GstDebugLevel level, const gchar * file, const gchar * function,
    gint line, GObject * object, GstDebugMessage * message, gpointer data)
{
  if (level <= GST_LEVEL_WARNING && g_str_equal (gst_debug_category_get_name (category), "bufferpool"))
    g_atomic_int_inc ((gint *) data);
}

START_TEST (a_pool_that_nobody_started_is_left_alone_when_the_sink_flushes)
{
  gint warnings = 0;
  Feeder feeder = feeder_new ("device=virtual:64x32,pages=3,rate=0 sync=false async=false", GST_STATE_PLAYING);
  GstBufferPool *pool;

  gst_debug_set_threshold_for_name ("bufferpool", GST_LEVEL_WARNING);
  gst_debug_add_log_function (count_pool_warnings, &warnings, NULL);
  feeder_set_caps (&feeder, BGRX (64, 32));
  pool = feeder_get_pool (&feeder, BGRX (64, 32));
  ck_assert (gst_pad_push_event (feeder.pad, gst_event_new_flush_start ()));
  ck_assert (gst_pad_push_event (feeder.pad, gst_event_new_flush_stop (TRUE)));
  player_set (&feeder.player, GST_STATE_READY);
  player_set (&feeder.player, GST_STATE_PLAYING);
  gst_pad_push_event (feeder.pad, gst_event_new_stream_start ("again"));
  feeder_set_caps (&feeder, BGRX (64, 32));
  ck_assert_int_eq (g_atomic_int_get (&warnings), 0);
  /* and started late, it works */
  ck_assert (gst_buffer_pool_set_active (pool, TRUE));
  ck_assert_int_eq (gst_pad_push (feeder.pad, draw_page (pool, 1)), GST_FLOW_OK);
  ck_assert_uint_eq (player_count (&feeder.player, "flipped"), 1);
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
  gst_debug_remove_log_function_by_data (&warnings);
  feeder_free (&feeder);
}
END_TEST

START_TEST (another_size_gets_another_pool_while_buffers_of_the_old_one_are_out)
{
  Feeder feeder = feeder_new ("device=virtual:64x32,pages=4,rate=0 sync=false async=false scaling=none",
      GST_STATE_PLAYING);
  GstBufferPool *old, *fresh;
  GstBuffer *kept;

  feeder_set_caps (&feeder, BGRX (40, 20));
  old = feeder_get_pool (&feeder, BGRX (40, 20));
  ck_assert (gst_buffer_pool_set_active (old, TRUE));
  kept = draw_page (old, 1);
  ck_assert_int_eq (gst_pad_push (feeder.pad, draw_page (old, 2)), GST_FLOW_OK);
  fresh = feeder_get_pool (&feeder, BGRX (64, 32));
  ck_assert_ptr_ne (fresh, old);
  ck_assert (gst_buffer_pool_set_active (fresh, TRUE));
  ck_assert (gst_buffer_pool_is_active (old));
  ck_assert_uint_eq (gst_buffer_get_video_meta (kept)->width, 40);
  ck_assert_int_eq (gst_pad_push (feeder.pad, kept), GST_FLOW_OK);      /* it was drawn before the change */
  feeder_set_caps (&feeder, BGRX (64, 32));
  ck_assert_int_eq (gst_pad_push (feeder.pad, draw_page (fresh, 3)), GST_FLOW_OK);
  ck_assert_uint_eq (player_count (&feeder.player, "flipped"), 3);
  gst_buffer_pool_set_active (old, FALSE);
  gst_buffer_pool_set_active (fresh, FALSE);
  gst_object_unref (old);
  gst_object_unref (fresh);
  feeder_free (&feeder);
}
END_TEST

START_TEST (new_caps_change_neither_the_screen_nor_a_page_that_is_out)
{
  ScreenFile file = screen_file_new ();
  gchar *settings = device_in (&file, "async=false scaling=none device=virtual:64x32,pages=3,rate=0");
  Feeder feeder = feeder_new (settings, GST_STATE_PLAYING);
  GstBufferPool *pool;
  GstBuffer *kept;

  feeder_set_caps (&feeder, BGRX (64, 32));
  pool = feeder_get_pool (&feeder, BGRX (64, 32));
  ck_assert (gst_buffer_pool_set_active (pool, TRUE));
  ck_assert_int_eq (gst_pad_push (feeder.pad, draw_page (pool, 0x33)), GST_FLOW_OK);
  kept = draw_page (pool, 0x55);
  feeder_set_caps (&feeder, BGRX (40, 20));
  gst_query_unref (feeder_ask (&feeder, BGRX (40, 20), TRUE));
  assert_picture (&file, 0, 0, 64, 32, 0x333333);
  feeder_set_caps (&feeder, BGRX (64, 32));
  ck_assert_int_eq (gst_pad_push (feeder.pad, kept), GST_FLOW_OK);
  assert_picture (&file, 0, 0, 64, 32, 0x555555);
  assert_counts (&feeder.player, 2, 0, 0);
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
  feeder_free (&feeder);
  g_free (settings);
  screen_file_free (&file);
}
END_TEST

typedef struct
{
  GstBufferPool *pool;
  GstFlowReturn flow;
} PageWait;

static gpointer
wait_for_page (gpointer data)
{
  PageWait *wait = data;
  GstBuffer *none = NULL;

  wait->flow = gst_buffer_pool_acquire_buffer (wait->pool, &none, NULL);
  return none;
}

static guint64
waits_in (BaPool * pages)
{
  BaPoolStats stats;

  ba_pool_get_stats (pages, &stats);
  return stats.waits;
}

/* Somebody keeps every page and gives none back; who waits for one has nothing to hope for but the flush. */
START_TEST (who_waits_for_a_page_is_woken_when_the_sink_flushes_or_stops)
{
  for (guint way = 0; way < 2; way++) {
    Feeder feeder = feeder_new ("device=virtual:64x32,pages=3,rate=0 sync=false async=false", GST_STATE_PLAYING);
    GstBaFbdevAllocator *allocator;
    GstBuffer *taken[3];
    PageWait wait = { NULL };
    GThread *thread;
    BaPool *pages;
    guint64 before;

    feeder_set_caps (&feeder, BGRX (64, 32));
    wait.pool = feeder_get_pool (&feeder, BGRX (64, 32));
    ck_assert (gst_buffer_pool_set_active (wait.pool, TRUE));
    allocator = gst_object_ref (gst_ba_fbdev_pool_get_allocator (GST_BA_FBDEV_POOL (wait.pool)));
    pages = gst_ba_fbdev_allocator_get_pages (allocator);
    for (guint i = 0; i < 3; i++)
      taken[i] = draw_page (wait.pool, 1);
    gst_ba_fbdev_allocator_set_showing (allocator, TRUE);       /* no memory in place of pages */
    before = waits_in (pages);
    thread = g_thread_new ("upstream", wait_for_page, &wait);
    while (waits_in (pages) == before)
      g_thread_yield ();
    if (way == 0)
      ck_assert (gst_pad_push_event (feeder.pad, gst_event_new_flush_start ()));
    else
      player_set (&feeder.player, GST_STATE_READY);
    ck_assert_ptr_null (g_thread_join (thread));
    ck_assert_int_eq (wait.flow, GST_FLOW_FLUSHING);
    for (guint i = 0; i < 3; i++)
      gst_buffer_unref (taken[i]);
    /* and when the sink goes on, so does the pool */
    if (way == 0)
      ck_assert (gst_pad_push_event (feeder.pad, gst_event_new_flush_stop (TRUE)));
    else
      player_set (&feeder.player, GST_STATE_PLAYING);
    ck_assert_int_eq (take_page (wait.pool, &taken[0]), GST_FLOW_OK);
    gst_buffer_unref (taken[0]);
    gst_buffer_pool_set_active (wait.pool, FALSE);
    gst_object_unref (wait.pool);
    gst_object_unref (allocator);
    feeder_free (&feeder);
  }
}
END_TEST

START_TEST (a_page_of_another_screen_is_copied)
{
  ScreenFile file = screen_file_new ();
  gchar *settings = device_in (&file, "async=false device=virtual:64x32,pages=3,rate=0");
  Feeder feeder = feeder_new (settings, GST_STATE_PLAYING);
  Feeder other = feeder_new ("device=virtual:64x32,pages=3,rate=0 sync=false async=false", GST_STATE_PLAYING);
  GstBufferPool *pool;

  feeder_set_caps (&feeder, BGRX (64, 32));
  feeder_set_caps (&other, BGRX (64, 32));
  pool = feeder_get_pool (&other, BGRX (64, 32));
  ck_assert (gst_buffer_pool_set_active (pool, TRUE));
  ck_assert_int_eq (gst_pad_push (feeder.pad, draw_page (pool, 0x55)), GST_FLOW_OK);
  assert_counts (&feeder.player, 0, 0, 1);
  assert_picture (&file, 0, 0, 64, 32, 0x555555);
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
  feeder_free (&other);
  feeder_free (&feeder);
  g_free (settings);
  screen_file_free (&file);
}
END_TEST

RUN ("pitfalls-sink", the_page_on_screen_is_not_handed_out_while_the_frame_after_it_is_being_shown,
    the_answer_asks_for_the_page_on_screen_and_the_one_that_waits_and_the_one_being_drawn,
    a_drain_gives_the_buffers_back_and_leaves_the_page_on_screen,
    properties_can_be_read_and_set_while_a_frame_waits_for_its_vsync,
    a_frame_that_waits_for_its_vsync_gives_way_when_the_sink_stops,
    a_frame_dropped_before_it_plays_does_not_stop_the_sink,
    a_pool_that_nobody_started_is_left_alone_when_the_sink_flushes,
    another_size_gets_another_pool_while_buffers_of_the_old_one_are_out,
    new_caps_change_neither_the_screen_nor_a_page_that_is_out,
    who_waits_for_a_page_is_woken_when_the_sink_flushes_or_stops, a_page_of_another_screen_is_copied)
