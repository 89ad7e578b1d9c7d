/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstfbdevzerosink-frame.c: one frame on its way to the screen.
 *
 * Before the clock wait (prepare) a frame gets its page: the one it was decoded into, or a back page that it is
 * converted or copied into. After it (show) the page is flipped, and nothing else happens. With a display of one page
 * there is no back page: writing is all there is, and happens on time.
 */
#include "gstfbdevzerosink-private.h"

#include <errno.h>

/* How long a frame waits for a page that somebody else sits on before it is dropped; and where that is known to happen. */
#define PAGE_TIMEOUT_NS (1000 * GST_MSECOND)
#define PAGE_TIMEOUT_STARVED_NS (100 * GST_MSECOND)

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
  self->prepared_way = WAY_NONE;
}

void
gst_fbdev_zero_sink_forget_convert (GstFbdevZeroSink * self)
{
  g_clear_pointer (&self->convert, gst_ba_convert_free);
}

/* ---- which way ------------------------------------------------------------------------------------------------ */

/* FALSE, with an error posted, where the crop meta says something that is not in the frame. */
static gboolean
place_buffer (GstFbdevZeroSink * self, GstBuffer * buffer, Placement * place)
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
      return FALSE;
    }
    src = (GstVideoRectangle) {
    crop->x, crop->y, crop->width, crop->height};
  }
  gst_fbdev_zero_sink_place (self->scaling, &src, GST_VIDEO_INFO_PAR_N (&self->info),
      GST_VIDEO_INFO_PAR_D (&self->info), GST_VIDEO_INFO_WIDTH (&self->screen), GST_VIDEO_INFO_HEIGHT (&self->screen),
      place);
  return TRUE;
}

/* The page that @buffer is, where it can be flipped as it is; else NULL and the reason. */
static BaBuffer *
find_page (GstFbdevZeroSink * self, GstBuffer * buffer, const Placement * place, gboolean native, gchar ** reason)
{
  GstMemory *memory = gst_buffer_n_memory (buffer) == 1 ? gst_buffer_peek_memory (buffer, 0) : NULL;
  GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
  gint stride = meta ? meta->stride[0] : GST_VIDEO_INFO_PLANE_STRIDE (&self->info, 0);
  gsize begin = meta ? meta->offset[0] : 0;
  gsize page_stride = GST_VIDEO_INFO_PLANE_STRIDE (&self->screen, 0);
  gsize pixel_bytes = GST_VIDEO_INFO_COMP_PSTRIDE (&self->screen, 0);
  gsize offset, x, y;
  GstVideoRectangle drawn;

  if (!native) {
    *reason = g_strdup_printf ("the frames are %s, the screen is %s", GST_VIDEO_INFO_NAME (&self->info),
        GST_VIDEO_INFO_NAME (&self->screen));
    return NULL;
  }
  if (!gst_fbdev_zero_sink_is_1to1 (place)) {
    *reason = g_strdup_printf ("%dx%d is scaled to %dx%d", place->src.w, place->src.h, place->dst.w, place->dst.h);
    return NULL;
  }
  if (memory && gst_ba_fbdev_allocator_is_overflow (self->allocator, memory)) {
    *reason = g_strdup ("the elements before the sink keep all pages, so this frame was drawn off the screen");
    return NULL;
  }
  if (!memory || !gst_ba_fbdev_allocator_owns (self->allocator, memory)) {
    const gchar *type = memory ? memory->allocator->mem_type : "in several pieces";

    GST_OBJECT_LOCK (self);
    if (self->not_offered)
      *reason = g_strdup_printf ("the memory is %s, and no page was offered: %s", type, self->not_offered);
    else
      *reason = g_strdup_printf ("the memory is %s, not a page of the screen: the element before the sink did not take "
          "the sink's pool", type);
    GST_OBJECT_UNLOCK (self);
    return NULL;
  }
  /* the window's x may have been moved left for alignment; that is where the picture is then */
  offset = gst_ba_memory_get_start (memory) + begin;
  x = (offset % page_stride) / pixel_bytes + place->src.x;
  y = offset / page_stride + place->src.y;
  if ((gsize) stride != page_stride || y != (gsize) place->dst.y || x > (gsize) place->dst.x
      || x + 64 <= (gsize) place->dst.x) {
    *reason = g_strdup ("the page was drawn for another place on the screen");
    return NULL;
  }
  gst_ba_fbdev_allocator_get_drawn (self->allocator, gst_ba_memory_get_buffer (memory), &drawn);
  if (drawn.x < (gint) x || drawn.y < (gint) y || drawn.x + drawn.w > (gint) x + place->dst.w
      || drawn.y + drawn.h > (gint) y + place->dst.h) {
    *reason = g_strdup ("the frame was cropped: there is more on its page than is to be seen");
    return NULL;
  }
  return gst_ba_memory_get_buffer (memory);
}

