/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kms-mode.c: which connector, which mode, and which CRTC drives it.
 *
 * Nobody knows the names of connectors by heart, nor what a screen can: whatever does not fit is answered with a list of
 * what there is. A CRTC that shows another connector's picture is never taken.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kms-private.h"

/* "@60" also means 59.94 Hz. */
#define RATE_SLACK_MHZ 600
/* 23.976 frames a second are shown well by a mode of 24 Hz, or 59.94 by one of 60. */
#define FIT_SLACK_MHZ 100
#define DEFAULT_RATE_MHZ 60000 /* of a mode without numbers */
/* Of a message, for what there is. */
#define LIST_BYTES (sizeof ((BaError *) NULL)->message - 160)

uint32_t
bai_kms_rate_mhz (const struct drm_mode_modeinfo *mode)
{
  uint64_t pixels = (uint64_t) mode->htotal * mode->vtotal;
  uint64_t rate_mhz = pixels ? (UINT64_C (1000000) * mode->clock + pixels / 2) / pixels : 0;
  if (mode->flags & DRM_MODE_FLAG_INTERLACE)
    rate_mhz *= 2;
  if (mode->flags & DRM_MODE_FLAG_DBLSCAN)
    rate_mhz /= 2;
  if (mode->vscan > 1)
    rate_mhz /= mode->vscan;
  return rate_mhz ? (uint32_t) rate_mhz : mode->vrefresh * 1000;
}

/* ---- choosing -------------------------------------------------------------------------------------------------- */

static void
note_non_desktop (void *user, const struct drm_mode_get_property *property, uint64_t value)
{
  bool *is_headset = user;
  if (strncmp (property->name, "non-desktop", sizeof property->name) == 0)
    *is_headset = value != 0;
}

/* Headsets are no screens that anybody looks at unasked: consoles and desktops leave them alone, too. */
static bool
is_headset (const BaDisplay *display, uint32_t connector_id)
{
  bool is = false;
  (void) bai_kms_for_each_property (display, connector_id, DRM_MODE_OBJECT_CONNECTOR, note_non_desktop, &is);
  return is;
}

static bool
is_wanted (const BaDisplay *display, const BaiKmsConnector *connector, const char *wanted)
{
  char number[16];
  if (!*wanted)
    return connector->is_connected && connector->n_modes > 0 && !is_headset (display, connector->id);
  snprintf (number, sizeof number, "%u", connector->id);
  return strcmp (connector->name, wanted) == 0 || strcmp (number, wanted) == 0;
}

/* How well a mode fits what was asked for; 0 = not at all. Of two that fit as well the first one is taken: drivers put
 * the better one first. */
static unsigned
fit_of (const struct drm_mode_modeinfo *mode, const BaiDeviceString *device)
{
  if (device->width_px && (mode->hdisplay != device->width_px || mode->vdisplay != device->height_px))
    return 0;
  unsigned fit = 1;
  if (device->rate_mhz) {
    uint32_t rate_mhz = bai_kms_rate_mhz (mode);
    uint32_t off_mhz = rate_mhz > device->rate_mhz ? rate_mhz - device->rate_mhz : device->rate_mhz - rate_mhz;
    if (off_mhz > RATE_SLACK_MHZ)
      return 0;
    fit += (RATE_SLACK_MHZ - off_mhz) * 4;
  }
  return fit + (mode->flags & DRM_MODE_FLAG_INTERLACE ? 0 : 2) + (mode->type & DRM_MODE_TYPE_PREFERRED ? 1 : 0);
}

static bool
choose_mode (BaiKmsState *state, const BaiKmsConnector *connector, const BaiDeviceString *device)
{
  unsigned best = 0;
  for (unsigned i = 0; i < connector->n_modes; i++) {
    unsigned fit = fit_of (&connector->modes[i], device);
    if (fit > best) {
      best = fit;
      state->mode = connector->modes[i];
    }
  }
  return best > 0;
}

/* The CRTC at work on a connector; 0 = none. */
static uint32_t
crtc_of (const BaDisplay *display, const BaiKmsConnector *connector)
{
  struct drm_mode_get_encoder encoder;
  if (!connector->encoder_id || bai_kms_get_encoder (display, connector->encoder_id, &encoder) < 0)
    return 0;
  return encoder.crtc_id;
}

