/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbaconvert-turn.c: rows of a crop that is mirrored or turned, out of rows of the crop.
 *
 * Upside down is another order of the rows, and mirrored is each row backwards. Where rows become columns, a band of
 * columns of the crop is read at once, tile by tile, and laid down turned: the next rows of the turned picture are all
 * in it. The band is small enough for the cache of a processor; no picture is ever stored whole.
 */

#include "gstbaconvert-private.h"

#ifdef __x86_64__
#include <emmintrin.h>
#endif

#define BAND_PX 32 /* what the widest kernel reads at once */
#define NARROW_BAND_PX 16
#define NARROW_FROM_PX 3000 /* where a band of the other width would be more than 384 KB */
#define TILE_ROWS 16

gboolean
gst_ba_turn_init (GstBaTurn *turn, const GstBaReader *reader, const GstVideoRectangle *crop,
                  GstVideoOrientationMethod direction)
{
  *turn = (GstBaTurn){ .reader = reader, .crop = *crop };
  switch (direction) {
    case GST_VIDEO_ORIENTATION_IDENTITY:
      break;
    case GST_VIDEO_ORIENTATION_90R:
      turn->transposed = turn->flip_x = TRUE;
      break;
    case GST_VIDEO_ORIENTATION_180:
      turn->flip_x = turn->flip_y = TRUE;
      break;
    case GST_VIDEO_ORIENTATION_90L:
      turn->transposed = turn->flip_y = TRUE;
      break;
    case GST_VIDEO_ORIENTATION_HORIZ:
      turn->flip_x = TRUE;
      break;
    case GST_VIDEO_ORIENTATION_VERT:
      turn->flip_y = TRUE;
      break;
    case GST_VIDEO_ORIENTATION_UL_LR:
      turn->transposed = TRUE;
      break;
    case GST_VIDEO_ORIENTATION_UR_LL:
      turn->transposed = turn->flip_x = turn->flip_y = TRUE;
      break;
    default:
      return FALSE;
  }

  turn->width_px = turn->transposed ? crop->h : crop->w;
  turn->height_px = turn->transposed ? crop->w : crop->h;
  turn->band_px = crop->h > NARROW_FROM_PX ? NARROW_BAND_PX : BAND_PX;
  /* an odd number of cache lines: a column of the band then uses all sets of the cache, not a few */
  turn->band_stride_bytes = ((4 * ((gsize) crop->h + 1) + 63) / 64 | 1) * 64;
  return TRUE;
}

gboolean
gst_ba_turn_state_init (const GstBaTurn *turn, GstBaTurnState *state)
{
  *state = (GstBaTurnState){ .band_number = -1 };
  if (turn->transposed) {
    state->tile = g_try_malloc_n ((gsize) turn->band_px * TILE_ROWS, 4);
    state->band = g_try_malloc_n ((gsize) turn->band_px, turn->band_stride_bytes);
    return state->tile != NULL && state->band != NULL;
  }
  if (turn->flip_x) {
    state->line = g_try_malloc_n ((gsize) turn->crop.w, 4);
    return state->line != NULL;
  }
  return TRUE;
}

void
gst_ba_turn_state_finish (GstBaTurnState *state)
{
  g_free (state->line);
  g_free (state->tile);
  g_free (state->band);
}

static void
transpose_c (const guint8 *src, gsize src_stride_bytes, guint8 *dst, gsize dst_stride_bytes, gint width_px,
             gint height_px)
{
  gint x, y;

  for (x = 0; x < width_px; x++)
    for (y = 0; y < height_px; y++)
      memcpy (dst + (gsize) x * dst_stride_bytes + 4 * (gsize) y, src + (gsize) y * src_stride_bytes + 4 * (gsize) x,
              4);
}

