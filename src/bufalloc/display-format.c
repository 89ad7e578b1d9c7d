/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * display-format.c: what kinds of display differ in: which other formats one could have, what the colours of its frames
 * mean, and whether others can have its pages. A kind without an answer has one format, colours that nobody can change,
 * and pages that are its own.
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
