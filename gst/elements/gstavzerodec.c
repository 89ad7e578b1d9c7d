/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstavzerodec.c: the element: its properties, and the data flow: packets in, pictures out.
 *
 * libavcodec is never called with the stream lock held: its workers call back, and it may wait for a page. What becomes
 * of a picture is in gstavzerodec-wrap.c.
 */
#include "gstavzerodec-private.h"

#include "gstbastats.h"

GST_DEBUG_CATEGORY (gst_av_zero_dec_debug);
GST_DEBUG_CATEGORY (gst_av_zero_dec_perf);

enum
{
  PROP_0,
  PROP_DIRECT_RENDERING,
  PROP_MAX_THREADS,
  PROP_THREAD_TYPE,
  PROP_SKIP_FRAME,
  PROP_LOWRES,
  PROP_OUTPUT_CORRUPT,
  PROP_FRAME_STATS
};

G_DEFINE_FINAL_TYPE (GstAvZeroDec, gst_av_zero_dec, GST_TYPE_VIDEO_DECODER)
GST_ELEMENT_REGISTER_DEFINE (avzerodec, "avzerodec", GST_RANK_MARGINAL, GST_TYPE_AV_ZERO_DEC)

static GType
get_direct_rendering_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { GST_AV_ZERO_DIRECT_AUTO, "Where the layout fits and it is not slower", "auto" },
    { GST_AV_ZERO_DIRECT_ALWAYS, "Wherever the layout fits", "always" },
    { GST_AV_ZERO_DIRECT_NEVER, "Never", "never" },
    { 0, NULL, NULL },
  };
  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstAvZeroDirectRendering", values));
  return (GType) type;
}

static GType
get_thread_type_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { 0, "What the codec can", "auto" },
    { FF_THREAD_FRAME, "Several frames at a time", "frame" },
    { FF_THREAD_SLICE, "Several parts of one frame at a time", "slice" },
    { 0, NULL, NULL },
  };
  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstAvZeroThreadType", values));
  return (GType) type;
}

static GType
get_skip_frame_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { AVDISCARD_DEFAULT, "Nothing that is of use", "default" },
    { AVDISCARD_NONREF, "Frames that no other frame needs", "nonref" },
    { AVDISCARD_BIDIR, "Bidirectional frames", "bidir" },
    { AVDISCARD_NONINTRA, "All but intra frames", "nonintra" },
    { AVDISCARD_NONKEY, "All but key frames", "nonkey" },
    { 0, NULL, NULL },
  };
  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstAvZeroSkipFrame", values));
  return (GType) type;
}

void
gst_av_zero_dec_set_reason (GstAvZeroDec *self, const gchar *reason)
{
  GST_OBJECT_LOCK (self);
  if (g_strcmp0 (self->reason, reason) != 0) {
    g_free (self->reason);
    self->reason = g_strdup (reason);
  }
  GST_OBJECT_UNLOCK (self);
}

static guint64
get_count (gint64 *count)
{
  return (guint64) __atomic_load_n (count, __ATOMIC_RELAXED);
}

static GstStructure *
get_frame_stats (GstAvZeroDec *self)
{
  GST_OBJECT_LOCK (self);
  gchar *reason = g_strdup (self->reason ? self->reason : "");
  GST_OBJECT_UNLOCK (self);
  GstStructure *stats =
      gst_structure_new ("frame-stats", "direct", G_TYPE_UINT64, get_count (&self->n_direct), "wrapped", G_TYPE_UINT64,
                         get_count (&self->n_wrapped), "copied", G_TYPE_UINT64, get_count (&self->n_copied), "corrupt",
                         G_TYPE_UINT64, get_count (&self->n_corrupt), "reason", G_TYPE_STRING, reason, NULL);
  g_free (reason);
  return stats;
}

