// SPDX-License-Identifier: GPL-2.0-only
/*
 * batest-screen.c: the connector, and the screen behind it, which is there or not and has the modes that it was last told
 * to have. It takes 10 bits a colour and the metadata of a high dynamic range.
 */
#include <drm/drm_atomic.h>
#include <drm/drm_atomic_helper.h>
#include <drm/drm_atomic_state_helper.h>
#include <drm/drm_edid.h>
#include <drm/drm_managed.h>
#include <drm/drm_modeset_helper_vtables.h>
#include <drm/drm_probe_helper.h>
#include <linux/string.h>

#include "batest.h"

#define RATE_HZ 60
#define MIN_BITS 8
#define MAX_BITS 12

static const struct {
  const char *name;
  int width_px;
  int height_px;
} modes[BATEST_N_MODES] = {
  { "640x480", 640, 480 },
  { "800x600", 800, 600 },
  { "1024x768", 1024, 768 },
};

static int
get_modes (struct drm_connector *connector)
{
  struct batest *card = to_batest (connector->dev);
  int n = 0;
  mutex_lock (&card->lock);
  u32 present = card->modes, preferred = card->preferred_mode;
  mutex_unlock (&card->lock);
  for (unsigned int i = 0; i < BATEST_N_MODES; i++) {
    if (!(present & BIT (i)))
      continue;
    struct drm_display_mode *mode =
      drm_mode_find_dmt (connector->dev, modes[i].width_px, modes[i].height_px, RATE_HZ, false);
    if (!mode)
      continue;
    mode->type = DRM_MODE_TYPE_DRIVER | (i == preferred ? DRM_MODE_TYPE_PREFERRED : 0);
    drm_mode_probed_add (connector, mode);
    n++;
  }
  return n;
}

static enum drm_connector_status
detect (struct drm_connector *connector, bool force)
{
  struct batest *card = to_batest (connector->dev);
  mutex_lock (&card->lock);
  enum drm_connector_status status = card->modes ? connector_status_connected : connector_status_disconnected;
  mutex_unlock (&card->lock);
  return status;
}

/* Another kind of picture is another signal, as with real transmitters: it cannot be changed within a flip. */
static int
check_connector (struct drm_connector *connector, struct drm_atomic_state *all)
{
  struct drm_connector_state *before = drm_atomic_get_old_connector_state (all, connector);
  struct drm_connector_state *state = drm_atomic_get_new_connector_state (all, connector);
  if (!state->crtc)
    return 0;
  struct drm_crtc_state *crtc = drm_atomic_get_crtc_state (all, state->crtc);
  if (IS_ERR (crtc))
    return PTR_ERR (crtc);
  if (!drm_connector_atomic_hdr_metadata_equal (before, state) || before->colorspace != state->colorspace
      || before->max_bpc != state->max_bpc)
    crtc->mode_changed = true;
  return 0;
}

static const struct drm_connector_helper_funcs connector_helpers = {
  .get_modes = get_modes,
  .atomic_check = check_connector,
};

/* Somebody asks what is plugged in. */
static int
fill_modes (struct drm_connector *connector, u32 max_width, u32 max_height)
{
  struct batest *card = to_batest (connector->dev);
  int n = drm_helper_probe_single_connector_modes (connector, max_width, max_height);
  mutex_lock (&card->lock);
  card->n_looks++;
  mutex_unlock (&card->lock);
  return n;
}

/* Firmware leaves it at the least. */
static void
reset_connector (struct drm_connector *connector)
{
  drm_atomic_helper_connector_reset (connector);
  if (connector->state)
    connector->state->max_bpc = connector->state->max_requested_bpc = MIN_BITS;
}

static const struct drm_connector_funcs connector_funcs = {
  .detect = detect,
  .fill_modes = fill_modes,
  .reset = reset_connector,
  .atomic_duplicate_state = drm_atomic_helper_connector_duplicate_state,
  .atomic_destroy_state = drm_atomic_helper_connector_destroy_state,
};

int
batest_make_screen (struct batest *card)
{
  struct drm_connector *connector = &card->connector;
  card->modes = BIT (BATEST_N_MODES) - 1;
  card->encoder.possible_crtcs = drm_crtc_mask (&card->crtc);
  int r = drmm_encoder_init (&card->drm, &card->encoder, NULL, DRM_MODE_ENCODER_TMDS, NULL);
  r = r ? r : drmm_connector_init (&card->drm, connector, &connector_funcs, DRM_MODE_CONNECTOR_HDMIA, NULL);
  if (r)
    return r;
  drm_connector_helper_add (connector, &connector_helpers);
  connector->polled = DRM_CONNECTOR_POLL_HPD;
  reset_connector (connector); /* some properties are written into its state */
  r = drm_connector_attach_encoder (connector, &card->encoder);
  r = r ? r : drm_connector_attach_max_bpc_property (connector, MIN_BITS, MAX_BITS);
  r = r ? r : drm_connector_attach_hdr_output_metadata_property (connector);
  r = r ? r : drm_mode_create_hdmi_colorspace_property (connector, 0);
  return r ? r : drm_connector_attach_colorspace_property (connector);
}

/* The bits of modes that are named, or -EINVAL. */
static int
read_modes (char *words, u32 *preferred)
{
  u32 found = 0;
  for (char *word = strsep (&words, " \n"); word; word = strsep (&words, " \n")) {
    unsigned int i = 0;
    if (!*word || strcmp (word, "off") == 0)
      continue;
    while (i < BATEST_N_MODES && strcmp (word, modes[i].name) != 0)
      i++;
    if (i == BATEST_N_MODES)
      return -EINVAL;
    if (!found)
      *preferred = i;
    found |= BIT (i);
  }
  return found;
}

int
batest_plug (struct batest *card, char *words)
{
  u32 preferred = 0;
  int found = read_modes (words, &preferred);
  if (found < 0)
    return found;
  mutex_lock (&card->lock);
  card->modes = found;
  card->preferred_mode = preferred;
  mutex_unlock (&card->lock);
  /* which tells of nothing where one screen came for another */
  if (!drm_connector_helper_hpd_irq_event (&card->connector))
    drm_kms_helper_hotplug_event (&card->drm);
  return 0;
}
