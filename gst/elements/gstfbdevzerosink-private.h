/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstfbdevzerosink-private.h: what the files of the sink share.
 *
 * gstfbdevzerosink.c         the element: state changes, events, queries, negotiation
 * gstfbdevzerosink-props.c   properties and frame-stats
 * gstfbdevzerosink-device.c  opening, watching and closing the display
 * gstfbdevzerosink-view.c    which part of the screen, and turned how, also while it plays
 * gstfbdevzerosink-native.c  pages in the format, and where planes scale in the size, of the stream
 * gstfbdevzerosink-watch.c   screens that are unplugged and come back
 * gstfbdevzerosink-pools.c   what it offers upstream
 * gstfbdevzerosink-frame.c   one frame: which way it goes, and its page
 * gstfbdevzerosink-show.c    one frame: onto the screen
 * gstfbdevzerosink-import.c  a frame in memory of another device, shown where it lies
 * gstfbdevzerosink-dma.c     caps that say how the pixels of dmabufs lie (GStreamer 1.24)
 * gstfbdevzerosink-write.c   a frame into a page
 * gstfbdevzerosink-place.c   where a picture lies on the screen: pure arithmetic
 */
#pragma once

#include <gst/bufalloc/gstbufalloc.h>

#include "gstbaconvert.h"
#include "gstbaoverlay.h"
#include "gstbapaint.h"
#include "gstfbdevzerosink.h"

#define GST_FBDEV_ZERO_SINK_DEFAULT_DEVICE "auto"

typedef enum
{
  GST_BA_SCALING_NONE,
  GST_BA_SCALING_FIT,
  GST_BA_SCALING_FILL,
  GST_BA_SCALING_STRETCH
} GstBaScaling;

typedef enum
{
  GST_BA_OFFER_PAGES_AUTO,
  GST_BA_OFFER_PAGES_ALWAYS,
  GST_BA_OFFER_PAGES_NEVER
} GstBaOfferPages;

typedef enum
{
  GST_BA_DAMAGE_AUTO,
  GST_BA_DAMAGE_ALWAYS,
  GST_BA_DAMAGE_NEVER
} GstBaDamageMode;

/* The ways of a frame, in the order in which they are tried. */
typedef enum
{
  WAY_NONE,
  WAY_FLIP,
  WAY_CONVERT,
  WAY_COPY
} Way;

/* A flow return of our own: nothing of the frame is on the screen. */
#define FLOW_NOWHERE GST_FLOW_CUSTOM_SUCCESS

/* What of ours may hold the preroll lock, each in one thread at a time. */
typedef enum
{
  INSIDE_STREAM,                /* a frame or an event on its way through the base class */
  INSIDE_STATE,                 /* a change of state */
  INSIDE_REPAINT,
  N_INSIDES
} Inside;

/* How the application wants pictures to be shown. */
typedef struct
{
  GstBaScaling scaling;
  GstVideoOrientationMethod direction;  /* neither AUTO nor CUSTOM */
  GstVideoRectangle area;       /* of the screen, perhaps in part outside; no width = all of it */
  gint screen_w;
  gint screen_h;
  gint x_step_px;               /* pictures begin at a multiple of this: 8 where a byte has eight pixels, 2 where pixels
                                 * share their colours, else 1 */
  gint y_step_px;               /* likewise */
} View;

/* Which part of the picture goes where on the screen, and turned how. */
typedef struct
{
  GstVideoRectangle src;        /* pixels of the picture */
  GstVideoRectangle dst;        /* pixels of the screen, or of a page that the plane puts in its place */
  GstVideoOrientationMethod direction;
  GstVideoRectangle on_screen;  /* where dst is seen */
} Placement;

/* Why a frame is not flipped. The text is made when it is another reason than before. */
typedef enum
{
  WHY_UNKNOWN,                  /* nothing was shown since caps or offers changed */
  WHY_FLIPPED,
  WHY_FORMAT,
  WHY_TURNED,
  WHY_SCALED,
  WHY_OVERFLOW,
  WHY_FOREIGN,
  WHY_ELSEWHERE,
  WHY_CROPPED,
  WHY_ONE_PAGE,
  WHY_NOT_IMPORTED,
  WHY_OVERLAY,
  WHY_NOWHERE
} Why;

typedef struct
{
  guint64 shown[WAY_COPY + 1];  /* by way */
  guint64 dropped;              /* by us: no page in time; and what the base class dropped before it forgot */
  guint64 bytes_written;
  guint64 bytes_copied;
} Counts;

