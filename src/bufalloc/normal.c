/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * normal.c: memory of this process: aligned heap, huge pages, or one sealed memfd for each pool; dmabufs are made in
 * normal-dmabuf.c.
 *
 * A memfd group is what the buffers of one pool share: it lives as long as one of them, and its file only ever grows,
 * so that another process that mapped it never sees it shrink. Every buffer maps its own part.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "factory.h"
#include "kinds-private.h"
#include "layout-private.h"
#include "log.h"
#include "normal-dmabuf-private.h"

#define DEFAULT_ALIGN_BYTES 64
#define MALLOC_ALIGN_BYTES _Alignof(max_align_t)

/* The base 2 logarithm of BAI_HUGE_PAGE_BYTES, where mmap() wants it. */
#define HUGE_2_MIB (21 << MAP_HUGE_SHIFT)

typedef struct MemfdGroup MemfdGroup;
struct MemfdGroup
{
  MemfdGroup *next;
  uint64_t pool_id;
  unsigned n_buffers; /* state's lock */
  int fd;
  size_t end_bytes;   /* state's lock: the file's size, and the next buffer's offset */
};

typedef struct
{
  BaMemoryKind kind;
  size_t align_bytes;
  size_t page_bytes;
  const BaDeviceCalls *calls;
  int source_fd;      /* what makes dmabufs; -1 = none */
  bool transparent;   /* huge: a madvise() has an effect */
  pthread_mutex_t lock;
  MemfdGroup *groups; /* lock */
} NormalState;

/* Whether the system makes huge pages of what asked for them: madvise() succeeds where it never does, too.
 * Source: Documentation/admin-guide/mm/transhuge.rst of Linux: the word in brackets is the one that holds. */
