/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-normal.c: alignment, huge pages, and the sealed file that a second process reads. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test-support.h"

static BaAllocator *
allocator_of (BaMemoryKind memory, size_t align_bytes)
{
  BaConfig config = { .memory = memory, .align_bytes = align_bytes };
  BaAllocator *allocator;
  BaError error;
  ck_assert_msg (ba_allocator_new_with_config (BA_TYPE_NORMAL, &config, &error, &allocator) == 0, "%s", error.message);
  return allocator;
}

static int
try_size (BaAllocator *allocator, size_t size_bytes)
{
  BaPool *pool;
  BaSpec spec = { .count = 1, .size_bytes = size_bytes };
  int r = ba_allocator_build_pool (allocator, &spec, &pool);
  ck_assert ((r == 0) == (pool != NULL));
  ba_pool_unref (pool);
  return r;
}

START_TEST (heap_buffers_have_the_alignment_that_was_asked)
{
  for (size_t align = 0; align <= 4096; align = align ? align * 2 : 1) {
    BaAllocator *allocator = allocator_of (BA_MEMORY_HEAP, align);
    BaPool *pool = build (allocator, 4, BA_WHEN_FULL_BLOCK);
    for (unsigned i = 0; i < 4; i++) {
      BaBuffer *buffer = acquire (pool);
      ck_assert_uint_eq ((uintptr_t) ba_buffer_get_data (buffer) % (align ? align : 64), 0);
      ck_assert_uint_eq (ba_buffer_get_size (buffer), 256);
      ck_assert_int_eq (ba_buffer_get_fd (buffer, NULL), -1);
      ck_assert_int_eq (ba_buffer_get_ownership (buffer), BA_OWNED);
      memset (ba_buffer_get_data (buffer), 0xa5, 256);
      ba_buffer_unref (buffer);
    }
    ba_pool_unref (pool);
    ba_allocator_unref (allocator);
  }
}
END_TEST

START_TEST (a_config_that_cannot_be_is_refused_with_a_sentence)
{
  const struct
  {
    BaConfig config;
    int code;
  } bad[] = {
    { { .align_bytes = 3 }, -EINVAL },
    { { .align_bytes = 96 }, -EINVAL },
    { { .align_bytes = SIZE_MAX }, -EINVAL },
    { { .memory = (BaMemoryKind) 5 }, -EINVAL },
    { { .memory = BA_MEMORY_DMA_HEAP, .heap = "../null" }, -EINVAL },
    { { .memory = BA_MEMORY_DMA_HEAP, .heap = "no such heap" }, -ENODEV },
    { { .memory = BA_MEMORY_MEMFD, .align_bytes = (size_t) 1 << 30 }, -ENOTSUP },
    { { .memory = BA_MEMORY_HUGE, .align_bytes = (size_t) 4 << 20 }, -ENOTSUP },
  };
  for (unsigned i = 0; i < N_ELEMENTS (bad); i++) {
    BaError error = { 0 };
    BaAllocator *allocator = (BaAllocator *) &error;
    ck_assert_int_eq (ba_allocator_new_with_config (BA_TYPE_NORMAL, &bad[i].config, &error, &allocator), bad[i].code);
    ck_assert_ptr_null (allocator);
    ck_assert_int_eq (error.code, bad[i].code);
    ck_assert_str_ne (error.message, "");
  }
}
END_TEST

START_TEST (a_size_that_overflows_is_refused)
{
  const BaMemoryKind kinds[] = { BA_MEMORY_HEAP, BA_MEMORY_HUGE, BA_MEMORY_MEMFD };
  for (unsigned i = 0; i < N_ELEMENTS (kinds); i++) {
    BaAllocator *allocator = allocator_of (kinds[i], 64);
    ck_assert_int_eq (try_size (allocator, SIZE_MAX), -EINVAL);
    ck_assert_int_eq (try_size (allocator, 0), -EINVAL);
    int r = try_size (allocator, SIZE_MAX / 2 - 8191); /* below PTRDIFF_MAX, above any memory there is */
    ck_assert_msg (r == -ENOMEM || r == -EFBIG || r == -EINVAL, "kind %u: %s", i, ba_error_text (r));
    ck_assert_int_eq (try_size (allocator, 100), 0);
    ba_allocator_unref (allocator);
  }
}
END_TEST

static void
hear (BaLogLevel level, const char *message, void *user)
{
  if (level == BA_LOG_INFO)
    snprintf (user, 200, "%s", message);
}

