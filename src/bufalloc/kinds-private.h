/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kinds-private.h: the hooks of the built-in kinds, for the factory's table. */
#ifndef BUFALLOC_KINDS_PRIVATE_H
#define BUFALLOC_KINDS_PRIVATE_H

#include "allocator-ops.h"

/* Huge memory is mapped in multiples of this, and aligned to it. */
#define BAI_HUGE_PAGE_BYTES ((size_t) 2 << 20)

extern const BaAllocatorOps bai_normal_ops;
extern const BaAllocatorOps bai_framebuffer_ops;
#ifdef BA_HAVE_AVFRAME
extern const BaAllocatorOps bai_avframe_ops;
#endif

#endif
