/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-avzerodec-pictures.c: what a picture is, as caps, flags, metas and tags: pixel formats, colours, light, stereo,
 * rotation, crop, captions, reference times. The packets come without a parser that would have said it before.
 */
#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>
#include <libavutil/pixdesc.h>
#include <string.h>

#include "gstavzerodec-private.h"
#include "test-avzerodec-support.h"

#define SOURCE "-f lavfi -i testsrc2=size=66x50:rate=25"

static Stream
make_stream (const gchar *name, const gchar *options, const gchar *demux)
{
  gchar *path = make_file (name, SOURCE, options);
  Stream stream = load_file (path, demux);
  g_free (path);
  return stream;
}

static void
remove_fields (Stream *stream, const gchar *first, ...)
{
  va_list names;
  stream->caps = gst_caps_make_writable (stream->caps);
  va_start (names, first);
  for (const gchar *name = first; name; name = va_arg (names, const gchar *))
    gst_structure_remove_field (gst_caps_get_structure (stream->caps, 0), name);
  va_end (names);
}

static GstHarness *
new_decoder (const Stream *stream, gboolean crops)
{
  GstHarness *harness = gst_harness_new ("avzerodec");
  gst_harness_add_propose_allocation_meta (harness, GST_VIDEO_META_API_TYPE, NULL);
  if (crops)
    gst_harness_add_propose_allocation_meta (harness, GST_VIDEO_CROP_META_API_TYPE, NULL);
  gst_harness_set_src_caps (harness, gst_caps_ref (stream->caps));
  return harness;
}

/* All packets, and the end. */
static void
push_all (GstHarness *harness, const Stream *stream)
{
  for (guint i = 0; i < stream->packets->len; i++)
    fail_unless_equals_int (gst_harness_push (harness, gst_buffer_ref (stream->packets->pdata[i])), GST_FLOW_OK);
  gst_harness_push_event (harness, gst_event_new_eos ());
}

static GstCaps *
get_output_caps (const Stream *stream)
{
  GstHarness *harness = new_decoder (stream, FALSE);
  push_all (harness, stream);
  GstCaps *caps = gst_pad_get_current_caps (harness->sinkpad);
  fail_unless (caps != NULL);
  gst_harness_teardown (harness);
  return caps;
}

static void
expect_field (GstCaps *caps, const gchar *field, const gchar *wanted)
{
  const GValue *value = gst_structure_get_value (gst_caps_get_structure (caps, 0), field);
  gchar *text = value ? gst_value_serialize (value) : NULL;
  fail_unless (g_strcmp0 (text, wanted) == 0, "%s is %s, not %s, in %" GST_PTR_FORMAT, field, text, wanted,
               (gpointer) caps);
  g_free (text);
}

