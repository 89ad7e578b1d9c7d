/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbaconvert-scale.c: a picture at another size, row by row, with nothing kept but two rows.
 *
 * Bilinear, pixel centres on pixel centres. Where the picture shrinks to half or less in a direction, whole groups of
 * pixels are averaged first (a box filter), so that fine detail does not flicker; the bilinear step does the rest. Each
 * source row is read once, scaled to the width of the page rectangle, and kept in one of two row buffers until the page
 * has passed it; the rows of the page are blends of the two.
 */

#include "gstbaconvert-private.h"

#include <math.h>

#define BOX_MAX 255 /* pixels in a direction */

typedef struct
{
  gint in_px; /* before the box filter */
  gint box_px; /* pixels in one box, 1 for none */
  gint boxed_px; /* after the box filter */
  gint out_px;
} Axis;

struct _GstBaScaler
{
  const GstBaTurn *turn;
  Axis x, y;
  gint32 *left; /* for each column of the page: the pixel left of it, and how far (of 256) the next one counts */
  guint16 *weight;
};

struct _GstBaScalerState
{
  guint16 *sums; /* (nullable): the lines of a row of boxes */
  guint8 *line; /* one row of the turned crop */
  guint8 *boxed; /* (nullable): the same after the box filter */
  guint8 *rows[2]; /* scaled in x; source row n is in rows[n % 2] */
  gint row_numbers[2];
};

static void
axis_init (Axis *axis, gint in_px, gint out_px)
{
  axis->in_px = in_px;
  axis->out_px = out_px;
  axis->box_px = CLAMP (in_px / out_px, 1, BOX_MAX);
  axis->boxed_px = (in_px + axis->box_px - 1) / axis->box_px;
}

/* Where output pixel @n lies among the boxes: between @first and the next one, @weight / 256 of the way. */
static void
axis_position (const Axis *axis, gint n, gint *first, guint16 *weight)
{
  const gdouble scale = (gdouble) axis->in_px / ((gdouble) axis->out_px * axis->box_px);
  const gdouble position = (n + 0.5) * scale - 0.5;
  const gint64 fixed = llrint (position * 256);

  *first = (gint) (MAX (fixed, 0) >> 8);
  *weight = (guint16) (MAX (fixed, 0) & 255);
  if (*first >= axis->boxed_px - 1) {
    *first = axis->boxed_px - 1;
    *weight = 0;
  }
}

static gpointer
try_rows (gsize count, gsize bytes_each)
{
  return g_try_malloc_n (count, bytes_each);
}

/* Two channels at a time: each has 8 bits of room above it, which is what the weights need. */
void
gst_ba_scale_row_c (const guint8 *src, const gint32 *left, const guint16 *weight, guint8 *dst, gint first_px,
                    gint width_px)
{
  const guint32 mask = 0x00ff00ff, half = 0x00800080;
  gint x;

  for (x = first_px; x < width_px; x++) {
    const guint32 next = weight[x], here = 256 - next;
    guint32 a, b, result;

    memcpy (&a, src + 4 * (gsize) left[x], 4);
    memcpy (&b, src + 4 * (gsize) left[x] + 4, 4);
    result = ((a & mask) * here + (b & mask) * next + half) >> 8 & mask;
    result |= ((a >> 8 & mask) * here + (b >> 8 & mask) * next + half) & ~mask;
    memcpy (dst + 4 * (gsize) x, &result, 4);
  }
}

GstBaScaler *
gst_ba_scaler_new (const GstBaTurn *turn, gint width_px, gint height_px)
{
  GstBaScaler *self = g_try_new0 (GstBaScaler, 1);
  gint i;

  if (self == NULL)
    return NULL;

  self->turn = turn;
  axis_init (&self->x, turn->width_px, width_px);
  axis_init (&self->y, turn->height_px, height_px);
  self->left = try_rows ((gsize) width_px, sizeof (*self->left));
  self->weight = try_rows ((gsize) width_px, sizeof (*self->weight));
  if (self->left == NULL || self->weight == NULL) {
    gst_ba_scaler_free (self);
    return NULL;
  }

  for (i = 0; i < width_px; i++)
    axis_position (&self->x, i, &self->left[i], &self->weight[i]);
  return self;
}

void
gst_ba_scaler_free (GstBaScaler *self)
{
  if (self == NULL)
    return;

  g_free (self->left);
  g_free (self->weight);
  g_free (self);
}

static gboolean
has_boxes (const GstBaScaler *self)
{
  return self->x.box_px > 1 || self->y.box_px > 1;
}

GstBaScalerState *
gst_ba_scaler_state_new (const GstBaScaler *self)
{
  GstBaScalerState *state = g_try_new0 (GstBaScalerState, 1);
  gboolean ok;

  if (state == NULL)
    return NULL;

  /* one pixel more: the right neighbour of the last one */
  state->line = try_rows ((gsize) self->x.in_px + 1, 4);
  state->rows[0] = try_rows ((gsize) self->x.out_px, 4);
  state->rows[1] = try_rows ((gsize) self->x.out_px, 4);
  ok = state->line != NULL && state->rows[0] != NULL && state->rows[1] != NULL;
  if (has_boxes (self)) {
    state->sums = try_rows ((gsize) self->x.in_px, 4 * sizeof (*state->sums));
    state->boxed = try_rows ((gsize) self->x.boxed_px + 1, 4);
    ok = ok && state->sums != NULL && state->boxed != NULL;
  }
  if (!ok) {
    gst_ba_scaler_state_free (state);
    return NULL;
  }

  gst_ba_scaler_state_reset (state);
  return state;
}

