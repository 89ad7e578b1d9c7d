/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstavzerodec-caps.c: what a picture is becomes caps and tags, negotiated whenever it changes; what nobody takes, or
 * what GStreamer has no name for, becomes one clear error.
 *
 * What the container says wins, as everywhere in GStreamer.
 */
#include "gstavzerodec-private.h"

#include <math.h>

#include <libavutil/display.h>
#include <libavutil/mastering_display_metadata.h>
#include <libavutil/pixdesc.h>
#include <libavutil/stereo3d.h>

/* Pictures in a row whose format has no name, before it is believed: a second of most streams. */
#define MOST_UNNAMED 30

/* FFmpeg keeps the colours of a palette as 32-bit words of this machine. */
GstVideoFormat
gst_av_zero_get_palette_format (void)
{
  return gst_ba_format_from_av (AV_PIX_FMT_RGB32);
}

static gboolean
input_has_field (const GstAvZeroDec *self, const gchar *field)
{
  return gst_structure_has_field (gst_caps_get_structure (self->input_state->caps, 0), field);
}

/* A stream that has had both kinds of pictures is mixed from then on. Caps that were made before there was a picture
 * do not count: libavcodec says of many codecs only later what the fields are. */
static GstVideoInterlaceMode
get_interlace_mode (const GstAvZeroDec *self, GstVideoInterlaceMode mode)
{
  if (GST_VIDEO_INFO_INTERLACE_MODE (&self->input_state->info) == GST_VIDEO_INTERLACE_MODE_MIXED)
    return GST_VIDEO_INTERLACE_MODE_MIXED;
  if (self->negotiated && !self->early && GST_VIDEO_INFO_INTERLACE_MODE (&self->picture.info) != mode)
    return GST_VIDEO_INTERLACE_MODE_MIXED;
  return mode;
}

/* Of streams whose pictures are all interlaced in the same way; the others say it on each buffer. */
static GstVideoFieldOrder
get_field_order (const GstAvZeroDec *self, GstVideoInterlaceMode mode, GstVideoFieldOrder order)
{
  if (mode != GST_VIDEO_INTERLACE_MODE_INTERLEAVED)
    return GST_VIDEO_FIELD_ORDER_UNKNOWN;
  if (self->negotiated && !self->early && GST_VIDEO_INFO_FIELD_ORDER (&self->picture.info) != order)
    return GST_VIDEO_FIELD_ORDER_UNKNOWN;
  return order;
}

/* The words of a frame, of which the container's are still missing. FALSE: GStreamer has no name for it. */
static gboolean
get_frame_info (const AVFrame *frame, GstVideoInfo *info)
{
  if (frame->format != AV_PIX_FMT_PAL8)
    return gst_ba_avframe_get_video_info (frame, info);
  if (!gst_video_info_set_format (info, gst_av_zero_get_palette_format (), (guint) frame->width, (guint) frame->height))
    return FALSE;
  if (frame->sample_aspect_ratio.num > 0 && frame->sample_aspect_ratio.den > 0) {
    GST_VIDEO_INFO_PAR_N (info) = frame->sample_aspect_ratio.num;
    GST_VIDEO_INFO_PAR_D (info) = frame->sample_aspect_ratio.den;
  }
  return TRUE;
}

/* A format of its own for full range is the truth, whatever the container says. */
static gboolean
is_full_range_format (int pix_fmt)
{
  const gchar *name = av_get_pix_fmt_name (pix_fmt);
  return name && g_str_has_prefix (name, "yuvj");
}

static void
set_colours (const GstAvZeroDec *self, const AVFrame *frame, const GstVideoInfo *from, GstVideoInfo *info)
{
  const GstVideoInfo *input = &self->input_state->info;
  info->colorimetry = from->colorimetry;
  info->chroma_site = from->chroma_site;
  if (GST_VIDEO_INFO_IS_RGB (info))
    return;
  if (input_has_field (self, "colorimetry")) {
    info->colorimetry = input->colorimetry;
    if (is_full_range_format (frame->format))
      info->colorimetry.range = GST_VIDEO_COLOR_RANGE_0_255;
  }
  if (input_has_field (self, "chroma-site"))
    info->chroma_site = input->chroma_site;
}

