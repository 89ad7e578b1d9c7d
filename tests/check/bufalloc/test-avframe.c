/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-avframe.c: frames of FFmpeg as buffers: every way their planes may lie, and who keeps whose memory. */
#include <libavutil/frame.h>
#include <libavutil/mem.h>
#include <libavutil/pixdesc.h>

#include "test-support.h"

static BaAllocator *allocator;
static BaPool *pool;

static void
begin (void)
{
  ck_assert_int_eq (ba_allocator_new (BA_TYPE_AVFRAME, &allocator), 0);
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &(BaSpec){ .name = "frames" }, &pool), 0);
}

static void
finish (void)
{
  ba_pool_unref (pool);
  ba_allocator_unref (allocator);
}

static AVFrame *
empty_frame (enum AVPixelFormat format, int width, int height)
{
  AVFrame *frame = av_frame_alloc ();
  ck_assert_ptr_nonnull (frame);
  frame->format = format;
  frame->width = width;
  frame->height = height;
  return frame;
}

static AVFrame *
new_frame (enum AVPixelFormat format, int width, int height)
{
  AVFrame *frame = empty_frame (format, width, height);
  ck_assert_int_eq (av_frame_get_buffer (frame, 0), 0);
  return frame;
}

static void
note_free (void *opaque, uint8_t *data)
{
  ++*(atomic_int *) opaque;
  av_free (data);
}

/* One AVBuffer for each of three planes; each counts in @freed when it ends. */
static AVFrame *
frame_of_three_buffers (atomic_int *freed)
{
  AVFrame *frame = empty_frame (AV_PIX_FMT_YUV420P, 64, 32);
  for (int i = 0; i < 3; i++) {
    size_t size_bytes = i == 0 ? 64 * 32 : 32 * 16;
    frame->buf[i] = av_buffer_create (av_malloc (size_bytes), size_bytes, note_free, freed, 0);
    ck_assert_ptr_nonnull (frame->buf[i]);
    frame->data[i] = frame->buf[i]->data;
    frame->linesize[i] = i == 0 ? 64 : 32;
  }
  return frame;
}

static BaBuffer *
inject_and_take (const AVFrame *frame)
{
  BaError error;
  uint64_t id;
  int r = ba_avframe_inject (allocator, pool, frame, BA_INJECT_FILLED | BA_INJECT_ONCE, &error, &id);
  ck_assert_msg (r == 0, "%s", error.message);
  BaBuffer *buffer = take (pool);
  ck_assert_uint_eq (ba_buffer_get_id (buffer), id);
  return buffer;
}

/* ---- how planes lie -------------------------------------------------------------------------------------------- */

START_TEST (every_plane_is_where_the_frame_has_it)
{
  const enum AVPixelFormat formats[] = { AV_PIX_FMT_YUV420P, AV_PIX_FMT_NV12,    AV_PIX_FMT_YUYV422,
                                         AV_PIX_FMT_BGRA,    AV_PIX_FMT_GRAY8,   AV_PIX_FMT_YUV420P10,
                                         AV_PIX_FMT_GBRP,    AV_PIX_FMT_YUVA444P };
  begin ();
  for (unsigned f = 0; f < N_ELEMENTS (formats); f++) {
    AVFrame *frame = new_frame (formats[f], 33, 17);
    BaBuffer *buffer = inject_and_take (frame);
    const BaLayout *layout = ba_buffer_get_layout (buffer);
    size_t size_bytes = 0;
    for (int i = 0; i < AV_NUM_DATA_POINTERS && frame->buf[i]; i++)
      size_bytes += frame->buf[i]->size;
    ck_assert_int_eq ((int) layout->n_planes, av_pix_fmt_count_planes (formats[f]));
    ck_assert_uint_eq (layout->width_px, 33);
    ck_assert_uint_eq (layout->height_px, 17);
    ck_assert_uint_eq (layout->fourcc, 0);
    ck_assert_uint_eq (ba_buffer_get_size (buffer), size_bytes);
    ck_assert_int_eq (ba_buffer_get_ownership (buffer), BA_EXTERNAL);
    for (unsigned i = 0; i < layout->n_planes; i++) {
      ck_assert_ptr_eq (ba_buffer_get_plane (buffer, i), frame->data[i]);
      ck_assert_uint_eq (layout->stride_bytes[i], (size_t) frame->linesize[i]);
    }
    ba_buffer_unref (buffer);
    av_frame_free (&frame);
  }
  finish ();
}
END_TEST

