/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kms-private.h: what the files of KMS share. kms.c opens, puts back and closes; kms-drm.c has the card's calls;
 * kms-mode.c chooses connector, mode and CRTC, and kms-list.c says what there is; kms-plane.c the plane, its
 * properties and formats; kms-format.c knows how pixels lie; kms-dumb.c makes buffers, and kms-pages.c pages that can
 * be shown; kms-import.c takes pictures of others; kms-shared.c knows what the displays of one open card have in
 * common; kms-commit.c says what is to be on screen, and kms-hdr.c of what kind it is; kms-flip.c flips and waits;
 * kms-events.c hears of plugs; kms-reopen.c changes the pages for others, and where they are shown.
 *
 * The kernel's own calls are used, through the table of device-calls-private.h: so every one of them can fail in a test,
 * and nothing has to be linked. libdrm gives the headers.
 */
#ifndef BUFALLOC_KMS_PRIVATE_H
#define BUFALLOC_KMS_PRIVATE_H

#include <drm.h>
#include <drm_fourcc.h>
#include <drm_mode.h>

#include "display-private.h"

#define BAI_KMS_MAX_OBJECTS 64
#define BAI_KMS_MAX_ENCODERS 16
#define BAI_KMS_MAX_FORMATS 128
#define BAI_KMS_MAX_CLONES 8
#define BAI_KMS_DEFAULT_PAGES 4
#define BAI_KMS_MAX_REFUSALS 8
#define BAI_KMS_MAX_CARDS 64

/* Everything of a card that has a number. */
typedef struct
{
  uint32_t connectors[BAI_KMS_MAX_OBJECTS];
  uint32_t crtcs[BAI_KMS_MAX_OBJECTS];
  uint32_t planes[BAI_KMS_MAX_OBJECTS];
  unsigned n_connectors;
  unsigned n_crtcs;
  unsigned n_planes;
} BaiKmsCard;

typedef struct
{
  uint32_t id;
  char name[32];
  bool is_connected;
  bool is_plugged; /* or may be: not all drivers know */
  uint32_t encoder_id; /* the one at work, 0 = none */
  uint32_t encoders[BAI_KMS_MAX_ENCODERS];
  unsigned n_encoders;
  struct drm_mode_modeinfo *modes; /* for free() */
  unsigned n_modes;
} BaiKmsConnector;

/* What an atomic commit may change, in the order of the objects that it belongs to. */
typedef enum
{
  BAI_KMS_CONNECTOR_CRTC,
  BAI_KMS_CONNECTOR_LINK,
  BAI_KMS_CONNECTOR_HDR,
  BAI_KMS_CONNECTOR_COLORSPACE,
  BAI_KMS_CONNECTOR_MAX_BPC,
  BAI_KMS_CRTC_ACTIVE,
  BAI_KMS_CRTC_MODE,
  BAI_KMS_CRTC_OUT_FENCE,
  BAI_KMS_PLANE_FB,
  BAI_KMS_PLANE_CRTC,
  BAI_KMS_PLANE_SRC_X,
  BAI_KMS_PLANE_SRC_Y,
  BAI_KMS_PLANE_SRC_W,
  BAI_KMS_PLANE_SRC_H,
  BAI_KMS_PLANE_CRTC_X,
  BAI_KMS_PLANE_CRTC_Y,
  BAI_KMS_PLANE_CRTC_W,
  BAI_KMS_PLANE_CRTC_H,
  BAI_KMS_PLANE_ENCODING,
  BAI_KMS_PLANE_RANGE,
  BAI_KMS_PLANE_ZPOS,
  BAI_KMS_PLANE_ALPHA,
  BAI_KMS_N_PROPERTIES
} BaiKmsPropertyName;

typedef struct
{
  uint32_t id; /* 0 = the driver has none */
  uint64_t saved; /* as it was before us */
  uint64_t min; /* of a range */
  uint64_t max;
  uint64_t wanted; /* where is_wanted */
  bool is_wanted; /* every commit that says all says it, too */
  bool is_touched; /* by us */
} BaiKmsProperty;

