/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-fbdevpool.c: GstBaFbdevPool over a virtual display: negotiation of the configuration, windows inside pages,
 * black borders, several views of one set of pages, and pages that come home after everybody is gone.
 */
#include "test-lib-support.h"

#define DEVICE "virtual:64x32,pages=3,rate=0"

/* Sets the configuration as base classes do: what was changed is looked at, and set a second time. */
static gboolean
negotiate (GstBufferPool * pool, GstStructure * config)
{
  return gst_buffer_pool_set_config (pool, config)
      || gst_buffer_pool_set_config (pool, gst_buffer_pool_get_config (pool));
}

static GstBufferPool *
view (const Screen * screen, const gchar * caps, guint size)
{
  GstBufferPool *pool = gst_ba_fbdev_pool_new (screen->allocator);

  ck_assert (negotiate (pool, config_for (pool, caps, size, 0, 0, TRUE)));
  ck_assert (gst_buffer_pool_set_active (pool, TRUE));
  return pool;
}

static void
view_end (GstBufferPool * pool)
{
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
}

static guint8 *
page_address (const Screen * screen, GstBuffer * buffer)
{
  return ba_buffer_get_data (core_of (buffer));
}

START_TEST (a_new_pool_is_not_floating)
{
  Screen screen = screen_open (DEVICE);
  GstBufferPool *pool = gst_ba_fbdev_pool_new (screen.allocator);

  ck_assert (!g_object_is_floating (pool));
  ck_assert_int_eq (GST_OBJECT_REFCOUNT_VALUE (pool), 1);
  ck_assert_ptr_eq (gst_ba_fbdev_pool_get_allocator (GST_BA_FBDEV_POOL (pool)), screen.allocator);
  gst_object_unref (pool);
  screen_close (&screen);
}
END_TEST

START_TEST (set_config_corrects_refuses_and_then_accepts_its_own_answer)
{
  Screen screen = screen_open (DEVICE);
  GstBufferPool *pool = gst_ba_fbdev_pool_new (screen.allocator);
  GstStructure *config = config_for (pool, BGRX_CAPS (64, 32), 100, 9, 20, TRUE);
  guint size, min, max;

  ck_assert (!gst_buffer_pool_set_config (pool, config));
  config = gst_buffer_pool_get_config (pool);
  ck_assert (gst_buffer_pool_config_get_params (config, NULL, &size, &min, &max));
  ck_assert_uint_eq (size, 64 * 32 * 4);
  ck_assert_uint_le (max, 3);
  ck_assert_uint_le (min, max);
  ck_assert (gst_buffer_pool_set_config (pool, config));
  gst_object_unref (pool);
  screen_close (&screen);
}
END_TEST

START_TEST (what_fits_is_accepted_at_once)
{
  Screen screen = screen_open (DEVICE);
  GstBufferPool *pool = gst_ba_fbdev_pool_new (screen.allocator);

  ck_assert (gst_buffer_pool_set_config (pool, config_for (pool, BGRX_CAPS (64, 32), 64 * 32 * 4, 2, 3, FALSE)));
  gst_object_unref (pool);
  screen_close (&screen);
}
END_TEST

START_TEST (a_stride_of_its_own_needs_video_meta)
{
  Screen screen = screen_open ("virtual:64x32,pages=3,rate=0,stride=320");
  GstBufferPool *pool = gst_ba_fbdev_pool_new (screen.allocator);
  GstBufferPool *other = gst_ba_fbdev_pool_new (screen.allocator);
  GstStructure *config;
  GstBuffer *buffer;
  guint size, min, max;

  ck_assert (negotiate (other, config_for (other, BGRX_CAPS (64, 32), 64 * 32 * 4, 0, 3, TRUE)));
  config = gst_buffer_pool_get_config (other);
  ck_assert (gst_buffer_pool_config_get_params (config, NULL, &size, &min, &max));
  gst_structure_free (config);
  gst_object_unref (other);
  /* nothing is left to correct but the missing option, and that also the second time */
  for (guint i = 0; i < 2; i++) {
    config = config_for (pool, BGRX_CAPS (64, 32), size, min, max, FALSE);
    ck_assert (!gst_buffer_pool_config_has_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META));
    ck_assert (!gst_buffer_pool_set_config (pool, config));
  }
  ck_assert (negotiate (pool, config_for (pool, BGRX_CAPS (64, 32), 64 * 32 * 4, 0, 3, TRUE)));
  ck_assert (gst_buffer_pool_set_active (pool, TRUE));
  buffer = acquire (pool);
  ck_assert_int_eq (gst_buffer_get_video_meta (buffer)->stride[0], 320);
  gst_buffer_unref (buffer);
  view_end (pool);
  screen_close (&screen);
}
END_TEST

