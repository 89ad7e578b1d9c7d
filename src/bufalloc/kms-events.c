/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kms-events.c: what happens to a screen while nobody flips: it is unplugged and plugged in again, and the card's master
 * comes back from somewhere else. The last page is shown again then.
 *
 * The kernel sends a message to whoever listens, for any change of any device: strings, one behind the other. A change of
 * a card says nothing of which connector it is, so ours is looked at. Messages are lost where nobody reads them in time,
 * so what they say is never counted on, but only taken for a reason to look.
 *
 * In a container there may be no messages, or no socket for them. So the driver is asked, too, what it knows of the
 * connector: when it refuses a flip, with every refresh, and once a second while something is known to be wrong, as with a
 * flip that has no end. A card that is gone says so then.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kms-private.h"

#define MESSAGE_BYTES 4096
/* A monitor that comes up tells several times; whatever is more than that is read the next time. */
#define MAX_MESSAGES 64
#define LOOK_INTERVAL_NS INT64_C (1000000000)

/* Whether one of the strings in @message is @wanted. */
static bool
says (const char *message, size_t bytes, const char *wanted)
{
  size_t length = strlen (wanted) + 1;
  for (size_t at = 0; at + length <= bytes;) {
    if (memcmp (message + at, wanted, length) == 0)
      return true;
    const char *end = memchr (message + at, 0, bytes - at);
    if (!end)
      return false;
    at = (size_t) (end - message) + 1;
  }
  return false;
}

static bool
has_mode (const BaiKmsConnector *connector, const struct drm_mode_modeinfo *mode)
{
  for (unsigned i = 0; i < connector->n_modes; i++) {
    const struct drm_mode_modeinfo *other = &connector->modes[i];
    if (other->hdisplay == mode->hdisplay && other->vdisplay == mode->vdisplay && other->clock == mode->clock
        && other->flags == mode->flags)
      return true;
  }
  return false;
}

static void
note_link (void *user, const struct drm_mode_get_property *property, uint64_t value)
{
  bool *has_failed = user;
  if (strncmp (property->name, "link-status", sizeof property->name) == 0)
    *has_failed = value == DRM_MODE_LINK_STATUS_BAD;
}

/* The screen is there and gets no pixels, until its mode is set anew. The kernel tells of that as of a plug. */
static bool
link_has_failed (const BaDisplay *display)
{
  const BaiKmsState *state = display->state;
  bool has_failed = false;
  if (state->is_lit && !state->is_overlay)
    (void) bai_kms_for_each_property (display, state->connector_id, DRM_MODE_OBJECT_CONNECTOR, note_link, &has_failed);
  return has_failed;
}

/* A screen that has come back with other modes is not ours to drive: whoever looks (check_mode) opens anew. */
static void
look_at_connector (BaDisplay *display)
{
  BaiKmsState *state = display->state;
  BaiKmsConnector connector;
  if (bai_kms_read_connector (display, state->connector_id, &connector) < 0)
    return;
  bool is_back = connector.is_plugged && (state->is_unplugged || link_has_failed (display));
  state->is_unplugged = !connector.is_plugged;
  if (connector.is_plugged && !state->is_overlay) /* it may be another one than at the last look */
    state->mode_is_gone = !has_mode (&connector, &state->mode);
  free (connector.modes);
  /* until it was lit: that may fail, or another program be master meanwhile */
  state->is_replugged = !state->is_unplugged && !state->mode_is_gone && (is_back || state->is_replugged);
}

bool
bai_kms_read_events (BaDisplay *display)
{
  BaiKmsState *state = display->state;
  const BaDeviceCalls *calls = display->calls;
  char message[MESSAGE_BYTES];
  bool of_cards = false;
  for (int i = 0; state->event_fd >= 0 && i < MAX_MESSAGES; i++) {
    ssize_t n = calls->uevent_read (calls->ctx, state->event_fd, message, sizeof message);
    if (n < 0 && errno == ENOBUFS) /* some were lost: it may have been ours */
      of_cards = true;
    else if (n < 0)
      break;
    else
      of_cards |= says (message, (size_t) n, "SUBSYSTEM=drm") && says (message, (size_t) n, "HOTPLUG=1");
  }
  if (of_cards)
    look_at_connector (display);
  return of_cards;
}

int
bai_kms_check_plug (BaDisplay *display)
{
  BaiKmsState *state = display->state;
  bool plugged;
  int r = bai_kms_is_plugged (display, state->connector_id, &plugged);
  if (r == -ENODEV)
    return r;
  state->looked_ns = display->calls->now_ns (display->calls->ctx);
  if (r < 0)
    return 0;
  if (plugged && state->is_unplugged) {
    look_at_connector (display); /* it may be another screen */
  } else if (!plugged) {
    state->is_unplugged = true;
    state->is_replugged = false;
  }
  return 0;
}

int
bai_kms_check_plug_in_time (BaDisplay *display)
{
  const BaiKmsState *state = display->state;
  bool may_miss = state->event_fd < 0 || state->is_unplugged || state->is_stuck;
  if (!may_miss || display->calls->now_ns (display->calls->ctx) - state->looked_ns < LOOK_INTERVAL_NS)
    return 0;
  return bai_kms_check_plug (display);
}

bool
bai_kms_is_unsettled (BaDisplay *display)
{
  const BaiKmsState *state = display->state;
  return bai_kms_read_events (display) || state->is_unplugged || state->is_replugged || state->mode_is_gone;
}

/* The last page, where it had to give way. 1 where it is shown again. Where the last one is of the display before, the
 * first of this one is lit anyway. */
int
bai_kms_refresh (BaDisplay *display)
{
  BaiKmsState *state = display->state;
  uint32_t last_fb = bai_kms_last_fb (display);
  int r = bai_kms_read_events (display) ? 0 : bai_kms_check_plug (display);
  if (r < 0) /* the card is gone: nobody else would tell */
    return r;
  if (state->mode_is_gone)
    return -ENOTSUP;
  if (!state->is_lit)
    return 0;
  bool was_hidden = state->is_hidden || !bai_kms_is_master (display);
  state->is_hidden = was_hidden && !bai_kms_become_master (display);
  if (state->is_hidden || (!was_hidden && !state->is_replugged))
    return 0;
  state->must_light = true;
  if (!last_fb)
    return 0;
  bai_kms_settle (display);
  r = bai_kms_light (display, last_fb);
  return r < 0 ? r : 1;
}

int
bai_kms_get_event_fd (const BaDisplay *display)
{
  const BaiKmsState *state = display->state;
  return state->event_fd >= 0 ? state->event_fd : -ENOTSUP;
}
