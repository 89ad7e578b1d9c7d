/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstavzerodec-time.c: what the decoder does about time: which frames it leaves out when there is not enough of it or
 * when the segment wants only some, whether it may hold frames back, and how long it does.
 */
#include "gstavzerodec-private.h"

/* In a trick mode what the segment asks for; else what the property says, or more where pictures come out too late. Of
 * those nobody predicts from, or what comes after would be damaged. */
static enum AVDiscard
decide_skip (GstAvZeroDec *self, GstVideoCodecFrame *codec_frame)
{
  GstVideoDecoder *decoder = GST_VIDEO_DECODER (self);
  GstSegmentFlags segment = decoder->input_segment.flags;
  if (segment & GST_SEGMENT_FLAG_TRICKMODE_KEY_UNITS)
    return AVDISCARD_NONKEY;
  if (segment & GST_SEGMENT_FLAG_TRICKMODE)
    return AVDISCARD_NONREF;
  /* A frame without a time would count as late as soon as anything is known; with qos=false it is known too. */
  gboolean late = g_atomic_int_get (&self->downstream_is_late) && GST_CLOCK_TIME_IS_VALID (codec_frame->deadline)
                  && gst_video_decoder_get_max_decode_time (decoder, codec_frame) <= 0;
  gboolean qos = TRUE;
  if (late)
    g_object_get (self, "qos", &qos, NULL);
  return late && qos ? AVDISCARD_NONREF : AVDISCARD_DEFAULT;
}

/* The base class takes the time of the last picture for one that has passed, also where that picture was in time, and
 * even where nobody looks at the clock. A stream whose times are not complete has pictures with a guessed one: if it is
 * too far ahead, frames would be left out that nobody is waiting for. So somebody has to have come late. */
gboolean
gst_av_zero_dec_src_event (GstVideoDecoder *decoder, GstEvent *event)
{
  GstAvZeroDec *self = GST_AV_ZERO_DEC (decoder);
  if (GST_EVENT_TYPE (event) == GST_EVENT_QOS) {
    GstClockTimeDiff late_ns;
    gst_event_parse_qos (event, NULL, NULL, &late_ns, NULL);
    g_atomic_int_set (&self->downstream_is_late, late_ns > 0);
  }
  return GST_VIDEO_DECODER_CLASS (g_type_class_peek_parent (G_OBJECT_GET_CLASS (self)))->src_event (decoder, event);
}

void
gst_av_zero_dec_update_skip (GstAvZeroDec *self, GstVideoCodecFrame *codec_frame)
{
  enum AVDiscard skip = decide_skip (self, codec_frame);
  GST_OBJECT_LOCK (self);
  skip = MAX (skip, (enum AVDiscard) self->skip_frame);
  GST_OBJECT_UNLOCK (self);
  if (skip != self->context->skip_frame)
    GST_DEBUG_OBJECT (self, "frames to leave out: %d, until now %d", skip, self->context->skip_frame);
  self->context->skip_frame = skip;
}

gboolean
gst_av_zero_dec_is_live (GstAvZeroDec *self)
{
  GstQuery *query = gst_query_new_latency ();
  gboolean live = FALSE;
  if (gst_pad_peer_query (GST_VIDEO_DECODER_SINK_PAD (self), query))
    gst_query_parse_latency (query, &live, NULL, NULL);
  gst_query_unref (query);
  return live;
}

/* Of frame threads libavcodec says it in delay, and so do decoders with threads of their own. */
void
gst_av_zero_dec_update_latency (GstAvZeroDec *self)
{
  const GstVideoInfo *info = &self->picture.info;
  gint frames = self->context->has_b_frames + self->context->delay;
  if (GST_VIDEO_INFO_FPS_N (info) <= 0 || GST_VIDEO_INFO_FPS_D (info) <= 0 || frames < 0)
    return;
  GstClockTime latency = gst_util_uint64_scale ((guint64) frames * GST_SECOND, (guint64) GST_VIDEO_INFO_FPS_D (info),
                                                (guint64) GST_VIDEO_INFO_FPS_N (info));
  if (latency != self->latency) {
    self->latency = latency;
    gst_video_decoder_set_latency (GST_VIDEO_DECODER (self), latency, latency);
  }
}
