# SPDX-License-Identifier: LGPL-2.1-or-later
"""Framebuffers of the firmware's mode: one page that cannot be moved, and a mode that cannot be changed. The argument
is vesafb-32, vesafb-16, vesafb-24 or efifb."""
import os
import signal
import sys

import machine
from fbdev import (Framebuffer, assert_ways, check_error, check_frames, check_picture, check_put_back, drawn, main,
                   moving)

# Linux's numbers of the firmware's modes of 640x480, and the format of the pixels.
MODES = {"vesafb-32": ("vga=0x342", "BGRx"), "vesafb-16": ("vga=0x311", "RGB16"), "vesafb-24": ("vga=0x312", "BGR"),
         "efifb": ("", "BGRx")}
FIRMWARE = "/usr/share/OVMF/OVMF_CODE.fd"
machine.skip_without()
KIND = sys.argv.pop(1)
KERNEL, FORM = MODES[KIND]
DEVICES = ["-vga", "none", "-device", "VGA,xres=640,yres=480"]
if KIND == "efifb":
    if not os.path.exists(FIRMWARE):
        print(f"SKIPPED: no {FIRMWARE} (package ovmf)")
        sys.exit(machine.SKIPPED)
    DEVICES += ["-drive", f"if=pflash,format=raw,readonly=on,file={FIRMWARE}"]
VM = machine.Machine(KIND, DEVICES, [], KERNEL)
FB = Framebuffer(VM, 0)
FOUND = FB.tool("info")
FB.width, FB.height = map(int, FOUND["size"].split("x"))


def test_it_is_this_framebuffer():
    VM.run("cat /proc/fb")
    names = {"efifb": "0 EFI VGA"}
    assert VM.said.strip() == names.get(KIND, "0 VESA VGA"), VM.said
    if KIND != "efifb":
        assert FOUND["size"] == "640x480" and FOUND["bits"] == KIND[-2:], FOUND


def test_frames_are_copied_into_the_only_page():
    check_frames(FB, FORM, "copied")


def test_only_rows_that_changed_are_written():
    n = 6
    stats = check_picture(FB, moving(n), drawn(moving(n), FORM, FB.width, FB.height), "damage=auto")
    assert_ways(stats["sink"], copied=n)
    whole = n * FB.height * FB.width * int(FOUND["bits"]) // 8
    assert 0 < stats["sink"]["bytes-written"] < whole / 2, stats


def test_an_element_draws_into_the_only_page_where_it_is_offered():
    check_frames(FB, FORM, "flipped", frames=(5,))


def test_console_after_a_stop():
    check_put_back(FB)


def test_console_after_an_error():
    check_error(FB)


def test_killed_then_plays_again():
    check_put_back(FB, signal.SIGKILL)
    check_frames(FB, FORM, "copied", frames=(5,))


if __name__ == "__main__":
    main(sys.modules[__name__])
