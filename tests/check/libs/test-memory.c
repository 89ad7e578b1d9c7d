/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-memory.c: GstBaMemory and the allocators: map, share, copy, alignment, and who holds a core buffer how long.
 */
#include "test-lib-support.h"

static GstAllocator *
normal (void)
{
  GstAllocator *allocator;

  gst_ba_init ();
  allocator = gst_allocator_find (GST_BA_MEMORY_NORMAL);
  ck_assert_ptr_nonnull (allocator);
  return allocator;
}

/* A page as memory, whole. */
static GstMemory *
page_memory (const Screen * screen)
{
  BaBuffer *page;

  ck_assert_int_eq (ba_pool_acquire (screen_pages (screen), BA_NO_WAIT, NULL, &page), 0);
  return gst_ba_memory_new (GST_ALLOCATOR (screen->allocator), page, 0, ba_buffer_get_size (page));
}

START_TEST (the_plugin_registers_the_allocators_by_name)
{
  static const gchar *names[] = { GST_BA_MEMORY_NORMAL, GST_BA_MEMORY_FBDEV,
#ifdef HAVE_AVFRAME
    GST_BA_MEMORY_AVFRAME,
#endif
  };
  GstPlugin *plugin = gst_plugin_load_by_name ("bufalloc");

  ck_assert_msg (plugin != NULL, "the plugin is not found");
  gst_object_unref (plugin);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    GstAllocator *allocator = gst_allocator_find (names[i]);

    ck_assert_msg (allocator != NULL, "%s is not registered", names[i]);
    ck_assert_str_eq (allocator->mem_type, names[i]);
    gst_object_unref (allocator);
  }
}
END_TEST

START_TEST (what_is_written_is_read)
{
  GstAllocator *allocator = normal ();
  GstMemory *memory = gst_allocator_alloc (allocator, 1000, NULL);
  GstMapInfo map;

  ck_assert_uint_eq (gst_memory_get_sizes (memory, NULL, NULL), 1000);
  ck_assert (gst_is_ba_memory (memory));
  ck_assert (gst_memory_map (memory, &map, GST_MAP_WRITE));
  memset (map.data, 42, map.size);
  gst_memory_unmap (memory, &map);
  ck_assert (gst_memory_map (memory, &map, GST_MAP_READ));
  ck_assert_ptr_eq (map.data, ba_buffer_get_data (gst_ba_memory_get_buffer (memory)));
  ck_assert_uint_eq (map.data[999], 42);
  gst_memory_unmap (memory, &map);
  gst_memory_unref (memory);
  gst_object_unref (allocator);
}
END_TEST

START_TEST (alignment_counts_for_the_first_byte_of_the_block)
{
  static const gsize masks[] = { 0, 15, 63, 127, 4095, 65535 };
  GstAllocator *allocator = normal ();

  for (guint i = 0; i < G_N_ELEMENTS (masks); i++) {
    GstAllocationParams params = {.align = masks[i],.prefix = 0,.padding = 16 };
    GstMemory *memory = gst_allocator_alloc (allocator, 100, &params);
    GstMapInfo map;

    ck_assert (gst_memory_map (memory, &map, GST_MAP_WRITE));
    ck_assert_uint_eq ((guintptr) map.data & masks[i], 0);
    ck_assert_uint_eq ((guintptr) map.data & 63, 0);
    ck_assert_uint_ge (memory->align, masks[i]);
    memset (map.data, 1, map.size);
    gst_memory_unmap (memory, &map);
    gst_memory_unref (memory);
  }
  gst_object_unref (allocator);
}
END_TEST

