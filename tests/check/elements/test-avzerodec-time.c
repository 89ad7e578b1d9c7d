/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-avzerodec-time.c: avzerodec packet by packet and its time: pictures that are late, how long they stay inside
 * and in what order they come out, and gaps.
 */
#include <gst/check/gstcheck.h>
#include <gst/video/video.h>

#include "test-avzerodec-trace.h"
#include "test-h264-header.h"

#define X264 "-frames:v 48 -c:v libx264 -preset veryfast -g 12 "
#define OURS "avzerodec name=dec max-threads=1"
#define STOCK "max-threads=1 direct-rendering=false"

static Stream
load_b_frames (void)
{
  return load_stream ("time-b.mp4", "98x66", X264 "-bf 3", "qtdemux ! h264parse");
}

static Stream
load_p_frames (void)
{
  return load_stream ("time-p.mp4", "98x66", X264 "-bf 0", "qtdemux ! h264parse");
}

static gint n_skips;

static void
count_skips (GstDebugCategory *category, GstDebugLevel level, const gchar *file, const gchar *function, gint line,
             GObject *object, GstDebugMessage *message, gpointer user)
{
  if (g_str_equal (gst_debug_category_get_name (category), "avzerodec")
      && g_str_has_prefix (gst_debug_message_get (message), "frames to leave out: 8"))
    g_atomic_int_inc (&n_skips);
}

static void
decode_late (const gchar *line, const Stream *stream, gboolean late, Trace *trace)
{
  trace_init (trace, FALSE);
  GstHarness *harness = new_traced (line, stream, trace);
  push_packets (harness, stream, 0, 4);
  if (late)
    gst_harness_push_upstream_event (
        harness, gst_event_new_qos (GST_QOS_TYPE_UNDERFLOW, 2.0, 100 * GST_MSECOND, 500 * GST_MSECOND));
  push_packets (harness, stream, 4, stream->packets->len);
  gst_harness_push_event (harness, gst_event_new_eos ());
  gst_harness_teardown (harness);
}

/* While pictures come out too late, frames that nothing is predicted from are not even decoded; all is well
 * as soon as it is in time again. Not with qos=false. */
GST_START_TEST (late_frames_are_left_out)
{
  Stream stream = load_b_frames ();
  Trace all, late, regardless;
  gst_debug_add_log_function (count_skips, NULL, NULL);
  gst_debug_set_threshold_for_name ("avzerodec", GST_LEVEL_DEBUG);
  decode_late (OURS, &stream, FALSE, &all);
  fail_unless_equals_int (n_skips, 0);
  decode_late (OURS " qos=false", &stream, TRUE, &regardless);
  fail_unless_equals_int (n_skips, 0);
  expect_equal_traces ("qos=false", &regardless, &all);
  decode_late (OURS, &stream, TRUE, &late);
  fail_unless (n_skips > 0);
  gst_debug_set_threshold_for_name ("avzerodec", GST_LEVEL_NONE);
  gst_debug_remove_log_function (count_skips);
  fail_unless_equals_int ((int) all.lines->len, (int) stream.packets->len);
  fail_unless (late.lines->len < all.lines->len && late.lines->len >= all.lines->len / 3, "%u of %u pictures",
               late.lines->len, all.lines->len);
  g_ptr_array_remove_range (late.lines, 0, 2);
  g_ptr_array_remove_range (all.lines, 0, all.lines->len - late.lines->len);
  expect_equal_traces ("in time again", &late, &all);
  trace_clear (&all);
  trace_clear (&late);
  trace_clear (&regardless);
  unload (&stream);
}
GST_END_TEST

/* Decodes all of @stream; after four packets somebody downstream says how a picture at @time_ns came. All pictures have
 * to come out. */
