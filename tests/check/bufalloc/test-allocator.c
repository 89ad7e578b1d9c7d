/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-allocator.c: building with roll-back, growing and shrinking a pool that runs, and who ends what. */
#include "test-support.h"

static Counts counts;

static BaAllocator *
new_allocator (void)
{
  memset (&counts, 0, sizeof counts);
  return counting_allocator (&counts, NULL);
}

static void
finish (BaAllocator *allocator, BaPool *pool)
{
  ba_allocator_unref (allocator);
  ba_pool_unref (pool);
  ck_assert_int_eq (counts.creates, counts.destroys);
  ck_assert_int_eq (counts.opens, counts.closes);
}

/* ---- building -------------------------------------------------------------------------------------------------- */

START_TEST (a_pool_has_what_its_specification_says)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool;
  BaSpec spec = { .name = "n", .category = "c", .count = 5, .size_bytes = 1000 };
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &spec, &pool), 0);
  ck_assert_int_eq (counts.creates, 5);
  ck_assert_uint_eq (stats_of (pool).n_free, 5);
  BaBuffer *buffer = acquire (pool);
  ck_assert_uint_eq (ba_buffer_get_size (buffer), 1000);
  ba_buffer_unref (buffer);
  ck_assert_str_eq (ba_allocator_get_name (allocator), "counting");
  finish (allocator, pool);
}
END_TEST

START_TEST (the_nth_failing_create_leaves_nothing)
{
  for (int n = 1; n <= 12; n++) {
    BaAllocator *allocator = new_allocator ();
    BaPool *pool = (BaPool *) &counts, *found;
    BaSpec spec = { .name = "rolled back", .count = 12, .size_bytes = 100 };
    counts.fail_at = n;
    counts.fail_code = n % 2 ? -ENOMEM : -ENODEV;
    ck_assert_int_eq (ba_allocator_build_pool (allocator, &spec, &pool), counts.fail_code);
    ck_assert_ptr_null (pool);
    ck_assert_int_eq (counts.creates, n - 1);
    ck_assert_int_eq (counts.destroys, n - 1);
    ck_assert_int_eq (ba_registry_find_by_name (NULL, "rolled back", &found), -EINVAL);
    ck_assert_int_eq (ba_allocator_get_pool (allocator, &found), -EAGAIN);
    ck_assert_int_eq (ba_allocator_build_pool (allocator, &spec, &pool), 0);
    finish (allocator, pool);
  }
}
END_TEST

START_TEST (memory_that_no_pool_can_take_is_destroyed_again)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool;
  BaSpec spec = { .count = 2, .size_bytes = 100 };
  counts.bad_memory = true;
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &spec, &pool), -EINVAL);
  ck_assert_ptr_null (pool);
  ck_assert_int_eq (counts.creates, 1);
  finish (allocator, pool);
}
END_TEST

START_TEST (a_specification_that_cannot_be_is_EINVAL)
{
  BaAllocator *allocator = new_allocator ();
  char name[BA_NAME_BYTES + 1];
  memset (name, 'n', BA_NAME_BYTES);
  name[BA_NAME_BYTES] = '\0';
  const BaLayout good = { 0, 4, 4, 1, { 0 }, { 64 } };
  BaSpec specs[16];
  for (unsigned i = 0; i < N_ELEMENTS (specs); i++)
    specs[i] = (BaSpec){ .count = 1, .size_bytes = 256, .layout = good };
  specs[0].name = name;
  specs[1].category = name;
  specs[2].size_bytes = 0;
  specs[2].layout.n_planes = 2; /* rows of the second plane: unknown */
  specs[2].layout.stride_bytes[1] = 32;
  specs[2].layout.offset_bytes[1] = 256;
  specs[3].when_full = (BaWhenFull) 7;
  specs[4].layout.n_planes = BA_MAX_PLANES + 1;
  specs[5].layout.offset_bytes[0] = 256;
  specs[6].layout.offset_bytes[0] = 64;
  specs[7].layout.stride_bytes[0] = 0;
  specs[8].layout.stride_bytes[0] = SIZE_MAX / 2;
  specs[9].layout.height_px = 0;
  specs[10].layout.width_px = 0;
  specs[11].layout.offset_bytes[0] = SIZE_MAX;
  specs[12].size_bytes = 0;
  specs[12].layout.n_planes = 0;
  specs[13].size_bytes = 0;
  specs[13].layout.height_px = 0;
  specs[14].size_bytes = 0;
  specs[14].layout.stride_bytes[0] = SIZE_MAX / 2;
  specs[15].count = 3;
  specs[15].max_buffers = 2;
  for (unsigned i = 0; i < N_ELEMENTS (specs); i++) {
    BaPool *pool = (BaPool *) &counts;
    ck_assert_msg (ba_allocator_build_pool (allocator, &specs[i], &pool) == -EINVAL, "spec %u was taken", i);
    ck_assert_ptr_null (pool);
  }
  BaPool *pool;
  ck_assert_int_eq (ba_allocator_build_pool (allocator, NULL, &pool), -EINVAL);
  ck_assert_int_eq (counts.calls, 0);
  name[BA_NAME_BYTES - 1] = '\0';
  BaSpec longest = { .name = name, .category = name };
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &longest, &pool), 0);
  ck_assert_str_eq (ba_pool_get_name (pool), name);
  finish (allocator, pool);
}
END_TEST

