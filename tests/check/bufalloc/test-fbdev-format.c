/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-fbdev-format.c: grey, one-bit and fourcc modes of /dev/fbN, and what becomes of the colour map.
 */
#include "fake-screen.h"

#include <bufalloc/virtual-display.h>

/* A ramp of @n levels, or something that is none. */
static void
fill_colours (FakeDevice *fake, uint32_t n, bool linear)
{
  for (int c = 0; c < 3; c++) {
    for (uint32_t i = 0; i < 256; i++)
      fake->colours[c][i] = (uint16_t) (linear && i < n ? i * 65535 / (n - 1) : i * 131 + (unsigned) c);
  }
}

static void
be_pseudo (FakeDevice *fake, uint32_t visual)
{
  fake->fix.visual = visual;
  fake->var.bits_per_pixel = 8;
  fake->var.red = fake->var.green = fake->var.blue = (struct fb_bitfield){ .offset = 0, .length = 8 };
  fake->fix.line_length = fake->var.xres_virtual;
  fill_colours (fake, 256, false);
}

static bool
is_grey (FakeDevice *fake)
{
  for (int c = 0; c < 3; c++) {
    for (uint32_t i = 0; i < 256; i++) {
      if (fake->colours[c][i] != i * 65535 / 255)
        return false;
    }
  }
  return true;
}

static void
check_layout (const Screen *s, uint32_t fourcc, size_t stride_bytes)
{
  ck_assert_uint_eq (s->info->layout.fourcc, fourcc);
  ck_assert_uint_eq (s->info->layout.n_planes, 1);
  ck_assert_uint_eq (s->info->layout.stride_bytes[0], stride_bytes);
  ck_assert_uint_eq (s->info->page_bytes, stride_bytes * 48);
}

/* ---- grey and one bit ------------------------------------------------------------------------------------------ */

START_TEST (grey_that_the_driver_tells_is_taken_as_it_is)
{
  static const uint32_t visuals[] = { FB_VISUAL_STATIC_PSEUDOCOLOR, FB_VISUAL_TRUECOLOR, FB_VISUAL_PSEUDOCOLOR };
  for (size_t i = 0; i < N_ELEMENTS (visuals); i++) {
    Screen s;
    screen_init (&s);
    be_pseudo (&s.fake, visuals[i]);
    s.fake.var.grayscale = 1;
    ck_assert_int_eq (screen_open (&s, 0), 0);
    check_layout (&s, BA_FOURCC_R8, 64);
    ck_assert_uint_eq (s.info->n_pages, BA_DISPLAY_MAX_PAGES);
    screen_build (&s);
    show_next (&s, 0);
    screen_finish (&s);
  }
}
END_TEST

START_TEST (one_bit_has_whole_bytes_in_a_row_and_its_own_black)
{
  static const struct
  {
    uint32_t visual, width_px, pad_bytes, fourcc;
    uint8_t black;
  } cases[] = {
    { FB_VISUAL_MONO10, 64, 0, BA_FOURCC_R1, 0 },
    { FB_VISUAL_MONO01, 64, 0, BA_FOURCC_D1, 0xff },
    { FB_VISUAL_MONO10, 61, 0, BA_FOURCC_R1, 0 },
    { FB_VISUAL_MONO01, 33, 3, BA_FOURCC_D1, 0xff },
  };
  for (size_t i = 0; i < N_ELEMENTS (cases); i++) {
    Screen s;
    BaBlock page;
    uint8_t *memory;
    screen_init (&s);
    s.fake.fix.visual = cases[i].visual;
    s.fake.var.xres = s.fake.var.xres_virtual = cases[i].width_px;
    fake_device_set_pixels (&s.fake, 1, 0, 0, 0);
    s.fake.fix.line_length += cases[i].pad_bytes;
    ck_assert_int_eq (screen_open (&s, 3), 0);
    check_layout (&s, cases[i].fourcc, (cases[i].width_px + 7) / 8 + cases[i].pad_bytes);
    ck_assert_uint_eq (s.info->layout.width_px, cases[i].width_px);
    ck_assert_uint_eq (s.info->n_pages, 3);
    ck_assert_int_eq (ba_display_get_page (s.display, 1, &page), 0);
    memset (page.data, 0x5a, page.size_bytes);
    ck_assert_int_eq (ba_display_clear (s.display, 1), 0);
    memory = malloc (page.size_bytes);
    fake_device_read (&s.fake, page.size_bytes, memory, page.size_bytes);
    for (size_t b = 0; b < page.size_bytes; b++)
      ck_assert_uint_eq (memory[b], cases[i].black);
    free (memory);
    screen_build (&s);
    show_next (&s, 0);
    screen_finish (&s);
  }
}
END_TEST

