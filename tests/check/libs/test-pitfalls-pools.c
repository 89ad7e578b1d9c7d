/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-pitfalls-pools.c: traps of GStreamer's pools that the other tests would not notice: configurations, pools that
 * end early, late or twice, and waits that cost nothing and that a flush ends. Which test holds which trap is in
 * docs/traps.md.
 */
#include "test-lib-support.h"

#include <time.h>
#include <unistd.h>

#define SIZE 8192
#define DEVICE "virtual:64x32,pages=3,rate=0"

/* ---- configurations ------------------------------------------------------------------------------------------- */

/* Sets the configuration as base classes do: what was changed is looked at, and set a second time. */
static gboolean
negotiate (GstBufferPool * pool, GstStructure * config)
{
  return gst_buffer_pool_set_config (pool, config)
      || gst_buffer_pool_set_config (pool, gst_buffer_pool_get_config (pool));
}

static GstBufferPool *
view_of (const Screen * screen, const gchar * caps, guint max)
{
  GstBufferPool *pool = gst_ba_fbdev_pool_new (screen->allocator);

  ck_assert (negotiate (pool, config_for (pool, caps, 4, 0, max, TRUE)));
  ck_assert (gst_buffer_pool_set_active (pool, TRUE));
  return pool;
}

static GstBufferPool *
normal_pool (guint min, guint max)
{
  GstBufferPool *pool = gst_ba_normal_pool_new ();

  ck_assert (gst_buffer_pool_set_config (pool, config_for (pool, "video/x-raw", SIZE, min, max, FALSE)));
  ck_assert (gst_buffer_pool_set_active (pool, TRUE));
  return pool;
}

START_TEST (a_pool_whose_prefix_or_padding_cannot_be_does_not_start)
{
  static const GstAllocationParams params[] = { {.prefix = G_MAXSIZE - 10}, {.padding = G_MAXSIZE - 10},
  {.prefix = G_MAXSIZE / 2,.padding = G_MAXSIZE / 2}
  };

  for (guint i = 0; i < 2 * G_N_ELEMENTS (params); i++) {
    GstBufferPool *pool = gst_ba_normal_pool_new ();
    GstAllocator *memfd = i % 2 ? gst_ba_memfd_allocator_new () : NULL;
    GstStructure *config = config_for (pool, "video/x-raw", SIZE, 1, 2, FALSE);

    gst_buffer_pool_config_set_allocator (config, memfd, &params[i / 2]);
    ck_assert (!negotiate (pool, config) || !gst_buffer_pool_set_active (pool, TRUE));
    gst_object_unref (pool);
    g_clear_pointer (&memfd, gst_object_unref);
  }
}
END_TEST

START_TEST (a_stride_is_compared_with_the_usual_one_and_not_with_the_rows_bytes)
{
  static const struct
  {
    const gchar *device;
    gint stride;
    gboolean usual;
  } rows[] = { {"virtual:1366x8,format=RGB,rate=0", 4100, TRUE}, {"virtual:1366x8,format=RGB,stride=4098,rate=0", 4098,
      FALSE}, {"virtual:1366x8,format=RGB,stride=4104,rate=0", 4104, FALSE}
  };
  const gchar *caps = "video/x-raw,format=RGB,width=1366,height=8,framerate=30/1";

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    Screen screen = screen_open (rows[i].device);
    GstBufferPool *pool = gst_ba_fbdev_pool_new (screen.allocator);

    ck_assert_msg (negotiate (pool, config_for (pool, caps, 4100 * 8, 0, 3, FALSE)) == rows[i].usual, "%s",
        rows[i].device);
    gst_object_unref (pool);
    pool = view_of (&screen, caps, 3);
    GstBuffer *buffer = acquire (pool);
    ck_assert_int_eq (gst_buffer_get_video_meta (buffer)->stride[0], rows[i].stride);
    gst_buffer_unref (buffer);
    gst_buffer_pool_set_active (pool, FALSE);
    gst_object_unref (pool);
    screen_close (&screen);
  }
}
END_TEST

