/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shm-allocator.h: a kind of memory of one's own: POSIX shared memory. docs/extending.md tells how it is made. */
#ifndef SHM_ALLOCATOR_H
#define SHM_ALLOCATOR_H

#include <bufalloc/allocator-ops.h>

/* The name it is registered by. */
#define SHM_KIND "shared-memory"

/**
 * ShmConfig: what BaConfig.foreign points to for this kind. NULL there = all defaults.
 * @prefix: (nullable): what the objects' names begin with, at most 32 bytes, no '/'; NULL = "bufalloc-example"
 */
typedef struct
{
  const char *prefix;
} ShmConfig;

/* For ba_factory_register(). Each buffer is a file of its own: ba_buffer_get_fd(). */
extern const BaAllocatorOps shm_allocator_ops;

#endif
