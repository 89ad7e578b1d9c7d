/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-device-string.c: what a device string means, and what a person is told about one that means nothing. */
#include "test-support.h"

#include <bufalloc/device-string-private.h>

#define XR24 BA_FOURCC ('X', 'R', '2', '4')

START_TEST (a_virtual_display_is_what_its_string_says)
{
  static const struct
  {
    const char *string;
    uint32_t width_px, height_px, fourcc, stride_bytes;
    unsigned pages, rate_hz, read_mbps;
    const char *path;
  } cases[] = {
    { "virtual:1280x720", 1280, 720, XR24, 5120, 6, 60, 0, NULL },
    { "virtual:1x1", 1, 1, XR24, 4, 6, 60, 0, NULL },
    { "virtual:16384x16384", 16384, 16384, XR24, 65536, 6, 60, 0, NULL },
    { "virtual:1366x768,format=RGB", 1366, 768, BA_FOURCC ('B', 'G', '2', '4'), 4100, 6, 60, 0, NULL },
    { "virtual:3x2,format=RGB16,stride=6", 3, 2, BA_FOURCC ('R', 'G', '1', '6'), 6, 6, 60, 0, NULL },
    { "virtual:3x2,format=BGR,stride=11", 3, 2, BA_FOURCC ('R', 'G', '2', '4'), 11, 6, 60, 0, NULL },
    { "virtual:3x2,format=GRAY8", 3, 2, BA_FOURCC_R8, 4, 6, 60, 0, NULL },
    { "virtual:3x2,format=GRAY8,stride=3", 3, 2, BA_FOURCC_R8, 3, 6, 60, 0, NULL },
    { "virtual:33x2,format=MONO10", 33, 2, BA_FOURCC_R1, 8, 6, 60, 0, NULL },
    { "virtual:33x2,format=MONO01,stride=5", 33, 2, BA_FOURCC_D1, 5, 6, 60, 0, NULL },
    { "virtual:64x48,pages=1,rate=0,read-mbps=75", 64, 48, XR24, 256, 1, 0, 75, NULL },
    { "virtual:64x48,stride=300,format=BGRx,pages=8,rate=1000", 64, 48, XR24, 300, 8, 1000, 0, NULL },
    { "virtual:64x48,file=screen", 64, 48, XR24, 256, 6, 60, 0, "screen" },
    { "virtual:64x48,rate=25,file=/a b/c,pages=2,x=y", 64, 48, XR24, 256, 6, 25, 0, "/a b/c,pages=2,x=y" },
  };
  for (size_t i = 0; i < N_ELEMENTS (cases); i++) {
    BaiDeviceString out;
    BaError error = { 0 };
    ck_assert_msg (bai_device_string_parse (cases[i].string, &out, &error) == 0, "%s: %s", cases[i].string,
                   error.message);
    ck_assert_int_eq (out.kind, BAI_DEVICE_VIRTUAL);
    ck_assert_uint_eq (out.width_px, cases[i].width_px);
    ck_assert_uint_eq (out.height_px, cases[i].height_px);
    ck_assert_uint_eq (out.fourcc, cases[i].fourcc);
    ck_assert_uint_eq (out.stride_bytes, cases[i].stride_bytes);
    ck_assert_uint_eq (out.pages, cases[i].pages);
    ck_assert_uint_eq (out.rate_hz, cases[i].rate_hz);
    ck_assert_uint_eq (out.read_mbps, cases[i].read_mbps);
    ck_assert_pstr_eq (out.path, cases[i].path);
  }
}
END_TEST

START_TEST (formats_have_gstreamers_names_and_drms_codes)
{
  static const struct
  {
    const char *name, *fourcc;
    uint32_t bits_per_pixel;
  } cases[] = {
    { "BGRx", "XR24", 32 },  { "BGRA", "XR24", 32 },  { "RGBx", "XB24", 32 },  { "RGBA", "XB24", 32 },
    { "xRGB", "BX24", 32 },  { "xBGR", "RX24", 32 },  { "BGR", "RG24", 24 },   { "RGB", "BG24", 24 },
    { "RGB16", "RG16", 16 }, { "BGR16", "BG16", 16 }, { "RGB15", "XR15", 16 }, { "GRAY8", "R8  ", 8 },
    { "MONO10", "R1  ", 1 }, { "MONO01", "D1  ", 1 },
  };
  for (size_t i = 0; i < N_ELEMENTS (cases); i++) {
    const BaiPixelName *pixel = bai_pixel_by_name (cases[i].name, strlen (cases[i].name));
    const char *f = cases[i].fourcc;
    ck_assert_ptr_nonnull (pixel);
    ck_assert_uint_eq (pixel->fourcc, BA_FOURCC (f[0], f[1], f[2], f[3]));
    ck_assert_uint_eq (pixel->bits_per_pixel, cases[i].bits_per_pixel);
    ck_assert_uint_eq (bai_pixel_by_fourcc (pixel->fourcc)->bits_per_pixel, cases[i].bits_per_pixel);
  }
  ck_assert_ptr_null (bai_pixel_by_name ("BGR", 2));
  ck_assert_ptr_null (bai_pixel_by_fourcc (BA_FOURCC ('N', 'V', '1', '2')));
}
END_TEST

