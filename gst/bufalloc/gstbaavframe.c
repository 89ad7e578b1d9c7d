/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbaavframe.c: the memory of decoded frames, in both directions, without copying.
 *
 * A frame becomes one GstMemory for each of its AVBuffers. They share one reference to the frame, so libavcodec knows
 * that somebody reads; whether one may be written is asked anew at each map, since the decoder lets go of a frame after
 * it was pushed. Which formats have a name on both sides is in gstbaformats.c.
 */
#include <gst/bufalloc/gstbaavframe.h>

#include <errno.h>

#include <bufalloc/avframe.h>
#include <gst/bufalloc/gstbamemory.h>
#include <gst/bufalloc/gstbautils.h>

#include "gstbaavframe-private.h"
#include "gstbaavutil-private.h"

#define GST_TYPE_BA_AVFRAME_ALLOCATOR (gst_ba_avframe_allocator_get_type ())
G_DECLARE_FINAL_TYPE (GstBaAvframeAllocator, gst_ba_avframe_allocator, GST, BA_AVFRAME_ALLOCATOR, GstAllocator)

struct _GstBaAvframeAllocator
{
  GstAllocator parent;
};

G_DEFINE_FINAL_TYPE (GstBaAvframeAllocator, gst_ba_avframe_allocator, GST_TYPE_ALLOCATOR)

/* One reference to the frame's data, shared by the memories made of it. */
typedef struct
{
  gint refs;
  const GstBaAvutil *avutil;
  AVFrame *frame;
} FrameHolder;

typedef struct
{
  GstMemory memory;
  FrameHolder *holder;
  AVBufferRef *buffer; /* one of the holder's frame */
} GstBaAvframeMemory;

static void
frame_holder_unref (FrameHolder *holder)
{
  if (g_atomic_int_dec_and_test (&holder->refs)) {
    holder->avutil->frame_free (&holder->frame);
    g_free (holder);
  }
}

static GstBaAvframeMemory *
avframe_memory_new (GstAllocator *allocator, FrameHolder *holder, AVBufferRef *buffer, GstMemory *parent, gsize offset,
                    gsize size)
{
  GstBaAvframeMemory *self = g_new0 (GstBaAvframeMemory, 1);
  gst_memory_init (&self->memory, parent ? GST_MEMORY_FLAG_READONLY : 0, allocator, parent, buffer->size, 0, offset,
                   size);
  g_atomic_int_inc (&holder->refs);
  self->holder = holder;
  self->buffer = buffer;
  return self;
}

/* av_buffer_is_writable() counts our own reference as the one that is allowed; children of a memory are read-only, and
 * a memory that has children is refused by GStreamer before it asks here. */
static gpointer
avframe_memory_map (GstMemory *memory, GstMapInfo *info, gsize maxsize)
{
  GstBaAvframeMemory *self = (GstBaAvframeMemory *) memory;
  (void) maxsize;
  if ((info->flags & GST_MAP_WRITE) && !self->holder->avutil->buffer_is_writable (self->buffer))
    return NULL;
  return self->buffer->data;
}

static void
avframe_memory_unmap (GstMemory *memory, GstMapInfo *info)
{
  (void) memory;
  (void) info;
}

static GstMemory *
avframe_memory_share (GstMemory *memory, gssize offset, gssize size)
{
  GstBaAvframeMemory *self = (GstBaAvframeMemory *) memory;
  GstMemory *root = memory->parent ? memory->parent : memory;
  gsize size_bytes = size == -1 ? memory->size - (gsize) offset : (gsize) size;
  GstBaAvframeMemory *part = avframe_memory_new (memory->allocator, self->holder, self->buffer, root,
                                                 memory->offset + (gsize) offset, size_bytes);
  return &part->memory;
}

static GstMemory *
avframe_allocator_alloc (GstAllocator *allocator, gsize size, GstAllocationParams *params)
{
  (void) allocator;
  (void) size;
  (void) params;
  return NULL;
}

static void
avframe_allocator_free (GstAllocator *allocator, GstMemory *memory)
{
  GstBaAvframeMemory *self = (GstBaAvframeMemory *) memory;
  (void) allocator;
  frame_holder_unref (self->holder);
  g_free (self);
}

