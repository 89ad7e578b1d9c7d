/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kms-flip.c: one flip after the other, each with its end.
 *
 * The driver tells when a page is visible, by an event or a fence, and takes no second flip before. Where it does not
 * tell in time (the screen is off) the clock paces, and pages are left out until it does. The same where another program
 * has become master: it is asked for with each page, and the mode set again when it is back.
 */
#include <errno.h>
#include <string.h>

#include "kms-private.h"

/* A flip that takes longer than both is stuck: a screen that is off, or a driver that forgot. */
#define STUCK_PERIODS 5
#define STUCK_MS 200
/* A flip of somebody else's on the same CRTC is over after a period; it is tried again four times in one. */
#define BUSY_TRIES 8
#define EVENT_BYTES 1024

static int
period_ms (const BaDisplay *display)
{
  return (int) (display->info.period_ns / 1000000) + 1;
}

/* ---- the end of a flip ----------------------------------------------------------------------------------------- */

static void
end_flip (BaDisplay *display)
{
  BaiKmsState *state = display->state;
  if (state->fence_fd >= 0)
    display->calls->close (display->calls->ctx, state->fence_fd);
  state->fence_fd = -1;
  state->is_flipping = state->is_stuck = false;
}

static void
take_events (BaDisplay *display)
{
  const BaiKmsState *state = display->state;
  char bytes[EVENT_BYTES];
  ssize_t n = display->calls->read (display->calls->ctx, state->fd, bytes, sizeof bytes);
  struct drm_event event;
  for (ssize_t at = 0; at + (ssize_t) sizeof event <= n; at += event.length) {
    struct drm_event_vblank flip;
    memcpy (&event, bytes + at, sizeof event);
    if (event.length < sizeof event || at + (ssize_t) event.length > n)
      return;
    if (event.type != DRM_EVENT_FLIP_COMPLETE || event.length < sizeof flip)
      continue;
    memcpy (&flip, bytes + at, sizeof flip);
    if (flip.user_data == state->flip_id)
      end_flip (display);
  }
}

/* Of a file that others have, too, they may have read the event since it was there: and it is the application's to say
 * whether a read waits then. None of ours comes between. */
static void
take_shared_events (BaDisplay *display)
{
  const BaiKmsState *state = display->state;
  struct pollfd fd = { .fd = state->fd, .events = POLLIN };
  bai_kms_begin_events (state->shared);
  if (display->calls->poll (display->calls->ctx, &fd, 1, 0) == 1 && (fd.revents & POLLIN))
    take_events (display);
  bai_kms_end_events (state->shared);
}

/* Waits until the flip is over, or the time is up. Other users of a shared file may wake it up for nothing. */
static void
wait_for_end (BaDisplay *display, int timeout_ms)
{
  const BaiKmsState *state = display->state;
  const BaDeviceCalls *calls = display->calls;
  int64_t deadline_ns = calls->now_ns (calls->ctx) + (int64_t) timeout_ms * 1000000;
  int left_ms = timeout_ms;
  while (state->is_flipping) {
    bool by_fence = state->fence_fd >= 0;
    struct pollfd fd = { .fd = by_fence ? state->fence_fd : state->fd, .events = POLLIN };
    int r = calls->poll (calls->ctx, &fd, 1, left_ms);
    if (r <= 0 || !(fd.revents & POLLIN))
      return;
    if (by_fence)
      end_flip (display);
    else if (state->owns_fd)
      take_events (display);
    else
      take_shared_events (display);
    int64_t left_ns = deadline_ns - calls->now_ns (calls->ctx);
    if (left_ns <= 0)
      return;
    left_ms = (int) (left_ns / 1000000);
  }
}

/* Where the file is shared and there are no fences, the event may go to somebody else. The driver still says of a flip
 * that it comes too early. */
static void
wait_for_flip (BaDisplay *display)
{
  BaiKmsState *state = display->state;
  bool may_lose = !state->owns_fd && state->fence_fd < 0;
  int timeout_ms = STUCK_PERIODS * period_ms (display);
  if (timeout_ms < STUCK_MS)
    timeout_ms = STUCK_MS;
  if (!state->is_flipping)
    return;
  wait_for_end (display, state->is_stuck ? 0 : state->loses_events ? period_ms (display) : timeout_ms);
  if (state->is_flipping && may_lose) {
    state->loses_events = true;
    end_flip (display);
  }
  state->is_stuck = state->is_flipping;
}

int
bai_kms_wait (BaDisplay *display)
{
  const BaiKmsState *state = display->state;
  wait_for_flip (display);
  return state->is_stuck || state->is_hidden || !state->has_vblank ? 1 : 0;
}

void
bai_kms_settle (BaDisplay *display)
{
  wait_for_flip (display);
  end_flip (display);
}

/* ---- showing --------------------------------------------------------------------------------------------------- */

/* Master again? Whoever had it meanwhile may have set anything. */
static bool
take_master_back (BaDisplay *display)
{
  BaiKmsState *state = display->state;
  state->is_hidden = !bai_kms_become_master (display);
  return !state->is_hidden;
}

