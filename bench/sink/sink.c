/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sink.c: frames for a sink that nobody draws, so that what is measured is the sink.
 *
 *   sink push SINK FORMAT WIDTH HEIGHT FRAMES  pushes buffers of the sink's own pool straight into its pad
 *   sink run PIPELINE [memory]                 runs a pipeline to its end; `idlesrc` in it is a source that negotiates
 *                                              and fills in times as videotestsrc does, and draws nothing
 *
 * SINK and PIPELINE are written as for gst-launch-1.0. A sink that offers no pool gets buffers of GstVideoBufferPool.
 * Prints "cpu_ms N", and with `memory` what was resident at the most: "rest_kb N", all mappings but those of the screen
 * (virtual display, tests/preload/fakefb.c), and "anonymous_kb N", what of that has no file behind it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gst/base/gstpushsrc.h>
#include <gst/video/gstvideopool.h>
#include <gst/video/video.h>

/* Looking at the memory takes a while: each frame at first, then every so many. */
#define MEMORY_FRAMES_FIRST 30
#define MEMORY_FRAMES_STEP 10

#define CHECK(condition)                                                                                               \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      g_printerr ("sink: line %d: %s is not so\n", __LINE__, #condition);                                              \
      exit (1);                                                                                                        \
    }                                                                                                                  \
  } while (0)

/* ---- a source that draws nothing --------------------------------------------------------------------------------- */

typedef struct
{
  GstPushSrc parent;
  GstVideoInfo info;
  guint64 n_frames;
} IdleSrc;

typedef struct
{
  GstPushSrcClass parent_class;
} IdleSrcClass;

static GType idle_src_get_type (void);
G_DEFINE_TYPE (IdleSrc, idle_src, GST_TYPE_PUSH_SRC)

static GstStaticPadTemplate idle_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS ("video/x-raw"));

static gboolean
idle_set_caps (GstBaseSrc *src, GstCaps *caps)
{
  return gst_video_info_from_caps (&((IdleSrc *) src)->info, caps);
}

/* Puts a pool into @query where there is none. */
static void
complete_pools (GstQuery *query, const GstVideoInfo *info)
{
  GstBufferPool *pool;
  GstStructure *config;
  GstCaps *caps;

  if (gst_query_get_n_allocation_pools (query) > 0) {
    gst_query_parse_nth_allocation_pool (query, 0, &pool, NULL, NULL, NULL);
    if (pool != NULL) {
      gst_object_unref (pool);
      return;
    }
  }
  gst_query_parse_allocation (query, &caps, NULL);
  pool = gst_video_buffer_pool_new ();
  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_set_params (config, caps, GST_VIDEO_INFO_SIZE (info), 0, 0);
  if (gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL))
    gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  CHECK (gst_buffer_pool_set_config (pool, config));
  if (gst_query_get_n_allocation_pools (query) > 0)
    gst_query_set_nth_allocation_pool (query, 0, pool, GST_VIDEO_INFO_SIZE (info), 0, 0);
  else
    gst_query_add_allocation_pool (query, pool, GST_VIDEO_INFO_SIZE (info), 0, 0);
  gst_object_unref (pool);
}

/* The pool at hand, made ready for whoever reads strides. */
static GstBufferPool *
take_pool (GstQuery *query)
{
  GstBufferPool *pool = NULL;
  GstStructure *config;
  GstCaps *caps;
  guint size, min, max;

  gst_query_parse_allocation (query, &caps, NULL);
  gst_query_parse_nth_allocation_pool (query, 0, &pool, &size, &min, &max);
  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_set_params (config, caps, size, min, max);
  if (gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL))
    gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  CHECK (gst_buffer_pool_set_config (pool, config));
  return pool;
}

static gboolean
idle_decide_allocation (GstBaseSrc *src, GstQuery *query)
{
  GstBufferPool *pool;

  complete_pools (query, &((IdleSrc *) src)->info);
  pool = take_pool (query);
  gst_object_unref (pool);
  return GST_BASE_SRC_CLASS (idle_src_parent_class)->decide_allocation (src, query);
}

