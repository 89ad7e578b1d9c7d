/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-stress.c: eight threads do random legal operations on a few pools that grow, shrink, close and are built anew
 * under their hands. In the end everything that was created is destroyed, and everything injected released, once.
 *
 * The numbers are pseudo-random from a fixed seed for each thread; the order between threads is the scheduler's.
 * STRESS_ROUNDS in the environment sets the rounds of all threads together.
 */
#include "test-support.h"

enum
{
  N_THREADS = 8,
  N_POOLS = 3,
  N_KEPT = 6,
  ROUNDS = 20000
};

typedef struct
{
  BaAllocator *allocator;
  pthread_mutex_t lock;
  BaPool *pools[N_POOLS]; /* lock: a reference each */
  atomic_int injected;
  atomic_int released;
  unsigned rounds; /* of one thread */
  bool debug;
} Playground;

/* A buffer that a thread has, and how: as its first holder, or by an extra reference. */
typedef struct
{
  BaPool *pool; /* a reference */
  BaBuffer *buffer;
  bool held; /* may be submitted */
  bool extra; /* may only be unref'ed */
} Kept;

typedef struct
{
  Playground *ground;
  uint32_t random;
  unsigned n_kept;
  Kept kept[N_KEPT];
  atomic_int failures; /* calls that returned what they never may */
} Player;

static uint8_t foreign_bytes[64];

static uint32_t
next_random (Player *player)
{
  uint32_t x = player->random;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return player->random = x;
}

static void
note_release (const BaMemory *memory, void *user)
{
  Playground *ground = user;
  if (memory->blocks[0].data == foreign_bytes)
    ground->released++;
}

static BaPool *
new_pool (Playground *ground, unsigned which)
{
  BaPool *pool;
  BaSpec spec = { .name = "stress", .count = 3, .size_bytes = 64 };
  spec.when_full = which == 0 ? BA_WHEN_FULL_DROP_OLDEST : BA_WHEN_FULL_BLOCK;
  spec.max_buffers = which < 2 ? 8 : 0;
  return ba_allocator_build_pool (ground->allocator, &spec, &pool) == 0 ? pool : NULL;
}

static BaPool *
any_pool (Player *player)
{
  Playground *ground = player->ground;
  unsigned which = next_random (player) % N_POOLS;
  pthread_mutex_lock (&ground->lock);
  BaPool *pool = ba_pool_ref (ground->pools[which]);
  pthread_mutex_unlock (&ground->lock);
  return pool;
}

static void
expect (Player *player, bool right)
{
  if (!right)
    player->failures++;
}

/* Takes over @pool's reference. */
static void
get_one (Player *player, BaPool *pool, bool filled)
{
  BaBuffer *buffer;
  int64_t timeout_ns = next_random (player) % 4 == 0 ? MS / 10 : BA_NO_WAIT;
  int r = filled ? ba_pool_take (pool, timeout_ns, NULL, &buffer) : ba_pool_acquire (pool, timeout_ns, NULL, &buffer);
  expect (player, r == 0 || r == -EAGAIN || r == -ETIMEDOUT || r == -ESHUTDOWN);
  expect (player, (r == 0) == (buffer != NULL));
  if (r < 0) {
    ba_pool_unref (pool);
    return;
  }
  if (!filled && !ba_buffer_is_shared (buffer))
    memset (ba_buffer_get_data (buffer), 1, 1); /* a thread that should not have it would show here */
  ba_buffer_set_holder (buffer, filled ? "consumer" : "producer");
  player->kept[player->n_kept++] = (Kept){ pool, buffer, .held = !filled };
}

static void
give_back (Player *player, unsigned i)
{
  Kept kept = player->kept[i];
  player->kept[i] = player->kept[--player->n_kept];
  if (kept.extra || next_random (player) % 4 == 0)
    ba_buffer_unref (kept.buffer);
  else
    expect (player, ba_pool_release (kept.pool, kept.buffer) == 0);
  ba_pool_unref (kept.pool);
}

