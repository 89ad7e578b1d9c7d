/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * debug.c: debug mode: a record of every live buffer, guard bytes around it, and a list of what is left at exit.
 *
 * The kind is asked for a larger block, and the buffer lies inside it: behind enough bytes to keep every alignment that
 * the kind promises. Where a kind makes something else than the one block it was asked for, nothing can be put around
 * it, and it is only tracked. Lock order: registry, then debug. Nothing is logged, and no hook called, under either.
 */
#include "debug-private.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "allocator-private.h"
#include "kinds-private.h"
#include "layout-private.h"
#include "log.h"
#include "registry-private.h"

enum
{
  GUARD_BYTE = 0xba,
  REAR_BYTES = 64,
  MOST_FRONT_BYTES = 4096, /* of a larger front, only these bytes next to the buffer are filled and looked at */
  MOST_NAMED = 32          /* leaks and damages that are told one by one */
};

typedef struct
{
  uint64_t id; /* first: the tree compares it */
  BaMemory memory; /* as the kind made it */
  uint8_t *data;   /* as its holders see it */
  size_t size_bytes;
  size_t front_bytes; /* 0: no guards */
  pid_t thread;
  bool damaged; /* debug's lock: was told */
} Record;

/* What is told about a record, outside the locks. */
typedef struct
{
  uint64_t id;
  void *data;
  size_t size_bytes;
  pid_t thread;
  const char *kind;
} Told;

typedef struct
{
  unsigned n;
  Told told[MOST_NAMED];
} Telling;

struct BaDebug
{
  const BaAllocatorOps *ops; /* constant */
  size_t front_bytes;        /* constant */
  pid_t process;             /* constant: a child that was forked has our records, but they are not its leaks */
  BaDebug *next;             /* registry's lock */
  pthread_mutex_t lock;
  void *live; /* tsearch()'s tree of Records */
  bool plain; /* lock: this kind's blocks take no guards */
};

/* ---- records ----------------------------------------------------------------------------------------------------- */

static int
compare_ids (const void *a, const void *b)
{
  uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;
  return x < y ? -1 : x > y;
}

static int
enter_record (BaDebug *debug, Record *record)
{
  record->thread = gettid ();
  pthread_mutex_lock (&debug->lock);
  bool entered = tsearch (record, &debug->live, compare_ids) != NULL;
  pthread_mutex_unlock (&debug->lock);
  if (!entered)
    return -ENOMEM;
  ba_log (BA_LOG_INFO, "debug: %s: buffer %" PRIu64 " created: %zu bytes at %p by thread %d", debug->ops->name,
          record->id, record->size_bytes, (void *) record->data, (int) record->thread);
  return 0;
}

/* Takes the record of @id out; the caller frees it. Says so where there is none. */
static Record *
leave_record (BaDebug *debug, uint64_t id)
{
  Record *record = NULL;
  pthread_mutex_lock (&debug->lock);
  Record **found = tfind (&id, &debug->live, compare_ids);
  if (found) {
    record = *found;
    tdelete (&id, &debug->live, compare_ids);
  }
  pthread_mutex_unlock (&debug->lock);
  if (record)
    ba_log (BA_LOG_INFO, "debug: %s: buffer %" PRIu64 " destroyed: %zu bytes at %p by thread %d", debug->ops->name, id,
            record->size_bytes, (void *) record->data, (int) gettid ());
  else
    ba_log (BA_LOG_ERROR, "debug: %s: buffer %" PRIu64 " is destroyed by thread %d, but it does not live: freed twice?",
            debug->ops->name, id, (int) gettid ());
  return record;
}

static void
tell_of (Telling *telling, const Record *record, const char *kind)
{
  if (telling->n < MOST_NAMED)
    telling->told[telling->n] = (Told){ record->id, record->data, record->size_bytes, record->thread, kind };
  telling->n++;
}

static void
log_telling (const Telling *telling, const char *what)
{
  for (unsigned i = 0; i < telling->n && i < MOST_NAMED; i++) {
    const Told *told = &telling->told[i];
    ba_log (BA_LOG_ERROR, "debug: %s: buffer %" PRIu64 " %s: %zu bytes at %p, created by thread %d", told->kind,
            told->id, what, told->size_bytes, told->data, (int) told->thread);
  }
  if (telling->n > MOST_NAMED)
    ba_log (BA_LOG_ERROR, "debug: and %u more buffers %s", telling->n - MOST_NAMED, what);
}