/* Two libraries' descriptions of the same bytes, component by component. */
GST_START_TEST (formats_have_the_same_layout_on_both_sides)
{
  guint n = 0;
  for (gint f = GST_VIDEO_FORMAT_I420; gst_video_format_to_string (f); f++) {
    const GstVideoFormatInfo *info = gst_video_format_get_info (f);
    gint pix_fmt = gst_ba_format_to_av (f);
    if (pix_fmt == AV_PIX_FMT_NONE)
      continue;
    const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get (pix_fmt);
    gboolean in_words = GST_VIDEO_FORMAT_INFO_DEPTH (info, 0) != 8
                        && GST_VIDEO_FORMAT_INFO_N_PLANES (info) < GST_VIDEO_FORMAT_INFO_N_COMPONENTS (info);
    guint n_colours = MIN ((guint) desc->nb_components, GST_VIDEO_FORMAT_INFO_N_COMPONENTS (info));
    fail_unless_equals_int (av_pix_fmt_count_planes (pix_fmt), (int) GST_VIDEO_FORMAT_INFO_N_PLANES (info));
    fail_unless (desc->nb_components == GST_VIDEO_FORMAT_INFO_N_COMPONENTS (info), "%s", info->name);
    for (guint c = 0; c < n_colours; c++) {
      gboolean chroma = (c == 1 || c == 2) && !(desc->flags & AV_PIX_FMT_FLAG_RGB);
      fail_unless (desc->comp[c].depth == (int) GST_VIDEO_FORMAT_INFO_DEPTH (info, c), "%s %u", info->name, c);
      fail_unless (desc->comp[c].plane == (int) GST_VIDEO_FORMAT_INFO_PLANE (info, c), "%s %u", info->name, c);
      fail_unless ((chroma ? desc->log2_chroma_w : 0) == (int) GST_VIDEO_FORMAT_INFO_W_SUB (info, c), "%s %u",
                   info->name, c);
      fail_unless ((chroma ? desc->log2_chroma_h : 0) == (int) GST_VIDEO_FORMAT_INFO_H_SUB (info, c), "%s %u",
                   info->name, c);
      /* FFmpeg counts the words of 15 and 16 bits in another way, and GStreamer 1.22 is wrong about V of P010 and U of
       * Y210, which only its description says. */
      fail_unless (in_words || desc->comp[c].offset == (int) GST_VIDEO_FORMAT_INFO_POFFSET (info, c),
                   "%s %u: %d and %d", info->name, c, desc->comp[c].offset, GST_VIDEO_FORMAT_INFO_POFFSET (info, c));
    }
    n++;
  }
  fail_unless (n >= 70, "%u formats", n);
}
GST_END_TEST

static const gchar *nameless[] = { "ya8", "rgb48be", "monob" };

GST_START_TEST (format_without_a_name_is_one_clear_error)
{
  gchar *options = g_strdup_printf ("-vf format=%s -frames:v 2 -c:v png -f matroska", nameless[__i__]);
  Stream stream = make_stream ("nameless.mkv", options, "matroskademux");
  GstHarness *harness = gst_harness_new ("avzerodec");
  GstBus *bus = gst_bus_new ();
  GstMessage *message;
  guint n_errors = 0;
  gst_element_set_bus (harness->element, bus);
  g_object_set (harness->element, "max-threads", 1, NULL);
  gst_harness_set_src_caps (harness, gst_caps_ref (stream.caps));
  for (guint i = 0; i < stream.packets->len; i++)
    fail_unless_equals_int (gst_harness_push (harness, gst_buffer_ref (stream.packets->pdata[i])),
                            GST_FLOW_NOT_NEGOTIATED);
  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR))) {
    GError *error = NULL;
    gst_message_parse_error (message, &error, NULL);
    fail_unless (strstr (error->message, nameless[__i__]) != NULL, "%s", error->message);
    g_error_free (error);
    gst_message_unref (message);
    n_errors++;
  }
  fail_unless_equals_int ((int) n_errors, 1);
  gst_element_set_bus (harness->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (harness);
  unload (&stream);
  g_free (options);
}
GST_END_TEST

static const struct
{
  const gchar *options;
  const gchar *colorimetry;
  const gchar *chroma_site;
} colours[] = {
  { "-c:v libx264 -pix_fmt yuv420p -colorspace bt709 -color_primaries bt709 -color_trc bt709 -color_range tv", "bt709",
    "mpeg2" },
  { "-c:v libx264 -pix_fmt yuv420p -color_range pc -colorspace bt470bg", "1:4:0:0", NULL },
  { "-c:v libx264 -pix_fmt yuv420p10le -colorspace bt2020nc -color_primaries bt2020 -color_trc smpte2084", "bt2100-pq",
    NULL },
  { "-c:v libx264 -pix_fmt yuv420p -chroma_sample_location topleft", NULL, "cosited" },
  { "-c:v mjpeg -pix_fmt yuvj420p", "1:4:0:0", "jpeg" },
  { "-c:v ffv1 -pix_fmt bgr0", "sRGB", NULL },
};