/* Remembers the way of the frame at hand, and tells the application when it is another one than before. */
static void
tell_way (GstFbdevZeroSink * self, Way way, gchar * reason)
{
  gboolean changed;

  GST_OBJECT_LOCK (self);
  changed = way != self->last_way || g_strcmp0 (reason, self->reason) != 0;
  if (changed) {
    self->last_way = way;
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

/* ---- writing a page ------------------------------------------------------------------------------------------- */

static gboolean
ensure_convert (GstFbdevZeroSink * self, const GstVideoInfo * frame_info, const Placement * place)
{
  if (self->convert && memcmp (&self->convert_place, place, sizeof *place) == 0)
    return TRUE;
  gst_fbdev_zero_sink_forget_convert (self);
  self->convert = gst_ba_convert_new (&(GstBaConvertConfig) {
      .in_info = frame_info,.crop = place->src,.out.format = GST_VIDEO_INFO_FORMAT (&self->screen),
      .x_px = place->dst.x,.y_px = place->dst.y,.width_px = place->dst.w,.height_px = place->dst.h
  });
  self->convert_place = *place;
  return self->convert != NULL;
}

/* One pass of rows from @frame to @out. */
static void
copy_rows (GstFbdevZeroSink * self, const GstVideoFrame * frame, const Placement * place, guint8 * out)
{
  gsize pixel_bytes = GST_VIDEO_INFO_COMP_PSTRIDE (&self->screen, 0);
  gsize in_stride = GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0);
  gsize out_stride = GST_VIDEO_INFO_PLANE_STRIDE (&self->screen, 0);
  const guint8 *in = (const guint8 *) GST_VIDEO_FRAME_PLANE_DATA (frame, 0) + place->src.y * in_stride
      + place->src.x * pixel_bytes;
  gsize row_bytes = place->dst.w * pixel_bytes;

  if (in_stride == out_stride && in_stride == row_bytes) {
    memcpy (out, in, row_bytes * place->dst.h);
    return;
  }
  for (gint y = 0; y < place->dst.h; y++)
    memcpy (out + y * out_stride, in + y * in_stride, row_bytes);
}

static GstFlowReturn
write_frame (GstFbdevZeroSink * self, GstBuffer * buffer, const Placement * place, Way way, guint8 * page)
{
  GstVideoFrame frame;
  gsize out_stride = GST_VIDEO_INFO_PLANE_STRIDE (&self->screen, 0);
  gsize pixel_bytes = GST_VIDEO_INFO_COMP_PSTRIDE (&self->screen, 0);
  guint8 *out = page + GST_VIDEO_INFO_PLANE_OFFSET (&self->screen, 0) + place->dst.y * out_stride
      + place->dst.x * pixel_bytes;
  guint64 bytes = (guint64) place->dst.w * place->dst.h * pixel_bytes;

  if (!gst_video_frame_map (&frame, &self->info, buffer, GST_MAP_READ)) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT, ("A video frame cannot be read."),
        ("buffer of %" G_GSIZE_FORMAT " bytes for %s %dx%d: it is too small, or its memory has no address",
            gst_buffer_get_size (buffer), GST_VIDEO_INFO_NAME (&self->info), GST_VIDEO_INFO_WIDTH (&self->info),
            GST_VIDEO_INFO_HEIGHT (&self->info)));
    return GST_FLOW_ERROR;
  }
  if (place->src.x + place->src.w > GST_VIDEO_FRAME_WIDTH (&frame)
      || place->src.y + place->src.h > GST_VIDEO_FRAME_HEIGHT (&frame)) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT, ("A video frame is smaller than its caps say."),
        ("%dx%d at %d,%d of a frame of %dx%d", place->src.w, place->src.h, place->src.x, place->src.y,
            GST_VIDEO_FRAME_WIDTH (&frame), GST_VIDEO_FRAME_HEIGHT (&frame)));
    gst_video_frame_unmap (&frame);
    return GST_FLOW_ERROR;
  }
  if (way == WAY_COPY) {
    copy_rows (self, &frame, place, out);
  } else if (ensure_convert (self, &frame.info, place)) {
    gst_ba_convert_frame (self->convert, &frame, out, out_stride);
  } else {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT, ("This video cannot be converted for the screen."),
        ("from %s %dx%d to %s %dx%d", GST_VIDEO_INFO_NAME (&self->info), place->src.w, place->src.h,
            GST_VIDEO_INFO_NAME (&self->screen), place->dst.w, place->dst.h));
    gst_video_frame_unmap (&frame);
    return GST_FLOW_ERROR;
  }
  gst_video_frame_unmap (&frame);

  GST_OBJECT_LOCK (self);
  self->counts.bytes_written += bytes;
  if (way == WAY_COPY)
    self->counts.bytes_copied += bytes;
  GST_OBJECT_UNLOCK (self);
  return GST_FLOW_OK;
}

