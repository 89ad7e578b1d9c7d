/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-fbdevzerosink-interplay.c: what the sink does with imports, with pages in the stream's format and with planes, when
 * something else happens: frames are painted anew, upstream asks, a place changes in the middle; and
 * frames that say of themselves what is not true.
 */
#include "test-card-support.h"

#include <gst/video/videooverlay.h>

/* ---- imports ----------------------------------------------------------------------------------------------------- */

START_TEST (a_frame_is_imported_once_before_it_is_flipped)
{
  begin ();
  Feeder feeder = start ();
  feeder_set_caps (&feeder, CAPS);
  GstBuffer *frames[2] = { new_frame (1), new_frame (2) };
  for (guint i = 0; i < 2; i++)
    ck_assert_int_eq (gst_pad_push (feeder.pad, gst_buffer_ref (frames[i])), GST_FLOW_OK);
  guint n = sources.n_identified;
  for (guint i = 0; i < 10; i++)
    ck_assert_int_eq (gst_pad_push (feeder.pad, gst_buffer_ref (frames[i % 2])), GST_FLOW_OK);
  /* when it is prepared, and when it is flipped: before and after the flip under way is over */
  ck_assert_uint_le (sources.n_identified - n, 30);
  assert_counts (&feeder.player, 12, 0, 0);
  for (guint i = 0; i < 2; i++)
    gst_buffer_unref (frames[i]);
  end (&feeder);
}
END_TEST

/* The display takes what the CPU cannot read: no copy can be made of it when upstream asks, and that is no error. */
START_TEST (a_frame_that_cannot_be_read_is_given_back_without_an_error)
{
  begin ();
  Feeder feeder = start ();
  feeder_set_caps (&feeder, CAPS);
  GstBuffer *frame = new_frame (7), *hidden = gst_buffer_new ();
  GstAllocator *allocator = gst_dmabuf_allocator_new ();
  gchar *path = g_strdup_printf ("/proc/self/fd/%d", gst_dmabuf_memory_get_fd (gst_buffer_peek_memory (frame, 0)));
  int fd = open (path, O_WRONLY | O_CLOEXEC);
  ck_assert_int_ge (fd, 0);
  gst_buffer_append_memory (hidden, gst_dmabuf_allocator_alloc (allocator, fd, FRAME_BYTES));
  gst_buffer_copy_into (hidden, frame, GST_BUFFER_COPY_META, 0, -1);
  gst_buffer_unref (frame);
  ck_assert_int_eq (gst_pad_push (feeder.pad, hidden), GST_FLOW_OK);
  ck_assert (shows_import ());
  gst_query_unref (feeder_ask (&feeder, CAPS, TRUE));
  player_drain (&feeder.player);
  ck_assert_msg (feeder.player.n_errors == 0, "%s", feeder.player.error);
  ck_assert_int_eq (gst_pad_push (feeder.pad, new_frame (8)), GST_FLOW_OK);
  assert_counts (&feeder.player, 2, 0, 0);
  gst_object_unref (allocator);
  g_free (path);
  end (&feeder);
}
END_TEST

/* A pool may come where another one was, and they may take turns. */
START_TEST (what_was_imported_of_each_pool_goes_with_it)
{
  begin ();
  Feeder feeder = start ();
  g_object_set (feeder.player.sink, "enable-last-sample", FALSE, NULL);
  feeder_set_caps (&feeder, CAPS);
  for (guint i = 0; i < 10; i++) {
    GstBufferPool *pool;
    GstBuffer *frame = new_pool_frame (&pool, i);

    ck_assert_int_eq (gst_pad_push (feeder.pad, frame), GST_FLOW_OK);
    ck_assert (shows_import ());
    push_plain (&feeder);
    gst_buffer_pool_set_active (pool, FALSE);
    gst_object_unref (pool);
    ck_assert_uint_eq (n_imported (), 0);
  }
  end (&feeder);
}
END_TEST

START_TEST (the_reason_is_that_of_the_last_frame)
{
  begin ();
  fake.refuse_import = ENOMEM;
  Feeder feeder = start ();
  feeder_set_caps (&feeder, CAPS);
  ck_assert_int_eq (gst_pad_push (feeder.pad, new_frame (1)), GST_FLOW_OK);
  assert_reason (&feeder, ba_error_text (-ENOMEM));
  fake.refuse_import = EMFILE;
  ck_assert_int_eq (gst_pad_push (feeder.pad, new_frame (2)), GST_FLOW_OK);
  assert_reason (&feeder, ba_error_text (-EMFILE));
  end (&feeder);
}
END_TEST

/* ---- pages in the stream's format -------------------------------------------------------------------------------- */

#define YUY2 "video/x-raw,format=YUY2,framerate=30/1,pixel-aspect-ratio=1/1,width=100,height=50"

static void
read_rows (const FakeThing * fb, gsize at, guint8 * to, gsize bytes)
{
  const FakeThing *buffer = fake_kms_find (fake.handles, fb->handles[0]);

  ck_assert_int_eq (pread (fake.memory_fd, to, bytes, (buffer - fake.handles) * (off_t) FAKE_BUFFER_BYTES + at), bytes);
}

