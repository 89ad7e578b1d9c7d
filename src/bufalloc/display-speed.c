/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * display-speed.c: how fast the pages of a display are read and written.
 *
 * What a frame costs is decided by where its bytes lie: write-combined video memory takes writes at the speed of the
 * bus and gives reads at a hundredth of it. No driver tells, so it is measured, on a page that nobody looks at, in
 * pieces that are timed one by one: a thread that loses the processor for a while spoils one piece, and the median does
 * not see it. The first touch of a memory page costs fifty times the second one, so what is measured is touched before.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "display-private.h"

/* Large beside the 50 ns of two looks at the clock, small beside the time there is on slow memory. */
#define PIECE_BYTES 16384
/* Enough for a screen of 1920x1080 with 4 bytes a pixel; what is larger is measured on its beginning. */
#define MAX_PIECES 512
#define BUDGET_NS 2000000
/* Of a small page, the few pieces are timed again and again: one time alone says nothing. */
#define MIN_TIMES 9
#define TOUCH_BYTES 4096
/* The average of noted writes forgets half of what it knows after as much writing. */
#define NOTED_NS UINT64_C (1000000000)

/* The times of the pieces, each of piece_bytes. */
typedef struct
{
  const BaDeviceCalls *calls;
  size_t piece_bytes;
  unsigned n;
  int64_t times_ns[MAX_PIECES];
} Times;

static int
compare_times (const void *a, const void *b)
{
  int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;
  return (x > y) - (x < y);
}

/* Bytes per microsecond, which is millions of bytes per second. */
static double
speed_of (Times *times)
{
  if (times->n == 0)
    return 0;
  qsort (times->times_ns, times->n, sizeof times->times_ns[0], compare_times);
  int64_t ns = times->times_ns[times->n / 2];
  return ns > 0 ? (double) times->piece_bytes * 1000.0 / (double) ns : 0;
}

/* Touches pieces until the time is up, which it soon is where nobody did before. Returns how many. */
static unsigned
touch (const Times *times, uint8_t *page, unsigned n_pieces)
{
  const BaDeviceCalls *calls = times->calls;
  int64_t began_ns = calls->now_ns (calls->ctx);
  for (unsigned i = 0; i < n_pieces; i++) {
    for (size_t at = 0; at < times->piece_bytes; at += TOUCH_BYTES) {
      volatile uint8_t *byte = page + i * times->piece_bytes + at;
      *byte = *byte;
    }
    if (calls->now_ns (calls->ctx) - began_ns >= BUDGET_NS)
      return i + 1;
  }
  return n_pieces;
}

typedef struct
{
  uint64_t words[8];
} Line;

/* Line by line, as vector code draws; the C library's memcpy has thresholds of its own. */
#if defined(__GNUC__) && !defined(__clang__)
__attribute__ ((optimize ("no-tree-loop-distribute-patterns")))
#endif
static void
move_piece (uint8_t *restrict to, const uint8_t *restrict from, size_t n_bytes)
{
  size_t at = 0;
  for (; at + sizeof (Line) <= n_bytes; at += sizeof (Line)) {
    Line line;
    memcpy (&line, from + at, sizeof line);
    memcpy (to + at, &line, sizeof line);
  }
  for (; at < n_bytes; at++)
    to[at] = from[at];
}

/* Goes through the page once, in order (a small one several times), or until the time is up. @writes: else reads.
 * @scratch has a piece's size and stays in the cache, so that the page is what costs. */
