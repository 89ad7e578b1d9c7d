/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-convert-geometry.c: the converter turning, scaling, and giving the same bytes in bands and with threads.
 */

#include "test-convert-picture.h"

#include "gstbaconvert-private.h"

static const GstBaPageFormat bgrx = { GST_VIDEO_FORMAT_BGRx, GST_BA_MONO_NONE };
static const GstBaPageFormat some_pages[] = {
  { GST_VIDEO_FORMAT_BGRx, GST_BA_MONO_NONE },
  { GST_VIDEO_FORMAT_RGB16, GST_BA_MONO_NONE },
  { GST_VIDEO_FORMAT_RGB, GST_BA_MONO_NONE },
  { GST_VIDEO_FORMAT_GRAY8, GST_BA_MONO_NONE },
  { GST_VIDEO_FORMAT_UNKNOWN, GST_BA_MONO_ONE_IS_BLACK },
};

#define N_DIRECTIONS (GST_VIDEO_ORIENTATION_UR_LL + 1)

/* waves that are long compared with a pixel, also after scaling; (@x, @y) is a part of the picture, from 0 to 1 */
static void
smooth_colour (gdouble x, gdouble y, gdouble *rgb)
{
  rgb[0] = 128 + 80 * sin (9 * x + 2 * y);
  rgb[1] = 128 + 80 * cos (4 * x - 7 * y);
  rgb[2] = 128 + 60 * sin (5 * x) * cos (6 * y);
}

static void
paint_smooth (gint x, gint y, gint width, gint height, gdouble *rgb, gdouble *a)
{
  smooth_colour ((x + 0.5) / width, (y + 0.5) / height, rgb);
  *a = 255;
}

static void
paint_gradient (gint x, gint y, gint width, gint height, gdouble *rgb, gdouble *a)
{
  rgb[0] = round (255.0 * x / MAX (width - 1, 1));
  rgb[1] = round (255.0 * y / MAX (height - 1, 1));
  rgb[2] = round (127.0 * x / MAX (width - 1, 1) + 127.0 * y / MAX (height - 1, 1));
  *a = 255;
}

static const gint scales[][4] = { { 17, 9, 64, 48 },    { 64, 48, 17, 9 },     { 64, 48, 64, 96 }, { 64, 48, 33, 48 },
                                  { 321, 183, 40, 30 }, { 200, 120, 150, 90 }, { 1, 1, 5, 7 },     { 31, 20, 1, 1 },
                                  { 40, 30, 321, 183 }, { 600, 3, 2, 2 } };

START_TEST (test_scale_flat)
{
  static const GstBaPageFormat pages[] = { { GST_VIDEO_FORMAT_BGRx, 0 }, { GST_VIDEO_FORMAT_RGB, 0 } };
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
            ck_abort_msg ("a flat colour is not flat at %d,%d: %s", x, y, gst_video_format_to_string (inputs[in]));
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
  page_convert (&page, &picture, &all, bgrx, scale[2], scale[3]);
  page_check (&page, wanted, scale[2], 2 + step, 1 + step, "gradient");
  g_free (page.bytes);
  picture_clear (&picture);
  g_free (wanted);
}
END_TEST

/* Where pixel (x, y) of the turned picture comes from, as GstVideoOrientationMethod's documentation has it; w × h is
 * the picture before. */
static void
unturn (gint direction, gint w, gint h, gint x, gint y, gint *from_x, gint *from_y)
{
  switch (direction) {
    case GST_VIDEO_ORIENTATION_90R: /* the left column becomes the top row, its end first */
      *from_x = y;
      *from_y = h - 1 - x;
      break;
    case GST_VIDEO_ORIENTATION_180:
      *from_x = w - 1 - x;
      *from_y = h - 1 - y;
      break;
    case GST_VIDEO_ORIENTATION_90L: /* the right column becomes the top row */
      *from_x = w - 1 - y;
      *from_y = x;
      break;
    case GST_VIDEO_ORIENTATION_HORIZ:
      *from_x = w - 1 - x;
      *from_y = y;
      break;
    case GST_VIDEO_ORIENTATION_VERT:
      *from_x = x;
      *from_y = h - 1 - y;
      break;
    case GST_VIDEO_ORIENTATION_UL_LR: /* the diagonal from the upper left stays */
      *from_x = y;
      *from_y = x;
      break;
    case GST_VIDEO_ORIENTATION_UR_LL:
      *from_x = w - 1 - y;
      *from_y = h - 1 - x;
      break;
    default:
      *from_x = x;
      *from_y = y;
      break;
  }
}

