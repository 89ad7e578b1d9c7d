/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstavzerodec-wrap.c: a decoded picture becomes an output buffer: the caps that describe it, the page it is in, its
 * own memory, or, only where nothing else is legal, a copy.
 */
#include "gstavzerodec-private.h"

#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>

static gboolean
is_interlaced (const AVFrame *frame)
{
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 7, 100)
  return (frame->flags & AV_FRAME_FLAG_INTERLACED) != 0;
#else
  return frame->interlaced_frame != 0;
#endif
}

static gboolean
is_top_field_first (const AVFrame *frame)
{
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 7, 100)
  return (frame->flags & AV_FRAME_FLAG_TOP_FIELD_FIRST) != 0;
#else
  return frame->top_field_first != 0;
#endif
}

static gboolean
is_full_range_format (int pix_fmt)
{
  return pix_fmt == AV_PIX_FMT_YUVJ420P || pix_fmt == AV_PIX_FMT_YUVJ422P || pix_fmt == AV_PIX_FMT_YUVJ444P
         || pix_fmt == AV_PIX_FMT_YUVJ440P || pix_fmt == AV_PIX_FMT_YUVJ411P;
}

/* A stream that has had both kinds of pictures is mixed from then on. */
static GstVideoInterlaceMode
get_interlace_mode (const GstAvZeroDec *self, const AVFrame *frame)
{
  GstVideoInterlaceMode mode =
      is_interlaced (frame) ? GST_VIDEO_INTERLACE_MODE_INTERLEAVED : GST_VIDEO_INTERLACE_MODE_PROGRESSIVE;
  if (GST_VIDEO_INFO_INTERLACE_MODE (&self->input_state->info) == GST_VIDEO_INTERLACE_MODE_MIXED)
    return GST_VIDEO_INTERLACE_MODE_MIXED;
  if (self->negotiated && self->picture.interlace_mode != mode)
    return GST_VIDEO_INTERLACE_MODE_MIXED;
  return mode;
}

/* Of streams whose pictures are all interlaced; the others say it on each buffer. */
static GstVideoFieldOrder
get_field_order (const GstAvZeroDec *self, GstVideoInterlaceMode mode)
{
  if (mode != GST_VIDEO_INTERLACE_MODE_INTERLEAVED)
    return GST_VIDEO_FIELD_ORDER_UNKNOWN;
  switch (self->context->field_order) {
    case AV_FIELD_TT:
    case AV_FIELD_BT:
      return GST_VIDEO_FIELD_ORDER_TOP_FIELD_FIRST;
    case AV_FIELD_BB:
    case AV_FIELD_TB:
      return GST_VIDEO_FIELD_ORDER_BOTTOM_FIELD_FIRST;
    default:
      return GST_VIDEO_FIELD_ORDER_UNKNOWN;
  }
}

/* 0/1 where the stream says nothing, or the container's word holds anyway. */
static AVRational
get_par (const GstAvZeroDec *self, const AVFrame *frame)
{
  const GstStructure *input = gst_caps_get_structure (self->input_state->caps, 0);
  AVRational par = frame->sample_aspect_ratio;
  if (par.num <= 0 || par.den <= 0 || par.num == par.den || gst_structure_has_field (input, "pixel-aspect-ratio"))
    return (AVRational){ 0, 1 };
  return par;
}

static void
describe (const GstAvZeroDec *self, const AVFrame *frame, gint width_px, gint height_px, GstAvZeroPicture *picture)
{
  picture->format = gst_ba_format_from_av (frame->format);
  picture->width_px = width_px;
  picture->height_px = height_px;
  picture->par = get_par (self, frame);
  picture->interlace_mode = get_interlace_mode (self, frame);
  picture->field_order = get_field_order (self, picture->interlace_mode);
  picture->full_range_format = is_full_range_format (frame->format);
  picture->range = frame->color_range;
  picture->matrix = frame->colorspace;
  picture->primaries = frame->color_primaries;
  picture->transfer = frame->color_trc;
  picture->chroma = frame->chroma_location;
}

