/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-kms.c: what is opened as /dev/dri/cardN: screen, mode, plane, format and pages, and what is told where there is
 * none. On a fake card; real drivers have their own tests.
 */
#include "fake-card.h"

#include <bufalloc/kms-private.h>
#include <stdio.h>
#include <unistd.h>

#define CARD FAKE_CARD_PATH

/* ---- screen and mode ------------------------------------------------------------------------------------------- */

START_TEST (the_connected_screen_and_its_preferred_mode_are_taken)
{
  Card card;
  card_init (&card);
  card_start (&card, CARD);
  ck_assert_str_eq (card.info->kind, "kms");
  ck_assert_str_eq (card.info->name, "fakekms");
  ck_assert_uint_eq (card.info->layout.width_px, 200);
  ck_assert_uint_eq (card.info->layout.height_px, 100);
  ck_assert_uint_eq (card.info->period_ns, 1000000000 / 60);
  ck_assert_uint_eq (card.info->n_pages, 4);
  ck_assert (card.info->can_flip);
  ck_assert (fake_kms_is_restored (&card.fake)); /* nothing is shown yet */
  card_finish (&card);
}
END_TEST

START_TEST (a_mode_is_chosen_by_size_and_rate)
{
  static const struct
  {
    const char *device;
    uint32_t width_px, rate_hz;
  } cases[] = {
    { CARD ",mode=100x50", 100, 75 },
    { CARD ",mode=100x50@60", 100, 60 },
    { CARD ",mode=100x50@59.94", 100, 60 },
    { CARD ",mode=200x100@50", 200, 50 },
    { CARD ",mode=200x100@60", 200, 60 },
    { CARD ",connector=HDMI-A-1,mode=100x50@60", 100, 60 },
    { CARD ",connector=10,mode=100x50", 100, 75 },
  };
  for (size_t i = 0; i < N_ELEMENTS (cases); i++) {
    Card card;
    card_init (&card);
    card_start (&card, cases[i].device);
    ck_assert_uint_eq (card.info->layout.width_px, cases[i].width_px);
    ck_assert_uint_eq (card.info->period_ns, 1000000000 / cases[i].rate_hz);
    ck_assert_int_eq (card_flip (&card), 0);
    ck_assert_uint_eq (card.fake.screen.mode.vrefresh, cases[i].rate_hz);
    ck_assert (!(card.fake.screen.mode.flags & DRM_MODE_FLAG_INTERLACE));
    card_finish (&card);
  }
}
END_TEST

START_TEST (what_does_not_fit_is_answered_with_what_there_is)
{
  Card card;
  card_init (&card);
  fake_kms_ready (&card.fake);
  card_refused (
      &card, CARD ",connector=help", -EINVAL,
      "no connector is called \"help\"; it has VGA-1 (11, nothing connected), HDMI-A-1 (10, connected: 100x50@75 "
      "100x50@60 200x100@60i 200x100@60 200x100@50)");
  card_refused (&card, CARD ",mode=640x480", -EINVAL, "HDMI-A-1 has no such mode; it has ");
  card_refused (&card, CARD ",mode=200x100@75", -EINVAL, "HDMI-A-1 has no such mode");
  card_refused (&card, CARD ",connector=VGA-1", -ENODEV, "nothing is connected to VGA-1");
  card_refused (&card, CARD ",plane=41", -EINVAL, "plane 41 is none that can show there; these can: 42 40 (primary)");
  card_refused (&card, "/dev/dri/card0", -ENODEV, "no such card: /dev/dri/card0");
  card.fake.unplugged = true;
  card_refused (&card, CARD, -ENODEV, "no screen is connected");
  card.fake.no_dumb = true;
  card_refused (&card, CARD, -ENODEV, "no card that shows pictures from memory");
  card_finish (&card);
}
END_TEST