static void
note_dpms (void *user, const struct drm_mode_get_property *property, uint64_t value)
{
  bool *is_asleep = user;
  if (strncmp (property->name, "DPMS", sizeof property->name) == 0)
    *is_asleep = value != DRM_MODE_DPMS_ON;
}

/* Whether somebody who shares the card with us has switched the screen off. One that sleeps keeps its mode. */
static bool
is_off (const BaDisplay *display)
{
  const BaiKmsState *state = display->state;
  struct drm_mode_crtc crtc;
  bool is_asleep = false;
  if (bai_kms_get_crtc (display, state->crtc_id, &crtc) == 0 && !crtc.mode_valid)
    return true;
  (void) bai_kms_for_each_property (display, state->connector_id, DRM_MODE_OBJECT_CONNECTOR, note_dpms, &is_asleep);
  return is_asleep;
}

bool
bai_kms_lacks_master (int code)
{
  return code == -EACCES || code == -EPERM;
}

/* Sets mode and page. */
static int
light (BaDisplay *display, uint32_t fb_id)
{
  BaiKmsState *state = display->state;
  int r = bai_kms_light (display, fb_id);
  if (bai_kms_lacks_master (r) && take_master_back (display))
    r = bai_kms_light (display, fb_id);
  if (!bai_kms_lacks_master (r))
    return r;
  state->is_hidden = true;
  return 1;
}

/* The only page was drawn on: some drivers copy it to the screen, and have to be told. Others need nothing. */
static int
flush (BaDisplay *display, uint32_t fb_id)
{
  struct drm_mode_fb_dirty_cmd arg = { .fb_id = fb_id };
  int r = bai_kms_call (display, DRM_IOCTL_MODE_DIRTYFB, &arg);
  return r == -ENODEV ? r : 0;
}

/* A flip that is not ours may be under way on the same CRTC, where others have the file too. */
static int
flip_or_wait (BaDisplay *display, uint32_t fb_id)
{
  int r = bai_kms_start_flip (display, fb_id);
  for (int i = 0; r == -EBUSY && i < BUSY_TRIES; i++) {
    (void) display->calls->poll (display->calls->ctx, NULL, 0, period_ms (display) / 4);
    r = bai_kms_start_flip (display, fb_id);
  }
  return r;
}

static int
flip (BaDisplay *display, uint32_t fb_id, bool is_page)
{
  const BaiKmsState *state = display->state;
  int r = flip_or_wait (display, fb_id);
  if (r == 0 || r == -ENODEV) /* a card that is gone */
    return r;
  if (bai_kms_lacks_master (r))
    return take_master_back (display) ? light (display, fb_id) : 1;
  (void) bai_kms_check_plug (display);
  if (state->is_unplugged || ((r == -EBUSY || r == -EINVAL) && is_off (display)))
    return 1;
  if (state->mode_is_gone)
    return -ENOTSUP;
  /* Others may have a plane of the CRTC, and flip whenever they can: a call that waits gets its turn. */
  if (r == -EBUSY)
    return light (display, fb_id);
  /* A mode that another program has left, or a CRTC that lost its screen, takes no flips, but a mode set.
   * Not for a picture of others: if that is what is refused, a page comes in its place. */
  return state->is_overlay || !is_page ? r : light (display, fb_id);
}

uint32_t
bai_kms_last_fb (const BaDisplay *display)
{
  const BaiKmsState *state = display->state;
  const BaiShown *last = display->pending.is_set ? &display->pending : &display->current;
  if (last->is_set)
    return last->number == BAI_SHOWN_BEFORE ? 0 : bai_kms_get_fb (display, last->number);
  return bai_kms_is_page_fb (state, state->shown_fb) ? state->shown_fb : 0; /* the only one there is */
}

static int
refused (int code)
{
  return code == -EINVAL || code == -ENOSPC || code == -ERANGE ? -ENOTSUP : code;
}

int
bai_kms_show (BaDisplay *display, unsigned page)
{
  BaiKmsState *state = display->state;
  uint32_t fb_id = bai_kms_get_fb (display, page);
  bool is_page = page < display->info.n_pages;
  int r;
  if (state->is_closed) /* another display goes on with the card */
    return -ESHUTDOWN;
  wait_for_flip (display);
  bool was_told = bai_kms_read_events (display);
  r = was_told ? 0 : bai_kms_check_plug_in_time (display);
  if (r < 0)
    return r;
  if (state->is_flipping && !state->is_replugged && !state->mode_is_gone)
    return 1;
  end_flip (display); /* of a screen that is another one now, the event may never come */
  bool was_hidden = state->is_hidden;
  if (was_hidden && !take_master_back (display))
    return 1;
  bai_kms_sweep_imports (display);
  if (state->mode_is_gone)
    return -ENOTSUP;
  bool lights = was_hidden || !state->is_lit || state->must_light || state->is_replugged;
  if (lights)
    r = refused (light (display, fb_id));
  else
    r = refused (display->info.n_pages == 1 ? flush (display, fb_id) : flip (display, fb_id, is_page));
  /* a mode, or a screen that comes and goes, may be what was refused, and not the picture: it is tried another time */
  if (r == -ENOTSUP && !is_page && !was_told && !lights && !bai_kms_is_unsettled (display))
    bai_kms_refuse_import (display, page, r);
  return r;
}
