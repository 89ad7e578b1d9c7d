/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* buffer.c: what is known about one buffer. Queues and homecoming are pool.c's. */
#include "buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "buffer-private.h"
#include "layout-private.h"
#include "pool-private.h"

static bool
layouts_equal (const BaLayout *a, const BaLayout *b)
{
  if (a->fourcc != b->fourcc || a->width_px != b->width_px || a->height_px != b->height_px
      || a->n_planes != b->n_planes)
    return false;
  for (unsigned i = 0; i < a->n_planes; i++) {
    if (a->offset_bytes[i] != b->offset_bytes[i] || a->stride_bytes[i] != b->stride_bytes[i])
      return false;
  }
  return true;
}

int
bai_buffer_new (BaPool *pool, const BaMemory *memory, const BaLayout *shared_layout, BaBuffer **out)
{
  *out = NULL;
  if (memory->n_blocks < 1 || memory->n_blocks > BA_MAX_PLANES || memory->layout.n_planes > BA_MAX_PLANES)
    return -EINVAL;
  size_t size_bytes = 0;
  for (unsigned i = 0; i < memory->n_blocks; i++) {
    const BaBlock *block = &memory->blocks[i];
    if (!block->data || block->size_bytes == 0 || block->size_bytes > SIZE_MAX - size_bytes)
      return -EINVAL;
    size_bytes += block->size_bytes;
  }
  if (!bai_layout_fits (&memory->layout, size_bytes))
    return -EINVAL;

  bool own_layout = !shared_layout || !layouts_equal (&memory->layout, shared_layout);
  size_t blocks_bytes = memory->n_blocks * sizeof (BaBlock);
  BaBuffer *buffer = calloc (1, sizeof (BaBuffer) + blocks_bytes + (own_layout ? sizeof (BaLayout) : 0));
  if (!buffer)
    return -ENOMEM;
  memcpy (buffer->blocks, memory->blocks, blocks_bytes);
  if (own_layout) {
    BaLayout *layout = (BaLayout *) (buffer->blocks + memory->n_blocks);
    *layout = memory->layout;
    buffer->layout = layout;
  } else {
    buffer->layout = shared_layout;
  }
  atomic_init (&buffer->refs, 0);
  atomic_init (&buffer->state, BA_STATE_FREE);
  buffer->pool = pool;
  buffer->size_bytes = size_bytes;
  buffer->fd = memory->fd;
  buffer->fd_offset_bytes = memory->fd_offset_bytes;
  buffer->n_blocks = memory->n_blocks;
  buffer->priv = memory->priv;
  *out = buffer;
  return 0;
}

void
bai_buffer_describe (const BaBuffer *buffer, BaMemory *out)
{
  memset (out, 0, sizeof *out);
  out->n_blocks = buffer->n_blocks;
  memcpy (out->blocks, buffer->blocks, buffer->n_blocks * sizeof (BaBlock));
  out->layout = *buffer->layout;
  out->fd = buffer->fd;
  out->fd_offset_bytes = buffer->fd_offset_bytes;
  out->priv = buffer->priv;
}

void
bai_buffer_free (BaBuffer *buffer)
{
  ba_buffer_set_user_data (buffer, NULL, NULL);
  free (buffer);
}

BaReleaseFunc
bai_buffer_get_release (const BaBuffer *buffer)
{
  return buffer->release;
}

void *
bai_buffer_get_priv (const BaBuffer *buffer)
{
  return buffer->priv;
}

BaBuffer *
ba_buffer_ref (BaBuffer *buffer)
{
  atomic_fetch_add_explicit (&buffer->refs, 1, memory_order_relaxed);
  return buffer;
}

