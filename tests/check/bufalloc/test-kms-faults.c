/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-kms-faults.c: flips that never end, on cards that go or screens that come back meanwhile; events that somebody
 * else takes, or left behind; and what was there before, when its owner has freed it. On a fake card.
 */
#include "fake-frame.h"

#include <bufalloc/kms-private.h>

#define CARD FAKE_CARD_PATH
#define SECOND_NS INT64_C (1000000000)

/* A page is on screen, another one on its way there for good. */
static void
card_stick (Card *card, BaKmsApi api)
{
  card_show_with (card, api);
  ck_assert_int_eq (card_flip (card), 0);
  card->fake.no_events = true;
  ck_assert_int_eq (card_flip (card), 0);
  ck_assert_int_eq (card_flip (card), 0);
}

/* What the kernel has taken back alone when the card went. */
static void
card_finish_gone (Card *card)
{
  ba_display_close (card->display);
  card->fake.n_leaked = 0;
  card_finish (card);
}

/* ---- flips without an end ---------------------------------------------------------------------------------------- */

START_TEST (a_card_that_vanishes_in_the_middle_of_a_flip_is_an_error)
{
  for (size_t i = 0; i < N_ELEMENTS (apis); i++) {
    Card card;
    card_stick (&card, apis[i]);
    card.fake.vanished = true; /* with it the event that was to come */
    card.fake.clock_ns += SECOND_NS;
    ck_assert_int_eq (card_flip (&card), -ENODEV);
    ck_assert_int_eq (card_flip (&card), -ENODEV);
    card_finish_gone (&card);
  }
}
END_TEST

START_TEST (a_card_that_vanishes_under_a_picture_that_stands_still_is_told)
{
  Card card;
  card_init (&card);
  card_start (&card, CARD);
  ck_assert_int_eq (ba_display_refresh (card.display), 0);
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_int_eq (ba_display_refresh (card.display), 0);
  card.fake.vanished = true;
  ck_assert_int_eq (ba_display_refresh (card.display), -ENODEV);
  ck_assert_int_eq (ba_display_refresh (card.display), -ENODEV);
  card_finish_gone (&card);
}
END_TEST

START_TEST (a_screen_that_comes_back_in_the_middle_of_a_flip_is_lit)
{
  for (int has_socket = 0; has_socket < 2; has_socket++) {
    Card card;
    card_stick (&card, BA_KMS_AUTO);
    card.fake.unplugged = true; /* and its vblanks are gone with it */
    if (has_socket)
      fake_kms_tell (&card.fake, true);
    card.fake.clock_ns += SECOND_NS;
    ck_assert_int_eq (card_flip (&card), 0);
    card.fake.unplugged = card.fake.no_events = card.fake.is_flipping = false;
    if (has_socket)
      fake_kms_tell (&card.fake, true);
    card.fake.clock_ns += SECOND_NS;
    unsigned n_modesets = card.fake.n_modesets;
    ck_assert_int_eq (card_flip (&card), 0);
    ck_assert_uint_eq (card.fake.n_modesets, n_modesets + 2);
    ck_assert (card.fake.screen.active);
    unsigned n_flips = card.fake.n_flips;
    ck_assert_int_eq (card_flip (&card), 0);
    ck_assert_uint_eq (card.fake.n_flips, n_flips + 1);
    card_stop (&card);
    ck_assert (fake_kms_is_restored (&card.fake));
    card_finish (&card);
  }
}
END_TEST

START_TEST (a_screen_that_is_off_is_not_asked_for_with_each_page)
{
  Card card;
  card_stick (&card, BA_KMS_AUTO);
  unsigned n_looks = card.fake.n_looks;
  for (unsigned i = 0; i < 20; i++) {
    ck_assert_int_eq (card_flip (&card), 0);
    card.fake.clock_ns += SECOND_NS / 4;
  }
  ck_assert_uint_le (card.fake.n_looks, n_looks + 6);
  card_finish (&card);
}
END_TEST

/* The cable was lost for a moment, or is worse than it was: the kernel tells, and leaves it dark. */
START_TEST (a_link_that_has_failed_is_lit_anew)
{
  for (size_t i = 0; i < N_ELEMENTS (apis); i++) {
    for (int flips = 0; flips < 2; flips++) {
      Card card;
      card_init (&card);
      card.options.kms_api = apis[i];
      card_start (&card, CARD);
      ck_assert_int_eq (card_flip (&card), 0);
      ck_assert_int_eq (card_flip (&card), 0);
      unsigned n_modesets = card.fake.n_modesets;
      uint64_t *link = &card.fake.screen.connector_values[FAKE_P_LINK];
      fake_kms_tell (&card.fake, true); /* of another connector */
      ck_assert_int_eq (ba_display_refresh (card.display), 0);
      ck_assert_uint_eq (card.fake.n_modesets, n_modesets);
      *link = 1;
      fake_kms_tell (&card.fake, true);
      ck_assert_int_eq (flips ? card_flip (&card) : ba_display_refresh (card.display), !flips);
      ck_assert_uint_eq (*link, 0);
      ck_assert_uint_gt (card.fake.n_modesets, n_modesets);
      ck_assert (card.fake.screen.active);
      ck_assert_int_eq (ba_display_refresh (card.display), 0);
      card_stop (&card);
      ck_assert (fake_kms_is_restored (&card.fake));
      card_finish (&card);
    }
  }
}
END_TEST

/* ---- events of a card that others have open, too ----------------------------------------------------------------- */

