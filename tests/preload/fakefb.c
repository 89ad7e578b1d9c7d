/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fakefb.c: an LD_PRELOAD stand-in for the framebuffer device /dev/fb0, where a machine has none. Opening that path
 * gives a memfd; the fbdev ioctls on it act as a driver with a fixed mode does; mapping it is an ordinary mmap of the
 * memfd. For tests and benchmarks, never part of the product.
 *
 * Environment:
 *   FAKEFB=WxHxBITS[,pages=N][,pad=BYTES]  the mode (1, 8, 16, 24 or 32 bits a pixel; 8 is grey, in 1 a set bit is
 *                                          white, and black with ,black=1), the pages of memory there are (1), and
 *                                          bytes added to each row (0). Without FAKEFB there is no device.
 *   FAKEFB_VSYNC=0                         FBIO_WAITFORVSYNC does not wait; `unsupported` = it fails with ENOTTY.
 *                                          Otherwise it waits for the next point of a 60 Hz grid.
 *   FAKEFB_MEM=PATH                        the memory is this file: first the pixels, then the state, so that a test
 *                                          can look at the screen, and a second process sees the same device. A file
 *                                          that holds the same device is gone on with: delete it for a fresh one.
 *   FAKEFB_VT=N                            the process runs on virtual terminal N (1 to 63), which is on screen: /dev/tty
 *                                          opens, and tells and takes the mode KD_TEXT or KD_GRAPHICS. Without it there
 *                                          is no terminal, whatever the process runs on.
 *   FAKEFB_FAIL=N,ERRNO                    the N-th call of the process that looks at the device or changes it (its
 *                                          first open is call 1; then opens and ioctls) fails with this number and
 *                                          does nothing. Processes that it forks have calls that do not fail.
 *   FAKEFB_LOG=PATH                        one line per ioctl is appended, and one with the final state at exit.
 */
/* With 64-bit file offsets open is another name for open64, and both are defined here. */
#undef _FILE_OFFSET_BITS

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fb.h>
#include <linux/kd.h>
#include <linux/vt.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__ ((visibility ("default")))
#define FAKEFB_PATH "/dev/fb0"
#define FAKEFB_TTY_PATH "/dev/tty"
#define FAKEFB_STATE_BYTES 4096
#define FAKEFB_MAGIC 0x66616b65u
#define VSYNC_PERIOD_NS (1000000000 / 60)

/* Lies in the page behind the pixels, shared by all processes that have the device open; tests read it, up to var. */
typedef struct
{
  uint32_t magic;
  uint32_t pages;
  int32_t vt_mode;
  uint32_t vt_sets; /* times it was set */
  struct fb_var_screeninfo var;
  struct fb_fix_screeninfo fix;
} FakeState;

/* How this process sees the device. It is set up by the first open, under the lock, and lives until exit. */
typedef struct
{
  pthread_mutex_t lock;
  atomic_bool ready; /* looked at without the lock by a forked process, too, in which nobody may ever release it */
  int memory_fd;
  int tty_fd;
  int log_fd;
  dev_t dev;
  ino_t ino;
  dev_t tty_dev;
  ino_t tty_ino;
  FakeState *state;
  pid_t pid; /* of the process whose calls are counted */
  atomic_uint n_calls;
} FakeDevice;

static FakeDevice device = { .lock = PTHREAD_MUTEX_INITIALIZER, .memory_fd = -1, .tty_fd = -1, .log_fd = -1 };

typedef int (*OpenFunction) (const char *path, int flags, ...);
typedef int (*OpenatFunction) (int dir_fd, const char *path, int flags, ...);
typedef int (*IoctlFunction) (int fd, unsigned long request, ...);

EXPORT int open (const char *path, int flags, ...);
EXPORT int open64 (const char *path, int flags, ...);
EXPORT int openat (int dir_fd, const char *path, int flags, ...);
EXPORT int openat64 (int dir_fd, const char *path, int flags, ...);
EXPORT int __open_2 (const char *path, int flags);
EXPORT int __open64_2 (const char *path, int flags);
EXPORT int __openat_2 (int dir_fd, const char *path, int flags);
EXPORT int __openat64_2 (int dir_fd, const char *path, int flags);
EXPORT int ioctl (int fd, unsigned long request, ...);

