/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fbdev.c: /dev/fbN: saves the mode, makes room for more pages, maps them, pans, waits for vsync, puts the mode back.
 *
 * Drivers say yes to what they do not do: a grown virtual screen, a pan, a vsync that returns at once. So nothing is
 * believed that was not read back, tried or measured, and what cannot be had becomes one page or the clock's pace, not
 * an error. The memory is slow to read (write-combined): nothing here reads it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "display-private.h"
#include "layout-private.h"
#include "log.h"

/* Whoever asks for more pages than this is not taken at his word: every one that is too many costs a mode set. */
#define MAX_PAGES_ASKED 32
#define ASSUMED_PERIOD_NS (UINT64_C (1000000000) / 60)
#define SLOWEST_PERIOD_NS (UINT64_C (1000000000) / 20)
#define FASTEST_PERIOD_NS (UINT64_C (1000000000) / 300)
/* A vsync wait is trusted after this many that took their time, and given up after this many in a row that did not. */
#define VSYNC_PROVEN 3
#define VSYNC_INSTANT 2
/* A wait that took this many periods, and at least this long, is the last one: the output may be off. */
#define VSYNC_LATE_PERIODS 3
#define VSYNC_LATE_NS 100000000

typedef struct
{
  int fd;
  struct fb_var_screeninfo saved; /* as it was before us, whole */
  struct fb_var_screeninfo var; /* as we have it now */
  struct fb_fix_screeninfo fix;
  void *mapping;
  size_t mapping_bytes;
  bool can_pan;
  bool lit; /* something was shown, and the screen switched on for it */
  unsigned slow_vsyncs;
  unsigned instant_vsyncs;
} FbdevState;

/* Offset and length in bits of red, green and blue in a little-endian word, as the kernel describes pixels. */
typedef struct
{
  uint32_t bits_per_pixel;
  struct
  {
    uint8_t offset;
    uint8_t length;
  } red, green, blue;
  uint32_t fourcc;
} PixelBits;

static const PixelBits pixel_bits[] = {
  { 32, { 16, 8 }, { 8, 8 }, { 0, 8 }, BA_FOURCC ('X', 'R', '2', '4') },
  { 32, { 0, 8 }, { 8, 8 }, { 16, 8 }, BA_FOURCC ('X', 'B', '2', '4') },
  { 32, { 8, 8 }, { 16, 8 }, { 24, 8 }, BA_FOURCC ('B', 'X', '2', '4') },
  { 32, { 24, 8 }, { 16, 8 }, { 8, 8 }, BA_FOURCC ('R', 'X', '2', '4') },
  { 24, { 16, 8 }, { 8, 8 }, { 0, 8 }, BA_FOURCC ('R', 'G', '2', '4') },
  { 24, { 0, 8 }, { 8, 8 }, { 16, 8 }, BA_FOURCC ('B', 'G', '2', '4') },
  { 16, { 11, 5 }, { 5, 6 }, { 0, 5 }, BA_FOURCC ('R', 'G', '1', '6') },
  { 16, { 0, 5 }, { 5, 6 }, { 11, 5 }, BA_FOURCC ('B', 'G', '1', '6') },
  { 16, { 10, 5 }, { 5, 5 }, { 0, 5 }, BA_FOURCC ('X', 'R', '1', '5') },
  { 15, { 10, 5 }, { 5, 5 }, { 0, 5 }, BA_FOURCC ('X', 'R', '1', '5') },
};

/* ---- the device's words ---------------------------------------------------------------------------------------- */

static int
fb_ioctl (const BaDisplay *display, unsigned long request, void *arg)
{
  const FbdevState *state = display->state;
  return display->calls->ioctl (display->calls->ctx, state->fd, request, arg) < 0 ? -errno : 0;
}

static int
read_mode (BaDisplay *display)
{
  FbdevState *state = display->state;
  int r = fb_ioctl (display, FBIOGET_VSCREENINFO, &state->var);
  return r < 0 ? r : fb_ioctl (display, FBIOGET_FSCREENINFO, &state->fix);
}

