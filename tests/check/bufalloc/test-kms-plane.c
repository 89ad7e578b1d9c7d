/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-kms-plane.c: planes that scale, are smaller than the screen, lie over others and let them through, pages that are
 * changed for others while they are seen, modes that fit a stream, and screens of high dynamic range. On a fake card: no
 * driver that a virtual machine has can do any of it.
 */
#include "fake-card.h"

#define CARD FAKE_CARD_PATH

static const FakePlane *
primary (const Card *card)
{
  return &card->fake.screen.planes[0];
}

/* ---- other pages ----------------------------------------------------------------------------------------------- */

START_TEST (other_pages_come_without_anything_else_being_seen)
{
  Card card;
  card_init (&card);
  card_start (&card, CARD);
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_int_eq (card_flip (&card), 0);
  uint32_t seen = primary (&card)->fb;
  unsigned n_modesets = card.fake.n_modesets;
  card.options.fourcc = DRM_FORMAT_NV12;
  ck_assert_msg (card_reopen (&card) == 0, "%s", card.error.message);
  ck_assert_uint_eq (card.info->layout.fourcc, DRM_FORMAT_NV12);
  ck_assert_uint_eq (card.info->screen_width_px, 200);
  ck_assert_uint_eq (primary (&card)->fb, seen); /* still there */
  ck_assert (card.fake.is_master);
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_uint_eq (fake_kms_shown (&card.fake, FAKE_PRIMARY)->fourcc, DRM_FORMAT_NV12);
  ck_assert_uint_eq (card.fake.n_modesets, n_modesets);
  ck_assert_uint_eq (fake_kms_count (card.fake.handles), card.info->n_pages); /* the old ones are gone */
  ck_assert_int_eq (card_flip (&card), 0);
  card.options.fourcc = 0;
  ck_assert_int_eq (card_reopen (&card), 0);
  ck_assert_int_eq (card_reopen (&card), 0); /* twice, with nothing shown between */
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_uint_eq (fake_kms_shown (&card.fake, FAKE_PRIMARY)->fourcc, DRM_FORMAT_XRGB8888);
  ck_assert_uint_eq (card.fake.n_modesets, n_modesets);
  card_stop (&card);
  ck_assert (fake_kms_is_restored (&card.fake));
  card_finish (&card);
}
END_TEST

START_TEST (what_was_lit_is_put_back_although_the_new_pages_showed_nothing)
{
  Card card;
  card_init (&card);
  card_start (&card, CARD);
  ck_assert_int_eq (card_flip (&card), 0);
  card.options.fourcc = DRM_FORMAT_NV12;
  ck_assert_int_eq (card_reopen (&card), 0);
  card_stop (&card);
  ck_assert (fake_kms_is_restored (&card.fake));
  card_finish (&card);
}
END_TEST

START_TEST (pages_that_cannot_be_had_leave_the_display_as_it_is)
{
  Card card;
  card_init (&card);
  card_start (&card, CARD);
  ck_assert_int_eq (card_flip (&card), 0);
  card.options.fourcc = DRM_FORMAT_P010;
  ck_assert_int_eq (card_reopen (&card), -ENOTSUP);
  card.options.fourcc = DRM_FORMAT_NV12;
  card.fake.refuse_test = DRM_FORMAT_NV12;
  ck_assert_int_eq (card_reopen (&card), -ENOTSUP);
  card.fake.refuse_test = 0;
  card.fake.most_dumbs = 4; /* that is how many there are */
  ck_assert_int_eq (card_reopen (&card), -ENOMEM);
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_uint_eq (card_stats (&card).flips, 2);
  card_stop (&card);
  ck_assert (fake_kms_is_restored (&card.fake));
  card_finish (&card);
}
END_TEST

/* Whichever call fails: either display is whole, and nothing is left behind. */
START_TEST (a_call_that_fails_while_pages_change_leaves_nothing_behind)
{
  unsigned n_failed = 0;
  for (unsigned n = 1;; n++) {
    Card card;
    card_init (&card);
    card_start (&card, CARD ",mode=fit");
    ck_assert_int_eq (card_flip (&card), 0);
    card.options.fourcc = DRM_FORMAT_YUV420;
    card.options.fit_width_px = card.options.fit_height_px = 40;
    card.fake.fail_errno = EIO;
    card.fake.fail_nth = card.fake.n_calls + n;
    n_failed += card_reopen (&card) < 0;
    bool failed = card.fake.failed;
    card.fake.fail_nth = 0;
    ck_assert_int_eq (card_flip (&card), 0);
    ck_assert_int_eq (card_flip (&card), 0);
    card_stop (&card);
    ck_assert (fake_kms_is_restored (&card.fake));
    card_finish (&card);
    if (!failed)
      break;
  }
  ck_assert_uint_gt (n_failed, 5);
}
END_TEST

