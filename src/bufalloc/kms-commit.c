/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kms-commit.c: says what is to be on screen: the first page with its mode, a page after another, and in the end what
 * was there before. Atomic commits or the older calls; which, was decided at open.
 */
#include <errno.h>
#include <string.h>

#include "kms-private.h"

/* What a commit sets: bit n stands for property n. */
#define BIT(name) (1u << (name))

typedef struct
{
  uint32_t bits;
  uint64_t values[BAI_KMS_N_PROPERTIES];
} Commit;

/* ---- atomic ---------------------------------------------------------------------------------------------------- */

static uint32_t
object_of (const BaiKmsState *state, unsigned property)
{
  if (property < BAI_KMS_CRTC_ACTIVE)
    return state->connector_id;
  return property < BAI_KMS_PLANE_FB ? state->crtc_id : state->plane_id;
}

static int
commit (const BaDisplay *display, const Commit *what, uint32_t flags, uint64_t user_data)
{
  BaiKmsState *state = display->state;
  uint32_t objects[3], counts[3], ids[BAI_KMS_N_PROPERTIES];
  uint64_t values[BAI_KMS_N_PROPERTIES];
  unsigned n_objects = 0, n = 0;

  for (unsigned i = 0; i < BAI_KMS_N_PROPERTIES; i++) {
    if (!(what->bits & BIT (i)))
      continue;
    uint32_t object = object_of (state, i);
    if (n_objects == 0 || objects[n_objects - 1] != object) {
      objects[n_objects] = object;
      counts[n_objects++] = 0;
    }
    counts[n_objects - 1]++;
    ids[n] = state->properties[i].id;
    values[n++] = what->values[i];
    if (!(flags & DRM_MODE_ATOMIC_TEST_ONLY))
      state->properties[i].is_touched = true;
  }
  struct drm_mode_atomic arg = {
    .flags = flags,
    .count_objs = n_objects,
    .objs_ptr = (uint64_t) (uintptr_t) objects,
    .count_props_ptr = (uint64_t) (uintptr_t) counts,
    .props_ptr = (uint64_t) (uintptr_t) ids,
    .prop_values_ptr = (uint64_t) (uintptr_t) values,
    .user_data = user_data,
  };
  return bai_kms_call (display, DRM_IOCTL_MODE_ATOMIC, &arg);
}

static void
set (Commit *what, unsigned property, uint64_t value)
{
  what->bits |= BIT (property);
  what->values[property] = value;
}

/* Everything that has to be said once. */
static void
set_all (const BaiKmsState *state, Commit *what, uint32_t fb_id)
{
  if (!state->is_overlay) {
    set (what, BAI_KMS_CONNECTOR_CRTC, state->crtc_id);
    if (state->properties[BAI_KMS_CONNECTOR_LINK].id) /* or a link that failed stays dark; else it changes nothing */
      set (what, BAI_KMS_CONNECTOR_LINK, DRM_MODE_LINK_STATUS_GOOD);
    set (what, BAI_KMS_CRTC_ACTIVE, 1);
    set (what, BAI_KMS_CRTC_MODE, state->mode_blob);
  }
  set (what, BAI_KMS_PLANE_FB, fb_id);
  set (what, BAI_KMS_PLANE_CRTC, state->crtc_id);
  set (what, BAI_KMS_PLANE_SRC_X, 0);
  set (what, BAI_KMS_PLANE_SRC_Y, 0);
  set (what, BAI_KMS_PLANE_SRC_W, (uint64_t) state->page_width_px << 16);
  set (what, BAI_KMS_PLANE_SRC_H, (uint64_t) state->page_height_px << 16);
  set (what, BAI_KMS_PLANE_CRTC_X, (uint64_t) (int64_t) state->window.x_px);
  set (what, BAI_KMS_PLANE_CRTC_Y, (uint64_t) (int64_t) state->window.y_px);
  set (what, BAI_KMS_PLANE_CRTC_W, state->window.width_px);
  set (what, BAI_KMS_PLANE_CRTC_H, state->window.height_px);
  for (unsigned i = 0; i < BAI_KMS_N_PROPERTIES; i++) {
    if (state->properties[i].is_wanted)
      set (what, i, state->properties[i].wanted);
  }
}

static void
set_colours (const BaiKmsState *state, Commit *what)
{
  set (what, BAI_KMS_PLANE_ENCODING, state->encoding);
  set (what, BAI_KMS_PLANE_RANGE, state->range);
}

static uint32_t
mode_flag (const BaiKmsState *state)
{
  return state->is_overlay ? 0 : DRM_MODE_ATOMIC_ALLOW_MODESET;
}

