/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-fbdevzerosink
 * @title: fbdevzerosink
 *
 * Shows video on a Linux framebuffer without copying it: the pages of the screen are offered upstream as buffers, and
 * a frame that was drawn into one is flipped. Frames in another format or size are converted once, straight into a
 * page that is not visible.
 *
 * |[
 * gst-launch-1.0 videotestsrc ! fbdevzerosink device=virtual:1280x720,file=/tmp/screen
 * ]|
 *
 * This file has state changes, events, queries and negotiation; gstfbdevzerosink-private.h lists the others.
 */
#include "gstfbdevzerosink-private.h"

GST_DEBUG_CATEGORY (gst_fbdev_zero_sink_debug);
GST_DEBUG_CATEGORY (gst_fbdev_zero_sink_performance);
#define GST_CAT_DEFAULT gst_fbdev_zero_sink_debug

/* What can be converted, best first: no chroma lost, cheap to read. */
#define YUV_FORMATS "I420, YV12, NV12, NV21, YUY2, UYVY, Y42B, Y444, I420_10LE, P010_10LE, GRAY8"
#define RGB_FORMATS "BGRx, RGBx, xRGB, xBGR, BGRA, RGBA, ARGB, ABGR, RGB, BGR, RGB16, BGR16, RGB15"
/* What planes scan out, and few elements give. */
#define RARE_FORMATS "NV16, NV61"

#if GST_CHECK_VERSION (1, 24, 0)
#define DMA_CAPS GST_VIDEO_DMA_DRM_CAPS_MAKE ";"
#else
#define DMA_CAPS
#endif

/* Elements that lay something over frames name the memory as well, and GStreamer takes that for another feature. */
static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS (DMA_CAPS GST_VIDEO_CAPS_MAKE ("{ " YUV_FORMATS ", " RGB_FORMATS ", " RARE_FORMATS " }") ";"
        GST_VIDEO_CAPS_MAKE_WITH_FEATURES (GST_CAPS_FEATURE_MEMORY_SYSTEM_MEMORY ", "
            GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION,
            "{ " YUV_FORMATS ", " RGB_FORMATS ", " RARE_FORMATS " }") ";"
        GST_VIDEO_CAPS_MAKE_WITH_FEATURES (GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION,
            "{ " YUV_FORMATS ", " RGB_FORMATS ", " RARE_FORMATS " }")));

G_DEFINE_TYPE_WITH_CODE (GstFbdevZeroSink, gst_fbdev_zero_sink, GST_TYPE_VIDEO_SINK,
    G_IMPLEMENT_INTERFACE (GST_TYPE_VIDEO_OVERLAY, (GInterfaceInitFunc) gst_fbdev_zero_sink_init_overlay)
    G_IMPLEMENT_INTERFACE (GST_TYPE_VIDEO_DIRECTION, (GInterfaceInitFunc) gst_fbdev_zero_sink_init_direction))
/* no rank: autovideosink must not take a console unasked */
GST_ELEMENT_REGISTER_DEFINE (fbdevzerosink, "fbdevzerosink", GST_RANK_NONE, GST_TYPE_FBDEV_ZERO_SINK)

/* ---- states ---------------------------------------------------------------------------------------------------- */

static gboolean
gst_fbdev_zero_sink_unlock (GstBaseSink * sink)
{
  GstFbdevZeroSink *self = GST_FBDEV_ZERO_SINK (sink);
  GstBaFbdevAllocator *allocator;

  atomic_store (&self->cancel, 1);
  GST_OBJECT_LOCK (self);
  allocator = self->allocator ? gst_object_ref (self->allocator) : NULL;
  GST_OBJECT_UNLOCK (self);
  if (allocator) {
    ba_display_wake (gst_ba_fbdev_allocator_get_display (allocator));
    ba_pool_wake (gst_ba_fbdev_allocator_get_pages (allocator));
    gst_object_unref (allocator);
  }
  return TRUE;
}

static gboolean
gst_fbdev_zero_sink_unlock_stop (GstBaseSink * sink)
{
  atomic_store (&GST_FBDEV_ZERO_SINK (sink)->cancel, 0);
  gst_fbdev_zero_sink_repaint_again (GST_FBDEV_ZERO_SINK (sink));
  return TRUE;
}

