# SPDX-License-Identifier: LGPL-2.1-or-later
"""KMS with all that no driver of a virtual machine has, on cards of a kernel module of our own (batest.py): YUV planes
that scale, zpos and alpha, colours, HDR, plugs. Every frame that a plane was given is held against what the element
before the sink made, by the checksum that the kernel took of it; and the kernel looks whether anybody wrote into a frame
while it was shown."""
import os
import signal
import struct
import sys

import batest
import machine
from batest import TestCard, crc_of, sums
from card import check_goes_on, check_taken_away, error_of
from fbdev import FOREVER, assert_ways, draw, eventually, main, moving
from harness import Screen, clip, play

machine.skip_without()
if "BA_VM_FLIP" not in os.environ:
    print("SKIPPED: built without KMS")
    sys.exit(machine.SKIPPED)
MODULE, WHY_NOT = batest.module()
if not MODULE:
    print(f"NOT RUN: kmsmodule: {WHY_NOT}")
    sys.exit(machine.SKIPPED)
VM = machine.Machine("kmsmodule", ["-vga", "none"], [MODULE, "vivid n_devs=1 node_types=0x1"])
OVERLAY = TestCard(VM, 0, 1, ",plane=overlay")
RGB = TestCard(VM, 0, 0)
PRIMARY = TestCard(VM, 1, 0)
BT601, BT709, BT2020 = range(3)
LIMITED, FULL = range(2)
# GStreamer's name, the kernel's, bits of a pixel; colours, and what they are in the kernel's numbers.
FORMATS = (("NV12", "NV12", 12, "bt709", BT709, LIMITED), ("I420", "YU12", 12, "1:4:0:0", BT601, FULL),
           ("NV16", "NV16", 16, "bt601", BT601, LIMITED), ("YUY2", "YUYV", 16, "1:3:5:1", BT709, FULL),
           ("P010_10LE", "P010", 24, "bt2020", BT2020, LIMITED))
ALL_MODES = "640x480 800x600 1024x768"
PQ = ("colorimetry=bt2100-pq,mastering-display-info=(string)"
      "34000:16000:13250:34500:7500:3000:15635:16450:10000000:50,content-light-level=(string)1000:400")


def video(form, width=640, height=480, more=""):
    return f"video/x-raw,format={form},width={width},height={height}{more}"


