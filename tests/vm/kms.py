# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cards of DRM drivers, each frame held against the screen: virtio, bochs and cirrus as qemu shows them, and vkms, with
a vblank and overlay planes, by the CRC of what it scans out. Nothing here names a driver or a mode to the sink, unless
the test is about modes."""
import os
import re
import signal
import sys

import machine
import screen
import vkms
from card import Card, bars
from fbdev import (assert_ways, check_error, check_ffv1, check_frames, check_h264, check_picture, check_put_back, drawn,
                   main, moving)
from harness import Screen, play

machine.skip_without()
if "BA_VM_FLIP" not in os.environ:
    print("SKIPPED: built without KMS")
    sys.exit(machine.SKIPPED)
VKMS, WHY_NO_VKMS = vkms.module()
VM = machine.Machine(
    "kms",
    ["-vga", "none", "-device", "virtio-vga,id=virtio,xres=640,yres=480",
     "-device", "bochs-display,id=bochs,edid=on,xres=640,yres=480", "-device", "cirrus-vga,id=cirrus"],
    ["virtio-gpu", "bochs", "cirrus"] + ([f"{VKMS} enable_overlay=1"] if VKMS else []))
VIRTIO = Card(VM, 0, "virtio")
BOCHS = Card(VM, 1, "bochs")
CIRRUS = Card(VM, 2, "cirrus", options=",mode=640x480")
CIRRUS_24 = Card(VM, 2, "cirrus", 1024, 768)
VKMS_CARD = Card(VM, 3, None, 1024, 768)


def test_the_machine_has_these_cards():
    wanted = ["virtio_gpu", "bochs-drm", "cirrus"] + (["vkms"] if VKMS else [])
    VM.run(f"for n in $(seq 0 {len(wanted) - 1}); do cat /sys/kernel/debug/dri/$n/name; done")
    assert [line.split()[0] for line in VM.said.splitlines()] == wanted, VM.said


def test_virtio_flips():
    check_frames(VIRTIO, "BGRx", "flipped", "kms-api=atomic")


def test_virtio_flips_with_legacy_calls_300_frames():
    check_frames(VIRTIO, "BGRx", "flipped", "kms-api=legacy", (300,))


def test_bochs_flips_300_frames():
    check_frames(BOCHS, "BGRx", "flipped", "kms-api=atomic", (300,))


def test_bochs_flips_with_legacy_calls():
    check_frames(BOCHS, "BGRx", "flipped", "kms-api=legacy")


def test_cirrus_32_bits_flip():
    check_frames(CIRRUS, "BGRx", "flipped", "kms-api=atomic")


def test_cirrus_32_bits_flip_with_legacy_calls():
    check_frames(CIRRUS, "BGRx", "flipped", "kms-api=legacy")


def test_cirrus_scans_out_24_bits_where_rows_are_too_long_for_32():
    """The driver turns them into such; what the sink writes has 32."""
    check_frames(CIRRUS_24, "BGRx", "flipped", frames=(5,))


def check_bars(card, words, frames=30):
    """What flip_pages draws, in formats that the sink would not choose."""
    with card.flipping(f"{frames} {words}") as said:
        card.until_seen(bars(card.width, card.height, frames - 1))
    assert f"{frames} flips" in said(), said()


def test_cirrus_16_bits_flip():
    for api in ("atomic", "legacy"):
        check_bars(CIRRUS_24, f"format=RG16 {api}")


def test_cirrus_24_bits_flip():
    for api in ("atomic", "legacy"):
        check_bars(CIRRUS_24, f"format=RG24 {api}")


def test_without_vsync():
    check_frames(VIRTIO, "BGRx", "flipped", "vsync=false", (5,))


def test_one_page():
    check_frames(VIRTIO, "BGRx", "copied", "pages=1", (4, 5))


def test_ffv1_is_decoded_into_dumb_buffers():
    for card in (VIRTIO, BOCHS):
        check_ffv1(card, "pages=6")


def test_h264_is_converted_once():
    check_h264(BOCHS)


def test_a_size_that_is_no_mode_is_centred():
    source = f"{moving(5)} ! video/x-raw,format=BGRx,width=500,height=300"
    wanted = drawn(moving(5), "BGRx", 500, 300).on(640, 480)
    for card in (VIRTIO, CIRRUS):
        stats = check_picture(card, source, wanted, "scaling=none offer-pages=always")
        assert_ways(stats["sink"], flipped=5)


def test_a_size_that_is_no_mode_is_scaled():
    source = f"{moving(5)} ! video/x-raw,format=BGRx,width=500,height=300"
    virtual = Screen(640, 480)
    play(f"{source} ! fbdevzerosink name=sink sync=false device={virtual.device}")
    wanted = screen.from_rows("BGRx", 640, 480, virtual.picture())
    virtual.remove()
    stats = check_picture(BOCHS, source, wanted)
    assert_ways(stats["sink"], converted=5)


def test_console_after_a_stop():
    for card in (VIRTIO, BOCHS, CIRRUS):
        check_put_back(card)


def test_console_after_an_error():
    check_error(VIRTIO)


def test_killed_then_plays_again():
    """The watcher puts the console back, with whatever calls the player used."""
    for card in (VIRTIO, BOCHS, CIRRUS):
        check_put_back(card, signal.SIGKILL)
        check_frames(card, "BGRx", "flipped", frames=(5,))


def test_killed_with_legacy_calls():
    for card in (VIRTIO, BOCHS, CIRRUS):
        card.sink += " kms-api=legacy"
        try:
            check_put_back(card, signal.SIGKILL)
        finally:
            card.sink = card.sink.replace(" kms-api=legacy", "")


def test_ended_by_SIGTERM():
    """gst-launch-1.0 has no handler for it."""
    check_put_back(BOCHS, signal.SIGTERM)


if VKMS:
    def check_vkms(sink, n):
        player = VM.play(f"{moving(n)} ! {VKMS_CARD.flip} {sink}")
        VKMS_CARD.until_scanned_out(screen.vkms_crc(drawn(moving(n), "BGRx", 1024, 768)))
        assert_ways(player.stop()["sink"], flipped=n)

    def test_vkms_scans_out_what_was_drawn():
        for api in ("atomic", "legacy"):
            check_vkms(f"kms-api={api}", 5)

    def test_vkms_300_frames():
        check_vkms("", 300)

    def test_vkms_paces_by_its_vblank():
        VM.run(f"{os.environ['BA_VM_PACE']} {VKMS_CARD.card} 120")
        found = {name: int(ns) / 1e6 for name, ns in re.findall(r"(\w+)=(\d+)", VM.said)}
        print(f"vkms: {found} ms between two frames")
        assert abs(found["median"] - 1000 / 60) <= 1, found

    def test_vkms_put_back_after_a_stop_and_a_kill():
        VKMS_CARD.tool("console")
        VM.run("printf '\\033[2J\\033[Hthe console of vkms\\n' >/dev/tty1")
        before = VKMS_CARD.crc()
        for number in (signal.SIGINT, signal.SIGKILL):
            player = VM.play(f"{moving(5)} ! {VKMS_CARD.flip}")
            VKMS_CARD.until_scanned_out(screen.vkms_crc(drawn(moving(5), "BGRx", 1024, 768)))
            player.signal(number)
            VKMS_CARD.until_scanned_out(before)

    def test_vkms_overlay_over_the_console():
        VKMS_CARD.tool("console")
        VM.run("printf '\\033[2J\\033[Hthe console of vkms\\n' >/dev/tty1")
        before = VKMS_CARD.crc()
        plane = VKMS_CARD.planes()[1]
        for api in ("atomic", "legacy"):
            player = VM.play(f"{moving(5)} ! fbdevzerosink name=sink sync=false offer-pages=always kms-api={api} "
                             f"device={VKMS_CARD.card},plane={plane}")
            VKMS_CARD.until_scanned_out(screen.vkms_crc(drawn(moving(5), "BGRx", 1024, 768)))
            primary, overlay = re.findall(r"plane\[\d+\]:.*?(?=plane\[|crtc\[)", VKMS_CARD.state(), re.DOTALL)[:2]
            assert "[fbcon]" in primary and "fb=0" not in overlay, VKMS_CARD.state()
            assert_ways(player.stop()["sink"], flipped=5)
            VKMS_CARD.until_scanned_out(before)
else:
    print(f"NOT RUN: vkms: {WHY_NO_VKMS}")


if __name__ == "__main__":
    main(sys.modules[__name__])
