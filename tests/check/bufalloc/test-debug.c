/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-debug.c: debug mode: what it logs, what it catches, and what it leaves as it was. */
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bufalloc/debug-private.h>
#include "test-support.h"

#ifdef BA_HAVE_AVFRAME
#include <libavutil/frame.h>
#endif

/* What was logged: lines of one level, one behind the other. */
typedef struct
{
  pthread_mutex_t lock;
  unsigned n[4];
  char text[4][8192];
} Heard;

static Heard heard;

static void
hear (BaLogLevel level, const char *message, void *user)
{
  Heard *h = user;
  pthread_mutex_lock (&h->lock);
  h->n[level]++;
  strncat (h->text[level], message, sizeof h->text[level] - strlen (h->text[level]) - 1);
  strncat (h->text[level], "\n", sizeof h->text[level] - strlen (h->text[level]) - 1);
  pthread_mutex_unlock (&h->lock);
}

static void
listen_anew (void)
{
  memset (&heard, 0, sizeof heard);
  pthread_mutex_init (&heard.lock, NULL);
  ba_log_set_handler (hear, &heard);
}

static BaAllocator *
debug_allocator (BaMemoryKind memory, size_t align_bytes)
{
  BaAllocator *allocator;
  BaConfig config = { .memory = memory, .align_bytes = align_bytes, .debug = true };
  listen_anew ();
  ck_assert_int_eq (ba_allocator_new_with_config (BA_TYPE_NORMAL, &config, NULL, &allocator), 0);
  return allocator;
}

START_TEST (creates_and_destroys_are_logged_with_id_address_size_and_thread)
{
  char wanted[200];
  BaAllocator *allocator = debug_allocator (BA_MEMORY_HEAP, 0);
  ck_assert_str_eq (ba_allocator_get_name (allocator), "normal");
  BaPool *pool = build (allocator, 1, BA_WHEN_FULL_BLOCK);
  BaBuffer *buffer = acquire (pool);
  ck_assert_uint_eq (ba_buffer_get_size (buffer), 256);
  snprintf (wanted, sizeof wanted, "buffer %llu created: 256 bytes at %p by thread %d",
            (unsigned long long) ba_buffer_get_id (buffer), ba_buffer_get_data (buffer), (int) gettid ());
  ck_assert_msg (strstr (heard.text[BA_LOG_INFO], wanted), "%s", heard.text[BA_LOG_INFO]);
  snprintf (wanted, sizeof wanted, "buffer %llu destroyed: 256 bytes at %p by thread %d",
            (unsigned long long) ba_buffer_get_id (buffer), ba_buffer_get_data (buffer), (int) gettid ());
  ba_buffer_unref (buffer);
  ck_assert_ptr_null (strstr (heard.text[BA_LOG_INFO], wanted));
  ba_allocator_unref (allocator);
  ba_pool_unref (pool);
  ck_assert_ptr_nonnull (strstr (heard.text[BA_LOG_INFO], wanted));
  ck_assert_uint_eq (heard.n[BA_LOG_INFO], 2);
  ck_assert_uint_eq (heard.n[BA_LOG_ERROR], 0);
}
END_TEST

START_TEST (normal_memory_keeps_its_alignment_and_its_size)
{
  const BaMemoryKind kinds[] = { BA_MEMORY_HEAP, BA_MEMORY_HUGE, BA_MEMORY_MEMFD };
  const size_t most[] = { 65536, 2 << 20, 4096 };
  for (unsigned i = 0; i < N_ELEMENTS (kinds); i++) {
    for (size_t align = 1; align <= most[i]; align *= 8) {
      BaAllocator *allocator = debug_allocator (kinds[i], align);
      BaPool *pool = build (allocator, 2, BA_WHEN_FULL_BLOCK);
      BaBuffer *buffer = acquire (pool);
      ck_assert_uint_eq ((uintptr_t) ba_buffer_get_data (buffer) % align, 0);
      ck_assert_uint_eq (ba_buffer_get_size (buffer), 256);
      memset (ba_buffer_get_data (buffer), 0x5a, 256);
      ba_buffer_unref (buffer);
      ba_allocator_unref (allocator);
      ba_pool_unref (pool);
      ck_assert_uint_eq (heard.n[BA_LOG_ERROR], 0);
    }
  }
}
END_TEST

