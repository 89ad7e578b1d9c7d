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
 * This file has properties, opening and closing, and negotiation; gstfbdevzerosink-frame.c shows frames.
 */
#include "gstfbdevzerosink-private.h"

#include <errno.h>

#include "gstbastats.h"

GST_DEBUG_CATEGORY (gst_fbdev_zero_sink_debug);
GST_DEBUG_CATEGORY (gst_fbdev_zero_sink_performance);
#define GST_CAT_DEFAULT gst_fbdev_zero_sink_debug

#define DEFAULT_DEVICE "auto"

/* What can be converted, best first: no chroma lost, cheap to read. */
#define YUV_FORMATS "I420, YV12, NV12, NV21, YUY2, UYVY, Y42B, Y444, I420_10LE, P010_10LE, GRAY8"
#define RGB_FORMATS "BGRx, RGBx, xRGB, xBGR, BGRA, RGBA, ARGB, ABGR, RGB, BGR, RGB16, BGR16, RGB15"

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS (GST_VIDEO_CAPS_MAKE ("{ " YUV_FORMATS ", " RGB_FORMATS " }")));

enum
{
  PROP_0,
  PROP_DEVICE,
  PROP_PAGES,
  PROP_VSYNC,
  PROP_SCALING,
  PROP_OFFER_PAGES,
  PROP_FRAME_STATS,
};

#define GST_TYPE_BA_SCALING (gst_ba_scaling_get_type ())
static GType
gst_ba_scaling_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    {GST_BA_SCALING_NONE, "As it is, centred, cut where it is larger than the screen", "none"},
    {GST_BA_SCALING_FIT, "As large as fits, with black bars", "fit"},
    {GST_BA_SCALING_FILL, "So large that it fills the screen, cut at two sides", "fill"},
    {GST_BA_SCALING_STRETCH, "The screen's size, whatever that does to its shape", "stretch"},
    {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstBaScaling", values));
  return type;
}

#define GST_TYPE_BA_OFFER_PAGES (gst_ba_offer_pages_get_type ())
static GType
gst_ba_offer_pages_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    {GST_BA_OFFER_PAGES_AUTO, "Where there are at least three pages", "auto"},
    {GST_BA_OFFER_PAGES_ALWAYS, "Where there are at least two pages", "always"},
    {GST_BA_OFFER_PAGES_NEVER, "Never: every frame is copied or converted", "never"},
    {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstBaOfferPages", values));
  return type;
}

G_DEFINE_TYPE (GstFbdevZeroSink, gst_fbdev_zero_sink, GST_TYPE_VIDEO_SINK)
/* no rank: autovideosink must not take a console unasked */
GST_ELEMENT_REGISTER_DEFINE (fbdevzerosink, "fbdevzerosink", GST_RANK_NONE, GST_TYPE_FBDEV_ZERO_SINK)

/* ---- opening and closing --------------------------------------------------------------------------------------- */

static void
post_open_error (GstFbdevZeroSink * self, const BaError * error)
{
  GstResourceError code;

  switch (error->code) {
    case -ENOENT:
    case -ENODEV:
    case -ENXIO:
      code = GST_RESOURCE_ERROR_NOT_FOUND;
      break;
    case -EBUSY:
      code = GST_RESOURCE_ERROR_BUSY;
      break;
    case -EACCES:
    case -EPERM:
      code = GST_RESOURCE_ERROR_NOT_AUTHORIZED;
      break;
    case -EINVAL:
    case -ENOTSUP:
      code = GST_RESOURCE_ERROR_SETTINGS;
      break;
    case -ENOSPC:
      code = GST_RESOURCE_ERROR_NO_SPACE_LEFT;
      break;
    default:
      code = GST_RESOURCE_ERROR_OPEN_READ_WRITE;
      break;
  }
  gst_element_message_full (GST_ELEMENT (self), GST_MESSAGE_ERROR, GST_RESOURCE_ERROR, code,
      g_strdup_printf ("The display could not be opened: %s.", error->message), g_strdup_printf ("%s (%d)",
          ba_error_text (error->code), error->code), __FILE__, GST_FUNCTION, __LINE__);
}