static void
resolve (const char *name, void *function)
{
  void *found = dlsym (RTLD_NEXT, name);

  memcpy (function, &found, sizeof found);
}

static int
real_openat (int dir_fd, const char *path, int flags, mode_t mode)
{
  OpenatFunction function;

  resolve ("openat", &function);
  return function (dir_fd, path, flags, mode);
}

static int
real_open (const char *path, int flags, mode_t mode)
{
  return real_openat (AT_FDCWD, path, flags, mode);
}

static void
log_line (const char *format, ...)
{
  char line[256];
  va_list args;
  int length;

  if (device.log_fd < 0)
    return;
  va_start (args, format);
  length = vsnprintf (line, sizeof line, format, args);
  va_end (args);
  if (length < 0 || (size_t) length >= sizeof line
      || (write (device.log_fd, line, (size_t) length) < 0 && errno != EBADF)) /* a forked process may have closed it */
    fprintf (stderr, "fakefb: cannot write to the log\n");
}

static uint32_t
parse_option (const char *text, const char *name, uint32_t otherwise)
{
  const char *found = strstr (text, name);

  return found != NULL ? (uint32_t) strtoul (found + strlen (name), NULL, 10) : otherwise;
}

static void
describe_pixels (struct fb_var_screeninfo *var)
{
  if (var->bits_per_pixel <= 8) {
    var->grayscale = 1;
    var->red = var->green = var->blue = (struct fb_bitfield){ .offset = 0, .length = var->bits_per_pixel };
  } else if (var->bits_per_pixel == 16) {
    var->red = (struct fb_bitfield){ .offset = 11, .length = 5 };
    var->green = (struct fb_bitfield){ .offset = 5, .length = 6 };
    var->blue = (struct fb_bitfield){ .offset = 0, .length = 5 };
  } else {
    var->red = (struct fb_bitfield){ .offset = 16, .length = 8 };
    var->green = (struct fb_bitfield){ .offset = 8, .length = 8 };
    var->blue = (struct fb_bitfield){ .offset = 0, .length = 8 };
  }
}

/* Counts one more call; the error that it is to fail with, or 0. */
static int
planned_failure (void)
{
  const char *text = getenv ("FAKEFB_FAIL");
  unsigned number, error;

  if (text == NULL || getpid () != device.pid || sscanf (text, "%u,%u", &number, &error) != 2)
    return 0;
  return atomic_fetch_add (&device.n_calls, 1) + 1 == number ? (int) error : 0;
}

/* Fills @state as the FAKEFB text says; -1 if it says nonsense. */
static int
describe (const char *text, FakeState *state)
{
  struct fb_var_screeninfo *var = &state->var;
  unsigned width_px, height_px, bits;

  if (sscanf (text, "%ux%ux%u", &width_px, &height_px, &bits) != 3 || width_px == 0 || height_px == 0
      || (bits != 1 && bits != 8 && bits != 16 && bits != 24 && bits != 32)) {
    fprintf (stderr, "fakefb: FAKEFB=%s is not WIDTHxHEIGHTxBITS[,pages=N][,pad=BYTES]\n", text);
    return -1;
  }
  state->magic = FAKEFB_MAGIC;
  state->pages = parse_option (text, ",pages=", 1);
  *var = (struct fb_var_screeninfo){ .xres = width_px,
                                     .yres = height_px,
                                     .xres_virtual = width_px,
                                     .yres_virtual = height_px,
                                     .bits_per_pixel = bits,
                                     .height = (uint32_t) -1,
                                     .width = (uint32_t) -1,
                                     .pixclock = 6734 };
  describe_pixels (var);
  memcpy (state->fix.id, "fakefb", sizeof "fakefb");
  state->fix.type = FB_TYPE_PACKED_PIXELS;
  state->fix.visual = bits == 8 ? FB_VISUAL_STATIC_PSEUDOCOLOR : FB_VISUAL_TRUECOLOR;
  if (bits == 1)
    state->fix.visual = parse_option (text, ",black=", 0) ? FB_VISUAL_MONO01 : FB_VISUAL_MONO10;
  state->fix.ypanstep = state->pages > 1 ? 1 : 0;
  state->fix.line_length = (width_px * bits + 7) / 8 + parse_option (text, ",pad=", 0);
  state->fix.smem_len = state->fix.line_length * height_px * state->pages;
  return 0;
}

