/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* health.c: looks at a pool once, and says what it saw, in words and in JSON. */
#include "health.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pool-inside-private.h"

/* ---- looking ----------------------------------------------------------------------------------------------------- */

/* A struct, its holdings and its findings (one for each holding, and three about the pool) in one allocation. */
static BaHealth *
health_new (unsigned n_room)
{
  size_t holdings_bytes = n_room * sizeof (BaHolding), findings_bytes = ((size_t) n_room + 3) * sizeof (BaFinding);
  BaHealth *health = calloc (1, sizeof *health + holdings_bytes + findings_bytes);
  if (!health)
    return NULL;
  health->holdings = (BaHolding *) (health + 1);
  health->findings = (BaFinding *) (health->holdings + n_room);
  return health;
}

static void
look_locked (BaPool *pool, BaHealth *health)
{
  BaHolding *holdings = (BaHolding *) health->holdings;
  int64_t now_ns = bai_coarse_now_ns ();

  health->closed = pool->closed;
  bai_pool_snapshot_locked (pool, &health->stats);
  health->n_producers_waiting = pool->free_waiters;
  health->n_consumers_waiting = pool->filled_waiters;
  for (unsigned i = 0; i < pool->n_slots; i++) {
    const BaBuffer *buffer = pool->slots[i];
    BaState state = buffer ? bai_get_state (buffer) : BA_STATE_FREE;
    if (state != BA_STATE_HELD && state != BA_STATE_LENT)
      continue;
    int64_t since_ns = atomic_load_explicit (&buffer->out_since_ns, memory_order_relaxed);
    holdings[health->n_holdings++] = (BaHolding){
      .buffer_id = buffer->id,
      .state = state,
      .held_ns = now_ns > since_ns ? now_ns - since_ns : 0,
      .holder = atomic_load_explicit (&buffer->holder, memory_order_acquire),
    };
  }
}

static bool
may_overwrite_locked (const BaPool *pool)
{
  if (pool->spec.when_full != BA_WHEN_FULL_DROP_OLDEST)
    return false;
  for (const BaBuffer *b = pool->filled.head; b; b = b->next) {
    if (bai_is_unread (b) && !b->once)
      return true;
  }
  return false;
}

static void
judge (BaHealth *health, bool producer_blocks, int64_t held_limit_ns)
{
  BaFinding *findings = (BaFinding *) health->findings;
  unsigned n = 0;
  if (producer_blocks)
    findings[n++] = (BaFinding){ BA_FINDING_NO_FREE, health->n_holdings, 0 };
  if (health->n_consumers_waiting && health->stats.n_filled == 0)
    findings[n++] = (BaFinding){ BA_FINDING_NOTHING_FILLED, health->n_consumers_waiting, 0 };
  for (unsigned i = 0; held_limit_ns > 0 && i < health->n_holdings; i++) {
    if (health->holdings[i].held_ns > held_limit_ns)
      findings[n++] = (BaFinding){ BA_FINDING_HELD_LONG, 1, i };
  }
  if (health->stats.n_orphans)
    findings[n++] = (BaFinding){ BA_FINDING_ORPHANS, health->stats.n_orphans, 0 };
  health->n_findings = n;
}

int
ba_pool_check_health (BaPool *pool, int64_t held_limit_ns, BaHealth **out)
{
  BaHealth *health = NULL;
  unsigned n_room = 0;
  *out = NULL;

  /* nothing is allocated under the lock: ask how many, allocate, and look whether it still fits */
  pthread_mutex_lock (&pool->lock);
  while (!health || n_room < pool->stats.n_held + pool->stats.n_lent) {
    n_room = pool->stats.n_buffers;
    pthread_mutex_unlock (&pool->lock);
    free (health);
    health = health_new (n_room);
    if (!health)
      return -ENOMEM;
    pthread_mutex_lock (&pool->lock);
  }
  look_locked (pool, health);
  /* a pool that is filled by injecting never has one */
  bool has_producer = pool->stats.acquires || pool->free_waiters;
  bool producer_blocks = has_producer && !pool->closed && pool->stats.n_buffers && pool->free.length == 0
      && !may_overwrite_locked (pool);
  pthread_mutex_unlock (&pool->lock);

  health->pool_id = pool->id;
  memcpy (health->name, pool->name, sizeof health->name);
  memcpy (health->category, pool->category, sizeof health->category);
  judge (health, producer_blocks, held_limit_ns);
  *out = health;
  return 0;
}

