# SPDX-License-Identifier: LGPL-2.1-or-later
"""Memory of other devices on the screens of real drivers: a camera's (vivid) and what the kernel makes dmabufs of, shown
where it lies by cirrus and by vkms, refused by virtio and bochs with the reason told, and copied then. In such memory
elements draw and avzerodec decodes, as the sink offers it to them."""
import contextlib
import os
import re
import sys

import harness
import machine
import screen
import vkms
from card import Card
from fbdev import Framebuffer, assert_ways, drawn, eventually, main, moving

machine.skip_without()
if "BA_VM_FLIPDMABUFS" not in os.environ:
    print("SKIPPED: built without KMS")
    sys.exit(machine.SKIPPED)
VKMS, WHY_NO_VKMS = vkms.module()
VM = machine.Machine(
    "dmabuf",
    ["-vga", "none", "-device", "virtio-vga,id=virtio,xres=640,yres=480", "-device", "bochs-display,id=bochs",
     "-device", "cirrus-vga,id=cirrus"],
    ["virtio-gpu", "bochs", "cirrus"] + ([f"{VKMS} enable_overlay=1"] if VKMS else [])
    + ["vivid n_devs=1 node_types=0x1"])
DRIVERS = ["virtio_gpu", "bochs-drm", "cirrus"] + (["vkms"] if VKMS else [])
VIRTIO, CIRRUS = Framebuffer(VM, 0, "virtio"), Framebuffer(VM, 2, "cirrus")
CARDS = [Card(VM, 2, "cirrus", options=",mode=640x480")] + ([Card(VM, 3, options=",mode=640x480")] if VKMS else [])
FRAMES = 20
SOURCES = ("udmabuf", "system")
CAMERA = "v4l2src device=/dev/video0 io-mode=dmabuf num-buffers={} ! video/x-raw,format=BGRx,width=640,height=480"


def bar(width, height, frame):
    """What flipdmabufs draws."""
    rows = height // 16 + 1
    first = frame * 4 % (height - rows + 1)
    return screen.Picture(width, height, bytes(3 * width * first) + b"\xff" * (3 * width * rows)
                          + bytes(3 * width * (height - rows - first)))


def sink(number):
    return f"fbdevzerosink name=sink sync=false device=/dev/dri/card{number},mode=640x480"


def check_camera(number, **ways):
    """Plays ten frames of the camera. What frame-stats says."""
    VM.run(f"GST_DEBUG=bufalloc-stats:4 GST_DEBUG_NO_COLOR=1 gst-launch-1.0 -q {CAMERA.format(10)} ! {sink(number)}")
    stats = machine.frame_stats(VM.said)["sink"]
    assert_ways(stats, **ways)
    return stats


def flip(number, words, check=True):
    """What flipdmabufs says of a card."""
    VM.run(f"{os.environ['BA_VM_FLIPDMABUFS']} /dev/dri/card{number},mode=640x480 {words}", check=check)
    return VM.said


def test_the_machine_has_these_cards():
    VM.run(f"for n in $(seq 0 {len(DRIVERS) - 1}); do cat /sys/kernel/debug/dri/$n/name; done")
    assert [line.split()[0] for line in VM.said.splitlines()] == DRIVERS, VM.said


def test_a_camera_on_cirrus_is_shown_where_it_lies():
    stats = check_camera(2, flipped=10)
    assert stats["bytes-written"] == 0 and stats["reason"] == "", stats


def test_a_camera_on_vkms_is_shown_where_it_lies():
    if not VKMS:
        print(WHY_NO_VKMS)
        return
    stats = check_camera(3, flipped=10)
    assert stats["bytes-written"] == 0 and stats["reason"] == "", stats


def test_a_camera_on_virtio_is_copied_and_the_driver_says_why():
    stats = check_camera(0, copied=10)
    assert "virtio_gpu does not import the memory" in stats["reason"], stats


def test_a_camera_on_bochs_is_copied_and_the_driver_says_why():
    stats = check_camera(1, copied=10)
    assert "bochs-drm does not import the memory" in stats["reason"], stats


def test_what_is_imported_looks_as_what_is_copied():
    """The lower half: in the upper one the camera writes the time."""
    pictures = []
    for number, fb in ((0, VIRTIO), (2, CIRRUS)):
        player = VM.play(f"{CAMERA.format(10)} ! {sink(number)}")

        def check():
            seen = fb.seen()
            bars = {seen.pixel(x, 470) for x in range(0, seen.width, 8)}
            assert seen.width == 640 and len(bars) > 5, f"no bars are seen, but {bars}"
            pictures.append(b"".join(seen.row(y) for y in range(300, 480)))
        try:
            eventually(check)
        finally:
            player.stop()
    assert pictures[0] == pictures[1]


def test_cached_memory_on_cirrus_to_the_last_pixel():
    for source in SOURCES:
        hold = f"/run/hold-{source}"
        VM.run(f"mkfifo {hold}; {os.environ['BA_VM_FLIPDMABUFS']} /dev/dri/card2,mode=640x480 {source} {FRAMES} hold "
               f"<>{hold} >{source}.log 2>&1 & echo $!")
        pid = int(VM.said.split()[-1])
        try:
            CIRRUS.until_seen(bar(640, 480, FRAMES - 1), what=source)
        finally:
            VM.run(f"echo >{hold}; timeout {machine.END_S} tail --pid={pid} -s 0.1 -f /dev/null || kill -9 {pid}")
        with open(os.path.join(VM.results, f"{source}.log"), encoding="utf-8") as file:
            assert f"{FRAMES} flips of {source} on cirrus" in file.read()


