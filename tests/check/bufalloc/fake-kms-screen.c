/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fake-kms-screen.c: what the fake card shows: atomic commits, mode sets, flips and planes, each checked as a driver
 * that can neither scale nor show a primary plane smaller than the screen would.
 */
#include "fake-kms.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

/* ---- showing --------------------------------------------------------------------------------------------------- */

static bool
takes_format (const FakeKms *fake, uint32_t fourcc)
{
  for (unsigned i = 0; i < fake->n_formats; i++) {
    if (fake->formats[i] == fourcc)
      return fourcc != fake->refuse_test;
  }
  return false;
}

static bool
is_imported (FakeKms *fake, const FakeThing *fb)
{
  const FakeThing *buffer = fake_kms_find (fake->handles, fb->handles[0]);
  return buffer && buffer->inode != 0;
}

/* Whether a screen can be as @wanted says: 0 or an errno. */
static int
check_screen (FakeKms *fake, const FakeScreen *wanted)
{
  if (fake->refuse_hdr && wanted->connector_values[FAKE_P_HDR])
    return EINVAL;
  for (unsigned i = 0; i < FAKE_N_PLANES; i++) {
    const FakePlane *plane = &wanted->planes[i];
    const FakeThing *fb = plane->fb ? fake_kms_find (fake->fbs, plane->fb) : NULL;
    if (!plane->fb || (plane->fb == FAKE_CONSOLE_FB && !fake->console_is_gone))
      continue;
    if (!fb)
      return ENOENT;
    if (!takes_format (fake, fb->fourcc) || !wanted->mode.hdisplay) /* off by DPMS it is still one */
      return EINVAL;
    if (fake->refuse_imported && is_imported (fake, fb))
      return EINVAL;
    if (!fake->can_scale
        && (plane->values[FAKE_P_SRC_W] >> 16 != plane->values[FAKE_P_W]
            || plane->values[FAKE_P_SRC_H] >> 16 != plane->values[FAKE_P_H]))
      return ERANGE;
    if (plane->values[FAKE_P_SRC_W] >> 16 > fb->width || plane->values[FAKE_P_SRC_H] >> 16 > fb->height)
      return ENOSPC;
    if (i == 0 && !fake->can_be_small
        && (plane->values[FAKE_P_W] != wanted->mode.hdisplay || plane->values[FAKE_P_H] != wanted->mode.vdisplay))
      return EINVAL;
  }
  return 0;
}

static int
set_property (FakeKms *fake, FakeScreen *wanted, uint32_t object, unsigned property, uint64_t value)
{
  FakePlane *plane = object >= FAKE_PRIMARY ? &wanted->planes[object - FAKE_PRIMARY] : NULL;
  const FakeThing *blob;
  switch (property) {
    case FAKE_P_CONNECTOR_CRTC:
      wanted->connector_crtc = (uint32_t) value;
      break;
    case FAKE_P_ACTIVE:
      wanted->active = value != 0;
      break;
    case FAKE_P_MODE:
      blob = value ? fake_kms_find (fake->blobs, (uint32_t) value) : NULL;
      if (value && !blob)
        return EINVAL;
      memset (&wanted->mode, 0, sizeof wanted->mode);
      if (blob)
        wanted->mode = blob->mode;
      break;
    case FAKE_P_FENCE:
      break;
    case FAKE_P_FB:
      plane->fb = (uint32_t) value;
      break;
    case FAKE_P_CRTC:
      plane->crtc = (uint32_t) value;
      break;
    case FAKE_P_LINK:
      wanted->connector_values[property] &= value; /* nobody can make it bad */
      break;
    case FAKE_P_HDR:
    case FAKE_P_COLORSPACE:
    case FAKE_P_MAX_BPC:
      if (property == FAKE_P_HDR && value && !fake_kms_find (fake->blobs, (uint32_t) value))
        return EINVAL;
      wanted->connector_values[property] = value;
      break;
    case FAKE_P_ZPOS:
      if (fake->no_mixing)
        return EINVAL;
      plane->values[property] = value;
      break;
    default:
      plane->values[property] = value;
  }
  return 0;
}

static bool
is_modeset (const FakeScreen *from, const FakeScreen *to)
{
  return memcmp (from->connector_values, to->connector_values, sizeof from->connector_values) != 0
         || from->connector_crtc != to->connector_crtc || from->active != to->active
         || memcmp (&from->mode, &to->mode, sizeof to->mode) != 0;
}

static void
begin_flip (FakeKms *fake, uint64_t user, bool has_event)
{
  fake->n_flips++;
  fake->is_flipping = true;
  fake->flip_user = user;
  fake->event_ready = has_event && fake->no_vblank;
}

