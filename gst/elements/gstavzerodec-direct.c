/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstavzerodec-direct.c: decoding straight into the pages of the screen, or into dmabufs that caches keep and that the
 * screen shows where they lie.
 *
 * libavcodec holds the core buffer, not the GstBuffer that came with it: so the GstBuffer can go to the sink and home
 * with its memory attached, and the page is free when both are done. Of a dmabuf it holds the GstMemory too, which is
 * one file for all who show it. Where anything is in doubt a single frame goes into libavcodec's own memory and is
 * wrapped.
 */
#include "gstavzerodec-private.h"

#include <string.h>

#include <gst/allocators/gstdmabuf.h>
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>

/* How long to wait for a page. Nobody can flush the codec meanwhile, so not for ever; long enough for a sink that shows
 * 10 frames a second to give one back. */
#define PAGE_TIMEOUT_NS (200 * GST_MSECOND)

/* Lines between one plane and the next, for decoders that go a few bytes over the end of what they asked for. */
#define GUARD_LINES 2

/* One page that is with libavcodec. @buffer goes to the first output of the picture. */
typedef struct _Loan
{
  struct _Loan *next;
  GstAvZeroPages *pages;
  guint8 *data;
  BaBuffer *page;
  GstBuffer *buffer;
  GstMemory *dmabuf; /* NULL: a page */
  guint access; /* that the dmabuf's driver was told of */
} Loan;

struct _GstAvZeroPages
{
  gint refs;
  GMutex lock;
  Loan *loans;
};

GstAvZeroPages *
gst_av_zero_pages_new (void)
{
  GstAvZeroPages *pages = g_new0 (GstAvZeroPages, 1);
  pages->refs = 1;
  g_mutex_init (&pages->lock);
  return pages;
}

void
gst_av_zero_pages_unref (GstAvZeroPages *pages)
{
  if (g_atomic_int_dec_and_test (&pages->refs)) {
    g_mutex_clear (&pages->lock);
    g_free (pages);
  }
}

/* What a device's driver must know: from now on the CPU reads and writes the dmabuf so, @access being of
 * BaDmabufAccess. The new bracket begins before the old one ends. */
static void
change_access (Loan *loan, guint access)
{
  if (!loan->dmabuf)
    return;
  gint fd = gst_dmabuf_memory_get_fd (loan->dmabuf);
  gint begun = access ? ba_dmabuf_begin_access (fd, access) : 0;
  gint ended = loan->access ? ba_dmabuf_end_access (fd, loan->access) : 0;
  if (begun < 0 || ended < 0)
    GST_DEBUG ("the driver of dmabuf %d was not told of what the codec does: %s", fd,
               ba_error_text (begun < 0 ? begun : ended));
  loan->access = begun < 0 ? 0 : access;
}

/* libavcodec has let go of the page: on any thread, perhaps after the element has gone. */
static void
end_loan (void *opaque, uint8_t *data)
{
  Loan *loan = opaque;
  GstAvZeroPages *pages = loan->pages;
  (void) data;
  g_mutex_lock (&pages->lock);
  for (Loan **at = &pages->loans; *at; at = &(*at)->next) {
    if (*at == loan) {
      *at = loan->next;
      break;
    }
  }
  g_mutex_unlock (&pages->lock);
  change_access (loan, 0);
  gst_clear_buffer (&loan->buffer); /* a picture that never came out */
  if (loan->dmabuf)
    gst_memory_unref (loan->dmabuf);
  ba_buffer_unref (loan->page);
  gst_av_zero_pages_unref (pages);
  g_free (loan);
}

/* Address and bytes to the end of the page's memory; 0 where it cannot be written. Pages stay mapped while they are
 * held, so the address is good after the unmap. A dmabuf is not mapped for that, as its driver would be told of it. */
