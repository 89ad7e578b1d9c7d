/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * flipdmabufs.c: what flip_pages of examples/ shows, a white bar that moves over black, from dmabufs that are no pages of
 * the card: imported, and flipped where they lie.
 *
 *   flipdmabufs DEVICE SOURCE FRAMES [hold]   SOURCE: udmabuf, or the name of a heap in /dev/dma_heap
 *
 * Says how many flips there were, or why there are none; with "hold" a line of input ends it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bufalloc/bufalloc.h>

#define N_BUFFERS 4

static void
draw (uint8_t *data, const BaLayout *layout, size_t size_bytes, unsigned frame)
{
  unsigned bar_rows = layout->height_px / 16 + 1;
  unsigned first = frame * 4 % (layout->height_px - bar_rows + 1);
  memset (data, 0, size_bytes);
  memset (data + first * layout->stride_bytes[0], 0xff, bar_rows * layout->stride_bytes[0]);
}

static void
free_buffer (void *buffer)
{
  ba_buffer_unref (buffer);
}

static int
show (BaDisplay *display, BaPool *pool, unsigned frame, BaError *error)
{
  BaBuffer *buffer;
  int r = ba_pool_acquire (pool, BA_WAIT_FOREVER, NULL, &buffer);
  if (r < 0)
    return r;
  BaDmabuf picture = { .layout = *ba_buffer_get_layout (buffer) };
  picture.fds[0] = ba_buffer_get_fd (buffer, NULL);
  ba_dmabuf_begin_access (picture.fds[0], BA_DMABUF_WRITE);
  draw (ba_buffer_get_data (buffer), &picture.layout, ba_buffer_get_size (buffer), frame);
  ba_dmabuf_end_access (picture.fds[0], BA_DMABUF_WRITE);
  r = ba_display_import (display, &picture, error);
  if (r == 0)
    r = ba_display_flip_import (display, &picture, free_buffer, buffer, NULL);
  if (r < 0)
    ba_buffer_unref (buffer);
  return r;
}

int
main (int argc, char **argv)
{
  BaError error = { 0 };
  BaDisplay *display;
  BaAllocator *allocator = NULL;
  BaPool *pool = NULL;
  unsigned n = 0;
  if (argc < 4)
    return EXIT_FAILURE;
  if (ba_display_open (argv[1], NULL, &error, &display) < 0) {
    fprintf (stderr, "%s\n", error.message);
    return EXIT_FAILURE;
  }
  BaConfig config = { .memory = BA_MEMORY_DMA_HEAP, .heap = argv[2] };
  if (strcmp (argv[2], "udmabuf") == 0)
    config.memory = BA_MEMORY_UDMABUF;
  const BaDisplayInfo *info = ba_display_get_info (display);
  BaSpec spec = { .count = N_BUFFERS, .size_bytes = info->page_bytes, .layout = info->layout };
  int r = ba_allocator_new_with_config (BA_TYPE_NORMAL, &config, &error, &allocator);
  if (r == 0)
    r = ba_allocator_build_pool (allocator, &spec, &pool);
  while (r == 0 && n < (unsigned) atoi (argv[3])) {
    r = show (display, pool, n, &error);
    n += r == 0;
  }
  if (r == 0)
    r = ba_display_wait (display, NULL);
  printf ("%u flips of %s on %s%s%s\n", n, argv[2], info->name, r < 0 ? ": " : "",
          r < 0 ? *error.message ? error.message : ba_error_text (r) : "");
  fflush (stdout);
  if (r == 0 && argc > 4)
    (void) getchar ();
  ba_display_close (display);
  ba_pool_unref (pool);
  ba_allocator_unref (allocator);
  ba_display_unref (display);
  return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
