/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kms-reopen.c: where pages are shown, and other pages in their place.
 *
 * Another format or size needs other buffers. They are made on the card as it is open, while the old ones are on screen
 * still; these are freed when the first of the new ones has taken their place. So nothing else is ever seen in between,
 * and the card has one master all the time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kms-private.h"

/* The mode of an overlay is somebody else's. Without atomic commits a primary plane is what the mode is. */
int
bai_kms_place (BaDisplay *display, const char *path, const BaDisplayOptions *options, BaError *error)
{
  BaiKmsState *state = display->state;
  if (state->is_overlay && !state->saved_crtc.mode_valid)
    return ba_error_set (error, -ENODEV,
                         "%.150s: plane=%u needs a picture to go with, and there is none on that screen", path,
                         state->plane_id);
  if (state->is_overlay)
    state->mode = state->saved_crtc.mode;
  state->window = options->window;
  if (state->window.width_px == 0)
    state->window.width_px = state->mode.hdisplay;
  if (state->window.height_px == 0)
    state->window.height_px = state->mode.vdisplay;
  state->page_width_px = options->page_width_px ? options->page_width_px : state->window.width_px;
  state->page_height_px = options->page_height_px ? options->page_height_px : state->window.height_px;
  bool is_whole = state->window.x_px == 0 && state->window.y_px == 0 && state->page_width_px == state->mode.hdisplay
                  && state->page_height_px == state->mode.vdisplay && state->window.width_px == state->mode.hdisplay
                  && state->window.height_px == state->mode.vdisplay;
  if (!state->is_atomic && !state->is_overlay && !is_whole)
    return ba_error_set (error, -ENOTSUP,
                         "%.100s: only with atomic mode setting can a primary plane show less than the "
                         "screen, or scale",
                         path);
  bai_kms_note_mode (display);
  return 0;
}

/* Tried now, so that it is refused here and not at the next flip. Nobody can try while another one is master. */
int
bai_kms_set_window (BaDisplay *display, const BaDisplayWindow *window)
{
  BaiKmsState *state = display->state;
  const BaDisplayWindow before = state->window;
  if (!state->is_atomic && !state->is_overlay)
    return -ENOTSUP;
  state->window = *window;
  int r = bai_kms_test (display, state->pages[0].fb_id);
  if (r < 0 && r != -EACCES && r != -EPERM) {
    state->window = before;
    return r == -ENODEV ? r : -ENOTSUP;
  }
  /* what is on screen is moved now: it may be long until something else is shown */
  uint32_t last_fb = r == 0 && state->is_lit && !state->is_hidden ? bai_kms_last_fb (display) : 0;
  state->must_light = true;
  if (last_fb) {
    bai_kms_settle (display);
    (void) bai_kms_light (display, last_fb); /* or the next page tries it */
  }
  return 0;
}

/* Where @old has shown none of its pages they go at once. Else they stay until something else is on screen. */
static void
inherit_pages (BaDisplay *old, BaDisplay *display)
{
  BaiKmsState *before = old->state, *state = display->state;
  if (before->is_lit && bai_kms_is_page_fb (before, before->shown_fb))
    memcpy (state->inherited, before->pages, sizeof before->pages);
  else
    bai_kms_free_pages (old);
  memset (before->pages, 0, sizeof before->pages);
  memset (before->inherited, 0, sizeof before->inherited);
  bai_kms_inherit_imports (display, before);
  state->must_light = state->is_lit;
  before->owns_fd = before->is_lit = false;
  before->event_fd = before->watcher = -1; /* what the watcher would put back is the same */
  before->is_closed = true;
}

/* Another mode needs another blob; that of @before is still its own. */
static int
take_mode (BaDisplay *display, const BaiKmsState *before, const BaDisplayOptions *options)
{
  BaiKmsState *state = display->state;
  int r = bai_kms_fit_mode (display, options);
  if (r == 0 && state->mode_blob && memcmp (&state->mode, &before->mode, sizeof state->mode) != 0) {
    r = bai_kms_make_blob (display, &state->mode, sizeof state->mode, &state->mode_blob);
    if (r < 0)
      state->mode_blob = before->mode_blob;
  }
  return r;
}

/* Of its own, as each display may be asked in any thread until it is gone. Without memory nothing is listed. */
static uint8_t *
copy_in_formats (const BaiKmsState *before)
{
  uint8_t *copy = before->in_formats ? malloc (before->in_formats_bytes) : NULL;
  if (copy)
    memcpy (copy, before->in_formats, before->in_formats_bytes);
  return copy;
}

int
bai_kms_reopen (BaDisplay *old, BaDisplay *display, const BaDisplayOptions *options, BaError *error)
{
  BaiKmsState *before = old->state;
  BaiKmsState *state = malloc (sizeof *state);
  if (!state)
    return ba_error_set (error, -ENOMEM, "no memory for a display");
  if (before->mode_is_gone) {
    free (state);
    return ba_error_set (error, -ENOTSUP, "the screen is another one, and has no such mode");
  }
  bai_kms_settle (old);
  *state = *before;
  memset (state->pages, 0, sizeof state->pages);
  state->in_formats = copy_in_formats (before);
  display->state = state;
  memcpy (display->info.name, old->info.name, sizeof display->info.name);
  display->start_page = old->start_page;
  int r = take_mode (display, before, options);
  if (r < 0)
    ba_error_set (error, r, "%.100s: cannot set its mode: %s", display->info.name, ba_error_text (r));
  else
    r = bai_kms_place (display, display->info.name, options, error);
  if (r == 0)
    r = bai_kms_make_all_pages (display, display->info.name, options, error);
  if (r < 0) {
    bai_kms_free_pages (display);
    if (display->map)
      display->calls->munmap (display->calls->ctx, display->map, display->map_bytes);
    if (state->mode_blob != before->mode_blob)
      bai_kms_free_blob (display, &state->mode_blob);
    free (state->in_formats);
    free (state);
    return r;
  }
  if (state->mode_blob != before->mode_blob)
    bai_kms_free_blob (old, &before->mode_blob);
  inherit_pages (old, display);
  return 0;
}
