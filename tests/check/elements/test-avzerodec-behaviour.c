/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-avzerodec-behaviour.c: avzerodec packet by packet where a stream is not as it should be, or time is short: what is
 * missing, cut off, empty, in other caps, late or live. What must come out is either what comes out of the whole stream
 * or what GStreamer's own decoder makes of the same packets.
 */
#include <gst/check/gstcheck.h>
#include <gst/video/video.h>
#include <libavcodec/avcodec.h>

#include <sys/mman.h>
#include <unistd.h>

#include "test-avzerodec-trace.h"

#define X264 "-frames:v 48 -c:v libx264 -preset veryfast -g 12 "
#define OURS "avzerodec name=dec max-threads=1"

static Stream
load_b_frames (void)
{
  return load_stream ("behave-b.mp4", "98x66", X264 "-bf 3", "qtdemux ! h264parse");
}

static Stream
load_p_frames (void)
{
  return load_stream ("behave-p.mp4", "98x66", X264 "-bf 0", "qtdemux ! h264parse");
}

static guint
find_key (const Stream *stream, guint from)
{
  for (guint i = from; i < stream->packets->len; i++) {
    if (!GST_BUFFER_FLAG_IS_SET (stream->packets->pdata[i], GST_BUFFER_FLAG_DELTA_UNIT))
      return i;
  }
  return stream->packets->len;
}

/* The pictures at the end of @found are those of a decoder that begins with packet @from. */
static void
expect_same_end (const Stream *stream, guint from, Trace *found)
{
  Trace wanted;
  trace_init (&wanted, FALSE);
  decode_to_trace (OURS, stream, from, &wanted);
  fail_unless (wanted.lines->len > 0 && found->lines->len >= wanted.lines->len, "%u pictures of %u", found->lines->len,
               wanted.lines->len);
  g_ptr_array_remove_range (found->lines, 0, found->lines->len - wanted.lines->len);
  expect_equal_traces ("the end", found, &wanted);
  trace_clear (&wanted);
}

/* Without direct rendering: with it, avdec's pictures that are predicted from what is missing are not FFmpeg's own. */
#define STOCK "max-threads=1 direct-rendering=false"

/* What a decoder makes of packets that are changed on their way; NULL: left out. */
typedef GstBuffer *(*Change) (GstBuffer *packet, guint index);

static void
decode_changed (const gchar *line, const Stream *stream, Change change, Trace *trace)
{
  GstHarness *harness = new_traced (line, stream, trace);
  for (guint i = 0; i < stream->packets->len; i++) {
    GstBuffer *packet = change (gst_buffer_ref (stream->packets->pdata[i]), i);
    if (packet)
      fail_unless_equals_int (gst_harness_push (harness, packet), GST_FLOW_OK);
  }
  gst_harness_push_event (harness, gst_event_new_eos ());
  gst_harness_teardown (harness);
}

static GstBuffer *
lose_first_key_frames (GstBuffer *packet, guint index)
{
  if (index >= 5)
    return packet;
  gst_buffer_unref (packet);
  return NULL;
}

static GstBuffer *
lose_some (GstBuffer *packet, guint index)
{
  if (index >= 24 || index % 3 != 1)
    return packet;
  gst_buffer_unref (packet);
  return NULL;
}

static GstBuffer *
cut_some (GstBuffer *packet, guint index)
{
  if (index >= 24 || index % 3 != 1)
    return packet;
  GstBuffer *part = gst_buffer_copy_region (packet, GST_BUFFER_COPY_ALL, 0, gst_buffer_get_size (packet) / 2);
  gst_buffer_unref (packet);
  return part;
}

static GstBuffer *
cut_to_one_byte (GstBuffer *packet, guint index)
{
  if (index >= 24 || index % 5 != 1)
    return packet;
  GstBuffer *part = gst_buffer_copy_region (packet, GST_BUFFER_COPY_ALL, 0, 1);
  gst_buffer_unref (packet);
  return part;
}