START_TEST (pages_of_the_display_before_stay_mapped_and_cannot_be_shown)
{
  Card card;
  BaDisplay *before;
  card_init (&card);
  card_start (&card, CARD);
  before = ba_display_ref (card.display);
  BaBuffer *page = acquire (card.pool);
  ck_assert_int_eq (card_reopen (&card), 0);
  memset (ba_buffer_get_data (page), 1, 800 * 100);
  ck_assert_int_eq (ba_display_flip (before, page, NULL), -ESHUTDOWN);
  ck_assert_int_eq (ba_display_set_window (before, &(BaDisplayWindow){ 0, 0, 1, 1 }), -ESHUTDOWN);
  BaDisplay *none;
  ck_assert_int_eq (ba_display_reopen (before, &card.options, NULL, &none), -ESHUTDOWN);
  ba_buffer_unref (page);
  ba_display_unref (before);
  card_finish (&card);
}
END_TEST

/* ---- where and how large --------------------------------------------------------------------------------------- */

START_TEST (a_plane_that_scales_shows_pages_of_the_streams_size)
{
  Card card;
  card_init (&card);
  card.fake.can_scale = card.fake.can_be_small = true;
  card.options.fourcc = DRM_FORMAT_NV12;
  card.options.page_width_px = 64;
  card.options.page_height_px = 48;
  card.options.window = (BaDisplayWindow){ 33, 0, 133, 100 };
  card_start (&card, CARD);
  ck_assert_uint_eq (card.info->layout.width_px, 64);
  ck_assert_uint_eq (card.info->layout.height_px, 48);
  ck_assert_uint_eq (card.info->screen_width_px, 200);
  ck_assert_uint_eq (card.info->screen_height_px, 100);
  ck_assert_int_eq (card_flip (&card), 0);
  const FakePlane *plane = primary (&card);
  ck_assert_uint_eq (plane->values[FAKE_P_SRC_W], 64 << 16);
  ck_assert_uint_eq (plane->values[FAKE_P_SRC_H], 48 << 16);
  ck_assert_uint_eq (plane->values[FAKE_P_X], 33);
  ck_assert_uint_eq (plane->values[FAKE_P_W], 133);
  /* moved at once, and all that follow */
  ck_assert_int_eq (ba_display_set_window (card.display, &(BaDisplayWindow){ 0, 0, 100, 75 }), 0);
  ck_assert_uint_eq (plane->values[FAKE_P_X], 0);
  ck_assert_uint_eq (plane->values[FAKE_P_W], 100);
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_uint_eq (plane->values[FAKE_P_W], 100);
  card.fake.can_scale = false;
  ck_assert_int_eq (ba_display_set_window (card.display, &(BaDisplayWindow){ 0, 0, 200, 75 }), -ENOTSUP);
  ck_assert_int_eq (ba_display_set_window (card.display, &(BaDisplayWindow){ 0, 0, 0, 75 }), -EINVAL);
  card.fake.can_scale = true;
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_uint_eq (plane->values[FAKE_P_W], 100);
  card_stop (&card);
  ck_assert (fake_kms_is_restored (&card.fake));
  card_finish (&card);
}
END_TEST

START_TEST (a_plane_that_cannot_is_told_at_open)
{
  Card card;
  card_init (&card);
  fake_kms_ready (&card.fake);
  card.options.page_width_px = 64;
  card.options.page_height_px = 48;
  card_refused (&card, CARD, -ENOTSUP, "shows nothing that we can draw, at 64x48");
  card.options.window = (BaDisplayWindow){ 0, 0, 64, 48 }; /* 1:1, but the plane covers all or nothing */
  card_refused (&card, CARD, -ENOTSUP, "shows nothing that we can draw");
  card.fake.can_scale = card.fake.can_be_small = true;
  card.options.kms_api = BA_KMS_LEGACY;
  card_refused (&card, CARD, -ENOTSUP, "only with atomic mode setting");
  card_finish (&card);
}
END_TEST

