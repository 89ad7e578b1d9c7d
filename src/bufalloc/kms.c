/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kms.c: /dev/dri/cardN: finds a card and a screen, saves what is shown, makes pages, and puts everything back.
 *
 * No list of drivers: a card is good if it makes dumb buffers, has a screen connected and lets us be its master. Nothing
 * is changed before the first page is shown, but master is taken at open: better to learn then that a desktop has it.
 *
 * When a player is killed, the kernel drops what it showed, and puts its console back once nobody has the card open any
 * more. That is late where somebody has, and bochs comes back without its text. So a watcher does what close would have
 * done: it holds the player's own file, which stays master, with all that is shown, until that is put back.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kms-private.h"
#include "log.h"
#include "watcher-private.h"

/* Since Linux 6.8: atomic commits may tear, too. */
#define CAP_ATOMIC_ASYNC_PAGE_FLIP 0x15

/* ---- the card -------------------------------------------------------------------------------------------------- */

int
bai_kms_explain_open (const char *path, int code, BaError *error)
{
  switch (code) {
    case -ENOENT:
    case -ENODEV:
    case -ENXIO:
      return ba_error_set (error, -ENODEV, "no such card: %.150s (see ls /dev/dri)", path);
    case -EACCES:
    case -EPERM:
      return ba_error_set (error, code, "no permission for %.150s: add the user to group video", path);
    default:
      return ba_error_set (error, code, "cannot open %.150s: %s", path, ba_error_text (code));
  }
}

static int
open_card (BaDisplay *display, const char *path, BaError *error)
{
  BaiKmsState *state = display->state;
  /* reading events must not block where somebody else was quicker */
  state->fd = display->calls->open (display->calls->ctx, path, O_RDWR | O_CLOEXEC | O_NONBLOCK, 0);
  if (state->fd < 0)
    return bai_kms_explain_open (path, -errno, error);
  state->owns_fd = true;
  return 0;
}

/* Which calls there are. What cannot be had is not missed, unless it was asked for. */
static int
choose_api (BaDisplay *display, const char *path, const BaDisplayOptions *options, BaError *error)
{
  BaiKmsState *state = display->state;
  if (bai_kms_get_cap (display, DRM_CAP_DUMB_BUFFER) == 0)
    return ba_error_set (error, -ENODEV, "%.150s is no card that shows pictures from memory: try another one", path);
  (void) bai_kms_set_client_cap (display, DRM_CLIENT_CAP_UNIVERSAL_PLANES);
  if (options->kms_api == BA_KMS_LEGACY)
    return 0;
  state->is_atomic = bai_kms_set_client_cap (display, DRM_CLIENT_CAP_ATOMIC) == 0;
  if (!state->is_atomic && options->kms_api == BA_KMS_ATOMIC)
    return ba_error_set (error, -ENOTSUP, "%.150s: the driver %s has no atomic mode setting: use kms-api=auto", path,
                         display->info.name);
  return 0;
}

static int
need_master (const BaDisplay *display, const char *path, BaError *error)
{
  if (bai_kms_become_master (display))
    return 0;
  return ba_error_set (
      error, -EBUSY,
      "%.100s is in use: another program (a desktop, another player) is its master. Stop it, or change to "
      "a text console (Ctrl+Alt+F3), or let it give an open card (fd)",
      path);
}

/* ---- what is there before us ----------------------------------------------------------------------------------- */

/* All connectors that show the CRTC: legacy calls put them back together. */
static void
save_connectors (BaDisplay *display, const BaiKmsCard *card)
{
  BaiKmsState *state = display->state;
  for (unsigned i = 0; i < card->n_connectors && state->n_saved_connectors < BAI_KMS_MAX_CLONES; i++) {
    BaiKmsConnector connector;
    struct drm_mode_get_encoder encoder;
    if (bai_kms_read_connector (display, card->connectors[i], &connector) < 0)
      continue;
    free (connector.modes);
    if (connector.encoder_id && bai_kms_get_encoder (display, connector.encoder_id, &encoder) == 0
        && encoder.crtc_id == state->crtc_id)
      state->saved_connectors[state->n_saved_connectors++] = connector.id;
  }
}

static int
save (BaDisplay *display, const char *path, const BaiKmsCard *card, const BaDisplayOptions *options, BaError *error)
{
  BaiKmsState *state = display->state;
  int r = bai_kms_get_crtc (display, state->crtc_id, &state->saved_crtc);
  if (r < 0)
    return ba_error_set (error, r, "%.100s: cannot ask what is shown: %s", path, ba_error_text (r));
  save_connectors (display, card);
  r = state->is_atomic ? bai_kms_read_properties (display) : 0;
  if (r == -ENOTSUP && options->kms_api != BA_KMS_ATOMIC) {
    state->is_atomic = false;
    r = 0;
  }
  if (r < 0)
    return ba_error_set (error, r, "%.100s: properties are missing for atomic mode setting: %s", path,
                         ba_error_text (r));
  return 0;
}

