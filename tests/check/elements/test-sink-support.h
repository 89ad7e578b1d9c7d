/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-sink-support.h: what the tests of the sink share: a pipeline with a count of its messages, a virtual screen in a
 * file that can be looked at, and frames of one colour. Each binary uses a part of it, so everything is static inline.
 */
#pragma once

#include <check.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <gst/bufalloc/gstbufalloc.h>
#include <bufalloc/virtual-display.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../libs/test-leaks.h"

/* ---- the screen ------------------------------------------------------------------------------------------------ */

/* A file for a virtual display, in a directory of its own. */
typedef struct
{
  gchar *dir;
  gchar *path;
} ScreenFile;

static inline ScreenFile
screen_file_new (void)
{
  ScreenFile file;

  file.dir = g_dir_make_tmp ("fbdevzerosink-XXXXXX", NULL);
  ck_assert_ptr_nonnull (file.dir);
  file.path = g_build_filename (file.dir, "screen", NULL);
  return file;
}

static inline void
screen_file_free (ScreenFile * file)
{
  g_unlink (file->path);
  ck_assert_msg (g_rmdir (file->dir) == 0, "%s is not empty", file->dir);
  g_free (file->path);
  g_free (file->dir);
}

/* The file, mapped. */
typedef struct
{
  guint8 *data;
  gsize size;
  const BaVirtualTrailer *trailer;
} Watch;

static inline Watch
watch_open (const ScreenFile * file)
{
  Watch watch;
  struct stat status;
  int fd = open (file->path, O_RDONLY | O_CLOEXEC);

  ck_assert_msg (fd >= 0 && fstat (fd, &status) == 0, "cannot open %s", file->path);
  watch.size = status.st_size;
  watch.data = mmap (NULL, watch.size, PROT_READ, MAP_SHARED, fd, 0);
  ck_assert_ptr_ne (watch.data, MAP_FAILED);
  close (fd);
  watch.trailer = (const BaVirtualTrailer *) (watch.data + watch.size - BA_VIRTUAL_TRAILER_BYTES);
  ck_assert_int_eq (memcmp (watch.trailer->magic, BA_VIRTUAL_MAGIC, 8), 0);
  return watch;
}

static inline void
watch_close (Watch * watch)
{
  munmap (watch->data, watch->size);
}

/* The pixel on screen as 0xRRGGBB; the screen is BGRx. */
static inline guint32
pixel (const Watch * watch, guint x, guint y)
{
  const guint8 *p = watch->data + watch->trailer->front_page * watch->trailer->page_bytes
      + y * watch->trailer->stride_bytes + x * 4;

  return p[2] << 16 | p[1] << 8 | p[0];
}

/* Everything inside the rectangle has this colour (plus or minus 3 a channel), and everything outside is black. */
static inline void
assert_picture (const ScreenFile * file, gint left, gint top, gint width, gint height, guint32 colour)
{
  Watch watch = watch_open (file);

  for (gint y = 0; y < (gint) watch.trailer->height_px; y++) {
    for (gint x = 0; x < (gint) watch.trailer->width_px; x++) {
      gboolean inside = x >= left && x < left + width && y >= top && y < top + height;
      guint32 wanted = inside ? colour : 0, found = pixel (&watch, x, y);

      for (gint shift = 0; shift < 24; shift += 8)
        ck_assert_msg (ABS ((gint) (wanted >> shift & 255) - (gint) (found >> shift & 255)) <= 3,
            "pixel %d,%d is %06x, not %06x (picture of %dx%d at %d,%d)", x, y, found, wanted, width, height, left, top);
    }
  }
  watch_close (&watch);
}

/* ---- the pipeline ---------------------------------------------------------------------------------------------- */

typedef struct
{
  GstElement *pipeline;
  GstElement *sink;
  GstBus *bus;
  guint n_errors;
  gchar *error;                 /* text and debug string of the last one */
  gint error_code;
  GQuark error_domain;
  gboolean drained_eos;         /* the end was on the bus before anybody waited for it */
  GString *paths;               /* "flip copy ": what the element messages said */
} Player;

