/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstbamemfdallocator-private.h: what GstBaNormalPool needs of it. Not installed. */
#pragma once

#include "gstbamemfdallocator.h"

/* The core allocator behind it (transfer none). */
BaAllocator *gst_ba_memfd_allocator_get_core (GstBaMemfdAllocator * self);
