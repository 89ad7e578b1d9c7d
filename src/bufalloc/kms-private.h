/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kms-private.h: what the files of KMS share. kms.c opens, puts back and closes; kms-drm.c has the card's calls;
 * kms-mode.c chooses connector, mode and CRTC; kms-plane.c the plane, its properties and formats; kms-format.c knows how
 * pixels lie; kms-dumb.c makes pages; kms-commit.c says what is to be on screen; kms-flip.c flips and waits.
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
  BAI_KMS_N_PROPERTIES
} BaiKmsPropertyName;

typedef struct
{
  uint32_t id; /* 0 = the driver has none */
  uint64_t saved; /* as it was before us */
  bool is_touched; /* by us */
} BaiKmsProperty;

typedef struct
{
  uint32_t handle; /* 0 = none */
  uint32_t fb_id;
} BaiKmsPage;

typedef struct
{
  int fd;
  bool owns_fd;
  bool is_atomic;
  bool is_overlay; /* one plane is ours, not the mode */
  bool can_async; /* and wanted */
  bool has_vblank; /* and flips wait for it */
  uint32_t connector_id;
  uint32_t crtc_id;
  unsigned crtc_index;
  uint32_t plane_id;
  struct drm_mode_modeinfo mode;
  BaDisplayWindow window; /* on the CRTC; sizes are the pages' */
  uint32_t formats[BAI_KMS_MAX_FORMATS];
  unsigned n_formats;

  BaiKmsProperty properties[BAI_KMS_N_PROPERTIES];
  uint32_t mode_blob; /* ours, and a copy of the one before; 0 = none */
  uint32_t saved_mode_blob;
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
  bool is_lit; /* the mode, or the plane, is set */
  bool is_hidden; /* another one is master */
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
int bai_kms_set_client_cap (const BaDisplay *display, uint64_t cap);
bool bai_kms_become_master (const BaDisplay *display); /* true also where it was already */
int bai_kms_read_card (const BaDisplay *display, BaiKmsCard *card);
/* Looks at what is plugged in, which may take a while. Free its modes. */
int bai_kms_read_connector (const BaDisplay *display, uint32_t id, BaiKmsConnector *connector);
int bai_kms_get_encoder (const BaDisplay *display, uint32_t id, struct drm_mode_get_encoder *encoder);
int bai_kms_get_crtc (const BaDisplay *display, uint32_t id, struct drm_mode_crtc *crtc);
int bai_kms_get_plane (const BaDisplay *display, uint32_t id, struct drm_mode_get_plane *plane);
int bai_kms_make_blob (const BaDisplay *display, const struct drm_mode_modeinfo *mode, uint32_t *id);
void bai_kms_free_blob (const BaDisplay *display, uint32_t *id);
/* Calls @found for every property of an object. */
typedef void (*BaiKmsPropertyFunc) (void *user, const struct drm_mode_get_property *property, uint64_t value);
int bai_kms_for_each_property (const BaDisplay *display, uint32_t object_id, uint32_t object_type,
                               BaiKmsPropertyFunc found, void *user);
/* The number behind a name of an enumeration. */
bool bai_kms_get_enum (const BaDisplay *display, uint32_t property_id, const char *name, uint64_t *value);

/* ---- kms-mode.c ---- */

/* Thousandths of 1 Hz. */
uint32_t bai_kms_rate_mhz (const struct drm_mode_modeinfo *mode);
/* Fills connector_id, crtc_id, crtc_index, mode; says which there are where none fits. */
int bai_kms_choose_output (BaDisplay *display, const char *path, const BaiDeviceString *device, const BaiKmsCard *card,
                           BaError *error);

/* ---- kms-plane.c ---- */

/* Fills plane_id and formats. */
int bai_kms_choose_plane (BaDisplay *display, const char *path, const BaiDeviceString *device, const BaiKmsCard *card,
                          BaError *error);
bool bai_kms_has_format (const BaiKmsState *state, uint32_t fourcc);
/* Finds properties, and saves their values. -ENOTSUP where atomic commits lack one. */
int bai_kms_read_properties (BaDisplay *display);
int bai_kms_set_colours (BaDisplay *display, BaYuvMatrix matrix, bool full_range);

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
/* How many rows of the first plane's stride the whole picture takes. */
uint32_t bai_kms_total_rows (const BaiKmsFormat *format, uint32_t height_px);
/* Fills strides and offsets from the driver's pitch. False where the planes do not fit into @size_bytes. */
bool bai_kms_lay_out (const BaiKmsFormat *format, uint32_t pitch_bytes, uint64_t size_bytes, BaLayout *layout);
void bai_kms_clear (const BaDisplay *display, uint8_t *data);

/* ---- kms-dumb.c ---- */

/* Makes up to @count pages of the layout's format and size, not mapped: n_pages, strides, offsets, page_bytes. */
int bai_kms_make_pages (BaDisplay *display, const BaiKmsFormat *format, unsigned count);
int bai_kms_map_pages (BaDisplay *display);
int bai_kms_export_page (BaDisplay *display, unsigned page);
/* Framebuffers and handles; what is mapped stays. */
void bai_kms_free_pages (BaDisplay *display);

/* ---- kms-commit.c ---- */

/* Whether the driver would take a framebuffer, the mode included. Legacy calls cannot say, and say yes. */
int bai_kms_test (BaDisplay *display, uint32_t fb_id);
/* Sets mode and plane, and returns when they are set. */
int bai_kms_light (BaDisplay *display, uint32_t fb_id);
/* Starts a flip. -EBUSY where one is under way on the CRTC. */
int bai_kms_start_flip (BaDisplay *display, uint32_t fb_id);
/* As if everything had been changed that may be: for whoever does not know what was. */
void bai_kms_touch_all (BaiKmsState *state);
/* Puts back what was changed, while it may. */
int bai_kms_put_back (BaDisplay *display);

/* ---- kms-flip.c ---- */

int bai_kms_show (BaDisplay *display, unsigned page);
int bai_kms_wait (BaDisplay *display);
/* Waits for the flip under way, and forgets it. */
void bai_kms_settle (BaDisplay *display);

#endif
