/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstfbdevzerosink-dma.c: caps that say of frames in dmabufs how their pixels lie (memory:DMABuf, format=DMA_DRM), which
 * GStreamer has since 1.24. With an older one there are none, and these functions know plain caps only.
 *
 * Frames that lie in rows are as all others: what the driver refuses is read by the CPU. Others (tiles, compressed) only
 * the driver can read, so they are taken of no plane that does not list them.
 */
#include "gstfbdevzerosink-private.h"

#define GST_CAT_DEFAULT gst_fbdev_zero_sink_debug

#define LINEAR 0                /* drm_fourcc.h: rows, one after the other */
#define MAX_MODIFIERS 64        /* of one format */

#if GST_CHECK_VERSION (1, 24, 0)

/* The colours, the rate and the shape of pixels are said as always. */
static void
copy_rest (const GstVideoInfo * from, GstVideoInfo * to)
{
  to->interlace_mode = from->interlace_mode;
  to->colorimetry = from->colorimetry;
  to->chroma_site = from->chroma_site;
  to->par_n = from->par_n;
  to->par_d = from->par_d;
  to->fps_n = from->fps_n;
  to->fps_d = from->fps_d;
}

gboolean
gst_fbdev_zero_sink_parse_caps (const GstCaps * caps, GstVideoInfo * info, guint64 * modifier)
{
  GstVideoInfoDmaDrm drm;
  GstVideoFormat format;

  *modifier = LINEAR;
  if (!gst_video_is_dma_drm_caps (caps))
    return gst_video_info_from_caps (info, caps);
  if (!gst_video_info_dma_drm_from_caps (&drm, caps))
    return FALSE;
  format = gst_video_dma_drm_fourcc_to_format (drm.drm_fourcc);
  if (format == GST_VIDEO_FORMAT_UNKNOWN || gst_ba_fourcc_from_format (format) != drm.drm_fourcc
      || !gst_video_info_set_format (info, format, GST_VIDEO_INFO_WIDTH (&drm.vinfo),
          GST_VIDEO_INFO_HEIGHT (&drm.vinfo)))
    return FALSE;
  *modifier = drm.drm_modifier;
  if (drm.vinfo.colorimetry.matrix == GST_VIDEO_COLOR_MATRIX_UNKNOWN
      || (GST_VIDEO_INFO_IS_YUV (info) && drm.vinfo.colorimetry.matrix == GST_VIDEO_COLOR_MATRIX_RGB))
    drm.vinfo.colorimetry = info->colorimetry;  /* which is what the format and the size stand for */
  copy_rest (&drm.vinfo, info);
  return TRUE;
}

gboolean
gst_fbdev_zero_sink_is_dma_caps (const GstCaps * caps)
{
  return gst_video_is_dma_drm_caps (caps);
}

static void
append_text (GValue * list, guint32 fourcc, guint64 modifier)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_STRING);
  g_value_take_string (&value, gst_video_dma_drm_fourcc_to_string (fourcc, modifier));
  gst_value_list_append_and_take_value (list, &value);
}

static void
append_format (BaDisplay * display, GValue * list, const GValue * format)
{
  guint32 fourcc = gst_ba_fourcc_from_format (gst_video_format_from_string (g_value_get_string (format)));
  guint64 modifiers[MAX_MODIFIERS];
  guint n;

  if (fourcc == 0)
    return;
  append_text (list, fourcc, LINEAR);
  n = ba_display_get_modifiers (display, fourcc, modifiers, MAX_MODIFIERS);
  for (guint i = 0; i < MIN (n, MAX_MODIFIERS); i++) {
    if (modifiers[i] != LINEAR)
      append_text (list, fourcc, modifiers[i]);
  }
}

/* In front of all others: nothing is cheaper. */
static GstCaps *
make_dma_caps (GstFbdevZeroSink * self, BaDisplay * display)
{
  GValue formats = G_VALUE_INIT, list = G_VALUE_INIT;
  GstCaps *caps;
  View view;

  gst_fbdev_zero_sink_get_view (self, &view, NULL);
  gst_fbdev_zero_sink_get_native_formats (self, &view, &formats);
  g_value_init (&list, GST_TYPE_LIST);
  if (GST_VALUE_HOLDS_LIST (&formats)) {
    for (guint i = 0; i < gst_value_list_get_size (&formats); i++)
      append_format (display, &list, gst_value_list_get_value (&formats, i));
  } else {
    append_format (display, &list, &formats);
  }
  caps = gst_caps_from_string (GST_VIDEO_DMA_DRM_CAPS_MAKE);
  gst_caps_set_value (caps, "drm-format", &list);
  g_value_unset (&list);
  g_value_unset (&formats);
  return caps;
}

static gboolean
is_plain (GstCapsFeatures * features, GstStructure * structure, gpointer data)
{
  return !gst_caps_features_contains (features, GST_CAPS_FEATURE_MEMORY_DMABUF);
}

GstCaps *
gst_fbdev_zero_sink_add_dma_caps (GstFbdevZeroSink * self, GstCaps * caps)
{
  const BaDisplayInfo *info;
  BaDisplay *display;

  caps = gst_caps_make_writable (caps);
  gst_caps_filter_and_map_in_place (caps, is_plain, NULL);
  GST_OBJECT_LOCK (self);
  display = self->display ? ba_display_ref (self->display) : NULL;
  GST_OBJECT_UNLOCK (self);
  info = display ? ba_display_get_info (display) : NULL;
  if (info && info->can_flip && g_str_equal (info->kind, "kms"))
    caps = gst_caps_merge (make_dma_caps (self, display), caps);
  ba_display_unref (display);
  return caps;
}

#else

gboolean
gst_fbdev_zero_sink_parse_caps (const GstCaps * caps, GstVideoInfo * info, guint64 * modifier)
{
  *modifier = LINEAR;
  return gst_video_info_from_caps (info, caps);
}

gboolean
gst_fbdev_zero_sink_is_dma_caps (const GstCaps * caps)
{
  return FALSE;
}

GstCaps *
gst_fbdev_zero_sink_add_dma_caps (GstFbdevZeroSink * self, GstCaps * caps)
{
  return caps;
}
#endif