START_TEST (prefix_and_padding_are_there_and_zero_where_asked)
{
  GstAllocator *allocator = normal ();
  GstAllocationParams params = {.flags = GST_MEMORY_FLAG_ZERO_PREFIXED | GST_MEMORY_FLAG_ZERO_PADDED,
    .align = 31,.prefix = 40,.padding = 50
  };
  GstMemory *memory;
  gsize offset, maxsize;
  GstMapInfo map;

  /* a block that was dirty before: the heap gives it out again */
  for (guint i = 0; i < 8; i++) {
    memory = gst_allocator_alloc (allocator, 190, NULL);
    ck_assert (gst_memory_map (memory, &map, GST_MAP_WRITE));
    memset (map.data, 0xff, map.size);
    gst_memory_unmap (memory, &map);
    gst_memory_unref (memory);
  }
  memory = gst_allocator_alloc (allocator, 100, &params);
  ck_assert_uint_eq (gst_memory_get_sizes (memory, &offset, &maxsize), 100);
  ck_assert_uint_eq (offset, 40);
  ck_assert_uint_ge (maxsize, 190);
  ck_assert (GST_MEMORY_IS_ZERO_PREFIXED (memory));
  ck_assert (GST_MEMORY_IS_ZERO_PADDED (memory));
  ck_assert (gst_memory_map (memory, &map, GST_MAP_READ));
  for (gint i = -40; i < 0; i++)
    ck_assert_uint_eq (map.data[i], 0);
  for (gint i = 100; i < 150; i++)
    ck_assert_uint_eq (map.data[i], 0);
  gst_memory_unmap (memory, &map);
  gst_memory_unref (memory);
  gst_object_unref (allocator);
}
END_TEST

START_TEST (sizes_that_overflow_are_refused)
{
  GstAllocator *allocator = normal ();
  GstAllocationParams params = {.prefix = G_MAXSIZE - 10 };

  ck_assert_ptr_null (gst_allocator_alloc (allocator, 100, &params));
  params = (GstAllocationParams) {
  .padding = G_MAXSIZE - 10};
  ck_assert_ptr_null (gst_allocator_alloc (allocator, 100, &params));
  params = (GstAllocationParams) {
  .align = 4095};
  ck_assert_ptr_null (gst_allocator_alloc (allocator, G_MAXSIZE - 100, &params));
  gst_object_unref (allocator);
}
END_TEST

START_TEST (no_bytes_are_allocated_as_well)
{
  GstAllocator *allocator = normal ();
  GstMemory *memory = gst_allocator_alloc (allocator, 0, NULL);

  ck_assert_ptr_nonnull (memory);
  ck_assert_uint_eq (gst_memory_get_sizes (memory, NULL, NULL), 0);
  gst_memory_unref (memory);
  gst_object_unref (allocator);
}
END_TEST

START_TEST (memory_outlives_its_allocator)
{
  GstAllocator *allocator = gst_ba_normal_allocator_new ();
  GstMemory *memory = gst_allocator_alloc (allocator, 64, NULL);
  GstMapInfo map;

  gst_object_unref (allocator);
  ck_assert (gst_memory_map (memory, &map, GST_MAP_WRITE));
  memset (map.data, 1, map.size);
  gst_memory_unmap (memory, &map);
  gst_memory_unref (memory);
}
END_TEST

START_TEST (pages_are_not_given_by_alloc)
{
  Screen screen = screen_open ("virtual:16x8,pages=2,rate=0");
  GstAllocator *unbound;

  gst_ba_init ();
  unbound = gst_allocator_find (GST_BA_MEMORY_FBDEV);
  ck_assert_ptr_null (gst_allocator_alloc (GST_ALLOCATOR (screen.allocator), 64, NULL));
  ck_assert_ptr_null (gst_allocator_alloc (unbound, 64, NULL));
  gst_object_unref (unbound);
  screen_close (&screen);
}
END_TEST

