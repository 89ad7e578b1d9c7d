/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fbdev-vsync.c: waits for the vsync of a framebuffer, and finds out whether it can be waited for.
 */
#include <errno.h>

#include "fbdev-private.h"

/* A vsync wait is trusted after this many that took their time, and given up after this many in a row that did not. */
#define VSYNC_PROVEN 3
#define VSYNC_INSTANT 2
/* A wait that took this many periods, and at least this long, is the last one: the output may be off. */
#define VSYNC_LATE_PERIODS 3
#define VSYNC_LATE_NS 100000000

/* Many drivers have this call and return from it at once. Pacing on those would spin, so the first few are measured: a
 * quick one may be luck (the vsync was due), a second one right after it cannot be. Others wait for a time-out of their
 * own when the output is off, so that every flip would take as long: one such wait is enough. The call cannot be
 * interrupted; a driver that never returns from it cannot be helped here. */
int
bai_fb_wait_vsync (BaDisplay *display)
{
  BaiFbState *state = display->state;
  const BaDeviceCalls *calls = display->calls;
  for (;;) {
    uint32_t crtc = 0;
    int64_t began_ns = calls->now_ns (calls->ctx);
    if (bai_fb_ioctl (display, FBIO_WAITFORVSYNC, &crtc) < 0)
      return -ENOTSUP;
    int64_t took_ns = calls->now_ns (calls->ctx) - began_ns;
    if (took_ns >= VSYNC_LATE_NS && took_ns >= VSYNC_LATE_PERIODS * (int64_t) display->info.period_ns)
      return -ENOTSUP;
    if (state->slow_vsyncs >= VSYNC_PROVEN)
      return 0;
    if (took_ns >= (int64_t) display->info.period_ns / 8) {
      state->slow_vsyncs++;
      state->instant_vsyncs = 0;
      return 0;
    }
    if (++state->instant_vsyncs >= VSYNC_INSTANT)
      return -ENOTSUP;
  }
}
