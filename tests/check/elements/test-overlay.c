/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-overlay.c: what lies over a frame is on the screen where it belongs, within 1 of a reference in double, on every
 * page format, turned and scaled in every way; and what it does not cover stays as it is.
 */
#include "test-overlay-support.h"

#include <stdlib.h>

#include "count-malloc.h"

#define SCREEN_W 61
#define SCREEN_H 47

static const GstBaPageFormat bgrx = { GST_VIDEO_FORMAT_BGRx, GST_BA_MONO_NONE };
static const GstVideoRectangle screen = { 0, 0, SCREEN_W, SCREEN_H };
static const View whole = { { 0, 0, SCREEN_W, SCREEN_H },
                            { 0, 0, SCREEN_W, SCREEN_H },
                            GST_VIDEO_ORIENTATION_IDENTITY };

static gboolean
prepare (GstBaOverlay *overlay, const Bitmap *bitmaps, guint n, const View *view)
{
  GstVideoOverlayComposition *composition = composition_of (bitmaps, n);
  const gboolean seen = gst_ba_overlay_prepare (overlay, composition, &view->crop, view->direction, &view->dst);

  gst_video_overlay_composition_unref (composition);
  return seen;
}

/* @bitmap over a page of random bytes */
static void
check_bitmap (const Bitmap *bitmap, const View *view, const GstBaPageFormat *format, const gchar *what)
{
  GstBaOverlay *overlay = gst_ba_overlay_new ();
  guint8 *before;
  Page page;

  page_init (&page, format, SCREEN_W, SCREEN_H, 77);
  before = g_memdup2 (page.bytes, page.size_bytes);
  prepare (overlay, bitmap, 1, view);
  gst_ba_overlay_blend (overlay, format, page.bytes, page.stride_bytes, &screen);
  check_page (&page, before, bitmap, view, what);
  gst_ba_overlay_free (overlay);
  g_free (before);
  g_free (page.bytes);
}

/* Bitmap and render sizes: as it is, larger, smaller, much smaller, one way and the other */
static const gint sizes[][4] = {
  { 20, 14, 20, 14 }, { 10, 7, 33, 20 }, { 40, 30, 27, 13 }, { 90, 80, 11, 9 }, { 12, 40, 31, 10 }, { 1, 1, 17, 9 },
};

START_TEST (every_direction_and_size_is_exact)
{
  const GstVideoOrientationMethod direction = (GstVideoOrientationMethod) _i;
  guint i, kind;

  for (i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (kind = 0; kind < 4; kind++) {
      const Bitmap bitmap = { sizes[i][0], sizes[i][1], 9,        11,
                              sizes[i][2], sizes[i][3], kind & 1, kind & 2 ? 0.37f : 1.0f,
                              5 + i };
      const View same = { { 3, 2, is_transposed (direction) ? 40 : 50, is_transposed (direction) ? 50 : 40 },
                          { 4, 3, 50, 40 },
                          direction };
      const View scaled = { { 3, 2, 70, 55 }, { 1, 5, 58, 37 }, direction };

      check_bitmap (&bitmap, &same, &bgrx, "1:1");
      check_bitmap (&bitmap, &scaled, &bgrx, "scaled");
    }
}
END_TEST

START_TEST (every_page_format_is_exact)
{
  const GstBaPageFormat *format = &page_formats[_i];
  const Bitmap straight = { 40, 30, 7, 5, 40, 30, FALSE, 1.0f, 21 };
  const Bitmap faded = { 30, 25, 7, 5, 45, 20, FALSE, 0.7f, 22 };
  const Bitmap premultiplied = { 40, 30, 13, 9, 40, 30, TRUE, 0.5f, 23 };

  check_bitmap (&straight, &whole, format, "straight alpha");
  check_bitmap (&faded, &whole, format, "global alpha");
  check_bitmap (&premultiplied, &whole, format, "premultiplied");
}
END_TEST

START_TEST (what_lies_outside_is_cut)
{
  static const gint places[][2] = { { -13, 9 }, { 40, 9 }, { 9, -8 }, { 9, 35 }, { -7, -5 }, { 45, 38 } };
  const View view = { { 0, 0, SCREEN_W, SCREEN_H }, { 5, 4, 50, 40 }, GST_VIDEO_ORIENTATION_IDENTITY };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (places); i++) {
    const Bitmap plain = { 25, 17, places[i][0], places[i][1], 25, 17, FALSE, 1.0f, 31 };
    const Bitmap scaled = { 10, 40, places[i][0], places[i][1], 25, 17, FALSE, 1.0f, 32 };

    check_bitmap (&plain, &whole, &page_formats[_i], "cut at the screen's edge");
    check_bitmap (&plain, &view, &page_formats[_i], "cut at the picture's edge");
    check_bitmap (&scaled, &view, &page_formats[_i], "scaled and cut");
  }
}
END_TEST

