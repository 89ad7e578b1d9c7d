/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-kms-others.c: what others do to a screen while it is used: unplug it, plug another one in, be master for a while,
 * take the card away; and two displays of one card. On a fake card: no driver of a virtual machine has plugs.
 */
#include "fake-frame.h"

#include <bufalloc/kms-private.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#define CARD FAKE_CARD_PATH

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
    card_show_with (&card, apis[i]);
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
  card_show_with (&card, BA_KMS_AUTO);
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
  card_show_with (&card, BA_KMS_AUTO);
  plug (&card, false);
  ck_assert_int_eq (ba_display_refresh (card.display), 0);
  card.fake.n_modes = 2; /* of 100x50 both */
  plug (&card, true);
  ck_assert_int_eq (ba_display_refresh (card.display), -ENOTSUP);
  ck_assert_int_eq (ba_display_check_mode (card.display), 1);
  ck_assert_int_eq (card_flip (&card), -ENOTSUP);
  card_finish (&card);
}
END_TEST

/* A receiver that is switched on in between tells of itself so; or the plug was pulled when nobody looked. */
START_TEST (a_screen_in_the_place_of_another_one_is_told_too)
{
  Card card;
  card_show_with (&card, BA_KMS_AUTO);
  plug (&card, true);
  ck_assert_int_eq (ba_display_refresh (card.display), 0);
  ck_assert_int_eq (ba_display_check_mode (card.display), 0);
  card.fake.n_modes = 2; /* of 100x50 both */
  plug (&card, true);
  ck_assert_int_eq (ba_display_refresh (card.display), -ENOTSUP);
  ck_assert_int_eq (ba_display_check_mode (card.display), 1);
  ck_assert_int_eq (card_flip (&card), -ENOTSUP);
  card_finish (&card);
}
END_TEST