START_TEST (one_bit_that_is_scrolled_sideways_must_begin_at_a_byte)
{
  Screen s;
  for (unsigned x = 8; x <= 9; x++) {
    screen_init (&s);
    s.fake.fix.visual = FB_VISUAL_MONO10;
    s.fake.var.xres_virtual = 128;
    fake_device_set_pixels (&s.fake, 1, 0, 0, 0);
    s.fake.var.xoffset = x;
    s.fake.pan = FAKE_PAN_REFUSED;
    if (x % 8 != 0) {
      refused (&s, -ENOTSUP, "from column 9 on, does not begin at a byte");
      continue;
    }
    ck_assert_int_eq (screen_open (&s, 0), 0);
    ck_assert_uint_eq (s.info->layout.offset_bytes[0], 1);
    screen_finish (&s);
  }
}
END_TEST

START_TEST (one_bit_of_another_kind_is_refused)
{
  Screen s;
  screen_init (&s);
  s.fake.fix.visual = FB_VISUAL_MONO10;
  refused (&s, -ENOTSUP, "monochrome with 32 bits a pixel");
  screen_init (&s);
  s.fake.fix.visual = FB_VISUAL_MONO01;
  fake_device_set_pixels (&s.fake, 1, 0, 0, 0);
  s.fake.var.red.msb_right = 1;
  refused (&s, -ENOTSUP, "first pixel in the lowest bit");
  screen_init (&s);
  fake_device_set_pixels (&s.fake, 1, 0, 0, 0);
  s.fake.fix.visual = FB_VISUAL_PSEUDOCOLOR;
  refused (&s, -ENOTSUP, "visual 3 with 1 bits");
  screen_init (&s);
  s.fake.fix.visual = FB_VISUAL_MONO10;
  fake_device_set_pixels (&s.fake, 1, 0, 0, 0);
  s.fake.fix.line_length = 7;
  refused (&s, -ENOTSUP, "do not fit");
}
END_TEST

START_TEST (a_virtual_screen_has_the_same_kinds)
{
  static const struct
  {
    const char *device;
    uint32_t fourcc;
    size_t stride_bytes;
    uint8_t black;
  } cases[] = {
    { "virtual:10x5,format=GRAY8", BA_FOURCC_R8, 12, 0 },
    { "virtual:33x5,format=MONO10", BA_FOURCC_R1, 8, 0 },
    { "virtual:33x5,format=MONO01,stride=5", BA_FOURCC_D1, 5, 0xff },
  };
  for (size_t i = 0; i < N_ELEMENTS (cases); i++) {
    BaDisplay *display;
    BaBlock page;
    ck_assert_int_eq (ba_display_open (cases[i].device, NULL, NULL, &display), 0);
    const BaLayout *layout = &ba_display_get_info (display)->layout;
    ck_assert_uint_eq (layout->fourcc, cases[i].fourcc);
    ck_assert_uint_eq (layout->stride_bytes[0], cases[i].stride_bytes);
    const BaVirtualTrailer *trailer = (const BaVirtualTrailer *) (void *) (display->map + display->map_bytes);
    ck_assert_uint_eq (trailer->fourcc, cases[i].fourcc);
    ck_assert_uint_eq (trailer->stride_bytes, cases[i].stride_bytes);
    ck_assert_int_eq (ba_display_get_page (display, 1, &page), 0);
    memset (page.data, 0x5a, page.size_bytes);
    ck_assert_int_eq (ba_display_clear (display, 1), 0);
    for (size_t b = 0; b < page.size_bytes; b++)
      ck_assert_uint_eq (((uint8_t *) page.data)[b], cases[i].black);
    ba_display_unref (display);
  }
}
END_TEST

