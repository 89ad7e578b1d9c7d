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

#include <linux/fb.h>

#include "console-private.h"
#include "device-calls-private.h"

#define BAI_WATCHER_NAME "bufalloc-watch" /* as ps shows it; the kernel keeps 15 characters */

/* Starts a watcher that will put back the mode of @fb_fd and @console, and gives one end of what connects the two in
 * *@watcher (-1 on failure). It keeps copies of both descriptors, and none of any other. 0 or -errno. */
int bai_watcher_start (int *watcher, const BaDeviceCalls *calls, int fb_fd, const struct fb_var_screeninfo *var,
                       bool can_pan, const BaiConsole *console);

/* Sends it home: everything was put back. Does not wait for its end; -1 and *@watcher afterwards: nothing to do. */
void bai_watcher_dismiss (int *watcher, const BaDeviceCalls *calls);

/* Puts a whole mode back, its place on screen too. Safe in a signal handler. 0 or -errno. */
int bai_put_mode_back (const BaDeviceCalls *calls, int fb_fd, const struct fb_var_screeninfo *saved, bool can_pan);

#endif
