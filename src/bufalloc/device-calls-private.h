/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * device-calls-private.h: every call that a display makes to the system, in a table. Tests put a memfd behind it that
 * counts calls and fails the n-th one. Each function behaves as the system call of its name (-1 or MAP_FAILED and
 * errno), but none ends with EINTR, so that no display has to think of signals; @ctx is the table's own.
 */
#ifndef BUFALLOC_DEVICE_CALLS_PRIVATE_H
#define BUFALLOC_DEVICE_CALLS_PRIVATE_H

#include <poll.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

typedef struct
{
  void *ctx;
  int (*open) (void *ctx, const char *path, int flags, mode_t mode);
  int (*close) (void *ctx, int fd);
  int (*dup) (void *ctx, int fd); /* closed on exec */
  /* Whether two numbers stand for one open file: 1, 0, or -1 where the kernel does not say. */
  int (*is_same_file) (void *ctx, int a, int b);
  int (*ioctl) (void *ctx, int fd, unsigned long request, void *arg);
  void *(*mmap) (void *ctx, size_t size_bytes, int prot, int flags, int fd, off_t offset);
  /* In the place of what is mapped at @address: 0, or -1 with that place as it was. */
  int (*mmap_over) (void *ctx, void *address, size_t size_bytes, int prot, int flags, int fd, off_t offset);
  int (*munmap) (void *ctx, void *address, size_t size_bytes);
  int (*poll) (void *ctx, struct pollfd *fds, unsigned n_fds, int timeout_ms); /* no signal makes it longer */
  ssize_t (*read) (void *ctx, int fd, void *to, size_t size_bytes);
  int (*memfd_create) (void *ctx, const char *name, unsigned flags);
  int (*ftruncate) (void *ctx, int fd, off_t size_bytes);
  /* Makes sure that the first @size_bytes really exist (posix_fallocate): a mapped file with holes on a full disk
   * kills its writer with SIGBUS. Only grows. */
  int (*fallocate) (void *ctx, int fd, off_t size_bytes);
  int (*fstat) (void *ctx, int fd, struct stat *status);
  int (*stat) (void *ctx, const char *path, struct stat *status);
  int (*flock) (void *ctx, int fd, int operation);
  char *(*realpath) (void *ctx, const char *path); /* for free(); NULL and errno */
  int (*rename) (void *ctx, const char *from, const char *to);
  int (*unlink) (void *ctx, const char *path);
  /* Hears what the kernel tells of devices. */
  int (*uevent_socket) (void *ctx);
  /* One message of it; 0 = one that somebody else sent, to be left alone. Never waits. */
  ssize_t (*uevent_read) (void *ctx, int fd, void *to, size_t size_bytes);
  /* Two connected ends, closed by exec: an end that is closed, or whose process dies, ends the other one's read. */
  int (*socketpair) (void *ctx, int ends[2]);
  /* A child that runs no handler of fork, and at whose end no signal comes: whoever waits for any child does not see
   * it, only waitpid (pid, ..., __WALL) does. It may call what is safe in a signal handler, and nothing else. */
  pid_t (*fork) (void *ctx);
  uint64_t (*memory_bytes) (void *ctx); /* of the whole machine; 0 = unknown */
  int64_t (*now_ns) (void *ctx); /* CLOCK_MONOTONIC; never fails */
} BaDeviceCalls;

/* The real system. */
extern const BaDeviceCalls bai_device_calls;

#endif