typedef struct
{
  Card card;
  BaDeviceCalls before; /* of the fake */
  unsigned n_stolen; /* events that others are to be quicker for */
  unsigned n_blocked; /* reads that would have waited for good */
  uint64_t left_behind; /* an event that nobody has read; 0 = none */
} Lent;

/* Others were woken up by it, too, and one of them has read it. */
static int
poll_and_lose (void *ctx, struct pollfd *fds, unsigned n_fds, int timeout_ms)
{
  Lent *lent = ctx;
  int r = lent->before.poll (&lent->card.fake, fds, n_fds, timeout_ms);
  if (r == 1 && timeout_ms > 0 && lent->n_stolen > 0) {
    lent->n_stolen--;
    lent->card.fake.event_ready = lent->card.fake.is_flipping = false;
  }
  return r;
}

/* The application has opened it without O_NONBLOCK. */
static ssize_t
read_or_block (void *ctx, int fd, void *to, size_t size_bytes)
{
  Lent *lent = ctx;
  if (lent->left_behind) {
    const struct drm_event_vblank event = {
      .base = { .type = DRM_EVENT_FLIP_COMPLETE, .length = sizeof event },
      .user_data = lent->left_behind,
    };
    memcpy (to, &event, sizeof event);
    lent->left_behind = 0;
    return sizeof event;
  }
  ssize_t r = lent->before.read (&lent->card.fake, fd, to, size_bytes);
  lent->n_blocked += r < 0;
  return r;
}

/* The fake's other functions are given the fake, which therefore comes first. */
static void
lend (Lent *lent)
{
  memset (lent, 0, sizeof *lent);
  card_init (&lent->card);
  lent->before = lent->card.fake.calls;
  lent->card.fake.calls.poll = poll_and_lose;
  lent->card.fake.calls.read = read_or_block;
  fake_kms_ready (&lent->card.fake);
  lent->card.options.kms_api = BA_KMS_LEGACY; /* no fences */
  lent->card.options.has_fd = true;
  lent->card.options.fd = fake_kms_open_fd (&lent->card.fake);
  card_start (&lent->card, NULL);
}

START_TEST (an_event_that_somebody_else_has_read_is_not_waited_for_in_a_read)
{
  Lent lent;
  lend (&lent);
  ck_assert_int_eq (card_flip (&lent.card), 0);
  for (int i = 0; i < 4; i++) {
    ck_assert_int_eq (card_flip (&lent.card), 0);
    lent.n_stolen = 1;
    ck_assert_int_eq (ba_display_wait (lent.card.display, NULL), 0);
    ck_assert_uint_eq (lent.n_stolen, 0);
  }
  ck_assert_uint_eq (lent.n_blocked, 0);
  card_finish (&lent.card);
}
END_TEST

START_TEST (an_event_of_the_display_before_does_not_end_a_flip)
{
  Lent lent;
  lend (&lent);
  ck_assert_int_eq (card_flip (&lent.card), 0);
  ck_assert_int_eq (card_flip (&lent.card), 0);
  uint64_t old_flip = lent.card.fake.flip_user;
  card_stop (&lent.card);
  card_start (&lent.card, NULL);
  ck_assert_int_eq (card_flip (&lent.card), 0);
  ck_assert_int_eq (card_flip (&lent.card), 0);
  ck_assert (lent.card.fake.flip_user != old_flip);
  lent.left_behind = old_flip;
  ck_assert_int_eq (ba_display_wait (lent.card.display, NULL), 0);
  ck_assert (!lent.card.fake.is_flipping); /* the old one was read, and then its own */
  card_finish (&lent.card);
}
END_TEST

/* ---- what was there before --------------------------------------------------------------------------------------- */

START_TEST (a_picture_that_its_owner_has_freed_does_not_keep_the_rest_from_being_put_back)
{
  Card card;
  card_init (&card);
  card.fake.can_be_small = true;
  card_start (&card, CARD ",alpha=50,zpos=1");
  const FakeScreen *screen = &card.fake.screen, *before = &card.fake.first_screen;
  ck_assert_int_eq (ba_display_set_hdr (card.display, &(BaHdr){ .is_bt2020 = true }), 0);
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_uint_ne (screen->connector_values[FAKE_P_HDR], before->connector_values[FAKE_P_HDR]);
  ck_assert_uint_ne (screen->planes[0].values[FAKE_P_ALPHA], before->planes[0].values[FAKE_P_ALPHA]);
  card.fake.console_is_gone = true;
  card_stop (&card);
  ck_assert_mem_eq (screen->connector_values, before->connector_values, sizeof screen->connector_values);
  ck_assert_uint_eq (screen->planes[0].values[FAKE_P_ALPHA], before->planes[0].values[FAKE_P_ALPHA]);
  ck_assert_uint_eq (screen->planes[0].values[FAKE_P_ZPOS], before->planes[0].values[FAKE_P_ZPOS]);
  ck_assert_uint_eq (screen->planes[0].fb, 0);
  ck_assert (!screen->active);
  card_finish (&card);
}
END_TEST

RUN ("kms-faults", a_card_that_vanishes_in_the_middle_of_a_flip_is_an_error,
     a_card_that_vanishes_under_a_picture_that_stands_still_is_told,
     a_screen_that_comes_back_in_the_middle_of_a_flip_is_lit, a_screen_that_is_off_is_not_asked_for_with_each_page,
     a_link_that_has_failed_is_lit_anew, an_event_that_somebody_else_has_read_is_not_waited_for_in_a_read,
     an_event_of_the_display_before_does_not_end_a_flip,
     a_picture_that_its_owner_has_freed_does_not_keep_the_rest_from_being_put_back)
