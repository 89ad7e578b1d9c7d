/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-watcher.c: the process that puts a screen back when the player is dead. What it puts back is a word in a pipe
 * here, and nobody has to wait for a time to pass: the pipe's end comes when both player and watcher are gone.
 */
#include "test-support.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bufalloc/watcher-private.h>

/* Seen by the test, the player, the process in between and the watcher. */
typedef struct
{
  atomic_int forks;
  atomic_int pids[2]; /* what the forks gave: the process in between, the watcher */
  int failing_fork; /* from 1; 0 = none */
  bool failing_pair;
  atomic_int n_open;
} Shared;

typedef struct
{
  Shared *shared;
  BaDeviceCalls calls;
  int told[2]; /* a pipe: what was put back */
  int watcher;
} Fixture;

static pid_t
noting_fork (void *ctx)
{
  Shared *shared = ctx;
  int i = shared->forks++;
  if (i + 1 == shared->failing_fork) {
    errno = EAGAIN;
    return -1;
  }
  pid_t pid = bai_device_calls.fork (NULL);
  if (pid > 0 && i < 2)
    shared->pids[i] = pid;
  return pid;
}

static int
noting_pair (void *ctx, int ends[2])
{
  Shared *shared = ctx;
  if (shared->failing_pair) {
    errno = EMFILE;
    return -1;
  }
  shared->n_open += 2;
  return bai_device_calls.socketpair (NULL, ends);
}

static int
noting_close (void *ctx, int fd)
{
  Shared *shared = ctx;
  shared->n_open--;
  return close (fd);
}

static void
setup (Fixture *f)
{
  f->shared = mmap (NULL, sizeof *f->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ck_assert_ptr_ne (f->shared, MAP_FAILED);
  f->calls = bai_device_calls;
  f->calls.ctx = f->shared;
  f->calls.fork = noting_fork;
  f->calls.socketpair = noting_pair;
  f->calls.close = noting_close;
  f->watcher = -1;
  ck_assert_int_eq (pipe2 (f->told, O_CLOEXEC), 0);
}

static void
finish (Fixture *f)
{
  close (f->told[0]);
  ck_assert_int_eq (f->shared->n_open, 0);
  munmap (f->shared, sizeof *f->shared);
}

static void
tell (void *user)
{
  const Fixture *f = user;
  if (write (f->told[1], "back", 4) != 4)
    _exit (1);
}

static int
start (Fixture *f)
{
  BaiWatch watch = { .put_back = tell, .user = f, .fds = { -1, f->told[1] } };
  return bai_watcher_start (&f->watcher, &f->calls, &watch);
}

/* All that comes out of a pipe until nobody holds its other end any more. */
static const char *
read_to_end (int fd)
{
  static char text[64];
  size_t n = 0;
  ssize_t r;
  while ((r = read (fd, text + n, sizeof text - 1 - n)) > 0)
    n += (size_t) r;
  ck_assert_int_eq (r, 0);
  text[n] = 0;
  return text;
}

/* A process in a group of its own that has started a watcher, and waits to be killed. */
static pid_t
start_player (Fixture *f)
{
  int ready[2];
  char word;
  ck_assert_int_eq (pipe (ready), 0);
  pid_t pid = fork ();
  ck_assert_int_ge (pid, 0);
  if (pid == 0) {
    setpgid (0, 0);
    for (int i = 1; i < SIGRTMIN; i++)
      signal (i, SIG_DFL); /* check has handlers for some, which end the test; the sanitizers for others */
    if (start (f) < 0 || write (ready[1], "r", 1) != 1)
      _exit (1);
    for (;;)
      pause ();
  }
  close (ready[1]);
  ck_assert_int_eq (read (ready[0], &word, 1), 1);
  close (ready[0]);
  close (f->told[1]);
  return pid;
}

static void
end_player (Fixture *f, pid_t pid, int with)
{
  int status;
  ck_assert_int_eq (kill (-pid, with), 0);
  ck_assert_int_eq (waitpid (pid, &status, 0), pid);
  ck_assert (WIFSIGNALED (status) && WTERMSIG (status) == with);
  f->shared->n_open -= 1; /* the player's end of the pair went with it */
}

START_TEST (what_a_killed_player_left_is_put_back)
{
  static const int ends[] = { SIGKILL, SIGTERM, SIGINT, SIGHUP, SIGSEGV, SIGABRT };
  for (size_t i = 0; i < N_ELEMENTS (ends); i++) {
    Fixture f;
    setup (&f);
    pid_t pid = start_player (&f);
    end_player (&f, pid, ends[i]);
    ck_assert_str_eq (read_to_end (f.told[0]), "back");
    finish (&f);
  }
}
END_TEST

START_TEST (a_player_that_exits_without_a_word_counts_as_dead)
{
  Fixture f;
  setup (&f);
  pid_t pid = fork ();
  ck_assert_int_ge (pid, 0);
  if (pid == 0)
    _exit (start (&f) < 0);
  close (f.told[1]);
  ck_assert_int_eq (waitpid (pid, NULL, 0), pid);
  f.shared->n_open -= 1;
  ck_assert_str_eq (read_to_end (f.told[0]), "back");
  finish (&f);
}
END_TEST

START_TEST (a_dismissed_watcher_touches_nothing)
{
  Fixture f;
  setup (&f);
  ck_assert_int_eq (start (&f), 0);
  close (f.told[1]);
  bai_watcher_dismiss (&f.watcher, &f.calls);
  ck_assert_int_eq (f.watcher, -1);
  ck_assert_str_eq (read_to_end (f.told[0]), "");
  bai_watcher_dismiss (&f.watcher, &f.calls); /* nothing to do */
  finish (&f);
}
END_TEST

START_TEST (no_signal_but_the_last_one_ends_a_watcher)
{
  static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE, SIGALRM, SIGUSR1, SIGTSTP, SIGTTOU };
  Fixture f;
  setup (&f);
  pid_t pid = start_player (&f);
  for (size_t i = 0; i < N_ELEMENTS (signals); i++)
    ck_assert_int_eq (kill (f.shared->pids[1], signals[i]), 0);
  end_player (&f, pid, SIGKILL);
  ck_assert_str_eq (read_to_end (f.told[0]), "back");
  finish (&f);
}
END_TEST