/* Makes the device for this process. 0, or -1 and errno. */
static int
set_up_locked (const char *text)
{
  const char *memory_path = getenv ("FAKEFB_MEM");
  const char *log_path = getenv ("FAKEFB_LOG");
  FakeState wanted = { 0 };
  struct stat status;
  off_t state_offset;

  if (describe (text, &wanted) < 0) {
    errno = EINVAL;
    return -1;
  }
  if (memory_path != NULL)
    device.memory_fd = real_open (memory_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  else
    device.memory_fd = memfd_create ("fakefb", MFD_CLOEXEC);
  if (device.memory_fd < 0)
    return -1;
  state_offset = ((off_t) wanted.fix.smem_len + FAKEFB_STATE_BYTES - 1) / FAKEFB_STATE_BYTES * FAKEFB_STATE_BYTES;
  if (ftruncate (device.memory_fd, state_offset + FAKEFB_STATE_BYTES) < 0 || fstat (device.memory_fd, &status) < 0)
    goto failed;
  device.state = mmap (NULL, FAKEFB_STATE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, device.memory_fd, state_offset);
  if (device.state == MAP_FAILED)
    goto failed;
  if (device.state->magic != FAKEFB_MAGIC || device.state->pages != wanted.pages
      || memcmp (&device.state->fix, &wanted.fix, sizeof wanted.fix) != 0)
    memcpy (device.state, &wanted, sizeof wanted);
  if (getenv ("FAKEFB_VT") != NULL) {
    struct stat tty_status;

    device.tty_fd = memfd_create ("fakefb-tty", MFD_CLOEXEC);
    if (device.tty_fd < 0 || fstat (device.tty_fd, &tty_status) < 0)
      goto failed;
    device.tty_ino = tty_status.st_ino;
    device.tty_dev = tty_status.st_dev;
  }
  if (log_path != NULL)
    device.log_fd = real_open (log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  device.dev = status.st_dev;
  device.ino = status.st_ino;
  device.pid = getpid ();
  device.ready = true;
  return 0;

failed:
  close (device.memory_fd);
  device.memory_fd = -1;
  return -1;
}

static int
open_tty_locked (int flags)
{
  if (device.tty_fd < 0) {
    errno = ENXIO;
    return -1;
  }
  return fcntl (device.tty_fd, flags & O_CLOEXEC ? F_DUPFD_CLOEXEC : F_DUPFD, 3);
}

/* Whether @path is the device, or a terminal; if so *@fd is a new descriptor of it, or -1 and errno. */
static bool
open_fake (const char *path, int flags, int *fd)
{
  const char *text = getenv ("FAKEFB");
  int status = 0, error;
  bool tty;

  if (text == NULL || path == NULL)
    return false;
  tty = strncmp (path, FAKEFB_TTY_PATH, strlen (FAKEFB_TTY_PATH)) == 0;
  if (!tty && strcmp (path, FAKEFB_PATH) != 0)
    return false;
  pthread_mutex_lock (&device.lock);
  if (!device.ready)
    status = set_up_locked (text);
  if (status == 0 && !tty && (error = planned_failure ()) != 0) {
    log_line ("open failed=%s\n", strerrorname_np (error));
    status = -1;
    errno = error;
  }
  if (status < 0)
    *fd = -1;
  else if (tty)
    *fd = open_tty_locked (flags);
  else
    *fd = fcntl (device.memory_fd, flags & O_CLOEXEC ? F_DUPFD_CLOEXEC : F_DUPFD, 3);
  pthread_mutex_unlock (&device.lock);
  return true;
}

static mode_t
mode_argument (int flags, va_list args)
{
  return flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)) ? va_arg (args, mode_t) : 0;
}

