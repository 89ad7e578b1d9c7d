/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbaavframe.h: FFmpeg frames as GstBuffers, both ways, without copying. C only: AVFrame has no introspection.
 */
#pragma once

#include <gst/bufalloc/gstbapool.h>

G_BEGIN_DECLS

struct AVFrame;

/**
 * gst_ba_format_from_av: (skip)
 * @pix_fmt: an enum AVPixelFormat
 *
 * Returns: GStreamer's name for the same bytes, %GST_VIDEO_FORMAT_UNKNOWN where it has none
 */
GST_BA_API
GstVideoFormat gst_ba_format_from_av (gint pix_fmt);

/**
 * gst_ba_format_to_av: (skip)
 * @format: a video format
 *
 * Returns: an enum AVPixelFormat, AV_PIX_FMT_NONE (-1) where there is none
 */
GST_BA_API
gint gst_ba_format_to_av (GstVideoFormat format);

/**
 * gst_ba_avframe_can_wrap: (skip)
 * @frame: (transfer none): a video frame
 * @error: (nullable) (out caller-allocates): why not
 *
 * Returns: whether gst_ba_avframe_buffer_new() will take it: known format, no palette, no hardware frame, no rows that
 *   run upwards, planes in the order and offsets that GstVideoMeta can say
 */
GST_BA_API
gboolean gst_ba_avframe_can_wrap (const struct AVFrame * frame, BaError * error);

/**
 * gst_ba_avframe_buffer_new: (skip)
 * @frame: (transfer none): a video frame; the buffer takes a reference of its own to its data
 * @error: (nullable) (out caller-allocates): why it failed
 *
 * Wraps a decoded frame: one GstMemory for each AVBuffer, and a GstVideoMeta with its planes. A write map is granted
 * only while av_buffer_is_writable() says so, that is when the decoder has let go of it; else GStreamer copies for the
 * writer. Threads: any.
 *
 * What the buffer says of the picture: GstVideoMeta has format, size, and where each plane begins and how far its rows
 * are apart. Crop fields of the frame that are not 0 become a GstVideoCropMeta (avcodec applies them itself, and leaves
 * 0, unless apply_cropping was turned off). An interlaced frame gives the flags INTERLACED, TFF and RFF. What the
 * frame has besides is for caps: see gst_ba_avframe_get_video_info(). Timestamps, duration, CORRUPTED and DELTA_UNIT
 * are left to the caller, and side data (captions, mastering display, …) is not translated: read it from
 * gst_ba_avframe_buffer_get_frame().
 *
 * Returns: (transfer full) (nullable): a buffer, %NULL on failure
 */
GST_BA_API
GstBuffer *gst_ba_avframe_buffer_new (const struct AVFrame * frame, BaError * error);

/**
 * gst_ba_avframe_get_video_info: (skip)
 * @frame: (transfer none): a video frame
 * @info: (out caller-allocates): what gst_video_info_to_caps() needs
 *
 * Fills format, size (of what is visible: without what the crop fields cut off), colorimetry, chroma site, pixel
 * aspect ratio, interlace mode and field order. What the frame does not say is as gst_video_info_set_format() has it.
 * Planes and strides are those of that function too, not the frame's: they are in the buffer's GstVideoMeta. The frame
 * rate is 0/1, since no frame knows it. A stream that has progressive and interlaced frames is the caller's to
 * call mixed. Threads: any.
 *
 * Returns: %FALSE where GStreamer has no name for the format, or the size is none
 */
GST_BA_API
gboolean gst_ba_avframe_get_video_info (const struct AVFrame * frame, GstVideoInfo * info);

/**
 * gst_ba_avframe_buffer_get_frame: (skip)
 * @buffer: any buffer
 *
 * Returns: (transfer none) (nullable): the frame behind it, valid as long as its memory (also a part of it, in another
 *   buffer); %NULL where it is none
 */
GST_BA_API
const struct AVFrame *gst_ba_avframe_buffer_get_frame (GstBuffer * buffer);

/**
 * gst_ba_avframe_wrap_buffer: (skip)
 * @buffer: (transfer none): a buffer with a picture
 * @info: its format and size; a GstVideoMeta of @buffer wins
 * @flags: how to map it: %GST_MAP_READ, %GST_MAP_WRITE or both
 * @error: (nullable) (out caller-allocates): why it failed
 *
 * The other direction: an AVFrame over a GstBuffer, which it keeps, mapped, until its last reference goes.
 * Threads: any; the frame may be freed on any thread.
 *
 * Returns: (transfer full) (nullable): a frame, for av_frame_free(); %NULL on failure
 */
GST_BA_API
struct AVFrame *gst_ba_avframe_wrap_buffer (GstBuffer * buffer, const GstVideoInfo * info, GstMapFlags flags,
    BaError * error);

#define GST_TYPE_BA_AVFRAME_POOL (gst_ba_avframe_pool_get_type ())
GST_BA_API
G_DECLARE_FINAL_TYPE (GstBaAvframePool, gst_ba_avframe_pool, GST, BA_AVFRAME_POOL, GstBaPool)

/**
 * gst_ba_avframe_pool_new: (skip)
 *
 * A pool that frames are put into: acquire gives the oldest one, waits for one, or flushes.
 *
 * Returns: (transfer full): an inactive pool
 */
GST_BA_API
GstBufferPool *gst_ba_avframe_pool_new (void);

/**
 * gst_ba_avframe_pool_inject: (skip)
 * @self: a pool
 * @frame: (transfer none): a video frame; the pool takes a reference of its own
 * @error: (nullable) (out caller-allocates): why it failed
 *
 * Threads: any. Returns: whether the frame is in the pool
 */
GST_BA_API
gboolean gst_ba_avframe_pool_inject (GstBaAvframePool * self, const struct AVFrame * frame, BaError * error);

G_END_DECLS
