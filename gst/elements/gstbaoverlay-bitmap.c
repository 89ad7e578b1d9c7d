/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbaoverlay-bitmap.c: a bitmap from what the composition holds to what lies on the screen.
 *
 * Three steps, once for each bitmap: premultiply and turn; scale (bilinear, or the mean of what a pixel covers where it
 * shrinks), only the part that is on the screen; look up the stretches that are not transparent. Between the first two
 * a channel has 16 bits, 8 of them behind the point; weights have 14 and add up to one exactly. So an even area stays
 * even, and no colour ever gets larger than its alpha, on which the blending relies.
 */

#include "gstbaoverlay-private.h"

#include <math.h>

#define SIZE_MAX_PX 65535
#define WEIGHT_BITS 14
#define WEIGHT_ONE (1 << WEIGHT_BITS)
#define OPAQUE_MIN_PX 32 /* shorter ones are not worth a run of their own */
#define GAP_MAX_PX 16 /* nor is the end of one where so few transparent pixels follow: letters are full of them */

/* Where one axis gets its pixels from: pixel i has taps first_tap[i] to before first_tap[i + 1], from first_px[i] on. */
typedef struct
{
  gint n;
  guint *first_tap;
  gint *first_px;
  guint16 *weights;
} Axis;

static void
axis_clear (Axis *axis)
{
  g_free (axis->first_tap);
  g_free (axis->first_px);
  g_free (axis->weights);
}

/* Pixels @first to before @first + @n of @to_px that are made of @from_px. */
static gboolean
axis_init (Axis *axis, gint from_px, gint64 to_px, gint64 first, gint n)
{
  /* a pixel touches at most from / to + 2, two when it grows */
  const gsize max_taps = (gsize) n * (gsize) (from_px / to_px + 2);
  guint taps = 0;
  gint i;

  axis->n = n;
  axis->first_tap = g_try_new (guint, (gsize) n + 1);
  axis->first_px = g_try_new (gint, n);
  axis->weights = g_try_new (guint16, max_taps);
  if (axis->first_tap == NULL || axis->first_px == NULL || axis->weights == NULL)
    return FALSE;

  for (i = 0; i < n; i++) {
    const gint64 at = first + i;

    axis->first_tap[i] = taps;
    if (to_px < from_px) {
      const gint64 begin = at * from_px, end = begin + from_px; /* in parts of 1 / to_px */
      gint64 k = begin / to_px, done = 0;

      axis->first_px[i] = (gint) k;
      for (; k * to_px < end; k++) {
        const gint64 covered = MIN ((k + 1) * to_px, end) - begin;
        const gint64 sum = (covered * WEIGHT_ONE + from_px / 2) / from_px;

        axis->weights[taps++] = (guint16) (sum - done);
        done = sum;
      }
    } else {
      const gint64 centre = MAX ((2 * at + 1) * from_px - to_px, 0); /* in parts of 1 / (2 to_px) */
      const gint left = (gint) MIN (centre / (2 * to_px), from_px - 1);
      const gint64 part = centre - 2 * to_px * left;
      const gint weight = left == from_px - 1 ? 0 : (gint) ((part * WEIGHT_ONE + to_px) / (2 * to_px));

      axis->first_px[i] = left;
      axis->weights[taps++] = (guint16) (WEIGHT_ONE - weight);
      if (weight > 0)
        axis->weights[taps++] = (guint16) weight;
    }
  }
  axis->first_tap[n] = taps;
  return TRUE;
}

static gint
axis_end (const Axis *axis)
{
  const gint last = axis->n - 1;

  return axis->first_px[last] + (gint) (axis->first_tap[last + 1] - axis->first_tap[last]);
}

/* @alpha has 16 bits behind the point, and is at most one; @dst gets B, G, R, A with 8, rounded. Colours above their
 * alpha make no sense and are brought down. */
static inline void
premultiply (guint32 pixel, gboolean premultiplied, guint32 alpha, guint16 *dst)
{
  const guint32 both = (pixel >> 24) * alpha, a = (both + 128) >> 8;
  guint i;

  if (both == 255 * 65536u) { /* what letters are made of most: the same result, cheaper */
    for (i = 0; i < 4; i++)
      dst[i] = (guint16) ((pixel >> (8 * i) & 255) << 8);
    return;
  }
  for (i = 0; i < 3; i++) {
    const guint32 c = pixel >> (8 * i) & 255;
    const guint32 scaled = premultiplied ? (c * alpha + 128) >> 8 : (c * both + 255 * 128u) / (255 * 256u);

    dst[i] = (guint16) MIN (scaled, a);
  }
  dst[3] = (guint16) a;
}

