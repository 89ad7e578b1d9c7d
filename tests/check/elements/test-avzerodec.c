/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-avzerodec.c: real streams through avzerodec, held against GStreamer's own decoders: the pictures, the addresses,
 * who may write, and what happens to damaged streams. The clips are made by scripts/make-clip.
 */
#include <gst/bufalloc/gstbaavframe.h>
#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>
#include <libavutil/frame.h>

#include "test-avzerodec-support.h"

typedef struct
{
  const gchar *clip;
  const gchar *demux;
  const gchar *stock; /* the decoder to compare with, and what makes its format the same */
} Codec;

/* One picture after the other, each into its own memory: the reference is to have nothing that can go wrong. avdec_png
 * gets moving pictures wrong in 1.22: pngdec is right. */
#define STOCK(name) "avdec_" name " max-threads=1 direct-rendering=false"

static const Codec codecs[] = {
  { "h264-322x182", "qtdemux ! h264parse", STOCK ("h264") },
  { "h264", "qtdemux", STOCK ("h264") },
  { "h264-10bit", "qtdemux ! h264parse ! video/x-h264,stream-format=byte-stream", STOCK ("h264") },
  { "h264-444", "qtdemux ! h264parse", STOCK ("h264") },
  { "hevc-322x182", "qtdemux ! h265parse", STOCK ("h265") },
  { "hevc-10bit", "qtdemux ! h265parse ! video/x-h265,stream-format=byte-stream", STOCK ("h265") },
  { "mpeg2", "mpegpsdemux ! mpegvideoparse", STOCK ("mpeg2video") },
  { "mpeg4", "qtdemux ! mpeg4videoparse", STOCK ("mpeg4") },
  { "vp8-322x182", "matroskademux", STOCK ("vp8") },
  { "vp9-322x182", "matroskademux ! vp9parse", STOCK ("vp9") },
  { "av1-322x182", "matroskademux ! av1parse", "av1dec" },
  { "mjpeg-322x182", "matroskademux", "jpegparse ! avdec_mjpeg" },
  { "png", "matroskademux", "pngdec ! videoconvert ! video/x-raw,format=RGB" },
  { "ffv1-322x182", "matroskademux", STOCK ("ffv1") },
  { "ffv1-bgr0", "matroskademux", STOCK ("ffv1") },
  { "huffyuv", "matroskademux", STOCK ("huffyuv") },
};

/* What came out of a pipeline. */
typedef struct
{
  GPtrArray *sums; /* of the visible bytes of each picture */
  guint n_held; /* pictures that libavcodec still held */
  guint n_moved; /* pictures that were not where libavcodec wrote them */
  guint n_caps;
  gboolean paint; /* behave as a filter that works in place */
  GstCaps *caps;
  gchar *error;
} Result;

static void
check_memory (Result *result, GstBuffer *buffer, GstVideoFrame *picture)
{
  const AVFrame *frame = gst_ba_avframe_buffer_get_frame (buffer);
  GstMapInfo map;
  if (!frame)
    return;
  if (frame->data[0] != GST_VIDEO_FRAME_PLANE_DATA (picture, 0))
    result->n_moved++;
  if (!av_buffer_is_writable (frame->buf[0])) {
    result->n_held++;
    fail_if (gst_memory_map (gst_buffer_peek_memory (buffer, 0), &map, GST_MAP_WRITE));
  }
}

