/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * console-private.h: the text console that the kernel draws on a framebuffer. It is switched off while a display is
 * open (KD_GRAPHICS: no text, no cursor, no blanking), only on a virtual terminal that is ours to switch, and put back
 * after.
 */
#ifndef BUFALLOC_CONSOLE_PRIVATE_H
#define BUFALLOC_CONSOLE_PRIVATE_H

#include "device-calls-private.h"
#include "display.h"

typedef struct
{
  int fd; /* of the terminal; -1 = nothing was taken, and all below is undefined */
  int mode; /* what KDGETMODE said before */
  char path[24]; /* of the terminal, to open it again with */
  bool leader; /* this process leads its session: when it ends, the kernel hangs the terminal up */
} BaiConsole;

/* Takes the console off the screen of @fb_fd, as @wanted says. Over ssh, in a service, under a desktop there is nothing
 * to take: success with console->fd -1, or an error where BA_CONSOLE_GRAPHICS was asked for. */
int bai_console_take (BaiConsole *console, const BaDeviceCalls *calls, BaConsoleMode wanted, int fb_fd, BaError *error);

/* Puts back what was taken, if anything, and lets go of the terminal. Put the screen's mode back before: the kernel
 * draws its text at once. */
void bai_console_give_back (BaiConsole *console, const BaDeviceCalls *calls);

/* The same for a process that has died, by another one of its session that leads nothing. Only calls that are safe in a
 * signal handler; says nothing. */
void bai_console_give_back_for_dead (const BaiConsole *console, const BaDeviceCalls *calls);

#endif
