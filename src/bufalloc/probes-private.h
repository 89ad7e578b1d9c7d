/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * probes-private.h: places where a tracer may look in (docs/debugging.md), each a single no-op while none does.
 *
 * Provider bufalloc: acquire, submit, take, release (pool id, buffer id), create, destroy (pool id, buffer id, bytes).
 * Arguments are numbers that were read before, so that a probe may stand behind the unlock, where the buffer may
 * already be somebody else's or gone.
 */
#ifndef BUFALLOC_PROBES_PRIVATE_H
#define BUFALLOC_PROBES_PRIVATE_H

#ifdef BA_HAVE_PROBES
#include <sys/sdt.h>
#define BAI_PROBE(name, pool_id, buffer_id) DTRACE_PROBE2 (bufalloc, name, pool_id, buffer_id)
#define BAI_PROBE_SIZE(name, pool_id, buffer_id, size_bytes) \
  DTRACE_PROBE3 (bufalloc, name, pool_id, buffer_id, size_bytes)
#else
#define BAI_PROBE(name, pool_id, buffer_id) ((void) (pool_id), (void) (buffer_id))
#define BAI_PROBE_SIZE(name, pool_id, buffer_id, size_bytes) \
  ((void) (pool_id), (void) (buffer_id), (void) (size_bytes))
#endif

#endif
