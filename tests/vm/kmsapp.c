/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kmsapp.c: an application that opens a card itself, and gives it to the sinks of its pipeline.
 *
 *   kmsapp CARD PIPELINE       each @ of the pipeline becomes the number of the open card
 *
 * Plays until SIGINT, also after the end of the stream. Lines that come through descriptor 9 are commands; each is
 * answered with a line on descriptor 8:
 *
 *   lend                       lets another file be master, which shows all green
 *   back                       closes that file
 *   dpms CONNECTOR VALUE       switches a screen off (3) and on (0)
 *   frames                     how many frames the element "sink" has shown
 *   ask                        the errors that the pipeline has had, or "none"
 */
#include <drm.h>
#include <drm_mode.h>
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <gst/gst.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define COMMANDS 9
#define ANSWERS 8
#define MAX_OBJECTS 8
#define GREEN 0x0000ff00

typedef struct
{
  const char *path;
  int card;
  int other;
  GMainLoop *loop;
  GstElement *pipeline;
  GString *errors;
} App;

/* ---- the other master ------------------------------------------------------------------------------------------ */

static int
make_green (int fd, const struct drm_mode_modeinfo *mode, uint32_t *fb_id)
{
  struct drm_mode_create_dumb dumb = { .width = mode->hdisplay, .height = mode->vdisplay, .bpp = 32 };
  struct drm_mode_map_dumb map = { 0 };
  struct drm_mode_fb_cmd fb = { .width = mode->hdisplay, .height = mode->vdisplay, .bpp = 32, .depth = 24 };
  if (ioctl (fd, DRM_IOCTL_MODE_CREATE_DUMB, &dumb) < 0)
    return -errno;
  map.handle = fb.handle = dumb.handle;
  fb.pitch = dumb.pitch;
  if (ioctl (fd, DRM_IOCTL_MODE_MAP_DUMB, &map) < 0 || ioctl (fd, DRM_IOCTL_MODE_ADDFB, &fb) < 0)
    return -errno;
  uint32_t *pixels = mmap (NULL, dumb.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t) map.offset);
  if (pixels == MAP_FAILED)
    return -errno;
  for (size_t i = 0; i < dumb.size / sizeof *pixels; i++)
    pixels[i] = GREEN;
  munmap (pixels, dumb.size);
  *fb_id = fb.fb_id;
  return 0;
}

/* On the first CRTC, with the mode that it has. */
static int
show_green (int fd)
{
  uint32_t crtcs[MAX_OBJECTS], connectors[MAX_OBJECTS];
  struct drm_mode_card_res card = {
    .crtc_id_ptr = (uintptr_t) crtcs,
    .count_crtcs = MAX_OBJECTS,
    .connector_id_ptr = (uintptr_t) connectors,
    .count_connectors = MAX_OBJECTS,
  };
  if (ioctl (fd, DRM_IOCTL_MODE_GETRESOURCES, &card) < 0)
    return -errno;
  struct drm_mode_crtc crtc = { .crtc_id = crtcs[0] };
  if (ioctl (fd, DRM_IOCTL_MODE_GETCRTC, &crtc) < 0)
    return -errno;
  int r = make_green (fd, &crtc.mode, &crtc.fb_id);
  if (r < 0)
    return r;
  crtc.set_connectors_ptr = (uintptr_t) connectors;
  crtc.count_connectors = 1;
  return ioctl (fd, DRM_IOCTL_MODE_SETCRTC, &crtc) < 0 ? -errno : 0;
}

/* The sinks ask for master with each frame: it takes a few attempts now and then. */
static int
lend (App *app)
{
  app->other = open (app->path, O_RDWR | O_CLOEXEC);
  if (app->other < 0)
    return -errno;
  do {
    if (ioctl (app->card, DRM_IOCTL_DROP_MASTER, NULL) < 0)
      return -errno;
  } while (ioctl (app->other, DRM_IOCTL_SET_MASTER, NULL) < 0);
  return show_green (app->other);
}

/* ---- commands -------------------------------------------------------------------------------------------------- */

static int
set_dpms (int fd, uint32_t connector, uint64_t value)
{
  uint32_t ids[64];
  uint64_t values[64];
  struct drm_mode_obj_get_properties properties = {
    .obj_id = connector,
    .obj_type = DRM_MODE_OBJECT_CONNECTOR,
    .props_ptr = (uintptr_t) ids,
    .prop_values_ptr = (uintptr_t) values,
    .count_props = 64,
  };
  if (ioctl (fd, DRM_IOCTL_MODE_OBJ_GETPROPERTIES, &properties) < 0)
    return -errno;
  for (unsigned i = 0; i < properties.count_props; i++) {
    struct drm_mode_get_property property = { .prop_id = ids[i] };
    struct drm_mode_connector_set_property set = { .connector_id = connector, .prop_id = ids[i], .value = value };
    if (ioctl (fd, DRM_IOCTL_MODE_GETPROPERTY, &property) == 0 && strcmp (property.name, "DPMS") == 0)
      return ioctl (fd, DRM_IOCTL_MODE_SETPROPERTY, &set) < 0 ? -errno : 0;
  }
  return -ENOENT;
}

