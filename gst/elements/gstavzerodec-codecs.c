/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstavzerodec-codecs.c: the one table of which caps are which codec, and what is known about each. Caps are those that
 * GStreamer's parsers and demuxers give. docs/codecs.md is made from it.
 *
 * A row with narrower caps comes before the one whose caps include it. What is done with a codec's extra data is in
 * gstavzerodec-open.c.
 */
#include "gstavzerodec-private.h"

#include <string.h>

#define READS GST_AV_ZERO_READS_BACK
#define REWRITES (GST_AV_ZERO_READS_BACK | GST_AV_ZERO_REWRITES)
#define PACKED GST_AV_ZERO_PACKED_RGB
#define FILES GST_AV_ZERO_WHOLE_FILE

#define VIDEO_MPEG "video/mpeg, systemstream=(boolean)false, mpegversion=(int)"

#define CODEC_DATA "codec_data"
#define BITS "bpp or depth"
#define BITS_PALETTE "bpp or depth, palette_data"

static const GstAvZeroCodec codecs[] = {
  /* the standards */
  { AV_CODEC_ID_H264, "video/x-h264, stream-format=(string){ avc, avc3, byte-stream }, alignment=(string)au", NULL,
    CODEC_DATA, 17, READS },
  { AV_CODEC_ID_HEVC, "video/x-h265, stream-format=(string){ hvc1, hev1, byte-stream }, alignment=(string)au", NULL,
    CODEC_DATA, 17, READS },
  { AV_CODEC_ID_AV1, "video/x-av1, stream-format=(string)obu-stream, alignment=(string){ tu, frame }", NULL, CODEC_DATA,
    10, READS },
  { AV_CODEC_ID_VP8, "video/x-vp8", NULL, NULL, 5, READS },
  { AV_CODEC_ID_VP9, "video/x-vp9", NULL, NULL, 10, READS },
  { AV_CODEC_ID_MPEG1VIDEO, VIDEO_MPEG "1", NULL, CODEC_DATA, 3, READS },
  { AV_CODEC_ID_MPEG2VIDEO, VIDEO_MPEG "2", NULL, CODEC_DATA, 3, READS },
  { AV_CODEC_ID_MPEG4, VIDEO_MPEG "4; video/x-divx, divxversion=(int)[ 4, 5 ]; video/x-xvid", NULL,
    "codec_data; of video/x-divx the tag", 3, READS },
  { AV_CODEC_ID_H261, "video/x-h261", "H261", NULL, 3, READS },
  { AV_CODEC_ID_H263P, "video/x-h263, variant=(string)itu, h263version=(string){ h263p, h263pp }", NULL, CODEC_DATA, 3,
    READS },
  { AV_CODEC_ID_H263, "video/x-h263, variant=(string)itu", NULL, CODEC_DATA, 3, READS },
  { AV_CODEC_ID_H263I, "video/x-intel-h263, variant=(string)intel", NULL, NULL, 3, READS },
  { AV_CODEC_ID_MJPEG, "image/jpeg", NULL, NULL, 1, 0 },
  { AV_CODEC_ID_MJPEGB, "video/x-mjpeg-b", NULL, NULL, 1, 0 },
  { AV_CODEC_ID_JPEG2000, "image/x-j2c; image/x-jpc; image/jp2", "mjp2", CODEC_DATA, 1, PACKED },
  { AV_CODEC_ID_JPEGLS, "image/x-jpegls", "MJLS", NULL, 1, PACKED },
  { AV_CODEC_ID_DVVIDEO, "video/x-dv, systemstream=(boolean)false", NULL, NULL, 1, 0 },
  { AV_CODEC_ID_THEORA, "video/x-theora", NULL, "streamheader", 4, READS },
  { AV_CODEC_ID_DIRAC, "video/x-dirac", NULL, NULL, 4, READS },
  { AV_CODEC_ID_CAVS, "video/x-cavs", NULL, CODEC_DATA, 4, READS },

  /* Microsoft, Real, On2, Flash */
  { AV_CODEC_ID_MSMPEG4V1, "video/x-msmpeg, msmpegversion=(int)41", NULL, NULL, 3, READS },
  { AV_CODEC_ID_MSMPEG4V2, "video/x-msmpeg, msmpegversion=(int)42", NULL, NULL, 3, READS },
  { AV_CODEC_ID_MSMPEG4V3, "video/x-msmpeg, msmpegversion=(int)43; video/x-divx, divxversion=(int)3", NULL, NULL, 3,
    READS },
  { AV_CODEC_ID_MSS1, "video/x-wmv, wmvversion=(int)1, format=(string)MSS1", NULL, CODEC_DATA, 3, REWRITES },
  { AV_CODEC_ID_MSS2, "video/x-wmv, wmvversion=(int)3, format=(string)MSS2", NULL, CODEC_DATA, 3, REWRITES },
  { AV_CODEC_ID_VC1, "video/x-wmv, wmvversion=(int)3, format=(string){ WVC1, WMVA }", NULL, "codec_data, format", 3,
    READS },
  { AV_CODEC_ID_WMV1, "video/x-wmv, wmvversion=(int)1", NULL, "codec_data, format", 3, READS },
  { AV_CODEC_ID_WMV2, "video/x-wmv, wmvversion=(int)2", NULL, "codec_data, format", 3, READS },
  { AV_CODEC_ID_WMV3, "video/x-wmv, wmvversion=(int)3, format=(string)WMV3", NULL, "codec_data, format", 3, READS },
  { AV_CODEC_ID_RV10, "video/x-pn-realvideo, rmversion=(int)1", NULL, CODEC_DATA, 3, READS },
  { AV_CODEC_ID_RV20, "video/x-pn-realvideo, rmversion=(int)2", NULL, CODEC_DATA, 3, READS },
  { AV_CODEC_ID_RV30, "video/x-pn-realvideo, rmversion=(int)3", NULL, CODEC_DATA, 4, READS },
  { AV_CODEC_ID_RV40, "video/x-pn-realvideo, rmversion=(int)4", NULL, CODEC_DATA, 4, READS },
  { AV_CODEC_ID_VP3, "video/x-vp3", NULL, CODEC_DATA, 4, READS },
  { AV_CODEC_ID_VP5, "video/x-vp5", NULL, CODEC_DATA, 4, READS },
  { AV_CODEC_ID_VP6, "video/x-vp6", NULL, CODEC_DATA, 4, READS },
  { AV_CODEC_ID_VP6A, "video/x-vp6-alpha", NULL, CODEC_DATA, 4, READS },
  { AV_CODEC_ID_VP6F, "video/x-vp6-flash", NULL, CODEC_DATA, 4, READS },
  { AV_CODEC_ID_VP7, "video/x-vp7", NULL, CODEC_DATA, 5, READS },
  { AV_CODEC_ID_FLV1, "video/x-flash-video, flvversion=(int)1", NULL, NULL, 3, READS },
  { AV_CODEC_ID_FLASHSV, "video/x-flash-screen", NULL, NULL, 1, REWRITES | PACKED },
  { AV_CODEC_ID_FLASHSV2, "video/x-flash-screen2", NULL, NULL, 1, REWRITES | PACKED },

  /* editing */
  { AV_CODEC_ID_FFV1, "video/x-ffv, ffvversion=(int)1", NULL, CODEC_DATA, 2, PACKED },
  { AV_CODEC_ID_HUFFYUV, "video/x-huffyuv", NULL, "codec_data, bpp or depth", 1, PACKED },
  { AV_CODEC_ID_FFVHUFF, NULL, NULL, "codec_data, bpp or depth", 1, PACKED },
  { AV_CODEC_ID_UTVIDEO, NULL, NULL, "codec_data, of which the tag is made", 1, 0 },
  { AV_CODEC_ID_MAGICYUV, NULL, "M8RG M8RA M8Y0 M8Y2 M8Y4 M8YA M8G0 M0RG M0RA M0Y0 M0Y2 M0Y4 M0G0 M2RG M2RA", NULL, 1,
    0 },
  { AV_CODEC_ID_PRORES, "video/x-prores", NULL,
    "variant or format, as the tag: it says how many bits there are (with alpha 10)", 1, 0 },
  { AV_CODEC_ID_DNXHD, "video/x-dnxhd", "AVdh", NULL, 1, 0 },
  { AV_CODEC_ID_CFHD, "video/x-cineform", NULL, NULL, 1, 0 },
  { AV_CODEC_ID_HAP, NULL, "Hap1 Hap5 HapY HapM HapA", "the tag", 1, 0 },
  { AV_CODEC_ID_SPEEDHQ, "video/x-speedhq", NULL, "variant, as the tag", 1, 0 },
  { AV_CODEC_ID_AIC, "video/x-apple-intermediate-codec", NULL, NULL, 1, 0 },
  { AV_CODEC_ID_LAGARITH, "video/x-lagarith", NULL, CODEC_DATA, 1, 0 },
  { AV_CODEC_ID_FRAPS, "video/x-fraps", NULL, NULL, 1, REWRITES },
  { AV_CODEC_ID_LOCO, "video/x-loco", NULL, CODEC_DATA, 1, 0 },
  { AV_CODEC_ID_SNOW, NULL, "SNOW", NULL, 3, READS },

  /* screens */
  { AV_CODEC_ID_ZMBV, "video/x-zmbv", NULL, NULL, 1, PACKED },
  { AV_CODEC_ID_CSCD, "video/x-camstudio", NULL, BITS, 1, REWRITES },
  { AV_CODEC_ID_TSCC, "video/x-camtasia", NULL, BITS_PALETTE, 1, REWRITES },
  { AV_CODEC_ID_TSCC2, "video/x-tscc, tsccversion=(int)2", NULL, CODEC_DATA, 1, REWRITES },
  { AV_CODEC_ID_VMNC, "video/x-vmnc", NULL, BITS, 1, REWRITES },
  { AV_CODEC_ID_KMVC, "video/x-kmvc", NULL, "codec_data, palette_data", 1, REWRITES },
  { AV_CODEC_ID_MSZH, "video/x-mszh", NULL, CODEC_DATA, 1, 0 },
  { AV_CODEC_ID_ZLIB, "video/x-zlib", NULL, CODEC_DATA, 1, 0 },

  /* the time of multimedia CDs */
  { AV_CODEC_ID_CINEPAK, "video/x-cinepak", NULL, BITS_PALETTE, 1, REWRITES },
  { AV_CODEC_ID_QTRLE, "video/x-rle, layout=(string)quicktime", NULL, BITS_PALETTE, 1, REWRITES },
  { AV_CODEC_ID_MSRLE, "video/x-rle, layout=(string)microsoft", NULL, "codec_data, bpp or depth, palette_data", 1,
    REWRITES },
  { AV_CODEC_ID_AASC, "video/x-aasc", NULL, "codec_data, bpp or depth", 1, REWRITES },
  { AV_CODEC_ID_SVQ1, "video/x-svq, svqversion=(int)1", NULL, NULL, 2, READS },
  { AV_CODEC_ID_SVQ3, "video/x-svq, svqversion=(int)3", NULL, "codec_data, or seqh", 3, READS },
  { AV_CODEC_ID_MSVIDEO1, "video/x-msvideocodec, msvideoversion=(int)1", NULL, BITS_PALETTE, 1, REWRITES },
  { AV_CODEC_ID_RPZA, "video/x-apple-video", NULL, NULL, 1, REWRITES },
  { AV_CODEC_ID_SMC, "video/x-smc", NULL, "palette_data", 1, REWRITES },
  { AV_CODEC_ID_QDRAW, "video/x-qdrw", NULL, NULL, 1, 0 },
  { AV_CODEC_ID_INDEO2, "video/x-indeo, indeoversion=(int)2", NULL, NULL, 1, REWRITES },
  { AV_CODEC_ID_INDEO3, "video/x-indeo, indeoversion=(int)3", NULL, NULL, 1, READS },
  { AV_CODEC_ID_INDEO4, "video/x-indeo, indeoversion=(int)4", NULL, NULL, 1, READS },
  { AV_CODEC_ID_INDEO5, "video/x-indeo, indeoversion=(int)5", NULL, NULL, 1, READS },
  { AV_CODEC_ID_TRUEMOTION1, "video/x-truemotion, trueversion=(int)1", NULL, CODEC_DATA, 1, REWRITES },
  { AV_CODEC_ID_TRUEMOTION2, "video/x-truemotion, trueversion=(int)2", NULL, NULL, 1, REWRITES },
  { AV_CODEC_ID_ULTI, "video/x-ultimotion", NULL, NULL, 1, REWRITES },
  { AV_CODEC_ID_ASV1, "video/x-asus, asusversion=(int)1", NULL, CODEC_DATA, 1, 0 },
  { AV_CODEC_ID_ASV2, "video/x-asus, asusversion=(int)2", NULL, CODEC_DATA, 1, 0 },
  { AV_CODEC_ID_CLJR, "video/x-cirrus-logic-accupak", NULL, NULL, 1, 0 },
  { AV_CODEC_ID_CYUV, "video/x-compressed-yuv", NULL, NULL, 1, 0 },
  { AV_CODEC_ID_VCR1, "video/x-ati-vcr, vcrversion=(int)1", NULL, NULL, 1, 0 },
  { AV_CODEC_ID_XAN_WC4, "video/x-xan, wcversion=(int)4", NULL, CODEC_DATA, 1, REWRITES },
  { AV_CODEC_ID_MIMIC, "video/x-mimic", NULL, NULL, 3, READS },
  { AV_CODEC_ID_NUV, "video/x-nuv", NULL, CODEC_DATA, 1, REWRITES },
  { AV_CODEC_ID_AMV, "video/x-amv", NULL, NULL, 1, 0 },
  { AV_CODEC_ID_SP5X, "video/sp5x", NULL, NULL, 1, 0 },
  { AV_CODEC_ID_8BPS, NULL, NULL, BITS, 1, 0 },
  { AV_CODEC_ID_QPEG, NULL, NULL, "palette_data", 1, REWRITES },
  { AV_CODEC_ID_WNV1, NULL, NULL, NULL, 1, 0 },
  { AV_CODEC_ID_VIXL, "video/x-gst-av-xl", NULL, NULL, 1, 0 },

  /* games, by the demuxers of gst-libav */
  { AV_CODEC_ID_4XM, "video/x-4xm", NULL, CODEC_DATA, 3, REWRITES },
  { AV_CODEC_ID_XAN_WC3, "video/x-xan, wcversion=(int)3", NULL, CODEC_DATA, 3, REWRITES },
  { AV_CODEC_ID_ROQ, "video/x-gst-av-roqvideo", NULL, NULL, 3, REWRITES },
  { AV_CODEC_ID_FLIC, NULL, NULL, CODEC_DATA, 1, REWRITES },
  { AV_CODEC_ID_IDCIN, "video/x-gst-av-idcinvideo", NULL, "codec_data, palette_data", 1, REWRITES },
  { AV_CODEC_ID_INTERPLAY_VIDEO, NULL, NULL, BITS, 3, REWRITES },
  { AV_CODEC_ID_MMVIDEO, NULL, NULL, NULL, 1, REWRITES },
  { AV_CODEC_ID_MDEC, NULL, NULL, NULL, 1, 0 },
  { AV_CODEC_ID_VMDVIDEO, NULL, NULL, CODEC_DATA, 2, REWRITES },
  { AV_CODEC_ID_WS_VQA, "video/x-gst-av-vqavideo", NULL, CODEC_DATA, 1, REWRITES },
  { AV_CODEC_ID_AVS, NULL, NULL, NULL, 1, REWRITES },

  /* still pictures */
  { AV_CODEC_ID_PNG, "image/png", NULL, NULL, 2, PACKED },
  { AV_CODEC_ID_GIF, "image/gif", NULL, NULL, 1, REWRITES | FILES },
  { AV_CODEC_ID_BMP, "image/bmp", NULL, NULL, 1, PACKED | FILES },
  { AV_CODEC_ID_TIFF, "image/tiff", NULL, NULL, 1, PACKED | FILES },
  { AV_CODEC_ID_WEBP, "image/webp", NULL, NULL, 1, FILES },
  { AV_CODEC_ID_TARGA, "image/x-tga", "tga", NULL, 1, PACKED | FILES },
  { AV_CODEC_ID_PCX, "image/x-pcx", NULL, NULL, 1, FILES },
  { AV_CODEC_ID_SGI, "image/x-sgi", NULL, NULL, 1, FILES },
  { AV_CODEC_ID_SUNRAST, "image/x-sun-raster", NULL, NULL, 1, FILES },
  { AV_CODEC_ID_PPM, "image/ppm; image/x-portable-pixmap", NULL, NULL, 1, FILES },
  { AV_CODEC_ID_PGM, "image/pgm; image/x-portable-graymap", NULL, NULL, 1, FILES },
  { AV_CODEC_ID_PAM, "image/x-portable-anymap", NULL, NULL, 1, FILES },
};

