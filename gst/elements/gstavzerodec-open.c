/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstavzerodec-open.c: from caps to an open AVCodecContext: threads, sizes, and what each codec wants to know besides:
 * extra data, the tag of its container, a palette.
 */
#include "gstavzerodec-private.h"

#include <string.h>

/* Takes over @size_bytes that are filled in afterwards; they and the padding behind are zero. NULL: no memory. */
static guint8 *
new_extradata (AVCodecContext *context, gsize size_bytes)
{
  if (size_bytes > G_MAXINT - AV_INPUT_BUFFER_PADDING_SIZE)
    return NULL;
  context->extradata = av_mallocz (size_bytes + AV_INPUT_BUFFER_PADDING_SIZE);
  context->extradata_size = context->extradata ? (int) size_bytes : 0;
  return context->extradata;
}

static int
set_codec_data (AVCodecContext *context, GstBuffer *codec_data)
{
  gsize size_bytes = gst_buffer_get_size (codec_data);
  if (size_bytes == 0)
    return 0;
  guint8 *data = new_extradata (context, size_bytes);
  if (!data)
    return AVERROR (ENOMEM);
  gst_buffer_extract (codec_data, 0, data, size_bytes);
  return 0;
}

/* Theora's three headers, each behind its size in two bytes. */
static int
set_stream_headers (AVCodecContext *context, const GValue *headers)
{
  gsize total_bytes = 0;
  guint n = gst_value_array_get_size (headers);
  for (guint i = 0; i < n; i++) {
    const GValue *value = gst_value_array_get_value (headers, i);
    GstBuffer *header = GST_VALUE_HOLDS_BUFFER (value) ? gst_value_get_buffer (value) : NULL;
    if (!header || gst_buffer_get_size (header) > G_MAXUINT16)
      return AVERROR_INVALIDDATA;
    total_bytes += 2 + gst_buffer_get_size (header);
  }
  guint8 *at = n > 0 ? new_extradata (context, total_bytes) : NULL;
  if (!at)
    return n > 0 ? AVERROR (ENOMEM) : 0;
  for (guint i = 0; i < n; i++) {
    GstBuffer *header = gst_value_get_buffer (gst_value_array_get_value (headers, i));
    gsize size_bytes = gst_buffer_get_size (header);
    at[0] = (guint8) (size_bytes >> 8); /* at any address, where GStreamer's macros want an even one */
    at[1] = (guint8) size_bytes;
    gst_buffer_extract (header, 0, at + 2, size_bytes);
    at += 2 + size_bytes;
  }
  return 0;
}

/* SVQ3's sequence header, where there is no stsd entry that has it: libavcodec looks for its atom. */
static int
set_sequence_header (AVCodecContext *context, GstBuffer *header)
{
  gsize size_bytes = gst_buffer_get_size (header);
  guint8 *data = new_extradata (context, size_bytes + 8);
  if (!data)
    return AVERROR (ENOMEM);
  memcpy (data, "SEQH", 4);
  GST_WRITE_UINT32_BE (data + 4, (guint32) size_bytes);
  gst_buffer_extract (header, 0, data + 8, size_bytes);
  return 0;
}

static int
set_extradata (AVCodecContext *context, enum AVCodecID id, const GstStructure *caps, GstBuffer *codec_data)
{
  const GValue *headers = gst_structure_get_value (caps, "streamheader");
  if (id == AV_CODEC_ID_THEORA && headers && GST_VALUE_HOLDS_ARRAY (headers))
    return set_stream_headers (context, headers);
  if (codec_data)
    return set_codec_data (context, codec_data);
  const GValue *seqh = gst_structure_get_value (caps, "seqh");
  if (id == AV_CODEC_ID_SVQ3 && seqh && GST_VALUE_HOLDS_BUFFER (seqh))
    return set_sequence_header (context, gst_value_get_buffer (seqh));
  return 0;
}

typedef struct
{
  const gchar *name;
  guint32 tag;
} NamedTag;

/* Where the tag is wrong, libavcodec takes 10 bits for the 12 of 4444. */
static guint32
get_prores_tag (const GstStructure *caps)
{
  static const NamedTag variants[] = {
    { "proxy", MKTAG ('a', 'p', 'c', 'o') },    { "lt", MKTAG ('a', 'p', 'c', 's') },
    { "standard", MKTAG ('a', 'p', 'c', 'n') }, { "hq", MKTAG ('a', 'p', 'c', 'h') },
    { "4444", MKTAG ('a', 'p', '4', 'h') },     { "4444xq", MKTAG ('a', 'p', '4', 'x') },
  };
  const gchar *variant = gst_structure_get_string (caps, "variant");
  if (!variant)
    variant = gst_structure_get_string (caps, "format"); /* matroskademux calls it so */
  for (guint i = 0; i < G_N_ELEMENTS (variants); i++) {
    if (g_strcmp0 (variant, variants[i].name) == 0)
      return variants[i].tag;
  }
  return 0;
}

