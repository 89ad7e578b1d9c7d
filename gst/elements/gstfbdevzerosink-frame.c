/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstfbdevzerosink-frame.c: one frame before the clock wait: it gets its page, the one it was decoded into, or a back
 * page that it is converted or copied into. What comes after the wait is in gstfbdevzerosink-show.c.
 */
#include "gstfbdevzerosink-private.h"

#include <errno.h>

/* How long a frame waits for a page that somebody else sits on before it is dropped; and where that is known to happen. */
#define PAGE_TIMEOUT_NS (1000 * GST_MSECOND)
#define PAGE_TIMEOUT_STARVED_NS (100 * GST_MSECOND)

/* A pool moves its window left to the alignment that was asked for: never by as much as this. */
#define WINDOW_MOVES_PX 64

#define GST_CAT_DEFAULT gst_fbdev_zero_sink_debug

const gchar *
gst_fbdev_zero_sink_way_name (Way way)
{
  static const gchar *names[] = { "none", "flip", "convert", "copy" };

  return names[way];
}

void
gst_fbdev_zero_sink_forget_frame (GstFbdevZeroSink * self)
{
  gst_clear_buffer (&self->prepared_for);
  g_clear_pointer (&self->prepared_page, ba_buffer_unref);
  self->prepared_import = FALSE;
  self->prepared_way = WAY_NONE;
  self->shown = FALSE;
}

/* ---- which way ------------------------------------------------------------------------------------------------ */

gboolean
gst_fbdev_zero_sink_is_native (GstFbdevZeroSink * self)
{
  return GST_VIDEO_INFO_FORMAT (&self->info) == self->page_format.format;
}

/* Whether plane @i of a frame whose first pixel is at @x, @y of its page is where the page has it. */
static gboolean
plane_lies_right (GstFbdevZeroSink * self, gsize start, const GstVideoMeta * meta, guint i, gint x, gint y)
{
  const GstVideoInfo *page = &self->screen;
  gint components[GST_VIDEO_MAX_COMPONENTS], component;
  gint stride = meta ? meta->stride[i] : GST_VIDEO_INFO_PLANE_STRIDE (&self->info, i);
  gsize offset = start + (meta ? meta->offset[i] : GST_VIDEO_INFO_PLANE_OFFSET (&self->info, i));

  gst_video_format_info_component (page->finfo, i, components);
  component = components[0];
  return stride == GST_VIDEO_INFO_PLANE_STRIDE (page, i)
      && offset == GST_VIDEO_INFO_PLANE_OFFSET (page, i) + (gsize) stride *(y >> GST_VIDEO_FORMAT_INFO_H_SUB (page->finfo,
          component)) + (gsize) (x >> GST_VIDEO_FORMAT_INFO_W_SUB (page->finfo, component))
      * GST_VIDEO_INFO_COMP_PSTRIDE (page, component);
}

/* The page that @buffer is, where it can be flipped as it is; else NULL and why not. */
static BaBuffer *
find_page (GstFbdevZeroSink * self, GstBuffer * buffer, const Placement * place, Why * why)
{
  GstMemory *memory = gst_buffer_n_memory (buffer) == 1 ? gst_buffer_peek_memory (buffer, 0) : NULL;
  GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
  gint stride = meta ? meta->stride[0] : GST_VIDEO_INFO_PLANE_STRIDE (&self->info, 0);
  gsize begin = meta ? meta->offset[0] : 0;
  gsize page_stride = GST_VIDEO_INFO_PLANE_STRIDE (&self->screen, 0);
  gsize pixel_bytes = GST_VIDEO_INFO_COMP_PSTRIDE (&self->screen, 0);
  gsize offset, x, y;
  gsize moved_px;
  GstVideoRectangle drawn;

  if (!gst_fbdev_zero_sink_is_native (self))
    *why = WHY_FORMAT;
  else if (place->direction != GST_VIDEO_ORIENTATION_IDENTITY)
    *why = WHY_TURNED;
  else if (!gst_fbdev_zero_sink_is_1to1 (place))
    *why = WHY_SCALED;
  else if (memory && gst_ba_fbdev_allocator_is_overflow (self->allocator, memory))
    *why = WHY_OVERFLOW;
  else if (!memory || !gst_ba_fbdev_allocator_owns (self->allocator, memory))
    *why = WHY_FOREIGN;
  else
    *why = WHY_FLIPPED;
  if (*why != WHY_FLIPPED)
    return NULL;

  /* The window's x may have been moved left for alignment; that is where the picture is then. Of a page that was drawn
   * before the place was another one that is not known. */
  GST_OBJECT_LOCK (self);
  moved_px = self->offered_view == self->prepared_view ? WINDOW_MOVES_PX : 1;
  GST_OBJECT_UNLOCK (self);
  offset = gst_ba_memory_get_start (memory) + begin;
  x = (offset % page_stride) / pixel_bytes + place->src.x;
  y = offset / page_stride + place->src.y;
  if ((gsize) stride != page_stride || y != (gsize) place->dst.y || x > (gsize) place->dst.x
      || x + moved_px <= (gsize) place->dst.x) {
    *why = WHY_ELSEWHERE;
    return NULL;
  }
  for (guint i = 1; i < GST_VIDEO_INFO_N_PLANES (&self->screen); i++) {
    if (!plane_lies_right (self, gst_ba_memory_get_start (memory), meta, i, (gint) (x - place->src.x),
            (gint) (y - place->src.y))) {
      *why = WHY_ELSEWHERE;
      return NULL;
    }
  }
  gst_ba_fbdev_allocator_get_drawn (self->allocator, gst_ba_memory_get_buffer (memory), &drawn);
  if (drawn.x < (gint) x || drawn.y < (gint) y || drawn.x + drawn.w > (gint) x + place->dst.w
      || drawn.y + drawn.h > (gint) y + place->dst.h) {
    *why = WHY_CROPPED;
    return NULL;
  }
  return gst_ba_memory_get_buffer (memory);
}

