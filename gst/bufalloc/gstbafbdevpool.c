/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbafbdevpool.c: a view of a display's pages with the geometry of one set of caps.
 *
 * The pages themselves are in the allocator's core pool, which several views share; so nothing is claimed at start,
 * and a view's cancel flag flushes its own waiters only.
 */
#include "gstbafbdevpool.h"

#include "gstbaallocator-private.h"
#include "gstbamemory-private.h"
#include "gstbapool-private.h"

struct _GstBaFbdevPool
{
  GstBaPool parent;
  GstBaFbdevAllocator *allocator;
  /* configuration */
  gboolean has_meta;
  GstVideoInfo page_info;       /* the whole page */
  GstVideoInfo info;            /* of the caps, with the page's stride */
  GstVideoRectangle window;
  gsize offset;                 /* of the window in the page */
  gsize size;                   /* from the window's first byte to its last */
  /* by the page's index: what was drawn there last; set when a page goes out first */
  const GstVideoRectangle *drawn[BA_DISPLAY_MAX_PAGES];
};

G_DEFINE_TYPE (GstBaFbdevPool, gst_ba_fbdev_pool, GST_TYPE_BA_POOL)

static const gchar **
gst_ba_fbdev_pool_get_options (GstBufferPool * pool)
{
  /* no VIDEO_ALIGNMENT: there is no room for padding around what the screen shows */
  static const gchar *options[] = { GST_BUFFER_POOL_OPTION_VIDEO_META, NULL };

  return options;
}

/* Fills info, window, offset and size for @caps. */
static gboolean
lay_out (GstBaFbdevPool * self, GstCaps * caps, gsize align_mask)
{
  GstVideoInfo *page = &self->page_info;
  GstVideoInfo info;
  gint pixel_bytes = GST_VIDEO_INFO_COMP_PSTRIDE (page, 0);
  gint stride = GST_VIDEO_INFO_PLANE_STRIDE (page, 0);

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
  self->window.x = (GST_VIDEO_INFO_WIDTH (page) - self->window.w) / 2;
  self->window.y = (GST_VIDEO_INFO_HEIGHT (page) - self->window.h) / 2;
  /* rows begin where the stride says; within a row, step left until the first pixel is aligned */
  while (self->window.x > 0 && (((gsize) self->window.x * pixel_bytes) & align_mask))
    self->window.x--;
  self->offset = (gsize) stride *self->window.y + (gsize) self->window.x * pixel_bytes;
  self->size = (gsize) stride *(self->window.h - 1) + (gsize) self->window.w * pixel_bytes;
  if (self->size < info.size && info.size <= page->size - self->offset)
    self->size = info.size;     /* the format's default size rounds its last row up; keep it where the page has room */
  info.stride[0] = stride;
  info.offset[0] = 0;
  info.size = self->size;
  self->info = info;
  return TRUE;
}

static gboolean
gst_ba_fbdev_pool_set_config (GstBufferPool * pool, GstStructure * config)
{
  GstBaFbdevPool *self = GST_BA_FBDEV_POOL (pool);
  guint n_pages = ba_display_get_info (gst_ba_fbdev_allocator_get_display (self->allocator))->n_pages;
  GstCaps *caps;
  guint size, min, max, fit_max, fit_min;
  GstAllocationParams params;
  GstVideoInfo plain;
  gboolean changed;

  if (!gst_buffer_pool_config_get_params (config, &caps, &size, &min, &max)
      || !gst_buffer_pool_config_get_allocator (config, NULL, &params)) {
    GST_WARNING_OBJECT (self, "the configuration has no parameters");
    return FALSE;
  }
  if (!lay_out (self, caps, params.align))
    return FALSE;
  self->has_meta = gst_buffer_pool_config_has_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  gst_video_info_from_caps (&plain, caps);
  if (!self->has_meta && plain.stride[0] != self->info.stride[0]) {
    /* whoever did not ask for the meta would shear the picture, and nobody looks at options a second time */
    GST_INFO_OBJECT (self, "rows of the page are %d bytes apart, not %d: whoever draws must read GstVideoMeta",
        self->info.stride[0], plain.stride[0]);
    return FALSE;
  }

  fit_max = max == 0 ? n_pages : MIN (max, n_pages);
  fit_min = MIN (min, fit_max);
  changed = fit_max != max || fit_min != min || size != self->size;
  gst_buffer_pool_config_set_params (config, caps, self->size, fit_min, fit_max);
  gst_buffer_pool_config_set_allocator (config, GST_ALLOCATOR (self->allocator), &params);
  return GST_BUFFER_POOL_CLASS (gst_ba_fbdev_pool_parent_class)->set_config (pool, config) && !changed;
}

