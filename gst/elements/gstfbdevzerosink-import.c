/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstfbdevzerosink-import.c: frames in memory of another device (dmabufs of a camera, a decoder, another pool): shown
 * where they lie, if the driver of the screen takes them; else read between the brackets that such memory needs.
 *
 * The display keeps what it made of the frame's memory. What is kept here is when to let go of it: as soon as upstream
 * wants its memory back, brings other memory, or its pool is gone.
 */
#include "gstfbdevzerosink-private.h"

#include <gst/allocators/gstdmabuf.h>

#define GST_CAT_DEFAULT gst_fbdev_zero_sink_debug

/* ---- when to let go --------------------------------------------------------------------------------------------- */

static void
free_watch (GWeakRef * watch)
{
  g_weak_ref_clear (watch);
  g_free (watch);
}

static void
pool_is_gone (gpointer data, GObject * pool)
{
  GWeakRef *watch = data;
  GstBaFbdevAllocator *allocator = g_weak_ref_get (watch);

  if (allocator) {
    ba_display_forget_imports (gst_ba_fbdev_allocator_get_display (allocator));
    gst_object_unref (allocator);
  }
  free_watch (watch);
}

/* No watch is left with a pool that is not the last one: two that take turns would have more of them with each frame. */
static void
forget_pool (GstFbdevZeroSink * self)
{
  GObject *pool = g_weak_ref_get (&self->import_pool);

  if (pool) {
    g_weak_ref_set (&self->import_pool, NULL);
    g_object_weak_unref (pool, pool_is_gone, self->import_watch);
    free_watch (self->import_watch);
    g_object_unref (pool);
  }
  self->import_watch = NULL;
}

/* Frames come from another pool than before: what was imported of that one will hardly come again. */
static void
note_pool (GstFbdevZeroSink * self, GstBufferPool * pool)
{
  GObject *before;
  gboolean same;

  if (!pool)
    return;
  before = g_weak_ref_get (&self->import_pool);
  same = before == G_OBJECT (pool);
  if (before && !same)
    ba_display_forget_imports (self->display);
  g_clear_object (&before);
  if (same)
    return;
  forget_pool (self);
  self->import_watch = g_new (GWeakRef, 1);
  g_weak_ref_init (self->import_watch, self->allocator);
  g_weak_ref_set (&self->import_pool, pool);
  g_object_weak_ref (G_OBJECT (pool), pool_is_gone, self->import_watch);
}

void
gst_fbdev_zero_sink_drain_imports (GstFbdevZeroSink * self)
{
  if (!self->display)
    return;
  if (self->imported && !gst_fbdev_zero_sink_show_copy (self, self->imported))
    GST_INFO_OBJECT (self, "the frame on screen stays its producer's until the next one is shown");
  gst_clear_buffer (&self->imported);
  ba_display_forget_imports (self->display);
}

void
gst_fbdev_zero_sink_forget_imports (GstFbdevZeroSink * self)
{
  gst_clear_buffer (&self->imported);
  gst_clear_object (&self->dmabufs);
  gst_video_info_init (&self->probed);
  forget_pool (self);
}

/* ---- what a frame is -------------------------------------------------------------------------------------------- */

/* Where the part of @plane begins that is to be seen; FALSE where that is no whole number of its samples. */
static gboolean
add_crop (const GstVideoFormatInfo * format, guint plane, const GstVideoRectangle * src, gsize stride, gsize * offset)
{
  gint component[GST_VIDEO_MAX_COMPONENTS];
  gint x, y;

  gst_video_format_info_component (format, plane, component);
  x = src->x >> GST_VIDEO_FORMAT_INFO_W_SUB (format, component[0]);
  y = src->y >> GST_VIDEO_FORMAT_INFO_H_SUB (format, component[0]);
  if (x << GST_VIDEO_FORMAT_INFO_W_SUB (format, component[0]) != src->x
      || y << GST_VIDEO_FORMAT_INFO_H_SUB (format, component[0]) != src->y)
    return FALSE;
  *offset += y * stride + (gsize) x *GST_VIDEO_FORMAT_INFO_PSTRIDE (format, component[0]);
  return TRUE;
}

