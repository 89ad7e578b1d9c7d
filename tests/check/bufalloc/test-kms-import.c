/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-kms-import.c: pictures in memory of others: imported once, shown as pages are, left alone while they are on
 * screen, refused with a reason that is remembered, and given back. On a fake card, where any file is a dmabuf.
 */
#include "fake-frame.h"

#define CARD FAKE_CARD_PATH
#define N_FRAMES 40

START_TEST (a_picture_of_others_is_imported_once_and_flipped)
{
  for (size_t i = 0; i < N_ELEMENTS (apis); i++) {
    Card card;
    Frame frames[4];
    card_init (&card);
    card.options.kms_api = apis[i];
    card_start (&card, CARD);
    for (unsigned k = 0; k < N_ELEMENTS (frames); k++)
      frame_init (&frames[k]);
    for (unsigned k = 0; k < 12; k++) {
      Frame *frame = &frames[k % N_ELEMENTS (frames)];
      ck_assert_int_eq (ba_display_import (card.display, &frame->picture, NULL), 0);
      ck_assert_int_eq (flip (&card, frame), 0);
      const FakeThing *fb = fake_kms_shown (&card.fake, FAKE_PRIMARY);
      ck_assert_ptr_nonnull (fb);
      ck_assert_uint_eq (fb->pitches[0], STRIDE);
      ck_assert_uint_ne (fake_kms_find (card.fake.handles, fb->handles[0])->inode, 0);
    }
    ck_assert_uint_eq (card.fake.n_imports, N_ELEMENTS (frames));
    ck_assert_uint_eq (card_stats (&card).flips, 12);
    ck_assert_uint_eq (card.fake.n_modesets, 1);
    card_stop (&card);
    ck_assert (fake_kms_is_restored (&card.fake));
    for (unsigned k = 0; k < N_ELEMENTS (frames); k++) {
      ck_assert_int_eq (frames[k].n_gone, 3);
      frame_finish (&frames[k]);
    }
    finish (&card);
  }
}
END_TEST

START_TEST (its_owner_has_it_back_when_the_next_one_is_visible_and_not_before)
{
  Card card;
  Frame a, b;
  card_init (&card);
  card_start (&card, CARD);
  frame_init (&a);
  frame_init (&b);
  ck_assert_int_eq (flip (&card, &a), 0);
  until_shown (&card);
  ck_assert_int_eq (flip (&card, &b), 0);
  card.fake.clock_ns += 10 * card.fake.period_ns; /* however late it is */
  ck_assert (card.fake.is_flipping);
  ck_assert_int_eq (a.n_gone, 0);
  until_shown (&card);
  ck_assert_int_eq (a.n_gone, 1);
  ck_assert_int_eq (card_flip (&card), 0); /* a page */
  ck_assert_int_eq (b.n_gone, 0);
  until_shown (&card);
  ck_assert_int_eq (b.n_gone, 1);
  ck_assert_int_eq (flip (&card, &a), 0);
  until_shown (&card);
  ck_assert_uint_eq (stats_of (card.pool).n_free, card.info->n_pages); /* the page is free as well */
  ba_display_close (card.display);
  ck_assert_int_eq (a.n_gone, 2);
  ck_assert_int_eq (flip (&card, &a), -ESHUTDOWN);
  ck_assert_int_eq (a.n_gone, 2);
  frame_finish (&a);
  frame_finish (&b);
  finish (&card);
}
END_TEST

START_TEST (a_picture_that_is_on_screen_is_left_alone)
{
  Card card;
  Frame a;
  card_init (&card);
  card_start (&card, CARD);
  frame_init (&a);
  ck_assert_int_eq (flip (&card, &a), 0);
  ck_assert_int_eq (flip (&card, &a), 1); /* on its way */
  ck_assert_int_eq (a.n_gone, 1); /* of the second */
  until_shown (&card);
  ck_assert_int_eq (flip (&card, &a), 1);
  ck_assert_int_eq (a.n_gone, 2);
  ck_assert_uint_eq (card_stats (&card).flips, 1);
  card_stop (&card);
  ck_assert_int_eq (a.n_gone, 3);
  frame_finish (&a);
  finish (&card);
}
END_TEST