static void
gst_ba_avframe_allocator_class_init (GstBaAvframeAllocatorClass *klass)
{
  GstAllocatorClass *allocator_class = GST_ALLOCATOR_CLASS (klass);
  allocator_class->alloc = avframe_allocator_alloc;
  allocator_class->free = avframe_allocator_free;
}

static void
gst_ba_avframe_allocator_init (GstBaAvframeAllocator *self)
{
  GstAllocator *allocator = GST_ALLOCATOR (self);
  allocator->mem_type = GST_BA_MEMORY_AVFRAME;
  allocator->mem_map_full = avframe_memory_map;
  allocator->mem_unmap_full = avframe_memory_unmap;
  allocator->mem_share = avframe_memory_share;
  GST_OBJECT_FLAG_SET (self, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC);
}

GstAllocator *
gst_ba_avframe_allocator_new (void)
{
  return gst_object_ref_sink (g_object_new (GST_TYPE_BA_AVFRAME_ALLOCATOR, NULL));
}

static GstAllocator *
find_allocator (void)
{
  GstAllocator *allocator = gst_allocator_find (GST_BA_MEMORY_AVFRAME);
  if (!allocator) {
    gst_ba_init ();
    allocator = gst_allocator_find (GST_BA_MEMORY_AVFRAME);
  }
  return allocator;
}

/* The core checks where planes begin; here, that each ends inside the buffer it begins in, since that is the memory
 * GStreamer will map for it. */
static gint
check_plane_ends (const GstBaAvutil *avutil, const AVFrame *frame, const BaFrameMap *map, BaError *error)
{
  gint rows[4];
  ptrdiff_t linesizes[4];
  size_t sizes[4];
  const GstVideoFormatInfo *finfo = gst_video_format_get_info (gst_ba_format_from_av (frame->format));
  for (guint i = 0; i < 4; i++)
    linesizes[i] = frame->linesize[i];
  if (avutil->image_fill_plane_sizes (sizes, frame->format, frame->height, linesizes) < 0)
    return ba_error_set (error, -EINVAL, "the sizes of the frame's planes overflow");
  if (map->layout.n_planes != GST_VIDEO_FORMAT_INFO_N_PLANES (finfo))
    return ba_error_set (error, -ENOTSUP, "%s has %u planes here and %u in the frame", finfo->name,
                         GST_VIDEO_FORMAT_INFO_N_PLANES (finfo), map->layout.n_planes);
  for (guint i = 0; i < map->layout.n_planes; i++) {
    gint row_bytes = avutil->image_get_linesize (frame->format, frame->width, (gint) i);
    rows[i] = (gint) (sizes[i] / (size_t) frame->linesize[i]);
    gsize end = map->layout.offset_bytes[i] + sizes[i] - (size_t) frame->linesize[i] + (size_t) MAX (row_bytes, 0);
    gsize block_end = 0;
    for (guint b = 0; b < map->n_buffers && block_end <= map->layout.offset_bytes[i]; b++)
      block_end += map->buffers[b]->size;
    if (row_bytes < 0 || row_bytes > frame->linesize[i] || end > block_end)
      return ba_error_set (error, -EINVAL, "plane %u (%d rows) is larger than its buffer", i, rows[i]);
  }
  return 0;
}

static gint
map_frame (const GstBaAvutil *avutil, const AVFrame *frame, BaFrameMap *map, BaError *error)
{
  gint r = ba_avframe_map (frame, map, error);
  if (r < 0)
    return r;
  if (!avutil)
    return ba_error_set (error, -ENOTSUP, "libavutil cannot be loaded");
  if (gst_ba_format_from_av (frame->format) == GST_VIDEO_FORMAT_UNKNOWN)
    return ba_error_set (error, -ENOTSUP, "GStreamer has no name for FFmpeg's pixel format %d", frame->format);
  return check_plane_ends (avutil, frame, map, error);
}

static gboolean
is_interlaced (const AVFrame *frame)
{
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 7, 100)
  return (frame->flags & AV_FRAME_FLAG_INTERLACED) != 0;
#else
  return frame->interlaced_frame != 0;
#endif
}

static gboolean
is_top_field_first (const AVFrame *frame)
{
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 7, 100)
  return (frame->flags & AV_FRAME_FLAG_TOP_FIELD_FIRST) != 0;