START_TEST (one_buffer_for_each_plane_makes_one_block_for_each)
{
  atomic_int freed = 0;
  BaFrameMap map;
  begin ();
  AVFrame *frame = frame_of_three_buffers (&freed);
  ck_assert_int_eq (ba_avframe_map (frame, &map, NULL), 0);
  ck_assert_uint_eq (map.n_buffers, 3);
  ck_assert_ptr_eq (map.buffers[2], frame->buf[2]);
  ck_assert_uint_eq (map.size_bytes, 64 * 32 + 2 * 32 * 16);
  ck_assert_uint_eq (map.layout.offset_bytes[2], 64 * 32 + 32 * 16);
  BaBuffer *buffer = inject_and_take (frame);
  ck_assert_uint_eq (ba_buffer_get_n_blocks (buffer), 3);
  for (unsigned i = 0; i < 3; i++)
    ck_assert_ptr_eq (ba_buffer_get_plane (buffer, i), frame->data[i]);
  av_frame_free (&frame);
  ck_assert_int_eq (freed, 0);
  ba_buffer_unref (buffer);
  ck_assert_int_eq (freed, 3);
  finish ();
}
END_TEST

START_TEST (a_cropped_frame_begins_inside_its_buffer)
{
  begin ();
  AVFrame *frame = new_frame (AV_PIX_FMT_YUV420P, 64, 64);
  uint8_t *whole = frame->data[0];
  frame->crop_left = 16;
  frame->crop_top = 8;
  frame->crop_right = 2;
  frame->crop_bottom = 4;
  ck_assert_int_eq (av_frame_apply_cropping (frame, AV_FRAME_CROP_UNALIGNED), 0);
  ck_assert_ptr_eq (frame->data[0], whole + 8 * frame->linesize[0] + 16);
  BaBuffer *buffer = inject_and_take (frame);
  const BaLayout *layout = ba_buffer_get_layout (buffer);
  ck_assert_uint_eq (layout->width_px, 46);
  ck_assert_uint_eq (layout->height_px, 52);
  ck_assert_uint_eq (layout->offset_bytes[0], (size_t) (frame->data[0] - frame->buf[0]->data));
  for (unsigned i = 0; i < 3; i++)
    ck_assert_ptr_eq (ba_buffer_get_plane (buffer, i), frame->data[i]);
  ba_buffer_unref (buffer);
  av_frame_free (&frame);
  finish ();
}
END_TEST

/* ---- what is refused ------------------------------------------------------------------------------------------- */

static void
expect_refusal (const AVFrame *frame, int code)
{
  BaError error = { 0 };
  uint64_t id = 1;
  ck_assert_int_eq (ba_avframe_inject (allocator, pool, frame, BA_INJECT_FILLED, &error, &id), code);
  ck_assert_uint_eq (id, 0);
  ck_assert_int_eq (error.code, code);
  ck_assert_str_ne (error.message, "");
  ck_assert_uint_eq (stats_of (pool).n_buffers, 0);
}

START_TEST (palettes_and_hardware_frames_are_ENOTSUP)
{
  begin ();
  AVFrame *frame = new_frame (AV_PIX_FMT_PAL8, 16, 16);
  expect_refusal (frame, -ENOTSUP);
  frame->format = AV_PIX_FMT_VAAPI;
  expect_refusal (frame, -ENOTSUP);
  av_frame_free (&frame);
  finish ();
}
END_TEST

START_TEST (rows_that_run_upwards_are_ENOTSUP)
{
  begin ();
  AVFrame *frame = new_frame (AV_PIX_FMT_BGRA, 16, 16);
  frame->data[0] += 15 * frame->linesize[0];
  frame->linesize[0] = -frame->linesize[0];
  expect_refusal (frame, -ENOTSUP);
  av_frame_free (&frame);
  finish ();
}
END_TEST

START_TEST (a_frame_without_a_picture_is_EINVAL)
{
  begin ();
  AVFrame *frame = av_frame_alloc ();
  expect_refusal (frame, -EINVAL);
  frame->format = AV_PIX_FMT_BGRA;
  expect_refusal (frame, -EINVAL);
  frame->width = 16;
  expect_refusal (frame, -EINVAL);
  av_frame_free (&frame);
  finish ();
}
END_TEST

