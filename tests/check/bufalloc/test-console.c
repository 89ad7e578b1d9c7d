/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-console.c: which virtual terminal is switched to graphics and back, on a fake device with a fake terminal: alone,
 * and by a display that is opened and closed on it.
 */
#include "fake-screen.h"

#include <fcntl.h>
#include <linux/kd.h>
#include <linux/vt.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bufalloc/console-private.h>

#define VT(n) (4u << 8 | (n))
#define PTY(n) (136u << 8 | (n))

/* The terminals of a machine with one screen; devices are what TIOCGDEV tells, 0 = none. */
typedef struct
{
  unsigned controlling; /* /dev/tty */
  unsigned standard; /* what all three standard descriptors are */
  unsigned on_screen; /* number of the VT that is */
  int mode; /* of any VT */
  int set_code; /* what KDSETMODE ends with */
  bool hung_up; /* what is open now fails, until it is opened anew */
  bool no_right; /* without being the leader of a session */
  unsigned n_sets;
  unsigned n_lettings_go;
  char opened[64]; /* all that was opened */
} Terminals;

static int
open_terminal (Terminals *t, const char *path)
{
  size_t n = strlen (t->opened);
  snprintf (t->opened + n, sizeof t->opened - n, "%s ", path);
  t->hung_up = false;
  if (strcmp (path, "/dev/tty") == 0 && t->controlling == 0)
    return ENXIO;
  return 0;
}

static int
tell_device (const Terminals *t, const char *path, unsigned *device)
{
  unsigned number = 0;
  if (path == NULL)
    *device = t->standard;
  else if (strcmp (path, "/dev/tty") == 0)
    *device = t->controlling;
  else if (strcmp (path, "/dev/tty0") == 0)
    *device = t->on_screen ? VT (t->on_screen) : 0;
  else if (sscanf (path, "/dev/tty%u", &number) == 1)
    *device = VT (number);
  return *device ? 0 : ENOTTY;
}

static int
answer (void *user, const char *path, unsigned long request, void *arg)
{
  Terminals *t = user;
  if (request == 0)
    return open_terminal (t, path);
  if (t->hung_up)
    return EIO;
  switch (request) {
    case TIOCGDEV:
      return tell_device (t, path, arg);
    case VT_GETSTATE:
      ((struct vt_stat *) arg)->v_active = (unsigned short) t->on_screen;
      return 0;
    case KDGETMODE:
      *(int *) arg = t->mode;
      return 0;
    case KDSETMODE:
      t->n_sets++;
      if (t->set_code == 0 && t->no_right && getsid (0) != getpid ())
        return EPERM;
      if (t->set_code == 0)
        t->mode = (int) (uintptr_t) arg;
      return t->set_code;
    case TIOCNOTTY:
      t->n_lettings_go++;
      return 0;
    default:
      return ENOTTY;
  }
}

/* A console on VT 2, this process on it. */
static const Terminals at_the_console = { .controlling = VT (2), .standard = VT (2), .on_screen = 2 };

typedef struct
{
  Screen screen;
  Terminals terminals;
  BaiConsole console;
  int fb_fd;
} Fixture;

static void
setup (Fixture *f, const Terminals *terminals)
{
  screen_init (&f->screen);
  f->terminals = *terminals;
  f->screen.fake.tty_ioctl = answer;
  f->screen.fake.user = &f->terminals;
  fake_device_ready (&f->screen.fake);
  f->fb_fd = f->screen.fake.calls.open (&f->screen.fake, FAKE_FB_PATH, 0, 0);
  ck_assert_int_ge (f->fb_fd, 0);
}

static int
take_console (Fixture *f, BaConsoleMode wanted)
{
  f->screen.error.message[0] = 0;
  return bai_console_take (&f->console, &f->screen.fake.calls, wanted, f->fb_fd, &f->screen.error);
}

