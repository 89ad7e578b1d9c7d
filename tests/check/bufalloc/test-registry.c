/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-registry.c: pools are found by id, name and category, enter and leave by themselves, and are kept by nobody. */
#include "test-support.h"

static Counts counts;

static BaPool *
build_named (BaAllocator *allocator, const char *name, const char *category)
{
  BaPool *pool;
  BaSpec spec = { .name = name, .category = category, .count = 1, .size_bytes = 16 };
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &spec, &pool), 0);
  return pool;
}

static unsigned
count_of (BaRegistry *registry, const char *category)
{
  BaPool **pools;
  unsigned n;
  ck_assert_int_eq (ba_registry_list (registry, category, &pools, &n), 0);
  ck_assert ((pools == NULL) == (n == 0));
  ba_registry_free_list (pools, n);
  return n;
}

START_TEST (a_pool_is_found_by_id_and_by_name)
{
  memset (&counts, 0, sizeof counts);
  BaAllocator *allocator = counting_allocator (&counts, NULL);
  BaPool *pool = build_named (allocator, "left eye", "video"), *found;
  ck_assert_int_eq (ba_registry_find_by_id (NULL, ba_pool_get_id (pool), &found), 0);
  ck_assert_ptr_eq (found, pool);
  ba_pool_unref (found);
  ck_assert_int_eq (ba_registry_find_by_name (ba_registry_get_default (), "left eye", &found), 0);
  ck_assert_ptr_eq (found, pool);
  ba_pool_unref (found);
  ba_pool_unref (pool);
  ba_allocator_unref (allocator);
}
END_TEST

START_TEST (what_is_not_there_is_EINVAL)
{
  BaPool *found = (BaPool *) &counts;
  ck_assert_int_eq (ba_registry_find_by_id (NULL, 0, &found), -EINVAL);
  ck_assert_ptr_null (found);
  found = (BaPool *) &counts;
  ck_assert_int_eq (ba_registry_find_by_name (NULL, "nobody", &found), -EINVAL);
  ck_assert_ptr_null (found);
  ck_assert_int_eq (ba_registry_find_by_name (NULL, "", &found), -EINVAL);
  ck_assert_int_eq (ba_registry_find_by_name (NULL, NULL, &found), -EINVAL);
  ck_assert_uint_eq (count_of (NULL, NULL), 0);
}
END_TEST

START_TEST (a_nameless_pool_is_found_by_id_only)
{
  memset (&counts, 0, sizeof counts);
  BaAllocator *allocator = counting_allocator (&counts, NULL);
  BaPool *pool = build_named (allocator, NULL, NULL), *found;
  ck_assert_int_eq (ba_registry_find_by_name (NULL, "", &found), -EINVAL);
  ck_assert_int_eq (ba_registry_find_by_id (NULL, ba_pool_get_id (pool), &found), 0);
  ba_pool_unref (found);
  ba_pool_unref (pool);
  ba_allocator_unref (allocator);
}
END_TEST

START_TEST (of_several_with_one_name_the_oldest_is_found)
{
  memset (&counts, 0, sizeof counts);
  BaAllocator *allocator = counting_allocator (&counts, NULL);
  BaPool *first = build_named (allocator, "twin", NULL), *second = build_named (allocator, "twin", NULL), *found;
  ck_assert_int_eq (ba_registry_find_by_name (NULL, "twin", &found), 0);
  ck_assert_ptr_eq (found, first);
  ba_pool_unref (found);
  ba_allocator_destroy_pool (allocator, first);
  ck_assert_int_eq (ba_registry_find_by_name (NULL, "twin", &found), 0);
  ck_assert_ptr_eq (found, second);
  ba_pool_unref (found);
  ba_pool_unref (first);
  ba_pool_unref (second);
  ba_allocator_unref (allocator);
}
END_TEST

