/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstfbdevzerosink-show.c: one frame after the clock wait: its page is flipped, and nothing else happens. With a display
 * of one page there is no back page: writing is all there is, and happens on time. A frame that is on screen already is
 * shown anew when what is around it changed.
 */
#include "gstfbdevzerosink-private.h"

#include <errno.h>

#define GST_CAT_DEFAULT gst_fbdev_zero_sink_debug

/* The only page of a display that has no other: it is written while it is visible. */
static GstFlowReturn
write_only_page (GstFbdevZeroSink * self, GstBuffer * buffer)
{
  BaPool *pages = gst_ba_fbdev_allocator_get_pages (self->allocator);
  const Placement *place = &self->prepared_place;       /* the way was chosen for it; a new view waits for the next frame */
  BaBuffer *page;
  GstFlowReturn flow;
  int r;

  while ((r = ba_pool_acquire (pages, BA_NO_WAIT, &self->cancel, &page)) == -ECANCELED) {
    if ((flow = gst_fbdev_zero_sink_wait_unlocked (self)) != GST_FLOW_OK)
      return flow;
  }
  if (r < 0) {
    GST_WARNING_OBJECT (self, "the only page is taken: %s", ba_error_text (r));
    return gst_ba_flow_from_error (r);
  }
  gst_ba_fbdev_allocator_prepare_page (self->allocator, page, &place->dst);
  gst_fbdev_zero_sink_repair_borders (self, page, &place->dst);
  flow = gst_fbdev_zero_sink_write_frame (self, buffer, place, self->prepared_way, page);
  if (flow == GST_FLOW_OK)
    self->prepared_page = page;
  else
    ba_buffer_unref (page);
  return flow;
}

void
gst_fbdev_zero_sink_say_gone (GstFbdevZeroSink * self, BaDisplay * display)
{
  gboolean said;

  GST_OBJECT_LOCK (self);
  said = self->said_gone;
  self->said_gone = TRUE;
  GST_OBJECT_UNLOCK (self);
  if (!said)
    GST_ELEMENT_ERROR (self, RESOURCE, NOT_FOUND, ("The display %s is gone.", ba_display_get_info (display)->name),
        ("its driver has let go of it, or it was unplugged"));
}

static GstFlowReturn
flip_failed (GstFbdevZeroSink * self, int r)
{
  const gchar *device = ba_display_get_info (self->display)->name;

  if (r == -ESHUTDOWN)
    return GST_FLOW_FLUSHING;
  if (r == -EBUSY)
    GST_ELEMENT_ERROR (self, RESOURCE, BUSY, ("The display %s is in use by another program.", device),
        ("a DRM master (a desktop, another player) owns it: stop it, or show on another device"));
  else if (r == -ENODEV)
    gst_fbdev_zero_sink_say_gone (self, self->display);
  else
    GST_ELEMENT_ERROR (self, RESOURCE, WRITE, ("A page could not be shown on %s.", device), ("%s", ba_error_text (r)));
  return GST_FLOW_ERROR;
}

/* The only page: upstream needs it back for the next frame, visible as it is. */
static void
give_back_only_page (GstFbdevZeroSink * self)
{
  if (self->prepared_way == WAY_FLIP && !GST_BASE_SINK (self)->need_preroll)
    gst_fbdev_zero_sink_forget_frame (self);
}

static GstFlowReturn show_prepared (GstFbdevZeroSink * self, GstBuffer * buffer, gboolean may_reopen);

static gint
flip (GstFbdevZeroSink * self, GstBuffer * buffer)
{
  gint r;

  if (self->prepared_import)
    return gst_fbdev_zero_sink_flip_import (self, buffer);
  r = ba_display_flip (self->display, self->prepared_page, &self->cancel);
  if (r >= 0)
    gst_clear_buffer (&self->imported); /* the display holds it until the page is visible */
  return r;
}

gboolean
gst_fbdev_zero_sink_follow_screen (GstFbdevZeroSink * self, gboolean * reopened)
{
  GstCaps *caps;

  if (!gst_fbdev_zero_sink_follow_mode (self, reopened))
    return FALSE;
  if (!*reopened)
    return TRUE;
  if ((caps = gst_pad_get_current_caps (GST_BASE_SINK_PAD (self)))) {
    gst_fbdev_zero_sink_choose_pages (self, caps);
    gst_caps_unref (caps);
  }
  gst_pad_push_event (GST_BASE_SINK_PAD (self), gst_event_new_reconfigure ());
  return TRUE;
}

/* A flip that was refused, perhaps because another program changed the mode: then its pages are other ones now. */
static GstFlowReturn
flip_refused (GstFbdevZeroSink * self, GstBuffer * buffer, int r, gboolean may_reopen)
{
  gboolean reopened;

  /* a plane that can be tried by showing alone */
  if (may_reopen && r == -ENOTSUP && ba_display_check_mode (self->display) == 0
      && gst_fbdev_zero_sink_use_plain_pages (self, &self->window)) {
    gst_fbdev_zero_sink_forget_frame (self);
    gst_pad_push_event (GST_BASE_SINK_PAD (self), gst_event_new_reconfigure ());
    return show_prepared (self, buffer, TRUE);
  }

  if (!may_reopen || r != -ENOTSUP)
    return flip_failed (self, r);
  if (!gst_fbdev_zero_sink_follow_screen (self, &reopened))
    return GST_FLOW_ERROR;
  return reopened ? show_prepared (self, buffer, FALSE) : flip_failed (self, r);
}

