/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-fbdev-manners.c: what /dev/fbN does where a driver refuses, lies, or another program changes the mode: each has
 * a way out, and is said once, not with every frame.
 */
#include "fake-screen.h"

#include <semaphore.h>

/* ---- refusals -------------------------------------------------------------------------------------------------- */

/* Opens a device on which one ioctl always fails, shows ten pages, closes. */
static void
play_refused (unsigned long request, int code, int opens, unsigned pages, const char *says)
{
  Screen s;
  Log log = { 0 };
  screen_init (&s);
  s.fake.refuse_request = request;
  s.fake.refuse_errno = code;
  ba_log_set_handler (keep_log, &log);
  int r = screen_open (&s, 3);
  ck_assert_msg (r == opens, "%d: %s", r, s.error.message);
  if (r == 0) {
    ck_assert_uint_eq (s.info->n_pages, pages);
    screen_build (&s);
    for (int i = 0; i < 10; i++)
      show_next (&s, 0);
    ba_display_close (s.display);
    ck_assert_uint_eq (log.n, 1);
    ck_assert_msg (strstr (log.last, says) != NULL, "\"%s\" does not say \"%s\"", log.last, says);
  } else {
    ck_assert_msg (strstr (s.error.message, says) != NULL, "\"%s\" does not say \"%s\"", s.error.message, says);
    ck_assert_uint_eq (log.n, 0);
  }
  ba_log_set_handler (NULL, NULL);
  s.fake.refuse_request = 0;
  screen_finish (&s);
}

START_TEST (a_mode_set_that_is_refused_leaves_the_pages_there_are)
{
  play_refused (FBIOPUT_VSCREENINFO, EINVAL, 0, 1, "1 page: the virtual screen does not grow so far");
  play_refused (FBIOPUT_VSCREENINFO, ENOTTY, 0, 1, "(FBIOPUT_VSCREENINFO)");
  play_refused (FBIOPUT_VSCREENINFO, EBUSY, -EBUSY, 0, "display in use by another program");
}
END_TEST

START_TEST (a_pan_that_is_refused_means_one_page)
{
  play_refused (FBIOPAN_DISPLAY, EINVAL, 0, 1, "1 page: the screen cannot be moved (FBIOPAN_DISPLAY)");
  play_refused (FBIOPAN_DISPLAY, ENOTTY, 0, 1, "1 page: the screen cannot be moved (FBIOPAN_DISPLAY)");
  play_refused (FBIOPAN_DISPLAY, EBUSY, -EBUSY, 0, "display in use by another program");
}
END_TEST

START_TEST (a_vsync_that_is_refused_means_the_clock)
{
  static const int codes[] = { EBUSY, EINVAL, ENOTTY };
  for (size_t i = 0; i < N_ELEMENTS (codes); i++)
    play_refused (FBIO_WAITFORVSYNC, codes[i], 0, 3, "waiting for a vsync does not work here, the clock paces");
}
END_TEST

/* A driver that comes back from a wait for a vsync only when the test lets it. */
typedef struct
{
  Screen screen;
  atomic_bool waiting;
  sem_t let_go;
} Hanging;

static void
hang (void *user)
{
  Hanging *h = user;
  h->waiting = true;
  sem_wait (&h->let_go);
}

static int
n_open (FakeDevice *fake)
{
  pthread_mutex_lock (&fake->lock);
  int n = fake->n_open;
  pthread_mutex_unlock (&fake->lock);
  return n;
}

