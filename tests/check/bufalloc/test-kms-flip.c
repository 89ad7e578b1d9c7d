/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-kms-flip.c: what a card is told to show, when a page is free again, what happens where a flip cannot be, and what
 * is put back. On a fake card, so that screens that are off and masters that go are there when they are wanted.
 */
#include "fake-card.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define CARD FAKE_CARD_PATH

/* Both ways must do the same. */
START_TEST (the_first_page_sets_the_mode_the_others_flip_and_close_puts_back)
{
  for (size_t i = 0; i < N_ELEMENTS (apis); i++) {
    Card card;
    card_init (&card);
    card.options.kms_api = apis[i];
    card_start (&card, CARD);
    for (int k = 0; k < 10; k++) {
      ck_assert_int_eq (card_flip (&card), 0);
      ck_assert_uint_eq (card.fake.screen.mode.hdisplay, 200);
      ck_assert_ptr_nonnull (fake_kms_shown (&card.fake, FAKE_PRIMARY));
    }
    ck_assert_uint_eq (card.fake.n_modesets, 1);
    ck_assert_uint_eq (card.fake.n_flips, 9);
    ck_assert_uint_eq (card.fake.n_busy, 0); /* one in flight */
    ck_assert_uint_eq (card_stats (&card).flips, 10);
    ck_assert (!fake_kms_is_restored (&card.fake));
    card_stop (&card);
    ck_assert (fake_kms_is_restored (&card.fake));
    ck_assert (!card.fake.is_flipping); /* its event was waited for */
    card_finish (&card);
  }
}
END_TEST

START_TEST (a_screen_that_was_dark_is_dark_again)
{
  for (size_t i = 0; i < N_ELEMENTS (apis); i++) {
    Card card;
    card_init (&card);
    card.options.kms_api = apis[i];
    card.fake.dark = true;
    card_start (&card, CARD);
    ck_assert_int_eq (card_flip (&card), 0);
    ck_assert (card.fake.screen.active);
    card_stop (&card);
    ck_assert (fake_kms_is_restored (&card.fake));
    card_finish (&card);
  }
}
END_TEST

START_TEST (the_page_before_is_free_at_the_event_and_not_before)
{
  Card card;
  card_init (&card);
  card.options.pages = 3;
  card_start (&card, CARD);
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_int_eq (ba_display_wait (card.display, NULL), 0);
  ck_assert_int_eq (card_flip (&card), 0);
  card.fake.clock_ns += 10 * card.fake.period_ns; /* however late it is */
  ck_assert_uint_eq (stats_of (card.pool).n_free, 1);
  ck_assert (card.fake.is_flipping);
  ck_assert_int_eq (ba_display_wait (card.display, NULL), 0);
  ck_assert (!card.fake.is_flipping);
  ck_assert_uint_eq (stats_of (card.pool).n_free, 2);
  card_finish (&card);
}
END_TEST

START_TEST (without_vblanks_the_clock_paces)
{
  Card card;
  card_init (&card);
  card.fake.no_vblank = true;
  card_start (&card, CARD);
  int64_t began_ns = card.fake.clock_ns;
  for (int i = 0; i < 10; i++)
    ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_uint_eq (card_stats (&card).waits, 9);
  ck_assert_int_eq (card.fake.clock_ns, began_ns); /* events came at once: nothing waited for the device */
  card_finish (&card);
}
END_TEST

START_TEST (a_screen_that_is_off_is_waited_for_once_and_then_left_out)
{
  Card card;
  card_init (&card);
  card_start (&card, CARD);
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_int_eq (ba_display_wait (card.display, NULL), 0);
  uint64_t flips = card_stats (&card).flips;
  card.fake.no_events = true;
  int64_t began_ns = card.fake.clock_ns;
  for (int i = 0; i < 20; i++)
    ck_assert_int_eq (card_flip (&card), 0); /* the pipeline goes on */
  ck_assert_int_ge (card.fake.clock_ns - began_ns, 200 * MS);
  ck_assert_int_lt (card.fake.clock_ns - began_ns, 400 * MS); /* not 200 ms each time */
  ck_assert_uint_eq (card_stats (&card).flips, flips + 1); /* the others were not seen */
  card.fake.no_events = false;
  card.fake.event_ready = true;
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_uint_ge (card_stats (&card).flips, flips + 2);
  card_stop (&card);
  ck_assert (fake_kms_is_restored (&card.fake));
  card_finish (&card);
}
END_TEST

