# SPDX-License-Identifier: LGPL-2.1-or-later
"""How gdb prints buffers, pools, allocators and registries of libbufalloc: what one wants to know, in one line.

gdb loads this file with the library where it is installed; by hand: `source libbufalloc-gdb.py`. Pointers are followed:
`print pool` shows the pool. It reads structs only, so that it works on a core file too.
"""
import gdb
import gdb.printing

STATES = ('free', 'held', 'filled', 'lent', 'orphan')


def number(value):
    """An integer, out of an atomic one too."""
    return int(value.cast(gdb.lookup_type('long')))


def text(value):
    """The string in a char array or behind a char pointer, without what gdb adds to it."""
    if value.type.strip_typedefs().code == gdb.TYPE_CODE_PTR and not int(value):
        return ''
    return value.string('utf-8', 'replace').split('\0')[0]


def shuttle_rests(pool):
    """Whether the buffer that comes and goes without the lock is at home, where the books still call it held."""
    return number(pool['shuttle']) & 1


def buffer_line(buffer):
    state = number(buffer['state'])
    if state == STATES.index('held') and number(buffer['refs']) == 0:
        state = STATES.index('free')
    state = STATES[state] if 0 <= state < len(STATES) else 'state %d' % state
    line = 'buffer %d: %s, %d references, %d bytes at %#x, index %d, pool %d' % (
        number(buffer['id']), state, number(buffer['refs']), number(buffer['size_bytes']),
        int(buffer['blocks'][0]['data']), number(buffer['index']), number(buffer['pool']['id']))
    holder = text(buffer['holder'].cast(gdb.lookup_type('char').pointer()))
    layout = buffer['layout']
    if number(layout['n_planes']):
        line += ', %dx%d in %d planes' % (number(layout['width_px']), number(layout['height_px']),
                                          number(layout['n_planes']))
    if number(buffer['fd']) >= 0:
        line += ', fd %d' % number(buffer['fd'])
    return line + (', held by "%s"' % holder if holder else '')


def pool_line(pool):
    stats = pool['stats']
    rests = shuttle_rests(pool)
    line = 'pool %d "%s"' % (number(pool['id']), text(pool['name']))
    if text(pool['category']):
        line += ' of "%s"' % text(pool['category'])
    line += ': %d buffers: %d free, %d held, %d filled, %d lent; %d orphans' % (
        number(stats['n_buffers']), number(pool['free']['length']) + rests, number(stats['n_held']) - rests,
        number(pool['filled']['length']), number(stats['n_lent']), number(stats['n_orphans']))
    line += '; %d references' % number(pool['refs'])
    waiting = number(pool['free_waiters']), number(pool['filled_waiters'])
    if any(waiting):
        line += '; waiting: %d producers, %d consumers' % waiting
    return line + (', closed' if pool['closed'] else '')


class Printer:
    """A line, and behind it the objects that the object has."""

    def __init__(self, value):
        self.value = value

    def listed(self, array, count, what):
        for i in range(count):
            item = array[i]
            if int(item):
                yield '[%d]' % i, what(item.dereference())


class BufferPrinter(Printer):
    def to_string(self):
        return buffer_line(self.value)


class PoolPrinter(Printer):
    def to_string(self):
        return pool_line(self.value)

    def children(self):
        return self.listed(self.value['slots'], number(self.value['n_slots']), buffer_line)


class AllocatorPrinter(Printer):
    def to_string(self):
        backend = self.value['backend']
        return 'allocator of kind "%s": %d references, %d pools%s' % (
            text(backend['ops']['name']), number(self.value['refs']), number(self.value['n_pools']),
            ', in debug mode' if int(backend['debug']) else '')

    def children(self):
        return self.listed(self.value['pools'], number(self.value['n_pools']), pool_line)


class RegistryPrinter(Printer):
    def to_string(self):
        return 'registry: %d pools' % number(self.value['n_pools'])

    def children(self):
        return self.listed(self.value['pools'], number(self.value['n_pools']), pool_line)


PRINTERS = {
    'BaBuffer': BufferPrinter,
    'BaPool': PoolPrinter,
    'BaAllocator': AllocatorPrinter,
    'BaRegistry': RegistryPrinter,
}


class Lookup(gdb.printing.PrettyPrinter):
    """Finds the printer of a struct of ours, or of a pointer to one."""

    def __init__(self):
        super().__init__('bufalloc', [gdb.printing.SubPrettyPrinter(name) for name in PRINTERS])

    def __call__(self, value):
        kind = value.type.strip_typedefs()
        if kind.code == gdb.TYPE_CODE_PTR:
            if not int(value):
                return None
            kind = kind.target().strip_typedefs()
            printer = PRINTERS.get(kind.tag) if kind.code == gdb.TYPE_CODE_STRUCT else None
            return printer(value.dereference()) if printer else None
        return PRINTERS[kind.tag](value) if kind.tag in PRINTERS else None


gdb.printing.register_pretty_printer(gdb.current_objfile(), Lookup(), replace=True)
