/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-fbdevzerosink-repaint.c: what comes between frames: an application that has the frame on the screen painted anew
 * from within a message, borders that others drew on, frames that are refused or dropped and come a second time, and
 * frames that do not fit the caps they come with.
 */
#include "test-pictures.h"

#define COLOUR 0x4080c0

/* ---- within a message ------------------------------------------------------------------------------------------- */

/* Messages are posted while the sink holds its locks. */
static GstBusSyncReply
expose_at_once (GstBus *bus, GstMessage *message, gpointer n_exposed)
{
  if (GST_IS_VIDEO_OVERLAY (GST_MESSAGE_SRC (message))) {
    gst_video_overlay_expose (GST_VIDEO_OVERLAY (GST_MESSAGE_SRC (message)));
    g_atomic_int_inc ((gint *) n_exposed);
  }
  return GST_BUS_PASS;
}

START_TEST (expose_within_a_message_does_not_hang)
{
  static const gchar *settings[] = { "pages=3", "pages=1", "pages=3 scaling=none" };

  for (guint i = 0; i < G_N_ELEMENTS (settings); i++) {
    ScreenFile file = screen_file_new ();
    gchar *more = g_strdup_printf ("device=virtual:64x32,rate=0,file=%s sync=false %s", file.path, settings[i]);
    Player player = player_new ("videotestsrc num-buffers=4 ! video/x-raw,format=I420,width=64,height=32 ! c. "
                                "videotestsrc num-buffers=4 ! video/x-raw,format=BGRx,width=64,height=32 ! c. "
                                "concat name=c !",
                                more);
    gint n_exposed = 0;

    gst_bus_set_sync_handler (player.bus, expose_at_once, &n_exposed, NULL);
    player_reach (&player, GST_STATE_PAUSED);
    player_play_to_end (&player);
    ck_assert_str_ne (player.paths->str, "");
    player_reach (&player, GST_STATE_READY);
    ck_assert_int_ge (g_atomic_int_get (&n_exposed), 4); /* the path, and the changes of state */
    gst_bus_set_sync_handler (player.bus, NULL, NULL, NULL);
    player_free (&player);
    g_free (more);
    screen_file_free (&file);
  }
}
END_TEST

static GstBusSyncReply
expose_on_path (GstBus *bus, GstMessage *message, gpointer n_exposed)
{
  const GstStructure *structure = gst_message_get_structure (message);

  if (structure && gst_structure_has_name (structure, "fbdevzerosink-path"))
    expose_at_once (bus, message, n_exposed);
  return GST_BUS_PASS;
}

/* The way changes in a repaint too, and then it is that thread which must not wait for itself. */
START_TEST (expose_within_the_message_of_a_repaint_does_not_hang)
{
  ScreenFile file = screen_file_new ();
  Feeder feeder = small_feeder (&file, "pages=3 scaling=stretch");
  gint n_exposed = 0;

  gst_bus_set_sync_handler (feeder.player.bus, expose_on_path, &n_exposed, NULL);
  feeder_negotiate (&feeder, "BGRx", 64, 32, TRUE);
  feed (&feeder);
  ck_assert_int_eq (n_exposed, 1);
  for (gint i = 1; i < 4; i++) {
    ck_assert (gst_video_overlay_set_render_rectangle (GST_VIDEO_OVERLAY (feeder.player.sink), 8, 4, 32 + i, 16));
    expose (&feeder.player);
    ck_assert_int_eq (n_exposed, 1 + i); /* it is another reason each time */
  }
  gst_bus_set_sync_handler (feeder.player.bus, NULL, NULL, NULL);
  feeder_end (&feeder);
  screen_file_free (&file);
}
END_TEST

/* ---- borders ---------------------------------------------------------------------------------------------------- */

