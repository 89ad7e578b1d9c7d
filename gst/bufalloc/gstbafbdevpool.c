/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbafbdevpool.c: a view of a display's pages with the geometry of one set of caps.
 *
 * The pages themselves are in the allocator's core pool, which several views share; so nothing is claimed at start,
 * and a view's cancel flag flushes its own waiters only.
 */
#include "gstbafbdevpool.h"

#include <errno.h>
#include <unistd.h>

#include "gstbaallocator-private.h"
#include "gstbadmabufallocator-private.h"
#include "gstbafdmemory-private.h"
#include "gstbamemory-private.h"
#include "gstbapool-private.h"

struct _GstBaFbdevPool
{
  GstBaPool parent;
  GstBaFbdevAllocator *allocator;
  /* configuration */
  gboolean has_meta;
  GstAllocator *dmabufs;        /* where memory is to be that; else NULL */
  gboolean has_origin;          /* else the window is in the middle */
  gint origin_x;
  gint origin_y;
  GstVideoInfo page_info;       /* the whole page */
  GstVideoInfo info;            /* of the caps, with the page's stride */
  GstVideoRectangle window;
  gsize offset;                 /* of the window in the page */
  gsize size;                   /* from the window's first byte to its last */
  guint limit;                  /* buffers that may be out, where that is fewer than there are pages; else 0 */
  GMutex lock;
  GCond fewer;                  /* a buffer came back, or the pool flushes */
  guint n_out;                  /* lock; counted where there is a limit */
  /* by the page's index: what was drawn there last; set when a page goes out first, NULL where it is on no screen */
  const GstVideoRectangle *drawn[BA_DISPLAY_MAX_PAGES];
};

G_DEFINE_TYPE (GstBaFbdevPool, gst_ba_fbdev_pool, GST_TYPE_BA_POOL)

static const gchar **
gst_ba_fbdev_pool_get_options (GstBufferPool * pool)
{
  /* no VIDEO_ALIGNMENT: there is no room for padding around what the screen shows */
  static const gchar *options[] = { GST_BUFFER_POOL_OPTION_VIDEO_META, NULL };
  static const gchar *kms_options[] = { GST_BUFFER_POOL_OPTION_VIDEO_META, GST_BA_POOL_OPTION_DMABUF, NULL };
  GstBaFbdevPool *self = GST_BA_FBDEV_POOL (pool);
  const gchar *kind = "";

  if (self->allocator)
    kind = ba_display_get_info (gst_ba_fbdev_allocator_get_display (self->allocator))->kind;
  return strcmp (kind, "kms") == 0 ? kms_options : options;
}

/* A file of the page, -1 where the driver gives none. */
static int
export_page (GstBaFbdevPool * self, guint number)
{
  int fd;
  gint r = ba_display_export_page (gst_ba_fbdev_allocator_get_display (self->allocator), number, &fd);

  if (r < 0)
    GST_INFO_OBJECT (self, "the driver gives away no pages: %s", ba_error_text (r));
  return fd;
}

/* Sees to it that memory is a dmabuf, or is not; FALSE where it cannot be. */
static gboolean
choose_memory (GstBaFbdevPool * self, GstStructure * config)
{
  gboolean wanted = gst_buffer_pool_config_has_option (config, GST_BA_POOL_OPTION_DMABUF);
  int fd = wanted ? export_page (self, 0) : -1;

  if (wanted && fd < 0)
    return FALSE;
  if (fd >= 0)
    close (fd);
  if (!wanted)
    gst_clear_object (&self->dmabufs);
  else if (!self->dmabufs)
    self->dmabufs = gst_ba_dmabuf_allocator_new_for_pages ();
  return TRUE;
}

/* A component of plane @i: its pixels are that far apart and so many. */
static gint
component_of (const GstVideoInfo * info, guint i)
{
  gint components[GST_VIDEO_MAX_COMPONENTS];

  gst_video_format_info_component (info->finfo, i, components);
  return components[0];
}