START_TEST (the_configured_size_is_every_buffers_size)
{
  static const gchar *caps[] = { BGRX_CAPS (64, 32), BGRX_CAPS (40, 20), BGRX_CAPS (1, 1), BGRX_CAPS (64, 1),
    BGRX_CAPS (63, 31)
  };
  static const gchar *devices[] = { DEVICE, "virtual:64x32,pages=3,rate=0,stride=300" };

  for (guint d = 0; d < G_N_ELEMENTS (devices); d++) {
    Screen screen = screen_open (devices[d]);

    for (guint i = 0; i < G_N_ELEMENTS (caps); i++) {
      GstBufferPool *pool = view (&screen, caps[i], 4);
      GstStructure *config = gst_buffer_pool_get_config (pool);
      GstBuffer *buffer = acquire (pool), *again;
      guint size;

      gst_buffer_pool_config_get_params (config, NULL, &size, NULL, NULL);
      gst_structure_free (config);
      ck_assert_uint_eq (gst_buffer_get_size (buffer), size);
      gst_buffer_unref (buffer);
      for (guint n = 0; n < 3; n++) {
        again = acquire (pool);
        ck_assert_uint_eq (gst_buffer_get_size (again), size);
        gst_buffer_unref (again);
      }
      view_end (pool);
    }
    screen_close (&screen);
  }
}
END_TEST

START_TEST (only_what_is_honoured_is_an_option)
{
  Screen screen = screen_open (DEVICE);
  GstBufferPool *pool = gst_ba_fbdev_pool_new (screen.allocator);

  ck_assert (gst_buffer_pool_has_option (pool, GST_BUFFER_POOL_OPTION_VIDEO_META));
  ck_assert (!gst_buffer_pool_has_option (pool, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT));
  gst_object_unref (pool);
  screen_close (&screen);
}
END_TEST

START_TEST (max_0_is_clamped_to_the_pages)
{
  Screen screen = screen_open (DEVICE);
  GstBufferPool *pool = gst_ba_fbdev_pool_new (screen.allocator);
  GstStructure *config;
  guint max;

  ck_assert (!gst_buffer_pool_set_config (pool, config_for (pool, BGRX_CAPS (64, 32), 64 * 32 * 4, 0, 0, TRUE)));
  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_get_params (config, NULL, NULL, NULL, &max);
  ck_assert_uint_eq (max, 3);
  gst_structure_free (config);
  gst_object_unref (pool);
  screen_close (&screen);
}
END_TEST

START_TEST (caps_that_are_no_page_are_refused)
{
  Screen screen = screen_open (DEVICE);
  GstBufferPool *pool = gst_ba_fbdev_pool_new (screen.allocator);
  static const gchar *caps[] = { BGRX_CAPS (65, 32), BGRX_CAPS (64, 33), "audio/x-raw",
    "video/x-raw,format=RGBx,width=64,height=32,framerate=30/1"
  };

  for (guint i = 0; i < G_N_ELEMENTS (caps); i++)
    ck_assert (!negotiate (pool, config_for (pool, caps[i], 8192, 0, 3, TRUE)));
  gst_object_unref (pool);
  screen_close (&screen);
}
END_TEST

