/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* factory.c: a const table of our kinds, and behind it a small run-time table of registered ones. */
#include "factory.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "allocator-private.h"
#include "kinds-private.h"

static const struct
{
  BaType type;
  const char *name;
  const BaAllocatorOps *ops; /* NULL: not in this build, or decided by the config */
} kinds[] = {
  { BA_TYPE_AUTO, "auto", NULL },
  { BA_TYPE_NORMAL, "normal", &bai_normal_ops },
#ifdef BA_HAVE_AVFRAME
  { BA_TYPE_AVFRAME, "avframe", &bai_avframe_ops },
#else
  { BA_TYPE_AVFRAME, "avframe", NULL },
#endif
  { BA_TYPE_FRAMEBUFFER, "framebuffer", &bai_framebuffer_ops },
};

#define N_KINDS (sizeof kinds / sizeof kinds[0])

typedef struct Registered Registered;
struct Registered
{
  Registered *next;
  const BaAllocatorOps *ops;
  char name[BA_NAME_BYTES];
};

/* One of the three pieces of process-wide state that the design allows. */
static struct
{
  pthread_mutex_t lock;
  Registered *first;
} table = { PTHREAD_MUTEX_INITIALIZER, NULL };

static Registered **
find_registered_locked (const char *name)
{
  Registered **at = &table.first;
  while (*at && strcmp ((*at)->name, name) != 0)
    at = &(*at)->next;
  return at;
}

static const BaAllocatorOps *
find_registered (const char *name)
{
  pthread_mutex_lock (&table.lock);
  Registered *found = *find_registered_locked (name);
  const BaAllocatorOps *ops = found ? found->ops : NULL;
  pthread_mutex_unlock (&table.lock);
  return ops;
}

const char *
ba_type_name (BaType type)
{
  for (unsigned i = 0; i < N_KINDS; i++) {
    if (kinds[i].type == type)
      return kinds[i].name;
  }
  return NULL;
}

int
ba_type_from_name (const char *name, BaType *type)
{
  *type = BA_TYPE_AUTO;
  for (unsigned i = 0; name && i < N_KINDS; i++) {
    if (strcmp (kinds[i].name, name) == 0) {
      *type = kinds[i].type;
      return 0;
    }
  }
  return -EINVAL;
}

int
ba_allocator_new_with_config (BaType type, const BaConfig *config, BaError *error, BaAllocator **out)
{
  static const BaConfig defaults = { 0 };
  *out = NULL;
  if (!config)
    config = &defaults;
  if (type == BA_TYPE_AUTO)
    type = config->display || config->n_blocks ? BA_TYPE_FRAMEBUFFER : BA_TYPE_NORMAL;
  for (unsigned i = 0; i < N_KINDS; i++) {
    if (kinds[i].type != type)
      continue;
    if (!kinds[i].ops)
      return ba_error_set (error, -ENOTSUP, "this build has no allocator of kind %s: build with the meson option of "
                           "that name", kinds[i].name);
    return bai_allocator_new (kinds[i].ops, config, error, out);
  }
  return ba_error_set (error, -EINVAL, "%d is no type of allocator: see BaType", (int) type);
}

int
ba_allocator_new (BaType type, BaAllocator **out)
{
  return ba_allocator_new_with_config (type, NULL, NULL, out);
}

int
ba_allocator_new_by_name (const char *name, const BaConfig *config, BaError *error, BaAllocator **out)
{
  static const BaConfig defaults = { 0 };
  BaType type;
  *out = NULL;
  if (!name)
    return ba_error_set (error, -EINVAL, "an allocator's name is missing");
  if (ba_type_from_name (name, &type) == 0)
    return ba_allocator_new_with_config (type, config, error, out);
  const BaAllocatorOps *ops = find_registered (name);
  if (!ops)
    return ba_error_set (error, -EINVAL, "no allocator is called \"%s\": built in are auto, normal, avframe and "
                         "framebuffer, others must be registered first", name);
  return bai_allocator_new (ops, config ? config : &defaults, error, out);
}

int
ba_factory_register (const char *name, const BaAllocatorOps *ops)
{
  BaType type;
  if (!name || !*name || strlen (name) >= BA_NAME_BYTES || !ops || !ops->name || !ops->create)
    return -EINVAL;
  if (ba_type_from_name (name, &type) == 0)
    return -EEXIST;
  Registered *entry = calloc (1, sizeof *entry);
  if (!entry)
    return -ENOMEM;
  entry->ops = ops;
  strcpy (entry->name, name);

  pthread_mutex_lock (&table.lock);
  Registered **at = find_registered_locked (name);
  bool taken = *at != NULL;
  if (!taken)
    *at = entry;
  pthread_mutex_unlock (&table.lock);
  if (taken)
    free (entry);
  return taken ? -EEXIST : 0;
}

int
ba_factory_unregister (const char *name)
{
  if (!name)
    return -EINVAL;
  pthread_mutex_lock (&table.lock);
  Registered **at = find_registered_locked (name);
  Registered *entry = *at;
  if (entry)
    *at = entry->next;
  pthread_mutex_unlock (&table.lock);
  free (entry);
  return entry ? 0 : -EINVAL;
}
