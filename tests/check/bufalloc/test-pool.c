/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-pool.c: the two queues and the waits: order, deadlines, cancelling, closing, and wrong orders of calls. */
#include "test-support.h"

static Counts counts;

static BaAllocator *
new_allocator (void)
{
  memset (&counts, 0, sizeof counts);
  return counting_allocator (&counts, NULL);
}

/* Drops both, and holds what was created against what was destroyed. */
static void
finish (BaAllocator *allocator, BaPool *pool)
{
  ba_allocator_unref (allocator);
  ba_pool_unref (pool);
  ck_assert_int_eq (counts.creates, counts.destroys);
  ck_assert_int_eq (counts.opens, counts.closes);
}

/* ---- order ----------------------------------------------------------------------------------------------------- */

START_TEST (free_buffers_come_out_in_the_order_they_came_home)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 3, BA_WHEN_FULL_BLOCK);
  BaBuffer *a = acquire (pool), *b = acquire (pool), *c = acquire (pool);
  ck_assert_int_eq (ba_pool_release (pool, c), 0);
  ck_assert_int_eq (ba_pool_release (pool, a), 0);
  ck_assert_int_eq (ba_pool_release (pool, b), 0);
  ck_assert_ptr_eq (acquire (pool), c);
  ck_assert_ptr_eq (acquire (pool), a);
  ck_assert_ptr_eq (acquire (pool), b);
  ba_buffer_unref (a);
  ba_buffer_unref (b);
  ba_buffer_unref (c);
  finish (allocator, pool);
}
END_TEST

START_TEST (filled_buffers_come_out_in_the_order_they_went_in)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 3, BA_WHEN_FULL_BLOCK);
  BaBuffer *a = acquire (pool), *b = acquire (pool), *c = acquire (pool);
  ck_assert_int_eq (ba_pool_submit (pool, b), 0);
  ck_assert_int_eq (ba_pool_submit (pool, c), 0);
  ck_assert_int_eq (ba_pool_submit (pool, a), 0);
  BaBuffer *taken[3] = { take (pool), take (pool), take (pool) };
  ck_assert_ptr_eq (taken[0], b);
  ck_assert_ptr_eq (taken[1], c);
  ck_assert_ptr_eq (taken[2], a);
  for (unsigned i = 0; i < 3; i++)
    ck_assert_int_eq (ba_pool_release (pool, taken[i]), 0);
  finish (allocator, pool);
}
END_TEST

START_TEST (a_producer_may_give_up_a_buffer)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 1, BA_WHEN_FULL_BLOCK);
  ck_assert_int_eq (ba_pool_release (pool, acquire (pool)), 0);
  BaPoolStats stats = stats_of (pool);
  ck_assert_uint_eq (stats.n_free, 1);
  ck_assert_uint_eq (stats.n_filled, 0);
  finish (allocator, pool);
}
END_TEST

START_TEST (the_counts_add_up_in_every_state)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 4, BA_WHEN_FULL_BLOCK);
  BaBuffer *held = acquire (pool), *filled = acquire (pool), *lent = acquire (pool);
  ba_pool_submit (pool, lent);
  ck_assert_ptr_eq (take (pool), lent);
  ba_pool_submit (pool, filled);
  BaPoolStats stats = stats_of (pool);
  ck_assert_uint_eq (stats.n_buffers, 4);
  ck_assert_uint_eq (stats.n_free, 1);
  ck_assert_uint_eq (stats.n_held, 1);
  ck_assert_uint_eq (stats.n_filled, 1);
  ck_assert_uint_eq (stats.n_lent, 1);
  ck_assert_uint_eq (stats.n_orphans, 0);
  ck_assert_uint_eq (stats.peak_out, 3);
  ck_assert_uint_eq (stats.acquires, 3);
  ck_assert_uint_eq (stats.takes, 1);
  ck_assert_uint_eq (stats.waits, 0);
  ck_assert_int_eq (ba_allocator_remove (allocator, pool, ba_buffer_get_id (held)), -EINPROGRESS);
  stats = stats_of (pool);
  ck_assert_uint_eq (stats.n_buffers, 3);
  ck_assert_uint_eq (stats.n_held, 0);
  ck_assert_uint_eq (stats.n_orphans, 1);
  ck_assert_int_eq (ba_pool_release (pool, held), 0);
  ck_assert_int_eq (ba_pool_release (pool, lent), 0);
  stats = stats_of (pool);
  ck_assert_uint_eq (stats.n_orphans, 0);
  ck_assert_uint_eq (stats.n_free, 2);
  finish (allocator, pool);
}
END_TEST

