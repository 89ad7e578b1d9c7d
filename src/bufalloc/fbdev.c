/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fbdev.c: /dev/fbN: saves the mode, makes room for more pages, maps them, pans, waits for vsync, puts the mode back.
 *
 * What is refused has a way out, which is told once: no more pages = fewer or one; no vsync = the clock's pace; a
 * display that is somebody else's = -EBUSY, for this page. The memory is slow to read (write-combined): nothing here
 * reads it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fbdev-private.h"
#include "log.h"
#include "watcher-private.h"

/* ---- mapping --------------------------------------------------------------------------------------------------- */

/* Finds out where page 0 begins: at the start of the memory, or, where the screen cannot be moved, where it is. */
static int
place_pages (BaDisplay *display, const char *path, size_t *first_bytes, BaError *error)
{
  const BaiFbState *state = display->state;
  BaDisplayInfo *info = &display->info;
  *first_bytes = 0;
  info->page_bytes = bai_fb_page_bytes (state);
  if (!state->can_pan) {
    uint64_t first_bits = (uint64_t) state->var.xoffset * state->bits_per_pixel;
    if (first_bits % 8 != 0)
      return ba_error_set (error, -ENOTSUP, "%.150s: what it shows, from column %u on, does not begin at a byte", path,
                           state->var.xoffset);
    *first_bytes = (size_t) state->var.yoffset * state->fix.line_length;
    info->layout.offset_bytes[0] = first_bits / 8;
  }
  size_t needed_bytes = *first_bytes + info->n_pages * info->page_bytes;
  size_t last_row_bytes = info->layout.offset_bytes[0] + bai_row_bytes (info->layout.width_px, state->bits_per_pixel);
  if (needed_bytes > state->fix.smem_len || last_row_bytes > state->fix.line_length)
    return ba_error_set (error, -ENOTSUP, "%.150s: what it shows, from %u,%u on, lies outside its memory", path,
                         state->var.xoffset, state->var.yoffset);
  return 0;
}

static int
map_pages (BaDisplay *display, const char *path, BaError *error)
{
  BaiFbState *state = display->state;
  const BaDisplayInfo *info = &display->info;
  size_t first_bytes;
  int r = place_pages (display, path, &first_bytes, error);
  if (r < 0)
    return r;
  /* The kernel maps whole memory pages, from the one in which the video memory begins. */
  size_t lead_bytes = state->fix.smem_start % (unsigned long) sysconf (_SC_PAGESIZE);
  state->mapping_bytes = lead_bytes + first_bytes + info->n_pages * info->page_bytes;
  void *mapping = display->calls->mmap (display->calls->ctx, state->mapping_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                                        state->fd, 0);
  if (mapping == MAP_FAILED) {
    int code = errno;
    return ba_error_set (error, -code, "cannot map %zu bytes of %.150s: %s", state->mapping_bytes, path,
                         ba_error_text (-code));
  }
  state->mapping = mapping;
  display->map = (uint8_t *) mapping + lead_bytes + first_bytes;
  display->map_bytes = info->n_pages * info->page_bytes;
  if (state->fix.smem_start)
    display->physical_address = state->fix.smem_start + first_bytes;
  return 0;
}

/* ---- opening and closing --------------------------------------------------------------------------------------- */

static int
open_device (BaDisplay *display, const char *path, BaError *error)
{
  BaiFbState *state = display->state;
  state->fd = display->calls->open (display->calls->ctx, path, O_RDWR | O_CLOEXEC, 0);
  if (state->fd >= 0)
    return 0;
  int code = errno;
  switch (code) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
      return ba_error_set (error, -ENODEV, "no such device: %.150s (try virtual:1280x720, or see ls /dev/fb*)", path);
    case EACCES:
    case EPERM:
      return ba_error_set (error, -code, "no permission for %.150s: add the user to group video", path);
    case EBUSY:
      return bai_fb_in_use (path, error);
    default:
      return ba_error_set (error, -code, "cannot open %.150s: %s", path, ba_error_text (-code));
  }
}