START_TEST (a_memory_file_is_found_at_the_buffers_offset)
{
  BaAllocator *allocator = debug_allocator (BA_MEMORY_MEMFD, 0);
  BaPool *pool = build (allocator, 2, BA_WHEN_FULL_BLOCK);
  BaBuffer *buffer = acquire (pool);
  size_t offset_bytes, page_bytes = (size_t) sysconf (_SC_PAGESIZE);
  int fd = ba_buffer_get_fd (buffer, &offset_bytes);
  memcpy (ba_buffer_get_data (buffer), "over there", 11);
  ck_assert_uint_eq (offset_bytes % page_bytes, 0);
  char *p = mmap (NULL, page_bytes, PROT_READ, MAP_SHARED, fd, (off_t) offset_bytes);
  ck_assert_ptr_ne (p, MAP_FAILED);
  ck_assert_str_eq (p, "over there");
  munmap (p, page_bytes);
  ba_buffer_unref (buffer);
  ba_allocator_unref (allocator);
  ba_pool_unref (pool);
}
END_TEST

/* Writes one byte at @offset from the begin of a buffer, asks, destroys. */
static void
write_at (ptrdiff_t offset, unsigned n_expected)
{
  unsigned n_damaged;
  BaAllocator *allocator = debug_allocator (BA_MEMORY_HEAP, 0);
  BaPool *pool = build (allocator, 2, BA_WHEN_FULL_BLOCK);
  BaBuffer *buffer = acquire (pool);
  volatile uint8_t *data = ba_buffer_get_data (buffer);
  ck_assert_int_eq (ba_debug_check (allocator, &n_damaged), 0);
  ck_assert_uint_eq (n_damaged, 0);
  data[offset] = 0x11;
  ck_assert_int_eq (ba_debug_check (allocator, &n_damaged), 0);
  ck_assert_uint_eq (n_damaged, n_expected);
  ck_assert_uint_eq (heard.n[BA_LOG_ERROR], n_expected);
  ck_assert_int_eq (ba_debug_check (allocator, NULL), 0);
  ba_buffer_unref (buffer);
  ba_allocator_unref (allocator);
  ba_pool_unref (pool);
  ck_assert_uint_eq (heard.n[BA_LOG_ERROR], n_expected); /* once, not for every look */
}

START_TEST (a_write_outside_is_found_on_demand)
{
  write_at (0, 0);
  write_at (255, 0);
  write_at (256, 1);
  write_at (256 + 63, 1);
  write_at (-1, 1);
  write_at (-64, 1);
}
END_TEST

START_TEST (a_write_outside_is_found_at_destroy)
{
  char wanted[60];
  BaAllocator *allocator = debug_allocator (BA_MEMORY_HEAP, 0);
  BaPool *pool = build (allocator, 1, BA_WHEN_FULL_BLOCK);
  BaBuffer *buffer = acquire (pool);
  snprintf (wanted, sizeof wanted, "buffer %llu has been written", (unsigned long long) ba_buffer_get_id (buffer));
  ((volatile uint8_t *) ba_buffer_get_data (buffer))[256] = 0;
  ba_buffer_unref (buffer);
  ck_assert_uint_eq (heard.n[BA_LOG_ERROR], 0);
  ba_allocator_unref (allocator);
  ba_pool_unref (pool);
  ck_assert_uint_eq (heard.n[BA_LOG_ERROR], 1);
  ck_assert_msg (strstr (heard.text[BA_LOG_ERROR], wanted), "%s", heard.text[BA_LOG_ERROR]);
}
END_TEST

START_TEST (a_second_destroy_is_refused_and_told)
{
  Counts counts = { 0 };
  BaConfig config = { .debug = true };
  BaSpec spec = { .size_bytes = 100 };
  BaMemory memory = BA_MEMORY_INIT;
  listen_anew ();
  BaDebug *debug = bai_debug_new (&counting_ops, &config);
  ck_assert_ptr_nonnull (debug);
  ck_assert_int_eq (bai_debug_create (debug, &counts, &(BaRequest){ &spec, 1, 0 }, 77, &memory), 0);
  ck_assert (bai_debug_destroy (debug, &counts, 77));
  ck_assert (!bai_debug_destroy (debug, &counts, 77));
  ck_assert_int_eq (counts.destroys, 1);
  ck_assert_uint_eq (heard.n[BA_LOG_ERROR], 1);
  ck_assert_ptr_nonnull (strstr (heard.text[BA_LOG_ERROR], "buffer 77 is destroyed"));
  ck_assert (!bai_debug_untrack (debug, 78));
  bai_debug_free (debug);
  bai_debug_free (NULL);
}
END_TEST

