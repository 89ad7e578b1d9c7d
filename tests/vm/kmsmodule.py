# SPDX-License-Identifier: LGPL-2.1-or-later
"""KMS with all that no driver of a virtual machine has, on cards of a kernel module of our own (batest.py): YUV planes
that scale, zpos and alpha, colours, HDR, plugs. Every frame that a plane was given is held against what the element
before the sink made, by the checksum that the kernel took of it."""
import os
import sys

import batest
import machine
from batest import TestCard, sums
from fbdev import assert_ways, main, moving

machine.skip_without()
if "BA_VM_FLIP" not in os.environ:
    print("SKIPPED: built without KMS")
    sys.exit(machine.SKIPPED)
MODULE, WHY_NOT = batest.module()
if not MODULE:
    print(f"NOT RUN: kmsmodule: {WHY_NOT}")
    sys.exit(machine.SKIPPED)
VM = machine.Machine("kmsmodule", ["-vga", "none"], [MODULE])
OVERLAY = TestCard(VM, 0, 1, ",plane=overlay")
PRIMARY = TestCard(VM, 1, 0)
# GStreamer's name, the kernel's, bits of a pixel.
FORMATS = (("NV12", "NV12", 12), ("I420", "YU12", 12), ("NV16", "NV16", 16), ("YUY2", "YUYV", 16),
           ("P010_10LE", "P010", 24))


def video(form, width=640, height=480, more=""):
    return f"video/x-raw,format={form},width={width},height={height}{more}"


def check_flips(card, source, wanted, form, sink="", **ways):
    """Plays `source` to its end: the plane was given just these frames, one after the other, and none of them was
    written to while it was shown. What the plane is, and the player's frame-stats."""
    before, changed = card.last_flip(), int(card.shown()["changed"])
    player = VM.play(f"{source} ! {card.flip} {sink}")
    card.until_shown(wanted[-1], source)
    shown = card.shown()
    stats = player.stop()
    found = [crc for _, plane, fourcc, crc in card.flips(before) if plane == card.plane and fourcc == form]
    assert found == wanted, f"{source}: {[f'{crc:08x}' for crc in found]}, not {[f'{crc:08x}' for crc in wanted]}"
    assert_ways(stats["sink"], **(ways or {"flipped": len(wanted)}))
    assert int(card.shown()["changed"]) == changed, f"{source}: a frame changed while it was shown"
    return shown, stats


def test_the_machine_has_these_cards():
    VM.run("cat /sys/kernel/debug/dri/[01]/name")
    assert [line.split()[0] for line in VM.said.splitlines()] == ["batest"] * 2, VM.said


def test_yuv_of_every_format_flips_in_an_overlay():
    for form, fourcc, bits in FORMATS:
        source = moving(6)
        before = OVERLAY.state_to_keep()
        shown, stats = check_flips(OVERLAY, f"{source} ! {video(form)}", sums(source, video(form), 640 * 480 * bits // 8),
                                   fourcc)
        assert shown["format"] == fourcc and shown["dst"] == "0,0,640,480", shown
        assert stats["sink"]["bytes-copied"] == 0, stats
        assert OVERLAY.state_to_keep() == before


if __name__ == "__main__":
    main(sys.modules[__name__])