GST_DEBUG_CATEGORY_EXTERN (gst_fbdev_zero_sink_debug);
/* GST_PERFORMANCE: GStreamer's own category, which every plugin has to look up for itself */
GST_DEBUG_CATEGORY_EXTERN (gst_fbdev_zero_sink_performance);

struct _GstFbdevZeroSink
{
  GstVideoSink parent;

  /* properties; the object lock */
  gchar *device;
  guint n_pages;
  gboolean vsync;
  BaConsoleMode console;
  gint fd;                      /* a card that the application has open, or -1 */
  BaKmsApi kms_api;
  GstBaScaling scaling;
  GstBaOfferPages offer_pages;
  GstBaDamageMode damage_mode;
  gboolean clear_on_stop;
  GstVideoRectangle area;       /* render-rectangle; no width = the whole screen */
  GstVideoOrientationMethod direction;
  GstVideoOrientationMethod tag_direction;      /* what the stream says, for AUTO */

  /* from start to stop */
  BaDisplay *display;           /* object lock for other threads than the streaming one */
  GstBaFbdevAllocator *allocator;       /* likewise */
  GThread *watch_thread;        /* NULL where there is nothing to watch */
  GstPoll *watch_poll;
  GstVideoFormat plain_format;  /* of the pages, unless the stream has them in its own; UNKNOWN for one bit */
  guint can_tell;               /* what YUV may mean that its plane can be told: a bit for each matrix and range */
  gboolean fits_mode;           /* its mode is to fit the stream */
  gint screen_w;                /* of the whole screen; pages are smaller where they are fitted */
  gint screen_h;
  gboolean native;              /* pages are in the stream's YUV format, in which the CPU copies, but does not paint */
  gboolean fitted;              /* they are no larger than the picture: the plane puts them in their place, window */
  GstVideoRectangle window;
  BaHdr hdr;                    /* what the screen was told last */
  gboolean was_hdr;             /* that it was anything */
  GstVideoInfo fit_info;        /* what the mode was chosen for */
  GstVideoInfo screen;          /* of one page; with one bit per pixel the format is GRAY8, which nothing is written in */
  GstBaPageFormat page_format;
  BaCancel cancel;              /* set between unlock and unlock_stop */
  GstPadChainFunction base_chain;       /* constant: the base class's */
  GstPadChainListFunction base_chain_list;      /* likewise */

  /* streaming thread, or the preroll lock */
  GstVideoInfo info;            /* of the caps */
  guint64 modifier;             /* likewise: how the pixels lie; 0 = in rows, which alone the CPU reads */
  GstBaConvert *convert;        /* for the format of info and convert_place */
  Placement convert_place;
  GstBaOverlay *overlay;
  GstBaDamage *damage;          /* NULL where all rows are written */
  GstBuffer *prepared_for;      /* the frame that is ready, or was shown last */
  BaBuffer *prepared_page;      /* with it in it; NULL where it cannot be shown, is imported, or with one page */
  gboolean prepared_import;     /* the frame itself is shown, which lies as import says */
  BaDmabuf import;              /* the files are those of prepared_for */
  gboolean uncounted;           /* a copy for the sake of its producer, of a frame that was counted, is made */
  gboolean copy_this;           /* the flip to the frame that was imported failed */
  GstBuffer *imported;          /* the last frame that was shown so, as long as it may be on the screen; else NULL */
  GstAllocator *dmabufs;        /* makes memory that frames like probed can be shown from; NULL = nothing does */
  GstVideoInfo probed;          /* of no size = nothing was tried */
  GWeakRef import_pool;         /* the last pool that imported frames came from */
  GWeakRef *import_watch;       /* the pool's, while it lives */
  gchar *not_imported;          /* why the last frame was not; NULL where it was, or is no dmabuf */
  Way prepared_way;
  Placement prepared_place;
  guint prepared_view;          /* view_number it was prepared with */
  gboolean shown;               /* it is on the screen */
  gboolean repaints;            /* a frame that was counted before is shown again */
  gconstpointer counted_dropped;        /* the frame that was counted last; another one may come in the same memory, so
                                         * NULL from when it comes; streaming thread only */