/* After a cancelled wait: blocks until the sink may go on. */
static GstFlowReturn
wait_unlocked (GstFbdevZeroSink * self)
{
  GstFlowReturn flow = gst_base_sink_wait_preroll (GST_BASE_SINK (self));

  /* a step ends the wait with a code of the base class's own; this frame is wanted all the same */
  return flow == GST_FLOW_CUSTOM_ERROR ? GST_FLOW_OK : flow;
}

static gint64
get_page_timeout_ns (GstFbdevZeroSink * self)
{
  return gst_ba_fbdev_allocator_get_overflows (self->allocator) ? PAGE_TIMEOUT_STARVED_NS : PAGE_TIMEOUT_NS;
}

/* Takes a page that is not visible, waiting for one. EOS where somebody upstream sits on all of them. */
static GstFlowReturn
get_back_page (GstFbdevZeroSink * self, BaBuffer ** page)
{
  BaPool *pages = gst_ba_fbdev_allocator_get_pages (self->allocator);
  GstFlowReturn flow = GST_FLOW_OK;
  int r;

  while ((r = ba_pool_acquire (pages, BA_NO_WAIT, &self->cancel, page)) < 0 && flow == GST_FLOW_OK) {
    if (r == -EAGAIN) {         /* the page before the one that waits for its vsync may be all there is */
      ba_display_wait (self->display, &self->cancel);
      r = ba_pool_acquire (pages, get_page_timeout_ns (self), &self->cancel, page);
    }
    if (r == -ECANCELED)
      flow = wait_unlocked (self);
    else
      return gst_ba_flow_from_error (r);
  }
  return flow;
}

static GstFlowReturn
write_back_page (GstFbdevZeroSink * self, GstBuffer * buffer, const Placement * place, Way way)
{
  BaBuffer *page = NULL;
  GstFlowReturn flow = get_back_page (self, &page);

  if (flow == GST_FLOW_EOS) {
    GST_WARNING_OBJECT (self, "no page came back within %d ms: the elements before the sink hold all of them, this "
        "frame is dropped", (gint) (get_page_timeout_ns (self) / GST_MSECOND));
    GST_OBJECT_LOCK (self);
    self->counts.dropped++;
    GST_OBJECT_UNLOCK (self);
    return GST_FLOW_OK;
  }
  if (flow != GST_FLOW_OK)
    return flow;
  gst_ba_fbdev_allocator_prepare_page (self->allocator, page, &place->dst);
  flow = write_frame (self, buffer, place, way, ba_buffer_get_data (page));
  if (flow == GST_FLOW_OK)
    self->prepared_page = page;
  else
    ba_buffer_unref (page);
  return flow;
}

/* ---- prepare and show ----------------------------------------------------------------------------------------- */

