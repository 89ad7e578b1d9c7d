/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-pitfalls-frames.c: traps in what a frame says about itself that the other tests would not notice: strides of its
 * own, a picture larger than the caps, rows that are rounded up, and maps that are held too long. docs/traps.md says
 * which test holds which trap.
 */
#include "test-feeder.h"

#define I420(width, height) "video/x-raw,format=I420,framerate=30/1,pixel-aspect-ratio=1/1," \
  "width=" #width ",height=" #height ",colorimetry=bt601"

/* An I420 picture of one colour (BT.601) whose planes have these strides, with the rest of each row wild. */
static GstBuffer *
i420_frame (gint width, gint height, gint luma_stride, gint chroma_stride, guint8 y, guint8 u, guint8 v)
{
  gsize luma_bytes = (gsize) luma_stride * height, chroma_bytes = (gsize) chroma_stride * height / 2;
  gsize offset[GST_VIDEO_MAX_PLANES] = { 0, luma_bytes, luma_bytes + chroma_bytes };
  gint stride[GST_VIDEO_MAX_PLANES] = { luma_stride, chroma_stride, chroma_stride };
  const guint8 values[] = { y, u, v };
  guint8 *data = g_malloc (luma_bytes + 2 * chroma_bytes);
  GstBuffer *buffer = gst_buffer_new_wrapped (data, luma_bytes + 2 * chroma_bytes);

  memset (data, 0xee, luma_bytes + 2 * chroma_bytes);
  for (guint p = 0; p < 3; p++) {
    for (gint row = 0; row < (p ? height / 2 : height); row++)
      memset (data + offset[p] + row * stride[p], values[p], p ? width / 2 : width);
  }
  gst_buffer_add_video_meta_full (buffer, 0, GST_VIDEO_FORMAT_I420, width, height, 3, offset, stride);
  return buffer;
}

/* The BGRx frame of the same kind. */
static GstBuffer *
strided_frame (gint width, gint height, gint stride_bytes, guint32 colour)
{
  GstBuffer *buffer = bgrx_frame (width, height, stride_bytes, colour);
  gsize offset[GST_VIDEO_MAX_PLANES] = { 0 };
  gint stride[GST_VIDEO_MAX_PLANES] = { stride_bytes };

  gst_buffer_add_video_meta_full (buffer, 0, GST_VIDEO_FORMAT_BGRx, width, height, 1, offset, stride);
  return buffer;
}

static GstBuffer *
without_meta (GstBuffer * buffer)
{
  gst_buffer_remove_meta (buffer, (GstMeta *) gst_buffer_get_video_meta (buffer));
  return buffer;
}

START_TEST (a_frames_strides_are_its_own_and_not_those_of_the_next)
{
  static const gchar *scalings[] = { "none", "stretch" };

  for (guint i = 0; i < 4; i++) {
    ScreenFile file = screen_file_new ();
    gchar *settings = device_in (&file, "async=false device=virtual:64x32,pages=3,rate=0");
    Feeder feeder = feeder_new (settings, GST_STATE_PLAYING);
    gboolean yuv = i % 2, scaled = i / 2;
    gint w = scaled ? 32 : 64, h = scaled ? 16 : 32;
    gchar *caps = g_strdup_printf (yuv ? I420 (%d, %d) : BGRX (%d, %d), w, h);

    gst_util_set_object_arg (G_OBJECT (feeder.player.sink), "scaling", scalings[scaled]);
    feeder_set_caps (&feeder, caps);
    /* padded, as the caps say, padded otherwise; grey is 126 of luma */
    for (gint pad = 40; pad >= -20; pad -= 20) {
      GstBuffer *buffer = yuv ? i420_frame (w, h, w + MAX (pad, 0), w / 2 + MAX (pad, 0), 126, 128, 128)
          : strided_frame (w, h, w * 4 + MAX (pad, 0), 0x808080);

      if (pad <= 0)
        buffer = without_meta (buffer);
      ck_assert_int_eq (gst_pad_push (feeder.pad, buffer), GST_FLOW_OK);
      assert_picture (&file, 0, 0, 64, 32, 0x808080);
      if (pad <= 0) {           /* and another stride after that */
        buffer = yuv ? i420_frame (w, h, w + 12, w / 2 + 4, 16, 128, 128) : strided_frame (w, h, w * 4 + 12, 0);
        ck_assert_int_eq (gst_pad_push (feeder.pad, buffer), GST_FLOW_OK);
        assert_picture (&file, 0, 0, 64, 32, 0);
      }
    }
    feeder_free (&feeder);
    g_free (caps);
    g_free (settings);
    screen_file_free (&file);
  }
}
END_TEST

