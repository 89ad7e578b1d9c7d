// SPDX-License-Identifier: GPL-2.0-only
/*
 * batest-drv.c: the driver, and the two devices that it is for. A card goes when its device is unbound in sysfs, and comes
 * back when it is bound.
 */
#include <drm/drm_atomic.h>
#include <drm/drm_atomic_helper.h>
#include <drm/drm_drv.h>
#include <drm/drm_fbdev_shmem.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_gem_framebuffer_helper.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_managed.h>
#include <drm/drm_mode_config.h>
#include <drm/drm_probe_helper.h>
#include <drm/drm_vblank.h>
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#include "batest.h"

#define NAME "batest"
#define MAX_SIZE_PX 4096
/* Pitches are no plain multiples of widths, so that whoever reckons on that is found out. */
#define PITCH_BYTES 64

static struct platform_device *devices[BATEST_CARDS];

/* ---- memory ---------------------------------------------------------------------------------------------------- */

/* In the cache, so that the pixels can be read. */
static struct drm_gem_object *
create_object (struct drm_device *drm, size_t size)
{
  struct drm_gem_shmem_object *object = kzalloc (sizeof (*object), GFP_KERNEL);
  if (!object)
    return ERR_PTR (-ENOMEM);
  object->map_wc = false;
  return &object->base;
}

static int
create_dumb (struct drm_file *file, struct drm_device *drm, struct drm_mode_create_dumb *args)
{
  args->pitch = ALIGN (DIV_ROUND_UP (args->width * args->bpp, 8), PITCH_BYTES);
  return drm_gem_shmem_dumb_create (file, drm, args);
}

/* ---- the driver ------------------------------------------------------------------------------------------------ */

DEFINE_DRM_GEM_FOPS (file_operations);

static const struct drm_driver driver = {
  .driver_features = DRIVER_MODESET | DRIVER_ATOMIC | DRIVER_GEM,
  .fops = &file_operations,
  .gem_create_object = create_object,
  .gem_prime_import_sg_table = drm_gem_shmem_prime_import_sg_table,
  .dumb_create = create_dumb,
  .debugfs_init = batest_make_files,
  .name = NAME,
  .desc = "cards of the tests of gst-bufalloc",
  .date = "20260101",
  .major = 1,
};

static const struct drm_mode_config_funcs config_funcs = {
  .fb_create = drm_gem_fb_create,
  .atomic_check = drm_atomic_helper_check,
  .atomic_commit = drm_atomic_helper_commit,
};

/* A flip is over when its event was sent: the helper's own way waits for another vblank. */
static void
commit_tail (struct drm_atomic_state *state)
{
  struct drm_device *drm = state->dev;
  drm_atomic_helper_commit_modeset_disables (drm, state);
  drm_atomic_helper_commit_planes (drm, state, 0);
  drm_atomic_helper_commit_modeset_enables (drm, state);
  drm_atomic_helper_commit_hw_done (state);
  drm_atomic_helper_wait_for_flip_done (drm, state);
  drm_atomic_helper_cleanup_planes (drm, state);
}

static const struct drm_mode_config_helper_funcs config_helpers = {
  .atomic_commit_tail = commit_tail,
};

static int
configure (struct batest *card)
{
  struct drm_device *drm = &card->drm;
  int r = drmm_mode_config_init (drm);
  if (r)
    return r;
  drm->mode_config.max_width = drm->mode_config.max_height = MAX_SIZE_PX;
  drm->mode_config.preferred_depth = 24;
  drm->mode_config.normalize_zpos = true;
  drm->mode_config.async_page_flip = true; /* it is said; a flip still ends with a vblank */
  drm->mode_config.funcs = &config_funcs;
  drm->mode_config.helper_private = &config_helpers;
  return 0;
}

static int
probe (struct platform_device *device)
{
  struct batest *card = devm_drm_dev_alloc (&device->dev, &driver, struct batest, drm);
  if (IS_ERR (card))
    return PTR_ERR (card);
  card->is_yuv = device->id > 0;
  platform_set_drvdata (device, card);
  int r = drmm_mutex_init (&card->drm, &card->lock);
  r = r ? r : configure (card);
  r = r ? r : batest_make_planes (card);
  r = r ? r : batest_make_crtc (card);
  r = r ? r : batest_make_screen (card);
  r = r ? r : drm_vblank_init (&card->drm, 1);
  if (r)
    return r;
  drm_mode_config_reset (&card->drm);
  drm_kms_helper_poll_init (&card->drm);
  r = drm_dev_register (&card->drm, 0);
  if (r)
    drm_kms_helper_poll_fini (&card->drm);
  else
    drm_fbdev_shmem_setup (&card->drm, 0);
  return r;
}

/* Whoever has the card open finds that it is gone. */
static void
remove (struct platform_device *device)
{
  struct batest *card = platform_get_drvdata (device);
  drm_kms_helper_poll_fini (&card->drm);
  drm_dev_unplug (&card->drm);
  drm_atomic_helper_shutdown (&card->drm);
  hrtimer_cancel (&card->timer);
}

static struct platform_driver platform = {
  .probe = probe,
  .remove_new = remove,
  .driver = {
    .name = NAME,
  },
};

/* ---- the devices ----------------------------------------------------------------------------------------------- */

static void
remove_devices (void)
{
  for (unsigned int i = 0; i < BATEST_CARDS; i++)
    if (!IS_ERR_OR_NULL (devices[i]))
      platform_device_unregister (devices[i]);
}

static int __init
start (void)
{
  int r = platform_driver_register (&platform);
  if (r)
    return r;
  for (unsigned int i = 0; i < BATEST_CARDS && r == 0; i++) {
    struct platform_device_info info = {
      .name = NAME,
      .id = i,
      .dma_mask = DMA_BIT_MASK (64),
    };
    devices[i] = platform_device_register_full (&info);
    r = PTR_ERR_OR_ZERO (devices[i]);
  }
  if (r) {
    remove_devices ();
    platform_driver_unregister (&platform);
  }
  return r;
}

static void __exit
end (void)
{
  remove_devices ();
  platform_driver_unregister (&platform);
}

module_init (start);
module_exit (end);

MODULE_DESCRIPTION ("cards of the tests of gst-bufalloc");
MODULE_LICENSE ("GPL");
