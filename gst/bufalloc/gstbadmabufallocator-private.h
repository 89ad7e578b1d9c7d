/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstbadmabufallocator-private.h: what the pools need of it. Not installed. */
#pragma once

#include "gstbadmabufallocator.h"

/* The core allocator behind it (transfer none); NULL for the one below. */
BaAllocator *gst_ba_dmabuf_allocator_get_core (GstBaDmabufAllocator * self);

/* For memories of buffers that are another allocator's, pages for one; it makes none of its own. */
GstAllocator *gst_ba_dmabuf_allocator_new_for_pages (void);