static gboolean
swaps_sides (gint direction)
{
  return direction == GST_VIDEO_ORIENTATION_90R || direction == GST_VIDEO_ORIENTATION_90L
         || direction == GST_VIDEO_ORIENTATION_UL_LR || direction == GST_VIDEO_ORIENTATION_UR_LL;
}

/* loop: one direction; every input format, with crops of every parity, some wider than a band */
START_TEST (test_directions)
{
  static const gint size[2] = { 87, 39 };
  static const GstVideoRectangle crops[] = {
    { 0, 0, 87, 39 }, { 1, 1, 85, 37 }, { 2, 3, 64, 18 }, { 3, 0, 1, 39 }, { 31, 5, 33, 1 },
  };
  gdouble *wanted = g_new (gdouble, 3 * size[0] * size[1]);
  gchar what[WHAT_BYTES];
  gsize in, out, c;
  gint x, y, fx, fy;

  for (in = 0; in < G_N_ELEMENTS (inputs); in++) {
    GstVideoInfo info;
    Picture picture;

    info_init (&info, inputs[in], size, 2);
    picture_init (&picture, &info, paint_noise, 2);
    for (c = 0; c < G_N_ELEMENTS (crops); c++) {
      const GstVideoRectangle *crop = &crops[c];
      const gint width = swaps_sides (_i) ? crop->h : crop->w, height = swaps_sides (_i) ? crop->w : crop->h;

      for (y = 0; y < height; y++)
        for (x = 0; x < width; x++) {
          unturn (_i, crop->w, crop->h, x, y, &fx, &fy);
          memcpy (wanted + 3 * (y * width + x), picture.rgb + 3 * ((crop->y + fy) * size[0] + crop->x + fx),
                  3 * sizeof (*wanted));
        }
      g_snprintf (what, sizeof (what), "%s, crop %d", gst_video_format_to_string (inputs[in]), (gint) c);
      for (out = 0; out < G_N_ELEMENTS (some_pages); out++) {
        GstBaConvertConfig config = config_of (&picture, crop, some_pages[out], width, height);
        Page page;

        config.direction = _i;
        page_convert_config (&page, &picture, &config);
        page_check (&page, wanted, width, 3, 1, what);
        g_free (page.bytes);
      }
    }
    picture_clear (&picture);
  }
  g_free (wanted);
}
END_TEST

/* loop: one direction; scaled while turned is turned, then scaled: byte for byte */
START_TEST (test_directions_scaled)
{
  static const gint outs[][2] = { { 50, 70 }, { 200, 131 }, { 13, 9 }, { 21, 77 }, { 1, 1 } };
  static const gint size[2] = { 98, 75 };
  const GstVideoRectangle crop = { 3, 1, 93, 71 };
  GstVideoInfo info, turned_info;
  Picture picture, turned;
  GstBaConvertConfig config;
  gsize i, out;
  Page page;

  info_init (&info, GST_VIDEO_FORMAT_I420, size, 2);
  picture_init (&picture, &info, paint_noise, 0);
  config = config_of (&picture, &crop, bgrx, swaps_sides (_i) ? crop.h : crop.w, swaps_sides (_i) ? crop.w : crop.h);
  config.direction = _i;
  page_convert_config (&page, &picture, &config);
  gst_video_info_set_format (&turned_info, GST_VIDEO_FORMAT_BGRx, page.width_px, page.height_px);
  memset (&turned, 0, sizeof (turned));
  turned.frame.info = turned_info;
  turned.frame.info.stride[0] = page.stride_bytes;
  turned.frame.data[0] = page.bytes + page.first_byte;

  for (i = 0; i < G_N_ELEMENTS (outs); i++)
    for (out = 0; out < 3; out++) {
      const GstVideoRectangle all = { 0, 0, page.width_px, page.height_px };
      Page once, twice;

      config = config_of (&picture, &crop, some_pages[out], outs[i][0], outs[i][1]);
      config.direction = _i;
      page_convert_config (&once, &picture, &config);
      page_convert (&twice, &turned, &all, some_pages[out], outs[i][0], outs[i][1]);
      ck_assert_mem_eq (once.bytes, twice.bytes, once.size_bytes);
      g_free (once.bytes);
      g_free (twice.bytes);
    }
  g_free (page.bytes);
  picture_clear (&picture);
}
END_TEST