static int
send_packet (GstAvZeroDec *self, const AVPacket *packet)
{
  self->decode_thread = g_thread_self ();
  GST_VIDEO_DECODER_STREAM_UNLOCK (self);
  int r = avcodec_send_packet (self->context, packet);
  GST_VIDEO_DECODER_STREAM_LOCK (self);
  self->decode_thread = NULL;
  return r;
}

static int
receive_frame (GstAvZeroDec *self)
{
  self->decode_thread = g_thread_self ();
  GST_VIDEO_DECODER_STREAM_UNLOCK (self);
  int r = avcodec_receive_frame (self->context, self->frame);
  GST_VIDEO_DECODER_STREAM_LOCK (self);
  self->decode_thread = NULL;
  return r;
}

static GstFlowReturn
handle_error (GstAvZeroDec *self, int error)
{
  GstFlowReturn flow = GST_FLOW_OK;
  gchar text[AV_ERROR_MAX_STRING_SIZE] = "";
  av_strerror (error, text, sizeof text);
  if (error == AVERROR (ENOMEM)) {
    GST_ELEMENT_ERROR (self, RESOURCE, NO_SPACE_LEFT, ("There is no memory to decode into."), ("%s", text));
    return GST_FLOW_ERROR;
  }
  self->failing = self->damaged = TRUE;
  __atomic_fetch_add (&self->n_corrupt, 1, __ATOMIC_RELAXED);
  GST_VIDEO_DECODER_ERROR (self, 1, STREAM, DECODE, ("The stream is damaged."), ("libavcodec: %s", text), flow);
  return flow;
}

static GstFlowReturn
handle_picture (GstAvZeroDec *self)
{
  GstVideoDecoder *decoder = GST_VIDEO_DECODER (self);
  guint number = gst_av_zero_frame_get_number (self->frame);
  GstVideoCodecFrame *codec_frame = gst_video_decoder_get_frame (decoder, (int) number);
  if (!codec_frame) {
    GST_DEBUG_OBJECT (self, "a second picture of frame %u, or one that comes too late: not shown", number);
    av_frame_unref (self->frame);
    return GST_FLOW_OK;
  }
  self->failing = FALSE;
  gst_av_zero_dec_release_frames (self, FALSE, number);
  if ((self->frame->flags & AV_FRAME_FLAG_CORRUPT) || self->frame->decode_error_flags) {
    GST_OBJECT_LOCK (self);
    gboolean output_corrupt = self->output_corrupt;
    GST_OBJECT_UNLOCK (self);
    self->damaged = TRUE;
    __atomic_fetch_add (&self->n_corrupt, 1, __ATOMIC_RELAXED);
    if (!output_corrupt) {
      av_frame_unref (self->frame);
      return gst_video_decoder_drop_frame (decoder, codec_frame);
    }
  }
  if (!self->damaged)
    self->reorder = self->context->has_b_frames;
  return gst_av_zero_dec_output (self, self->frame, codec_frame);
}

static GstFlowReturn
receive_all (GstAvZeroDec *self)
{
  GstFlowReturn flow = GST_FLOW_OK;
  while (flow == GST_FLOW_OK) {
    int r = receive_frame (self);
    if (r == AVERROR (EAGAIN) || r == AVERROR_EOF)
      break;
    flow = r < 0 ? handle_error (self, r) : handle_picture (self);
  }
  return flow;
}

static void
flush_codec (GstAvZeroDec *self)
{
  GST_VIDEO_DECODER_STREAM_UNLOCK (self);
  avcodec_flush_buffers (self->context);
  GST_VIDEO_DECODER_STREAM_LOCK (self);
  self->failing = FALSE;
}

/* Everything that is still inside comes out; then the codec can begin anew. */
GstFlowReturn
gst_av_zero_dec_drain_codec (GstAvZeroDec *self)
{
  send_packet (self, NULL);
  GstFlowReturn flow = receive_all (self);
  flush_codec (self);
  return flow;
}

