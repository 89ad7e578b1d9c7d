/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-fbdevzerosink.c: the sink's properties, what it says when a display cannot be opened, its caps, and its answer to
 * ALLOCATION queries. Frames are in test-fbdevzerosink-frames.c.
 */
#include "test-sink-support.h"

#include <signal.h>
#include <sys/resource.h>

#define BGRX(width, height) "video/x-raw,format=BGRx,framerate=30/1,pixel-aspect-ratio=1/1," \
  "width=" #width ",height=" #height

static GstElement *
new_sink (const gchar * device)
{
  GstElement *sink = gst_element_factory_make ("fbdevzerosink", NULL);

  ck_assert_msg (sink != NULL, "the plugin is not found");
  gst_object_ref_sink (sink);
  if (device)
    g_object_set (sink, "device", device, NULL);
  return sink;
}

static void
sink_free (GstElement * sink)
{
  gst_element_set_state (sink, GST_STATE_NULL);
  gst_object_unref (sink);
}

START_TEST (properties_have_their_defaults)
{
  GstElement *sink = new_sink (NULL);
  gchar *device;
  guint pages;
  gint scaling, offer_pages;
  gboolean vsync;

  g_object_get (sink, "device", &device, "pages", &pages, "vsync", &vsync, "scaling", &scaling, "offer-pages",
      &offer_pages, NULL);
  ck_assert_str_eq (device, "auto");
  ck_assert_uint_eq (pages, 0);
  ck_assert_int_eq (vsync, TRUE);
  ck_assert_int_eq (scaling, 1);
  ck_assert_int_eq (offer_pages, 0);
  g_free (device);
  sink_free (sink);
}
END_TEST

START_TEST (properties_are_what_was_set)
{
  GstElement *sink = new_sink ("virtual:64x32");
  gchar *device;
  guint pages;
  gint scaling, offer_pages;
  gboolean vsync;

  gst_util_set_object_arg (G_OBJECT (sink), "scaling", "stretch");
  gst_util_set_object_arg (G_OBJECT (sink), "offer-pages", "never");
  g_object_set (sink, "pages", 4, "vsync", FALSE, NULL);
  g_object_get (sink, "device", &device, "pages", &pages, "vsync", &vsync, "scaling", &scaling, "offer-pages",
      &offer_pages, NULL);
  ck_assert_str_eq (device, "virtual:64x32");
  ck_assert_uint_eq (pages, 4);
  ck_assert_int_eq (vsync, FALSE);
  ck_assert_int_eq (scaling, 3);
  ck_assert_int_eq (offer_pages, 2);
  g_free (device);
  g_object_set (sink, "device", NULL, NULL);
  g_object_get (sink, "device", &device, NULL);
  ck_assert_str_eq (device, "auto");
  g_free (device);
  sink_free (sink);
}
END_TEST

START_TEST (frame_stats_has_its_fields)
{
  static const gchar *counts[] = { "flipped", "converted", "copied", "dropped", "overflowed", "bytes-written",
    "bytes-copied", "vsyncs-missed"
  };
  GstElement *sink = new_sink (NULL);
  GstStructure *stats;

  g_object_get (sink, "frame-stats", &stats, NULL);
  ck_assert (gst_structure_has_name (stats, "frame-stats"));
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    ck_assert_msg (gst_structure_has_field_typed (stats, counts[i], G_TYPE_UINT64), "no %s", counts[i]);
  ck_assert (gst_structure_has_field_typed (stats, "pages", G_TYPE_UINT));
  ck_assert (gst_structure_has_field_typed (stats, "read-mbps", G_TYPE_DOUBLE));
  ck_assert (gst_structure_has_field_typed (stats, "write-mbps", G_TYPE_DOUBLE));
  ck_assert_str_eq (gst_structure_get_string (stats, "reason"), "");
  ck_assert_int_eq (gst_structure_n_fields (stats), 12);
  gst_structure_free (stats);
  sink_free (sink);
}
END_TEST

