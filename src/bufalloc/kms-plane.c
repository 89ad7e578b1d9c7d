/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kms-plane.c: the plane that shows our pages, which formats it takes, and the properties of everything that an atomic
 * commit may change, with the values they had before.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kms-private.h"

/* ---- choosing a plane ------------------------------------------------------------------------------------------ */

/* The kernel's numbers of the property "type"; no kernel header has them. */
enum
{
  PLANE_OVERLAY = 0,
  PLANE_PRIMARY = 1
};

static void
note_type (void *user, const struct drm_mode_get_property *property, uint64_t value)
{
  uint64_t *type = user;
  if (strncmp (property->name, "type", sizeof property->name) == 0)
    *type = value;
}

static bool
is_of_type (const BaDisplay *display, uint32_t plane_id, uint64_t wanted)
{
  uint64_t type = UINT64_MAX;
  (void) bai_kms_for_each_property (display, plane_id, DRM_MODE_OBJECT_PLANE, note_type, &type);
  return type == wanted;
}

static bool
fits_crtc (const BaiKmsState *state, const struct drm_mode_get_plane *plane)
{
  return (plane->possible_crtcs & (1u << state->crtc_index)) && (!plane->crtc_id || plane->crtc_id == state->crtc_id);
}

static int
read_formats (BaDisplay *display, uint32_t plane_id)
{
  BaiKmsState *state = display->state;
  struct drm_mode_get_plane plane = {
    .format_type_ptr = (uint64_t) (uintptr_t) state->formats,
    .count_format_types = BAI_KMS_MAX_FORMATS,
  };
  int r = bai_kms_get_plane (display, plane_id, &plane);
  state->n_formats = plane.count_format_types;
  if (plane.count_format_types > BAI_KMS_MAX_FORMATS)
    state->n_formats = 0; /* the kernel fills all or nothing */
  return r;
}

static int
use_named_plane (BaDisplay *display, const char *path, uint32_t plane_id, const BaiKmsCard *card, BaError *error)
{
  BaiKmsState *state = display->state;
  char list[160] = "";
  for (unsigned i = 0; i < card->n_planes; i++) {
    struct drm_mode_get_plane plane = { 0 };
    if (bai_kms_get_plane (display, card->planes[i], &plane) < 0 || !fits_crtc (state, &plane))
      continue;
    if (card->planes[i] == plane_id && !bai_kms_take_plane (state->shared, plane_id))
      return ba_error_set (error, -EBUSY, "%.100s: another display of this program shows in plane %u", path, plane_id);
    if (card->planes[i] == plane_id) {
      state->plane_id = plane_id;
      return 0;
    }
    size_t used = strlen (list);
    snprintf (list + used, sizeof list - used, " %u%s", card->planes[i],
              is_of_type (display, card->planes[i], PLANE_PRIMARY) ? " (primary)" : "");
  }
  return ba_error_set (error, -EINVAL, "%.100s: plane %u is none that can show there; these can:%s", path, plane_id,
                       list);
}

static void
note_in_formats (void *user, const struct drm_mode_get_property *property, uint64_t value)
{
  uint32_t *blob = user;
  if (strncmp (property->name, "IN_FORMATS", sizeof property->name) == 0)
    *blob = (uint32_t) value;
}

/* Without it nothing is missed but pictures that lie otherwise than in rows. */
static void
read_in_formats (BaDisplay *display)
{
  BaiKmsState *state = display->state;
  uint32_t blob = 0;
  if (bai_kms_get_cap (display, DRM_CAP_ADDFB2_MODIFIERS) == 0)
    return;
  (void) bai_kms_for_each_property (display, state->plane_id, DRM_MODE_OBJECT_PLANE, note_in_formats, &blob);
  if (blob)
    (void) bai_kms_read_blob (display, blob, &state->in_formats, &state->in_formats_bytes);
}

