/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstfbdevzerosink-private.h: what the four files of the sink share.
 *
 * gstfbdevzerosink.c        properties, opening and closing, negotiation
 * gstfbdevzerosink-pools.c  what it offers upstream
 * gstfbdevzerosink-frame.c  one frame: which way it goes, and there
 * gstfbdevzerosink-place.c  where a picture lies on the screen: pure arithmetic
 */
#pragma once

#include <gst/bufalloc/gstbufalloc.h>

#include "gstbaconvert.h"
#include "gstfbdevzerosink.h"

typedef enum
{
  GST_BA_SCALING_NONE,
  GST_BA_SCALING_FIT,
  GST_BA_SCALING_FILL,
  GST_BA_SCALING_STRETCH
} GstBaScaling;

typedef enum
{
  GST_BA_OFFER_PAGES_AUTO,
  GST_BA_OFFER_PAGES_ALWAYS,
  GST_BA_OFFER_PAGES_NEVER
} GstBaOfferPages;

/* The ways of a frame, in the order in which they are tried. */
typedef enum
{
  WAY_NONE,
  WAY_FLIP,
  WAY_CONVERT,
  WAY_COPY
} Way;

/* Which part of the picture goes where on the screen. */
typedef struct
{
  GstVideoRectangle src;        /* pixels of the picture */
  GstVideoRectangle dst;        /* pixels of the screen */
} Placement;

typedef struct
{
  guint64 shown[WAY_COPY + 1];  /* by way */
  guint64 dropped;              /* by us: no page in time; and what the base class dropped before it forgot */
  guint64 bytes_written;
  guint64 bytes_copied;
} Counts;

GST_DEBUG_CATEGORY_EXTERN (gst_fbdev_zero_sink_debug);
/* GST_PERFORMANCE: GStreamer's own category, which every plugin has to look up for itself */
GST_DEBUG_CATEGORY_EXTERN (gst_fbdev_zero_sink_performance);

struct _GstFbdevZeroSink
{
  GstVideoSink parent;

  /* properties; the object lock */
  gchar *device;
  guint n_pages;
  gboolean vsync;
  GstBaScaling scaling;
  GstBaOfferPages offer_pages;

  /* from start to stop */
  BaDisplay *display;           /* object lock for other threads than the streaming one */
  GstBaFbdevAllocator *allocator;
  GstVideoInfo screen;
  BaCancel cancel;              /* set between unlock and unlock_stop */
  GstPadChainFunction base_chain;       /* constant: the base class's */

  /* streaming thread */
  GstVideoInfo info;            /* of the caps */
  GstBaConvert *convert;        /* for the format of info and convert_place */
  Placement convert_place;
  GstBuffer *prepared_for;      /* the frame that is ready, or was shown last */
  BaBuffer *prepared_page;      /* with it in it; NULL where it cannot be shown, or with one page */
  Way prepared_way;

  /* object lock */
  GPtrArray *pools;             /* of GWeakRef: the pools that upstream was given */
  const gchar *not_offered;     /* why the last ALLOCATION query got no pages, NULL where it did; static */
  gboolean reopen;              /* a property changed since the display was opened */
  Counts counts;
  Way last_way;
  gchar *reason;                /* why the last frame was not flipped, "" if it was */
};

/* ---- place ---------------------------------------------------------------------------------------------------- */

/* Where a picture of @src (with pixel aspect ratio @par_n/@par_d) lies on a screen of @width × @height. */
void gst_fbdev_zero_sink_place (GstBaScaling scaling, const GstVideoRectangle * src, gint par_n, gint par_d,
    gint width, gint height, Placement * out);

/* Whether @place keeps every pixel as it is. */
gboolean gst_fbdev_zero_sink_is_1to1 (const Placement * place);

/* ---- pools ---------------------------------------------------------------------------------------------------- */

/* An empty list for the sink's pools. */
GPtrArray *gst_fbdev_zero_sink_new_pool_list (void);

/* Wakes everybody who waits for a page, and keeps others from waiting; or lets them wait again. */
void gst_fbdev_zero_sink_flush_pools (GstFbdevZeroSink * self, gboolean flushing);

/* The virtual function of GstBaseSink. */
gboolean gst_fbdev_zero_sink_propose_allocation (GstBaseSink * sink, GstQuery * query);

/* ---- frame ---------------------------------------------------------------------------------------------------- */

/* Makes @buffer ready to be shown: finds its page, or writes one. */
GstFlowReturn gst_fbdev_zero_sink_prepare_frame (GstFbdevZeroSink * self, GstBuffer * buffer);

/* Puts @buffer, which was prepared, on the screen. */
GstFlowReturn gst_fbdev_zero_sink_show_prepared (GstFbdevZeroSink * self, GstBuffer * buffer);

/* Lets go of the frame that was prepared last. */
void gst_fbdev_zero_sink_forget_frame (GstFbdevZeroSink * self);

/* Lets go of what was made for the caps. */
void gst_fbdev_zero_sink_forget_convert (GstFbdevZeroSink * self);

/* "flip", "convert", "copy", "none". */
const gchar *gst_fbdev_zero_sink_way_name (Way way);
