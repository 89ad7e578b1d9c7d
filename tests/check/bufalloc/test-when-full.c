/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-when-full.c: what a producer gets when nobody takes the filled buffers, and who is woken then. */
#include "test-support.h"

static Counts counts;

static BaAllocator *
new_allocator (void)
{
  memset (&counts, 0, sizeof counts);
  return counting_allocator (&counts, NULL);
}

static void
count_release (const BaMemory *memory, void *user)
{
  ck_assert_uint_eq (memory->n_blocks, 1);
  ++*(int *) user;
}

static void
finish (BaAllocator *allocator, BaPool *pool)
{
  ba_allocator_unref (allocator);
  ba_pool_unref (pool);
  ck_assert_int_eq (counts.creates, counts.destroys);
}

START_TEST (block_leaves_the_filled_ones_alone)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 1, BA_WHEN_FULL_BLOCK);
  BaBuffer *buffer;
  ba_pool_submit (pool, acquire (pool));
  ck_assert_int_eq (ba_pool_acquire (pool, BA_NO_WAIT, NULL, &buffer), -EAGAIN);
  ck_assert_uint_eq (stats_of (pool).drops, 0);
  finish (allocator, pool);
}
END_TEST

START_TEST (drop_oldest_gives_the_oldest_filled)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 3, BA_WHEN_FULL_DROP_OLDEST);
  BaBuffer *a = acquire (pool), *b = acquire (pool);
  ba_pool_submit (pool, a);
  ba_pool_submit (pool, b);
  BaBuffer *c = acquire (pool); /* a free one goes first */
  ck_assert_ptr_ne (c, a);
  ck_assert_uint_eq (stats_of (pool).drops, 0);
  ck_assert_ptr_eq (acquire (pool), a);
  ck_assert_int_eq (ba_buffer_get_state (a), BA_STATE_HELD);
  ck_assert_uint_eq (stats_of (pool).drops, 1);
  ba_pool_submit (pool, a);
  ck_assert_ptr_eq (take (pool), b);
  ck_assert_ptr_eq (take (pool), a);
  ba_buffer_unref (a);
  ba_buffer_unref (b);
  ba_buffer_unref (c);
  finish (allocator, pool);
}
END_TEST

START_TEST (drop_oldest_spares_what_somebody_reads)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 3, BA_WHEN_FULL_DROP_OLDEST);
  BaBuffer *read = acquire (pool), *b = acquire (pool), *c = acquire (pool), *none;
  ba_buffer_ref (read);
  ba_pool_submit (pool, read);
  ba_pool_submit (pool, b);
  ba_pool_submit (pool, c);
  ck_assert_ptr_eq (acquire (pool), b);
  ck_assert_ptr_eq (acquire (pool), c);
  ck_assert_int_eq (ba_pool_acquire (pool, BA_NO_WAIT, NULL, &none), -EAGAIN);
  ba_buffer_unref (read);
  ck_assert_ptr_eq (acquire (pool), read);
  ba_buffer_unref (read);
  ba_buffer_unref (b);
  ba_buffer_unref (c);
  finish (allocator, pool);
}
END_TEST

START_TEST (drop_oldest_spares_what_is_there_once)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 0, BA_WHEN_FULL_DROP_OLDEST);
  BaBuffer *none;
  ck_assert_int_eq (ba_allocator_inject (allocator, pool, BA_INJECT_FILLED | BA_INJECT_ONCE, NULL), 0);
  ck_assert_int_eq (ba_pool_acquire (pool, BA_NO_WAIT, NULL, &none), -EAGAIN);
  ba_buffer_unref (take (pool));
  ck_assert_int_eq (counts.destroys, 1);
  finish (allocator, pool);
}
END_TEST

START_TEST (drop_oldest_wakes_a_waiting_producer)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 1, BA_WHEN_FULL_DROP_OLDEST);
  BaBuffer *buffer = acquire (pool);
  Waiter w = { 0 };
  waiter_start (&w, pool, ba_pool_acquire);
  until_n_have_waited (pool, 1);
  ck_assert_int_eq (ba_pool_submit (pool, buffer), 0);
  ck_assert_int_eq (waiter_join (&w), 0);
  ck_assert_ptr_eq (w.buffer, buffer);
  ba_buffer_unref (w.buffer);
  finish (allocator, pool);
}
END_TEST