/* Where the window begins in plane @i of the page. */
static gsize
plane_start (GstBaFbdevPool * self, guint i)
{
  const GstVideoInfo *page = &self->page_info;
  gint c = component_of (page, i);

  return GST_VIDEO_INFO_PLANE_OFFSET (page, i)
      + (gsize) GST_VIDEO_INFO_PLANE_STRIDE (page, i) * (gsize) (self->window.y >> GST_VIDEO_FORMAT_INFO_H_SUB (page->finfo,
          c)) + (gsize) (self->window.x >> GST_VIDEO_FORMAT_INFO_W_SUB (page->finfo, c))
      * (gsize) GST_VIDEO_INFO_COMP_PSTRIDE (page, c);
}

/* From the window's first byte there to its last. */
static gsize
plane_size (GstBaFbdevPool * self, guint i)
{
  const GstVideoInfo *page = &self->page_info;
  gint c = component_of (page, i);
  gsize rows = GST_VIDEO_SUB_SCALE (GST_VIDEO_FORMAT_INFO_H_SUB (page->finfo, c), self->window.h);
  gsize columns = GST_VIDEO_SUB_SCALE (GST_VIDEO_FORMAT_INFO_W_SUB (page->finfo, c), self->window.w);

  return (gsize) GST_VIDEO_INFO_PLANE_STRIDE (page, i) * (rows - 1) + columns * (gsize) GST_VIDEO_INFO_COMP_PSTRIDE (page,
      c);
}

/* Whether whoever takes the caps' own strides and offsets for granted draws where the window is. */
static gboolean
lies_by_default (GstBaFbdevPool * self, const GstVideoInfo * plain)
{
  const GstVideoInfo *page = &self->page_info;

  for (guint i = 0; i < GST_VIDEO_INFO_N_PLANES (page); i++) {
    if (plain->stride[i] != GST_VIDEO_INFO_PLANE_STRIDE (page, i)
        || (i > 0 && plain->offset[i] != GST_VIDEO_INFO_PLANE_OFFSET (page, i)))
      return FALSE;
  }
  return TRUE;
}

/* Fills info, window, offset and size for @caps. */
static gboolean
lay_out (GstBaFbdevPool * self, GstCaps * caps, gsize align_mask)
{
  GstVideoInfo *page = &self->page_info;
  GstVideoInfo info;
  gint pixel_bytes = GST_VIDEO_INFO_COMP_PSTRIDE (page, 0);

  if (!caps || !gst_video_info_from_caps (&info, caps)
      || GST_VIDEO_INFO_FORMAT (&info) != GST_VIDEO_INFO_FORMAT (page)
      || GST_VIDEO_INFO_WIDTH (&info) > GST_VIDEO_INFO_WIDTH (page)
      || GST_VIDEO_INFO_HEIGHT (&info) > GST_VIDEO_INFO_HEIGHT (page)) {
    GST_INFO_OBJECT (self, "no page of the screen (%s, %dx%d) has these caps: %" GST_PTR_FORMAT,
        GST_VIDEO_INFO_NAME (page), GST_VIDEO_INFO_WIDTH (page), GST_VIDEO_INFO_HEIGHT (page), caps);
    return FALSE;
  }
  self->window.w = GST_VIDEO_INFO_WIDTH (&info);
  self->window.h = GST_VIDEO_INFO_HEIGHT (&info);
  self->window.x = GST_VIDEO_INFO_WIDTH (page) - self->window.w;
  self->window.y = GST_VIDEO_INFO_HEIGHT (page) - self->window.h;
  self->window.x = self->has_origin ? MIN (self->origin_x, self->window.x) : self->window.x / 2;
  self->window.y = self->has_origin ? MIN (self->origin_y, self->window.y) : self->window.y / 2;
  /* rows begin where the stride says; within a row, step left until the first pixel is aligned */
  while (self->window.x > 0 && (((gsize) self->window.x * pixel_bytes) & align_mask))
    self->window.x--;
  /* pixels that share their colours stay together */
  if (GST_VIDEO_INFO_N_COMPONENTS (page) > 1) {
    self->window.x &= ~((1 << GST_VIDEO_FORMAT_INFO_W_SUB (page->finfo, 1)) - 1);
    self->window.y &= ~((1 << GST_VIDEO_FORMAT_INFO_H_SUB (page->finfo, 1)) - 1);
  }
  self->offset = plane_start (self, 0);
  self->size = 0;
  for (guint i = 0; i < GST_VIDEO_INFO_N_PLANES (page); i++) {
    info.stride[i] = GST_VIDEO_INFO_PLANE_STRIDE (page, i);
    info.offset[i] = plane_start (self, i) - self->offset;
    self->size = MAX (self->size, info.offset[i] + plane_size (self, i));
  }
  if (self->size < info.size && info.size <= page->size - self->offset)
    self->size = info.size;     /* the format's default size rounds its last row up; keep it where the page has room */
  info.size = self->size;
  self->info = info;
  return TRUE;
}