static gboolean
is_same (const GstAvZeroPicture *a, const GstAvZeroPicture *b)
{
  return a->format == b->format && a->width_px == b->width_px && a->height_px == b->height_px
         && a->par.num == b->par.num && a->par.den == b->par.den && a->interlace_mode == b->interlace_mode
         && a->field_order == b->field_order && a->full_range_format == b->full_range_format && a->range == b->range
         && a->matrix == b->matrix && a->primaries == b->primaries && a->transfer == b->transfer
         && a->chroma == b->chroma;
}

/* What the container says wins, as everywhere in GStreamer; the base class has taken that over already. */
static void
set_colorimetry (const GstAvZeroDec *self, const GstAvZeroPicture *picture, GstVideoInfo *info)
{
  GstVideoColorimetry *colour = &info->colorimetry;
  const GstStructure *input = gst_caps_get_structure (self->input_state->caps, 0);
  gboolean rgb = GST_VIDEO_INFO_IS_RGB (info);

  if (!gst_structure_has_field (input, "colorimetry") || rgb) {
    if (picture->matrix != AVCOL_SPC_UNSPECIFIED && !rgb)
      colour->matrix = gst_video_color_matrix_from_iso (picture->matrix);
    if (picture->primaries != AVCOL_PRI_UNSPECIFIED)
      colour->primaries = gst_video_color_primaries_from_iso (picture->primaries);
    if (picture->transfer != AVCOL_TRC_UNSPECIFIED)
      colour->transfer = gst_video_transfer_function_from_iso (picture->transfer);
    if (picture->range == AVCOL_RANGE_JPEG)
      colour->range = GST_VIDEO_COLOR_RANGE_0_255;
    else if (picture->range == AVCOL_RANGE_MPEG)
      colour->range = GST_VIDEO_COLOR_RANGE_16_235;
  }
  if (picture->full_range_format)
    colour->range = GST_VIDEO_COLOR_RANGE_0_255;
  if (rgb) {
    colour->matrix = GST_VIDEO_COLOR_MATRIX_RGB;
    if (picture->range != AVCOL_RANGE_MPEG)
      colour->range = GST_VIDEO_COLOR_RANGE_0_255;
  }
}

static void
set_chroma_site (const GstAvZeroDec *self, const GstAvZeroPicture *picture, GstVideoInfo *info)
{
  const GstStructure *input = gst_caps_get_structure (self->input_state->caps, 0);
  if (gst_structure_has_field (input, "chroma-site") || !GST_VIDEO_INFO_IS_YUV (info))
    return;
  switch (picture->chroma) {
    case AVCHROMA_LOC_LEFT:
      info->chroma_site = GST_VIDEO_CHROMA_SITE_MPEG2;
      break;
    case AVCHROMA_LOC_CENTER:
      info->chroma_site = GST_VIDEO_CHROMA_SITE_JPEG;
      break;
    case AVCHROMA_LOC_TOPLEFT:
      info->chroma_site = GST_VIDEO_CHROMA_SITE_COSITED;
      break;
    case AVCHROMA_LOC_TOP:
      info->chroma_site = GST_VIDEO_CHROMA_SITE_V_COSITED;
      break;
    default:
      break;
  }
}

static gboolean
post_unknown_format (GstAvZeroDec *self, int pix_fmt)
{
  const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get (pix_fmt);
  const gchar *name = desc ? desc->name : "?";
  if (desc && (desc->flags & AV_PIX_FMT_FLAG_PAL))
    GST_ELEMENT_ERROR (self, STREAM, FORMAT,
                       ("Pictures with a palette (%s) are not supported: put another decoder (pngdec, or what "
                        "decodebin finds) and videoconvert in place of this one.",
                        name),
                       ("this element passes pictures on as they are, and does not look colours up"));
  else
    GST_ELEMENT_ERROR (self, STREAM, FORMAT,
                       ("The stream's pixel format %s is not supported: put another decoder (decodebin finds one) and "
                        "videoconvert in place of this one.",
                        name),
                       ("GStreamer has no name for these bytes, and this element does not convert"));
  return FALSE;
}

