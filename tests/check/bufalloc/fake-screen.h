/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fake-screen.h: a display on a fake device, with a pool of its pages, for tests of /dev/fbN. screen_finish() holds
 * each of them to two promises: nothing stays open or mapped, and the mode is what it was.
 */
#ifndef FAKE_SCREEN_H
#define FAKE_SCREEN_H

#include "test-support.h"

#include <bufalloc/display-private.h>

#include "fake-device.h"

#define PAGE_BYTES (64 * 4 * 48)

typedef struct
{
  FakeDevice fake;
  BaDisplay *display;
  const BaDisplayInfo *info;
  BaError error;
  BaAllocator *allocator;
  BaPool *pool;
} Screen;

static inline void
screen_init (Screen *s)
{
  memset (s, 0, sizeof *s);
  fake_device_init (&s->fake);
}

static inline int
screen_open (Screen *s, unsigned pages)
{
  BaDisplayOptions options = { .pages = pages };
  if (s->fake.memory_fd < 0)
    fake_device_ready (&s->fake);
  int r = bai_display_open_with_calls (FAKE_FB_PATH, &options, &s->fake.calls, &s->error, &s->display);
  s->info = r == 0 ? ba_display_get_info (s->display) : NULL;
  return r;
}

static inline void
screen_build (Screen *s)
{
  BaConfig config = { .display = s->display };
  BaSpec spec = { 0 };
  ck_assert_int_eq (ba_allocator_new_with_config (BA_TYPE_FRAMEBUFFER, &config, NULL, &s->allocator), 0);
  ck_assert_int_eq (ba_allocator_build_pool (s->allocator, &spec, &s->pool), 0);
}

static inline void
screen_close (Screen *s)
{
  if (s->display)
    ba_display_close (s->display);
  ba_allocator_unref (s->allocator);
  ba_pool_unref (s->pool);
  ba_display_unref (s->display);
  s->allocator = NULL;
  s->pool = NULL;
  s->display = NULL;
}

static inline void
screen_finish (Screen *s)
{
  screen_close (s);
  ck_assert_int_eq (s->fake.n_open, 0);
  ck_assert_int_eq (s->fake.n_mapped, 0);
  ck_assert (fake_device_is_restored (&s->fake));
  fake_device_finish (&s->fake);
}

/* Acquires a page, shows it, and lets go of it. Returns its number. */
static inline unsigned
show_next (Screen *s, int expected)
{
  BaBuffer *buffer = acquire (s->pool);
  unsigned number = (unsigned) (((uint8_t *) ba_buffer_get_data (buffer) - s->display->map) / s->info->page_bytes);
  ck_assert_int_eq (ba_display_flip (s->display, buffer, NULL), expected);
  ba_buffer_unref (buffer);
  return number;
}

/* Opens a device that must be refused. */
static inline void
refused (Screen *s, int code, const char *says)
{
  int r = screen_open (s, 0);
  ck_assert_msg (r == code, "%d: %s", r, s->error.message);
  ck_assert_ptr_null (s->display);
  ck_assert_msg (strstr (s->error.message, says) != NULL, "\"%s\" does not say \"%s\"", s->error.message, says);
  screen_finish (s);
}

/* A log handler that keeps what was said; @user is a Log. */
typedef struct
{
  unsigned n;
  char last[256];
} Log;

static inline void
keep_log (BaLogLevel level, const char *message, void *user)
{
  Log *log = user;
  if (level > BA_LOG_INFO)
    return;
  log->n++;
  strncpy (log->last, message, sizeof log->last - 1);
}

/* A log handler; @user counts. */
static inline void
count_warnings (BaLogLevel level, const char *message, void *user)
{
  (void) message;
  if (level <= BA_LOG_WARNING)
    ++*(unsigned *) user;
}

#endif
