# SPDX-License-Identifier: LGPL-2.1-or-later
"""KMS beside others: a second player, an application that has the card open and lends it, two screens of one card,
another terminal, a screen that sleeps or is unplugged, and a driver that goes. The tests at the end take cards away."""
import os
import re
import sys

import machine
import screen
from card import Card, bars, check_goes_on, check_taken_away, error_of
from fbdev import FOREVER, assert_ways, check_frames, drawn, eventually, main, moving

machine.skip_without()
if "BA_VM_FLIP" not in os.environ:
    print("SKIPPED: built without KMS")
    sys.exit(machine.SKIPPED)
VM = machine.Machine(
    "kmsothers",
    ["-vga", "none", "-device", "virtio-vga,id=virtio,xres=640,yres=480,max_outputs=2",
     "-device", "bochs-display,id=bochs,edid=on,xres=640,yres=480"],
    ["drm_kms_helper drm_fbdev_overalloc=300", "virtio-gpu", "bochs"])
VIRTIO = Card(VM, 0, "virtio")
BOCHS = Card(VM, 1, "bochs")
SECOND = Card(VM, 0, "virtio", 800, 600, ",connector=Virtual-2,mode=800x600", head=1)
TEXT_2 = r"printf '\033[2J\033[Hthe second terminal\n' >/dev/tty2"
GREEN = screen.Picture(640, 480, b"\0\xff\0" * (640 * 480))


def last_of(card, n):
    """The last of n frames of the moving picture, as this card shows it."""
    return drawn(moving(n), "BGRx", card.width, card.height)


def test_a_second_player_is_told_who_has_the_screen():
    player = VM.play(f"{moving(5)} ! {BOCHS.flip}")
    BOCHS.until_seen(last_of(BOCHS, 5))
    said = error_of(VM, f"videotestsrc ! {BOCHS.sink}")
    assert f"{BOCHS.card} is in use" in said and "another program" in said, said
    BOCHS.until_seen(last_of(BOCHS, 5))
    assert_ways(player.stop()["sink"], flipped=5)
    check_frames(BOCHS, "BGRx", "flipped", frames=(4,))


def test_the_framebuffer_of_a_card_that_has_a_master_is_in_use():
    """The driver says yes to everything but the pan, and on bochs what is written is lost."""
    player = VM.play(f"{moving(5)} ! {BOCHS.flip}")
    BOCHS.until_seen(last_of(BOCHS, 5))
    said = error_of(VM, f"videotestsrc ! fbdevzerosink name=sink device={BOCHS.path}")
    assert f"{BOCHS.path}" in said and "in use" in said, said
    BOCHS.until_seen(last_of(BOCHS, 5))
    assert_ways(player.stop()["sink"], flipped=5)


def test_a_program_that_is_no_player_has_the_card():
    with VIRTIO.flipping("5"):
        VIRTIO.until_seen(bars(640, 480, 4))
        said = error_of(VM, f"videotestsrc ! {VIRTIO.sink}")
        assert "is in use" in said, said
        VIRTIO.until_seen(bars(640, 480, 4))


def application(card, more=""):
    """An application with a card of its own and a moving picture on it, of which something is seen."""
    app = machine.Application(VM, card.card,
                              f"{moving(FOREVER)} ! video/x-raw,framerate=30/1 ! {card.flip} fd=@ {more}")
    check_goes_on(app)
    return app


def test_master_is_lost_and_regained():
    for api in ("atomic", "legacy"):
        before = VIRTIO.console()
        app = application(VIRTIO, f"kms-api={api}")
        VIRTIO.until_other(before)
        assert app.say("lend") == "done"
        VIRTIO.until_seen(GREEN, what="lent")
        assert app.say("back") == "done"
        VIRTIO.until_other(GREEN)
        VIRTIO.until_other(before)
        assert app.say("ask") == "none"
        assert app.stop()["sink"]["flipped"] > 0
        VIRTIO.until_seen(before, what=api)


def test_a_sleeping_screen_is_left_asleep():
    def power():
        VM.run("cat /sys/class/drm/card0-Virtual-1/dpms /sys/class/drm/card0-Virtual-1/enabled")
        return VM.said.split()
    for api in ("atomic", "legacy"):
        before = VIRTIO.console()
        connector = VIRTIO.connectors()["Virtual-1"]
        app = application(VIRTIO, f"kms-api={api}")
        VIRTIO.until_other(before)
        assert app.say(f"dpms {connector} 3") == "done"
        check_goes_on(app)
        assert power()[0] == "Off", power()
        assert app.say(f"dpms {connector} 0") == "done"
        dark = VIRTIO.seen()
        VIRTIO.until_other(dark)
        assert power()[0] == "On", power()
        assert app.say("ask") == "none"
        app.stop()
        VIRTIO.until_seen(before, what=api)


