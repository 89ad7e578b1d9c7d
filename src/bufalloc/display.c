/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * display.c: which page is on screen, which one is on its way there, and when the one before is free.
 *
 * A page is pending from the moment it is shown until a vsync has passed, then it is current and the one before it is
 * let go. Flips, waits and close are serialised by `busy`, which is owned like a lock but held without one around the
 * hooks of the device. References to pages are dropped only when neither is held: the last one may run foreign
 * callbacks, which may call the display again.
 *
 * current and pending refer to pages, these to their pool, that to its backend, and that to the display: a cycle, which
 * ba_display_close() breaks. It is meant: a page that somebody watches must not be unmapped because its owner forgot.
 */
#include "display.h"

#include <errno.h>
#include <string.h>

#include "buffer.h"
#include "display-private.h"
#include "log.h"

/* A show that takes a quarter of a period has waited for a vsync: one may have been preempted, so many in a row not. */
#define BLOCKED_SHOWS_PROVE 8

/* ---- references ------------------------------------------------------------------------------------------------ */

BaDisplay *
ba_display_ref (BaDisplay *display)
{
  atomic_fetch_add_explicit (&display->refs, 1, memory_order_relaxed);
  return display;
}

void
ba_display_unref (BaDisplay *display)
{
  if (!display || atomic_fetch_sub_explicit (&display->refs, 1, memory_order_acq_rel) != 1)
    return;
  /* Closing takes references of its own for a moment: begin it with one, and end here when they are gone again. */
  atomic_store_explicit (&display->refs, 1, memory_order_relaxed);
  ba_display_close (display);
  display->ops->finish (display);
  bai_display_free (display);
}

/* ---- what it is ---------------------------------------------------------------------------------------------- */

const BaDisplayInfo *
ba_display_get_info (const BaDisplay *display)
{
  return &display->info;
}

int
ba_display_get_page (const BaDisplay *display, unsigned page, BaBlock *block)
{
  memset (block, 0, sizeof *block);
  if (page >= display->info.n_pages)
    return -EINVAL;
  size_t offset_bytes = page * display->info.page_bytes;
  block->data = display->map + offset_bytes;
  block->size_bytes = display->info.page_bytes;
  if (display->physical_address)
    block->physical_address = display->physical_address + offset_bytes;
  return 0;
}

int
ba_display_clear (BaDisplay *display, unsigned page)
{
  BaBlock block;
  int r = ba_display_get_page (display, page, &block);
  if (r == 0 && display->ops->clear)
    display->ops->clear (display, block.data);
  else if (r == 0)
    memset (block.data, display->info.layout.fourcc == BA_FOURCC_D1 ? 0xff : 0, block.size_bytes);
  return r;
}

int
ba_display_get_page_number (const BaDisplay *display, const BaBuffer *buffer)
{
  uintptr_t first = (uintptr_t) display->map;
  uintptr_t data = (uintptr_t) ba_buffer_get_data (buffer);
  if (data < first)
    return -EINVAL;
  size_t offset_bytes = data - first;
  size_t page = offset_bytes / display->info.page_bytes;
  if (offset_bytes % display->info.page_bytes || page >= display->info.n_pages)
    return -EINVAL;
  return (int) page;
}

static void
let_go (const BaiShown *shown)
{
  ba_buffer_unref (shown->page);
  if (shown->gone)
    shown->gone (shown->user);
}

/* ---- being busy ------------------------------------------------------------------------------------------------ */

static bool
cancelled (const BaCancel *cancel)
{
  return cancel && atomic_load_explicit (cancel, memory_order_acquire) != 0;
}

static int
stopped_locked (const BaDisplay *display, const BaCancel *cancel)
{
  return display->closed ? -ESHUTDOWN : cancelled (cancel) ? -ECANCELED : 0;
}

static int
enter_locked (BaDisplay *display, const BaCancel *cancel)
{
  int r;
  while ((r = stopped_locked (display, cancel)) == 0 && display->busy)
    pthread_cond_wait (&display->changed, &display->lock);
  if (r == 0)
    display->busy = true;
  return r;
}

static void
leave_locked (BaDisplay *display)
{
  display->busy = false;
  pthread_cond_broadcast (&display->changed);
}

int
bai_display_enter (BaDisplay *display)
{
  pthread_mutex_lock (&display->lock);
  int r = enter_locked (display, NULL);
  pthread_mutex_unlock (&display->lock);
  return r;
}

void
bai_display_leave (BaDisplay *display)
{
  pthread_mutex_lock (&display->lock);
  leave_locked (display);
  pthread_mutex_unlock (&display->lock);
}

/* ---- waiting for a vsync --------------------------------------------------------------------------------------- */

