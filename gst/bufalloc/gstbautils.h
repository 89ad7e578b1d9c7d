/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/bufalloc/gstbufalloc-prelude.h>

G_BEGIN_DECLS

/**
 * gst_ba_init:
 *
 * Sends what the core library logs to the GStreamer category `bufalloc`, and registers the allocators
 * `bufalloc-normal`, `bufalloc-avframe` and `bufalloc-fbdev` for gst_allocator_find(). The plugin calls it; an
 * application that uses the library without the plugin may. Call it after gst_init(), as often as you like.
 * Threads: any.
 */
GST_BA_API
void gst_ba_init (void);

/**
 * gst_ba_flow_from_error:
 * @code: 0 or a negative code of bufalloc's error.h
 *
 * What a code of the core means to a streaming thread: 0 %GST_FLOW_OK, -EAGAIN and -ETIMEDOUT %GST_FLOW_EOS (as a pool
 * says when it is empty and was not to wait), -ECANCELED and -ESHUTDOWN %GST_FLOW_FLUSHING, else %GST_FLOW_ERROR.
 *
 * Returns: the flow
 */
GST_BA_API
GstFlowReturn gst_ba_flow_from_error (gint code);

G_END_DECLS