START_TEST (the_meta_of_a_pool_stays_on_its_buffers)
{
  Screen screen = screen_open (DEVICE);

  for (guint i = 0; i < 2; i++) {
    GstBufferPool *pool = i == 0 ? view_of (&screen, BGRX_CAPS (64, 32), 3) : gst_ba_normal_pool_new ();

    if (i == 1) {
      ck_assert (gst_buffer_pool_set_config (pool, config_for (pool, BGRX_CAPS (64, 32), SIZE, 0, 1, TRUE)));
      ck_assert (gst_buffer_pool_set_active (pool, TRUE));
    }
    for (guint round = 0; round < 3; round++) {
      GstBuffer *buffer = acquire (pool);
      GstMeta *meta = (GstMeta *) gst_buffer_get_video_meta (buffer);

      ck_assert_ptr_nonnull (meta);
      /* GStreamer refuses to remove what is locked */
      ck_assert (GST_META_FLAG_IS_SET (meta, GST_META_FLAG_POOLED) && GST_META_FLAG_IS_SET (meta, GST_META_FLAG_LOCKED));
      gst_buffer_unref (buffer);
    }
    gst_buffer_pool_set_active (pool, FALSE);
    gst_object_unref (pool);
  }
  screen_close (&screen);
}
END_TEST

START_TEST (a_view_with_a_buffer_out_keeps_its_geometry_and_another_view_takes_the_new_one)
{
  Screen screen = screen_open (DEVICE);
  GstBufferPool *old = view_of (&screen, BGRX_CAPS (40, 20), 3), *fresh;
  GstBuffer *kept = acquire (old), *buffer;
  GstVideoRectangle window;

  ck_assert (gst_buffer_pool_set_active (old, FALSE));
  ck_assert (!gst_buffer_pool_set_config (old, config_for (old, BGRX_CAPS (64, 32), SIZE, 0, 3, TRUE)));
  gst_ba_fbdev_pool_get_window (GST_BA_FBDEV_POOL (old), &window);
  ck_assert_int_eq (window.w, 40);
  fresh = view_of (&screen, BGRX_CAPS (64, 32), 3);
  buffer = acquire (fresh);
  ck_assert_uint_eq (gst_buffer_get_video_meta (buffer)->width, 64);
  ck_assert_uint_eq (gst_buffer_get_video_meta (kept)->width, 40);
  ck_assert_ptr_ne (core_of (buffer), core_of (kept));
  fill (kept, 1);
  gst_buffer_unref (kept);      /* the old pool is empty now, and may be laid out anew */
  ck_assert (negotiate (old, config_for (old, BGRX_CAPS (64, 32), SIZE, 0, 3, TRUE)));
  gst_buffer_unref (buffer);
  gst_buffer_pool_set_active (fresh, FALSE);
  gst_object_unref (fresh);
  gst_object_unref (old);
  screen_close (&screen);
}
END_TEST

/* ---- the end of pools ----------------------------------------------------------------------------------------- */

START_TEST (a_pool_that_is_dropped_while_active_ends_once)
{
  Screen screen = screen_open (DEVICE);

  for (guint i = 0; i < 4; i++) {
    GstBufferPool *pool = i % 2 ? view_of (&screen, BGRX_CAPS (64, 32), 3) : normal_pool (2, 3);
    GWeakRef weak;

    if (i >= 2) {               /* stopped and started before */
      ck_assert (gst_buffer_pool_set_active (pool, FALSE));
      ck_assert (gst_buffer_pool_set_active (pool, TRUE));
    }
    gst_buffer_unref (acquire (pool));  /* one rests in it */
    g_weak_ref_init (&weak, pool);
    gst_object_unref (pool);
    ck_assert_ptr_null (g_weak_ref_get (&weak));
    g_weak_ref_clear (&weak);
    ck_assert_uint_eq (stats_of (screen_pages (&screen)).n_free, 3);
    ck_assert_int_eq (GST_OBJECT_REFCOUNT_VALUE (screen.allocator), 1);
  }
  screen_close (&screen);
}
END_TEST

START_TEST (a_view_that_stops_takes_nothing_from_the_others)
{
  Screen screen = screen_open (DEVICE);
  GstBufferPool *one = view_of (&screen, BGRX_CAPS (64, 32), 3), *two = view_of (&screen, BGRX_CAPS (64, 32), 3);
  GstBuffer *buffer = acquire (two), *other;

  gst_buffer_unref (acquire (one));
  for (guint i = 0; i < 3; i++) {
    ck_assert (gst_buffer_pool_set_active (one, FALSE));
    fill (buffer, (guint8) i);
    other = acquire (two);
    gst_buffer_unref (other);
    ck_assert (gst_buffer_pool_set_active (one, TRUE));
  }
  gst_object_unref (one);
  ck_assert_int_eq (ba_display_flip (screen.display, core_of (buffer), NULL), 0);
  gst_buffer_unref (buffer);
  gst_buffer_pool_set_active (two, FALSE);
  gst_object_unref (two);
  screen_close (&screen);
}
END_TEST

