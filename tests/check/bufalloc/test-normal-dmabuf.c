/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-normal-dmabuf.c: memory from /dev/udmabuf and /dev/dma_heap: what the kernel is asked for, what is given back when
 * a call fails, and the brackets around what the CPU does. The devices are a table of calls; any file is a dmabuf.
 */
#include "test-support.h"

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bufalloc/display-private.h>
#include <bufalloc/normal-dmabuf-private.h>

#define ROOM 8192

/* Both kinds must do the same. */
static const BaMemoryKind kinds[] = { BA_MEMORY_UDMABUF, BA_MEMORY_DMA_HEAP };

typedef struct
{
  BaDeviceCalls calls;
  char path[80]; /* of the last open */
  unsigned n_calls, fail_nth;
  int fail_errno;
  bool failed;
  int n_open, n_mapped;
  unsigned n_again; /* so many brackets are called off first */
  uint64_t flags[4]; /* of the brackets */
  unsigned n_flags;
} Fake;

static bool
fails (Fake *fake)
{
  if (++fake->n_calls != fake->fail_nth)
    return false;
  fake->failed = true;
  errno = fake->fail_errno;
  return true;
}

static int
opened (Fake *fake, int fd)
{
  fake->n_open += fd >= 0;
  return fd;
}

static int
fake_open (void *ctx, const char *path, int flags, mode_t mode)
{
  Fake *fake = ctx;
  (void) flags;
  (void) mode;
  strncpy (fake->path, path, sizeof fake->path - 1);
  return fails (fake) ? -1 : opened (fake, memfd_create ("source", MFD_CLOEXEC));
}

static int
fake_close (void *ctx, int fd)
{
  ((Fake *) ctx)->n_open--;
  return close (fd);
}

static int
new_dmabuf (Fake *fake, uint64_t size_bytes)
{
  int fd = opened (fake, memfd_create ("dmabuf", MFD_CLOEXEC));
  ck_assert_uint_eq (size_bytes, ROOM);
  ck_assert_int_eq (ftruncate (fd, (off_t) size_bytes), 0);
  return fd;
}

static int
fake_ioctl (void *ctx, int fd, unsigned long request, void *arg)
{
  Fake *fake = ctx;
  struct udmabuf_create *create = arg;
  struct dma_heap_allocation_data *heap = arg;
  (void) fd;
  if (request == DMA_BUF_IOCTL_SYNC && fake->n_again > 0) {
    fake->n_again--;
    errno = EAGAIN;
    return -1;
  }
  if (fails (fake))
    return -1;
  switch (request) {
    case UDMABUF_CREATE:
      /* as the kernel wants it: it does not shrink, and may be written */
      ck_assert_int_eq (fcntl ((int) create->memfd, F_GET_SEALS), F_SEAL_SHRINK);
      ck_assert_uint_eq (create->offset, 0);
      ck_assert_uint_eq (create->flags, UDMABUF_FLAGS_CLOEXEC);
      return new_dmabuf (fake, create->size);
    case DMA_HEAP_IOCTL_ALLOC:
      ck_assert_uint_eq (heap->fd_flags, O_RDWR | O_CLOEXEC);
      ck_assert_uint_eq (heap->heap_flags, 0);
      heap->fd = (uint32_t) new_dmabuf (fake, heap->len);
      return 0;
    case DMA_BUF_IOCTL_SYNC:
      fake->flags[fake->n_flags++] = ((struct dma_buf_sync *) arg)->flags;
      return 0;
    default:
      errno = ENOTTY;
      return -1;
  }
}

static int
fake_memfd (void *ctx, const char *name, unsigned flags)
{
  return fails (ctx) ? -1 : opened (ctx, memfd_create (name, flags));
}

static int
fake_ftruncate (void *ctx, int fd, off_t size_bytes)
{
  return fails (ctx) ? -1 : ftruncate (fd, size_bytes);
}

static void *
fake_mmap (void *ctx, size_t size_bytes, int prot, int flags, int fd, off_t offset)
{
  Fake *fake = ctx;
  if (fails (fake))
    return MAP_FAILED;
  fake->n_mapped++;
  return mmap (NULL, size_bytes, prot, flags, fd, offset);
}

static int
fake_munmap (void *ctx, void *address, size_t size_bytes)
{
  ((Fake *) ctx)->n_mapped--;
  return munmap (address, size_bytes);
}

static void
fake_init (Fake *fake)
{
  memset (fake, 0, sizeof *fake);
  fake->calls = bai_device_calls;
  fake->calls.ctx = fake;
  fake->calls.open = fake_open;
  fake->calls.close = fake_close;
  fake->calls.ioctl = fake_ioctl;
  fake->calls.memfd_create = fake_memfd;
  fake->calls.ftruncate = fake_ftruncate;
  fake->calls.mmap = fake_mmap;
  fake->calls.munmap = fake_munmap;
}