/* @buffer is not shown, at least not now: a frame is shown again where it was the preroll's, and is one all the same. */
static void
count_dropped (GstFbdevZeroSink * self, GstBuffer * buffer)
{
  if (self->repaints || self->counted_dropped == buffer)
    return;
  self->counted_dropped = buffer;
  GST_OBJECT_LOCK (self);
  self->counts.dropped++;
  GST_OBJECT_UNLOCK (self);
}

static GstFlowReturn
show_prepared (GstFbdevZeroSink * self, GstBuffer * buffer, gboolean may_reopen)
{
  GstFlowReturn flow = gst_fbdev_zero_sink_prepare_frame (self, buffer);
  BaPoolStats pool_stats;
  gboolean can_flip;
  int r = 0;

  if (flow != GST_FLOW_OK)
    return flow;
  if (self->prepared_way == WAY_NONE) {
    count_dropped (self, buffer);
    return GST_FLOW_OK;
  }
  can_flip = ba_display_get_info (self->display)->can_flip;
  if (!can_flip) {
    if (self->shown) {
      give_back_only_page (self);
      return GST_FLOW_OK;
    }
    if (!self->prepared_page && (flow = write_only_page (self, buffer)) != GST_FLOW_OK)
      return flow;
  }
  if (!self->prepared_page && !self->prepared_import) {
    count_dropped (self, buffer);
    return GST_FLOW_OK;
  }

  while ((r = flip (self, buffer)) == -ECANCELED) {
    if ((flow = gst_fbdev_zero_sink_wait_unlocked (self)) != GST_FLOW_OK)
      return flow;
  }
  if (r < 0 && r != -ESHUTDOWN && r != -EBUSY && self->prepared_import) {
    gst_fbdev_zero_sink_forget_frame (self);
    self->copy_this = TRUE;
    flow = show_prepared (self, buffer, may_reopen);
    self->copy_this = FALSE;
    return flow;
  }
  if (r < 0)
    return flip_refused (self, buffer, r, may_reopen);
  self->shown = TRUE;
  /* one that was dropped may be on the screen already, by a repaint */
  if (r == 0 || (!self->repaints && self->counted_dropped == buffer)) {
    if (!self->repaints) {
      GST_OBJECT_LOCK (self);
      self->counts.shown[self->prepared_way]++;
      self->counts.dropped -= self->counted_dropped == buffer;
      self->said_starved = FALSE;
      GST_OBJECT_UNLOCK (self);
      self->counted_dropped = NULL;
    }
    /* somebody may wait for a page, and the next flip may be the frame that is to be drawn there */
    ba_pool_get_stats (gst_ba_fbdev_allocator_get_pages (self->allocator), &pool_stats);
    if (can_flip && pool_stats.n_free == 0)
      ba_display_wait (self->display, &self->cancel);
  }
  if (!can_flip)
    give_back_only_page (self);
  return GST_FLOW_OK;
}

GstFlowReturn
gst_fbdev_zero_sink_show_prepared (GstFbdevZeroSink * self, GstBuffer * buffer)
{
  return show_prepared (self, buffer, TRUE);
}

GstFlowReturn
gst_fbdev_zero_sink_show_again (GstFbdevZeroSink * self, GstBuffer * buffer)
{
  GstFlowReturn flow;

  /* a frame that waits for its time is prepared anew when that has come: its page may be the only one that is free */
  gst_fbdev_zero_sink_forget_frame (self);
  /* others may have drawn on the screen, which may be why */
  g_clear_pointer (&self->damage, gst_ba_damage_free);
  self->repaints = TRUE;
  flow = gst_fbdev_zero_sink_show_prepared (self, buffer);
  self->repaints = FALSE;
  if (flow != GST_FLOW_OK)
    GST_DEBUG_OBJECT (self, "the frame on screen could not be painted anew");
  return flow;
}

gboolean
gst_fbdev_zero_sink_show_copy (GstFbdevZeroSink * self, GstBuffer * buffer)
{
  Placement place;
  View view;
  BaBuffer *page = NULL;
  gboolean shown = FALSE;
  guint number;
  Way way;

  if (self->modifier != 0)      /* the CPU cannot read it */
    return FALSE;
  gst_fbdev_zero_sink_get_view (self, &view, &number);
  if (gst_fbdev_zero_sink_place_buffer (self, &view, buffer, &place) != GST_FLOW_OK
      || ba_pool_acquire (gst_ba_fbdev_allocator_get_pages (self->allocator), BA_NO_WAIT, NULL, &page) < 0)
    return FALSE;
  gst_ba_fbdev_allocator_prepare_page (self->allocator, page, &place.dst);
  self->uncounted = TRUE;
  way = gst_fbdev_zero_sink_is_native (self) && gst_fbdev_zero_sink_is_1to1 (&place) ? WAY_COPY : WAY_CONVERT;
  if (!(self->native && way == WAY_CONVERT)
      && gst_fbdev_zero_sink_write_frame (self, buffer, &place, way, page) == GST_FLOW_OK)
    shown = ba_display_flip (self->display, page, NULL) >= 0 && ba_display_wait (self->display, NULL) >= 0;
  self->uncounted = FALSE;
  ba_buffer_unref (page);
  return shown;
}