#else
  return frame->top_field_first != 0;
#endif
}

/* What is to be shown. FALSE where the frame's crop fields leave nothing. */
static gboolean
get_visible (const AVFrame *frame, GstVideoRectangle *visible)
{
  if (frame->width <= 0 || frame->height <= 0 || frame->crop_left >= (gsize) frame->width
      || frame->crop_top >= (gsize) frame->height || frame->crop_right >= (gsize) frame->width - frame->crop_left
      || frame->crop_bottom >= (gsize) frame->height - frame->crop_top)
    return FALSE;
  visible->x = (gint) frame->crop_left;
  visible->y = (gint) frame->crop_top;
  visible->w = frame->width - (gint) (frame->crop_left + frame->crop_right);
  visible->h = frame->height - (gint) (frame->crop_top + frame->crop_bottom);
  return TRUE;
}

static void
add_crop (GstBuffer *buffer, const AVFrame *frame)
{
  GstVideoRectangle visible;
  if (!get_visible (frame, &visible) || (visible.w == frame->width && visible.h == frame->height))
    return;
  GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta (buffer);
  crop->x = (guint) visible.x;
  crop->y = (guint) visible.y;
  crop->width = (guint) visible.w;
  crop->height = (guint) visible.h;
}

static void
set_field_flags (GstBuffer *buffer, const AVFrame *frame)
{
  if (!is_interlaced (frame))
    return;
  GST_BUFFER_FLAG_SET (buffer, GST_VIDEO_BUFFER_FLAG_INTERLACED);
  if (is_top_field_first (frame))
    GST_BUFFER_FLAG_SET (buffer, GST_VIDEO_BUFFER_FLAG_TFF);
  if (frame->repeat_pict)
    GST_BUFFER_FLAG_SET (buffer, GST_VIDEO_BUFFER_FLAG_RFF);
}

gboolean
gst_ba_avframe_can_wrap (const AVFrame *frame, BaError *error)
{
  BaFrameMap map;
  return map_frame (gst_ba_avutil_get (), frame, &map, error) == 0;
}

GstBuffer *
gst_ba_avframe_buffer_new (const AVFrame *frame, BaError *error)
{
  const GstBaAvutil *avutil = gst_ba_avutil_get ();
  BaFrameMap map;
  if (map_frame (avutil, frame, &map, error) < 0)
    return NULL;
  GstAllocator *allocator = find_allocator ();
  AVFrame *clone = avutil->frame_clone (frame);
  /* The clone has references of its own, which are in the same places: map those instead of the caller's. */
  if (!clone || !allocator || ba_avframe_map (clone, &map, error) < 0) {
    if (!clone || !allocator)
      ba_error_set (error, -ENOMEM, "the frame could not be referenced");
    avutil->frame_free (&clone);
    g_clear_object (&allocator);
    return NULL;
  }

  FrameHolder *holder = g_new0 (FrameHolder, 1);
  holder->refs = 1;
  holder->avutil = avutil;
  holder->frame = clone;
  GstBuffer *buffer = gst_buffer_new ();
  for (guint i = 0; i < map.n_buffers; i++) {
    AVBufferRef *ref = map.buffers[i];
    gst_buffer_append_memory (buffer, &avframe_memory_new (allocator, holder, ref, NULL, 0, ref->size)->memory);
  }
  frame_holder_unref (holder);
  gst_object_unref (allocator);

  gsize offsets[GST_VIDEO_MAX_PLANES] = { 0 };
  gint strides[GST_VIDEO_MAX_PLANES] = { 0 };
  for (guint i = 0; i < map.layout.n_planes; i++) {
    offsets[i] = map.layout.offset_bytes[i];
    strides[i] = frame->linesize[i];
  }
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE, gst_ba_format_from_av (frame->format),
                                  map.layout.width_px, map.layout.height_px, map.layout.n_planes, offsets, strides);
  add_crop (buffer, frame);
  set_field_flags (buffer, frame);
  return buffer;
}

const AVFrame *
gst_ba_avframe_buffer_get_frame (GstBuffer *buffer)
{
  guint n = gst_buffer_n_memory (buffer);
  for (guint i = 0; i < n; i++) {
    GstMemory *memory = gst_buffer_peek_memory (buffer, i);
    if (memory->allocator && G_TYPE_CHECK_INSTANCE_TYPE (memory->allocator, GST_TYPE_BA_AVFRAME_ALLOCATOR))
      return ((GstBaAvframeMemory *) memory)->holder->frame;
  }
  return NULL;
}

