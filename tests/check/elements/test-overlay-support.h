/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-overlay-support.h: pages, bitmaps, and what a page must show with a bitmap over it, in double.
 *
 * The reference shares no table and no arithmetic with gstbaoverlay*.c: it looks up, for each pixel of the screen, what
 * the rectangle shows there. Pages and bitmaps are allocated to the last byte, for AddressSanitizer to see more.
 */
#pragma once

#include <check.h>
#include <gst/video/video.h>

#include <math.h>
#include <string.h>

#include "gstbaoverlay.h"

typedef struct
{
  GstBaPageFormat format;
  gint width_px, height_px, stride_bytes;
  gsize size_bytes;
  guint8 *bytes;
} Page;

typedef struct
{
  gint width_px, height_px;
  gint x_px, y_px, render_w_px, render_h_px; /* in the frame */
  gboolean premultiplied;
  gfloat alpha;
  guint32 seed;
} Bitmap;

typedef struct
{
  GstVideoRectangle crop, dst;
  GstVideoOrientationMethod direction;
} View;

static const GstBaPageFormat page_formats[] = {
  { GST_VIDEO_FORMAT_BGRx, GST_BA_MONO_NONE },
  { GST_VIDEO_FORMAT_RGBx, GST_BA_MONO_NONE },
  { GST_VIDEO_FORMAT_xRGB, GST_BA_MONO_NONE },
  { GST_VIDEO_FORMAT_xBGR, GST_BA_MONO_NONE },
  { GST_VIDEO_FORMAT_BGRA, GST_BA_MONO_NONE },
  { GST_VIDEO_FORMAT_RGBA, GST_BA_MONO_NONE },
  { GST_VIDEO_FORMAT_ARGB, GST_BA_MONO_NONE },
  { GST_VIDEO_FORMAT_ABGR, GST_BA_MONO_NONE },
  { GST_VIDEO_FORMAT_RGB, GST_BA_MONO_NONE },
  { GST_VIDEO_FORMAT_BGR, GST_BA_MONO_NONE },
  { GST_VIDEO_FORMAT_RGB16, GST_BA_MONO_NONE },
  { GST_VIDEO_FORMAT_BGR16, GST_BA_MONO_NONE },
  { GST_VIDEO_FORMAT_RGB15, GST_BA_MONO_NONE },
  { GST_VIDEO_FORMAT_BGR15, GST_BA_MONO_NONE },
  { GST_VIDEO_FORMAT_GRAY8, GST_BA_MONO_NONE },
  { GST_VIDEO_FORMAT_UNKNOWN, GST_BA_MONO_ONE_IS_WHITE },
  { GST_VIDEO_FORMAT_UNKNOWN, GST_BA_MONO_ONE_IS_BLACK },
};

static const gchar *
page_format_name (const GstBaPageFormat *format)
{
  if (format->mono != GST_BA_MONO_NONE)
    return format->mono == GST_BA_MONO_ONE_IS_WHITE ? "one bit, 1 is white" : "one bit, 1 is black";
  return gst_video_format_to_string (format->format);
}

static guint32
rnd (guint32 *seed)
{
  *seed = *seed * 1664525u + 1013904223u;
  return *seed >> 8;
}

static void
fill_random (guint8 *bytes, gsize size_bytes, guint32 seed)
{
  gsize i;

  for (i = 0; i < size_bytes; i++)
    bytes[i] = (guint8) rnd (&seed);
}

static inline void
page_init (Page *page, const GstBaPageFormat *format, gint width_px, gint height_px, guint32 seed)
{
  const gsize row_bytes = gst_ba_convert_get_row_bytes (format, width_px);

  page->format = *format;
  page->width_px = width_px;
  page->height_px = height_px;
  page->stride_bytes = (gint) row_bytes + 5;
  page->size_bytes = (gsize) page->stride_bytes * (gsize) (height_px - 1) + row_bytes;
  page->bytes = g_malloc (page->size_bytes);
  fill_random (page->bytes, page->size_bytes, seed);
}