static GstFlowReturn
gst_av_zero_dec_drain (GstVideoDecoder *decoder)
{
  GstAvZeroDec *self = GST_AV_ZERO_DEC (decoder);
  if (!self->context)
    return GST_FLOW_OK;
  GstFlowReturn flow = gst_av_zero_dec_drain_codec (self);
  gst_av_zero_dec_release_frames (self, TRUE, 0);
  return flow;
}

static gboolean
gst_av_zero_dec_flush (GstVideoDecoder *decoder)
{
  GstAvZeroDec *self = GST_AV_ZERO_DEC (decoder);
  if (self->context)
    flush_codec (self);
  return TRUE;
}

static int
send_numbered (GstAvZeroDec *self)
{
  gst_av_zero_packet_set_number (self, self->newest);
  int r = send_packet (self, self->packet);
  self->palette_is_new = FALSE;
  return r;
}

static GstFlowReturn
gst_av_zero_dec_handle_frame (GstVideoDecoder *decoder, GstVideoCodecFrame *codec_frame)
{
  GstAvZeroDec *self = GST_AV_ZERO_DEC (decoder);
  if (!self->context) {
    gst_video_decoder_release_frame (decoder, codec_frame);
    return GST_FLOW_NOT_NEGOTIATED;
  }

  /* An empty packet would mean the end of the stream, and headers came with the caps. */
  int r = gst_av_zero_packet_fill (self->packet, codec_frame->input_buffer);
  GstFlowReturn flow = GST_FLOW_OK;
  gboolean is_empty =
      r == 0 && (self->packet->size == 0 || gst_av_zero_packet_is_header (self->codec->id, self->packet));
  if (GST_VIDEO_CODEC_FRAME_IS_SYNC_POINT (codec_frame))
    self->packet->flags |= AV_PKT_FLAG_KEY;
  if (r == 0 && !is_empty)
    flow = gst_av_zero_dec_recover (self, self->packet);
  if (is_empty || flow != GST_FLOW_OK) {
    av_packet_unref (self->packet);
    gst_video_decoder_release_frame (decoder, codec_frame);
    return flow;
  }
  gst_av_zero_dec_update_skip (self, codec_frame);

  self->newest = codec_frame->system_frame_number;
  gst_av_zero_dec_release_frames (self, FALSE, self->newest);
  if (r == 0 && self->palette_is_new)
    r = gst_av_zero_packet_add_palette (self->packet, self->palette);
  self->packet->pts = GST_CLOCK_TIME_IS_VALID (codec_frame->pts) ? (int64_t) codec_frame->pts : AV_NOPTS_VALUE;
  self->packet->dts = GST_CLOCK_TIME_IS_VALID (codec_frame->dts) ? (int64_t) codec_frame->dts : AV_NOPTS_VALUE;
  gst_video_codec_frame_unref (codec_frame); /* the base class has it in its list */

  if (r == 0)
    r = send_numbered (self);
  if (self->packet->size > 0 && gst_av_zero_dec_has_refused (self, self->packet, r)) {
    flow = gst_av_zero_dec_begin_anew (self, self->packet);
    if (flow == GST_FLOW_OK)
      r = send_numbered (self);
  }
  av_packet_unref (self->packet);
  if (flow == GST_FLOW_OK && r < 0)
    flow = handle_error (self, r);
  return flow == GST_FLOW_OK ? receive_all (self) : flow;
}

static void
close_codec (GstAvZeroDec *self)
{
  avcodec_free_context (&self->context);
  gst_av_zero_dec_drop_pages (self);
  self->negotiated = FALSE;
  if (self->orientation)
    gst_video_decoder_merge_tags (GST_VIDEO_DECODER (self), NULL, GST_TAG_MERGE_UNDEFINED);
  self->orientation = NULL;
  self->latency = GST_CLOCK_TIME_NONE;
  self->damaged = self->reduced = FALSE;
  self->reorder = 0;
}

