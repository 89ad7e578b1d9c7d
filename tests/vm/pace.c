/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pace.c: how regularly a display shows pages. pace DEVICE FRAMES flips that many, waits for each to be visible, and
 * prints the median, the smallest and the largest time between two in nanoseconds. The first tenth is not counted: the
 * display finds out meanwhile whether the driver's vsync can be believed.
 */
#include <bufalloc/bufalloc.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int64_t
now_ns (void)
{
  struct timespec now;
  clock_gettime (CLOCK_MONOTONIC, &now);
  return now.tv_sec * INT64_C (1000000000) + now.tv_nsec;
}

static int
compare (const void *a, const void *b)
{
  int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;
  return (x > y) - (x < y);
}

/* One page after the other, each seen before the next is asked for. Their times of becoming visible go to @at_ns. */
static int
show (BaDisplay *display, BaPool *pages, int frames, int64_t *at_ns)
{
  for (int i = 0; i < frames; i++) {
    BaBuffer *page;
    int r = ba_pool_acquire (pages, BA_WAIT_FOREVER, NULL, &page);
    if (r < 0)
      return r;
    r = ba_display_flip (display, page, NULL);
    (void) ba_pool_release (pages, page);
    if (r == 0)
      r = ba_display_wait (display, NULL);
    if (r < 0)
      return r;
    at_ns[i] = now_ns ();
  }
  return 0;
}

static int
measure (BaDisplay *display, BaPool *pages, int frames)
{
  int64_t *at_ns = calloc ((size_t) frames, sizeof *at_ns);
  int r = at_ns ? show (display, pages, frames, at_ns) : -ENOMEM;
  if (r == 0) {
    int first = frames / 10, n = frames - first - 1;
    for (int i = 0; i < n; i++)
      at_ns[i] = at_ns[first + i + 1] - at_ns[first + i];
    qsort (at_ns, (size_t) n, sizeof *at_ns, compare);
    printf ("median=%" PRId64 " least=%" PRId64 " most=%" PRId64 "\n", at_ns[n / 2], at_ns[0], at_ns[n - 1]);
  }
  free (at_ns);
  return r;
}

int
main (int argc, char **argv)
{
  int frames = argc == 3 ? atoi (argv[2]) : 0;
  if (frames < 20) {
    fprintf (stderr, "usage: pace DEVICE FRAMES, of which 20 at least\n");
    return 2;
  }
  BaError error = { 0 };
  BaDisplay *display = NULL;
  BaAllocator *allocator = NULL;
  BaPool *pages = NULL;
  int r = ba_display_open (argv[1], NULL, &error, &display);
  if (r == 0)
    r = ba_allocator_new_with_config (BA_TYPE_FRAMEBUFFER, &(BaConfig){ .display = display }, &error, &allocator);
  if (r == 0)
    r = ba_allocator_build_pool (allocator, &(BaSpec){ .name = "pages" }, &pages);
  if (r == 0)
    r = measure (display, pages, frames);
  if (r < 0)
    fprintf (stderr, "pace: %s: %s\n", argv[1], error.code ? error.message : ba_error_text (r));
  if (display)
    ba_display_close (display);
  ba_pool_unref (pages);
  ba_allocator_unref (allocator);
  ba_display_unref (display);
  return r < 0;
}