/* What the system would say of a mapping that asked for huge pages. */
static bool
system_makes_huge_pages (void)
{
  char words[64] = "";
  FILE *file = fopen ("/sys/kernel/mm/transparent_hugepage/enabled", "r");
  bool on = file && fgets (words, sizeof words, file) && !strstr (words, "[never]");
  if (file)
    fclose (file);
  return on;
}

START_TEST (a_count_that_cannot_be_fails_before_anything_is_created)
{
  Counts counts = { 0 };
  BaAllocator *allocator = counting_allocator (&counts, NULL);
  BaPool *pool;
  BaSpec spec = { .count = UINT32_MAX, .size_bytes = 1 };
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &spec, &pool), -ENOMEM);
  ck_assert_ptr_null (pool);
  ck_assert_int_eq (counts.calls, 0);
  ba_allocator_unref (allocator);
}
END_TEST

START_TEST (huge_pages_say_which_kind_they_are)
{
  char line[200] = "";
  ba_log_set_handler (hear, line);
  BaAllocator *allocator = allocator_of (BA_MEMORY_HUGE, 2 << 20);
  BaPool *pool;
  BaSpec spec = { .count = 2, .size_bytes = 3 << 20 };
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &spec, &pool), 0);
  ck_assert (strstr (line, "explicit huge pages") || strstr (line, "transparent huge pages")
             || strstr (line, "plain pages"));
  if (!system_makes_huge_pages ())
    ck_assert_ptr_null (strstr (line, "transparent"));
  BaBuffer *buffer = acquire (pool);
  ck_assert_uint_eq (ba_buffer_get_size (buffer), 3 << 20);
  ck_assert_uint_eq ((uintptr_t) ba_buffer_get_data (buffer) % (2 << 20), 0);
  memset (ba_buffer_get_data (buffer), 1, 3 << 20);
  ba_buffer_unref (buffer);
  ba_pool_unref (pool);
  ba_allocator_unref (allocator);
  ba_log_set_handler (NULL, NULL);
}
END_TEST

/* ---- memfd ----------------------------------------------------------------------------------------------------- */

