// SPDX-License-Identifier: GPL-2.0-only
/*
 * batest-pipe.c: the planes, what they take and refuse, and the CRTC with its vblanks, which a timer makes.
 *
 * Nothing is composed. With each picture that a plane is given its pixels are summed up, and once more when the next one
 * takes its place: who writes into a picture that is on screen is found out.
 */
#include <drm/drm_atomic.h>
#include <drm/drm_atomic_helper.h>
#include <drm/drm_atomic_uapi.h>
#include <drm/drm_blend.h>
#include <drm/drm_color_mgmt.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_gem_framebuffer_helper.h>
#include <drm/drm_managed.h>
#include <drm/drm_vblank.h>
#include <linux/crc32.h>

#include "batest.h"

#define LARGER 4 /* times, at most */
#define SMALLER 2
#define DEFAULT_PERIOD_NS (NSEC_PER_SEC / 60)

static const u32 rgb_formats[] = {
  DRM_FORMAT_XRGB8888,
  DRM_FORMAT_RGB565,
  DRM_FORMAT_XRGB2101010,
};

static const u32 yuv_formats[] = {
  DRM_FORMAT_XRGB8888,
  DRM_FORMAT_RGB565,
  DRM_FORMAT_XRGB2101010,
  DRM_FORMAT_NV12,
  DRM_FORMAT_YUV420,
  DRM_FORMAT_NV16,
  DRM_FORMAT_YUYV,
  DRM_FORMAT_P010,
};

/* ---- pixels ---------------------------------------------------------------------------------------------------- */

void
batest_for_each_row (const struct drm_plane_state *state, batest_row_func row, void *user)
{
  const struct drm_shadow_plane_state *shadow = container_of (state, struct drm_shadow_plane_state, base);
  const struct drm_framebuffer *fb = state->fb;
  const struct drm_format_info *format = fb->format;
  u32 x = state->src_x >> 16, y = state->src_y >> 16, width = state->src_w >> 16, height = state->src_h >> 16;
  for (unsigned int i = 0; i < format->num_planes; i++) {
    u32 h_shared = i ? format->hsub : 1, v_shared = i ? format->vsub : 1;
    size_t first = drm_format_info_min_pitch (format, i, x / h_shared);
    size_t n_bytes = drm_format_info_min_pitch (format, i, DIV_ROUND_UP (width, h_shared));
    const u8 *pixels = shadow->data[i].vaddr;
    for (u32 r = 0; r < DIV_ROUND_UP (height, v_shared); r++)
      row (user, pixels + (size_t) fb->pitches[i] * (y / v_shared + r) + first, n_bytes);
  }
}

static void
sum_row (void *user, const u8 *bytes, size_t n_bytes)
{
  u32 *crc = user;
  *crc = crc32_le (*crc, bytes, n_bytes);
}

static u32
sum_pixels (const struct drm_plane_state *state)
{
  u32 crc = ~0U;
  int r = drm_gem_fb_begin_cpu_access (state->fb, DMA_FROM_DEVICE);
  batest_for_each_row (state, sum_row, &crc);
  if (r == 0)
    drm_gem_fb_end_cpu_access (state->fb, DMA_FROM_DEVICE);
  return ~crc;
}

/* ---- planes ---------------------------------------------------------------------------------------------------- */

static int
check_plane (struct drm_plane *base, struct drm_atomic_state *all)
{
  const struct batest_plane *plane = to_batest_plane (base);
  struct drm_plane_state *state = drm_atomic_get_new_plane_state (all, base);
  if (!state->crtc)
    return 0;
  struct drm_crtc_state *crtc = drm_atomic_get_crtc_state (all, state->crtc);
  if (IS_ERR (crtc))
    return PTR_ERR (crtc);
  return drm_atomic_helper_check_plane_state (state, crtc, plane->min_scale, plane->max_scale, plane->is_free, true);
}