START_TEST (what_there_is_is_told_to_the_last_mode)
{
  enum { N_MODES = 40 };
  Card card;
  char *text, *modes, wanted[24];
  card_init (&card);
  card.fake.n_modes = N_MODES;
  card.fake.two_screens = true;
  fake_kms_ready (&card.fake);
  card.fake.master_is_other = true; /* a desktop */
  ck_assert_int_eq (bai_display_list_outputs_with_calls (CARD, NULL, &card.fake.calls, NULL, &text), 0);
  ck_assert_msg (strncmp (text, CARD " fakekms:\n  VGA-1 (11, connected: 100x50@75 ", 49) == 0, "%s", text);
  modes = strstr (text, "\n  HDMI-A-1 (10, connected: 100x50@75 ");
  ck_assert_msg (modes != NULL, "%s", text);
  for (unsigned i = 5; i < N_MODES; i++) {
    snprintf (wanted, sizeof wanted, " %ux", (i % 5 < 2 ? 1100 : 1200) + i);
    ck_assert_msg (strstr (modes, wanted) != NULL, "no%s in%s", wanted, modes);
  }
  ck_assert_int_eq (text[strlen (text) - 1], ')');
  free (text);
  ck_assert_int_eq (bai_display_list_outputs_with_calls (NULL, NULL, &card.fake.calls, NULL, &text), 0);
  ck_assert_ptr_nonnull (strstr (text, CARD " fakekms:"));
  free (text);
  BaDisplayOptions options = { .has_fd = true, .fd = fake_kms_open_fd (&card.fake) };
  ck_assert_int_eq (bai_display_list_outputs_with_calls (NULL, &options, &card.fake.calls, NULL, &text), 0);
  ck_assert_ptr_nonnull (strstr (text, "the open card fakekms:"));
  free (text);
  card.fake.calls.close (&card.fake, options.fd);
  card.fake.two_screens = card.fake.master_is_other = false;
  card.fake.n_modes = 30; /* of which the message has all */
  card_refused (&card, CARD ",connector=help", -EINVAL, " 1229x100@");
  ck_assert_int_eq (card.error.message[strlen (card.error.message) - 1], ')');
  card.fake.n_modes = 100; /* or says that there are more, and begins none that it does not end */
  card_refused (&card, CARD ",connector=help", -EINVAL, " and more");
  modes = strstr (card.error.message, " and more");
  ck_assert_str_eq (modes, " and more");
  ck_assert_msg (memcmp (modes - 3, "@", 1) == 0 || memcmp (modes - 4, "@", 1) == 0, "%s", card.error.message);
  card_finish (&card);
}
END_TEST

START_TEST (what_there_is_can_be_asked_for_in_vain)
{
  Card card;
  char *text;
  card_init (&card);
  fake_kms_ready (&card.fake);
  ck_assert_int_eq (bai_display_list_outputs_with_calls ("/dev/dri/card0", NULL, &card.fake.calls, &card.error, &text),
                    -ENODEV);
  ck_assert_ptr_null (text);
  ck_assert_ptr_nonnull (strstr (card.error.message, "/dev/dri/card0"));
  ck_assert_int_eq (ba_display_list_outputs ("virtual:8x8", NULL, NULL, &text), -ENOTSUP);
  ck_assert_int_eq (ba_display_list_outputs ("nonsense", NULL, NULL, &text), -EINVAL);
  card.fake.refuse_request = DRM_IOCTL_MODE_GETRESOURCES; /* a card without screens */
  card.fake.refuse_errno = EOPNOTSUPP;
  ck_assert_int_eq (bai_display_list_outputs_with_calls ("auto", NULL, &card.fake.calls, NULL, &text), -ENODEV);
  card.fake.refuse_request = 0;
  const char *const strings[] = { "auto", CARD };
  for (size_t i = 0; i < N_ELEMENTS (strings); i++) { /* the one card that there is cannot be opened */
    card.fake.fail_nth = card.fake.n_calls + 1;
    card.fake.fail_errno = EACCES;
    ck_assert_int_eq (bai_display_list_outputs_with_calls (strings[i], NULL, &card.fake.calls, &card.error, &text),
                      -EACCES);
    ck_assert_ptr_nonnull (strstr (card.error.message, "group video"));
  }
  for (unsigned n = 1; n < 20; n++) {
    card.fake.fail_nth = card.fake.n_calls + n;
    card.fake.fail_errno = EIO;
    if (bai_display_list_outputs_with_calls (CARD, NULL, &card.fake.calls, NULL, &text) == 0)
      free (text);
  }
  card_finish (&card);
}
END_TEST

