/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fbdev-mode.c: asks a framebuffer for its mode, for more pages, and whether it can move from one to the other.
 *
 * Drivers say yes to what they do not do: a grown virtual screen, a pan. So nothing is believed that was not read back
 * or tried, and what cannot be had becomes fewer pages, not an error.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fbdev-private.h"

/* Whoever asks for more pages than this is not taken at his word: every one that is too many costs a mode set. */
#define MAX_PAGES_ASKED 32
#define ASSUMED_PERIOD_NS (UINT64_C (1000000000) / 60)
#define SLOWEST_PERIOD_NS (UINT64_C (1000000000) / 20)
#define FASTEST_PERIOD_NS (UINT64_C (1000000000) / 300)

/* ---- the device's words ---------------------------------------------------------------------------------------- */

int
bai_fb_ioctl (const BaDisplay *display, unsigned long request, void *arg)
{
  const BaiFbState *state = display->state;
  return display->calls->ioctl (display->calls->ctx, state->fd, request, arg) < 0 ? -errno : 0;
}

int
bai_fb_read_mode (BaDisplay *display)
{
  BaiFbState *state = display->state;
  int r = bai_fb_ioctl (display, FBIOGET_VSCREENINFO, &state->var);
  return r < 0 ? r : bai_fb_ioctl (display, FBIOGET_FSCREENINFO, &state->fix);
}

int
bai_fb_put_mode (BaDisplay *display, const struct fb_var_screeninfo *wanted)
{
  struct fb_var_screeninfo var = *wanted; /* the driver writes what it made of it */
  var.activate = FB_ACTIVATE_NOW;
  return bai_fb_ioctl (display, FBIOPUT_VSCREENINFO, &var);
}

int
bai_fb_pan (BaDisplay *display, uint32_t xoffset, uint32_t yoffset)
{
  const BaiFbState *state = display->state;
  struct fb_var_screeninfo var = state->var;
  var.xoffset = xoffset;
  var.yoffset = yoffset;
  var.activate = FB_ACTIVATE_NOW;
  var.vmode &= ~(uint32_t) FB_VMODE_YWRAP; /* wrapped, yoffset would mean something else */
  return bai_fb_ioctl (display, FBIOPAN_DISPLAY, &var);
}

int
bai_fb_in_use (const char *path, BaError *error)
{
  return ba_error_set (error, -EBUSY, "%.150s: display in use by another program (a DRM master such as a desktop?)",
                       path);
}

int
bai_fb_call_failed (const char *path, const char *what, int code, BaError *error)
{
  if (code == -EBUSY)
    return bai_fb_in_use (path, error);
  if (code == -ENOTTY || code == -EINVAL)
    return ba_error_set (error, -ENODEV, "%.150s is no framebuffer device: it does not %s", path, what);
  return ba_error_set (error, code, "%.150s does not %s: %s", path, what, ba_error_text (code));
}

/* ---- what the mode is ------------------------------------------------------------------------------------------ */

static bool
same_pixels (const struct fb_var_screeninfo *a, const struct fb_var_screeninfo *b)
{
  return a->xres == b->xres && a->yres == b->yres && a->bits_per_pixel == b->bits_per_pixel
         && a->grayscale == b->grayscale && a->nonstd == b->nonstd && memcmp (&a->red, &b->red, sizeof a->red) == 0
         && memcmp (&a->green, &b->green, sizeof a->green) == 0 && memcmp (&a->blue, &b->blue, sizeof a->blue) == 0;
}

/* Whether the mode is still the one that was saved, but for the size of the virtual screen. */
static bool
same_mode (const struct fb_var_screeninfo *a, const struct fb_var_screeninfo *b)
{
  return same_pixels (a, b) && a->xoffset == b->xoffset && a->yoffset == b->yoffset;
}

static bool
same_memory (const struct fb_fix_screeninfo *a, const struct fb_fix_screeninfo *b)
{
  return a->line_length == b->line_length && a->smem_start == b->smem_start && a->smem_len == b->smem_len
         && a->type == b->type && a->visual == b->visual;
}

int
bai_fb_mode_changed (BaDisplay *display)
{
  const BaiFbState *state = display->state;
  struct fb_var_screeninfo var;
  struct fb_fix_screeninfo fix;
  int r = bai_fb_ioctl (display, FBIOGET_VSCREENINFO, &var);
  if (r == 0)
    r = bai_fb_ioctl (display, FBIOGET_FSCREENINFO, &fix);
  if (r < 0)
    return r;
  /* a larger virtual screen than ours still has our pages in it */
  return !same_pixels (&var, &state->var) || !same_memory (&fix, &state->fix)
         || var.yres_virtual < state->var.yres_virtual;
}

uint64_t
bai_fb_period_ns (const struct fb_var_screeninfo *var)
{
  uint64_t columns = (uint64_t) var->xres + var->left_margin + var->right_margin + var->hsync_len;
  uint64_t rows = (uint64_t) var->yres + var->upper_margin + var->lower_margin + var->vsync_len;
  uint64_t pixels, period_ps;
  if (__builtin_mul_overflow (columns, rows, &pixels) || __builtin_mul_overflow (pixels, var->pixclock, &period_ps))
    return ASSUMED_PERIOD_NS;
  uint64_t period_ns = period_ps / 1000;
  if (var->vmode & FB_VMODE_INTERLACED)
    period_ns /= 2;
  if (var->vmode & FB_VMODE_DOUBLE)
    period_ns *= 2;
  return period_ns >= FASTEST_PERIOD_NS && period_ns <= SLOWEST_PERIOD_NS ? period_ns : ASSUMED_PERIOD_NS;
}