  /* object lock */
  GPtrArray *pools;             /* of GWeakRef: the pools that upstream was given */
  const gchar *not_offered;     /* why the last ALLOCATION query got no pages, NULL where it did; static */
  gboolean was_asked;           /* an ALLOCATION query came since the display was opened */
  GThread *inside[N_INSIDES];   /* who is in there */
  gboolean reopen;              /* a property changed since the display was opened */
  gboolean repaint_again;       /* the frame on the screen could not be painted anew, as somebody wants the lock */
  gboolean will_repaint;        /* the frame on the screen is about to be painted anew */
  gboolean said_starved;        /* that somebody keeps all buffers; until the next frame comes */
  gboolean said_gone;           /* that the display is; until another one is opened */
  guint view_number;            /* counts the changes of what View says */
  guint offered_view;           /* of the last ALLOCATION query, or of when the display was opened */
  Counts counts;
  Way last_way;
  Why last_why;                 /* of the frame before, as are these two */
  Placement last_place;
  gchar *reason;                /* why the last frame was not flipped, "" if it was */
};

/* ---- place ---------------------------------------------------------------------------------------------------- */

/* Where a picture of @src (with pixel aspect ratio @par_n/@par_d) lies; FALSE where nothing of it is on the screen. */
gboolean gst_fbdev_zero_sink_place (const View * view, const GstVideoRectangle * src, gint par_n, gint par_d,
    Placement * out);

/* Whether width and height change places. */
gboolean gst_fbdev_zero_sink_swaps_sides (GstVideoOrientationMethod direction);

/* Whether @place keeps every pixel as it is. */
gboolean gst_fbdev_zero_sink_is_1to1 (const Placement * place);

/* ---- properties ------------------------------------------------------------------------------------------------ */

void gst_fbdev_zero_sink_install_properties (GObjectClass * klass);
void gst_fbdev_zero_sink_set_property (GObject * object, guint id, const GValue * value, GParamSpec * pspec);
void gst_fbdev_zero_sink_get_property (GObject * object, guint id, GValue * value, GParamSpec * pspec);

/* The property frame-stats. */
GstStructure *gst_fbdev_zero_sink_make_stats (GstFbdevZeroSink * self);

/* Frames that the base class dropped since it last forgot. */
guint64 gst_fbdev_zero_sink_get_late (GstFbdevZeroSink * self);

/* ---- device ---------------------------------------------------------------------------------------------------- */

/* Opens the display; FALSE, with an error posted. */
gboolean gst_fbdev_zero_sink_open (GstFbdevZeroSink * self);

/* Opens it anew where a property changed since. */
gboolean gst_fbdev_zero_sink_reopen_changed (GstFbdevZeroSink * self);

/* Opens it anew where another program changed its mode: then whoever draws into its pages has to ask again. FALSE, with
 * an error posted, where that failed. */
gboolean gst_fbdev_zero_sink_follow_mode (GstFbdevZeroSink * self, gboolean * reopened);

/* Makes every page black that nobody holds, and shows one. */
void gst_fbdev_zero_sink_clear_screen (GstFbdevZeroSink * self);

/* Puts the device back as it was. */
void gst_fbdev_zero_sink_close (GstFbdevZeroSink * self);

/* How fast pages are read and written; measured when it is asked first, where a page is free for that. */
void gst_fbdev_zero_sink_get_speed (GstFbdevZeroSink * self, BaDisplaySpeed * speed);

/* Other pages for the same screen; FALSE, and all as it was. */
gboolean gst_fbdev_zero_sink_change_pages (GstFbdevZeroSink * self, const BaDisplayOptions * options, BaError * error);

/* ---- watch ----------------------------------------------------------------------------------------------------- */

void gst_fbdev_zero_sink_start_watch (GstFbdevZeroSink * self);
void gst_fbdev_zero_sink_stop_watch (GstFbdevZeroSink * self);

/* ---- native ---------------------------------------------------------------------------------------------------- */

/* The format or the formats that flip, the best one first. */
void gst_fbdev_zero_sink_get_native_formats (GstFbdevZeroSink * self, const View * view, GValue * formats);

/* Finds out what the plane of a display that was just opened can be told of colours. */
void gst_fbdev_zero_sink_learn_colours (GstFbdevZeroSink * self);

/* Whether frames of @info that the screen reads itself have their colours there. Says nothing to it. */
gboolean gst_fbdev_zero_sink_shows_colours (GstFbdevZeroSink * self, const GstVideoInfo * info);

/* Pages that suit the new info, of @caps, best; TRUE where they are other ones now. */
gboolean gst_fbdev_zero_sink_choose_pages (GstFbdevZeroSink * self, GstCaps * caps);

/* Pages in which everything can be painted, for what cannot be shown in others, and is to be seen at @on_screen; TRUE where
 * they are other ones now. */
gboolean gst_fbdev_zero_sink_use_plain_pages (GstFbdevZeroSink * self, const GstVideoRectangle * on_screen);

