/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-fbdevzerosink-cost.c: what nobody sees and everybody pays: libraries that the sink does not need, and the memory
 * and time that it takes to find out which rows of a frame changed.
 */
#include "test-pictures.h"

/* Every format is read and every format is written: that too takes no library that brings twenty more. */
START_TEST (the_sink_alone_loads_no_decoders)
{
  static const gchar *heavy[] = { "libavcodec", "libavutil", "libyuv", "libjpeg", "libX11", "libOpenCL" };
  static const gchar *formats[][2] = { { "I420", "BGRx" }, { "RGB", "BGRx" }, { "BGRx", "BGR" }, { "NV12", "RGB16" } };
  gchar *maps;

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    gchar *source = g_strdup_printf ("videotestsrc num-buffers=2 ! video/x-raw,format=%s,width=64,height=48 !",
                                     formats[i][0]);
    gchar *settings = g_strdup_printf ("device=virtual:40x30,format=%s,rate=0 sync=false video-direction=horiz",
                                       formats[i][1]);
    Player player = player_new (source, settings);

    player_play_to_end (&player);
    assert_counts (&player, 0, 2, 0);
    player_free (&player);
    g_free (settings);
    g_free (source);
  }
  ck_assert (g_file_get_contents ("/proc/self/maps", &maps, NULL, NULL));
  ck_assert_ptr_nonnull (strstr (maps, "libgstbufalloc.so"));
  for (guint i = 0; i < G_N_ELEMENTS (heavy); i++)
    ck_assert_msg (strstr (maps, heavy[i]) == NULL, "the sink's plugin brings %s along", heavy[i]);
  g_free (maps);
}
END_TEST

/* A display of one page: whoever keeps account of rows has the whole picture a second time, and looks at each byte. */
START_TEST (rows_are_compared_on_small_panels_only)
{
  static const struct
  {
    const gchar *device, *damage;
    guint64 frame_bytes;
    guint frames_written; /* of four that are all the same */
  } rows[] = {
    { "virtual:320x240,format=RGB16,rate=0,pages=1", "auto", 320 * 240 * 2, 1 },
    { "virtual:800x480,format=BGRx,rate=0,pages=1", "auto", 800 * 480 * 4, 1 },
    { "virtual:1280x720,format=BGRx,rate=0,pages=1", "auto", 1280 * 720 * 4, 4 },
    { "virtual:1280x720,format=BGRx,rate=0,pages=1", "always", 1280 * 720 * 4, 1 },
    { "virtual:320x240,format=RGB16,rate=0,pages=1", "never", 320 * 240 * 2, 4 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    gchar *settings = g_strdup_printf ("device=%s damage=%s sync=false", rows[i].device, rows[i].damage);
    Player player = player_new ("videotestsrc pattern=blue num-buffers=4 !", settings);

    player_play_to_end (&player);
    ck_assert_msg (player_count (&player, "bytes-written") == rows[i].frames_written * rows[i].frame_bytes,
                   "%s wrote %" G_GUINT64_FORMAT " bytes", settings, player_count (&player, "bytes-written"));
    player_free (&player);
    g_free (settings);
  }
}
END_TEST

RUN ("fbdevzerosink-cost", the_sink_alone_loads_no_decoders, rows_are_compared_on_small_panels_only)
