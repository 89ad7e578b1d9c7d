/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fake-kms-properties.c: what the fake card's connector, CRTC and planes can be told: names, values, ranges and blobs. Real
 * drivers with all of them exist; those of qemu have few.
 */
#include "fake-kms.h"

#include <errno.h>
#include <string.h>

static const char *const property_names[FAKE_N_PROPERTIES] = {
  [FAKE_P_CONNECTOR_CRTC] = "CRTC_ID",
  [FAKE_P_LINK] = "link-status",
  [FAKE_P_HDR] = "HDR_OUTPUT_METADATA",
  [FAKE_P_COLORSPACE] = "Colorspace",
  [FAKE_P_MAX_BPC] = "max bpc",
  [FAKE_P_NON_DESKTOP] = "non-desktop",
  [FAKE_P_ACTIVE] = "ACTIVE",
  [FAKE_P_MODE] = "MODE_ID",
  [FAKE_P_FENCE] = "OUT_FENCE_PTR",
  [FAKE_P_TYPE] = "type",
  [FAKE_P_FB] = "FB_ID",
  [FAKE_P_CRTC] = "CRTC_ID",
  [FAKE_P_SRC_X] = "SRC_X",
  [FAKE_P_SRC_Y] = "SRC_Y",
  [FAKE_P_SRC_W] = "SRC_W",
  [FAKE_P_SRC_H] = "SRC_H",
  [FAKE_P_X] = "CRTC_X",
  [FAKE_P_Y] = "CRTC_Y",
  [FAKE_P_W] = "CRTC_W",
  [FAKE_P_H] = "CRTC_H",
  [FAKE_P_ENCODING] = "COLOR_ENCODING",
  [FAKE_P_RANGE] = "COLOR_RANGE",
  [FAKE_P_ZPOS] = "zpos",
  [FAKE_P_ALPHA] = "alpha",
  [FAKE_P_IN_FORMATS] = "IN_FORMATS",
};

static const struct drm_mode_property_enum encodings[] = {
  { 0, "ITU-R BT.601 YCbCr" },
  { 1, "ITU-R BT.709 YCbCr" },
  { 2, "ITU-R BT.2020 YCbCr" },
};
static const struct drm_mode_property_enum ranges[] = { { 0, "YCbCr limited range" }, { 1, "YCbCr full range" } };
static const struct drm_mode_property_enum colourspaces[] = { { 0, "Default" }, { 9, "BT2020_RGB" } };

#define IN_FORMATS_BLOB 7

bool
fake_kms_has_property (const FakeKms *fake, unsigned property)
{
  switch (property) {
    case FAKE_P_FENCE:
      return !fake->no_fence;
    case FAKE_P_ENCODING:
    case FAKE_P_RANGE:
      return !fake->no_colours;
    case FAKE_P_ALPHA:
      return !fake->no_mixing;
    case FAKE_P_NON_DESKTOP:
      return fake->headset;
    case FAKE_P_IN_FORMATS:
      return fake->n_modifiers > 0;
    case FAKE_P_HDR:
    case FAKE_P_COLORSPACE:
    case FAKE_P_MAX_BPC:
      return !fake->no_hdr;
    default:
      return true;
  }
}

static uint64_t
value_of (const FakeKms *fake, uint32_t object, unsigned property)
{
  const FakePlane *plane = object >= FAKE_PRIMARY ? &fake->screen.planes[object - FAKE_PRIMARY] : NULL;
  switch (property) {
    case FAKE_P_CONNECTOR_CRTC:
      return fake->screen.connector_crtc;
    case FAKE_P_NON_DESKTOP:
      return object == FAKE_VGA;
    case FAKE_P_ACTIVE:
      return fake->screen.active;
    case FAKE_P_IN_FORMATS:
      return IN_FORMATS_BLOB;
    case FAKE_P_TYPE:
      return object >= FAKE_OVERLAY ? 0 : 1;
    case FAKE_P_FB:
      return plane ? plane->fb : 0;
    case FAKE_P_CRTC:
      return plane ? plane->crtc : 0;
    default:
      return plane ? plane->values[property] : property <= FAKE_P_MAX_BPC ? fake->screen.connector_values[property] : 0;
  }
}

