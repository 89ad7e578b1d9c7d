/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-pool.c: GstBaNormalPool, and with it what GstBaPool promises: acquire and release over a core pool, nothing
 * lost, nothing given out twice, no wait that cannot be ended.
 */
#include "test-lib-support.h"

#define SIZE 4096

static GstBufferPool *
active_pool (guint min, guint max)
{
  GstBufferPool *pool = gst_ba_normal_pool_new ();

  ck_assert (gst_buffer_pool_set_config (pool, config_for (pool, "video/x-raw", SIZE, min, max, FALSE)));
  ck_assert (gst_buffer_pool_set_active (pool, TRUE));
  return pool;
}

static void
pool_end (GstBufferPool * pool)
{
  ck_assert (gst_buffer_pool_set_active (pool, FALSE));
  gst_object_unref (pool);
}

START_TEST (a_new_pool_is_not_floating)
{
  GstBufferPool *pool = gst_ba_normal_pool_new ();

  ck_assert (!g_object_is_floating (pool));
  ck_assert_int_eq (GST_OBJECT_REFCOUNT_VALUE (pool), 1);
  gst_object_unref (pool);
}
END_TEST

START_TEST (the_configuration_comes_back_as_it_was_set)
{
  GstBufferPool *pool = gst_ba_normal_pool_new ();
  GstStructure *config = config_for (pool, BGRX_CAPS (64, 32), 64 * 32 * 4, 2, 5, TRUE);
  GstCaps *caps;
  guint size, min, max;

  ck_assert (gst_buffer_pool_set_config (pool, config));
  config = gst_buffer_pool_get_config (pool);
  ck_assert (gst_buffer_pool_config_get_params (config, &caps, &size, &min, &max));
  ck_assert_uint_eq (size, 64 * 32 * 4);
  ck_assert_uint_eq (min, 2);
  ck_assert_uint_eq (max, 5);
  ck_assert (gst_buffer_pool_config_has_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META));
  gst_structure_free (config);
  gst_object_unref (pool);
}
END_TEST

START_TEST (nonsense_is_refused)
{
  GstBufferPool *pool = gst_ba_normal_pool_new ();
  GstStructure *config;

  ck_assert (!gst_buffer_pool_set_config (pool, config_for (pool, "video/x-raw", 0, 1, 2, FALSE)));
  ck_assert (!gst_buffer_pool_set_config (pool, config_for (pool, "audio/x-raw", SIZE, 1, 2, TRUE)));
  /* 16 GiB, more than a configuration can say */
  ck_assert (!gst_buffer_pool_set_config (pool, config_for (pool,
      "video/x-raw,format=ARGB64,width=65536,height=32768,framerate=1/1", SIZE, 1, 2, TRUE)));
  config = config_for (pool, "video/x-raw", SIZE, 1, 2, FALSE);
  gst_buffer_pool_config_set_allocator (config, NULL, &(GstAllocationParams) {
      .align = 6});
  gst_buffer_pool_set_config (pool, config);
  ck_assert (!gst_buffer_pool_set_active (pool, TRUE));
  gst_object_unref (pool);
}
END_TEST

START_TEST (a_size_too_small_for_the_picture_is_made_right)
{
  GstBufferPool *pool = gst_ba_normal_pool_new ();
  GstStructure *config = config_for (pool, BGRX_CAPS (64, 32), 100, 0, 2, TRUE);
  GstBuffer *buffer;

  if (!gst_buffer_pool_set_config (pool, config))
    ck_assert (gst_buffer_pool_set_config (pool, gst_buffer_pool_get_config (pool)));
  ck_assert (gst_buffer_pool_set_active (pool, TRUE));
  buffer = acquire (pool);
  ck_assert_uint_eq (gst_buffer_get_size (buffer), 64 * 32 * 4);
  gst_buffer_unref (buffer);
  pool_end (pool);
}
END_TEST

START_TEST (options_are_those_that_are_kept)
{
  GstBufferPool *pool = gst_ba_normal_pool_new ();

  ck_assert (gst_buffer_pool_has_option (pool, GST_BUFFER_POOL_OPTION_VIDEO_META));
  ck_assert (gst_buffer_pool_has_option (pool, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT));
  ck_assert (!gst_buffer_pool_has_option (pool, GST_BUFFER_POOL_OPTION_VIDEO_GL_TEXTURE_UPLOAD_META));
  gst_object_unref (pool);
}
END_TEST

