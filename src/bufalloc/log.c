/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* log.c: formats a line and hands it to the one handler. */
#include "log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

#include "debug-private.h"

static void
default_handler (BaLogLevel level, const char *message, void *user)
{
  (void) user;
  static const char *const names[] = { "error", "warning", "info", "debug" };
  if (level <= BA_LOG_WARNING || bai_debug_from_environment ())
    fprintf (stderr, "bufalloc: %s: %s\n", names[level], message);
}

/* One of the three pieces of process-wide state that the design allows. */
static struct
{
  pthread_mutex_t lock;
  BaLogHandler handler;
  void *user;
} sink = { PTHREAD_MUTEX_INITIALIZER, default_handler, NULL };

void
ba_log_set_handler (BaLogHandler handler, void *user)
{
  pthread_mutex_lock (&sink.lock);
  sink.handler = handler ? handler : default_handler;
  sink.user = handler ? user : NULL;
  pthread_mutex_unlock (&sink.lock);
}

void
ba_log (BaLogLevel level, const char *format, ...)
{
  char line[512];
  if ((int) level < BA_LOG_ERROR) /* handlers may count on a level that there is */
    level = BA_LOG_ERROR;
  else if (level > BA_LOG_DEBUG)
    level = BA_LOG_DEBUG;
  va_list args;
  va_start (args, format);
  vsnprintf (line, sizeof line, format, args);
  va_end (args);

  pthread_mutex_lock (&sink.lock);
  BaLogHandler handler = sink.handler;
  void *user = sink.user;
  pthread_mutex_unlock (&sink.lock);
  handler (level, line, user);
}
