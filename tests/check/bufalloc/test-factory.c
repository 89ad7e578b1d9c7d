/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-factory.c: allocators by type and by name, registered kinds, and the words for errors and logs. */
#include <stdio.h>

#include "test-support.h"

static Counts counts;

START_TEST (a_type_and_its_name_are_one)
{
  const char *const names[] = { "auto", "normal", "avframe", "framebuffer" };
  BaType type;
  for (int i = 0; i < 4; i++) {
    ck_assert_str_eq (ba_type_name ((BaType) i), names[i]);
    ck_assert_int_eq (ba_type_from_name (names[i], &type), 0);
    ck_assert_int_eq (type, i);
  }
  ck_assert_ptr_null (ba_type_name ((BaType) 4));
  type = BA_TYPE_NORMAL;
  ck_assert_int_eq (ba_type_from_name ("Normal", &type), -EINVAL);
  ck_assert_int_eq (type, BA_TYPE_AUTO);
  ck_assert_int_eq (ba_type_from_name (NULL, &type), -EINVAL);
}
END_TEST

static void
expect_kind (BaAllocator *allocator, const char *name)
{
  ck_assert_ptr_nonnull (allocator);
  ck_assert_str_eq (ba_allocator_get_name (allocator), name);
  ba_allocator_unref (allocator);
}

START_TEST (every_built_in_kind_can_be_made_by_type_and_by_name)
{
  BaAllocator *allocator;
  uint8_t page[64];
  BaBlock block = { page, sizeof page, 0 };
  BaConfig blocks = { .blocks = &block, .n_blocks = 1 };
  ck_assert_int_eq (ba_allocator_new (BA_TYPE_NORMAL, &allocator), 0);
  expect_kind (allocator, "normal");
  ck_assert_int_eq (ba_allocator_new (BA_TYPE_AUTO, &allocator), 0);
  expect_kind (allocator, "normal");
  ck_assert_int_eq (ba_allocator_new_by_name ("auto", NULL, NULL, &allocator), 0);
  expect_kind (allocator, "normal");
  ck_assert_int_eq (ba_allocator_new_with_config (BA_TYPE_AUTO, &blocks, NULL, &allocator), 0);
  expect_kind (allocator, "framebuffer");
  ck_assert_int_eq (ba_allocator_new_by_name ("framebuffer", &blocks, NULL, &allocator), 0);
  expect_kind (allocator, "framebuffer");
#ifdef BA_HAVE_AVFRAME
  ck_assert_int_eq (ba_allocator_new (BA_TYPE_AVFRAME, &allocator), 0);
  expect_kind (allocator, "avframe");
#else
  ck_assert_int_eq (ba_allocator_new (BA_TYPE_AVFRAME, &allocator), -ENOTSUP);
  ck_assert_ptr_null (allocator);
#endif
}
END_TEST

START_TEST (what_is_unknown_is_EINVAL_and_a_sentence)
{
  BaError error = { 0 };
  BaAllocator *allocator = (BaAllocator *) &counts;
  ck_assert_int_eq (ba_allocator_new_with_config ((BaType) 77, NULL, &error, &allocator), -EINVAL);
  ck_assert_ptr_null (allocator);
  ck_assert_int_eq (error.code, -EINVAL);
  ck_assert_ptr_nonnull (strstr (error.message, "77"));
  allocator = (BaAllocator *) &counts;
  ck_assert_int_eq (ba_allocator_new_by_name ("cloud", NULL, &error, &allocator), -EINVAL);
  ck_assert_ptr_null (allocator);
  ck_assert_ptr_nonnull (strstr (error.message, "cloud"));
  ck_assert_int_eq (ba_allocator_new_by_name (NULL, NULL, &error, &allocator), -EINVAL);
  ck_assert_int_eq (ba_allocator_new (BA_TYPE_FRAMEBUFFER, &allocator), -EINVAL);
  ck_assert_ptr_null (allocator);
}
END_TEST

