/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * device-string.c: reads "/dev/fb0", "/dev/dri/card0,mode=1280x720", "virtual:1280x720,rate=60" and "auto".
 *
 * People type these strings, so each refusal names the part that is wrong and the form that would be right. Nothing is
 * guessed: an unknown or doubled key is an error, because the alternative is a display that silently differs.
 */
#include "device-string-private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "display.h"

#define VIRTUAL_FORM "virtual:WxH[,format=BGRx][,pages=6][,stride=BYTES][,rate=60][,read-mbps=N][,file=PATH]"

#define KMS_FORM "/dev/dri/cardN[,connector=NAME|ID][,mode=WxH[@R]|fit][,plane=ID|overlay][,zpos=N][,alpha=PERCENT]"
#define KMS_PREFIX "/dev/dri/"

#define DEFAULT_PAGES 6
#define DEFAULT_RATE_HZ 60
#define MAX_RATE_HZ 1000
#define MAX_READ_MBPS 1000000
#define MAX_STRIDE_BYTES (BAI_MAX_SCREEN_PX * 16)

/* GStreamer names bytes in memory, DRM names a little-endian word: the letters come in opposite order. */
static const BaiPixelName pixel_names[] = {
  { "BGRx", BA_FOURCC ('X', 'R', '2', '4'), 32 },  { "RGBx", BA_FOURCC ('X', 'B', '2', '4'), 32 },
  { "xRGB", BA_FOURCC ('B', 'X', '2', '4'), 32 },  { "xBGR", BA_FOURCC ('R', 'X', '2', '4'), 32 },
  { "BGRA", BA_FOURCC ('X', 'R', '2', '4'), 32 },  { "RGBA", BA_FOURCC ('X', 'B', '2', '4'), 32 },
  { "BGR", BA_FOURCC ('R', 'G', '2', '4'), 24 },   { "RGB", BA_FOURCC ('B', 'G', '2', '4'), 24 },
  { "RGB16", BA_FOURCC ('R', 'G', '1', '6'), 16 }, { "BGR16", BA_FOURCC ('B', 'G', '1', '6'), 16 },
  { "RGB15", BA_FOURCC ('X', 'R', '1', '5'), 16 }, { "GRAY8", BA_FOURCC_R8, 8 },
  { "MONO10", BA_FOURCC_R1, 1 },                   { "MONO01", BA_FOURCC_D1, 1 },
};

#define N_PIXEL_NAMES (sizeof pixel_names / sizeof pixel_names[0])

const BaiPixelName *
bai_pixel_by_name (const char *name, size_t length)
{
  for (size_t i = 0; i < N_PIXEL_NAMES; i++) {
    if (strlen (pixel_names[i].name) == length && memcmp (pixel_names[i].name, name, length) == 0)
      return &pixel_names[i];
  }
  return NULL;
}

const BaiPixelName *
bai_pixel_by_fourcc (uint32_t fourcc)
{
  for (size_t i = 0; i < N_PIXEL_NAMES; i++) {
    if (pixel_names[i].fourcc == fourcc)
      return &pixel_names[i];
  }
  return NULL;
}

/* Reads digits from *@at on. False where there are none, or more than any of our numbers has. */
static bool
read_number (const char **at, const char *end, uint32_t *value)
{
  uint32_t n = 0;
  const char *p = *at;
  for (; p < end && *p >= '0' && *p <= '9'; p++) {
    if (n > UINT32_MAX / 10 - 1)
      return false;
    n = n * 10 + (uint32_t) (*p - '0');
  }
  if (p == *at)
    return false;
  *at = p;
  *value = n;
  return true;
}

/* A whole value that is a number in a range. */
static int
parse_number (const char *key, const char *value, const char *end, uint32_t min, uint32_t max, uint32_t *out,
              BaError *error)
{
  const char *at = value;
  uint32_t n;
  if (!read_number (&at, end, &n) || at != end || n < min || n > max)
    return ba_error_set (error, -EINVAL, "%s=%.*s: must be a whole number from %u to %u", key,
                         (int) (end - value < 40 ? end - value : 40), value, min, max);
  *out = n;
  return 0;
}