typedef struct
{
  uint32_t handle; /* 0 = none; counted */
  uint32_t fb_id;
} BaiKmsPage;

/* A dmabuf is known by this, whatever number its file has: no other one has it as long as we hold the buffer. */
typedef struct
{
  dev_t device; /* 0 = it is not known: no file has that */
  ino_t inode;
} BaiKmsFile;

/* A buffer, ours or others', in a card that is open. The driver gives the same handle for the same buffer and counts
 * once: so this is counted, over all displays of the card. */
typedef struct BaiKmsHandle
{
  struct BaiKmsHandle *next;
  unsigned n_users;
  uint32_t handle;
  BaiKmsFile file;
  bool is_dumb; /* a page, and is closed as that */
} BaiKmsHandle;

typedef struct BaiKmsShared BaiKmsShared;

/* What makes two pictures the same. */
typedef struct
{
  BaLayout layout;
  bool has_modifier;
  uint64_t modifier;
  BaiKmsFile files[BA_MAX_PLANES];
} BaiKmsPicture;

typedef struct
{
  uint32_t fb_id; /* 0 = nothing is here */
  BaiKmsPicture picture;
  uint32_t handles[BA_MAX_PLANES]; /* counted; 0 = none */
  bool is_forgotten; /* it goes when it is not on screen any more */
  uint64_t used; /* when, counted in imports */
} BaiKmsImport;

/* Of all pictures that lie as this one does, wherever they come from. */
typedef struct
{
  int code; /* 0 = nothing is here */
  BaiKmsPicture picture;
  char why[96];
} BaiKmsRefusal;

typedef struct
{
  int fd;
  bool owns_fd;
  BaiKmsShared *shared; /* with the other displays of the file */
  bool is_atomic;
  bool is_overlay; /* one plane is ours, not the mode */
  bool can_async; /* and wanted */
  bool has_vblank; /* and flips wait for it */
  uint32_t connector_id;
  uint32_t crtc_id;
  unsigned crtc_index;
  uint32_t plane_id;
  bool mode_fits; /* it is to be the one that fits the stream */
  struct drm_mode_modeinfo mode;
  BaDisplayWindow window; /* on the CRTC */
  uint32_t page_width_px; /* other than the window's where the plane scales */
  uint32_t page_height_px;
  uint32_t formats[BAI_KMS_MAX_FORMATS];
  unsigned n_formats;
  uint8_t *in_formats; /* constant once open: the plane's IN_FORMATS, for free(); NULL = it has none */
  size_t in_formats_bytes;

  BaiKmsProperty properties[BAI_KMS_N_PROPERTIES];
  uint32_t mode_blob; /* ours, and a copy of the one before; 0 = none */
  uint32_t saved_mode_blob;
  uint32_t hdr_blob; /* likewise */
  uint32_t saved_hdr_blob;
  uint32_t colour_values_known; /* bits of what follows */
  uint64_t encodings[3]; /* by BaYuvMatrix */
  uint64_t ranges[2]; /* limited, full */
  uint64_t encoding; /* wanted */
  uint64_t range;
  bool colours_wanted;
  bool colours_changed; /* since the last commit */
  struct drm_mode_crtc saved_crtc;
  uint32_t saved_connectors[BAI_KMS_MAX_CLONES];
  unsigned n_saved_connectors;

  BaiKmsPage pages[BA_DISPLAY_MAX_PAGES];
  BaiKmsImport imports[BA_DISPLAY_MAX_IMPORTS]; /* their numbers go on where those of the pages end */
  BaiKmsRefusal refusals[BAI_KMS_MAX_REFUSALS];
  unsigned n_refusals; /* ever */
  uint64_t n_imported; /* times */
  uint32_t shown_fb; /* the last one that the driver took; what it takes the place of stays on screen while is_flipping */
  uint32_t shown_fb_before;
  BaiKmsPage inherited[BA_DISPLAY_MAX_PAGES]; /* of the display before this one; one of them is on screen */
  bool is_lit; /* the mode, or the plane, is set */
  bool must_light; /* more than the page changes with the next one */
  bool is_hidden; /* another one is master */
  bool is_unplugged; /* nothing is connected */
  bool is_replugged; /* something is again, and has heard nothing of the mode */
  bool mode_is_gone; /* what is connected now has another one */
  int event_fd; /* tells of plugs; -1 = none */
  int64_t looked_ns; /* when the connector was asked last without having been told to */
  bool is_closed; /* fd and what is behind it */
  bool is_flipping; /* its event is to come */
  bool is_stuck; /* and did not when it should have */
  bool loses_events; /* somebody else reads them */
  int watcher; /* -1 = none */
  int fence_fd; /* in the place of an event; -1 = none */
  uint64_t flip_id; /* of the last one */
} BaiKmsState;

