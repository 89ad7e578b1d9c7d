/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-convert.c: every pair of formats of the converter against a float reference, all colours and crops, dithering,
 * and the kernels against each other. What it does to places and sizes is in test-convert-geometry.c.
 */

#include "test-convert-picture.h"

#include "gstbaconvert-private.h"

static const GstBaPageFormat outputs[] = {
  { GST_VIDEO_FORMAT_BGRx, 0 },
  { GST_VIDEO_FORMAT_RGBx, 0 },
  { GST_VIDEO_FORMAT_xRGB, 0 },
  { GST_VIDEO_FORMAT_xBGR, 0 },
  { GST_VIDEO_FORMAT_BGRA, 0 },
  { GST_VIDEO_FORMAT_RGBA, 0 },
  { GST_VIDEO_FORMAT_ARGB, 0 },
  { GST_VIDEO_FORMAT_ABGR, 0 },
  { GST_VIDEO_FORMAT_RGB, 0 },
  { GST_VIDEO_FORMAT_BGR, 0 },
  { GST_VIDEO_FORMAT_RGB16, 0 },
  { GST_VIDEO_FORMAT_BGR16, 0 },
  { GST_VIDEO_FORMAT_RGB15, 0 },
  { GST_VIDEO_FORMAT_BGR15, 0 },
  { GST_VIDEO_FORMAT_GRAY8, 0 },
  { GST_VIDEO_FORMAT_UNKNOWN, GST_BA_MONO_ONE_IS_WHITE },
  { GST_VIDEO_FORMAT_UNKNOWN, GST_BA_MONO_ONE_IS_BLACK },
};
#define FIRST_DITHERED 10

static const gint sizes[][2] = { { 1, 1 }, { 2, 1 }, { 1, 3 }, { 3, 2 }, { 17, 9 }, { 64, 48 }, { 321, 183 } };

START_TEST (test_supports)
{
  gint in, out;
  gsize i;

  for (in = GST_VIDEO_FORMAT_UNKNOWN; in <= GST_VIDEO_FORMAT_P012_LE; in++)
    for (out = GST_VIDEO_FORMAT_UNKNOWN; out <= GST_VIDEO_FORMAT_P012_LE; out++) {
      gboolean reads = FALSE, writes = FALSE;

      for (i = 0; i < G_N_ELEMENTS (inputs); i++)
        reads |= (gint) inputs[i] == in;
      for (i = 0; i < G_N_ELEMENTS (outputs); i++)
        writes |= (gint) outputs[i].format == out && outputs[i].mono == GST_BA_MONO_NONE;
      ck_assert_int_eq (gst_ba_convert_supports (in, &(GstBaPageFormat){ .format = out }), reads && writes);
    }
  for (i = FIRST_DITHERED; i < G_N_ELEMENTS (outputs); i++)
    ck_assert (gst_ba_convert_supports (GST_VIDEO_FORMAT_I420, &outputs[i]));
  ck_assert (!gst_ba_convert_supports (GST_VIDEO_FORMAT_I420, &(GstBaPageFormat){ GST_VIDEO_FORMAT_BGRx, 1 }));
  ck_assert (!gst_ba_convert_supports (GST_VIDEO_FORMAT_I420, &(GstBaPageFormat){ GST_VIDEO_FORMAT_UNKNOWN, 3 }));
}
END_TEST

/* loop: one input format against all pages and sizes, in the colours that HD video has */
START_TEST (test_pairs)
{
  const GstVideoFormat format = inputs[_i];
  gsize out, size;

  for (size = 0; size < G_N_ELEMENTS (sizes); size++) {
    const GstVideoRectangle all = { 0, 0, sizes[size][0], sizes[size][1] };
    GstVideoInfo info;
    Picture picture;

    info_init (&info, format, sizes[size], 2);
    picture_init (&picture, &info, paint_noise, 6 * (gint) (size % 3));
    for (out = 0; out < G_N_ELEMENTS (outputs); out++) {
      Page page;

      page_convert (&page, &picture, &all, outputs[out], all.w, all.h);
      page_check (&page, picture.rgb, all.w, 3, 1, gst_video_format_to_string (format));
      g_free (page.bytes);
    }
    picture_clear (&picture);
  }
}
END_TEST

