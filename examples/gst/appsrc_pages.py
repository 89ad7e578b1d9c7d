#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""appsrc_pages.py [DEVICE [FRAMES]]: cairo draws straight onto the pages of the screen.

Asks the sink what the screen is like and for a pool (an ALLOCATION query), configures it, acquires pages, lets cairo
draw on the mapped memory, and pushes them through appsrc. At the end it prints the sink's frame-stats, where `flipped`
is the number of frames. Needs python3-gi, python3-gst-1.0 (which makes Gst.Buffer.map() give memory that can be
written) and python3-cairo.
"""
import math
import sys

import cairo
import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstVideo", "1.0")
gi.require_version("GstBufalloc", "1.0")
from gi.repository import Gst, GstBufalloc, GstVideo  # noqa: E402

FRAMES_PER_S = 30
CAIRO_FORMATS = {"BGRx": cairo.FORMAT_RGB24, "BGRA": cairo.FORMAT_ARGB32, "RGB16": cairo.FORMAT_RGB16_565}


class App:
    def __init__(self, device, frames):
        self.frames, self.next, self.pool, self.failed = frames, 0, None, None
        self.pipeline = Gst.Pipeline()
        self.src = Gst.ElementFactory.make("appsrc")
        self.sink = Gst.ElementFactory.make("fbdevzerosink")
        if not self.src or not self.sink:
            sys.exit("appsrc_pages.py: there is no fbdevzerosink or no appsrc; is GST_PLUGIN_PATH set?")
        self.src.set_property("format", Gst.Format.TIME)
        self.src.connect("need-data", self.on_need_data)
        self.sink.set_property("device", device)
        self.sink.set_property("max-lateness", -1)  # every frame is to be seen, be it late
        self.pipeline.add(self.src)
        self.pipeline.add(self.sink)
        self.src.link(self.sink)

    def choose_caps(self):
        """The first caps that a fbdevzerosink names are the ones that can be flipped. The display is open from READY
        on."""
        caps = self.sink.get_static_pad("sink").query_caps(None)
        first = Gst.Structure.new_from_string(caps.get_structure(0).to_string())
        first.set_value("framerate", Gst.Fraction(FRAMES_PER_S, 1))
        caps = Gst.Caps.new_empty()
        caps.append_structure(first)
        self.caps = caps.fixate()
        self.info = GstVideo.VideoInfo.new_from_caps(self.caps)
        self.src.set_property("caps", self.caps)

    def configure(self, pool, size, least, most):
        """A pool that must change something says no at first; what it needs is in its own configuration then."""
        config = pool.get_config()
        Gst.BufferPool.config_set_params(config, self.caps, size, least, most)
        Gst.BufferPool.config_add_option(config, "GstBufferPoolOptionVideoMeta")
        return pool.set_config(config) or pool.set_config(pool.get_config())

    def ask_for_pool(self):
        """Streaming thread: the query is serialized with the data."""
        query = Gst.Query.new_allocation(self.caps, True)
        if self.src.get_static_pad("src").peer_query(query) and query.get_n_allocation_pools() > 0:
            pool, size, least, most = query.parse_nth_allocation_pool(0)
            if pool and self.configure(pool, size, least, most) and pool.set_active(True):
                return pool
        pool = GstBufalloc.NormalPool.new()  # nothing better: memory that the sink copies
        if not self.configure(pool, self.info.size, 3, 0) or not pool.set_active(True):
            raise RuntimeError("no pool for the frames")
        return pool

    def paint(self, data, first_row, rows, stride):
        """Rows of the picture. The surface must be gone before the page is unmapped, so it lives in here."""
        surface = cairo.ImageSurface.create_for_data(
            data, CAIRO_FORMATS[self.info.finfo.name], self.info.width, rows, stride)
        context = cairo.Context(surface)
        context.translate(0, -first_row)
        context.set_source_rgb(0, 0, 0.5)
        context.paint()
        angle = 2 * math.pi * self.next / FRAMES_PER_S
        context.move_to(self.info.width / 2, self.info.height / 2)
        context.arc(self.info.width / 2, self.info.height / 2, self.info.height / 3, angle, angle + math.pi)
        context.set_source_rgb(1, 1, 0)
        context.fill()

    def draw(self, buffer):
        meta = GstVideo.buffer_get_video_meta(buffer)
        stride = meta.stride[0] if meta else self.info.stride[0]
        rows = self.info.height
        with buffer.map(Gst.MapFlags.WRITE) as page:
            if page.size >= stride * rows:
                self.paint(page.data, 0, rows, stride)
            else:  # the memory ends with the last pixel, and cairo wants whole rows: the last one is its own surface
                self.paint(page.data, 0, rows - 1, stride)
                self.paint(page.data[stride * (rows - 1):], rows - 1, 1, page.size - stride * (rows - 1))

    def on_need_data(self, src, _length):
        """Streaming thread: one frame for each call."""
        try:
            if self.next == self.frames:
                src.emit("end-of-stream")
                return
            if not self.pool:
                self.pool = self.ask_for_pool()
            flow, buffer = self.pool.acquire_buffer(None)
            if flow != Gst.FlowReturn.OK:
                return  # the pipeline stops
            self.draw(buffer)
            buffer.pts = self.next * Gst.SECOND // FRAMES_PER_S
            buffer.duration = Gst.SECOND // FRAMES_PER_S
            self.next += 1
            src.emit("push-buffer", buffer)
            # `buffer` ends here: as long as Python refers to a page, nobody else gets it
        except Exception as error:  # pylint: disable=broad-except
            self.failed = error  # an exception does not leave a callback
            src.emit("end-of-stream")

    def play(self):
        self.pipeline.set_state(Gst.State.PLAYING)
        message = self.pipeline.get_bus().timed_pop_filtered(
            Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR)
        if message.type == Gst.MessageType.ERROR:
            self.failed = self.failed or message.parse_error()[0].message

    def run(self):
        if self.pipeline.set_state(Gst.State.READY) != Gst.StateChangeReturn.FAILURE:
            self.choose_caps()
        self.play()
        print(self.sink.get_property("frame-stats").to_string())
        self.pipeline.set_state(Gst.State.NULL)
        if self.pool:
            self.pool.set_active(False)
        if self.failed:
            sys.exit(f"appsrc_pages.py: {self.failed}")


Gst.init(None)
GstBufalloc.init()
App(sys.argv[1] if len(sys.argv) > 1 else "virtual:640x480",
    int(sys.argv[2]) if len(sys.argv) > 2 else 90).run()