static gchar *
describe_foreign (GstFbdevZeroSink * self, GstBuffer * buffer)
{
  GstMemory *memory = gst_buffer_n_memory (buffer) == 1 ? gst_buffer_peek_memory (buffer, 0) : NULL;
  const gchar *type = memory ? memory->allocator->mem_type : "in several pieces";
  gchar *text;

  GST_OBJECT_LOCK (self);
  if (!self->was_asked)
    text = g_strdup_printf ("the memory is %s, not a page of the screen: no element before the sink asked it for "
        "buffers (ALLOCATION query)", type);
  else if (self->not_offered)
    text = g_strdup_printf ("the memory is %s, and no page was offered: %s", type, self->not_offered);
  else
    text = g_strdup_printf ("the memory is %s, not a page of the screen: the element before the sink did not take "
        "the sink's pool", type);
  GST_OBJECT_UNLOCK (self);
  return text;
}

static gchar *
describe (GstFbdevZeroSink * self, Why why, GstBuffer * buffer, const Placement * place)
{
  switch (why) {
    case WHY_FORMAT:
      return g_strdup_printf ("the frames are %s, the screen is %s", GST_VIDEO_INFO_NAME (&self->info),
          self->page_format.mono ? "black and white" : GST_VIDEO_INFO_NAME (&self->screen));
    case WHY_TURNED:
      return g_strdup ("the picture is turned (video-direction)");
    case WHY_SCALED:
      return g_strdup_printf ("%dx%d is scaled to %dx%d", place->src.w, place->src.h, place->dst.w, place->dst.h);
    case WHY_OVERFLOW:
      return g_strdup ("the elements before the sink keep all pages, so this frame was drawn off the screen");
    case WHY_FOREIGN:
      return describe_foreign (self, buffer);
    case WHY_ELSEWHERE:
      return g_strdup ("the page was drawn for another place on the screen");
    case WHY_CROPPED:
      return g_strdup ("the frame was cropped: there is more on its page than is to be seen");
    case WHY_ONE_PAGE:
      return g_strdup ("the screen has one page only");
    case WHY_NOT_IMPORTED:
      return g_strdup_printf ("the memory is a dmabuf, and %s", self->not_imported);
    case WHY_OVERLAY:
      return g_strdup ("there is text or a picture over the frame, and others hold its page too");
    case WHY_NOWHERE:
      return g_strdup ("the render rectangle lies outside the screen");
    default:
      return g_strdup ("");
  }
}