static int
put_mode (BaDisplay *display, const struct fb_var_screeninfo *wanted)
{
  struct fb_var_screeninfo var = *wanted; /* the driver writes what it made of it */
  var.activate = FB_ACTIVATE_NOW;
  return fb_ioctl (display, FBIOPUT_VSCREENINFO, &var);
}

static int
pan (BaDisplay *display, uint32_t xoffset, uint32_t yoffset)
{
  const FbdevState *state = display->state;
  struct fb_var_screeninfo var = state->var;
  var.xoffset = xoffset;
  var.yoffset = yoffset;
  var.activate = FB_ACTIVATE_NOW;
  var.vmode &= ~(uint32_t) FB_VMODE_YWRAP; /* wrapped, yoffset would mean something else */
  return fb_ioctl (display, FBIOPAN_DISPLAY, &var);
}

static int
in_use (const char *path, BaError *error)
{
  return ba_error_set (error, -EBUSY, "%.150s: display in use by another program (a DRM master such as a desktop?)",
                       path);
}

static int
call_failed (const char *path, const char *what, int code, BaError *error)
{
  if (code == -EBUSY)
    return in_use (path, error);
  if (code == -ENOTTY || code == -EINVAL)
    return ba_error_set (error, -ENODEV, "%.150s is no framebuffer device: it does not %s", path, what);
  return ba_error_set (error, code, "%.150s does not %s: %s", path, what, ba_error_text (code));
}

/* ---- what kind of pixels --------------------------------------------------------------------------------------- */

static bool
same_bits (const struct fb_bitfield *field, uint8_t offset, uint8_t length)
{
  return field->offset == offset && field->length == length && field->msb_right == 0;
}

static const PixelBits *
find_pixel_bits (const struct fb_var_screeninfo *var)
{
  for (size_t i = 0; i < sizeof pixel_bits / sizeof pixel_bits[0]; i++) {
    const PixelBits *p = &pixel_bits[i];
    if (p->bits_per_pixel == var->bits_per_pixel && same_bits (&var->red, p->red.offset, p->red.length)
        && same_bits (&var->green, p->green.offset, p->green.length)
        && same_bits (&var->blue, p->blue.offset, p->blue.length))
      return p; /* bits of alpha are not looked at: a screen has nothing to blend with */
  }
  return NULL;
}

/* Fills the layout, or says what is wrong with the mode. */
static int
describe_mode (BaDisplay *display, const char *path, BaError *error)
{
  const FbdevState *state = display->state;
  const struct fb_var_screeninfo *var = &state->var;
  const struct fb_fix_screeninfo *fix = &state->fix;
  BaLayout *layout = &display->info.layout;

  if (fix->type != FB_TYPE_PACKED_PIXELS
      || (fix->visual != FB_VISUAL_TRUECOLOR && fix->visual != FB_VISUAL_DIRECTCOLOR))
    return ba_error_set (
        error, -ENOTSUP,
        "%.100s: pixels of type %u, visual %u, %u bits: only packed pixels with true colours can be shown (try "
        "fbset -depth 32)",
        path, fix->type, fix->visual, var->bits_per_pixel);
  const PixelBits *bits = var->nonstd == 0 && var->grayscale == 0 ? find_pixel_bits (var) : NULL;
  if (!bits)
    return ba_error_set (
        error, -ENOTSUP,
        "%.100s: no name for pixels of %u bits with red %u/%u, green %u/%u, blue %u/%u (offset/length), nonstd %u, "
        "grayscale %u",
        path, var->bits_per_pixel, var->red.offset, var->red.length, var->green.offset, var->green.length,
        var->blue.offset, var->blue.length, var->nonstd, var->grayscale);

  uint32_t bytes_per_pixel = (bits->bits_per_pixel + 7) / 8;
  if (var->xres == 0 || var->yres == 0 || var->xres > BAI_MAX_SCREEN_PX || var->yres > BAI_MAX_SCREEN_PX)
    return ba_error_set (error, -ENODEV, "%.150s: has no mode (%ux%u): is a screen connected?", path, var->xres,
                         var->yres);
  if (fix->line_length < var->xres * bytes_per_pixel || fix->line_length / var->yres > fix->smem_len
      || (uint64_t) fix->line_length * var->yres > fix->smem_len)
    return ba_error_set (error, -ENOTSUP, "%.150s: %ux%u pixels in rows of %u bytes do not fit into its %u bytes", path,
                         var->xres, var->yres, fix->line_length, fix->smem_len);
  memset (layout, 0, sizeof *layout);
  layout->fourcc = bits->fourcc;
  layout->width_px = var->xres;
  layout->height_px = var->yres;
  layout->n_planes = 1;
  layout->stride_bytes[0] = fix->line_length;
  return 0;
}

