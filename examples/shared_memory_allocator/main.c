/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * main.c: registers the shared-memory kind, builds a pool of it by name, writes into a buffer, and lets a second
 * process read it: this program again, started with `read FD SIZE`.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bufalloc/bufalloc.h>

#include "shm-allocator.h"

/* The second process: all it has is the descriptor that it was started with. */
static int
read_buffer (int fd, size_t size_bytes)
{
  const char *text = mmap (NULL, size_bytes, PROT_READ, MAP_SHARED, fd, 0);
  if (text == MAP_FAILED) {
    perror ("reader: mmap");
    return 1;
  }
  printf ("process 2 reads: %.*s\n", (int) strnlen (text, size_bytes), text);
  return 0;
}

/* Starts the second process on a buffer. Its descriptor is not inherited by other programs, a duplicate of it is. */
static int
let_another_read (const BaBuffer *buffer)
{
  int fd = dup (ba_buffer_get_fd (buffer, NULL));
  if (fd < 0)
    return -errno;
  char fd_text[16], size_text[24];
  snprintf (fd_text, sizeof fd_text, "%d", fd);
  snprintf (size_text, sizeof size_text, "%zu", ba_buffer_get_size (buffer));
  pid_t child = fork ();
  if (child == 0) {
    execl ("/proc/self/exe", "shm-example", "read", fd_text, size_text, (char *) NULL);
    _exit (127);
  }
  int r = child < 0 ? -errno : 0, status = 0;
  close (fd);
  while (r == 0 && waitpid (child, &status, 0) < 0) {
    if (errno != EINTR)
      r = -errno;
  }
  return r == 0 && status != 0 ? -EIO : r;
}

static int
use_a_pool (BaAllocator *allocator)
{
  BaPool *pool;
  BaBuffer *buffer;
  BaSpec spec = { .name = "messages", .count = 4, .size_bytes = 4096 };
  int r = ba_allocator_build_pool (allocator, &spec, &pool);
  if (r < 0)
    return r;
  r = ba_pool_acquire (pool, BA_NO_WAIT, NULL, &buffer);
  if (r == 0) {
    printf ("process 1 writes into buffer %u of the pool \"%s\", kind \"%s\"\n", ba_buffer_get_index (buffer),
            ba_pool_get_name (pool), ba_allocator_get_name (allocator));
    fflush (stdout);
    strcpy (ba_buffer_get_data (buffer), "hello from process 1");
    r = let_another_read (buffer);
    ba_pool_release (pool, buffer);
  }
  ba_pool_unref (pool);
  return r;
}

int
main (int argc, char **argv)
{
  if (argc == 4 && strcmp (argv[1], "read") == 0)
    return read_buffer (atoi (argv[2]), strtoul (argv[3], NULL, 10));

  BaError error = { 0 };
  BaAllocator *allocator = NULL;
  ShmConfig own = { .prefix = "shm-example" };
  BaConfig config = { .foreign = &own };
  int r = ba_factory_register (SHM_KIND, &shm_allocator_ops);
  if (r == 0)
    r = ba_allocator_new_by_name (SHM_KIND, &config, &error, &allocator);
  if (r == 0)
    r = use_a_pool (allocator);
  ba_allocator_unref (allocator);
  ba_factory_unregister (SHM_KIND);
  if (r < 0)
    fprintf (stderr, "shm-example: %s\n", error.message[0] ? error.message : ba_error_text (r));
  return r < 0 ? 1 : 0;
}
