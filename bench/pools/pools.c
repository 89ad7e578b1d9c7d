/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pools.c: what "acquire a GstBuffer, drop it" costs, with our pools and with GStreamer's own.
 *
 *   pools pairs TURN               CPU nanoseconds of a pair, one thread, 8 buffers; the pools take turns, and odd
 *                                  turns go the other way round
 *   pools threads POOL N ROUNDS    N threads over 16 buffers; ends when each has had ROUNDS of them, which is for the
 *                                  caller to limit: GstBufferPool of GStreamer 1.22 may never end
 *
 * Prints "key value" lines for bench/pools/run. A thread that only sleeps is there from the beginning, so that libc
 * takes none of its short cuts for processes without threads.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gst/bufalloc/gstbufalloc.h>

#define WIDTH_PX 64
#define HEIGHT_PX 64
#define BUFFER_BYTES (WIDTH_PX * HEIGHT_PX * 4)
#define PAIR_BUFFERS 8
#define THREAD_BUFFERS 16
#define PAIRS_AT_ONCE 20000
#define REPETITIONS 15
#define MAX_THREADS 64

#define CHECK(condition)                                                                                               \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      g_printerr ("pools: line %d: %s is not so\n", __LINE__, #condition);                                             \
      exit (1);                                                                                                        \
    }                                                                                                                  \
  } while (0)

typedef struct
{
  BaDisplay *display;
  GstAllocator *allocator;
} Pages;

/* The least that a subclass can do: what is left is GstBufferPool's own part, which every pool pays. */
typedef struct
{
  GstBufferPool parent;
  GstBuffer *buffers[PAIR_BUFFERS];
  guint n_buffers;
} FloorPool;

typedef struct
{
  GstBufferPoolClass parent_class;
} FloorPoolClass;

static GType floor_pool_get_type (void);
G_DEFINE_TYPE (FloorPool, floor_pool, GST_TYPE_BUFFER_POOL)

static GstFlowReturn
floor_acquire (GstBufferPool *pool, GstBuffer **buffer, GstBufferPoolAcquireParams *params)
{
  FloorPool *self = (FloorPool *) pool;

  *buffer = self->n_buffers ? self->buffers[--self->n_buffers] : gst_buffer_new_allocate (NULL, BUFFER_BYTES, NULL);
  return GST_FLOW_OK;
}

static void
floor_reset (GstBufferPool *pool, GstBuffer *buffer)
{
}

static void
floor_release (GstBufferPool *pool, GstBuffer *buffer)
{
  FloorPool *self = (FloorPool *) pool;

  if (self->n_buffers < PAIR_BUFFERS)
    self->buffers[self->n_buffers++] = buffer;
  else
    gst_buffer_unref (buffer);
}

static gboolean
floor_start (GstBufferPool *pool)
{
  return TRUE;
}

static gboolean
floor_stop (GstBufferPool *pool)
{
  FloorPool *self = (FloorPool *) pool;

  while (self->n_buffers)
    gst_buffer_unref (self->buffers[--self->n_buffers]);
  return TRUE;
}

static void
floor_pool_class_init (FloorPoolClass *klass)
{
  klass->parent_class.acquire_buffer = floor_acquire;
  klass->parent_class.reset_buffer = floor_reset;
  klass->parent_class.release_buffer = floor_release;
  klass->parent_class.start = floor_start;
  klass->parent_class.stop = floor_stop;
}

static void
floor_pool_init (FloorPool *self)
{
}

static void
pages_open (Pages *pages)
{
  gchar *device = g_strdup_printf ("virtual:%dx%d,pages=%d,rate=0", WIDTH_PX, HEIGHT_PX, PAIR_BUFFERS);
  BaError error = { 0 };

  CHECK (ba_display_open (device, NULL, &error, &pages->display) == 0);
  pages->allocator = gst_ba_fbdev_allocator_new (pages->display, &error);
  CHECK (pages->allocator);
  g_free (device);
}

static void
pages_close (Pages *pages)
{
  ba_display_close (pages->display);
  gst_object_unref (pages->allocator);
  ba_display_unref (pages->display);
}

/* An active pool of @n buffers: "normal", "fbdev", "stock" or "floor"; with "-video" behind it its buffers have a
 * GstVideoMeta ("stock" is GstVideoBufferPool then). */