static void
post_refusal (GstAvZeroDec *self, GstCaps *caps)
{
  GstPad *pad = GST_VIDEO_DECODER_SRC_PAD (self);
  GstPad *peer = gst_pad_get_peer (pad);
  GstElement *next = peer ? gst_pad_get_parent_element (peer) : NULL;
  const gchar *format = gst_video_format_to_string (self->picture.format);
  GST_ELEMENT_ERROR (self, STREAM, FORMAT,
                     ("%s does not take %s of %dx%d, which is what is in the stream: put videoconvert between.",
                      next ? GST_OBJECT_NAME (next) : "What follows", format, self->picture.width_px,
                      self->picture.height_px),
                     ("this element does not convert; its caps are %" GST_PTR_FORMAT, (gpointer) caps));
  gst_clear_object (&next);
  gst_clear_object (&peer);
}

/* Pushing caps that nobody takes is no failure for GStreamer, only pushing buffers after them: so ask before. The query
 * looks behind the next element too, and whoever cannot answer is taken to agree. */
static gboolean
negotiate (GstAvZeroDec *self, const GstVideoInfo *info)
{
  GstPad *pad = GST_VIDEO_DECODER_SRC_PAD (self);
  GstCaps *caps = gst_video_info_to_caps (info);
  GstCaps *taken = gst_pad_peer_query_caps (pad, caps);
  self->negotiated = !gst_caps_is_empty (taken) && gst_video_decoder_negotiate (GST_VIDEO_DECODER (self));
  self->refused = !self->negotiated && !GST_PAD_IS_FLUSHING (pad);
  if (self->refused)
    post_refusal (self, caps);
  gst_clear_caps (&taken);
  gst_clear_caps (&caps);
  return self->negotiated;
}

gboolean
gst_av_zero_dec_update_caps (GstAvZeroDec *self, const AVFrame *frame, gint width_px, gint height_px)
{
  GstVideoDecoder *decoder = GST_VIDEO_DECODER (self);
  GstAvZeroPicture picture;
  describe (self, frame, width_px, height_px, &picture);
  if (self->negotiated && is_same (&picture, &self->picture))
    return TRUE;
  if (self->refused)
    return FALSE;
  if (picture.format == GST_VIDEO_FORMAT_UNKNOWN) {
    self->refused = TRUE;
    return post_unknown_format (self, frame->format);
  }
  GstVideoCodecState *state = gst_video_decoder_set_interlaced_output_state (
      decoder, picture.format, picture.interlace_mode, (guint) width_px, (guint) height_px, self->input_state);
  if (!state)
    return FALSE;
  set_colorimetry (self, &picture, &state->info);
  set_chroma_site (self, &picture, &state->info);
  if (picture.field_order != GST_VIDEO_FIELD_ORDER_UNKNOWN)
    GST_VIDEO_INFO_FIELD_ORDER (&state->info) = picture.field_order;
  if (picture.par.num > 0) {
    GST_VIDEO_INFO_PAR_N (&state->info) = picture.par.num;
    GST_VIDEO_INFO_PAR_D (&state->info) = picture.par.den;
  }
  self->picture = picture;
  self->negotiated = FALSE;
  gboolean ok = negotiate (self, &state->info);
  gst_video_codec_state_unref (state);
  return ok;
}

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

