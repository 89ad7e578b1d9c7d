/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-place.c: where a picture lies on the screen, and that it never leaves it. */
#include <check.h>
#include <stdlib.h>

#include "gstfbdevzerosink-private.h"

typedef struct
{
  GstBaScaling scaling;
  gint src_w, src_h, par_n, par_d;
  GstVideoRectangle src, dst;
} Row;

#define SCREEN_W 640
#define SCREEN_H 480

static const Row rows[] = {
  /* the screen's own size: nothing moves */
  {GST_BA_SCALING_NONE, 640, 480, 1, 1, {0, 0, 640, 480}, {0, 0, 640, 480}},
  {GST_BA_SCALING_FIT, 640, 480, 1, 1, {0, 0, 640, 480}, {0, 0, 640, 480}},
  {GST_BA_SCALING_FILL, 640, 480, 1, 1, {0, 0, 640, 480}, {0, 0, 640, 480}},
  {GST_BA_SCALING_STRETCH, 640, 480, 1, 1, {0, 0, 640, 480}, {0, 0, 640, 480}},
  /* smaller, same shape */
  {GST_BA_SCALING_NONE, 320, 240, 1, 1, {0, 0, 320, 240}, {160, 120, 320, 240}},
  {GST_BA_SCALING_FIT, 320, 240, 1, 1, {0, 0, 320, 240}, {0, 0, 640, 480}},
  /* wider than the screen */
  {GST_BA_SCALING_FIT, 1280, 720, 1, 1, {0, 0, 1280, 720}, {0, 60, 640, 360}},
  {GST_BA_SCALING_FILL, 1280, 720, 1, 1, {160, 0, 960, 720}, {0, 0, 640, 480}},
  {GST_BA_SCALING_STRETCH, 1280, 720, 1, 1, {0, 0, 1280, 720}, {0, 0, 640, 480}},
  {GST_BA_SCALING_NONE, 1280, 720, 1, 1, {320, 120, 640, 480}, {0, 0, 640, 480}},
  /* taller */
  {GST_BA_SCALING_FIT, 480, 960, 1, 1, {0, 0, 480, 960}, {200, 0, 240, 480}},
  {GST_BA_SCALING_FILL, 480, 960, 1, 1, {0, 300, 480, 360}, {0, 0, 640, 480}},
  /* larger in one direction only */
  {GST_BA_SCALING_NONE, 800, 240, 1, 1, {80, 0, 640, 240}, {0, 120, 640, 240}},
  /* pixels that are no squares */
  {GST_BA_SCALING_FIT, 320, 480, 2, 1, {0, 0, 320, 480}, {0, 0, 640, 480}},
  {GST_BA_SCALING_FIT, 640, 480, 2, 1, {0, 0, 640, 480}, {0, 120, 640, 240}},
  {GST_BA_SCALING_FIT, 640, 480, 0, 1, {0, 0, 640, 480}, {0, 0, 640, 480}},
};

static void
assert_rect (const GstVideoRectangle * found, const GstVideoRectangle * wanted, const gchar * what, guint row)
{
  ck_assert_msg (found->x == wanted->x && found->y == wanted->y && found->w == wanted->w && found->h == wanted->h,
      "row %u: %s is %dx%d at %d,%d, not %dx%d at %d,%d", row, what, found->w, found->h, found->x, found->y, wanted->w,
      wanted->h, wanted->x, wanted->y);
}

START_TEST (rectangles_are_as_documented)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    const Row *row = &rows[i];
    GstVideoRectangle src = { 0, 0, row->src_w, row->src_h };
    Placement place;

    gst_fbdev_zero_sink_place (row->scaling, &src, row->par_n, row->par_d, SCREEN_W, SCREEN_H, &place);
    assert_rect (&place.src, &row->src, "the part of the picture", i);
    assert_rect (&place.dst, &row->dst, "the place on the screen", i);
    ck_assert_int_eq (gst_fbdev_zero_sink_is_1to1 (&place), row->src.w == row->dst.w && row->src.h == row->dst.h);
  }
}
END_TEST

START_TEST (a_cropped_view_stays_inside_its_crop)
{
  GstVideoRectangle src = { 100, 50, 1280, 720 };
  Placement place;

  gst_fbdev_zero_sink_place (GST_BA_SCALING_FILL, &src, 1, 1, SCREEN_W, SCREEN_H, &place);
  assert_rect (&place.src, &(GstVideoRectangle) {260, 50, 960, 720}, "the part of the picture", 0);
}
END_TEST

START_TEST (nothing_leaves_the_picture_or_the_screen)
{
  static const gint sizes[] = { 1, 2, 3, 7, 64, 479, 480, 481, 640, 1919, 32767, G_MAXINT };
  static const gint pars[] = { 1, 2, 16, 10000, G_MAXINT };

  for (guint mode = GST_BA_SCALING_NONE; mode <= GST_BA_SCALING_STRETCH; mode++) {
    for (guint w = 0; w < G_N_ELEMENTS (sizes); w++) {
      for (guint h = 0; h < G_N_ELEMENTS (sizes); h++) {
        for (guint p = 0; p < G_N_ELEMENTS (pars) * 2; p++) {
          GstVideoRectangle src = { 0, 0, sizes[w], sizes[h] };
          gint par = pars[p / 2];
          Placement place;

          gst_fbdev_zero_sink_place (mode, &src, p % 2 ? par : 1, p % 2 ? 1 : par, SCREEN_W, SCREEN_H, &place);
          ck_assert_int_ge (place.src.x, 0);
          ck_assert_int_ge (place.src.y, 0);
          ck_assert_int_ge (place.src.w, 1);
          ck_assert_int_ge (place.src.h, 1);
          ck_assert_int_le ((gint64) place.src.x + place.src.w, sizes[w]);
          ck_assert_int_le ((gint64) place.src.y + place.src.h, sizes[h]);
          ck_assert_int_ge (place.dst.x, 0);
          ck_assert_int_ge (place.dst.y, 0);
          ck_assert_int_ge (place.dst.w, 1);
          ck_assert_int_ge (place.dst.h, 1);
          ck_assert_int_le (place.dst.x + place.dst.w, SCREEN_W);
          ck_assert_int_le (place.dst.y + place.dst.h, SCREEN_H);
        }
      }
    }
  }
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("place");
  TCase *tcase = tcase_create ("place");
  SRunner *runner;
  int failed;

  tcase_add_test (tcase, rectangles_are_as_documented);
  tcase_add_test (tcase, a_cropped_view_stays_inside_its_crop);
  tcase_add_test (tcase, nothing_leaves_the_picture_or_the_screen);
  suite_add_tcase (suite, tcase);
  runner = srunner_create (suite);
  srunner_run_all (runner, CK_ENV);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
