/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-avzerodec-codecs.c: avzerodec packet by packet: what a flush forgets, when the codec is opened anew, and that
 * its properties and the flags of interlaced pictures do something.
 */
#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <glib/gstdio.h>
#include <gst/video/video.h>

#include "gstavzerodec-private.h"
#include "test-avzerodec-support.h"

typedef struct
{
  GPtrArray *sums;
  GArray *pts;
} Pictures;

static Stream
load (const gchar *clip, const gchar *demux)
{
  gchar *path = get_clip (clip);
  Stream stream = load_file (path, demux);
  g_free (path);
  return stream;
}

static GstHarness *
new_decoder (const Stream *stream, const gchar *property, const gchar *value)
{
  GstHarness *harness = gst_harness_new ("avzerodec");
  g_object_set (harness->element, "max-errors", -1, NULL);
  if (property)
    gst_util_set_object_arg (G_OBJECT (harness->element), property, value);
  gst_harness_add_propose_allocation_meta (harness, GST_VIDEO_META_API_TYPE, NULL);
  gst_harness_set_src_caps (harness, gst_caps_ref (stream->caps));
  return harness;
}

static void
push (GstHarness *harness, const Stream *stream, guint from, guint end)
{
  for (guint i = from; i < end; i++)
    fail_unless_equals_int (gst_harness_push (harness, gst_buffer_ref (stream->packets->pdata[i])), GST_FLOW_OK);
}

static Pictures
pictures_new (void)
{
  return (Pictures){ g_ptr_array_new_with_free_func (g_free), g_array_new (FALSE, FALSE, sizeof (GstClockTime)) };
}

static void
pictures_free (Pictures *pictures)
{
  g_ptr_array_unref (pictures->sums);
  g_array_unref (pictures->pts);
}

/* Takes what came out so far. */
static void
pull (GstHarness *harness, Pictures *pictures)
{
  GstBuffer *buffer;
  while ((buffer = gst_harness_try_pull (harness))) {
    const GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
    GstVideoInfo info;
    GstVideoFrame picture;
    fail_unless (meta != NULL);
    gst_video_info_set_format (&info, meta->format, meta->width, meta->height);
    fail_unless (gst_video_frame_map (&picture, &info, buffer, GST_MAP_READ));
    g_ptr_array_add (pictures->sums, sum_picture (&picture));
    g_array_append_val (pictures->pts, GST_BUFFER_PTS (buffer));
    gst_video_frame_unmap (&picture);
    gst_buffer_unref (buffer);
  }
}

/* The packets from @from on in a decoder of their own. */
static void
decode_alone (const Stream *stream, guint from, const gchar *property, const gchar *value, Pictures *pictures)
{
  GstHarness *harness = new_decoder (stream, property, value);
  push (harness, stream, from, stream->packets->len);
  gst_harness_push_event (harness, gst_event_new_eos ());
  pull (harness, pictures);
  gst_harness_teardown (harness);
}

static void
expect_same (const Pictures *found, const Pictures *wanted, gboolean pts_too)
{
  fail_unless_equals_int ((int) found->sums->len, (int) wanted->sums->len);
  for (guint i = 0; i < found->sums->len; i++) {
    fail_unless (g_str_equal (found->sums->pdata[i], wanted->sums->pdata[i]), "picture %u differs", i);
    GstClockTime pts = g_array_index (found->pts, GstClockTime, i);
    fail_unless (!pts_too || pts == g_array_index (wanted->pts, GstClockTime, i), "the time of picture %u differs", i);
  }
}

static const struct
{
  const gchar *clip;
  const gchar *demux;
  guint stop; /* the packets before are sent before the flush */
  guint from; /* and those from here on after it */
} flushes[] = {
  { "h264", "qtdemux", 9, 0 }, /* pictures that wait for their turn */
  { "vp8", "matroskademux", 12, 12 }, /* no key frame: it must not be predicted from what was there before */
  { "mpeg2", "mpegpsdemux ! mpegvideoparse", 7, 0 },
};

