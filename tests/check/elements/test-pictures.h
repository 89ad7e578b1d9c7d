/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-pictures.h: a feeder that asks for a pool as elements do, draws pictures in which every pixel has a colour of its
 * own, and pushes them. When feed() returns, the frame is on the screen (sync=false), so that each one can be looked at:
 * the second part compares what is on a page with what was drawn.
 */
#pragma once

#include "test-feeder.h"

#include <gst/video/videooverlay.h>

/* A sink with @settings that plays, and waits for its first frame. */
static inline Feeder
feeder_play (const gchar *settings)
{
  return feeder_new (settings, GST_STATE_PLAYING);
}

/* The same, on a screen of 64x32 in @file that waits for no vsync. */
static inline Feeder
small_feeder (const ScreenFile *file, const gchar *more)
{
  gchar *settings = g_strdup_printf ("device=virtual:64x32,rate=0,file=%s sync=false %s", file->path, more);
  Feeder feeder = feeder_play (settings);

  g_free (settings);
  return feeder;
}

static inline void
expose (const Player *player)
{
  ck_assert (GST_IS_VIDEO_OVERLAY (player->sink));
  gst_video_overlay_expose (GST_VIDEO_OVERLAY (player->sink));
}

/* New caps; with @want_pages, and where the sink offers any, frames are drawn into pages from here on. */
static inline void
feeder_negotiate (Feeder *feeder, const gchar *format, gint width, gint height, gboolean want_pages)
{
  gboolean first = feeder->info.finfo == NULL;
  GstQuery *query;
  GstCaps *caps;
  GstSegment segment;

  feeder_drop_pool (feeder);
  caps = gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING, format, "width", G_TYPE_INT, width, "height",
                              G_TYPE_INT, height, "framerate", GST_TYPE_FRACTION, 30, 1, "pixel-aspect-ratio",
                              GST_TYPE_FRACTION, 1, 1, NULL);
  ck_assert (gst_video_info_from_caps (&feeder->info, caps));
  ck_assert (gst_pad_push_event (feeder->pad, gst_event_new_caps (caps)));
  if (first) {
    gst_segment_init (&segment, GST_FORMAT_TIME);
    gst_pad_push_event (feeder->pad, gst_event_new_segment (&segment));
  }
  query = gst_query_new_allocation (caps, TRUE);
  ck_assert (gst_pad_peer_query (feeder->pad, query));
  if (want_pages && gst_query_get_n_allocation_pools (query) > 0) {
    GstStructure *config;
    guint size, min, max;

    gst_query_parse_nth_allocation_pool (query, 0, &feeder->pool, &size, &min, &max);
    ck_assert (GST_IS_BA_FBDEV_POOL (feeder->pool));
    config = gst_buffer_pool_get_config (feeder->pool);
    gst_buffer_pool_config_set_params (config, caps, size, min, max);
    gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
    ck_assert (gst_buffer_pool_set_config (feeder->pool, config));
    ck_assert (gst_buffer_pool_set_active (feeder->pool, TRUE));
  }
  gst_query_unref (query);
  gst_caps_unref (caps);
}

/* A row of frame @n as ARGB bytes: every pixel differs from its neighbours, in this frame and in the next. */
static inline void
picture_row (guint n, gint y, gint width, guint8 *argb)
{
  for (gint x = 0; x < width; x++, argb += 4) {
    argb[0] = 0xff;
    argb[1] = x * 7 + n * 31 + 9;
    argb[2] = y * 5 + x + n * 3;
    argb[3] = (x ^ y) + n * 17;
  }
}

static inline void
draw_picture (GstVideoFrame *frame, guint n)
{
  const GstVideoFormatInfo *finfo = frame->info.finfo;
  gint width = GST_VIDEO_FRAME_WIDTH (frame), stride[GST_VIDEO_MAX_PLANES];
  guint8 *argb = g_malloc (4 * width);

  for (guint i = 0; i < GST_VIDEO_FRAME_N_PLANES (frame); i++)
    stride[i] = GST_VIDEO_FRAME_PLANE_STRIDE (frame, i);
  for (gint y = 0; y < GST_VIDEO_FRAME_HEIGHT (frame); y++) {
    picture_row (n, y, width, argb);
    finfo->pack_func (finfo, GST_VIDEO_PACK_FLAG_NONE, argb, 0, frame->data, stride, GST_VIDEO_CHROMA_SITE_UNKNOWN, y,
                      width);
  }
  g_free (argb);
}

/* Plain memory for one frame, @more bytes between the rows than there have to be. */
static inline GstBuffer *
plain_buffer (const GstVideoInfo *info, gint more)
{
  GstVideoInfo padded = *info;
  GstBuffer *buffer;

  if (more == 0)
    return gst_buffer_new_allocate (NULL, info->size, NULL);
  padded.stride[0] += more;
  padded.size = (gsize) padded.stride[0] * GST_VIDEO_INFO_HEIGHT (info);
  buffer = gst_buffer_new_allocate (NULL, padded.size, NULL);
  gst_buffer_memset (buffer, 0, 0xee, -1);
  gst_buffer_add_video_meta_full (buffer, 0, GST_VIDEO_INFO_FORMAT (info), GST_VIDEO_INFO_WIDTH (info),
                                  GST_VIDEO_INFO_HEIGHT (info), 1, padded.offset, padded.stride);
  return buffer;
}

