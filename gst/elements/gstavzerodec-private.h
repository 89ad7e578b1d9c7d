/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstavzerodec-private.h: what the files of the decoder share.
 *
 * gstavzerodec.c         properties, data flow: packets in, pictures out
 * gstavzerodec-codecs.c  which caps are which codec
 * gstavzerodec-open.c    from caps to an open AVCodecContext
 * gstavzerodec-packet.c  a compressed buffer becomes a packet
 * gstavzerodec-pending.c which frames may still become a picture
 * gstavzerodec-recover.c what is done at a key frame behind damage
 * gstavzerodec-time.c    which frames are left out, and how long the others stay inside
 * gstavzerodec-caps.c    a picture's description becomes caps and tags
 * gstavzerodec-wrap.c    a picture becomes an output buffer: wrap, copy, metas
 * gstavzerodec-direct.c  get_buffer2 into pages of the screen, or dmabufs that it shows
 * gstavzerodec-decide.c  when that is possible
 */
#pragma once

#include <gst/bufalloc/gstbaavframe.h>
#include <gst/bufalloc/gstbufalloc.h>
#include <libavcodec/avcodec.h>

#include "gstavzerodec.h"

G_BEGIN_DECLS

typedef enum
{
  GST_AV_ZERO_DIRECT_AUTO,
  GST_AV_ZERO_DIRECT_ALWAYS,
  GST_AV_ZERO_DIRECT_NEVER
} GstAvZeroDirectRendering;

/* What a codec does with the frames that it was given. */
typedef enum
{
  GST_AV_ZERO_READS_BACK = 1 << 0, /* predicts from earlier frames */
  GST_AV_ZERO_REWRITES = 1 << 1, /* writes again into a frame that it has given out */
  GST_AV_ZERO_PACKED_RGB = 1 << 2, /* may have the screen's own format */
  GST_AV_ZERO_WHOLE_FILE = 1 << 3 /* a file is one picture, and GStreamer has no parser that finds its end */
} GstAvZeroCodecFlags;

typedef struct
{
  enum AVCodecID id;
  const gchar *caps; /* NULL: GStreamer has no name for it, gst-libav's one stands in */
  const gchar *fourccs; /* those of demuxers that do not know the codec, a space between; NULL: none */
  const gchar *extra; /* for people: the fields of the caps that the decoder is told of, beside size and rate */
  guint frames_held; /* at most: with slice threads and the output dropped at once, or what the standard allows */
  guint flags;
} GstAvZeroCodec;

/* Everything that gst_av_zero_direct_decide() looks at. */
typedef struct
{
  GstAvZeroDirectRendering mode;
  /* the codec */
  gboolean has_dr1;
  gboolean frame_threads;
  guint flags;
  guint frames_held;
  /* the picture */
  GstVideoFormat format;
  gint width_px;
  gint height_px;
  gint aligned_width_px;
  gint aligned_height_px;
  gint stride_align_bytes;
  /* the pages */
  GstVideoFormat page_format;
  gint page_width_px;
  gint page_height_px;
  gint page_stride_bytes;
  gint plane_stride_bytes[GST_VIDEO_MAX_PLANES]; /* of formats with more than one */
  gsize plane_offset_bytes[GST_VIDEO_MAX_PLANES];
  gsize page_bytes;
  GstVideoRectangle window; /* where the picture lies in a page */
  guint n_pages;
  gdouble read_mbps; /* 0 = not measured */
  gboolean is_cached; /* they are no pages, but memory that caches keep and the screen shows: it reads fast */
  gint own_stride_bytes[GST_VIDEO_MAX_PLANES]; /* of libavcodec's own memory; 0 = not known */
} GstAvZeroDirectQuestion;

#define GST_AV_ZERO_REASON_BYTES 160

/*
 * Can this codec decode this picture into these pages? Writes a sentence into @reason where not. Pure: looks at nothing
 * but the question.
 */
gboolean gst_av_zero_direct_decide (const GstAvZeroDirectQuestion *question, gchar reason[GST_AV_ZERO_REASON_BYTES]);

/* The part of that which needs no layout. */
gboolean gst_av_zero_direct_check_codec (const GstAvZeroDirectQuestion *question,
                                         gchar reason[GST_AV_ZERO_REASON_BYTES]);
/* FALSE, with a sentence why. */
gboolean gst_av_zero_refuse (gchar reason[GST_AV_ZERO_REASON_BYTES], const gchar *format, ...) G_GNUC_PRINTF (2, 3);

