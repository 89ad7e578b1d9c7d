/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-health.c: what a check of a pool finds, its words, and its JSON as another program reads it. */
#include <stdio.h>
#include <unistd.h>

#include "test-support.h"

static BaAllocator *allocator;

static BaPool *
pool_of (const char *name, unsigned count, BaWhenFull when_full)
{
  BaPool *pool;
  BaSpec spec = { .name = name, .category = "video", .count = count, .size_bytes = 64, .when_full = when_full };
  ck_assert_int_eq (ba_allocator_new (BA_TYPE_NORMAL, &allocator), 0);
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &spec, &pool), 0);
  return pool;
}

static void
finish (BaPool *pool)
{
  ba_allocator_unref (allocator);
  ba_pool_unref (pool);
}

static BaHealth *
check_health (BaPool *pool, int64_t held_limit_ns)
{
  BaHealth *health;
  ck_assert_int_eq (ba_pool_check_health (pool, held_limit_ns, &health), 0);
  return health;
}

static const BaFinding *
finding_of (const BaHealth *health, BaFindingKind kind)
{
  for (unsigned i = 0; i < health->n_findings; i++) {
    if (health->findings[i].kind == kind)
      return &health->findings[i];
  }
  return NULL;
}

static void
text_says (const BaHealth *health, const char *wanted)
{
  char text[800];
  ck_assert_uint_lt (ba_health_to_text (health, text, sizeof text), sizeof text);
  ck_assert_msg (strstr (text, wanted) != NULL, "%s is not in: %s", wanted, text);
}

START_TEST (a_healthy_pool_has_no_findings)
{
  char text[400];
  BaPool *pool = pool_of ("camera", 2, BA_WHEN_FULL_BLOCK);
  BaBuffer *buffer = acquire (pool);
  BaHealth *health = check_health (pool, 3600 * 1000 * MS);
  ck_assert_uint_eq (health->n_findings, 0);
  ck_assert_uint_eq (health->pool_id, ba_pool_get_id (pool));
  ck_assert_str_eq (health->name, "camera");
  ck_assert_str_eq (health->category, "video");
  ck_assert_uint_eq (health->stats.n_free, 1);
  ck_assert_uint_eq (health->n_holdings, 1);
  ck_assert_uint_eq (health->holdings[0].buffer_id, ba_buffer_get_id (buffer));
  ck_assert_ptr_null (health->holdings[0].holder);
  ba_health_to_text (health, text, sizeof text);
  ck_assert (strstr (text, "camera") && strstr (text, "healthy"));
  ba_buffer_unref (buffer);
  finish (pool);
  ck_assert_str_eq (health->name, "camera"); /* longer than its pool */
  ba_health_free (health);
  ba_health_free (NULL);
}
END_TEST

START_TEST (no_free_buffer_is_found_with_who_holds_them)
{
  char text[800];
  BaPool *pool = pool_of ("camera", 2, BA_WHEN_FULL_BLOCK);
  BaBuffer *a = acquire (pool), *b = acquire (pool);
  ba_buffer_set_holder (a, "decoder thread");
  ba_pool_submit (pool, b);
  ba_buffer_set_holder (take (pool), "display thread");
  BaHealth *health = check_health (pool, 0);
  ck_assert_uint_eq (health->n_findings, 1);
  ck_assert_int_eq (health->findings[0].kind, BA_FINDING_NO_FREE);
  ck_assert_uint_eq (health->findings[0].count, 2);
  ck_assert_uint_eq (health->n_holdings, 2);
  ck_assert_str_eq (health->holdings[0].holder, "decoder thread");
  ck_assert_int_eq (health->holdings[0].state, BA_STATE_HELD);
  ck_assert_str_eq (health->holdings[1].holder, "display thread");
  ck_assert_int_eq (health->holdings[1].state, BA_STATE_LENT);
  ba_health_to_text (health, text, sizeof text);
  ck_assert (strstr (text, "no-free") && strstr (text, "decoder thread") && strstr (text, "display thread"));
  ba_health_free (health);
  ba_buffer_unref (a);
  ba_buffer_unref (b);
  finish (pool);
}
END_TEST