static int
make_blobs (BaDisplay *display)
{
  BaiKmsState *state = display->state;
  if (!state->is_atomic || state->is_overlay)
    return 0;
  int r = bai_kms_make_blob (display, &state->mode, sizeof state->mode, &state->mode_blob);
  if (r == 0 && state->saved_crtc.mode_valid)
    r = bai_kms_make_blob (display, &state->saved_crtc.mode, sizeof state->saved_crtc.mode, &state->saved_mode_blob);
  return r;
}

/* Without vblanks, flips end at once. A call that counts them says so; on a CRTC that is off it says something else. */
static bool
has_vblank (const BaDisplay *display)
{
  const BaiKmsState *state = display->state;
  union drm_wait_vblank arg = { .request = { .type = _DRM_VBLANK_RELATIVE } };
  if (state->is_overlay && !state->is_atomic)
    return false;
  arg.request.type |=
      (enum drm_vblank_seq_type) ((state->crtc_index << _DRM_VBLANK_HIGH_CRTC_SHIFT) & _DRM_VBLANK_HIGH_CRTC_MASK);
  return bai_kms_call (display, DRM_IOCTL_WAIT_VBLANK, &arg) != -EOPNOTSUPP;
}

/* ---- the watcher ------------------------------------------------------------------------------------------------- */

/* In the watcher, without a word. What was shown is not known there: whatever may have been changed is put back. */
static void
put_back_for_dead (void *user)
{
  BaDisplay *display = user;
  bai_kms_touch_all (display->state);
  (void) bai_kms_put_back (display);
}

/* An application that gave us its card puts back what it wants to. */
static int
start_watcher (BaDisplay *display)
{
  BaiKmsState *state = display->state;
  BaiWatch watch = { .put_back = put_back_for_dead, .user = display, .fds = { state->fd, -1 } };
  return state->owns_fd ? bai_watcher_start (&state->watcher, display->calls, &watch) : 0;
}

static void
begin (BaDisplay *display, const BaDisplayOptions *options)
{
  unsigned wanted = options->pages ? options->pages : BAI_KMS_DEFAULT_PAGES;
  int r = start_watcher (display);
  if (r < 0)
    ba_log (BA_LOG_WARNING, "kms %s: no watcher (%s): should this process be killed, the console may come back late",
            display->info.name, ba_error_text (r));
  BaiKmsState *state = display->state;
  state->event_fd = display->calls->uevent_socket (display->calls->ctx); /* without one a plug is not noticed */
  if (display->info.n_pages < wanted && wanted <= BA_DISPLAY_MAX_PAGES)
    ba_log (BA_LOG_INFO, "kms %s: %u pages, the driver has no memory for %u", display->info.name, display->info.n_pages,
            wanted);
}

/* ---- opening --------------------------------------------------------------------------------------------------- */

static void
release (BaDisplay *display)
{
  BaiKmsState *state = display->state;
  if (state->is_closed)
    return;
  bai_kms_free_imports (display);
  bai_kms_free_pages (display);
  bai_kms_free_inherited (display);
  bai_kms_free_blob (display, &state->mode_blob);
  bai_kms_free_blob (display, &state->saved_mode_blob);
  bai_kms_free_blob (display, &state->hdr_blob);
  bai_kms_free_blob (display, &state->saved_hdr_blob);
  if (state->event_fd >= 0)
    display->calls->close (display->calls->ctx, state->event_fd);
  state->event_fd = -1;
  bai_kms_unshare (display);
  /* Closing does not end being master as long as a page is mapped. */
  if (state->owns_fd) {
    (void) bai_kms_call (display, DRM_IOCTL_DROP_MASTER, NULL);
    display->calls->close (display->calls->ctx, state->fd);
  }
  state->is_closed = true;
}

static void
kms_finish (BaDisplay *display)
{
  release (display);
  if (display->map)
    display->calls->munmap (display->calls->ctx, display->map, display->map_bytes);
  display->map = NULL;
  free (((BaiKmsState *) display->state)->in_formats);
  free (display->state);
  display->state = NULL;
}

static int
open_steps (BaDisplay *display, const char *path, const BaiDeviceString *device, const BaDisplayOptions *options,
            BaError *error)
{
  BaiKmsState *state = display->state;
  BaiKmsCard card;
  bai_kms_read_name (display);
  int r = choose_api (display, path, options, error);
  if (r < 0)
    return r;
  r = bai_kms_read_card (display, &card);
  if (r < 0)
    return ba_error_set (error, r == -EOPNOTSUPP || r == -EINVAL ? -ENODEV : r, "%.150s has no screens: %s", path,
                         ba_error_text (r));
  r = bai_kms_choose_output (display, path, device, &card, error);
  state->flip_id = bai_kms_first_flip_id (state->crtc_id);
  if (r == 0)
    r = bai_kms_fit_mode (display, options);
  if (r == 0)
    r = bai_kms_choose_plane (display, path, device, &card, error);
  if (r == 0)
    r = need_master (display, path, error);
  if (r == 0)
    r = save (display, path, &card, options, error);
  if (r == 0)
    r = bai_kms_place (display, path, options, error);
  if (r == 0)
    r = bai_kms_want_mixing (display, path, device, error);
  if (r < 0)
    return r;
  r = make_blobs (display);
  if (r < 0)
    return ba_error_set (error, r, "%.100s: cannot describe its mode: %s", path, ba_error_text (r));
  uint64_t async_cap = state->is_atomic ? CAP_ATOMIC_ASYNC_PAGE_FLIP : DRM_CAP_ASYNC_PAGE_FLIP;
  state->can_async = options->no_vsync && bai_kms_get_cap (display, async_cap);
  state->has_vblank = has_vblank (display);
  display->start_page = UINT_MAX; /* none of ours */
  return bai_kms_make_all_pages (display, path, options, error);
}

