/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-paint.c: what gst_ba_paint() leaves on a page is what converting the frame and blending the overlay over it in
 * ordinary memory gives, byte for byte, whatever was on the page, and however little of it was written.
 */
#include "test-overlay-support.h"

#include <stdlib.h>

#include "count-malloc.h"
#include "gstbapaint.h"

#define SCREEN_W 56
#define SCREEN_H 40
#define FRAME_W 32
#define FRAME_H 24
#define N_PAGES 3

/* A BGRx picture, and what it takes to show it at @dst */
typedef struct
{
  GstVideoFrame frame;
  GstBaConvert *convert;
  GstVideoRectangle dst;
} Show;

static const GstVideoRectangle whole_frame = { 0, 0, FRAME_W, FRAME_H };

static const Bitmap subtitles[] = {
  { 20, 8, 6, 14, 20, 8, FALSE, 1.0f, 11 },
  { 9, 9, 2, 1, 12, 10, FALSE, 0.6f, 12 },
};

static guint8 *
show_pixels (Show *show)
{
  return show->frame.data[0];
}

static void
show_init (Show *show, const GstBaPageFormat *format, const GstVideoRectangle *dst, guint32 seed)
{
  GstBaConvertConfig config = { .crop = whole_frame,
                                .direction = GST_VIDEO_ORIENTATION_IDENTITY,
                                .out = *format,
                                .x_px = dst->x,
                                .y_px = dst->y,
                                .width_px = dst->w,
                                .height_px = dst->h,
                                .n_threads = 1 };

  memset (show, 0, sizeof (*show));
  gst_video_info_set_format (&show->frame.info, GST_VIDEO_FORMAT_BGRx, FRAME_W, FRAME_H);
  show->frame.data[0] = g_malloc (FRAME_W * FRAME_H * 4);
  fill_random (show_pixels (show), FRAME_W * FRAME_H * 4, seed);
  config.in_info = &show->frame.info;
  show->convert = gst_ba_convert_new (&config);
  ck_assert (show->convert != NULL);
  show->dst = *dst;
}

static void
show_clear (Show *show)
{
  gst_ba_convert_free (show->convert);
  g_free (show->frame.data[0]);
}

static GstBaPaintJob
job_of (const Show *show, const Page *page)
{
  return (GstBaPaintJob){ .convert = show->convert,
                          .frame = &show->frame,
                          .format = page->format,
                          .page = page->bytes,
                          .stride_bytes = page->stride_bytes,
                          .dst = show->dst };
}

static gsize
row_bytes (const Show *show, const Page *page)
{
  return gst_ba_convert_get_row_bytes (&page->format, show->dst.w);
}

static guint8 *
first_pixel (const Page *page, const GstVideoRectangle *dst)
{
  return page->bytes + (gsize) dst->y * page->stride_bytes + gst_ba_convert_get_row_bytes (&page->format, dst->x);
}

static GstBaOverlay *
overlay_over (const Show *show)
{
  GstBaOverlay *overlay = gst_ba_overlay_new ();
  GstVideoOverlayComposition *composition = composition_of (subtitles, G_N_ELEMENTS (subtitles));

  ck_assert (gst_ba_overlay_prepare (overlay, composition, &whole_frame, GST_VIDEO_ORIENTATION_IDENTITY, &show->dst));
  gst_video_overlay_composition_unref (composition);
  return overlay;
}

static void
assert_same_page (const Page *page, const Page *wanted, const gchar *what)
{
  ck_assert_msg (memcmp (page->bytes, wanted->bytes, page->size_bytes) == 0, "%s: another picture on %s", what,
                 page_format_name (&page->format));
}

/* 1:1, scaled, the whole screen */
static const GstVideoRectangle places[] = {
  { 8, 5, FRAME_W, FRAME_H }, { 16, 3, 29, 31 }, { 0, 0, SCREEN_W, SCREEN_H }, { 8, 9, 17, 12 }
};

