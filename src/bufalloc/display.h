/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * display.h: a screen whose pages are mapped into this process, shown one after the other without copying.
 *
 * Open it with a device string, build a pool of its pages with an allocator of type "framebuffer" (factory.h), acquire
 * a page, draw, ba_display_flip(). The display holds a reference to the page on screen, and to the one that waits for
 * its vsync, for itself: a page is free again only when the one after it is really visible.
 *
 * Device strings:
 *   /dev/fbN                                              Linux framebuffer
 *   virtual:WxH[,format=BGRx][,pages=6][,stride=BYTES][,rate=60][,read-mbps=N][,file=PATH]
 *                                                         memory, for machines without a screen (virtual-display.h);
 *                                                         format= also GRAY8, MONO10 (1 = white), MONO01 (1 = black)
 *   /dev/dri/cardN[,connector=NAME|ID][,mode=WxH[@R]|fit][,plane=ID|overlay][,zpos=N][,alpha=PERCENT]
 *                                                         KMS. Without more: the first connector with a screen, the
 *                                                         mode that screen prefers, the primary plane. What there is
 *                                                         is told as an error by connector=help
 *   auto                                                  the first card with a screen that nobody else shows on, else
 *                                                         /dev/fb0
 *
 * KMS: atomic where the driver can, else the older calls (kms_api). The first flip sets the mode, each of the others
 * ends with an event of the driver; where it has none, or the screen is off, the clock paces. Showing needs to be the
 * card's master, which one program at a time can be: it is asked for at open (-EBUSY), and where it is lost later (the
 * owner of a file that was passed in may give it to another), pages count as shown, at the clock's pace and without a
 * flip in the stats, until it is back. plane= shows in a plane over or under the picture of whoever set the mode: the
 * mode and every other plane stay, and there must be one; plane=overlay takes the first that is free. zpos= says over
 * which others it is, alpha= how much of them is seen through it (100 = nothing), where the driver can.
 * mode=fit takes the smallest mode that holds a stream (fit_width_px), at its rate or a multiple of that, when it is known.
 *
 * Linux framebuffers: what a driver refuses has a way out, and one line in the log says so. Pages that cannot be had
 * (FBIOPUT_VSCREENINFO or FBIOPAN_DISPLAY fails, or does not do what it says): fewer, or one. A vsync that cannot be
 * waited for (FBIO_WAITFORVSYNC fails, or returns at once): the clock. EBUSY (a DRM master has the display): the
 * display does not open, or that flip fails. A screen of 8 bits is shown in grey, its colour map is set with the first
 * page, and put back. One driver (bochs) says yes to a pan and moves nothing, which cannot be seen from here: ask for
 * one page there.
 *
 * What was changed on a device is put back by ba_display_close(), which the owner must call. The mapping ends with the
 * last reference: pages that are still out hold one each. A file= belongs to one display at a time, until that is
 * closed, and never shrinks under those who have it mapped (virtual-display.h).
 *
 * Waiting for a vsync is a call of the driver that nothing can interrupt, so a thread of the display's own makes it.
 * Where it took much longer than a period once, or returns at once, the clock paces from then on. A driver that never
 * returns from it (some do not with the output switched off) holds up one flip, or the close behind it, for a second;
 * then the clock paces, and the thread stays behind until the driver returns or the process ends.
 */
#ifndef BUFALLOC_DISPLAY_H
#define BUFALLOC_DISPLAY_H

#include <bufalloc/error.h>
#include <bufalloc/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** BA_DISPLAY_MAX_PAGES: the most pages a display gives when it is asked for all it has. */
#define BA_DISPLAY_MAX_PAGES 8

/**
 * BaConsoleMode: what happens to the text console on a Linux framebuffer while frames are shown there.
 * @BA_CONSOLE_AUTO: cursor and text are taken out of the picture, where the display is the one of the virtual terminal
 *   that this process runs on and that can be done; put back at close
 * @BA_CONSOLE_KEEP: nothing is touched
 * @BA_CONSOLE_GRAPHICS: as auto, but where it cannot be done the display does not open
 */
