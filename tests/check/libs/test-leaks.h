/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-leaks.h: GStreamer's leaks tracer, asked inside a test. Needs GST_TRACERS=leaks, which the build sets. */
#pragma once

#include <check.h>
#include <gst/gst.h>

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
  gchar *text;

  if (!tracer)
    return;
  gst_task_cleanup_all (); /* a streaming thread drops its task after the pipeline has stopped */
  g_signal_emit_by_name (tracer, "get-live-objects", &alive);
  ck_assert_ptr_nonnull (alive);
  list = gst_structure_get_value (alive, "live-objects-list");
  text = gst_structure_to_string (alive);
  ck_assert_msg (gst_value_list_get_size (list) == 0, "%u objects are alive: %.2000s", gst_value_list_get_size (list),
                 text);
  g_free (text);
  gst_structure_free (alive);
  gst_object_unref (tracer);
}