#define DEFINE_OPEN(name)                                                                                              \
  int name (const char *path, int flags, ...)                                                                          \
  {                                                                                                                    \
    va_list args;                                                                                                      \
    mode_t mode;                                                                                                       \
    int fd;                                                                                                            \
                                                                                                                       \
    va_start (args, flags);                                                                                            \
    mode = mode_argument (flags, args);                                                                                \
    va_end (args);                                                                                                     \
    return open_fake (path, flags, &fd) ? fd : real_open (path, flags, mode);                                          \
  }

#define DEFINE_OPENAT(name)                                                                                            \
  int name (int dir_fd, const char *path, int flags, ...)                                                              \
  {                                                                                                                    \
    va_list args;                                                                                                      \
    mode_t mode;                                                                                                       \
    int fd;                                                                                                            \
                                                                                                                       \
    va_start (args, flags);                                                                                            \
    mode = mode_argument (flags, args);                                                                                \
    va_end (args);                                                                                                     \
    return open_fake (path, flags, &fd) ? fd : real_openat (dir_fd, path, flags, mode);                                \
  }

DEFINE_OPEN (open)
DEFINE_OPEN (open64)
DEFINE_OPENAT (openat)
DEFINE_OPENAT (openat64)

int
__open_2 (const char *path, int flags)
{
  return open (path, flags);
}

int
__open64_2 (const char *path, int flags)
{
  return open64 (path, flags);
}

int
__openat_2 (int dir_fd, const char *path, int flags)
{
  return openat (dir_fd, path, flags);
}

int
__openat64_2 (int dir_fd, const char *path, int flags)
{
  return openat64 (dir_fd, path, flags);
}

/* As a driver's check_var and set_par: the mode is fixed, the virtual height may grow to what the memory holds. */
static int
put_var (struct fb_var_screeninfo *asked)
{
  struct fb_var_screeninfo *var = &device.state->var;

  if (asked->xres != var->xres || asked->yres != var->yres || asked->bits_per_pixel != var->bits_per_pixel
      || asked->xres_virtual > var->xres || asked->yres_virtual > var->yres * device.state->pages)
    return EINVAL;
  asked->xres_virtual = var->xres;
  if (asked->yres_virtual < var->yres)
    asked->yres_virtual = var->yres;
  if (asked->yoffset > asked->yres_virtual - var->yres || asked->xoffset != 0)
    return EINVAL;
  if ((asked->activate & FB_ACTIVATE_MASK) != FB_ACTIVATE_TEST) {
    var->yres_virtual = asked->yres_virtual;
    var->yoffset = asked->yoffset;
  }
  return 0;
}

static int
pan (const struct fb_var_screeninfo *asked)
{
  struct fb_var_screeninfo *var = &device.state->var;

  if (asked->vmode & FB_VMODE_YWRAP || asked->xoffset != 0)
    return EINVAL;
  if (asked->yoffset > 0 && (device.state->fix.ypanstep == 0 || asked->yoffset % device.state->fix.ypanstep != 0))
    return EINVAL;
  if (asked->yoffset > var->yres_virtual - var->yres)
    return EINVAL;
  var->yoffset = asked->yoffset;
  return 0;
}