START_TEST (a_vsync_that_never_comes_is_given_up_for_the_clock_and_close_comes_back)
{
  Hanging h = { 0 };
  Log log = { 0 };
  Screen *s = &h.screen;
  sem_init (&h.let_go, 0, 0);
  screen_init (s);
  ck_assert_int_eq (screen_open (s, 3), 0);
  screen_build (s);
  ba_log_set_handler (keep_log, &log);
  for (int i = 0; i < 4; i++)
    show_next (s, 0);
  ck_assert_uint_eq (log.n, 0);
  s->fake.user = &h;
  s->fake.during_vsync = hang;
  for (int i = 0; i < 5; i++)
    show_next (s, 0);
  ck_assert (h.waiting);
  ck_assert (s->display->clock_paced);
  ck_assert_uint_eq (log.n, 1);
  ck_assert_ptr_nonnull (strstr (log.last, "the clock paces"));
  ba_log_set_handler (NULL, NULL);
  screen_close (s);
  ck_assert (fake_device_is_restored (&s->fake));
  ck_assert_int_eq (s->fake.n_mapped, 0);
  ck_assert_int_eq (n_open (&s->fake), 1); /* the thread's own */
  sem_post (&h.let_go);
  while (n_open (&s->fake) > 0)
    sched_yield ();
  screen_finish (s);
}
END_TEST

START_TEST (a_vsync_without_a_descriptor_for_it_means_the_clock)
{
  Screen s;
  screen_init (&s);
  ck_assert_int_eq (screen_open (&s, 3), 0);
  screen_build (&s);
  s.fake.fail_call = FAKE_DUP;
  s.fake.fail_nth = 1;
  s.fake.fail_errno = EMFILE;
  for (int i = 0; i < 5; i++)
    show_next (&s, 0);
  ck_assert (s.fake.failed);
  ck_assert (s.display->clock_paced);
  ck_assert_uint_eq (s.fake.n_vsyncs, 0);
  screen_finish (&s);
}
END_TEST

START_TEST (unblanking_that_is_refused_does_not_matter_but_for_a_master)
{
  static const int codes[] = { EINVAL, ENOTTY, EBUSY };
  for (size_t i = 0; i < N_ELEMENTS (codes); i++) {
    for (unsigned pages = 1; pages <= 3; pages += 2) {
      Screen s;
      screen_init (&s);
      ck_assert_int_eq (screen_open (&s, pages), 0);
      screen_build (&s);
      s.fake.refuse_request = FBIOBLANK;
      s.fake.refuse_errno = codes[i];
      bool in_use = codes[i] == EBUSY;
      show_next (&s, in_use && pages == 1 ? -EBUSY : 0);
      show_next (&s, in_use && pages == 1 ? -EBUSY : 0);
      ck_assert_uint_eq (s.fake.n_refused, in_use ? 2 : 1); /* asked again only while there is a master */
      s.fake.refuse_request = 0;
      show_next (&s, 0);
      ck_assert_uint_eq (s.fake.n_unblanks, in_use ? 1 : 0);
      screen_finish (&s);
    }
  }
}
END_TEST

/* A master comes while frames are shown, and goes. */
START_TEST (flips_that_fail_are_told_once_and_succeed_later)
{
  static const struct
  {
    int code, flip;
  } cases[] = { { EBUSY, -EBUSY },     { EINVAL, -ENOTSUP }, { ENOTTY, -ENOTSUP },
                { ENOSPC, -ENOTSUP }, { EIO, -EIO } };
  for (size_t i = 0; i < N_ELEMENTS (cases); i++) {
    Screen s;
    Log log = { 0 };
    screen_init (&s);
    ck_assert_int_eq (screen_open (&s, 3), 0);
    screen_build (&s);
    show_next (&s, 0);
    ba_log_set_handler (keep_log, &log);
    s.fake.refuse_request = FBIOPAN_DISPLAY;
    s.fake.refuse_errno = cases[i].code;
    for (int n = 0; n < 5; n++)
      show_next (&s, cases[i].flip);
    ck_assert_uint_eq (log.n, 1);
    ck_assert_ptr_nonnull (strstr (log.last, "cannot show a page"));
    s.fake.refuse_request = 0;
    for (int n = 0; n < 5; n++)
      show_next (&s, 0);
    ck_assert_uint_eq (log.n, 1);
    ba_log_set_handler (NULL, NULL);
    BaDisplayStats stats;
    ba_display_get_stats (s.display, &stats);
    ck_assert_uint_eq (stats.flips, 6);
    screen_finish (&s);
  }
}
END_TEST

