/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-fbdevpool-waits.c: how waits for a page end: a flush ends them at once, and a view that may have fewer buffers
 * than there are pages waits for one of its own. And what an application may do to the core pool under a view.
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

/* ---- what the application changes in the core pool --------------------------------------------------------------- */

static void
count_release (const BaMemory * memory, void *user)
{
  ++*(guint *) user;
}

static void
inject (const Screen * screen, gpointer data, gsize size, guint * n_released)
{
  BaMemory memory = {.n_blocks = 1,.blocks = {{data, size, 0}},.fd = -1 };

  memory.layout = ba_display_get_info (screen->display)->layout;
  ck_assert_int_eq (ba_allocator_inject_external (gst_ba_allocator_get_core (GST_BA_ALLOCATOR (screen->allocator)),
          screen_pages (screen), &memory, BA_INJECT_FREE, count_release, n_released, NULL), 0);
}

static gpointer
data_of (GstBuffer * buffer)
{
  GstMapInfo map;

  ck_assert (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
  gst_buffer_unmap (buffer, &map);
  return map.data;
}

/* The new core buffer has the index of the old one, and very likely its address. */
START_TEST (what_replaces_a_page_does_not_go_out_as_that_page)
{
  Screen screen = screen_open ("virtual:64x32,pages=1,rate=0");
  BaAllocator *core = gst_ba_allocator_get_core (GST_BA_ALLOCATOR (screen.allocator));
  GstBufferPool *pool = limited_view (&screen, 0);
  gpointer memories[2] = { g_malloc0 (64 * 32 * 4), g_malloc0 (64 * 32 * 4) };
  guint n_released = 0;

  gst_buffer_unref (acquire (pool));
  for (guint i = 0; i < 2; i++) {
    ck_assert_int_eq (ba_allocator_remove (core, screen_pages (&screen), 0), 0);
    inject (&screen, memories[i], 64 * 32 * 4, &n_released);
    for (guint n = 0; n < 5; n++) {
      GstBuffer *buffer = acquire (pool);

      ck_assert_uint_eq (ba_buffer_get_index (core_of (buffer)), 0);
      ck_assert_ptr_eq (data_of (buffer), memories[i]);
      gst_buffer_unref (buffer);
    }
  }
  view_end (pool);
  screen_close (&screen);
  ck_assert_uint_eq (n_released, 2);
  g_free (memories[0]);
  g_free (memories[1]);
}
END_TEST

START_TEST (more_buffers_than_a_display_can_have_pages_work)
{
  enum { N = BA_DISPLAY_MAX_PAGES + 3 };
  Screen screen = screen_open ("virtual:64x32,pages=1,rate=0");
  GstBufferPool *pool = limited_view (&screen, 0);
  gpointer memories[N - 1];
  GstBuffer *buffers[N];
  guint n_released = 0;

  for (guint i = 0; i < N - 1; i++)
    inject (&screen, memories[i] = g_malloc0 (64 * 32 * 4), 64 * 32 * 4, &n_released);
  for (guint round = 0; round < 3; round++) {
    for (guint i = 0; i < N; i++)
      fill (buffers[i] = acquire (pool), i);
    for (guint i = 0; i < N; i++)
      gst_buffer_unref (buffers[i]);
  }
  view_end (pool);
  screen_close (&screen);
  ck_assert_uint_eq (n_released, N - 1);
  for (guint i = 0; i < N - 1; i++)
    g_free (memories[i]);
}
END_TEST

RUN ("fbdevpool-waits", what_replaces_a_page_does_not_go_out_as_that_page,
    more_buffers_than_a_display_can_have_pages_work, flushing_does_not_wait_for_the_end_of_a_slice,
    max_is_the_most_of_a_view_though_there_are_more_pages)