static void
submit (Player *player, unsigned i)
{
  Kept *kept = &player->kept[i];
  if (!kept->held || kept->extra)
    return;
  int r = ba_pool_submit (kept->pool, kept->buffer);
  expect (player, r == 0 || r == -ESHUTDOWN);
  if (r < 0)
    return;
  ba_pool_unref (kept->pool);
  *kept = player->kept[--player->n_kept];
}

static void
share (Player *player, unsigned i)
{
  Kept *kept = &player->kept[i];
  player->kept[player->n_kept++] = (Kept){ ba_pool_ref (kept->pool), ba_buffer_ref (kept->buffer), .extra = true };
}

static void
inject (Player *player, BaPool *pool)
{
  Playground *ground = player->ground;
  uint32_t flags = next_random (player) % 4;
  int r;
  if (next_random (player) % 2) {
    r = ba_allocator_inject (ground->allocator, pool, flags, NULL);
  } else {
    BaMemory memory = { .n_blocks = 1, .blocks = { { foreign_bytes, sizeof foreign_bytes, 0 } }, .fd = -1 };
    /* Several buffers share these bytes: nobody may write them, so they enter where only readers look. */
    flags |= BA_INJECT_FILLED | BA_INJECT_ONCE;
    ground->injected++;
    r = ba_allocator_inject_external (ground->allocator, pool, &memory, flags, note_release, ground, NULL);
    if (r < 0)
      ground->injected--;
  }
  /* -EINVAL: it was replaced meanwhile; -EAGAIN: it has as many as it may have */
  expect (player, r == 0 || r == -ESHUTDOWN || r == -EINVAL || r == -EAGAIN);
}

static void
replace_pool (Player *player)
{
  Playground *ground = player->ground;
  unsigned which = next_random (player) % N_POOLS;
  BaPool *fresh = new_pool (ground, which);
  expect (player, fresh != NULL);
  pthread_mutex_lock (&ground->lock);
  BaPool *old = ground->pools[which];
  ground->pools[which] = fresh;
  pthread_mutex_unlock (&ground->lock);
  if (next_random (player) % 2)
    ba_pool_close (old);
  expect (player, ba_allocator_destroy_pool (ground->allocator, old) == 0);
  ba_pool_unref (old);
}

static void
look_around (Player *player, BaPool *pool)
{
  BaPool *found;
  BaPoolStats stats = stats_of (pool);
  expect (player, stats.n_buffers == stats.n_free + stats.n_held + stats.n_filled + stats.n_lent);
  BaHealth *health;
  expect (player, ba_pool_check_health (pool, 1, &health) == 0);
  expect (player, health->n_holdings == health->stats.n_held + health->stats.n_lent);
  expect (player, ba_health_to_json (health, NULL, 0) > 0);
  ba_health_free (health);
  expect (player, ba_debug_check (player->ground->allocator, NULL) == (player->ground->debug ? 0 : -ENOTSUP));
  if (ba_registry_find_by_name (NULL, "stress", &found) == 0) {
    ba_pool_wake (found);
    ba_pool_unref (found);
  }
}

static void
remove_one (Player *player, BaPool *pool)
{
  uint64_t id = 0;
  if (player->n_kept && next_random (player) % 2)
    id = ba_buffer_get_id (player->kept[0].buffer);
  int r = ba_allocator_remove (player->ground->allocator, pool, id);
  expect (player, r == 0 || r == -EINPROGRESS || r == -EINVAL || r == -EAGAIN || r == -ESHUTDOWN);
}

static void
play_one_round (Player *player)
{
  uint32_t dice = next_random (player) % 100;
  BaPool *pool = any_pool (player);
  if (dice < 45 && player->n_kept < N_KEPT) {
    get_one (player, pool, dice % 2);
    return;
  }
  if (dice < 85 && player->n_kept) {
    unsigned i = next_random (player) % player->n_kept;
    if (dice < 60)
      submit (player, i);
    else if (dice < 66 && player->n_kept < N_KEPT)
      share (player, i);
    else
      give_back (player, i);
  } else if (dice < 91) {
    inject (player, pool);
  } else if (dice < 95) {
    remove_one (player, pool);
  } else if (dice < 98) {
    look_around (player, pool);
  } else {
    replace_pool (player);
  }
  ba_pool_unref (pool);
}

