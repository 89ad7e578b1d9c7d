/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-fbdevzerosink-pages.c: no page is written while it is on screen. A thread watches the virtual screen's file from
 * outside while frames are shown, each of one colour that tells its number: every time it could read the whole page on
 * screen between two flips, that page has to have one colour, the same one as long as it is shown, and the right one.
 */
#include "test-sink-support.h"

#include <stdatomic.h>

#define WIDTH 171
#define HEIGHT 93
/* What each run is watched for at least. */
#define SUMS 300
#define FRAMES_SEEN 40

/* ---- frames of one colour -------------------------------------------------------------------------------------- */

/* Frames that follow one another differ much, so that a page with two of them in it is seen. */
static guint32
colour_of (guint64 n)
{
  return ((n * 97) & 255) << 16 | ((n * 61) & 255) << 8 | ((n * 29) & 255);
}

static GstPadProbeReturn
set_next_colour (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstElement *src = gst_pad_get_parent_element (pad);
  guint64 *n = data;

  g_object_set (src, "foreground-color", 0xff000000 | colour_of (++*n), NULL);
  gst_object_unref (src);
  return GST_PAD_PROBE_OK;
}

/* ---- the checker ----------------------------------------------------------------------------------------------- */

typedef struct
{
  Watch watch;
  gboolean exact; /* frame n is shown by flip n, in its very colour */
  GThread *thread;
  atomic_int stop;

  GMutex lock;
  GCond cond;
  guint n_sums, n_frames; /* that were whole; of how many flips */
  gchar *wrong; /* the first page that was not as it has to be */
} Checker;

/* What is wrong with a page of this sequence that was read while nothing was flipped; NULL where it is right. */
static gchar *
judge (const Checker *checker, guint64 sequence, guint page, guint32 colour, gint other, guint64 last_sequence,
       guint last_page, guint32 last_colour)
{
  if (other >= 0)
    return g_strdup_printf ("flip %" G_GUINT64_FORMAT ", page %u: %06x, but pixel %d is of another colour", sequence,
                            page, colour, other);
  if (sequence == last_sequence && page == last_page && colour != last_colour)
    return g_strdup_printf ("flip %" G_GUINT64_FORMAT ", page %u: was %06x, now %06x", sequence, page, last_colour,
                            colour);
  /* the page may be the next flip's already, whose sequence comes a moment later */
  if (checker->exact && colour != colour_of (sequence - 1) && colour != colour_of (sequence))
    return g_strdup_printf ("flip %" G_GUINT64_FORMAT ", page %u: shows %06x, not %06x", sequence, page, colour,
                            colour_of (sequence - 1));
  return NULL;
}

/* The colour of a page, and the first pixel that has another one, or -1. */
static guint32
read_page (const Watch *watch, guint page, gint *other)
{
  const guint8 *rows = watch->data + page * watch->trailer->page_bytes;
  guint32 first = 0, pixel;

  memcpy (&first, rows, 4);
  *other = -1;
  for (guint y = 0; y < HEIGHT && *other < 0; y++) {
    for (guint x = 0; x < WIDTH; x++) {
      memcpy (&pixel, rows + y * watch->trailer->stride_bytes + 4 * x, 4);
      if ((pixel ^ first) & 0xffffff && *other < 0)
        *other = y * WIDTH + x;
    }
  }
  return first & 0xffffff;
}

static gpointer
check_pages (gpointer data)
{
  Checker *checker = data;
  const BaVirtualTrailer *trailer = checker->watch.trailer;
  guint64 last_sequence = 0;
  guint32 last_colour = 0;
  guint last_page = 0;

  while (!atomic_load (&checker->stop)) {
    guint64 sequence = atomic_load_explicit (&trailer->sequence, memory_order_acquire);
    guint page = atomic_load_explicit (&trailer->front_page, memory_order_acquire);
    guint32 colour;
    gchar *wrong;
    gint other;

    if (sequence == 0) {
      g_thread_yield ();
      continue;
    }
    colour = read_page (&checker->watch, page, &other);
    atomic_thread_fence (memory_order_acquire);
    if (atomic_load_explicit (&trailer->sequence, memory_order_relaxed) != sequence)
      continue; /* it was on screen for a part of the time only */
    wrong = judge (checker, sequence, page, colour, other, last_sequence, last_page, last_colour);
    g_mutex_lock (&checker->lock);
    checker->n_sums++;
    if (sequence != last_sequence)
      checker->n_frames++;
    if (!checker->wrong)
      checker->wrong = wrong;
    else
      g_free (wrong);
    g_cond_signal (&checker->cond);
    g_mutex_unlock (&checker->lock);
    last_sequence = sequence;
    last_page = page;
    last_colour = colour;
  }
  return NULL;
}