/* Remembers the way of the frame at hand, and tells the application when it is another one than before. */
static void
tell_way (GstFbdevZeroSink * self, Way way, Why why, GstBuffer * buffer, const Placement * place)
{
  gboolean same, changed;
  gchar *reason;

  GST_OBJECT_LOCK (self);
  same = self->last_why == why && why != WHY_NOT_IMPORTED && self->last_way == way
      && memcmp (&self->last_place, place, sizeof *place) == 0;
  GST_OBJECT_UNLOCK (self);
  if (same)
    return;
  reason = describe (self, why, buffer, place);
  GST_OBJECT_LOCK (self);
  changed = way != self->last_way || g_strcmp0 (reason, self->reason) != 0;
  self->last_why = why;
  self->last_place = *place;
  self->last_way = way;
  if (changed) {
    g_free (self->reason);
    self->reason = g_strdup (reason);
  }
  GST_OBJECT_UNLOCK (self);
  if (changed) {
    if (way != WAY_FLIP)
      GST_CAT_INFO_OBJECT (gst_fbdev_zero_sink_performance, self, "each frame is written by the CPU (%s): %s",
          gst_fbdev_zero_sink_way_name (way), reason);
    gst_element_post_message (GST_ELEMENT (self), gst_message_new_element (GST_OBJECT (self),
            gst_structure_new ("fbdevzerosink-path", "path", G_TYPE_STRING, gst_fbdev_zero_sink_way_name (way),
                "reason", G_TYPE_STRING, reason, NULL)));
  }
  g_free (reason);
}

/* ---- pages to write in ---------------------------------------------------------------------------------------- */

GstFlowReturn
gst_fbdev_zero_sink_wait_unlocked (GstFbdevZeroSink * self)
{
  GstFlowReturn flow;

  /* only the streaming thread may: of two that wait there one is woken, and the other one would wait for good */
  if (self->repaints)
    return GST_FLOW_FLUSHING;
  flow = gst_base_sink_wait_preroll (GST_BASE_SINK (self));
  /* a step ends the wait with a code of the base class's own; this frame is wanted all the same */
  return flow == GST_FLOW_CUSTOM_ERROR ? GST_FLOW_OK : flow;
}

/* What is painted anew does not wait: pages come back when frames come, which cannot meanwhile. */
static gint64
get_page_timeout_ns (GstFbdevZeroSink * self)
{
  if (self->repaints)
    return BA_NO_WAIT;
  return gst_ba_fbdev_allocator_get_overflows (self->allocator) ? PAGE_TIMEOUT_STARVED_NS : PAGE_TIMEOUT_NS;
}

/* Takes a page for @buffer that is not visible, waiting for one. EOS where somebody upstream sits on all of them. */
static GstFlowReturn
get_back_page (GstFbdevZeroSink * self, GstBuffer * buffer, BaBuffer ** page)
{
  BaPool *pages = gst_ba_fbdev_allocator_get_pages (self->allocator);
  GstFlowReturn flow = GST_FLOW_OK;
  int r;

  while (flow == GST_FLOW_OK && (r = ba_pool_acquire (pages, BA_NO_WAIT, &self->cancel, page)) < 0) {
    if (r == -EAGAIN) {         /* the page before the one that waits for its vsync may be all there is */
      ba_display_wait (self->display, &self->cancel);
      gst_fbdev_zero_sink_give_back_last_sample (self, buffer);
      r = ba_pool_acquire (pages, get_page_timeout_ns (self), &self->cancel, page);
    }
    if (r == -ECANCELED)
      flow = gst_fbdev_zero_sink_wait_unlocked (self);
    else
      return gst_ba_flow_from_error (r);
  }
  return flow;
}

static GstFlowReturn
write_back_page (GstFbdevZeroSink * self, GstBuffer * buffer, const Placement * place, Way way)
{
  BaBuffer *page = NULL;
  GstFlowReturn flow = get_back_page (self, buffer, &page);

  if (flow == GST_FLOW_EOS) {
    GST_WARNING_OBJECT (self, "no page came back within %d ms: the elements before the sink hold all of them, this "
        "frame is dropped", (gint) (get_page_timeout_ns (self) / GST_MSECOND));
    return GST_FLOW_OK;
  }
  if (flow != GST_FLOW_OK)
    return flow;
  gst_ba_fbdev_allocator_prepare_page (self->allocator, page, &place->dst);
  gst_fbdev_zero_sink_repair_borders (self, page, &place->dst);
  flow = gst_fbdev_zero_sink_write_frame (self, buffer, place, way, page);
  if (flow == GST_FLOW_OK)
    self->prepared_page = page;
  else
    ba_buffer_unref (page);
  return flow;
}

/* ---- prepare -------------------------------------------------------------------------------------------------- */

/* Only the last page may be drawn while it is visible, and only where that was asked for. */
static gboolean
may_flip (GstFbdevZeroSink * self)
{
  gboolean may = ba_display_get_info (self->display)->can_flip;

  if (!may) {
    GST_OBJECT_LOCK (self);
    may = self->offer_pages == GST_BA_OFFER_PAGES_ALWAYS;
    GST_OBJECT_UNLOCK (self);
  }
  return may;
}

