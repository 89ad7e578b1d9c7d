/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * console.c: which virtual terminal is ours, and its mode.
 *
 * Ours is the terminal that this process runs on (its controlling one, or what its standard input or output is), as
 * long as it is the one on screen. A terminal is no such thing over ssh, in tmux or in a window. Who asks for it by
 * name (BA_CONSOLE_GRAPHICS), as a service without a terminal does, may have the one on screen, where the kernel lets
 * him. A terminal that shows graphics already belongs to somebody who will put it back himself: it is left alone.
 *
 * The kernel lets a process switch a terminal that controls it, or any with CAP_SYS_TTY_CONFIG.
 */
#include "console-private.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fb.h>
#include <linux/kd.h>
#include <linux/major.h>
#include <linux/vt.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "log.h"

#define OWN_TERMINAL "/dev/tty"
#define TERMINAL_ON_SCREEN "/dev/tty0" /* of the moment it is opened, not of later ones */
#define TERMINAL_PATH "/dev/tty%u"
#define PATH_BYTES sizeof (((BaiConsole *) NULL)->path)

static int
tty_ioctl (const BaDeviceCalls *calls, int fd, unsigned long request, void *arg)
{
  return calls->ioctl (calls->ctx, fd, request, arg) < 0 ? -errno : 0;
}

/* Without O_NOCTTY a process that has no terminal would come to be controlled by this one. */
static int
tty_open (const BaDeviceCalls *calls, const char *path)
{
  int fd = calls->open (calls->ctx, path, O_RDWR | O_NOCTTY | O_CLOEXEC, 0);
  return fd < 0 ? -errno : fd;
}

static int
set_mode (const BaDeviceCalls *calls, int fd, int mode)
{
  return tty_ioctl (calls, fd, KDSETMODE, (void *) (uintptr_t) (unsigned) mode);
}

/* N of /dev/ttyN, whatever path it was opened by; 0 = no virtual terminal. */
static unsigned
number_of (const BaDeviceCalls *calls, int fd)
{
  unsigned device = 0; /* packed as the kernel does it */
  if (tty_ioctl (calls, fd, TIOCGDEV, &device) < 0)
    return 0;
  unsigned major_number = device >> 8 & 0xfff;
  unsigned minor_number = (device & 0xff) | (device >> 12 & 0xfff00);
  return major_number == TTY_MAJOR && minor_number <= MAX_NR_CONSOLES ? minor_number : 0;
}

/* The terminal that this process runs on, or a negative errno. */
static int
open_own (const BaDeviceCalls *calls, unsigned *number)
{
  char path[PATH_BYTES];
  int fd = tty_open (calls, OWN_TERMINAL);
  if (fd >= 0) {
    *number = number_of (calls, fd);
    if (*number)
      return fd;
    calls->close (calls->ctx, fd);
  }
  for (int standard_fd = STDIN_FILENO; standard_fd <= STDERR_FILENO; standard_fd++) {
    *number = number_of (calls, standard_fd);
    if (*number) {
      snprintf (path, sizeof path, TERMINAL_PATH, *number);
      return tty_open (calls, path);
    }
  }
  return -ENOTTY;
}

static bool
is_on_screen (const BaDeviceCalls *calls, int fd, unsigned number)
{
  struct vt_stat state = { 0 };
  return tty_ioctl (calls, fd, VT_GETSTATE, &state) == 0 && state.v_active == number;
}

/* Several framebuffers, one console: true where the kernel says that it draws this one's text on another of them. */
static bool
is_drawn_elsewhere (const BaDeviceCalls *calls, int fb_fd, unsigned number)
{
  struct fb_con2fbmap map = { .console = number, .framebuffer = FB_MAX };
  struct stat status;
  if (tty_ioctl (calls, fb_fd, FBIOGET_CON2FBMAP, &map) < 0 || map.framebuffer >= FB_MAX)
    return false; /* none yet, or it does not say */
  return calls->fstat (calls->ctx, fb_fd, &status) == 0 && map.framebuffer != minor (status.st_rdev);
}

/* What is not to be had: an error for who insists, a quiet line for the others. */
static int
refuse (BaConsoleMode wanted, int code, const char *why, BaError *error)
{
  if (wanted == BA_CONSOLE_GRAPHICS)
    return ba_error_set (error, code, "console=graphics: %s", why);
  ba_log (BA_LOG_DEBUG, "console left as it is: %s", why);
  return 0;
}