static gboolean
open_display (GstFbdevZeroSink * self)
{
  BaError error = { 0 };
  BaDisplay *display = NULL;
  GstAllocator *allocator = NULL;
  BaDisplayOptions options;
  gchar *device;

  GST_OBJECT_LOCK (self);
  device = g_strdup (self->device);
  options = (BaDisplayOptions) {
  .pages = self->n_pages,.no_vsync = !self->vsync};
  self->not_offered = NULL;
  memset (&self->counts, 0, sizeof self->counts);
  self->last_way = WAY_NONE;
  g_clear_pointer (&self->reason, g_free);
  GST_OBJECT_UNLOCK (self);

  if (ba_display_open (device, &options, &error, &display) == 0)
    allocator = gst_ba_fbdev_allocator_new (display, &error);
  if (allocator && !gst_ba_fbdev_allocator_get_info (GST_BA_FBDEV_ALLOCATOR (allocator), &self->screen)) {
    ba_error_set (&error, -ENOTSUP, "the pixels of %s have no name in GStreamer", device);
    gst_clear_object (&allocator);
  }
  g_free (device);
  if (!allocator) {
    if (display) {
      ba_display_close (display);
      ba_display_unref (display);
    }
    post_open_error (self, &error);
    return FALSE;
  }
  GST_OBJECT_LOCK (self);
  self->reopen = FALSE;
  self->display = display;
  self->allocator = GST_BA_FBDEV_ALLOCATOR (allocator);
  GST_OBJECT_UNLOCK (self);
  const BaDisplayInfo *info = ba_display_get_info (display);
  GST_INFO_OBJECT (self, "%s display %s: %s %ux%u, %u pages", info->kind, info->name,
      GST_VIDEO_INFO_NAME (&self->screen), info->layout.width_px, info->layout.height_px, info->n_pages);
  return TRUE;
}

static GstStructure *make_stats (GstFbdevZeroSink * self);

static void
close_display (GstFbdevZeroSink * self)
{
  GstStructure *stats = make_stats (self);
  GstBaFbdevAllocator *allocator;
  BaDisplay *display;

  gst_ba_stats_log (GST_ELEMENT (self), stats);
  gst_structure_free (stats);

  gst_fbdev_zero_sink_flush_pools (self, TRUE);
  gst_fbdev_zero_sink_forget_frame (self);
  gst_fbdev_zero_sink_forget_convert (self);
  GST_OBJECT_LOCK (self);
  display = self->display;
  self->display = NULL;
  allocator = self->allocator;
  self->allocator = NULL;
  g_ptr_array_set_size (self->pools, 0);
  GST_OBJECT_UNLOCK (self);
  /* the screen is as it was; pages that somebody still holds stay mapped until he lets go */
  ba_display_close (display);
  gst_object_unref (allocator);
  ba_display_unref (display);
}

static gboolean
gst_fbdev_zero_sink_unlock (GstBaseSink * sink)
{
  GstFbdevZeroSink *self = GST_FBDEV_ZERO_SINK (sink);

  atomic_store (&self->cancel, 1);
  if (self->display) {
    ba_display_wake (self->display);
    ba_pool_wake (gst_ba_fbdev_allocator_get_pages (self->allocator));
  }
  return TRUE;
}

static gboolean
gst_fbdev_zero_sink_unlock_stop (GstBaseSink * sink)
{
  atomic_store (&GST_FBDEV_ZERO_SINK (sink)->cancel, 0);
  return TRUE;
}

/* device, pages and vsync may be set in READY, when the display is open already. */
static gboolean
reopen_changed (GstFbdevZeroSink * self)
{
  gboolean reopen;

  GST_OBJECT_LOCK (self);
  reopen = self->reopen;
  GST_OBJECT_UNLOCK (self);
  if (!reopen)
    return TRUE;
  if (self->display)
    close_display (self);
  return open_display (self);
}

static guint64
get_late (GstFbdevZeroSink * self)
{
  GstStructure *stats = gst_base_sink_get_stats (GST_BASE_SINK (self));
  guint64 late = 0;

  gst_structure_get_uint64 (stats, "dropped", &late);
  gst_structure_free (stats);
  return late;
}

