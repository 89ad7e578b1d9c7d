/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-pitfalls-memory.c: traps of GStreamer's memories that the other tests would not notice: the same promises for
 * every kind of memory of ours. docs/traps.md says which test holds which trap.
 */
#include "test-lib-support.h"

#ifdef HAVE_AVFRAME
#include <gst/bufalloc/gstbaavframe.h>
#include <libavutil/frame.h>
#endif

#define SIZE 8192
#define DEVICE "virtual:64x32,pages=3,rate=0"

static GstMemory *
normal_memory (const Screen * screen)
{
  GstAllocator *allocator = gst_ba_normal_allocator_new ();
  GstMemory *memory = gst_allocator_alloc (allocator, SIZE, NULL);

  gst_object_unref (allocator);
  return memory;
}

static GstMemory *
page_memory (const Screen * screen)
{
  BaBuffer *page;

  ck_assert_int_eq (ba_pool_acquire (screen_pages (screen), BA_NO_WAIT, NULL, &page), 0);
  return gst_ba_memory_new (GST_ALLOCATOR (screen->allocator), page, 0, SIZE);
}

static GstMemory *
memfd_memory (const Screen * screen)
{
  GstAllocator *allocator = gst_ba_memfd_allocator_new ();
  GstMemory *memory = gst_allocator_alloc (allocator, SIZE, NULL);

  gst_object_unref (allocator);
  return memory;
}

#ifdef HAVE_AVFRAME
static GstMemory *
avframe_memory (const Screen * screen)
{
  AVFrame *frame = av_frame_alloc ();
  BaError error = { 0 };
  GstBuffer *buffer;
  GstMemory *memory;

  frame->format = AV_PIX_FMT_GRAY8;
  frame->width = 128;
  frame->height = SIZE / 128;
  ck_assert_int_eq (av_frame_get_buffer (frame, 0), 0);
  buffer = gst_ba_avframe_buffer_new (frame, &error);
  ck_assert_msg (buffer != NULL, "%s", error.message);
  av_frame_free (&frame);
  memory = gst_buffer_get_memory (buffer, 0);
  gst_buffer_unref (buffer);
  return memory;
}
#endif

static const struct
{
  const gchar *name;
  GstMemory *(*make) (const Screen * screen);
  gboolean system_copy;         /* a deep copy is system memory, not more of this kind */
} kinds[] = {
  {"normal", normal_memory, FALSE},
  {"fbdev", page_memory, TRUE},
  {"memfd", memfd_memory, TRUE},
#ifdef HAVE_AVFRAME
  {"avframe", avframe_memory, TRUE},
#endif
};

static void
number_bytes (GstMemory * memory)
{
  GstMapInfo map;

  ck_assert (gst_memory_map (memory, &map, GST_MAP_WRITE));
  for (gsize i = 0; i < map.size; i++)
    map.data[i] = (guint8) i;
  gst_memory_unmap (memory, &map);
}

START_TEST (a_kind_has_one_pair_of_functions_to_map_and_unmap)
{
  Screen screen = screen_open (DEVICE);

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    GstMemory *memory = kinds[i].make (&screen);
    GstAllocator *allocator = memory->allocator;
    gboolean plain = allocator->mem_map != NULL, full = allocator->mem_map_full != NULL;

    /* the core takes the full one where there is one, for each of the two by itself */
    ck_assert_msg (plain != full, "%s has %s", kinds[i].name, plain ? "both maps" : "no map");
    ck_assert_msg ((allocator->mem_unmap != NULL) == plain && (allocator->mem_unmap_full != NULL) == full,
        "%s maps with one function and unmaps with the other's", kinds[i].name);
    gst_memory_unref (memory);
  }
  screen_close (&screen);
}
END_TEST

START_TEST (a_part_of_a_part_is_mapped_where_it_begins)
{
  Screen screen = screen_open (DEVICE);

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    GstMemory *memory = kinds[i].make (&screen), *part, *part_of_part;
    GstMapInfo map;

    number_bytes (memory);
    part = gst_memory_share (memory, 16, 100);
    part_of_part = gst_memory_share (part, 7, 20);
    ck_assert (gst_memory_map (part_of_part, &map, GST_MAP_READ));
    ck_assert_msg (map.data[0] == 23 && map.size == 20, "%s: byte %u of %" G_GSIZE_FORMAT, kinds[i].name, map.data[0],
        map.size);
    gst_memory_unmap (part_of_part, &map);
    gst_memory_unref (part_of_part);
    gst_memory_unref (part);
    gst_memory_resize (memory, 5, 50);
    ck_assert (gst_memory_map (memory, &map, GST_MAP_READ));
    ck_assert_msg (map.data[0] == 5, "%s: byte %u after a resize", kinds[i].name, map.data[0]);
    gst_memory_unmap (memory, &map);
    gst_memory_unref (memory);
  }
  screen_close (&screen);
}
END_TEST

