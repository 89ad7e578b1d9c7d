# SPDX-License-Identifier: LGPL-2.1-or-later
"""The sink in the players and behind the elements that people use: playbin, decodebin, compositor, tee, text overlays,
subtitles, streams that follow one another, live sources, and two sinks at a time."""
import os
import sys
import tempfile
import threading

from harness import (Gst, Play, Screen, assert_colours, assert_counts, assert_same, clip, colour_reference, draw, main,
                     play)

W, H = 160, 120
FRAMES = 12
NATIVE = f"video/x-raw,format=BGRx,width={W},height={H}"


def media(name="h264-160x120", extension=".mp4", frames=FRAMES):
    return clip(name, frames, extension)


def new_sink(screen, **properties):
    sink = Gst.ElementFactory.make("fbdevzerosink", "sink")
    assert sink, "the plugin is not found"
    sink.set_property("device", screen.device)
    # with QoS a decoder may skip frames, whatever the sink is: the tests count them
    for name, value in {"sync": False, "qos": False, **properties}.items():
        Gst.util_set_object_arg(sink, name, str(value))
    return sink


class Player(Play):
    """playbin or playbin3 with our sink."""

    def __init__(self, element, uri, screen, **properties):
        super().__init__(f"{element} name=player")
        self.player = self.pipeline
        self.sink = new_sink(screen, **properties)
        self.player.set_property("uri", uri)
        self.player.set_property("video-sink", self.sink)

    def stats(self, name="sink"):
        structure = self.sink.get_property("frame-stats")
        return {structure.nth_field_name(i): structure.get_value(structure.nth_field_name(i))
                for i in range(structure.n_fields())}


def uri(path):
    return Gst.filename_to_uri(path)


def shown(stats):
    return stats["flipped"] + stats["converted"] + stats["copied"]


def assert_rgb(rows, width, x, y, rgb, off=4):
    at = (y * width + x) * 4
    found = (rows[at + 2], rows[at + 1], rows[at])
    assert all(abs(a - b) <= off for a, b in zip(found, rgb)), f"pixel {x},{y} is {found}, not {rgb}"


def last_decoded(path, demux="qtdemux ! h264parse", decoder="avdec_h264", size=(W, H)):
    i420 = draw(f"filesrc location={path} ! {demux} ! {decoder} ! video/x-raw,format=I420")
    bytes_per_frame = size[0] * size[1] * 3 // 2
    return colour_reference(i420[-bytes_per_frame:], *size)


# ---- players ---------------------------------------------------------------------------------------------------------

def test_playbin_and_playbin3_show_every_frame():
    path = media()
    reference = last_decoded(path)
    for element in ("playbin", "playbin3"):
        screen = Screen(W, H)
        p = Player(element, uri(path), screen).to_end()
        assert not p.errors, p.errors
        stats = p.stats()
        assert shown(stats) == FRAMES and stats["dropped"] == 0, (element, stats)
        assert_colours(screen.picture(), reference)
        p.stop()
        assert_colours(screen.picture(), reference)  # it stays
        screen.remove()


