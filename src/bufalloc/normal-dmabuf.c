/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * normal-dmabuf.c: memory that the CPU's caches keep and that other devices can have: a memfd behind /dev/udmabuf, or a
 * buffer of a heap in /dev/dma_heap. One dmabuf for each buffer, because whoever imports one takes all of it.
 *
 * A decoder reads back what it wrote there as fast as anywhere, and a card that imports dmabufs shows it where it lies.
 */
#include "normal-dmabuf-private.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define UDMABUF "/dev/udmabuf"
#define DEFAULT_HEAP "system"

static int
explain (const char *path, int code, BaError *error)
{
  switch (code) {
    case -ENOENT:
    case -ENODEV:
    case -ENXIO:
      return ba_error_set (error, -ENODEV, "no %.60s: this kernel makes no such dmabufs", path);
    case -EACCES:
    case -EPERM:
      return ba_error_set (error, code, "no permission for %.60s (see its group: kvm, video)", path);
    default:
      return ba_error_set (error, code, "cannot open %.60s: %s", path, ba_error_text (code));
  }
}

int
bai_dmabuf_open_source (const BaDeviceCalls *calls, const BaConfig *config, BaError *error)
{
  char path[80] = UDMABUF;
  const char *heap = config->heap ? config->heap : DEFAULT_HEAP;
  if (config->memory == BA_MEMORY_DMA_HEAP && (strchr (heap, '/') || strlen (heap) > 60))
    return ba_error_set (error, -EINVAL, "\"%.60s\" is no name of a heap: see ls /dev/dma_heap", heap);
  if (config->memory == BA_MEMORY_DMA_HEAP)
    snprintf (path, sizeof path, "/dev/dma_heap/%s", heap);
  int fd = calls->open (calls->ctx, path, O_RDWR | O_CLOEXEC, 0);
  return fd < 0 ? explain (path, -errno, error) : fd;
}

/* Pages that may be moved away or cut off are no memory for devices: so the seal. It is not to be sealed against writing. */
static int
make_udmabuf (const BaDeviceCalls *calls, int source_fd, size_t room_bytes)
{
  int memfd = calls->memfd_create (calls->ctx, "bufalloc", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (memfd < 0)
    return -errno;
  int r = calls->ftruncate (calls->ctx, memfd, (off_t) room_bytes) < 0 ? -errno : 0;
  if (r == 0 && fcntl (memfd, F_ADD_SEALS, F_SEAL_SHRINK) < 0)
    r = -errno;
  if (r == 0) {
    struct udmabuf_create arg = { .memfd = (uint32_t) memfd, .flags = UDMABUF_FLAGS_CLOEXEC, .size = room_bytes };
    r = calls->ioctl (calls->ctx, source_fd, UDMABUF_CREATE, &arg);
    r = r < 0 ? -errno : r;
  }
  calls->close (calls->ctx, memfd); /* the dmabuf has its pages */
  return r;
}

static int
make_from_heap (const BaDeviceCalls *calls, int source_fd, size_t room_bytes)
{
  struct dma_heap_allocation_data arg = { .len = room_bytes, .fd_flags = O_RDWR | O_CLOEXEC };
  return calls->ioctl (calls->ctx, source_fd, DMA_HEAP_IOCTL_ALLOC, &arg) < 0 ? -errno : (int) arg.fd;
}

int
bai_dmabuf_make (const BaDeviceCalls *calls, BaMemoryKind kind, int source_fd, size_t room_bytes, BaMemory *out)
{
  int fd = kind == BA_MEMORY_UDMABUF ? make_udmabuf (calls, source_fd, room_bytes)
                                     : make_from_heap (calls, source_fd, room_bytes);
  if (fd < 0)
    return fd;
  void *p = calls->mmap (calls->ctx, room_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (p == MAP_FAILED) {
    int r = -errno;
    calls->close (calls->ctx, fd);
    return r;
  }
  out->blocks[0].data = p;
  out->fd = fd;
  out->fd_offset_bytes = 0;
  return 0;
}

void
bai_dmabuf_free (const BaDeviceCalls *calls, size_t room_bytes, const BaMemory *memory)
{
  calls->munmap (calls->ctx, memory->blocks[0].data, room_bytes);
  calls->close (calls->ctx, memory->fd);
}
