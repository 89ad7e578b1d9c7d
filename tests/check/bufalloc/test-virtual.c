/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-virtual.c: the file of a virtual display, as another program sees it, and what is left when it cannot be had. */
#include "test-support.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bufalloc/display-private.h>

#include "fake-device.h"

typedef struct
{
  FakeDevice fake;
  char folder[64];
  char file[96];
  char device[160];
} Place;

static void
place_init (Place *place, const char *options)
{
  fake_device_init (&place->fake);
  fake_device_ready (&place->fake);
  strcpy (place->folder, "/tmp/test-virtual-XXXXXX");
  ck_assert_ptr_nonnull (mkdtemp (place->folder));
  snprintf (place->file, sizeof place->file, "%s/a,screen", place->folder);
  snprintf (place->device, sizeof place->device, "virtual:%s,file=%s", options, place->file);
}

static void
place_finish (Place *place)
{
  ck_assert_int_eq (place->fake.n_open, 0);
  ck_assert_int_eq (place->fake.n_mapped, 0);
  unlink (place->file);
  ck_assert_int_eq (rmdir (place->folder), 0);
  fake_device_finish (&place->fake);
}

static void
write_file (const char *path, size_t size_bytes, int byte)
{
  char *data = malloc (size_bytes + 1);
  FILE *file = fopen (path, "w");
  memset (data, byte, size_bytes);
  ck_assert_uint_eq (fwrite (data, 1, size_bytes, file), size_bytes);
  fclose (file);
  free (data);
}

/* What a watcher does: maps the file, and finds the trailer from its end. */
typedef struct
{
  uint8_t *data;
  size_t size_bytes;
  const BaVirtualTrailer *trailer;
} Watcher;

static Watcher
watch (const char *path)
{
  Watcher watcher;
  struct stat status;
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  ck_assert_int_ge (fd, 0);
  ck_assert_int_eq (fstat (fd, &status), 0);
  watcher.size_bytes = (size_t) status.st_size;
  watcher.data = mmap (NULL, watcher.size_bytes, PROT_READ, MAP_SHARED, fd, 0);
  ck_assert (watcher.data != MAP_FAILED);
  watcher.trailer = (const BaVirtualTrailer *) (void *) (watcher.data + watcher.size_bytes - BA_VIRTUAL_TRAILER_BYTES);
  close (fd);
  return watcher;
}

static void
unwatch (Watcher *watcher)
{
  munmap (watcher->data, watcher->size_bytes);
}

static BaDisplay *
open_place (Place *place, const BaDisplayOptions *options)
{
  BaDisplay *display;
  BaError error = { 0 };
  int r = bai_display_open_with_calls (place->device, options, &place->fake.calls, &error, &display);
  ck_assert_msg (r == 0, "%s", error.message);
  return display;
}

START_TEST (the_trailer_describes_the_file)
{
  Place place;
  place_init (&place, "50x10,format=RGB,pages=3,stride=152");
  BaDisplay *display = open_place (&place, NULL);
  Watcher watcher = watch (place.file);
  const BaVirtualTrailer *t = watcher.trailer;
  ck_assert_mem_eq (t->magic, "BAVIRT\r\n", 8);
  ck_assert_uint_eq (t->version, BA_VIRTUAL_VERSION);
  ck_assert_uint_eq (t->width_px, 50);
  ck_assert_uint_eq (t->height_px, 10);
  ck_assert_uint_eq (t->stride_bytes, 152);
  ck_assert_uint_eq (t->fourcc, BA_FOURCC ('B', 'G', '2', '4'));
  ck_assert_uint_eq (t->page_count, 3);
  ck_assert_uint_eq (t->page_bytes, 4096);
  ck_assert_uint_eq (t->front_page, 0);
  ck_assert_uint_eq (t->sequence, 0);
  ck_assert_uint_eq (watcher.size_bytes, 3 * 4096 + BA_VIRTUAL_TRAILER_BYTES);

  const BaDisplayInfo *info = ba_display_get_info (display);
  ck_assert_str_eq (info->kind, "virtual");
  ck_assert_str_eq (info->name, "a,screen");
  ck_assert_uint_eq (info->layout.stride_bytes[0], 152);
  ck_assert_uint_eq (info->page_bytes, 4096);
  ck_assert_uint_eq (info->n_pages, 3);
  ck_assert_uint_eq (info->period_ns, 16666666);
  unwatch (&watcher);
  ba_display_unref (display);
  place_finish (&place);
}
END_TEST

