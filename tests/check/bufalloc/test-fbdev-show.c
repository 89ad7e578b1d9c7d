/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-fbdev-show.c: what /dev/fbN does once it is open: panning, vsync, and how it is left, also when something fails.
 */
#include "fake-screen.h"

/* ---- showing --------------------------------------------------------------------------------------------------- */

START_TEST (a_flip_pans_to_the_page)
{
  Screen s;
  screen_init (&s);
  ck_assert_int_eq (screen_open (&s, 3), 0);
  screen_build (&s);
  for (int i = 0; i < 7; i++) {
    unsigned number = show_next (&s, 0);
    ck_assert_uint_eq (s.fake.var.yoffset, number * 48);
  }
  ck_assert_uint_eq (s.fake.n_unblanks, 1);
  screen_finish (&s);
}
END_TEST

START_TEST (one_page_is_lit_once_and_never_panned_again)
{
  Screen s;
  screen_init (&s);
  s.fake.grow = FAKE_GROW_REFUSED;
  ck_assert_int_eq (screen_open (&s, 0), 0);
  screen_build (&s);
  unsigned before = s.fake.n_pans;
  show_next (&s, 0);
  ck_assert_uint_eq (s.fake.n_pans, before + 1); /* a DRM framebuffer is dark until then */
  for (int i = 0; i < 3; i++)
    show_next (&s, 0);
  ck_assert_uint_eq (s.fake.n_pans, before + 1);
  ck_assert_uint_eq (s.fake.n_unblanks, 1);
  BaDisplayStats stats;
  ba_display_get_stats (s.display, &stats);
  ck_assert_uint_eq (stats.flips, 4);
  ck_assert_uint_eq (stats.waits, 0);
  screen_finish (&s);
}
END_TEST

START_TEST (a_display_of_another_program_is_busy)
{
  Screen s;
  screen_init (&s);
  s.fake.pan = FAKE_PAN_BUSY;
  refused (&s, -EBUSY, "display in use by another program");
  screen_init (&s);
  s.fake.grow = FAKE_GROW_BUSY;
  refused (&s, -EBUSY, "display in use by another program");
  for (unsigned pages = 1; pages <= 3; pages += 2) {
    screen_init (&s);
    ck_assert_int_eq (screen_open (&s, pages), 0);
    screen_build (&s);
    s.fake.pan = FAKE_PAN_BUSY;
    show_next (&s, -EBUSY);
    s.fake.pan = FAKE_PAN_MOVES;
    show_next (&s, 0);
    screen_finish (&s);
  }
}
END_TEST

/* ---- vsync ----------------------------------------------------------------------------------------------------- */

START_TEST (the_period_comes_from_the_mode_when_it_can_be_true)
{
  static const struct
  {
    uint32_t pixclock, left, upper, vmode;
    uint64_t period_ns;
  } cases[] = {
    { 1000000, 36, 52, 0, 10000000 }, /* 100 x 100 pixels of 1 us: 100 Hz */
    { 1000000, 36, 52, FB_VMODE_DOUBLE, 20000000 },
    { 1000000, 36, 52, FB_VMODE_INTERLACED, 5000000 },
    { 0, 36, 52, 0, 16666666 }, /* unknown */
    { 10, 0, 0, 0, 16666666 }, /* what a virtual machine says */
    { UINT32_MAX, UINT32_MAX, UINT32_MAX, 0, 16666666 },
  };
  for (size_t i = 0; i < N_ELEMENTS (cases); i++) {
    Screen s;
    screen_init (&s);
    s.fake.var.pixclock = cases[i].pixclock;
    s.fake.var.left_margin = cases[i].left;
    s.fake.var.upper_margin = cases[i].upper;
    s.fake.var.vmode = cases[i].vmode;
    ck_assert_int_eq (screen_open (&s, 0), 0);
    ck_assert_uint_eq (s.info->period_ns, cases[i].period_ns);
    screen_finish (&s);
  }
}
END_TEST

/* 8 flips in a row: how often the device was asked for a vsync, and whether the clock has taken over. */
static unsigned
flip_eight (Screen *s, FakeVsync vsync)
{
  screen_init (s);
  s->fake.vsync = vsync;
  ck_assert_int_eq (screen_open (s, 3), 0);
  screen_build (s);
  for (int i = 0; i < 8; i++)
    show_next (s, 0);
  return s->fake.n_vsyncs;
}

