/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * display-private.h: what the files of one kind of display each fill in, and what framebuffer.c asks a display.
 *
 * display.c owns order, waiting and the three places a page can be (current, pending, free); a kind only opens, shows,
 * waits for one vsync, restores and unmaps. A kind's hooks are never called at the same time for one display, and
 * never with a lock held.
 */
#ifndef BUFALLOC_DISPLAY_PRIVATE_H
#define BUFALLOC_DISPLAY_PRIVATE_H

#include <limits.h>
#include <pthread.h>

#include "device-calls-private.h"
#include "device-string-private.h"
#include "display.h"
#include "dmabuf.h"

typedef struct
{
  const char *kind;
  /* Opens what @device says, saves its state, maps it: fills @display's info, map, map_bytes, physical_address,
   * start_page and state. On failure everything is as before and nothing is left open. */
  int (*open) (BaDisplay *display, const BaiDeviceString *device, const BaDisplayOptions *options, BaError *error);
  /* Starts to show a page, or what @import gave a number; where there is one page only it is called for every flip too.
   * 0; 1 = not visible now, for a reason that may pass, and the page counts as shown; or -errno. */
  int (*show) (BaDisplay *display, unsigned page);
  /* (nullable): blocks until the next vsync, a few periods at most. 0; 1 = the clock paces this one; -ENOTSUP = it does
   * not work (any more): the clock paces from now on. NULL = the clock paces. Must not log: a handler may call the
   * display, which is busy. */
  int (*wait_vsync) (BaDisplay *display);
  /* The device itself tells when a page is visible: wait_vsync is asked for every page, however long ago it was shown. */
  bool tells_when_visible;
  /* (nullable): 1 where another program has changed what open found, 0, or -errno. NULL = nobody can. Must not log. */
  int (*check_mode) (BaDisplay *display);
  /* (nullable): which formats it could have been opened with; NULL = the one that it has. Any thread, at any time. */
  bool (*supports_format) (const BaDisplay *display, uint32_t fourcc);
  /* (nullable): as ba_display_get_modifiers(). Any thread, at any time. */
  unsigned (*get_modifiers) (const BaDisplay *display, uint32_t fourcc, uint64_t *modifiers, unsigned room);
  /* (nullable): as ba_display_set_colours(). */
  int (*set_colours) (BaDisplay *display, BaYuvMatrix matrix, bool full_range);
  /* (nullable): as ba_display_set_hdr() and ba_display_set_window(). */
  int (*set_hdr) (BaDisplay *display, const BaHdr *hdr);
  int (*set_window) (BaDisplay *display, const BaDisplayWindow *window);
  /* (nullable): as ba_display_refresh() and ba_display_get_event_fd(), this one also without being busy. */
  int (*refresh) (BaDisplay *display);
  int (*get_event_fd) (const BaDisplay *display);
  /* (nullable): opens @display on the device of @old, which is busy, and takes over what @old has to put back. On failure
   * nothing has changed. Must not log. */
  int (*reopen) (BaDisplay *old, BaDisplay *display, const BaDisplayOptions *options, BaError *error);
  /* (nullable): a new dmabuf of a page, or -errno. */
  int (*export_page) (BaDisplay *display, unsigned page);
  /* (nullable): makes a picture that was checked ready to be shown: its number for show, which is n_pages or more and may
   * be another picture's after the next call of this; or -errno. Must not log. */
  int (*import) (BaDisplay *display, const BaDmabuf *picture, BaError *error);
  /* (nullable): lets go of all of them that are not on screen, and of the others when they have left it. */
  void (*forget_imports) (BaDisplay *display);
  /* (nullable): makes the page at @data black; NULL = zeroes do. */
  void (*clear) (const BaDisplay *display, uint8_t *data);
  /* (nullable): puts back what show and open changed. Called once, after the last show, when the display is closed
   * already. Logs what fails. */
  void (*restore) (BaDisplay *display);
  /* Unmaps, closes, frees state. Called once, when nobody holds a page any more. */
  void (*finish) (BaDisplay *display);
} BaDisplayOps;

/* The number of what the display before this one has shown: none of ours, so that none is taken for it. */
#define BAI_SHOWN_BEFORE UINT_MAX

