/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-avzerodec-support.h: what the tests of the decoder share: clips, and the sum of a picture's visible bytes. Each
 * binary uses a part of it, so everything is static inline.
 */
#pragma once

#include <gst/check/gstcheck.h>
#include <gst/video/video.h>

#include "../libs/test-leaks.h"

#define FRAMES "24"

static inline gchar *
get_clip (const gchar *name)
{
  gchar *file = g_strdup_printf ("%s-" FRAMES, name);
  gchar *path = g_build_filename (g_getenv ("BA_CLIP_DIR") ? g_getenv ("BA_CLIP_DIR") : g_get_tmp_dir (), file, NULL);
  const gchar *make_clip = g_getenv ("BA_MAKE_CLIP");
  gchar *argv[] = { g_strdup (make_clip ? make_clip : "scripts/make-clip"), g_strdup (name), path, g_strdup (FRAMES),
                    NULL };
  gint status = -1;
  fail_unless (g_spawn_sync (NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status, NULL)
                   && status == 0,
               "%s could not be made", path);
  g_free (argv[0]);
  g_free (argv[1]);
  g_free (argv[3]);
  g_free (file);
  return path;
}

static inline gchar *
sum_picture (GstVideoFrame *picture)
{
  GChecksum *sum = g_checksum_new (G_CHECKSUM_MD5);
  for (guint plane = 0; plane < GST_VIDEO_FRAME_N_PLANES (picture); plane++) {
    gint component[GST_VIDEO_MAX_COMPONENTS];
    gst_video_format_info_component (picture->info.finfo, plane, component);
    gsize row_bytes = (gsize) GST_VIDEO_FRAME_COMP_WIDTH (picture, component[0])
                      * (gsize) GST_VIDEO_FRAME_COMP_PSTRIDE (picture, component[0]);
    const guint8 *row = GST_VIDEO_FRAME_PLANE_DATA (picture, plane);
    for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (picture, component[0]); y++) {
      g_checksum_update (sum, row, (gssize) row_bytes);
      row += GST_VIDEO_FRAME_PLANE_STRIDE (picture, plane);
    }
  }
  gchar *text = g_strdup (g_checksum_get_string (sum));
  g_checksum_free (sum);
  return text;
}