static void
handoff (GstElement *sink, GstBuffer *buffer, GstPad *pad, Result *result)
{
  GstCaps *caps = gst_pad_get_current_caps (pad);
  GstVideoInfo info;
  GstVideoFrame picture;
  (void) sink;
  if (!result->caps || !gst_caps_is_equal (caps, result->caps)) {
    result->n_caps++;
    gst_caps_replace (&result->caps, caps);
  }
  fail_unless (gst_video_info_from_caps (&info, caps));
  gst_caps_unref (caps);
  fail_unless (gst_video_frame_map (&picture, &info, buffer, GST_MAP_READ));
  check_memory (result, buffer, &picture);
  g_ptr_array_add (result->sums, sum_picture (&picture));
  gst_video_frame_unmap (&picture);
  if (result->paint) {
    GstBuffer *own = gst_buffer_make_writable (gst_buffer_ref (buffer));
    fail_unless (gst_video_frame_map (&picture, &info, own, GST_MAP_READWRITE));
    for (gint y = 0; y < GST_VIDEO_FRAME_HEIGHT (&picture); y++)
      memset ((guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&picture, 0) + y * GST_VIDEO_FRAME_PLANE_STRIDE (&picture, 0), 0,
              (gsize) GST_VIDEO_FRAME_COMP_WIDTH (&picture, 0));
    gst_video_frame_unmap (&picture);
    gst_buffer_unref (own);
  }
}

static GstPadProbeReturn
answer_with_meta (GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);
  (void) pad;
  (void) user;
  if (GST_QUERY_TYPE (query) != GST_QUERY_ALLOCATION)
    return GST_PAD_PROBE_OK;
  gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  return GST_PAD_PROBE_HANDLED;
}

/* "… ! fakesink name=sink"; @with_meta: the sink knows GstVideoMeta. */
static GstElement *
make_pipeline (Result *result, gboolean with_meta, const gchar *format, ...)
{
  GError *error = NULL;
  va_list args;
  va_start (args, format);
  gchar *line = g_strdup_vprintf (format, args);
  va_end (args);
  GstElement *pipeline = gst_parse_launch (line, &error);
  fail_unless (pipeline && !error, "%s: %s", line, error ? error->message : "");
  g_free (line);
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  if (!result->sums)
    result->sums = g_ptr_array_new_with_free_func (g_free);
  g_object_set (sink, "signal-handoffs", TRUE, NULL);
  g_signal_connect (sink, "handoff", G_CALLBACK (handoff), result);
  GstPad *pad = gst_element_get_static_pad (sink, "sink");
  if (with_meta)
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM, answer_with_meta, NULL, NULL);
  gst_object_unref (pad);
  gst_object_unref (sink);
  return pipeline;
}

/* Waits for the end or an error; a hang is the test runner's to find. */
static void
wait_for_end (GstElement *pipeline, Result *result)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message = gst_bus_timed_pop_filtered (bus, 50 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless (message != NULL, "neither end nor error");
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    GError *error = NULL;
    gst_message_parse_error (message, &error, NULL);
    result->error = g_strdup (error->message);
    g_error_free (error);
  }
  gst_message_unref (message);
  gst_object_unref (bus);
}

