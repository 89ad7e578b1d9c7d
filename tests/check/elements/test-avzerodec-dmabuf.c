/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-avzerodec-dmabuf.c: codecs decode into the cached dmabufs that the sink offers, which its card shows where they
 * lie: no picture is copied, all are those of the stock decoder and stay so while they are held, memory is used again,
 * and what the CPU does is between brackets.
 */
#include "fake-dmabufs.h"

#include <gst/allocators/gstdmabuf.h>
#include <gst/video/video.h>

#define FRAMES 40
#define SETTINGS "device=" FAKE_CARD_PATH " pages=3 sync=false"

typedef struct
{
  const gchar *source, *encoder, *stock, *settings;
  gboolean reads_back;
} Codec;

#define RAW(format)                                                                                                    \
  "videotestsrc pattern=ball num-buffers=40 ! video/x-raw,format=" format ",width=200,height=100,framerate=30/1"

static const Codec codecs[] = {
  { RAW ("BGRx"), "avenc_ffv1", "avdec_ffv1", "", FALSE },
  { RAW ("I420"), "jpegenc ! jpegparse", "avdec_mjpeg", "", FALSE },
  { RAW ("I420"), "x264enc bframes=3 b-adapt=false key-int-max=16 speed-preset=veryfast ! h264parse", "avdec_h264",
    "thread-type=slice", TRUE },
  /* that they are fields is known after the first one was begun */
  { RAW ("I420"), "x264enc interlaced=true key-int-max=16 speed-preset=veryfast ! h264parse", "avdec_h264",
    "max-threads=1", TRUE },
  { RAW ("I420"), "avenc_mpeg4 max-bframes=2 ! mpeg4videoparse", "avdec_mpeg4", "max-threads=1", TRUE },
};

/* What goes in, what has to come out, and what came. */
typedef struct
{
  const Codec *codec;
  GstCaps *caps, *picture_caps;
  GPtrArray *packets, *pictures, *shown;
  gboolean holds; /* each picture to the end */
  guint n_shown;
} Run;

static void
keep (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  Run *run = data;
  gboolean is_packet = strcmp (GST_OBJECT_NAME (sink), "packets") == 0;
  GstCaps **caps = is_packet ? &run->caps : &run->picture_caps;

  if (!*caps)
    *caps = gst_pad_get_current_caps (pad);
  g_ptr_array_add (is_packet ? run->packets : run->pictures, gst_buffer_ref (buffer));
}

/* What the encoder makes, and what the stock decoder makes of that: one thread, so that one buffer more is no news. */
static Run
run_new (const Codec *codec)
{
  Run run = { .codec = codec };
  gchar *text = g_strdup_printf ("%s ! %s ! tee name=t ! queue max-size-buffers=0 ! fakesink async=false name=packets "
                                 "signal-handoffs=true t. ! queue max-size-buffers=0 ! %s ! fakesink async=false "
                                 "name=pictures signal-handoffs=true",
                                 codec->source, codec->encoder, codec->stock);
  GstElement *pipeline = gst_parse_launch (text, NULL);
  static const gchar *const names[] = { "packets", "pictures" };

  ck_assert_msg (GST_IS_PIPELINE (pipeline), "%s", text);
  run.packets = g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
  run.pictures = g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
  run.shown = g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), names[i]);
    g_signal_connect (sink, "handoff", G_CALLBACK (keep), &run);
    gst_object_unref (sink);
  }
  GstBus *bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  GstMessage *message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  ck_assert_msg (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS, "%s", text);
  gst_message_unref (message);
  gst_object_unref (bus);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
  ck_assert_uint_eq (run.pictures->len, FRAMES);
  g_free (text);
  return run;
}

static void
run_free (Run *run)
{
  gst_caps_unref (run->caps);
  gst_caps_unref (run->picture_caps);
  g_ptr_array_unref (run->packets);
  g_ptr_array_unref (run->pictures);
}

