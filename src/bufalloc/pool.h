/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * pool.h: buffers on their way from a producer to a consumer and back.
 *
 *            ba_pool_acquire          ba_pool_submit
 *     FREE ------------------> HELD ------------------> FILLED
 *      ^                        |                         |
 *      |   ba_pool_release      |      ba_pool_take       |
 *      +------------------------+-------- LENT <----------+
 *
 * Both queues are first in, first out, with one exception: who acquires a buffer and gives it up at once, more often in
 * a row than the pool has buffers, gets that one again as long as nobody else wants any, and pays for no lock. Any
 * number of producers and consumers on any threads. A pool is built by an allocator (allocator.h), lives as long as
 * somebody references it or one of its buffers is out, and gives its memory back when the last of these ends. No hook,
 * callback or log runs under its lock.
 */
#ifndef BUFALLOC_POOL_H
#define BUFALLOC_POOL_H

#include <bufalloc/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * BaPoolStats: a snapshot, consistent in itself.
 * @n_buffers: buffers that belong to the pool now (orphans not counted)
 * @n_free: of these, in the free queue
 * @n_held: with producers
 * @n_filled: in the filled queue
 * @n_lent: with consumers
 * @n_orphans: removed, but still with somebody
 * @peak_out: the most buffers that were out (held or lent) at one time
 * @acquires: successful ba_pool_acquire() calls
 * @takes: successful ba_pool_take() calls
 * @waits: calls of either that had to wait
 * @longest_wait_ns: the longest of these waits
 * @drops: filled buffers that were overwritten (%BA_WHEN_FULL_DROP_OLDEST)
 */
typedef struct
{
  unsigned n_buffers;
  unsigned n_free;
  unsigned n_held;
  unsigned n_filled;
  unsigned n_lent;
  unsigned n_orphans;
  unsigned peak_out;
  uint64_t acquires;
  uint64_t takes;
  uint64_t waits;
  uint64_t longest_wait_ns;
  uint64_t drops;
} BaPoolStats;

/** ba_pool_ref: (transfer full): another reference. Threads: any. */
BA_API BaPool *ba_pool_ref (BaPool *pool);

/**
 * ba_pool_unref:
 * @pool: (transfer full) (nullable): a reference; NULL does nothing
 *
 * Drops a reference. With the last one the pool closes; memory of buffers that are still out is freed as they
 * return. Threads: any.
 */
BA_API void ba_pool_unref (BaPool *pool);

/**
 * ba_pool_acquire:
 * @pool: (transfer none): a pool
 * @timeout_ns: nanoseconds to wait; 0 = do not wait; negative = no limit
 * @cancel: (nullable): a flag; when set, the wait ends at the next ba_pool_wake()
 * @out: (out) (transfer full): a HELD buffer, NULL on error
 *
 * Takes the oldest free buffer (with the exception above). Its content is undefined. Threads: any.
 *
 * Returns: 0, -EAGAIN, -ETIMEDOUT, -ECANCELED or -ESHUTDOWN
 */
BA_API int ba_pool_acquire (BaPool *pool, int64_t timeout_ns, const BaCancel *cancel, BaBuffer **out);

/**
 * ba_pool_submit:
 * @pool: (transfer none): the buffer's pool
 * @buffer: (transfer full): a HELD buffer; the caller's still, on failure
 *
 * Puts a filled buffer behind the others that wait for a consumer. Other holders of references may read on, but must
 * be gone before the consumer releases it for it to be free again. Threads: any.
 *
 * Returns: 0; -EINVAL where it is not held or of another pool; -ESHUTDOWN where the pool is closed or the buffer was
 * removed meanwhile (release it then)
 */
BA_API int ba_pool_submit (BaPool *pool, BaBuffer *buffer);

/**
 * ba_pool_take:
 * @pool: (transfer none): a pool
 * @timeout_ns: as for ba_pool_acquire()
 * @cancel: (nullable): as for ba_pool_acquire()
 * @out: (out) (transfer full): a LENT buffer, NULL on error
 *
 * Takes the oldest filled buffer, to be given back with ba_pool_release(). Threads: any.
 *
 * Returns: 0, -EAGAIN, -ETIMEDOUT, -ECANCELED or -ESHUTDOWN
 */
BA_API int ba_pool_take (BaPool *pool, int64_t timeout_ns, const BaCancel *cancel, BaBuffer **out);

/**
 * ba_pool_release:
 * @pool: (transfer none): the buffer's pool
 * @buffer: (transfer full): a HELD or LENT buffer; the caller's still, on failure
 *
 * Gives a buffer back: one that a consumer is done with, or one that a producer did not fill. It is free again when
 * every extra reference is gone too. Threads: any.
 *
 * Returns: 0; -EINVAL where it was released already, is not out, or belongs to another pool
 */
BA_API int ba_pool_release (BaPool *pool, BaBuffer *buffer);

/**
 * ba_pool_wake:
 * @pool: (transfer none): a pool
 *
 * Makes every waiter look at its cancel flag. Those whose flag is not set wait on. Threads: any.
 */
BA_API void ba_pool_wake (BaPool *pool);

/**
 * ba_pool_close:
 * @pool: (transfer none): a pool
 *
 * Ends the pool: waiters and later callers get -ESHUTDOWN, buffers inside are freed, those that are out become
 * orphans and are freed as they return. Never blocks, never fails, may be called again. Threads: any.
 */
BA_API void ba_pool_close (BaPool *pool);

/** ba_pool_is_closed: true once ba_pool_close() was called. Threads: any. */
BA_API bool ba_pool_is_closed (BaPool *pool);

/** ba_pool_get_stats: fills @stats (out caller-allocates). Threads: any. */
BA_API void ba_pool_get_stats (BaPool *pool, BaPoolStats *stats);

/** ba_pool_get_id: a number that no other pool of this process ever has; never 0. Threads: any. */
BA_API uint64_t ba_pool_get_id (const BaPool *pool);

/** ba_pool_get_name: (transfer none) (not nullable): its name, "" = none; valid as long as @pool. */
BA_API const char *ba_pool_get_name (const BaPool *pool);

/** ba_pool_get_category: (transfer none) (not nullable): its category, "" = none; valid as long as @pool. */
BA_API const char *ba_pool_get_category (const BaPool *pool);

#ifdef __cplusplus
}
#endif
#endif
