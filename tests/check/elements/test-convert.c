/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-convert.c: every pair of formats of the converter against a float reference, all colours, crops and scales, and
 * the kernels against each other.
 */

#include "test-convert-picture.h"

#include "gstbaconvert-private.h"

static const GstVideoFormat inputs[] = {
  GST_VIDEO_FORMAT_I420,      GST_VIDEO_FORMAT_YV12,      GST_VIDEO_FORMAT_NV12,  GST_VIDEO_FORMAT_NV21,
  GST_VIDEO_FORMAT_YUY2,      GST_VIDEO_FORMAT_UYVY,      GST_VIDEO_FORMAT_Y42B,  GST_VIDEO_FORMAT_Y444,
  GST_VIDEO_FORMAT_I420_10LE, GST_VIDEO_FORMAT_P010_10LE, GST_VIDEO_FORMAT_GRAY8, GST_VIDEO_FORMAT_BGRx,
  GST_VIDEO_FORMAT_RGBx,      GST_VIDEO_FORMAT_xRGB,      GST_VIDEO_FORMAT_xBGR,  GST_VIDEO_FORMAT_BGRA,
  GST_VIDEO_FORMAT_RGBA,      GST_VIDEO_FORMAT_ARGB,      GST_VIDEO_FORMAT_ABGR,  GST_VIDEO_FORMAT_RGB,
  GST_VIDEO_FORMAT_BGR,       GST_VIDEO_FORMAT_RGB16,     GST_VIDEO_FORMAT_BGR16, GST_VIDEO_FORMAT_RGB15,
  GST_VIDEO_FORMAT_BGR15,
};
#define N_YUV 11 /* the first of them */

static const GstVideoFormat outputs[] = {
  GST_VIDEO_FORMAT_BGRx,  GST_VIDEO_FORMAT_RGBx,  GST_VIDEO_FORMAT_xRGB,  GST_VIDEO_FORMAT_xBGR,  GST_VIDEO_FORMAT_BGRA,
  GST_VIDEO_FORMAT_RGBA,  GST_VIDEO_FORMAT_ARGB,  GST_VIDEO_FORMAT_ABGR,  GST_VIDEO_FORMAT_RGB,   GST_VIDEO_FORMAT_BGR,
  GST_VIDEO_FORMAT_RGB16, GST_VIDEO_FORMAT_BGR16, GST_VIDEO_FORMAT_RGB15, GST_VIDEO_FORMAT_BGR15,
};

static const gint sizes[][2] = { { 1, 1 }, { 2, 1 }, { 1, 3 }, { 3, 2 }, { 17, 9 }, { 64, 48 }, { 321, 183 } };

