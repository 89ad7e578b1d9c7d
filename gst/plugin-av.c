/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * plugin-av.c: registration of what needs libavcodec, which is a plugin of its own: that library brings a hundred others
 * along, and whoever only wants the sink should neither wait for them nor have them in memory, nor need them at all.
 */
#include <gst/bufalloc/gstbufalloc.h>

#include "elements/gstavzerodec.h"

static gboolean
plugin_init (GstPlugin * plugin)
{
  gst_ba_init ();
  return GST_ELEMENT_REGISTER (avzerodec, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, bufallocav, "libavcodec's decoders without a copied frame",
    plugin_init, PACKAGE_VERSION, "LGPL", "gst-bufalloc", "https://gst-bufalloc.invalid/")