/* R, G, B of a pixel; of gray and one bit, all three the same. */
static inline void
page_pixel (const Page *page, const guint8 *bytes, gint x, gint y, gdouble *rgb)
{
  const GstVideoFormatInfo *finfo;
  const guint8 *row = bytes + (gsize) y * page->stride_bytes;
  gpointer data[GST_VIDEO_MAX_PLANES] = { NULL };
  gint strides[GST_VIDEO_MAX_PLANES] = { 0 };
  guint8 pixel[16] = { 0 }, argb[64] = { 0 };
  gint size_bytes, i;

  if (page->format.mono != GST_BA_MONO_NONE) {
    const gboolean one = (row[x / 8] >> (7 - x % 8) & 1) != 0;

    rgb[0] = rgb[1] = rgb[2] = one == (page->format.mono == GST_BA_MONO_ONE_IS_WHITE) ? 255 : 0;
    return;
  }
  finfo = gst_video_format_get_info (page->format.format);
  size_bytes = GST_VIDEO_FORMAT_INFO_PSTRIDE (finfo, 0);
  memcpy (pixel, row + (gsize) x * (gsize) size_bytes, (gsize) size_bytes);
  data[0] = pixel;
  strides[0] = sizeof (pixel);
  finfo->unpack_func (finfo, GST_VIDEO_PACK_FLAG_NONE, argb, data, strides, 0, 0, 1);
  for (i = 0; i < 3; i++)
    rgb[i] = page->format.format == GST_VIDEO_FORMAT_GRAY8 ? argb[1] : argb[i + 1];
}

/* B G R A; a third of it transparent, a third opaque, in blocks */
static inline guint8 *
bitmap_pixels (const Bitmap *bitmap)
{
  guint8 *pixels = g_malloc ((gsize) bitmap->width_px * (gsize) bitmap->height_px * 4), *p = pixels;
  guint32 seed = bitmap->seed;
  gint x, y, i;

  for (y = 0; y < bitmap->height_px; y++)
    for (x = 0; x < bitmap->width_px; x++, p += 4) {
      guint32 block = (guint32) (y / 3 * 97 + x / 9) * 2654435761u + bitmap->seed;
      const guint32 kind = rnd (&block) % 3;

      p[3] = kind == 0 ? 0 : kind == 1 ? 255 : (guint8) rnd (&seed);
      for (i = 0; i < 3; i++)
        p[i] = (guint8) (bitmap->premultiplied ? rnd (&seed) % (p[3] + 1u) : rnd (&seed));
    }
  return pixels;
}

static inline GstVideoOverlayRectangle *
bitmap_rectangle (const Bitmap *bitmap)
{
  const gsize size_bytes = (gsize) bitmap->width_px * (gsize) bitmap->height_px * 4;
  GstBuffer *buffer = gst_buffer_new_wrapped (bitmap_pixels (bitmap), size_bytes);
  GstVideoOverlayRectangle *rectangle;

  gst_buffer_add_video_meta (buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB,
                             (guint) bitmap->width_px, (guint) bitmap->height_px);
  rectangle = gst_video_overlay_rectangle_new_raw (
      buffer, bitmap->x_px, bitmap->y_px, (guint) bitmap->render_w_px, (guint) bitmap->render_h_px,
      bitmap->premultiplied ? GST_VIDEO_OVERLAY_FORMAT_FLAG_PREMULTIPLIED_ALPHA : GST_VIDEO_OVERLAY_FORMAT_FLAG_NONE);
  gst_buffer_unref (buffer);
  if (bitmap->alpha != 1.0f)
    gst_video_overlay_rectangle_set_global_alpha (rectangle, bitmap->alpha);
  return rectangle;
}

static inline GstVideoOverlayComposition *
composition_of (const Bitmap *bitmaps, guint n)
{
  GstVideoOverlayComposition *composition = NULL;
  guint i;

  for (i = 0; i < n; i++) {
    GstVideoOverlayRectangle *rectangle = bitmap_rectangle (&bitmaps[i]);

    if (composition == NULL)
      composition = gst_video_overlay_composition_new (rectangle);
    else
      gst_video_overlay_composition_add_rectangle (composition, rectangle);
    gst_video_overlay_rectangle_unref (rectangle);
  }
  return composition;
}