GST_START_TEST (colours_are_in_the_caps)
{
  gchar *options = g_strconcat (colours[__i__].options, " -frames:v 2 -f matroska", NULL);
  Stream stream = make_stream ("colours.mkv", options, "matroskademux");
  remove_fields (&stream, "colorimetry", "chroma-site", NULL);
  GstCaps *caps = get_output_caps (&stream);
  GstVideoInfo info;
  GstVideoColorimetry wanted;
  fail_unless (gst_video_info_from_caps (&info, caps));
  if (colours[__i__].colorimetry) {
    fail_unless (gst_video_colorimetry_from_string (&wanted, colours[__i__].colorimetry));
    fail_unless (info.colorimetry.range == wanted.range, "%" GST_PTR_FORMAT, (gpointer) caps);
    fail_unless (info.colorimetry.matrix == wanted.matrix, "%" GST_PTR_FORMAT, (gpointer) caps);
    if (wanted.transfer != GST_VIDEO_TRANSFER_UNKNOWN)
      fail_unless (info.colorimetry.transfer == wanted.transfer, "%" GST_PTR_FORMAT, (gpointer) caps);
    if (wanted.primaries != GST_VIDEO_COLOR_PRIMARIES_UNKNOWN)
      fail_unless (info.colorimetry.primaries == wanted.primaries, "%" GST_PTR_FORMAT, (gpointer) caps);
  }
  if (colours[__i__].chroma_site)
    expect_field (caps, "chroma-site", colours[__i__].chroma_site);
  gst_caps_unref (caps);
  /* What the container says wins; only a format of its own for full range cannot be talked away. */
  if (!strstr (colours[__i__].options, "bgr0")) {
    gboolean full = strstr (colours[__i__].options, "yuvj") || strstr (colours[__i__].options, "color_range pc");
    gst_caps_set_simple (stream.caps, "colorimetry", G_TYPE_STRING, "2:6:5:1", "chroma-site", G_TYPE_STRING, "dv",
                         NULL);
    caps = get_output_caps (&stream);
    expect_field (caps, "colorimetry", full ? "1:6:5:1" : "2:6:5:1");
    expect_field (caps, "chroma-site", "dv");
    gst_caps_unref (caps);
  }
  unload (&stream);
  g_free (options);
}
GST_END_TEST

GST_START_TEST (pixel_aspect_ratio_is_the_containers_or_the_streams)
{
  Stream stream = make_stream ("par.avi", "-vf setsar=16/11 -c:v mpeg4 -frames:v 2 -f avi", "avidemux");
  remove_fields (&stream, "pixel-aspect-ratio", NULL);
  GstCaps *caps = get_output_caps (&stream);
  expect_field (caps, "pixel-aspect-ratio", "16/11");
  gst_caps_unref (caps);
  gst_caps_set_simple (stream.caps, "pixel-aspect-ratio", GST_TYPE_FRACTION, 4, 3, NULL);
  caps = get_output_caps (&stream);
  expect_field (caps, "pixel-aspect-ratio", "4/3");
  gst_caps_unref (caps);
  /* Matroska's demuxer says so of every file. */
  gst_caps_set_simple (stream.caps, "pixel-aspect-ratio", GST_TYPE_FRACTION, 1, 1, NULL);
  caps = get_output_caps (&stream);
  expect_field (caps, "pixel-aspect-ratio", "16/11");
  gst_caps_unref (caps);
  unload (&stream);
}
GST_END_TEST

/* Bare MPEG-4 has its rate in its headers only: without it, pictures would have no times. */
GST_START_TEST (rate_is_the_streams_where_upstream_says_none)
{
  Stream stream = make_stream ("rate.m4v", "-c:v mpeg4 -bf 2 -frames:v 8 -f m4v", "mpeg4videoparse");
  fail_if (gst_structure_has_field (gst_caps_get_structure (stream.caps, 0), "framerate"));
  GstHarness *harness = new_decoder (&stream, FALSE);
  push_all (harness, &stream);
  GstCaps *caps = gst_pad_get_current_caps (harness->sinkpad);
  expect_field (caps, "framerate", "25/1");
  gst_caps_unref (caps);
  for (guint i = 0; i < 8; i++) {
    GstBuffer *buffer = gst_harness_pull (harness);
    fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), i * GST_SECOND / 25);
    gst_buffer_unref (buffer);
  }
  gst_harness_teardown (harness);
  gst_caps_set_simple (stream.caps, "framerate", GST_TYPE_FRACTION, 0, 1,
                       NULL); /* variable, and that is what it says */
  caps = get_output_caps (&stream);
  expect_field (caps, "framerate", "0/1");
  gst_caps_unref (caps);
  unload (&stream);
}
GST_END_TEST