START_TEST (a_closed_pool_does_not_hide_its_successor)
{
  memset (&counts, 0, sizeof counts);
  BaAllocator *allocator = counting_allocator (&counts, NULL);
  BaPool *pools[3], *found;
  for (unsigned i = 0; i < 3; i++)
    pools[i] = build_named (allocator, "camera", NULL);
  const unsigned expected[] = { 0, 1, 2, 0 }; /* where all are closed, the oldest again */
  for (unsigned n_closed = 0; n_closed <= 3; n_closed++) {
    ck_assert_int_eq (ba_registry_find_by_name (NULL, "camera", &found), 0);
    ck_assert_ptr_eq (found, pools[expected[n_closed]]);
    ba_pool_unref (found);
    ck_assert_int_eq (ba_allocator_get_pool (allocator, &found), 0);
    ck_assert_ptr_eq (found, pools[expected[n_closed]]);
    ba_pool_unref (found);
    if (n_closed < 3)
      ba_pool_close (pools[n_closed]);
  }
  for (unsigned i = 0; i < 3; i++)
    ba_pool_unref (pools[i]);
  ba_allocator_unref (allocator);
  ck_assert_int_eq (counts.creates, counts.destroys);
}
END_TEST

START_TEST (a_list_is_oldest_first_and_by_category)
{
  memset (&counts, 0, sizeof counts);
  BaAllocator *allocator = counting_allocator (&counts, NULL);
  BaPool *made[12], **pools;
  unsigned n;
  for (unsigned i = 0; i < N_ELEMENTS (made); i++)
    made[i] = build_named (allocator, NULL, i % 3 ? "video" : "sound");
  ck_assert_uint_eq (count_of (NULL, NULL), 12);
  ck_assert_uint_eq (count_of (NULL, "sound"), 4);
  ck_assert_uint_eq (count_of (NULL, "smell"), 0);
  ck_assert_int_eq (ba_registry_list (NULL, "video", &pools, &n), 0);
  ck_assert_uint_eq (n, 8);
  ck_assert_ptr_eq (pools[0], made[1]);
  ck_assert_ptr_eq (pools[7], made[11]);
  for (unsigned i = 0; i < N_ELEMENTS (made); i++)
    ba_pool_unref (made[i]);
  ba_allocator_unref (allocator);
  ck_assert (ba_pool_is_closed (pools[0])); /* the list's references are its own */
  ba_registry_free_list (pools, n);
  ck_assert_int_eq (counts.creates, counts.destroys);
}
END_TEST

START_TEST (a_pool_leaves_with_its_allocator_though_others_hold_it)
{
  memset (&counts, 0, sizeof counts);
  BaAllocator *allocator = counting_allocator (&counts, NULL);
  BaPool *pool = build_named (allocator, "gone", NULL), *found;
  uint64_t id = ba_pool_get_id (pool);
  ba_allocator_unref (allocator);
  ck_assert_int_eq (ba_registry_find_by_id (NULL, id, &found), -EINVAL);
  ck_assert_str_eq (ba_pool_get_name (pool), "gone");
  ba_pool_unref (pool);
}
END_TEST

START_TEST (the_registry_keeps_no_pool)
{
  memset (&counts, 0, sizeof counts);
  BaAllocator *allocator = counting_allocator (&counts, NULL);
  BaPool *pool = build_named (allocator, "weak", NULL);
  ba_pool_unref (pool);
  ck_assert_uint_eq (count_of (NULL, NULL), 1);
  ba_allocator_destroy_pool (allocator, pool);
  ck_assert_int_eq (counts.destroys, 1);
  ck_assert_uint_eq (count_of (NULL, NULL), 0);
  ba_allocator_unref (allocator);
}
END_TEST

