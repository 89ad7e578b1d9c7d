/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstfbdevzerosink-write.c: where a frame lies, and how it and what is over it come into a page that is written. */
#include "gstfbdevzerosink-private.h"

#define GST_CAT_DEFAULT gst_fbdev_zero_sink_debug

void
gst_fbdev_zero_sink_forget_convert (GstFbdevZeroSink * self)
{
  g_clear_pointer (&self->convert, gst_ba_convert_free);
  g_clear_pointer (&self->damage, gst_ba_damage_free);
}

gboolean
gst_fbdev_zero_sink_is_of_caps (GstFbdevZeroSink * self, GstBuffer * buffer)
{
  GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);

  /* widths are unsigned there, and nowhere else */
  return !meta || (meta->width <= G_MAXINT && meta->height <= G_MAXINT
      && meta->format == GST_VIDEO_INFO_FORMAT (&self->info)
      && meta->n_planes == GST_VIDEO_INFO_N_PLANES (&self->info)
      && meta->width >= (guint) GST_VIDEO_INFO_WIDTH (&self->info)
      && meta->height >= (guint) GST_VIDEO_INFO_HEIGHT (&self->info));
}

GstFlowReturn
gst_fbdev_zero_sink_place_buffer (GstFbdevZeroSink * self, const View * view, GstBuffer * buffer, Placement * place)
{
  GstVideoCropMeta *crop = gst_buffer_get_video_crop_meta (buffer);
  GstVideoRectangle src = { 0, 0, GST_VIDEO_INFO_WIDTH (&self->info), GST_VIDEO_INFO_HEIGHT (&self->info) };

  if (crop) {
    GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
    guint width = meta ? meta->width : (guint) src.w;
    guint height = meta ? meta->height : (guint) src.h;

    if (crop->width == 0 || crop->height == 0 || crop->x > width || crop->width > width - crop->x
        || crop->y > height || crop->height > height - crop->y) {
      GST_ELEMENT_ERROR (self, STREAM, FORMAT, ("A video frame's crop lies outside the frame."),
          ("%ux%u at %u,%u of a frame of %ux%u", crop->width, crop->height, crop->x, crop->y, width, height));
      return GST_FLOW_ERROR;
    }
    src = (GstVideoRectangle) {
    crop->x, crop->y, crop->width, crop->height};
  }
  if (!gst_fbdev_zero_sink_place_on_page (self, view, &src, &self->info, place)) {
    *place = (Placement) { };
    return FLOW_NOWHERE;
  }
  return GST_FLOW_OK;
}

/* ---- writing a page ------------------------------------------------------------------------------------------- */

static gboolean
ensure_convert (GstFbdevZeroSink * self, const GstVideoInfo * frame_info, const Placement * place)
{
  const GstBaConvertConfig config = {
    .in_info = frame_info,.crop = place->src,.direction = place->direction,.out = self->page_format,
    .x_px = place->dst.x,.y_px = place->dst.y,.width_px = place->dst.w,.height_px = place->dst.h
  };

  if (self->convert && memcmp (&self->convert_place, place, sizeof *place) == 0)
    return TRUE;
  gst_fbdev_zero_sink_forget_convert (self);
  self->convert = gst_ba_convert_new (&config);
  self->convert_place = *place;
  return self->convert != NULL;
}

/* Finding out what changed means one more picture in memory, and to read it and write it with each frame: for a moving
 * picture of 1920x1080 three times the work. Behind a slow bus that is little, and what is behind one is small. */
#define DAMAGE_AUTO_MAX_BYTES (2 * 1024 * 1024)

/*
 * Rows that did not change need not be written where frames come by way of the CPU only: then the sink knows what is in
 * each page. It does not while somebody upstream draws into pages.
 */
static GstBaDamage *
get_damage (GstFbdevZeroSink * self)
{
  const BaDisplayInfo *info = ba_display_get_info (self->display);
  gboolean wanted;

  GST_OBJECT_LOCK (self);
  wanted = self->damage_mode == GST_BA_DAMAGE_ALWAYS
      || (self->damage_mode == GST_BA_DAMAGE_AUTO && !info->can_flip && info->page_bytes <= DAMAGE_AUTO_MAX_BYTES);
  GST_OBJECT_UNLOCK (self);
  if (!wanted || gst_fbdev_zero_sink_has_pools (self))
    g_clear_pointer (&self->damage, gst_ba_damage_free);
  else if (!self->damage)
    self->damage = gst_ba_damage_new (gst_ba_convert_get_row_bytes (&self->page_format,
            GST_VIDEO_INFO_WIDTH (&self->screen)), GST_VIDEO_INFO_HEIGHT (&self->screen), info->n_pages);
  return self->damage;
}