/* Also where the caps had to be made before libavcodec knew of the fields. */
GST_START_TEST (interlaced_from_the_start_is_not_mixed)
{
  static const gchar *lines[] = { "avzerodec max-threads=1", "avzerodec max-threads=3 thread-type=frame" };
  Stream stream = make_stream ("fields.h264",
                               "-pix_fmt yuv420p -vf scale=64:64,setfield=tff -frames:v 6 -c:v libx264 -x264-params "
                               "tff=1 -f h264",
                               "h264parse");
  remove_fields (&stream, "interlace-mode", "field-order", NULL);
  GstHarness *harness = gst_harness_new_parse (lines[__i__]);
  gst_harness_set_src_caps (harness, gst_caps_ref (stream.caps));
  push_all (harness, &stream);
  GstCaps *caps = gst_pad_get_current_caps (harness->sinkpad);
  expect_field (caps, "interlace-mode", "interleaved");
  fail_unless (gst_structure_has_field (gst_caps_get_structure (caps, 0), "field-order"));
  gst_caps_unref (caps);
  gst_harness_teardown (harness);
  unload (&stream);
}
GST_END_TEST

#define MASTERING "35400:14600:8500:39850:6550:2300:15635:16450:10000000:1"

GST_START_TEST (mastering_display_and_light_level_are_in_the_caps)
{
  Stream stream = make_stream ("hdr.mkv",
                               "-pix_fmt yuv420p10le -frames:v 6 -c:v libx265 -preset ultrafast -x265-params "
                               "log-level=error:master-display=G(8500,39850)B(6550,2300)R(35400,14600)"
                               "WP(15635,16450)L(10000000,1):max-cll=1000,400 -f matroska",
                               "matroskademux");
  remove_fields (&stream, "mastering-display-info", "content-light-level", NULL);
  GstCaps *caps = get_output_caps (&stream);
  expect_field (caps, "mastering-display-info", MASTERING);
  expect_field (caps, "content-light-level", "1000:400");
  gst_caps_unref (caps);
  gst_caps_set_simple (stream.caps, "content-light-level", G_TYPE_STRING, "600:200", NULL);
  caps = get_output_caps (&stream);
  expect_field (caps, "mastering-display-info", MASTERING);
  expect_field (caps, "content-light-level", "600:200");
  gst_caps_unref (caps);
  unload (&stream);
}
GST_END_TEST

static const struct
{
  guint packing;
  const gchar *mode;
} stereos[] = { { 3, "side-by-side" }, { 4, "top-bottom" }, { 2, "row-interleaved" }, { 5, "frame-by-frame" } };

GST_START_TEST (stereo_is_in_the_caps)
{
  gchar *options = g_strdup_printf ("-pix_fmt yuv420p -frames:v 4 -c:v libx264 -x264-params frame-packing=%u -f mp4",
                                    stereos[__i__].packing);
  Stream stream = make_stream ("stereo.mp4", options, "qtdemux");
  GstCaps *caps = get_output_caps (&stream);
  expect_field (caps, "multiview-mode", stereos[__i__].mode);
  gst_caps_unref (caps);
  unload (&stream);
  g_free (options);
}
GST_END_TEST

