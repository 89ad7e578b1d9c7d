/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-memfd.c: memory that other processes can map: a GstFdMemory to everybody, parts of one file for a pool, and home
 * again when the last reference goes. The second process is this program, run again with a file descriptor to read.
 */
#include "test-lib-support.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE 5000

static GstBufferPool *
memfd_pool (GstAllocator * allocator, guint min, guint max, guint prefix)
{
  GstBufferPool *pool = gst_ba_normal_pool_new ();
  GstStructure *config = gst_buffer_pool_get_config (pool);
  GstAllocationParams params = {.prefix = prefix };

  gst_buffer_pool_config_set_params (config, NULL, SIZE, min, max);
  gst_buffer_pool_config_set_allocator (config, allocator, &params);
  ck_assert (gst_buffer_pool_set_config (pool, config));
  ck_assert (gst_buffer_pool_set_active (pool, TRUE));
  return pool;
}

static void
fill_all (GstBuffer * buffer, guint8 value)
{
  GstMapInfo map;

  ck_assert (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
  ck_assert_uint_eq (map.size, SIZE);
  memset (map.data, value, map.size);
  gst_buffer_unmap (buffer, &map);
}

/* What a second process sees at @offset of @fd: it ends with that byte. */
static guint8
read_elsewhere (int fd, gsize offset)
{
  gchar *fd_text = g_strdup_printf ("%d", fd);
  gchar *offset_text = g_strdup_printf ("%" G_GSIZE_FORMAT, offset);
  int status;
  pid_t pid = fork ();

  if (pid == 0) {
    fcntl (fd, F_SETFD, 0);     /* it stays open in the program below */
    execl ("/proc/self/exe", "test-memfd", "--read", fd_text, offset_text, NULL);
    _exit (255);
  }
  ck_assert_int_gt (pid, 0);
  ck_assert_int_eq (waitpid (pid, &status, 0), pid);
  ck_assert (WIFEXITED (status));
  g_free (fd_text);
  g_free (offset_text);
  return WEXITSTATUS (status);
}

START_TEST (a_memory_is_a_gst_fd_memory)
{
  GstAllocator *allocator = gst_ba_memfd_allocator_new ();
  GstAllocationParams params = {.prefix = 10,.padding = 20,.align = 15,.flags = GST_MEMORY_FLAG_ZERO_PREFIXED };
  GstMemory *memory = gst_allocator_alloc (allocator, SIZE, &params);
  GstMapInfo map;

  ck_assert (gst_is_fd_memory (memory));
  ck_assert_int_ge (gst_fd_memory_get_fd (memory), 0);
  ck_assert_uint_eq (memory->size, SIZE);
  ck_assert_uint_eq (memory->offset, 10);
  ck_assert_uint_ge (memory->maxsize, SIZE + 30);
  ck_assert (gst_memory_map (memory, &map, GST_MAP_READWRITE));
  ck_assert_uint_eq ((guintptr) (map.data - 10) % 16, 0);
  for (guint i = 1; i <= 10; i++)
    ck_assert_uint_eq (*(map.data - i), 0);
  memset (map.data, 7, map.size);
  gst_memory_unmap (memory, &map);
  ck_assert_uint_eq (read_elsewhere (gst_fd_memory_get_fd (memory), memory->offset), 7);
  gst_memory_unref (memory);
  gst_object_unref (allocator);
}
END_TEST

START_TEST (an_alignment_beyond_a_page_is_refused)
{
  GstAllocator *allocator = gst_ba_memfd_allocator_new ();
  GstAllocationParams params = {.align = 65535 };

  ck_assert_ptr_null (gst_allocator_alloc (allocator, SIZE, &params));
  gst_object_unref (allocator);
}
END_TEST

START_TEST (the_buffers_of_a_pool_are_parts_of_one_sealed_file)
{
  GstAllocator *allocator = gst_ba_memfd_allocator_new ();
  GstBufferPool *pool = memfd_pool (allocator, 3, 3, 0);
  GstBuffer *buffers[3];
  struct stat first, other;
  gsize offsets[3];

  for (guint i = 0; i < 3; i++) {
    GstMemory *memory;

    buffers[i] = acquire (pool);
    memory = gst_buffer_peek_memory (buffers[i], 0);
    ck_assert (gst_is_fd_memory (memory));
    ck_assert_int_eq (fstat (gst_fd_memory_get_fd (memory), i ? &other : &first), 0);
    ck_assert (i == 0 || other.st_ino == first.st_ino);
    offsets[i] = memory->offset;
    ck_assert_uint_eq (offsets[i] % (gsize) sysconf (_SC_PAGESIZE), 0);
    ck_assert (i == 0 || offsets[i] != offsets[i - 1]);
    ck_assert (fcntl (gst_fd_memory_get_fd (memory), F_GET_SEALS) & F_SEAL_SHRINK);
    fill_all (buffers[i], 10 + i);
  }
  for (guint i = 0; i < 3; i++)
    ck_assert_uint_eq (read_elsewhere (gst_fd_memory_get_fd (gst_buffer_peek_memory (buffers[i], 0)), offsets[i]),
        10 + i);
  for (guint i = 0; i < 3; i++)
    gst_buffer_unref (buffers[i]);
  gst_object_unref (pool);
  gst_object_unref (allocator);
}
END_TEST

START_TEST (a_memory_comes_out_again_still_mapped)
{
  GstAllocator *allocator = gst_ba_memfd_allocator_new ();
  GstBufferPool *pool = memfd_pool (allocator, 1, 1, 64);
  GstMemory *first = NULL;
  guint8 *address = NULL;

  for (guint round = 0; round < 5; round++) {
    GstBuffer *buffer = acquire (pool);
    GstMemory *memory = gst_buffer_peek_memory (buffer, 0);
    GstMapInfo map;

    ck_assert (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
    ck_assert (round == 0 || (memory == first && map.data == address));
    ck_assert_uint_eq (memory->size, SIZE);
    first = memory;
    address = map.data;
    gst_buffer_unmap (buffer, &map);
    gst_buffer_resize (buffer, 5, 10);  /* what somebody did on the way is put right */
    gst_buffer_unref (buffer);
  }
  gst_object_unref (pool);
  gst_object_unref (allocator);
}
END_TEST

START_TEST (a_kept_memory_keeps_its_part_after_pool_and_allocator)
{
  GstAllocator *allocator = gst_ba_memfd_allocator_new ();
  GstBufferPool *pool = memfd_pool (allocator, 1, 1, 0);
  GstBuffer *buffer = acquire (pool), *none;
  GstMemory *memory;
  GstMapInfo map;

  fill_all (buffer, 42);
  memory = gst_buffer_get_memory (buffer, 0);
  gst_buffer_unref (buffer);
  ck_assert_int_eq (try_acquire (pool, &none), GST_FLOW_EOS);   /* the memory is what counts */
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
  gst_object_unref (allocator);
  ck_assert (gst_memory_map (memory, &map, GST_MAP_READ));
  ck_assert_uint_eq (map.data[SIZE - 1], 42);
  gst_memory_unmap (memory, &map);
  gst_memory_unref (memory);
}
END_TEST

/* The second process: ends with the byte at an offset of a file that it was given. */
static int
read_byte (const char *fd_text, const char *offset_text)
{
  int fd = atoi (fd_text);
  gsize offset = (gsize) g_ascii_strtoull (offset_text, NULL, 10);
  guint8 *data = mmap (NULL, offset + 1, PROT_READ, MAP_SHARED, fd, 0);

  return data == MAP_FAILED ? 254 : data[offset];
}

int
main (int argc, char **argv)
{
  if (argc == 4 && g_str_equal (argv[1], "--read"))
    return read_byte (argv[2], argv[3]);

  Suite *suite = suite_create ("memfd");
  TCase *tc = tcase_create ("memfd");
  SRunner *runner = srunner_create (suite);

  suite_add_tcase (suite, tc);
  tcase_add_test (tc, a_memory_is_a_gst_fd_memory);
  tcase_add_test (tc, an_alignment_beyond_a_page_is_refused);
  tcase_add_test (tc, the_buffers_of_a_pool_are_parts_of_one_sealed_file);
  tcase_add_test (tc, a_memory_comes_out_again_still_mapped);
  tcase_add_test (tc, a_kept_memory_keeps_its_part_after_pool_and_allocator);
  gst_init (&argc, &argv);
  watch_over (tc);
  srunner_run_all (runner, CK_NORMAL);
  int failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed != 0;
}