static void
checker_start (Checker *checker, const ScreenFile *file)
{
  checker->watch = watch_open (file);
  ck_assert_uint_eq (checker->watch.trailer->width_px, WIDTH);
  ck_assert_uint_eq (checker->watch.trailer->height_px, HEIGHT);
  g_mutex_init (&checker->lock);
  g_cond_init (&checker->cond);
  checker->thread = g_thread_new ("checker", check_pages, checker);
}

/* Until enough has been seen, or something that is wrong. */
static void
checker_wait (Checker *checker)
{
  g_mutex_lock (&checker->lock);
  while (!checker->wrong && (checker->n_sums < SUMS || checker->n_frames < FRAMES_SEEN))
    g_cond_wait (&checker->cond, &checker->lock);
  g_mutex_unlock (&checker->lock);
}

static void
checker_stop (Checker *checker, const gchar *what)
{
  atomic_store (&checker->stop, 1);
  g_thread_join (checker->thread);
  watch_close (&checker->watch);
  ck_assert_msg (checker->wrong == NULL, "%s: %s", what, checker->wrong);
  ck_assert_uint_ge (checker->n_sums, SUMS);
  ck_assert_uint_ge (checker->n_frames, FRAMES_SEEN);
  g_mutex_clear (&checker->lock);
  g_cond_clear (&checker->cond);
}

/* ---- somebody who keeps pages ---------------------------------------------------------------------------------- */

#define MAX_KEPT 8

typedef struct
{
  guint n_kept; /* buffers to keep */
  GstBuffer *buffers[MAX_KEPT];
  guint next;
} Keeper;

static void
keeper_drop (Keeper *keeper, guint i)
{
  GstMapInfo map;

  if (!keeper->buffers[i])
    return;
  ck_assert (gst_buffer_map (keeper->buffers[i], &map, GST_MAP_READ));
  for (gsize at = 0; at + 4 <= map.size; at += 4) {
    if (memcmp (map.data, map.data + at, 3) != 0)
      ck_abort_msg ("a page was written while somebody kept it: byte %" G_GSIZE_FORMAT, at);
  }
  gst_buffer_unmap (keeper->buffers[i], &map);
  gst_clear_buffer (&keeper->buffers[i]);
}

static GstPadProbeReturn
keep (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Keeper *keeper = data;

  keeper_drop (keeper, keeper->next);
  keeper->buffers[keeper->next] = gst_buffer_ref (GST_PAD_PROBE_INFO_BUFFER (info));
  keeper->next = (keeper->next + 1) % keeper->n_kept;
  return GST_PAD_PROBE_OK;
}

/* ---- runs ------------------------------------------------------------------------------------------------------ */

#define SOURCE "videotestsrc name=src pattern=solid-color foreground-color=0xff000000 ! "
#define BGRX "video/x-raw,format=BGRx,width=171,height=93,framerate=30/1"

/* Plays @launch until enough pages were seen; @way is the count of frame-stats that must have grown, and alone. */
static void
watch_run (const gchar *launch, const gchar *settings, guint pages, guint rate, const gchar *way, gboolean exact,
           guint n_kept)
{
  static const gchar *ways[] = { "flipped", "converted", "copied" };
  ScreenFile file = screen_file_new ();
  gchar *all = g_strdup_printf ("device=virtual:%dx%d,pages=%u,rate=%u,file=%s sync=false %s", WIDTH, HEIGHT, pages,
                                rate, file.path, settings);
  gchar *what = g_strdup_printf ("%s %s", launch, all);
  Player player = player_new (launch, all);
  GstElement *src = gst_bin_get_by_name (GST_BIN (player.pipeline), "src");
  GstPad *src_pad = gst_element_get_static_pad (src, "src");
  GstPad *sink_pad = gst_element_get_static_pad (player.sink, "sink");
  Checker checker = { .exact = exact };
  Keeper keeper = { .n_kept = n_kept };
  guint64 n = 0;

  gst_pad_add_probe (src_pad, GST_PAD_PROBE_TYPE_BUFFER, set_next_colour, &n, NULL);
  if (n_kept)
    gst_pad_add_probe (sink_pad, GST_PAD_PROBE_TYPE_BUFFER, keep, &keeper, NULL);
  player_reach (&player, GST_STATE_READY);
  checker_start (&checker, &file);
  player_set (&player, GST_STATE_PLAYING);
  checker_wait (&checker);
  player_drain (&player);
  ck_assert_msg (player.n_errors == 0, "%s: %s", what, player.error);
  player_set (&player, GST_STATE_NULL);
  checker_stop (&checker, what);
  for (guint i = 0; i < G_N_ELEMENTS (ways) && way; i++) {
    guint64 count = player_count (&player, ways[i]);

    ck_assert_msg (g_str_equal (way, ways[i]) ? count >= FRAMES_SEEN : count == 0, "%s: %s is %" G_GUINT64_FORMAT, what,
                   ways[i], count);
  }
  ck_assert_uint_eq (player_count (&player, "dropped"), 0);
  for (guint i = 0; i < MAX_KEPT; i++)
    keeper_drop (&keeper, i);
  gst_object_unref (src_pad);
  gst_object_unref (sink_pad);
  gst_object_unref (src);
  player_free (&player);
  g_free (what);
  g_free (all);
  screen_file_free (&file);
}