def test_playbin_in_time_ends_and_seeks():
    for element in ("playbin", "playbin3"):
        screen = Screen(W, H, "rate=200")
        p = Player(element, uri(media()), screen, sync=True, **{"max-lateness": -1})
        p.pipeline.set_state(Gst.State.PAUSED)
        p.wait(Gst.MessageType.ASYNC_DONE | Gst.MessageType.ERROR)
        assert shown(p.stats()) == 1, p.stats()
        first = screen.picture()
        p.pipeline.seek_simple(Gst.Format.TIME, Gst.SeekFlags.FLUSH | Gst.SeekFlags.ACCURATE,
                               6 * Gst.SECOND // 30)
        p.wait(Gst.MessageType.ASYNC_DONE | Gst.MessageType.ERROR)
        assert screen.picture() != first, "the picture of before the seek"
        p.pipeline.seek_simple(Gst.Format.TIME, Gst.SeekFlags.FLUSH | Gst.SeekFlags.ACCURATE, 0)
        p.wait(Gst.MessageType.ASYNC_DONE | Gst.MessageType.ERROR)
        assert_same(screen.picture(), first)
        p.to_end()
        stats = p.stats()
        p.stop()
        assert not p.errors, p.errors
        assert FRAMES + 2 <= shown(stats) <= FRAMES + 3 and stats["dropped"] == 0, (element, stats)
        screen.remove()


def test_playbin_of_a_larger_video_is_scaled_to_the_screen():
    path = media("h264-320x240")
    for element in ("playbin", "playbin3"):
        screen = Screen(200, 120)
        p = Player(element, uri(path), screen).to_end()
        assert not p.errors and shown(p.stats()) == FRAMES, (p.errors, p.stats())
        p.stop()
        rows = screen.picture()
        for y in range(120):
            row = rows[y * 800:(y + 1) * 800]
            assert not any(any(row[c:80:4]) or any(row[720 + c::4]) for c in range(3)), f"row {y} is not black"
            assert any(row[80:720]), f"row {y} is empty"
        screen.remove()


def test_decodebins():
    path = media()
    reference = last_decoded(path)
    for source in (f"filesrc location={path} ! decodebin", f"filesrc location={path} ! decodebin3",
                   f"uridecodebin uri={uri(path)}", f"uridecodebin3 uri={uri(path)}",
                   f"filesrc location={path} ! decodebin ! videoconvert ! videoscale"):
        screen = Screen(W, H)
        stats, _ = play(f"{source} ! fbdevzerosink name=sink sync=false device={screen.device}")
        assert shown(stats) == FRAMES and stats["copied"] == stats["dropped"] == 0, (source, stats)
        assert_colours(screen.picture(), reference)
        screen.remove()


def test_decodebin_into_pages_with_a_capsfilter():
    screen = Screen(W, H)
    stats, _ = play(f"filesrc location={media()} ! decodebin ! videoconvert ! {NATIVE} ! "
                    f"fbdevzerosink name=sink sync=false device={screen.device}")
    assert_counts(stats, flipped=FRAMES)
    screen.remove()


# ---- one stream after the other --------------------------------------------------------------------------------------

def test_playbin_goes_on_with_another_file_without_a_gap():
    files = [media(), media("vp8-320x240", ".webm"), media("ffv1-bgr0-160x120", ".mkv"), media("mjpeg-80x60", ".mkv")]
    screen = Screen(W, H)
    left = [uri(path) for path in files[1:]]
    p = Player("playbin", uri(files[0]), screen)

    def next_one(player, left=left):
        if left:
            player.set_property("uri", left.pop(0))

    p.player.connect("about-to-finish", next_one)
    p.to_end()
    stats = p.stats()
    p.stop()
    assert not p.errors, p.errors
    assert not left and shown(stats) == FRAMES * len(files) and stats["dropped"] == 0, stats
    screen.remove()


def test_concat_of_sizes_and_formats():
    parts = (("BGRx", 160, 120, "red"), ("I420", 80, 60, "green"), ("BGRx", 80, 120, "blue"),
             ("NV12", 160, 120, "white"), ("RGB16", 33, 120, "red"))
    for settings in ("", "scaling=none", "scaling=stretch", "pages=2", "pages=1", "pages=2 offer-pages=always"):
        screen = Screen(W, H)
        launch = f"concat name=c ! fbdevzerosink name=sink sync=false device={screen.device} {settings} "
        for form, width, height, colour in parts:
            launch += (f"videotestsrc num-buffers=6 pattern={colour} ! "
                       f"video/x-raw,format={form},width={width},height={height},framerate=30/1 ! c. ")
        stats, _ = play(launch)
        assert shown(stats) == 6 * len(parts) and stats["dropped"] == 0, (settings, stats)
        rows = screen.picture()
        assert_rgb(rows, W, 80, 60, (255, 0, 0))
        for x in (0, 40, 120, 159):
            assert_rgb(rows, W, x, 60, (255, 0, 0) if settings == "scaling=stretch" else (0, 0, 0))
        screen.remove()


def test_input_selector_switches_between_formats():
    screen = Screen(W, H)
    p = Play("input-selector name=s sync-streams=false ! "
             f"fbdevzerosink name=sink sync=false device={screen.device} "
             f"videotestsrc pattern=red ! {NATIVE},framerate=30/1 ! s.sink_0 "
             "videotestsrc pattern=blue ! video/x-raw,format=I420,width=80,height=60,framerate=30/1 ! s.sink_1")
    selector = p.pipeline.get_by_name("s")
    p.pipeline.set_state(Gst.State.PLAYING)
    for i in range(6):
        selector.set_property("active-pad", selector.get_static_pad(f"sink_{i % 2}"))
        way = "converted" if i % 2 else "flipped"
        before = p.stats()[way]
        while p.stats()[way] < before + 5:
            p.drain()
            assert not p.errors, p.errors
    stats = p.stats()
    p.stop()
    assert stats["dropped"] == 0, stats
    assert_rgb(screen.picture(), W, 80, 60, (0, 0, 255))
    screen.remove()


def test_a_frame_of_the_input_before_comes_after_the_switch():
    """Both inputs push in a thread of their own: one may be past the selector's check when the other one becomes active,
    and its frame arrives with the caps of that one. Here it waits until these have gone by."""
    for old, new in ((NATIVE, "video/x-raw,format=I420,width=80,height=60"),
                     ("video/x-raw,format=I420,width=80,height=60", NATIVE),
                     ("video/x-raw,format=BGRx,width=80,height=60", NATIVE)):
        screen = Screen(W, H)
        p = Play("input-selector name=s sync-streams=false ! "
                 f"fbdevzerosink name=sink sync=false device={screen.device} "
                 f"videotestsrc pattern=red ! {old},framerate=30/1 ! s.sink_0 "
                 f"videotestsrc pattern=blue ! {new},framerate=30/1 ! s.sink_1")
        selector = p.pipeline.get_by_name("s")
        switched, frames = threading.Event(), []

        def look_on(_pad, _info, switched=switched, frames=frames, selector=selector):
            frames.append(None)
            if len(frames) == 3:
                selector.set_property("active-pad", selector.get_static_pad("sink_1"))
                assert switched.wait(60), "the other input pushes nothing"
            elif len(frames) == 4:  # of the other one: its caps are through
                switched.set()
            return Gst.PadProbeReturn.OK

        selector.get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, look_on)
        p.pipeline.set_state(Gst.State.PLAYING)
        while shown(p.stats()) < 20 or not p.stats()["dropped"]:
            p.drain()
            assert not p.errors, p.errors
        stats = p.stats()
        p.stop()
        assert not p.errors, p.errors
        assert stats["dropped"] == 1, (old, new, stats)
        assert_rgb(screen.picture(), W, 80, 60, (0, 0, 255))
        screen.remove()


