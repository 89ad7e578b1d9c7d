/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbapool.c: acquire and release over a core pool.
 *
 * The slot of a core buffer (by its index) is touched only by whoever holds that core buffer: at release before it is
 * given back, at acquire after it was obtained. So slots need no lock.
 */
#include "gstbapool-private.h"

#include <errno.h>

#include "gstbamemory-private.h"
#include "gstbautils.h"

/* An acquire flag of our own: the parameters' start is a timeout. */
#define ACQUIRE_FLAG_TIMED (GST_BUFFER_POOL_ACQUIRE_FLAG_LAST << 0)

/* A GstBuffer that rests with its memory, which is `held` where it is the one at hand. The id tells the core buffer
 * from a later one with its index or its address; nothing else may be read by who has another core buffer. */
typedef struct
{
  _Atomic guint64 id;           /* of the core buffer; 0 = none yet */
  GstBuffer *shell;
  GstBaMemory *memory;
  gsize offset, size;           /* of the memory when it went out first */
} Slot;

typedef struct
{
  BaCancel cancel;              /* set while flushing */
  BaPool *core;                 /* a reference; waiters of @cancel are in it */
  Slot *slots;
  guint n_slots;
  gboolean keeps_one;           /* constant while active */
  Slot *_Atomic at_hand;        /* the slot that came back last, still held; whoever takes it out owns it */
  atomic_int seekers;           /* threads that look into the core pool: nothing may rest at hand meanwhile */
} GstBaPoolPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (GstBaPool, gst_ba_pool, GST_TYPE_BUFFER_POOL)

static GstBaPoolPrivate *
get_priv (gpointer self)
{
  return gst_ba_pool_get_instance_private (self);
}

void
gst_ba_pool_set_slots (GstBaPool * self, guint n_slots)
{
  GstBaPoolPrivate *priv = get_priv (self);

  gst_ba_pool_drop_parked (self);
  g_free (priv->slots);
  priv->slots = g_new0 (Slot, n_slots);
  priv->n_slots = n_slots;
}

void
gst_ba_pool_keep_one_at_hand (GstBaPool * self)
{
  get_priv (self)->keeps_one = TRUE;
}

void
gst_ba_pool_drop_parked (GstBaPool * self)
{
  GstBaPoolPrivate *priv = get_priv (self);

  atomic_store (&priv->at_hand, NULL);  /* it is in its slot too; its memory gives the core buffer back */
  for (guint i = 0; i < priv->n_slots; i++)
    gst_clear_buffer (&priv->slots[i].shell);
}

void
gst_ba_pool_set_core (GstBaPool * self, BaPool * core)
{
  GstBaPoolPrivate *priv = get_priv (self);
  BaPool *old = priv->core;

  priv->core = core ? ba_pool_ref (core) : NULL;
  ba_pool_unref (old);
}

/* The GstBuffer that rests in @slot goes out again. */
static inline GstBuffer *
leave_slot (Slot * slot)
{
  GstMemory *memory = &slot->memory->mem;
  GstBuffer *shell = slot->shell;

  slot->shell = NULL;
  /* somebody may have resized it on its way */
  if (memory->offset != slot->offset || memory->size != slot->size)
    gst_memory_resize (memory, (gssize) slot->offset - (gssize) memory->offset, slot->size);
  return shell;
}

/* The slot that is at hand, which is the caller's then; else NULL. */
static inline Slot *
take_at_hand (GstBaPoolPrivate * priv)
{
  return atomic_load_explicit (&priv->at_hand, memory_order_relaxed) ? atomic_exchange (&priv->at_hand, NULL) : NULL;
}

/* A new GstBuffer for a core buffer, which may be parked in @slot where it has one. */
static G_GNUC_NO_INLINE GstBuffer *
dress_anew (GstBaPool * self, GstBaPoolClass * klass, GstBaPoolPrivate * priv, BaBuffer * buffer, guint index)
{
  /* memory in place of a page is of another core pool: its index says nothing about our slots */
  gboolean ours = ba_buffer_get_pool (buffer) == priv->core && index < priv->n_slots;
  Slot *slot = ours ? &priv->slots[index] : NULL;
  guint64 id = ba_buffer_get_id (buffer);
  GstBuffer *shell;
  GstMemory *memory;

  if (slot)
    gst_clear_buffer (&slot->shell);    /* the index belongs to another core buffer by now */
  shell = klass->wrap (self, buffer);
  if (!shell || !slot || gst_buffer_n_memory (shell) != 1)
    return shell;
  memory = gst_buffer_peek_memory (shell, 0);
  if (gst_ba_memory_check (memory)) {
    ((GstBaMemory *) memory)->parker = priv;
    ((GstBaMemory *) memory)->slot = index;
    slot->memory = (GstBaMemory *) memory;
    slot->offset = memory->offset;
    slot->size = memory->size;
    atomic_store_explicit (&slot->id, id, memory_order_relaxed);
  }
  return shell;
}

