/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstfbdevzerosink-device.c: opens the display, watches its mode, measures its memory, and puts it back. */
#include "gstfbdevzerosink-private.h"

#include <errno.h>

#include "gstbastats.h"

#define GST_CAT_DEFAULT gst_fbdev_zero_sink_debug

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

/* What the pages hold, in GStreamer's words; FALSE where it has none. */
static gboolean
describe_pages (GstBaFbdevAllocator * allocator, GstVideoInfo * screen, GstBaPageFormat * format)
{
  const BaLayout *layout = &ba_display_get_info (gst_ba_fbdev_allocator_get_display (allocator))->layout;

  *format = (GstBaPageFormat) {
  GST_VIDEO_FORMAT_UNKNOWN, GST_BA_MONO_NONE};
  if (layout->fourcc == BA_FOURCC ('R', '1', ' ', ' '))
    format->mono = GST_BA_MONO_ONE_IS_WHITE;
  else if (layout->fourcc == BA_FOURCC ('D', '1', ' ', ' '))
    format->mono = GST_BA_MONO_ONE_IS_BLACK;
  if (format->mono != GST_BA_MONO_NONE) {
    gst_video_info_set_format (screen, GST_VIDEO_FORMAT_GRAY8, layout->width_px, layout->height_px);
    screen->stride[0] = (gint) layout->stride_bytes[0];
    screen->offset[0] = layout->offset_bytes[0];
    return TRUE;
  }
  if (!gst_ba_fbdev_allocator_get_info (allocator, screen))
    return FALSE;
  format->format = GST_VIDEO_INFO_FORMAT (screen);
  return TRUE;
}

/* On the thread of whoever waits, which is upstream's: this sink has nothing to do then. */
static void
warn_starved (GstBaFbdevAllocator * allocator, GstFbdevZeroSink * self)
{
  gboolean said;

  GST_OBJECT_LOCK (self);
  said = self->said_starved;
  self->said_starved = TRUE;
  GST_OBJECT_UNLOCK (self);
  if (!said)
    GST_ELEMENT_WARNING (self, RESOURCE, NO_SPACE_LEFT, ("Nothing moves: all video buffers are kept."),
        ("the elements before the sink, or the application with its samples, keep all pages of the screen and all "
            "memory in their place: they have to give some back, or have frames of their own (offer-pages=never)"));
}

static void
use_display (GstFbdevZeroSink * self, BaDisplay * display, GstBaFbdevAllocator * allocator, const GstVideoInfo * screen,
    const GstBaPageFormat * format)
{
  const BaDisplayInfo *info = ba_display_get_info (display);

  g_signal_connect_object (allocator, "starved", G_CALLBACK (warn_starved), self, 0);
  GST_OBJECT_LOCK (self);
  self->screen = *screen;
  self->screen_w = (gint) info->screen_width_px;
  self->screen_h = (gint) info->screen_height_px;
  self->page_format = *format;
  self->display = display;
  self->allocator = allocator;
  self->offered_view = ++self->view_number;
  GST_OBJECT_UNLOCK (self);
  GST_INFO_OBJECT (self, "%s display %s: %s %ux%u, %u pages", info->kind, info->name,
      format->mono ? "one bit per pixel" : GST_VIDEO_INFO_NAME (screen), info->layout.width_px, info->layout.height_px,
      info->n_pages);
}

