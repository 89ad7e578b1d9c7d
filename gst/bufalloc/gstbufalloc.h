/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstbufalloc.h: everything but the AVFrame calls, which are in gstbaavframe.h. */
#pragma once

#include <gst/bufalloc/gstbaallocator.h>
#include <gst/bufalloc/gstbadmabufallocator.h>
#include <gst/bufalloc/gstbafbdevallocator.h>
#include <gst/bufalloc/gstbafbdevpool.h>
#include <gst/bufalloc/gstbalayout.h>
#include <gst/bufalloc/gstbamemfdallocator.h>
#include <gst/bufalloc/gstbamemory.h>
#include <gst/bufalloc/gstbanormalpool.h>
#include <gst/bufalloc/gstbapool.h>
#include <gst/bufalloc/gstbautils.h>
#include <gst/bufalloc/gstbaversion.h>
