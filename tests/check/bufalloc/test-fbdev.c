/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-fbdev.c: what is opened as /dev/fbN: pixels, pages, memory, on a device with the habits of real drivers. Each
 * test is named after what is promised.
 */
#include "fake-screen.h"

#include <fcntl.h>
#include <sys/mman.h>

/* ---- pixels ---------------------------------------------------------------------------------------------------- */

START_TEST (a_padded_line_length_is_the_stride)
{
  Screen s;
  screen_init (&s);
  s.fake.fix.line_length = 64 * 4 + 32;
  s.fake.fix.smem_len = s.fake.fix.line_length * 48 * 3;
  ck_assert_int_eq (screen_open (&s, 0), 0);
  ck_assert_uint_eq (s.info->layout.stride_bytes[0], 288);
  ck_assert_uint_eq (s.info->layout.width_px, 64);
  ck_assert_uint_eq (s.info->page_bytes, 288 * 48);
  ck_assert_uint_eq (s.info->n_pages, 3);
  screen_finish (&s);
}
END_TEST

START_TEST (the_format_comes_from_offsets_and_lengths)
{
  static const struct
  {
    uint32_t bits, red, green, blue;
    const char *fourcc;
  } cases[] = {
    { 32, 16, 8, 0, "XR24" }, { 32, 0, 8, 16, "XB24" }, { 32, 8, 16, 24, "BX24" }, { 32, 24, 16, 8, "RX24" },
    { 24, 16, 8, 0, "RG24" }, { 24, 0, 8, 16, "BG24" }, { 16, 11, 5, 0, "RG16" },  { 16, 0, 5, 11, "BG16" },
  };
  for (size_t i = 0; i < N_ELEMENTS (cases); i++) {
    const char *f = cases[i].fourcc;
    Screen s;
    screen_init (&s);
    fake_device_set_pixels (&s.fake, cases[i].bits, cases[i].red, cases[i].green, cases[i].blue);
    ck_assert_int_eq (screen_open (&s, 0), 0);
    ck_assert_uint_eq (s.info->layout.fourcc, BA_FOURCC (f[0], f[1], f[2], f[3]));
    screen_finish (&s);
  }
}
END_TEST

START_TEST (fifteen_bits_are_told_from_sixteen)
{
  Screen s;
  screen_init (&s);
  fake_device_set_pixels (&s.fake, 16, 10, 5, 0);
  s.fake.var.green.length = 5;
  ck_assert_int_eq (screen_open (&s, 0), 0);
  ck_assert_uint_eq (s.info->layout.fourcc, BA_FOURCC ('X', 'R', '1', '5'));
  screen_finish (&s);
}
END_TEST

START_TEST (alpha_bits_that_no_screen_shows_do_not_matter)
{
  Screen s;
  screen_init (&s);
  s.fake.var.transp = (struct fb_bitfield){ .offset = 24, .length = 8 };
  ck_assert_int_eq (screen_open (&s, 0), 0);
  ck_assert_uint_eq (s.info->layout.fourcc, BA_FOURCC ('X', 'R', '2', '4'));
  screen_finish (&s);
}
END_TEST

START_TEST (pixels_without_a_name_are_refused_with_what_was_seen)
{
  Screen s;
  screen_init (&s);
  s.fake.var.red.length = 7;
  refused (&s, -ENOTSUP, "32 bits with red 16/7, green 8/8, blue 0/8");
  screen_init (&s);
  s.fake.var.nonstd = 1;
  refused (&s, -ENOTSUP, "nonstd 1");
  screen_init (&s);
  s.fake.var.blue.msb_right = 1;
  refused (&s, -ENOTSUP, "no name for pixels");
}
END_TEST

START_TEST (only_packed_true_colours_are_taken)
{
  Screen s;
  screen_init (&s);
  s.fake.fix.visual = FB_VISUAL_PSEUDOCOLOR;
  refused (&s, -ENOTSUP, "visual 3");
  screen_init (&s);
  s.fake.fix.type = FB_TYPE_PLANES;
  refused (&s, -ENOTSUP, "type 1");
  screen_init (&s);
  s.fake.fix.visual = FB_VISUAL_DIRECTCOLOR;
  ck_assert_int_eq (screen_open (&s, 0), 0);
  screen_finish (&s);
}
END_TEST