static void
time_pieces (Times *times, uint8_t *page, unsigned n_pieces, uint8_t *scratch, bool writes)
{
  const BaDeviceCalls *calls = times->calls;
  int64_t began_ns = calls->now_ns (calls->ctx);
  times->n = 0;
  for (unsigned i = 0; i < n_pieces || i < MIN_TIMES; i++) {
    uint8_t *piece = page + i % n_pieces * times->piece_bytes;
    if (writes)
      move_piece (scratch, piece, times->piece_bytes); /* what is to be written: what is there */
    int64_t before_ns = calls->now_ns (calls->ctx);
    move_piece (writes ? piece : scratch, writes ? scratch : piece, times->piece_bytes);
    int64_t after_ns = calls->now_ns (calls->ctx);
    times->times_ns[times->n++] = after_ns - before_ns;
    if (after_ns - began_ns >= BUDGET_NS)
      break;
  }
}

static int
measure (const BaDisplay *display, uint8_t *page, BaDisplaySpeed *speed)
{
  size_t page_bytes = display->info.page_bytes;
  Times *times = malloc (sizeof *times + PIECE_BYTES);
  if (!times)
    return -ENOMEM;
  uint8_t *scratch = (uint8_t *) (times + 1);
  times->calls = display->calls;
  times->piece_bytes = page_bytes < PIECE_BYTES ? page_bytes : PIECE_BYTES;
  unsigned n_pieces = page_bytes / times->piece_bytes < MAX_PIECES ? (unsigned) (page_bytes / times->piece_bytes)
                                                                   : MAX_PIECES;
  n_pieces = touch (times, page, n_pieces);
  memset (scratch, 0, PIECE_BYTES);
  speed->read_mbps = display->told_read_mbps;
  if (display->told_read_mbps == 0) {
    time_pieces (times, page, n_pieces, scratch, false);
    speed->read_mbps = speed_of (times);
  }
  time_pieces (times, page, n_pieces, scratch, true);
  speed->write_mbps = speed_of (times);
  free (times);
  return 0;
}

/* Whether somebody looks at page @number, or soon will. */
static bool
is_watched_locked (const BaDisplay *display, unsigned number)
{
  if ((display->current.is_set && display->current.number == number)
      || (display->pending.is_set && display->pending.number == number))
    return true;
  /* what was on screen when the first page was shown is so until that has arrived */
  return !display->current.is_set && number == display->start_page;
}

int
ba_display_measure_speed (BaDisplay *display, BaBuffer *page, BaDisplaySpeed *speed)
{
  BaDisplaySpeed measured = { 0 };
  BaBlock block;
  int number = ba_display_get_page_number (display, page);
  if (speed)
    *speed = measured;
  if (number < 0)
    return -EINVAL;
  if (!display->info.can_flip)
    return -ENOTSUP;
  pthread_mutex_lock (&display->lock);
  int r = display->closed ? -ESHUTDOWN : is_watched_locked (display, (unsigned) number) ? -EINVAL : 0;
  pthread_mutex_unlock (&display->lock);
  if (r == 0)
    r = ba_display_get_page (display, (unsigned) number, &block);
  if (r == 0)
    r = measure (display, block.data, &measured);
  if (r < 0)
    return r;

  pthread_mutex_lock (&display->lock);
  display->speed = measured;
  pthread_mutex_unlock (&display->lock);
  if (speed)
    *speed = measured;
  return 0;
}

void
ba_display_note_write (BaDisplay *display, uint64_t bytes, uint64_t ns)
{
  if (display->info.can_flip || bytes == 0 || ns == 0 || bytes > UINT64_MAX / 2 || ns > UINT64_MAX / 2)
    return;
  pthread_mutex_lock (&display->lock);
  while (display->noted_ns > NOTED_NS) {
    display->noted_bytes /= 2;
    display->noted_ns /= 2;
  }
  display->noted_bytes += bytes;
  display->noted_ns += ns;
  display->speed.write_mbps = (double) display->noted_bytes * 1000.0 / (double) display->noted_ns;
  pthread_mutex_unlock (&display->lock);
}

void
ba_display_get_speed (BaDisplay *display, BaDisplaySpeed *speed)
{
  pthread_mutex_lock (&display->lock);
  *speed = display->speed;
  pthread_mutex_unlock (&display->lock);
}