/* Two come filled while one consumer sleeps: it takes one, the other is the waiting producer's. */
START_TEST (a_sleeping_consumer_does_not_hide_a_buffer_from_the_producer)
{
  BaAllocator *allocator = new_allocator ();
  for (unsigned round = 0; round < 50; round++) {
    BaPool *pool = build (allocator, 2, BA_WHEN_FULL_DROP_OLDEST);
    BaBuffer *a = acquire (pool), *b = acquire (pool);
    Waiter consumer = { 0 }, producer = { 0 };
    waiter_start (&consumer, pool, ba_pool_take);
    waiter_start (&producer, pool, ba_pool_acquire);
    until_n_have_waited (pool, 2);
    ba_pool_submit (pool, a);
    ba_pool_submit (pool, b);
    ck_assert_int_eq (waiter_join (&producer), 0);
    ck_assert_int_eq (waiter_join (&consumer), 0);
    ck_assert_ptr_ne (producer.buffer, consumer.buffer);
    ba_buffer_unref (producer.buffer);
    ba_buffer_unref (consumer.buffer);
    ba_allocator_destroy_pool (allocator, pool);
    ba_pool_unref (pool);
  }
  finish (allocator, NULL);
}
END_TEST

START_TEST (an_injected_filled_buffer_wakes_a_producer_who_may_overwrite_it)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 0, BA_WHEN_FULL_DROP_OLDEST);
  Waiter w = { 0 };
  waiter_start (&w, pool, ba_pool_acquire);
  until_n_have_waited (pool, 1);
  ck_assert_int_eq (ba_allocator_inject (allocator, pool, BA_INJECT_FILLED, NULL), 0);
  ck_assert_int_eq (waiter_join (&w), 0);
  ba_buffer_unref (w.buffer);
  finish (allocator, pool);
}
END_TEST

/* The filled buffer may be overwritten from the moment its last reader leaves: the producer must be told then. */
START_TEST (the_last_reader_of_a_filled_buffer_wakes_a_producer)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 1, BA_WHEN_FULL_DROP_OLDEST);
  for (unsigned early = 0; early < 2; early++) {
    BaBuffer *buffer = acquire (pool);
    Waiter w = { 0 };
    uint64_t waits = stats_of (pool).waits;
    ba_buffer_ref (buffer);
    ba_buffer_ref (buffer);
    if (early) /* it waits before the buffer is filled, and is woken for nothing then */
      waiter_start (&w, pool, ba_pool_acquire);
    until_n_have_waited (pool, waits + early);
    ck_assert_int_eq (ba_pool_submit (pool, buffer), 0);
    if (!early)
      waiter_start (&w, pool, ba_pool_acquire);
    until_n_have_waited (pool, waits + 1);
    ba_buffer_unref (buffer);
    ck_assert_uint_eq (stats_of (pool).n_filled, 1);
    ba_buffer_unref (buffer);
    ck_assert_int_eq (waiter_join (&w), 0);
    ck_assert_ptr_eq (w.buffer, buffer);
    ba_buffer_unref (w.buffer);
  }
  finish (allocator, pool);
}
END_TEST

/* ---- max_buffers ------------------------------------------------------------------------------------------------- */

static BaPool *
limited (BaAllocator *allocator, unsigned most, BaWhenFull when_full)
{
  BaPool *pool;
  BaSpec spec = { .size_bytes = 256, .when_full = when_full, .max_buffers = most };
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &spec, &pool), 0);
  return pool;
}

START_TEST (a_full_pool_that_blocks_refuses_to_grow)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = limited (allocator, 2, BA_WHEN_FULL_BLOCK);
  uint64_t id;
  ck_assert_int_eq (ba_allocator_inject (allocator, pool, BA_INJECT_FILLED, NULL), 0);
  ck_assert_int_eq (ba_allocator_inject (allocator, pool, BA_INJECT_FREE, NULL), 0);
  ck_assert_int_eq (ba_allocator_inject (allocator, pool, BA_INJECT_FILLED, &id), -EAGAIN);
  ck_assert_uint_eq (id, 0);
  ck_assert_int_eq (counts.destroys, 1); /* what was made for nothing */
  BaBuffer *buffer = take (pool); /* out, and still counted */
  ck_assert_int_eq (ba_allocator_inject (allocator, pool, BA_INJECT_FILLED, NULL), -EAGAIN);
  ck_assert_int_eq (ba_allocator_remove (allocator, pool, ba_buffer_get_id (buffer)), -EINPROGRESS);
  ck_assert_int_eq (ba_allocator_inject (allocator, pool, BA_INJECT_FILLED, NULL), 0);
  ba_buffer_unref (buffer);
  ck_assert_uint_eq (stats_of (pool).n_buffers, 2);
  ck_assert_uint_eq (stats_of (pool).drops, 0);
  finish (allocator, pool);
}
END_TEST

