/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbaavutil.c: libavutil, for those who have frames of FFmpeg. It needs twenty libraries more (X11, OpenCL, VA-API),
 * and a program that only shows frames on a screen is spared them all.
 */
#include "gstbaavutil-private.h"

#include <gmodule.h>
#include <libavutil/macros.h>
#include <libavutil/version.h>

#define NAME "libavutil.so." AV_STRINGIFY (LIBAVUTIL_VERSION_MAJOR)

static gboolean
load (GstBaAvutil *avutil)
{
  GModule *module = g_module_open (NAME, G_MODULE_BIND_LAZY | G_MODULE_BIND_LOCAL);
  if (!module)
    return FALSE;
  g_module_make_resident (module);
  return g_module_symbol (module, "av_buffer_create", (gpointer *) &avutil->buffer_create)
         && g_module_symbol (module, "av_buffer_is_writable", (gpointer *) &avutil->buffer_is_writable)
         && g_module_symbol (module, "av_frame_alloc", (gpointer *) &avutil->frame_alloc)
         && g_module_symbol (module, "av_frame_clone", (gpointer *) &avutil->frame_clone)
         && g_module_symbol (module, "av_frame_free", (gpointer *) &avutil->frame_free)
         && g_module_symbol (module, "av_image_fill_plane_sizes", (gpointer *) &avutil->image_fill_plane_sizes)
         && g_module_symbol (module, "av_image_get_linesize", (gpointer *) &avutil->image_get_linesize);
}

const GstBaAvutil *
gst_ba_avutil_get (void)
{
  static GstBaAvutil avutil;
  static gsize state = 0; /* 1 = not to be had, 2 = loaded */
  if (g_once_init_enter (&state))
    g_once_init_leave (&state, load (&avutil) ? 2 : 1);
  return state == 2 ? &avutil : NULL;
}
