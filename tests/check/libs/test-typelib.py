# SPDX-License-Identifier: LGPL-2.1-or-later
"""GstBufalloc as Python sees it: it loads, has the names that are promised, and its functions say who owns what.

test-typelib.py GIR: the annotations are read from the GIR, the rest is called. Prints "N passed, N failed".
"""
import sys
import traceback
import xml.etree.ElementTree as ElementTree

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstVideo", "1.0")
gi.require_version("GstBufalloc", "1.0")
from gi.repository import Gst, GstBufalloc, GstVideo  # noqa: E402

CORE = "{http://www.gtk.org/introspection/core/1.0}"
C = "{http://www.gtk.org/introspection/c/1.0}"
CLASSES = {
    "Allocator": [], "NormalAllocator": ["new"],
    "FbdevAllocator": ["get_info", "owns", "is_overflow", "get_overflows"],
    "Pool": ["acquire_timed"], "NormalPool": ["new"], "FbdevPool": ["new", "get_allocator", "set_origin", "get_window"],
}
FUNCTIONS = ["init", "flow_from_error", "fourcc_to_format", "fourcc_from_format"]
# C only: their arguments are types of the core library or of FFmpeg
C_ONLY = ("BaBuffer", "BaPool", "BaDisplay", "BaError", "BaAllocator", "BaLayout", "BaCancel", "AVFrame", "void*")
C_ONLY_FUNCTIONS = ("gst_ba_memory_get_start",)  # counts from where a core buffer begins


def gir():
    return ElementTree.parse(sys.argv[1]).getroot()


def test_it_has_the_names():
    for name, methods in CLASSES.items():
        found = getattr(GstBufalloc, name)
        for method in methods:
            assert hasattr(found, method), f"{name} has no {method}()"
    for name in FUNCTIONS:
        assert hasattr(GstBufalloc, name), f"there is no {name}()"
    assert issubclass(GstBufalloc.NormalPool, Gst.BufferPool)
    assert issubclass(GstBufalloc.FbdevPool, GstBufalloc.Pool)
    assert issubclass(GstBufalloc.FbdevAllocator, Gst.Allocator)


def test_nothing_that_an_application_needs_is_left_out():
    for function in gir().iter():
        if function.tag not in (CORE + "function", CORE + "method", CORE + "constructor"):
            continue
        if function.get("introspectable") != "0" or function.get(C + "identifier") in C_ONLY_FUNCTIONS:
            continue
        types = [kind.get(C + "type", "") for kind in function.iter(CORE + "type")]
        assert any(core in kind for kind in types for core in C_ONLY) or "display" in function.get(C + "identifier"), \
            f"{function.get(C + 'identifier')} is skipped, and has only types that Python knows: {types}"


def test_everything_says_who_owns_it():
    for function in gir().iter():
        if function.tag not in (CORE + "function", CORE + "method", CORE + "constructor"):
            continue
        if function.get("introspectable") == "0":
            continue
        name = function.get(C + "identifier")
        value = function.find(CORE + "return-value")
        assert next(function.iter(CORE + "doc"), None) is not None, f"{name} has no documentation"
        assert value.get("transfer-ownership"), f"{name}: who owns what it returns?"
        for parameter in function.iter(CORE + "parameter"):
            assert parameter.get("transfer-ownership"), f"{name}, {parameter.get('name')}: who owns it?"
            assert parameter.find(CORE + "doc") is not None, f"{name}: {parameter.get('name')} is not explained"


def parameter_of(function, name):
    for found in gir().iter():
        if found.get(C + "identifier") == function:
            for parameter in found.iter(CORE + "parameter"):
                if parameter.get("name") == name:
                    return parameter
    raise AssertionError(f"{function} has no {name}")


def test_out_parameters():
    buffer = parameter_of("gst_ba_pool_acquire_timed", "buffer")
    assert buffer.get("direction") == "out" and buffer.get("transfer-ownership") == "full", buffer.attrib
    info = parameter_of("gst_ba_fbdev_allocator_get_info", "info")
    assert info.get("direction") == "out" and info.get("caller-allocates") == "1", info.attrib
    window = parameter_of("gst_ba_fbdev_pool_get_window", "window")
    assert window.get("direction") == "out" and window.get("caller-allocates") == "1", window.attrib


def configure(pool, caps, size, least, most):
    config = pool.get_config()
    Gst.BufferPool.config_set_params(config, caps, size, least, most)
    Gst.BufferPool.config_add_option(config, "GstBufferPoolOptionVideoMeta")
    return pool.set_config(config) or pool.set_config(pool.get_config())


CAPS = "video/x-raw,format=BGRx,width=64,height=48,framerate=30/1"


