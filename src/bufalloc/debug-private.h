/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * debug-private.h: what stands between an allocator and its kind's hooks in debug mode.
 *
 * A BaDebug belongs to one backend (pool-private.h), which calls it in place of the hooks. It knows every buffer by its
 * id, from before the buffer enters a pool until after it has left.
 */
#ifndef BUFALLOC_DEBUG_PRIVATE_H
#define BUFALLOC_DEBUG_PRIVATE_H

#include <stdlib.h>
#include <string.h>

#include "allocator-ops.h"
#include "factory.h"

typedef struct BaDebug BaDebug;

/* Whether BUFALLOC_DEBUG is set to something else than nothing or 0. */
static inline bool
bai_debug_from_environment (void)
{
  const char *value = getenv ("BUFALLOC_DEBUG");
  return value && *value && strcmp (value, "0") != 0;
}

/* For an allocator of @ops and @config. NULL where there is no memory. */
BaDebug *bai_debug_new (const BaAllocatorOps *ops, const BaConfig *config);

/* After the last buffer and the close hook. @debug may be NULL. */
void bai_debug_free (BaDebug *debug);

/* As the create hook, with guards around what it makes. @id is the buffer's. */
int bai_debug_create (BaDebug *debug, void *state, const BaRequest *request, uint64_t id, BaMemory *out);

/* As the destroy hook. False, and nothing is destroyed, where no buffer @id lives. */
bool bai_debug_destroy (BaDebug *debug, void *state, uint64_t id);

/* @memory of somebody else enters, or leaves. Returns 0 or -ENOMEM; false where no buffer @id lives. */
int bai_debug_track (BaDebug *debug, uint64_t id, const BaMemory *memory);
bool bai_debug_untrack (BaDebug *debug, uint64_t id);

/* The live buffers with something written around them; each is logged once. */
unsigned bai_debug_count_damaged (BaDebug *debug);

/* For registry.c, which keeps the list of them: the next one in it. */
BaDebug **bai_debug_next (BaDebug *debug);

#endif