/* Nobody else draws on a card's pages, and a border in YUV is not made of zeros. */
START_TEST (expose_leaves_a_picture_in_yuv_pages_alone)
{
  static const guint32 formats[] = { DRM_FORMAT_XRGB8888, DRM_FORMAT_YUYV };
  guint8 before[400 * 100], after[400 * 100];
  GstCaps *caps = gst_caps_from_string (YUY2);
  GstVideoFrame frame;
  GstVideoInfo info;
  GstBuffer *buffer;

  begin ();
  fake.formats = formats;
  fake.n_formats = G_N_ELEMENTS (formats);
  Feeder feeder = start_with (SETTINGS " scaling=none");
  feeder_set_caps (&feeder, YUY2);
  GstBufferPool *pool = feeder_get_pool (&feeder, YUY2);
  GstStructure *config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  if (!gst_buffer_pool_set_config (pool, config))
    ck_assert (gst_buffer_pool_set_config (pool, gst_buffer_pool_get_config (pool)));
  ck_assert (gst_buffer_pool_set_active (pool, TRUE));
  ck_assert (gst_video_info_from_caps (&info, caps));
  ck_assert_int_eq (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL), GST_FLOW_OK);
  ck_assert (gst_video_frame_map (&frame, &info, buffer, GST_MAP_WRITE));
  for (guint y = 0; y < 50; y++)
    memset ((guint8 *) frame.data[0] + y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0), 0x50, 200);
  gst_video_frame_unmap (&frame);
  ck_assert_int_eq (gst_pad_push (feeder.pad, buffer), GST_FLOW_OK);
  assert_counts (&feeder.player, 1, 0, 0);
  const FakeThing *shown = fake_kms_shown (&fake, FAKE_PRIMARY);
  ck_assert_uint_eq (shown->fourcc, DRM_FORMAT_YUYV);
  ck_assert_uint_eq (shown->pitches[0], 400);
  read_rows (shown, 0, before, sizeof before);
  ck_assert_uint_eq (before[50 * 400 + 100 + 80], 0x50);
  gst_video_overlay_expose (GST_VIDEO_OVERLAY (feeder.player.sink));
  read_rows (fake_kms_shown (&fake, FAKE_PRIMARY), 0, after, sizeof after);
  ck_assert_int_eq (memcmp (before, after, sizeof before), 0);
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
  gst_caps_unref (caps);
  end (&feeder);
}
END_TEST

/* ---- an answer --------------------------------------------------------------------------------------------------- */

static GstElement *answering;
static guint32 shown_meanwhile;

static gpointer
turn_the_picture (gpointer sink)
{
  g_object_set (sink, "video-direction", GST_VIDEO_ORIENTATION_180, NULL);
  return NULL;
}

/* In the middle of the answer: the application does something for which YUV pages will not do. */
static void
turn_while_it_answers (unsigned long request, const void * arg)
{
  if (request != UDMABUF_CREATE || !answering)
    return;
  g_thread_join (g_thread_new ("application", turn_the_picture, answering));
  answering = NULL;
  shown_meanwhile = fake_kms_shown (&fake, FAKE_PRIMARY)->fourcc;
}

START_TEST (the_display_is_not_opened_anew_while_a_query_is_answered)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 200 * 100 * 3 / 2, NULL);

  begin ();
  sources.before = turn_while_it_answers;
  Feeder feeder = start ();
  feeder_set_caps (&feeder, NV12);
  gst_buffer_memset (buffer, 0, 40, 200 * 100 * 3 / 2);
  ck_assert_int_eq (gst_pad_push (feeder.pad, buffer), GST_FLOW_OK);
  ck_assert_uint_eq (fake_kms_shown (&fake, FAKE_PRIMARY)->fourcc, DRM_FORMAT_NV12);
  answering = feeder.player.sink;
  gst_query_unref (feeder_ask (&feeder, NV12, TRUE));
  ck_assert_ptr_null (answering);
  ck_assert_uint_eq (shown_meanwhile, DRM_FORMAT_NV12);
  end (&feeder);
}
END_TEST

/* ---- displays ---------------------------------------------------------------------------------------------------- */

/* A plane that covers the picture and nothing else does so when the element plays a second time. */
START_TEST (an_overlay_covers_the_picture_only_each_time)
{
  begin ();
  Feeder feeder = start_with ("device=" FAKE_CARD_PATH ",plane=overlay sync=false render-rectangle=\"<20,10,64,32>\"");
  for (guint i = 0; i < 2; i++) {
    if (i == 1) {
      player_set (&feeder.player, GST_STATE_NULL);
      player_set (&feeder.player, GST_STATE_PLAYING);
      gst_pad_push_event (feeder.pad, gst_event_new_stream_start ("again"));
    }
    /* a format that the plane does not have */
    feeder_set_caps (&feeder, "video/x-raw,format=UYVY,framerate=30/1,width=64,height=32");
    GstBuffer *buffer = gst_buffer_new_allocate (NULL, 64 * 32 * 2, NULL);
    gst_buffer_memset (buffer, 0, 128, -1);
    ck_assert_int_eq (gst_pad_push (feeder.pad, buffer), GST_FLOW_OK);
    ck_assert_uint_eq (fake_kms_shown (&fake, FAKE_OVERLAY)->width, 64);
    ck_assert_uint_eq (fake_kms_shown (&fake, FAKE_OVERLAY)->height, 32);
  }
  end (&feeder);
}
END_TEST