/* loop: one scale; smooth content is the same picture at another size, at 40 dB and better */
START_TEST (test_scale_psnr)
{
  static const gint smooth_scales[][4] = { { 640, 360, 427, 240 }, { 640, 360, 960, 540 }, { 640, 360, 200, 111 },
                                           { 640, 360, 320, 180 }, { 641, 363, 400, 480 }, { 320, 240, 800, 480 } };
  static const GstVideoFormat formats[] = { GST_VIDEO_FORMAT_I420, GST_VIDEO_FORMAT_P010_10LE, GST_VIDEO_FORMAT_RGB };
  const gint *scale = smooth_scales[_i];
  const GstVideoRectangle all = { 0, 0, scale[0], scale[1] };
  gsize in;

  for (in = 0; in < G_N_ELEMENTS (formats); in++) {
    gdouble sum = 0, psnr, wanted[3];
    gint x, y, i, rgb[3];
    GstVideoInfo info;
    Picture picture;
    Page page;

    info_init (&info, formats[in], scale, 2);
    picture_init (&picture, &info, paint_smooth, 0);
    page_convert (&page, &picture, &all, bgrx, scale[2], scale[3]);
    for (y = 0; y < scale[3]; y++)
      for (x = 0; x < scale[2]; x++) {
        smooth_colour ((x + 0.5) / scale[2], (y + 0.5) / scale[3], wanted);
        page_pixel (&page, x, y, rgb);
        for (i = 0; i < 3; i++)
          sum += (rgb[i] - wanted[i]) * (rgb[i] - wanted[i]);
      }
    psnr = 10 * log10 (255.0 * 255.0 * 3 * scale[2] * scale[3] / sum);
    ck_assert_msg (psnr >= 40, "%s %dx%d to %dx%d: %.1f dB", gst_video_format_to_string (formats[in]), scale[0],
                   scale[1], scale[2], scale[3], psnr);
    g_free (page.bytes);
    picture_clear (&picture);
  }
}
END_TEST

/* Rows @first to before @end, in steps of random size, each into memory of its own that ends with the last row. */
static void
convert_in_bands (GstBaConvert *convert, const Picture *picture, Page *page, gint first, gint end, guint32 *seed)
{
  const gsize row_bytes = row_bytes_of (&page->out, page->width_px);
  gint n, y;

  for (; first < end; first += n) {
    const gint some = (gint) (rnd (seed) % 23) + 1;
    guint8 *band;

    n = MIN (some, end - first);
    band = g_malloc ((gsize) n * row_bytes);
    gst_ba_convert_rows (convert, &picture->frame, first, n, band, (gint) row_bytes);
    for (y = 0; y < n; y++)
      memcpy (page->bytes + page->first_byte + (gsize) (first + y) * page->stride_bytes, band + (gsize) y * row_bytes,
              row_bytes);
    g_free (band);
  }
}

/* loop: one direction; bands give the bytes of the whole frame, in order, out of order, and after another picture in
 * the same memory */