static GstFlowReturn
copy (GstAvZeroDec *self, const AVFrame *frame, GstVideoCodecFrame *codec_frame)
{
  GstFlowReturn flow = gst_video_decoder_allocate_output_frame (GST_VIDEO_DECODER (self), codec_frame);
  if (flow != GST_FLOW_OK)
    return flow;
  GstVideoCodecState *state = gst_video_decoder_get_output_state (GST_VIDEO_DECODER (self));
  GstVideoFrame to;
  if (gst_video_frame_map (&to, &state->info, codec_frame->output_buffer, GST_MAP_WRITE)) {
    uint8_t *data[4] = { NULL };
    int linesizes[4] = { 0 };
    for (guint i = 0; i < GST_VIDEO_FRAME_N_PLANES (&to) && i < 4; i++) {
      data[i] = GST_VIDEO_FRAME_PLANE_DATA (&to, i);
      linesizes[i] = GST_VIDEO_FRAME_PLANE_STRIDE (&to, i);
    }
    av_image_copy (data, linesizes, (const uint8_t **) frame->data, frame->linesize, frame->format, frame->width,
                   frame->height);
    gst_video_frame_unmap (&to);
  } else {
    flow = GST_FLOW_ERROR;
    GST_ELEMENT_ERROR (self, RESOURCE, WRITE, ("The picture could not be copied."), ("the buffer cannot be mapped"));
  }
  gst_video_codec_state_unref (state);
  return flow;
}

static void
set_buffer_flags (const GstAvZeroDec *self, const AVFrame *frame, GstBuffer *buffer)
{
  if (self->picture.interlace_mode != GST_VIDEO_INTERLACE_MODE_PROGRESSIVE && is_interlaced (frame)) {
    GST_BUFFER_FLAG_SET (buffer, GST_VIDEO_BUFFER_FLAG_INTERLACED);
    if (is_top_field_first (frame))
      GST_BUFFER_FLAG_SET (buffer, GST_VIDEO_BUFFER_FLAG_TFF);
    if (frame->repeat_pict)
      GST_BUFFER_FLAG_SET (buffer, GST_VIDEO_BUFFER_FLAG_RFF);
  }
  if ((frame->flags & AV_FRAME_FLAG_CORRUPT) || frame->decode_error_flags)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_CORRUPTED);
}

/* How long a picture stays inside: what the codec reorders, and one for each thread beside the first. */
static void
update_latency (GstAvZeroDec *self)
{
  const GstVideoInfo *info = &self->input_state->info;
  gint frames = self->context->has_b_frames;
  if (self->context->active_thread_type & FF_THREAD_FRAME)
    frames += self->context->thread_count - 1;
  if (GST_VIDEO_INFO_FPS_N (info) <= 0 || frames < 0)
    return;
  GstClockTime latency = gst_util_uint64_scale ((guint64) frames * GST_SECOND, (guint64) GST_VIDEO_INFO_FPS_D (info),
                                                (guint64) GST_VIDEO_INFO_FPS_N (info));
  if (latency != self->latency) {
    self->latency = latency;
    gst_video_decoder_set_latency (GST_VIDEO_DECODER (self), latency, latency);
  }
}

GstFlowReturn
gst_av_zero_dec_output (GstAvZeroDec *self, AVFrame *frame, GstVideoCodecFrame *codec_frame)
{
  GstVideoDecoder *decoder = GST_VIDEO_DECODER (self);
  BaError error = { 0 };
  GstFlowReturn flow = GST_FLOW_OK;

  if (!gst_av_zero_dec_update_caps (self, frame, frame->width, frame->height)) {
    av_frame_unref (frame);
    gst_video_decoder_release_frame (decoder, codec_frame);
    return GST_PAD_IS_FLUSHING (GST_VIDEO_DECODER_SRC_PAD (decoder)) ? GST_FLOW_FLUSHING : GST_FLOW_NOT_NEGOTIATED;
  }
  update_latency (self);

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
    flow = copy (self, frame, codec_frame);
  }
  if (flow == GST_FLOW_OK)
    set_buffer_flags (self, frame, codec_frame->output_buffer);
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
