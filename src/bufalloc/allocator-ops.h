/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * allocator-ops.h: the four hooks of a kind of memory, for people who write their own.
 *
 * Fill a const BaAllocatorOps, register it with ba_factory_register() (factory.h), and it can be made by name. Order
 * of calls, argument checks, counting and roll-back stay with the library: a hook does one thing. Hooks run with no
 * lock of the library held, on whatever thread asked, several at the same time: what they share they must guard.
 */
#ifndef BUFALLOC_ALLOCATOR_OPS_H
#define BUFALLOC_ALLOCATOR_OPS_H

#include <bufalloc/error.h>
#include <bufalloc/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct BaConfig;

/**
 * BaMemory: the memory of one buffer, as a create hook describes it.
 * @n_blocks: used entries of @blocks, at least 1
 * @blocks: the memory; every one with an address and a size
 * @layout: the picture in it, zeroed where there is none; every plane begins inside a block
 * @fd: (transfer none): file behind the first block, -1 = none; stays the kind's own, valid until destroy
 * @fd_offset_bytes: where in @fd the first block begins
 * @priv: (nullable): the kind's own, for its destroy hook
 *
 * Begin with %BA_MEMORY_INIT: zeroes alone would say that file 0 is behind the memory.
 */
typedef struct
{
  unsigned n_blocks;
  BaBlock blocks[BA_MAX_PLANES];
  BaLayout layout;
  int fd;
  size_t fd_offset_bytes;
  void *priv;
} BaMemory;

/** BA_MEMORY_INIT: a BaMemory with nothing in it, and no file. */
#define BA_MEMORY_INIT                                                                                                 \
  {                                                                                                                    \
    0, { { NULL, 0, 0 } }, { 0, 0, 0, 0, { 0 }, { 0 } }, -1, 0, NULL                                                   \
  }

/**
 * BaRequest: what a create hook is asked for.
 * @spec: (transfer none): the pool's specification, valid during the call; its size_bytes is never 0 unless the kind
 *   decides sizes (BaAllocatorOps.decides_size), and in debug mode larger than the pool's own (debug.h)
 * @pool_id: the pool, for kinds that share something among a pool's buffers
 * @index: a hint: where the buffer will probably stand in the pool, so that names can be told apart. It may repeat when
 *   two threads inject at once, and an orphan whose memory is still out may have it too: never address memory by it
 */
typedef struct
{
  const BaSpec *spec;
  uint64_t pool_id;
  unsigned index;
} BaRequest;

/**
 * BaAllocatorOps: one kind of memory. Static and const: it must live as long as anything made with it.
 */
struct BaAllocatorOps
{
  /** @name: (not nullable): the kind's name, the one to register and to log */
  const char *name;
  /** @decides_size: true where the memory has a size of its own (pages of a device), so that specs may leave it 0 */
  bool decides_size;
  /** @max_buffers: (nullable): how many buffers this state can make in all; NULL = no limit. Also the count that is
   *  built for a spec that says 0. */
  unsigned (*max_buffers) (void *state);
  /**
   * @open: (nullable): makes what all buffers of an allocator share. @config is never NULL and valid during the call
   * only. Stores anything in @state (NULL is fine). Fills @error on failure. Returns 0 or a code of error.h; what is
   * larger than 0 is logged and taken as -EINVAL, here and in create.
   */
  int (*open) (const struct BaConfig *config, void **state, BaError *error);
  /** @create: makes the memory of one buffer. @out is zeroed, its fd -1. Returns 0 or a code of error.h. */
  int (*create) (void *state, const BaRequest *request, BaMemory *out);
  /** @destroy: (nullable): frees what create made. Called once for each. Never fails. */
  void (*destroy) (void *state, BaMemory *memory);
  /** @close: (nullable): frees what open made, after the last destroy. Never fails. */
  void (*close) (void *state);
};

#ifdef __cplusplus
}
#endif
#endif
