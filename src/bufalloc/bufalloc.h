/* SPDX-License-Identifier: LGPL-2.1-or-later */
/** bufalloc.h: everything; for people who write allocators there is allocator-ops.h besides. */
#ifndef BUFALLOC_BUFALLOC_H
#define BUFALLOC_BUFALLOC_H

#include <bufalloc/allocator.h>
#include <bufalloc/avframe.h>
#include <bufalloc/buffer.h>
#include <bufalloc/debug.h>
#include <bufalloc/display.h>
#include <bufalloc/dmabuf.h>
#include <bufalloc/error.h>
#include <bufalloc/factory.h>
#include <bufalloc/health.h>
#include <bufalloc/log.h>
#include <bufalloc/pool.h>
#include <bufalloc/registry.h>
#include <bufalloc/types.h>
#include <bufalloc/virtual-display.h>

#endif
