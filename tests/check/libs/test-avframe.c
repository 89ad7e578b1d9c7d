/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-avframe.c: frames as buffers and buffers as frames: the addresses, who may write, and what is refused. */
#include <gst/bufalloc/gstbaavframe.h>
#include <gst/bufalloc/gstbufalloc.h>
#include <gst/check/gstcheck.h>
#include <libavutil/frame.h>
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>

#include "test-leaks.h"

static AVFrame *
new_frame (int pix_fmt, int width, int height)
{
  AVFrame *frame = av_frame_alloc ();
  frame->format = pix_fmt;
  frame->width = width;
  frame->height = height;
  fail_unless (av_frame_get_buffer (frame, 0) == 0);
  for (int i = 0; i < 4 && frame->buf[i]; i++)
    memset (frame->buf[i]->data, 0x20 + i, frame->buf[i]->size);
  return frame;
}

/* One AVBuffer for each plane, as libavcodec's own get_buffer2 has it; av_frame_get_buffer() does it one for all. */
static void
split_planes (AVFrame *frame)
{
  for (int i = 0; i < 4 && frame->data[i]; i++) {
    size_t bytes = (size_t) frame->linesize[i] * (size_t) frame->height + 32;
    AVBufferRef *ref = av_buffer_alloc (bytes);
    if (i > 0)
      fail_unless (frame->buf[i] == NULL);
    else
      av_buffer_unref (&frame->buf[0]);
    frame->buf[i] = ref;
    frame->data[i] = ref->data + 16;
    memset (ref->data, 0x30 + i, bytes);
  }
}

static GstBuffer *
wrap (const AVFrame *frame)
{
  BaError error = { 0 };
  GstBuffer *buffer = gst_ba_avframe_buffer_new (frame, &error);
  fail_unless (buffer != NULL, "%s", error.message);
  return buffer;
}

static void
get_info (const AVFrame *frame, GstVideoInfo *info)
{
  fail_unless (gst_video_info_set_format (info, gst_ba_format_from_av (frame->format), (guint) frame->width,
                                          (guint) frame->height));
}

static void
check_planes (const AVFrame *frame, GstBuffer *buffer)
{
  GstVideoInfo info;
  GstVideoFrame picture;
  get_info (frame, &info);
  fail_unless (gst_video_frame_map (&picture, &info, buffer, GST_MAP_READ));
  for (guint i = 0; i < GST_VIDEO_FRAME_N_PLANES (&picture); i++) {
    fail_unless (GST_VIDEO_FRAME_PLANE_DATA (&picture, i) == (gpointer) frame->data[i]);
    fail_unless_equals_int (GST_VIDEO_FRAME_PLANE_STRIDE (&picture, i), frame->linesize[i]);
  }
  gst_video_frame_unmap (&picture);
}

static const int formats[] = { AV_PIX_FMT_YUV420P,  AV_PIX_FMT_YUV422P, AV_PIX_FMT_YUV444P, AV_PIX_FMT_YUV420P10LE,
                               AV_PIX_FMT_NV12,     AV_PIX_FMT_P010LE,  AV_PIX_FMT_YUYV422, AV_PIX_FMT_GRAY8,
                               AV_PIX_FMT_BGR0,     AV_PIX_FMT_RGB24,   AV_PIX_FMT_RGB565,  AV_PIX_FMT_GBRP,
                               AV_PIX_FMT_YUVA420P, AV_PIX_FMT_YUV410P };

GST_START_TEST (planes_are_where_the_frame_has_them)
{
  AVFrame *frame = new_frame (formats[__i__], 322, 182);
  GstBuffer *buffer = wrap (frame);
  check_planes (frame, buffer);
  gst_buffer_unref (buffer);

  split_planes (frame);
  buffer = wrap (frame);
  fail_unless_equals_int ((int) gst_buffer_n_memory (buffer), av_pix_fmt_count_planes (frame->format));
  check_planes (frame, buffer);
  gst_buffer_unref (buffer);
  av_frame_free (&frame);
}
GST_END_TEST