static const struct
{
  const gchar *sei; /* anticlockwise turn, after the flip */
  const gchar *orientation;
} rotations[] = {
  { "rotate=90", "rotate-270" },          { "rotate=180", "rotate-180" },         { "rotate=270", "rotate-90" },
  { "flip=horizontal", "flip-rotate-0" }, { "flip=vertical", "flip-rotate-180" },
};

GST_START_TEST (rotation_is_a_tag)
{
  gchar *options = g_strdup_printf ("-pix_fmt yuv420p -frames:v 4 -c:v libx264 -bsf:v "
                                    "h264_metadata=display_orientation=insert:%s -f mp4",
                                    rotations[__i__].sei);
  Stream stream = make_stream ("rotated.mp4", options, "qtdemux");
  GstHarness *harness = new_decoder (&stream, FALSE);
  GstEvent *event;
  gchar *orientation = NULL;
  guint n = 0;
  push_all (harness, &stream);
  while ((event = gst_harness_try_pull_event (harness))) {
    GstTagList *tags = NULL;
    if (GST_EVENT_TYPE (event) == GST_EVENT_TAG)
      gst_event_parse_tag (event, &tags);
    if (tags && gst_tag_list_get_tag_size (tags, GST_TAG_IMAGE_ORIENTATION) > 0) {
      g_clear_pointer (&orientation, g_free);
      gst_tag_list_get_string (tags, GST_TAG_IMAGE_ORIENTATION, &orientation);
      n++;
    }
    gst_event_unref (event);
  }
  fail_unless_equals_string (orientation, rotations[__i__].orientation);
  fail_unless_equals_int ((int) n, 1);
  g_free (orientation);
  gst_harness_teardown (harness);
  unload (&stream);
  g_free (options);
}
GST_END_TEST

/* Theora's first header says where in its blocks the picture lies; here at an odd place. */
#define CROP_X 3
#define CROP_BELOW 5
#define CROP_Y (64 - 50 - CROP_BELOW)

static void
move_picture (Stream *stream)
{
  stream->caps = gst_caps_make_writable (stream->caps);
  GstStructure *structure = gst_caps_get_structure (stream->caps, 0);
  GValue headers = G_VALUE_INIT;
  g_value_init (&headers, GST_TYPE_ARRAY);
  g_value_copy (gst_structure_get_value (structure, "streamheader"), &headers);
  GstBuffer *old = gst_value_get_buffer (gst_value_array_get_value (&headers, 0));
  GstBuffer *first = gst_buffer_copy_deep (old);
  guint8 place[2] = { CROP_X, CROP_BELOW };
  GstMapInfo map;
  fail_unless (gst_buffer_map (first, &map, GST_MAP_READ));
  fail_unless (GST_READ_UINT16_BE (map.data + 10) == 5 && GST_READ_UINT16_BE (map.data + 12) == 4);
  gst_buffer_unmap (first, &map);
  gst_buffer_fill (first, 20, place, 2);
  GValue moved = G_VALUE_INIT, one = G_VALUE_INIT;
  g_value_init (&moved, GST_TYPE_ARRAY);
  g_value_init (&one, GST_TYPE_BUFFER);
  g_value_take_boxed (&one, first);
  gst_value_array_append_and_take_value (&moved, &one);
  for (guint i = 1; i < gst_value_array_get_size (&headers); i++)
    gst_value_array_append_value (&moved, gst_value_array_get_value (&headers, i));
  gst_structure_take_value (structure, "streamheader", &moved);
  g_value_unset (&headers);
}

