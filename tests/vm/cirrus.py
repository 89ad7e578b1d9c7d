# SPDX-License-Identifier: LGPL-2.1-or-later
"""cirrusfb: video memory of a card that really pans, in 8, 16, 24 and 1 bits a pixel, with modes that other programs
change; and beside it a DRM framebuffer as kernels make them unless told otherwise: of one page."""
import signal
import sys

import machine
import screen
from fbdev import (Framebuffer, assert_ways, check_error, check_frames, check_picture, check_put_back, drawn, main,
                   moving)
from harness import TRAILER, TRAILER_BYTES, Screen, play

machine.skip_without()
VM = machine.Machine("cirrus", ["-vga", "cirrus", "-device", "virtio-gpu-pci,id=virtio,xres=640,yres=480"],
                     ["cirrusfb", "virtio-gpu"])
CIRRUS = Framebuffer(VM, 0)
VIRTIO = Framebuffer(VM, 1, "virtio")


def set_bits(bits):
    found = CIRRUS.tool(f"mode 640 480 {bits}")
    assert found["bits"] == str(bits), found


def as_vga_shows(picture):
    """The tables of VGA have six bits a colour, of which the lowest is shown thrice."""
    return screen.Picture(picture.width, picture.height,
                          picture.rgb.translate(bytes(v & 0xfc | (3 if v & 4 else 0) for v in range(256))))


def test_the_machine_has_these_framebuffers():
    VM.run("cat /proc/fb")
    assert VM.said.splitlines() == ["0 CL Picasso4", "1 virtio_gpudrmfb"], VM.said


def test_8_bits_are_shown_in_grey_and_their_colours_put_back():
    set_bits(8)
    for n in (4, 5):
        wanted = as_vga_shows(drawn(moving(n), "GRAY8", 640, 480))
        stats = check_picture(CIRRUS, moving(n), wanted, "offer-pages=always")
        assert_ways(stats["sink"], flipped=n)
    check_put_back(CIRRUS)


def test_8_bits_killed():
    set_bits(8)
    check_put_back(CIRRUS, signal.SIGKILL)


def test_16_bits_flip():
    set_bits(16)
    check_frames(CIRRUS, "RGB16", "flipped")


def test_16_bits_console_after_a_stop():
    set_bits(16)
    check_put_back(CIRRUS)


def test_24_bits_flip():
    set_bits(24)
    check_frames(CIRRUS, "BGR", "flipped")


def test_24_bits_are_copied_where_pages_read_slowly():
    set_bits(24)
    check_frames(CIRRUS, "BGR", "copied", "offer-pages=never")


def test_24_bits_killed_then_plays_again():
    set_bits(24)
    check_put_back(CIRRUS, signal.SIGKILL)
    check_frames(CIRRUS, "BGR", "flipped", frames=(5,))


def test_24_bits_console_after_an_error():
    set_bits(24)
    check_error(CIRRUS)


def test_1_bit_is_what_the_virtual_display_shows():
    """Read from the framebuffer: cirrusfb leaves the colours of 0 and 1 to chance, and the screen is all black here."""
    set_bits(1)
    virtual = Screen(640, 480, "format=MONO10,rate=0")
    play(f"{moving(5)} ! fbdevzerosink name=sink sync=false device={virtual.device}")
    with open(virtual.path, "rb") as file:
        data = file.read()
    _, _, width, height, stride, _, _, page_bytes, front, _, _ = TRAILER.unpack_from(data, len(data) - TRAILER_BYTES)
    rows = [data[front * page_bytes + y * stride:][:width // 8] for y in range(height)]
    wanted = screen.from_bits(width, height, b"".join(rows))
    virtual.remove()
    CIRRUS.clear()
    player = VM.play(f"{moving(5)} ! {CIRRUS.sink}")
    CIRRUS.until_visible(wanted, "MONO10")
    assert_ways(player.stop()["sink"], converted=5)


def test_a_mode_that_another_program_sets_is_noticed():
    """The next negotiation plays on in the new mode, and the end leaves it alone."""
    set_bits(16)
    early = f"{moving(5)} ! video/x-raw,format=RGB16,width=320,height=240"
    late = f"{moving(7)} ! video/x-raw,format=BGR,width=640,height=480"
    CIRRUS.clear()
    player = VM.play(f"concat name=c ! {CIRRUS.flip} scaling=none {early} ! c. "
                     "fdsrc fd=8 ! rawvideoparse format=bgr width=640 height=480 ! c.", late=True)
    CIRRUS.until_seen(drawn(moving(5), "RGB16", 320, 240).on(640, 480))
    set_bits(24)
    VM.run(f"gst-launch-1.0 -q {late} ! filesink async=false location={player.late}")
    CIRRUS.until_seen(drawn(moving(7), "BGR", 640, 480))
    assert_ways(player.stop()["sink"], flipped=5, copied=7)
    assert CIRRUS.tool("info")["bits"] == "24"


def test_one_page_of_a_DRM_framebuffer():
    assert VIRTIO.tool("info")["virtual"] == "640x480"
    check_frames(VIRTIO, "BGRx", "copied")


if __name__ == "__main__":
    main(sys.modules[__name__])
