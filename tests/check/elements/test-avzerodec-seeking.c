/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-avzerodec-seeking.c: seeks, segments, trick modes and reverse playback in whole pipelines: what comes out must be
 * what comes out of GStreamer's own decoder in the same place, picture by picture and with the same times.
 */
#include <gst/check/gstcheck.h>
#include <gst/video/video.h>

#include "test-avzerodec-trace.h"

typedef struct
{
  const gchar *name;
  const gchar *options;
  const gchar *demux;
  const gchar *stock;
  gboolean closed; /* no picture is predicted from another group of pictures */
} Media;

#define X264 "-frames:v 60 -c:v libx264 -preset veryfast -g 12 "

static const Media media[] = {
  { "seek-b.mp4", X264 "-bf 3", "qtdemux ! h264parse", "avdec_h264", TRUE },
  { "seek-open.mkv", X264 "-bf 3 -x264-params open-gop=1", "matroskademux ! h264parse", "avdec_h264", FALSE },
  { "seek-p.mp4", X264 "-bf 0", "qtdemux ! h264parse", "avdec_h264", TRUE },
  { "seek-hevc.mp4",
    "-frames:v 60 -c:v libx265 -preset ultrafast -tag:v hvc1 -x265-params log-level=error:pools=1:keyint=12:bframes=3",
    "qtdemux ! h265parse", "avdec_h265", FALSE },
  { "seek-vp8.mkv", "-frames:v 60 -c:v libvpx -deadline realtime -cpu-used 8 -g 12", "matroskademux", "avdec_vp8",
    TRUE },
  { "seek-mpeg4.mp4", "-frames:v 60 -c:v mpeg4 -bf 2 -g 12", "qtdemux ! mpeg4videoparse", "avdec_mpeg4", FALSE },
  { "seek-mjpeg.mkv", "-frames:v 60 -c:v mjpeg", "matroskademux ! jpegparse", "avdec_mjpeg", TRUE },
  { "seek-ffv1.mkv", "-frames:v 60 -c:v ffv1 -level 3 -g 12", "matroskademux", "avdec_ffv1", TRUE },
};

typedef struct
{
  gdouble rate;
  GstSeekFlags flags; /* besides FLUSH */
  guint start_ms;
  guint stop_ms; /* 0: the end */
} Seek;

static const Seek seeks[] = {
  { 1.0, GST_SEEK_FLAG_ACCURATE, 0, 0 },
  { 1.0, GST_SEEK_FLAG_ACCURATE, 700, 0 },
  { 1.0, GST_SEEK_FLAG_ACCURATE, 700, 1300 },
  { 1.0, GST_SEEK_FLAG_KEY_UNIT, 1100, 0 },
  { 1.0, GST_SEEK_FLAG_KEY_UNIT | GST_SEEK_FLAG_SNAP_BEFORE, 1100, 0 },
  { 1.0, GST_SEEK_FLAG_KEY_UNIT | GST_SEEK_FLAG_SNAP_AFTER, 1100, 0 },
  { 1.0, GST_SEEK_FLAG_KEY_UNIT | GST_SEEK_FLAG_SNAP_NEAREST, 1100, 1600 },
  { 2.0, GST_SEEK_FLAG_ACCURATE, 500, 1500 },
  { 1.0, GST_SEEK_FLAG_ACCURATE | GST_SEEK_FLAG_SEGMENT, 400, 900 },
  { 4.0, GST_SEEK_FLAG_TRICKMODE, 400, 0 },
  { 4.0, GST_SEEK_FLAG_TRICKMODE | GST_SEEK_FLAG_TRICKMODE_KEY_UNITS, 0, 0 },
  { -1.0, GST_SEEK_FLAG_ACCURATE, 0, 0 },
  { -1.0, GST_SEEK_FLAG_ACCURATE, 300, 1700 },
  { -1.0, GST_SEEK_FLAG_KEY_UNIT, 0, 1500 },
  { -2.0, GST_SEEK_FLAG_ACCURATE | GST_SEEK_FLAG_SEGMENT, 300, 1700 },
  { -4.0, GST_SEEK_FLAG_TRICKMODE | GST_SEEK_FLAG_TRICKMODE_KEY_UNITS, 0, 1900 },
};

