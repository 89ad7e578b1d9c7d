/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * appsrc_pages.c: an application that draws with the CPU straight into the pages of the screen.
 *
 *   appsrc_pages [DEVICE [FRAMES]]
 *
 * It asks the sink what the screen is like and for a pool (an ALLOCATION query), configures the pool in two rounds,
 * acquires pages, draws a box that moves, and pushes them through appsrc. Nothing is copied: at the end it prints the
 * sink's frame-stats, where `flipped` is the number of frames. It needs GStreamer only, not our library.
 */
#include <stdlib.h>

#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <gst/video/video.h>

#define FRAMES_PER_S 30
#define BOX_PX 40
#define BOX_STEP_PX 4

typedef struct
{
  GstElement *pipeline;
  GstElement *src;
  GstElement *sink;
  GstCaps *caps;
  GstVideoInfo info;
  GstBufferPool *pool;
  guint n_frames;
  guint next;
} App;

/* The first caps that a fbdevzerosink names are the ones that can be flipped: format and size of the screen. */
static gboolean
choose_caps (App *app)
{
  GstPad *pad = gst_element_get_static_pad (app->sink, "sink");
  GstCaps *caps = gst_caps_truncate (gst_pad_query_caps (pad, NULL));

  gst_object_unref (pad);
  caps = gst_caps_make_writable (caps);
  gst_caps_set_simple (caps, "framerate", GST_TYPE_FRACTION, FRAMES_PER_S, 1, NULL);
  app->caps = gst_caps_fixate (caps);
  if (!gst_video_info_from_caps (&app->info, app->caps))
    return FALSE;
  gst_app_src_set_caps (GST_APP_SRC (app->src), app->caps);
  return TRUE;
}

/* Sets the configuration; a pool that must change something says no, and what it needs is in its own configuration. */
static gboolean
configure (GstBufferPool *pool, GstCaps *caps, guint size, guint min, guint max)
{
  GstStructure *config = gst_buffer_pool_get_config (pool);

  gst_buffer_pool_config_set_params (config, caps, size, min, max);
  gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  if (gst_buffer_pool_set_config (pool, config))
    return TRUE;
  config = gst_buffer_pool_get_config (pool);
  if (!gst_buffer_pool_config_validate_params (config, caps, size, min, max)
      && !gst_buffer_pool_config_has_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META)) {
    gst_structure_free (config);
    return FALSE;
  }
  return gst_buffer_pool_set_config (pool, config);
}

/*
 * An active pool of the sink's, or one of our own where it has none.
 *
 * The query is serialized with the data: it may be sent by the streaming thread only (from need-data), or before the
 * first buffer. From another thread it would wait for as long as the sink is in the middle of a frame.
 */
static GstBufferPool *
ask_for_pool (App *app)
{
  GstPad *pad = gst_element_get_static_pad (app->src, "src");
  GstQuery *query = gst_query_new_allocation (app->caps, TRUE);
  GstBufferPool *pool = NULL;
  guint size = GST_VIDEO_INFO_SIZE (&app->info), min = 0, max = 0;

  if (gst_pad_peer_query (pad, query) && gst_query_get_n_allocation_pools (query) > 0)
    gst_query_parse_nth_allocation_pool (query, 0, &pool, &size, &min, &max);
  gst_query_unref (query);
  gst_object_unref (pad);
  if (pool && !configure (pool, app->caps, size, min, max))
    gst_clear_object (&pool);
  if (!pool) {
    pool = gst_video_buffer_pool_new ();
    if (!configure (pool, app->caps, GST_VIDEO_INFO_SIZE (&app->info), 3, 0))
      gst_clear_object (&pool);
  }
  if (pool && !gst_buffer_pool_set_active (pool, TRUE))
    gst_clear_object (&pool);
  return pool;
}

/* Grey, and a white box. The rows are as far apart as the frame says, which is what its GstVideoMeta says. */
static gboolean
draw (App *app, GstBuffer *buffer)
{
  GstVideoFrame frame;
  gint x = app->next * BOX_STEP_PX % MAX (GST_VIDEO_INFO_WIDTH (&app->info) - BOX_PX, 1);

  if (!gst_video_frame_map (&frame, &app->info, buffer, GST_MAP_WRITE))
    return FALSE;
  for (gint y = 0; y < GST_VIDEO_FRAME_HEIGHT (&frame); y++) {
    guint8 *row = (guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&frame, 0) + y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0);
    gint pixel_bytes = GST_VIDEO_FRAME_COMP_PSTRIDE (&frame, 0);

    memset (row, 0x40, GST_VIDEO_FRAME_WIDTH (&frame) * pixel_bytes);
    if (y < BOX_PX)
      memset (row + x * pixel_bytes, 0xff, MIN (BOX_PX, GST_VIDEO_FRAME_WIDTH (&frame)) * pixel_bytes);
  }
  gst_video_frame_unmap (&frame);
  return TRUE;
}

