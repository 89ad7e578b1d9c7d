/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstbamemfdallocator-private.h: what GstBaNormalPool needs of it. Not installed. */
#pragma once

#include "gstbamemfdallocator.h"

/* The core allocator behind it (transfer none). */
BaAllocator *gst_ba_memfd_allocator_get_core (GstBaMemfdAllocator * self);

/*
 * The GstFdMemory of a core buffer of that allocator, over @size bytes from @prefix on; takes the reference to @buffer
 * over, also where it fails. The memory is made once: when its last reference goes, the core buffer goes home with the
 * memory attached, and it comes out again with it, still mapped. NULL on failure.
 */
GstMemory *gst_ba_memfd_allocator_wrap (GstBaMemfdAllocator * self, BaBuffer * buffer, gsize prefix, gsize size);