/* ---- over other kinds -------------------------------------------------------------------------------------------- */

START_TEST (a_registered_kind_is_guarded_too)
{
  Counts counts = { 0 };
  BaConfig config = { .foreign = &counts, .debug = true };
  BaAllocator *allocator;
  unsigned n_damaged;
  listen_anew ();
  ck_assert_int_eq (ba_factory_register ("counting", &counting_ops), 0);
  ck_assert_int_eq (ba_allocator_new_by_name ("counting", &config, NULL, &allocator), 0);
  ck_assert_str_eq (ba_allocator_get_name (allocator), "counting");
  BaPool *pool = build (allocator, 3, BA_WHEN_FULL_BLOCK);
  BaBuffer *buffer = acquire (pool);
  ((volatile uint8_t *) ba_buffer_get_data (buffer))[-1] = 0;
  ck_assert_int_eq (ba_debug_check (allocator, &n_damaged), 0);
  ck_assert_uint_eq (n_damaged, 1);
  ba_buffer_unref (buffer);
  ba_allocator_unref (allocator);
  ba_pool_unref (pool);
  ck_assert_int_eq (counts.creates, 3);
  ck_assert_int_eq (counts.destroys, 3);
  ck_assert_int_eq (counts.closes, 1);
}
END_TEST

static int
two_blocks_create (void *state, const BaRequest *request, BaMemory *out)
{
  Counts *counts = state;
  out->priv = calloc (1, request->spec->size_bytes);
  out->n_blocks = 2;
  out->blocks[0] = (BaBlock){ out->priv, 10, 0 };
  out->blocks[1] = (BaBlock){ (uint8_t *) out->priv + 10, request->spec->size_bytes - 10, 0 };
  counts->creates++;
  return out->priv ? 0 : -ENOMEM;
}

START_TEST (memory_that_takes_no_guards_is_tracked)
{
  static const BaAllocatorOps two_blocks = {
    .name = "two-blocks", .open = counting_open, .create = two_blocks_create, .destroy = counting_destroy,
  };
  Counts counts = { 0 };
  BaConfig config = { .foreign = &counts, .debug = true };
  BaAllocator *allocator;
  unsigned n_damaged = 1;
  listen_anew ();
  ck_assert_int_eq (ba_factory_register ("two-blocks", &two_blocks), 0);
  ck_assert_int_eq (ba_allocator_new_by_name ("two-blocks", &config, NULL, &allocator), 0);
  BaPool *pool = build (allocator, 2, BA_WHEN_FULL_BLOCK);
  BaBuffer *buffer = acquire (pool);
  ck_assert_uint_eq (ba_buffer_get_n_blocks (buffer), 2);
  ck_assert_uint_eq (ba_buffer_get_size (buffer), 256);
  ba_buffer_unref (buffer);
  ck_assert_int_eq (ba_debug_check (allocator, &n_damaged), 0);
  ck_assert_uint_eq (n_damaged, 0);
  ba_allocator_unref (allocator);
  ba_pool_unref (pool);
  ck_assert_int_eq (counts.creates, counts.destroys);
  ck_assert_uint_eq (heard.n[BA_LOG_INFO], 4);
}
END_TEST

START_TEST (mapped_pages_are_tracked_and_left_as_they_are)
{
  static uint8_t bytes[2][64];
  const BaBlock blocks[2] = { { bytes[0], 64, 0x1000 }, { bytes[1], 64, 0x2000 } };
  BaConfig config = { .blocks = blocks, .n_blocks = 2, .debug = true };
  BaAllocator *allocator;
  BaPool *pool;
  listen_anew ();
  ck_assert_int_eq (ba_allocator_new_with_config (BA_TYPE_FRAMEBUFFER, &config, NULL, &allocator), 0);
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &(BaSpec){ 0 }, &pool), 0);
  BaBuffer *buffer = acquire (pool);
  ck_assert_ptr_eq (ba_buffer_get_data (buffer), bytes[0]);
  ck_assert_uint_eq (ba_buffer_get_physical_address (buffer), 0x1000);
  ck_assert_uint_eq (ba_buffer_get_size (buffer), 64);
  ba_buffer_unref (buffer);
  ba_allocator_unref (allocator);
  ba_pool_unref (pool);
  ck_assert_uint_eq (heard.n[BA_LOG_INFO], 4);
  ck_assert_uint_eq (heard.n[BA_LOG_ERROR], 0);
}
END_TEST

