/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-framebuffer.c: mapped memory as buffers, from a list of blocks and from a display, and never freed by us. */
#include "test-support.h"

static uint8_t pages[4][4096];

static BaAllocator *
allocator_of_blocks (unsigned n)
{
  BaBlock blocks[N_ELEMENTS (pages)];
  for (unsigned i = 0; i < n; i++)
    blocks[i] = (BaBlock){ pages[i], i == 3 ? 2048 : sizeof pages[i], 0x80000000 + i * sizeof pages[i] };
  BaConfig config = { .blocks = blocks, .n_blocks = n };
  BaAllocator *allocator;
  ck_assert_int_eq (ba_allocator_new_with_config (BA_TYPE_FRAMEBUFFER, &config, NULL, &allocator), 0);
  return allocator;
}

START_TEST (count_and_size_come_from_the_blocks)
{
  BaAllocator *allocator = allocator_of_blocks (4);
  BaPool *pool;
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &(BaSpec){ 0 }, &pool), 0);
  ck_assert_uint_eq (stats_of (pool).n_free, 4);
  for (unsigned i = 0; i < 4; i++) {
    BaBuffer *buffer = acquire (pool);
    ck_assert_ptr_eq (ba_buffer_get_data (buffer), pages[i]);
    ck_assert_uint_eq (ba_buffer_get_size (buffer), i == 3 ? 2048 : 4096);
    ck_assert_uint_eq (ba_buffer_get_physical_address (buffer), 0x80000000 + i * 4096);
    ck_assert_int_eq (ba_buffer_get_fd (buffer, NULL), -1);
    ba_buffer_unref (buffer);
  }
  ba_pool_unref (pool);
  ba_allocator_unref (allocator);
  memset (pages, 1, sizeof pages); /* ours as before */
}
END_TEST

START_TEST (all_pages_are_no_more_than_the_pool_may_have)
{
  BaAllocator *allocator = allocator_of_blocks (3);
  BaPool *pool;
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &(BaSpec){ .max_buffers = 2 }, &pool), 0);
  ck_assert_uint_eq (stats_of (pool).n_free, 2);
  ck_assert_int_eq (ba_allocator_inject (allocator, pool, BA_INJECT_FREE, NULL), -EAGAIN);
  ba_pool_unref (pool);
  ba_allocator_unref (allocator);
}
END_TEST

START_TEST (a_block_is_given_out_once)
{
  BaAllocator *allocator = allocator_of_blocks (3);
  BaPool *pool, *other;
  BaSpec two = { .count = 2 };
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &two, &pool), 0);
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &two, &other), -EAGAIN);
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &(BaSpec){ 0 }, &other), -EAGAIN);
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &(BaSpec){ .count = 4 }, &other), -EAGAIN);
  ck_assert_ptr_null (other);
  ck_assert_int_eq (ba_allocator_inject (allocator, pool, BA_INJECT_FREE, NULL), 0);
  ck_assert_int_eq (ba_allocator_inject (allocator, pool, BA_INJECT_FREE, NULL), -EAGAIN);
  ba_allocator_destroy_pool (allocator, pool);
  ba_pool_unref (pool);
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &two, &other), 0); /* they are free again */
  ba_pool_unref (other);
  ba_allocator_unref (allocator);
}
END_TEST

START_TEST (a_block_smaller_than_asked_is_EINVAL_and_stays_free)
{
  BaAllocator *allocator = allocator_of_blocks (1);
  BaPool *pool;
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &(BaSpec){ .count = 1, .size_bytes = 4097 }, &pool), -EINVAL);
  BaSpec taller = { .count = 1, .layout = { 0, 64, 65, 1, { 0 }, { 64 } } };
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &taller, &pool), -EINVAL);
  BaSpec fits = { .count = 1, .size_bytes = 4096, .layout = { 0, 64, 64, 1, { 0 }, { 64 } } };
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &fits, &pool), 0);
  BaBuffer *buffer = acquire (pool);
  ck_assert_uint_eq (ba_buffer_get_layout (buffer)->height_px, 64);
  ba_buffer_unref (buffer);
  ba_pool_unref (pool);
  ba_allocator_unref (allocator);
}
END_TEST