/* What another program does to the pages: all of them, but for @keep. */
static void
scribble (const ScreenFile *file, const GstVideoRectangle *keep)
{
  guint8 *data;
  struct stat status;
  int fd = open (file->path, O_RDWR | O_CLOEXEC);

  ck_assert (fd >= 0 && fstat (fd, &status) == 0);
  data = mmap (NULL, status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ck_assert_ptr_ne (data, MAP_FAILED);
  close (fd);
  for (gssize i = 0; i < status.st_size - BA_VIRTUAL_TRAILER_BYTES; i += 4) {
    gint x = i % 256 / 4, y = i / 256 % 32;

    if (x < keep->x || x >= keep->x + keep->w || y < keep->y || y >= keep->y + keep->h)
      memset (data + i, 0xee, 4);
  }
  munmap (data, status.st_size);
}

START_TEST (expose_repairs_borders)
{
  static const struct
  {
    const gchar *settings, *format;
    gboolean pages;
  } rows[] = {
    { "pages=1", "BGRx", FALSE }, { "pages=1 damage=never", "I420", FALSE }, { "pages=2", "BGRx", FALSE },
    { "pages=2 damage=always", "I420", FALSE }, { "pages=3", "BGRx", TRUE },
  };
  const GstVideoRectangle picture = { 12, 6, 40, 20 };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    ScreenFile file = screen_file_new ();
    gchar *more = g_strdup_printf ("%s scaling=none", rows[i].settings);
    Feeder feeder = small_feeder (&file, more);
    Screen screen = screen_open (&file, "BGRx");

    feeder_negotiate (&feeder, rows[i].format, 40, 20, rows[i].pages);
    ck_assert (rows[i].pages == (feeder.pool != NULL));
    for (guint n = 0; n < 3; n++)
      feed (&feeder);
    /* a picture in a page is nobody's to draw anew */
    scribble (&file, rows[i].pages ? &picture : &(GstVideoRectangle){ 0 });
    expose (&feeder.player);
    assert_frame (&screen, 2, &picture, rows[i].format[0] == 'I' ? 255 : 0, rows[i].settings);
    screen_close (&screen);
    feeder_end (&feeder);
    g_free (more);
    screen_file_free (&file);
  }
}
END_TEST

/* ---- frames that are not shown ---------------------------------------------------------------------------------- */

/* A frame before it plays finds no page, is prepared anew as the place changes, and once more when it plays: it is one
 * frame, and where there is a page in the end it is not dropped. */
START_TEST (a_frame_is_dropped_once)
{
  for (guint shown = 0; shown < 2; shown++) {
    ScreenFile file = screen_file_new ();
    Player player = pushing_player (&file, "pages=3 scaling=stretch");
    const gchar *caps = "video/x-raw,format=BGRx,width=64,height=32,framerate=0/1";
    GstPad *pad = gst_element_get_static_pad (player.sink, "sink");
    GstQuery *query;
    GstBufferPool *pool;
    GstCaps *pool_caps = gst_caps_from_string (caps);
    BaBuffer *taken[3];
    BaPool *pages;

    player_set (&player, GST_STATE_PAUSED);
    query = gst_query_new_allocation (pool_caps, TRUE);
    ck_assert (gst_pad_query (pad, query));
    gst_query_parse_nth_allocation_pool (query, 0, &pool, NULL, NULL, NULL);
    pages = ba_pool_ref (gst_ba_fbdev_allocator_get_pages (gst_ba_fbdev_pool_get_allocator (GST_BA_FBDEV_POOL (pool))));
    for (guint i = 0; i < 3; i++)
      ck_assert_int_eq (ba_pool_acquire (pages, BA_NO_WAIT, NULL, &taken[i]), 0);
    ck_assert_int_eq (player_push (&player, bgrx_frame (64, 32, 256, COLOUR), caps), GST_FLOW_OK);
    while (gst_element_get_state (player.pipeline, NULL, NULL, GST_CLOCK_TIME_NONE) != GST_STATE_CHANGE_SUCCESS)
      g_thread_yield ();
    ck_assert_uint_eq (player_count (&player, "dropped"), 1);
    gst_video_overlay_set_render_rectangle (GST_VIDEO_OVERLAY (player.sink), 8, 4, 32, 16);
    expose (&player);
    ck_assert_uint_eq (player_count (&player, "dropped"), 1);
    for (guint i = 0; shown && i < 3; i++)
      ck_assert_int_eq (ba_pool_release (pages, taken[i]), 0);
    player_push_end (&player);
    player_play_to_end (&player);
    ck_assert_uint_eq (player_count (&player, "dropped"), !shown);
    ck_assert_uint_eq (player_count (&player, "copied") + player_count (&player, "converted"), shown);
    for (guint i = 0; !shown && i < 3; i++)
      ck_assert_int_eq (ba_pool_release (pages, taken[i]), 0);
    if (shown)
      assert_picture (&file, 8, 4, 32, 16, COLOUR);
    ba_pool_unref (pages);
    gst_object_unref (pool);
    gst_query_unref (query);
    gst_caps_unref (pool_caps);
    gst_object_unref (pad);
    player_free (&player);
    screen_file_free (&file);
  }
}
END_TEST