START_TEST (test_bands)
{
  static const GstVideoFormat formats[] = { GST_VIDEO_FORMAT_I420, GST_VIDEO_FORMAT_UYVY, GST_VIDEO_FORMAT_BGRx };
  static const gint outs[][2] = { { 0, 0 }, { 61, 47 }, { 120, 130 }, { 20, 17 } };
  static const gint size[2] = { 91, 77 };
  const GstVideoRectangle crop = { 1, 3, 89, 71 };
  guint32 seed = 3;
  gsize in, out, i;

  for (in = 0; in < G_N_ELEMENTS (formats); in++)
    for (out = 0; out < G_N_ELEMENTS (some_pages); out++)
      for (i = 0; i < G_N_ELEMENTS (outs); i++) {
        const gint width = i > 0 ? outs[i][0] : swaps_sides (_i) ? crop.h : crop.w;
        const gint height = i > 0 ? outs[i][1] : swaps_sides (_i) ? crop.w : crop.h;
        GstBaConvertConfig config;
        GstBaConvert *convert;
        GstVideoInfo info;
        Picture picture;
        Page whole, bands;
        guint8 *first;

        info_init (&info, formats[in], size, 2);
        picture_init (&picture, &info, paint_noise, 0);
        config = config_of (&picture, &crop, some_pages[out], width, height);
        config.direction = _i;
        convert = gst_ba_convert_new (&config);

        /* an inverted picture first, which nothing may be left of */
        page_init (&bands, &config);
        first = picture.frame.data[0];
        first[100] ^= 0xff;
        memset (first + 200, 0x55, 2000);
        convert_in_bands (convert, &picture, &bands, 0, height / 2, &seed);
        picture_clear (&picture);

        picture_init (&picture, &info, paint_noise, 0);
        page_convert_config (&whole, &picture, &config);
        convert_in_bands (convert, &picture, &bands, 0, height, &seed);
        page_check_guards (&bands);
        ck_assert_mem_eq (whole.bytes, bands.bytes, whole.size_bytes);

        convert_in_bands (convert, &picture, &bands, height / 3, height, &seed);
        convert_in_bands (convert, &picture, &bands, 0, height / 3, &seed);
        ck_assert_mem_eq (whole.bytes, bands.bytes, whole.size_bytes);

        gst_ba_convert_free (convert);
        g_free (whole.bytes);
        g_free (bands.bytes);
        picture_clear (&picture);
      }
}
END_TEST

static void
invert (Picture *picture)
{
  const GstVideoFrame *frame = &picture->frame;
  guint8 *data = frame->data[0];
  gsize i;

  for (i = 0; i < (gsize) GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0) * (gsize) GST_VIDEO_FRAME_HEIGHT (frame); i++)
    data[i] ^= 0xff;
}

/* The same memory with another picture in it: what a state remembers of the first must not show in the second. */
START_TEST (test_no_memory_of_the_last_frame)
{
  static const gint outs[][2] = { { 71, 71 }, { 40, 55 }, { 100, 90 } };
  static const gint size[2] = { 71, 71 };
  const GstVideoRectangle all = { 0, 0, 71, 71 };
  GstVideoInfo info;
  Picture picture;
  gsize i;

  info_init (&info, GST_VIDEO_FORMAT_I420, size, 2);
  picture_init (&picture, &info, paint_noise, 0);
  for (i = 0; i < G_N_ELEMENTS (outs); i++) {
    GstBaConvertConfig config = config_of (&picture, &all, bgrx, outs[i][0], outs[i][1]);
    GstBaConvert *convert;
    Page used, fresh;
    gint n;

    config.direction = _i;
    convert = gst_ba_convert_new (&config);
    page_init (&used, &config);
    for (n = 0; n < 3; n++) {
      invert (&picture);
      page_convert_config (&fresh, &picture, &config);
      if (n == 1) /* the whole frame after some rows, and rows from where the frame ended with the last number */
        gst_ba_convert_frame (convert, &picture.frame, used.bytes + used.first_byte, used.stride_bytes);
      else
        gst_ba_convert_rows (convert, &picture.frame, 0, outs[i][1], used.bytes + used.first_byte, used.stride_bytes);
      ck_assert_mem_eq (used.bytes, fresh.bytes, used.size_bytes);
      g_free (fresh.bytes);
    }
    g_free (used.bytes);
    gst_ba_convert_free (convert);
  }
  picture_clear (&picture);
}
END_TEST

/* loop: one direction; any number of threads gives the bytes of one */
START_TEST (test_threads)
{
  static const GstVideoFormat formats[] = { GST_VIDEO_FORMAT_NV12, GST_VIDEO_FORMAT_RGB16 };
  static const gint outs[][2] = { { 0, 0 }, { 1000, 600 }, { 700, 801 } };
  static const guint threads[] = { 3, 0 };
  static const gint size[2] = { 903, 604 };
  const GstVideoRectangle crop = { 1, 1, 901, 603 };
  gsize out, i, n, round;

  for (i = 0; i < G_N_ELEMENTS (outs); i++)
    for (out = 0; out < 2; out++) {
      const gint width = i > 0 ? outs[i][0] : swaps_sides (_i) ? crop.h : crop.w;
      const gint height = i > 0 ? outs[i][1] : swaps_sides (_i) ? crop.w : crop.h;
      GstBaConvertConfig config;
      GstVideoInfo info;
      Picture picture;
      Page one;

      info_init (&info, formats[out], size, 2);
      picture_init (&picture, &info, paint_noise, 0);
      config = config_of (&picture, &crop, some_pages[out], width, height);
      config.direction = _i;
      page_convert_config (&one, &picture, &config);
      for (n = 0; n < G_N_ELEMENTS (threads); n++) {
        GstBaConvert *convert;
        Page page;

        config.n_threads = threads[n];
        convert = gst_ba_convert_new (&config);
        for (round = 0; round < 2; round++) {
          page_init (&page, &config);
          invert (&picture);
          gst_ba_convert_frame (convert, &picture.frame, page.bytes + page.first_byte, page.stride_bytes);
          invert (&picture);
          gst_ba_convert_frame (convert, &picture.frame, page.bytes + page.first_byte, page.stride_bytes);
          ck_assert_mem_eq (page.bytes, one.bytes, one.size_bytes);
          g_free (page.bytes);
        }
        gst_ba_convert_free (convert);
      }
      g_free (one.bytes);
      picture_clear (&picture);
    }
}
END_TEST