/* What is to be seen of picture @n is that of the stock decoder. */
static void
assert_same (const Run *run, GstBuffer *buffer, guint n)
{
  GstVideoFrame wanted, found;
  GstVideoInfo info;

  ck_assert (gst_video_info_from_caps (&info, run->picture_caps));
  ck_assert_uint_lt (n, run->pictures->len);
  ck_assert (gst_video_frame_map (&wanted, &info, g_ptr_array_index (run->pictures, n), GST_MAP_READ));
  ck_assert (gst_video_frame_map (&found, &info, buffer, GST_MAP_READ));
  for (guint i = 0; i < GST_VIDEO_FRAME_N_PLANES (&found); i++) {
    gsize row_bytes = GST_VIDEO_FRAME_COMP_WIDTH (&found, i) * GST_VIDEO_FRAME_COMP_PSTRIDE (&found, i);

    for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (&found, i); y++) {
      const guint8 *a = GST_VIDEO_FRAME_PLANE_DATA (&wanted, i), *b = GST_VIDEO_FRAME_PLANE_DATA (&found, i);

      ck_assert_msg (memcmp (a + y * GST_VIDEO_FRAME_PLANE_STRIDE (&wanted, i),
                             b + y * GST_VIDEO_FRAME_PLANE_STRIDE (&found, i), row_bytes)
                         == 0,
                     "%s: line %d of plane %u of picture %u is another one", run->codec->stock, y, i, n);
    }
  }
  gst_video_frame_unmap (&found);
  gst_video_frame_unmap (&wanted);
}

/* A picture on its way from the decoder to the sink. */
static GstPadProbeReturn
look (GstPad *pad, GstPadProbeInfo *probe, gpointer data)
{
  Run *run = data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (probe);
  GstMemory *memory = gst_buffer_peek_memory (buffer, 0);
  GstMapInfo map;

  (void) pad;
  if (!gst_is_dmabuf_memory (memory)) {
    ck_assert_uint_gt (sources.most, 0);
    assert_same (run, buffer, run->n_shown++);
    return GST_PAD_PROBE_OK;
  }
  if (!run->codec->reads_back) /* nobody works in any of them now */
    ck_assert_uint_eq (sources.n_begun, sources.n_ended);
  else if (run->n_shown == 0) { /* the others are predicted from it */
    ck_assert_uint_gt (sources.n_begun, sources.n_ended);
    ck_assert (!gst_memory_map (memory, &map, GST_MAP_WRITE));
  }
  assert_same (run, buffer, run->n_shown++);
  if (run->holds)
    g_ptr_array_add (run->shown, gst_buffer_ref (buffer));
  return GST_PAD_PROBE_OK;
}

static void
assert_all_direct (const Player *player)
{
  GstElement *decoder = gst_bin_get_by_name (GST_BIN (player->pipeline), "dec");
  GstStructure *stats;
  guint64 direct, wrapped, copied;

  g_object_get (decoder, "frame-stats", &stats, NULL);
  ck_assert (gst_structure_get (stats, "direct", G_TYPE_UINT64, &direct, "wrapped", G_TYPE_UINT64, &wrapped, "copied",
                                G_TYPE_UINT64, &copied, NULL));
  ck_assert_msg (direct == FRAMES && wrapped == 0 && copied == 0, "%u direct, %u wrapped, %u copied: %s",
                 (guint) direct, (guint) wrapped, (guint) copied, gst_structure_get_string (stats, "reason"));
  gst_structure_free (stats);
  gst_object_unref (decoder);
}

/* The decoder's own sink pad is fed, all in this thread. */
static Feeder
start (Run *run, const gchar *settings)
{
  gchar *launch = g_strdup_printf ("avzerodec name=dec %s !", run->codec->settings);
  GstSegment segment;

  fake_kms_ready (&fake);
  Feeder feeder = { .player = player_new (launch, settings), .pad = gst_pad_new ("src", GST_PAD_SRC) };
  GstElement *decoder = gst_bin_get_by_name (GST_BIN (feeder.player.pipeline), "dec");
  feeder.peer = gst_element_get_static_pad (decoder, "sink");
  GstPad *sink_pad = gst_element_get_static_pad (feeder.player.sink, "sink");
  gst_pad_add_probe (sink_pad, GST_PAD_PROBE_TYPE_BUFFER, look, run, NULL);
  gst_object_unref (sink_pad);
  gst_object_unref (decoder);
  g_object_set (feeder.player.sink, "enable-last-sample", FALSE, NULL);
  gst_pad_set_active (feeder.pad, TRUE);
  ck_assert_int_eq (gst_pad_link (feeder.pad, feeder.peer), GST_PAD_LINK_OK);
  player_set (&feeder.player, GST_STATE_PLAYING);
  gst_pad_push_event (feeder.pad, gst_event_new_stream_start ("test"));
  ck_assert (gst_pad_push_event (feeder.pad, gst_event_new_caps (run->caps)));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  ck_assert (gst_pad_push_event (feeder.pad, gst_event_new_segment (&segment)));
  g_free (launch);
  return feeder;
}