static void *
player_main (void *data)
{
  Player *player = data;
  for (unsigned i = 0; i < player->ground->rounds; i++)
    play_one_round (player);
  while (player->n_kept)
    give_back (player, 0);
  return NULL;
}

static void
hear_errors (BaLogLevel level, const char *message, void *user)
{
  (void) message;
  if (level == BA_LOG_ERROR)
    ++*(atomic_int *) user;
}

static void
play (bool debug)
{
  Counts counts = { 0 };
  atomic_int errors = 0;
  Playground ground = { .lock = PTHREAD_MUTEX_INITIALIZER, .debug = debug };
  BaConfig config = { .foreign = &counts, .debug = debug };
  ba_log_set_handler (hear_errors, &errors);
  ck_assert_int_eq (ba_factory_register ("counting", &counting_ops), 0);
  ck_assert_int_eq (ba_allocator_new_by_name ("counting", &config, NULL, &ground.allocator), 0);
  static Player players[N_THREADS];
  pthread_t threads[N_THREADS];
  const char *rounds = getenv ("STRESS_ROUNDS");
  ground.rounds = rounds ? (unsigned) strtoul (rounds, NULL, 10) / N_THREADS : ROUNDS / N_THREADS;
  if (!rounds && getenv ("RUNNING_ON_VALGRIND"))
    ground.rounds /= 10;
  for (unsigned i = 0; i < N_POOLS; i++)
    ck_assert_ptr_nonnull (ground.pools[i] = new_pool (&ground, i));
  memset (players, 0, sizeof players);
  for (unsigned i = 0; i < N_THREADS; i++) {
    players[i].ground = &ground;
    players[i].random = 2463534242U + i * 7919;
    ck_assert_int_eq (pthread_create (&threads[i], NULL, player_main, &players[i]), 0);
  }
  for (unsigned i = 0; i < N_THREADS; i++)
    pthread_join (threads[i], NULL);
  for (unsigned i = 0; i < N_THREADS; i++)
    ck_assert_msg (players[i].failures == 0, "thread %u saw %d wrong results", i, players[i].failures);
  ba_allocator_unref (ground.allocator);
  for (unsigned i = 0; i < N_POOLS; i++) {
    BaPoolStats stats = stats_of (ground.pools[i]);
    ck_assert_uint_eq (stats.n_buffers + stats.n_orphans, 0);
    ba_pool_unref (ground.pools[i]);
  }
  ck_assert_int_gt (counts.creates, 3 * N_POOLS);
  ck_assert_int_eq (counts.creates, counts.destroys);
  ck_assert_int_eq (ground.injected, ground.released);
  ck_assert_int_eq (counts.opens, 1);
  ck_assert_int_eq (counts.closes, 1);
  ck_assert_int_eq (errors, 0);
  ba_log_set_handler (NULL, NULL);
}

START_TEST (random_legal_operations_of_eight_threads_leave_nothing)
{
  play (false);
}
END_TEST

START_TEST (they_leave_nothing_in_debug_mode_either)
{
  play (true);
}
END_TEST

/* ---- the same buffer again and again ----------------------------------------------------------------------------- */

/* Threads that acquire one buffer at a time and give it up at once, so that it goes past the lock, and one that
 * meddles: it looks, submits, removes and injects. */
typedef struct
{
  BaAllocator *allocator;
  BaPool *pool;
  unsigned rounds;
  atomic_uint running;
  atomic_uint acquired;
  atomic_int failures;
} Shuttling;

