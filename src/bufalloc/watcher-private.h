/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * watcher-private.h: a process that puts a screen back when the player cannot any more.
 *
 * SIGTERM ends most players at once and SIGKILL all of them. So where a screen's mode or console was changed, a small
 * process waits for the player's end. It is no child of the player, ends with it, and touches nothing where the player
 * has put everything back itself.
 */
#ifndef BUFALLOC_WATCHER_PRIVATE_H
#define BUFALLOC_WATCHER_PRIVATE_H

#include "device-calls-private.h"

#define BAI_WATCHER_NAME "bufalloc-watch" /* as ps shows it; the kernel keeps 15 characters */
#define BAI_WATCHER_MAX_FDS 2

/* What is to be done when the player is dead. */
typedef struct
{
  /* Runs in the watcher, on a copy of the player's memory as it was at the start. Only calls that are safe in a signal
   * handler: no memory, no log, no lock. */
  void (*put_back) (void *user);
  void *user;
  int fds[BAI_WATCHER_MAX_FDS]; /* what it needs open, -1 = none; the watcher keeps copies of them, and of no other */
} BaiWatch;

/* Starts a watcher, and gives one end of what connects the two in *@watcher (-1 on failure). 0 or -errno. */
int bai_watcher_start (int *watcher, const BaDeviceCalls *calls, const BaiWatch *watch);

/* Sends it home: everything was put back. Does not wait for its end. *@watcher is -1 after, and may be before. */
void bai_watcher_dismiss (int *watcher, const BaDeviceCalls *calls);

#endif
