/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-feeder.h: a fbdevzerosink that is fed by hand, one frame at a time, so that a test knows what is on screen, what
 * waits for its vsync and what is being drawn. Each binary uses a part of it, so everything is static inline.
 */
#pragma once

#include "test-sink-support.h"

#define BGRX(width, height) "video/x-raw,format=BGRx,framerate=30/1,pixel-aspect-ratio=1/1," \
  "width=" #width ",height=" #height

typedef struct
{
  Player player;
  GstPad *pad, *peer;
  /* of those that draw pictures (test-pictures.h) */
  GstVideoInfo info;
  GstBufferPool *pool;          /* NULL: plain memory */
  guint n;                      /* frames so far */
} Feeder;

static inline Feeder
feeder_new (const gchar * settings, GstState state)
{
  Feeder feeder = {.player = player_new ("", settings),.pad = gst_pad_new ("src", GST_PAD_SRC) };

  feeder.peer = gst_element_get_static_pad (feeder.player.sink, "sink");
  gst_pad_set_active (feeder.pad, TRUE);
  ck_assert_int_eq (gst_pad_link (feeder.pad, feeder.peer), GST_PAD_LINK_OK);
  player_set (&feeder.player, state);
  gst_pad_push_event (feeder.pad, gst_event_new_stream_start ("test"));
  return feeder;
}

static inline void
feeder_set_caps (Feeder * feeder, const gchar * text)
{
  GstCaps *caps = gst_caps_from_string (text);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  ck_assert (gst_pad_push_event (feeder->pad, gst_event_new_caps (caps)));
  ck_assert (gst_pad_push_event (feeder->pad, gst_event_new_segment (&segment)));
  gst_caps_unref (caps);
}

static inline GstQuery *
feeder_ask (Feeder * feeder, const gchar * text, gboolean need_pool)
{
  GstCaps *caps = gst_caps_from_string (text);
  GstQuery *query = gst_query_new_allocation (caps, need_pool);

  ck_assert (gst_pad_peer_query (feeder->pad, query));
  gst_caps_unref (caps);
  return query;
}

/* The pool of pages in the answer; not active. */
static inline GstBufferPool *
feeder_get_pool (Feeder * feeder, const gchar * text)
{
  GstQuery *query = feeder_ask (feeder, text, TRUE);
  GstBufferPool *pool;

  ck_assert_uint_ge (gst_query_get_n_allocation_pools (query), 1);
  gst_query_parse_nth_allocation_pool (query, 0, &pool, NULL, NULL, NULL);
  ck_assert (GST_IS_BA_FBDEV_POOL (pool));
  gst_query_unref (query);
  return pool;
}

static inline void
feeder_drop_pool (Feeder * feeder)
{
  if (feeder->pool)
    gst_buffer_pool_set_active (feeder->pool, FALSE);
  gst_clear_object (&feeder->pool);
}

static inline void
feeder_free (Feeder * feeder)
{
  player_set (&feeder->player, GST_STATE_NULL);
  feeder_drop_pool (feeder);
  gst_pad_unlink (feeder->pad, feeder->peer);
  gst_object_unref (feeder->peer);
  gst_object_unref (feeder->pad);
  player_free (&feeder->player);
}

static inline GstFlowReturn
take_page (GstBufferPool * pool, GstBuffer ** buffer)
{
  GstBufferPoolAcquireParams params = {.flags = GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT };

  *buffer = NULL;
  return gst_buffer_pool_acquire_buffer (pool, buffer, &params);
}

/* A page, drawn in one colour. */
static inline GstBuffer *
draw_page (GstBufferPool * pool, guint8 value)
{
  GstBuffer *buffer = NULL;

  ck_assert_int_eq (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL), GST_FLOW_OK);
  ck_assert_uint_eq (gst_buffer_memset (buffer, 0, value, -1), gst_buffer_get_size (buffer));
  return buffer;
}

static inline BaBuffer *
page_of (GstBuffer * buffer)
{
  return gst_ba_memory_get_buffer (gst_buffer_peek_memory (buffer, 0));
}

static inline BaDisplay *
display_of (GstBufferPool * pool)
{
  return gst_ba_fbdev_allocator_get_display (gst_ba_fbdev_pool_get_allocator (GST_BA_FBDEV_POOL (pool)));
}

static inline BaDisplayStats
shown_by (BaDisplay * display)
{
  BaDisplayStats stats;

  ba_display_get_stats (display, &stats);
  return stats;
}

static inline gchar *
device_in (const ScreenFile * file, const gchar * more)
{
  return g_strdup_printf ("sync=false %s,file=%s", more, file->path);
}
