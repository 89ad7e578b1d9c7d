/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstfbdevzerosink-native.c: pages in the stream's own format, and where the plane scales, of its own size.
 *
 * A KMS plane may scan out YUV, and may scale. Then what a decoder puts out can be flipped as it is, however large it is
 * to be seen. Which pages those are is known with the caps, so the display gets others then. Into them frames can be
 * copied, but nothing can be painted: what needs that (a turned picture, text over it, a crop) has the plain pages back.
 */
#include "gstfbdevzerosink-private.h"

#include <errno.h>

#define GST_CAT_DEFAULT gst_fbdev_zero_sink_debug

/* What planes scan out and the CPU can convert from where it has to; what most decoders give, first. */
static const GstVideoFormat yuv_formats[] = {
  GST_VIDEO_FORMAT_NV12, GST_VIDEO_FORMAT_I420, GST_VIDEO_FORMAT_YV12, GST_VIDEO_FORMAT_NV21, GST_VIDEO_FORMAT_NV16,
  GST_VIDEO_FORMAT_NV61, GST_VIDEO_FORMAT_Y42B, GST_VIDEO_FORMAT_YUY2, GST_VIDEO_FORMAT_UYVY, GST_VIDEO_FORMAT_Y444,
  GST_VIDEO_FORMAT_P010_10LE
};

/* ---- colours --------------------------------------------------------------------------------------------------- */

/* The nearest of the matrices that planes know; FALSE where that shows other colours than a conversion would. With
 * BT.601 those of FCC are off by two steps of 255 at most, less than the three that conversions may be; with BT.709 those
 * of SMPTE 240M are by more than five. */
static gboolean
find_matrix (const GstVideoInfo * info, BaYuvMatrix * matrix)
{
  *matrix = BA_YUV_BT601;
  switch (info->colorimetry.matrix) {
    case GST_VIDEO_COLOR_MATRIX_BT601:
    case GST_VIDEO_COLOR_MATRIX_FCC:
      return TRUE;
    case GST_VIDEO_COLOR_MATRIX_BT709:
      *matrix = BA_YUV_BT709;
      return TRUE;
    case GST_VIDEO_COLOR_MATRIX_BT2020:
      *matrix = BA_YUV_BT2020;
      return TRUE;
    case GST_VIDEO_COLOR_MATRIX_SMPTE240M:
      *matrix = BA_YUV_BT709;
      return FALSE;
    default:
      return FALSE;
  }
}

static gboolean
has_full_range (const GstVideoInfo * info)
{
  return info->colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255;
}

static guint
colour_bit (BaYuvMatrix matrix, gboolean full)
{
  return 1u << (2 * (guint) matrix + (full ? 1 : 0));
}

void
gst_fbdev_zero_sink_learn_colours (GstFbdevZeroSink * self)
{
  self->can_tell = 0;
  for (BaYuvMatrix matrix = BA_YUV_BT601; matrix <= BA_YUV_BT2020; matrix++) {
    for (gint full = 0; full < 2; full++) {
      if (ba_display_set_colours (self->display, matrix, full) == 0)
        self->can_tell |= colour_bit (matrix, full);
    }
  }
}

static gboolean
can_be_told (GstFbdevZeroSink * self, const GstVideoInfo * info)
{
  BaYuvMatrix matrix;

  return find_matrix (info, &matrix) && (self->can_tell & colour_bit (matrix, has_full_range (info)));
}

gboolean
gst_fbdev_zero_sink_shows_colours (GstFbdevZeroSink * self, const GstVideoInfo * info)
{
  BaYuvMatrix matrix;

  /* a driver that cannot be told has one idea, which is that of SD video */
  return !GST_VIDEO_INFO_IS_YUV (info) || can_be_told (self, info)
      || (find_matrix (info, &matrix) && matrix == BA_YUV_BT601 && !has_full_range (info));
}

/* With the caps, and not before: what is on the screen till then has colours of its own. */
static void
tell_colours (GstFbdevZeroSink * self)
{
  BaYuvMatrix matrix;

  if (!GST_VIDEO_INFO_IS_YUV (&self->info))
    return;
  find_matrix (&self->info, &matrix);
  if (ba_display_set_colours (self->display, matrix, has_full_range (&self->info)) < 0)
    GST_INFO_OBJECT (self, "the plane cannot be told what the colours of these frames mean");
}

