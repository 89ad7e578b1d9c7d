/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-fbdevpool-waits.c: how waits for a page end: a flush ends them at once, and a view that may have fewer buffers
 * than there are pages waits for one of its own.
 */
#include "test-lib-support.h"

/* Sets the configuration as base classes do: what was changed is looked at, and set a second time. */
static gboolean
negotiate (GstBufferPool * pool, GstStructure * config)
{
  return gst_buffer_pool_set_config (pool, config)
      || gst_buffer_pool_set_config (pool, gst_buffer_pool_get_config (pool));
}

static GstBufferPool *
limited_view (const Screen * screen, guint max)
{
  GstBufferPool *pool = gst_ba_fbdev_pool_new (screen->allocator);

  ck_assert (negotiate (pool, config_for (pool, BGRX_CAPS (64, 32), 64 * 32 * 4, 0, max, TRUE)));
  ck_assert (gst_buffer_pool_set_active (pool, TRUE));
  return pool;
}

static void
view_end (GstBufferPool * pool)
{
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
}

/* Waits for a page are cut into slices, so a flush that wakes nobody is seen too, only late. While the sink shows, the
 * fifth slice and those after it are of 160 ms, and a wait is counted when it begins: without a wake all of the rounds
 * last that long, with one the fastest lasts next to nothing, whatever else the machine does. */
START_TEST (flushing_does_not_wait_for_the_end_of_a_slice)
{
  Screen screen = screen_open ("virtual:64x32,pages=1,rate=0");
  GstBufferPool *pool = limited_view (&screen, 1);
  GstBuffer *buffer = acquire (pool);
  gint64 fastest_us = G_MAXINT64;

  gst_ba_fbdev_allocator_set_showing (screen.allocator, TRUE);
  for (guint i = 0; i < 6 && fastest_us > 60 * 1000; i++) {
    guint64 before = stats_of (screen_pages (&screen)).waits;
    Waiter waiter;
    gint64 begin_us;

    waiter_start (&waiter, pool, screen_pages (&screen));
    while (stats_of (screen_pages (&screen)).waits < before + 5)
      g_thread_yield ();
    begin_us = g_get_monotonic_time ();
    gst_buffer_pool_set_flushing (pool, TRUE);
    ck_assert_int_eq (waiter_join (&waiter), GST_FLOW_FLUSHING);
    fastest_us = MIN (fastest_us, g_get_monotonic_time () - begin_us);
    gst_buffer_pool_set_flushing (pool, FALSE);
  }
  ck_assert_int_le (fastest_us, 60 * 1000);
  gst_ba_fbdev_allocator_set_showing (screen.allocator, FALSE);
  gst_buffer_unref (buffer);
  view_end (pool);
  screen_close (&screen);
}
END_TEST

static gpointer
acquire_and_tell (gpointer data)
{
  Waiter *waiter = data;

  waiter->flow = gst_buffer_pool_acquire_buffer (waiter->pool, &waiter->buffer, NULL);
  g_atomic_int_set (&waiter->ended, 1);
  return NULL;
}

START_TEST (max_is_the_most_of_a_view_though_there_are_more_pages)
{
  Screen screen = screen_open ("virtual:64x32,pages=4,rate=0");
  GstBufferPool *pool = limited_view (&screen, 2), *other = limited_view (&screen, 4);
  GstBuffer *a = acquire (pool), *b = acquire (pool), *c = acquire (other), *none = NULL;
  Waiter waiter = {.pool = pool };

  assert_empty (pool);
  ck_assert_int_eq (gst_ba_pool_acquire_timed (GST_BA_POOL (pool), 20 * GST_MSECOND, &none), GST_FLOW_EOS);
  ck_assert_ptr_null (none);
  ck_assert_uint_eq (stats_of (screen_pages (&screen)).n_free, 1);

  waiter.thread = g_thread_new ("waiter", acquire_and_tell, &waiter);
  gst_buffer_unref (c);         /* one more free page is none more for this view */
  c = acquire (other);
  ck_assert_int_eq (g_atomic_int_get (&waiter.ended), 0);
  gst_buffer_unref (b);
  ck_assert_int_eq (waiter_join (&waiter), GST_FLOW_OK);
  assert_empty (pool);

  b = waiter.buffer;
  waiter = (Waiter) {
  .pool = pool};
  waiter.thread = g_thread_new ("waiter", acquire_and_tell, &waiter);
  gst_buffer_pool_set_flushing (pool, TRUE);
  ck_assert_int_eq (waiter_join (&waiter), GST_FLOW_FLUSHING);
  gst_buffer_pool_set_flushing (pool, FALSE);

  gst_buffer_unref (a);
  gst_buffer_unref (b);
  gst_buffer_unref (c);
  for (guint i = 0; i < 3; i++) {       /* none is lost to the count */
    a = acquire (pool);
    b = acquire (pool);
    assert_empty (pool);
    gst_buffer_unref (a);
    gst_buffer_unref (b);
  }
  view_end (pool);
  view_end (other);
  screen_close (&screen);
}
END_TEST

RUN ("fbdevpool-waits", flushing_does_not_wait_for_the_end_of_a_slice,
    max_is_the_most_of_a_view_though_there_are_more_pages)
