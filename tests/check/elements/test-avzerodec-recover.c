/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-avzerodec-recover.c: what libavcodec would keep of damage, and what cannot be opened: at the next key frame all
 * is as it was, or there is one error.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RTLD_NEXT */
#endif
#include <dlfcn.h>
#include <gmodule.h>
#include <gst/check/gstcheck.h>
#include <gst/video/video.h>
#include <libavcodec/avcodec.h>

#include "test-avzerodec-trace.h"
#include "test-h264-header.h"

#define GROUP 12
#define X264 "-frames:v 48 -c:v libx264 -preset veryfast -g 12 "
#define BYTES "h264parse config-interval=-1 ! video/x-h264,stream-format=byte-stream,alignment=au"
#define OURS "avzerodec name=dec max-threads=1"

/* In the place of libavcodec's own, for the plugin too: it fails when a test says so. */
static gboolean open_fails;

G_MODULE_EXPORT int
avcodec_open2 (AVCodecContext *context, const AVCodec *codec, AVDictionary **options)
{
  int (*next) (AVCodecContext *, const AVCodec *, AVDictionary **) = NULL;
  *(void **) &next = dlsym (RTLD_NEXT, "avcodec_open2");
  return open_fails && av_codec_is_decoder (codec) ? AVERROR (ENOMEM) : next (context, codec, options);
}

static GstBuffer *
spoil (GstBuffer *packet, gsize from)
{
  GstBuffer *own = gst_buffer_copy_deep (packet);
  gst_buffer_memset (own, from, 0xff, gst_buffer_get_size (own));
  gst_buffer_unref (packet);
  return own;
}

/* The second group has a header that says less, so that as many pictures are held back as the level allows, and a
 * packet that is cut. */
static GstBuffer *
damage_second_group (const Stream *stream, guint index)
{
  GstBuffer *packet = gst_buffer_ref (stream->packets->pdata[index]);
  if (index == GROUP)
    return without_vui (packet);
  return index == GROUP + 2 ? spoil (packet, gst_buffer_get_size (packet) / 2) : packet;
}

/* Behind the next key frame pictures wait no longer than at the start. */
GST_START_TEST (header_that_was_damaged_delays_no_longer_than_its_group)
{
  Stream stream = load_stream ("recover-b.h264", "98x66", X264 "-bf 3 -b_strategy 0", BYTES);
  GstHarness *harness = new_traced (OURS, &stream, NULL);
  guint most[4] = { 0 };
  for (guint i = 0; i < stream.packets->len; i++) {
    fail_unless_equals_int (gst_harness_push (harness, damage_second_group (&stream, i)), GST_FLOW_OK);
    guint *here = &most[i / GROUP];
    *here = MAX (*here, i + 1 - gst_harness_buffers_received (harness));
  }
  fail_unless (most[1] > most[0] + 4, "%u, then %u: the header delays none", most[0], most[1]);
  fail_unless (most[3] == most[0], "%u, then %u", most[0], most[3]);
  gst_harness_teardown (harness);
  unload (&stream);
}
GST_END_TEST

/* What was found out of the order of pictures is still known behind damage: none comes too late. */
GST_START_TEST (live_pictures_behind_damage_are_all_there)
{
  Stream stream = load_stream ("recover-b.h264", "98x66", X264 "-bf 3 -b_strategy 0", BYTES);
  guint n_before = 0;
  GstHarness *harness = new_traced (OURS, &stream, NULL);
  gst_harness_set_live (harness, TRUE);
  gst_harness_set_src_caps (harness, gst_caps_ref (stream.caps));
  for (guint i = 0; i < stream.packets->len; i++) {
    GstBuffer *packet = without_vui (gst_buffer_ref (stream.packets->pdata[i]));
    if (i == 2 * GROUP)
      n_before = gst_harness_buffers_received (harness);
    packet = i == GROUP + 5 ? spoil (packet, gst_buffer_get_size (packet) / 2) : packet;
    fail_unless_equals_int (gst_harness_push (harness, packet), GST_FLOW_OK);
  }
  gst_harness_push_event (harness, gst_event_new_eos ());
  fail_unless (gst_harness_buffers_received (harness) - n_before >= 2 * GROUP, "%u pictures behind %u",
               gst_harness_buffers_received (harness) - n_before, n_before);
  gst_harness_teardown (harness);
  unload (&stream);
}
GST_END_TEST

