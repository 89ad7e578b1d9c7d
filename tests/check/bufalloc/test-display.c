/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-display.c: when a page is on screen, when the one before is free, and who waits. Where time matters little the
 * device has a clock that only moves when somebody waits for it; pacing by the real clock is bounded from below only.
 */
#include "fake-screen.h"

static void
open_screen (Screen *s, const char *device, const BaDisplayOptions *options)
{
  screen_init (s);
  s->fake.real_clock = strncmp (device, "virtual:", 8) == 0;
  fake_device_ready (&s->fake);
  int r = bai_display_open_with_calls (device, options, &s->fake.calls, &s->error, &s->display);
  ck_assert_msg (r == 0, "%s", s->error.message);
  screen_build (s);
}

static BaDisplayStats
display_stats (BaDisplay *display)
{
  BaDisplayStats stats;
  ba_display_get_stats (display, &stats);
  return stats;
}

/* Acquires a page, shows it, and lets go of it. The pointer is for comparing only. */
static BaBuffer *
show_page (Screen *s)
{
  BaBuffer *buffer = acquire (s->pool);
  ck_assert_int_eq (ba_display_flip (s->display, buffer, NULL), 0);
  ba_buffer_unref (buffer);
  return buffer;
}

static unsigned
n_free (const Screen *s)
{
  return stats_of (s->pool).n_free;
}

/* ---- which page is free ---------------------------------------------------------------------------------------- */

START_TEST (a_page_is_free_again_when_the_one_after_it_is_visible)
{
  Screen s;
  open_screen (&s, FAKE_FB_PATH, NULL); /* 4 pages */
  BaBuffer *a = show_page (&s);
  ck_assert_uint_eq (n_free (&s), 3); /* a is on its way */
  show_page (&s);
  ck_assert_uint_eq (n_free (&s), 2); /* a is visible, b on its way */
  show_page (&s);
  ck_assert_uint_eq (n_free (&s), 2); /* b is visible, c on its way: a is free */
  ck_assert_int_eq (ba_display_wait (s.display, NULL), 0);
  ck_assert_uint_eq (n_free (&s), 3); /* c is visible */
  ck_assert_int_eq (ba_buffer_get_state (a), BA_STATE_FREE);
  screen_finish (&s);
}
END_TEST

START_TEST (whoever_is_late_does_not_wait)
{
  Screen s;
  open_screen (&s, FAKE_FB_PATH, NULL);
  for (int i = 0; i < 5; i++) {
    show_page (&s);
    s.fake.clock_ns += s.fake.period_ns + 1;
  }
  BaDisplayStats stats = display_stats (s.display);
  ck_assert_uint_eq (stats.flips, 5);
  ck_assert_uint_eq (stats.waits, 0);
  ck_assert_uint_eq (stats.vsyncs_missed, 0);
  ck_assert_int_eq (ba_display_wait (s.display, NULL), 0);
  ck_assert_uint_eq (s.fake.n_vsyncs, 0);
  screen_finish (&s);
}
END_TEST

START_TEST (flips_that_come_too_early_wait_but_miss_no_vsync)
{
  Screen s;
  open_screen (&s, FAKE_FB_PATH, NULL);
  for (int i = 0; i < 5; i++)
    show_page (&s);
  ck_assert_int_eq (ba_display_wait (s.display, NULL), 0);
  ck_assert_int_eq (ba_display_wait (s.display, NULL), 0); /* nothing to wait for any more */
  BaDisplayStats stats = display_stats (s.display);
  ck_assert_uint_eq (stats.flips, 5);
  ck_assert_uint_eq (stats.vsyncs_missed, 0);
  ck_assert_uint_eq (stats.waits, 5);
  screen_finish (&s);
}
END_TEST

