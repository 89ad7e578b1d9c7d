/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fake-device.h: a table of system calls for tests of displays. It plays /dev/fb0 on top of a memfd, with the habits of
 * real drivers to be switched on one by one, and passes everything else on to the system. It counts every call, fails
 * the one that a test names, and knows what is still open or mapped.
 */
#ifndef FAKE_DEVICE_H
#define FAKE_DEVICE_H

#include <linux/fb.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/ioctl.h>

#include <bufalloc/device-calls-private.h>

#define FAKE_FB_PATH "/dev/fb0"
#define FAKE_MAX_FDS 16

typedef enum
{
  FAKE_OPEN,
  FAKE_CLOSE,
  FAKE_DUP,
  FAKE_IOCTL,
  FAKE_MMAP,
  FAKE_MUNMAP,
  FAKE_MEMFD,
  FAKE_FTRUNCATE,
  FAKE_FALLOCATE,
  FAKE_FSTAT,
  FAKE_STAT,
  FAKE_FLOCK,
  FAKE_REALPATH,
  FAKE_RENAME,
  FAKE_UNLINK,
  FAKE_SOCKETPAIR,
  FAKE_FORK,
  FAKE_N_CALLS,
  FAKE_ANY = FAKE_N_CALLS /* to fail the n-th call of all, but close and munmap */
} FakeCall;

typedef enum
{
  FAKE_GROW_FITS, /* as far as the memory goes */
  FAKE_GROW_REFUSED, /* EINVAL */
  FAKE_GROW_CUT, /* success, but to grow_limit_rows */
  FAKE_GROW_LIED, /* success, and nothing changes */
  FAKE_GROW_BUSY, /* EBUSY */
  FAKE_GROW_REMODES /* success, and the mode is another one */
} FakeGrow;

typedef enum
{
  FAKE_PAN_MOVES,
  FAKE_PAN_REFUSED, /* EINVAL, as vesafb does even for y = 0 */
  FAKE_PAN_BUSY, /* EBUSY: a DRM master */
  FAKE_PAN_BLOCKS /* returns at the next vsync of the clock */
} FakePan;

typedef enum
{
  FAKE_VSYNC_CLOCK, /* at the next vsync of the clock */
  FAKE_VSYNC_INSTANT, /* success at once */
  FAKE_VSYNC_TIMES_OUT, /* success, after vsync_takes_ns */
  FAKE_VSYNC_MISSING /* ENOTTY */
} FakeVsync;

typedef enum
{
  FAKE_CMAP_NONE, /* ENOTTY */
  FAKE_CMAP_SETTABLE,
  FAKE_CMAP_FIXED /* it can be read, and EINVAL when it is set */
} FakeCmap;

typedef struct
{
  BaDeviceCalls calls; /* give its address to bai_display_open_with_calls() */

  /* the device, to be changed before it is opened */
  struct fb_var_screeninfo var;
  struct fb_fix_screeninfo fix;
  FakeGrow grow;
  uint32_t grow_limit_rows;
  FakePan pan;
  FakeVsync vsync;
  int64_t vsync_takes_ns;
  FakeCmap cmap;
  uint16_t colours[3][256]; /* the colour map */
  unsigned long refuse_request; /* every ioctl of this number fails; 0 = none */
  int refuse_errno;
  bool moves_by_difference; /* a pan moves the screen by the difference to the last var, FBIOPUT_VSCREENINFO does not
                               move it: DRM framebuffers since Linux 6.13 */
  bool put_stays; /* FBIOPUT_VSCREENINFO does not move the screen, whatever its offsets say */
  bool fixed_mode; /* every FBIOPUT_VSCREENINFO is EINVAL */
  bool real_clock; /* else the clock stands still but for what waits */
  int64_t clock_ns;
  int64_t clock_step_ns; /* how far every look at it moves it on */
  int64_t period_ns; /* between two vsyncs of the clock */
  bool absent; /* ENOENT at open */
  uint64_t memory_bytes; /* of the machine */
  void (*during_vsync) (void *user);
  void (*before_flock) (void *user);
  /* What a terminal answers, be it /dev/tty* or (@path is NULL) a standard descriptor: 0 or an errno. It is asked
   * whether it can be opened, too, with request 0. NULL = there is no terminal. */
  int (*tty_ioctl) (void *user, const char *path, unsigned long request, void *arg);
  uint32_t console_fb; /* the number of the framebuffer that has the console; this one is 0 */
  void *user;

  /* what to fail */
  FakeCall fail_call;
  unsigned fail_nth; /* counted from 1; 0 = none */
  int fail_errno;
  bool failed; /* it came to that */

  /* what happened */
  pthread_mutex_t lock;
  unsigned counts[FAKE_N_CALLS];
  unsigned n_pans;
  unsigned n_puts;
  unsigned n_vsyncs;
  unsigned n_unblanks;
  unsigned n_refused; /* because of refuse_request */
  unsigned n_cmaps; /* times the colour map was set */
  int last_prot;
  int last_flags;
  int last_open_flags;
  size_t last_map_bytes;
  int n_open;
  int n_mapped;

  /* its own */
  struct fb_var_screeninfo first_var;
  uint16_t first_colours[3][256];
  int64_t shown_row; /* the first one on screen; with moves_by_difference */
  int memory_fd;
  char tty_path[32]; /* of the last one that was opened */
  int fb_fds[FAKE_MAX_FDS];
} FakeDevice;

/* A 64x48 BGRx screen with memory for 4 pages, 1 of them in the mode, at 60 Hz, that can do everything. */
void fake_device_init (FakeDevice *fake);
void fake_device_finish (FakeDevice *fake);

/* Sets bits_per_pixel and the places of the colours, and a stride without padding. */
void fake_device_set_pixels (FakeDevice *fake, uint32_t bits_per_pixel, uint32_t red, uint32_t green, uint32_t blue);

/* Gives the memory its size. Call it after everything was configured. */
void fake_device_ready (FakeDevice *fake);

/* Reads what is in the video memory. */
void fake_device_read (FakeDevice *fake, size_t offset_bytes, void *to, size_t size_bytes);

/* Whether mode and colour map are what they were when the device was made ready, to the last byte. */
bool fake_device_is_restored (const FakeDevice *fake);

#endif
