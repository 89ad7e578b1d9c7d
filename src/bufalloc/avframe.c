/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * avframe.c: frames of FFmpeg as buffers; the only file of the core that knows libavutil.
 *
 * A buffer owns a clone of the frame, so references to its AVBuffers. It never asks who else reads them: whether the
 * memory may be written is av_buffer_is_writable()'s to say, at the moment of writing.
 */
#include "avframe.h"

#include <errno.h>
#include <string.h>

#include <libavutil/common.h>
#include <libavutil/frame.h>
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>

#include "allocator-private.h"
#include "buffer-private.h"
#include "kinds-private.h"
#include "layout-private.h"

static int
check_format (const AVFrame *frame, const AVPixFmtDescriptor **out, BaError *error)
{
  const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get (frame->format);
  *out = desc;
  if (!desc || frame->width <= 0 || frame->height <= 0)
    return ba_error_set (error, -EINVAL, "the frame has no picture: pixel format %d, %dx%d", frame->format,
                         frame->width, frame->height);
  if (desc->flags & AV_PIX_FMT_FLAG_HWACCEL)
    return ba_error_set (error, -ENOTSUP, "%s frames are no memory of this process: download them first",
                         desc->name);
  if (desc->flags & AV_PIX_FMT_FLAG_PAL)
    return ba_error_set (error, -ENOTSUP, "%s has a palette, which no screen shows: convert it first", desc->name);
  return 0;
}

/* The buffer of @frame that @data lies in; NULL where it is in none. */
static AVBufferRef *
buffer_around (const AVFrame *frame, const uint8_t *data)
{
  for (int i = 0; i < AV_NUM_DATA_POINTERS; i++) {
    AVBufferRef *ref = frame->buf[i];
    if (ref && data >= ref->data && data < ref->data + ref->size)
      return ref;
  }
  return NULL;
}

/* The place of @ref in the map, entered there where it is new; -1 where there is no room. */
static int
block_of (BaFrameMap *map, AVBufferRef *ref)
{
  for (unsigned i = 0; i < map->n_buffers; i++) {
    if (map->buffers[i] == ref)
      return (int) i;
  }
  if (map->n_buffers == BA_MAX_PLANES)
    return -1;
  map->buffers[map->n_buffers] = ref;
  map->size_bytes += ref->size;
  return (int) map->n_buffers++;
}

/* Whether all rows of @plane end inside @ref. Source: libavutil/imgutils.c: planes 1 and 2 are the sub-sampled ones. */
static bool
plane_fits (const AVFrame *frame, const AVPixFmtDescriptor *desc, int plane, const AVBufferRef *ref)
{
  int row_bytes = av_image_get_linesize (frame->format, frame->width, plane);
  int shift = plane == 1 || plane == 2 ? desc->log2_chroma_h : 0;
  size_t rows = (size_t) AV_CEIL_RSHIFT (frame->height, shift);
  size_t room_bytes = ref->size - (size_t) (frame->data[plane] - ref->data), end_bytes;
  return row_bytes >= 0 && bai_mul ((size_t) frame->linesize[plane], rows - 1, &end_bytes)
      && bai_add (end_bytes, (size_t) row_bytes, &end_bytes) && end_bytes <= room_bytes;
}

int
ba_avframe_map (const AVFrame *frame, BaFrameMap *map, BaError *error)
{
  const AVPixFmtDescriptor *desc;
  memset (map, 0, sizeof *map);
  int r = check_format (frame, &desc, error);
  if (r < 0)
    return r;
  int n_planes = av_pix_fmt_count_planes (frame->format);
  if (n_planes < 1 || n_planes > BA_MAX_PLANES)
    return ba_error_set (error, -ENOTSUP, "%s has %d planes", desc->name, n_planes);

  BaLayout *layout = &map->layout;
  layout->width_px = (uint32_t) frame->width;
  layout->height_px = (uint32_t) frame->height;
  layout->n_planes = (uint32_t) n_planes;
  for (int i = 0; i < n_planes; i++) {
    if (frame->linesize[i] <= 0)
      return ba_error_set (error, -ENOTSUP, "plane %d has a line size of %d: rows that run upwards need a copy", i,
                           frame->linesize[i]);
    AVBufferRef *ref = frame->data[i] ? buffer_around (frame, frame->data[i]) : NULL;
    int block = ref ? block_of (map, ref) : -1;
    if (block < 0)
      return ba_error_set (error, -EINVAL, "plane %d lies in no buffer of the frame", i);
    if (!plane_fits (frame, desc, i, ref))
      return ba_error_set (error, -EINVAL, "plane %d is larger than its buffer", i);
    layout->stride_bytes[i] = (size_t) frame->linesize[i];
    layout->offset_bytes[i] = (size_t) (frame->data[i] - ref->data);
    for (int before = 0; before < block; before++)
      layout->offset_bytes[i] += map->buffers[before]->size;
  }
  return 0;
}

static void
free_frame (const BaMemory *memory, void *user)
{
  AVFrame *frame = user;
  (void) memory;
  av_frame_free (&frame);
}

int
ba_avframe_inject (BaAllocator *allocator, BaPool *pool, const AVFrame *frame, unsigned flags, BaError *error,
                   uint64_t *id)
{
  BaFrameMap map;
  if (id)
    *id = 0;
  if (bai_allocator_get_ops (allocator) != &bai_avframe_ops)
    return ba_error_set (error, -EINVAL, "frames go into pools of kind avframe, not %s",
                         ba_allocator_get_name (allocator));
  /* before the clone: av_frame_clone() copies what is not reference-counted, in place of refusing it */
  int r = ba_avframe_map (frame, &map, error);
  if (r < 0)
    return r;
  AVFrame *clone = av_frame_clone (frame);
  if (!clone)
    return ba_error_set (error, -ENOMEM, "no memory for another reference to the frame");
  BaMemory memory = { .n_blocks = map.n_buffers, .layout = map.layout, .fd = -1, .priv = clone };
  for (unsigned i = 0; i < map.n_buffers; i++)
    memory.blocks[i] = (BaBlock){ map.buffers[i]->data, map.buffers[i]->size, 0 };
  r = ba_allocator_inject_external (allocator, pool, &memory, flags, free_frame, clone, id);
  if (r < 0) {
    ba_error_set (error, r, "the frame was not taken into the pool: %s", ba_error_text (r));
    av_frame_free (&clone);
  }
  return r;
}

const AVFrame *
ba_avframe_from_buffer (const BaBuffer *buffer)
{
  return bai_buffer_get_release (buffer) == free_frame ? bai_buffer_get_priv (buffer) : NULL;
}

/* Frames are injected, never created: a pool of this kind begins empty. */
static int
avframe_create (void *state, const BaRequest *request, BaMemory *out)
{
  (void) state;
  (void) request;
  (void) out;
  return -ENOTSUP;
}

const BaAllocatorOps bai_avframe_ops = {
  .name = "avframe",
  .create = avframe_create,
};