/* A GstBuffer for a core buffer that was just obtained: the one that was parked with it, or a new one. */
static inline GstBuffer *
dress (GstBaPool * self, GstBaPoolClass * klass, GstBaPoolPrivate * priv, BaBuffer * buffer)
{
  guint index = ba_buffer_get_index (buffer);
  Slot *slot = index < priv->n_slots ? &priv->slots[index] : NULL;

  /* no two buffers ever have one id: so this one had the slot before */
  if (G_UNLIKELY (!slot || atomic_load_explicit (&slot->id, memory_order_relaxed) != ba_buffer_get_id (buffer)
          || !slot->shell))
    return dress_anew (self, klass, priv, buffer, index);
  slot->memory->held = TRUE;
  if (klass->revive)
    klass->revive (self, buffer, index);
  return leave_slot (slot);
}

/* From here to release no casts that look types up: GStreamer calls this with its own pointer, and twice for
 * every frame. */
static GstFlowReturn
gst_ba_pool_acquire (GstBufferPool * pool, GstBuffer ** out, GstBufferPoolAcquireParams * params)
{
  GstBaPool *self = (GstBaPool *) pool;
  GstBaPoolClass *klass = (GstBaPoolClass *) G_OBJECT_GET_CLASS (pool);
  GstBaPoolPrivate *priv = get_priv (self);
  gint64 timeout_ns = BA_WAIT_FOREVER;
  BaBuffer *buffer = NULL;
  Slot *slot;
  int r = 0;

  *out = NULL;
  if (GST_BUFFER_POOL_IS_FLUSHING (pool))
    return GST_FLOW_FLUSHING;
  if ((slot = take_at_hand (priv))) {
    *out = leave_slot (slot);
    return GST_FLOW_OK;
  }
  if (params && (params->flags & GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT))
    timeout_ns = BA_NO_WAIT;
  else if (params && (params->flags & ACQUIRE_FLAG_TIMED))
    timeout_ns = params->start;

  if (priv->keeps_one) {
    /* First say so, then look once more: whoever puts a buffer at hand looks for us after that. So one of the two
     * sees the other, and no buffer rests at hand while somebody waits in the core pool. */
    atomic_fetch_add (&priv->seekers, 1);
    if ((slot = atomic_exchange (&priv->at_hand, NULL)))
      *out = leave_slot (slot);
    else
      r = klass->obtain (self, timeout_ns, &priv->cancel, &buffer);
    atomic_fetch_sub (&priv->seekers, 1);
    if (slot)
      return GST_FLOW_OK;
  } else {
    r = klass->obtain (self, timeout_ns, &priv->cancel, &buffer);
  }
  if (r < 0) {
    GST_LOG_OBJECT (self, "no buffer: %s", ba_error_text (r));
    return gst_ba_flow_from_error (r);
  }
  if (priv->keeps_one)
    ba_buffer_set_holder (buffer, "GstBaPool, out or at hand");
  *out = dress (self, klass, priv, buffer);
  return *out ? GST_FLOW_OK : GST_FLOW_ERROR;
}

static gboolean
remove_unpooled_meta (GstBuffer * buffer, GstMeta ** meta, gpointer user_data)
{
  if (!GST_META_FLAG_IS_SET (*meta, GST_META_FLAG_POOLED)) {
    GST_META_FLAG_UNSET (*meta, GST_META_FLAG_LOCKED);
    *meta = NULL;
  }
  return TRUE;
}

/* As the base class resets, but the memory is put right when the buffer goes out again. */
static inline void
reset (GstBuffer * shell)
{
  GST_BUFFER_FLAGS (shell) = 0;
  GST_BUFFER_PTS (shell) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_DTS (shell) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_DURATION (shell) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_OFFSET (shell) = GST_BUFFER_OFFSET_NONE;
  GST_BUFFER_OFFSET_END (shell) = GST_BUFFER_OFFSET_NONE;
  gst_buffer_foreach_meta (shell, remove_unpooled_meta, NULL);
}

