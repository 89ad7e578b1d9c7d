/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-fbdevzerosink-plain.c: elements before the sink that know no strides. They leave the choice of a pool to their
 * base class, never ask for GstVideoMeta, and write rows as the caps say: what they draw must not be sheared.
 */
#include "test-pictures.h"

#include <gst/base/gstpushsrc.h>

/* A source that writes its rows as the caps say, and leaves the rest to GstBaseSrc: it never asks for GstVideoMeta. */
typedef struct
{
  GstPushSrc parent;
  GstVideoInfo info;
  guint n;
} PlainSrc;

typedef struct
{
  GstPushSrcClass parent;
} PlainSrcClass;

GType plain_src_get_type (void);
G_DEFINE_TYPE (PlainSrc, plain_src, GST_TYPE_PUSH_SRC)

#define PLAIN_FRAMES 8

static gboolean
plain_src_set_caps (GstBaseSrc *src, GstCaps *caps)
{
  return gst_video_info_from_caps (&((PlainSrc *) src)->info, caps)
         && (gst_base_src_set_blocksize (src, ((PlainSrc *) src)->info.size), TRUE);
}

static GstFlowReturn
plain_src_fill (GstPushSrc *src, GstBuffer *buffer)
{
  PlainSrc *self = (PlainSrc *) src;
  GstVideoFrame frame = { .info = self->info };
  GstMapInfo map;

  if (self->n == PLAIN_FRAMES)
    return GST_FLOW_EOS;
  ck_assert (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
  ck_assert_uint_ge (map.size, self->info.size);
  frame.data[0] = map.data;
  draw_picture (&frame, self->n++);
  gst_buffer_unmap (buffer, &map);
  return GST_FLOW_OK;
}

static void
plain_src_init (PlainSrc *self)
{
  gst_base_src_set_format (GST_BASE_SRC (self), GST_FORMAT_TIME);
}

static void
plain_src_class_init (PlainSrcClass *klass)
{
  GstCaps *caps = gst_caps_new_empty_simple ("video/x-raw");

  GST_BASE_SRC_CLASS (klass)->set_caps = plain_src_set_caps;
  GST_PUSH_SRC_CLASS (klass)->fill = plain_src_fill;
  gst_element_class_add_pad_template (GST_ELEMENT_CLASS (klass),
                                      gst_pad_template_new ("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps));
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (klass), "Plain source", "Source/Video",
                                         "Draws rows as the caps say", "The gst-bufalloc developers");
  gst_caps_unref (caps);
}

START_TEST (upstream_without_strides_is_copied_right)
{
  static const struct
  {
    const gchar *device, *format, *scaling;
    gint width, height;
    guint flips;
  } rows[] = {
    { "virtual:171x93,format=BGRx,rate=0", "BGRx", "none", 171, 93, PLAIN_FRAMES },
    { "virtual:171x93,format=BGRx,rate=0,stride=704", "BGRx", "none", 171, 93, 0 },
    { "virtual:171x93,format=BGRx,rate=0", "BGRx", "none", 101, 51, 0 },
    { "virtual:171x93,format=RGB,rate=0,stride=513", "RGB", "none", 171, 93, 0 },
    { "virtual:171x93,format=RGB16,rate=0,stride=342", "RGB16", "none", 171, 93, 0 },
    { "virtual:171x93,format=RGB16,rate=0,stride=344", "RGB16", "none", 171, 93, PLAIN_FRAMES },
    { "virtual:171x93,format=BGRx,rate=0", "BGRx", "none", 171, 41, PLAIN_FRAMES },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    ScreenFile file = screen_file_new ();
    gchar *settings =
        g_strdup_printf ("device=%s,file=%s scaling=%s sync=false", rows[i].device, file.path, rows[i].scaling);
    GstVideoRectangle rect = { (171 - rows[i].width) / 2, (93 - rows[i].height) / 2, rows[i].width, rows[i].height };
    gchar *launch = g_strdup_printf ("plainsrc ! video/x-raw,format=%s,width=%d,height=%d,framerate=30/1 !",
                                     rows[i].format, rows[i].width, rows[i].height);
    Player player;
    Screen screen;

    gst_element_register (NULL, "plainsrc", GST_RANK_NONE, plain_src_get_type ());
    player = player_new (launch, settings);
    player_play_to_end (&player);
    screen = screen_open (&file, rows[i].format);
    assert_frame (&screen, PLAIN_FRAMES - 1, &rect, 0, settings);
    ck_assert_msg (player_count (&player, "flipped") == rows[i].flips, "%s, rows of %u bytes", settings,
                   screen.watch.trailer->stride_bytes);
    assert_counts (&player, rows[i].flips, 0, PLAIN_FRAMES - rows[i].flips);
    player_free (&player);
    screen_close (&screen);
    screen_file_free (&file);
    g_free (launch);
    g_free (settings);
  }
}
END_TEST

RUN ("fbdevzerosink-plain", upstream_without_strides_is_copied_right)