/* Pixel (x, y) of a picture of w × h once it is turned comes from (*u, *v), as GstVideoOrientationMethod tells it. */
static inline void
turn_back (GstVideoOrientationMethod direction, gint w, gint h, gint x, gint y, gint *u, gint *v)
{
  switch (direction) {
    case GST_VIDEO_ORIENTATION_90R:
      *u = y, *v = h - 1 - x;
      break;
    case GST_VIDEO_ORIENTATION_180:
      *u = w - 1 - x, *v = h - 1 - y;
      break;
    case GST_VIDEO_ORIENTATION_90L:
      *u = w - 1 - y, *v = x;
      break;
    case GST_VIDEO_ORIENTATION_HORIZ:
      *u = w - 1 - x, *v = y;
      break;
    case GST_VIDEO_ORIENTATION_VERT:
      *u = x, *v = h - 1 - y;
      break;
    case GST_VIDEO_ORIENTATION_UL_LR:
      *u = y, *v = x;
      break;
    case GST_VIDEO_ORIENTATION_UR_LL:
      *u = w - 1 - y, *v = h - 1 - x;
      break;
    default:
      *u = x, *v = y;
      break;
  }
}

static inline gboolean
is_transposed (GstVideoOrientationMethod direction)
{
  return direction == GST_VIDEO_ORIENTATION_90R || direction == GST_VIDEO_ORIENTATION_90L
         || direction == GST_VIDEO_ORIENTATION_UL_LR || direction == GST_VIDEO_ORIENTATION_UR_LL;
}

/* How much of pixel @k of @from lies in pixel @at of @to. */
static inline gdouble
share (gint from, gint to, gint at, gint k)
{
  const gdouble ratio = (gdouble) from / to;

  if (to < from)
    return MAX (0, MIN (k + 1, (at + 1) * ratio) - MAX (k, at * ratio)) / ratio;
  return MAX (0, 1 - fabs (CLAMP ((at + 0.5) * ratio - 0.5, 0, from - 1) - k));
}

/* Where the bitmap lies: its corners in the frame, turned, on the screen. */
static inline void
reference_place (const Bitmap *bitmap, const View *view, GstVideoRectangle *place)
{
  const gdouble left = bitmap->x_px - view->crop.x, top = bitmap->y_px - view->crop.y;
  const gdouble right = left + bitmap->render_w_px, bottom = top + bitmap->render_h_px;
  const gdouble w = view->crop.w, h = view->crop.h;
  gdouble x0 = left, y0 = top, x1 = right, y1 = bottom, sx = view->dst.w / w, sy = view->dst.h / h;

  if (is_transposed (view->direction)) {
    sx = view->dst.w / h;
    sy = view->dst.h / w;
  }
  switch (view->direction) {
    case GST_VIDEO_ORIENTATION_90R:
      x0 = h - bottom, x1 = h - top, y0 = left, y1 = right;
      break;
    case GST_VIDEO_ORIENTATION_180:
      x0 = w - right, x1 = w - left, y0 = h - bottom, y1 = h - top;
      break;
    case GST_VIDEO_ORIENTATION_90L:
      x0 = top, x1 = bottom, y0 = w - right, y1 = w - left;
      break;
    case GST_VIDEO_ORIENTATION_HORIZ:
      x0 = w - right, x1 = w - left;
      break;
    case GST_VIDEO_ORIENTATION_VERT:
      y0 = h - bottom, y1 = h - top;
      break;
    case GST_VIDEO_ORIENTATION_UL_LR:
      x0 = top, x1 = bottom, y0 = left, y1 = right;
      break;
    case GST_VIDEO_ORIENTATION_UR_LL:
      x0 = h - bottom, x1 = h - top, y0 = w - right, y1 = w - left;
      break;
    default:
      break;
  }
  place->x = view->dst.x + (gint) floor (x0 * sx + 0.5);
  place->y = view->dst.y + (gint) floor (y0 * sy + 0.5);
  place->w = MAX (view->dst.x + (gint) floor (x1 * sx + 0.5) - place->x, 1);
  place->h = MAX (view->dst.y + (gint) floor (y1 * sy + 0.5) - place->y, 1);
}

