/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kms-shared.c: what the displays of one open card have in common. An application may open a card once and give it to
 * several of them (BaDisplayOptions.fd), under one number or several: for the kernel they are one user then.
 *
 * Two things of such a user have no count in the kernel. A buffer that comes in has one GEM handle, however often it
 * comes, and the first close ends it for everybody; a page that comes back has the handle of the page. So handles are
 * counted here, pages included. And a plane is nobody's before something is shown in it, so that two displays would
 * choose the same one: whoever chooses it says so here.
 *
 * A handle that is closed while somebody imports the same buffer would be his. So the two never happen at once: busy, as
 * displays are, with no lock held around a call.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "kms-private.h"
#include "registry-private.h"

#define MAX_TAKEN 32 /* planes of one card that displays of this process show in */

struct BaiKmsShared
{
  BaiOpenCard base;
  const BaDeviceCalls *calls; /* constant */
  int fd; /* constant: our own number of the file; -1 = one display has it for itself */
  int given_fd; /* constant: the number that it came under */
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool busy; /* somebody changes what is below but planes, or reads events */
  BaiKmsHandle *handles;
  uint32_t planes[MAX_TAKEN]; /* guarded by lock alone; 0 = none */
};

/* ---- the object -------------------------------------------------------------------------------------------------- */

static void
free_shared (BaiKmsShared *shared)
{
  if (shared->fd >= 0)
    shared->calls->close (shared->calls->ctx, shared->fd);
  pthread_cond_destroy (&shared->changed);
  pthread_mutex_destroy (&shared->lock);
  free (shared);
}

static BaiKmsShared *
new_shared (const BaDeviceCalls *calls, int fd, int given_fd)
{
  BaiKmsShared *shared = calloc (1, sizeof *shared);
  if (!shared)
    return NULL;
  shared->calls = calls;
  shared->fd = fd;
  shared->given_fd = given_fd;
  pthread_mutex_init (&shared->lock, NULL);
  pthread_cond_init (&shared->changed, NULL);
  return shared;
}

/* A kernel that does not say whether two numbers are one file leaves what is sure. */
static bool
is_same_card (const BaiKmsShared *shared, const BaDisplay *display)
{
  const BaiKmsState *state = display->state;
  int same =
      shared->calls == display->calls ? display->calls->is_same_file (display->calls->ctx, shared->fd, state->fd) : 0;
  return same < 0 ? shared->given_fd == state->fd : same;
}

static void
unuse (BaiKmsShared *shared)
{
  if (shared->fd < 0 || bai_registry_unuse_card (&shared->base))
    free_shared (shared);
}

/* The card that is open already, or @added, which is put to the others then. */
static BaiKmsShared *
find_or_add (const BaDisplay *display, BaiKmsShared *added)
{
  uint64_t n_added;
  do {
    BaiKmsShared *next, *card = (BaiKmsShared *) bai_registry_next_card (NULL, &n_added);
    for (; card; card = next) {
      if (is_same_card (card, display))
        return card;
      next = (BaiKmsShared *) bai_registry_next_card (&card->base, NULL);
      unuse (card);
    }
  } while (!bai_registry_add_card (&added->base, n_added));
  return added;
}

int
bai_kms_share (BaDisplay *display)
{
  BaiKmsState *state = display->state;
  const BaDeviceCalls *calls = display->calls;
  int fd = -1;
  if (!state->owns_fd) {
    fd = calls->dup (calls->ctx, state->fd);
    if (fd < 0)
      return -errno;
  }
  BaiKmsShared *shared = new_shared (calls, fd, state->fd);
  if (!shared) {
    if (fd >= 0)
      calls->close (calls->ctx, fd);
    return -ENOMEM;
  }
  state->shared = shared;
  if (fd >= 0)
    state->shared = find_or_add (display, shared);
  if (state->shared != shared)
    free_shared (shared);
  return 0;
}

void
bai_kms_unshare (BaDisplay *display)
{
  BaiKmsState *state = display->state;
  BaiKmsShared *shared = state->shared;
  state->shared = NULL;
  if (!shared)
    return;
  bai_kms_give_plane_back (shared, state->plane_id);
  unuse (shared);
}

/* ---- planes ------------------------------------------------------------------------------------------------------ */

bool
bai_kms_take_plane (BaiKmsShared *shared, uint32_t plane_id)
{
  unsigned free_at = MAX_TAKEN;
  bool is_taken = false;
  pthread_mutex_lock (&shared->lock);
  for (unsigned i = 0; i < MAX_TAKEN; i++) {
    is_taken |= shared->planes[i] == plane_id;
    if (shared->planes[i] == 0)
      free_at = i;
  }
  if (!is_taken && free_at < MAX_TAKEN)
    shared->planes[free_at] = plane_id;
  pthread_mutex_unlock (&shared->lock);
  return !is_taken;
}

