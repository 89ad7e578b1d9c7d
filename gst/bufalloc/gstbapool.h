/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbapool.h: the base of our buffer pools: a GstBufferPool whose free buffers are in a core pool.
 *
 * It waits where the core pool waits (one lock, one condition, with a cancel flag of its own), never in the queue of
 * GstBufferPool, and so neither spins nor is woken by a neighbour's flush. A GstBuffer that comes back whole is parked
 * with its memory attached and goes out again with the same core buffer; one whose memory is shared or was replaced is
 * freed, and the core buffer is free when the last GstMemory is.
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
 * @revive: (nullable): a parked GstBuffer goes out again with the core buffer it had
 */
struct _GstBaPoolClass
{
  GstBufferPoolClass parent_class;

  gint (*obtain) (GstBaPool * pool, gint64 timeout_ns, const BaCancel * cancel, BaBuffer ** buffer);
  GstBuffer *(*wrap) (GstBaPool * pool, BaBuffer * buffer);
  void (*revive) (GstBaPool * pool, BaBuffer * buffer, GstBuffer * shell);

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
