/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fake-frame.h: pictures as a camera gives them, for the tests of imports: files that the fake card takes for dmabufs. */
#ifndef FAKE_FRAME_H
#define FAKE_FRAME_H

#include "fake-card.h"

#include <sys/mman.h>
#include <unistd.h>

#define STRIDE 832

/* What a camera would give: a file of a picture. */
typedef struct
{
  BaDmabuf picture;
  int n_gone;
} Frame;

static inline int
make_file (size_t size_bytes)
{
  int fd = memfd_create ("frame", MFD_CLOEXEC);
  ck_assert_int_ge (fd, 0);
  ck_assert_int_eq (ftruncate (fd, (off_t) size_bytes), 0);
  return fd;
}

static inline void
frame_init (Frame *frame)
{
  memset (frame, 0, sizeof *frame);
  frame->picture.layout = (BaLayout){
    .fourcc = DRM_FORMAT_XRGB8888,
    .width_px = 200,
    .height_px = 100,
    .n_planes = 1,
    .stride_bytes = { STRIDE },
  };
  frame->picture.fds[0] = make_file (STRIDE * 100);
}

static inline void
frame_finish (Frame *frame)
{
  close (frame->picture.fds[0]);
}

static inline void
frame_gone (void *user)
{
  ((Frame *) user)->n_gone++;
}

static inline int
flip (Card *card, Frame *frame)
{
  return ba_display_flip_import (card->display, &frame->picture, frame_gone, frame, NULL);
}

static inline void
until_shown (Card *card)
{
  ck_assert_int_eq (ba_display_wait (card->display, NULL), 0);
}

/* The buffer on the primary plane. */
static inline uint32_t
shown_handle (const Card *card)
{
  const FakeThing *fb = fake_kms_shown (&card->fake, FAKE_PRIMARY);
  return fb ? fb->handles[0] : 0;
}

static inline unsigned
n_imported (const Card *card)
{
  unsigned n = 0;
  for (unsigned i = 0; i < FAKE_MAX_THINGS; i++)
    n += card->fake.handles[i].inode != 0;
  return n;
}

static inline void
finish (Card *card)
{
  card_finish (card);
  ck_assert_uint_eq (card->fake.n_bad_closes, 0);
}

#endif