static const BaAllocatorOps limited_ops = {
  .name = "limited",
  .max_buffers = counting_most,
  .open = counting_open,
  .create = counting_create,
  .destroy = counting_destroy,
  .close = counting_close,
};

START_TEST (a_kind_with_a_limit_decides_the_count)
{
  memset (&counts, 0, sizeof counts);
  counts.most = 3;
  BaConfig config = { .foreign = &counts };
  BaAllocator *allocator;
  BaPool *pool;
  ck_assert_int_eq (ba_factory_register ("limited", &limited_ops), 0);
  ck_assert_int_eq (ba_allocator_new_by_name ("limited", &config, NULL, &allocator), 0);
  BaSpec spec = { .count = 4, .size_bytes = 10 };
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &spec, &pool), -EAGAIN);
  ck_assert_ptr_null (pool);
  spec.count = 0;
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &spec, &pool), 0);
  ck_assert_uint_eq (stats_of (pool).n_buffers, 3);
  finish (allocator, pool);
  ck_assert_int_eq (ba_factory_unregister ("limited"), 0);
}
END_TEST

START_TEST (the_managed_pool_is_the_oldest_that_was_not_destroyed)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool, *pools[6];
  ck_assert_int_eq (ba_allocator_get_pool (allocator, &pool), -EAGAIN);
  ck_assert_ptr_null (pool);
  for (unsigned i = 0; i < N_ELEMENTS (pools); i++)
    pools[i] = build (allocator, 1, BA_WHEN_FULL_BLOCK);
  for (unsigned i = 0; i < N_ELEMENTS (pools); i++) {
    ck_assert_int_eq (ba_allocator_get_pool (allocator, &pool), 0);
    ck_assert_ptr_eq (pool, pools[i]);
    ba_pool_unref (pool);
    ck_assert_int_eq (ba_allocator_destroy_pool (allocator, pools[i]), 0);
    ck_assert_int_eq (ba_allocator_destroy_pool (allocator, pools[i]), -EINVAL);
    ck_assert (ba_pool_is_closed (pools[i]));
    ba_pool_unref (pools[i]);
  }
  finish (allocator, NULL);
}
END_TEST

START_TEST (destroyed_with_buffers_out_is_freed_as_they_return)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 3, BA_WHEN_FULL_BLOCK);
  BaBuffer *a = acquire (pool), *b = acquire (pool);
  ck_assert_int_eq (ba_allocator_destroy_pool (allocator, pool), 0);
  ba_pool_unref (pool);
  ck_assert_int_eq (counts.destroys, 1);
  ba_buffer_unref (a);
  ck_assert_int_eq (counts.destroys, 2);
  ba_allocator_unref (ba_allocator_ref (allocator));
  ba_allocator_unref (allocator);
  ba_allocator_unref (NULL);
  ck_assert_int_eq (counts.closes, 0);
  ba_pool_release (ba_buffer_get_pool (b), b);
  ck_assert_int_eq (counts.destroys, 3);
  ck_assert_int_eq (counts.closes, 1);
}
END_TEST