/* Encoders say it with each key frame: what a frame does not say is as before. */
static void
set_stereo (const GstAvZeroDec *self, const AVFrame *frame, GstVideoInfo *info)
{
  static const struct
  {
    enum AVStereo3DType type;
    GstVideoMultiviewMode mode;
  } modes[] = {
    { AV_STEREO3D_2D, GST_VIDEO_MULTIVIEW_MODE_MONO },
    { AV_STEREO3D_SIDEBYSIDE, GST_VIDEO_MULTIVIEW_MODE_SIDE_BY_SIDE },
    { AV_STEREO3D_TOPBOTTOM, GST_VIDEO_MULTIVIEW_MODE_TOP_BOTTOM },
    { AV_STEREO3D_FRAMESEQUENCE, GST_VIDEO_MULTIVIEW_MODE_FRAME_BY_FRAME },
    { AV_STEREO3D_CHECKERBOARD, GST_VIDEO_MULTIVIEW_MODE_CHECKERBOARD },
    { AV_STEREO3D_SIDEBYSIDE_QUINCUNX, GST_VIDEO_MULTIVIEW_MODE_SIDE_BY_SIDE_QUINCUNX },
    { AV_STEREO3D_LINES, GST_VIDEO_MULTIVIEW_MODE_ROW_INTERLEAVED },
    { AV_STEREO3D_COLUMNS, GST_VIDEO_MULTIVIEW_MODE_COLUMN_INTERLEAVED },
  };
  if (input_has_field (self, "multiview-mode")) {
    GST_VIDEO_INFO_MULTIVIEW_MODE (info) = GST_VIDEO_INFO_MULTIVIEW_MODE (&self->input_state->info);
    GST_VIDEO_INFO_MULTIVIEW_FLAGS (info) = GST_VIDEO_INFO_MULTIVIEW_FLAGS (&self->input_state->info);
    GST_VIDEO_INFO_VIEWS (info) = GST_VIDEO_INFO_VIEWS (&self->input_state->info);
    return;
  }
  const AVFrameSideData *data = av_frame_get_side_data (frame, AV_FRAME_DATA_STEREO3D);
  if (!data && self->negotiated) {
    GST_VIDEO_INFO_MULTIVIEW_MODE (info) = GST_VIDEO_INFO_MULTIVIEW_MODE (&self->picture.info);
    GST_VIDEO_INFO_MULTIVIEW_FLAGS (info) = GST_VIDEO_INFO_MULTIVIEW_FLAGS (&self->picture.info);
  }
  if (!data)
    return;
  const AVStereo3D *stereo = (const AVStereo3D *) data->data;
  for (guint i = 0; i < G_N_ELEMENTS (modes); i++) {
    if (modes[i].type == stereo->type)
      GST_VIDEO_INFO_MULTIVIEW_MODE (info) = modes[i].mode;
  }
  if (stereo->flags & AV_STEREO3D_FLAG_INVERT)
    GST_VIDEO_INFO_MULTIVIEW_FLAGS (info) = GST_VIDEO_MULTIVIEW_FLAGS_RIGHT_VIEW_FIRST;
}

static guint32
scale (AVRational value, gint64 units, guint32 largest)
{
  if (value.num <= 0 || value.den <= 0)
    return 0;
  return (guint32) MIN (av_rescale (value.num, units, value.den), (gint64) largest);
}

static GstVideoMasteringDisplayInfoCoordinates
get_coordinates (const AVRational point[2])
{
  return (GstVideoMasteringDisplayInfoCoordinates){ (guint16) scale (point[0], 50000, G_MAXUINT16),
                                                    (guint16) scale (point[1], 50000, G_MAXUINT16) };
}

