/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fake-kms-libc.h: the fake card of tests/check/bufalloc under the sink, which opens cards with the system's own calls: a
 * program that this is linked into answers those itself where they are for the card, also those of libraries.
 */
#pragma once

#include "../bufalloc/fake-kms.h"

/* From here on FAKE_CARD_PATH is @fake, which is configured and ready; NULL = there is none. */
void fake_kms_libc_use (FakeKms *fake);

/* For whoever looks at, or changes, what the sink's threads are using. */
void fake_kms_libc_lock (void);
void fake_kms_libc_unlock (void);