START_TEST (a_watcher_is_in_the_session_but_leads_nothing_and_is_in_no_group_of_the_player)
{
  Fixture f;
  setup (&f);
  ck_assert_int_eq (start (&f), 0);
  pid_t pid = f.shared->pids[1];
  ck_assert_int_eq (getsid (pid), getsid (0));
  ck_assert_int_ne (getpgid (pid), getpgid (0));
  ck_assert_int_ne (getpgid (pid), pid);
  close (f.told[1]);
  bai_watcher_dismiss (&f.watcher, &f.calls);
  ck_assert_str_eq (read_to_end (f.told[0]), "");
  finish (&f);
}
END_TEST

/* Whoever waits for the end of a file of the application would else wait for the watcher, too. */
START_TEST (a_watcher_holds_nothing_open_but_what_it_needs)
{
  Fixture f;
  int low[2], high[2];
  setup (&f);
  ck_assert_int_eq (pipe (low), 0);
  ck_assert_int_eq (pipe (high), 0);
  int far_fd = fcntl (high[1], F_DUPFD, 300);
  ck_assert_int_ge (far_fd, 300);
  close (high[1]);
  ck_assert_int_eq (start (&f), 0);
  close (low[1]);
  close (far_fd);
  close (f.told[1]);
  ck_assert_str_eq (read_to_end (low[0]), "");
  ck_assert_str_eq (read_to_end (high[0]), "");
  ck_assert_int_eq (kill (f.shared->pids[1], 0), 0); /* it lives: it was not its end that closed them */
  bai_watcher_dismiss (&f.watcher, &f.calls);
  ck_assert_str_eq (read_to_end (f.told[0]), "");
  close (low[0]);
  close (high[0]);
  finish (&f);
}
END_TEST

START_TEST (a_watcher_can_be_told_by_its_name_and_keeps_no_folder_busy)
{
  Fixture f;
  char path[64], name[32] = "", folder[8] = "";
  setup (&f);
  ck_assert_int_eq (start (&f), 0);
  /* it names itself after it was started, and there is no way to see that but to look again */
  do {
    snprintf (path, sizeof path, "/proc/%d/comm", f.shared->pids[1]);
    FILE *comm = fopen (path, "r");
    ck_assert_ptr_nonnull (comm);
    ck_assert_ptr_nonnull (fgets (name, sizeof name, comm));
    fclose (comm);
    snprintf (path, sizeof path, "/proc/%d/cwd", f.shared->pids[1]);
    ssize_t length = readlink (path, folder, sizeof folder - 1);
    ck_assert_int_ge (length, 1);
    folder[length] = 0;
    sched_yield ();
  } while (strcmp (name, BAI_WATCHER_NAME "\n") != 0 || strcmp (folder, "/") != 0);
  close (f.told[1]);
  bai_watcher_dismiss (&f.watcher, &f.calls);
  ck_assert_str_eq (read_to_end (f.told[0]), "");
  finish (&f);
}
END_TEST

static volatile sig_atomic_t n_child_signals;