START_TEST (a_file_is_known_by_what_it_is)
{
  Card card;
  Frame a, b;
  card_init (&card);
  card_start (&card, CARD);
  frame_init (&a);
  ck_assert_int_eq (ba_display_import (card.display, &a.picture, NULL), 0);
  b = a;
  b.picture.fds[0] = dup (a.picture.fds[0]); /* another number */
  ck_assert_int_eq (ba_display_import (card.display, &b.picture, NULL), 0);
  ck_assert_uint_eq (card.fake.n_imports, 1);
  frame_finish (&a);
  frame_init (&a); /* the number of the first one again, and another file */
  ck_assert_int_eq (ba_display_import (card.display, &a.picture, NULL), 0);
  ck_assert_uint_eq (card.fake.n_imports, 2);
  ck_assert_uint_eq (n_imported (&card), 2);
  frame_finish (&a);
  frame_finish (&b);
  finish (&card);
}
END_TEST

/* Where all of them are the same inode the card says which is which. */
START_TEST (before_linux_5_3_a_file_is_known_by_its_handle)
{
  Card card;
  Frame frames[3];
  uint32_t fbs[3];
  card_init (&card);
  card.fake.one_inode = true;
  card_start (&card, CARD);
  for (unsigned k = 0; k < N_ELEMENTS (frames); k++) {
    frame_init (&frames[k]);
    ck_assert_int_eq (flip (&card, &frames[k]), 0);
    until_shown (&card);
    fbs[k] = card.fake.screen.planes[0].fb;
  }
  ck_assert_uint_eq (n_imported (&card), 3);
  ck_assert (fbs[0] != fbs[1] && fbs[1] != fbs[2] && fbs[0] != fbs[2]);
  Frame other = frames[1]; /* the same under another number */
  other.picture.fds[0] = dup (frames[1].picture.fds[0]);
  ck_assert_int_eq (flip (&card, &other), 0);
  until_shown (&card);
  ck_assert_uint_eq (card.fake.screen.planes[0].fb, fbs[1]);
  ck_assert_uint_eq (n_imported (&card), 3);
  unsigned n_fbs = fake_kms_count (card.fake.fbs);
  for (unsigned k = 0; k < 12; k++)
    ck_assert_int_ge (flip (&card, &frames[k % 3]), 0);
  ck_assert_uint_eq (fake_kms_count (card.fake.fbs), n_fbs);
  ba_display_forget_imports (card.display);
  for (unsigned k = 0; k < 3; k++) {
    ck_assert_int_eq (card_flip (&card), 0);
    until_shown (&card);
  }
  ck_assert_uint_eq (n_imported (&card), 0);
  card.fake.refuse_import = ENODEV; /* tried once, too, and nothing is left of it */
  unsigned n_imports = card.fake.n_imports;
  for (unsigned k = 0; k < 6; k++)
    ck_assert_int_eq (ba_display_import (card.display, &frames[k % 3].picture, NULL), -ENOTSUP);
  ck_assert_uint_eq (card.fake.n_imports, n_imports + 1);
  frame_finish (&other);
  for (unsigned k = 0; k < N_ELEMENTS (frames); k++)
    frame_finish (&frames[k]);
  finish (&card);
}
END_TEST

START_TEST (two_pictures_in_one_file_share_a_handle_that_is_closed_once)
{
  Card card;
  Frame upper, lower;
  card_init (&card);
  card_start (&card, CARD);
  frame_init (&upper);
  ck_assert_int_eq (ftruncate (upper.picture.fds[0], 2 * STRIDE * 100), 0);
  lower = upper;
  lower.picture.layout.offset_bytes[0] = STRIDE * 100;
  ck_assert_int_eq (flip (&card, &upper), 0);
  until_shown (&card);
  uint32_t first = shown_handle (&card);
  ck_assert_int_eq (flip (&card, &lower), 0);
  until_shown (&card);
  ck_assert_uint_eq (shown_handle (&card), first);
  ck_assert_uint_eq (fake_kms_shown (&card.fake, FAKE_PRIMARY)->offsets[0], STRIDE * 100);
  ck_assert_uint_eq (n_imported (&card), 1);
  ba_display_forget_imports (card.display); /* the upper one goes, and the buffer stays for the lower one */
  ck_assert_uint_eq (n_imported (&card), 1);
  ck_assert (card.fake.screen.active);
  frame_finish (&upper);
  finish (&card);
}
END_TEST

