/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/video/gstvideosink.h>

G_BEGIN_DECLS

#define GST_TYPE_FBDEV_ZERO_SINK (gst_fbdev_zero_sink_get_type ())
G_DECLARE_FINAL_TYPE (GstFbdevZeroSink, gst_fbdev_zero_sink, GST, FBDEV_ZERO_SINK, GstVideoSink)

GST_ELEMENT_REGISTER_DECLARE (fbdevzerosink)

G_END_DECLS
