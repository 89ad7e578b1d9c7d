/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstbapaint-private.h: what gst_ba_paint() asks of GstBaDamage. */
#pragma once

#include "gstbapaint.h"

G_BEGIN_DECLS

/* Begins a frame on page @page that fills @n_rows rows from @first_row on, and of each the @n_bytes bytes from
 * @first_byte on. FALSE: that is no part of what @damage was made for. All is to be written then, and @damage knows. */
gboolean gst_ba_damage_begin (GstBaDamage *damage, guint page, gsize first_byte, gsize n_bytes, gint first_row,
                              gint n_rows);

/* Row @row of the frame is @bytes. Returns whether it is to be written to the page; takes it for written then. */
gboolean gst_ba_damage_take_row (GstBaDamage *damage, gint row, const guint8 *bytes);

/* As gst_ba_overlay_get_band(). */
guint8 *gst_ba_damage_get_band (GstBaDamage *damage, gsize size_bytes);

G_END_DECLS