START_TEST (an_inactive_pool_flushes)
{
  GstBufferPool *pool = gst_ba_normal_pool_new ();
  GstBuffer *buffer = NULL;

  ck_assert (gst_buffer_pool_set_config (pool, config_for (pool, "video/x-raw", SIZE, 1, 2, FALSE)));
  ck_assert_int_eq (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL), GST_FLOW_FLUSHING);
  ck_assert (gst_buffer_pool_set_active (pool, TRUE));
  pool_end (pool);
}
END_TEST

START_TEST (max_is_the_most_and_dontwait_gives_eos)
{
  GstBufferPool *pool = active_pool (1, 3);
  GstBuffer *buffers[3];

  for (guint i = 0; i < 3; i++)
    buffers[i] = acquire (pool);
  assert_empty (pool);
  for (guint i = 0; i < 3; i++)
    gst_buffer_unref (buffers[i]);
  pool_end (pool);
}
END_TEST

START_TEST (max_0_grows)
{
  GstBufferPool *pool = active_pool (0, 0);
  GstBuffer *buffers[300];      /* more than there are places to park them */

  for (guint i = 0; i < G_N_ELEMENTS (buffers); i++)
    ck_assert_int_eq (try_acquire (pool, &buffers[i]), GST_FLOW_OK);
  for (guint i = 0; i < G_N_ELEMENTS (buffers); i++) {
    fill (buffers[i], (guint8) i);
    gst_buffer_unref (buffers[i]);
  }
  pool_end (pool);
}
END_TEST

START_TEST (the_steady_state_recycles_the_same_objects)
{
  GstBufferPool *pool = active_pool (1, 1);
  GstBuffer *buffer = acquire (pool), *first = buffer;
  GstMemory *memory = gst_buffer_peek_memory (buffer, 0);

  for (guint i = 0; i < 10; i++) {
    fill (buffer, (guint8) i);
    GST_BUFFER_PTS (buffer) = i;
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
    gst_buffer_unref (buffer);
    buffer = acquire (pool);
    ck_assert_ptr_eq (buffer, first);
    ck_assert_ptr_eq (gst_buffer_peek_memory (buffer, 0), memory);
    ck_assert (!GST_BUFFER_PTS_IS_VALID (buffer));
    ck_assert (!GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT));
    ck_assert (gst_buffer_is_writable (buffer) && gst_memory_is_writable (memory));
  }
  gst_buffer_unref (buffer);
  pool_end (pool);
}
END_TEST

START_TEST (a_meta_that_was_added_is_gone_the_next_time)
{
  GstBufferPool *pool = active_pool (1, 1);
  GstBuffer *buffer = acquire (pool);

  gst_buffer_add_video_meta (buffer, 0, GST_VIDEO_FORMAT_GRAY8, 64, 64);
  gst_buffer_unref (buffer);
  buffer = acquire (pool);
  ck_assert_ptr_null (gst_buffer_get_video_meta (buffer));
  gst_buffer_unref (buffer);
  pool_end (pool);
}
END_TEST

START_TEST (video_meta_stays_through_recycling)
{
  GstBufferPool *pool = gst_ba_normal_pool_new ();

  ck_assert (gst_buffer_pool_set_config (pool, config_for (pool,
              "video/x-raw,format=I420,width=64,height=32,framerate=30/1", 64 * 32 * 3 / 2, 1, 1, TRUE)));
  ck_assert (gst_buffer_pool_set_active (pool, TRUE));
  for (guint i = 0; i < 3; i++) {
    GstBuffer *buffer = acquire (pool);
    GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);

    ck_assert_ptr_nonnull (meta);
    ck_assert_uint_eq (meta->n_planes, 3);
    ck_assert_int_eq (meta->stride[0], 64);
    ck_assert_uint_eq (meta->offset[2], 64 * 32 + 32 * 16);
    gst_buffer_unref (buffer);
  }
  pool_end (pool);
}
END_TEST

