/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gstbanormalpool.c: memory of this process. The core pool is built at start with the smallest number of buffers and
 * grows, where the configuration allows it, when it is empty.
 */
#include "gstbanormalpool.h"

#include <errno.h>
#include <unistd.h>

#include "gstbaallocator-private.h"
#include "gstbadmabufallocator-private.h"
#include "gstbafdmemory-private.h"
#include "gstbamemfdallocator-private.h"
#include "gstbamemory-private.h"
#include "gstbapool-private.h"

/* Slots for parked buffers where the configuration has no limit; more buffers work, but are wrapped anew each time. */
#define MAX_PARKED 256

typedef struct
{
  guint size, min, max;
  GstAllocationParams params;
  GstAllocator *files;          /* one whose memory has files, where the configuration names one */
  gboolean has_meta;
  GstVideoInfo info;
  GstVideoAlignment align;
} Config;

struct _GstBaNormalPool
{
  GstBaPool parent;
  GstAllocator *files;          /* constant: for configurations without one; or NULL */
  Config config;                /* of the last set_config that was accepted */
  /* while active */
  GstAllocator *allocator;
  BaPool *core;
  gint made;                    /* buffers that exist or are being made */
};

G_DEFINE_TYPE (GstBaNormalPool, gst_ba_normal_pool, GST_TYPE_BA_POOL)

static const gchar **
gst_ba_normal_pool_get_options (GstBufferPool * pool)
{
  static const gchar *options[] = { GST_BUFFER_POOL_OPTION_VIDEO_META, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT, NULL };

  return options;
}

/* Reads a configuration into @out, and what has to be written back into @config; nothing of the pool changes. */
static gboolean
read_config (GstBaNormalPool * self, GstStructure * config, Config * out)
{
  GstCaps *caps;
  GstAllocator *allocator;

  if (!gst_buffer_pool_config_get_params (config, &caps, &out->size, &out->min, &out->max)
      || !gst_buffer_pool_config_get_allocator (config, &allocator, &out->params)) {
    GST_WARNING_OBJECT (self, "the configuration has no parameters");
    return FALSE;
  }
  if (!allocator && self->files) {
    allocator = self->files;
    gst_buffer_pool_config_set_allocator (config, allocator, &out->params);
  }
  gst_video_alignment_reset (&out->align);
  out->has_meta = gst_buffer_pool_config_has_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  if (out->has_meta) {
    if (!caps || !gst_video_info_from_caps (&out->info, caps)) {
      GST_WARNING_OBJECT (self, "these caps have no picture for a GstVideoMeta: %" GST_PTR_FORMAT, caps);
      return FALSE;
    }
    if (gst_buffer_pool_config_has_option (config, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT)) {
      gst_buffer_pool_config_get_video_alignment (config, &out->align);
      for (guint i = 0; i < GST_VIDEO_MAX_PLANES; i++)
        out->params.align |= out->align.stride_align[i];
      if (!gst_video_info_align (&out->info, &out->align)) {
        GST_WARNING_OBJECT (self, "the video alignment cannot be kept");
        return FALSE;
      }
      gst_buffer_pool_config_set_video_alignment (config, &out->align);
      gst_buffer_pool_config_set_allocator (config, allocator, &out->params);
    }
    if (out->info.size > G_MAXUINT) {
      GST_WARNING_OBJECT (self, "a configuration cannot say %" G_GSIZE_FORMAT " bytes", out->info.size);
      return FALSE;
    }
    out->size = MAX (out->size, out->info.size);
  }
  if (out->size == 0) {
    GST_WARNING_OBJECT (self, "buffers of no bytes");
    return FALSE;
  }
  if (out->max != 0 && out->max < out->min) {
    GST_WARNING_OBJECT (self, "at least %u and at most %u buffers cannot be", out->min, out->max);
    return FALSE;
  }
  if (GST_IS_BA_MEMFD_ALLOCATOR (allocator) || GST_IS_BA_DMABUF_ALLOCATOR (allocator))
    out->files = allocator;
  else if (allocator && !GST_IS_BA_NORMAL_ALLOCATOR (allocator))
    GST_INFO_OBJECT (self, "memory does not come from %" GST_PTR_FORMAT ", but from an allocator of the pool's own",
        allocator);
  gst_buffer_pool_config_set_params (config, caps, out->size, out->min, out->max);
  return TRUE;
}