START_TEST (all_four_sides_at_once_are_cut)
{
  const View view = { { 100, 80, 20, 16 }, { 5, 4, 50, 40 }, GST_VIDEO_ORIENTATION_90L };
  const Bitmap huge = { 30, 20, 20, 10, 200, 160, FALSE, 1.0f, 41 };
  const Bitmap absurd = { 30, 20, -100000000, -100000000, 2000000000, 2000000000, FALSE, 1.0f, 42 };
  GstBaOverlay *overlay = gst_ba_overlay_new ();
  GstVideoRectangle rect;

  check_bitmap (&huge, &view, &bgrx, "a close look");
  /* far beyond what makes sense: somewhere on the screen, and nothing breaks */
  if (prepare (overlay, &absurd, 1, &view)) {
    gst_ba_overlay_get_rectangle (overlay, 0, &rect);
    ck_assert_int_ge (rect.x, view.dst.x);
    ck_assert_int_le (rect.x + rect.w, view.dst.x + view.dst.w);
  }
  gst_ba_overlay_free (overlay);
}
END_TEST

START_TEST (nothing_to_be_seen_is_known)
{
  const Bitmap left = { 8, 8, -8, 5, 8, 8, FALSE, 1.0f, 1 };
  const Bitmap below = { 8, 8, 5, SCREEN_H, 8, 8, FALSE, 1.0f, 1 };
  const Bitmap faded = { 8, 8, 5, 5, 8, 8, FALSE, 0.0f, 1 };
  const Bitmap there = { 8, 8, 5, 5, 8, 8, FALSE, 1.0f, 1 };
  GstVideoOverlayComposition *empty = gst_video_overlay_composition_new (NULL);
  GstBaOverlay *overlay = gst_ba_overlay_new ();

  ck_assert (prepare (overlay, &there, 1, &whole));
  ck_assert (!gst_ba_overlay_prepare (overlay, empty, &whole.crop, whole.direction, &whole.dst));
  ck_assert (prepare (overlay, &there, 1, &whole));
  ck_assert (!gst_ba_overlay_prepare (overlay, NULL, &whole.crop, whole.direction, &whole.dst));
  ck_assert_uint_eq (gst_ba_overlay_get_n_rectangles (overlay), 0);
  ck_assert (!gst_ba_overlay_covers (overlay, 0, SCREEN_H));
  ck_assert (!prepare (overlay, &left, 1, &whole));
  ck_assert (!prepare (overlay, &below, 1, &whole));
  ck_assert (!prepare (overlay, &faded, 1, &whole));
  gst_ba_overlay_free (overlay);
  gst_ba_overlay_free (NULL);
  gst_video_overlay_composition_unref (empty);
}
END_TEST