/* After a flush the same comes out as of a decoder that knows nothing yet. */
GST_START_TEST (flush_forgets_everything)
{
  Stream stream = load (flushes[__i__].clip, flushes[__i__].demux);
  Pictures before = pictures_new (), found = pictures_new (), wanted = pictures_new ();
  GstSegment segment;
  GstHarness *harness = new_decoder (&stream, NULL, NULL);
  push (harness, &stream, 0, flushes[__i__].stop);
  pull (harness, &before);
  fail_unless (gst_harness_push_event (harness, gst_event_new_flush_start ()));
  fail_unless (gst_harness_push_event (harness, gst_event_new_flush_stop (TRUE)));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  fail_unless (gst_harness_push_event (harness, gst_event_new_segment (&segment)));
  push (harness, &stream, flushes[__i__].from, stream.packets->len);
  gst_harness_push_event (harness, gst_event_new_eos ());
  pull (harness, &found);
  gst_harness_teardown (harness);
  decode_alone (&stream, flushes[__i__].from, NULL, NULL, &wanted);
  fail_unless (flushes[__i__].from > 0 || wanted.sums->len == stream.packets->len);
  expect_same (&found, &wanted, TRUE);
  pictures_free (&before);
  pictures_free (&found);
  pictures_free (&wanted);
  unload (&stream);
}
GST_END_TEST

/* The parameter sets of an MP4 are nowhere but in its codec_data. */
GST_START_TEST (other_codec_data_opens_the_codec_anew)
{
  Stream streams[2] = { load ("h264", "qtdemux"), load ("h264-444", "qtdemux") };
  Pictures found = pictures_new (), wanted = pictures_new ();
  const Stream *one = &streams[__i__], *other = &streams[1 - __i__];
  GstHarness *harness = new_decoder (one, NULL, NULL);
  push (harness, one, 0, one->packets->len);
  gst_harness_set_src_caps (harness, gst_caps_ref (other->caps));
  push (harness, other, 0, other->packets->len);
  gst_harness_push_event (harness, gst_event_new_eos ());
  pull (harness, &found);
  gst_harness_teardown (harness);
  decode_alone (one, 0, NULL, NULL, &wanted);
  decode_alone (other, 0, NULL, NULL, &wanted);
  fail_unless_equals_int ((int) wanted.sums->len, 2 * atoi (FRAMES));
  expect_same (&found, &wanted, FALSE);
  pictures_free (&found);
  pictures_free (&wanted);
  unload (&streams[0]);
  unload (&streams[1]);
}
GST_END_TEST

static guint
count_threads_with (const Stream *stream, const gchar *max_threads)
{
  GstHarness *harness = new_decoder (stream, "max-threads", max_threads);
  guint n = 0;
  push (harness, stream, 0, 1);
  GDir *dir = g_dir_open ("/proc/self/task", 0, NULL);
  fail_unless (dir != NULL);
  while (g_dir_read_name (dir))
    n++;
  g_dir_close (dir);
  gst_harness_teardown (harness);
  return n;
}

GST_START_TEST (max_threads_is_how_many_there_are)
{
  Stream stream = load ("h264", "qtdemux");
  guint many = count_threads_with (&stream, "7");
  guint one = count_threads_with (&stream, "1");
  fail_unless (many >= one + 6, "%u threads with max-threads=7, %u with 1", many, one);
  unload (&stream);
}
GST_END_TEST

GST_START_TEST (skip_frame_leaves_frames_out)
{
  Stream stream = load ("h264", "qtdemux");
  Pictures all = pictures_new (), some = pictures_new (), keys = pictures_new ();
  guint n_keys = 0;
  for (guint i = 0; i < stream.packets->len; i++)
    n_keys += !GST_BUFFER_FLAG_IS_SET (stream.packets->pdata[i], GST_BUFFER_FLAG_DELTA_UNIT);
  decode_alone (&stream, 0, "skip-frame", "default", &all);
  decode_alone (&stream, 0, "skip-frame", "nonref", &some);
  decode_alone (&stream, 0, "skip-frame", "nonkey", &keys);
  fail_unless_equals_int ((int) all.sums->len, (int) stream.packets->len);
  fail_unless (some.sums->len < all.sums->len && some.sums->len > n_keys, "%u of %u", some.sums->len, all.sums->len);
  fail_unless_equals_int ((int) keys.sums->len, (int) n_keys);
  fail_unless (g_str_equal (keys.sums->pdata[0], all.sums->pdata[0]));
  pictures_free (&all);
  pictures_free (&some);
  pictures_free (&keys);
  unload (&stream);
}
GST_END_TEST