GST_START_TEST (cropped_picture_begins_inside_the_memory)
{
  AVFrame *frame = new_frame (AV_PIX_FMT_YUV420P, 336, 192);
  frame->crop_left = 3;
  frame->crop_top = 5;
  frame->crop_right = 11;
  fail_unless (av_frame_apply_cropping (frame, AV_FRAME_CROP_UNALIGNED) == 0);
  GstBuffer *buffer = wrap (frame);
  fail_unless (gst_buffer_get_video_meta (buffer)->width == 322);
  check_planes (frame, buffer);
  gst_buffer_unref (buffer);
  av_frame_free (&frame);
}
GST_END_TEST

/* What a filter that works in place does. */
static guint8 *
paint (GstBuffer *buffer, const GstVideoInfo *info)
{
  GstVideoFrame picture;
  fail_unless (gst_video_frame_map (&picture, info, buffer, GST_MAP_READWRITE));
  guint8 *data = GST_VIDEO_FRAME_PLANE_DATA (&picture, 0);
  data[0] = 0xee;
  gst_video_frame_unmap (&picture);
  return data;
}

GST_START_TEST (nobody_writes_what_the_decoder_still_holds)
{
  AVFrame *frame = new_frame (AV_PIX_FMT_YUV420P, 320, 240);
  GstVideoInfo info;
  GstMapInfo map;
  get_info (frame, &info);
  GstBuffer *buffer = wrap (frame);
  GstMemory *memory = gst_buffer_peek_memory (buffer, 0);
  fail_if (gst_memory_map (memory, &map, GST_MAP_WRITE));
  fail_unless (gst_memory_map (memory, &map, GST_MAP_READ));
  gst_memory_unmap (memory, &map);

  guint8 *original = frame->data[0];
  fail_if (paint (buffer, &info) == original);
  fail_unless_equals_int (original[0], 0x20);
  gst_buffer_unref (buffer);
  av_frame_free (&frame);
}
GST_END_TEST

GST_START_TEST (writer_gets_the_memory_itself_once_the_decoder_let_go)
{
  AVFrame *frame = new_frame (AV_PIX_FMT_YUV420P, 320, 240);
  GstVideoInfo info;
  get_info (frame, &info);
  guint8 *original = frame->data[0];
  GstBuffer *buffer = wrap (frame);
  av_frame_free (&frame);
  fail_unless (paint (buffer, &info) == original);
  gst_buffer_unref (buffer);
}
GST_END_TEST

GST_START_TEST (part_of_a_memory_keeps_the_frame)
{
  AVFrame *frame = new_frame (AV_PIX_FMT_BGR0, 320, 240);
  GstBuffer *buffer = wrap (frame);
  guint8 *original = frame->data[0];
  GstMapInfo map;
  av_frame_free (&frame);
  GstBuffer *part = gst_buffer_copy_region (buffer, GST_BUFFER_COPY_MEMORY, 64, 1000);
  GstBuffer *part_of_part = gst_buffer_copy_region (part, GST_BUFFER_COPY_MEMORY, 36, 10);
  fail_if (gst_memory_map (gst_buffer_peek_memory (buffer, 0), &map, GST_MAP_WRITE));
  gst_buffer_unref (buffer);
  gst_buffer_unref (part);
  fail_unless (gst_ba_avframe_buffer_get_frame (part_of_part) != NULL);
  fail_unless (gst_ba_avframe_buffer_get_frame (part_of_part)->data[0] == original);
  fail_unless (gst_buffer_map (part_of_part, &map, GST_MAP_READ));
  fail_unless (map.data == original + 100 && map.size == 10);
  gst_buffer_unmap (part_of_part, &map);
  gst_buffer_unref (part_of_part);
}
GST_END_TEST

static void
expect_refusal (const AVFrame *frame, const gchar *text)
{
  BaError error = { 0 };
  fail_if (gst_ba_avframe_can_wrap (frame, NULL));
  fail_unless (gst_ba_avframe_buffer_new (frame, &error) == NULL);
  fail_unless (error.code < 0 && strstr (error.message, text), "\"%s\" does not say \"%s\"", error.message, text);
}