/* The base class forgets what it dropped at some state changes; our numbers live until the display is closed. */
static void
keep_dropped (GstFbdevZeroSink * self, guint64 late_before)
{
  guint64 late = gst_fbdev_zero_sink_get_late (self);

  GST_OBJECT_LOCK (self);
  if (late < late_before)
    self->counts.dropped += late_before - late;
  GST_OBJECT_UNLOCK (self);
}

static void
forget_numbers (GstFbdevZeroSink * self)
{
  GST_OBJECT_LOCK (self);
  memset (&self->counts, 0, sizeof self->counts);
  self->last_way = WAY_NONE;
  self->last_why = WHY_UNKNOWN;
  self->tag_direction = GST_VIDEO_ORIENTATION_IDENTITY;
  g_clear_pointer (&self->reason, g_free);
  GST_OBJECT_UNLOCK (self);
}

static void
clear_if_wanted (GstFbdevZeroSink * self)
{
  gboolean wanted;

  GST_OBJECT_LOCK (self);
  wanted = self->clear_on_stop;
  GST_OBJECT_UNLOCK (self);
  if (wanted && self->display)
    gst_fbdev_zero_sink_clear_screen (self);
}

static GstStateChangeReturn
change_state (GstFbdevZeroSink * self, GstStateChange transition)
{
  GstElement *element = GST_ELEMENT (self);
  GstStateChangeReturn ret;
  gboolean reopened;
  guint64 late;

  switch (transition) {
    case GST_STATE_CHANGE_NULL_TO_READY:
      /* here and not in start: the base class would post a second error that says nothing */
      forget_numbers (self);
      if (!gst_fbdev_zero_sink_open (self))
        return GST_STATE_CHANGE_FAILURE;
      break;
    case GST_STATE_CHANGE_READY_TO_PAUSED:
      GST_BASE_SINK_PREROLL_LOCK (self);
      reopened = gst_fbdev_zero_sink_reopen_changed (self);
      GST_BASE_SINK_PREROLL_UNLOCK (self);
      if (!reopened)
        return GST_STATE_CHANGE_FAILURE;
      gst_fbdev_zero_sink_flush_pools (self, FALSE);
      break;
    case GST_STATE_CHANGE_PAUSED_TO_READY:
      gst_fbdev_zero_sink_flush_pools (self, TRUE);
      break;
    default:
      break;
  }
  late = gst_fbdev_zero_sink_get_late (self);
  ret = GST_ELEMENT_CLASS (gst_fbdev_zero_sink_parent_class)->change_state (element, transition);
  keep_dropped (self, late);
  /* the application may have the last frame painted anew at any time */
  GST_BASE_SINK_PREROLL_LOCK (self);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    gst_fbdev_zero_sink_drain_imports (self);
    gst_fbdev_zero_sink_forget_frame (self);
    gst_fbdev_zero_sink_forget_convert (self);
    clear_if_wanted (self);
  } else if (self->display && (transition == GST_STATE_CHANGE_READY_TO_NULL
          || (transition == GST_STATE_CHANGE_NULL_TO_READY && ret == GST_STATE_CHANGE_FAILURE))) {
    gst_fbdev_zero_sink_close (self);
  }
  GST_BASE_SINK_PREROLL_UNLOCK (self);
  return ret;
}

static GstStateChangeReturn
gst_fbdev_zero_sink_change_state (GstElement * element, GstStateChange transition)
{
  GstFbdevZeroSink *self = GST_FBDEV_ZERO_SINK (element);
  GThread *before = gst_fbdev_zero_sink_enter (self, INSIDE_STATE);
  GstStateChangeReturn ret = change_state (self, transition);

  gst_fbdev_zero_sink_leave (self, INSIDE_STATE, before);
  return ret;
}

