# SPDX-License-Identifier: LGPL-2.1-or-later
"""A machine of qemu's with a real kernel, real drivers and this machine's files, in which commands are run.

The guest sees the root file system at the same paths, read-only under an overlay that is thrown away, and one folder
that both may write. qemu emulates every instruction (about 13 times slower), so that it runs wherever its package does.
A command or a machine that hangs is ended after a time, which fails the test; what its console said is kept in LOG_DIR.
"""
import atexit
import fcntl
import glob
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import initramfs

os.environ["PATH"] += ":/usr/sbin:/sbin"
QEMU = "qemu-system-x86_64"
KERNEL = "6.12"
BOOT_S = 150
COMMAND_S = 120
END_S = 30
SHOW_S = 120  # pixels are there after 0.2 s of the guest's; but a busy host may leave it no time for long
SKIPPED = 77
# Faults of the CPU are no matter in here, and 250 loops a second need not be counted.
ARGUMENTS = ("console=ttyS0 loglevel=4 panic=-1 mitigations=off nokaslr lpj=16000000 random.trust_cpu=on "
             "vt.global_cursor_default=0 consoleblank=0")
PASSED_ON = ("GST_PLUGIN_PATH", "GST_REGISTRY", "GST_REGISTRY_UPDATE", "G_DEBUG", "LD_LIBRARY_PATH")


def newest_kernel():
    """(release, path) of the newest kernel with modules, or None."""
    def numbers(path):
        return [int(number) for number in re.findall(r"\d+", path)]
    found = sorted(glob.glob(f"/boot/vmlinuz-{KERNEL}.*") + glob.glob(f"/boot/vmlinuz-{KERNEL}-*"), key=numbers)
    for path in reversed(found):
        release = path[len("/boot/vmlinuz-"):]
        if os.access(path, os.R_OK) and os.path.isdir(f"/lib/modules/{release}/kernel"):
            return release, path
    return None


def missing():
    """What a machine needs and is not here, in words, or None."""
    if shutil.which(QEMU) is None:
        return f"no {QEMU} (package qemu-system-x86)"
    if newest_kernel() is None:
        return f"no Linux {KERNEL} in /boot (package linux-image-{KERNEL}-amd64)"
    if shutil.which("modprobe") is None:
        return "no modprobe (package kmod)"
    return None


def built_once(folder, name, build):
    """The path of a file in the folder of logs, which `build`, called with its folder, makes where it is not there yet.
    Other tests may want it at the same time."""
    folder = os.path.join(os.environ["BA_VM_LOG_DIR"], folder)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(os.path.join(folder, name)):
            build(folder)
    return os.path.join(folder, name)


def skip_without():
    """Ends the program, skipped in meson's words, where no machine can be had."""
    why = missing()
    if why:
        print(f"SKIPPED: {why}")
        sys.exit(SKIPPED)


