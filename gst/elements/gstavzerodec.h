/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstavzerodec.h: libavcodec's video decoders, whose frames go on without being copied. */
#pragma once

#include <gst/gst.h>
#include <gst/video/video.h>

G_BEGIN_DECLS

#define GST_TYPE_AV_ZERO_DEC (gst_av_zero_dec_get_type ())
G_DECLARE_FINAL_TYPE (GstAvZeroDec, gst_av_zero_dec, GST, AV_ZERO_DEC, GstVideoDecoder)

GST_ELEMENT_REGISTER_DECLARE (avzerodec)

G_END_DECLS
