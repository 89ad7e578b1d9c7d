/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-display-speed.c: which pages are measured, what is said of them, and that they keep their content. The device's
 * clock moves by a fixed step at every look, so that a piece of 16 KiB takes exactly one step, and speeds are exact.
 */
#include "fake-screen.h"

static void
open_screen (Screen *s, const char *device, const BaDisplayOptions *options)
{
  screen_init (s);
  fake_device_ready (&s->fake);
  int r = bai_display_open_with_calls (device, options, &s->fake.calls, &s->error, &s->display);
  ck_assert_msg (r == 0, "%s", s->error.message);
  s->info = ba_display_get_info (s->display);
  screen_build (s);
}

static BaDisplaySpeed
known_speed (Screen *s)
{
  BaDisplaySpeed speed = { -1, -1 };
  ba_display_get_speed (s->display, &speed);
  return speed;
}

static void
fill (uint8_t *data, size_t size_bytes, unsigned seed)
{
  for (size_t i = 0; i < size_bytes; i++)
    data[i] = (uint8_t) (seed + i * 7 + i / 251);
}

START_TEST (the_speed_is_that_of_the_pieces_and_is_remembered)
{
  Screen s;
  BaDisplaySpeed speed;
  open_screen (&s, "virtual:640x480", NULL);
  ck_assert_double_eq (known_speed (&s).read_mbps, 0);
  ck_assert_double_eq (known_speed (&s).write_mbps, 0);
  BaBuffer *page = acquire (s.pool);
  s.fake.clock_step_ns = 16384;
  ck_assert_int_eq (ba_display_measure_speed (s.display, page, &speed), 0);
  ck_assert_double_eq (speed.read_mbps, 1000);
  ck_assert_double_eq (speed.write_mbps, 1000);
  ck_assert_double_eq (known_speed (&s).read_mbps, 1000);
  ck_assert_double_eq (known_speed (&s).write_mbps, 1000);
  s.fake.clock_step_ns = 4096;
  ck_assert_int_eq (ba_display_measure_speed (s.display, page, NULL), 0);
  ck_assert_double_eq (known_speed (&s).write_mbps, 4000);
  ba_buffer_unref (page);
  screen_finish (&s);
}
END_TEST

START_TEST (the_page_keeps_its_content_and_its_neighbours_too)
{
  static const char *const devices[] = { "virtual:640x480,rate=0", "virtual:2048x1200,rate=0,pages=2",
                                         "virtual:5x3,rate=0", "virtual:100x50,stride=444,rate=0", FAKE_FB_PATH };
  for (size_t i = 0; i < N_ELEMENTS (devices); i++) {
    Screen s;
    open_screen (&s, devices[i], NULL);
    size_t all_bytes = s.info->n_pages * s.info->page_bytes;
    uint8_t *before = malloc (all_bytes);
    fill (before, all_bytes, 3);
    memcpy (s.display->map, before, all_bytes);
    BaBuffer *page = acquire (s.pool);
    ck_assert_int_eq (ba_display_measure_speed (s.display, page, NULL), 0);
    ck_assert (memcmp (s.display->map, before, all_bytes) == 0);
    ba_buffer_unref (page);
    free (before);
    screen_finish (&s);
  }
}
END_TEST

START_TEST (slow_memory_is_given_up_after_its_time)
{
  Screen s;
  BaDisplaySpeed speed;
  open_screen (&s, "virtual:1920x1080", NULL);
  BaBuffer *page = acquire (s.pool);
  s.fake.clock_step_ns = 1638400; /* 10 million bytes per second */
  int64_t began_ns = s.fake.clock_ns;
  ck_assert_int_eq (ba_display_measure_speed (s.display, page, &speed), 0);
  ck_assert_double_eq (speed.read_mbps, 10);
  ck_assert_double_eq (speed.write_mbps, 10);
  ck_assert_int_le (s.fake.clock_ns - began_ns, 3 * 4 * s.fake.clock_step_ns); /* of 507 pieces */
  ba_buffer_unref (page);
  screen_finish (&s);
}
END_TEST