START_TEST (a_path_is_a_framebuffer_and_auto_the_first_one)
{
  BaiDeviceString out;
  ck_assert_int_eq (bai_device_string_parse ("/dev/fb3", &out, NULL), 0);
  ck_assert_int_eq (out.kind, BAI_DEVICE_FBDEV);
  ck_assert_str_eq (out.path, "/dev/fb3");
  ck_assert_int_eq (bai_device_string_parse ("/somewhere/else", &out, NULL), 0);
  ck_assert_int_eq (out.kind, BAI_DEVICE_FBDEV);
  ck_assert_int_eq (bai_device_string_parse ("auto", &out, NULL), 0);
  ck_assert_int_eq (out.kind, BAI_DEVICE_AUTO);
  ck_assert_str_eq (out.path, "/dev/fb0");
}
END_TEST

START_TEST (a_card_is_what_its_string_says)
{
  static const struct
  {
    const char *string, *card, *connector;
    uint32_t width_px, height_px, rate_mhz, plane_id;
  } cases[] = {
    { "/dev/dri/card0", "/dev/dri/card0", "", 0, 0, 0, 0 },
    { "/dev/dri/by-path/pci-0000:00:02.0-card", "/dev/dri/by-path/pci-0000:00:02.0-card", "", 0, 0, 0, 0 },
    { "/dev/dri/card1,connector=HDMI-A-1", "/dev/dri/card1", "HDMI-A-1", 0, 0, 0, 0 },
    { "/dev/dri/card1,mode=1280x720", "/dev/dri/card1", "", 1280, 720, 0, 0 },
    { "/dev/dri/card1,mode=1280x720@60", "/dev/dri/card1", "", 1280, 720, 60000, 0 },
    { "/dev/dri/card1,mode=1280x720@59.94,connector=32", "/dev/dri/card1", "32", 1280, 720, 59940, 0 },
    { "/dev/dri/card1,plane=41,mode=64x48@23.976", "/dev/dri/card1", "", 64, 48, 23976, 41 },
  };
  for (size_t i = 0; i < N_ELEMENTS (cases); i++) {
    BaiDeviceString out;
    BaError error = { 0 };
    ck_assert_msg (bai_device_string_parse (cases[i].string, &out, &error) == 0, "%s: %s", cases[i].string,
                   error.message);
    ck_assert_int_eq (out.kind, BAI_DEVICE_KMS);
    ck_assert_str_eq (out.card, cases[i].card);
    ck_assert_str_eq (out.connector, cases[i].connector);
    ck_assert_uint_eq (out.width_px, cases[i].width_px);
    ck_assert_uint_eq (out.height_px, cases[i].height_px);
    ck_assert_uint_eq (out.rate_mhz, cases[i].rate_mhz);
    ck_assert_uint_eq (out.plane_id, cases[i].plane_id);
  }
}
END_TEST