int
fake_kms_atomic (FakeKms *fake, const struct drm_mode_atomic *arg)
{
  const uint32_t *objects = (const uint32_t *) (uintptr_t) arg->objs_ptr;
  const uint32_t *counts = (const uint32_t *) (uintptr_t) arg->count_props_ptr;
  const uint32_t *ids = (const uint32_t *) (uintptr_t) arg->props_ptr;
  const uint64_t *values = (const uint64_t *) (uintptr_t) arg->prop_values_ptr;
  FakeScreen wanted = fake->screen;
  int32_t *fence = NULL;
  unsigned n = 0, at = 0;
  for (unsigned i = 0; i < arg->count_objs; i++) {
    for (unsigned k = 0; k < counts[i]; k++, at++, n++) {
      unsigned property = ids[at] - FAKE_PROPERTY;
      int code = property < FAKE_N_PROPERTIES && fake_kms_has_property (fake, property)
                     ? set_property (fake, &wanted, objects[i], property, values[at])
                     : ENOENT;
      if (code)
        return fake_kms_fail_with (code);
      if (property == FAKE_P_FENCE)
        fence = (int32_t *) (uintptr_t) values[at];
    }
  }
  bool nonblock = arg->flags & DRM_MODE_ATOMIC_NONBLOCK;
  bool modeset = is_modeset (&fake->screen, &wanted);
  bool async = arg->flags & DRM_MODE_PAGE_FLIP_ASYNC;
  int code = check_screen (fake, &wanted);
  if (code)
    return fake_kms_fail_with (code);
  if ((modeset && !(arg->flags & DRM_MODE_ATOMIC_ALLOW_MODESET)) || (async && (n != 1 || fake->no_async))
      || ((arg->flags & DRM_MODE_PAGE_FLIP_EVENT) && !wanted.active))
    return fake_kms_fail_with (EINVAL);
  if (arg->flags & DRM_MODE_ATOMIC_TEST_ONLY)
    return 0;
  if (nonblock && (fake->is_flipping || fake->foreign_flips > 0)) {
    fake->n_busy++;
    fake->foreign_flips -= fake->foreign_flips > 0;
    return fake_kms_fail_with (EBUSY);
  }
  fake->screen = wanted;
  fake->n_modesets += modeset;
  fake->n_async += async;
  if (fence)
    *fence = fake->fence_fd = eventfd (0, EFD_CLOEXEC);
  fake->n_open += fence != NULL;
  if (nonblock)
    begin_flip (fake, arg->user_data, arg->flags & DRM_MODE_PAGE_FLIP_EVENT);
  return 0;
}

void
fake_kms_cover (FakePlane *plane, uint32_t fb, uint32_t crtc, uint32_t width, uint32_t height)
{
  plane->fb = fb;
  plane->crtc = fb ? crtc : 0;
  plane->values[FAKE_P_W] = fb ? width : 0;
  plane->values[FAKE_P_H] = fb ? height : 0;
  plane->values[FAKE_P_SRC_W] = plane->values[FAKE_P_W] << 16;
  plane->values[FAKE_P_SRC_H] = plane->values[FAKE_P_H] << 16;
}

static int
use_screen (FakeKms *fake, const FakeScreen *wanted)
{
  int code = check_screen (fake, wanted);
  if (code)
    return fake_kms_fail_with (code);
  fake->screen = *wanted;
  return 0;
}

int
fake_kms_set_crtc (FakeKms *fake, const struct drm_mode_crtc *arg)
{
  FakeScreen wanted = fake->screen;
  if (arg->mode_valid && arg->count_connectors == 0)
    return fake_kms_fail_with (EINVAL);
  wanted.active = arg->mode_valid != 0;
  wanted.connector_crtc = arg->mode_valid ? FAKE_CRTC : 0;
  memset (&wanted.mode, 0, sizeof wanted.mode);
  if (arg->mode_valid) {
    wanted.mode = arg->mode;
    wanted.connector_values[FAKE_P_LINK] = 0;
  }
  fake_kms_cover (&wanted.planes[0], arg->fb_id, FAKE_CRTC, arg->mode.hdisplay, arg->mode.vdisplay);
  fake->n_modesets++;
  return use_screen (fake, &wanted);
}

int
fake_kms_page_flip (FakeKms *fake, const struct drm_mode_crtc_page_flip *arg)
{
  FakeScreen wanted = fake->screen;
  bool async = arg->flags & DRM_MODE_PAGE_FLIP_ASYNC;
  if (!fake->screen.planes[0].fb || fake->is_flipping) {
    fake->n_busy++;
    return fake_kms_fail_with (EBUSY);
  }
  if (async && fake->no_async)
    return fake_kms_fail_with (EINVAL);
  wanted.planes[0].fb = arg->fb_id;
  if (use_screen (fake, &wanted) < 0)
    return -1;
  fake->n_async += async;
  begin_flip (fake, arg->user_data, true);
  return 0;
}

int
fake_kms_set_plane (FakeKms *fake, const struct drm_mode_set_plane *arg)
{
  FakeScreen wanted = fake->screen;
  FakePlane *plane = &wanted.planes[arg->plane_id - FAKE_PRIMARY];
  fake_kms_cover (plane, arg->fb_id, arg->crtc_id, arg->crtc_w, arg->crtc_h);
  plane->values[FAKE_P_X] = arg->fb_id ? (uint64_t) (int64_t) arg->crtc_x : 0;
  plane->values[FAKE_P_Y] = arg->fb_id ? (uint64_t) (int64_t) arg->crtc_y : 0;
  plane->values[FAKE_P_SRC_W] = arg->fb_id ? arg->src_w : 0;
  plane->values[FAKE_P_SRC_H] = arg->fb_id ? arg->src_h : 0;
  fake->n_plane_sets++;
  return use_screen (fake, &wanted);
}