START_TEST (orphans_do_not_count_as_peak)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 2, BA_WHEN_FULL_BLOCK);
  BaBuffer *orphan = acquire (pool);
  ba_allocator_remove (allocator, pool, ba_buffer_get_id (orphan));
  BaBuffer *held = acquire (pool);
  ck_assert_uint_eq (stats_of (pool).peak_out, 1);
  ba_buffer_unref (orphan);
  ba_buffer_unref (held);
  finish (allocator, pool);
}
END_TEST

START_TEST (a_pool_knows_its_id_and_keeps_its_own_names)
{
  char name[] = "camera", category[] = "video";
  BaAllocator *allocator = new_allocator ();
  BaPool *a, *b = build (allocator, 0, BA_WHEN_FULL_BLOCK);
  BaSpec spec = { .name = name, .category = category };
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &spec, &a), 0);
  memset (name, 'x', sizeof name - 1);
  memset (category, 'x', sizeof category - 1);
  ck_assert_str_eq (ba_pool_get_name (a), "camera");
  ck_assert_str_eq (ba_pool_get_category (a), "video");
  ck_assert_str_eq (ba_pool_get_category (b), "");
  ck_assert_uint_ne (ba_pool_get_id (a), 0);
  ck_assert_uint_ne (ba_pool_get_id (a), ba_pool_get_id (b));
  ba_pool_unref (b);
  finish (allocator, a);
}
END_TEST

/* ---- waits ----------------------------------------------------------------------------------------------------- */

START_TEST (not_waiting_is_EAGAIN)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 0, BA_WHEN_FULL_BLOCK);
  BaBuffer *buffer = (BaBuffer *) &counts;
  ck_assert_int_eq (ba_pool_acquire (pool, BA_NO_WAIT, NULL, &buffer), -EAGAIN);
  ck_assert_ptr_null (buffer);
  buffer = (BaBuffer *) &counts;
  ck_assert_int_eq (ba_pool_take (pool, BA_NO_WAIT, NULL, &buffer), -EAGAIN);
  ck_assert_ptr_null (buffer);
  ck_assert_uint_eq (stats_of (pool).waits, 0);
  finish (allocator, pool);
}
END_TEST

START_TEST (a_deadline_is_not_cut_short)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 0, BA_WHEN_FULL_BLOCK);
  BaBuffer *buffer = (BaBuffer *) &counts;
  int64_t began_ns = monotonic_ns ();
  ck_assert_int_eq (ba_pool_acquire (pool, 20 * MS, NULL, &buffer), -ETIMEDOUT);
  ck_assert_int_ge (monotonic_ns () - began_ns, 20 * MS);
  ck_assert_ptr_null (buffer);
  began_ns = monotonic_ns ();
  ck_assert_int_eq (ba_pool_take (pool, 10 * MS, NULL, &buffer), -ETIMEDOUT);
  ck_assert_int_ge (monotonic_ns () - began_ns, 10 * MS);
  BaPoolStats stats = stats_of (pool);
  ck_assert_uint_eq (stats.waits, 2);
  ck_assert_uint_ge (stats.longest_wait_ns, 20 * MS);
  finish (allocator, pool);
}
END_TEST

START_TEST (a_released_buffer_wakes_a_producer)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 1, BA_WHEN_FULL_BLOCK);
  BaBuffer *buffer = acquire (pool);
  Waiter w = { 0 };
  waiter_start (&w, pool, ba_pool_acquire);
  until_n_have_waited (pool, 1);
  ck_assert_int_eq (ba_pool_release (pool, buffer), 0);
  ck_assert_int_eq (waiter_join (&w), 0);
  ck_assert_ptr_eq (w.buffer, buffer);
  ba_buffer_unref (w.buffer);
  finish (allocator, pool);
}
END_TEST

START_TEST (a_submitted_buffer_wakes_a_consumer)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 1, BA_WHEN_FULL_BLOCK);
  BaBuffer *buffer = acquire (pool);
  Waiter w = { 0 };
  waiter_start (&w, pool, ba_pool_take);
  until_n_have_waited (pool, 1);
  ck_assert_int_eq (ba_pool_submit (pool, buffer), 0);
  ck_assert_int_eq (waiter_join (&w), 0);
  ck_assert_ptr_eq (w.buffer, buffer);
  ck_assert_int_eq (ba_buffer_get_state (buffer), BA_STATE_LENT);
  ba_buffer_unref (w.buffer);
  finish (allocator, pool);
}
END_TEST