START_TEST (what_was_mapped_to_be_read_can_be_mapped_to_be_written)
{
  Screen screen = screen_open (DEVICE);

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    GstMemory *memory = kinds[i].make (&screen);
    GstMapInfo map, wider;

    ck_assert (gst_memory_map (memory, &map, GST_MAP_READ));
    /* while somebody reads, a writer is refused, and must not get the reader's mapping */
    ck_assert_msg (!gst_memory_map (memory, &wider, GST_MAP_WRITE), "%s", kinds[i].name);
    gst_memory_unmap (memory, &map);
    ck_assert_msg (gst_memory_map (memory, &map, GST_MAP_READWRITE), "%s", kinds[i].name);
    memset (map.data, 42, map.size);
    gst_memory_unmap (memory, &map);
    ck_assert (gst_memory_map (memory, &map, GST_MAP_READ));
    ck_assert_uint_eq (map.data[SIZE - 1], 42);
    gst_memory_unmap (memory, &map);
    gst_memory_unref (memory);
  }
  screen_close (&screen);
}
END_TEST

typedef struct
{
  GstMemory *memory;
  gint *go;
} Mapper;

static gpointer
map_once (gpointer data)
{
  Mapper *mapper = data;
  GstMapInfo map;
  gpointer address;

  while (!g_atomic_int_get (mapper->go))
    g_thread_yield ();
  if (!gst_memory_map (mapper->memory, &map, GST_MAP_READ))
    return NULL;
  address = map.data;
  gst_memory_unmap (mapper->memory, &map);
  return address;
}

START_TEST (threads_that_map_for_the_first_time_at_once_get_one_address)
{
  Screen screen = screen_open (DEVICE);

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    for (guint round = 0; round < 20; round++) {
      GstMemory *memory = kinds[i].make (&screen);
      gint go = 0;
      Mapper mapper = { memory, &go };
      GThread *threads[4];
      gpointer first;

      for (guint t = 0; t < G_N_ELEMENTS (threads); t++)
        threads[t] = g_thread_new ("mapper", map_once, &mapper);
      g_atomic_int_set (&go, 1);
      first = g_thread_join (threads[0]);
      ck_assert_msg (first != NULL, "%s", kinds[i].name);
      for (guint t = 1; t < G_N_ELEMENTS (threads); t++)
        ck_assert_msg (g_thread_join (threads[t]) == first, "%s: two addresses for one memory", kinds[i].name);
      gst_memory_unref (memory);
    }
  }
  screen_close (&screen);
}
END_TEST

START_TEST (a_deep_copy_takes_nothing_scarce)
{
  Screen screen = screen_open ("virtual:64x32,pages=1,rate=0");

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    GstMemory *memory = kinds[i].make (&screen), *copy;
    GstBuffer *buffer = gst_buffer_new (), *deep;
    GstMapInfo map;

    number_bytes (memory);
    copy = gst_memory_copy (memory, 3, 100);
    ck_assert_msg (copy != NULL, "%s", kinds[i].name);
    ck_assert_msg (gst_memory_is_type (copy, GST_ALLOCATOR_SYSMEM) == kinds[i].system_copy, "%s: the copy is %s",
        kinds[i].name, copy->allocator->mem_type);
    ck_assert (gst_memory_map (copy, &map, GST_MAP_READ));
    ck_assert_uint_eq (map.data[0], 3);
    gst_memory_unmap (copy, &map);
    gst_memory_unref (copy);
    gst_buffer_append_memory (buffer, memory);
    deep = gst_buffer_copy_deep (buffer);
    ck_assert_msg (deep && gst_buffer_get_size (deep) == gst_buffer_get_size (buffer), "%s", kinds[i].name);
    gst_buffer_unref (deep);
    gst_buffer_unref (buffer);
  }
  screen_close (&screen);
}
END_TEST

START_TEST (new_allocators_are_not_floating)
{
  static const gchar *names[] = { GST_BA_MEMORY_NORMAL, GST_BA_MEMORY_FBDEV,
#ifdef HAVE_AVFRAME
    GST_BA_MEMORY_AVFRAME,
#endif
  };
  Screen screen = screen_open (DEVICE);
  GstAllocator *allocators[] = { gst_ba_normal_allocator_new (), gst_ba_memfd_allocator_new (),
    gst_object_ref (GST_ALLOCATOR (screen.allocator))
  };

  for (guint i = 0; i < G_N_ELEMENTS (allocators); i++) {
    ck_assert_msg (!g_object_is_floating (allocators[i]), "%s", G_OBJECT_TYPE_NAME (allocators[i]));
    ck_assert_int_eq (GST_OBJECT_REFCOUNT_VALUE (allocators[i]), i == 2 ? 2 : 1);
    gst_object_unref (allocators[i]);
  }
  gst_ba_init ();
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    GstAllocator *allocator = gst_allocator_find (names[i]);

    ck_assert_msg (allocator && !g_object_is_floating (allocator), "%s", names[i]);
    gst_object_unref (allocator);
  }
  screen_close (&screen);
}
END_TEST

RUN ("pitfalls-memory", a_kind_has_one_pair_of_functions_to_map_and_unmap,
    a_part_of_a_part_is_mapped_where_it_begins, what_was_mapped_to_be_read_can_be_mapped_to_be_written,
    threads_that_map_for_the_first_time_at_once_get_one_address, a_deep_copy_takes_nothing_scarce,
    new_allocators_are_not_floating)
