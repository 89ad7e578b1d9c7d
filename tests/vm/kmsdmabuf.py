# SPDX-License-Identifier: LGPL-2.1-or-later
"""Frames in dmabufs of others, on cards that scan them out (cirrus, vkms) and on cards that say they would and do not
(bochs, virtio). They come from vivid, a camera in software, and from udmabuf and a dma-heap."""
import os
import sys

import machine
import screen
import vkms
from card import Card, bars
from fbdev import assert_ways, eventually, main

machine.skip_without()
if "BA_VM_FLIPDMABUFS" not in os.environ or "BA_VM_FLIP" not in os.environ:
    print("SKIPPED: built without KMS")
    sys.exit(machine.SKIPPED)
VKMS, WHY_NO_VKMS = vkms.module()
VM = machine.Machine(
    "kmsdmabuf",
    ["-vga", "none", "-device", "virtio-vga,id=virtio,xres=640,yres=480",
     "-device", "bochs-display,id=bochs,edid=on,xres=640,yres=480", "-device", "cirrus-vga,id=cirrus"],
    ["virtio-gpu", "bochs", "cirrus"] + ([VKMS] if VKMS else []) + ["vivid n_devs=1 node_types=0x1"])
VIRTIO = Card(VM, 0, "virtio")
BOCHS = Card(VM, 1, "bochs")
CIRRUS = Card(VM, 2, "cirrus", options=",mode=640x480")
VKMS_CARD = Card(VM, 3, None, options=",mode=640x480")
# Bars of colours, without the counters that it writes on them.
CAMERA = "v4l2src device=/dev/video0 io-mode={} extra-controls=c,osd_text_mode=2 num-buffers={}"
CAMERA_CAPS = "video/x-raw,format=BGRx,width=640,height=480"


def camera_picture():
    """What the camera sees, taken without dmabufs."""
    VM.run(f"gst-launch-1.0 -q {CAMERA.format('rw', 1)} ! {CAMERA_CAPS} ! filesink location=camera.raw")
    with open(os.path.join(VM.results, "camera.raw"), "rb") as file:
        return screen.from_raw("BGRx", 640, 480, file.read())


def check_camera(card, way, check_screen):
    """Each of 20 frames goes this way, and the last one is what the camera sees. The sink's frame-stats."""
    wanted = camera_picture()
    app = machine.Application(VM, "/dev/null", f"{CAMERA.format('dmabuf', 20)} ! {CAMERA_CAPS} ! {card.sink}")

    def check():
        assert app.say("frames") == "20", app.say("ask")
    eventually(check)
    check_screen(wanted)
    stats = app.stop()["sink"]
    assert_ways(stats, **{way: 20})
    return stats


def test_cirrus_flips_what_a_camera_filled():
    stats = check_camera(CIRRUS, "flipped", CIRRUS.until_seen)
    assert stats["bytes-copied"] == 0, stats


def test_other_cards_refuse_and_get_copies():
    for card in (BOCHS, VIRTIO):
        stats = check_camera(card, "copied", card.until_seen)
        assert "does not import" in stats["reason"], stats


def check_memory(card, source, check):
    with card.flipping(f"{source} 30", os.environ["BA_VM_FLIPDMABUFS"]) as said:
        check(bars(card.width, card.height, 29))
    assert said().startswith(f"30 flips of {source}"), said()


def test_cirrus_flips_udmabuf_and_a_heap():
    for source in ("udmabuf", "system"):
        check_memory(CIRRUS, source, CIRRUS.until_seen)


def test_other_cards_say_why_they_do_not():
    for card in (BOCHS, VIRTIO):
        status = VM.run(f"{os.environ['BA_VM_FLIPDMABUFS']} {card.card} udmabuf 3", check=False)
        assert status == 1 and "0 flips" in VM.said and "does not import" in VM.said, VM.said


if VKMS:
    def test_vkms_flips_what_a_camera_filled():
        check_camera(VKMS_CARD, "flipped",
                     lambda wanted: VKMS_CARD.until_scanned_out(screen.vkms_crc(wanted)))

    def test_vkms_flips_udmabuf_and_a_heap():
        for source in ("udmabuf", "system"):
            check_memory(VKMS_CARD, source,
                         lambda wanted: VKMS_CARD.until_scanned_out(screen.vkms_crc(wanted)))
else:
    print(f"NOT RUN: vkms: {WHY_NO_VKMS}")


if __name__ == "__main__":
    main(sys.modules[__name__])
