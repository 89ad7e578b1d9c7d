/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-fbdevzerosink-dma.c: caps that say how the pixels of dmabufs lie (DMA_DRM), which GStreamer has since 1.24: what is
 * offered, shown, read where the driver refuses it, and refused where nothing can read it. An older GStreamer has none.
 */
#include "test-card-support.h"

#define TILED G_GUINT64_CONSTANT (0x0600000000000001)
#define DMA(format)                                                                                                    \
  "video/x-raw(memory:DMABuf),format=DMA_DRM,drm-format=" format ",framerate=30/1,pixel-aspect-ratio=1/1,"             \
  "width=200,height=100"

static gboolean
takes (Feeder * feeder, const gchar * text)
{
  GstCaps *caps = gst_caps_from_string (text), *offered = gst_pad_peer_query_caps (feeder->pad, NULL);
  gboolean can = gst_caps_can_intersect (caps, offered);

  gst_caps_unref (caps);
  gst_caps_unref (offered);
  return can;
}

#if GST_CHECK_VERSION (1, 24, 0)

static const uint64_t modifiers[] = { 0, TILED };

/* XR24 and others may be tiled. */
static Feeder
start_tiled (void)
{
  begin ();
  fake.modifiers = modifiers;
  fake.n_modifiers = G_N_ELEMENTS (modifiers);
  return start ();
}

START_TEST (what_the_plane_takes_is_offered)
{
  Feeder feeder = start_tiled ();
  ck_assert (takes (&feeder, DMA ("XR24")));
  ck_assert (takes (&feeder, DMA ("NV12")));
  ck_assert (takes (&feeder, DMA ("NV12:0x0600000000000001")));
  ck_assert (!takes (&feeder, DMA ("NV12:0x0600000000000002")));
  ck_assert (!takes (&feeder, DMA ("P010")));
  end (&feeder);
  begin (); /* nothing is listed: rows */
  feeder = start ();
  ck_assert (takes (&feeder, DMA ("XR24")));
  ck_assert (!takes (&feeder, DMA ("XR24:0x0600000000000001")));
  end (&feeder);
}
END_TEST

START_TEST (frames_in_rows_are_as_all_others)
{
  begin ();
  Feeder feeder = start ();
  feeder_set_caps (&feeder, DMA ("XR24"));
  GstQuery *query = feeder_ask (&feeder, DMA ("XR24"), TRUE);
  GstBufferPool *pool;
  guint min;
  gst_query_parse_nth_allocation_pool (query, 0, &pool, NULL, &min, NULL);
  ck_assert_ptr_null (pool); /* they come from elsewhere */
  ck_assert_uint_eq (min, 3);
  ck_assert (gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL));
  gst_query_unref (query);
  for (guint i = 0; i < 4; i++) {
    ck_assert_int_eq (gst_pad_push (feeder.pad, new_frame (i)), GST_FLOW_OK);
    ck_assert (shows_import ());
    ck_assert_uint_eq (fake_kms_shown (&fake, FAKE_PRIMARY)->pitches[0], STRIDE);
  }
  assert_counts (&feeder.player, 4, 0, 0);
  fake.refuse_import = ENODEV;
  feeder_set_caps (&feeder, DMA ("XR24") ",colorimetry=sRGB");
  ck_assert_int_eq (gst_pad_push (feeder.pad, new_frame (9)), GST_FLOW_OK);
  ck_assert_uint_eq (shown_byte (), 9);
  assert_counts (&feeder.player, 4, 0, 1);
  end (&feeder);
}
END_TEST

START_TEST (colours_are_those_of_the_caps_or_of_the_size)
{
  static const struct
  {
    const gchar *caps;
    guint encoding;
  } cases[] = {
    { DMA ("NV12") ",colorimetry=bt709", 1 },
    { DMA ("NV12") ",colorimetry=bt2020", 2 },
    { DMA ("NV12"), 0 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    GstAllocator *allocator = gst_dmabuf_allocator_new ();
    GstBuffer *buffer = gst_buffer_new ();
    begin ();
    Feeder feeder = start ();
    feeder_set_caps (&feeder, cases[i].caps);
    gst_buffer_append_memory (buffer, gst_dmabuf_allocator_alloc (allocator, new_file (30000), 30000));
    ck_assert_int_eq (gst_pad_push (feeder.pad, buffer), GST_FLOW_OK);
    ck_assert (shows_import ());
    ck_assert_uint_eq (fake.screen.planes[0].values[FAKE_P_ENCODING], cases[i].encoding);
    gst_object_unref (allocator);
    end (&feeder);
  }
}
END_TEST

START_TEST (frames_in_tiles_are_told_to_the_driver)
{
  Feeder feeder = start_tiled ();
  feeder_set_caps (&feeder, DMA ("XR24:0x0600000000000001"));
  for (guint i = 0; i < 3; i++) {
    ck_assert_int_eq (gst_pad_push (feeder.pad, new_frame (i)), GST_FLOW_OK);
    ck_assert (shows_import ());
    ck_assert (fake_kms_shown (&fake, FAKE_PRIMARY)->modifier == TILED);
  }
  gst_query_unref (feeder_ask (&feeder, DMA ("XR24"), TRUE)); /* no copy can be made: the screen keeps the last one */
  ck_assert (shows_import ());
  assert_counts (&feeder.player, 3, 0, 0);
  end (&feeder);
}
END_TEST

START_TEST (what_nothing_can_read_is_an_error_and_not_a_wrong_picture)
{
  Feeder feeder = start_tiled ();
  feeder_set_caps (&feeder, DMA ("XR24:0x0600000000000001"));
  ck_assert_int_eq (gst_pad_push (feeder.pad, new_frame (0)), GST_FLOW_OK); /* GstBaseSink keeps its caps without one */
  fake.refuse_imported = true;
  ck_assert_int_eq (gst_pad_push (feeder.pad, new_frame (1)), GST_FLOW_ERROR);
  player_drain (&feeder.player);
  ck_assert_int_eq (feeder.player.n_errors, 1);
  ck_assert_msg (strstr (feeder.player.error, "does not show this video") != NULL, "%s", feeder.player.error);
  feeder.player.n_errors = 0;
  end (&feeder);
}
END_TEST

RUN ("fbdevzerosink-dma", what_the_plane_takes_is_offered, frames_in_rows_are_as_all_others,
     colours_are_those_of_the_caps_or_of_the_size, frames_in_tiles_are_told_to_the_driver,
     what_nothing_can_read_is_an_error_and_not_a_wrong_picture)

#else

START_TEST (an_older_gstreamer_has_no_such_caps)
{
  begin ();
  Feeder feeder = start ();
  ck_assert (!takes (&feeder, DMA ("XR24")));
  ck_assert (takes (&feeder, CAPS));
  end (&feeder);
}
END_TEST

RUN ("fbdevzerosink-dma", an_older_gstreamer_has_no_such_caps)
#endif