/* ---- formats --------------------------------------------------------------------------------------------------- */

/* A plane that nobody can tell what its colours mean shows them as its driver likes: not unasked. */
static gboolean
may_look_wrong (GstFbdevZeroSink * self)
{
  gboolean may;

  GST_OBJECT_LOCK (self);
  may = self->offer_pages == GST_BA_OFFER_PAGES_ALWAYS;
  GST_OBJECT_UNLOCK (self);
  return may;
}

static gboolean
is_kms (BaDisplay * display)
{
  return g_str_equal (ba_display_get_info (display)->kind, "kms");
}

static void
append_format (GValue * list, GstVideoFormat format)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_STRING);
  g_value_set_static_string (&value, gst_video_format_to_string (format));
  gst_value_list_append_and_take_value (list, &value);
}

void
gst_fbdev_zero_sink_get_native_formats (GstFbdevZeroSink * self, const View * view, GValue * formats)
{
  GstVideoFormat plain;
  BaDisplay *display;

  GST_OBJECT_LOCK (self);
  plain = self->plain_format == GST_VIDEO_FORMAT_UNKNOWN ? GST_VIDEO_FORMAT_GRAY8 : self->plain_format;
  display = self->display ? ba_display_ref (self->display) : NULL;
  GST_OBJECT_UNLOCK (self);
  g_value_init (formats, GST_TYPE_LIST);
  if (display && is_kms (display)
      && ((self->can_tell & colour_bit (BA_YUV_BT709, FALSE)) || may_look_wrong (self))
      && view->direction == GST_VIDEO_ORIENTATION_IDENTITY) {
    for (guint i = 0; i < G_N_ELEMENTS (yuv_formats); i++) {
      if (ba_display_supports_format (display, gst_ba_fourcc_from_format (yuv_formats[i])))
        append_format (formats, yuv_formats[i]);
    }
  }
  append_format (formats, plain);
  if (gst_value_list_get_size (formats) == 1) {
    g_value_unset (formats);
    g_value_init (formats, G_TYPE_STRING);
    g_value_set_static_string (formats, gst_video_format_to_string (plain));
  }
  ba_display_unref (display);
}

/* ---- high dynamic range ---------------------------------------------------------------------------------------- */

/* GStreamer's units are those of CTA-861, but for the brightest, which it has in 0.0001 cd/m2. */
static void
read_hdr (GstCaps * caps, const GstVideoInfo * info, BaHdr * hdr)
{
  GstVideoMasteringDisplayInfo mastering;
  GstVideoContentLightLevel light;

  hdr->is_hlg = info->colorimetry.transfer == GST_VIDEO_TRANSFER_ARIB_STD_B67;
  hdr->is_bt2020 = info->colorimetry.primaries == GST_VIDEO_COLOR_PRIMARIES_BT2020;
  if (gst_video_mastering_display_info_from_caps (&mastering, caps)) {
    for (guint i = 0; i < 3; i++) {
      hdr->primaries[i][0] = mastering.display_primaries[i].x;
      hdr->primaries[i][1] = mastering.display_primaries[i].y;
    }
    hdr->white[0] = mastering.white_point.x;
    hdr->white[1] = mastering.white_point.y;
    hdr->max_luminance = (guint16) MIN (mastering.max_display_mastering_luminance / 10000, G_MAXUINT16);
    hdr->min_luminance = (guint16) MIN (mastering.min_display_mastering_luminance, G_MAXUINT16);
  }
  if (gst_video_content_light_level_from_caps (&light, caps)) {
    hdr->max_cll = light.max_content_light_level;
    hdr->max_fall = light.max_frame_average_light_level;
  }
}

static void
tell_hdr (GstFbdevZeroSink * self, GstCaps * caps)
{
  const GstVideoInfo *info = &self->info;
  gboolean is_hdr = info->colorimetry.transfer == GST_VIDEO_TRANSFER_SMPTE2084
      || info->colorimetry.transfer == GST_VIDEO_TRANSFER_ARIB_STD_B67;
  BaHdr hdr;
  int r;

  memset (&hdr, 0, sizeof hdr);
  if (is_hdr)
    read_hdr (caps, info, &hdr);
  if (self->was_hdr == is_hdr && memcmp (&self->hdr, &hdr, sizeof hdr) == 0)
    return;
  r = ba_display_set_hdr (self->display, is_hdr ? &hdr : NULL);
  GST_INFO_OBJECT (self, "the screen %s: %s", is_hdr ? "is told of high dynamic range" : "has an ordinary range again",
      ba_error_text (r));
  self->hdr = hdr;
  self->was_hdr = is_hdr;
}