typedef enum
{
  BA_CONSOLE_AUTO,
  BA_CONSOLE_KEEP,
  BA_CONSOLE_GRAPHICS
} BaConsoleMode;

/**
 * BaKmsApi: which calls show a page of a KMS display.
 * @BA_KMS_AUTO: the atomic ones where the driver has them, else the legacy ones
 * @BA_KMS_ATOMIC: the atomic ones, or the display does not open
 * @BA_KMS_LEGACY: the legacy ones, which every driver has
 */
typedef enum
{
  BA_KMS_AUTO,
  BA_KMS_ATOMIC,
  BA_KMS_LEGACY
} BaKmsApi;

/**
 * BaYuvMatrix: how YUV becomes RGB.
 * @BA_YUV_BT601: of SD video
 * @BA_YUV_BT709: of HD video
 * @BA_YUV_BT2020: of UHD video, non-constant luminance
 */
typedef enum
{
  BA_YUV_BT601,
  BA_YUV_BT709,
  BA_YUV_BT2020
} BaYuvMatrix;

/**
 * BaDisplayWindow: a part of the screen.
 * @x_px: left edge, may lie left of the screen where the driver can do that
 * @y_px: upper edge
 * @width_px: 0 = as wide as the screen
 * @height_px: 0 = as high as the screen
 */
typedef struct
{
  int32_t x_px;
  int32_t y_px;
  uint32_t width_px;
  uint32_t height_px;
} BaDisplayWindow;

/**
 * BaDisplayOptions: zero it, then set what matters.
 * @pages: how many pages to ask the device for; 0 = all, up to %BA_DISPLAY_MAX_PAGES. It may have fewer. KMS makes its
 *   pages from memory that others need too: 0 = 4 there
 * @no_vsync: true = a flip counts as done at once, and frames may tear
 * @console: what happens to the text console; a virtual display has none, KMS covers it, and both ignore it
 * @fourcc: the pages' format (drm_fourcc.h); 0 = the best RGB one. Others are a KMS plane's: NV12 and its like
 *   (ba_display_supports_format()). -ENOTSUP where the device has it not
 * @kms_api: KMS: which calls
 * @has_fd: KMS: true = @fd is an open card, and the device string's card is not opened. NULL is a device string then
 * @fd: (transfer none): stays the caller's and open as long as the display is. What it is master of, it stays. The
 *   display takes events from it only where kms_api is legacy or the driver is; an application that waits for events of
 *   its own should not use that. A buffer that is imported has one handle in each open file: what the application itself
 *   imports there too may be closed under it. Displays of one process on the same file count theirs together
 * @window: KMS: where the plane shows its pages; zeroed = all of the screen. -ENOTSUP where the driver cannot: many
 *   primary planes cover the screen or nothing
 * @page_width_px: KMS: columns of a page, which the plane scales to @window; 0 = as many as there. -ENOTSUP where the
 *   plane cannot scale so
 * @page_height_px: likewise, rows
 * @fit_width_px: KMS with mode=fit: columns of the stream that is to be shown; 0 = not known yet: the screen's best mode
 * @fit_height_px: likewise, rows
 * @fit_rate_mhz: likewise, thousandths of a frame in a second; 0 = any
 */
typedef struct
{
  unsigned pages;
  bool no_vsync;
  BaConsoleMode console;
  uint32_t fourcc;
  BaKmsApi kms_api;
  bool has_fd;
  int fd;
  BaDisplayWindow window;
  uint32_t page_width_px;
  uint32_t page_height_px;
  uint32_t fit_width_px;
  uint32_t fit_height_px;
  uint32_t fit_rate_mhz;
} BaDisplayOptions;

/**
 * BaHdr: what a stream of high dynamic range says of itself: CTA-861.3's static metadata, in its units. 0 = unknown.
 * @is_hlg: hybrid log-gamma, and not PQ (SMPTE ST 2084)
 * @is_bt2020: its colours are those of BT.2020
 * @primaries: x and y of red, green and blue of the screen it was made on, in 0.00002
 * @white: x and y of white, likewise
 * @max_luminance: of that screen, in 1 cd/m2
 * @min_luminance: of that screen, in 0.0001 cd/m2
 * @max_cll: the brightest pixel of the stream, in 1 cd/m2
 * @max_fall: the brightest frame's average, in 1 cd/m2
 */
