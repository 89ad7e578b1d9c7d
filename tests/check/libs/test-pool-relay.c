/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-pool-relay.c: that GstBaNormalPool never leaves the buffer that came back last at hand while somebody waits for
 * one. Many laps in which a thread that gives a buffer back meets one that wants it.
 */
#include "test-lib-support.h"

#include <stdatomic.h>

#define SIZE 4096

static GstBufferPool *
active_pool (guint min, guint max)
{
  GstBufferPool *pool = gst_ba_normal_pool_new ();

  ck_assert (gst_buffer_pool_set_config (pool, config_for (pool, "video/x-raw", SIZE, min, max, FALSE)));
  ck_assert (gst_buffer_pool_set_active (pool, TRUE));
  return pool;
}

static void
pool_end (GstBufferPool * pool)
{
  ck_assert (gst_buffer_pool_set_active (pool, FALSE));
  gst_object_unref (pool);
}

/* One lap: @n buffers, as many threads that have them and as many that want them. */
typedef struct
{
  GstBufferPool *pool;
  gint n;
  atomic_int got;               /* buffers that were acquired since the beginning */
} Relay;

typedef struct
{
  GThread *thread;
  Relay *relay;
  gint number;
} Runner;

#define LAPS 30000

static void
pause_a_little (gint turns)
{
  for (volatile gint i = 0; i < turns; i++);
}

static gpointer
run_relay (gpointer data)
{
  Runner *runner = data;
  Relay *relay = runner->relay;
  GstBuffer *buffer = NULL;

  for (gint lap = 0; lap < LAPS; lap++) {
    gboolean gives = (lap + runner->number) % 2;

    for (guint turn = 0; atomic_load (&relay->got) < lap * relay->n; turn++) {
      if (turn > 2000)
        g_thread_yield ();
    }
    /* each meets the other at another place each time */
    pause_a_little (gives ? lap % 41 : lap % 37);
    if (!gives) {
      buffer = acquire (relay->pool);
      atomic_fetch_add (&relay->got, 1);
    } else if (lap > 0) {
      gst_clear_buffer (&buffer);
    }
  }
  gst_clear_buffer (&buffer);
  return NULL;
}

/*
 * In each lap every buffer that comes back is wanted by a thread, and nobody else does anything until they have met: so
 * a buffer that rests at hand while somebody waits in the core pool rests there for ever, and the test's time runs out.
 */
static void
relay_with (gint n)
{
  Relay relay = {.pool = active_pool (0, n),.n = n };
  Runner runners[4];

  for (gint i = 0; i < 2 * n; i++) {
    runners[i] = (Runner) {
    .relay = &relay,.number = i};
    runners[i].thread = g_thread_new ("runner", run_relay, &runners[i]);
  }
  for (gint i = 0; i < 2 * n; i++)
    g_thread_join (runners[i].thread);
  ck_assert_int_eq (relay.got, LAPS * n);
  pool_end (relay.pool);
}

START_TEST (one_buffer_is_handed_on_and_never_lost)
{
  relay_with (1);
}
END_TEST

START_TEST (two_buffers_are_handed_on_and_never_lost)
{
  relay_with (2);
}
END_TEST

RUN ("pool-relay", one_buffer_is_handed_on_and_never_lost, two_buffers_are_handed_on_and_never_lost)