/* Bits of the CRTCs that drive other connectors. */
static uint64_t
crtcs_in_use (const BaDisplay *display, const BaiKmsCard *card, uint32_t but_connector)
{
  uint64_t used = 0;
  for (unsigned i = 0; i < card->n_connectors; i++) {
    BaiKmsConnector connector;
    if (card->connectors[i] == but_connector || bai_kms_read_connector (display, card->connectors[i], &connector) < 0)
      continue;
    uint32_t crtc = crtc_of (display, &connector);
    for (unsigned k = 0; crtc && k < card->n_crtcs; k++)
      used |= card->crtcs[k] == crtc ? UINT64_C (1) << k : 0;
    free (connector.modes);
  }
  return used;
}

static uint64_t
possible_crtcs (const BaDisplay *display, const BaiKmsConnector *connector)
{
  uint64_t possible = 0;
  for (unsigned i = 0; i < connector->n_encoders; i++) {
    struct drm_mode_get_encoder encoder;
    if (bai_kms_get_encoder (display, connector->encoders[i], &encoder) == 0)
      possible |= encoder.possible_crtcs;
  }
  return possible;
}

/* Bits of those that the dark screens in front of ours will take, each the first that it can: two displays of one card
 * that are opened before either shows anything come to the same list, and so do not choose the same. */
static uint64_t
crtcs_before_ours (const BaDisplay *display, const BaiKmsCard *card, uint32_t our_connector, uint64_t used)
{
  uint64_t taken = 0;
  for (unsigned i = 0; i < card->n_connectors && card->connectors[i] != our_connector; i++) {
    BaiKmsConnector connector;
    if (bai_kms_read_connector (display, card->connectors[i], &connector) < 0)
      continue;
    uint64_t can = possible_crtcs (display, &connector) & ~(used | taken);
    if (connector.is_connected && !crtc_of (display, &connector))
      taken |= can & -can;
    free (connector.modes);
  }
  return taken;
}

static bool
choose_crtc (BaDisplay *display, const BaiKmsConnector *connector, const BaiKmsCard *card)
{
  BaiKmsState *state = display->state;
  uint64_t possible = possible_crtcs (display, connector);
  uint32_t current = crtc_of (display, connector);
  for (unsigned i = 0; current && i < card->n_crtcs; i++) {
    if (card->crtcs[i] == current)
      possible = UINT64_C (1) << i;
  }
  if (!current) {
    uint64_t used = crtcs_in_use (display, card, connector->id);
    uint64_t before = crtcs_before_ours (display, card, connector->id, used);
    possible &= ~used;
    if (possible & ~before)
      possible &= ~before;
  }
  for (unsigned i = 0; i < card->n_crtcs; i++) {
    if (possible & (UINT64_C (1) << i)) {
      state->crtc_id = card->crtcs[i];
      state->crtc_index = i;
      return true;
    }
  }
  return false;
}

/* How well a mode fits a stream; lower is better. First comes that all of it is seen, then that the screen's rate is a
 * multiple of the stream's (each frame is seen equally long), then how little is left over around it. */
static uint64_t
misfit_of (const struct drm_mode_modeinfo *mode, const BaDisplayOptions *stream)
{
  bool holds = mode->hdisplay >= stream->fit_width_px && mode->vdisplay >= stream->fit_height_px;
  uint64_t pixels = (uint64_t) mode->hdisplay * mode->vdisplay;
  uint64_t misfit = holds ? pixels : UINT32_MAX - pixels;
  uint32_t rate_mhz = bai_kms_rate_mhz (mode), times = 1, off_mhz = 0;
  if (stream->fit_rate_mhz) {
    times = (rate_mhz + stream->fit_rate_mhz / 2) / stream->fit_rate_mhz;
    uint64_t wanted_mhz = (uint64_t) stream->fit_rate_mhz * (times ? times : 1);
    off_mhz = (uint32_t) (wanted_mhz > rate_mhz ? wanted_mhz - rate_mhz : rate_mhz - wanted_mhz);
  }
  misfit |= (uint64_t) (off_mhz > FIT_SLACK_MHZ) << 40 | (uint64_t) !holds << 42;
  return misfit | (uint64_t) !!(mode->flags & DRM_MODE_FLAG_INTERLACE) << 41;
}