START_TEST (an_overlay_scales_with_both_kinds_of_calls)
{
  for (size_t i = 0; i < N_ELEMENTS (apis); i++) {
    Card card;
    card_init (&card);
    card.fake.can_scale = true;
    card.options.kms_api = apis[i];
    card.options.page_width_px = 32;
    card.options.page_height_px = 16;
    card.options.window = (BaDisplayWindow){ 4, 4, 64, 32 };
    card_start (&card, CARD ",plane=overlay");
    for (int k = 0; k < 3; k++)
      ck_assert_int_eq (card_flip (&card), 0);
    ck_assert_uint_eq (card.fake.screen.planes[2].values[FAKE_P_SRC_W], 32 << 16);
    ck_assert_uint_eq (card.fake.screen.planes[2].values[FAKE_P_W], 64);
    ck_assert_uint_eq (primary (&card)->fb, FAKE_CONSOLE_FB);
    card.fake.can_scale = false; /* legacy calls learn it only here */
    ck_assert_int_eq (ba_display_set_window (card.display, &(BaDisplayWindow){ 0, 0, 50, 20 }),
                      apis[i] == BA_KMS_ATOMIC ? -ENOTSUP : 0);
    ck_assert_int_eq (card_flip (&card), -ENOTSUP);
    card_stop (&card);
    ck_assert (fake_kms_is_restored (&card.fake));
    card_finish (&card);
  }
}
END_TEST

/* ---- over and under others ------------------------------------------------------------------------------------- */

START_TEST (zpos_and_alpha_are_set_with_the_first_page_and_put_back)
{
  Card card;
  card_init (&card);
  card_start (&card, CARD ",plane=overlay,zpos=2,alpha=50");
  const FakePlane *overlay = &card.fake.screen.planes[2];
  ck_assert_uint_eq (overlay->values[FAKE_P_ZPOS], 1);
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_uint_eq (overlay->values[FAKE_P_ZPOS], 2);
  ck_assert_uint_eq (overlay->values[FAKE_P_ALPHA], 0x8000);
  ck_assert_int_eq (card_flip (&card), 0);
  card_stop (&card);
  ck_assert (fake_kms_is_restored (&card.fake));
  card_refused (&card, CARD ",plane=42,zpos=3", -EINVAL, "plane 42 takes a zpos from 0 to 2");
  card.fake.no_mixing = true;
  card_refused (&card, CARD ",plane=42,zpos=2", -ENOTSUP, "plane 42 has no zpos that can be set");
  card_refused (&card, CARD ",plane=42,alpha=100", -ENOTSUP, "plane 42 has no alpha that can be set");
  card_start (&card, CARD ",plane=42"); /* a zpos that nobody can set must not be put back either */
  ck_assert_int_eq (card_flip (&card), 0);
  card_stop (&card);
  ck_assert (fake_kms_is_restored (&card.fake));
  card.fake.screen.planes[2].fb = FAKE_CONSOLE_FB;
  card.fake.first_screen = card.fake.screen;
  card_refused (&card, CARD ",plane=overlay", -EBUSY, "no overlay plane is free: the screen has 1, and others show in it");
  card_finish (&card);
}
END_TEST

START_TEST (how_pixels_may_lie_is_what_the_plane_lists)
{
  static const uint64_t modifiers[] = { DRM_FORMAT_MOD_LINEAR, DRM_FORMAT_MOD_VIVANTE_TILED };
  uint64_t found[3];
  BaDisplay *display;
  Card card;
  card_init (&card);
  card.fake.modifiers = modifiers;
  card.fake.n_modifiers = 2;
  card_start (&card, CARD);
  ck_assert_uint_eq (ba_display_get_modifiers (card.display, DRM_FORMAT_NV12, found, 3), 2);
  ck_assert (found[0] == modifiers[0] && found[1] == modifiers[1]);
  found[1] = 7;
  ck_assert_uint_eq (ba_display_get_modifiers (card.display, DRM_FORMAT_NV12, found, 1), 2);
  ck_assert (found[1] == 7);
  ck_assert_uint_eq (ba_display_get_modifiers (card.display, DRM_FORMAT_NV12, NULL, 0), 2);
  ck_assert_uint_eq (ba_display_get_modifiers (card.display, DRM_FORMAT_RGB565, found, 3), 0); /* the first */
  ck_assert_uint_eq (ba_display_get_modifiers (card.display, DRM_FORMAT_P010, found, 3), 0);
  card.options.fourcc = DRM_FORMAT_NV12;
  BaDisplay *before = ba_display_ref (card.display);
  ck_assert_int_eq (card_reopen (&card), 0);
  ck_assert_uint_eq (ba_display_get_modifiers (card.display, DRM_FORMAT_NV12, found, 3), 2);
  ck_assert_uint_eq (ba_display_get_modifiers (before, DRM_FORMAT_NV12, found, 3), 2); /* any thread may be asking */
  ba_display_unref (before);
  card_stop (&card);
  card.fake.no_modifiers = true;
  card.options.fourcc = 0;
  ck_assert_int_eq (card_open (&card, CARD), 0);
  ck_assert_uint_eq (ba_display_get_modifiers (card.display, DRM_FORMAT_NV12, found, 3), 0);
  card_finish (&card);
  ck_assert_int_eq (ba_display_open ("virtual:8x8,rate=0", NULL, NULL, &display), 0);
  ck_assert_uint_eq (ba_display_get_modifiers (display, DRM_FORMAT_XRGB8888, found, 3), 0);
  ba_display_close (display);
  ba_display_unref (display);
}
END_TEST