gboolean
gst_fbdev_zero_sink_open (GstFbdevZeroSink * self)
{
  BaError error = { 0 };
  BaDisplay *display = NULL;
  GstAllocator *allocator = NULL;
  BaDisplayOptions options;
  GstVideoInfo screen;
  GstBaPageFormat format;
  gchar *device;
  gboolean fits_mode;

  GST_OBJECT_LOCK (self);
  device = g_strdup (self->device);
  fits_mode = strstr (device, ",mode=fit") != NULL;
  options = (BaDisplayOptions) {
  .pages = self->n_pages,.no_vsync = !self->vsync,.console = self->console,.has_fd = self->fd >= 0,
    .fd = self->fd,.kms_api = self->kms_api};
  self->reopen = TRUE;          /* until it is open */
  GST_OBJECT_UNLOCK (self);

  gst_video_info_init (&screen);
  /* with a card that is open already "auto" has nothing to look for */
  if (ba_display_open (options.has_fd && strcmp (device, GST_FBDEV_ZERO_SINK_DEFAULT_DEVICE) == 0 ? NULL : device,
          &options, &error, &display) == 0)
    allocator = gst_ba_fbdev_allocator_new (display, &error);
  if (allocator && !describe_pages (GST_BA_FBDEV_ALLOCATOR (allocator), &screen, &format)) {
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
  self->was_asked = self->said_gone = FALSE;
  self->native = self->fitted = FALSE;
  self->window = (GstVideoRectangle) {
  0, 0, 0, 0};
  self->plain_format = format.format;
  self->fits_mode = fits_mode;
  self->was_hdr = FALSE;
  memset (&self->hdr, 0, sizeof self->hdr);
  gst_video_info_init (&self->fit_info);
  GST_OBJECT_UNLOCK (self);
  use_display (self, display, GST_BA_FBDEV_ALLOCATOR (allocator), &screen, &format);
  gst_fbdev_zero_sink_learn_colours (self);
  gst_fbdev_zero_sink_start_watch (self);
  return TRUE;
}

gboolean
gst_fbdev_zero_sink_change_pages (GstFbdevZeroSink * self, const BaDisplayOptions * options, BaError * error)
{
  BaDisplay *display, *before = self->display;
  GstBaFbdevAllocator *allocator_before = self->allocator;
  GstAllocator *allocator;
  GstVideoInfo screen;
  GstBaPageFormat format;

  gst_video_info_init (&screen);
  if (ba_display_reopen (before, options, error, &display) < 0)
    return FALSE;
  /* who has pools of the pages before gets all of these pages back in time, and draws in vain until he asks again */
  gst_fbdev_zero_sink_forget_frame (self);
  gst_fbdev_zero_sink_forget_convert (self);
  gst_fbdev_zero_sink_forget_imports (self);
  allocator = gst_ba_fbdev_allocator_new (display, error);
  if (allocator && describe_pages (GST_BA_FBDEV_ALLOCATOR (allocator), &screen, &format)) {
    use_display (self, display, GST_BA_FBDEV_ALLOCATOR (allocator), &screen, &format);
  } else {                      /* no memory: there is nothing to go on with */
    gst_fbdev_zero_sink_stop_watch (self);
    gst_clear_object (&allocator);
    ba_display_close (display);
    ba_display_unref (display);
    GST_OBJECT_LOCK (self);
    self->display = NULL;
    self->allocator = NULL;
    self->reopen = TRUE;
    GST_OBJECT_UNLOCK (self);
    ba_error_set (error, -ENOMEM, "no memory for other pages");
    post_open_error (self, error);
  }
  gst_object_unref (allocator_before);
  ba_display_unref (before);
  return allocator != NULL;
}

static void
close_display (GstFbdevZeroSink * self)
{
  GstStructure *stats = gst_fbdev_zero_sink_make_stats (self);
  GstBaFbdevAllocator *allocator;
  BaDisplay *display;

  gst_fbdev_zero_sink_stop_watch (self);
  gst_ba_stats_log (GST_ELEMENT (self), stats);
  gst_structure_free (stats);

  gst_fbdev_zero_sink_forget_frame (self);
  gst_fbdev_zero_sink_forget_convert (self);
  gst_fbdev_zero_sink_forget_imports (self);
  GST_OBJECT_LOCK (self);
  display = self->display;
  self->display = NULL;
  allocator = self->allocator;
  self->allocator = NULL;
  self->not_offered = NULL;
  GST_OBJECT_UNLOCK (self);
  /* the screen is as it was; pages that somebody still holds stay mapped until he lets go */
  ba_display_close (display);
  gst_object_unref (allocator);
  ba_display_unref (display);
}

void
gst_fbdev_zero_sink_close (GstFbdevZeroSink * self)
{
  gst_fbdev_zero_sink_flush_pools (self, TRUE);
  close_display (self);
  GST_OBJECT_LOCK (self);
  g_ptr_array_set_size (self->pools, 0);
  GST_OBJECT_UNLOCK (self);
}

gboolean
gst_fbdev_zero_sink_reopen_changed (GstFbdevZeroSink * self)
{
  gboolean reopen;

  GST_OBJECT_LOCK (self);
  reopen = self->reopen;
  GST_OBJECT_UNLOCK (self);
  if (!reopen)
    return TRUE;
  if (self->display)
    gst_fbdev_zero_sink_close (self);
  return gst_fbdev_zero_sink_open (self);
}

gboolean
gst_fbdev_zero_sink_follow_mode (GstFbdevZeroSink * self, gboolean * reopened)
{
  *reopened = FALSE;
  if (!self->display)           /* it was followed before, in vain, and that was said */
    return FALSE;
  *reopened = ba_display_check_mode (self->display) == 1;
  if (!*reopened)
    return TRUE;
  GST_WARNING_OBJECT (self, "another program changed the mode of %s: opening it anew",
      ba_display_get_info (self->display)->name);
  /* Who waits for a page gets one of the old ones: a source that is told to flush stops for good. His pools stay known,
   * to be woken when playing ends. */
  close_display (self);
  return gst_fbdev_zero_sink_open (self);
}

void
gst_fbdev_zero_sink_clear_screen (GstFbdevZeroSink * self)
{
  BaPool *pages = gst_ba_fbdev_allocator_get_pages (self->allocator);
  BaBuffer *black[BA_DISPLAY_MAX_PAGES];
  guint n = 0;

  /* twice: the page that was on the screen is free when another one is */
  for (guint round = 0; round < 2; round++) {
    while (n < G_N_ELEMENTS (black) && ba_pool_acquire (pages, BA_NO_WAIT, NULL, &black[n]) == 0) {
      ba_display_clear (self->display, (unsigned) ba_display_get_page_number (self->display, black[n]));
      n++;
    }
    if (round == 0 && n > 0 && ba_display_flip (self->display, black[0], NULL) >= 0)
      ba_display_wait (self->display, NULL);
  }
  if (n == 0)
    GST_WARNING_OBJECT (self, "the screen cannot be made black: others hold all of its pages");
  while (n > 0)
    ba_buffer_unref (black[--n]);
}

void
gst_fbdev_zero_sink_get_speed (GstFbdevZeroSink * self, BaDisplaySpeed * speed)
{
  BaBuffer *page;

  ba_display_get_speed (self->display, speed);
  if (speed->read_mbps > 0 || !ba_display_get_info (self->display)->can_flip)
    return;
  if (ba_pool_acquire (gst_ba_fbdev_allocator_get_pages (self->allocator), BA_NO_WAIT, NULL, &page) < 0)
    return;
  if (ba_display_measure_speed (self->display, page, speed) == 0)
    GST_INFO_OBJECT (self, "pages are read with %.0f MB/s and written with %.0f MB/s", speed->read_mbps,
        speed->write_mbps);
  ba_buffer_unref (page);
}