def test_cached_memory_on_vkms():
    if not VKMS:
        print(WHY_NO_VKMS)
        return
    for source in SOURCES:
        assert f"{FRAMES} flips of {source} on vkms" in flip(3, f"{source} {FRAMES}")


def test_cached_memory_is_refused_by_the_others():
    for number, driver in ((0, "virtio_gpu"), (1, "bochs-drm")):
        for source in SOURCES:
            said = flip(number, f"{source} {FRAMES}", check=False)
            assert f"0 flips of {source} on {driver}: the driver {driver} does not import the memory" in said, said


# ---- the memory that the sink offers ---------------------------------------------------------------------------------

@contextlib.contextmanager
def without_udmabuf():
    """While its body runs there is only the heap."""
    VM.run("mv /dev/udmabuf /dev/udmabuf-away")
    try:
        yield
    finally:
        VM.run("mv /dev/udmabuf-away /dev/udmabuf")


def until_shown(card, wanted, what):
    if card.device:
        card.until_seen(wanted, what=what)
    else:
        card.until_scanned_out(screen.vkms_crc(wanted))


def check_offered(card, source, wanted, frames):
    """Plays `source` into the memory that the sink offers: with two pages it offers none of them, so that what is flipped
    is that memory. The last picture is exactly on the screen. The player's frame-stats, and what it said."""
    player = VM.play(f"{source} ! {card.sink} pages=2", debug="fbdevzerosink:4")
    try:
        until_shown(card, wanted, source)
    except AssertionError as e:
        raise AssertionError(f"{e}\n{player.log()}") from None
    stats = player.stop()
    assert_ways(stats["sink"], flipped=frames)
    assert stats["sink"]["bytes-written"] == 0 and stats["sink"]["bytes-copied"] == 0, stats
    return stats, player.log()


def check_drawn_into(card, source):
    frames = 6
    _, said = check_offered(card, moving(frames), drawn(moving(frames), "BGRx", 640, 480), frames)
    assert f"frames in memory of {source}: shown as they lie" in said, said


def test_what_an_element_draws_into_cached_memory_is_shown_where_it_lies():
    for card in CARDS:
        check_drawn_into(card, "udmabuf")


def test_the_heap_stands_in_where_there_is_no_udmabuf():
    with without_udmabuf():
        for card in CARDS:
            check_drawn_into(card, "system")


def test_a_decoder_works_in_cached_memory_that_is_shown_where_it_lies():
    """FFV1, as these drivers have planes of RGB only."""
    frames = 4
    path = harness.clip("ffv1-bgr0-640x480", frames, ".mkv")
    clip = f"filesrc location={path} ! matroskademux ! "
    wanted = drawn(f"{clip} avdec_ffv1", "BGRx", 640, 480)
    for card, settings in zip(CARDS, ("thread-type=slice", "max-threads=1")):
        stats, _ = check_offered(card, f"{clip} avzerodec name=dec {settings}", wanted, frames)
        assert stats["dec"]["direct"] == frames and stats["dec"]["copied"] == 0, stats


def test_what_cannot_be_imported_is_drawn_into_ordinary_memory():
    frames = 6
    wanted = drawn(moving(frames), "BGRx", 640, 480)
    for card in (Card(VM, 0, "virtio", options=",mode=640x480"), Card(VM, 1, "bochs", options=",mode=640x480")):
        player = VM.play(f"{moving(frames)} ! {card.sink} pages=2", debug="fbdevzerosink:4")
        card.until_seen(wanted)
        stats = player.stop()
        assert_ways(stats["sink"], copied=frames)
        assert "frames in memory of udmabuf: the driver" in player.log(), player.log()


def test_two_sinks_of_one_open_card_show_the_same_frames_in_two_overlays():
    """For the card both are one user, for whom a frame has one handle, however often it comes."""
    if not VKMS:
        print(WHY_NO_VKMS)
        return
    frames, card = 20, Card(VM, 3, None, 1024, 768)
    card.tool("console")
    VM.run("printf '\\033[2J\\033[Hthe console of vkms\\n' >/dev/tty1")
    before = card.crc()
    sinks = " ".join(f"t. ! queue ! fbdevzerosink name={name} sync=false fd=@ device={card.card},plane=overlay "
                     f"render-rectangle=\"<{place}, 640, 480>\""
                     for name, place in (("sink", "0, 0"), ("second", "384, 288")))
    app = machine.Application(VM, card.card, f"{CAMERA.format(frames)} ! tee name=t {sinks}")
    shown = []

    def check():
        assert int(app.say("frames")) == frames, app.say("ask")
        places = re.findall(r"^plane\[.*?crtc-pos=(\S+)", card.state(), re.DOTALL | re.MULTILINE)
        shown[:] = [place for place in places if place.startswith("640x480")]
        assert sorted(shown) == ["640x480+0+0", "640x480+384+288"], VM.said
    eventually(check)
    assert card.state().count("imported=yes") == 2, VM.said
    assert card.crc() != before
    assert app.say("ask") == "none"
    stats = app.stop()
    for name in ("sink", "second"):
        assert_ways(stats[name], flipped=frames)
    card.until_scanned_out(before)


if __name__ == "__main__":
    main(sys.modules[__name__])