/* The pages that are with libavcodec; outlives the element where libavcodec keeps frames longer. */
typedef struct _GstAvZeroPages GstAvZeroPages;

/* The pictures that libavcodec has begun and still holds; outlives the element as they do. */
typedef struct _GstAvZeroPending GstAvZeroPending;

/* A picture's description, as far as it decides on caps. */
typedef struct
{
  GstVideoInfo info; /* strides and offsets are those of tightly packed rows, not the frame's */
  gboolean has_mastering;
  gboolean has_light_level;
  GstVideoMasteringDisplayInfo mastering;
  GstVideoContentLightLevel light_level;
} GstAvZeroPicture;

struct _GstAvZeroDec
{
  GstVideoDecoder parent;

  /* properties; the object lock */
  GstAvZeroDirectRendering direct_rendering;
  gint max_threads;
  gint thread_type; /* 0, FF_THREAD_FRAME, FF_THREAD_SLICE */
  gint skip_frame; /* enum AVDiscard */
  gint lowres;
  gboolean output_corrupt;

  /* streaming thread */
  const GstAvZeroCodec *codec;
  AVCodecContext *context;
  AVPacket *packet;
  AVFrame *frame;
  GstVideoCodecState *input_state;
  GstBuffer *codec_data;
  guint32 palette[AVPALETTE_COUNT]; /* of the caps */
  gboolean failing; /* nothing but errors since the last picture */
  gboolean damaged; /* something was, since the codec was opened */
  gboolean reduced; /* opened so that it gives less bits than there are */
  gint reorder; /* pictures that are held back for it, while nothing is damaged */
  gboolean palette_is_new; /* the codec does not have it yet */
  GstAvZeroPicture picture; /* that the caps were made for */
  gboolean negotiated;
  gboolean early; /* negotiated when a picture was begun, and none has come out yet */
  guint n_unnamed; /* pictures in a row whose format has no name */
  gboolean refused; /* caps that nobody takes: an error was posted, once until there is another input format */
  gboolean downstream_has_meta;
  gboolean downstream_crops;
  const gchar *orientation; /* as tagged last; NULL: never */
  gboolean copy_is_logged; /* since the last negotiation */
  gboolean may_be_direct; /* opened without frame threads, so that get_buffer2 stays on the streaming thread */
  GThread *decode_thread; /* the one that is inside libavcodec now */
  GstBufferPool *page_pool;
  GstAvZeroPages *pages;
  GstAvZeroPending *pending;
  guint newest; /* number of the packet that went in last */
  GstClockTime latency;

  gint downstream_is_late; /* atomic: whether the last picture that was reported on came late */

  /* counts: atomic; the reason: object lock */
  gint64 n_direct;
  gint64 n_wrapped;
  gint64 n_copied;
  gint64 n_corrupt;
  gchar *reason; /* why the last frame was not direct, or why it was copied; NULL = it was direct */
};

GST_DEBUG_CATEGORY_EXTERN (gst_av_zero_dec_debug);
GST_DEBUG_CATEGORY_EXTERN (gst_av_zero_dec_perf);
#ifndef GST_CAT_DEFAULT
#define GST_CAT_DEFAULT gst_av_zero_dec_debug
#endif

/* gstavzerodec.c */
void gst_av_zero_dec_set_reason (GstAvZeroDec *self, const gchar *reason);
/* Everything that is still inside comes out. */
GstFlowReturn gst_av_zero_dec_drain_codec (GstAvZeroDec *self);

/* gstavzerodec-codecs.c */
guint gst_av_zero_codecs_get_n (void);
const GstAvZeroCodec *gst_av_zero_codecs_get (guint index);
/* (transfer full): of one row, whether libavcodec was built with its decoder or not. */
GstCaps *gst_av_zero_codec_get_caps (const GstAvZeroCodec *codec);
GstCaps *gst_av_zero_codecs_get_caps (void);
const GstAvZeroCodec *gst_av_zero_codecs_find (GstCaps *caps);

/* gstavzerodec-open.c */
/* Opens a context for self->codec and self->input_state; NULL after an element error was posted. */
AVCodecContext *gst_av_zero_codecs_open (GstAvZeroDec *self);

