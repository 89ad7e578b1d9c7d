/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-kms-shared.c: several displays of one open card: each has a plane of its own, and a buffer that they have in
 * common is closed by the last of them. On a fake card, which as the kernel has one handle for a buffer and no count.
 */
#include "fake-frame.h"

#include <bufalloc/kms-private.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#define CARD FAKE_CARD_PATH
#define MODE ",mode=100x50@60" /* as the console has, which an overlay keeps */

/* A card of the application's, that displays are opened on. */
static void
card_lend (Card *card)
{
  card_init (card);
  fake_kms_ready (&card->fake);
  card->options.has_fd = true;
  card->options.fd = fake_kms_open_fd (&card->fake);
}

static int
open_on (Card *card, int fd, const char *device, BaDisplay **display)
{
  BaDisplayOptions options = { .has_fd = true, .fd = fd };
  return bai_display_open_with_calls (device, &options, &card->fake.calls, &card->error, display);
}

static BaDisplay *
open_one (Card *card, int fd, const char *device)
{
  BaDisplay *display;
  ck_assert_msg (open_on (card, fd, device, &display) == 0, "%s", card->error.message);
  return display;
}

static void
refused (Card *card, const char *device, int code, const char *says)
{
  BaDisplay *display;
  ck_assert_int_eq (open_on (card, card->options.fd, device, &display), code);
  ck_assert_msg (strstr (card->error.message, says) != NULL, "\"%s\" does not say \"%s\"", card->error.message, says);
}

static void
close_one (BaDisplay *display)
{
  ba_display_close (display);
  ba_display_unref (display);
}

static uint32_t
plane_of (const BaDisplay *display)
{
  return ((const BaiKmsState *) display->state)->plane_id;
}

/* ---- planes ------------------------------------------------------------------------------------------------------ */

START_TEST (no_two_displays_choose_the_same_plane)
{
  Card card;
  card_lend (&card);
  int fd = card.options.fd;
  BaDisplay *below = open_one (&card, fd, CARD);
  ck_assert_uint_eq (plane_of (below), FAKE_PRIMARY);
  refused (&card, CARD, -EBUSY, "another display of this program shows on that screen");
  refused (&card, CARD ",plane=40", -EBUSY, "another display of this program shows in plane 40");
  BaDisplay *over = open_one (&card, fd, CARD ",plane=overlay"); /* neither has shown anything */
  ck_assert_uint_eq (plane_of (over), FAKE_OVERLAY);
  refused (&card, CARD ",plane=overlay", -EBUSY, "no overlay plane is free: the screen has 1, and others show in it");
  refused (&card, CARD ",plane=42", -EBUSY, "another display of this program shows in plane 42");
  close_one (over);
  over = open_one (&card, fd, CARD ",plane=overlay");
  ck_assert_uint_eq (plane_of (over), FAKE_OVERLAY);
  close_one (below);
  below = open_one (&card, fd, CARD ",plane=40");
  close_one (over);
  close_one (below);
  card_finish (&card);
}
END_TEST

START_TEST (of_two_overlays_each_display_has_one)
{
  Card card;
  card_lend (&card);
  card.fake.two_overlays = true;
  BaDisplay *one = open_one (&card, card.options.fd, CARD ",plane=overlay");
  BaDisplay *two = open_one (&card, card.options.fd, CARD ",plane=overlay");
  ck_assert_uint_ne (plane_of (one), plane_of (two));
  refused (&card, CARD ",plane=overlay", -EBUSY, "the screen has 2, and others show in all of them");
  close_one (one);
  one = open_one (&card, card.options.fd, CARD ",plane=overlay");
  ck_assert_uint_ne (plane_of (one), plane_of (two));
  close_one (one);
  close_one (two);
  card_finish (&card);
}
END_TEST