GST_START_TEST (what_cannot_be_said_is_refused)
{
  AVFrame *frame = new_frame (AV_PIX_FMT_YUV420P, 64, 64);
  frame->data[0] += 63 * frame->linesize[0];
  frame->linesize[0] = -frame->linesize[0];
  expect_refusal (frame, "upwards");
  av_frame_free (&frame);

  frame = new_frame (AV_PIX_FMT_PAL8, 64, 64);
  expect_refusal (frame, "palette");
  av_frame_free (&frame);

  frame = new_frame (AV_PIX_FMT_MONOBLACK, 64, 64);
  expect_refusal (frame, "no name");
  av_frame_free (&frame);

  frame = new_frame (AV_PIX_FMT_YUV420P, 64, 64);
  split_planes (frame);
  frame->buf[2]->size = 100;
  expect_refusal (frame, "plane 2");
  av_frame_free (&frame);

  frame = av_frame_alloc ();
  expect_refusal (frame, "no picture");
  av_frame_free (&frame);
}
GST_END_TEST

GST_START_TEST (formats_are_the_same_in_both_directions)
{
  for (gint format = 2; format < 200; format++) {
    gint pix_fmt = gst_ba_format_to_av ((GstVideoFormat) format);
    if (pix_fmt >= 0)
      fail_unless_equals_int ((gint) gst_ba_format_from_av (pix_fmt), format);
  }
  fail_unless (gst_ba_format_from_av (AV_PIX_FMT_YUVJ420P) == GST_VIDEO_FORMAT_I420);
  fail_unless (gst_ba_format_from_av (AV_PIX_FMT_NONE) == GST_VIDEO_FORMAT_UNKNOWN);
  fail_unless (gst_ba_format_to_av (GST_VIDEO_FORMAT_YV12) == AV_PIX_FMT_NONE);
}
GST_END_TEST

GST_START_TEST (frame_over_a_buffer_reads_and_writes_it)
{
  GstVideoInfo info;
  fail_unless (gst_video_info_set_format (&info, GST_VIDEO_FORMAT_I420, 322, 182));
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  if (__i__ == 1)
    gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_I420, 322, 182, 3, info.offset,
                                    info.stride);
  AVFrame *frame = gst_ba_avframe_wrap_buffer (buffer, &info, GST_MAP_READWRITE, NULL);
  fail_unless (frame != NULL);
  fail_unless_equals_int (frame->format, AV_PIX_FMT_YUV420P);
  fail_unless_equals_int (frame->width, 322);
  fail_unless (av_frame_is_writable (frame));
  frame->data[2][5] = 0x77;
  AVFrame *clone = av_frame_clone (frame);
  gst_buffer_unref (buffer);
  av_frame_free (&frame);
  fail_unless_equals_int (clone->data[2][5], 0x77);
  GstBuffer *again = wrap (clone); /* and back */
  check_planes (clone, again);
  av_frame_free (&clone);
  gst_buffer_unref (again);
}
GST_END_TEST

GST_START_TEST (frame_over_a_read_only_map_is_not_writable)
{
  GstVideoInfo info;
  BaError error = { 0 };
  fail_unless (gst_video_info_set_format (&info, GST_VIDEO_FORMAT_BGRx, 64, 64));
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  AVFrame *frame = gst_ba_avframe_wrap_buffer (buffer, &info, GST_MAP_READ, NULL);
  fail_if (av_frame_is_writable (frame));
  av_frame_free (&frame);
  fail_unless (gst_video_info_set_format (&info, GST_VIDEO_FORMAT_v210, 64, 64));
  fail_unless (gst_ba_avframe_wrap_buffer (buffer, &info, GST_MAP_READ, &error) == NULL);
  fail_unless (strstr (error.message, "v210"));
  gst_buffer_unref (buffer);
}
GST_END_TEST

GST_START_TEST (allocator_is_registered_and_allocates_nothing)
{
  gst_ba_init ();
  GstAllocator *allocator = gst_allocator_find (GST_BA_MEMORY_AVFRAME);
  fail_unless (allocator != NULL);
  fail_unless (gst_allocator_alloc (allocator, 100, NULL) == NULL);
  gst_object_unref (allocator);
}
GST_END_TEST

static gpointer
acquire_thread (gpointer pool)
{
  GstBuffer *buffer = NULL;
  GstFlowReturn flow = gst_buffer_pool_acquire_buffer (pool, &buffer, NULL);
  gst_clear_buffer (&buffer);
  return GINT_TO_POINTER (flow);
}

