/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fake-kms-libc.c: open, close, ioctl, poll, read, and the kernel's messages in front of libc's. A card's memory is a
 * memfd, so that mapping it needs no help. A program's own symbols come before those of libraries for everybody in it:
 * nothing has to be preloaded.
 */
/* With 64-bit file offsets open is another name for open64, and both are defined here. */
#undef _FILE_OFFSET_BITS

#include "fake-kms-libc.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define EXPORT __attribute__ ((visibility ("default")))

EXPORT int open64 (const char *path, int flags, ...);
EXPORT int open (const char *path, int flags, ...) __attribute__ ((alias ("open64")));
EXPORT int ioctl (int fd, unsigned long request, ...);
EXPORT int socket (int domain, int type, int protocol);
/* Under a name of its own: of poll itself the compiler believes that it only writes there. */
EXPORT int answer_poll (struct pollfd *fds, nfds_t n, int timeout_ms) __asm__ ("poll");

/* Whoever stands in for libc cannot be handed a pointer. */
static FakeKms *card;
static pthread_mutex_t card_lock = PTHREAD_MUTEX_INITIALIZER;

void
fake_kms_libc_use (FakeKms *fake)
{
  card = fake;
}

void
fake_kms_libc_lock (void)
{
  pthread_mutex_lock (&card_lock);
}

void
fake_kms_libc_unlock (void)
{
  pthread_mutex_unlock (&card_lock);
}

static void
resolve (const char *name, void *function)
{
  void *found = dlsym (RTLD_NEXT, name);

  memcpy (function, &found, sizeof found);
}

/* The card's own number, and no fence, is known without the lock: it changes with open and close, and nobody else uses a
 * number that is not his. The fake makes real calls while the lock is held, which come here with other numbers. */
static bool
is_card (int fd)
{
  return card && fd >= 0 && fd == card->fd;
}

int
open64 (const char *path, int flags, ...)
{
  int (*real) (const char *, int, ...);
  va_list args;
  va_start (args, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg (args, mode_t) : 0;
  va_end (args);
  if (!card || strcmp (path, FAKE_CARD_PATH) != 0) {
    resolve ("open64", &real);
    return real (path, flags, mode);
  }
  fake_kms_libc_lock ();
  int fd = card->calls.open (card, path, flags, mode);
  fake_kms_libc_unlock ();
  return fd;
}

int
socket (int domain, int type, int protocol)
{
  int (*real) (int, int, int);

  if (card && domain == AF_NETLINK && protocol == NETLINK_KOBJECT_UEVENT)
    return card->calls.uevent_socket (card);
  resolve ("socket", &real);
  return real (domain, type, protocol);
}

/* Under a name of its own: glibc's takes a union of pointers. */
EXPORT int answer_bind (int fd, const void *address, unsigned bytes) __asm__ ("bind");

int
answer_bind (int fd, const void *address, unsigned bytes)
{
  int (*real) (int, const void *, unsigned);

  if (card && fd == card->uevents[0])
    return 0;
  resolve ("bind", &real);
  return real (fd, address, bytes);
}

int
ioctl (int fd, unsigned long request, ...)
{
  int (*real) (int, unsigned long, ...);
  va_list args;
  va_start (args, request);
  void *arg = va_arg (args, void *);
  va_end (args);
  if (!is_card (fd)) {
    resolve ("ioctl", &real);
    return real (fd, request, arg);
  }
  fake_kms_libc_lock ();
  int r = card->calls.ioctl (card, fd, request, arg);
  fake_kms_libc_unlock ();
  return r;
}

int
answer_poll (struct pollfd *fds, nfds_t n, int timeout_ms)
{
  int (*real) (struct pollfd *, nfds_t, int);

  if (n != 1 || !is_card (fds[0].fd)) {
    resolve ("poll", &real);
    return real (fds, n, timeout_ms);
  }
  fake_kms_libc_lock ();
  int r = card->calls.poll (card, fds, 1, timeout_ms);
  fake_kms_libc_unlock ();
  return r;
}

EXPORT ssize_t
read (int fd, void *to, size_t bytes)
{
  ssize_t (*real) (int, void *, size_t);

  if (!is_card (fd)) {
    resolve ("read", &real);
    return real (fd, to, bytes);
  }
  fake_kms_libc_lock ();
  ssize_t n = card->calls.read (card, fd, to, bytes);
  fake_kms_libc_unlock ();
  return n;
}

/* The fake closes its number itself, and that comes here too. */
EXPORT int
close (int fd)
{
  int (*real) (int);
  bool is_first = is_card (fd);

  if (is_first) {
    fake_kms_libc_lock ();
    int r = card->calls.close (card, fd);
    fake_kms_libc_unlock ();
    return r;
  }
  resolve ("close", &real);
  return real (fd);
}
