/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kms-import.c: pictures in memory of others (dmabufs), as framebuffers of the card: made once for each, kept by what
 * the file is and not by its number, and let go of when somebody says so, or others need the room.
 *
 * That a driver says it imports is no promise: some refuse every buffer. So each way a picture can lie is tried once,
 * through to a test commit where there is one, and what was refused is remembered with the reason. What would pass
 * another time (no memory, no files) is not.
 *
 * A framebuffer that is removed while it is on screen takes the screen with it. So those never are, whatever is
 * forgotten; display.c keeps their owners away from them for as long.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kms-private.h"

/* ---- framebuffers ------------------------------------------------------------------------------------------------ */

static void
drop (BaDisplay *display, BaiKmsImport *import)
{
  if (import->fb_id)
    (void) bai_kms_call (display, DRM_IOCTL_MODE_RMFB, &import->fb_id);
  for (unsigned i = 0; i < BA_MAX_PLANES; i++) {
    if (import->handles[i])
      bai_kms_unuse (display, import->handles[i]);
  }
  *import = (BaiKmsImport){ 0 };
}

/* For the driver, or for the display, whose numbers must not come to mean other pictures: the two differ while the driver
 * takes nothing, as the screen is off. */
static bool
is_on_screen (const BaDisplay *display, const BaiKmsImport *import)
{
  const BaiKmsState *state = display->state;
  unsigned number = display->info.n_pages + (unsigned) (import - state->imports);
  return import->fb_id == state->shown_fb || (state->is_flipping && import->fb_id == state->shown_fb_before)
         || (display->current.is_set && display->current.number == number)
         || (display->pending.is_set && display->pending.number == number);
}

static int
add_framebuffer (const BaDisplay *display, BaiKmsImport *import)
{
  const BaLayout *layout = &import->picture.layout;
  struct drm_mode_fb_cmd2 fb = {
    .width = layout->width_px,
    .height = layout->height_px,
    .pixel_format = layout->fourcc,
    .flags = import->picture.has_modifier ? DRM_MODE_FB_MODIFIERS : 0,
  };
  for (unsigned i = 0; i < layout->n_planes; i++) {
    fb.handles[i] = import->handles[i];
    fb.pitches[i] = (uint32_t) layout->stride_bytes[i];
    fb.offsets[i] = (uint32_t) layout->offset_bytes[i];
    if (import->picture.has_modifier)
      fb.modifier[i] = import->picture.modifier;
  }
  int r = bai_kms_call (display, DRM_IOCTL_MODE_ADDFB2, &fb);
  if (r == 0)
    import->fb_id = fb.fb_id;
  return r;
}

/* An empty place, or that of the picture which was used longest ago and is not to be seen. */
static BaiKmsImport *
find_place (BaDisplay *display)
{
  BaiKmsState *state = display->state;
  BaiKmsImport *oldest = NULL;
  for (unsigned i = 0; i < BA_DISPLAY_MAX_IMPORTS; i++) {
    BaiKmsImport *import = &state->imports[i];
    if (!import->fb_id)
      return import;
    if (!is_on_screen (display, import) && (!oldest || import->used < oldest->used))
      oldest = import;
  }
  drop (display, oldest); /* four at most are on screen */
  return oldest;
}

/* ---- what is refused --------------------------------------------------------------------------------------------- */

static bool
lies_alike (const BaiKmsPicture *a, const BaiKmsPicture *b)
{
  return memcmp (&a->layout, &b->layout, sizeof a->layout) == 0 && a->has_modifier == b->has_modifier
         && a->modifier == b->modifier;
}

static const BaiKmsRefusal *
find_refusal (const BaiKmsState *state, const BaiKmsPicture *picture)
{
  for (unsigned i = 0; i < BAI_KMS_MAX_REFUSALS; i++) {
    if (state->refusals[i].code && lies_alike (&state->refusals[i].picture, picture))
      return &state->refusals[i];
  }
  return NULL;
}

/* What has to do with the moment: another try may succeed. */
static bool
may_pass (int code)
{
  return code == -ENOMEM || code == -EMFILE || code == -ENFILE || code == -EBUSY || code == -EACCES || code == -EPERM
         || code == -EBADF || code == -EIO;
}

static int
refuse (BaDisplay *display, const BaiKmsPicture *picture, int code, const char *why, BaError *error)
{
  BaiKmsState *state = display->state;
  if (!may_pass (code)) {
    code = -ENOTSUP;
    BaiKmsRefusal *refusal = &state->refusals[state->n_refusals++ % BAI_KMS_MAX_REFUSALS];
    refusal->code = code;
    refusal->picture = *picture;
    snprintf (refusal->why, sizeof refusal->why, "%s", why);
  }
  return ba_error_set (error, code, "the driver %.40s %.95s", display->info.name, why);
}

