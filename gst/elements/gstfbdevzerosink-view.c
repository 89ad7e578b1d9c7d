/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstfbdevzerosink-view.c: which part of the screen is used, and how pictures are turned, also while they play.
 *
 * GstVideoOverlay without a window (a framebuffer has none): its rectangle, and expose. GstVideoDirection is a property
 * only. Whatever changes here may end or begin to fit the pages upstream draws into, so upstream is asked to negotiate
 * again; and the frame on screen is painted anew, as the next one may be long in coming.
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
  view->screen_w = self->screen_w;
  view->screen_h = self->screen_h;
  view->x_step_px = self->page_format.mono == GST_BA_MONO_NONE ? 1 : 8;
  view->y_step_px = 1;
  if (self->native && !self->fitted && !GST_VIDEO_INFO_IS_RGB (&self->screen)) {
    view->x_step_px = 1 << GST_VIDEO_FORMAT_INFO_W_SUB (self->screen.finfo, 1);
    view->y_step_px = 1 << GST_VIDEO_FORMAT_INFO_H_SUB (self->screen.finfo, 1);
  }
  if (number)
    *number = self->view_number;
  GST_OBJECT_UNLOCK (self);
}

GThread *
gst_fbdev_zero_sink_enter (GstFbdevZeroSink * self, Inside where)
{
  GThread *before;

  GST_OBJECT_LOCK (self);
  before = self->inside[where];
  self->inside[where] = g_thread_self ();
  GST_OBJECT_UNLOCK (self);
  return before;
}

void
gst_fbdev_zero_sink_leave (GstFbdevZeroSink * self, Inside where, GThread * before)
{
  GST_OBJECT_LOCK (self);
  self->inside[where] = before;
  GST_OBJECT_UNLOCK (self);
}

/* Whether this thread may have the preroll lock already: the application is called back under it, by messages that are
 * handled where they are posted. */
static gboolean
is_inside (GstFbdevZeroSink * self)
{
  gboolean inside = FALSE;

  GST_OBJECT_LOCK (self);
  for (guint i = 0; i < N_INSIDES; i++)
    inside = inside || self->inside[i] == g_thread_self ();
  GST_OBJECT_UNLOCK (self);
  return inside;
}

/* The frame on the screen, as far as anybody has it still. Under the preroll lock. */
static GstBuffer *
get_shown (GstFbdevZeroSink * self)
{
  GstBuffer *buffer = NULL;
  GstSample *sample;
  GstVideoInfo info;
  guint64 modifier;

  if (self->prepared_for && self->shown)
    return gst_buffer_ref (self->prepared_for);
  sample = gst_base_sink_get_last_sample (GST_BASE_SINK (self));
  /* between new caps and the first frame of them it is one of the old */
  if (sample && gst_sample_get_buffer (sample) && gst_sample_get_caps (sample)
      && gst_fbdev_zero_sink_parse_caps (gst_sample_get_caps (sample), &info, &modifier)
      && gst_video_info_is_equal (&info, &self->info) && modifier == self->modifier)
    buffer = gst_buffer_ref (gst_sample_get_buffer (sample));
  if (sample)
    gst_sample_unref (sample);
  return buffer;
}

/* Under the preroll lock. */
static void
repaint_locked (GstFbdevZeroSink * self)
{
  GThread *before = gst_fbdev_zero_sink_enter (self, INSIDE_REPAINT);
  GstBuffer *buffer = self->display ? get_shown (self) : NULL;

  if (buffer && GST_VIDEO_INFO_FORMAT (&self->info) != GST_VIDEO_FORMAT_UNKNOWN
      && gst_fbdev_zero_sink_show_again (self, buffer) == GST_FLOW_FLUSHING) {
    GST_OBJECT_LOCK (self);
    self->repaint_again = TRUE; /* a state change or a flush wants the lock: when that is over */
    GST_OBJECT_UNLOCK (self);
  }
  gst_clear_buffer (&buffer);
  gst_fbdev_zero_sink_leave (self, INSIDE_REPAINT, before);
}

static void
repaint_now (GstFbdevZeroSink * self)
{
  GST_BASE_SINK_PREROLL_LOCK (self);
  repaint_locked (self);
  GST_BASE_SINK_PREROLL_UNLOCK (self);
}

static void
repaint_later (GstElement * element, gpointer data)
{
  GstFbdevZeroSink *self = GST_FBDEV_ZERO_SINK (element);

  GST_BASE_SINK_PREROLL_LOCK (self);
  GST_OBJECT_LOCK (self);
  self->will_repaint = FALSE;   /* not before the lock is ours, or each change would make a thread that waits for it */
  GST_OBJECT_UNLOCK (self);
  repaint_locked (self);
  GST_BASE_SINK_PREROLL_UNLOCK (self);
}

static void
call_repaint_later (GstFbdevZeroSink * self)
{
  gboolean will_repaint;

  GST_OBJECT_LOCK (self);
  will_repaint = self->will_repaint;
  self->will_repaint = TRUE;
  GST_OBJECT_UNLOCK (self);
  if (!will_repaint)
    gst_element_call_async (GST_ELEMENT (self), repaint_later, NULL, NULL);
}

void
gst_fbdev_zero_sink_repaint_again (GstFbdevZeroSink * self)
{
  gboolean again;

  GST_OBJECT_LOCK (self);
  again = self->repaint_again;
  self->repaint_again = FALSE;
  GST_OBJECT_UNLOCK (self);
  if (again)
    call_repaint_later (self);
}

/* Frames are shown under the preroll lock. It is not held while one waits for its time, but it is while one waits for its
 * vsync or a page, and who sets a property is not to wait for these. */
static void
repaint_soon (GstFbdevZeroSink * self)
{
  if (GST_BASE_SINK_PREROLL_TRYLOCK (self)) {
    repaint_locked (self);
    GST_BASE_SINK_PREROLL_UNLOCK (self);
  } else {
    call_repaint_later (self);
  }
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
  repaint_soon (self);
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

  if (is_inside (self))
    call_repaint_later (self);
  else
    repaint_now (self);
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