static gboolean
is_full_range_format (gint pix_fmt)
{
  return pix_fmt == AV_PIX_FMT_YUVJ420P || pix_fmt == AV_PIX_FMT_YUVJ422P || pix_fmt == AV_PIX_FMT_YUVJ444P
         || pix_fmt == AV_PIX_FMT_YUVJ440P || pix_fmt == AV_PIX_FMT_YUVJ411P;
}

/* Over what GStreamer takes for granted for the format and size. */
static void
get_colorimetry (const AVFrame *frame, GstVideoInfo *info)
{
  GstVideoColorimetry *colour = &info->colorimetry;
  gboolean rgb = GST_VIDEO_INFO_IS_RGB (info);
  if (frame->colorspace != AVCOL_SPC_UNSPECIFIED && !rgb)
    colour->matrix = gst_video_color_matrix_from_iso (frame->colorspace);
  if (frame->color_primaries != AVCOL_PRI_UNSPECIFIED)
    colour->primaries = gst_video_color_primaries_from_iso (frame->color_primaries);
  if (frame->color_trc != AVCOL_TRC_UNSPECIFIED)
    colour->transfer = gst_video_transfer_function_from_iso (frame->color_trc);
  if (frame->color_range == AVCOL_RANGE_JPEG || is_full_range_format (frame->format))
    colour->range = GST_VIDEO_COLOR_RANGE_0_255;
  else if (frame->color_range == AVCOL_RANGE_MPEG)
    colour->range = GST_VIDEO_COLOR_RANGE_16_235;
}

static GstVideoChromaSite
get_chroma_site (const AVFrame *frame, GstVideoChromaSite otherwise)
{
  switch (frame->chroma_location) {
    case AVCHROMA_LOC_LEFT:
      return GST_VIDEO_CHROMA_SITE_MPEG2;
    case AVCHROMA_LOC_CENTER:
      return GST_VIDEO_CHROMA_SITE_JPEG;
    case AVCHROMA_LOC_TOPLEFT:
      return GST_VIDEO_CHROMA_SITE_COSITED;
    case AVCHROMA_LOC_TOP:
      return GST_VIDEO_CHROMA_SITE_V_COSITED;
    default:
      return otherwise;
  }
}

gboolean
gst_ba_avframe_get_video_info (const AVFrame *frame, GstVideoInfo *info)
{
  GstVideoFormat format = gst_ba_format_from_av (frame->format);
  GstVideoRectangle visible;
  if (format == GST_VIDEO_FORMAT_UNKNOWN)
    return FALSE;
  /* as gst_ba_avframe_buffer_new(), which adds no crop where nothing would be left */
  if (!get_visible (frame, &visible))
    visible = (GstVideoRectangle){ 0, 0, frame->width, frame->height };
  if (visible.w <= 0 || visible.h <= 0
      || !gst_video_info_set_interlaced_format (info, format,
                                                is_interlaced (frame) ? GST_VIDEO_INTERLACE_MODE_INTERLEAVED
                                                                      : GST_VIDEO_INTERLACE_MODE_PROGRESSIVE,
                                                (guint) visible.w, (guint) visible.h))
    return FALSE;
  if (is_interlaced (frame))
    GST_VIDEO_INFO_FIELD_ORDER (info) =
        is_top_field_first (frame) ? GST_VIDEO_FIELD_ORDER_TOP_FIELD_FIRST : GST_VIDEO_FIELD_ORDER_BOTTOM_FIELD_FIRST;
  get_colorimetry (frame, info);
  if (GST_VIDEO_INFO_IS_YUV (info))
    info->chroma_site = get_chroma_site (frame, info->chroma_site);
  if (frame->sample_aspect_ratio.num > 0 && frame->sample_aspect_ratio.den > 0) {
    GST_VIDEO_INFO_PAR_N (info) = frame->sample_aspect_ratio.num;
    GST_VIDEO_INFO_PAR_D (info) = frame->sample_aspect_ratio.den;
  }
  return TRUE;
}

