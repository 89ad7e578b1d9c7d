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

/* On screen, waiting for its vsync, being drawn: with fewer pages upstream would wait for every flip. */
#define PAGES_TO_OFFER 3

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
GST_ELEMENT_REGISTER_DEFINE (fbdevzerosink, "fbdevzerosink", GST_RANK_MARGINAL, GST_TYPE_FBDEV_ZERO_SINK)

/* ---- the pools upstream has ------------------------------------------------------------------------------------ */

static void
weak_ref_free (gpointer data)
{
  g_weak_ref_clear (data);
  g_free (data);
}

static void
remember_pool (GstFbdevZeroSink * self, GstBufferPool * pool)
{
  GWeakRef *weak = g_new (GWeakRef, 1);

  g_weak_ref_init (weak, pool);
  GST_OBJECT_LOCK (self);
  for (guint i = self->pools->len; i > 0; i--) {
    GObject *alive = g_weak_ref_get (g_ptr_array_index (self->pools, i - 1));

    if (!alive)
      g_ptr_array_remove_index_fast (self->pools, i - 1);
    else
      g_object_unref (alive);
  }
  g_ptr_array_add (self->pools, weak);
  GST_OBJECT_UNLOCK (self);
}

/* The pools that are still alive; a reference each. */
static GPtrArray *
live_pools (GstFbdevZeroSink * self)
{
  GPtrArray *alive = g_ptr_array_new_with_free_func (gst_object_unref);

  GST_OBJECT_LOCK (self);
  for (guint i = 0; i < self->pools->len; i++) {
    gpointer pool = g_weak_ref_get (g_ptr_array_index (self->pools, i));

    if (pool)
      g_ptr_array_add (alive, pool);
  }
  GST_OBJECT_UNLOCK (self);
  return alive;
}

/*
 * Upstream may wait for a page inside acquire. It is woken where the sink itself stops or flushes, and nowhere else: a
 * pause also unlocks a sink, and a source that is told to flush then would stop for good.
 */
static void
set_pools_flushing (GstFbdevZeroSink * self, gboolean flushing)
{
  GPtrArray *pools = live_pools (self);

  for (guint i = 0; i < pools->len; i++) {
    GstBufferPool *pool = g_ptr_array_index (pools, i);

    if (gst_buffer_pool_is_active (pool))
      gst_buffer_pool_set_flushing (pool, flushing);
  }
  g_ptr_array_unref (pools);
}

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

  set_pools_flushing (self, TRUE);
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

static GstStateChangeReturn
gst_fbdev_zero_sink_change_state (GstElement * element, GstStateChange transition)
{
  GstFbdevZeroSink *self = GST_FBDEV_ZERO_SINK (element);
  GstStateChangeReturn ret;

  switch (transition) {
    case GST_STATE_CHANGE_NULL_TO_READY:
      /* here and not in start: the base class would post a second error that says nothing */
      if (!open_display (self))
        return GST_STATE_CHANGE_FAILURE;
      break;
    case GST_STATE_CHANGE_READY_TO_PAUSED:
      set_pools_flushing (self, FALSE);
      break;
    case GST_STATE_CHANGE_PAUSED_TO_READY:
      set_pools_flushing (self, TRUE);
      break;
    default:
      break;
  }
  ret = GST_ELEMENT_CLASS (gst_fbdev_zero_sink_parent_class)->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    gst_fbdev_zero_sink_forget_frame (self);
  else if (transition == GST_STATE_CHANGE_READY_TO_NULL
      || (transition == GST_STATE_CHANGE_NULL_TO_READY && ret == GST_STATE_CHANGE_FAILURE))
    close_display (self);
  return ret;
}

static gboolean
gst_fbdev_zero_sink_event (GstBaseSink * sink, GstEvent * event)
{
  GstFbdevZeroSink *self = GST_FBDEV_ZERO_SINK (sink);

  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_START)
    set_pools_flushing (self, TRUE);
  else if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP)
    set_pools_flushing (self, FALSE);
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

/* Whether frames of @info may be drawn into pages, shown where they lie. */
static gboolean
offers_pages (GstFbdevZeroSink * self, const GstVideoInfo * info)
{
  const BaDisplayInfo *display = ba_display_get_info (self->display);
  GstVideoRectangle src = { 0, 0, GST_VIDEO_INFO_WIDTH (info), GST_VIDEO_INFO_HEIGHT (info) };
  Placement place;
  GstBaOfferPages offer;
  GstBaScaling scaling;

  GST_OBJECT_LOCK (self);
  offer = self->offer_pages;
  scaling = self->scaling;
  GST_OBJECT_UNLOCK (self);
  if (offer == GST_BA_OFFER_PAGES_NEVER || !display->can_flip
      || display->n_pages < (offer == GST_BA_OFFER_PAGES_ALWAYS ? 2 : PAGES_TO_OFFER)
      || GST_VIDEO_INFO_FORMAT (info) != GST_VIDEO_INFO_FORMAT (&self->screen))
    return FALSE;
  gst_fbdev_zero_sink_place (scaling, &src, GST_VIDEO_INFO_PAR_N (info), GST_VIDEO_INFO_PAR_D (info),
      GST_VIDEO_INFO_WIDTH (&self->screen), GST_VIDEO_INFO_HEIGHT (&self->screen), &place);
  return gst_fbdev_zero_sink_is_1to1 (&place) && place.src.w == src.w && place.src.h == src.h;
}