/* The base class forgets what it dropped at some state changes; our numbers live until the display is closed. */
static void
keep_dropped (GstFbdevZeroSink * self, guint64 late_before)
{
  guint64 late = get_late (self);

  GST_OBJECT_LOCK (self);
  if (late < late_before)
    self->counts.dropped += late_before - late;
  GST_OBJECT_UNLOCK (self);
}

static GstStateChangeReturn
gst_fbdev_zero_sink_change_state (GstElement * element, GstStateChange transition)
{
  GstFbdevZeroSink *self = GST_FBDEV_ZERO_SINK (element);
  GstStateChangeReturn ret;
  guint64 late;

  switch (transition) {
    case GST_STATE_CHANGE_NULL_TO_READY:
      /* here and not in start: the base class would post a second error that says nothing */
      if (!open_display (self))
        return GST_STATE_CHANGE_FAILURE;
      break;
    case GST_STATE_CHANGE_READY_TO_PAUSED:
      if (!reopen_changed (self))
        return GST_STATE_CHANGE_FAILURE;
      gst_fbdev_zero_sink_flush_pools (self, FALSE);
      break;
    case GST_STATE_CHANGE_PAUSED_TO_READY:
      gst_fbdev_zero_sink_flush_pools (self, TRUE);
      break;
    default:
      break;
  }
  late = get_late (self);
  ret = GST_ELEMENT_CLASS (gst_fbdev_zero_sink_parent_class)->change_state (element, transition);
  keep_dropped (self, late);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    gst_fbdev_zero_sink_forget_frame (self);
  else if (self->display && (transition == GST_STATE_CHANGE_READY_TO_NULL
          || (transition == GST_STATE_CHANGE_NULL_TO_READY && ret == GST_STATE_CHANGE_FAILURE)))
    close_display (self);
  return ret;
}

static gboolean
gst_fbdev_zero_sink_event (GstBaseSink * sink, GstEvent * event)
{
  GstFbdevZeroSink *self = GST_FBDEV_ZERO_SINK (sink);

  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_START)
    gst_fbdev_zero_sink_flush_pools (self, TRUE);
  else if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP)
    gst_fbdev_zero_sink_flush_pools (self, FALSE);
  return GST_BASE_SINK_CLASS (gst_fbdev_zero_sink_parent_class)->event (sink, event);
}

/* ---- negotiation ---------------------------------------------------------------------------------------------- */

static GstCaps *
gst_fbdev_zero_sink_get_caps (GstBaseSink * sink, GstCaps * filter)
{
  GstFbdevZeroSink *self = GST_FBDEV_ZERO_SINK (sink);
  GstCaps *caps, *all = gst_pad_get_pad_template_caps (GST_BASE_SINK_PAD (sink));
  gboolean open;
  GstVideoInfo screen;

  GST_OBJECT_LOCK (self);
  open = self->display != NULL;
  screen = self->screen;
  GST_OBJECT_UNLOCK (self);
  if (open) {
    /* what flips has square pixels; other shapes are scaled, so they come after */
    GstCaps *any_size;

    caps = gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING, GST_VIDEO_INFO_NAME (&screen),
        "width", G_TYPE_INT, GST_VIDEO_INFO_WIDTH (&screen), "height", G_TYPE_INT, GST_VIDEO_INFO_HEIGHT (&screen),
        "framerate", GST_TYPE_FRACTION_RANGE, 0, 1, G_MAXINT, 1, "pixel-aspect-ratio", GST_TYPE_FRACTION, 1, 1, NULL);
    any_size = gst_caps_copy (caps);
    gst_caps_set_simple (any_size, "width", GST_TYPE_INT_RANGE, 1, G_MAXINT, "height", GST_TYPE_INT_RANGE, 1, G_MAXINT,
        NULL);
    gst_caps_append (caps, any_size);
    gst_caps_append (caps, all);
  } else {
    caps = all;
  }
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

  if (!gst_video_info_from_caps (&info, caps)) {
    GST_ERROR_OBJECT (self, "these caps are no video: %" GST_PTR_FORMAT, caps);
    return FALSE;
  }
  gst_fbdev_zero_sink_forget_convert (self);
  self->info = info;
  GST_VIDEO_SINK_WIDTH (self) = GST_VIDEO_INFO_WIDTH (&info);
  GST_VIDEO_SINK_HEIGHT (self) = GST_VIDEO_INFO_HEIGHT (&info);
  return TRUE;
}