static guint64
paint (GstFbdevZeroSink * self, const GstVideoFrame * frame, const Placement * place, Way way, gboolean over,
    BaBuffer * page)
{
  if (self->native && way == WAY_COPY)
    return gst_fbdev_zero_sink_copy_planes (self, frame, place, page);
  const gboolean only_page = !ba_display_get_info (self->display)->can_flip;
  const GstBaPaintJob job = {
    .convert = self->convert,.frame = frame,.overlay = over ? self->overlay : NULL,.damage = get_damage (self),
    .format = self->page_format,
    .page = (guint8 *) ba_buffer_get_data (page) + GST_VIDEO_INFO_PLANE_OFFSET (&self->screen, 0),
    .page_number = (guint) ba_display_get_page_number (self->display, page),
    .stride_bytes = GST_VIDEO_INFO_PLANE_STRIDE (&self->screen, 0),.dst = place->dst
  };
  GstClockTime began = only_page ? gst_util_get_timestamp () : 0;
  guint64 bytes = gst_ba_paint (&job);

  if (only_page && bytes > 0)   /* there is no page to measure on but the one that is seen */
    ba_display_note_write (self->display, bytes, gst_util_get_timestamp () - began);
  return bytes;
}

static void
end_read (GstVideoFrame * frame, GstBuffer * buffer)
{
  gst_video_frame_unmap (frame);
  gst_fbdev_zero_sink_sync_read (buffer, TRUE);
}

/* Whether all of @src lies in the memory that was mapped: a meta may say anything of it. Without one the map has looked. */
static gboolean
is_in_memory (const GstVideoFrame * frame, const GstVideoRectangle * src)
{
  const GstVideoFormatInfo *format = frame->info.finfo;

  for (guint i = 0; frame->meta && i < GST_VIDEO_FORMAT_INFO_N_COMPONENTS (format); i++) {
    guint plane = GST_VIDEO_FORMAT_INFO_PLANE (format, i);
    gint y_sub = GST_VIDEO_FORMAT_INFO_H_SUB (format, i), x_sub = GST_VIDEO_FORMAT_INFO_W_SUB (format, i);
    gint64 stride = GST_VIDEO_FRAME_PLANE_STRIDE (frame, plane);
    gint64 first = (src->y >> y_sub) * stride;
    gint64 last = (GST_VIDEO_SUB_SCALE (y_sub, (gint64) src->y + src->h) - 1) * stride;
    gint64 row_bytes = GST_VIDEO_SUB_SCALE (x_sub, (gint64) src->x + src->w) * GST_VIDEO_FORMAT_INFO_PSTRIDE (format, i);
    gint64 at = (const guint8 *) frame->data[plane] - frame->map[plane].data, size = frame->map[plane].size;

    /* a meta of another kind of memory may map in its own way */
    if (at >= 0 && at < size && (at + MIN (first, last) < 0 || at + MAX (first, last) + row_bytes > size))
      return FALSE;
  }
  return TRUE;
}

/* A copy for the sake of a frame's producer is no error where it cannot be made: the frame is on screen. */
static void
say_unwritable (GstFbdevZeroSink * self, const gchar * text, gchar * more)
{
  if (!self->uncounted) {
    gst_element_message_full (GST_ELEMENT (self), GST_MESSAGE_ERROR, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
        g_strdup (text), more, __FILE__, GST_FUNCTION, __LINE__);
    return;
  }
  GST_INFO_OBJECT (self, "%s (%s)", text, more);
  g_free (more);
}

/* Maps @buffer, the part of it that @place shows being there; FALSE where that is not so, and said. */
static gboolean
begin_read (GstFbdevZeroSink * self, GstBuffer * buffer, const Placement * place, GstVideoFrame * frame)
{
  const GstVideoRectangle *src = &place->src;

  gst_fbdev_zero_sink_sync_read (buffer, FALSE);
  if (!gst_video_frame_map (frame, &self->info, buffer, GST_MAP_READ)) {
    gst_fbdev_zero_sink_sync_read (buffer, TRUE);
    say_unwritable (self, "A video frame cannot be read.",
        g_strdup_printf ("buffer of %" G_GSIZE_FORMAT " bytes for %s %dx%d: it is too small, or its memory has no address",
            gst_buffer_get_size (buffer), GST_VIDEO_INFO_NAME (&self->info), GST_VIDEO_INFO_WIDTH (&self->info),
            GST_VIDEO_INFO_HEIGHT (&self->info)));
    return FALSE;
  }
  if (src->x + src->w <= GST_VIDEO_FRAME_WIDTH (frame) && src->y + src->h <= GST_VIDEO_FRAME_HEIGHT (frame)
      && is_in_memory (frame, src))
    return TRUE;
  say_unwritable (self, "A video frame is smaller than its caps say.",
      g_strdup_printf ("%dx%d at %d,%d of a frame of %dx%d, in %" G_GSIZE_FORMAT " bytes", src->w, src->h, src->x, src->y,
          GST_VIDEO_FRAME_WIDTH (frame), GST_VIDEO_FRAME_HEIGHT (frame), gst_buffer_get_size (buffer)));
  end_read (frame, buffer);
  return FALSE;
}