START_TEST (another_allocators_pool_is_refused)
{
  BaAllocator *allocator = new_allocator ();
  BaAllocator *other;
  BaMemory memory = { .n_blocks = 1, .blocks = { { &counts, sizeof counts, 0 } }, .fd = -1 };
  uint64_t id = 1;
  ck_assert_int_eq (ba_allocator_new (BA_TYPE_NORMAL, &other), 0);
  BaPool *pool = build (other, 1, BA_WHEN_FULL_BLOCK);
  ck_assert_int_eq (ba_allocator_destroy_pool (allocator, pool), -EINVAL);
  ck_assert_int_eq (ba_allocator_inject (allocator, pool, BA_INJECT_FREE, &id), -EINVAL);
  ck_assert_uint_eq (id, 0);
  ck_assert_int_eq (ba_allocator_inject_external (allocator, pool, &memory, 0, NULL, NULL, &id), -EINVAL);
  ck_assert_int_eq (ba_allocator_remove (allocator, pool, 0), -EINVAL);
  ck_assert_uint_eq (stats_of (pool).n_free, 1);
  ba_allocator_unref (other);
  finish (allocator, pool);
}
END_TEST

/* ---- growing --------------------------------------------------------------------------------------------------- */

START_TEST (an_injected_buffer_grows_the_pool)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 1, BA_WHEN_FULL_BLOCK);
  uint64_t id;
  ck_assert_int_eq (ba_allocator_inject (allocator, pool, BA_INJECT_FREE, &id), 0);
  ck_assert_uint_ne (id, 0);
  ck_assert_int_eq (ba_allocator_inject (allocator, pool, BA_INJECT_FILLED, &id), 0);
  BaPoolStats stats = stats_of (pool);
  ck_assert_uint_eq (stats.n_buffers, 3);
  ck_assert_uint_eq (stats.n_free, 2);
  ck_assert_uint_eq (stats.n_filled, 1);
  BaBuffer *filled = take (pool);
  ck_assert_uint_eq (ba_buffer_get_id (filled), id);
  ba_pool_release (pool, filled);
  ck_assert_int_eq (ba_allocator_inject (allocator, pool, 1U << 9, &id), -EINVAL);
  ck_assert_uint_eq (id, 0);
  counts.fail_at = counts.calls + 1;
  counts.fail_code = -EAGAIN;
  ck_assert_int_eq (ba_allocator_inject (allocator, pool, BA_INJECT_FREE, &id), -EAGAIN);
  ck_assert_uint_eq (id, 0);
  finish (allocator, pool);
}
END_TEST

START_TEST (a_layout_with_one_plane_decides_the_size)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool;
  BaSpec spec = { .count = 1, .layout = { 0, 10, 4, 1, { 16 }, { 64 } } };
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &spec, &pool), 0);
  BaBuffer *buffer = acquire (pool);
  ck_assert_uint_eq (ba_buffer_get_size (buffer), 16 + 4 * 64);
  ck_assert_ptr_eq (ba_buffer_get_plane (buffer, 0), (uint8_t *) ba_buffer_get_data (buffer) + 16);
  ba_buffer_unref (buffer);
  ck_assert_int_eq (ba_allocator_inject (allocator, pool, BA_INJECT_FILLED, NULL), 0);
  buffer = take (pool);
  ck_assert_uint_eq (ba_buffer_get_size (buffer), 16 + 4 * 64);
  ba_buffer_unref (buffer);
  finish (allocator, pool);
}
END_TEST

START_TEST (a_pool_without_a_size_can_grow_by_external_memory_only)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool;
  uint8_t byte;
  BaMemory memory = { .n_blocks = 1, .blocks = { { &byte, 1, 0 } }, .fd = -1 };
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &(BaSpec){ .name = "empty" }, &pool), 0);
  ck_assert_int_eq (ba_allocator_inject (allocator, pool, BA_INJECT_FREE, NULL), -EINVAL);
  ck_assert_int_eq (ba_allocator_inject_external (allocator, pool, &memory, 0, NULL, NULL, NULL), 0);
  finish (allocator, pool);
}
END_TEST

START_TEST (a_buffer_for_one_use_leaves_after_it)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 0, BA_WHEN_FULL_BLOCK);
  ck_assert_int_eq (ba_allocator_inject (allocator, pool, BA_INJECT_FILLED | BA_INJECT_ONCE, NULL), 0);
  ba_pool_release (pool, take (pool));
  ck_assert_int_eq (counts.destroys, 1);
  ck_assert_int_eq (ba_allocator_inject (allocator, pool, BA_INJECT_FREE | BA_INJECT_ONCE, NULL), 0);
  BaBuffer *buffer = acquire (pool);
  ck_assert_int_eq (ba_pool_submit (pool, buffer), 0);
  ck_assert_ptr_eq (take (pool), buffer);
  ck_assert_int_eq (counts.destroys, 1);
  ba_buffer_unref (buffer);
  ck_assert_int_eq (counts.destroys, 2);
  ck_assert_uint_eq (stats_of (pool).n_buffers, 0);
  finish (allocator, pool);
}
END_TEST