static gsize
get_room (GstBuffer *buffer, guint8 **data)
{
  GstMemory *memory = gst_buffer_n_memory (buffer) == 1 ? gst_buffer_peek_memory (buffer, 0) : NULL;
  BaBuffer *page = gst_ba_memory_get_buffer (memory);
  GstMapInfo map;
  if (page && gst_is_dmabuf_memory (memory)) {
    gsize start = gst_ba_memory_get_start (memory);
    *data = (guint8 *) ba_buffer_get_data (page) + start;
    return ba_buffer_is_shared (page) ? 0 : ba_buffer_get_size (page) - start;
  }
  if (!page || !gst_memory_map (memory, &map, GST_MAP_WRITE))
    return 0;
  *data = map.data;
  gsize room = map.maxsize;
  gst_memory_unmap (memory, &map);
  return room;
}

static AVBufferRef *
lend_page (GstAvZeroDec *self, GstBuffer *buffer, guint8 *data, gsize size_bytes)
{
  Loan *loan = g_new0 (Loan, 1);
  AVBufferRef *ref = av_buffer_create (data, size_bytes, end_loan, loan, 0);
  if (!ref) {
    g_free (loan);
    return NULL;
  }
  loan->pages = self->pages;
  g_atomic_int_inc (&self->pages->refs);
  loan->data = data;
  loan->page = ba_buffer_ref (gst_ba_memory_get_buffer (gst_buffer_peek_memory (buffer, 0)));
  loan->buffer = gst_buffer_ref (buffer);
  if (gst_is_dmabuf_memory (gst_buffer_peek_memory (buffer, 0)))
    loan->dmabuf = gst_memory_ref (gst_buffer_peek_memory (buffer, 0));
  change_access (loan, BA_DMABUF_READ | BA_DMABUF_WRITE);
  g_mutex_lock (&self->pages->lock);
  loan->next = self->pages->loans;
  self->pages->loans = loan;
  g_mutex_unlock (&self->pages->lock);
  return ref;
}

/* From the first byte of a picture to the last one of its planes, of which each has @height lines of @width. */
static gsize
bytes_of (gint format, guint n_planes, const gsize *offsets, const gint *strides, gint width, gint height)
{
  const AVPixFmtDescriptor *pixels = av_pix_fmt_desc_get (format);
  gsize end = 0;
  for (guint i = 0; i < n_planes; i++) {
    gint lines = i == 0 ? height : AV_CEIL_RSHIFT (height, pixels->log2_chroma_h);
    end = MAX (end, offsets[i] + (gsize) strides[i] * (gsize) (lines - 1)
                        + (gsize) av_image_get_linesize (format, width, (gint) i));
  }
  return end;
}

/* Whether no plane of @height lines of @width reaches into the next one: the coded size may have grown since the pool
 * was configured, while what is seen of it is the same. */
static gboolean
planes_fit (gint format, const GstVideoMeta *meta, gint width, gint height)
{
  const AVPixFmtDescriptor *pixels = av_pix_fmt_desc_get (format);
  for (guint i = 0; i + 1 < meta->n_planes; i++) {
    gint lines = i == 0 ? height : AV_CEIL_RSHIFT (height, pixels->log2_chroma_h);
    gint row = av_image_get_linesize (format, width, (gint) i);
    if (row > meta->stride[i]
        || meta->offset[i] + (gsize) meta->stride[i] * (gsize) (lines - 1) + (gsize) row > meta->offset[i + 1])
      return FALSE;
  }
  return TRUE;
}

/* How far apart the rows of libavcodec's own memory are. */
static void
get_own_strides (gint format, gint width, gint align, gint strides[GST_VIDEO_MAX_PLANES])
{
  gboolean aligned = FALSE;
  while (!aligned && av_image_fill_linesizes (strides, format, width) >= 0) {
    aligned = TRUE;
    for (guint i = 0; i < GST_VIDEO_MAX_PLANES; i++)
      aligned = aligned && strides[i] % align == 0;
    width += width & -width; /* all planes grow together */
  }
}