# ---- text ------------------------------------------------------------------------------------------------------------

def bright_rows(rows, width=W, height=H):
    """The rows that have something near white in them."""
    return [y for y in range(height)
            if any(min(rows[i:i + 3]) > 200 for i in range(y * width * 4, (y + 1) * width * 4, 4))]


def black_clip(folder):
    path = os.path.join(folder, "black.webm")
    p = Play(f"videotestsrc pattern=black num-buffers={FRAMES} ! "
             f"video/x-raw,format=I420,width={W},height={H},framerate=30/1 ! vp8enc deadline=1 ! webmmux ! "
             f"filesink location={path}").to_end()
    p.stop()
    assert not p.errors, p.errors
    return path


def test_textoverlay_in_every_way():
    for form, settings in (("BGRx", ""), ("I420", ""), ("NV12", ""), ("BGRx", "offer-pages=never"), ("BGRx", "pages=2"),
                           ("BGRx", "pages=1"), ("I420", "pages=1"), ("RGB", "")):
        screen = Screen(W, H)
        stats, _ = play(f"videotestsrc num-buffers=6 pattern=black ! video/x-raw,format={form},width={W},height={H} ! "
                        "textoverlay text=Hello valignment=top halignment=center font-desc=\"Sans 24\" ! "
                        f"fbdevzerosink name=sink sync=false device={screen.device} {settings}")
        assert shown(stats) == 6 and stats["dropped"] == 0, (form, stats)
        found = bright_rows(screen.picture())
        assert found and max(found) < H * 2 // 3, (form, settings, found)
        screen.remove()


def test_textoverlay_on_a_scaled_picture():
    screen = Screen(W, H)
    stats, _ = play("videotestsrc num-buffers=6 pattern=black ! video/x-raw,format=I420,width=320,height=240 ! "
                    "textoverlay text=Hello valignment=top halignment=center font-desc=\"Sans 48\" ! "
                    f"fbdevzerosink name=sink sync=false device={screen.device}")
    assert_counts(stats, converted=6)
    found = bright_rows(screen.picture())
    assert found and max(found) < H * 2 // 3, found
    screen.remove()