START_TEST (what_create_returns_is_returned)
{
  Counts counts = { .fail_at = 2, .fail_code = -EAGAIN };
  BaConfig config = { .foreign = &counts, .debug = true };
  BaAllocator *allocator;
  BaPool *pool;
  BaSpec spec = { .count = 2, .size_bytes = 10 }, huge = { .count = 1, .size_bytes = SIZE_MAX };
  listen_anew ();
  ck_assert_int_eq (ba_factory_register ("counting", &counting_ops), 0);
  ck_assert_int_eq (ba_allocator_new_by_name ("counting", &config, NULL, &allocator), 0);
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &spec, &pool), -EAGAIN);
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &huge, &pool), -EINVAL);
  ck_assert_int_eq (counts.creates, 1);
  ck_assert_int_eq (counts.destroys, 1);
  ba_allocator_unref (allocator);
}
END_TEST

static void
count_release (const BaMemory *memory, void *user)
{
  ck_assert_uint_eq (memory->n_blocks, 1);
  ++*(int *) user;
}

START_TEST (injected_memory_is_tracked)
{
  uint8_t byte;
  int released = 0;
  uint64_t id;
  BaAllocator *allocator = debug_allocator (BA_MEMORY_HEAP, 0);
  BaPool *pool = build (allocator, 0, BA_WHEN_FULL_BLOCK);
  BaMemory memory = { .n_blocks = 1, .blocks = { { &byte, 1, 0 } }, .fd = -1 };
  ck_assert_int_eq (ba_allocator_inject_external (allocator, pool, &memory, 0, count_release, &released, &id), 0);
  ck_assert_uint_eq (heard.n[BA_LOG_INFO], 1);
  ck_assert_int_eq (ba_allocator_remove (allocator, pool, id), 0);
  ck_assert_uint_eq (heard.n[BA_LOG_INFO], 2);
  ck_assert_int_eq (released, 1);
  memory.n_blocks = 0;
  ck_assert_int_eq (ba_allocator_inject_external (allocator, pool, &memory, 0, count_release, &released, &id), -EINVAL);
  ck_assert_int_eq (released, 1);
  ck_assert_uint_eq (heard.n[BA_LOG_ERROR], 0);
  ba_allocator_unref (allocator);
  ba_pool_unref (pool);
}
END_TEST

START_TEST (frames_are_tracked)
{
#ifdef BA_HAVE_AVFRAME
  BaAllocator *allocator;
  BaPool *pool;
  BaConfig config = { .debug = true };
  AVFrame *frame = av_frame_alloc ();
  frame->format = 0;
  frame->width = frame->height = 32;
  ck_assert_int_eq (av_frame_get_buffer (frame, 0), 0);
  listen_anew ();
  ck_assert_int_eq (ba_allocator_new_with_config (BA_TYPE_AVFRAME, &config, NULL, &allocator), 0);
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &(BaSpec){ 0 }, &pool), 0);
  ck_assert_int_eq (ba_avframe_inject (allocator, pool, frame, BA_INJECT_FILLED | BA_INJECT_ONCE, NULL, NULL), 0);
  BaBuffer *buffer = take (pool);
  ck_assert_ptr_nonnull (ba_avframe_from_buffer (buffer));
  ck_assert_uint_eq (heard.n[BA_LOG_INFO], 1);
  ba_buffer_unref (buffer);
  ck_assert_uint_eq (heard.n[BA_LOG_INFO], 2);
  ba_allocator_unref (allocator);
  ba_pool_unref (pool);
  av_frame_free (&frame);
#endif
}
END_TEST

/* ---- the switch, and the end of the process ---------------------------------------------------------------------- */

START_TEST (it_is_off_unless_it_is_switched_on)
{
  const struct
  {
    const char *value;
    int code;
  } values[] = { { NULL, -ENOTSUP }, { "", -ENOTSUP }, { "0", -ENOTSUP }, { "1", 0 } };
  listen_anew ();
  for (unsigned i = 0; i < N_ELEMENTS (values); i++) {
    BaAllocator *allocator;
    unsigned n_damaged;
    if (values[i].value)
      setenv ("BUFALLOC_DEBUG", values[i].value, 1);
    else
      unsetenv ("BUFALLOC_DEBUG");
    ck_assert_int_eq (ba_allocator_new (BA_TYPE_NORMAL, &allocator), 0);
    ck_assert_int_eq (ba_debug_check (allocator, &n_damaged), values[i].code);
    ba_allocator_unref (allocator);
  }
}
END_TEST