/* What was decided of the stream's pictures, of one whose size may be another. */
static gboolean
has_own_strides (const GstAvZeroDec *self, gint format, const GstVideoMeta *meta, gint width, gint align)
{
  gint strides[GST_VIDEO_MAX_PLANES] = { 0 };
  if (!(self->codec->flags & GST_AV_ZERO_READS_BACK))
    return TRUE;
  get_own_strides (format, width, align, strides);
  for (guint i = 0; i < meta->n_planes; i++) {
    if (strides[i] != meta->stride[i])
      return FALSE;
  }
  return TRUE;
}

/* Fills @frame's buffer from a page; FALSE: this one frame goes into other memory. */
static gboolean
get_page (GstAvZeroDec *self, AVCodecContext *context, AVFrame *frame)
{
  GstBuffer *buffer = NULL;
  guint8 *data = NULL;
  int linesize_align[AV_NUM_DATA_POINTERS];
  int width = frame->width, height = frame->height;
  avcodec_align_dimensions2 (context, &width, &height, linesize_align);

  GstFlowReturn flow = gst_ba_pool_acquire_timed (GST_BA_POOL (self->page_pool), PAGE_TIMEOUT_NS, &buffer);
  if (flow != GST_FLOW_OK) {
    gst_av_zero_dec_set_reason (self, flow == GST_FLOW_EOS ? "no page of the screen came free in 200 ms"
                                                           : "the pool of pages gave none");
    return FALSE;
  }
  gsize room = get_room (buffer, &data);
  const GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
  gsize wanted = meta ? bytes_of (frame->format, meta->n_planes, meta->offset, meta->stride, width, height) : G_MAXSIZE;
  gint align = MAX (linesize_align[0], 1);
  if (room < wanted || !planes_fit (frame->format, meta, width, height) || (guintptr) data % (guintptr) align != 0
      || !has_own_strides (self, frame->format, meta, width, align)) {
    gst_av_zero_dec_set_reason (self, "a page is too small, not aligned or laid out otherwise than the codec wants");
    gst_buffer_unref (buffer);
    return FALSE;
  }
  frame->buf[0] = lend_page (self, buffer, data, room);
  gst_buffer_unref (buffer); /* the loan has it, and so its meta */
  if (!frame->buf[0])
    return FALSE;
  for (guint i = 0; i < meta->n_planes; i++) {
    frame->data[i] = data + meta->offset[i];
    frame->linesize[i] = meta->stride[i];
  }
  frame->extended_data = frame->data;
  return TRUE;
}

/* Whether pictures may wait inside while the codec begins another one. Those with references may hold some back
 * although they did not say so yet. */
static gboolean
may_delay (const GstAvZeroDec *self, const AVCodecContext *context, const GstVideoFormatInfo *finfo)
{
  return context->has_b_frames > 0
         || (!GST_VIDEO_FORMAT_INFO_IS_RGB (finfo) && (self->codec->flags & GST_AV_ZERO_READS_BACK));
}

/*
 * The caps are negotiated here, before the first picture is decoded, or that one could not be direct. Only on the
 * streaming thread. Later on new caps wait for the first picture that has them, where earlier ones may wait inside with
 * other caps: until then pictures go into memory of libavcodec.
 */