static const struct
{
  const gchar *fields; /* what ffmpeg is told; NULL = no interlacing */
  const gchar *top;
  guint flags;
} interlacings[] = {
  { "tff", "1", GST_VIDEO_BUFFER_FLAG_INTERLACED | GST_VIDEO_BUFFER_FLAG_TFF },
  { "bff", "0", GST_VIDEO_BUFFER_FLAG_INTERLACED },
  { NULL, NULL, 0 },
};

/* A bare MPEG-2 stream of interlaced pictures. */
static gchar *
get_interlaced_clip (const gchar *fields, const gchar *top)
{
  gchar *name = g_strdup_printf ("mpeg2-%s.m2v", fields), *part = g_strconcat (name, ".part", NULL);
  const gchar *dir = g_getenv ("BA_CLIP_DIR") ? g_getenv ("BA_CLIP_DIR") : g_get_tmp_dir ();
  gchar *path = g_build_filename (dir, name, NULL), *made = g_build_filename (dir, part, NULL);
  gchar *command = g_strdup_printf ("ffmpeg -nostdin -loglevel error -y -f lavfi -i "
                                    "testsrc2=size=160x128:rate=25,setfield=%s -frames:v 8 -c:v mpeg2video -bf 2 "
                                    "-flags +ildct+ilme -top %s -f mpeg2video \"%s\"",
                                    fields, top, made);
  gint status = -1;
  g_mkdir_with_parents (dir, 0755);
  fail_unless (g_spawn_command_line_sync (command, NULL, NULL, &status, NULL) && status == 0, "%s", command);
  fail_unless (g_rename (made, path) == 0);
  g_free (name);
  g_free (part);
  g_free (made);
  g_free (command);
  return path;
}

GST_START_TEST (interlaced_pictures_say_so)
{
  const guint all = GST_VIDEO_BUFFER_FLAG_INTERLACED | GST_VIDEO_BUFFER_FLAG_TFF | GST_VIDEO_BUFFER_FLAG_RFF;
  const gchar *fields = interlacings[__i__].fields;
  gchar *path = fields ? get_interlaced_clip (fields, interlacings[__i__].top) : get_clip ("mpeg2");
  Stream stream = load_file (path, fields ? "mpegvideoparse" : "mpegpsdemux ! mpegvideoparse");
  GstHarness *harness = new_decoder (&stream, NULL, NULL);
  GstBuffer *buffer;
  guint n = 0;
  push (harness, &stream, 0, stream.packets->len);
  gst_harness_push_event (harness, gst_event_new_eos ());
  GstCaps *caps = gst_pad_get_current_caps (harness->sinkpad);
  const gchar *mode = gst_structure_get_string (gst_caps_get_structure (caps, 0), "interlace-mode");
  fail_unless ((fields == NULL) == g_str_equal (mode, "progressive"), "%s", mode);
  while ((buffer = gst_harness_try_pull (harness))) {
    fail_unless_equals_int ((int) (GST_BUFFER_FLAGS (buffer) & all), (int) interlacings[__i__].flags);
    gst_buffer_unref (buffer);
    n++;
  }
  fail_unless_equals_int ((int) n, (int) stream.packets->len);
  gst_caps_unref (caps);
  gst_harness_teardown (harness);
  unload (&stream);
  g_free (path);
}
GST_END_TEST