GST_START_TEST (pool_gives_frames_in_their_order)
{
  GstBufferPool *pool = gst_ba_avframe_pool_new ();
  GstBufferPoolAcquireParams dont_wait = { .flags = GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT };
  GstStructure *config = gst_buffer_pool_get_config (pool);
  AVFrame *frames[3];
  GstBuffer *buffer = NULL;
  gst_buffer_pool_config_set_params (config, NULL, 0, 0, 0);
  fail_unless (gst_buffer_pool_set_config (pool, config));
  fail_unless (gst_buffer_pool_set_active (pool, TRUE));
  for (guint i = 0; i < 3; i++) {
    frames[i] = new_frame (AV_PIX_FMT_YUV420P, 64, 64);
    fail_unless (gst_ba_avframe_pool_inject (GST_BA_AVFRAME_POOL (pool), frames[i], NULL));
  }
  for (guint i = 0; i < 2; i++) {
    fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL), GST_FLOW_OK);
    fail_unless (gst_ba_avframe_buffer_get_frame (buffer)->data[0] == frames[i]->data[0]);
    av_frame_free (&frames[i]);
    fail_unless (av_buffer_get_ref_count (gst_ba_avframe_buffer_get_frame (buffer)->buf[0]) == 1);
    gst_buffer_unref (buffer);
  }
  fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL), GST_FLOW_OK);
  gst_buffer_unref (buffer); /* it comes back, and is not given out again */
  fail_unless_equals_int (gst_buffer_pool_acquire_buffer (pool, &buffer, &dont_wait), GST_FLOW_EOS);

  fail_unless (gst_ba_avframe_pool_inject (GST_BA_AVFRAME_POOL (pool), frames[2], NULL));
  fail_unless (gst_buffer_pool_set_active (pool, FALSE));
  fail_unless_equals_int (av_buffer_get_ref_count (frames[2]->buf[0]), 1);
  av_frame_free (&frames[2]);
  gst_object_unref (pool);
}
GST_END_TEST

/* How often somebody had to wait in the only pool of frames that there is. */
static guint64
count_waits (void)
{
  BaPool **pools = NULL;
  BaPoolStats stats;
  unsigned n = 0;
  fail_unless_equals_int (ba_registry_list (NULL, "GstBaAvframePool", &pools, &n), 0);
  fail_unless_equals_int (n, 1);
  ba_pool_get_stats (pools[0], &stats);
  ba_registry_free_list (pools, n);
  return stats.waits;
}

/* Returns when the thread waits: the count grows under the lock that the wait gives up. */
static GThread *
start_waiter (GstBufferPool *pool)
{
  guint64 before = count_waits ();
  GThread *thread = g_thread_new ("acquire", acquire_thread, pool);
  while (count_waits () == before)
    g_thread_yield ();
  return thread;
}

GST_START_TEST (waiting_for_a_frame_ends_with_one_or_with_a_flush)
{
  GstBufferPool *pool = gst_ba_avframe_pool_new ();
  GstStructure *config = gst_buffer_pool_get_config (pool);
  AVFrame *frame = new_frame (AV_PIX_FMT_YUV420P, 64, 64);
  gst_buffer_pool_config_set_params (config, NULL, 0, 0, 0);
  fail_unless (gst_buffer_pool_set_config (pool, config));
  fail_unless (gst_buffer_pool_set_active (pool, TRUE));

  GThread *thread = start_waiter (pool);
  fail_unless (gst_ba_avframe_pool_inject (GST_BA_AVFRAME_POOL (pool), frame, NULL));
  fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (thread)), GST_FLOW_OK);

  thread = start_waiter (pool);
  gst_buffer_pool_set_flushing (pool, TRUE);
  fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (thread)), GST_FLOW_FLUSHING);
  gst_buffer_pool_set_flushing (pool, FALSE);

  thread = start_waiter (pool);
  fail_unless (gst_buffer_pool_set_active (pool, FALSE));
  fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (thread)), GST_FLOW_FLUSHING);
  gst_object_unref (pool);
  av_frame_free (&frame);
}
GST_END_TEST

