/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fbdev-colours.c: the colour map between a framebuffer's memory and its screen, where it has one.
 *
 * With DIRECTCOLOR each colour of a pixel goes through a table, with PSEUDOCOLOR the pixel is a place in one. Set to
 * rising brightness, both show what is written: true colours, and 256 levels of grey. The map is somebody else's, so it
 * is saved whole, changed with the first page that is shown, and put back at close.
 */
#include <errno.h>
#include <string.h>

#include "fbdev-private.h"
#include "log.h"

static struct fb_cmap
as_cmap (uint16_t map[3][BAI_FB_MAX_COLOURS], uint32_t n)
{
  return (struct fb_cmap){ .start = 0, .len = n, .red = map[0], .green = map[1], .blue = map[2] };
}

static int
get_map (const BaDisplay *display, uint16_t map[3][BAI_FB_MAX_COLOURS], uint32_t n)
{
  struct fb_cmap cmap = as_cmap (map, n);
  memset (map, 0, 3 * sizeof map[0]);
  return bai_fb_ioctl (display, FBIOGETCMAP, &cmap);
}

static int
put_map (const BaDisplay *display, uint16_t map[3][BAI_FB_MAX_COLOURS], uint32_t n)
{
  struct fb_cmap cmap = as_cmap (map, n);
  return bai_fb_ioctl (display, FBIOPUTCMAP, &cmap);
}

static bool
same_map (uint16_t (*a)[BAI_FB_MAX_COLOURS], uint16_t (*b)[BAI_FB_MAX_COLOURS], uint32_t n)
{
  for (unsigned c = 0; c < 3; c++) {
    if (memcmp (a[c], b[c], n * sizeof a[c][0]) != 0)
      return false;
  }
  return true;
}

/* From black to full, and full from there on where a colour has fewer values than another. Returns their number. */
static uint32_t
fill_linear (const BaiFbState *state, uint16_t map[3][BAI_FB_MAX_COLOURS])
{
  const struct fb_bitfield *fields[3] = { &state->var.red, &state->var.green, &state->var.blue };
  bool grey = state->bits_per_pixel == 8;
  uint32_t most = 0;
  for (unsigned c = 0; c < 3; c++) {
    uint32_t n = grey ? BAI_FB_MAX_COLOURS : UINT32_C (1) << fields[c]->length; /* a format of ours: 8 bits at most */
    for (uint32_t i = 0; i < BAI_FB_MAX_COLOURS; i++)
      map[c][i] = (uint16_t) (i < n ? i * 65535 / (n - 1) : 65535);
    if (n > most)
      most = n;
  }
  return most;
}

static int
cannot_be_set (const BaDisplay *display, const char *path, int code, BaError *error)
{
  const BaiFbState *state = display->state;
  if (code == -EBUSY)
    return bai_fb_in_use (path, error);
  if (state->colour_need == BAI_FB_COLOURS_NEEDED)
    return ba_error_set (error, -ENOTSUP,
                         "%.150s: 8 bits a pixel, and its colour map cannot be made grey (%s): try fbset -depth 32",
                         path, ba_error_text (code));
  ba_log (BA_LOG_INFO, "fbdev %s: its colour map cannot be read or set (%s), colours may be wrong", display->info.name,
          ba_error_text (code));
  return 0;
}

int
bai_fb_colours_open (BaDisplay *display, const char *path, BaError *error)
{
  BaiFbState *state = display->state;
  BaiFbColours *colours = &state->colours;
  if (state->colour_need == BAI_FB_COLOURS_NONE)
    return 0;
  uint32_t n = fill_linear (state, colours->ours);
  int r = get_map (display, colours->saved, n);
  if (r == 0 && same_map (colours->saved, colours->ours, n))
    return 0;
  if (state->colour_need == BAI_FB_COLOURS_FIXED)
    return ba_error_set (error, -ENOTSUP,
                         "%.150s: 8 bits a pixel in fixed colours that are no grey: try fbset -depth 32", path);
  if (r == 0)
    r = put_map (display, colours->saved, n);
  if (r < 0)
    return cannot_be_set (display, path, r, error);
  colours->n = n;
  return 0;
}

int
bai_fb_colours_show (BaDisplay *display)
{
  BaiFbColours *colours = &((BaiFbState *) display->state)->colours;
  if (colours->n == 0 || colours->is_set)
    return 0;
  int r = put_map (display, colours->ours, colours->n);
  colours->is_set = r == 0;
  return r;
}

int
bai_fb_colours_restore (BaDisplay *display, bool only_ours)
{
  BaiFbColours *colours = &((BaiFbState *) display->state)->colours;
  uint16_t now[3][BAI_FB_MAX_COLOURS];
  if (!colours->is_set)
    return 0;
  if (only_ours && get_map (display, now, colours->n) == 0 && !same_map (now, colours->ours, colours->n))
    return 0;
  return put_map (display, colours->saved, colours->n);
}
