/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * virtual-display.h: what a virtual display leaves in its file, so that any other program can watch the screen.
 *
 * The file holds the pages, one after the other, from offset 0, `page_bytes` apart (the rows, then unused bytes up to a
 * multiple of BA_VIRTUAL_TRAILER_BYTES), and then a trailer of BA_VIRTUAL_TRAILER_BYTES, which begins at
 * page_count × page_bytes. To find it without knowing the geometry: it is the last BA_VIRTUAL_TRAILER_BYTES of the
 * file.
 *
 * The file is locked (flock) from ba_display_open() to ba_display_close(): a second display on it, in this program or
 * another, is refused with -EBUSY. Watchers need no lock. A file that exists is used as it is where it has the right
 * size, and grows where it is smaller. It never shrinks, because that would kill whoever has it mapped: one that is
 * larger is replaced by a new file of the same name, and those who have the old one open or mapped keep that, so
 * watchers should open it anew when its inode is another one. Pages that are held across ba_display_close() stay valid;
 * where the file is opened again with the size it has, they are the same memory as the pages of the new display.
 */
#ifndef BUFALLOC_VIRTUAL_DISPLAY_H
#define BUFALLOC_VIRTUAL_DISPLAY_H

#include <bufalloc/types.h>

#ifdef __cplusplus
using std::atomic_uint_least32_t;
using std::atomic_uint_least64_t;
extern "C" {
#endif

/** BA_VIRTUAL_MAGIC: the first eight bytes of the trailer. */
#define BA_VIRTUAL_MAGIC "BAVIRT\r\n"
/** BA_VIRTUAL_VERSION: of this layout; a watcher refuses others. */
#define BA_VIRTUAL_VERSION 1
/** BA_VIRTUAL_TRAILER_BYTES: the trailer's length, zero behind the struct. */
#define BA_VIRTUAL_TRAILER_BYTES 4096

/** BA_VIRTUAL_MAX_MEMORY_BYTES: the most that the pages of a display without a file may have: this, or half of the
 * machine's memory, whichever is less. More is refused with -ENOMEM. */
#define BA_VIRTUAL_MAX_MEMORY_BYTES (UINT64_C (2) << 30)

/**
 * BaVirtualTrailer: in the byte order of the machine that wrote it.
 * @magic: BA_VIRTUAL_MAGIC
 * @version: BA_VIRTUAL_VERSION
 * @width_px: columns
 * @height_px: rows
 * @stride_bytes: from one row to the next
 * @fourcc: DRM fourcc of a pixel
 * @page_count: pages in the file
 * @page_bytes: distance from one page to the next: @stride_bytes × @height_px rounded up to a multiple of
 *   BA_VIRTUAL_TRAILER_BYTES, so that every page begins at a memory page
 * @front_page: the page on screen; changes
 * @sequence: flips so far; changes after @front_page. 0 = nothing was shown yet. A watcher reads @sequence, @front_page
 *   and the page, then @sequence again: where it grew by less than page_count - 1, what was read is whole.
 */
typedef struct
{
  char magic[8];
  uint32_t version;
  uint32_t width_px;
  uint32_t height_px;
  uint32_t stride_bytes;
  uint32_t fourcc;
  uint32_t page_count;
  uint64_t page_bytes;
  atomic_uint_least32_t front_page;
  uint32_t reserved;
  atomic_uint_least64_t sequence;
} BaVirtualTrailer;

#ifdef __cplusplus
}
#endif
#endif
