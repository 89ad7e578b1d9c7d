/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * push_decoded.c: an application that decodes with libavcodec itself and shows the frames without copying them.
 *
 *   push_decoded FILE [DEVICE]
 *
 * Each AVFrame is wrapped (gst_ba_avframe_buffer_new) and pushed through appsrc; the sink converts it once, from the
 * decoder's memory into a page of the screen. At the end it prints the sink's frame-stats, where `converted` (or
 * `flipped`, never `copied`) is the number of frames.
 */
#include <gst/app/gstappsrc.h>
#include <gst/bufalloc/gstbaavframe.h>
#include <gst/bufalloc/gstbufalloc.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

#define FRAMES_IN_FLIGHT 4

typedef struct
{
  AVFormatContext *input;
  AVCodecContext *codec;
  AVStream *stream;
  GstElement *pipeline;
  GstElement *src;
  GstElement *sink;
  GstVideoInfo info; /* of the caps that were set last */
  gint64 first_ts; /* in the stream's time base; AV_NOPTS_VALUE until there is one */
  const gchar *trouble;
} App;

static gboolean
open_file (App *app, const char *path)
{
  const AVCodec *decoder;
  int index;

  if (avformat_open_input (&app->input, path, NULL, NULL) < 0 || avformat_find_stream_info (app->input, NULL) < 0) {
    app->trouble = "it cannot be opened";
    return FALSE;
  }
  index = av_find_best_stream (app->input, AVMEDIA_TYPE_VIDEO, -1, -1, &decoder, 0);
  if (index < 0) {
    app->trouble = "there is no video in it that libavcodec decodes";
    return FALSE;
  }
  app->stream = app->input->streams[index];
  app->codec = avcodec_alloc_context3 (decoder);
  if (!app->codec || avcodec_parameters_to_context (app->codec, app->stream->codecpar) < 0
      || avcodec_open2 (app->codec, decoder, NULL) < 0) {
    app->trouble = "its decoder cannot be opened";
    return FALSE;
  }
  return TRUE;
}

static GstVideoColorRange
range_of (const AVFrame *frame)
{
  switch (frame->color_range) {
    case AVCOL_RANGE_JPEG:
      return GST_VIDEO_COLOR_RANGE_0_255;
    case AVCOL_RANGE_MPEG:
      return GST_VIDEO_COLOR_RANGE_16_235;
    default:
      return GST_VIDEO_COLOR_RANGE_UNKNOWN;
  }
}

/* What the frame is, for caps: FFmpeg and GStreamer number the colours by the same standard (ISO/IEC 23001-8). */
static gboolean
describe (App *app, const AVFrame *frame, GstVideoInfo *info)
{
  AVRational rate = av_guess_frame_rate (app->input, app->stream, NULL);
  GstVideoFormat format = gst_ba_format_from_av (frame->format);

  if (format == GST_VIDEO_FORMAT_UNKNOWN || !gst_video_info_set_format (info, format, frame->width, frame->height))
    return FALSE;
  if (rate.num > 0 && rate.den > 0) {
    GST_VIDEO_INFO_FPS_N (info) = rate.num;
    GST_VIDEO_INFO_FPS_D (info) = rate.den;
  }
  if (frame->sample_aspect_ratio.num > 0 && frame->sample_aspect_ratio.den > 0) {
    GST_VIDEO_INFO_PAR_N (info) = frame->sample_aspect_ratio.num;
    GST_VIDEO_INFO_PAR_D (info) = frame->sample_aspect_ratio.den;
  }
  if (range_of (frame) != GST_VIDEO_COLOR_RANGE_UNKNOWN)
    info->colorimetry.range = range_of (frame);
  if (frame->colorspace != AVCOL_SPC_UNSPECIFIED && !GST_VIDEO_INFO_IS_RGB (info))
    info->colorimetry.matrix = gst_video_color_matrix_from_iso (frame->colorspace);
  if (frame->color_primaries != AVCOL_PRI_UNSPECIFIED)
    info->colorimetry.primaries = gst_video_color_primaries_from_iso (frame->color_primaries);
  if (frame->color_trc != AVCOL_TRC_UNSPECIFIED)
    info->colorimetry.transfer = gst_video_transfer_function_from_iso (frame->color_trc);
  return TRUE;
}

static GstClockTime
to_time (App *app, gint64 ts)
{
  gint64 ns = av_rescale_q (ts, app->stream->time_base, (AVRational){ 1, 1000000000 });

  return ns < 0 ? 0 : (GstClockTime) ns;
}

