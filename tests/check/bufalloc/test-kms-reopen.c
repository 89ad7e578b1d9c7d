/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-kms-reopen.c: what happens between the moment when a display has other pages and the first one that is shown:
 * what is on screen stays, whoever comes and goes. On a fake card.
 */
#include "fake-frame.h"

#include <bufalloc/kms-private.h>

#define CARD FAKE_CARD_PATH

static uint32_t
seen_fb (const Card *card)
{
  return card->fake.screen.planes[0].fb;
}

static void
card_show (Card *card)
{
  card_init (card);
  card_start (card, CARD);
  ck_assert_int_eq (card_flip (card), 0);
  until_shown (card);
}

static void
new_pages_are_shown (Card *card)
{
  ck_assert_int_eq (card_flip (card), 0);
  const FakeThing *fb = fake_kms_shown (&card->fake, FAKE_PRIMARY);
  ck_assert_ptr_nonnull (fb);
  ck_assert_uint_eq (fb->fourcc, DRM_FORMAT_NV12);
  ck_assert (card->fake.screen.active);
  ck_assert_int_eq (card_flip (card), 0);
  card_stop (card);
  ck_assert (fake_kms_is_restored (&card->fake));
  card_finish (card);
}

START_TEST (a_master_that_comes_back_before_the_first_page_darkens_nothing)
{
  Card card;
  card_show (&card);
  uint32_t seen = seen_fb (&card);
  card.options.fourcc = DRM_FORMAT_NV12;
  ck_assert_int_eq (card_reopen (&card), 0);
  card_take_master (&card, true);
  ck_assert_int_eq (ba_display_refresh (card.display), 0);
  card_take_master (&card, false);
  ck_assert_int_eq (ba_display_refresh (card.display), 0); /* there is nothing of this display to be shown */
  ck_assert (card.fake.screen.active);
  ck_assert_uint_eq (seen_fb (&card), seen);
  new_pages_are_shown (&card);
}
END_TEST

START_TEST (pages_change_while_another_program_is_master)
{
  Card card;
  card_show (&card);
  card_take_master (&card, true);
  ck_assert_int_eq (card_flip (&card), 0); /* counts as shown */
  card.options.fourcc = DRM_FORMAT_NV12;
  ck_assert_msg (card_reopen (&card) == 0, "%s", card.error.message);
  ck_assert_int_eq (card_flip (&card), 0);
  card_take_master (&card, false);
  ck_assert_int_eq (ba_display_refresh (card.display), 1);
  ck_assert_uint_eq (fake_kms_shown (&card.fake, FAKE_PRIMARY)->fourcc, DRM_FORMAT_NV12);
  new_pages_are_shown (&card);
}
END_TEST

START_TEST (what_was_said_and_not_shown_yet_does_not_darken_the_screen)
{
  Card card;
  card_show (&card);
  uint32_t seen = seen_fb (&card);
  ck_assert_int_eq (ba_display_set_hdr (card.display, &(BaHdr){ .is_bt2020 = true }), 0);
  card.options.fourcc = DRM_FORMAT_NV12;
  ck_assert_int_eq (card_reopen (&card), 0);
  ck_assert (card.fake.screen.active);
  ck_assert_uint_eq (seen_fb (&card), seen);
  ck_assert_int_eq (card_reopen (&card), 0);
  ck_assert_uint_eq (seen_fb (&card), seen);
  new_pages_are_shown (&card);
}
END_TEST

START_TEST (a_mode_that_comes_with_the_next_page_is_not_another_programs)
{
  Card card;
  card_init (&card);
  card_start (&card, CARD ",mode=fit");
  ck_assert_int_eq (card_flip (&card), 0);
  card.options.fit_width_px = 100;
  card.options.fit_height_px = 50;
  ck_assert_int_eq (card_reopen (&card), 0);
  ck_assert_int_eq (ba_display_check_mode (card.display), 0);
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_int_eq (ba_display_check_mode (card.display), 0);
  card.fake.screen.mode.hdisplay = 64;
  ck_assert_int_eq (ba_display_check_mode (card.display), 1);
  card_finish (&card);
}
END_TEST