static void append_text (GString *text, const gchar *format, ...) G_GNUC_PRINTF (2, 3);

static void
append_text (GString *text, const gchar *format, ...)
{
  va_list args;
  if (text->len > 0)
    g_string_append (text, "; ");
  va_start (args, format);
  g_string_append_vprintf (text, format, args);
  va_end (args);
}

/*
 * What demuxers say of codecs that they do not know themselves: qtdemux puts the fourcc into the name (and _ where the
 * fourcc has a space), matroskademux gives it as text, avidemux as a number. None of them passes codec_data on then, so
 * only codecs that need none have fourccs here.
 */
static void
append_fourccs (GString *text, const gchar *fourccs)
{
  gchar **names = g_strsplit (fourccs, " ", 0);
  for (guint i = 0; names[i]; i++) {
    gchar padded[5], named[5];
    g_snprintf (padded, sizeof padded, "%-4s", names[i]);
    memcpy (named, padded, sizeof named);
    g_strdelimit (named, " ", '_');
    append_text (text, "video/x-gst-fourcc-%s", named);
    append_text (text, "video/x-unknown, fourcc=(string)\"%s\"", padded);
    append_text (text, "video/x-avi-unknown, fourcc=(int)%u",
                 (guint) GST_MAKE_FOURCC (padded[0], padded[1], padded[2], padded[3]));
  }
  g_strfreev (names);
}

