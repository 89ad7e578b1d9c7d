// SPDX-License-Identifier: GPL-2.0-only
/*
 * batest-debugfs.c: the files of a card in debugfs/dri/N.
 *
 *   screen      written: "off" unplugs it; "640x480 800x600" plugs one in with these modes, which likes the first best
 *   planes      what is on screen now: a line for the connector and one for each plane, of name=value
 *   flips       the last pictures that planes were given: number, plane, format, checksum
 *   pixels-N    what plane N shows, row after row without what is between them
 */
#include <drm/drm_atomic.h>
#include <drm/drm_debugfs.h>
#include <drm/drm_file.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_modeset_lock.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "batest.h"

#define MAX_WORDS 64

/* ---- screen ---------------------------------------------------------------------------------------------------- */

static ssize_t
write_screen (struct file *file, const char __user *text, size_t n_bytes, loff_t *at)
{
  char words[MAX_WORDS] = "";
  if (n_bytes >= sizeof (words))
    return -EINVAL;
  if (copy_from_user (words, text, n_bytes))
    return -EFAULT;
  int r = batest_plug (file->private_data, words);
  return r ? r : n_bytes;
}

static const struct file_operations screen_operations = {
  .owner = THIS_MODULE,
  .open = simple_open,
  .write = write_screen,
};

/* ---- planes ---------------------------------------------------------------------------------------------------- */

static void
print_connector (struct seq_file *out, struct batest *card)
{
  const struct drm_connector_state *state = card->connector.state;
  const struct drm_property_blob *hdr = state->hdr_output_metadata;
  const struct drm_crtc_state *crtc = card->crtc.state;
  seq_printf (out, "connector plugged=%d active=%d mode=%s looks=%u lit=%u bits=%u colorspace=%d hdr=", card->modes != 0,
              crtc->active, crtc->active ? crtc->mode.name : "-", card->n_looks, card->n_lit,
              state->max_requested_bpc, state->colorspace);
  if (hdr)
    seq_printf (out, "%*phN\n", (int) min_t (size_t, hdr->length, 64), hdr->data);
  else
    seq_puts (out, "-\n");
}

static void
print_plane (struct seq_file *out, const struct batest_plane *plane)
{
  const struct drm_plane_state *state = plane->base.state;
  seq_printf (out, "plane index=%u id=%u encoding=%d range=%d zpos=%u alpha=%u changed=%u", plane->index,
              plane->base.base.id, state->color_encoding, state->color_range, state->zpos, state->alpha,
              plane->n_changed);
  if (state->fb)
    seq_printf (out, " format=%.4s fb=%u by=%s src=%u,%u,%u,%u dst=%d,%d,%u,%u crc=%08x",
                (const char *) &state->fb->format->format, state->fb->base.id, state->fb->comm, state->src_x >> 16,
                state->src_y >> 16, state->src_w >> 16, state->src_h >> 16, state->crtc_x, state->crtc_y, state->crtc_w,
                state->crtc_h, plane->crc);
  seq_puts (out, "\n");
}

static int
planes_show (struct seq_file *out, void *unused)
{
  struct batest *card = out->private;
  drm_modeset_lock_all (&card->drm);
  mutex_lock (&card->lock);
  print_connector (out, card);
  for (unsigned int i = 0; i < card->n_planes; i++)
    print_plane (out, card->planes[i]);
  mutex_unlock (&card->lock);
  drm_modeset_unlock_all (&card->drm);
  return 0;
}
DEFINE_SHOW_ATTRIBUTE (planes);

/* ---- flips ----------------------------------------------------------------------------------------------------- */

static int
flips_show (struct seq_file *out, void *unused)
{
  struct batest *card = out->private;
  mutex_lock (&card->lock);
  u32 first = card->n_flips > BATEST_MAX_FLIPS ? card->n_flips - BATEST_MAX_FLIPS : 0;
  for (u32 i = first; i < card->n_flips; i++) {
    const struct batest_flip *flip = &card->flips[i % BATEST_MAX_FLIPS];
    seq_printf (out, "%u %u %.4s %08x\n", flip->number, flip->plane, (const char *) &flip->fourcc, flip->crc);
  }
  mutex_unlock (&card->lock);
  return 0;
}
DEFINE_SHOW_ATTRIBUTE (flips);

/* ---- pixels ---------------------------------------------------------------------------------------------------- */

struct pixels {
  u8 *bytes;
  size_t n_bytes;
};

static void
count_row (void *user, const u8 *bytes, size_t n_bytes)
{
  struct pixels *pixels = user;
  pixels->n_bytes += n_bytes;
}

static void
copy_row (void *user, const u8 *bytes, size_t n_bytes)
{
  struct pixels *pixels = user;
  memcpy (pixels->bytes + pixels->n_bytes, bytes, n_bytes);
  pixels->n_bytes += n_bytes;
}

static int
open_pixels (struct inode *inode, struct file *file)
{
  struct batest_plane *plane = inode->i_private;
  struct pixels *pixels = kzalloc (sizeof (*pixels), GFP_KERNEL);
  int r = pixels ? 0 : -ENOMEM;
  if (r)
    return r;
  drm_modeset_lock (&plane->base.mutex, NULL);
  const struct drm_plane_state *state = plane->base.state;
  if (state->fb) {
    batest_for_each_row (state, count_row, pixels);
    pixels->bytes = vmalloc (pixels->n_bytes);
    pixels->n_bytes = 0;
    r = pixels->bytes ? 0 : -ENOMEM;
    if (r == 0)
      batest_for_each_row (state, copy_row, pixels);
  }
  drm_modeset_unlock (&plane->base.mutex);
  if (r)
    kfree (pixels);
  else
    file->private_data = pixels;
  return r;
}

static ssize_t
read_pixels (struct file *file, char __user *to, size_t n_bytes, loff_t *at)
{
  const struct pixels *pixels = file->private_data;
  return simple_read_from_buffer (to, n_bytes, at, pixels->bytes, pixels->n_bytes);
}

static int
close_pixels (struct inode *inode, struct file *file)
{
  struct pixels *pixels = file->private_data;
  vfree (pixels->bytes);
  kfree (pixels);
  return 0;
}

static const struct file_operations pixels_operations = {
  .owner = THIS_MODULE,
  .open = open_pixels,
  .read = read_pixels,
  .release = close_pixels,
};

void
batest_make_files (struct drm_minor *minor)
{
  struct batest *card = to_batest (minor->dev);
  struct dentry *folder = minor->debugfs_root;
  debugfs_create_file ("screen", 0200, folder, card, &screen_operations);
  debugfs_create_file ("planes", 0400, folder, card, &planes_fops);
  debugfs_create_file ("flips", 0400, folder, card, &flips_fops);
  for (unsigned int i = 0; i < card->n_planes; i++) {
    char name[16];
    snprintf (name, sizeof (name), "pixels-%u", i);
    debugfs_create_file (name, 0400, folder, card->planes[i], &pixels_operations);
  }
}