#define N_SLICES 37

typedef struct
{
  guint done[N_SLICES];
  gint workers_seen; /* atomic: a bit for each */
} Job;

static void
do_slice (gpointer user_data, guint worker, guint slice)
{
  Job *job = user_data;

  ck_assert_uint_lt (worker, 4);
  ck_assert_uint_lt (slice, N_SLICES);
  g_atomic_int_or (&job->workers_seen, 1 << worker);
  job->done[slice]++;
}

/* Each slice is done once, by the time the call returns; jobs of no slice and of one are jobs. */
START_TEST (test_slices)
{
  Job job = { { 0 }, 0 };
  GstBaThreads *threads = gst_ba_threads_new (4, do_slice, &job);
  guint round, i;

  ck_assert (threads != NULL);
  for (round = 1; round <= 500; round++) {
    gst_ba_threads_run (threads, round % 100 == 0 ? 0 : N_SLICES);
    for (i = 0; i < N_SLICES; i++)
      ck_assert_uint_eq (job.done[i], round - round / 100);
  }
  gst_ba_threads_run (threads, 1);
  ck_assert_uint_eq (job.done[0], job.done[1] + 1);
  ck_assert (g_atomic_int_get (&job.workers_seen) & 1);
  gst_ba_threads_free (threads);
  gst_ba_threads_free (gst_ba_threads_new (2, do_slice, &job));
  gst_ba_threads_free (NULL);
}
END_TEST

/* loop: a number of rows and columns, of every rest by 4 */
START_TEST (test_transpose)
{
  guint32 src[20 * 24], dst[20 * 24];
  gint width, height, x, y;

  for (x = 0; x < 20 * 24; x++)
    src[x] = (guint32) x * 2654435761u;
  for (width = 1; width <= 18; width++)
    for (height = 1; height <= 18; height++) {
      memset (dst, GUARD, sizeof (dst));
      gst_ba_transpose ((const guint8 *) src, 20 * 4, (guint8 *) dst, 20 * 4, width, height);
      for (y = 0; y < 24; y++)
        for (x = 0; x < 20; x++)
          ck_assert_uint_eq (dst[y * 20 + x], y < width && x < height ? src[x * 20 + y] : 0xa5a5a5a5u);
    }
}
END_TEST

static Suite *
geometry_suite (void)
{
  Suite *s = suite_create ("convert-geometry");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, 120);
  tcase_add_test (tc, test_transpose);
  tcase_add_test (tc, test_slices);
  tcase_add_loop_test (tc, test_directions, 0, N_DIRECTIONS);
  tcase_add_loop_test (tc, test_directions_scaled, 0, N_DIRECTIONS);
  tcase_add_loop_test (tc, test_bands, 0, N_DIRECTIONS);
  tcase_add_loop_test (tc, test_no_memory_of_the_last_frame, 0, N_DIRECTIONS);
  tcase_add_loop_test (tc, test_threads, 0, N_DIRECTIONS);
  tcase_add_loop_test (tc, test_scale_flat, 0, G_N_ELEMENTS (scales));
  tcase_add_loop_test (tc, test_scale_gradient, 0, G_N_ELEMENTS (scales));
  tcase_add_loop_test (tc, test_scale_psnr, 0, 6);
  return s;
}

int
main (void)
{
  SRunner *runner;
  int failed;

  runner = srunner_create (geometry_suite ());
  srunner_run_all (runner, CK_ENV);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed != 0;
}