GST_START_TEST (crop_fields_become_crop_meta)
{
  AVFrame *frame = new_frame (AV_PIX_FMT_YUV420P, 336, 192);
  GstVideoInfo info;
  GstBuffer *buffer = wrap (frame);
  fail_unless (gst_buffer_get_video_crop_meta (buffer) == NULL);
  gst_buffer_unref (buffer);

  frame->crop_left = 3;
  frame->crop_top = 5;
  frame->crop_right = 11;
  frame->crop_bottom = 7;
  buffer = wrap (frame);
  GstVideoCropMeta *crop = gst_buffer_get_video_crop_meta (buffer);
  fail_unless (crop != NULL);
  fail_unless_equals_int (crop->x, 3);
  fail_unless_equals_int (crop->y, 5);
  fail_unless_equals_int (crop->width, 322);
  fail_unless_equals_int (crop->height, 180);
  fail_unless_equals_int (gst_buffer_get_video_meta (buffer)->width, 336);
  check_planes (frame, buffer);
  gst_buffer_unref (buffer);
  fail_unless (gst_ba_avframe_get_video_info (frame, &info));
  fail_unless_equals_int (GST_VIDEO_INFO_WIDTH (&info), 322);
  fail_unless_equals_int (GST_VIDEO_INFO_HEIGHT (&info), 180);

  frame->crop_right = SIZE_MAX; /* nonsense cuts off nothing */
  buffer = wrap (frame);
  fail_unless (gst_buffer_get_video_crop_meta (buffer) == NULL);
  gst_buffer_unref (buffer);
  fail_unless (gst_ba_avframe_get_video_info (frame, &info));
  fail_unless_equals_int (GST_VIDEO_INFO_WIDTH (&info), 336);
  av_frame_free (&frame);
}
GST_END_TEST

static void
set_fields (AVFrame *frame, gboolean interlaced, gboolean top_first)
{
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 7, 100)
  frame->flags &= ~(AV_FRAME_FLAG_INTERLACED | AV_FRAME_FLAG_TOP_FIELD_FIRST);
  frame->flags |= (interlaced ? AV_FRAME_FLAG_INTERLACED : 0) | (top_first ? AV_FRAME_FLAG_TOP_FIELD_FIRST : 0);
#else
  frame->interlaced_frame = interlaced;
  frame->top_field_first = top_first;
#endif
}

GST_START_TEST (fields_become_flags_and_caps)
{
  static const struct
  {
    gboolean interlaced, top_first;
    gint repeat;
    guint flags;
    GstVideoFieldOrder order;
  } rows[] = {
    { FALSE, TRUE, 1, 0, GST_VIDEO_FIELD_ORDER_UNKNOWN },
    { TRUE, FALSE, 0, GST_VIDEO_BUFFER_FLAG_INTERLACED, GST_VIDEO_FIELD_ORDER_BOTTOM_FIELD_FIRST },
    { TRUE, TRUE, 1, GST_VIDEO_BUFFER_FLAG_INTERLACED | GST_VIDEO_BUFFER_FLAG_TFF | GST_VIDEO_BUFFER_FLAG_RFF,
      GST_VIDEO_FIELD_ORDER_TOP_FIELD_FIRST },
  };
  const guint all = GST_VIDEO_BUFFER_FLAG_INTERLACED | GST_VIDEO_BUFFER_FLAG_TFF | GST_VIDEO_BUFFER_FLAG_RFF;
  AVFrame *frame = new_frame (AV_PIX_FMT_YUV420P, 64, 64);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    GstVideoInfo info;
    set_fields (frame, rows[i].interlaced, rows[i].top_first);
    frame->repeat_pict = rows[i].repeat;
    GstBuffer *buffer = wrap (frame);
    fail_unless_equals_int (GST_BUFFER_FLAGS (buffer) & all, rows[i].flags);
    gst_buffer_unref (buffer);
    fail_unless (gst_ba_avframe_get_video_info (frame, &info));
    fail_unless_equals_int (GST_VIDEO_INFO_INTERLACE_MODE (&info), rows[i].interlaced
                                                                       ? GST_VIDEO_INTERLACE_MODE_INTERLEAVED
                                                                       : GST_VIDEO_INTERLACE_MODE_PROGRESSIVE);
    fail_unless_equals_int (GST_VIDEO_INFO_FIELD_ORDER (&info), rows[i].order);
  }
  av_frame_free (&frame);
}
GST_END_TEST