/* Finds the terminal. 0 and its descriptor in @fd, which is -1 where nothing is to be done. */
static int
find (const BaDeviceCalls *calls, BaConsoleMode wanted, BaError *error, int *fd, unsigned *number, bool *own)
{
  int r = 0;
  const char *why = "this process runs on no virtual terminal (ssh, a service, a window?)";
  *own = true;
  *fd = open_own (calls, number);
  if (*fd >= 0 && !is_on_screen (calls, *fd, *number)) {
    why = "the virtual terminal of this process is not the one on screen";
    calls->close (calls->ctx, *fd);
    *fd = -1;
  }
  if (*fd < 0 && wanted == BA_CONSOLE_GRAPHICS) {
    *own = false;
    *fd = r = tty_open (calls, TERMINAL_ON_SCREEN);
    *number = r >= 0 ? number_of (calls, r) : 0;
    if (r >= 0 && *number == 0) {
      calls->close (calls->ctx, *fd);
      *fd = r = -ENOTTY;
    }
  }
  if (*fd >= 0)
    return 0;
  *fd = -1;
  if (wanted == BA_CONSOLE_GRAPHICS)
    return ba_error_set (error, -ENOTSUP,
                         "console=graphics: %s, and " TERMINAL_ON_SCREEN " cannot be had (%s): start it from the "
                         "console on screen, or as root",
                         why, ba_error_text (r));
  return refuse (wanted, 0, why, error);
}

int
bai_console_take (BaiConsole *console, const BaDeviceCalls *calls, BaConsoleMode wanted, int fb_fd, BaError *error)
{
  unsigned number;
  bool own;
  int fd;
  console->fd = -1;
  if (wanted == BA_CONSOLE_KEEP)
    return 0;
  int r = find (calls, wanted, error, &fd, &number, &own);
  if (fd < 0)
    return r;

  console->mode = KD_TEXT;
  console->leader = getsid (0) == getpid ();
  snprintf (console->path, sizeof console->path, TERMINAL_PATH, number);
  if (is_drawn_elsewhere (calls, fb_fd, number)) {
    ba_log (BA_LOG_DEBUG, "console left as it is: %s is drawn on another framebuffer", console->path);
    goto out;
  }
  r = tty_ioctl (calls, fd, KDGETMODE, &console->mode);
  if (r < 0) {
    r = refuse (wanted, -ENOTSUP, "the terminal does not tell its mode", error);
    goto out;
  }
  if (console->mode == KD_GRAPHICS) {
    if (!own)
      r = refuse (wanted, -EBUSY, "another program shows graphics on the screen's virtual terminal", error);
    goto out;
  }
  r = set_mode (calls, fd, KD_GRAPHICS);
  if (r < 0) {
    r = refuse (wanted, -ENOTSUP,
                "no permission: start the program from the console's own shell, or with CAP_SYS_TTY_CONFIG", error);
    goto out;
  }
  console->fd = fd;
  return 0;

out:
  calls->close (calls->ctx, fd);
  return r;
}

void
bai_console_give_back (BaiConsole *console, const BaDeviceCalls *calls)
{
  if (console->fd < 0)
    return;
  int r = set_mode (calls, console->fd, console->mode);
  calls->close (calls->ctx, console->fd);
  console->fd = -1;
  if (r == -EIO) /* its session has ended, and whoever has the terminal now sets it up for himself */
    ba_log (BA_LOG_INFO, "%s was hung up: its mode is not put back", console->path);
  else if (r < 0)
    ba_log (BA_LOG_WARNING, "cannot put %s back to text: %s", console->path, ba_error_text (r));
}

void
bai_console_give_back_for_dead (const BaiConsole *console, const BaDeviceCalls *calls)
{
  if (console->fd < 0 || set_mode (calls, console->fd, console->mode) == 0 || !console->leader)
    return;
  /* The leader of a session takes the terminal with it: descriptors of it are dead, and so is the right to switch it.
   * Open it anew; where that right is missed, as the leader of a session of our own, which the terminal then controls.
   * Not when somebody else was faster: the kernel asks him first. */
  int fd = tty_open (calls, console->path);
  if (fd < 0 || set_mode (calls, fd, console->mode) == 0)
    return;
  if (setsid () < 0)
    return;
  fd = calls->open (calls->ctx, console->path, O_RDWR | O_CLOEXEC, 0);
  if (fd < 0)
    return;
  (void) set_mode (calls, fd, console->mode);
  /* let go of it: it would be hung up once more when this process ends, whoever runs on it by then */
  (void) tty_ioctl (calls, fd, TIOCNOTTY, NULL);
}