static GstBufferPool *
pool_new (const gchar *kind, Pages *pages, guint n)
{
  gboolean has_meta = g_str_has_suffix (kind, "-video");
  GstCaps *caps = gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING, "BGRx", "width", G_TYPE_INT, WIDTH_PX,
                                       "height", G_TYPE_INT, HEIGHT_PX, "framerate", GST_TYPE_FRACTION, 30, 1, NULL);
  GstStructure *config;
  GstBufferPool *pool;

  if (g_str_has_prefix (kind, "normal"))
    pool = gst_ba_normal_pool_new ();
  else if (g_str_has_prefix (kind, "fbdev"))
    pool = gst_ba_fbdev_pool_new (GST_BA_FBDEV_ALLOCATOR (pages->allocator));
  else if (strcmp (kind, "stock") == 0)
    pool = gst_buffer_pool_new ();
  else if (strcmp (kind, "stock-video") == 0)
    pool = gst_video_buffer_pool_new ();
  else
    pool = g_object_ref_sink (g_object_new (floor_pool_get_type (), NULL));

  config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_set_params (config, caps, BUFFER_BYTES, n, n);
  if (has_meta)
    gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  if (!gst_buffer_pool_set_config (pool, config))
    CHECK (gst_buffer_pool_set_config (pool, gst_buffer_pool_get_config (pool)));
  CHECK (gst_buffer_pool_set_active (pool, TRUE));
  gst_caps_unref (caps);
  return pool;
}

static void
pool_free (GstBufferPool *pool)
{
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
}

static gint64
clock_ns (clockid_t id)
{
  struct timespec t;

  clock_gettime (id, &t);
  return (gint64) t.tv_sec * 1000000000 + t.tv_nsec;
}

static void
run_pairs (GstBufferPool *pool, guint n)
{
  GstBuffer *buffer;

  for (guint i = 0; i < n; i++) {
    CHECK (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL) == GST_FLOW_OK);
    gst_buffer_unref (buffer);
  }
}

static void
measure_pairs (guint turn)
{
  static const gchar *kinds[] = { "stock", "normal", "fbdev", "floor", "stock-video", "normal-video", "fbdev-video" };
  GstBufferPool *pools[G_N_ELEMENTS (kinds)];
  Pages pages;

  pages_open (&pages);
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    pools[i] = pool_new (kinds[i], &pages, PAIR_BUFFERS);
    run_pairs (pools[i], PAIRS_AT_ONCE);
  }
  for (guint repetition = 0; repetition < REPETITIONS; repetition++) {
    for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
      guint which = turn % 2 ? G_N_ELEMENTS (kinds) - 1 - i : i;
      gint64 begin_ns = clock_ns (CLOCK_THREAD_CPUTIME_ID);

      run_pairs (pools[which], PAIRS_AT_ONCE);
      g_print ("pair.%s %.2f\n", kinds[which],
               (clock_ns (CLOCK_THREAD_CPUTIME_ID) - begin_ns) / (gdouble) PAIRS_AT_ONCE);
    }
  }
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    pool_free (pools[i]);
  pages_close (&pages);
}

typedef struct
{
  GstBufferPool *pool;
  guint rounds;
} Work;

static gpointer
worker_main (gpointer data)
{
  Work *work = data;

  run_pairs (work->pool, work->rounds);
  return NULL;
}

static void
measure_threads (const gchar *kind, guint n_threads, guint rounds)
{
  GThread *threads[MAX_THREADS];
  Pages pages;
  Work work = { NULL, rounds };
  gint64 begin_ns;

  CHECK (n_threads > 0 && n_threads <= MAX_THREADS);
  pages_open (&pages);
  work.pool = pool_new (kind, &pages, THREAD_BUFFERS);
  begin_ns = clock_ns (CLOCK_MONOTONIC);
  for (guint i = 0; i < n_threads; i++)
    threads[i] = g_thread_new ("worker", worker_main, &work);
  for (guint i = 0; i < n_threads; i++)
    g_thread_join (threads[i]);
  g_print ("threads %.2f\n", (clock_ns (CLOCK_MONOTONIC) - begin_ns) / ((gdouble) rounds * n_threads));
  pool_free (work.pool);
  pages_close (&pages);
}

static gpointer
sleeper_main (gpointer queue)
{
  g_async_queue_pop (queue);
  return NULL;
}

int
main (int argc, char **argv)
{
  GAsyncQueue *queue;
  GThread *sleeper;

  gst_init (NULL, NULL);
  queue = g_async_queue_new ();
  sleeper = g_thread_new ("sleeper", sleeper_main, queue);
  if (argc == 3 && strcmp (argv[1], "pairs") == 0) {
    measure_pairs (atoi (argv[2]));
  } else if (argc == 5 && strcmp (argv[1], "threads") == 0) {
    measure_threads (argv[2], atoi (argv[3]), atoi (argv[4]));
  } else {
    g_printerr ("usage: pools pairs TURN | pools threads POOL N ROUNDS\n");
    return 2;
  }
  g_async_queue_push (queue, queue);
  g_thread_join (sleeper);
  g_async_queue_unref (queue);
  return 0;
}