typedef struct
{
  bool is_hlg;
  bool is_bt2020;
  uint16_t primaries[3][2];
  uint16_t white[2];
  uint16_t max_luminance;
  uint16_t min_luminance;
  uint16_t max_cll;
  uint16_t max_fall;
} BaHdr;

/**
 * BaDisplayInfo: what a display is. Never changes while it is open.
 * @kind: (transfer none): "fbdev", "kms" or "virtual"; static
 * @name: the driver's name, or the file's
 * @layout: of every page; the fourcc is a DRM one, strides may be larger than the row. offset_bytes[0] is where the
 *   first visible pixel lies in a page: 0 but for a Linux framebuffer that is scrolled sideways and cannot be moved
 *   (one page then). What lies left and right of the visible columns is memory of the page too
 * @screen_width_px: of the whole screen, also where the pages have another size than that (BaDisplayOptions.window)
 * @screen_height_px: likewise
 * @is_overlay: its pages lie over or under the picture of somebody else, which is seen around them
 * @page_bytes: distance from one page to the next, and the size of one from the start of its first row; at least
 *   stride × height. An offset is inside of it: the last visible pixel never lies behind its end
 * @n_pages: pages, at least 1
 * @can_flip: false where there is one page only: it is always on screen, and what is drawn is seen at once
 * @period_ns: time between two vsyncs, 0 = unknown or none
 */
typedef struct
{
  const char *kind;
  char name[64];
  BaLayout layout;
  uint32_t screen_width_px;
  uint32_t screen_height_px;
  bool is_overlay;
  size_t page_bytes;
  unsigned n_pages;
  bool can_flip;
  uint64_t period_ns;
} BaDisplayInfo;

/**
 * BaDisplayStats: a snapshot.
 * @flips: pages that were put on screen
 * @waits: times somebody waited for a vsync
 * @vsyncs_missed: flips that began more than a period and a half after ba_display_flip() was called, so that at least
 *   one vsync showed an older page although this one was there. Waiting for the one vsync that the flip before needs
 *   is no miss: whoever draws faster than the screen waits for every flip and misses none. 0 where nothing is paced
 */
typedef struct
{
  uint64_t flips;
  uint64_t waits;
  uint64_t vsyncs_missed;
} BaDisplayStats;

/**
 * BaDisplaySpeed: how fast the processor gets at the pages, in units of 1,000,000 bytes per second. 0 = unknown: treat
 * it as slow.
 * @read_mbps: reading; video memory often reads a hundred times slower than it is written
 * @write_mbps: writing
 */
typedef struct
{
  double read_mbps;
  double write_mbps;
} BaDisplaySpeed;

/**
 * ba_display_open:
 * @device: the device string
 * @options: (nullable): NULL = all defaults
 * @error: (nullable) (out caller-allocates): a sentence on failure
 * @out: (out) (transfer full): the display, NULL on error
 *
 * Opens the device, saves its state, and maps its pages. Nothing visible changes before the first flip.
 * On failure the device is as it was. Threads: any.
 *
 * Returns: 0; -EINVAL for a string that makes no sense, and for a connector, a mode or a plane that the card has not, with
 *   those that it has; -ENODEV; -EBUSY where another program, or another display of
 *   this one, shows there; -ENOTSUP for a pixel format that cannot be shown, or a KMS string in a library built without
 *   it; -ENOMEM, also where a virtual display
 *   would take more than BA_VIRTUAL_MAX_MEMORY_BYTES; or the -errno of the call that failed
 */
BA_API int ba_display_open (const char *device, const BaDisplayOptions *options, BaError *error, BaDisplay **out);

