/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-buffer.c: references, the way home with several holders, orphans, and what is known about a buffer. */
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
}

static void *
unref_main (void *buffer)
{
  ba_buffer_unref (buffer);
  return NULL;
}

static void
unref_on_another_thread (BaBuffer *buffer)
{
  pthread_t thread;
  ck_assert_int_eq (pthread_create (&thread, NULL, unref_main, buffer), 0);
  pthread_join (thread, NULL);
}

/* ---- holders --------------------------------------------------------------------------------------------------- */

START_TEST (released_with_another_holder_comes_home_with_its_last_reference)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 1, BA_WHEN_FULL_BLOCK);
  BaBuffer *buffer = acquire (pool), *none;
  ck_assert (!ba_buffer_is_shared (buffer));
  ck_assert_ptr_eq (ba_buffer_ref (buffer), buffer);
  ck_assert (ba_buffer_is_shared (buffer));
  ck_assert_int_eq (ba_pool_release (pool, buffer), 0);
  ck_assert_int_eq (ba_pool_release (pool, buffer), -EINVAL);
  ck_assert_int_eq (ba_pool_submit (pool, buffer), -EINVAL);
  ck_assert_int_eq (ba_pool_acquire (pool, BA_NO_WAIT, NULL, &none), -EAGAIN);
  unref_on_another_thread (buffer);
  ck_assert_ptr_eq (acquire (pool), buffer);
  ck_assert_int_eq (ba_pool_release (pool, buffer), 0); /* the next user's release is its first again */
  finish (allocator, pool);
}
END_TEST

START_TEST (a_released_buffer_may_find_its_extra_holder_gone)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 1, BA_WHEN_FULL_BLOCK);
  BaBuffer *buffer = acquire (pool);
  ba_buffer_ref (buffer);
  ba_buffer_unref (buffer);
  ck_assert_int_eq (ba_buffer_get_state (buffer), BA_STATE_HELD);
  ck_assert_int_eq (ba_pool_release (pool, buffer), 0);
  ck_assert_uint_eq (stats_of (pool).n_free, 1);
  ba_buffer_unref (NULL);
  finish (allocator, pool);
}
END_TEST

START_TEST (a_lent_buffer_with_a_reader_comes_home_after_both)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 1, BA_WHEN_FULL_BLOCK);
  BaBuffer *buffer = acquire (pool);
  ba_buffer_ref (buffer);
  ck_assert_int_eq (ba_pool_submit (pool, buffer), 0);
  ck_assert_ptr_eq (take (pool), buffer);
  ck_assert_int_eq (ba_pool_release (pool, buffer), 0);
  ck_assert_uint_eq (stats_of (pool).n_lent, 1);
  ba_buffer_unref (buffer);
  ck_assert_uint_eq (stats_of (pool).n_lent, 0);
  ck_assert_uint_eq (stats_of (pool).n_free, 1);
  finish (allocator, pool);
}
END_TEST

START_TEST (a_filled_buffer_with_a_reader_outlives_the_pools_close)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 1, BA_WHEN_FULL_BLOCK);
  BaBuffer *buffer = acquire (pool);
  ba_buffer_ref (buffer);
  ck_assert_int_eq (ba_pool_submit (pool, buffer), 0);
  ba_pool_close (pool);
  ck_assert_int_eq (ba_buffer_get_state (buffer), BA_STATE_ORPHAN);
  ck_assert_int_eq (counts.destroys, 0);
  ck_assert_uint_eq (stats_of (pool).n_orphans, 1);
  memset (ba_buffer_get_data (buffer), 1, ba_buffer_get_size (buffer));
  ba_allocator_unref (allocator);
  ba_pool_unref (pool);
  ck_assert_int_eq (counts.closes, 0);
  ba_buffer_unref (buffer);
  ck_assert_int_eq (counts.destroys, 1);
  ck_assert_int_eq (counts.closes, 1);
}
END_TEST

