/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* count-malloc.h: how often this program, its libraries included, asked for memory so far. */
#pragma once

unsigned count_malloc (void);