/* The memory stays mapped for as long as the picture is on screen. */
static int
prepare_fb (struct drm_plane *base, struct drm_plane_state *state)
{
  struct drm_shadow_plane_state *shadow = to_drm_shadow_plane_state (state);
  if (!state->fb)
    return 0;
  int r = drm_gem_plane_helper_prepare_fb (base, state);
  return r ? r : drm_gem_fb_vmap (state->fb, shadow->map, shadow->data);
}

static void
cleanup_fb (struct drm_plane *base, struct drm_plane_state *state)
{
  struct drm_shadow_plane_state *shadow = to_drm_shadow_plane_state (state);
  if (state->fb)
    drm_gem_fb_vunmap (state->fb, shadow->map);
}

static void
note_flip (struct batest *card, const struct batest_plane *plane, const struct drm_framebuffer *fb)
{
  mutex_lock (&card->lock);
  struct batest_flip *flip = &card->flips[card->n_flips++ % BATEST_MAX_FLIPS];
  flip->number = card->n_flips;
  flip->plane = plane->index;
  flip->fourcc = fb->format->format;
  flip->crc = plane->crc;
  mutex_unlock (&card->lock);
}

/* Commits of one CRTC come one after the other. */
static void
update_plane (struct drm_plane *base, struct drm_atomic_state *all)
{
  struct batest_plane *plane = to_batest_plane (base);
  const struct drm_plane_state *before = drm_atomic_get_old_plane_state (all, base);
  const struct drm_plane_state *state = drm_atomic_get_new_plane_state (all, base);
  if (before->fb && before->fb != state->fb && sum_pixels (before) != plane->crc)
    plane->n_changed++;
  if (!state->fb || before->fb == state->fb)
    return;
  plane->crc = sum_pixels (state);
  note_flip (to_batest (base->dev), plane, state->fb);
}

static const struct drm_plane_helper_funcs plane_helpers = {
  .prepare_fb = prepare_fb,
  .cleanup_fb = cleanup_fb,
  .atomic_check = check_plane,
  .atomic_update = update_plane,
};

static const struct drm_plane_funcs plane_funcs = {
  .update_plane = drm_atomic_helper_update_plane,
  .disable_plane = drm_atomic_helper_disable_plane,
  DRM_GEM_SHADOW_PLANE_FUNCS,
};

static int
add_properties (struct batest_plane *plane, unsigned int zpos)
{
  struct drm_plane *base = &plane->base;
  int r = drm_plane_create_zpos_property (base, zpos, 0, BATEST_MAX_PLANES);
  r = r ? r : drm_plane_create_alpha_property (base);
  return r ? r : drm_plane_create_color_properties (
    base, BIT (DRM_COLOR_YCBCR_BT601) | BIT (DRM_COLOR_YCBCR_BT709) | BIT (DRM_COLOR_YCBCR_BT2020),
    BIT (DRM_COLOR_YCBCR_LIMITED_RANGE) | BIT (DRM_COLOR_YCBCR_FULL_RANGE), DRM_COLOR_YCBCR_BT709,
    DRM_COLOR_YCBCR_LIMITED_RANGE);
}

static int
make_plane (struct batest *card, enum drm_plane_type type, bool is_yuv)
{
  struct batest_plane *plane = drmm_universal_plane_alloc (
    &card->drm, struct batest_plane, base, 1, &plane_funcs, is_yuv ? yuv_formats : rgb_formats,
    is_yuv ? ARRAY_SIZE (yuv_formats) : ARRAY_SIZE (rgb_formats), NULL, type, NULL);
  if (IS_ERR (plane))
    return PTR_ERR (plane);
  plane->index = card->n_planes;
  plane->is_free = is_yuv;
  plane->min_scale = is_yuv ? DRM_PLANE_NO_SCALING / LARGER : DRM_PLANE_NO_SCALING;
  plane->max_scale = is_yuv ? DRM_PLANE_NO_SCALING * SMALLER : DRM_PLANE_NO_SCALING;
  drm_plane_helper_add (&plane->base, &plane_helpers);
  card->planes[card->n_planes++] = plane;
  return is_yuv ? add_properties (plane, plane->index) : drm_plane_create_zpos_immutable_property (&plane->base, 0);
}