void
bai_kms_give_plane_back (BaiKmsShared *shared, uint32_t plane_id)
{
  pthread_mutex_lock (&shared->lock);
  for (unsigned i = 0; i < MAX_TAKEN; i++) {
    if (shared->planes[i] == plane_id)
      shared->planes[i] = 0;
  }
  pthread_mutex_unlock (&shared->lock);
}

/* ---- one at a time ----------------------------------------------------------------------------------------------- */

static void
enter (BaiKmsShared *shared)
{
  pthread_mutex_lock (&shared->lock);
  while (shared->busy)
    pthread_cond_wait (&shared->changed, &shared->lock);
  shared->busy = true;
  pthread_mutex_unlock (&shared->lock);
}

static void
leave (BaiKmsShared *shared)
{
  pthread_mutex_lock (&shared->lock);
  shared->busy = false;
  pthread_cond_signal (&shared->changed);
  pthread_mutex_unlock (&shared->lock);
}

/* Other displays may get their events from the same file, of this process and of others, or have left some there. */
uint64_t
bai_kms_first_flip_id (uint32_t crtc_id)
{
  return (bai_registry_next_id () & 0xffff) << 48 | (uint64_t) (crtc_id & 0xffff) << 32;
}

void
bai_kms_begin_events (BaiKmsShared *shared)
{
  enter (shared);
}

void
bai_kms_end_events (BaiKmsShared *shared)
{
  leave (shared);
}

/* ---- handles ----------------------------------------------------------------------------------------------------- */

static BaiKmsHandle *
find_file (BaiKmsShared *shared, const BaiKmsFile *file)
{
  BaiKmsHandle *entry = bai_kms_knows_file (file) ? shared->handles : NULL;
  while (entry && !bai_kms_is_same_file (&entry->file, file))
    entry = entry->next;
  return entry;
}

static BaiKmsHandle *
find_handle (BaiKmsShared *shared, uint32_t handle)
{
  BaiKmsHandle *entry = shared->handles;
  while (entry && entry->handle != handle)
    entry = entry->next;
  return entry;
}

static BaiKmsHandle *
add_handle (BaiKmsShared *shared, uint32_t handle)
{
  BaiKmsHandle *entry = calloc (1, sizeof *entry);
  if (!entry)
    return NULL;
  entry->handle = handle;
  entry->next = shared->handles;
  shared->handles = entry;
  return entry;
}

static void
close_handle (const BaDisplay *display, uint32_t handle, bool is_dumb)
{
  struct drm_mode_destroy_dumb dumb = { .handle = handle };
  struct drm_gem_close other = { .handle = handle };
  if (is_dumb)
    (void) bai_kms_call (display, DRM_IOCTL_MODE_DESTROY_DUMB, &dumb);
  else
    (void) bai_kms_call (display, DRM_IOCTL_GEM_CLOSE, &other);
}

static int
find_or_import (BaDisplay *display, int fd, const BaiKmsFile *file, BaiKmsHandle **out)
{
  const BaiKmsState *state = display->state;
  *out = find_file (state->shared, file);
  if (*out)
    return 0;
  struct drm_prime_handle arg = { .fd = fd };
  int r = bai_kms_call (display, DRM_IOCTL_PRIME_FD_TO_HANDLE, &arg);
  if (r < 0)
    return r;
  *out = find_handle (state->shared, arg.handle);
  if (!*out)
    *out = add_handle (state->shared, arg.handle);
  if (!*out) {
    close_handle (display, arg.handle, false);
    return -ENOMEM;
  }
  if (!bai_kms_knows_file (&(*out)->file))
    (*out)->file = *file;
  return 0;
}

int
bai_kms_use_buffer (BaDisplay *display, int fd, const BaiKmsFile *file, uint32_t *out)
{
  const BaiKmsState *state = display->state;
  BaiKmsHandle *entry;
  enter (state->shared);
  int r = find_or_import (display, fd, file, &entry);
  if (r == 0) {
    entry->n_users++;
    *out = entry->handle;
  }
  leave (state->shared);
  return r;
}

int
bai_kms_use_page (BaDisplay *display, uint32_t handle)
{
  const BaiKmsState *state = display->state;
  enter (state->shared);
  BaiKmsHandle *entry = add_handle (state->shared, handle); /* it is new, so nobody has it */
  if (entry) {
    entry->n_users = 1;
    entry->is_dumb = true;
  } else {
    close_handle (display, handle, true);
  }
  leave (state->shared);
  return entry ? 0 : -ENOMEM;
}

void
bai_kms_unuse (BaDisplay *display, uint32_t handle)
{
  const BaiKmsState *state = display->state;
  enter (state->shared);
  BaiKmsHandle **at = &state->shared->handles;
  while (*at && (*at)->handle != handle)
    at = &(*at)->next;
  BaiKmsHandle *entry = *at;
  if (entry && --entry->n_users == 0) {
    *at = entry->next;
    close_handle (display, handle, entry->is_dumb);
    free (entry);
  }
  leave (state->shared);
}