START_TEST (a_plane_stays_taken_when_the_pages_change)
{
  Card card;
  card_lend (&card);
  ck_assert_int_eq (card_open (&card, CARD ",plane=overlay"), 0);
  BaDisplay *other;
  card.options.fourcc = DRM_FORMAT_NV12;
  ck_assert_int_eq (ba_display_reopen (card.display, &card.options, &card.error, &other), 0);
  close_one (card.display);
  refused (&card, CARD ",plane=overlay", -EBUSY, "no overlay plane is free");
  card.options.fourcc = DRM_FORMAT_P010; /* which it has not */
  ck_assert_int_lt (ba_display_reopen (other, &card.options, &card.error, &card.display), 0);
  refused (&card, CARD ",plane=overlay", -EBUSY, "no overlay plane is free");
  close_one (other);
  close_one (open_one (&card, card.options.fd, CARD ",plane=overlay"));
  card_finish (&card);
}
END_TEST

START_TEST (another_open_card_has_planes_of_its_own)
{
  Card cards[2];
  BaDisplay *displays[2];
  for (unsigned i = 0; i < 2; i++) {
    card_lend (&cards[i]);
    displays[i] = open_one (&cards[i], cards[i].options.fd, CARD ",plane=overlay");
  }
  for (unsigned i = 0; i < 2; i++) {
    close_one (displays[i]);
    card_finish (&cards[i]);
  }
}
END_TEST

/* ---- buffers ----------------------------------------------------------------------------------------------------- */

static void
small_frame_init (Frame *frame)
{
  frame_init (frame);
  frame->picture.layout.width_px = 100;
  frame->picture.layout.height_px = 50;
}

static int
import (BaDisplay *display, Frame *frame)
{
  BaError error = { 0 };
  int r = ba_display_import (display, &frame->picture, &error);
  ck_assert_msg (r == 0, "%s", error.message);
  return r;
}

/* Over and under each other, by one number of the card, or two. */
static void
check_common_buffer (bool two_numbers, bool no_kcmp)
{
  Card card;
  Frame frame, page;
  int page_fd;
  card_lend (&card);
  card.fake.no_kcmp = no_kcmp;
  card.fake.second_fd = two_numbers ? card.fake.calls.dup (&card.fake, card.options.fd) : card.options.fd;
  BaDisplay *below = open_one (&card, card.options.fd, CARD MODE);
  BaDisplay *over = open_one (&card, card.fake.second_fd, CARD ",plane=overlay");
  small_frame_init (&frame);
  import (below, &frame);
  import (over, &frame);
  ck_assert_uint_eq (n_imported (&card), 1);
  ba_display_forget_imports (below);
  ck_assert_uint_eq (n_imported (&card), 1); /* it is the other one's still */
  ck_assert_int_eq (ba_display_flip_import (over, &frame.picture, NULL, NULL, NULL), 0);
  ck_assert_int_eq (ba_display_wait (over, NULL), 0);
  import (below, &frame);
  close_one (over);
  ck_assert_uint_eq (n_imported (&card), 1);
  ba_display_forget_imports (below);
  ck_assert_uint_eq (n_imported (&card), 0);

  over = open_one (&card, card.fake.second_fd, CARD ",plane=overlay"); /* shows a page of the one below */
  ck_assert_int_eq (ba_display_export_page (below, 1, &page_fd), 0);
  small_frame_init (&page);
  close (page.picture.fds[0]);
  page.picture.fds[0] = page_fd;
  page.picture.layout.stride_bytes[0] = ba_display_get_info (below)->layout.stride_bytes[0];
  import (over, &page);
  unsigned n_handles = fake_kms_count (card.fake.handles);
  ba_display_forget_imports (over);
  ck_assert_uint_eq (fake_kms_count (card.fake.handles), n_handles);
  import (over, &page);
  close_one (below); /* the page's memory stays as long as it is shown there */
  ck_assert_int_eq (ba_display_flip_import (over, &page.picture, NULL, NULL, NULL), 0);
  close_one (over);
  ck_assert_uint_eq (fake_kms_count (card.fake.handles), 0);
  frame_finish (&frame);
  frame_finish (&page);
  if (two_numbers)
    card.fake.calls.close (&card.fake, card.fake.second_fd);
  finish (&card);
}

START_TEST (a_buffer_of_two_displays_is_closed_by_the_last_of_them)
{
  check_common_buffer (false, false);
}
END_TEST

START_TEST (a_card_is_known_under_another_number)
{
  check_common_buffer (true, false);
}
END_TEST