static int
wait_for_vsync (void)
{
  const char *how = getenv ("FAKEFB_VSYNC");
  struct timespec at;
  int64_t next_ns;

  if (how != NULL && strcmp (how, "unsupported") == 0)
    return ENOTTY;
  if (how != NULL && strcmp (how, "0") == 0)
    return 0;
  clock_gettime (CLOCK_MONOTONIC, &at);
  next_ns = ((int64_t) at.tv_sec * 1000000000 + at.tv_nsec) / VSYNC_PERIOD_NS * VSYNC_PERIOD_NS + VSYNC_PERIOD_NS;
  at.tv_sec = (time_t) (next_ns / 1000000000);
  at.tv_nsec = (long) (next_ns % 1000000000);
  while (clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
    continue;
  return 0;
}

static int
fake_ioctl (unsigned long request, void *argument)
{
  struct fb_var_screeninfo *var = argument;
  const char *name;
  int error = planned_failure ();

  if (error != 0) {
    log_line ("ioctl failed=%s\n", strerrorname_np (error));
    errno = error;
    return -1;
  }
  switch (request) {
    case FBIOGET_VSCREENINFO:
      name = "FBIOGET_VSCREENINFO";
      memcpy (argument, &device.state->var, sizeof device.state->var);
      break;
    case FBIOGET_FSCREENINFO:
      name = "FBIOGET_FSCREENINFO";
      memcpy (argument, &device.state->fix, sizeof device.state->fix);
      break;
    case FBIOPUT_VSCREENINFO:
      name = "FBIOPUT_VSCREENINFO";
      error = put_var (var);
      break;
    case FBIOPAN_DISPLAY:
      name = "FBIOPAN_DISPLAY";
      error = pan (var);
      break;
    case FBIO_WAITFORVSYNC:
      name = "FBIO_WAITFORVSYNC";
      error = argument == NULL ? EFAULT : wait_for_vsync ();
      break;
    case FBIOGET_CON2FBMAP:
      name = "FBIOGET_CON2FBMAP";
      ((struct fb_con2fbmap *) argument)->framebuffer = 0;
      break;
    case FBIOBLANK:
      name = "FBIOBLANK";
      break;
    default:
      name = "unknown";
      error = ENOTTY;
      break;
  }
  log_line ("%s yres_virtual=%u yoffset=%u%s%s\n", name, device.state->var.yres_virtual, device.state->var.yoffset,
            error != 0 ? " error=" : "", error != 0 ? strerrorname_np (error) : "");
  errno = error != 0 ? error : errno;
  return error != 0 ? -1 : 0;
}

/* 0, or the error. */
static int
tty_ioctl (unsigned long request, void *argument)
{
  unsigned number = (unsigned) strtoul (getenv ("FAKEFB_VT"), NULL, 10);

  switch (request) {
    case TIOCGDEV:
      *(unsigned *) argument = 4u << 8 | number;
      return 0;
    case VT_GETSTATE:
      ((struct vt_stat *) argument)->v_active = (unsigned short) number;
      return 0;
    case KDGETMODE:
      *(int *) argument = device.state->vt_mode;
      return 0;
    case KDSETMODE:
      device.state->vt_mode = (int32_t) (uintptr_t) argument;
      device.state->vt_sets++;
      log_line ("KDSETMODE mode=%d\n", (int) device.state->vt_mode);
      return 0;
    default:
      return ENOTTY;
  }
}

int
ioctl (int fd, unsigned long request, ...)
{
  IoctlFunction real;
  struct stat status;
  va_list args;
  void *argument;
  int error = 0;

  va_start (args, request);
  argument = va_arg (args, void *);
  va_end (args);
  /* The inode, not the number, says whose descriptor this is: numbers are closed, duplicated and used again. */
  if (device.ready && fstat (fd, &status) == 0) {
    if (status.st_dev == device.dev && status.st_ino == device.ino)
      return fake_ioctl (request, argument);
    if (device.tty_fd >= 0 && status.st_dev == device.tty_dev && status.st_ino == device.tty_ino)
      error = tty_ioctl (request, argument);
    else if (request == TIOCGDEV)
      error = ENOTTY; /* the terminal that the tests were started from is out of reach */
    else
      goto pass_on;
    errno = error != 0 ? error : errno;
    return error != 0 ? -1 : 0;
  }

pass_on:
  resolve ("ioctl", &real);
  return real (fd, request, argument);
}

__attribute__ ((destructor)) static void
fakefb_end (void)
{
  if (device.ready)
    log_line ("final yres_virtual=%u yoffset=%u\n", device.state->var.yres_virtual, device.state->var.yoffset);
}