void
gst_ba_scaler_state_free (GstBaScalerState *state)
{
  if (state == NULL)
    return;

  g_free (state->sums);
  g_free (state->line);
  g_free (state->boxed);
  g_free (state->rows[0]);
  g_free (state->rows[1]);
  g_free (state);
}

void
gst_ba_scaler_state_reset (GstBaScalerState *state)
{
  state->row_numbers[0] = state->row_numbers[1] = -1;
}

/* Lines are added up first, pixels beside each other only once for all of them; BOX_MAX lines of 255 fit 16 bits. */
static GST_BA_HOT void
first_line (guint16 *restrict sums, const guint8 *restrict line, gint samples)
{
  gint i;

  for (i = 0; i < samples; i++)
    sums[i] = line[i];
}

static GST_BA_HOT void
next_line (guint16 *restrict sums, const guint8 *restrict line, gint samples)
{
  gint i;

  for (i = 0; i < samples; i++)
    sums[i] = (guint16) (sums[i] + line[i]);
}

/* The largest sum, 255 × 255 × BOX_MAX, is exact in a float. */
void
gst_ba_finish_boxes_c (const guint16 *sums, guint8 *dst, gint n_boxes, gint box_px, gfloat reciprocal)
{
  gint x, i, channel;

  for (x = 0; x < n_boxes; x++, dst += 4) {
    guint32 sum[4] = { 0 };

    for (i = 0; i < box_px; i++, sums += 4)
      for (channel = 0; channel < 4; channel++)
        sum[channel] += sums[channel];
    for (channel = 0; channel < 4; channel++)
      dst[channel] = (guint8) ((gfloat) sum[channel] * reciprocal + 0.5f);
  }
}

static void
finish_boxes (const Axis *axis, const guint16 *sums, guint8 *dst, gint lines)
{
#ifdef __x86_64__
  void (*const finish) (const guint16 *, guint8 *, gint, gint, gfloat) = gst_ba_finish_boxes_sse2;
#else
  void (*const finish) (const guint16 *, guint8 *, gint, gint, gfloat) = gst_ba_finish_boxes_c;
#endif
  const gint whole = axis->in_px / axis->box_px, rest = axis->in_px % axis->box_px;

  finish (sums, dst, whole, axis->box_px, 1.0f / (gfloat) (axis->box_px * lines));
  if (rest > 0)
    finish (sums + 4 * (gsize) whole * (gsize) axis->box_px, dst + 4 * (gsize) whole, 1, rest,
            1.0f / (gfloat) (rest * lines));
}

/* Row @n of the boxed picture, one pixel longer than it is wide. */
static guint8 *
boxed_row (const GstBaScaler *self, GstBaScalerState *state, GstBaTurnState *turn_state, const GstVideoFrame *frame,
           gint n)
{
  gint y = n * self->y.box_px;
  const gint end = MIN (self->y.in_px, y + self->y.box_px), lines = end - y;
  guint8 *row = gst_ba_turn_row (self->turn, turn_state, frame, y, state->line);

  if (state->sums != NULL) {
    first_line (state->sums, row, 4 * self->x.in_px);
    while (++y < end) {
      row = gst_ba_turn_row (self->turn, turn_state, frame, y, state->line);
      next_line (state->sums, row, 4 * self->x.in_px);
    }
    row = state->boxed;
    finish_boxes (&self->x, state->sums, row, lines);
  }
  memcpy (row + 4 * (gsize) self->x.boxed_px, row + 4 * (gsize) (self->x.boxed_px - 1), 4);
  return row;
}

static void
scale_row (const GstBaScaler *self, const guint8 *src, guint8 *dst)
{
  gint x = 0;

#ifdef __x86_64__
  if (__builtin_cpu_supports ("avx2"))
    x = gst_ba_scale_row_avx2 (src, self->left, self->weight, dst, self->x.out_px);
  else
    x = gst_ba_scale_row_sse2 (src, self->left, self->weight, dst, self->x.out_px);
#endif
  gst_ba_scale_row_c (src, self->left, self->weight, dst, x, self->x.out_px);
}

static const guint8 *
scaled_row (const GstBaScaler *self, GstBaScalerState *state, GstBaTurnState *turn_state, const GstVideoFrame *frame,
            gint n)
{
  const gint slot = n % 2;

  if (state->row_numbers[slot] != n) {
    if (self->x.in_px == self->x.out_px && state->sums == NULL) {
      const guint8 *row = gst_ba_turn_row (self->turn, turn_state, frame, n, state->rows[slot]);

      if (row != state->rows[slot])
        memcpy (state->rows[slot], row, 4 * (gsize) self->x.in_px);
    } else {
      scale_row (self, boxed_row (self, state, turn_state, frame, n), state->rows[slot]);
    }
    state->row_numbers[slot] = n;
  }
  return state->rows[slot];
}

const guint8 *
gst_ba_scaler_row (const GstBaScaler *self, GstBaScalerState *state, GstBaTurnState *turn_state,
                   const GstVideoFrame *frame, gint n, guint8 *dst)
{
  const guint8 *upper, *lower;
  guint16 weight;
  gint first;

  axis_position (&self->y, n, &first, &weight);
  upper = scaled_row (self, state, turn_state, frame, first);
  if (weight == 0)
    return upper;

  lower = scaled_row (self, state, turn_state, frame, first + 1);
  gst_ba_row_mix (upper, lower, weight, dst, self->x.out_px);
  return dst;
}