START_TEST (a_page_that_is_on_screen_is_left_alone)
{
  Screen s;
  open_screen (&s, FAKE_FB_PATH, NULL);
  BaBuffer *page = acquire (s.pool);
  ck_assert_int_eq (ba_display_flip (s.display, page, NULL), 0);
  ck_assert_int_eq (ba_display_flip (s.display, page, NULL), 1); /* on its way */
  ck_assert_int_eq (ba_display_wait (s.display, NULL), 0);
  unsigned pans = s.fake.n_pans;
  ck_assert_int_eq (ba_display_flip (s.display, page, NULL), 1); /* visible */
  ck_assert_uint_eq (s.fake.n_pans, pans);
  ck_assert_uint_eq (display_stats (s.display).flips, 1);
  show_page (&s);
  ck_assert_int_eq (ba_display_flip (s.display, page, NULL), 0); /* visible, but another one is on its way */
  ba_buffer_unref (page);
  screen_finish (&s);
}
END_TEST

START_TEST (one_page_is_never_kept)
{
  Screen s;
  BaDisplayOptions options = { .pages = 1 };
  open_screen (&s, FAKE_FB_PATH, &options);
  for (int i = 0; i < 3; i++) {
    show_page (&s);
    ck_assert_uint_eq (n_free (&s), 1);
  }
  ck_assert_uint_eq (display_stats (s.display).flips, 3);
  ck_assert_uint_eq (display_stats (s.display).waits, 0);
  ck_assert_int_eq (ba_display_wait (s.display, NULL), 0);
  screen_finish (&s);
}
END_TEST

START_TEST (without_vsync_a_flip_is_done_at_once)
{
  const BaDisplayOptions no_vsync = { .no_vsync = true };
  const struct
  {
    const char *device;
    const BaDisplayOptions *options;
  } cases[] = { { FAKE_FB_PATH, &no_vsync }, { "virtual:8x8,pages=4,rate=0", NULL } };
  for (size_t i = 0; i < N_ELEMENTS (cases); i++) {
    Screen s;
    open_screen (&s, cases[i].device, cases[i].options);
    for (int n = 0; n < 20; n++) {
      show_page (&s);
      ck_assert_uint_eq (n_free (&s), 3);
    }
    ck_assert_uint_eq (display_stats (s.display).flips, 20);
    ck_assert_uint_eq (display_stats (s.display).waits, 0);
    ck_assert_uint_eq (s.fake.n_vsyncs, 0);
    screen_finish (&s);
  }
}
END_TEST

START_TEST (only_pages_of_this_display_are_shown)
{
  Screen s, other;
  BaAllocator *normal;
  BaPool *pool;
  BaSpec spec = { .count = 1, .size_bytes = 64 };
  uint64_t id;
  open_screen (&s, FAKE_FB_PATH, NULL);
  open_screen (&other, FAKE_FB_PATH, NULL);
  ck_assert_int_eq (ba_allocator_new (BA_TYPE_NORMAL, &normal), 0);
  ck_assert_int_eq (ba_allocator_build_pool (normal, &spec, &pool), 0);
  BaMemory inside = { .n_blocks = 1, .blocks = { { .data = s.display->map + 4, .size_bytes = 64 } }, .fd = -1 };
  ck_assert_int_eq (ba_allocator_inject_external (normal, pool, &inside, BA_INJECT_FILLED, NULL, NULL, &id), 0);
  BaBuffer *strangers[] = { acquire (pool), take (pool), acquire (other.pool) };
  for (size_t i = 0; i < N_ELEMENTS (strangers); i++) {
    ck_assert_int_eq (ba_display_flip (s.display, strangers[i], NULL), -EINVAL);
    ba_buffer_unref (strangers[i]);
  }
  ck_assert_uint_eq (display_stats (s.display).flips, 0);
  ba_allocator_unref (normal);
  ba_pool_unref (pool);
  screen_finish (&other);
  screen_finish (&s);
}
END_TEST