START_TEST (a_registered_kind_is_made_by_name_until_it_is_unregistered)
{
  memset (&counts, 0, sizeof counts);
  char name[] = "counting-2";
  BaConfig config = { .foreign = &counts };
  BaAllocator *allocator;
  ck_assert_int_eq (ba_factory_register (name, &counting_ops), 0);
  memset (name, 'x', sizeof name - 1);
  ck_assert_int_eq (ba_factory_register ("counting-2", &counting_ops), -EEXIST);
  ck_assert_int_eq (ba_factory_register ("counting-3", &counting_ops), 0);
  ck_assert_int_eq (ba_allocator_new_by_name ("counting-2", &config, NULL, &allocator), 0);
  ck_assert_int_eq (ba_factory_unregister ("counting-2"), 0);
  ck_assert_int_eq (ba_factory_unregister ("counting-2"), -EINVAL);
  ck_assert_int_eq (ba_factory_unregister (NULL), -EINVAL);
  BaPool *pool = build (allocator, 2, BA_WHEN_FULL_BLOCK); /* what was made goes on */
  ba_pool_unref (pool);
  expect_kind (allocator, "counting");
  ck_assert_int_eq (ba_allocator_new_by_name ("counting-2", &config, NULL, &allocator), -EINVAL);
  ck_assert_int_eq (ba_allocator_new_by_name ("counting-3", &config, NULL, &allocator), 0);
  ba_allocator_unref (allocator);
  ck_assert_int_eq (ba_factory_unregister ("counting-3"), 0);
  ck_assert_int_eq (counts.creates, 2);
  ck_assert_int_eq (counts.destroys, 2);
}
END_TEST

START_TEST (a_registration_that_cannot_be_is_refused)
{
  static const BaAllocatorOps nameless = { .create = counting_create };
  static const BaAllocatorOps makes_nothing = { .name = "nothing" };
  char name[BA_NAME_BYTES + 1];
  memset (name, 'n', BA_NAME_BYTES);
  name[BA_NAME_BYTES] = '\0';
  ck_assert_int_eq (ba_factory_register ("normal", &counting_ops), -EEXIST);
  ck_assert_int_eq (ba_factory_register (NULL, &counting_ops), -EINVAL);
  ck_assert_int_eq (ba_factory_register ("", &counting_ops), -EINVAL);
  ck_assert_int_eq (ba_factory_register (name, &counting_ops), -EINVAL);
  ck_assert_int_eq (ba_factory_register ("x", NULL), -EINVAL);
  ck_assert_int_eq (ba_factory_register ("x", &nameless), -EINVAL);
  ck_assert_int_eq (ba_factory_register ("x", &makes_nothing), -EINVAL);
}
END_TEST

START_TEST (a_kind_that_does_not_open_makes_no_allocator)
{
  memset (&counts, 0, sizeof counts);
  counts.open_code = -EBUSY;
  BaConfig config = { .foreign = &counts };
  BaError error;
  BaAllocator *allocator = (BaAllocator *) &counts;
  ck_assert_int_eq (ba_factory_register ("counting", &counting_ops), 0);
  ck_assert_int_eq (ba_allocator_new_by_name ("counting", &config, &error, &allocator), -EBUSY);
  ck_assert_ptr_null (allocator);
  ck_assert_int_eq (error.code, -EBUSY);
  ck_assert_str_eq (error.message, "told to fail");
  ck_assert_int_eq (counts.closes, 0);
  ck_assert_int_eq (ba_factory_unregister ("counting"), 0);
}
END_TEST

static int
silent_open (const BaConfig *config, void **state, BaError *error)
{
  (void) state;
  (void) error;
  return *(const int *) config->foreign;
}

static int
silent_create (void *state, const BaRequest *request, BaMemory *out)
{
  (void) state;
  (void) request;
  (void) out;
  return 7;
}

typedef struct
{
  unsigned n;
  BaLogLevel level;
  char line[1000];
} Heard;