START_TEST (video_alignment_makes_room_around_the_picture)
{
  GstBufferPool *pool = gst_ba_normal_pool_new ();
  GstStructure *config = config_for (pool, BGRX_CAPS (64, 32), 64 * 32 * 4, 1, 1, TRUE);
  GstVideoAlignment align = {.padding_top = 2,.padding_left = 4,.padding_right = 8,.padding_bottom = 1 };
  GstVideoFrame frame;
  GstVideoInfo info;
  GstBuffer *buffer;
  GstVideoMeta *meta;

  for (guint i = 0; i < GST_VIDEO_MAX_PLANES; i++)
    align.stride_align[i] = 31;
  gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
  gst_buffer_pool_config_set_video_alignment (config, &align);
  if (!gst_buffer_pool_set_config (pool, config))
    ck_assert (gst_buffer_pool_set_config (pool, gst_buffer_pool_get_config (pool)));
  ck_assert (gst_buffer_pool_set_active (pool, TRUE));
  buffer = acquire (pool);
  meta = gst_buffer_get_video_meta (buffer);
  ck_assert_int_ge (meta->stride[0], (4 + 64 + 8) * 4);
  ck_assert_int_eq (meta->stride[0] % 32, 0);
  ck_assert_uint_ge (meta->alignment.padding_left, 4);  /* widened to the alignment */
  ck_assert_uint_eq (meta->offset[0], 2 * meta->stride[0] + meta->alignment.padding_left * 4);
  ck_assert_uint_eq (meta->offset[0] % 32, 0);
  ck_assert_uint_eq (meta->alignment.padding_top, 2);
  ck_assert_uint_ge (gst_buffer_get_size (buffer), (2 + 32 + 1) * meta->stride[0]);
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_BGRx, 64, 32);
  ck_assert (gst_video_frame_map (&frame, &info, buffer, GST_MAP_WRITE));
  memset (GST_VIDEO_FRAME_PLANE_DATA (&frame, 0), 1, 31 * meta->stride[0] + 64 * 4);
  gst_video_frame_unmap (&frame);
  gst_buffer_unref (buffer);
  pool_end (pool);
}
END_TEST