/* Draws the next frame and pushes it; plain memory has @more bytes between its rows. */
static inline void
feed_padded (Feeder *feeder, gint more)
{
  GstBuffer *buffer = NULL;
  GstVideoFrame frame;
  GstFlowReturn flow;

  if (feeder->pool)
    ck_assert_int_eq (gst_buffer_pool_acquire_buffer (feeder->pool, &buffer, NULL), GST_FLOW_OK);
  else
    buffer = plain_buffer (&feeder->info, more);
  ck_assert (gst_video_frame_map (&frame, &feeder->info, buffer, GST_MAP_WRITE));
  draw_picture (&frame, feeder->n++);
  gst_video_frame_unmap (&frame);
  flow = gst_pad_push (feeder->pad, buffer);
  player_drain (&feeder->player);
  ck_assert_msg (flow == GST_FLOW_OK, "%s: %s", gst_flow_get_name (flow), feeder->player.error);
}

static inline void
feed (Feeder *feeder)
{
  feed_padded (feeder, 0);
}

/* Where nothing may have gone wrong. */
static inline void
feeder_end (Feeder *feeder)
{
  player_drain (&feeder->player);
  ck_assert_msg (feeder->player.n_errors == 0, "%s", feeder->player.error);
  feeder_free (feeder);
}

/* ---- what is on a page ----------------------------------------------------------------------------------------- */

typedef struct
{
  Watch watch;
  GstVideoInfo info; /* of a page */
} Screen;

static inline Screen
screen_open (const ScreenFile *file, const gchar *format)
{
  Screen screen = { .watch = watch_open (file) };
  const BaVirtualTrailer *trailer = screen.watch.trailer;

  ck_assert (gst_video_info_set_format (&screen.info, gst_video_format_from_string (format), trailer->width_px,
                                        trailer->height_px));
  screen.info.stride[0] = trailer->stride_bytes;
  screen.info.size = trailer->page_bytes;
  return screen;
}

/* A row of a page as ARGB bytes. */
static inline void
page_row (const Screen *screen, guint page, gint y, guint8 *argb)
{
  const GstVideoFormatInfo *finfo = screen->info.finfo;
  gpointer data[GST_VIDEO_MAX_PLANES] = { screen->watch.data + page * screen->watch.trailer->page_bytes };

  finfo->unpack_func (finfo, GST_VIDEO_PACK_FLAG_NONE, argb, data, screen->info.stride, 0, y,
                      GST_VIDEO_INFO_WIDTH (&screen->info));
}

/* What becomes of ARGB rows that are written in the screen's format: some have fewer bits. */
static inline void
through_format (const Screen *screen, guint8 *argb, gint width)
{
  const GstVideoFormatInfo *finfo = screen->info.finfo;
  gint stride[GST_VIDEO_MAX_PLANES] = { 4 * width };
  gpointer data[GST_VIDEO_MAX_PLANES] = { g_malloc0 (4 * width) };

  finfo->pack_func (finfo, GST_VIDEO_PACK_FLAG_NONE, argb, 0, data, stride, GST_VIDEO_CHROMA_SITE_UNKNOWN, 0, width);
  finfo->unpack_func (finfo, GST_VIDEO_PACK_FLAG_NONE, argb, data, stride, 0, 0, width);
  g_free (data[0]);
}

/* (No check per pixel: libcheck writes a mark into a pipe for each.)
 * The page on screen has frame @n at @rect, as its format stores it or with no colour off by more than @off, and is
 * black around it. */
static inline void
assert_frame (const Screen *screen, guint n, const GstVideoRectangle *rect, gint off, const gchar *what)
{
  gint width = GST_VIDEO_INFO_WIDTH (&screen->info), height = GST_VIDEO_INFO_HEIGHT (&screen->info);
  guint8 *found = g_malloc (4 * width), *wanted = g_malloc (4 * width);
  guint page = screen->watch.trailer->front_page;

  for (gint y = 0; y < height; y++) {
    memset (wanted, 0, 4 * width);
    if (y >= rect->y && y < rect->y + rect->h) {
      picture_row (n, y - rect->y, rect->w, wanted + 4 * rect->x);
      if (off == 0)
        through_format (screen, wanted + 4 * rect->x, rect->w);
    }
    page_row (screen, page, y, found);
    for (gint x = 0; x < width; x++) {
      gboolean inside = x >= rect->x && x < rect->x + rect->w && y >= rect->y && y < rect->y + rect->h;

      for (gint c = 1; c < 4; c++)
        if (ABS (found[4 * x + c] - wanted[4 * x + c]) > (inside ? off : 0))
          ck_abort_msg ("%s, frame %u, page %u, pixel %d,%d, channel %d: %d, not %d", what, n, page, x, y, c,
                        found[4 * x + c], wanted[4 * x + c]);
    }
  }
  g_free (found);
  g_free (wanted);
}

/* Every page is black outside @rect. */
static inline void
assert_borders (const Screen *screen, const GstVideoRectangle *rect, const gchar *what)
{
  gint width = GST_VIDEO_INFO_WIDTH (&screen->info), height = GST_VIDEO_INFO_HEIGHT (&screen->info);
  guint8 *argb = g_malloc (4 * width);

  for (guint page = 0; page < screen->watch.trailer->page_count; page++) {
    for (gint y = 0; y < height; y++) {
      gboolean beside = y >= rect->y && y < rect->y + rect->h;

      page_row (screen, page, y, argb);
      for (gint x = 0; x < width; x++) {
        const guint8 *p = argb + 4 * x;

        if ((!beside || x < rect->x || x >= rect->x + rect->w) && (p[1] | p[2] | p[3]) != 0)
          ck_abort_msg ("%s, page %u, pixel %d,%d: %d %d %d, not black", what, page, x, y, p[1], p[2], p[3]);
      }
    }
  }
  g_free (argb);
}

static inline void
screen_close (Screen *screen)
{
  watch_close (&screen->watch);
}
