/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstavzerodec-packet.c: from a compressed GstBuffer to an AVPacket, without a copy where the buffer has the padding
 * that libavcodec reads into; and the number by which a picture finds its frame again.
 */
#include "gstavzerodec-private.h"

#include <string.h>

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
    if (r == 0 && input->map.size > 0) /* or there is no data at all */
      memcpy (packet->data, input->map.data, input->map.size);
  }
  free_input (input, NULL);
  return r;
}

int
gst_av_zero_packet_add_palette (AVPacket *packet, const guint32 palette[AVPALETTE_COUNT])
{
  uint8_t *data = av_packet_new_side_data (packet, AV_PKT_DATA_PALETTE, AVPALETTE_SIZE);
  if (!data)
    return AVERROR (ENOMEM);
  memcpy (data, palette, AVPALETTE_SIZE);
  return 0;
}

gboolean
gst_av_zero_packet_is_header (enum AVCodecID id, const AVPacket *packet)
{
  return id == AV_CODEC_ID_THEORA && packet->size > 0 && (packet->data[0] & 0x80) != 0;
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
