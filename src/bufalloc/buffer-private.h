/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* buffer-private.h: the inside of a buffer, for buffer.c, the pool*.c files and fifo-private.h only. */
#ifndef BUFALLOC_BUFFER_PRIVATE_H
#define BUFALLOC_BUFFER_PRIVATE_H

#include "allocator-ops.h"
#include "allocator.h"
#include "buffer.h"

struct BaBuffer
{
  atomic_uint refs;           /* holders; 0 while FREE, the queue's own one while FILLED */
  atomic_int state;           /* BaState; written under the pool's lock, read anywhere; HELD without refs is FREE */
  bool given_up;              /* pool's lock: the first holder has released it, others remain */
  bool once;                  /* constant: leaves the pool after its first use */
  bool external;              /* constant: release, not the kind's destroy, ends it */
  bool unref_locked;          /* constant: a reader's leaving may let a producer overwrite it */
  unsigned index;             /* constant */
  uint64_t id;                /* constant; bai_pool_adopt() sets it */
  BaPool *pool;               /* constant; alive while the buffer is out */
  BaBuffer *next;             /* pool's lock: the queue it is in */
  const BaLayout *layout;     /* constant: the pool's, or own_layout behind the blocks */
  size_t size_bytes;          /* constant: all blocks */
  int fd;                     /* constant */
  unsigned n_blocks;          /* constant */
  size_t fd_offset_bytes;     /* constant */
  void *priv;                 /* constant: the kind's */
  BaReleaseFunc release;      /* constant: external memory only */
  void *release_user;         /* constant */
  void *user_data;            /* the holder's */
  void (*user_destroy) (void *data);
  atomic_int_least64_t out_since_ns; /* coarse clock, while it is out; INT64_MAX: on its way */
  const char *_Atomic holder; /* the holder's static tag; read anywhere */
  BaBlock blocks[];           /* constant: n_blocks */
};

/* Makes a FREE buffer of @pool around @memory, which stays the caller's on failure. @shared_layout may be equal to the
 * memory's layout and then saves a copy; it must live as long as the buffer. Returns 0, -EINVAL or -ENOMEM. */
int bai_buffer_new (BaPool *pool, const BaMemory *memory, const BaLayout *shared_layout, BaBuffer **out);

/* Gives the description of the memory back, as a destroy hook or a release callback wants it. */
void bai_buffer_describe (const BaBuffer *buffer, BaMemory *out);

/* Frees the struct and the user data. The memory is not touched. No lock may be held. */
void bai_buffer_free (BaBuffer *buffer);

/* It changes hands: what the last holder said about itself is over. */
static inline void
bai_buffer_clear_holder (BaBuffer *buffer)
{
  atomic_store_explicit (&buffer->holder, NULL, memory_order_relaxed);
}

/* The release callback that @buffer was injected with, NULL for the library's own. */
BaReleaseFunc bai_buffer_get_release (const BaBuffer *buffer);

/* The priv pointer of the memory that @buffer was made from. */
void *bai_buffer_get_priv (const BaBuffer *buffer);

#endif