static gboolean
gst_fbdev_zero_sink_query (GstBaseSink * sink, GstQuery * query)
{
  GstFbdevZeroSink *self = GST_FBDEV_ZERO_SINK (sink);

  /* upstream wants its buffers back: the page on screen is the display's to keep, the GstBuffer is not needed */
  if (GST_QUERY_TYPE (query) == GST_QUERY_DRAIN || GST_QUERY_TYPE (query) == GST_QUERY_ALLOCATION)
    gst_fbdev_zero_sink_forget_frame (self);
  return GST_BASE_SINK_CLASS (gst_fbdev_zero_sink_parent_class)->query (sink, query);
}

/* ---- frames --------------------------------------------------------------------------------------------------- */

static GstFlowReturn
gst_fbdev_zero_sink_prepare (GstBaseSink * sink, GstBuffer * buffer)
{
  return gst_fbdev_zero_sink_prepare_frame (GST_FBDEV_ZERO_SINK (sink), buffer);
}

static GstFlowReturn
gst_fbdev_zero_sink_show_frame (GstVideoSink * sink, GstBuffer * buffer)
{
  return gst_fbdev_zero_sink_show_prepared (GST_FBDEV_ZERO_SINK (sink), buffer);
}

/*
 * Tells the pages whether a frame is in our hands, however it ends (shown, dropped, refused): while one is, a page will
 * come back by itself, and whoever waits for one need not be given other memory.
 */
static GstFlowReturn
gst_fbdev_zero_sink_chain (GstPad * pad, GstObject * parent, GstBuffer * buffer)
{
  GstFbdevZeroSink *self = GST_FBDEV_ZERO_SINK (parent);
  GstBaFbdevAllocator *allocator = gst_object_ref (self->allocator);
  GstFlowReturn flow;

  gst_ba_fbdev_allocator_set_showing (allocator, TRUE);
  flow = self->base_chain (pad, parent, buffer);
  gst_ba_fbdev_allocator_set_showing (allocator, FALSE);
  gst_object_unref (allocator);
  return flow;
}

/* ---- properties ----------------------------------------------------------------------------------------------- */

static GstStructure *
make_stats (GstFbdevZeroSink * self)
{
  BaDisplayStats display_stats = { 0 };
  GstStructure *stats;
  guint64 late = get_late (self), overflowed = 0;
  guint n_pages = 0;

  GST_OBJECT_LOCK (self);
  if (self->display) {
    ba_display_get_stats (self->display, &display_stats);
    n_pages = ba_display_get_info (self->display)->n_pages;
    overflowed = gst_ba_fbdev_allocator_get_overflows (self->allocator);
  }
  stats = gst_structure_new ("frame-stats",
      "flipped", G_TYPE_UINT64, self->counts.shown[WAY_FLIP],
      "converted", G_TYPE_UINT64, self->counts.shown[WAY_CONVERT],
      "copied", G_TYPE_UINT64, self->counts.shown[WAY_COPY],
      "dropped", G_TYPE_UINT64, self->counts.dropped + late,
      "overflowed", G_TYPE_UINT64, overflowed,
      "bytes-written", G_TYPE_UINT64, self->counts.bytes_written,
      "bytes-copied", G_TYPE_UINT64, self->counts.bytes_copied,
      "pages", G_TYPE_UINT, n_pages,
      "vsyncs-missed", G_TYPE_UINT64, display_stats.vsyncs_missed,
      "reason", G_TYPE_STRING, self->reason ? self->reason : "",
      "read-mbps", G_TYPE_DOUBLE, 0.0, "write-mbps", G_TYPE_DOUBLE, 0.0, NULL);
  GST_OBJECT_UNLOCK (self);
  return stats;
}