static void
expect_nothing_left_out (const Stream *stream, GstClockTimeDiff late_ns, GstClockTime time_ns)
{
  gst_debug_add_log_function (count_skips, NULL, NULL);
  gst_debug_set_threshold_for_name ("avzerodec", GST_LEVEL_DEBUG);
  GstHarness *harness = new_traced (OURS, stream, NULL);
  push_packets (harness, stream, 0, 4);
  gst_harness_push_upstream_event (harness, gst_event_new_qos (GST_QOS_TYPE_OVERFLOW, 0.1, late_ns, time_ns));
  push_packets (harness, stream, 4, stream->packets->len);
  gst_harness_push_event (harness, gst_event_new_eos ());
  gst_debug_set_threshold_for_name ("avzerodec", GST_LEVEL_NONE);
  gst_debug_remove_log_function (count_skips);
  fail_unless_equals_int (n_skips, 0);
  fail_unless_equals_int ((int) gst_harness_buffers_received (harness), (int) stream->packets->len);
  gst_harness_teardown (harness);
}

/* A frame without a time is never late, whatever the sink says: AVI and MPEG program streams have many. */
GST_START_TEST (frames_without_a_time_are_not_left_out)
{
  Stream stream = load_b_frames ();
  guint n_without = 0;
  for (guint i = 0; i < stream.packets->len; i++) {
    GstBuffer *packet = gst_buffer_make_writable (stream.packets->pdata[i]);
    stream.packets->pdata[i] = packet;
    GST_BUFFER_DTS (packet) = GST_CLOCK_TIME_NONE;
    if (i % 12 != 0) {
      GST_BUFFER_PTS (packet) = GST_CLOCK_TIME_NONE;
      n_without++;
    }
  }
  fail_unless (n_without > 0);
  expect_nothing_left_out (&stream, GST_MSECOND, 2 * GST_MSECOND);
  unload (&stream);
}
GST_END_TEST

/* A picture that came in time makes nobody late, even where its time is after that of all others: where times are not
 * complete the base class guesses, and a sink that does not look at the clock reports all the same. */
GST_START_TEST (frames_before_a_picture_in_time_are_not_left_out)
{
  Stream stream = load_b_frames ();
  GstBuffer *first = gst_buffer_make_writable (stream.packets->pdata[0]);
  stream.packets->pdata[0] = first;
  GST_BUFFER_PTS (first) += 2 * GST_SECOND;
  expect_nothing_left_out (&stream, __i__ == 0 ? 0 : -GST_MSECOND, GST_BUFFER_PTS (first));
  unload (&stream);
}
GST_END_TEST

static const struct
{
  gboolean b_frames;
  gboolean live;
  const gchar *line;
  guint frames; /* that stay inside, at most */
} delays[] = {
  { FALSE, FALSE, OURS, 0 },
  { FALSE, TRUE, OURS, 0 },
  { TRUE, FALSE, OURS, 2 },
  { TRUE, TRUE, OURS, 2 },
  { FALSE, FALSE, "avzerodec name=dec max-threads=4 thread-type=frame", 3 },
  { FALSE, FALSE, "avzerodec name=dec max-threads=4", 3 },
  { FALSE, TRUE, "avzerodec name=dec max-threads=4", 0 }, /* live: slices only */
  { FALSE, FALSE, "avzerodec name=dec max-threads=4 thread-type=slice", 0 },
  { TRUE, FALSE, "avzerodec name=dec max-threads=4 thread-type=frame", 5 },
  { FALSE, TRUE, "avzerodec name=dec max-threads=4 thread-type=frame", 3 }, /* who asks for it gets it */
};

/* The LATENCY query tells how long pictures stay inside, no more and no less. */
GST_START_TEST (latency_is_as_reported)
{
  Stream stream = delays[__i__].b_frames ? load_b_frames () : load_p_frames ();
  GstHarness *harness = gst_harness_new_parse (delays[__i__].line);
  guint most = 0;
  gst_harness_set_live (harness, delays[__i__].live);
  gst_harness_add_propose_allocation_meta (harness, GST_VIDEO_META_API_TYPE, NULL);
  gst_harness_set_src_caps (harness, gst_caps_ref (stream.caps));
  for (guint i = 0; i < stream.packets->len; i++) {
    push_packets (harness, &stream, i, i + 1);
    most = MAX (most, i + 1 - gst_harness_buffers_received (harness));
  }
  fail_unless_equals_int ((int) most, (int) delays[__i__].frames);
  GstElement *decoder = get_decoder (harness);
  GstClockTime wanted_ns = gst_util_uint64_scale (delays[__i__].frames, GST_SECOND, 30), min_ns, max_ns;
  gst_video_decoder_get_latency (GST_VIDEO_DECODER (decoder), &min_ns, &max_ns);
  gst_object_unref (decoder);
  fail_unless_equals_uint64 (min_ns, wanted_ns);
  fail_unless_equals_uint64 (max_ns, wanted_ns);
  if (delays[__i__].live) /* of other pipelines nobody sums it up */
    fail_unless_equals_uint64 (gst_harness_query_latency (harness), wanted_ns);
  gst_harness_teardown (harness);
  unload (&stream);
}
GST_END_TEST