START_TEST (a_picture_that_stands_still_is_shown_again_when_the_master_is_back)
{
  Card card;
  card_show_with (&card, BA_KMS_AUTO);
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
  card_show_with (&card, BA_KMS_AUTO);
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

START_TEST (a_picture_of_others_lights_a_screen_that_came_back_too)
{
  for (size_t i = 0; i < N_ELEMENTS (apis); i++) {
    Card card;
    Frame frames[2];
    card_show_with (&card, apis[i]);
    frame_init (&frames[0]);
    frame_init (&frames[1]);
    plug (&card, false);
    ck_assert_int_eq (flip (&card, &frames[0]), 0);
    plug (&card, true);
    unsigned n_modesets = card.fake.n_modesets;
    ck_assert_int_eq (flip (&card, &frames[1]), 0);
    ck_assert_uint_eq (card.fake.n_modesets, n_modesets + 2);
    ck_assert (card.fake.screen.active);
    card_stop (&card);
    frame_finish (&frames[0]);
    frame_finish (&frames[1]);
    finish (&card);
  }
}
END_TEST

START_TEST (a_screen_that_came_back_is_lit_again_until_that_works)
{
  Card card;
  card_show_with (&card, BA_KMS_AUTO);
  plug (&card, false);
  ck_assert_int_eq (card_flip (&card), 0);
  plug (&card, true);
  unsigned n_modesets = card.fake.n_modesets;
  card.fake.refuse_request = DRM_IOCTL_MODE_ATOMIC;
  card.fake.refuse_errno = ENOMEM;
  ck_assert_int_eq (card_flip (&card), -ENOMEM);
  card.fake.refuse_request = 0;
  card_take_master (&card, true);
  ck_assert_int_eq (card_flip (&card), 0); /* counts as shown */
  ck_assert_int_eq (ba_display_refresh (card.display), 0);
  card_take_master (&card, false);
  ck_assert_uint_eq (card.fake.n_modesets, n_modesets);
  ck_assert_int_eq (ba_display_refresh (card.display), 1);
  ck_assert_uint_eq (card.fake.n_modesets, n_modesets + 2);
  ck_assert (card.fake.screen.active);
  card_finish (&card);
}
END_TEST

START_TEST (of_pages_that_counted_as_shown_the_last_one_comes_when_the_master_is_back)
{
  Card card;
  card_show_with (&card, BA_KMS_AUTO);
  card_take_master (&card, true);
  ck_assert_int_eq (card_flip (&card), 0);
  BaBuffer *page = acquire (card.pool);
  int number = ba_display_get_page_number (card.display, page);
  ck_assert_int_eq (ba_display_flip (card.display, page, NULL), 0);
  ba_buffer_unref (page);
  card_take_master (&card, false);
  ck_assert_int_eq (ba_display_refresh (card.display), 1);
  ck_assert_uint_eq (card.fake.screen.planes[0].fb, ((BaiKmsState *) card.display->state)->pages[number].fb_id);
  card_finish (&card);
}
END_TEST

/* ---- nobody tells ------------------------------------------------------------------------------------------------ */

/* No socket, as in a container that may have none; or one that stays silent. */
static void
card_show_untold (Card *card, bool has_socket)
{
  card_init (card);
  card->fake.no_uevents = !has_socket;
  card_start (card, CARD);
  ck_assert_int_eq (card_flip (card), 0);
  ck_assert_int_eq (ba_display_get_event_fd (card->display) >= 0, has_socket);
}

START_TEST (a_plug_that_nobody_tells_of_is_noticed_by_whoever_looks)
{
  for (int has_socket = 0; has_socket < 2; has_socket++) {
    Card card;
    card_show_untold (&card, has_socket);
    unsigned n_modesets = card.fake.n_modesets, n_probes = card.fake.n_probes;
    for (int i = 0; i < 10; i++)
      ck_assert_int_eq (ba_display_refresh (card.display), 0);
    ck_assert_uint_eq (card.fake.n_probes, n_probes); /* which would take a while */
    card.fake.unplugged = true;
    ck_assert_int_eq (ba_display_refresh (card.display), 0);
    ck_assert_int_eq (card_flip (&card), 0);
    uint32_t seen = card.fake.screen.planes[0].fb;
    card.fake.unplugged = false;
    ck_assert_int_eq (ba_display_refresh (card.display), 1);
    ck_assert_uint_eq (card.fake.n_modesets, n_modesets + 2);
    ck_assert_uint_eq (card.fake.screen.planes[0].fb, seen);
    ck_assert_int_eq (ba_display_refresh (card.display), 0);
    card_finish (&card);
  }
}
END_TEST

START_TEST (a_flip_that_fails_looks_whether_the_screen_is_there)
{
  for (int has_socket = 0; has_socket < 2; has_socket++) {
    Card card;
    card_show_untold (&card, has_socket);
    card.fake.unplugged = true;
    card.fake.refuse_request = DRM_IOCTL_MODE_ATOMIC;
    card.fake.refuse_errno = EINVAL;
    for (int i = 0; i < 3; i++)
      ck_assert_int_eq (card_flip (&card), 0); /* they count as shown */
    card.fake.refuse_request = 0;
    card.fake.unplugged = false;
    unsigned n_modesets = card.fake.n_modesets;
    card.fake.clock_ns += INT64_C (1000000000);
    ck_assert_int_eq (card_flip (&card), 0);
    ck_assert_uint_eq (card.fake.n_modesets, n_modesets + 2);
    ck_assert (card.fake.screen.active);
    card_finish (&card);
  }
}
END_TEST

START_TEST (flips_do_not_ask_for_the_screen_more_often_than_once_a_second)
{
  Card card;
  card_show_untold (&card, false);
  unsigned n_looks = card.fake.n_looks;
  int64_t begin_ns = card.fake.clock_ns;
  while (card.fake.clock_ns < begin_ns + INT64_C (5000000000))
    ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_uint_ge (card.fake.n_looks, n_looks + 4);
  ck_assert_uint_le (card.fake.n_looks, n_looks + 6);
  card_finish (&card);
  card_show_untold (&card, true); /* who is told asks for nothing */
  n_looks = card.fake.n_looks;
  begin_ns = card.fake.clock_ns;
  while (card.fake.clock_ns < begin_ns + INT64_C (5000000000))
    ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_uint_eq (card.fake.n_looks, n_looks);
  card_finish (&card);
}
END_TEST

/* ---- pictures of others that are refused meanwhile --------------------------------------------------------------- */

START_TEST (what_is_refused_while_a_screen_comes_or_goes_is_tried_again)
{
  for (size_t i = 0; i < N_ELEMENTS (apis); i++) {
    Card card;
    Frame frame;
    card_show_with (&card, apis[i]);
    frame_init (&frame);
    ck_assert_int_eq (ba_display_import (card.display, &frame.picture, NULL), 0);
    for (int replugs = 0; replugs < 2; replugs++) { /* 0: a change of another connector of the card */
      if (replugs)
        plug (&card, false);
      ck_assert_int_eq (card_flip (&card), 0);
      plug (&card, true);
      card.fake.refuse_imported = true;
      ck_assert_int_eq (flip (&card, &frame), -ENOTSUP);
      ck_assert_int_eq (card_flip (&card), 0); /* what whoever gave it does then */
      card.fake.refuse_imported = false;
      unsigned n_imports = card.fake.n_imports;
      ck_assert_int_eq (flip (&card, &frame), 0);
      ck_assert_uint_eq (card.fake.n_imports, n_imports);
      ck_assert_int_eq (card_flip (&card), 0);
    }
    card_stop (&card);
    frame_finish (&frame);
    finish (&card);
  }
}
END_TEST

START_TEST (so_is_what_a_test_commit_refuses)
{
  Card card;
  Frame frame;
  BaError error = { 0 };
  card_show_with (&card, BA_KMS_ATOMIC);
  frame_init (&frame);
  plug (&card, false);
  card.fake.refuse_imported = true;
  ck_assert_int_eq (ba_display_import (card.display, &frame.picture, &error), -ENOTSUP);
  ck_assert_ptr_nonnull (strstr (error.message, "while its screen is plugged"));
  plug (&card, true);
  card.fake.refuse_imported = false;
  ck_assert_int_eq (flip (&card, &frame), 0);
  ck_assert (card.fake.screen.active);
  card_stop (&card);
  frame_finish (&frame);
  finish (&card);
}
END_TEST

START_TEST (messages_of_other_programs_are_not_heard)
{
  static const char forged[] = "change@/devices/card0\0SUBSYSTEM=drm\0HOTPLUG=1";
  char heard[4096];
  struct sockaddr_nl to;
  socklen_t to_bytes = sizeof to;
  int fd = bai_device_calls.uevent_socket (NULL);
  int other = socket (AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
  if (fd >= 0 && other >= 0) { /* there is none in some containers */
    ck_assert_int_eq (getsockname (fd, (struct sockaddr *) &to, &to_bytes), 0);
    ssize_t sent = sendto (other, forged, sizeof forged, 0, (struct sockaddr *) &to, to_bytes);
    ck_assert_msg (sent > 0 || errno == EPERM || errno == ECONNREFUSED, "%s", strerror (errno));
    for (ssize_t n; (n = bai_device_calls.uevent_read (NULL, fd, heard, sizeof heard)) >= 0;)
      ck_assert (n != sizeof forged || memcmp (heard, forged, sizeof forged) != 0);
    ck_assert_int_eq (errno, EAGAIN);
  }
  if (fd >= 0)
    close (fd);
  if (other >= 0)
    close (other);
}
END_TEST

/* Two displays of one open card: neither has shown anything when the other one is opened. */
static void
open_two (Card *card, BaKmsApi api, BaDisplay *displays[2])
{
  static const char *const devices[] = { CARD ",connector=HDMI-A-1", CARD ",connector=VGA-1" };
  card_init (card);
  card->fake.two_screens = card->fake.dark = true;
  fake_kms_ready (&card->fake);
  card->options.kms_api = api;
  card->options.has_fd = true;
  card->options.fd = fake_kms_open_fd (&card->fake);
  for (unsigned i = 0; i < 2; i++)
    ck_assert_int_eq (bai_display_open_with_calls (devices[i], &card->options, &card->fake.calls, &card->error,
                                                   &displays[i]), 0);
}

START_TEST (two_displays_of_one_card_take_two_screens)
{
  Card card;
  BaDisplay *displays[2];
  open_two (&card, BA_KMS_AUTO, displays);
  ck_assert_uint_ne (((BaiKmsState *) displays[0]->state)->crtc_id, ((BaiKmsState *) displays[1]->state)->crtc_id);
  for (unsigned i = 0; i < 2; i++) {
    ba_display_close (displays[i]);
    ba_display_unref (displays[i]);
  }
  card_finish (&card);
}
END_TEST

/* Without fences both read the same events. */
START_TEST (two_displays_of_one_card_tell_their_flips_apart)
{
  Card card;
  BaDisplay *displays[2];
  uint64_t flips[2];
  open_two (&card, BA_KMS_LEGACY, displays);
  for (unsigned i = 0; i < 2; i++) {
    BaConfig config = { .display = displays[i] };
    BaSpec spec = { 0 };
    ck_assert_int_eq (ba_allocator_new_with_config (BA_TYPE_FRAMEBUFFER, &config, NULL, &card.allocator), 0);
    ck_assert_int_eq (ba_allocator_build_pool (card.allocator, &spec, &card.pool), 0);
    card.display = displays[i];
    ck_assert_int_eq (card_flip (&card), 0);
    ck_assert_int_eq (card_flip (&card), 0);
    ck_assert (card.fake.is_flipping);
    flips[i] = card.fake.flip_user;
    ba_display_close (displays[i]);
    ba_pool_unref (card.pool);
    ba_allocator_unref (card.allocator);
    ba_display_unref (displays[i]);
  }
  ck_assert (flips[0] != flips[1]);
  card.display = NULL;
  card.pool = NULL;
  card.allocator = NULL;
  card_finish (&card);
}
END_TEST

RUN ("kms-others", a_screen_that_comes_back_shows_the_last_page_again, a_flip_notices_it_too,
     another_screen_without_that_mode_is_told_to_whoever_looks,
     a_screen_in_the_place_of_another_one_is_told_too,
     a_picture_that_stands_still_is_shown_again_when_the_master_is_back, without_messages_everything_else_works,
     a_picture_of_others_lights_a_screen_that_came_back_too, a_screen_that_came_back_is_lit_again_until_that_works,
     of_pages_that_counted_as_shown_the_last_one_comes_when_the_master_is_back,
     a_plug_that_nobody_tells_of_is_noticed_by_whoever_looks, a_flip_that_fails_looks_whether_the_screen_is_there,
     flips_do_not_ask_for_the_screen_more_often_than_once_a_second,
     what_is_refused_while_a_screen_comes_or_goes_is_tried_again, so_is_what_a_test_commit_refuses,
     messages_of_other_programs_are_not_heard, two_displays_of_one_card_take_two_screens,
     two_displays_of_one_card_tell_their_flips_apart)