/* Whether a codec that was opened for @a needs to know nothing new for @b. */
static gboolean
has_same_content (const GstCaps *a, const GstCaps *b)
{
  static const gchar *fields[] = { "codec_data", "streamheader", "seqh",   "palette_data", "variant", "format",
                                   "depth",      "bpp",          "fourcc", "width",        "height" };
  const GstStructure *x = gst_caps_get_structure (a, 0), *y = gst_caps_get_structure (b, 0);
  if (!gst_structure_has_name (x, gst_structure_get_name (y)))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++) {
    const GValue *v = gst_structure_get_value (x, fields[i]), *w = gst_structure_get_value (y, fields[i]);
    if (v != w && (!v || !w || gst_value_compare (v, w) != GST_VALUE_EQUAL))
      return FALSE;
  }
  return TRUE;
}

/* A file of a still picture, without anybody before who cuts it out: demuxers and parsers say a rate, or that they
 * did. */
static gboolean
is_whole_file (const GstAvZeroCodec *codec, const GstCaps *caps)
{
  const GstStructure *structure = gst_caps_get_structure (caps, 0);
  return (codec->flags & GST_AV_ZERO_WHOLE_FILE) && !gst_structure_has_field (structure, "framerate")
         && !gst_structure_has_field (structure, "parsed");
}

/* New caps in the middle of a stream often say only another frame rate: the codec goes on then. */
static gboolean
gst_av_zero_dec_set_format (GstVideoDecoder *decoder, GstVideoCodecState *state)
{
  GstAvZeroDec *self = GST_AV_ZERO_DEC (decoder);
  const GstAvZeroCodec *codec = gst_av_zero_codecs_find (state->caps);
  if (!codec) {
    GST_ERROR_OBJECT (self, "no decoder for %" GST_PTR_FORMAT, (gpointer) state->caps);
    return FALSE;
  }
  gboolean keep = self->context && codec == self->codec && has_same_content (self->input_state->caps, state->caps);
  if (self->context && !keep) {
    gst_av_zero_dec_drain (decoder);
    close_codec (self);
  }
  g_clear_pointer (&self->input_state, gst_video_codec_state_unref);
  self->input_state = gst_video_codec_state_ref (state);
  gst_buffer_replace (&self->codec_data, state->codec_data);
  self->codec = codec;
  self->negotiated = FALSE;
  self->refused = FALSE;
  gst_video_decoder_set_packetized (decoder, !is_whole_file (codec, state->caps));
  if (!keep)
    self->context = gst_av_zero_codecs_open (self);
  return self->context != NULL;
}

/* Only of whole files: their end is the picture's. */
static GstFlowReturn
gst_av_zero_dec_parse (GstVideoDecoder *decoder, GstVideoCodecFrame *frame, GstAdapter *adapter, gboolean at_eos)
{
  gsize size_bytes = gst_adapter_available (adapter);
  (void) frame;
  if (!at_eos || size_bytes == 0 || size_bytes > G_MAXINT)
    return GST_VIDEO_DECODER_FLOW_NEED_DATA;
  gst_video_decoder_add_to_frame (decoder, (int) size_bytes);
  return gst_video_decoder_have_frame (decoder);
}

static gboolean
gst_av_zero_dec_propose_allocation (GstVideoDecoder *decoder, GstQuery *query)
{
  GstAllocationParams params = { .flags = GST_MEMORY_FLAG_ZERO_PADDED, .padding = AV_INPUT_BUFFER_PADDING_SIZE };
  gst_query_add_allocation_param (query, NULL, &params);
  return GST_VIDEO_DECODER_CLASS (gst_av_zero_dec_parent_class)->propose_allocation (decoder, query);
}