def test_two_screens_of_one_open_card():
    VM.run("echo on >/sys/class/drm/card0-Virtual-2/status")
    try:
        for api in ("atomic", "legacy"):
            before = VIRTIO.console()
            sinks = (f"name={name} sync=false offer-pages=always fd=@ kms-api={api} device={device}" for name, device in
                     (("sink", f"{VIRTIO.card},connector=Virtual-1"), ("second", SECOND.card)))
            one, two = (f"{moving(n)} ! fbdevzerosink {sink}" for n, sink in zip((40, 41), sinks))
            app = machine.Application(VM, VIRTIO.card, f"{one} {two}")
            VIRTIO.until_seen(last_of(VIRTIO, 40), what=f"{api}, first")
            SECOND.until_seen(last_of(SECOND, 41), what=f"{api}, second")
            stats = app.stop()
            assert_ways(stats["sink"], flipped=40)
            assert_ways(stats["second"], flipped=41)
            VIRTIO.until_seen(before, what=api)
    finally:
        VM.run("echo detect >/sys/class/drm/card0-Virtual-2/status")


def test_another_terminal_while_playing():
    """Nothing is drawn over the frames; its text is there at the end."""
    VIRTIO.switch(2)
    VM.run(TEXT_2)
    second = VIRTIO.still()
    VIRTIO.switch(1)
    first = VIRTIO.console()
    player = VM.play(f"{moving(5)} ! {VIRTIO.flip}", terminal=True)
    try:
        VIRTIO.until_seen(last_of(VIRTIO, 5))
        VIRTIO.switch(2)
        VM.run(TEXT_2)
        VIRTIO.until_seen(last_of(VIRTIO, 5))
        assert_ways(player.stop()["sink"], flipped=5)
        VIRTIO.until_seen(second)
    finally:
        VIRTIO.switch(1)
    VIRTIO.until_seen(first)


def test_a_connector_is_unplugged_and_plugged():
    before = VIRTIO.console()
    app = application(VIRTIO)
    VIRTIO.until_other(before)
    for status in ("off", "detect"):
        VM.run(f"echo {status} >/sys/class/drm/card0-Virtual-1/status")
        check_goes_on(app)
        VIRTIO.until_other(VIRTIO.seen())
    assert app.say("ask") == "none"
    app.stop()
    VIRTIO.until_seen(before)


def test_the_console_of_another_card_is_left_alone():
    """The player runs on the terminal that virtio shows, and plays on bochs."""
    console = VIRTIO.console()
    player = VM.play(f"{moving(5)} ! {BOCHS.flip}", terminal=True)
    BOCHS.until_seen(last_of(BOCHS, 5))
    VM.run("printf 'while it plays\\n' >/dev/tty1")
    VIRTIO.until_other(console)
    console = VIRTIO.still()
    assert_ways(player.stop()["sink"], flipped=5)
    VIRTIO.until_seen(console)


def test_a_plug_that_nobody_tells_of():
    """What is written to status sends no message of the kernel's, as if it had not come through to a container: the sink
    asks the driver, and shows its picture, which stands still, again. The driver has other modes then, so that the
    display has to be opened anew."""
    probe = "/sys/kernel/tracing"
    VM.run(f"mount -t tracefs none {probe} 2>/dev/null; echo 'p:looks drm_mode_getconnector' >{probe}/kprobe_events && "
           f"echo 1 >{probe}/events/kprobes/looks/enable")
    player = VM.play(f"{moving(5)} ! {VIRTIO.flip}", debug="fbdevzerosink:4")
    try:
        VIRTIO.until_seen(last_of(VIRTIO, 5))
        # two looks have begun behind the change, so that one of them is over
        VM.run(f"echo off >/sys/class/drm/card0-Virtual-1/status; echo >{probe}/trace; "
               f"until [ $(grep -c looks: {probe}/trace) -ge 2 ]; do :; done; echo detect >/sys/class/drm/card0-Virtual-1/status")
        eventually(lambda: check_says(player, "the screen is there again|opening it anew"))
        VIRTIO.until_seen(last_of(VIRTIO, 5))
        assert_ways(player.stop()["sink"], flipped=5)
    finally:
        VM.run(f"echo detect >/sys/class/drm/card0-Virtual-1/status; echo 0 >{probe}/events/kprobes/looks/enable; "
               f"echo >{probe}/kprobe_events")


def check_says(player, words):
    assert re.search(words, player.log()), player.log()


def test_cards_are_taken_away():
    check_taken_away(VM, "/dev/null", 1, f"fbdevzerosink name=sink device={BOCHS.path}")
    check_taken_away(VM, BOCHS.card, 1, f"{BOCHS.flip} fd=@")
    check_taken_away(VM, "/dev/null", 1, f"{BOCHS.flip} kms-api=legacy")
    check_frames(BOCHS, "BGRx", "flipped", frames=(5,))
    check_taken_away(VM, "/dev/null", 0, VIRTIO.flip)


if __name__ == "__main__":
    main(sys.modules[__name__])