/* Whether the mode is still the one that was saved, but for the size of the virtual screen. */
static bool
same_mode (const struct fb_var_screeninfo *a, const struct fb_var_screeninfo *b)
{
  return a->xres == b->xres && a->yres == b->yres && a->xoffset == b->xoffset && a->yoffset == b->yoffset
         && a->bits_per_pixel == b->bits_per_pixel && a->grayscale == b->grayscale && a->nonstd == b->nonstd
         && memcmp (&a->red, &b->red, sizeof a->red) == 0 && memcmp (&a->green, &b->green, sizeof a->green) == 0
         && memcmp (&a->blue, &b->blue, sizeof a->blue) == 0;
}

static uint64_t
period_of (const struct fb_var_screeninfo *var)
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

static size_t
page_bytes_of (const FbdevState *state)
{
  return (size_t) state->fix.line_length * state->var.yres;
}

static unsigned
pages_of (const FbdevState *state)
{
  size_t in_memory = state->fix.smem_len / page_bytes_of (state);
  uint32_t in_rows = state->var.yres_virtual / state->var.yres;
  return in_memory < in_rows ? (unsigned) in_memory : in_rows;
}

static bool
pan_steps_fit (const FbdevState *state)
{
  return state->fix.ypanstep != 0 && state->var.yres % state->fix.ypanstep == 0;
}

/* The pan that changes nothing: to the place that is shown. Only a device that accepts it is asked for more. */
static int
try_pan (BaDisplay *display, const char *path, BaError *error)
{
  FbdevState *state = display->state;
  int r = pan (display, state->var.xoffset, state->var.yoffset);
  if (r == -EBUSY)
    return in_use (path, error);
  state->can_pan = r == 0 && pan_steps_fit (state);
  return 0;
}

/* One attempt to have @wanted pages. 1 = there are more now than @before; 0 = no; negative = the device is lost. */
static int
grow_to (BaDisplay *display, unsigned wanted, unsigned before)
{
  FbdevState *state = display->state;
  struct fb_var_screeninfo var = state->saved;
  var.yres_virtual = wanted * var.yres;
  var.vmode &= ~(uint32_t) FB_VMODE_YWRAP;
  int r = put_mode (display, &var);
  if (r == -EBUSY)
    return r;
  int read = read_mode (display); /* also after a refusal: some change something first */
  if (read < 0)
    return read;
  return r == 0 && same_mode (&state->var, &state->saved) && state->fix.line_length != 0 && pages_of (state) > before;
}

/* Leaves the mode with as many pages as can be had, at most @wanted, at least those it had. */
static int
grow (BaDisplay *display, unsigned wanted, const char *path, BaError *error)
{
  FbdevState *state = display->state;
  unsigned before = pages_of (state);
  int r = 0;
  if (before >= wanted)
    return 0;
  for (unsigned n = wanted; n > before && r == 0; n--)
    r = grow_to (display, n, before);
  if (r == 0) {
    (void) put_mode (display, &state->saved); /* what came of it is read, not believed */
    r = read_mode (display);
  }
  return r < 0 ? call_failed (path, "change or tell its mode", r, error) : 0;
}

