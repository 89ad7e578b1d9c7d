/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fail-malloc.c: the functions that stand before libc's. The 64 names are what the same calls are called where
 * _FILE_OFFSET_BITS is 64. fcntl counts as a request because sealing a memory file can fail too.
 */
#include "fail-malloc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/types.h>

/* Set and read by one program's tests, one after the other; the counts may be moved by threads. */
static atomic_long left; /* requests until the one that fails; 0 = none does */
static atomic_bool failed;
static atomic_long live;

void *__real_malloc (size_t size);
void *__real_calloc (size_t n, size_t size);
void *__real_realloc (void *old, size_t size);
void __real_free (void *p);
void *__real_mmap64 (void *address, size_t size, int prot, int flags, int fd, off_t offset);
int __real_munmap (void *address, size_t size);
int __real_memfd_create (const char *name, unsigned flags);
int __real_open64 (const char *path, int flags);
int __real_close (int fd);
int __real_ftruncate64 (int fd, off_t size);
int __real_fcntl64 (int fd, int command, long argument);

void *__wrap_malloc (size_t size);
void *__wrap_calloc (size_t n, size_t size);
void *__wrap_realloc (void *old, size_t size);
void __wrap_free (void *p);
void *__wrap_mmap64 (void *address, size_t size, int prot, int flags, int fd, off_t offset);
int __wrap_munmap (void *address, size_t size);
int __wrap_memfd_create (const char *name, unsigned flags);
int __wrap_open64 (const char *path, int flags, ...);
int __wrap_close (int fd);
int __wrap_ftruncate64 (int fd, off_t size);
int __wrap_fcntl64 (int fd, int command, ...);

void
fail_malloc_arm (long n)
{
  failed = false;
  left = n;
}

bool
fail_malloc_disarm (void)
{
  left = 0;
  return failed;
}

long
fail_malloc_live (void)
{
  return live;
}

static bool
this_one_fails (int code)
{
  if (left == 0 || --left > 0)
    return false;
  failed = true;
  errno = code;
  return true;
}

static void *
counted (void *p)
{
  if (p)
    live++;
  return p;
}

void *
__wrap_malloc (size_t size)
{
  return this_one_fails (ENOMEM) ? NULL : counted (__real_malloc (size));
}

void *
__wrap_calloc (size_t n, size_t size)
{
  return this_one_fails (ENOMEM) ? NULL : counted (__real_calloc (n, size));
}

void *
__wrap_realloc (void *old, size_t size)
{
  if (this_one_fails (ENOMEM))
    return NULL;
  void *p = __real_realloc (old, size);
  return old ? p : counted (p);
}

void
__wrap_free (void *p)
{
  if (p)
    live--;
  __real_free (p);
}

/* What a mapping counts: a part of one may be unmapped. */
static long
pages (size_t size)
{
  return (long) ((size + 4095) / 4096);
}

void *
__wrap_mmap64 (void *address, size_t size, int prot, int flags, int fd, off_t offset)
{
  if (this_one_fails (ENOMEM))
    return MAP_FAILED;
  void *p = __real_mmap64 (address, size, prot, flags, fd, offset);
  if (p != MAP_FAILED)
    live += pages (size);
  return p;
}

int
__wrap_munmap (void *address, size_t size)
{
  live -= pages (size);
  return __real_munmap (address, size);
}

int
__wrap_memfd_create (const char *name, unsigned flags)
{
  if (this_one_fails (EMFILE))
    return -1;
  int fd = __real_memfd_create (name, flags);
  if (fd >= 0)
    live++;
  return fd;
}

/* Nothing of what is tested makes a file by open(). */
int
__wrap_open64 (const char *path, int flags, ...)
{
  if (this_one_fails (EMFILE))
    return -1;
  int fd = __real_open64 (path, flags);
  if (fd >= 0)
    live++;
  return fd;
}

int
__wrap_close (int fd)
{
  live--;
  return __real_close (fd);
}

int
__wrap_ftruncate64 (int fd, off_t size)
{
  return this_one_fails (ENOMEM) ? -1 : __real_ftruncate64 (fd, size);
}

int
__wrap_fcntl64 (int fd, int command, ...)
{
  va_list args;
  va_start (args, command);
  long argument = va_arg (args, long);
  va_end (args);
  return this_one_fails (ENOMEM) ? -1 : __real_fcntl64 (fd, command, argument);
}
