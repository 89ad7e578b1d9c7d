#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""check-probes.py READELF LIBRARY: the library has every probe that the documentation names, with its arguments."""
import re
import subprocess
import sys

WANTED = {'acquire': 2, 'submit': 2, 'take': 2, 'release': 2, 'create': 3, 'destroy': 3}

readelf, library = sys.argv[1:]
notes = subprocess.run([readelf, '-n', library], capture_output=True, text=True, check=True).stdout
found = {}
for provider, name, arguments in re.findall(r'Provider: (\S+)\s+Name: (\S+)\s+Location:.*\s+Arguments: *(.*)', notes):
    if provider == 'bufalloc':
        found.setdefault(name, set()).add(arguments.count('@'))
failed = 0
for name, n_arguments in sorted(WANTED.items()):
    good = found.get(name) == {n_arguments}
    failed += not good
    print('%s: bufalloc:%s has %d arguments%s' % ('ok' if good else 'not ok', name, n_arguments,
                                                 '' if good else ', but: %s' % found.get(name)))
strangers = sorted(set(found) - set(WANTED))
failed += bool(strangers)
print('%s: every probe is documented%s' % ('not ok' if strangers else 'ok', ''.join(' but ' + s for s in strangers)))
print('%d passed, %d failed' % (len(WANTED) + 1 - failed, failed))
sys.exit(1 if failed else 0)