/* ---- guards ------------------------------------------------------------------------------------------------------ */

static size_t
looked_at_front (const Record *record)
{
  return record->front_bytes < MOST_FRONT_BYTES ? record->front_bytes : MOST_FRONT_BYTES;
}

static void
fill_guards (Record *record)
{
  size_t front_bytes = looked_at_front (record);
  memset (record->data - front_bytes, GUARD_BYTE, front_bytes);
  memset (record->data + record->size_bytes, GUARD_BYTE, REAR_BYTES);
}

static bool
all_guard (const uint8_t *bytes, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    if (bytes[i] != GUARD_BYTE)
      return false;
  }
  return true;
}

static bool
is_damaged (const Record *record)
{
  size_t front_bytes = looked_at_front (record);
  return record->front_bytes
      && !(all_guard (record->data - front_bytes, front_bytes)
           && all_guard (record->data + record->size_bytes, REAR_BYTES));
}

/* Whether @memory is the one block that was asked for, so that a part of it can be the buffer. */
static bool
is_as_asked (const BaMemory *memory, const BaSpec *spec)
{
  return memory->n_blocks == 1 && memory->blocks[0].data && memory->blocks[0].size_bytes == spec->size_bytes
      && memcmp (&memory->layout, &spec->layout, sizeof spec->layout) == 0;
}

/* Asks the kind for a block with room for guards. Where its blocks take none, nothing is made and @guards is false. */
static int
create_guarded (BaDebug *debug, void *state, const BaRequest *request, Record *record, BaMemory *out, bool *guards)
{
  const BaAllocatorOps *ops = debug->ops;
  BaSpec spec = *request->spec;
  BaRequest larger = { &spec, request->pool_id, request->index };
  if (!bai_add (spec.size_bytes, debug->front_bytes + REAR_BYTES, &spec.size_bytes))
    return -EINVAL;
  int r = bai_hook_code (ops, "create", ops->create (state, &larger, out));
  if (r < 0)
    return r;
  if (!is_as_asked (out, &spec)) {
    if (ops->destroy)
      ops->destroy (state, out);
    *out = (BaMemory) BA_MEMORY_INIT;
    *guards = false;
    return 0;
  }
  record->memory = *out;
  record->front_bytes = debug->front_bytes;
  out->blocks[0].data = (uint8_t *) out->blocks[0].data + debug->front_bytes;
  out->blocks[0].size_bytes = request->spec->size_bytes;
  if (out->blocks[0].physical_address)
    out->blocks[0].physical_address += debug->front_bytes;
  if (out->fd >= 0)
    out->fd_offset_bytes += debug->front_bytes;
  record->data = out->blocks[0].data;
  record->size_bytes = out->blocks[0].size_bytes;
  fill_guards (record);
  return 0;
}

static void
describe (Record *record, const BaMemory *memory)
{
  record->memory = *memory;
  record->data = memory->blocks[0].data;
  for (unsigned i = 0; i < memory->n_blocks && i < BA_MAX_PLANES; i++)
    record->size_bytes += memory->blocks[i].size_bytes;
}

static bool
takes_guards (BaDebug *debug, const BaSpec *spec)
{
  pthread_mutex_lock (&debug->lock);
  bool plain = debug->plain;
  pthread_mutex_unlock (&debug->lock);
  return !plain && !debug->ops->decides_size && spec->size_bytes;
}

/* ---- in place of the hooks --------------------------------------------------------------------------------------- */

int
bai_debug_create (BaDebug *debug, void *state, const BaRequest *request, uint64_t id, BaMemory *out)
{
  int r = 0;
  Record *record = calloc (1, sizeof *record);
  if (!record)
    return -ENOMEM;
  record->id = id;
  bool guards = takes_guards (debug, request->spec);
  if (guards) {
    r = create_guarded (debug, state, request, record, out, &guards);
    pthread_mutex_lock (&debug->lock);
    debug->plain = !guards;
    pthread_mutex_unlock (&debug->lock);
  }
  if (!guards && (r = bai_hook_code (debug->ops, "create", debug->ops->create (state, request, out))) == 0)
    describe (record, out);
  if (r == 0 && (r = enter_record (debug, record)) < 0 && debug->ops->destroy)
    debug->ops->destroy (state, &record->memory);
  if (r < 0)
    free (record);
  return r;
}