static gboolean
gst_av_zero_dec_start (GstVideoDecoder *decoder)
{
  GstAvZeroDec *self = GST_AV_ZERO_DEC (decoder);
  __atomic_store_n (&self->n_direct, 0, __ATOMIC_RELAXED);
  __atomic_store_n (&self->n_wrapped, 0, __ATOMIC_RELAXED);
  __atomic_store_n (&self->n_copied, 0, __ATOMIC_RELAXED);
  __atomic_store_n (&self->n_corrupt, 0, __ATOMIC_RELAXED);
  g_atomic_int_set (&self->downstream_is_late, FALSE);
  gst_av_zero_dec_set_reason (self, NULL);
  self->pages = gst_av_zero_pages_new ();
  self->pending = gst_av_zero_pending_new ();
  self->packet = av_packet_alloc ();
  self->frame = av_frame_alloc ();
  return self->packet && self->frame;
}

static gboolean
gst_av_zero_dec_stop (GstVideoDecoder *decoder)
{
  GstAvZeroDec *self = GST_AV_ZERO_DEC (decoder);
  close_codec (self);
  av_packet_free (&self->packet);
  av_frame_free (&self->frame);
  g_clear_pointer (&self->pages, gst_av_zero_pages_unref);
  g_clear_pointer (&self->pending, gst_av_zero_pending_unref);
  g_clear_pointer (&self->input_state, gst_video_codec_state_unref);
  gst_clear_buffer (&self->codec_data);
  GstStructure *stats = get_frame_stats (self);
  gst_ba_stats_log (GST_ELEMENT (self), stats);
  gst_structure_free (stats);
  return TRUE;
}