START_TEST (numbers_that_do_not_fit_together_are_refused)
{
  Screen s;
  screen_init (&s);
  s.fake.fix.line_length = 64 * 4 - 4;
  refused (&s, -ENOTSUP, "do not fit");
  screen_init (&s);
  s.fake.fix.smem_len = PAGE_BYTES - 1;
  refused (&s, -ENOTSUP, "do not fit");
  screen_init (&s);
  s.fake.fix.line_length = UINT32_MAX;
  refused (&s, -ENOTSUP, "do not fit");
  screen_init (&s);
  s.fake.var.xres = 0;
  refused (&s, -ENODEV, "has no mode");
}
END_TEST

/* ---- pages ----------------------------------------------------------------------------------------------------- */

START_TEST (the_virtual_screen_grows_to_what_the_memory_holds)
{
  Screen s;
  screen_init (&s);
  ck_assert_int_eq (screen_open (&s, 0), 0);
  ck_assert_uint_eq (s.info->n_pages, 4);
  ck_assert (s.info->can_flip);
  ck_assert_uint_eq (s.fake.var.yres_virtual, 4 * 48);
  screen_finish (&s);
}
END_TEST

START_TEST (only_as_many_pages_as_asked_for_are_made)
{
  Screen s;
  screen_init (&s);
  ck_assert_int_eq (screen_open (&s, 2), 0);
  ck_assert_uint_eq (s.info->n_pages, 2);
  ck_assert_uint_eq (s.fake.var.yres_virtual, 2 * 48);
  screen_finish (&s);
}
END_TEST

START_TEST (pages_that_are_there_already_are_taken_without_a_mode_set)
{
  Screen s;
  screen_init (&s);
  s.fake.var.yres_virtual = 3 * 48;
  ck_assert_int_eq (screen_open (&s, 3), 0);
  ck_assert_uint_eq (s.info->n_pages, 3);
  ck_assert_uint_eq (s.fake.n_puts, 0);
  screen_finish (&s);
}
END_TEST

START_TEST (all_means_eight_pages_at_most)
{
  Screen s;
  screen_init (&s);
  s.fake.fix.smem_len = PAGE_BYTES * 12;
  s.fake.var.yres_virtual = 12 * 48;
  ck_assert_int_eq (screen_open (&s, 0), 0);
  ck_assert_uint_eq (s.info->n_pages, BA_DISPLAY_MAX_PAGES);
  screen_finish (&s);
}
END_TEST

START_TEST (pages_without_memory_behind_them_do_not_count)
{
  Screen s;
  screen_init (&s);
  s.fake.var.yres_virtual = 4 * 48;
  s.fake.fix.smem_len = PAGE_BYTES * 5 / 2;
  ck_assert_int_eq (screen_open (&s, 0), 0);
  ck_assert_uint_eq (s.info->n_pages, 2);
  ck_assert_uint_le (s.fake.last_map_bytes, s.fake.fix.smem_len);
  screen_finish (&s);
}
END_TEST

START_TEST (growing_that_is_cut_gives_fewer_pages)
{
  Screen s;
  screen_init (&s);
  s.fake.grow = FAKE_GROW_CUT;
  s.fake.grow_limit_rows = 2 * 48 + 20;
  ck_assert_int_eq (screen_open (&s, 4), 0);
  ck_assert_uint_eq (s.info->n_pages, 2);
  screen_finish (&s);
}
END_TEST

START_TEST (growing_that_is_refused_leaves_what_was_there)
{
  Screen s;
  screen_init (&s);
  s.fake.grow = FAKE_GROW_REFUSED;
  s.fake.var.yres_virtual = 2 * 48;
  ck_assert_int_eq (screen_open (&s, 4), 0);
  ck_assert_uint_eq (s.info->n_pages, 2);
  screen_finish (&s);
}
END_TEST

START_TEST (growing_that_only_says_yes_is_not_believed)
{
  Screen s;
  screen_init (&s);
  s.fake.grow = FAKE_GROW_LIED;
  ck_assert_int_eq (screen_open (&s, 4), 0);
  ck_assert_uint_eq (s.info->n_pages, 1);
  ck_assert (!s.info->can_flip);
  screen_finish (&s);
}
END_TEST

