/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstfbdevzerosink-place.c: where a picture lies on the screen. Pure arithmetic in 64 bits. */
#include "gstfbdevzerosink-private.h"

static gint
scale (gint value, gint64 num, gint64 den)
{
  return (gint) CLAMP ((value * num + den / 2) / den, 1, G_MAXINT);
}

/* Centres @w × @h, which may be larger than the screen, and cuts the picture where it is. */
static void
centre (Placement * place, gint w, gint h, gint width, gint height)
{
  GstVideoRectangle *src = &place->src;

  if (w > width) {
    gint keep = scale (src->w, width, w);

    src->x += (src->w - keep) / 2;
    src->w = keep;
    w = width;
  }
  if (h > height) {
    gint keep = scale (src->h, height, h);

    src->y += (src->h - keep) / 2;
    src->h = keep;
    h = height;
  }
  place->dst = (GstVideoRectangle) {
  (width - w) / 2, (height - h) / 2, w, h};
}

void
gst_fbdev_zero_sink_place (GstBaScaling scaling, const GstVideoRectangle * src, gint par_n, gint par_d,
    gint width, gint height, Placement * out)
{
  /* the picture's shape in square pixels: w : h = src->w * par_n : src->h * par_d */
  gint64 shape_w = (gint64) src->w * MAX (par_n, 1);
  gint64 shape_h = (gint64) src->h * MAX (par_d, 1);
  gboolean wider;

  for (; shape_w > G_MAXINT || shape_h > G_MAXINT; shape_w /= 2, shape_h /= 2)
    continue;                   /* absurd ratios keep their direction, and products fit into 64 bits */
  shape_w = MAX (shape_w, 1);
  shape_h = MAX (shape_h, 1);
  wider = shape_w * height >= shape_h * width;  /* than the screen */
  out->src = *src;
  switch (scaling) {
    case GST_BA_SCALING_NONE:
      centre (out, src->w, src->h, width, height);
      break;
    case GST_BA_SCALING_STRETCH:
      centre (out, width, height, width, height);
      break;
    case GST_BA_SCALING_FIT:
      if (wider)
        centre (out, width, scale (width, shape_h, shape_w), width, height);
      else
        centre (out, scale (height, shape_w, shape_h), height, width, height);
      break;
    case GST_BA_SCALING_FILL:
      if (wider)
        centre (out, scale (height, shape_w, shape_h), height, width, height);
      else
        centre (out, width, scale (width, shape_h, shape_w), width, height);
      break;
  }
}

gboolean
gst_fbdev_zero_sink_is_1to1 (const Placement * place)
{
  return place->src.w == place->dst.w && place->src.h == place->dst.h;
}