START_TEST (memory_that_is_not_reference_counted_is_EINVAL_and_never_copied)
{
  static uint8_t bytes[16 * 64];
  begin ();
  AVFrame *frame = empty_frame (AV_PIX_FMT_BGRA, 16, 16);
  frame->data[0] = bytes;
  frame->linesize[0] = 64;
  expect_refusal (frame, -EINVAL);
  frame->data[0] = NULL;
  expect_refusal (frame, -EINVAL);
  av_frame_free (&frame);
  finish ();
}
END_TEST

START_TEST (a_plane_outside_its_buffer_is_EINVAL)
{
  atomic_int freed = 0;
  begin ();
  AVFrame *frame = frame_of_three_buffers (&freed);
  for (int i = 0; i < 3; i++) {
    frame->data[i] += 1; /* the last row ends one byte too late */
    expect_refusal (frame, -EINVAL);
    frame->data[i] -= 1;
    frame->linesize[i] += 1;
    expect_refusal (frame, -EINVAL);
    frame->linesize[i] -= 1;
  }
  frame->height += 1;
  expect_refusal (frame, -EINVAL);
  frame->height -= 1;
  uint8_t *plane = frame->data[2];
  frame->data[2] = NULL;
  expect_refusal (frame, -EINVAL);
  frame->data[2] = plane;
  ba_buffer_unref (inject_and_take (frame));
  av_frame_free (&frame);
  finish ();
}
END_TEST

START_TEST (frames_go_into_pools_of_their_kind_only)
{
  BaAllocator *normal;
  BaError error;
  begin ();
  ck_assert_int_eq (ba_allocator_new (BA_TYPE_NORMAL, &normal), 0);
  BaPool *other = build (normal, 1, BA_WHEN_FULL_BLOCK);
  AVFrame *frame = new_frame (AV_PIX_FMT_BGRA, 16, 16);
  ck_assert_int_eq (ba_avframe_inject (normal, other, frame, 0, &error, NULL), -EINVAL);
  ck_assert_int_eq (ba_avframe_inject (allocator, other, frame, 0, &error, NULL), -EINVAL);
  ba_pool_close (pool);
  ck_assert_int_eq (ba_avframe_inject (allocator, pool, frame, 0, &error, NULL), -ESHUTDOWN);
  BaBuffer *buffer = acquire (other);
  ck_assert_ptr_null (ba_avframe_from_buffer (buffer));
  ba_buffer_unref (buffer);
  BaSpec spec = { .count = 1, .size_bytes = 16 };
  BaPool *none;
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &spec, &none), -ENOTSUP);
  av_frame_free (&frame);
  ba_pool_unref (other);
  ba_allocator_unref (normal);
  finish ();
}
END_TEST

/* ---- who keeps whose memory ------------------------------------------------------------------------------------ */

static void *
unref_main (void *buffer)
{
  ba_buffer_unref (buffer);
  return NULL;
}

START_TEST (the_frame_may_be_freed_before_the_buffer)
{
  atomic_int freed = 0;
  begin ();
  AVFrame *frame = frame_of_three_buffers (&freed);
  uint8_t *luma = frame->data[0];
  frame->pts = 77;
  BaBuffer *buffer = inject_and_take (frame);
  ck_assert (!av_buffer_is_writable (frame->buf[0])); /* two of us */
  av_frame_free (&frame);
  const AVFrame *kept = ba_avframe_from_buffer (buffer);
  ck_assert_ptr_nonnull (kept);
  ck_assert_int_eq (kept->pts, 77);
  ck_assert_ptr_eq (kept->data[0], luma);
  memset (luma, 1, 64 * 32);
  finish (); /* the buffer outlives its pool and its allocator too */
  pthread_t thread;
  ck_assert_int_eq (pthread_create (&thread, NULL, unref_main, buffer), 0);
  pthread_join (thread, NULL);
  ck_assert_int_eq (freed, 3);
}
END_TEST

START_TEST (the_frame_may_be_freed_after_the_buffer)
{
  atomic_int freed = 0;
  begin ();
  AVFrame *frame = frame_of_three_buffers (&freed);
  ba_buffer_unref (inject_and_take (frame));
  ck_assert_int_eq (freed, 0);
  ck_assert (av_buffer_is_writable (frame->buf[0]));
  finish ();
  av_frame_free (&frame);
  ck_assert_int_eq (freed, 3);
}
END_TEST

