# SPDX-License-Identifier: LGPL-2.1-or-later
"""Real encoded streams through avzerodec to the screen: which way they go, and their pixels."""
import os
import sys

from harness import (Gst, Play, Screen, assert_colours, assert_counts, assert_same, clip, colour_reference, draw, main,
                     play)

# The codecs of the plan, with what takes them out of their files.
CODECS = (
    ("h264", ".mp4", "qtdemux ! h264parse"),
    ("h264-10bit", ".mp4", "qtdemux ! h264parse"),
    ("hevc", ".mp4", "qtdemux ! h265parse"),
    ("hevc-10bit", ".mp4", "qtdemux ! h265parse"),
    ("mpeg4", ".mp4", "qtdemux ! mpeg4videoparse"),
    ("mpeg2", ".mpg", "mpegpsdemux ! mpegvideoparse"),
    ("vp8", ".webm", "matroskademux"),
    ("vp9", ".webm", "matroskademux"),
    ("av1", ".webm", "matroskademux ! av1parse"),
    ("mjpeg", ".mkv", "matroskademux ! jpegparse"),
    ("png", ".mkv", "matroskademux"),
    ("ffv1", ".mkv", "matroskademux"),
    ("ffv1-bgr0", ".mkv", "matroskademux"),
    ("huffyuv", ".mkv", "matroskademux"),
    ("flashsv", ".flv", "flvdemux"),
)
FRAMES = 12


def source(name, parse, extension, frames=FRAMES, size="160x120"):
    return f"filesrc location={clip(f'{name}-{size}', frames, extension)} ! {parse}"


def test_every_codec_reaches_the_screen():
    for name, extension, parse in CODECS:
        try:
            stats, dec = play(f"{source(name, parse, extension)} ! avzerodec name=dec ! "
                              "fbdevzerosink name=sink sync=false device=virtual:160x120,rate=0")
            shown = stats["flipped"] + stats["converted"] + stats["copied"]
            assert shown == FRAMES and stats["dropped"] == 0, stats
            assert dec["direct"] + dec["wrapped"] == FRAMES and dec["copied"] == 0, dec
        except AssertionError as e:
            raise AssertionError(f"{name}: {e}") from e


def test_every_codec_is_plugged_by_parsebin():
    for name, extension, _ in CODECS:
        try:
            stats, _ = play(f"filesrc location={clip(f'{name}-160x120', FRAMES, extension)} ! parsebin ! avzerodec ! "
                            "fbdevzerosink name=sink sync=false device=virtual:160x120,rate=0")
            assert stats["flipped"] + stats["converted"] + stats["copied"] == FRAMES, stats
        except AssertionError as e:
            raise AssertionError(f"{name}: {e}") from e


def test_h264_is_wrapped_and_converted_once():
    stats, dec = play(f"{source('h264', 'qtdemux ! h264parse', '.mp4')} ! avzerodec name=dec ! "
                      "fbdevzerosink name=sink sync=false device=virtual:160x120,rate=0")
    assert_counts(stats, converted=FRAMES)
    assert stats["bytes-copied"] == 0 and stats["bytes-written"] == FRAMES * 160 * 120 * 4, stats
    assert dec["wrapped"] == FRAMES and dec["direct"] == dec["copied"] == dec["corrupt"] == 0, dec


def test_h264_pixels_frame_by_frame():
    media = source("h264", "qtdemux ! h264parse", ".mp4")
    decoded = draw(f"{media} ! avdec_h264 ! video/x-raw,format=I420")
    size = 160 * 120 * 3 // 2
    assert len(decoded) == FRAMES * size
    screen = Screen(160, 120)
    p = Play(f"{media} ! avzerodec ! fbdevzerosink name=sink device={screen.device}")
    p.pipeline.set_state(Gst.State.PAUSED)
    for n in range(FRAMES):
        p.wait(Gst.MessageType.ASYNC_DONE | Gst.MessageType.ERROR)
        assert not p.errors, p.errors
        if n in (0, 5, FRAMES - 1):
            assert_colours(screen.picture(), colour_reference(decoded[n * size:(n + 1) * size], 160, 120))
        if n < FRAMES - 1:
            p.pipeline.send_event(Gst.Event.new_step(Gst.Format.BUFFERS, 1, 1.0, True, False))
    p.stop()
    screen.remove()


def test_ffv1_is_decoded_into_pages():
    media = source("ffv1-bgr0", "matroskademux", ".mkv")
    screen = Screen(160, 120, "pages=6,rate=0")
    stats, dec = play(f"{media} ! avzerodec name=dec ! fbdevzerosink name=sink sync=false device={screen.device}")
    assert dec["direct"] == FRAMES and dec["wrapped"] == dec["copied"] == 0, dec
    assert_counts(stats, flipped=FRAMES)
    assert stats["bytes-written"] == 0, stats
    decoded = draw(f"{media} ! avdec_ffv1 ! video/x-raw,format=BGRx")
    shown, wanted = screen.picture(), decoded[-160 * 120 * 4:]
    for c in range(3):
        assert_same(shown[c::4], wanted[c::4])
    screen.remove()


def test_ffv1_with_five_pages_is_direct_and_with_fewer_it_says_why_not():
    for pages in (5, 4, 3, 2, 1):
        stats, dec = play(f"{source('ffv1-bgr0', 'matroskademux', '.mkv')} ! avzerodec name=dec ! "
                          f"fbdevzerosink name=sink sync=false device=virtual:160x120,rate=0,pages={pages}")
        assert dec["direct"] + dec["wrapped"] == FRAMES and dec["copied"] == 0, dec
        if pages == 5:
            assert dec["direct"] == FRAMES, dec
            assert_counts(stats, flipped=FRAMES)
        else:
            assert dec["wrapped"] == FRAMES and dec["reason"], dec
            assert_counts(stats, copied=FRAMES)


