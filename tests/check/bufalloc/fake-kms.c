/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fake-kms.c: see fake-kms.h. Each ioctl does what the kernel's drm_mode_*.c and drm_atomic_*.c do, as far as displays
 * can see it, so that a test which passes here says something about a card.
 */
#include "fake-kms.h"

#include <bufalloc/registry.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define MODE(w, h, hz, is_preferred, with_flags)                                                                       \
  {                                                                                                                    \
    .clock = (w) * (h) * (hz) / ((with_flags) &DRM_MODE_FLAG_INTERLACE ? 2000 : 1000), .hdisplay = (w), .htotal = (w), \
    .vdisplay = (h), .vtotal = (h), .vrefresh = (hz), .type = (is_preferred) ? DRM_MODE_TYPE_PREFERRED : 0,            \
    .flags = (with_flags),                                                                                             \
  }

/* Sizes of which the pixel clock comes out in whole kHz. */
static const struct drm_mode_modeinfo modes[] = {
  MODE (100, 50, 75, false, 0), MODE (100, 50, 60, false, 0),  MODE (200, 100, 60, false, DRM_MODE_FLAG_INTERLACE),
  MODE (200, 100, 60, true, 0), MODE (200, 100, 50, false, 0),
};

#define N_MODES (sizeof modes / sizeof modes[0])

static const uint32_t usual_formats[] = { DRM_FORMAT_RGB565, DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888, DRM_FORMAT_NV12,
                                          DRM_FORMAT_YUV420 };

/* ---- failing --------------------------------------------------------------------------------------------------- */

int
fake_kms_fail_with (int code)
{
  errno = code;
  return -1;
}

/* Counts a call; true where it is to fail, with errno set. */
static bool
fails (FakeKms *fake)
{
  if (++fake->n_calls != fake->fail_nth)
    return false;
  fake->failed = true;
  errno = fake->fail_errno;
  return true;
}

static bool
gives_back (unsigned long request)
{
  return request == DRM_IOCTL_MODE_RMFB || request == DRM_IOCTL_MODE_DESTROY_DUMB
         || request == DRM_IOCTL_MODE_DESTROYPROPBLOB || request == DRM_IOCTL_DROP_MASTER
         || request == DRM_IOCTL_GEM_CLOSE;
}

/* ---- things with numbers --------------------------------------------------------------------------------------- */

FakeThing *
fake_kms_find (FakeThing *things, uint32_t id)
{
  for (unsigned i = 0; i < FAKE_MAX_THINGS; i++) {
    if (things[i].id == id)
      return &things[i];
  }
  return NULL;
}

FakeThing *
fake_kms_make (FakeKms *fake, FakeThing *things)
{
  FakeThing *thing = fake_kms_find (things, 0);
  if (!thing)
    abort ();
  *thing = (FakeThing){ .id = fake->next_id++ };
  return thing;
}

unsigned
fake_kms_count (const FakeThing *things)
{
  unsigned n = 0;
  for (unsigned i = 0; i < FAKE_MAX_THINGS; i++)
    n += things[i].id != 0;
  return n;
}

/* As copying to user space does: as much as there is room for, and how many there are. */
void
fake_kms_give (uint64_t to, uint32_t *room, const void *from, uint32_t n, size_t each)
{
  if (to && *room)
    memcpy ((void *) (uintptr_t) to, from, (*room < n ? *room : n) * each);
  *room = n;
}

/* ---- what there is --------------------------------------------------------------------------------------------- */

static int
get_resources (struct drm_mode_card_res *arg)
{
  static const uint32_t connectors[] = { FAKE_VGA, FAKE_HDMI }, crtcs[] = { FAKE_CRTC, FAKE_CRTC_2 };
  fake_kms_give (arg->connector_id_ptr, &arg->count_connectors, connectors, 2, sizeof connectors[0]);
  fake_kms_give (arg->crtc_id_ptr, &arg->count_crtcs, crtcs, 2, sizeof crtcs[0]);
  return 0;
}

/* Of more than there are the others are as large as nobody needs them. */
static struct drm_mode_modeinfo
mode_of (uint32_t i)
{
  struct drm_mode_modeinfo mode = modes[i % N_MODES];
  if (i >= N_MODES) {
    mode.type = 0;
    mode.hdisplay = (uint16_t) (mode.hdisplay + 1000 + i);
  }
  return mode;
}