static guint64
get_stat (GstElement *pipeline, const gchar *name)
{
  GstElement *dec = gst_bin_get_by_name (GST_BIN (pipeline), "dec");
  GstStructure *stats = NULL;
  guint64 value = G_MAXUINT64;
  g_object_get (dec, "frame-stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, name, &value));
  gst_structure_free (stats);
  gst_object_unref (dec);
  return value;
}

static void
finish (GstElement *pipeline)
{
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}

static void
run (GstElement *pipeline, Result *result)
{
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  wait_for_end (pipeline, result);
}

static void
clear (Result *result)
{
  g_clear_pointer (&result->sums, g_ptr_array_unref);
  gst_clear_caps (&result->caps);
  g_clear_pointer (&result->error, g_free);
}

static void
expect_same_pictures (const gchar *what, const Result *ours, const Result *stock)
{
  fail_unless (!ours->error, "%s: %s", what, ours->error);
  fail_unless (!stock->error, "%s: %s", what, stock->error);
  fail_unless_equals_int ((int) ours->sums->len, (int) stock->sums->len);
  for (guint i = 0; i < ours->sums->len; i++)
    fail_unless (g_str_equal (ours->sums->pdata[i], stock->sums->pdata[i]), "%s: picture %u differs", what, i);
}

static void
run_stock (Result *result, const gchar *path, const Codec *codec)
{
  GstElement *pipeline = make_pipeline (result, TRUE, "filesrc location=\"%s\" ! %s ! %s ! fakesink name=sink", path,
                                        codec->demux, codec->stock);
  run (pipeline, result);
  finish (pipeline);
}

GST_START_TEST (pictures_are_those_of_stock_decoders)
{
  const Codec *codec = &codecs[__i__];
  gchar *path = get_clip (codec->clip);
  Result ours = { 0 }, stock = { 0 };
  GstElement *pipeline = make_pipeline (&ours, TRUE,
                                        "filesrc location=\"%s\" ! %s ! avzerodec name=dec ! "
                                        "fakesink name=sink",
                                        path, codec->demux);
  run (pipeline, &ours);
  fail_unless_equals_int ((int) get_stat (pipeline, "wrapped"), atoi (FRAMES));
  fail_unless_equals_int ((int) get_stat (pipeline, "copied"), 0);
  fail_unless_equals_int ((int) get_stat (pipeline, "corrupt"), 0);
  fail_unless_equals_int ((int) ours.n_moved, 0);
  finish (pipeline);
  run_stock (&stock, path, codec);
  expect_same_pictures (codec->clip, &ours, &stock);
  clear (&ours);
  clear (&stock);
  g_free (path);
}
GST_END_TEST

/* What a filter paints over a picture must not be in the pictures that are predicted from it. */
GST_START_TEST (filter_in_place_does_not_damage_the_stream)
{
  gchar *path = get_clip (codecs[0].clip);
  Result ours = { .paint = TRUE }, stock = { 0 };
  GstElement *pipeline = make_pipeline (&ours, TRUE,
                                        "filesrc location=\"%s\" ! %s ! avzerodec name=dec "
                                        "max-threads=%d ! fakesink name=sink",
                                        path, codecs[0].demux, __i__);
  run (pipeline, &ours);
  finish (pipeline);
  fail_unless (ours.n_held > 0);
  run_stock (&stock, path, &codecs[0]);
  expect_same_pictures ("painted", &ours, &stock);
  clear (&ours);
  clear (&stock);
  g_free (path);
}
GST_END_TEST

GST_START_TEST (pictures_are_copied_for_who_knows_no_meta)
{
  gchar *path = get_clip (codecs[0].clip);
  Result ours = { 0 }, stock = { 0 };
  GstElement *pipeline = make_pipeline (&ours, FALSE,
                                        "filesrc location=\"%s\" ! %s ! avzerodec name=dec ! "
                                        "fakesink name=sink",
                                        path, codecs[0].demux);
  run (pipeline, &ours);
  fail_unless_equals_int ((int) get_stat (pipeline, "copied"), atoi (FRAMES));
  fail_unless_equals_int ((int) get_stat (pipeline, "wrapped"), 0);
  finish (pipeline);
  run_stock (&stock, path, &codecs[0]);
  expect_same_pictures ("copied", &ours, &stock);
  clear (&ours);
  clear (&stock);
  g_free (path);
}
GST_END_TEST

GST_START_TEST (size_may_change_in_the_middle)
{
  gchar *path = get_clip ("h264-size-change");
  Codec codec = { "h264-size-change", "h264parse", STOCK ("h264") };
  Result ours = { 0 }, stock = { 0 };
  GstElement *pipeline = make_pipeline (&ours, TRUE,
                                        "filesrc location=\"%s\" ! h264parse ! avzerodec name=dec ! "
                                        "fakesink name=sink",
                                        path);
  run (pipeline, &ours);
  fail_unless_equals_int ((int) ours.sums->len, atoi (FRAMES));
  fail_unless_equals_int ((int) ours.n_caps, 2);
  finish (pipeline);
  run_stock (&stock, path, &codec);
  expect_same_pictures (codec.clip, &ours, &stock);
  clear (&ours);
  clear (&stock);
  g_free (path);
}
GST_END_TEST

static const gchar *damaged[] = { "h264-truncated", "h264-corrupt", "h264-no-index" };

GST_START_TEST (damaged_file_ends_with_what_there_was_or_one_error)
{
  gchar *path = get_clip (damaged[__i__]);
  Result ours = { 0 };
  GstElement *pipeline = make_pipeline (&ours, TRUE,
                                        "filesrc location=\"%s\" ! qtdemux ! h264parse ! "
                                        "avzerodec name=dec ! fakesink name=sink",
                                        path);
  run (pipeline, &ours);
  fail_unless (ours.sums->len > 0 || ours.error);
  fail_unless (ours.sums->len <= (guint) atoi (FRAMES));
  finish (pipeline);
  clear (&ours);
  g_free (path);
}
GST_END_TEST

static GstBuffer *
new_garbage (guint seed)
{
  GRand *random = g_rand_new_with_seed (seed);
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 4000, NULL);
  GstMapInfo map;
  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
  for (gsize i = 0; i < map.size; i++)
    map.data[i] = (guint8) g_rand_int_range (random, 0, 256);
  memcpy (map.data, "\0\0\0\1\x65", 5); /* looks like a key frame of H.264 */
  gst_buffer_unmap (buffer, &map);
  g_rand_free (random);
  GST_BUFFER_PTS (buffer) = seed * GST_SECOND / 30;
  return buffer;
}