static gboolean
gst_fbdev_zero_sink_event (GstBaseSink * sink, GstEvent * event)
{
  GstFbdevZeroSink *self = GST_FBDEV_ZERO_SINK (sink);
  gboolean in_stream = GST_EVENT_IS_SERIALIZED (event), done;
  GThread *before = NULL;
  GstTagList *tags;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_FLUSH_START:
      gst_fbdev_zero_sink_flush_pools (self, TRUE);
      break;
    case GST_EVENT_FLUSH_STOP:
      gst_fbdev_zero_sink_flush_pools (self, FALSE);
      break;
    case GST_EVENT_STREAM_START:
      gst_fbdev_zero_sink_take_tags (self, NULL);
      break;
    case GST_EVENT_TAG:
      gst_event_parse_tag (event, &tags);
      gst_fbdev_zero_sink_take_tags (self, tags);
      break;
    default:
      break;
  }
  if (in_stream)
    before = gst_fbdev_zero_sink_enter (self, INSIDE_STREAM);
  done = GST_BASE_SINK_CLASS (gst_fbdev_zero_sink_parent_class)->event (sink, event);
  if (in_stream)
    gst_fbdev_zero_sink_leave (self, INSIDE_STREAM, before);
  return done;
}

/* ---- negotiation ---------------------------------------------------------------------------------------------- */

/* What is cheapest: the formats of a YUV plane and the screen's own, at first in the size that is seen; and then whatever
 * can be converted. */
static GstCaps *
make_screen_caps (GstFbdevZeroSink * self)
{
  View view;
  GstCaps *caps, *any_size;
  GValue formats = G_VALUE_INIT;
  gint w, h;

  gst_fbdev_zero_sink_get_view (self, &view, NULL);
  w = view.area.w > 0 ? MIN (view.area.w, view.screen_w) : view.screen_w;
  h = view.area.h > 0 ? MIN (view.area.h, view.screen_h) : view.screen_h;
  if (gst_fbdev_zero_sink_swaps_sides (view.direction)) {
    gint swapped = w;

    w = h;
    h = swapped;
  }
  /* what flips has square pixels; other shapes are scaled, so they come after */
  caps = gst_caps_new_simple ("video/x-raw", "width", G_TYPE_INT, w, "height", G_TYPE_INT, h,
      "framerate", GST_TYPE_FRACTION_RANGE, 0, 1, G_MAXINT, 1, "pixel-aspect-ratio", GST_TYPE_FRACTION, 1, 1, NULL);
  gst_fbdev_zero_sink_get_native_formats (self, &view, &formats);
  gst_caps_set_value (caps, "format", &formats);
  g_value_unset (&formats);
  any_size = gst_caps_copy (caps);
  gst_caps_set_simple (any_size, "width", GST_TYPE_INT_RANGE, 1, G_MAXINT, "height", GST_TYPE_INT_RANGE, 1, G_MAXINT,
      NULL);
  gst_caps_append (caps, any_size);
  return caps;
}

static GstCaps *
gst_fbdev_zero_sink_get_caps (GstBaseSink * sink, GstCaps * filter)
{
  GstFbdevZeroSink *self = GST_FBDEV_ZERO_SINK (sink);
  GstCaps *caps, *all = gst_pad_get_pad_template_caps (GST_BASE_SINK_PAD (sink));
  gboolean open;

  GST_OBJECT_LOCK (self);
  open = self->display != NULL;
  GST_OBJECT_UNLOCK (self);
  caps = open ? gst_fbdev_zero_sink_add_dma_caps (self, gst_caps_merge (make_screen_caps (self), all)) : all;
  if (filter) {
    /* our order counts, not upstream's: it is the order of cost */
    GstCaps *both = gst_caps_intersect_full (caps, filter, GST_CAPS_INTERSECT_FIRST);

    gst_caps_unref (caps);
    caps = both;
  }
  return caps;
}

