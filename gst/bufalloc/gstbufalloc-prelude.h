/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstbufalloc-prelude.h: what every header of the library begins with. */
#pragma once

#include <bufalloc/bufalloc.h>
#include <gst/gst.h>
#include <gst/video/video.h>

#ifdef BUILDING_GST_BUFALLOC
#define GST_BA_API GST_API_EXPORT
#else
#define GST_BA_API GST_API_IMPORT
#endif