START_TEST (filled_ones_that_may_be_overwritten_block_nobody)
{
  BaPool *pool = pool_of ("camera", 1, BA_WHEN_FULL_DROP_OLDEST);
  BaBuffer *buffer = acquire (pool);
  BaHealth *health = check_health (pool, 0);
  ck_assert_ptr_nonnull (finding_of (health, BA_FINDING_NO_FREE));
  ba_health_free (health);
  ba_pool_submit (pool, buffer);
  health = check_health (pool, 0);
  ck_assert_uint_eq (health->n_findings, 0);
  ba_health_free (health);
  ba_buffer_ref (buffer); /* somebody reads it: now it may not be */
  health = check_health (pool, 0);
  ck_assert_ptr_nonnull (finding_of (health, BA_FINDING_NO_FREE));
  ba_health_free (health);
  ba_buffer_unref (buffer);
  finish (pool);
}
END_TEST

START_TEST (a_pool_that_is_filled_by_injecting_needs_no_free_buffer)
{
  BaPool *pool = pool_of ("decoder", 0, BA_WHEN_FULL_BLOCK);
  ck_assert_int_eq (ba_allocator_inject (allocator, pool, BA_INJECT_FILLED | BA_INJECT_ONCE, NULL), 0);
  ck_assert_int_eq (ba_allocator_inject (allocator, pool, BA_INJECT_FILLED | BA_INJECT_ONCE, NULL), 0);
  BaBuffer *buffer = take (pool);
  BaHealth *health = check_health (pool, 0);
  ck_assert_uint_eq (health->n_findings, 0);
  ba_health_free (health);
  Waiter w = { 0 }; /* a producer after all */
  waiter_start (&w, pool, ba_pool_acquire);
  until_n_have_waited (pool, 1);
  health = check_health (pool, 0);
  ck_assert_ptr_nonnull (finding_of (health, BA_FINDING_NO_FREE));
  ba_health_free (health);
  ba_pool_close (pool);
  ck_assert_int_eq (waiter_join (&w), -ESHUTDOWN);
  ba_buffer_unref (buffer);
  finish (pool);
}
END_TEST

START_TEST (a_consumer_that_waits_for_nothing_is_found)
{
  BaPool *pool = pool_of ("camera", 1, BA_WHEN_FULL_BLOCK);
  Waiter w = { 0 };
  waiter_start (&w, pool, ba_pool_take);
  until_n_have_waited (pool, 1);
  BaHealth *health = check_health (pool, 0);
  ck_assert_uint_eq (health->n_findings, 1);
  ck_assert_int_eq (health->findings[0].kind, BA_FINDING_NOTHING_FILLED);
  ck_assert_uint_eq (health->findings[0].count, 1);
  ck_assert_uint_eq (health->n_consumers_waiting, 1);
  text_says (health, "nothing-filled: 1 consumers wait and nothing is filled");
  ba_health_free (health);
  ba_pool_submit (pool, acquire (pool));
  ck_assert_int_eq (waiter_join (&w), 0);
  ba_buffer_unref (w.buffer);
  finish (pool);
}
END_TEST

START_TEST (a_buffer_held_for_too_long_is_found_with_id_time_and_holder)
{
  char text[800], id[40];
  BaPool *pool = pool_of ("camera", 2, BA_WHEN_FULL_BLOCK);
  BaBuffer *buffer = acquire (pool);
  ba_buffer_set_holder (buffer, "decoder thread");
  BaHealth *health;
  int64_t began_ns = monotonic_ns ();
  for (;;) { /* the coarse clock moves every few milliseconds */
    health = check_health (pool, MS);
    if (health->n_findings || monotonic_ns () - began_ns > 5000 * MS)
      break;
    ba_health_free (health);
  }
  const BaFinding *finding = finding_of (health, BA_FINDING_HELD_LONG);
  ck_assert_ptr_nonnull (finding);
  const BaHolding *holding = &health->holdings[finding->holding];
  ck_assert_uint_eq (holding->buffer_id, ba_buffer_get_id (buffer));
  ck_assert_str_eq (holding->holder, "decoder thread");
  ck_assert_int_gt (holding->held_ns, MS);
  snprintf (id, sizeof id, "buffer %llu has been held for", (unsigned long long) ba_buffer_get_id (buffer));
  ba_health_to_text (health, text, sizeof text);
  ck_assert_msg (strstr (text, id) && strstr (text, "by decoder thread"), "%s", text);
  ba_health_free (health);
  ba_buffer_unref (buffer);
  finish (pool);
}
END_TEST