static gboolean
gst_fbdev_zero_sink_set_caps (GstBaseSink * sink, GstCaps * caps)
{
  GstFbdevZeroSink *self = GST_FBDEV_ZERO_SINK (sink);
  GstVideoInfo info;
  gboolean reopened;
  guint64 modifier;

  if (!gst_fbdev_zero_sink_parse_caps (caps, &info, &modifier)) {
    GST_ERROR_OBJECT (self, "these caps are no video: %" GST_PTR_FORMAT, caps);
    return FALSE;
  }
  /* the base class holds the preroll lock, so nobody paints the last frame anew meanwhile */
  if (!gst_fbdev_zero_sink_follow_mode (self, &reopened))
    return FALSE;
  gst_fbdev_zero_sink_drain_imports (self);     /* a copy has to be made while it is known how they lie */
  gst_fbdev_zero_sink_forget_frame (self);      /* it is not of these caps */
  gst_fbdev_zero_sink_forget_convert (self);
  self->info = info;
  self->modifier = modifier;
  if (gst_fbdev_zero_sink_choose_pages (self, caps))
    reopened = TRUE;
  if (reopened)
    gst_pad_push_event (GST_BASE_SINK_PAD (self), gst_event_new_reconfigure ());
  GST_OBJECT_LOCK (self);
  self->last_why = WHY_UNKNOWN;
  GST_OBJECT_UNLOCK (self);
  GST_VIDEO_SINK_WIDTH (self) = GST_VIDEO_INFO_WIDTH (&info);
  GST_VIDEO_SINK_HEIGHT (self) = GST_VIDEO_INFO_HEIGHT (&info);
  return TRUE;
}

static gboolean
gst_fbdev_zero_sink_query (GstBaseSink * sink, GstQuery * query)
{
  GstFbdevZeroSink *self = GST_FBDEV_ZERO_SINK (sink);
  gboolean done;
  GThread *before;

  if (GST_QUERY_TYPE (query) != GST_QUERY_DRAIN && GST_QUERY_TYPE (query) != GST_QUERY_ALLOCATION)
    return GST_BASE_SINK_CLASS (gst_fbdev_zero_sink_parent_class)->query (sink, query);
  /* The application may have the frame painted anew at any time, which may open the display anew: not before the answer
   * is complete. */
  GST_BASE_SINK_PREROLL_LOCK (sink);
  before = gst_fbdev_zero_sink_enter (self, INSIDE_STREAM);
  /* upstream wants its buffers back: the page on screen is the display's to keep, the GstBuffer is not needed */
  gst_fbdev_zero_sink_forget_frame (self);
  gst_fbdev_zero_sink_drain_imports (self);
  done = GST_BASE_SINK_CLASS (gst_fbdev_zero_sink_parent_class)->query (sink, query);
  gst_fbdev_zero_sink_leave (self, INSIDE_STREAM, before);
  GST_BASE_SINK_PREROLL_UNLOCK (sink);
  return done;
}

/* ---- frames --------------------------------------------------------------------------------------------------- */

/* From here to chain_list no casts that look types up: GStreamer calls these with its own pointer, for every frame. */
static GstFlowReturn
gst_fbdev_zero_sink_prepare (GstBaseSink * sink, GstBuffer * buffer)
{
  return gst_fbdev_zero_sink_prepare_frame ((GstFbdevZeroSink *) sink, buffer);
}

static GstFlowReturn
gst_fbdev_zero_sink_show_frame (GstVideoSink * sink, GstBuffer * buffer)
{
  return gst_fbdev_zero_sink_show_prepared ((GstFbdevZeroSink *) sink, buffer);
}

/*
 * The pages are told whether a frame is in our hands, however it ends (shown, dropped, refused): while one is, a page
 * will come back by itself, and whoever waits for one need not be given other memory.
 */
static GstBaFbdevAllocator *
begin_frame (GstFbdevZeroSink * self)
{
  GstBaFbdevAllocator *allocator;

  GST_OBJECT_LOCK (self);
  allocator = self->allocator ? gst_object_ref (self->allocator) : NULL;
  self->inside[INSIDE_STREAM] = g_thread_self ();
  GST_OBJECT_UNLOCK (self);
  self->counted_dropped = NULL; /* it is another frame, also where it comes in the same memory */
  if (allocator)
    gst_ba_fbdev_allocator_set_showing (allocator, TRUE);
  return allocator;
}

static GstFlowReturn
end_frame (GstFbdevZeroSink * self, GstBaFbdevAllocator * allocator, GstFlowReturn flow)
{
  gst_fbdev_zero_sink_leave (self, INSIDE_STREAM, NULL);
  if (allocator) {
    gst_ba_fbdev_allocator_set_showing (allocator, FALSE);
    gst_object_unref (allocator);
  }
  return flow;
}

