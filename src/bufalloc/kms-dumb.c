/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kms-dumb.c: pages from dumb buffers: one buffer, one framebuffer and one handle for each, mapped side by side.
 *
 * A page's number is its place in memory, for whoever draws and for display.c. So room for all of them is reserved, and
 * each buffer is mapped over its part. Pitch and size are the driver's. What a card cannot give any more of, it gives
 * fewer of.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kms-private.h"
#include "layout-private.h"

static void
free_page (BaDisplay *display, BaiKmsPage *page)
{
  if (page->fb_id)
    (void) bai_kms_call (display, DRM_IOCTL_MODE_RMFB, &page->fb_id);
  if (page->handle)
    bai_kms_unuse (display, page->handle);
  *page = (BaiKmsPage){ 0 };
}

static int
add_framebuffer (const BaDisplay *display, BaiKmsPage *page, const BaLayout *layout)
{
  struct drm_mode_fb_cmd2 fb = {
    .width = layout->width_px,
    .height = layout->height_px,
    .pixel_format = layout->fourcc,
  };
  for (unsigned i = 0; i < layout->n_planes; i++) {
    fb.handles[i] = page->handle;
    fb.pitches[i] = (uint32_t) layout->stride_bytes[i];
    fb.offsets[i] = (uint32_t) layout->offset_bytes[i];
  }
  int r = bai_kms_call (display, DRM_IOCTL_MODE_ADDFB2, &fb);
  if (r == 0)
    page->fb_id = fb.fb_id;
  return r;
}

/* The first page says how all of them lie. */
static int
describe (BaDisplayInfo *info, const BaiKmsFormat *format, const struct drm_mode_create_dumb *dumb, bool is_first)
{
  BaLayout layout = info->layout;
  size_t page_bytes;
  if (!bai_kms_lay_out (format, dumb->pitch, dumb->size, &layout)
      || !bai_round_up (dumb->size, (size_t) sysconf (_SC_PAGESIZE), &page_bytes))
    return -ENOTSUP;
  if (!is_first)
    return layout.stride_bytes[0] == info->layout.stride_bytes[0] && page_bytes == info->page_bytes ? 0 : -ENOTSUP;
  info->layout = layout;
  info->page_bytes = page_bytes;
  return 0;
}

static int
make_page (BaDisplay *display, const BaiKmsFormat *format, unsigned number)
{
  BaiKmsState *state = display->state;
  BaiKmsPage *page = &state->pages[number];
  struct drm_mode_create_dumb dumb = {
    .width = bai_kms_padded_width (format, display->info.layout.width_px),
    .height = bai_kms_total_rows (format, display->info.layout.height_px),
    .bpp = format->pixel_bytes[0] * 8u,
  };
  int r = bai_kms_call (display, DRM_IOCTL_MODE_CREATE_DUMB, &dumb);
  if (r == 0)
    r = bai_kms_use_page (display, dumb.handle);
  if (r < 0)
    return r;
  page->handle = dumb.handle;
  r = describe (&display->info, format, &dumb, number == 0);
  if (r == 0)
    r = add_framebuffer (display, page, &display->info.layout);
  if (r < 0)
    free_page (display, page);
  return r;
}

int
bai_kms_make_pages (BaDisplay *display, const BaiKmsFormat *format, unsigned count)
{
  const BaiKmsState *state = display->state;
  BaDisplayInfo *info = &display->info;
  int r = 0;
  memset (&info->layout, 0, sizeof info->layout);
  info->layout.width_px = state->page_width_px;
  info->layout.height_px = state->page_height_px;
  for (info->n_pages = 0; info->n_pages < count; info->n_pages++) {
    r = make_page (display, format, info->n_pages);
    if (r < 0)
      break;
  }
  return info->n_pages > 0 ? 0 : r;
}

static int
map_page (const BaDisplay *display, unsigned number)
{
  const BaiKmsState *state = display->state;
  const BaDeviceCalls *calls = display->calls;
  struct drm_mode_map_dumb map = { .handle = state->pages[number].handle };
  int r = bai_kms_call (display, DRM_IOCTL_MODE_MAP_DUMB, &map);
  if (r < 0)
    return r;
  size_t page_bytes = display->info.page_bytes;
  r = calls->mmap_over (calls->ctx, display->map + number * page_bytes, page_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                        state->fd, (off_t) map.offset);
  return r < 0 ? -errno : 0;
}

int
bai_kms_map_pages (BaDisplay *display)
{
  const BaDeviceCalls *calls = display->calls;
  size_t bytes;
  if (!bai_mul (display->info.page_bytes, display->info.n_pages, &bytes))
    return -ENOMEM;
  void *room = calls->mmap (calls->ctx, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED)
    return -errno;
  display->map_bytes = bytes;
  display->map = room;
  for (unsigned i = 0; i < display->info.n_pages; i++) {
    int r = map_page (display, i);
    if (r < 0)
      return r;
  }
  return 0;
}

/* Without DRM_RDWR nobody could map it for writing. */
int
bai_kms_export_page (BaDisplay *display, unsigned page)
{
  const BaiKmsState *state = display->state;
  struct drm_prime_handle arg = { .handle = state->pages[page].handle, .flags = DRM_CLOEXEC | DRM_RDWR };
  int r = bai_kms_call (display, DRM_IOCTL_PRIME_HANDLE_TO_FD, &arg);
  return r == -ENOSYS || r == -EOPNOTSUPP ? -ENOTSUP : r < 0 ? r : arg.fd;
}

bool
bai_kms_is_page_fb (const BaiKmsState *state, uint32_t fb_id)
{
  for (unsigned i = 0; fb_id && i < BA_DISPLAY_MAX_PAGES; i++) {
    if (state->pages[i].fb_id == fb_id)
      return true;
  }
  return false;
}

/* Framebuffers first: a handle that one refers to lives on. */
void
bai_kms_free_pages (BaDisplay *display)
{
  BaiKmsState *state = display->state;
  for (unsigned i = 0; i < BA_DISPLAY_MAX_PAGES; i++)
    free_page (display, &state->pages[i]);
}

void
bai_kms_free_inherited (BaDisplay *display)
{
  BaiKmsState *state = display->state;
  for (unsigned i = 0; i < BA_DISPLAY_MAX_PAGES; i++)
    free_page (display, &state->inherited[i]);
}