/* loop: one Y'CbCr format in all colours; the bound is what the kernels promise */
START_TEST (test_colours)
{
  static const GstBaPageFormat pages[] = { { GST_VIDEO_FORMAT_BGRx, 0 },
                                           { GST_VIDEO_FORMAT_RGB16, 0 },
                                           { GST_VIDEO_FORMAT_GRAY8, 0 } };
  static const gint size[2] = { 194, 118 };
  const GstVideoRectangle all = { 0, 0, size[0], size[1] };
  gchar what[WHAT_BYTES];
  guint colour;
  gsize out;

  for (colour = 0; colour < 2 * G_N_ELEMENTS (matrices); colour++) {
    GstVideoInfo info;
    Picture picture;
    Page page;

    info_init (&info, inputs[_i], size, colour);
    picture_init (&picture, &info, paint_noise, 0);
    g_snprintf (what, sizeof (what), "%s in colours %u", gst_video_format_to_string (inputs[_i]), colour);
    for (out = 0; out < G_N_ELEMENTS (pages); out++) {
      page_convert (&page, &picture, &all, pages[out], all.w, all.h);
      page_check (&page, picture.rgb, all.w, out == 0 ? 0.6 : 1.2, 0.6, what);
      g_free (page.bytes);
    }
    picture_clear (&picture);
  }
}
END_TEST

/* loop: one input format cropped at every parity */
START_TEST (test_crops)
{
  static const GstBaPageFormat pages[] = { { GST_VIDEO_FORMAT_BGRx, 0 },
                                           { GST_VIDEO_FORMAT_RGB, 0 },
                                           { GST_VIDEO_FORMAT_GRAY8, 0 } };
  static const gint size[2] = { 67, 23 };
  GstVideoInfo info;
  Picture picture;
  gint x, y;
  gsize out;

  info_init (&info, inputs[_i], size, 2);
  picture_init (&picture, &info, paint_noise, 2);
  for (x = 0; x < 4; x++)
    for (y = 0; y < 3; y++)
      for (out = 0; out < G_N_ELEMENTS (pages); out++) {
        const GstVideoRectangle crop = { x, y, x == 3 ? 1 : size[0] - 2 * x, size[1] - 2 * y };
        Page page;

        page_convert (&page, &picture, &crop, pages[out], crop.w, crop.h);
        page_check (&page, picture.rgb + 3 * (y * size[0] + x), size[0], 3, 1, "crop");
        g_free (page.bytes);
      }
  picture_clear (&picture);
}
END_TEST

static void
flat_picture (Picture *picture, GstVideoFormat format, gint width, gint height, gdouble r, gdouble g, gdouble b)
{
  const gint size[2] = { width, height };
  GstVideoInfo info;

  flat_colour[0] = r;
  flat_colour[1] = g;
  flat_colour[2] = b;
  info_init (&info, format, size, 2);
  picture_init (picture, &info, paint_flat, 0);
}