/* A configuration that is handed back as it came would be taken for one that will do the second time. */
static gboolean
refuse_config (GstStructure * config, GstCaps * caps)
{
  gst_buffer_pool_config_set_params (config, caps, 0, 0, 0);
  return FALSE;
}

static gboolean
gst_ba_fbdev_pool_set_config (GstBufferPool * pool, GstStructure * config)
{
  GstBaFbdevPool *self = GST_BA_FBDEV_POOL (pool);
  guint n_pages;
  GstCaps *caps;
  guint size, min, max, fit_max, fit_min;
  GstAllocationParams params;
  GstVideoInfo plain;
  gboolean has_meta, changed;

  if (!self->allocator) {
    GST_WARNING_OBJECT (self, "a pool of pages is made with gst_ba_fbdev_pool_new(): this one has no screen");
    return FALSE;
  }
  n_pages = ba_display_get_info (gst_ba_fbdev_allocator_get_display (self->allocator))->n_pages;
  if (!gst_buffer_pool_config_get_params (config, &caps, &size, &min, &max)
      || !gst_buffer_pool_config_get_allocator (config, NULL, &params)) {
    GST_WARNING_OBJECT (self, "the configuration has no parameters");
    return FALSE;
  }
  has_meta = gst_buffer_pool_config_has_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  if (!has_meta && caps && gst_video_info_from_caps (&plain, caps)
      && GST_VIDEO_INFO_FORMAT (&plain) == GST_VIDEO_INFO_FORMAT (&self->page_info)
      && !lies_by_default (self, &plain)) {
    /* whoever did not ask for the meta would shear the picture, and nobody looks at options a second time */
    GST_INFO_OBJECT (self, "rows of the page are %d bytes apart, not %d: whoever draws must read GstVideoMeta",
        GST_VIDEO_INFO_PLANE_STRIDE (&self->page_info, 0), plain.stride[0]);
    return refuse_config (config, caps);
  }
  if (!lay_out (self, caps, params.align) || !choose_memory (self, config))
    return refuse_config (config, caps);
  self->has_meta = has_meta;

  fit_max = max == 0 ? n_pages : MIN (max, n_pages);
  fit_min = MIN (min, fit_max);
  changed = fit_max != max || fit_min != min || size != self->size;
  /* what is around the window is on the screen: there is no room that could be kept free, or filled with zeros */
  changed = changed || params.prefix || params.padding || params.flags;
  params = (GstAllocationParams) {.align = params.align};
  gst_buffer_pool_config_set_params (config, caps, self->size, fit_min, fit_max);
  gst_buffer_pool_config_set_allocator (config, GST_ALLOCATOR (self->allocator), &params);
  self->limit = fit_max < n_pages ? fit_max : 0;
  return GST_BUFFER_POOL_CLASS (gst_ba_fbdev_pool_parent_class)->set_config (pool, config) && !changed;
}

static gboolean
gst_ba_fbdev_pool_start (GstBufferPool * pool)
{
  if (!GST_BA_FBDEV_POOL (pool)->allocator)
    return FALSE;
  gst_ba_pool_set_slots (GST_BA_POOL (pool), BA_DISPLAY_MAX_PAGES);
  return TRUE;
}

/* ---- a limit below the number of pages ---------------------------------------------------------------------------- */