/* ---- a mode that fits ------------------------------------------------------------------------------------------ */

START_TEST (a_mode_is_chosen_by_the_stream)
{
  static const struct
  {
    uint32_t width_px, height_px, rate_mhz, mode_width_px, mode_hz;
  } cases[] = {
    { 90, 50, 25000, 100, 75 },   { 100, 50, 30000, 100, 60 }, { 101, 50, 25000, 200, 50 },
    { 200, 100, 59940, 200, 60 }, { 640, 480, 25000, 200, 50 }, { 100, 50, 0, 100, 75 },
  };
  for (size_t i = 0; i < N_ELEMENTS (cases); i++) {
    Card card;
    card_init (&card);
    card_start (&card, CARD ",mode=fit");
    ck_assert_uint_eq (card.info->layout.width_px, 200); /* nothing is known of it: what the screen likes best */
    ck_assert_int_eq (card_flip (&card), 0);
    card.options.fit_width_px = cases[i].width_px;
    card.options.fit_height_px = cases[i].height_px;
    card.options.fit_rate_mhz = cases[i].rate_mhz;
    ck_assert_msg (card_reopen (&card) == 0, "%s", card.error.message);
    ck_assert_uint_eq (card.info->layout.width_px, cases[i].mode_width_px);
    ck_assert_uint_eq (card.info->screen_width_px, cases[i].mode_width_px);
    ck_assert_uint_eq (card.info->period_ns, 1000000000 / cases[i].mode_hz);
    ck_assert_int_eq (card_flip (&card), 0);
    ck_assert_uint_eq (card.fake.screen.mode.vrefresh, cases[i].mode_hz);
    ck_assert_int_eq (card_flip (&card), 0);
    card_stop (&card);
    ck_assert (fake_kms_is_restored (&card.fake));
    card_finish (&card);
  }
}
END_TEST

START_TEST (a_mode_that_was_asked_for_stays_whatever_the_stream_is)
{
  Card card;
  card_init (&card);
  card.options.fit_width_px = 200;
  card.options.fit_height_px = 100;
  card_start (&card, CARD ",mode=100x50");
  ck_assert_uint_eq (card.info->layout.width_px, 100);
  card_finish (&card);
}
END_TEST

/* ---- high dynamic range ---------------------------------------------------------------------------------------- */