/* Whether bit @i of colour_values_known: encodings first, then ranges. */
#define BAI_KMS_ENCODING_BIT(matrix) (1u << (matrix))
#define BAI_KMS_RANGE_BIT(full) (1u << (3 + (full)))

/* ---- kms-drm.c ---- */

/* 0 or -errno. */
int bai_kms_call (const BaDisplay *display, unsigned long request, void *arg);
uint64_t bai_kms_get_cap (const BaDisplay *display, uint64_t cap); /* 0 where there is none */
void bai_kms_read_name (BaDisplay *display); /* the driver's */
int bai_kms_set_client_cap (const BaDisplay *display, uint64_t cap);
bool bai_kms_is_master (const BaDisplay *display);
bool bai_kms_become_master (const BaDisplay *display); /* true also where it was already */
int bai_kms_read_card (const BaDisplay *display, BaiKmsCard *card);
/* Looks at what is plugged in, which may take a while. Free its modes. */
int bai_kms_read_connector (const BaDisplay *display, uint32_t id, BaiKmsConnector *connector);
/* Asks for no more than what the driver knows, which takes no time. */
int bai_kms_is_plugged (const BaDisplay *display, uint32_t id, bool *plugged);
int bai_kms_get_encoder (const BaDisplay *display, uint32_t id, struct drm_mode_get_encoder *encoder);
int bai_kms_get_crtc (const BaDisplay *display, uint32_t id, struct drm_mode_crtc *crtc);
int bai_kms_get_plane (const BaDisplay *display, uint32_t id, struct drm_mode_get_plane *plane);
int bai_kms_make_blob (const BaDisplay *display, const void *data, size_t size_bytes, uint32_t *id);
/* What is in a blob, for free(). */
int bai_kms_read_blob (const BaDisplay *display, uint32_t id, uint8_t **data, size_t *size_bytes);
void bai_kms_free_blob (const BaDisplay *display, uint32_t *id);
/* Calls @found for every property of an object; values_ptr has the two ends of a range. */
typedef void (*BaiKmsPropertyFunc) (void *user, const struct drm_mode_get_property *property, uint64_t value);
/* A blob of its own with what is in another one, of @size_bytes. */
int bai_kms_copy_blob (const BaDisplay *display, uint32_t from, size_t size_bytes, uint32_t *id);
int bai_kms_for_each_property (const BaDisplay *display, uint32_t object_id, uint32_t object_type,
                               BaiKmsPropertyFunc found, void *user);
/* The number behind a name of an enumeration. */
bool bai_kms_get_enum (const BaDisplay *display, uint32_t property_id, const char *name, uint64_t *value);

/* ---- kms-shared.c ---- */

/* What display->state->fd is shared with is state->shared from now on: 0, -ENOMEM or -errno. And no longer, with the
 * plane. */
int bai_kms_share (BaDisplay *display);
void bai_kms_unshare (BaDisplay *display);
/* False where another display shows in that plane. */
bool bai_kms_take_plane (BaiKmsShared *shared, uint32_t plane_id);
void bai_kms_give_plane_back (BaiKmsShared *shared, uint32_t plane_id);

/* What no other display of the file counts its flips from. */
uint64_t bai_kms_first_flip_id (uint32_t crtc_id);
/* Between the two no other display of the card reads events. */
void bai_kms_begin_events (BaiKmsShared *shared);
void bai_kms_end_events (BaiKmsShared *shared);

static inline bool
bai_kms_knows_file (const BaiKmsFile *file)
{
  return file->device != 0;
}

