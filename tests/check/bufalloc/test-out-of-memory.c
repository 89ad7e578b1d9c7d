/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-out-of-memory.c: the n-th request for memory fails, for every n until none is left to fail. Each time the code
 * is -ENOMEM (or the one of memfd_create(), -EMFILE here), the out pointer is NULL, and nothing leaks.
 */
#include "fail-malloc.h"
#include "test-support.h"

#ifdef BA_HAVE_AVFRAME
#include <libavutil/frame.h>
#endif

/* What a scenario returns where a failure left something in an out pointer. */
#define NOT_NULL 1

/* Runs @scenario with the n-th request failing, for n from 1 until it gets by without a failure. */
static void
fail_each (int (*scenario) (const void *), const void *argument)
{
  bool hit = true;
  long n;
  for (n = 1; hit; n++) {
    long before = fail_malloc_live ();
    fail_malloc_arm (n);
    int r = scenario (argument);
    hit = fail_malloc_disarm ();
    long leaked = fail_malloc_live () - before;
    ck_assert_msg (leaked == 0, "failure %ld leaves %ld behind", n, leaked);
    ck_assert_msg (r == 0 || (hit && (r == -ENOMEM || r == -EMFILE)), "failure %ld gives %d", n, r);
  }
  ck_assert_int_gt (n, 2);
}

/* ---- pools ----------------------------------------------------------------------------------------------------- */

static void
ignore (BaLogLevel level, const char *message, void *user)
{
  (void) level;
  (void) message;
  (void) user;
}

/* Enough pools that both lists must grow, enough buffers that the slots must, and one injected buffer. */
static int
build_many (const void *argument)
{
  BaRegistry *registry = NULL;
  BaAllocator *allocator = NULL;
  BaConfig config = *(const BaConfig *) argument;
  int r = ba_registry_new (&registry);
  if (r < 0)
    return registry ? NOT_NULL : r;
  config.registry = registry;
  r = ba_allocator_new_with_config (BA_TYPE_NORMAL, &config, NULL, &allocator);
  ba_registry_unref (registry);
  if (r < 0)
    return allocator ? NOT_NULL : r;
  for (unsigned i = 0; r == 0 && i < 9; i++) {
    BaPool *pool = (BaPool *) &config;
    BaSpec spec = { .count = i == 0 ? 9 : 1, .size_bytes = 100 };
    uint64_t id = 1;
    r = ba_allocator_build_pool (allocator, &spec, &pool);
    if (r < 0) {
      r = pool ? NOT_NULL : r;
      break;
    }
    if (i == 0) {
      r = ba_allocator_inject (allocator, pool, BA_INJECT_FILLED, &id);
      r = r < 0 && id ? NOT_NULL : r;
    }
    ba_pool_unref (pool);
  }
  ba_allocator_unref (allocator);
  return r;
}

START_TEST (heap_pools_leave_nothing)
{
  fail_each (build_many, &(BaConfig){ .memory = BA_MEMORY_HEAP });
}
END_TEST

START_TEST (huge_pools_leave_nothing)
{
  ba_log_set_handler (ignore, NULL);
  fail_each (build_many, &(BaConfig){ .memory = BA_MEMORY_HUGE });
  ba_log_set_handler (NULL, NULL);
}
END_TEST

START_TEST (memfd_pools_leave_nothing)
{
  fail_each (build_many, &(BaConfig){ .memory = BA_MEMORY_MEMFD });
}
END_TEST

START_TEST (pools_in_debug_mode_leave_nothing)
{
  ba_log_set_handler (ignore, NULL);
  fail_each (build_many, &(BaConfig){ .memory = BA_MEMORY_HEAP, .debug = true });
  ba_log_set_handler (NULL, NULL);
}
END_TEST

static int
build_of_blocks (const void *argument)
{
  static uint8_t bytes[2][64];
  const BaBlock blocks[2] = { { bytes[0], 64, 0 }, { bytes[1], 64, 0 } };
  BaConfig config = { .blocks = blocks, .n_blocks = 2 };
  BaAllocator *allocator;
  BaPool *pool;
  (void) argument;
  int r = ba_allocator_new_with_config (BA_TYPE_FRAMEBUFFER, &config, NULL, &allocator);
  if (r < 0)
    return allocator ? NOT_NULL : r;
  r = ba_allocator_build_pool (allocator, &(BaSpec){ .name = "pages" }, &pool);
  if (r < 0 && pool)
    r = NOT_NULL;
  ba_pool_unref (pool);
  ba_allocator_unref (allocator);
  return r;
}

START_TEST (framebuffer_pools_leave_nothing)
{
  fail_each (build_of_blocks, NULL);
}
END_TEST

/* ---- one call at a time ---------------------------------------------------------------------------------------- */

typedef struct
{
  BaAllocator *allocator;
  BaPool *pool;
} Ready;

static void
count_release (const BaMemory *memory, void *user)
{
  (void) memory;
  ++*(int *) user;
}

