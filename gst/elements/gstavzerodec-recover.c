/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstavzerodec-recover.c: what is done at a key frame behind damage, so that everything from there on is right again:
 * the codec is opened anew, where nothing is lost by that.
 *
 * Some damage sticks in libavcodec, even after a flush: a size that VP9 and H.263 refused; Cinepak's first packet,
 * taken for Sega's; what H.264 and MPEG-4 believe of a damaged header, such as that 16 pictures are reordered, which
 * then wait inside and are hit by the next damage.
 */
#include "gstavzerodec-private.h"

#define NAL_IDR 5
#define NAL_SPS 7
#define NAL_PPS 8
#define NAL_BIT(type) (1u << (type))

/* Where the code 0, 0, 1 begins at or behind @at; @size_bytes: nowhere. */
static gsize
find_start_code (const guint8 *data, gsize size_bytes, gsize at)
{
  for (; at + 3 < size_bytes; at++) {
    if (data[at] == 0 && data[at + 1] == 0 && data[at + 2] == 1)
      return at;
  }
  return size_bytes;
}

/* One bit for each type of NAL unit. @length_bytes: of the number before each; 0: start codes. */
static guint32
find_nal_types (const guint8 *data, gsize size_bytes, guint length_bytes)
{
  guint32 types = 0;
  if (length_bytes == 0) {
    for (gsize at = find_start_code (data, size_bytes, 0); at < size_bytes;
         at = find_start_code (data, size_bytes, at + 3))
      types |= NAL_BIT (data[at + 3] & 0x1f);
    return types;
  }
  for (gsize at = 0; size_bytes - at > length_bytes;) {
    gsize nal_bytes = 0;
    for (guint i = 0; i < length_bytes; i++)
      nal_bytes = nal_bytes << 8 | data[at + i];
    at += length_bytes;
    types |= NAL_BIT (data[at] & 0x1f);
    if (nal_bytes >= size_bytes - at)
      break;
    at += nal_bytes;
  }
  return types;
}

/* What a packet of H.264 has, and the headers that came with the caps. */
static guint32
find_h264_types (const GstAvZeroDec *self, const AVPacket *packet, gboolean with_codec_data)
{
  const gchar *format = gst_structure_get_string (gst_caps_get_structure (self->input_state->caps, 0), "stream-format");
  guint8 head[6] = { 0 };
  if (!self->codec_data || gst_buffer_extract (self->codec_data, 0, head, sizeof head) < sizeof head || head[0] != 1
      || g_strcmp0 (format, "byte-stream") == 0)
    return find_nal_types (packet->data, (gsize) packet->size, 0);
  guint32 types = find_nal_types (packet->data, (gsize) packet->size, (head[4] & 3u) + 1);
  if (with_codec_data && (head[5] & 0x1f) > 0)
    types |= NAL_BIT (NAL_SPS) | NAL_BIT (NAL_PPS);
  return types;
}

/* The layer's header, with the size and all the rest. */
static gboolean
has_mpeg4_header (const AVPacket *packet)
{
  gsize size_bytes = (gsize) packet->size, at = 0;
  while ((at = find_start_code (packet->data, size_bytes, at)) < size_bytes) {
    if (packet->data[at + 3] >= 0x20 && packet->data[at + 3] <= 0x2f)
      return TRUE;
    at += 3;
  }
  return FALSE;
}

/* Whether a codec that begins with @packet gets all its headers: they are in it, they came with the caps, or there
 * never are any. */
static gboolean
has_headers (const GstAvZeroDec *self, const AVPacket *packet)
{
  const guint32 sets = NAL_BIT (NAL_SPS) | NAL_BIT (NAL_PPS);
  switch (self->codec->id) {
    case AV_CODEC_ID_H264:
      return (find_h264_types (self, packet, TRUE) & sets) == sets;
    case AV_CODEC_ID_MPEG4:
      return self->codec_data || has_mpeg4_header (packet);
    case AV_CODEC_ID_HEVC:
    case AV_CODEC_ID_MPEG1VIDEO:
    case AV_CODEC_ID_MPEG2VIDEO:
    case AV_CODEC_ID_VC1:
    case AV_CODEC_ID_DIRAC:
    case AV_CODEC_ID_CAVS:
      return self->codec_data != NULL;
    default:
      return TRUE;
  }
}

