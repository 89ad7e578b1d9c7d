/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fbdev-private.h: what the files of /dev/fbN share. fbdev.c opens, shows and puts back; fbdev-mode.c asks the device
 * for its mode and for pages; fbdev-format.c names its pixels; fbdev-colours.c has its colour map; fbdev-vsync.c waits.
 */
#ifndef BUFALLOC_FBDEV_PRIVATE_H
#define BUFALLOC_FBDEV_PRIVATE_H

#include <linux/fb.h>
#include <sys/ioctl.h>

#include "console-private.h"
#include "display-private.h"

#define BAI_FB_MAX_COLOURS 256

/* What the format wants of the colour map. */
typedef enum
{
  BAI_FB_COLOURS_NONE,   /* there is none, or it does not matter */
  BAI_FB_COLOURS_WANTED, /* each value should mean its own brightness; where that cannot be had, colours may be off */
  BAI_FB_COLOURS_NEEDED, /* without it the pixels are no grey */
  BAI_FB_COLOURS_FIXED   /* it cannot be set, so it must be grey already */
} BaiFbColourNeed;

typedef struct
{
  uint32_t n;    /* entries; 0 = the map stays as it is */
  bool is_set;   /* to ours */
  uint16_t saved[3][BAI_FB_MAX_COLOURS]; /* red, green, blue */
  uint16_t ours[3][BAI_FB_MAX_COLOURS];
} BaiFbColours;

/* The thread that waits for vsyncs (fbdev-vsync.c). */
typedef struct BaiFbVsync BaiFbVsync;

typedef struct
{
  int fd;
  struct fb_var_screeninfo saved; /* as it was before us, whole */
  struct fb_var_screeninfo var;   /* as we have it now, but for the offsets */
  struct fb_fix_screeninfo fix;
  uint32_t bits_per_pixel; /* of the format, which need not be what var says */
  BaiFbColourNeed colour_need;
  BaiFbColours colours;
  void *mapping;
  size_t mapping_bytes;
  bool can_pan;
  bool lit;           /* something was shown, and the screen switched on for it */
  char few_pages[96]; /* why there are not as many pages as were asked for; empty = there are */
  BaiFbVsync *vsync;  /* NULL until the first wait, and when its thread does not come back */
  unsigned slow_vsyncs;
  unsigned instant_vsyncs;
  BaiConsole console; /* the text that was on it */
  int watcher;        /* -1 = none */
} BaiFbState;

/* ---- fbdev-mode.c ---- */

int bai_fb_ioctl (const BaDisplay *display, unsigned long request, void *arg);
int bai_fb_read_mode (BaDisplay *display);
int bai_fb_put_mode (BaDisplay *display, const struct fb_var_screeninfo *wanted);
int bai_fb_pan (BaDisplay *display, uint32_t xoffset, uint32_t yoffset);
/* Errors for people. -EBUSY, and a call that failed with @code. */
int bai_fb_in_use (const char *path, BaError *error);
int bai_fb_call_failed (const char *path, const char *what, int code, BaError *error);

/* 1 where the mode is not the one that we have, so that our pages are not what is on screen; 0; or -errno. */
int bai_fb_mode_changed (BaDisplay *display);
/* Finds out whether the screen can be moved, makes as many pages as can be had, and sets n_pages. */
int bai_fb_count_pages (BaDisplay *display, const char *path, const BaDisplayOptions *options, BaError *error);
size_t bai_fb_page_bytes (const BaiFbState *state);
/* The page that is looked at now, the lower one where it is two. */
unsigned bai_fb_start_page (const BaiFbState *state, unsigned n_pages);
uint64_t bai_fb_period_ns (const struct fb_var_screeninfo *var);

/* ---- fbdev-format.c ---- */

/* Fills the layout, and the state's bits_per_pixel and colour_need, or says what is wrong with the mode. */
int bai_fb_describe (BaDisplay *display, const char *path, BaError *error);

/* ---- fbdev-colours.c ---- */

/* Saves the colour map, and tries whether it can be set: by setting it to what it is. */
int bai_fb_colours_open (BaDisplay *display, const char *path, BaError *error);
/* Sets ours, the first time. */
int bai_fb_colours_show (BaDisplay *display);
/* Puts the saved one back where ours was set. @only_ours: and nobody has set another one since. */
int bai_fb_colours_restore (BaDisplay *display, bool only_ours);

/* ---- fbdev-vsync.c ---- */

int bai_fb_wait_vsync (BaDisplay *display);
/* Ends the thread, if there is one. No wait follows. */
void bai_fb_end_vsync (BaDisplay *display);

#endif
