/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-h264-header.h: H.264 whose headers do not say how far pictures are reordered, made of what x264 writes.
 * Everything is static inline.
 */
#pragma once

#include <gst/check/gstcheck.h>
#include <string.h>

typedef struct
{
  const guint8 *data;
  gsize bit;
} Bits;

static inline guint
read_bits (Bits *bits, guint n)
{
  guint value = 0;
  for (; n > 0; n--, bits->bit++)
    value = value << 1 | ((bits->data[bits->bit / 8] >> (7 - bits->bit % 8)) & 1u);
  return value;
}

static inline guint
read_golomb (Bits *bits)
{
  guint zeros = 0;
  while (read_bits (bits, 1) == 0)
    zeros++;
  return (1u << zeros) - 1 + read_bits (bits, zeros);
}

/* Cuts the last part (VUI) off a sequence parameter set as x264 writes it: then nothing says how far pictures are
 * reordered. The new size in bytes. */
static inline gsize
cut_vui (guint8 *sps)
{
  Bits bits = { sps, 32 }; /* the NAL's header, profile, constraints, level */
  read_golomb (&bits);
  if (sps[1] >= 100) {
    read_golomb (&bits); /* chroma */
    read_golomb (&bits);
    read_golomb (&bits); /* depths */
    fail_unless_equals_int ((int) read_bits (&bits, 2), 0); /* transform bypass, scaling matrix */
  }
  read_golomb (&bits);
  fail_unless (read_golomb (&bits) == 0); /* the order's type */
  read_golomb (&bits);
  read_golomb (&bits); /* references */
  read_bits (&bits, 1);
  read_golomb (&bits); /* size */
  read_golomb (&bits);
  fail_unless (read_bits (&bits, 1) == 1); /* no fields */
  read_bits (&bits, 1);
  if (read_bits (&bits, 1)) {
    for (guint i = 0; i < 4; i++)
      read_golomb (&bits); /* crop */
  }
  fail_unless (read_bits (&bits, 1) == 1, "there is no VUI");
  gsize at = bits.bit - 1;
  sps[at / 8] &= (guint8) ~(0xffu >> (at % 8)); /* no VUI … */
  at++;
  if (at % 8 == 0)
    sps[at / 8] = 0;
  sps[at / 8] |= (guint8) (0x80u >> (at % 8)); /* … and the stop bit */
  return at / 8 + 1;
}

static inline GstBuffer *
without_vui (GstBuffer *packet)
{
  GstBuffer *own = gst_buffer_new_allocate (NULL, gst_buffer_get_size (packet), NULL);
  GstMapInfo map;
  gst_buffer_copy_into (own, packet, GST_BUFFER_COPY_METADATA, 0, (gsize) -1);
  fail_unless (gst_buffer_map (own, &map, GST_MAP_READWRITE));
  gst_buffer_extract (packet, 0, map.data, map.size);
  gsize size_bytes = map.size;
  for (gsize i = 0; i + 5 < size_bytes; i++) {
    if (memcmp (map.data + i, "\0\0\1\x67", 4) != 0)
      continue;
    gsize end = i + 4;
    while (end + 3 < size_bytes && memcmp (map.data + end, "\0\0\1", 3) != 0)
      end++;
    gsize cut = i + 3 + cut_vui (map.data + i + 3);
    memmove (map.data + cut, map.data + end, size_bytes - end);
    size_bytes -= end - cut;
    break;
  }
  gst_buffer_unmap (own, &map);
  gst_buffer_set_size (own, (gssize) size_bytes);
  gst_buffer_unref (packet);
  return own;
}
