/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * dmabuf.h: pictures in memory that another device, driver or process gave away as dmabufs: shown without being copied,
 * and touched by the CPU in the way that their drivers need.
 *
 * A display that can import shows such a picture as it shows a page of its own. What it makes of it (a framebuffer of
 * the driver's) is kept by the identity of the file, not its number, so that the buffers of a decoder or a camera are
 * imported once each, however often they come. What a driver refuses is remembered too, and not tried with each frame.
 */
#ifndef BUFALLOC_DMABUF_H
#define BUFALLOC_DMABUF_H

#include <bufalloc/error.h>
#include <bufalloc/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * BA_DISPLAY_MAX_IMPORTS: pictures that a display keeps ready to be shown. Of more the one that was used longest ago
 * makes room, and is imported again when it comes again.
 */
#define BA_DISPLAY_MAX_IMPORTS 32

/**
 * BaDmabuf: a picture in one or more dmabufs. Zero it, then set what matters.
 * @layout: format, size, strides; an offset counts from the beginning of the plane's own file
 * @fds: (transfer none): the file of each plane, the same one again where they share it. Only looked at during a call
 * @has_modifier: @modifier says how the pixels lie; false = as the driver that shows them believes (nearly always rows)
 * @modifier: a DRM format modifier (drm_fourcc.h)
 */
typedef struct
{
  BaLayout layout;
  int fds[BA_MAX_PLANES];
  bool has_modifier;
  uint64_t modifier;
} BaDmabuf;

/**
 * BaShownFunc:
 * @user: what was given with it
 *
 * A picture is not on screen any more: its memory may be written. Called once, with no lock held, on the thread of
 * whoever flips, waits or closes next.
 */
typedef void (*BaShownFunc) (void *user);

/**
 * ba_display_import:
 * @display: (transfer none): a display
 * @picture: what is to be shown
 * @error: (nullable) (out caller-allocates): a sentence on failure
 *
 * Makes a picture ready to be shown, where that was not done before: hands its memory to the driver and asks whether the
 * plane takes it. Nothing visible changes. It must have the size of a page. A refusal counts for all pictures of the same
 * format, size and strides, until ba_display_forget_imports(). Threads: any.
 *
 * Returns: 0; -ENOTSUP where the display does not import, or cannot show that; -EINVAL for a description that makes no
 *   sense; -ESHUTDOWN; or the -errno of the call that failed
 */
BA_API int ba_display_import (BaDisplay *display, const BaDmabuf *picture, BaError *error);

/**
 * ba_display_flip_import:
 * @display: (transfer none): a display
 * @picture: what to show; imported first, where that was not done or is forgotten
 * @gone: (nullable): called once when it is not on screen any more, and only where this returns 0 or more
 * @user: (nullable): for @gone
 * @cancel: (nullable): calls off the wait, with ba_display_wake()
 *
 * As ba_display_flip(), for a picture that is no page. Until @gone is called its memory must not be written. Where the
 * picture is on screen already 1 is returned, and @gone is called at once: whoever gave it first is told later. Threads:
 * any.
 *
 * Returns: as ba_display_flip() and ba_display_import()
 */
BA_API int ba_display_flip_import (BaDisplay *display, const BaDmabuf *picture, BaShownFunc gone, void *user,
                                   const BaCancel *cancel);

/**
 * ba_display_get_modifiers:
 * @display: (transfer none): a display
 * @fourcc: a pixel format
 * @modifiers: (out caller-allocates) (array length=room) (nullable): filled with as many as there is room for
 * @room: how many fit
 *
 * How the pixels of pictures of that format may lie, as far as the driver lists it for its plane: DRM format modifiers
 * (drm_fourcc.h), of BaDmabuf. A picture may be refused all the same. Threads: any.
 *
 * Returns: how many there are, perhaps more than @room; 0 where nothing is listed: only rows are safe then
 */
BA_API unsigned ba_display_get_modifiers (const BaDisplay *display, uint32_t fourcc, uint64_t *modifiers,
                                          unsigned room);

/**
 * ba_display_forget_imports:
 * @display: (transfer none): a display
 *
 * Lets go of everything that was imported, which is what keeps the memory of a decoder or a camera that is gone, and of
 * what was refused. The pictures on screen follow when they leave it. Waits for a flip that is being started. Threads:
 * any.
 */
BA_API void ba_display_forget_imports (BaDisplay *display);

/**
 * BaDmabufAccess: what the CPU does with a dmabuf between begin and end.
 * @BA_DMABUF_READ: it reads
 * @BA_DMABUF_WRITE: it writes
 */
typedef enum
{
  BA_DMABUF_READ = 1 << 0,
  BA_DMABUF_WRITE = 1 << 1
} BaDmabufAccess;

/**
 * ba_dmabuf_begin_access, ba_dmabuf_end_access:
 * @fd: (transfer none): a dmabuf that is mapped
 * @access: of %BaDmabufAccess, the same ones at the end
 *
 * What the CPU does with mapped memory of a device must happen between these two: the driver waits until the device is
 * done with it, and cleans the caches. Beginning may block as long as the device works. Threads: any.
 *
 * Returns: 0; -ENOTSUP where the file is no dmabuf, which needs none of this; or the -errno of the call that failed
 */
BA_API int ba_dmabuf_begin_access (int fd, unsigned access);
BA_API int ba_dmabuf_end_access (int fd, unsigned access);

#ifdef __cplusplus
}
#endif
#endif