/* As gst_fbdev_zero_sink_place(), of a picture that is shown as @view says, but on its page and not on the screen. */
gboolean gst_fbdev_zero_sink_place_on_page (GstFbdevZeroSink * self, const View * view, const GstVideoRectangle * src,
    const GstVideoInfo * info, Placement * place);

/* Whether a frame that lies so can be painted, or copied at least, into the pages as they are; moves the plane there. */
gboolean gst_fbdev_zero_sink_pages_take (GstFbdevZeroSink * self, const Placement * place, gboolean has_overlay);

/* Copies the planes of @frame to @place in @page, whose format is the same; returns how many bytes. */
guint64 gst_fbdev_zero_sink_copy_planes (GstFbdevZeroSink * self, const GstVideoFrame * frame, const Placement * place,
    BaBuffer * page);

/* ---- view ------------------------------------------------------------------------------------------------------ */

/* GstVideoOverlay and GstVideoDirection. */
void gst_fbdev_zero_sink_init_overlay (gpointer interface, gpointer data);
void gst_fbdev_zero_sink_init_direction (gpointer interface, gpointer data);

/* How pictures are to be shown now; and the number of that. Threads: any. */
void gst_fbdev_zero_sink_get_view (GstFbdevZeroSink * self, View * view, guint * number);

/* Something in View changed: shows it where nothing moves, and has upstream ask again. Threads: any, no lock held. */
void gst_fbdev_zero_sink_view_changed (GstFbdevZeroSink * self);

/* Paints the frame on the screen anew where that was called off. Threads: any, no lock of ours held. */
void gst_fbdev_zero_sink_repaint_again (GstFbdevZeroSink * self);

/* The stream's orientation is another one; NULL: a new stream, of which nothing is known. */
void gst_fbdev_zero_sink_take_tags (GstFbdevZeroSink * self, GstTagList * tags);

/* ---- pools ---------------------------------------------------------------------------------------------------- */

/* An empty list for the sink's pools. */
GPtrArray *gst_fbdev_zero_sink_new_pool_list (void);

/* Wakes everybody who waits for a page, and keeps others from waiting; or lets them wait again. */
void gst_fbdev_zero_sink_flush_pools (GstFbdevZeroSink * self, gboolean flushing);

/* Whether anybody upstream may still draw into pages. */
gboolean gst_fbdev_zero_sink_has_pools (GstFbdevZeroSink * self);

/* Where no page is free for @buffer, and the frame before it is kept only for whoever asks for the last sample: lets go of
 * that. Threads: the streaming one; of a repaint it does nothing. */
void gst_fbdev_zero_sink_give_back_last_sample (GstFbdevZeroSink * self, GstBuffer * buffer);

/* The virtual function of GstBaseSink. */
gboolean gst_fbdev_zero_sink_propose_allocation (GstBaseSink * sink, GstQuery * query);

/* Says that this thread is in there, and who was before; the other one puts that back. Threads: any. */
GThread *gst_fbdev_zero_sink_enter (GstFbdevZeroSink * self, Inside where);
void gst_fbdev_zero_sink_leave (GstFbdevZeroSink * self, Inside where, GThread * before);

/* ---- frame ---------------------------------------------------------------------------------------------------- */

/* Makes @buffer ready to be shown: finds its page, or writes one. */
GstFlowReturn gst_fbdev_zero_sink_prepare_frame (GstFbdevZeroSink * self, GstBuffer * buffer);

/* Posts the error that @display is gone, once. Threads: any. */
void gst_fbdev_zero_sink_say_gone (GstFbdevZeroSink * self, BaDisplay * display);

/* Puts @buffer, which was prepared, on the screen. */
GstFlowReturn gst_fbdev_zero_sink_show_prepared (GstFbdevZeroSink * self, GstBuffer * buffer);

/* Paints and shows @buffer, which was shown before. FLUSHING where a state change wants the preroll lock. Under that lock. */
GstFlowReturn gst_fbdev_zero_sink_show_again (GstFbdevZeroSink * self, GstBuffer * buffer);

/* Opens the display anew where the screen has another mode than it, with pages for the caps; FALSE, with an error posted. */
gboolean gst_fbdev_zero_sink_follow_screen (GstFbdevZeroSink * self, gboolean * reopened);

/* Shows @buffer from a page that it is copied into, whatever was prepared; not counted. FALSE where that cannot be. */
gboolean gst_fbdev_zero_sink_show_copy (GstFbdevZeroSink * self, GstBuffer * buffer);