/* What the bitmap has for pixel (@x, @y) of its place: R, G, B times alpha, and alpha, 0 to 255. */
static inline void
reference_pixel (const Bitmap *bitmap, const guint8 *pixels, const View *view, const GstVideoRectangle *place, gint x,
                 gint y, gdouble *rgba)
{
  const gboolean transposed = is_transposed (view->direction);
  const gint w = transposed ? bitmap->height_px : bitmap->width_px;
  const gint h = transposed ? bitmap->width_px : bitmap->height_px;
  gint i, j, c;

  memset (rgba, 0, 4 * sizeof (*rgba));
  for (j = 0; j < h; j++) {
    const gdouble row_share = share (h, place->h, y, j);

    for (i = 0; i < w && row_share > 0; i++) {
      const gdouble part = row_share * share (w, place->w, x, i) * bitmap->alpha;
      const guint8 *p;
      gint u, v;

      turn_back (view->direction, bitmap->width_px, bitmap->height_px, i, j, &u, &v);
      p = pixels + 4 * ((gsize) v * bitmap->width_px + u);
      for (c = 0; c < 3; c++)
        rgba[c] += part * p[2 - c] * (bitmap->premultiplied ? 1 : p[3] / 255.0);
      rgba[3] += part * p[3];
    }
  }
}

/* How far a channel may be off: 1 from what is wanted, rounded; where the page has no 8 bits, half a step of it more. */
static inline gdouble
tolerance (const Page *page, gint channel)
{
  if (page->format.format == GST_VIDEO_FORMAT_RGB16 || page->format.format == GST_VIDEO_FORMAT_BGR16)
    return 1.5 + 255 / (channel == 1 ? 63.0 : 31.0) / 2;
  if (page->format.format == GST_VIDEO_FORMAT_RGB15 || page->format.format == GST_VIDEO_FORMAT_BGR15)
    return 1.5 + 255 / 31.0 / 2;
  return 1.5;
}

/* That @page is @before with @bitmap over it, and no other byte changed. */
static inline void
check_page (const Page *page, const guint8 *before, const Bitmap *bitmap, const View *view, const gchar *what)
{
  guint8 *pixels = bitmap_pixels (bitmap);
  const gboolean one_channel = page->format.mono != GST_BA_MONO_NONE || page->format.format == GST_VIDEO_FORMAT_GRAY8;
  guint8 *known = g_memdup2 (page->bytes, page->size_bytes); /* as @page, what may have changed put back */
  GstVideoRectangle place;
  gint x, y, c;

  reference_place (bitmap, view, &place);
  for (y = 0; y < page->height_px; y++)
    for (x = 0; x < page->width_px; x++) {
      const gboolean inside = x >= MAX (place.x, view->dst.x) && x < MIN (place.x + place.w, view->dst.x + view->dst.w)
                              && y >= MAX (place.y, view->dst.y)
                              && y < MIN (place.y + place.h, view->dst.y + view->dst.h);
      gdouble over[4] = { 0 }, below[3], found[3];

      if (inside)
        reference_pixel (bitmap, pixels, view, &place, x - place.x, y - place.y, over);
      if (over[3] < 0.001)
        continue;
      page_pixel (page, before, x, y, below);
      page_pixel (page, page->bytes, x, y, found);
      if (one_channel)
        over[0] = over[1] = over[2] = 0.299 * over[0] + 0.587 * over[1] + 0.114 * over[2];
      for (c = 0; c < 3; c++) {
        gdouble wanted = over[c] + below[c] * (1 - over[3] / 255);

        if (page->format.mono != GST_BA_MONO_NONE)
          wanted = fabs (wanted - 127.5) < 2 ? found[c] : wanted >= 128 ? 255 : 0;
        if (fabs (found[c] - wanted) > tolerance (page, c) + 0.001)
          ck_abort_msg ("%s on %s: channel %d at %d,%d is %.0f, not %.2f (%.2f over %.0f, alpha %.2f)", what,
                        page_format_name (&page->format), c, x, y, found[c], wanted, over[c], below[c], over[3]);
      }
      if (page->format.mono != GST_BA_MONO_NONE) {
        const gsize at = (gsize) y * page->stride_bytes + x / 8;
        const guint8 bit = (guint8) (0x80 >> x % 8);

        known[at] = (guint8) ((known[at] & ~bit) | (before[at] & bit));
      } else {
        const gsize pixel_bytes = gst_ba_convert_get_row_bytes (&page->format, 1);
        const gsize at = (gsize) y * page->stride_bytes + (gsize) x * pixel_bytes;

        memcpy (known + at, before + at, pixel_bytes);
      }
    }
  ck_assert_msg (memcmp (known, before, page->size_bytes) == 0, "%s on %s: a pixel under nothing changed", what,
                 page_format_name (&page->format));
  g_free (known);
  g_free (pixels);
}