static void
count_signal (int number)
{
  (void) number;
  n_child_signals++;
}

START_TEST (the_application_sees_no_child_no_signal_and_no_zombie)
{
  Fixture f;
  setup (&f);
  signal (SIGCHLD, count_signal);
  ck_assert_int_eq (start (&f), 0);
  close (f.told[1]);
  bai_watcher_dismiss (&f.watcher, &f.calls);
  ck_assert_str_eq (read_to_end (f.told[0]), "");
#ifndef __SANITIZE_THREAD__ /* an ordinary fork there */
  ck_assert_int_eq (n_child_signals, 0);
#endif
  ck_assert_int_eq (waitpid (-1, NULL, WNOHANG | __WALL), -1);
  ck_assert_int_eq (errno, ECHILD);
  finish (&f);
}
END_TEST

START_TEST (an_application_that_ignores_its_children_has_a_watcher_too)
{
  Fixture f;
  setup (&f);
  signal (SIGCHLD, SIG_IGN);
  ck_assert_int_eq (start (&f), 0);
  close (f.told[1]);
  bai_watcher_dismiss (&f.watcher, &f.calls);
  ck_assert_str_eq (read_to_end (f.told[0]), "");
  finish (&f);
}
END_TEST

START_TEST (the_signals_of_the_application_are_as_they_were)
{
  Fixture f;
  sigset_t before, after;
  setup (&f);
  sigemptyset (&before);
  sigaddset (&before, SIGUSR2);
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  ck_assert_int_eq (start (&f), 0);
  pthread_sigmask (SIG_SETMASK, NULL, &after);
  for (int i = 1; i < SIGRTMIN; i++)
    ck_assert_int_eq (sigismember (&after, i), i == SIGUSR2);
  close (f.told[1]);
  bai_watcher_dismiss (&f.watcher, &f.calls);
  ck_assert_str_eq (read_to_end (f.told[0]), "");
  finish (&f);
}
END_TEST

START_TEST (a_watcher_that_was_killed_itself_does_no_harm)
{
  Fixture f;
  setup (&f);
  ck_assert_int_eq (start (&f), 0);
  close (f.told[1]);
  ck_assert_int_eq (kill (f.shared->pids[1], SIGKILL), 0);
  ck_assert_str_eq (read_to_end (f.told[0]), ""); /* it is dead: no SIGPIPE now */
  bai_watcher_dismiss (&f.watcher, &f.calls);
  finish (&f);
}
END_TEST

START_TEST (what_cannot_be_started_leaves_nothing)
{
  for (int fork_number = 0; fork_number <= 2; fork_number++) {
    Fixture f;
    setup (&f);
    f.shared->failing_fork = fork_number;
    f.shared->failing_pair = fork_number == 0;
    ck_assert_int_eq (start (&f), fork_number == 0 ? -EMFILE : -EAGAIN);
    ck_assert_int_eq (f.watcher, -1);
    ck_assert_int_eq (waitpid (-1, NULL, WNOHANG | __WALL), -1);
    close (f.told[1]);
    ck_assert_str_eq (read_to_end (f.told[0]), "");
    finish (&f);
  }
}
END_TEST

START_TEST (two_watchers_do_not_keep_each_other)
{
  Fixture a, b;
  setup (&a);
  setup (&b);
  ck_assert_int_eq (start (&a), 0);
  close (a.told[1]);
  ck_assert_int_eq (start (&b), 0);
  close (b.told[1]);
  a.calls.close (a.calls.ctx, a.watcher); /* without a word: were the other watcher to hold this end, nothing came */
  ck_assert_str_eq (read_to_end (a.told[0]), "back");
  bai_watcher_dismiss (&b.watcher, &b.calls);
  ck_assert_str_eq (read_to_end (b.told[0]), "");
  finish (&a);
  finish (&b);
}
END_TEST

RUN ("watcher", what_a_killed_player_left_is_put_back, a_player_that_exits_without_a_word_counts_as_dead,
     a_dismissed_watcher_touches_nothing, no_signal_but_the_last_one_ends_a_watcher,
     a_watcher_is_in_the_session_but_leads_nothing_and_is_in_no_group_of_the_player,
     a_watcher_holds_nothing_open_but_what_it_needs, a_watcher_can_be_told_by_its_name_and_keeps_no_folder_busy,
     the_application_sees_no_child_no_signal_and_no_zombie, an_application_that_ignores_its_children_has_a_watcher_too,
     the_signals_of_the_application_are_as_they_were, a_watcher_that_was_killed_itself_does_no_harm,
     what_cannot_be_started_leaves_nothing, two_watchers_do_not_keep_each_other)