START_TEST (a_vsync_that_works_paces_the_flips)
{
  Screen s;
  int64_t periods;
  ck_assert_uint_eq (flip_eight (&s, FAKE_VSYNC_CLOCK), 7);
  periods = s.fake.clock_ns / s.fake.period_ns - 1000;
  ck_assert_int_eq (periods, 7);
  ck_assert (!s.display->clock_paced);
  screen_finish (&s);
}
END_TEST

START_TEST (a_vsync_that_returns_at_once_is_given_up_for_the_clock)
{
  Screen s;
  ck_assert_uint_eq (flip_eight (&s, FAKE_VSYNC_INSTANT), 2);
  ck_assert (s.display->clock_paced);
  screen_finish (&s);
}
END_TEST

START_TEST (a_vsync_that_does_not_exist_is_asked_for_once)
{
  Screen s;
  ck_assert_uint_eq (flip_eight (&s, FAKE_VSYNC_MISSING), 1);
  ck_assert (s.display->clock_paced);
  screen_finish (&s);
}
END_TEST

START_TEST (a_vsync_that_times_out_costs_one_long_wait)
{
  static const struct
  {
    int64_t takes_ns;
    unsigned waits;
  } cases[] = { { 99 * MS, 5 }, { 100 * MS, 1 }, { 10000 * MS, 1 } };
  for (size_t i = 0; i < N_ELEMENTS (cases); i++) {
    for (unsigned before = 0; before <= 6; before += 6) { /* also one that has worked until now */
      Screen s;
      screen_init (&s);
      ck_assert_int_eq (screen_open (&s, 3), 0);
      screen_build (&s);
      for (unsigned n = 0; n <= before; n++)
        show_next (&s, 0);
      ck_assert_uint_eq (s.fake.n_vsyncs, before);
      s.fake.vsync = FAKE_VSYNC_TIMES_OUT;
      s.fake.vsync_takes_ns = cases[i].takes_ns;
      for (int n = 0; n < 5; n++)
        show_next (&s, 0);
      ck_assert_uint_eq (s.fake.n_vsyncs, before + cases[i].waits);
      ck_assert_int_eq (s.display->clock_paced, cases[i].waits == 1);
      screen_finish (&s);
    }
  }
}
END_TEST

static void
let_time_pass (void *user)
{
  FakeDevice *fake = user;
  fake->clock_ns += fake->vsync_takes_ns;
}

START_TEST (a_flip_that_is_held_up_past_a_vsync_is_counted)
{
  static const struct
  {
    int percent; /* of a period, before the wait for the vsync begins */
    unsigned missed;
  } cases[] = { { 10, 0 }, { 90, 0 }, { 160, 1 }, { 300, 1 } };
  for (size_t i = 0; i < N_ELEMENTS (cases); i++) {
    Screen s;
    BaDisplayStats stats;
    screen_init (&s);
    ck_assert_int_eq (screen_open (&s, 3), 0);
    screen_build (&s);
    s.fake.user = &s.fake;
    s.fake.vsync_takes_ns = s.fake.period_ns * cases[i].percent / 100;
    show_next (&s, 0);
    s.fake.during_vsync = let_time_pass;
    show_next (&s, 0);
    s.fake.during_vsync = NULL;
    show_next (&s, 0);
    ba_display_get_stats (s.display, &stats);
    ck_assert_uint_eq (stats.waits, 2);
    ck_assert_uint_eq (stats.vsyncs_missed, cases[i].missed);
    screen_finish (&s);
  }
}
END_TEST

START_TEST (one_quick_vsync_is_luck_and_the_next_one_is_waited_for)
{
  Screen s;
  screen_init (&s);
  ck_assert_int_eq (screen_open (&s, 3), 0);
  screen_build (&s);
  show_next (&s, 0);
  for (unsigned lucky = 1; lucky <= 2; lucky++) {
    s.fake.clock_ns += s.fake.period_ns - 1000; /* the vsync is due, but the period is not quite over */
    show_next (&s, 0);
    ck_assert_uint_eq (s.fake.n_vsyncs, 2 * lucky);
    ck_assert (!s.display->clock_paced);
  }
  screen_finish (&s);
}
END_TEST

START_TEST (a_pan_that_blocks_until_the_vsync_does_not_halve_the_rate)
{
  Screen s;
  screen_init (&s);
  s.fake.pan = FAKE_PAN_BLOCKS;
  ck_assert_int_eq (screen_open (&s, 3), 0);
  screen_build (&s);
  for (int i = 0; i < 10; i++)
    show_next (&s, 0);
  int64_t before_ns = s.fake.clock_ns;
  for (int i = 0; i < 20; i++) {
    s.fake.clock_ns += i % 2 * 100000; /* drawing takes its time, not always the same */
    show_next (&s, 0);
  }
  ck_assert_int_eq ((s.fake.clock_ns - before_ns) / s.fake.period_ns, 20);
  screen_finish (&s);
}
END_TEST

