/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * virtual.c: a display in memory or in a file, for machines without a screen (virtual-display.h has the file's layout).
 *
 * Showing a page is two stores into the trailer. Vsyncs are the clock's (display.c). The file keeps its last picture
 * after close; what ends then is its lock.
 */
#include "virtual-display.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>

#include "display-private.h"
#include "layout-private.h"

_Static_assert(sizeof (BaVirtualTrailer) <= BA_VIRTUAL_TRAILER_BYTES, "the trailer outgrew its place");

/* How often a file may be replaced by others while it is opened here, before that is given up. */
#define OPEN_ATTEMPTS 8

typedef struct
{
  int fd; /* until closed */
  bool is_file;
  size_t file_bytes;
  BaVirtualTrailer *trailer; /* inside the mapping */
} VirtualState;

/* A file while it is being opened, with what is needed to undo that. */
typedef struct
{
  const char *path; /* NULL = memory */
  int fd; /* what will be mapped; locked where it is a file */
  bool created; /* by us, under its own name */
  off_t old_bytes;
  mode_t mode;
  bool grown;
  /* only where @fd is to take the place of a file that is larger */
  int old_fd;
  char *final_path;
  char *new_path;
} Backing;

/* ---- the file -------------------------------------------------------------------------------------------------- */

static int
call_failed (const Backing *backing, const char *what, int code, BaError *error)
{
  return ba_error_set (error, -code, "cannot %s %.180s for a virtual display: %s", what, backing->path,
                       ba_error_text (-code));
}

static int
taken (const Backing *backing, BaError *error)
{
  return ba_error_set (error, -EBUSY,
                       "the file %.150s is the screen of another program (or of another display in this one): choose "
                       "another file=PATH",
                       backing->path);
}

/* Two writers would draw over each other, and a second one could not know what the first has mapped. -EBUSY is left to
 * the caller to word. A file system without locks is no reason to refuse: a mapped file never shrinks here anyway. */
static int
lock_file (const BaDeviceCalls *calls, int fd)
{
  if (calls->flock (calls->ctx, fd, LOCK_EX | LOCK_NB) == 0)
    return 0;
  switch (errno) {
    case EWOULDBLOCK:
      return -EBUSY;
    case ENOLCK:
    case ENOSYS:
    case EOPNOTSUPP:
      return 0;
    default:
      return -errno;
  }
}

static int
open_and_lock (const BaDeviceCalls *calls, Backing *backing, struct stat *status, BaError *error)
{
  const int flags = O_CLOEXEC | O_CREAT | O_RDWR;

  /* O_EXCL tells whether the file is ours to remove when something fails */
  backing->fd = calls->open (calls->ctx, backing->path, flags | O_EXCL, 0644);
  backing->created = backing->fd >= 0;
  if (backing->fd < 0 && errno == EEXIST)
    backing->fd = calls->open (calls->ctx, backing->path, flags, 0644);
  if (backing->fd < 0)
    return call_failed (backing, "open", errno, error);
  if (calls->fstat (calls->ctx, backing->fd, status) < 0)
    return call_failed (backing, "look at", errno, error);
  if (!S_ISREG (status->st_mode))
    return ba_error_set (error, -EINVAL, "%.180s is no regular file: a virtual display needs one", backing->path);
  int r = lock_file (calls, backing->fd);
  if (r == -EBUSY) {
    backing->created = false; /* somebody was quicker, and it is his now */
    return taken (backing, error);
  }
  return r < 0 ? call_failed (backing, "lock", -r, error) : 0;
}

/* Opens and locks the file that has the name when it is locked: it may have been replaced or removed in between. */
static int
open_file (const BaDeviceCalls *calls, Backing *backing, BaError *error)
{
  struct stat opened, named;
  for (int i = 0; i < OPEN_ATTEMPTS; i++) {
    int r = open_and_lock (calls, backing, &opened, error);
    if (r < 0)
      return r;
    bool found = calls->stat (calls->ctx, backing->path, &named) == 0;
    if (!found && errno != ENOENT)
      return call_failed (backing, "look at", errno, error);
    if (found && named.st_dev == opened.st_dev && named.st_ino == opened.st_ino) {
      /* again, now that nobody else changes it */
      if (calls->fstat (calls->ctx, backing->fd, &opened) < 0)
        return call_failed (backing, "look at", errno, error);
      backing->old_bytes = opened.st_size;
      backing->mode = opened.st_mode & 0777;
      return 0;
    }
    calls->close (calls->ctx, backing->fd);
    backing->fd = -1;
    backing->created = false;
  }
  return taken (backing, error);
}

/* A file must not shrink: whoever still has the old pages mapped, a watcher or an application that holds a page of a
 * display that was closed, would be killed by SIGBUS at the next touch. So a new file is made beside it, which takes
 * its name at the end; the old one lives on without a name until nobody has it mapped. */
static int
begin_replacing (const BaDeviceCalls *calls, Backing *backing, BaError *error)
{
  backing->final_path = calls->realpath (calls->ctx, backing->path); /* a link stays a link */
  if (!backing->final_path)
    return call_failed (backing, "follow", errno, error);
  if (asprintf (&backing->new_path, "%s.%llx", backing->final_path,
                (unsigned long long) calls->now_ns (calls->ctx)) < 0) {
    backing->new_path = NULL;
    return ba_error_set (error, -ENOMEM, "no memory for a virtual display");
  }
  int fd = calls->open (calls->ctx, backing->new_path, O_CLOEXEC | O_CREAT | O_EXCL | O_RDWR, backing->mode);
  if (fd < 0)
    return call_failed (backing, "make a smaller file in the place of", errno, error);
  backing->old_fd = backing->fd;
  backing->fd = fd;
  backing->old_bytes = 0;
  int r = lock_file (calls, fd);
  return r < 0 ? call_failed (backing, "lock the new file in the place of", -r, error) : 0;
}

static int
end_replacing (const BaDeviceCalls *calls, Backing *backing, BaError *error)
{
  if (backing->old_fd < 0)
    return 0;
  if (calls->rename (calls->ctx, backing->new_path, backing->final_path) < 0)
    return call_failed (backing, "replace", errno, error);
  calls->close (calls->ctx, backing->old_fd);
  backing->old_fd = -1;
  return 0;
}

static int
open_backing (const BaDeviceCalls *calls, Backing *backing, off_t file_bytes, BaError *error)
{
  if (backing->path) {
    int r = open_file (calls, backing, error);
    return r == 0 && backing->old_bytes > file_bytes ? begin_replacing (calls, backing, error) : r;
  }
  backing->fd = calls->memfd_create (calls->ctx, "bufalloc-display", MFD_CLOEXEC);
  if (backing->fd < 0) {
    int code = errno;
    return ba_error_set (error, -code, "cannot make memory for a virtual display: %s", ba_error_text (-code));
  }
  return 0;
}

/* Best effort: the first error is the one that is told. */
static void
undo_backing (const BaDeviceCalls *calls, const Backing *backing)
{
  if (backing->old_fd >= 0)
    (void) calls->unlink (calls->ctx, backing->new_path);
  else if (backing->created)
    (void) calls->unlink (calls->ctx, backing->path);
  else if (backing->grown && backing->path)
    (void) calls->ftruncate (calls->ctx, backing->fd, backing->old_bytes);
  if (backing->old_fd >= 0)
    calls->close (calls->ctx, backing->old_fd);
  if (backing->fd >= 0)
    calls->close (calls->ctx, backing->fd);
}

static int
map_backing (const BaDeviceCalls *calls, Backing *backing, size_t file_bytes, uint8_t **map, BaError *error)
{
  const char *what = backing->path ? backing->path : "memory";
  backing->grown = true; /* also when it fails half way */
  if (calls->fallocate (calls->ctx, backing->fd, (off_t) file_bytes) < 0) {
    int code = errno;
    return ba_error_set (error, -code, "no room for a virtual display of %zu bytes in %.150s: %s", file_bytes, what,
                         ba_error_text (-code));
  }
  void *address = calls->mmap (calls->ctx, file_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, backing->fd, 0);
  if (address == MAP_FAILED) {
    int code = errno;
    return ba_error_set (error, -code, "cannot map %zu bytes of %.150s: %s", file_bytes, what, ba_error_text (-code));
  }
  *map = address;
  return 0;
}

/* ---- what is in it --------------------------------------------------------------------------------------------- */

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

/* How large pages and file are, or why not. */
static int
measure (const BaDeviceCalls *calls, BaDisplayInfo *info, const BaiDeviceString *device, size_t *pages_bytes,
         size_t *file_bytes, BaError *error)
{
  size_t rows_bytes;
  off_t file_size;
  /* Whole memory pages: every page begins as well aligned as any codec or vector unit may ask. */
  if (!bai_mul (device->stride_bytes, device->height_px, &rows_bytes)
      || !bai_round_up (rows_bytes, BA_VIRTUAL_TRAILER_BYTES, &info->page_bytes)
      || !bai_mul (info->page_bytes, info->n_pages, pages_bytes)
      || !bai_add (*pages_bytes, BA_VIRTUAL_TRAILER_BYTES, file_bytes)
      || __builtin_add_overflow (*file_bytes, 0, &file_size))
    return ba_error_set (error, -EINVAL, "a virtual display of %ux%u with %u pages is too large here", device->width_px,
                         device->height_px, info->n_pages);
  if (device->path)
    return 0; /* a file system says itself what it has no room for */
  /* Memory is promised without limit, and the kernel kills somebody when it comes to keeping that. */
  uint64_t limit_bytes = calls->memory_bytes (calls->ctx) / 2;
  if (limit_bytes == 0 || limit_bytes > BA_VIRTUAL_MAX_MEMORY_BYTES)
    limit_bytes = BA_VIRTUAL_MAX_MEMORY_BYTES;
  if (*pages_bytes > limit_bytes)
    return ba_error_set (error, -ENOMEM,
                         "%u pages of %ux%u need %zu MiB of memory, a virtual display may have %llu here: use fewer "
                         "pages=, a smaller size, or file=PATH",
                         info->n_pages, device->width_px, device->height_px, (*pages_bytes + 0xfffff) >> 20,
                         (unsigned long long) (limit_bytes >> 20));
  return 0;
}

/* ---- the hooks ------------------------------------------------------------------------------------------------- */

static int
virtual_open (BaDisplay *display, const BaiDeviceString *device, const BaDisplayOptions *options, BaError *error)
{
  const BaDeviceCalls *calls = display->calls;
  BaDisplayInfo *info = &display->info;
  Backing backing = { .path = device->path, .fd = -1, .old_fd = -1 };
  size_t pages_bytes = 0, file_bytes = 0;

  describe (info, device, options);
  int r = measure (calls, info, device, &pages_bytes, &file_bytes, error);
  if (r < 0)
    return r;
  VirtualState *state = calloc (1, sizeof *state);
  if (!state)
    return ba_error_set (error, -ENOMEM, "no memory for a virtual display");
  r = open_backing (calls, &backing, (off_t) file_bytes, error);
  if (r == 0)
    r = map_backing (calls, &backing, file_bytes, &display->map, error);
  if (r == 0) {
    state->trailer = (BaVirtualTrailer *) (void *) (display->map + pages_bytes);
    write_trailer (state->trailer, info);
    r = end_replacing (calls, &backing, error); /* last: whoever finds the new file finds it whole */
    if (r < 0)
      calls->munmap (calls->ctx, display->map, file_bytes);
  }
  if (r < 0)
    undo_backing (calls, &backing);
  free (backing.final_path);
  free (backing.new_path);
  if (r < 0) {
    free (state);
    return r;
  }
  state->fd = backing.fd;
  state->is_file = device->path != NULL;
  state->file_bytes = file_bytes;
  display->told_read_mbps = device->read_mbps;
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

/* From here on the file may be opened again, by the next run of this program too, although pages of this one may be
 * held still. Closing alone would not do that: a lock lives as long as its file is open or mapped. */
static void
virtual_restore (BaDisplay *display)
{
  VirtualState *state = display->state;
  const BaDeviceCalls *calls = display->calls;
  if (state->is_file)
    (void) calls->flock (calls->ctx, state->fd, LOCK_UN); /* fails only where there are no locks */
  calls->close (calls->ctx, state->fd);
}

static void
virtual_finish (BaDisplay *display)
{
  VirtualState *state = display->state;
  display->calls->munmap (display->calls->ctx, display->map, state->file_bytes);
  free (state);
}

const BaDisplayOps bai_virtual_ops = {
  .kind = "virtual",
  .open = virtual_open,
  .show = virtual_show,
  .restore = virtual_restore,
  .finish = virtual_finish,
};
