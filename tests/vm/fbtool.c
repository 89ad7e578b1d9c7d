/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fbtool.c: what the tests do to a framebuffer or a text terminal as another program, and what they ask about it.
 *
 *   fbtool DEVICE info               prints size, virtual size, place, bits and stride
 *   fbtool DEVICE mode W H BITS      sets a mode, and prints what came of it
 *   fbtool DEVICE visible FILE       writes the rows that the driver says are shown, without what is behind them
 *   fbtool DEVICE top FILE           the same of the memory's beginning
 *   fbtool DEVICE console            has the text of /dev/tty1 drawn on it
 *   fbtool /dev/ttyN switch          changes to that terminal, and returns when it is there
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fb.h>
#include <linux/vt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static int
failed (const char *what)
{
  fprintf (stderr, "fbtool: %s: %s\n", what, strerror (errno));
  return 1;
}

static int
tell (int fd)
{
  struct fb_var_screeninfo var;
  struct fb_fix_screeninfo fix;
  if (ioctl (fd, FBIOGET_VSCREENINFO, &var) < 0 || ioctl (fd, FBIOGET_FSCREENINFO, &fix) < 0)
    return failed ("cannot read the mode");
  printf ("size=%ux%u virtual=%ux%u place=%u,%u bits=%u stride=%u memory=%u name=%.16s\n", var.xres, var.yres,
          var.xres_virtual, var.yres_virtual, var.xoffset, var.yoffset, var.bits_per_pixel, fix.line_length,
          fix.smem_len, fix.id);
  return 0;
}

/* Lets the driver choose the places of the colours, as fbset does. */
static int
set_mode (int fd, unsigned width, unsigned height, unsigned bits)
{
  struct fb_var_screeninfo var;
  if (ioctl (fd, FBIOGET_VSCREENINFO, &var) < 0)
    return failed ("cannot read the mode");
  var.xres = var.xres_virtual = width;
  var.yres = var.yres_virtual = height;
  var.xoffset = var.yoffset = 0;
  var.bits_per_pixel = bits;
  var.grayscale = 0;
  var.activate = FB_ACTIVATE_NOW;
  if (ioctl (fd, FBIOPUT_VSCREENINFO, &var) < 0)
    return failed ("cannot set the mode");
  return tell (fd);
}

static int
write_rows (int fd, bool visible, const char *path)
{
  struct fb_var_screeninfo var;
  struct fb_fix_screeninfo fix;
  if (ioctl (fd, FBIOGET_VSCREENINFO, &var) < 0 || ioctl (fd, FBIOGET_FSCREENINFO, &fix) < 0)
    return failed ("cannot read the mode");
  unsigned first = visible ? var.yoffset : 0;
  size_t row_bytes = ((size_t) var.xres * var.bits_per_pixel + 7) / 8;
  char *row = malloc (row_bytes);
  FILE *file = fopen (path, "we");
  if (!row || !file)
    return failed (path);
  for (unsigned y = 0; y < var.yres; y++) {
    off_t at = (off_t) (first + y) * fix.line_length + (off_t) var.xoffset * var.bits_per_pixel / 8;
    if (pread (fd, row, row_bytes, at) != (ssize_t) row_bytes || fwrite (row, 1, row_bytes, file) != row_bytes)
      return failed (path);
  }
  free (row);
  return fclose (file) == 0 ? 0 : failed (path);
}

static unsigned
minor_of (int fd)
{
  struct stat status;
  return fstat (fd, &status) == 0 ? minor (status.st_rdev) : 0;
}

static int
move_console (int fd)
{
  struct fb_con2fbmap map = { .console = 1, .framebuffer = minor_of (fd) };
  return ioctl (fd, FBIOPUT_CON2FBMAP, &map) < 0 ? failed ("cannot move the console") : 0;
}

static int
switch_to (int fd)
{
  unsigned number = minor_of (fd);
  if (ioctl (fd, VT_ACTIVATE, number) < 0 || ioctl (fd, VT_WAITACTIVE, number) < 0)
    return failed ("cannot change the terminal");
  return 0;
}

int
main (int argc, char **argv)
{
  const char *what = argc > 2 ? argv[2] : "";
  int fd = argc > 2 ? open (argv[1], O_RDWR | O_CLOEXEC) : -1;
  if (argc > 2 && fd < 0)
    return failed (argv[1]);
  if (argc == 3 && strcmp (what, "info") == 0)
    return tell (fd);
  if (argc == 3 && strcmp (what, "console") == 0)
    return move_console (fd);
  if (argc == 3 && strcmp (what, "switch") == 0)
    return switch_to (fd);
  if (argc == 6 && strcmp (what, "mode") == 0)
    return set_mode (fd, (unsigned) atoi (argv[3]), (unsigned) atoi (argv[4]), (unsigned) atoi (argv[5]));
  if (argc == 4 && (strcmp (what, "visible") == 0 || strcmp (what, "top") == 0))
    return write_rows (fd, strcmp (what, "visible") == 0, argv[3]);
  fprintf (stderr, "usage: fbtool DEVICE info | mode W H BITS | visible FILE | top FILE | console | switch\n");
  return 2;
}
