/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstfbdevzerosink-pools.c: the answer to an ALLOCATION query, and the pools that upstream got with it.
 *
 * A pool is a view of the pages and belongs to whoever asked; the sink only remembers it weakly, to wake its waiters.
 */
#include "gstfbdevzerosink-private.h"

#define GST_CAT_DEFAULT gst_fbdev_zero_sink_debug

/* On screen, waiting for its vsync, being drawn: with fewer pages upstream would wait for every flip. */
#define PAGES_TO_OFFER 3

/* What rows begin at a multiple of, for drivers that want more than their format does. */
#define DRIVERS_ALIGN_BYTES 64

/* ---- the pools upstream has ------------------------------------------------------------------------------------ */

static void
weak_ref_free (gpointer data)
{
  g_weak_ref_clear (data);
  g_free (data);
}

GPtrArray *
gst_fbdev_zero_sink_new_pool_list (void)
{
  return g_ptr_array_new_with_free_func (weak_ref_free);
}

static void
remember_pool (GstFbdevZeroSink * self, GstBufferPool * pool)
{
  GWeakRef *weak = g_new (GWeakRef, 1);

  g_weak_ref_init (weak, pool);
  GST_OBJECT_LOCK (self);
  for (guint i = self->pools->len; i > 0; i--) {
    GObject *alive = g_weak_ref_get (g_ptr_array_index (self->pools, i - 1));

    if (!alive)
      g_ptr_array_remove_index_fast (self->pools, i - 1);
    else
      g_object_unref (alive);
  }
  g_ptr_array_add (self->pools, weak);
  GST_OBJECT_UNLOCK (self);
}

/* The pools that are still alive; a reference each. */
static GPtrArray *
live_pools (GstFbdevZeroSink * self)
{
  GPtrArray *alive = g_ptr_array_new_with_free_func (gst_object_unref);

  GST_OBJECT_LOCK (self);
  for (guint i = 0; i < self->pools->len; i++) {
    gpointer pool = g_weak_ref_get (g_ptr_array_index (self->pools, i));

    if (pool)
      g_ptr_array_add (alive, pool);
  }
  GST_OBJECT_UNLOCK (self);
  return alive;
}

/*
 * Upstream may wait for a page inside acquire. It is woken where the sink itself stops or flushes, and nowhere else: a
 * pause also unlocks a sink, and a source that is told to flush then would stop for good.
 */
void
gst_fbdev_zero_sink_flush_pools (GstFbdevZeroSink * self, gboolean flushing)
{
  GPtrArray *pools = live_pools (self);

  for (guint i = 0; i < pools->len; i++) {
    GstBufferPool *pool = g_ptr_array_index (pools, i);

    if (gst_buffer_pool_is_active (pool))
      gst_buffer_pool_set_flushing (pool, flushing);
  }
  g_ptr_array_unref (pools);
}

gboolean
gst_fbdev_zero_sink_has_pools (GstFbdevZeroSink * self)
{
  gboolean found = FALSE;

  GST_OBJECT_LOCK (self);
  for (guint i = 0; i < self->pools->len && !found; i++) {
    gpointer pool = g_weak_ref_get (g_ptr_array_index (self->pools, i));

    if (pool) {
      found = TRUE;
      gst_object_unref (pool);
    }
  }
  GST_OBJECT_UNLOCK (self);
  return found;
}

/*
 * A frame that was drawn into a page and is copied to another one, as it is to be seen elsewhere, has its page until the
 * next frame comes, as the last sample. That page, the copy on screen and the next frame's own are three: where there are
 * no more, each frame would wait for a page in vain. The next frame is the last sample in a moment.
 */
void
gst_fbdev_zero_sink_give_back_last_sample (GstFbdevZeroSink * self, GstBuffer * buffer)
{
  GstBaseSink *sink = GST_BASE_SINK (self);
  GstSample *sample;
  GstBuffer *last;
  BaPoolStats stats;
  gboolean is_page;

  ba_pool_get_stats (gst_ba_fbdev_allocator_get_pages (self->allocator), &stats);
  if (self->repaints || stats.n_free > 0)
    return;
  sample = gst_base_sink_get_last_sample (sink);
  last = sample ? gst_sample_get_buffer (sample) : NULL;
  is_page = last && last != buffer && gst_buffer_n_memory (last) == 1
      && gst_ba_fbdev_allocator_owns (self->allocator, gst_buffer_peek_memory (last, 0));
  g_clear_pointer (&sample, gst_sample_unref);
  if (!is_page)
    return;
  gst_base_sink_set_last_sample_enabled (sink, FALSE);
  gst_base_sink_set_last_sample_enabled (sink, TRUE);
}

