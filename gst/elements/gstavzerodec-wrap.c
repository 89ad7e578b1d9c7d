/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstavzerodec-wrap.c: a decoded picture becomes an output buffer: the page it is in, its own memory, or, only where
 * nothing else is legal, a copy; with what else is known of it as flags and metas.
 */
#include "gstavzerodec-private.h"

#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>

/* A pool that costs nothing until somebody copies into it: the base class wants one, wrapping does not. */
static void
offer_lazy_pool (GstQuery *query, GstCaps *caps)
{
  GstVideoInfo info;
  if (!gst_video_info_from_caps (&info, caps))
    return;
  GstBufferPool *pool = gst_video_buffer_pool_new ();
  GstStructure *config = gst_buffer_pool_get_config (pool);
  guint size_bytes = (guint) GST_VIDEO_INFO_SIZE (&info);
  gst_buffer_pool_config_set_params (config, caps, size_bytes, 0, 0);
  gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  gst_buffer_pool_set_config (pool, config);
  if (gst_query_get_n_allocation_pools (query) > 0)
    gst_query_set_nth_allocation_pool (query, 0, pool, size_bytes, 0, 0);
  else
    gst_query_add_allocation_pool (query, pool, size_bytes, 0, 0);
  gst_object_unref (pool);
}

/* Runs whenever caps are negotiated or downstream wants to be asked again. */
gboolean
gst_av_zero_dec_decide_allocation (GstVideoDecoder *decoder, GstQuery *query)
{
  GstAvZeroDec *self = GST_AV_ZERO_DEC (decoder);
  GstCaps *caps = NULL;
  gst_query_parse_allocation (query, &caps, NULL);
  self->copy_is_logged = FALSE;
  self->downstream_has_meta = gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  self->downstream_crops =
      self->downstream_has_meta && gst_query_find_allocation_meta (query, GST_VIDEO_CROP_META_API_TYPE, NULL);
  if (self->context && caps && gst_av_zero_dec_take_pages (self, query, caps))
    return TRUE;
  if (!self->downstream_has_meta || !caps)
    return GST_VIDEO_DECODER_CLASS (g_type_class_peek_parent (G_OBJECT_GET_CLASS (self)))
        ->decide_allocation (decoder, query);
  offer_lazy_pool (query, caps);
  return TRUE;
}

/* Whether somebody who reads no GstVideoMeta finds every plane where he expects it. */
static gboolean
has_default_layout (GstBuffer *buffer, const GstVideoInfo *info)
{
  const GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
  if (gst_buffer_n_memory (buffer) != 1 || gst_buffer_get_size (buffer) < GST_VIDEO_INFO_SIZE (info))
    return FALSE;
  for (guint i = 0; i < meta->n_planes; i++) {
    if (meta->offset[i] != GST_VIDEO_INFO_PLANE_OFFSET (info, i)
        || meta->stride[i] != GST_VIDEO_INFO_PLANE_STRIDE (info, i))
      return FALSE;
  }
  return TRUE;
}

/* The frame's own memory, or NULL and why not. */
static GstBuffer *
wrap (GstAvZeroDec *self, const AVFrame *frame, BaError *error)
{
  if (frame->format == AV_PIX_FMT_PAL8) {
    ba_error_set (error, -1, "the picture has a palette, whose colours are looked up");
    return NULL;
  }
  GstBuffer *buffer = gst_ba_avframe_buffer_new (frame, error);
  if (!buffer || self->downstream_has_meta)
    return buffer;
  GstVideoCodecState *state = gst_video_decoder_get_output_state (GST_VIDEO_DECODER (self));
  gboolean fits = has_default_layout (buffer, &state->info);
  if (fits) {
    gst_buffer_resize (buffer, 0, (gssize) GST_VIDEO_INFO_SIZE (&state->info));
  } else {
    gst_clear_buffer (&buffer);
    ba_error_set (error, -1, "downstream does not know GstVideoMeta, and the codec's rows are laid out otherwise");
  }
  gst_video_codec_state_unref (state);
  return buffer;
}

