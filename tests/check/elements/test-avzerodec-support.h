/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-avzerodec-support.h: what the tests of the decoder share: clips, and the sum of a picture's visible bytes. Each
 * binary uses a part of it, so everything is static inline.
 */
#pragma once

#include <gst/check/gstcheck.h>
#include <gst/video/video.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "../libs/test-leaks.h"

#define FRAMES "24"

/* How often to do what is done again and again: the address sanitizer takes many times as long. */
#ifdef __SANITIZE_ADDRESS__
#define ROUNDS(n) (((n) + 3) / 4)
#else
#define ROUNDS(n) (n)
#endif

/* Before the first test, which is a process of its own as all are: the stock decoders take longer to register than a
 * test takes. */
static inline void
load_plugins (void)
{
  static const gchar *names[] = { "libav", "bufalloc", "isomp4", "matroska", "videoparsersbad", "coreelements" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    GstPlugin *plugin = gst_plugin_load_by_name (names[i]);
    gst_clear_object (&plugin);
  }
}

static inline gchar *
get_clip (const gchar *name)
{
  gchar *file = g_strdup_printf ("%s-" FRAMES, name);
  gchar *path = g_build_filename (g_getenv ("BA_CLIP_DIR") ? g_getenv ("BA_CLIP_DIR") : g_get_tmp_dir (), file, NULL);
  const gchar *make_clip = g_getenv ("BA_MAKE_CLIP");
  gchar *argv[] = { g_strdup (make_clip ? make_clip : "scripts/make-clip"), g_strdup (name), path, g_strdup (FRAMES),
                    NULL };
  gint status = -1;
  fail_unless (g_spawn_sync (NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status, NULL)
                   && status == 0,
               "%s could not be made", path);
  g_free (argv[0]);
  g_free (argv[1]);
  g_free (argv[3]);
  g_free (file);
  return path;
}

static inline gchar *
sum_picture (GstVideoFrame *picture)
{
  GChecksum *sum = g_checksum_new (G_CHECKSUM_MD5);
  for (guint plane = 0; plane < GST_VIDEO_FRAME_N_PLANES (picture); plane++) {
    gint component[GST_VIDEO_MAX_COMPONENTS];
    gst_video_format_info_component (picture->info.finfo, plane, component);
    gsize row_bytes = (gsize) GST_VIDEO_FRAME_COMP_WIDTH (picture, component[0])
                      * (gsize) GST_VIDEO_FRAME_COMP_PSTRIDE (picture, component[0]);
    const guint8 *row = GST_VIDEO_FRAME_PLANE_DATA (picture, plane);
    for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (picture, component[0]); y++) {
      g_checksum_update (sum, row, (gssize) row_bytes);
      row += GST_VIDEO_FRAME_PLANE_STRIDE (picture, plane);
    }
  }
  gchar *text = g_strdup (g_checksum_get_string (sum));
  g_checksum_free (sum);
  return text;
}

/* The packets of a clip, as a demuxer or parser gives them. */
typedef struct
{
  GstCaps *caps;
  GPtrArray *packets;
} Stream;

static inline void
keep_packet (GstElement *sink, GstBuffer *buffer, GstPad *pad, Stream *stream)
{
  (void) sink;
  if (!stream->caps)
    stream->caps = gst_pad_get_current_caps (pad);
  g_ptr_array_add (stream->packets, gst_buffer_ref (buffer));
}

static inline Stream
load_file (const gchar *path, const gchar *demux)
{
  Stream stream = { NULL, g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref) };
  gchar *line = g_strdup_printf ("filesrc location=\"%s\" ! %s ! fakesink name=sink signal-handoffs=true", path, demux);
  GstElement *pipeline = gst_parse_launch (line, NULL);
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GstBus *bus = gst_element_get_bus (pipeline);
  g_signal_connect (sink, "handoff", G_CALLBACK (keep_packet), &stream);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  GstMessage *message = gst_bus_timed_pop_filtered (bus, 50 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS, "%s", line);
  fail_unless (stream.packets->len > 0);
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (sink);
  gst_object_unref (pipeline);
  g_free (line);
  return stream;
}

static inline void
unload (Stream *stream)
{
  gst_clear_caps (&stream->caps);
  g_ptr_array_unref (stream->packets);
}

/* What ffmpeg makes of @input with @options: a file of that name, made anew each time. */
static inline gchar *
make_file (const gchar *name, const gchar *input, const gchar *options)
{
  const gchar *dir = g_getenv ("BA_CLIP_DIR") ? g_getenv ("BA_CLIP_DIR") : g_get_tmp_dir ();
  /* Its own part: another test may be making the same file. */
  gchar *part = g_strdup_printf ("%s/part-%d-%s", dir, (gint) getpid (), name);
  gchar *path = g_build_filename (dir, name, NULL);
  gchar *command = g_strdup_printf ("ffmpeg -nostdin -loglevel error -y %s %s \"%s\"", input, options, part);
  gint status = -1;
  g_mkdir_with_parents (dir, 0755);
  fail_unless (g_spawn_command_line_sync (command, NULL, NULL, &status, NULL) && status == 0, "%s", command);
  fail_unless (g_rename (part, path) == 0);
  g_free (part);
  g_free (command);
  return path;
}