static void
close_device (BaDisplay *display)
{
  BaiFbState *state = display->state;
  if (state->mapping)
    display->calls->munmap (display->calls->ctx, state->mapping, state->mapping_bytes);
  if (state->fd >= 0)
    display->calls->close (display->calls->ctx, state->fd);
  free (state);
  display->state = NULL;
}

/* Opens the device and saves what it is. Nothing is changed yet. */
static int
open_and_save (BaDisplay *display, const char *path, BaError *error)
{
  BaiFbState *state = display->state;
  int r = open_device (display, path, error);
  if (r < 0)
    return r;
  r = bai_fb_read_mode (display);
  if (r < 0)
    return bai_fb_call_failed (path, "tell its mode", r, error);
  state->saved = state->var;
  snprintf (display->info.name, sizeof display->info.name, "%.*s", (int) sizeof state->fix.id, state->fix.id);
  r = bai_fb_describe (display, path, error);
  return r < 0 ? r : bai_fb_colours_open (display, path, error);
}

/* The screen is moved back first. DRM framebuffers of newer kernels move by the difference to where they believe to be,
 * and setting the mode changes that belief without moving: the console would stay on another page for good. Others move
 * with the mode, or lose their place when it is set, so that it is moved once more. */
static int
put_back_mode (BaDisplay *display)
{
  const BaiFbState *state = display->state;
  struct fb_var_screeninfo now, var = state->saved; /* with its YWRAP bit, should it have one */
  var.activate = FB_ACTIVATE_NOW;
  int r = state->can_pan ? bai_fb_pan (display, var.xoffset, var.yoffset) : 0;
  if (r == -EBUSY)
    return r;
  r = bai_fb_put_mode (display, &state->saved);
  if (r == 0 && state->can_pan)
    r = bai_fb_ioctl (display, FBIOPAN_DISPLAY, &var);
  /* a fixed screen may refuse every change, and then needs none back */
  if (r < 0 && bai_fb_ioctl (display, FBIOGET_VSCREENINFO, &now) == 0 && memcmp (&now, &state->saved, sizeof now) == 0)
    return 0;
  return r;
}

static void
warn_not_back (const BaDisplay *display, const char *what, int code)
{
  if (code < 0)
    ba_log (BA_LOG_WARNING, "fbdev %s: cannot put its %s back: %s", display->info.name, what, ba_error_text (code));
}

/* A mode that another program has set meanwhile is its own to put back: ours would take its picture away. */
static void
fbdev_restore (BaDisplay *display)
{
  bai_fb_end_vsync (display);
  bool theirs = bai_fb_mode_changed (display) == 1;
  int colours = bai_fb_colours_restore (display, theirs);
  int mode = theirs ? 0 : put_back_mode (display);
  BaiFbState *state = display->state;
  bai_console_give_back (&state->console, display->calls);
  bai_watcher_dismiss (&state->watcher, display->calls);
  warn_not_back (display, "colour map", colours);
  warn_not_back (display, "mode", mode);
  if (theirs)
    ba_log (BA_LOG_INFO, "fbdev %s: another program has changed the mode, which is left as it is", display->info.name);
}

/* fbdev_restore() in the watcher: without a word, from what was known when it was started. */
static void
restore_for_dead (void *user)
{
  BaDisplay *display = user;
  BaiFbState *state = display->state;
  bool theirs = bai_fb_mode_changed (display) == 1;
  state->colours.is_set = state->colours.n > 0; /* since then, perhaps; if not, it is not ours and stays */
  (void) bai_fb_colours_restore (display, true);
  if (!theirs)
    (void) put_back_mode (display);
  bai_console_give_back_for_dead (&state->console, display->calls);
}