static const gchar *garbage_caps[] = {
  "video/x-h264, stream-format=byte-stream, alignment=au, width=64, height=64",
  "video/x-h265, stream-format=byte-stream, alignment=au, width=64, height=64",
  "video/mpeg, mpegversion=2, systemstream=false, width=64, height=64",
  "video/mpeg, mpegversion=4, systemstream=false, width=64, height=64",
  "video/x-vp8, width=64, height=64",
  "video/x-vp9, width=64, height=64",
  "video/x-av1, stream-format=obu-stream, alignment=tu, width=64, height=64",
  "image/jpeg, width=64, height=64",
  "image/png, width=64, height=64",
  "video/x-ffv, ffvversion=1, width=64, height=64",
};

GST_START_TEST (garbage_is_one_error)
{
  GstHarness *harness = gst_harness_new ("avzerodec");
  GstBus *bus = gst_bus_new ();
  guint n_errors = 0;
  GstMessage *message;
  GstFlowReturn flow = GST_FLOW_OK;
  gst_element_set_bus (harness->element, bus);
  g_object_set (harness->element, "max-errors", 3, NULL);
  gst_harness_set_src_caps_str (harness, garbage_caps[__i__]);
  for (guint i = 0; i < 30 && flow == GST_FLOW_OK; i++)
    flow = gst_harness_push (harness, new_garbage (i));
  if (flow == GST_FLOW_OK)
    gst_harness_push_event (harness, gst_event_new_eos ());
  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR))) {
    n_errors++;
    gst_message_unref (message);
  }
  fail_unless (n_errors == 1 || gst_harness_buffers_received (harness) > 0, "%u errors, %u pictures", n_errors,
               gst_harness_buffers_received (harness));
  fail_unless (n_errors <= 1);
  gst_element_set_bus (harness->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (harness);
}
GST_END_TEST

GST_START_TEST (seek_in_the_middle_goes_on)
{
  gchar *path = get_clip (codecs[4 * __i__].clip);
  Result ours = { 0 };
  GstElement *pipeline = make_pipeline (&ours, TRUE,
                                        "filesrc location=\"%s\" ! %s ! avzerodec name=dec ! "
                                        "fakesink name=sink",
                                        path, codecs[4 * __i__].demux);
  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  fail_unless (gst_element_get_state (pipeline, NULL, NULL, 50 * GST_SECOND) == GST_STATE_CHANGE_SUCCESS);
  for (guint i = 0; i < 4; i++) {
    fail_unless (gst_element_seek_simple (pipeline, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE,
                                          (i % 2) * 400 * GST_MSECOND));
    fail_unless (gst_element_get_state (pipeline, NULL, NULL, 50 * GST_SECOND) == GST_STATE_CHANGE_SUCCESS);
  }
  run (pipeline, &ours);
  fail_unless (!ours.error, "%s", ours.error);
  fail_unless_equals_int ((int) ours.sums->len,
                          atoi (FRAMES) - 12); /* from 0.4 s on, that is frame 12 of 30 a second */
  finish (pipeline);
  clear (&ours);
  g_free (path);
}
GST_END_TEST