static gboolean
gst_ba_normal_pool_set_config (GstBufferPool * pool, GstStructure * config)
{
  GstBaNormalPool *self = GST_BA_NORMAL_POOL (pool);
  Config fresh = { 0 };

  if (!read_config (self, config, &fresh)
      || !GST_BUFFER_POOL_CLASS (gst_ba_normal_pool_parent_class)->set_config (pool, config))
    return FALSE;
  if (fresh.files)
    gst_object_ref (fresh.files);
  gst_clear_object (&self->config.files);
  self->config = fresh;
  return TRUE;
}

static BaAllocator *
get_core_allocator (GstBaNormalPool * self)
{
  if (GST_IS_BA_DMABUF_ALLOCATOR (self->config.files))
    return gst_ba_dmabuf_allocator_get_core (GST_BA_DMABUF_ALLOCATOR (self->config.files));
  return self->config.files ? gst_ba_memfd_allocator_get_core (GST_BA_MEMFD_ALLOCATOR (self->config.files))
      : gst_ba_allocator_get_core (GST_BA_ALLOCATOR (self->allocator));
}

static gboolean
gst_ba_normal_pool_start (GstBufferPool * pool)
{
  GstBaNormalPool *self = GST_BA_NORMAL_POOL (pool);
  gsize align_bytes = self->config.params.align + 1;
  gsize room;
  int r;

  if ((align_bytes & (align_bytes - 1)) != 0) {
    GST_WARNING_OBJECT (self, "an alignment mask of %" G_GSIZE_FORMAT " is no power of two less one",
        self->config.params.align);
    return FALSE;
  }
  if (!g_size_checked_add (&room, self->config.params.prefix, self->config.size)
      || !g_size_checked_add (&room, room, self->config.params.padding))
    return FALSE;
  self->allocator = self->config.files ? NULL : gst_ba_normal_allocator_new_aligned (MAX (align_bytes, 64));
  if (!self->config.files && !self->allocator)
    return FALSE;
  if (self->config.files && align_bytes > (gsize) sysconf (_SC_PAGESIZE)) {
    GST_WARNING_OBJECT (self, "mapped memory is aligned to a memory page, not to %" G_GSIZE_FORMAT " bytes",
        align_bytes);
    return FALSE;
  }
  BaSpec spec = {.count = self->config.min,.size_bytes = room,.category = "GstBaNormalPool" };
  r = ba_allocator_build_pool (get_core_allocator (self), &spec, &self->core);
  if (r < 0) {
    GST_WARNING_OBJECT (self, "no pool of %u buffers of %" G_GSIZE_FORMAT " bytes: %s", self->config.min, room,
        ba_error_text (r));
    gst_clear_object (&self->allocator);
    return FALSE;
  }
  g_atomic_int_set (&self->made, self->config.min);
  gst_ba_pool_set_core (GST_BA_POOL (self), self->core);
  gst_ba_pool_set_slots (GST_BA_POOL (self), self->config.max ? self->config.max : MAX (MAX_PARKED, self->config.min));
  gst_ba_pool_keep_one_at_hand (GST_BA_POOL (self));
  return TRUE;
}

static gboolean
gst_ba_normal_pool_stop (GstBufferPool * pool)
{
  GstBaNormalPool *self = GST_BA_NORMAL_POOL (pool);
  gboolean stopped = GST_BUFFER_POOL_CLASS (gst_ba_normal_pool_parent_class)->stop (pool);

  gst_ba_pool_set_core (GST_BA_POOL (self), NULL);
  if (self->core)               /* memory that somebody still shares frees itself later */
    ba_allocator_destroy_pool (get_core_allocator (self), self->core);
  g_clear_pointer (&self->core, ba_pool_unref);
  gst_clear_object (&self->allocator);
  return stopped;
}