static int
get_connector (FakeKms *fake, struct drm_mode_get_connector *arg)
{
  fake->n_looks++;
  fake->n_probes += arg->count_modes == 0;
  bool connected = arg->connector_id == FAKE_HDMI ? !fake->unplugged : fake->two_screens;
  const uint32_t encoder = arg->connector_id + 10;
  uint32_t n = !connected ? 0 : fake->n_modes ? fake->n_modes : N_MODES;
  if (arg->count_modes >= n) {
    for (uint32_t i = 0; i < n && arg->modes_ptr; i++)
      ((struct drm_mode_modeinfo *) (uintptr_t) arg->modes_ptr)[i] = mode_of (i);
  }
  arg->count_modes = n;
  fake_kms_give (arg->encoders_ptr, &arg->count_encoders, &encoder, 1, sizeof encoder);
  arg->encoder_id = arg->connector_id == FAKE_HDMI && fake->screen.connector_crtc ? encoder : 0;
  arg->connector_type = arg->connector_id == FAKE_HDMI ? DRM_MODE_CONNECTOR_HDMIA : DRM_MODE_CONNECTOR_VGA;
  arg->connector_type_id = 1;
  arg->connection = connected ? 1 : 2;
  arg->count_props = 0;
  return 0;
}

static int
get_crtc (const FakeKms *fake, struct drm_mode_crtc *arg)
{
  bool first = arg->crtc_id == FAKE_CRTC;
  arg->mode_valid = first && fake->screen.active;
  arg->fb_id = first ? fake->screen.planes[0].fb : 0;
  memset (&arg->mode, 0, sizeof arg->mode);
  if (arg->mode_valid)
    arg->mode = fake->screen.mode;
  return 0;
}

static int
get_plane (const FakeKms *fake, struct drm_mode_get_plane *arg)
{
  const FakePlane *plane = &fake->screen.planes[arg->plane_id - FAKE_PRIMARY];
  arg->crtc_id = plane->crtc;
  arg->fb_id = plane->fb;
  arg->possible_crtcs = arg->plane_id == FAKE_PRIMARY ? 1 : arg->plane_id == FAKE_PRIMARY_2 ? 2 : 3;
  if (arg->count_format_types >= fake->n_formats)
    fake_kms_give (arg->format_type_ptr, &arg->count_format_types, fake->formats, fake->n_formats, sizeof (uint32_t));
  arg->count_format_types = fake->n_formats;
  return 0;
}

/* ---- the table of ioctls --------------------------------------------------------------------------------------- */

static bool
needs_master (unsigned long request)
{
  return request == DRM_IOCTL_MODE_SETCRTC || request == DRM_IOCTL_MODE_ATOMIC || request == DRM_IOCTL_MODE_PAGE_FLIP
         || request == DRM_IOCTL_MODE_SETPLANE || request == DRM_IOCTL_AUTH_MAGIC || request == DRM_IOCTL_MODE_DIRTYFB;
}

static int
get_cap (const FakeKms *fake, struct drm_get_cap *arg)
{
  arg->value = arg->capability == DRM_CAP_DUMB_BUFFER           ? !fake->no_dumb
               : arg->capability == DRM_CAP_PRIME               ? (fake->no_import ? 0 : DRM_PRIME_CAP_IMPORT)
               : arg->capability == DRM_CAP_ADDFB2_MODIFIERS    ? !fake->no_modifiers
                                                                : 1;
  return 0;
}

static int
get_version (struct drm_version *arg)
{
  static const char name[] = "fakekms";
  memcpy (arg->name, name, arg->name_len < 7 ? arg->name_len : 7);
  arg->name_len = 7;
  return 0;
}

static int
become_master (FakeKms *fake)
{
  if (fake->master_is_other)
    return fake_kms_fail_with (EBUSY);
  fake->is_master = true;
  return 0;
}

static int
give_back (FakeKms *fake, unsigned long request, void *arg)
{
  switch (request) {
    case DRM_IOCTL_MODE_RMFB:
      fake_kms_drop_fb (fake, *(uint32_t *) arg);
      return fake_kms_remove (fake->fbs, *(uint32_t *) arg);
    case DRM_IOCTL_MODE_DESTROY_DUMB:
      return fake_kms_remove (fake->handles, ((struct drm_mode_destroy_dumb *) arg)->handle);
    case DRM_IOCTL_GEM_CLOSE:
      return fake_kms_gem_close (fake, arg);
    case DRM_IOCTL_MODE_DESTROYPROPBLOB:
      return fake_kms_remove (fake->blobs, ((struct drm_mode_destroy_blob *) arg)->blob_id);
    default:
      fake->is_master = false;
      return 0;
  }
}

