/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* device-string-private.h: what a device string says, as a struct, and the names of pixel formats in it. */
#ifndef BUFALLOC_DEVICE_STRING_PRIVATE_H
#define BUFALLOC_DEVICE_STRING_PRIVATE_H

#include "error.h"
#include "types.h"

/* The largest width and height, in pixels; a number above it is a slip, not a screen. */
#define BAI_MAX_SCREEN_PX 16384

/* A card's node, /dev/dri/by-path/ included. */
#define BAI_CARD_PATH_BYTES 128

typedef enum
{
  BAI_DEVICE_AUTO,
  BAI_DEVICE_FBDEV,
  BAI_DEVICE_KMS,
  BAI_DEVICE_VIRTUAL
} BaiDeviceKind;

typedef struct
{
  BaiDeviceKind kind;
  const char *path; /* inside the device string: fbdev: the device; virtual: the file, NULL = memory only */
  uint32_t width_px; /* virtual, and of a mode that KMS was asked for: 0 = any */
  uint32_t height_px;
  /* KMS only */
  char card[BAI_CARD_PATH_BYTES]; /* empty = whichever there is */
  char connector[32]; /* a name or a number, empty = the first one connected */
  uint32_t rate_mhz;  /* thousandths of 1 Hz; 0 = any */
  bool mode_fits; /* the one that fits the stream best */
  uint32_t plane_id;  /* 0 = the primary one */
  bool wants_overlay; /* any plane that is none */
  bool has_zpos;
  uint32_t zpos;
  bool has_alpha;
  uint32_t alpha_percent; /* 100 = nothing is seen through it */
  /* virtual only */
  uint32_t fourcc;
  uint32_t bits_per_pixel;
  uint32_t stride_bytes;
  unsigned pages;
  unsigned rate_hz;   /* 0 = never waits */
  unsigned read_mbps; /* 0 = as fast as it is */
} BaiDeviceString;

/* A pixel format by GStreamer's name; alpha is never shown, so a name with A means the same as the one with x. One bit
 * has no name in GStreamer, and the kernel's: MONO10 is 1 = white, MONO01 is 1 = black. */
typedef struct
{
  const char *name;
  uint32_t fourcc;
  uint32_t bits_per_pixel; /* 1, or a multiple of 8 */
} BaiPixelName;

/* Fills @out, which points into @device where it holds a path. Looks at nothing but the string.
 * Returns 0; -EINVAL; -ENOTSUP for a kind of device that this build lacks. */
int bai_device_string_parse (const char *device, BaiDeviceString *out, BaError *error);

/* What a row of @width_px pixels takes, at most BAI_MAX_SCREEN_PX of them: whole bytes. */
static inline uint32_t
bai_row_bytes (uint32_t width_px, uint32_t bits_per_pixel)
{
  return (width_px * bits_per_pixel + 7) / 8;
}

/* The format of a name of @length bytes, or of a fourcc; NULL = not one of ours. */
const BaiPixelName *bai_pixel_by_name (const char *name, size_t length);
const BaiPixelName *bai_pixel_by_fourcc (uint32_t fourcc);

#endif