START_TEST (the_page_on_screen_is_free_when_others_have_taken_its_place)
{
  for (unsigned n_pages = 1; n_pages <= 3; n_pages++) {
    Card card;
    card_show (&card);
    BaAllocator *allocator = ba_allocator_ref (card.allocator);
    BaPool *pool = ba_pool_ref (card.pool);
    unsigned n_before = card.info->n_pages;
    ck_assert_uint_eq (stats_of (pool).n_free, n_before - 1);
    card.options.pages = n_pages;
    ck_assert_int_eq (card_reopen (&card), 0);
    ck_assert_uint_eq (stats_of (pool).n_free, n_before - 1); /* who draws there is seen */
    ck_assert_int_eq (card_flip (&card), 0);
    until_shown (&card);
    ck_assert_uint_eq (stats_of (pool).n_free, n_before);
    ba_pool_unref (pool);
    ba_allocator_unref (allocator);
    card_finish (&card);
  }
}
END_TEST

/* Without a master nothing protects the picture that counts as shown, and its number is free again. */
START_TEST (a_picture_is_not_taken_for_one_of_the_display_before)
{
  Card card;
  Frame a, b;
  card_init (&card);
  card.options.kms_api = BA_KMS_LEGACY;
  card_start (&card, CARD);
  frame_init (&a);
  frame_init (&b);
  ck_assert_int_eq (card_flip (&card), 0);
  card_take_master (&card, true);
  ck_assert_int_eq (flip (&card, &a), 0);
  ck_assert_int_eq (card_reopen (&card), 0);
  ck_assert_int_eq (a.n_gone, 0);
  card_take_master (&card, false);
  ck_assert_int_eq (flip (&card, &b), 0);
  until_shown (&card);
  ck_assert_int_eq (a.n_gone, 1);
  ck_assert_int_eq (b.n_gone, 0);
  card_stop (&card);
  frame_finish (&a);
  frame_finish (&b);
  finish (&card);
}
END_TEST

START_TEST (a_page_of_the_display_before_that_comes_back_as_a_dmabuf_is_closed_once)
{
  Card card;
  Frame a;
  int fd;
  card_show (&card);
  frame_init (&a);
  ck_assert_int_eq (ba_display_export_page (card.display, 2, &fd), 0);
  BaDmabuf picture = a.picture;
  picture.fds[0] = fd;
  picture.layout.stride_bytes[0] = card.info->layout.stride_bytes[0];
  card.options.pages = 3;
  ck_assert_int_eq (card_reopen (&card), 0);
  ck_assert_int_eq (ba_display_import (card.display, &picture, NULL), 0);
  ba_display_forget_imports (card.display);
  ck_assert_uint_eq (card.fake.n_bad_closes, 0);
  close (fd);
  frame_finish (&a);
  finish (&card);
}
END_TEST

static pid_t
no_fork (void *ctx)
{
  (void) ctx;
  return -1;
}

START_TEST (the_watcher_stays)
{
  Card card;
  card_show (&card);
  card.fake.calls.fork = no_fork;
  ck_assert_int_eq (card_reopen (&card), 0);
  ck_assert_int_ge (((BaiKmsState *) card.display->state)->watcher, 0);
  card_finish (&card);
}
END_TEST

/* Calls the display before, between its end and the beginning of the new one. */
typedef struct
{
  Card card; /* first: its table of calls is given this */
  BaDisplay *before;
  Frame frame;
  int result;
} Meddler;

static int64_t
meddle (void *ctx)
{
  Meddler *m = ctx;
  BaDisplay *before = m->before;
  m->before = NULL;
  if (before)
    m->result = ba_display_import (before, &m->frame.picture, NULL);
  return m->card.fake.clock_ns;
}

START_TEST (nobody_finds_the_display_before_open_without_its_card)
{
  Meddler m = { 0 };
  card_show (&m.card);
  frame_init (&m.frame);
  m.card.fake.calls.now_ns = meddle;
  m.before = m.card.display;
  ck_assert_int_eq (card_reopen (&m.card), 0);
  ck_assert_ptr_null (m.before);
  ck_assert_int_eq (m.result, -ESHUTDOWN);
  ck_assert_uint_eq (n_imported (&m.card), 0);
  frame_finish (&m.frame);
  finish (&m.card);
}
END_TEST

RUN ("kms-reopen", a_master_that_comes_back_before_the_first_page_darkens_nothing,
     pages_change_while_another_program_is_master, what_was_said_and_not_shown_yet_does_not_darken_the_screen,
     a_mode_that_comes_with_the_next_page_is_not_another_programs,
     the_page_on_screen_is_free_when_others_have_taken_its_place, a_picture_is_not_taken_for_one_of_the_display_before,
     a_page_of_the_display_before_that_comes_back_as_a_dmabuf_is_closed_once, the_watcher_stays,
     nobody_finds_the_display_before_open_without_its_card)