/* Streaming thread. One frame for each call: appsrc then asks again. */
static void
on_need_data (GstAppSrc *src, guint length, gpointer user_data)
{
  App *app = user_data;
  GstBuffer *buffer = NULL;

  if (app->next == app->n_frames) {
    gst_app_src_end_of_stream (src);
    return;
  }
  if (!app->pool && !(app->pool = ask_for_pool (app))) {
    GST_ELEMENT_ERROR (app->src, RESOURCE, NO_SPACE_LEFT, ("There is no pool for the frames."), (NULL));
    return;
  }
  /* waits until a page is free; the sink ends the wait when the pipeline stops */
  if (gst_buffer_pool_acquire_buffer (app->pool, &buffer, NULL) != GST_FLOW_OK)
    return;
  if (!draw (app, buffer)) {
    GST_ELEMENT_ERROR (app->src, RESOURCE, WRITE, ("A frame cannot be drawn."), (NULL));
    gst_buffer_unref (buffer);
    return;
  }
  GST_BUFFER_PTS (buffer) = gst_util_uint64_scale (app->next, GST_SECOND, FRAMES_PER_S);
  GST_BUFFER_DURATION (buffer) = GST_SECOND / FRAMES_PER_S;
  app->next++;
  gst_app_src_push_buffer (src, buffer); /* takes the buffer over */
}

static gboolean
play (App *app)
{
  GstBus *bus = gst_element_get_bus (app->pipeline);
  GstMessage *message;
  gboolean done;

  gst_element_set_state (app->pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  done = GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS;
  if (!done) {
    GError *error;

    gst_message_parse_error (message, &error, NULL);
    g_printerr ("appsrc_pages: %s\n", error->message);
    g_error_free (error);
  }
  gst_message_unref (message);
  gst_object_unref (bus);
  return done;
}

static void
print_stats (App *app)
{
  GstStructure *stats;
  gchar *text;

  g_object_get (app->sink, "frame-stats", &stats, NULL);
  text = gst_structure_to_string (stats);
  g_print ("%s\n", text);
  g_free (text);
  gst_structure_free (stats);
}

int
main (int argc, char **argv)
{
  GstAppSrcCallbacks callbacks = { .need_data = on_need_data };
  App app = { NULL };
  gboolean done;

  gst_init (&argc, &argv);
  app.n_frames = argc > 2 ? strtoul (argv[2], NULL, 10) : 90;
  app.pipeline = gst_pipeline_new (NULL);
  app.src = gst_element_factory_make ("appsrc", NULL);
  app.sink = gst_element_factory_make ("fbdevzerosink", NULL);
  if (!app.src || !app.sink) {
    g_printerr ("appsrc_pages: there is no %s; is GST_PLUGIN_PATH set?\n", app.src ? "fbdevzerosink" : "appsrc");
    return 1;
  }
  g_object_set (app.src, "format", GST_FORMAT_TIME, NULL);
  /* every frame is to be seen, be it late */
  g_object_set (app.sink, "device", argc > 1 ? argv[1] : "virtual:640x480", "max-lateness", (gint64) -1, NULL);
  gst_app_src_set_callbacks (GST_APP_SRC (app.src), &callbacks, &app, NULL);
  gst_bin_add_many (GST_BIN (app.pipeline), app.src, app.sink, NULL);
  gst_element_link (app.src, app.sink);

  /* the display is open from READY on; before, the sink cannot say what the screen is like */
  if (gst_element_set_state (app.pipeline, GST_STATE_READY) == GST_STATE_CHANGE_FAILURE) {
    done = play (&app); /* fails as well, with the error that is on the bus */
  } else if (!choose_caps (&app)) {
    g_printerr ("appsrc_pages: the screen's format is unknown\n");
    done = FALSE;
  } else {
    done = play (&app);
    print_stats (&app);
  }
  gst_element_set_state (app.pipeline, GST_STATE_NULL);
  /* no buffer is out now; the pool is ours to end */
  if (app.pool)
    gst_buffer_pool_set_active (app.pool, FALSE);
  gst_clear_object (&app.pool);
  gst_clear_caps (&app.caps);
  gst_object_unref (app.pipeline);
  return done ? 0 : 1;
}
