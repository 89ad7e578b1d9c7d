/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbaoverlay.c: which bitmaps lie over the frame at hand, and where; made once, kept while they are shown.
 *
 * GStreamer's global alpha is applied here and not asked for there: its own function changes the rectangle's pixels in
 * place, rounds twice, and divides by an alpha that may be 0.
 */

#include "gstbaoverlay-private.h"

/* Render rectangles beyond this are nonsense; within it 64 bits are enough for all that is computed of them. */
#define EDGE_MAX_PX (1 << 24)

static const GstBaOverlayTurn turns[] = {
  [GST_VIDEO_ORIENTATION_IDENTITY] = { FALSE, FALSE, FALSE }, [GST_VIDEO_ORIENTATION_90R] = { TRUE, FALSE, TRUE },
  [GST_VIDEO_ORIENTATION_180] = { FALSE, TRUE, TRUE },        [GST_VIDEO_ORIENTATION_90L] = { TRUE, TRUE, FALSE },
  [GST_VIDEO_ORIENTATION_HORIZ] = { FALSE, TRUE, FALSE },     [GST_VIDEO_ORIENTATION_VERT] = { FALSE, FALSE, TRUE },
  [GST_VIDEO_ORIENTATION_UL_LR] = { TRUE, FALSE, FALSE },     [GST_VIDEO_ORIENTATION_UR_LL] = { TRUE, TRUE, TRUE },
};

/* What makes a bitmap: as long as all of it is the same, the bitmap is. */
typedef struct
{
  guint seqnum;
  GstVideoOverlayFormatFlags flags;
  gfloat alpha;
  GstVideoOrientationMethod direction;
  GstBaOverlayPlace place;
  GstVideoRectangle area;
} Key;

typedef struct
{
  Key key;
  GstBaOverlayBitmap bitmap;
} Entry;

struct _GstBaOverlay
{
  GPtrArray *entries; /* (owned), one for each rectangle of the composition, what is not to be seen too */
  GPtrArray *before; /* the entries of the frame before, while a frame is prepared; else empty */
  GPtrArray *seen; /* (transfer none), those with something to see */
  guint8 *band; /* (owned) (nullable) */
  gsize band_bytes;
};

static void
entry_free (Entry *entry)
{
  if (entry == NULL)
    return;
  gst_ba_overlay_bitmap_clear (&entry->bitmap);
  g_free (entry);
}

GstBaOverlay *
gst_ba_overlay_new (void)
{
  GstBaOverlay *self = g_new0 (GstBaOverlay, 1);

  self->entries = g_ptr_array_new ();
  self->before = g_ptr_array_new ();
  self->seen = g_ptr_array_new ();
  return self;
}

static void
free_entries (GPtrArray *entries)
{
  guint i;

  for (i = 0; i < entries->len; i++)
    entry_free (entries->pdata[i]);
  g_ptr_array_set_size (entries, 0);
}

void
gst_ba_overlay_free (GstBaOverlay *self)
{
  if (self == NULL)
    return;
  free_entries (self->entries);
  g_ptr_array_unref (self->entries);
  g_ptr_array_unref (self->before);
  g_ptr_array_unref (self->seen);
  g_free (self->band);
  g_free (self);
}

/* round (value * num / den), half up, for negative values too */
static gint64
scale_edge (gint64 value, gint64 num, gint64 den)
{
  const gint64 doubled = 2 * value * num + den;
  const gint64 quotient = doubled / (2 * den);

  return quotient * 2 * den > doubled ? quotient - 1 : quotient;
}

/* From the frame's pixels to the screen's; edges go to the nearest pixel, and nothing gets thinner than one. */
static void
place_rectangle (GstVideoOverlayRectangle *rectangle, const GstVideoRectangle *crop, const GstBaOverlayTurn *turn,
                 const GstVideoRectangle *dst, GstBaOverlayPlace *place)
{
  const gint64 turned_w = turn->transposed ? crop->h : crop->w, turned_h = turn->transposed ? crop->w : crop->h;
  gint64 left, top, right, bottom;
  gint x, y;
  guint w, h;

  gst_video_overlay_rectangle_get_render_rectangle (rectangle, &x, &y, &w, &h);
  left = CLAMP ((gint64) x - crop->x, -EDGE_MAX_PX, EDGE_MAX_PX);
  top = CLAMP ((gint64) y - crop->y, -EDGE_MAX_PX, EDGE_MAX_PX);
  right = left + MIN (w, EDGE_MAX_PX);
  bottom = top + MIN (h, EDGE_MAX_PX);
  if (turn->from_right) {
    const gint64 mirrored = crop->w - right;

    right = crop->w - left;
    left = mirrored;
  }
  if (turn->from_bottom) {
    const gint64 mirrored = crop->h - bottom;

    bottom = crop->h - top;
    top = mirrored;
  }
  if (turn->transposed) {
    const GstBaOverlayPlace straight = { left, top, right, bottom };

    left = straight.top;
    top = straight.left;
    right = straight.bottom;
    bottom = straight.right;
  }
  place->left = dst->x + scale_edge (left, dst->w, turned_w);
  place->top = dst->y + scale_edge (top, dst->h, turned_h);
  place->right = MAX (dst->x + scale_edge (right, dst->w, turned_w), place->left + 1);
  place->bottom = MAX (dst->y + scale_edge (bottom, dst->h, turned_h), place->top + 1);
}