static bool
transparent_huge_pages_are_on (void)
{
  char words[64];
  int fd = open ("/sys/kernel/mm/transparent_hugepage/enabled", O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return false;
  ssize_t n = read (fd, words, sizeof words - 1);
  close (fd);
  words[n > 0 ? n : 0] = '\0';
  return strstr (words, "[always]") || strstr (words, "[madvise]");
}

static int
normal_open (const BaConfig *config, void **out, BaError *error)
{
  size_t align = config->align_bytes ? config->align_bytes : DEFAULT_ALIGN_BYTES;
  if ((align & (align - 1)) != 0)
    return ba_error_set (error, -EINVAL, "an alignment of %zu bytes is no power of two", align);
  if ((unsigned) config->memory > BA_MEMORY_DMA_HEAP)
    return ba_error_set (error, -EINVAL, "%d is no kind of memory: see BaMemoryKind", (int) config->memory);
  long page_bytes = sysconf (_SC_PAGESIZE);
  size_t most = config->memory == BA_MEMORY_HUGE ? BAI_HUGE_PAGE_BYTES : (size_t) page_bytes;
  if (config->memory != BA_MEMORY_HEAP && align > most)
    return ba_error_set (error, -ENOTSUP, "mapped memory is aligned to %zu bytes, not to %zu: use heap memory", most,
                         align);
  NormalState *state = calloc (1, sizeof *state);
  if (!state)
    return ba_error_set (error, -ENOMEM, "no memory for an allocator");
  state->kind = config->memory;
  state->align_bytes = align;
  state->page_bytes = (size_t) page_bytes;
  state->calls = &bai_device_calls;
  state->source_fd = -1;
  if (state->kind == BA_MEMORY_UDMABUF || state->kind == BA_MEMORY_DMA_HEAP) {
    state->source_fd = bai_dmabuf_open_source (state->calls, config, error);
    if (state->source_fd < 0) {
      int r = state->source_fd;
      free (state);
      return r;
    }
  }
  state->transparent = config->memory == BA_MEMORY_HUGE && transparent_huge_pages_are_on ();
  pthread_mutex_init (&state->lock, NULL);
  *out = state;
  return 0;
}

/* ---- heap ---------------------------------------------------------------------------------------------------- */

/* Aligned by hand: posix_memalign() gives what it leaves before and behind a block back in pieces that are too small
 * for the next one, some 50 bytes more of the system's memory for each buffer. */
static int
create_heap (NormalState *state, size_t size_bytes, BaMemory *out)
{
  size_t room, before;
  if (!bai_round_up (size_bytes, state->align_bytes, &room)
      || (state->align_bytes > MALLOC_ALIGN_BYTES && !bai_add (room, state->align_bytes - MALLOC_ALIGN_BYTES, &room)))
    return -EINVAL;
  uint8_t *p = malloc (room);
  if (!p)
    return -ENOMEM;
  before = -(uintptr_t) p & (state->align_bytes - 1);
  out->blocks[0].data = p + before;
  out->priv = p;
  return 0;
}

/* ---- huge pages ------------------------------------------------------------------------------------------------ */

/* Maps @room bytes at a multiple of the huge page: one page more than that, less what lies before and behind it. */
static void *
map_aligned (size_t room)
{
  size_t more, before;
  if (!bai_add (room, BAI_HUGE_PAGE_BYTES, &more))
    return MAP_FAILED;
  uint8_t *p = mmap (NULL, more, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED)
    return p;
  before = -(uintptr_t) p & (BAI_HUGE_PAGE_BYTES - 1);
  if (before)
    munmap (p, before);
  munmap (p + before + room, BAI_HUGE_PAGE_BYTES - before);
  return p + before;
}

static int
create_huge (const NormalState *state, size_t size_bytes, BaMemory *out)
{
  size_t room;
  if (!bai_round_up (size_bytes, BAI_HUGE_PAGE_BYTES, &room))
    return -EINVAL;
  const char *got = "explicit huge pages";
  /* without a size it would be the system's default one, which may be 1 GiB */
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | HUGE_2_MIB;
  void *p = mmap (NULL, room, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (p == MAP_FAILED) {
    p = map_aligned (room);
    if (p == MAP_FAILED)
      return -ENOMEM;
    got = state->transparent && madvise (p, room, MADV_HUGEPAGE) == 0 ? "transparent huge pages" : "plain pages";
  }
  ba_log (BA_LOG_INFO, "normal: %zu bytes at %p in %s", room, p, got);
  out->blocks[0].data = p;
  out->priv = (void *) room;
  return 0;
}

/* ---- memfd --------------------------------------------------------------------------------------------------- */

static MemfdGroup *
find_group_locked (NormalState *state, uint64_t pool_id)
{
  MemfdGroup *group = state->groups;
  while (group && group->pool_id != pool_id)
    group = group->next;
  return group;
}

/* A group with a file; NULL on failure. No seal may follow, or whoever got the file could seal it against our writes
 * and our growing. */
static MemfdGroup *
group_new (uint64_t pool_id, int *code)
{
  *code = -ENOMEM;
  MemfdGroup *group = calloc (1, sizeof *group);
  if (!group)
    return NULL;
  group->pool_id = pool_id;
  group->fd = memfd_create ("bufalloc", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (group->fd >= 0 && fcntl (group->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL) == 0) {
    *code = 0;
    return group;
  }
  *code = -errno;
  if (group->fd >= 0)
    close (group->fd);
  free (group);
  return NULL;
}

static void
group_free (MemfdGroup *group)
{
  if (group)
    close (group->fd);
  free (group);
}

/* Takes a part of the pool's file for one buffer. */
static int
claim_part (NormalState *state, uint64_t pool_id, size_t room_bytes, MemfdGroup **out, size_t *offset_bytes)
{
  int r = 0;
  MemfdGroup *fresh = NULL;
  pthread_mutex_lock (&state->lock);
  MemfdGroup *group = find_group_locked (state, pool_id);
  if (!group && (group = fresh = group_new (pool_id, &r))) {
    group->next = state->groups;
    state->groups = group;
  }
  size_t end;
  if (group && (!bai_add (group->end_bytes, room_bytes, &end) || end > INT64_MAX))
    r = -EINVAL;
  else if (group && ftruncate (group->fd, (off_t) end) < 0)
    r = -errno;
  if (r == 0) {
    *offset_bytes = group->end_bytes;
    group->end_bytes = end;
    group->n_buffers++;
    *out = group;
  } else if (fresh) {
    state->groups = fresh->next;
    group_free (fresh);
  }
  pthread_mutex_unlock (&state->lock);
  return r;
}

static void
give_part_back (NormalState *state, MemfdGroup *group, size_t offset_bytes, size_t room_bytes)
{
  /* The file never shrinks and no part is handed out twice, so what is given back must not keep its memory. Where the
   * system cannot do that, the memory goes with the file. */
  (void) fallocate (group->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t) offset_bytes, (off_t) room_bytes);
  pthread_mutex_lock (&state->lock);
  bool last = --group->n_buffers == 0;
  if (last) {
    MemfdGroup **at = &state->groups;
    while (*at != group)
      at = &(*at)->next;
    *at = group->next;
  }
  pthread_mutex_unlock (&state->lock);
  if (last)
    group_free (group);
}

static int
create_memfd (NormalState *state, const BaRequest *request, size_t size_bytes, BaMemory *out)
{
  size_t room, offset = 0;
  MemfdGroup *group = NULL;
  if (!bai_round_up (size_bytes, state->page_bytes, &room))
    return -EINVAL;
  int r = claim_part (state, request->pool_id, room, &group, &offset);
  if (r < 0)
    return r;
  void *p = mmap (NULL, room, PROT_READ | PROT_WRITE, MAP_SHARED, group->fd, (off_t) offset);
  if (p == MAP_FAILED) {
    r = -errno;
    give_part_back (state, group, offset, room);
    return r;
  }
  out->blocks[0].data = p;
  out->fd = group->fd;
  out->fd_offset_bytes = offset;
  out->priv = group;
  return 0;
}

/* ---- hooks --------------------------------------------------------------------------------------------------- */

static int
create_dmabuf (NormalState *state, size_t size_bytes, BaMemory *out)
{
  size_t room;
  return bai_round_up (size_bytes, state->page_bytes, &room)
             ? bai_dmabuf_make (state->calls, state->kind, state->source_fd, room, out)
             : -EINVAL;
}

static int
normal_create (void *data, const BaRequest *request, BaMemory *out)
{
  NormalState *state = data;
  int r;
  size_t size_bytes = request->spec->size_bytes;
  switch (state->kind) {
    case BA_MEMORY_MEMFD:
      r = create_memfd (state, request, size_bytes, out);
      break;
    case BA_MEMORY_HUGE:
      r = create_huge (state, size_bytes, out);
      break;
    case BA_MEMORY_UDMABUF:
    case BA_MEMORY_DMA_HEAP:
      r = create_dmabuf (state, size_bytes, out);
      break;
    default:
      r = create_heap (state, size_bytes, out);
      break;
  }
  if (r == 0) {
    out->n_blocks = 1;
    out->blocks[0].size_bytes = size_bytes;
    out->layout = request->spec->layout;
  }
  return r;
}

static void
normal_destroy (void *data, BaMemory *memory)
{
  NormalState *state = data;
  size_t room;
  switch (state->kind) {
    case BA_MEMORY_MEMFD:
      bai_round_up (memory->blocks[0].size_bytes, state->page_bytes, &room); /* it fitted when it was made */
      munmap (memory->blocks[0].data, room);
      give_part_back (state, memory->priv, memory->fd_offset_bytes, room);
      break;
    case BA_MEMORY_HUGE:
      munmap (memory->blocks[0].data, (size_t) memory->priv);
      break;
    case BA_MEMORY_UDMABUF:
    case BA_MEMORY_DMA_HEAP:
      bai_round_up (memory->blocks[0].size_bytes, state->page_bytes, &room);
      bai_dmabuf_free (state->calls, room, memory);
      break;
    default:
      free (memory->priv);
      break;
  }
}

static void
normal_close (void *data)
{
  NormalState *state = data;
  pthread_mutex_destroy (&state->lock);
  if (state->source_fd >= 0)
    state->calls->close (state->calls->ctx, state->source_fd);
  free (state);
}

const BaAllocatorOps bai_normal_ops = {
  .name = "normal",
  .open = normal_open,
  .create = normal_create,
  .destroy = normal_destroy,
  .close = normal_close,
};
