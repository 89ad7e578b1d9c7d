/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-fbdevzerosink-planes.c: the sink on KMS planes that scan out YUV, scale, lie over others, and screens of high
 * dynamic range. The card is a fake one, as no driver of a virtual machine can do any of this; the sink and everything
 * before it are real.
 */
#include "test-sink-support.h"

#include "fake-kms-libc.h"

#include <gst/video/videooverlay.h>

#define CARD "device=" FAKE_CARD_PATH
#define FRAMES 8

/* What was on the primary plane, or the overlay, when the stream was over; and what was counted. */
typedef struct
{
  FakeKms fake;
  FakeThing shown;
  FakeScreen screen;
  guint8 *page;
  guint64 flipped, converted, copied;
  gchar *reason;
} Run;

static void
run_init (Run *run)
{
  memset (run, 0, sizeof *run);
  fake_kms_init (&run->fake);
  run->page = g_malloc0 (FAKE_BUFFER_BYTES);
}

static void
look (Run *run, const Player *player, uint32_t plane)
{
  GstStructure *stats = player_stats (player);

  fake_kms_libc_lock ();
  const FakeThing *shown = fake_kms_shown (&run->fake, plane);
  ck_assert_ptr_nonnull (shown);
  run->shown = *shown;
  run->screen = run->fake.screen;
  const FakeThing *buffer = fake_kms_find (run->fake.handles, shown->handles[0]);
  ck_assert_int_gt (pread (run->fake.memory_fd, run->page, FAKE_BUFFER_BYTES,
                           (off_t) (buffer - run->fake.handles) * FAKE_BUFFER_BYTES), 0);
  fake_kms_libc_unlock ();
  run->reason = g_strdup (gst_structure_get_string (stats, "reason"));
  gst_structure_free (stats);
  run->flipped = player_count (player, "flipped");
  run->converted = player_count (player, "converted");
  run->copied = player_count (player, "copied");
}

static Player
run_player (Run *run, const gchar *launch, const gchar *settings)
{
  fake_kms_ready (&run->fake);
  fake_kms_libc_use (&run->fake);
  return player_new (launch, settings);
}

static void
run_end (Run *run, Player *player)
{
  player_free (player);
  fake_kms_libc_use (NULL);
  ck_assert (fake_kms_is_restored (&run->fake));
  ck_assert_uint_eq (run->fake.n_leaked, 0);
  ck_assert_int_eq (run->fake.fd, -1);
}

static void
run_finish (Run *run)
{
  fake_kms_finish (&run->fake);
  g_free (run->page);
  g_free (run->reason);
}

/* From start to end, and looks before the stop. */
static void
run_stream (Run *run, const gchar *launch, const gchar *settings, uint32_t plane)
{
  Player player = run_player (run, launch, settings);

  player_play_to_end (&player);
  look (run, &player, plane);
  run_end (run, &player);
}

#define TEST_VIDEO(caps) "videotestsrc pattern=blue num-buffers=8 ! video/x-raw," caps " !"

static void
assert_run (const Run *run, guint64 flipped, guint64 converted, guint64 copied)
{
  ck_assert_msg (run->flipped == flipped && run->converted == converted && run->copied == copied,
                 "%u flipped, %u converted, %u copied: %s", (guint) run->flipped, (guint) run->converted,
                 (guint) run->copied, run->reason);
}

/* Y of the picture is that of blue, and of what is around it that of black. */
static void
assert_luma (const Run *run, gint x, gint y, gint w, gint h, guint8 inside)
{
  for (gint row = 0; row < (gint) run->shown.height; row++) {
    for (gint column = 0; column < (gint) run->shown.width; column++) {
      gboolean in = column >= x && column < x + w && row >= y && row < y + h;
      guint8 found = run->page[run->shown.offsets[0] + (guint) row * run->shown.pitches[0] + (guint) column];

      ck_assert_msg (found == (in ? inside : 16), "Y at %d,%d is %u", column, row, found);
    }
  }
}