/* What gst-inspect-1.0 says of the device has every part that is read. */
START_TEST (the_device_is_described_in_full)
{
  static const gchar *parts[] = { "connector=", "mode=", "plane=", "format=", "pages=", "stride=", "rate=", "read-mbps=",
    "file=", "/dev/fbN", "auto"
  };
  GstElement *sink = gst_element_factory_make ("fbdevzerosink", NULL);
  GParamSpec *spec = g_object_class_find_property (G_OBJECT_GET_CLASS (sink), "device");

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    ck_assert_msg (strstr (g_param_spec_get_blurb (spec), parts[i]) != NULL, "no %s", parts[i]);
  gst_object_unref (sink);
}
END_TEST

START_TEST (metadata_is_complete)
{
  GstElement *sink = new_sink (NULL);
  GstElementClass *klass = GST_ELEMENT_GET_CLASS (sink);

  ck_assert_str_eq (gst_element_class_get_metadata (klass, GST_ELEMENT_METADATA_KLASS), "Sink/Video");
  ck_assert_ptr_nonnull (gst_element_class_get_metadata (klass, GST_ELEMENT_METADATA_LONGNAME));
  ck_assert_ptr_nonnull (gst_element_class_get_metadata (klass, GST_ELEMENT_METADATA_DESCRIPTION));
  sink_free (sink);
}
END_TEST

/* ---- displays that cannot be opened ---------------------------------------------------------------------------- */

