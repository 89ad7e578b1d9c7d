/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstfbdevzerosink-view.c: which part of the screen is used, and how pictures are turned, also while they play.
 *
 * GstVideoOverlay without a window (a framebuffer has none): its rectangle, and expose. GstVideoDirection is a property
 * only. Whatever changes here may end or begin to fit the pages upstream draws into, so upstream is asked to negotiate
 * again; and where nothing moves, the frame on screen is painted anew.
 */
#include "gstfbdevzerosink-private.h"

#define GST_CAT_DEFAULT gst_fbdev_zero_sink_debug

/* Rectangles are kept well inside of what sums of coordinates can hold. */
#define AREA_MAX_PX 65535

static GstVideoOrientationMethod
resolve_direction (GstVideoOrientationMethod wanted, GstVideoOrientationMethod of_stream)
{
  if (wanted == GST_VIDEO_ORIENTATION_AUTO)
    wanted = of_stream;
  return wanted == GST_VIDEO_ORIENTATION_AUTO || wanted == GST_VIDEO_ORIENTATION_CUSTOM ? GST_VIDEO_ORIENTATION_IDENTITY
      : wanted;
}

void
gst_fbdev_zero_sink_get_view (GstFbdevZeroSink * self, View * view, guint * number)
{
  GST_OBJECT_LOCK (self);
  view->scaling = self->scaling;
  view->direction = resolve_direction (self->direction, self->tag_direction);
  view->area = self->area;
  view->screen_w = GST_VIDEO_INFO_WIDTH (&self->screen);
  view->screen_h = GST_VIDEO_INFO_HEIGHT (&self->screen);
  view->x_step_px = self->page_format.mono == GST_BA_MONO_NONE ? 1 : 8;
  if (number)
    *number = self->view_number;
  GST_OBJECT_UNLOCK (self);
}

/* Paints the frame that is on the screen anew. The preroll lock is what frames are shown under. */
static void
repaint (GstFbdevZeroSink * self)
{
  GstBaseSink *sink = GST_BASE_SINK (self);
  GstBuffer *buffer = NULL;

  GST_BASE_SINK_PREROLL_LOCK (sink);
  /* one that waits for its time is painted anew when that has come */
  if (self->display && (!self->prepared_for || self->shown)) {
    if (self->prepared_for) {
      buffer = gst_buffer_ref (self->prepared_for);
    } else {
      GstSample *sample = gst_base_sink_get_last_sample (sink);

      if (sample && gst_sample_get_buffer (sample))
        buffer = gst_buffer_ref (gst_sample_get_buffer (sample));
      if (sample)
        gst_sample_unref (sample);
    }
    if (buffer && GST_VIDEO_INFO_FORMAT (&self->info) != GST_VIDEO_FORMAT_UNKNOWN)
      gst_fbdev_zero_sink_show_again (self, buffer);
    gst_clear_buffer (&buffer);
  }
  GST_BASE_SINK_PREROLL_UNLOCK (sink);
}

static gboolean
is_at_rest (GstFbdevZeroSink * self)
{
  gboolean at_rest;

  GST_OBJECT_LOCK (self);
  at_rest = GST_STATE (self) == GST_STATE_PAUSED || GST_BASE_SINK (self)->eos;
  GST_OBJECT_UNLOCK (self);
  return at_rest;
}

void
gst_fbdev_zero_sink_view_changed (GstFbdevZeroSink * self)
{
  gboolean open;

  GST_OBJECT_LOCK (self);
  self->view_number++;
  open = self->display != NULL;
  GST_OBJECT_UNLOCK (self);
  if (!open)
    return;
  if (is_at_rest (self))
    repaint (self);
  gst_pad_push_event (GST_BASE_SINK_PAD (self), gst_event_new_reconfigure ());
}

void
gst_fbdev_zero_sink_take_tags (GstFbdevZeroSink * self, GstTagList * tags)
{
  GstVideoOrientationMethod method = GST_VIDEO_ORIENTATION_IDENTITY;
  gboolean changed;

  if (tags && !gst_video_orientation_from_tag (tags, &method))
    return;
  GST_OBJECT_LOCK (self);
  changed = self->tag_direction != method;
  self->tag_direction = method;
  changed = changed && self->direction == GST_VIDEO_ORIENTATION_AUTO;
  if (changed)
    self->view_number++;
  GST_OBJECT_UNLOCK (self);
  if (changed)                  /* from the streaming thread: the frame that follows is painted as it says */
    gst_pad_push_event (GST_BASE_SINK_PAD (self), gst_event_new_reconfigure ());
}

/* ---- the interfaces --------------------------------------------------------------------------------------------- */

static void
set_window_handle (GstVideoOverlay * overlay, guintptr handle)
{
  GST_DEBUG_OBJECT (overlay, "a framebuffer has no windows: handle %" G_GUINTPTR_FORMAT " is ignored", handle);
}

static void
expose (GstVideoOverlay * overlay)
{
  GstFbdevZeroSink *self = GST_FBDEV_ZERO_SINK (overlay);

  if (is_at_rest (self))        /* else the next frame does it */
    repaint (self);
}

static void
set_render_rectangle (GstVideoOverlay * overlay, gint x, gint y, gint width, gint height)
{
  GstFbdevZeroSink *self = GST_FBDEV_ZERO_SINK (overlay);
  GstVideoRectangle area = { 0, 0, 0, 0 };      /* width and height of -1: the whole screen */
  gboolean changed;

  if (width > 0 && height > 0)
    area = (GstVideoRectangle) {
    CLAMP (x, -AREA_MAX_PX, AREA_MAX_PX), CLAMP (y, -AREA_MAX_PX, AREA_MAX_PX), MIN (width, AREA_MAX_PX),
          MIN (height, AREA_MAX_PX)};
  GST_OBJECT_LOCK (self);
  changed = memcmp (&self->area, &area, sizeof area) != 0;
  self->area = area;
  GST_OBJECT_UNLOCK (self);
  if (changed)
    gst_fbdev_zero_sink_view_changed (self);
}

void
gst_fbdev_zero_sink_init_overlay (gpointer interface, gpointer data)
{
  GstVideoOverlayInterface *overlay = interface;

  overlay->set_window_handle = set_window_handle;
  overlay->expose = expose;
  overlay->set_render_rectangle = set_render_rectangle;
}

void
gst_fbdev_zero_sink_init_direction (gpointer interface, gpointer data)
{
  /* GstVideoDirection has a property and no methods */
}
