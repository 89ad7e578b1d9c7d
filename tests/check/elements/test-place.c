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

static View
view_with (GstBaScaling scaling, GstVideoOrientationMethod direction, GstVideoRectangle area)
{
  return (View) {.scaling = scaling,.direction = direction,.area = area,.screen_w = SCREEN_W,.screen_h = SCREEN_H,
      .x_step_px = 1};
}

static gboolean
place_plainly (GstBaScaling scaling, const GstVideoRectangle * src, gint par_n, gint par_d, Placement * place)
{
  View view = view_with (scaling, GST_VIDEO_ORIENTATION_IDENTITY, (GstVideoRectangle) { 0, 0, 0, 0 });

  return gst_fbdev_zero_sink_place (&view, src, par_n, par_d, place);
}

START_TEST (rectangles_are_as_documented)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    const Row *row = &rows[i];
    GstVideoRectangle src = { 0, 0, row->src_w, row->src_h };
    Placement place;

    ck_assert (place_plainly (row->scaling, &src, row->par_n, row->par_d, &place));
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

  ck_assert (place_plainly (GST_BA_SCALING_FILL, &src, 1, 1, &place));
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

          ck_assert (place_plainly (mode, &src, p % 2 ? par : 1, p % 2 ? 1 : par, &place));
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

/* ---- a part of the screen ------------------------------------------------------------------------------------- */

typedef struct
{
  GstBaScaling scaling;
  gint src_w, src_h;
  GstVideoRectangle area, src, dst;
} AreaRow;

static const AreaRow area_rows[] = {
  /* inside the screen: as if it were one of its own */
  {GST_BA_SCALING_FIT, 320, 240, {100, 50, 320, 240}, {0, 0, 320, 240}, {100, 50, 320, 240}},
  {GST_BA_SCALING_FIT, 320, 240, {100, 50, 320, 300}, {0, 0, 320, 240}, {100, 80, 320, 240}},
  {GST_BA_SCALING_NONE, 320, 240, {100, 50, 100, 100}, {110, 70, 100, 100}, {100, 50, 100, 100}},
  {GST_BA_SCALING_FILL, 320, 240, {100, 50, 240, 240}, {40, 0, 240, 240}, {100, 50, 240, 240}},
  {GST_BA_SCALING_STRETCH, 320, 240, {7, 3, 101, 55}, {0, 0, 320, 240}, {7, 3, 101, 55}},
  /* over an edge: what is outside is cut from the picture too, at the same scale */
  {GST_BA_SCALING_FIT, 320, 240, {-100, 0, 320, 240}, {100, 0, 220, 240}, {0, 0, 220, 240}},
  {GST_BA_SCALING_FIT, 320, 240, {540, 380, 320, 240}, {0, 0, 100, 100}, {540, 380, 100, 100}},
  {GST_BA_SCALING_FIT, 320, 240, {-320, 0, 640, 480}, {160, 0, 160, 240}, {0, 0, 320, 480}},
};

START_TEST (an_area_is_filled_and_cut_at_the_edges_of_the_screen)
{
  const AreaRow *row = &area_rows[_i];
  GstVideoRectangle src = { 0, 0, row->src_w, row->src_h };
  View view = view_with (row->scaling, GST_VIDEO_ORIENTATION_IDENTITY, row->area);
  Placement place;

  ck_assert (gst_fbdev_zero_sink_place (&view, &src, 1, 1, &place));
  assert_rect (&place.src, &row->src, "the part of the picture", _i);
  assert_rect (&place.dst, &row->dst, "the place on the screen", _i);
}
END_TEST

START_TEST (an_area_beside_the_screen_shows_nothing)
{
  static const GstVideoRectangle areas[] = { {640, 0, 10, 10}, {0, 480, 10, 10}, {-10, 0, 10, 10}, {0, -10, 10, 10},
  {-65535, 0, 20, 10}, {65535, 65535, 65535, 65535}
  };
  GstVideoRectangle src = { 0, 0, 64, 64 };

  for (guint i = 0; i < G_N_ELEMENTS (areas); i++) {
    View view = view_with (GST_BA_SCALING_STRETCH, GST_VIDEO_ORIENTATION_IDENTITY, areas[i]);
    Placement place;

    ck_assert_msg (!gst_fbdev_zero_sink_place (&view, &src, 1, 1, &place), "area %u", i);
  }
}
END_TEST

/* ---- turned --------------------------------------------------------------------------------------------------- */

typedef struct
{
  GstVideoOrientationMethod direction;
  GstVideoRectangle src;        /* of a picture of 100 x 40 whose upper left 30 x 20 seen pixels are asked for */
} TurnRow;