START_TEST (two_views_may_be_active_at_one_time)
{
  Screen screen = screen_open (DEVICE);
  GstBufferPool *one = gst_ba_fbdev_pool_new (screen.allocator), *two = gst_ba_fbdev_pool_new (screen.allocator);
  GstBuffer *buffers[3];

  ck_assert (gst_buffer_pool_set_config (one, config_for (one, BGRX_CAPS (64, 32), 64 * 32 * 4, 3, 3, TRUE)));
  ck_assert (gst_buffer_pool_set_config (two, config_for (two, BGRX_CAPS (64, 32), 64 * 32 * 4, 3, 3, TRUE)));
  ck_assert (gst_buffer_pool_set_active (one, TRUE));
  ck_assert (gst_buffer_pool_set_active (two, TRUE));
  ck_assert_uint_eq (stats_of (screen_pages (&screen)).n_free, 3);
  buffers[0] = acquire (one);
  buffers[1] = acquire (two);
  buffers[2] = acquire (one);
  assert_empty (one);
  assert_empty (two);
  gst_buffer_unref (buffers[1]);
  buffers[1] = acquire (one);
  for (guint i = 0; i < 3; i++)
    gst_buffer_unref (buffers[i]);
  view_end (one);
  view_end (two);
  screen_close (&screen);
}
END_TEST

START_TEST (flushing_one_view_leaves_the_other_waiting)
{
  Screen screen = screen_open ("virtual:64x32,pages=1,rate=0");
  GstBufferPool *one = view (&screen, BGRX_CAPS (64, 32), 64 * 32 * 4);
  GstBufferPool *two = view (&screen, BGRX_CAPS (64, 32), 64 * 32 * 4);
  GstBuffer *buffer = acquire (one);
  Waiter a, b;

  waiter_start (&a, one, screen_pages (&screen));
  waiter_start (&b, two, screen_pages (&screen));
  gst_buffer_pool_set_flushing (one, TRUE);
  ck_assert_int_eq (waiter_join (&a), GST_FLOW_FLUSHING);
  gst_buffer_unref (buffer);
  ck_assert_int_eq (waiter_join (&b), GST_FLOW_OK);
  gst_buffer_unref (b.buffer);
  view_end (one);
  view_end (two);
  screen_close (&screen);
}
END_TEST