static GstBuffer *
empty_some (GstBuffer *packet, guint index)
{
  if (index >= 24 || index % 4 != 1)
    return packet;
  GstBuffer *part = gst_buffer_new ();
  gst_buffer_copy_into (part, packet, GST_BUFFER_COPY_METADATA, 0, 0);
  gst_buffer_unref (packet);
  return part;
}

static GstBuffer *
damage_some (GstBuffer *packet, guint index)
{
  GstMapInfo map;
  if (index >= 24 || index % 3 != 1)
    return packet;
  GstBuffer *own = gst_buffer_copy_deep (packet);
  gst_buffer_unref (packet);
  fail_unless (gst_buffer_map (own, &map, GST_MAP_WRITE));
  for (gsize at = map.size / 2; at < map.size; at += 3)
    map.data[at] ^= 0x5a;
  gst_buffer_unmap (own, &map);
  return own;
}

static const struct
{
  const gchar *name;
  Change change;
  gboolean from_nothing; /* some are predicted from what is not there: each decoder has something else there */
} changes[] = {
  { "no key frame at the start", lose_first_key_frames, TRUE },
  { "lost packets", lose_some, FALSE },
  { "packets cut off", cut_some, FALSE },
  { "packets of one byte", cut_to_one_byte, FALSE },
  { "empty packets", empty_some, FALSE },
  { "damaged packets", damage_some, FALSE },
};

static const struct
{
  const gchar *name;
  const gchar *options;
  const gchar *demux;
  const gchar *stock;
} media[] = {
  { "behave-b.mp4", X264 "-bf 3", "qtdemux ! h264parse", "avdec_h264 " STOCK },
  { "behave-p.mp4", X264 "-bf 0", "qtdemux ! h264parse", "avdec_h264 " STOCK },
  { "behave-hevc.mkv",
    "-frames:v 48 -c:v libx265 -preset ultrafast -x265-params log-level=error:pools=1:keyint=12:open-gop=0:bframes=3",
    "matroskademux ! h265parse", "avdec_h265 " STOCK },
  { "behave-mpeg2.mkv", "-frames:v 48 -c:v mpeg2video -bf 0 -g 12", "matroskademux ! mpegvideoparse",
    "avdec_mpeg2video " STOCK },
  /* Not made in real time, or it would be another one each time. */
  { "behave-vp8-good.mkv", "-frames:v 48 -c:v libvpx -deadline good -cpu-used 4 -auto-alt-ref 0 -g 12", "matroskademux",
    "avdec_vp8 " STOCK },
  { "behave-ffv1.mkv", "-frames:v 48 -c:v ffv1 -level 3 -slicecrc 1 -g 12", "matroskademux", "avdec_ffv1 " STOCK },
};

/* As much is shown as the stock decoder shows, and from the key frame behind the damage on all is well again. */
GST_START_TEST (damaged_streams_are_shown_as_by_stock_decoders)
{
  guint m = (guint) __i__ / G_N_ELEMENTS (changes), c = (guint) __i__ % G_N_ELEMENTS (changes);
  Stream stream = load_stream (media[m].name, "98x66", media[m].options, media[m].demux);
  gchar *what = g_strdup_printf ("%s, %s", media[m].name, changes[c].name);
  Trace found, wanted;
  trace_init (&found, FALSE);
  trace_init (&wanted, FALSE);
  decode_changed (OURS, &stream, changes[c].change, &found);
  decode_changed (media[m].stock, &stream, changes[c].change, &wanted);
  /* Behind a packet that it refuses, libavcodec's VP8 takes what its memory had in it: its own pictures are others too
   * when it begins at the key frame before, as ours does. */
  gboolean from_memory = changes[c].change == cut_to_one_byte && g_str_has_prefix (media[m].stock, "avdec_vp8");
  if (changes[c].from_nothing || from_memory)
    fail_unless (found.lines->len >= wanted.lines->len, "%s: %u of %u", what, found.lines->len, wanted.lines->len);
  else
    expect_equal_traces (what, &found, &wanted);
  guint key = find_key (&stream, 24);
  fail_unless (key < stream.packets->len, "%s", what);
  expect_same_end (&stream, key, &found);
  trace_clear (&found);
  trace_clear (&wanted);
  g_free (what);
  unload (&stream);
}
GST_END_TEST

