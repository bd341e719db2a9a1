"""A longer way: every packet that comes to this network namespace from outside waits first. `delay.py MILLISECONDS [QUEUE]`, until it is killed.

The kernel hands each packet's number to this program (NFQUEUE over netlink; no payload is copied) and lets it in when the verdict comes.
Order is kept, so one verdict releases all that are due. Prints "ready" when packets are delayed. When it ends its rule goes too."""
import collections
import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
import time

NETLINK_NETFILTER, SOL_NETLINK, NETLINK_NO_ENOBUFS, SO_RCVBUFFORCE = 12, 270, 5, 33
PACKET, VERDICT_BATCH, CONFIG = 0x300, 0x303, 0x302  # of the subsystem "queue"
REQUEST, ACK = 1, 4
HEADER = struct.Struct("=IHHII")
ACCEPT = 1
WAITING_MAX = 100_000  # packets; more are dropped by the kernel


def attribute(kind, data):
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def message(kind, flags, queue, *attributes):
    body = struct.pack("!BBH", 0, 0, queue) + b"".join(attributes)
    return HEADER.pack(HEADER.size + len(body), kind, flags, 0, 0) + body


def numbers(data):
    """Those of the packets in what was read."""
    at = 0
    while at + HEADER.size <= len(data):
        size, kind, _, _, _ = HEADER.unpack_from(data, at)
        if kind == PACKET:
            yield struct.unpack_from("!I", data, at + HEADER.size + 8)[0]  # behind its header and that of the attribute, the first one
        at += (size + 3) & ~3


def open_queue(queue):
    link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
    link.bind((0, 0))
    link.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
    link.setsockopt(SOL_NETLINK, NETLINK_NO_ENOBUFS, 1)
    bind, meta_only, maximum = attribute(1, struct.pack("!BBH", 1, 0, 0)), attribute(2, struct.pack("!IB", 0, 1)), attribute(3, struct.pack("!I", WAITING_MAX))
    whole_segments = attribute(4, struct.pack("!I", 4)) + attribute(5, struct.pack("!I", 4))
    for what in ([bind], [meta_only, maximum, whole_segments]):
        link.send(message(CONFIG, REQUEST | ACK, queue, *what))
        failure = struct.unpack_from("=i", link.recv(65536), HEADER.size)[0]
        if failure:
            raise OSError(-failure, os.strerror(-failure))
    return link


def rule(change, queue):
    """`change`: -I or -D."""
    subprocess.run(["iptables", "-w", change, "INPUT", "!", "-i", "lo", "-j", "NFQUEUE", "--queue-num", str(queue)], check=True)


def run(link, queue, delay):
    waiting = collections.deque()  # (when it is due, number)
    while True:
        if waiting:
            link.settimeout(max(waiting[0][0] - time.monotonic(), 0.0001))
        else:
            link.settimeout(None)
        with contextlib.suppress(TimeoutError):
            data = link.recv(65536)
            due = time.monotonic() + delay
            waiting.extend((due, number) for number in numbers(data))
        last, now = None, time.monotonic()
        while waiting and waiting[0][0] <= now:
            last = waiting.popleft()[1]
        if last is not None:
            link.send(message(VERDICT_BATCH, REQUEST, queue, attribute(2, struct.pack("!II", ACCEPT, last))))


def main():
    delay, queue = float(sys.argv[1]) / 1000, int(sys.argv[2]) if len(sys.argv) > 2 else 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        link = open_queue(queue)
        rule("-I", queue)
    except (OSError, subprocess.CalledProcessError) as reason:  # a kernel without it, or no iptables
        print(f"packets cannot be delayed here: {reason}", flush=True)
        sys.exit(77)
    try:
        print("ready", flush=True)
        run(link, queue, delay)
    finally:
        rule("-D", queue)


if __name__ == "__main__":
    main()