/* gstavzerodec-packet.c */
/* Points @packet at the bytes of @buffer, which it keeps, or copies them where they lack padding. 0 or an AVERROR. */
int gst_av_zero_packet_fill (AVPacket *packet, GstBuffer *buffer);
int gst_av_zero_packet_add_palette (AVPacket *packet, const guint32 palette[AVPALETTE_COUNT]);
/* Whether it is one of the headers that came with the caps: not for the decoder. */
gboolean gst_av_zero_packet_is_header (enum AVCodecID id, const AVPacket *packet);
/* The number by which a picture finds its GstVideoCodecFrame again. */
void gst_av_zero_packet_set_number (GstAvZeroDec *self, guint number);
guint gst_av_zero_frame_get_number (const AVFrame *frame);

/* gstavzerodec-pending.c */
GstAvZeroPending *gst_av_zero_pending_new (void);
void gst_av_zero_pending_unref (GstAvZeroPending *pending);
/* In get_buffer2, on any thread: a picture is begun. 0 or an AVERROR. */
int gst_av_zero_pending_begin (GstAvZeroPending *pending, AVFrame *frame);
/* Whether libavcodec, or downstream, has a picture of that number. */
gboolean gst_av_zero_pending_has (GstAvZeroPending *pending, guint number);
/* Gives up frames of the base class that become no picture, but not @number; with @all: all. */
void gst_av_zero_dec_release_frames (GstAvZeroDec *self, gboolean all, guint number);

/* gstavzerodec-recover.c */
/* Before @packet goes in. With another flow than OK there may be no codec any more, and an error was posted. */
GstFlowReturn gst_av_zero_dec_recover (GstAvZeroDec *self, const AVPacket *packet);
/* Whether @packet, a key frame, became no picture, which need not be its fault; @result: of sending it. */
gboolean gst_av_zero_dec_has_refused (GstAvZeroDec *self, const AVPacket *packet, int result);
/* As if @packet were the first one, as far as its headers allow. */
GstFlowReturn gst_av_zero_dec_begin_anew (GstAvZeroDec *self, const AVPacket *packet);

/* gstavzerodec-time.c */
/* Notes whether pictures come late; then the base class has the event. */
gboolean gst_av_zero_dec_src_event (GstVideoDecoder *decoder, GstEvent *event);
/* Tells the codec which frames to leave out, before @codec_frame goes in. */
void gst_av_zero_dec_update_skip (GstAvZeroDec *self, GstVideoCodecFrame *codec_frame);
/* Asks upstream. */
gboolean gst_av_zero_dec_is_live (GstAvZeroDec *self);
/* Says how long a picture stays inside, where that is new. */
void gst_av_zero_dec_update_latency (GstAvZeroDec *self);

/* gstavzerodec-caps.c */
/* Negotiates caps for @frame where they differ from the present ones. @width_px, @height_px: as shown. */
gboolean gst_av_zero_dec_update_caps (GstAvZeroDec *self, const AVFrame *frame, gint width_px, gint height_px);
/* Whether @frame's format is no format of the stream's, but comes of damage. */
gboolean gst_av_zero_dec_is_format_damaged (GstAvZeroDec *self, const AVFrame *frame);
/* How @frame is to be turned becomes a tag, where that is new. */
void gst_av_zero_dec_update_tags (GstAvZeroDec *self, const AVFrame *frame);
/* What pictures with a palette become. */
GstVideoFormat gst_av_zero_get_palette_format (void);

/* gstavzerodec-wrap.c */
/* Hands the picture on as the output of @codec_frame (transfer full); empties @frame. */
GstFlowReturn gst_av_zero_dec_output (GstAvZeroDec *self, AVFrame *frame, GstVideoCodecFrame *codec_frame);
gboolean gst_av_zero_dec_decide_allocation (GstVideoDecoder *decoder, GstQuery *query);

/* gstavzerodec-direct.c */
int gst_av_zero_dec_get_buffer2 (AVCodecContext *context, AVFrame *frame, int flags);
/* Takes the page pool of @query where direct rendering is possible: then it is the query's first pool, configured. */
gboolean gst_av_zero_dec_take_pages (GstAvZeroDec *self, GstQuery *query, GstCaps *caps);
void gst_av_zero_dec_drop_pages (GstAvZeroDec *self);
/* The page that @frame was decoded into, as a buffer (transfer full); NULL where it is none. */
GstBuffer *gst_av_zero_dec_find_page (GstAvZeroDec *self, const AVFrame *frame);
GstAvZeroPages *gst_av_zero_pages_new (void);
void gst_av_zero_pages_unref (GstAvZeroPages *pages);

G_END_DECLS