static GstElement *
make_player (const Media *m, const gchar *decoder, Trace *trace)
{
  gchar *path = get_stream (m->name, "98x66", m->options);
  gchar *line =
      g_strdup_printf ("filesrc location=\"%s\" ! %s ! %s ! fakesink name=sink sync=false", path, m->demux, decoder);
  GstElement *pipeline = gst_parse_launch (line, NULL);
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GstPad *pad = gst_element_get_static_pad (sink, "sink");
  trace_pad (trace, pad);
  gst_object_unref (pad);
  gst_object_unref (sink);
  g_free (line);
  g_free (path);
  fail_unless (gst_element_set_state (pipeline, GST_STATE_PAUSED) != GST_STATE_CHANGE_FAILURE);
  fail_unless (gst_element_get_state (pipeline, NULL, NULL, 50 * GST_SECOND) == GST_STATE_CHANGE_SUCCESS);
  return pipeline;
}

static void
seek_to (GstElement *pipeline, const Seek *seek, GstSeekFlags flush)
{
  gint64 stop = seek->stop_ms > 0 ? (gint64) (seek->stop_ms * GST_MSECOND) : (gint64) GST_CLOCK_TIME_NONE;
  fail_unless (gst_element_seek (pipeline, seek->rate, GST_FORMAT_TIME, flush | seek->flags, GST_SEEK_TYPE_SET,
                                 (gint64) (seek->start_ms * GST_MSECOND), GST_SEEK_TYPE_SET, stop));
}

static void
finish_player (GstElement *pipeline)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  fail_if (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR));
  gst_object_unref (bus);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}

static void
play_from (const Media *m, const gchar *decoder, const Seek *seek, Trace *trace)
{
  GstElement *pipeline = make_player (m, decoder, trace);
  seek_to (pipeline, seek, GST_SEEK_FLAG_FLUSH);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  trace_wait (trace, 1);
  finish_player (pipeline);
}

static const gchar *decoders[] = { "avzerodec max-threads=1", "avzerodec max-threads=4" };

/* Each seek in each stream; under the address sanitizer, which is slow, each seek in one and each stream with two. */
#ifdef __SANITIZE_ADDRESS__
#define N_SEEKS_IN_STREAMS G_N_ELEMENTS (seeks)
#else
#define N_SEEKS_IN_STREAMS (G_N_ELEMENTS (media) * G_N_ELEMENTS (seeks))
#endif

GST_START_TEST (seek_gives_what_stock_decoders_give)
{
  guint s = (guint) __i__ % G_N_ELEMENTS (seeks);
  const Media *m = &media[(s + (guint) __i__ / G_N_ELEMENTS (seeks)) % G_N_ELEMENTS (media)];
  const Seek *seek = &seeks[s];
  Trace wanted;
  trace_init (&wanted, FALSE);
  play_from (m, m->stock, seek, &wanted);
  fail_unless (trace_get_n (&wanted) > 0);
  for (guint i = 0; i < G_N_ELEMENTS (decoders); i++) {
    Trace found;
    gchar *what = g_strdup_printf ("%s, rate %g, flags 0x%x, from %u to %u, %s", m->name, seek->rate, seek->flags,
                                   seek->start_ms, seek->stop_ms, decoders[i]);
    trace_init (&found, FALSE);
    play_from (m, decoders[i], seek, &found);
    expect_equal_traces (what, &found, &wanted);
    trace_clear (&found);
    g_free (what);
  }
  trace_clear (&wanted);
}
GST_END_TEST

/* A list of segments that follow each other without a flush: what is inside of the decoder comes out first. */
static void
play_segments (const Media *m, const gchar *decoder, Trace *trace)
{
  static const Seek list[] = {
    { 1.0, GST_SEEK_FLAG_ACCURATE | GST_SEEK_FLAG_SEGMENT, 500, 900 },
    { 1.0, GST_SEEK_FLAG_ACCURATE | GST_SEEK_FLAG_SEGMENT, 100, 700 },
    { 1.0, GST_SEEK_FLAG_ACCURATE | GST_SEEK_FLAG_SEGMENT, 1300, 1500 },
    { 1.0, GST_SEEK_FLAG_ACCURATE, 200, 600 },
  };
  GstElement *pipeline = make_player (m, decoder, trace);
  for (guint i = 0; i < G_N_ELEMENTS (list); i++) {
    seek_to (pipeline, &list[i], i == 0 ? GST_SEEK_FLAG_FLUSH : GST_SEEK_FLAG_NONE);
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    trace_wait (trace, i + 1);
  }
  finish_player (pipeline);
}

GST_START_TEST (segments_follow_each_other_without_a_flush)
{
  const Media *m = &media[__i__ / 2];
  Trace found, wanted;
  trace_init (&found, FALSE);
  trace_init (&wanted, FALSE);
  play_segments (m, m->stock, &wanted);
  play_segments (m, decoders[__i__ % 2], &found);
  fail_unless (trace_get_n (&wanted) > 30, "%u pictures", trace_get_n (&wanted));
  expect_equal_traces (m->name, &found, &wanted);
  trace_clear (&found);
  trace_clear (&wanted);
}
GST_END_TEST