/* The dmabuf in which byte @at of the buffer lies, and where in it. */
static gboolean
find_file (GstBuffer * buffer, gsize at, int *fd, gsize * offset)
{
  guint index, n;
  gsize skip;
  GstMemory *memory;

  if (!gst_buffer_find_memory (buffer, at, 1, &index, &n, &skip))
    return FALSE;
  memory = gst_buffer_peek_memory (buffer, index);
  if (!gst_is_dmabuf_memory (memory))
    return FALSE;
  *fd = gst_dmabuf_memory_get_fd (memory);
  *offset = memory->offset + skip;
  return TRUE;
}

/* NULL, or why nothing that is imported can be shown so. */
static const gchar *
why_not_there (GstFbdevZeroSink * self, const Placement * place)
{
  if (place->direction != GST_VIDEO_ORIENTATION_IDENTITY)
    return "the picture is turned";
  if (!gst_fbdev_zero_sink_is_1to1 (place))
    return "the picture is scaled";
  if (place->dst.x != 0 || place->dst.y != 0 || place->dst.w != GST_VIDEO_INFO_WIDTH (&self->screen)
      || place->dst.h != GST_VIDEO_INFO_HEIGHT (&self->screen))
    return "the picture does not fill the screen";
  return NULL;
}

/* NULL, or why @buffer cannot be shown as it is; static. */
static const gchar *
describe_picture (GstFbdevZeroSink * self, GstBuffer * buffer, const Placement * place, BaDmabuf * out)
{
  GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
  const GstVideoFormatInfo *format = self->info.finfo;
  const gchar *why_not;

  *out = (BaDmabuf) { };
  out->layout.fourcc = gst_ba_fourcc_from_format (GST_VIDEO_INFO_FORMAT (&self->info));
  out->layout.width_px = place->src.w;
  out->layout.height_px = place->src.h;
  out->layout.n_planes = GST_VIDEO_INFO_N_PLANES (&self->info);
  if (out->layout.fourcc == 0)
    return "no screen has its format";
  out->has_modifier = self->modifier != 0;      /* rows are what drivers believe without being told */
  out->modifier = self->modifier;
  /* drivers mix alpha in with another idea of it than GStreamer's */
  if (GST_VIDEO_INFO_HAS_ALPHA (&self->info))
    return "the frames have alpha";
  if ((why_not = why_not_there (self, place)))
    return why_not;
  if (gst_buffer_get_video_overlay_composition_meta (buffer))
    return "there is text or a picture over the frame";
  for (guint i = 0; i < out->layout.n_planes; i++) {
    gint stride = meta ? meta->stride[i] : GST_VIDEO_INFO_PLANE_STRIDE (&self->info, i);
    gsize at = meta ? meta->offset[i] : GST_VIDEO_INFO_PLANE_OFFSET (&self->info, i);

    if (stride <= 0)
      return "the picture is upside down";
    out->layout.stride_bytes[i] = stride;
    if (!find_file (buffer, at, &out->fds[i], &out->layout.offset_bytes[i]))
      return "not all of it is in one";
    if (!add_crop (format, i, &place->src, stride, &out->layout.offset_bytes[i]))
      return "the crop begins between two samples of colour";
  }
  return NULL;
}

/* ---- the calls of the sink -------------------------------------------------------------------------------------- */

gboolean
gst_fbdev_zero_sink_import (GstFbdevZeroSink * self, GstBuffer * buffer, const Placement * place)
{
  const gchar *why_not;
  BaError error = { 0 };

  g_clear_pointer (&self->not_imported, g_free);
  if (gst_buffer_n_memory (buffer) == 0 || !gst_is_dmabuf_memory (gst_buffer_peek_memory (buffer, 0))
      || gst_ba_fbdev_allocator_owns (self->allocator, gst_buffer_peek_memory (buffer, 0)))
    return FALSE;
  note_pool (self, buffer->pool);
  why_not = self->copy_this ? "the driver refused to flip to it"
      : describe_picture (self, buffer, place, &self->import);
  if (!why_not && ba_display_import (self->display, &self->import, &error) < 0)
    why_not = error.message;
  if (!why_not && !gst_fbdev_zero_sink_shows_colours (self, &self->info))
    why_not = "the driver cannot be told what its colours mean";
  if (!why_not)
    return TRUE;
  self->not_imported = GST_VIDEO_INFO_FORMAT (&self->info) == self->page_format.format ? g_strdup (why_not)
      : g_strdup_printf ("%s (the frames are %s, the screen is %s)", why_not, GST_VIDEO_INFO_NAME (&self->info),
      self->page_format.mono ? "black and white" : GST_VIDEO_INFO_NAME (&self->screen));
  return FALSE;
}

