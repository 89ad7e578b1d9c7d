/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fbdev-format.c: which pixel format the mode of a framebuffer is, as a DRM fourcc.
 *
 * The kernel describes pixels in four ways: the places of three colours in a word, a number of grey levels, one bit
 * with a meaning, or the fourcc of V4L2. What has no name here is refused with what was seen and what to do, because
 * the alternative is a picture in wrong colours.
 */
#include <errno.h>
#include <string.h>

#include "fbdev-private.h"

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

/* V4L2's codes for the formats that a display has here. Where both use the same four letters they mean the same. */
static const struct
{
  uint32_t v4l2;
  uint32_t fourcc;
} v4l2_names[] = {
  { BA_FOURCC ('G', 'R', 'E', 'Y'), BA_FOURCC_R8 },
  { BA_FOURCC ('R', 'G', 'B', 'P'), BA_FOURCC ('R', 'G', '1', '6') },
  { BA_FOURCC ('R', 'G', 'B', 'O'), BA_FOURCC ('X', 'R', '1', '5') },
  { BA_FOURCC ('R', 'G', 'B', '3'), BA_FOURCC ('B', 'G', '2', '4') },
  { BA_FOURCC ('B', 'G', 'R', '3'), BA_FOURCC ('R', 'G', '2', '4') },
  { BA_FOURCC ('R', 'G', 'B', '4'), BA_FOURCC ('B', 'X', '2', '4') },
  { BA_FOURCC ('B', 'G', 'R', '4'), BA_FOURCC ('X', 'R', '2', '4') },
};

/* What one of the ways below has found. fourcc 0 = nothing. */
typedef struct
{
  uint32_t fourcc;
  BaiFbColourNeed colour_need;
} Format;

static bool
same_bits (const struct fb_bitfield *field, uint8_t offset, uint8_t length)
{
  return field->offset == offset && field->length == length && field->msb_right == 0;
}

static uint32_t
fourcc_of_bits (const struct fb_var_screeninfo *var)
{
  for (size_t i = 0; i < sizeof pixel_bits / sizeof pixel_bits[0]; i++) {
    const PixelBits *p = &pixel_bits[i];
    if (p->bits_per_pixel == var->bits_per_pixel && same_bits (&var->red, p->red.offset, p->red.length)
        && same_bits (&var->green, p->green.offset, p->green.length)
        && same_bits (&var->blue, p->blue.offset, p->blue.length))
      return p->fourcc; /* bits of alpha are not looked at: a screen has nothing to blend with */
  }
  return 0;
}

static uint32_t
fourcc_of_v4l2 (uint32_t v4l2)
{
  for (size_t i = 0; i < sizeof v4l2_names / sizeof v4l2_names[0]; i++) {
    if (v4l2_names[i].v4l2 == v4l2)
      return v4l2_names[i].fourcc;
  }
  const BaiPixelName *pixel = bai_pixel_by_fourcc (v4l2);
  return pixel ? pixel->fourcc : 0;
}

static char
printable (uint32_t letter)
{
  letter &= 0xff;
  return letter >= 0x20 && letter < 0x7f ? (char) letter : '?';
}

static int
find_by_fourcc (const struct fb_var_screeninfo *var, const char *path, Format *format, BaError *error)
{
  uint32_t code = var->grayscale;
  format->fourcc = fourcc_of_v4l2 (code);
  if (format->fourcc)
    return 0;
  return ba_error_set (error, -ENOTSUP,
                       "%.150s: its mode has the pixel format \"%c%c%c%c\", which cannot be shown (try fbset "
                       "-depth 32)",
                       path, printable (code), printable (code >> 8), printable (code >> 16), printable (code >> 24));
}

static int
find_mono (const struct fb_var_screeninfo *var, const struct fb_fix_screeninfo *fix, const char *path, Format *format,
           BaError *error)
{
  if (var->bits_per_pixel != 1 || var->nonstd != 0 || var->grayscale > 1 || var->red.msb_right != 0)
    return ba_error_set (error, -ENOTSUP,
                         "%.100s: monochrome with %u bits a pixel, nonstd %u, grayscale %u%s: only 1 bit with the "
                         "first pixel in a byte's highest bit can be shown",
                         path, var->bits_per_pixel, var->nonstd, var->grayscale,
                         var->red.msb_right ? ", first pixel in the lowest bit" : "");
  format->fourcc = fix->visual == FB_VISUAL_MONO01 ? BA_FOURCC_D1 : BA_FOURCC_R1;
  return 0;
}

