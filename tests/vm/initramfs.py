# SPDX-License-Identifier: LGPL-2.1-or-later
"""The initramfs of a test machine: guest-init, the modules it is to load, and where the host's folder for results is.

It is an archive of cpio's "newc" kind, written here, so that nothing but a kernel package is needed for it.
"""
import gzip
import lzma
import os
import stat
import subprocess

# 9p and overlayfs for the host's files; the rest of virtio is in Debian's kernel.
ALWAYS = ("virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay")


def member(name, mode, data, number):
    """One file of the archive: a header of hexadecimal numbers, the name, the bytes; each filled up to four bytes."""
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


def archive(files):
    """files: name -> (mode, bytes). Folders are files without bytes."""
    parts = [member(name, mode, data, n) for n, (name, (mode, data)) in enumerate(files.items(), 1)]
    return b"".join(parts) + member("TRAILER!!!", 0, b"", 0)


def read_module(path):
    with open(path, "rb") as file:
        data = file.read()
    if path.endswith(".xz"):
        return lzma.decompress(data)
    return gzip.decompress(data) if path.endswith(".gz") else data


def in_order(release, name):
    """The files of a module and of what it needs, those first. `name` may be the path of a module of our own."""
    if "/" in name:
        needed = subprocess.run(["modinfo", "-F", "depends", name], check=True, capture_output=True, text=True).stdout
        return [path for other in needed.strip().split(",") if other for path in in_order(release, other)] + [name]
    done = subprocess.run(["modprobe", "-S", release, "--show-depends", name], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"no module {name} for Linux {release}: {done.stderr}")
    return [line.split()[1] for line in done.stdout.splitlines() if line.startswith("insmod ")]


def build(release, init, modules, results):
    """modules: "name argument=…" each. Returns the archive's bytes."""
    folder, program = stat.S_IFDIR | 0o755, stat.S_IFREG | 0o755
    files = {name: (folder, b"") for name in ("dev", "proc", "sys", "m")}
    with open(init, "rb") as file:
        files["init"] = (program, file.read())
    listed = {}
    for module in ALWAYS + tuple(modules):
        name, _, arguments = module.partition(" ")
        paths = in_order(release, name)
        for path in paths:
            listed.setdefault(path, "")
        if paths and arguments:
            listed[paths[-1]] = " " + arguments
    lines = []
    for n, (path, arguments) in enumerate(listed.items()):
        inside = f"m/{n:03}-{os.path.basename(path).split('.')[0]}.ko"
        files[inside] = (stat.S_IFREG | 0o644, read_module(path))
        lines.append(f"/{inside}{arguments}\n")
    files["modules"] = (stat.S_IFREG | 0o644, "".join(lines).encode())
    files["results"] = (stat.S_IFREG | 0o644, (results + "\n").encode())
    return archive(files)
