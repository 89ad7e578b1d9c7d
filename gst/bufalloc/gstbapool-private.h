/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstbapool-private.h: what the pools of the library share with their base. Not installed. */
#pragma once

#include "gstbapool.h"

/* Makes room to park buffers whose core buffer has an index below @n_slots. Only while the pool is inactive. */
void gst_ba_pool_set_slots (GstBaPool * self, guint n_slots);

/* The core pool is this pool's alone: the buffer that came back last may stay at hand, held, and go out again without
 * a visit to the core pool. */
void gst_ba_pool_keep_one_at_hand (GstBaPool * self);

/* Frees every parked buffer. Only while no buffer is out. */
void gst_ba_pool_drop_parked (GstBaPool * self);

/* Wakes the waits of this pool when it flushes; called by the base with the core pool that @obtain waits in. */
void gst_ba_pool_set_core (GstBaPool * self, BaPool * core);