static void
hear (BaLogLevel level, const char *message, void *user)
{
  Heard *heard = user;
  heard->n++;
  heard->level = level;
  snprintf (heard->line, sizeof heard->line, "%s", message);
  ba_log_set_handler (hear, user); /* a handler may call the library */
}

START_TEST (a_kind_that_fails_without_a_word_gets_a_sentence)
{
  static const BaAllocatorOps silent = { .name = "silent", .open = silent_open, .create = silent_create };
  const struct
  {
    int returned, code;
    unsigned n_logged;
  } cases[] = { { -EBUSY, -EBUSY, 0 }, { 7, -EINVAL, 1 } };
  ck_assert_int_eq (ba_factory_register ("silent", &silent), 0);
  for (unsigned i = 0; i < N_ELEMENTS (cases); i++) {
    Heard heard = { 0 };
    BaConfig config = { .foreign = &cases[i].returned };
    BaError error;
    BaAllocator *allocator = (BaAllocator *) &counts;
    memset (&error, 'x', sizeof error);
    ba_log_set_handler (hear, &heard);
    ck_assert_int_eq (ba_allocator_new_by_name ("silent", &config, &error, &allocator), cases[i].code);
    ck_assert_int_eq (ba_allocator_new_by_name ("silent", &config, NULL, &allocator), cases[i].code);
    ba_log_set_handler (NULL, NULL);
    ck_assert_ptr_null (allocator);
    ck_assert_int_eq (error.code, cases[i].code);
    ck_assert (strstr (error.message, "silent") && strstr (error.message, ba_error_text (cases[i].code)));
    ck_assert_uint_eq (heard.n, 2 * cases[i].n_logged);
    ck_assert (heard.n == 0 || (heard.level == BA_LOG_ERROR && strstr (heard.line, "open")));
  }
  ck_assert_int_eq (ba_factory_unregister ("silent"), 0);
}
END_TEST

START_TEST (a_create_hook_that_returns_no_code_has_failed)
{
  static const BaAllocatorOps silent = { .name = "silent", .create = silent_create };
  ck_assert_int_eq (ba_factory_register ("silent", &silent), 0);
  for (int debug = 0; debug < 2; debug++) {
    Heard heard = { 0 };
    BaConfig config = { .debug = debug };
    BaSpec spec = { .count = 2, .size_bytes = 64 };
    BaAllocator *allocator;
    BaPool *pool;
    ck_assert_int_eq (ba_allocator_new_by_name ("silent", &config, NULL, &allocator), 0);
    ba_log_set_handler (hear, &heard);
    ck_assert_int_eq (ba_allocator_build_pool (allocator, &spec, &pool), -EINVAL);
    ba_log_set_handler (NULL, NULL);
    ck_assert_ptr_null (pool);
    ck_assert_uint_eq (heard.n, 1);
    ck_assert_int_eq (heard.level, BA_LOG_ERROR);
    ck_assert (strstr (heard.line, "create") && strstr (heard.line, "silent") && strstr (heard.line, "7"));
    ba_allocator_unref (allocator);
  }
  ck_assert_int_eq (ba_factory_unregister ("silent"), 0);
}
END_TEST

static int
bare_create (void *state, const BaRequest *request, BaMemory *out)
{
  static uint8_t bytes[16];
  ck_assert_ptr_null (state);
  ck_assert_uint_ne (request->pool_id, 0);
  ck_assert_uint_eq (request->index, 0);
  ck_assert_int_eq (out->fd, -1);
  out->n_blocks = 1;
  out->blocks[0] = (BaBlock){ bytes, request->spec->size_bytes, 0 };
  return 0;
}

START_TEST (a_kind_needs_no_hook_but_create)
{
  static const BaAllocatorOps bare = { .name = "bare", .create = bare_create };
  BaAllocator *allocator;
  ck_assert_int_eq (ba_factory_register ("bare", &bare), 0);
  ck_assert_int_eq (ba_allocator_new_by_name ("bare", NULL, NULL, &allocator), 0);
  BaPool *pool = build (allocator, 1, BA_WHEN_FULL_BLOCK);
  ba_buffer_unref (acquire (pool));
  ba_pool_unref (pool);
  ba_allocator_unref (allocator);
  ck_assert_int_eq (ba_factory_unregister ("bare"), 0);
}
END_TEST