START_TEST (a_headset_is_shown_on_where_it_is_asked_for_alone)
{
  Card card;
  card_init (&card);
  card.fake.two_screens = true;
  fake_kms_ready (&card.fake);
  ck_assert_int_eq (card_open (&card, CARD), 0);
  ck_assert_uint_eq (((const BaiKmsState *) card.display->state)->connector_id, FAKE_VGA); /* the first one */
  card_stop (&card);
  card.fake.headset = true;
  ck_assert_int_eq (card_open (&card, CARD), 0);
  ck_assert_uint_eq (((const BaiKmsState *) card.display->state)->connector_id, FAKE_HDMI);
  card_stop (&card);
  ck_assert_int_eq (card_open (&card, CARD ",connector=VGA-1"), 0);
  ck_assert_uint_eq (((const BaiKmsState *) card.display->state)->connector_id, FAKE_VGA);
  card_finish (&card);
}
END_TEST

START_TEST (a_card_with_another_master_is_busy)
{
  Card card;
  card_init (&card);
  fake_kms_ready (&card.fake);
  card.fake.master_is_other = true;
  card_refused (&card, CARD, -EBUSY, "another program (a desktop, another player) is its master");
  card_finish (&card);
}
END_TEST

START_TEST (auto_is_the_first_card_with_a_screen)
{
  Card card;
  card_init (&card);
  card_start (&card, "auto");
  ck_assert_str_eq (card.info->name, "fakekms");
  card_stop (&card);
  ck_assert_int_eq (card_open (&card, NULL), -EINVAL);
  card.fake.absent = true; /* and no framebuffer either */
  card_refused (&card, "auto", -ENODEV, "virtual:1280x720");
  card_finish (&card);
}
END_TEST

/* ---- formats and pages ----------------------------------------------------------------------------------------- */

START_TEST (the_best_format_that_the_driver_takes_is_used)
{
  Card card;
  card_init (&card);
  card_start (&card, CARD);
  ck_assert_uint_eq (card.info->layout.fourcc, DRM_FORMAT_XRGB8888);
  ck_assert_uint_eq (card.info->layout.stride_bytes[0], 800);
  card_stop (&card);
  card.fake.refuse_bpp = 32; /* no such buffers */
  ck_assert_int_eq (card_open (&card, CARD), 0);
  ck_assert_uint_eq (card.info->layout.fourcc, DRM_FORMAT_RGB565);
  card_stop (&card);
  card.fake.refuse_bpp = 0;
  card.fake.refuse_test = DRM_FORMAT_XRGB8888; /* buffers, but not on this screen */
  ck_assert_int_eq (card_open (&card, CARD), 0);
  ck_assert_uint_eq (card.info->layout.fourcc, DRM_FORMAT_RGB565);
  card_stop (&card);
  card.fake.refuse_bpp = 16;
  card_refused (&card, CARD, -ENOTSUP, "shows nothing that we can draw");
  card_finish (&card);
}
END_TEST

