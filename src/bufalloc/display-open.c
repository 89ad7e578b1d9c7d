/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * display-open.c: makes a display of a device string: finds the kind that it means, and for "auto" one that there is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "display-private.h"

static int
init_waiting (BaDisplay *display)
{
  pthread_condattr_t attr;
  int r = pthread_condattr_init (&attr);
  if (r != 0)
    return -r;
  pthread_condattr_setclock (&attr, CLOCK_MONOTONIC);
  r = pthread_cond_init (&display->changed, &attr);
  pthread_condattr_destroy (&attr);
  if (r != 0)
    return -r;
  r = pthread_mutex_init (&display->lock, NULL);
  if (r != 0)
    pthread_cond_destroy (&display->changed);
  return -r;
}

void
bai_display_free (BaDisplay *display)
{
  pthread_mutex_destroy (&display->lock);
  pthread_cond_destroy (&display->changed);
  free (display);
}

BaDisplay *
bai_display_new (const BaDisplayOptions *options, const BaDeviceCalls *calls, BaError *error)
{
  BaDisplay *display = calloc (1, sizeof *display);
  if (!display || init_waiting (display) < 0) {
    free (display);
    ba_error_set (error, -ENOMEM, "no memory for a display");
    return NULL;
  }
  atomic_init (&display->refs, 1);
  display->calls = calls;
  display->console = options->console;
  return display;
}

void
bai_display_begin (BaDisplay *display, const BaDisplayOptions *options)
{
  if (display->info.screen_width_px == 0) {
    display->info.screen_width_px = display->info.layout.width_px;
    display->info.screen_height_px = display->info.layout.height_px;
  }
  display->info.can_flip = display->info.n_pages > 1;
  display->paced = display->info.can_flip && !options->no_vsync && display->info.period_ns > 0;
  display->clock_paced = display->ops->wait_vsync == NULL;
  display->first_vsync_ns = display->calls->now_ns (display->calls->ctx);
}

/* Opens with one kind; on failure another one may be tried. */
static int
open_kind (BaDisplay *display, const BaDisplayOps *ops, const BaiDeviceString *device, const BaDisplayOptions *options,
           BaError *error)
{
  display->ops = ops;
  memset (&display->info, 0, sizeof display->info);
  display->info.kind = ops->kind;
  int r = ops->open (display, device, options, error);
  if (r < 0 || options->fourcc == 0 || options->fourcc == display->info.layout.fourcc)
    return r;
  if (ops->restore)
    ops->restore (display);
  ops->finish (display);
  return ba_error_set (error, -ENOTSUP, "the format %.4s cannot be shown there", (const char *) &options->fourcc);
}

#ifndef BA_HAVE_KMS
static int
no_kms (const BaiDeviceString *device, BaError *error)
{
  return ba_error_set (error, -ENOTSUP, "%.150s: this libbufalloc was built without KMS (meson -Dkms=enabled)",
                       *device->card ? device->card : "an open card");
}
#endif

static int
open_kms (BaDisplay *display, const BaiDeviceString *device, const BaDisplayOptions *options, BaError *error)
{
#ifdef BA_HAVE_KMS
  return open_kind (display, &bai_kms_ops, device, options, error);
#else
  (void) display;
  (void) options;
  return no_kms (device, error);
#endif
}

/* "auto" found a device node that cannot be opened at all: say what to do without a screen. */
static int
explain_auto (int code, const BaError *reason, BaError *error)
{
  switch (code) {
    case -ENODEV:
    case -ENOENT:
    case -ENXIO:
    case -EACCES:
    case -EPERM:
      return ba_error_set (error, -ENODEV, "no screen found (%.160s)%s", reason->message,
                           strstr (reason->message, "virtual:") ? "" : "; to go without one, use virtual:1280x720");
    default:
      return ba_error_set (error, code, "%s", reason->message);
  }
}

/* A card's screen is better than the framebuffer that the kernel puts in front of it, but it may be somebody else's, or
 * none at all. */
static int
open_auto (BaDisplay *display, const BaiDeviceString *device, const BaDisplayOptions *options, BaError *error)
{
  BaError reason = { 0 };
#ifdef BA_HAVE_KMS
  if (open_kms (display, device, options, &reason) == 0)
    return 0;
#endif
  int r = open_kind (display, &bai_fbdev_ops, device, options, &reason);
  return r < 0 ? explain_auto (r, &reason, error) : 0;
}

static int
open_any (BaDisplay *display, const BaiDeviceString *device, const BaDisplayOptions *options, BaError *error)
{
  if (options->has_fd)
    return open_kms (display, device, options, error);
  switch (device->kind) {
    case BAI_DEVICE_AUTO:
      return open_auto (display, device, options, error);
    case BAI_DEVICE_KMS:
      return open_kms (display, device, options, error);
    case BAI_DEVICE_VIRTUAL:
      return open_kind (display, &bai_virtual_ops, device, options, error);
    default:
      return open_kind (display, &bai_fbdev_ops, device, options, error);
  }
}

int
bai_display_open_with_calls (const char *device, const BaDisplayOptions *options, const BaDeviceCalls *calls,
                             BaError *error, BaDisplay **out)
{
  static const BaDisplayOptions defaults = { 0 };
  BaiDeviceString parsed;
  *out = NULL;
  if (!options)
    options = &defaults;
  if (!device && options->has_fd)
    device = "auto";
  int r = bai_device_string_parse (device, &parsed, error);
  if (r < 0)
    return r;
  if (options->has_fd && parsed.kind != BAI_DEVICE_AUTO && parsed.kind != BAI_DEVICE_KMS)
    return ba_error_set (error, -EINVAL, "%.150s: an open card was given too, which goes with a KMS string only", device);

  BaDisplay *display = bai_display_new (options, calls, error);
  if (!display)
    return -ENOMEM;
  r = open_any (display, &parsed, options, error);
  if (r < 0) {
    bai_display_free (display);
    return r;
  }
  bai_display_begin (display, options);
  *out = display;
  return 0;
}

int
bai_display_list_outputs_with_calls (const char *device, const BaDisplayOptions *options, const BaDeviceCalls *calls,
                                     BaError *error, char **out)
{
  static const BaDisplayOptions defaults = { 0 };
  BaiDeviceString parsed;
  *out = NULL;
  if (!options)
    options = &defaults;
  int r = bai_device_string_parse (device ? device : "auto", &parsed, error);
  if (r < 0)
    return r;
  if (parsed.kind != BAI_DEVICE_AUTO && parsed.kind != BAI_DEVICE_KMS)
    return ba_error_set (error, -ENOTSUP, "%.150s is no card: it has one screen, with one mode", device);
#ifdef BA_HAVE_KMS
  BaDisplay *display = bai_display_new (options, calls, error);
  if (!display)
    return -ENOMEM;
  r = bai_kms_list_outputs (display, &parsed, options, error, out);
  bai_display_free (display);
  return r;
#else
  (void) calls;
  return no_kms (&parsed, error);
#endif
}

int
ba_display_list_outputs (const char *device, const BaDisplayOptions *options, BaError *error, char **out)
{
  return bai_display_list_outputs_with_calls (device, options, &bai_device_calls, error, out);
}

int
ba_display_open (const char *device, const BaDisplayOptions *options, BaError *error, BaDisplay **out)
{
  return bai_display_open_with_calls (device, options, &bai_device_calls, error, out);
}
