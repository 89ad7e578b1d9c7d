/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstfbdevzerosink-place.c: where a picture lies on the screen, and turned how. Pure arithmetic in 64 bits. */
#include "gstfbdevzerosink-private.h"

static gint
scale (gint value, gint64 num, gint64 den)
{
  return (gint) CLAMP ((value * num + den / 2) / den, 1, G_MAXINT);
}

/* Centres @w × @h, which may be larger than @area, in it, and cuts the picture where it is. */
static void
centre (Placement * place, gint w, gint h, const GstVideoRectangle * area)
{
  GstVideoRectangle *src = &place->src;

  if (w > area->w) {
    gint keep = scale (src->w, area->w, w);

    src->x += (src->w - keep) / 2;
    src->w = keep;
    w = area->w;
  }
  if (h > area->h) {
    gint keep = scale (src->h, area->h, h);

    src->y += (src->h - keep) / 2;
    src->h = keep;
    h = area->h;
  }
  place->dst = (GstVideoRectangle) {
  area->x + (area->w - w) / 2, area->y + (area->h - h) / 2, w, h};
}

/* Cuts what lies left of 0 or right of @size on one axis; FALSE where nothing is left. */
static gboolean
clip_axis (gint * src, gint * src_length, gint * dst, gint * dst_length, gint size)
{
  gint64 begin = MAX (*dst, 0), end = MIN ((gint64) * dst + *dst_length, size);
  gint64 skipped = begin - *dst, kept = end - begin;
  gint64 whole = *dst_length, first, last;

  if (kept <= 0)
    return FALSE;
  if (kept == whole)
    return TRUE;
  first = skipped * *src_length / whole;
  last = ((skipped + kept) * *src_length + whole - 1) / whole;
  *src += (gint) first;
  *src_length = (gint) CLAMP (last - first, 1, *src_length - first);
  *dst = (gint) begin;
  *dst_length = (gint) kept;
  return TRUE;
}

gboolean
gst_fbdev_zero_sink_swaps_sides (GstVideoOrientationMethod direction)
{
  return direction == GST_VIDEO_ORIENTATION_90R || direction == GST_VIDEO_ORIENTATION_90L
      || direction == GST_VIDEO_ORIENTATION_UL_LR || direction == GST_VIDEO_ORIENTATION_UR_LL;
}

/* @rect is a part of a picture of @w × @h turned by @direction; makes it the same part of the picture as it was. */
static void
turn_back (GstVideoOrientationMethod direction, gint w, gint h, GstVideoRectangle * rect)
{
  const GstVideoRectangle r = *rect;

  switch (direction) {
    case GST_VIDEO_ORIENTATION_90R:
      *rect = (GstVideoRectangle) {
      r.y, h - r.x - r.w, r.h, r.w};
      break;
    case GST_VIDEO_ORIENTATION_180:
      *rect = (GstVideoRectangle) {
      w - r.x - r.w, h - r.y - r.h, r.w, r.h};
      break;
    case GST_VIDEO_ORIENTATION_90L:
      *rect = (GstVideoRectangle) {
      w - r.y - r.h, r.x, r.h, r.w};
      break;
    case GST_VIDEO_ORIENTATION_HORIZ:
      rect->x = w - r.x - r.w;
      break;
    case GST_VIDEO_ORIENTATION_VERT:
      rect->y = h - r.y - r.h;
      break;
    case GST_VIDEO_ORIENTATION_UL_LR:
      *rect = (GstVideoRectangle) {
      r.y, r.x, r.h, r.w};
      break;
    case GST_VIDEO_ORIENTATION_UR_LL:
      *rect = (GstVideoRectangle) {
      w - r.y - r.h, h - r.x - r.w, r.h, r.w};
      break;
    default:
      break;
  }
}

gboolean
gst_fbdev_zero_sink_place (const View * view, const GstVideoRectangle * src, gint par_n, gint par_d, Placement * out)
{
  gboolean swaps = gst_fbdev_zero_sink_swaps_sides (view->direction);
  /* as it is seen: w : h are pixels, shape_w : shape_h the picture's shape in square ones */
  gint w = swaps ? src->h : src->w, h = swaps ? src->w : src->h;
  gint64 shape_w = (gint64) w * MAX (swaps ? par_d : par_n, 1);
  gint64 shape_h = (gint64) h * MAX (swaps ? par_n : par_d, 1);
  GstVideoRectangle area = view->area;
  gboolean wider;

  if (area.w <= 0 || area.h <= 0)
    area = (GstVideoRectangle) {
    0, 0, view->screen_w, view->screen_h};
  for (; shape_w > G_MAXINT || shape_h > G_MAXINT; shape_w /= 2, shape_h /= 2)
    continue;                   /* absurd ratios keep their direction, and products fit into 64 bits */
  shape_w = MAX (shape_w, 1);
  shape_h = MAX (shape_h, 1);
  wider = shape_w * area.h >= shape_h * area.w; /* than the area */
  out->direction = view->direction;
  out->src = (GstVideoRectangle) {
  0, 0, w, h};
  switch (view->scaling) {
    case GST_BA_SCALING_NONE:
      centre (out, w, h, &area);
      break;
    case GST_BA_SCALING_STRETCH:
      centre (out, area.w, area.h, &area);
      break;
    case GST_BA_SCALING_FIT:
      if (wider)
        centre (out, area.w, scale (area.w, shape_h, shape_w), &area);
      else
        centre (out, scale (area.h, shape_w, shape_h), area.h, &area);
      break;
    case GST_BA_SCALING_FILL:
      if (wider)
        centre (out, scale (area.h, shape_w, shape_h), area.h, &area);
      else
        centre (out, area.w, scale (area.w, shape_h, shape_w), &area);
      break;
  }
  if (!clip_axis (&out->src.x, &out->src.w, &out->dst.x, &out->dst.w, view->screen_w)
      || !clip_axis (&out->src.y, &out->src.h, &out->dst.y, &out->dst.h, view->screen_h))
    return FALSE;
  if (view->x_step_px > 1) {
    gint more = out->dst.x % view->x_step_px;

    out->dst.x -= more;         /* there is room: it was inside */
  }
  if (view->y_step_px > 1)
    out->dst.y -= out->dst.y % view->y_step_px;
  turn_back (view->direction, src->w, src->h, &out->src);
  out->src.x += src->x;
  out->src.y += src->y;
  return TRUE;
}

gboolean
gst_fbdev_zero_sink_is_1to1 (const Placement * place)
{
  return place->direction == GST_VIDEO_ORIENTATION_IDENTITY && place->src.w == place->dst.w
      && place->src.h == place->dst.h;
}
