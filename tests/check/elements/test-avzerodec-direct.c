/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-avzerodec-direct.c: can this codec decode this picture into these pages? One question that is answered with yes,
 * and rows that each change one thing of it.
 */
#include <gst/check/gstcheck.h>

#include "../libs/test-leaks.h"
#include "gstavzerodec-private.h"

/* FFV1 in the screen's own format and size, on the smallest screen that has enough pages. */
static const GstAvZeroDirectQuestion yes = {
  .mode = GST_AV_ZERO_DIRECT_AUTO,
  .has_dr1 = TRUE,
  .frames_held = 2,
  .format = GST_VIDEO_FORMAT_BGRx,
  .width_px = 640,
  .height_px = 480,
  .aligned_width_px = 640,
  .aligned_height_px = 480,
  .stride_align_bytes = 64,
  .page_format = GST_VIDEO_FORMAT_BGRx,
  .page_width_px = 640,
  .page_height_px = 480,
  .page_stride_bytes = 2560,
  .page_bytes = 2560 * 480,
  .window = { 0, 0, 640, 480 },
  .n_pages = 5,
};

typedef struct
{
  const gchar *what;
  void (*change) (GstAvZeroDirectQuestion *q);
  const gchar *reason; /* a part of it; NULL = yes */
} Row;

#define CHANGE(name, ...)                                                                                              \
  static void name (GstAvZeroDirectQuestion *q)                                                                        \
  {                                                                                                                    \
    __VA_ARGS__;                                                                                                       \
  }

CHANGE (nothing, (void) q)
CHANGE (never, q->mode = GST_AV_ZERO_DIRECT_NEVER)
CHANGE (other_format, q->format = GST_VIDEO_FORMAT_I420)
CHANGE (no_dr1, q->has_dr1 = FALSE)
CHANGE (rewrites, q->flags = GST_AV_ZERO_REWRITES)
CHANGE (rewrites_always, q->flags = GST_AV_ZERO_REWRITES; q->mode = GST_AV_ZERO_DIRECT_ALWAYS)
CHANGE (frame_threads, q->frame_threads = TRUE)
CHANGE (four_pages, q->n_pages = 4)
CHANGE (holds_five, q->frames_held = 5; q->n_pages = 7)
CHANGE (holds_five_of_eight, q->frames_held = 5; q->n_pages = 8)
CHANGE (reads_unknown, q->flags = GST_AV_ZERO_READS_BACK)
CHANGE (reads_slow, q->flags = GST_AV_ZERO_READS_BACK; q->read_mbps = 80)
CHANGE (reads_fast, q->flags = GST_AV_ZERO_READS_BACK; q->read_mbps = 5000)
CHANGE (reads_slow_always, q->flags = GST_AV_ZERO_READS_BACK; q->read_mbps = 80; q->mode = GST_AV_ZERO_DIRECT_ALWAYS)
CHANGE (no_reading_slow_pages, q->read_mbps = 80)
CHANGE (two_lines_more, q->aligned_height_px = 482)
CHANGE (two_lines_more_with_room, q->aligned_height_px = 482; q->page_bytes = 2560 * 482)
CHANGE (one_byte_too_few, q->page_bytes--)
CHANGE (odd_stride, q->page_stride_bytes = 2568; q->page_bytes = 2568 * 480)
CHANGE (wide_stride, q->page_stride_bytes = 4096; q->page_bytes = 4096 * 480)
CHANGE (wider_columns, q->aligned_width_px = 656)
CHANGE (wider_columns_with_room, q->aligned_width_px = 656; q->page_stride_bytes = 2688; q->page_bytes = 2688 * 480)
CHANGE (window, q->width_px = q->aligned_width_px = q->window.w = 320; q->height_px = q->aligned_height_px = 240;
        q->window.h = 240; q->window.x = 160; q->window.y = 120)
