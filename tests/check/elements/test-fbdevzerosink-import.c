/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-fbdevzerosink-import.c: frames in dmabufs: shown where they lie, kept while they are on screen, given back when
 * upstream asks; copied with the driver's reason where it refuses; and the memory that the sink offers so that elements
 * draw where the screen can show it. Under the sink is a fake card, and any file is a dmabuf.
 */
#include "test-card-support.h"

START_TEST (frames_in_dmabufs_are_shown_where_they_lie)
{
  GstBuffer *frames[3];

  begin ();
  Feeder feeder = start ();
  g_object_set (feeder.player.sink, "enable-last-sample", FALSE, NULL);
  feeder_set_caps (&feeder, CAPS);
  for (guint i = 0; i < G_N_ELEMENTS (frames); i++)
    frames[i] = new_frame (i);
  for (guint i = 0; i < 9; i++) {
    ck_assert_int_eq (gst_pad_push (feeder.pad, gst_buffer_ref (frames[i % 3])), GST_FLOW_OK);
    ck_assert (shows_import ());
  }
  assert_counts (&feeder.player, 9, 0, 0);
  ck_assert_uint_eq (player_count (&feeder.player, "bytes-written"), 0);
  ck_assert_uint_eq (fake.n_imports, 3);
  ck_assert_uint_eq (sources.n_begun, 0);
  assert_reason (&feeder, "");
  for (guint i = 0; i < G_N_ELEMENTS (frames); i++)
    gst_buffer_unref (frames[i]);
  end (&feeder);
}
END_TEST

START_TEST (a_frame_is_its_producers_again_when_the_next_one_is_visible)
{
  guint n_ended = 0;

  begin ();
  Feeder feeder = start ();
  g_object_set (feeder.player.sink, "enable-last-sample", FALSE, NULL);
  feeder_set_caps (&feeder, CAPS);
  push_counted (&feeder, 1, &n_ended);
  push_counted (&feeder, 2, &n_ended);
  ck_assert_uint_eq (n_ended, 0); /* the second one is on its way */
  push_counted (&feeder, 3, &n_ended);
  ck_assert_uint_eq (n_ended, 1);
  for (guint i = 0; i < 40; i++)
    push_counted (&feeder, i, &n_ended);
  ck_assert_uint_eq (n_ended, 41);
  player_set (&feeder.player, GST_STATE_NULL);
  ck_assert_uint_eq (n_ended, 43);
  end (&feeder);
}
END_TEST

START_TEST (what_the_driver_refuses_is_copied_and_it_says_why)
{
  begin ();
  fake.refuse_import = EINVAL;
  Feeder feeder = start ();
  feeder_set_caps (&feeder, CAPS);
  for (guint i = 0; i < 5; i++) {
    ck_assert_int_eq (gst_pad_push (feeder.pad, new_frame (0x40 + i)), GST_FLOW_OK);
    ck_assert_uint_eq (shown_byte (), 0x40 + i);
  }
  assert_counts (&feeder.player, 0, 0, 5);
  assert_reason (&feeder, "the memory is a dmabuf, and the driver fakekms does not import the memory");
  ck_assert_uint_eq (fake.n_imports, 1);
  ck_assert_uint_eq (sources.n_begun, 5); /* between brackets */
  end (&feeder);
}
END_TEST

START_TEST (a_flip_that_is_refused_becomes_a_copy)
{
  begin ();
  Feeder feeder = start ();
  feeder_set_caps (&feeder, CAPS);
  GstBuffer *frame = new_frame (1), *other = new_frame (7);
  ck_assert_int_eq (gst_pad_push (feeder.pad, gst_buffer_ref (frame)), GST_FLOW_OK);
  ck_assert_int_eq (gst_pad_push (feeder.pad, gst_buffer_ref (other)), GST_FLOW_OK);
  ck_assert (shows_import ());
  fake.refuse_imported = true;  /* from now on, and it was imported before */
  ck_assert_int_eq (gst_pad_push (feeder.pad, gst_buffer_ref (frame)), GST_FLOW_OK);
  ck_assert (!shows_import ());
  ck_assert_uint_eq (shown_byte (), 1);
  assert_counts (&feeder.player, 2, 0, 1);
  assert_reason (&feeder, "the driver refused to flip to it");
  gst_buffer_unref (frame);
  gst_buffer_unref (other);
  end (&feeder);
}
END_TEST