START_TEST (a_pool_has_one_sealed_file_with_its_buffers_at_page_offsets)
{
  size_t page_bytes = (size_t) sysconf (_SC_PAGESIZE);
  BaAllocator *allocator = allocator_of (BA_MEMORY_MEMFD, 0);
  BaPool *pool = build (allocator, 3, BA_WHEN_FULL_BLOCK), *other = build (allocator, 1, BA_WHEN_FULL_BLOCK);
  BaBuffer *buffers[3], *foreign = acquire (other);
  int fd = -1;
  for (unsigned i = 0; i < 3; i++) {
    size_t offset_bytes;
    buffers[i] = acquire (pool);
    ck_assert (i == 0 || ba_buffer_get_fd (buffers[i], NULL) == fd);
    fd = ba_buffer_get_fd (buffers[i], &offset_bytes);
    ck_assert_int_ge (fd, 0);
    ck_assert_uint_eq (offset_bytes, i * page_bytes);
  }
  ck_assert_int_ne (ba_buffer_get_fd (foreign, NULL), fd);
  ck_assert_int_ne (fcntl (fd, F_GETFD) & FD_CLOEXEC, 0);
  ck_assert_int_eq (fcntl (fd, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_SEAL);
  ck_assert_int_eq (fcntl (fd, F_ADD_SEALS, F_SEAL_GROW), -1);
  ck_assert_int_eq (ftruncate (fd, (off_t) page_bytes), -1);
  ck_assert_int_eq (errno, EPERM);
  for (unsigned i = 0; i < 3; i++)
    ba_buffer_unref (buffers[i]);
  ba_buffer_unref (foreign);
  ba_pool_unref (pool);
  ba_pool_unref (other);
  ba_allocator_unref (allocator);
  ck_assert_int_eq (fcntl (fd, F_GETFD), -1); /* closed with the last buffer */
}
END_TEST

START_TEST (a_second_process_reads_the_buffer_through_the_file)
{
  static const char text[] = "written by the first process";
  BaAllocator *allocator = allocator_of (BA_MEMORY_MEMFD, 0);
  BaPool *pool = build (allocator, 2, BA_WHEN_FULL_BLOCK);
  BaBuffer *first = acquire (pool), *second = acquire (pool);
  size_t offset_bytes;
  int fd = dup (ba_buffer_get_fd (second, &offset_bytes)); /* without FD_CLOEXEC: it passes exec */
  memcpy (ba_buffer_get_data (second), text, sizeof text);
  char path[40], skip[40], wanted[40], command[400];
  snprintf (path, sizeof path, "/proc/self/fd/%d", fd);
  snprintf (skip, sizeof skip, "%zu", offset_bytes);
  snprintf (wanted, sizeof wanted, "%zu", strlen (text));
  snprintf (command, sizeof command, "test \"$(dd if=%s bs=1 skip=%s count=%s 2>/dev/null)\" = '%s'", path, skip,
            wanted, text);
  pid_t child = fork ();
  ck_assert_int_ge (child, 0);
  if (child == 0) {
    execl ("/bin/sh", "sh", "-c", command, (char *) NULL);
    _exit (127);
  }
  int status;
  ck_assert_int_eq (waitpid (child, &status, 0), child);
  ck_assert (WIFEXITED (status));
  ck_assert_int_eq (WEXITSTATUS (status), 0);
  close (fd);
  ba_buffer_unref (first);
  ba_buffer_unref (second);
  ba_pool_unref (pool);
  ba_allocator_unref (allocator);
}
END_TEST

START_TEST (a_file_that_cannot_be_made_is_the_systems_code)
{
  struct rlimit limit;
  BaAllocator *allocator = allocator_of (BA_MEMORY_MEMFD, 0);
  ck_assert_int_eq (getrlimit (RLIMIT_NOFILE, &limit), 0);
  struct rlimit none = { 0, limit.rlim_max };
  ck_assert_int_eq (setrlimit (RLIMIT_NOFILE, &none), 0);
  int r = try_size (allocator, 100);
  ck_assert_int_eq (setrlimit (RLIMIT_NOFILE, &limit), 0);
  ck_assert_int_eq (r, -EMFILE);
  ck_assert_int_eq (try_size (allocator, 100), 0);
  ba_allocator_unref (allocator);
}
END_TEST

START_TEST (a_removed_buffer_gives_its_part_of_the_file_back)
{
  enum
  {
    SIZE_BYTES = 1 << 18
  };
  BaAllocator *allocator = allocator_of (BA_MEMORY_MEMFD, 0);
  BaPool *pool;
  BaSpec spec = { .count = 1, .size_bytes = SIZE_BYTES };
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &spec, &pool), 0);
  BaBuffer *stays = acquire (pool);
  for (unsigned round = 0; round < 10; round++) {
    ck_assert_int_eq (ba_allocator_inject (allocator, pool, BA_INJECT_FREE, NULL), 0);
    BaBuffer *buffer = acquire (pool);
    memset (ba_buffer_get_data (buffer), 1, SIZE_BYTES);
    ba_pool_release (pool, buffer);
    ck_assert_int_eq (ba_allocator_remove (allocator, pool, 0), 0);
  }
  struct stat status;
  ck_assert_int_eq (fstat (ba_buffer_get_fd (stays, NULL), &status), 0);
  ck_assert_int_le ((long long) status.st_blocks * 512, 2 * SIZE_BYTES);
  ba_buffer_unref (stays);
  ba_pool_unref (pool);
  ba_allocator_unref (allocator);
}
END_TEST

START_TEST (a_file_stays_open_for_a_buffer_that_outlives_the_pool)
{
  BaAllocator *allocator = allocator_of (BA_MEMORY_MEMFD, 0);
  BaPool *pools[3] = { build (allocator, 2, BA_WHEN_FULL_BLOCK), build (allocator, 2, BA_WHEN_FULL_BLOCK),
                       build (allocator, 2, BA_WHEN_FULL_BLOCK) };
  BaBuffer *buffer = acquire (pools[1]);
  int fd = ba_buffer_get_fd (buffer, NULL);
  for (unsigned i = 0; i < 3; i++)
    ba_pool_unref (pools[i]);
  ba_allocator_unref (allocator);
  ck_assert_int_ge (fcntl (fd, F_GETFD), 0);
  memset (ba_buffer_get_data (buffer), 1, ba_buffer_get_size (buffer));
  ba_buffer_unref (buffer);
  ck_assert_int_eq (fcntl (fd, F_GETFD), -1);
}
END_TEST

RUN ("normal", heap_buffers_have_the_alignment_that_was_asked, a_config_that_cannot_be_is_refused_with_a_sentence,
     a_size_that_overflows_is_refused, a_count_that_cannot_be_fails_before_anything_is_created,
     huge_pages_say_which_kind_they_are, a_pool_has_one_sealed_file_with_its_buffers_at_page_offsets,
     a_second_process_reads_the_buffer_through_the_file, a_file_that_cannot_be_made_is_the_systems_code,
     a_removed_buffer_gives_its_part_of_the_file_back, a_file_stays_open_for_a_buffer_that_outlives_the_pool)
