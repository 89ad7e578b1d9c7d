/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbaconvert-threads.c: one job at a time, cut into slices that a few threads and the caller take one by one.
 *
 * A thread takes the next slice when it has done its last one, so a processor that is busy elsewhere gets fewer. The
 * caller waits only for threads that have begun: one that wakes after all is done finds the job closed and sleeps on.
 * The lock guards the fields of the job and is not held while a slice is done; what the caller wrote before a job is
 * seen by the threads, and what they wrote is seen by the caller, because both pass through it.
 */

#include "gstbaconvert-private.h"

typedef struct
{
  GstBaThreads *threads;
  GThread *thread;
  guint number;
} Worker;

struct _GstBaThreads
{
  GstBaSliceFunc func;
  gpointer user_data;
  Worker *workers;
  guint n_workers; /* without the caller */

  GMutex lock;
  GCond work, done;
  guint jobs; /* begun so far; wraps around */
  gboolean open; /* whether the job may be joined */
  gboolean quit;
  guint n_active; /* threads that have joined it */

  gint next_slice; /* atomic */
  gint n_slices; /* changes only while nobody has joined */
};

static void
take_slices (GstBaThreads *self, guint worker)
{
  gint slice;

  while ((slice = g_atomic_int_add (&self->next_slice, 1)) < self->n_slices)
    self->func (self->user_data, worker, (guint) slice);
}

static gpointer
run_worker (gpointer data)
{
  Worker *worker = data;
  GstBaThreads *self = worker->threads;
  guint seen = 0;

  g_mutex_lock (&self->lock);
  for (;;) {
    while (!self->quit && self->jobs == seen)
      g_cond_wait (&self->work, &self->lock);
    if (self->quit)
      break;
    seen = self->jobs;
    if (!self->open)
      continue;
    self->n_active++;
    g_mutex_unlock (&self->lock);

    take_slices (self, worker->number);

    g_mutex_lock (&self->lock);
    if (--self->n_active == 0)
      g_cond_signal (&self->done);
  }
  g_mutex_unlock (&self->lock);
  return NULL;
}

GstBaThreads *
gst_ba_threads_new (guint n_workers, GstBaSliceFunc func, gpointer user_data)
{
  GstBaThreads *self = g_try_new0 (GstBaThreads, 1);
  guint i;

  if (self == NULL)
    return NULL;

  self->func = func;
  self->user_data = user_data;
  g_mutex_init (&self->lock);
  g_cond_init (&self->work);
  g_cond_init (&self->done);
  self->workers = g_try_new0 (Worker, MAX (n_workers, 1));
  for (i = 1; self->workers != NULL && i < n_workers; i++) {
    Worker *worker = &self->workers[self->n_workers];

    worker->threads = self;
    worker->number = i;
    worker->thread = g_thread_try_new ("bufalloc-convert", run_worker, worker, NULL);
    if (worker->thread == NULL)
      break;
    self->n_workers++;
  }
  if (self->n_workers > 0)
    return self;
  gst_ba_threads_free (self);
  return NULL;
}

void
gst_ba_threads_run (GstBaThreads *self, guint n_slices)
{
  g_mutex_lock (&self->lock);
  g_atomic_int_set (&self->next_slice, 0);
  self->n_slices = (gint) n_slices;
  self->open = TRUE;
  self->jobs++;
  g_cond_broadcast (&self->work);
  g_mutex_unlock (&self->lock);

  take_slices (self, 0);

  g_mutex_lock (&self->lock);
  self->open = FALSE;
  while (self->n_active > 0)
    g_cond_wait (&self->done, &self->lock);
  g_mutex_unlock (&self->lock);
}

void
gst_ba_threads_free (GstBaThreads *self)
{
  guint i;

  if (self == NULL)
    return;

  g_mutex_lock (&self->lock);
  self->quit = TRUE;
  g_cond_broadcast (&self->work);
  g_mutex_unlock (&self->lock);
  for (i = 0; i < self->n_workers; i++)
    g_thread_join (self->workers[i].thread);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->work);
  g_cond_clear (&self->done);
  g_free (self->workers);
  g_free (self);
}