START_TEST (a_page_shows_frame_and_overlay)
{
  const GstBaPageFormat *format = &page_formats[_i];
  guint i, with_overlay;

  for (i = 0; i < G_N_ELEMENTS (places); i++)
    for (with_overlay = 0; with_overlay < 2; with_overlay++) {
      Page page, wanted;
      GstBaPaintJob job;
      GstBaOverlay *overlay;
      Show show;

      page_init (&page, format, SCREEN_W, SCREEN_H, 100 + i); /* random bytes: none of them may matter */
      page_init (&wanted, format, SCREEN_W, SCREEN_H, 100 + i);
      show_init (&show, format, &places[i], 200);
      overlay = overlay_over (&show);
      gst_ba_convert_frame (show.convert, &show.frame, first_pixel (&wanted, &show.dst), wanted.stride_bytes);
      if (with_overlay)
        gst_ba_overlay_blend (overlay, format, first_pixel (&wanted, &show.dst), wanted.stride_bytes, &show.dst);

      job = job_of (&show, &page);
      job.overlay = with_overlay ? overlay : NULL;
      ck_assert_uint_eq (gst_ba_paint (&job), row_bytes (&show, &page) * (gsize) show.dst.h);
      assert_same_page (&page, &wanted, with_overlay ? "with overlay" : "without overlay");
      gst_ba_overlay_free (overlay);
      show_clear (&show);
      g_free (page.bytes);
      g_free (wanted.bytes);
    }
}
END_TEST

START_TEST (painting_over_gives_the_same)
{
  const GstBaPageFormat *format = &page_formats[_i];
  guint i;

  for (i = 0; i < G_N_ELEMENTS (places); i++) {
    guint64 written_bytes, most_bytes = 0;
    Page page, wanted;
    GstBaPaintJob job;
    GstBaOverlay *overlay;
    Show show;
    guint n;

    page_init (&page, format, SCREEN_W, SCREEN_H, 300);
    page_init (&wanted, format, SCREEN_W, SCREEN_H, 300);
    show_init (&show, format, &places[i], 301);
    overlay = overlay_over (&show);
    job = job_of (&show, &wanted);
    job.overlay = overlay;
    gst_ba_paint (&job);

    job = job_of (&show, &page);
    gst_ba_paint (&job);
    written_bytes = gst_ba_paint_over (overlay, format, page.bytes, page.stride_bytes);
    assert_same_page (&page, &wanted, "painted over");
    for (n = 0; n < gst_ba_overlay_get_n_rectangles (overlay); n++) {
      GstVideoRectangle rect;

      gst_ba_overlay_get_rectangle (overlay, n, &rect);
      most_bytes += gst_ba_convert_get_row_bytes (format, rect.w + 7) * (gsize) rect.h;
    }
    ck_assert_uint_gt (written_bytes, 0);
    ck_assert_uint_le (written_bytes, most_bytes);
    gst_ba_overlay_free (overlay);
    show_clear (&show);
    g_free (page.bytes);
    g_free (wanted.bytes);
  }
}
END_TEST

START_TEST (only_rows_that_changed_are_written)
{
  const GstBaPageFormat *format = &page_formats[_i];
  Page pages[2];
  GstBaDamage *damage;
  GstBaPaintJob job;
  guint64 whole_bytes;
  Show show;
  guint i;

  show_init (&show, format, &places[0], 400);
  for (i = 0; i < 2; i++)
    page_init (&pages[i], format, SCREEN_W, SCREEN_H, 401 + i);
  damage = gst_ba_damage_new (gst_ba_convert_get_row_bytes (format, SCREEN_W), SCREEN_H, 2);
  whole_bytes = row_bytes (&show, &pages[0]) * (guint64) FRAME_H;

  /* each page once whole, then nothing */
  for (i = 0; i < 6; i++) {
    job = job_of (&show, &pages[i % 2]);
    job.page_number = i % 2;
    job.damage = damage;
    ck_assert_uint_eq (gst_ba_paint (&job), i < 2 ? whole_bytes : 0);
  }

  /* one row, on each page; two more before the other page is painted, one of them twice */
  memset (show_pixels (&show) + 7 * FRAME_W * 4, 0xff, 4 * FRAME_W);
  ck_assert_uint_eq (gst_ba_paint (&job), row_bytes (&show, &pages[1]));
  ck_assert_uint_eq (gst_ba_paint (&job), 0);
  memset (show_pixels (&show) + 7 * FRAME_W * 4, 0, 4 * FRAME_W);
  memset (show_pixels (&show) + 9 * FRAME_W * 4, 0xff, 4 * FRAME_W);
  ck_assert_uint_eq (gst_ba_paint (&job), 2 * row_bytes (&show, &pages[1]));
  job.page = pages[0].bytes;
  job.page_number = 0;
  ck_assert_uint_eq (gst_ba_paint (&job), 2 * row_bytes (&show, &pages[0]));
  ck_assert_uint_eq (gst_ba_paint (&job), 0);

  /* one page was drawn on by another */
  gst_ba_damage_forget_page (damage, 1);
  gst_ba_damage_forget_page (damage, 99);
  ck_assert_uint_eq (gst_ba_paint (&job), 0);
  job.page = pages[1].bytes;
  job.page_number = 1;
  ck_assert_uint_eq (gst_ba_paint (&job), whole_bytes);

  gst_ba_damage_free (damage);
  gst_ba_damage_free (NULL);
  show_clear (&show);
  g_free (pages[0].bytes);
  g_free (pages[1].bytes);
}
END_TEST