int
fake_kms_get_properties (const FakeKms *fake, struct drm_mode_obj_get_properties *arg)
{
  unsigned first = FAKE_P_TYPE, end = FAKE_N_PROPERTIES, n = 0;
  uint32_t ids[FAKE_N_PROPERTIES];
  uint64_t values[FAKE_N_PROPERTIES];
  if (arg->obj_type == DRM_MODE_OBJECT_CONNECTOR) {
    first = FAKE_P_CONNECTOR_CRTC;
    end = FAKE_P_ACTIVE;
  } else if (arg->obj_type == DRM_MODE_OBJECT_CRTC) {
    first = FAKE_P_ACTIVE;
    end = FAKE_P_TYPE;
  }
  for (unsigned i = first; i < end; i++) {
    if (!fake_kms_has_property (fake, i))
      continue;
    ids[n] = FAKE_PROPERTY + i;
    values[n++] = value_of (fake, arg->obj_id, i);
  }
  uint32_t room = arg->count_props;
  fake_kms_give (arg->props_ptr, &room, ids, n, sizeof ids[0]);
  fake_kms_give (arg->prop_values_ptr, &arg->count_props, values, n, sizeof values[0]);
  return 0;
}

static void
give_range (struct drm_mode_get_property *arg, uint64_t min, uint64_t max)
{
  const uint64_t ends[] = { min, max };
  fake_kms_give (arg->values_ptr, &arg->count_values, ends, 2, sizeof ends[0]);
  arg->flags = DRM_MODE_PROP_RANGE;
  arg->count_enum_blobs = 0;
}

static void
give_enums (struct drm_mode_get_property *arg, const struct drm_mode_property_enum *enums, uint32_t n)
{
  arg->flags = DRM_MODE_PROP_ENUM;
  arg->count_values = n;
  fake_kms_give (arg->enum_blob_ptr, &arg->count_enum_blobs, enums, n, sizeof enums[0]);
}

int
fake_kms_get_property (const FakeKms *fake, struct drm_mode_get_property *arg)
{
  unsigned property = arg->prop_id - FAKE_PROPERTY;
  strcpy (arg->name, property_names[property]);
  switch (property) {
    case FAKE_P_ENCODING:
      give_enums (arg, encodings, 3);
      break;
    case FAKE_P_RANGE:
      give_enums (arg, ranges, 2);
      break;
    case FAKE_P_COLORSPACE:
      give_enums (arg, colourspaces, 2);
      break;
    case FAKE_P_MAX_BPC:
      give_range (arg, 6, 12);
      break;
    case FAKE_P_ZPOS:
      give_range (arg, 0, 2);
      arg->flags |= fake->no_mixing ? DRM_MODE_PROP_IMMUTABLE : 0;
      break;
    case FAKE_P_NON_DESKTOP:
      give_range (arg, 0, 1);
      arg->flags |= DRM_MODE_PROP_IMMUTABLE;
      break;
    case FAKE_P_ALPHA:
      give_range (arg, 0, 0xffff);
      break;
    default:
      arg->count_enum_blobs = 0;
  }
  return 0;
}

int
fake_kms_create_blob (FakeKms *fake, struct drm_mode_create_blob *arg)
{
  FakeThing *blob = fake_kms_make (fake, fake->blobs);
  if (arg->length > sizeof blob->mode)
    return fake_kms_fail_with (EINVAL);
  memcpy (&blob->mode, (const void *) (uintptr_t) arg->data, arg->length);
  blob->bytes = arg->length;
  arg->blob_id = blob->id;
  return 0;
}

static int
get_in_formats (const FakeKms *fake, struct drm_mode_get_blob *arg)
{
  struct
  {
    struct drm_format_modifier_blob head;
    uint32_t formats[16];
    struct drm_format_modifier modifiers[8];
  } blob = { .head = { .version = FORMAT_BLOB_CURRENT } };
  blob.head.count_formats = fake->n_formats;
  blob.head.formats_offset = (uint32_t) ((char *) blob.formats - (char *) &blob);
  blob.head.count_modifiers = fake->n_modifiers;
  blob.head.modifiers_offset = (uint32_t) ((char *) blob.modifiers - (char *) &blob);
  memcpy (blob.formats, fake->formats, fake->n_formats * sizeof fake->formats[0]);
  for (unsigned i = 0; i < fake->n_modifiers; i++) {
    blob.modifiers[i].modifier = fake->modifiers[i];
    blob.modifiers[i].formats = ~UINT64_C (0); /* also of formats that there are not */
    blob.modifiers[i].offset = 1;
  }
  if (arg->length == sizeof blob)
    memcpy ((void *) (uintptr_t) arg->data, &blob, sizeof blob);
  arg->length = sizeof blob;
  return 0;
}

int
fake_kms_get_blob (FakeKms *fake, struct drm_mode_get_blob *arg)
{
  if (arg->blob_id == IN_FORMATS_BLOB)
    return get_in_formats (fake, arg);
  const FakeThing *blob = fake_kms_find (fake->blobs, arg->blob_id);
  if (!arg->blob_id || !blob)
    return fake_kms_fail_with (ENOENT);
  if (arg->length == blob->bytes)
    memcpy ((void *) (uintptr_t) arg->data, &blob->mode, blob->bytes);
  arg->length = blob->bytes;
  return 0;
}
