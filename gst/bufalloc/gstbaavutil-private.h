/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstbaavutil-private.h: the calls of libavutil, loaded when the first frame of FFmpeg is seen. */
#pragma once

#include <glib.h>
#include <libavutil/frame.h>
#include <libavutil/imgutils.h>

G_BEGIN_DECLS

typedef struct
{
  __typeof__ (&av_buffer_create) buffer_create;
  __typeof__ (&av_buffer_is_writable) buffer_is_writable;
  __typeof__ (&av_frame_alloc) frame_alloc;
  __typeof__ (&av_frame_clone) frame_clone;
  __typeof__ (&av_frame_free) frame_free;
  __typeof__ (&av_image_fill_plane_sizes) image_fill_plane_sizes;
  __typeof__ (&av_image_get_linesize) image_get_linesize;
} GstBaAvutil;

/* Threads: any. Returns: (nullable): NULL where the library cannot be loaded; never so once it was */
const GstBaAvutil *gst_ba_avutil_get (void);

G_END_DECLS