/* FALSE ends the decoding: an error, or the pipeline stops. */
static gboolean
push_frame (App *app, const AVFrame *frame)
{
  GstVideoInfo info;
  BaError error = { 0 };
  GstBuffer *buffer;

  if (!describe (app, frame, &info)) {
    app->trouble = "GStreamer has no name for its pixels";
    return FALSE;
  }
  if (!gst_video_info_is_equal (&info, &app->info)) {
    GstCaps *caps = gst_video_info_to_caps (&info);

    gst_app_src_set_caps (GST_APP_SRC (app->src), caps); /* queued, in its place between the buffers */
    gst_caps_unref (caps);
    app->info = info;
  }
  buffer = gst_ba_avframe_buffer_new (frame, &error); /* has a reference of its own: the frame may be reused */
  if (!buffer) {
    g_printerr ("push_decoded: a frame cannot be wrapped: %s\n", error.message);
    return FALSE;
  }
  if (frame->best_effort_timestamp != AV_NOPTS_VALUE) {
    if (app->first_ts == AV_NOPTS_VALUE)
      app->first_ts = frame->best_effort_timestamp;
    GST_BUFFER_PTS (buffer) = to_time (app, frame->best_effort_timestamp - app->first_ts);
  }
  if (frame->pkt_duration > 0)
    GST_BUFFER_DURATION (buffer) = to_time (app, frame->pkt_duration);
  /* waits while there are FRAMES_IN_FLIGHT in the queue: without that the decoder would run ahead of the screen */
  return gst_app_src_push_buffer (GST_APP_SRC (app->src), buffer) == GST_FLOW_OK;
}

/* Its own thread: pushing blocks. */
static gpointer
decode_main (gpointer data)
{
  App *app = data;
  AVPacket *packet = av_packet_alloc ();
  AVFrame *frame = av_frame_alloc ();
  gboolean more = packet && frame;

  while (more) {
    gboolean end = av_read_frame (app->input, packet) < 0;

    if (!end && packet->stream_index != app->stream->index) {
      av_packet_unref (packet);
      continue;
    }
    if (avcodec_send_packet (app->codec, end ? NULL : packet) < 0 && end)
      more = FALSE; /* a packet that is broken is skipped */
    av_packet_unref (packet);
    while (more && avcodec_receive_frame (app->codec, frame) == 0) {
      more = push_frame (app, frame);
      av_frame_unref (frame);
    }
    more = more && !end;
  }
  av_frame_free (&frame);
  av_packet_free (&packet);
  gst_app_src_end_of_stream (GST_APP_SRC (app->src));
  return NULL;
}

static gboolean
make_pipeline (App *app, const char *device)
{
  app->pipeline = gst_pipeline_new (NULL);
  app->src = gst_element_factory_make ("appsrc", NULL);
  app->sink = gst_element_factory_make ("fbdevzerosink", NULL);
  if (!app->src || !app->sink) {
    g_printerr ("push_decoded: there is no %s; is GST_PLUGIN_PATH set?\n", app->src ? "fbdevzerosink" : "appsrc");
    return FALSE;
  }
  g_object_set (app->src, "format", GST_FORMAT_TIME, "block", TRUE, "max-buffers", (guint64) FRAMES_IN_FLIGHT,
                "max-bytes", (guint64) 0, NULL);
  g_object_set (app->sink, "device", device, NULL);
  gst_bin_add_many (GST_BIN (app->pipeline), app->src, app->sink, NULL);
  return gst_element_link (app->src, app->sink);
}

static gboolean
play (App *app)
{
  GstBus *bus = gst_element_get_bus (app->pipeline);
  GstStructure *stats;
  GstMessage *message;
  GThread *decoder;
  gboolean done;
  gchar *text;

  gst_element_set_state (app->pipeline, GST_STATE_PLAYING);
  decoder = g_thread_new ("decode", decode_main, app);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  done = GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS && !app->trouble;
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    GError *error;

    gst_message_parse_error (message, &error, NULL);
    g_printerr ("push_decoded: %s\n", error->message);
    g_error_free (error);
  }
  g_object_get (app->sink, "frame-stats", &stats, NULL);
  text = gst_structure_to_string (stats);
  g_print ("%s\n", text);
  g_free (text);
  gst_structure_free (stats);
  gst_element_set_state (app->pipeline, GST_STATE_NULL); /* ends a push that still waits */
  g_thread_join (decoder);
  gst_message_unref (message);
  gst_object_unref (bus);
  return done;
}

int
main (int argc, char **argv)
{
  App app = { .first_ts = AV_NOPTS_VALUE };
  gboolean done;

  gst_init (&argc, &argv);
  gst_ba_init ();
  gst_video_info_init (&app.info);
  if (argc < 2) {
    g_printerr ("usage: push_decoded FILE [DEVICE]\n");
    return 2;
  }
  done = open_file (&app, argv[1]) && make_pipeline (&app, argc > 2 ? argv[2] : "virtual:640x480") && play (&app);
  if (app.trouble)
    g_printerr ("push_decoded: %s: %s\n", argv[1], app.trouble);
  if (app.pipeline)
    gst_object_unref (app.pipeline);
  avcodec_free_context (&app.codec); /* frames that are still wrapped would outlive it */
  avformat_close_input (&app.input);
  return done ? 0 : 1;
}