/* Goes to READY, which fails with exactly one error of this code, whose text has all of the @words (with | between). */
static void
assert_refused (const gchar * device, gint code, const gchar * words)
{
  Player player = player_new ("fakesrc num-buffers=1 !", "");
  gchar **word = g_strsplit (words, "|", -1);

  g_object_set (player.sink, "device", device, NULL);
  ck_assert_int_eq (gst_element_set_state (player.pipeline, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  player_drain (&player);
  ck_assert_msg (player.n_errors == 1, "%s: %u errors, the last one: %s", device, player.n_errors, player.error);
  ck_assert_msg (player.error_domain == GST_RESOURCE_ERROR && player.error_code == code, "%s: code %d: %s", device,
      player.error_code, player.error);
  for (guint i = 0; word[i]; i++)
    ck_assert_msg (strstr (player.error, word[i]) != NULL, "%s: no \"%s\" in: %s", device, word[i], player.error);
  g_strfreev (word);
  player_free (&player);
}

START_TEST (a_missing_device_is_one_clear_error)
{
  assert_refused ("/dev/fb31", GST_RESOURCE_ERROR_NOT_FOUND, "/dev/fb31|virtual:");
  assert_refused ("/dev/null", GST_RESOURCE_ERROR_NOT_FOUND, "/dev/null|no framebuffer device");
}
END_TEST

static void
assert_said_once (const gchar * device, const gchar * word)
{
  Player player = player_new ("videotestsrc !", "");
  const gchar *first;

  g_object_set (player.sink, "device", device, NULL);
  ck_assert_int_eq (gst_element_set_state (player.pipeline, GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
  player_drain (&player);
  first = strstr (player.error, word);
  ck_assert_msg (first && !strstr (first + 1, word), "%s", player.error);
  player_free (&player);
}

START_TEST (auto_without_a_screen_says_what_there_is_instead)
{
  if (access ("/dev/fb0", F_OK) == 0)
    return;                     /* nobody's screen is touched by a test */
  assert_refused ("auto", GST_RESOURCE_ERROR_NOT_FOUND, "virtual:");
  assert_said_once ("auto", "virtual:");
}
END_TEST

START_TEST (nonsense_names_the_part_that_is_wrong)
{
  static const struct
  {
    const gchar *device, *words;
  } rows[] = {
    {"", ""}, {"nonsense", "nonsense"},
    {"virtual:", "virtual:"}, {"virtual:64", "64|1280x720"}, {"virtual:0x32", "0x32"}, {"virtual:64x-1", "64x-1"},
    {"virtual:99999x99999", "99999x99999"}, {"virtual:64x32,", ""}, {"virtual:64x32,pages=0", "pages"},
    {"virtual:64x32,pages=9", "pages|8"}, {"virtual:64x32,pages=x", "pages|x"}, {"virtual:64x32,what=3", "what"},
    {"virtual:64x32,stride=4", "stride"}, {"virtual:64x32,file=", "file"}, {"virtual:64x32,rate=-1", "rate"},
    {"virtual:64x32,format=I420", "format|I420|BGRx"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    assert_refused (rows[i].device, GST_RESOURCE_ERROR_SETTINGS, rows[i].words);
}
END_TEST

START_TEST (a_file_that_cannot_be_is_one_clear_error)
{
  ScreenFile file = screen_file_new ();
  gchar *device = g_strdup_printf ("virtual:64x32,file=%s/missing/screen", file.dir);

  assert_refused (device, GST_RESOURCE_ERROR_NOT_FOUND, "missing/screen");
  g_free (device);
  device = g_strdup_printf ("virtual:64x32,file=%s", file.dir);
  assert_refused (device, GST_RESOURCE_ERROR_OPEN_READ_WRITE, file.dir);
  g_free (device);
  assert_refused ("virtual:64x32,file=/dev/null", GST_RESOURCE_ERROR_SETTINGS, "/dev/null|regular file");
  screen_file_free (&file);
}
END_TEST

START_TEST (no_permission_is_one_clear_error)
{
  ScreenFile file = screen_file_new ();
  gchar *device = g_strdup_printf ("virtual:64x32,file=%s", file.path);
  gboolean root = geteuid () == 0;
  Player loaded = player_new ("videotestsrc !", ""); /* the plugins' files may lie where only root can read */

  ck_assert_int_eq (g_chmod (file.dir, 0), 0);
  if (root)
    ck_assert_int_eq (seteuid (65534), 0);
  assert_refused (device, GST_RESOURCE_ERROR_NOT_AUTHORIZED, file.path);
  if (root)
    ck_assert_int_eq (seteuid (0), 0);
  g_chmod (file.dir, 0700);
  player_free (&loaded);
  g_free (device);
  screen_file_free (&file);
}
END_TEST

START_TEST (no_room_is_one_clear_error_and_leaves_no_file)
{
  ScreenFile file = screen_file_new ();
  gchar *device = g_strdup_printf ("virtual:640x480,file=%s", file.path);
  struct rlimit limit = { 65536, RLIM_INFINITY }, before;
  Player player = player_new ("videotestsrc !", "");

  signal (SIGXFSZ, SIG_IGN);
  getrlimit (RLIMIT_FSIZE, &before);
  g_object_set (player.sink, "device", device, NULL);
  ck_assert_int_eq (setrlimit (RLIMIT_FSIZE, &limit), 0);
  ck_assert_int_eq (gst_element_set_state (player.pipeline, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  ck_assert_int_eq (setrlimit (RLIMIT_FSIZE, &before), 0);
  player_drain (&player);
  ck_assert_uint_eq (player.n_errors, 1);
  ck_assert_msg (strstr (player.error, file.path) != NULL, "%s", player.error);
  ck_assert_int_ne (access (file.path, F_OK), 0);
  player_free (&player);
  g_free (device);
  screen_file_free (&file);
}
END_TEST

START_TEST (after_a_refusal_another_device_works)
{
  Player player = player_new ("videotestsrc num-buffers=3 !", "sync=false");

  g_object_set (player.sink, "device", "nonsense", NULL);
  ck_assert_int_eq (gst_element_set_state (player.pipeline, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  player_set (&player, GST_STATE_NULL);
  player.n_errors = 0;
  g_object_set (player.sink, "device", "virtual:64x32,rate=0", NULL);
  player_play_to_end (&player);
  assert_counts (&player, 3, 0, 0);
  player_free (&player);
}
END_TEST

/* ---- caps ------------------------------------------------------------------------------------------------------ */

static GstCaps *
query_caps (GstElement * sink, GstCaps * filter)
{
  GstPad *pad = gst_element_get_static_pad (sink, "sink");
  GstCaps *caps = gst_pad_query_caps (pad, filter);

  gst_object_unref (pad);
  return caps;
}

static const gchar *
nth_format (const GstStructure * structure, guint i)
{
  const GValue *formats = gst_structure_get_value (structure, "format");

  if (G_VALUE_HOLDS_STRING (formats))
    return i == 0 ? g_value_get_string (formats) : NULL;
  return i < gst_value_list_get_size (formats) ? g_value_get_string (gst_value_list_get_value (formats, i)) : NULL;
}

START_TEST (caps_come_in_the_order_of_their_cost)
{
  static const gchar *order[] = { "I420", "YV12", "NV12", "NV21", "YUY2", "UYVY", "Y42B", "Y444", "I420_10LE",
    "P010_10LE", "GRAY8"
  };
  GstElement *sink = new_sink ("virtual:64x32,format=RGBx,rate=0");
  GstCaps *caps;
  GstCapsFeatures *overlay;
  GstStructure *first, *second, *third;
  gint width;

  ck_assert_int_eq (gst_element_set_state (sink, GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  caps = query_caps (sink, NULL);
  ck_assert_uint_eq (gst_caps_get_size (caps), 5);
  /* text and pictures over any of them are drawn here, whether or not the memory is named, as textoverlay does */
  overlay = gst_caps_features_new (GST_CAPS_FEATURE_MEMORY_SYSTEM_MEMORY,
      GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION, NULL);
  ck_assert (gst_caps_features_is_equal (gst_caps_get_features (caps, 3), overlay));
  ck_assert (gst_caps_features_contains (gst_caps_get_features (caps, 4),
          GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION));
  gst_caps_features_free (overlay);
  first = gst_caps_get_structure (caps, 0);
  second = gst_caps_get_structure (caps, 1);
  third = gst_caps_get_structure (caps, 2);
  ck_assert_str_eq (nth_format (first, 0), "RGBx");
  ck_assert (gst_structure_get_int (first, "width", &width) && width == 64);
  ck_assert (gst_structure_get_int (first, "height", &width) && width == 32);
  ck_assert_str_eq (nth_format (second, 0), "RGBx");
  ck_assert (gst_structure_has_field_typed (second, "width", GST_TYPE_INT_RANGE));
  for (guint i = 0; i < G_N_ELEMENTS (order); i++)
    ck_assert_str_eq (nth_format (third, i), order[i]);
  ck_assert_str_eq (nth_format (third, G_N_ELEMENTS (order)), "BGRx");
  gst_caps_unref (caps);
  sink_free (sink);
}
END_TEST

START_TEST (a_filter_does_not_change_the_order)
{
  GstElement *sink = new_sink ("virtual:64x32,rate=0");
  GstCaps *filter = gst_caps_from_string ("video/x-raw,format={I420,BGRx},width=[1,100],height=[1,100]"), *caps;

  gst_element_set_state (sink, GST_STATE_READY);
  caps = query_caps (sink, filter);
  ck_assert_str_eq (nth_format (gst_caps_get_structure (caps, 0), 0), "BGRx");
  gst_caps_unref (caps);
  gst_caps_unref (filter);
  sink_free (sink);
}
END_TEST

START_TEST (closed_it_takes_whatever_its_template_says)
{
  GstElement *sink = new_sink ("virtual:64x32");
  GstPad *pad = gst_element_get_static_pad (sink, "sink");
  GstCaps *caps = query_caps (sink, NULL), *wanted = gst_pad_get_pad_template_caps (pad);

  ck_assert (gst_caps_is_equal (caps, wanted));
  gst_caps_unref (caps);
  gst_caps_unref (wanted);
  gst_object_unref (pad);
  sink_free (sink);
}
END_TEST

/* ---- allocation ------------------------------------------------------------------------------------------------ */

/* The sink's answer; its pad has to be active. */
static GstQuery *
ask (GstElement * sink, const gchar * caps_text, gboolean need_pool)
{
  GstPad *pad = gst_element_get_static_pad (sink, "sink");
  GstCaps *caps = gst_caps_from_string (caps_text);
  GstQuery *query = gst_query_new_allocation (caps, need_pool);

  gst_element_set_state (sink, GST_STATE_PAUSED);
  ck_assert (gst_pad_query (pad, query));
  gst_caps_unref (caps);
  gst_object_unref (pad);
  return query;
}

static guint
pools_offered (GstElement * sink, const gchar * caps)
{
  GstQuery *query = ask (sink, caps, TRUE);
  guint n = gst_query_get_n_allocation_pools (query);

  gst_query_unref (query);
  return n;
}

START_TEST (the_page_pool_comes_first_then_the_cached_one)
{
  GstElement *sink = new_sink ("virtual:64x32,pages=4,rate=0,stride=320");
  GstQuery *query = ask (sink, BGRX (64, 32), TRUE);
  GstBufferPool *pages, *cached;
  guint size, min, max;

  ck_assert_uint_eq (gst_query_get_n_allocation_pools (query), 2);
  gst_query_parse_nth_allocation_pool (query, 0, &pages, &size, &min, &max);
  ck_assert (GST_IS_BA_FBDEV_POOL (pages));
  ck_assert_uint_eq (size, 320 * 32 - (320 - 256) > 64 * 32 * 4 ? 320 * 31 + 256 : 64 * 32 * 4);
  ck_assert_uint_le (max, 4);
  ck_assert_uint_le (min, max);
  gst_query_parse_nth_allocation_pool (query, 1, &cached, &size, NULL, &max);
  ck_assert (GST_IS_BA_NORMAL_POOL (cached));
  ck_assert_uint_eq (max, 0);
  /* the cached pool lays pictures out as the page does */
  for (guint i = 0; i < 2; i++) {
    GstBufferPool *pool = i ? cached : pages;
    GstStructure *config = gst_buffer_pool_get_config (pool);
    GstBuffer *buffer;

    gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
    if (!gst_buffer_pool_set_config (pool, config))
      ck_assert (gst_buffer_pool_set_config (pool, gst_buffer_pool_get_config (pool)));
    ck_assert (gst_buffer_pool_set_active (pool, TRUE));
    ck_assert_int_eq (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL), GST_FLOW_OK);
    ck_assert_int_eq (gst_buffer_get_video_meta (buffer)->stride[0], 320);
    gst_buffer_unref (buffer);
    gst_buffer_pool_set_active (pool, FALSE);
    gst_object_unref (pool);
  }
  gst_query_unref (query);
  sink_free (sink);
}
END_TEST

START_TEST (metas_say_strides_crops_and_what_pages_are_like)
{
  GstElement *sink = new_sink ("virtual:64x32,pages=4,rate=0");
  GstQuery *query = ask (sink, BGRX (64, 32), TRUE);
  const GstStructure *params;
  guint index, n;

  ck_assert (gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, &index));
  gst_query_parse_nth_allocation_meta (query, index, &params);
  ck_assert (params && gst_structure_has_name (params, "bufalloc-pages"));
  ck_assert (gst_structure_get_uint (params, "pages", &n) && n == 4);
  ck_assert (gst_structure_get_uint (params, "free", &n) && n == 4);
  ck_assert (gst_structure_has_field_typed (params, "read-mbps", G_TYPE_DOUBLE));
  ck_assert (gst_structure_has_field_typed (params, "write-mbps", G_TYPE_DOUBLE));
  ck_assert (gst_query_find_allocation_meta (query, GST_VIDEO_CROP_META_API_TYPE, NULL));
  gst_query_unref (query);
  sink_free (sink);
}
END_TEST

START_TEST (who_needs_no_pool_is_told_the_numbers)
{
  GstElement *sink = new_sink ("virtual:64x32,pages=4,rate=0");
  GstQuery *query = ask (sink, BGRX (64, 32), FALSE);
  GstBufferPool *pool;
  guint size, min;

  ck_assert_uint_eq (gst_query_get_n_allocation_pools (query), 1);
  gst_query_parse_nth_allocation_pool (query, 0, &pool, &size, &min, NULL);
  ck_assert_ptr_null (pool);
  ck_assert_uint_eq (size, 64 * 32 * 4);
  ck_assert_uint_ge (min, 1);
  ck_assert (gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL));
  gst_query_unref (query);
  sink_free (sink);
}
END_TEST

START_TEST (pages_are_offered_only_where_they_can_be_flipped)
{
  static const struct
  {
    const gchar *device, *offer, *scaling, *caps;
    guint n_pools;
  } rows[] = {
    {"virtual:64x32,pages=3,rate=0", "auto", "fit", BGRX (64, 32), 2},
    {"virtual:64x32,pages=2,rate=0", "auto", "fit", BGRX (64, 32), 0},
    {"virtual:64x32,pages=2,rate=0", "always", "fit", BGRX (64, 32), 2},
    {"virtual:64x32,pages=1,rate=0", "always", "fit", BGRX (64, 32), 2},
    {"virtual:64x32,pages=1,rate=0", "auto", "fit", BGRX (64, 32), 0},
    {"virtual:64x32,pages=6,rate=0", "never", "fit", BGRX (64, 32), 0},
    {"virtual:64x32,pages=6,rate=0", "auto", "fit", BGRX (32, 16), 0},
    {"virtual:64x32,pages=6,rate=0", "auto", "none", BGRX (32, 16), 2},
    {"virtual:64x32,pages=6,rate=0", "auto", "none", BGRX (65, 16), 0},
    {"virtual:64x32,pages=6,rate=0", "auto", "fill", BGRX (128, 64), 0},
    {"virtual:64x32,pages=6,rate=0", "auto", "fit", "video/x-raw,format=I420,width=64,height=32,framerate=1/1", 0},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    GstElement *sink = new_sink (rows[i].device);

    gst_util_set_object_arg (G_OBJECT (sink), "offer-pages", rows[i].offer);
    gst_util_set_object_arg (G_OBJECT (sink), "scaling", rows[i].scaling);
    ck_assert_msg (pools_offered (sink, rows[i].caps) == rows[i].n_pools, "row %u", i);
    sink_free (sink);
  }
}
END_TEST

START_TEST (several_answers_can_live_at_one_time)
{
  GstElement *sink = new_sink ("virtual:64x32,pages=3,rate=0");
  GstBufferPool *pools[4];
  GstBuffer *buffers[3];

  for (guint i = 0; i < 4; i++) {
    GstQuery *query = ask (sink, BGRX (64, 32), TRUE);

    gst_query_parse_nth_allocation_pool (query, 0, &pools[i], NULL, NULL, NULL);
    gst_query_unref (query);
    ck_assert (gst_buffer_pool_set_active (pools[i], TRUE));
  }
  for (guint i = 0; i < 3; i++)
    ck_assert_int_eq (gst_buffer_pool_acquire_buffer (pools[i], &buffers[i], NULL), GST_FLOW_OK);
  gst_element_set_state (sink, GST_STATE_NULL);
  for (guint i = 0; i < 3; i++)
    gst_buffer_unref (buffers[i]);
  for (guint i = 0; i < 4; i++) {
    gst_buffer_pool_set_active (pools[i], FALSE);
    gst_object_unref (pools[i]);
  }
  sink_free (sink);
}
END_TEST

START_TEST (a_query_without_caps_is_not_answered)
{
  GstElement *sink = new_sink ("virtual:64x32,rate=0");
  GstPad *pad = gst_element_get_static_pad (sink, "sink");
  GstQuery *query = gst_query_new_allocation (NULL, TRUE);

  gst_element_set_state (sink, GST_STATE_PAUSED);
  ck_assert (!gst_pad_query (pad, query));
  gst_query_unref (query);
  gst_object_unref (pad);
  sink_free (sink);
}
END_TEST

RUN ("fbdevzerosink", properties_have_their_defaults, properties_are_what_was_set, frame_stats_has_its_fields,
    metadata_is_complete, the_device_is_described_in_full, a_missing_device_is_one_clear_error, auto_without_a_screen_says_what_there_is_instead,
    nonsense_names_the_part_that_is_wrong, a_file_that_cannot_be_is_one_clear_error, no_permission_is_one_clear_error,
    no_room_is_one_clear_error_and_leaves_no_file, after_a_refusal_another_device_works,
    caps_come_in_the_order_of_their_cost, a_filter_does_not_change_the_order,
    closed_it_takes_whatever_its_template_says, the_page_pool_comes_first_then_the_cached_one,
    metas_say_strides_crops_and_what_pages_are_like, who_needs_no_pool_is_told_the_numbers,
    pages_are_offered_only_where_they_can_be_flipped, several_answers_can_live_at_one_time,
    a_query_without_caps_is_not_answered)