/* Lets go of the frame that was prepared last. */
void gst_fbdev_zero_sink_forget_frame (GstFbdevZeroSink * self);

/* Blocks until the sink may go on, after a wait that was called off. */
GstFlowReturn gst_fbdev_zero_sink_wait_unlocked (GstFbdevZeroSink * self);

/* ---- import --------------------------------------------------------------------------------------------------- */

/* Whether @buffer can be shown as it lies, in the dmabufs that it came in; fills import, or not_imported. */
gboolean gst_fbdev_zero_sink_import (GstFbdevZeroSink * self, GstBuffer * buffer, const Placement * place);

/* What makes memory for frames of @info, with these strides, that is shown where it lies, whether they are written by
 * the CPU or not; NULL where the driver takes none. */
GstAllocator *gst_fbdev_zero_sink_get_dmabufs (GstFbdevZeroSink * self, const GstVideoInfo * info);

/* Whether frames that lie as @place says may be shown where they are, as far as that is known before one comes. */
gboolean gst_fbdev_zero_sink_may_import (GstFbdevZeroSink * self, const GstVideoInfo * info, const Placement * place);

/* Forgets what was found out about the display. */
void gst_fbdev_zero_sink_forget_imports (GstFbdevZeroSink * self);

/* Flips to the frame that was imported. As ba_display_flip_import(). */
gint gst_fbdev_zero_sink_flip_import (GstFbdevZeroSink * self, GstBuffer * buffer);

/* Upstream wants its memory back: shows a copy of what is imported and on the screen, and lets go of all imports. Under
 * the preroll lock, before the caps change. */
void gst_fbdev_zero_sink_drain_imports (GstFbdevZeroSink * self);

/* Tells the drivers of @buffer's memory that the CPU begins to read it, or ends. */
void gst_fbdev_zero_sink_sync_read (GstBuffer * buffer, gboolean end);

/* ---- dma ------------------------------------------------------------------------------------------------------- */

/* What caps say; where they are of dmabufs, also how the pixels lie (0 = in rows). */
gboolean gst_fbdev_zero_sink_parse_caps (const GstCaps * caps, GstVideoInfo * info, guint64 * modifier);

/* Whether they are caps that say that. */
gboolean gst_fbdev_zero_sink_is_dma_caps (const GstCaps * caps);

/* @caps (transfer full), which the template's are part of, with what the display takes in dmabufs in their place. */
GstCaps *gst_fbdev_zero_sink_add_dma_caps (GstFbdevZeroSink * self, GstCaps * caps);

/* ---- write ----------------------------------------------------------------------------------------------------- */

/* Whether @buffer is what the caps say, as far as it says something of itself. */
gboolean gst_fbdev_zero_sink_is_of_caps (GstFbdevZeroSink * self, GstBuffer * buffer);

/* Where @buffer lies on the screen. ERROR, with one posted, where it says something impossible of itself; FLOW_NOWHERE where
 * nothing of it is on the screen. */
GstFlowReturn gst_fbdev_zero_sink_place_buffer (GstFbdevZeroSink * self, const View * view, GstBuffer * buffer,
    Placement * place);

/* Converts or copies @buffer, and what lies over it, into @page. */
GstFlowReturn gst_fbdev_zero_sink_write_frame (GstFbdevZeroSink * self, GstBuffer * buffer, const Placement * place,
    Way way, BaBuffer * page);

/* Makes black what is around @rect on @page where a frame is painted anew: others may have drawn there, which may be why.
 * With each frame that would be written for nothing. */
void gst_fbdev_zero_sink_repair_borders (GstFbdevZeroSink * self, BaBuffer * page, const GstVideoRectangle * rect);

/* Makes ready what lies over @buffer; FALSE where nothing does. */
gboolean gst_fbdev_zero_sink_prepare_overlay (GstFbdevZeroSink * self, GstBuffer * buffer, const Placement * place);

/* Draws what was made ready onto @page, in which @buffer lies already; FALSE where others hold it too. */
gboolean gst_fbdev_zero_sink_draw_over (GstFbdevZeroSink * self, GstBuffer * buffer, BaBuffer * page);

/* Lets go of what was made for the caps. */
void gst_fbdev_zero_sink_forget_convert (GstFbdevZeroSink * self);

/* "flip", "convert", "copy", "none". */
const gchar *gst_fbdev_zero_sink_way_name (Way way);
/* Whether frames have the format of pages. */
gboolean gst_fbdev_zero_sink_is_native (GstFbdevZeroSink * self);