def test_pages_that_read_slowly_are_no_harm_to_a_codec_that_only_writes():
    """The sink offers ordinary memory first then: its pages are there all the same."""
    stats, dec = play(f"{source('ffv1-bgr0', 'matroskademux', '.mkv')} ! avzerodec name=dec ! "
                      "fbdevzerosink name=sink sync=false device=virtual:160x120,rate=0,read-mbps=75")
    assert dec["direct"] == FRAMES, dec
    assert_counts(stats, flipped=FRAMES)


def test_ffv1_behind_a_queue_is_direct():
    stats, dec = play(f"{source('ffv1-bgr0', 'matroskademux', '.mkv')} ! avzerodec name=dec ! queue ! "
                      "fbdevzerosink name=sink sync=false device=virtual:160x120,rate=0")
    assert dec["direct"] == FRAMES, dec
    assert_counts(stats, flipped=FRAMES)


def test_mjpeg_of_stock_jpegdec_is_converted_once():
    screen = Screen(160, 120)
    media = source("mjpeg", "matroskademux ! jpegparse", ".mkv")
    stats, _ = play(f"{media} ! jpegdec ! fbdevzerosink name=sink sync=false device={screen.device}")
    assert_counts(stats, converted=FRAMES)
    assert max(screen.picture()) > 0
    screen.remove()


def test_stock_avdec_is_converted_once():
    stats, _ = play(f"{source('h264', 'qtdemux ! h264parse', '.mp4')} ! avdec_h264 ! "
                    "fbdevzerosink name=sink sync=false device=virtual:160x120,rate=0")
    assert_counts(stats, converted=FRAMES)


def test_a_screen_smaller_than_the_video():
    screen = Screen(100, 50)
    stats, dec = play(f"{source('h264', 'qtdemux ! h264parse', '.mp4')} ! avzerodec name=dec ! "
                      f"fbdevzerosink name=sink sync=false device={screen.device}")
    assert_counts(stats, converted=FRAMES)
    assert dec["wrapped"] == FRAMES, dec
    rows = screen.picture()
    border = b"".join(rows[y * 400:y * 400 + 4 * 16] for y in range(50))
    assert not any(border), "the bars are not black"
    assert any(rows[25 * 400:26 * 400])
    screen.remove()


def test_a_size_that_changes_in_the_middle():
    media = f"filesrc location={clip('h264-size-change-160x120', 12, '.h264')} ! h264parse"
    screen = Screen(320, 240)
    stats, dec = play(f"{media} ! avzerodec name=dec ! "
                      f"fbdevzerosink name=sink sync=false device={screen.device}")
    assert_counts(stats, converted=12)
    assert dec["wrapped"] == 12, dec
    decoded = draw(f"{media} ! avdec_h264 ! video/x-raw,format=I420")
    assert_colours(screen.picture(), colour_reference(decoded[-320 * 240 * 3 // 2:], 320, 240))
    screen.remove()


def test_a_size_that_shrinks_leaves_black_around_it():
    # With queues, because concat plays its pads in the order in which they are linked, and qtdemux has none at first.
    screen = Screen(320, 240)
    stats, dec = play(f"concat name=c ! avzerodec name=dec ! "
                      f"fbdevzerosink name=sink sync=false scaling=none device={screen.device} "
                      f"{source('h264', 'qtdemux', '.mp4', size='320x240')} ! queue ! c. "
                      f"{source('h264', 'qtdemux', '.mp4')} ! queue ! c.")
    assert_counts(stats, converted=2 * FRAMES)
    assert dec["wrapped"] == 2 * FRAMES, dec
    rows = screen.picture()
    inside = b"".join(rows[y * 1280 + 80 * 4:y * 1280 + 240 * 4] for y in range(60, 180))
    decoded = draw(f"{source('h264', 'qtdemux ! h264parse', '.mp4')} ! avdec_h264 ! video/x-raw,format=I420")
    assert_colours(inside, colour_reference(decoded[-160 * 120 * 3 // 2:], 160, 120))
    for y in range(240):
        row = rows[y * 1280:(y + 1) * 1280]
        border = row if y < 60 or y >= 180 else row[:80 * 4] + row[240 * 4:]
        assert not any(any(border[c::4]) for c in range(3)), f"row {y} is not black"
    screen.remove()


def test_sync_and_pause_while_decoding():
    p = Play(f"{source('h264', 'qtdemux ! h264parse', '.mp4')} ! avzerodec name=dec ! "
             "fbdevzerosink name=sink sync=false device=virtual:160x120,rate=300,pages=2")
    for _ in range(5):
        p.pipeline.set_state(Gst.State.PAUSED)
        p.pipeline.get_state(Gst.CLOCK_TIME_NONE)
        p.pipeline.set_state(Gst.State.PLAYING)
    p.to_end()
    stats = p.stats()
    p.stop()
    assert not p.errors, p.errors
    assert_counts(stats, converted=FRAMES)


def test_an_overlay_on_decoded_frames():
    for name, extension, parse in (CODECS[0], CODECS[12]):
        stats, _ = play(f"{source(name, parse, extension)} ! avzerodec name=dec ! timeoverlay ! "
                        "fbdevzerosink name=sink sync=false device=virtual:160x120,rate=0")
        assert stats["flipped"] + stats["converted"] + stats["copied"] == FRAMES and stats["dropped"] == 0, stats


if __name__ == "__main__":
    if Gst.ElementFactory.find("avzerodec") is None:
        sys.exit(77)
    os.makedirs(os.environ["BA_CLIP_DIR"], exist_ok=True)
    main(sys.modules[__name__])