static void
watch_runs (const gchar *launch, const gchar *settings, const gchar *way, gboolean exact)
{
  static const guint rates[] = { 0, 600 };

  for (guint pages = 2; pages <= 6; pages++) {
    for (guint i = 0; i < G_N_ELEMENTS (rates); i++)
      watch_run (launch, settings, pages, rates[i], way, exact, 0);
  }
}

START_TEST (flipped_pages_stay_as_they_are)
{
  watch_runs (SOURCE BGRX " !", "offer-pages=always", "flipped", TRUE);
}
END_TEST

START_TEST (flipped_pages_behind_a_queue_stay_as_they_are)
{
  watch_runs (SOURCE BGRX " ! queue max-size-buffers=2 !", "offer-pages=always", "flipped", TRUE);
}
END_TEST

START_TEST (copied_pages_stay_as_they_are)
{
  watch_runs (SOURCE BGRX " !", "offer-pages=never", "copied", TRUE);
}
END_TEST

START_TEST (converted_pages_stay_as_they_are)
{
  watch_runs (SOURCE "video/x-raw,format=xBGR,width=171,height=93,framerate=30/1 !", "", "converted", TRUE);
  watch_runs (SOURCE "video/x-raw,format=I420,width=171,height=93,framerate=30/1 !", "", "converted", FALSE);
}
END_TEST

START_TEST (scaled_pages_stay_as_they_are)
{
  watch_runs (SOURCE "video/x-raw,format=BGRx,width=60,height=40,framerate=30/1 !", "scaling=stretch", "converted",
              TRUE);
}
END_TEST

START_TEST (behind_a_tee_with_queues_pages_stay_as_they_are)
{
  watch_runs (SOURCE BGRX " ! tee name=t ! queue max-size-buffers=3 ! fakesink sync=false t. ! "
                          "queue max-size-buffers=3 !",
              "", "copied", TRUE);
}
END_TEST

START_TEST (kept_pages_stay_as_they_are)
{
  static const guint rates[] = { 0, 600 };

  for (guint pages = 4; pages <= 6; pages++) {
    for (guint i = 0; i < G_N_ELEMENTS (rates); i++) {
      watch_run (SOURCE BGRX " !", "", pages, rates[i], "flipped", TRUE, pages - 3);
      watch_run (SOURCE BGRX " ! queue max-size-buffers=1 !", "", pages, rates[i], NULL, TRUE, 2);
    }
  }
}
END_TEST

/* Upstream keeps as many buffers as there are pages: it is given other memory, which is copied into what is left. */
START_TEST (pages_stay_as_they_are_when_all_are_kept)
{
  for (guint pages = 3; pages <= 6; pages++)
    watch_run (SOURCE BGRX " !", "", pages, 0, NULL, TRUE, pages);
}
END_TEST

/* videorate keeps a page and sends it a second time. */
START_TEST (repeated_pages_stay_as_they_are)
{
  watch_runs (SOURCE BGRX " ! videorate ! video/x-raw,framerate=60/1 !", "", NULL, FALSE);
}
END_TEST

RUN ("fbdevzerosink-pages", flipped_pages_stay_as_they_are, flipped_pages_behind_a_queue_stay_as_they_are,
     copied_pages_stay_as_they_are, converted_pages_stay_as_they_are, scaled_pages_stay_as_they_are,
     behind_a_tee_with_queues_pages_stay_as_they_are, kept_pages_stay_as_they_are,
     pages_stay_as_they_are_when_all_are_kept, repeated_pages_stay_as_they_are)
