/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * batest.h: two cards of the kernel's DRM for the tests of gst-bufalloc, in a machine of their own: nothing is shown
 * anywhere. They have what no driver of a virtual machine has: planes that take YUV and scale, zpos and alpha, colour
 * encodings, a screen with a high dynamic range that can be unplugged. What each plane was given is told in debugfs, with
 * a checksum of the pixels.
 *
 * Card 0 has a primary plane of RGB and an overlay of YUV; card 1 has a primary plane that takes both.
 */
#ifndef BATEST_H
#define BATEST_H

#include <drm/drm_crtc.h>
#include <drm/drm_connector.h>
#include <drm/drm_device.h>
#include <drm/drm_encoder.h>
#include <drm/drm_gem_atomic_helper.h>
#include <drm/drm_plane.h>
#include <linux/hrtimer.h>
#include <linux/mutex.h>

#define BATEST_CARDS 2
#define BATEST_MAX_PLANES 2
#define BATEST_MAX_FLIPS 512
#define BATEST_N_MODES 3

/* What a plane was given. */
struct batest_flip {
  u32 number; /* of the card, counted from 1 */
  u32 plane;
  u32 fourcc;
  u32 crc; /* of the visible rows of all of its planes, one behind the other */
};

struct batest_plane {
  struct drm_plane base;
  u32 index;
  int min_scale; /* 16.16, source over destination */
  int max_scale;
  bool is_free; /* to be smaller than the screen, and to lie anywhere */
  u32 crc; /* of what it shows */
  u32 n_changed; /* pictures that were not the same any more when the next one came */
};

struct batest {
  struct drm_device drm;
  bool is_yuv; /* the primary plane */
  struct batest_plane *planes[BATEST_MAX_PLANES];
  unsigned int n_planes;
  struct drm_crtc crtc;
  struct drm_encoder encoder;
  struct drm_connector connector;

  struct hrtimer timer;
  ktime_t period;
  bool is_ticking;

  struct mutex lock; /* of all that follows */
  u32 modes; /* bits of those that the screen has; 0 = no screen is there */
  u32 preferred_mode;
  u32 n_looks; /* at what is plugged in */
  u32 n_lit; /* times */
  u32 n_flips; /* ever; the last ones are kept */
  struct batest_flip flips[BATEST_MAX_FLIPS];
};

static inline struct batest *
to_batest (struct drm_device *drm)
{
  return container_of (drm, struct batest, drm);
}

static inline struct batest_plane *
to_batest_plane (struct drm_plane *plane)
{
  return container_of (plane, struct batest_plane, base);
}

/* ---- batest-pipe.c ---- */

int batest_make_planes (struct batest *card);
int batest_make_crtc (struct batest *card);
/* Calls @row for the visible bytes of each row of each plane of what @state shows. Its framebuffer is mapped. */
typedef void (*batest_row_func) (void *user, const u8 *bytes, size_t n_bytes);
void batest_for_each_row (const struct drm_plane_state *state, batest_row_func row, void *user);

/* ---- batest-screen.c ---- */

int batest_make_screen (struct batest *card);
/* "off", or the names of modes, the preferred one first. */
int batest_plug (struct batest *card, char *words);

/* ---- batest-debugfs.c ---- */

void batest_make_files (struct drm_minor *minor);

#endif