static gboolean
gst_ba_fbdev_pool_start (GstBufferPool * pool)
{
  gst_ba_pool_set_slots (GST_BA_POOL (pool), BA_DISPLAY_MAX_PAGES);
  return TRUE;
}

static gint
gst_ba_fbdev_pool_obtain (GstBaPool * pool, gint64 timeout_ns, const BaCancel * cancel, BaBuffer ** page)
{
  GstBaFbdevPool *self = (GstBaFbdevPool *) pool;

  return gst_ba_fbdev_allocator_acquire (self->allocator, timeout_ns, cancel, page);
}

static void
gst_ba_fbdev_pool_revive (GstBaPool * pool, BaBuffer * page, GstBuffer * buffer)
{
  GstBaFbdevPool *self = (GstBaFbdevPool *) pool;
  const GstVideoRectangle *drawn = self->drawn[ba_buffer_get_index (page)];

  /* as it was left, unless another view of the pages had it meanwhile */
  if (drawn->x != self->window.x || drawn->y != self->window.y || drawn->w != self->window.w
      || drawn->h != self->window.h)
    gst_ba_fbdev_allocator_prepare_page (self->allocator, page, &self->window);
}

static GstBuffer *
gst_ba_fbdev_pool_wrap (GstBaPool * pool, BaBuffer * page)
{
  GstBaFbdevPool *self = GST_BA_FBDEV_POOL (pool);
  GstBuffer *buffer = gst_buffer_new ();
  const GstVideoRectangle *drawn = gst_ba_fbdev_allocator_peek_drawn (self->allocator, page);

  if (drawn)                    /* and not memory in place of a page */
    self->drawn[ba_buffer_get_index (page)] = drawn;
  gst_ba_fbdev_allocator_prepare_page (self->allocator, page, &self->window);
  gst_buffer_append_memory (buffer, gst_ba_fbdev_allocator_wrap (self->allocator, page, self->offset, self->size));
  if (self->has_meta) {
    GstVideoMeta *meta = gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE,
        GST_VIDEO_INFO_FORMAT (&self->info), self->window.w, self->window.h, 1, self->info.offset, self->info.stride);

    GST_META_FLAG_SET (meta, GST_META_FLAG_POOLED);
  }
  GST_BUFFER_FLAG_UNSET (buffer, GST_BUFFER_FLAG_TAG_MEMORY);
  return buffer;
}

static void
gst_ba_fbdev_pool_finalize (GObject * object)
{
  GstBaFbdevPool *self = GST_BA_FBDEV_POOL (object);
  GstBaFbdevAllocator *allocator = self->allocator;

  G_OBJECT_CLASS (gst_ba_fbdev_pool_parent_class)->finalize (object);
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
  ba_class->obtain = gst_ba_fbdev_pool_obtain;
  ba_class->wrap = gst_ba_fbdev_pool_wrap;
  ba_class->revive = gst_ba_fbdev_pool_revive;
}

static void
gst_ba_fbdev_pool_init (GstBaFbdevPool * self)
{
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
gst_ba_fbdev_pool_get_window (GstBaFbdevPool * self, GstVideoRectangle * window)
{
  *window = self->window;
}
