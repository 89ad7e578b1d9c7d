/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* registry-private.h: entering and leaving, for allocator.c only; and the process's source of ids. */
#ifndef BUFALLOC_REGISTRY_PRIVATE_H
#define BUFALLOC_REGISTRY_PRIVATE_H

#include "debug-private.h"
#include "registry.h"

/* Enters @pool without taking a reference: it must leave before its owner drops its own. Returns 0 or -ENOMEM. */
int bai_registry_enter (BaRegistry *registry, BaPool *pool);

/* Takes @pool out; nothing happens where it is not in. */
void bai_registry_leave (BaRegistry *registry, BaPool *pool);

/* A number that was never given out before in this process, from 1. */
uint64_t bai_registry_next_id (void);

/* The allocators in debug mode: a list that the default registry keeps, whatever registry their pools are in. Adding
 * returns true for the first one of the process. @visit is called under the registry's lock. */
bool bai_registry_add_debug (BaDebug *debug);
void bai_registry_remove_debug (BaDebug *debug);
void bai_registry_each_debug (void (*visit) (BaDebug *debug, void *user), void *user);

/* Cards that are open, each once, for the displays that share it: a list that the default registry keeps. Begin with this
 * what is put in. */
typedef struct BaiOpenCard
{
  struct BaiOpenCard *next;
  unsigned n_users;
} BaiOpenCard;

/* The card behind @card in the list, or the first one, with one more user; NULL at the end. Asked for the first one it
 * also says how many were ever put in. */
BaiOpenCard *bai_registry_next_card (BaiOpenCard *card, uint64_t *n_added);
/* Puts @card in, with one user; false where another one was put in since the first one was asked for: look again. */
bool bai_registry_add_card (BaiOpenCard *card, uint64_t n_added);
/* True where that was the last one: it is out of the list. */
bool bai_registry_unuse_card (BaiOpenCard *card);

#endif