static void
unref_buffer (gpointer buffer)
{
  gst_buffer_unref (buffer);
}

gint
gst_fbdev_zero_sink_flip_import (GstFbdevZeroSink * self, GstBuffer * buffer)
{
  gint r = ba_display_flip_import (self->display, &self->import, unref_buffer, gst_buffer_ref (buffer), &self->cancel);

  if (r < 0)
    gst_buffer_unref (buffer);
  else
    gst_buffer_replace (&self->imported, buffer);
  return r;
}

void
gst_fbdev_zero_sink_sync_read (GstBuffer * buffer, gboolean end)
{
  for (guint i = 0; i < gst_buffer_n_memory (buffer); i++) {
    GstMemory *memory = gst_buffer_peek_memory (buffer, i);
    gint r, fd;

    if (!gst_is_dmabuf_memory (memory))
      continue;
    fd = gst_dmabuf_memory_get_fd (memory);
    r = end ? ba_dmabuf_end_access (fd, BA_DMABUF_READ) : ba_dmabuf_begin_access (fd, BA_DMABUF_READ);
    if (r < 0)
      GST_DEBUG ("%s to read dmabuf %d: %s", end ? "ending" : "beginning", fd, ba_error_text (r));
  }
}

/* ---- memory for those who draw ---------------------------------------------------------------------------------- */

gboolean
gst_fbdev_zero_sink_may_import (GstFbdevZeroSink * self, const GstVideoInfo * info, const Placement * place)
{
  const BaDisplayInfo *display = ba_display_get_info (self->display);
  guint32 fourcc = gst_ba_fourcc_from_format (GST_VIDEO_INFO_FORMAT (info));

  return display->can_flip && strcmp (display->kind, "kms") == 0 && fourcc != 0 && !GST_VIDEO_INFO_HAS_ALPHA (info)
      && ba_display_supports_format (self->display, fourcc) && !why_not_there (self, place)
      && place->src.w == GST_VIDEO_INFO_WIDTH (info) && place->src.h == GST_VIDEO_INFO_HEIGHT (info)
      && gst_fbdev_zero_sink_shows_colours (self, info);
}

/* Whether a frame in memory of @allocator would be shown. */
static gboolean
try_source (GstFbdevZeroSink * self, GstAllocator * allocator, const GstVideoInfo * info, BaError * error)
{
  GstMemory *memory = gst_allocator_alloc (allocator, GST_VIDEO_INFO_SIZE (info), NULL);
  BaDmabuf picture = { };
  gint r;

  if (!memory) {
    ba_error_set (error, -1, "no such memory");
    return FALSE;
  }
  gst_ba_layout_from_info (info, &picture.layout);
  for (guint i = 0; i < picture.layout.n_planes; i++)
    picture.fds[i] = gst_dmabuf_memory_get_fd (memory);
  r = ba_display_import (self->display, &picture, error);
  gst_memory_unref (memory);
  /* the driver would keep it, and another source deserves another try */
  ba_display_forget_imports (self->display);
  return r >= 0;
}

GstAllocator *
gst_fbdev_zero_sink_get_dmabufs (GstFbdevZeroSink * self, const GstVideoInfo * info)
{
  /* whole pages of ordinary memory cost nothing; some drivers need it in one piece, of which there is little */
  static const gchar *const sources[] = { "udmabuf", "system", "linux,cma", "reserved", "default_cma_region" };

  if (self->probed.finfo && gst_video_info_is_equal (info, &self->probed))
    return self->dmabufs;
  gst_clear_object (&self->dmabufs);
  self->probed = *info;
  for (guint i = 0; i < G_N_ELEMENTS (sources) && !self->dmabufs; i++) {
    BaError error = { 0 };

    self->dmabufs = gst_ba_dmabuf_allocator_new (sources[i], &error);
    if (self->dmabufs && !try_source (self, self->dmabufs, info, &error))
      gst_clear_object (&self->dmabufs);
    GST_INFO_OBJECT (self, "%s frames in memory of %s: %s", GST_VIDEO_INFO_NAME (info), sources[i],
        self->dmabufs ? "shown as they lie" : error.message);
  }
  return self->dmabufs;
}