static void
finish (Fixture *f)
{
  bai_console_give_back (&f->console, &f->screen.fake.calls);
  ck_assert_int_eq (f->console.fd, -1);
  f->screen.fake.calls.close (&f->screen.fake, f->fb_fd);
  screen_finish (&f->screen);
}

/* ---- which terminal -------------------------------------------------------------------------------------------- */

START_TEST (the_terminal_of_this_process_is_taken_and_given_back)
{
  for (int wanted = BA_CONSOLE_AUTO; wanted <= BA_CONSOLE_GRAPHICS; wanted += BA_CONSOLE_GRAPHICS) {
    Fixture f;
    setup (&f, &at_the_console);
    ck_assert_int_eq (take_console (&f, (BaConsoleMode) wanted), 0);
    ck_assert_int_ge (f.console.fd, 0);
    ck_assert_str_eq (f.console.path, "/dev/tty2");
    ck_assert_int_eq (f.terminals.mode, KD_GRAPHICS);
    ck_assert (f.screen.fake.last_open_flags & O_CLOEXEC);
    ck_assert (f.screen.fake.last_open_flags & O_NOCTTY);
    finish (&f);
    ck_assert_int_eq (f.terminals.mode, KD_TEXT);
    ck_assert_uint_eq (f.terminals.n_sets, 2);
  }
}
END_TEST

START_TEST (keep_asks_nothing)
{
  Fixture f;
  setup (&f, &at_the_console);
  unsigned before = f.screen.fake.counts[FAKE_IOCTL];
  ck_assert_int_eq (take_console (&f, BA_CONSOLE_KEEP), 0);
  ck_assert_uint_eq (f.screen.fake.counts[FAKE_IOCTL], before);
  ck_assert_str_eq (f.terminals.opened, "");
  finish (&f);
}
END_TEST

START_TEST (a_standard_input_on_a_terminal_will_do)
{
  static const unsigned controlling[] = { 0, PTY (3) };
  for (size_t i = 0; i < N_ELEMENTS (controlling); i++) {
    Fixture f;
    Terminals t = { .controlling = controlling[i], .standard = VT (7), .on_screen = 7 };
    setup (&f, &t);
    ck_assert_int_eq (take_console (&f, BA_CONSOLE_AUTO), 0);
    ck_assert_str_eq (f.terminals.opened, "/dev/tty /dev/tty7 ");
    ck_assert_int_eq (f.terminals.mode, KD_GRAPHICS);
    finish (&f);
    ck_assert_int_eq (f.terminals.mode, KD_TEXT);
  }
}
END_TEST

/* ssh, a service, a console that is not the one on screen, a serial line: text stays, nobody complains. */
START_TEST (auto_leaves_a_terminal_that_is_not_ours_without_a_warning)
{
  static const Terminals cases[] = {
    { .controlling = PTY (0), .standard = PTY (0), .on_screen = 1 },
    { .controlling = PTY (1 << 12), .standard = 0, .on_screen = 1 }, /* a large minor number */
    { .controlling = 0, .standard = 0, .on_screen = 1 },
    { .controlling = VT (2), .standard = VT (2), .on_screen = 1 },
    { .controlling = VT (64), .standard = VT (64), .on_screen = 64 }, /* ttyS0 */
  };
  for (size_t i = 0; i < N_ELEMENTS (cases); i++) {
    Fixture f;
    unsigned warnings = 0;
    setup (&f, &cases[i]);
    ba_log_set_handler (count_warnings, &warnings);
    ck_assert_int_eq (take_console (&f, BA_CONSOLE_AUTO), 0);
    ba_log_set_handler (NULL, NULL);
    ck_assert_int_eq (f.console.fd, -1);
    ck_assert_uint_eq (f.terminals.n_sets, 0);
    ck_assert_uint_eq (warnings, 0);
    ck_assert_int_eq (f.screen.fake.n_open, 1);
    finish (&f);
  }
}
END_TEST