START_TEST (test_supports)
{
  gint in, out;
  gsize i;

  for (in = GST_VIDEO_FORMAT_ENCODED; in <= GST_VIDEO_FORMAT_P012_LE; in++)
    for (out = GST_VIDEO_FORMAT_ENCODED; out <= GST_VIDEO_FORMAT_P012_LE; out++) {
      gboolean reads = FALSE, writes = FALSE;

      for (i = 0; i < G_N_ELEMENTS (inputs); i++)
        reads |= (gint) inputs[i] == in;
      for (i = 0; i < G_N_ELEMENTS (outputs); i++)
        writes |= (gint) outputs[i] == out;
      writes |= out == GST_VIDEO_FORMAT_GRAY8;
      ck_assert_int_eq (gst_ba_convert_supports (in, &(GstBaPageFormat){ .format = out }), reads && writes);
    }
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

/* loop: one Y'CbCr format in all colours */
START_TEST (test_colours)
{
  static const gint size[2] = { 322, 184 };
  const GstVideoRectangle all = { 0, 0, size[0], size[1] };
  guint colour;

  for (colour = 0; colour < 2 * G_N_ELEMENTS (matrices); colour++) {
    GstVideoInfo info;
    Picture picture;
    Page page;

    info_init (&info, inputs[_i], size, colour);
    picture_init (&picture, &info, paint_noise, 0);
    page_convert (&page, &picture, &all, GST_VIDEO_FORMAT_BGRx, all.w, all.h);
    page_check (&page, picture.rgb, all.w, 3, 1, gst_video_format_to_string (inputs[_i]));
    g_free (page.bytes);
    picture_clear (&picture);
  }
}
END_TEST

/* loop: one input format cropped at every parity, through libyuv (BT.601) and through our kernels (BT.709) */
START_TEST (test_crops)
{
  static const gint size[2] = { 67, 23 };
  gint x, y, colour, out;

  for (colour = 0; colour < 4; colour += 2) {
    GstVideoInfo info;
    Picture picture;

    info_init (&info, inputs[_i], size, (guint) colour);
    picture_init (&picture, &info, paint_noise, 2);
    for (x = 0; x < 4; x++)
      for (y = 0; y < 3; y++)
        for (out = 0; out < 2; out++) {
          const GstVideoRectangle crop = { x, y, x == 3 ? 1 : size[0] - 2 * x, size[1] - 2 * y };
          Page page;

          page_convert (&page, &picture, &crop, out ? GST_VIDEO_FORMAT_RGB : GST_VIDEO_FORMAT_BGRx, crop.w, crop.h);
          page_check (&page, picture.rgb + 3 * (y * size[0] + x), size[0], 3, 1, "crop");
          g_free (page.bytes);
        }
    picture_clear (&picture);
  }
}
END_TEST

static const gint scales[][4] = { { 17, 9, 64, 48 },    { 64, 48, 17, 9 },     { 64, 48, 64, 96 }, { 64, 48, 33, 48 },
                                  { 321, 183, 40, 30 }, { 200, 120, 150, 90 }, { 1, 1, 5, 7 },     { 31, 20, 1, 1 },
                                  { 40, 30, 321, 183 }, { 600, 3, 2, 2 } };

START_TEST (test_scale_flat)
{
  static const GstVideoFormat pages[] = { GST_VIDEO_FORMAT_BGRx, GST_VIDEO_FORMAT_xRGB, GST_VIDEO_FORMAT_RGB };
  const gint *scale = scales[_i];
  const GstVideoRectangle all = { 0, 0, scale[0], scale[1] };
  gsize in, out;

  for (in = 0; in < G_N_ELEMENTS (inputs); in++)
    for (out = 0; out < G_N_ELEMENTS (pages); out++) {
      GstVideoInfo info;
      Picture picture;
      gint first[3], rgb[3], x, y;
      Page page;

      info_init (&info, inputs[in], scale, 2);
      picture_init (&picture, &info, paint_flat, 2);
      page_convert (&page, &picture, &all, pages[out], scale[2], scale[3]);
      page_pixel (&page, 0, 0, first);
      for (y = 0; y < page.height_px; y++)
        for (x = 0; x < page.width_px; x++) {
          page_pixel (&page, x, y, rgb);
          if (memcmp (rgb, first, sizeof (rgb)) != 0)
            ck_abort_msg ("a flat colour is not flat at %d,%d", x, y);
        }
      page.width_px = page.height_px = 1;
      page_check (&page, picture.rgb, scale[0], 3, 1, "flat");
      g_free (page.bytes);
      picture_clear (&picture);
    }
}
END_TEST

/* A gradient is the same for any filter that is symmetric; at the borders it is what bilinear makes of it. Boxes reach
 * a little further than two pixels, hence the room for strong reductions. */
START_TEST (test_scale_gradient)
{
  const gint *scale = scales[_i];
  const GstVideoRectangle all = { 0, 0, scale[0], scale[1] };
  const gdouble step = MAX (255.0 / MAX (scale[0] - 1, 1) * MAX (scale[0] / scale[2] - 1, 0),
                            255.0 / MAX (scale[1] - 1, 1) * MAX (scale[1] / scale[3] - 1, 0));
  gdouble *wanted = g_new (gdouble, (gsize) scale[2] * (gsize) scale[3] * 3);
  GstVideoInfo info;
  Picture picture;
  gint x, y, i;
  Page page;

  info_init (&info, GST_VIDEO_FORMAT_RGB, scale, 0);
  picture_init (&picture, &info, paint_gradient, 0);
  for (y = 0; y < scale[3]; y++)
    for (x = 0; x < scale[2]; x++) {
      const gdouble sx = CLAMP ((x + 0.5) * scale[0] / scale[2] - 0.5, 0, scale[0] - 1);
      const gdouble sy = CLAMP ((y + 0.5) * scale[1] / scale[3] - 0.5, 0, scale[1] - 1);
      const gint x0 = (gint) sx, y0 = (gint) sy, x1 = MIN (x0 + 1, scale[0] - 1), y1 = MIN (y0 + 1, scale[1] - 1);

      for (i = 0; i < 3; i++) {
        const gdouble *p = picture.rgb + i;
        const gdouble upper = p[3 * (y0 * scale[0] + x0)] * (1 - sx + x0) + p[3 * (y0 * scale[0] + x1)] * (sx - x0);
        const gdouble lower = p[3 * (y1 * scale[0] + x0)] * (1 - sx + x0) + p[3 * (y1 * scale[0] + x1)] * (sx - x0);

        wanted[3 * (y * scale[2] + x) + i] = upper * (1 - sy + y0) + lower * (sy - y0);
      }
    }
  page_convert (&page, &picture, &all, GST_VIDEO_FORMAT_BGRx, scale[2], scale[3]);
  page_check (&page, wanted, scale[2], 2 + step, 1 + step, "gradient");
  g_free (page.bytes);
  picture_clear (&picture);
  g_free (wanted);
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

/* the fast way to scale a row against the one in C, bit for bit */
START_TEST (test_scale_rows)
{
#ifdef __x86_64__
  guint8 src[4 * 101], plain[4 * 100], fast[4 * 100];
  guint16 weight[100];
  gint32 left[100];
  guint32 seed = 5;
  gint i, done;

  for (i = 0; i < 4 * 101; i++)
    src[i] = (guint8) (rnd (&seed) % 7 == 0 ? 255 : rnd (&seed));
  for (i = 0; i < 100; i++) {
    left[i] = (gint32) (rnd (&seed) % 100);
    weight[i] = (guint16) (i == 0 ? 0 : rnd (&seed) % 256);
  }
  gst_ba_scale_row_c (src, left, weight, plain, 0, 99);
  done = gst_ba_scale_row_sse2 (src, left, weight, fast, 99);
  ck_assert_int_eq (done, 98);
  ck_assert (memcmp (plain, fast, 4 * 98) == 0);
#endif
}
END_TEST

START_TEST (test_refuses)
{
  GstVideoInfo info;
  GstBaConvertConfig config = { .in_info = &info,
                                .crop = { 0, 0, 8, 8 },
                                .out.format = GST_VIDEO_FORMAT_BGRx,
                                .width_px = 8,
                                .height_px = 8 };

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_AYUV, 8, 8);
  ck_assert (gst_ba_convert_new (&config) == NULL);
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_I420, 8, 8);
  config.out.format = GST_VIDEO_FORMAT_I420;
  ck_assert (gst_ba_convert_new (&config) == NULL);
  config.out.format = GST_VIDEO_FORMAT_BGRx;
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
  tcase_add_loop_test (tc, test_scale_flat, 0, G_N_ELEMENTS (scales));
  tcase_add_loop_test (tc, test_scale_gradient, 0, G_N_ELEMENTS (scales));
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