void
ba_buffer_unref (BaBuffer *buffer)
{
  if (!buffer)
    return;
  if (buffer->unref_locked) {
    bai_pool_unref_buffer (buffer->pool, buffer);
    return;
  }
  unsigned refs = atomic_fetch_sub_explicit (&buffer->refs, 1, memory_order_acq_rel);
  if (refs == 1)
    bai_pool_return (buffer->pool, buffer);
  else if (refs == 0)
    bai_pool_refuse (buffer->pool, buffer);
}

bool
ba_buffer_is_shared (const BaBuffer *buffer)
{
  return atomic_load_explicit (&buffer->refs, memory_order_acquire) > 1;
}

uint64_t
ba_buffer_get_id (const BaBuffer *buffer)
{
  return buffer->id;
}

unsigned
ba_buffer_get_index (const BaBuffer *buffer)
{
  return buffer->index;
}

BaPool *
ba_buffer_get_pool (const BaBuffer *buffer)
{
  return buffer->pool;
}

void *
ba_buffer_get_data (const BaBuffer *buffer)
{
  return buffer->blocks[0].data;
}

uint64_t
ba_buffer_get_physical_address (const BaBuffer *buffer)
{
  return buffer->blocks[0].physical_address;
}

size_t
ba_buffer_get_size (const BaBuffer *buffer)
{
  return buffer->size_bytes;
}

unsigned
ba_buffer_get_n_blocks (const BaBuffer *buffer)
{
  return buffer->n_blocks;
}

const BaBlock *
ba_buffer_get_block (const BaBuffer *buffer, unsigned i)
{
  return i < buffer->n_blocks ? &buffer->blocks[i] : NULL;
}

const BaLayout *
ba_buffer_get_layout (const BaBuffer *buffer)
{
  return buffer->layout;
}

void *
ba_buffer_get_plane (const BaBuffer *buffer, unsigned plane)
{
  if (plane >= buffer->layout->n_planes)
    return NULL;
  size_t offset = buffer->layout->offset_bytes[plane];
  for (unsigned i = 0; i < buffer->n_blocks; i++) {
    if (offset < buffer->blocks[i].size_bytes)
      return (uint8_t *) buffer->blocks[i].data + offset;
    offset -= buffer->blocks[i].size_bytes;
  }
  return NULL;
}

int
ba_buffer_get_fd (const BaBuffer *buffer, size_t *offset_bytes)
{
  if (offset_bytes)
    *offset_bytes = buffer->fd_offset_bytes;
  return buffer->fd;
}

BaOwnership
ba_buffer_get_ownership (const BaBuffer *buffer)
{
  return buffer->external ? BA_EXTERNAL : BA_OWNED;
}

BaState
ba_buffer_get_state (const BaBuffer *buffer)
{
  BaState state = (BaState) atomic_load_explicit (&buffer->state, memory_order_relaxed);
  bool resting = state == BA_STATE_HELD && atomic_load_explicit (&buffer->refs, memory_order_relaxed) == 0;
  return resting ? BA_STATE_FREE : state; /* the pool's shuttle, at home */
}

const char *
ba_state_name (BaState state)
{
  static const char *const names[] = { "free", "held", "filled", "lent", "orphan" };
  return (unsigned) state < sizeof names / sizeof names[0] ? names[state] : "unknown";
}

void
ba_buffer_set_holder (BaBuffer *buffer, const char *tag)
{
  atomic_store_explicit (&buffer->holder, tag, memory_order_release);
}

const char *
ba_buffer_get_holder (const BaBuffer *buffer)
{
  return atomic_load_explicit (&buffer->holder, memory_order_acquire);
}

void
ba_buffer_set_user_data (BaBuffer *buffer, void *data, void (*destroy) (void *data))
{
  void *old = buffer->user_data;
  void (*old_destroy) (void *) = buffer->user_destroy;
  buffer->user_data = data;
  buffer->user_destroy = destroy;
  if (old && old_destroy)
    old_destroy (old);
}

void *
ba_buffer_get_user_data (const BaBuffer *buffer)
{
  return buffer->user_data;
}
