/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * watcher.c: starts the watcher, and what it does.
 *
 * It is forked twice: the process in between ends at once and is waited for by its number, so that the application has
 * no child more, sees no signal and finds no zombie. The application may have any number of threads, one of them in the
 * middle of malloc: from the fork on nothing is called that is not safe in a signal handler, with one reservation: the
 * table of calls is used on, which is the real system's outside of tests.
 *
 * All signals are blocked from before the fork on, and stay so: none of the application's handlers can run there, and
 * neither Ctrl-C nor a hang-up nor a SIGTERM for the whole service ends it before it has done its work. It stays in the
 * player's session, in a process group of its own: the right to switch a terminal comes with the session, and only a
 * process that leads no group can begin a new one (console.c).
 */
#include "watcher-private.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Without close_range (Linux before 5.9) descriptors are closed one by one, up to the limit, but to this one at most. */
#define MOST_FDS_ONE_BY_ONE 65536

typedef struct
{
  const BaDeviceCalls *calls;
  int end;
  int fb_fd;
  bool can_pan;
  const struct fb_var_screeninfo *var;
  const BaiConsole *console;
} Watch;

int
bai_put_mode_back (const BaDeviceCalls *calls, int fb_fd, const struct fb_var_screeninfo *saved, bool can_pan)
{
  struct fb_var_screeninfo var = *saved; /* the driver writes what it made of it */
  var.activate = FB_ACTIVATE_NOW;
  if (calls->ioctl (calls->ctx, fb_fd, FBIOPUT_VSCREENINFO, &var) < 0)
    return -errno;
  /* setting a mode does not move the screen with every driver */
  var = *saved;
  var.activate = FB_ACTIVATE_NOW;
  return can_pan && calls->ioctl (calls->ctx, fb_fd, FBIOPAN_DISPLAY, &var) < 0 ? -errno : 0;
}

/* ---- in the watcher ---------------------------------------------------------------------------------------------- */

/* Closes @first and all above it, below @end. */
static void
close_between (unsigned first, unsigned end)
{
  if (first >= end)
    return;
#ifdef SYS_close_range
  if (syscall (SYS_close_range, first, end - 1, 0) == 0)
    return;
#endif
  struct rlimit limit;
  unsigned most = MOST_FDS_ONE_BY_ONE;
  if (getrlimit (RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < most)
    most = (unsigned) limit.rlim_cur;
  for (unsigned fd = first; fd < end && fd < most; fd++)
    close ((int) fd);
}

/* Others wait for the end of files that the application had open, and must not wait for the watcher. */
static void
close_all_but (int a, int b, int c)
{
  unsigned from = 0;
  for (int i = 0; i < 3; i++) {
    unsigned next = UINT32_MAX;
    for (int j = 0; j < 3; j++) {
      int fd = j == 0 ? a : j == 1 ? b : c;
      if (fd >= 0 && (unsigned) fd >= from && (unsigned) fd < next)
        next = (unsigned) fd;
    }
    if (next == UINT32_MAX)
      break;
    close_between (from, next);
    from = next + 1;
  }
  close_between (from, UINT32_MAX);
}

static void
watch (const Watch *w)
{
  char word;
  ssize_t n;
  do
    n = read (w->end, &word, sizeof word);
  while (n < 0 && errno == EINTR);
  if (n != 0)
    return;
  (void) bai_put_mode_back (w->calls, w->fb_fd, w->var, w->can_pan);
  bai_console_give_back_for_dead (w->console, w->calls);
}

/* The process in between. Descriptors are closed here, so that it is done when the application goes on: a lock on a
 * file, say, is then held by the application alone. */
static _Noreturn void
run_between (const Watch *w)
{
  (void) setpgid (0, 0);
  close_all_but (w->end, w->fb_fd, w->console->fd);
  pid_t pid = w->calls->fork (w->calls->ctx);
  if (pid != 0)
    _exit (pid < 0 ? errno : 0);
  (void) prctl (PR_SET_NAME, BAI_WATCHER_NAME);
  int r = chdir ("/"); /* so that what it stands in can be unmounted */
  (void) r;
  watch (w);
  _exit (0);
}

/* ---- in the application ------------------------------------------------------------------------------------------ */

/* Waits for the process in between. Where the application waits for children of any number, or ignores them, there may
 * be none left to wait for: then it has ended, too. */
static int
reap (pid_t pid)
{
  int status = 0;
  pid_t r;
  do
    r = waitpid (pid, &status, __WALL);
  while (r < 0 && errno == EINTR);
  return r == pid && WIFEXITED (status) ? -WEXITSTATUS (status) : 0;
}

int
bai_watcher_start (int *watcher, const BaDeviceCalls *calls, int fb_fd, const struct fb_var_screeninfo *var,
                   bool can_pan, const BaiConsole *console)
{
  sigset_t all, before;
  int ends[2];
  *watcher = -1;
  if (calls->socketpair (calls->ctx, ends) < 0)
    return -errno;

  Watch w = { .calls = calls, .end = ends[1], .fb_fd = fb_fd, .can_pan = can_pan, .var = var, .console = console };
  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &before);
  pid_t pid = calls->fork (calls->ctx);
  if (pid == 0)
    run_between (&w);
  int r = pid < 0 ? -errno : reap (pid);
  pthread_sigmask (SIG_SETMASK, &before, NULL);

  calls->close (calls->ctx, ends[1]);
  if (r < 0) {
    calls->close (calls->ctx, ends[0]);
    return r;
  }
  *watcher = ends[0];
  return 0;
}

void
bai_watcher_dismiss (int *watcher, const BaDeviceCalls *calls)
{
  if (*watcher < 0)
    return;
  (void) send (*watcher, "d", 1, MSG_NOSIGNAL); /* it may have been killed */
  calls->close (calls->ctx, *watcher);
  *watcher = -1;
}