/* ---- the answer ----------------------------------------------------------------------------------------------- */

/* Below this a CPU that reads back what it draws is slower in a page than in ordinary memory and one copy. Copying one
 * frame takes about as long as reading it back at this rate twice. */
#define SLOW_READ_MBPS 1000

/* Why frames of @info may not be drawn into pages, shown where they lie; NULL where they may; and where they are shown. */
static const gchar *
why_not_pages (GstFbdevZeroSink * self, const GstVideoInfo * info, Placement * place)
{
  const BaDisplayInfo *display = ba_display_get_info (self->display);
  GstVideoRectangle src = { 0, 0, GST_VIDEO_INFO_WIDTH (info), GST_VIDEO_INFO_HEIGHT (info) };
  gint pixel_bytes = GST_VIDEO_INFO_COMP_PSTRIDE (&self->screen, 0);
  GstBaOfferPages offer;
  View view;
  gboolean seen;

  gst_fbdev_zero_sink_get_view (self, &view, NULL);
  seen = gst_fbdev_zero_sink_place_on_page (self, &view, &src, info, place);
  if (!seen)
    *place = (Placement) { };
  GST_OBJECT_LOCK (self);
  offer = self->offer_pages;
  GST_OBJECT_UNLOCK (self);
  if (offer == GST_BA_OFFER_PAGES_NEVER)
    return "offer-pages=never";
  if (!display->can_flip && offer != GST_BA_OFFER_PAGES_ALWAYS)
    return "the screen has one page only";
  if (offer == GST_BA_OFFER_PAGES_AUTO && display->n_pages < PAGES_TO_OFFER)
    return "the screen has two pages only, so whoever draws would wait for each flip (offer-pages=always)";
  if (GST_VIDEO_INFO_FORMAT (info) != self->page_format.format)
    return "the frames have another format than the screen";
  /* elements take it for granted that a pixel of 4 or 2 bytes can be read and written as a whole */
  if (GST_VIDEO_INFO_PLANE_STRIDE (&self->screen, 0) % (pixel_bytes % 2 ? 1 : pixel_bytes) != 0)
    return "the rows of the screen do not begin at whole pixels";
  if (!seen)
    return "the render rectangle lies outside the screen";
  if (place->direction != GST_VIDEO_ORIENTATION_IDENTITY)
    return "the picture is turned";
  if (!gst_fbdev_zero_sink_is_1to1 (place))
    return "the picture is scaled";
  if (place->src.w != src.w || place->src.h != src.h)
    return view.area.w > 0 ? "the picture is larger than the render rectangle" : "the picture is larger than the screen";
  return NULL;
}

/* The asker said that he only writes: then slow reading is no harm. */
static gboolean
is_write_only (GstQuery * query)
{
  gboolean write_only = FALSE;

  gst_structure_get_boolean (gst_query_get_structure (query), "bufalloc-write-only", &write_only);
  return write_only;
}

/* Configures @pool for @caps; TRUE where it accepted, perhaps after correcting us. */
static gboolean
configure_pool (GstBufferPool * pool, GstCaps * caps, guint size, guint min, guint max,
    const GstVideoAlignment * align)
{
  GstStructure *config = gst_buffer_pool_get_config (pool);

  gst_buffer_pool_config_set_params (config, caps, size, min, max);
  gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  if (align) {
    gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
    gst_buffer_pool_config_set_video_alignment (config, align);
  }
  if (gst_buffer_pool_set_config (pool, config))
    return TRUE;
  return gst_buffer_pool_set_config (pool, gst_buffer_pool_get_config (pool));
}

