/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbadamage.c: which rows of which page differ from the picture that was painted last.
 *
 * What holds between two frames: where a page has no mark for a row, its bytes in the columns of the last frame are
 * those of the shadow. A row that changes marks all pages; writing it to a page takes that page's mark away. Frames of
 * other columns than the last one's void all marks at once: of what lay beside the last frame nothing is known. Frames
 * of other rows void none: a row keeps its marks while no frame covers it.
 */

#include "gstbapaint-private.h"

struct _GstBaDamage
{
  gsize row_bytes;
  gint n_rows;
  guint n_pages;
  guint8 *shadow;
  guint8 *marks; /* of row y and page p: marks[y * n_pages + p] */
  gsize first_byte; /* columns of the last frame */
  gsize n_bytes;
  guint page; /* of the frame at hand */
  guint8 *band; /* (owned) (nullable) */
  gsize band_bytes;
};

GstBaDamage *
gst_ba_damage_new (gsize row_bytes, gint n_rows, guint n_pages)
{
  GstBaDamage *self;

  g_return_val_if_fail (row_bytes >= 1 && n_rows >= 1 && n_pages >= 1, NULL);

  self = g_try_new0 (GstBaDamage, 1);
  if (self == NULL)
    return NULL;
  self->row_bytes = row_bytes;
  self->n_rows = n_rows;
  self->n_pages = n_pages;
  self->shadow = g_try_malloc_n ((gsize) n_rows, row_bytes);
  self->marks = g_try_malloc_n ((gsize) n_rows, n_pages);
  if (self->shadow == NULL || self->marks == NULL) {
    gst_ba_damage_free (self);
    return NULL;
  }
  memset (self->shadow, 0, (gsize) n_rows * row_bytes);
  memset (self->marks, 1, (gsize) n_rows * n_pages);
  return self;
}

void
gst_ba_damage_free (GstBaDamage *self)
{
  if (self == NULL)
    return;
  g_free (self->shadow);
  g_free (self->marks);
  g_free (self->band);
  g_free (self);
}

void
gst_ba_damage_forget_page (GstBaDamage *self, guint page)
{
  gint y;

  g_return_if_fail (self != NULL);
  if (page >= self->n_pages)
    return;
  for (y = 0; y < self->n_rows; y++)
    self->marks[(gsize) y * self->n_pages + page] = 1;
}

gboolean
gst_ba_damage_begin (GstBaDamage *self, guint page, gsize first_byte, gsize n_bytes, gint first_row, gint n_rows)
{
  g_return_val_if_fail (self != NULL, FALSE);

  if (page >= self->n_pages || first_byte > self->row_bytes || n_bytes > self->row_bytes - first_byte || first_row < 0
      || n_rows > self->n_rows - first_row) {
    gst_ba_damage_forget_page (self, page);
    return FALSE;
  }
  if (first_byte != self->first_byte || n_bytes != self->n_bytes)
    memset (self->marks, 1, (gsize) self->n_rows * self->n_pages);
  self->first_byte = first_byte;
  self->n_bytes = n_bytes;
  self->page = page;
  return TRUE;
}

gboolean
gst_ba_damage_take_row (GstBaDamage *self, gint row, const guint8 *bytes)
{
  guint8 *shadow = self->shadow + (gsize) row * self->row_bytes + self->first_byte;
  guint8 *marks = self->marks + (gsize) row * self->n_pages;
  gboolean wanted;

  if (memcmp (shadow, bytes, self->n_bytes) != 0) {
    memcpy (shadow, bytes, self->n_bytes);
    memset (marks, 1, self->n_pages);
  }
  wanted = marks[self->page];
  marks[self->page] = 0;
  return wanted;
}

guint8 *
gst_ba_damage_get_band (GstBaDamage *self, gsize size_bytes)
{
  g_return_val_if_fail (self != NULL, NULL);

  if (size_bytes > self->band_bytes) {
    g_free (self->band);
    self->band = g_try_malloc (size_bytes);
    self->band_bytes = self->band != NULL ? size_bytes : 0;
  }
  return self->band;
}