START_TEST (what_is_drawn_is_in_the_file_and_stays_there)
{
  Place place;
  place_init (&place, "64x48,pages=3,rate=0");
  BaDisplay *display = open_place (&place, NULL);
  Watcher watcher = watch (place.file);
  BaBlock page;
  ck_assert_int_eq (ba_display_get_page (display, 2, &page), 0);
  memset (page.data, 0x5a, page.size_bytes);
  ck_assert_uint_eq (watcher.data[2 * watcher.trailer->page_bytes], 0x5a);

  BaAllocator *allocator;
  BaPool *pool;
  BaConfig config = { .display = display };
  BaSpec spec = { 0 };
  ck_assert_int_eq (ba_allocator_new_with_config (BA_TYPE_FRAMEBUFFER, &config, NULL, &allocator), 0);
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &spec, &pool), 0);
  uint64_t shown = 0;
  for (int i = 0; i < 5; i++) {
    BaBuffer *buffer = acquire (pool);
    uint32_t number = (uint32_t) (((uint8_t *) ba_buffer_get_data (buffer) - display->map) / page.size_bytes);
    ck_assert_int_eq (ba_display_flip (display, buffer, NULL), 0);
    ck_assert_uint_eq (watcher.trailer->front_page, number);
    ck_assert_uint_eq (watcher.trailer->sequence, ++shown);
    ba_buffer_unref (buffer);
  }
  uint32_t last = watcher.trailer->front_page;
  ba_display_close (display);
  ba_allocator_unref (allocator);
  ba_pool_unref (pool);
  ba_display_unref (display);
  ck_assert_uint_eq (watcher.trailer->front_page, last);
  ck_assert_uint_eq (watcher.trailer->sequence, shown);
  unwatch (&watcher);
  place_finish (&place);
}
END_TEST

START_TEST (an_existing_file_gets_the_right_size)
{
  const size_t sizes[] = { 0, 100, 4096, 3000000 };
  for (size_t i = 0; i < N_ELEMENTS (sizes); i++) {
    Place place;
    place_init (&place, "64x48,pages=2");
    write_file (place.file, sizes[i], 0xee);
    BaDisplay *display = open_place (&place, NULL);
    Watcher watcher = watch (place.file);
    ck_assert_uint_eq (watcher.size_bytes, 2 * 12288 + BA_VIRTUAL_TRAILER_BYTES);
    ck_assert_mem_eq (watcher.trailer->magic, BA_VIRTUAL_MAGIC, 8);
    for (size_t b = sizeof (BaVirtualTrailer); b < BA_VIRTUAL_TRAILER_BYTES; b++)
      ck_assert_uint_eq (((const uint8_t *) watcher.trailer)[b], 0);
    unwatch (&watcher);
    ba_display_unref (display);
    place_finish (&place);
  }
}
END_TEST

START_TEST (every_page_begins_at_a_memory_page)
{
  BaDisplay *display;
  BaBlock page;
  ck_assert_int_eq (ba_display_open ("virtual:33x7,format=RGB,pages=8", NULL, NULL, &display), 0);
  for (unsigned i = 0; i < 8; i++) {
    ck_assert_int_eq (ba_display_get_page (display, i, &page), 0);
    ck_assert_uint_eq ((uintptr_t) page.data % 4096, 0);
    ck_assert_uint_ge (page.size_bytes, 100 * 7);
  }
  ck_assert_int_eq (ba_display_get_page (display, 8, &page), -EINVAL);
  ck_assert_ptr_null (page.data);
  ba_display_unref (display);
}
END_TEST

