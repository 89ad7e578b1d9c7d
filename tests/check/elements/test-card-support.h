/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-card-support.h: a sink on the fake card of fake-dmabufs.h; frames in files, and what of them is on screen. For
 * tests of one program each, so everything is static.
 */
#pragma once

#include <gst/allocators/gstdmabuf.h>

#include "fake-dmabufs.h"

#define SETTINGS "device=" FAKE_CARD_PATH " sync=false"
#define WIDTH 200
#define HEIGHT 100
#define STRIDE 832
#define FRAME_BYTES (STRIDE * HEIGHT)
#define CAPS BGRX (200, 100)
#define NV12 "video/x-raw,format=NV12,framerate=30/1,pixel-aspect-ratio=1/1,width=200,height=100,colorimetry=bt709"

static inline Feeder
start_with (const gchar * settings)
{
  fake_kms_ready (&fake);
  return feeder_new (settings, GST_STATE_PLAYING);
}

static inline Feeder
start (void)
{
  return start_with (SETTINGS);
}

/* ---- frames ------------------------------------------------------------------------------------------------------ */

/* As a camera has them: STRIDE bytes between rows, all of one byte. */
static inline GstBuffer *
new_frame (guint8 byte)
{
  static gsize offset[GST_VIDEO_MAX_PLANES] = { 0 };
  static gint stride[GST_VIDEO_MAX_PLANES] = { STRIDE };
  GstAllocator *allocator = gst_dmabuf_allocator_new ();
  GstBuffer *buffer = gst_buffer_new ();

  gst_buffer_append_memory (buffer, gst_dmabuf_allocator_alloc (allocator, new_file (FRAME_BYTES), FRAME_BYTES));
  gst_buffer_memset (buffer, 0, byte, -1);
  gst_buffer_add_video_meta_full (buffer, 0, GST_VIDEO_FORMAT_BGRx, WIDTH, HEIGHT, 1, offset, stride);
  gst_object_unref (allocator);
  return buffer;
}

static inline void
count_end (gpointer counter, GstMiniObject * object)
{
  ++*(guint *) counter;
}

/* Pushed, and counted when it is nobody's any more. */
static inline void
push_counted (Feeder * feeder, guint8 byte, guint * n_ended)
{
  GstBuffer *buffer = new_frame (byte);

  gst_mini_object_weak_ref (GST_MINI_OBJECT_CAST (buffer), count_end, n_ended);
  ck_assert_int_eq (gst_pad_push (feeder->pad, buffer), GST_FLOW_OK);
}

static inline void
assert_reason (Feeder * feeder, const gchar * says)
{
  GstStructure *stats = player_stats (&feeder->player);
  const gchar *reason = gst_structure_get_string (stats, "reason");

  ck_assert_msg (*says ? strstr (reason, says) != NULL : !*reason, "\"%s\" does not say \"%s\"", reason, says);
  gst_structure_free (stats);
}

static inline guint
n_imported (void)
{
  guint n = 0;

  for (guint i = 0; i < FAKE_MAX_THINGS; i++)
    n += fake.handles[i].inode != 0;
  return n;
}

/* The first byte of the page on screen. */
static inline guint8
shown_byte (void)
{
  const FakeThing *fb = fake_kms_shown (&fake, FAKE_PRIMARY);
  const FakeThing *buffer = fake_kms_find (fake.handles, fb->handles[0]);
  guint8 byte = 0;

  ck_assert_int_eq (pread (fake.memory_fd, &byte, 1, (buffer - fake.handles) * (off_t) FAKE_BUFFER_BYTES), 1);
  return byte;
}

/* A pool of one buffer, and that with a frame in it, as pools of cameras do. */
static inline GstBuffer *
new_pool_frame (GstBufferPool ** pool, guint8 byte)
{
  GstBuffer *frame = new_frame (byte), *own;
  GstStructure *config;

  *pool = gst_buffer_pool_new ();
  config = gst_buffer_pool_get_config (*pool);
  gst_buffer_pool_config_set_params (config, NULL, 64, 1, 1);
  ck_assert (gst_buffer_pool_set_config (*pool, config));
  ck_assert (gst_buffer_pool_set_active (*pool, TRUE));
  ck_assert_int_eq (gst_buffer_pool_acquire_buffer (*pool, &own, NULL), GST_FLOW_OK);
  gst_buffer_replace_all_memory (own, gst_memory_ref (gst_buffer_peek_memory (frame, 0)));
  gst_buffer_copy_into (own, frame, GST_BUFFER_COPY_META, 0, -1);
  gst_buffer_unref (frame);
  return own;
}

/* Three frames in plain memory: whatever was on screen before has left it. */
static inline void
push_plain (Feeder * feeder)
{
  for (guint i = 0; i < 4; i++)
    ck_assert_int_eq (gst_pad_push (feeder->pad, bgrx_frame (WIDTH, HEIGHT, WIDTH * 4, 0xabcdef)), GST_FLOW_OK);
}

/* ---- memory that is offered ------------------------------------------------------------------------------------- */

/* The pool at @index of the answer, ready to be drawn from. */
static inline GstBufferPool *
get_pool (Feeder * feeder, const gchar * text, guint index)
{
  GstCaps *caps = gst_caps_from_string (text);
  GstQuery *query = feeder_ask (feeder, text, TRUE);
  GstBufferPool *pool = NULL;
  const GstAllocationParams params = { 0 };
  GstStructure *config;
  guint size, min, max;

  ck_assert_uint_gt (gst_query_get_n_allocation_pools (query), index);
  gst_query_parse_nth_allocation_pool (query, index, &pool, &size, &min, &max);
  gst_query_unref (query);
  ck_assert_ptr_nonnull (pool);
  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_set_params (config, caps, size, min, max);
  gst_buffer_pool_config_set_allocator (config, NULL, &params); /* as base classes do that have none */
  gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  if (gst_buffer_pool_has_option (pool, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT))
    gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
  if (!gst_buffer_pool_set_config (pool, config))
    ck_assert (gst_buffer_pool_set_config (pool, gst_buffer_pool_get_config (pool)));
  ck_assert (gst_buffer_pool_set_active (pool, TRUE));
  gst_caps_unref (caps);
  return pool;
}

static inline GstBuffer *
draw (GstBufferPool * pool, guint8 byte)
{
  GstBuffer *buffer;

  ck_assert_int_eq (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL), GST_FLOW_OK);
  gst_buffer_memset (buffer, 0, byte, -1);
  return buffer;
}

static inline void
drop_pool (GstBufferPool * pool)
{
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
}