static int
inject_external (const void *argument)
{
  const Ready *ready = argument;
  uint8_t byte;
  int released = 0;
  uint64_t id;
  BaMemory memory = { .n_blocks = 1, .blocks = { { &byte, 1, 0 } }, .fd = -1 };
  int r = ba_allocator_inject_external (ready->allocator, ready->pool, &memory, 0, count_release, &released, &id);
  if (r < 0)
    return id || released ? NOT_NULL : r;
  r = ba_allocator_remove (ready->allocator, ready->pool, id);
  return r == 0 && released != 1 ? NOT_NULL : r;
}

START_TEST (refused_external_memory_is_not_released)
{
  Ready ready;
  ck_assert_int_eq (ba_allocator_new (BA_TYPE_NORMAL, &ready.allocator), 0);
  ready.pool = build (ready.allocator, 1, BA_WHEN_FULL_BLOCK);
  fail_each (inject_external, &ready);
  ba_pool_unref (ready.pool);
  ba_allocator_unref (ready.allocator);
}
END_TEST

static int
register_kind (const void *argument)
{
  (void) argument;
  int r = ba_factory_register ("seldom", &counting_ops);
  return r == 0 ? ba_factory_unregister ("seldom") : r;
}

static int
check_health (const void *argument)
{
  const Ready *ready = argument;
  BaHealth *health = (BaHealth *) &ready;
  int r = ba_pool_check_health (ready->pool, 0, &health);
  if (r < 0)
    return health ? NOT_NULL : r;
  ba_health_free (health);
  /* fail_each() wants more than one request */
  return inject_external (argument);
}

START_TEST (a_check_of_health_leaves_nothing)
{
  Ready ready;
  BaConfig config = { .debug = true };
  ba_log_set_handler (ignore, NULL);
  ck_assert_int_eq (ba_allocator_new_with_config (BA_TYPE_NORMAL, &config, NULL, &ready.allocator), 0);
  ready.pool = build (ready.allocator, 1, BA_WHEN_FULL_BLOCK);
  fail_each (check_health, &ready);
  ba_pool_unref (ready.pool);
  ba_allocator_unref (ready.allocator);
  ba_log_set_handler (NULL, NULL);
}
END_TEST

START_TEST (a_registration_leaves_nothing)
{
  fail_each (register_kind, NULL);
}
END_TEST

static int
list_pools (const void *argument)
{
  BaPool **pools = (BaPool **) &argument;
  unsigned n = 1;
  int r = ba_registry_list (NULL, NULL, &pools, &n);
  if (r < 0)
    return pools || n ? NOT_NULL : r;
  ba_registry_free_list (pools, n);
  return n == 1 ? 0 : NOT_NULL;
}

START_TEST (a_list_leaves_nothing)
{
  BaAllocator *allocator;
  ck_assert_int_eq (ba_allocator_new (BA_TYPE_NORMAL, &allocator), 0);
  BaPool *pool = build (allocator, 1, BA_WHEN_FULL_BLOCK);
  fail_each (list_pools, NULL);
  ba_pool_unref (pool);
  ba_allocator_unref (allocator);
}
END_TEST

START_TEST (no_memory_for_an_allocator_is_a_sentence_too)
{
  BaAllocator *allocator;
  for (long n = 1; n <= 3; n++) {
    BaError error = { 0 };
    fail_malloc_arm (n);
    int r = ba_allocator_new_with_config (BA_TYPE_NORMAL, NULL, &error, &allocator);
    fail_malloc_disarm ();
    ck_assert_int_eq (r, -ENOMEM);
    ck_assert_ptr_null (allocator);
    ck_assert_int_eq (error.code, -ENOMEM);
    ck_assert_str_ne (error.message, "");
  }
}
END_TEST

#ifdef BA_HAVE_AVFRAME
static int
inject_frame (const void *argument)
{
  BaAllocator *allocator;
  BaPool *pool;
  uint64_t id;
  BaError error;
  int r = ba_allocator_new (BA_TYPE_AVFRAME, &allocator);
  if (r < 0)
    return r;
  r = ba_allocator_build_pool (allocator, &(BaSpec){ 0 }, &pool);
  if (r == 0) {
    r = ba_avframe_inject (allocator, pool, argument, BA_INJECT_FREE, &error, &id);
    if (r < 0 && (id || error.code != r))
      r = NOT_NULL;
  }
  ba_pool_unref (pool);
  ba_allocator_unref (allocator);
  return r;
}
#endif

START_TEST (a_refused_frame_is_the_callers_alone)
{
#ifdef BA_HAVE_AVFRAME
  AVFrame *frame = av_frame_alloc ();
  frame->format = AV_PIX_FMT_YUV420P;
  frame->width = frame->height = 32;
  ck_assert_int_eq (av_frame_get_buffer (frame, 0), 0);
  fail_each (inject_frame, frame);
  ck_assert_int_eq (av_buffer_get_ref_count (frame->buf[0]), 1);
  av_frame_free (&frame);
#endif
}
END_TEST

RUN ("out-of-memory", heap_pools_leave_nothing, huge_pools_leave_nothing, memfd_pools_leave_nothing,
     pools_in_debug_mode_leave_nothing, framebuffer_pools_leave_nothing, refused_external_memory_is_not_released,
     a_check_of_health_leaves_nothing, a_registration_leaves_nothing, a_list_leaves_nothing,
     no_memory_for_an_allocator_is_a_sentence_too, a_refused_frame_is_the_callers_alone)
