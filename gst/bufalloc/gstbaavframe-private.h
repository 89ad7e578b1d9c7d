/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstbaavframe-private.h: what gst_ba_init() needs to register the allocator of decoded frames. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* The allocator whose memory is a part of an AVFrame; it allocates nothing itself. Returns: (transfer full) */
GstAllocator *gst_ba_avframe_allocator_new (void);

G_END_DECLS