START_TEST (a_shared_part_is_read_only_and_holds_the_root)
{
  Screen screen = screen_open ("virtual:16x8,pages=2,rate=0");
  GstMemory *memory = page_memory (&screen);
  GstMemory *child = gst_memory_share (memory, 16, 100);
  GstMemory *grandchild = gst_memory_share (child, 4, 10);
  GstMapInfo map;

  ck_assert_ptr_eq (child->parent, memory);
  ck_assert_ptr_eq (grandchild->parent, memory);
  ck_assert_uint_eq (child->offset, 16);
  ck_assert_uint_eq (grandchild->offset, 20);
  ck_assert_uint_eq (gst_ba_memory_get_start (grandchild), 20);
  ck_assert (gst_ba_fbdev_allocator_owns (screen.allocator, grandchild));
  ck_assert (!gst_memory_map (child, &map, GST_MAP_WRITE));
  gst_memory_unref (memory);
  gst_memory_unref (child);
  ck_assert_uint_eq (stats_of (screen_pages (&screen)).n_held, 1);
  ck_assert (gst_memory_map (grandchild, &map, GST_MAP_READ));
  ck_assert_uint_eq (map.size, 10);
  gst_memory_unmap (grandchild, &map);
  gst_memory_unref (grandchild);
  ck_assert_uint_eq (stats_of (screen_pages (&screen)).n_held, 0);
  screen_close (&screen);
}
END_TEST

START_TEST (freeing_a_part_does_not_free_the_page)
{
  Screen screen = screen_open ("virtual:16x8,pages=2,rate=0");
  GstMemory *memory = page_memory (&screen);

  for (guint i = 0; i < 3; i++)
    gst_memory_unref (gst_memory_share (memory, i, 8));
  ck_assert_uint_eq (stats_of (screen_pages (&screen)).n_held, 1);
  ck_assert_uint_eq (stats_of (screen_pages (&screen)).n_free, 1);
  gst_memory_unref (memory);
  ck_assert_uint_eq (stats_of (screen_pages (&screen)).n_free, 2);
  screen_close (&screen);
}
END_TEST

START_TEST (neighbouring_parts_are_one_span)
{
  GstAllocator *allocator = normal ();
  GstMemory *memory = gst_allocator_alloc (allocator, 100, NULL);
  GstMemory *a = gst_memory_share (memory, 10, 20), *b = gst_memory_share (memory, 30, 20);
  gsize offset = 0;

  ck_assert (gst_memory_is_span (a, b, &offset));
  ck_assert_uint_eq (offset, 10);
  ck_assert (!gst_memory_is_span (b, a, NULL));
  gst_memory_unref (a);
  gst_memory_unref (b);
  gst_memory_unref (memory);
  gst_object_unref (allocator);
}
END_TEST

START_TEST (no_write_map_while_somebody_else_holds_the_core_buffer)
{
  Screen screen = screen_open ("virtual:16x8,pages=2,rate=0");
  GstMemory *memory = page_memory (&screen);
  BaBuffer *other = ba_buffer_ref (gst_ba_memory_get_buffer (memory));
  GstMapInfo map;

  ck_assert (!gst_memory_map (memory, &map, GST_MAP_WRITE));
  ck_assert (!gst_memory_map (memory, &map, GST_MAP_READWRITE));
  ck_assert (gst_memory_map (memory, &map, GST_MAP_READ));
  gst_memory_unmap (memory, &map);
  ba_buffer_unref (other);
  ck_assert (gst_memory_map (memory, &map, GST_MAP_READWRITE));
  gst_memory_unmap (memory, &map);
  gst_memory_unref (memory);
  screen_close (&screen);
}
END_TEST

START_TEST (a_writer_gets_a_copy_while_the_screen_reads)
{
  Screen screen = screen_open ("virtual:16x8,pages=2,rate=0");
  GstBuffer *buffer = gst_buffer_new ();
  GstMapInfo map;
  BaBlock page;
  gint number;

  gst_buffer_append_memory (buffer, page_memory (&screen));
  fill (buffer, 7);
  number = ba_display_get_page_number (screen.display, core_of (buffer));
  ck_assert_int_eq (ba_display_flip (screen.display, core_of (buffer), NULL), 0);
  buffer = gst_buffer_make_writable (buffer);
  ck_assert (gst_buffer_map (buffer, &map, GST_MAP_READWRITE));
  ck_assert_uint_eq (map.data[0], 7);
  memset (map.data, 9, map.size);
  gst_buffer_unmap (buffer, &map);
  ba_display_get_page (screen.display, number, &page);
  ck_assert_uint_eq (((guint8 *) page.data)[0], 7);
  ck_assert (!gst_ba_fbdev_allocator_owns (screen.allocator, gst_buffer_peek_memory (buffer, 0)));
  gst_buffer_unref (buffer);
  screen_close (&screen);
}
END_TEST