/* loop: one dithered page; the mean of each block of the pattern's size, wherever it begins, is the flat colour */
START_TEST (test_dither_means)
{
  static const GstVideoFormat flats[] = { GST_VIDEO_FORMAT_I420, GST_VIDEO_FORMAT_P010_10LE, GST_VIDEO_FORMAT_RGB };
  const GstBaPageFormat out = outputs[FIRST_DITHERED + _i];
  const gint block = out.mono != GST_BA_MONO_NONE ? 16 : 8, width = 3 * block + 5, height = 2 * block + 3;
  const GstVideoRectangle all = { 0, 0, width, height };
  guint32 seed = 11;
  gint round, x, y, dx, dy, i, rgb[3];

  if (out.format == GST_VIDEO_FORMAT_GRAY8)
    return;

  for (round = 0; round < 150; round++) {
    gdouble wanted[3];
    Picture picture;
    Page page;

    flat_picture (&picture, flats[round % 3], width, height, rnd (&seed) % 256, rnd (&seed) % 256, rnd (&seed) % 256);
    page_convert (&page, &picture, &all, out, width, height);
    page_check (&page, picture.rgb, width, 0.6, 0, "flat");
    page_wanted (&page, picture.rgb, wanted);
    for (y = 0; y + block <= height; y += 3)
      for (x = 0; x + block <= width && !isnan (wanted[0]); x += 5) {
        gdouble sums[3] = { 0 };

        for (dy = 0; dy < block; dy++)
          for (dx = 0; dx < block; dx++) {
            page_pixel (&page, x + dx, y + dy, rgb);
            for (i = 0; i < 3; i++)
              sums[i] += rgb[i];
          }
        for (i = 0; i < 3; i++)
          if (fabs (sums[i] / (block * block) - wanted[i]) > 1)
            ck_abort_msg ("block at %d,%d: channel %d is %.2f on average, not %.2f", x, y, i, sums[i] / (block * block),
                          wanted[i]);
      }
    g_free (page.bytes);
    picture_clear (&picture);
  }
}
END_TEST

/* loop: one page; what it can show exactly comes out exactly, in each pixel */
START_TEST (test_dither_spares_exact_colours)
{
  const GstBaPageFormat out = outputs[FIRST_DITHERED + _i];
  const GstVideoRectangle all = { 0, 0, 35, 19 };
  gint level, x, y, i, rgb[3];

  for (level = 0; level < 64; level++) {
    gint exact[3];
    Picture picture;
    Page page;

    for (i = 0; i < 3; i++) {
      const gint depth =
          is_gray (&out) ? 1 : (gint) GST_VIDEO_FORMAT_INFO_DEPTH (gst_video_format_get_info (out.format), i);

      exact[i] = level_value ((level * (is_gray (&out) ? 1 : 2 * i + 1)) % (1 << depth), depth);
    }
    flat_picture (&picture, level % 2 ? GST_VIDEO_FORMAT_RGB : GST_VIDEO_FORMAT_xBGR, 35, 19, exact[0], exact[1],
                  exact[2]);
    page_convert (&page, &picture, &all, out, 35, 19);
    for (y = 0; y < 19; y++)
      for (x = 0; x < 35; x++) {
        page_pixel (&page, x, y, rgb);
        ck_assert_mem_eq (rgb, exact, sizeof (rgb));
      }
    g_free (page.bytes);
    picture_clear (&picture);
  }
}
END_TEST

/* loop: one page; black is black and white is white from Y'CbCr too, also where the input goes beyond both */
START_TEST (test_black_and_white)
{
  static const guint8 lumas[][2] = { { 16, 0 }, { 235, 255 }, { 0, 0 }, { 255, 255 } };
  const GstVideoRectangle all = { 0, 0, 37, 18 };
  static const gint size[2] = { 37, 18 };
  gint x, y, rgb[3];
  gsize i, format;
  guint plane;

  for (format = 0; format < 2; format++)
    for (i = 0; i < G_N_ELEMENTS (lumas); i++) {
      GstVideoInfo info;
      Picture picture;
      Page page;

      info_init (&info, format ? GST_VIDEO_FORMAT_Y444 : GST_VIDEO_FORMAT_NV12, size, 2);
      picture_init (&picture, &info, paint_flat, 0);
      for (plane = 0; plane < GST_VIDEO_FRAME_N_PLANES (&picture.frame); plane++) {
        const gint rows = GST_VIDEO_FORMAT_INFO_SCALE_HEIGHT (info.finfo, plane, size[1]);

        memset (picture.frame.data[plane], plane == 0 ? lumas[i][0] : 128,
                (gsize) rows * GST_VIDEO_FRAME_PLANE_STRIDE (&picture.frame, plane));
      }
      page_convert (&page, &picture, &all, outputs[_i], size[0], size[1]);
      for (y = 0; y < size[1]; y++)
        for (x = 0; x < size[0]; x++) {
          page_pixel (&page, x, y, rgb);
          if (rgb[0] != lumas[i][1] || rgb[1] != lumas[i][1] || rgb[2] != lumas[i][1])
            ck_abort_msg ("luma %d gives %d %d %d at %d,%d", lumas[i][0], rgb[0], rgb[1], rgb[2], x, y);
        }
      g_free (page.bytes);
      picture_clear (&picture);
    }
}
END_TEST