/* As with stereo: once, or with each key frame. */
static void
set_light (const GstAvZeroDec *self, const AVFrame *frame, GstAvZeroPicture *picture)
{
  const AVFrameSideData *data = av_frame_get_side_data (frame, AV_FRAME_DATA_MASTERING_DISPLAY_METADATA);
  const AVMasteringDisplayMetadata *mastering = data ? (const AVMasteringDisplayMetadata *) data->data : NULL;
  if (self->negotiated) {
    picture->has_mastering = self->picture.has_mastering;
    picture->mastering = self->picture.mastering;
    picture->has_light_level = self->picture.has_light_level;
    picture->light_level = self->picture.light_level;
  }
  if (mastering && mastering->has_primaries && mastering->has_luminance) {
    gst_video_mastering_display_info_init (&picture->mastering);
    for (guint i = 0; i < 3; i++)
      picture->mastering.display_primaries[i] = get_coordinates (mastering->display_primaries[i]);
    picture->mastering.white_point = get_coordinates (mastering->white_point);
    picture->mastering.max_display_mastering_luminance = scale (mastering->max_luminance, 10000, G_MAXUINT32);
    picture->mastering.min_display_mastering_luminance = scale (mastering->min_luminance, 10000, G_MAXUINT32);
    picture->has_mastering = TRUE;
  }
  data = av_frame_get_side_data (frame, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL);
  const AVContentLightMetadata *light = data ? (const AVContentLightMetadata *) data->data : NULL;
  if (light && light->MaxCLL > 0 && light->MaxFALL > 0) {
    gst_video_content_light_level_init (&picture->light_level);
    picture->light_level.max_content_light_level = (guint16) MIN (light->MaxCLL, G_MAXUINT16);
    picture->light_level.max_frame_average_light_level = (guint16) MIN (light->MaxFALL, G_MAXUINT16);
    picture->has_light_level = TRUE;
  }
}

/* Demuxers say 1/1 of containers that cannot say otherwise, too: then the stream knows better. */
static void
set_pixel_shape (const GstAvZeroDec *self, const GstVideoInfo *from, GstVideoInfo *info)
{
  const GstVideoInfo *input = &self->input_state->info;
  gboolean said =
      input_has_field (self, "pixel-aspect-ratio") && GST_VIDEO_INFO_PAR_N (input) != GST_VIDEO_INFO_PAR_D (input);
  GST_VIDEO_INFO_PAR_N (info) = GST_VIDEO_INFO_PAR_N (said ? input : from);
  GST_VIDEO_INFO_PAR_D (info) = GST_VIDEO_INFO_PAR_D (said ? input : from);
}

/* Without a rate nobody would know when to show pictures that come without times: bare MPEG-4 has it in its headers,
 * and no parser looks there. More than so many a second is a clock, and no rate. */
static void
set_rate (const GstAvZeroDec *self, GstVideoInfo *info)
{
  const AVRational most = { 1000, 1 };
  AVRational rate = self->context->framerate;
  if (input_has_field (self, "framerate")) {
    GST_VIDEO_INFO_FPS_N (info) = GST_VIDEO_INFO_FPS_N (&self->input_state->info);
    GST_VIDEO_INFO_FPS_D (info) = GST_VIDEO_INFO_FPS_D (&self->input_state->info);
  } else if (rate.num > 0 && rate.den > 0 && av_cmp_q (rate, most) <= 0) {
    GST_VIDEO_INFO_FPS_N (info) = rate.num;
    GST_VIDEO_INFO_FPS_D (info) = rate.den;
  }
}

static gboolean
describe (const GstAvZeroDec *self, const AVFrame *frame, gint width_px, gint height_px, GstAvZeroPicture *picture)
{
  GstVideoInfo from, *info = &picture->info;
  if (!get_frame_info (frame, &from))
    return FALSE;
  GstVideoInterlaceMode mode = get_interlace_mode (self, GST_VIDEO_INFO_INTERLACE_MODE (&from));
  if (!gst_video_info_set_interlaced_format (info, GST_VIDEO_INFO_FORMAT (&from), mode, (guint) width_px,
                                             (guint) height_px))
    return FALSE;
  GST_VIDEO_INFO_FIELD_ORDER (info) = get_field_order (self, mode, GST_VIDEO_INFO_FIELD_ORDER (&from));
  set_colours (self, frame, &from, info);
  set_stereo (self, frame, info);
  set_pixel_shape (self, &from, info);
  set_rate (self, info);
  set_light (self, frame, picture);
  return TRUE;
}