START_TEST (rectangles_lie_one_over_the_other)
{
  const Bitmap both[] = { { 30, 25, 5, 4, 30, 25, FALSE, 0.8f, 51 }, { 20, 20, 20, 15, 33, 25, TRUE, 1.0f, 52 } };
  GstBaOverlay *overlay = gst_ba_overlay_new ();
  guint8 *before;
  Page page, at_once;

  page_init (&page, &page_formats[_i], SCREEN_W, SCREEN_H, 78);
  page_init (&at_once, &page_formats[_i], SCREEN_W, SCREEN_H, 78);
  before = g_memdup2 (page.bytes, page.size_bytes);
  ck_assert (prepare (overlay, both, 2, &whole));
  ck_assert_uint_eq (gst_ba_overlay_get_n_rectangles (overlay), 2);

  gst_ba_overlay_blend_rectangle (overlay, 0, &page.format, page.bytes, page.stride_bytes, &screen);
  check_page (&page, before, &both[0], &whole, "the lower one");
  memcpy (before, page.bytes, page.size_bytes);
  gst_ba_overlay_blend_rectangle (overlay, 1, &page.format, page.bytes, page.stride_bytes, &screen);
  check_page (&page, before, &both[1], &whole, "the upper one");

  gst_ba_overlay_blend (overlay, &at_once.format, at_once.bytes, at_once.stride_bytes, &screen);
  ck_assert_mem_eq (page.bytes, at_once.bytes, page.size_bytes);
  gst_ba_overlay_free (overlay);
  g_free (before);
  g_free (page.bytes);
  g_free (at_once.bytes);
}
END_TEST

/* In parts, whatever they are, it comes out as in one go. */
START_TEST (parts_make_the_whole)
{
  const Bitmap both[] = { { 30, 25, 5, 4, 30, 25, FALSE, 0.8f, 61 }, { 20, 20, 20, 15, 33, 25, TRUE, 1.0f, 62 } };
  const GstBaPageFormat *format = &page_formats[_i];
  GstBaOverlay *overlay = gst_ba_overlay_new ();
  Page page, parts;
  gint x, y;

  page_init (&page, format, SCREEN_W, SCREEN_H, 79);
  page_init (&parts, format, SCREEN_W, SCREEN_H, 79);
  ck_assert (prepare (overlay, both, 2, &whole));
  gst_ba_overlay_blend (overlay, format, page.bytes, page.stride_bytes, &screen);
  for (y = 0; y < SCREEN_H; y += 5)
    for (x = 0; x < SCREEN_W; x += 24) {
      const GstVideoRectangle area = { x, y, MIN (24, SCREEN_W - x), MIN (5, SCREEN_H - y) };
      guint8 *rows = parts.bytes + (gsize) y * parts.stride_bytes + gst_ba_convert_get_row_bytes (format, x);

      gst_ba_overlay_blend (overlay, format, rows, parts.stride_bytes, &area);
    }
  ck_assert_mem_eq (page.bytes, parts.bytes, page.size_bytes);
  gst_ba_overlay_free (overlay);
  g_free (page.bytes);
  g_free (parts.bytes);
}
END_TEST

/* AYUV: GStreamer makes RGB of it; here it only has to arrive, alpha included. */
START_TEST (ayuv_is_taken)
{
  static const guint8 ayuv[4] = { 128, 235, 128, 128 }; /* half transparent white */
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 8 * 6 * 4, NULL);
  GstVideoOverlayRectangle *rectangle;
  GstVideoOverlayComposition *composition;
  GstBaOverlay *overlay = gst_ba_overlay_new ();
  guint8 pixel[4] = { 100, 100, 100, 0 };
  const GstVideoRectangle one = { 12, 12, 1, 1 };
  guint i;

  for (i = 0; i < 8 * 6; i++)
    gst_buffer_fill (buffer, i * 4, ayuv, 4);
  gst_buffer_add_video_meta (buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_AYUV, 8, 6);
  rectangle = gst_video_overlay_rectangle_new_raw (buffer, 10, 10, 8, 6, GST_VIDEO_OVERLAY_FORMAT_FLAG_NONE);
  composition = gst_video_overlay_composition_new (rectangle);
  ck_assert (gst_ba_overlay_prepare (overlay, composition, &whole.crop, whole.direction, &whole.dst));
  gst_ba_overlay_blend (overlay, &bgrx, pixel, 4, &one);
  for (i = 0; i < 3; i++)
    ck_assert_msg (pixel[i] >= 175 && pixel[i] <= 179, "channel %u is %u", i, pixel[i]);
  ck_assert_uint_eq (pixel[3], 255);
  gst_ba_overlay_free (overlay);
  gst_video_overlay_composition_unref (composition);
  gst_video_overlay_rectangle_unref (rectangle);
  gst_buffer_unref (buffer);
}
END_TEST

