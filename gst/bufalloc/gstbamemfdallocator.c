/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbamemfdallocator.c: GstFdMemory over core buffers of the memfd kind.
 *
 * GStreamer's own memory is used, because only that is a GstFdMemory to others. It cannot say when its last reference
 * goes but through its dispose hook. So a memory of a pool is revived there: the reference is taken back, the core
 * buffer goes home and keeps the memory as its user data. An idle memory holds no reference to its core buffer, and the
 * core buffer frees it when it ends itself.
 */
#include "gstbamemfdallocator-private.h"

#include <unistd.h>

#include "gstbaallocator-private.h"
#include "gstbamemory.h"

struct _GstBaMemfdAllocator
{
  GstFdAllocator parent;
  BaAllocator *core;
};

G_DEFINE_TYPE (GstBaMemfdAllocator, gst_ba_memfd_allocator, GST_TYPE_FD_ALLOCATOR)

static GQuark
buffer_quark (void)
{
  return g_quark_from_static_string ("GstBaMemfdBuffer");
}

/* A GstFdMemory over a core buffer's part of the file. What lies before the part is mapped too: GstFdMemory maps from the
 * file's beginning. */
static GstMemory *
make_memory (GstBaMemfdAllocator * self, BaBuffer * buffer)
{
  gsize offset;
  int fd = ba_buffer_get_fd (buffer, &offset);
  gsize size = ba_buffer_get_size (buffer);
  GstMemory *memory = gst_fd_allocator_alloc (GST_ALLOCATOR (self), fd, offset + size,
      GST_FD_MEMORY_FLAG_DONT_CLOSE | GST_FD_MEMORY_FLAG_KEEP_MAPPED);

  if (memory)
    gst_memory_resize (memory, offset, size);
  return memory;
}

static GstMemory *
gst_ba_memfd_allocator_alloc (GstAllocator * allocator, gsize size, GstAllocationParams * params)
{
  GstBaMemfdAllocator *self = GST_BA_MEMFD_ALLOCATOR (allocator);
  gsize maxsize;
  BaBuffer *buffer = NULL;
  GstMemory *memory;

  if (params->align >= (gsize) sysconf (_SC_PAGESIZE)) {
    GST_WARNING_OBJECT (self, "mapped memory is aligned to a memory page, not to %" G_GSIZE_FORMAT " bytes",
        params->align + 1);
    return NULL;
  }
  if (self->core && g_size_checked_add (&maxsize, size, params->prefix) && g_size_checked_add (&maxsize, maxsize, params->padding))
    buffer = gst_ba_make_orphan (self->core, MAX (maxsize, 1));
  memory = buffer ? make_memory (self, buffer) : NULL;
  if (!memory) {
    GST_WARNING_OBJECT (self, "no memory for %" G_GSIZE_FORMAT " bytes with prefix and padding", size);
    ba_buffer_unref (buffer);
    return NULL;
  }
  gst_memory_resize (memory, params->prefix, size);
  /* a new file is zero: whatever the parameters want zeroed is */
  GST_MINI_OBJECT_FLAG_SET (memory, params->flags);
  gst_mini_object_set_qdata (GST_MINI_OBJECT_CAST (memory), buffer_quark (), buffer, (GDestroyNotify) ba_buffer_unref);
  return memory;
}

/* ---- memories of a pool ---------------------------------------------------------------------------------------- */

/* The core buffer ends: so does the memory that rests with it. */
static void
end_resting_memory (void *data)
{
  GstMemory *memory = data;

  memory->mini_object.dispose = NULL;
  gst_memory_unref (memory);
}

static gboolean
go_home (GstMiniObject * object)
{
  BaBuffer *buffer = gst_mini_object_get_qdata (object, buffer_quark ());

  gst_mini_object_ref (object);
  ba_buffer_unref (buffer);     /* last: it may end the memory, or hand it to another thread */
  return FALSE;
}

GstMemory *
gst_ba_memfd_allocator_wrap (GstBaMemfdAllocator * self, BaBuffer * buffer, gsize prefix, gsize size)
{
  GstMemory *memory = ba_buffer_get_user_data (buffer);
  gsize start;

  ba_buffer_get_fd (buffer, &start);
  if (!memory) {
    memory = make_memory (self, buffer);
    if (!memory) {
      ba_buffer_unref (buffer);
      return NULL;
    }
    gst_mini_object_set_qdata (GST_MINI_OBJECT_CAST (memory), buffer_quark (), buffer, NULL);
    memory->mini_object.dispose = go_home;
    ba_buffer_set_user_data (buffer, memory, end_resting_memory);
  }
  gst_memory_resize (memory, (gssize) (start + prefix) - (gssize) memory->offset, size);
  return memory;
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