START_TEST (a_filled_buffer_with_a_reader_is_removed_when_the_reader_goes)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 1, BA_WHEN_FULL_BLOCK);
  BaBuffer *buffer = acquire (pool);
  ba_buffer_ref (buffer);
  ck_assert_int_eq (ba_pool_submit (pool, buffer), 0);
  ck_assert_int_eq (ba_allocator_remove (allocator, pool, ba_buffer_get_id (buffer)), -EINPROGRESS);
  ck_assert_uint_eq (stats_of (pool).n_filled, 0);
  ck_assert_int_eq (counts.destroys, 0);
  ba_buffer_unref (buffer);
  ck_assert_int_eq (counts.destroys, 1);
  finish (allocator, pool);
}
END_TEST

/* ---- the pool's end -------------------------------------------------------------------------------------------- */

START_TEST (a_buffer_that_is_out_keeps_its_memory_when_everybody_else_is_gone)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 2, BA_WHEN_FULL_BLOCK);
  BaBuffer *held = acquire (pool), *lent = acquire (pool);
  ba_pool_submit (pool, lent);
  ck_assert_ptr_eq (take (pool), lent);
  ba_allocator_unref (allocator);
  ba_pool_unref (pool);
  ck_assert_int_eq (counts.destroys, 0);
  ck_assert_int_eq (ba_buffer_get_state (held), BA_STATE_ORPHAN);
  memset (ba_buffer_get_data (held), 1, ba_buffer_get_size (held));
  ck_assert_int_eq (ba_pool_release (ba_buffer_get_pool (held), held), 0);
  ck_assert_int_eq (counts.destroys, 1);
  ck_assert_int_eq (counts.closes, 0);
  unref_on_another_thread (lent);
  ck_assert_int_eq (counts.destroys, 2);
  ck_assert_int_eq (counts.closes, 1);
}
END_TEST

START_TEST (a_holder_may_reference_the_pool_that_everybody_left)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 1, BA_WHEN_FULL_BLOCK);
  BaBuffer *buffer = acquire (pool);
  ba_allocator_unref (allocator);
  ba_pool_unref (pool);
  pool = ba_pool_ref (ba_buffer_get_pool (buffer));
  ck_assert (ba_pool_is_closed (pool));
  ck_assert_int_eq (ba_pool_release (pool, buffer), 0);
  ba_pool_unref (pool);
  ck_assert_int_eq (counts.closes, 1);
}
END_TEST

typedef struct
{
  pthread_barrier_t barrier;
  BaPool *pool;
} LastTwo;

static void *
last_two_main (void *data)
{
  LastTwo *both = data;
  BaPool *pool = both->pool;
  pthread_barrier_wait (&both->barrier);
  ba_pool_unref (pool);
  return NULL;
}

START_TEST (two_threads_may_drop_the_last_two_references_at_once)
{
  BaAllocator *allocator = new_allocator ();
  LastTwo both;
  pthread_barrier_init (&both.barrier, NULL, 2);
  for (unsigned round = 0; round < 300; round++) {
    pthread_t other;
    both.pool = build (allocator, 2, BA_WHEN_FULL_BLOCK);
    ba_pool_ref (both.pool);
    ba_pool_submit (both.pool, acquire (both.pool));
    ba_allocator_destroy_pool (allocator, both.pool);
    ck_assert_int_eq (pthread_create (&other, NULL, last_two_main, &both), 0);
    last_two_main (&both);
    pthread_join (other, NULL);
  }
  pthread_barrier_destroy (&both.barrier);
  finish (allocator, NULL);
}
END_TEST

/* ---- user data ------------------------------------------------------------------------------------------------- */

static void
count_up (void *data)
{
  ++*(int *) data;
}