/* A frame of one opaque and one faint pixel, nothing else */
START_TEST (transparent_edges_are_no_part_of_a_rectangle)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 20 * 10 * 4, NULL);
  GstVideoOverlayRectangle *rectangle;
  GstVideoOverlayComposition *composition;
  GstBaOverlay *overlay = gst_ba_overlay_new ();
  GstVideoRectangle rect;
  gint x, n;

  gst_buffer_memset (buffer, 0, 0, 20 * 10 * 4);
  gst_buffer_memset (buffer, 4 * (3 * 20 + 7), 255, 4);
  gst_buffer_memset (buffer, 4 * (6 * 20 + 11), 1, 4);
  gst_buffer_add_video_meta (buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB, 20, 10);
  rectangle = gst_video_overlay_rectangle_new_raw (buffer, 2, 1, 20, 10, GST_VIDEO_OVERLAY_FORMAT_FLAG_NONE);
  composition = gst_video_overlay_composition_new (rectangle);
  ck_assert (gst_ba_overlay_prepare (overlay, composition, &whole.crop, whole.direction, &whole.dst));
  gst_ba_overlay_get_rectangle (overlay, 0, &rect);
  ck_assert (rect.x == 9 && rect.y == 4 && rect.w == 5 && rect.h == 4);
  ck_assert (gst_ba_overlay_covers (overlay, 4, 1));
  ck_assert (!gst_ba_overlay_covers (overlay, 0, 4));
  ck_assert (!gst_ba_overlay_covers (overlay, 5, 2));
  ck_assert (gst_ba_overlay_covers (overlay, 5, 3));
  ck_assert (!gst_ba_overlay_covers (overlay, 8, 100));
  ck_assert (gst_ba_overlay_get_span (overlay, 0, 7, &x, &n));
  ck_assert (x == 13 && n == 1);
  ck_assert (!gst_ba_overlay_get_span (overlay, 0, 5, &x, &n));
  ck_assert (!gst_ba_overlay_get_span (overlay, 0, 40, &x, &n));
  gst_ba_overlay_free (overlay);
  gst_video_overlay_composition_unref (composition);
  gst_video_overlay_rectangle_unref (rectangle);
  gst_buffer_unref (buffer);
}
END_TEST

START_TEST (what_is_shown_again_is_not_made_again)
{
  const Bitmap three[] = { { 30, 25, 5, 4, 30, 25, FALSE, 0.8f, 71 },
                           { 20, 20, 20, 15, 33, 25, TRUE, 1.0f, 72 },
                           { 20, 20, -90, 15, 33, 25, TRUE, 1.0f, 73 } };
  GstVideoOverlayComposition *composition = composition_of (three, 3),
                             *other = gst_video_overlay_composition_new (NULL);
  GstBaOverlay *overlay = gst_ba_overlay_new ();
  unsigned before, turned;
  Page page;
  gint i;

  /* the same rectangles, the first one twice, in another order */
  for (i = 1; i >= 0; i--)
    gst_video_overlay_composition_add_rectangle (other, gst_video_overlay_composition_get_rectangle (composition, i));
  page_init (&page, &page_formats[10], SCREEN_W, SCREEN_H, 80);
  for (i = 0; i < 2; i++) {
    gst_ba_overlay_prepare (overlay, composition, &whole.crop, whole.direction, &whole.dst);
    gst_ba_overlay_blend (overlay, &page.format, page.bytes, page.stride_bytes, &screen);
  }

  before = count_malloc ();
  for (i = 0; i < 10; i++) {
    gst_ba_overlay_prepare (overlay, i % 3 == 1 ? other : composition, &whole.crop, whole.direction, &whole.dst);
    gst_ba_overlay_blend (overlay, &page.format, page.bytes, page.stride_bytes, &screen);
  }
  ck_assert_uint_eq (count_malloc (), before);

  gst_ba_overlay_prepare (overlay, composition, &whole.crop, GST_VIDEO_ORIENTATION_180, &whole.dst);
  turned = count_malloc ();
  ck_assert_uint_gt (turned, before); /* or nothing was counted */
  gst_ba_overlay_free (overlay);
  gst_video_overlay_composition_unref (composition);
  gst_video_overlay_composition_unref (other);
  g_free (page.bytes);
}
END_TEST

