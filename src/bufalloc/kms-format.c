/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kms-format.c: how the pixels of a page lie, in one block of memory with the pitch that the driver gave: RGB, and the
 * YUV formats that planes scan out. What is here can be shown; what a driver lists beyond it is not used.
 */
#include <string.h>

#include "kms-private.h"

/* What libavcodec's decoders want around a picture of several planes (avcodec_align_dimensions2): blocks of 32 rows for
 * two fields of 16, two rows more for H.264, and rows of chroma that begin at a multiple of 64 bytes. */
#define BLOCK_ROWS 32
#define MORE_ROWS 2
#define BLOCK_COLUMNS 128

/* RGB first, the best one at the top: what processors write fastest, then what needs least memory. */
static const BaiKmsFormat formats[] = {
  { DRM_FORMAT_XRGB8888, 1, { 4 }, 1, 1 },     { DRM_FORMAT_XBGR8888, 1, { 4 }, 1, 1 },
  { DRM_FORMAT_BGRX8888, 1, { 4 }, 1, 1 },     { DRM_FORMAT_RGBX8888, 1, { 4 }, 1, 1 },
  { DRM_FORMAT_RGB888, 1, { 3 }, 1, 1 },       { DRM_FORMAT_BGR888, 1, { 3 }, 1, 1 },
  { DRM_FORMAT_RGB565, 1, { 2 }, 1, 1 },       { DRM_FORMAT_BGR565, 1, { 2 }, 1, 1 },
  { DRM_FORMAT_XRGB1555, 1, { 2 }, 1, 1 },     { DRM_FORMAT_NV12, 2, { 1, 2 }, 2, 2 },
  { DRM_FORMAT_NV21, 2, { 1, 2 }, 2, 2 },      { DRM_FORMAT_NV16, 2, { 1, 2 }, 2, 1 },
  { DRM_FORMAT_NV61, 2, { 1, 2 }, 2, 1 },      { DRM_FORMAT_P010, 2, { 2, 4 }, 2, 2 },
  { DRM_FORMAT_YUV420, 3, { 1, 1, 1 }, 2, 2 }, { DRM_FORMAT_YVU420, 3, { 1, 1, 1 }, 2, 2 },
  { DRM_FORMAT_YUV422, 3, { 1, 1, 1 }, 2, 1 }, { DRM_FORMAT_YUV444, 3, { 1, 1, 1 }, 1, 1 },
  { DRM_FORMAT_YUYV, 1, { 2 }, 2, 1 },         { DRM_FORMAT_YVYU, 1, { 2 }, 2, 1 },
  { DRM_FORMAT_UYVY, 1, { 2 }, 2, 1 },
};

#define N_FORMATS (sizeof formats / sizeof formats[0])

static bool
is_rgb (const BaiKmsFormat *format)
{
  return format->n_planes == 1 && format->x_pixels == 1;
}

const BaiKmsFormat *
bai_kms_format (uint32_t fourcc)
{
  for (size_t i = 0; i < N_FORMATS; i++) {
    if (formats[i].fourcc == fourcc)
      return &formats[i];
  }
  return NULL;
}

const BaiKmsFormat *
bai_kms_rgb_format (unsigned n)
{
  return n < N_FORMATS && is_rgb (&formats[n]) ? &formats[n] : NULL;
}

/* The stride of plane @i, where the first one's is @pitch_bytes: as many samples to the row as that has room for. */
static uint32_t
plane_stride (const BaiKmsFormat *format, unsigned i, uint32_t pitch_bytes)
{
  return i == 0 ? pitch_bytes : pitch_bytes / format->pixel_bytes[0] * format->pixel_bytes[i] / format->x_pixels;
}

/* Rows of plane @i in memory. Decoders write whole blocks: below the picture there must be room for them before the next
 * plane begins. */
static uint32_t
plane_rows (const BaiKmsFormat *format, unsigned i, uint32_t height_px)
{
  if (format->n_planes > 1)
    height_px = (height_px + MORE_ROWS + BLOCK_ROWS - 1) / BLOCK_ROWS * BLOCK_ROWS;
  return i == 0 ? height_px : (height_px + format->y_pixels - 1) / format->y_pixels;
}

uint32_t
bai_kms_padded_width (const BaiKmsFormat *format, uint32_t width_px)
{
  return format->n_planes == 1 ? width_px : (width_px + BLOCK_COLUMNS - 1) / BLOCK_COLUMNS * BLOCK_COLUMNS;
}

uint32_t
bai_kms_total_rows (const BaiKmsFormat *format, uint32_t height_px)
{
  uint64_t unit = 1u << 16; /* a stride that every fraction of it is whole of */
  uint64_t bytes = 0;
  for (unsigned i = 0; i < format->n_planes; i++)
    bytes += (uint64_t) plane_stride (format, i, (uint32_t) unit) * plane_rows (format, i, height_px);
  return (uint32_t) ((bytes + unit - 1) / unit);
}

bool
bai_kms_lay_out (const BaiKmsFormat *format, uint32_t pitch_bytes, uint64_t size_bytes, BaLayout *layout)
{
  uint64_t end_bytes = 0;
  uint32_t samples = (layout->width_px + format->x_pixels - 1) / format->x_pixels;
  layout->fourcc = format->fourcc;
  layout->n_planes = format->n_planes;
  for (unsigned i = 0; i < format->n_planes; i++) {
    uint32_t stride = plane_stride (format, i, pitch_bytes);
    uint64_t row_bytes = (uint64_t) (i == 0 ? layout->width_px : samples) * format->pixel_bytes[i];
    if (stride < row_bytes)
      return false;
    layout->offset_bytes[i] = end_bytes;
    layout->stride_bytes[i] = stride;
    end_bytes += (uint64_t) stride * plane_rows (format, i, layout->height_px);
  }
  return end_bytes <= size_bytes;
}

/* Two or four bytes, again and again. @n_bytes counts whole ones of them. */
static void
fill (uint8_t *to, size_t n_bytes, const uint8_t *with, size_t with_bytes)
{
  for (size_t at = 0; at + with_bytes <= n_bytes; at += with_bytes)
    memcpy (to + at, with, with_bytes);
}

/* Zeroes are green in YUV. Black is 16 where the range is limited, which a display with the full one shows as a grey that
 * nobody sees; zero would be blacker than black in the other. */
void
bai_kms_clear (const BaDisplay *display, uint8_t *data)
{
  static const uint8_t yuyv[] = { 16, 128 }, uyvy[] = { 128, 16 };
  static const uint8_t p010_luma[] = { 0x00, 0x10 }, p010_colour[] = { 0x00, 0x80 };
  const BaLayout *layout = &display->info.layout;
  const BaiKmsFormat *format = bai_kms_format (layout->fourcc);
  size_t page_bytes = display->info.page_bytes;
  if (is_rgb (format)) {
    memset (data, 0, page_bytes);
  } else if (format->n_planes == 1) {
    fill (data, page_bytes, layout->fourcc == DRM_FORMAT_UYVY ? uyvy : yuyv, 2);
  } else if (format->pixel_bytes[0] == 2) {
    fill (data, layout->offset_bytes[1], p010_luma, 2);
    fill (data + layout->offset_bytes[1], page_bytes - layout->offset_bytes[1], p010_colour, 2);
  } else {
    memset (data, 16, layout->offset_bytes[1]);
    memset (data + layout->offset_bytes[1], 128, page_bytes - layout->offset_bytes[1]);
  }
}
