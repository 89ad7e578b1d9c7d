# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pictures of 8 bits per colour: screendumps, what an element drew, and what differs between two of them."""
import struct
import zlib

# How the bytes of a pixel of these formats lie: place of red, green and blue, bytes per pixel.
BYTES = {"BGRx": (2, 1, 0, 4), "RGBx": (0, 1, 2, 4), "xRGB": (1, 2, 3, 4), "xBGR": (3, 2, 1, 4), "BGR": (2, 1, 0, 3),
         "RGB": (0, 1, 2, 3), "GRAY8": (0, 0, 0, 1)}
WORDS = {"RGB16": 16, "RGB15": 15}


class Picture:
    """width × height pixels of red, green, blue, a byte each."""

    def __init__(self, width, height, rgb):
        assert len(rgb) == width * height * 3, f"{len(rgb)} bytes for {width}x{height}"
        self.width, self.height, self.rgb = width, height, bytes(rgb)

    def pixel(self, x, y):
        return self.rgb[(y * self.width + x) * 3:][:3]

    def row(self, y, x=0, width=None):
        at = (y * self.width + x) * 3
        return self.rgb[at:at + 3 * (self.width if width is None else width)]

    def turned_right(self):
        """A quarter turn clockwise."""
        columns = [[self.pixel(x, self.height - 1 - y) for y in range(self.height)] for x in range(self.width)]
        return Picture(self.height, self.width, b"".join(b"".join(column) for column in columns))

    def on(self, width, height):
        """In the middle of a black picture of this size."""
        x, y = (width - self.width) // 2, (height - self.height) // 2
        black = bytes(3 * width)
        rows = [black[:3 * x] + self.row(r) + black[:3 * (width - x - self.width)] for r in range(self.height)]
        return Picture(width, height, black * y + b"".join(rows) + black * (height - y - self.height))


def read_ppm(path):
    with open(path, "rb") as file:
        data = file.read()
    kind, size, _, pixels = data.split(b"\n", 3)
    assert kind == b"P6", kind
    width, height = map(int, size.split())
    return Picture(width, height, pixels[:width * height * 3])


def write_ppm(path, picture):
    with open(path, "wb") as file:
        file.write(b"P6\n%d %d\n255\n" % (picture.width, picture.height) + picture.rgb)


def widen(data, bits):
    """Packed 16 or 15 bit pixels, red on top, to 8 bits a colour: the highest bits again below the lowest."""
    green = 6 if bits == 16 else 5
    out = bytearray()
    table = {}
    for value in struct.unpack(f"<{len(data) // 2}H", data):
        if value not in table:
            r, g, b = value >> (green + 5) & 31, value >> 5 & ((1 << green) - 1), value & 31
            table[value] = bytes((r << 3 | r >> 2, g << (8 - green) | g >> (2 * green - 8), b << 3 | b >> 2))
        out += table[value]
    return bytes(out)


def from_bits(width, height, rows):
    """The picture of rows of one bit a pixel, the first in the highest bit, 1 = white."""
    eight = [b"".join(b"\xff\xff\xff" if byte & bit else b"\0\0\0" for bit in (128, 64, 32, 16, 8, 4, 2, 1))
             for byte in range(256)]
    return Picture(width, height, b"".join(eight[byte] for byte in rows))


def from_rows(form, width, height, rows):
    """The picture of rows of this format with nothing between them."""
    if form == "MONO10":
        return from_bits(width, height, rows)
    if form in WORDS:
        return Picture(width, height, widen(rows, WORDS[form]))
    red, green, blue, pixel_bytes = BYTES[form]
    rgb = bytearray(3 * width * height)
    for place, colour in enumerate((red, green, blue)):
        rgb[place::3] = rows[colour::pixel_bytes]
    return Picture(width, height, rgb)


def from_raw(form, width, height, data):
    """The last picture of the bytes that a file sink got of this format; rows are filled to four bytes."""
    row_bytes = width * (2 if form in WORDS else BYTES[form][3])
    stride = (row_bytes + 3) // 4 * 4
    data = data[-stride * height:]
    return from_rows(form, width, height, b"".join(data[y * stride:y * stride + row_bytes] for y in range(height)))


def difference(found, wanted, tolerance=0):
    """What differs, in words, or None."""
    if (found.width, found.height) != (wanted.width, wanted.height):
        return f"{found.width}x{found.height}, not {wanted.width}x{wanted.height}"
    if found.rgb == wanted.rgb:
        return None
    wrong, worst, first = 0, 0, None
    for y in range(found.height):
        a, b = found.row(y), wanted.row(y)
        if a == b:
            continue
        for x in range(found.width):
            off = max(abs(a[3 * x + c] - b[3 * x + c]) for c in range(3))
            worst = max(worst, off)
            if off > tolerance:
                wrong += 1
                first = first or f"at {x},{y}: {a[3 * x:3 * x + 3].hex()}, not {b[3 * x:3 * x + 3].hex()}"
    return f"{wrong} of {found.width * found.height} pixels differ, by up to {worst}; first {first}" if wrong else None


def vkms_crc(picture):
    """The CRC that vkms has for a screen with these pixels: of alpha, red, green, blue in 16 bits each."""
    crc = 0
    for y in range(picture.height):
        row = picture.row(y)
        values = [0xffff] * (4 * picture.width)
        for colour in range(3):
            values[colour + 1::4] = [value * 257 for value in row[colour::3]]
        crc = zlib.crc32(struct.pack(f"<{4 * picture.width}H", *values), crc ^ 0xffffffff) ^ 0xffffffff
    return crc
