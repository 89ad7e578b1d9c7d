/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstbastats.h: how both elements say at the end what they did. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/*
 * Logs `frame-stats <element name>: <structure>` at INFO level in the category `bufalloc-stats`. Called when an
 * element stops, so that GST_DEBUG=bufalloc-stats:4 shows what a pipeline did without any code.
 */
void gst_ba_stats_log (GstElement * element, const GstStructure * stats);

G_END_DECLS