/* Mode and format both need other pages: two displays, one after the other, and the second may lie where the first was. */
START_TEST (pages_that_changed_twice_are_told_to_upstream)
{
  begin ();
  Feeder feeder = start_with ("device=" FAKE_CARD_PATH ",mode=fit sync=false");
  for (guint i = 0; i < 6; i++) {
    gst_pad_check_reconfigure (feeder.pad);
    feeder_set_caps (&feeder, i % 2 ? NV12
                     : "video/x-raw,format=NV12,framerate=30/1,width=100,height=50,colorimetry=bt709");
    ck_assert (gst_pad_check_reconfigure (feeder.pad));
  }
  end (&feeder);
}
END_TEST

/* ---- what is not true -------------------------------------------------------------------------------------------- */

/* 200x100 BGRx in 80000 bytes, and what their meta says. */
START_TEST (a_frame_whose_meta_lies_is_refused)
{
  static const struct
  {
    guint width, height;
    gint stride;
    gsize offset;
    GstVideoRectangle crop; /* where it has one */
  } cases[] = {
    { 200, 100, G_MAXINT, 0, { 0, 0, 0, 0 } },
    { 200, 100, G_MININT, 0, { 0, 0, 0, 0 } },
    { 200, 100, -800, 0, { 0, 0, 0, 0 } },
    { 200, 100, 800, 79900, { 0, 0, 0, 0 } },
    { 200, 100, 800, 80000, { 0, 0, 0, 0 } },
    { 200, 100, 1 << 20, 0, { 0, 50, 200, 50 } },
    { 1 << 28, 100, 800, 0, { 1 << 27, 0, 100, 100 } },
    { 200, G_MAXINT, 800, 0, { 0, 1 << 30, 100, 100 } },
    { G_MAXUINT, 100, 800, 0, { G_MININT, 0, 100, 100 } },
    { G_MAXUINT, G_MAXUINT, 800, 0, { 0, 0, 0, 0 } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    begin ();
    Feeder feeder = start ();
    feeder_set_caps (&feeder, CAPS);
    push_plain (&feeder);       /* GstBaseSink 1.22 never lets go of its caps where the very first frame fails */
    GstBuffer *buffer = bgrx_frame (WIDTH, HEIGHT, 800, 0x123456);
    gsize offset[GST_VIDEO_MAX_PLANES] = { cases[i].offset };
    gint stride[GST_VIDEO_MAX_PLANES] = { cases[i].stride };
    gst_buffer_add_video_meta_full (buffer, 0, GST_VIDEO_FORMAT_BGRx, cases[i].width, cases[i].height, 1, offset,
                                    stride);
    if (cases[i].crop.w) {
      GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta (buffer);
      crop->x = cases[i].crop.x;
      crop->y = cases[i].crop.y;
      crop->width = cases[i].crop.w;
      crop->height = cases[i].crop.h;
    }
    GstFlowReturn flow = gst_pad_push (feeder.pad, buffer);
    player_drain (&feeder.player);
    ck_assert_msg (flow == GST_FLOW_ERROR ? feeder.player.n_errors == 1
                                          : player_count (&feeder.player, "dropped") == 1, "case %u", i);
    feeder.player.n_errors = 0;
    end (&feeder);
  }
}
END_TEST

/* The last row first, as some sources have it, is nothing wrong. */
START_TEST (a_frame_from_below_is_shown)
{
  gsize offset[GST_VIDEO_MAX_PLANES] = { 99 * 800 };
  gint stride[GST_VIDEO_MAX_PLANES] = { -800 };

  begin ();
  Feeder feeder = start ();
  feeder_set_caps (&feeder, CAPS);
  GstBuffer *buffer = bgrx_frame (WIDTH, HEIGHT, 800, 0x123456);
  gst_buffer_add_video_meta_full (buffer, 0, GST_VIDEO_FORMAT_BGRx, WIDTH, HEIGHT, 1, offset, stride);
  ck_assert_int_eq (gst_pad_push (feeder.pad, buffer), GST_FLOW_OK);
  assert_counts (&feeder.player, 0, 0, 1);
  ck_assert_uint_eq (shown_byte (), 0x56);
  end (&feeder);
}
END_TEST

RUN ("fbdevzerosink-interplay", a_frame_is_imported_once_before_it_is_flipped,
     a_frame_that_cannot_be_read_is_given_back_without_an_error, what_was_imported_of_each_pool_goes_with_it,
     the_reason_is_that_of_the_last_frame, expose_leaves_a_picture_in_yuv_pages_alone,
     the_display_is_not_opened_anew_while_a_query_is_answered, an_overlay_covers_the_picture_only_each_time,
     pages_that_changed_twice_are_told_to_upstream,
     a_frame_whose_meta_lies_is_refused, a_frame_from_below_is_shown)
