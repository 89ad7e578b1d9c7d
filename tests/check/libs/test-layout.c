/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-layout.c: GStreamer's names and strides against DRM's, and what the core's codes mean to a streaming thread. */
#include "test-lib-support.h"

START_TEST (every_fourcc_has_its_way_back)
{
  guint n = 0;

  for (gint format = GST_VIDEO_FORMAT_I420; format <= GST_VIDEO_FORMAT_P012_LE; format++) {
    guint32 fourcc = gst_ba_fourcc_from_format (format);

    if (fourcc == 0)
      continue;
    ck_assert_int_eq (gst_ba_fourcc_to_format (fourcc), format);
    n++;
  }
  ck_assert_uint_ge (n, 20);
}
END_TEST

START_TEST (drm_names_a_word_and_gstreamer_the_bytes)
{
  ck_assert_int_eq (gst_ba_fourcc_to_format (BA_FOURCC ('X', 'R', '2', '4')), GST_VIDEO_FORMAT_BGRx);
  ck_assert_int_eq (gst_ba_fourcc_to_format (BA_FOURCC ('R', 'G', '2', '4')), GST_VIDEO_FORMAT_BGR);
  ck_assert_int_eq (gst_ba_fourcc_to_format (BA_FOURCC ('R', 'G', '1', '6')), GST_VIDEO_FORMAT_RGB16);
  ck_assert_int_eq (gst_ba_fourcc_to_format (BA_FOURCC ('N', 'V', '1', '2')), GST_VIDEO_FORMAT_NV12);
  ck_assert_int_eq (gst_ba_fourcc_to_format (0), GST_VIDEO_FORMAT_UNKNOWN);
  ck_assert_uint_eq (gst_ba_fourcc_from_format (GST_VIDEO_FORMAT_ENCODED), 0);
}
END_TEST

START_TEST (a_layout_has_the_strides_of_the_info)
{
  GstVideoInfo info;
  BaLayout layout;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_I420, 321, 183);
  gst_ba_layout_from_info (&info, &layout);
  ck_assert_uint_eq (layout.fourcc, BA_FOURCC ('Y', 'U', '1', '2'));
  ck_assert_uint_eq (layout.width_px, 321);
  ck_assert_uint_eq (layout.height_px, 183);
  ck_assert_uint_eq (layout.n_planes, 3);
  for (guint i = 0; i < 3; i++) {
    ck_assert_uint_eq (layout.stride_bytes[i], GST_VIDEO_INFO_PLANE_STRIDE (&info, i));
    ck_assert_uint_eq (layout.offset_bytes[i], GST_VIDEO_INFO_PLANE_OFFSET (&info, i));
  }
}
END_TEST

START_TEST (a_format_without_a_name_is_no_fourcc)
{
  GstVideoInfo info;
  BaLayout layout;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_v210, 64, 8);
  gst_ba_layout_from_info (&info, &layout);
  ck_assert_uint_eq (layout.fourcc, 0);
  ck_assert_uint_eq (layout.n_planes, 1);
}
END_TEST

START_TEST (codes_become_flows)
{
  ck_assert_int_eq (gst_ba_flow_from_error (0), GST_FLOW_OK);
  ck_assert_int_eq (gst_ba_flow_from_error (-EAGAIN), GST_FLOW_EOS);
  ck_assert_int_eq (gst_ba_flow_from_error (-ETIMEDOUT), GST_FLOW_EOS);
  ck_assert_int_eq (gst_ba_flow_from_error (-ECANCELED), GST_FLOW_FLUSHING);
  ck_assert_int_eq (gst_ba_flow_from_error (-ESHUTDOWN), GST_FLOW_FLUSHING);
  ck_assert_int_eq (gst_ba_flow_from_error (-ENOMEM), GST_FLOW_ERROR);
  ck_assert_int_eq (gst_ba_flow_from_error (-EIO), GST_FLOW_ERROR);
}
END_TEST

RUN ("layout", every_fourcc_has_its_way_back, drm_names_a_word_and_gstreamer_the_bytes,
    a_layout_has_the_strides_of_the_info, a_format_without_a_name_is_no_fourcc, codes_become_flows)