GST_START_TEST (odd_crop_is_a_meta_where_downstream_crops)
{
  Stream stream = make_stream ("crop.ogv", "-pix_fmt yuv420p -frames:v 3 -c:v libtheora -q:v 8 -f ogg", "oggdemux");
  move_picture (&stream);
  GstHarness *crops = new_decoder (&stream, TRUE), *plain = new_decoder (&stream, FALSE);
  push_all (crops, &stream);
  push_all (plain, &stream);
  GstBuffer *whole = gst_harness_pull (crops), *cut = gst_harness_pull (plain);
  GstCaps *caps = gst_pad_get_current_caps (crops->sinkpad), *same = gst_pad_get_current_caps (plain->sinkpad);
  fail_unless (gst_caps_is_equal (caps, same));
  expect_field (caps, "width", "66");
  expect_field (caps, "height", "50");

  const GstVideoMeta *meta = gst_buffer_get_video_meta (whole), *cut_meta = gst_buffer_get_video_meta (cut);
  const GstVideoCropMeta *crop = gst_buffer_get_video_crop_meta (whole);
  fail_unless (crop != NULL && gst_buffer_get_video_crop_meta (cut) == NULL);
  fail_unless (meta->width == 80 && meta->height == 64 && cut_meta->width == 66 && cut_meta->height == 50);
  fail_unless (crop->x == CROP_X && crop->y == CROP_Y && crop->width == 66 && crop->height == 50);

  GstVideoInfo whole_info, cut_info;
  GstVideoFrame a, b;
  gst_video_info_set_format (&whole_info, GST_VIDEO_FORMAT_I420, 80, 64);
  gst_video_info_set_format (&cut_info, GST_VIDEO_FORMAT_I420, 66, 50);
  fail_unless (gst_video_frame_map (&a, &whole_info, whole, GST_MAP_READ));
  fail_unless (gst_video_frame_map (&b, &cut_info, cut, GST_MAP_READ));
  for (guint plane = 0; plane < 3; plane++) {
    guint sub = plane ? 2 : 1;
    for (guint y = 0; y < 50 / sub; y++) {
      const guint8 *row = (guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&a, plane)
                          + (y + CROP_Y / sub) * (guint) GST_VIDEO_FRAME_PLANE_STRIDE (&a, plane) + CROP_X / sub;
      const guint8 *cut_row =
          (guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&b, plane) + y * (guint) GST_VIDEO_FRAME_PLANE_STRIDE (&b, plane);
      fail_unless (memcmp (row, cut_row, 66 / sub) == 0, "plane %u, row %u", plane, y);
    }
  }
  gst_video_frame_unmap (&a);
  gst_video_frame_unmap (&b);
  gst_buffer_unref (whole);
  gst_buffer_unref (cut);
  gst_caps_unref (caps);
  gst_caps_unref (same);
  gst_harness_teardown (crops);
  gst_harness_teardown (plain);
  unload (&stream);
}
GST_END_TEST

/* A NAL unit with captions: registered user data of ATSC, two triplets. */
static const guint8 captions_sei[] = { 0,   0,    0,    1,    0x06, 0x04, 0x11, 0xb5, 0x00, 0x31, 'G',  'A', '9',
                                       '4', 0x03, 0x42, 0xff, 0xfc, 0x94, 0x2c, 0xfd, 0x80, 0x80, 0xff, 0x80 };
static const guint8 captions[] = { 0xfc, 0x94, 0x2c, 0xfd, 0x80, 0x80 };

/* With @__i__ a parser has seen them before. */
GST_START_TEST (captions_are_one_meta)
{
  Stream stream = make_stream ("captions.h264", "-pix_fmt yuv420p -frames:v 6 -c:v libx264 -bf 2 -f h264",
                               "h264parse ! video/x-h264,stream-format=byte-stream,alignment=au");
  GstHarness *harness = new_decoder (&stream, FALSE);
  GstBuffer *buffer;
  guint n = 0;
  for (guint i = 0; i < stream.packets->len; i++) {
    GstBuffer *packet = gst_buffer_copy_deep (stream.packets->pdata[i]);
    GstMemory *sei = gst_allocator_alloc (NULL, sizeof captions_sei, NULL);
    gst_buffer_insert_memory (packet, 0, sei);
    gst_buffer_fill (packet, 0, captions_sei, sizeof captions_sei);
    if (__i__)
      gst_buffer_add_video_caption_meta (packet, GST_VIDEO_CAPTION_TYPE_CEA708_RAW, captions, sizeof captions);
    fail_unless_equals_int (gst_harness_push (harness, packet), GST_FLOW_OK);
  }
  gst_harness_push_event (harness, gst_event_new_eos ());
  while ((buffer = gst_harness_try_pull (harness))) {
    const GstVideoCaptionMeta *meta = gst_buffer_get_video_caption_meta (buffer);
    fail_unless_equals_int ((int) gst_buffer_get_n_meta (buffer, GST_VIDEO_CAPTION_META_API_TYPE), 1);
    fail_unless (meta->caption_type == GST_VIDEO_CAPTION_TYPE_CEA708_RAW && meta->size == sizeof captions);
    fail_unless (memcmp (meta->data, captions, sizeof captions) == 0);
    gst_buffer_unref (buffer);
    n++;
  }
  fail_unless_equals_int ((int) n, 6);
  gst_harness_teardown (harness);
  unload (&stream);
}
GST_END_TEST