/* ---- pages ----------------------------------------------------------------------------------------------------- */

/* What every display of ours is opened with. */
static void
begin_options (GstFbdevZeroSink * self, BaDisplayOptions * options)
{
  GST_OBJECT_LOCK (self);
  *options = (BaDisplayOptions) {
  .pages = self->n_pages,.no_vsync = !self->vsync};
  GST_OBJECT_UNLOCK (self);
  if (self->fits_mode && GST_VIDEO_INFO_FORMAT (&self->info) != GST_VIDEO_FORMAT_UNKNOWN) {
    options->fit_width_px = GST_VIDEO_INFO_WIDTH (&self->info);
    options->fit_height_px = GST_VIDEO_INFO_HEIGHT (&self->info);
    if (GST_VIDEO_INFO_FPS_N (&self->info) > 0)
      options->fit_rate_mhz = (guint32) MIN (gst_util_uint64_scale_int_round (1000, GST_VIDEO_INFO_FPS_N (&self->info),
              GST_VIDEO_INFO_FPS_D (&self->info)), G_MAXUINT32);
  }
}

static BaDisplayWindow
to_window (const GstVideoRectangle * rect)
{
  return (BaDisplayWindow) {
  rect->x, rect->y, (guint32) rect->w, (guint32) rect->h};
}

static gboolean
rect_is_equal (const GstVideoRectangle * a, const GstVideoRectangle * b)
{
  return a->x == b->x && a->y == b->y && a->w == b->w && a->h == b->h;
}

static gboolean
move_window (GstFbdevZeroSink * self, const GstVideoRectangle * on_screen)
{
  BaDisplayWindow window = to_window (on_screen);

  if (rect_is_equal (&self->window, on_screen))
    return TRUE;
  if (ba_display_set_window (self->display, &window) < 0)
    return FALSE;
  self->window = *on_screen;
  return TRUE;
}