static int
count_pages (BaDisplay *display, const char *path, const BaDisplayOptions *options, BaError *error)
{
  FbdevState *state = display->state;
  unsigned wanted = options->pages ? options->pages : BA_DISPLAY_MAX_PAGES;
  if (wanted > MAX_PAGES_ASKED)
    wanted = MAX_PAGES_ASKED;
  int r = try_pan (display, path, error);
  if (r == 0 && state->can_pan && wanted > 1)
    r = grow (display, wanted, path, error);
  if (r == 0)
    r = describe_mode (display, path, error); /* the stride may have changed with the size */
  if (r < 0)
    return r;
  /* ypanstep is told anew with every mode, and a grown one must still be shown where it was */
  if (state->can_pan && wanted > 1)
    r = try_pan (display, path, error);
  if (r < 0)
    return r;
  unsigned n = state->can_pan ? pages_of (state) : 1;
  display->info.n_pages = n < 1 ? 1 : n < wanted ? n : wanted;
  return 0;
}

/* ---- mapping --------------------------------------------------------------------------------------------------- */

/* Finds out where page 0 begins: at the start of the memory, or, where the screen cannot be moved, where it is. */
static int
map_pages (BaDisplay *display, const char *path, BaError *error)
{
  FbdevState *state = display->state;
  BaDisplayInfo *info = &display->info;
  size_t first_bytes = 0;
  info->page_bytes = page_bytes_of (state);
  if (!state->can_pan) {
    first_bytes = (size_t) state->var.yoffset * state->fix.line_length;
    info->layout.offset_bytes[0] = (size_t) state->var.xoffset * ((state->var.bits_per_pixel + 7) / 8);
  }
  size_t needed_bytes = first_bytes + info->n_pages * info->page_bytes;
  size_t last_row_bytes =
      info->layout.offset_bytes[0] + (size_t) info->layout.width_px * ((state->var.bits_per_pixel + 7) / 8);
  if (needed_bytes > state->fix.smem_len || last_row_bytes > state->fix.line_length)
    return ba_error_set (error, -ENOTSUP, "%.150s: what it shows, from %u,%u on, lies outside its memory", path,
                         state->var.xoffset, state->var.yoffset);

  /* The kernel maps whole memory pages, from the one in which the video memory begins. */
  size_t lead_bytes = state->fix.smem_start % (unsigned long) sysconf (_SC_PAGESIZE);
  state->mapping_bytes = lead_bytes + needed_bytes;
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

/* The page that is looked at now, the lower one where it is two. */
static unsigned
start_page_of (const FbdevState *state, unsigned n_pages)
{
  unsigned upper = state->var.yoffset / state->var.yres;
  unsigned lower = (state->var.yoffset + state->var.yres - 1) / state->var.yres;
  if (!state->can_pan)
    return 0;
  return lower < n_pages ? lower : upper < n_pages ? upper : n_pages - 1;
}

/* ---- the hooks ------------------------------------------------------------------------------------------------- */

static int
open_device (BaDisplay *display, const char *path, BaError *error)
{
  FbdevState *state = display->state;
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
      return in_use (path, error);
    default:
      return ba_error_set (error, -code, "cannot open %.150s: %s", path, ba_error_text (-code));
  }
}

static void
close_device (BaDisplay *display)
{
  FbdevState *state = display->state;
  if (state->mapping)
    display->calls->munmap (display->calls->ctx, state->mapping, state->mapping_bytes);
  if (state->fd >= 0)
    display->calls->close (display->calls->ctx, state->fd);
  free (state);
  display->state = NULL;
}

