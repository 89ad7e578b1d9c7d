/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * print-codecs.c: libavcodec's major version, and the table of avzerodec's codecs, a line each, for scripts/codecs-md:
 * name, long name, decoder, whether it is direct, what is taken from the caps, whether it is a file, the caps; tabs
 * between.
 */
#include <stdio.h>

#include "gstavzerodec-private.h"

static const gchar *
get_direct (const AVCodec *decoder, guint flags)
{
  if (!decoder || !(decoder->capabilities & AV_CODEC_CAP_DR1))
    return "no: own memory";
  if (flags & GST_AV_ZERO_REWRITES)
    return "no: writes frames twice";
  return flags & GST_AV_ZERO_PACKED_RGB ? "RGB" : "no";
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  printf ("%u\n", avcodec_version () >> 16);
  for (guint i = 0; i < gst_av_zero_codecs_get_n (); i++) {
    const GstAvZeroCodec *codec = gst_av_zero_codecs_get (i);
    const AVCodec *decoder = avcodec_find_decoder (codec->id);
    const AVCodecDescriptor *descriptor = avcodec_descriptor_get (codec->id);
    GstCaps *caps = gst_av_zero_codec_get_caps (codec);
    gchar *text = gst_caps_to_string (caps);
    printf ("%s\t%s\t%s\t%s\t%s\t%s\t%s\n", avcodec_get_name (codec->id), descriptor->long_name,
            decoder ? decoder->name : "-", get_direct (decoder, codec->flags), codec->extra ? codec->extra : "-",
            codec->flags & GST_AV_ZERO_WHOLE_FILE ? "file" : "-", text);
    g_free (text);
    gst_caps_unref (caps);
  }
  return 0;
}