void
bai_kms_note_mode (BaDisplay *display)
{
  const BaiKmsState *state = display->state;
  uint32_t rate_mhz = bai_kms_rate_mhz (&state->mode);
  display->info.period_ns = UINT64_C (1000000000000) / (rate_mhz ? rate_mhz : DEFAULT_RATE_MHZ);
  display->info.screen_width_px = state->mode.hdisplay;
  display->info.screen_height_px = state->mode.vdisplay;
  display->info.is_overlay = state->is_overlay;
}

int
bai_kms_fit_mode (BaDisplay *display, const BaDisplayOptions *options)
{
  BaiKmsState *state = display->state;
  BaiKmsConnector connector;
  uint64_t least = UINT64_MAX;
  if (!state->mode_fits || state->is_overlay || !options->fit_width_px || !options->fit_height_px)
    return 0;
  int r = bai_kms_read_connector (display, state->connector_id, &connector);
  if (r < 0)
    return r;
  for (unsigned i = 0; i < connector.n_modes; i++) {
    uint64_t misfit = misfit_of (&connector.modes[i], options);
    if (misfit < least) {
      least = misfit;
      state->mode = connector.modes[i];
    }
  }
  free (connector.modes);
  return 0;
}

static int
no_output (const BaDisplay *display, const char *path, const BaiKmsCard *card, int code, const char *why,
           BaError *error)
{
  char *list = bai_kms_list (display, card);
  /* what does not fit is not begun: whoever needs all of it asks for it (ba_display_list_outputs) */
  size_t length = list ? strlen (list) : 0;
  bool is_cut = length > LIST_BYTES;
  for (length = is_cut ? LIST_BYTES : length; is_cut && list[length] != ' ' && length > 0; length--)
    ;
  ba_error_set (error, code, "%.60s: %.60s; it has %.*s%s", path, why, (int) length, list ? list : "",
                is_cut ? " and more" : "");
  free (list);
  return code;
}

/* One connector that is wanted. 0; 1 = it cannot be used, and perhaps another one can; or an error. */
static int
use_connector (BaDisplay *display, const char *path, const BaiDeviceString *device, const BaiKmsCard *card,
               const BaiKmsConnector *connector, BaError *error)
{
  BaiKmsState *state = display->state;
  char why[96];
  state->connector_id = connector->id;
  if (connector->n_modes == 0) {
    snprintf (why, sizeof why, "nothing is connected to %s", connector->name);
    return no_output (display, path, card, -ENODEV, why, error);
  }
  if (!choose_crtc (display, connector, card)) {
    if (!*device->connector)
      return 1;
    return ba_error_set (error, -EBUSY, "%.60s: everything that could drive %s shows on other connectors", path,
                         connector->name);
  }
  if (!choose_mode (state, connector, device)) {
    snprintf (why, sizeof why, "%s has no such mode", connector->name);
    return no_output (display, path, card, -EINVAL, why, error);
  }
  return 0;
}

int
bai_kms_choose_output (BaDisplay *display, const char *path, const BaiDeviceString *device, const BaiKmsCard *card,
                       BaError *error)
{
  char why[96];
  for (unsigned i = 0; i < card->n_connectors; i++) {
    BaiKmsConnector connector;
    int r = bai_kms_read_connector (display, card->connectors[i], &connector);
    if (r < 0)
      return ba_error_set (error, r, "%.100s: cannot ask a connector: %s", path, ba_error_text (r));
    r = is_wanted (display, &connector, device->connector)
            ? use_connector (display, path, device, card, &connector, error)
            : 1;
    free (connector.modes);
    if (r <= 0)
      return r;
  }
  if (!*device->connector)
    return no_output (display, path, card, -ENODEV, "no screen is connected", error);
  snprintf (why, sizeof why, "no connector is called \"%s\"", device->connector);
  return no_output (display, path, card, -EINVAL, why, error);
}