START_TEST (a_page_that_cannot_be_shown_leaves_the_one_before)
{
  Screen s;
  open_screen (&s, FAKE_FB_PATH, NULL);
  BaBuffer *shown = acquire (s.pool), *failed = acquire (s.pool);
  ck_assert_int_eq (ba_display_flip (s.display, shown, NULL), 0);
  s.fake.pan = FAKE_PAN_BUSY;
  ck_assert_int_eq (ba_display_flip (s.display, failed, NULL), -EBUSY);
  s.fake.pan = FAKE_PAN_MOVES;
  ck_assert (ba_buffer_is_shared (shown));
  ck_assert (!ba_buffer_is_shared (failed));
  ck_assert_int_eq (ba_display_flip (s.display, shown, NULL), 1);
  ck_assert_uint_eq (display_stats (s.display).flips, 1);
  ck_assert_int_eq (ba_display_flip (s.display, failed, NULL), 0);
  ba_buffer_unref (shown);
  ba_buffer_unref (failed);
  screen_finish (&s);
}
END_TEST

/* ---- the clock's pace ------------------------------------------------------------------------------------------ */

START_TEST (the_clock_lets_one_flip_pass_per_period)
{
  Screen s;
  open_screen (&s, "virtual:8x8,rate=1000", NULL);
  int64_t began_ns = monotonic_ns ();
  for (int i = 0; i < 20; i++)
    show_page (&s);
  ck_assert_int_eq (ba_display_wait (s.display, NULL), 0);
  ck_assert_int_ge (monotonic_ns () - began_ns, 18 * MS); /* the first of 20 vsyncs may have been due */
  ck_assert_uint_eq (display_stats (s.display).flips, 20);
  screen_finish (&s);
}
END_TEST

START_TEST (two_pages_are_enough_to_go_on)
{
  Screen s;
  open_screen (&s, "virtual:8x8,rate=1000,pages=2", NULL);
  for (int i = 0; i < 10; i++) {
    show_page (&s);
    ck_assert_int_eq (ba_display_wait (s.display, NULL), 0);
    ck_assert_uint_eq (n_free (&s), 1);
  }
  screen_finish (&s);
}
END_TEST

typedef struct
{
  pthread_t thread;
  BaDisplay *display;
  BaBuffer *page; /* NULL = only waits */
  BaCancel cancel;
  int r;
} Flipper;

static void *
flipper_main (void *data)
{
  Flipper *f = data;
  f->r = f->page ? ba_display_flip (f->display, f->page, &f->cancel) : ba_display_wait (f->display, &f->cancel);
  return NULL;
}

/* A flip and a wait that both hang: one in the wait for its vsync, the other behind it. */
static void
start_two (Screen *s, Flipper *flip, Flipper *wait)
{
  open_screen (s, "virtual:8x8,rate=1,pages=4", NULL);
  s->fake.real_clock = false; /* it stands still, an hour from now: the vsync never comes */
  s->fake.clock_ns = monotonic_ns () + 3600 * 1000 * MS;
  show_page (s);
  *flip = (Flipper){ .display = s->display, .page = acquire (s->pool) };
  *wait = (Flipper){ .display = s->display };
  pthread_create (&flip->thread, NULL, flipper_main, flip);
  while (display_stats (s->display).waits < 1)
    sched_yield ();
  pthread_create (&wait->thread, NULL, flipper_main, wait);
}

START_TEST (a_wait_is_called_off_alone)
{
  Screen s;
  Flipper flip, wait;
  start_two (&s, &flip, &wait);
  ba_display_wake (s.display); /* no flag is set: nobody gives up */
  atomic_store (&wait.cancel, 1);
  ba_display_wake (s.display);
  pthread_join (wait.thread, NULL);
  ck_assert_int_eq (wait.r, -ECANCELED);
  atomic_store (&flip.cancel, 1);
  ba_display_wake (s.display);
  pthread_join (flip.thread, NULL);
  ck_assert_int_eq (flip.r, -ECANCELED);
  ck_assert (!ba_buffer_is_shared (flip.page));
  ck_assert_int_eq (ba_display_flip (s.display, flip.page, &flip.cancel), -ECANCELED);
  ba_buffer_unref (flip.page);
  ck_assert_uint_eq (n_free (&s), 3); /* the first page is on its way still */
  screen_finish (&s);
}
END_TEST