START_TEST (options_limit_the_pages_but_never_add_any)
{
  const struct
  {
    unsigned asked, given;
  } cases[] = { { 0, 4 }, { 1, 1 }, { 3, 3 }, { 4, 4 }, { 7, 4 } };
  for (size_t i = 0; i < N_ELEMENTS (cases); i++) {
    BaDisplay *display;
    BaDisplayOptions options = { .pages = cases[i].asked };
    ck_assert_int_eq (ba_display_open ("virtual:8x8,pages=4", &options, NULL, &display), 0);
    ck_assert_uint_eq (ba_display_get_info (display)->n_pages, cases[i].given);
    ck_assert_int_eq (ba_display_get_info (display)->can_flip, cases[i].given > 1);
    ba_display_unref (display);
  }
}
END_TEST

START_TEST (a_cleared_page_is_black_to_its_last_byte_and_its_neighbours_are_not)
{
  BaDisplay *display;
  BaBlock page[3];
  ck_assert_int_eq (ba_display_open ("virtual:50x10,stride=300,pages=3", NULL, NULL, &display), 0);
  for (unsigned i = 0; i < 3; i++) {
    ba_display_get_page (display, i, &page[i]);
    memset (page[i].data, 0xff, page[i].size_bytes);
  }
  ck_assert_int_eq (ba_display_clear (display, 1), 0);
  ck_assert_int_eq (ba_display_clear (display, 3), -EINVAL);
  for (size_t b = 0; b < page[0].size_bytes; b++) {
    ck_assert_uint_eq (((uint8_t *) page[0].data)[b], 0xff);
    ck_assert_uint_eq (((uint8_t *) page[1].data)[b], 0);
    ck_assert_uint_eq (((uint8_t *) page[2].data)[b], 0xff);
  }
  ba_display_unref (display);
}
END_TEST

/* Fails the first call, then the second, and so on, until one open meets no failing call. */
static void
check_failed_opens (const char *options, bool with_file, size_t old_bytes)
{
  for (unsigned n = 1;; n++) {
    Place place;
    BaDisplay *display;
    BaError error = { 0 };
    struct stat status;
    place_init (&place, options);
    if (!with_file)
      *strstr (place.device, ",file=") = 0;
    if (old_bytes)
      write_file (place.file, old_bytes, 0xee);
    place.fake.fail_call = FAKE_ANY;
    place.fake.fail_nth = n;
    place.fake.fail_errno = ENOSPC;
    int r = bai_display_open_with_calls (place.device, NULL, &place.fake.calls, &error, &display);
    bool failed = place.fake.failed;
    if (failed) {
      ck_assert_int_eq (r, -ENOSPC);
      ck_assert_ptr_null (display);
      ck_assert_str_ne (error.message, "");
      ck_assert_int_eq (place.fake.n_open, 0);
      ck_assert_int_eq (place.fake.n_mapped, 0);
      /* a file that was there has its size again, one that was not is gone */
      ck_assert_int_eq (stat (place.file, &status), old_bytes ? 0 : -1);
      if (old_bytes)
        ck_assert_int_eq (status.st_size, (off_t) old_bytes);
    } else {
      ck_assert_int_eq (r, 0);
      ba_display_unref (display);
    }
    place_finish (&place);
    if (!failed) {
      ck_assert_uint_gt (n, 2);
      return;
    }
  }
}

START_TEST (a_failed_open_leaves_nothing_behind)
{
  check_failed_opens ("64x48,pages=2", false, 0);
  check_failed_opens ("64x48,pages=2", true, 0);
}
END_TEST

START_TEST (a_failed_open_leaves_an_existing_file_as_it_was)
{
  check_failed_opens ("64x48,pages=2", true, 777);
  check_failed_opens ("64x48,pages=2", true, 3000000);
}
END_TEST

START_TEST (a_full_disk_is_a_clear_error_and_the_new_file_is_removed)
{
  Place place;
  BaDisplay *display;
  BaError error = { 0 };
  place_init (&place, "64x48");
  place.fake.fail_call = FAKE_FALLOCATE;
  place.fake.fail_nth = 1;
  place.fake.fail_errno = ENOSPC;
  ck_assert_int_eq (bai_display_open_with_calls (place.device, NULL, &place.fake.calls, &error, &display), -ENOSPC);
  ck_assert_ptr_nonnull (strstr (error.message, "no room for a virtual display of"));
  ck_assert_int_eq (access (place.file, F_OK), -1);
  place_finish (&place);
}
END_TEST