CHANGE (window_not_aligned, window (q); q->window.x = 161)
CHANGE (window_narrow, window (q); q->width_px = q->aligned_width_px = q->window.w = 322)
CHANGE (window_lines_more, window (q); q->aligned_height_px = 242)
CHANGE (window_at_bottom_lines_more, window (q); q->window.y = 240; q->aligned_height_px = 242)
CHANGE (window_of_other_size, q->window.w = 639)
CHANGE (odd_width, q->width_px = q->aligned_width_px = q->window.w = q->page_width_px = 600)
CHANGE (rgb16, q->format = q->page_format = GST_VIDEO_FORMAT_RGB16; q->page_stride_bytes = 1280;
        q->page_bytes = 1280 * 480)

/* I420 as a card gives it: 512 lines of 768 bytes, and twice 256 of 384. */
CHANGE (planes, q->format = q->page_format = GST_VIDEO_FORMAT_I420; q->plane_stride_bytes[0] = 768;
        q->plane_stride_bytes[1] = q->plane_stride_bytes[2] = 384; q->plane_offset_bytes[1] = 768 * 512;
        q->plane_offset_bytes[2] = 768 * 512 + 384 * 256; q->page_bytes = 768 * 512 * 3 / 2)
CHANGE (planes_block, planes (q); q->aligned_width_px = 672; q->aligned_height_px = 512)
CHANGE (planes_one_line_more, planes (q); q->aligned_height_px = 514)
CHANGE (planes_last_line, planes (q); q->aligned_height_px = 512; q->page_bytes -= 384)
CHANGE (planes_wide, planes (q); q->aligned_width_px = 832)
CHANGE (planes_odd_chroma, planes (q); q->plane_stride_bytes[2] = 352)
CHANGE (planes_window, planes (q); q->width_px = q->aligned_width_px = q->window.w = 320; q->window.x = 128)
CHANGE (planes_window_written_beside, planes_window (q); q->aligned_width_px = 336)
CHANGE (planes_window_not_aligned, planes_window (q); q->window.x = 64)
CHANGE (planes_cut, planes (q); q->window.h = 400)

/* Memory that caches keep, which the screen shows too: as much as is wanted, laid out for the codec. */
CHANGE (cached, planes_block (q); q->is_cached = TRUE; q->flags = GST_AV_ZERO_READS_BACK; q->frames_held = 17;
        q->n_pages = G_MAXUINT; q->own_stride_bytes[0] = 768; q->own_stride_bytes[1] = q->own_stride_bytes[2] = 384)
CHANGE (cached_and_limited, cached (q); q->n_pages = 19)
CHANGE (cached_other_rows, cached (q); q->own_stride_bytes[1] = q->own_stride_bytes[2] = 352)
CHANGE (cached_other_rows_unread, cached_other_rows (q); q->flags = 0)
CHANGE (cached_frame_threads, cached (q); q->frame_threads = TRUE)
CHANGE (cached_rewrites, cached (q); q->flags |= GST_AV_ZERO_REWRITES)
CHANGE (cached_never, cached (q); q->mode = GST_AV_ZERO_DIRECT_NEVER)
CHANGE (cached_too_low, cached (q); q->aligned_height_px = 514)
CHANGE (cached_one_plane, q->is_cached = TRUE; q->flags = GST_AV_ZERO_READS_BACK; q->n_pages = G_MAXUINT;
        q->own_stride_bytes[0] = 2560)
CHANGE (cached_one_plane_other_rows, cached_one_plane (q); q->own_stride_bytes[0] = 2624)
CHANGE (reads_fast_other_rows, reads_fast (q); q->own_stride_bytes[0] = 2624)