static gboolean
negotiate_early (GstAvZeroDec *self, AVCodecContext *context, const AVFrame *frame)
{
  GstVideoFormat format = gst_ba_format_from_av (frame->format);
  const GstVideoFormatInfo *finfo = gst_video_format_get_info (format);
  if (!self->may_be_direct || (context->active_thread_type & FF_THREAD_FRAME)
      || self->decode_thread != g_thread_self ())
    return FALSE;
  if (!finfo || format == GST_VIDEO_FORMAT_UNKNOWN
      || (GST_VIDEO_FORMAT_INFO_IS_RGB (finfo) && GST_VIDEO_FORMAT_INFO_N_PLANES (finfo) != 1))
    return FALSE;
  GST_VIDEO_DECODER_STREAM_LOCK (self);
  const GstVideoInfo *now = &self->picture.info;
  gboolean early = self->early || !self->negotiated;
  gboolean ok = self->negotiated && may_delay (self, context, finfo)
                    ? GST_VIDEO_INFO_FORMAT (now) == format && GST_VIDEO_INFO_WIDTH (now) == context->width
                          && GST_VIDEO_INFO_HEIGHT (now) == context->height
                    : gst_av_zero_dec_update_caps (self, frame, context->width, context->height);
  self->early = early;
  GST_VIDEO_DECODER_STREAM_UNLOCK (self);
  return ok && self->page_pool != NULL;
}

int
gst_av_zero_dec_get_buffer2 (AVCodecContext *context, AVFrame *frame, int flags)
{
  GstAvZeroDec *self = context->opaque;
  gboolean in_page = (context->codec->capabilities & AV_CODEC_CAP_DR1) && negotiate_early (self, context, frame)
                     && get_page (self, context, frame);
  int r = in_page ? 0 : avcodec_default_get_buffer2 (context, frame, flags);
  if (r == 0)
    r = gst_av_zero_pending_begin (self->pending, frame);
  /* Tests read this line: it is the only witness of where libavcodec writes that comes before the frame itself. */
  if (r == 0)
    GST_LOG_OBJECT (self, "get_buffer2: planes at %p %p %p %p, in a page: %d", (void *) frame->data[0],
                    (void *) frame->data[1], (void *) frame->data[2], (void *) frame->data[3], in_page);
  return r;
}

/* Everything that the decision needs of the codec and its picture. */
static void
ask (GstAvZeroDec *self, GstAvZeroDirectQuestion *q)
{
  AVCodecContext *context = self->context;
  memset (q, 0, sizeof *q);
  GST_OBJECT_LOCK (self);
  q->mode = self->direct_rendering;
  GST_OBJECT_UNLOCK (self);
  q->has_dr1 = (context->codec->capabilities & AV_CODEC_CAP_DR1) != 0;
  q->frame_threads = (context->active_thread_type & FF_THREAD_FRAME) != 0;
  q->flags = self->codec->flags;
  q->frames_held = MAX (self->codec->frames_held, (guint) MAX (context->has_b_frames, 0) + 1);
  q->format = GST_VIDEO_INFO_FORMAT (&self->picture.info);
  q->width_px = GST_VIDEO_INFO_WIDTH (&self->picture.info);
  q->height_px = GST_VIDEO_INFO_HEIGHT (&self->picture.info);

  /* The alignment is that of the context's format, which may not be set yet. */
  int linesize_align[AV_NUM_DATA_POINTERS] = { 1 };
  if (context->pix_fmt == AV_PIX_FMT_NONE)
    context->pix_fmt = gst_ba_format_to_av (q->format);
  q->aligned_width_px = MAX (q->width_px, AV_CEIL_RSHIFT (context->coded_width, context->lowres));
  q->aligned_height_px = MAX (q->height_px, AV_CEIL_RSHIFT (context->coded_height, context->lowres));
  avcodec_align_dimensions2 (context, &q->aligned_width_px, &q->aligned_height_px, linesize_align);
  q->stride_align_bytes = MAX (linesize_align[0], 1);
  get_own_strides (context->pix_fmt, q->aligned_width_px, q->stride_align_bytes, q->own_stride_bytes);
}

