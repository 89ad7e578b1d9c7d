/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* error.c: texts for the codes of error.h. */
#include "error.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *
ba_error_text (int code)
{
  const char *text;
  switch (code) {
    case 0:
      return "no error";
    case -EINVAL:
      return "an argument is wrong";
    case -ENOMEM:
      return "no memory";
    case -EAGAIN:
      return "nothing there now";
    case -ETIMEDOUT:
      return "nothing there before the deadline";
    case -ECANCELED:
      return "the wait was cancelled";
    case -ESHUTDOWN:
      return "it is closed";
    case -EBUSY:
      return "in use by somebody else";
    case -ENODEV:
      return "no such device";
    case -ENOTSUP:
      return "not supported";
    case -EINPROGRESS:
      return "will be done when the buffer comes back";
    case -EEXIST:
      return "the name is taken";
    default:
      text = code < 0 && code > INT_MIN ? strerrordesc_np (-code) : NULL;
      return text ? text : "unknown error";
  }
}

int
ba_error_set (BaError *error, int code, const char *format, ...)
{
  if (error) {
    va_list args;
    error->code = code;
    va_start (args, format);
    vsnprintf (error->message, sizeof error->message, format, args);
    va_end (args);
  }
  return code;
}