/* Waits until the first vsync of the clock's grid after the last show. */
static int
wait_clock_locked (BaDisplay *display, const BaCancel *cancel)
{
  int64_t period_ns = (int64_t) display->info.period_ns;
  int64_t since_ns = display->shown_ns - display->first_vsync_ns;
  int64_t target_ns = display->first_vsync_ns + (since_ns / period_ns + 1) * period_ns;
  struct timespec deadline = { .tv_sec = target_ns / 1000000000, .tv_nsec = target_ns % 1000000000 };
  int r;

  while ((r = stopped_locked (display, cancel)) == 0) {
    if (display->calls->now_ns (display->calls->ctx) >= target_ns)
      return 0;
    if (pthread_cond_timedwait (&display->changed, &display->lock, &deadline) == ETIMEDOUT)
      return 0;
  }
  return r;
}

/* Busy, and a page is pending: waits until it is visible, and gives back the one that is not any more. Drops the lock
 * around the device's wait. */
static int
settle_locked (BaDisplay *display, const BaCancel *cancel, BaiShown *old)
{
  int r = 0;
  int64_t elapsed_ns = display->calls->now_ns (display->calls->ctx) - display->shown_ns;
  bool is_recent = elapsed_ns < (int64_t) display->info.period_ns;
  if (is_recent || display->ops->tells_when_visible) {
    bool by_clock = display->clock_paced;
    display->stats.waits += is_recent;
    if (!by_clock) {
      pthread_mutex_unlock (&display->lock);
      r = display->ops->wait_vsync (display);
      pthread_mutex_lock (&display->lock);
      by_clock = r != 0;
      if (r < 0)
        display->clock_paced = true;
    }
    r = by_clock ? wait_clock_locked (display, cancel) : 0;
  }
  if (r < 0)
    return r;
  *old = display->current;
  display->current = display->pending;
  display->pending = (BaiShown){ 0 };
  return 0;
}

/* settle_locked() as a whole: begins and ends with the lock not held, and the display busy before, not after. What can
 * run foreign code (references, the log) does so at the end. */
static int
settle (BaDisplay *display, const BaCancel *cancel)
{
  BaiShown old = { 0 };
  pthread_mutex_lock (&display->lock);
  bool clock_before = display->clock_paced;
  int r = settle_locked (display, cancel, &old);
  bool clock_now = display->clock_paced;
  leave_locked (display);
  pthread_mutex_unlock (&display->lock);

  if (clock_now && !clock_before)
    ba_log (BA_LOG_INFO, "%s %s: waiting for a vsync does not work here, the clock paces", display->info.kind,
            display->info.name);
  let_go (&old);
  return r;
}

/* ---- flipping -------------------------------------------------------------------------------------------------- */

/* Busy: which number a picture has, which may be a new one with each call. */
static int
find_number (BaDisplay *display, const BaDmabuf *picture, BaiShown *what)
{
  int r = picture ? display->ops->import (display, picture, NULL) : 0;
  if (picture && r >= 0)
    what->number = (unsigned) r;
  return r < 0 ? r : 0;
}

/* Becomes busy with nothing pending. 1 where @what is on screen or on its way there; not busy then. */
static int
enter_to_flip (BaDisplay *display, BaiShown *what, const BaDmabuf *picture, const BaCancel *cancel)
{
  for (;;) {
    pthread_mutex_lock (&display->lock);
    int r = enter_locked (display, cancel);
    pthread_mutex_unlock (&display->lock);
    if (r < 0)
      return r;
    /* busy, so both stay as they are */
    r = find_number (display, picture, what);
    const BaiShown *last = display->pending.is_set ? &display->pending : &display->current;
    if (r == 0 && last->is_set && last->number == what->number)
      r = 1;
    if (r != 0)
      bai_display_leave (display);
    if (r != 0 || !display->pending.is_set)
      return r;
    r = settle (display, cancel);
    if (r < 0)
      return r;
  }
}

/* Some drivers return from a pan when it is visible, and there is no way to ask. Waiting for one more vsync would then
 * halve the rate, so shows that block every time are recognised, and unlearnt when one does not without a reason. */
static bool
show_blocks_locked (BaDisplay *display, int64_t began_ns, int64_t ended_ns)
{
  int64_t period_ns = (int64_t) display->info.period_ns;
  if (ended_ns - began_ns >= period_ns / 4) {
    if (display->blocked_shows < BLOCKED_SHOWS_PROVE)
      display->blocked_shows++;
  } else if (display->blocked_shows < BLOCKED_SHOWS_PROVE || began_ns - display->show_done_ns < period_ns / 2) {
    display->blocked_shows = 0;
  }
  return display->blocked_shows >= BLOCKED_SHOWS_PROVE;
}

/* Waiting for the flip before takes a period at most, and the thread wakes up a little later than that: from half a
 * period more on, a vsync has passed that could have shown the page. */
static bool
came_late (const BaDisplay *display, int64_t asked_ns, int64_t began_ns)
{
  int64_t period_ns = (int64_t) display->info.period_ns;
  return display->paced && began_ns - asked_ns > period_ns + period_ns / 2;
}