/* FALSE: nothing is left of it. */
static gboolean
cut_place (const GstBaOverlayPlace *place, const GstVideoRectangle *dst, GstVideoRectangle *area)
{
  const gint64 left = MAX (place->left, dst->x), right = MIN (place->right, (gint64) dst->x + dst->w);
  const gint64 top = MAX (place->top, dst->y), bottom = MIN (place->bottom, (gint64) dst->y + dst->h);

  *area = (GstVideoRectangle){ 0, 0, 0, 0 };
  if (left >= right || top >= bottom)
    return FALSE;
  *area = (GstVideoRectangle){ (gint) left, (gint) top, (gint) (right - left), (gint) (bottom - top) };
  return TRUE;
}

static gboolean
same_rectangle (const GstVideoRectangle *a, const GstVideoRectangle *b)
{
  return a->x == b->x && a->y == b->y && a->w == b->w && a->h == b->h;
}

static gboolean
same_key (const Key *a, const Key *b)
{
  return a->seqnum == b->seqnum && a->flags == b->flags && a->alpha == b->alpha && a->direction == b->direction
         && a->place.left == b->place.left && a->place.top == b->place.top && a->place.right == b->place.right
         && a->place.bottom == b->place.bottom && same_rectangle (&a->area, &b->area);
}

/* Fills @entry's bitmap, which stays empty where the pixels cannot be had. */
static void
make_bitmap (Entry *entry, GstVideoOverlayRectangle *rectangle)
{
  const Key *key = &entry->key;
  const gboolean premultiplied = (key->flags & GST_VIDEO_OVERLAY_FORMAT_FLAG_PREMULTIPLIED_ALPHA) != 0;
  GstBuffer *buffer;
  GstVideoMeta *meta;
  GstMapInfo map;
  gpointer pixels;
  gint stride_bytes;

  /* "global alpha" here: leave it to the caller */
  buffer = gst_video_overlay_rectangle_get_pixels_unscaled_argb (
      rectangle,
      (key->flags & GST_VIDEO_OVERLAY_FORMAT_FLAG_PREMULTIPLIED_ALPHA) | GST_VIDEO_OVERLAY_FORMAT_FLAG_GLOBAL_ALPHA);
  meta = buffer != NULL ? gst_buffer_get_video_meta (buffer) : NULL;
  if (meta == NULL || meta->format != GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB)
    return;
  if (!gst_video_meta_map (meta, 0, &map, &pixels, &stride_bytes, GST_MAP_READ))
    return;

  gst_ba_overlay_bitmap_init (&entry->bitmap, pixels, stride_bytes, (gint) meta->width, (gint) meta->height,
                              premultiplied, key->alpha, &turns[key->direction], &key->place, &key->area);
  gst_video_meta_unmap (meta, 0, &map);
}

/* The entry of the frame before with this key, most likely the one that had the same number; NULL: there is none. */
static Entry *
take_entry (GPtrArray *before, guint number, const Key *key)
{
  guint i;

  for (i = 0; i < before->len; i++) {
    const guint at = (number + i) % before->len;
    Entry *entry = before->pdata[at];

    if (entry != NULL && same_key (&entry->key, key)) {
      before->pdata[at] = NULL;
      return entry;
    }
  }
  return NULL;
}

static void
prepare_rectangle (GstBaOverlay *self, guint number, GstVideoOverlayRectangle *rectangle, const GstVideoRectangle *crop,
                   GstVideoOrientationMethod direction, const GstVideoRectangle *dst)
{
  Key key = { .seqnum = gst_video_overlay_rectangle_get_seqnum (rectangle),
              .flags = gst_video_overlay_rectangle_get_flags (rectangle),
              .alpha = gst_video_overlay_rectangle_get_global_alpha (rectangle),
              .direction = direction };
  Entry *entry;

  place_rectangle (rectangle, crop, &turns[direction], dst, &key.place);
  if (!cut_place (&key.place, dst, &key.area))
    return;

  entry = take_entry (self->before, number, &key);
  if (entry == NULL) {
    entry = g_new0 (Entry, 1);
    entry->key = key;
    make_bitmap (entry, rectangle);
  }
  g_ptr_array_add (self->entries, entry);
  if (entry->bitmap.seen.w > 0)
    g_ptr_array_add (self->seen, entry);
}

