/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* plugin.c: registration of what needs no libavcodec; plugin-av.c has the rest. */
#include <gst/bufalloc/gstbufalloc.h>

#include "elements/gstfbdevzerosink.h"

static gboolean
plugin_init (GstPlugin * plugin)
{
  gboolean registered = GST_ELEMENT_REGISTER (fbdevzerosink, plugin);

  gst_ba_init ();
  return registered;
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, bufalloc, "Video to a Linux screen without copying it",
    plugin_init, PACKAGE_VERSION, "LGPL", "gst-bufalloc", "https://gst-bufalloc.invalid/")
