/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstbastats.c: one log line per element and run. */
#include "gstbastats.h"

void
gst_ba_stats_log (GstElement * element, const GstStructure * stats)
{
  static gsize category = 0;
  gchar *text;

  if (g_once_init_enter (&category)) {
    GstDebugCategory *made = _gst_debug_category_new ("bufalloc-stats", 0, "frame statistics when an element stops");

    g_once_init_leave (&category, (gsize) made);
  }
  text = gst_structure_to_string (stats);
  GST_CAT_INFO ((GstDebugCategory *) category, "frame-stats %s: %s", GST_OBJECT_NAME (element), text);
  g_free (text);
}