/* A table of formats, and one of modifiers, each with the bits of 64 formats in a row that may lie so. */
unsigned
bai_kms_get_modifiers (const BaDisplay *display, uint32_t fourcc, uint64_t *modifiers, unsigned room)
{
  const BaiKmsState *state = display->state;
  struct drm_format_modifier_blob head;
  unsigned n = 0;
  if (!state->in_formats || state->in_formats_bytes < sizeof head)
    return 0;
  memcpy (&head, state->in_formats, sizeof head);
  for (uint64_t i = 0; i < head.count_modifiers; i++) {
    struct drm_format_modifier modifier;
    uint64_t at = head.modifiers_offset + i * sizeof modifier;
    if (at + sizeof modifier > state->in_formats_bytes)
      break;
    memcpy (&modifier, state->in_formats + at, sizeof modifier);
    for (uint64_t bit = 0; bit < 64; bit++) {
      uint64_t format_at = head.formats_offset + (modifier.offset + bit) * sizeof fourcc;
      uint32_t format;
      if (!(modifier.formats & (UINT64_C (1) << bit)) || modifier.offset + bit >= head.count_formats
          || format_at + sizeof format > state->in_formats_bytes)
        continue;
      memcpy (&format, state->in_formats + format_at, sizeof format);
      if (format != fourcc)
        continue;
      if (n < room)
        modifiers[n] = modifier.modifier;
      n++;
    }
  }
  return n;
}

static int
no_overlay (const char *path, unsigned n_taken, BaError *error)
{
  if (n_taken == 0)
    return ba_error_set (error, -ENOTSUP, "%.100s: the screen has no overlay planes", path);
  return ba_error_set (error, -EBUSY, "%.100s: no overlay plane is free: the screen has %u, and others show in %s",
                       path, n_taken, n_taken == 1 ? "it" : "all of them");
}

int
bai_kms_choose_plane (BaDisplay *display, const char *path, const BaiDeviceString *device, const BaiKmsCard *card,
                      BaError *error)
{
  BaiKmsState *state = display->state;
  uint64_t type = device->wants_overlay ? PLANE_OVERLAY : PLANE_PRIMARY;
  if (device->plane_id) {
    int r = use_named_plane (display, path, device->plane_id, card, error);
    if (r < 0)
      return r;
  }
  unsigned n_taken = 0;
  for (unsigned i = 0; !state->plane_id && i < card->n_planes; i++) {
    struct drm_mode_get_plane plane = { 0 };
    if (bai_kms_get_plane (display, card->planes[i], &plane) < 0 || !fits_crtc (state, &plane)
        || !is_of_type (display, card->planes[i], type))
      continue;
    /* one that others show in, or that another display of this program is about to */
    if ((type == PLANE_OVERLAY && plane.fb_id) || !bai_kms_take_plane (state->shared, card->planes[i]))
      n_taken++;
    else
      state->plane_id = card->planes[i];
  }
  if (!state->plane_id && device->wants_overlay)
    return no_overlay (path, n_taken, error);
  if (!state->plane_id && n_taken > 0)
    return ba_error_set (error, -EBUSY, "%.100s: another display of this program shows on that screen", path);
  if (!state->plane_id)
    return ba_error_set (error, -ENOTSUP, "%.100s: no primary plane for the screen", path);
  int r = read_formats (display, state->plane_id);
  if (r == 0)
    read_in_formats (display);
  return r < 0 ? ba_error_set (error, r, "%.100s: cannot ask for formats: %s", path, ba_error_text (r)) : 0;
}

bool
bai_kms_has_format (const BaiKmsState *state, uint32_t fourcc)
{
  for (unsigned i = 0; i < state->n_formats; i++) {
    if (state->formats[i] == fourcc)
      return true;
  }
  return false;
}

/* ---- properties ------------------------------------------------------------------------------------------------ */