GstFlowReturn
gst_fbdev_zero_sink_prepare_frame (GstFbdevZeroSink * self, GstBuffer * buffer)
{
  Placement place;
  gboolean native = GST_VIDEO_INFO_FORMAT (&self->info) == GST_VIDEO_INFO_FORMAT (&self->screen);
  gboolean can_flip = ba_display_get_info (self->display)->can_flip;
  gchar *reason = NULL;
  BaBuffer *page;
  GstFlowReturn flow = GST_FLOW_OK;
  Way way;

  if (self->prepared_for == buffer)
    return GST_FLOW_OK;         /* the preroll frame comes a second time */
  gst_fbdev_zero_sink_forget_frame (self);
  if (!place_buffer (self, buffer, &place))
    return GST_FLOW_ERROR;
  page = find_page (self, buffer, &place, native, &reason);
  if (page && can_flip) {
    way = WAY_FLIP;
    self->prepared_page = ba_buffer_ref (page);
  } else {
    way = native && gst_fbdev_zero_sink_is_1to1 (&place) ? WAY_COPY : WAY_CONVERT;
    if (can_flip)
      flow = write_back_page (self, buffer, &place, way);
  }
  tell_way (self, way, reason ? reason : g_strdup (page && !can_flip ? "the screen has one page only" : ""));
  if (flow == GST_FLOW_OK) {
    self->prepared_for = gst_buffer_ref (buffer);
    self->prepared_way = way;
  }
  return flow;
}

/* The only page of a display that has no other: it is written while it is visible. */
static GstFlowReturn
show_on_only_page (GstFbdevZeroSink * self, GstBuffer * buffer)
{
  BaPool *pages = gst_ba_fbdev_allocator_get_pages (self->allocator);
  BaBuffer *page;
  Placement place;
  GstFlowReturn flow;
  int r;

  while ((r = ba_pool_acquire (pages, BA_NO_WAIT, &self->cancel, &page)) == -ECANCELED) {
    if ((flow = wait_unlocked (self)) != GST_FLOW_OK)
      return flow;
  }
  if (r < 0) {
    GST_WARNING_OBJECT (self, "the only page is taken: %s", ba_error_text (r));
    return gst_ba_flow_from_error (r);
  }
  if (!place_buffer (self, buffer, &place)) {
    ba_buffer_unref (page);
    return GST_FLOW_ERROR;
  }
  gst_ba_fbdev_allocator_prepare_page (self->allocator, page, &place.dst);
  flow = write_frame (self, buffer, &place, self->prepared_way, ba_buffer_get_data (page));
  if (flow == GST_FLOW_OK)
    self->prepared_page = page;
  else
    ba_buffer_unref (page);
  return flow;
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
  else
    GST_ELEMENT_ERROR (self, RESOURCE, WRITE, ("A page could not be shown on %s.", device), ("%s", ba_error_text (r)));
  return GST_FLOW_ERROR;
}

GstFlowReturn
gst_fbdev_zero_sink_show_prepared (GstFbdevZeroSink * self, GstBuffer * buffer)
{
  gboolean can_flip = ba_display_get_info (self->display)->can_flip;
  GstFlowReturn flow = gst_fbdev_zero_sink_prepare_frame (self, buffer);
  BaPoolStats pool_stats;
  int r;

  if (flow != GST_FLOW_OK)
    return flow;
  if (!can_flip) {
    if (self->prepared_page)
      return GST_FLOW_OK;       /* it is on the screen already */
    if ((flow = show_on_only_page (self, buffer)) != GST_FLOW_OK)
      return flow;
  }
  if (!self->prepared_page)
    return GST_FLOW_OK;         /* dropped, for want of a page */

  while ((r = ba_display_flip (self->display, self->prepared_page, &self->cancel)) == -ECANCELED) {
    if ((flow = wait_unlocked (self)) != GST_FLOW_OK)
      return flow;
  }
  if (r < 0)
    return flip_failed (self, r);
  if (r == 0) {
    GST_OBJECT_LOCK (self);
    self->counts.shown[self->prepared_way]++;
    GST_OBJECT_UNLOCK (self);
    /* somebody may wait for a page, and the next flip may be the frame that is to be drawn there */
    ba_pool_get_stats (gst_ba_fbdev_allocator_get_pages (self->allocator), &pool_stats);
    if (can_flip && pool_stats.n_free == 0)
      ba_display_wait (self->display, &self->cancel);
  }
  return GST_FLOW_OK;
}