START_TEST (a_screen_is_told_of_hdr_and_of_its_end)
{
  const BaHdr hdr = {
    .is_bt2020 = true,
    .primaries = { { 34000, 16000 }, { 13250, 34500 }, { 7500, 3000 } },
    .white = { 15635, 16450 },
    .max_luminance = 1000,
    .min_luminance = 50,
    .max_cll = 800,
    .max_fall = 400,
  };
  Card card;
  card_init (&card);
  card_start (&card, CARD);
  const uint64_t *values = card.fake.screen.connector_values;
  ck_assert_int_eq (ba_display_set_hdr (card.display, &hdr), 0);
  ck_assert_uint_eq (values[FAKE_P_HDR], 0);
  ck_assert_int_eq (card_flip (&card), 0);
  const FakeThing *blob = fake_kms_find (card.fake.blobs, (uint32_t) values[FAKE_P_HDR]);
  ck_assert_uint_ne (values[FAKE_P_HDR], 0);
  ck_assert_uint_eq (blob->hdr.hdmi_metadata_type1.eotf, 2);
  ck_assert_uint_eq (blob->hdr.hdmi_metadata_type1.display_primaries[1].y, 34500);
  ck_assert_uint_eq (blob->hdr.hdmi_metadata_type1.white_point.x, 15635);
  ck_assert_uint_eq (blob->hdr.hdmi_metadata_type1.max_fall, 400);
  ck_assert_uint_eq (values[FAKE_P_COLORSPACE], 9);
  ck_assert_uint_eq (values[FAKE_P_MAX_BPC], 10);
  ck_assert_int_eq (ba_display_set_hdr (card.display, NULL), 0);
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_uint_eq (values[FAKE_P_HDR], 0);
  ck_assert_uint_eq (values[FAKE_P_COLORSPACE], 0);
  ck_assert_uint_eq (values[FAKE_P_MAX_BPC], 8);
  ck_assert_int_eq (ba_display_set_hdr (card.display, &(BaHdr){ .is_hlg = true }), 0);
  ck_assert_int_eq (card_flip (&card), 0);
  blob = fake_kms_find (card.fake.blobs, (uint32_t) values[FAKE_P_HDR]);
  ck_assert_uint_eq (blob->hdr.hdmi_metadata_type1.eotf, 3);
  ck_assert_uint_eq (values[FAKE_P_COLORSPACE], 0);
  card_stop (&card);
  ck_assert (fake_kms_is_restored (&card.fake));
  card.fake.no_hdr = true;
  ck_assert_int_eq (card_open (&card, CARD), 0);
  ck_assert_int_eq (ba_display_set_hdr (card.display, &hdr), -ENOTSUP);
  ck_assert_int_eq (ba_display_set_hdr (card.display, NULL), 0);
  card_finish (&card);
}
END_TEST

START_TEST (hdr_that_the_driver_refuses_leaves_the_screen_as_it_is)
{
  Card card;
  card_init (&card);
  card.fake.refuse_hdr = true;
  card_start (&card, CARD);
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_int_eq (ba_display_set_hdr (card.display, &(BaHdr){ .is_bt2020 = true }), -ENOTSUP);
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_uint_eq (card.fake.screen.connector_values[FAKE_P_MAX_BPC], 8);
  ck_assert_uint_eq (card.fake.screen.connector_values[FAKE_P_COLORSPACE], 0);
  card.fake.refuse_hdr = false;
  card_take_master (&card, true); /* nobody can be asked */
  ck_assert_int_eq (ba_display_set_hdr (card.display, &(BaHdr){ .is_bt2020 = true }), 0);
  card_take_master (&card, false);
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_uint_ne (card.fake.screen.connector_values[FAKE_P_HDR], 0);
  card_stop (&card);
  ck_assert (fake_kms_is_restored (&card.fake));
  card_finish (&card);
}
END_TEST

/* The kernel copies a blob of the length that it is asked for, or nothing. */
START_TEST (metadata_of_others_that_cannot_be_kept_is_left_alone)
{
  Card card;
  card_init (&card);
  FakeThing *blob = fake_kms_make (&card.fake, card.fake.blobs);
  blob->bytes = 8;
  card.fake.screen.connector_values[FAKE_P_HDR] = blob->id;
  card_start (&card, CARD);
  ck_assert_int_eq (ba_display_set_hdr (card.display, &(BaHdr){ .is_hlg = true }), -ENOTSUP);
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_uint_eq (card.fake.screen.connector_values[FAKE_P_HDR], blob->id);
  ba_display_close (card.display);
  ck_assert (fake_kms_is_restored (&card.fake));
  ck_assert_uint_eq (card.fake.n_leaked, 1); /* that one */
  *blob = (FakeThing){ 0 };
  card.fake.n_leaked = 0;
  card_finish (&card);
}
END_TEST

RUN ("kms-plane", how_pixels_may_lie_is_what_the_plane_lists, other_pages_come_without_anything_else_being_seen,
     what_was_lit_is_put_back_although_the_new_pages_showed_nothing, pages_that_cannot_be_had_leave_the_display_as_it_is,
     a_call_that_fails_while_pages_change_leaves_nothing_behind,
     pages_of_the_display_before_stay_mapped_and_cannot_be_shown, a_plane_that_scales_shows_pages_of_the_streams_size,
     a_plane_that_cannot_is_told_at_open, an_overlay_scales_with_both_kinds_of_calls,
     zpos_and_alpha_are_set_with_the_first_page_and_put_back, a_mode_is_chosen_by_the_stream,
     a_mode_that_was_asked_for_stays_whatever_the_stream_is, a_screen_is_told_of_hdr_and_of_its_end,
     hdr_that_the_driver_refuses_leaves_the_screen_as_it_is, metadata_of_others_that_cannot_be_kept_is_left_alone)
