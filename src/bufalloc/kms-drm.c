/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kms-drm.c: the calls of a DRM card, as functions that return 0 or -errno.
 *
 * Lists are read into arrays of a fixed size: the kernel fills what it is given room for and says how many there are.
 * A card with more than that has some that we never use.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kms-private.h"

/* The kernel answers EAGAIN where a lock of its own was not to be had at once. */
#define MAX_AGAIN 1000
/* How often a list of modes is read anew, because a screen was plugged in between. */
#define MAX_READS 4
#define MAX_PROPERTIES 64
#define MAX_ENUMS 32
#define MAX_BLOB_BYTES 256

/* The kernel's numbers; no header of it has them. There is a third one: a driver that cannot know. */
enum
{
  CONNECTED = 1,
  DISCONNECTED = 2
};

int
bai_kms_call (const BaDisplay *display, unsigned long request, void *arg)
{
  const BaiKmsState *state = display->state;
  int r = 0;
  for (int i = 0; i < MAX_AGAIN; i++) {
    r = display->calls->ioctl (display->calls->ctx, state->fd, request, arg) < 0 ? -errno : 0;
    if (r != -EAGAIN)
      break;
  }
  return r;
}

uint64_t
bai_kms_get_cap (const BaDisplay *display, uint64_t cap)
{
  struct drm_get_cap arg = { .capability = cap };
  return bai_kms_call (display, DRM_IOCTL_GET_CAP, &arg) == 0 ? arg.value : 0;
}

void
bai_kms_read_name (BaDisplay *display)
{
  BaDisplayInfo *info = &display->info;
  struct drm_version version = { .name = info->name, .name_len = sizeof info->name - 1 };
  memset (info->name, 0, sizeof info->name);
  if (bai_kms_call (display, DRM_IOCTL_VERSION, &version) < 0 || !info->name[0])
    snprintf (info->name, sizeof info->name, "card");
}

int
bai_kms_set_client_cap (const BaDisplay *display, uint64_t cap)
{
  struct drm_set_client_cap arg = { .capability = cap, .value = 1 };
  return bai_kms_call (display, DRM_IOCTL_SET_CLIENT_CAP, &arg);
}

/* There is no call that asks. Letting a client in is for masters only, and nobody has the number 0. Whoever opens a card
 * that has no master is it; and becoming it anew is not for everybody, so that is not tried without need. */
bool
bai_kms_is_master (const BaDisplay *display)
{
  struct drm_auth arg = { .magic = 0 };
  int r = bai_kms_call (display, DRM_IOCTL_AUTH_MAGIC, &arg);
  return r != -EACCES && r != -EPERM;
}

bool
bai_kms_become_master (const BaDisplay *display)
{
  return bai_kms_is_master (display) || bai_kms_call (display, DRM_IOCTL_SET_MASTER, NULL) == 0;
}

static uint64_t
to_u64 (const void *pointer)
{
  return (uint64_t) (uintptr_t) pointer;
}

static unsigned
at_most (uint32_t count, unsigned limit)
{
  return count < limit ? count : limit;
}

int
bai_kms_read_card (const BaDisplay *display, BaiKmsCard *card)
{
  struct drm_mode_card_res resources = {
    .connector_id_ptr = to_u64 (card->connectors),
    .count_connectors = BAI_KMS_MAX_OBJECTS,
    .crtc_id_ptr = to_u64 (card->crtcs),
    .count_crtcs = BAI_KMS_MAX_OBJECTS,
  };
  struct drm_mode_get_plane_res planes = {
    .plane_id_ptr = to_u64 (card->planes),
    .count_planes = BAI_KMS_MAX_OBJECTS,
  };
  memset (card, 0, sizeof *card);
  int r = bai_kms_call (display, DRM_IOCTL_MODE_GETRESOURCES, &resources);
  if (r == 0)
    r = bai_kms_call (display, DRM_IOCTL_MODE_GETPLANERESOURCES, &planes);
  if (r < 0)
    return r;
  card->n_connectors = at_most (resources.count_connectors, BAI_KMS_MAX_OBJECTS);
  card->n_crtcs = at_most (resources.count_crtcs, BAI_KMS_MAX_OBJECTS);
  card->n_planes = at_most (planes.count_planes, BAI_KMS_MAX_OBJECTS);
  return 0;
}

