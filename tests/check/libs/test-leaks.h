/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-leaks.h: what every test is watched for: objects of GStreamer's that outlive it, which needs GST_TRACERS=leaks
 * (the build sets it), and errors that the core library only logs. For programs over check and over gst-check, which
 * has check's names in a header of its own: include that one first.
 */
#pragma once

#ifndef __GST_CHECK_H__
#include <check.h>
#endif
#include <bufalloc/log.h>
#include <gst/gst.h>
#include <string.h>

static inline GstTracer *
leaks_find_tracer (void)
{
  GList *tracers = gst_tracing_get_active_tracers ();
  GstTracer *found = NULL;

  for (GList *t = tracers; t; t = t->next) {
    if (g_str_equal (G_OBJECT_TYPE_NAME (t->data), "GstLeaksTracer"))
      found = gst_object_ref (t->data);
  }
  g_list_free_full (tracers, gst_object_unref);
  return found;
}

/* Nothing of GStreamer's is alive. Does nothing where the tracer is not at work. */
static inline void
assert_nothing_alive (void)
{
  GstTracer *tracer = leaks_find_tracer ();
  GstStructure *alive = NULL;
  const GValue *list;
  GString *text;
  guint n = 0;

  if (!tracer) {
    ck_assert_msg (!g_getenv ("GST_TRACERS") || !strstr (g_getenv ("GST_TRACERS"), "leaks"),
                   "the leaks tracer is not there");
    return;
  }
  gst_task_cleanup_all (); /* a streaming thread drops its task after the pipeline has stopped */
  g_signal_emit_by_name (tracer, "get-live-objects", &alive);
  ck_assert (alive != NULL);
  list = gst_structure_get_value (alive, "live-objects-list");
  text = g_string_new (NULL);
  for (guint i = 0; i < gst_value_list_get_size (list); i++) {
    const GValue *one = gst_value_list_get_value (list, i);
    gchar *line;

    line = gst_structure_to_string (gst_value_get_structure (one));
    g_string_append_printf (text, "\n%s", line);
    g_free (line);
    n++;
  }
  ck_assert_msg (n == 0, "%u objects are alive: %.2000s", n, text->str);
  g_string_free (text, TRUE);
  gst_structure_free (alive);
  gst_object_unref (tracer);
}

/* The core's lines before gst_ba_init() is called … */
static inline void
abort_on_core_error (BaLogLevel level, const char *message, void *user)
{
  if (level == BA_LOG_ERROR)
    g_error ("the core library says: %s", message);
}

/* … and after it. */
static inline void
abort_on_logged_error (GstDebugCategory *category, GstDebugLevel level, const gchar *file, const gchar *function,
                       gint line, GObject *object, GstDebugMessage *message, gpointer user_data)
{
  if (level == GST_LEVEL_ERROR && g_str_equal (gst_debug_category_get_name (category), "bufalloc"))
    g_error ("the core library says: %s", gst_debug_message_get (message));
}

/* After gst_init(). */
static inline void
fail_on_core_errors (void)
{
  ba_log_set_handler (abort_on_core_error, NULL);
  gst_debug_add_log_function (abort_on_logged_error, NULL, NULL);
  gst_debug_set_active (TRUE);
  if (!g_getenv ("GST_DEBUG"))
    gst_debug_set_threshold_for_name ("bufalloc", GST_LEVEL_ERROR);
}

/* Every test of @tcase ends with nothing alive, and without an error of the core's. After gst_init(). */
static inline void
watch_over (TCase *tcase)
{
  fail_on_core_errors ();
  tcase_add_checked_fixture (tcase, NULL, assert_nothing_alive);
}