START_TEST (a_frame_larger_than_its_caps_is_seen_through_its_crop)
{
  for (guint i = 0; i < 4; i++) {
    ScreenFile file = screen_file_new ();
    gchar *settings = device_in (&file, "async=false device=virtual:64x32,pages=3,rate=0");
    Feeder feeder = feeder_new (settings, GST_STATE_PLAYING);
    gboolean yuv = i % 2, cropped = i / 2;
    GstBuffer *buffer = yuv ? i420_frame (96, 48, 100, 60, 16, 128, 128) : strided_frame (96, 48, 400, 0x000000);
    gint x0 = cropped ? 20 : 0, y0 = cropped ? 10 : 0;
    GstMapInfo map;

    ck_assert (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
    for (gint y = y0; y < y0 + 32; y++) {
      for (gint x = x0; x < x0 + 64; x++) {
        if (yuv)
          map.data[y * 100 + x] = 126;
        else
          memset (map.data + y * 400 + x * 4, 128, 3);
      }
    }
    gst_buffer_unmap (buffer, &map);
    if (cropped) {
      GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta (buffer);

      crop->x = x0;
      crop->y = y0;
      crop->width = 64;
      crop->height = 32;
    }
    feeder_set_caps (&feeder, yuv ? I420 (64, 32) : BGRX (64, 32));
    ck_assert_int_eq (gst_pad_push (feeder.pad, buffer), GST_FLOW_OK);
    assert_picture (&file, 0, 0, 64, 32, 0x808080);
    /* the next one is as large as its caps say */
    ck_assert_int_eq (gst_pad_push (feeder.pad, yuv ? i420_frame (64, 32, 64, 32, 126, 128, 128)
            : bgrx_frame (64, 32, 256, 0x808080)), GST_FLOW_OK);
    assert_picture (&file, 0, 0, 64, 32, 0x808080);
    assert_counts (&feeder.player, 0, yuv ? 2 : 0, yuv ? 0 : 2);
    feeder_free (&feeder);
    g_free (settings);
    screen_file_free (&file);
  }
}
END_TEST

START_TEST (rows_of_24_bit_pixels_go_where_the_screen_has_them)
{
  static const gint strides[] = { 0, 66 * 3, 66 * 3 + 2, 66 * 3 + 30 };

  for (guint i = 0; i < G_N_ELEMENTS (strides); i++) {
    ScreenFile file = screen_file_new ();
    gchar *stride = strides[i] ? g_strdup_printf (",stride=%d", strides[i]) : g_strdup ("");
    gchar *device = g_strdup_printf ("async=false device=virtual:66x8,format=RGB,pages=3,rate=0%s", stride);
    gchar *settings = device_in (&file, device);
    Feeder feeder = feeder_new (settings, GST_STATE_PLAYING);
    GstBuffer *buffer = gst_buffer_new_allocate (NULL, 200 * 8, NULL);  /* 198 bytes of pixels a row, rounded up */
    GstMapInfo map;
    Watch watch;

    ck_assert (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
    for (gsize b = 0; b < map.size; b++)
      map.data[b] = (guint8) (b % 200 + 7 * (b / 200));
    gst_buffer_unmap (buffer, &map);
    feeder_set_caps (&feeder, "video/x-raw,format=RGB,width=66,height=8,framerate=30/1,pixel-aspect-ratio=1/1");
    ck_assert_int_eq (gst_pad_push (feeder.pad, buffer), GST_FLOW_OK);
    assert_counts (&feeder.player, 0, 0, 1);
    watch = watch_open (&file);
    for (guint y = 0; y < 8; y++) {
      const guint8 *row = watch.data + watch.trailer->front_page * watch.trailer->page_bytes
          + y * watch.trailer->stride_bytes;

      for (guint b = 0; b < 66 * 3; b++)
        ck_assert_msg (row[b] == (guint8) (b + 7 * y), "stride %d: byte %u of row %u", strides[i], b, y);
    }
    watch_close (&watch);
    feeder_free (&feeder);
    g_free (settings);
    g_free (device);
    g_free (stride);
    screen_file_free (&file);
  }
}
END_TEST

/* ---- maps -------------------------------------------------------------------------------------------------------- */

/* Nobody has the memory of this buffer mapped: then it can be mapped for writing, or is locked for a writer at once. */
static void
assert_not_mapped (GstBuffer * buffer, const gchar * what)
{
  for (guint i = 0; i < gst_buffer_n_memory (buffer); i++) {
    GstMemory *memory = gst_buffer_peek_memory (buffer, i);

    ck_assert_msg ((g_atomic_int_get (&memory->mini_object.lockstate) & GST_LOCK_FLAG_READWRITE) == 0,
        "%s: memory %u is mapped", what, i);
  }
}

START_TEST (the_sink_keeps_no_frame_mapped)
{
  static const gchar *caps[] = { BGRX (64, 32), BGRX (32, 16), I420 (64, 32) };

  for (guint pages = 1; pages <= 3; pages++) {
    for (guint i = 0; i < G_N_ELEMENTS (caps); i++) {
      gchar *settings = g_strdup_printf ("device=virtual:64x32,rate=0,pages=%u sync=false async=false", pages);
      Feeder feeder = feeder_new (settings, GST_STATE_PLAYING);
      GstBuffer *buffer = i == 2 ? i420_frame (64, 32, 64, 32, 126, 128, 128) : i == 1 ? bgrx_frame (32, 16, 128, 0)
          : bgrx_frame (64, 32, 256, 0);

      feeder_set_caps (&feeder, caps[i]);
      ck_assert_int_eq (gst_pad_push (feeder.pad, gst_buffer_ref (buffer)), GST_FLOW_OK);
      assert_not_mapped (buffer, caps[i]);
      gst_buffer_unref (buffer);
      feeder_free (&feeder);
      g_free (settings);
    }
  }
}
END_TEST

static GstPadProbeReturn
look_at_map (GstPad * pad, GstPadProbeInfo * info, gpointer data)
{
  assert_not_mapped (GST_PAD_PROBE_INFO_BUFFER (info), data);
  return GST_PAD_PROBE_OK;
}

START_TEST (the_decoder_hands_no_frame_on_mapped)
{
  static const struct
  {
    const gchar *format, *encoder, *device, *way;
  } rows[] = {
    {"I420", "jpegenc", "virtual:64x32,rate=0", "wrapped"},
    {"RGB", "pngenc", "virtual:64x32,format=RGB,stride=192,rate=0", "direct"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    GstElementFactory *decoder = gst_element_factory_find ("avzerodec");
    GstElementFactory *encoder = gst_element_factory_find (rows[i].encoder);

    if (decoder && encoder) {
      gchar *launch = g_strdup_printf ("videotestsrc num-buffers=12 ! video/x-raw,format=%s,width=64,height=32 ! %s ! "
          "avzerodec name=dec max-threads=1 ! ", rows[i].format, rows[i].encoder);
      gchar *settings = g_strdup_printf ("device=%s sync=false", rows[i].device);
      Player player = player_new (launch, settings);
      GstElement *dec = gst_bin_get_by_name (GST_BIN (player.pipeline), "dec");
      GstPad *pad = gst_element_get_static_pad (dec, "src");
      GstStructure *stats;
      guint64 count = 0;

      gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, look_at_map, (gpointer) rows[i].way, NULL);
      player_play_to_end (&player);
      g_object_get (dec, "frame-stats", &stats, NULL);
      ck_assert (gst_structure_get_uint64 (stats, rows[i].way, &count));
      ck_assert_msg (count == 12, "%s: %" G_GUINT64_FORMAT ": %s", rows[i].way, count,
          gst_structure_get_string (stats, "reason"));
      gst_structure_free (stats);
      gst_object_unref (pad);
      gst_object_unref (dec);
      player_free (&player);
      g_free (settings);
      g_free (launch);
    }
    g_clear_pointer (&decoder, gst_object_unref);
    g_clear_pointer (&encoder, gst_object_unref);
  }
}
END_TEST

RUN ("pitfalls-frames", a_frames_strides_are_its_own_and_not_those_of_the_next,
    a_frame_larger_than_its_caps_is_seen_through_its_crop, rows_of_24_bit_pixels_go_where_the_screen_has_them,
    the_sink_keeps_no_frame_mapped, the_decoder_hands_no_frame_on_mapped)
