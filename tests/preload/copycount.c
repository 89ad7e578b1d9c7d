/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * copycount.c: an LD_PRELOAD library that adds up the bytes the process copies with memcpy, memmove, mempcpy and their
 * fortified forms, in calls of COPYCOUNT_MIN_BYTES and more, so that row copies are seen and small talk is not.
 *
 * At exit it writes "bytes=N calls=N" to the file named by COPYCOUNT_OUT, added to what another process wrote there: so
 * a wrapper such as timeout(1) or a shell does no harm. Delete the file first. GStreamer's plugin scanner, a helper
 * process, is left out. A test inside the process may look the two exported functions up with
 * dlsym(). Not seen: calls that the compiler expanded in line, copies inside libc, and loops of other libraries'
 * own (orc, libyuv, swscale); what counts as a copy of a frame must be held against frames × size with that in mind.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define COPYCOUNT_MIN_BYTES 256
#define EXPORT __attribute__ ((visibility ("default")))

typedef void *(*CopyFunction) (void *to, const void *from, size_t size_bytes);

/* Names of libc that this library must define without the headers' own fortified macros. */
EXPORT void *memcpy (void *restrict to, const void *restrict from, size_t size_bytes);
EXPORT void *memmove (void *to, const void *from, size_t size_bytes);
EXPORT void *mempcpy (void *restrict to, const void *restrict from, size_t size_bytes);
EXPORT void *__memcpy_chk (void *to, const void *from, size_t size_bytes, size_t room_bytes);
EXPORT void *__memmove_chk (void *to, const void *from, size_t size_bytes, size_t room_bytes);
EXPORT void *__mempcpy_chk (void *to, const void *from, size_t size_bytes, size_t room_bytes);
EXPORT uint64_t copycount_get_bytes (void);
EXPORT uint64_t copycount_get_calls (void);

static _Atomic uint64_t copied_bytes;
static _Atomic uint64_t copy_calls;
/* libc's memmove serves all of them; NULL until the constructor ran. */
static _Atomic (CopyFunction) libc_memmove;

/* Until libc's function is known. The build keeps the compiler from turning the loops into calls of ourselves. */
static void
move_by_byte (void *to, const void *from, size_t size_bytes)
{
  unsigned char *t = to;
  const unsigned char *f = from;

  if ((uintptr_t) t <= (uintptr_t) f) {
    for (size_t i = 0; i < size_bytes; i++)
      t[i] = f[i];
  } else {
    for (size_t i = size_bytes; i > 0; i--)
      t[i - 1] = f[i - 1];
  }
}

static void *
copy (void *to, const void *from, size_t size_bytes)
{
  CopyFunction real = atomic_load_explicit (&libc_memmove, memory_order_relaxed);

  if (size_bytes >= COPYCOUNT_MIN_BYTES) {
    atomic_fetch_add_explicit (&copied_bytes, size_bytes, memory_order_relaxed);
    atomic_fetch_add_explicit (&copy_calls, 1, memory_order_relaxed);
  }
  if (real == NULL)
    move_by_byte (to, from, size_bytes);
  else
    real (to, from, size_bytes);
  return to;
}

static void *
copy_checked (void *to, const void *from, size_t size_bytes, size_t room_bytes)
{
  if (size_bytes > room_bytes)
    abort ();
  return copy (to, from, size_bytes);
}

void *
memcpy (void *restrict to, const void *restrict from, size_t size_bytes)
{
  return copy (to, from, size_bytes);
}

void *
memmove (void *to, const void *from, size_t size_bytes)
{
  return copy (to, from, size_bytes);
}

void *
mempcpy (void *restrict to, const void *restrict from, size_t size_bytes)
{
  return (unsigned char *) copy (to, from, size_bytes) + size_bytes;
}

void *
__memcpy_chk (void *to, const void *from, size_t size_bytes, size_t room_bytes)
{
  return copy_checked (to, from, size_bytes, room_bytes);
}

void *
__memmove_chk (void *to, const void *from, size_t size_bytes, size_t room_bytes)
{
  return copy_checked (to, from, size_bytes, room_bytes);
}

void *
__mempcpy_chk (void *to, const void *from, size_t size_bytes, size_t room_bytes)
{
  return (unsigned char *) copy_checked (to, from, size_bytes, room_bytes) + size_bytes;
}

uint64_t
copycount_get_bytes (void)
{
  return atomic_load_explicit (&copied_bytes, memory_order_relaxed);
}

uint64_t
copycount_get_calls (void)
{
  return atomic_load_explicit (&copy_calls, memory_order_relaxed);
}

__attribute__ ((constructor)) static void
copycount_start (void)
{
  void *found = dlsym (RTLD_NEXT, "memmove");
  CopyFunction real = NULL;

  /* ISO C knows no conversion from an object's address to a function's. */
  move_by_byte (&real, &found, sizeof real);
  atomic_store_explicit (&libc_memmove, real, memory_order_relaxed);
}

/* Adds what is counted to what the open file @fd says. */
static void
add_to (int fd)
{
  uint64_t bytes = copycount_get_bytes ();
  uint64_t calls = copycount_get_calls ();
  uint64_t bytes_before, calls_before;
  char text[128] = "";
  int length;

  if (pread (fd, text, sizeof text - 1, 0) > 0
      && sscanf (text, "bytes=%" SCNu64 " calls=%" SCNu64, &bytes_before, &calls_before) == 2) {
    bytes += bytes_before;
    calls += calls_before;
  }
  length = snprintf (text, sizeof text, "bytes=%" PRIu64 " calls=%" PRIu64 "\n", bytes, calls);
  if (pwrite (fd, text, (size_t) length, 0) != length)
    fprintf (stderr, "copycount: cannot write the counts: %s\n", strerror (errno));
}

__attribute__ ((destructor)) static void
copycount_end (void)
{
  const char *path = getenv ("COPYCOUNT_OUT");
  int fd;

  if (path == NULL || strcmp (program_invocation_short_name, "gst-plugin-scanner") == 0)
    return;
  fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    fprintf (stderr, "copycount: cannot open %s: %s\n", path, strerror (errno));
    return;
  }
  flock (fd, LOCK_EX);
  add_to (fd);
  close (fd);
}
