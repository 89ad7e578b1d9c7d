/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fake-kms-memory.c: the fake card's memory: dumb buffers, dmabufs that go out and come in, and the framebuffers over
 * them. Any file is a dmabuf here. As in the kernel a buffer that comes in twice has one handle, which one close ends.
 */
#include "fake-kms.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- buffers ---------------------------------------------------------------------------------------------------- */

int
fake_kms_create_dumb (FakeKms *fake, struct drm_mode_create_dumb *arg)
{
  if (arg->bpp == fake->refuse_bpp)
    return fake_kms_fail_with (EINVAL);
  if (fake_kms_count (fake->handles) >= fake->most_dumbs)
    return fake_kms_fail_with (ENOMEM);
  FakeThing *buffer = fake_kms_make (fake, fake->handles);
  uint32_t align = fake->pitch_align ? fake->pitch_align : 4;
  arg->pitch = (arg->width * arg->bpp / 8 + align - 1) / align * align;
  arg->size = ((uint64_t) arg->pitch * arg->height + 4095) / 4096 * 4096;
  arg->handle = buffer->id;
  buffer->bytes = (uint32_t) arg->size;
  if (arg->size > FAKE_BUFFER_BYTES)
    abort ();
  return 0;
}

int
fake_kms_map_dumb (FakeKms *fake, struct drm_mode_map_dumb *arg)
{
  const FakeThing *buffer = fake_kms_find (fake->handles, arg->handle);
  if (!buffer)
    return fake_kms_fail_with (ENOENT);
  arg->offset = (uint64_t) (buffer - fake->handles) * FAKE_BUFFER_BYTES;
  return 0;
}

/* All buffers are in one memory: what is given is that, which is enough to see whose fd it is. */
int
fake_kms_export (FakeKms *fake, struct drm_prime_handle *arg)
{
  if (fake->no_export)
    return fake_kms_fail_with (ENOSYS);
  if (!arg->handle || !fake_kms_find (fake->handles, arg->handle))
    return fake_kms_fail_with (ENOENT);
  if (arg->flags != (DRM_CLOEXEC | DRM_RDWR))
    return fake_kms_fail_with (EINVAL);
  fake->exported = arg->handle;
  arg->fd = bai_device_calls.dup (NULL, fake->memory_fd);
  return arg->fd < 0 ? -1 : 0;
}

int
fake_kms_import (FakeKms *fake, struct drm_prime_handle *arg)
{
  struct stat status, own;
  fake->n_imports++;
  if (fake->refuse_import)
    return fake_kms_fail_with (fake->refuse_import);
  if (fstat (arg->fd, &status) < 0 || fstat (fake->memory_fd, &own) < 0)
    return -1;
  arg->handle = status.st_dev == own.st_dev && status.st_ino == own.st_ino ? fake->exported : 0;
  for (unsigned i = 0; arg->handle == 0 && i < FAKE_MAX_THINGS; i++) {
    if (fake->handles[i].id && fake->handles[i].inode == status.st_ino)
      arg->handle = fake->handles[i].id;
  }
  if (arg->handle == 0) {
    FakeThing *buffer = fake_kms_make (fake, fake->handles);
    buffer->bytes = (uint32_t) status.st_size;
    buffer->inode = status.st_ino;
    arg->handle = buffer->id;
  }
  return 0;
}

int
fake_kms_gem_close (FakeKms *fake, const struct drm_gem_close *arg)
{
  const FakeThing *buffer = arg->handle ? fake_kms_find (fake->handles, arg->handle) : NULL;
  /* of a dumb buffer, or of none: something was closed twice */
  fake->n_bad_closes += !buffer || buffer->inode == 0;
  return fake_kms_remove (fake->handles, arg->handle);
}

/* ---- framebuffers ------------------------------------------------------------------------------------------------ */

int
fake_kms_add_fb (FakeKms *fake, struct drm_mode_fb_cmd2 *arg)
{
  if (arg->pixel_format == fake->refuse_fb || (arg->flags && fake->no_modifiers))
    return fake_kms_fail_with (EINVAL);
  for (unsigned i = 0; i < 3; i++) {
    const FakeThing *buffer = arg->handles[i] ? fake_kms_find (fake->handles, arg->handles[i]) : NULL;
    uint32_t rows = i == 0 || arg->pixel_format == DRM_FORMAT_NV16 ? arg->height : (arg->height + 1) / 2;
    if (!buffer && (arg->handles[i] || i == 0))
      return fake_kms_fail_with (ENOENT);
    if (buffer && arg->offsets[i] + arg->pitches[i] * rows > buffer->bytes)
      return fake_kms_fail_with (EINVAL);
  }
  FakeThing *fb = fake_kms_make (fake, fake->fbs);
  fb->width = arg->width;
  fb->height = arg->height;
  fb->fourcc = arg->pixel_format;
  fb->modifier = arg->flags & DRM_MODE_FB_MODIFIERS ? arg->modifier[0] : 0;
  for (unsigned i = 0; i < 3; i++) {
    fb->handles[i] = arg->handles[i];
    fb->offsets[i] = arg->offsets[i];
    fb->pitches[i] = arg->pitches[i];
  }
  arg->fb_id = fb->id;
  return 0;
}

/* What is on screen goes with its framebuffer. */
void
fake_kms_drop_fb (FakeKms *fake, uint32_t id)
{
  for (unsigned i = 0; i < FAKE_N_PLANES; i++) {
    if (fake->screen.planes[i].fb != id)
      continue;
    if (i == 0) {
      fake->screen.active = false;
      fake->screen.connector_crtc = 0;
    }
    fake->screen.planes[i].fb = fake->screen.planes[i].crtc = 0;
  }
}

int
fake_kms_remove (FakeThing *things, uint32_t id)
{
  FakeThing *thing = id ? fake_kms_find (things, id) : NULL;
  if (!thing)
    return fake_kms_fail_with (ENOENT);
  *thing = (FakeThing){ 0 };
  return 0;
}
