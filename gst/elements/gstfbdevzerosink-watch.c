/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstfbdevzerosink-watch.c: a thread that waits for a screen to be plugged in again, or for another program that was the
 * card's master to go, and has the last page shown again then. With frames that come the flips do that; a picture that
 * stands still, or a paused one, would stay away. The same for a card that is gone, or a screen with other modes.
 */
#include "gstfbdevzerosink-private.h"

#include <errno.h>

#define GST_CAT_DEFAULT gst_fbdev_zero_sink_debug

/* Nobody tells of a master that goes; nor of a plug, in some containers. */
#define LOOK_INTERVAL_NS (1 * GST_SECOND)

/* Another screen, without that mode. In a thread of its own: that display's watch ends meanwhile. */
static void
follow_screen (GstElement * element, gpointer data)
{
  GstFbdevZeroSink *self = GST_FBDEV_ZERO_SINK (element);
  gboolean reopened = FALSE;
  GThread *before;

  GST_BASE_SINK_PREROLL_LOCK (self);
  before = gst_fbdev_zero_sink_enter (self, INSIDE_REPAINT);
  if (self->display)            /* else playing has ended */
    gst_fbdev_zero_sink_follow_screen (self, &reopened);
  gst_fbdev_zero_sink_leave (self, INSIDE_REPAINT, before);
  GST_BASE_SINK_PREROLL_UNLOCK (self);
  if (reopened)
    gst_video_overlay_expose (GST_VIDEO_OVERLAY (self));
}

static gpointer
watch (gpointer data)
{
  GstFbdevZeroSink *self = data;
  gboolean follows = FALSE;

  for (;;) {
    BaDisplay *display;
    int r;

    if (gst_poll_wait (self->watch_poll, LOOK_INTERVAL_NS) < 0 && errno == EBUSY)
      return NULL;              /* the display is about to be closed */
    GST_OBJECT_LOCK (self);
    display = self->display ? ba_display_ref (self->display) : NULL;
    GST_OBJECT_UNLOCK (self);
    r = display ? ba_display_refresh (display) : 0;
    if (r == -ENODEV)
      gst_fbdev_zero_sink_say_gone (self, display);     /* with a picture that stands still nobody else would */
    ba_display_unref (display);
    if (r == -ENODEV)
      return NULL;
    if (r == -ENOTSUP && !follows) {
      follows = TRUE;
      gst_element_call_async (GST_ELEMENT (self), follow_screen, NULL, NULL);
    }
    if (r == 1)
      GST_INFO_OBJECT (self, "the screen is there again, and shows the last frame");
    else if (r < 0 && r != -ESHUTDOWN && r != -ENOTSUP)
      GST_WARNING_OBJECT (self, "the last frame cannot be shown again: %s", ba_error_text (r));
  }
}

void
gst_fbdev_zero_sink_start_watch (GstFbdevZeroSink * self)
{
  GstPollFD events = GST_POLL_FD_INIT;

  if (!g_str_equal (ba_display_get_info (self->display)->kind, "kms"))
    return;
  events.fd = ba_display_get_event_fd (self->display);
  self->watch_poll = gst_poll_new (TRUE);
  if (self->watch_poll) {
    if (events.fd >= 0) {
      gst_poll_add_fd (self->watch_poll, &events);
      gst_poll_fd_ctl_read (self->watch_poll, &events, TRUE);
    }
    self->watch_thread = g_thread_try_new ("fbdevzerosink-watch", watch, self, NULL);
  }
  if (!self->watch_thread) {
    g_clear_pointer (&self->watch_poll, gst_poll_free);
    GST_WARNING_OBJECT (self, "no file or no thread to watch the screen with: when it was unplugged, only frames bring "
        "the picture back");
  }
}

void
gst_fbdev_zero_sink_stop_watch (GstFbdevZeroSink * self)
{
  if (!self->watch_thread)
    return;
  gst_poll_set_flushing (self->watch_poll, TRUE);
  g_thread_join (self->watch_thread);
  gst_poll_free (self->watch_poll);
  self->watch_thread = NULL;
  self->watch_poll = NULL;
}