/* ---- fourccs --------------------------------------------------------------------------------------------------- */

START_TEST (a_fourcc_in_the_mode_is_v4l2s)
{
  static const struct
  {
    const char *v4l2, *fourcc;
    uint32_t bits;
  } cases[] = {
    { "GREY", "R8  ", 8 },  { "RGBP", "RG16", 16 }, { "RGBO", "XR15", 16 }, { "XR15", "XR15", 16 },
    { "RGB3", "BG24", 24 }, { "BGR3", "RG24", 24 }, { "XR24", "XR24", 32 }, { "BX24", "BX24", 32 },
    { "XB24", "XB24", 32 }, { "RX24", "RX24", 32 }, { "RGB4", "BX24", 32 }, { "BGR4", "XR24", 32 },
  };
  for (size_t i = 0; i < N_ELEMENTS (cases); i++) {
    const char *v = cases[i].v4l2, *f = cases[i].fourcc;
    Screen s;
    screen_init (&s);
    fake_device_set_pixels (&s.fake, cases[i].bits, 0, 0, 0);
    s.fake.fix.capabilities = FB_CAP_FOURCC;
    s.fake.fix.type = FB_TYPE_FOURCC;
    s.fake.fix.visual = FB_VISUAL_FOURCC;
    s.fake.var.grayscale = BA_FOURCC (v[0], v[1], v[2], v[3]);
    ck_assert_msg (screen_open (&s, 2) == 0, "%s: %s", v, s.error.message);
    check_layout (&s, BA_FOURCC (f[0], f[1], f[2], f[3]), 64 * cases[i].bits / 8);
    screen_finish (&s);
  }
}
END_TEST

START_TEST (a_fourcc_that_is_none_of_ours_is_refused_by_name)
{
  Screen s;
  screen_init (&s);
  s.fake.fix.capabilities = FB_CAP_FOURCC;
  s.fake.fix.type = FB_TYPE_FOURCC;
  s.fake.var.grayscale = BA_FOURCC ('N', 'V', '1', '2');
  refused (&s, -ENOTSUP, "pixel format \"NV12\", which cannot be shown");
  screen_init (&s);
  s.fake.fix.capabilities = FB_CAP_FOURCC;
  s.fake.var.grayscale = 2;
  refused (&s, -ENOTSUP, "pixel format \"????\"");
  screen_init (&s); /* without the capability it is a driver's own number */
  s.fake.var.grayscale = BA_FOURCC ('X', 'R', '2', '4');
  refused (&s, -ENOTSUP, "grayscale 875713112");
}
END_TEST

/* ---- colour maps ----------------------------------------------------------------------------------------------- */

START_TEST (a_palette_becomes_grey_with_the_first_page_and_is_put_back)
{
  for (unsigned pages = 1; pages <= 3; pages += 2) {
    Screen s;
    screen_init (&s);
    be_pseudo (&s.fake, FB_VISUAL_PSEUDOCOLOR);
    s.fake.cmap = FAKE_CMAP_SETTABLE;
    ck_assert_int_eq (screen_open (&s, pages), 0);
    check_layout (&s, BA_FOURCC_R8, 64);
    ck_assert (memcmp (s.fake.colours, s.fake.first_colours, sizeof s.fake.colours) == 0); /* nothing visible yet */
    screen_build (&s);
    for (int i = 0; i < 3; i++) {
      show_next (&s, 0);
      ck_assert (is_grey (&s.fake));
    }
    ck_assert_uint_eq (s.fake.n_cmaps, 2); /* tried at open, set once */
    ba_display_close (s.display);
    ck_assert (fake_device_is_restored (&s.fake));
    screen_finish (&s);
  }
}
END_TEST