START_TEST (user_data_stays_across_users_and_is_destroyed_once)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 1, BA_WHEN_FULL_BLOCK);
  BaBuffer *buffer = acquire (pool);
  int first = 0, second = 0;
  ck_assert_ptr_null (ba_buffer_get_user_data (buffer));
  ba_buffer_set_user_data (buffer, &first, count_up);
  ba_pool_release (pool, buffer);
  ck_assert_ptr_eq (acquire (pool), buffer);
  ck_assert_ptr_eq (ba_buffer_get_user_data (buffer), &first);
  ba_buffer_set_user_data (buffer, &second, count_up);
  ck_assert_int_eq (first, 1);
  ba_pool_release (pool, buffer);
  finish (allocator, pool);
  ck_assert_int_eq (first, 1);
  ck_assert_int_eq (second, 1);
}
END_TEST

/* ---- what is known about it ------------------------------------------------------------------------------------ */

static uint8_t rows[2][400];

static int
inject_rows (BaAllocator *allocator, BaPool *pool, BaMemory *memory, uint64_t *id)
{
  memory->n_blocks = 2;
  memory->blocks[0] = (BaBlock){ rows[0], sizeof rows[0], 0x1000 };
  memory->blocks[1] = (BaBlock){ rows[1], sizeof rows[1], 0 };
  return ba_allocator_inject_external (allocator, pool, memory, BA_INJECT_FREE, NULL, NULL, id);
}

START_TEST (a_plane_is_found_in_whichever_block_it_lies)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 0, BA_WHEN_FULL_BLOCK);
  BaMemory memory = { .fd = 7, .fd_offset_bytes = 4096 };
  memory.layout = (BaLayout){ BA_FOURCC ('Y', 'U', '1', '2'), 16, 16, 3, { 0, 399, 400 }, { 16, 8, 8 } };
  uint64_t id;
  ck_assert_int_eq (inject_rows (allocator, pool, &memory, &id), 0);
  BaBuffer *buffer = acquire (pool);
  size_t offset_bytes;
  ck_assert_uint_eq (ba_buffer_get_id (buffer), id);
  ck_assert_ptr_eq (ba_buffer_get_pool (buffer), pool);
  ck_assert_ptr_eq (ba_buffer_get_data (buffer), rows[0]);
  ck_assert_uint_eq (ba_buffer_get_physical_address (buffer), 0x1000);
  ck_assert_uint_eq (ba_buffer_get_size (buffer), 800);
  ck_assert_uint_eq (ba_buffer_get_n_blocks (buffer), 2);
  ck_assert_ptr_eq (ba_buffer_get_block (buffer, 1)->data, rows[1]);
  ck_assert_ptr_null (ba_buffer_get_block (buffer, 2));
  ck_assert_ptr_eq (ba_buffer_get_plane (buffer, 0), rows[0]);
  ck_assert_ptr_eq (ba_buffer_get_plane (buffer, 1), rows[0] + 399);
  ck_assert_ptr_eq (ba_buffer_get_plane (buffer, 2), rows[1]);
  ck_assert_ptr_null (ba_buffer_get_plane (buffer, 3));
  ck_assert_int_eq (ba_buffer_get_fd (buffer, &offset_bytes), 7);
  ck_assert_uint_eq (offset_bytes, 4096);
  ck_assert_int_eq (ba_buffer_get_fd (buffer, NULL), 7);
  ck_assert_int_eq (ba_buffer_get_ownership (buffer), BA_EXTERNAL);
  ck_assert_uint_eq (ba_buffer_get_layout (buffer)->stride_bytes[1], 8);
  ba_buffer_unref (buffer);
  finish (allocator, pool);
}
END_TEST

