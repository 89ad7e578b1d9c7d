#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""check-gdb.py GDB PROGRAM PRINTERS LIBRARY INSTALLED_NAME: what gdb prints of the objects in a stopped program.

Once with the printers sourced, and once with them auto-loaded from a tree as an installation makes it.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

passed = failed = 0
EXPECTED = {
    'held': [r'buffer \d+: held, 1 references, 4096 bytes at 0x[0-9a-f]+, index 2, pool \d+, 32x16 in 1 planes',
             r'held by "decoder thread"'],
    'lent': [r'buffer \d+: lent, 1 references'],
    'pool': [r'pool \d+ "camera" of "video": 4 buffers: 1 free, 1 held, 1 filled, 1 lent; 0 orphans; 2 references',
             r'\[0\] = "?buffer \d+: lent', r'\[1\] = "?buffer \d+: filled', r'\[3\] = "?buffer \d+: free'],
    '*pool': [r'pool \d+ "camera"'],
    'allocator': [r'allocator of kind "normal": 1 references, 1 pools', r'\[0\] = "?pool \d+ \\?"camera'],
    'registry': [r'registry: 1 pools', r'\[0\] = "?pool \d+ \\?"camera'],
    '(BaPool *) 0': [r'= 0x0|\(BaPool \*\) 0x0'],
}


def check(promise, problem):
    global passed, failed
    if problem:
        failed += 1
        print('not ok: %s\n    %s' % (promise, problem))
    else:
        passed += 1
        print('ok: ' + promise)


def run(gdb, program, before, environment=None):
    """What gdb says to `print` of each expression; None where it could not run the program."""
    command = [gdb, '-nx', '-batch', '-iex', 'set auto-load safe-path /', '-iex', 'set debuginfod enabled off']
    for line in before:
        command += ['-ex' if line.startswith('source') else '-iex', line]
    for line in ('set pagination off', 'set startup-with-shell off', 'break stop_here', 'run'):
        command += ['-ex', line]
    for i, expression in enumerate(EXPECTED):
        command += ['-ex', 'echo <%d>' % i, '-ex', 'print ' + expression]
    command += ['-ex', 'echo <end>', '-ex', 'kill', program]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=100)
    said = done.stdout + done.stderr
    if '<end>' not in said or not re.search(r'^Breakpoint 1[.\d]*, ', said, re.MULTILINE):
        return None, said
    return re.split(r'<(?:\d+|end)>', said)[1:], said


def judge(how, answers, said):
    if answers is None:
        check('%s: the program stops' % how, said[-2000:])
        return
    for expression, answer in zip(EXPECTED, answers):
        missing = [pattern for pattern in EXPECTED[expression] if not re.search(pattern, answer)]
        check('%s: print %s' % (how, expression), 'wanted %s in: %s' % (missing, answer) if missing else None)


def main():
    gdb, program, printers, library, installed_name = sys.argv[1:]
    answers, said = run(gdb, program, ['source ' + printers])
    if answers is None and re.search('ptrace|Operation not permitted', said):
        print('SKIP: gdb may not trace here')
        return 77
    judge('sourced', answers, said)

    with tempfile.TemporaryDirectory() as top:
        real = os.path.realpath(library)
        folder = os.path.join(top, 'auto-load' + os.path.dirname(real))
        os.makedirs(folder)
        shutil.copy(printers, os.path.join(folder, installed_name))
        check('the installed name is the library\'s with -gdb.py',
              None if installed_name == os.path.basename(real) + '-gdb.py' else '%s for %s' % (installed_name, real))
        answers, said = run(gdb, program, ['set auto-load scripts-directory ' + os.path.join(top, 'auto-load')])
        judge('auto-loaded', answers, said)
    print('%d passed, %d failed' % (passed, failed))
    return 1 if failed else 0


sys.exit(main())