START_TEST (growing_that_changes_the_mode_is_taken_back)
{
  Screen s;
  screen_init (&s);
  s.fake.grow = FAKE_GROW_REMODES;
  ck_assert_int_eq (screen_open (&s, 4), 0);
  ck_assert_uint_eq (s.info->n_pages, 1);
  ck_assert_uint_eq (s.info->layout.width_px, 64);
  ck_assert (fake_device_is_restored (&s.fake));
  screen_finish (&s);
}
END_TEST

START_TEST (a_device_that_does_not_pan_has_one_page)
{
  Screen s;
  screen_init (&s);
  s.fake.var.yres_virtual = 4 * 48; /* vesafb: room for more, and a pan that is refused even to y = 0 */
  s.fake.pan = FAKE_PAN_REFUSED;
  ck_assert_int_eq (screen_open (&s, 0), 0);
  ck_assert_uint_eq (s.info->n_pages, 1);
  screen_build (&s);
  show_next (&s, 0);
  show_next (&s, 0);
  ck_assert_uint_eq (s.fake.n_unblanks, 1);
  screen_finish (&s);
  screen_init (&s);
  s.fake.fix.ypanstep = 0;
  s.fake.var.yres_virtual = 4 * 48;
  ck_assert_int_eq (screen_open (&s, 0), 0);
  ck_assert_uint_eq (s.info->n_pages, 1);
  screen_finish (&s);
}
END_TEST

START_TEST (pages_that_do_not_begin_at_a_pan_step_are_none)
{
  Screen s;
  screen_init (&s);
  s.fake.fix.ypanstep = 32; /* 48 rows */
  ck_assert_int_eq (screen_open (&s, 0), 0);
  ck_assert_uint_eq (s.info->n_pages, 1);
  screen_finish (&s);
  screen_init (&s);
  s.fake.fix.ypanstep = 16;
  ck_assert_int_eq (screen_open (&s, 0), 0);
  ck_assert_uint_eq (s.info->n_pages, 4);
  screen_finish (&s);
}
END_TEST

START_TEST (wrapping_is_switched_off_to_pan_and_on_again_after)
{
  Screen s;
  screen_init (&s);
  s.fake.var.vmode = FB_VMODE_YWRAP;
  s.fake.pan = FAKE_PAN_MOVES;
  ck_assert_int_eq (screen_open (&s, 0), 0);
  ck_assert_uint_eq (s.info->n_pages, 4);
  screen_build (&s);
  show_next (&s, 0);
  ck_assert_uint_eq (s.fake.var.vmode & FB_VMODE_YWRAP, 0);
  screen_finish (&s);
}
END_TEST

START_TEST (a_screen_that_refuses_every_mode_set_still_opens_and_closes_quietly)
{
  Screen s;
  unsigned warnings = 0;
  ba_log_set_handler (count_warnings, &warnings);
  screen_init (&s);
  s.fake.fixed_mode = true;
  ck_assert_int_eq (screen_open (&s, 0), 0);
  ck_assert_uint_eq (s.info->n_pages, 1);
  screen_build (&s);
  show_next (&s, 0);
  screen_finish (&s);
  ck_assert_uint_eq (warnings, 0);
  ba_log_set_handler (NULL, NULL);
}
END_TEST

/* ---- memory ---------------------------------------------------------------------------------------------------- */

START_TEST (pages_are_mapped_for_reading_and_writing_and_lie_where_the_device_shows_them)
{
  Screen s;
  screen_init (&s);
  s.fake.fix.smem_start = 0xe0000000u;
  ck_assert_int_eq (screen_open (&s, 3), 0);
  ck_assert_int_eq (s.fake.last_prot, PROT_READ | PROT_WRITE);
  ck_assert_int_eq (s.fake.last_flags, MAP_SHARED);
  ck_assert_int_ne (s.fake.last_open_flags & O_CLOEXEC, 0);
  screen_build (&s);
  for (int i = 0; i < 6; i++) {
    BaBuffer *buffer = acquire (s.pool);
    uint8_t seen = 0;
    memset (ba_buffer_get_data (buffer), 0x40 + i, PAGE_BYTES);
    ck_assert_int_eq (ba_display_flip (s.display, buffer, NULL), 0);
    fake_device_read (&s.fake, (size_t) s.fake.var.yoffset * s.fake.fix.line_length, &seen, 1);
    ck_assert_int_eq (seen, 0x40 + i);
    ck_assert_uint_eq (ba_buffer_get_physical_address (buffer),
                       0xe0000000u + s.fake.var.yoffset * s.fake.fix.line_length);
    ba_buffer_unref (buffer);
  }
  screen_finish (&s);
}
END_TEST

