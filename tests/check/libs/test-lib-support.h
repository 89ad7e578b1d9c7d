/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-lib-support.h: what the tests of allocators and pools share: configuring and acquiring in one call, a thread
 * that waits for a buffer, and a virtual display. Each binary uses a part of it, so everything is static inline.
 */
#pragma once

#include <check.h>
#include <errno.h>
#include <gst/bufalloc/gstbufalloc.h>
#include <stdlib.h>
#include <string.h>

#include "test-leaks.h"

#define BGRX_CAPS(width, height) \
  "video/x-raw,format=BGRx,framerate=30/1,width=" G_STRINGIFY (width) ",height=" G_STRINGIFY (height)

static inline BaPoolStats
stats_of (BaPool * pool)
{
  BaPoolStats stats;

  ba_pool_get_stats (pool, &stats);
  return stats;
}

/* The core buffer of a GstBuffer of one memory. */
static inline BaBuffer *
core_of (GstBuffer * buffer)
{
  return gst_ba_memory_get_buffer (gst_buffer_peek_memory (buffer, 0));
}

/* A configuration for @pool as an element would ask for it. */
static inline GstStructure *
config_for (GstBufferPool * pool, const gchar * caps_text, guint size, guint min, guint max, gboolean meta)
{
  GstStructure *config = gst_buffer_pool_get_config (pool);
  GstCaps *caps = gst_caps_from_string (caps_text);

  gst_buffer_pool_config_set_params (config, caps, size, min, max);
  if (meta)
    gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  gst_caps_unref (caps);
  return config;
}

static inline GstBuffer *
acquire (GstBufferPool * pool)
{
  GstBuffer *buffer = NULL;

  ck_assert_int_eq (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL), GST_FLOW_OK);
  ck_assert_ptr_nonnull (buffer);
  return buffer;
}

static inline GstFlowReturn
try_acquire (GstBufferPool * pool, GstBuffer ** buffer)
{
  GstBufferPoolAcquireParams params = {.flags = GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT };

  return gst_buffer_pool_acquire_buffer (pool, buffer, &params);
}

static inline void
assert_empty (GstBufferPool * pool)
{
  GstBuffer *buffer = NULL;

  ck_assert_int_eq (try_acquire (pool, &buffer), GST_FLOW_EOS);
  ck_assert_ptr_null (buffer);
}

static inline void
fill (GstBuffer * buffer, guint8 value)
{
  GstMapInfo map;

  ck_assert (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
  memset (map.data, value, map.size);
  gst_buffer_unmap (buffer, &map);
}

/* A thread that waits in @pool for one buffer. */
typedef struct
{
  GThread *thread;
  GstBufferPool *pool;
  GstFlowReturn flow;
  GstBuffer *buffer;
  gint ended;
} Waiter;

static inline gpointer
waiter_main (gpointer data)
{
  Waiter *waiter = data;

  waiter->flow = gst_buffer_pool_acquire_buffer (waiter->pool, &waiter->buffer, NULL);
  return NULL;
}

/* Returns when the thread waits in @core: the count of waits grows under the lock that the wait gives up. */
static inline void
waiter_start (Waiter * waiter, GstBufferPool * pool, BaPool * core)
{
  guint64 before = stats_of (core).waits;

  *waiter = (Waiter) {
  .pool = pool};
  waiter->thread = g_thread_new ("waiter", waiter_main, waiter);
  while (stats_of (core).waits == before)
    g_thread_yield ();
}

static inline GstFlowReturn
waiter_join (Waiter * waiter)
{
  g_thread_join (waiter->thread);
  return waiter->flow;
}

/* A display and the allocator of its pages. */
typedef struct
{
  BaDisplay *display;
  GstBaFbdevAllocator *allocator;
} Screen;

static inline Screen
screen_open (const gchar * device)
{
  Screen screen;
  BaError error = { 0 };

  ck_assert_msg (ba_display_open (device, NULL, &error, &screen.display) == 0, "%s", error.message);
  screen.allocator = GST_BA_FBDEV_ALLOCATOR (gst_ba_fbdev_allocator_new (screen.display, &error));
  ck_assert_ptr_nonnull (screen.allocator);
  return screen;
}

static inline BaPool *
screen_pages (const Screen * screen)
{
  return gst_ba_fbdev_allocator_get_pages (screen->allocator);
}

static inline void
screen_close (Screen * screen)
{
  ba_display_close (screen->display);
  gst_object_unref (screen->allocator);
  ba_display_unref (screen->display);
}

static inline int
run_tests (const gchar * name, const TTest * const *tests, gsize n_tests)
{
  Suite *suite = suite_create (name);
  TCase *tcase = tcase_create (name);
  SRunner *runner;
  int failed;

  gst_init (NULL, NULL);
  tcase_set_timeout (tcase, 60);
  watch_over (tcase);
  for (gsize i = 0; i < n_tests; i++)
    tcase_add_test (tcase, tests[i]);
  suite_add_tcase (suite, tcase);
  runner = srunner_create (suite);
  srunner_run_all (runner, CK_ENV);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#define RUN(name, ...) \
  int main (void) \
  { \
    const TTest *const tests[] = { __VA_ARGS__ }; \
    return run_tests (name, tests, G_N_ELEMENTS (tests)); \
  }