START_TEST (planes_in_files_of_their_own_come_with_strides_offsets_and_modifier)
{
  Card card;
  Frame a;
  card_init (&card);
  card_start (&card, CARD);
  frame_init (&a);
  a.picture.layout.fourcc = DRM_FORMAT_NV12;
  a.picture.layout.n_planes = 2;
  a.picture.layout.stride_bytes[0] = a.picture.layout.stride_bytes[1] = 256;
  a.picture.layout.offset_bytes[1] = 64;
  a.picture.fds[1] = make_file (256 * 50 + 64);
  a.picture.has_modifier = true;
  a.picture.modifier = DRM_FORMAT_MOD_VIVANTE_TILED;
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_int_eq (flip (&card, &a), 0);
  until_shown (&card);
  const FakeThing *fb = fake_kms_shown (&card.fake, FAKE_PRIMARY);
  ck_assert_uint_eq (fb->fourcc, DRM_FORMAT_NV12);
  ck_assert_uint_ne (fb->handles[0], fb->handles[1]);
  ck_assert_uint_eq (fb->pitches[1], 256);
  ck_assert_uint_eq (fb->offsets[1], 64);
  ck_assert (fb->modifier == DRM_FORMAT_MOD_VIVANTE_TILED);
  ck_assert_uint_eq (card.fake.n_modesets, 1); /* no blink */
  close (a.picture.fds[1]);
  frame_finish (&a);
  finish (&card);
}
END_TEST

/* ---- refused ----------------------------------------------------------------------------------------------------- */

static void
refused (Card *card, const BaDmabuf *picture, int code, const char *says)
{
  BaError error = { 0 };
  int r = ba_display_import (card->display, picture, &error);
  ck_assert_msg (r == code, "%d, %s", r, error.message);
  ck_assert_msg (strstr (error.message, says) != NULL, "\"%s\" does not say \"%s\"", error.message, says);
  ck_assert_int_eq (ba_display_flip_import (card->display, picture, NULL, NULL, NULL), code);
}

START_TEST (what_a_driver_refuses_is_tried_once_and_remembered)
{
  Card card;
  Frame frames[3];
  card_init (&card);
  card.fake.refuse_import = ENODEV; /* although the cap says yes: virtio */
  card_start (&card, CARD);
  for (unsigned k = 0; k < N_ELEMENTS (frames); k++)
    frame_init (&frames[k]);
  for (unsigned k = 0; k < 12; k++)
    refused (&card, &frames[k % 2].picture, -ENOTSUP, "fakekms does not import the memory: no such device");
  ck_assert_uint_eq (card.fake.n_imports, 1);
  frames[2].picture.layout.stride_bytes[0] = 800; /* something else */
  refused (&card, &frames[2].picture, -ENOTSUP, "does not import the memory");
  ck_assert_uint_eq (card.fake.n_imports, 2);
  ba_display_forget_imports (card.display); /* another element, other memory */
  card.fake.refuse_import = 0;
  ck_assert_int_eq (flip (&card, &frames[0]), 0);
  for (unsigned k = 0; k < N_ELEMENTS (frames); k++)
    frame_finish (&frames[k]);
  finish (&card);
}
END_TEST

START_TEST (what_is_refused_for_the_moment_is_tried_again)
{
  Card card;
  Frame a;
  card_init (&card);
  card_start (&card, CARD);
  frame_init (&a);
  card.fake.refuse_import = ENOMEM;
  refused (&card, &a.picture, -ENOMEM, "does not import the memory");
  card.fake.refuse_import = 0;
  ck_assert_int_eq (flip (&card, &a), 0);
  frame_finish (&a);
  finish (&card);
}
END_TEST