START_TEST (a_palette_that_is_never_shown_on_is_never_changed)
{
  Screen s;
  screen_init (&s);
  be_pseudo (&s.fake, FB_VISUAL_PSEUDOCOLOR);
  s.fake.cmap = FAKE_CMAP_SETTABLE;
  ck_assert_int_eq (screen_open (&s, 3), 0);
  ba_display_close (s.display);
  ck_assert_uint_eq (s.fake.n_cmaps, 1);
  screen_finish (&s);
}
END_TEST

START_TEST (a_palette_that_cannot_be_made_grey_is_refused_with_what_to_do)
{
  static const FakeCmap cmaps[] = { FAKE_CMAP_NONE, FAKE_CMAP_FIXED };
  for (size_t i = 0; i < N_ELEMENTS (cmaps); i++) {
    Screen s;
    screen_init (&s);
    be_pseudo (&s.fake, FB_VISUAL_PSEUDOCOLOR);
    s.fake.cmap = cmaps[i];
    refused (&s, -ENOTSUP, "fbset -depth 32");
    screen_init (&s);
    be_pseudo (&s.fake, FB_VISUAL_STATIC_PSEUDOCOLOR);
    s.fake.cmap = cmaps[i];
    refused (&s, -ENOTSUP, "fixed colours that are no grey: try fbset -depth 32");
  }
  Screen s;
  screen_init (&s);
  be_pseudo (&s.fake, FB_VISUAL_PSEUDOCOLOR);
  s.fake.refuse_request = FBIOPUTCMAP;
  s.fake.refuse_errno = EBUSY;
  s.fake.cmap = FAKE_CMAP_SETTABLE;
  refused (&s, -EBUSY, "in use");
}
END_TEST

START_TEST (a_palette_that_is_grey_already_is_left_alone)
{
  static const uint32_t visuals[] = { FB_VISUAL_PSEUDOCOLOR, FB_VISUAL_STATIC_PSEUDOCOLOR };
  for (size_t i = 0; i < N_ELEMENTS (visuals); i++) {
    Screen s;
    screen_init (&s);
    be_pseudo (&s.fake, visuals[i]);
    fill_colours (&s.fake, 256, true);
    s.fake.cmap = FAKE_CMAP_FIXED;
    ck_assert_int_eq (screen_open (&s, 3), 0);
    check_layout (&s, BA_FOURCC_R8, 64);
    screen_build (&s);
    show_next (&s, 0);
    screen_finish (&s);
    ck_assert_uint_eq (s.fake.n_cmaps, 0);
  }
}
END_TEST

START_TEST (direct_colours_become_linear_and_are_put_back)
{
  Screen s;
  screen_init (&s);
  s.fake.fix.visual = FB_VISUAL_DIRECTCOLOR;
  s.fake.cmap = FAKE_CMAP_SETTABLE;
  fill_colours (&s.fake, 256, false);
  ck_assert_int_eq (screen_open (&s, 3), 0);
  check_layout (&s, BA_FOURCC ('X', 'R', '2', '4'), 256);
  screen_build (&s);
  show_next (&s, 0);
  ck_assert (is_grey (&s.fake));
  screen_finish (&s);

  screen_init (&s); /* 5, 6 and 5 bits: each has its own length */
  s.fake.fix.visual = FB_VISUAL_DIRECTCOLOR;
  s.fake.cmap = FAKE_CMAP_SETTABLE;
  fill_colours (&s.fake, 256, false);
  fake_device_set_pixels (&s.fake, 16, 11, 5, 0);
  ck_assert_int_eq (screen_open (&s, 3), 0);
  screen_build (&s);
  show_next (&s, 0);
  for (uint32_t i = 0; i < 64; i++) {
    ck_assert_uint_eq (s.fake.colours[1][i], i * 65535 / 63);
    ck_assert_uint_eq (s.fake.colours[0][i], i < 32 ? i * 65535 / 31 : 65535);
    ck_assert_uint_eq (s.fake.colours[2][i], s.fake.colours[0][i]);
  }
  ck_assert_uint_eq (s.fake.colours[1][64], s.fake.first_colours[1][64]);
  screen_finish (&s);
}
END_TEST