/**
 * ba_display_list_outputs:
 * @device: (nullable): a KMS device string, of which only the card counts; NULL or "auto" = all cards
 * @options: (nullable): only has_fd and fd count
 * @error: (nullable) (out caller-allocates): a sentence on failure
 * @out: (out) (transfer full): the text, for free(); NULL on error
 *
 * What there is to choose from: a line for each card with its driver, and below it one for each connector, indented by
 * two spaces, with its name and number and, where a screen is connected, all modes, each as the device string takes them.
 * Nothing is opened as a display, so it works while another program shows there. What was just plugged in may be missing
 * then: only a card's master has it looked for. Threads: any.
 *
 * Returns: 0; -ENODEV where there is no such card, or none; -ENOTSUP for another kind of device, or in a library built
 *   without KMS; -EINVAL; -ENOMEM; or the -errno of the call that failed
 */
BA_API int ba_display_list_outputs (const char *device, const BaDisplayOptions *options, BaError *error, char **out);

/** ba_display_ref: (transfer full): another reference. Threads: any. */
BA_API BaDisplay *ba_display_ref (BaDisplay *display);

/**
 * ba_display_unref:
 * @display: (transfer full) (nullable): a reference; NULL does nothing
 *
 * Drops a reference; the last one closes, where that was not done, and unmaps. It is no replacement for
 * ba_display_close(): a page on screen belongs to a pool, the pool to an allocator, and that one holds a reference to
 * the display. A display that has shown a page therefore never reaches its last reference before it was closed.
 * Threads: any.
 */
BA_API void ba_display_unref (BaDisplay *display);

/** ba_display_get_info: (transfer none): what it is; valid as long as @display. Threads: any. */
BA_API const BaDisplayInfo *ba_display_get_info (const BaDisplay *display);

/**
 * ba_display_get_page:
 * @display: (transfer none): a display
 * @page: number, below n_pages
 * @block: (out caller-allocates): where it is mapped, readable and writable
 *
 * For people who draw without a pool, and for allocators. Threads: any.
 *
 * Returns: 0 or -EINVAL
 */
BA_API int ba_display_get_page (const BaDisplay *display, unsigned page, BaBlock *block);

/**
 * ba_display_get_page_number:
 * @display: (transfer none): a display
 * @buffer: (transfer none): any buffer
 *
 * Which page of this display a buffer is. Threads: any.
 *
 * Returns: the number, or -EINVAL where it is no page of @display
 */
BA_API int ba_display_get_page_number (const BaDisplay *display, const BaBuffer *buffer);

/**
 * ba_display_supports_format:
 * @display: (transfer none): a display
 * @fourcc: a pixel format
 *
 * Whether a display of the same device string could be opened with that format (BaDisplayOptions.fourcc). Of a KMS plane
 * it is what the driver lists; whether it takes the size too is known when it was opened. Threads: any.
 *
 * Returns: true or false
 */
BA_API bool ba_display_supports_format (const BaDisplay *display, uint32_t fourcc);

/**
 * ba_display_set_colours:
 * @display: (transfer none): a display
 * @matrix: how the frames' YUV becomes RGB
 * @full_range: false = limited range, as most video has
 *
 * Says what the colours of the next page shown, and of all after it, mean: where the pages are YUV. Threads: any.
 *
 * Returns: 0; -ENOTSUP where it cannot be said (the driver has its own idea then, which nobody tells); -EINVAL;
 *   -ESHUTDOWN
 */
BA_API int ba_display_set_colours (BaDisplay *display, BaYuvMatrix matrix, bool full_range);

/**
 * ba_display_set_hdr:
 * @display: (transfer none): a display
 * @hdr: (nullable): what the frames are; NULL = ordinary video
 *
 * Tells the screen, with the next page shown: HDR metadata, the colours of BT.2020 and at least 10 bits a colour on the
 * way there, each where driver and connector have it. Put back at close. Threads: any.
 *
 * Returns: 0; -ENOTSUP where the connector takes no HDR metadata; -ESHUTDOWN; or the -errno of the call that failed
 */
BA_API int ba_display_set_hdr (BaDisplay *display, const BaHdr *hdr);

/**
 * ba_display_set_window:
 * @display: (transfer none): a display
 * @window: where its pages are shown from now on; they keep their size, so the plane may have to scale
 *
 * Moves what is on screen, too, and waits for that. Threads: any.
 *
 * Returns: 0; -ENOTSUP where the driver cannot: nothing has changed then; -EINVAL; -ESHUTDOWN
 */
