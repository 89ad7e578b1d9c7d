/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-renegotiate.c: a stream whose size changes a thousand times. Each change takes a new pool over the same pages;
 * memory must not grow with them, and every page must be home at the end.
 */
#include "../elements/test-sink-support.h"
#include "test-leaks.h"

#include <malloc.h>

#define CHANGES 1000
#define WARM_UP 200
#define FRAMES_EACH 3
#define N_SIZES 7
/* What 800 changes may leave behind, all together. A pool that is forgotten is some kilobytes each time. */
#define BOUND_BYTES (64 * 1024)

static GstCaps *
caps_for (guint change)
{
  return gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING, "BGRx", "width", G_TYPE_INT,
                              160 - 16 * (gint) (change % N_SIZES), "height", G_TYPE_INT, 120 - 8 * (gint) (change % 5),
                              "framerate", GST_TYPE_FRACTION, 30, 1, NULL);
}

/* The sink's pool for these caps, active. */
static GstBufferPool *
ask_for_pool (GstPad *pad, GstCaps *caps, guint *size)
{
  GstQuery *query = gst_query_new_allocation (caps, TRUE);
  GstBufferPool *pool = NULL;
  GstStructure *config;
  guint min, max;

  ck_assert (gst_pad_peer_query (pad, query));
  ck_assert_uint_ge (gst_query_get_n_allocation_pools (query), 1);
  gst_query_parse_nth_allocation_pool (query, 0, &pool, size, &min, &max);
  gst_query_unref (query);
  ck_assert (GST_IS_BUFFER_POOL (pool));
  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_set_params (config, caps, *size, min, max);
  gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  if (!gst_buffer_pool_set_config (pool, config))
    ck_assert (gst_buffer_pool_set_config (pool, gst_buffer_pool_get_config (pool)));
  ck_assert (gst_buffer_pool_set_active (pool, TRUE));
  return pool;
}

/* One change, with its frames; the allocator of the pages is returned in @allocator. */
static void
play_change (GstPad *pad, guint change, GstAllocator **allocator)
{
  GstCaps *caps = caps_for (change);
  guint size;
  GstBufferPool *pool;

  ck_assert (gst_pad_push_event (pad, gst_event_new_caps (caps)));
  pool = ask_for_pool (pad, caps, &size);
  for (guint i = 0; i < FRAMES_EACH; i++) {
    GstBuffer *buffer = NULL;

    ck_assert_int_eq (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL), GST_FLOW_OK);
    ck_assert_uint_eq (gst_buffer_get_size (buffer), size);
    if (!*allocator)
      *allocator = gst_object_ref (gst_buffer_peek_memory (buffer, 0)->allocator);
    gst_buffer_memset (buffer, 0, change, size);
    ck_assert_int_eq (gst_pad_push (pad, buffer), GST_FLOW_OK);
  }
  gst_buffer_pool_set_active (pool, FALSE); /* its last page may be on screen: it ends when that comes back */
  gst_object_unref (pool);
  gst_caps_unref (caps);
}

static gsize
heap_bytes (void)
{
  return mallinfo2 ().uordblks;
}

/* Resident, without the pages of the screen: those are there from the beginning. */
static gsize
resident_bytes (void)
{
  gchar *text = NULL;
  gsize pages = 0;

  ck_assert (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL));
  ck_assert_int_eq (sscanf (text, "%*u %zu", &pages), 1);
  g_free (text);
  return pages * sysconf (_SC_PAGESIZE);
}

START_TEST (a_thousand_sizes)
{
  GstElement *sink = gst_element_factory_make ("fbdevzerosink", NULL);
  GstPad *pad = gst_pad_new ("src", GST_PAD_SRC), *peer;
  GstAllocator *allocator = NULL;
  GstSegment segment;
  GstStructure *stats;
  guint64 flipped = 0, overflowed = 0;
  gsize heap_before = 0, resident_before = 0;
  BaPoolStats pages;

  gst_object_ref_sink (sink);
  gst_util_set_object_arg (G_OBJECT (sink), "scaling", "none");
  g_object_set (sink, "device", "virtual:160x120,rate=0", "sync", FALSE, "async", FALSE, NULL);
  ck_assert_int_ne (gst_element_set_state (sink, GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
  peer = gst_element_get_static_pad (sink, "sink");
  gst_pad_set_active (pad, TRUE);
  ck_assert_int_eq (gst_pad_link (pad, peer), GST_PAD_LINK_OK);
  gst_pad_push_event (pad, gst_event_new_stream_start ("test"));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  for (guint change = 0; change < CHANGES; change++) {
    if (change == WARM_UP) {
      heap_before = heap_bytes ();
      resident_before = resident_bytes ();
    }
    if (change == 0) {
      GstCaps *caps = caps_for (0);

      gst_pad_push_event (pad, gst_event_new_caps (caps));
      gst_pad_push_event (pad, gst_event_new_segment (&segment));
      gst_caps_unref (caps);
    }
    play_change (pad, change, &allocator);
  }
  ck_assert_msg (heap_bytes () < heap_before + BOUND_BYTES, "the heap grew by %" G_GSIZE_FORMAT " bytes in %d changes",
                 heap_bytes () - heap_before, CHANGES - WARM_UP);
#ifndef __SANITIZE_ADDRESS__     /* which keeps freed memory for a while, to catch its use */
  ck_assert_msg (resident_bytes () < resident_before + 16 * BOUND_BYTES,
                 "the process grew by %" G_GSIZE_FORMAT " bytes in %d changes", resident_bytes () - resident_before,
                 CHANGES - WARM_UP);
#else
  (void) resident_before;
#endif

  g_object_get (sink, "frame-stats", &stats, NULL);
  gst_structure_get_uint64 (stats, "flipped", &flipped);
  gst_structure_get_uint64 (stats, "overflowed", &overflowed);
  gst_structure_free (stats);
  ck_assert_uint_eq (flipped, CHANGES * FRAMES_EACH);
  ck_assert_uint_eq (overflowed, 0);

  gst_element_set_state (sink, GST_STATE_NULL);
  gst_pad_unlink (pad, peer);
  gst_object_unref (peer);
  gst_object_unref (pad);
  gst_object_unref (sink);
  ba_pool_get_stats (gst_ba_fbdev_allocator_get_pages (GST_BA_FBDEV_ALLOCATOR (allocator)), &pages);
  ck_assert_uint_eq (pages.n_free, pages.n_buffers);
  ck_assert_uint_eq (pages.n_held + pages.n_lent + pages.n_orphans, 0);
  gst_object_unref (allocator);
  assert_nothing_alive ();
}
END_TEST

RUN ("renegotiate", a_thousand_sizes)