/* Known to leak checkers, which would otherwise tell of them too. */
static BaBuffer *volatile left[40];

/* A process with debug allocators that ends with @n_left buffers out; what it says at its end, on stderr. */
static void
end_with (unsigned n_left, char *said, size_t room_bytes)
{
  int ends[2], status;
  ck_assert_int_eq (pipe (ends), 0);
  pid_t child = fork ();
  ck_assert_int_ge (child, 0);
  if (child == 0) {
    BaAllocator *allocator, *other;
    BaPool *pool;
    BaSpec spec = { .count = 40, .size_bytes = 123 };
    dup2 (ends[1], STDERR_FILENO);
    BaConfig config = { .debug = true };
    if (ba_allocator_new_with_config (BA_TYPE_NORMAL, &config, NULL, &allocator) < 0
        || ba_allocator_new_with_config (BA_TYPE_NORMAL, &config, NULL, &other) < 0
        || ba_allocator_build_pool (allocator, &spec, &pool) < 0)
      _exit (9);
    while (n_left--)
      left[n_left] = acquire (pool);
    ba_pool_unref (pool);
    ba_allocator_unref (allocator);
    exit (0);
  }
  close (ends[1]);
  size_t n = 0;
  ssize_t got;
  while (n < room_bytes - 1 && (got = read (ends[0], said + n, room_bytes - 1 - n)) > 0)
    n += (size_t) got;
  said[n] = '\0';
  close (ends[0]);
  ck_assert_int_eq (waitpid (child, &status, 0), child);
  ck_assert_int_eq (status, 0);
}

START_TEST (what_still_lives_at_the_end_of_the_process_is_told)
{
  static char said[16384];
  ba_log_set_handler (NULL, NULL);
  end_with (0, said, sizeof said);
  ck_assert_str_eq (said, "");
  end_with (2, said, sizeof said);
  char *first = strstr (said, "still lives at the end of the process: 123 bytes at ");
  ck_assert_msg (first != NULL, "%s", said);
  char *second = strstr (first + 1, "still lives at the end of the process: 123 bytes at ");
  ck_assert_ptr_nonnull (second);
  ck_assert_ptr_null (strstr (second + 1, "still lives"));
  end_with (40, said, sizeof said);
  ck_assert_msg (strstr (said, "and 8 more buffers"), "%s", said);
}
END_TEST

START_TEST (a_forked_child_does_not_tell_of_its_parents_buffers)
{
  char said[200] = "";
  int ends[2], status;
  BaAllocator *allocator = debug_allocator (BA_MEMORY_HEAP, 0);
  BaPool *pool = build (allocator, 1, BA_WHEN_FULL_BLOCK);
  ba_log_set_handler (NULL, NULL);
  ck_assert_int_eq (pipe (ends), 0);
  pid_t child = fork ();
  if (child == 0) {
    dup2 (ends[1], STDERR_FILENO);
    exit (0);
  }
  close (ends[1]);
  ck_assert_int_eq (read (ends[0], said, sizeof said - 1), 0);
  ck_assert_str_eq (said, "");
  close (ends[0]);
  ck_assert_int_eq (waitpid (child, &status, 0), child);
  ba_allocator_unref (allocator);
  ba_pool_unref (pool);
}
END_TEST

RUN ("debug", creates_and_destroys_are_logged_with_id_address_size_and_thread,
     normal_memory_keeps_its_alignment_and_its_size, a_memory_file_is_found_at_the_buffers_offset,
     a_write_outside_is_found_on_demand, a_write_outside_is_found_at_destroy, a_second_destroy_is_refused_and_told,
     a_registered_kind_is_guarded_too, memory_that_takes_no_guards_is_tracked,
     mapped_pages_are_tracked_and_left_as_they_are, what_create_returns_is_returned, injected_memory_is_tracked,
     frames_are_tracked, it_is_off_unless_it_is_switched_on, what_still_lives_at_the_end_of_the_process_is_told,
     a_forked_child_does_not_tell_of_its_parents_buffers)
