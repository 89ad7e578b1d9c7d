/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * guest-init.c: the first process of a test machine. Linked statically, it is all there is in the initramfs beside the
 * kernel's modules.
 *
 * Loads the modules of /modules in order, puts the host's root file system (9p, read-only) under a throw-away overlay,
 * mounts the host's folder for results where it is on the host, and then obeys the host: each line that comes through
 * the port "control" is the path of a script; when it has ended, its exit status goes back as a line. What goes wrong
 * before that is a line that begins with "died".
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROOT "/new"
#define PORTS "/sys/class/virtio-ports"
#define P9 "trans=virtio,version=9p2000.L,msize=524288"

/* The kernel says on the console that init has ended, and the host sees the machine go. */
static void
die (const char *what, const char *name)
{
  fprintf (stderr, "guest-init: died: %s %s: %s\n", what, name, strerror (errno));
  exit (1);
}

static void
mount_or_die (const char *source, const char *target, const char *type, unsigned long flags, const char *options)
{
  if (mkdir (target, 0755) < 0 && errno != EEXIST)
    die ("cannot make", target);
  if (mount (source, target, type, flags, options) < 0)
    die ("cannot mount", target);
}

/* ---- modules --------------------------------------------------------------------------------------------------- */

/* A line of /modules is a file's name, and behind a blank the module's arguments. A driver that finds no device of its
 * own may refuse to load: what that means is seen by whoever misses the device. */
static void
load_modules (void)
{
  FILE *list = fopen ("/modules", "re");
  char line[1024];
  while (list && fgets (line, sizeof line, list)) {
    line[strcspn (line, "\n")] = '\0';
    char *arguments = strchr (line, ' ');
    if (arguments)
      *arguments++ = '\0';
    int fd = open (line, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || syscall (SYS_finit_module, fd, arguments ? arguments : "", 0) < 0)
      fprintf (stderr, "guest-init: module %s: %s\n", line, strerror (errno));
    if (fd >= 0)
      close (fd);
  }
  if (list)
    fclose (list);
}

/* ---- files ----------------------------------------------------------------------------------------------------- */

/* Folders of a path that are not there are made. */
static void
make_path (const char *path)
{
  char part[PATH_MAX];
  for (const char *end = path; *end; end++) {
    if (*end != '/' || end == path)
      continue;
    snprintf (part, sizeof part, "%.*s", (int) (end - path), path);
    (void) mkdir (part, 0755);
  }
  (void) mkdir (path, 0755);
}

static void
mount_files (const char *results)
{
  char target[PATH_MAX + sizeof ROOT];
  mount_or_die ("root", "/host", "9p", MS_RDONLY, P9 ",cache=loose");
  mount_or_die ("top", "/top", "tmpfs", 0, "size=75%");
  if (mkdir ("/top/upper", 0755) < 0 || mkdir ("/top/work", 0755) < 0)
    die ("cannot make", "/top");
  mount_or_die ("overlay", ROOT, "overlay", 0, "lowerdir=/host,upperdir=/top/upper,workdir=/top/work");
  mount_or_die ("/dev", ROOT "/dev", NULL, MS_BIND, NULL);
  mount_or_die ("devpts", ROOT "/dev/pts", "devpts", 0, NULL);
  mount_or_die ("shm", ROOT "/dev/shm", "tmpfs", 0, NULL);
  mount_or_die ("proc", ROOT "/proc", "proc", 0, NULL);
  mount_or_die ("sysfs", ROOT "/sys", "sysfs", 0, NULL);
  mount_or_die ("debugfs", ROOT "/sys/kernel/debug", "debugfs", 0, NULL);
  mount_or_die ("run", ROOT "/run", "tmpfs", 0, NULL);
  snprintf (target, sizeof target, ROOT "%s", results);
  make_path (target);
  mount_or_die ("results", target, "9p", 0, P9 ",cache=none");
  if (chroot (ROOT) < 0 || chdir (results) < 0)
    die ("cannot go to", results);
}

/* ---- the host's port ------------------------------------------------------------------------------------------- */

static int
open_control (void)
{
  DIR *ports = opendir (PORTS);
  struct dirent *entry;
  int fd = -1;
  while (ports && fd < 0 && (entry = readdir (ports))) {
    char path[PATH_MAX], name[32] = "";
    snprintf (path, sizeof path, PORTS "/%s/name", entry->d_name);
    FILE *file = fopen (path, "re");
    if (!file)
      continue;
    if (fgets (name, sizeof name, file) && strcmp (name, "control\n") == 0) {
      snprintf (path, sizeof path, "/dev/%s", entry->d_name);
      fd = open (path, O_RDWR | O_CLOEXEC);
    }
    fclose (file);
  }
  if (ports)
    closedir (ports);
  if (fd < 0)
    die ("no port", "control");
  return fd;
}

static int
run_script (const char *path)
{
  pid_t child = fork ();
  int status = 0;
  if (child == 0) {
    setsid ();
    execl ("/bin/bash", "bash", path, (char *) NULL);
    _exit (127);
  }
  if (child < 0)
    return 127;
  /* every orphan of the machine is ours: those that end meanwhile are taken along */
  for (pid_t ended = -1; ended != child;) {
    ended = wait (&status);
    if (ended < 0 && errno != EINTR)
      return 127;
  }
  return WIFEXITED (status) ? WEXITSTATUS (status) : 128 + WTERMSIG (status);
}

int
main (void)
{
  char line[PATH_MAX], results[PATH_MAX] = "";
  mount_or_die ("proc", "/proc", "proc", 0, NULL);
  mount_or_die ("sysfs", "/sys", "sysfs", 0, NULL);
  mount_or_die ("dev", "/dev", "devtmpfs", 0, NULL);
  load_modules ();
  FILE *file = fopen ("/results", "re");
  if (!file || !fgets (results, sizeof results, file))
    die ("cannot read", "/results");
  fclose (file);
  results[strcspn (results, "\n")] = '\0';
  int fd = open_control ();
  mount_files (results);
  /* the machine's firmware has left text on the screen */
  FILE *screen = fopen ("/dev/tty0", "we");
  if (screen) {
    fputs ("\033[2J\033[H\033[?25l", screen);
    fclose (screen);
  }
  FILE *control = fdopen (dup (fd), "r");
  dprintf (fd, "ready\n");
  while (control && fgets (line, sizeof line, control)) {
    line[strcspn (line, "\n")] = '\0';
    dprintf (fd, "%d\n", run_script (line));
  }
  die ("the host is gone from", "control");
}