/* With output-corrupt=false what is damaged is left out, and counted all the same. */
GST_START_TEST (output_corrupt_decides_about_damaged_pictures)
{
  static const gchar *lines[] = { OURS, OURS " output-corrupt=false" };
  Stream stream = load_b_frames ();
  guint n_pictures[2], n_marked[2];
  guint64 n_counted[2];
  for (guint i = 0; i < 2; i++) {
    Trace trace;
    trace_init (&trace, FALSE);
    GstHarness *harness = new_traced (lines[i], &stream, &trace);
    GstElement *decoder = get_decoder (harness);
    for (guint k = 0; k < stream.packets->len; k++)
      gst_harness_push (harness, damage_some (gst_buffer_ref (stream.packets->pdata[k]), k));
    gst_harness_push_event (harness, gst_event_new_eos ());
    n_pictures[i] = trace.lines->len;
    n_marked[i] = trace.n_corrupted;
    n_counted[i] = get_count_of (decoder, "corrupt");
    gst_object_unref (decoder);
    gst_harness_teardown (harness);
    trace_clear (&trace);
  }
  fail_unless (n_marked[0] > 0 && n_marked[1] == 0, "%u, %u pictures are marked", n_marked[0], n_marked[1]);
  fail_unless (n_counted[0] >= n_marked[0] && n_counted[1] >= n_marked[0]);
  fail_unless (n_pictures[1] > 0 && n_pictures[1] <= n_pictures[0] - n_marked[0], "%u of %u pictures, %u marked",
               n_pictures[1], n_pictures[0], n_marked[0]);
  unload (&stream);
}
GST_END_TEST

static GstBuffer *
spoil (const Stream *stream, guint index)
{
  GstBuffer *packet = gst_buffer_copy_deep (stream->packets->pdata[index]);
  gst_buffer_memset (packet, 0, 0xff, gst_buffer_get_size (packet));
  return packet;
}

/* So many errors in a row are borne, one more is the end: with one message. A good packet between begins anew. */
GST_START_TEST (max_errors_is_how_many_in_a_row)
{
  Stream stream = load_stream ("behave-vp8.mkv", "98x66", media[4].options, media[4].demux);
  GstHarness *harness = new_traced (OURS " max-errors=3", &stream, NULL);
  GstBus *bus = gst_bus_new ();
  GstMessage *message;
  guint n_errors = 0;
  gst_element_set_bus (harness->element, bus);
  push_packets (harness, &stream, 0, 4);
  for (guint round = 0; round < 3; round++) {
    for (guint i = 0; i < 3; i++)
      fail_unless_equals_int (gst_harness_push (harness, spoil (&stream, 4 + i)), GST_FLOW_OK);
    push_packets (harness, &stream, 0, 2);
  }
  for (guint i = 0; i < 3; i++)
    fail_unless_equals_int (gst_harness_push (harness, spoil (&stream, 4 + i)), GST_FLOW_OK);
  fail_unless_equals_int (gst_harness_push (harness, spoil (&stream, 7)), GST_FLOW_ERROR);
  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR))) {
    gst_message_unref (message);
    n_errors++;
  }
  fail_unless_equals_int ((int) n_errors, 1);
  gst_element_set_bus (harness->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (harness);
  unload (&stream);
}
GST_END_TEST