GstCaps *
gst_av_zero_codec_get_caps (const GstAvZeroCodec *codec)
{
  GString *text = g_string_new (codec->caps);
  if (codec->fourccs)
    append_fourccs (text, codec->fourccs);
  /* What gst-libav's encoders and demuxers say of a codec for which GStreamer has no name. */
  if (!codec->caps)
    append_text (text, "video/x-gst-av-%s", avcodec_get_name (codec->id));
  GstCaps *caps = gst_caps_from_string (text->str);
  g_string_free (text, TRUE);
  return caps;
}

guint
gst_av_zero_codecs_get_n (void)
{
  return G_N_ELEMENTS (codecs);
}

const GstAvZeroCodec *
gst_av_zero_codecs_get (guint index)
{
  return &codecs[index];
}

GstCaps *
gst_av_zero_codecs_get_caps (void)
{
  GstCaps *caps = gst_caps_new_empty ();
  for (guint i = 0; i < G_N_ELEMENTS (codecs); i++) {
    if (avcodec_find_decoder (codecs[i].id))
      gst_caps_append (caps, gst_av_zero_codec_get_caps (&codecs[i]));
  }
  return caps;
}

/* Making caps of a row takes time, and most rows have another name. */
static gboolean
may_fit (const GstAvZeroCodec *codec, const gchar *name)
{
  return !codec->caps || codec->fourccs || strstr (codec->caps, name);
}

/* Caps that lack a field that a row names fit it only where no other row asks for less. */
const GstAvZeroCodec *
gst_av_zero_codecs_find (GstCaps *caps)
{
  const gchar *name = gst_structure_get_name (gst_caps_get_structure (caps, 0));
  const GstAvZeroCodec *found = NULL;
  for (guint i = 0; i < G_N_ELEMENTS (codecs); i++) {
    if (!may_fit (&codecs[i], name))
      continue;
    GstCaps *row = gst_av_zero_codec_get_caps (&codecs[i]);
    gboolean inside = gst_caps_is_subset (caps, row);
    if (inside || (!found && gst_caps_can_intersect (caps, row)))
      found = &codecs[i];
    gst_caps_unref (row);
    if (inside)
      break;
  }
  return found;
}