/* One byte a pixel: grey where the driver says so, or where a colour map makes it so. */
static void
find_grey (const struct fb_var_screeninfo *var, const struct fb_fix_screeninfo *fix, Format *format)
{
  if (var->bits_per_pixel != 8 || var->nonstd != 0 || var->grayscale > 1)
    return;
  bool told = var->grayscale == 1;
  switch (fix->visual) {
    case FB_VISUAL_PSEUDOCOLOR:
      format->colour_need = told ? BAI_FB_COLOURS_WANTED : BAI_FB_COLOURS_NEEDED;
      break;
    case FB_VISUAL_STATIC_PSEUDOCOLOR:
      format->colour_need = told ? BAI_FB_COLOURS_NONE : BAI_FB_COLOURS_FIXED;
      break;
    default:
      if (!told)
        return;
      format->colour_need = BAI_FB_COLOURS_NONE;
  }
  format->fourcc = BA_FOURCC_R8;
}

static int
find_format (const struct fb_var_screeninfo *var, const struct fb_fix_screeninfo *fix, const char *path, Format *format,
             BaError *error)
{
  *format = (Format){ 0 };
  if (var->grayscale > 1 && (fix->capabilities & FB_CAP_FOURCC))
    return find_by_fourcc (var, path, format, error);
  if (fix->type != FB_TYPE_PACKED_PIXELS)
    return ba_error_set (error, -ENOTSUP,
                         "%.150s: its pixels are not packed (type %u, visual %u, %u bits), and cannot be shown (try "
                         "fbset -depth 32)",
                         path, fix->type, fix->visual, var->bits_per_pixel);
  if (fix->visual == FB_VISUAL_MONO01 || fix->visual == FB_VISUAL_MONO10)
    return find_mono (var, fix, path, format, error);
  find_grey (var, fix, format);
  if (format->fourcc)
    return 0;
  if (fix->visual != FB_VISUAL_TRUECOLOR && fix->visual != FB_VISUAL_DIRECTCOLOR)
    return ba_error_set (error, -ENOTSUP,
                         "%.150s: pixels of visual %u with %u bits: only true colours, 8 bits of grey and 1 bit can be "
                         "shown (try fbset -depth 32)",
                         path, fix->visual, var->bits_per_pixel);
  if (var->nonstd == 0 && var->grayscale == 0)
    format->fourcc = fourcc_of_bits (var);
  if (!format->fourcc)
    return ba_error_set (
        error, -ENOTSUP,
        "%.100s: no name for pixels of %u bits with red %u/%u, green %u/%u, blue %u/%u (offset/length), nonstd %u, "
        "grayscale %u",
        path, var->bits_per_pixel, var->red.offset, var->red.length, var->green.offset, var->green.length,
        var->blue.offset, var->blue.length, var->nonstd, var->grayscale);
  format->colour_need = fix->visual == FB_VISUAL_DIRECTCOLOR ? BAI_FB_COLOURS_WANTED : BAI_FB_COLOURS_NONE;
  return 0;
}

int
bai_fb_describe (BaDisplay *display, const char *path, BaError *error)
{
  BaiFbState *state = display->state;
  const struct fb_var_screeninfo *var = &state->var;
  const struct fb_fix_screeninfo *fix = &state->fix;
  BaLayout *layout = &display->info.layout;
  Format format;

  int r = find_format (var, fix, path, &format, error);
  if (r < 0)
    return r;
  if (var->xres == 0 || var->yres == 0 || var->xres > BAI_MAX_SCREEN_PX || var->yres > BAI_MAX_SCREEN_PX)
    return ba_error_set (error, -ENODEV, "%.150s: has no mode (%ux%u): is a screen connected?", path, var->xres,
                         var->yres);
  uint32_t bits_per_pixel = bai_pixel_by_fourcc (format.fourcc)->bits_per_pixel;
  if (fix->line_length < bai_row_bytes (var->xres, bits_per_pixel) || fix->line_length / var->yres > fix->smem_len
      || (uint64_t) fix->line_length * var->yres > fix->smem_len)
    return ba_error_set (error, -ENOTSUP, "%.150s: %ux%u pixels in rows of %u bytes do not fit into its %u bytes", path,
                         var->xres, var->yres, fix->line_length, fix->smem_len);
  memset (layout, 0, sizeof *layout);
  layout->fourcc = format.fourcc;
  layout->width_px = var->xres;
  layout->height_px = var->yres;
  layout->n_planes = 1;
  layout->stride_bytes[0] = fix->line_length;
  state->bits_per_pixel = bits_per_pixel;
  state->colour_need = format.colour_need;
  return 0;
}