static int
ask (FakeKms *fake, unsigned long request, void *arg)
{
  switch (request) {
    case DRM_IOCTL_VERSION:
      return get_version (arg);
    case DRM_IOCTL_GET_CAP:
      return get_cap (fake, arg);
    case DRM_IOCTL_SET_CLIENT_CAP:
      return ((struct drm_set_client_cap *) arg)->capability == DRM_CLIENT_CAP_ATOMIC && fake->no_atomic
                 ? fake_kms_fail_with (EOPNOTSUPP)
                 : 0;
    case DRM_IOCTL_AUTH_MAGIC:
      return fake_kms_fail_with (EINVAL); /* a master, and nobody has that number */
    case DRM_IOCTL_SET_MASTER:
      return become_master (fake);
    case DRM_IOCTL_WAIT_VBLANK:
      return fake->no_vblank ? fake_kms_fail_with (EOPNOTSUPP) : 0;
    case DRM_IOCTL_MODE_GETRESOURCES:
      return get_resources (arg);
    case DRM_IOCTL_MODE_GETCONNECTOR:
      return get_connector (fake, arg);
    case DRM_IOCTL_MODE_GETENCODER:
      ((struct drm_mode_get_encoder *) arg)->crtc_id = fake->screen.connector_crtc;
      ((struct drm_mode_get_encoder *) arg)->possible_crtcs = 3;
      return 0;
    case DRM_IOCTL_MODE_GETCRTC:
      return get_crtc (fake, arg);
    case DRM_IOCTL_MODE_GETPLANERESOURCES: {
      static const uint32_t planes[] = { FAKE_OVERLAY, FAKE_PRIMARY_2, FAKE_PRIMARY, FAKE_OVERLAY_2 };
      struct drm_mode_get_plane_res *list = arg;
      fake_kms_give (list->plane_id_ptr, &list->count_planes, planes, fake->two_overlays ? 4 : 3, sizeof planes[0]);
      return 0;
    }
    case DRM_IOCTL_MODE_GETPLANE:
      return get_plane (fake, arg);
    case DRM_IOCTL_MODE_OBJ_GETPROPERTIES:
      return fake_kms_get_properties (fake, arg);
    case DRM_IOCTL_MODE_GETPROPBLOB:
      return fake_kms_get_blob (fake, arg);
    case DRM_IOCTL_MODE_GETPROPERTY:
      return fake_kms_get_property (fake, arg);
    default:
      return fake_kms_fail_with (ENOTTY);
  }
}

static int
change (FakeKms *fake, unsigned long request, void *arg)
{
  switch (request) {
    case DRM_IOCTL_MODE_CREATEPROPBLOB:
      return fake_kms_create_blob (fake, arg);
    case DRM_IOCTL_PRIME_HANDLE_TO_FD:
      return fake_kms_export (fake, arg);
    case DRM_IOCTL_PRIME_FD_TO_HANDLE:
      return fake_kms_import (fake, arg);
    case DRM_IOCTL_MODE_CREATE_DUMB:
      return fake_kms_create_dumb (fake, arg);
    case DRM_IOCTL_MODE_MAP_DUMB:
      return fake_kms_map_dumb (fake, arg);
    case DRM_IOCTL_MODE_ADDFB2:
      return fake_kms_add_fb (fake, arg);
    case DRM_IOCTL_MODE_ATOMIC:
      return fake_kms_atomic (fake, arg);
    case DRM_IOCTL_MODE_SETCRTC:
      return fake_kms_set_crtc (fake, arg);
    case DRM_IOCTL_MODE_PAGE_FLIP:
      return fake_kms_page_flip (fake, arg);
    case DRM_IOCTL_MODE_SETPLANE:
      return fake_kms_set_plane (fake, arg);
    case DRM_IOCTL_MODE_DIRTYFB:
      fake->n_dirty++;
      return 0;
    default:
      return ask (fake, request, arg);
  }
}

static int
fake_ioctl (void *ctx, int fd, unsigned long request, void *arg)
{
  FakeKms *fake = ctx;
  if (fd != fake->fd && fd != fake->second_fd)
    return bai_device_calls.ioctl (NULL, fd, request, arg);
  if (fake->vanished)
    return fake_kms_fail_with (ENODEV);
  if (gives_back (request))
    return give_back (fake, request, arg);
  if (fails (fake))
    return -1;
  if (request == fake->refuse_request)
    return fake_kms_fail_with (fake->refuse_errno);
  if (needs_master (request) && (!fake->is_master || fake->master_is_other))
    return fake_kms_fail_with (EACCES);
  return change (fake, request, arg);
}

/* ---- the other calls ------------------------------------------------------------------------------------------- */