/* Each of the things that make a bitmap changes alone; a stale bitmap would show. */
START_TEST (what_changes_is_made_again)
{
  Bitmap bitmap = { 20, 16, 10, 8, 20, 16, FALSE, 1.0f, 81 };
  View view = { { 0, 0, 50, 40 }, { 2, 3, 50, 40 }, GST_VIDEO_ORIENTATION_IDENTITY };
  GstVideoOverlayRectangle *rectangle = bitmap_rectangle (&bitmap);
  GstBaOverlay *overlay = gst_ba_overlay_new ();
  gint step;

  for (step = 0; step < 8; step++) {
    GstVideoOverlayComposition *composition;
    guint8 *before;
    Page page;

    switch (step) {
      case 1:
        bitmap.alpha = 0.4f;
        gst_video_overlay_rectangle_set_global_alpha (rectangle, bitmap.alpha);
        break;
      case 2:
        bitmap.x_px++;
        gst_video_overlay_rectangle_set_render_rectangle (rectangle, bitmap.x_px, 8, 20, 16);
        break;
      case 3:
        bitmap.render_w_px++;
        gst_video_overlay_rectangle_set_render_rectangle (rectangle, bitmap.x_px, 8, 21, 16);
        break;
      case 4:
        view.direction = GST_VIDEO_ORIENTATION_HORIZ;
        break;
      case 5:
        view = (View){ { 0, 0, 50, 40 }, { 2, 3, 49, 40 }, GST_VIDEO_ORIENTATION_HORIZ }; /* cuts nothing, scales */
        break;
      case 6:
        view = (View){ { 0, 0, 50, 40 }, { 2, 3, 50, 40 }, GST_VIDEO_ORIENTATION_IDENTITY };
        bitmap.seed++;
        gst_video_overlay_rectangle_unref (rectangle);
        rectangle = bitmap_rectangle (&bitmap);
        break;
      case 7: /* the place is the same, but half of it is cut off */
        view.crop.w = view.dst.w = 20;
        break;
      default:
        break;
    }
    composition = gst_video_overlay_composition_new (rectangle);
    page_init (&page, &bgrx, SCREEN_W, SCREEN_H, 90);
    before = g_memdup2 (page.bytes, page.size_bytes);
    ck_assert (gst_ba_overlay_prepare (overlay, composition, &view.crop, view.direction, &view.dst));
    gst_ba_overlay_blend (overlay, &bgrx, page.bytes, page.stride_bytes, &screen);
    check_page (&page, before, &bitmap, &view, "changed");
    gst_video_overlay_composition_unref (composition);
    g_free (before);
    g_free (page.bytes);
  }
  gst_video_overlay_rectangle_unref (rectangle);
  gst_ba_overlay_free (overlay);
}
END_TEST

int
main (int argc, char **argv)
{
  Suite *suite = suite_create ("overlay");
  TCase *tcase = tcase_create ("overlay");
  SRunner *runner;
  int failed;

  gst_init (&argc, &argv);
  tcase_add_loop_test (tcase, every_direction_and_size_is_exact, 0, GST_VIDEO_ORIENTATION_UR_LL + 1);
  tcase_add_loop_test (tcase, every_page_format_is_exact, 0, G_N_ELEMENTS (page_formats));
  tcase_add_loop_test (tcase, what_lies_outside_is_cut, 0, G_N_ELEMENTS (page_formats));
  tcase_add_test (tcase, all_four_sides_at_once_are_cut);
  tcase_add_test (tcase, nothing_to_be_seen_is_known);
  tcase_add_loop_test (tcase, rectangles_lie_one_over_the_other, 0, G_N_ELEMENTS (page_formats));
  tcase_add_loop_test (tcase, parts_make_the_whole, 0, G_N_ELEMENTS (page_formats));
  tcase_add_test (tcase, ayuv_is_taken);
  tcase_add_test (tcase, transparent_edges_are_no_part_of_a_rectangle);
  tcase_add_test (tcase, what_is_shown_again_is_not_made_again);
  tcase_add_test (tcase, what_changes_is_made_again);
  suite_add_tcase (suite, tcase);
  runner = srunner_create (suite);
  srunner_run_all (runner, CK_ENV);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