START_TEST (a_master_that_is_lost_is_taken_back_and_the_mode_set_again)
{
  for (size_t i = 0; i < N_ELEMENTS (apis); i++) {
    Card card;
    card_init (&card);
    card.options.kms_api = apis[i];
    card_start (&card, CARD);
    ck_assert_int_eq (card_flip (&card), 0);
    card.fake.master_is_other = true;
    card.fake.is_master = false;
    for (int k = 0; k < 5; k++)
      ck_assert_int_eq (card_flip (&card), 0);
    ck_assert_uint_eq (card_stats (&card).flips, 1);
    card.fake.screen.mode.hdisplay = 100; /* what the other one did */
    card.fake.screen.planes[0].values[FAKE_P_W] = 100;
    card.fake.master_is_other = false;
    ck_assert_int_eq (card_flip (&card), 0);
    ck_assert_uint_eq (card_stats (&card).flips, 2);
    ck_assert_uint_eq (card.fake.screen.mode.hdisplay, 200);
    card_stop (&card);
    ck_assert (fake_kms_is_restored (&card.fake));
    card_finish (&card);
  }
}
END_TEST

START_TEST (the_screen_of_another_master_is_not_put_back)
{
  Card card;
  card_init (&card);
  card_start (&card, CARD);
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_int_eq (card_flip (&card), 0);
  card.fake.master_is_other = true;
  card.fake.is_master = false;
  ck_assert_int_eq (card_flip (&card), 0);
  unsigned n_modesets = card.fake.n_modesets;
  card_stop (&card);
  ck_assert_uint_eq (card.fake.n_modesets, n_modesets);
  card_finish (&card);
}
END_TEST

START_TEST (a_flip_of_somebody_else_is_waited_for)
{
  Card card;
  card_init (&card);
  card_start (&card, CARD);
  ck_assert_int_eq (card_flip (&card), 0);
  card.fake.foreign_flips = 3;
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_uint_eq (card.fake.n_busy, 3);
  ck_assert_uint_eq (card_stats (&card).flips, 2);
  card_finish (&card);
}
END_TEST

/* An application that shows its own picture below the film flips with each vblank, and its flip is always first. */
START_TEST (a_crtc_that_is_always_busy_is_waited_for)
{
  static const char *const devices[] = { CARD, CARD ",plane=overlay", CARD ",plane=overlay,zpos=2" };
  for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
    Card card;
    card_init (&card);
    card_start (&card, devices[i]);
    ck_assert_int_eq (card_flip (&card), 0);
    unsigned n_modesets = card.fake.n_modesets;
    for (int n = 0; n < 3; n++) {
      card.fake.foreign_flips = 1000;
      ck_assert_int_eq (card_flip (&card), 0);
    }
    ck_assert_uint_eq (card.fake.n_modesets, n_modesets);
    ck_assert_uint_eq (card_stats (&card).flips, 4);
    card_finish (&card);
  }
}
END_TEST

START_TEST (a_card_that_vanishes_is_an_error)
{
  Card card;
  card_init (&card);
  card_start (&card, CARD);
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_int_eq (ba_display_wait (card.display, NULL), 0);
  card.fake.vanished = true;
  ck_assert_int_eq (card_flip (&card), -ENODEV);
  ba_display_close (card.display);
  ck_assert_uint_gt (card.fake.n_leaked, 0); /* there was nobody to give it back to */
  card.fake.n_leaked = 0;
  card_finish (&card);
}
END_TEST

START_TEST (one_page_is_shown_once_and_flushed_after)
{
  Card card;
  card_init (&card);
  card.options.pages = 1;
  card_start (&card, CARD);
  ck_assert (!card.info->can_flip);
  for (int i = 0; i < 3; i++)
    ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_uint_eq (card.fake.n_modesets, 1);
  ck_assert_uint_eq (card.fake.n_flips, 0);
  ck_assert_uint_eq (card.fake.n_dirty, 2);
  card_stop (&card);
  ck_assert (fake_kms_is_restored (&card.fake));
  card_finish (&card);
}
END_TEST