START_TEST (a_source_is_opened_by_its_name)
{
  static const struct
  {
    BaConfig config;
    const char *path;
  } cases[] = {
    { { .memory = BA_MEMORY_UDMABUF }, "/dev/udmabuf" },
    { { .memory = BA_MEMORY_DMA_HEAP }, "/dev/dma_heap/system" },
    { { .memory = BA_MEMORY_DMA_HEAP, .heap = "linux,cma" }, "/dev/dma_heap/linux,cma" },
  };
  for (size_t i = 0; i < N_ELEMENTS (cases); i++) {
    Fake fake;
    BaError error = { 0 };
    fake_init (&fake);
    int fd = bai_dmabuf_open_source (&fake.calls, &cases[i].config, &error);
    ck_assert_int_ge (fd, 0);
    ck_assert_str_eq (fake.path, cases[i].path);
    fake.calls.close (&fake, fd);
    fake.fail_nth = fake.n_calls + 1;
    fake.fail_errno = EACCES;
    ck_assert_int_eq (bai_dmabuf_open_source (&fake.calls, &cases[i].config, &error), -EACCES);
    ck_assert_msg (strstr (error.message, cases[i].path) != NULL, "%s", error.message);
    ck_assert_int_eq (fake.n_open, 0);
  }
}
END_TEST

START_TEST (each_buffer_is_a_dmabuf_of_its_own_that_is_mapped)
{
  for (size_t i = 0; i < N_ELEMENTS (kinds); i++) {
    Fake fake;
    BaMemory a = BA_MEMORY_INIT, b = BA_MEMORY_INIT;
    uint8_t byte = 0;
    fake_init (&fake);
    ck_assert_int_eq (bai_dmabuf_make (&fake.calls, kinds[i], 100, ROOM, &a), 0);
    ck_assert_int_eq (bai_dmabuf_make (&fake.calls, kinds[i], 100, ROOM, &b), 0);
    ck_assert_int_ne (a.fd, b.fd);
    ck_assert_uint_eq (a.fd_offset_bytes, 0);
    ck_assert_int_eq (fake.n_open, 2); /* no file but theirs */
    memset (a.blocks[0].data, 0x5a, ROOM);
    ck_assert_int_eq (pread (a.fd, &byte, 1, ROOM - 1), 1);
    ck_assert_uint_eq (byte, 0x5a);
    bai_dmabuf_free (&fake.calls, ROOM, &a);
    bai_dmabuf_free (&fake.calls, ROOM, &b);
    ck_assert_int_eq (fake.n_open, 0);
    ck_assert_int_eq (fake.n_mapped, 0);
  }
}
END_TEST

START_TEST (a_call_that_fails_leaves_no_file_and_no_mapping)
{
  for (size_t i = 0; i < N_ELEMENTS (kinds); i++) {
    bool failed = true;
    for (unsigned n = 1; failed; n++) {
      Fake fake;
      BaMemory memory = BA_MEMORY_INIT;
      fake_init (&fake);
      fake.fail_nth = n;
      fake.fail_errno = ENOMEM;
      int r = bai_dmabuf_make (&fake.calls, kinds[i], 100, ROOM, &memory);
      failed = fake.failed;
      ck_assert_int_eq (r, failed ? -ENOMEM : 0);
      if (!failed) {
        ck_assert_uint_gt (n, 2);
        bai_dmabuf_free (&fake.calls, ROOM, &memory);
      }
      ck_assert_int_eq (fake.n_open, 0);
      ck_assert_int_eq (fake.n_mapped, 0);
    }
  }
}
END_TEST

START_TEST (brackets_say_what_is_done_and_are_begun_again)
{
  Fake fake;
  fake_init (&fake);
  fake.n_again = 3;
  ck_assert_int_eq (bai_dmabuf_sync (&fake.calls, 7, BA_DMABUF_WRITE, false), 0);
  ck_assert_int_eq (bai_dmabuf_sync (&fake.calls, 7, BA_DMABUF_WRITE, true), 0);
  ck_assert_int_eq (bai_dmabuf_sync (&fake.calls, 7, BA_DMABUF_READ | BA_DMABUF_WRITE, false), 0);
  ck_assert_int_eq (bai_dmabuf_sync (&fake.calls, 7, BA_DMABUF_READ, true), 0);
  ck_assert_uint_eq (fake.n_flags, 4);
  ck_assert (fake.flags[0] == (DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE));
  ck_assert (fake.flags[1] == (DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE));
  ck_assert (fake.flags[2] == (DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
  ck_assert (fake.flags[3] == (DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ));
}
END_TEST

START_TEST (a_file_that_is_no_dmabuf_needs_no_brackets)
{
  int fd = memfd_create ("plain", MFD_CLOEXEC);
  ck_assert_int_eq (ba_dmabuf_begin_access (fd, BA_DMABUF_READ), -ENOTSUP);
  ck_assert_int_eq (ba_dmabuf_end_access (fd, BA_DMABUF_READ), -ENOTSUP);
  close (fd);
  ck_assert_int_eq (ba_dmabuf_begin_access (-1, BA_DMABUF_READ), -EBADF);
}
END_TEST

RUN ("normal-dmabuf", a_source_is_opened_by_its_name, each_buffer_is_a_dmabuf_of_its_own_that_is_mapped,
     a_call_that_fails_leaves_no_file_and_no_mapping, brackets_say_what_is_done_and_are_begun_again,
     a_file_that_is_no_dmabuf_needs_no_brackets)
