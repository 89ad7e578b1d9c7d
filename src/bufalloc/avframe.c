/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * avframe.c: frames of FFmpeg as buffers; the only file of the core that knows libavutil.
 *
 * Whoever has a frame has libavutil loaded; everybody else is spared it and the twenty libraries it needs, so it is
 * looked up when a frame comes, by the name of the version this was built with.
 *
 * A buffer owns a clone of the frame, so references to its AVBuffers. It never asks who else reads them: whether the
 * memory may be written is av_buffer_is_writable()'s to say, at the moment of writing.
 */
#include "avframe.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/common.h>
#include <libavutil/frame.h>
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>

#include "allocator-private.h"
#include "buffer-private.h"
#include "kinds-private.h"
#include "layout-private.h"

#define AVUTIL_NAME "libavutil.so." AV_STRINGIFY (LIBAVUTIL_VERSION_MAJOR)

typedef struct
{
  __typeof__ (&av_frame_clone) frame_clone;
  __typeof__ (&av_frame_free) frame_free;
  __typeof__ (&av_image_get_linesize) image_get_linesize;
  __typeof__ (&av_pix_fmt_count_planes) pix_fmt_count_planes;
  __typeof__ (&av_pix_fmt_desc_get) pix_fmt_desc_get;
} Avutil;

/* What an injected buffer keeps; the function because a frame must go whatever became of the lookup by then. */
typedef struct
{
  AVFrame *frame;
  __typeof__ (&av_frame_free) frame_free;
} Injected;

/* Puts the function @name into @out, a pointer to a pointer to a function: C has no cast from what dlsym() returns. */
static bool
find_call (void *library, const char *name, void *out)
{
  void *found = dlsym (library, name);
  memcpy (out, &found, sizeof found);
  return found != NULL;
}

static int
find_avutil (Avutil *avutil, BaError *error)
{
  /* never unloaded, as frames outlive the lookup; the loader finds what is loaded already */
  void *library = dlopen (AVUTIL_NAME, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
  bool found = library && find_call (library, "av_frame_clone", &avutil->frame_clone)
            && find_call (library, "av_frame_free", &avutil->frame_free)
            && find_call (library, "av_image_get_linesize", &avutil->image_get_linesize)
            && find_call (library, "av_pix_fmt_count_planes", &avutil->pix_fmt_count_planes)
            && find_call (library, "av_pix_fmt_desc_get", &avutil->pix_fmt_desc_get);
  if (library)
    dlclose (library);
  return found ? 0 : ba_error_set (error, -ENOTSUP, "%s, which frames are made by, cannot be used", AVUTIL_NAME);
}

static int
check_format (const Avutil *avutil, const AVFrame *frame, const AVPixFmtDescriptor **out, BaError *error)
{
  const AVPixFmtDescriptor *desc = avutil->pix_fmt_desc_get (frame->format);
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
plane_fits (const Avutil *avutil, const AVFrame *frame, const AVPixFmtDescriptor *desc, int plane,
            const AVBufferRef *ref)
{
  int row_bytes = avutil->image_get_linesize (frame->format, frame->width, plane);
  int shift = plane == 1 || plane == 2 ? desc->log2_chroma_h : 0;
  size_t rows = (size_t) AV_CEIL_RSHIFT (frame->height, shift);
  size_t room_bytes = ref->size - (size_t) (frame->data[plane] - ref->data), end_bytes;
  return row_bytes >= 0 && bai_mul ((size_t) frame->linesize[plane], rows - 1, &end_bytes)
      && bai_add (end_bytes, (size_t) row_bytes, &end_bytes) && end_bytes <= room_bytes;
}

static int
map_frame (const Avutil *avutil, const AVFrame *frame, BaFrameMap *map, BaError *error)
{
  const AVPixFmtDescriptor *desc;
  int r = check_format (avutil, frame, &desc, error);
  if (r < 0)
    return r;
  int n_planes = avutil->pix_fmt_count_planes (frame->format);
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
    if (!plane_fits (avutil, frame, desc, i, ref))
      return ba_error_set (error, -EINVAL, "plane %d is larger than its buffer", i);
    layout->stride_bytes[i] = (size_t) frame->linesize[i];
    layout->offset_bytes[i] = (size_t) (frame->data[i] - ref->data);
    for (int before = 0; before < block; before++)
      layout->offset_bytes[i] += map->buffers[before]->size;
  }
  return 0;
}

int
ba_avframe_map (const AVFrame *frame, BaFrameMap *map, BaError *error)
{
  Avutil avutil;
  memset (map, 0, sizeof *map);
  int r = find_avutil (&avutil, error);
  return r < 0 ? r : map_frame (&avutil, frame, map, error);
}

static void
free_injected (const BaMemory *memory, void *user)
{
  Injected *injected = user;
  (void) memory;
  injected->frame_free (&injected->frame);
  free (injected);
}

int
ba_avframe_inject (BaAllocator *allocator, BaPool *pool, const AVFrame *frame, unsigned flags, BaError *error,
                   uint64_t *id)
{
  Avutil avutil;
  BaFrameMap map = { 0 };
  if (id)
    *id = 0;
  if (bai_allocator_get_ops (allocator) != &bai_avframe_ops)
    return ba_error_set (error, -EINVAL, "frames go into pools of kind avframe, not %s",
                         ba_allocator_get_name (allocator));
  /* before the clone: av_frame_clone() copies what is not reference-counted, in place of refusing it */
  int r = find_avutil (&avutil, error);
  if (r < 0 || (r = map_frame (&avutil, frame, &map, error)) < 0)
    return r;
  Injected *injected = malloc (sizeof *injected);
  if (!injected)
    return ba_error_set (error, -ENOMEM, "no memory for another reference to the frame");
  *injected = (Injected){ avutil.frame_clone (frame), avutil.frame_free };
  if (!injected->frame) {
    free (injected);
    return ba_error_set (error, -ENOMEM, "no memory for another reference to the frame");
  }
  BaMemory memory = { .n_blocks = map.n_buffers, .layout = map.layout, .fd = -1, .priv = injected };
  for (unsigned i = 0; i < map.n_buffers; i++)
    memory.blocks[i] = (BaBlock){ map.buffers[i]->data, map.buffers[i]->size, 0 };
  r = ba_allocator_inject_external (allocator, pool, &memory, flags, free_injected, injected, id);
  if (r < 0) {
    ba_error_set (error, r, "the frame was not taken into the pool: %s", ba_error_text (r));
    free_injected (NULL, injected);
  }
  return r;
}

const AVFrame *
ba_avframe_from_buffer (const BaBuffer *buffer)
{
  if (bai_buffer_get_release (buffer) != free_injected)
    return NULL;
  const Injected *injected = bai_buffer_get_priv (buffer);
  return injected->frame;
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