/* ---- words ----------------------------------------------------------------------------------------------------- */

START_TEST (every_code_has_a_text_of_its_own)
{
  const int codes[] = { 0,      -EINVAL, -ENOMEM,  -EAGAIN,      -ETIMEDOUT, -ECANCELED, -ESHUTDOWN,
                        -EBUSY, -ENODEV, -ENOTSUP, -EINPROGRESS, -EEXIST,    -EIO };
  for (unsigned i = 0; i < N_ELEMENTS (codes); i++) {
    ck_assert_str_ne (ba_error_text (codes[i]), "unknown error");
    for (unsigned j = 0; j < i; j++)
      ck_assert_str_ne (ba_error_text (codes[i]), ba_error_text (codes[j]));
  }
  ck_assert_str_eq (ba_error_text (5), "unknown error");
  ck_assert_str_eq (ba_error_text (-99999), "unknown error");
  ck_assert_str_eq (ba_error_text (INT32_MIN), "unknown error");
}
END_TEST

START_TEST (a_long_sentence_is_cut_and_no_place_is_fine)
{
  BaError error;
  char words[sizeof error.message + 100];
  memset (words, 'w', sizeof words - 1);
  words[sizeof words - 1] = '\0';
  ck_assert_int_eq (ba_error_set (&error, -EIO, "%s", words), -EIO);
  ck_assert_uint_eq (strlen (error.message), sizeof error.message - 1);
  ck_assert_int_eq (ba_error_set (NULL, -EIO, "%s", words), -EIO);
}
END_TEST

START_TEST (a_line_goes_to_the_handler_and_to_it_alone)
{
  Heard heard = { 0 };
  ba_log_set_handler (hear, &heard);
  ba_log (BA_LOG_DEBUG, "%d pages of %s", 3, "memory");
  ck_assert_uint_eq (heard.n, 1);
  ck_assert_int_eq (heard.level, BA_LOG_DEBUG);
  ck_assert_str_eq (heard.line, "3 pages of memory");
  ba_log (BA_LOG_ERROR, "%900s", "x");
  ck_assert_uint_lt (strlen (heard.line), 512);
  ba_log_set_handler (NULL, NULL);
  ba_log (BA_LOG_INFO, "the default handler is silent about this");
  ba_log (BA_LOG_WARNING, "a test of the default handler's voice");
  ba_log (BA_LOG_ERROR, "and again");
  ck_assert_uint_eq (heard.n, 2);
}
END_TEST

START_TEST (what_is_no_level_becomes_the_nearest_one)
{
  Heard heard = { 0 };
  ba_log_set_handler (hear, &heard);
  ba_log ((BaLogLevel) 99, "above");
  ck_assert_int_eq (heard.level, BA_LOG_DEBUG);
  ba_log ((BaLogLevel) -1, "below");
  ck_assert_int_eq (heard.level, BA_LOG_ERROR);
  ba_log_set_handler (NULL, NULL);
  ba_log ((BaLogLevel) -1, "the default handler survives it");
  ck_assert_uint_eq (heard.n, 2);
}
END_TEST

RUN ("factory", a_type_and_its_name_are_one, every_built_in_kind_can_be_made_by_type_and_by_name,
     what_is_unknown_is_EINVAL_and_a_sentence, a_registered_kind_is_made_by_name_until_it_is_unregistered,
     a_registration_that_cannot_be_is_refused, a_kind_that_does_not_open_makes_no_allocator,
     a_kind_that_fails_without_a_word_gets_a_sentence, a_create_hook_that_returns_no_code_has_failed,
     a_kind_needs_no_hook_but_create, every_code_has_a_text_of_its_own, a_long_sentence_is_cut_and_no_place_is_fine,
     a_line_goes_to_the_handler_and_to_it_alone, what_is_no_level_becomes_the_nearest_one)
