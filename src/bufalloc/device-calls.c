/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * device-calls.c: the table of device-calls-private.h over the real system.
 *
 * What a signal interrupts is begun again here. close is the exception: Linux has closed the descriptor even when it
 * reports EINTR, and a second close would hit whatever another thread has just opened under that number.
 */
#include "device-calls-private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <linux/kcmp.h>
#include <linux/netlink.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define F_DUPFD_QUERY_NUMBER 1027 /* newer than the headers that we build with */

static int
call_open (void *ctx, const char *path, int flags, mode_t mode)
{
  int fd;
  (void) ctx;
  do
    fd = open (path, flags, mode);
  while (fd < 0 && errno == EINTR);
  return fd;
}

static int
call_close (void *ctx, int fd)
{
  (void) ctx;
  return close (fd);
}

static int
call_dup (void *ctx, int fd)
{
  (void) ctx;
  return fcntl (fd, F_DUPFD_CLOEXEC, 3);
}

/* The first is since Linux 6.10, the second where the kernel was built with it and no sandbox forbids it. */
static int
call_is_same_file (void *ctx, int a, int b)
{
  (void) ctx;
  if (a == b)
    return 1;
  int r = fcntl (a, F_DUPFD_QUERY_NUMBER, b);
  if (r >= 0)
    return r;
  long order = syscall (SYS_kcmp, getpid (), getpid (), KCMP_FILE, (unsigned long) a, (unsigned long) b);
  return order < 0 ? -1 : order == 0;
}

static int
call_ioctl (void *ctx, int fd, unsigned long request, void *arg)
{
  int r;
  (void) ctx;
  do
    r = ioctl (fd, request, arg);
  while (r < 0 && errno == EINTR);
  return r;
}

static void *
call_mmap (void *ctx, size_t size_bytes, int prot, int flags, int fd, off_t offset)
{
  (void) ctx;
  return mmap (NULL, size_bytes, prot, flags, fd, offset);
}

static int
call_mmap_over (void *ctx, void *address, size_t size_bytes, int prot, int flags, int fd, off_t offset)
{
  (void) ctx;
  return mmap (address, size_bytes, prot, flags | MAP_FIXED, fd, offset) == MAP_FAILED ? -1 : 0;
}

static int64_t call_now_ns (void *ctx);

static int
call_poll (void *ctx, struct pollfd *fds, unsigned n_fds, int timeout_ms)
{
  int64_t deadline_ns = call_now_ns (ctx) + (int64_t) timeout_ms * 1000000;
  int left_ms = timeout_ms;
  for (;;) {
    int r = poll (fds, n_fds, left_ms);
    if (r >= 0 || errno != EINTR)
      return r;
    if (timeout_ms > 0) {
      int64_t left_ns = deadline_ns - call_now_ns (ctx);
      left_ms = left_ns > 0 ? (int) (left_ns / 1000000) : 0;
    }
  }
}

static ssize_t
call_read (void *ctx, int fd, void *to, size_t size_bytes)
{
  ssize_t r;
  (void) ctx;
  do
    r = read (fd, to, size_bytes);
  while (r < 0 && errno == EINTR);
  return r;
}

static int
call_munmap (void *ctx, void *address, size_t size_bytes)
{
  (void) ctx;
  return munmap (address, size_bytes);
}

static int
call_memfd_create (void *ctx, const char *name, unsigned flags)
{
  (void) ctx;
  return memfd_create (name, flags);
}

static int
call_ftruncate (void *ctx, int fd, off_t size_bytes)
{
  int r;
  (void) ctx;
  do
    r = ftruncate (fd, size_bytes);
  while (r < 0 && errno == EINTR);
  return r;
}

static int
call_fallocate (void *ctx, int fd, off_t size_bytes)
{
  int code;
  (void) ctx;
  do
    code = posix_fallocate (fd, 0, size_bytes); /* returns its error and leaves errno alone */
  while (code == EINTR);
  if (code == 0)
    return 0;
  errno = code;
  return -1;
}

static int
call_fstat (void *ctx, int fd, struct stat *status)
{
  (void) ctx;
  return fstat (fd, status);
}

static int
call_stat (void *ctx, const char *path, struct stat *status)
{
  (void) ctx;
  return stat (path, status);
}

static int
call_flock (void *ctx, int fd, int operation)
{
  int r;
  (void) ctx;
  do
    r = flock (fd, operation);
  while (r < 0 && errno == EINTR);
  return r;
}

static char *
call_realpath (void *ctx, const char *path)
{
  (void) ctx;
  return realpath (path, NULL);
}

static int
call_rename (void *ctx, const char *from, const char *to)
{
  (void) ctx;
  return rename (from, to);
}

static int
call_unlink (void *ctx, const char *path)
{
  (void) ctx;
  return unlink (path);
}

static int
call_socketpair (void *ctx, int ends[2])
{
  (void) ctx;
  return socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
}

static pid_t
call_fork (void *ctx)
{
  (void) ctx;
#ifdef __SANITIZE_THREAD__
  return fork (); /* the sanitizer has locks of its own, which it takes around this one only */
#else
  return (pid_t) syscall (SYS_clone, 0L, 0L, 0L, 0L, 0L); /* all zero, as their order depends on the machine */
#endif
}

static uint64_t
call_memory_bytes (void *ctx)
{
  long pages = sysconf (_SC_PHYS_PAGES);
  (void) ctx;
  return pages > 0 ? (uint64_t) pages * (uint64_t) sysconf (_SC_PAGESIZE) : 0;
}

static int64_t
call_now_ns (void *ctx)
{
  struct timespec t;
  (void) ctx;
  clock_gettime (CLOCK_MONOTONIC, &t);
  return (int64_t) t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Group 1 is the kernel's own; udev tells it again in group 2, with a header of its own. */
static int
call_uevent_socket (void *ctx)
{
  struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1 };
  (void) ctx;
  int fd = socket (AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
  if (fd >= 0 && bind (fd, (struct sockaddr *) &address, sizeof address) < 0) {
    int code = errno;
    close (fd);
    errno = code;
    return -1;
  }
  return fd;
}

/* Whoever may configure networks may send there, too. The kernel's own number is 0, which nobody else can have. */
static ssize_t
call_uevent_read (void *ctx, int fd, void *to, size_t size_bytes)
{
  struct sockaddr_nl from = { 0 };
  socklen_t from_bytes = sizeof from;
  ssize_t r;
  (void) ctx;
  do
    r = recvfrom (fd, to, size_bytes, 0, (struct sockaddr *) &from, &from_bytes);
  while (r < 0 && errno == EINTR);
  return r > 0 && from.nl_family == AF_NETLINK && from.nl_pid != 0 ? 0 : r;
}

const BaDeviceCalls bai_device_calls = {
  .open = call_open,
  .close = call_close,
  .dup = call_dup,
  .is_same_file = call_is_same_file,
  .ioctl = call_ioctl,
  .mmap = call_mmap,
  .mmap_over = call_mmap_over,
  .munmap = call_munmap,
  .poll = call_poll,
  .read = call_read,
  .memfd_create = call_memfd_create,
  .ftruncate = call_ftruncate,
  .fallocate = call_fallocate,
  .fstat = call_fstat,
  .stat = call_stat,
  .flock = call_flock,
  .realpath = call_realpath,
  .rename = call_rename,
  .unlink = call_unlink,
  .uevent_socket = call_uevent_socket,
  .uevent_read = call_uevent_read,
  .socketpair = call_socketpair,
  .fork = call_fork,
  .memory_bytes = call_memory_bytes,
  .now_ns = call_now_ns,
};