BA_API int ba_display_set_window (BaDisplay *display, const BaDisplayWindow *window);

/**
 * ba_display_refresh:
 * @display: (transfer none): a display
 *
 * Looks whether the screen was plugged in again, or another program that was the card's master is gone, and shows the last
 * page again then. Flips do the same with what they show: this is for a picture that stands still. Call it when
 * ba_display_get_event_fd() can be read, and now and then, as nobody tells of masters. Threads: any.
 *
 * Returns: 1 where the page is shown again; 0; -ENOTSUP where the screen that was plugged in has no such mode: close, and
 *   open again (ba_display_check_mode()); -ENODEV where the card is gone; -ESHUTDOWN; or the -errno of the call that
 *   failed
 */
BA_API int ba_display_refresh (BaDisplay *display);

/**
 * ba_display_get_event_fd:
 * @display: (transfer none): a display that nobody closes meanwhile
 *
 * Threads: any.
 *
 * Returns: a file that can be read (poll) when something happened to the machine's devices; -ENOTSUP where there is
 *   none. It stays @display's, to read and to close
 */
BA_API int ba_display_get_event_fd (BaDisplay *display);

/**
 * ba_display_reopen:
 * @display: (transfer none): an open display
 * @options: pages, no_vsync, fourcc, window, and the sizes of pages and stream count; the rest stays as it was opened
 * @error: (nullable) (out caller-allocates): a sentence on failure
 * @out: (out) (transfer full): the same screen with other pages, NULL on error
 *
 * Other pages for the same screen, and not a moment in between that shows anything else: what is on screen stays until
 * the first flip of the new ones. @display is closed then, and puts nothing back: @out will. Pages of @display that somebody
 * holds stay mapped, and the one on screen is held until another one has taken its place. On failure @display goes on.
 * Waits for a flip under way. Threads: any.
 *
 * Returns: 0; -ENOTSUP where pages come in one format only (all kinds but KMS), or not so; -ESHUTDOWN; -ENOMEM; or the
 *   -errno of the call that failed
 */
BA_API int ba_display_reopen (BaDisplay *display, const BaDisplayOptions *options, BaError *error, BaDisplay **out);

/**
 * ba_display_export_page:
 * @display: (transfer none): a display
 * @page: number, below n_pages
 * @fd: (out) (transfer full): a dmabuf of the page, for reading and writing, closed by exec; -1 on error
 *
 * Gives a page to another device or process, that may map it or draw into it. Layout and size are those of every page
 * (BaDisplayInfo). The memory lives as long as @fd; whether it is on screen is still the display's to say: use the page
 * no longer than the buffer of it is held. Threads: any.
 *
 * Returns: 0; -EINVAL; -ENOTSUP where pages are no dmabufs (only those of KMS are, of a driver that can);
 *   -ESHUTDOWN; or the -errno of the call that failed
 */
BA_API int ba_display_export_page (BaDisplay *display, unsigned page, int *fd);

/**
 * ba_display_clear:
 * @display: (transfer none): a display
 * @page: number, below n_pages
 *
 * Makes a page black from its first byte to its last, what is not visible of its rows too. Threads: the page's holder.
 *
 * Returns: 0 or -EINVAL
 */
BA_API int ba_display_clear (BaDisplay *display, unsigned page);

/**
 * ba_display_flip:
 * @display: (transfer none): a display
 * @page: (transfer none): a page of it, from a pool of type "framebuffer"; the display takes a reference of its own
 * @cancel: (nullable): calls off the wait, with ba_display_wake()
 *
 * Shows a page. Where the flip before this one has not reached the screen yet, that is waited for first (one period
 * at most); the flip itself is only started: ba_display_wait() waits for it. The page shown before becomes free when
 * this one is visible, which is noticed by the next flip, wait or close.
 * A page that is on screen, or on its way there, already is left alone and not counted.
 * Threads: any; flips of one display are done one after the other.
 *
 * Returns: 1 where it was on screen already; 0; -EINVAL where it is no page of this display; -ECANCELED; -ESHUTDOWN;
 *   -EBUSY where another program has the display: the page before stays, and a later flip may succeed; -ENOTSUP where
 *   the device refuses to move to the page although it took that at open (ba_display_check_mode(); one page always
 *   works); or the -errno of the call that failed. The first failure is logged, the others are not
 */
