/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * display-format.c: which other formats a display could have, and what the colours of its frames mean. Both are the
 * device's business: a kind without an answer has one format, and colours that nobody can change.
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