/* Each packet at the very end of a page, behind which nothing can be read. */
static GstBuffer *
put_before_a_wall (GstBuffer *packet, guint index)
{
  gsize page_bytes = (gsize) sysconf (_SC_PAGESIZE), size_bytes = gst_buffer_get_size (packet);
  gsize room = (size_bytes + page_bytes - 1) / page_bytes * page_bytes;
  guint8 *map = mmap (NULL, room + page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  (void) index;
  fail_unless (map != MAP_FAILED);
  fail_unless (mprotect (map + room, page_bytes, PROT_NONE) == 0);
  gst_buffer_extract (packet, 0, map + room - size_bytes, size_bytes);
  /* never unmapped: who reads it after its time must find it, too */
  GstBuffer *walled =
      gst_buffer_new_wrapped_full (GST_MEMORY_FLAG_READONLY, map, room, room - size_bytes, size_bytes, NULL, NULL);
  gst_buffer_copy_into (walled, packet, GST_BUFFER_COPY_METADATA, 0, (gsize) -1);
  gst_buffer_unref (packet);
  return walled;
}

GST_START_TEST (packets_without_padding_are_not_read_beyond)
{
  Stream stream = load_stream (media[__i__].name, "98x66", media[__i__].options, media[__i__].demux);
  Trace found, wanted;
  trace_init (&found, FALSE);
  trace_init (&wanted, FALSE);
  decode_changed (OURS, &stream, put_before_a_wall, &found);
  decode_to_trace (OURS, &stream, 0, &wanted);
  expect_equal_traces (media[__i__].name, &found, &wanted);
  trace_clear (&found);
  trace_clear (&wanted);
  unload (&stream);
}
GST_END_TEST

GST_START_TEST (upstream_is_asked_for_zeroed_padding)
{
  Stream stream = load_p_frames ();
  GstHarness *harness = new_traced (OURS, &stream, NULL);
  GstAllocator *allocator = NULL;
  GstAllocationParams params;
  GstQuery *query = gst_query_new_allocation (stream.caps, TRUE);
  fail_unless (gst_pad_peer_query (harness->srcpad, query));
  fail_unless (gst_query_get_n_allocation_params (query) > 0);
  gst_query_parse_nth_allocation_param (query, 0, &allocator, &params);
  fail_unless (params.padding >= AV_INPUT_BUFFER_PADDING_SIZE);
  fail_unless (params.flags & GST_MEMORY_FLAG_ZERO_PADDED);
  gst_clear_object (&allocator);
  gst_query_unref (query);
  gst_harness_teardown (harness);
  unload (&stream);
}
GST_END_TEST

/* Caps that say nothing new to the codec leave it as it is: no picture is drained early or missing. */
GST_START_TEST (caps_with_nothing_new_keep_the_codec)
{
  Stream stream = load_b_frames ();
  Trace found, wanted;
  trace_init (&found, FALSE);
  trace_init (&wanted, FALSE);
  GstHarness *harness = new_traced (OURS, &stream, &found);
  push_packets (harness, &stream, 0, 15);
  GstCaps *caps = gst_caps_copy (stream.caps);
  gst_caps_set_simple (caps, "pixel-aspect-ratio", GST_TYPE_FRACTION, 4, 3, "framerate", GST_TYPE_FRACTION, 25, 1,
                       NULL);
  gst_harness_set_src_caps (harness, caps);
  push_packets (harness, &stream, 15, stream.packets->len);
  gst_harness_push_event (harness, gst_event_new_eos ());
  caps = gst_pad_get_current_caps (harness->sinkpad);
  fail_unless (
      gst_structure_has_field_typed (gst_caps_get_structure (caps, 0), "pixel-aspect-ratio", GST_TYPE_FRACTION));
  gint n = 0, d = 0;
  gst_structure_get_fraction (gst_caps_get_structure (caps, 0), "pixel-aspect-ratio", &n, &d);
  fail_unless (n == 4 && d == 3, "the pixels are %d/%d", n, d);
  gst_caps_unref (caps);
  gst_harness_teardown (harness);
  decode_to_trace (OURS, &stream, 0, &wanted);
  expect_equal_traces ("other caps", &found, &wanted);
  trace_clear (&found);
  trace_clear (&wanted);
  unload (&stream);
}
GST_END_TEST

static const struct
{
  const gchar *name;
  const gchar *size;
  const gchar *options;
} parts[] = {
  { "part-420.h264", "98x66", "-frames:v 8 -c:v libx264 -pix_fmt yuv420p -bf 2" },
  { "part-444.h264", "98x66", "-frames:v 8 -c:v libx264 -pix_fmt yuv444p -bf 2" },
  { "part-large.h264", "130x98", "-frames:v 8 -c:v libx264 -pix_fmt yuv420p -bf 0" },
  { "part-10.h264", "130x98", "-frames:v 8 -c:v libx264 -pix_fmt yuv420p10le -bf 2" },
  { "part-gray.h264", "64x48", "-frames:v 8 -c:v libx264 -pix_fmt gray -bf 2" },
  { "part-422.h264", "64x48", "-frames:v 8 -c:v libx264 -pix_fmt yuv422p -bf 3" },
};

/* Streams one after the other, with nothing but their own headers to say what comes. */
static void
decode_in_turn (const gchar *line, const Stream *streams, Trace *trace)
{
  GstHarness *harness = gst_harness_new_parse (line);
  trace_init (trace, FALSE);
  gst_harness_add_propose_allocation_meta (harness, GST_VIDEO_META_API_TYPE, NULL);
  gst_harness_set_drop_buffers (harness, TRUE);
  trace_pad (trace, harness->sinkpad);
  gst_harness_set_src_caps_str (harness,
                                "video/x-h264, stream-format=byte-stream, alignment=au, framerate=30/1, parsed=true");
  for (guint s = 0; s < G_N_ELEMENTS (parts); s++) {
    for (guint i = 0; i < streams[s].packets->len; i++) {
      GstBuffer *packet = gst_buffer_copy (streams[s].packets->pdata[i]);
      GST_BUFFER_PTS (packet) += s * GST_SECOND;
      GST_BUFFER_DTS (packet) = GST_CLOCK_TIME_NONE;
      fail_unless_equals_int (gst_harness_push (harness, packet), GST_FLOW_OK);
    }
  }
  gst_harness_push_event (harness, gst_event_new_eos ());
  gst_harness_teardown (harness);
}

GST_START_TEST (format_and_size_change_within_the_stream)
{
  static const gchar *lines[] = { OURS, "avzerodec max-threads=3 thread-type=frame",
                                  "avzerodec max-threads=3 thread-type=slice direct-rendering=always" };
  Stream streams[G_N_ELEMENTS (parts)];
  Trace found, wanted;
  for (guint s = 0; s < G_N_ELEMENTS (parts); s++)
    streams[s] = load_stream (parts[s].name, parts[s].size, parts[s].options,
                              "h264parse ! video/x-h264,stream-format=byte-stream,alignment=au");
  decode_in_turn (lines[__i__], streams, &found);
  decode_in_turn ("avdec_h264 " STOCK, streams, &wanted);
  fail_unless_equals_int ((int) wanted.lines->len, 8 * (int) G_N_ELEMENTS (parts));
  expect_equal_traces (lines[__i__], &found, &wanted);
  trace_clear (&found);
  trace_clear (&wanted);
  for (guint s = 0; s < G_N_ELEMENTS (parts); s++)
    unload (&streams[s]);
}
GST_END_TEST

/* One picture in a format that GStreamer has no name for, in a stream of others: damage, and no reason to stop. */
GST_START_TEST (a_format_without_a_name_is_taken_for_damage)
{
  Stream stream = load_stream ("behave-rgb.mkv", "66x50", "-frames:v 8 -pix_fmt rgb24 -c:v png", "matroskademux");
  Stream other = load_stream ("behave-ya8.mkv", "66x50", "-frames:v 40 -pix_fmt ya8 -c:v png", "matroskademux");
  Trace found, wanted;
  trace_init (&found, FALSE);
  trace_init (&wanted, FALSE);
  GstHarness *harness = new_traced (OURS, &stream, &found);
  GstElement *decoder = get_decoder (harness);
  push_packets (harness, &stream, 0, 4);
  push_packets (harness, &other, 3, 4);
  push_packets (harness, &stream, 4, 8);
  fail_unless_equals_uint64 (get_count_of (decoder, "corrupt"), 1);
  decode_to_trace (OURS, &stream, 0, &wanted);
  expect_equal_traces ("other format", &found, &wanted);
  guint n = 0; /* but when it stays, it is an error */
  while (n < other.packets->len && gst_harness_push (harness, gst_buffer_ref (other.packets->pdata[n])) == GST_FLOW_OK)
    n++;
  fail_unless_equals_int ((int) n, 30);
  gst_object_unref (decoder);
  gst_harness_teardown (harness);
  trace_clear (&found);
  trace_clear (&wanted);
  unload (&stream);
  unload (&other);
}
GST_END_TEST

static gint n_refusals;

static GstPadProbeReturn
refuse_some (GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  (void) pad;
  (void) info;
  (void) user;
  if (g_atomic_int_add (&n_refusals, 1) % 5 != 2)
    return GST_PAD_PROBE_OK;
  gst_buffer_unref (GST_PAD_PROBE_INFO_BUFFER (info));
  GST_PAD_PROBE_INFO_FLOW_RETURN (info) = GST_FLOW_EOS;
  return GST_PAD_PROBE_HANDLED;
}

/* Downstream that says no now and then, and upstream that goes on: nothing is taken for damage. */
GST_START_TEST (refusals_of_downstream_are_no_damage)
{
  Stream stream = load_b_frames ();
  GstHarness *harness = new_traced ("avzerodec name=dec max-threads=4 max-errors=0", &stream, NULL);
  GstElement *decoder = get_decoder (harness);
  gst_pad_add_probe (harness->sinkpad, GST_PAD_PROBE_TYPE_BUFFER, refuse_some, NULL, NULL);
  for (guint i = 0; i < stream.packets->len; i++) {
    GstFlowReturn flow = gst_harness_push (harness, gst_buffer_ref (stream.packets->pdata[i]));
    fail_unless (flow == GST_FLOW_OK || flow == GST_FLOW_EOS, "%s", gst_flow_get_name (flow));
  }
  fail_unless (n_refusals > 10, "%d pictures", n_refusals);
  fail_unless_equals_uint64 (get_count_of (decoder, "corrupt"), 0);
  gst_object_unref (decoder);
  gst_harness_teardown (harness);
  unload (&stream);
}
GST_END_TEST

static Suite *
avzerodec_behaviour_suite (void)
{
  Suite *suite = suite_create ("avzerodec-behaviour");
  load_plugins ();
  TCase *tcase = tcase_create ("packets");
  watch_over (tcase);
  suite_add_tcase (suite, tcase);
  tcase_add_loop_test (tcase, damaged_streams_are_shown_as_by_stock_decoders, 0,
                       G_N_ELEMENTS (media) * G_N_ELEMENTS (changes));
  tcase_add_test (tcase, output_corrupt_decides_about_damaged_pictures);
  tcase_add_test (tcase, max_errors_is_how_many_in_a_row);
  tcase_add_loop_test (tcase, packets_without_padding_are_not_read_beyond, 0, G_N_ELEMENTS (media));
  tcase_add_test (tcase, upstream_is_asked_for_zeroed_padding);
  tcase_add_test (tcase, caps_with_nothing_new_keep_the_codec);
  tcase_add_loop_test (tcase, format_and_size_change_within_the_stream, 0, 3);
  tcase_add_test (tcase, a_format_without_a_name_is_taken_for_damage);
  tcase_add_test (tcase, refusals_of_downstream_are_no_damage);
  return suite;
}

GST_CHECK_MAIN (avzerodec_behaviour)
