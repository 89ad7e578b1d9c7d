/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cuda-allocator.h: managed memory of CUDA as a kind of memory: both the processor and the GPU read and write it. */
#ifndef CUDA_ALLOCATOR_H
#define CUDA_ALLOCATOR_H

#include <bufalloc/allocator-ops.h>

/* The name it is registered by. */
#define CUDA_KIND "cuda-managed"

/**
 * CudaConfig: what BaConfig.foreign points to for this kind. NULL there = all defaults.
 * @device: which GPU, from 0
 */
typedef struct
{
  int device;
} CudaConfig;

/* For ba_factory_register(). Making an allocator fails with -ENODEV where there is no driver or no such GPU. A buffer's
 * address is valid on the GPU as it is. */
extern const BaAllocatorOps cuda_allocator_ops;

#endif