START_TEST (orphans_are_found)
{
  BaPool *pool = pool_of ("camera", 2, BA_WHEN_FULL_BLOCK);
  BaBuffer *buffer = acquire (pool);
  ck_assert_int_eq (ba_allocator_remove (allocator, pool, ba_buffer_get_id (buffer)), -EINPROGRESS);
  BaHealth *health = check_health (pool, 0);
  ck_assert_uint_eq (health->n_findings, 1);
  ck_assert_int_eq (health->findings[0].kind, BA_FINDING_ORPHANS);
  text_says (health, "orphans: 1 buffers left the pool");
  ck_assert_uint_eq (health->findings[0].count, 1);
  ba_health_free (health);
  ba_pool_close (pool);
  health = check_health (pool, 0);
  ck_assert (health->closed);
  ba_health_free (health);
  ba_buffer_unref (buffer);
  finish (pool);
}
END_TEST

START_TEST (the_holder_is_forgotten_when_the_buffer_changes_hands)
{
  BaPool *pool = pool_of ("camera", 1, BA_WHEN_FULL_BLOCK);
  BaBuffer *buffer = acquire (pool);
  ba_buffer_set_holder (buffer, "producer");
  ck_assert_str_eq (ba_buffer_get_holder (buffer), "producer");
  ba_pool_submit (pool, buffer);
  ck_assert_ptr_null (ba_buffer_get_holder (take (pool)));
  ba_buffer_set_holder (buffer, "consumer");
  ba_pool_release (pool, buffer);
  ck_assert_ptr_null (ba_buffer_get_holder (acquire (pool)));
  ba_buffer_set_holder (buffer, "somebody");
  ba_buffer_unref (buffer);
  ck_assert_ptr_null (ba_buffer_get_holder (acquire (pool)));
  ba_buffer_unref (buffer);
  finish (pool);
}
END_TEST

START_TEST (texts_are_cut_as_snprintf_cuts_them)
{
  size_t (*const writers[]) (const BaHealth *, char *, size_t) = { ba_health_to_text, ba_health_to_json };
  char whole[2000], part[2000];
  BaPool *pool = pool_of ("camera", 1, BA_WHEN_FULL_BLOCK);
  BaBuffer *buffer = acquire (pool);
  BaHealth *health = check_health (pool, 0);
  for (unsigned i = 0; i < N_ELEMENTS (writers); i++) {
    size_t n = writers[i](health, NULL, 0);
    ck_assert_uint_lt (n, sizeof whole);
    ck_assert_uint_eq (writers[i](health, whole, sizeof whole), n);
    ck_assert_uint_eq (strlen (whole), n);
    for (size_t room = 1; room <= n; room++) {
      memset (part, '#', sizeof part);
      ck_assert_uint_eq (writers[i](health, part, room), n);
      ck_assert_uint_eq (strlen (part), room - 1);
      ck_assert_int_eq (memcmp (part, whole, room - 1), 0);
      ck_assert_int_eq (part[room], '#');
    }
  }
  ba_health_free (health);
  ba_buffer_unref (buffer);
  finish (pool);
}
END_TEST

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

/* What python3 understands: it prints @expression of the object d, as its ascii(). */
static void
python_reads (const BaHealth *health, const char *expression, const char *expected)
{
  char json[4000], command[400], path[] = "/tmp/bufalloc-health-XXXXXX", answer[400] = "";
  size_t n = ba_health_to_json (health, json, sizeof json);
  ck_assert_uint_lt (n, sizeof json);
  int fd = mkstemp (path);
  ck_assert_int_ge (fd, 0);
  ck_assert_int_eq (write (fd, json, n), (ssize_t) n);
  close (fd);
  snprintf (command, sizeof command, "python3 -c 'import json,sys; d=json.load(open(sys.argv[1],\"rb\")); "
            "print(ascii((%s)))' %s", expression, path);
  FILE *python = popen (command, "r");
  ck_assert_ptr_nonnull (python);
  if (fgets (answer, sizeof answer, python))
    answer[strcspn (answer, "\n")] = '\0';
  ck_assert_int_eq (pclose (python), 0);
  unlink (path);
  ck_assert_str_eq (answer, expected);
}