START_TEST (a_private_registry_is_private)
{
  memset (&counts, 0, sizeof counts);
  BaRegistry *registry;
  BaPool *found;
  ck_assert_int_eq (ba_registry_new (&registry), 0);
  BaAllocator *allocator = counting_allocator (&counts, registry);
  BaPool *pool = build_named (allocator, "secret", NULL);
  ck_assert_int_eq (ba_registry_find_by_name (NULL, "secret", &found), -EINVAL);
  ck_assert_int_eq (ba_registry_find_by_name (registry, "secret", &found), 0);
  ba_pool_unref (found);
  ba_registry_unref (ba_registry_ref (registry));
  ba_registry_unref (registry); /* the allocator has its own reference */
  ck_assert_uint_eq (count_of (registry, NULL), 1);
  ba_pool_unref (pool);
  ba_allocator_unref (allocator);
  ba_registry_unref (NULL);
}
END_TEST

START_TEST (the_default_registry_cannot_be_ended)
{
  BaRegistry *registry = ba_registry_get_default ();
  ck_assert_ptr_eq (ba_registry_ref (registry), registry);
  for (unsigned i = 0; i < 3; i++)
    ba_registry_unref (registry);
  ck_assert_uint_eq (count_of (registry, NULL), 0);
}
END_TEST

static void *
look_up_main (void *data)
{
  atomic_bool *stop = data;
  while (!atomic_load (stop)) {
    BaPool *found;
    if (ba_registry_find_by_name (NULL, "flicker", &found) == 0) {
      ck_assert_str_eq (ba_pool_get_name (found), "flicker");
      ba_pool_unref (found);
    }
    sched_yield ();
  }
  return NULL;
}

START_TEST (pools_may_be_looked_up_while_they_come_and_go)
{
  memset (&counts, 0, sizeof counts);
  atomic_bool stop = false;
  pthread_t thread;
  BaAllocator *allocator = counting_allocator (&counts, NULL);
  ck_assert_int_eq (pthread_create (&thread, NULL, look_up_main, &stop), 0);
  for (unsigned i = 0; i < 500; i++) {
    BaPool *pool = build_named (allocator, "flicker", NULL);
    ba_allocator_destroy_pool (allocator, pool);
    ba_pool_unref (pool);
  }
  atomic_store (&stop, true);
  pthread_join (thread, NULL);
  ba_allocator_unref (allocator);
  ck_assert_int_eq (counts.creates, counts.destroys);
}
END_TEST

typedef struct
{
  BaAllocator *allocator;
  atomic_bool stop;
} Destroyer;

static void *
destroy_main (void *data)
{
  Destroyer *destroyer = data;
  while (!atomic_load (&destroyer->stop)) {
    BaPool *pool;
    if (ba_allocator_get_pool (destroyer->allocator, &pool) == 0) {
      ba_allocator_destroy_pool (destroyer->allocator, pool);
      ba_pool_unref (pool);
    }
  }
  return NULL;
}

START_TEST (a_pool_destroyed_the_moment_it_is_built_leaves_no_entry)
{
  memset (&counts, 0, sizeof counts);
  pthread_t thread;
  Destroyer destroyer = { .allocator = counting_allocator (&counts, NULL) };
  ck_assert_int_eq (pthread_create (&thread, NULL, destroy_main, &destroyer), 0);
  for (unsigned i = 0; i < 2000; i++)
    ba_pool_unref (build_named (destroyer.allocator, "short", NULL));
  atomic_store (&destroyer.stop, true);
  pthread_join (thread, NULL);
  ba_allocator_unref (destroyer.allocator);
  ck_assert_uint_eq (count_of (NULL, NULL), 0);
  ck_assert_int_eq (counts.creates, counts.destroys);
}
END_TEST

RUN ("registry", a_pool_is_found_by_id_and_by_name, what_is_not_there_is_EINVAL, a_nameless_pool_is_found_by_id_only,
     of_several_with_one_name_the_oldest_is_found, a_closed_pool_does_not_hide_its_successor,
     a_list_is_oldest_first_and_by_category, a_pool_leaves_with_its_allocator_though_others_hold_it,
     the_registry_keeps_no_pool, a_private_registry_is_private, the_default_registry_cannot_be_ended,
     pools_may_be_looked_up_while_they_come_and_go, a_pool_destroyed_the_moment_it_is_built_leaves_no_entry)
