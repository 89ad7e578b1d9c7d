/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbamemory.c: map, share and give back. Core memory is always mapped, so a map is an address and a question: may
 * this be written now?
 */
#include "gstbamemory-private.h"

#include "gstbafdmemory-private.h"

static gpointer
ba_memory_map (GstMemory * memory, gsize maxsize, GstMapFlags flags)
{
  GstBaMemory *self = (GstBaMemory *) memory;

  if ((flags & GST_MAP_WRITE) && ba_buffer_is_shared (self->buffer))
    return NULL;                /* a decoder or the screen still reads it: GStreamer copies for the writer */
  return self->data;
}

static void
ba_memory_unmap (GstMemory * memory)
{
}

static GstMemory *
ba_memory_share (GstMemory * memory, gssize offset, gssize size)
{
  GstBaMemory *self = (GstBaMemory *) memory;
  GstMemory *parent = memory->parent ? memory->parent : memory;
  GstBaMemory *child = g_new0 (GstBaMemory, 1);

  if (size == -1)
    size = memory->size - offset;
  gst_memory_init (GST_MEMORY_CAST (child), GST_MINI_OBJECT_FLAGS (parent) | GST_MINI_OBJECT_FLAG_LOCK_READONLY,
      memory->allocator, parent, memory->maxsize, memory->align, memory->offset + offset, size);
  child->data = self->data;
  child->buffer = self->buffer;
  return GST_MEMORY_CAST (child);
}

static gboolean
ba_memory_is_span (GstMemory * mem1, GstMemory * mem2, gsize * offset)
{
  GstBaMemory *a = (GstBaMemory *) mem1;
  GstBaMemory *b = (GstBaMemory *) mem2;

  if (offset)
    *offset = mem1->offset - mem1->parent->offset;
  return a->data + mem1->offset + mem1->size == b->data + mem2->offset;
}

void
gst_ba_memory_install (GstAllocator * allocator, const gchar * mem_type)
{
  allocator->mem_type = mem_type;
  allocator->mem_map = ba_memory_map;
  allocator->mem_unmap = ba_memory_unmap;
  allocator->mem_share = ba_memory_share;
  allocator->mem_is_span = ba_memory_is_span;
}

void
gst_ba_memory_free (GstAllocator * allocator, GstMemory * memory)
{
  GstBaMemory *self = (GstBaMemory *) memory;

  if (memory->parent == NULL && self->held)     /* a child's root holds the page */
    ba_buffer_unref (self->buffer);
  g_free (self);
}

GstMemory *
gst_ba_memory_new_full (GstAllocator * allocator, BaBuffer * buffer, gsize skip, gsize maxsize, gsize align,
    gsize offset, gsize size, GstMemoryFlags flags)
{
  GstBaMemory *self = g_new0 (GstBaMemory, 1);

  gst_memory_init (GST_MEMORY_CAST (self), flags, allocator, NULL, maxsize, align, offset, size);
  self->data = (guint8 *) ba_buffer_get_data (buffer) + skip;
  self->buffer = buffer;
  self->held = TRUE;
  return GST_MEMORY_CAST (self);
}

GstMemory *
gst_ba_memory_new (GstAllocator * allocator, BaBuffer * buffer, gsize offset, gsize size)
{
  gsize maxsize = ba_buffer_get_block (buffer, 0)->size_bytes;

  g_return_val_if_fail (ba_buffer_get_n_blocks (buffer) == 1, NULL);
  g_return_val_if_fail (offset <= maxsize && size <= maxsize - offset, NULL);
  return gst_ba_memory_new_full (allocator, buffer, offset, maxsize - offset, 0, 0, size, 0);
}

gboolean
gst_ba_memory_check (GstMemory * memory)
{
  /* the function is the mark: no other allocator has it */
  return memory->allocator != NULL && memory->allocator->mem_map == ba_memory_map;
}

gboolean
gst_is_ba_memory (GstMemory * memory)
{
  return memory != NULL && (gst_ba_memory_check (memory) || gst_ba_fd_memory_get_buffer (memory));
}

BaBuffer *
gst_ba_memory_get_buffer (GstMemory * memory)
{
  if (!memory)
    return NULL;
  return gst_ba_memory_check (memory) ? ((GstBaMemory *) memory)->buffer : gst_ba_fd_memory_get_buffer (memory);
}

gsize
gst_ba_memory_get_start (GstMemory * memory)
{
  g_return_val_if_fail (gst_is_ba_memory (memory), 0);
  GstBaMemory *self = (GstBaMemory *) memory;

  if (!gst_ba_memory_check (memory))
    return memory->offset - gst_ba_fd_memory_get_file_offset (gst_ba_fd_memory_get_buffer (memory));
  return self->data - (guint8 *) ba_buffer_get_data (self->buffer) + memory->offset;
}