START_TEST (close_ends_every_wait)
{
  Screen s;
  Flipper flip, wait;
  start_two (&s, &flip, &wait);
  ba_display_close (s.display);
  pthread_join (flip.thread, NULL);
  pthread_join (wait.thread, NULL);
  ck_assert_int_eq (flip.r, -ESHUTDOWN);
  ck_assert_int_eq (wait.r, -ESHUTDOWN);
  ck_assert_int_eq (ba_display_flip (s.display, flip.page, NULL), -ESHUTDOWN);
  ck_assert_int_eq (ba_display_wait (s.display, NULL), -ESHUTDOWN);
  ba_buffer_unref (flip.page);
  ck_assert_uint_eq (n_free (&s), 4);
  screen_finish (&s);
}
END_TEST

/* ---- threads and foreign code ---------------------------------------------------------------------------------- */

typedef struct
{
  pthread_t thread;
  Screen *screen;
  unsigned shown;
} Worker;

static void *
worker_main (void *data)
{
  Worker *w = data;
  for (int i = 0; i < 40; i++) {
    BaBuffer *page;
    if (ba_pool_acquire (w->screen->pool, BA_WAIT_FOREVER, NULL, &page) < 0)
      break;
    *(uint8_t *) ba_buffer_get_data (page) = (uint8_t) i; /* a page belongs to one thread at a time */
    if (ba_display_flip (w->screen->display, page, NULL) == 0)
      w->shown++;
    ba_buffer_unref (page);
  }
  return NULL;
}

/* The device is asked by one thread at a time. */
static void
be_alone (void *user)
{
  atomic_int *inside = user;
  ck_assert_int_eq (atomic_fetch_add (inside, 1), 0);
  for (int i = 0; i < 50; i++)
    sched_yield ();
  atomic_fetch_sub (inside, 1);
}

static void
flip_from_threads (const char *device, const BaDisplayOptions *options)
{
  Screen s;
  Worker workers[4];
  unsigned shown = 0;
  atomic_int inside = 0;
  open_screen (&s, device, options);
  s.fake.during_vsync = be_alone;
  s.fake.user = &inside;
  for (size_t i = 0; i < N_ELEMENTS (workers); i++) {
    workers[i] = (Worker){ .screen = &s };
    pthread_create (&workers[i].thread, NULL, worker_main, &workers[i]);
  }
  for (size_t i = 0; i < N_ELEMENTS (workers); i++) {
    pthread_join (workers[i].thread, NULL);
    shown += workers[i].shown;
  }
  ck_assert_uint_eq (shown, 160);
  ck_assert_uint_eq (display_stats (s.display).flips, shown);
  ba_display_close (s.display);
  ck_assert_uint_eq (n_free (&s), stats_of (s.pool).n_buffers);
  screen_finish (&s);
}

START_TEST (several_threads_may_flip)
{
  const BaDisplayOptions no_vsync = { .no_vsync = true };
  flip_from_threads ("virtual:8x8,rate=1000,pages=6", NULL);
  flip_from_threads ("virtual:8x8,rate=0,pages=3", NULL);
  flip_from_threads (FAKE_FB_PATH, NULL);
  flip_from_threads (FAKE_FB_PATH, &no_vsync);
}
END_TEST

static void
look_at_the_display (void *user)
{
  Screen *s = user;
  display_stats (s->display); /* hangs where a lock is held */
  ba_display_wake (s->display);
}

