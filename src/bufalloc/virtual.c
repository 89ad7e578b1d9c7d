/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * virtual.c: a display in memory or in a file, for machines without a screen (virtual-display.h has the file's layout).
 *
 * Showing a page is two stores into the trailer. Vsyncs are the clock's (display.c). The file keeps its last picture
 * after close, so there is nothing to restore.
 */
#include "virtual-display.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "display-private.h"
#include "layout-private.h"

_Static_assert(sizeof (BaVirtualTrailer) <= BA_VIRTUAL_TRAILER_BYTES, "the trailer outgrew its place");

typedef struct
{
  int fd;
  size_t file_bytes;
  BaVirtualTrailer *trailer; /* inside the mapping */
  unsigned read_mbps; /* how fast pages are to seem when they are read, 0 = as they are */
} VirtualState;

/* A file while it is being opened, with what is needed to undo that. */
typedef struct
{
  const char *path; /* NULL = memory */
  int fd;
  bool created;
  off_t old_bytes;
  bool grown;
} Backing;

static int
open_file (const BaDeviceCalls *calls, Backing *backing, BaError *error)
{
  const int flags = O_CLOEXEC | O_CREAT | O_RDWR;
  struct stat status;

  /* O_EXCL tells whether the file is ours to remove when something fails */
  backing->fd = calls->open (calls->ctx, backing->path, flags | O_EXCL, 0644);
  backing->created = backing->fd >= 0;
  if (backing->fd < 0 && errno == EEXIST)
    backing->fd = calls->open (calls->ctx, backing->path, flags, 0644);
  if (backing->fd < 0) {
    int code = errno;
    return ba_error_set (error, -code, "cannot open %.180s for a virtual display: %s", backing->path,
                         ba_error_text (-code));
  }
  if (calls->fstat (calls->ctx, backing->fd, &status) < 0) {
    int code = errno;
    return ba_error_set (error, -code, "cannot look at %.180s: %s", backing->path, ba_error_text (-code));
  }
  if (!S_ISREG (status.st_mode))
    return ba_error_set (error, -EINVAL, "%.180s is no regular file: a virtual display needs one", backing->path);
  backing->old_bytes = status.st_size;
  return 0;
}

static int
open_backing (const BaDeviceCalls *calls, Backing *backing, BaError *error)
{
  if (backing->path)
    return open_file (calls, backing, error);
  backing->fd = calls->memfd_create (calls->ctx, "bufalloc-display", MFD_CLOEXEC);
  if (backing->fd < 0) {
    int code = errno;
    return ba_error_set (error, -code, "cannot make memory for a virtual display: %s", ba_error_text (-code));
  }
  return 0;
}

static void
undo_backing (const BaDeviceCalls *calls, const Backing *backing)
{
  if (backing->fd < 0)
    return;
  if (backing->grown && backing->path && !backing->created)
    (void) calls->ftruncate (calls->ctx, backing->fd, backing->old_bytes); /* best effort: the first error is told */
  if (backing->created)
    (void) calls->unlink (calls->ctx, backing->path);
  calls->close (calls->ctx, backing->fd);
}

/* Grows the file, maps it, and only then cuts off what is too much: up to there everything can be undone. */
static int
map_backing (const BaDeviceCalls *calls, Backing *backing, size_t file_bytes, uint8_t **map, BaError *error)
{
  const char *what = backing->path ? backing->path : "memory";
  off_t size = (off_t) file_bytes;
  if (size < 0 || (size_t) size != file_bytes)
    return ba_error_set (error, -EINVAL, "a virtual display of %zu bytes is too large here", file_bytes);
  backing->grown = true; /* also when it fails half way */
  if (calls->fallocate (calls->ctx, backing->fd, size) < 0) {
    int code = errno;
    return ba_error_set (error, -code, "no room for a virtual display of %zu bytes in %.150s: %s", file_bytes, what,
                         ba_error_text (-code));
  }
  void *address = calls->mmap (calls->ctx, file_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, backing->fd, 0);
  if (address == MAP_FAILED) {
    int code = errno;
    return ba_error_set (error, -code, "cannot map %zu bytes of %.150s: %s", file_bytes, what, ba_error_text (-code));
  }
  if (backing->old_bytes > size && calls->ftruncate (calls->ctx, backing->fd, size) < 0) {
    int code = errno;
    calls->munmap (calls->ctx, address, file_bytes);
    return ba_error_set (error, -code, "cannot shorten %.150s to %zu bytes: %s", what, file_bytes,
                         ba_error_text (-code));
  }
  *map = address;
  return 0;
}

/* The magic goes first, and its first byte comes last: a watcher never takes a half-written trailer for a whole one. */
static void
write_trailer (BaVirtualTrailer *trailer, const BaDisplayInfo *info)
{
  memset (trailer, 0, BA_VIRTUAL_TRAILER_BYTES);
  trailer->version = BA_VIRTUAL_VERSION;
  trailer->width_px = info->layout.width_px;
  trailer->height_px = info->layout.height_px;
  trailer->stride_bytes = (uint32_t) info->layout.stride_bytes[0];
  trailer->fourcc = info->layout.fourcc;
  trailer->page_count = info->n_pages;
  trailer->page_bytes = info->page_bytes;
  atomic_init (&trailer->front_page, 0);
  atomic_init (&trailer->sequence, 0);
  memcpy (trailer->magic + 1, BA_VIRTUAL_MAGIC + 1, sizeof trailer->magic - 1);
  __atomic_store_n (&trailer->magic[0], BA_VIRTUAL_MAGIC[0], __ATOMIC_RELEASE);
}

static void
describe (BaDisplayInfo *info, const BaiDeviceString *device, const BaDisplayOptions *options)
{
  const char *slash = device->path ? strrchr (device->path, '/') : NULL;
  snprintf (info->name, sizeof info->name, "%.63s", slash ? slash + 1 : device->path ? device->path : "memory");
  info->layout.fourcc = device->fourcc;
  info->layout.width_px = device->width_px;
  info->layout.height_px = device->height_px;
  info->layout.n_planes = 1;
  info->layout.stride_bytes[0] = device->stride_bytes;
  info->n_pages = device->pages;
  if (options->pages != 0 && options->pages < info->n_pages)
    info->n_pages = options->pages;
  info->period_ns = device->rate_hz ? UINT64_C (1000000000) / device->rate_hz : 0;
}

static int
virtual_open (BaDisplay *display, const BaiDeviceString *device, const BaDisplayOptions *options, BaError *error)
{
  const BaDeviceCalls *calls = display->calls;
  BaDisplayInfo *info = &display->info;
  Backing backing = { .path = device->path, .fd = -1 };
  size_t rows_bytes, pages_bytes, file_bytes;

  describe (info, device, options);
  /* Whole memory pages: every page begins as well aligned as any codec or vector unit may ask. */
  if (!bai_mul (device->stride_bytes, device->height_px, &rows_bytes)
      || !bai_round_up (rows_bytes, BA_VIRTUAL_TRAILER_BYTES, &info->page_bytes)
      || !bai_mul (info->page_bytes, info->n_pages, &pages_bytes)
      || !bai_add (pages_bytes, BA_VIRTUAL_TRAILER_BYTES, &file_bytes))
    return ba_error_set (error, -EINVAL, "a virtual display of %ux%u with %u pages is too large here", device->width_px,
                         device->height_px, info->n_pages);

  VirtualState *state = calloc (1, sizeof *state);
  if (!state)
    return ba_error_set (error, -ENOMEM, "no memory for a virtual display");
  int r = open_backing (calls, &backing, error);
  if (r == 0)
    r = map_backing (calls, &backing, file_bytes, &display->map, error);
  if (r < 0) {
    undo_backing (calls, &backing);
    free (state);
    return r;
  }
  state->fd = backing.fd;
  state->file_bytes = file_bytes;
  state->trailer = (BaVirtualTrailer *) (void *) (display->map + pages_bytes);
  state->read_mbps = device->read_mbps;
  write_trailer (state->trailer, info);
  display->map_bytes = pages_bytes;
  display->state = state;
  return 0;
}

static int
virtual_show (BaDisplay *display, unsigned page)
{
  VirtualState *state = display->state;
  atomic_store_explicit (&state->trailer->front_page, page, memory_order_release);
  atomic_fetch_add_explicit (&state->trailer->sequence, 1, memory_order_release);
  return 0;
}

static void
virtual_finish (BaDisplay *display)
{
  VirtualState *state = display->state;
  display->calls->munmap (display->calls->ctx, display->map, state->file_bytes);
  display->calls->close (display->calls->ctx, state->fd);
  free (state);
}

const BaDisplayOps bai_virtual_ops = {
  .kind = "virtual",
  .open = virtual_open,
  .show = virtual_show,
  .finish = virtual_finish,
};