static GstFlowReturn
idle_fill (GstPushSrc *src, GstBuffer *buffer)
{
  IdleSrc *self = (IdleSrc *) src;

  GST_BUFFER_PTS (buffer) = self->n_frames * GST_SECOND / 30;
  GST_BUFFER_DURATION (buffer) = GST_SECOND / 30;
  GST_BUFFER_OFFSET (buffer) = self->n_frames++;
  return GST_FLOW_OK;
}

static void
idle_src_class_init (IdleSrcClass *klass)
{
  gst_element_class_add_static_pad_template (GST_ELEMENT_CLASS (klass), &idle_template);
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass), "Draws nothing", "Source/Video", "For benchmarks",
                                         "The gst-bufalloc developers");
  GST_BASE_SRC_CLASS (klass)->set_caps = idle_set_caps;
  GST_BASE_SRC_CLASS (klass)->decide_allocation = idle_decide_allocation;
  GST_PUSH_SRC_CLASS (klass)->fill = idle_fill;
}

static void
idle_src_init (IdleSrc *self)
{
  gst_base_src_set_format (GST_BASE_SRC (self), GST_FORMAT_TIME);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

typedef struct
{
  guint n_frames;
  gulong rest_kb, anonymous_kb; /* at the most */
} Memory;

static void
look_at_memory (Memory *memory)
{
  gulong rest_kb = 0, anonymous_kb = 0, kb;
  gboolean screen = FALSE;
  char line[512];
  FILE *maps = fopen ("/proc/self/smaps", "re");

  CHECK (maps != NULL);
  while (fgets (line, sizeof line, maps) != NULL) {
    if (sscanf (line, "Rss: %lu kB", &kb) == 1)
      rest_kb += screen ? 0 : kb;
    else if (sscanf (line, "Anonymous: %lu kB", &kb) == 1)
      anonymous_kb += screen ? 0 : kb;
    else if (strchr (line, '-') != NULL && strstr (line, " kB") == NULL)
      screen = strstr (line, "memfd:bufalloc-display") != NULL || strstr (line, "memfd:fakefb") != NULL;
  }
  fclose (maps);
  memory->rest_kb = MAX (memory->rest_kb, rest_kb);
  memory->anonymous_kb = MAX (memory->anonymous_kb, anonymous_kb);
}

static GstPadProbeReturn
frame_passes (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Memory *memory = data;

  (void) pad;
  (void) info;
  if (memory->n_frames < MEMORY_FRAMES_FIRST || memory->n_frames % MEMORY_FRAMES_STEP == 0)
    look_at_memory (memory);
  memory->n_frames++;
  return GST_PAD_PROBE_OK;
}

/* Looks on at the pad of the sink. */
static void
watch_memory (GstElement *pipeline, Memory *memory)
{
  GstIterator *sinks = gst_bin_iterate_sinks (GST_BIN (pipeline));
  GValue value = G_VALUE_INIT;
  GstPad *pad;

  CHECK (gst_iterator_next (sinks, &value) == GST_ITERATOR_OK);
  pad = gst_element_get_static_pad (g_value_get_object (&value), "sink");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, frame_passes, memory, NULL);
  gst_object_unref (pad);
  g_value_unset (&value);
  gst_iterator_free (sinks);
}

/* ---- the two ways ------------------------------------------------------------------------------------------------ */

static gdouble
cpu_ms (void)
{
  struct timespec now;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

/* By itself, and not static, so that callgrind can count what is inside it and nothing else (--toggle-collect). */
void push_frames (GstBufferPool *pool, GstPad *pad, gint frames);

G_GNUC_NO_INLINE void
push_frames (GstBufferPool *pool, GstPad *pad, gint frames)
{
  GstBuffer *buffer;

  for (gint i = 0; i < frames; i++) {
    CHECK (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL) == GST_FLOW_OK);
    GST_BUFFER_PTS (buffer) = (GstClockTime) i * GST_SECOND / 30;
    CHECK (gst_pad_chain (pad, buffer) == GST_FLOW_OK);
  }
}

