"""A caller and subscriber for the Python suites, on Debian's python3-zmq and python3-msgpack; docs/protocol.md is the grammar."""
import struct
import time

import msgpack
import zmq

HEADER = struct.Struct("<HBBBBBBIIQ16s8sQIBBH")  # 64 bytes
MAGIC, VERSION = 0x4657, 1
REQUEST, REPLY, ERROR, EVENT, BATCH = 1, 2, 3, 4, 8
RAW, MSGPACK, JSON = 0, 1, 2


class CallFailed(Exception):
    """The typed error that a call was answered with."""

    def __init__(self, body):
        super().__init__(f"{body['code']} {body['name']}: {body['message']}")
        self.kind, self.code, self.message = body["kind"], body["code"], body["message"]


def encode(kind, number, name, payload, encoding=MSGPACK, deadline_us=0):
    name = name.encode()
    return HEADER.pack(MAGIC, VERSION, kind, 0, encoding, 0, len(name), len(payload), deadline_us, number,
                       bytes(16), bytes(8), 1, 0, 0, 0, 0) + name + payload


def decode(frames):
    """Yields (kind, encoding, number, name, payload) for each envelope of a message."""
    rest = frames[0]
    while rest:
        (_, _, kind, flags, encoding, _, name_size, size, _, number, _, _, _, _, _, _, extension) = HEADER.unpack(rest[:64])
        begin = 64 + name_size + extension
        payload = frames[1] if flags & 1 else rest[begin:begin + size]
        name, rest = rest[64:64 + name_size].decode(), rest[begin + (0 if flags & 1 else size):]
        if kind == BATCH:
            yield from decode([payload])
        else:
            yield kind, encoding, number, name, payload


def value_of(encoding, payload):
    return msgpack.unpackb(payload, raw=False) if encoding == MSGPACK else payload


class Client:
    """Finds agents through one registry. Close it, or use it with `with`."""

    def __init__(self, registry):
        self.registry = registry
        self._context = zmq.Context()
        self._context.socket(zmq.PAIR).close()  # its threads start with the first socket: in this network namespace
        self._events = []
        self._number = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for events in self._events:
            events.close()
        self._context.destroy(linger=0)

    def call_at(self, endpoint, method, payload=None, timeout=5.0, raw=None):
        """The answer as a value (bytes when it is raw). With `raw`, those bytes are sent. Raises CallFailed, TimeoutError."""
        self._number += 1
        body = raw if raw is not None else msgpack.packb(payload)
        with self._context.socket(zmq.DEALER) as socket:
            socket.linger = 0
            socket.connect(endpoint)
            socket.send(encode(REQUEST, self._number, method, body, MSGPACK if raw is None else RAW, int(timeout * 1e6)))
            end = time.monotonic() + timeout + 0.5
            while socket.poll(max(0, int((end - time.monotonic()) * 1000))):
                for kind, encoding, number, _, answer in decode(socket.recv_multipart()):
                    if number == self._number and kind == REPLY:
                        return value_of(encoding, answer)
                    if number == self._number and kind == ERROR:
                        raise CallFailed(msgpack.unpackb(answer, raw=False))
        raise TimeoutError(f"{method} at {endpoint}: no answer in {timeout} s")

    def records(self):
        return self.call_at(self.registry, "registry.snapshot")["records"]

    def find(self, agent, host=None):
        """The record of a live instance, or None."""
        return next((record for record in self.records() if record["agent"] == agent and host in (None, record["host"])), None)

    def call(self, target, payload=None, host=None, **options):
        record = self.find(target.partition(".")[0], host)
        if record is None:
            raise LookupError(f"no live instance of {target}")
        return self.call_at(record["call_endpoint"], target, payload, **options)

    def subscribe(self, agent, prefix):
        """Events of `agent` on topics that begin with `prefix`: an iterator-like object with next(timeout)."""
        self._events.append(Events(self._context, self.find(agent)["publish_endpoint"], prefix))
        return self._events[-1]


class Events:
    def __init__(self, context, endpoint, prefix):
        self._socket = context.socket(zmq.SUB)
        self._socket.connect(endpoint)
        self._socket.subscribe(prefix)
        self._held = []

    def close(self):
        self._socket.close(linger=0)

    def next(self, timeout=5.0):
        """(topic, value) of the next event; raises TimeoutError."""
        while not self._held:
            if not self._socket.poll(int(timeout * 1000)):
                raise TimeoutError("no event")
            frames = self._socket.recv_multipart()
            topic, _, envelope = frames[0].partition(b"\0")
            self._held = [(topic.decode(), value_of(encoding, payload))
                          for kind, encoding, _, _, payload in decode([envelope, *frames[1:]]) if kind == EVENT]
        return self._held.pop(0)
