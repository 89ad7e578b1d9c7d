/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-avzerodec-trace.h: everything that leaves a decoder, written down in its order, so that two decoders, or two runs
 * of one, can be held against each other: times and checksums of pictures and, where asked for, events. A flush empties
 * it. For whole pipelines and for GstHarness.
 */
#pragma once

#include <gst/check/gstharness.h>

#include "test-avzerodec-support.h"

typedef struct
{
  GMutex lock;
  GCond ended;
  guint n_ends; /* EOS and SEGMENT_DONE, each when everything before it has arrived */
  GPtrArray *lines; /* "time checksum" of each picture, "event name" */
  guint n_corrupted;
  gboolean with_events;
} Trace;

static inline void
trace_init (Trace *trace, gboolean with_events)
{
  memset (trace, 0, sizeof *trace);
  g_mutex_init (&trace->lock);
  g_cond_init (&trace->ended);
  trace->lines = g_ptr_array_new_with_free_func (g_free);
  trace->with_events = with_events;
}

static inline void
trace_clear (Trace *trace)
{
  g_ptr_array_unref (trace->lines);
  g_cond_clear (&trace->ended);
  g_mutex_clear (&trace->lock);
}

static inline guint
trace_get_n (Trace *trace)
{
  g_mutex_lock (&trace->lock);
  guint n = trace->lines->len;
  g_mutex_unlock (&trace->lock);
  return n;
}

static inline void
trace_forget (Trace *trace)
{
  g_ptr_array_set_size (trace->lines, 0);
  trace->n_ends = 0;
}

/* Until the stream, or the @nth segment, has ended. */
static inline void
trace_wait (Trace *trace, guint nth)
{
  g_mutex_lock (&trace->lock);
  while (trace->n_ends < nth)
    g_cond_wait (&trace->ended, &trace->lock);
  g_mutex_unlock (&trace->lock);
}

static inline gchar *
describe_picture (GstBuffer *buffer, GstCaps *caps)
{
  GstVideoInfo info;
  GstVideoFrame picture;
  fail_unless (caps && gst_video_info_from_caps (&info, caps));
  fail_unless (gst_video_frame_map (&picture, &info, buffer, GST_MAP_READ));
  gchar *sum = sum_picture (&picture);
  gchar *line = g_strdup_printf ("%" GST_TIME_FORMAT " %s", GST_TIME_ARGS (GST_BUFFER_PTS (buffer)), sum);
  gst_video_frame_unmap (&picture);
  g_free (sum);
  return line;
}

static inline GstPadProbeReturn
trace_note (GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  Trace *trace = user;
  gchar *line = NULL;
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
    GstCaps *caps = gst_pad_get_current_caps (pad);
    line = describe_picture (GST_PAD_PROBE_INFO_BUFFER (info), caps);
    gst_caps_unref (caps);
  } else if (trace->with_events && GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) != GST_EVENT_TAG) {
    line = g_strdup_printf ("event %s", GST_EVENT_TYPE_NAME (GST_PAD_PROBE_INFO_EVENT (info)));
  }
  g_mutex_lock (&trace->lock);
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER)
    trace->n_corrupted += GST_BUFFER_FLAG_IS_SET (GST_PAD_PROBE_INFO_BUFFER (info), GST_BUFFER_FLAG_CORRUPTED);
  else if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) == GST_EVENT_FLUSH_STOP)
    trace_forget (trace);
  else if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) == GST_EVENT_EOS
           || GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) == GST_EVENT_SEGMENT_DONE)
    trace->n_ends++;
  if (line)
    g_ptr_array_add (trace->lines, line);
  g_cond_signal (&trace->ended);
  g_mutex_unlock (&trace->lock);
  return GST_PAD_PROBE_OK;
}

/* From now on, until @pad is gone. */
static inline void
trace_pad (Trace *trace, GstPad *pad)
{
  gst_pad_add_probe (pad,
                     GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM | GST_PAD_PROBE_TYPE_EVENT_FLUSH,
                     trace_note, trace, NULL);
}

static inline void
expect_equal_traces (const gchar *what, Trace *found, Trace *wanted)
{
  for (guint i = 0; i < MIN (found->lines->len, wanted->lines->len); i++)
    fail_unless (g_str_equal (found->lines->pdata[i], wanted->lines->pdata[i]), "%s: line %u is %s, not %s", what, i,
                 (gchar *) found->lines->pdata[i], (gchar *) wanted->lines->pdata[i]);
  fail_unless (found->lines->len == wanted->lines->len, "%s: %u lines, not %u", what, found->lines->len,
               wanted->lines->len);
}

/* A stream that ffmpeg makes of a moving picture, once. */
static inline gchar *
get_stream (const gchar *name, const gchar *size, const gchar *options)
{
  const gchar *dir = g_getenv ("BA_CLIP_DIR") ? g_getenv ("BA_CLIP_DIR") : g_get_tmp_dir ();
  gchar *path = g_build_filename (dir, name, NULL);
  if (!g_file_test (path, G_FILE_TEST_EXISTS)) {
    gchar *input = g_strdup_printf ("-f lavfi -i testsrc2=size=%s:rate=30", size);
    g_free (path);
    path = make_file (name, input, options);
    g_free (input);
  }
  return path;
}

static inline Stream
load_stream (const gchar *name, const gchar *size, const gchar *options, const gchar *demux)
{
  gchar *path = get_stream (name, size, options);
  Stream stream = load_file (path, demux);
  g_free (path);
  return stream;
}

/* A decoder of its own, whose output is traced and thrown away. @line: as gst-launch-1.0 has it. */
static inline GstHarness *
new_traced (const gchar *line, const Stream *stream, Trace *trace)
{
  GstHarness *harness = gst_harness_new_parse (line);
  gst_harness_add_propose_allocation_meta (harness, GST_VIDEO_META_API_TYPE, NULL);
  gst_harness_set_live (harness, FALSE);
  gst_harness_set_drop_buffers (harness, TRUE);
  if (trace)
    trace_pad (trace, harness->sinkpad);
  gst_harness_set_src_caps (harness, gst_caps_ref (stream->caps));
  return harness;
}

static inline void
push_packets (GstHarness *harness, const Stream *stream, guint from, guint end)
{
  for (guint i = from; i < end; i++)
    fail_unless_equals_int (gst_harness_push (harness, gst_buffer_ref (stream->packets->pdata[i])), GST_FLOW_OK);
}

/* All of @stream from packet @from on. */
static inline void
decode_to_trace (const gchar *line, const Stream *stream, guint from, Trace *trace)
{
  GstHarness *harness = new_traced (line, stream, trace);
  push_packets (harness, stream, from, stream->packets->len);
  gst_harness_push_event (harness, gst_event_new_eos ());
  gst_harness_teardown (harness);
}

/* The decoder inside of a harness that was made of a line. */
static inline GstElement *
get_decoder (GstHarness *harness)
{
  if (!GST_IS_BIN (harness->element))
    return gst_object_ref (harness->element);
  GstElement *decoder = gst_bin_get_by_name (GST_BIN (harness->element), "dec");
  fail_unless (decoder != NULL);
  return decoder;
}

static inline guint64
get_count_of (GstElement *decoder, const gchar *name)
{
  GstStructure *stats = NULL;
  guint64 value = 0;
  g_object_get (decoder, "frame-stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, name, &value));
  gst_structure_free (stats);
  return value;
}
