/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbafbdevallocator.c: one core pool of a display's pages, and what was drawn on each page last.
 *
 * Reference chain: GstMemory -> this allocator -> core allocator -> page pool -> display. The display holds the pages
 * on screen until it is closed, which is why its opener must close it.
 */
#include "gstbafbdevallocator.h"

#include <errno.h>

#include "gstbaallocator-private.h"
#include "gstbalayout.h"
#include "gstbamemory-private.h"

/* How long to wait for a page while the sink is idle: the first time, and when that has happened before. With an idle
 * sink a page comes back only from another thread of the elements before it. */
#define PATIENCE_NS (50 * GST_MSECOND)
#define PATIENCE_ONCE_STARVED_NS (5 * GST_MSECOND)
/* How often to look whether the sink is idle. */
#define SLICE_NS (5 * GST_MSECOND)
#define MAX_OVERFLOW 16

struct _GstBaFbdevAllocator
{
  GstBaAllocator parent;
  BaDisplay *display;
  BaPool *pages;
  /* memory in place of pages */
  GstAllocator *overflow_allocator;
  BaPool *overflow;
  gint overflow_made;           /* atomic: buffers of it */
  gint overflows;               /* atomic: times */
  gint showing;                 /* atomic: the sink has a frame in hand */
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
  ba_pool_unref (self->overflow);
  gst_clear_object (&self->overflow_allocator);
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

/* The pool of memory that stands in for pages: empty, it grows when it is needed. Without it nothing but that is
 * missing, so a failure is no error. */
static void
make_overflow (GstBaFbdevAllocator * self)
{
  BaSpec spec = {.size_bytes = ba_display_get_info (self->display)->page_bytes,.category = "pages-overflow" };

  self->overflow_allocator = gst_ba_normal_allocator_new ();
  if (self->overflow_allocator)
    ba_allocator_build_pool (gst_ba_allocator_get_core (GST_BA_ALLOCATOR (self->overflow_allocator)), &spec,
        &self->overflow);
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
  make_overflow (self);
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
  gint number = ba_display_get_page_number (self->display, page);
  const BaLayout *layout = &ba_display_get_info (self->display)->layout;
  GstVideoRectangle all = { 0, 0, layout->width_px, layout->height_px };

  if (number < 0)               /* memory in place of a page: its surroundings are never seen */
    return;
  if (!rect_contains (rect, &all) && !rect_contains (rect, &self->drawn[number]))
    ba_display_clear (self->display, number);
  self->drawn[number] = *rect;
}

const GstVideoRectangle *
gst_ba_fbdev_allocator_peek_drawn (GstBaFbdevAllocator * self, BaBuffer * page)
{
  gint number = ba_display_get_page_number (self->display, page);

  return number < 0 ? NULL : &self->drawn[number];
}

void
gst_ba_fbdev_allocator_get_drawn (GstBaFbdevAllocator * self, BaBuffer * page, GstVideoRectangle * rect)
{
  const BaLayout *layout = &ba_display_get_info (self->display)->layout;

  *rect = self->drawn[ba_display_get_page_number (self->display, page)];
  rect->w = MIN (rect->w, (gint) layout->width_px - rect->x);
  rect->h = MIN (rect->h, (gint) layout->height_px - rect->y);
}

/* One buffer in place of a page; -EAGAIN where there are as many as may be. */
static gint
acquire_overflow (GstBaFbdevAllocator * self, BaBuffer ** buffer)
{
  gint r = self->overflow ? ba_pool_acquire (self->overflow, BA_NO_WAIT, NULL, buffer) : -EAGAIN;

  if (r == -EAGAIN && self->overflow && g_atomic_int_get (&self->overflow_made) < MAX_OVERFLOW) {
    g_atomic_int_inc (&self->overflow_made);
    r = ba_allocator_inject (gst_ba_allocator_get_core (GST_BA_ALLOCATOR (self->overflow_allocator)), self->overflow,
        BA_INJECT_FREE, NULL);
    if (r == 0)
      r = ba_pool_acquire (self->overflow, BA_NO_WAIT, NULL, buffer);
  }
  if (r == 0 && g_atomic_int_add (&self->overflows, 1) == 0)
    GST_WARNING_OBJECT (self, "no page came back while the sink was idle: the elements before it keep all %u of them. "
        "From here on they also get memory off the screen, which is copied. More pages would help",
        ba_display_get_info (self->display)->n_pages);
  return r;
}

gint
gst_ba_fbdev_allocator_acquire (GstBaFbdevAllocator * self, gint64 timeout_ns, const BaCancel * cancel,
    BaBuffer ** buffer)
{
  gint r = ba_pool_acquire (self->pages, BA_NO_WAIT, cancel, buffer);
  gint64 waited_ns = 0, idle_ns = 0;

  while (r == -EAGAIN || r == -ETIMEDOUT) {
    gint64 slice_ns = timeout_ns < 0 ? SLICE_NS : MIN (SLICE_NS, timeout_ns - waited_ns);

    if (slice_ns <= 0)
      return timeout_ns == 0 ? -EAGAIN : -ETIMEDOUT;
    r = ba_pool_acquire (self->pages, slice_ns, cancel, buffer);
    waited_ns += slice_ns;
    idle_ns = g_atomic_int_get (&self->showing) ? 0 : idle_ns + slice_ns;
    if (r == -ETIMEDOUT && idle_ns >= (g_atomic_int_get (&self->overflows) ? PATIENCE_ONCE_STARVED_NS : PATIENCE_NS)
        && acquire_overflow (self, buffer) == 0)
      return 0;
  }
  return r;
}

void
gst_ba_fbdev_allocator_set_showing (GstBaFbdevAllocator * self, gboolean showing)
{
  g_atomic_int_set (&self->showing, showing);
}

gboolean
gst_ba_fbdev_allocator_is_overflow (GstBaFbdevAllocator * self, GstMemory * memory)
{
  return gst_is_ba_memory (memory) && self->overflow_allocator && memory->allocator == self->overflow_allocator;
}

guint64
gst_ba_fbdev_allocator_get_overflows (GstBaFbdevAllocator * self)
{
  return (guint) g_atomic_int_get (&self->overflows);
}

GstMemory *
gst_ba_fbdev_allocator_wrap (GstBaFbdevAllocator * self, BaBuffer * buffer, gsize offset, gsize size)
{
  GstAllocator *allocator = ba_buffer_get_pool (buffer) == self->pages ? GST_ALLOCATOR_CAST (self)
      : self->overflow_allocator;

  return gst_ba_memory_new (allocator, buffer, offset, size);
}