START_TEST (what_is_no_file_is_no_virtual_display)
{
  BaDisplay *display;
  BaError error = { 0 };
  ck_assert_int_eq (ba_display_open ("virtual:8x8,file=/dev/null", NULL, &error, &display), -EINVAL);
  ck_assert_ptr_nonnull (strstr (error.message, "/dev/null is no regular file"));
  ck_assert_int_eq (ba_display_open ("virtual:8x8,file=/nowhere/at/all", NULL, &error, &display), -ENOENT);
  ck_assert_ptr_nonnull (strstr (error.message, "/nowhere/at/all"));
  ck_assert_int_eq (ba_display_open ("virtual:8x8,file=/tmp", NULL, &error, &display), -EISDIR);
}
END_TEST

/* ---- one file, several displays -------------------------------------------------------------------------------- */

static ino_t
inode_of (const char *path)
{
  struct stat status;
  ck_assert_int_eq (stat (path, &status), 0);
  return status.st_ino;
}

static void
check_refused (const char *device)
{
  BaDisplay *display;
  BaError error = { 0 };
  ck_assert_int_eq (ba_display_open (device, NULL, &error, &display), -EBUSY);
  ck_assert_ptr_nonnull (strstr (error.message, "is the screen of another program"));
  ck_assert_ptr_nonnull (strstr (error.message, "choose another file=PATH"));
}

/* What another program gets from opening @device: 0 or an error. It ends without closing what it has opened. */
static int
open_elsewhere (const char *device)
{
  BaDisplay *display;
  int status;
  pid_t child = fork ();
  ck_assert_int_ge (child, 0);
  if (child == 0)
    _exit (-ba_display_open (device, NULL, NULL, &display));
  ck_assert_int_eq (waitpid (child, &status, 0), child);
  ck_assert (WIFEXITED (status));
  return -WEXITSTATUS (status);
}

START_TEST (a_file_is_the_screen_of_one_display_at_a_time)
{
  Place place;
  char smaller[160];
  place_init (&place, "64x48,pages=2");
  snprintf (smaller, sizeof smaller, "virtual:8x8,file=%s", place.file);
  BaDisplay *display = open_place (&place, NULL);
  ino_t inode = inode_of (place.file);
  check_refused (place.device);
  check_refused (smaller);
  ck_assert_int_eq (open_elsewhere (place.device), -EBUSY);
  ck_assert_int_eq (open_elsewhere (smaller), -EBUSY);
  ck_assert_uint_eq (inode_of (place.file), inode);
  Watcher watcher = watch (place.file);
  ck_assert_uint_eq (watcher.size_bytes, 2 * 12288 + BA_VIRTUAL_TRAILER_BYTES);
  ck_assert_uint_eq (watcher.trailer->width_px, 64);
  unwatch (&watcher);

  ba_display_close (display); /* from here on it is free, mapped or not */
  ck_assert_int_eq (open_elsewhere (place.device), 0); /* and whoever dies, lets it go */
  BaDisplay *next = open_place (&place, NULL);
  ck_assert_uint_eq (inode_of (place.file), inode);
  ba_display_unref (display); /* which does not open it for others */
  check_refused (place.device);
  ba_display_unref (next);
  place_finish (&place);
}
END_TEST

