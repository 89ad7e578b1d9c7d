/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstavzerodec-pending.c: which of the base class's frames may still become a picture. The base class takes the oldest
 * time in its list where it does not trust the order of pictures: frames that stay there for nothing would make every
 * later picture early.
 *
 * libavcodec asks for memory when it begins a picture, and what is tied to that memory is freed with the last reference
 * to it. So a frame whose packet is through gives no picture any more when there is no memory for it, or none any more.
 */
#include "gstavzerodec-private.h"

#define SLOTS                                                                                                          \
  256 /* more than libavcodec ever holds; a slot taken over by a later frame says that the earlier is through */

typedef struct
{
  guint number;
  guint n_buffers;
} Slot;

struct _GstAvZeroPending
{
  gint refs;
  GMutex lock;
  Slot slots[SLOTS];
};

typedef struct
{
  GstAvZeroPending *pending;
  guint number;
} Mark;

GstAvZeroPending *
gst_av_zero_pending_new (void)
{
  GstAvZeroPending *pending = g_new0 (GstAvZeroPending, 1);
  pending->refs = 1;
  g_mutex_init (&pending->lock);
  return pending;
}

void
gst_av_zero_pending_unref (GstAvZeroPending *pending)
{
  if (g_atomic_int_dec_and_test (&pending->refs)) {
    g_mutex_clear (&pending->lock);
    g_free (pending);
  }
}

/* Nobody has the picture any more: on any thread, perhaps after the element has gone. */
static void
end_mark (void *opaque, uint8_t *data)
{
  Mark *mark = opaque;
  Slot *slot = &mark->pending->slots[mark->number % SLOTS];
  (void) data;
  g_mutex_lock (&mark->pending->lock);
  if (slot->number == mark->number && slot->n_buffers > 0)
    slot->n_buffers--;
  g_mutex_unlock (&mark->pending->lock);
  gst_av_zero_pending_unref (mark->pending);
  g_free (mark);
}

int
gst_av_zero_pending_begin (GstAvZeroPending *pending, AVFrame *frame)
{
  Mark *mark = g_new (Mark, 1);
  mark->pending = pending;
  mark->number = gst_av_zero_frame_get_number (frame);
  frame->opaque_ref = av_buffer_create ((uint8_t *) mark, sizeof *mark, end_mark, mark, AV_BUFFER_FLAG_READONLY);
  if (!frame->opaque_ref) {
    g_free (mark);
    return AVERROR (ENOMEM);
  }
  g_atomic_int_inc (&pending->refs);
  Slot *slot = &pending->slots[mark->number % SLOTS];
  g_mutex_lock (&pending->lock);
  if (slot->number != mark->number)
    *slot = (Slot){ mark->number, 0 };
  slot->n_buffers++;
  g_mutex_unlock (&pending->lock);
  return 0;
}

gboolean
gst_av_zero_pending_has (GstAvZeroPending *pending, guint number)
{
  const Slot *slot = &pending->slots[number % SLOTS];
  g_mutex_lock (&pending->lock);
  gboolean has = slot->number == number && slot->n_buffers > 0;
  g_mutex_unlock (&pending->lock);
  return has;
}

/* Packets that are surely through libavcodec: all but the last one, and with frame threads but one for each. Of decoders
 * that bring their own memory nobody knows what they hold: so much at most, twice where the fields come one by one. */
static guint
get_n_inside (const GstAvZeroDec *self)
{
  const AVCodecContext *context = self->context;
  gint inside = 1;
  if (context->active_thread_type & FF_THREAD_FRAME)
    inside = context->thread_count + 1;
  if (!(context->codec->capabilities & AV_CODEC_CAP_DR1))
    inside = 2 * MAX (context->has_b_frames + context->thread_count + context->delay, 0) + 36;
  return (guint) inside;
}

/* Gives up frames that become no picture: invisible ones, second fields, damaged ones, but not @number. With @all none
 * is in libavcodec any more. */
void
gst_av_zero_dec_release_frames (GstAvZeroDec *self, gboolean all, guint number)
{
  GstVideoDecoder *decoder = GST_VIDEO_DECODER (self);
  guint inside = get_n_inside (self);
  GList *frames = gst_video_decoder_get_frames (decoder);
  for (GList *l = frames; l; l = l->next) {
    GstVideoCodecFrame *frame = l->data;
    guint one = frame->system_frame_number;
    if (all || (one != number && one + inside <= self->newest && !gst_av_zero_pending_has (self->pending, one))) {
      GST_LOG_OBJECT (self, "frame %u gave no picture", one);
      gst_video_decoder_release_frame (decoder, frame);
    } else {
      gst_video_codec_frame_unref (frame);
    }
  }
  g_list_free (frames);
}