int
batest_make_planes (struct batest *card)
{
  int r = make_plane (card, DRM_PLANE_TYPE_PRIMARY, card->is_yuv);
  return r || card->is_yuv ? r : make_plane (card, DRM_PLANE_TYPE_OVERLAY, true);
}

/* ---- the CRTC -------------------------------------------------------------------------------------------------- */

static enum hrtimer_restart
tick (struct hrtimer *timer)
{
  struct batest *card = container_of (timer, struct batest, timer);
  if (!READ_ONCE (card->is_ticking))
    return HRTIMER_NORESTART;
  hrtimer_forward_now (timer, card->period);
  drm_crtc_handle_vblank (&card->crtc);
  return HRTIMER_RESTART;
}

/* With the vblank's spinlock held, which the timer wants: it is not waited for. */
static int
enable_vblank (struct drm_crtc *crtc)
{
  struct batest *card = to_batest (crtc->dev);
  int frame_ns = drm_crtc_vblank_crtc (crtc)->framedur_ns;
  card->period = ns_to_ktime (frame_ns > 0 ? frame_ns : DEFAULT_PERIOD_NS);
  WRITE_ONCE (card->is_ticking, true);
  hrtimer_start (&card->timer, card->period, HRTIMER_MODE_REL);
  return 0;
}

static void
disable_vblank (struct drm_crtc *crtc)
{
  WRITE_ONCE (to_batest (crtc->dev)->is_ticking, false);
}

static void
enable_crtc (struct drm_crtc *crtc, struct drm_atomic_state *all)
{
  struct batest *card = to_batest (crtc->dev);
  drm_crtc_vblank_on (crtc);
  mutex_lock (&card->lock);
  card->n_lit++;
  mutex_unlock (&card->lock);
}

static void
disable_crtc (struct drm_crtc *crtc, struct drm_atomic_state *all)
{
  drm_crtc_vblank_off (crtc);
}

/* Flips are over with the next vblank; with a CRTC that makes none they are over now. */
static void
flush_crtc (struct drm_crtc *crtc, struct drm_atomic_state *all)
{
  struct drm_pending_vblank_event *event = crtc->state->event;
  if (!event)
    return;
  crtc->state->event = NULL;
  bool has_vblank = drm_crtc_vblank_get (crtc) == 0;
  spin_lock_irq (&crtc->dev->event_lock);
  if (has_vblank)
    drm_crtc_arm_vblank_event (crtc, event);
  else
    drm_crtc_send_vblank_event (crtc, event);
  spin_unlock_irq (&crtc->dev->event_lock);
}

static const struct drm_crtc_helper_funcs crtc_helpers = {
  .atomic_enable = enable_crtc,
  .atomic_disable = disable_crtc,
  .atomic_flush = flush_crtc,
};

static const struct drm_crtc_funcs crtc_funcs = {
  .set_config = drm_atomic_helper_set_config,
  .page_flip = drm_atomic_helper_page_flip,
  .reset = drm_atomic_helper_crtc_reset,
  .atomic_duplicate_state = drm_atomic_helper_crtc_duplicate_state,
  .atomic_destroy_state = drm_atomic_helper_crtc_destroy_state,
  .enable_vblank = enable_vblank,
  .disable_vblank = disable_vblank,
};

int
batest_make_crtc (struct batest *card)
{
  hrtimer_init (&card->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
  card->timer.function = tick;
  drm_crtc_helper_add (&card->crtc, &crtc_helpers);
  return drmm_crtc_init_with_planes (&card->drm, &card->crtc, &card->planes[0]->base, NULL, &crtc_funcs, NULL);
}