static int
refuse_call (BaDisplay *display, const BaiKmsPicture *picture, int code, const char *what, BaError *error)
{
  char why[sizeof ((BaiKmsRefusal *) NULL)->why];
  snprintf (why, sizeof why, "%s: %s", what, ba_error_text (code));
  return refuse (display, picture, code, why, error);
}

void
bai_kms_refuse_import (BaDisplay *display, unsigned number, int code)
{
  BaiKmsState *state = display->state;
  BaiKmsImport *import = &state->imports[number - display->info.n_pages];
  const BaiKmsPicture picture = import->picture;
  (void) refuse_call (display, &picture, code, "refused to flip to it", NULL);
  import->is_forgotten = true;
}

/* ---- importing --------------------------------------------------------------------------------------------------- */

/* Fills what a picture is known by. Before Linux 5.3 all dmabufs were one inode, which had no size: those are not known
 * by their files. */
static int
identify (const BaDisplay *display, const BaDmabuf *picture, BaiKmsPicture *out)
{
  memset (out, 0, sizeof *out);
  out->layout.fourcc = picture->layout.fourcc;
  out->layout.width_px = picture->layout.width_px;
  out->layout.height_px = picture->layout.height_px;
  out->layout.n_planes = picture->layout.n_planes;
  out->has_modifier = picture->has_modifier;
  out->modifier = picture->has_modifier ? picture->modifier : 0;
  for (unsigned i = 0; i < picture->layout.n_planes; i++) {
    struct stat status;
    out->layout.offset_bytes[i] = picture->layout.offset_bytes[i];
    out->layout.stride_bytes[i] = picture->layout.stride_bytes[i];
    if (display->calls->fstat (display->calls->ctx, picture->fds[i], &status) < 0)
      return -errno;
    if (status.st_size > 0)
      out->files[i] = (BaiKmsFile){ .device = status.st_dev, .inode = status.st_ino };
  }
  return 0;
}

static bool
is_same (const BaiKmsPicture *a, const BaiKmsPicture *b)
{
  for (unsigned i = 0; i < a->layout.n_planes; i++) {
    if (!bai_kms_is_same_file (&a->files[i], &b->files[i]))
      return false;
  }
  return lies_alike (a, b);
}

/* What can be told without asking the driver; NULL where it has to be asked. */
static const char *
why_never (const BaDisplay *display, BaiKmsPicture *picture)
{
  const BaiKmsState *state = display->state;
  if (picture->layout.width_px != state->page_width_px || picture->layout.height_px != state->page_height_px)
    return "shows pictures of the size of its pages only";
  if (!bai_kms_has_format (state, picture->layout.fourcc))
    return "has no plane for that format there";
  /* a flip must not change it then, and a mode set for each change would blink */
  if (!state->is_atomic && !state->is_overlay && picture->layout.fourcc != display->info.layout.fourcc)
    return "flips to the format of its pages only (no atomic mode setting)";
  if (picture->has_modifier && bai_kms_get_cap (display, DRM_CAP_ADDFB2_MODIFIERS) == 0) {
    if (picture->modifier != DRM_FORMAT_MOD_LINEAR)
      return "takes no modifiers";
    picture->has_modifier = false;
  }
  if (!(bai_kms_get_cap (display, DRM_CAP_PRIME) & DRM_PRIME_CAP_IMPORT))
    return "imports nothing";
  return NULL;
}

static const char no_import[] = "does not import the memory";

static int
make_import (BaDisplay *display, const BaDmabuf *picture, const BaiKmsPicture *key, BaError *error)
{
  BaiKmsState *state = display->state;
  BaiKmsPicture asked = *key;
  const char *never = why_never (display, &asked);
  if (never)
    return refuse (display, key, -ENOTSUP, never, error);
  BaiKmsImport *import = find_place (display);
  const char *what = no_import;
  int r = 0;
  import->picture = asked;
  for (unsigned i = 0; r == 0 && i < asked.layout.n_planes; i++)
    r = bai_kms_use_buffer (display, picture->fds[i], &asked.files[i], &import->handles[i]);
  if (r == 0) {
    what = "makes no framebuffer of the memory";
    r = add_framebuffer (display, import);
  }
  if (r == 0) {
    what = "does not show the memory";
    r = bai_kms_test_flip (display, import->fb_id);
    if (r == -EACCES || r == -EPERM || r == -EBUSY) /* not now: the flip will say */
      r = 0;
  }
  if (r < 0) {
    bool is_tried = import->fb_id != 0;
    drop (display, import);
    if (is_tried && bai_kms_is_unsettled (display)) /* what is refused now may be shown in a moment */
      return ba_error_set (error, -ENOTSUP, "the driver %.40s %s: %s, while its screen is plugged", display->info.name,
                           what, ba_error_text (r));
    return refuse_call (display, key, r, what, error);
  }
  import->picture = *key;
  import->used = ++state->n_imported;
  return (int) (display->info.n_pages + (unsigned) (import - state->imports));
}