def test_textoverlay_on_decoded_frames():
    if Gst.ElementFactory.find("avzerodec") is None:
        print("SKIPPED test_textoverlay_on_decoded_frames: there is no avzerodec")
        return
    with tempfile.TemporaryDirectory(prefix="bufalloc-") as folder:
        screen = Screen(W, H)
        stats, _ = play(f"filesrc location={black_clip(folder)} ! matroskademux ! avzerodec ! "
                        "textoverlay text=Hello valignment=top font-desc=\"Sans 24\" ! "
                        f"fbdevzerosink name=sink sync=false device={screen.device}")
        assert_counts(stats, converted=FRAMES)
        found = bright_rows(screen.picture())
        assert found and max(found) < H * 2 // 3, found
        screen.remove()


def srt(folder):
    path = os.path.join(folder, "text.srt")
    with open(path, "w", encoding="utf-8") as f:
        for n in range(20):  # a short file is not known for what it is
            f.write(f"{n + 1}\n00:00:{n:02d},000 --> 00:00:{n + 1:02d},000\nHello\n\n")
        f.write("21\n00:00:20,000 --> 90:00:00,000\nHello\n\n")
    return path


def test_subtitleoverlay():
    with tempfile.TemporaryDirectory(prefix="bufalloc-") as folder:
        for form in ("BGRx", "I420"):
            screen = Screen(W, H)
            p = Play("subtitleoverlay name=o font-desc=\"Sans 24\" ! "
                     f"fbdevzerosink name=sink sync=false device={screen.device} "
                     f"videotestsrc pattern=black ! video/x-raw,format={form},width={W},height={H},framerate=30/1 ! "
                     f"o.video_sink filesrc location={srt(folder)} ! subparse ! o.subtitle_sink")
            p.pipeline.set_state(Gst.State.PLAYING)
            found = []
            while not found:  # when the overlay has its text is the overlay's affair
                p.drain()
                assert not p.errors, p.errors
                found = bright_rows(screen.picture()) if os.path.exists(screen.path) else []
            stats = p.stats()
            p.stop()
            assert stats["dropped"] == 0, (form, stats)
            assert min(found) > H // 3, (form, found)
            screen.remove()


