# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which way frames of stock elements go to the screen, and that the bytes on it are what the elements drew."""
import sys

from harness import Gst, Play, Screen, assert_counts, assert_same, draw, launch, main, play

SIZE = 160 * 120 * 4
NATIVE = "video/x-raw,format=BGRx,width=160,height=120"
FAST = "fbdevzerosink name=sink sync=false device=virtual:160x120,rate=0"


def test_every_frame_on_screen_is_what_videotestsrc_draws():
    drawn = draw(f"videotestsrc num-buffers=8 pattern=ball animation-mode=frames ! {NATIVE}")
    for n in range(1, 9):
        screen = Screen(160, 120)
        stats, _ = play(f"videotestsrc num-buffers={n} pattern=ball animation-mode=frames ! "
                        f"fbdevzerosink name=sink sync=false device={screen.device}")
        assert_counts(stats, flipped=n)
        assert_same(screen.picture(), drawn[(n - 1) * SIZE:n * SIZE])
        assert screen.sequence == n, screen.sequence
        screen.remove()


def test_it_flips_with_sync_and_vsync_too():
    screen = Screen(160, 120, "rate=200")
    stats, _ = play("videotestsrc num-buffers=12 ! video/x-raw,framerate=60/1 ! "
                    f"fbdevzerosink name=sink qos=false max-lateness=-1 device={screen.device}")
    assert_counts(stats, flipped=12)
    screen.picture()
    assert screen.sequence == 12, screen.sequence
    screen.remove()


def test_what_is_late_is_dropped_and_counted():
    # The first frame is the preroll, which is shown whatever the time is.
    stats, _ = play("videotestsrc num-buffers=12 ! video/x-raw,framerate=60/1 ! "
                    "fbdevzerosink name=sink device=virtual:160x120,rate=200")
    assert stats["flipped"] + stats["dropped"] == 12 and stats["flipped"] >= 1, stats
    assert stats["copied"] == stats["converted"] == 0, stats


def test_elements_that_pass_the_query_on_flip():
    for middle in ("queue", "identity", "queue ! identity ! queue", "capsfilter"):
        stats, _ = play(f"videotestsrc num-buffers=10 ! {middle} ! {FAST}")
        assert_counts(stats, flipped=10)


def test_videoscale_renders_into_pages():
    stats, _ = play(f"videotestsrc num-buffers=10 ! video/x-raw,format=BGRx,width=80,height=60 ! videoscale ! "
                    f"{NATIVE} ! {FAST}")
    assert_counts(stats, flipped=10)


def test_videoconvert_renders_into_pages():
    stats, _ = play(f"videotestsrc num-buffers=10 ! video/x-raw,format=I420,width=160,height=120 ! videoconvert ! "
                    f"{NATIVE} ! {FAST}")
    assert_counts(stats, flipped=10)


def test_without_a_capsfilter_videoconvert_passes_and_the_sink_converts():
    stats, _ = play(f"videotestsrc num-buffers=10 ! video/x-raw,format=I420,width=160,height=120 ! videoconvert ! "
                    f"{FAST}")
    assert_counts(stats, converted=10)
    assert "I420" in stats["reason"] and "BGRx" in stats["reason"], stats["reason"]


def test_compositor_renders_into_pages():
    for more in ("", ",pixel-aspect-ratio=1/1"):
        stats, _ = play(f"videotestsrc num-buffers=10 ! compositor ! {NATIVE}{more} ! {FAST}")
        assert_counts(stats, flipped=10)


def test_overlays_draw_into_the_page():
    # last-sample has the frame that is shown before it plays, and what others hold is not drawn on
    for settings, counts in (("", {"flipped": 9, "copied": 1}), ("enable-last-sample=false", {"flipped": 10})):
        screen = Screen(160, 120)
        stats, _ = play("videotestsrc num-buffers=10 pattern=black ! timeoverlay ! "
                        f"fbdevzerosink name=sink sync=false device={screen.device} {settings}")
        assert_counts(stats, **counts)
        assert max(screen.picture()) > 128, "no text on the screen"
        screen.remove()


def test_tee_copies_because_its_query_has_no_pool():
    stats, _ = play(f"videotestsrc num-buffers=10 ! {NATIVE} ! tee name=t ! queue ! {FAST} t. ! queue ! fakesink")
    assert_counts(stats, copied=10)
    assert "pool" in stats["reason"], stats["reason"]


