/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * count-malloc.c: stands before libc's malloc, or a sanitizer's, and counts. GLib's slices come along because the tests
 * run with G_SLICE=always-malloc.
 */
#include "count-malloc.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stddef.h>

/* What is hidden is not in front of anything. */
#pragma GCC visibility push(default)
void *malloc (size_t size);
void *calloc (size_t n, size_t size);
void *realloc (void *old, size_t size);
int posix_memalign (void **p, size_t align, size_t size);
void free (void *p);
#pragma GCC visibility pop

static atomic_uint count;

/* What is asked for before the next malloc is known: dlsym() does that itself. */
static char early[8192];
static size_t early_used;

static void *
early_alloc (size_t size)
{
  void *p = early + early_used;

  early_used += (size + 15) & ~(size_t) 15;
  return early_used <= sizeof early ? p : NULL;
}

static void *
next_function (void **slot, const char *name)
{
  static __thread int looking;

  if (*slot == NULL && !looking) {
    looking = 1;
    *slot = dlsym (RTLD_NEXT, name);
    looking = 0;
  }
  return *slot;
}

unsigned
count_malloc (void)
{
  return count;
}

void *
malloc (size_t size)
{
  static void *slot;
  void *(*next) (size_t) = (void *(*) (size_t)) next_function (&slot, "malloc");

  count++;
  return next != NULL ? next (size) : early_alloc (size);
}

void *
calloc (size_t n, size_t size)
{
  static void *slot;
  void *(*next) (size_t, size_t) = (void *(*) (size_t, size_t)) next_function (&slot, "calloc");

  count++;
  return next != NULL ? next (n, size) : early_alloc (n * size);
}

void *
realloc (void *old, size_t size)
{
  static void *slot;
  void *(*next) (void *, size_t) = (void *(*) (void *, size_t)) next_function (&slot, "realloc");

  count++;
  return next != NULL ? next (old, size) : NULL;
}

int
posix_memalign (void **p, size_t align, size_t size)
{
  static void *slot;
  int (*next) (void **, size_t, size_t) = (int (*) (void **, size_t, size_t)) next_function (&slot, "posix_memalign");

  count++;
  return next (p, align, size);
}

void
free (void *p)
{
  static void *slot;
  void (*next) (void *) = (void (*) (void *)) next_function (&slot, "free");

  if (next != NULL && ((char *) p < early || (char *) p >= early + sizeof early))
    next (p);
}
