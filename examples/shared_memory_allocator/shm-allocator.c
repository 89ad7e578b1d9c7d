/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * shm-allocator.c: the four hooks of a kind of memory that other processes can map.
 *
 * Each buffer is one object of shm_open(). Its name is taken away again at once, so that nothing stays behind in
 * /dev/shm when the program is killed; other processes get it as a file descriptor. Counting buffers, checking
 * arguments and undoing half a pool are not done here: the library does that for every kind.
 */
#include "shm-allocator.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bufalloc/factory.h>

#define PREFIX_MAX_BYTES 32

/* What all buffers of one allocator share. The hooks may run on several threads at once, hence the atomic. */
typedef struct
{
  char prefix[PREFIX_MAX_BYTES + 1];
  atomic_uint next;
} ShmState;

static int
shm_allocator_open (const BaConfig *config, void **out, BaError *error)
{
  const ShmConfig *own = config->foreign;
  const char *prefix = own && own->prefix ? own->prefix : "bufalloc-example";
  if (prefix[0] == '\0' || strlen (prefix) > PREFIX_MAX_BYTES || strchr (prefix, '/'))
    return ba_error_set (error, -EINVAL, "the prefix '%s' is empty, longer than %d bytes, or has a '/' in it", prefix,
                         PREFIX_MAX_BYTES);
  ShmState *state = calloc (1, sizeof *state);
  if (!state)
    return ba_error_set (error, -ENOMEM, "no memory for an allocator");
  strcpy (state->prefix, prefix);
  *out = state;
  return 0;
}

/* A new object without a name. Another allocator, or a process before us with the same number, may have had the same
 * idea of a name: then the next one is tried. */
static int
new_object (ShmState *state)
{
  char name[PREFIX_MAX_BYTES + 40];
  int fd;
  do {
    snprintf (name, sizeof name, "/%s-%ld-%u", state->prefix, (long) getpid (), atomic_fetch_add (&state->next, 1));
    fd = shm_open (name, O_RDWR | O_CREAT | O_EXCL, 0600);
  } while (fd < 0 && errno == EEXIST);
  if (fd < 0)
    return -errno;
  shm_unlink (name);
  return fd;
}

static int
shm_allocator_create (void *data, const BaRequest *request, BaMemory *out)
{
  size_t size_bytes = request->spec->size_bytes;
  if (size_bytes > INT64_MAX)
    return -EINVAL;
  int fd = new_object (data);
  if (fd < 0)
    return fd;
  /* not ftruncate() alone: a file with holes would kill the writer with SIGBUS where memory runs out */
  int r = -posix_fallocate (fd, 0, (off_t) size_bytes);
  if (r == -ENOSPC)
    r = -ENOMEM; /* no room left in /dev/shm */
  void *p = MAP_FAILED;
  if (r == 0) {
    p = mmap (NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
      r = -errno;
  }
  if (r < 0) {
    close (fd);
    return r;
  }
  out->n_blocks = 1;
  out->blocks[0].data = p;
  out->blocks[0].size_bytes = size_bytes;
  out->layout = request->spec->layout;
  out->fd = fd;
  return 0;
}

static void
shm_allocator_destroy (void *data, BaMemory *memory)
{
  (void) data;
  munmap (memory->blocks[0].data, memory->blocks[0].size_bytes);
  close (memory->fd);
}

static void
shm_allocator_close (void *data)
{
  free (data);
}

const BaAllocatorOps shm_allocator_ops = {
  .name = SHM_KIND,
  .open = shm_allocator_open,
  .create = shm_allocator_create,
  .destroy = shm_allocator_destroy,
  .close = shm_allocator_close,
};
