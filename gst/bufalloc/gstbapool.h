/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbapool.h: the base of our buffer pools: a GstBufferPool whose free buffers are in a core pool.
 *
 * It waits where the core pool waits (one lock, one condition, with a cancel flag of its own), never in the queue of
 * GstBufferPool, and so neither spins nor is woken by a neighbour's flush. A GstBuffer that comes back whole is parked
 * with its memory attached and goes out again with the same core buffer; one whose memory is shared or was replaced is
 * freed, and the core buffer is free when the last GstMemory is.
 *
 * What the numbers of the core pool (ba_pool_get_stats(), ba_pool_check_health(), probes) mean: those of the pages of
 * GstBaFbdevPool and those of GstBaAvframePool are exact. GstBaNormalPool keeps the buffer that came back last at hand,
 * while nobody waits for one, to give it out again without a visit to its core pool. There it is held meanwhile, by
 * "GstBaPool, out or at hand" (ba_buffer_get_holder()): so n_held may be one too many, n_free one too few, and acquires
 * counts visits only.
 */
#pragma once

#include <gst/bufalloc/gstbufalloc-prelude.h>

G_BEGIN_DECLS

#define GST_TYPE_BA_POOL (gst_ba_pool_get_type ())
GST_BA_API
G_DECLARE_DERIVABLE_TYPE (GstBaPool, gst_ba_pool, GST, BA_POOL, GstBufferPool)

/**
 * GstBaPoolClass:
 * @parent_class: the parent
 * @obtain: takes a core buffer: waits up to @timeout_ns as ba_pool_acquire() does, grows the pool where it may
 * @wrap: (transfer full): makes a GstBuffer of a core buffer, which it takes over even where it fails
 * @revive: (nullable): a parked GstBuffer goes out again with the core buffer it had, whose index is @index
 */
struct _GstBaPoolClass
{
  GstBufferPoolClass parent_class;

  gint (*obtain) (GstBaPool * pool, gint64 timeout_ns, const BaCancel * cancel, BaBuffer ** buffer);
  GstBuffer *(*wrap) (GstBaPool * pool, BaBuffer * buffer);
  void (*revive) (GstBaPool * pool, BaBuffer * buffer, guint index);

  /*< private >*/
  gpointer _gst_reserved[GST_PADDING];
};

/**
 * gst_ba_pool_acquire_timed:
 * @pool: an active pool
 * @timeout: longest wait in nanoseconds; 0 = none, %GST_CLOCK_TIME_NONE = no limit
 * @buffer: (out) (transfer full): the buffer, %NULL on failure
 *
 * As gst_buffer_pool_acquire_buffer(), with a limit.
 *
 * Returns: %GST_FLOW_OK; %GST_FLOW_EOS where there was none in time; %GST_FLOW_FLUSHING; %GST_FLOW_ERROR
 */
GST_BA_API
GstFlowReturn gst_ba_pool_acquire_timed (GstBaPool * pool, GstClockTime timeout, GstBuffer ** buffer);

G_END_DECLS