START_TEST (each_buffer_has_its_own_layout_where_it_differs_from_the_pools)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool;
  BaLayout layout = { BA_FOURCC ('X', 'R', '2', '4'), 4, 4, 1, { 0 }, { 16 } };
  BaSpec spec = { .count = 1, .size_bytes = 256, .layout = layout };
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &spec, &pool), 0);
  BaMemory memory = { .fd = -1, .layout = layout };
  ck_assert_int_eq (inject_rows (allocator, pool, &memory, NULL), 0);
  memory.layout.stride_bytes[0] = 32;
  ck_assert_int_eq (inject_rows (allocator, pool, &memory, NULL), 0);
  memory.layout.fourcc = 0;
  ck_assert_int_eq (inject_rows (allocator, pool, &memory, NULL), 0);
  BaBuffer *made = acquire (pool), *same = acquire (pool), *wider = acquire (pool), *nameless = acquire (pool);
  ck_assert_int_eq (ba_buffer_get_ownership (made), BA_OWNED);
  ck_assert_int_eq (ba_buffer_get_fd (made, NULL), -1);
  ck_assert_uint_eq (ba_buffer_get_layout (made)->stride_bytes[0], 16);
  ck_assert_ptr_eq (ba_buffer_get_layout (made), ba_buffer_get_layout (same));
  ck_assert_uint_eq (ba_buffer_get_layout (wider)->stride_bytes[0], 32);
  ck_assert_uint_eq (ba_buffer_get_layout (nameless)->fourcc, 0);
  ba_buffer_unref (made);
  ba_buffer_unref (same);
  ba_buffer_unref (wider);
  ba_buffer_unref (nameless);
  finish (allocator, pool);
}
END_TEST

START_TEST (an_index_is_small_and_used_again_and_an_id_never)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 20, BA_WHEN_FULL_BLOCK);
  BaBuffer *first = acquire (pool), *second = acquire (pool);
  uint64_t id, removed = ba_buffer_get_id (first);
  ck_assert_uint_ne (removed, 0);
  ck_assert_uint_ne (removed, ba_buffer_get_id (second));
  ck_assert_uint_eq (ba_buffer_get_index (first), 0);
  ck_assert_uint_eq (ba_buffer_get_index (second), 1);
  ba_pool_release (pool, first);
  ck_assert_int_eq (ba_allocator_remove (allocator, pool, removed), 0);
  ck_assert_int_eq (ba_allocator_inject (allocator, pool, BA_INJECT_FILLED, &id), 0);
  BaBuffer *fresh = take (pool);
  ck_assert_uint_eq (ba_buffer_get_id (fresh), id);
  ck_assert_uint_gt (id, removed);
  ck_assert_uint_eq (ba_buffer_get_index (fresh), 0);
  ba_buffer_unref (fresh);
  ba_buffer_unref (second);
  finish (allocator, pool);
}
END_TEST

START_TEST (every_state_has_a_name)
{
  ck_assert_str_eq (ba_state_name (BA_STATE_FREE), "free");
  ck_assert_str_eq (ba_state_name (BA_STATE_HELD), "held");
  ck_assert_str_eq (ba_state_name (BA_STATE_FILLED), "filled");
  ck_assert_str_eq (ba_state_name (BA_STATE_LENT), "lent");
  ck_assert_str_eq (ba_state_name (BA_STATE_ORPHAN), "orphan");
  ck_assert_str_eq (ba_state_name ((BaState) 99), "unknown");
}
END_TEST

RUN ("buffer", released_with_another_holder_comes_home_with_its_last_reference,
     a_released_buffer_may_find_its_extra_holder_gone, a_lent_buffer_with_a_reader_comes_home_after_both,
     a_filled_buffer_with_a_reader_outlives_the_pools_close,
     a_filled_buffer_with_a_reader_is_removed_when_the_reader_goes,
     a_buffer_that_is_out_keeps_its_memory_when_everybody_else_is_gone,
     a_holder_may_reference_the_pool_that_everybody_left, two_threads_may_drop_the_last_two_references_at_once,
     user_data_stays_across_users_and_is_destroyed_once, a_plane_is_found_in_whichever_block_it_lies,
     each_buffer_has_its_own_layout_where_it_differs_from_the_pools, an_index_is_small_and_used_again_and_an_id_never,
     every_state_has_a_name)