START_TEST (a_clock_that_stands_still_means_unknown)
{
  Screen s;
  BaDisplaySpeed speed;
  open_screen (&s, "virtual:640x480", NULL);
  BaBuffer *page = acquire (s.pool);
  ck_assert_int_eq (ba_display_measure_speed (s.display, page, &speed), 0);
  ck_assert_double_eq (speed.read_mbps, 0);
  ck_assert_double_eq (speed.write_mbps, 0);
  ba_buffer_unref (page);
  screen_finish (&s);
}
END_TEST

START_TEST (a_virtual_display_reads_as_fast_as_it_was_told)
{
  Screen s;
  BaDisplaySpeed speed;
  open_screen (&s, "virtual:640x480,read-mbps=75", NULL);
  ck_assert_double_eq (known_speed (&s).read_mbps, 0);
  BaBuffer *page = acquire (s.pool);
  s.fake.clock_step_ns = 16384;
  ck_assert_int_eq (ba_display_measure_speed (s.display, page, &speed), 0);
  ck_assert_double_eq (speed.read_mbps, 75);
  ck_assert_double_eq (speed.write_mbps, 1000);
  ck_assert_double_eq (known_speed (&s).read_mbps, 75);
  ba_buffer_unref (page);
  screen_finish (&s);
}
END_TEST

static BaBuffer *
acquire_number (Screen *s, unsigned number)
{
  BaBuffer *found = NULL, *others[BA_DISPLAY_MAX_PAGES];
  unsigned n = 0;
  while (!found) {
    BaBuffer *page = acquire (s->pool);
    if ((unsigned) ba_display_get_page_number (s->display, page) == number)
      found = page;
    else
      others[n++] = page;
  }
  while (n > 0)
    ba_buffer_unref (others[--n]);
  return found;
}

START_TEST (a_page_that_somebody_looks_at_is_refused)
{
  Screen s;
  BaDisplaySpeed speed = { 1, 1 };
  open_screen (&s, FAKE_FB_PATH, NULL); /* 4 pages */
  BaBuffer *start = acquire_number (&s, s.display->start_page);
  BaBuffer *a = acquire (s.pool), *b = acquire (s.pool);
  ck_assert_int_eq (ba_display_measure_speed (s.display, start, &speed), -EINVAL);
  ck_assert_double_eq (speed.read_mbps, 0);
  ck_assert_double_eq (speed.write_mbps, 0);
  ck_assert_int_eq (ba_display_measure_speed (s.display, a, NULL), 0);

  ck_assert_int_eq (ba_display_flip (s.display, a, NULL), 0);
  ck_assert_int_eq (ba_display_measure_speed (s.display, a, NULL), -EINVAL);     /* on its way */
  ck_assert_int_eq (ba_display_measure_speed (s.display, start, NULL), -EINVAL); /* on screen still */
  ck_assert_int_eq (ba_display_measure_speed (s.display, b, NULL), 0);
  ck_assert_int_eq (ba_display_wait (s.display, NULL), 0);
  ck_assert_int_eq (ba_display_measure_speed (s.display, a, NULL), -EINVAL); /* on screen */
  ck_assert_int_eq (ba_display_measure_speed (s.display, start, NULL), 0);
  ck_assert_int_eq (ba_display_flip (s.display, b, NULL), 0);
  ck_assert_int_eq (ba_display_measure_speed (s.display, a, NULL), -EINVAL);
  ck_assert_int_eq (ba_display_measure_speed (s.display, b, NULL), -EINVAL);
  ck_assert_int_eq (ba_display_wait (s.display, NULL), 0);
  ck_assert_int_eq (ba_display_measure_speed (s.display, a, NULL), 0);

  ba_display_close (s.display);
  ck_assert_int_eq (ba_display_measure_speed (s.display, a, NULL), -ESHUTDOWN);
  ba_buffer_unref (start);
  ba_buffer_unref (a);
  ba_buffer_unref (b);
  screen_finish (&s);
}
END_TEST