static const char *const property_names[BAI_KMS_N_PROPERTIES] = {
  [BAI_KMS_CONNECTOR_CRTC] = "CRTC_ID",
  [BAI_KMS_CONNECTOR_LINK] = "link-status",
  [BAI_KMS_CONNECTOR_HDR] = "HDR_OUTPUT_METADATA",
  [BAI_KMS_CONNECTOR_COLORSPACE] = "Colorspace",
  [BAI_KMS_CONNECTOR_MAX_BPC] = "max bpc",
  [BAI_KMS_CRTC_ACTIVE] = "ACTIVE",
  [BAI_KMS_CRTC_MODE] = "MODE_ID",
  [BAI_KMS_CRTC_OUT_FENCE] = "OUT_FENCE_PTR",
  [BAI_KMS_PLANE_FB] = "FB_ID",
  [BAI_KMS_PLANE_CRTC] = "CRTC_ID",
  [BAI_KMS_PLANE_SRC_X] = "SRC_X",
  [BAI_KMS_PLANE_SRC_Y] = "SRC_Y",
  [BAI_KMS_PLANE_SRC_W] = "SRC_W",
  [BAI_KMS_PLANE_SRC_H] = "SRC_H",
  [BAI_KMS_PLANE_CRTC_X] = "CRTC_X",
  [BAI_KMS_PLANE_CRTC_Y] = "CRTC_Y",
  [BAI_KMS_PLANE_CRTC_W] = "CRTC_W",
  [BAI_KMS_PLANE_CRTC_H] = "CRTC_H",
  [BAI_KMS_PLANE_ENCODING] = "COLOR_ENCODING",
  [BAI_KMS_PLANE_RANGE] = "COLOR_RANGE",
  [BAI_KMS_PLANE_ZPOS] = "zpos",
  [BAI_KMS_PLANE_ALPHA] = "alpha",
};

static bool
is_optional (unsigned property)
{
  switch (property) {
    case BAI_KMS_CONNECTOR_LINK:
    case BAI_KMS_CONNECTOR_HDR:
    case BAI_KMS_CONNECTOR_COLORSPACE:
    case BAI_KMS_CONNECTOR_MAX_BPC:
    case BAI_KMS_CRTC_OUT_FENCE:
    case BAI_KMS_PLANE_ENCODING:
    case BAI_KMS_PLANE_RANGE:
    case BAI_KMS_PLANE_ZPOS:
    case BAI_KMS_PLANE_ALPHA:
      return true;
    default:
      return false;
  }
}

static void
note_among (BaiKmsState *state, unsigned first, unsigned end, const struct drm_mode_get_property *property,
            uint64_t value)
{
  const uint64_t *ends = (const uint64_t *) (uintptr_t) property->values_ptr;
  if (property->flags & DRM_MODE_PROP_IMMUTABLE) /* a zpos that is told, and cannot be set */
    return;
  for (unsigned i = first; i < end; i++) {
    if (strncmp (property->name, property_names[i], sizeof property->name) == 0) {
      state->properties[i].id = property->prop_id;
      state->properties[i].saved = value;
      state->properties[i].min = ends[0];
      state->properties[i].max = ends[1];
    }
  }
}

static void
note_connector (void *user, const struct drm_mode_get_property *property, uint64_t value)
{
  note_among (user, BAI_KMS_CONNECTOR_CRTC, BAI_KMS_CRTC_ACTIVE, property, value);
}

static void
note_crtc (void *user, const struct drm_mode_get_property *property, uint64_t value)
{
  note_among (user, BAI_KMS_CRTC_ACTIVE, BAI_KMS_PLANE_FB, property, value);
}

static void
note_plane (void *user, const struct drm_mode_get_property *property, uint64_t value)
{
  note_among (user, BAI_KMS_PLANE_FB, BAI_KMS_N_PROPERTIES, property, value);
}

static void
read_colour_values (BaDisplay *display)
{
  static const char *const encodings[] = {
    [BA_YUV_BT601] = "ITU-R BT.601 YCbCr",
    [BA_YUV_BT709] = "ITU-R BT.709 YCbCr",
    [BA_YUV_BT2020] = "ITU-R BT.2020 YCbCr",
  };
  static const char *const ranges[] = { "YCbCr limited range", "YCbCr full range" };
  BaiKmsState *state = display->state;
  uint32_t encoding_id = state->properties[BAI_KMS_PLANE_ENCODING].id;
  uint32_t range_id = state->properties[BAI_KMS_PLANE_RANGE].id;
  for (unsigned i = 0; encoding_id && i < 3; i++) {
    if (bai_kms_get_enum (display, encoding_id, encodings[i], &state->encodings[i]))
      state->colour_values_known |= BAI_KMS_ENCODING_BIT (i);
  }
  for (unsigned i = 0; range_id && i < 2; i++) {
    if (bai_kms_get_enum (display, range_id, ranges[i], &state->ranges[i]))
      state->colour_values_known |= BAI_KMS_RANGE_BIT (i);
  }
}