START_TEST (without_vsync_flips_tear_where_the_driver_can)
{
  for (size_t i = 0; i < N_ELEMENTS (apis); i++) {
    Card card;
    card_init (&card);
    card.options.kms_api = apis[i];
    card.options.no_vsync = true;
    card_start (&card, CARD);
    for (int k = 0; k < 3; k++)
      ck_assert_int_eq (card_flip (&card), 0);
    ck_assert_uint_eq (card.fake.n_async, 2);
    card_stop (&card);
    card.fake.n_async = 0;
    card.fake.no_async = true; /* says it can, and cannot */
    card_start (&card, CARD);
    for (int k = 0; k < 3; k++)
      ck_assert_int_eq (card_flip (&card), 0);
    ck_assert_uint_eq (card.fake.n_async, 0);
    card_finish (&card);
  }
}
END_TEST

START_TEST (an_overlay_leaves_mode_and_primary_alone)
{
  for (size_t i = 0; i < N_ELEMENTS (apis); i++) {
    Card card;
    card_init (&card);
    card.options.kms_api = apis[i];
    card.options.window = (BaDisplayWindow){ 20, 10, 64, 32 };
    card_start (&card, CARD ",plane=42");
    ck_assert_uint_eq (card.info->layout.width_px, 64);
    ck_assert_uint_eq (card.info->layout.height_px, 32);
    for (int k = 0; k < 3; k++)
      ck_assert_int_eq (card_flip (&card), 0);
    const FakePlane *overlay = &card.fake.screen.planes[2];
    ck_assert_ptr_nonnull (fake_kms_shown (&card.fake, FAKE_OVERLAY));
    ck_assert_uint_eq (overlay->values[FAKE_P_X], 20);
    ck_assert_uint_eq (overlay->values[FAKE_P_H], 32);
    ck_assert_uint_eq (card.fake.screen.planes[0].fb, FAKE_CONSOLE_FB);
    ck_assert_uint_eq (card.fake.n_modesets, 0);
    card_stop (&card);
    ck_assert (fake_kms_is_restored (&card.fake));
    card_finish (&card);
  }
}
END_TEST

START_TEST (an_overlay_needs_a_picture_to_go_with)
{
  Card card;
  card_init (&card);
  card.fake.dark = true;
  fake_kms_ready (&card.fake);
  card_refused (&card, CARD ",plane=42", -ENODEV, "plane=42 needs a picture to go with");
  card_finish (&card);
}
END_TEST

START_TEST (colours_are_set_with_the_next_page_and_put_back)
{
  Card card;
  card_init (&card);
  card.options.fourcc = DRM_FORMAT_NV12;
  card_start (&card, CARD);
  const uint64_t *values = card.fake.screen.planes[0].values;
  ck_assert_int_eq (ba_display_set_colours (card.display, BA_YUV_BT709, true), 0);
  ck_assert_uint_eq (values[FAKE_P_ENCODING], 0);
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_uint_eq (values[FAKE_P_ENCODING], 1);
  ck_assert_uint_eq (values[FAKE_P_RANGE], 1);
  ck_assert_int_eq (ba_display_set_colours (card.display, BA_YUV_BT2020, false), 0);
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_uint_eq (values[FAKE_P_ENCODING], 2);
  ck_assert_uint_eq (values[FAKE_P_RANGE], 0);
  ck_assert_int_eq (ba_display_set_colours (card.display, (BaYuvMatrix) 3, false), -EINVAL);
  card_stop (&card);
  ck_assert (fake_kms_is_restored (&card.fake));
  card.fake.no_colours = true;
  ck_assert_int_eq (card_open (&card, CARD), 0);
  ck_assert_int_eq (ba_display_set_colours (card.display, BA_YUV_BT709, false), -ENOTSUP);
  card_finish (&card);
}
END_TEST

START_TEST (a_shared_card_keeps_its_events_and_gives_a_fence)
{
  Card card;
  card_init (&card);
  fake_kms_ready (&card.fake);
  card.options.has_fd = true;
  card.options.fd = fake_kms_open_fd (&card.fake);
  card_start (&card, NULL);
  for (int i = 0; i < 5; i++) {
    ck_assert_int_eq (card_flip (&card), 0);
    ck_assert (!card.fake.event_ready);
  }
  ck_assert_uint_eq (card.fake.n_flips, 4);
  ck_assert_int_ge (card.fake.fence_fd, 0);
  ck_assert_int_eq (ba_display_check_mode (card.display), 0);
  card.fake.screen.mode.hdisplay = 100; /* it is the application's, too */
  ck_assert_int_eq (ba_display_check_mode (card.display), 1);
  card_stop (&card);
  ck_assert (fake_kms_is_restored (&card.fake));
  card_finish (&card);
}
END_TEST