static GstFlowReturn
gst_fbdev_zero_sink_chain (GstPad * pad, GstObject * parent, GstBuffer * buffer)
{
  GstFbdevZeroSink *self = (GstFbdevZeroSink *) parent;
  GstBaFbdevAllocator *allocator = begin_frame (self);

  return end_frame (self, allocator, self->base_chain (pad, parent, buffer));
}

static GstFlowReturn
gst_fbdev_zero_sink_chain_list (GstPad * pad, GstObject * parent, GstBufferList * list)
{
  GstFbdevZeroSink *self = (GstFbdevZeroSink *) parent;
  GstBaFbdevAllocator *allocator = begin_frame (self);

  return end_frame (self, allocator, self->base_chain_list (pad, parent, list));
}

/* ---- the class ------------------------------------------------------------------------------------------------ */

static void
gst_fbdev_zero_sink_finalize (GObject * object)
{
  GstFbdevZeroSink *self = GST_FBDEV_ZERO_SINK (object);

  g_free (self->device);
  g_free (self->reason);
  g_free (self->not_imported);
  g_ptr_array_unref (self->pools);
  g_weak_ref_clear (&self->import_pool);
  g_clear_pointer (&self->overlay, gst_ba_overlay_free);
  G_OBJECT_CLASS (gst_fbdev_zero_sink_parent_class)->finalize (object);
}

static void
gst_fbdev_zero_sink_class_init (GstFbdevZeroSinkClass * klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseSinkClass *sink_class = GST_BASE_SINK_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (gst_fbdev_zero_sink_debug, "fbdevzerosink", 0, "framebuffer sink that does not copy");
  GST_DEBUG_CATEGORY_GET (gst_fbdev_zero_sink_performance, "GST_PERFORMANCE");
  object_class->set_property = gst_fbdev_zero_sink_set_property;
  object_class->get_property = gst_fbdev_zero_sink_get_property;
  object_class->finalize = gst_fbdev_zero_sink_finalize;
  gst_fbdev_zero_sink_install_properties (object_class);

  element_class->change_state = gst_fbdev_zero_sink_change_state;
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_set_static_metadata (element_class, "Zero-copy framebuffer video sink", "Sink/Video",
      "Offers the pages of a Linux framebuffer upstream and flips them", "The gst-bufalloc developers");

  sink_class->unlock = gst_fbdev_zero_sink_unlock;
  sink_class->unlock_stop = gst_fbdev_zero_sink_unlock_stop;
  sink_class->event = gst_fbdev_zero_sink_event;
  sink_class->query = gst_fbdev_zero_sink_query;
  sink_class->get_caps = gst_fbdev_zero_sink_get_caps;
  sink_class->set_caps = gst_fbdev_zero_sink_set_caps;
  sink_class->propose_allocation = gst_fbdev_zero_sink_propose_allocation;
  sink_class->prepare = gst_fbdev_zero_sink_prepare;
  GST_VIDEO_SINK_CLASS (klass)->show_frame = gst_fbdev_zero_sink_show_frame;
}

static void
gst_fbdev_zero_sink_init (GstFbdevZeroSink * self)
{
  self->device = g_strdup (GST_FBDEV_ZERO_SINK_DEFAULT_DEVICE);
  self->vsync = TRUE;
  self->fd = -1;
  self->scaling = GST_BA_SCALING_FIT;
  self->offer_pages = GST_BA_OFFER_PAGES_AUTO;
  self->pools = gst_fbdev_zero_sink_new_pool_list ();
  g_weak_ref_init (&self->import_pool, NULL);
  self->base_chain = GST_PAD_CHAINFUNC (GST_BASE_SINK_PAD (self));
  gst_pad_set_chain_function (GST_BASE_SINK_PAD (self), gst_fbdev_zero_sink_chain);
  self->base_chain_list = GST_PAD_CHAINLISTFUNC (GST_BASE_SINK_PAD (self));
  gst_pad_set_chain_list_function (GST_BASE_SINK_PAD (self), gst_fbdev_zero_sink_chain_list);
  atomic_init (&self->cancel, 0);
}