bool
bai_debug_destroy (BaDebug *debug, void *state, uint64_t id)
{
  Record *record = leave_record (debug, id);
  if (!record)
    return false;
  if (!record->damaged && is_damaged (record)) {
    Telling telling = { 0 };
    tell_of (&telling, record, debug->ops->name);
    log_telling (&telling, "has been written before its begin or behind its end");
  }
  if (debug->ops->destroy)
    debug->ops->destroy (state, &record->memory);
  free (record);
  return true;
}

int
bai_debug_track (BaDebug *debug, uint64_t id, const BaMemory *memory)
{
  Record *record = calloc (1, sizeof *record);
  if (!record)
    return -ENOMEM;
  record->id = id;
  describe (record, memory);
  int r = enter_record (debug, record);
  if (r < 0)
    free (record);
  return r;
}

bool
bai_debug_untrack (BaDebug *debug, uint64_t id)
{
  Record *record = leave_record (debug, id);
  free (record);
  return record != NULL;
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

typedef struct
{
  BaDebug *debug;
  Telling *telling;
  unsigned n_damaged;
} Walk;

static void
look_at_one (const void *node, VISIT visit, void *data)
{
  Walk *walk = data;
  Record *record = *(Record *const *) node;
  if ((visit != postorder && visit != leaf) || !is_damaged (record))
    return;
  walk->n_damaged++;
  if (!record->damaged)
    tell_of (walk->telling, record, walk->debug->ops->name);
  record->damaged = true;
}

unsigned
bai_debug_count_damaged (BaDebug *debug)
{
  Telling telling = { 0 };
  Walk walk = { debug, &telling, 0 };
  pthread_mutex_lock (&debug->lock);
  twalk_r (debug->live, look_at_one, &walk);
  pthread_mutex_unlock (&debug->lock);
  log_telling (&telling, "has been written before its begin or behind its end");
  return walk.n_damaged;
}

static void
tell_of_one (const void *node, VISIT visit, void *data)
{
  Walk *walk = data;
  if (visit == postorder || visit == leaf)
    tell_of (walk->telling, *(Record *const *) node, walk->debug->ops->name);
}

static void
tell_of_living (BaDebug *debug, void *user)
{
  Walk walk = { debug, user, 0 };
  if (debug->process != getpid ())
    return;
  pthread_mutex_lock (&debug->lock);
  twalk_r (debug->live, tell_of_one, &walk);
  pthread_mutex_unlock (&debug->lock);
}

static void
report_leaks (void)
{
  Telling telling = { 0 };
  bai_registry_each_debug (tell_of_living, &telling);
  log_telling (&telling, "still lives at the end of the process");
}

/* The bytes before the buffer: a multiple of every alignment that the kind promises. */
static size_t
front_of (const BaAllocatorOps *ops, const BaConfig *config)
{
  size_t page_bytes = (size_t) sysconf (_SC_PAGESIZE);
  if (ops != &bai_normal_ops)
    return page_bytes;
  if (config->memory == BA_MEMORY_HUGE)
    return BAI_HUGE_PAGE_BYTES;
  if (config->memory == BA_MEMORY_MEMFD)
    return page_bytes;
  return config->align_bytes > 64 ? config->align_bytes : 64;
}

BaDebug *
bai_debug_new (const BaAllocatorOps *ops, const BaConfig *config)
{
  BaDebug *debug = calloc (1, sizeof *debug);
  if (!debug)
    return NULL;
  debug->ops = ops;
  debug->front_bytes = front_of (ops, config);
  debug->process = getpid ();
  pthread_mutex_init (&debug->lock, NULL);
  if (bai_registry_add_debug (debug))
    atexit (report_leaks);
  return debug;
}

void
bai_debug_free (BaDebug *debug)
{
  if (!debug)
    return;
  bai_registry_remove_debug (debug);
  pthread_mutex_destroy (&debug->lock);
  free (debug);
}

BaDebug **
bai_debug_next (BaDebug *debug)
{
  return &debug->next;
}
