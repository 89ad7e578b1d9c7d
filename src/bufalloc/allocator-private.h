/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* allocator-private.h: how factory.c makes handles, and what a kind of ours may ask a handle. */
#ifndef BUFALLOC_ALLOCATOR_PRIVATE_H
#define BUFALLOC_ALLOCATOR_PRIVATE_H

#include "allocator.h"
#include "factory.h"

/* Opens a backend of @ops and makes a handle of it. @config is not NULL. As ba_allocator_new_with_config(). */
int bai_allocator_new (const BaAllocatorOps *ops, const BaConfig *config, BaError *error, BaAllocator **out);

/* What a hook of @ops returned, as a code: what is larger than 0 is none, is logged, and counts as -EINVAL. */
int bai_hook_code (const BaAllocatorOps *ops, const char *hook, int r);

/* The kind of @allocator. */
const BaAllocatorOps *bai_allocator_get_ops (const BaAllocator *allocator);

#endif
