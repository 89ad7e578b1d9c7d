/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstbautils.c: what the core says and returns, in GStreamer's terms; and the names for gst_allocator_find(). */
#include "gstbautils.h"

#include <errno.h>

#include "gstbaallocator.h"
#include "gstbafbdevallocator.h"
#include "gstbamemory.h"
#ifdef HAVE_AVFRAME
#include "gstbaavframe-private.h"
#endif

GST_DEBUG_CATEGORY_STATIC (core_debug);

static void
forward_log (BaLogLevel level, const char *message, void *user)
{
  static const GstDebugLevel levels[] = { GST_LEVEL_ERROR, GST_LEVEL_WARNING, GST_LEVEL_INFO, GST_LEVEL_DEBUG };

  GST_CAT_LEVEL_LOG (core_debug, levels[MIN ((guint) level, G_N_ELEMENTS (levels) - 1)], NULL, "%s", message);
}

static void
register_allocator (const gchar * name, GstAllocator * allocator)
{
  if (allocator)
    gst_allocator_register (name, allocator);
}

void
gst_ba_init (void)
{
  static gsize done = 0;

  if (!g_once_init_enter (&done))
    return;
  GST_DEBUG_CATEGORY_INIT (core_debug, "bufalloc", 0, "buffer allocators and displays");
  ba_log_set_handler (forward_log, NULL);
  register_allocator (GST_BA_MEMORY_NORMAL, gst_ba_normal_allocator_new ());
  /* without a display it allocates nothing, but it says what the memory type is */
  register_allocator (GST_BA_MEMORY_FBDEV, g_object_ref_sink (g_object_new (GST_TYPE_BA_FBDEV_ALLOCATOR, NULL)));
#ifdef HAVE_AVFRAME
  register_allocator (GST_BA_MEMORY_AVFRAME, gst_ba_avframe_allocator_new ());
#endif
  g_once_init_leave (&done, 1);
}

GstFlowReturn
gst_ba_flow_from_error (gint code)
{
  switch (code) {
    case 0:
      return GST_FLOW_OK;
    case -EAGAIN:
    case -ETIMEDOUT:
      return GST_FLOW_EOS;
    case -ECANCELED:
    case -ESHUTDOWN:
      return GST_FLOW_FLUSHING;
    default:
      return GST_FLOW_ERROR;
  }
}