GstFlowReturn
gst_fbdev_zero_sink_write_frame (GstFbdevZeroSink * self, GstBuffer * buffer, const Placement * place, Way way,
    BaBuffer * page)
{
  GstVideoFrame frame;
  guint64 bytes;

  if (place->dst.w == 0)
    return GST_FLOW_OK;         /* nothing of it is to be seen */
  if (self->modifier != 0) {
    say_unwritable (self, "The screen does not show this video, and nothing else can read it.",
        g_strdup_printf ("its pixels lie as 0x%" G_GINT64_MODIFIER "x says: %s", self->modifier,
            self->not_imported ? self->not_imported : "the picture is needed again"));
    return GST_FLOW_ERROR;
  }
  if (!begin_read (self, buffer, place, &frame))
    return GST_FLOW_ERROR;
  if (!(self->native && way == WAY_COPY) && !ensure_convert (self, &frame.info, place)) {
    say_unwritable (self, "This video cannot be converted for the screen.",
        g_strdup_printf ("from %s %dx%d to %s %dx%d", GST_VIDEO_INFO_NAME (&self->info), place->src.w, place->src.h,
            GST_VIDEO_INFO_NAME (&self->screen), place->dst.w, place->dst.h));
    end_read (&frame, buffer);
    return GST_FLOW_ERROR;
  }
  bytes = paint (self, &frame, place, way, gst_fbdev_zero_sink_prepare_overlay (self, buffer, place), page);
  end_read (&frame, buffer);

  if (self->uncounted)
    return GST_FLOW_OK;
  GST_OBJECT_LOCK (self);
  self->counts.bytes_written += bytes;
  if (way == WAY_COPY)
    self->counts.bytes_copied += bytes;
  GST_OBJECT_UNLOCK (self);
  return GST_FLOW_OK;
}

void
gst_fbdev_zero_sink_repair_borders (GstFbdevZeroSink * self, BaBuffer * page, const GstVideoRectangle * rect)
{
  guint64 bytes;

  /* YUV is in pages of a card, which no other program draws on, and black is not 0 there */
  if (!self->repaints || self->native)
    return;
  bytes = gst_ba_paint_around (&self->page_format,
      (guint8 *) ba_buffer_get_data (page) + GST_VIDEO_INFO_PLANE_OFFSET (&self->screen, 0),
      GST_VIDEO_INFO_PLANE_STRIDE (&self->screen, 0), GST_VIDEO_INFO_WIDTH (&self->screen),
      GST_VIDEO_INFO_HEIGHT (&self->screen), rect);
  GST_OBJECT_LOCK (self);
  self->counts.bytes_written += bytes;
  GST_OBJECT_UNLOCK (self);
}

/* ---- what lies over the frame --------------------------------------------------------------------------------- */

gboolean
gst_fbdev_zero_sink_prepare_overlay (GstFbdevZeroSink * self, GstBuffer * buffer, const Placement * place)
{
  GstVideoOverlayCompositionMeta *meta = gst_buffer_get_video_overlay_composition_meta (buffer);
  GstVideoCropMeta *crop = gst_buffer_get_video_crop_meta (buffer);
  GstVideoRectangle src = place->src;

  if (!meta || place->dst.w == 0)
    return FALSE;
  if (crop) {                   /* whoever lays it over the picture knows the caps: what is left of the frame */
    src.x -= (gint) crop->x;
    src.y -= (gint) crop->y;
  }
  if (!self->overlay)
    self->overlay = gst_ba_overlay_new ();
  return gst_ba_overlay_prepare (self->overlay, meta->overlay, &src, place->direction, &place->dst);
}

/*
 * A page that upstream drew is read for the rectangles only, which is less than any copy of the frame would read. But
 * it changes what was drawn: so nobody else may hold the frame, no codec may still refer to it (the map says so), and
 * the meta goes, as the frame now has in it what the meta says.
 */
gboolean
gst_fbdev_zero_sink_draw_over (GstFbdevZeroSink * self, GstBuffer * buffer, BaBuffer * page)
{
  GstMemory *memory = gst_buffer_peek_memory (buffer, 0);
  GstVideoOverlayCompositionMeta *meta;
  GstMapInfo map;
  guint64 bytes;

  if (!gst_buffer_is_writable (buffer) || !gst_memory_map (memory, &map, GST_MAP_READWRITE))
    return FALSE;
  bytes = gst_ba_paint_over (self->overlay, &self->page_format,
      (guint8 *) ba_buffer_get_data (page) + GST_VIDEO_INFO_PLANE_OFFSET (&self->screen, 0),
      GST_VIDEO_INFO_PLANE_STRIDE (&self->screen, 0));
  gst_memory_unmap (memory, &map);
  while ((meta = gst_buffer_get_video_overlay_composition_meta (buffer)))
    gst_buffer_remove_video_overlay_composition_meta (buffer, meta);

  GST_OBJECT_LOCK (self);
  self->counts.bytes_written += bytes;
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}
