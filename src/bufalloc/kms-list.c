/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kms-list.c: what cards have, in words: every connector, what is connected to it, and its modes, as device strings take
 * them. For the error where something does not fit, and for whoever asks before he opens a display.
 *
 * Nothing is made to look at its wires for that, where another program is the card's master: the driver says what it
 * knows.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kms-private.h"

/* ---- text -------------------------------------------------------------------------------------------------------- */

/* It grows; NULL where there was no memory. */
typedef struct
{
  char *text;
  size_t length;
} Text;

static void BA_PRINTF (2, 3) append (Text *to, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  int n = vsnprintf (NULL, 0, format, args);
  va_end (args);
  char *text = to->text && n >= 0 ? realloc (to->text, to->length + (size_t) n + 1) : NULL;
  if (!text) {
    free (to->text);
    to->text = NULL;
    return;
  }
  to->text = text;
  va_start (args, format);
  vsnprintf (text + to->length, (size_t) n + 1, format, args);
  va_end (args);
  to->length += (size_t) n;
}

static Text
begin (void)
{
  return (Text){ .text = calloc (1, 1) };
}

/* ---- connectors -------------------------------------------------------------------------------------------------- */

typedef struct
{
  unsigned width_px, height_px, rate_hz;
  bool is_interlaced;
} ModeName;

static ModeName
name_of (const struct drm_mode_modeinfo *mode)
{
  return (ModeName){ mode->hdisplay, mode->vdisplay, (bai_kms_rate_mhz (mode) + 500) / 1000,
                     mode->flags & DRM_MODE_FLAG_INTERLACE };
}

/* Drivers have some sizes several times, at rates that differ by a thousandth. */
static bool
is_listed_before (const BaiKmsConnector *connector, unsigned mode)
{
  const ModeName name = name_of (&connector->modes[mode]);
  for (unsigned i = 0; i < mode; i++) {
    const ModeName other = name_of (&connector->modes[i]);
    if (other.width_px == name.width_px && other.height_px == name.height_px && other.rate_hz == name.rate_hz
        && other.is_interlaced == name.is_interlaced)
      return true;
  }
  return false;
}

static void
append_connector (Text *to, const BaiKmsConnector *connector)
{
  append (to, "%s (%u, %s", connector->name, connector->id,
          connector->is_connected ? "connected:" : "nothing connected");
  for (unsigned i = 0; connector->is_connected && i < connector->n_modes; i++) {
    const ModeName name = name_of (&connector->modes[i]);
    if (!is_listed_before (connector, i))
      append (to, " %ux%u@%u%s", name.width_px, name.height_px, name.rate_hz, name.is_interlaced ? "i" : "");
  }
  append (to, ")");
}

/* "HDMI-A-1 (32, connected: 1920x1080@60 1280x720@60), VGA-1 (35, nothing connected)" */
static void
append_connectors (Text *to, const BaDisplay *display, const BaiKmsCard *card, const char *between)
{
  const char *before = "";
  for (unsigned i = 0; i < card->n_connectors; i++) {
    BaiKmsConnector connector;
    if (bai_kms_read_connector (display, card->connectors[i], &connector) < 0)
      continue;
    append (to, "%s", before);
    append_connector (to, &connector);
    free (connector.modes);
    before = between;
  }
  if (!*before)
    append (to, "no connectors");
}

char *
bai_kms_list (const BaDisplay *display, const BaiKmsCard *card)
{
  Text list = begin ();
  append_connectors (&list, display, card, ", ");
  return list.text;
}

/* ---- cards ------------------------------------------------------------------------------------------------------- */

static void
append_card (Text *to, BaDisplay *display, const char *path)
{
  BaiKmsCard card;
  if (bai_kms_read_card (display, &card) < 0) /* it has no screens */
    return;
  append (to, "%s%s %s:\n  ", to->length ? "\n" : "", path, display->info.name);
  append_connectors (to, display, &card, "\n  ");
}

static int
append_path (Text *to, BaDisplay *display, const char *path)
{
  BaiKmsState *state = display->state;
  const BaDeviceCalls *calls = display->calls;
  state->fd = calls->open (calls->ctx, path, O_RDWR | O_CLOEXEC, 0);
  if (state->fd < 0)
    return -errno;
  bai_kms_read_name (display);
  append_card (to, display, path);
  calls->close (calls->ctx, state->fd);
  return 0;
}

static int
append_all (Text *to, BaDisplay *display)
{
  int best = -ENOENT;
  for (unsigned i = 0; i < BAI_KMS_MAX_CARDS; i++) {
    char path[32];
    snprintf (path, sizeof path, "/dev/dri/card%u", i);
    int r = append_path (to, display, path);
    /* a card without screens says less than one that may not be asked */
    if (r == 0 && to->length == 0)
      r = -ENODEV;
    if (r == 0 || best == -ENOENT || best == -ENODEV)
      best = r;
  }
  return best;
}

int
bai_kms_list_outputs (BaDisplay *display, const BaiDeviceString *device, const BaDisplayOptions *options,
                      BaError *error, char **out)
{
  Text list = begin ();
  int r = 0;
  BaiKmsState *state = calloc (1, sizeof *state);
  display->state = state;
  *out = NULL;
  if (!state)
    r = -ENOMEM;
  if (r == 0 && options->has_fd) {
    state->fd = options->fd;
    bai_kms_read_name (display);
    append_card (&list, display, "the open card");
  } else if (r == 0) {
    r = *device->card ? append_path (&list, display, device->card) : append_all (&list, display);
  }
  free (state);
  display->state = NULL;
  if (r == 0 && !list.text)
    r = -ENOMEM;
  if (r == 0 && list.length == 0)
    r = -ENODEV;
  if (r == 0)
    *out = list.text;
  else
    free (list.text);
  const char *path = *device->card ? device->card : "the cards in /dev/dri";
  if (r == -ENODEV)
    return ba_error_set (error, r, "no screens: %.100s (see ls /dev/dri)", path);
  return r < 0 ? bai_kms_explain_open (path, r, error) : 0;
}