void
bai_kms_sweep_imports (BaDisplay *display)
{
  BaiKmsState *state = display->state;
  for (unsigned i = 0; i < BA_DISPLAY_MAX_IMPORTS; i++) {
    if (state->imports[i].is_forgotten && !is_on_screen (display, &state->imports[i]))
      drop (display, &state->imports[i]);
  }
}

static int
find_or_make (BaDisplay *display, const BaDmabuf *picture, const BaiKmsPicture *key, BaError *error)
{
  BaiKmsState *state = display->state;
  for (unsigned i = 0; i < BA_DISPLAY_MAX_IMPORTS; i++) {
    BaiKmsImport *import = &state->imports[i];
    if (import->fb_id && !import->is_forgotten && is_same (&import->picture, key)) {
      import->used = ++state->n_imported;
      return (int) (display->info.n_pages + i);
    }
  }
  const BaiKmsRefusal *refusal = find_refusal (state, key);
  if (refusal)
    return ba_error_set (error, refusal->code, "the driver %.40s %.95s", display->info.name, refusal->why);
  return make_import (display, picture, key, error);
}

static bool
is_known (const BaiKmsPicture *picture)
{
  for (unsigned i = 0; i < picture->layout.n_planes; i++) {
    if (!bai_kms_knows_file (&picture->files[i]))
      return false;
  }
  return true;
}

/* The card knows which buffer it is: while we hold it, it has one handle. What is said without asking for that is. */
static int
import_unknown (BaDisplay *display, const BaDmabuf *picture, BaiKmsPicture *key, BaError *error)
{
  BaiKmsPicture lies = *key;
  uint32_t held[BA_MAX_PLANES] = { 0 };
  int r = 0;
  if (why_never (display, &lies) || find_refusal (display->state, key))
    return find_or_make (display, picture, key, error);
  for (unsigned i = 0; r == 0 && i < key->layout.n_planes; i++) {
    r = bai_kms_use_buffer (display, picture->fds[i], &key->files[i], &held[i]);
    if (!bai_kms_knows_file (&key->files[i]))
      key->files[i].inode = held[i];
  }
  r = r < 0 ? refuse_call (display, key, r, no_import, error) : find_or_make (display, picture, key, error);
  for (unsigned i = 0; i < BA_MAX_PLANES; i++) {
    if (held[i])
      bai_kms_unuse (display, held[i]);
  }
  return r;
}

int
bai_kms_import (BaDisplay *display, const BaDmabuf *picture, BaError *error)
{
  BaiKmsPicture key;
  int r = identify (display, picture, &key);
  if (r < 0)
    return ba_error_set (error, r, "a file of the picture cannot be asked what it is: %s", ba_error_text (r));
  bai_kms_sweep_imports (display);
  return is_known (&key) ? find_or_make (display, picture, &key, error)
                         : import_unknown (display, picture, &key, error);
}

void
bai_kms_forget_imports (BaDisplay *display)
{
  BaiKmsState *state = display->state;
  for (unsigned i = 0; i < BA_DISPLAY_MAX_IMPORTS; i++)
    state->imports[i].is_forgotten = state->imports[i].fb_id != 0;
  memset (state->refusals, 0, sizeof state->refusals);
  bai_kms_sweep_imports (display);
}

void
bai_kms_inherit_imports (BaDisplay *display, BaiKmsState *before)
{
  memset (before->imports, 0, sizeof before->imports);
  bai_kms_forget_imports (display);
}

void
bai_kms_free_imports (BaDisplay *display)
{
  BaiKmsState *state = display->state;
  for (unsigned i = 0; i < BA_DISPLAY_MAX_IMPORTS; i++)
    drop (display, &state->imports[i]);
}

uint32_t
bai_kms_get_fb (const BaDisplay *display, unsigned number)
{
  const BaiKmsState *state = display->state;
  unsigned n_pages = display->info.n_pages;
  return number < n_pages ? state->pages[number].fb_id : state->imports[number - n_pages].fb_id;
}