GST_START_TEST (stops_in_the_middle)
{
  gchar *path = get_clip (codecs[0].clip);
  for (guint i = 0; i < 5; i++) {
    Result ours = { 0 };
    GstElement *pipeline = make_pipeline (&ours, TRUE,
                                          "filesrc location=\"%s\" ! %s ! avzerodec name=dec ! "
                                          "queue max-size-buffers=2 ! fakesink name=sink sync=true",
                                          path, codecs[0].demux);
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    fail_unless (gst_element_get_state (pipeline, NULL, NULL, 50 * GST_SECOND) == GST_STATE_CHANGE_SUCCESS);
    finish (pipeline);
    clear (&ours);
  }
  g_free (path);
}
GST_END_TEST

/* FFV1 in the screen's format: into its pages, also where the picture is a window in a larger page. */
GST_START_TEST (screen_format_is_decoded_into_pages)
{
  static const struct
  {
    const gchar *sink;
    const gchar *dec;
    guint n_direct;
  } rows[] = {
    { "device=virtual:320x240,pages=6,rate=0", "", 24 },
    { "device=virtual:320x240,pages=5,rate=0", "", 24 },
    { "device=virtual:320x240,pages=4,rate=0", "", 0 },
    { "device=virtual:640x480,pages=6,rate=0 scaling=none", "", 24 },
    { "device=virtual:320x240,pages=6,rate=0", "direct-rendering=never", 0 },
    { "device=virtual:320x240,pages=6,rate=0,format=RGB16", "", 0 },
  };
  gchar *path = get_clip ("ffv1-bgr0");
  gchar *line = g_strdup_printf ("filesrc location=\"%s\" ! matroskademux ! avzerodec name=dec %s ! "
                                 "fbdevzerosink %s",
                                 path, rows[__i__].dec, rows[__i__].sink);
  GstElement *pipeline = gst_parse_launch (line, NULL);
  Result ours = { 0 };
  run (pipeline, &ours);
  fail_unless (!ours.error, "%s", ours.error);
  fail_unless_equals_int ((int) get_stat (pipeline, "direct"), (int) rows[__i__].n_direct);
  fail_unless_equals_int ((int) get_stat (pipeline, "wrapped"), atoi (FRAMES) - (int) rows[__i__].n_direct);
  finish (pipeline);
  clear (&ours);
  g_free (line);
  g_free (path);
}
GST_END_TEST

static Suite *
avzerodec_suite (void)
{
  Suite *suite = suite_create ("avzerodec");
  load_plugins ();
  TCase *tcase = tcase_create ("streams");
  watch_over (tcase);
  suite_add_tcase (suite, tcase);
  tcase_add_loop_test (tcase, pictures_are_those_of_stock_decoders, 0, G_N_ELEMENTS (codecs));
  tcase_add_loop_test (tcase, filter_in_place_does_not_damage_the_stream, 0, 2);
  tcase_add_test (tcase, pictures_are_copied_for_who_knows_no_meta);
  tcase_add_test (tcase, size_may_change_in_the_middle);
  tcase_add_loop_test (tcase, damaged_file_ends_with_what_there_was_or_one_error, 0, G_N_ELEMENTS (damaged));
  tcase_add_loop_test (tcase, garbage_is_one_error, 0, G_N_ELEMENTS (garbage_caps));
  tcase_add_loop_test (tcase, seek_in_the_middle_goes_on, 0, 2);
  tcase_add_test (tcase, stops_in_the_middle);
  tcase_add_loop_test (tcase, screen_format_is_decoded_into_pages, 0, 6);
  return suite;
}

GST_CHECK_MAIN (avzerodec)