static void
gst_fbdev_zero_sink_set_property (GObject * object, guint id, const GValue * value, GParamSpec * pspec)
{
  GstFbdevZeroSink *self = GST_FBDEV_ZERO_SINK (object);

  GST_OBJECT_LOCK (self);
  if (id == PROP_DEVICE || id == PROP_PAGES || id == PROP_VSYNC)
    self->reopen = TRUE;        /* where it is open: takes effect on the way from READY to PAUSED */
  switch (id) {
    case PROP_DEVICE:
      g_free (self->device);
      self->device = g_value_dup_string (value);
      if (!self->device)
        self->device = g_strdup (DEFAULT_DEVICE);
      break;
    case PROP_PAGES:
      self->n_pages = g_value_get_uint (value);
      break;
    case PROP_VSYNC:
      self->vsync = g_value_get_boolean (value);
      break;
    case PROP_SCALING:
      self->scaling = g_value_get_enum (value);
      break;
    case PROP_OFFER_PAGES:
      self->offer_pages = g_value_get_enum (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_fbdev_zero_sink_get_property (GObject * object, guint id, GValue * value, GParamSpec * pspec)
{
  GstFbdevZeroSink *self = GST_FBDEV_ZERO_SINK (object);

  if (id == PROP_FRAME_STATS) {
    g_value_take_boxed (value, make_stats (self));
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_DEVICE:
      g_value_set_string (value, self->device);
      break;
    case PROP_PAGES:
      g_value_set_uint (value, self->n_pages);
      break;
    case PROP_VSYNC:
      g_value_set_boolean (value, self->vsync);
      break;
    case PROP_SCALING:
      g_value_set_enum (value, self->scaling);
      break;
    case PROP_OFFER_PAGES:
      g_value_set_enum (value, self->offer_pages);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_fbdev_zero_sink_finalize (GObject * object)
{
  GstFbdevZeroSink *self = GST_FBDEV_ZERO_SINK (object);

  g_free (self->device);
  g_free (self->reason);
  g_ptr_array_unref (self->pools);
  G_OBJECT_CLASS (gst_fbdev_zero_sink_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass * klass)
{
  const GParamFlags ready = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  g_object_class_install_property (klass, PROP_DEVICE, g_param_spec_string ("device", "Device",
          "Where to show: /dev/fbN, virtual:WxH[,format=BGRx][,pages=6][,rate=60][,file=PATH], or auto", DEFAULT_DEVICE,
          ready));
  g_object_class_install_property (klass, PROP_PAGES, g_param_spec_uint ("pages", "Pages",
          "Pages to ask the device for (0 = all it has, up to 8)", 0, BA_DISPLAY_MAX_PAGES, 0, ready));
  g_object_class_install_property (klass, PROP_VSYNC, g_param_spec_boolean ("vsync", "Vsync",
          "Wait for the vertical sync, so that frames do not tear", TRUE, ready));
  g_object_class_install_property (klass, PROP_SCALING, g_param_spec_enum ("scaling", "Scaling",
          "How a picture of another size than the screen's is shown", GST_TYPE_BA_SCALING, GST_BA_SCALING_FIT, ready));
  g_object_class_install_property (klass, PROP_OFFER_PAGES, g_param_spec_enum ("offer-pages", "Offer pages",
          "When elements before the sink may draw straight into pages", GST_TYPE_BA_OFFER_PAGES,
          GST_BA_OFFER_PAGES_AUTO, ready));
  g_object_class_install_property (klass, PROP_FRAME_STATS, g_param_spec_boxed ("frame-stats", "Frame statistics",
          "What became of the frames, and why the last one was not flipped", GST_TYPE_STRUCTURE,
          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
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
  install_properties (object_class);

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

  gst_type_mark_as_plugin_api (GST_TYPE_BA_SCALING, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_BA_OFFER_PAGES, 0);
}

static void
gst_fbdev_zero_sink_init (GstFbdevZeroSink * self)
{
  self->device = g_strdup (DEFAULT_DEVICE);
  self->vsync = TRUE;
  self->scaling = GST_BA_SCALING_FIT;
  self->offer_pages = GST_BA_OFFER_PAGES_AUTO;
  self->pools = gst_fbdev_zero_sink_new_pool_list ();
  self->base_chain = GST_PAD_CHAINFUNC (GST_BASE_SINK_PAD (self));
  gst_pad_set_chain_function (GST_BASE_SINK_PAD (self), gst_fbdev_zero_sink_chain);
  atomic_init (&self->cancel, 0);
}