/* Busy: shows it and files it. The display keeps no reference where there is one page: it is never free. */
static int
show (BaDisplay *display, const BaiShown *what, int64_t asked_ns)
{
  const BaDeviceCalls *calls = display->calls;
  BaiShown old = { 0 };
  int64_t began_ns = calls->now_ns (calls->ctx);
  int r = display->ops->show (display, what->number);
  int64_t ended_ns = calls->now_ns (calls->ctx);

  pthread_mutex_lock (&display->lock);
  if (r >= 0) {
    display->stats.flips += r == 0;
    display->stats.vsyncs_missed += r == 0 && came_late (display, asked_ns, began_ns);
    if (display->info.can_flip) {
      if (what->page)
        ba_buffer_ref (what->page);
      if (!display->paced || show_blocks_locked (display, began_ns, ended_ns)) {
        old = display->current;
        display->current = *what;
      } else {
        display->pending = *what;
      }
      /* The time before: a driver that blocks until the vsync must not cost the next flip another one. */
      display->shown_ns = began_ns;
      display->show_done_ns = ended_ns;
    } else if (display->current.is_set) { /* of the display before; there is nothing of it to be seen any more */
      old = display->current;
      display->current = (BaiShown){ 0 };
    }
  }
  /* who gave a picture learns that it was refused, and has another way */
  bool say = r < 0 && what->page && !display->show_refused;
  display->show_refused |= say;
  leave_locked (display);
  pthread_mutex_unlock (&display->lock);
  let_go (&old);
  if (say)
    ba_log (BA_LOG_WARNING, "%s %s: cannot show a page: %s (said once)", display->info.kind, display->info.name,
            ba_error_text (r));
  return r < 0 ? r : 0;
}

int
bai_display_flip (BaDisplay *display, BaiShown *what, const BaDmabuf *picture, const BaCancel *cancel)
{
  ba_display_ref (display); /* dropping the old page may drop the last other one */
  int64_t asked_ns = display->calls->now_ns (display->calls->ctx);
  what->is_set = true;
  int r = enter_to_flip (display, what, picture, cancel);
  if (r == 0)
    r = show (display, what, asked_ns);
  ba_display_unref (display);
  return r;
}

int
ba_display_flip (BaDisplay *display, BaBuffer *page, const BaCancel *cancel)
{
  int number = ba_display_get_page_number (display, page);
  BaiShown what = { .page = page, .number = (unsigned) number };
  return number < 0 ? -EINVAL : bai_display_flip (display, &what, NULL, cancel);
}

int
ba_display_wait (BaDisplay *display, const BaCancel *cancel)
{
  ba_display_ref (display);
  pthread_mutex_lock (&display->lock);
  int r = enter_locked (display, cancel);
  bool pending = display->pending.is_set;
  if (r == 0 && !pending)
    leave_locked (display);
  pthread_mutex_unlock (&display->lock);
  if (r == 0 && pending)
    r = settle (display, cancel);
  ba_display_unref (display);
  return r;
}

int
ba_display_check_mode (BaDisplay *display)
{
  ba_display_ref (display);
  int r = bai_display_enter (display);
  if (r == 0) {
    r = display->ops->check_mode ? display->ops->check_mode (display) : 0;
    bai_display_leave (display);
  }
  ba_display_unref (display);
  return r;
}

void
ba_display_wake (BaDisplay *display)
{
  pthread_mutex_lock (&display->lock);
  pthread_cond_broadcast (&display->changed);
  pthread_mutex_unlock (&display->lock);
}

void
ba_display_get_stats (BaDisplay *display, BaDisplayStats *stats)
{
  pthread_mutex_lock (&display->lock);
  *stats = display->stats;
  pthread_mutex_unlock (&display->lock);
}

static void
begin_closing_locked (BaDisplay *display)
{
  display->closed = true;
  display->closer = pthread_self ();
  pthread_cond_broadcast (&display->changed);
}

/* Busy, and closing has begun. */
static void
end_closing (BaDisplay *display)
{
  ba_display_ref (display);
  if (display->ops->restore)
    display->ops->restore (display);

  pthread_mutex_lock (&display->lock);
  const BaiShown current = display->current, pending = display->pending;
  display->current = display->pending = (BaiShown){ 0 };
  display->restored = true;
  leave_locked (display);
  pthread_mutex_unlock (&display->lock);
  let_go (&current);
  let_go (&pending);
  ba_display_unref (display);
}

void
ba_display_close (BaDisplay *display)
{
  pthread_mutex_lock (&display->lock);
  if (display->closed) {
    /* restoring may log, and a log handler may come here from inside it: that one must not wait for itself */
    while (!display->restored && !pthread_equal (display->closer, pthread_self ()))
      pthread_cond_wait (&display->changed, &display->lock);
    pthread_mutex_unlock (&display->lock);
    return;
  }
  begin_closing_locked (display);
  while (display->busy)
    pthread_cond_wait (&display->changed, &display->lock);
  display->busy = true;
  pthread_mutex_unlock (&display->lock);
  end_closing (display);
}

void
bai_display_leave_closed (BaDisplay *display)
{
  pthread_mutex_lock (&display->lock);
  bool is_ours = !display->closed;
  if (is_ours)
    begin_closing_locked (display);
  else
    leave_locked (display); /* to whoever waits in close */
  pthread_mutex_unlock (&display->lock);
  if (is_ours)
    end_closing (display);
}