class Port:
    """A socket of qemu's that speaks in lines."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(path)
        self.socket.listen(1)
        self.rest = b""

    def accept(self):
        listening = self.socket
        listening.settimeout(BOOT_S)
        self.socket, _ = listening.accept()
        listening.close()

    def write(self, text):
        self.socket.sendall(text.encode() + b"\n")

    def line(self, deadline):
        """The next line. TimeoutError, or EOFError where qemu is gone."""
        while b"\n" not in self.rest:
            self.socket.settimeout(max(deadline - time.monotonic(), 0.001))
            more = self.socket.recv(65536)
            if not more:
                raise EOFError
            self.rest += more
        line, _, self.rest = self.rest.partition(b"\n")
        return line.decode(errors="replace").strip()


class Failed(AssertionError):
    """A command ended with another status than 0, or the machine is gone."""


class Player:
    """gst-launch-1.0 in the guest, on the terminal that is on screen or on none. A second, silent pipeline that never
    ends keeps it after the end of the stream, so that the last frame can be looked at."""

    def __init__(self, machine, pipeline, terminal, debug, late):
        self.start(machine, f"gst-launch-1.0 -q {pipeline} fdsrc fd=9 ! fakesink async=false", terminal, debug, late)

    def start(self, machine, command, terminal=False, debug="", late=False):
        self.machine = machine
        self.name = f"player{machine.count}"
        environment = f"GST_DEBUG={shlex.quote('bufalloc-stats:4,' + debug)} GST_DEBUG_NO_COLOR=1"
        streams = "</dev/tty1" if terminal else "</dev/null"
        self.late = f"/run/{self.name}.late"
        if late:
            machine.run(f"mkfifo {self.late}")
            streams += f" 8<>{self.late}"
        machine.run(f"mkfifo /run/{self.name}; {environment} {command} {streams} >{self.name}.log 2>&1 "
                    f"9<>/run/{self.name} & echo $!")
        self.pid = int(machine.said.split()[-1])
        machine.players.append(self)

    def signal(self, number):
        """Sends a signal and waits for the end. What the player said; where each thread stands, if it hangs."""
        if self in self.machine.players:
            self.machine.players.remove(self)
        status = self.machine.run(
            f"kill -{int(number)} {self.pid}\n"
            f"timeout {END_S} tail --pid={self.pid} -s 0.1 -f /dev/null && exit 0\n"
            f"cat {self.name}.log\n"
            f"for t in /proc/{self.pid}/task/*; do cat $t/comm $t/stack; done\n"
            f"gdb -p {self.pid} -batch -ex 'thread apply all bt 12' 2>/dev/null | grep -E '^(#|Thread)'\n"
            f"kill -9 {self.pid}; exit 1", check=False, limit_s=END_S + COMMAND_S)
        if status != 0:
            raise Failed(f"the player does not end after signal {int(number)}:\n{self.machine.said}")
        return self.log()

    def stop(self):
        """Stops it in order. Its frame-stats, or those of each element where there are several."""
        said = self.signal(signal.SIGINT)
        stats = frame_stats(said)
        assert stats, said
        return stats

    def log(self):
        with open(os.path.join(self.machine.results, f"{self.name}.log"), encoding="utf-8", errors="replace") as file:
            return file.read()


class Application(Player):
    """kmsapp in the guest, which opens a card and gives it to the sinks of its pipeline, where that says fd=@."""

    def __init__(self, machine, card, pipeline):
        self.answers = f"/run/app{machine.count}"
        machine.run(f"mkfifo {self.answers}")
        self.start(machine, f"{os.environ['BA_VM_KMSAPP']} {card} '{pipeline}' 8<>{self.answers}")

    def say(self, words):
        """Has it do something; what it answers."""
        self.machine.run(f"echo '{words}' >/run/{self.name}; read -r answer <{self.answers}; echo \"$answer\"")
        return self.machine.said.strip()


def frame_stats(said):
    """The frame-stats that each element logs at its end: element -> name -> number, and "reason" -> text."""
    stats = {}
    for name, line in re.findall(r"frame-stats (\S+): (frame-stats, .*);", said):
        stats[name] = {key: int(value) for key, value in re.findall(r"([a-z-]+)=(?:\([a-z0-9]+\))?(\d+)\b", line)}
        reason = re.search(r'reason=\(string\)("(?:[^"\\]|\\.)*"|[^,;]*)', line)
        stats[name]["reason"] = reason.group(1).strip('"').replace("\\", "") if reason else None
    return stats


class Machine:
    """devices: qemu's arguments; modules: to load, with their arguments; kernel: more arguments of the kernel's."""

    def __init__(self, name, devices=(), modules=(), kernel="", memory="1G"):
        self.began = time.monotonic()
        self.name = name
        self.count = 0
        self.said = ""
        self.players = []
        self.gone = None
        self.log_dir = os.path.join(os.environ.get("BA_VM_LOG_DIR", "."), name)
        shutil.rmtree(self.log_dir, ignore_errors=True)
        os.makedirs(self.log_dir)
        self.work = tempfile.mkdtemp(prefix="bufalloc-vm-")
        self.results = os.path.join(self.work, "results")
        os.mkdir(self.results)
        self.console = os.path.join(self.log_dir, "console.log")
        atexit.register(self.end)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))  # meson's deadline
        self.start(devices, modules, kernel, memory)
        print(f"{name}: up after {time.monotonic() - self.began:.0f} s", flush=True)

    def start(self, devices, modules, kernel, memory):
        release, image = newest_kernel()
        initrd = os.path.join(self.work, "initrd")
        with open(initrd, "wb") as file:
            file.write(initramfs.build(release, os.environ["BA_VM_INIT"], modules, self.results))
        self.qmp_port, self.control = (Port(os.path.join(self.work, name)) for name in ("qmp", "control"))
        share = "local,id={0},path={1},security_model=none,multidevs=remap{2}"
        command = [
            QEMU, "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-nic", "none", "-machine", "pc",
            "-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", memory, "-kernel", image, "-initrd", initrd,
            "-append", f"{ARGUMENTS} {kernel}", "-serial", f"file:{self.console}", "-device", "virtio-serial-pci",
            "-chardev", f"socket,id=control,path={self.work}/control",
            "-device", "virtserialport,chardev=control,name=control",
            "-chardev", f"socket,id=qmp,path={self.work}/qmp", "-mon", "chardev=qmp,mode=control"]
        for tag, path, more in (("root", "/", ",readonly=on"), ("results", self.results, "")):
            command += ["-fsdev", share.format(tag, path, more),
                        "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]
        with open(os.path.join(self.log_dir, "qemu.log"), "wb") as log:
            # so that it goes with this process even where that is killed
            self.qemu = subprocess.Popen(["setpriv", "--pdeathsig", "KILL"] + command + list(devices),
                                         stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.qmp_port.accept()
        self.control.accept()
        self.wait_for(self.qmp_port, "its QMP greeting", BOOT_S)
        self.qmp("qmp_capabilities")
        answer = self.wait_for(self.control, "the end of the boot", BOOT_S)
        assert answer == "ready", answer

    def wait_for(self, port, what, limit_s):
        if self.gone:
            raise Failed(f"the machine {self.name} is gone: {self.gone}")
        try:
            return port.line(time.monotonic() + limit_s)
        except (TimeoutError, EOFError, OSError) as e:
            self.gone = f"{type(e).__name__} while waiting for {what}"
            if isinstance(e, TimeoutError) and port is self.control:
                try:
                    self.gone = None
                    self.screendump(os.path.join(self.log_dir, "hang.ppm"))
                except Failed:
                    pass
                self.gone = f"no answer for {limit_s} s while waiting for {what}"
            self.end()
            with open(self.console, encoding="utf-8", errors="replace") as file:
                tail = "".join(file.readlines()[-20:])
            raise Failed(f"the machine {self.name}: {self.gone}; {self.console} ends with:\n{tail}") from None

    def end(self):
        """Ends qemu, by its process. What the guest said stays in the folder of logs."""
        if getattr(self, "qemu", None) and self.qemu.poll() is None:
            self.qemu.kill()
            self.qemu.wait()
        if os.path.isdir(self.work):
            for path in glob.glob(os.path.join(self.results, "*.log")):
                shutil.copy(path, self.log_dir)
            shutil.rmtree(self.work, ignore_errors=True)
            print(f"{self.name}: {time.monotonic() - self.began:.0f} s in all", flush=True)
        self.gone = self.gone or "it was ended"

    def qmp(self, command, **arguments):
        self.qmp_port.write(json.dumps({"execute": command, "arguments": arguments}))
        while True:
            answer = json.loads(self.wait_for(self.qmp_port, command, COMMAND_S))
            if "error" in answer:
                raise Failed(f"{command}: {answer['error']}")
            if "return" in answer:
                return answer["return"]

    def screendump(self, path=None, device=None, head=0):
        """A picture of the screen as a PPM file. Its path."""
        path = path or os.path.join(self.work, "screen.ppm")
        self.qmp("screendump", filename=path, **({"device": device, "head": head} if device else {}))
        return path

    def run(self, script, check=True, limit_s=COMMAND_S):
        """Runs a bash script in the folder for results. Its status; what it said is in `said`."""
        if self.gone:
            raise Failed(f"the machine {self.name} is gone: {self.gone}")
        self.count += 1
        path = os.path.join(self.results, f"{self.count:03}.sh")
        exports = "".join(f"export {name}={shlex.quote(os.environ[name])}\n"
                          for name in PASSED_ON if name in os.environ)
        with open(path, "w", encoding="utf-8") as file:
            file.write("export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "
                       f"LANG=C.UTF-8 TERM=linux\nexec >{path}.log 2>&1\n{exports}{script}\n")
        self.control.write(path)
        status = int(self.wait_for(self.control, script, limit_s))
        with open(path + ".log", encoding="utf-8", errors="replace") as file:
            self.said = file.read()
        if check and status != 0:
            raise Failed(f"{script}\nended with {status}:\n{self.said}")
        return status

    def play(self, pipeline, terminal=False, debug="", late=False):
        """Starts a player of a pipeline with its sink; with `late`, what is written to the file of that name of the
        player comes out of its descriptor 8."""
        return Player(self, pipeline, terminal, debug, late)