START_TEST (graphics_may_have_the_terminal_on_screen)
{
  static const Terminals cases[] = {
    { .controlling = 0, .standard = 0, .on_screen = 1 },
    { .controlling = VT (7), .standard = VT (7), .on_screen = 1 },
  };
  for (size_t i = 0; i < N_ELEMENTS (cases); i++) {
    Fixture f;
    setup (&f, &cases[i]);
    ck_assert_int_eq (take_console (&f, BA_CONSOLE_GRAPHICS), 0);
    ck_assert_str_eq (f.console.path, "/dev/tty1");
    ck_assert_int_eq (f.terminals.mode, KD_GRAPHICS);
    finish (&f);
    ck_assert_int_eq (f.terminals.mode, KD_TEXT);
  }
}
END_TEST

START_TEST (graphics_that_cannot_be_had_is_an_error_that_says_why)
{
  static const struct
  {
    Terminals terminals;
    int code;
    const char *says;
  } cases[] = {
    { { .controlling = PTY (0) }, -ENOTSUP, "runs on no virtual terminal" },
    { { .controlling = VT (2) }, -ENOTSUP, "not the one on screen" },
    { { .on_screen = 1, .mode = KD_GRAPHICS }, -EBUSY, "another program shows graphics" },
    { { .on_screen = 1, .set_code = EPERM }, -ENOTSUP, "CAP_SYS_TTY_CONFIG" },
    { { .controlling = VT (1), .on_screen = 1, .set_code = EPERM }, -ENOTSUP, "CAP_SYS_TTY_CONFIG" },
  };
  for (size_t i = 0; i < N_ELEMENTS (cases); i++) {
    Fixture f;
    setup (&f, &cases[i].terminals);
    ck_assert_int_eq (take_console (&f, BA_CONSOLE_GRAPHICS), cases[i].code);
    ck_assert_ptr_nonnull (strstr (f.screen.error.message, "console=graphics: "));
    ck_assert_msg (strstr (f.screen.error.message, cases[i].says) != NULL, "%s", f.screen.error.message);
    ck_assert_int_eq (f.console.fd, -1);
    ck_assert_int_eq (f.screen.fake.n_open, 1);
    finish (&f);
  }
}
END_TEST

START_TEST (a_terminal_in_graphics_mode_is_left_to_who_has_set_it)
{
  for (int wanted = BA_CONSOLE_AUTO; wanted <= BA_CONSOLE_GRAPHICS; wanted++) {
    Fixture f;
    setup (&f, &at_the_console);
    f.terminals.mode = KD_GRAPHICS;
    ck_assert_int_eq (take_console (&f, (BaConsoleMode) wanted), 0);
    finish (&f);
    ck_assert_uint_eq (f.terminals.n_sets, 0);
    ck_assert_int_eq (f.terminals.mode, KD_GRAPHICS);
  }
}
END_TEST

START_TEST (a_console_on_another_framebuffer_is_left_alone)
{
  for (int wanted = BA_CONSOLE_AUTO; wanted <= BA_CONSOLE_GRAPHICS; wanted++) {
    Fixture f;
    setup (&f, &at_the_console);
    f.screen.fake.console_fb = 1;
    ck_assert_int_eq (take_console (&f, (BaConsoleMode) wanted), 0);
    ck_assert_uint_eq (f.terminals.n_sets, 0);
    finish (&f);
    setup (&f, &at_the_console);
    f.screen.fake.console_fb = UINT32_MAX; /* on none so far: the kernel says -1 */
    ck_assert_int_eq (take_console (&f, (BaConsoleMode) wanted), 0);
    ck_assert_uint_eq (f.terminals.n_sets, wanted != BA_CONSOLE_KEEP);
    finish (&f);
  }
}
END_TEST