/* libavcodec's palettes are 256 words, ready to be shown. */
static void
look_colours_up (const AVFrame *frame, GstVideoFrame *to)
{
  const guint32 *palette = (const guint32 *) frame->data[1];
  const guint8 *row = frame->data[0];
  guint8 *to_row = GST_VIDEO_FRAME_PLANE_DATA (to, 0);
  for (gint y = 0; y < frame->height; y++) {
    guint32 *pixel = (guint32 *) to_row;
    for (gint x = 0; x < frame->width; x++)
      pixel[x] = palette[row[x]];
    row += frame->linesize[0];
    to_row += GST_VIDEO_FRAME_PLANE_STRIDE (to, 0);
  }
}

static void
copy_planes (const AVFrame *frame, GstVideoFrame *to)
{
  uint8_t *data[4] = { NULL };
  int linesizes[4] = { 0 };
  for (guint i = 0; i < GST_VIDEO_FRAME_N_PLANES (to) && i < 4; i++) {
    data[i] = GST_VIDEO_FRAME_PLANE_DATA (to, i);
    linesizes[i] = GST_VIDEO_FRAME_PLANE_STRIDE (to, i);
  }
  av_image_copy (data, linesizes, (const uint8_t **) frame->data, frame->linesize, frame->format, frame->width,
                 frame->height);
}

static GstFlowReturn
copy (GstAvZeroDec *self, const AVFrame *frame, GstVideoCodecFrame *codec_frame)
{
  GstFlowReturn flow = gst_video_decoder_allocate_output_frame (GST_VIDEO_DECODER (self), codec_frame);
  if (flow != GST_FLOW_OK)
    return flow;
  GstVideoCodecState *state = gst_video_decoder_get_output_state (GST_VIDEO_DECODER (self));
  GstVideoFrame to;
  if (gst_video_frame_map (&to, &state->info, codec_frame->output_buffer, GST_MAP_WRITE)) {
    if (frame->format == AV_PIX_FMT_PAL8)
      look_colours_up (frame, &to);
    else
      copy_planes (frame, &to);
    gst_video_frame_unmap (&to);
  } else {
    flow = GST_FLOW_ERROR;
    GST_ELEMENT_ERROR (self, RESOURCE, WRITE, ("The picture could not be copied."), ("the buffer cannot be mapped"));
  }
  gst_video_codec_state_unref (state);
  return flow;
}

static void
set_buffer_flags (const AVFrame *frame, GstBuffer *buffer)
{
  GstVideoInfo info;
  if (gst_ba_avframe_get_video_info (frame, &info) && GST_VIDEO_INFO_IS_INTERLACED (&info)) {
    GST_BUFFER_FLAG_SET (buffer, GST_VIDEO_BUFFER_FLAG_INTERLACED);
    if (GST_VIDEO_INFO_FIELD_ORDER (&info) == GST_VIDEO_FIELD_ORDER_TOP_FIELD_FIRST)
      GST_BUFFER_FLAG_SET (buffer, GST_VIDEO_BUFFER_FLAG_TFF);
    if (frame->repeat_pict)
      GST_BUFFER_FLAG_SET (buffer, GST_VIDEO_BUFFER_FLAG_RFF);
  }
  if ((frame->flags & AV_FRAME_FLAG_CORRUPT) || frame->decode_error_flags)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_CORRUPTED);
}

/* A parser may have found the captions before: then they are with the input, and the base class hands them on. */
static void
add_captions (const AVFrame *frame, const GstVideoCodecFrame *codec_frame)
{
  const AVFrameSideData *data = av_frame_get_side_data (frame, AV_FRAME_DATA_A53_CC);
  if (!data || data->size == 0)
    return;
  if (codec_frame->input_buffer && gst_buffer_get_meta (codec_frame->input_buffer, GST_VIDEO_CAPTION_META_API_TYPE))
    return;
  gst_buffer_add_video_caption_meta (codec_frame->output_buffer, GST_VIDEO_CAPTION_TYPE_CEA708_RAW, data->data,
                                     data->size);
}

/* Chroma that is shared by two pixels cannot begin in the middle: whoever crops himself gets the whole frame then, all
 * others begin with the sample's first pixel, as FFmpeg does. FALSE: the crop fields leave nothing. */
