/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fake-kms.h: a table of system calls that plays one DRM card: two connectors, two CRTCs, two primary planes and an
 * overlay, with a console on the first screen. It refuses what the kernel refuses, has its abilities and bad habits to be
 * switched on one by one, fails the call that a test names, and knows what was not given back. For one thread.
 */
#ifndef FAKE_KMS_H
#define FAKE_KMS_H

#include <drm.h>
#include <drm_fourcc.h>
#include <drm_mode.h>
#include <stdbool.h>

#include <bufalloc/device-calls-private.h>

#define FAKE_CARD_PATH "/dev/dri/card1" /* card0 is not there */
#define FAKE_MAX_THINGS 64
#define FAKE_CONSOLE_FB 99

#define FAKE_N_PLANES 4

enum
{
  FAKE_HDMI = 10, /* connected */
  FAKE_VGA = 11, /* not */
  FAKE_CRTC = 30,
  FAKE_CRTC_2 = 31,
  FAKE_PRIMARY = 40,
  FAKE_PRIMARY_2 = 41,
  FAKE_OVERLAY = 42,
  FAKE_OVERLAY_2 = 43 /* where there are two */
};

/* In the order of their numbers, from FAKE_PROPERTY on. */
typedef enum
{
  FAKE_P_CONNECTOR_CRTC,
  FAKE_P_LINK, /* 1 = bad: the screen gets no pixels until a mode is set anew */
  FAKE_P_HDR,
  FAKE_P_COLORSPACE,
  FAKE_P_MAX_BPC,
  FAKE_P_NON_DESKTOP,
  FAKE_P_ACTIVE,
  FAKE_P_MODE,
  FAKE_P_FENCE,
  FAKE_P_TYPE,
  FAKE_P_FB,
  FAKE_P_CRTC,
  FAKE_P_SRC_X,
  FAKE_P_SRC_Y,
  FAKE_P_SRC_W,
  FAKE_P_SRC_H,
  FAKE_P_X,
  FAKE_P_Y,
  FAKE_P_W,
  FAKE_P_H,
  FAKE_P_ENCODING,
  FAKE_P_RANGE,
  FAKE_P_ZPOS,
  FAKE_P_ALPHA,
  FAKE_P_IN_FORMATS,
  FAKE_N_PROPERTIES
} FakeProperty;

typedef struct
{
  uint32_t fb;
  uint32_t crtc;
  uint64_t values[FAKE_N_PROPERTIES];
} FakePlane;

/* What is on the screens. Two of them are equal to the last byte where nothing was changed. */
typedef struct
{
  uint32_t connector_crtc;
  uint64_t connector_values[FAKE_P_MAX_BPC + 1];
  bool active;
  struct drm_mode_modeinfo mode; /* zeroed where there is none */
  FakePlane planes[FAKE_N_PLANES];
} FakeScreen;

typedef struct
{
  uint32_t id; /* 0 = none */
  uint32_t width, height, fourcc;
  uint32_t bytes;
  uint64_t inode; /* of a buffer that came in as a file; 0 = it did not */
  uint64_t modifier;
  uint32_t handles[3], offsets[3], pitches[3];
  union /* of a blob */
  {
    struct drm_mode_modeinfo mode;
    struct hdr_output_metadata hdr;
  };
} FakeThing;

