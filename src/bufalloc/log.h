/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * log.h: one handler for everything the library wants to say. It never logs while it holds a lock.
 */
#ifndef BUFALLOC_LOG_H
#define BUFALLOC_LOG_H

#include <bufalloc/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** BaLogLevel: how much a line matters. By default warnings and errors go to stderr, the rest nowhere
 * unless the environment variable BUFALLOC_DEBUG is set (debug.h). */
typedef enum
{
  BA_LOG_ERROR,
  BA_LOG_WARNING,
  BA_LOG_INFO,
  BA_LOG_DEBUG
} BaLogLevel;

/**
 * BaLogHandler:
 * @level: how much it matters
 * @message: (transfer none): one line without a line end, valid during the call
 * @user: (nullable): what ba_log_set_handler() was given
 *
 * Runs on whatever thread had something to say. It may call the library.
 */
typedef void (*BaLogHandler) (BaLogLevel level, const char *message, void *user);

/**
 * ba_log_set_handler:
 * @handler: (nullable): the new handler; NULL = the default one
 * @user: (nullable): passed to @handler; must stay valid until the process ends or another handler is set and every
 *   call under way has returned
 *
 * Process-wide. Threads: any.
 */
BA_API void ba_log_set_handler (BaLogHandler handler, void *user);

/**
 * ba_log:
 * @level: how much it matters; what is no level becomes the nearest one
 * @format: the line, as for printf, without a line end
 *
 * Says something through the handler. For people who write allocators. Threads: any, with no lock held.
 */
BA_API void ba_log (BaLogLevel level, const char *format, ...) BA_PRINTF (2, 3);

#ifdef __cplusplus
}
#endif
#endif
