/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbadmabufallocator.c: GstDmaBufMemory over core buffers: of memory that was made for it, or pages of a screen.
 *
 * The core has it mapped already, so a map is an address, a question (may this be written now?), and the bracket that a
 * device's driver needs around what the CPU does.
 */
#include "gstbadmabufallocator-private.h"

#include "gstbafdmemory-private.h"

struct _GstBaDmabufAllocator
{
  GstDmaBufAllocator parent;
  BaAllocator *core;
};

G_DEFINE_TYPE (GstBaDmabufAllocator, gst_ba_dmabuf_allocator, GST_TYPE_DMABUF_ALLOCATOR)

static GstMemory *
gst_ba_dmabuf_allocator_alloc (GstAllocator * allocator, gsize size, GstAllocationParams * params)
{
  return gst_ba_fd_memory_alloc (allocator, GST_BA_DMABUF_ALLOCATOR (allocator)->core, size, params);
}

static guint
access_of (GstMapFlags flags)
{
  return ((flags & GST_MAP_READ) ? BA_DMABUF_READ : 0) | ((flags & GST_MAP_WRITE) ? BA_DMABUF_WRITE : 0);
}

static gpointer
dmabuf_map (GstMemory * memory, GstMapInfo * info, gsize maxsize)
{
  BaBuffer *buffer = gst_ba_fd_memory_get_buffer (memory);
  gint r;

  if ((info->flags & GST_MAP_WRITE) && ba_buffer_is_shared (buffer))
    return NULL;                /* the screen still reads it: GStreamer copies for the writer */
  r = ba_dmabuf_begin_access (gst_dmabuf_memory_get_fd (memory), access_of (info->flags));
  if (r < 0)
    GST_DEBUG_OBJECT (memory->allocator, "a device's driver was not told of a map: %s", ba_error_text (r));
  return ba_buffer_get_data (buffer);
}

static void
dmabuf_unmap (GstMemory * memory, GstMapInfo * info)
{
  gint r = ba_dmabuf_end_access (gst_dmabuf_memory_get_fd (memory), access_of (info->flags));

  if (r < 0)
    GST_DEBUG_OBJECT (memory->allocator, "a device's driver was not told of an unmap: %s", ba_error_text (r));
}

static void
gst_ba_dmabuf_allocator_finalize (GObject * object)
{
  ba_allocator_unref (GST_BA_DMABUF_ALLOCATOR (object)->core);
  G_OBJECT_CLASS (gst_ba_dmabuf_allocator_parent_class)->finalize (object);
}

static void
gst_ba_dmabuf_allocator_class_init (GstBaDmabufAllocatorClass * klass)
{
  G_OBJECT_CLASS (klass)->finalize = gst_ba_dmabuf_allocator_finalize;
  GST_ALLOCATOR_CLASS (klass)->alloc = gst_ba_dmabuf_allocator_alloc;
}

static void
gst_ba_dmabuf_allocator_init (GstBaDmabufAllocator * self)
{
  GST_ALLOCATOR (self)->mem_map_full = dmabuf_map;
  GST_ALLOCATOR (self)->mem_unmap_full = dmabuf_unmap;
}

BaAllocator *
gst_ba_dmabuf_allocator_get_core (GstBaDmabufAllocator * self)
{
  return self->core;
}

GstAllocator *
gst_ba_dmabuf_allocator_new_for_pages (void)
{
  GstAllocator *self = g_object_ref_sink (g_object_new (GST_TYPE_BA_DMABUF_ALLOCATOR, NULL));

  /* or a deep copy of a page would ask for another page */
  GST_OBJECT_FLAG_SET (self, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC);
  return self;
}

GstAllocator *
gst_ba_dmabuf_allocator_new (const gchar * source, BaError * error)
{
  BaConfig config = {.memory = BA_MEMORY_DMA_HEAP,.heap = source };
  BaAllocator *core;
  GstBaDmabufAllocator *self;

  if (g_strcmp0 (source, "udmabuf") == 0)
    config.memory = BA_MEMORY_UDMABUF;
  if (ba_allocator_new_with_config (BA_TYPE_NORMAL, &config, error, &core) < 0)
    return NULL;
  self = g_object_ref_sink (g_object_new (GST_TYPE_BA_DMABUF_ALLOCATOR, NULL));
  self->core = core;
  return GST_ALLOCATOR (self);
}
