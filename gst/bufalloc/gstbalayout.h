/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/bufalloc/gstbufalloc-prelude.h>

G_BEGIN_DECLS

/**
 * gst_ba_fourcc_to_format:
 * @fourcc: a DRM fourcc (drm_fourcc.h)
 *
 * Returns: GStreamer's name for the same bytes, %GST_VIDEO_FORMAT_UNKNOWN where it has none
 */
GST_BA_API
GstVideoFormat gst_ba_fourcc_to_format (guint32 fourcc);

/**
 * gst_ba_fourcc_from_format:
 * @format: a video format
 *
 * Returns: the DRM fourcc of the same bytes, 0 where there is none
 */
GST_BA_API
guint32 gst_ba_fourcc_from_format (GstVideoFormat format);

/**
 * gst_ba_layout_from_info: (skip)
 * @info: a video info
 * @layout: (out caller-allocates): its strides and offsets
 */
GST_BA_API
void gst_ba_layout_from_info (const GstVideoInfo * info, BaLayout * layout);

G_END_DECLS