START_TEST (events_that_another_user_of_the_card_has_read_stop_nothing)
{
  Card card;
  card_init (&card);
  fake_kms_ready (&card.fake);
  card.options.kms_api = BA_KMS_LEGACY; /* no fences */
  card.options.has_fd = true;
  card.options.fd = fake_kms_open_fd (&card.fake);
  card_start (&card, NULL);
  ck_assert_int_eq (card_flip (&card), 0);
  int64_t began_ns = card.fake.clock_ns;
  for (unsigned i = 0; i < 10; i++) {
    ck_assert_int_eq (card_flip (&card), 0);
    ck_assert_uint_eq (card.fake.n_flips, i + 1);
    card.fake.is_flipping = card.fake.event_ready = false;
  }
  ck_assert_uint_eq (card_stats (&card).flips, 11);
  ck_assert_int_lt (card.fake.clock_ns - began_ns, 600 * MS); /* 200 ms only once */
  card_stop (&card);
  ck_assert (fake_kms_is_restored (&card.fake));
  card_finish (&card);
}
END_TEST

START_TEST (a_screen_that_cannot_be_put_back_is_no_more_than_a_warning)
{
  Card card;
  card_init (&card);
  card_start (&card, CARD);
  ck_assert_int_eq (card_flip (&card), 0);
  card.fake.refuse_request = DRM_IOCTL_MODE_ATOMIC;
  card.fake.refuse_errno = EINVAL;
  card_stop (&card);
  ck_assert (!fake_kms_is_restored (&card.fake));
  ck_assert (!card.fake.screen.active); /* its framebuffer is gone */
  card_finish (&card);
}
END_TEST

/* The card is in memory that player, watcher and test share. */
START_TEST (the_watcher_puts_back_what_a_killed_player_has_shown)
{
  for (size_t i = 0; i < N_ELEMENTS (apis); i++) {
    Card *card = mmap (NULL, sizeof *card, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert (card != MAP_FAILED);
    card_init (card);
    card->options.kms_api = apis[i];
    pid_t player = fork ();
    ck_assert_int_ge (player, 0);
    if (player == 0) {
      card_start (card, CARD);
      (void) card_flip (card);
      (void) card_flip (card);
      (void) card_reopen (card); /* the same watcher goes on */
      (void) card_flip (card);
      raise (SIGKILL);
    }
    ck_assert_int_eq (waitpid (player, NULL, 0), player);
    ck_assert_uint_eq (card->fake.n_flips, 1);
    while (!fake_kms_is_restored (&card->fake))
      sched_yield ();
    fake_kms_finish (&card->fake);
    munmap (card, sizeof *card);
  }
}
END_TEST

START_TEST (colours_that_change_do_not_end_tearing)
{
  Card card;
  card_init (&card);
  card.options.no_vsync = true;
  card_start (&card, CARD);
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_uint_eq (card.fake.n_async, 1);
  ck_assert_int_eq (ba_display_set_colours (card.display, BA_YUV_BT709, false), 0);
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_uint_eq (card.fake.n_async, 2);
  card_finish (&card);
}
END_TEST

RUN ("kms-flip", the_first_page_sets_the_mode_the_others_flip_and_close_puts_back, a_screen_that_was_dark_is_dark_again,
     the_page_before_is_free_at_the_event_and_not_before, without_vblanks_the_clock_paces,
     a_screen_that_is_off_is_waited_for_once_and_then_left_out,
     a_master_that_is_lost_is_taken_back_and_the_mode_set_again, the_screen_of_another_master_is_not_put_back,
     a_flip_of_somebody_else_is_waited_for, a_crtc_that_is_always_busy_is_waited_for,
     a_card_that_vanishes_is_an_error, one_page_is_shown_once_and_flushed_after,
     without_vsync_flips_tear_where_the_driver_can, an_overlay_leaves_mode_and_primary_alone,
     an_overlay_needs_a_picture_to_go_with, colours_are_set_with_the_next_page_and_put_back,
     a_shared_card_keeps_its_events_and_gives_a_fence, events_that_another_user_of_the_card_has_read_stop_nothing,
     a_screen_that_cannot_be_put_back_is_no_more_than_a_warning,
     the_watcher_puts_back_what_a_killed_player_has_shown,
     colours_that_change_do_not_end_tearing)