START_TEST (memory_that_begins_inside_a_memory_page_is_found)
{
  Screen s;
  BaBlock page;
  uint8_t seen = 0;
  screen_init (&s);
  s.fake.fix.smem_start = 0xe0000200u;
  ck_assert_int_eq (screen_open (&s, 2), 0);
  ck_assert_int_eq (ba_display_get_page (s.display, 1, &page), 0);
  *(uint8_t *) page.data = 0x77;
  fake_device_read (&s.fake, 0x200 + PAGE_BYTES, &seen, 1);
  ck_assert_int_eq (seen, 0x77);
  ck_assert_uint_eq (page.physical_address, 0xe0000200u + PAGE_BYTES);
  screen_finish (&s);
}
END_TEST

START_TEST (a_screen_that_cannot_move_is_drawn_where_it_is)
{
  Screen s;
  BaBlock page;
  uint8_t seen = 0;
  screen_init (&s);
  s.fake.var.yres_virtual = 4 * 48;
  s.fake.var.yoffset = 30;
  s.fake.pan = FAKE_PAN_REFUSED;
  ck_assert_int_eq (screen_open (&s, 0), 0);
  ck_assert_int_eq (ba_display_get_page (s.display, 0, &page), 0);
  *(uint8_t *) page.data = 0x77;
  fake_device_read (&s.fake, 30 * 64 * 4, &seen, 1);
  ck_assert_int_eq (seen, 0x77);
  screen_finish (&s);
}
END_TEST

START_TEST (a_screen_that_is_scrolled_sideways_says_where_its_first_pixel_lies)
{
  enum
  {
    STRIDE = 100 * 4,
    FIRST = 30 * STRIDE /* of the page, in the device's memory */
  };
  Screen s;
  BaBlock page;
  uint8_t *memory;
  screen_init (&s);
  s.fake.var.xres_virtual = 100;
  s.fake.var.yres_virtual = 4 * 48;
  s.fake.var.xoffset = 36; /* up to the last column */
  s.fake.var.yoffset = 30;
  fake_device_set_pixels (&s.fake, 32, 16, 8, 0);
  s.fake.fix.smem_len = STRIDE * 4 * 48;
  s.fake.pan = FAKE_PAN_REFUSED;
  ck_assert_int_eq (screen_open (&s, 0), 0);
  screen_build (&s);
  ck_assert_uint_eq (s.info->n_pages, 1);
  ck_assert_uint_eq (s.info->layout.offset_bytes[0], 36 * 4);
  ck_assert_uint_eq (s.info->layout.stride_bytes[0], STRIDE);
  ck_assert_uint_eq (s.info->page_bytes, STRIDE * 48);
  ck_assert_int_eq (ba_display_get_page (s.display, 0, &page), 0);
  ck_assert_uint_eq (page.size_bytes, s.info->page_bytes);

  BaBuffer *buffer = acquire (s.pool);
  size_t offset_bytes = ba_buffer_get_layout (buffer)->offset_bytes[0];
  ck_assert_uint_eq (offset_bytes, 36 * 4);
  ck_assert_ptr_eq (ba_buffer_get_data (buffer), page.data); /* the page, not its first visible pixel */
  ck_assert_int_eq (ba_display_get_page_number (s.display, buffer), 0);
  memset (page.data, 0xff, page.size_bytes);
  ck_assert_int_eq (ba_display_clear (s.display, 0), 0);
  memset ((uint8_t *) page.data + offset_bytes, 0x11, 4);
  memset ((uint8_t *) page.data + offset_bytes + 47 * STRIDE + 63 * 4, 0x22, 4);
  ck_assert_int_eq (ba_display_flip (s.display, buffer, NULL), 0);
  ba_buffer_unref (buffer);
  ck_assert_uint_eq (s.fake.var.xoffset, 36);

  memory = malloc (s.fake.fix.smem_len);
  fake_device_read (&s.fake, 0, memory, s.fake.fix.smem_len);
  for (size_t i = 0; i < s.fake.fix.smem_len; i++) {
    bool first = i / 4 == (FIRST + 36 * 4) / 4;
    bool last = i / 4 == (FIRST + STRIDE * 48 - 4) / 4;
    ck_assert_int_eq (memory[i], first ? 0x11 : last ? 0x22 : 0);
  }
  free (memory);
  screen_finish (&s);
}
END_TEST

