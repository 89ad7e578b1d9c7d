/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstfbdevzerosink-props.c: the sink's properties, and the numbers it tells. */
#include "gstfbdevzerosink-private.h"

#define GST_CAT_DEFAULT gst_fbdev_zero_sink_debug

enum
{
  PROP_0,
  PROP_DEVICE,
  PROP_PAGES,
  PROP_VSYNC,
  PROP_CONSOLE,
  PROP_FD,
  PROP_KMS_API,
  PROP_SCALING,
  PROP_OFFER_PAGES,
  PROP_DAMAGE,
  PROP_CLEAR_ON_STOP,
  PROP_FRAME_STATS,
  PROP_OUTPUTS,
  PROP_VIDEO_DIRECTION,
  PROP_RENDER_RECTANGLE         /* and on: what GstVideoOverlay adds */
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
    {GST_BA_OFFER_PAGES_ALWAYS, "Always, also the only page, which is drawn while it is visible", "always"},
    {GST_BA_OFFER_PAGES_NEVER, "Never: every frame is copied or converted", "never"},
    {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstBaOfferPages", values));
  return type;
}

#define GST_TYPE_BA_CONSOLE (gst_ba_console_get_type ())
static GType
gst_ba_console_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    {BA_CONSOLE_AUTO, "Put aside where the screen is the one of this process's own virtual terminal", "auto"},
    {BA_CONSOLE_KEEP, "Left alone", "keep"},
    {BA_CONSOLE_GRAPHICS, "Put aside, and an error where that is not possible", "graphics"},
    {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstBaConsole", values));
  return type;
}

#define GST_TYPE_BA_KMS_API (gst_ba_kms_api_get_type ())
static GType
gst_ba_kms_api_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    {BA_KMS_AUTO, "Atomic calls where the driver has them", "auto"},
    {BA_KMS_ATOMIC, "Atomic calls, and an error where the driver has none", "atomic"},
    {BA_KMS_LEGACY, "The older calls", "legacy"},
    {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstBaKmsApi", values));
  return type;
}

#define GST_TYPE_BA_DAMAGE_MODE (gst_ba_damage_mode_get_type ())
static GType
gst_ba_damage_mode_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    {GST_BA_DAMAGE_AUTO, "Only rows that changed, where the screen has one page", "auto"},
    {GST_BA_DAMAGE_ALWAYS, "Only rows that changed", "always"},
    {GST_BA_DAMAGE_NEVER, "All rows of every frame", "never"},
    {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstBaDamage", values));
  return type;
}

/* ---- numbers -------------------------------------------------------------------------------------------------- */

guint64
gst_fbdev_zero_sink_get_late (GstFbdevZeroSink * self)
{
  GstStructure *stats = gst_base_sink_get_stats (GST_BASE_SINK (self));
  guint64 late = 0;

  gst_structure_get_uint64 (stats, "dropped", &late);
  gst_structure_free (stats);
  return late;
}

GstStructure *
gst_fbdev_zero_sink_make_stats (GstFbdevZeroSink * self)
{
  BaDisplayStats display_stats = { 0 };
  BaDisplaySpeed speed = { 0 };
  GstStructure *stats;
  guint64 late = gst_fbdev_zero_sink_get_late (self), overflowed = 0;
  guint n_pages = 0;

  GST_OBJECT_LOCK (self);
  if (self->display) {
    ba_display_get_stats (self->display, &display_stats);
    ba_display_get_speed (self->display, &speed);
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
      "read-mbps", G_TYPE_DOUBLE, speed.read_mbps, "write-mbps", G_TYPE_DOUBLE, speed.write_mbps, NULL);
  GST_OBJECT_UNLOCK (self);
  return stats;
}

/* ---- get and set ---------------------------------------------------------------------------------------------- */

/* What the display was opened with. */
static gboolean
is_of_device (guint id)
{
  return id == PROP_DEVICE || id == PROP_PAGES || id == PROP_VSYNC || id == PROP_CONSOLE
      || id == PROP_FD || id == PROP_KMS_API;
}

void
gst_fbdev_zero_sink_set_property (GObject * object, guint id, const GValue * value, GParamSpec * pspec)
{
  GstFbdevZeroSink *self = GST_FBDEV_ZERO_SINK (object);
  gboolean view_changed = FALSE;

  if (id >= PROP_RENDER_RECTANGLE) {
    if (!gst_video_overlay_set_property (object, PROP_RENDER_RECTANGLE, id, value))
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    return;
  }
  GST_OBJECT_LOCK (self);
  if (is_of_device (id))
    self->reopen = TRUE;        /* where it is open: takes effect on the way from READY to PAUSED */
  switch (id) {
    case PROP_DEVICE:
      g_free (self->device);
      self->device = g_value_dup_string (value);
      if (!self->device)
        self->device = g_strdup (GST_FBDEV_ZERO_SINK_DEFAULT_DEVICE);
      break;
    case PROP_PAGES:
      self->n_pages = g_value_get_uint (value);
      break;
    case PROP_VSYNC:
      self->vsync = g_value_get_boolean (value);
      break;
    case PROP_CONSOLE:
      self->console = g_value_get_enum (value);
      break;
    case PROP_FD:
      self->fd = g_value_get_int (value);
      break;
    case PROP_KMS_API:
      self->kms_api = g_value_get_enum (value);
      break;
    case PROP_SCALING:
      view_changed = self->scaling != (GstBaScaling) g_value_get_enum (value);
      self->scaling = g_value_get_enum (value);
      break;
    case PROP_OFFER_PAGES:
      self->offer_pages = g_value_get_enum (value);
      break;
    case PROP_DAMAGE:
      self->damage_mode = g_value_get_enum (value);
      break;
    case PROP_CLEAR_ON_STOP:
      self->clear_on_stop = g_value_get_boolean (value);
      break;
    case PROP_VIDEO_DIRECTION:
      view_changed = self->direction != (GstVideoOrientationMethod) g_value_get_enum (value);
      self->direction = g_value_get_enum (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
  if (view_changed)
    gst_fbdev_zero_sink_view_changed (self);
}

/* NULL where there are no cards. Asked for anew each time, as screens are plugged. */
static gchar *
list_outputs (GstFbdevZeroSink * self)
{
  BaDisplayOptions options = { 0 };
  gchar *device, *text = NULL, *copy;

  GST_OBJECT_LOCK (self);
  device = g_str_has_prefix (self->device, "/dev/dri/") ? g_strdup (self->device) : NULL;
  options.has_fd = self->fd >= 0;
  options.fd = self->fd;
  GST_OBJECT_UNLOCK (self);
  if (ba_display_list_outputs (device, &options, NULL, &text) == -EINVAL)
    ba_display_list_outputs (NULL, &options, NULL, &text);
  g_free (device);
  copy = g_strdup (text);
  free (text);
  return copy;
}

void
gst_fbdev_zero_sink_get_property (GObject * object, guint id, GValue * value, GParamSpec * pspec)
{
  GstFbdevZeroSink *self = GST_FBDEV_ZERO_SINK (object);

  if (id == PROP_FRAME_STATS) {
    g_value_take_boxed (value, gst_fbdev_zero_sink_make_stats (self));
    return;
  }
  if (id == PROP_OUTPUTS) {
    g_value_take_string (value, list_outputs (self));
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
    case PROP_CONSOLE:
      g_value_set_enum (value, self->console);
      break;
    case PROP_FD:
      g_value_set_int (value, self->fd);
      break;
    case PROP_KMS_API:
      g_value_set_enum (value, self->kms_api);
      break;
    case PROP_SCALING:
      g_value_set_enum (value, self->scaling);
      break;
    case PROP_OFFER_PAGES:
      g_value_set_enum (value, self->offer_pages);
      break;
    case PROP_DAMAGE:
      g_value_set_enum (value, self->damage_mode);
      break;
    case PROP_CLEAR_ON_STOP:
      g_value_set_boolean (value, self->clear_on_stop);
      break;
    case PROP_VIDEO_DIRECTION:
      g_value_set_enum (value, self->direction);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

void
gst_fbdev_zero_sink_install_properties (GObjectClass * klass)
{
  const GParamFlags ready = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;
  const GParamFlags playing = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;

  g_object_class_install_property (klass, PROP_DEVICE, g_param_spec_string ("device", "Device",
          "Where to show: /dev/dri/cardN[,connector=NAME|ID][,mode=WxH[@R]][,plane=ID], /dev/fbN, "
          "virtual:WxH[,format=BGRx][,pages=6][,stride=BYTES][,rate=60][,read-mbps=N][,file=PATH], or auto",
          GST_FBDEV_ZERO_SINK_DEFAULT_DEVICE, ready));
  g_object_class_install_property (klass, PROP_PAGES, g_param_spec_uint ("pages", "Pages",
          "Pages to ask the device for (0 = all it has, up to 8)", 0, BA_DISPLAY_MAX_PAGES, 0, ready));
  g_object_class_install_property (klass, PROP_VSYNC, g_param_spec_boolean ("vsync", "Vsync",
          "Wait for the vertical sync, so that frames do not tear", TRUE, ready));
  g_object_class_install_property (klass, PROP_CONSOLE, g_param_spec_enum ("console", "Console",
          "What happens to the cursor and the text of the virtual terminal", GST_TYPE_BA_CONSOLE, BA_CONSOLE_AUTO,
          ready));
  g_object_class_install_property (klass, PROP_FD, g_param_spec_int ("fd", "File descriptor",
          "A DRM card that the application has open and keeps open (-1 = the sink opens the device)", -1, G_MAXINT, -1,
          ready));
  g_object_class_install_property (klass, PROP_KMS_API, g_param_spec_enum ("kms-api", "KMS API",
          "Which calls to make on a DRM card", GST_TYPE_BA_KMS_API, BA_KMS_AUTO, ready));
  g_object_class_install_property (klass, PROP_SCALING, g_param_spec_enum ("scaling", "Scaling",
          "How a picture of another size than the screen's is shown", GST_TYPE_BA_SCALING, GST_BA_SCALING_FIT,
          playing));
  g_object_class_install_property (klass, PROP_OFFER_PAGES, g_param_spec_enum ("offer-pages", "Offer pages",
          "When elements before the sink may draw straight into pages", GST_TYPE_BA_OFFER_PAGES,
          GST_BA_OFFER_PAGES_AUTO, ready));
  g_object_class_install_property (klass, PROP_DAMAGE, g_param_spec_enum ("damage", "Damage",
          "Which rows of a page are written where frames are converted or copied", GST_TYPE_BA_DAMAGE_MODE,
          GST_BA_DAMAGE_AUTO, ready));
  g_object_class_install_property (klass, PROP_CLEAR_ON_STOP, g_param_spec_boolean ("clear-on-stop", "Clear on stop",
          "Make the screen black when playing stops, instead of leaving the last frame", FALSE, playing));
  g_object_class_install_property (klass, PROP_FRAME_STATS, g_param_spec_boxed ("frame-stats", "Frame statistics",
          "What became of the frames, and why the last one was not flipped", GST_TYPE_STRUCTURE,
          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property (klass, PROP_OUTPUTS, g_param_spec_string ("outputs", "Outputs",
          "What connector= and mode= of device may be: the connectors of the cards, and what is connected to them", NULL,
          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  g_object_class_override_property (klass, PROP_VIDEO_DIRECTION, "video-direction");
  gst_video_overlay_install_properties (klass, PROP_RENDER_RECTANGLE);

  gst_type_mark_as_plugin_api (GST_TYPE_BA_SCALING, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_BA_OFFER_PAGES, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_BA_CONSOLE, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_BA_KMS_API, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_BA_DAMAGE_MODE, 0);
}