START_TEST (a_deep_copy_of_a_page_is_system_memory)
{
  Screen screen = screen_open ("virtual:16x8,pages=1,rate=0");
  GstMemory *memory = page_memory (&screen), *copy;
  GstMapInfo map;

  ck_assert (gst_memory_map (memory, &map, GST_MAP_WRITE));
  memset (map.data, 3, map.size);
  gst_memory_unmap (memory, &map);
  copy = gst_memory_copy (memory, 0, 64);
  ck_assert (!gst_is_ba_memory (copy));
  ck_assert (gst_memory_is_type (copy, GST_ALLOCATOR_SYSMEM));
  ck_assert (gst_memory_map (copy, &map, GST_MAP_READ));
  ck_assert_uint_eq (map.size, 64);
  ck_assert_uint_eq (map.data[63], 3);
  gst_memory_unmap (copy, &map);
  gst_memory_unref (copy);
  gst_memory_unref (memory);
  screen_close (&screen);
}
END_TEST

START_TEST (another_screens_page_is_not_ours)
{
  Screen one = screen_open ("virtual:16x8,pages=2,rate=0"), two = screen_open ("virtual:16x8,pages=2,rate=0");
  GstAllocator *allocator = normal ();
  GstMemory *page = page_memory (&one), *plain = gst_allocator_alloc (NULL, 64, NULL);
  GstMemory *ours = gst_allocator_alloc (allocator, 64, NULL);

  ck_assert (gst_ba_fbdev_allocator_owns (one.allocator, page));
  ck_assert (!gst_ba_fbdev_allocator_owns (two.allocator, page));
  ck_assert (!gst_ba_fbdev_allocator_owns (one.allocator, plain));
  ck_assert (!gst_ba_fbdev_allocator_owns (one.allocator, ours));
  ck_assert (!gst_ba_fbdev_allocator_owns (one.allocator, NULL));
  ck_assert (gst_is_ba_memory (ours));
  ck_assert (!gst_is_ba_memory (plain));
  ck_assert (!gst_is_ba_memory (NULL));
  ck_assert_ptr_null (gst_ba_memory_get_buffer (plain));
  gst_memory_unref (page);
  gst_memory_unref (plain);
  gst_memory_unref (ours);
  gst_object_unref (allocator);
  screen_close (&one);
  screen_close (&two);
}
END_TEST

static gpointer
map_often (gpointer data)
{
  for (guint i = 0; i < 2000; i++) {
    GstMapInfo map;

    if (!gst_memory_map (data, &map, GST_MAP_READ))
      return NULL;
    gst_memory_unmap (data, &map);
  }
  return data;
}

START_TEST (read_maps_run_on_several_threads)
{
  Screen screen = screen_open ("virtual:16x8,pages=2,rate=0");
  GstMemory *memory = page_memory (&screen);
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("mapper", map_often, memory);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    ck_assert_ptr_eq (g_thread_join (threads[i]), memory);
  gst_memory_unref (memory);
  screen_close (&screen);
}
END_TEST

RUN ("memory", the_plugin_registers_the_allocators_by_name, what_is_written_is_read,
    alignment_counts_for_the_first_byte_of_the_block, prefix_and_padding_are_there_and_zero_where_asked,
    sizes_that_overflow_are_refused, no_bytes_are_allocated_as_well, memory_outlives_its_allocator,
    pages_are_not_given_by_alloc, a_shared_part_is_read_only_and_holds_the_root,
    freeing_a_part_does_not_free_the_page, neighbouring_parts_are_one_span,
    no_write_map_while_somebody_else_holds_the_core_buffer, a_writer_gets_a_copy_while_the_screen_reads,
    a_deep_copy_of_a_page_is_system_memory, another_screens_page_is_not_ours, read_maps_run_on_several_threads)
