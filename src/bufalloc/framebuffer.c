/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * framebuffer.c: memory that is mapped already, as buffers: the pages of a display, or a list of blocks.
 *
 * Count and size come from there, and nothing here is ever freed: a display unmaps itself when the last page is home
 * and the last reference gone, blocks are their owner's. Each page is given out once, so that two pools of one
 * allocator can never write the same memory; views for several users are made above the pool, not beside it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "display-private.h"
#include "kinds-private.h"
#include "factory.h"

typedef struct
{
  BaDisplay *display; /* a reference, or NULL */
  BaLayout layout;    /* of a display's pages, zeroed for blocks */
  pthread_mutex_t lock;
  unsigned n_blocks;
  struct
  {
    BaBlock block;
    bool taken; /* lock */
  } blocks[];
} FbState;

static int
fb_check_blocks (const BaConfig *config, BaError *error)
{
  if (config->display)
    return 0;
  if (!config->blocks || config->n_blocks == 0)
    return ba_error_set (error, -EINVAL, "a framebuffer allocator needs a display or a list of mapped blocks");
  for (unsigned i = 0; i < config->n_blocks; i++) {
    if (!config->blocks[i].data || !config->blocks[i].size_bytes)
      return ba_error_set (error, -EINVAL, "block %u has no address or no size", i);
  }
  return 0;
}

static int
fb_open (const BaConfig *config, void **out, BaError *error)
{
  int r = fb_check_blocks (config, error);
  if (r < 0)
    return r;
  const BaDisplayInfo *info = config->display ? ba_display_get_info (config->display) : NULL;
  unsigned n = info ? info->n_pages : config->n_blocks;
  FbState *state = calloc (1, sizeof *state + n * sizeof state->blocks[0]);
  if (!state)
    return ba_error_set (error, -ENOMEM, "no memory for a list of %u blocks", n);
  state->n_blocks = n;
  pthread_mutex_init (&state->lock, NULL);
  if (info) {
    state->display = ba_display_ref (config->display);
    state->layout = info->layout;
    /* the page that is visible now comes last in the queue, so that nobody draws where somebody is looking */
    unsigned first = (config->display->start_page + 1) % n;
    for (unsigned i = 0; i < n; i++)
      ba_display_get_page (config->display, (first + i) % n, &state->blocks[i].block);
  } else {
    for (unsigned i = 0; i < n; i++)
      state->blocks[i].block = config->blocks[i];
  }
  *out = state;
  return 0;
}

static unsigned
fb_max_buffers (void *data)
{
  return ((FbState *) data)->n_blocks;
}

static int
fb_create (void *data, const BaRequest *request, BaMemory *out)
{
  FbState *state = data;
  unsigned i;
  int r = -EAGAIN;
  pthread_mutex_lock (&state->lock);
  for (i = 0; i < state->n_blocks && state->blocks[i].taken; i++)
    ;
  if (i < state->n_blocks) {
    r = state->blocks[i].block.size_bytes < request->spec->size_bytes ? -EINVAL : 0;
    state->blocks[i].taken = r == 0;
  }
  pthread_mutex_unlock (&state->lock);
  if (r < 0)
    return r;
  out->n_blocks = 1;
  out->blocks[0] = state->blocks[i].block;
  out->layout = state->layout.n_planes ? state->layout : request->spec->layout;
  out->priv = &state->blocks[i].taken;
  return 0;
}

static void
fb_destroy (void *data, BaMemory *memory)
{
  FbState *state = data;
  bool *taken = memory->priv;
  pthread_mutex_lock (&state->lock);
  *taken = false;
  pthread_mutex_unlock (&state->lock);
}

static void
fb_close (void *data)
{
  FbState *state = data;
  ba_display_unref (state->display);
  pthread_mutex_destroy (&state->lock);
  free (state);
}

const BaAllocatorOps bai_framebuffer_ops = {
  .name = "framebuffer",
  .decides_size = true,
  .max_buffers = fb_max_buffers,
  .open = fb_open,
  .create = fb_create,
  .destroy = fb_destroy,
  .close = fb_close,
};