def test_playbin_shows_subtitles_from_a_file():
    with tempfile.TemporaryDirectory(prefix="bufalloc-") as folder:
        screen = Screen(W, H)
        p = Player("playbin", uri(black_clip(folder)), screen)
        p.player.set_property("suburi", uri(srt(folder)))
        p.player.set_property("subtitle-font-desc", "Sans 24")
        p.pipeline.set_state(Gst.State.PAUSED)
        found = []
        while not found:
            p.wait(Gst.MessageType.ASYNC_DONE | Gst.MessageType.ERROR)
            assert not p.errors, p.errors
            found = bright_rows(screen.picture())
            if not found:
                p.pipeline.seek_simple(Gst.Format.TIME, Gst.SeekFlags.FLUSH | Gst.SeekFlags.ACCURATE,
                                       6 * Gst.SECOND // 30)
        p.to_end()
        stats = p.stats()
        p.stop()
        assert not p.errors and stats["dropped"] == 0, (p.errors, stats)
        assert min(found) > H // 3, found
        screen.remove()


# ---- several at a time -----------------------------------------------------------------------------------------------

def test_compositor_of_two_pictures():
    for middle in ("", f"{NATIVE} !"):
        screen = Screen(W, H)
        stats, _ = play("compositor name=c background=black sink_1::xpos=80 sink_1::ypos=60 ! "
                        f"{middle} fbdevzerosink name=sink sync=false device={screen.device} "
                        "videotestsrc num-buffers=8 pattern=red ! video/x-raw,width=80,height=60,framerate=30/1 ! c. "
                        "videotestsrc num-buffers=8 pattern=blue ! video/x-raw,width=80,height=60,framerate=30/1 ! c.")
        assert_counts(stats, flipped=8) if middle else None
        assert shown(stats) == 8 and stats["dropped"] == 0, stats
        rows = screen.picture()
        for x, y, rgb in ((20, 20, (255, 0, 0)), (120, 90, (0, 0, 255)), (120, 20, (0, 0, 0)), (20, 90, (0, 0, 0))):
            assert_rgb(rows, W, x, y, rgb)
        screen.remove()


def test_two_sinks_on_two_displays():
    screens = [Screen(W, H), Screen(80, 60, "rate=300,pages=3")]
    p = Play(f"videotestsrc num-buffers=20 pattern=green ! {NATIVE} ! tee name=t "
             f"t. ! queue ! fbdevzerosink name=sink sync=false device={screens[0].device} "
             f"t. ! queue ! fbdevzerosink name=other sync=false device={screens[1].device}").to_end()
    assert not p.errors, p.errors
    assert_counts(p.stats(), copied=20)
    assert_counts(p.stats("other"), converted=20)
    p.stop()
    for screen, width in zip(screens, (W, 80)):
        assert_rgb(screen.picture(), width, 5, 5, (0, 255, 0))
        screen.remove()


def test_two_sinks_on_one_display_the_second_gets_a_clear_error():
    screen = Screen(W, H)
    first = Play(f"videotestsrc pattern=green ! {NATIVE} ! fbdevzerosink name=sink sync=false device={screen.device}")
    first.pipeline.set_state(Gst.State.PAUSED)
    first.wait(Gst.MessageType.ASYNC_DONE | Gst.MessageType.ERROR)
    second = Play(f"videotestsrc pattern=red ! fbdevzerosink name=sink device={screen.device}").to_end()
    assert len(second.errors) == 1 and screen.path in second.errors[0], second.errors
    assert "another" in second.errors[0], second.errors
    first.pipeline.set_state(Gst.State.PLAYING)
    while first.stats()["flipped"] < 5:
        first.drain()
        assert not first.errors, first.errors
    assert_rgb(screen.picture(), W, 5, 5, (0, 255, 0))
    first.stop()
    # and now it is free
    second.errors.clear()
    second.pipeline.set_state(Gst.State.PAUSED)
    second.wait(Gst.MessageType.ASYNC_DONE | Gst.MessageType.ERROR)
    assert not second.errors, second.errors
    assert_rgb(screen.picture(), W, 5, 5, (255, 0, 0))
    second.stop()
    screen.remove()


def test_two_sinks_of_one_pipeline_on_one_display():
    screen = Screen(W, H)
    p = Play(f"videotestsrc num-buffers=20 ! {NATIVE} ! tee name=t "
             f"t. ! queue ! fbdevzerosink name=sink sync=false device={screen.device} "
             f"t. ! queue ! fbdevzerosink name=other sync=false device={screen.device}").to_end()
    assert len(p.errors) == 1 and screen.path in p.errors[0], p.errors
    p.stop()
    screen.remove()


def test_glimagesink_beside_it():
    gl = Gst.ElementFactory.make("glimagesink", None)
    reason = "there is no glimagesink" if gl is None else None
    if gl is not None:
        if gl.set_state(Gst.State.READY) == Gst.StateChangeReturn.FAILURE:
            reason = "GL cannot start here"
        gl.set_state(Gst.State.NULL)
    if reason:
        print(f"SKIPPED test_glimagesink_beside_it: {reason}")
        return
    screen = Screen(W, H)
    p = Play(f"videotestsrc num-buffers=20 pattern=green ! {NATIVE} ! tee name=t "
             f"t. ! queue ! fbdevzerosink name=sink sync=false device={screen.device} "
             "t. ! queue ! glimagesink sync=false").to_end()
    assert not p.errors, p.errors
    assert_counts(p.stats(), copied=20)
    p.stop()
    assert_rgb(screen.picture(), W, 5, 5, (0, 255, 0))
    screen.remove()


# ---- cameras and clocks ----------------------------------------------------------------------------------------------

# What v4l2src offers, as far as videotestsrc can draw it; with what the sink does not take.
TAKEN = ("I420", "YV12", "NV12", "NV21", "YUY2", "UYVY", "Y42B", "GRAY8", "RGB", "BGR", "BGRx", "RGBx", "xRGB", "xBGR",
         "BGRA", "RGBA", "ARGB", "ABGR", "RGB16", "RGB15", "P010_10LE")
OTHERS = ("YVYU", "VYUY", "Y41B", "YUV9", "YVU9", "NV16", "NV61", "NV24", "GRAY16_LE", "GRAY16_BE")


def test_what_cameras_give():
    for form in TAKEN + OTHERS:
        grey = form.startswith("GRAY")
        rgb = (128, 128, 128) if grey else (64, 128, 192)
        colour = 0xff000000 | rgb[0] << 16 | rgb[1] << 8 | rgb[2]
        screen = Screen(W, H)
        stats, _ = play(f"videotestsrc is-live=true num-buffers=6 pattern=solid-color foreground-color={colour} ! "
                        f"video/x-raw,format={form},width=80,height=60,framerate=120/1 ! "
                        f"{'' if form in TAKEN else 'videoconvert !'} "
                        f"fbdevzerosink name=sink sync=false device={screen.device}")
        assert shown(stats) == 6 and stats["dropped"] == 0, (form, stats)
        try:
            assert_rgb(screen.picture(), W, 80, 60, rgb, 9 if form in ("RGB16", "RGB15") else 5)
        except AssertionError as e:
            raise AssertionError(f"{form}: {e}") from e
        screen.remove()


def test_a_camera_that_offers_formats_gets_the_cheapest():
    stats, _ = play("videotestsrc num-buffers=6 ! video/x-raw,format={YUY2,BGRx,RGB},width=160,height=120 ! "
                    "fbdevzerosink name=sink sync=false device=virtual:160x120,rate=0")
    assert_counts(stats, flipped=6)


def test_a_live_source_plays_in_time():
    for form in ("BGRx", "YUY2"):
        screen = Screen(W, H, "rate=200")
        p = Play(f"videotestsrc is-live=true num-buffers=12 pattern=red ! "
                 f"video/x-raw,format={form},width={W},height={H},framerate=60/1 ! "
                 f"fbdevzerosink name=sink max-lateness=-1 qos=false device={screen.device}")
        assert p.pipeline.set_state(Gst.State.PAUSED) == Gst.StateChangeReturn.NO_PREROLL
        p.to_end()
        stats = p.stats()
        p.stop()
        assert not p.errors, p.errors
        assert shown(stats) == 12 and stats["dropped"] == 0, stats
        assert_rgb(screen.picture(), W, 5, 5, (255, 0, 0))
        screen.remove()


def test_latency_is_asked_for():
    p = Play(f"videotestsrc is-live=true num-buffers=6 ! {NATIVE},framerate=60/1 ! "
             "fbdevzerosink name=sink device=virtual:160x120,rate=0")
    p.pipeline.set_state(Gst.State.PLAYING)
    p.pipeline.get_state(Gst.CLOCK_TIME_NONE)
    query = Gst.Query.new_latency()
    assert p.pipeline.query(query)
    live, _, _ = query.parse_latency()
    p.to_end()
    p.stop()
    assert live and not p.errors


def slow_screen(settings, frames=24):
    """100 frames a second for a screen of 20: each flip waits for the one before."""
    p = Play(f"videotestsrc num-buffers={frames} ! {NATIVE},framerate=100/1 ! "
             f"fbdevzerosink name=sink device=virtual:160x120,pages=3,rate=20 {settings}")
    qos = []
    p.bus.set_sync_handler(lambda bus, message: (qos.append(message) if message.type == Gst.MessageType.QOS else None,
                                                 Gst.BusSyncReply.PASS)[1])
    p.to_end()
    base = p.pipeline.get_by_name("sink").get_property("stats")
    stats = p.stats()
    p.stop()
    assert not p.errors, p.errors
    return stats, base, qos


def test_a_slow_screen_drops_late_frames_and_says_so():
    stats, base, qos = slow_screen("qos=true max-lateness=5000000")
    assert stats["dropped"] > 0 and shown(stats) + stats["dropped"] == 24, stats
    assert base.get_value("dropped") == stats["dropped"], (base.to_string(), stats)
    assert base.get_value("rendered") == shown(stats), (base.to_string(), stats)
    assert qos, "no QoS message"


def test_without_a_max_lateness_a_slow_screen_shows_all():
    stats, base, _ = slow_screen("qos=true max-lateness=-1", 8)
    assert shown(stats) == 8 and stats["dropped"] == 0 and base.get_value("dropped") == 0, (stats, base.to_string())


def test_qos_goes_upstream():
    events = []
    p = Play(f"videotestsrc num-buffers=24 ! {NATIVE},framerate=100/1 ! identity name=i ! "
             "fbdevzerosink name=sink qos=true max-lateness=5000000 device=virtual:160x120,pages=3,rate=20")

    def see(_, info):
        if info.get_event().type == Gst.EventType.QOS:
            events.append(info.get_event())
        return Gst.PadProbeReturn.OK

    p.pipeline.get_by_name("i").get_static_pad("src").add_probe(Gst.PadProbeType.EVENT_UPSTREAM, see)
    p.to_end()
    p.stop()
    assert not p.errors, p.errors
    assert any(event.parse_qos()[2] > 0 for event in events), f"{len(events)} QoS events, none tells of a late frame"


if __name__ == "__main__":
    os.makedirs(os.environ["BA_CLIP_DIR"], exist_ok=True)
    main(sys.modules[__name__])