static void
gst_av_zero_dec_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstAvZeroDec *self = GST_AV_ZERO_DEC (object);
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_DIRECT_RENDERING:
      self->direct_rendering = g_value_get_enum (value);
      break;
    case PROP_MAX_THREADS:
      self->max_threads = g_value_get_int (value);
      break;
    case PROP_THREAD_TYPE:
      self->thread_type = g_value_get_enum (value);
      break;
    case PROP_SKIP_FRAME:
      self->skip_frame = g_value_get_enum (value);
      break;
    case PROP_LOWRES:
      self->lowres = g_value_get_int (value);
      break;
    case PROP_OUTPUT_CORRUPT:
      self->output_corrupt = g_value_get_boolean (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_av_zero_dec_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstAvZeroDec *self = GST_AV_ZERO_DEC (object);
  if (id == PROP_FRAME_STATS) {
    g_value_take_boxed (value, get_frame_stats (self));
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_DIRECT_RENDERING:
      g_value_set_enum (value, (gint) self->direct_rendering);
      break;
    case PROP_MAX_THREADS:
      g_value_set_int (value, self->max_threads);
      break;
    case PROP_THREAD_TYPE:
      g_value_set_enum (value, self->thread_type);
      break;
    case PROP_SKIP_FRAME:
      g_value_set_enum (value, self->skip_frame);
      break;
    case PROP_LOWRES:
      g_value_set_int (value, self->lowres);
      break;
    case PROP_OUTPUT_CORRUPT:
      g_value_set_boolean (value, self->output_corrupt);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_av_zero_dec_finalize (GObject *object)
{
  g_free (GST_AV_ZERO_DEC (object)->reason);
  G_OBJECT_CLASS (gst_av_zero_dec_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass *object_class)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;
  g_object_class_install_property (object_class, PROP_DIRECT_RENDERING,
                                   g_param_spec_enum ("direct-rendering", "Direct rendering",
                                                      "Whether to decode straight into the pages of a screen",
                                                      get_direct_rendering_type (), GST_AV_ZERO_DIRECT_AUTO, flags));
  g_object_class_install_property (object_class, PROP_MAX_THREADS,
                                   g_param_spec_int ("max-threads", "Threads",
                                                     "Threads to decode with (0 = one for each processor)", 0, 64, 0,
                                                     flags));
  g_object_class_install_property (object_class, PROP_THREAD_TYPE,
                                   g_param_spec_enum ("thread-type", "Thread type", "How threads share the work",
                                                      get_thread_type_type (), 0, flags));
  g_object_class_install_property (
      object_class, PROP_SKIP_FRAME,
      g_param_spec_enum ("skip-frame", "Skip frames", "Which frames not to decode", get_skip_frame_type (),
                         AVDISCARD_DEFAULT, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING));
  g_object_class_install_property (object_class, PROP_LOWRES,
                                   g_param_spec_int ("lowres", "Low resolution",
                                                     "How often to halve width and height, where the codec can", 0, 3,
                                                     0, flags));
  g_object_class_install_property (object_class, PROP_OUTPUT_CORRUPT,
                                   g_param_spec_boolean ("output-corrupt", "Output corrupt",
                                                         "Whether damaged pictures are shown too (marked as such)",
                                                         TRUE, flags));
  g_object_class_install_property (
      object_class, PROP_FRAME_STATS,
      g_param_spec_boxed ("frame-stats", "Frame stats",
                          "How many pictures went which way, and why the last one was not decoded into a page",
                          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void
gst_av_zero_dec_class_init (GstAvZeroDecClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstVideoDecoderClass *decoder_class = GST_VIDEO_DECODER_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (gst_av_zero_dec_debug, "avzerodec", 0, "libavcodec decoder without copies");
  GST_DEBUG_CATEGORY_GET (gst_av_zero_dec_perf, "GST_PERFORMANCE");

  object_class->set_property = gst_av_zero_dec_set_property;
  object_class->get_property = gst_av_zero_dec_get_property;
  object_class->finalize = gst_av_zero_dec_finalize;
  install_properties (object_class);

  GstCaps *sink_caps = gst_av_zero_codecs_get_caps ();
  gst_element_class_add_pad_template (element_class,
                                      gst_pad_template_new ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, sink_caps));
  gst_caps_unref (sink_caps);
  GstCaps *src_caps = gst_caps_from_string (GST_VIDEO_CAPS_MAKE (GST_VIDEO_FORMATS_ALL));
  gst_element_class_add_pad_template (element_class,
                                      gst_pad_template_new ("src", GST_PAD_SRC, GST_PAD_ALWAYS, src_caps));
  gst_caps_unref (src_caps);
  gst_element_class_set_static_metadata (
      element_class, "Zero-copy FFmpeg video decoder", "Codec/Decoder/Video",
      "Decodes with libavcodec; pictures go on without being copied, or are decoded straight into the screen",
      "gst-bufalloc");
  gst_type_mark_as_plugin_api (get_direct_rendering_type (), 0);
  gst_type_mark_as_plugin_api (get_thread_type_type (), 0);
  gst_type_mark_as_plugin_api (get_skip_frame_type (), 0);

  decoder_class->start = gst_av_zero_dec_start;
  decoder_class->stop = gst_av_zero_dec_stop;
  decoder_class->set_format = gst_av_zero_dec_set_format;
  decoder_class->parse = gst_av_zero_dec_parse;
  decoder_class->handle_frame = gst_av_zero_dec_handle_frame;
  decoder_class->finish = gst_av_zero_dec_drain;
  decoder_class->drain = gst_av_zero_dec_drain;
  decoder_class->flush = gst_av_zero_dec_flush;
  decoder_class->src_event = gst_av_zero_dec_src_event;
  decoder_class->propose_allocation = gst_av_zero_dec_propose_allocation;
  decoder_class->decide_allocation = gst_av_zero_dec_decide_allocation;
}

static void
gst_av_zero_dec_init (GstAvZeroDec *self)
{
  self->skip_frame = AVDISCARD_DEFAULT;
  self->output_corrupt = TRUE;
  self->latency = GST_CLOCK_TIME_NONE;
  gst_video_decoder_set_packetized (GST_VIDEO_DECODER (self), TRUE);
  gst_video_decoder_set_needs_format (GST_VIDEO_DECODER (self), TRUE);
}