/* @most messages, or less, but one. */
static void
expect_error (GstHarness *harness, GstBus *bus, guint most)
{
  GstMessage *message;
  guint n_errors = 0;
  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR))) {
    gst_message_unref (message);
    n_errors++;
  }
  fail_unless (n_errors >= 1 && n_errors <= most, "%u errors", n_errors);
  gst_element_set_bus (harness->element, NULL);
  gst_object_unref (bus);
}

/* Neither at a key frame that is refused, nor at a good one behind one. */
GST_START_TEST (codec_that_cannot_be_opened_again_is_one_error)
{
  Stream stream =
      load_stream ("recover-vp8.mkv", "98x66",
                   "-frames:v 24 -c:v libvpx -deadline good -cpu-used 4 -auto-alt-ref 0 -g 12", "matroskademux");
  GstHarness *harness = new_traced (OURS, &stream, NULL);
  GstBus *bus = gst_bus_new ();
  gst_element_set_bus (harness->element, bus);
  push_packets (harness, &stream, 0, 4);
  if (__i__ == 1)
    fail_unless_equals_int (gst_harness_push (harness, spoil (gst_buffer_ref (stream.packets->pdata[4]), 0)),
                            GST_FLOW_OK);
  open_fails = TRUE;
  GstBuffer *key = gst_buffer_ref (stream.packets->pdata[0]);
  fail_unless_equals_int (gst_harness_push (harness, __i__ == 1 ? key : spoil (key, 0)), GST_FLOW_ERROR);
  fail_unless_equals_int (gst_harness_push (harness, gst_buffer_ref (stream.packets->pdata[1])),
                          GST_FLOW_NOT_NEGOTIATED);
  gst_harness_push_event (harness, gst_event_new_eos ());
  expect_error (harness, bus, 1);
  open_fails = FALSE;
  gst_harness_teardown (harness);
  unload (&stream);
}
GST_END_TEST

/* Caps that an application made up. */
GST_START_TEST (headers_that_are_no_buffers_are_an_error)
{
  static const gchar *made_up[] = {
    "video/x-theora, streamheader=(int)<1, 2>",
    "video/x-theora, streamheader=(string)\"three\"",
    "video/x-theora, streamheader=(buffer)<>",
  };
  GstHarness *harness = gst_harness_new ("avzerodec");
  GstBus *bus = gst_bus_new ();
  gst_element_set_bus (harness->element, bus);
  gst_harness_set_src_caps_str (harness, made_up[__i__]);
  fail_if (gst_harness_push (harness, gst_buffer_new_allocate (NULL, 40, NULL)) == GST_FLOW_OK);
  expect_error (harness, bus, G_MAXUINT); /* the caps come again before each buffer */
  gst_harness_teardown (harness);
}
GST_END_TEST

/* GStreamer 1.22 has no name for the 12 bits that it has: as the stock decoder shows it. */
GST_START_TEST (prores_with_alpha_is_as_of_stock_decoders)
{
  static const gchar *lines[] = { OURS, "avzerodec name=dec max-threads=3" };
  Stream stream = load_stream ("recover-prores.mov", "98x66",
                               "-frames:v 6 -c:v prores_ks -profile:v 4 -pix_fmt yuva444p10le", "qtdemux");
  Trace found, wanted;
  trace_init (&found, FALSE);
  trace_init (&wanted, FALSE);
  decode_to_trace (lines[__i__], &stream, 0, &found);
  decode_to_trace ("avdec_prores max-threads=1", &stream, 0, &wanted);
  fail_unless_equals_int ((int) wanted.lines->len, 6);
  expect_equal_traces ("alpha", &found, &wanted);
  trace_clear (&found);
  trace_clear (&wanted);
  unload (&stream);
}
GST_END_TEST

static Suite *
avzerodec_recover_suite (void)
{
  Suite *suite = suite_create ("avzerodec-recover");
  load_plugins ();
  TCase *tcase = tcase_create ("packets");
  watch_over (tcase);
  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, header_that_was_damaged_delays_no_longer_than_its_group);
  tcase_add_test (tcase, live_pictures_behind_damage_are_all_there);
  tcase_add_loop_test (tcase, codec_that_cannot_be_opened_again_is_one_error, 0, 2);
  tcase_add_loop_test (tcase, headers_that_are_no_buffers_are_an_error, 0, 3);
  tcase_add_loop_test (tcase, prores_with_alpha_is_as_of_stock_decoders, 0, 2);
  return suite;
}

GST_CHECK_MAIN (avzerodec_recover)