static void
turn_pixels (const guint8 *src, gint stride_bytes, gint width_px, gint height_px, gboolean premultiplied, guint32 alpha,
             const GstBaOverlayTurn *turn, guint16 *dst)
{
  const gint turned_w = turn->transposed ? height_px : width_px, turned_h = turn->transposed ? width_px : height_px;
  const gssize column = turn->from_right ? -4 : 4;
  const gssize row = turn->from_bottom ? -(gssize) stride_bytes : stride_bytes;
  const gssize across = turn->transposed ? row : column, down = turn->transposed ? column : row;
  const gssize origin = (turn->from_right ? (gssize) (width_px - 1) * 4 : 0)
                        + (turn->from_bottom ? (gssize) (height_px - 1) * stride_bytes : 0);
  gint x, y;

  for (y = 0; y < turned_h; y++)
    for (x = 0; x < turned_w; x++, dst += 4) {
      guint32 pixel; /* GStreamer's overlay pixels are numbers of the machine's own byte order */

      memcpy (&pixel, src + origin + y * down + x * across, 4);
      if (pixel >> 24 == 0)
        memset (dst, 0, 4 * sizeof (*dst));
      else
        premultiply (pixel, premultiplied, alpha, dst);
    }
}

static GST_BA_HOT void
cut_pixels (const guint16 *src, gint src_width_px, const GstBaOverlayPlace *place, const GstVideoRectangle *area,
            guint8 *dst)
{
  const gsize x = (gsize) (area->x - place->left), y = (gsize) (area->y - place->top);
  gint row, i;

  for (row = 0; row < area->h; row++, dst += area->w * 4) {
    const guint16 *line = src + ((y + (gsize) row) * (gsize) src_width_px + x) * 4;

    for (i = 0; i < area->w * 4; i++)
      dst[i] = (guint8) ((guint16) (line[i] + 128) >> 8);
  }
}

/* The rows that make a row are added up first, its columns then. */
static GST_BA_HOT gboolean
scale_pixels (const guint16 *src, gint src_width_px, const Axis *columns, const Axis *rows, guint8 *dst)
{
  const gsize first = (gsize) columns->first_px[0] * 4, end = (gsize) axis_end (columns) * 4;
  const gsize src_stride = (gsize) src_width_px * 4;
  guint32 *sums = g_try_new (guint32, end - first);
  gint x, y;
  guint tap;
  gsize i;

  if (sums == NULL)
    return FALSE;

  for (y = 0; y < rows->n; y++) {
    const guint16 *line = src + (gsize) rows->first_px[y] * src_stride;

    for (i = first; i < end; i++)
      sums[i - first] = 1u << (WEIGHT_BITS - 1);
    for (tap = rows->first_tap[y]; tap < rows->first_tap[y + 1]; tap++, line += src_stride)
      for (i = first; i < end; i++)
        sums[i - first] += (guint32) line[i] * rows->weights[tap];
    for (x = 0; x < columns->n; x++, dst += 4) {
      const guint32 *p = sums + (gsize) columns->first_px[x] * 4 - first;
      guint32 c[4] = { 0 };

      for (tap = columns->first_tap[x]; tap < columns->first_tap[x + 1]; tap++, p += 4)
        for (i = 0; i < 4; i++)
          c[i] += (p[i] >> WEIGHT_BITS) * columns->weights[tap];
      for (i = 0; i < 4; i++)
        dst[i] = (guint8) ((c[i] + (1u << (WEIGHT_BITS + 7))) >> (WEIGHT_BITS + 8));
    }
  }
  g_free (sums);
  return TRUE;
}

/* How many pixels from @x on are opaque as the first is, or transparent, or neither. */
static gint
same_kind (const guint8 *row, gint x, gint width_px)
{
  const guint8 a = row[4 * (gsize) x + 3];
  gint end = x + 1;

  while (end < width_px) {
    const guint8 b = row[4 * (gsize) end + 3];

    if ((a == 0) != (b == 0) || (a == 255) != (b == 255))
      break;
    end++;
  }
  return end - x;
}

/* No two runs begin within this many pixels of each other on average: between them there is a gap, or one is opaque. */
#define RUN_MIN_PX 16
G_STATIC_ASSERT (GAP_MAX_PX >= RUN_MIN_PX && OPAQUE_MIN_PX >= 2 * RUN_MIN_PX);

