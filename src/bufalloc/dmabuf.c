/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dmabuf.c: pictures that are no pages: the calls of dmabuf.h that every kind of display shares, and the brackets around
 * what the CPU does. What an import is, is the display's kind's to know (kms-import.c).
 */
#include "dmabuf.h"

#include <errno.h>
#include <linux/dma-buf.h>

#include "display-private.h"

/* ---- the CPU's part ---------------------------------------------------------------------------------------------- */

int
bai_dmabuf_sync (const BaDeviceCalls *calls, int fd, unsigned access, bool is_end)
{
  struct dma_buf_sync sync = { .flags = is_end ? DMA_BUF_SYNC_END : DMA_BUF_SYNC_START };
  if (access & BA_DMABUF_READ)
    sync.flags |= DMA_BUF_SYNC_READ;
  if (access & BA_DMABUF_WRITE)
    sync.flags |= DMA_BUF_SYNC_WRITE;
  int r;
  do { /* waiting for a device's fence may be called off, and is begun again */
    r = calls->ioctl (calls->ctx, fd, DMA_BUF_IOCTL_SYNC, &sync) < 0 ? -errno : 0;
  } while (r == -EAGAIN);
  return r == -ENOTTY ? -ENOTSUP : r;
}

int
ba_dmabuf_begin_access (int fd, unsigned access)
{
  return bai_dmabuf_sync (&bai_device_calls, fd, access, false);
}

int
ba_dmabuf_end_access (int fd, unsigned access)
{
  return bai_dmabuf_sync (&bai_device_calls, fd, access, true);
}

/* ---- the display's ----------------------------------------------------------------------------------------------- */

int
bai_dmabuf_check (const BaDisplay *display, const BaDmabuf *picture, BaError *error)
{
  const BaLayout *layout = &picture->layout;
  if (!display->ops->import)
    return ba_error_set (error, -ENOTSUP, "a display of kind %s shows memory of its own only", display->info.kind);
  if (!display->info.can_flip)
    return ba_error_set (error, -ENOTSUP, "the screen has one page only");
  if (layout->n_planes == 0 || layout->n_planes > BA_MAX_PLANES || layout->width_px == 0 || layout->height_px == 0)
    return ba_error_set (error, -EINVAL, "a picture of %ux%u in %u planes", layout->width_px, layout->height_px,
                         layout->n_planes);
  for (unsigned i = 0; i < layout->n_planes; i++) {
    if (picture->fds[i] < 0 || layout->stride_bytes[i] == 0 || layout->stride_bytes[i] > UINT32_MAX
        || layout->offset_bytes[i] > UINT32_MAX)
      return ba_error_set (error, -EINVAL, "plane %u: file %d, stride %zu, offset %zu", i, picture->fds[i],
                           layout->stride_bytes[i], layout->offset_bytes[i]);
  }
  return 0;
}

int
ba_display_import (BaDisplay *display, const BaDmabuf *picture, BaError *error)
{
  int r = bai_dmabuf_check (display, picture, error);
  if (r < 0)
    return r;
  ba_display_ref (display);
  r = bai_display_enter (display);
  if (r < 0)
    ba_error_set (error, r, "the display is closed");
  if (r == 0) {
    r = display->ops->import (display, picture, error);
    bai_display_leave (display);
  }
  ba_display_unref (display);
  return r < 0 ? r : 0;
}

int
ba_display_flip_import (BaDisplay *display, const BaDmabuf *picture, BaShownFunc gone, void *user,
                        const BaCancel *cancel)
{
  BaiShown what = { .gone = gone, .user = user };
  int r = bai_dmabuf_check (display, picture, NULL);
  if (r == 0)
    r = bai_display_flip (display, &what, picture, cancel);
  if (r == 1 && gone)
    gone (user);
  return r;
}

unsigned
ba_display_get_modifiers (const BaDisplay *display, uint32_t fourcc, uint64_t *modifiers, unsigned room)
{
  return display->ops->get_modifiers ? display->ops->get_modifiers (display, fourcc, modifiers, room) : 0;
}

void
ba_display_forget_imports (BaDisplay *display)
{
  if (!display->ops->forget_imports)
    return;
  ba_display_ref (display);
  if (bai_display_enter (display) == 0) {
    display->ops->forget_imports (display);
    bai_display_leave (display);
  }
  ba_display_unref (display);
}