START_TEST (a_screen_that_is_scrolled_sideways_and_moves_shows_whole_pages_and_is_scrolled_back)
{
  Screen s;
  screen_init (&s);
  s.fake.var.xres_virtual = 100;
  s.fake.var.yres_virtual = 3 * 48;
  s.fake.var.xoffset = 36;
  s.fake.var.yoffset = 10;
  fake_device_set_pixels (&s.fake, 32, 16, 8, 0);
  s.fake.fix.smem_len = 400 * 3 * 48;
  ck_assert_int_eq (screen_open (&s, 3), 0);
  ck_assert_uint_eq (s.info->n_pages, 3);
  ck_assert_uint_eq (s.info->layout.offset_bytes[0], 0);
  ck_assert_uint_eq (s.fake.var.xoffset, 36); /* nothing visible has changed */
  ck_assert_uint_eq (s.fake.var.yoffset, 10);
  screen_build (&s);
  unsigned number = show_next (&s, 0);
  ck_assert_uint_eq (number, 2); /* 0 and 1 are looked at */
  ck_assert_uint_eq (s.fake.var.xoffset, 0);
  ck_assert_uint_eq (s.fake.var.yoffset, number * 48);
  ba_display_close (s.display);
  ck_assert_uint_eq (s.fake.var.xoffset, 36);
  screen_finish (&s);
}
END_TEST

START_TEST (the_page_that_is_looked_at_is_handed_out_last)
{
  Screen s;
  screen_init (&s);
  s.fake.var.yres_virtual = 3 * 48;
  s.fake.var.yoffset = 48;
  ck_assert_int_eq (screen_open (&s, 3), 0);
  ck_assert_uint_eq (s.display->start_page, 1);
  ck_assert_uint_eq (s.fake.var.yoffset, 48); /* opening shows nothing else */
  screen_build (&s);
  ck_assert_uint_eq (show_next (&s, 0), 2);
  screen_finish (&s);
  screen_init (&s);
  s.fake.var.yres_virtual = 3 * 48;
  s.fake.var.yoffset = 30; /* parts of 0 and 1 */
  ck_assert_int_eq (screen_open (&s, 3), 0);
  screen_build (&s);
  ck_assert_uint_eq (show_next (&s, 0), 2);
  screen_finish (&s);
}
END_TEST

RUN ("fbdev", a_padded_line_length_is_the_stride, the_format_comes_from_offsets_and_lengths,
     fifteen_bits_are_told_from_sixteen, alpha_bits_that_no_screen_shows_do_not_matter,
     pixels_without_a_name_are_refused_with_what_was_seen, only_packed_true_colours_are_taken,
     numbers_that_do_not_fit_together_are_refused, the_virtual_screen_grows_to_what_the_memory_holds,
     only_as_many_pages_as_asked_for_are_made, pages_that_are_there_already_are_taken_without_a_mode_set,
     all_means_eight_pages_at_most, pages_without_memory_behind_them_do_not_count,
     growing_that_is_cut_gives_fewer_pages, growing_that_is_refused_leaves_what_was_there,
     growing_that_only_says_yes_is_not_believed, growing_that_changes_the_mode_is_taken_back,
     a_device_that_does_not_pan_has_one_page, pages_that_do_not_begin_at_a_pan_step_are_none,
     wrapping_is_switched_off_to_pan_and_on_again_after,
     a_screen_that_refuses_every_mode_set_still_opens_and_closes_quietly,
     pages_are_mapped_for_reading_and_writing_and_lie_where_the_device_shows_them,
     memory_that_begins_inside_a_memory_page_is_found, a_screen_that_cannot_move_is_drawn_where_it_is,
     a_screen_that_is_scrolled_sideways_says_where_its_first_pixel_lies,
     a_screen_that_is_scrolled_sideways_and_moves_shows_whole_pages_and_is_scrolled_back,
     the_page_that_is_looked_at_is_handed_out_last)