/* ---- how many pages -------------------------------------------------------------------------------------------- */

size_t
bai_fb_page_bytes (const BaiFbState *state)
{
  return (size_t) state->fix.line_length * state->var.yres;
}

static unsigned
pages_of (const BaiFbState *state)
{
  size_t in_memory = state->fix.smem_len / bai_fb_page_bytes (state);
  uint32_t in_rows = state->var.yres_virtual / state->var.yres;
  return in_memory < in_rows ? (unsigned) in_memory : in_rows;
}

unsigned
bai_fb_start_page (const BaiFbState *state, unsigned n_pages)
{
  unsigned upper = state->var.yoffset / state->var.yres;
  unsigned lower = (state->var.yoffset + state->var.yres - 1) / state->var.yres;
  if (!state->can_pan)
    return 0;
  return lower < n_pages ? lower : upper < n_pages ? upper : n_pages - 1;
}

/* Keeps why there are not more pages; the first reason is the one that counts. */
static void
few_because (BaiFbState *state, const char *what, int code)
{
  if (!*state->few_pages)
    snprintf (state->few_pages, sizeof state->few_pages, "%s%s%s", what, code ? ": " : "",
              code ? ba_error_text (code) : "");
}

/* The pan that changes nothing: to the place that is shown. Only a device that accepts it is asked for more. */
static int
try_pan (BaDisplay *display, const char *path, BaError *error)
{
  BaiFbState *state = display->state;
  int r = bai_fb_pan (display, state->var.xoffset, state->var.yoffset);
  if (r == -EBUSY)
    return bai_fb_in_use (path, error);
  bool steps_fit = state->fix.ypanstep != 0 && state->var.yres % state->fix.ypanstep == 0;
  state->can_pan = r == 0 && steps_fit;
  if (r < 0)
    few_because (state, "the screen cannot be moved (FBIOPAN_DISPLAY)", r);
  else if (!steps_fit)
    few_because (state, "the screen cannot be moved by its height", 0);
  return 0;
}

/* One attempt to have @wanted pages. 1 = there are more now than @before; 0 = no; negative = the device is lost. */
static int
grow_to (BaDisplay *display, unsigned wanted, unsigned before)
{
  BaiFbState *state = display->state;
  struct fb_var_screeninfo var = state->saved;
  var.yres_virtual = wanted * var.yres;
  var.vmode &= ~(uint32_t) FB_VMODE_YWRAP;
  int r = bai_fb_put_mode (display, &var);
  if (r == -EBUSY)
    return r;
  if (r < 0)
    few_because (state, "the virtual screen does not grow so far (FBIOPUT_VSCREENINFO)", r);
  int read = bai_fb_read_mode (display); /* also after a refusal: some change something first */
  if (read < 0)
    return read;
  return r == 0 && same_mode (&state->var, &state->saved) && state->fix.line_length != 0 && pages_of (state) > before;
}

/* Leaves the mode with as many pages as can be had, at most @wanted, at least those it had. */
static int
grow (BaDisplay *display, unsigned wanted, const char *path, BaError *error)
{
  BaiFbState *state = display->state;
  unsigned before = pages_of (state);
  int r = 0;
  if (before >= wanted)
    return 0;
  for (unsigned n = wanted; n > before && r == 0; n--)
    r = grow_to (display, n, before);
  if (r == 0) {
    (void) bai_fb_put_mode (display, &state->saved); /* what came of it is read, not believed */
    r = bai_fb_read_mode (display);
  }
  if (r < 0)
    return bai_fb_call_failed (path, "change or tell its mode", r, error);
  if (pages_of (state) < wanted)
    few_because (state, "its memory or its driver has no more", 0);
  return 0;
}

int
bai_fb_count_pages (BaDisplay *display, const char *path, const BaDisplayOptions *options, BaError *error)
{
  BaiFbState *state = display->state;
  unsigned wanted = options->pages ? options->pages : BA_DISPLAY_MAX_PAGES;
  if (wanted > MAX_PAGES_ASKED)
    wanted = MAX_PAGES_ASKED;
  int r = try_pan (display, path, error);
  if (r == 0 && state->can_pan && wanted > 1)
    r = grow (display, wanted, path, error);
  if (r == 0)
    r = bai_fb_describe (display, path, error); /* the stride may have changed with the size */
  if (r < 0)
    return r;
  /* ypanstep is told anew with every mode, and a grown one must still be shown where it was */
  if (state->can_pan && wanted > 1)
    r = try_pan (display, path, error);
  if (r < 0)
    return r;
  unsigned n = state->can_pan ? pages_of (state) : 1;
  display->info.n_pages = n < 1 ? 1 : n < wanted ? n : wanted;
  /* whoever takes all there are misses none, as long as there are two to flip between */
  if (display->info.n_pages >= wanted || (options->pages == 0 && display->info.n_pages > 1))
    *state->few_pages = 0;
  return 0;
}