static int
fake_open (void *ctx, const char *path, int flags, mode_t mode)
{
  FakeKms *fake = ctx;
  (void) flags;
  (void) mode;
  if (strcmp (path, FAKE_CARD_PATH) != 0 || fake->absent)
    return fake_kms_fail_with (ENOENT);
  return fails (fake) ? -1 : fake_kms_open_fd (fake);
}

static int
fake_close (void *ctx, int fd)
{
  FakeKms *fake = ctx;
  if (fd == fake->fd) {
    fake->n_leaked += fake_kms_count (fake->handles) + fake_kms_count (fake->fbs) + fake_kms_count (fake->blobs);
    fake->fd = -1;
  }
  if (fd == fake->fence_fd)
    fake->fence_fd = -1;
  fake->n_open--;
  return close (fd);
}

static int
fake_dup (void *ctx, int fd)
{
  FakeKms *fake = ctx;
  int copy = fails (fake) ? -1 : bai_device_calls.dup (NULL, fd);
  fake->n_open += copy >= 0;
  return copy;
}

static int
fake_is_same_file (void *ctx, int a, int b)
{
  const FakeKms *fake = ctx;
  BaPool *none;
  ba_registry_find_by_id (NULL, 0, &none); /* would wait for good if the registry were locked */
  return fake->no_kcmp ? -1 : bai_device_calls.is_same_file (NULL, a, b);
}

static int
fake_fstat (void *ctx, int fd, struct stat *status)
{
  const FakeKms *fake = ctx;
  if (fails (ctx) || bai_device_calls.fstat (NULL, fd, status) < 0)
    return -1;
  if (fake->one_inode) {
    status->st_ino = 7;
    status->st_size = 0;
  }
  return 0;
}

static void *
fake_mmap (void *ctx, size_t size_bytes, int prot, int flags, int fd, off_t offset)
{
  FakeKms *fake = ctx;
  if (fails (fake))
    return MAP_FAILED;
  fake->n_mapped++;
  return bai_device_calls.mmap (NULL, size_bytes, prot, flags, fd, offset);
}

static int
fake_mmap_over (void *ctx, void *address, size_t size_bytes, int prot, int flags, int fd, off_t offset)
{
  FakeKms *fake = ctx;
  if (fails (fake))
    return -1;
  return bai_device_calls.mmap_over (NULL, address, size_bytes, prot, flags, fd == fake->fd ? fake->memory_fd : fd,
                                     offset);
}

static int
fake_munmap (void *ctx, void *address, size_t size_bytes)
{
  ((FakeKms *) ctx)->n_mapped--;
  return munmap (address, size_bytes);
}

static int
fake_socketpair (void *ctx, int ends[2])
{
  FakeKms *fake = ctx;
  if (fails (fake) || bai_device_calls.socketpair (NULL, ends) < 0)
    return -1;
  fake->n_open += 2;
  return 0;
}

/* A socket of the display's own each time, at the same other end. */
static int
fake_uevent_socket (void *ctx)
{
  FakeKms *fake = ctx;
  if (fails (fake))
    return -1;
  if (fake->no_uevents)
    return fake_kms_fail_with (EAFNOSUPPORT);
  fake->n_open++;
  return fake->uevents[0] = dup (fake->first_uevent);
}

static ssize_t
fake_uevent_read (void *ctx, int fd, void *to, size_t size_bytes)
{
  return fails (ctx) ? -1 : bai_device_calls.uevent_read (NULL, fd, to, size_bytes);
}

void
fake_kms_tell (FakeKms *fake, bool of_card)
{
  static const char card[] = "change@/devices/pci0000:00/card1\0ACTION=change\0SUBSYSTEM=drm\0HOTPLUG=1\0SEQNUM=7";
  static const char disk[] = "change@/devices/virtual/block/loop0\0ACTION=change\0SUBSYSTEM=block";
  if (write (fake->uevents[1], of_card ? card : disk, of_card ? sizeof card : sizeof disk) < 0)
    abort ();
}

static pid_t
fake_fork (void *ctx)
{
  return fails (ctx) ? -1 : bai_device_calls.fork (NULL);
}

/* Time passes here, and only here: to the next vsync where a flip waits for it, else as long as one would wait. */
static int
fake_poll (void *ctx, struct pollfd *fds, unsigned n_fds, int timeout_ms)
{
  FakeKms *fake = ctx;
  if (fails (fake))
    return -1;
  if (n_fds == 1 && fake->is_flipping && !fake->no_events) {
    if (!fake->event_ready && timeout_ms > 0)
      fake->clock_ns = (fake->clock_ns / fake->period_ns + 1) * fake->period_ns;
    else if (!fake->event_ready)
      return 0;
    fake->event_ready = fake->fence_fd < 0;
    fake->is_flipping = fake->event_ready;
    fds[0].revents = POLLIN;
    return 1;
  }
  fake->clock_ns += (int64_t) timeout_ms * 1000000;
  return 0;
}

