/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbafbdevallocator.c: one core pool of a display's pages, and what was drawn on each page last.
 *
 * Reference chain: GstMemory -> this allocator -> core allocator -> page pool -> display. The display holds the pages
 * on screen until it is closed, which is why its opener must close it.
 */
#include "gstbafbdevallocator.h"

#include "gstbaallocator-private.h"
#include "gstbalayout.h"
#include "gstbamemory-private.h"

struct _GstBaFbdevAllocator
{
  GstBaAllocator parent;
  BaDisplay *display;
  BaPool *pages;
  /* per page number: what was drawn there last; its holder's */
  GstVideoRectangle drawn[BA_DISPLAY_MAX_PAGES];
};

G_DEFINE_TYPE (GstBaFbdevAllocator, gst_ba_fbdev_allocator, GST_TYPE_BA_ALLOCATOR)

static GstMemory *
gst_ba_fbdev_allocator_alloc (GstAllocator * allocator, gsize size, GstAllocationParams * params)
{
  GST_WARNING_OBJECT (allocator, "pages come from a GstBaFbdevPool, not from gst_allocator_alloc()");
  return NULL;
}

static void
gst_ba_fbdev_allocator_finalize (GObject * object)
{
  GstBaFbdevAllocator *self = GST_BA_FBDEV_ALLOCATOR (object);

  ba_pool_unref (self->pages);
  ba_display_unref (self->display);
  G_OBJECT_CLASS (gst_ba_fbdev_allocator_parent_class)->finalize (object);
}

static void
gst_ba_fbdev_allocator_class_init (GstBaFbdevAllocatorClass * klass)
{
  G_OBJECT_CLASS (klass)->finalize = gst_ba_fbdev_allocator_finalize;
  GST_ALLOCATOR_CLASS (klass)->alloc = gst_ba_fbdev_allocator_alloc;
}

static void
gst_ba_fbdev_allocator_init (GstBaFbdevAllocator * self)
{
  gst_ba_memory_install (GST_ALLOCATOR (self), GST_BA_MEMORY_FBDEV);
  /* or a deep copy of a page would ask for another page */
  GST_OBJECT_FLAG_SET (self, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC);
}

GstAllocator *
gst_ba_fbdev_allocator_new (BaDisplay * display, BaError * error)
{
  BaConfig config = {.display = display };
  BaSpec spec = {.category = "pages",.name = ba_display_get_info (display)->name };
  BaAllocator *core = NULL;
  BaPool *pages = NULL;
  GstBaFbdevAllocator *self;
  int r = ba_allocator_new_with_config (BA_TYPE_FRAMEBUFFER, &config, error, &core);

  if (r == 0 && (r = ba_allocator_build_pool (core, &spec, &pages)) < 0)
    ba_error_set (error, r, "no pool of the pages of %s: %s", spec.name, ba_error_text (r));
  if (r < 0) {
    ba_allocator_unref (core);
    return NULL;
  }
  self = g_object_ref_sink (g_object_new (GST_TYPE_BA_FBDEV_ALLOCATOR, NULL));
  gst_ba_allocator_set_core (GST_BA_ALLOCATOR (self), core);
  self->display = ba_display_ref (display);
  self->pages = pages;
  for (guint i = 0; i < BA_DISPLAY_MAX_PAGES; i++) {    /* whatever was there before us may be anywhere */
    self->drawn[i].w = G_MAXINT;
    self->drawn[i].h = G_MAXINT;
  }
  return GST_ALLOCATOR (self);
}

BaDisplay *
gst_ba_fbdev_allocator_get_display (GstBaFbdevAllocator * self)
{
  return self->display;
}

BaPool *
gst_ba_fbdev_allocator_get_pages (GstBaFbdevAllocator * self)
{
  return self->pages;
}

gboolean
gst_ba_fbdev_allocator_get_info (GstBaFbdevAllocator * self, GstVideoInfo * info)
{
  const BaLayout *layout = &ba_display_get_info (self->display)->layout;
  GstVideoFormat format = gst_ba_fourcc_to_format (layout->fourcc);

  if (format == GST_VIDEO_FORMAT_UNKNOWN
      || !gst_video_info_set_format (info, format, layout->width_px, layout->height_px))
    return FALSE;
  for (guint i = 0; i < layout->n_planes; i++) {
    info->stride[i] = layout->stride_bytes[i];
    info->offset[i] = layout->offset_bytes[i];
  }
  info->size = ba_display_get_info (self->display)->page_bytes;
  return TRUE;
}

gboolean
gst_ba_fbdev_allocator_owns (GstBaFbdevAllocator * self, GstMemory * memory)
{
  return gst_is_ba_memory (memory) && memory->allocator == GST_ALLOCATOR_CAST (self);
}

static gboolean
rect_contains (const GstVideoRectangle * outer, const GstVideoRectangle * inner)
{
  return inner->x >= outer->x && inner->y >= outer->y && (gint64) inner->x + inner->w <= (gint64) outer->x + outer->w
      && (gint64) inner->y + inner->h <= (gint64) outer->y + outer->h;
}

void
gst_ba_fbdev_allocator_prepare_page (GstBaFbdevAllocator * self, BaBuffer * page, const GstVideoRectangle * rect)
{
  guint number = ba_display_get_page_number (self->display, page);
  const BaLayout *layout = &ba_display_get_info (self->display)->layout;
  GstVideoRectangle all = { 0, 0, layout->width_px, layout->height_px };

  if (!rect_contains (rect, &all) && !rect_contains (rect, &self->drawn[number]))
    ba_display_clear (self->display, number);
  self->drawn[number] = *rect;
}