static void
add_pool (GstQuery * query, GstBufferPool * pool)
{
  GstStructure *config = gst_buffer_pool_get_config (pool);
  gboolean aligned = gst_buffer_pool_config_has_option (config, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
  guint size, min, max;

  gst_buffer_pool_config_get_params (config, NULL, &size, &min, &max);
  /* base classes begin with the configuration they find: whoever does not ask for strides himself must not seem to.
   * Where the pool refuses that, it says so again to him, and he takes memory of his own. */
  gst_structure_remove_field (config, "options");
  if (aligned)                  /* without GstVideoMeta it has no effect */
    gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
  gst_buffer_pool_set_config (pool, config);
  gst_query_add_allocation_pool (query, pool, size, min, max);
}

/* What the rows of a pool's frames are padded to: as far apart as those of a page, or good for most drivers. */
static void
choose_alignment (GstFbdevZeroSink * self, const GstVideoInfo * info, GstVideoAlignment * align)
{
  gint pixel_bytes = GST_VIDEO_INFO_COMP_PSTRIDE (info, 0);
  gint more = GST_VIDEO_INFO_PLANE_STRIDE (&self->screen, 0) - GST_VIDEO_INFO_PLANE_STRIDE (info, 0);

  gst_video_alignment_reset (align);
  if (GST_VIDEO_INFO_FORMAT (info) != self->page_format.format) {
    for (guint i = 0; i < GST_VIDEO_INFO_N_PLANES (info); i++)
      align->stride_align[i] = DRIVERS_ALIGN_BYTES - 1;
  } else if (more > 0 && more % pixel_bytes == 0) {
    align->padding_right = more / pixel_bytes;
  }
}

/* Memory that caches keep, for elements that read back what they draw: of a kind that is shown where it lies, where the
 * driver takes one; else ordinary memory. */
static GstBufferPool *
make_cached_pool (GstFbdevZeroSink * self, GstCaps * caps, const GstVideoInfo * info, const Placement * place)
{
  GstBufferPool *pool;
  GstAllocator *dmabufs = NULL;
  GstVideoInfo aligned = *info;
  GstVideoAlignment align;

  choose_alignment (self, info, &align);
  if (gst_fbdev_zero_sink_may_import (self, info, place) && gst_video_info_align (&aligned, &align))
    dmabufs = gst_fbdev_zero_sink_get_dmabufs (self, &aligned);
  pool = dmabufs ? gst_ba_normal_pool_new_with_allocator (dmabufs) : gst_ba_normal_pool_new ();
  if (!configure_pool (pool, caps, GST_VIDEO_INFO_SIZE (info), 0, 0, &align))
    gst_clear_object (&pool);
  return pool;
}

/* Pages, and ordinary memory of their stride; the better one for the asker first. */
static void
offer_pools (GstFbdevZeroSink * self, GstQuery * query, GstCaps * caps, const GstVideoInfo * info,
    const Placement * place, gboolean slow)
{
  guint n_pages = ba_display_get_info (self->display)->n_pages;
  guint min = MIN (PAGES_TO_OFFER, n_pages);
  GstBufferPool *pages = gst_ba_fbdev_pool_new (self->allocator), *cached;
  gboolean need_pool;

  gst_query_parse_allocation (query, NULL, &need_pool);
  gst_ba_fbdev_pool_set_origin (GST_BA_FBDEV_POOL (pages), place->dst.x, place->dst.y);
  if (!configure_pool (pages, caps, GST_VIDEO_INFO_SIZE (info), min, n_pages, NULL)) {
    gst_object_unref (pages);
    return;
  }
  if (need_pool) {
    cached = make_cached_pool (self, caps, info, place);
    if (cached && slow)
      add_pool (query, cached);
    add_pool (query, pages);
    remember_pool (self, pages);
    if (cached && !slow)
      add_pool (query, cached);
    gst_clear_object (&cached);
    if (n_pages == 1)           /* or it would keep the only page */
      gst_base_sink_set_last_sample_enabled (GST_BASE_SINK (self), FALSE);
  } else {                      /* who has a pool of his own still wants to know how many buffers we keep */
    gst_query_add_allocation_pool (query, NULL, GST_VIDEO_INFO_SIZE (info), min, 0);
  }
  gst_object_unref (pages);
}

/* Frames that are no pages, but shown as they lie: memory for them, of which we keep as much as we would keep pages. */
static void
offer_dmabufs (GstFbdevZeroSink * self, GstQuery * query, GstCaps * caps, const GstVideoInfo * info,
    GstBaOfferPages offer)
{
  GstVideoRectangle src = { 0, 0, GST_VIDEO_INFO_WIDTH (info), GST_VIDEO_INFO_HEIGHT (info) };
  GstBufferPool *pool = NULL;
  gboolean need_pool;
  Placement place;
  View view;

  gst_fbdev_zero_sink_get_view (self, &view, NULL);
  if (!gst_fbdev_zero_sink_place_on_page (self, &view, &src, info, &place)
      || !gst_fbdev_zero_sink_may_import (self, info, &place))
    return;
  gst_query_parse_allocation (query, NULL, &need_pool);
  if (need_pool && offer != GST_BA_OFFER_PAGES_NEVER)
    pool = make_cached_pool (self, caps, info, &place);
  if (pool && self->dmabufs)
    add_pool (query, pool);
  else
    gst_query_add_allocation_pool (query, NULL, GST_VIDEO_INFO_SIZE (info), PAGES_TO_OFFER, 0);
  gst_clear_object (&pool);
}

/* What lies over the frames is drawn here, best with the pixels of the screen. */
static void
offer_overlay (GstQuery * query, const Placement * place)
{
  GstStructure *params = NULL;
  gboolean swaps = gst_fbdev_zero_sink_swaps_sides (place->direction);

  if (place->dst.w > 0)         /* as the frame lies, which is turned after that */
    params = gst_structure_new ("GstVideoOverlayCompositionMeta",
        "width", G_TYPE_UINT, (guint) (swaps ? place->dst.h : place->dst.w),
        "height", G_TYPE_UINT, (guint) (swaps ? place->dst.w : place->dst.h), NULL);
  gst_query_add_allocation_meta (query, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, params);
  if (params)
    gst_structure_free (params);
}

gboolean
gst_fbdev_zero_sink_propose_allocation (GstBaseSink * sink, GstQuery * query)
{
  GstFbdevZeroSink *self = GST_FBDEV_ZERO_SINK (sink);
  Placement place = { };
  BaDisplaySpeed speed;
  GstCaps *caps;
  GstVideoInfo info;
  BaPoolStats stats;
  GstBaOfferPages offer;
  const gchar *why_not;
  guint64 modifier;

  gst_query_parse_allocation (query, &caps, NULL);
  if (!caps || !gst_fbdev_zero_sink_parse_caps (caps, &info, &modifier)) {
    GST_WARNING_OBJECT (self, "an ALLOCATION query without caps of a video: %" GST_PTR_FORMAT, caps);
    return FALSE;
  }
  if (!self->display)
    return FALSE;

  gst_fbdev_zero_sink_get_speed (self, &speed);
  why_not = why_not_pages (self, &info, &place);
  if (gst_fbdev_zero_sink_is_dma_caps (caps))
    why_not = "the frames come in dmabufs of their own";
  GST_OBJECT_LOCK (self);
  self->not_offered = why_not;
  self->was_asked = TRUE;
  self->offered_view = self->view_number;
  self->last_why = WHY_UNKNOWN;
  offer = self->offer_pages;
  GST_OBJECT_UNLOCK (self);
  if (!why_not)
    offer_pools (self, query, caps, &info, &place, offer == GST_BA_OFFER_PAGES_AUTO && speed.read_mbps > 0
        && speed.read_mbps < SLOW_READ_MBPS && !is_write_only (query));
  else if (gst_fbdev_zero_sink_is_dma_caps (caps))
    gst_query_add_allocation_pool (query, NULL, GST_VIDEO_INFO_SIZE (&info), PAGES_TO_OFFER, 0);
  else
    offer_dmabufs (self, query, caps, &info, offer);
  ba_pool_get_stats (gst_ba_fbdev_allocator_get_pages (self->allocator), &stats);
  GstStructure *params = gst_structure_new ("bufalloc-pages",
      "pages", G_TYPE_UINT, ba_display_get_info (self->display)->n_pages, "free", G_TYPE_UINT, stats.n_free,
      "read-mbps", G_TYPE_DOUBLE, speed.read_mbps, "write-mbps", G_TYPE_DOUBLE, speed.write_mbps, NULL);
  gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, params);
  gst_structure_free (params);
  gst_query_add_allocation_meta (query, GST_VIDEO_CROP_META_API_TYPE, NULL);
  if (!self->native)            /* into those pages whoever has something to lay over draws it himself */
    offer_overlay (query, &place);
  return TRUE;
}