/* Every refusal names the part that is wrong. */
START_TEST (nonsense_is_refused_by_name)
{
  static const struct
  {
    const char *string;
    int code;
    const char *says;
  } cases[] = {
    { NULL, -EINVAL, "no device named" },
    { "", -EINVAL, "no device named" },
    { "fb0", -EINVAL, "\"fb0\" is no display" },
    { "Auto", -EINVAL, "\"Auto\"" },
    { "virtual", -EINVAL, "a size must follow" },
    { "virtual:", -EINVAL, "size in pixels" },
    { "virtual:1280", -EINVAL, "\"1280\"" },
    { "virtual:1280x", -EINVAL, "\"1280x\"" },
    { "virtual:x720", -EINVAL, "\"x720\"" },
    { "virtual:1280X720", -EINVAL, "\"1280X720\"" },
    { "virtual:-1280x720", -EINVAL, "\"-1280x720\"" },
    { "virtual: 1280x720", -EINVAL, "\" 1280x720\"" },
    { "virtual:1280x720p", -EINVAL, "\"1280x720p\"" },
    { "virtual:0x720", -EINVAL, "0x720: width and height" },
    { "virtual:1280x0", -EINVAL, "1280x0: width and height" },
    { "virtual:16385x1", -EINVAL, "16384" },
    { "virtual:1x16385", -EINVAL, "16384" },
    { "virtual:99999999999999x1", -EINVAL, "99999999999999x1" },
    { "virtual:64x48,", -EINVAL, "\"\" is no option" },
    { "virtual:64x48,colour=red", -EINVAL, "\"colour\"" },
    { "virtual:64x48,page=2", -EINVAL, "\"page\"" },
    { "virtual:64x48,pages", -EINVAL, "\"pages\" is no option" },
    { "virtual:64x48,format=BGRX", -EINVAL, "format=BGRX" },
    { "virtual:64x48,format=", -EINVAL, "format=" },
    { "virtual:64x48,format=I420", -EINVAL, "RGB16" },
    { "virtual:64x48,pages=0", -EINVAL, "pages=0: must be a whole number from 1 to 8" },
    { "virtual:64x48,pages=9", -EINVAL, "pages=9" },
    { "virtual:64x48,pages=2x", -EINVAL, "pages=2x" },
    { "virtual:64x48,pages=", -EINVAL, "pages=" },
    { "virtual:64x48,pages=+2", -EINVAL, "pages=+2" },
    { "virtual:64x48,pages=4294967297", -EINVAL, "pages=4294967297" },
    { "virtual:64x48,stride=255", -EINVAL, "stride=255: a row of 64 pixels has 256 bytes" },
    { "virtual:64x48,stride=128,format=BGRx", -EINVAL, "stride=128" },
    { "virtual:64x48,stride=257", -EINVAL, "stride=257: must be a multiple of 4, the bytes of a pixel" },
    { "virtual:64x48,stride=258,format=xRGB", -EINVAL, "stride=258: must be a multiple of 4" },
    { "virtual:64x48,format=RGB16,stride=129", -EINVAL, "stride=129: must be a multiple of 2" },
    { "virtual:33x4,format=MONO10,stride=4", -EINVAL, "stride=4: a row of 33 pixels has 5 bytes" },
    { "virtual:64x48,format=GRAY8,stride=63", -EINVAL, "stride=63: a row of 64 pixels has 64 bytes" },
    { "virtual:64x48,format=MONO", -EINVAL, "GRAY8 MONO10 MONO01" },
    { "virtual:64x48,stride=99999999", -EINVAL, "stride=99999999" },
    { "virtual:64x48,rate=-1", -EINVAL, "rate=-1" },
    { "virtual:64x48,rate=60.0", -EINVAL, "rate=60.0" },
    { "virtual:64x48,rate=1001", -EINVAL, "rate=1001" },
    { "virtual:64x48,read-mbps=0", -EINVAL, "read-mbps=0" },
    { "virtual:64x48,pages=2,pages=2", -EINVAL, "pages is given twice" },
    { "virtual:64x48,format=BGRx,rate=0,format=BGRx", -EINVAL, "format is given twice" },
    { "virtual:64x48,file=", -EINVAL, "file=" },
    { "/dev/dri/", -EINVAL, "names no card" },
    { "/dev/dri/card0,", -EINVAL, "\"\" is no option of a KMS display" },
    { "/dev/dri/card0,pages=3", -EINVAL, "\"pages\" is no option of a KMS display" },
    { "/dev/dri/card0,connector=", -EINVAL, "connector=" },
    { "/dev/dri/card0,connector=A,connector=B", -EINVAL, "connector is given twice" },
    { "/dev/dri/card0,connector=a-name-that-no-connector-ever-had", -EINVAL, "connector=" },
    { "/dev/dri/card0,mode=1280", -EINVAL, "mode=1280: must be a size" },
    { "/dev/dri/card0,mode=0x720", -EINVAL, "mode=0x720" },
    { "/dev/dri/card0,mode=1280x720@", -EINVAL, "mode=1280x720@" },
    { "/dev/dri/card0,mode=1280x720@0", -EINVAL, "mode=1280x720@0" },
    { "/dev/dri/card0,mode=1280x720@59.9401", -EINVAL, "59.9401" },
    { "/dev/dri/card0,mode=1280x720i", -EINVAL, "mode=1280x720i" },
    { "/dev/dri/card0,plane=primary", -EINVAL, "plane=primary: must be a whole number" },
    { "/dev/dri/card0,plane=0", -EINVAL, "plane=0" },
  };
  for (size_t i = 0; i < N_ELEMENTS (cases); i++) {
    BaiDeviceString out;
    BaError error = { 0 };
    int r = bai_device_string_parse (cases[i].string, &out, &error);
    ck_assert_msg (r == cases[i].code && error.code == r, "%s: %d", cases[i].string, r);
    ck_assert_msg (strstr (error.message, cases[i].says) != NULL, "%s: \"%s\" does not say \"%s\"", cases[i].string,
                   error.message, cases[i].says);
    ck_assert_int_eq (bai_device_string_parse (cases[i].string, &out, NULL), r);
  }
}
END_TEST

RUN ("device-string", a_virtual_display_is_what_its_string_says, formats_have_gstreamers_names_and_drms_codes,
     a_path_is_a_framebuffer_and_auto_the_first_one, a_card_is_what_its_string_says, nonsense_is_refused_by_name)