static const Row rows[] = {
  { "the base", nothing, NULL },
  { "switched off", never, "never" },
  { "I420 on a BGRx screen", other_format, "I420" },
  { "a codec without DR1", no_dr1, "memory of others" },
  { "a codec that writes twice", rewrites, "writes again" },
  { "and that is no question of speed", rewrites_always, "writes again" },
  { "frame threads", frame_threads, "frame threads" },
  { "too few pages", four_pages, "takes 5 pages, and there are 4" },
  { "too few pages for a codec with references", holds_five, "takes 8 pages" },
  { "just enough", holds_five_of_eight, NULL },
  { "reads back, not measured", reads_unknown, "not known" },
  { "reads back, slow", reads_slow, "80 MB/s" },
  { "reads back, fast", reads_fast, NULL },
  { "reads back, slow, but asked for", reads_slow_always, NULL },
  { "slow, but nobody reads", no_reading_slow_pages, NULL },
  { "lines that would land in the next page", two_lines_more, "482 lines" },
  { "lines that the page has", two_lines_more_with_room, NULL },
  { "a page that ends in the last row", one_byte_too_few, "lines" },
  { "a stride that is not aligned", odd_stride, "2568 bytes apart" },
  { "a stride with padding", wide_stride, NULL },
  { "rows longer than the page's", wider_columns, "a row of the codec has 2624 bytes" },
  { "rows that end in the padding", wider_columns_with_room, NULL },
  { "a window", window, NULL },
  { "a window that begins between", window_not_aligned, "begins at byte" },
  { "a window whose rows end between", window_narrow, "right edge" },
  { "a window with lines below", window_lines_more, "2 lines below" },
  { "a window at the bottom with lines below", window_at_bottom_lines_more, "242 lines" },
  { "a window of another size", window_of_other_size, "639x480" },
  { "a width that is not aligned, in a wider stride", odd_width, NULL },
  { "two bytes a pixel", rgb16, NULL },
  { "planes", planes, NULL },
  { "planes, with room for blocks", planes_block, NULL },
  { "planes, one line more than there are", planes_one_line_more, "lines, which plane 0 of a page does not have" },
  { "planes, the last line of the last one is missing", planes_last_line, "256 lines, which plane 2" },
  { "planes, rows too long", planes_wide, "a row of the codec has 832 bytes, one of plane 0 768" },
  { "planes, one with rows that are not aligned", planes_odd_chroma, "rows of plane 2 are 352 bytes apart" },
  { "planes, a window", planes_window, NULL },
  { "planes, a window that is left", planes_window_written_beside, "may write 16 columns" },
  { "planes, a window whose colours are not aligned", planes_window_not_aligned, "rows of plane 1" },
  { "planes, less than the picture is seen", planes_cut, "the picture is 640x480, its place on the screen 640x400" },
  { "cached, and not measured", cached, NULL },
  { "cached, but not enough", cached_and_limited, "takes 20 pages, and there are 19" },
  { "cached, with colours in other rows than the codec's own", cached_other_rows,
    "rows 352 bytes apart, not the page's 384" },
  { "and nobody reads them back", cached_other_rows_unread, NULL },
  { "cached, frame threads", cached_frame_threads, "frame threads" },
  { "cached, a codec that writes twice", cached_rewrites, "writes again" },
  { "cached, switched off", cached_never, "never" },
  { "cached, lines that it does not have", cached_too_low, "lines, which plane 0 of a page does not have" },
  { "cached, one plane", cached_one_plane, NULL },
  { "cached, one plane with other rows", cached_one_plane_other_rows, "rows 2624 bytes apart" },
  { "pages that read fast, but have other rows", reads_fast_other_rows, "rows 2624 bytes apart" },
};

GST_START_TEST (decision_follows_the_table)
{
  const Row *row = &rows[__i__];
  GstAvZeroDirectQuestion question = yes;
  gchar reason[GST_AV_ZERO_REASON_BYTES];
  row->change (&question);
  gboolean direct = gst_av_zero_direct_decide (&question, reason);
  fail_unless (direct == (row->reason == NULL), "%s: %s", row->what, direct ? "direct" : reason);
  if (row->reason)
    fail_unless (strstr (reason, row->reason), "%s: \"%s\" does not say \"%s\"", row->what, reason, row->reason);
  else
    fail_unless (reason[0] == '\0', "%s: yes, but \"%s\"", row->what, reason);
}
GST_END_TEST

static Suite *
avzerodec_direct_suite (void)
{
  Suite *suite = suite_create ("avzerodec-direct");
  TCase *tcase = tcase_create ("decision");
  watch_over (tcase);
  suite_add_tcase (suite, tcase);
  tcase_add_loop_test (tcase, decision_follows_the_table, 0, G_N_ELEMENTS (rows));
  return suite;
}

GST_CHECK_MAIN (avzerodec_direct)