START_TEST (an_injected_buffer_wakes_whom_it_is_for)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 0, BA_WHEN_FULL_BLOCK);
  Waiter producer = { 0 }, consumer = { 0 };
  waiter_start (&producer, pool, ba_pool_acquire);
  waiter_start (&consumer, pool, ba_pool_take);
  until_n_have_waited (pool, 2);
  ck_assert_int_eq (ba_allocator_inject (allocator, pool, BA_INJECT_FREE, NULL), 0);
  ck_assert_int_eq (waiter_join (&producer), 0);
  ck_assert_int_eq (ba_allocator_inject (allocator, pool, BA_INJECT_FILLED, NULL), 0);
  ck_assert_int_eq (waiter_join (&consumer), 0);
  ba_buffer_unref (producer.buffer);
  ba_buffer_unref (consumer.buffer);
  finish (allocator, pool);
}
END_TEST

START_TEST (the_longest_deadline_does_not_overflow)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 1, BA_WHEN_FULL_BLOCK);
  BaBuffer *buffer = acquire (pool);
  Waiter w = { .timeout_ns = INT64_MAX };
  waiter_start (&w, pool, ba_pool_acquire);
  until_n_have_waited (pool, 1);
  ck_assert_int_eq (ba_pool_release (pool, buffer), 0);
  ck_assert_int_eq (waiter_join (&w), 0);
  ba_buffer_unref (w.buffer);
  finish (allocator, pool);
}
END_TEST

START_TEST (cancel_ends_one_wait_and_not_the_other)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 1, BA_WHEN_FULL_BLOCK);
  BaBuffer *buffer = acquire (pool);
  Waiter called_off = { 0 }, goes_on = { 0 };
  waiter_start (&called_off, pool, ba_pool_acquire);
  waiter_start (&goes_on, pool, ba_pool_acquire);
  until_n_have_waited (pool, 2);
  ba_pool_wake (pool); /* nobody's flag is set: both wait on */
  atomic_store (&called_off.cancel, 1);
  ba_pool_wake (pool);
  ck_assert_int_eq (waiter_join (&called_off), -ECANCELED);
  ck_assert_ptr_null (called_off.buffer);
  ck_assert_int_eq (ba_pool_release (pool, buffer), 0);
  ck_assert_int_eq (waiter_join (&goes_on), 0);
  ck_assert_ptr_eq (goes_on.buffer, buffer);
  ba_buffer_unref (buffer);
  finish (allocator, pool);
}
END_TEST

START_TEST (a_flag_that_is_set_already_ends_the_call_at_once)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 1, BA_WHEN_FULL_BLOCK);
  BaCancel cancel = 1;
  BaBuffer *buffer;
  ck_assert_int_eq (ba_pool_acquire (pool, BA_WAIT_FOREVER, &cancel, &buffer), -ECANCELED);
  ck_assert_int_eq (ba_pool_take (pool, BA_WAIT_FOREVER, &cancel, &buffer), -ECANCELED);
  atomic_store (&cancel, 0);
  ck_assert_int_eq (ba_pool_acquire (pool, BA_WAIT_FOREVER, &cancel, &buffer), 0);
  ba_buffer_unref (buffer);
  finish (allocator, pool);
}
END_TEST

START_TEST (close_wakes_all_waiters)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 0, BA_WHEN_FULL_BLOCK);
  Waiter w[6] = { 0 };
  for (unsigned i = 0; i < N_ELEMENTS (w); i++)
    waiter_start (&w[i], pool, i % 2 ? ba_pool_take : ba_pool_acquire);
  until_n_have_waited (pool, N_ELEMENTS (w));
  ba_pool_close (pool);
  for (unsigned i = 0; i < N_ELEMENTS (w); i++) {
    ck_assert_int_eq (waiter_join (&w[i]), -ESHUTDOWN);
    ck_assert_ptr_null (w[i].buffer);
  }
  finish (allocator, pool);
}
END_TEST