START_TEST (what_is_written_lies_in_the_page)
{
  Screen screen = screen_open (DEVICE);
  GstBufferPool *pool = view (&screen, BGRX_CAPS (64, 32), 64 * 32 * 4);
  GstBuffer *buffer = acquire (pool);
  GstMapInfo map;
  BaBlock block;
  gint number = ba_display_get_page_number (screen.display, core_of (buffer));

  ck_assert_int_ge (number, 0);
  ba_display_get_page (screen.display, number, &block);
  ck_assert (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
  ck_assert_ptr_eq (map.data, block.data);
  gst_buffer_unmap (buffer, &map);
  gst_buffer_unref (buffer);
  view_end (pool);
  screen_close (&screen);
}
END_TEST

START_TEST (smaller_caps_are_a_window_in_the_middle)
{
  Screen screen = screen_open (DEVICE);
  GstBufferPool *pool = view (&screen, BGRX_CAPS (40, 20), 40 * 20 * 4);
  GstVideoRectangle window;
  GstBuffer *buffer = acquire (pool);
  GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
  GstMapInfo map;

  gst_ba_fbdev_pool_get_window (GST_BA_FBDEV_POOL (pool), &window);
  ck_assert_int_eq (window.x, 12);
  ck_assert_int_eq (window.y, 6);
  ck_assert_int_eq (window.w, 40);
  ck_assert_int_eq (window.h, 20);
  ck_assert_uint_eq (gst_ba_memory_get_start (gst_buffer_peek_memory (buffer, 0)), 6 * 64 * 4 + 12 * 4);
  ck_assert_uint_eq (meta->offset[0], 0);
  ck_assert_int_eq (meta->stride[0], 64 * 4);
  ck_assert_uint_eq (meta->width, 40);
  ck_assert (gst_buffer_map (buffer, &map, GST_MAP_READ));
  ck_assert_uint_eq (map.data - page_address (&screen, buffer), 6 * 64 * 4 + 12 * 4);
  ck_assert_uint_eq (map.size, 19 * 64 * 4 + 40 * 4);
  gst_buffer_unmap (buffer, &map);
  gst_buffer_unref (buffer);
  view_end (pool);
  screen_close (&screen);
}
END_TEST

START_TEST (a_window_moves_left_to_the_alignment)
{
  Screen screen = screen_open (DEVICE);
  GstBufferPool *pool = gst_ba_fbdev_pool_new (screen.allocator);
  GstStructure *config = config_for (pool, BGRX_CAPS (40, 20), 40 * 20 * 4, 0, 3, TRUE);
  GstAllocationParams params = {.align = 31 };
  GstVideoRectangle window;
  GstBuffer *buffer;
  GstMapInfo map;

  gst_buffer_pool_config_set_allocator (config, NULL, &params);
  ck_assert (negotiate (pool, config));
  ck_assert (gst_buffer_pool_set_active (pool, TRUE));
  gst_ba_fbdev_pool_get_window (GST_BA_FBDEV_POOL (pool), &window);
  ck_assert_int_eq (window.x, 8);
  buffer = acquire (pool);
  ck_assert (gst_buffer_map (buffer, &map, GST_MAP_READ));
  ck_assert_uint_eq ((guintptr) map.data & 31, 0);
  gst_buffer_unmap (buffer, &map);
  gst_buffer_unref (buffer);
  view_end (pool);
  screen_close (&screen);
}
END_TEST

START_TEST (a_window_begins_where_it_was_told_to_and_never_leaves_the_screen)
{
  static const gint rows[][4] = { {3, 5, 3, 5}, {0, 0, 0, 0}, {24, 12, 24, 12}, {25, 13, 24, 12},
  {G_MAXINT, G_MAXINT, 24, 12}
  };
  Screen screen = screen_open (DEVICE);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    GstBufferPool *pool = gst_ba_fbdev_pool_new (screen.allocator);
    GstVideoRectangle window;

    gst_ba_fbdev_pool_set_origin (GST_BA_FBDEV_POOL (pool), rows[i][0], rows[i][1]);
    ck_assert (negotiate (pool, config_for (pool, BGRX_CAPS (40, 20), 40 * 20 * 4, 0, 3, TRUE)));
    gst_ba_fbdev_pool_get_window (GST_BA_FBDEV_POOL (pool), &window);
    ck_assert_int_eq (window.x, rows[i][2]);
    ck_assert_int_eq (window.y, rows[i][3]);
    view_end (pool);
  }
  screen_close (&screen);
}
END_TEST

START_TEST (room_around_a_window_is_not_promised)
{
  static const GstAllocationParams asked[] = { {.prefix = 16}, {.padding = 64}, {.flags = GST_MEMORY_FLAG_ZERO_PADDED} };
  Screen screen = screen_open (DEVICE);

  for (guint i = 0; i < G_N_ELEMENTS (asked); i++) {
    GstBufferPool *pool = gst_ba_fbdev_pool_new (screen.allocator);
    GstStructure *config = config_for (pool, BGRX_CAPS (64, 32), 64 * 32 * 4, 1, 3, TRUE);
    GstAllocationParams params = asked[i];

    gst_buffer_pool_config_set_allocator (config, NULL, &params);
    ck_assert (!gst_buffer_pool_set_config (pool, config));
    config = gst_buffer_pool_get_config (pool);
    ck_assert (gst_buffer_pool_config_get_allocator (config, NULL, &params));
    ck_assert (params.prefix == 0 && params.padding == 0 && params.flags == 0);
    ck_assert (gst_buffer_pool_set_config (pool, config));
    view_end (pool);
  }
  screen_close (&screen);
}
END_TEST

static void
assert_border_is_black (const guint8 * page, const GstVideoRectangle * window, gint stride)
{
  for (gint y = 0; y < 32; y++) {
    for (gint x = 0; x < 64; x++) {
      if (x >= window->x && x < window->x + window->w && y >= window->y && y < window->y + window->h)
        continue;
      for (gint c = 0; c < 3; c++)
        ck_assert_msg (page[y * stride + x * 4 + c] == 0, "pixel %d,%d is not black", x, y);
    }
  }
}