/* ---- memory of somebody else ----------------------------------------------------------------------------------- */

typedef struct
{
  atomic_int calls;
  void *data;
  uint64_t physical_address;
} Released;

static void
note_release (const BaMemory *memory, void *user)
{
  Released *released = user;
  released->data = memory->blocks[0].data;
  released->physical_address = memory->blocks[0].physical_address;
  released->calls++;
}

static void *
unref_main (void *buffer)
{
  ba_buffer_unref (buffer);
  return NULL;
}

START_TEST (external_memory_is_given_back_once_on_the_last_holders_thread)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 0, BA_WHEN_FULL_BLOCK);
  uint8_t bytes[64];
  Released released = { 0 };
  BaMemory memory = { .n_blocks = 1, .blocks = { { bytes, sizeof bytes, 0xfe000000 } }, .fd = -1 };
  uint64_t id;
  ck_assert_int_eq (
      ba_allocator_inject_external (allocator, pool, &memory, BA_INJECT_FREE, note_release, &released, &id), 0);
  for (unsigned i = 0; i < 3; i++)
    ba_buffer_unref (acquire (pool));
  ck_assert_int_eq (released.calls, 0);
  BaBuffer *buffer = acquire (pool);
  ck_assert_int_eq (ba_allocator_remove (allocator, pool, id), -EINPROGRESS);
  pthread_t thread;
  ck_assert_int_eq (pthread_create (&thread, NULL, unref_main, buffer), 0);
  pthread_join (thread, NULL);
  ck_assert_int_eq (released.calls, 1);
  ck_assert_ptr_eq (released.data, bytes);
  ck_assert_uint_eq (released.physical_address, 0xfe000000);
  finish (allocator, pool);
  ck_assert_int_eq (released.calls, 1);
  ck_assert_int_eq (counts.destroys, 0);
}
END_TEST

START_TEST (external_memory_in_either_queue_is_given_back_at_the_end)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 1, BA_WHEN_FULL_BLOCK);
  uint8_t bytes[64];
  Released released[3] = { 0 };
  BaMemory memory = { .n_blocks = 1, .blocks = { { bytes, sizeof bytes, 0 } }, .fd = -1 };
  const unsigned flags[] = { BA_INJECT_FREE, BA_INJECT_FILLED, BA_INJECT_FILLED | BA_INJECT_ONCE };
  for (unsigned i = 0; i < 3; i++) {
    ck_assert_int_eq (
        ba_allocator_inject_external (allocator, pool, &memory, flags[i], note_release, &released[i], NULL), 0);
  }
  finish (allocator, pool);
  for (unsigned i = 0; i < 3; i++)
    ck_assert_int_eq (released[i].calls, 1);
}
END_TEST

START_TEST (refused_external_memory_stays_the_callers)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 1, BA_WHEN_FULL_BLOCK);
  uint8_t bytes[64];
  Released released = { 0 };
  const BaMemory good = { .n_blocks = 1, .blocks = { { bytes, sizeof bytes, 0 } }, .fd = -1 };
  BaMemory bad[8];
  for (unsigned i = 0; i < N_ELEMENTS (bad); i++)
    bad[i] = good;
  bad[0].n_blocks = 0;
  bad[1].n_blocks = BA_MAX_PLANES + 1;
  bad[2].blocks[0].data = NULL;
  bad[3].blocks[0].size_bytes = 0;
  bad[4].n_blocks = 2;
  bad[4].blocks[1] = (BaBlock){ bytes, SIZE_MAX, 0 };
  bad[5].layout = (BaLayout){ 0, 4, 4, 1, { 0 }, { 64 } };
  bad[6].layout = (BaLayout){ 0, 4, 4, BA_MAX_PLANES + 1, { 0 }, { 4 } };
  bad[7].layout = (BaLayout){ 0, 4, UINT32_MAX, 1, { 1 }, { SIZE_MAX / 4 } };
  for (unsigned i = 0; i < N_ELEMENTS (bad); i++) {
    uint64_t id = 1;
    ck_assert_msg (ba_allocator_inject_external (allocator, pool, &bad[i], 0, note_release, &released, &id) == -EINVAL,
                   "memory %u was taken", i);
    ck_assert_uint_eq (id, 0);
  }
  ck_assert_int_eq (ba_allocator_inject_external (allocator, pool, NULL, 0, note_release, &released, NULL), -EINVAL);
  ck_assert_int_eq (ba_allocator_inject_external (allocator, pool, &good, 8, note_release, &released, NULL), -EINVAL);
  ba_pool_close (pool);
  ck_assert_int_eq (ba_allocator_inject_external (allocator, pool, &good, 0, note_release, &released, NULL),
                    -ESHUTDOWN);
  finish (allocator, pool);
  ck_assert_int_eq (released.calls, 0);
}
END_TEST

