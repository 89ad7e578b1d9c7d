/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * registry.c: a list of pools, oldest first.
 *
 * An entry lives while the pool's allocator holds a reference of its own: bai_registry_leave() comes before that is
 * dropped. So a pool that is found under the registry's lock has at least one reference, and taking another is safe.
 * Lock order: registry, then pool.
 */
#include "registry.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "pool.h"
#include "registry-private.h"

struct BaRegistry
{
  atomic_uint refs; /* not used by the default one */
  atomic_uint_least64_t next_id; /* used by the default one only */
  pthread_mutex_t lock;
  BaPool **pools;
  unsigned n_pools;
  unsigned n_room;
  BaDebug *debugs; /* used by the default one only, like debug_seen */
  bool debug_seen;
  BaiOpenCard *cards; /* likewise */
  uint64_t n_cards_added;
};

/* One of the three pieces of process-wide state that the design allows. */
static BaRegistry default_registry = { .lock = PTHREAD_MUTEX_INITIALIZER, .next_id = 1 };

static BaRegistry *
or_default (BaRegistry *registry)
{
  return registry ? registry : &default_registry;
}

uint64_t
bai_registry_next_id (void)
{
  return atomic_fetch_add_explicit (&default_registry.next_id, 1, memory_order_relaxed);
}

int
bai_registry_enter (BaRegistry *registry, BaPool *pool)
{
  int r = 0;
  registry = or_default (registry);
  pthread_mutex_lock (&registry->lock);
  if (registry->n_pools == registry->n_room) {
    unsigned n = registry->n_room ? registry->n_room * 2 : 8;
    BaPool **pools = realloc (registry->pools, n * sizeof *pools);
    if (pools) {
      registry->pools = pools;
      registry->n_room = n;
    } else {
      r = -ENOMEM;
    }
  }
  if (r == 0)
    registry->pools[registry->n_pools++] = pool;
  pthread_mutex_unlock (&registry->lock);
  return r;
}

void
bai_registry_leave (BaRegistry *registry, BaPool *pool)
{
  registry = or_default (registry);
  pthread_mutex_lock (&registry->lock);
  for (unsigned i = 0; i < registry->n_pools; i++) {
    if (registry->pools[i] == pool) {
      registry->n_pools--;
      memmove (registry->pools + i, registry->pools + i + 1, (registry->n_pools - i) * sizeof *registry->pools);
      break;
    }
  }
  if (registry->n_pools == 0) { /* so that the default one leaves nothing behind at exit */
    free (registry->pools);
    registry->pools = NULL;
    registry->n_room = 0;
  }
  pthread_mutex_unlock (&registry->lock);
}

int
ba_registry_new (BaRegistry **out)
{
  *out = calloc (1, sizeof **out);
  if (!*out)
    return -ENOMEM;
  atomic_init (&(*out)->refs, 1);
  pthread_mutex_init (&(*out)->lock, NULL);
  return 0;
}

BaRegistry *
ba_registry_get_default (void)
{
  return &default_registry;
}

BaRegistry *
ba_registry_ref (BaRegistry *registry)
{
  if (registry != &default_registry)
    atomic_fetch_add_explicit (&registry->refs, 1, memory_order_relaxed);
  return registry;
}

void
ba_registry_unref (BaRegistry *registry)
{
  if (!registry || registry == &default_registry
      || atomic_fetch_sub_explicit (&registry->refs, 1, memory_order_acq_rel) != 1)
    return;
  pthread_mutex_destroy (&registry->lock);
  free (registry->pools);
  free (registry);
}

int
ba_registry_find_by_id (BaRegistry *registry, uint64_t id, BaPool **out)
{
  *out = NULL;
  registry = or_default (registry);
  pthread_mutex_lock (&registry->lock);
  for (unsigned i = 0; i < registry->n_pools && !*out; i++) {
    if (ba_pool_get_id (registry->pools[i]) == id)
      *out = ba_pool_ref (registry->pools[i]);
  }
  pthread_mutex_unlock (&registry->lock);
  return *out ? 0 : -EINVAL;
}