/* ---- leaving --------------------------------------------------------------------------------------------------- */

START_TEST (the_whole_mode_is_put_back_at_close)
{
  Screen s;
  screen_init (&s);
  s.fake.var.yres_virtual = 2 * 48;
  s.fake.var.yoffset = 48;
  s.fake.var.width = 320;
  ck_assert_int_eq (screen_open (&s, 4), 0);
  screen_build (&s);
  for (int i = 0; i < 3; i++)
    show_next (&s, 0);
  ck_assert (!fake_device_is_restored (&s.fake));
  ba_display_close (s.display);
  ck_assert (fake_device_is_restored (&s.fake)); /* although it is mapped still */
  ck_assert_int_eq (s.fake.n_mapped, 1);
  screen_finish (&s);
}
END_TEST

START_TEST (a_screen_that_no_mode_set_moves_is_panned_back)
{
  Screen s;
  screen_init (&s);
  s.fake.put_stays = true;
  s.fake.var.yres_virtual = 2 * 48;
  s.fake.var.yoffset = 48;
  ck_assert_int_eq (screen_open (&s, 4), 0);
  screen_build (&s);
  ck_assert_uint_ne (show_next (&s, 0), 1);
  screen_finish (&s);
}
END_TEST

/* Newer DRM framebuffers move by the difference to where they believe to be, and a mode set changes what they believe
 * without moving. Whoever puts the mode back first leaves the console on another page for good. */
START_TEST (a_screen_that_moves_by_differences_is_moved_back_before_its_mode_is_set)
{
  static const uint32_t starts[] = { 0, 48, 20 };
  for (size_t i = 0; i < N_ELEMENTS (starts); i++) {
    Screen s;
    screen_init (&s);
    s.fake.moves_by_difference = true;
    s.fake.var.yres_virtual = 3 * 48;
    s.fake.fix.smem_len = 3 * PAGE_BYTES;
    s.fake.var.yoffset = starts[i];
    for (int run = 0; run < 3; run++) { /* what one run leaves wrong, the next one meets */
      ck_assert_int_eq (screen_open (&s, run == 1 ? 0 : 3), 0);
      screen_build (&s);
      for (int n = 0; n < 4 + run; n++) {
        unsigned number = show_next (&s, 0);
        ck_assert_int_eq (s.fake.shown_row, number * 48);
      }
      screen_close (&s);
      ck_assert_int_eq (s.fake.shown_row, starts[i]);
    }
    screen_finish (&s);
  }
}
END_TEST

START_TEST (the_last_unref_puts_the_mode_back_too)
{
  Screen s;
  screen_init (&s);
  ck_assert_int_eq (screen_open (&s, 0), 0);
  ba_display_unref (s.display);
  s.display = NULL;
  screen_finish (&s);
}
END_TEST

START_TEST (a_mode_that_cannot_be_put_back_is_warned_of)
{
  Screen s;
  unsigned warnings = 0;
  ba_log_set_handler (count_warnings, &warnings);
  screen_init (&s);
  ck_assert_int_eq (screen_open (&s, 0), 0);
  s.fake.fixed_mode = true;
  ba_display_close (s.display);
  ck_assert_uint_eq (warnings, 1);
  ba_log_set_handler (NULL, NULL);
  s.fake.var = s.fake.first_var;
  screen_finish (&s);
}
END_TEST

/* Fails the first call, then the second, and so on: what open cannot do without is an error, and whatever came of it,
 * the device is as it was. */
START_TEST (every_failed_open_leaves_the_device_as_it_was)
{
  static const int codes[] = { EIO, EINVAL, EBUSY, ENOMEM, ENOTTY };
  for (size_t c = 0; c < N_ELEMENTS (codes); c++) {
    bool failed = true;
    unsigned refusals = 0, n;
    for (n = 1; failed; n++) {
      Screen s;
      screen_init (&s);
      s.fake.var.yres_virtual = 2 * 48;
      s.fake.var.yoffset = 20;
      s.fake.fail_call = FAKE_ANY;
      s.fake.fail_nth = n;
      s.fake.fail_errno = codes[c];
      int r = screen_open (&s, 4);
      failed = s.fake.failed;
      if (r < 0) {
        refusals++;
        ck_assert (failed);
        ck_assert_ptr_null (s.display);
        ck_assert_str_ne (s.error.message, "");
        ck_assert_int_eq (s.fake.n_open, 0);
        ck_assert_int_eq (s.fake.n_mapped, 0);
        ck_assert (fake_device_is_restored (&s.fake));
      }
      s.fake.fail_nth = 0;
      screen_finish (&s);
    }
    ck_assert_uint_gt (refusals, 4);
    ck_assert_uint_gt (n, 8);
  }
}
END_TEST