static void *
shuttle_main (void *data)
{
  Shuttling *all = data;
  for (unsigned i = 0; i < all->rounds; i++) {
    BaBuffer *buffer;
    if (ba_pool_acquire (all->pool, BA_WAIT_FOREVER, NULL, &buffer) < 0) {
      all->failures++;
      continue;
    }
    all->acquired++;
    if (ba_buffer_is_shared (buffer) || *(uint8_t *) ba_buffer_get_data (buffer))
      all->failures++;
    memset (ba_buffer_get_data (buffer), 1, 1); /* another thread that has it too would show here */
    if (i % 64 == 0)
      sched_yield ();
    memset (ba_buffer_get_data (buffer), 0, 1);
    if (i % 5 == 0) {
      ba_buffer_ref (buffer);
      ba_buffer_unref (buffer);
    }
    if (i % 2)
      ba_buffer_unref (buffer);
    else if (ba_pool_release (all->pool, buffer) < 0)
      all->failures++;
  }
  all->running--;
  return NULL;
}

static void
meddle (Shuttling *all, unsigned i, unsigned n_most)
{
  BaPoolStats stats = stats_of (all->pool);
  BaHealth *health;
  BaBuffer *buffer;
  if (stats.n_buffers != stats.n_free + stats.n_held + stats.n_filled + stats.n_lent || stats.n_buffers > n_most
      || stats.peak_out > n_most)
    all->failures++;
  if (i % 3 == 0) {
    if (ba_pool_check_health (all->pool, INT64_C (3600) * 1000 * MS, &health) < 0) {
      all->failures++;
      return;
    }
    for (unsigned j = 0; j < health->n_findings; j++)
      all->failures += health->findings[j].kind == BA_FINDING_HELD_LONG;
    ba_health_free (health);
  }
  if (i % 5 == 0 && ba_pool_acquire (all->pool, BA_NO_WAIT, NULL, &buffer) == 0) {
    all->acquired++;
    if (ba_pool_submit (all->pool, buffer) == 0)
      ba_pool_release (all->pool, take (all->pool));
    else
      ba_buffer_unref (buffer); /* removed meanwhile: nobody but us does that */
  }
  if (i % 7 == 0) {
    int r = ba_allocator_remove (all->allocator, all->pool, 0);
    if (r == 0 && ba_allocator_inject (all->allocator, all->pool, BA_INJECT_FREE, NULL) < 0)
      all->failures++;
    if (r < 0 && r != -EAGAIN)
      all->failures++;
  }
}

static void
shuttle_with (unsigned n_threads, unsigned n_buffers)
{
  Counts counts = { 0 };
  Shuttling all = { .allocator = counting_allocator (&counts, NULL), .rounds = 60000 };
  pthread_t threads[4];
  if (getenv ("RUNNING_ON_VALGRIND"))
    all.rounds /= 10;
  all.pool = build (all.allocator, n_buffers, BA_WHEN_FULL_BLOCK);
  all.running = n_threads;
  for (unsigned i = 0; i < n_threads; i++)
    ck_assert_int_eq (pthread_create (&threads[i], NULL, shuttle_main, &all), 0);
  for (unsigned i = 0; all.running; i++) {
    meddle (&all, i, n_buffers);
    for (unsigned pause = 0; pause < i % 50 && all.running; pause++)
      sched_yield ();
  }
  for (unsigned i = 0; i < n_threads; i++)
    pthread_join (threads[i], NULL);
  BaPoolStats stats = stats_of (all.pool);
  ck_assert_int_eq (all.failures, 0);
  ck_assert_uint_eq (stats.acquires, all.acquired);
  ck_assert_uint_eq (stats.n_free, n_buffers);
  ck_assert_uint_eq (stats.n_held + stats.n_filled + stats.n_lent + stats.n_orphans, 0);
  ba_pool_unref (all.pool);
  ba_allocator_unref (all.allocator);
  ck_assert_int_eq (counts.creates, counts.destroys);
}

START_TEST (a_buffer_that_comes_and_goes_past_the_lock_is_counted_and_never_lost)
{
  for (unsigned n_threads = 1; n_threads <= 4; n_threads++) {
    shuttle_with (n_threads, 1);
    shuttle_with (n_threads, 2);
  }
}
END_TEST

RUN ("stress", random_legal_operations_of_eight_threads_leave_nothing, they_leave_nothing_in_debug_mode_either,
     a_buffer_that_comes_and_goes_past_the_lock_is_counted_and_never_lost)