static gboolean
is_same (const GstAvZeroPicture *a, const GstAvZeroPicture *b)
{
  return gst_video_info_is_equal (&a->info, &b->info) && a->has_mastering == b->has_mastering
         && a->has_light_level == b->has_light_level
         && (!a->has_mastering || gst_video_mastering_display_info_is_equal (&a->mastering, &b->mastering))
         && (!a->has_light_level || gst_video_content_light_level_is_equal (&a->light_level, &b->light_level));
}

static gboolean
post_unknown_format (GstAvZeroDec *self, int pix_fmt)
{
  const gchar *name = av_get_pix_fmt_name (pix_fmt);
  GST_ELEMENT_ERROR (self, STREAM, FORMAT,
                     ("The stream's pixel format %s is not supported: put another decoder (decodebin finds one) and "
                      "videoconvert in place of this one.",
                      name ? name : "?"),
                     ("GStreamer has no name for these bytes, and this element does not convert"));
  return FALSE;
}

static void
post_refusal (GstAvZeroDec *self, GstCaps *caps)
{
  GstPad *pad = GST_VIDEO_DECODER_SRC_PAD (self);
  GstPad *peer = gst_pad_get_peer (pad);
  GstElement *next = peer ? gst_pad_get_parent_element (peer) : NULL;
  const GstVideoInfo *info = &self->picture.info;
  GST_ELEMENT_ERROR (self, STREAM, FORMAT,
                     ("%s does not take %s of %dx%d, which is what is in the stream: put videoconvert between.",
                      next ? GST_OBJECT_NAME (next) : "What follows",
                      gst_video_format_to_string (GST_VIDEO_INFO_FORMAT (info)), GST_VIDEO_INFO_WIDTH (info),
                      GST_VIDEO_INFO_HEIGHT (info)),
                     ("this element does not convert; its caps are %" GST_PTR_FORMAT, (gpointer) caps));
  gst_clear_object (&next);
  gst_clear_object (&peer);
}

/* Pushing caps that nobody takes is no failure for GStreamer, only pushing buffers after them: so ask before. The query
 * looks behind the next element too, and whoever cannot answer is taken to agree. */
static gboolean
negotiate (GstAvZeroDec *self, GstCaps *caps)
{
  GstPad *pad = GST_VIDEO_DECODER_SRC_PAD (self);
  GstCaps *taken = gst_pad_peer_query_caps (pad, caps);
  self->negotiated = !gst_caps_is_empty (taken) && gst_video_decoder_negotiate (GST_VIDEO_DECODER (self));
  self->refused = !self->negotiated && !GST_PAD_IS_FLUSHING (pad);
  if (self->refused)
    post_refusal (self, caps);
  gst_clear_caps (&taken);
  return self->negotiated;
}

/* Where the container says what the light is, the base class has put that into the caps' place. */
static GstCaps *
make_caps (const GstAvZeroDec *self, const GstVideoInfo *info)
{
  GstCaps *caps = gst_video_info_to_caps (info);
  if (self->picture.has_mastering && !input_has_field (self, "mastering-display-info"))
    gst_video_mastering_display_info_add_to_caps (&self->picture.mastering, caps);
  if (self->picture.has_light_level && !input_has_field (self, "content-light-level"))
    gst_video_content_light_level_add_to_caps (&self->picture.light_level, caps);
  return caps;
}

/* Damage makes formats, too. So one that GStreamer has no name for, in a stream that had another, is taken for that; not
 * for ever, since streams may really change. */
gboolean
gst_av_zero_dec_is_format_damaged (GstAvZeroDec *self, const AVFrame *frame)
{
  GstVideoInfo info;
  if (get_frame_info (frame, &info)) {
    self->n_unnamed = 0;
    return FALSE;
  }
  return self->negotiated && ++self->n_unnamed <= MOST_UNNAMED;
}