/* "1280x720", up to what follows. False where it is none. */
static bool
read_size (const char **at, const char *end, BaiDeviceString *out)
{
  return read_number (at, end, &out->width_px) && *at < end && *(*at)++ == 'x' && read_number (at, end, &out->height_px);
}

static int
parse_size (const char **at, const char *end, BaiDeviceString *out, BaError *error)
{
  const char *p = *at;
  if (!read_size (&p, end, out) || (p < end && *p != ','))
    return ba_error_set (error, -EINVAL, "\"%.40s\" is no size in pixels like 1280x720: the form is " VIRTUAL_FORM,
                         *at);
  if (out->width_px == 0 || out->height_px == 0 || out->width_px > BAI_MAX_SCREEN_PX
      || out->height_px > BAI_MAX_SCREEN_PX)
    return ba_error_set (error, -EINVAL, "%ux%u: width and height must be from 1 to %u pixels", out->width_px,
                         out->height_px, (unsigned) BAI_MAX_SCREEN_PX);
  *at = p;
  return 0;
}

enum
{
  KEY_FORMAT,
  KEY_PAGES,
  KEY_STRIDE,
  KEY_RATE,
  KEY_READ_MBPS,
  N_KEYS
};

static const char *const key_names[N_KEYS] = { "format", "pages", "stride", "rate", "read-mbps" };

static int
parse_format (const char *value, const char *end, BaiDeviceString *out, BaError *error)
{
  const BaiPixelName *pixel = bai_pixel_by_name (value, (size_t) (end - value));
  if (!pixel)
    return ba_error_set (error, -EINVAL,
                         "format=%.*s: must be one of BGRx RGBx xRGB xBGR BGRA RGBA RGB BGR RGB16 BGR16 RGB15 GRAY8 "
                         "MONO10 MONO01",
                         (int) (end - value < 40 ? end - value : 40), value);
  out->fourcc = pixel->fourcc;
  out->bits_per_pixel = pixel->bits_per_pixel;
  return 0;
}

static int
parse_value (int key, const char *value, const char *end, BaiDeviceString *out, BaError *error)
{
  switch (key) {
    case KEY_FORMAT:
      return parse_format (value, end, out, error);
    case KEY_PAGES:
      return parse_number (key_names[key], value, end, 1, BA_DISPLAY_MAX_PAGES, &out->pages, error);
    case KEY_STRIDE:
      return parse_number (key_names[key], value, end, 1, MAX_STRIDE_BYTES, &out->stride_bytes, error);
    case KEY_RATE:
      return parse_number (key_names[key], value, end, 0, MAX_RATE_HZ, &out->rate_hz, error);
    default:
      return parse_number (key_names[key], value, end, 1, MAX_READ_MBPS, &out->read_mbps, error);
  }
}

/* One ",key=value", or the file at the end; *@at moves behind it. */
static int
parse_option (const char **at, const char *end, unsigned *seen, BaiDeviceString *out, BaError *error)
{
  const char *key = *at + 1; /* behind the comma */
  if (strncmp (key, "file=", 5) == 0) {
    out->path = key + 5;
    *at = end;
    return *out->path ? 0 : ba_error_set (error, -EINVAL, "file=: a path must follow");
  }
  size_t length = strcspn (key, ",=");
  for (int i = 0; i < N_KEYS; i++) {
    if (strlen (key_names[i]) != length || memcmp (key, key_names[i], length) != 0 || key[length] != '=')
      continue;
    if (*seen & (1u << i))
      return ba_error_set (error, -EINVAL, "%s is given twice", key_names[i]);
    *seen |= 1u << i;
    const char *value = key + length + 1;
    const char *value_end = value + strcspn (value, ",");
    *at = value_end;
    return parse_value (i, value, value_end, out, error);
  }
  return ba_error_set (error, -EINVAL, "\"%.*s\" is no option of a virtual display: the form is " VIRTUAL_FORM,
                       (int) (length < 40 ? length : 40), key);
}

