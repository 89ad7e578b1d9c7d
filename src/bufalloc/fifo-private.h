/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fifo-private.h: an intrusive first-in first-out queue of buffers. No locks: its owner has one. */
#ifndef BUFALLOC_FIFO_PRIVATE_H
#define BUFALLOC_FIFO_PRIVATE_H

#include "buffer-private.h"

typedef struct
{
  BaBuffer *head;
  BaBuffer *tail;
  unsigned length;
} BaFifo;

static inline void
bai_fifo_push (BaFifo *fifo, BaBuffer *buffer)
{
  buffer->next = NULL;
  if (fifo->tail)
    fifo->tail->next = buffer;
  else
    fifo->head = buffer;
  fifo->tail = buffer;
  fifo->length++;
}

/* Takes @buffer, which stands behind @before (NULL = it is the head), out of the queue. */
static inline void
bai_fifo_unlink (BaFifo *fifo, BaBuffer *before, BaBuffer *buffer)
{
  if (before)
    before->next = buffer->next;
  else
    fifo->head = buffer->next;
  if (fifo->tail == buffer)
    fifo->tail = before;
  buffer->next = NULL;
  fifo->length--;
}

static inline BaBuffer *
bai_fifo_pop (BaFifo *fifo)
{
  BaBuffer *buffer = fifo->head;
  if (buffer)
    bai_fifo_unlink (fifo, NULL, buffer);
  return buffer;
}

/* Takes @buffer out wherever it stands. Returns false where it is not in the queue. */
static inline bool
bai_fifo_remove (BaFifo *fifo, BaBuffer *buffer)
{
  BaBuffer *before = NULL;
  for (BaBuffer *b = fifo->head; b; before = b, b = b->next) {
    if (b == buffer) {
      bai_fifo_unlink (fifo, before, b);
      return true;
    }
  }
  return false;
}

#endif