START_TEST (a_view_outlives_who_made_it)
{
  Screen screen = screen_open (DEVICE);
  GstBufferPool *pool = view_of (&screen, BGRX_CAPS (64, 32), 3);

  screen_close (&screen);
  for (guint i = 0; i < 3; i++) {
    GstBuffer *buffer = acquire (pool);

    fill (buffer, (guint8) i);
    gst_buffer_unref (buffer);
  }
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
}
END_TEST

/* ---- waits ---------------------------------------------------------------------------------------------------- */

#define WAIT_NS (250 * GST_MSECOND)

typedef struct
{
  GstBufferPool *pool;
  GstFlowReturn flow;
  gint64 cpu_ns;
} LongWait;

static gint64
cpu_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

static gpointer
wait_in_vain (gpointer data)
{
  LongWait *wait = data;
  GstBuffer *none = NULL;
  gint64 begin_ns = cpu_ns ();

  wait->flow = gst_ba_pool_acquire_timed (GST_BA_POOL (wait->pool), WAIT_NS, &none);
  wait->cpu_ns = cpu_ns () - begin_ns;
  return none;
}

START_TEST (waiting_for_memory_that_a_copy_holds_costs_no_cpu_time)
{
  Screen screen = screen_open ("virtual:64x32,pages=1,rate=0");

  for (guint i = 0; i < 3; i++) {
    GstAllocator *memfd = i == 2 ? gst_ba_memfd_allocator_new () : NULL;
    GstBufferPool *pool = i == 0 ? view_of (&screen, BGRX_CAPS (64, 32), 1) : gst_ba_normal_pool_new ();
    GstBuffer *buffer, *copy;
    LongWait wait = {.pool = pool };

    if (i > 0) {
      GstStructure *config = config_for (pool, "video/x-raw", SIZE, 1, 1, FALSE);

      if (memfd)
        gst_buffer_pool_config_set_allocator (config, memfd, NULL);
      ck_assert (gst_buffer_pool_set_config (pool, config));
      ck_assert (gst_buffer_pool_set_active (pool, TRUE));
    }
    buffer = acquire (pool);
    copy = gst_buffer_copy (buffer);
    gst_buffer_unref (buffer);  /* GstBufferPool counts none out now; the memory is in the copy */
    ck_assert_ptr_null (g_thread_join (g_thread_new ("waiter", wait_in_vain, &wait)));
    ck_assert_int_eq (wait.flow, GST_FLOW_EOS);
    ck_assert_msg (wait.cpu_ns < (gint64) WAIT_NS / 4, "pool %u: %" G_GINT64_FORMAT " us of CPU in a wait of %u ms", i,
        wait.cpu_ns / 1000, (guint) (WAIT_NS / GST_MSECOND));
    gst_buffer_unref (copy);
    gst_buffer_unref (acquire (pool));
    gst_buffer_pool_set_active (pool, FALSE);
    gst_object_unref (pool);
    g_clear_pointer (&memfd, gst_object_unref);
  }
  screen_close (&screen);
}
END_TEST

#define N_SLEEPERS 4

typedef struct
{
  GThread *thread;
  GstBufferPool *pool;
  BaPool *core;                 /* or here, with this flag */
  BaCancel cancel;
  gint tid;                     /* atomic; the system's number of the thread, once it is about to wait */
  GstFlowReturn flow;
  gint code;
} Sleeper;

static gpointer
sleep_in_pool (gpointer data)
{
  Sleeper *sleeper = data;
  GstBuffer *none = NULL;

  g_atomic_int_set (&sleeper->tid, (gint) gettid ());
  sleeper->flow = gst_buffer_pool_acquire_buffer (sleeper->pool, &none, NULL);
  return none;
}

static gpointer
sleep_in_core (gpointer data)
{
  Sleeper *sleeper = data;
  BaBuffer *buffer = NULL;

  g_atomic_int_set (&sleeper->tid, (gint) gettid ());
  sleeper->code = ba_pool_acquire (sleeper->core, BA_WAIT_FOREVER, &sleeper->cancel, &buffer);
  ba_buffer_unref (buffer);
  return NULL;
}

/* Whether the system says that the thread sleeps. */
static gboolean
is_asleep (Sleeper * sleeper)
{
  gint tid = g_atomic_int_get (&sleeper->tid);
  gchar *path, *text = NULL, *state;
  gboolean asleep = FALSE;

  if (tid == 0)
    return FALSE;
  path = g_strdup_printf ("/proc/self/task/%d/stat", tid);
  if (g_file_get_contents (path, &text, NULL, NULL)) {
    state = strrchr (text, ')');
    asleep = state && g_str_has_prefix (state, ") S");
  }
  g_free (text);
  g_free (path);
  return asleep;
}