static int
parse_virtual (const char *device, BaiDeviceString *out, BaError *error)
{
  const char *at = device + strlen ("virtual:");
  const char *end = at + strlen (at);
  unsigned seen = 0;
  out->kind = BAI_DEVICE_VIRTUAL;
  out->fourcc = pixel_names[0].fourcc;
  out->bits_per_pixel = pixel_names[0].bits_per_pixel;
  out->pages = DEFAULT_PAGES;
  out->rate_hz = DEFAULT_RATE_HZ;

  int r = parse_size (&at, end, out, error);
  while (r == 0 && at < end)
    r = parse_option (&at, end, &seen, out, error);
  if (r < 0)
    return r;

  uint32_t row_bytes = bai_row_bytes (out->width_px, out->bits_per_pixel);
  if (!(seen & (1u << KEY_STRIDE)))
    out->stride_bytes = (row_bytes + 3) & ~3u; /* what GStreamer takes for granted where nobody says otherwise */
  if (out->stride_bytes < row_bytes)
    return ba_error_set (error, -EINVAL, "stride=%u: a row of %u pixels has %u bytes, the stride must be at least that",
                         out->stride_bytes, out->width_px, row_bytes);
  /* Vector code takes for granted that a pixel of 2 or 4 bytes lies at a multiple of that, in every row, and dies of a
   * SIGSEGV where it does not. Pixels of 3 bytes have no such multiple. */
  uint32_t pixel_bytes = out->bits_per_pixel / 8;
  if ((pixel_bytes == 2 || pixel_bytes == 4) && out->stride_bytes % pixel_bytes != 0)
    return ba_error_set (error, -EINVAL, "stride=%u: must be a multiple of %u, the bytes of a pixel in this format",
                         out->stride_bytes, pixel_bytes);
  return 0;
}

/* ---- KMS ------------------------------------------------------------------------------------------------------- */

enum
{
  KEY_CONNECTOR,
  KEY_MODE,
  KEY_PLANE,
  KEY_ZPOS,
  KEY_ALPHA,
  N_KMS_KEYS
};

static const char *const kms_key_names[N_KMS_KEYS] = { "connector", "mode", "plane", "zpos", "alpha" };

/* "60", "59.94": at most three digits behind the point. */
static bool
read_rate (const char **at, const char *end, uint32_t *rate_mhz)
{
  uint32_t whole, part = 0;
  if (!read_number (at, end, &whole) || whole == 0 || whole > MAX_RATE_HZ)
    return false;
  if (*at < end && **at == '.') {
    const char *digits = ++*at;
    if (!read_number (at, end, &part) || *at - digits > 3)
      return false;
    for (ptrdiff_t n = *at - digits; n < 3; n++)
      part *= 10;
  }
  *rate_mhz = whole * 1000 + part;
  return true;
}

static bool
is_word (const char *value, const char *end, const char *word)
{
  return (size_t) (end - value) == strlen (word) && memcmp (value, word, (size_t) (end - value)) == 0;
}

static int
parse_mode (const char *value, const char *end, BaiDeviceString *out, BaError *error)
{
  const char *at = value;
  out->mode_fits = is_word (value, end, "fit");
  if (out->mode_fits)
    return 0;
  bool good = read_size (&at, end, out) && out->width_px > 0 && out->height_px > 0
              && out->width_px <= BAI_MAX_SCREEN_PX && out->height_px <= BAI_MAX_SCREEN_PX;
  if (good && at < end)
    good = *at++ == '@' && read_rate (&at, end, &out->rate_mhz);
  if (!good || at != end)
    return ba_error_set (error, -EINVAL, "mode=%.*s: must be a size like 1280x720, or with a rate 1280x720@60, or fit",
                         (int) (end - value < 40 ? end - value : 40), value);
  return 0;
}