/* A subtitle that comes or goes costs the rows it covers. */
START_TEST (an_overlay_that_comes_and_goes_is_damage)
{
  const GstBaPageFormat *format = &page_formats[10];
  GstBaDamage *damage = gst_ba_damage_new (gst_ba_convert_get_row_bytes (format, SCREEN_W), SCREEN_H, 1);
  GstBaOverlay *overlay;
  GstBaPaintJob job;
  guint64 come_bytes;
  Page page;
  Show show;

  page_init (&page, format, SCREEN_W, SCREEN_H, 500);
  show_init (&show, format, &places[0], 501);
  overlay = overlay_over (&show);
  job = job_of (&show, &page);
  job.damage = damage;
  gst_ba_paint (&job);
  job.overlay = overlay;
  come_bytes = gst_ba_paint (&job);
  ck_assert_uint_gt (come_bytes, 0);
  ck_assert_uint_le (come_bytes, row_bytes (&show, &page) * (8 + 10));
  ck_assert_uint_eq (gst_ba_paint (&job), 0);
  job.overlay = NULL;
  ck_assert_uint_eq (gst_ba_paint (&job), come_bytes);
  gst_ba_overlay_free (overlay);
  gst_ba_damage_free (damage);
  show_clear (&show);
  g_free (page.bytes);
}
END_TEST

/* What damage was not made for is painted whole, each time, and it is not confused by it. */
START_TEST (what_does_not_fit_is_painted_whole)
{
  const GstBaPageFormat *format = &page_formats[0];
  GstBaDamage *damage = gst_ba_damage_new (gst_ba_convert_get_row_bytes (format, 20), 20, 1);
  const GstVideoRectangle inside = { 0, 0, 20, 20 };
  Show large, small, other;
  GstBaPaintJob job;
  Page page;
  gint i;

  page_init (&page, format, SCREEN_W, SCREEN_H, 600);
  show_init (&large, format, &places[0], 601);
  show_init (&small, format, &inside, 602);
  show_init (&other, format, &inside, 603);
  for (i = 0; i < 2; i++) {
    job = job_of (&small, &page);
    job.damage = damage;
    ck_assert_uint_eq (gst_ba_paint (&job), 20 * 20 * 4);
    ck_assert_uint_eq (gst_ba_paint (&job), 0);
    job = job_of (&large, &page);
    job.damage = damage;
    ck_assert_uint_eq (gst_ba_paint (&job), FRAME_W * FRAME_H * 4);
    ck_assert_uint_eq (gst_ba_paint (&job), FRAME_W * FRAME_H * 4);
  }
  job = job_of (&small, &page);
  job.damage = damage;
  job.page_number = 1;
  ck_assert_uint_eq (gst_ba_paint (&job), 20 * 20 * 4);
  gst_ba_damage_free (damage);
  show_clear (&large);
  show_clear (&small);
  show_clear (&other);
  g_free (page.bytes);
}
END_TEST

/* Page 0 gets black, page 1 white, page 0 a part of white, and then it must become white, though the picture painted
 * last in these columns is white, and page 0 was painted since. */
