#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""check-includes.py SOURCE_ROOT LIBRARY HEADER…: what no compiler checks about the core's headers.

No installed header needs a private one, nothing under gst/ sees the core's inside, the core sees no GLib, every
installed header compiles alone as C and as C++, and the shared library exports ba_ names only.
"""
import os
import re
import subprocess
import sys
import tempfile

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)
C_FLAGS = ['-std=c11', '-Wall', '-Wextra', '-Wpedantic', '-Werror', '-fsyntax-only']
CXX_FLAGS = ['-std=c++17', '-Wall', '-Wextra', '-Werror', '-fsyntax-only']
# The insides that are for named files only.
FRIENDS = {
    'buffer-private.h': {'avframe.c', 'buffer.c', 'fifo-private.h', 'pool-inside-private.h'},
    'fifo-private.h': {'pool-inside-private.h'},
    'pool-inside-private.h': {'health.c', 'pool-admit.c', 'pool-wait.c', 'pool.c'},
    'probes-private.h': {'pool-admit.c', 'pool-wait.c', 'pool.c'},
    'registry-private.h': {'allocator.c', 'debug.c', 'kms-shared.c', 'pool-admit.c', 'registry.c'},
}
passed = failed = 0


def check(promise, problems):
    global passed, failed
    if problems:
        failed += 1
        print('not ok: ' + promise)
        for problem in problems:
            print('    ' + problem)
    else:
        passed += 1
        print('ok: ' + promise)


def sources(folder, suffixes=('.c', '.h')):
    for parent, _, names in os.walk(folder):
        for name in names:
            if name.endswith(suffixes):
                yield os.path.join(parent, name)


def includes(path):
    with open(path, encoding='utf-8') as file:
        return INCLUDE.findall(file.read())


def compile_alone(compiler, flags, suffix, root, header):
    """The header alone, twice, from a file of its own; the compiler's words where it fails."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'alone' + suffix)
        with open(path, 'w', encoding='utf-8') as file:
            file.write('#include <bufalloc/%s>\n#include <bufalloc/%s>\n' % (header, header))
            file.write('int used;\n')
        run = subprocess.run([compiler, *flags, '-I', os.path.join(root, 'src'), path], capture_output=True, text=True)
        return [] if run.returncode == 0 else run.stderr.splitlines()[:6]


def exported(library):
    run = subprocess.run(['nm', '-D', '--defined-only', library], capture_output=True, text=True)
    if run.returncode != 0:
        return None, run.stderr.splitlines()
    names = [line.split()[-1].split('@')[0] for line in run.stdout.splitlines()]
    return names, [name for name in names if not name.startswith('ba_')]


def declared(root, headers):
    """Every function that an installed header promises with BA_API."""
    for header in headers:
        with open(os.path.join(root, 'src/bufalloc', header), encoding='utf-8') as file:
            for name in re.findall(r'^BA_API [^;(]*?(ba_\w+) \(', file.read(), re.MULTILINE):
                yield header, name


def main():
    root, library, headers = sys.argv[1], sys.argv[2], sys.argv[3:]
    core = os.path.join(root, 'src/bufalloc')

    check('the list of installed headers is not empty', [] if headers else ['no header was named'])
    check('no installed header includes a private one',
          ['%s includes %s' % (h, i) for h in headers for i in includes(os.path.join(core, h)) if '-private' in i])
    private = {name for name in os.listdir(core) if name.endswith('-private.h')}
    check('nothing under gst/ includes a private header of the core',
          ['%s includes %s' % (os.path.relpath(p, root), i) for p in sources(os.path.join(root, 'gst'))
           for i in includes(p) if os.path.basename(i) in private or ('bufalloc/' in i and '-private' in i)])
    check('the inside of pools, buffers and registries is included by their friends only',
          ['%s includes %s' % (os.path.basename(p), i) for p in sources(core) for i in includes(p)
           if i in FRIENDS and os.path.basename(p) not in FRIENDS[i]])
    check('no file of the core includes GLib or GStreamer',
          ['%s includes %s' % (os.path.relpath(p, root), i) for p in sources(core)
           for i in includes(p) if re.match(r'(glib|gst|gio|gobject|gmodule)', i)])
    for header in headers:
        check('%s compiles alone as C' % header, compile_alone('gcc', C_FLAGS, '.c', root, header))
        check('%s compiles alone as C++' % header, compile_alone('g++', CXX_FLAGS, '.cc', root, header))
    names, strangers = exported(library)
    check('the library exports ba_ names only', strangers)
    optional = {'avframe.h'}
    check('the library exports every function that the headers declare',
          ['%s of %s' % (name, header) for header, name in declared(root, headers)
           if name not in (names or []) and not (header in optional and 'ba_avframe_map' not in (names or []))])
    print('%d passed, %d failed' % (passed, failed))
    return 1 if failed else 0


sys.exit(main())
