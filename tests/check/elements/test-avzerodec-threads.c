/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-avzerodec-threads.c: libavcodec's workers ask for memory while the element flushes, stops or is gone; frames and
 * samples outlive decoder, sink and pipeline, and their memory stays good and comes home.
 */
#include <gst/bufalloc/gstbafbdevpool.h>
#include <gst/check/gstcheck.h>
#include <gst/video/video.h>

#include "test-avzerodec-trace.h"

typedef struct
{
  const gchar *name;
  const gchar *options;
  const gchar *demux;
} Media;

/* The second one is decoded into pages, the third could be if it were not for its threads. */
static const Media media[] = {
  { "threads.mp4", "-frames:v 40 -c:v libx264 -preset veryfast -bf 3 -g 10", "qtdemux ! h264parse" },
  { "threads-bgr0.mkv", "-frames:v 40 -pix_fmt bgr0 -c:v ffv1 -level 3 -slices 4 -g 5", "matroskademux" },
  { "threads-png.mkv", "-frames:v 40 -pix_fmt rgb24 -c:v png", "matroskademux" },
};

static const gchar *decoders[] = {
  "avzerodec name=dec direct-rendering=always max-threads=4 thread-type=frame",
  "avzerodec name=dec direct-rendering=always max-threads=4 thread-type=slice",
  "avzerodec name=dec direct-rendering=always max-threads=4",
};

#define SINK "fbdevzerosink name=sink sync=false device=virtual:160x120,rate=0,pages=8"

static GstElement *
make_player (guint index, const gchar *middle)
{
  const Media *m = &media[index % G_N_ELEMENTS (media)];
  gchar *path = get_stream (m->name, "160x120", m->options);
  gchar *line = g_strdup_printf ("filesrc location=\"%s\" ! %s ! %s ! %s " SINK, path, m->demux,
                                 decoders[index / G_N_ELEMENTS (media)], middle);
  GstElement *pipeline = gst_parse_launch (line, NULL);
  fail_unless (pipeline != NULL, "%s", line);
  g_free (line);
  g_free (path);
  return pipeline;
}

static void
play_to_end (GstElement *pipeline)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  GstMessage *message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS);
  gst_message_unref (message);
  gst_object_unref (bus);
}

static void
stop (GstElement *pipeline)
{
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}

/* What an application keeps: each buffer that leaves the decoder, or the first of them, and the sums it had then. */
typedef struct
{
  guint most;
  GPtrArray *samples;
  GPtrArray *sums;
} Kept;

static GstPadProbeReturn
keep (GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  Kept *kept = user;
  if (kept->samples->len < kept->most) {
    GstCaps *caps = gst_pad_get_current_caps (pad);
    GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
    g_ptr_array_add (kept->samples, gst_sample_new (buffer, caps, NULL, NULL));
    g_ptr_array_add (kept->sums, describe_picture (buffer, caps));
    gst_caps_unref (caps);
  }
  return GST_PAD_PROBE_OK;
}

static void
keep_from (GstElement *pipeline, Kept *kept, guint most)
{
  GstElement *decoder = gst_bin_get_by_name (GST_BIN (pipeline), "dec");
  GstPad *pad = gst_element_get_static_pad (decoder, "src");
  *kept = (Kept){ most, g_ptr_array_new_with_free_func ((GDestroyNotify) gst_sample_unref),
                  g_ptr_array_new_with_free_func (g_free) };
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, keep, kept, NULL);
  gst_object_unref (pad);
  gst_object_unref (decoder);
}

static void
expect_unharmed (const Kept *kept)
{
  for (guint i = 0; i < kept->samples->len; i++) {
    GstSample *sample = kept->samples->pdata[i];
    gchar *now = describe_picture (gst_sample_get_buffer (sample), gst_sample_get_caps (sample));
    fail_unless (g_str_equal (now, kept->sums->pdata[i]), "sample %u is %s, was %s", i, now,
                 (gchar *) kept->sums->pdata[i]);
    g_free (now);
  }
}

static void
drop_kept (Kept *kept)
{
  g_ptr_array_unref (kept->samples);
  g_ptr_array_unref (kept->sums);
}

/* Samples that an application keeps are good for ever: while it plays, and when decoder, sink and pipeline are gone. */
GST_START_TEST (samples_outlive_everything)
{
  GstElement *pipeline = make_player ((guint) __i__, "");
  Kept kept;
  keep_from (pipeline, &kept, __i__ % 2 ? 40 : 3);
  play_to_end (pipeline);
  fail_unless (kept.samples->len >= 3);
  expect_unharmed (&kept);
  stop (pipeline);
  expect_unharmed (&kept);
  drop_kept (&kept); /* and the leaks tracer sees that all of it goes */
}
GST_END_TEST

static gpointer
drop_in_thread (gpointer kept)
{
  drop_kept (kept);
  return NULL;
}

