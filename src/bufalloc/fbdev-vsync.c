/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fbdev-vsync.c: waits for the vsync of a framebuffer, and finds out whether it can be waited for.
 *
 * The call cannot be interrupted, and some drivers never return from it while the output is off. So a thread of its own
 * makes it, on a descriptor of its own, and the flip waits for the thread, with a deadline. A thread that does not come
 * back is left alone: it ends when its call does, touches nothing of the display, and closes its descriptor. Between
 * two waits the thread sleeps; close ends it.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "fbdev-private.h"

/* A vsync wait is trusted after this many that took their time, and given up after this many in a row that did not. */
#define VSYNC_PROVEN 3
#define VSYNC_INSTANT 2
/* A wait that took this many periods, and at least this long, is the last one: the output may be off. */
#define VSYNC_LATE_PERIODS 3
#define VSYNC_LATE_NS 100000000
/* A wait that has not ended after this time is not waited for any longer. Far above the one before, so that a machine
 * which is merely busy is not taken for a driver that hangs. */
#define VSYNC_LOST_NS INT64_C (1000000000)

struct BaiFbVsync
{
  const BaDeviceCalls *calls;
  int fd; /* the thread's own; it closes it */
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  /* lock */
  bool asked; /* for a vsync that has not come yet */
  bool quit;
  bool lost; /* nobody waits for the thread: it frees this */
  int result;
  int64_t took_ns;
};

/* ---- the thread ------------------------------------------------------------------------------------------------ */

static void
free_vsync (BaiFbVsync *vsync)
{
  pthread_cond_destroy (&vsync->changed);
  pthread_mutex_destroy (&vsync->lock);
  free (vsync);
}

static void *
vsync_main (void *data)
{
  BaiFbVsync *vsync = data;
  const BaDeviceCalls *calls = vsync->calls;
  pthread_mutex_lock (&vsync->lock);
  while (!vsync->quit) {
    if (!vsync->asked) {
      pthread_cond_wait (&vsync->changed, &vsync->lock);
      continue;
    }
    pthread_mutex_unlock (&vsync->lock);
    uint32_t crtc = 0;
    int64_t began_ns = calls->now_ns (calls->ctx);
    int r = calls->ioctl (calls->ctx, vsync->fd, FBIO_WAITFORVSYNC, &crtc) < 0 ? -errno : 0;
    int64_t took_ns = calls->now_ns (calls->ctx) - began_ns;
    pthread_mutex_lock (&vsync->lock);
    vsync->result = r;
    vsync->took_ns = took_ns;
    vsync->asked = false;
    pthread_cond_broadcast (&vsync->changed);
  }
  bool lost = vsync->lost;
  pthread_mutex_unlock (&vsync->lock);
  int fd = vsync->fd;
  if (lost)
    free_vsync (vsync);
  calls->close (calls->ctx, fd);
  return NULL;
}

static int
init_waiting (BaiFbVsync *vsync)
{
  pthread_condattr_t attr;
  int r = pthread_condattr_init (&attr);
  if (r != 0)
    return -r;
  pthread_condattr_setclock (&attr, CLOCK_MONOTONIC);
  r = pthread_cond_init (&vsync->changed, &attr);
  pthread_condattr_destroy (&attr);
  if (r != 0)
    return -r;
  r = pthread_mutex_init (&vsync->lock, NULL);
  if (r != 0)
    pthread_cond_destroy (&vsync->changed);
  return -r;
}

/* The program's signals are for the program's threads. */
static int
create_thread (BaiFbVsync *vsync)
{
  sigset_t all, before;
  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &before);
  int r = pthread_create (&vsync->thread, NULL, vsync_main, vsync);
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  return -r;
}

static BaiFbVsync *
start (const BaDisplay *display)
{
  const BaDeviceCalls *calls = display->calls;
  BaiFbVsync *vsync = calloc (1, sizeof *vsync);
  if (!vsync)
    return NULL;
  if (init_waiting (vsync) < 0) {
    free (vsync);
    return NULL;
  }
  vsync->calls = calls;
  vsync->fd = calls->dup (calls->ctx, ((const BaiFbState *) display->state)->fd);
  if (vsync->fd >= 0 && create_thread (vsync) == 0)
    return vsync;
  if (vsync->fd >= 0)
    calls->close (calls->ctx, vsync->fd);
  free_vsync (vsync);
  return NULL;
}

void
bai_fb_end_vsync (BaDisplay *display)
{
  BaiFbState *state = display->state;
  BaiFbVsync *vsync = state->vsync;
  if (!vsync)
    return;
  state->vsync = NULL;
  pthread_mutex_lock (&vsync->lock);
  vsync->quit = true;
  pthread_cond_broadcast (&vsync->changed);
  pthread_mutex_unlock (&vsync->lock);
  pthread_join (vsync->thread, NULL); /* it sleeps: one that hangs is not ours any more */
  free_vsync (vsync);
}

/* ---- waiting --------------------------------------------------------------------------------------------------- */

/* Lets the thread make the call. -ETIMEDOUT = it has not come back, and belongs to itself now. */
static int
ask (BaiFbVsync *vsync, int64_t *took_ns)
{
  struct timespec deadline;
  int64_t deadline_ns = bai_device_calls.now_ns (NULL) + VSYNC_LOST_NS; /* the condition's clock, not a test's */
  deadline.tv_sec = deadline_ns / 1000000000;
  deadline.tv_nsec = deadline_ns % 1000000000;

  pthread_mutex_lock (&vsync->lock);
  vsync->asked = true;
  pthread_cond_broadcast (&vsync->changed);
  int r = 0;
  while (vsync->asked && r == 0)
    r = -pthread_cond_timedwait (&vsync->changed, &vsync->lock, &deadline);
  bool lost = vsync->asked;
  if (lost) {
    vsync->quit = vsync->lost = true;
    pthread_detach (vsync->thread);
  }
  *took_ns = vsync->took_ns;
  r = lost ? -ETIMEDOUT : vsync->result;
  pthread_mutex_unlock (&vsync->lock);
  return r;
}

/* Many drivers have this call and return from it at once. Pacing on those would spin, so the first few are measured: a
 * quick one may be luck (the vsync was due), a second one right after it cannot be. Others wait for a time-out of their
 * own when the output is off, so that every flip would take as long: one such wait is enough. */
int
bai_fb_wait_vsync (BaDisplay *display)
{
  BaiFbState *state = display->state;
  if (!state->vsync)
    state->vsync = start (display);
  if (!state->vsync)
    return -ENOTSUP;
  for (;;) {
    int64_t took_ns;
    int r = ask (state->vsync, &took_ns);
    if (r == -ETIMEDOUT)
      state->vsync = NULL;
    if (r < 0)
      return -ENOTSUP;
    if (took_ns >= VSYNC_LATE_NS && took_ns >= VSYNC_LATE_PERIODS * (int64_t) display->info.period_ns)
      return -ENOTSUP;
    if (state->slow_vsyncs >= VSYNC_PROVEN)
      return 0;
    if (took_ns >= (int64_t) display->info.period_ns / 8) {
      state->slow_vsyncs++;
      state->instant_vsyncs = 0;
      return 0;
    }
    if (++state->instant_vsyncs >= VSYNC_INSTANT)
      return -ENOTSUP;
  }
}