/* Configures @pool for @caps; TRUE where it accepted, perhaps after correcting us. */
static gboolean
configure_pool (GstBufferPool * pool, GstCaps * caps, guint size, guint min, guint max,
    const GstVideoAlignment * align)
{
  GstStructure *config = gst_buffer_pool_get_config (pool);

  gst_buffer_pool_config_set_params (config, caps, size, min, max);
  gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  if (align) {
    gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
    gst_buffer_pool_config_set_video_alignment (config, align);
  }
  if (gst_buffer_pool_set_config (pool, config))
    return TRUE;
  return gst_buffer_pool_set_config (pool, gst_buffer_pool_get_config (pool));
}

static void
add_pool (GstQuery * query, GstBufferPool * pool)
{
  GstStructure *config = gst_buffer_pool_get_config (pool);
  guint size, min, max;

  gst_buffer_pool_config_get_params (config, NULL, &size, &min, &max);
  gst_structure_free (config);
  gst_query_add_allocation_pool (query, pool, size, min, max);
}

/* Ordinary memory with the page's stride, for elements that read back what they draw. */
static GstBufferPool *
make_cached_pool (GstFbdevZeroSink * self, GstCaps * caps, const GstVideoInfo * info)
{
  GstBufferPool *pool = gst_ba_normal_pool_new ();
  GstVideoAlignment align;
  gint pixel_bytes = GST_VIDEO_INFO_COMP_PSTRIDE (info, 0);
  gint more = GST_VIDEO_INFO_PLANE_STRIDE (&self->screen, 0) - GST_VIDEO_INFO_PLANE_STRIDE (info, 0);

  gst_video_alignment_reset (&align);
  if (more > 0 && more % pixel_bytes == 0)
    align.padding_right = more / pixel_bytes;
  if (!configure_pool (pool, caps, GST_VIDEO_INFO_SIZE (info), 0, 0, &align))
    gst_clear_object (&pool);
  return pool;
}

static gboolean
gst_fbdev_zero_sink_propose_allocation (GstBaseSink * sink, GstQuery * query)
{
  GstFbdevZeroSink *self = GST_FBDEV_ZERO_SINK (sink);
  GstCaps *caps;
  gboolean need_pool;
  GstVideoInfo info;
  const BaDisplayInfo *display;
  BaPoolStats stats;

  gst_query_parse_allocation (query, &caps, &need_pool);
  if (!caps || !gst_video_info_from_caps (&info, caps)) {
    GST_WARNING_OBJECT (self, "an ALLOCATION query without caps of a video: %" GST_PTR_FORMAT, caps);
    return FALSE;
  }
  if (!self->display)
    return FALSE;
  display = ba_display_get_info (self->display);

  if (offers_pages (self, &info)) {
    GstBufferPool *pages = gst_ba_fbdev_pool_new (self->allocator);

    if (configure_pool (pages, caps, GST_VIDEO_INFO_SIZE (&info), MIN (PAGES_TO_OFFER, display->n_pages),
            display->n_pages, NULL)) {
      if (need_pool) {
        GstBufferPool *cached = make_cached_pool (self, caps, &info);

        add_pool (query, pages);
        remember_pool (self, pages);
        if (cached) {
          add_pool (query, cached);
          gst_object_unref (cached);
        }
      } else {                  /* who has a pool of his own still wants to know how many buffers we keep */
        gst_query_add_allocation_pool (query, NULL, GST_VIDEO_INFO_SIZE (&info),
            MIN (PAGES_TO_OFFER, display->n_pages), 0);
      }
    }
    gst_object_unref (pages);
  }
  ba_pool_get_stats (gst_ba_fbdev_allocator_get_pages (self->allocator), &stats);
  GstStructure *params = gst_structure_new ("bufalloc-pages", "pages", G_TYPE_UINT, display->n_pages,
      "free", G_TYPE_UINT, stats.n_free, "read-mbps", G_TYPE_DOUBLE, 0.0, "write-mbps", G_TYPE_DOUBLE, 0.0, NULL);
  gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, params);
  gst_structure_free (params);
  gst_query_add_allocation_meta (query, GST_VIDEO_CROP_META_API_TYPE, NULL);
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
  GstStructure *base = gst_base_sink_get_stats (GST_BASE_SINK (self));
  BaDisplayStats display_stats = { 0 };
  GstStructure *stats;
  guint64 late = 0, overflowed = 0;
  guint n_pages = 0;

  gst_structure_get_uint64 (base, "dropped", &late);
  gst_structure_free (base);
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
  self->pools = g_ptr_array_new_with_free_func (weak_ref_free);
  self->base_chain = GST_PAD_CHAINFUNC (GST_BASE_SINK_PAD (self));
  gst_pad_set_chain_function (GST_BASE_SINK_PAD (self), gst_fbdev_zero_sink_chain);
  atomic_init (&self->cancel, 0);
}