typedef struct
{
  BaDeviceCalls calls; /* give its address to bai_display_open_with_calls() */

  /* the card, to be changed before it is opened */
  bool no_dumb;
  bool no_atomic;
  bool no_async; /* EINVAL, although the cap says yes */
  bool no_vblank; /* events come at once */
  bool no_fence; /* no OUT_FENCE_PTR */
  bool no_export; /* ENOSYS */
  bool no_import; /* and the cap says so */
  bool no_modifiers;
  int refuse_import; /* errno of every import, although the cap says yes */
  bool refuse_imported; /* a commit with a framebuffer in memory of others is EINVAL */
  uint32_t refuse_fb; /* a framebuffer of this format is EINVAL */
  bool no_colours; /* no COLOR_ENCODING */
  bool no_mixing; /* no alpha, and a zpos that cannot be set */
  bool no_hdr; /* an old connector */
  bool refuse_hdr; /* a commit with its metadata is EINVAL */
  bool can_scale; /* planes can */
  bool can_be_small; /* the primary plane */
  bool no_events; /* they never come: the screen is off */
  bool absent; /* ENOENT at open */
  bool unplugged; /* nothing is connected */
  bool two_overlays;
  bool two_screens; /* VGA has one, too, and is dark */
  bool headset; /* what VGA has is none for pictures of a desktop */
  unsigned n_modes; /* of each; 0 = all */
  bool dark; /* no console is shown before */
  bool console_is_gone; /* its framebuffer was freed, and cannot be shown again */
  uint32_t pitch_align;
  unsigned most_dumbs; /* ENOMEM for more */
  uint32_t refuse_bpp; /* dumb buffers of so many bits are EINVAL */
  uint32_t refuse_test; /* a commit with a framebuffer of this format is EINVAL */
  const uint32_t *formats;
  unsigned n_formats;
  const uint64_t *modifiers; /* that all formats but the first may have */
  unsigned n_modifiers;
  bool no_uevents; /* no socket that tells of plugs */
  bool no_kcmp; /* whether two numbers are one file is not said */
  bool one_inode; /* all dmabufs are the same one, without a size: Linux before 5.3 */
  unsigned foreign_flips; /* so many commits are EBUSY: somebody else's are under way */
  int64_t period_ns;

  /* what others do meanwhile */
  bool master_is_other; /* and stays it */
  bool vanished; /* everything is ENODEV */

  /* what to fail: the n-th call, from 1, of all but those that give something back; 0 = none */
  unsigned fail_nth;
  int fail_errno;
  bool failed;
  unsigned long refuse_request; /* every ioctl of this number fails; 0 = none */
  int refuse_errno;

  /* what is there and what happened */
  FakeScreen screen;
  FakeScreen first_screen;
  FakeThing handles[FAKE_MAX_THINGS];
  FakeThing fbs[FAKE_MAX_THINGS];
  FakeThing blobs[FAKE_MAX_THINGS];
  bool is_master;
  bool is_flipping;
  uint64_t flip_user;
  bool event_ready;
  int fence_fd; /* -1 = none */
  unsigned n_calls;
  unsigned n_flips;
  unsigned n_async;
  unsigned n_modesets;
  unsigned n_dirty;
  unsigned n_looks; /* at connectors */
  unsigned n_probes; /* of these, those that made the driver look */
  unsigned n_busy;
  unsigned n_plane_sets;
  unsigned n_imports; /* asked for */
  unsigned n_bad_closes; /* GEM_CLOSE of what did not come in, or twice */
  uint32_t exported; /* the handle of the last one that went out */
  unsigned n_leaked; /* handles, framebuffers and blobs that close found */
  int n_open;
  int n_mapped;
  int64_t clock_ns;
  int fd; /* of the card, -1 = closed */
  int second_fd; /* likewise, another number of it that a test has made */
  int memory_fd;
  int uevents[2]; /* the display's end, and that of who writes messages */
  int first_uevent; /* what the display's is made of */
  uint32_t next_id;
} FakeKms;

void fake_kms_init (FakeKms *fake);
void fake_kms_finish (FakeKms *fake);

/* Everything that was configured holds from here on. */
void fake_kms_ready (FakeKms *fake);

/* Whether the screens are as they were before. */
bool fake_kms_is_restored (const FakeKms *fake);

/* The framebuffer on a plane, 0 = none. */
const FakeThing *fake_kms_shown (const FakeKms *fake, uint32_t plane);

/* The kernel tells of a change of a card; or of another device. */
void fake_kms_tell (FakeKms *fake, bool of_card);

/* A card that the application has open. */
int fake_kms_open_fd (FakeKms *fake);

/* ---- between the fake's files ---- */

#define FAKE_BUFFER_BYTES (1 << 20) /* room for each in the memory */
#define FAKE_PROPERTY 100 /* the number of the first one */

int fake_kms_fail_with (int code); /* -1, with errno set */
FakeThing *fake_kms_make (FakeKms *fake, FakeThing *things);
unsigned fake_kms_count (const FakeThing *things);
int fake_kms_create_dumb (FakeKms *fake, struct drm_mode_create_dumb *arg);
int fake_kms_map_dumb (FakeKms *fake, struct drm_mode_map_dumb *arg);
int fake_kms_export (FakeKms *fake, struct drm_prime_handle *arg);
int fake_kms_import (FakeKms *fake, struct drm_prime_handle *arg);
int fake_kms_gem_close (FakeKms *fake, const struct drm_gem_close *arg);
void fake_kms_drop_fb (FakeKms *fake, uint32_t id); /* what is on screen goes with its framebuffer */
int fake_kms_remove (FakeThing *things, uint32_t id);
int fake_kms_add_fb (FakeKms *fake, struct drm_mode_fb_cmd2 *arg);
FakeThing *fake_kms_find (FakeThing *things, uint32_t id);
void fake_kms_give (uint64_t to, uint32_t *room, const void *from, uint32_t n, size_t each);
int fake_kms_create_blob (FakeKms *fake, struct drm_mode_create_blob *arg);
int fake_kms_get_blob (FakeKms *fake, struct drm_mode_get_blob *arg);
int fake_kms_get_properties (const FakeKms *fake, struct drm_mode_obj_get_properties *arg);
int fake_kms_get_property (const FakeKms *fake, struct drm_mode_get_property *arg);
bool fake_kms_has_property (const FakeKms *fake, unsigned property);
void fake_kms_cover (FakePlane *plane, uint32_t fb, uint32_t crtc, uint32_t width, uint32_t height);
int fake_kms_atomic (FakeKms *fake, const struct drm_mode_atomic *arg);
int fake_kms_set_crtc (FakeKms *fake, const struct drm_mode_crtc *arg);
int fake_kms_page_flip (FakeKms *fake, const struct drm_mode_crtc_page_flip *arg);
int fake_kms_set_plane (FakeKms *fake, const struct drm_mode_set_plane *arg);

#endif
