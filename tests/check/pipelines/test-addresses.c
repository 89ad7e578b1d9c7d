/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-addresses.c: zero copy proved by the pointer: where the picture lies when the sink maps it is where libavcodec
 * was told to write it, or the page that is shown next. What libavcodec was told is what the decoder logs in its
 * get_buffer2, before there is a frame: no object that the decoder could have made later is asked.
 */
#include <check.h>
#include <gst/bufalloc/gstbaavframe.h>
#include <gst/bufalloc/gstbufalloc.h>
#include <libavutil/frame.h>
#include <stdlib.h>

#define FRAMES 12
#define PLANES 4

/* The addresses that went to libavcodec and have not been seen at the sink. Frame threads ask for some, too. */
typedef struct
{
  GMutex lock;
  GArray *planes;               /* gpointer[PLANES] */
  guint n_in_pages;
} Witness;

typedef struct
{
  Witness *witness;
  GstVideoInfo info;
  guint frames;
  guint pages;                  /* frames that are pages of the screen */
} Seen;

static void
witness_log (GstDebugCategory * category, GstDebugLevel level, const gchar * file, const gchar * function, gint line,
    GObject * object, GstDebugMessage * message, gpointer data)
{
  Witness *witness = data;
  gpointer planes[PLANES];
  gint in_page;

  (void) level, (void) file, (void) function, (void) line, (void) object;
  if (g_strcmp0 (gst_debug_category_get_name (category), "avzerodec") != 0
      || !g_str_has_prefix (gst_debug_message_get (message), "get_buffer2:"))
    return;
  if (sscanf (gst_debug_message_get (message), "get_buffer2: planes at %p %p %p %p, in a page: %d", &planes[0],
          &planes[1], &planes[2], &planes[3], &in_page) != 5)
    return;
  g_mutex_lock (&witness->lock);
  g_array_append_val (witness->planes, planes);
  witness->n_in_pages += in_page != 0;
  g_mutex_unlock (&witness->lock);
}

/* Each hand-out is good for one picture. */
static gboolean
witness_take (Witness * witness, const GstVideoFrame * picture)
{
  gboolean found = FALSE;

  g_mutex_lock (&witness->lock);
  for (guint i = 0; i < witness->planes->len && !found; i++) {
    gpointer *planes = (gpointer *) (gpointer) (witness->planes->data + i * PLANES * sizeof (gpointer));

    found = TRUE;
    for (guint p = 0; p < GST_VIDEO_FRAME_N_PLANES (picture); p++)
      found = found && planes[p] == GST_VIDEO_FRAME_PLANE_DATA (picture, p);
    if (found)
      g_array_remove_index (witness->planes, i);
  }
  g_mutex_unlock (&witness->lock);
  return found;
}

/* What reaches the sink's pad is what the sink maps: it reads frames in no other way. */
static GstPadProbeReturn
look (GstPad * pad, GstPadProbeInfo * probe, gpointer data)
{
  Seen *seen = data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (probe);
  const AVFrame *frame = gst_ba_avframe_buffer_get_frame (buffer);
  GstCaps *caps = gst_pad_get_current_caps (pad);
  GstVideoFrame mapped;

  ck_assert (gst_video_info_from_caps (&seen->info, caps));
  gst_caps_unref (caps);
  ck_assert (gst_video_frame_map (&mapped, &seen->info, buffer, GST_MAP_READ));
  ck_assert_msg (witness_take (seen->witness, &mapped), "libavcodec was never told to write to %p",
      GST_VIDEO_FRAME_PLANE_DATA (&mapped, 0));
  if (frame) {
    for (guint i = 0; i < GST_VIDEO_FRAME_N_PLANES (&mapped); i++) {
      ck_assert_ptr_eq (GST_VIDEO_FRAME_PLANE_DATA (&mapped, i), frame->data[i]);
      ck_assert_int_eq (GST_VIDEO_FRAME_PLANE_STRIDE (&mapped, i), frame->linesize[i]);
    }
  } else {
    GstMemory *memory = gst_buffer_peek_memory (buffer, 0);

    ck_assert (gst_is_ba_memory (memory));
    ck_assert (GST_IS_BA_FBDEV_ALLOCATOR (memory->allocator));
    ck_assert_ptr_eq (GST_VIDEO_FRAME_PLANE_DATA (&mapped, 0), ba_buffer_get_data (gst_ba_memory_get_buffer (memory)));
    seen->pages++;
  }
  gst_video_frame_unmap (&mapped);
  seen->frames++;
  return GST_PAD_PROBE_OK;
}