START_TEST (every_reason_has_its_words)
{
  Card card;
  Frame a;
  card_init (&card);
  card.fake.no_modifiers = true;
  card_start (&card, CARD);
  frame_init (&a);
  BaDmabuf picture = a.picture;
  picture.layout.width_px = 100;
  refused (&card, &picture, -ENOTSUP, "pictures of the size of its pages only");
  picture = a.picture;
  picture.layout.fourcc = DRM_FORMAT_P010;
  refused (&card, &picture, -ENOTSUP, "has no plane for that format");
  picture = a.picture;
  picture.has_modifier = true;
  picture.modifier = DRM_FORMAT_MOD_VIVANTE_TILED;
  refused (&card, &picture, -ENOTSUP, "takes no modifiers");
  picture.modifier = DRM_FORMAT_MOD_LINEAR; /* which is what it is without one */
  ck_assert_int_eq (ba_display_import (card.display, &picture, NULL), 0);
  picture = a.picture;
  picture.layout.offset_bytes[0] = 4096; /* and the file ends before */
  refused (&card, &picture, -ENOTSUP, "makes no framebuffer of the memory");
  picture = a.picture;
  picture.fds[0] = -1;
  ck_assert_int_eq (ba_display_import (card.display, &picture, NULL), -EINVAL);
  picture = a.picture;
  picture.layout.n_planes = 5;
  ck_assert_int_eq (ba_display_import (card.display, &picture, NULL), -EINVAL);
  ba_display_forget_imports (card.display);
  card.fake.refuse_test = DRM_FORMAT_XRGB8888;
  refused (&card, &a.picture, -ENOTSUP, "does not show the memory");
  ba_display_forget_imports (card.display);
  card.fake.no_import = true;
  refused (&card, &a.picture, -ENOTSUP, "imports nothing");
  ck_assert_uint_eq (n_imported (&card), 0);
  frame_finish (&a);
  finish (&card);
}
END_TEST

START_TEST (legacy_flips_keep_the_format)
{
  Card card;
  Frame a;
  card_init (&card);
  card.options.kms_api = BA_KMS_LEGACY;
  card_start (&card, CARD);
  frame_init (&a);
  a.picture.layout.fourcc = DRM_FORMAT_RGB565;
  refused (&card, &a.picture, -ENOTSUP, "flips to the format of its pages only");
  frame_finish (&a);
  finish (&card);
}
END_TEST

START_TEST (a_flip_that_is_refused_is_remembered_and_a_page_comes_in_its_place)
{
  for (size_t i = 0; i < N_ELEMENTS (apis); i++) {
    Card card;
    Frame a;
    card_init (&card);
    card.options.kms_api = apis[i];
    card_start (&card, CARD);
    frame_init (&a);
    ck_assert_int_eq (card_flip (&card), 0);
    ck_assert_int_eq (ba_display_import (card.display, &a.picture, NULL), 0);
    card.fake.refuse_request = apis[i] == BA_KMS_LEGACY ? DRM_IOCTL_MODE_PAGE_FLIP : DRM_IOCTL_MODE_ATOMIC;
    card.fake.refuse_errno = EINVAL;
    ck_assert_int_eq (flip (&card, &a), -ENOTSUP);
    ck_assert_int_eq (a.n_gone, 0); /* it is still its owner's */
    card.fake.refuse_request = 0;
    refused (&card, &a.picture, -ENOTSUP, "refused to flip to it");
    ck_assert_int_eq (card_flip (&card), 0);
    ck_assert_uint_eq (card.fake.n_modesets, 1);
    frame_finish (&a);
    finish (&card);
  }
}
END_TEST

START_TEST (other_kinds_of_display_import_nothing)
{
  BaDisplay *display;
  BaError error = { 0 };
  Frame a;
  frame_init (&a);
  ck_assert_int_eq (ba_display_open ("virtual:200x100,rate=0", NULL, NULL, &display), 0);
  ck_assert_int_eq (ba_display_import (display, &a.picture, &error), -ENOTSUP);
  ck_assert_ptr_nonnull (strstr (error.message, "virtual"));
  ck_assert_int_eq (ba_display_flip_import (display, &a.picture, frame_gone, &a, NULL), -ENOTSUP);
  ba_display_forget_imports (display);
  ck_assert_int_eq (a.n_gone, 0);
  ba_display_close (display);
  ba_display_unref (display);
  frame_finish (&a);
}
END_TEST

/* ---- letting go -------------------------------------------------------------------------------------------------- */

