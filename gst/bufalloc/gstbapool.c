/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbapool.c: acquire and release over a core pool.
 *
 * The slot of a core buffer (by its index) is touched only by whoever holds that core buffer: at release before it is
 * given back, at acquire after it was obtained. So slots need no lock.
 */
#include "gstbapool-private.h"

#include <errno.h>

#include "gstbamemory-private.h"
#include "gstbautils.h"

/* An acquire flag of our own: the parameters' start is a timeout. */
#define ACQUIRE_FLAG_TIMED (GST_BUFFER_POOL_ACQUIRE_FLAG_LAST << 0)

typedef struct
{
  BaCancel cancel;              /* set while flushing */
  BaPool *core;                 /* a reference; waiters of @cancel are in it */
  GstBuffer **parked;
  guint n_slots;
} GstBaPoolPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (GstBaPool, gst_ba_pool, GST_TYPE_BUFFER_POOL)

static GstBaPoolPrivate *
get_priv (gpointer self)
{
  return gst_ba_pool_get_instance_private (self);
}

void
gst_ba_pool_set_slots (GstBaPool * self, guint n_slots)
{
  GstBaPoolPrivate *priv = get_priv (self);

  gst_ba_pool_drop_parked (self);
  g_free (priv->parked);
  priv->parked = g_new0 (GstBuffer *, n_slots);
  priv->n_slots = n_slots;
}

void
gst_ba_pool_drop_parked (GstBaPool * self)
{
  GstBaPoolPrivate *priv = get_priv (self);

  for (guint i = 0; i < priv->n_slots; i++)
    gst_clear_buffer (&priv->parked[i]);
}

void
gst_ba_pool_set_core (GstBaPool * self, BaPool * core)
{
  GstBaPoolPrivate *priv = get_priv (self);
  BaPool *old = priv->core;

  priv->core = core ? ba_pool_ref (core) : NULL;
  ba_pool_unref (old);
}

static GstBuffer *
take_parked (GstBaPoolPrivate * priv, BaBuffer * buffer)
{
  guint slot = ba_buffer_get_index (buffer);
  GstBuffer *shell;

  if (slot >= priv->n_slots || !(shell = priv->parked[slot]))
    return NULL;
  priv->parked[slot] = NULL;
  if (gst_ba_memory_get_buffer (gst_buffer_peek_memory (shell, 0)) != buffer) {
    gst_buffer_unref (shell);   /* the index belongs to another core buffer by now */
    return NULL;
  }
  return shell;
}

static GstFlowReturn
gst_ba_pool_acquire (GstBufferPool * pool, GstBuffer ** out, GstBufferPoolAcquireParams * params)
{
  GstBaPool *self = GST_BA_POOL (pool);
  GstBaPoolClass *klass = GST_BA_POOL_GET_CLASS (self);
  GstBaPoolPrivate *priv = get_priv (self);
  gint64 timeout_ns = BA_WAIT_FOREVER;
  BaBuffer *buffer;
  GstBuffer *shell;
  int r;

  *out = NULL;
  if (GST_BUFFER_POOL_IS_FLUSHING (pool))
    return GST_FLOW_FLUSHING;
  if (params && (params->flags & GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT))
    timeout_ns = BA_NO_WAIT;
  else if (params && (params->flags & ACQUIRE_FLAG_TIMED))
    timeout_ns = params->start;

  r = klass->obtain (self, timeout_ns, &priv->cancel, &buffer);
  if (r < 0) {
    GST_LOG_OBJECT (self, "no buffer: %s", ba_error_text (r));
    return gst_ba_flow_from_error (r);
  }
  shell = take_parked (priv, buffer);
  if (shell) {
    gst_ba_memory_revive (gst_buffer_peek_memory (shell, 0), buffer);
    if (klass->revive)
      klass->revive (self, buffer, shell);
  } else {
    shell = klass->wrap (self, buffer);
    if (!shell)
      return GST_FLOW_ERROR;
  }
  *out = shell;
  return GST_FLOW_OK;
}