START_TEST (no_lock_is_held_while_the_device_waits)
{
  Screen s;
  open_screen (&s, FAKE_FB_PATH, NULL);
  s.fake.during_vsync = look_at_the_display;
  s.fake.user = &s;
  for (int i = 0; i < 3; i++)
    show_page (&s);
  ck_assert_uint_ge (s.fake.n_vsyncs, 2);
  screen_finish (&s);
}
END_TEST

typedef struct
{
  Screen screen;
  pthread_t closer;
  bool closing;
} Closing;

static void *
close_the_display (void *display)
{
  ba_display_close (display);
  return NULL;
}

static void
close_while_the_device_waits (void *user)
{
  Closing *c = user;
  if (c->closing)
    return;
  c->closing = true;
  unsigned puts = c->screen.fake.n_puts;
  pthread_create (&c->closer, NULL, close_the_display, c->screen.display);
  BaCancel once = 1; /* -ECANCELED until it is closed, never a wait */
  while (ba_display_wait (c->screen.display, &once) != -ESHUTDOWN)
    sched_yield ();
  for (int i = 0; i < 1000; i++)
    sched_yield ();
  ck_assert_uint_eq (c->screen.fake.n_puts, puts);
}

START_TEST (close_lets_the_device_finish_before_it_restores)
{
  Closing c = { 0 };
  open_screen (&c.screen, FAKE_FB_PATH, NULL);
  c.screen.fake.during_vsync = close_while_the_device_waits;
  c.screen.fake.user = &c;
  show_page (&c.screen);
  BaBuffer *page = acquire (c.screen.pool);
  ck_assert_int_eq (ba_display_flip (c.screen.display, page, NULL), -ESHUTDOWN);
  ba_buffer_unref (page);
  pthread_join (c.closer, NULL);
  screen_finish (&c.screen);
}
END_TEST

static void
use_the_display (void *user)
{
  Screen *s = user;
  ck_assert_int_eq (ba_display_wait (s->display, NULL), 0);
  display_stats (s->display);
}

START_TEST (whoever_is_told_of_a_pages_end_may_use_the_display)
{
  Screen s;
  const BaDisplayOptions no_vsync = { .no_vsync = true };
  open_screen (&s, FAKE_FB_PATH, &no_vsync);
  BaBuffer *a = acquire (s.pool), *b = acquire (s.pool);
  ba_buffer_set_user_data (a, &s, use_the_display);
  ck_assert_int_eq (ba_display_flip (s.display, a, NULL), 0);
  ba_buffer_unref (a);
  ba_pool_close (s.pool); /* from here on a page ends as soon as it is not shown any more */
  ck_assert_int_eq (ba_display_flip (s.display, b, NULL), 0);
  ba_buffer_unref (b);
  screen_finish (&s);
}
END_TEST

static void
close_from_the_log (BaLogLevel level, const char *message, void *user)
{
  Screen *s = user;
  (void) level;
  (void) message;
  if (!s->display)
    return; /* not opened yet */
  ba_display_close (s->display);
  ck_assert_int_eq (ba_display_wait (s->display, NULL), -ESHUTDOWN);
}

START_TEST (a_log_handler_may_use_the_display)
{
  Screen s;
  open_screen (&s, FAKE_FB_PATH, NULL);
  ba_log_set_handler (close_from_the_log, &s);
  s.fake.fixed_mode = true; /* so that putting it back is warned of */
  ba_display_close (s.display);
  s.fake.var = s.fake.first_var;
  screen_finish (&s);

  open_screen (&s, FAKE_FB_PATH, NULL);
  s.fake.vsync = FAKE_VSYNC_MISSING; /* which is told, too */
  show_page (&s);
  BaBuffer *page = acquire (s.pool);
  ck_assert_int_eq (ba_display_flip (s.display, page, NULL), -ESHUTDOWN);
  ba_buffer_unref (page);
  ba_log_set_handler (NULL, NULL);
  screen_finish (&s);
}
END_TEST

static void *
close_main (void *data)
{
  Screen *s = data;
  ba_display_close (s->display);
  ck_assert (fake_device_is_restored (&s->fake));
  return NULL;
}