START_TEST (a_part_is_not_taken_for_the_whole)
{
  static const GstVideoRectangle parts[] = { { 8, 5, 16, FRAME_H }, { 24, 5, 16, FRAME_H }, { 40, 5, 16, FRAME_H } };
  const GstBaPageFormat *format = &page_formats[0];
  guint i;

  for (i = 0; i < G_N_ELEMENTS (parts); i++) {
    GstBaDamage *damage = gst_ba_damage_new (gst_ba_convert_get_row_bytes (format, SCREEN_W), SCREEN_H, 2);
    static const guint8 grays[] = { 0, 255, 255, 255 };
    static const guint numbers[] = { 0, 1, 0, 0 };
    const guint8 *first;
    Show whole, part;
    Page pages[2];
    guint step;

    show_init (&whole, format, &places[0], 1);
    show_init (&part, format, &parts[i], 1);
    page_init (&pages[0], format, SCREEN_W, SCREEN_H, 900);
    page_init (&pages[1], format, SCREEN_W, SCREEN_H, 901);
    for (step = 0; step < G_N_ELEMENTS (grays); step++) {
      Show *show = step == 2 ? &part : &whole;
      GstBaPaintJob job = job_of (show, &pages[numbers[step]]);

      memset (show_pixels (show), grays[step], FRAME_W * FRAME_H * 4);
      job.page_number = numbers[step];
      job.damage = damage;
      gst_ba_paint (&job);
    }
    first = first_pixel (&pages[0], &whole.dst);
    for (step = 0; step < FRAME_W; step++)
      ck_assert_msg (first[4 * step] == 255, "part %u: column %u is black still", i, step);
    gst_ba_damage_free (damage);
    show_clear (&whole);
    show_clear (&part);
    g_free (pages[0].bytes);
    g_free (pages[1].bytes);
  }
}
END_TEST

/* One thing happens to the picture. */
static void
change_frame (Show *show, guint32 *seed)
{
  guint8 *pixels = show_pixels (show);

  switch (rnd (seed) % 8) {
    case 0:
      fill_random (pixels, FRAME_W * FRAME_H * 4, rnd (seed));
      break;
    case 3: /* black or white: the same wherever it is shown */
    case 4:
      memset (pixels, rnd (seed) & 1 ? 255 : 0, FRAME_W * FRAME_H * 4);
      break;
    case 1: /* a row */
      fill_random (pixels + 4 * FRAME_W * (rnd (seed) % FRAME_H), 4 * FRAME_W, rnd (seed));
      break;
    case 2: /* a pixel at the right edge, which only some columns of the screen show */
      fill_random (pixels + 4 * (FRAME_W * (1 + rnd (seed) % FRAME_H) - 1), 4, rnd (seed));
      break;
    default: /* as it was */
      break;
  }
}

#define N_STEPS 400

/* Frames, places, pages, overlays and other painters in any order: with damage and without it is the same picture. No
 * place is ever announced: forget_page() is called for nothing but what others draw. */
START_TEST (damage_is_never_seen)
{
  const GstBaPageFormat *format = &page_formats[_i];
  Show shows[G_N_ELEMENTS (places)];
  GstBaOverlay *overlays[G_N_ELEMENTS (places)];
  Page pages[N_PAGES], wanted[N_PAGES];
  GstBaDamage *damage = gst_ba_damage_new (gst_ba_convert_get_row_bytes (format, SCREEN_W), SCREEN_H, N_PAGES);
  guint64 written_bytes = 0, whole_bytes = 0;
  guint32 seed = 700 + (guint32) _i;
  guint i, step, place = 0;

  for (i = 0; i < G_N_ELEMENTS (places); i++) {
    show_init (&shows[i], format, &places[i], 701);
    overlays[i] = overlay_over (&shows[i]);
  }
  for (i = 0; i < N_PAGES; i++) {
    page_init (&pages[i], format, SCREEN_W, SCREEN_H, 710 + i);
    page_init (&wanted[i], format, SCREEN_W, SCREEN_H, 710 + i);
  }

  for (step = 0; step < N_STEPS; step++) {
    const guint n = rnd (&seed) % N_PAGES;
    GstBaPaintJob job;

    if (rnd (&seed) % 6 == 0)
      place = rnd (&seed) % G_N_ELEMENTS (places);
    if (rnd (&seed) % 20 == 0) {
      fill_random (pages[n].bytes, pages[n].size_bytes, step);
      fill_random (wanted[n].bytes, wanted[n].size_bytes, step);
      gst_ba_damage_forget_page (damage, n);
    }
    /* the same picture in all places: there it is easiest to mistake one for another */
    change_frame (&shows[0], &seed);
    memcpy (show_pixels (&shows[place]), show_pixels (&shows[0]), FRAME_W * FRAME_H * 4);

    job = job_of (&shows[place], &wanted[n]);
    job.overlay = rnd (&seed) % 3 == 0 ? overlays[place] : NULL;
    whole_bytes += gst_ba_paint (&job);
    job.page = pages[n].bytes;
    job.page_number = n;
    job.damage = damage;
    written_bytes += gst_ba_paint (&job);
    ck_assert_msg (memcmp (pages[n].bytes, wanted[n].bytes, pages[n].size_bytes) == 0,
                   "step %u, page %u of %s: another picture", step, n, page_format_name (format));
  }
  ck_assert_uint_lt (written_bytes, whole_bytes);
  ck_assert_uint_gt (written_bytes, 0);

  for (i = 0; i < G_N_ELEMENTS (places); i++) {
    gst_ba_overlay_free (overlays[i]);
    show_clear (&shows[i]);
  }
  for (i = 0; i < N_PAGES; i++) {
    g_free (pages[i].bytes);
    g_free (wanted[i].bytes);
  }
  gst_ba_damage_free (damage);
}
END_TEST