static guint
find_runs (const guint8 *row, gint width_px, GstBaOverlayRun *runs)
{
  guint count = 0;
  gint x, n;

  for (x = 0; x < width_px; x += n) {
    const guint8 alpha = row[4 * (gsize) x + 3];
    GstBaOverlayRun *last = count > 0 ? &runs[count - 1] : NULL;
    gboolean opaque;

    n = same_kind (row, x, width_px);
    if (alpha == 0)
      continue;
    opaque = alpha == 255 && n >= OPAQUE_MIN_PX;
    if (last != NULL && !opaque && !last->opaque && x - (last->x_px + last->n_px) <= GAP_MAX_PX)
      last->n_px = x + n - last->x_px;
    else
      runs[count++] = (GstBaOverlayRun){ x, n, opaque };
  }
  return count;
}

static gboolean
list_runs (GstBaOverlayBitmap *bitmap)
{
  const GstVideoRectangle *area = &bitmap->area;
  const gsize row_max = (gsize) (area->w / RUN_MIN_PX) + 2;
  gint left = area->w, right = 0, top = -1, bottom = 0, y;
  gsize count = 0, room = 0;

  bitmap->first_run = g_try_new (guint, (gsize) area->h + 1);
  if (bitmap->first_run == NULL)
    return FALSE;

  for (y = 0; y < area->h; y++) {
    GstBaOverlayRun *runs = bitmap->runs;
    guint n;

    if (room < count + row_max) {
      room = 2 * room + 8 * row_max;
      runs = g_try_renew (GstBaOverlayRun, bitmap->runs, room);
      if (runs == NULL)
        return FALSE;
      bitmap->runs = runs;
    }
    n = find_runs (bitmap->pixels + (gsize) y * (gsize) area->w * 4, area->w, runs + count);
    bitmap->first_run[y] = (guint) count;
    if (n > 0) {
      top = top < 0 ? y : top;
      bottom = y + 1;
      left = MIN (left, runs[count].x_px);
      right = MAX (right, runs[count + n - 1].x_px + runs[count + n - 1].n_px);
    }
    count += n;
  }
  bitmap->first_run[area->h] = (guint) count;
  if (count > 0)
    bitmap->seen = (GstVideoRectangle){ area->x + left, area->y + top, right - left, bottom - top };
  return TRUE;
}

gboolean
gst_ba_overlay_bitmap_init (GstBaOverlayBitmap *bitmap, const guint8 *pixels, gint stride_bytes, gint width_px,
                            gint height_px, gboolean premultiplied, gfloat alpha, const GstBaOverlayTurn *turn,
                            const GstBaOverlayPlace *place, const GstVideoRectangle *area)
{
  const gint turned_w = turn->transposed ? height_px : width_px, turned_h = turn->transposed ? width_px : height_px;
  const gint64 full_w = place->right - place->left, full_h = place->bottom - place->top;
  Axis columns = { 0 }, rows = { 0 };
  gboolean done = FALSE;
  guint16 *turned;

  memset (bitmap, 0, sizeof (*bitmap));
  if (width_px < 1 || height_px < 1 || MAX (width_px, height_px) > SIZE_MAX_PX)
    return FALSE;

  turned = g_try_malloc_n ((gsize) width_px * (gsize) height_px, 4 * sizeof (*turned));
  bitmap->pixels = g_try_malloc_n ((gsize) area->w * (gsize) area->h, 4);
  if (turned == NULL || bitmap->pixels == NULL)
    goto out;
  bitmap->area = *area;
  turn_pixels (pixels, stride_bytes, width_px, height_px, premultiplied, (guint32) lrintf (alpha * 65536.0f), turn,
               turned);

  if (full_w == turned_w && full_h == turned_h)
    cut_pixels (turned, turned_w, place, area, bitmap->pixels);
  else if (!axis_init (&columns, turned_w, full_w, area->x - place->left, area->w)
           || !axis_init (&rows, turned_h, full_h, area->y - place->top, area->h)
           || !scale_pixels (turned, turned_w, &columns, &rows, bitmap->pixels))
    goto out;
  done = list_runs (bitmap);

out:
  axis_clear (&columns);
  axis_clear (&rows);
  g_free (turned);
  if (!done)
    gst_ba_overlay_bitmap_clear (bitmap);
  return done;
}

void
gst_ba_overlay_bitmap_clear (GstBaOverlayBitmap *bitmap)
{
  g_free (bitmap->pixels);
  g_free (bitmap->runs);
  g_free (bitmap->first_run);
  memset (bitmap, 0, sizeof (*bitmap));
}
