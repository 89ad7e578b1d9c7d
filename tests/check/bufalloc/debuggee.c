/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* debuggee.c: a program for check-gdb.py to stop in, with objects in known states. */
#include <stdlib.h>

#include <bufalloc/bufalloc.h>

void stop_here (BaRegistry *registry, BaAllocator *allocator, BaPool *pool, BaBuffer *held, BaBuffer *lent);

__attribute__ ((noinline)) void
stop_here (BaRegistry *registry, BaAllocator *allocator, BaPool *pool, BaBuffer *held, BaBuffer *lent)
{
  (void) registry;
  (void) allocator;
  (void) pool;
  (void) held;
  (void) lent;
  __asm__ volatile ("");
}

int
main (void)
{
  BaRegistry *registry;
  BaAllocator *allocator;
  BaPool *pool;
  BaBuffer *held, *lent, *filled;
  BaSpec spec = { .name = "camera", .category = "video", .count = 4, .size_bytes = 4096 };
  spec.layout = (BaLayout){ 0, 32, 16, 1, { 0 }, { 128 } };
  if (ba_registry_new (&registry) < 0)
    return EXIT_FAILURE;
  BaConfig config = { .registry = registry };
  if (ba_allocator_new_with_config (BA_TYPE_NORMAL, &config, NULL, &allocator) < 0
      || ba_allocator_build_pool (allocator, &spec, &pool) < 0)
    return EXIT_FAILURE;
  ba_pool_acquire (pool, BA_NO_WAIT, NULL, &lent);
  ba_pool_submit (pool, lent);
  ba_pool_acquire (pool, BA_NO_WAIT, NULL, &filled);
  ba_pool_submit (pool, filled);
  ba_pool_take (pool, BA_NO_WAIT, NULL, &lent);
  ba_pool_acquire (pool, BA_NO_WAIT, NULL, &held);
  ba_buffer_set_holder (held, "decoder thread");
  stop_here (registry, allocator, pool, held, lent);
  ba_pool_release (pool, held);
  ba_pool_release (pool, lent);
  ba_pool_unref (pool);
  ba_allocator_unref (allocator);
  ba_registry_unref (registry);
  return EXIT_SUCCESS;
}