/* One error that says what to do, and nothing counted. */
GST_START_TEST (format_that_nobody_takes_is_one_clear_error)
{
  Stream stream = load ("h264-444", "qtdemux");
  GstHarness *harness = gst_harness_new ("avzerodec");
  GstBus *bus = gst_bus_new ();
  GstStructure *stats = NULL;
  GstMessage *message;
  guint n_errors = 0;
  GstFlowReturn flow = GST_FLOW_OK;
  gst_element_set_bus (harness->element, bus);
  gst_harness_set_sink_caps_str (harness, "video/x-raw, format={ I420, NV12 }");
  gst_harness_set_src_caps (harness, gst_caps_ref (stream.caps));
  for (guint i = 0; i < stream.packets->len && flow == GST_FLOW_OK; i++)
    flow = gst_harness_push (harness, gst_buffer_ref (stream.packets->pdata[i]));
  gst_harness_push_event (harness, gst_event_new_eos ());
  fail_unless_equals_int (flow, GST_FLOW_NOT_NEGOTIATED);
  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR))) {
    GError *error = NULL;
    gst_message_parse_error (message, &error, NULL);
    fail_unless (g_error_matches (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT));
    fail_unless (strstr (error->message, "Y444") && strstr (error->message, "videoconvert"), "%s", error->message);
    g_error_free (error);
    gst_message_unref (message);
    n_errors++;
  }
  fail_unless_equals_int ((int) n_errors, 1);
  g_object_get (harness->element, "frame-stats", &stats, NULL);
  for (guint i = 0; i < 3; i++) {
    static const gchar *names[] = { "direct", "wrapped", "copied" };
    guint64 count = 1;
    fail_unless (gst_structure_get_uint64 (stats, names[i], &count));
    fail_unless (count == 0, "%s=%" G_GUINT64_FORMAT, names[i], count);
  }
  fail_unless_equals_string (gst_structure_get_string (stats, "reason"), "");
  gst_structure_free (stats);
  gst_element_set_bus (harness->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (harness);
  unload (&stream);
}
GST_END_TEST

/* Whose decoders refuse to open without headers that only an encoder can make; those that have one are opened with
 * real streams in pipelines/bitexact.py. */
static const enum AVCodecID picky[] = {
  AV_CODEC_ID_THEORA,  AV_CODEC_ID_MSS1,    AV_CODEC_ID_MSS2,     AV_CODEC_ID_HUFFYUV,
  AV_CODEC_ID_FFVHUFF, AV_CODEC_ID_UTVIDEO, AV_CODEC_ID_LOCO,     AV_CODEC_ID_4XM,
  AV_CODEC_ID_IDCIN,   AV_CODEC_ID_WS_VQA,  AV_CODEC_ID_VMDVIDEO,
};

/* What demuxers say of streams of 64x48 besides. */
static const struct
{
  enum AVCodecID id;
  const gchar *extra;
} extras[] = {
  { AV_CODEC_ID_VC1, "codec_data=(buffer)0000010fda0001f017080000010e4000" },
  { AV_CODEC_ID_WMV3, "codec_data=(buffer)40010001" },
  { AV_CODEC_ID_RV10, "codec_data=(buffer)0000000810000000" },
  { AV_CODEC_ID_RV20, "codec_data=(buffer)0000000820103001" },
  { AV_CODEC_ID_SPEEDHQ, "variant=(string)SHQ2" },
  { AV_CODEC_ID_SVQ3, "seqh=(buffer)6000000000000000" },
  { AV_CODEC_ID_CSCD, "depth=(int)24" },
  { AV_CODEC_ID_TSCC, "depth=(int)32" },
  { AV_CODEC_ID_VMNC, "depth=(int)32" },
  { AV_CODEC_ID_QTRLE, "depth=(int)24" },
  { AV_CODEC_ID_MSRLE, "depth=(int)8" },
  { AV_CODEC_ID_AASC, "depth=(int)24, codec_data=(buffer)00000000" },
  { AV_CODEC_ID_8BPS, "depth=(int)24" },
};

/* One structure of a row's caps as a demuxer would fill it: with nothing besides, with what the codec needs, or with
 * extra data that says nothing. */
static GstCaps *
fill_caps (const GstStructure *row, enum AVCodecID id, guint variant)
{
  const gchar *more = variant == 2 ? "codec_data=(buffer)00000000000000000000000000000000" : NULL;
  for (guint i = 0; variant == 1 && i < G_N_ELEMENTS (extras); i++) {
    if (extras[i].id == id)
      more = extras[i].extra;
  }
  GstCaps *caps = gst_caps_new_full (gst_structure_copy (row), NULL);
  gst_caps_set_simple (caps, "width", G_TYPE_INT, 64, "height", G_TYPE_INT, 48, "framerate", GST_TYPE_FRACTION, 25, 1,
                       NULL);
  if (more) {
    gchar *text = g_strconcat ("more, ", more, NULL);
    GstStructure *fields = gst_structure_from_string (text, NULL);
    for (gint i = 0; i < gst_structure_n_fields (fields); i++) {
      const gchar *name = gst_structure_nth_field_name (fields, (guint) i);
      gst_caps_set_value (caps, name, gst_structure_get_value (fields, name));
    }
    gst_structure_free (fields);
    g_free (text);
  }
  return gst_caps_fixate (caps);
}