START_TEST (every_failed_show_leaves_the_device_restorable)
{
  for (unsigned n = 1; n < 6; n++) {
    Screen s;
    screen_init (&s);
    ck_assert_int_eq (screen_open (&s, 3), 0);
    screen_build (&s);
    s.fake.fail_call = FAKE_IOCTL;
    s.fake.fail_nth = s.fake.counts[FAKE_IOCTL] + n;
    s.fake.fail_errno = EIO;
    for (int i = 0; i < 6; i++) {
      BaBuffer *buffer = acquire (s.pool);
      int r = ba_display_flip (s.display, buffer, NULL);
      ck_assert (r == 0 || r == -EIO);
      ba_buffer_unref (buffer);
    }
    ck_assert (s.fake.failed);
    screen_finish (&s);
  }
}
END_TEST

START_TEST (a_device_that_is_not_there_says_what_to_do)
{
  Screen s;
  screen_init (&s);
  s.fake.absent = true;
  refused (&s, -ENODEV, "no such device: /dev/fb0 (try virtual:1280x720, or see ls /dev/fb*)");
  screen_init (&s);
  s.fake.fail_call = FAKE_OPEN;
  s.fake.fail_nth = 1;
  s.fake.fail_errno = EACCES;
  refused (&s, -EACCES, "add the user to group video");
  BaDisplay *display;
  BaError error;
  ck_assert_int_eq (ba_display_open ("/dev/null", NULL, &error, &display), -ENODEV);
  ck_assert_ptr_nonnull (strstr (error.message, "/dev/null is no framebuffer device"));
}
END_TEST

START_TEST (auto_is_the_first_framebuffer_or_names_the_virtual_one)
{
  Screen s;
  screen_init (&s);
  fake_device_ready (&s.fake);
  ck_assert_int_eq (bai_display_open_with_calls ("auto", NULL, &s.fake.calls, &s.error, &s.display), 0);
  ck_assert_str_eq (ba_display_get_info (s.display)->kind, "fbdev");
  ck_assert_str_eq (ba_display_get_info (s.display)->name, "fakefb");
  screen_close (&s);
  s.fake.absent = true;
  ck_assert_int_eq (bai_display_open_with_calls ("auto", NULL, &s.fake.calls, &s.error, &s.display), -ENODEV);
  ck_assert_ptr_nonnull (strstr (s.error.message, "virtual:1280x720"));
  s.fake.absent = false;
  s.fake.pan = FAKE_PAN_BUSY; /* it is there, and the reason is a better one */
  ck_assert_int_eq (bai_display_open_with_calls ("auto", NULL, &s.fake.calls, &s.error, &s.display), -EBUSY);
  screen_finish (&s);
}
END_TEST

RUN ("fbdev-show", a_flip_pans_to_the_page, one_page_is_lit_once_and_never_panned_again,
     a_display_of_another_program_is_busy, the_period_comes_from_the_mode_when_it_can_be_true,
     a_vsync_that_works_paces_the_flips, a_vsync_that_returns_at_once_is_given_up_for_the_clock,
     a_vsync_that_does_not_exist_is_asked_for_once, a_vsync_that_times_out_costs_one_long_wait,
     a_flip_that_is_held_up_past_a_vsync_is_counted, one_quick_vsync_is_luck_and_the_next_one_is_waited_for,
     a_pan_that_blocks_until_the_vsync_does_not_halve_the_rate, the_whole_mode_is_put_back_at_close,
     a_screen_that_no_mode_set_moves_is_panned_back,
     a_screen_that_moves_by_differences_is_moved_back_before_its_mode_is_set, the_last_unref_puts_the_mode_back_too,
     a_mode_that_cannot_be_put_back_is_warned_of, every_failed_open_leaves_the_device_as_it_was,
     every_failed_show_leaves_the_device_restorable, a_device_that_is_not_there_says_what_to_do,
     auto_is_the_first_framebuffer_or_names_the_virtual_one)