int
bai_kms_test (BaDisplay *display, uint32_t fb_id)
{
  const BaiKmsState *state = display->state;
  Commit what = { 0 };
  if (!state->is_atomic)
    return 0;
  set_all (state, &what, fb_id);
  return commit (display, &what, DRM_MODE_ATOMIC_TEST_ONLY | mode_flag (state), 0);
}

int
bai_kms_test_flip (BaDisplay *display, uint32_t fb_id)
{
  const BaiKmsState *state = display->state;
  Commit what = { 0 };
  if (!state->is_atomic || !state->is_lit || state->is_hidden)
    return bai_kms_test (display, fb_id);
  set (&what, BAI_KMS_PLANE_FB, fb_id);
  return commit (display, &what, DRM_MODE_ATOMIC_TEST_ONLY, 0);
}

static int
light_atomic (BaDisplay *display, uint32_t fb_id)
{
  BaiKmsState *state = display->state;
  Commit what = { 0 };
  set_all (state, &what, fb_id);
  if (state->colours_wanted)
    set_colours (state, &what);
  int r = commit (display, &what, mode_flag (state), 0);
  if (r == 0)
    state->colours_changed = false;
  return r;
}

/* A file that others take events from too gets a fence instead, which is for us alone. */
static int
flip_atomic (BaDisplay *display, uint32_t fb_id, bool async)
{
  BaiKmsState *state = display->state;
  int32_t fence = -1;
  uint32_t flags = DRM_MODE_ATOMIC_NONBLOCK | (async ? DRM_MODE_PAGE_FLIP_ASYNC : 0);
  Commit what = { 0 };
  set (&what, BAI_KMS_PLANE_FB, fb_id);
  if (state->colours_changed)
    set_colours (state, &what);
  if (!state->owns_fd && state->properties[BAI_KMS_CRTC_OUT_FENCE].id && !async)
    set (&what, BAI_KMS_CRTC_OUT_FENCE, (uint64_t) (uintptr_t) &fence);
  else
    flags |= DRM_MODE_PAGE_FLIP_EVENT;
  int r = commit (display, &what, flags, state->flip_id);
  if (r == 0) {
    state->colours_changed = false;
    state->fence_fd = fence;
  }
  return r;
}

/* ---- legacy ---------------------------------------------------------------------------------------------------- */

static int
set_plane (const BaDisplay *display, uint32_t fb_id)
{
  const BaiKmsState *state = display->state;
  struct drm_mode_set_plane arg = {
    .plane_id = state->plane_id,
    .crtc_id = fb_id ? state->crtc_id : 0,
    .fb_id = fb_id,
    .crtc_x = state->window.x_px,
    .crtc_y = state->window.y_px,
    .crtc_w = state->window.width_px,
    .crtc_h = state->window.height_px,
    .src_w = state->page_width_px << 16,
    .src_h = state->page_height_px << 16,
  };
  return bai_kms_call (display, DRM_IOCTL_MODE_SETPLANE, &arg);
}

static int
light_legacy (const BaDisplay *display, uint32_t fb_id)
{
  const BaiKmsState *state = display->state;
  struct drm_mode_crtc arg = {
    .set_connectors_ptr = (uint64_t) (uintptr_t) &state->connector_id,
    .count_connectors = 1,
    .crtc_id = state->crtc_id,
    .fb_id = fb_id,
    .mode_valid = 1,
    .mode = state->mode,
  };
  return state->is_overlay ? set_plane (display, fb_id) : bai_kms_call (display, DRM_IOCTL_MODE_SETCRTC, &arg);
}

/* An overlay has no flips of its own here: setting it returns when it is set, or at once, and sends no event. */
static int
flip_legacy (const BaDisplay *display, uint32_t fb_id, bool async)
{
  const BaiKmsState *state = display->state;
  struct drm_mode_crtc_page_flip arg = {
    .crtc_id = state->crtc_id,
    .fb_id = fb_id,
    .flags = DRM_MODE_PAGE_FLIP_EVENT | (async ? DRM_MODE_PAGE_FLIP_ASYNC : 0),
    .user_data = state->flip_id,
  };
  return state->is_overlay ? set_plane (display, fb_id) : bai_kms_call (display, DRM_IOCTL_MODE_PAGE_FLIP, &arg);
}

/* ---- either ---------------------------------------------------------------------------------------------------- */