GST_START_TEST (caps_say_what_the_frame_says)
{
  AVFrame *frame = new_frame (AV_PIX_FMT_YUV420P, 64, 48);
  GstVideoInfo info, plain;
  fail_unless (gst_ba_avframe_get_video_info (frame, &info));
  get_info (frame, &plain);
  fail_unless (gst_video_info_is_equal (&info, &plain)); /* it says nothing more */

  frame->colorspace = AVCOL_SPC_BT2020_NCL;
  frame->color_primaries = AVCOL_PRI_BT2020;
  frame->color_trc = AVCOL_TRC_SMPTE2084;
  frame->color_range = AVCOL_RANGE_MPEG;
  frame->chroma_location = AVCHROMA_LOC_TOPLEFT;
  frame->sample_aspect_ratio = (AVRational){ 4, 3 };
  fail_unless (gst_ba_avframe_get_video_info (frame, &info));
  GstCaps *caps = gst_video_info_to_caps (&info);
  GstCaps *wanted = gst_caps_from_string ("video/x-raw,format=I420,width=64,height=48,interlace-mode=progressive,"
                                          "pixel-aspect-ratio=4/3,chroma-site=cosited,colorimetry=bt2100-pq,"
                                          "framerate=0/1");
  fail_unless (gst_caps_can_intersect (caps, wanted));
  gst_structure_remove_fields (gst_caps_get_structure (caps, 0), "multiview-mode", "multiview-flags", NULL);
  fail_unless (gst_caps_is_equal (caps, wanted));
  gst_caps_unref (caps);
  gst_caps_unref (wanted);
  av_frame_free (&frame);

  frame = new_frame (AV_PIX_FMT_YUVJ420P, 64, 48);
  fail_unless (gst_ba_avframe_get_video_info (frame, &info));
  fail_unless (info.colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255);
  av_frame_free (&frame);

  frame = new_frame (AV_PIX_FMT_BGR0, 64, 48);
  frame->colorspace = AVCOL_SPC_BT709;
  fail_unless (gst_ba_avframe_get_video_info (frame, &info));
  fail_unless (info.colorimetry.matrix == GST_VIDEO_COLOR_MATRIX_RGB);
  frame->format = AV_PIX_FMT_PAL8;
  fail_if (gst_ba_avframe_get_video_info (frame, &info));
  av_frame_free (&frame);
  frame = av_frame_alloc ();
  fail_if (gst_ba_avframe_get_video_info (frame, &info));
  av_frame_free (&frame);
}
GST_END_TEST

static Suite *
avframe_suite (void)
{
  Suite *suite = suite_create ("avframe");
  TCase *tcase = tcase_create ("memory");
  suite_add_tcase (suite, tcase);
  watch_over (tcase);
  tcase_add_loop_test (tcase, planes_are_where_the_frame_has_them, 0, G_N_ELEMENTS (formats));
  tcase_add_test (tcase, cropped_picture_begins_inside_the_memory);
  tcase_add_test (tcase, nobody_writes_what_the_decoder_still_holds);
  tcase_add_test (tcase, writer_gets_the_memory_itself_once_the_decoder_let_go);
  tcase_add_test (tcase, part_of_a_memory_keeps_the_frame);
  tcase_add_test (tcase, what_cannot_be_said_is_refused);
  tcase_add_test (tcase, formats_are_the_same_in_both_directions);
  tcase_add_loop_test (tcase, frame_over_a_buffer_reads_and_writes_it, 0, 2);
  tcase_add_test (tcase, frame_over_a_read_only_map_is_not_writable);
  tcase_add_test (tcase, allocator_is_registered_and_allocates_nothing);
  tcase_add_test (tcase, pool_gives_frames_in_their_order);
  tcase_add_test (tcase, waiting_for_a_frame_ends_with_one_or_with_a_flush);
  tcase_add_test (tcase, crop_fields_become_crop_meta);
  tcase_add_test (tcase, fields_become_flags_and_caps);
  tcase_add_test (tcase, caps_say_what_the_frame_says);
  return suite;
}

GST_CHECK_MAIN (avframe)