/* A GstBuffer that an AVFrame lies over, mapped until the last of the frame's AVBuffers goes. */
typedef struct
{
  gint refs;
  GstVideoFrame picture;
} MappedBuffer;

static void
mapped_buffer_unref (void *opaque, uint8_t *data)
{
  MappedBuffer *mapped = opaque;
  (void) data;
  if (g_atomic_int_dec_and_test (&mapped->refs)) {
    gst_video_frame_unmap (&mapped->picture);
    g_free (mapped);
  }
}

static void
set_colour (AVFrame *frame, const GstVideoInfo *info)
{
  const GstVideoColorimetry *colour = &info->colorimetry;
  if (colour->range == GST_VIDEO_COLOR_RANGE_0_255)
    frame->color_range = AVCOL_RANGE_JPEG;
  else if (colour->range == GST_VIDEO_COLOR_RANGE_16_235)
    frame->color_range = AVCOL_RANGE_MPEG;
  if (colour->matrix != GST_VIDEO_COLOR_MATRIX_UNKNOWN)
    frame->colorspace = (enum AVColorSpace) gst_video_color_matrix_to_iso (colour->matrix);
  if (colour->primaries != GST_VIDEO_COLOR_PRIMARIES_UNKNOWN)
    frame->color_primaries = (enum AVColorPrimaries) gst_video_color_primaries_to_iso (colour->primaries);
  if (colour->transfer != GST_VIDEO_TRANSFER_UNKNOWN)
    frame->color_trc = (enum AVColorTransferCharacteristic) gst_video_transfer_function_to_iso (colour->transfer);
  frame->sample_aspect_ratio = (AVRational){ info->par_n, info->par_d };
}

AVFrame *
gst_ba_avframe_wrap_buffer (GstBuffer *buffer, const GstVideoInfo *info, GstMapFlags flags, BaError *error)
{
  gint pix_fmt = gst_ba_format_to_av (GST_VIDEO_INFO_FORMAT (info));
  if (pix_fmt < 0) {
    ba_error_set (error, -ENOTSUP, "FFmpeg has no name for %s", info->finfo->name);
    return NULL;
  }
  const GstBaAvutil *avutil = gst_ba_avutil_get ();
  if (!avutil) {
    ba_error_set (error, -ENOTSUP, "libavutil cannot be loaded");
    return NULL;
  }
  AVFrame *frame = avutil->frame_alloc ();
  MappedBuffer *mapped = g_new0 (MappedBuffer, 1);
  if (!frame || !gst_video_frame_map (&mapped->picture, info, buffer, flags)) {
    ba_error_set (error, frame ? -EINVAL : -ENOMEM, "the picture could not be mapped");
    avutil->frame_free (&frame);
    g_free (mapped);
    return NULL;
  }

  /* With a GstVideoMeta every plane has a map of its own; without, the first map has them all. */
  GstVideoFrame *picture = &mapped->picture;
  gint buffer_flags = (flags & GST_MAP_WRITE) ? 0 : AV_BUFFER_FLAG_READONLY;
  guint n_planes = GST_VIDEO_FRAME_N_PLANES (picture);
  mapped->refs = 1;
  gint r = 0;
  for (guint i = 0; i < n_planes && r == 0; i++) {
    frame->data[i] = GST_VIDEO_FRAME_PLANE_DATA (picture, i);
    frame->linesize[i] = GST_VIDEO_FRAME_PLANE_STRIDE (picture, i);
    const GstMapInfo *map = &picture->map[i];
    if (!map->memory || (i > 0 && !picture->meta))
      continue;
    g_atomic_int_inc (&mapped->refs);
    frame->buf[i] = avutil->buffer_create (map->data, map->size, mapped_buffer_unref, mapped, buffer_flags);
    if (!frame->buf[i]) {
      mapped_buffer_unref (mapped, NULL);
      r = ba_error_set (error, -ENOMEM, "the picture could not be referenced");
    }
  }
  frame->format = pix_fmt;
  frame->width = GST_VIDEO_FRAME_WIDTH (picture);
  frame->height = GST_VIDEO_FRAME_HEIGHT (picture);
  set_colour (frame, info);
  mapped_buffer_unref (mapped, NULL);
  if (r < 0)
    avutil->frame_free (&frame);
  return frame;
}