START_TEST (what_cannot_be_shown_as_it_is_says_why)
{
  static const struct
  {
    const gchar *caps, *reason;
  } cases[] = {
    { "video/x-raw,format=BGRA,framerate=30/1,width=200,height=100", "the frames have alpha" },
    { "video/x-raw,format=RGB,framerate=30/1,width=200,height=100", "has no plane for that format" },
    { "video/x-raw,format=BGRx,framerate=30/1,width=100,height=50", "the picture is scaled" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    GstCaps *caps = gst_caps_from_string (cases[i].caps);
    GstAllocator *allocator = gst_dmabuf_allocator_new ();
    GstBuffer *buffer = gst_buffer_new ();
    GstVideoInfo info;

    begin ();
    Feeder feeder = start ();
    ck_assert (gst_video_info_from_caps (&info, caps));
    feeder_set_caps (&feeder, cases[i].caps);
    gst_buffer_append_memory (buffer, gst_dmabuf_allocator_alloc (allocator, new_file (info.size), info.size));
    ck_assert_int_eq (gst_pad_push (feeder.pad, buffer), GST_FLOW_OK);
    assert_reason (&feeder, cases[i].reason);
    ck_assert (!shows_import ());
    gst_object_unref (allocator);
    gst_caps_unref (caps);
    end (&feeder);
  }
}
END_TEST

/* ---- giving back ------------------------------------------------------------------------------------------------- */

START_TEST (upstream_that_wants_its_memory_back_gets_it)
{
  guint n_ended = 0;

  begin ();
  Feeder feeder = start ();
  feeder_set_caps (&feeder, CAPS);
  push_counted (&feeder, 0x55, &n_ended);
  ck_assert (shows_import ());
  GstQuery *query = gst_query_new_drain ();
  gst_pad_peer_query (feeder.pad, query);
  gst_query_unref (query);
  ck_assert_uint_eq (n_ended, 1);
  ck_assert_uint_eq (n_imported (), 0);
  ck_assert (fake.screen.active);
  ck_assert_uint_eq (shown_byte (), 0x55); /* the same picture, in a page */
  assert_counts (&feeder.player, 1, 0, 0);
  ck_assert_uint_eq (player_count (&feeder.player, "bytes-written"), 0);
  push_counted (&feeder, 0x66, &n_ended);
  ck_assert (shows_import ());
  feeder_set_caps (&feeder, BGRX (100, 50)); /* other caps: the same */
  ck_assert_uint_eq (n_imported (), 0);
  ck_assert_uint_eq (shown_byte (), 0x66);
  end (&feeder);
}
END_TEST

START_TEST (what_was_imported_of_a_pool_goes_with_it)
{
  begin ();
  Feeder feeder = start ();
  g_object_set (feeder.player.sink, "enable-last-sample", FALSE, NULL);
  feeder_set_caps (&feeder, CAPS);
  GstBufferPool *pool;
  GstBuffer *own = new_pool_frame (&pool, 1);
  ck_assert_int_eq (gst_pad_push (feeder.pad, own), GST_FLOW_OK);
  ck_assert (shows_import ());
  push_plain (&feeder);
  ck_assert_uint_eq (n_imported (), 1); /* it might come again */
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
  ck_assert_uint_eq (n_imported (), 0);
  end (&feeder);
}
END_TEST

/* ---- memory that is offered -------------------------------------------------------------------------------------- */

START_TEST (memory_that_caches_keep_is_shown_where_it_lies)
{
  for (guint k = 0; k < 2; k++) {
    begin ();
    sources.no_udmabuf = k == 1; /* a heap then */
    Feeder feeder = start ();
    feeder_set_caps (&feeder, CAPS);
    GstBufferPool *pool = get_pool (&feeder, CAPS, 1);
    for (guint i = 0; i < 8; i++) {
      GstBuffer *buffer = draw (pool, i);
      ck_assert (gst_is_dmabuf_memory (gst_buffer_peek_memory (buffer, 0)));
      ck_assert_int_eq (gst_pad_push (feeder.pad, buffer), GST_FLOW_OK);
      ck_assert (shows_import ());
    }
    assert_counts (&feeder.player, 8, 0, 0);
    ck_assert_uint_eq (sources.n_begun, 8); /* each write */
    ck_assert_uint_le (sources.n_made, 6); /* the pool's memory comes again and again */
    drop_pool (pool);
    end (&feeder);
  }
}
END_TEST

START_TEST (a_format_that_a_plane_has_is_not_converted)
{
  begin ();
  Feeder feeder = start ();
  feeder_set_caps (&feeder, NV12);
  for (guint k = 0; k < 2; k++) { /* pages, and memory that caches keep */
    GstBufferPool *pool = get_pool (&feeder, NV12, k);
    for (guint i = 0; i < 3; i++) {
      ck_assert_int_eq (gst_pad_push (feeder.pad, draw (pool, i)), GST_FLOW_OK);
      ck_assert_int_eq (shows_import (), k == 1);
      ck_assert_uint_eq (fake_kms_shown (&fake, FAKE_PRIMARY)->fourcc, DRM_FORMAT_NV12);
      ck_assert_uint_eq (fake.screen.planes[0].values[FAKE_P_ENCODING], 1); /* BT.709 */
    }
    drop_pool (pool);
  }
  ck_assert_uint_eq (fake.n_modesets, 1);
  assert_counts (&feeder.player, 6, 0, 0);
  end (&feeder);
}
END_TEST

START_TEST (colours_that_the_driver_cannot_be_told_are_converted)
{
  begin ();
  fake.no_colours = true;
  Feeder feeder = start ();
  feeder_set_caps (&feeder, NV12);
  GstQuery *query = feeder_ask (&feeder, NV12, TRUE);
  ck_assert_uint_eq (gst_query_get_n_allocation_pools (query), 0);
  gst_query_unref (query);
  end (&feeder);
}
END_TEST

START_TEST (where_there_is_no_source_or_no_import_memory_is_ordinary)
{
  for (guint k = 0; k < 2; k++) {
    begin ();
    sources.no_udmabuf = sources.no_heap = k == 0;
    fake.refuse_import = k == 1 ? ENODEV : 0;
    Feeder feeder = start ();
    feeder_set_caps (&feeder, CAPS);
    GstBufferPool *pool = get_pool (&feeder, CAPS, 1);
    GstBuffer *buffer = draw (pool, 9);
    ck_assert (!gst_is_dmabuf_memory (gst_buffer_peek_memory (buffer, 0)));
    ck_assert_int_eq (gst_pad_push (feeder.pad, buffer), GST_FLOW_OK);
    assert_counts (&feeder.player, 0, 0, 1);
    ck_assert_uint_eq (shown_byte (), 9);
    drop_pool (pool);
    end (&feeder);
  }
}
END_TEST

/* ---- pages that are given away ----------------------------------------------------------------------------------- */

START_TEST (pages_are_dmabufs_where_somebody_wants_them_so)
{
  begin ();
  Feeder feeder = start ();
  feeder_set_caps (&feeder, CAPS);
  GstBufferPool *pool = feeder_get_pool (&feeder, CAPS);
  ck_assert (gst_buffer_pool_has_option (pool, GST_BA_POOL_OPTION_DMABUF));
  GstStructure *config = gst_buffer_pool_get_config (pool);
  gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  gst_buffer_pool_config_add_option (config, GST_BA_POOL_OPTION_DMABUF);
  fake.no_export = true;
  ck_assert (!gst_buffer_pool_set_config (pool, gst_structure_copy (config)));
  fake.no_export = false;
  ck_assert (gst_buffer_pool_set_config (pool, config));
  ck_assert (gst_buffer_pool_set_active (pool, TRUE));
  guint n_imports = fake.n_imports;
  for (guint i = 0; i < 10; i++) {
    GstBuffer *buffer = draw (pool, 0x30 + i);
    GstMemory *memory = gst_buffer_peek_memory (buffer, 0);
    ck_assert (gst_is_dmabuf_memory (memory));
    ck_assert_int_ge (gst_dmabuf_memory_get_fd (memory), 0);
    ck_assert_int_eq (gst_pad_push (feeder.pad, buffer), GST_FLOW_OK);
    ck_assert_uint_eq (shown_byte (), 0x30 + i);
  }
  ck_assert_uint_eq (fake.n_imports, n_imports); /* a page, and known as one */
  assert_counts (&feeder.player, 10, 0, 0);
  drop_pool (pool);
  end (&feeder);
}
END_TEST

/* Of a pool with a limit: what could not be had does not count. */
START_TEST (a_page_that_cannot_be_exported_is_not_out)
{
  begin ();
  Feeder feeder = start ();
  feeder_set_caps (&feeder, CAPS);
  GstBufferPool *pool = feeder_get_pool (&feeder, CAPS);
  GstBufferPoolAcquireParams params = {.flags = GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT };
  GstStructure *config = gst_buffer_pool_get_config (pool);
  GstBuffer *buffer = NULL;
  GstCaps *caps;
  guint size;
  gst_buffer_pool_config_get_params (config, &caps, &size, NULL, NULL);
  gst_buffer_pool_config_set_params (config, caps, size, 0, 1);
  gst_buffer_pool_config_add_option (config, GST_BA_POOL_OPTION_DMABUF);
  ck_assert (gst_buffer_pool_set_config (pool, config));
  ck_assert (gst_buffer_pool_set_active (pool, TRUE));
  fake.no_export = true;
  ck_assert_int_ne (gst_buffer_pool_acquire_buffer (pool, &buffer, &params), GST_FLOW_OK);
  fake.no_export = false;
  ck_assert_int_eq (gst_buffer_pool_acquire_buffer (pool, &buffer, &params), GST_FLOW_OK);
  gst_buffer_unref (buffer);
  drop_pool (pool);
  end (&feeder);
}
END_TEST

/* ---- failing ----------------------------------------------------------------------------------------------------- */

/* Whichever call fails while frames are shown: each one comes back, no file stays open. */
START_TEST (a_call_that_fails_leaves_nothing_behind)
{
  gboolean failed = TRUE;
  guint n_ended, n_pushed;

  for (guint n = 1; failed; n++) {
    n_ended = n_pushed = 0;
    begin ();
    Feeder feeder = start ();
    feeder_set_caps (&feeder, CAPS);
    fake.fail_nth = fake.n_calls + n;
    fake.fail_errno = EINVAL;
    for (guint i = 0; i < 3; i++) {
      GstBuffer *buffer = new_frame (i);
      gst_mini_object_weak_ref (GST_MINI_OBJECT_CAST (buffer), count_end, &n_ended);
      n_pushed++;
      if (gst_pad_push (feeder.pad, buffer) != GST_FLOW_OK)
        break;
    }
    failed = fake.failed;
    player_drain (&feeder.player);
    feeder.player.n_errors = 0;
    player_set (&feeder.player, GST_STATE_NULL);
    fake.screen = fake.first_screen; /* what may fail is putting it back */
    end (&feeder);
    ck_assert_uint_eq (n_ended, n_pushed);
  }
}
END_TEST

RUN ("fbdevzerosink-import", frames_in_dmabufs_are_shown_where_they_lie,
     a_frame_is_its_producers_again_when_the_next_one_is_visible, what_the_driver_refuses_is_copied_and_it_says_why,
     a_flip_that_is_refused_becomes_a_copy, what_cannot_be_shown_as_it_is_says_why,
     upstream_that_wants_its_memory_back_gets_it, what_was_imported_of_a_pool_goes_with_it,
     memory_that_caches_keep_is_shown_where_it_lies, a_format_that_a_plane_has_is_not_converted,
     colours_that_the_driver_cannot_be_told_are_converted, where_there_is_no_source_or_no_import_memory_is_ordinary,
     pages_are_dmabufs_where_somebody_wants_them_so, a_page_that_cannot_be_exported_is_not_out,
     a_call_that_fails_leaves_nothing_behind)
