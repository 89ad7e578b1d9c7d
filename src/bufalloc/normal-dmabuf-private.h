/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* normal-dmabuf-private.h: memory of this process that other devices may have too, for normal.c. */
#ifndef BUFALLOC_NORMAL_DMABUF_PRIVATE_H
#define BUFALLOC_NORMAL_DMABUF_PRIVATE_H

#include "allocator-ops.h"
#include "device-calls-private.h"
#include "factory.h"

/* Opens what makes dmabufs: its file; or -errno with a sentence. */
int bai_dmabuf_open_source (const BaDeviceCalls *calls, const BaConfig *config, BaError *error);

/* Makes one of @room_bytes, whole memory pages, and maps it: fills address and file of @out. */
int bai_dmabuf_make (const BaDeviceCalls *calls, BaMemoryKind kind, int source_fd, size_t room_bytes, BaMemory *out);

void bai_dmabuf_free (const BaDeviceCalls *calls, size_t room_bytes, const BaMemory *memory);

#endif