/* The pattern belongs to the page: a window of a flat colour is part of the whole, wherever it lies. */
START_TEST (test_dither_belongs_to_the_page)
{
  const GstBaPageFormat out = outputs[FIRST_DITHERED + _i];
  const GstVideoRectangle all = { 0, 0, 64, 48 };
  gint x, y, px, py, a[3], b[3];
  Picture picture;
  Page whole;

  flat_picture (&picture, GST_VIDEO_FORMAT_RGB, 64, 48, 201, 87, 31);
  page_convert (&whole, &picture, &all, out, 64, 48);
  for (py = 0; py < 20; py += 3)
    for (px = 0; px < 24; px += out.mono != GST_BA_MONO_NONE ? 8 : 5) {
      GstBaConvertConfig config = config_of (&picture, &all, out, 30, 20);
      Page part;

      config.crop.w = 30;
      config.crop.h = 20;
      config.x_px += px;
      config.y_px += py;
      page_convert_config (&part, &picture, &config);
      for (y = 0; y < 20; y++)
        for (x = 0; x < 30; x++) {
          page_pixel (&part, x, y, a);
          page_pixel (&whole, px + x, py + y, b);
          ck_assert_mem_eq (a, b, sizeof (a));
        }
      g_free (part.bytes);
    }
  g_free (whole.bytes);
  picture_clear (&picture);
}
END_TEST

/* loop: one layout; the kernels of this processor against the one in C, bit for bit, and nothing behind the row */
START_TEST (test_kernels)
{
#ifdef __x86_64__
  const GstBaYuvKernel kernels[] = { gst_ba_yuv_kernel_sse2, __builtin_cpu_supports ("avx2") ? gst_ba_yuv_kernel_avx2
                                                                                             : gst_ba_yuv_kernel_sse2 };
  guint8 y[400], u[400], v[400], plain[800], fast[800];
  const GstBaRow row = { y, u, v };
  guint32 seed = 1;
  gint width, done, i;
  gsize k, round;

  for (round = 0; round < 200; round++) {
    static const gint size[2] = { 64, 64 };
    const gboolean deep = _i == GST_BA_ROW_PLANAR10_2 || _i == GST_BA_ROW_UV10_2;
    GstBaYuvFactors factors;
    GstVideoInfo info;

    info_init (&info, deep ? GST_VIDEO_FORMAT_I420_10LE : GST_VIDEO_FORMAT_I420, size, round % 8);
    gst_ba_yuv_factors_init (&factors, &info);
    for (i = 0; i < 400; i++) {
      y[i] = (guint8) rnd (&seed);
      u[i] = (guint8) rnd (&seed);
      v[i] = (guint8) rnd (&seed);
    }
    width = (gint) (rnd (&seed) % 100) + 1;
    memset (plain, GUARD, sizeof (plain));
    gst_ba_yuv_kernel_c (&factors, _i, &row, plain, 0, width);
    for (k = 0; k < G_N_ELEMENTS (kernels); k++) {
      memset (fast, GUARD, sizeof (fast));
      done = kernels[k](&factors, _i, &row, fast, 0, width);
      ck_assert (done <= width && done > width - 32);
      ck_assert (memcmp (plain, fast, 4 * (gsize) done) == 0);
      gst_ba_yuv_row (kernels[k], &factors, _i, &row, fast, width);
      ck_assert (memcmp (plain, fast, sizeof (fast)) == 0);
    }
  }
#endif
}
END_TEST