/* ---- shrinking ------------------------------------------------------------------------------------------------- */

START_TEST (a_free_or_filled_buffer_is_removed_at_once)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 4, BA_WHEN_FULL_BLOCK);
  BaBuffer *filled[3] = { acquire (pool), acquire (pool), acquire (pool) };
  for (unsigned i = 0; i < 3; i++)
    ba_pool_submit (pool, filled[i]);
  uint64_t id = ba_buffer_get_id (filled[1]);
  ck_assert_int_eq (ba_allocator_remove (allocator, pool, id), 0);
  ck_assert_int_eq (counts.destroys, 1);
  ck_assert_int_eq (ba_allocator_remove (allocator, pool, id), -EINVAL);
  ck_assert_int_eq (ba_allocator_remove (allocator, pool, 0), 0);
  ck_assert_int_eq (counts.destroys, 2);
  ck_assert_int_eq (ba_allocator_remove (allocator, pool, 0), -EAGAIN);
  ck_assert_ptr_eq (take (pool), filled[0]);
  ck_assert_ptr_eq (take (pool), filled[2]);
  ba_buffer_unref (filled[0]);
  ba_buffer_unref (filled[2]);
  finish (allocator, pool);
}
END_TEST

START_TEST (removed_while_held_is_freed_on_return)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 2, BA_WHEN_FULL_BLOCK);
  BaBuffer *held = acquire (pool), *lent = acquire (pool);
  ba_pool_submit (pool, lent);
  ck_assert_ptr_eq (take (pool), lent);
  uint64_t id = ba_buffer_get_id (held);
  ck_assert_int_eq (ba_allocator_remove (allocator, pool, id), -EINPROGRESS);
  ck_assert_int_eq (ba_allocator_remove (allocator, pool, id), -EINVAL);
  ck_assert_int_eq (ba_allocator_remove (allocator, pool, ba_buffer_get_id (lent)), -EINPROGRESS);
  ck_assert_int_eq (counts.destroys, 0);
  ck_assert_int_eq (ba_pool_submit (pool, held), -ESHUTDOWN);
  ck_assert_int_eq (ba_pool_release (pool, held), 0);
  ck_assert_int_eq (counts.destroys, 1);
  ck_assert_int_eq (ba_pool_release (pool, lent), 0);
  ck_assert_int_eq (counts.destroys, 2);
  ck_assert_uint_eq (stats_of (pool).n_buffers, 0);
  finish (allocator, pool);
}
END_TEST

RUN ("allocator", a_pool_has_what_its_specification_says, the_nth_failing_create_leaves_nothing,
     memory_that_no_pool_can_take_is_destroyed_again, a_specification_that_cannot_be_is_EINVAL,
     a_kind_with_a_limit_decides_the_count, the_managed_pool_is_the_oldest_that_was_not_destroyed,
     destroyed_with_buffers_out_is_freed_as_they_return, another_allocators_pool_is_refused,
     an_injected_buffer_grows_the_pool, a_layout_with_one_plane_decides_the_size,
     a_pool_without_a_size_can_grow_by_external_memory_only,
     a_buffer_for_one_use_leaves_after_it, external_memory_is_given_back_once_on_the_last_holders_thread,
     external_memory_in_either_queue_is_given_back_at_the_end, refused_external_memory_stays_the_callers,
     a_free_or_filled_buffer_is_removed_at_once, removed_while_held_is_freed_on_return)
