/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-preload.c: what copycount.c and fakefb.c promise to the tests and benchmarks that stand on them. It runs with
 * both in LD_PRELOAD, and with FAKEFB=64x32x32,pages=3,pad=64.
 */
#include <check.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fb.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

static uint64_t
counted (const char *name)
{
  void *found = dlsym (RTLD_DEFAULT, name);
  uint64_t (*function) (void);

  ck_assert_msg (found != NULL, "%s is not loaded", name);
  memcpy (&function, &found, sizeof function);
  return function ();
}

START_TEST (copies_of_256_bytes_and_more_are_counted)
{
  static unsigned char from[4096], to[4096];
  uint64_t bytes = counted ("copycount_get_bytes");
  uint64_t calls = counted ("copycount_get_calls");

  memset (from, 7, sizeof from);
  memcpy (to, from, 255);
  ck_assert_uint_eq (counted ("copycount_get_bytes") - bytes, 0);
  memcpy (to, from, 256);
  memmove (to, from, 4096);
  ck_assert_ptr_eq (mempcpy (to, from, 300), to + 300);
  ck_assert_uint_eq (counted ("copycount_get_bytes") - bytes, 256 + 4096 + 300);
  ck_assert_uint_eq (counted ("copycount_get_calls") - calls, 3);
  ck_assert_mem_eq (from, to, sizeof from);
}
END_TEST

START_TEST (overlapping_moves_are_right)
{
  unsigned char bytes[1024];

  for (size_t i = 0; i < sizeof bytes; i++)
    bytes[i] = (unsigned char) (i * 7);
  memmove (bytes + 100, bytes, 900);
  for (size_t i = 0; i < 900; i++)
    ck_assert_uint_eq (bytes[i + 100], (unsigned char) (i * 7));
}
END_TEST

START_TEST (other_paths_are_the_systems)
{
  int fd = open ("/dev/null", O_RDWR | O_CLOEXEC);
  struct fb_var_screeninfo var;

  ck_assert_int_ge (fd, 0);
  ck_assert_int_eq (ioctl (fd, FBIOGET_VSCREENINFO, &var), -1);
  close (fd);
  ck_assert_int_eq (open ("/dev/fb0-missing", O_RDWR | O_CLOEXEC), -1);
  ck_assert_int_eq (errno, ENOENT);
}
END_TEST

START_TEST (device_grows_pans_and_refuses_as_a_driver_does)
{
  int fd = open ("/dev/fb0", O_RDWR | O_CLOEXEC);
  struct fb_var_screeninfo var;
  struct fb_fix_screeninfo fix;
  uint32_t zero = 0;

  ck_assert_int_ge (fd, 0);
  ck_assert_int_eq (ioctl (fd, FBIOGET_VSCREENINFO, &var), 0);
  ck_assert_int_eq (ioctl (fd, FBIOGET_FSCREENINFO, &fix), 0);
  ck_assert_uint_eq (var.xres, 64);
  ck_assert_uint_eq (var.yres_virtual, 32);
  ck_assert_uint_eq (fix.line_length, 64 * 4 + 64);
  ck_assert_uint_eq (fix.smem_len, 3 * 32 * fix.line_length);

  var.yoffset = 32;
  ck_assert_int_eq (ioctl (fd, FBIOPAN_DISPLAY, &var), -1);
  ck_assert_int_eq (errno, EINVAL);
  var.yoffset = 0;
  var.yres_virtual = 4 * 32;
  ck_assert_int_eq (ioctl (fd, FBIOPUT_VSCREENINFO, &var), -1);
  var.yres_virtual = 3 * 32;
  ck_assert_int_eq (ioctl (fd, FBIOPUT_VSCREENINFO, &var), 0);
  var.yoffset = 64;
  ck_assert_int_eq (ioctl (fd, FBIOPAN_DISPLAY, &var), 0);
  ck_assert_int_eq (ioctl (fd, FBIO_WAITFORVSYNC, &zero), 0);
  memset (&var, 0, sizeof var);
  ck_assert_int_eq (ioctl (fd, FBIOGET_VSCREENINFO, &var), 0);
  ck_assert_uint_eq (var.yoffset, 64);
  close (fd);
}
END_TEST

START_TEST (second_open_sees_the_same_memory)
{
  int first = open ("/dev/fb0", O_RDWR | O_CLOEXEC);
  int second = openat (AT_FDCWD, "/dev/fb0", O_RDWR | O_CLOEXEC);
  const size_t size_bytes = (size_t) 3 * 32 * (64 * 4 + 64);
  unsigned char *a, *b;

  ck_assert_int_ge (first, 0);
  ck_assert_int_ge (second, 0);
  a = mmap (NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, first, 0);
  b = mmap (NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, second, 0);
  ck_assert_ptr_ne (a, MAP_FAILED);
  ck_assert_ptr_ne (b, MAP_FAILED);
  a[size_bytes - 1] = 42;
  ck_assert_uint_eq (b[size_bytes - 1], 42);
  munmap (a, size_bytes);
  munmap (b, size_bytes);
  close (first);
  close (second);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("preload");
  TCase *tcase = tcase_create ("preload");
  SRunner *runner;
  int failed;

  tcase_add_test (tcase, copies_of_256_bytes_and_more_are_counted);
  tcase_add_test (tcase, overlapping_moves_are_right);
  tcase_add_test (tcase, other_paths_are_the_systems);
  tcase_add_test (tcase, device_grows_pans_and_refuses_as_a_driver_does);
  tcase_add_test (tcase, second_open_sees_the_same_memory);
  suite_add_tcase (suite, tcase);
  runner = srunner_create (suite);
  srunner_run_all (runner, CK_ENV);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