START_TEST (each_call_that_fails_leaves_the_terminal_as_it_was)
{
  for (int wanted = BA_CONSOLE_AUTO; wanted <= BA_CONSOLE_GRAPHICS; wanted += BA_CONSOLE_GRAPHICS) {
    bool failed = true;
    unsigned n;
    for (n = 1; failed; n++) {
      Fixture f;
      setup (&f, &at_the_console);
      memset (f.screen.fake.counts, 0, sizeof f.screen.fake.counts);
      f.screen.fake.fail_call = FAKE_ANY;
      f.screen.fake.fail_nth = n;
      f.screen.fake.fail_errno = EIO;
      int r = take_console (&f, (BaConsoleMode) wanted);
      failed = f.screen.fake.failed;
      ck_assert (r == 0 || (failed && wanted == BA_CONSOLE_GRAPHICS));
      ck_assert_int_eq (f.screen.fake.n_open, 1 + (f.console.fd >= 0));
      ck_assert_int_eq (f.terminals.mode, f.console.fd >= 0 ? KD_GRAPHICS : KD_TEXT);
      f.screen.fake.fail_nth = 0;
      finish (&f);
      ck_assert_int_eq (f.terminals.mode, KD_TEXT);
    }
    ck_assert_uint_gt (n, 6);
  }
}
END_TEST

/* ---- giving it back -------------------------------------------------------------------------------------------- */

START_TEST (a_terminal_that_was_hung_up_is_nobody_s_fault)
{
  Fixture f;
  unsigned warnings = 0;
  setup (&f, &at_the_console);
  ck_assert_int_eq (take_console (&f, BA_CONSOLE_AUTO), 0);
  f.terminals.hung_up = true;
  ba_log_set_handler (count_warnings, &warnings);
  finish (&f);
  ck_assert_uint_eq (warnings, 0);
  setup (&f, &at_the_console);
  ck_assert_int_eq (take_console (&f, BA_CONSOLE_AUTO), 0);
  f.terminals.set_code = EPERM;
  finish (&f);
  ba_log_set_handler (NULL, NULL);
  ck_assert_uint_eq (warnings, 1);
}
END_TEST

START_TEST (for_a_dead_leader_the_terminal_is_opened_anew)
{
  Fixture f;
  setup (&f, &at_the_console);
  ck_assert_int_eq (take_console (&f, BA_CONSOLE_AUTO), 0);
  f.terminals.hung_up = true;
  f.console.leader = false;
  bai_console_give_back_for_dead (&f.console, &f.screen.fake.calls);
  ck_assert_int_eq (f.terminals.mode, KD_GRAPHICS); /* its session has ended long ago: somebody else's */
  ck_assert_str_eq (f.terminals.opened, "/dev/tty ");
  f.console.leader = true;
  bai_console_give_back_for_dead (&f.console, &f.screen.fake.calls);
  ck_assert_int_eq (f.terminals.mode, KD_TEXT);
  ck_assert_str_eq (f.terminals.opened, "/dev/tty /dev/tty2 ");
}
END_TEST

/* As the watcher: in the session of a leader, and itself none. */
START_TEST (who_has_no_right_to_the_terminal_begins_a_session_on_it)
{
  Fixture f;
  setup (&f, &at_the_console);
  ck_assert_int_eq (take_console (&f, BA_CONSOLE_AUTO), 0);
  f.terminals.hung_up = true;
  f.terminals.no_right = true;
  f.console.leader = true;
  pid_t pid = fork ();
  ck_assert_int_ge (pid, 0);
  if (pid == 0) {
    bai_console_give_back_for_dead (&f.console, &f.screen.fake.calls);
    bool ok = f.terminals.mode == KD_TEXT && f.terminals.n_lettings_go == 1 && getsid (0) == getpid ()
              && (f.screen.fake.last_open_flags & O_NOCTTY) == 0;
    _exit (ok ? 0 : 1);
  }
  int status;
  ck_assert_int_eq (waitpid (pid, &status, 0), pid);
  ck_assert (WIFEXITED (status) && WEXITSTATUS (status) == 0);
  f.terminals.hung_up = f.terminals.no_right = false;
  finish (&f);
}
END_TEST

/* ---- a display ------------------------------------------------------------------------------------------------- */