static ssize_t
fake_read (void *ctx, int fd, void *to, size_t size_bytes)
{
  FakeKms *fake = ctx;
  struct drm_event_vblank event = {
    .base = { .type = DRM_EVENT_FLIP_COMPLETE, .length = sizeof event },
    .user_data = fake->flip_user,
  };
  if (fails (fake))
    return -1;
  if (fd != fake->fd || !fake->event_ready || size_bytes < sizeof event)
    return fake_kms_fail_with (EAGAIN);
  memcpy (to, &event, sizeof event);
  fake->event_ready = fake->is_flipping = false;
  return sizeof event;
}

static int64_t
fake_now_ns (void *ctx)
{
  return ((FakeKms *) ctx)->clock_ns;
}

/* ---- for tests ------------------------------------------------------------------------------------------------- */

void
fake_kms_init (FakeKms *fake)
{
  memset (fake, 0, sizeof *fake);
  fake->calls = bai_device_calls;
  fake->calls.ctx = fake;
  fake->calls.open = fake_open;
  fake->calls.close = fake_close;
  fake->calls.ioctl = fake_ioctl;
  fake->calls.dup = fake_dup;
  fake->calls.is_same_file = fake_is_same_file;
  fake->calls.fstat = fake_fstat;
  fake->calls.mmap = fake_mmap;
  fake->calls.mmap_over = fake_mmap_over;
  fake->calls.munmap = fake_munmap;
  fake->calls.socketpair = fake_socketpair;
  fake->calls.fork = fake_fork;
  fake->calls.uevent_socket = fake_uevent_socket;
  fake->calls.uevent_read = fake_uevent_read;
  fake->calls.poll = fake_poll;
  fake->calls.read = fake_read;
  fake->calls.now_ns = fake_now_ns;
  fake->formats = usual_formats;
  fake->n_formats = sizeof usual_formats / sizeof usual_formats[0];
  fake->most_dumbs = FAKE_MAX_THINGS;
  fake->period_ns = 1000000000 / 60;
  fake->clock_ns = 1000 * fake->period_ns;
  fake->fd = fake->second_fd = fake->fence_fd = -1;
  fake->next_id = 1000;
  if (socketpair (AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fake->uevents) < 0)
    abort ();
  fake->first_uevent = fake->uevents[0];
  fake->memory_fd = memfd_create ("fake-kms", MFD_CLOEXEC);
  if (fake->memory_fd < 0 || ftruncate (fake->memory_fd, (off_t) FAKE_BUFFER_BYTES * FAKE_MAX_THINGS) < 0)
    abort ();
}

void
fake_kms_ready (FakeKms *fake)
{
  if (!fake->dark) {
    fake->screen.connector_crtc = FAKE_CRTC;
    fake->screen.active = true;
    fake->screen.mode = modes[1];
    fake_kms_cover (&fake->screen.planes[0], FAKE_CONSOLE_FB, FAKE_CRTC, modes[1].hdisplay, modes[1].vdisplay);
  }
  fake->screen.planes[2].values[FAKE_P_ZPOS] = 1;
  for (unsigned i = 0; i < FAKE_N_PLANES; i++)
    fake->screen.planes[i].values[FAKE_P_ALPHA] = 0xffff;
  fake->screen.connector_values[FAKE_P_MAX_BPC] = 8;
  fake->first_screen = fake->screen;
}

void
fake_kms_finish (FakeKms *fake)
{
  close (fake->memory_fd);
  close (fake->first_uevent);
  close (fake->uevents[1]);
}

bool
fake_kms_is_restored (const FakeKms *fake)
{
  return memcmp (&fake->screen, &fake->first_screen, sizeof fake->screen) == 0;
}

const FakeThing *
fake_kms_shown (const FakeKms *fake, uint32_t plane)
{
  uint32_t fb = fake->screen.planes[plane - FAKE_PRIMARY].fb;
  for (unsigned i = 0; fb && i < FAKE_MAX_THINGS; i++) {
    if (fake->fbs[i].id == fb)
      return &fake->fbs[i];
  }
  return NULL;
}

int
fake_kms_open_fd (FakeKms *fake)
{
  fake->fd = dup (fake->memory_fd);
  fake->n_open++;
  fake->is_master = !fake->master_is_other;
  return fake->fd;
}