static const TurnRow turn_rows[] = {
  {GST_VIDEO_ORIENTATION_IDENTITY, {0, 0, 30, 20}},
  {GST_VIDEO_ORIENTATION_90R, {0, 10, 20, 30}},
  {GST_VIDEO_ORIENTATION_180, {70, 20, 30, 20}},
  {GST_VIDEO_ORIENTATION_90L, {80, 0, 20, 30}},
  {GST_VIDEO_ORIENTATION_HORIZ, {70, 0, 30, 20}},
  {GST_VIDEO_ORIENTATION_VERT, {0, 20, 30, 20}},
  {GST_VIDEO_ORIENTATION_UL_LR, {0, 0, 20, 30}},
  {GST_VIDEO_ORIENTATION_UR_LL, {80, 10, 20, 30}},
};

START_TEST (what_is_cut_from_a_turned_picture_is_what_is_not_seen)
{
  const TurnRow *row = &turn_rows[_i];
  gboolean swaps = gst_fbdev_zero_sink_swaps_sides (row->direction);
  gint seen_w = swaps ? 40 : 100, seen_h = swaps ? 100 : 40;
  GstVideoRectangle src = { 5, 6, 100, 40 }, wanted = row->src;
  /* so far right and down that only 30 x 20 pixels of it are on the screen */
  View view = view_with (GST_BA_SCALING_NONE, row->direction, (GstVideoRectangle) { SCREEN_W - 30, SCREEN_H - 20,
          seen_w, seen_h});
  Placement place;

  wanted.x += 5;
  wanted.y += 6;
  ck_assert (gst_fbdev_zero_sink_place (&view, &src, 1, 1, &place));
  assert_rect (&place.src, &wanted, "the part of the picture", _i);
  assert_rect (&place.dst, &(GstVideoRectangle) {SCREEN_W - 30, SCREEN_H - 20, 30, 20}, "the place", _i);
  ck_assert_int_eq (place.direction, row->direction);
  ck_assert_int_eq (gst_fbdev_zero_sink_is_1to1 (&place), row->direction == GST_VIDEO_ORIENTATION_IDENTITY);
}
END_TEST

START_TEST (a_turned_picture_keeps_its_shape)
{
  View view = view_with (GST_BA_SCALING_FIT, GST_VIDEO_ORIENTATION_90R, (GstVideoRectangle) { 0, 0, 0, 0 });
  Placement place;

  /* 16:9 upright on 4:3 */
  ck_assert (gst_fbdev_zero_sink_place (&view, &(GstVideoRectangle) {0, 0, 1280, 720}, 1, 1, &place));
  assert_rect (&place.dst, &(GstVideoRectangle) {185, 0, 270, 480}, "square pixels", 0);
  /* pixels twice as wide as high stand upright then */
  ck_assert (gst_fbdev_zero_sink_place (&view, &(GstVideoRectangle) {0, 0, 240, 240}, 2, 1, &place));
  assert_rect (&place.dst, &(GstVideoRectangle) {200, 0, 240, 480}, "wide pixels", 0);
}
END_TEST

START_TEST (eight_pixels_of_a_byte_stay_together)
{
  View view = view_with (GST_BA_SCALING_NONE, GST_VIDEO_ORIENTATION_IDENTITY, (GstVideoRectangle) { 0, 0, 0, 0 });
  Placement place;

  view.x_step_px = 8;
  for (gint w = 1; w < SCREEN_W; w += 3) {
    ck_assert (gst_fbdev_zero_sink_place (&view, &(GstVideoRectangle) {0, 0, w, 10}, 1, 1, &place));
    ck_assert_int_eq (place.dst.x % 8, 0);
    ck_assert_int_eq (place.dst.w, w);
    ck_assert_int_le (abs (place.dst.x - (SCREEN_W - w) / 2), 7);
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
  tcase_add_loop_test (tcase, an_area_is_filled_and_cut_at_the_edges_of_the_screen, 0, G_N_ELEMENTS (area_rows));
  tcase_add_test (tcase, an_area_beside_the_screen_shows_nothing);
  tcase_add_loop_test (tcase, what_is_cut_from_a_turned_picture_is_what_is_not_seen, 0, G_N_ELEMENTS (turn_rows));
  tcase_add_test (tcase, a_turned_picture_keeps_its_shape);
  tcase_add_test (tcase, eight_pixels_of_a_byte_stay_together);
  suite_add_tcase (suite, tcase);
  runner = srunner_create (suite);
  srunner_run_all (runner, CK_ENV);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