/* The layout of a page. */
static void
set_page (GstAvZeroDirectQuestion *q, const GstVideoInfo *page)
{
  q->page_format = GST_VIDEO_INFO_FORMAT (page);
  q->page_width_px = GST_VIDEO_INFO_WIDTH (page);
  q->page_height_px = GST_VIDEO_INFO_HEIGHT (page);
  q->page_stride_bytes = GST_VIDEO_INFO_PLANE_STRIDE (page, 0);
  for (guint i = 0; i < GST_VIDEO_INFO_N_PLANES (page); i++) {
    q->plane_stride_bytes[i] = GST_VIDEO_INFO_PLANE_STRIDE (page, i);
    q->plane_offset_bytes[i] = GST_VIDEO_INFO_PLANE_OFFSET (page, i);
  }
  q->page_bytes = GST_VIDEO_INFO_SIZE (page);
}

/* A pool that the question of downstream was answered with. */
typedef struct
{
  GstBufferPool *pool;
  guint size_bytes, min, max;
} Offer;

/* set_config is a negotiation: the pool changes what it must and says no; the second time it has to say yes. */
static gboolean
configure (const Offer *offer, GstCaps *caps, guint align_mask, const GstVideoAlignment *align)
{
  GstStructure *config = gst_buffer_pool_get_config (offer->pool);
  GstAllocationParams params = { .align = align_mask };
  gst_buffer_pool_config_set_params (config, caps, offer->size_bytes, offer->min, offer->max);
  gst_buffer_pool_config_set_allocator (config, NULL, &params);
  gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  if (align) {
    gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
    gst_buffer_pool_config_set_video_alignment (config, align);
  }
  if (gst_buffer_pool_set_config (offer->pool, config))
    return TRUE;
  return gst_buffer_pool_set_config (offer->pool, gst_buffer_pool_get_config (offer->pool));
}

static const GstStructure *
find_pages_structure (GstQuery *query)
{
  const GstStructure *params = NULL;
  guint index;
  if (!gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, &index))
    return NULL;
  gst_query_parse_nth_allocation_meta (query, index, &params);
  return params && gst_structure_has_name (params, "bufalloc-pages") ? params : NULL;
}

/* Memory that caches keep and the screen shows where it lies. */
static gboolean
is_of_dmabufs (GstBufferPool *pool)
{
  GstAllocator *allocator = NULL;
  GstStructure *config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_get_allocator (config, &allocator, NULL);
  gboolean is_dmabufs = GST_IS_BA_NORMAL_POOL (pool) && GST_IS_BA_DMABUF_ALLOCATOR (allocator);
  gst_structure_free (config);
  return is_dmabufs;
}

/* Pages that read slowly are not the first pool: that is for those who read back, and who does is decided here. */
static gboolean
find_pool (GstQuery *query, gboolean cached, Offer *offer)
{
  for (guint i = 0; i < gst_query_get_n_allocation_pools (query); i++) {
    gst_query_parse_nth_allocation_pool (query, i, &offer->pool, &offer->size_bytes, &offer->min, &offer->max);
    if (offer->pool && (cached ? is_of_dmabufs (offer->pool) : GST_IS_BA_FBDEV_POOL (offer->pool)))
      return TRUE;
    gst_clear_object (&offer->pool);
  }
  return FALSE;
}

static gboolean
try_pages (GstAvZeroDec *self, const Offer *offer, const GstStructure *pages, GstCaps *caps, gchar *reason)
{
  GstBaFbdevPool *pool = GST_BA_FBDEV_POOL (offer->pool);
  GstAvZeroDirectQuestion question;
  GstVideoInfo page;
  ask (self, &question);
  if (gst_ba_fbdev_allocator_get_info (gst_ba_fbdev_pool_get_allocator (pool), &page))
    set_page (&question, &page);
  /* How many are free now says nothing: those of our own earlier pictures are on their way home. */
  gst_structure_get_uint (pages, "pages", &question.n_pages);
  gst_structure_get_double (pages, "read-mbps", &question.read_mbps);
  if (!gst_av_zero_direct_check_codec (&question, reason))
    return FALSE;
  if (!configure (offer, caps, (guint) question.stride_align_bytes - 1, NULL))
    return gst_av_zero_refuse (reason, "the pool of pages does not take the stream's caps");
  gst_ba_fbdev_pool_get_window (pool, &question.window);
  return gst_av_zero_direct_decide (&question, reason);
}

