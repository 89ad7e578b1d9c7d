/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbaallocator.c: the base that keeps a core allocator, and the one for memory of this process.
 *
 * A memory that is allocated by itself is a pool of one core buffer that was closed at once: the buffer is an orphan
 * and is freed when the memory is. Pools (gstbanormalpool.c) build a core pool of many instead.
 */
#include "gstbaallocator-private.h"

#include <string.h>

#include "gstbamemory-private.h"

/* ---- base ---------------------------------------------------------------------------------------------------- */

typedef struct
{
  BaAllocator *core;
} GstBaAllocatorPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (GstBaAllocator, gst_ba_allocator, GST_TYPE_ALLOCATOR)

static void
gst_ba_allocator_finalize (GObject * object)
{
  GstBaAllocatorPrivate *priv = gst_ba_allocator_get_instance_private (GST_BA_ALLOCATOR (object));

  ba_allocator_unref (priv->core);
  G_OBJECT_CLASS (gst_ba_allocator_parent_class)->finalize (object);
}

static void
gst_ba_allocator_class_init (GstBaAllocatorClass * klass)
{
  G_OBJECT_CLASS (klass)->finalize = gst_ba_allocator_finalize;
  GST_ALLOCATOR_CLASS (klass)->free = gst_ba_memory_free;
}

static void
gst_ba_allocator_init (GstBaAllocator * self)
{
}

void
gst_ba_allocator_set_core (GstBaAllocator * self, BaAllocator * core)
{
  GstBaAllocatorPrivate *priv = gst_ba_allocator_get_instance_private (self);

  ba_allocator_unref (priv->core);
  priv->core = core;
}

BaAllocator *
gst_ba_allocator_get_core (GstBaAllocator * self)
{
  GstBaAllocatorPrivate *priv = gst_ba_allocator_get_instance_private (self);

  return priv->core;
}

/* ---- normal -------------------------------------------------------------------------------------------------- */

struct _GstBaNormalAllocator
{
  GstBaAllocator parent;
  gsize align_bytes;
};

G_DEFINE_TYPE (GstBaNormalAllocator, gst_ba_normal_allocator, GST_TYPE_BA_ALLOCATOR)

BaBuffer *
gst_ba_make_orphan (BaAllocator * core, gsize size_bytes)
{
  BaSpec spec = {.count = 1,.size_bytes = size_bytes,.category = "memory" };
  BaPool *pool;
  BaBuffer *buffer;

  if (ba_allocator_build_pool (core, &spec, &pool) < 0)
    return NULL;
  ba_pool_acquire (pool, BA_NO_WAIT, NULL, &buffer);
  ba_allocator_destroy_pool (core, pool);
  ba_pool_unref (pool);
  return buffer;
}

static GstMemory *
gst_ba_normal_allocator_alloc (GstAllocator * allocator, gsize size, GstAllocationParams * params)
{
  GstBaNormalAllocator *self = GST_BA_NORMAL_ALLOCATOR (allocator);
  gsize align = MAX (params->align, self->align_bytes - 1);     /* masks */
  gsize extra = align + 1 > self->align_bytes ? align : 0;      /* room to move the start to a wider alignment */
  BaAllocator *core = gst_ba_allocator_get_core (GST_BA_ALLOCATOR (self));
  gsize maxsize, room;
  BaBuffer *buffer;
  GstBaMemory *memory;

  if ((align & (align + 1)) != 0 || align == G_MAXSIZE) {
    GST_WARNING_OBJECT (self, "an alignment mask of %" G_GSIZE_FORMAT " is no power of two less one", align);
    return NULL;
  }
  if (!g_size_checked_add (&maxsize, size, params->prefix) || !g_size_checked_add (&maxsize, maxsize, params->padding)
      || !g_size_checked_add (&room, MAX (maxsize, 1), extra)) {
    GST_WARNING_OBJECT (self, "%" G_GSIZE_FORMAT " bytes with prefix and padding are more than there can be", size);
    return NULL;
  }
  buffer = core ? gst_ba_make_orphan (core, room) : NULL;
  if (!buffer) {
    GST_WARNING_OBJECT (self, "no memory for %" G_GSIZE_FORMAT " bytes", room);
    return NULL;
  }
  gsize skip = -(guintptr) ba_buffer_get_data (buffer) & align;
  memory = (GstBaMemory *) gst_ba_memory_new_full (allocator, buffer, skip, maxsize, align, params->prefix, size,
      params->flags);
  if (params->flags & GST_MEMORY_FLAG_ZERO_PREFIXED)
    memset (memory->data, 0, params->prefix);
  if (params->flags & GST_MEMORY_FLAG_ZERO_PADDED)
    memset (memory->data + params->prefix + size, 0, params->padding);
  return GST_MEMORY_CAST (memory);
}

static void
gst_ba_normal_allocator_class_init (GstBaNormalAllocatorClass * klass)
{
  GST_ALLOCATOR_CLASS (klass)->alloc = gst_ba_normal_allocator_alloc;
}

static void
gst_ba_normal_allocator_init (GstBaNormalAllocator * self)
{
  BaAllocator *core;

  gst_ba_memory_install (GST_ALLOCATOR (self), GST_BA_MEMORY_NORMAL);
  self->align_bytes = 64;
  if (ba_allocator_new (BA_TYPE_NORMAL, &core) == 0)    /* here, so that g_object_new() is a constructor too */
    gst_ba_allocator_set_core (GST_BA_ALLOCATOR (self), core);
}

GstAllocator *
gst_ba_normal_allocator_new_aligned (gsize align_bytes)
{
  BaConfig config = {.align_bytes = align_bytes };
  BaAllocator *core;
  GstBaNormalAllocator *self;

  if (ba_allocator_new_with_config (BA_TYPE_NORMAL, &config, NULL, &core) < 0)
    return NULL;
  self = g_object_ref_sink (g_object_new (GST_TYPE_BA_NORMAL_ALLOCATOR, NULL));
  self->align_bytes = align_bytes ? align_bytes : 64;
  gst_ba_allocator_set_core (GST_BA_ALLOCATOR (self), core);
  return GST_ALLOCATOR (self);
}

GstAllocator *
gst_ba_normal_allocator_new (void)
{
  return gst_ba_normal_allocator_new_aligned (0);
}

gsize
gst_ba_normal_allocator_get_align (GstBaNormalAllocator * self)
{
  return self->align_bytes;
}