def yuv(n, form="NV12", width=640, height=480, bits=12, more=""):
    """A source of n frames, and the checksum of each."""
    caps = video(form, width, height, more)
    return f"{moving(n)} ! {caps}", sums(moving(n), caps, width * height * bits // 8)


def given(card, after, form):
    """The checksums of the pictures of this format that the plane got, in their order. Where pages read slowly, as a busy
    machine may find, the source gets memory of its own; then the picture on screen comes again as a copy, so that the
    memory can go back. It is one picture."""
    found = [crc for _, plane, fourcc, crc in card.flips(after) if plane == card.plane and fourcc == form]
    return [crc for n, crc in enumerate(found) if n == 0 or crc != found[n - 1]]


def check_flips(card, source, wanted, form, sink="", **ways):
    """Plays `source` to its end: the plane was given just these frames, one after the other, and none of them was
    written to while it was shown. What the plane is, and the player's frame-stats."""
    before, changed = card.last_flip(), card.shown()["changed"]
    player = VM.play(f"{source} ! {card.sink} {sink}")
    card.until_shown(wanted[-1], source)
    shown = card.shown()
    stats = player.stop()
    found = given(card, before, form)
    assert found == wanted, f"{source}: {[f'{crc:08x}' for crc in found]}, not {[f'{crc:08x}' for crc in wanted]}"
    assert_ways(stats["sink"], **(ways or {"flipped": len(wanted)}))
    assert card.shown()["changed"] == changed, f"{source}: a frame changed while it was shown"
    return shown, stats


def check_shown(shown, **wanted):
    assert {name: shown.get(name) for name in wanted} == wanted, shown


# ---- YUV

def test_the_machine_has_these_cards():
    VM.run("cat /sys/kernel/debug/dri/[01]/name")
    assert [line.split()[0] for line in VM.said.splitlines()] == ["batest"] * 2, VM.said


def test_yuv_of_every_format_flips_in_an_overlay_with_its_colours():
    for form, fourcc, bits, colours, encoding, in_range in FORMATS:
        before = OVERLAY.state_to_keep()
        source, wanted = yuv(5, form, bits=bits, more=f",colorimetry={colours}")
        shown, stats = check_flips(OVERLAY, source, wanted, fourcc)
        check_shown(shown, format=fourcc, src="0,0,640,480", dst="0,0,640,480", encoding=str(encoding),
                    range=str(in_range))
        assert stats["sink"]["bytes-written"] == 0, stats
        assert OVERLAY.state_to_keep() == before


def test_yuv_flips_with_legacy_calls():
    """They cannot tell a driver of colours: not unasked."""
    source, wanted = yuv(4)
    for card in (PRIMARY, OVERLAY):
        before = card.state_to_keep()
        check_flips(card, source, wanted, "NV12", "kms-api=legacy offer-pages=always")
        assert card.state_to_keep() == before


def test_without_vsync():
    """The kernel has flips that do not wait, but for primary planes only; it says of the card that it has them."""
    source, wanted = yuv(4)
    for card in (PRIMARY, OVERLAY):
        check_flips(card, source, wanted, "NV12", "vsync=false")


def test_120_frames_none_of_which_changes_while_it_is_shown():
    source, wanted = yuv(120, width=320, height=240)
    check_flips(PRIMARY, source, wanted, "NV12")


def test_yuv_in_memory_of_others_is_copied_plane_by_plane():
    source, wanted = yuv(5, "I420")
    check_flips(OVERLAY, f"{source} ! identity drop-allocation=true", wanted, "YU12", copied=5)


def check_converted(source, n):
    """The last of n frames is what a virtual screen shows, converted."""
    virtual = Screen(640, 480)
    play(f"{source} ! fbdevzerosink name=sink sync=false device={virtual.device}")
    wanted = crc_of(virtual.picture())
    virtual.remove()
    player = VM.play(f"{source} ! {OVERLAY.sink}")
    OVERLAY.until_shown(wanted, source)
    check_shown(OVERLAY.shown(), format="XR24", src="0,0,640,480", dst="0,0,640,480")
    assert_ways(player.stop()["sink"], converted=n)


def test_what_the_plane_does_not_have_is_converted():
    check_converted(f"{moving(5)} ! {video('UYVY')}", 5)


# ---- decoders and dmabufs

def test_h264_is_decoded_into_memory_that_the_plane_shows():
    source = f"filesrc location={clip('h264-640x480', 6, '.mp4')} ! qtdemux ! h264parse"
    wanted = sums(f"{source} ! avdec_h264", "video/x-raw,format=I420", 640 * 480 * 3 // 2)
    _, stats = check_flips(PRIMARY, f"{source} ! avzerodec name=dec", wanted, "YU12")
    assert stats["dec"]["direct"] == 6 and stats["sink"]["bytes-written"] == 0, stats


def test_h264_that_becomes_larger():
    """320x240, then 640x480: other pages, and the plane scales no more."""
    source = f"filesrc location={clip('h264-size-change', 6, '.h264')} ! h264parse"
    raw = draw(f"{source} ! avdec_h264 ! video/x-raw,format=I420")
    small = 320 * 240 * 3 // 2
    wanted = [crc_of(raw[at:at + small]) for at in range(0, 3 * small, small)]
    wanted += [crc_of(raw[at:at + 4 * small]) for at in range(3 * small, len(raw), 4 * small)]
    assert len(wanted) == 6
    shown, stats = check_flips(OVERLAY, f"{source} ! avzerodec name=dec", wanted, "YU12")
    check_shown(shown, src="0,0,640,480", dst="0,0,640,480")
    assert stats["sink"]["bytes-written"] == 0, stats


def test_a_camera_gives_yuv_that_is_shown_where_it_lies():
    """It gets its memory back when the next picture is on screen, and no sooner: it draws into it at once."""
    before, changed = OVERLAY.last_flip(), OVERLAY.shown()["changed"]
    player = VM.play(f"v4l2src device=/dev/video0 io-mode=dmabuf num-buffers=10 ! {video('NV12')} ! {OVERLAY.sink}")

    def check():
        assert len(OVERLAY.flips(before)) >= 10, player.log()
    eventually(check)
    stats = player.stop()["sink"]
    assert_ways(stats, flipped=10)
    assert stats["bytes-written"] == 0 and {form for _, _, form, _ in OVERLAY.flips(before)} == {"NV12"}, stats
    assert OVERLAY.shown()["changed"] == changed, "the camera drew into a picture that was shown"


def test_cached_dmabufs_are_shown_where_they_lie():
    """With two pages a source gets memory of udmabuf instead."""
    source, wanted = yuv(6)
    _, stats = check_flips(OVERLAY, source, wanted, "NV12", "pages=2")
    assert stats["sink"]["bytes-written"] == 0 and stats["sink"]["bytes-copied"] == 0, stats


# ---- scaling and places

def test_the_plane_scales_as_far_as_it_can():
    for form, fourcc, width, height, place in (("NV12", "NV12", 324, 182, "0,60,640,360"),
                                               ("I420", "YU12", 1248, 936, "0,0,640,480")):
        source, wanted = yuv(4, form, width, height)
        shown, _ = check_flips(OVERLAY, source, wanted, fourcc)
        check_shown(shown, src=f"0,0,{width},{height}", dst=place)


def test_what_the_plane_refuses_to_scale_is_converted():
    check_converted(f"{moving(5)} ! {video('NV12', 128, 96)}", 5)  # 5 times larger; it takes 4


def test_a_small_picture_is_put_in_its_place_by_the_plane():
    source, wanted = yuv(5, width=320, height=240)
    shown, _ = check_flips(PRIMARY, source, wanted, "NV12", "scaling=none")
    check_shown(shown, src="0,0,320,240", dst="160,120,320,240")
    shown, _ = check_flips(OVERLAY, source, wanted, "NV12", "render-rectangle='<40,20,320,240>'")
    check_shown(shown, src="0,0,320,240", dst="40,20,320,240")


# ---- over others

def test_an_overlay_is_mixed_as_the_device_string_says():
    before = OVERLAY.state_to_keep()
    over = TestCard(VM, 0, 1, ",plane=overlay,zpos=2,alpha=50")
    source, wanted = yuv(4)
    player = VM.play(f"{source} ! {over.sink}")
    over.until_shown(wanted[-1], source)
    check_shown(over.shown(), zpos="2", alpha="32768")
    player.signal(signal.SIGKILL)
    OVERLAY.until_state(before, "after a kill")
    said = error_of(VM, f"videotestsrc ! {TestCard(VM, 0, 1, ',plane=overlay,zpos=9').sink}")
    assert "takes a zpos from 0 to 2" in said, said


def test_a_picture_and_a_film_over_it_from_one_program():
    film, wanted = yuv(40, width=320, height=240)
    picture = f"{moving(41)} ! {video('BGRx')}"
    seen = sums(moving(41), video("BGRx"), 640 * 480 * 4)
    before = OVERLAY.last_flip()
    kept = OVERLAY.state_to_keep()
    app = machine.Application(
        VM, f"/dev/dri/card{OVERLAY.number}",
        f"{picture} ! {RGB.flip.replace('name=sink', 'name=picture')} fd=@ {film} ! {OVERLAY.sink} fd=@")
    OVERLAY.until_shown(wanted[-1], "film")
    RGB.until_shown(seen[-1], "picture")
    stats = app.stop()
    assert_ways(stats["sink"], flipped=40)
    assert_ways(stats["picture"], flipped=41)
    assert given(OVERLAY, before, "NV12") == wanted
    assert given(RGB, before, "XR24")[:len(seen)] == seen  # and the console
    assert OVERLAY.state_to_keep() == kept


# ---- high dynamic range

def blob(primaries, white, brightest, darkest, content, average):
    """What the kernel has of it: struct hdr_output_metadata."""
    return struct.pack("<IBB6H2H4H2x", 0, 2, 0, *primaries, *white, brightest, darkest, content, average).hex()


def test_hdr_of_the_caps_is_told_to_the_screen_and_taken_back():
    before = PRIMARY.state_to_keep()
    source, wanted = yuv(5, "P010_10LE", bits=24, more=f",{PQ}")
    wanted_blob = blob((34000, 16000, 13250, 34500, 7500, 3000), (15635, 16450), 1000, 50, 1000, 400)
    for end in (signal.SIGINT, signal.SIGKILL):
        flips = PRIMARY.last_flip()
        player = VM.play(f"{source} ! {PRIMARY.sink}".replace("(", r"\(").replace(")", r"\)"))
        PRIMARY.until_shown(wanted[-1], source)
        screen, shown = PRIMARY.lines()
        check_shown(screen, hdr=wanted_blob, bits="10", colorspace="9")
        check_shown(shown, format="P010", encoding=str(BT2020), range=str(LIMITED))
        player.signal(end)
        assert given(PRIMARY, flips, "P010") == wanted
        PRIMARY.until_state(before, f"after signal {int(end)}")


# ---- plugs

def test_a_screen_is_unplugged_and_plugged_while_playing():
    app = machine.Application(VM, f"/dev/dri/card{PRIMARY.number}",
                              f"{moving(FOREVER)} ! {video('NV12', 320, 240, ',framerate=30/1')} ! {PRIMARY.sink} fd=@")
    check_goes_on(app)
    lit = int(PRIMARY.connector()["lit"])
    PRIMARY.unplug()
    check_goes_on(app)
    PRIMARY.plug(ALL_MODES)
    PRIMARY.until_lit(lit + 1)
    seen = PRIMARY.last_flip()
    check_goes_on(app)
    assert {form for _, _, form, _ in PRIMARY.flips(seen)} == {"NV12"}
    assert int(PRIMARY.connector()["lit"]) == lit + 1
    try:
        PRIMARY.plug("800x600")  # another screen in its place, without the mode

        def check():
            screen, shown = PRIMARY.lines()
            assert screen["mode"] == "800x600" and shown["format"] == "NV12" and shown["dst"] == "0,0,800,600", shown
        eventually(check)
        check_goes_on(app)
        assert app.say("ask") == "none"
        stats = app.stop()["sink"]
        # one that was drawn for the other screen is copied
        assert stats["flipped"] > 0 and stats["converted"] == 0 and stats["copied"] <= 1, stats
    finally:
        PRIMARY.plug(ALL_MODES)


def test_the_last_frame_is_there_again_when_the_screen_is():
    source, wanted = yuv(3)
    player = VM.play(f"{source} ! {PRIMARY.sink}")
    PRIMARY.until_shown(wanted[-1], source)
    lit = int(PRIMARY.connector()["lit"])
    PRIMARY.unplug()
    PRIMARY.plug(ALL_MODES)
    PRIMARY.until_lit(lit + 1)
    PRIMARY.until_shown(wanted[-1], "plugged in again")
    assert_ways(player.stop()["sink"], flipped=3)


def test_without_a_screen_there_is_an_error_that_says_so():
    PRIMARY.plug("off")
    try:
        said = error_of(VM, f"videotestsrc ! {PRIMARY.sink}")
        assert "HDMI-A-2" in said and "nothing connected" in said, said
    finally:
        PRIMARY.plug(ALL_MODES)


def test_a_mode_that_fits_the_film():
    """59.94 Hz, as the film; the screen likes another mode better."""
    card = TestCard(VM, 1, 0, ",mode=fit")
    source, wanted = yuv(3, more=",framerate=60000/1001")
    card.plug("1024x768 800x600 640x480")
    try:
        player = VM.play(f"{source} ! {card.sink}")
        card.until_shown(wanted[-1], source)
        check_shown(card.connector(), mode="640x480")
        check_shown(card.shown(), src="0,0,640,480", dst="0,0,640,480")
        assert_ways(player.stop()["sink"], flipped=3)
    finally:
        card.plug(ALL_MODES)


# ---- the end

def test_cards_are_taken_away():
    check_taken_away(VM, "/dev/null", 1, f"capsfilter caps={video('NV12')} ! {PRIMARY.sink}")
    check_taken_away(VM, "/dev/null", 0, f"capsfilter caps={video('NV12')} ! {OVERLAY.sink} pages=2")
    source, wanted = yuv(3)
    check_flips(PRIMARY, source, wanted, "NV12")


def test_the_kernel_found_nothing_wrong():
    VM.run("dmesg | grep -A30 'cut here'", check=False)
    assert VM.said == "", VM.said


if __name__ == "__main__":
    main(sys.modules[__name__])
