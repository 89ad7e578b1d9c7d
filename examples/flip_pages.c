/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * flip_pages.c: shows a bar that moves, with nothing but the core library, and says how it went. A way to see whether a
 * screen works, and how fast:
 *
 *   flip_pages DEVICE [FRAMES] [OPTION…]     DEVICE as everywhere: /dev/dri/card0, /dev/fb0, virtual:640x480, auto
 *     legacy, atomic    which KMS calls
 *     pages=N           instead of the usual number
 *     format=XR24       a DRM format code
 *     free              does not wait for vsyncs
 *     hold              waits for a line of input before it puts the screen back
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bufalloc/bufalloc.h>

typedef struct
{
  BaDisplayOptions display;
  unsigned frames;
  bool hold;
} Options;

static double
seconds_now (void)
{
  struct timespec t;
  clock_gettime (CLOCK_MONOTONIC, &t);
  return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static bool
read_option (Options *options, const char *word)
{
  char code[4];
  if (strcmp (word, "legacy") == 0)
    options->display.kms_api = BA_KMS_LEGACY;
  else if (strcmp (word, "atomic") == 0)
    options->display.kms_api = BA_KMS_ATOMIC;
  else if (strcmp (word, "free") == 0)
    options->display.no_vsync = true;
  else if (strcmp (word, "hold") == 0)
    options->hold = true;
  else if (sscanf (word, "format=%c%c%c%c", &code[0], &code[1], &code[2], &code[3]) == 4)
    options->display.fourcc = BA_FOURCC (code[0], code[1], code[2], code[3]);
  else if (sscanf (word, "pages=%u", &options->display.pages) != 1 && sscanf (word, "%u", &options->frames) != 1)
    return false;
  return true;
}

/* A white bar over black: in every RGB format white is all bits set. Of a YUV page, light and dark is all there is. */
static void
draw (const BaDisplayInfo *info, BaDisplay *display, BaBuffer *page, unsigned frame)
{
  const BaLayout *layout = &info->layout;
  unsigned bar_rows = layout->height_px / 16 + 1;
  unsigned first = frame * 4 % (layout->height_px - bar_rows + 1);
  uint8_t *data = ba_buffer_get_data (page);
  ba_display_clear (display, (unsigned) ba_display_get_page_number (display, page));
  memset (data + layout->offset_bytes[0] + first * layout->stride_bytes[0], 0xff, bar_rows * layout->stride_bytes[0]);
}

static int
show_frames (const Options *options, BaDisplay *display, BaPool *pool)
{
  const BaDisplayInfo *info = ba_display_get_info (display);
  int r = 0;
  for (unsigned i = 0; r == 0 && i < options->frames; i++) {
    BaBuffer *page;
    if (info->n_pages == 2)
      (void) ba_display_wait (display, NULL); /* both are taken until the second one is seen */
    r = ba_pool_acquire (pool, INT64_C (2000000000), NULL, &page);
    if (r < 0)
      break;
    draw (info, display, page, i);
    r = ba_display_flip (display, page, NULL);
    ba_buffer_unref (page);
  }
  return r < 0 ? r : ba_display_wait (display, NULL);
}

static int
run (const Options *options, BaDisplay *display)
{
  const BaDisplayInfo *info = ba_display_get_info (display);
  BaConfig config = { .display = display };
  BaSpec spec = { .name = "pages" };
  BaAllocator *allocator = NULL;
  BaPool *pool = NULL;
  BaDisplayStats stats;

  printf ("%s %s: %ux%u %.4s, %u pages, stride %zu, %.3f Hz\n", info->kind, info->name, info->layout.width_px,
          info->layout.height_px, (const char *) &info->layout.fourcc, info->n_pages, info->layout.stride_bytes[0],
          info->period_ns ? 1e9 / (double) info->period_ns : 0.0);
  int r = ba_allocator_new_with_config (BA_TYPE_FRAMEBUFFER, &config, NULL, &allocator);
  if (r == 0)
    r = ba_allocator_build_pool (allocator, &spec, &pool);
  double began = seconds_now ();
  if (r == 0)
    r = show_frames (options, display, pool);
  double took = seconds_now () - began;
  ba_display_get_stats (display, &stats);
  printf ("%s: %u frames in %.3f s, %.2f a second; %llu flips, %llu waits, %llu vsyncs missed\n", ba_error_text (r),
          options->frames, took, options->frames / took, (unsigned long long) stats.flips,
          (unsigned long long) stats.waits, (unsigned long long) stats.vsyncs_missed);
  fflush (stdout);
  if (options->hold)
    (void) getchar ();
  ba_display_close (display);
  ba_pool_unref (pool);
  ba_allocator_unref (allocator);
  return r;
}

int
main (int argc, char **argv)
{
  Options options = { .frames = 300 };
  BaDisplay *display;
  BaError error;
  for (int i = 2; i < argc; i++) {
    if (!read_option (&options, argv[i])) {
      fprintf (stderr, "%s: not understood\n", argv[i]);
      return 2;
    }
  }
  if (ba_display_open (argc > 1 ? argv[1] : "auto", &options.display, &error, &display) < 0) {
    fprintf (stderr, "%s\n", error.message);
    return 1;
  }
  int r = run (&options, display);
  ba_display_unref (display);
  return r < 0 ? 1 : 0;
}
