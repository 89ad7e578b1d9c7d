/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstbamemfdallocator.c: GstFdMemory over core buffers of the memfd kind. */
#include "gstbamemfdallocator-private.h"

#include "gstbafdmemory-private.h"

struct _GstBaMemfdAllocator
{
  GstFdAllocator parent;
  BaAllocator *core;
};

G_DEFINE_TYPE (GstBaMemfdAllocator, gst_ba_memfd_allocator, GST_TYPE_FD_ALLOCATOR)

static GstMemory *
gst_ba_memfd_allocator_alloc (GstAllocator * allocator, gsize size, GstAllocationParams * params)
{
  return gst_ba_fd_memory_alloc (allocator, GST_BA_MEMFD_ALLOCATOR (allocator)->core, size, params);
}

/* ---- object --------------------------------------------------------------------------------------------------- */

static void
gst_ba_memfd_allocator_finalize (GObject * object)
{
  ba_allocator_unref (GST_BA_MEMFD_ALLOCATOR (object)->core);
  G_OBJECT_CLASS (gst_ba_memfd_allocator_parent_class)->finalize (object);
}

static void
gst_ba_memfd_allocator_class_init (GstBaMemfdAllocatorClass * klass)
{
  G_OBJECT_CLASS (klass)->finalize = gst_ba_memfd_allocator_finalize;
  GST_ALLOCATOR_CLASS (klass)->alloc = gst_ba_memfd_allocator_alloc;
}

static void
gst_ba_memfd_allocator_init (GstBaMemfdAllocator * self)
{
  BaConfig config = {.memory = BA_MEMORY_MEMFD };

  ba_allocator_new_with_config (BA_TYPE_NORMAL, &config, NULL, &self->core);
}

BaAllocator *
gst_ba_memfd_allocator_get_core (GstBaMemfdAllocator * self)
{
  return self->core;
}

GstAllocator *
gst_ba_memfd_allocator_new (void)
{
  GstBaMemfdAllocator *self = g_object_ref_sink (g_object_new (GST_TYPE_BA_MEMFD_ALLOCATOR, NULL));

  if (!self->core)
    gst_clear_object (&self);
  return (GstAllocator *) self;
}