/* Each picture has the one of its own packet, although they come in another order. */
GST_START_TEST (reference_times_go_with_their_pictures)
{
  Stream stream = make_stream ("times.mp4", "-pix_fmt yuv420p -frames:v 12 -c:v libx264 -bf 3 -f mp4", "qtdemux");
  GstCaps *clock = gst_caps_new_empty_simple ("timestamp/x-unix");
  GstHarness *harness = new_decoder (&stream, FALSE);
  GstBuffer *buffer;
  guint n = 0;
  for (guint i = 0; i < stream.packets->len; i++) {
    GstBuffer *packet = gst_buffer_copy (stream.packets->pdata[i]);
    gst_buffer_add_reference_timestamp_meta (packet, clock, GST_BUFFER_PTS (packet) + 1000 * GST_SECOND, 7);
    fail_unless_equals_int (gst_harness_push (harness, packet), GST_FLOW_OK);
  }
  gst_harness_push_event (harness, gst_event_new_eos ());
  while ((buffer = gst_harness_try_pull (harness))) {
    const GstReferenceTimestampMeta *meta = gst_buffer_get_reference_timestamp_meta (buffer, clock);
    fail_unless (meta != NULL);
    fail_unless_equals_uint64 (meta->timestamp, GST_BUFFER_PTS (buffer) + 1000 * GST_SECOND);
    fail_unless_equals_uint64 (meta->duration, 7);
    gst_buffer_unref (buffer);
    n++;
  }
  fail_unless_equals_int ((int) n, 12);
  gst_harness_teardown (harness);
  gst_caps_unref (clock);
  unload (&stream);
}
GST_END_TEST

static Suite *
avzerodec_pictures_suite (void)
{
  Suite *suite = suite_create ("avzerodec-pictures");
  load_plugins ();
  TCase *tcase = tcase_create ("pictures");
  watch_over (tcase);
  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, formats_have_the_same_layout_on_both_sides);
  tcase_add_loop_test (tcase, format_without_a_name_is_one_clear_error, 0, G_N_ELEMENTS (nameless));
  tcase_add_loop_test (tcase, colours_are_in_the_caps, 0, G_N_ELEMENTS (colours));
  tcase_add_test (tcase, pixel_aspect_ratio_is_the_containers_or_the_streams);
  tcase_add_test (tcase, rate_is_the_streams_where_upstream_says_none);
  tcase_add_loop_test (tcase, interlaced_from_the_start_is_not_mixed, 0, 2);
  tcase_add_test (tcase, mastering_display_and_light_level_are_in_the_caps);
  tcase_add_loop_test (tcase, stereo_is_in_the_caps, 0, G_N_ELEMENTS (stereos));
  tcase_add_loop_test (tcase, rotation_is_a_tag, 0, G_N_ELEMENTS (rotations));
  tcase_add_test (tcase, odd_crop_is_a_meta_where_downstream_crops);
  tcase_add_loop_test (tcase, captions_are_one_meta, 0, 2);
  tcase_add_test (tcase, reference_times_go_with_their_pictures);
  return suite;
}

GST_CHECK_MAIN (avzerodec_pictures)