/* Reverse playback is whole: each picture of the stream, the last one first. Pictures that are predicted from an earlier
 * group are not: GStreamer's base class decodes group by group, the last one first. */
GST_START_TEST (backwards_is_forwards_turned_round)
{
  if (!media[__i__ / 2].closed)
    return;
  static const Seek forwards = { 1.0, GST_SEEK_FLAG_ACCURATE, 0, 0 }, back = { -1.0, GST_SEEK_FLAG_ACCURATE, 0, 0 };
  Trace one, other;
  trace_init (&one, FALSE);
  trace_init (&other, FALSE);
  play_from (&media[__i__ / 2], decoders[__i__ % 2], &forwards, &one);
  play_from (&media[__i__ / 2], decoders[__i__ % 2], &back, &other);
  fail_unless_equals_int ((int) one.lines->len, 60);
  for (guint i = 0; i < one.lines->len / 2; i++) {
    gpointer line = one.lines->pdata[i];
    one.lines->pdata[i] = one.lines->pdata[one.lines->len - 1 - i];
    one.lines->pdata[one.lines->len - 1 - i] = line;
  }
  expect_equal_traces ("backwards", &other, &one);
  trace_clear (&one);
  trace_clear (&other);
}
GST_END_TEST

/* Many flushing seeks while it plays, so that they meet the decoder anywhere; the last one counts. */
GST_START_TEST (seeks_in_quick_succession)
{
  static const Seek last = { 1.0, GST_SEEK_FLAG_ACCURATE, 300, 0 };
  const Media *m = &media[0];
  Trace found, wanted;
  trace_init (&found, FALSE);
  trace_init (&wanted, FALSE);
  GstElement *pipeline = make_player (m, decoders[__i__], &found);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (guint i = 0; i < ROUNDS (60); i++) {
    Seek seek = { i % 7 == 3 ? -1.0 : 1.0, i % 2 ? GST_SEEK_FLAG_KEY_UNIT : GST_SEEK_FLAG_ACCURATE, i * 25,
                  i % 7 == 3 ? 1900 : 0 };
    seek_to (pipeline, &seek, GST_SEEK_FLAG_FLUSH);
  }
  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  seek_to (pipeline, &last, GST_SEEK_FLAG_FLUSH);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  trace_wait (&found, 1);
  finish_player (pipeline);
  play_from (m, m->stock, &last, &wanted);
  expect_equal_traces ("after many seeks", &found, &wanted);
  trace_clear (&found);
  trace_clear (&wanted);
}
GST_END_TEST

static void
play_three_times (const Media *m, const gchar *decoder, Trace *trace)
{
  GstElement *pipeline = make_player (m, decoder, trace);
  for (guint i = 0; i < 3; i++) {
    gst_element_set_state (pipeline, i == 1 ? GST_STATE_NULL : GST_STATE_READY);
    trace_forget (trace);
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    trace_wait (trace, 1);
  }
  finish_player (pipeline);
}

/* To READY and up again: nothing is left of the first time. */
GST_START_TEST (stopped_and_started_again)
{
  static const Media bytes = { "seek-b.h264", X264 "-bf 3", "h264parse", "avdec_h264", TRUE };
  Trace found, wanted;
  trace_init (&found, FALSE);
  trace_init (&wanted, FALSE);
  play_three_times (&bytes, decoders[__i__], &found);
  play_three_times (&bytes, bytes.stock, &wanted);
  fail_unless_equals_int ((int) wanted.lines->len, 60);
  expect_equal_traces ("the third time", &found, &wanted);
  trace_clear (&found);
  trace_clear (&wanted);
}
GST_END_TEST

static Suite *
avzerodec_seeking_suite (void)
{
  Suite *suite = suite_create ("avzerodec-seeking");
  load_plugins ();
  TCase *tcase = tcase_create ("pipelines");
  watch_over (tcase);
  suite_add_tcase (suite, tcase);
  tcase_add_loop_test (tcase, seek_gives_what_stock_decoders_give, 0, N_SEEKS_IN_STREAMS);
  tcase_add_loop_test (tcase, segments_follow_each_other_without_a_flush, 0, 2 * G_N_ELEMENTS (media));
  tcase_add_loop_test (tcase, backwards_is_forwards_turned_round, 0, 2 * G_N_ELEMENTS (media));
  tcase_add_loop_test (tcase, seeks_in_quick_succession, 0, G_N_ELEMENTS (decoders));
  tcase_add_loop_test (tcase, stopped_and_started_again, 0, G_N_ELEMENTS (decoders));
  return suite;
}

GST_CHECK_MAIN (avzerodec_seeking)