static int
open_path (BaDisplay *display, const char *path, const BaiDeviceString *device, const BaDisplayOptions *options,
           BaError *error)
{
  BaiKmsState *state = calloc (1, sizeof *state);
  if (!state)
    return ba_error_set (error, -ENOMEM, "no memory for a display");
  display->state = state;
  state->fd = options->has_fd ? options->fd : -1;
  state->fence_fd = state->watcher = state->event_fd = -1;
  state->mode_fits = device->mode_fits;
  state->is_overlay = device->plane_id != 0 || device->wants_overlay;
  int r = options->has_fd ? 0 : open_card (display, path, error);
  if (r < 0)
    state->is_closed = true;
  else if ((r = bai_kms_share (display)) < 0)
    ba_error_set (error, r, "%.150s: cannot share it: %s", path, ba_error_text (r));
  else
    r = open_steps (display, path, device, options, error);
  if (r < 0)
    kms_finish (display);
  else
    begin (display, options);
  return r;
}

/* A card that is somebody else's says more than one that has no screen, and that more than one that is not there. */
static int
reason_rank (int code)
{
  return code == -EBUSY ? 3 : code == -ENODEV ? 1 : 2;
}

static int
open_first (BaDisplay *display, const BaiDeviceString *device, const BaDisplayOptions *options, BaError *error)
{
  int best = ba_error_set (error, -ENODEV, "no card with a screen in /dev/dri");
  for (unsigned i = 0; i < BAI_KMS_MAX_CARDS; i++) {
    char path[32];
    BaError reason = { 0 };
    snprintf (path, sizeof path, "/dev/dri/card%u", i);
    int r = open_path (display, path, device, options, &reason);
    if (r == 0)
      return 0;
    if (reason_rank (r) > reason_rank (best))
      best = ba_error_set (error, r, "%s", reason.message);
  }
  return best;
}

static int
kms_open (BaDisplay *display, const BaiDeviceString *device, const BaDisplayOptions *options, BaError *error)
{
  if (options->has_fd)
    return open_path (display, "the open card", device, options, error);
  if (!*device->card)
    return open_first (display, device, options, error);
  return open_path (display, device->card, device, options, error);
}

/* ---- the other hooks ------------------------------------------------------------------------------------------- */

/* What another program has set since stays, and needs no putting back by us. */
static void
kms_restore (BaDisplay *display)
{
  BaiKmsState *state = display->state;
  bai_kms_settle (display);
  int r = state->is_hidden ? 0 : bai_kms_put_back (display);
  release (display);
  bai_watcher_dismiss (&state->watcher, display->calls);
  if (r < 0 && r != -ENODEV) /* on a card that is gone there is nothing to put back */
    ba_log (BA_LOG_WARNING, "kms %s: cannot put back what was shown before: %s", display->info.name, ba_error_text (r));
}

/* A card has one master; but whoever shares the file with us may set a mode. */
static int
kms_check_mode (BaDisplay *display)
{
  const BaiKmsState *state = display->state;
  struct drm_mode_crtc crtc;
  if (state->mode_is_gone)
    return 1;
  if (!state->is_lit || state->is_hidden || state->must_light) /* the next page sets the mode, which may be a new one */
    return 0;
  int r = bai_kms_get_crtc (display, state->crtc_id, &crtc);
  if (r < 0)
    return r;
  return crtc.mode_valid && (crtc.mode.hdisplay != state->mode.hdisplay || crtc.mode.vdisplay != state->mode.vdisplay);
}

static bool
kms_supports_format (const BaDisplay *display, uint32_t fourcc)
{
  return bai_kms_format (fourcc) && bai_kms_has_format (display->state, fourcc);
}

const BaDisplayOps bai_kms_ops = {
  .kind = "kms",
  .open = kms_open,
  .show = bai_kms_show,
  .wait_vsync = bai_kms_wait,
  .tells_when_visible = true,
  .check_mode = kms_check_mode,
  .supports_format = kms_supports_format,
  .get_modifiers = bai_kms_get_modifiers,
  .set_colours = bai_kms_set_colours,
  .set_hdr = bai_kms_set_hdr,
  .set_window = bai_kms_set_window,
  .reopen = bai_kms_reopen,
  .refresh = bai_kms_refresh,
  .get_event_fd = bai_kms_get_event_fd,
  .export_page = bai_kms_export_page,
  .import = bai_kms_import,
  .forget_imports = bai_kms_forget_imports,
  .clear = bai_kms_clear,
  .restore = kms_restore,
  .finish = kms_finish,
};