def test_a_videoconvert_behind_the_tee_flips_again():
    stats, _ = play(f"videotestsrc num-buffers=10 ! video/x-raw,format=I420,width=160,height=120 ! tee name=t ! queue ! "
                    f"videoconvert ! {NATIVE} ! {FAST} t. ! queue ! fakesink")
    assert_counts(stats, flipped=10)


def test_what_videocrop_cuts_off_is_black():
    screen = Screen(160, 120)
    stats, _ = play(f"videotestsrc num-buffers=5 pattern=white ! {NATIVE} ! videocrop left=20 right=20 ! "
                    f"fbdevzerosink name=sink sync=false device={screen.device}")
    assert_counts(stats, copied=5)
    assert "cropped" in stats["reason"], stats["reason"]
    row = screen.picture()[160 * 4 * 60:160 * 4 * 61]
    assert row[10 * 4] == 0 and row[30 * 4] == 255 and row[130 * 4] == 255 and row[150 * 4] == 0
    screen.remove()


def test_decodebin_of_raw_video_flips():
    stats, _ = play(f"videotestsrc num-buffers=10 ! {NATIVE} ! decodebin ! {FAST}")
    assert_counts(stats, flipped=10)


def test_a_page_kept_by_upstream_does_not_stop_the_stream():
    stats, _ = play(f"videotestsrc num-buffers=20 ! {NATIVE},framerate=30/1 ! videorate ! {NATIVE},framerate=60/1 ! "
                    f"{FAST}")
    assert stats["flipped"] >= 20 and stats["copied"] == stats["converted"] == stats["dropped"] == 0, stats


def test_screens_of_other_formats_show_the_same_bytes():
    for form in ("RGBx", "xRGB", "xBGR", "BGRx"):
        screen = Screen(160, 120, f"format={form},rate=0")
        stats, _ = play(f"videotestsrc num-buffers=2 ! fbdevzerosink name=sink sync=false device={screen.device}")
        assert_counts(stats, flipped=2)
        drawn = draw(f"videotestsrc num-buffers=2 ! video/x-raw,format={form},width=160,height=120")
        assert_same(screen.picture(), drawn[SIZE:])
        screen.remove()


def test_a_stride_of_its_own_flips_and_is_not_sheared():
    screen = Screen(161, 120, "stride=704,rate=0")
    stats, _ = play(f"videotestsrc num-buffers=3 ! fbdevzerosink name=sink sync=false device={screen.device}")
    assert_counts(stats, flipped=3)
    drawn = draw("videotestsrc num-buffers=3 ! video/x-raw,format=BGRx,width=161,height=120")
    assert_same(screen.picture(), drawn[2 * 161 * 120 * 4:])
    screen.remove()


def test_a_negotiation_that_costs_a_copy_is_one_line_in_GST_PERFORMANCE():
    for settings, lines in (("", 0), ("offer-pages=never", 1)):
        code, said, _ = launch(f"videotestsrc num-buffers=20 ! {NATIVE} ! {FAST} {settings}",
                               env={"GST_DEBUG": "GST_PERFORMANCE:4"})
        found = [line for line in said.splitlines() if "GST_PERFORMANCE" in line and "<sink>" in line]
        assert code == 0 and len(found) == lines, said


def test_playing_again_and_seeking_back():
    screen = Screen(160, 120)
    p = Play("videotestsrc pattern=ball animation-mode=frames ! video/x-raw,framerate=30/1 ! "
             f"fbdevzerosink name=sink sync=false device={screen.device}")
    for _ in range(2):
        p.pipeline.set_state(Gst.State.PAUSED)
        p.pipeline.get_state(Gst.CLOCK_TIME_NONE)
        screen.picture()
        shown = screen.sequence
        for _ in range(3):
            assert p.pipeline.seek(1.0, Gst.Format.TIME, Gst.SeekFlags.FLUSH, Gst.SeekType.SET, 0, Gst.SeekType.SET,
                                   10 * Gst.SECOND // 30)
            p.to_end()
            screen.picture()
            # One more where the first frame after the seek was the preroll, and is shown again when it plays.
            assert 10 <= screen.sequence - shown <= 11, f"{screen.sequence - shown} shown after the seek"
            shown = screen.sequence
        assert_counts(p.stats(), flipped=shown)
        p.pipeline.set_state(Gst.State.READY)
    p.stop()
    assert not p.errors, p.errors
    screen.remove()


if __name__ == "__main__":
    main(sys.modules[__name__])
