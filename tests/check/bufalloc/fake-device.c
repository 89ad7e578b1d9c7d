/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fake-device.c: see fake-device.h. Each ioctl does what the kernel's fbmem.c does, so that a test which passes here
 * says something about a device.
 */
#include "fake-device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kd.h>
#include <linux/vt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Counts a call; true where it is to fail, with errno set. */
static bool
fails (FakeDevice *fake, FakeCall call)
{
  unsigned nth = 0;
  fake->counts[call]++;
  if (fake->fail_call == FAKE_ANY) {
    for (int i = 0; i < FAKE_N_CALLS; i++)
      nth += i == FAKE_CLOSE || i == FAKE_MUNMAP ? 0 : fake->counts[i];
    if (call == FAKE_CLOSE || call == FAKE_MUNMAP)
      return false;
  } else if (fake->fail_call == call) {
    nth = fake->counts[call];
  }
  if (fake->fail_nth == 0 || nth != fake->fail_nth)
    return false;
  fake->failed = true;
  errno = fake->fail_errno;
  return true;
}

static int64_t
clock_now (const FakeDevice *fake)
{
  return fake->real_clock ? bai_device_calls.now_ns (NULL) : fake->clock_ns;
}

/* Lets time pass to the next vsync. */
static void
advance_to_vsync (FakeDevice *fake)
{
  int64_t now_ns = clock_now (fake);
  int64_t next_ns = (now_ns / fake->period_ns + 1) * fake->period_ns;
  if (!fake->real_clock) {
    fake->clock_ns = next_ns;
    return;
  }
  pthread_mutex_unlock (&fake->lock);
  struct timespec until = { .tv_sec = next_ns / 1000000000, .tv_nsec = next_ns % 1000000000 };
  while (clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
    ;
  pthread_mutex_lock (&fake->lock);
}

static int
fail_with (int code)
{
  errno = code;
  return -1;
}

/* ---- the framebuffer ------------------------------------------------------------------------------------------- */

static bool
is_fb (const FakeDevice *fake, int fd)
{
  for (int i = 0; i < FAKE_MAX_FDS; i++) {
    if (fake->fb_fds[i] == fd)
      return true;
  }
  return false;
}

static int
put_var (FakeDevice *fake, struct fb_var_screeninfo *var)
{
  fake->n_puts++;
  if (fake->fixed_mode)
    return fail_with (EINVAL);
  if (var->yres_virtual > fake->first_var.yres_virtual) {
    switch (fake->grow) {
      case FAKE_GROW_REFUSED:
        return fail_with (EINVAL);
      case FAKE_GROW_BUSY:
        return fail_with (EBUSY);
      case FAKE_GROW_LIED:
        return 0;
      case FAKE_GROW_CUT:
        if (var->yres_virtual > fake->grow_limit_rows)
          var->yres_virtual = fake->grow_limit_rows;
        break;
      case FAKE_GROW_REMODES:
        var->xres /= 2;
        break;
      case FAKE_GROW_FITS:
        break;
    }
  }
  if ((uint64_t) var->yres_virtual * fake->fix.line_length > fake->fix.smem_len || var->yres_virtual < var->yres)
    return fail_with (EINVAL);
  if (var->yoffset + var->yres > var->yres_virtual)
    return fail_with (EINVAL);
  if (fake->put_stays) {
    var->xoffset = fake->var.xoffset;
    var->yoffset = fake->var.yoffset;
  }
  fake->var = *var;
  return 0;
}

static int
pan_var (FakeDevice *fake, const struct fb_var_screeninfo *var)
{
  fake->n_pans++;
  if (fake->pan == FAKE_PAN_REFUSED)
    return fail_with (EINVAL);
  if (fake->pan == FAKE_PAN_BUSY)
    return fail_with (EBUSY);
  if (var->vmode & FB_VMODE_YWRAP)
    return fail_with (EINVAL); /* no hardware of ours wraps */
  if (var->yoffset > 0 && (fake->fix.ypanstep == 0 || var->yoffset % fake->fix.ypanstep))
    return fail_with (EINVAL);
  if (var->yoffset + fake->var.yres > fake->var.yres_virtual || var->xoffset + fake->var.xres > fake->var.xres_virtual)
    return fail_with (EINVAL);
  int64_t row = fake->shown_row + var->yoffset - fake->var.yoffset;
  if (fake->moves_by_difference
      && (row < 0 || (uint64_t) (row + fake->var.yres) * fake->fix.line_length > fake->fix.smem_len))
    return fail_with (ENOSPC);
  fake->shown_row = row;
  if (fake->pan == FAKE_PAN_BLOCKS)
    advance_to_vsync (fake);
  fake->var.xoffset = var->xoffset;
  fake->var.yoffset = var->yoffset;
  fake->var.vmode &= ~(uint32_t) FB_VMODE_YWRAP;
  return 0;
}

static int
wait_vsync (FakeDevice *fake, const uint32_t *crtc)
{
  fake->n_vsyncs++;
  if (fake->vsync == FAKE_VSYNC_MISSING)
    return fail_with (ENOTTY);
  if (!crtc)
    return fail_with (EFAULT);
  if (*crtc != 0)
    return fail_with (ENODEV);
  if (fake->during_vsync) {
    pthread_mutex_unlock (&fake->lock);
    fake->during_vsync (fake->user);
    pthread_mutex_lock (&fake->lock);
  }
  if (fake->vsync == FAKE_VSYNC_CLOCK)
    advance_to_vsync (fake);
  if (fake->vsync == FAKE_VSYNC_TIMES_OUT)
    fake->clock_ns += fake->vsync_takes_ns;
  return 0;
}

static int
copy_cmap (FakeDevice *fake, const struct fb_cmap *cmap, bool set)
{
  uint16_t *theirs[3] = { cmap->red, cmap->green, cmap->blue };
  if (fake->cmap == FAKE_CMAP_NONE)
    return fail_with (ENOTTY);
  if (cmap->start != 0 || cmap->len == 0 || cmap->len > 256)
    return fail_with (EINVAL);
  if (set && fake->cmap == FAKE_CMAP_FIXED)
    return fail_with (EINVAL);
  fake->n_cmaps += set;
  for (int c = 0; c < 3; c++) {
    size_t size_bytes = cmap->len * sizeof (uint16_t);
    memcpy (set ? fake->colours[c] : theirs[c], set ? theirs[c] : fake->colours[c], size_bytes);
  }
  return 0;
}

static int
fb_ioctl_locked (FakeDevice *fake, unsigned long request, void *arg)
{
  if (fake->refuse_request != 0 && request == fake->refuse_request) {
    fake->n_refused++;
    return fail_with (fake->refuse_errno);
  }
  switch (request) {
    case FBIOGETCMAP:
      return copy_cmap (fake, arg, false);
    case FBIOPUTCMAP:
      return copy_cmap (fake, arg, true);
    case FBIOGET_VSCREENINFO:
      *(struct fb_var_screeninfo *) arg = fake->var;
      return 0;
    case FBIOGET_FSCREENINFO:
      *(struct fb_fix_screeninfo *) arg = fake->fix;
      return 0;
    case FBIOPUT_VSCREENINFO:
      return put_var (fake, arg);
    case FBIOPAN_DISPLAY:
      return pan_var (fake, arg);
    case FBIOBLANK:
      if (arg == (void *) FB_BLANK_UNBLANK)
        fake->n_unblanks++;
      return 0;
    case FBIOGET_CON2FBMAP:
      ((struct fb_con2fbmap *) arg)->framebuffer = fake->console_fb;
      return 0;
    case FBIO_WAITFORVSYNC:
      return wait_vsync (fake, arg);
    default:
      return fail_with (ENOTTY);
  }
}

/* ---- the terminal ---------------------------------------------------------------------------------------------- */

static int
keep_fd (FakeDevice *fake, int fd, bool fb)
{
  if (fd < 0)
    return fd;
  fake->n_open++;
  for (int i = 0; fb && i < FAKE_MAX_FDS; i++) {
    if (fake->fb_fds[i] < 0) {
      fake->fb_fds[i] = fd;
      return fd;
    }
  }
  return fd;
}

static bool
is_for_tty (unsigned long request)
{
  return request == TIOCGDEV || request == VT_GETSTATE || request == KDGETMODE || request == KDSETMODE
         || request == TIOCNOTTY;
}

/* Whoever runs the tests on a terminal of his own keeps it as it is. */
static int
tty_ioctl_locked (FakeDevice *fake, int fd, unsigned long request, void *arg)
{
  const char *path = fd <= STDERR_FILENO ? NULL : fake->tty_path;
  int code = fake->tty_ioctl ? fake->tty_ioctl (fake->user, path, request, arg) : ENOTTY;
  return code != 0 ? fail_with (code) : 0;
}

static int
open_tty_locked (FakeDevice *fake, const char *path)
{
  int code = fake->tty_ioctl ? fake->tty_ioctl (fake->user, path, 0, NULL) : ENXIO;
  if (code != 0)
    return fail_with (code);
  snprintf (fake->tty_path, sizeof fake->tty_path, "%s", path);
  return keep_fd (fake, dup (fake->memory_fd), false);
}

/* ---- the table ------------------------------------------------------------------------------------------------- */

static int
fake_open (void *ctx, const char *path, int flags, mode_t mode)
{
  FakeDevice *fake = ctx;
  int fd = -1;
  pthread_mutex_lock (&fake->lock);
  fake->last_open_flags = flags;
  if (fails (fake, FAKE_OPEN))
    ;
  else if (strncmp (path, "/dev/dri/", 9) == 0)
    errno = ENOENT; /* the machine's cards are none of a test's business */
  else if (strncmp (path, "/dev/tty", 8) == 0)
    fd = open_tty_locked (fake, path);
  else if (strcmp (path, FAKE_FB_PATH) != 0)
    fd = keep_fd (fake, bai_device_calls.open (NULL, path, flags, mode), false);
  else if (fake->absent)
    errno = ENOENT;
  else
    fd = keep_fd (fake, dup (fake->memory_fd), true);
  int code = errno;
  pthread_mutex_unlock (&fake->lock);
  errno = code;
  return fd;
}

static int
fake_close (void *ctx, int fd)
{
  FakeDevice *fake = ctx;
  pthread_mutex_lock (&fake->lock);
  fake->counts[FAKE_CLOSE]++;
  for (int i = 0; i < FAKE_MAX_FDS; i++) {
    if (fake->fb_fds[i] == fd)
      fake->fb_fds[i] = -1;
  }
  int r = close (fd);
  if (r == 0)
    fake->n_open--;
  pthread_mutex_unlock (&fake->lock);
  return r;
}

static int
fake_dup (void *ctx, int fd)
{
  FakeDevice *fake = ctx;
  pthread_mutex_lock (&fake->lock);
  int copy = fails (fake, FAKE_DUP) ? -1 : keep_fd (fake, bai_device_calls.dup (NULL, fd), is_fb (fake, fd));
  int code = errno;
  pthread_mutex_unlock (&fake->lock);
  errno = code;
  return copy;
}

static int
fake_ioctl (void *ctx, int fd, unsigned long request, void *arg)
{
  FakeDevice *fake = ctx;
  int r = -1;
  pthread_mutex_lock (&fake->lock);
  if (fails (fake, FAKE_IOCTL))
    ;
  else if (is_for_tty (request))
    r = tty_ioctl_locked (fake, fd, request, arg);
  else if (is_fb (fake, fd))
    r = fb_ioctl_locked (fake, request, arg);
  else
    r = bai_device_calls.ioctl (NULL, fd, request, arg);
  int code = errno;
  pthread_mutex_unlock (&fake->lock);
  errno = code;
  return r;
}

static void *
fake_mmap (void *ctx, size_t size_bytes, int prot, int flags, int fd, off_t offset)
{
  FakeDevice *fake = ctx;
  void *address = MAP_FAILED;
  pthread_mutex_lock (&fake->lock);
  fake->last_prot = prot;
  fake->last_flags = flags;
  fake->last_map_bytes = size_bytes;
  size_t lead_bytes = fake->fix.smem_start % (unsigned long) sysconf (_SC_PAGESIZE);
  if (fails (fake, FAKE_MMAP))
    ;
  else if (is_fb (fake, fd) && (size_t) offset + size_bytes > lead_bytes + fake->fix.smem_len)
    errno = EINVAL;
  else
    address = bai_device_calls.mmap (NULL, size_bytes, prot, flags, fd, offset);
  if (address != MAP_FAILED)
    fake->n_mapped++;
  int code = errno;
  pthread_mutex_unlock (&fake->lock);
  errno = code;
  return address;
}

static int
fake_munmap (void *ctx, void *address, size_t size_bytes)
{
  FakeDevice *fake = ctx;
  pthread_mutex_lock (&fake->lock);
  fake->counts[FAKE_MUNMAP]++;
  int r = munmap (address, size_bytes);
  if (r == 0)
    fake->n_mapped--;
  pthread_mutex_unlock (&fake->lock);
  return r;
}

static int
fake_memfd_create (void *ctx, const char *name, unsigned flags)
{
  FakeDevice *fake = ctx;
  pthread_mutex_lock (&fake->lock);
  int fd = fails (fake, FAKE_MEMFD) ? -1 : keep_fd (fake, memfd_create (name, flags), false);
  int code = errno;
  pthread_mutex_unlock (&fake->lock);
  errno = code;
  return fd;
}

static bool
counted_fails (FakeDevice *fake, FakeCall call)
{
  pthread_mutex_lock (&fake->lock);
  bool failed = fails (fake, call);
  int code = errno;
  pthread_mutex_unlock (&fake->lock);
  errno = code;
  return failed;
}

static int
fake_ftruncate (void *ctx, int fd, off_t size_bytes)
{
  return counted_fails (ctx, FAKE_FTRUNCATE) ? -1 : bai_device_calls.ftruncate (NULL, fd, size_bytes);
}

static int
fake_fallocate (void *ctx, int fd, off_t size_bytes)
{
  return counted_fails (ctx, FAKE_FALLOCATE) ? -1 : bai_device_calls.fallocate (NULL, fd, size_bytes);
}

static int
fake_fstat (void *ctx, int fd, struct stat *status)
{
  return counted_fails (ctx, FAKE_FSTAT) ? -1 : bai_device_calls.fstat (NULL, fd, status);
}

static int
fake_stat (void *ctx, const char *path, struct stat *status)
{
  return counted_fails (ctx, FAKE_STAT) ? -1 : bai_device_calls.stat (NULL, path, status);
}

static int
fake_flock (void *ctx, int fd, int operation)
{
  const FakeDevice *fake = ctx;
  if (fake->before_flock)
    fake->before_flock (fake->user);
  return counted_fails (ctx, FAKE_FLOCK) ? -1 : bai_device_calls.flock (NULL, fd, operation);
}

static char *
fake_realpath (void *ctx, const char *path)
{
  return counted_fails (ctx, FAKE_REALPATH) ? NULL : bai_device_calls.realpath (NULL, path);
}

static int
fake_rename (void *ctx, const char *from, const char *to)
{
  return counted_fails (ctx, FAKE_RENAME) ? -1 : bai_device_calls.rename (NULL, from, to);
}

static int
fake_socketpair (void *ctx, int ends[2])
{
  FakeDevice *fake = ctx;
  if (counted_fails (fake, FAKE_SOCKETPAIR) || bai_device_calls.socketpair (NULL, ends) < 0)
    return -1;
  pthread_mutex_lock (&fake->lock);
  fake->n_open += 2;
  pthread_mutex_unlock (&fake->lock);
  return 0;
}

static pid_t
fake_fork (void *ctx)
{
  return counted_fails (ctx, FAKE_FORK) ? -1 : bai_device_calls.fork (NULL);
}

static uint64_t
fake_memory_bytes (void *ctx)
{
  return ((FakeDevice *) ctx)->memory_bytes;
}

static int
fake_unlink (void *ctx, const char *path)
{
  return counted_fails (ctx, FAKE_UNLINK) ? -1 : bai_device_calls.unlink (NULL, path);
}

static int64_t
fake_now_ns (void *ctx)
{
  FakeDevice *fake = ctx;
  pthread_mutex_lock (&fake->lock);
  fake->clock_ns += fake->clock_step_ns;
  int64_t now_ns = clock_now (fake);
  pthread_mutex_unlock (&fake->lock);
  return now_ns;
}

/* ---- for tests ------------------------------------------------------------------------------------------------- */

void
fake_device_set_pixels (FakeDevice *fake, uint32_t bits_per_pixel, uint32_t red, uint32_t green, uint32_t blue)
{
  fake->var.bits_per_pixel = bits_per_pixel;
  fake->var.red = (struct fb_bitfield){ .offset = red, .length = bits_per_pixel > 16 ? 8 : 5 };
  fake->var.green = (struct fb_bitfield){ .offset = green, .length = bits_per_pixel > 16 ? 8 : 6 };
  fake->var.blue = (struct fb_bitfield){ .offset = blue, .length = bits_per_pixel > 16 ? 8 : 5 };
  fake->fix.line_length = (fake->var.xres_virtual * bits_per_pixel + 7) / 8;
}

void
fake_device_init (FakeDevice *fake)
{
  memset (fake, 0, sizeof *fake);
  pthread_mutex_init (&fake->lock, NULL);
  fake->calls = (BaDeviceCalls){
    .ctx = fake,
    .open = fake_open,
    .close = fake_close,
    .dup = fake_dup,
    .ioctl = fake_ioctl,
    .mmap = fake_mmap,
    .munmap = fake_munmap,
    .memfd_create = fake_memfd_create,
    .ftruncate = fake_ftruncate,
    .fallocate = fake_fallocate,
    .fstat = fake_fstat,
    .stat = fake_stat,
    .flock = fake_flock,
    .realpath = fake_realpath,
    .rename = fake_rename,
    .unlink = fake_unlink,
    .socketpair = fake_socketpair,
    .fork = fake_fork,
    .memory_bytes = fake_memory_bytes,
    .now_ns = fake_now_ns,
  };
  for (int i = 0; i < FAKE_MAX_FDS; i++)
    fake->fb_fds[i] = -1;
  fake->var.xres = fake->var.xres_virtual = 64;
  fake->var.yres = fake->var.yres_virtual = 48;
  fake->var.height = 1234; /* millimetres: nothing a display touches, so it shows whether all of it comes back */
  fake->fix.type = FB_TYPE_PACKED_PIXELS;
  fake->fix.visual = FB_VISUAL_TRUECOLOR;
  fake->fix.ypanstep = 1;
  fake->fix.xpanstep = 1;
  memcpy (fake->fix.id, "fakefb", 7);
  fake_device_set_pixels (fake, 32, 16, 8, 0);
  fake->fix.smem_len = fake->fix.line_length * fake->var.yres * 4;
  fake->period_ns = 1000000000 / 60;
  fake->clock_ns = 1000 * fake->period_ns;
  fake->memory_bytes = UINT64_C (1) << 40;
  fake->memory_fd = -1;
}

void
fake_device_ready (FakeDevice *fake)
{
  size_t lead_bytes = fake->fix.smem_start % (unsigned long) sysconf (_SC_PAGESIZE);
  fake->memory_fd = memfd_create ("fake-fb", MFD_CLOEXEC);
  if (fake->memory_fd < 0 || ftruncate (fake->memory_fd, (off_t) (lead_bytes + fake->fix.smem_len)) < 0)
    abort ();
  fake->first_var = fake->var;
  fake->shown_row = fake->var.yoffset;
  memcpy (fake->first_colours, fake->colours, sizeof fake->colours);
}

void
fake_device_finish (FakeDevice *fake)
{
  if (fake->memory_fd >= 0)
    close (fake->memory_fd);
  pthread_mutex_destroy (&fake->lock);
}

void
fake_device_read (FakeDevice *fake, size_t offset_bytes, void *to, size_t size_bytes)
{
  if (pread (fake->memory_fd, to, size_bytes, (off_t) offset_bytes) != (ssize_t) size_bytes)
    abort ();
}

bool
fake_device_is_restored (const FakeDevice *fake)
{
  return (!fake->moves_by_difference || fake->shown_row == fake->first_var.yoffset)
         && memcmp (&fake->var, &fake->first_var, sizeof fake->var) == 0
         && memcmp (fake->colours, fake->first_colours, sizeof fake->colours) == 0;
}
