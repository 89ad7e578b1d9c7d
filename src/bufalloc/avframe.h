/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * avframe.h: FFmpeg frames as buffers of a pool. Nothing is copied: a buffer is the memory libavcodec wrote.
 *
 * A frame may have one AVBuffer for all planes or one for each; every AVBuffer becomes one block of the buffer
 * (buffer.h), and the layout's plane offsets count through the blocks. Pools of this kind begin empty
 * (BaSpec.count = 0). Built where meson's option `avframe` is on. The library is not linked with libavutil: whoever has
 * frames is.
 */
#ifndef BUFALLOC_AVFRAME_H
#define BUFALLOC_AVFRAME_H

#include <bufalloc/error.h>
#include <bufalloc/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct AVFrame;
struct AVBufferRef;

/**
 * BaFrameMap: where the planes of a frame lie.
 * @n_buffers: AVBuffers with planes in them; entry i of @buffers is block i
 * @buffers: (transfer none): the frame's own references, each listed once
 * @layout: planes in the order of libavutil; offsets count through the blocks; fourcc 0 (libavutil names the format)
 * @size_bytes: all blocks together
 */
typedef struct
{
  unsigned n_buffers;
  struct AVBufferRef *buffers[BA_MAX_PLANES];
  BaLayout layout;
  size_t size_bytes;
} BaFrameMap;

/**
 * ba_avframe_map:
 * @frame: (transfer none): a video frame
 * @map: (out caller-allocates): where its planes lie
 * @error: (nullable) (out caller-allocates): why it cannot be wrapped
 *
 * Finds which AVBuffer holds which plane. Threads: any; @frame must not change meanwhile.
 * Source: libavutil/frame.h: every data pointer lies inside a buffer of buf[], which may be one for all planes;
 * linesize may be negative; data[1] of a palette format is no plane.
 *
 * Returns: 0; -EINVAL for a frame without reference-counted data; -ENOTSUP for palettes, hardware frames, negative
 *   line sizes, and where libavutil of the version this was built with is not to be had
 */
BA_API int ba_avframe_map (const struct AVFrame *frame, BaFrameMap *map, BaError *error);

/**
 * ba_avframe_inject:
 * @allocator: (transfer none): an allocator of type "avframe"
 * @pool: (transfer none): a pool that it built
 * @frame: (transfer none): a frame; the pool takes a reference of its own to its data
 * @flags: as for ba_allocator_inject(); usually %BA_INJECT_FILLED | %BA_INJECT_ONCE
 * @error: (nullable) (out caller-allocates): why it was refused
 * @id: (out) (optional): the new buffer's id, 0 on error
 *
 * The caller may free @frame at once, before or after the buffer. Threads: any.
 *
 * A pool that nobody takes from grows with every frame, unless its spec says max_buffers: then a full one refuses with
 * -EAGAIN, or with %BA_WHEN_FULL_DROP_OLDEST lets the oldest frame go for this one.
 *
 * Returns: 0, what ba_avframe_map() or ba_allocator_inject_external() return, or -ENOMEM
 */
BA_API int ba_avframe_inject (BaAllocator *allocator, BaPool *pool, const struct AVFrame *frame, unsigned flags,
                              BaError *error, uint64_t *id);

/**
 * ba_avframe_from_buffer:
 * @buffer: (transfer none): a buffer
 *
 * Returns: (transfer none) (nullable): the frame behind it (the pool's own reference), valid as long as @buffer;
 * NULL where it is no injected frame. Threads: a holder of @buffer.
 */
BA_API const struct AVFrame *ba_avframe_from_buffer (const BaBuffer *buffer);

#ifdef __cplusplus
}
#endif
#endif