static gboolean
crop (const GstAvZeroDec *self, AVFrame *frame)
{
  const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get (frame->format);
  size_t odd = (frame->crop_left & (((size_t) 1 << desc->log2_chroma_w) - 1))
               | (frame->crop_top & (((size_t) 1 << desc->log2_chroma_h) - 1));
  if (odd != 0 && self->downstream_crops && frame->format != AV_PIX_FMT_PAL8)
    return TRUE;
  return av_frame_apply_cropping (frame, AV_FRAME_CROP_UNALIGNED) >= 0;
}

/* The part of @frame that is to be seen. */
static gboolean
get_visible_size (const AVFrame *frame, gint *width_px, gint *height_px)
{
  if (frame->crop_left > G_MAXINT / 2 || frame->crop_right > G_MAXINT / 2 || frame->crop_top > G_MAXINT / 2
      || frame->crop_bottom > G_MAXINT / 2)
    return FALSE;
  *width_px = frame->width - (gint) (frame->crop_left + frame->crop_right);
  *height_px = frame->height - (gint) (frame->crop_top + frame->crop_bottom);
  return *width_px > 0 && *height_px > 0;
}

GstFlowReturn
gst_av_zero_dec_output (GstAvZeroDec *self, AVFrame *frame, GstVideoCodecFrame *codec_frame)
{
  GstVideoDecoder *decoder = GST_VIDEO_DECODER (self);
  BaError error = { 0 };
  GstFlowReturn flow = GST_FLOW_OK;
  gint width_px, height_px;

  if (!get_visible_size (frame, &width_px, &height_px)) {
    GST_WARNING_OBJECT (self, "a picture without anything to be seen");
    av_frame_unref (frame);
    return gst_video_decoder_drop_frame (decoder, codec_frame);
  }
  if (gst_av_zero_dec_is_format_damaged (self, frame)) {
    av_frame_unref (frame);
    gst_video_decoder_release_frame (decoder, codec_frame);
    __atomic_fetch_add (&self->n_corrupt, 1, __ATOMIC_RELAXED);
    GST_VIDEO_DECODER_ERROR (self, 1, STREAM, DECODE, ("The stream is damaged."), ("a format without a name"), flow);
    return flow;
  }
  gst_av_zero_dec_update_tags (self, frame);
  gboolean ok = gst_av_zero_dec_update_caps (self, frame, width_px, height_px);
  self->early = FALSE;
  if (!ok || !crop (self, frame)) {
    av_frame_unref (frame);
    gst_video_decoder_release_frame (decoder, codec_frame);
    return GST_PAD_IS_FLUSHING (GST_VIDEO_DECODER_SRC_PAD (decoder)) ? GST_FLOW_FLUSHING : GST_FLOW_NOT_NEGOTIATED;
  }
  gst_av_zero_dec_update_latency (self);

  gint64 *count = &self->n_direct;
  codec_frame->output_buffer = gst_av_zero_dec_find_page (self, frame);
  if (codec_frame->output_buffer) {
    gst_av_zero_dec_set_reason (self, NULL);
  } else {
    count = &self->n_wrapped;
    codec_frame->output_buffer = wrap (self, frame, &error);
  }
  if (!codec_frame->output_buffer) {
    count = &self->n_copied;
    gst_av_zero_dec_set_reason (self, error.message);
    if (!self->copy_is_logged)
      GST_CAT_WARNING_OBJECT (gst_av_zero_dec_perf, self, "every picture is copied: %s", error.message);
    self->copy_is_logged = TRUE;
    av_frame_apply_cropping (frame, AV_FRAME_CROP_UNALIGNED); /* what is copied has no room for the rest */
    flow = copy (self, frame, codec_frame);
  }
  if (flow == GST_FLOW_OK) {
    set_buffer_flags (frame, codec_frame->output_buffer);
    add_captions (frame, codec_frame);
  }
  /* Our own reference must be gone before anybody downstream asks whether the frame may be written. */
  av_frame_unref (frame);
  if (flow != GST_FLOW_OK) {
    gst_video_decoder_release_frame (decoder, codec_frame);
    return flow;
  }
  flow = gst_video_decoder_finish_frame (decoder, codec_frame);
  if (flow == GST_FLOW_OK)
    __atomic_fetch_add (count, 1, __ATOMIC_RELAXED);
  return flow;
}