/* the fast ways to scale a row against the one in C, bit for bit */
START_TEST (test_scale_rows)
{
#ifdef __x86_64__
  guint8 src[4 * 101], plain[4 * 100], fast[4 * 100];
  guint16 weight[100], sums[4 * 100];
  gint32 left[100];
  guint32 seed = 5;
  gint i, done, box;

  for (i = 0; i < 4 * 101; i++)
    src[i] = (guint8) (rnd (&seed) % 7 == 0 ? 255 : rnd (&seed));
  for (i = 0; i < 100; i++) {
    left[i] = (gint32) (rnd (&seed) % 100);
    weight[i] = (guint16) (i == 0 ? 0 : rnd (&seed) % 256);
  }
  gst_ba_scale_row_c (src, left, weight, plain, 0, 99);
  done = gst_ba_scale_row_sse2 (src, left, weight, fast, 99);
  ck_assert_int_eq (done, 98);
  ck_assert_mem_eq (plain, fast, 4 * 98);
  if (__builtin_cpu_supports ("avx2")) {
    memset (fast, GUARD, sizeof (fast));
    done = gst_ba_scale_row_avx2 (src, left, weight, fast, 99);
    ck_assert_int_eq (done, 96);
    ck_assert_mem_eq (plain, fast, 4 * 96);
  }

  for (box = 1; box <= 7; box++) {
    const gint lines = box == 7 ? 255 : box;

    for (i = 0; i < 400; i++)
      sums[i] = (guint16) (rnd (&seed) % (guint32) (255 * lines + 1));
    gst_ba_finish_boxes_c (sums, plain, 100 / box, box, 1.0f / (gfloat) (box * lines));
    gst_ba_finish_boxes_sse2 (sums, fast, 100 / box, box, 1.0f / (gfloat) (box * lines));
    ck_assert_mem_eq (plain, fast, 4 * (gsize) (100 / box));
  }
#endif
}
END_TEST

START_TEST (test_refuses)
{
  GstVideoInfo info;
  GstBaConvertConfig config = {
    .in_info = &info, .crop = { 0, 0, 8, 8 }, .out.format = GST_VIDEO_FORMAT_BGRx, .width_px = 8, .height_px = 8
  };

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_AYUV, 8, 8);
  ck_assert (gst_ba_convert_new (&config) == NULL);
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_I420, 8, 8);
  config.out.format = GST_VIDEO_FORMAT_I420;
  ck_assert (gst_ba_convert_new (&config) == NULL);
  config.out.format = GST_VIDEO_FORMAT_BGRx;
  config.direction = GST_VIDEO_ORIENTATION_AUTO;
  ck_assert (gst_ba_convert_new (&config) == NULL);
  config.direction = GST_VIDEO_ORIENTATION_IDENTITY;
  config.width_px = 1 << 20;
  ck_assert (gst_ba_convert_new (&config) == NULL);
  gst_ba_convert_free (NULL);
}
END_TEST

static Suite *
convert_suite (void)
{
  Suite *s = suite_create ("convert");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, 120);
  tcase_add_test (tc, test_supports);
  tcase_add_test (tc, test_refuses);
  tcase_add_test (tc, test_scale_rows);
  tcase_add_loop_test (tc, test_kernels, 0, GST_BA_N_ROW_LAYOUTS);
  tcase_add_loop_test (tc, test_pairs, 0, G_N_ELEMENTS (inputs));
  tcase_add_loop_test (tc, test_colours, 0, N_YUV);
  tcase_add_loop_test (tc, test_crops, 0, G_N_ELEMENTS (inputs));
  tcase_add_loop_test (tc, test_dither_means, 0, G_N_ELEMENTS (outputs) - FIRST_DITHERED);
  tcase_add_loop_test (tc, test_dither_spares_exact_colours, 0, G_N_ELEMENTS (outputs) - FIRST_DITHERED);
  tcase_add_loop_test (tc, test_dither_belongs_to_the_page, 0, G_N_ELEMENTS (outputs) - FIRST_DITHERED);
  tcase_add_loop_test (tc, test_black_and_white, 0, G_N_ELEMENTS (outputs));
  return s;
}

int
main (void)
{
  SRunner *runner;
  int failed;

  runner = srunner_create (convert_suite ());
  srunner_run_all (runner, CK_ENV);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed != 0;
}