static void
push_all (Run *run, Feeder *feeder)
{
  for (guint i = 0; i < run->packets->len; i++)
    ck_assert_int_eq (gst_pad_push (feeder->pad, gst_buffer_ref (g_ptr_array_index (run->packets, i))), GST_FLOW_OK);
  ck_assert (gst_pad_push_event (feeder->pad, gst_event_new_eos ()));
  ck_assert_uint_eq (run->n_shown, FRAMES);
}

static void
play (Run *run)
{
  begin ();
  Feeder feeder = start (run, SETTINGS);
  push_all (run, &feeder);
  ck_assert (shows_import ());
  assert_counts (&feeder.player, FRAMES, 0, 0);
  ck_assert_uint_eq (player_count (&feeder.player, "bytes-written"), 0);
  assert_all_direct (&feeder.player);
  for (guint i = 0; i < run->shown->len; i++) /* nobody wrote into what was still held */
    assert_same (run, g_ptr_array_index (run->shown, i), i);
  if (!run->holds)
    ck_assert_uint_lt (sources.n_made, FRAMES / 2);
  g_ptr_array_unref (run->shown);
  end (&feeder);
}

START_TEST (pictures_are_decoded_where_the_screen_shows_them)
{
  for (guint i = 0; i < G_N_ELEMENTS (codecs); i++) {
    Run run = run_new (&codecs[i]);
    play (&run);
    run_free (&run);
  }
}
END_TEST

START_TEST (pictures_that_are_held_stay_as_they_were)
{
  for (guint i = 0; i < G_N_ELEMENTS (codecs); i++) {
    Run run = run_new (&codecs[i]);
    run.holds = TRUE;
    play (&run);
    run_free (&run);
  }
}
END_TEST

/* Where there is no more of it, single pictures are decoded into other memory, and others are predicted from those. */
START_TEST (pictures_are_right_where_there_is_no_more_of_it)
{
  for (guint i = 0; i < G_N_ELEMENTS (codecs); i++) {
    Run run = run_new (&codecs[i]);
    begin ();
    sources.most = 4; /* one is the sink's, to try */
    Feeder feeder = start (&run, SETTINGS);
    push_all (&run, &feeder);
    ck_assert_uint_eq (player_count (&feeder.player, "flipped") + player_count (&feeder.player, "copied"), FRAMES);
    ck_assert_uint_gt (player_count (&feeder.player, "flipped"), 0);
    if (codecs[i].reads_back)
      ck_assert_uint_gt (player_count (&feeder.player, "copied"), 0);
    g_ptr_array_unref (run.shown);
    end (&feeder);
    run_free (&run);
  }
}
END_TEST

/* What is to be seen begins in the middle of what is decoded: the same memory, at another byte. The stock decoder crops
 * by whole 64 columns only. */
START_TEST (a_cropped_picture_is_shown_where_it_lies)
{
  gchar *path, *error = NULL;
  gint status = -1, fd = g_file_open_tmp ("crop-XXXXXX", &path, NULL);

  close (fd);
  gchar *command = g_strdup_printf ("ffmpeg -nostdin -loglevel error -y -f lavfi -i testsrc2=size=264x112:rate=30 "
                                    "-frames:v 40 -c:v libx264 -preset veryfast -pix_fmt yuv420p -bf 2 "
                                    "-bsf:v h264_metadata=crop_left=64:crop_top=12 -f h264 %s",
                                    path);
  gchar *source = g_strdup_printf ("filesrc location=%s", path);
  Codec codec = { source, "h264parse", "avdec_h264", "max-threads=1", TRUE };
  ck_assert (g_spawn_command_line_sync (command, NULL, &error, &status, NULL));
  ck_assert_msg (status == 0, "%s", error);
  Run run = run_new (&codec);
  play (&run);
  run_free (&run);
  g_unlink (path);
  g_free (path);
  g_free (error);
  g_free (command);
  g_free (source);
}
END_TEST

RUN ("avzerodec-dmabuf", a_cropped_picture_is_shown_where_it_lies, pictures_are_right_where_there_is_no_more_of_it,
     pictures_are_decoded_where_the_screen_shows_them, pictures_that_are_held_stay_as_they_were)
