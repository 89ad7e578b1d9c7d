/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-kms-others.c: what others do to a screen while it is used: unplug it, plug another one in, be master for a while,
 * take the card away; and two displays of one card. On a fake card: no driver of a virtual machine has plugs.
 */
#include "fake-card.h"

#include <bufalloc/kms-private.h>
#include <unistd.h>

#define CARD FAKE_CARD_PATH

static const BaKmsApi apis[] = { BA_KMS_ATOMIC, BA_KMS_LEGACY };

/* With a page on screen. */
static void
card_show (Card *card, BaKmsApi api)
{
  card_init (card);
  card->options.kms_api = api;
  card_start (card, CARD);
  ck_assert_int_eq (card_flip (card), 0);
}

static void
plug (Card *card, bool plugged)
{
  card->fake.unplugged = !plugged;
  fake_kms_tell (&card->fake, true);
}

START_TEST (a_screen_that_comes_back_shows_the_last_page_again)
{
  for (size_t i = 0; i < N_ELEMENTS (apis); i++) {
    Card card;
    card_show (&card, apis[i]);
    ck_assert_int_ge (ba_display_get_event_fd (card.display), 0);
    ck_assert_int_eq (card_flip (&card), 0);
    unsigned n_modesets = card.fake.n_modesets;
    fake_kms_tell (&card.fake, false);
    ck_assert_int_eq (ba_display_refresh (card.display), 0);
    plug (&card, false);
    ck_assert_int_eq (ba_display_refresh (card.display), 0);
    ck_assert_int_eq (card_flip (&card), 0); /* the pipeline goes on */
    ck_assert_uint_eq (card.fake.n_modesets, n_modesets);
    uint32_t seen = card.fake.screen.planes[0].fb;
    plug (&card, true);
    ck_assert_int_eq (ba_display_refresh (card.display), 1);
    ck_assert_uint_eq (card.fake.n_modesets, n_modesets + 2); /* off and on: it has heard nothing of the mode */
    ck_assert_uint_eq (card.fake.screen.planes[0].fb, seen);
    ck_assert (card.fake.screen.active);
    ck_assert_int_eq (ba_display_refresh (card.display), 0);
    card_stop (&card);
    ck_assert (fake_kms_is_restored (&card.fake));
    card_finish (&card);
  }
}
END_TEST

START_TEST (a_flip_notices_it_too)
{
  Card card;
  card_show (&card, BA_KMS_AUTO);
  plug (&card, false);
  ck_assert_int_eq (card_flip (&card), 0);
  card.fake.refuse_request = DRM_IOCTL_MODE_ATOMIC; /* as some drivers do with nothing connected */
  card.fake.refuse_errno = EINVAL;
  ck_assert_int_eq (card_flip (&card), 0);
  card.fake.refuse_request = 0;
  unsigned n_modesets = card.fake.n_modesets;
  plug (&card, true);
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_uint_eq (card.fake.n_modesets, n_modesets + 2);
  card_finish (&card);
}
END_TEST

START_TEST (another_screen_without_that_mode_is_told_to_whoever_looks)
{
  Card card;
  card_show (&card, BA_KMS_AUTO);
  plug (&card, false);
  ck_assert_int_eq (ba_display_refresh (card.display), 0);
  card.fake.n_modes = 2; /* of 100x50 both */
  plug (&card, true);
  ck_assert_int_eq (ba_display_refresh (card.display), 0);
  ck_assert_int_eq (ba_display_check_mode (card.display), 1);
  ck_assert_int_eq (card_flip (&card), -ENOTSUP);
  card_finish (&card);
}
END_TEST

START_TEST (a_picture_that_stands_still_is_shown_again_when_the_master_is_back)
{
  Card card;
  card_show (&card, BA_KMS_AUTO);
  uint32_t seen = card.fake.screen.planes[0].fb;
  card.fake.master_is_other = true;
  card.fake.is_master = false;
  ck_assert_int_eq (ba_display_refresh (card.display), 0);
  card.fake.screen.planes[0].fb = FAKE_CONSOLE_FB;
  card.fake.master_is_other = false;
  ck_assert_int_eq (ba_display_refresh (card.display), 1);
  ck_assert_uint_eq (card.fake.screen.planes[0].fb, seen);
  card_stop (&card);
  ck_assert (fake_kms_is_restored (&card.fake));
  card_finish (&card);
}
END_TEST

START_TEST (without_messages_everything_else_works)
{
  Card card;
  card_show (&card, BA_KMS_AUTO);
  card.fake.vanished = true;
  fake_kms_tell (&card.fake, true);
  ck_assert_int_eq (ba_display_refresh (card.display), 0);
  card.fake.vanished = false;
  ba_display_close (card.display);
  ck_assert_int_eq (ba_display_refresh (card.display), -ESHUTDOWN);
  card_finish (&card);
  BaDisplay *other;
  ck_assert_int_eq (ba_display_open ("virtual:8x8,rate=0", NULL, NULL, &other), 0);
  ck_assert_int_eq (ba_display_refresh (other), 0);
  ck_assert_int_eq (ba_display_get_event_fd (other), -ENOTSUP);
  ck_assert_int_eq (ba_display_set_hdr (other, NULL), -ENOTSUP);
  ck_assert_int_eq (ba_display_set_window (other, &(BaDisplayWindow){ 0, 0, 4, 4 }), -ENOTSUP);
  BaDisplayOptions options = { 0 };
  BaDisplay *none;
  ck_assert_int_eq (ba_display_reopen (other, &options, NULL, &none), -ENOTSUP);
  ba_display_close (other);
  ba_display_unref (other);
}
END_TEST

/* Neither has shown anything when the other one is opened. */
START_TEST (two_displays_of_one_card_take_two_screens)
{
  static const char *const devices[] = { CARD ",connector=HDMI-A-1", CARD ",connector=VGA-1" };
  Card card;
  BaDisplay *displays[2];
  uint32_t crtcs[2];
  card_init (&card);
  card.fake.two_screens = card.fake.dark = true;
  fake_kms_ready (&card.fake);
  card.options.has_fd = true;
  card.options.fd = fake_kms_open_fd (&card.fake);
  for (unsigned i = 0; i < 2; i++) {
    ck_assert_int_eq (bai_display_open_with_calls (devices[i], &card.options, &card.fake.calls, &card.error,
                                                   &displays[i]), 0);
    crtcs[i] = ((BaiKmsState *) displays[i]->state)->crtc_id;
  }
  ck_assert_uint_ne (crtcs[0], crtcs[1]);
  for (unsigned i = 0; i < 2; i++) {
    ba_display_close (displays[i]);
    ba_display_unref (displays[i]);
  }
  card_finish (&card);
}
END_TEST

RUN ("kms-others", a_screen_that_comes_back_shows_the_last_page_again, a_flip_notices_it_too,
     another_screen_without_that_mode_is_told_to_whoever_looks,
     a_picture_that_stands_still_is_shown_again_when_the_master_is_back, without_messages_everything_else_works,
     two_displays_of_one_card_take_two_screens)