static inline bool
bai_kms_is_same_file (const BaiKmsFile *a, const BaiKmsFile *b)
{
  return a->device == b->device && a->inode == b->inode;
}

/* One more user of the buffer behind @fd, which is imported where it was not, and of which @file need not be known: its
 * handle in @out. Or of a new one of our own; on failure that is gone. One user less. */
int bai_kms_use_buffer (BaDisplay *display, int fd, const BaiKmsFile *file, uint32_t *out);
int bai_kms_use_page (BaDisplay *display, uint32_t handle);
void bai_kms_unuse (BaDisplay *display, uint32_t handle);

/* ---- kms-mode.c ---- */

/* Thousandths of 1 Hz. */
uint32_t bai_kms_rate_mhz (const struct drm_mode_modeinfo *mode);
/* Fills connector_id, crtc_id, crtc_index, mode; says which there are where none fits. */
int bai_kms_choose_output (BaDisplay *display, const char *path, const BaiDeviceString *device, const BaiKmsCard *card,
                           BaError *error);

/* Where the mode is to fit: the one that is best for the stream; unchanged where none is, or none is known. */
int bai_kms_fit_mode (BaDisplay *display, const BaDisplayOptions *options);
/* What follows from the mode. */
void bai_kms_note_mode (BaDisplay *display);

/* ---- kms.c ---- */

/* What to do where a card could not be opened; returns the code. */
int bai_kms_explain_open (const char *path, int code, BaError *error);

/* ---- kms-list.c ---- */

/* What a card has, in one line, for free(); NULL = no memory. */
char *bai_kms_list (const BaDisplay *display, const BaiKmsCard *card);

/* ---- kms-plane.c ---- */

/* Fills plane_id and formats. */
int bai_kms_choose_plane (BaDisplay *display, const char *path, const BaiDeviceString *device, const BaiKmsCard *card,
                          BaError *error);
unsigned bai_kms_get_modifiers (const BaDisplay *display, uint32_t fourcc, uint64_t *modifiers, unsigned room);
bool bai_kms_has_format (const BaiKmsState *state, uint32_t fourcc);
/* Finds properties, and saves their values. -ENOTSUP where atomic commits lack one. */
int bai_kms_read_properties (BaDisplay *display);
int bai_kms_set_colours (BaDisplay *display, BaYuvMatrix matrix, bool full_range);
/* What the device string wants of the plane. -ENOTSUP where the driver has it not. */
int bai_kms_want_mixing (BaDisplay *display, const char *path, const BaiDeviceString *device, BaError *error);

/* ---- kms-format.c ---- */

typedef struct
{
  uint32_t fourcc;
  uint8_t n_planes;
  uint8_t pixel_bytes[3]; /* of a plane: of each of its own pixels, or of the pair of colour samples */
  uint8_t x_pixels; /* that share a colour sample, in the planes behind the first */
  uint8_t y_pixels;
} BaiKmsFormat;

const BaiKmsFormat *bai_kms_format (uint32_t fourcc); /* NULL = not one of ours */
/* The n-th RGB format, the best one first; NULL = no more. */
const BaiKmsFormat *bai_kms_rgb_format (unsigned n);
/* The width to ask the driver for. */
uint32_t bai_kms_padded_width (const BaiKmsFormat *format, uint32_t width_px);
/* How many rows of the first plane's stride the whole picture takes, with what is kept free below it. */
uint32_t bai_kms_total_rows (const BaiKmsFormat *format, uint32_t height_px);
/* Fills strides and offsets from the driver's pitch. False where the planes do not fit into @size_bytes. */
bool bai_kms_lay_out (const BaiKmsFormat *format, uint32_t pitch_bytes, uint64_t size_bytes, BaLayout *layout);
void bai_kms_clear (const BaDisplay *display, uint8_t *data);

/* ---- kms-dumb.c ---- */