START_TEST (all_who_close_come_back_when_it_is_done)
{
  Screen s;
  pthread_t threads[4];
  open_screen (&s, FAKE_FB_PATH, NULL);
  show_page (&s);
  show_page (&s);
  for (size_t i = 0; i < N_ELEMENTS (threads); i++)
    pthread_create (&threads[i], NULL, close_main, &s);
  for (size_t i = 0; i < N_ELEMENTS (threads); i++)
    pthread_join (threads[i], NULL);
  ck_assert_uint_eq (n_free (&s), 4);
  screen_finish (&s);
}
END_TEST

/* ---- lives ----------------------------------------------------------------------------------------------------- */

START_TEST (a_page_that_is_out_keeps_the_mapping)
{
  Screen s;
  open_screen (&s, FAKE_FB_PATH, NULL);
  BaBuffer *page = acquire (s.pool);
  ba_display_close (s.display);
  ba_allocator_unref (s.allocator);
  ba_pool_unref (s.pool);
  ba_display_unref (s.display);
  ck_assert_int_eq (s.fake.n_mapped, 1);
  memset (ba_buffer_get_data (page), 0xff, ba_buffer_get_size (page));
  ba_buffer_unref (page);
  s.display = NULL;
  s.allocator = NULL;
  s.pool = NULL;
  screen_finish (&s);
}
END_TEST

START_TEST (a_page_on_screen_outlives_its_pool_and_goes_with_the_next_flip)
{
  Screen s;
  const BaDisplayOptions no_vsync = { .no_vsync = true };
  open_screen (&s, FAKE_FB_PATH, &no_vsync);
  show_page (&s);
  ba_allocator_unref (s.allocator);
  ba_pool_unref (s.pool);
  screen_build (&s); /* as at a new negotiation */
  BaBuffer *first = acquire (s.pool), *second = acquire (s.pool);
  ck_assert_int_eq (ba_display_flip (s.display, second, NULL), 0);
  ck_assert_int_eq (ba_display_flip (s.display, first, NULL), 0);
  ba_buffer_unref (first);
  ba_buffer_unref (second);
  screen_finish (&s);
}
END_TEST

START_TEST (the_last_reference_may_go_with_the_old_page)
{
  Screen s;
  open_screen (&s, FAKE_FB_PATH, NULL);
  show_page (&s);
  show_page (&s);
  ba_allocator_unref (s.allocator);
  ba_pool_unref (s.pool);
  BaDisplay *display = s.display;
  ba_display_ref (display);
  ba_display_unref (s.display); /* ours is the last but those of the pages */
  ba_display_close (display);
  ck_assert_int_eq (s.fake.n_mapped, 1);
  s.display = display;
  s.allocator = NULL;
  s.pool = NULL;
  screen_finish (&s);
}
END_TEST

RUN ("display", a_page_is_free_again_when_the_one_after_it_is_visible, whoever_is_late_does_not_wait,
     flips_that_come_too_early_wait_but_miss_no_vsync, a_page_that_is_on_screen_is_left_alone, one_page_is_never_kept,
     without_vsync_a_flip_is_done_at_once, only_pages_of_this_display_are_shown,
     a_page_that_cannot_be_shown_leaves_the_one_before, the_clock_lets_one_flip_pass_per_period,
     two_pages_are_enough_to_go_on, a_wait_is_called_off_alone, close_ends_every_wait, several_threads_may_flip,
     no_lock_is_held_while_the_device_waits, close_lets_the_device_finish_before_it_restores,
     whoever_is_told_of_a_pages_end_may_use_the_display, a_log_handler_may_use_the_display,
     all_who_close_come_back_when_it_is_done, a_page_that_is_out_keeps_the_mapping,
     a_page_on_screen_outlives_its_pool_and_goes_with_the_next_flip, the_last_reference_may_go_with_the_old_page)