START_TEST (a_list_that_cannot_be_is_refused_with_a_sentence)
{
  const BaBlock bad[] = { { pages[0], 4096, 0 }, { NULL, 4096, 0 }, { pages[1], 0, 0 } };
  const BaConfig configs[] = {
    { .n_blocks = 2 }, { .blocks = bad }, { .blocks = bad, .n_blocks = 2 }, { .blocks = bad + 2, .n_blocks = 1 }
  };
  for (unsigned i = 0; i < N_ELEMENTS (configs); i++) {
    BaError error = { 0 };
    BaAllocator *allocator = (BaAllocator *) &error;
    ck_assert_int_eq (ba_allocator_new_with_config (BA_TYPE_FRAMEBUFFER, &configs[i], &error, &allocator), -EINVAL);
    ck_assert_ptr_null (allocator);
    ck_assert_str_ne (error.message, "");
  }
}
END_TEST

/* ---- a display ------------------------------------------------------------------------------------------------- */

static BaDisplay *
open_display (const char *device)
{
  BaDisplay *display;
  BaError error;
  ck_assert_msg (ba_display_open (device, NULL, &error, &display) == 0, "%s", error.message);
  return display;
}

static BaAllocator *
allocator_of_display (BaDisplay *display)
{
  BaAllocator *allocator;
  BaConfig config = { .display = display };
  ck_assert_int_eq (ba_allocator_new_with_config (BA_TYPE_AUTO, &config, NULL, &allocator), 0);
  ck_assert_str_eq (ba_allocator_get_name (allocator), "framebuffer");
  return allocator;
}

START_TEST (a_displays_pages_are_buffers_and_the_visible_one_comes_last)
{
  BaDisplay *display = open_display ("virtual:64x48,pages=3,rate=0");
  BaAllocator *allocator = allocator_of_display (display);
  const BaDisplayInfo *info = ba_display_get_info (display);
  BaPool *pool;
  BaBlock page;
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &(BaSpec){ 0 }, &pool), 0);
  ck_assert_uint_eq (stats_of (pool).n_free, 3);
  for (unsigned i = 0; i < 3; i++) {
    BaBuffer *buffer = acquire (pool);
    ck_assert_int_eq (ba_display_get_page (display, (i + 1) % 3, &page), 0);
    ck_assert_ptr_eq (ba_buffer_get_data (buffer), page.data);
    ck_assert_uint_eq (ba_buffer_get_size (buffer), info->page_bytes);
    ck_assert_uint_eq (ba_buffer_get_layout (buffer)->fourcc, info->layout.fourcc);
    ck_assert_uint_eq (ba_buffer_get_layout (buffer)->stride_bytes[0], info->layout.stride_bytes[0]);
    ba_buffer_unref (buffer);
  }
  ba_pool_unref (pool);
  ba_allocator_unref (allocator);
  ba_display_unref (display);
}
END_TEST

START_TEST (a_page_keeps_the_mapping_when_everybody_else_is_gone)
{
  BaDisplay *display = open_display ("virtual:64x48,pages=2,rate=0");
  BaAllocator *allocator = allocator_of_display (display);
  BaPool *pool;
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &(BaSpec){ .count = 2 }, &pool), 0);
  BaBuffer *page = acquire (pool);
  ck_assert_int_eq (ba_display_flip (display, page, NULL), 0);
  ba_display_close (display);
  ba_display_unref (display);
  ba_allocator_unref (allocator);
  ba_pool_unref (pool);
  memset (ba_buffer_get_data (page), 1, ba_buffer_get_size (page));
  ba_buffer_unref (page);
}
END_TEST

RUN ("framebuffer", count_and_size_come_from_the_blocks, all_pages_are_no_more_than_the_pool_may_have,
     a_block_is_given_out_once, a_block_smaller_than_asked_is_EINVAL_and_stays_free,
     a_list_that_cannot_be_is_refused_with_a_sentence,
     a_displays_pages_are_buffers_and_the_visible_one_comes_last, a_page_keeps_the_mapping_when_everybody_else_is_gone)
