/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-avzerodec-long.c: 100 000 frames through one decoder: the frames that the base class keeps for it never pile up,
 * and neither does memory, whether pictures come out or not.
 */
#include <gst/check/gstcheck.h>
#include <gst/video/video.h>
#include <malloc.h>

#include "test-avzerodec-trace.h"

#define GROUP "250"

/* The address sanitizer takes many times as long, and sees a leak after one frame. */
#ifdef __SANITIZE_ADDRESS__
#define COUNT(n) ((n) / 50)
#else
#define COUNT(n) (n)
#endif

static const struct
{
  const gchar *line;
  guint n;
  guint every_bad; /* of so many packets one is spoilt; 0: none */
  gboolean pictures; /* whether all good packets become pictures */
} runs[] = {
  { "avzerodec name=dec max-threads=1", COUNT (100000), 0, TRUE },
  { "avzerodec name=dec max-threads=4 thread-type=frame", COUNT (30000), 0, TRUE },
  { "avzerodec name=dec max-threads=1 output-corrupt=false", COUNT (30000), 3, FALSE },
  { "avzerodec name=dec max-threads=4 thread-type=frame", COUNT (30000), 2, FALSE },
  { "avzerodec name=dec max-threads=1", COUNT (30000), 1, FALSE }, /* nothing ever comes out */
  { "avzerodec name=dec max-threads=1 skip-frame=nonkey", COUNT (30000), 0, FALSE },
};

static GstBuffer *
make_packet (const Stream *stream, guint index, gboolean bad)
{
  GstBuffer *packet = gst_buffer_copy (stream->packets->pdata[index % stream->packets->len]);
  GstClockTime base = index / stream->packets->len * stream->packets->len * GST_SECOND / 30;
  GST_BUFFER_PTS (packet) += base;
  GST_BUFFER_DTS (packet) = GST_CLOCK_TIME_NONE;
  if (bad) {
    GstBuffer *own = gst_buffer_copy_deep (packet);
    gst_buffer_memset (own, 5, 0xff, gst_buffer_get_size (own));
    gst_buffer_unref (packet);
    packet = own;
  }
  return packet;
}

static guint
count_pending (GstElement *decoder)
{
  GList *frames = gst_video_decoder_get_frames (GST_VIDEO_DECODER (decoder));
  guint n = g_list_length (frames);
  g_list_free_full (frames, (GDestroyNotify) gst_video_codec_frame_unref);
  return n;
}

GST_START_TEST (frames_never_pile_up)
{
  Stream stream =
      load_stream ("long.h264", "16x16",
                   "-frames:v " GROUP " -c:v libx264 -preset veryfast -g " GROUP " -bf 2 -qp 51 -sc_threshold 0",
                   "h264parse ! video/x-h264,stream-format=byte-stream,alignment=au");
  GstHarness *harness = new_traced (runs[__i__].line, &stream, NULL);
  GstElement *decoder = get_decoder (harness);
  guint most = 0, bad = runs[__i__].every_bad;
  gsize used_bytes = 0;
  for (guint i = 0; i < runs[__i__].n; i++) {
    GstFlowReturn flow = gst_harness_push (harness, make_packet (&stream, i, bad > 0 && i % bad == 0));
    fail_unless_equals_int (flow, GST_FLOW_OK);
    if (i % 97 == 0)
      most = MAX (most, count_pending (decoder));
    if (i == 5000)
      used_bytes = mallinfo2 ().uordblks; /* 0 under the address sanitizer, which looks for leaks itself */
  }
  fail_unless (most <= 100, "%u frames wait", most);
  gsize more_bytes = mallinfo2 ().uordblks;
  fail_unless (more_bytes <= used_bytes + 100000, "%" G_GSIZE_FORMAT " bytes, then %" G_GSIZE_FORMAT, used_bytes,
               more_bytes);
  gst_harness_push_event (harness, gst_event_new_eos ());
  fail_unless_equals_int ((int) count_pending (decoder), 0);
  if (runs[__i__].pictures)
    fail_unless_equals_uint64 (get_count_of (decoder, "wrapped"), runs[__i__].n);
  gst_object_unref (decoder);
  gst_harness_teardown (harness);
  unload (&stream);
}
GST_END_TEST

static Suite *
avzerodec_long_suite (void)
{
  Suite *suite = suite_create ("avzerodec-long");
  load_plugins ();
  TCase *tcase = tcase_create ("packets");
  watch_over (tcase);
  suite_add_tcase (suite, tcase);
  tcase_add_loop_test (tcase, frames_never_pile_up, 0, G_N_ELEMENTS (runs));
  return suite;
}

GST_CHECK_MAIN (avzerodec_long)