/* Room for what the codec writes beside the picture, and no less than the pool had: its owner knows what the driver of
 * the screen wants. But a codec that reads its frames back must have rows as its own ones. */
static void
choose_alignment (const GstAvZeroDirectQuestion *q, GstBufferPool *pool, GstVideoAlignment *align)
{
  GstStructure *config = gst_buffer_pool_get_config (pool);
  gst_video_alignment_reset (align);
  if (!(q->flags & GST_AV_ZERO_READS_BACK))
    gst_buffer_pool_config_get_video_alignment (config, align);
  gst_structure_free (config);
  align->padding_right = MAX (align->padding_right, (guint) (q->aligned_width_px - q->width_px));
  align->padding_bottom = MAX (align->padding_bottom, (guint) (q->aligned_height_px - q->height_px)) + GUARD_LINES;
  for (guint i = 0; i < GST_VIDEO_MAX_PLANES; i++)
    align->stride_align[i] |= (guint) q->stride_align_bytes - 1;
}

/* Such a pool grows: nobody has to wait for a buffer. */
static gboolean
try_dmabufs (GstAvZeroDec *self, const Offer *offer, GstCaps *caps, gchar *reason)
{
  GstAvZeroDirectQuestion question;
  GstVideoAlignment align;
  GstVideoInfo info;
  ask (self, &question);
  question.is_cached = TRUE;
  question.n_pages = offer->max > 0 ? offer->max : G_MAXUINT;
  question.page_format = question.format;
  if (!gst_av_zero_direct_check_codec (&question, reason))
    return FALSE;
  choose_alignment (&question, offer->pool, &align);
  if (!gst_video_info_from_caps (&info, caps) || !gst_video_info_align (&info, &align)
      || !configure (offer, caps, (guint) question.stride_align_bytes - 1, &align))
    return gst_av_zero_refuse (reason, "the pool of dmabufs does not take the stream's caps");
  set_page (&question, &info);
  question.window.w = GST_VIDEO_INFO_WIDTH (&info);
  question.window.h = GST_VIDEO_INFO_HEIGHT (&info);
  return gst_av_zero_direct_decide (&question, reason);
}

gboolean
gst_av_zero_dec_take_pages (GstAvZeroDec *self, GstQuery *query, GstCaps *caps)
{
  gchar reason[GST_AV_ZERO_REASON_BYTES];
  const GstStructure *structure = find_pages_structure (query);
  Offer pages = { NULL }, dmabufs = { NULL };
  gst_av_zero_refuse (reason, "downstream offers no pages of a screen for %s of %dx%d",
                      gst_video_format_to_string (GST_VIDEO_INFO_FORMAT (&self->picture.info)),
                      GST_VIDEO_INFO_WIDTH (&self->picture.info), GST_VIDEO_INFO_HEIGHT (&self->picture.info));
  gst_av_zero_dec_drop_pages (self);
  const Offer *taken = NULL;
  if (structure && find_pool (query, FALSE, &pages) && try_pages (self, &pages, structure, caps, reason))
    taken = &pages;
  else if (structure && find_pool (query, TRUE, &dmabufs) && try_dmabufs (self, &dmabufs, caps, reason))
    taken = &dmabufs;
  gst_av_zero_dec_set_reason (self, taken ? NULL : reason);
  GST_INFO_OBJECT (self, "direct rendering: %s", !taken ? reason : taken == &pages ? "pages" : "dmabufs");
  if (taken) {
    guint size_bytes, min, max;
    GstStructure *config = gst_buffer_pool_get_config (taken->pool);
    gst_buffer_pool_config_get_params (config, NULL, &size_bytes, &min, &max);
    gst_structure_free (config);
    gst_query_set_nth_allocation_pool (query, 0, taken->pool, size_bytes, min, max);
    self->page_pool = gst_object_ref (taken->pool);
  }
  gst_clear_object (&pages.pool);
  gst_clear_object (&dmabufs.pool);
  return taken != NULL;
}

