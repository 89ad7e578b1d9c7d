/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * error.h: the closed list of error codes, and a place for a sentence about one.
 *
 * Every function that can fail returns 0 or one of these negative numbers, never sets errno, and leaves its out
 * pointers NULL on failure:
 *
 * -EINVAL     an argument is wrong: not this pool's buffer, released twice, a size that overflows, an unknown name
 * -ENOMEM     no memory
 * -EAGAIN     nothing there, and the caller did not want to wait
 * -ETIMEDOUT  nothing there before the deadline
 * -ECANCELED  the caller's BaCancel flag is set
 * -ESHUTDOWN  the pool or display is closed
 * -EBUSY      somebody else has it (a display in use by another program)
 * -ENODEV     no such device, or it is no display
 * -ENOTSUP    this kind of memory or device cannot do that
 * -EINPROGRESS accepted, will be done when the buffer comes back
 * -EEXIST     the name is taken
 * or the -errno of a system call on a device or a file that failed.
 */
#ifndef BUFALLOC_ERROR_H
#define BUFALLOC_ERROR_H

#include <bufalloc/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * BaError: what went wrong, for a person.
 * @code: the value the function returned
 * @message: what failed, why, and what to do about it; no line end
 */
typedef struct
{
  int code;
  char message[1024];
} BaError;

/**
 * ba_error_text:
 * @code: 0 or a negative error code
 *
 * A short description of @code that needs no locale. Threads: any.
 *
 * Returns: (transfer none) (not nullable): a static text
 */
BA_API const char *ba_error_text (int code);

/**
 * ba_error_set:
 * @error: (nullable): where to write; NULL = nowhere
 * @code: the negative code
 * @format: the sentence, as for printf
 *
 * Fills @error. For people who write allocators. Threads: any.
 *
 * Returns: @code, so that a failing function can end with it
 */
BA_API int ba_error_set (BaError *error, int code, const char *format, ...) BA_PRINTF (3, 4);

#ifdef __cplusplus
}
#endif
#endif