/* @launch with a fbdevzerosink called sink at its end, which takes @settings. */
static inline Player
player_new (const gchar * launch, const gchar * settings)
{
  gchar *text = g_strdup_printf ("%s fbdevzerosink name=sink %s", launch, settings);
  GError *error = NULL;
  Player player = { NULL };

  player.pipeline = gst_parse_launch (text, &error);
  ck_assert_msg (error == NULL, "%s: %s", text, error ? error->message : "");
  if (!GST_IS_PIPELINE (player.pipeline)) {
    GstElement *pipeline = gst_pipeline_new (NULL);

    gst_bin_add (GST_BIN (pipeline), player.pipeline);
    player.pipeline = pipeline;
  }
  player.sink = gst_bin_get_by_name (GST_BIN (player.pipeline), "sink");
  player.bus = gst_element_get_bus (player.pipeline);
  player.paths = g_string_new (NULL);
  g_free (text);
  return player;
}

static inline void
player_note (Player * player, GstMessage * message)
{
  const GstStructure *structure = gst_message_get_structure (message);

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    GError *error;
    gchar *debug;

    gst_message_parse_error (message, &error, &debug);
    player->n_errors++;
    player->error_code = error->code;
    player->error_domain = error->domain;
    g_free (player->error);
    player->error = g_strdup_printf ("%s [%s]", error->message, debug);
    g_error_free (error);
    g_free (debug);
  } else if (structure && gst_structure_has_name (structure, "fbdevzerosink-path")) {
    ck_assert_ptr_nonnull (gst_structure_get_string (structure, "reason"));
    g_string_append_printf (player->paths, "%s ", gst_structure_get_string (structure, "path"));
  }
}

/* Reads the bus up to a message of these types, and returns its type. An end that was drained counts. */
static inline GstMessageType
player_wait (Player * player, GstMessageType types)
{
  if (player->drained_eos && (types & GST_MESSAGE_EOS)) {
    player->drained_eos = FALSE;
    return GST_MESSAGE_EOS;
  }
  for (;;) {
    GstMessage *message = gst_bus_timed_pop (player->bus, GST_CLOCK_TIME_NONE);
    GstMessageType type = GST_MESSAGE_TYPE (message);

    player_note (player, message);
    gst_message_unref (message);
    /* the extended types are numbers, not bits */
    if (type & GST_MESSAGE_EXTENDED ? types & GST_MESSAGE_EXTENDED : type & types)
      return type;
  }
}

/* Reads what is on the bus now. */
static inline void
player_drain (Player * player)
{
  GstMessage *message;

  while ((message = gst_bus_pop (player->bus))) {
    player->drained_eos |= GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS;
    player_note (player, message);
    gst_message_unref (message);
  }
}

static inline void
player_set (Player * player, GstState state)
{
  if (state == GST_STATE_NULL) {
    player_drain (player);      /* NULL empties the bus */
    player->drained_eos = FALSE;
  }
  ck_assert_int_ne (gst_element_set_state (player->pipeline, state), GST_STATE_CHANGE_FAILURE);
}

/* To a state, and until it is reached. */
static inline void
player_reach (Player * player, GstState state)
{
  player_set (player, state);
  if (gst_element_get_state (player->pipeline, NULL, NULL, GST_CLOCK_TIME_NONE) == GST_STATE_CHANGE_FAILURE)
    player_drain (player);
  ck_assert_msg (player->n_errors == 0, "%s", player->error);
}

