/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstavzerodec-codecs.c: which caps are which codec, what is known about each, how its AVCodecContext is set up, and
 * how packets are made. Caps are those that GStreamer's parsers and demuxers give.
 */
#include "gstavzerodec-private.h"

#include <string.h>

#define READS_BACK GST_AV_ZERO_READS_BACK
#define REWRITES GST_AV_ZERO_REWRITES
#define PACKED_RGB GST_AV_ZERO_PACKED_RGB

static const GstAvZeroCodec codecs[] = {
  { AV_CODEC_ID_H264, "video/x-h264, stream-format=(string){ avc, avc3, byte-stream }, alignment=(string)au", 17,
    READS_BACK },
  { AV_CODEC_ID_HEVC, "video/x-h265, stream-format=(string){ hvc1, hev1, byte-stream }, alignment=(string)au", 17,
    READS_BACK },
  { AV_CODEC_ID_MPEG1VIDEO, "video/mpeg, mpegversion=(int)1, systemstream=(boolean)false", 3, READS_BACK },
  { AV_CODEC_ID_MPEG2VIDEO, "video/mpeg, mpegversion=(int)2, systemstream=(boolean)false", 3, READS_BACK },
  { AV_CODEC_ID_MPEG4,
    "video/mpeg, mpegversion=(int)4, systemstream=(boolean)false; video/x-divx, divxversion=(int)[ 4, 5 ]; "
    "video/x-xvid",
    3, READS_BACK },
  { AV_CODEC_ID_H263, "video/x-h263, variant=(string)itu", 3, READS_BACK },
  { AV_CODEC_ID_MSMPEG4V3, "video/x-msmpeg, msmpegversion=(int)43; video/x-divx, divxversion=(int)3", 3, READS_BACK },
  { AV_CODEC_ID_FLV1, "video/x-flash-video, flvversion=(int)1", 3, READS_BACK },
  { AV_CODEC_ID_VP8, "video/x-vp8", 5, READS_BACK },
  { AV_CODEC_ID_VP9, "video/x-vp9", 10, READS_BACK },
  { AV_CODEC_ID_AV1, "video/x-av1, stream-format=(string)obu-stream, alignment=(string){ tu, frame }", 10, READS_BACK },
  { AV_CODEC_ID_MJPEG, "image/jpeg", 1, 0 },
  { AV_CODEC_ID_PNG, "image/png", 2, PACKED_RGB },
  { AV_CODEC_ID_FFV1, "video/x-ffv, ffvversion=(int)1", 2, PACKED_RGB },
  { AV_CODEC_ID_HUFFYUV, "video/x-huffyuv", 1, PACKED_RGB },
  { AV_CODEC_ID_FLASHSV, "video/x-flash-screen", 1, REWRITES | PACKED_RGB },
  { AV_CODEC_ID_PRORES, "video/x-prores", 1, 0 },
};

GstCaps *
gst_av_zero_codecs_get_caps (void)
{
  GstCaps *caps = gst_caps_new_empty ();
  for (guint i = 0; i < G_N_ELEMENTS (codecs); i++) {
    if (avcodec_find_decoder (codecs[i].id))
      gst_caps_append (caps, gst_caps_from_string (codecs[i].caps));
  }
  return caps;
}

const GstAvZeroCodec *
gst_av_zero_codecs_find (GstCaps *caps)
{
  for (guint i = 0; i < G_N_ELEMENTS (codecs); i++) {
    GstCaps *row = gst_caps_from_string (codecs[i].caps);
    gboolean fits = gst_caps_can_intersect (caps, row);
    gst_caps_unref (row);
    if (fits)
      return &codecs[i];
  }
  return NULL;
}

static int
set_extradata (AVCodecContext *context, GstBuffer *codec_data)
{
  if (!codec_data)
    return 0;
  gsize size_bytes = gst_buffer_get_size (codec_data);
  if (size_bytes == 0 || size_bytes > G_MAXINT - AV_INPUT_BUFFER_PADDING_SIZE)
    return size_bytes == 0 ? 0 : AVERROR (EINVAL);
  context->extradata = av_mallocz (size_bytes + AV_INPUT_BUFFER_PADDING_SIZE);
  if (!context->extradata)
    return AVERROR (ENOMEM);
  context->extradata_size = (int) gst_buffer_extract (codec_data, 0, context->extradata, size_bytes);
  return 0;
}

/* Whether to keep frame threads away: they ask for buffers on threads where nothing can be negotiated, and hold so many
 * that no screen has enough pages. Only worth it for codecs that may have the screen's format. */
static gboolean
wants_direct (const GstAvZeroDec *self, const AVCodec *decoder, GstAvZeroDirectRendering mode, gboolean frame_threads)
{
  if (mode == GST_AV_ZERO_DIRECT_NEVER || !(decoder->capabilities & AV_CODEC_CAP_DR1))
    return FALSE;
  if (!(self->codec->flags & PACKED_RGB) || (self->codec->flags & REWRITES))
    return FALSE;
  return mode == GST_AV_ZERO_DIRECT_ALWAYS || !frame_threads || !(decoder->capabilities & AV_CODEC_CAP_FRAME_THREADS);
}