static gint
gst_ba_normal_pool_obtain (GstBaPool * pool, gint64 timeout_ns, const BaCancel * cancel, BaBuffer ** buffer)
{
  GstBaNormalPool *self = (GstBaNormalPool *) pool;
  BaAllocator *allocator;
  gint r = ba_pool_acquire (self->core, BA_NO_WAIT, cancel, buffer);

  if (r != -EAGAIN)
    return r;
  allocator = get_core_allocator (self);

  while (r == -EAGAIN) {
    if (self->config.max && (guint) g_atomic_int_add (&self->made, 1) >= self->config.max) {
      g_atomic_int_add (&self->made, -1);
      break;
    }
    r = ba_allocator_inject (allocator, self->core, BA_INJECT_FREE, NULL);
    if (r < 0) {
      g_atomic_int_add (&self->made, -1);
      return r;
    }
    r = ba_pool_acquire (self->core, BA_NO_WAIT, cancel, buffer);       /* another thread may have been faster */
  }
  return r == -EAGAIN && timeout_ns != 0 ? ba_pool_acquire (self->core, timeout_ns, cancel, buffer) : r;
}

static GstBuffer *
gst_ba_normal_pool_wrap (GstBaPool * pool, BaBuffer * core_buffer)
{
  GstBaNormalPool *self = GST_BA_NORMAL_POOL (pool);
  GstBuffer *buffer;
  GstMemory *memory;

  if (self->config.files)
    memory = gst_ba_fd_memory_wrap (self->config.files, core_buffer, -1, self->config.params.prefix, self->config.size);
  else
    memory = gst_ba_memory_new_full (self->allocator, core_buffer, 0, ba_buffer_get_size (core_buffer),
        gst_ba_normal_allocator_get_align (GST_BA_NORMAL_ALLOCATOR (self->allocator)) - 1, self->config.params.prefix,
        self->config.size, 0);
  if (!memory)
    return NULL;
  buffer = gst_buffer_new ();
  gst_buffer_append_memory (buffer, memory);
  if (self->config.has_meta) {
    GstVideoMeta *meta = gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE,
        GST_VIDEO_INFO_FORMAT (&self->config.info), GST_VIDEO_INFO_WIDTH (&self->config.info),
        GST_VIDEO_INFO_HEIGHT (&self->config.info),
        GST_VIDEO_INFO_N_PLANES (&self->config.info), self->config.info.offset, self->config.info.stride);

    gst_video_meta_set_alignment (meta, self->config.align);
    /* locked: an element that took it off would leave the next user of the buffer without strides */
    GST_META_FLAG_SET (meta, GST_META_FLAG_POOLED | GST_META_FLAG_LOCKED);
  }
  GST_BUFFER_FLAG_UNSET (buffer, GST_BUFFER_FLAG_TAG_MEMORY);
  return buffer;
}

static void
gst_ba_normal_pool_finalize (GObject * object)
{
  gst_clear_object (&GST_BA_NORMAL_POOL (object)->config.files);
  gst_clear_object (&GST_BA_NORMAL_POOL (object)->files);
  G_OBJECT_CLASS (gst_ba_normal_pool_parent_class)->finalize (object);
}

static void
gst_ba_normal_pool_class_init (GstBaNormalPoolClass * klass)
{
  GstBufferPoolClass *pool_class = GST_BUFFER_POOL_CLASS (klass);
  GstBaPoolClass *ba_class = GST_BA_POOL_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = gst_ba_normal_pool_finalize;
  pool_class->get_options = gst_ba_normal_pool_get_options;
  pool_class->set_config = gst_ba_normal_pool_set_config;
  pool_class->start = gst_ba_normal_pool_start;
  pool_class->stop = gst_ba_normal_pool_stop;
  ba_class->obtain = gst_ba_normal_pool_obtain;
  ba_class->wrap = gst_ba_normal_pool_wrap;
}

static void
gst_ba_normal_pool_init (GstBaNormalPool * self)
{
}

GstBufferPool *
gst_ba_normal_pool_new (void)
{
  return g_object_ref_sink (g_object_new (GST_TYPE_BA_NORMAL_POOL, NULL));
}

GstBufferPool *
gst_ba_normal_pool_new_with_allocator (GstAllocator * allocator)
{
  GstBufferPool *self = gst_ba_normal_pool_new ();

  g_return_val_if_fail (GST_IS_BA_MEMFD_ALLOCATOR (allocator) || GST_IS_BA_DMABUF_ALLOCATOR (allocator), self);
  GST_BA_NORMAL_POOL (self)->files = gst_object_ref (allocator);
  return self;
}