START_TEST (a_closed_pool_refuses_everything_but_what_comes_home)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 3, BA_WHEN_FULL_BLOCK);
  BaBuffer *a = acquire (pool), *b = acquire (pool), *none;
  ck_assert (!ba_pool_is_closed (pool));
  ba_pool_close (pool);
  ba_pool_close (pool);
  ck_assert (ba_pool_is_closed (pool));
  ck_assert_int_eq (counts.destroys, 1);
  ck_assert_int_eq (ba_pool_acquire (pool, BA_WAIT_FOREVER, NULL, &none), -ESHUTDOWN);
  ck_assert_int_eq (ba_pool_take (pool, BA_NO_WAIT, NULL, &none), -ESHUTDOWN);
  ck_assert_int_eq (ba_pool_submit (pool, a), -ESHUTDOWN);
  ck_assert_int_eq (ba_allocator_inject (allocator, pool, BA_INJECT_FREE, NULL), -ESHUTDOWN);
  ck_assert_int_eq (ba_pool_release (pool, a), 0);
  ck_assert_int_eq (ba_pool_release (pool, b), 0);
  ck_assert_int_eq (counts.destroys, counts.creates);
  finish (allocator, pool);
}
END_TEST

/* ---- wrong orders of calls ------------------------------------------------------------------------------------- */

START_TEST (released_twice_is_EINVAL)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 2, BA_WHEN_FULL_BLOCK);
  BaBuffer *buffer = acquire (pool);
  ck_assert_int_eq (ba_pool_release (pool, buffer), 0);
  ck_assert_int_eq (ba_pool_release (pool, buffer), -EINVAL);
  ck_assert_int_eq (ba_pool_submit (pool, buffer), -EINVAL);
  ck_assert_uint_eq (stats_of (pool).n_free, 2);
  finish (allocator, pool);
}
END_TEST

static void
count_errors (BaLogLevel level, const char *message, void *user)
{
  if (level == BA_LOG_ERROR && strstr (message, "does not hold it"))
    ++*(unsigned *) user;
}

START_TEST (a_reference_that_nobody_had_is_told_and_changes_nothing)
{
  for (BaWhenFull when_full = BA_WHEN_FULL_BLOCK; when_full <= BA_WHEN_FULL_DROP_OLDEST; when_full++) {
    unsigned n_errors = 0;
    BaAllocator *allocator = new_allocator ();
    BaPool *pool = build (allocator, 2, when_full);
    BaBuffer *a = acquire (pool), *b = acquire (pool);
    ba_log_set_handler (count_errors, &n_errors);
    ba_buffer_unref (a);
    ba_buffer_unref (a); /* it is free already */
    ck_assert_uint_eq (n_errors, 1);
    ck_assert_int_eq (ba_pool_submit (pool, b), 0);
    ba_buffer_unref (b); /* it is the queue's now */
    ck_assert_uint_eq (n_errors, 2);
    ck_assert_uint_eq (stats_of (pool).n_free, 1);
    ck_assert_uint_eq (stats_of (pool).n_filled, 1);
    ck_assert_ptr_eq (acquire (pool), a);
    ck_assert_ptr_eq (take (pool), b);
    ba_buffer_unref (a);
    ba_buffer_unref (b);
    ck_assert_uint_eq (stats_of (pool).n_free, 2);
    ck_assert_uint_eq (n_errors, 2);
    ba_log_set_handler (NULL, NULL);
    finish (allocator, pool);
  }
}
END_TEST

START_TEST (submitted_twice_is_EINVAL)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 2, BA_WHEN_FULL_BLOCK);
  BaBuffer *buffer = acquire (pool);
  ck_assert_int_eq (ba_pool_submit (pool, buffer), 0);
  ck_assert_int_eq (ba_pool_submit (pool, buffer), -EINVAL);
  ck_assert_int_eq (ba_pool_release (pool, buffer), -EINVAL);
  ck_assert_ptr_eq (take (pool), buffer);
  ck_assert_int_eq (ba_pool_submit (pool, buffer), -EINVAL); /* a consumer's: it goes home, not back */
  ck_assert_int_eq (ba_pool_release (pool, buffer), 0);
  finish (allocator, pool);
}
END_TEST

START_TEST (a_buffer_of_another_pool_is_refused)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 1, BA_WHEN_FULL_BLOCK), *other = build (allocator, 1, BA_WHEN_FULL_BLOCK);
  BaBuffer *buffer = acquire (pool);
  ck_assert_int_eq (ba_pool_submit (other, buffer), -EINVAL);
  ck_assert_int_eq (ba_pool_release (other, buffer), -EINVAL);
  ck_assert_int_eq (ba_buffer_get_state (buffer), BA_STATE_HELD);
  ck_assert_int_eq (ba_pool_release (pool, buffer), 0);
  ba_pool_unref (other);
  finish (allocator, pool);
}
END_TEST