START_TEST (direct_colours_that_cannot_be_set_are_told_once)
{
  static const FakeCmap cmaps[] = { FAKE_CMAP_NONE, FAKE_CMAP_FIXED };
  for (size_t i = 0; i < N_ELEMENTS (cmaps); i++) {
    Screen s;
    Log log = { 0 };
    ba_log_set_handler (keep_log, &log);
    screen_init (&s);
    s.fake.fix.visual = FB_VISUAL_DIRECTCOLOR;
    fill_colours (&s.fake, 256, false);
    s.fake.cmap = cmaps[i];
    ck_assert_int_eq (screen_open (&s, 3), 0);
    screen_build (&s);
    for (int n = 0; n < 3; n++)
      show_next (&s, 0);
    screen_finish (&s);
    ba_log_set_handler (NULL, NULL);
    ck_assert_uint_eq (log.n, 1);
    ck_assert_ptr_nonnull (strstr (log.last, "colours may be wrong"));
  }
}
END_TEST

START_TEST (a_colour_map_that_another_program_has_set_with_its_mode_is_left_alone)
{
  for (int theirs = 0; theirs <= 1; theirs++) {
    Screen s;
    screen_init (&s);
    be_pseudo (&s.fake, FB_VISUAL_PSEUDOCOLOR);
    s.fake.cmap = FAKE_CMAP_SETTABLE;
    ck_assert_int_eq (screen_open (&s, 3), 0);
    screen_build (&s);
    show_next (&s, 0);
    s.fake.var.xres = 32;
    if (theirs)
      s.fake.colours[0][17] = 4711;
    ba_display_close (s.display);
    ck_assert_uint_eq (s.fake.var.xres, 32);
    if (theirs)
      ck_assert_uint_eq (s.fake.colours[0][17], 4711);
    else
      ck_assert (memcmp (s.fake.colours, s.fake.first_colours, sizeof s.fake.colours) == 0);
    s.fake.var = s.fake.first_var;
    memcpy (s.fake.colours, s.fake.first_colours, sizeof s.fake.colours);
    screen_finish (&s);
  }
}
END_TEST

/* Fails every call in turn, on a device with a colour map: opened or not, mode and map are as they were. */
START_TEST (the_colour_map_survives_every_failure)
{
  static const int codes[] = { EIO, EINVAL, EBUSY };
  for (size_t c = 0; c < N_ELEMENTS (codes); c++) {
    bool failed = true;
    unsigned n;
    for (n = 1; failed; n++) {
      Screen s;
      screen_init (&s);
      be_pseudo (&s.fake, FB_VISUAL_PSEUDOCOLOR);
      s.fake.cmap = FAKE_CMAP_SETTABLE;
      s.fake.fail_call = FAKE_ANY;
      s.fake.fail_nth = n;
      s.fake.fail_errno = codes[c];
      int r = screen_open (&s, 3);
      if (r == 0) {
        screen_build (&s);
        BaBuffer *page = acquire (s.pool);
        ba_display_flip (s.display, page, NULL);
        ba_buffer_unref (page);
      }
      failed = s.fake.failed;
      s.fake.fail_nth = 0;
      screen_finish (&s);
    }
    ck_assert_uint_gt (n, 12);
  }
}
END_TEST

RUN ("fbdev-format", grey_that_the_driver_tells_is_taken_as_it_is, one_bit_has_whole_bytes_in_a_row_and_its_own_black,
     a_virtual_screen_has_the_same_kinds,
     one_bit_that_is_scrolled_sideways_must_begin_at_a_byte, one_bit_of_another_kind_is_refused,
     a_fourcc_in_the_mode_is_v4l2s, a_fourcc_that_is_none_of_ours_is_refused_by_name,
     a_palette_becomes_grey_with_the_first_page_and_is_put_back, a_palette_that_is_never_shown_on_is_never_changed,
     a_palette_that_cannot_be_made_grey_is_refused_with_what_to_do, a_palette_that_is_grey_already_is_left_alone,
     direct_colours_become_linear_and_are_put_back, direct_colours_that_cannot_be_set_are_told_once,
     a_colour_map_that_another_program_has_set_with_its_mode_is_left_alone, the_colour_map_survives_every_failure)