static void
fbdev_restore (BaDisplay *display)
{
  FbdevState *state = display->state;
  struct fb_var_screeninfo var = state->saved; /* with its YWRAP bit, should it have one */
  var.activate = FB_ACTIVATE_NOW;
  int r = put_mode (display, &state->saved);
  if (r == 0 && state->can_pan)
    r = fb_ioctl (display, FBIOPAN_DISPLAY, &var);
  if (r == 0)
    return;
  /* a fixed screen may refuse every change, and then needs none back */
  struct fb_var_screeninfo now;
  if (fb_ioctl (display, FBIOGET_VSCREENINFO, &now) == 0 && memcmp (&now, &state->saved, sizeof now) == 0)
    return;
  ba_log (BA_LOG_WARNING, "fbdev %s: cannot put its mode back: %s", display->info.name, ba_error_text (r));
}

static int
fbdev_open (BaDisplay *display, const BaiDeviceString *device, const BaDisplayOptions *options, BaError *error)
{
  const char *path = device->path;
  FbdevState *state = calloc (1, sizeof *state);
  if (!state)
    return ba_error_set (error, -ENOMEM, "no memory for a display");
  display->state = state;
  int r = open_device (display, path, error);
  if (r == 0) {
    r = read_mode (display);
    if (r < 0)
      r = call_failed (path, "tell its mode", r, error);
  }
  if (r == 0) {
    state->saved = state->var;
    snprintf (display->info.name, sizeof display->info.name, "%.*s", (int) sizeof state->fix.id, state->fix.id);
    r = describe_mode (display, path, error);
  }
  if (r < 0) {
    close_device (display);
    return r;
  }

  r = count_pages (display, path, options, error);
  if (r == 0)
    r = map_pages (display, path, error);
  if (r < 0) {
    fbdev_restore (display);
    close_device (display);
    return r;
  }
  display->start_page = start_page_of (state, display->info.n_pages);
  display->info.period_ns = period_of (&state->var);
  return 0;
}

/* A DRM framebuffer without a console on it stays dark until it is panned or unblanked, one page or many; and a console
 * may have blanked any screen. */
static int
light_up (BaDisplay *display)
{
  FbdevState *state = display->state;
  if (state->lit)
    return 0;
  int r = fb_ioctl (display, FBIOBLANK, (void *) (uintptr_t) FB_BLANK_UNBLANK);
  if (r == -EBUSY)
    return r;
  state->lit = true;
  return 0;
}

static int
fbdev_show (BaDisplay *display, unsigned page)
{
  FbdevState *state = display->state;
  int r;
  if (display->info.n_pages > 1) {
    r = pan (display, 0, page * state->var.yres);
    if (r == 0)
      (void) light_up (display); /* the page is on its way: too late to refuse */
    return r;
  }
  if (state->lit)
    return 0; /* the one page is where it belongs */
  r = state->can_pan ? pan (display, 0, 0) : pan (display, state->var.xoffset, state->var.yoffset);
  if (r == -EBUSY || (r < 0 && state->can_pan))
    return r;
  return light_up (display);
}

/* Many drivers have this call and return from it at once. Pacing on those would spin, so the first few are measured: a
 * quick one may be luck (the vsync was due), a second one right after it cannot be. Others wait for a time-out of their
 * own when the output is off, so that every flip would take as long: one such wait is enough. The call cannot be
 * interrupted; a driver that never returns from it cannot be helped here. */
static int
fbdev_wait_vsync (BaDisplay *display)
{
  FbdevState *state = display->state;
  const BaDeviceCalls *calls = display->calls;
  for (;;) {
    uint32_t crtc = 0;
    int64_t began_ns = calls->now_ns (calls->ctx);
    if (fb_ioctl (display, FBIO_WAITFORVSYNC, &crtc) < 0)
      return -ENOTSUP;
    int64_t took_ns = calls->now_ns (calls->ctx) - began_ns;
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

const BaDisplayOps bai_fbdev_ops = {
  .kind = "fbdev",
  .open = fbdev_open,
  .show = fbdev_show,
  .wait_vsync = fbdev_wait_vsync,
  .restore = fbdev_restore,
  .finish = close_device,
};
