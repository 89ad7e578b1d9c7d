/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * registry.h: finds pools. Allocators enter their pools, and take them out, by themselves.
 *
 * Entries are weak: the registry keeps no pool alive, and what it finds comes with a reference of the caller's own.
 */
#ifndef BUFALLOC_REGISTRY_H
#define BUFALLOC_REGISTRY_H

#include <bufalloc/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * ba_registry_new:
 * @out: (out) (transfer full): an empty registry, NULL on error
 *
 * Threads: any. Returns: 0 or -ENOMEM
 */
BA_API int ba_registry_new (BaRegistry **out);

/** ba_registry_get_default: (transfer none): the one of this process; ref and unref do nothing to it. Threads: any. */
BA_API BaRegistry *ba_registry_get_default (void);

/** ba_registry_ref: (transfer full): another reference. Threads: any. */
BA_API BaRegistry *ba_registry_ref (BaRegistry *registry);

/** ba_registry_unref: drops a reference (nullable). Threads: any. */
BA_API void ba_registry_unref (BaRegistry *registry);

/**
 * ba_registry_find_by_id:
 * @registry: (nullable): a registry, NULL = the default one
 * @id: a pool's id
 * @out: (out) (transfer full): the pool, NULL on error
 *
 * Threads: any. Returns: 0, or -EINVAL where there is none
 */
BA_API int ba_registry_find_by_id (BaRegistry *registry, uint64_t id, BaPool **out);

/** ba_registry_find_by_name: as ba_registry_find_by_id(), by name; of several the oldest that is not closed, and a
 * closed one only where there is no other. Threads: any. */
BA_API int ba_registry_find_by_name (BaRegistry *registry, const char *name, BaPool **out);

/**
 * ba_registry_list:
 * @registry: (nullable): a registry, NULL = the default one
 * @category: (nullable): only pools of this category, NULL = all
 * @pools: (out) (array length=n_pools) (transfer full) (nullable): oldest first; NULL where there are none;
 *   give it back with ba_registry_free_list()
 * @n_pools: (out): how many
 *
 * Threads: any. Returns: 0 (also where there are none) or -ENOMEM
 */
BA_API int ba_registry_list (BaRegistry *registry, const char *category, BaPool ***pools, unsigned *n_pools);

/** ba_registry_free_list: drops the references of a list and frees it (nullable). Threads: any. */
BA_API void ba_registry_free_list (BaPool **pools, unsigned n_pools);

#ifdef __cplusplus
}
#endif
#endif
