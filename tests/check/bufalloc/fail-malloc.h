/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fail-malloc.h: makes the n-th request for memory fail. The linker puts these functions in the place of libc's, in the
 * objects of one program only (-Wl,--wrap=malloc and so on, see meson.build), so that what libc and other shared
 * libraries allocate is left alone.
 */
#ifndef FAIL_MALLOC_H
#define FAIL_MALLOC_H

#include <stdbool.h>

/* From now the @n-th request (from 1) fails, once; 0 = none. */
void fail_malloc_arm (long n);

/* Nothing fails any more. Returns whether something did since it was armed. */
bool fail_malloc_disarm (void);

/* Allocations, mapped pages and files that were made and not ended yet. */
long fail_malloc_live (void);

#endif