START_TEST (of_too_many_the_oldest_goes_but_never_what_is_on_screen)
{
  Card card;
  Frame frames[N_FRAMES], shown;
  card_init (&card);
  card_start (&card, CARD);
  frame_init (&shown);
  ck_assert_int_eq (flip (&card, &shown), 0);
  until_shown (&card);
  uint32_t on_screen = shown_handle (&card);
  for (unsigned k = 0; k < N_FRAMES; k++) {
    frame_init (&frames[k]);
    ck_assert_int_eq (ba_display_import (card.display, &frames[k].picture, NULL), 0);
    ck_assert (card.fake.screen.active);
    ck_assert_uint_eq (shown_handle (&card), on_screen);
  }
  ck_assert_uint_eq (n_imported (&card), BA_DISPLAY_MAX_IMPORTS);
  unsigned n = card.fake.n_imports;
  ck_assert_int_eq (ba_display_import (card.display, &frames[N_FRAMES - 1].picture, NULL), 0);
  ck_assert_uint_eq (card.fake.n_imports, n); /* the last ones are there */
  ck_assert_int_eq (flip (&card, &frames[0]), 0); /* and the first one is imported again */
  ck_assert_uint_eq (card.fake.n_imports, n + 1);
  until_shown (&card);
  ck_assert_int_eq (shown.n_gone, 1);
  for (unsigned k = 0; k < N_FRAMES; k++)
    frame_finish (&frames[k]);
  frame_finish (&shown);
  finish (&card);
}
END_TEST

START_TEST (what_is_forgotten_on_screen_goes_when_it_leaves_it)
{
  Card card;
  Frame a, b;
  card_init (&card);
  card_start (&card, CARD);
  frame_init (&a);
  frame_init (&b);
  ck_assert_int_eq (flip (&card, &a), 0);
  until_shown (&card);
  ck_assert_int_eq (ba_display_import (card.display, &b.picture, NULL), 0);
  ba_display_forget_imports (card.display);
  ck_assert_uint_eq (n_imported (&card), 1); /* b went at once */
  ck_assert (card.fake.screen.active);
  for (int i = 0; i < 3; i++) {
    ck_assert_int_eq (card_flip (&card), 0);
    until_shown (&card);
  }
  ck_assert_uint_eq (n_imported (&card), 0);
  ck_assert (card.fake.screen.active);
  frame_finish (&a);
  frame_finish (&b);
  finish (&card);
}
END_TEST

START_TEST (other_pages_let_go_of_it_when_they_have_taken_its_place)
{
  BaSpec spec = { .name = "pages" };
  BaDisplay *display;
  Card card;
  Frame frame;
  card_init (&card);
  card_start (&card, CARD);
  frame_init (&frame);
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_int_eq (flip (&card, &frame), 0);
  until_shown (&card);
  uint32_t handle = shown_handle (&card);

  card.options.fourcc = DRM_FORMAT_NV12;
  ck_assert_int_eq (ba_display_reopen (card.display, &card.options, &card.error, &display), 0);
  ba_pool_unref (card.pool);
  ba_allocator_unref (card.allocator);
  ba_display_unref (card.display);
  card.display = display;
  card.info = ba_display_get_info (display);
  BaConfig config = { .display = display };
  ck_assert_int_eq (ba_allocator_new_with_config (BA_TYPE_FRAMEBUFFER, &config, NULL, &card.allocator), 0);
  ck_assert_int_eq (ba_allocator_build_pool (card.allocator, &spec, &card.pool), 0);
  ck_assert_uint_eq (shown_handle (&card), handle); /* still there */
  ck_assert_int_eq (frame.n_gone, 0); /* so it is not to be written */
  ck_assert_uint_eq (n_imported (&card), 1);

  ck_assert_int_eq (card_flip (&card), 0);
  until_shown (&card);
  ck_assert_int_eq (card_flip (&card), 0);
  until_shown (&card);
  ck_assert_uint_eq (n_imported (&card), 0);
  ck_assert_int_eq (frame.n_gone, 1);
  frame_finish (&frame);
  finish (&card);
}
END_TEST