void
gst_av_zero_dec_drop_pages (GstAvZeroDec *self)
{
  gst_clear_object (&self->page_pool);
}

/* The codec gives the same picture out again, or a part of it: another GstBuffer with the same page. NULL: none. */
static GstBuffer *
repeat_page (GstAvZeroDec *self, const AVFrame *frame, const Loan *loan)
{
  gsize offsets[GST_VIDEO_MAX_PLANES] = { 0 };
  gint strides[GST_VIDEO_MAX_PLANES] = { 0 };
  guint n_planes = GST_VIDEO_INFO_N_PLANES (&self->picture.info);
  const guint8 *start = ba_buffer_get_data (loan->page);
  /* In a memory of a part of a page planes count from the first one, in a dmabuf from the file's first byte. */
  for (guint i = 0; i < n_planes; i++) {
    offsets[i] = (gsize) (frame->data[i] - (loan->dmabuf ? loan->data : frame->data[0]));
    strides[i] = frame->linesize[i];
  }
  GstBuffer *buffer = gst_buffer_new ();
  if (loan->dmabuf) {
    gst_buffer_append_memory (buffer, gst_memory_ref (loan->dmabuf));
  } else {
    GstBaFbdevAllocator *allocator = gst_ba_fbdev_pool_get_allocator (GST_BA_FBDEV_POOL (self->page_pool));
    gsize size_bytes = bytes_of (frame->format, n_planes, offsets, strides, frame->width, frame->height);
    gst_buffer_append_memory (buffer, gst_ba_fbdev_allocator_wrap (allocator, ba_buffer_ref (loan->page),
                                                                   (gsize) (loan->data - start), size_bytes));
  }
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT (&self->picture.info),
                                  (guint) frame->width, (guint) frame->height, n_planes, offsets, strides);
  return buffer;
}

/* The loan that @frame, which holds it, was decoded into; NULL: other memory. @first gets the buffer that came with it,
 * the first time. */
static Loan *
find_loan (GstAvZeroPages *pages, const AVFrame *frame, GstBuffer **first)
{
  g_mutex_lock (&pages->lock);
  Loan *loan = pages->loans;
  while (loan && loan->data != frame->buf[0]->data)
    loan = loan->next;
  if (loan)
    *first = g_steal_pointer (&loan->buffer);
  g_mutex_unlock (&pages->lock);
  return loan;
}

GstBuffer *
gst_av_zero_dec_find_page (GstAvZeroDec *self, const AVFrame *frame)
{
  GstBuffer *buffer = NULL;
  Loan *loan = self->may_be_direct && frame->buf[0] ? find_loan (self->pages, frame, &buffer) : NULL;
  if (!loan)
    return NULL;
  /* The picture is whole: from now on it is read at most, to predict others. */
  if (loan->access & BA_DMABUF_WRITE)
    change_access (loan, self->codec->flags & GST_AV_ZERO_READS_BACK ? BA_DMABUF_READ : 0);
  const GstVideoMeta *meta = buffer ? gst_buffer_get_video_meta (buffer) : NULL;
  /* The page's own buffer says that the picture begins where the page does, and how large it was to be. */
  if (meta && loan->data == frame->data[0] && (gint) meta->width == frame->width
      && (gint) meta->height == frame->height)
    return buffer;
  gst_clear_buffer (&buffer);
  /* Whoever crops himself is told so by what wraps the frame. */
  if (frame->crop_left || frame->crop_top)
    return NULL;
  if (!loan->dmabuf && (loan->data != frame->data[0] || !self->page_pool || !GST_IS_BA_FBDEV_POOL (self->page_pool)))
    return NULL;
  return repeat_page (self, frame, loan);
}