/* The slot of a returned buffer whose memory is as it went out, and that nobody else refers to; else NULL. */
static inline Slot *
get_parking_slot (GstBaPoolPrivate * priv, GstBuffer * shell)
{
  GstMemory *memory;
  guint index;

  if (GST_BUFFER_FLAG_IS_SET (shell, GST_BUFFER_FLAG_TAG_MEMORY) || gst_buffer_n_memory (shell) != 1)
    return NULL;
  memory = gst_buffer_peek_memory (shell, 0);
  if (!gst_ba_memory_check (memory) || memory->parent || GST_MINI_OBJECT_REFCOUNT_VALUE (memory) != 1
      || ((GstBaMemory *) memory)->parker != priv)
    return NULL;
  index = ((GstBaMemory *) memory)->slot;
  return index < priv->n_slots && priv->slots[index].memory == (GstBaMemory *) memory ? &priv->slots[index] : NULL;
}

/* Gives the buffer in @slot back to the core pool. From the release on another thread may take both. */
static void
park (GstBaPoolPrivate * priv, Slot * slot)
{
  BaBuffer *buffer = slot->memory->buffer;

  slot->memory->held = FALSE;
  if (ba_pool_release (priv->core, buffer) < 0)
    ba_buffer_unref (buffer);   /* given back already while somebody else read it: ours is one more reference */
}

static void
gst_ba_pool_release (GstBufferPool * pool, GstBuffer * shell)
{
  GstBaPoolPrivate *priv = get_priv (pool);
  Slot *slot = get_parking_slot (priv, shell);
  Slot *none = NULL;

  if (!slot) {
    GST_LOG_OBJECT (pool, "memory of %p is shared or was replaced, the buffer is not kept", (gpointer) shell);
    gst_buffer_unref (shell);
    return;
  }
  reset (shell);
  slot->shell = shell;
  if (priv->keeps_one && !ba_buffer_is_shared (slot->memory->buffer)
      && atomic_load_explicit (&priv->seekers, memory_order_relaxed) == 0
      && atomic_compare_exchange_strong (&priv->at_hand, &none, slot)) {
    if (atomic_load (&priv->seekers) == 0 || !(slot = take_at_hand (priv)))
      return;
  }
  park (priv, slot);
}

static gboolean
gst_ba_pool_start (GstBufferPool * pool)
{
  return TRUE;                  /* nothing is claimed before somebody acquires */
}

static gboolean
gst_ba_pool_stop (GstBufferPool * pool)
{
  gst_ba_pool_drop_parked (GST_BA_POOL (pool));
  return GST_BUFFER_POOL_CLASS (gst_ba_pool_parent_class)->stop (pool);
}

static void
gst_ba_pool_flush_start (GstBufferPool * pool)
{
  GstBaPoolPrivate *priv = get_priv (pool);

  atomic_store (&priv->cancel, 1);
  if (priv->core)
    ba_pool_wake (priv->core);
}

static void
gst_ba_pool_flush_stop (GstBufferPool * pool)
{
  atomic_store (&get_priv (pool)->cancel, 0);
}

static void
gst_ba_pool_finalize (GObject * object)
{
  GstBaPoolPrivate *priv = get_priv (object);

  /* dispose has deactivated it already, so nothing waits in the core pool any more */
  gst_ba_pool_drop_parked (GST_BA_POOL (object));
  g_free (priv->slots);
  ba_pool_unref (priv->core);
  G_OBJECT_CLASS (gst_ba_pool_parent_class)->finalize (object);
}

static void
gst_ba_pool_class_init (GstBaPoolClass * klass)
{
  GstBufferPoolClass *pool_class = GST_BUFFER_POOL_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = gst_ba_pool_finalize;
  pool_class->acquire_buffer = gst_ba_pool_acquire;
  pool_class->reset_buffer = NULL;      /* release does it, for what is kept */
  pool_class->release_buffer = gst_ba_pool_release;
  pool_class->start = gst_ba_pool_start;
  pool_class->stop = gst_ba_pool_stop;
  pool_class->flush_start = gst_ba_pool_flush_start;
  pool_class->flush_stop = gst_ba_pool_flush_stop;
}

static void
gst_ba_pool_init (GstBaPool * self)
{
  atomic_init (&get_priv (self)->cancel, 1);    /* inactive pools flush */
}

GstFlowReturn
gst_ba_pool_acquire_timed (GstBaPool * self, GstClockTime timeout, GstBuffer ** buffer)
{
  GstBufferPoolAcquireParams params = {.format = GST_FORMAT_TIME };

  if (timeout == 0) {
    params.flags = GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT;
  } else if (GST_CLOCK_TIME_IS_VALID (timeout)) {
    params.flags = (GstBufferPoolAcquireFlags) ACQUIRE_FLAG_TIMED;
    params.start = (gint64) MIN (timeout, G_MAXINT64);
  }
  return gst_buffer_pool_acquire_buffer (GST_BUFFER_POOL (self), buffer, &params);
}
