/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layout-private.h: arithmetic on layouts and sizes that cannot overflow. */
#ifndef BUFALLOC_LAYOUT_PRIVATE_H
#define BUFALLOC_LAYOUT_PRIVATE_H

#include "types.h"

/* a + b and a * b; false on overflow. */
static inline bool
bai_add (size_t a, size_t b, size_t *sum)
{
  return !__builtin_add_overflow (a, b, sum);
}

static inline bool
bai_mul (size_t a, size_t b, size_t *product)
{
  return !__builtin_mul_overflow (a, b, product);
}

/* Rounds up to a multiple of @align, a power of two; false on overflow. */
static inline bool
bai_round_up (size_t value, size_t align, size_t *rounded)
{
  if (!bai_add (value, align - 1, rounded))
    return false;
  *rounded &= ~(align - 1);
  return true;
}

/* Where the last row of a layout's only plane ends, padding included; false where it has no size or overflows. */
static inline bool
bai_layout_end (const BaLayout *layout, size_t *end_bytes)
{
  size_t rows_bytes;
  return layout->stride_bytes[0] && layout->height_px
      && bai_mul (layout->stride_bytes[0], layout->height_px, &rows_bytes)
      && bai_add (layout->offset_bytes[0], rows_bytes, end_bytes);
}

/* Whether every plane of @layout begins inside @size_bytes and its rows' starts do too. How many rows a sub-sampled
 * plane has is not known here: only the first plane, which has all of them, is checked to its last row. */
static inline bool
bai_layout_fits (const BaLayout *layout, size_t size_bytes)
{
  if (layout->n_planes > BA_MAX_PLANES)
    return false;
  for (unsigned i = 0; i < layout->n_planes; i++) {
    if (layout->offset_bytes[i] >= size_bytes || layout->stride_bytes[i] == 0)
      return false;
  }
  if (layout->n_planes == 0)
    return true;
  size_t last_row, end;
  if (layout->width_px == 0 || layout->height_px == 0)
    return false;
  return bai_mul (layout->stride_bytes[0], layout->height_px - 1, &last_row)
      && bai_add (layout->offset_bytes[0], last_row, &end) && end < size_bytes;
}

#endif