/* Somebody's HDR metadata is there as long as it is shown, and we show something else. Without a copy it is not ours. */
static void
keep_hdr (BaDisplay *display)
{
  BaiKmsState *state = display->state;
  BaiKmsProperty *hdr = &state->properties[BAI_KMS_CONNECTOR_HDR];
  if (!hdr->id || !hdr->saved)
    return;
  if (bai_kms_copy_blob (display, (uint32_t) hdr->saved, sizeof (struct hdr_output_metadata), &state->saved_hdr_blob)
      < 0)
    hdr->id = 0;
  else
    hdr->saved = state->saved_hdr_blob;
}

int
bai_kms_read_properties (BaDisplay *display)
{
  BaiKmsState *state = display->state;
  int r = bai_kms_for_each_property (display, state->connector_id, DRM_MODE_OBJECT_CONNECTOR, note_connector, state);
  if (r == 0)
    r = bai_kms_for_each_property (display, state->crtc_id, DRM_MODE_OBJECT_CRTC, note_crtc, state);
  if (r == 0)
    r = bai_kms_for_each_property (display, state->plane_id, DRM_MODE_OBJECT_PLANE, note_plane, state);
  if (r < 0)
    return r;
  read_colour_values (display);
  for (unsigned i = 0; i < BAI_KMS_N_PROPERTIES; i++) {
    if (!is_optional (i) && !state->properties[i].id)
      return -ENOTSUP;
  }
  keep_hdr (display);
  return 0;
}

static int
want_value (BaiKmsState *state, unsigned name, uint64_t value, const char *path, BaError *error)
{
  BaiKmsProperty *property = &state->properties[name];
  if (!state->is_atomic || !property->id)
    return ba_error_set (error, -ENOTSUP, "%.100s: plane %u has no %s that can be set", path, state->plane_id,
                         property_names[name]);
  if (value < property->min || value > property->max)
    return ba_error_set (error, -EINVAL, "%.100s: plane %u takes a %s from %llu to %llu", path, state->plane_id,
                         property_names[name], (unsigned long long) property->min, (unsigned long long) property->max);
  property->wanted = value;
  property->is_wanted = true;
  return 0;
}

int
bai_kms_want_mixing (BaDisplay *display, const char *path, const BaiDeviceString *device, BaError *error)
{
  BaiKmsState *state = display->state;
  int r = device->has_zpos ? want_value (state, BAI_KMS_PLANE_ZPOS, device->zpos, path, error) : 0;
  if (r == 0 && device->has_alpha) {
    uint64_t max = state->properties[BAI_KMS_PLANE_ALPHA].max;
    r = want_value (state, BAI_KMS_PLANE_ALPHA, (max * device->alpha_percent + 50) / 100, path, error);
  }
  return r;
}

/* Drivers without these have one idea of YUV. What they cannot say, they should not be asked to show. */
int
bai_kms_set_colours (BaDisplay *display, BaYuvMatrix matrix, bool full_range)
{
  BaiKmsState *state = display->state;
  uint32_t wanted = BAI_KMS_ENCODING_BIT (matrix) | BAI_KMS_RANGE_BIT (full_range);
  if (!state->is_atomic || (state->colour_values_known & wanted) != wanted)
    return -ENOTSUP;
  if (state->colours_wanted && state->encoding == state->encodings[matrix] && state->range == state->ranges[full_range])
    return 0;
  state->encoding = state->encodings[matrix];
  state->range = state->ranges[full_range];
  state->colours_wanted = state->colours_changed = true;
  return 0;
}