/* All of them were seen asleep many times in a row: the only place for that is the wait. */
static void
wait_until_asleep (Sleeper * sleepers, guint n)
{
  for (guint seen = 0; seen < 50;) {
    gboolean all = TRUE;

    for (guint i = 0; i < n; i++)
      all = all && is_asleep (&sleepers[i]);
    seen = all ? seen + 1 : 0;
    g_thread_yield ();
  }
}

START_TEST (a_flush_wakes_all_who_wait_and_not_only_one)
{
  Screen screen = screen_open (DEVICE);

  /* a view with a limit below the pages waits in a place of its own */
  for (guint i = 0; i < 3; i++) {
    GstBufferPool *pool = i == 0 ? view_of (&screen, BGRX_CAPS (64, 32), 1)
        : i == 1 ? view_of (&screen, BGRX_CAPS (64, 32), 3) : normal_pool (1, 1);
    guint n_out = i == 1 ? 3 : 1;
    GstBuffer *buffers[3];
    Sleeper sleepers[N_SLEEPERS] = { {NULL} };

    gst_ba_fbdev_allocator_set_showing (screen.allocator, TRUE);        /* no memory in place of pages, please */
    for (guint b = 0; b < n_out; b++)
      buffers[b] = acquire (pool);
    for (guint s = 0; s < N_SLEEPERS; s++) {
      sleepers[s].pool = pool;
      sleepers[s].thread = g_thread_new ("sleeper", sleep_in_pool, &sleepers[s]);
    }
    wait_until_asleep (sleepers, N_SLEEPERS);
    gst_buffer_pool_set_flushing (pool, TRUE);
    for (guint s = 0; s < N_SLEEPERS; s++) {
      ck_assert_ptr_null (g_thread_join (sleepers[s].thread));
      ck_assert_int_eq (sleepers[s].flow, GST_FLOW_FLUSHING);
    }
    gst_buffer_pool_set_flushing (pool, FALSE);
    for (guint b = 0; b < n_out; b++)
      gst_buffer_unref (buffers[b]);
    gst_buffer_unref (acquire (pool));
    gst_buffer_pool_set_active (pool, FALSE);
    gst_object_unref (pool);
    gst_ba_fbdev_allocator_set_showing (screen.allocator, FALSE);
  }
  screen_close (&screen);
}
END_TEST

/* Views of one screen wait in one place, each with a flag of its own. */
START_TEST (a_wake_reaches_the_one_it_is_for_past_those_who_wait_on)
{
  Screen screen = screen_open ("virtual:64x32,pages=1,rate=0");
  BaPool *core = screen_pages (&screen);

  for (guint whom = 0; whom < N_SLEEPERS; whom++) {
    Sleeper sleepers[N_SLEEPERS] = { {NULL} };
    BaBuffer *page;

    ck_assert_int_eq (ba_pool_acquire (core, BA_NO_WAIT, NULL, &page), 0);
    for (guint s = 0; s < N_SLEEPERS; s++) {
      sleepers[s].core = core;
      sleepers[s].thread = g_thread_new ("sleeper", sleep_in_core, &sleepers[s]);
      wait_until_asleep (sleepers, s + 1);      /* in this order */
    }
    atomic_store (&sleepers[whom].cancel, 1);
    ba_pool_wake (core);
    g_thread_join (sleepers[whom].thread);
    ck_assert_int_eq (sleepers[whom].code, -ECANCELED);
    ck_assert_int_eq (ba_pool_release (core, page), 0); /* the others have it one after the other */
    for (guint s = 0; s < N_SLEEPERS; s++) {
      if (s != whom) {
        g_thread_join (sleepers[s].thread);
        ck_assert_int_eq (sleepers[s].code, 0);
      }
    }
  }
  screen_close (&screen);
}
END_TEST

RUN ("pitfalls-pools", a_pool_whose_prefix_or_padding_cannot_be_does_not_start,
    a_stride_is_compared_with_the_usual_one_and_not_with_the_rows_bytes, the_meta_of_a_pool_stays_on_its_buffers,
    a_view_with_a_buffer_out_keeps_its_geometry_and_another_view_takes_the_new_one,
    a_pool_that_is_dropped_while_active_ends_once, a_view_that_stops_takes_nothing_from_the_others,
    a_view_outlives_who_made_it, waiting_for_memory_that_a_copy_holds_costs_no_cpu_time,
    a_flush_wakes_all_who_wait_and_not_only_one, a_wake_reaches_the_one_it_is_for_past_those_who_wait_on)