START_TEST (the_pitch_is_the_drivers_and_the_planes_follow_it)
{
  Card card;
  card_init (&card);
  card.fake.pitch_align = 256;
  card.options.fourcc = DRM_FORMAT_NV12;
  card_start (&card, CARD);
  const BaLayout *layout = &card.info->layout;
  ck_assert_uint_eq (layout->fourcc, DRM_FORMAT_NV12);
  ck_assert_uint_eq (layout->n_planes, 2);
  ck_assert_uint_eq (layout->stride_bytes[0], 256);
  ck_assert_uint_eq (layout->stride_bytes[1], 256);
  ck_assert_uint_eq (layout->offset_bytes[1], 256 * 128); /* below the picture is room for a codec's blocks */
  ck_assert_uint_eq (card.info->page_bytes, (256 * 192 + 4095) / 4096 * 4096);
  ck_assert_int_eq (ba_display_clear (card.display, 0), 0);
  BaBlock block;
  ck_assert_int_eq (ba_display_get_page (card.display, 0, &block), 0);
  const uint8_t *page = block.data;
  ck_assert_uint_eq (page[0], 16); /* black, not green */
  ck_assert_uint_eq (page[256 * 128 - 1], 16);
  ck_assert_uint_eq (page[256 * 128], 128);
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_uint_eq (fake_kms_shown (&card.fake, FAKE_PRIMARY)->fourcc, DRM_FORMAT_NV12);
  card_stop (&card);
  card.options.fourcc = DRM_FORMAT_YUV420;
  ck_assert_int_eq (card_open (&card, CARD), 0);
  ck_assert_uint_eq (card.info->layout.n_planes, 3);
  ck_assert_uint_eq (card.info->layout.stride_bytes[2], 128);
  ck_assert_uint_eq (card.info->layout.offset_bytes[2], 256 * 128 + 128 * 64);
  card_finish (&card);
}
END_TEST

START_TEST (formats_are_those_of_the_plane)
{
  Card card;
  card_init (&card);
  card_start (&card, CARD);
  ck_assert (ba_display_supports_format (card.display, DRM_FORMAT_NV12));
  ck_assert (ba_display_supports_format (card.display, DRM_FORMAT_RGB565));
  ck_assert (!ba_display_supports_format (card.display, DRM_FORMAT_P010));
  ck_assert (!ba_display_supports_format (card.display, DRM_FORMAT_ARGB8888)); /* alpha is nobody's to see */
  card_stop (&card);
  card.options.fourcc = DRM_FORMAT_P010;
  card_refused (&card, CARD, -ENOTSUP, "cannot show the format P010");
  card_finish (&card);
}
END_TEST

START_TEST (pages_are_memory_side_by_side_and_fewer_where_there_is_less)
{
  Card card;
  card_init (&card);
  card.options.pages = 8;
  card.fake.most_dumbs = 3;
  card_start (&card, CARD);
  ck_assert_uint_eq (card.info->n_pages, 3);
  for (unsigned i = 0; i < 3; i++) {
    BaBlock block;
    ck_assert_int_eq (ba_display_get_page (card.display, i, &block), 0);
    ck_assert_uint_ge (block.size_bytes, 800 * 100);
    memset (block.data, (int) i + 1, block.size_bytes);
  }
  for (unsigned i = 0; i < 3; i++) { /* each its own */
    BaBlock block;
    ck_assert_int_eq (ba_display_get_page (card.display, i, &block), 0);
    ck_assert_uint_eq (((const uint8_t *) block.data)[block.size_bytes - 1], i + 1);
  }
  card_finish (&card);
}
END_TEST

START_TEST (a_page_that_is_held_stays_mapped_behind_the_close)
{
  Card card;
  card_init (&card);
  card_start (&card, CARD);
  BaBuffer *page = acquire (card.pool);
  ba_display_close (card.display);
  ck_assert_int_eq (card.fake.n_open, 0); /* the next one may have the card */
  ck_assert (!card.fake.is_master);
  ck_assert_int_eq (card.fake.n_mapped, 1);
  memset (ba_buffer_get_data (page), 1, 800 * 100);
  ba_buffer_unref (page);
  card_finish (&card);
}
END_TEST

START_TEST (a_page_is_given_to_others_as_a_dmabuf)
{
  Card card;
  int fd;
  card_init (&card);
  card_start (&card, CARD);
  ck_assert_int_eq (ba_display_export_page (card.display, card.info->n_pages, &fd), -EINVAL);
  ck_assert_int_eq (ba_display_export_page (card.display, 3, &fd), 0);
  ck_assert_int_ge (fd, 0);
  close (fd);
  card.fake.no_export = true;
  ck_assert_int_eq (ba_display_export_page (card.display, 3, &fd), -ENOTSUP);
  ck_assert_int_eq (fd, -1);
  ba_display_close (card.display);
  ck_assert_int_eq (ba_display_export_page (card.display, 3, &fd), -ESHUTDOWN);
  card_finish (&card);
}
END_TEST