START_TEST (frames_after_the_first_allocate_nothing)
{
  const GstBaPageFormat *format = &page_formats[_i];
  GstBaDamage *damage = gst_ba_damage_new (gst_ba_convert_get_row_bytes (format, SCREEN_W), SCREEN_H, 1);
  GstVideoOverlayComposition *composition = composition_of (subtitles, G_N_ELEMENTS (subtitles));
  GstBaOverlay *overlay;
  GstBaPaintJob job;
  unsigned before = 0;
  Page page;
  Show show;
  gint i;

  page_init (&page, format, SCREEN_W, SCREEN_H, 800);
  show_init (&show, format, &places[1], 801);
  overlay = overlay_over (&show);
  job = job_of (&show, &page);
  for (i = 0; i < 8; i++) {
    if (i == 3)
      before = count_malloc ();
    show_pixels (&show)[i] ^= 0xff;
    gst_ba_overlay_prepare (overlay, composition, &whole_frame, GST_VIDEO_ORIENTATION_IDENTITY, &show.dst);
    job.overlay = overlay;
    job.damage = damage;
    gst_ba_paint (&job);
    job.damage = NULL;
    gst_ba_paint (&job);
    gst_ba_paint_over (overlay, format, page.bytes, page.stride_bytes);
  }
  ck_assert_uint_eq (count_malloc (), before);
  gst_ba_overlay_free (overlay);
  gst_video_overlay_composition_unref (composition);
  ck_assert_uint_gt (before, 0);
  gst_ba_damage_free (damage);
  show_clear (&show);
  g_free (page.bytes);
}
END_TEST

int
main (int argc, char **argv)
{
  Suite *suite = suite_create ("paint");
  TCase *tcase = tcase_create ("paint");
  SRunner *runner;
  int failed;

  gst_init (&argc, &argv);
  tcase_add_loop_test (tcase, a_page_shows_frame_and_overlay, 0, G_N_ELEMENTS (page_formats));
  tcase_add_loop_test (tcase, painting_over_gives_the_same, 0, G_N_ELEMENTS (page_formats));
  tcase_add_loop_test (tcase, only_rows_that_changed_are_written, 0, G_N_ELEMENTS (page_formats));
  tcase_add_test (tcase, an_overlay_that_comes_and_goes_is_damage);
  tcase_add_test (tcase, what_does_not_fit_is_painted_whole);
  tcase_add_test (tcase, a_part_is_not_taken_for_the_whole);
  tcase_add_loop_test (tcase, damage_is_never_seen, 0, G_N_ELEMENTS (page_formats));
  tcase_add_loop_test (tcase, frames_after_the_first_allocate_nothing, 0, G_N_ELEMENTS (page_formats));
  suite_add_tcase (suite, tcase);
  runner = srunner_create (suite);
  srunner_run_all (runner, CK_ENV);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