START_TEST (a_strangers_buffer_is_refused)
{
  Screen s, other;
  open_screen (&s, "virtual:64x48", NULL);
  open_screen (&other, "virtual:64x48", NULL);
  BaBuffer *page = acquire (other.pool);
  ck_assert_int_eq (ba_display_measure_speed (s.display, page, NULL), -EINVAL);
  ba_buffer_unref (page);
  screen_finish (&other);
  screen_finish (&s);
}
END_TEST

START_TEST (the_one_page_is_known_from_real_frames)
{
  Screen s;
  open_screen (&s, "virtual:64x48,pages=1,read-mbps=75", NULL);
  BaBuffer *page = acquire (s.pool);
  ck_assert_int_eq (ba_display_measure_speed (s.display, page, NULL), -ENOTSUP);
  ba_buffer_unref (page);
  ba_display_note_write (s.display, 0, 100);
  ba_display_note_write (s.display, 100, 0);
  ck_assert_double_eq (known_speed (&s).write_mbps, 0);
  ba_display_note_write (s.display, 3000000, 10000000);
  ck_assert_double_eq (known_speed (&s).write_mbps, 300);
  ba_display_note_write (s.display, 1000000, 10000000);
  ck_assert_double_eq (known_speed (&s).write_mbps, 200);
  ck_assert_double_eq (known_speed (&s).read_mbps, 0);
  for (int i = 0; i < 1000; i++) /* ten seconds of another speed */
    ba_display_note_write (s.display, 500000, 10000000);
  ck_assert_double_eq_tol (known_speed (&s).write_mbps, 50, 0.1);
  screen_finish (&s);
}
END_TEST

START_TEST (noted_writes_do_not_matter_where_pages_can_be_measured)
{
  Screen s;
  open_screen (&s, "virtual:64x48,pages=2", NULL);
  ba_display_note_write (s.display, 3000000, 10000000);
  ck_assert_double_eq (known_speed (&s).write_mbps, 0);
  screen_finish (&s);
}
END_TEST

typedef struct
{
  pthread_t thread;
  Screen *screen;
} Measurer;

static void *
measure_main (void *data)
{
  Measurer *m = data;
  for (int i = 0; i < 20; i++) {
    BaDisplaySpeed speed;
    BaBuffer *page = NULL;
    ck_assert_int_eq (ba_pool_acquire (m->screen->pool, BA_WAIT_FOREVER, NULL, &page), 0);
    int r = ba_display_measure_speed (m->screen->display, page, &speed);
    ck_assert (r == 0 || r == -EINVAL); /* the page that was on screen at the start */
    ck_assert_int_eq (ba_display_flip (m->screen->display, page, NULL), 0);
    ba_display_get_speed (m->screen->display, &speed);
    ba_buffer_unref (page);
  }
  return NULL;
}

START_TEST (pages_are_measured_while_others_are_shown)
{
  Screen s;
  Measurer threads[3];
  open_screen (&s, "virtual:64x48,rate=0,pages=6", NULL);
  for (size_t i = 0; i < N_ELEMENTS (threads); i++) {
    threads[i].screen = &s;
    pthread_create (&threads[i].thread, NULL, measure_main, &threads[i]);
  }
  for (size_t i = 0; i < N_ELEMENTS (threads); i++)
    pthread_join (threads[i].thread, NULL);
  BaDisplayStats stats;
  ba_display_get_stats (s.display, &stats);
  ck_assert_uint_eq (stats.flips, 60);
  screen_finish (&s);
}
END_TEST

RUN ("display-speed", the_speed_is_that_of_the_pieces_and_is_remembered,
     the_page_keeps_its_content_and_its_neighbours_too, slow_memory_is_given_up_after_its_time,
     a_clock_that_stands_still_means_unknown, a_virtual_display_reads_as_fast_as_it_was_told,
     a_page_that_somebody_looks_at_is_refused, a_strangers_buffer_is_refused, the_one_page_is_known_from_real_frames,
     noted_writes_do_not_matter_where_pages_can_be_measured, pages_are_measured_while_others_are_shown)