static int
obey (App *app, const char *line)
{
  unsigned connector, value;
  if (strcmp (line, "lend") == 0)
    return lend (app);
  if (strcmp (line, "back") == 0)
    return close (app->other);
  if (sscanf (line, "dpms %u %u", &connector, &value) == 2)
    return set_dpms (app->card, connector, value);
  return -EINVAL;
}

static guint64
count_frames (const App *app)
{
  GstElement *sink = gst_bin_get_by_name (GST_BIN (app->pipeline), "sink");
  GstStructure *stats = NULL;
  guint64 flipped = 0, converted = 0, copied = 0;
  g_object_get (sink, "frame-stats", &stats, NULL);
  gst_structure_get (stats, "flipped", G_TYPE_UINT64, &flipped, "converted", G_TYPE_UINT64, &converted, "copied",
                     G_TYPE_UINT64, &copied, NULL);
  gst_structure_free (stats);
  gst_object_unref (sink);
  return flipped + converted + copied;
}

static gboolean
on_command (gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer user)
{
  App *app = user;
  char line[128];
  ssize_t n = read (fd, line, sizeof line - 1);
  if (n <= 0)
    return G_SOURCE_REMOVE;
  line[n] = 0;
  g_strchomp (line);
  if (strcmp (line, "frames") == 0) {
    dprintf (ANSWERS, "%" G_GUINT64_FORMAT "\n", count_frames (app));
  } else if (strcmp (line, "ask") == 0) {
    dprintf (ANSWERS, "%s\n", app->errors->len ? app->errors->str : "none");
  } else {
    int r = obey (app, line);
    dprintf (ANSWERS, "%s\n", r == 0 ? "done" : strerror (-r));
  }
  return G_SOURCE_CONTINUE;
}

static gboolean
on_signal (gpointer user)
{
  App *app = user;
  g_main_loop_quit (app->loop);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_message (GstBus *bus G_GNUC_UNUSED, GstMessage *message, gpointer user)
{
  App *app = user;
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    GError *error = NULL;
    gst_message_parse_error (message, &error, NULL);
    g_string_append_printf (app->errors, "%s: %s ", GST_MESSAGE_SRC_NAME (message), error->message);
    g_printerr ("ERROR: %s: %s\n", GST_MESSAGE_SRC_NAME (message), error->message);
    g_error_free (error);
  }
  return G_SOURCE_CONTINUE;
}

static void
play (App *app)
{
  GstElement *pipeline = app->pipeline;
  GstBus *bus = gst_element_get_bus (pipeline);
  gst_bus_add_watch (bus, on_message, app);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_main_loop_run (app->loop);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_bus_remove_watch (bus);
  gst_object_unref (bus);
}

int
main (int argc, char **argv)
{
  App app = { .path = argc == 3 ? argv[1] : "", .other = -1 };
  GError *error = NULL;
  gst_init (NULL, NULL);
  if (argc != 3) {
    fprintf (stderr, "usage: kmsapp CARD PIPELINE\n");
    return 2;
  }
  app.card = open (app.path, O_RDWR | O_CLOEXEC);
  if (app.card < 0) {
    perror (app.path);
    return 1;
  }
  char *number = g_strdup_printf ("%d", app.card);
  char **parts = g_strsplit (argv[2], "@", -1);
  char *text = g_strjoinv (number, parts);
  app.pipeline = gst_parse_launch (text, &error);
  if (!app.pipeline) {
    g_printerr ("ERROR: %s\n", error->message);
    return 1;
  }
  app.loop = g_main_loop_new (NULL, FALSE);
  app.errors = g_string_new (NULL);
  g_unix_signal_add (SIGINT, on_signal, &app);
  g_unix_fd_add (COMMANDS, G_IO_IN, on_command, &app);
  play (&app);
  gst_object_unref (app.pipeline);
  g_main_loop_unref (app.loop);
  g_free (text);
  g_strfreev (parts);
  g_free (number);
  g_clear_error (&error);
  bool failed = app.errors->len > 0;
  g_string_free (app.errors, TRUE);
  return failed ? 1 : 0;
}
