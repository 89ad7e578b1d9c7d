/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstavzerodec-direct.c: decoding straight into the pages of the screen.
 *
 * libavcodec holds the core page, not the GstBuffer that came with it: so the GstBuffer can go to the sink and home
 * with its memory attached, and the page is free when both are done. Where anything is in doubt a single frame goes
 * into libavcodec's own memory and is wrapped.
 */
#include "gstavzerodec-private.h"

#include <string.h>

#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>

/* How long to wait for a page. Nobody can flush the codec meanwhile, so not for ever; long enough for a sink that shows
 * 10 frames a second to give one back. */
#define PAGE_TIMEOUT_NS (200 * GST_MSECOND)

/* Pages that must be left when the codec holds all it wants: on screen, waiting for its flip, being written. */
#define PAGES_BESIDES_CODEC 3

/* What a codec that predicts from earlier frames needs to read from them. */
#define FAST_READ_MBPS 1000.0

static gboolean refuse (gchar reason[GST_AV_ZERO_REASON_BYTES], const gchar *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
refuse (gchar reason[GST_AV_ZERO_REASON_BYTES], const gchar *format, ...)
{
  va_list args;
  va_start (args, format);
  g_vsnprintf (reason, GST_AV_ZERO_REASON_BYTES, format, args);
  va_end (args);
  return FALSE;
}

static gboolean
check_codec (const GstAvZeroDirectQuestion *q, gchar reason[GST_AV_ZERO_REASON_BYTES])
{
  if (q->mode == GST_AV_ZERO_DIRECT_NEVER)
    return refuse (reason, "direct-rendering=never");
  if (q->format != q->page_format)
    return refuse (reason, "the stream is %s, the pages of the screen are %s", gst_video_format_to_string (q->format),
                   gst_video_format_to_string (q->page_format));
  if (!q->has_dr1)
    return refuse (reason, "the codec does not decode into memory of others");
  if (q->flags & GST_AV_ZERO_REWRITES)
    return refuse (reason, "the codec writes again into frames that may be on screen");
  if (q->frame_threads)
    return refuse (reason, "frame threads hold too many pages: see thread-type and direct-rendering");
  if (q->n_pages < q->frames_held + PAGES_BESIDES_CODEC)
    return refuse (reason, "the codec holds up to %u frames, which takes %u pages, and there are %u", q->frames_held,
                   q->frames_held + PAGES_BESIDES_CODEC, q->n_pages);
  if (q->mode == GST_AV_ZERO_DIRECT_AUTO && (q->flags & GST_AV_ZERO_READS_BACK) && q->read_mbps < FAST_READ_MBPS) {
    if (q->read_mbps <= 0.0)
      return refuse (reason, "the codec reads its frames back, and how fast pages read is not known");
    return refuse (reason, "the codec reads its frames back, and pages read with %.0f MB/s only", q->read_mbps);
  }
  return TRUE;
}

/* Where plane @i ends in the page at the latest. */
static gsize
end_of_plane (const GstAvZeroDirectQuestion *q, guint n_planes, guint i)
{
  gsize end = q->page_bytes;
  for (guint k = 0; k < n_planes; k++) {
    if (q->plane_offset_bytes[k] > q->plane_offset_bytes[i])
      end = MIN (end, q->plane_offset_bytes[k]);
  }
  return end;
}

/* As check_layout() says, for each plane; and here the page may have room that is not seen, below it and right of it. */
static gboolean
check_planes (const GstAvZeroDirectQuestion *q, const GstVideoFormatInfo *finfo, gchar reason[GST_AV_ZERO_REASON_BYTES])
{
  gint width = MAX (q->aligned_width_px, q->width_px), height = MAX (q->aligned_height_px, q->height_px);
  gint64 align = MAX (q->stride_align_bytes, 1);
  if (q->window.w != q->width_px || q->window.h != q->height_px)
    return refuse (reason, "the picture is %dx%d, its place on the screen %dx%d", q->width_px, q->height_px,
                   q->window.w, q->window.h);
  if ((width > q->width_px && q->window.x + q->window.w < q->page_width_px)
      || (height > q->height_px && q->window.y + q->window.h < q->page_height_px))
    return refuse (reason, "the codec may write %d columns and %d lines beside the picture", width - q->width_px,
                   height - q->height_px);
  for (guint i = 0; i < GST_VIDEO_FORMAT_INFO_N_PLANES (finfo); i++) {
    gint components[GST_VIDEO_MAX_COMPONENTS], stride = q->plane_stride_bytes[i];
    gst_video_format_info_component (finfo, i, components);
    gint c = components[0];
    gint64 left = (gint64) (q->window.x >> GST_VIDEO_FORMAT_INFO_W_SUB (finfo, c))
                  * GST_VIDEO_FORMAT_INFO_PSTRIDE (finfo, c);
    gint64 top = q->window.y >> GST_VIDEO_FORMAT_INFO_H_SUB (finfo, c);
    gint64 row = (gint64) GST_VIDEO_SUB_SCALE (GST_VIDEO_FORMAT_INFO_W_SUB (finfo, c), width)
                 * GST_VIDEO_FORMAT_INFO_PSTRIDE (finfo, c);
    gint64 rows = GST_VIDEO_SUB_SCALE (GST_VIDEO_FORMAT_INFO_H_SUB (finfo, c), height);
    gint64 start = (gint64) q->plane_offset_bytes[i] + top * stride + left;
    if (stride % align != 0 || start % align != 0)
      return refuse (reason, "rows of plane %u are %d bytes apart, from byte %" G_GINT64_FORMAT
                     ": the codec wants multiples of %d", i, stride, start, (gint) align);
    if (left + (row + align - 1) / align * align > stride)
      return refuse (reason, "a row of the codec has %" G_GINT64_FORMAT " bytes, one of plane %u %d", row, i, stride);
    if (start + stride * (rows - 1) + row > (gint64) end_of_plane (q, GST_VIDEO_FORMAT_INFO_N_PLANES (finfo), i))
      return refuse (reason, "the codec wants %" G_GINT64_FORMAT " lines, which plane %u of a page does not have", rows,
                     i);
  }
  return TRUE;
}

/*
 * libavcodec may write whole aligned rows and lines (avcodec_align_dimensions2). What lies right of or below the
 * picture must then be no visible part of the screen and no part of the next page. Of packed formats it reads and
 * writes nothing behind that, so the last page needs no guard behind it.
 */
static gboolean
check_layout (const GstAvZeroDirectQuestion *q, gchar reason[GST_AV_ZERO_REASON_BYTES])
{
  const GstVideoFormatInfo *finfo = gst_video_format_get_info (q->format);
  if (GST_VIDEO_FORMAT_INFO_N_PLANES (finfo) != 1)
    return check_planes (q, finfo, reason);
  gint pixel_bytes = GST_VIDEO_FORMAT_INFO_PSTRIDE (finfo, 0);
  gint64 row_bytes = (gint64) q->width_px * pixel_bytes;
  gint64 align = MAX (q->stride_align_bytes, 1);
  gint64 written_row_bytes = (MAX ((gint64) q->aligned_width_px * pixel_bytes, row_bytes) + align - 1) / align * align;
  gint64 offset = (gint64) q->window.y * q->page_stride_bytes + (gint64) q->window.x * pixel_bytes;

  if (q->window.w != q->width_px || q->window.h != q->height_px)
    return refuse (reason, "the picture is %dx%d, its place on the screen %dx%d", q->width_px, q->height_px,
                   q->window.w, q->window.h);
  if (q->page_stride_bytes % align != 0)
    return refuse (reason, "rows of the page are %d bytes apart, the codec wants a multiple of %d",
                   q->page_stride_bytes, (gint) align);
  if (offset % align != 0)
    return refuse (reason,
                   "the picture begins at byte %" G_GINT64_FORMAT " of a page, the codec wants a multiple of %d",
                   offset, (gint) align);
  if (written_row_bytes > row_bytes && q->window.x + q->window.w < q->page_width_px)
    return refuse (reason, "the codec may write %" G_GINT64_FORMAT " bytes beyond the picture's right edge",
                   written_row_bytes - row_bytes);
  if ((gint64) q->window.x * pixel_bytes + written_row_bytes > q->page_stride_bytes)
    return refuse (reason, "a row of the codec has %" G_GINT64_FORMAT " bytes, one of the page %d", written_row_bytes,
                   q->page_stride_bytes);
  if (q->aligned_height_px > q->height_px && q->window.y + q->window.h < q->page_height_px)
    return refuse (reason, "the codec may write %d lines below the picture", q->aligned_height_px - q->height_px);
  gint64 end =
      offset + (gint64) q->page_stride_bytes * (MAX (q->aligned_height_px, q->height_px) - 1) + written_row_bytes;
  if (end > (gint64) q->page_bytes)
    return refuse (reason, "the codec wants %d lines, which a page of %d lines does not have", q->aligned_height_px,
                   q->page_height_px);
  return TRUE;
}

gboolean
gst_av_zero_direct_decide (const GstAvZeroDirectQuestion *question, gchar reason[GST_AV_ZERO_REASON_BYTES])
{
  reason[0] = '\0';
  return check_codec (question, reason) && check_layout (question, reason);
}

/* One page that is with libavcodec. @buffer goes to the first output of the picture. */
typedef struct _Loan
{
  struct _Loan *next;
  GstAvZeroPages *pages;
  guint8 *data;
  BaBuffer *page;
  GstBuffer *buffer;
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
  gst_clear_buffer (&loan->buffer); /* a picture that never came out */
  ba_buffer_unref (loan->page);
  gst_av_zero_pages_unref (pages);
  g_free (loan);
}

/* Address and bytes to the end of the page's memory; 0 where it cannot be written. Pages stay mapped while they are
 * held, so the address is good after the unmap. */
static gsize
get_room (GstBuffer *buffer, guint8 **data)
{
  GstMemory *memory = gst_buffer_n_memory (buffer) == 1 ? gst_buffer_peek_memory (buffer, 0) : NULL;
  GstMapInfo map;
  if (!memory || !gst_ba_memory_get_buffer (memory) || !gst_memory_map (memory, &map, GST_MAP_WRITE))
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
  if (room < wanted || ((guintptr) data % (guintptr) MAX (linesize_align[0], 1)) != 0) {
    gst_av_zero_dec_set_reason (self, "a page is too small or not aligned for the codec");
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

/*
 * The caps are negotiated here, before the first picture is decoded, or that one could not be direct. Only on the
 * streaming thread, and only for codecs that give each picture out at once: no earlier one waits with other caps.
 */
static gboolean
negotiate_early (GstAvZeroDec *self, AVCodecContext *context, const AVFrame *frame)
{
  const GstVideoFormatInfo *finfo = gst_video_format_get_info (gst_ba_format_from_av (frame->format));
  if (!self->may_be_direct || (context->active_thread_type & FF_THREAD_FRAME) || context->has_b_frames > 0
      || self->decode_thread != g_thread_self ())
    return FALSE;
  /* Codecs with references may hold pictures back although they did not say so yet. */
  if (!finfo || (!GST_VIDEO_FORMAT_INFO_IS_RGB (finfo) && (self->codec->flags & GST_AV_ZERO_READS_BACK))
      || (GST_VIDEO_FORMAT_INFO_IS_RGB (finfo) && GST_VIDEO_FORMAT_INFO_N_PLANES (finfo) != 1))
    return FALSE;
  GST_VIDEO_DECODER_STREAM_LOCK (self);
  gboolean ok = gst_av_zero_dec_update_caps (self, frame, context->width, context->height);
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

/* Everything that the decision needs, but the window, which is known once the pool is configured. */
static void
ask (GstAvZeroDec *self, GstBaFbdevPool *pool, const GstStructure *pages, GstAvZeroDirectQuestion *q)
{
  AVCodecContext *context = self->context;
  GstVideoInfo page;
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
  q->aligned_width_px = MAX (q->width_px, context->coded_width);
  q->aligned_height_px = MAX (q->height_px, context->coded_height);
  avcodec_align_dimensions2 (context, &q->aligned_width_px, &q->aligned_height_px, linesize_align);
  q->stride_align_bytes = linesize_align[0];

  if (gst_ba_fbdev_allocator_get_info (gst_ba_fbdev_pool_get_allocator (pool), &page)) {
    q->page_format = GST_VIDEO_INFO_FORMAT (&page);
    q->page_width_px = GST_VIDEO_INFO_WIDTH (&page);
    q->page_height_px = GST_VIDEO_INFO_HEIGHT (&page);
    q->page_stride_bytes = GST_VIDEO_INFO_PLANE_STRIDE (&page, 0);
    for (guint i = 0; i < GST_VIDEO_INFO_N_PLANES (&page); i++) {
      q->plane_stride_bytes[i] = GST_VIDEO_INFO_PLANE_STRIDE (&page, i);
      q->plane_offset_bytes[i] = GST_VIDEO_INFO_PLANE_OFFSET (&page, i);
    }
    q->page_bytes = GST_VIDEO_INFO_SIZE (&page);
  }
  /* How many are free now says nothing: those of our own earlier pictures are on their way home. */
  gst_structure_get_uint (pages, "pages", &q->n_pages);
  gst_structure_get_double (pages, "read-mbps", &q->read_mbps);
}

/* set_config is a negotiation: the pool changes what it must and says no; the second time it has to say yes. */
static gboolean
configure (GstBufferPool *pool, GstCaps *caps, guint size_bytes, guint min, guint max, guint align_mask)
{
  GstStructure *config = gst_buffer_pool_get_config (pool);
  GstAllocationParams params = { .align = align_mask };
  gst_buffer_pool_config_set_params (config, caps, size_bytes, min, max);
  gst_buffer_pool_config_set_allocator (config, NULL, &params);
  gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  if (gst_buffer_pool_set_config (pool, config))
    return TRUE;
  return gst_buffer_pool_set_config (pool, gst_buffer_pool_get_config (pool));
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

/* Pages that read slowly are not the first pool: that is for those who read back, and who does is decided here. The
 * pool (transfer full), or NULL. */
static GstBufferPool *
find_page_pool (GstQuery *query, guint *size_bytes, guint *min, guint *max)
{
  for (guint i = 0; i < gst_query_get_n_allocation_pools (query); i++) {
    GstBufferPool *pool = NULL;
    gst_query_parse_nth_allocation_pool (query, i, &pool, size_bytes, min, max);
    if (pool && GST_IS_BA_FBDEV_POOL (pool))
      return pool;
    gst_clear_object (&pool);
  }
  return NULL;
}

gboolean
gst_av_zero_dec_take_pages (GstAvZeroDec *self, GstQuery *query, GstCaps *caps)
{
  GstAvZeroDirectQuestion question;
  gchar reason[GST_AV_ZERO_REASON_BYTES];
  const GstStructure *structure = find_pages_structure (query);
  guint size_bytes = 0, min = 0, max = 0;
  GstBufferPool *pool = find_page_pool (query, &size_bytes, &min, &max);
  gboolean direct = FALSE;

  refuse (reason, "downstream offers no pages of a screen for %s of %dx%d",
          gst_video_format_to_string (GST_VIDEO_INFO_FORMAT (&self->picture.info)),
          GST_VIDEO_INFO_WIDTH (&self->picture.info), GST_VIDEO_INFO_HEIGHT (&self->picture.info));
  gst_av_zero_dec_drop_pages (self);
  if (structure && pool) {
    ask (self, GST_BA_FBDEV_POOL (pool), structure, &question);
    direct = check_codec (&question, reason);
    if (direct && !configure (pool, caps, size_bytes, min, max, (guint) question.stride_align_bytes - 1))
      direct = refuse (reason, "the pool of pages does not take the stream's caps");
    if (direct) {
      gst_ba_fbdev_pool_get_window (GST_BA_FBDEV_POOL (pool), &question.window);
      direct = gst_av_zero_direct_decide (&question, reason);
    }
  }
  gst_av_zero_dec_set_reason (self, direct ? NULL : reason);
  GST_INFO_OBJECT (self, "direct rendering: %s", direct ? "yes" : reason);
  if (direct) {
    GstStructure *config = gst_buffer_pool_get_config (pool);
    gst_buffer_pool_config_get_params (config, NULL, &size_bytes, &min, &max);
    gst_structure_free (config);
    gst_query_set_nth_allocation_pool (query, 0, pool, size_bytes, min, max);
    self->page_pool = gst_object_ref (pool);
  }
  gst_clear_object (&pool);
  return direct;
}

void
gst_av_zero_dec_drop_pages (GstAvZeroDec *self)
{
  gst_clear_object (&self->page_pool);
}

/* The codec gives the same picture out again: another GstBuffer with the same page. */
static GstBuffer *
repeat_page (GstAvZeroDec *self, const AVFrame *frame, BaBuffer *page)
{
  gsize offsets[GST_VIDEO_MAX_PLANES] = { 0 };
  gint strides[GST_VIDEO_MAX_PLANES] = { 0 };
  guint n_planes = GST_VIDEO_INFO_N_PLANES (&self->picture.info);
  gsize offset_bytes = (gsize) (frame->buf[0]->data - (guint8 *) ba_buffer_get_data (page));
  for (guint i = 0; i < n_planes; i++) {
    offsets[i] = (gsize) (frame->data[i] - frame->data[0]);
    strides[i] = frame->linesize[i];
  }
  gsize size_bytes = bytes_of (frame->format, n_planes, offsets, strides, frame->width, frame->height);
  GstBaFbdevAllocator *allocator = gst_ba_fbdev_pool_get_allocator (GST_BA_FBDEV_POOL (self->page_pool));
  GstBuffer *buffer = gst_buffer_new ();
  gst_buffer_append_memory (buffer, gst_ba_fbdev_allocator_wrap (allocator, page, offset_bytes, size_bytes));
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT (&self->picture.info),
                                  (guint) frame->width, (guint) frame->height, n_planes, offsets, strides);
  return buffer;
}

GstBuffer *
gst_av_zero_dec_find_page (GstAvZeroDec *self, const AVFrame *frame)
{
  GstBuffer *buffer = NULL;
  BaBuffer *page = NULL;
  if (!self->may_be_direct || !frame->buf[0])
    return NULL;
  g_mutex_lock (&self->pages->lock);
  for (Loan *loan = self->pages->loans; loan; loan = loan->next) {
    if (loan->data != frame->buf[0]->data)
      continue;
    /* The page's own buffer says that the picture begins where the page does. */
    if (loan->data != frame->data[0])
      break;
    buffer = g_steal_pointer (&loan->buffer);
    if (!buffer && self->page_pool)
      page = ba_buffer_ref (loan->page);
    break;
  }
  g_mutex_unlock (&self->pages->lock);
  return page ? repeat_page (self, frame, page) : buffer;
}