/* The last references go on another thread while the pipeline goes down on this one. */
GST_START_TEST (samples_go_while_the_pipeline_goes)
{
  for (guint i = 0; i < ROUNDS (10); i++) {
    GstElement *pipeline = make_player ((guint) __i__, "queue max-size-buffers=4 !");
    Kept kept;
    keep_from (pipeline, &kept, 6);
    play_to_end (pipeline);
    GThread *thread = g_thread_new ("drop", drop_in_thread, &kept);
    stop (pipeline);
    g_thread_join (thread);
  }
}
GST_END_TEST

/* Stopped anywhere in the stream, with pictures in libavcodec, in a queue, and on the screen. */
static gboolean
is_known (const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer user)
{
  return TRUE;
}

/* GStreamer 1.22 sorts the elements of a bin without keeping demuxers from linking their new pads meanwhile. It then takes
 * the half of a link that it saw for a loop, warns of that, and goes on. */
static void
forgive_new_pads (void)
{
  GRegex *regex = g_regex_new ("loop detected in the graph of bin", 0, 0, NULL);
  gst_check_add_log_filter ("GStreamer", G_LOG_LEVEL_WARNING, regex, is_known, NULL, NULL);
}

GST_START_TEST (stopped_anywhere)
{
  forgive_new_pads ();
  for (guint i = 0; i < ROUNDS (20); i++) {
    GstElement *pipeline = make_player ((guint) __i__, "queue max-size-buffers=3 !");
    GstElement *decoder = gst_bin_get_by_name (GST_BIN (pipeline), "dec");
    gst_element_set_state (pipeline, i % 2 ? GST_STATE_PLAYING : GST_STATE_PAUSED);
    gst_element_get_state (pipeline, NULL, NULL, i % 4 < 2 ? 50 * GST_SECOND : i * GST_MSECOND);
    if (i % 3 == 0)
      gst_element_seek_simple (pipeline, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE,
                               i * 30 * GST_MSECOND);
    stop (pipeline);
    gst_object_unref (decoder);
  }
}
GST_END_TEST

static gpointer
ask_and_set (gpointer data)
{
  GstElement *decoder = data;
  static const gchar *skips[] = { "default", "nonref", "default", "nonkey" };
  for (guint i = 0; i < ROUNDS (2000); i++) {
    GstStructure *stats = NULL;
    g_object_get (decoder, "frame-stats", &stats, NULL);
    fail_unless (stats != NULL);
    gst_structure_free (stats);
    gst_util_set_object_arg (G_OBJECT (decoder), "skip-frame", skips[i % 4]);
  }
  gst_util_set_object_arg (G_OBJECT (decoder), "skip-frame", "default");
  return NULL;
}

/* Properties from another thread while it decodes. */
GST_START_TEST (properties_while_it_decodes)
{
  GstElement *pipeline = make_player ((guint) __i__, "");
  GstElement *decoder = gst_bin_get_by_name (GST_BIN (pipeline), "dec");
  GThread *thread = g_thread_new ("properties", ask_and_set, decoder);
  play_to_end (pipeline);
  g_thread_join (thread);
  gst_object_unref (decoder);
  stop (pipeline);
}
GST_END_TEST

/* With pages in the hands of an application until the end, there is a new screen with all of them next time. */
GST_START_TEST (pages_come_home)
{
  Kept kept;
  for (guint i = 0; i < 3; i++) {
    GstElement *pipeline = make_player (1 + G_N_ELEMENTS (media), "");
    GstElement *decoder = gst_bin_get_by_name (GST_BIN (pipeline), "dec");
    keep_from (pipeline, &kept, i < 2 ? 2 : 0);
    play_to_end (pipeline);
    fail_unless (get_count_of (decoder, "direct") > 0);
    if (i == 2)
      fail_unless_equals_uint64 (get_count_of (decoder, "direct"), 40);
    expect_unharmed (&kept);
    gst_object_unref (decoder);
    stop (pipeline);
    expect_unharmed (&kept);
    drop_kept (&kept);
  }
}
GST_END_TEST

static Suite *
avzerodec_threads_suite (void)
{
  const int n = G_N_ELEMENTS (media) * G_N_ELEMENTS (decoders);
  Suite *suite = suite_create ("avzerodec-threads");
  load_plugins ();
  TCase *tcase = tcase_create ("pipelines");
  watch_over (tcase);
  suite_add_tcase (suite, tcase);
  tcase_add_loop_test (tcase, samples_outlive_everything, 0, n);
  tcase_add_loop_test (tcase, samples_go_while_the_pipeline_goes, 0, n);
  tcase_add_loop_test (tcase, stopped_anywhere, 0, n);
  tcase_add_loop_test (tcase, properties_while_it_decodes, 0, n);
  tcase_add_test (tcase, pages_come_home);
  return suite;
}

GST_CHECK_MAIN (avzerodec_threads)