START_TEST (while_the_screen_is_off_what_the_driver_shows_is_kept)
{
  Card card;
  Frame first, frames[N_FRAMES];
  card_init (&card);
  card_start (&card, CARD);
  frame_init (&first);
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_int_eq (flip (&card, &first), 0);
  uint32_t on_screen = shown_handle (&card);
  card.fake.no_events = true;
  for (unsigned k = 0; k < N_FRAMES; k++) {
    frame_init (&frames[k]);
    ck_assert_int_eq (flip (&card, &frames[k]), 0); /* they count as shown */
    ck_assert_uint_eq (shown_handle (&card), on_screen);
    ck_assert (card.fake.screen.active);
  }
  card.fake.no_events = false;
  card.fake.event_ready = true;
  ck_assert_int_eq (flip (&card, &frames[0]), 0);
  ck_assert_uint_ne (shown_handle (&card), on_screen);
  card_stop (&card);
  for (unsigned k = 0; k < N_FRAMES; k++) {
    ck_assert_int_ge (frames[k].n_gone, 1);
    frame_finish (&frames[k]);
  }
  frame_finish (&first);
  finish (&card);
}
END_TEST

START_TEST (a_page_that_comes_back_as_a_dmabuf_stays_a_page)
{
  Card card;
  Frame a;
  int fd;
  card_init (&card);
  card_start (&card, CARD);
  frame_init (&a);
  ck_assert_int_eq (ba_display_export_page (card.display, 2, &fd), 0);
  BaDmabuf picture = a.picture;
  picture.fds[0] = fd;
  picture.layout.stride_bytes[0] = card.info->layout.stride_bytes[0];
  ck_assert_int_eq (ba_display_import (card.display, &picture, NULL), 0);
  ba_display_forget_imports (card.display);
  ck_assert_uint_eq (fake_kms_count (card.fake.handles), card.info->n_pages);
  close (fd);
  frame_finish (&a);
  finish (&card);
}
END_TEST

/* Whichever call fails: nothing is left behind, and every frame is its owner's again. */
static unsigned
fail_each_call (BaKmsApi api, bool one_inode)
{
  unsigned n_shown = 0;
  for (unsigned n = 1;; n++) {
    Card card;
    Frame frames[2];
    card_init (&card);
    card.options.kms_api = api;
    card.fake.one_inode = one_inode;
    card_start (&card, CARD);
    card.fake.fail_nth = card.fake.n_calls + n;
    card.fake.fail_errno = n % 2 ? EINVAL : ENOMEM;
    int taken[2] = { 0, 0 };
    frame_init (&frames[0]);
    frame_init (&frames[1]);
    for (int i = 0; i < 4; i++) {
      if (ba_display_import (card.display, &frames[i % 2].picture, NULL) == 0)
        taken[i % 2] += flip (&card, &frames[i % 2]) >= 0;
      else
        (void) card_flip (&card);
    }
    n_shown += (unsigned) (taken[0] + taken[1]);
    bool failed = card.fake.failed;
    card_stop (&card);
    for (int i = 0; i < 2; i++) {
      ck_assert_int_eq (frames[i].n_gone, taken[i]);
      frame_finish (&frames[i]);
    }
    finish (&card);
    if (!failed)
      return n_shown;
  }
}

START_TEST (a_call_that_fails_leaves_nothing_behind)
{
  ck_assert_uint_gt (fail_each_call (BA_KMS_AUTO, false), 4);
  ck_assert_uint_gt (fail_each_call (BA_KMS_AUTO, true), 4);
  ck_assert_uint_gt (fail_each_call (BA_KMS_LEGACY, false), 4);
}
END_TEST

RUN ("kms-import", a_picture_of_others_is_imported_once_and_flipped,
     its_owner_has_it_back_when_the_next_one_is_visible_and_not_before, a_picture_that_is_on_screen_is_left_alone,
     a_file_is_known_by_what_it_is, before_linux_5_3_a_file_is_known_by_its_handle,
     two_pictures_in_one_file_share_a_handle_that_is_closed_once,
     planes_in_files_of_their_own_come_with_strides_offsets_and_modifier,
     what_a_driver_refuses_is_tried_once_and_remembered, what_is_refused_for_the_moment_is_tried_again,
     every_reason_has_its_words, legacy_flips_keep_the_format,
     a_flip_that_is_refused_is_remembered_and_a_page_comes_in_its_place, other_kinds_of_display_import_nothing,
     of_too_many_the_oldest_goes_but_never_what_is_on_screen, what_is_forgotten_on_screen_goes_when_it_leaves_it,
     other_pages_let_go_of_it_when_they_have_taken_its_place, while_the_screen_is_off_what_the_driver_shows_is_kept,
     a_page_that_comes_back_as_a_dmabuf_stays_a_page,
     a_call_that_fails_leaves_nothing_behind)
