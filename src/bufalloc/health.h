/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * health.h: what is wrong with a pool at this moment, for a person or for a monitor.
 *
 * A check looks once, under the pool's lock, and copies what it saw: it may be asked for at any time, and costs the
 * threads that use the pool nothing until then.
 */
#ifndef BUFALLOC_HEALTH_H
#define BUFALLOC_HEALTH_H

#include <bufalloc/pool.h>
#include <bufalloc/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * BaFindingKind: what can be wrong.
 * @BA_FINDING_NO_FREE: no buffer is free, and none may be overwritten: the next producer blocks. Not in a pool that
 *   nobody ever acquired from or waits for: it is filled by injecting
 * @BA_FINDING_NOTHING_FILLED: consumers wait, and nothing is filled
 * @BA_FINDING_HELD_LONG: somebody has had a buffer for longer than the limit
 * @BA_FINDING_ORPHANS: buffers were removed, or the pool was closed, while somebody had them, and has them still
 */
typedef enum
{
  BA_FINDING_NO_FREE,
  BA_FINDING_NOTHING_FILLED,
  BA_FINDING_HELD_LONG,
  BA_FINDING_ORPHANS
} BaFindingKind;

/**
 * BaFinding: one thing that is wrong.
 * @kind: what
 * @count: buffers without a way back (%BA_FINDING_NO_FREE: those that are out), consumers that wait, or orphans;
 *   1 for %BA_FINDING_HELD_LONG
 * @holding: the entry of BaHealth.holdings it is about, for %BA_FINDING_HELD_LONG; 0 otherwise
 */
typedef struct
{
  BaFindingKind kind;
  unsigned count;
  unsigned holding;
} BaFinding;

/**
 * BaHolding: a buffer that is out.
 * @buffer_id: its id
 * @state: %BA_STATE_HELD or %BA_STATE_LENT
 * @held_ns: since when it was acquired or taken, good to some milliseconds (coarse clock)
 * @holder: (nullable): the tag of ba_buffer_set_holder()
 */
typedef struct
{
  uint64_t buffer_id;
  BaState state;
  int64_t held_ns;
  const char *holder;
} BaHolding;

/**
 * BaHealth: what a check saw. Freed with ba_health_free(); valid longer than its pool.
 * @pool_id: the pool
 * @name: its name, "" = none
 * @category: its category, "" = none
 * @closed: whether it is closed
 * @n_producers_waiting: threads inside ba_pool_acquire() that wait
 * @n_consumers_waiting: threads inside ba_pool_take() that wait
 * @stats: its counters
 * @n_findings: entries of @findings; 0 = nothing is wrong
 * @findings: (array length=n_findings): what is wrong
 * @n_holdings: entries of @holdings
 * @holdings: (array length=n_holdings): who has which buffer, by index of the buffer
 */
typedef struct
{
  uint64_t pool_id;
  char name[BA_NAME_BYTES];
  char category[BA_NAME_BYTES];
  bool closed;
  unsigned n_producers_waiting;
  unsigned n_consumers_waiting;
  BaPoolStats stats;
  unsigned n_findings;
  const BaFinding *findings;
  unsigned n_holdings;
  const BaHolding *holdings;
} BaHealth;

/**
 * ba_pool_check_health:
 * @pool: (transfer none): a pool
 * @held_limit_ns: a buffer that is out for longer is a finding; 0 or less = no limit
 * @out: (out) (transfer full): what was seen, NULL on error; give it back with ba_health_free()
 *
 * Threads: any. Returns: 0 or -ENOMEM
 */
BA_API int ba_pool_check_health (BaPool *pool, int64_t held_limit_ns, BaHealth **out);

/** ba_health_free: frees what ba_pool_check_health() made (nullable). Threads: any. */
BA_API void ba_health_free (BaHealth *health);

/**
 * ba_health_to_text:
 * @health: (transfer none): what was seen
 * @text: (nullable) (out caller-allocates): where to write lines for a person, the last one with a line end too
 * @room_bytes: room there; what does not fit is cut, and unless it is 0 there is always an end zero
 *
 * As snprintf() does. Threads: any.
 *
 * Returns: the bytes the whole text needs, without its end zero
 */
BA_API size_t ba_health_to_text (const BaHealth *health, char *text, size_t room_bytes);

/**
 * ba_health_to_json:
 *
 * As ba_health_to_text(), as one JSON object without a line end: "pool" {"id", "name", "category", "closed"}, "stats"
 * (the members of BaPoolStats, and "producers_waiting" and "consumers_waiting"), "holdings" (list of {"buffer",
 * "state", "held_ns", "holder"}), "findings" (list of {"kind", "count", "message"}, and "buffer", "held_ns", "holder"
 * where it is about one). Bytes of a name that are no UTF-8 are shown as U+FFFD. Threads: any.
 *
 * Returns: as ba_health_to_text()
 */
BA_API size_t ba_health_to_json (const BaHealth *health, char *text, size_t room_bytes);

/** ba_finding_kind_name: (transfer none): "no-free", "nothing-filled", "held-long" or "orphans". Threads: any. */
BA_API const char *ba_finding_kind_name (BaFindingKind kind);

#ifdef __cplusplus
}
#endif
#endif