START_TEST (a_frame_in_the_free_queue_is_used_again_until_it_is_removed)
{
  atomic_int freed = 0;
  uint64_t id;
  begin ();
  AVFrame *frame = frame_of_three_buffers (&freed);
  ck_assert_int_eq (ba_avframe_inject (allocator, pool, frame, BA_INJECT_FREE, NULL, &id), 0);
  av_frame_free (&frame);
  for (unsigned i = 0; i < 3; i++)
    ba_buffer_unref (acquire (pool));
  ck_assert_int_eq (freed, 0);
  ck_assert_int_eq (ba_allocator_remove (allocator, pool, id), 0);
  ck_assert_int_eq (freed, 3);
  finish ();
}
END_TEST

START_TEST (frames_that_nobody_takes_are_refused_or_dropped_as_the_spec_says)
{
  for (BaWhenFull when_full = BA_WHEN_FULL_BLOCK; when_full <= BA_WHEN_FULL_DROP_OLDEST; when_full++) {
    bool drops = when_full == BA_WHEN_FULL_DROP_OLDEST;
    BaSpec spec = { .when_full = when_full, .max_buffers = 3 };
    AVFrame *frames[5];
    BaError error;
    BaBuffer *buffer;
    uint64_t id;
    ck_assert_int_eq (ba_allocator_new (BA_TYPE_AVFRAME, &allocator), 0);
    ck_assert_int_eq (ba_allocator_build_pool (allocator, &spec, &pool), 0);
    for (unsigned i = 0; i < 5; i++) {
      frames[i] = new_frame (AV_PIX_FMT_YUV420P, 64, 32);
      frames[i]->pts = i;
      int r = ba_avframe_inject (allocator, pool, frames[i], BA_INJECT_FILLED | BA_INJECT_ONCE, &error, &id);
      ck_assert_int_eq (r, i < 3 || drops ? 0 : -EAGAIN);
      ck_assert (r == 0 ? id != 0 : id == 0 && error.code == -EAGAIN);
    }
    ck_assert_uint_eq (stats_of (pool).drops, drops ? 2 : 0);
    for (unsigned i = 0; i < 5; i++) /* only what is in the pool has a second reference */
      ck_assert_int_eq (av_buffer_get_ref_count (frames[i]->buf[0]), (drops ? i >= 2 : i < 3) ? 2 : 1);
    for (unsigned i = 0; i < 3; i++) {
      buffer = take (pool);
      ck_assert_int_eq (ba_avframe_from_buffer (buffer)->pts, drops ? i + 2 : i);
      ba_buffer_unref (buffer);
    }
    ck_assert_int_eq (ba_pool_take (pool, BA_NO_WAIT, NULL, &buffer), -EAGAIN);
    for (unsigned i = 0; i < 5; i++)
      av_frame_free (&frames[i]);
    finish ();
  }
}
END_TEST

START_TEST (no_memory_for_the_clone_is_ENOMEM)
{
  begin ();
  AVFrame *frame = new_frame (AV_PIX_FMT_BGRA, 16, 16);
  av_max_alloc (1); /* libavutil's own limit: everything it allocates now fails */
  BaError error;
  int r = ba_avframe_inject (allocator, pool, frame, BA_INJECT_FREE, &error, NULL);
  av_max_alloc (INT32_MAX);
  ck_assert_int_eq (r, -ENOMEM);
  av_frame_free (&frame);
  finish ();
}
END_TEST

RUN ("avframe", every_plane_is_where_the_frame_has_it, one_buffer_for_each_plane_makes_one_block_for_each,
     a_cropped_frame_begins_inside_its_buffer, palettes_and_hardware_frames_are_ENOTSUP,
     rows_that_run_upwards_are_ENOTSUP, a_frame_without_a_picture_is_EINVAL,
     memory_that_is_not_reference_counted_is_EINVAL_and_never_copied, a_plane_outside_its_buffer_is_EINVAL,
     frames_go_into_pools_of_their_kind_only, the_frame_may_be_freed_before_the_buffer,
     the_frame_may_be_freed_after_the_buffer, a_frame_in_the_free_queue_is_used_again_until_it_is_removed,
     frames_that_nobody_takes_are_refused_or_dropped_as_the_spec_says, no_memory_for_the_clone_is_ENOMEM)
