/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-steady.c: in the steady state an acquire and a release allocate nothing and make no system call.
 *
 * Allocations are counted in front of libc's (count-malloc.c); the build sets G_SLICE=always-malloc, so that GLib's come along.
 * System calls are counted by strace: `test-steady rounds POOL N` does N rounds and nothing else, and the totals of a
 * short run and of a long one must be the same. Where there is no strace, or it may not trace, that part is skipped.
 */
#include "test-lib-support.h"

#include <glib/gstdio.h>
#include <unistd.h>

#include "../elements/count-malloc.h"

#define ROUNDS 2000
#define N_BUFFERS 4

/* ---- the pools ------------------------------------------------------------------------------------------------- */

typedef struct
{
  Screen screen;
  GstBufferPool *pool;
} Subject;

/* As ck_assert(), which reports each time where it is, and so allocates and writes. */
static inline void
must (gboolean so)
{
  if (!so)
    abort ();
}

static Subject
subject_new (const gchar *name)
{
  Subject subject = { { NULL } };
  GstStructure *config;
  gboolean meta = g_str_has_suffix (name, "-meta");

  if (g_str_has_prefix (name, "fbdev")) {
    must (ba_display_open ("virtual:64x48,pages=4,rate=0", NULL, NULL, &subject.screen.display) == 0);
    subject.screen.allocator = GST_BA_FBDEV_ALLOCATOR (gst_ba_fbdev_allocator_new (subject.screen.display, NULL));
    subject.pool = gst_ba_fbdev_pool_new (subject.screen.allocator);
  } else {
    subject.pool = gst_ba_normal_pool_new ();
  }
  config = config_for (subject.pool, BGRX_CAPS (64, 48), 64 * 48 * 4, N_BUFFERS, N_BUFFERS, meta);
  must (gst_buffer_pool_set_config (subject.pool, config));
  must (gst_buffer_pool_set_active (subject.pool, TRUE));
  return subject;
}

static void
subject_free (Subject *subject)
{
  must (gst_buffer_pool_set_active (subject->pool, FALSE));
  gst_object_unref (subject->pool);
  if (subject->screen.display)
    screen_close (&subject->screen);
}

static inline GstBuffer *
take (GstBufferPool *pool)
{
  GstBuffer *buffer;

  must (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL) == GST_FLOW_OK);
  return buffer;
}

/* One buffer at a time, and all of them at once, as a queue between the two ends has it. */
static void
do_rounds (GstBufferPool *pool, guint n)
{
  GstBuffer *buffers[N_BUFFERS];

  for (guint i = 0; i < n; i++) {
    gst_buffer_unref (take (pool));
    for (guint j = 0; j < N_BUFFERS; j++)
      buffers[j] = take (pool);
    for (guint j = 0; j < N_BUFFERS; j++)
      gst_buffer_unref (buffers[j]);
  }
}

static const gchar *names[] = { "normal", "normal-meta", "fbdev", "fbdev-meta" };

START_TEST (the_count_sees_allocations)
{
  guint before = count_malloc ();

  gst_buffer_unref (gst_buffer_new_allocate (NULL, 16, NULL));
  ck_assert_uint_ge (count_malloc () - before, 2);
}
END_TEST

START_TEST (nothing_is_allocated)
{
  Subject subject = subject_new (names[_i]);
  guint before;

  do_rounds (subject.pool, 2); /* each buffer was out once */
  before = count_malloc ();
  do_rounds (subject.pool, ROUNDS);
  ck_assert_msg (count_malloc () == before, "%u allocations in %d rounds of %s",
                 count_malloc () - before, ROUNDS, names[_i]);
  subject_free (&subject);
}
END_TEST

/* ---- system calls ----------------------------------------------------------------------------------------------- */

/* The number of system calls of `rounds NAME N`, from strace's last line; -1 where it could not trace. */
static gint
count_syscalls (const gchar *name, guint n)
{
  gchar *path = NULL, *program = g_file_read_link ("/proc/self/exe", NULL), *rounds = g_strdup_printf ("%u", n);
  gchar *text = NULL, **lines;
  gint status, fd = g_file_open_tmp ("bufalloc-strace-XXXXXX", &path, NULL);
  gint count = -1;
  gchar *words[] = { (gchar *) "strace",
                     (gchar *) "-f",
                     (gchar *) "-c",
                     (gchar *) "-o",
                     path,
                     program,
                     (gchar *) "rounds",
                     (gchar *) name,
                     rounds,
                     NULL };

  must (fd >= 0);
  close (fd);
  if (g_spawn_sync (NULL, words, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status, NULL) && status == 0
      && g_file_get_contents (path, &text, NULL, NULL)) {
    lines = g_strsplit (text, "\n", -1);
    for (guint i = 0; lines[i]; i++) {
      /* % time, seconds, usecs/call, calls, [errors,] total */
      gdouble percent, seconds;
      gint per_call, calls;

      if (g_str_has_suffix (lines[i], " total")
          && sscanf (lines[i], "%lf %lf %d %d", &percent, &seconds, &per_call, &calls) == 4)
        count = calls;
    }
    g_strfreev (lines);
  }
  g_unlink (path);
  g_free (text);
  g_free (path);
  g_free (program);
  g_free (rounds);
  return count;
}

START_TEST (no_system_call_is_made)
{
  gint few = count_syscalls (names[_i], ROUNDS), many;

  ck_assert_int_gt (few, 0);
  many = count_syscalls (names[_i], 10 * ROUNDS);
  ck_assert_msg (few == many, "%d system calls in %d rounds of %s, %d in %d", few, ROUNDS, names[_i], many,
                 10 * ROUNDS);
}
END_TEST

int
main (int argc, char **argv)
{
  Suite *suite = suite_create ("steady");
  TCase *tcase = tcase_create ("steady");
  SRunner *runner;
  int failed;

  gst_init (NULL, NULL);
  if (argc == 4 && strcmp (argv[1], "rounds") == 0) {
    Subject subject = subject_new (argv[2]);

    do_rounds (subject.pool, atoi (argv[3]));
    subject_free (&subject);
    return 0;
  }
  tcase_set_timeout (tcase, 120);
  fail_on_core_errors ();
  tcase_add_test (tcase, the_count_sees_allocations);
  tcase_add_loop_test (tcase, nothing_is_allocated, 0, G_N_ELEMENTS (names));
  if (count_syscalls ("normal", 1) < 0)
    g_print ("no strace, or it may not trace: system calls are not counted\n");
  else
    tcase_add_loop_test (tcase, no_system_call_is_made, 0, G_N_ELEMENTS (names));
  suite_add_tcase (suite, tcase);
  runner = srunner_create (suite);
  srunner_run_all (runner, CK_ENV);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