def test_a_normal_pool():
    pool = GstBufalloc.NormalPool.new()
    assert configure(pool, Gst.Caps.from_string(CAPS), 64 * 48 * 4, 1, 2) and pool.set_active(True)
    flow, first = pool.acquire_timed(0)
    assert flow == Gst.FlowReturn.OK and first.get_size() == 64 * 48 * 4
    flow, second = pool.acquire_buffer(None)
    assert flow == Gst.FlowReturn.OK
    flow, none = pool.acquire_timed(Gst.MSECOND)
    assert flow == Gst.FlowReturn.EOS and none is None
    assert first.peek_memory(0).allocator.__class__ is GstBufalloc.NormalAllocator
    del first, second
    assert pool.acquire_timed(0)[0] == Gst.FlowReturn.OK
    assert pool.set_active(False)


def test_the_pages_of_a_sink():
    sink = Gst.ElementFactory.make("fbdevzerosink")
    sink.set_property("device", "virtual:64x48,rate=0")
    assert sink.set_state(Gst.State.PAUSED) != Gst.StateChangeReturn.FAILURE
    source = Gst.Pad.new("src", Gst.PadDirection.SRC)
    source.set_active(True)
    source.link(sink.get_static_pad("sink"))
    query = Gst.Query.new_allocation(Gst.Caps.from_string(CAPS), True)
    assert source.peer_query(query)
    pool, size, least, most = query.parse_nth_allocation_pool(0)
    assert isinstance(pool, GstBufalloc.FbdevPool), pool
    assert configure(pool, Gst.Caps.from_string(CAPS), size, least, most) and pool.set_active(True)
    allocator = pool.get_allocator()
    known, info = allocator.get_info()
    assert known and (info.width, info.height, info.finfo.name) == (64, 48, "BGRx")
    window = pool.get_window()
    assert (window.x, window.y, window.w, window.h) == (0, 0, 64, 48)
    flow, page = pool.acquire_buffer(None)
    assert flow == Gst.FlowReturn.OK
    assert allocator.owns(page.peek_memory(0)) and not allocator.is_overflow(page.peek_memory(0))
    assert allocator.get_overflows() == 0
    del page
    pool.set_active(False)
    sink.set_state(Gst.State.NULL)


def test_the_functions():
    assert GstBufalloc.flow_from_error(0) == Gst.FlowReturn.OK
    fourcc = GstBufalloc.fourcc_from_format(GstVideo.VideoFormat.BGRX)
    assert GstBufalloc.fourcc_to_format(fourcc) == GstVideo.VideoFormat.BGRX
    assert Gst.Allocator.find("bufalloc-normal") is not None
    assert Gst.Allocator.find("bufalloc-avframe") is not None
    assert Gst.Allocator.find("bufalloc-fbdev") is not None
    memory = GstBufalloc.NormalAllocator.new().alloc(100, None)
    assert memory.size == 100 and memory.is_type("bufalloc-normal")


def test_what_is_made_without_its_constructor_works_or_refuses():
    for name in ("NormalAllocator", "MemfdAllocator"):
        # FdAllocator has an alloc() of its own
        memory = Gst.Allocator.alloc(getattr(GstBufalloc, name)(), 100, None)
        assert memory is not None and memory.size == 100, name
        known, mapped = memory.map(Gst.MapFlags.READ)
        assert known and mapped.size == 100
        memory.unmap(mapped)
    pages = GstBufalloc.FbdevAllocator()
    assert pages.alloc(100, None) is None
    assert not pages.get_info()[0] and pages.get_overflows() == 0
    memory = GstBufalloc.NormalAllocator().alloc(100, None)
    assert not pages.owns(memory) and not pages.is_overflow(memory)
    pool = GstBufalloc.FbdevPool()
    assert not configure(pool, Gst.Caps.from_string(CAPS), 64 * 48 * 4, 0, 2)
    assert not pool.set_active(True)
    assert pool.acquire_timed(0)[0] == Gst.FlowReturn.FLUSHING
    assert pool.get_allocator() is None
    window = pool.get_window()
    assert (window.w, window.h) == (0, 0)
    pool = GstBufalloc.NormalPool()
    assert configure(pool, Gst.Caps.from_string(CAPS), 64 * 48 * 4, 0, 2) and pool.set_active(True)
    assert pool.acquire_timed(0)[0] == Gst.FlowReturn.OK
    assert pool.set_active(False)


def main():
    Gst.init(None)
    GstBufalloc.init()
    passed = failed = 0
    for name, function in list(globals().items()):
        if name.startswith("test_"):
            try:
                function()
                passed += 1
            except Exception:  # whatever went wrong, the others still run
                failed += 1
                print(f"FAILED {name}")
                traceback.print_exc(file=sys.stdout)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
