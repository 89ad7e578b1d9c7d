/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * watcher.c: starts the watcher, and what it does.
 *
 * It is forked twice: the process in between ends at once and is waited for by its number, so that the application has
 * no child more, sees no signal and finds no zombie. The application may have any number of threads, one of them in the
 * middle of malloc: from the fork on nothing is called that is not safe in a signal handler.
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
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Without close_range (Linux before 5.9) descriptors are closed one by one, up to the limit, but to this one at most. */
#define MOST_FDS_ONE_BY_ONE 65536

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

/* The lowest of the descriptors to keep that is not below @from; UINT32_MAX = none. */
static unsigned
next_kept (const int *fds, unsigned n_fds, unsigned from)
{
  unsigned next = UINT32_MAX;
  for (unsigned i = 0; i < n_fds; i++) {
    if (fds[i] >= 0 && (unsigned) fds[i] >= from && (unsigned) fds[i] < next)
      next = (unsigned) fds[i];
  }
  return next;
}

/* Others wait for the end of files that the application had open, and must not wait for the watcher. */
static void
close_all_but (const int *fds, unsigned n_fds)
{
  unsigned from = 0, kept;
  while ((kept = next_kept (fds, n_fds, from)) != UINT32_MAX) {
    close_between (from, kept);
    from = kept + 1;
  }
  close_between (from, UINT32_MAX);
}

/* True when the player has died without a word. */
static bool
wait_for_end (int end)
{
  char word;
  ssize_t n;
  do
    n = read (end, &word, sizeof word);
  while (n < 0 && errno == EINTR);
  return n == 0;
}

/* The process in between. Descriptors are closed here, so that it is done when the application goes on: a lock on a
 * file, say, is then held by the application alone. */
static _Noreturn void
run_between (const BaDeviceCalls *calls, const BaiWatch *watch, int end)
{
  (void) setpgid (0, 0);
  int kept[BAI_WATCHER_MAX_FDS + 1] = { end };
  memcpy (kept + 1, watch->fds, sizeof watch->fds);
  close_all_but (kept, BAI_WATCHER_MAX_FDS + 1);
  pid_t pid = calls->fork (calls->ctx);
  if (pid != 0)
    _exit (pid < 0 ? errno : 0);
  (void) prctl (PR_SET_NAME, BAI_WATCHER_NAME);
  int r = chdir ("/"); /* so that what it stands in can be unmounted */
  (void) r;
  if (wait_for_end (end))
    watch->put_back (watch->user);
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
bai_watcher_start (int *watcher, const BaDeviceCalls *calls, const BaiWatch *watch)
{
  sigset_t all, before;
  int ends[2];
  *watcher = -1;
  if (calls->socketpair (calls->ctx, ends) < 0)
    return -errno;

  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &before);
  pid_t pid = calls->fork (calls->ctx);
  if (pid == 0)
    run_between (calls, watch, ends[1]);
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