gboolean
gst_av_zero_dec_update_caps (GstAvZeroDec *self, const AVFrame *frame, gint width_px, gint height_px)
{
  GstAvZeroPicture picture = { 0 };
  gboolean known = describe (self, frame, width_px, height_px, &picture);
  if (known && self->negotiated && is_same (&picture, &self->picture))
    return TRUE;
  if (self->refused)
    return FALSE;
  if (!known) {
    self->refused = TRUE;
    return post_unknown_format (self, frame->format);
  }
  const GstVideoInfo *info = &picture.info;
  GstVideoCodecState *state = gst_video_decoder_set_interlaced_output_state (
      GST_VIDEO_DECODER (self), GST_VIDEO_INFO_FORMAT (info), GST_VIDEO_INFO_INTERLACE_MODE (info), (guint) width_px,
      (guint) height_px, self->input_state);
  if (!state)
    return FALSE;
  GST_VIDEO_INFO_FIELD_ORDER (&state->info) = GST_VIDEO_INFO_FIELD_ORDER (info);
  GST_VIDEO_INFO_MULTIVIEW_MODE (&state->info) = GST_VIDEO_INFO_MULTIVIEW_MODE (info);
  GST_VIDEO_INFO_MULTIVIEW_FLAGS (&state->info) = GST_VIDEO_INFO_MULTIVIEW_FLAGS (info);
  GST_VIDEO_INFO_VIEWS (&state->info) = GST_VIDEO_INFO_VIEWS (info);
  GST_VIDEO_INFO_PAR_N (&state->info) = GST_VIDEO_INFO_PAR_N (info);
  GST_VIDEO_INFO_PAR_D (&state->info) = GST_VIDEO_INFO_PAR_D (info);
  GST_VIDEO_INFO_FPS_N (&state->info) = GST_VIDEO_INFO_FPS_N (info);
  GST_VIDEO_INFO_FPS_D (&state->info) = GST_VIDEO_INFO_FPS_D (info);
  state->info.colorimetry = info->colorimetry;
  state->info.chroma_site = info->chroma_site;
  self->picture = picture;
  self->negotiated = FALSE;
  gst_caps_take (&state->caps, make_caps (self, &state->info));
  gboolean ok = negotiate (self, state->caps);
  gst_video_codec_state_unref (state);
  return ok;
}

/* The matrix says where the picture's axes go, y downwards: that is a turn, after a mirror where it has a negative
 * area. Turns by other angles than quarters are shown by nobody. */
static const gchar *
get_orientation (const AVFrame *frame)
{
  static const gchar *turns[] = { "rotate-0", "rotate-90", "rotate-180", "rotate-270" };
  static const gchar *flips[] = { "flip-rotate-0", "flip-rotate-90", "flip-rotate-180", "flip-rotate-270" };
  const AVFrameSideData *data = av_frame_get_side_data (frame, AV_FRAME_DATA_DISPLAYMATRIX);
  if (!data || data->size < 9 * sizeof (gint32))
    return NULL;
  const gint32 *m = (const gint32 *) data->data;
  gdouble xx = m[0], xy = m[1], yx = m[3], yy = m[4];
  gboolean flipped = xx * yy - xy * yx < 0.0;
  gdouble degrees = (flipped ? atan2 (-xy, -xx) : atan2 (xy, xx)) * 180.0 / G_PI;
  gint quarter = ((gint) lround (degrees / 90.0) + 4) % 4;
  return flipped ? flips[quarter] : turns[quarter];
}

void
gst_av_zero_dec_update_tags (GstAvZeroDec *self, const AVFrame *frame)
{
  const gchar *orientation = get_orientation (frame);
  if (!orientation || orientation == self->orientation)
    return;
  self->orientation = orientation;
  GstTagList *tags = gst_tag_list_new (GST_TAG_IMAGE_ORIENTATION, orientation, NULL);
  gst_video_decoder_merge_tags (GST_VIDEO_DECODER (self), tags, GST_TAG_MERGE_KEEP);
  gst_tag_list_unref (tags);
}