gboolean
gst_ba_overlay_prepare (GstBaOverlay *self, GstVideoOverlayComposition *composition, const GstVideoRectangle *crop,
                        GstVideoOrientationMethod direction, const GstVideoRectangle *dst)
{
  const guint n = composition != NULL ? gst_video_overlay_composition_n_rectangles (composition) : 0;
  GPtrArray *before;
  guint i;

  g_return_val_if_fail (self != NULL && crop != NULL && dst != NULL, FALSE);
  g_return_val_if_fail (direction <= GST_VIDEO_ORIENTATION_UR_LL, FALSE);
  g_return_val_if_fail (crop->w >= 1 && crop->h >= 1 && dst->w >= 1 && dst->h >= 1, FALSE);

  before = self->entries;
  self->entries = self->before;
  self->before = before;
  g_ptr_array_set_size (self->seen, 0);
  for (i = 0; i < n; i++)
    prepare_rectangle (self, self->entries->len, gst_video_overlay_composition_get_rectangle (composition, i), crop,
                       direction, dst);
  free_entries (before);
  return self->seen->len > 0;
}

guint
gst_ba_overlay_get_n_rectangles (GstBaOverlay *self)
{
  g_return_val_if_fail (self != NULL, 0);
  return self->seen->len;
}

static const GstBaOverlayBitmap *
get_bitmap (GstBaOverlay *self, guint n)
{
  const Entry *entry = self->seen->pdata[n];

  return &entry->bitmap;
}

void
gst_ba_overlay_get_rectangle (GstBaOverlay *self, guint n, GstVideoRectangle *rect)
{
  g_return_if_fail (self != NULL && rect != NULL && n < self->seen->len);
  *rect = get_bitmap (self, n)->seen;
}

gboolean
gst_ba_overlay_covers (GstBaOverlay *self, gint first_row, gint n_rows)
{
  guint i;

  g_return_val_if_fail (self != NULL, FALSE);
  for (i = 0; i < self->seen->len; i++) {
    const GstBaOverlayBitmap *bitmap = get_bitmap (self, i);
    const gint first = MAX (first_row, bitmap->seen.y) - bitmap->area.y;
    const gint end = MIN (first_row + n_rows, bitmap->seen.y + bitmap->seen.h) - bitmap->area.y;

    if (first < end && bitmap->first_run[first] < bitmap->first_run[end])
      return TRUE;
  }
  return FALSE;
}

gboolean
gst_ba_overlay_get_span (GstBaOverlay *self, guint n, gint row, gint *x_px, gint *n_px)
{
  const GstBaOverlayBitmap *bitmap;
  const GstBaOverlayRun *first, *last;
  gint y;

  g_return_val_if_fail (self != NULL && x_px != NULL && n_px != NULL && n < self->seen->len, FALSE);
  bitmap = get_bitmap (self, n);
  y = row - bitmap->area.y;
  if (y < 0 || y >= bitmap->area.h || bitmap->first_run[y] == bitmap->first_run[y + 1])
    return FALSE;

  first = &bitmap->runs[bitmap->first_run[y]];
  last = &bitmap->runs[bitmap->first_run[y + 1] - 1];
  *x_px = bitmap->area.x + first->x_px;
  *n_px = last->x_px + last->n_px - first->x_px;
  return TRUE;
}

void
gst_ba_overlay_blend_rectangle (GstBaOverlay *self, guint n, const GstBaPageFormat *format, guint8 *rows,
                                gint stride_bytes, const GstVideoRectangle *area)
{
  g_return_if_fail (self != NULL && format != NULL && rows != NULL && area != NULL && n < self->seen->len);
  g_return_if_fail (gst_ba_writer_supports (format));
  gst_ba_overlay_bitmap_blend (get_bitmap (self, n), format, rows, stride_bytes, area);
}

void
gst_ba_overlay_blend (GstBaOverlay *self, const GstBaPageFormat *format, guint8 *rows, gint stride_bytes,
                      const GstVideoRectangle *area)
{
  guint i;

  g_return_if_fail (self != NULL);
  for (i = 0; i < self->seen->len; i++)
    gst_ba_overlay_blend_rectangle (self, i, format, rows, stride_bytes, area);
}

guint8 *
gst_ba_overlay_get_band (GstBaOverlay *self, gsize size_bytes)
{
  g_return_val_if_fail (self != NULL, NULL);
  if (size_bytes > self->band_bytes) {
    g_free (self->band);
    self->band = g_try_malloc (size_bytes);
    self->band_bytes = self->band != NULL ? size_bytes : 0;
  }
  return self->band;
}