/* How many frames were flipped, where the sink counts that. */
static void
print_flipped (GstElement *sink)
{
  GstStructure *stats = NULL;
  guint64 flipped;

  if (g_object_class_find_property (G_OBJECT_GET_CLASS (sink), "frame-stats") == NULL)
    return;
  g_object_get (sink, "frame-stats", &stats, NULL);
  CHECK (stats != NULL && gst_structure_get_uint64 (stats, "flipped", &flipped));
  g_print ("flipped %" G_GUINT64_FORMAT "\n", flipped);
  gst_structure_free (stats);
}

static void
push (const gchar *description, const gchar *format, gint width_px, gint height_px, gint frames)
{
  GstElement *sink = gst_parse_launch (description, NULL);
  GstCaps *caps = gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING, format, "width", G_TYPE_INT, width_px,
                                       "height", G_TYPE_INT, height_px, "framerate", GST_TYPE_FRACTION, 30, 1, NULL);
  GstQuery *query = gst_query_new_allocation (caps, TRUE);
  GstSegment segment;
  GstVideoInfo info;
  GstBufferPool *pool;
  GstPad *pad;

  CHECK (sink != NULL && gst_video_info_from_caps (&info, caps));
  pad = gst_element_get_static_pad (sink, "sink");
  CHECK (gst_element_set_state (sink, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  CHECK (gst_pad_send_event (pad, gst_event_new_stream_start ("bench")));
  CHECK (gst_pad_send_event (pad, gst_event_new_caps (caps)));
  CHECK (gst_pad_send_event (pad, gst_event_new_segment (&segment)));
  gst_pad_query (pad, query); /* fakesink has no answer */
  complete_pools (query, &info);
  pool = take_pool (query);
  CHECK (gst_buffer_pool_set_active (pool, TRUE));
  push_frames (pool, pad, frames);
  print_flipped (sink);
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
  gst_query_unref (query);
  gst_element_set_state (sink, GST_STATE_NULL);
  gst_object_unref (pad);
  gst_object_unref (sink);
  gst_caps_unref (caps);
}

static void
run (const gchar *description, gboolean with_memory)
{
  GError *error = NULL;
  GstElement *pipeline = gst_parse_launch (description, &error);
  Memory memory = { 0 };
  GstMessage *message;
  GstBus *bus;

  if (error != NULL) {
    g_printerr ("sink: %s\n", error->message);
    exit (1);
  }
  if (with_memory)
    watch_memory (pipeline, &memory);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, &error, NULL);
    g_printerr ("sink: %s\n", error->message);
    exit (1);
  }
  if (with_memory) {
    look_at_memory (&memory);
    g_print ("rest_kb %lu\nanonymous_kb %lu\n", memory.rest_kb, memory.anonymous_kb);
  }
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
}

int
main (int argc, char **argv)
{
  gst_init (NULL, NULL);
  CHECK (gst_element_register (NULL, "idlesrc", GST_RANK_NONE, idle_src_get_type ()));
  if (argc == 7 && strcmp (argv[1], "push") == 0) {
    push (argv[2], argv[3], atoi (argv[4]), atoi (argv[5]), atoi (argv[6]));
  } else if (argc >= 3 && strcmp (argv[1], "run") == 0) {
    run (argv[2], argc > 3 && strcmp (argv[3], "memory") == 0);
  } else {
    g_printerr ("usage: sink push SINK FORMAT WIDTH HEIGHT FRAMES | sink run PIPELINE [memory]\n");
    return 2;
  }
  g_print ("cpu_ms %.3f\n", cpu_ms ());
  return 0;
}
