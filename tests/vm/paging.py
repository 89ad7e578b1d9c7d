# SPDX-License-Identifier: LGPL-2.1-or-later
"""Framebuffers of DRM drivers with room for five pages: virtio (the screen is seen from outside), vkms (a real vsync)
and bochs (which says yes to a move and stays), and vfb, memory with pixels of an odd layout."""
import os
import re
import signal
import sys

import machine
import screen
from fbdev import (Framebuffer, assert_ways, check_error, check_ffv1, check_frames, check_h264, check_picture,
                   check_put_back, drawn, eventually, main, moving)
import vkms

machine.skip_without()
VKMS, WHY_NO_VKMS = vkms.module()
VM = machine.Machine(
    "paging",
    ["-vga", "none", "-device", "virtio-vga,id=virtio,xres=640,yres=480",
     "-device", "bochs-display,id=bochs,edid=on,xres=640,yres=480"],
    ["drm_kms_helper drm_fbdev_overalloc=500", "virtio-gpu", "bochs", "vfb vfb_enable=1 videomemorysize=4915200"]
    + ([VKMS] if VKMS else []))
VIRTIO = Framebuffer(VM, 0, "virtio")
BOCHS = Framebuffer(VM, 1, "bochs")
VFB = Framebuffer(VM, 2)
VKMS_FB = Framebuffer(VM, 3, None, 1024, 768)


def test_the_machine_has_these_framebuffers():
    VM.run("cat /proc/fb")
    found = dict(line.split(" ", 1) for line in VM.said.splitlines())
    wanted = {"0": "virtio_gpudrmfb", "1": "bochs-drmdrmfb", "2": "Virtual FB"}
    if VKMS:
        wanted["3"] = "vkmsdrmfb"
    assert found == wanted, VM.said


def test_virtio_each_frame_flips():
    check_frames(VIRTIO, "BGRx", "flipped", "pages=3", (4, 5, 6))


def test_virtio_ffv1_is_decoded_into_the_pages():
    check_ffv1(VIRTIO, "")


def test_virtio_h264_is_converted_once():
    check_h264(VIRTIO)


def test_virtio_text_is_drawn_over_flipped_pages():
    over = f"{moving(5)} ! video/x-raw,format=BGRx,width=640,height=480 ! textoverlay text=zero"
    stats = check_picture(VIRTIO, over, drawn(over, "BGRx", 640, 480), "offer-pages=always")
    assert_ways(stats["sink"], flipped=4, copied=1)  # last-sample has the first one when it is drawn over


def test_virtio_turned_right():
    source = f"{moving(4)} ! video/x-raw,format=BGRx,width=480,height=640"
    wanted = drawn(moving(4), "BGRx", 480, 640).turned_right()
    stats = check_picture(VIRTIO, source, wanted, "video-direction=90r")
    assert_ways(stats["sink"], converted=4)


def test_virtio_console_after_a_stop():
    check_put_back(VIRTIO)


def test_virtio_console_after_an_error():
    check_error(VIRTIO)


def test_virtio_killed_then_plays_again():
    check_put_back(VIRTIO, signal.SIGKILL)
    check_frames(VIRTIO, "BGRx", "flipped", frames=(5,))


def test_bochs_says_yes_to_a_move_and_stays():
    """No program can see it. The documentation tells of it; pages=1 is the way out."""
    places = set()
    for n in (3, 4):
        BOCHS.clear()
        player = VM.play(f"{moving(n)} ! {BOCHS.flip}")
        BOCHS.until_visible(drawn(moving(n), "BGRx", 640, 480), "BGRx")
        places.add(BOCHS.tool("info")["place"])
        BOCHS.until_seen(BOCHS.rows("BGRx", "top"))
        assert_ways(player.stop()["sink"], flipped=n)
    assert len(places) == 2, places


def test_bochs_with_one_page():
    check_frames(BOCHS, "BGRx", "copied", "pages=1")


def test_vfb_pixels_of_an_odd_layout():
    VFB.tool("mode 640 480 32")
    for n in (4, 5):
        VFB.clear()
        player = VM.play(f"{moving(n)} ! {VFB.flip}")
        VFB.until_visible(drawn(moving(n), "RGBx", 640, 480), "RGBx")
        assert_ways(player.stop()["sink"], flipped=n)


if VKMS:
    def crc_of_vkms():
        VM.run("d=$(dirname $(grep -l vkms /sys/kernel/debug/dri/[0-9]*/name)); echo auto >$d/crtc-0/crc/control; "
               "head -n 2 $d/crtc-0/crc/data")
        return int(VM.said.split()[-1], 16)

    def test_vkms_scans_out_what_was_drawn():
        for n in (4, 5):
            VKMS_FB.clear()
            player = VM.play(f"{moving(n)} ! {VKMS_FB.flip}")
            wanted = screen.vkms_crc(drawn(moving(n), "BGRx", 1024, 768))

            def check():
                found = crc_of_vkms()
                assert found == wanted, f"{found:08x}, not {wanted:08x}"
            eventually(check)
            assert_ways(player.stop()["sink"], flipped=n)

    def test_vkms_paces_by_its_vsync():
        VM.run(f"{os.environ['BA_VM_PACE']} {VKMS_FB.path} 120")
        found = {name: int(ns) / 1e6 for name, ns in re.findall(r"(\w+)=(\d+)", VM.said)}
        print(f"vkms: {found} ms between two frames")
        assert abs(found["median"] - 1000 / 60) <= 1, found
else:
    print(f"NOT RUN: vkms: {WHY_NO_VKMS}")


if __name__ == "__main__":
    main(sys.modules[__name__])