START_TEST (a_full_pool_that_drops_lets_the_oldest_filled_go)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = limited (allocator, 2, BA_WHEN_FULL_DROP_OLDEST);
  uint64_t ids[3];
  for (unsigned i = 0; i < 3; i++)
    ck_assert_int_eq (ba_allocator_inject (allocator, pool, BA_INJECT_FILLED | BA_INJECT_ONCE, &ids[i]), 0);
  ck_assert_uint_eq (stats_of (pool).n_buffers, 2);
  ck_assert_uint_eq (stats_of (pool).drops, 1);
  ck_assert_int_eq (counts.destroys, 1);
  ck_assert_int_eq (ba_allocator_inject (allocator, pool, BA_INJECT_FREE, NULL), -EAGAIN); /* no frame is lost for it */
  BaBuffer *second = take (pool), *third = take (pool);
  ck_assert_uint_eq (ba_buffer_get_id (second), ids[1]);
  ck_assert_uint_eq (ba_buffer_get_id (third), ids[2]);
  ck_assert_int_eq (ba_allocator_inject (allocator, pool, BA_INJECT_FILLED, NULL), -EAGAIN); /* none to drop */
  ba_buffer_unref (second);
  ba_buffer_unref (third);
  finish (allocator, pool);
}
END_TEST

START_TEST (what_somebody_reads_is_not_dropped_for_room)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = limited (allocator, 2, BA_WHEN_FULL_DROP_OLDEST);
  ck_assert_int_eq (ba_allocator_inject (allocator, pool, BA_INJECT_FREE, NULL), 0);
  BaBuffer *read = ba_buffer_ref (acquire (pool));
  ck_assert_int_eq (ba_pool_submit (pool, read), 0);
  ck_assert_int_eq (ba_allocator_inject (allocator, pool, BA_INJECT_FILLED, NULL), 0);
  ck_assert_int_eq (ba_allocator_inject (allocator, pool, BA_INJECT_FILLED, NULL), 0);
  ck_assert_int_eq (ba_buffer_get_state (read), BA_STATE_FILLED);
  ck_assert_uint_eq (stats_of (pool).drops, 1);
  ba_buffer_unref (read);
  finish (allocator, pool);
}
END_TEST

START_TEST (external_memory_that_is_dropped_is_released_once)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = limited (allocator, 1, BA_WHEN_FULL_DROP_OLDEST);
  uint8_t byte;
  int released[2] = { 0, 0 };
  BaMemory memory = { .n_blocks = 1, .blocks = { { &byte, 1, 0 } }, .fd = -1 };
  for (unsigned i = 0; i < 2; i++)
    ck_assert_int_eq (ba_allocator_inject_external (allocator, pool, &memory, BA_INJECT_FILLED, count_release,
                                                    &released[i], NULL), 0);
  ck_assert_int_eq (released[0], 1);
  ck_assert_int_eq (released[1], 0);
  ck_assert_int_eq (ba_allocator_inject_external (allocator, pool, &memory, BA_INJECT_FREE, count_release,
                                                  &released[0], NULL), -EAGAIN);
  ck_assert_int_eq (released[0], 1); /* refused: still the caller's */
  finish (allocator, pool);
  ck_assert_int_eq (released[1], 1);
}
END_TEST

RUN ("when-full", block_leaves_the_filled_ones_alone, drop_oldest_gives_the_oldest_filled,
     drop_oldest_spares_what_somebody_reads, drop_oldest_spares_what_is_there_once,
     drop_oldest_wakes_a_waiting_producer, a_sleeping_consumer_does_not_hide_a_buffer_from_the_producer,
     an_injected_filled_buffer_wakes_a_producer_who_may_overwrite_it,
     the_last_reader_of_a_filled_buffer_wakes_a_producer, a_full_pool_that_blocks_refuses_to_grow,
     a_full_pool_that_drops_lets_the_oldest_filled_go, what_somebody_reads_is_not_dropped_for_room,
     external_memory_that_is_dropped_is_released_once)