static int
parse_kms_value (int key, const char *value, const char *end, BaiDeviceString *out, BaError *error)
{
  size_t length = (size_t) (end - value);
  switch (key) {
    case KEY_CONNECTOR:
      if (length == 0 || length >= sizeof out->connector)
        return ba_error_set (error, -EINVAL, "connector=: a name like HDMI-A-1 or a number must follow");
      memcpy (out->connector, value, length);
      out->connector[length] = 0;
      return 0;
    case KEY_MODE:
      return parse_mode (value, end, out, error);
    case KEY_ZPOS:
      out->has_zpos = true;
      return parse_number (kms_key_names[key], value, end, 0, UINT16_MAX, &out->zpos, error);
    case KEY_ALPHA:
      out->has_alpha = true;
      return parse_number (kms_key_names[key], value, end, 0, 100, &out->alpha_percent, error);
    default:
      out->wants_overlay = is_word (value, end, "overlay");
      if (out->wants_overlay)
        return 0;
      return parse_number (kms_key_names[key], value, end, 1, UINT32_MAX / 16, &out->plane_id, error);
  }
}

static int
parse_kms_option (const char **at, unsigned *seen, BaiDeviceString *out, BaError *error)
{
  const char *key = *at + 1; /* behind the comma */
  size_t length = strcspn (key, ",=");
  for (int i = 0; i < N_KMS_KEYS; i++) {
    if (strlen (kms_key_names[i]) != length || memcmp (key, kms_key_names[i], length) != 0 || key[length] != '=')
      continue;
    if (*seen & (1u << i))
      return ba_error_set (error, -EINVAL, "%s is given twice", kms_key_names[i]);
    *seen |= 1u << i;
    const char *value = key + length + 1;
    *at = value + strcspn (value, ",");
    return parse_kms_value (i, value, *at, out, error);
  }
  return ba_error_set (error, -EINVAL, "\"%.*s\" is no option of a KMS display: the form is " KMS_FORM,
                       (int) (length < 40 ? length : 40), key);
}

static int
parse_kms (const char *device, BaiDeviceString *out, BaError *error)
{
  size_t length = strcspn (device, ",");
  const char *at = device + length;
  unsigned seen = 0;
  int r = 0;
  if (length == strlen (KMS_PREFIX) || length >= sizeof out->card)
    return ba_error_set (error, -EINVAL, "\"%.100s\" names no card: the form is " KMS_FORM, device);
  out->kind = BAI_DEVICE_KMS;
  memcpy (out->card, device, length);
  while (r == 0 && *at)
    r = parse_kms_option (&at, &seen, out, error);
  return r;
}

static int
cleared_on_failure (int r, BaiDeviceString *out)
{
  if (r < 0)
    memset (out, 0, sizeof *out);
  return r;
}

int
bai_device_string_parse (const char *device, BaiDeviceString *out, BaError *error)
{
  memset (out, 0, sizeof *out);
  if (!device || !*device)
    return ba_error_set (error, -EINVAL, "no device named: use /dev/fb0, /dev/dri/card0, virtual:1280x720 or auto");
  if (strcmp (device, "auto") == 0) {
    out->kind = BAI_DEVICE_AUTO;
    out->path = "/dev/fb0";
    return 0;
  }
  if (strncmp (device, "virtual:", strlen ("virtual:")) == 0)
    return cleared_on_failure (parse_virtual (device, out, error), out);
  if (strcmp (device, "virtual") == 0)
    return ba_error_set (error, -EINVAL, "virtual: a size must follow: the form is " VIRTUAL_FORM);
  if (strncmp (device, KMS_PREFIX, strlen (KMS_PREFIX)) == 0)
    return cleared_on_failure (parse_kms (device, out, error), out);
  if (device[0] == '/') {
    out->kind = BAI_DEVICE_FBDEV;
    out->path = device;
    return 0;
  }
  return ba_error_set (error, -EINVAL,
                       "\"%.100s\" is no display: use /dev/fb0, /dev/dri/card0, virtual:1280x720 or auto", device);
}