static GstFlowReturn
prepare (GstFbdevZeroSink * self, GstBuffer * buffer, const View * view)
{
  Placement place;
  GstVideoRectangle drawn;
  View plain_view;
  BaBuffer *page;
  GstFlowReturn flow;
  Way way = WAY_FLIP;
  Why why;

  gst_fbdev_zero_sink_forget_frame (self);
  if (!gst_fbdev_zero_sink_is_of_caps (self, buffer)) {
    /* input-selector lets one past where it is switched while two threads push: the caps are those of the new input */
    GST_WARNING_OBJECT (self, "a frame does not fit the caps that came before it, it is dropped: %" GST_PTR_FORMAT, buffer);
    self->prepared_for = gst_buffer_ref (buffer);
    return GST_FLOW_OK;
  }
  flow = gst_fbdev_zero_sink_place_buffer (self, view, buffer, &place);
  if (flow == GST_FLOW_ERROR)
    return flow;
  if (flow == GST_FLOW_OK && !gst_fbdev_zero_sink_pages_take (self, &place,
          gst_buffer_get_video_overlay_composition_meta (buffer) != NULL)
      && gst_fbdev_zero_sink_use_plain_pages (self, &place.on_screen)) {
    gst_pad_push_event (GST_BASE_SINK_PAD (self), gst_event_new_reconfigure ());
    gst_fbdev_zero_sink_get_view (self, &plain_view, &self->prepared_view);
    flow = gst_fbdev_zero_sink_place_buffer (self, &plain_view, buffer, &place);
  }
  if (!self->display)           /* other pages could not be had, which was said */
    return GST_FLOW_ERROR;
  if (flow == FLOW_NOWHERE) {
    why = WHY_NOWHERE;
    page = NULL;
  } else {
    page = find_page (self, buffer, &place, &why);
  }
  if (page && !may_flip (self)) {
    page = NULL;
    why = WHY_ONE_PAGE;
  }
  if (page && gst_fbdev_zero_sink_prepare_overlay (self, buffer, &place)
      && !gst_fbdev_zero_sink_draw_over (self, buffer, page)) {
    page = NULL;
    why = WHY_OVERLAY;
  }
  if (!page && flow == GST_FLOW_OK && why != WHY_OVERLAY && why != WHY_OVERFLOW) {
    self->prepared_import = gst_fbdev_zero_sink_import (self, buffer, &place);
    if (self->prepared_import)
      why = WHY_FLIPPED;
    else if (self->not_imported)
      why = WHY_NOT_IMPORTED;
  }
  flow = GST_FLOW_OK;
  if (page) {
    self->prepared_page = ba_buffer_ref (page);
    gst_ba_fbdev_allocator_get_drawn (self->allocator, page, &drawn);
    gst_fbdev_zero_sink_repair_borders (self, page, &drawn);
  } else if (!self->prepared_import) {
    way = gst_fbdev_zero_sink_is_native (self) && gst_fbdev_zero_sink_is_1to1 (&place) ? WAY_COPY : WAY_CONVERT;
    if (ba_display_get_info (self->display)->can_flip)
      flow = write_back_page (self, buffer, &place, way);
  }
  tell_way (self, way, why, buffer, &place);
  if (flow == GST_FLOW_OK) {
    self->prepared_for = gst_buffer_ref (buffer);
    self->prepared_way = way;
    self->prepared_place = place;
  }
  return flow;
}

/* The frame at hand found no page, and there is one now. */
static gboolean
has_page_at_last (GstFbdevZeroSink * self)
{
  BaPoolStats stats;

  if (self->prepared_page || self->prepared_import || self->prepared_way == WAY_NONE
      || !ba_display_get_info (self->display)->can_flip)
    return FALSE;
  ba_pool_get_stats (gst_ba_fbdev_allocator_get_pages (self->allocator), &stats);
  return stats.n_free > 0;
}

GstFlowReturn
gst_fbdev_zero_sink_prepare_frame (GstFbdevZeroSink * self, GstBuffer * buffer)
{
  View view;
  guint number;

  if (!self->display)           /* its mode was changed to one that cannot be shown in */
    return GST_FLOW_ERROR;
  gst_fbdev_zero_sink_get_view (self, &view, &number);
  if (self->prepared_for == buffer && self->prepared_view == number && !has_page_at_last (self))
    return GST_FLOW_OK;         /* the preroll frame comes a second time */
  self->prepared_view = number;
  return prepare (self, buffer, &view);
}