/* Makes up to @count pages of the layout's format and size, not mapped: n_pages, strides, offsets, page_bytes. */
int bai_kms_make_pages (BaDisplay *display, const BaiKmsFormat *format, unsigned count);
int bai_kms_map_pages (BaDisplay *display);
int bai_kms_export_page (BaDisplay *display, unsigned page);
bool bai_kms_is_page_fb (const BaiKmsState *state, uint32_t fb_id);
/* Framebuffers and handles; what is mapped stays. */
void bai_kms_free_pages (BaDisplay *display);
/* Those of the display before. */
void bai_kms_free_inherited (BaDisplay *display);

/* ---- kms-pages.c ---- */

/* Made and mapped, in the format and size wanted, or the best format; says why not. */
int bai_kms_make_all_pages (BaDisplay *display, const char *path, const BaDisplayOptions *options, BaError *error);

/* ---- kms-import.c ---- */

/* As the hooks of display-private.h. */
int bai_kms_import (BaDisplay *display, const BaDmabuf *picture, BaError *error);
void bai_kms_forget_imports (BaDisplay *display);
/* Lets go of what was forgotten and has left the screen. */
void bai_kms_sweep_imports (BaDisplay *display);
/* @display, whose state is a copy of @before, has them from now on; it forgets them, as its numbers are others. */
void bai_kms_inherit_imports (BaDisplay *display, BaiKmsState *before);
/* Lets go of all, on screen or not. */
void bai_kms_free_imports (BaDisplay *display);
/* The framebuffer behind a number that show is given. */
uint32_t bai_kms_get_fb (const BaDisplay *display, unsigned number);
/* What a driver refused, so that another flip of it is not tried. */
void bai_kms_refuse_import (BaDisplay *display, unsigned number, int code);

/* ---- kms-commit.c ---- */

/* Whether the driver would take a framebuffer, the mode included. Legacy calls cannot say, and say yes. */
int bai_kms_test (BaDisplay *display, uint32_t fb_id);
/* Whether it would take it in place of the one on screen, the mode as it is. */
int bai_kms_test_flip (BaDisplay *display, uint32_t fb_id);
/* Sets mode and plane, and returns when they are set. */
int bai_kms_light (BaDisplay *display, uint32_t fb_id);
/* Starts a flip. -EBUSY where one is under way on the CRTC. */
int bai_kms_start_flip (BaDisplay *display, uint32_t fb_id);
/* As if everything had been changed that may be: for whoever does not know what was. */
void bai_kms_touch_all (BaiKmsState *state);
/* Puts back what was changed, while it may. */
int bai_kms_put_back (BaDisplay *display);

/* ---- kms-reopen.c ---- */

int bai_kms_reopen (BaDisplay *old, BaDisplay *display, const BaDisplayOptions *options, BaError *error);
int bai_kms_set_window (BaDisplay *display, const BaDisplayWindow *window);
/* Fills window, page_width_px and page_height_px. */
int bai_kms_place (BaDisplay *display, const char *path, const BaDisplayOptions *options, BaError *error);

/* ---- kms-events.c ---- */

/* Reads what the kernel told, and looks at the connector where it was of cards; true then. */
bool bai_kms_read_events (BaDisplay *display);
/* Looks at it where the driver knows of a plug that nobody told of: 0, or -ENODEV where the card is gone. */
int bai_kms_check_plug (BaDisplay *display);
/* The same with each flip: where there is nobody to tell, or had not been, or a flip has no end, and once a second. */
int bai_kms_check_plug_in_time (BaDisplay *display);
/* Whether the screen is away, or just comes or goes, so that what the driver refuses means nothing. */
bool bai_kms_is_unsettled (BaDisplay *display);
int bai_kms_refresh (BaDisplay *display);
int bai_kms_get_event_fd (const BaDisplay *display);

/* ---- kms-hdr.c ---- */

int bai_kms_set_hdr (BaDisplay *display, const BaHdr *hdr);

/* ---- kms-flip.c ---- */

int bai_kms_show (BaDisplay *display, unsigned page);
int bai_kms_wait (BaDisplay *display);
/* The framebuffer of what counts as shown last, which the driver may not have heard of; 0 = nothing of this display. */
uint32_t bai_kms_last_fb (const BaDisplay *display);
bool bai_kms_lacks_master (int code);
/* Waits for the flip under way, and forgets it. */
void bai_kms_settle (BaDisplay *display);

#endif