static const char *
connector_type_name (uint32_t type)
{
  static const char *const names[] = {
    [DRM_MODE_CONNECTOR_VGA] = "VGA",
    [DRM_MODE_CONNECTOR_DVII] = "DVI-I",
    [DRM_MODE_CONNECTOR_DVID] = "DVI-D",
    [DRM_MODE_CONNECTOR_DVIA] = "DVI-A",
    [DRM_MODE_CONNECTOR_Composite] = "Composite",
    [DRM_MODE_CONNECTOR_SVIDEO] = "SVIDEO",
    [DRM_MODE_CONNECTOR_LVDS] = "LVDS",
    [DRM_MODE_CONNECTOR_Component] = "Component",
    [DRM_MODE_CONNECTOR_9PinDIN] = "DIN",
    [DRM_MODE_CONNECTOR_DisplayPort] = "DP",
    [DRM_MODE_CONNECTOR_HDMIA] = "HDMI-A",
    [DRM_MODE_CONNECTOR_HDMIB] = "HDMI-B",
    [DRM_MODE_CONNECTOR_TV] = "TV",
    [DRM_MODE_CONNECTOR_eDP] = "eDP",
    [DRM_MODE_CONNECTOR_VIRTUAL] = "Virtual",
    [DRM_MODE_CONNECTOR_DSI] = "DSI",
    [DRM_MODE_CONNECTOR_DPI] = "DPI",
    [DRM_MODE_CONNECTOR_WRITEBACK] = "Writeback",
    [DRM_MODE_CONNECTOR_SPI] = "SPI",
    [DRM_MODE_CONNECTOR_USB] = "USB",
  };
  return type < sizeof names / sizeof names[0] && names[type] ? names[type] : "Unknown";
}

/* The first call says how many modes there are, and with no room for any it makes the driver look. */
static int
read_modes (const BaDisplay *display, BaiKmsConnector *connector, struct drm_mode_get_connector *got)
{
  uint32_t room = 0;
  for (int i = 0; i < MAX_READS; i++) {
    *got = (struct drm_mode_get_connector){
      .connector_id = connector->id,
      .modes_ptr = to_u64 (connector->modes),
      .count_modes = room,
      .encoders_ptr = to_u64 (connector->encoders),
      .count_encoders = BAI_KMS_MAX_ENCODERS,
    };
    int r = bai_kms_call (display, DRM_IOCTL_MODE_GETCONNECTOR, got);
    if (r < 0 || got->count_modes <= room)
      return r;
    room = got->count_modes;
    free (connector->modes);
    connector->modes = calloc (room, sizeof *connector->modes);
    if (!connector->modes)
      return -ENOMEM;
  }
  return -EBUSY;
}

int
bai_kms_read_connector (const BaDisplay *display, uint32_t id, BaiKmsConnector *connector)
{
  struct drm_mode_get_connector got = { 0 };
  memset (connector, 0, sizeof *connector);
  connector->id = id;
  int r = read_modes (display, connector, &got);
  if (r < 0) {
    free (connector->modes);
    connector->modes = NULL;
    return r;
  }
  snprintf (connector->name, sizeof connector->name, "%s-%u", connector_type_name (got.connector_type),
            got.connector_type_id);
  connector->is_connected = got.connection == CONNECTED;
  connector->is_plugged = got.connection != DISCONNECTED;
  connector->encoder_id = got.encoder_id;
  connector->n_encoders = at_most (got.count_encoders, BAI_KMS_MAX_ENCODERS);
  connector->n_modes = got.count_modes;
  return 0;
}

/* With room for a mode the driver does not look, and says what it knows. */
int
bai_kms_is_plugged (const BaDisplay *display, uint32_t id, bool *plugged)
{
  struct drm_mode_modeinfo mode;
  struct drm_mode_get_connector got = { .connector_id = id, .modes_ptr = to_u64 (&mode), .count_modes = 1 };
  int r = bai_kms_call (display, DRM_IOCTL_MODE_GETCONNECTOR, &got);
  *plugged = r < 0 || got.connection != DISCONNECTED;
  return r;
}

int
bai_kms_get_encoder (const BaDisplay *display, uint32_t id, struct drm_mode_get_encoder *encoder)
{
  *encoder = (struct drm_mode_get_encoder){ .encoder_id = id };
  return bai_kms_call (display, DRM_IOCTL_MODE_GETENCODER, encoder);
}

int
bai_kms_get_crtc (const BaDisplay *display, uint32_t id, struct drm_mode_crtc *crtc)
{
  *crtc = (struct drm_mode_crtc){ .crtc_id = id };
  return bai_kms_call (display, DRM_IOCTL_MODE_GETCRTC, crtc);
}