/* Opens the file again, as @options say, while a page of the display before is held and a watcher looks. */
static void
reopen (const char *options, bool replaced)
{
  Place place;
  BaDisplayOptions pages = { .pages = 2 };
  BaAllocator *allocator;
  BaPool *pool;
  BaSpec spec = { 0 };
  place_init (&place, "64x48,rate=0");
  BaDisplay *display = open_place (&place, &pages);
  BaConfig config = { .display = display };
  ck_assert_int_eq (ba_allocator_new_with_config (BA_TYPE_FRAMEBUFFER, &config, NULL, &allocator), 0);
  ck_assert_int_eq (ba_allocator_build_pool (allocator, &spec, &pool), 0);
  BaBuffer *held[2] = { acquire (pool), acquire (pool) };
  Watcher watcher = watch (place.file);
  ino_t inode = inode_of (place.file);
  ba_display_close (display);
  ba_allocator_unref (allocator);
  ba_pool_unref (pool);
  ba_display_unref (display);

  snprintf (place.device, sizeof place.device, "virtual:%s,file=%s", options, place.file);
  BaDisplay *next = open_place (&place, &pages);
  for (int i = 0; i < 2; i++)
    memset (ba_buffer_get_data (held[i]), 0x77, ba_buffer_get_size (held[i])); /* SIGBUS where the file has shrunk */
  for (size_t b = 0; b < watcher.size_bytes - BA_VIRTUAL_TRAILER_BYTES; b += 1024)
    ck_assert_uint_eq (watcher.data[b], 0x77);
  ck_assert_int_eq (inode_of (place.file) != inode, replaced);
  Watcher now = watch (place.file);
  ck_assert_mem_eq (now.trailer->magic, BA_VIRTUAL_MAGIC, 8);
  ck_assert_uint_eq (now.size_bytes, now.trailer->page_count * now.trailer->page_bytes + BA_VIRTUAL_TRAILER_BYTES);
  ck_assert_uint_eq (now.trailer->width_px, ba_display_get_info (next)->layout.width_px);
  unwatch (&now);
  unwatch (&watcher);
  check_refused (place.device);
  ba_buffer_unref (held[0]);
  ba_buffer_unref (held[1]);
  check_refused (place.device);
  ba_display_unref (next);
  place_finish (&place);
}

START_TEST (a_file_is_opened_again_while_pages_of_it_are_held)
{
  reopen ("64x48", false);
  reopen ("48x64", false);
  reopen ("320x240", false);
  reopen ("8x8", true);
}
END_TEST

typedef struct
{
  Place place;
  unsigned n_left; /* how often it is still to happen */
  bool removed; /* else replaced */
} Rival;

/* What another program may do between our open and our lock. */
static void
take_the_name (void *user)
{
  Rival *rival = user;
  char other[128];
  if (rival->n_left == 0)
    return;
  rival->n_left--;
  if (rival->removed) {
    ck_assert_int_eq (unlink (rival->place.file), 0);
    return;
  }
  snprintf (other, sizeof other, "%s/other", rival->place.folder);
  write_file (other, 100, 0xee);
  ck_assert_int_eq (rename (other, rival->place.file), 0);
}

START_TEST (the_file_that_is_locked_is_the_one_with_the_name)
{
  for (unsigned i = 0; i < 8; i++) {
    Rival rival = { .n_left = i % 4, .removed = i / 4 };
    BaDisplay *display;
    place_init (&rival.place, "8x8");
    rival.place.fake.before_flock = take_the_name;
    rival.place.fake.user = &rival;
    display = open_place (&rival.place, NULL);
    ck_assert_uint_eq (rival.n_left, 0);
    check_refused (rival.place.device);
    ba_display_unref (display);
    place_finish (&rival.place);
  }
  Rival rival = { .n_left = 1000 };
  BaDisplay *display;
  place_init (&rival.place, "8x8");
  rival.place.fake.before_flock = take_the_name;
  rival.place.fake.user = &rival;
  ck_assert_int_eq (bai_display_open_with_calls (rival.place.device, NULL, &rival.place.fake.calls, NULL, &display),
                    -EBUSY);
  place_finish (&rival.place);
}
END_TEST

START_TEST (a_link_to_a_larger_file_stays_a_link)
{
  Place place;
  char target[128];
  struct stat status;
  place_init (&place, "8x8,pages=1");
  snprintf (target, sizeof target, "%s/target", place.folder);
  write_file (target, 100000, 0xee);
  ck_assert_int_eq (chmod (target, 0600), 0);
  ck_assert_int_eq (symlink ("target", place.file), 0);
  BaDisplay *display = open_place (&place, NULL);
  ck_assert_int_eq (lstat (place.file, &status), 0);
  ck_assert (S_ISLNK (status.st_mode));
  ck_assert_int_eq (lstat (target, &status), 0);
  ck_assert_int_eq (status.st_size, 2 * 4096);
  ck_assert_int_eq (status.st_mode & 0777, 0600); /* who could not look may not now */
  ba_display_unref (display);
  unlink (target);
  place_finish (&place);
}
END_TEST

