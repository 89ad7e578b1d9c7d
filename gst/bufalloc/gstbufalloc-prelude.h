/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstbufalloc-prelude.h: what every header of the library begins with. */
#pragma once

#ifndef __GI_SCANNER__
#include <bufalloc/bufalloc.h>
#else                           /* which cannot read <stdatomic.h>; what has these in it is C only */
#define BaAllocator void
#define BaBuffer void
#define BaCancel void
#define BaDisplay void
#define BaError void
#define BaLayout void
#define BaPool void
#endif
#include <gst/gst.h>
#include <gst/video/video.h>

#ifdef BUILDING_GST_BUFALLOC
#define GST_BA_API GST_API_EXPORT
#else
#define GST_BA_API GST_API_IMPORT
#endif
