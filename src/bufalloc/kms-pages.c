/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kms-pages.c: the pages of a display in the best format that the plane shows, the driver makes buffers for, and a test
 * commit takes; or in the one that was asked for, and no other.
 */
#include <errno.h>

#include "kms-private.h"

static int
try_format (BaDisplay *display, const BaiKmsFormat *format, const BaDisplayOptions *options)
{
  const BaiKmsState *state = display->state;
  unsigned count = options->pages ? options->pages : BAI_KMS_DEFAULT_PAGES;
  if (count > BA_DISPLAY_MAX_PAGES)
    count = BA_DISPLAY_MAX_PAGES;
  int r = bai_kms_make_pages (display, format, count);
  if (r == 0)
    r = bai_kms_test (display, state->pages[0].fb_id);
  if (bai_kms_lacks_master (r)) /* another one is, for a while; nobody can be asked before it is back */
    r = 0;
  if (r < 0)
    bai_kms_free_pages (display);
  return r;
}

static int
make_best_pages (BaDisplay *display, const BaDisplayOptions *options)
{
  const BaiKmsState *state = display->state;
  const BaiKmsFormat *format;
  int r = -ENOTSUP;
  if (options->fourcc) {
    format = bai_kms_format (options->fourcc);
    return format && bai_kms_has_format (state, options->fourcc) ? try_format (display, format, options) : -ENOTSUP;
  }
  for (unsigned n = 0; (format = bai_kms_rgb_format (n)); n++) {
    if (!bai_kms_has_format (state, format->fourcc))
      continue;
    r = try_format (display, format, options);
    if (r == 0 || r == -ENODEV)
      break;
  }
  return r;
}

int
bai_kms_make_all_pages (BaDisplay *display, const char *path, const BaDisplayOptions *options, BaError *error)
{
  const BaiKmsState *state = display->state;
  int r = make_best_pages (display, options);
  if (r < 0 && options->fourcc)
    return ba_error_set (error, r == -EINVAL || r == -ERANGE ? -ENOTSUP : r,
                         "%.100s: plane %u cannot show the format %.4s at %ux%u: %s", path, state->plane_id,
                         (const char *) &options->fourcc, display->info.layout.width_px, display->info.layout.height_px,
                         ba_error_text (r));
  if (r < 0)
    return ba_error_set (error, r == -EINVAL || r == -ERANGE ? -ENOTSUP : r,
                         "%.100s: plane %u shows nothing that we can draw, at %ux%u: %s", path, state->plane_id,
                         display->info.layout.width_px, display->info.layout.height_px, ba_error_text (r));
  r = bai_kms_map_pages (display);
  return r < 0 ? ba_error_set (error, r, "%.100s: cannot map its pages: %s", path, ba_error_text (r)) : 0;
}