/* ---- YUV ------------------------------------------------------------------------------------------------------- */

START_TEST (yuv_of_the_screens_size_is_drawn_into_pages_and_flipped)
{
  static const struct
  {
    const gchar *caps;
    uint32_t fourcc, encoding, range;
  } cases[] = {
    { "format=I420,width=200,height=100,colorimetry=bt601", DRM_FORMAT_YUV420, 0, 0 },
    { "format=NV12,width=200,height=100,colorimetry=bt709", DRM_FORMAT_NV12, 1, 0 },
    { "format=NV12,width=200,height=100,colorimetry=1:4:0:0", DRM_FORMAT_NV12, 0, 1 },
    { "format=NV12,width=200,height=100,colorimetry=bt2020", DRM_FORMAT_NV12, 2, 0 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    gchar *launch = g_strdup_printf ("videotestsrc pattern=blue num-buffers=8 ! video/x-raw,%s !", cases[i].caps);
    Run run;

    run_init (&run);
    run_stream (&run, launch, CARD " sync=false", FAKE_PRIMARY);
    assert_run (&run, FRAMES, 0, 0);
    ck_assert_uint_eq (run.shown.fourcc, cases[i].fourcc);
    ck_assert_uint_eq (run.shown.width, 200);
    ck_assert_uint_eq (run.screen.planes[0].values[FAKE_P_ENCODING], cases[i].encoding);
    ck_assert_uint_eq (run.screen.planes[0].values[FAKE_P_RANGE], cases[i].range);
    ck_assert_uint_eq (run.fake.n_modesets, 2); /* there and back: nothing else was seen */
    run_finish (&run);
    g_free (launch);
  }
}
END_TEST

START_TEST (yuv_of_the_plane_comes_first_in_the_caps)
{
  Run run;

  run_init (&run);
  Player player = run_player (&run, "appsrc name=src !", CARD);
  player_set (&player, GST_STATE_READY);
  GstPad *pad = gst_element_get_static_pad (player.sink, "sink");
  GstCaps *caps = gst_pad_query_caps (pad, NULL);
  guint plain = gst_caps_features_contains (gst_caps_get_features (caps, 0), "memory:DMABuf"); /* GStreamer 1.24 */
  const GValue *formats = gst_structure_get_value (gst_caps_get_structure (caps, plain), "format");
  gchar *text = gst_value_serialize (formats);
  ck_assert_str_eq (text, "{ (string)NV12, (string)I420, (string)BGRx }");
  g_free (text);
  gst_caps_unref (caps);
  /* a plane has no room for a picture that is turned */
  g_object_set (player.sink, "video-direction", 1, NULL);
  caps = gst_pad_query_caps (pad, NULL);
  ck_assert_str_eq (gst_structure_get_string (gst_caps_get_structure (caps, plain), "format"), "BGRx");
  gst_caps_unref (caps);
  gst_object_unref (pad);
  run_end (&run, &player);
  run_finish (&run);
}
END_TEST

START_TEST (a_small_yuv_picture_is_drawn_where_it_is_seen)
{
  Run run;

  run_init (&run);
  run_stream (&run, TEST_VIDEO ("format=NV12,width=102,height=50"), CARD " sync=false scaling=none", FAKE_PRIMARY);
  assert_run (&run, FRAMES, 0, 0);
  ck_assert_uint_eq (run.shown.fourcc, DRM_FORMAT_NV12);
  assert_luma (&run, 48, 24, 102, 50, 41); /* 49 and 25 in the middle, but two pixels share their colours */
  run_finish (&run);
}
END_TEST

START_TEST (yuv_in_memory_of_others_is_copied_by_its_planes)
{
  Run run;

  run_init (&run);
  run_stream (&run, TEST_VIDEO ("format=I420,width=100,height=50") " identity drop-allocation=true !",
              CARD " sync=false scaling=none", FAKE_PRIMARY);
  assert_run (&run, 0, 0, FRAMES);
  ck_assert_uint_eq (run.shown.fourcc, DRM_FORMAT_YUV420);
  assert_luma (&run, 50, 24, 100, 50, 41);
  ck_assert_uint_eq (run.page[run.shown.offsets[1] + 20 * run.shown.pitches[1] + 40], 240); /* blue */
  ck_assert_uint_eq (run.page[run.shown.offsets[1] + 20 * run.shown.pitches[1] + 24], 128);
  ck_assert_uint_eq (run.page[run.shown.offsets[2] + 20 * run.shown.pitches[2] + 40], 110);
  run_finish (&run);
}
END_TEST

START_TEST (colours_that_nobody_can_tell_are_converted_unless_asked_for)
{
  Run run;

  run_init (&run);
  run.fake.no_colours = true;
  run_stream (&run, TEST_VIDEO ("format=NV12,width=200,height=100"), CARD " sync=false", FAKE_PRIMARY);
  assert_run (&run, 0, FRAMES, 0);
  ck_assert_uint_eq (run.shown.fourcc, DRM_FORMAT_XRGB8888);
  run_finish (&run);
  run_init (&run);
  run.fake.no_colours = true;
  run_stream (&run, TEST_VIDEO ("format=NV12,width=200,height=100"), CARD " sync=false offer-pages=always",
              FAKE_PRIMARY);
  assert_run (&run, FRAMES, 0, 0);
  run_finish (&run);
}
END_TEST

START_TEST (text_over_yuv_is_painted_into_plain_pages)
{
  Run run;

  run_init (&run);
  Player player = run_player (&run, "appsrc name=src format=time ! video/x-raw,format=I420,width=200,height=100 !",
                              CARD " sync=false");
  const gchar *caps = "video/x-raw,format=I420,width=200,height=100,framerate=30/1";
  player_set (&player, GST_STATE_PLAYING);
  for (guint i = 0; i < 3; i++) {
    GstBuffer *frame = gst_buffer_new_allocate (NULL, 200 * 100 * 3 / 2, NULL);

    gst_buffer_memset (frame, 0, 128, 200 * 100 * 3 / 2);
    if (i == 1) {
      GstBuffer *pixels = gst_buffer_new_allocate (NULL, 16 * 16 * 4, NULL);

      gst_buffer_memset (pixels, 0, 255, 16 * 16 * 4);
      gst_buffer_add_video_meta (pixels, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB, 16, 16);
      GstVideoOverlayRectangle *rectangle = gst_video_overlay_rectangle_new_raw (pixels, 8, 8, 16, 16,
                                                                                 GST_VIDEO_OVERLAY_FORMAT_FLAG_NONE);
      GstVideoOverlayComposition *over = gst_video_overlay_composition_new (rectangle);

      gst_buffer_add_video_overlay_composition_meta (frame, over);
      gst_video_overlay_composition_unref (over);
      gst_video_overlay_rectangle_unref (rectangle);
      gst_buffer_unref (pixels);
    }
    ck_assert_int_eq (player_push (&player, frame, caps), GST_FLOW_OK);
  }
  player_push_end (&player);
  player_wait (&player, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  ck_assert_msg (player.n_errors == 0, "%s", player.error);
  look (&run, &player, FAKE_PRIMARY);
  run_end (&run, &player);
  assert_run (&run, 0, 2, 1); /* nothing with a picture over it was lost, and the one after goes on as it is */
  ck_assert_uint_eq (run.shown.fourcc, DRM_FORMAT_XRGB8888);
  run_finish (&run);
}
END_TEST

START_TEST (a_picture_that_is_turned_while_it_plays_has_plain_pages)
{
  Run run;

  run_init (&run);
  Player player = run_player (&run, "videotestsrc pattern=blue ! video/x-raw,format=NV12,width=200,height=100 !",
                              CARD " sync=true");
  player_reach (&player, GST_STATE_PAUSED);
  look (&run, &player, FAKE_PRIMARY);
  ck_assert_uint_eq (run.shown.fourcc, DRM_FORMAT_NV12);
  g_free (run.reason);
  g_object_set (player.sink, "video-direction", 2, NULL);
  gst_video_overlay_expose (GST_VIDEO_OVERLAY (player.sink));
  look (&run, &player, FAKE_PRIMARY);
  ck_assert_uint_eq (run.shown.fourcc, DRM_FORMAT_XRGB8888);
  run_end (&run, &player);
  run_finish (&run);
}
END_TEST

/* ---- scaling --------------------------------------------------------------------------------------------------- */

START_TEST (a_plane_that_scales_flips_what_another_one_has_converted)
{
  for (gint can = 0; can < 2; can++) {
    Run run;

    run_init (&run);
    run.fake.can_scale = run.fake.can_be_small = can;
    run_stream (&run, TEST_VIDEO ("format=NV12,width=64,height=64"), CARD " sync=false", FAKE_PRIMARY);
    if (can) {
      assert_run (&run, FRAMES, 0, 0);
      ck_assert_uint_eq (run.shown.width, 64);
      ck_assert_uint_eq (run.screen.planes[0].values[FAKE_P_SRC_W], 64 << 16);
      ck_assert_uint_eq (run.screen.planes[0].values[FAKE_P_X], 50);
      ck_assert_uint_eq (run.screen.planes[0].values[FAKE_P_W], 100);
    } else {
      assert_run (&run, 0, FRAMES, 0);
      ck_assert_uint_eq (run.shown.fourcc, DRM_FORMAT_XRGB8888);
      ck_assert_uint_eq (run.shown.width, 200);
    }
    run_finish (&run);
  }
}
END_TEST

START_TEST (a_rectangle_that_moves_moves_the_plane)
{
  Run run;

  run_init (&run);
  run.fake.can_scale = run.fake.can_be_small = true;
  Player player = run_player (&run, "videotestsrc pattern=blue ! video/x-raw,format=BGRx,width=64,height=32 !",
                              CARD " sync=true");
  player_reach (&player, GST_STATE_PAUSED);
  look (&run, &player, FAKE_PRIMARY);
  ck_assert_uint_eq (run.screen.planes[0].values[FAKE_P_W], 200);
  g_free (run.reason);
  gst_video_overlay_set_render_rectangle (GST_VIDEO_OVERLAY (player.sink), 10, 20, 128, 64);
  gst_video_overlay_expose (GST_VIDEO_OVERLAY (player.sink));
  look (&run, &player, FAKE_PRIMARY);
  ck_assert_uint_eq (run.shown.width, 64);
  ck_assert_uint_eq (run.screen.planes[0].values[FAKE_P_X], 10);
  ck_assert_uint_eq (run.screen.planes[0].values[FAKE_P_Y], 20);
  ck_assert_uint_eq (run.screen.planes[0].values[FAKE_P_W], 128);
  run_end (&run, &player);
  run_finish (&run);
}
END_TEST

START_TEST (an_overlay_covers_the_picture_and_nothing_else)
{
  static const gchar *const launches[] = {
    TEST_VIDEO ("format=NV12,width=64,height=32"),
    TEST_VIDEO ("format=BGRx,width=64,height=32"),
    TEST_VIDEO ("format=UYVY,width=64,height=32"), /* that the plane does not have */
  };

  for (guint i = 0; i < G_N_ELEMENTS (launches); i++) {
    Run run;

    run_init (&run);
    Player player = run_player (&run, launches[i], CARD ",plane=overlay,zpos=2 sync=false");
    gst_video_overlay_set_render_rectangle (GST_VIDEO_OVERLAY (player.sink), 20, 10, 64, 32);
    player_play_to_end (&player);
    look (&run, &player, FAKE_OVERLAY);
    run_end (&run, &player);
    assert_run (&run, i < 2 ? FRAMES : 0, i < 2 ? 0 : FRAMES, 0);
    ck_assert_uint_eq (run.shown.width, 64);
    ck_assert_uint_eq (run.shown.height, 32);
    ck_assert_uint_eq (run.screen.planes[2].values[FAKE_P_X], 20);
    ck_assert_uint_eq (run.screen.planes[2].values[FAKE_P_ZPOS], 2);
    ck_assert_uint_eq (run.screen.planes[0].fb, FAKE_CONSOLE_FB);
    ck_assert_uint_eq (run.fake.n_modesets, 0);
    run_finish (&run);
  }
}
END_TEST

START_TEST (an_older_cards_overlay_that_cannot_scale_is_painted)
{
  Run run;

  run_init (&run);
  Player player = run_player (&run, TEST_VIDEO ("format=NV12,width=32,height=32"), CARD ",plane=42 kms-api=legacy "
                              "sync=false offer-pages=always");
  gst_video_overlay_set_render_rectangle (GST_VIDEO_OVERLAY (player.sink), 20, 10, 64, 32);
  player_play_to_end (&player);
  look (&run, &player, FAKE_OVERLAY);
  run_end (&run, &player);
  ck_assert_uint_eq (run.shown.fourcc, DRM_FORMAT_NV12); /* 32x32 in the middle of 64x32 needs no scaling */
  run_finish (&run);
  run_init (&run);
  player = run_player (&run, TEST_VIDEO ("format=NV12,width=32,height=16"), CARD ",plane=42 kms-api=legacy sync=false "
                       "offer-pages=always");
  gst_video_overlay_set_render_rectangle (GST_VIDEO_OVERLAY (player.sink), 20, 10, 64, 32);
  player_play_to_end (&player);
  look (&run, &player, FAKE_OVERLAY);
  run_end (&run, &player);
  assert_run (&run, 0, FRAMES, 0);
  ck_assert_uint_eq (run.shown.width, 64);
  run_finish (&run);
}
END_TEST

/* ---- mode and range -------------------------------------------------------------------------------------------- */

START_TEST (a_mode_fits_the_stream)
{
  Run run;

  run_init (&run);
  run_stream (&run, TEST_VIDEO ("format=I420,width=100,height=50,framerate=30/1"), CARD ",mode=fit sync=false",
              FAKE_PRIMARY);
  assert_run (&run, FRAMES, 0, 0);
  ck_assert_uint_eq (run.screen.mode.hdisplay, 100);
  ck_assert_uint_eq (run.screen.mode.vrefresh, 60);
  ck_assert_uint_eq (run.shown.fourcc, DRM_FORMAT_YUV420);
  run_finish (&run);
}
END_TEST

START_TEST (hdr_of_the_caps_is_told_to_the_screen)
{
  static const uint32_t formats[] = { DRM_FORMAT_XRGB8888, DRM_FORMAT_P010 };
  Run run;

  run_init (&run);
  run.fake.formats = formats;
  run.fake.n_formats = 2;
  run_stream (&run, TEST_VIDEO ("format=P010_10LE,width=200,height=100,colorimetry=bt2100-pq,"
              "mastering-display-info=(string)34000:16000:13250:34500:7500:3000:15635:16450:10000000:50,"
              "content-light-level=(string)1000:400"), CARD " sync=false", FAKE_PRIMARY);
  assert_run (&run, FRAMES, 0, 0);
  ck_assert_uint_eq (run.shown.fourcc, DRM_FORMAT_P010);
  ck_assert_uint_ne (run.screen.connector_values[FAKE_P_HDR], 0);
  ck_assert_uint_eq (run.screen.connector_values[FAKE_P_COLORSPACE], 9);
  ck_assert_uint_eq (run.screen.connector_values[FAKE_P_MAX_BPC], 10);
  ck_assert_uint_eq (run.screen.planes[0].values[FAKE_P_ENCODING], 2);
  run_finish (&run);
}
END_TEST

/* ---- what others do -------------------------------------------------------------------------------------------- */

/* A plug that comes or goes; and the sink's own thread, or a flip, has looked at it: however long that takes. */
static void
tell_plug (Run *run, gboolean plugged)
{
  fake_kms_libc_lock ();
  guint n_looks = run->fake.n_looks;
  run->fake.unplugged = !plugged;
  if (!run->fake.no_uevents)
    fake_kms_tell (&run->fake, true);
  fake_kms_libc_unlock ();
  for (gboolean looked = FALSE; !looked; g_thread_yield ()) {
    fake_kms_libc_lock ();
    looked = run->fake.n_looks > n_looks;
    fake_kms_libc_unlock ();
  }
}

static void
wait_for_modesets (Run *run, guint n)
{
  for (gboolean enough = FALSE; !enough; g_thread_yield ()) {
    fake_kms_libc_lock ();
    enough = run->fake.n_modesets >= n;
    fake_kms_libc_unlock ();
  }
}

static void
check_paused_picture_comes_back (bool no_uevents)
{
  Run run;

  run_init (&run);
  run.fake.no_uevents = no_uevents;
  Player player = run_player (&run, "videotestsrc ! video/x-raw,format=NV12,width=200,height=100 !", CARD);
  player_reach (&player, GST_STATE_PAUSED);
  look (&run, &player, FAKE_PRIMARY);
  tell_plug (&run, FALSE);
  guint n = run.fake.n_modesets;
  tell_plug (&run, TRUE);
  wait_for_modesets (&run, n + 2);
  uint32_t id = run.shown.id;
  g_free (run.reason);
  look (&run, &player, FAKE_PRIMARY);
  ck_assert_uint_eq (run.shown.id, id);
  ck_assert (run.screen.active);
  run_end (&run, &player);
  run_finish (&run);
}

START_TEST (a_paused_picture_comes_back_with_its_screen)
{
  check_paused_picture_comes_back (false);
  check_paused_picture_comes_back (true);       /* nobody tells of the plug */
}
END_TEST

static void
play_on_with_other_modes (const gchar *launch, const gchar *settings)
{
  Run run;

  run_init (&run);
  Player player = run_player (&run, launch, settings);
  player_reach (&player, GST_STATE_PLAYING);
  tell_plug (&run, FALSE);
  fake_kms_libc_lock ();
  run.fake.n_modes = 2;
  fake_kms_libc_unlock ();
  tell_plug (&run, TRUE);
  for (gboolean there = FALSE; !there; g_thread_yield ()) {
    fake_kms_libc_lock ();
    const FakeThing *shown = fake_kms_shown (&run.fake, FAKE_PRIMARY);
    there = shown && shown->fourcc == DRM_FORMAT_NV12 && run.fake.screen.mode.hdisplay == 100;
    fake_kms_libc_unlock ();
  }
  for (guint64 n = player_count (&player, "flipped"); player_count (&player, "flipped") < n + 20;)
    g_thread_yield ();          /* and not only what was on its way */
  player_drain (&player);
  ck_assert_msg (player.n_errors == 0, "%s", player.error);
  player_free (&player);
  fake_kms_libc_use (NULL);
  ck_assert_uint_eq (run.fake.n_leaked, 0);
  run_finish (&run);
}

#define LIVE_NV12 "video/x-raw,format=NV12,width=100,height=50,framerate=100/1 !"

START_TEST (a_screen_with_other_modes_is_played_on)
{
  play_on_with_other_modes ("videotestsrc is-live=true ! " LIVE_NV12, CARD);
}
END_TEST

/* A source that waits for a page in a thread of its own goes on, too. */
START_TEST (a_screen_with_other_modes_is_played_on_behind_a_queue)
{
  play_on_with_other_modes ("videotestsrc ! " LIVE_NV12 " queue !", CARD " scaling=none");
}
END_TEST

/* Of a picture that stands still nothing is flipped any more: the watch says it. */
START_TEST (a_card_that_vanishes_is_an_error_that_says_so)
{
  for (gint plays = 0; plays < 2; plays++) {
    Run run;

    run_init (&run);
    Player player = run_player (&run, "videotestsrc ! video/x-raw,format=NV12,width=200,height=100 !", CARD);
    player_reach (&player, GST_STATE_PAUSED);
    fake_kms_libc_lock ();
    run.fake.vanished = true;
    fake_kms_libc_unlock ();
    if (plays)
      player_set (&player, GST_STATE_PLAYING);
    player_wait (&player, GST_MESSAGE_ERROR);
    ck_assert_msg (strstr (player.error, "The display fakekms is gone.") != NULL, "%s", player.error);
    ck_assert_int_eq (player.error_code, GST_RESOURCE_ERROR_NOT_FOUND);
    player_free (&player);
    fake_kms_libc_use (NULL);
    run_finish (&run);
  }
}
END_TEST

#ifdef HAVE_AVCODEC
START_TEST (a_codec_decodes_into_yuv_pages)
{
  GstElement *encoder = gst_element_factory_make ("jpegenc", NULL);
  GstStructure *stats;
  guint64 direct;
  Run run;

  ck_assert_msg (encoder != NULL, "jpegenc is missing: gstreamer1.0-plugins-good");
  gst_object_unref (encoder);
  run_init (&run);
  Player player = run_player (&run, "videotestsrc pattern=blue num-buffers=8 ! video/x-raw,format=I420,width=200,height=100"
                              " ! jpegenc ! avzerodec name=dec !", CARD " sync=false offer-pages=always pages=8");
  player_play_to_end (&player);
  look (&run, &player, FAKE_PRIMARY);
  GstElement *decoder = gst_bin_get_by_name (GST_BIN (player.pipeline), "dec");
  g_object_get (decoder, "frame-stats", &stats, NULL);
  ck_assert (gst_structure_get_uint64 (stats, "direct", &direct));
  ck_assert_msg (direct == FRAMES, "%u were direct: %s", (guint) direct, gst_structure_get_string (stats, "reason"));
  gst_structure_free (stats);
  gst_object_unref (decoder);
  run_end (&run, &player);
  assert_run (&run, FRAMES, 0, 0);
  ck_assert_uint_eq (run.shown.fourcc, DRM_FORMAT_YUV420);
  run_finish (&run);
}
END_TEST
#endif

RUN ("fbdevzerosink-planes", yuv_of_the_screens_size_is_drawn_into_pages_and_flipped,
     yuv_of_the_plane_comes_first_in_the_caps, a_small_yuv_picture_is_drawn_where_it_is_seen,
     yuv_in_memory_of_others_is_copied_by_its_planes, colours_that_nobody_can_tell_are_converted_unless_asked_for,
     text_over_yuv_is_painted_into_plain_pages, a_picture_that_is_turned_while_it_plays_has_plain_pages,
     a_plane_that_scales_flips_what_another_one_has_converted, a_rectangle_that_moves_moves_the_plane,
     an_overlay_covers_the_picture_and_nothing_else, an_older_cards_overlay_that_cannot_scale_is_painted,
     a_mode_fits_the_stream, a_paused_picture_comes_back_with_its_screen, a_screen_with_other_modes_is_played_on,
     a_screen_with_other_modes_is_played_on_behind_a_queue,
     a_card_that_vanishes_is_an_error_that_says_so,
#ifdef HAVE_AVCODEC
     a_codec_decodes_into_yuv_pages,
#endif
     hdr_of_the_caps_is_told_to_the_screen)