START_TEST (a_file_system_without_locks_will_do)
{
  const int codes[] = { ENOLCK, EOPNOTSUPP, ENOSYS };
  for (size_t i = 0; i < N_ELEMENTS (codes); i++) {
    Place place;
    place_init (&place, "8x8");
    place.fake.fail_call = FAKE_FLOCK;
    place.fake.fail_nth = 1;
    place.fake.fail_errno = codes[i];
    ba_display_unref (open_place (&place, NULL));
    ck_assert (place.fake.failed);
    place_finish (&place);
  }
}
END_TEST

/* ---- memory ---------------------------------------------------------------------------------------------------- */

START_TEST (more_memory_than_is_sensible_is_refused)
{
  static const struct
  {
    const char *device;
    uint64_t memory_mib; /* of the machine */
    int code;
    const char *says;
  } cases[] = {
    { "virtual:16384x16384,pages=8", 1 << 20, -ENOMEM, "8 pages of 16384x16384 need 8192 MiB" },
    { "virtual:16384x16384,pages=3", 1 << 20, -ENOMEM, "a virtual display may have 2048 here" },
    { "virtual:16384x16384,pages=8", 0, -ENOMEM, "2048" },
    { "virtual:1024x1024,pages=4", 32, 0, "" },
    { "virtual:1024x1024,pages=4", 31, -ENOMEM, "need 16 MiB of memory, a virtual display may have 15 here" },
    { "virtual:1024x1024,pages=5", 32, -ENOMEM, "fewer pages=, a smaller size, or file=PATH" },
  };
  for (size_t i = 0; i < N_ELEMENTS (cases); i++) {
    FakeDevice fake;
    BaDisplay *display;
    BaError error = { 0 };
    fake_device_init (&fake);
    fake.memory_bytes = cases[i].memory_mib << 20;
    ck_assert_int_eq (bai_display_open_with_calls (cases[i].device, NULL, &fake.calls, &error, &display),
                      cases[i].code);
    ck_assert_msg (strstr (error.message, cases[i].says) != NULL, "%s", error.message);
    ck_assert_uint_eq (fake.counts[FAKE_MEMFD], cases[i].code == 0);
    ba_display_unref (display);
    fake_device_finish (&fake);
  }
  BaDisplay *display;
  ck_assert_int_eq (ba_display_open ("virtual:16384x16384,pages=8", NULL, NULL, &display), -ENOMEM);
}
END_TEST

START_TEST (the_file_is_not_inherited_by_other_programs)
{
  Place place;
  place_init (&place, "8x8");
  BaDisplay *display = open_place (&place, NULL);
  ck_assert_int_ne (place.fake.last_open_flags & O_CLOEXEC, 0);
  ck_assert_int_eq (place.fake.last_flags, MAP_SHARED);
  ba_display_unref (display);
  place_finish (&place);
}
END_TEST

RUN ("virtual", the_trailer_describes_the_file, what_is_drawn_is_in_the_file_and_stays_there,
     an_existing_file_gets_the_right_size, every_page_begins_at_a_memory_page,
     options_limit_the_pages_but_never_add_any, a_cleared_page_is_black_to_its_last_byte_and_its_neighbours_are_not,
     a_failed_open_leaves_nothing_behind, a_failed_open_leaves_an_existing_file_as_it_was,
     a_full_disk_is_a_clear_error_and_the_new_file_is_removed, what_is_no_file_is_no_virtual_display,
     a_file_is_the_screen_of_one_display_at_a_time, a_file_is_opened_again_while_pages_of_it_are_held,
     the_file_that_is_locked_is_the_one_with_the_name, a_link_to_a_larger_file_stays_a_link,
     a_file_system_without_locks_will_do, more_memory_than_is_sensible_is_refused,
     the_file_is_not_inherited_by_other_programs)