/* What is on screen, or on its way there: a page, or a picture that was imported. */
typedef struct
{
  bool is_set; /* else nothing is */
  unsigned number; /* for show */
  BaBuffer *page;    /* a reference; NULL = it was imported */
  BaShownFunc gone;
  void *user;
} BaiShown;

struct BaDisplay
{
  atomic_uint refs;
  const BaDisplayOps *ops;    /* constant */
  const BaDeviceCalls *calls; /* constant */
  BaDisplayInfo info;         /* constant once open */
  uint8_t *map;               /* constant once open: page i begins at map + i * page_bytes */
  size_t map_bytes;           /* constant once open */
  uint64_t physical_address;  /* constant once open: of map, 0 = unknown */
  unsigned start_page;        /* constant once open: the page that was visible then */
  void *state;                /* the kind's own */
  bool paced;                 /* constant once open: a flip is done at a vsync, not at once */
  BaConsoleMode console;      /* constant: what was asked for */
  unsigned told_read_mbps;    /* constant once open: what reading is said to be, 0 = it is measured */

  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool busy;                  /* somebody is inside a hook; guards what is below but closed, and from speed on */
  bool closed;
  bool restored;              /* close has done all it does */
  pthread_t closer;           /* who closes; valid once closed */
  bool clock_paced;           /* wait_vsync does not work */
  unsigned blocked_shows;     /* shows in a row that took a good part of a period */
  BaiShown current;           /* on screen */
  BaiShown pending;           /* shown, not known to be visible yet */
  int64_t shown_ns;           /* when the last show began */
  int64_t show_done_ns;       /* when the last show returned */
  int64_t first_vsync_ns;     /* constant once open; clock pacing: any vsync of the grid */
  bool show_refused;          /* and that was said */
  BaDisplayStats stats;
  BaDisplaySpeed speed;       /* guarded by lock alone, as the rest from here on */
  uint64_t noted_bytes;       /* one page: what the write speed is the average of */
  uint64_t noted_ns;
};

extern const BaDisplayOps bai_fbdev_ops;
extern const BaDisplayOps bai_virtual_ops;
#ifdef BA_HAVE_KMS
extern const BaDisplayOps bai_kms_ops;
/* kms-list.c: as ba_display_list_outputs(); @display is not open, and is not afterwards. */
int bai_kms_list_outputs (BaDisplay *display, const BaiDeviceString *device, const BaDisplayOptions *options,
                          BaError *error, char **out);
#endif

/* Begins and ends what must not happen at the same time as a hook; @display is busy in between. 0 or -ESHUTDOWN. */
int bai_display_enter (BaDisplay *display);
void bai_display_leave (BaDisplay *display);
/* As leave and ba_display_close() in one: nobody comes in between. */
void bai_display_leave_closed (BaDisplay *display);

/* dmabuf.c: whether a picture can be one of @display's: 0, -ENOTSUP, -EINVAL. */
int bai_dmabuf_check (const BaDisplay *display, const BaDmabuf *picture, BaError *error);
/* As ba_dmabuf_begin_access() and _end_access(), on top of other system calls. */
int bai_dmabuf_sync (const BaDeviceCalls *calls, int fd, unsigned access, bool is_end);

/* Shows @what, or @picture, which gives it its number. The page's reference is taken where 0 is returned, and gone is
 * the display's to call then. Else as ba_display_flip(). */
int bai_display_flip (BaDisplay *display, BaiShown *what, const BaDmabuf *picture, const BaCancel *cancel);

/* display-open.c: a display that is not open, or NULL; what of it is the same for all kinds once it is; and away with one
 * that is not. */
BaDisplay *bai_display_new (const BaDisplayOptions *options, const BaDeviceCalls *calls, BaError *error);
void bai_display_begin (BaDisplay *display, const BaDisplayOptions *options);
void bai_display_free (BaDisplay *display);

/* As ba_display_open(), on top of other system calls; @calls must live as long as the display, and where
 * a driver has not come back from a wait for a vsync, until it does. */
int bai_display_open_with_calls (const char *device, const BaDisplayOptions *options, const BaDeviceCalls *calls,
                                 BaError *error, BaDisplay **out);
/* As ba_display_list_outputs(), likewise. */
int bai_display_list_outputs_with_calls (const char *device, const BaDisplayOptions *options,
                                         const BaDeviceCalls *calls, BaError *error, char **out);

#endif