/* Of the codecs in which damage is known to stick: whether nothing behind the key frame @packet is predicted from
 * before it. B-frames behind it would be, where it is no IDR. */
static gboolean
stands_alone (const GstAvZeroDec *self, const AVPacket *packet)
{
  switch (self->codec->id) {
    case AV_CODEC_ID_H264:
      return (find_h264_types (self, packet, FALSE) & NAL_BIT (NAL_IDR)) != 0;
    case AV_CODEC_ID_MPEG4:
      return self->reorder == 0; /* B-frames that lose what they need are damage again: it would never end */
    case AV_CODEC_ID_H263:
    case AV_CODEC_ID_H263P:
    case AV_CODEC_ID_FLV1:
      return TRUE;
    default:
      return FALSE;
  }
}

/* What is inside comes out first. Without a context afterwards where it could not be opened again. */
static GstFlowReturn
reopen (GstAvZeroDec *self)
{
  GstFlowReturn flow = gst_av_zero_dec_drain_codec (self);
  if (flow != GST_FLOW_OK)
    return flow;
  GST_DEBUG_OBJECT (self, "opened anew at a key frame");
  avcodec_free_context (&self->context);
  self->context = gst_av_zero_codecs_open (self);
  self->damaged = FALSE;
  return self->context ? GST_FLOW_OK : GST_FLOW_ERROR;
}

GstFlowReturn
gst_av_zero_dec_begin_anew (GstAvZeroDec *self, const AVPacket *packet)
{
  return has_headers (self, packet) ? reopen (self) : gst_av_zero_dec_drain_codec (self);
}

/* 4444 has 12 bits, and GStreamer no name for so many with alpha: then 10, as all others make of it. */
static gboolean
has_too_many_bits (const GstAvZeroDec *self, const AVPacket *packet)
{
  return self->codec->id == AV_CODEC_ID_PRORES && !self->reduced && packet->size > 25 && (packet->data[25] & 0x0f) != 0
         && (self->context->codec_tag == MKTAG ('a', 'p', '4', 'h')
             || self->context->codec_tag == MKTAG ('a', 'p', '4', 'x'))
         && gst_ba_format_from_av (AV_PIX_FMT_YUVA444P12LE) == GST_VIDEO_FORMAT_UNKNOWN;
}

GstFlowReturn
gst_av_zero_dec_recover (GstAvZeroDec *self, const AVPacket *packet)
{
  if (has_too_many_bits (self, packet)) {
    self->reduced = TRUE;
    return reopen (self);
  }
  if (!(packet->flags & AV_PKT_FLAG_KEY))
    return GST_FLOW_OK;
  if (self->failing)
    return gst_av_zero_dec_begin_anew (self, packet);
  if (self->damaged && stands_alone (self, packet) && has_headers (self, packet))
    return reopen (self);
  return GST_FLOW_OK;
}

/* A damaged packet of MPEG-4 may leave bytes that the decoder then takes in place of the next one: with B-frames it
 * cannot be opened anew before each key frame behind damage, but where it did not even begin its picture. */
gboolean
gst_av_zero_dec_has_refused (GstAvZeroDec *self, const AVPacket *packet, int result)
{
  if (!(packet->flags & AV_PKT_FLAG_KEY))
    return FALSE;
  return result < 0
         || (self->codec->id == AV_CODEC_ID_MPEG4 && self->damaged
             && !(self->context->active_thread_type & FF_THREAD_FRAME)
             && !gst_av_zero_pending_has (self->pending, self->newest));
}