START_TEST (alignment_prefix_and_padding_stay_through_recycling)
{
  GstBufferPool *pool = gst_ba_normal_pool_new ();
  GstStructure *config = config_for (pool, "video/x-raw", SIZE, 1, 1, FALSE);
  GstAllocationParams params = {.align = 255,.prefix = 256,.padding = 64 };

  gst_buffer_pool_config_set_allocator (config, NULL, &params);
  ck_assert (gst_buffer_pool_set_config (pool, config));
  ck_assert (gst_buffer_pool_set_active (pool, TRUE));
  for (guint i = 0; i < 3; i++) {
    GstBuffer *buffer = acquire (pool);
    gsize offset, maxsize;
    GstMapInfo map;

    ck_assert_uint_eq (gst_buffer_get_sizes (buffer, &offset, &maxsize), SIZE);
    ck_assert_uint_eq (offset, 256);
    ck_assert_uint_ge (maxsize, 256 + SIZE + 64);
    ck_assert (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
    ck_assert_uint_eq ((guintptr) map.data & 255, 0);
    gst_buffer_unmap (buffer, &map);
    gst_buffer_unref (buffer);
  }
  pool_end (pool);
}
END_TEST

START_TEST (a_resized_buffer_comes_back_whole)
{
  GstBufferPool *pool = active_pool (1, 1);

  for (guint i = 0; i < 3; i++) {
    GstBuffer *buffer = acquire (pool);

    ck_assert_uint_eq (gst_buffer_get_size (buffer), SIZE);
    gst_buffer_resize (buffer, 16, 100);
    gst_buffer_unref (buffer);
  }
  pool_end (pool);
}
END_TEST

START_TEST (memory_is_busy_as_long_as_a_shallow_copy_has_it)
{
  GstBufferPool *pool = active_pool (1, 1);
  GstBuffer *buffer = acquire (pool), *copy = gst_buffer_copy (buffer);

  gst_buffer_unref (buffer);
  assert_empty (pool);
  gst_buffer_unref (copy);
  gst_buffer_unref (acquire (pool));
  pool_end (pool);
}
END_TEST

START_TEST (memory_is_busy_as_long_as_a_part_has_it)
{
  GstBufferPool *pool = active_pool (1, 1);
  GstBuffer *buffer = acquire (pool);
  GstBuffer *part = gst_buffer_copy_region (buffer, GST_BUFFER_COPY_MEMORY, 10, 20);

  gst_buffer_unref (buffer);
  assert_empty (pool);
  gst_buffer_unref (part);
  gst_buffer_unref (acquire (pool));
  pool_end (pool);
}
END_TEST

START_TEST (a_waiter_gets_the_memory_when_the_last_sharer_goes)
{
  GstBufferPool *pool = active_pool (1, 1);
  GstBuffer *buffer = acquire (pool), *copy = gst_buffer_copy (buffer);
  BaPool *core = ba_buffer_get_pool (core_of (buffer));
  Waiter waiter;

  gst_buffer_unref (buffer);
  waiter_start (&waiter, pool, core);
  gst_buffer_unref (copy);
  ck_assert_int_eq (waiter_join (&waiter), GST_FLOW_OK);
  gst_buffer_unref (waiter.buffer);
  pool_end (pool);
}
END_TEST

START_TEST (replaced_memory_is_not_handed_out)
{
  GstBufferPool *pool = active_pool (1, 1);
  GstBuffer *buffer = acquire (pool);

  gst_buffer_replace_all_memory (buffer, gst_allocator_alloc (NULL, 10, NULL));
  gst_buffer_unref (buffer);
  buffer = acquire (pool);
  ck_assert (gst_is_ba_memory (gst_buffer_peek_memory (buffer, 0)));
  ck_assert_uint_eq (gst_buffer_get_size (buffer), SIZE);
  gst_buffer_append_memory (buffer, gst_allocator_alloc (NULL, 10, NULL));
  gst_buffer_unref (buffer);
  buffer = acquire (pool);
  ck_assert_uint_eq (gst_buffer_n_memory (buffer), 1);
  ck_assert_uint_eq (gst_buffer_get_size (buffer), SIZE);
  gst_buffer_unref (buffer);
  pool_end (pool);
}
END_TEST

START_TEST (another_pools_memory_is_not_kept)
{
  GstBufferPool *one = active_pool (1, 1), *two = active_pool (1, 1);
  GstBuffer *a = acquire (one), *b = acquire (two);
  GstMemory *memory = gst_buffer_get_memory (b, 0);

  gst_buffer_replace_all_memory (a, memory);
  GST_BUFFER_FLAG_UNSET (a, GST_BUFFER_FLAG_TAG_MEMORY);        /* a careless element */
  gst_buffer_replace_all_memory (b, gst_allocator_alloc (NULL, 10, NULL));
  gst_buffer_unref (a);
  gst_buffer_unref (b);
  a = acquire (one);
  b = acquire (two);
  ck_assert_ptr_ne (core_of (a), core_of (b));
  gst_buffer_unref (a);
  gst_buffer_unref (b);
  pool_end (one);
  pool_end (two);
}
END_TEST

START_TEST (flushing_wakes_a_waiter)
{
  GstBufferPool *pool = active_pool (1, 1);
  GstBuffer *buffer = acquire (pool), *none = NULL;
  Waiter waiters[2];

  for (guint i = 0; i < 2; i++)
    waiter_start (&waiters[i], pool, ba_buffer_get_pool (core_of (buffer)));
  gst_buffer_pool_set_flushing (pool, TRUE);
  for (guint i = 0; i < 2; i++)
    ck_assert_int_eq (waiter_join (&waiters[i]), GST_FLOW_FLUSHING);
  ck_assert_int_eq (gst_buffer_pool_acquire_buffer (pool, &none, NULL), GST_FLOW_FLUSHING);
  gst_buffer_pool_set_flushing (pool, FALSE);
  assert_empty (pool);
  gst_buffer_unref (buffer);
  gst_buffer_unref (acquire (pool));
  pool_end (pool);
}
END_TEST

START_TEST (deactivating_wakes_a_waiter)
{
  GstBufferPool *pool = active_pool (1, 1);
  GstBuffer *buffer = acquire (pool);
  Waiter waiter;

  waiter_start (&waiter, pool, ba_buffer_get_pool (core_of (buffer)));
  ck_assert (gst_buffer_pool_set_active (pool, FALSE));
  ck_assert_int_eq (waiter_join (&waiter), GST_FLOW_FLUSHING);
  gst_buffer_unref (buffer);
  gst_object_unref (pool);
}
END_TEST

static gpointer
unref_buffer (gpointer buffer)
{
  gst_buffer_unref (buffer);
  return NULL;
}

START_TEST (buffers_come_back_after_the_pool_was_deactivated)
{
  GstBufferPool *pool = active_pool (2, 2);
  GstBuffer *a = acquire (pool), *b = acquire (pool);

  ck_assert (gst_buffer_pool_set_active (pool, FALSE));
  ck_assert (!gst_buffer_pool_set_config (pool, config_for (pool, "video/x-raw", 2 * SIZE, 1, 1, FALSE)));
  fill (a, 1);
  gst_buffer_unref (a);
  g_thread_join (g_thread_new ("last", unref_buffer, b));
  ck_assert (gst_buffer_pool_set_config (pool, config_for (pool, "video/x-raw", 2 * SIZE, 1, 1, FALSE)));
  ck_assert (gst_buffer_pool_set_active (pool, TRUE));
  a = acquire (pool);
  ck_assert_uint_eq (gst_buffer_get_size (a), 2 * SIZE);
  gst_buffer_unref (a);
  pool_end (pool);
}
END_TEST

START_TEST (a_buffer_keeps_its_pool_alive)
{
  GstBufferPool *pool = active_pool (1, 1);
  GstBuffer *buffer = acquire (pool);
  GWeakRef weak;

  g_weak_ref_init (&weak, pool);
  ck_assert (gst_buffer_pool_set_active (pool, FALSE));
  gst_object_unref (pool);
  fill (buffer, 5);
  gst_buffer_unref (buffer);
  ck_assert_ptr_null (g_weak_ref_get (&weak));
  g_weak_ref_clear (&weak);
}
END_TEST

START_TEST (shared_memory_outlives_the_pool)
{
  GstBufferPool *pool = active_pool (1, 1);
  GstBuffer *buffer = acquire (pool), *copy;

  fill (buffer, 5);
  copy = gst_buffer_copy (buffer);
  gst_buffer_unref (buffer);
  pool_end (pool);
  ck_assert_uint_eq (gst_buffer_memcmp (copy, SIZE - 1, "\5", 1), 0);
  gst_buffer_unref (copy);
}
END_TEST

START_TEST (the_pool_can_be_started_again)
{
  GstBufferPool *pool = active_pool (2, 2);

  for (guint i = 0; i < 3; i++) {
    gst_buffer_unref (acquire (pool));
    ck_assert (gst_buffer_pool_set_active (pool, FALSE));
    ck_assert (gst_buffer_pool_set_active (pool, TRUE));
  }
  pool_end (pool);
}
END_TEST

START_TEST (a_wait_with_a_limit_ends_not_before_it)
{
  GstBufferPool *pool = active_pool (1, 1);
  GstBuffer *buffer = acquire (pool), *none = NULL;
  gint64 begin_us = g_get_monotonic_time ();

  ck_assert_int_eq (gst_ba_pool_acquire_timed (GST_BA_POOL (pool), 0, &none), GST_FLOW_EOS);
  ck_assert_int_eq (gst_ba_pool_acquire_timed (GST_BA_POOL (pool), 20 * GST_MSECOND, &none), GST_FLOW_EOS);
  ck_assert_int_ge (g_get_monotonic_time () - begin_us, 20 * 1000);
  ck_assert_ptr_null (none);
  gst_buffer_unref (buffer);
  ck_assert_int_eq (gst_ba_pool_acquire_timed (GST_BA_POOL (pool), 0, &none), GST_FLOW_OK);
  gst_buffer_unref (none);
  ck_assert_int_eq (gst_ba_pool_acquire_timed (GST_BA_POOL (pool), GST_CLOCK_TIME_NONE, &none), GST_FLOW_OK);
  gst_buffer_unref (none);
  pool_end (pool);
}
END_TEST

static gpointer
acquire_often (gpointer pool)
{
  for (guint i = 0; i < 1000; i++) {
    GstBuffer *buffer = acquire (pool);

    fill (buffer, (guint8) i);
    if (i % 3 == 0) {
      GstBuffer *copy = gst_buffer_copy (buffer);

      gst_buffer_unref (buffer);
      buffer = copy;
    }
    gst_buffer_unref (buffer);
  }
  return NULL;
}

START_TEST (threads_share_two_buffers)
{
  GstBufferPool *pool = active_pool (0, 2);
  GThread *threads[4];
  GstBuffer *buffers[2];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("user", acquire_often, pool);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  for (guint i = 0; i < 2; i++)
    buffers[i] = acquire (pool);
  assert_empty (pool);
  for (guint i = 0; i < 2; i++)
    gst_buffer_unref (buffers[i]);
  pool_end (pool);
}
END_TEST

RUN ("pool", a_new_pool_is_not_floating, the_configuration_comes_back_as_it_was_set, nonsense_is_refused,
    a_size_too_small_for_the_picture_is_made_right, options_are_those_that_are_kept, an_inactive_pool_flushes,
    max_is_the_most_and_dontwait_gives_eos, max_0_grows, the_steady_state_recycles_the_same_objects,
    a_meta_that_was_added_is_gone_the_next_time, video_meta_stays_through_recycling,
    video_alignment_makes_room_around_the_picture, alignment_prefix_and_padding_stay_through_recycling,
    a_resized_buffer_comes_back_whole, memory_is_busy_as_long_as_a_shallow_copy_has_it,
    memory_is_busy_as_long_as_a_part_has_it, a_waiter_gets_the_memory_when_the_last_sharer_goes,
    replaced_memory_is_not_handed_out, another_pools_memory_is_not_kept, flushing_wakes_a_waiter,
    deactivating_wakes_a_waiter, buffers_come_back_after_the_pool_was_deactivated, a_buffer_keeps_its_pool_alive,
    shared_memory_outlives_the_pool, the_pool_can_be_started_again, a_wait_with_a_limit_ends_not_before_it,
    threads_share_two_buffers)
