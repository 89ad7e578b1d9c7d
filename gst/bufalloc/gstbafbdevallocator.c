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

/* How long to wait for a page while the sink is idle: that long, and twice the time that lay between the last two
 * frames, because with an idle sink a page comes back only from an element that is slow. */
#define PATIENCE_NS (50 * GST_MSECOND)
/* The time between two frames that is assumed before there were two. */
#define GAP_AT_FIRST_US (200 * 1000)
#define MAX_GAP_US (2000 * 1000)
/* How often to look whether the sink is idle: often while it is, ever less often while it is not. */
#define SLICE_NS (5 * GST_MSECOND)
#define LONGEST_SLICE_NS (160 * GST_MSECOND)
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
  gint gap_us;                  /* atomic: between the last two frames that the sink was given */
  gint64 came_us;               /* when the last one came; the sink's */
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

  /**
   * GstBaFbdevAllocator::starved:
   * @self: the allocator
   *
   * Somebody waits for a page, no more memory may be given in place of one, and the sink has nothing to show: nothing
   * moves until a buffer is given back. Emitted once for each acquire that waits so, by its thread, with no lock held.
   */
  g_signal_new ("starved", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
gst_ba_fbdev_allocator_init (GstBaFbdevAllocator * self)
{
  self->gap_us = GAP_AT_FIRST_US;
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
  const BaLayout *layout;
  GstVideoFormat format;

  if (!self->display)           /* the one that gst_allocator_find() gives */
    return FALSE;
  layout = &ba_display_get_info (self->display)->layout;
  format = gst_ba_fourcc_to_format (layout->fourcc);
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
  BaBuffer *buffer;

  if (gst_is_ba_memory (memory) && memory->allocator == GST_ALLOCATOR_CAST (self))
    return TRUE;
  /* a page that was given away as a dmabuf is another allocator's, for GStreamer */
  buffer = gst_ba_memory_get_buffer (memory);
  return buffer && self->pages && ba_buffer_get_pool (buffer) == self->pages;
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
  gint number = ba_display_get_page_number (self->display, page);

  *rect = (GstVideoRectangle) {
  0, 0, 0, 0};
  if (number < 0)               /* memory in place of a page */
    return;
  *rect = self->drawn[number];
  rect->w = MIN (rect->w, (gint) layout->width_px - rect->x);
  rect->h = MIN (rect->h, (gint) layout->height_px - rect->y);
}

/* One more buffer of memory off the screen, where there may be one. */
static gint
grow_overflow (GstBaFbdevAllocator * self)
{
  gint r = -EAGAIN;

  if (g_atomic_int_add (&self->overflow_made, 1) < MAX_OVERFLOW)
    r = ba_allocator_inject (gst_ba_allocator_get_core (GST_BA_ALLOCATOR (self->overflow_allocator)), self->overflow,
        BA_INJECT_FREE, NULL);
  if (r < 0)
    g_atomic_int_add (&self->overflow_made, -1);
  return r;
}

/* One buffer in place of a page; -EAGAIN where there are as many as may be. */
static gint
acquire_overflow (GstBaFbdevAllocator * self, BaBuffer ** buffer)
{
  gint r = self->overflow ? ba_pool_acquire (self->overflow, BA_NO_WAIT, NULL, buffer) : -EAGAIN;

  if (r == -EAGAIN && self->overflow && (r = grow_overflow (self)) == 0)
    r = ba_pool_acquire (self->overflow, BA_NO_WAIT, NULL, buffer);
  if (r == 0 && g_atomic_int_add (&self->overflows, 1) == 0)
    GST_WARNING_OBJECT (self, "no page came back while the sink was idle: the elements before it keep all %u of them. "
        "They also get memory off the screen now, which is copied. More pages would help",
        ba_display_get_info (self->display)->n_pages);
  return r;
}

/*
 * Whether frames off the screen are on their way to the sink and there are no more pages than it needs to copy them
 * into, in turn: were those given away as well, behind them in some queue or to whoever keeps pages, the sink could
 * show none of them. With three pages one has to do, or no frame would ever be drawn into a page again.
 */
static gboolean
must_leave_page (GstBaFbdevAllocator * self)
{
  BaPoolStats pages, overflow;

  if (g_atomic_int_get (&self->overflows) == 0)
    return FALSE;
  ba_pool_get_stats (self->overflow, &overflow);
  if (overflow.n_held == 0)
    return FALSE;
  ba_pool_get_stats (self->pages, &pages);
  return pages.n_free <= (pages.n_buffers > 3 ? 2 : 1);
}

/* How long the elements before an idle sink are given to let go of a page. */
static gint64
get_patience_ns (GstBaFbdevAllocator * self)
{
  return PATIENCE_NS + 2 * (gint64) g_atomic_int_get (&self->gap_us) * 1000;
}

/* There was no page at the first look, or frames off the screen are on their way. */
static G_GNUC_NO_INLINE gint
acquire_slowly (GstBaFbdevAllocator * self, gint64 timeout_ns, const BaCancel * cancel, BaBuffer ** buffer)
{
  gint64 waited_ns = 0, idle_ns = 0, slice_ns = 0, look_ns = SLICE_NS;
  gboolean told = FALSE;

  for (;;) {
    gboolean leave_page = must_leave_page (self);
    gint r;

    if (leave_page && acquire_overflow (self, buffer) == 0)
      return 0;
    /* the slices are short, so this sees in time what has changed in the other pool, or that it is cancelled there */
    r = ba_pool_acquire (leave_page ? self->overflow : self->pages, slice_ns, cancel, buffer);
    if (r == 0 && leave_page)
      g_atomic_int_inc (&self->overflows);
    if (r != -EAGAIN && r != -ETIMEDOUT)
      return r;
    waited_ns += slice_ns;
    if (g_atomic_int_get (&self->showing)) {
      idle_ns = 0;
      look_ns = MIN (2 * look_ns, LONGEST_SLICE_NS);    /* a paused pipeline should let the CPU sleep */
    } else {
      idle_ns += MIN (slice_ns, SLICE_NS);      /* when it became idle within a longer slice is not known */
      look_ns = told ? MIN (2 * look_ns, LONGEST_SLICE_NS) : SLICE_NS;
    }
    if (!leave_page && idle_ns >= get_patience_ns (self) && acquire_overflow (self, buffer) == 0)
      return 0;
    /* no page, and no memory in its place: there is as much as may be, or none can be had */
    if (!told && timeout_ns < 0 && idle_ns >= get_patience_ns (self)) {
      told = TRUE;
      g_signal_emit_by_name (self, "starved");
    }
    slice_ns = timeout_ns < 0 ? look_ns : MIN (look_ns, timeout_ns - waited_ns);
    if (slice_ns <= 0)
      return timeout_ns == 0 ? -EAGAIN : -ETIMEDOUT;
  }
}

gint
gst_ba_fbdev_allocator_acquire (GstBaFbdevAllocator * self, gint64 timeout_ns, const BaCancel * cancel,
    BaBuffer ** buffer)
{
  if (G_UNLIKELY (!self->pages)) {
    *buffer = NULL;
    return -ENODEV;
  }
  if (G_LIKELY (g_atomic_int_get (&self->overflows) == 0)) {    /* as nearly always */
    gint r = ba_pool_acquire (self->pages, BA_NO_WAIT, cancel, buffer);

    if (r != -EAGAIN || timeout_ns == 0)
      return r;
  }
  return acquire_slowly (self, timeout_ns, cancel, buffer);
}

void
gst_ba_fbdev_allocator_set_showing (GstBaFbdevAllocator * self, gboolean showing)
{
  if (showing) {
    gint64 now_us = g_get_monotonic_time ();

    if (self->came_us)
      g_atomic_int_set (&self->gap_us, (gint) MIN (now_us - self->came_us, MAX_GAP_US));
    self->came_us = now_us;
  }
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