/* A gap is handed on behind the pictures before it, as the stock decoder does. */
static void
decode_with_gaps (const gchar *line, const Stream *stream, Trace *trace)
{
  GstHarness *harness = new_traced (line, stream, trace);
  for (guint i = 0; i < stream->packets->len; i++) {
    if (i == 24 || i == 36 || i == 39)
      gst_harness_push_event (harness, gst_event_new_gap (GST_BUFFER_PTS (stream->packets->pdata[i]), GST_SECOND / 30));
    push_packets (harness, stream, i, i + 1);
  }
  gst_harness_push_event (harness, gst_event_new_eos ());
  gst_harness_teardown (harness);
}

GST_START_TEST (gaps_are_handed_on_in_their_place)
{
  Stream stream = __i__ == 0 ? load_b_frames () : load_p_frames ();
  Trace found, wanted;
  trace_init (&found, TRUE);
  trace_init (&wanted, TRUE);
  decode_with_gaps (OURS, &stream, &found);
  decode_with_gaps ("avdec_h264 " STOCK, &stream, &wanted);
  expect_equal_traces ("gaps", &found, &wanted);
  trace_clear (&found);
  trace_clear (&wanted);
  unload (&stream);
}
GST_END_TEST

/* Streams that do not say how far pictures are reordered lose none of them, as long as nobody waits for them live. */
GST_START_TEST (unknown_reordering_loses_no_picture)
{
  Stream stream = load_stream ("time-pyramid.h264", "98x66", X264 "-bf 5 -b_strategy 0 -b-pyramid normal -refs 4",
                               "h264parse ! video/x-h264,stream-format=byte-stream,alignment=au");
  Trace found, wanted;
  trace_init (&found, FALSE);
  trace_init (&wanted, FALSE);
  GstHarness *harness = new_traced (OURS, &stream, &found);
  for (guint i = 0; i < stream.packets->len; i++)
    fail_unless_equals_int (gst_harness_push (harness, without_vui (gst_buffer_ref (stream.packets->pdata[i]))),
                            GST_FLOW_OK);
  gst_harness_push_event (harness, gst_event_new_eos ());
  gst_harness_teardown (harness);
  decode_to_trace ("avdec_h264 " STOCK, &stream, 0, &wanted);
  fail_unless_equals_int ((int) wanted.lines->len, 48);
  expect_equal_traces ("without VUI", &found, &wanted);
  trace_clear (&found);
  trace_clear (&wanted);
  unload (&stream);
}
GST_END_TEST

static Suite *
avzerodec_time_suite (void)
{
  Suite *suite = suite_create ("avzerodec-time");
  load_plugins ();
  TCase *tcase = tcase_create ("packets");
  watch_over (tcase);
  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, late_frames_are_left_out);
  tcase_add_test (tcase, frames_without_a_time_are_not_left_out);
  tcase_add_loop_test (tcase, frames_before_a_picture_in_time_are_not_left_out, 0, 2);
  tcase_add_loop_test (tcase, latency_is_as_reported, 0, G_N_ELEMENTS (delays));
  tcase_add_loop_test (tcase, gaps_are_handed_on_in_their_place, 0, 2);
  tcase_add_test (tcase, unknown_reordering_loses_no_picture);
  return suite;
}

GST_CHECK_MAIN (avzerodec_time)
