/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kms-hdr.c: tells a screen that its pictures have a high dynamic range.
 *
 * Three properties of the connector belong together: what the stream says of itself (a blob), its colours, and enough
 * bits a colour on the cable. The first must be there; the other two are set where the driver has them.
 */
#include <errno.h>
#include <string.h>

#include "kms-private.h"

#define ENOUGH_BITS 10

/* Numbers of CTA-861: the electro-optical transfer functions, and the only kind of static metadata. */
enum
{
  EOTF_PQ = 2,
  EOTF_HLG = 3,
  METADATA_TYPE_1 = 0
};

static void
fill (struct hdr_output_metadata *out, const BaHdr *hdr)
{
  struct hdr_metadata_infoframe *frame = &out->hdmi_metadata_type1;
  memset (out, 0, sizeof *out);
  out->metadata_type = METADATA_TYPE_1;
  frame->eotf = hdr->is_hlg ? EOTF_HLG : EOTF_PQ;
  frame->metadata_type = METADATA_TYPE_1;
  for (unsigned i = 0; i < 3; i++) {
    frame->display_primaries[i].x = hdr->primaries[i][0];
    frame->display_primaries[i].y = hdr->primaries[i][1];
  }
  frame->white_point.x = hdr->white[0];
  frame->white_point.y = hdr->white[1];
  frame->max_display_mastering_luminance = hdr->max_luminance;
  frame->min_display_mastering_luminance = hdr->min_luminance;
  frame->max_cll = hdr->max_cll;
  frame->max_fall = hdr->max_fall;
}

static void
want (BaiKmsState *state, unsigned property, uint64_t value)
{
  state->properties[property].is_wanted = true;
  state->properties[property].wanted = value;
}

static void
want_saved (BaiKmsState *state, unsigned property)
{
  if (state->properties[property].is_wanted)
    want (state, property, state->properties[property].saved);
}

/* RGB is what leaves the CRTC, whatever the pages are. */
static void
want_colours_and_bits (BaDisplay *display, const BaHdr *hdr)
{
  BaiKmsState *state = display->state;
  const BaiKmsProperty *bits = &state->properties[BAI_KMS_CONNECTOR_MAX_BPC];
  uint64_t space;
  uint32_t space_id = state->properties[BAI_KMS_CONNECTOR_COLORSPACE].id;
  if (hdr->is_bt2020 && space_id && bai_kms_get_enum (display, space_id, "BT2020_RGB", &space))
    want (state, BAI_KMS_CONNECTOR_COLORSPACE, space);
  if (bits->id && bits->saved < ENOUGH_BITS && bits->max >= ENOUGH_BITS)
    want (state, BAI_KMS_CONNECTOR_MAX_BPC, ENOUGH_BITS);
}

/* Connector properties come first: those that belong together are one piece of the array. */
#define FIRST BAI_KMS_CONNECTOR_HDR
#define N_PROPERTIES (BAI_KMS_CONNECTOR_MAX_BPC - BAI_KMS_CONNECTOR_HDR + 1)

static int
want_hdr (BaDisplay *display, const BaHdr *hdr, uint32_t *blob)
{
  BaiKmsState *state = display->state;
  struct hdr_output_metadata metadata;
  want_saved (state, BAI_KMS_CONNECTOR_HDR);
  want_saved (state, BAI_KMS_CONNECTOR_COLORSPACE);
  want_saved (state, BAI_KMS_CONNECTOR_MAX_BPC);
  if (!hdr)
    return 0;
  fill (&metadata, hdr);
  int r = bai_kms_make_blob (display, &metadata, sizeof metadata, blob);
  if (r < 0)
    return r;
  want (state, BAI_KMS_CONNECTOR_HDR, *blob);
  want_colours_and_bits (display, hdr);
  return 0;
}

/* Tried now: with what a driver refuses, no page would be shown any more. */
int
bai_kms_set_hdr (BaDisplay *display, const BaHdr *hdr)
{
  BaiKmsState *state = display->state;
  BaiKmsProperty before[N_PROPERTIES];
  uint32_t blob = 0;
  if (!state->is_atomic || state->is_overlay || !state->properties[BAI_KMS_CONNECTOR_HDR].id)
    return hdr ? -ENOTSUP : 0;
  memcpy (before, &state->properties[FIRST], sizeof before);
  int r = want_hdr (display, hdr, &blob);
  if (r == 0 && hdr)
    r = bai_kms_test (display, state->pages[0].fb_id);
  if (r < 0 && !bai_kms_lacks_master (r)) {
    memcpy (&state->properties[FIRST], before, sizeof before);
    bai_kms_free_blob (display, &blob);
    return r == -EINVAL || r == -ERANGE || r == -ENOSPC ? -ENOTSUP : r;
  }
  state->must_light |= state->properties[BAI_KMS_CONNECTOR_HDR].is_wanted;
  if (hdr) { /* the connector holds the one that it was told before, however soon its number is gone */
    bai_kms_free_blob (display, &state->hdr_blob);
    state->hdr_blob = blob;
  }
  return 0;
}