/* Counts one more buffer of this view, waiting where there are as many as may be. */
static gint
count_out (GstBaFbdevPool * self, gint64 timeout_ns, const BaCancel * cancel)
{
  gint64 end_us = g_get_monotonic_time () + timeout_ns / 1000;
  gint r = 0;

  g_mutex_lock (&self->lock);
  while (r == 0 && self->n_out >= self->limit) {
    if (atomic_load (cancel))
      r = -ECANCELED;
    else if (timeout_ns == 0)
      r = -EAGAIN;
    else if (timeout_ns < 0)
      g_cond_wait (&self->fewer, &self->lock);
    else if (!g_cond_wait_until (&self->fewer, &self->lock, end_us))
      r = self->n_out < self->limit ? 0 : -ETIMEDOUT;
  }
  if (r == 0)
    self->n_out++;
  g_mutex_unlock (&self->lock);
  return r;
}

static void
count_in (GstBaFbdevPool * self)
{
  g_mutex_lock (&self->lock);
  self->n_out--;
  g_cond_signal (&self->fewer);
  g_mutex_unlock (&self->lock);
}

static void
gst_ba_fbdev_pool_release (GstBufferPool * pool, GstBuffer * buffer)
{
  GstBaFbdevPool *self = (GstBaFbdevPool *) pool;

  /* no cast that looks types up: this is called for every frame */
  ((GstBufferPoolClass *) gst_ba_fbdev_pool_parent_class)->release_buffer (pool, buffer);
  if (G_UNLIKELY (self->limit))
    count_in (self);
}

static void
gst_ba_fbdev_pool_flush_start (GstBufferPool * pool)
{
  GstBaFbdevPool *self = GST_BA_FBDEV_POOL (pool);

  GST_BUFFER_POOL_CLASS (gst_ba_fbdev_pool_parent_class)->flush_start (pool);
  g_mutex_lock (&self->lock);
  g_cond_broadcast (&self->fewer);
  g_mutex_unlock (&self->lock);
}

static G_GNUC_NO_INLINE gint
obtain_limited (GstBaFbdevPool * self, gint64 timeout_ns, const BaCancel * cancel, BaBuffer ** page)
{
  gint64 begin_us = g_get_monotonic_time ();
  gint r;

  *page = NULL;
  r = count_out (self, timeout_ns, cancel);
  if (timeout_ns > 0)           /* what is left of it */
    timeout_ns = MAX (timeout_ns - (g_get_monotonic_time () - begin_us) * 1000, 0);
  if (r == 0 && (r = gst_ba_fbdev_allocator_acquire (self->allocator, timeout_ns, cancel, page)) < 0)
    count_in (self);
  return r;
}

static gint
gst_ba_fbdev_pool_obtain (GstBaPool * pool, gint64 timeout_ns, const BaCancel * cancel, BaBuffer ** page)
{
  GstBaFbdevPool *self = (GstBaFbdevPool *) pool;

  if (G_LIKELY (!self->limit))
    return gst_ba_fbdev_allocator_acquire (self->allocator, timeout_ns, cancel, page);
  return obtain_limited (self, timeout_ns, cancel, page);
}

static void
gst_ba_fbdev_pool_revive (GstBaPool * pool, BaBuffer * page, guint index)
{
  GstBaFbdevPool *self = (GstBaFbdevPool *) pool;
  const GstVideoRectangle *drawn = self->drawn[index];

  /* as it was left, unless another view of the pages had it meanwhile */
  if (G_UNLIKELY (!drawn || memcmp (drawn, &self->window, sizeof *drawn) != 0))
    gst_ba_fbdev_allocator_prepare_page (self->allocator, page, &self->window);
}

static GstMemory *
wrap_memory (GstBaFbdevPool * self, BaBuffer * page)
{
  gint number = ba_display_get_page_number (gst_ba_fbdev_allocator_get_display (self->allocator), page);
  int fd = -1;

  if (!self->dmabufs || number < 0)
    return gst_ba_fbdev_allocator_wrap (self->allocator, page, self->offset, self->size);
  if (!gst_ba_fd_memory_rests_with (page) && (fd = export_page (self, number)) < 0) {
    ba_buffer_unref (page);
    return NULL;
  }
  return gst_ba_fd_memory_wrap (self->dmabufs, page, fd, self->offset, self->size);
}