/* A picture as those who know GstVideoMeta make it. */
static GstBuffer *
described_frame (GstVideoFormat format, gint width, gint height)
{
  GstVideoInfo info;
  GstBuffer *buffer;

  gst_video_info_set_format (&info, format, width, height);
  buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  gst_buffer_memset (buffer, 0, 0x80, -1);
  gst_buffer_add_video_meta (buffer, GST_VIDEO_FRAME_FLAG_NONE, format, width, height);
  return buffer;
}

/* Two threads push into an input-selector that is switched: one frame of the old input comes after the new one's caps. */
START_TEST (a_frame_of_other_caps_is_dropped)
{
  static const struct
  {
    GstVideoFormat format;
    gint width, height;
  } others[] = {
    { GST_VIDEO_FORMAT_I420, 64, 32 }, { GST_VIDEO_FORMAT_I420, 640, 480 }, { GST_VIDEO_FORMAT_RGB16, 64, 32 },
    { GST_VIDEO_FORMAT_BGRx, 32, 32 }, { GST_VIDEO_FORMAT_BGRx, 64, 16 },   { GST_VIDEO_FORMAT_NV12, 32, 16 },
  };

  for (guint pages = 1; pages <= 3; pages++) {
    for (guint i = 0; i < G_N_ELEMENTS (others); i++) {
      ScreenFile file = screen_file_new ();
      gchar *more = g_strdup_printf ("pages=%u", pages);
      Feeder feeder = small_feeder (&file, more);
      GstBuffer *buffer = described_frame (others[i].format, others[i].width, others[i].height);

      feeder_negotiate (&feeder, "BGRx", 64, 32, FALSE);
      ck_assert_int_eq (gst_pad_push (feeder.pad, bgrx_frame (64, 32, 256, COLOUR)), GST_FLOW_OK);
      ck_assert_int_eq (gst_pad_push (feeder.pad, gst_buffer_ref (buffer)), GST_FLOW_OK);
      expose (&feeder.player); /* it is the last sample now */
      assert_picture (&file, 0, 0, 64, 32, COLOUR);
      ck_assert_int_eq (gst_pad_push (feeder.pad, bgrx_frame (64, 32, 256, 0x204060)), GST_FLOW_OK);
      assert_picture (&file, 0, 0, 64, 32, 0x204060);
      ck_assert_uint_eq (player_count (&feeder.player, "copied"), 2);
      ck_assert_uint_eq (player_count (&feeder.player, "dropped"), 1);
      gst_buffer_unref (buffer);
      feeder_end (&feeder);
      g_free (more);
      screen_file_free (&file);
    }
  }
}
END_TEST

START_TEST (the_first_frame_may_be_of_other_caps)
{
  ScreenFile file = screen_file_new ();
  Feeder feeder = small_feeder (&file, "pages=3");

  feeder_negotiate (&feeder, "BGRx", 64, 32, FALSE);
  ck_assert_int_eq (gst_pad_push (feeder.pad, described_frame (GST_VIDEO_FORMAT_I420, 64, 32)), GST_FLOW_OK);
  ck_assert_int_eq (gst_pad_push (feeder.pad, bgrx_frame (64, 32, 256, COLOUR)), GST_FLOW_OK);
  assert_picture (&file, 0, 0, 64, 32, COLOUR);
  feeder_end (&feeder);
  screen_file_free (&file);
}
END_TEST

/* ---- words ------------------------------------------------------------------------------------------------------ */

START_TEST (the_reason_says_that_nobody_asked)
{
  ScreenFile file = screen_file_new ();
  Feeder feeder = small_feeder (&file, "pages=3");
  GstStructure *stats;

  feeder_set_caps (&feeder, BGRX (64, 32)); /* and no query */
  ck_assert_int_eq (gst_pad_push (feeder.pad, bgrx_frame (64, 32, 256, COLOUR)), GST_FLOW_OK);
  stats = player_stats (&feeder.player);
  ck_assert_msg (strstr (gst_structure_get_string (stats, "reason"), "asked it for buffers") != NULL, "%s",
                 gst_structure_get_string (stats, "reason"));
  gst_structure_free (stats);
  feeder_end (&feeder);
  screen_file_free (&file);
}
END_TEST

RUN ("fbdevzerosink-repaint", expose_within_a_message_does_not_hang,
     expose_within_the_message_of_a_repaint_does_not_hang, expose_repairs_borders, a_frame_is_dropped_once,
     a_frame_of_other_caps_is_dropped, the_first_frame_may_be_of_other_caps, the_reason_says_that_nobody_asked)
