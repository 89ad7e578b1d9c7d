/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbafdmemory.c: GstFdMemory over core buffers that have a file.
 *
 * GStreamer's own memory is used, because only that is a GstFdMemory to others. It cannot say when its last reference
 * goes but through its dispose hook. So a memory of a pool is revived there: the reference is taken back, the core
 * buffer goes home and keeps the memory as its user data. An idle memory holds no reference to its core buffer, and the
 * core buffer frees it when it ends itself.
 */
#include "gstbafdmemory-private.h"

#include <unistd.h>

#include "gstbaallocator-private.h"

static GQuark
buffer_quark (void)
{
  return g_quark_from_static_string ("GstBaMemfdBuffer");
}

BaBuffer *
gst_ba_fd_memory_get_buffer (GstMemory * memory)
{
  return gst_mini_object_get_qdata (GST_MINI_OBJECT_CAST (memory->parent ? memory->parent : memory), buffer_quark ());
}

gsize
gst_ba_fd_memory_get_file_offset (BaBuffer * buffer)
{
  gsize offset = 0;

  ba_buffer_get_fd (buffer, &offset);
  return offset;
}

gboolean
gst_ba_fd_memory_rests_with (BaBuffer * buffer)
{
  return ba_buffer_get_user_data (buffer) != NULL;
}

/* A GstFdMemory over a core buffer's part of the file. What lies before the part is mapped too: GstFdMemory maps from the
 * file's beginning. */
static GstMemory *
make_memory (GstAllocator * allocator, BaBuffer * buffer, int fd)
{
  gsize offset = gst_ba_fd_memory_get_file_offset (buffer);
  gsize size = ba_buffer_get_size (buffer);
  GstFdMemoryFlags flags = fd < 0 ? GST_FD_MEMORY_FLAG_DONT_CLOSE : GST_FD_MEMORY_FLAG_NONE;
  GstMemory *memory = gst_fd_allocator_alloc (allocator, fd < 0 ? ba_buffer_get_fd (buffer, NULL) : fd, offset + size,
      flags | GST_FD_MEMORY_FLAG_KEEP_MAPPED);

  if (memory)
    gst_memory_resize (memory, offset, size);
  return memory;
}

GstMemory *
gst_ba_fd_memory_alloc (GstAllocator * allocator, BaAllocator * core, gsize size, const GstAllocationParams * params)
{
  gsize maxsize;
  BaBuffer *buffer = NULL;
  GstMemory *memory;

  if (params->align >= (gsize) sysconf (_SC_PAGESIZE)) {
    GST_WARNING_OBJECT (allocator, "mapped memory is aligned to a memory page, not to %" G_GSIZE_FORMAT " bytes",
        params->align + 1);
    return NULL;
  }
  if (core && g_size_checked_add (&maxsize, size, params->prefix)
      && g_size_checked_add (&maxsize, maxsize, params->padding))
    buffer = gst_ba_make_orphan (core, MAX (maxsize, 1));
  memory = buffer ? make_memory (allocator, buffer, -1) : NULL;
  if (!memory) {
    GST_WARNING_OBJECT (allocator, "no memory for %" G_GSIZE_FORMAT " bytes with prefix and padding", size);
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
gst_ba_fd_memory_wrap (GstAllocator * allocator, BaBuffer * buffer, int fd, gsize prefix, gsize size)
{
  GstMemory *memory = ba_buffer_get_user_data (buffer);
  gsize start = gst_ba_fd_memory_get_file_offset (buffer);

  if (!memory) {
    memory = make_memory (allocator, buffer, fd);
    if (!memory) {
      if (fd >= 0)
        close (fd);
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