void
ba_health_free (BaHealth *health)
{
  free (health);
}

const char *
ba_finding_kind_name (BaFindingKind kind)
{
  static const char *const names[] = { "no-free", "nothing-filled", "held-long", "orphans" };
  return (unsigned) kind < sizeof names / sizeof names[0] ? names[kind] : "unknown";
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

typedef struct
{
  char *text;
  size_t room_bytes;
  size_t length_bytes; /* of the whole text, also of what did not fit */
} Writer;

static void BA_PRINTF (2, 3)
put (Writer *w, const char *format, ...)
{
  bool fits = w->length_bytes < w->room_bytes;
  va_list args;
  va_start (args, format);
  int n = vsnprintf (fits ? w->text + w->length_bytes : NULL, fits ? w->room_bytes - w->length_bytes : 0, format, args);
  va_end (args);
  if (n > 0)
    w->length_bytes += (size_t) n;
}

/* Bytes of the UTF-8 sequence at @s, which ends in a zero; 0 where there is none. */
static unsigned
utf8_length (const unsigned char *s)
{
  unsigned n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;
  for (unsigned i = 1; i < n; i++) {
    if ((s[i] & 0xc0) != 0x80)
      return 0;
  }
  /* longer than need be, halves of UTF-16 pairs, and what lies behind the last plane */
  if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0) || (s[0] == 0xf0 && s[1] < 0x90)
      || (s[0] == 0xf4 && s[1] >= 0x90))
    return 0;
  return n;
}

static void
put_json_string (Writer *w, const char *string)
{
  put (w, "\"");
  for (const unsigned char *s = (const unsigned char *) string; *s;) {
    unsigned n = utf8_length (s);
    if (n == 0)
      put (w, "\\ufffd");
    else if (*s == '"' || *s == '\\')
      put (w, "\\%c", *s);
    else if (*s < 0x20 || *s == 0x7f)
      put (w, "\\u%04x", *s);
    else
      put (w, "%.*s", (int) n, (const char *) s);
    s += n ? n : 1;
  }
  put (w, "\"");
}

static void
put_holder (Writer *w, const BaHolding *holding)
{
  if (holding->holder)
    put_json_string (w, holding->holder);
  else
    put (w, "null");
}

static double
ms (int64_t ns)
{
  return (double) ns / 1e6;
}

/* The sentence about a finding. Free of quotes and of anybody's names, so that it fits into JSON as it is. */
static void
put_message (Writer *w, const BaHealth *health, const BaFinding *finding)
{
  const BaPoolStats *stats = &health->stats;
  const BaHolding *holding = &health->holdings[finding->holding];
  switch (finding->kind) {
    case BA_FINDING_NO_FREE:
      put (w, "no free buffer, the next producer blocks: of %u, producers hold %u, consumers %u, and %u are filled",
           stats->n_buffers, stats->n_held, stats->n_lent, stats->n_filled);
      break;
    case BA_FINDING_NOTHING_FILLED:
      put (w, "%u consumers wait and nothing is filled: producers hold %u of %u buffers", finding->count,
           stats->n_held, stats->n_buffers);
      break;
    case BA_FINDING_HELD_LONG:
      put (w, "buffer %" PRIu64 " has been %s for %.0f ms", holding->buffer_id, ba_state_name (holding->state),
           ms (holding->held_ns));
      break;
    case BA_FINDING_ORPHANS:
      put (w, "%u buffers left the pool while somebody had them, and have not come back", finding->count);
      break;
  }
}