#ifdef __x86_64__
static void
transpose_4x4 (const guint8 *src, gsize src_stride_bytes, guint8 *dst, gsize dst_stride_bytes)
{
  const __m128i a = _mm_loadu_si128 ((const __m128i *) src);
  const __m128i b = _mm_loadu_si128 ((const __m128i *) (src + src_stride_bytes));
  const __m128i c = _mm_loadu_si128 ((const __m128i *) (src + 2 * src_stride_bytes));
  const __m128i d = _mm_loadu_si128 ((const __m128i *) (src + 3 * src_stride_bytes));
  const __m128i ab_low = _mm_unpacklo_epi32 (a, b), ab_high = _mm_unpackhi_epi32 (a, b);
  const __m128i cd_low = _mm_unpacklo_epi32 (c, d), cd_high = _mm_unpackhi_epi32 (c, d);

  _mm_storeu_si128 ((__m128i *) dst, _mm_unpacklo_epi64 (ab_low, cd_low));
  _mm_storeu_si128 ((__m128i *) (dst + dst_stride_bytes), _mm_unpackhi_epi64 (ab_low, cd_low));
  _mm_storeu_si128 ((__m128i *) (dst + 2 * dst_stride_bytes), _mm_unpacklo_epi64 (ab_high, cd_high));
  _mm_storeu_si128 ((__m128i *) (dst + 3 * dst_stride_bytes), _mm_unpackhi_epi64 (ab_high, cd_high));
}
#endif

void
gst_ba_transpose (const guint8 *src, gsize src_stride_bytes, guint8 *dst, gsize dst_stride_bytes, gint width_px,
                  gint height_px)
{
#ifdef __x86_64__
  const gint width_4 = width_px & ~3, height_4 = height_px & ~3;
  gint x, y;

  for (x = 0; x < width_4; x += 4)
    for (y = 0; y < height_4; y += 4)
      transpose_4x4 (src + (gsize) y * src_stride_bytes + 4 * (gsize) x, src_stride_bytes,
                     dst + (gsize) x * dst_stride_bytes + 4 * (gsize) y, dst_stride_bytes);
  transpose_c (src + 4 * (gsize) width_4, src_stride_bytes, dst + (gsize) width_4 * dst_stride_bytes, dst_stride_bytes,
               width_px - width_4, height_4);
  transpose_c (src + (gsize) height_4 * src_stride_bytes, src_stride_bytes, dst + 4 * (gsize) height_4,
               dst_stride_bytes, width_px, height_px - height_4);
#else
  transpose_c (src, src_stride_bytes, dst, dst_stride_bytes, width_px, height_px);
#endif
}

/* Row @n of the turned picture, out of the band. Bands begin at even columns of the frame, where chroma does. */
static guint8 *
band_row (const GstBaTurn *turn, GstBaTurnState *state, const GstVideoFrame *frame, gint n)
{
  const GstVideoRectangle *crop = &turn->crop;
  const gint column = turn->flip_y ? crop->w - 1 - n : n, odd = crop->x & 1;
  const gint number = (column + odd) / turn->band_px;
  const gint first = MAX (number * turn->band_px - odd, 0);
  const gint end = MIN ((number + 1) * turn->band_px - odd, crop->w);
  const gsize tile_stride_bytes = 4 * (gsize) turn->band_px;
  gint y, i;

  for (y = 0; state->band_number != number && y < crop->h; y += TILE_ROWS) {
    const gint rows = MIN (TILE_ROWS, crop->h - y);

    for (i = 0; i < rows; i++)
      turn->reader->read (turn->reader, frame, crop->x + first, crop->y + (turn->flip_x ? crop->h - 1 - y - i : y + i),
                          end - first, state->tile + (gsize) i * tile_stride_bytes);
    gst_ba_transpose (state->tile, tile_stride_bytes, state->band + 4 * (gsize) y, turn->band_stride_bytes, end - first,
                      rows);
  }
  state->band_number = number;
  return state->band + (gsize) (column - first) * turn->band_stride_bytes;
}

guint8 *
gst_ba_turn_row (const GstBaTurn *turn, GstBaTurnState *state, const GstVideoFrame *frame, gint n, guint8 *dst)
{
  const GstVideoRectangle *crop = &turn->crop;
  const gint y = crop->y + (turn->flip_y ? crop->h - 1 - n : n);

  if (turn->transposed)
    return band_row (turn, state, frame, n);
  if (turn->flip_x) {
    turn->reader->read (turn->reader, frame, crop->x, y, crop->w, state->line);
    gst_ba_row_mirror (state->line, dst, crop->w);
  } else {
    turn->reader->read (turn->reader, frame, crop->x, y, crop->w, dst);
  }
  return dst;
}
