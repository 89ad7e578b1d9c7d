/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * debug.h: asks an allocator in debug mode what it has seen.
 *
 * Debug mode is switched on by BaConfig.debug, or for every allocator of the process by the environment variable
 * BUFALLOC_DEBUG=1, and works over any kind of memory. It logs each buffer that is created and destroyed (level INFO);
 * puts guard bytes before and after every block whose size the pool's spec decides, and looks at them when the buffer
 * is destroyed (level ERROR where something was written there); refuses to destroy what does not live (ERROR); and
 * names the buffers that still live when the process ends (ERROR). Pages of a device and FFmpeg frames get no guards.
 */
#ifndef BUFALLOC_DEBUG_H
#define BUFALLOC_DEBUG_H

#include <bufalloc/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * ba_debug_check:
 * @allocator: (transfer none): an allocator in debug mode
 * @n_damaged: (out) (optional): its live buffers with something written before or behind them, 0 on error
 *
 * Looks at the guard bytes of all buffers that live now, wherever they are. Damage is logged once for each buffer.
 * Threads: any.
 *
 * Returns: 0, or -ENOTSUP where @allocator is not in debug mode
 */
BA_API int ba_debug_check (BaAllocator *allocator, unsigned *n_damaged);

#ifdef __cplusplus
}
#endif
#endif
