/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbaavframe-pool.c: a pool that decoded frames are put into. Its buffers exist once: a frame that came back is not
 * given out again, so nothing is parked.
 */
#include <gst/bufalloc/gstbaavframe.h>

#include <bufalloc/avframe.h>

#include "gstbapool-private.h"

struct _GstBaAvframePool
{
  GstBaPool parent;
  BaAllocator *allocator; /* NULL where memory ran out */
  BaPool *core;
};

G_DEFINE_FINAL_TYPE (GstBaAvframePool, gst_ba_avframe_pool, GST_TYPE_BA_POOL)

static gint
gst_ba_avframe_pool_obtain (GstBaPool *pool, gint64 timeout_ns, const BaCancel *cancel, BaBuffer **buffer)
{
  return ba_pool_take (GST_BA_AVFRAME_POOL (pool)->core, timeout_ns, cancel, buffer);
}

/* The GstBuffer has references of its own to the frame's data, so that the core buffer can end here: were it held as
 * well, nobody could write the frame in place. */
static GstBuffer *
gst_ba_avframe_pool_wrap (GstBaPool *pool, BaBuffer *core_buffer)
{
  GstBaAvframePool *self = GST_BA_AVFRAME_POOL (pool);
  BaError error = { 0 };
  GstBuffer *buffer = gst_ba_avframe_buffer_new (ba_avframe_from_buffer (core_buffer), &error);
  ba_pool_release (self->core, core_buffer);
  if (!buffer)
    GST_WARNING_OBJECT (self, "a frame is lost: %s", error.message);
  return buffer;
}

static gboolean
gst_ba_avframe_pool_start (GstBufferPool *pool)
{
  return GST_BA_AVFRAME_POOL (pool)->core && GST_BUFFER_POOL_CLASS (gst_ba_avframe_pool_parent_class)->start (pool);
}

/* Frames that nobody came for are given up. */
static gboolean
gst_ba_avframe_pool_stop (GstBufferPool *pool)
{
  GstBaAvframePool *self = GST_BA_AVFRAME_POOL (pool);
  BaBuffer *buffer;
  while (ba_pool_take (self->core, BA_NO_WAIT, NULL, &buffer) == 0)
    ba_pool_release (self->core, buffer);
  return GST_BUFFER_POOL_CLASS (gst_ba_avframe_pool_parent_class)->stop (pool);
}

static void
gst_ba_avframe_pool_finalize (GObject *object)
{
  GstBaAvframePool *self = GST_BA_AVFRAME_POOL (object);
  BaAllocator *allocator = self->allocator;
  BaPool *core = self->core;
  G_OBJECT_CLASS (gst_ba_avframe_pool_parent_class)->finalize (object);
  ba_pool_unref (core);
  ba_allocator_unref (allocator);
}

static void
gst_ba_avframe_pool_class_init (GstBaAvframePoolClass *klass)
{
  GstBufferPoolClass *pool_class = GST_BUFFER_POOL_CLASS (klass);
  GstBaPoolClass *ba_class = GST_BA_POOL_CLASS (klass);
  G_OBJECT_CLASS (klass)->finalize = gst_ba_avframe_pool_finalize;
  pool_class->start = gst_ba_avframe_pool_start;
  pool_class->stop = gst_ba_avframe_pool_stop;
  ba_class->obtain = gst_ba_avframe_pool_obtain;
  ba_class->wrap = gst_ba_avframe_pool_wrap;
}

static void
gst_ba_avframe_pool_init (GstBaAvframePool *self)
{
  BaSpec spec = { .category = "GstBaAvframePool" };
  if (ba_allocator_new (BA_TYPE_AVFRAME, &self->allocator) < 0
      || ba_allocator_build_pool (self->allocator, &spec, &self->core) < 0)
    return;
  gst_ba_pool_set_core (GST_BA_POOL (self), self->core);
}

GstBufferPool *
gst_ba_avframe_pool_new (void)
{
  return gst_object_ref_sink (g_object_new (GST_TYPE_BA_AVFRAME_POOL, NULL));
}

gboolean
gst_ba_avframe_pool_inject (GstBaAvframePool *self, const struct AVFrame *frame, BaError *error)
{
  g_return_val_if_fail (self->core != NULL, FALSE);
  if (!gst_ba_avframe_can_wrap (frame, error))
    return FALSE;
  return ba_avframe_inject (self->allocator, self->core, frame, BA_INJECT_FILLED | BA_INJECT_ONCE, error, NULL) == 0;
}