static inline void
player_play_to_end (Player * player)
{
  player_set (player, GST_STATE_PLAYING);
  player_wait (player, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  ck_assert_msg (player->n_errors == 0, "%s", player->error);
}

static inline void
player_free (Player * player)
{
  player_set (player, GST_STATE_NULL);
  gst_object_unref (player->sink);
  gst_object_unref (player->bus);
  gst_object_unref (player->pipeline);
  g_free (player->error);
  g_string_free (player->paths, TRUE);
}

static inline GstStructure *
player_stats (const Player * player)
{
  GstStructure *stats;

  g_object_get (player->sink, "frame-stats", &stats, NULL);
  ck_assert_ptr_nonnull (stats);
  return stats;
}

static inline guint64
player_count (const Player * player, const gchar * field)
{
  GstStructure *stats = player_stats (player);
  guint64 count;

  ck_assert_msg (gst_structure_get_uint64 (stats, field, &count), "frame-stats has no %s", field);
  gst_structure_free (stats);
  return count;
}

static inline void
assert_counts (const Player * player, guint64 flipped, guint64 converted, guint64 copied)
{
  ck_assert_uint_eq (player_count (player, "flipped"), flipped);
  ck_assert_uint_eq (player_count (player, "converted"), converted);
  ck_assert_uint_eq (player_count (player, "copied"), copied);
  ck_assert_uint_eq (player_count (player, "dropped"), 0);
}

/* ---- frames ---------------------------------------------------------------------------------------------------- */

/* Pushes into the appsrc called src. */
static inline GstFlowReturn
player_push (Player * player, GstBuffer * buffer, const gchar * caps_text)
{
  GstElement *src = gst_bin_get_by_name (GST_BIN (player->pipeline), "src");
  GstCaps *caps = gst_caps_from_string (caps_text);
  GstSample *sample = gst_sample_new (buffer, caps, NULL, NULL);
  GstFlowReturn flow;

  g_signal_emit_by_name (src, "push-sample", sample, &flow);
  gst_sample_unref (sample);
  gst_caps_unref (caps);
  gst_buffer_unref (buffer);
  gst_object_unref (src);
  return flow;
}

/* Plays what player_push() puts into appsrc, on a screen of 64x32 in @file. */
static inline Player
pushing_player (const ScreenFile * file, const gchar * more)
{
  gchar *settings = g_strdup_printf ("device=virtual:64x32,rate=0,file=%s sync=false %s", file->path, more);
  Player player = player_new ("appsrc name=src format=time !", settings);

  g_free (settings);
  player_set (&player, GST_STATE_PLAYING);
  return player;
}

static inline void
player_push_end (Player * player)
{
  GstElement *src = gst_bin_get_by_name (GST_BIN (player->pipeline), "src");
  GstFlowReturn flow;

  g_signal_emit_by_name (src, "end-of-stream", &flow);
  gst_object_unref (src);
}

/* BGRx rows of one colour, @stride bytes apart, whose bytes behind the picture are 0xee. */
static inline GstBuffer *
bgrx_frame (gint width, gint height, gint stride, guint32 colour)
{
  gsize size = (gsize) stride *height;
  guint8 *data = g_malloc (size);

  memset (data, 0xee, size);
  for (gint y = 0; y < height; y++) {
    for (gint x = 0; x < width; x++) {
      guint8 *p = data + y * stride + x * 4;

      p[0] = colour;
      p[1] = colour >> 8;
      p[2] = colour >> 16;
    }
  }
  return gst_buffer_new_wrapped (data, size);
}

static inline int
run_tests (const gchar * name, const TTest * const *tests, gsize n_tests)
{
  Suite *suite = suite_create (name);
  TCase *tcase = tcase_create (name);
  SRunner *runner;
  int failed;

  gst_init (NULL, NULL);
  tcase_set_timeout (tcase, 60);
  watch_over (tcase);
  for (gsize i = 0; i < n_tests; i++)
    tcase_add_test (tcase, tests[i]);
  suite_add_tcase (suite, tcase);
  runner = srunner_create (suite);
  srunner_run_all (runner, CK_ENV);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#define RUN(name, ...) \
  int main (void) \
  { \
    const TTest *const tests[] = { __VA_ARGS__ }; \
    return run_tests (name, tests, G_N_ELEMENTS (tests)); \
  }