int
ba_registry_find_by_name (BaRegistry *registry, const char *name, BaPool **out)
{
  *out = NULL;
  if (!name || !*name)
    return -EINVAL;
  registry = or_default (registry);
  pthread_mutex_lock (&registry->lock);
  BaPool *found = NULL;
  bool open = false;
  for (unsigned i = 0; i < registry->n_pools && !open; i++) {
    BaPool *pool = registry->pools[i];
    if (strcmp (ba_pool_get_name (pool), name) != 0)
      continue;
    open = !ba_pool_is_closed (pool);
    if (open || !found)
      found = pool;
  }
  *out = found ? ba_pool_ref (found) : NULL;
  pthread_mutex_unlock (&registry->lock);
  return *out ? 0 : -EINVAL;
}

int
ba_registry_list (BaRegistry *registry, const char *category, BaPool ***pools, unsigned *n_pools)
{
  int r = 0;
  *pools = NULL;
  *n_pools = 0;
  registry = or_default (registry);
  pthread_mutex_lock (&registry->lock);
  if (registry->n_pools) {
    *pools = calloc (registry->n_pools, sizeof **pools);
    if (!*pools)
      r = -ENOMEM;
  }
  for (unsigned i = 0; r == 0 && i < registry->n_pools; i++) {
    BaPool *pool = registry->pools[i];
    if (!category || strcmp (ba_pool_get_category (pool), category) == 0)
      (*pools)[(*n_pools)++] = ba_pool_ref (pool);
  }
  pthread_mutex_unlock (&registry->lock);
  if (*n_pools == 0) {
    free (*pools);
    *pools = NULL;
  }
  return r;
}

void
ba_registry_free_list (BaPool **pools, unsigned n_pools)
{
  for (unsigned i = 0; i < n_pools; i++)
    ba_pool_unref (pools[i]);
  free (pools);
}

bool
bai_registry_add_debug (BaDebug *debug)
{
  pthread_mutex_lock (&default_registry.lock);
  bool first = !default_registry.debug_seen;
  default_registry.debug_seen = true;
  *bai_debug_next (debug) = default_registry.debugs;
  default_registry.debugs = debug;
  pthread_mutex_unlock (&default_registry.lock);
  return first;
}

void
bai_registry_remove_debug (BaDebug *debug)
{
  pthread_mutex_lock (&default_registry.lock);
  BaDebug **at = &default_registry.debugs;
  while (*at != debug)
    at = bai_debug_next (*at);
  *at = *bai_debug_next (debug);
  pthread_mutex_unlock (&default_registry.lock);
}

void
bai_registry_each_debug (void (*visit) (BaDebug *debug, void *user), void *user)
{
  pthread_mutex_lock (&default_registry.lock);
  for (BaDebug *debug = default_registry.debugs; debug; debug = *bai_debug_next (debug))
    visit (debug, user);
  pthread_mutex_unlock (&default_registry.lock);
}

BaiOpenCard *
bai_registry_next_card (BaiOpenCard *card, uint64_t *n_added)
{
  pthread_mutex_lock (&default_registry.lock);
  if (!card)
    *n_added = default_registry.n_cards_added;
  BaiOpenCard *next = card ? card->next : default_registry.cards;
  if (next)
    next->n_users++;
  pthread_mutex_unlock (&default_registry.lock);
  return next;
}

bool
bai_registry_add_card (BaiOpenCard *card, uint64_t n_added)
{
  pthread_mutex_lock (&default_registry.lock);
  bool is_new = default_registry.n_cards_added == n_added;
  if (is_new) {
    default_registry.n_cards_added++;
    card->n_users = 1;
    card->next = default_registry.cards;
    default_registry.cards = card;
  }
  pthread_mutex_unlock (&default_registry.lock);
  return is_new;
}

bool
bai_registry_unuse_card (BaiOpenCard *card)
{
  pthread_mutex_lock (&default_registry.lock);
  bool is_last = --card->n_users == 0;
  for (BaiOpenCard **at = &default_registry.cards; is_last && *at; at = &(*at)->next) {
    if (*at == card) {
      *at = card->next;
      break;
    }
  }
  pthread_mutex_unlock (&default_registry.lock);
  return is_last;
}