/* Other pages: @fourcc 0 = the plain ones; with @window only as much of the screen, in pages of @w x @h (0 = its size). */
static gboolean
change (GstFbdevZeroSink * self, guint32 fourcc, const GstVideoRectangle * window, gint w, gint h)
{
  BaDisplayOptions options;
  BaError error = { 0 };

  if (!self->display)           /* others were tried, and then there was no memory at all */
    return FALSE;
  begin_options (self, &options);
  options.fourcc = fourcc;
  if (window) {
    options.window = to_window (window);
    options.page_width_px = (guint32) w;
    options.page_height_px = (guint32) h;
  }
  if (!gst_fbdev_zero_sink_change_pages (self, &options, &error)) {
    GST_INFO_OBJECT (self, "no other pages: %s", error.message);
    return FALSE;
  }
  GST_OBJECT_LOCK (self);
  self->native = fourcc != 0 && GST_VIDEO_INFO_IS_YUV (&self->screen);
  self->fitted = window != NULL;
  self->window = window ? *window : (GstVideoRectangle) {
  0, 0, 0, 0};
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

gboolean
gst_fbdev_zero_sink_use_plain_pages (GstFbdevZeroSink * self, const GstVideoRectangle * on_screen)
{
  if (!self->display || (!self->native && !self->fitted))
    return FALSE;
  if (!ba_display_get_info (self->display)->is_overlay)
    return change (self, 0, NULL, 0, 0);
  if (!self->native && rect_is_equal (on_screen, &self->window)
      && self->window.w == GST_VIDEO_INFO_WIDTH (&self->screen)
      && self->window.h == GST_VIDEO_INFO_HEIGHT (&self->screen))
    return FALSE;               /* they are as plain as can be */
  return change (self, 0, on_screen, 0, 0);
}

/* The pages as they are, or others: @window NULL = they cover the screen. */
static gboolean
have_pages (GstFbdevZeroSink * self, GstVideoFormat format, const GstVideoRectangle * window, gint w, gint h)
{
  gboolean same = GST_VIDEO_INFO_FORMAT (&self->screen) == format && self->fitted == (window != NULL);

  if (same && !window)
    return TRUE;
  if (same && GST_VIDEO_INFO_WIDTH (&self->screen) == w && GST_VIDEO_INFO_HEIGHT (&self->screen) == h
      && move_window (self, window))
    return TRUE;
  return change (self, gst_ba_fourcc_from_format (format), window, w, h);
}

/* ---- choosing -------------------------------------------------------------------------------------------------- */

static gboolean
can_be_native (GstFbdevZeroSink * self, GstCaps * caps, const Placement * place)
{
  const GstVideoInfo *info = &self->info;
  guint32 fourcc = gst_ba_fourcc_from_format (GST_VIDEO_INFO_FORMAT (info));

  if (fourcc == 0 || GST_VIDEO_INFO_HAS_ALPHA (info) || !ba_display_supports_format (self->display, fourcc))
    return FALSE;
  if (place->direction != GST_VIDEO_ORIENTATION_IDENTITY || place->src.w != GST_VIDEO_INFO_WIDTH (info)
      || place->src.h != GST_VIDEO_INFO_HEIGHT (info))
    return FALSE;
  if (gst_caps_features_contains (gst_caps_get_features (caps, 0), GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION))
    return FALSE;               /* that is painted */
  return !GST_VIDEO_INFO_IS_YUV (info) || can_be_told (self, info) || may_look_wrong (self);
}

/* Pages that the stream can be drawn into; FALSE where there are none but the plain ones. */
static gboolean
use_native_pages (GstFbdevZeroSink * self, const Placement * place)
{
  GstVideoFormat format = GST_VIDEO_INFO_FORMAT (&self->info);
  gboolean overlay = ba_display_get_info (self->display)->is_overlay;
  gboolean whole = place->dst.w == self->screen_w && place->dst.h == self->screen_h;
  gboolean is_1to1 = gst_fbdev_zero_sink_is_1to1 (place);

  if (is_1to1 && (whole || (format == self->plain_format && !overlay)))
    return have_pages (self, format, NULL, 0, 0);
  return have_pages (self, format, &place->dst, place->src.w, place->src.h)
      || (is_1to1 && !overlay && have_pages (self, format, NULL, 0, 0));
}

static void
fit_mode (GstFbdevZeroSink * self)
{
  if (!self->fits_mode || gst_video_info_is_equal (&self->fit_info, &self->info))
    return;
  self->fit_info = self->info;
  change (self, 0, NULL, 0, 0);
}

static void
choose (GstFbdevZeroSink * self, GstCaps * caps)
{
  GstVideoRectangle src = { 0, 0, GST_VIDEO_INFO_WIDTH (&self->info), GST_VIDEO_INFO_HEIGHT (&self->info) };
  gboolean placed;
  Placement place;
  View view;

  tell_hdr (self, caps);
  tell_colours (self);
  gst_fbdev_zero_sink_get_view (self, &view, NULL);
  view.x_step_px = view.y_step_px = 1;
  placed = gst_fbdev_zero_sink_place (&view, &src, GST_VIDEO_INFO_PAR_N (&self->info),
      GST_VIDEO_INFO_PAR_D (&self->info), &place);
  if ((placed && can_be_native (self, caps, &place) && use_native_pages (self, &place)) || !self->display)
    return;
  if (placed && ba_display_get_info (self->display)->is_overlay
      && (self->native || !rect_is_equal (&self->window, &place.dst)))
    change (self, 0, &place.dst, 0, 0);
  else
    gst_fbdev_zero_sink_use_plain_pages (self, placed ? &place.dst : &self->window);
}

gboolean
gst_fbdev_zero_sink_choose_pages (GstFbdevZeroSink * self, GstCaps * caps)
{
  BaDisplay *before = self->display;

  if (!before || !is_kms (before))
    return FALSE;
  ba_display_ref (before);      /* or the second other display may have its address */
  fit_mode (self);
  if (self->display)
    choose (self, caps);
  ba_display_unref (before);
  return self->display != before;
}

/* ---- where a frame lies ---------------------------------------------------------------------------------------- */

gboolean
gst_fbdev_zero_sink_place_on_page (GstFbdevZeroSink * self, const View * view, const GstVideoRectangle * src,
    const GstVideoInfo * info, Placement * place)
{
  if (!gst_fbdev_zero_sink_place (view, src, GST_VIDEO_INFO_PAR_N (info), GST_VIDEO_INFO_PAR_D (info), place))
    return FALSE;
  place->on_screen = place->dst;
  if (self->fitted)
    place->dst = (GstVideoRectangle) {
    0, 0, GST_VIDEO_INFO_WIDTH (&self->screen), GST_VIDEO_INFO_HEIGHT (&self->screen)};
  return TRUE;
}

/* Whether both corners lie where pixels that share their colours begin, or the picture ends. */
static gboolean
is_on_grid (const GstVideoInfo * page, const GstVideoRectangle * rect, gint end_x, gint end_y)
{
  gint x_mask = (1 << GST_VIDEO_FORMAT_INFO_W_SUB (page->finfo, 1)) - 1;
  gint y_mask = (1 << GST_VIDEO_FORMAT_INFO_H_SUB (page->finfo, 1)) - 1;

  return !(rect->x & x_mask) && !(rect->y & y_mask) && (!(rect->w & x_mask) || rect->x + rect->w == end_x)
      && (!(rect->h & y_mask) || rect->y + rect->h == end_y);
}

gboolean
gst_fbdev_zero_sink_pages_take (GstFbdevZeroSink * self, const Placement * place, gboolean has_overlay)
{
  if (self->fitted && !move_window (self, &place->on_screen))
    return FALSE;
  if (!self->native)
    return TRUE;
  return !has_overlay && gst_fbdev_zero_sink_is_1to1 (place)
      && GST_VIDEO_INFO_FORMAT (&self->info) == GST_VIDEO_INFO_FORMAT (&self->screen)
      && is_on_grid (&self->screen, &place->src, GST_VIDEO_INFO_WIDTH (&self->info),
      GST_VIDEO_INFO_HEIGHT (&self->info)) && is_on_grid (&self->screen, &place->dst,
      place->dst.x + place->dst.w, place->dst.y + place->dst.h);
}

guint64
gst_fbdev_zero_sink_copy_planes (GstFbdevZeroSink * self, const GstVideoFrame * frame, const Placement * place,
    BaBuffer * page)
{
  const GstVideoInfo *screen = &self->screen;
  const GstVideoFormatInfo *finfo = screen->finfo;
  guint64 bytes = 0;

  for (guint i = 0; i < GST_VIDEO_INFO_N_PLANES (screen); i++) {
    gint stride = GST_VIDEO_INFO_PLANE_STRIDE (screen, i), in_stride = GST_VIDEO_FRAME_PLANE_STRIDE (frame, i);
    gint components[GST_VIDEO_MAX_COMPONENTS], comp, pixel_bytes, x_sub, y_sub, rows;
    const guint8 *from = GST_VIDEO_FRAME_PLANE_DATA (frame, i);
    guint8 *to = (guint8 *) ba_buffer_get_data (page) + GST_VIDEO_INFO_PLANE_OFFSET (screen, i);
    gsize row_bytes;

    gst_video_format_info_component (finfo, i, components);
    comp = components[0];
    x_sub = GST_VIDEO_FORMAT_INFO_W_SUB (finfo, comp);
    y_sub = GST_VIDEO_FORMAT_INFO_H_SUB (finfo, comp);
    pixel_bytes = GST_VIDEO_FORMAT_INFO_PSTRIDE (finfo, comp);
    row_bytes = (gsize) GST_VIDEO_SUB_SCALE (x_sub, place->dst.w) * (gsize) pixel_bytes;
    rows = GST_VIDEO_SUB_SCALE (y_sub, place->dst.h);
    from += (gssize) (place->src.y >> y_sub) * in_stride + (gssize) (place->src.x >> x_sub) * pixel_bytes;
    to += (gssize) (place->dst.y >> y_sub) * stride + (gssize) (place->dst.x >> x_sub) * pixel_bytes;
    for (gint y = 0; y < rows; y++)
      memcpy (to + (gssize) y * stride, from + (gssize) y * in_stride, row_bytes);
    bytes += row_bytes * (guint64) rows;
  }
  return bytes;
}