/* Nothing is to be watched where nothing changes, now or with the first flip. */
static void
start_watcher (BaDisplay *display)
{
  BaiFbState *state = display->state;
  BaiWatch watch = { .put_back = restore_for_dead, .user = display, .fds = { state->fd, state->console.fd } };
  bool moves = state->can_pan && (display->info.n_pages > 1 || state->saved.xoffset || state->saved.yoffset);
  if (!moves && state->colours.n == 0 && state->console.fd < 0
      && memcmp (&state->var, &state->saved, sizeof state->var) == 0)
    return;
  int r = bai_watcher_start (&state->watcher, display->calls, &watch);
  if (r < 0)
    ba_log (BA_LOG_WARNING, "fbdev %s: no watcher (%s): should this process be killed, the screen stays as it is then",
            display->info.name, ba_error_text (r));
}

static int
fbdev_open (BaDisplay *display, const BaiDeviceString *device, const BaDisplayOptions *options, BaError *error)
{
  const char *path = device->path;
  BaiFbState *state = calloc (1, sizeof *state);
  if (!state)
    return ba_error_set (error, -ENOMEM, "no memory for a display");
  display->state = state;
  state->console.fd = state->watcher = -1;
  int r = open_and_save (display, path, error);
  if (r < 0) {
    close_device (display);
    return r;
  }
  r = bai_fb_count_pages (display, path, options, error);
  if (r == 0)
    r = map_pages (display, path, error);
  if (r == 0)
    r = bai_console_take (&state->console, display->calls, options->console, state->fd, error);
  if (r < 0) {
    warn_not_back (display, "mode", put_back_mode (display));
    close_device (display);
    return r;
  }
  display->start_page = bai_fb_start_page (state, display->info.n_pages);
  display->info.period_ns = bai_fb_period_ns (&state->var);
  if (*state->few_pages)
    ba_log (BA_LOG_INFO, "fbdev %s: %u page%s: %s", display->info.name, display->info.n_pages,
            display->info.n_pages > 1 ? "s" : "", state->few_pages);
  start_watcher (display);
  return 0;
}

/* ---- showing --------------------------------------------------------------------------------------------------- */

/* A DRM framebuffer without a console on it stays dark until it is panned or unblanked, one page or many; and a console
 * may have blanked any screen. */
static int
light_up (BaDisplay *display)
{
  BaiFbState *state = display->state;
  if (state->lit)
    return 0;
  int r = bai_fb_ioctl (display, FBIOBLANK, (void *) (uintptr_t) FB_BLANK_UNBLANK);
  if (r == -EBUSY)
    return r;
  state->lit = true;
  return 0;
}

/* -EINVAL means a wrong page to whoever flips: a device that refuses what it took at open is something else. -ENOSPC is
 * what DRM says of a place outside of its memory. */
static int
refused_pan (int code)
{
  return code == -EINVAL || code == -ENOTTY || code == -ENOSPC ? -ENOTSUP : code;
}

static int
fbdev_show (BaDisplay *display, unsigned page)
{
  BaiFbState *state = display->state;
  int r = bai_fb_colours_show (display);
  if (r == -EBUSY)
    return r;
  if (display->info.n_pages > 1) {
    r = bai_fb_pan (display, 0, page * state->var.yres);
    if (r == 0)
      (void) light_up (display); /* the page is on its way: too late to refuse */
    return refused_pan (r);
  }
  if (state->lit)
    return 0; /* the one page is where it belongs */
  r = state->can_pan ? bai_fb_pan (display, 0, 0) : bai_fb_pan (display, state->var.xoffset, state->var.yoffset);
  if (r == -EBUSY || (r < 0 && state->can_pan))
    return refused_pan (r);
  return light_up (display);
}

const BaDisplayOps bai_fbdev_ops = {
  .kind = "fbdev",
  .open = fbdev_open,
  .show = fbdev_show,
  .wait_vsync = bai_fb_wait_vsync,
  .check_mode = bai_fb_mode_changed,
  .restore = fbdev_restore,
  .finish = close_device,
};