/* ---- the buffer that goes past the lock -------------------------------------------------------------------------- */

/* A pool whose next buffer goes out and comes home past the lock, and how many were acquired until then. */
static BaPool *
build_shuttling (BaAllocator *allocator, unsigned count, unsigned *acquires)
{
  BaPool *pool = build (allocator, count, BA_WHEN_FULL_BLOCK);
  for (*acquires = 0; *acquires < 3 * count + 3; ++*acquires)
    ba_buffer_unref (acquire (pool));
  return pool;
}

START_TEST (each_buffer_has_its_turn_before_one_is_given_again)
{
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build (allocator, 4, BA_WHEN_FULL_BLOCK);
  BaBuffer *first[4], *again;
  for (unsigned i = 0; i < 4; i++)
    ba_buffer_unref (first[i] = acquire (pool));
  for (unsigned i = 0; i < 4; i++) {
    for (unsigned j = 0; j < i; j++)
      ck_assert_ptr_ne (first[i], first[j]);
  }
  for (unsigned i = 0; i < 4; i++)
    ba_buffer_unref (acquire (pool));
  ba_buffer_unref (again = acquire (pool));
  for (unsigned i = 0; i < 8; i++) {
    BaBuffer *next = acquire (pool);
    ck_assert_ptr_eq (next, again);
    ba_buffer_unref (next);
  }
  finish (allocator, pool);
}
END_TEST

START_TEST (the_numbers_are_right_wherever_it_is)
{
  BaAllocator *allocator = new_allocator ();
  for (unsigned looks = 0; looks < 2; looks++) {
    unsigned n;
    BaPool *pool = build_shuttling (allocator, 3, &n);
    if (looks) {
      ck_assert_uint_eq (stats_of (pool).n_free, 3);
      ck_assert_uint_eq (stats_of (pool).n_held, 0);
      ck_assert_uint_eq (stats_of (pool).acquires, n);
    }
    BaBuffer *out = acquire (pool);
    ck_assert_int_eq (ba_buffer_get_state (out), BA_STATE_HELD);
    if (!looks) {
      ba_buffer_unref (out);
      ck_assert_int_eq (ba_buffer_get_state (out), BA_STATE_FREE);
      ck_assert_ptr_eq (acquire (pool), out);
    }
    BaPoolStats stats = stats_of (pool);
    ck_assert_uint_eq (stats.acquires, n + (looks ? 1 : 2));
    ck_assert_uint_eq (stats.n_free, 2);
    ck_assert_uint_eq (stats.n_held, 1);
    ck_assert_uint_eq (stats.peak_out, 1);
    BaBuffer *other = acquire (pool);
    ck_assert_ptr_ne (other, out);
    ck_assert_uint_eq (stats_of (pool).peak_out, 2);
    ba_buffer_unref (out);
    ba_buffer_unref (other);
    ck_assert_uint_eq (stats_of (pool).n_free, 3);
    ba_pool_unref (pool);
  }
  ba_allocator_unref (allocator);
}
END_TEST

START_TEST (wrong_calls_for_it_are_found_out)
{
  unsigned n, n_errors = 0;
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build_shuttling (allocator, 2, &n);
  BaBuffer *buffer = acquire (pool);
  ck_assert_int_eq (ba_pool_release (pool, buffer), 0);
  ck_assert_int_eq (ba_pool_release (pool, buffer), -EINVAL);
  ck_assert_int_eq (ba_pool_submit (pool, buffer), -EINVAL);
  ba_pool_unref (pool);
  pool = build_shuttling (allocator, 2, &n);
  ba_buffer_unref (buffer = acquire (pool));
  ba_log_set_handler (count_errors, &n_errors);
  ba_buffer_unref (buffer);
  ba_log_set_handler (NULL, NULL);
  ck_assert_uint_eq (n_errors, 1);
  ck_assert_uint_eq (stats_of (pool).n_free, 2);
  ba_pool_unref (pool);
  pool = build_shuttling (allocator, 2, &n);
  BaCancel cancel = 1;
  ck_assert_int_eq (ba_pool_acquire (pool, BA_NO_WAIT, &cancel, &buffer), -ECANCELED);
  ck_assert_ptr_null (buffer);
  finish (allocator, pool);
}
END_TEST