static int
set_up (GstAvZeroDec *self, AVCodecContext *context, const AVCodec *decoder)
{
  const GstVideoInfo *info = &self->input_state->info;
  GST_OBJECT_LOCK (self);
  GstAvZeroDirectRendering mode = self->direct_rendering;
  gint max_threads = self->max_threads;
  gint thread_type = self->thread_type ? self->thread_type : FF_THREAD_FRAME | FF_THREAD_SLICE;
  gboolean output_corrupt = self->output_corrupt;
  context->lowres = MIN (self->lowres, (int) decoder->max_lowres);
  GST_OBJECT_UNLOCK (self);

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
  context->opaque = self;
  /* What libavcodec returns is reported; what it writes to stderr besides is for those who look for it. */
  if (gst_debug_category_get_threshold (GST_CAT_DEFAULT) < GST_LEVEL_DEBUG)
    context->log_level_offset = AV_LOG_TRACE;
  context->get_buffer2 = gst_av_zero_dec_get_buffer2;
  context->pkt_timebase = (AVRational){ 1, GST_SECOND };
  /* The data pointers may point anywhere, since GstVideoMeta says any offset: so the cropping is exact. */
  context->apply_cropping = 1;
  context->flags |= AV_CODEC_FLAG_UNALIGNED | (output_corrupt ? AV_CODEC_FLAG_OUTPUT_CORRUPT : 0);
#if LIBAVCODEC_VERSION_MAJOR >= 60
  context->flags |= AV_CODEC_FLAG_COPY_OPAQUE;
#endif
  if (info->fps_n > 0 && info->fps_d > 0)
    context->framerate = (AVRational){ info->fps_n, info->fps_d };
  context->width = context->coded_width = GST_VIDEO_INFO_WIDTH (info);
  context->height = context->coded_height = GST_VIDEO_INFO_HEIGHT (info);
  GstStructure *structure = gst_caps_get_structure (self->input_state->caps, 0);
  gint bits = 0;
  if (gst_structure_get_int (structure, "bpp", &bits) || gst_structure_get_int (structure, "depth", &bits))
    context->bits_per_coded_sample = bits;
  const gchar *variant = gst_structure_get_string (structure, "variant");
  if (variant && strlen (variant) == 4 && self->codec->id == AV_CODEC_ID_PRORES)
    context->codec_tag = MKTAG (variant[0], variant[1], variant[2], variant[3]);
  return set_extradata (context, self->codec_data);
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

/* A compressed buffer that libavcodec reads in place: mapped until its last reference goes, on whatever thread. */
typedef struct
{
  GstBuffer *buffer;
  GstMapInfo map;
} Input;

static void
free_input (void *opaque, uint8_t *data)
{
  Input *input = opaque;
  (void) data;
  gst_buffer_unmap (input->buffer, &input->map);
  gst_buffer_unref (input->buffer);
  g_free (input);
}

/* libavcodec reads in words, up to so many bytes behind the packet, and wants zeros there. A part of a larger buffer
 * says that it is padded when only the whole is: look. */
static gboolean
is_padded (const GstMapInfo *map)
{
  static const guint8 zeros[AV_INPUT_BUFFER_PADDING_SIZE];
  return map->memory && GST_MEMORY_IS_ZERO_PADDED (map->memory) && map->maxsize - map->size >= sizeof zeros
         && memcmp (map->data + map->size, zeros, sizeof zeros) == 0;
}

int
gst_av_zero_packet_fill (AVPacket *packet, GstBuffer *buffer)
{
  Input *input = g_new0 (Input, 1);
  int r = 0;
  input->buffer = gst_buffer_ref (buffer);
  if (!gst_buffer_map (buffer, &input->map, GST_MAP_READ)) {
    gst_buffer_unref (buffer);
    g_free (input);
    return AVERROR (EIO);
  }
  if (input->map.size > G_MAXINT - AV_INPUT_BUFFER_PADDING_SIZE) {
    r = AVERROR (EINVAL);
  } else if (is_padded (&input->map)) {
    packet->buf = av_buffer_create (input->map.data, input->map.size + AV_INPUT_BUFFER_PADDING_SIZE, free_input, input,
                                    AV_BUFFER_FLAG_READONLY);
    if (packet->buf) {
      packet->data = input->map.data;
      packet->size = (int) input->map.size;
      return 0;
    }
    r = AVERROR (ENOMEM);
  } else {
    r = av_new_packet (packet, (int) input->map.size);
    if (r == 0)
      memcpy (packet->data, input->map.data, input->map.size);
  }
  free_input (input, NULL);
  return r;
}

void
gst_av_zero_packet_set_number (GstAvZeroDec *self, guint number)
{
#if LIBAVCODEC_VERSION_MAJOR < 60
  self->context->reordered_opaque = number;
#else
  self->packet->opaque = GUINT_TO_POINTER (number);
#endif
}

guint
gst_av_zero_frame_get_number (const AVFrame *frame)
{
#if LIBAVCODEC_VERSION_MAJOR < 60
  return (guint) frame->reordered_opaque;
#else
  return GPOINTER_TO_UINT (frame->opaque);
#endif
}