START_TEST (a_master_that_stays_until_close_is_told_once)
{
  Screen s;
  Log log = { 0 };
  screen_init (&s);
  s.fake.put_stays = true; /* else setting the mode would move the screen back, and nothing were amiss */
  s.fake.var.yres_virtual = 2 * 48;
  s.fake.var.yoffset = 48;
  ck_assert_int_eq (screen_open (&s, 3), 0);
  screen_build (&s);
  show_next (&s, 0);
  s.fake.refuse_request = FBIOPAN_DISPLAY;
  s.fake.refuse_errno = EBUSY;
  ba_log_set_handler (keep_log, &log);
  ba_display_close (s.display);
  ck_assert_uint_eq (log.n, 1);
  ck_assert_ptr_nonnull (strstr (log.last, "cannot put its mode back"));
  ba_log_set_handler (NULL, NULL);
  s.fake.var = s.fake.first_var;
  screen_finish (&s);
}
END_TEST

START_TEST (a_device_with_all_that_was_asked_for_has_nothing_to_say)
{
  static const unsigned pages[] = { 0, 1, 3, 4 };
  for (size_t n = 0; n < N_ELEMENTS (pages); n++) {
    Screen s;
    Log log = { 0 };
    ba_log_set_handler (keep_log, &log);
    screen_init (&s);
    ck_assert_int_eq (screen_open (&s, pages[n]), 0);
    screen_build (&s);
    for (int i = 0; i < 5; i++)
      show_next (&s, 0);
    screen_finish (&s);
    ba_log_set_handler (NULL, NULL);
    ck_assert_msg (log.n == 0, "%s", log.last);
  }
}
END_TEST

START_TEST (growing_that_only_says_yes_is_told)
{
  Screen s;
  Log log = { 0 };
  ba_log_set_handler (keep_log, &log);
  screen_init (&s);
  s.fake.grow = FAKE_GROW_LIED;
  ck_assert_int_eq (screen_open (&s, 3), 0);
  ba_log_set_handler (NULL, NULL);
  ck_assert_uint_eq (log.n, 1);
  ck_assert_ptr_nonnull (strstr (log.last, "1 page: its memory or its driver has no more"));
  screen_finish (&s);
}
END_TEST

/* ---- another program's mode ------------------------------------------------------------------------------------ */

typedef void (*Change) (FakeDevice *fake);

static void
change_width (FakeDevice *fake)
{
  fake->var.xres = 32;
}

static void
change_height (FakeDevice *fake)
{
  fake->var.yres = 24;
}

static void
change_format (FakeDevice *fake)
{
  fake->var.red.offset = 0;
  fake->var.blue.offset = 16;
}

static void
change_bits (FakeDevice *fake)
{
  fake->var.bits_per_pixel = 16;
}

static void
change_stride (FakeDevice *fake)
{
  fake->fix.line_length += 64;
}

static void
change_visual (FakeDevice *fake)
{
  fake->fix.visual = FB_VISUAL_DIRECTCOLOR;
}

static void
change_memory (FakeDevice *fake)
{
  fake->fix.smem_start += 4096;
}

static void
shrink (FakeDevice *fake)
{
  fake->var.yoffset = 0;
  fake->var.yres_virtual = 48;
}

START_TEST (a_mode_that_another_program_has_changed_is_noticed_and_left_alone)
{
  static const Change changes[] = { change_width,  change_height, change_format, change_bits,
                                    change_stride, change_visual, change_memory, shrink };
  for (size_t i = 0; i < N_ELEMENTS (changes); i++) {
    Screen s;
    Log log = { 0 };
    screen_init (&s);
    s.fake.var.yoffset = 0;
    ck_assert_int_eq (screen_open (&s, 3), 0);
    screen_build (&s);
    ck_assert_int_eq (ba_display_check_mode (s.display), 0);
    show_next (&s, 0);
    show_next (&s, 0);
    ck_assert_int_eq (ba_display_check_mode (s.display), 0); /* our own flips are no change */
    changes[i](&s.fake);
    ck_assert_int_eq (ba_display_check_mode (s.display), 1);
    struct fb_var_screeninfo theirs = s.fake.var;
    unsigned puts = s.fake.n_puts, pans = s.fake.n_pans;
    ba_log_set_handler (keep_log, &log);
    ba_display_close (s.display);
    ba_log_set_handler (NULL, NULL);
    ck_assert_uint_eq (log.n, 1);
    ck_assert_ptr_nonnull (strstr (log.last, "another program has changed the mode"));
    ck_assert_uint_eq (s.fake.n_puts, puts);
    ck_assert_uint_eq (s.fake.n_pans, pans);
    ck_assert (memcmp (&s.fake.var, &theirs, sizeof theirs) == 0);
    ck_assert_int_eq (ba_display_check_mode (s.display), -ESHUTDOWN);
    s.fake.var = s.fake.first_var;
    screen_finish (&s);
  }
}
END_TEST

