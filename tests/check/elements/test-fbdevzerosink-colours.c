/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-fbdevzerosink-colours.c: what a plane is told of a stream's colours, when, and what it is not given as it has no
 * word for it; memory that is offered where the plane scales; and what there is to choose from.
 */
#include "test-card-support.h"

#define YUV(colours)                                                                                                   \
  "video/x-raw,format=NV12,framerate=30/1,pixel-aspect-ratio=1/1,width=200,height=100,colorimetry=" colours

static guint64
encoding (void)
{
  return fake.screen.planes[0].values[FAKE_P_ENCODING];
}

static GstBuffer *
nv12_in_dmabuf (void)
{
  GstAllocator *allocator = gst_dmabuf_allocator_new ();
  GstBuffer *buffer = gst_buffer_new ();
  GstVideoInfo info;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_NV12, WIDTH, HEIGHT);
  gst_buffer_append_memory (buffer, gst_dmabuf_allocator_alloc (allocator, new_file (info.size), info.size));
  gst_object_unref (allocator);
  return buffer;
}

START_TEST (matrices_that_planes_know_are_told_and_others_are_converted)
{
  static const struct
  {
    const gchar *caps;
    gint encoding; /* as the fake numbers them, -1 = it is not flipped */
  } cases[] = {
    { YUV ("bt601"), 0 },
    { YUV ("bt709"), 1 },
    { YUV ("bt2020"), 2 },
    { YUV ("2:2:0:0"), 0 },     /* FCC */
    { YUV ("smpte240m"), -1 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    gboolean flips = cases[i].encoding >= 0;

    begin ();
    Feeder feeder = start ();
    feeder_set_caps (&feeder, cases[i].caps);
    ck_assert_int_eq (gst_pad_push (feeder.pad, nv12_in_dmabuf ()), GST_FLOW_OK);
    ck_assert_msg (shows_import () == flips, "%s", cases[i].caps);
    assert_counts (&feeder.player, flips, !flips, 0);
    if (flips)
      ck_assert_int_eq ((gint) encoding (), cases[i].encoding);
    else
      assert_reason (&feeder, "the driver cannot be told what its colours mean");
    if (!flips) {
      GstQuery *query = feeder_ask (&feeder, cases[i].caps, TRUE);
      ck_assert_uint_eq (gst_query_get_n_allocation_pools (query), 0);
      gst_query_unref (query);
      ck_assert_uint_eq (fake_kms_shown (&fake, FAKE_PRIMARY)->fourcc, DRM_FORMAT_XRGB8888);
    }
    end (&feeder);
  }
}
END_TEST

/* What chroma is multiplied with: to red, to blue, and from both of them to green. */
static void
factors_of (GstVideoColorMatrix matrix, gdouble factors[4])
{
  gdouble kr, kb;

  ck_assert (gst_video_color_matrix_get_Kr_Kb (matrix, &kr, &kb));
  factors[0] = 2 * (1 - kr);
  factors[1] = 2 * (1 - kb);
  factors[2] = 2 * (1 - kr) * kr / (1 - kr - kb);
  factors[3] = 2 * (1 - kb) * kb / (1 - kr - kb);
}

/* By how much a channel of 255 is off at most where video of one matrix is shown with that of another one. */
static gdouble
off_by (GstVideoColorMatrix is, GstVideoColorMatrix told)
{
  gdouble a[4], b[4], green;

  factors_of (is, a);
  factors_of (told, b);
  green = MAX (ABS (a[2] - b[2] + a[3] - b[3]), ABS (a[2] - b[2] - a[3] + b[3]));
  return 127.5 * MAX (green, MAX (ABS (a[0] - b[0]), ABS (a[1] - b[1])));
}

START_TEST (a_nearest_matrix_is_as_near_as_a_conversion_promises_to_be)
{
  ck_assert (off_by (GST_VIDEO_COLOR_MATRIX_FCC, GST_VIDEO_COLOR_MATRIX_BT601) < 2);
  ck_assert (off_by (GST_VIDEO_COLOR_MATRIX_SMPTE240M, GST_VIDEO_COLOR_MATRIX_BT709) > 5);
  ck_assert (off_by (GST_VIDEO_COLOR_MATRIX_SMPTE240M, GST_VIDEO_COLOR_MATRIX_BT601) > 3);
}
END_TEST

START_TEST (to_ask_for_memory_changes_no_colours)
{
  begin ();
  Feeder feeder = start ();
  feeder_set_caps (&feeder, YUV ("bt709"));
  for (guint i = 0; i < 2; i++) {
    ck_assert_int_eq (gst_pad_push (feeder.pad, nv12_in_dmabuf ()), GST_FLOW_OK);
    ck_assert_uint_eq (encoding (), 1);
  }
  GstBufferPool *pool = get_pool (&feeder, YUV ("bt709"), 0);
  for (guint i = 0; i < 3; i++) {
    gst_query_unref (feeder_ask (&feeder, i ? YUV ("bt601") : YUV ("bt2020"), TRUE)); /* of caps that may come, or not */
    ck_assert_int_eq (gst_pad_push (feeder.pad, draw (pool, i)), GST_FLOW_OK); /* a page */
    ck_assert (!shows_import ());
    ck_assert_uint_eq (encoding (), 1);
  }
  drop_pool (pool);
  feeder_set_caps (&feeder, YUV ("bt601"));
  for (guint i = 0; i < 2; i++)
    ck_assert_int_eq (gst_pad_push (feeder.pad, nv12_in_dmabuf ()), GST_FLOW_OK);
  ck_assert_uint_eq (encoding (), 0);
  end (&feeder);
}
END_TEST

/* With two pages none is offered: the frames are drawn into memory of their own size, which the plane scales. */
START_TEST (memory_is_offered_for_pictures_that_the_plane_scales)
{
  static const gchar caps[] = BGRX (64, 32);

  begin ();
  fake.can_scale = true;
  Feeder feeder = start_with (SETTINGS " pages=2");
  feeder_set_caps (&feeder, caps);
  GstBufferPool *pool = get_pool (&feeder, caps, 0);
  for (guint i = 0; i < 5; i++) {
    GstBuffer *buffer = draw (pool, i);
    ck_assert (gst_is_dmabuf_memory (gst_buffer_peek_memory (buffer, 0)));
    ck_assert_int_eq (gst_pad_push (feeder.pad, buffer), GST_FLOW_OK);
    ck_assert (shows_import ());
    ck_assert_uint_eq (fake.screen.planes[0].values[FAKE_P_SRC_W] >> 16, 64);
    ck_assert_uint_eq (fake.screen.planes[0].values[FAKE_P_W], 200);
  }
  assert_counts (&feeder.player, 5, 0, 0);
  drop_pool (pool);
  end (&feeder);
}
END_TEST

START_TEST (nv61_is_shown_where_it_lies)
{
  static const uint32_t formats[] = { DRM_FORMAT_XRGB8888, DRM_FORMAT_NV61 };
  static const gchar caps[] = "video/x-raw,format=NV61,framerate=30/1,pixel-aspect-ratio=1/1,width=200,height=100,"
      "colorimetry=bt709";

  begin ();
  fake.formats = formats;
  fake.n_formats = G_N_ELEMENTS (formats);
  Feeder feeder = start ();
  feeder_set_caps (&feeder, caps);
  for (guint k = 0; k < 2; k++) { /* pages, and memory that caches keep */
    GstBufferPool *pool = get_pool (&feeder, caps, k);
    for (guint i = 0; i < 3; i++) {
      ck_assert_int_eq (gst_pad_push (feeder.pad, draw (pool, i)), GST_FLOW_OK);
      ck_assert_int_eq (shows_import (), k == 1);
      ck_assert_uint_eq (fake_kms_shown (&fake, FAKE_PRIMARY)->fourcc, DRM_FORMAT_NV61);
    }
    drop_pool (pool);
  }
  assert_counts (&feeder.player, 6, 0, 0);
  end (&feeder);
}
END_TEST

START_TEST (what_there_is_to_choose_from_can_be_read)
{
  gchar *outputs;

  begin ();
  fake_kms_ready (&fake);
  GstElement *sink = gst_element_factory_make ("fbdevzerosink", NULL);
  g_object_set (sink, "device", FAKE_CARD_PATH ",connector=nonsense", NULL);
  g_object_get (sink, "outputs", &outputs, NULL);
  ck_assert_str_eq (outputs, FAKE_CARD_PATH " fakekms:\n  VGA-1 (11, nothing connected)\n  HDMI-A-1 (10, connected: "
      "100x50@75 100x50@60 200x100@60i 200x100@60 200x100@50)");
  g_free (outputs);
  g_object_set (sink, "device", "virtual:8x8", NULL); /* nothing of it: all cards */
  g_object_get (sink, "outputs", &outputs, NULL);
  ck_assert_ptr_nonnull (strstr (outputs, FAKE_CARD_PATH " fakekms:"));
  g_free (outputs);
  fake.absent = true;
  g_object_get (sink, "outputs", &outputs, NULL);
  ck_assert_ptr_null (outputs);
  gst_object_unref (sink);
  ck_assert_int_eq (fake.n_open, 0);
  fake_kms_finish (&fake);
}
END_TEST

RUN ("fbdevzerosink-colours", matrices_that_planes_know_are_told_and_others_are_converted,
     a_nearest_matrix_is_as_near_as_a_conversion_promises_to_be, to_ask_for_memory_changes_no_colours,
     memory_is_offered_for_pictures_that_the_plane_scales, nv61_is_shown_where_it_lies,
     what_there_is_to_choose_from_can_be_read)
