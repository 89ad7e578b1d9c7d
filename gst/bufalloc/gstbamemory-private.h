/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstbamemory-private.h: how allocators make memories, and how pools park them. Not installed. */
#pragma once

#include "gstbamemory.h"

/*
 * A memory that a parked GstBuffer keeps gives its core buffer back but remembers which one it was: `held` is FALSE
 * then. Nobody but the pool that parked it can reach it in that state.
 */
typedef struct
{
  GstMemory mem;
  guint8 *data;         /* byte 0 of the memory's maxsize */
  BaBuffer *buffer;     /* a reference while held; a child has its root's, which holds it */
  gboolean held;
  gconstpointer parker;         /* the pool whose GstBuffer may be parked with it, and there: its slot; only that pool */
  guint slot;                   /* looks at them */
} GstBaMemory;

/* gst_is_ba_memory() for a memory that is there, without going through the library's table of symbols. */
gboolean gst_ba_memory_check (GstMemory * memory);

/* As gst_ba_memory_new(), but only @maxsize bytes from @skip on belong to the memory; @offset counts from there. */
GstMemory *gst_ba_memory_new_full (GstAllocator * allocator, BaBuffer * buffer, gsize skip, gsize maxsize,
    gsize align, gsize offset, gsize size, GstMemoryFlags flags);

/* Sets the memory functions of a GstAllocator instance. */
void gst_ba_memory_install (GstAllocator * allocator, const gchar * mem_type);

/* The free function of such an allocator's class. */
void gst_ba_memory_free (GstAllocator * allocator, GstMemory * memory);