START_TEST (it_may_be_shared_submitted_and_taken)
{
  unsigned n;
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build_shuttling (allocator, 1, &n);
  BaBuffer *buffer = acquire (pool);
  ba_buffer_ref (buffer);
  ck_assert_int_eq (ba_pool_release (pool, buffer), 0);
  ck_assert_int_eq (ba_pool_release (pool, buffer), -EINVAL);
  ck_assert_uint_eq (stats_of (pool).n_free, 0);
  ba_buffer_unref (buffer);
  ck_assert_uint_eq (stats_of (pool).n_free, 1);
  ba_pool_unref (pool);
  pool = build_shuttling (allocator, 1, &n);
  ck_assert_int_eq (ba_pool_submit (pool, buffer = acquire (pool)), 0);
  ck_assert_uint_eq (stats_of (pool).n_filled, 1);
  ck_assert_ptr_eq (take (pool), buffer);
  ck_assert_uint_eq (stats_of (pool).n_lent, 1);
  ck_assert_int_eq (ba_pool_release (pool, buffer), 0);
  ck_assert_uint_eq (stats_of (pool).n_free, 1);
  finish (allocator, pool);
}
END_TEST

START_TEST (who_waits_for_it_gets_it)
{
  unsigned n;
  BaAllocator *allocator = new_allocator ();
  BaPool *pool = build_shuttling (allocator, 1, &n);
  BaBuffer *buffer = acquire (pool);
  Waiter waiter = { 0 };
  waiter_start (&waiter, pool, ba_pool_acquire);
  until_n_have_waited (pool, 1);
  ba_buffer_unref (buffer);
  ck_assert_int_eq (waiter_join (&waiter), 0);
  ck_assert_ptr_eq (waiter.buffer, buffer);
  ba_buffer_unref (buffer);
  finish (allocator, pool);
}
END_TEST

START_TEST (it_is_removed_and_ends_with_the_pool)
{
  unsigned n;
  for (unsigned out = 0; out < 2; out++) {
    BaAllocator *allocator = new_allocator ();
    BaPool *pool = build_shuttling (allocator, 1, &n);
    BaBuffer *buffer = acquire (pool);
    uint64_t id = ba_buffer_get_id (buffer);
    if (!out)
      ba_buffer_unref (buffer);
    ck_assert_int_eq (ba_allocator_remove (allocator, pool, id), out ? -EINPROGRESS : 0);
    if (out) {
      ck_assert_int_eq (ba_buffer_get_state (buffer), BA_STATE_ORPHAN);
      ba_buffer_unref (buffer);
    }
    ck_assert_uint_eq (stats_of (pool).n_buffers + stats_of (pool).n_orphans, 0);
    ba_pool_unref (pool);
    pool = build_shuttling (allocator, 1, &n);
    buffer = acquire (pool);
    if (!out)
      ba_buffer_unref (buffer);
    ba_pool_close (pool);
    if (out) /* it outlives what the pool had */
      ba_buffer_unref (buffer);
    finish (allocator, pool);
  }
}
END_TEST

RUN ("pool", each_buffer_has_its_turn_before_one_is_given_again, the_numbers_are_right_wherever_it_is,
     wrong_calls_for_it_are_found_out, it_may_be_shared_submitted_and_taken, who_waits_for_it_gets_it,
     it_is_removed_and_ends_with_the_pool, free_buffers_come_out_in_the_order_they_came_home,
     filled_buffers_come_out_in_the_order_they_went_in, a_producer_may_give_up_a_buffer,
     the_counts_add_up_in_every_state, orphans_do_not_count_as_peak, a_pool_knows_its_id_and_keeps_its_own_names,
     not_waiting_is_EAGAIN, a_deadline_is_not_cut_short, a_released_buffer_wakes_a_producer,
     a_submitted_buffer_wakes_a_consumer, an_injected_buffer_wakes_whom_it_is_for,
     the_longest_deadline_does_not_overflow, cancel_ends_one_wait_and_not_the_other,
     a_flag_that_is_set_already_ends_the_call_at_once, close_wakes_all_waiters,
     a_closed_pool_refuses_everything_but_what_comes_home, released_twice_is_EINVAL,
     a_reference_that_nobody_had_is_told_and_changes_nothing, submitted_twice_is_EINVAL,
     a_buffer_of_another_pool_is_refused)