START_TEST (json_is_valid_for_every_name)
{
  const struct
  {
    const char *name;
    const char *python;
  } names[] = {
    { "plain", "'plain'" },
    { "", "''" },
    { "a \"quoted\\one\"", "'a \"quoted\\\\one\"'" },
    { "line\nend\ttab\x01\x7f", "'line\\nend\\ttab\\x01\\x7f'" },
    { "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x8e\xac", "'gr\\xfc\\xdf \\u20ac \\U0001f3ac'" },
    { "bad \xff \xc3", "'bad \\ufffd \\ufffd'" },
    { "\xed\xa0\x80 \xc0\x80", "'\\ufffd\\ufffd\\ufffd \\ufffd\\ufffd'" },
    { "\xe0\x80\x80\xf4\x90\x80\x80", "'\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd'" },
  };
  for (unsigned i = 0; i < N_ELEMENTS (names); i++) {
    BaPool *pool = pool_of (names[i].name, 1, BA_WHEN_FULL_BLOCK);
    BaHealth *health = check_health (pool, 0);
    python_reads (health, "d[\"pool\"][\"name\"]", names[i].python);
    ba_health_free (health);
    finish (pool);
  }
}
END_TEST

START_TEST (json_has_stats_holdings_and_findings)
{
  BaPool *pool = pool_of ("camera", 2, BA_WHEN_FULL_BLOCK);
  BaBuffer *a = acquire (pool), *b = acquire (pool);
  ba_buffer_set_holder (a, "the \"one\"");
  BaHealth *health = check_health (pool, 0);
  python_reads (health, "[h[\"holder\"] for h in d[\"holdings\"]]", "['the \"one\"', None]");
  python_reads (health, "[f[\"kind\"] for f in d[\"findings\"]]", "['no-free']");
  python_reads (health, "d[\"stats\"][\"acquires\"], d[\"stats\"][\"n_held\"], d[\"pool\"][\"closed\"]",
                "(2, 2, False)");
  ba_health_free (health);
  int64_t began_ns = monotonic_ns ();
  while (health = check_health (pool, 1), health->n_findings < 3 && monotonic_ns () - began_ns < 5000 * MS)
    ba_health_free (health);
  python_reads (health, "[f[\"kind\"] for f in d[\"findings\"]]", "['no-free', 'held-long', 'held-long']");
  python_reads (health, "d[\"findings\"][1][\"holder\"], d[\"findings\"][1][\"held_ns\"] > 0",
                "('the \"one\"', True)");
  ba_health_free (health);
  ba_buffer_unref (a);
  ba_buffer_unref (b);
  finish (pool);
}
END_TEST

START_TEST (numbers_that_are_no_kind_have_a_name_too)
{
  ck_assert_str_eq (ba_finding_kind_name (BA_FINDING_HELD_LONG), "held-long");
  ck_assert_str_eq (ba_finding_kind_name ((BaFindingKind) 17), "unknown");
}
END_TEST

RUN ("health", a_healthy_pool_has_no_findings, no_free_buffer_is_found_with_who_holds_them,
     filled_ones_that_may_be_overwritten_block_nobody, a_pool_that_is_filled_by_injecting_needs_no_free_buffer,
     a_consumer_that_waits_for_nothing_is_found, a_buffer_held_for_too_long_is_found_with_id_time_and_holder,
     orphans_are_found, the_holder_is_forgotten_when_the_buffer_changes_hands, texts_are_cut_as_snprintf_cuts_them,
     json_is_valid_for_every_name, json_has_stats_holdings_and_findings, numbers_that_are_no_kind_have_a_name_too)
