/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * main.c: registers the CUDA kind and builds a pool of frames in managed memory, by name. Where there is no GPU it says
 * so and ends with 77, which test runners read as "skipped".
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bufalloc/bufalloc.h>

#include "cuda-allocator.h"

#define EXIT_SKIPPED 77

static int
use_a_pool (BaAllocator *allocator)
{
  BaPool *pool;
  BaBuffer *buffer;
  BaSpec spec = {
    .name = "frames",
    .count = 3,
    .layout = { .fourcc = BA_FOURCC ('X', 'R', '2', '4'),
                .width_px = 1920,
                .height_px = 1080,
                .n_planes = 1,
                .stride_bytes = { 1920 * 4 } },
    .size_bytes = 1920 * 4 * 1080,
  };
  int r = ba_allocator_build_pool (allocator, &spec, &pool);
  if (r < 0)
    return r;
  r = ba_pool_acquire (pool, BA_NO_WAIT, NULL, &buffer);
  if (r == 0) {
    memset (ba_buffer_get_plane (buffer, 0), 0x80, ba_buffer_get_size (buffer));
    printf ("a frame of %zu bytes at %p, written by the processor, in reach of the GPU\n", ba_buffer_get_size (buffer),
            ba_buffer_get_data (buffer));
    ba_pool_release (pool, buffer);
  }
  ba_pool_unref (pool);
  return r;
}

int
main (void)
{
  BaError error = { 0 };
  BaAllocator *allocator = NULL;
  int r = ba_factory_register (CUDA_KIND, &cuda_allocator_ops);
  if (r == 0)
    r = ba_allocator_new_by_name (CUDA_KIND, NULL, &error, &allocator);
  if (r == -ENODEV) {
    printf ("no GPU to use: %s\n", error.message);
    return EXIT_SKIPPED;
  }
  if (r == 0)
    r = use_a_pool (allocator);
  ba_allocator_unref (allocator);
  ba_factory_unregister (CUDA_KIND);
  if (r < 0)
    fprintf (stderr, "cuda-example: %s\n", error.message[0] ? error.message : ba_error_text (r));
  return r < 0 ? 1 : 0;
}