START_TEST (the_same_number_is_the_same_card_where_the_kernel_does_not_say)
{
  check_common_buffer (false, true);
}
END_TEST

/* Whichever call fails while two displays have a buffer in common: nothing is left, nothing is closed twice. */
START_TEST (a_call_that_fails_leaves_nothing_behind)
{
  bool failed = true;
  unsigned n_opened = 0;
  for (unsigned n = 1; failed; n++) {
    Card card;
    Frame frame;
    BaDisplay *displays[2] = { NULL, NULL };
    card_lend (&card);
    card.fake.fail_nth = n;
    card.fake.fail_errno = EIO;
    small_frame_init (&frame);
    for (unsigned i = 0; i < 2; i++) {
      if (open_on (&card, card.options.fd, i ? CARD ",plane=overlay" : CARD MODE, &displays[i]) < 0)
        continue;
      n_opened++;
      (void) ba_display_import (displays[i], &frame.picture, NULL);
    }
    for (unsigned i = 0; i < 2; i++) {
      if (displays[i])
        close_one (displays[i]);
    }
    failed = card.fake.failed;
    frame_finish (&frame);
    finish (&card);
  }
  ck_assert_uint_gt (n_opened, 2);
}
END_TEST

/* ---- threads ----------------------------------------------------------------------------------------------------- */

typedef struct
{
  int fd;
  const BaDeviceCalls *calls;
  atomic_uint *n_holders;
  unsigned n_held;
} Sharer;

/* Lets another thread put its card in between. */
static int
yield_and_compare (void *ctx, int a, int b)
{
  sched_yield ();
  return bai_device_calls.is_same_file (ctx, a, b);
}

/* Of those that share a card one at a time has the plane. */
static void *
share_and_go (void *data)
{
  Sharer *sharer = data;
  for (unsigned i = 0; i < 2000; i++) {
    BaiKmsState state = { .fd = sharer->fd };
    BaDisplay display = { .calls = sharer->calls, .state = &state };
    ck_assert_int_eq (bai_kms_share (&display), 0);
    if (bai_kms_take_plane (state.shared, FAKE_OVERLAY)) {
      ck_assert_uint_eq (atomic_fetch_add (sharer->n_holders, 1), 0);
      state.plane_id = FAKE_OVERLAY;
      sharer->n_held++;
      sched_yield ();
      ck_assert_uint_eq (atomic_fetch_sub (sharer->n_holders, 1), 1);
    }
    bai_kms_unshare (&display);
  }
  return NULL;
}

START_TEST (threads_that_come_and_go_share_one_card)
{
  pthread_t threads[4];
  Sharer sharers[4];
  BaDeviceCalls calls = bai_device_calls;
  atomic_uint n_holders[2] = { 0 };
  int fds[2] = { open ("/dev/null", O_RDWR | O_CLOEXEC), open ("/dev/null", O_RDWR | O_CLOEXEC) };
  calls.is_same_file = yield_and_compare;
  for (unsigned i = 0; i < 4; i++) {
    sharers[i] = (Sharer){ .fd = fds[i % 2], .calls = &calls, .n_holders = &n_holders[i % 2] };
    ck_assert_int_eq (pthread_create (&threads[i], NULL, share_and_go, &sharers[i]), 0);
  }
  for (unsigned i = 0; i < 4; i++)
    ck_assert_int_eq (pthread_join (threads[i], NULL), 0);
  ck_assert_uint_gt (sharers[0].n_held + sharers[2].n_held, 0);
  ck_assert_uint_gt (sharers[1].n_held + sharers[3].n_held, 0);
  close (fds[0]);
  close (fds[1]);
}
END_TEST

RUN ("kms-shared", no_two_displays_choose_the_same_plane, of_two_overlays_each_display_has_one,
     a_plane_stays_taken_when_the_pages_change, another_open_card_has_planes_of_its_own,
     a_buffer_of_two_displays_is_closed_by_the_last_of_them, a_card_is_known_under_another_number,
     the_same_number_is_the_same_card_where_the_kernel_does_not_say, a_call_that_fails_leaves_nothing_behind,
     threads_that_come_and_go_share_one_card)