BA_API int ba_display_flip (BaDisplay *display, BaBuffer *page, const BaCancel *cancel);

/**
 * ba_display_wait:
 * @display: (transfer none): a display
 * @cancel: (nullable): calls off the wait, with ba_display_wake()
 *
 * Waits until the last flip has reached the screen, one period at most, and lets the page before it go. Threads: any.
 *
 * Returns: 0, -ECANCELED or -ESHUTDOWN
 */
BA_API int ba_display_wait (BaDisplay *display, const BaCancel *cancel);

/**
 * ba_display_check_mode:
 * @display: (transfer none): a display
 *
 * Whether another program has changed the mode since the display was opened: width, height, format, stride, or where
 * and how large the memory is. What is drawn is not what is seen then, or not at all: close, and open again. Look
 * whenever frames begin to come anew; a call costs two ioctls, and waits for a flip under way. Threads: any.
 *
 * Returns: 0 = it is as it was; 1 = it is another one; -ESHUTDOWN; or the -errno of the call that failed
 */
BA_API int ba_display_check_mode (BaDisplay *display);

/**
 * ba_display_measure_speed:
 * @display: (transfer none): a display
 * @page: (transfer none): a page of it that the caller holds and nobody looks at
 * @speed: (nullable) (out caller-allocates): what was measured, zeroed on error
 *
 * Measures how fast a page is read and written, and remembers it (ba_display_get_speed()). Takes 2 ms at
 * most for touching memory that nobody has touched yet, 2 ms for reading and 2 ms for writing, but as long as 16 KiB
 * take on memory slower than 8 MB/s. The page
 * keeps its content: what is written is what was read. So nobody else may write to it meanwhile, and it must not be
 * flipped. Memory that caches keep, as that of a virtual display, is measured as the caches give it. A virtual display
 * with read-mbps=N says N for reading. Threads: the page's holder.
 *
 * Returns: 0; -EINVAL where it is no page of this display, or is on screen, on its way there, or was on screen when the
 *   display was opened and nothing was shown since; -ENOTSUP where there is one page only, which is always on screen
 *   (ba_display_note_write()); -ESHUTDOWN; -ENOMEM
 */
BA_API int ba_display_measure_speed (BaDisplay *display, BaBuffer *page, BaDisplaySpeed *speed);

/**
 * ba_display_note_write:
 * @display: (transfer none): a display
 * @bytes: how many were written to its page
 * @ns: how long that took
 *
 * Tells what writing a real frame took. Where there is one page only, the write speed is known from this alone: an
 * average of about the last second of writing. With more pages it does nothing. Threads: any.
 */
BA_API void ba_display_note_write (BaDisplay *display, uint64_t bytes, uint64_t ns);

/** ba_display_get_speed: fills @speed (out caller-allocates) with what is known, 0 = unknown. Threads: any. */
BA_API void ba_display_get_speed (BaDisplay *display, BaDisplaySpeed *speed);

/** ba_display_wake: makes every waiter look at its cancel flag. Threads: any. */
BA_API void ba_display_wake (BaDisplay *display);

/** ba_display_get_stats: fills @stats (out caller-allocates). Threads: any. */
BA_API void ba_display_get_stats (BaDisplay *display, BaDisplayStats *stats);

/**
 * ba_display_close:
 * @display: (transfer none): a display
 *
 * Puts everything back that was changed on the device and lets go of the pages on screen. Later flips get -ESHUTDOWN.
 * A mode that another program has set since is left alone (ba_display_check_mode()), and so is its colour map. What
 * cannot be put back is logged. A screen that was dark and was lit for the first page stays lit.
 * Mapped pages stay valid for those who hold them. Waits for a flip under way, one period as a rule. May be called
 * again, also while the first call is at work: both return when it is done. Threads: any.
 */
BA_API void ba_display_close (BaDisplay *display);

#ifdef __cplusplus
}
#endif
#endif