static GstBuffer *
gst_ba_fbdev_pool_wrap (GstBaPool * pool, BaBuffer * page)
{
  GstBaFbdevPool *self = GST_BA_FBDEV_POOL (pool);
  GstMemory *memory;
  GstBuffer *buffer;
  guint index = ba_buffer_get_index (page);
  const GstVideoRectangle *drawn = gst_ba_fbdev_allocator_peek_drawn (self->allocator, page);

  /* the index of memory in place of a page is one of another pool, and what has no slot is never revived */
  if (index < G_N_ELEMENTS (self->drawn)
      && ba_buffer_get_pool (page) == gst_ba_fbdev_allocator_get_pages (self->allocator))
    self->drawn[index] = drawn;
  gst_ba_fbdev_allocator_prepare_page (self->allocator, page, &self->window);
  memory = wrap_memory (self, page);
  if (!memory) {
    if (self->limit)
      count_in (self);
    return NULL;
  }
  buffer = gst_buffer_new ();
  gst_buffer_append_memory (buffer, memory);
  if (self->has_meta) {
    GstVideoMeta *meta = gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE,
        GST_VIDEO_INFO_FORMAT (&self->info), self->window.w, self->window.h, GST_VIDEO_INFO_N_PLANES (&self->info),
        self->info.offset, self->info.stride);

    /* locked: an element that took it off would leave the next user of the buffer without strides */
    GST_META_FLAG_SET (meta, GST_META_FLAG_POOLED | GST_META_FLAG_LOCKED);
  }
  GST_BUFFER_FLAG_UNSET (buffer, GST_BUFFER_FLAG_TAG_MEMORY);
  return buffer;
}

static void
gst_ba_fbdev_pool_finalize (GObject * object)
{
  GstBaFbdevPool *self = GST_BA_FBDEV_POOL (object);
  GstBaFbdevAllocator *allocator = self->allocator;

  gst_clear_object (&self->dmabufs);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->fewer);
  G_OBJECT_CLASS (gst_ba_fbdev_pool_parent_class)->finalize (object);
  if (allocator)
    gst_object_unref (allocator);
}

static void
gst_ba_fbdev_pool_class_init (GstBaFbdevPoolClass * klass)
{
  GstBufferPoolClass *pool_class = GST_BUFFER_POOL_CLASS (klass);
  GstBaPoolClass *ba_class = GST_BA_POOL_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = gst_ba_fbdev_pool_finalize;
  pool_class->get_options = gst_ba_fbdev_pool_get_options;
  pool_class->set_config = gst_ba_fbdev_pool_set_config;
  pool_class->start = gst_ba_fbdev_pool_start;
  pool_class->release_buffer = gst_ba_fbdev_pool_release;
  pool_class->flush_start = gst_ba_fbdev_pool_flush_start;
  ba_class->obtain = gst_ba_fbdev_pool_obtain;
  ba_class->wrap = gst_ba_fbdev_pool_wrap;
  ba_class->revive = gst_ba_fbdev_pool_revive;
}

static void
gst_ba_fbdev_pool_init (GstBaFbdevPool * self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->fewer);
}

GstBufferPool *
gst_ba_fbdev_pool_new (GstBaFbdevAllocator * allocator)
{
  GstBaFbdevPool *self;
  GstVideoInfo page_info;

  g_return_val_if_fail (gst_ba_fbdev_allocator_get_display (allocator) != NULL, NULL);
  g_return_val_if_fail (gst_ba_fbdev_allocator_get_info (allocator, &page_info), NULL);
  self = g_object_ref_sink (g_object_new (GST_TYPE_BA_FBDEV_POOL, NULL));
  self->allocator = gst_object_ref (allocator);
  self->page_info = page_info;
  gst_ba_pool_set_core (GST_BA_POOL (self), gst_ba_fbdev_allocator_get_pages (allocator));
  return GST_BUFFER_POOL (self);
}

GstBaFbdevAllocator *
gst_ba_fbdev_pool_get_allocator (GstBaFbdevPool * self)
{
  return self->allocator;
}

void
gst_ba_fbdev_pool_set_origin (GstBaFbdevPool * self, gint x, gint y)
{
  g_return_if_fail (x >= 0 && y >= 0);

  self->has_origin = TRUE;
  self->origin_x = x;
  self->origin_y = y;
}

void
gst_ba_fbdev_pool_get_window (GstBaFbdevPool * self, GstVideoRectangle * window)
{
  *window = self->window;
}