/* The caller sets room for formats before, where it wants them. */
int
bai_kms_get_plane (const BaDisplay *display, uint32_t id, struct drm_mode_get_plane *plane)
{
  plane->plane_id = id;
  return bai_kms_call (display, DRM_IOCTL_MODE_GETPLANE, plane);
}

int
bai_kms_make_blob (const BaDisplay *display, const void *data, size_t size_bytes, uint32_t *id)
{
  struct drm_mode_create_blob arg = { .data = to_u64 (data), .length = (uint32_t) size_bytes };
  int r = bai_kms_call (display, DRM_IOCTL_MODE_CREATEPROPBLOB, &arg);
  *id = r == 0 ? arg.blob_id : 0;
  return r;
}

int
bai_kms_copy_blob (const BaDisplay *display, uint32_t from, size_t size_bytes, uint32_t *id)
{
  char data[MAX_BLOB_BYTES];
  struct drm_mode_get_blob arg = { .blob_id = from, .length = (uint32_t) size_bytes, .data = to_u64 (data) };
  *id = 0;
  if (size_bytes > sizeof data)
    return -EINVAL;
  int r = bai_kms_call (display, DRM_IOCTL_MODE_GETPROPBLOB, &arg);
  if (r < 0 || arg.length != size_bytes) /* of another length nothing was copied */
    return r < 0 ? r : -EINVAL;
  return bai_kms_make_blob (display, data, arg.length, id);
}

int
bai_kms_read_blob (const BaDisplay *display, uint32_t id, uint8_t **data, size_t *size_bytes)
{
  struct drm_mode_get_blob arg = { .blob_id = id };
  *data = NULL;
  int r = bai_kms_call (display, DRM_IOCTL_MODE_GETPROPBLOB, &arg); /* how large it is */
  if (r < 0 || arg.length == 0)
    return r < 0 ? r : -EINVAL;
  *data = malloc (arg.length);
  if (!*data)
    return -ENOMEM;
  arg.data = to_u64 (*data);
  *size_bytes = arg.length;
  r = bai_kms_call (display, DRM_IOCTL_MODE_GETPROPBLOB, &arg);
  if (r == 0 && arg.length != *size_bytes)
    r = -EINVAL;
  if (r < 0) {
    free (*data);
    *data = NULL;
  }
  return r;
}

void
bai_kms_free_blob (const BaDisplay *display, uint32_t *id)
{
  struct drm_mode_destroy_blob arg = { .blob_id = *id };
  if (*id)
    (void) bai_kms_call (display, DRM_IOCTL_MODE_DESTROYPROPBLOB, &arg);
  *id = 0;
}

int
bai_kms_for_each_property (const BaDisplay *display, uint32_t object_id, uint32_t object_type, BaiKmsPropertyFunc found,
                           void *user)
{
  uint32_t ids[MAX_PROPERTIES] = { 0 };
  uint64_t values[MAX_PROPERTIES] = { 0 };
  struct drm_mode_obj_get_properties list = {
    .props_ptr = to_u64 (ids),
    .prop_values_ptr = to_u64 (values),
    .count_props = MAX_PROPERTIES,
    .obj_id = object_id,
    .obj_type = object_type,
  };
  int r = bai_kms_call (display, DRM_IOCTL_MODE_OBJ_GETPROPERTIES, &list);
  for (unsigned i = 0; r == 0 && i < at_most (list.count_props, MAX_PROPERTIES); i++) {
    uint64_t ends[2] = { 0 };
    struct drm_mode_get_property property = { .prop_id = ids[i], .values_ptr = to_u64 (ends), .count_values = 2 };
    r = bai_kms_call (display, DRM_IOCTL_MODE_GETPROPERTY, &property);
    if (r == 0)
      found (user, &property, values[i]);
  }
  return r;
}

bool
bai_kms_get_enum (const BaDisplay *display, uint32_t property_id, const char *name, uint64_t *value)
{
  struct drm_mode_property_enum enums[MAX_ENUMS] = { 0 };
  struct drm_mode_get_property property = {
    .prop_id = property_id,
    .enum_blob_ptr = to_u64 (enums),
    .count_enum_blobs = MAX_ENUMS,
  };
  if (bai_kms_call (display, DRM_IOCTL_MODE_GETPROPERTY, &property) < 0)
    return false;
  for (unsigned i = 0; i < at_most (property.count_enum_blobs, MAX_ENUMS); i++) {
    if (strncmp (enums[i].name, name, sizeof enums[i].name) == 0) {
      *value = enums[i].value;
      return true;
    }
  }
  return false;
}