static void
fill_window (GstBuffer * buffer)
{
  GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
  GstMapInfo map;

  ck_assert (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
  for (guint y = 0; y < meta->height; y++)
    memset (map.data + y * meta->stride[0], 0xff, meta->width * 4);
  gst_buffer_unmap (buffer, &map);
}

START_TEST (borders_are_black_in_each_page_whatever_was_drawn_before)
{
  Screen screen = screen_open (DEVICE);
  GstBufferPool *whole = view (&screen, BGRX_CAPS (64, 32), 64 * 32 * 4);
  GstBufferPool *small = view (&screen, BGRX_CAPS (40, 20), 40 * 20 * 4);
  GstVideoRectangle window;
  GstBuffer *buffers[3];

  gst_ba_fbdev_pool_get_window (GST_BA_FBDEV_POOL (small), &window);
  for (guint round = 0; round < 3; round++) {
    for (guint i = 0; i < 3; i++) {
      buffers[i] = acquire (whole);
      fill (buffers[i], 0xff);
    }
    for (guint i = 0; i < 3; i++)
      gst_buffer_unref (buffers[i]);
    /* the second time they are parked buffers that go out again */
    for (guint i = 0; i < 3; i++) {
      buffers[i] = acquire (small);
      fill_window (buffers[i]);
      assert_border_is_black (page_address (&screen, buffers[i]), &window, 64 * 4);
    }
    for (guint i = 0; i < 3; i++)
      gst_buffer_unref (buffers[i]);
  }
  view_end (whole);
  view_end (small);
  screen_close (&screen);
}
END_TEST

START_TEST (the_steady_state_recycles_the_same_objects)
{
  Screen screen = screen_open ("virtual:64x32,pages=1,rate=0");
  GstBufferPool *pool = view (&screen, BGRX_CAPS (40, 20), 40 * 20 * 4);
  GstBuffer *buffer = acquire (pool), *first = buffer;
  GstMemory *memory = gst_buffer_peek_memory (buffer, 0);

  for (guint i = 0; i < 5; i++) {
    fill_window (buffer);
    gst_buffer_unref (buffer);
    buffer = acquire (pool);
    ck_assert_ptr_eq (buffer, first);
    ck_assert_ptr_eq (gst_buffer_peek_memory (buffer, 0), memory);
    ck_assert_ptr_nonnull (gst_buffer_get_video_meta (buffer));
  }
  gst_buffer_unref (buffer);
  view_end (pool);
  screen_close (&screen);
}
END_TEST

START_TEST (a_page_is_busy_while_it_is_on_screen)
{
  Screen screen = screen_open ("virtual:64x32,pages=2,rate=0");
  GstBufferPool *pool = view (&screen, BGRX_CAPS (64, 32), 64 * 32 * 4);
  GstBuffer *a = acquire (pool), *b;
  BaBuffer *shown = core_of (a);

  ck_assert_int_eq (ba_display_flip (screen.display, shown, NULL), 0);
  gst_buffer_unref (a);
  b = acquire (pool);
  ck_assert_ptr_ne (core_of (b), shown);
  assert_empty (pool);
  ck_assert_int_eq (ba_display_flip (screen.display, core_of (b), NULL), 0);
  ck_assert_int_eq (ba_display_wait (screen.display, NULL), 0);
  a = acquire (pool);
  ck_assert_ptr_eq (core_of (a), shown);
  gst_buffer_unref (a);
  gst_buffer_unref (b);
  view_end (pool);
  screen_close (&screen);
}
END_TEST

START_TEST (a_page_in_limbo_does_not_make_acquire_spin)
{
  Screen screen = screen_open ("virtual:64x32,pages=1,rate=0");
  GstBufferPool *pool = view (&screen, BGRX_CAPS (64, 32), 64 * 32 * 4);
  GstBuffer *buffer = acquire (pool), *copy = gst_buffer_copy (buffer);
  Waiter waiter;
  guint64 waits;

  gst_buffer_unref (buffer);    /* its page is in the copy */
  waiter_start (&waiter, pool, screen_pages (&screen));
  waits = stats_of (screen_pages (&screen)).waits;
  ck_assert_uint_eq (waits, 1);
  gst_buffer_unref (copy);
  ck_assert_int_eq (waiter_join (&waiter), GST_FLOW_OK);
  ck_assert_uint_eq (stats_of (screen_pages (&screen)).waits, waits);
  gst_buffer_unref (waiter.buffer);
  view_end (pool);
  screen_close (&screen);
}
END_TEST

static gpointer
unref_buffer (gpointer buffer)
{
  fill (buffer, 3);
  gst_buffer_unref (buffer);
  return NULL;
}

START_TEST (a_page_comes_home_on_another_thread_after_everybody_is_gone)
{
  Screen screen = screen_open (DEVICE);
  GstBufferPool *pool = view (&screen, BGRX_CAPS (64, 32), 64 * 32 * 4);
  GstBuffer *buffer = acquire (pool);
  GWeakRef pool_ref, allocator_ref;

  g_weak_ref_init (&pool_ref, pool);
  g_weak_ref_init (&allocator_ref, screen.allocator);
  view_end (pool);
  screen_close (&screen);
  g_thread_join (g_thread_new ("last", unref_buffer, buffer));
  ck_assert_ptr_null (g_weak_ref_get (&pool_ref));
  ck_assert_ptr_null (g_weak_ref_get (&allocator_ref));
  g_weak_ref_clear (&pool_ref);
  g_weak_ref_clear (&allocator_ref);
}
END_TEST

START_TEST (the_screen_goes_with_the_last_page)
{
  Screen screen = screen_open (DEVICE);
  GstBufferPool *pool = view (&screen, BGRX_CAPS (64, 32), 64 * 32 * 4);
  GstBuffer *buffer = acquire (pool), *copy;

  ck_assert_int_eq (ba_display_flip (screen.display, core_of (buffer), NULL), 0);
  fill (buffer, 9);
  copy = gst_buffer_copy (buffer);
  gst_buffer_unref (buffer);
  view_end (pool);
  screen_close (&screen);
  ck_assert_int_eq (gst_buffer_memcmp (copy, 64 * 32 * 4 - 1, "\11", 1), 0);
  gst_buffer_unref (copy);
}
END_TEST

static gpointer
draw_often (gpointer pool)
{
  for (guint i = 0; i < 1000; i++) {
    GstBuffer *buffer = acquire (pool);

    fill_window (buffer);
    if (i % 4 == 0) {
      GstBuffer *copy = gst_buffer_copy (buffer);

      gst_buffer_unref (buffer);
      buffer = copy;
    }
    gst_buffer_unref (buffer);
  }
  return NULL;
}

START_TEST (threads_of_two_views_share_the_pages)
{
  Screen screen = screen_open (DEVICE);
  GstBufferPool *pools[2] = { view (&screen, BGRX_CAPS (64, 32), 64 * 32 * 4),
    view (&screen, BGRX_CAPS (40, 20), 40 * 20 * 4)
  };
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("drawer", draw_often, pools[i % 2]);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  ck_assert_uint_eq (stats_of (screen_pages (&screen)).n_free, 3);
  view_end (pools[0]);
  view_end (pools[1]);
  screen_close (&screen);
}
END_TEST

RUN ("fbdevpool", a_new_pool_is_not_floating, set_config_corrects_refuses_and_then_accepts_its_own_answer,
    what_fits_is_accepted_at_once, a_stride_of_its_own_needs_video_meta, the_configured_size_is_every_buffers_size,
    only_what_is_honoured_is_an_option, max_0_is_clamped_to_the_pages, caps_that_are_no_page_are_refused,
    two_views_may_be_active_at_one_time, flushing_one_view_leaves_the_other_waiting,
    what_is_written_lies_in_the_page, smaller_caps_are_a_window_in_the_middle,
    a_window_moves_left_to_the_alignment,
    a_window_begins_where_it_was_told_to_and_never_leaves_the_screen, room_around_a_window_is_not_promised,
    borders_are_black_in_each_page_whatever_was_drawn_before,
    the_steady_state_recycles_the_same_objects, a_page_is_busy_while_it_is_on_screen,
    a_page_in_limbo_does_not_make_acquire_spin, a_page_comes_home_on_another_thread_after_everybody_is_gone,
    the_screen_goes_with_the_last_page, threads_of_two_views_share_the_pages)