START_TEST (a_mode_that_came_back_is_ours_again)
{
  Screen s;
  screen_init (&s);
  ck_assert_int_eq (screen_open (&s, 3), 0);
  struct fb_var_screeninfo ours = s.fake.var;
  change_width (&s.fake);
  ck_assert_int_eq (ba_display_check_mode (s.display), 1);
  s.fake.var = ours;
  s.fake.var.yres_virtual = 4 * 48; /* with more room than we need */
  s.fake.var.xoffset = 0;
  ck_assert_int_eq (ba_display_check_mode (s.display), 0);
  screen_finish (&s); /* and it is put back */
}
END_TEST

START_TEST (a_mode_that_cannot_be_read_is_no_answer)
{
  static const unsigned long requests[] = { FBIOGET_VSCREENINFO, FBIOGET_FSCREENINFO };
  for (size_t i = 0; i < N_ELEMENTS (requests); i++) {
    Screen s;
    screen_init (&s);
    ck_assert_int_eq (screen_open (&s, 3), 0);
    s.fake.refuse_request = requests[i];
    s.fake.refuse_errno = ENODEV;
    ck_assert_int_eq (ba_display_check_mode (s.display), -ENODEV);
    ba_display_close (s.display); /* what cannot be asked is put back */
    ck_assert (fake_device_is_restored (&s.fake));
    s.fake.refuse_request = 0;
    screen_finish (&s);
  }
}
END_TEST

START_TEST (nobody_changes_a_virtual_display)
{
  BaDisplay *display;
  ck_assert_int_eq (ba_display_open ("virtual:8x8", NULL, NULL, &display), 0);
  ck_assert_int_eq (ba_display_check_mode (display), 0);
  ba_display_close (display);
  ck_assert_int_eq (ba_display_check_mode (display), -ESHUTDOWN);
  ba_display_unref (display);
}
END_TEST

START_TEST (what_happens_to_the_console_is_kept_for_those_who_do_it)
{
  static const BaConsoleMode modes[] = { BA_CONSOLE_AUTO, BA_CONSOLE_KEEP, BA_CONSOLE_GRAPHICS };
  for (size_t i = 0; i < N_ELEMENTS (modes); i++) {
    BaDisplay *display;
    BaDisplayOptions options = { .console = modes[i] };
    ck_assert_int_eq (ba_display_open ("virtual:8x8", &options, NULL, &display), 0);
    ck_assert_int_eq (display->console, modes[i]);
    ba_display_unref (display);
  }
}
END_TEST

RUN ("fbdev-manners", a_mode_set_that_is_refused_leaves_the_pages_there_are, a_pan_that_is_refused_means_one_page,
     a_vsync_that_is_refused_means_the_clock,
     a_vsync_that_never_comes_is_given_up_for_the_clock_and_close_comes_back,
     a_vsync_without_a_descriptor_for_it_means_the_clock, unblanking_that_is_refused_does_not_matter_but_for_a_master,
     flips_that_fail_are_told_once_and_succeed_later, a_master_that_stays_until_close_is_told_once,
     a_device_with_all_that_was_asked_for_has_nothing_to_say, growing_that_only_says_yes_is_told,
     a_mode_that_another_program_has_changed_is_noticed_and_left_alone, a_mode_that_came_back_is_ours_again,
     a_mode_that_cannot_be_read_is_no_answer, nobody_changes_a_virtual_display,
     what_happens_to_the_console_is_kept_for_those_who_do_it)