/* A mode that is set already is not set again, so that a screen which was plugged in anew would stay dark. */
static void
switch_off (BaDisplay *display)
{
  BaiKmsState *state = display->state;
  if (!state->is_overlay && state->is_atomic) {
    Commit off = { 0 };
    set (&off, BAI_KMS_CRTC_ACTIVE, 0);
    (void) commit (display, &off, DRM_MODE_ATOMIC_ALLOW_MODESET, 0);
  } else if (!state->is_overlay) {
    struct drm_mode_crtc off = { .crtc_id = state->crtc_id };
    (void) bai_kms_call (display, DRM_IOCTL_MODE_SETCRTC, &off);
  }
}

int
bai_kms_light (BaDisplay *display, uint32_t fb_id)
{
  BaiKmsState *state = display->state;
  if (state->is_replugged && state->is_lit)
    switch_off (display);
  int r = state->is_atomic ? light_atomic (display, fb_id) : light_legacy (display, fb_id);
  if (r == 0) {
    state->is_lit = true;
    state->shown_fb = state->shown_fb_before = fb_id;
    state->must_light = state->is_replugged = false;
    bai_kms_free_inherited (display);
  }
  return r;
}

static int
start_flip (BaDisplay *display, uint32_t fb_id, bool async)
{
  const BaiKmsState *state = display->state;
  return state->is_atomic ? flip_atomic (display, fb_id, async) : flip_legacy (display, fb_id, async);
}

int
bai_kms_start_flip (BaDisplay *display, uint32_t fb_id)
{
  BaiKmsState *state = display->state;
  bool async = state->can_async && !state->colours_changed; /* with which nothing may change but the page */
  state->flip_id++;
  int r = start_flip (display, fb_id, async);
  if (r == -EINVAL && async) {
    state->can_async = false; /* the driver said it can; the plane says what it cannot */
    r = start_flip (display, fb_id, false);
  }
  if (r == 0) {
    state->is_flipping = state->is_atomic || !state->is_overlay;
    state->shown_fb_before = state->is_flipping ? state->shown_fb : fb_id;
    state->shown_fb = fb_id;
  }
  return r;
}

static uint64_t
value_before (const BaiKmsState *state, unsigned property, bool is_dark)
{
  switch (property) {
    case BAI_KMS_CONNECTOR_CRTC:
    case BAI_KMS_CRTC_ACTIVE:
    case BAI_KMS_PLANE_FB:
    case BAI_KMS_PLANE_CRTC:
      return is_dark ? 0 : state->properties[property].saved;
    case BAI_KMS_CRTC_MODE:
      return is_dark ? 0 : state->saved_mode_blob;
    default:
      return state->properties[property].saved;
  }
}

static int
commit_before (BaDisplay *display, bool is_dark)
{
  const BaiKmsState *state = display->state;
  Commit what = { 0 };
  for (unsigned i = 0; i < BAI_KMS_N_PROPERTIES; i++) {
    if (state->properties[i].is_touched && i != BAI_KMS_CRTC_OUT_FENCE)
      set (&what, i, value_before (state, i, is_dark));
  }
  return commit (display, &what, mode_flag (state), 0);
}

/* A picture that its owner has freed meanwhile cannot be shown again. Then nothing is, and the rest (HDR, bits, alpha) is
 * as it was: nobody else would put that back. */
static int
put_back_atomic (BaDisplay *display)
{
  int r = commit_before (display, false);
  if (r < 0 && r != -ENODEV && !bai_kms_lacks_master (r))
    (void) commit_before (display, true);
  return r;
}

static int
put_back_legacy (BaDisplay *display)
{
  BaiKmsState *state = display->state;
  if (state->is_overlay)
    return set_plane (display, 0);
  struct drm_mode_crtc arg = state->saved_crtc;
  arg.count_connectors = arg.mode_valid && arg.fb_id ? state->n_saved_connectors : 0;
  arg.set_connectors_ptr = (uint64_t) (uintptr_t) state->saved_connectors;
  if (arg.count_connectors == 0)
    arg.mode_valid = arg.fb_id = 0;
  return bai_kms_call (display, DRM_IOCTL_MODE_SETCRTC, &arg);
}

void
bai_kms_touch_all (BaiKmsState *state)
{
  state->is_lit = true;
  for (unsigned i = state->is_overlay ? BAI_KMS_PLANE_FB : 0; i < BAI_KMS_N_PROPERTIES; i++)
    state->properties[i].is_touched = state->properties[i].id != 0;
}

int
bai_kms_put_back (BaDisplay *display)
{
  const BaiKmsState *state = display->state;
  if (!state->is_lit)
    return 0;
  return state->is_atomic ? put_back_atomic (display) : put_back_legacy (display);
}
