# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the sink does on the way to a page, all at once, held against GStreamer's elements for it: crop, turn, scale, text.
Where nothing is computed the bytes are the same; where two filters differ the pictures are close (PSNR)."""
import math
import sys

from harness import Screen, assert_counts, assert_same, draw, main, play

DIRECTIONS = ("identity", "90r", "180", "90l", "horiz", "vert", "ul-lr", "ur-ll")
FRAMES = 3
CROP = "videocrop left=7 right=12 top=5 bottom=9"
TEXT = "textoverlay text=Turned font-desc=\"Sans 14\" valignment=top halignment=left"

# videoconvert's straight way from I420 to BGRx is off by up to 6
EXACT = "videoconvert chroma-resampler=nearest dither=none"
TO_BGRX = f"{EXACT} ! video/x-raw,format=ARGB64 ! {EXACT} ! video/x-raw,format=BGRx"


def source(pattern, form, width, height):
    return (f"videotestsrc num-buffers={FRAMES} pattern={pattern} ! "
            f"video/x-raw,format={form},width={width},height={height},framerate=30/1")


def swaps(direction):
    return direction in ("90r", "90l", "ul-lr", "ur-ll")


def placed(rows, width, height, screen_width, screen_height):
    """BGRx rows in the middle of a black screen; the fourth byte of a pixel is nobody's."""
    left, top = (screen_width - width) // 2, (screen_height - height) // 2
    out = bytearray(screen_width * screen_height * 4)
    for y in range(height):
        at = ((top + y) * screen_width + left) * 4
        out[at:at + width * 4] = rows[y * width * 4:(y + 1) * width * 4]
    out[3::4] = bytes(len(out) // 4)
    return bytes(out)


def without_x(rows):
    out = bytearray(rows)
    out[3::4] = bytes(len(out) // 4)
    return bytes(out)


def psnr(found, wanted):
    """Of the three channels; what is black in both does not make it better."""
    assert len(found) == len(wanted)
    pairs = [(a, b) for i in range(0, len(found), 4) for a, b in zip(found[i:i + 3], wanted[i:i + 3])
             if any(wanted[i:i + 3]) or any(found[i:i + 3])]
    error = sum((a - b) ** 2 for a, b in pairs) / len(pairs)
    return 10 * math.log10(255 * 255 / error) if error else math.inf


def box_of_text(rows, width):
    """(left, top, right, bottom) of what is nearly white, or None."""
    bright = [i for i in range(0, len(rows), 4) if min(rows[i:i + 3]) > 180]
    columns, lines = [i // 4 % width for i in bright], [i // 4 // width for i in bright]
    return (min(columns), min(lines), max(columns), max(lines)) if bright else None


def last_of(pipeline, width, height):
    """The last picture that stock elements make of it, BGRx of this size."""
    return draw(f"{pipeline} ! video/x-raw,format=BGRx,width={width},height={height}")[-width * height * 4:]


def on_screen(pipeline, screen, settings, **counts):
    stats, _ = play(f"{pipeline} ! fbdevzerosink name=sink sync=false device={screen.device} {settings}")
    assert_counts(stats, **counts)
    return without_x(screen.picture())


def test_cropped_and_turned_is_exact():
    width, height = 90 - 19, 60 - 14
    for pages in (1, 3):
        for direction in DIRECTIONS:
            screen = Screen(101, 95, f"rate=0,pages={pages}")
            start = f"{source('smpte', 'BGRx', 90, 60)} ! {CROP}"
            found = on_screen(start, screen, f"scaling=none video-direction={direction}",
                              **{"copied" if direction == "identity" else "converted": FRAMES})
            w, h = (height, width) if swaps(direction) else (width, height)
            wanted = last_of(f"{start} ! videoflip video-direction={direction}", w, h)
            assert_same(found, placed(wanted, w, h, 101, 95))
            screen.remove()


def test_cropped_turned_and_scaled_is_close():
    width, height = 340 - 19, 260 - 14
    for direction in ("90r", "180", "ur-ll"):
        w, h = (height, width) if swaps(direction) else (width, height)
        for factor in (0.5, 0.7, 1.6):
            out_w, out_h = round(w * factor), round(h * factor)
            screen = Screen(out_w, out_h)
            for form in ("BGRx", "I420"):
                start = f"{source('zone-plate kx2=2 ky2=3', form, 340, 260)} ! {CROP}"
                found = on_screen(start, screen, f"scaling=stretch video-direction={direction}", converted=FRAMES)
                wanted = last_of(f"{start} ! {TO_BGRX} ! "
                                 f"videoflip video-direction={direction} ! "
                                 f"videoscale method=bilinear add-borders=false", out_w, out_h)
                ratio = psnr(found, without_x(wanted))
                assert ratio >= 40, (direction, factor, form, ratio)
            screen.remove()


def test_text_on_a_cropped_turned_picture():
    """The text comes as a picture of its own, and is blended onto pixels that were turned: the same, but for rounding."""
    width, height = 180 - 19, 120 - 14
    for direction in DIRECTIONS:
        w, h = (height, width) if swaps(direction) else (width, height)
        screen = Screen(w, h)
        start = f"{source('blue', 'BGRx', 180, 120)} ! {CROP} ! {TEXT}"
        found = on_screen(start, screen, f"scaling=none video-direction={direction}",
                          **{"copied" if direction == "identity" else "converted": FRAMES})
        wanted = without_x(last_of(f"{start} ! videoflip video-direction={direction}", w, h))
        assert box_of_text(wanted, w), "there is no text"
        worst = max(abs(a - b) for a, b in zip(found, wanted))
        assert worst <= 3, (direction, worst, psnr(found, wanted))
        screen.remove()


def test_text_on_a_cropped_turned_and_scaled_picture():
    """Text is drawn with the pixels of the screen, so its edges are sharper than those of scaled text."""
    width, height = 340 - 19, 260 - 14
    for direction in ("identity", "90r", "horiz"):
        w, h = (height, width) if swaps(direction) else (width, height)
        out_w, out_h = round(w * 1.5), round(h * 1.5)
        screen = Screen(out_w, out_h)
        start = (f"{source('blue', 'I420', 340, 260)} ! {CROP} ! "
                 "textoverlay text=Turned font-desc=\"Sans 40\" valignment=top halignment=left draw-shadow=false")
        found = on_screen(start, screen, f"scaling=stretch video-direction={direction}", converted=FRAMES)
        wanted = without_x(last_of(f"{start} ! {TO_BGRX} ! "
                                   f"videoflip video-direction={direction} ! "
                                   f"videoscale method=bilinear add-borders=false", out_w, out_h))
        box, other = box_of_text(found, out_w), box_of_text(wanted, out_w)
        assert other and all(abs(a - b) <= 3 for a, b in zip(box, other)), (direction, box, other)
        screen.remove()


def test_text_on_flipped_pages_pixel_by_pixel():
    """The sink draws it onto the page that upstream drew: nothing is copied, and every pixel is as textoverlay's own."""
    for form in ("BGRx", "xRGB", "RGB16", "BGR"):
        size = {"BGRx": 4, "xRGB": 4, "RGB16": 2, "BGR": 3}[form]
        screen = Screen(120, 80, f"rate=0,format={form}")
        start = f"{source('smpte', form, 120, 80)} ! {TEXT}"
        # the preroll's frame is last-sample's as well, and what is shared is not drawn on
        stats, _ = play(f"{start} ! fbdevzerosink name=sink sync=false enable-last-sample=false device={screen.device}")
        assert_counts(stats, flipped=FRAMES)
        assert stats["bytes-copied"] == 0, stats
        wanted = draw(start)[-120 * 80 * size:]
        found = screen.picture(size)
        assert len(found) == len(wanted)
        if size == 2:
            worst = max(max(abs((a >> s & m) - (b >> s & m)) for s, m in ((0, 31), (5, 63), (11, 31)))
                        for a, b in zip(memoryview(found).cast("H"), memoryview(wanted).cast("H")))
            assert worst <= 1, (form, worst)
        else:
            used = range(3) if form == "BGR" else (0, 1, 2) if form == "BGRx" else (1, 2, 3)
            worst = max(abs(found[i] - wanted[i]) for i in range(len(found)) if i % size in used)
            assert worst <= 3, (form, worst)
        screen.remove()


if __name__ == "__main__":
    main(sys.modules[__name__])