static Seen
play (Witness * witness, const gchar * clip, const gchar * extension, const gchar * demux)
{
  gchar *path = g_strdup_printf ("%s/%s-160x120-%d%s", g_getenv ("BA_CLIP_DIR"), clip, FRAMES, extension);
  gchar *make = g_strdup_printf ("%s %s-160x120 %s %d", g_getenv ("BA_MAKE_CLIP"), clip, path, FRAMES);
  gchar *launch = g_strdup_printf ("filesrc location=%s ! %s ! avzerodec ! fbdevzerosink name=sink sync=false "
      "device=virtual:160x120,rate=0", path, demux);
  GstElement *pipeline, *sink;
  GstMessage *message;
  GstBus *bus;
  GstPad *pad;
  gint status = -1;
  Seen seen = {.witness = witness };

  g_mutex_init (&witness->lock);
  witness->planes = g_array_new (FALSE, FALSE, PLANES * sizeof (gpointer));
  gst_debug_remove_log_function (gst_debug_log_default);
  gst_debug_add_log_function (witness_log, witness, NULL);
  gst_debug_set_active (TRUE);
  gst_debug_set_threshold_for_name ("avzerodec", GST_LEVEL_LOG);
  ck_assert_msg (g_spawn_command_line_sync (make, NULL, NULL, &status, NULL) && status == 0, "%s", make);
  pipeline = gst_parse_launch (launch, NULL);
  ck_assert_ptr_nonnull (pipeline);
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  pad = gst_element_get_static_pad (sink, "sink");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, look, &seen, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  bus = gst_element_get_bus (pipeline);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  ck_assert_int_eq (GST_MESSAGE_TYPE (message), GST_MESSAGE_EOS);
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_debug_remove_log_function (witness_log);
  g_array_unref (witness->planes);
  g_mutex_clear (&witness->lock);
  gst_object_unref (bus);
  gst_object_unref (pad);
  gst_object_unref (sink);
  gst_object_unref (pipeline);
  g_free (path);
  g_free (make);
  g_free (launch);
  return seen;
}

START_TEST (h264_is_read_where_libavcodec_wrote_it)
{
  Witness witness = { 0 };
  Seen seen = play (&witness, "h264", ".mp4", "qtdemux ! h264parse");

  ck_assert_uint_eq (seen.frames, FRAMES);
  ck_assert_uint_eq (seen.pages, 0);
  ck_assert_uint_eq (witness.n_in_pages, 0);
}
END_TEST

START_TEST (ffv1_is_written_into_the_pages_that_are_shown)
{
  Witness witness = { 0 };
  Seen seen = play (&witness, "ffv1-bgr0", ".mkv", "matroskademux");

  ck_assert_uint_eq (seen.frames, FRAMES);
  ck_assert_uint_eq (seen.pages, FRAMES);
  ck_assert_uint_eq (witness.n_in_pages, FRAMES);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("addresses");
  TCase *tcase = tcase_create ("addresses");
  SRunner *runner;
  int failed;

  gst_init (NULL, NULL);
  tcase_set_timeout (tcase, 60);
  tcase_add_test (tcase, h264_is_read_where_libavcodec_wrote_it);
  tcase_add_test (tcase, ffv1_is_written_into_the_pages_that_are_shown);
  suite_add_tcase (suite, tcase);
  runner = srunner_create (suite);
  srunner_run_all (runner, CK_ENV);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