size_t
ba_health_to_text (const BaHealth *health, char *text, size_t room_bytes)
{
  Writer w = { text, room_bytes, 0 };
  const BaPoolStats *stats = &health->stats;
  if (room_bytes)
    text[0] = '\0';
  put (&w, "pool %" PRIu64 " \"%s\"%s: %u buffers: %u free, %u held, %u filled, %u lent; %s\n", health->pool_id,
       health->name, health->closed ? " (closed)" : "", stats->n_buffers, stats->n_free, stats->n_held,
       stats->n_filled, stats->n_lent, health->n_findings ? "found:" : "healthy");
  for (unsigned i = 0; i < health->n_findings; i++) {
    const BaFinding *finding = &health->findings[i];
    put (&w, "  %s: ", ba_finding_kind_name (finding->kind));
    put_message (&w, health, finding);
    if (finding->kind == BA_FINDING_HELD_LONG && health->holdings[finding->holding].holder)
      put (&w, ", by %s", health->holdings[finding->holding].holder);
    put (&w, "\n");
  }
  for (unsigned i = 0; health->n_findings && i < health->n_holdings; i++) {
    const BaHolding *h = &health->holdings[i];
    put (&w, "  buffer %" PRIu64 " %s for %.0f ms by %s\n", h->buffer_id, ba_state_name (h->state), ms (h->held_ns),
         h->holder ? h->holder : "somebody");
  }
  return w.length_bytes;
}

static void
put_json_stats (Writer *w, const BaHealth *health)
{
  const BaPoolStats *s = &health->stats;
  put (w, "\"stats\":{\"n_buffers\":%u,\"n_free\":%u,\"n_held\":%u,\"n_filled\":%u,\"n_lent\":%u,\"n_orphans\":%u,",
       s->n_buffers, s->n_free, s->n_held, s->n_filled, s->n_lent, s->n_orphans);
  put (w, "\"peak_out\":%u,\"acquires\":%" PRIu64 ",\"takes\":%" PRIu64 ",\"waits\":%" PRIu64
       ",\"longest_wait_ns\":%" PRIu64 ",\"drops\":%" PRIu64 ",\"producers_waiting\":%u,\"consumers_waiting\":%u}",
       s->peak_out, s->acquires, s->takes, s->waits, s->longest_wait_ns, s->drops, health->n_producers_waiting,
       health->n_consumers_waiting);
}

size_t
ba_health_to_json (const BaHealth *health, char *text, size_t room_bytes)
{
  Writer w = { text, room_bytes, 0 };
  if (room_bytes)
    text[0] = '\0';
  put (&w, "{\"pool\":{\"id\":%" PRIu64 ",\"name\":", health->pool_id);
  put_json_string (&w, health->name);
  put (&w, ",\"category\":");
  put_json_string (&w, health->category);
  put (&w, ",\"closed\":%s},", health->closed ? "true" : "false");
  put_json_stats (&w, health);
  put (&w, ",\"holdings\":[");
  for (unsigned i = 0; i < health->n_holdings; i++) {
    const BaHolding *h = &health->holdings[i];
    put (&w, "%s{\"buffer\":%" PRIu64 ",\"state\":\"%s\",\"held_ns\":%" PRId64 ",\"holder\":", i ? "," : "",
         h->buffer_id, ba_state_name (h->state), h->held_ns);
    put_holder (&w, h);
    put (&w, "}");
  }
  put (&w, "],\"findings\":[");
  for (unsigned i = 0; i < health->n_findings; i++) {
    const BaFinding *f = &health->findings[i];
    put (&w, "%s{\"kind\":\"%s\",\"count\":%u,\"message\":\"", i ? "," : "", ba_finding_kind_name (f->kind), f->count);
    put_message (&w, health, f);
    put (&w, "\"");
    if (f->kind == BA_FINDING_HELD_LONG) {
      const BaHolding *h = &health->holdings[f->holding];
      put (&w, ",\"buffer\":%" PRIu64 ",\"held_ns\":%" PRId64 ",\"holder\":", h->buffer_id, h->held_ns);
      put_holder (&w, h);
    }
    put (&w, "}");
  }
  put (&w, "]}");
  return w.length_bytes;
}