/* ---- which calls ----------------------------------------------------------------------------------------------- */

START_TEST (atomic_that_is_not_there_is_done_without_or_refused)
{
  Card card;
  card_init (&card);
  card.fake.no_atomic = true;
  card_start (&card, CARD);
  ck_assert_int_eq (card_flip (&card), 0);
  ck_assert_uint_eq (card.fake.n_modesets, 1);
  card_stop (&card);
  ck_assert (fake_kms_is_restored (&card.fake));
  card.options.kms_api = BA_KMS_ATOMIC;
  card_refused (&card, CARD, -ENOTSUP, "fakekms has no atomic mode setting");
  card_finish (&card);
}
END_TEST

START_TEST (a_card_of_the_application_is_used_and_left_open)
{
  Card card;
  card_init (&card);
  fake_kms_ready (&card.fake);
  card.options.has_fd = true;
  card.options.fd = fake_kms_open_fd (&card.fake);
  ck_assert_int_eq (card_open (&card, "/dev/fb0"), -EINVAL);
  ck_assert_msg (card_open (&card, NULL) == 0, "%s", card.error.message);
  ck_assert_str_eq (card.info->kind, "kms");
  card_stop (&card);
  ck_assert (card.fake.is_master); /* as it was given */
  card_finish (&card);
}
END_TEST

/* ---- failing --------------------------------------------------------------------------------------------------- */

/* Whichever call fails while a display is opened, shown on and closed: nothing is left behind. */
static unsigned
fail_each_call (BaKmsApi api, const char *device)
{
  unsigned n_opened = 0;
  for (unsigned n = 1;; n++) {
    Card card;
    card_init (&card);
    card.options.kms_api = api;
    card.fake.fail_nth = n;
    card.fake.fail_errno = EIO;
    fake_kms_ready (&card.fake);
    if (card_open (&card, device) == 0) {
      BaSpec spec = { .name = "pages" };
      BaConfig config = { .display = card.display };
      n_opened++;
      ck_assert_int_eq (ba_allocator_new_with_config (BA_TYPE_FRAMEBUFFER, &config, NULL, &card.allocator), 0);
      if (card.info->n_pages >= 3) {
        ck_assert_int_eq (ba_allocator_build_pool (card.allocator, &spec, &card.pool), 0);
        for (int i = 0; i < 3; i++)
          (void) card_flip (&card);
      }
    } else {
      ck_assert_str_ne (card.error.message, "");
    }
    bool failed = card.fake.failed;
    card_finish (&card);
    if (!failed)
      return n_opened;
  }
}

START_TEST (a_call_that_fails_leaves_nothing_behind)
{
  ck_assert_uint_gt (fail_each_call (BA_KMS_AUTO, CARD), 1);
  ck_assert_uint_gt (fail_each_call (BA_KMS_LEGACY, CARD), 1);
  ck_assert_uint_gt (fail_each_call (BA_KMS_AUTO, CARD ",plane=42"), 1);
  ck_assert_uint_gt (fail_each_call (BA_KMS_AUTO, "auto"), 1);
}
END_TEST

RUN ("kms", the_connected_screen_and_its_preferred_mode_are_taken, a_mode_is_chosen_by_size_and_rate,
     what_does_not_fit_is_answered_with_what_there_is, what_there_is_is_told_to_the_last_mode,
     what_there_is_can_be_asked_for_in_vain, a_headset_is_shown_on_where_it_is_asked_for_alone,
     a_card_with_another_master_is_busy, auto_is_the_first_card_with_a_screen, the_best_format_that_the_driver_takes_is_used,
     the_pitch_is_the_drivers_and_the_planes_follow_it, formats_are_those_of_the_plane,
     pages_are_memory_side_by_side_and_fewer_where_there_is_less, a_page_is_given_to_others_as_a_dmabuf,
     a_page_that_is_held_stays_mapped_behind_the_close, atomic_that_is_not_there_is_done_without_or_refused,
     a_card_of_the_application_is_used_and_left_open, a_call_that_fails_leaves_nothing_behind)
