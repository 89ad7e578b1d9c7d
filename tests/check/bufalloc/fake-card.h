/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fake-card.h: a display on the fake card (fake-kms.h) with a pool of its pages, for the tests of KMS. */
#ifndef FAKE_CARD_H
#define FAKE_CARD_H

#include "fake-kms.h"
#include "test-support.h"

#include <bufalloc/display-private.h>

typedef struct
{
  FakeKms fake;
  BaDisplayOptions options;
  BaDisplay *display;
  const BaDisplayInfo *info;
  BaAllocator *allocator;
  BaPool *pool;
  BaError error;
} Card;

static inline void
card_init (Card *card)
{
  memset (card, 0, sizeof *card);
  fake_kms_init (&card->fake);
}

static inline int
card_open (Card *card, const char *device)
{
  int r = bai_display_open_with_calls (device, &card->options, &card->fake.calls, &card->error, &card->display);
  card->info = r == 0 ? ba_display_get_info (card->display) : NULL;
  return r;
}

/* Opened with what was configured, and pages to draw on. */
static inline void
card_start (Card *card, const char *device)
{
  BaSpec spec = { .name = "pages" };
  fake_kms_ready (&card->fake);
  ck_assert_msg (card_open (card, device) == 0, "%s", card->error.message);
  BaConfig config = { .display = card->display };
  ck_assert_int_eq (ba_allocator_new_with_config (BA_TYPE_FRAMEBUFFER, &config, NULL, &card->allocator), 0);
  ck_assert_int_eq (ba_allocator_build_pool (card->allocator, &spec, &card->pool), 0);
}

/* Other pages for @card, whose pool and allocator are those of the new display then. */
static inline int
card_reopen (Card *card)
{
  BaSpec spec = { .name = "pages" };
  BaDisplay *display;
  int r = ba_display_reopen (card->display, &card->options, &card->error, &display);
  if (r < 0) {
    ck_assert_ptr_null (display);
    return r;
  }
  ba_pool_unref (card->pool);
  ba_allocator_unref (card->allocator);
  ba_display_unref (card->display);
  card->pool = NULL;
  card->allocator = NULL;
  card->display = display;
  card->info = ba_display_get_info (display);
  BaConfig config = { .display = display };
  ck_assert_int_eq (ba_allocator_new_with_config (BA_TYPE_FRAMEBUFFER, &config, NULL, &card->allocator), 0);
  ck_assert_int_eq (ba_allocator_build_pool (card->allocator, &spec, &card->pool), 0);
  return 0;
}

static inline int
card_flip (Card *card)
{
  BaBuffer *page = acquire (card->pool);
  int r = ba_display_flip (card->display, page, NULL);
  ba_buffer_unref (page);
  return r;
}

static const BaKmsApi apis[] = { BA_KMS_ATOMIC, BA_KMS_LEGACY };

/* A card with a page on screen. */
static inline void
card_show_with (Card *card, BaKmsApi api)
{
  card_init (card);
  card->options.kms_api = api;
  card_start (card, FAKE_CARD_PATH);
  ck_assert_int_eq (card_flip (card), 0);
}

static inline BaDisplayStats
card_stats (Card *card)
{
  BaDisplayStats stats;
  ba_display_get_stats (card->display, &stats);
  return stats;
}

/* Closed, with everything given back. */
static inline void
card_stop (Card *card)
{
  if (card->display)
    ba_display_close (card->display);
  ba_pool_unref (card->pool);
  ba_allocator_unref (card->allocator);
  ba_display_unref (card->display);
  card->display = NULL;
  card->pool = NULL;
  card->allocator = NULL;
  ck_assert_uint_eq (card->fake.n_leaked, 0);
  ck_assert_int_eq (card->fake.n_mapped, 0);
  ck_assert_int_eq (card->fake.n_open, card->options.has_fd ? 1 : 0);
}

static inline void
card_finish (Card *card)
{
  card_stop (card);
  if (card->options.has_fd)
    card->fake.calls.close (&card->fake, card->options.fd);
  ck_assert_uint_eq (card->fake.n_leaked, 0);
  fake_kms_finish (&card->fake);
}

/* Another program becomes the card's master, or is it no longer. */
static inline void
card_take_master (Card *card, bool taken)
{
  card->fake.master_is_other = taken;
  if (taken)
    card->fake.is_master = false;
}

/* Opens nothing, says why, and leaves nothing behind. */
static inline void
card_refused (Card *card, const char *device, int code, const char *says)
{
  int r = card_open (card, device);
  ck_assert_msg (r == code, "%s: %d, %s", device, r, card->error.message);
  ck_assert_msg (strstr (card->error.message, says) != NULL, "\"%s\" does not say \"%s\"", card->error.message, says);
  ck_assert_uint_eq (card->fake.n_leaked, 0);
  ck_assert_int_eq (card->fake.n_open, 0);
  ck_assert_int_eq (card->fake.n_mapped, 0);
  ck_assert (fake_kms_is_restored (&card->fake));
}

#endif