/* Whether a returned buffer is as it went out, and nobody else refers to its memory. */
static gboolean
can_park (GstBaPoolPrivate * priv, GstBuffer * shell)
{
  GstMemory *memory;

  if (GST_BUFFER_FLAG_IS_SET (shell, GST_BUFFER_FLAG_TAG_MEMORY) || gst_buffer_n_memory (shell) != 1)
    return FALSE;
  memory = gst_buffer_peek_memory (shell, 0);
  return gst_is_ba_memory (memory) && memory->parent == NULL && GST_MINI_OBJECT_REFCOUNT_VALUE (memory) == 1
      && ba_buffer_get_index (((GstBaMemory *) memory)->buffer) < priv->n_slots;
}

static void
gst_ba_pool_release (GstBufferPool * pool, GstBuffer * shell)
{
  GstBaPoolPrivate *priv = get_priv (pool);

  if (can_park (priv, shell)) {
    GstMemory *memory = gst_buffer_peek_memory (shell, 0);

    priv->parked[ba_buffer_get_index (((GstBaMemory *) memory)->buffer)] = shell;
    gst_ba_memory_park (memory);        /* last: from here on another thread may take both */
  } else {
    GST_LOG_OBJECT (pool, "memory of %p is shared or was replaced, the buffer is not kept", shell);
    gst_buffer_unref (shell);
  }
}

static gboolean
gst_ba_pool_start (GstBufferPool * pool)
{
  return TRUE;                  /* nothing is claimed before somebody acquires */
}

static gboolean
gst_ba_pool_stop (GstBufferPool * pool)
{
  gst_ba_pool_drop_parked (GST_BA_POOL (pool));
  return GST_BUFFER_POOL_CLASS (gst_ba_pool_parent_class)->stop (pool);
}

static void
gst_ba_pool_flush_start (GstBufferPool * pool)
{
  GstBaPoolPrivate *priv = get_priv (pool);

  atomic_store (&priv->cancel, 1);
  if (priv->core)
    ba_pool_wake (priv->core);
}

static void
gst_ba_pool_flush_stop (GstBufferPool * pool)
{
  atomic_store (&get_priv (pool)->cancel, 0);
}

static void
gst_ba_pool_finalize (GObject * object)
{
  GstBaPoolPrivate *priv = get_priv (object);

  /* dispose has deactivated it already, so nothing waits in the core pool any more */
  gst_ba_pool_drop_parked (GST_BA_POOL (object));
  g_free (priv->parked);
  ba_pool_unref (priv->core);
  G_OBJECT_CLASS (gst_ba_pool_parent_class)->finalize (object);
}

static void
gst_ba_pool_class_init (GstBaPoolClass * klass)
{
  GstBufferPoolClass *pool_class = GST_BUFFER_POOL_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = gst_ba_pool_finalize;
  pool_class->acquire_buffer = gst_ba_pool_acquire;
  pool_class->release_buffer = gst_ba_pool_release;
  pool_class->start = gst_ba_pool_start;
  pool_class->stop = gst_ba_pool_stop;
  pool_class->flush_start = gst_ba_pool_flush_start;
  pool_class->flush_stop = gst_ba_pool_flush_stop;
}

static void
gst_ba_pool_init (GstBaPool * self)
{
  atomic_init (&get_priv (self)->cancel, 1);    /* inactive pools flush */
}

GstFlowReturn
gst_ba_pool_acquire_timed (GstBaPool * self, GstClockTime timeout, GstBuffer ** buffer)
{
  GstBufferPoolAcquireParams params = {.format = GST_FORMAT_TIME };

  if (timeout == 0) {
    params.flags = GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT;
  } else if (GST_CLOCK_TIME_IS_VALID (timeout)) {
    params.flags = (GstBufferPoolAcquireFlags) ACQUIRE_FLAG_TIMED;
    params.start = (gint64) MIN (timeout, G_MAXINT64);
  }
  return gst_buffer_pool_acquire_buffer (GST_BUFFER_POOL (self), buffer, &params);
}