static int
open_display (Fixture *f, BaConsoleMode wanted)
{
  BaDisplayOptions options = { .pages = 3, .console = wanted };
  f->screen.fake.calls.close (&f->screen.fake, f->fb_fd);
  f->screen.error.message[0] = 0;
  int r =
      bai_display_open_with_calls (FAKE_FB_PATH, &options, &f->screen.fake.calls, &f->screen.error, &f->screen.display);
  f->screen.info = r == 0 ? ba_display_get_info (f->screen.display) : NULL;
  return r;
}

START_TEST (a_display_has_the_console_from_open_to_close)
{
  Fixture f;
  setup (&f, &at_the_console);
  ck_assert_int_eq (open_display (&f, BA_CONSOLE_AUTO), 0);
  ck_assert_int_eq (f.terminals.mode, KD_GRAPHICS);
  ck_assert_uint_eq (f.screen.fake.counts[FAKE_FORK], 1); /* a watcher */
  ba_display_close (f.screen.display);
  ck_assert_int_eq (f.terminals.mode, KD_TEXT);
  screen_finish (&f.screen);
}
END_TEST

START_TEST (a_display_that_cannot_have_the_console_does_not_open)
{
  Fixture f;
  static const Terminals none = { .on_screen = 0 };
  setup (&f, &none);
  ck_assert_int_eq (open_display (&f, BA_CONSOLE_GRAPHICS), -ENOTSUP);
  ck_assert_ptr_nonnull (strstr (f.screen.error.message, "console=graphics: "));
  screen_finish (&f.screen);
}
END_TEST

START_TEST (a_screen_that_is_not_changed_has_no_watcher)
{
  Fixture f;
  static const Terminals none = { .on_screen = 0 };
  setup (&f, &none);
  f.screen.fake.grow = FAKE_GROW_REFUSED;
  ck_assert_int_eq (open_display (&f, BA_CONSOLE_AUTO), 0);
  ck_assert_uint_eq (f.screen.fake.counts[FAKE_FORK], 0);
  screen_finish (&f.screen);
}
END_TEST

START_TEST (a_display_without_a_watcher_plays_and_says_so_once)
{
  static const FakeCall calls[] = { FAKE_SOCKETPAIR, FAKE_FORK };
  for (size_t i = 0; i < N_ELEMENTS (calls); i++) {
    Fixture f;
    unsigned warnings = 0;
    setup (&f, &at_the_console);
    f.screen.fake.fail_call = calls[i];
    f.screen.fake.fail_nth = 1;
    f.screen.fake.fail_errno = ENOMEM;
    ba_log_set_handler (count_warnings, &warnings);
    ck_assert_int_eq (open_display (&f, BA_CONSOLE_AUTO), 0);
    ba_log_set_handler (NULL, NULL);
    ck_assert_uint_eq (warnings, 1);
    ck_assert_int_eq (f.terminals.mode, KD_GRAPHICS);
    screen_finish (&f.screen);
    ck_assert_int_eq (f.terminals.mode, KD_TEXT);
  }
}
END_TEST

RUN ("console", the_terminal_of_this_process_is_taken_and_given_back, keep_asks_nothing,
     a_standard_input_on_a_terminal_will_do, auto_leaves_a_terminal_that_is_not_ours_without_a_warning,
     graphics_may_have_the_terminal_on_screen, graphics_that_cannot_be_had_is_an_error_that_says_why,
     a_terminal_in_graphics_mode_is_left_to_who_has_set_it, a_console_on_another_framebuffer_is_left_alone,
     each_call_that_fails_leaves_the_terminal_as_it_was, a_terminal_that_was_hung_up_is_nobody_s_fault,
     for_a_dead_leader_the_terminal_is_opened_anew, who_has_no_right_to_the_terminal_begins_a_session_on_it,
     a_display_has_the_console_from_open_to_close, a_display_that_cannot_have_the_console_does_not_open,
     a_screen_that_is_not_changed_has_no_watcher, a_display_without_a_watcher_plays_and_says_so_once)