/* The extra data of Ut Video says what the pixels were made of, its decoder wants the tag that comes with it. */
static guint32
get_utvideo_tag (const AVCodecContext *context)
{
  static const struct
  {
    guint8 original[4];
    guint32 tag;
  } kinds[] = {
    { { 'Y', 'V', '1', '2' }, MKTAG ('U', 'L', 'Y', '0') }, { { 'Y', 'U', 'Y', '2' }, MKTAG ('U', 'L', 'Y', '2') },
    { { 'Y', 'V', '2', '4' }, MKTAG ('U', 'L', 'Y', '4') }, { { 0, 0, 1, 0x18 }, MKTAG ('U', 'L', 'R', 'G') },
    { { 0, 0, 2, 0x18 }, MKTAG ('U', 'L', 'R', 'A') },
  };
  for (guint i = 0; i < G_N_ELEMENTS (kinds) && context->extradata_size >= 8; i++) {
    if (memcmp (context->extradata + 4, kinds[i].original, 4) == 0)
      return kinds[i].tag;
  }
  return 0;
}

static guint32
get_text_tag (const gchar *text)
{
  return text && strlen (text) == 4 ? (guint32) MKTAG (text[0], text[1], text[2], text[3]) : 0;
}

static guint32
get_fourcc (const GstStructure *caps)
{
  const gchar *name = gst_structure_get_name (caps);
  gint number = 0;
  if (g_str_has_prefix (name, "video/x-gst-fourcc-"))
    return get_text_tag (name + strlen ("video/x-gst-fourcc-"));
  if (gst_structure_get_int (caps, "fourcc", &number))
    return (guint32) number;
  return get_text_tag (gst_structure_get_string (caps, "fourcc"));
}

/* 0 where the caps say none. */
static guint32
get_tag (const AVCodecContext *context, enum AVCodecID id, const GstStructure *caps)
{
  switch (id) {
    case AV_CODEC_ID_PRORES:
      return get_prores_tag (caps);
    case AV_CODEC_ID_UTVIDEO:
      return get_utvideo_tag (context);
    case AV_CODEC_ID_SPEEDHQ:
      return get_text_tag (gst_structure_get_string (caps, "variant"));
    case AV_CODEC_ID_MPEG4:
      /* Which of its own bugs an encoder had is guessed from it. */
      return gst_structure_has_name (caps, "video/x-divx") ? MKTAG ('D', 'I', 'V', 'X') : MKTAG ('m', 'p', '4', 'v');
    case AV_CODEC_ID_WMV1:
    case AV_CODEC_ID_WMV2:
    case AV_CODEC_ID_WMV3:
    case AV_CODEC_ID_VC1:
      return get_text_tag (gst_structure_get_string (caps, "format"));
    default:
      return get_fourcc (caps);
  }
}

/* Colours of demuxers have no alpha, and none is meant. */
static gboolean
read_palette (const GstStructure *caps, guint32 palette[AVPALETTE_COUNT])
{
  const GValue *value = gst_structure_get_value (caps, "palette_data");
  GstBuffer *buffer = value && GST_VALUE_HOLDS_BUFFER (value) ? gst_value_get_buffer (value) : NULL;
  memset (palette, 0, AVPALETTE_SIZE);
  if (!buffer || gst_buffer_extract (buffer, 0, palette, AVPALETTE_SIZE) == 0)
    return FALSE;
  for (guint i = 0; i < AVPALETTE_COUNT; i++)
    palette[i] |= 0xff000000u;
  return TRUE;
}

/* Whether to keep frame threads away: they ask for buffers on threads where nothing can be negotiated, and hold so many
 * that no screen has enough pages. Only worth it for codecs that may have the screen's format. */
static gboolean
wants_direct (const GstAvZeroDec *self, const AVCodec *decoder, GstAvZeroDirectRendering mode, gboolean frame_threads)
{
  if (mode == GST_AV_ZERO_DIRECT_NEVER || !(decoder->capabilities & AV_CODEC_CAP_DR1))
    return FALSE;
  if (self->codec->flags & GST_AV_ZERO_REWRITES)
    return FALSE;
  return mode == GST_AV_ZERO_DIRECT_ALWAYS || !frame_threads || !(decoder->capabilities & AV_CODEC_CAP_FRAME_THREADS);
}

