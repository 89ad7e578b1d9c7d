/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * display-format.c: what kinds of display differ in: which other formats one could have, and how to change to them, what
 * the colours of its frames mean, where its pages are shown, and whether others can have them. A kind without an answer
 * has one format, colours that nobody can change, and pages that are its own.
 */
#include <errno.h>

#include "display-private.h"

bool
ba_display_supports_format (const BaDisplay *display, uint32_t fourcc)
{
  return display->ops->supports_format ? display->ops->supports_format (display, fourcc)
                                       : fourcc == display->info.layout.fourcc;
}

int
ba_display_set_colours (BaDisplay *display, BaYuvMatrix matrix, bool full_range)
{
  if (matrix < BA_YUV_BT601 || matrix > BA_YUV_BT2020)
    return -EINVAL;
  if (!display->ops->set_colours)
    return -ENOTSUP;
  ba_display_ref (display);
  int r = bai_display_enter (display);
  if (r == 0) {
    r = display->ops->set_colours (display, matrix, full_range);
    bai_display_leave (display);
  }
  ba_display_unref (display);
  return r;
}

int
ba_display_set_hdr (BaDisplay *display, const BaHdr *hdr)
{
  if (!display->ops->set_hdr)
    return -ENOTSUP;
  ba_display_ref (display);
  int r = bai_display_enter (display);
  if (r == 0) {
    r = display->ops->set_hdr (display, hdr);
    bai_display_leave (display);
  }
  ba_display_unref (display);
  return r;
}

int
ba_display_set_window (BaDisplay *display, const BaDisplayWindow *window)
{
  if (window->width_px == 0 || window->height_px == 0)
    return -EINVAL;
  if (!display->ops->set_window)
    return -ENOTSUP;
  ba_display_ref (display);
  int r = bai_display_enter (display);
  if (r == 0) {
    r = display->ops->set_window (display, window);
    bai_display_leave (display);
  }
  ba_display_unref (display);
  return r;
}

int
ba_display_refresh (BaDisplay *display)
{
  if (!display->ops->refresh)
    return 0;
  ba_display_ref (display);
  int r = bai_display_enter (display);
  if (r == 0) {
    r = display->ops->refresh (display);
    bai_display_leave (display);
  }
  ba_display_unref (display);
  return r;
}

int
ba_display_get_event_fd (BaDisplay *display)
{
  return display->ops->get_event_fd ? display->ops->get_event_fd (display) : -ENOTSUP;
}

/* Busy, and no flip is under way: a page or a picture of others that is on screen is free when the new display shows
 * something else, and not before. */
static void
hand_over (BaDisplay *old, BaDisplay *display)
{
  pthread_mutex_lock (&old->lock);
  BaiShown *last = old->pending.is_set ? &old->pending : &old->current;
  if (last->is_set) {
    display->current = *last;
    display->current.number = BAI_SHOWN_BEFORE;
    *last = (BaiShown){ 0 };
  }
  pthread_mutex_unlock (&old->lock);
}

/* @old must be open until @display is: the device may refuse. Nobody may find it open after that, with a card that is no
 * longer its own. */
static int
reopen (BaDisplay *old, BaDisplay *display, const BaDisplayOptions *options, BaError *error)
{
  int r = bai_display_enter (old);
  if (r < 0)
    return ba_error_set (error, r, "the display is closed");
  display->ops = old->ops;
  display->info.kind = old->info.kind;
  r = old->ops->reopen (old, display, options, error);
  if (r == 0) {
    hand_over (old, display);
    bai_display_leave_closed (old);
  } else {
    bai_display_leave (old);
  }
  return r;
}

int
ba_display_reopen (BaDisplay *display, const BaDisplayOptions *options, BaError *error, BaDisplay **out)
{
  *out = NULL;
  if (!display->ops->reopen)
    return ba_error_set (error, -ENOTSUP, "%s displays have pages of one format", display->info.kind);
  BaDisplay *other = bai_display_new (options, display->calls, error);
  if (!other)
    return -ENOMEM;
  ba_display_ref (display);
  other->console = display->console;
  int r = reopen (display, other, options, error);
  if (r == 0) {
    bai_display_begin (other, options);
    *out = other;
  } else {
    bai_display_free (other);
  }
  ba_display_unref (display);
  return r;
}

int
ba_display_export_page (BaDisplay *display, unsigned page, int *fd)
{
  *fd = -1;
  if (page >= display->info.n_pages)
    return -EINVAL;
  if (!display->ops->export_page)
    return -ENOTSUP;
  ba_display_ref (display);
  int r = bai_display_enter (display);
  if (r == 0) {
    r = display->ops->export_page (display, page);
    bai_display_leave (display);
  }
  ba_display_unref (display);
  if (r < 0)
    return r;
  *fd = r;
  return 0;
}