/* TRUE where the decoder was opened. */
static gboolean
feed_garbage (GstCaps *caps, GRand *random)
{
  GstHarness *harness = gst_harness_new ("avzerodec");
  g_object_set (harness->element, "max-errors", -1, "max-threads", 1, NULL);
  gst_harness_add_propose_allocation_meta (harness, GST_VIDEO_META_API_TYPE, NULL);
  gst_harness_set_src_caps (harness, gst_caps_ref (caps));
  gboolean opened = FALSE;
  for (guint i = 0; i < 12; i++) {
    gsize size_bytes = (gsize) g_rand_int_range (random, 1, 2000);
    GstBuffer *buffer = gst_buffer_new_allocate (NULL, size_bytes, NULL);
    GstMapInfo map;
    fail_unless (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
    for (gsize at = 0; at < size_bytes; at++)
      map.data[at] = (guint8) g_rand_int (random);
    gst_buffer_unmap (buffer, &map);
    GST_BUFFER_PTS (buffer) = i * GST_SECOND / 25;
    opened |= gst_harness_push (harness, buffer) == GST_FLOW_OK;
  }
  gst_harness_push_event (harness, gst_event_new_eos ());
  gst_harness_teardown (harness);
  return opened;
}

static gboolean
is_picky (enum AVCodecID id)
{
  for (guint i = 0; i < G_N_ELEMENTS (picky); i++) {
    if (picky[i] == id)
      return TRUE;
  }
  return FALSE;
}

static void
try_codec (guint index)
{
  const GstAvZeroCodec *codec = gst_av_zero_codecs_get (index);
  GstCaps *row = gst_av_zero_codec_get_caps (codec);
  GRand *random = g_rand_new_with_seed (0x5eed0000u + index);
  gboolean opened = FALSE;
  fail_unless (row != NULL && !gst_caps_is_empty (row), "%s", avcodec_get_name (codec->id));
  for (guint i = 0; i < gst_caps_get_size (row); i++) {
    for (guint variant = 0; variant < 3; variant++) {
      GstCaps *caps = fill_caps (gst_caps_get_structure (row, i), codec->id, variant);
      fail_unless (gst_av_zero_codecs_find (caps) == codec, "%s: %" GST_PTR_FORMAT, avcodec_get_name (codec->id),
                   (gpointer) caps);
      opened |= feed_garbage (caps, random);
      gst_caps_unref (caps);
    }
  }
  fail_unless (opened != is_picky (codec->id), "%s was %sopened", avcodec_get_name (codec->id), opened ? "" : "not ");
  g_rand_free (random);
  gst_caps_unref (row);
}

#define GROUPS 12 /* each a process, which the sanitizers make slow at its end */

/* Of every row: the element takes its caps, finds this very row by them, opens the decoder, and outlives garbage. */
GST_START_TEST (every_codec_opens_and_outlives_garbage)
{
  for (guint i = (guint) __i__; i < gst_av_zero_codecs_get_n (); i += GROUPS)
    try_codec (i);
}
GST_END_TEST

static Suite *
avzerodec_codecs_suite (void)
{
  Suite *suite = suite_create ("avzerodec-codecs");
  load_plugins ();
  TCase *tcase = tcase_create ("packets");
  watch_over (tcase);
  suite_add_tcase (suite, tcase);
  tcase_add_loop_test (tcase, flush_forgets_everything, 0, G_N_ELEMENTS (flushes));
  tcase_add_loop_test (tcase, other_codec_data_opens_the_codec_anew, 0, 2);
  tcase_add_test (tcase, max_threads_is_how_many_there_are);
  tcase_add_test (tcase, skip_frame_leaves_frames_out);
  tcase_add_loop_test (tcase, interlaced_pictures_say_so, 0, G_N_ELEMENTS (interlacings));
  tcase_add_test (tcase, format_that_nobody_takes_is_one_clear_error);
  tcase_add_loop_test (tcase, every_codec_opens_and_outlives_garbage, 0, GROUPS);
  return suite;
}

GST_CHECK_MAIN (avzerodec_codecs)