static void
set_up_threads (GstAvZeroDec *self, AVCodecContext *context, const AVCodec *decoder)
{
  GST_OBJECT_LOCK (self);
  GstAvZeroDirectRendering mode = self->direct_rendering;
  gint max_threads = self->max_threads;
  gint thread_type = self->thread_type;
  GST_OBJECT_UNLOCK (self);
  gboolean live = gst_av_zero_dec_is_live (self);
  /* Each frame thread holds a picture back. */
  if (thread_type == 0)
    thread_type = live ? FF_THREAD_SLICE : FF_THREAD_FRAME | FF_THREAD_SLICE;
  if (!(thread_type & FF_THREAD_FRAME) && self->codec->id == AV_CODEC_ID_AV1)
    context->flags |= AV_CODEC_FLAG_LOW_DELAY; /* its decoder has threads of its own */
  /* Where H.264 does not say how many pictures are reordered, as many as the level allows: else libavcodec finds it out
   * by pictures that come too late, and leaves them out. */
  if (!live && self->codec->id == AV_CODEC_ID_H264)
    context->strict_std_compliance = FF_COMPLIANCE_STRICT;
  else if (self->codec->id == AV_CODEC_ID_H264)
    context->has_b_frames = self->reorder; /* as it was found out before damage */
  /* libavcodec's own "auto" counts processors too, but takes one more than there are. */
  context->thread_count = max_threads > 0 ? max_threads : (int) MIN (g_get_num_processors (), 16u);
  self->may_be_direct =
      wants_direct (self, decoder, mode, (thread_type & FF_THREAD_FRAME) && context->thread_count > 1);
  context->thread_type = self->may_be_direct ? FF_THREAD_SLICE : thread_type;
#if LIBAVCODEC_VERSION_MAJOR < 60
  G_GNUC_BEGIN_IGNORE_DEPRECATIONS
  context->thread_safe_callbacks = 1;
  G_GNUC_END_IGNORE_DEPRECATIONS
#endif
}

/* What the caps say of the stream. */
static int
set_up_stream (GstAvZeroDec *self, AVCodecContext *context)
{
  const GstVideoInfo *info = &self->input_state->info;
  const GstStructure *caps = gst_caps_get_structure (self->input_state->caps, 0);
  gint bits = 0;
  if (info->fps_n > 0 && info->fps_d > 0)
    context->framerate = (AVRational){ info->fps_n, info->fps_d };
  context->width = context->coded_width = GST_VIDEO_INFO_WIDTH (info);
  context->height = context->coded_height = GST_VIDEO_INFO_HEIGHT (info);
  if (gst_structure_get_int (caps, "bpp", &bits) || gst_structure_get_int (caps, "depth", &bits))
    context->bits_per_coded_sample = bits;
  int r = set_extradata (context, self->codec->id, caps, self->codec_data);
  context->codec_tag = self->reduced ? 0 : get_tag (context, self->codec->id, caps);
  self->palette_is_new = read_palette (caps, self->palette);
  return r;
}

static int
set_up (GstAvZeroDec *self, AVCodecContext *context, const AVCodec *decoder)
{
  set_up_threads (self, context, decoder);
  GST_OBJECT_LOCK (self);
  gboolean output_corrupt = self->output_corrupt;
  context->lowres = MIN (self->lowres, (int) decoder->max_lowres);
  GST_OBJECT_UNLOCK (self);
  context->opaque = self;
  /* What libavcodec returns is reported; what it writes to stderr besides is for those who look for it. */
  if (gst_debug_category_get_threshold (GST_CAT_DEFAULT) < GST_LEVEL_DEBUG)
    context->log_level_offset = AV_LOG_TRACE;
  context->get_buffer2 = gst_av_zero_dec_get_buffer2;
  context->pkt_timebase = (AVRational){ 1, GST_SECOND };
  /* Done when the picture goes out: only then it is known whether downstream crops. */
  context->apply_cropping = 0;
  context->flags |= AV_CODEC_FLAG_UNALIGNED | (output_corrupt ? AV_CODEC_FLAG_OUTPUT_CORRUPT : 0);
#if LIBAVCODEC_VERSION_MAJOR >= 60
  context->flags |= AV_CODEC_FLAG_COPY_OPAQUE;
#endif
  return set_up_stream (self, context);
}

AVCodecContext *
gst_av_zero_codecs_open (GstAvZeroDec *self)
{
  const AVCodec *decoder = avcodec_find_decoder (self->codec->id);
  AVCodecContext *context = decoder ? avcodec_alloc_context3 (decoder) : NULL;
  int r = context ? set_up (self, context, decoder) : AVERROR_DECODER_NOT_FOUND;
  if (r == 0)
    r = avcodec_open2 (context, decoder, NULL);
  if (r < 0) {
    gchar text[AV_ERROR_MAX_STRING_SIZE] = "";
    av_strerror (r, text, sizeof text);
    avcodec_free_context (&context);
    GST_ELEMENT_ERROR (self, LIBRARY, INIT,
                       ("The decoder for %s could not be opened.", avcodec_get_name (self->codec->id)),
                       ("%s; caps %" GST_PTR_FORMAT, text, (gpointer) self->input_state->caps));
    return NULL;
  }
  GST_INFO_OBJECT (self, "opened %s with %d threads (%s)", decoder->name, context->thread_count,
                   (context->active_thread_type & FF_THREAD_FRAME)   ? "frames"
                   : (context->active_thread_type & FF_THREAD_SLICE) ? "slices"
                                                                     : "its own, or none");
  return context;
}
