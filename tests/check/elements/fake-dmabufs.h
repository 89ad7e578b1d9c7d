/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fake-dmabufs.h: under the sink is a fake card, and any file is a dmabuf; /dev/udmabuf and a heap are fakes too, which
 * count. The program that includes this once has a library of its own inside, which the plugin finds first, and whose
 * calls to the system go to the fake: the linker puts the table here in the place of the library's. For one thread.
 */
#pragma once

#include <errno.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>

#include "../bufalloc/fake-kms.h"
#include "test-feeder.h"

BaDeviceCalls __wrap_bai_device_calls;

/* The sources of dmabufs, and what was told to their drivers. */
typedef struct
{
  gboolean no_udmabuf, no_heap;
  int source_fd;
  guint n_made, n_begun, n_ended, n_identified;
  guint most; /* ENOMEM for more; 0 = no limit */
  void (*before) (unsigned long request, const void * arg); /* each ioctl, where it is set */
} Sources;

static FakeKms fake;
static Sources sources;
static BaDeviceCalls card;
static guint n_files;

/* ---- the system ------------------------------------------------------------------------------------------------- */

static inline int
test_open (void *ctx, const char *path, int flags, mode_t mode)
{
  gboolean known = (strcmp (path, "/dev/udmabuf") == 0 && !sources.no_udmabuf)
                   || (strcmp (path, "/dev/dma_heap/system") == 0 && !sources.no_heap);

  if (!known)
    return card.open (ctx, path, flags, mode);
  sources.source_fd = memfd_create ("source", MFD_CLOEXEC);
  fake.n_open++;
  return sources.source_fd;
}

static inline int
new_file (gsize size)
{
  int fd = memfd_create ("dmabuf", MFD_CLOEXEC);

  ck_assert_int_eq (ftruncate (fd, size), 0);
  return fd;
}

static inline int
test_fstat (void *ctx, int fd, struct stat *status)
{
  sources.n_identified++;
  return card.fstat (ctx, fd, status);
}

static inline int
test_ioctl (void *ctx, int fd, unsigned long request, void *arg)
{
  if (sources.before)
    sources.before (request, arg);
  switch (request) {
    case UDMABUF_CREATE:
      if (sources.most > 0 && sources.n_made >= sources.most) {
        errno = ENOMEM;
        return -1;
      }
      ck_assert_int_eq (fd, sources.source_fd);
      ck_assert_int_eq (fcntl (((struct udmabuf_create *) arg)->memfd, F_GET_SEALS), F_SEAL_SHRINK);
      sources.n_made++;
      fake.n_open += 2; /* the memfd is closed as well */
      return new_file (((struct udmabuf_create *) arg)->size);
    case DMA_HEAP_IOCTL_ALLOC:
      ck_assert_int_eq (fd, sources.source_fd);
      sources.n_made++;
      fake.n_open++;
      ((struct dma_heap_allocation_data *) arg)->fd = new_file (((struct dma_heap_allocation_data *) arg)->len);
      return 0;
    case DMA_BUF_IOCTL_SYNC:
      if (((struct dma_buf_sync *) arg)->flags & DMA_BUF_SYNC_END)
        sources.n_ended++;
      else
        sources.n_begun++;
      return 0;
    default:
      return card.ioctl (ctx, fd, request, arg);
  }
}

static inline guint
count_files (void)
{
  GDir *dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir))
    n++;
  g_dir_close (dir);
  return n;
}

/* A card to be configured, and ready() */
static inline void
begin (void)
{
  n_files = count_files ();
  fake_kms_init (&fake);
  memset (&sources, 0, sizeof sources);
  card = fake.calls;
  __wrap_bai_device_calls = card;
  __wrap_bai_device_calls.open = test_open;
  __wrap_bai_device_calls.ioctl = test_ioctl;
  __wrap_bai_device_calls.fstat = test_fstat;
}

static inline void
end (Feeder * feeder)
{
  feeder_free (feeder);
  ck_assert (fake_kms_is_restored (&fake));
  ck_assert_uint_eq (fake.n_leaked, 0);
  ck_assert_uint_eq (fake.n_bad_closes, 0);
  ck_assert_uint_eq (sources.n_begun, sources.n_ended);
  fake_kms_finish (&fake);
  while (count_files () != n_files) /* GStreamer's threads end when they like; a leak ends at the test's limit */
    g_thread_yield ();
}

/* Whether what is on screen was imported. */
static inline gboolean
shows_import (void)
{
  const FakeThing *fb = fake_kms_shown (&fake, FAKE_PRIMARY);
  const FakeThing *buffer = fb ? fake_kms_find (fake.handles, fb->handles[0]) : NULL;

  return buffer && buffer->inode != 0;
}
