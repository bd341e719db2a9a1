#!/usr/bin/python3
"""Written from docs/protocol.md: REGISTRY call AGENT.METHOD JSON | REGISTRY sub PATTERN COUNT | decode FILE..."""
import itertools
import json
import re
import struct
import sys

import msgpack
import zmq

HEADER = struct.Struct("<2sBBBBBBIIQ16s8sQIBBH")
FIELDS = ("magic version kind flags encoding depth name_size payload_size deadline_us id trace_id span_id sender epoch "
          "trace_flags priority extension_size").split()
KINDS = ["request", "reply", "error", "event", "cancel", "credit", "heartbeat", "batch", "chunk"]
REQUEST, REPLY, ERROR, EVENT, BATCH, CHUNK, DETACHED, END, MSGPACK, PAYLOAD_MAX, DEPTH_MAX = 1, 2, 3, 4, 8, 9, 1, 2, 1, 1 << 24, 32


class WeftError(Exception):
    """What went wrong: its code, then its message."""


def refuse(when, code, message):
    if when:
        raise WeftError(code, message)


def encode(kind, number, name, payload, deadline_us, sender=0, epoch=0):
    return HEADER.pack(b"WF", 1, kind, 0, MSGPACK, 0, len(name), len(payload), deadline_us, number, bytes(16), bytes(8),
                       sender, epoch & 0xFFFFFFFF, 0, 0, 0) + name.encode() + payload


def decode_first(data, second=None):
    """The envelope that `data` begins with, as a dictionary, and the bytes behind it."""
    refuse(len(data) < HEADER.size or data[:2] != b"WF", "WEFT-2001", "cut, or no envelope")
    it = dict(zip(FIELDS, HEADER.unpack_from(data)))
    refuse(it["version"] != 1, "WEFT-2002", f"version {it['version']}")
    refuse(not REQUEST <= it["kind"] <= CHUNK or it["encoding"] > 2 or it["flags"] & ~(DETACHED | END), "WEFT-2001", "unknown")
    refuse(it["payload_size"] > PAYLOAD_MAX, "WEFT-1003", "the payload is over the limit")
    refuse(it["depth"] > DEPTH_MAX, "WEFT-2013", "too many calls deep")
    detached, size = it["flags"] & DETACHED, it["payload_size"]
    name_end, extension_end = itertools.accumulate((HEADER.size + it["name_size"], it["extension_size"]))
    end = extension_end + (0 if detached else size)
    refuse(len(data) < end or (detached and it["kind"] == BATCH), "WEFT-2001", "cut, or a detached batch")
    refuse(second is not None and len(second) != size, "WEFT-2001", "not as long as announced")
    it.update(name=data[HEADER.size:name_end].decode(), extension=data[name_end:extension_end],
              payload=second if detached else data[extension_end:end])
    return it, data[end:]


def envelopes(data, second=None):
    """Every envelope of a frame: those in a batch, or the one that it is."""
    first, behind = decode_first(data, second)
    refuse(behind, "WEFT-2001", "bytes follow the envelope")
    if first["kind"] != BATCH:
        return (yield first)
    rest = first["payload"]
    while rest:
        it, rest = decode_first(rest)
        refuse(it["kind"] == BATCH or it["flags"] & DETACHED, "WEFT-2001", "a batch holds whole envelopes, no batches")
        yield it


def value(it):
    return (bytes, msgpack.unpackb, json.loads)[it["encoding"]](it["payload"])


def error_of(it):
    try:
        return tuple(value(it).get(key, "") for key in ("code", "message"))
    except (ValueError, AttributeError):
        return "WEFT-2001", "an error that cannot be read"


def call_at(endpoint, method, argument=None, timeout=5.0):
    with zmq.Context.instance().socket(zmq.DEALER) as dealer:
        dealer.linger, number = 0, 1  # one call on this connection
        dealer.connect(endpoint)
        dealer.send(encode(REQUEST, number, method, msgpack.packb(argument), int(timeout * 1e6)))
        while dealer.poll(timeout * 1000):
            for it in envelopes(*dealer.recv_multipart()):
                if it["id"] == number and it["kind"] in (REPLY, ERROR):
                    return value(it) if it["kind"] == REPLY else refuse(True, *error_of(it))
        raise WeftError("WEFT-2006", f"{method} at {endpoint} did not answer within {timeout} s")


def resolve(records, agent):
    found = [record for record in records if record["agent"] == agent and record["call_endpoint"]]
    refuse(not found, "WEFT-2003", f"no live instance of agent '{agent}'")
    return min(found, key=lambda record: record["health"] == "critical")["call_endpoint"]


def subscribe(records, pattern):
    """Publications, without end, as (topic, sequence, payload)."""
    literal = re.match(r"[^*#]*", pattern).group()
    wanted = re.compile(re.escape(pattern).replace(r"\*", "[^.]+").replace(r"\.\#", r"(\..+)?").replace(r"\#", ".+"))
    with zmq.Context.instance().socket(zmq.SUB) as sub:
        sub.subscribe(literal.rstrip(".") if pattern.endswith(".#") else literal + "\0" * (literal == pattern))
        for endpoint in {record["publish_endpoint"] for record in records if record["topics"]} - {""}:
            sub.connect(endpoint)
        while True:
            frame, *second = sub.recv_multipart()
            topic, data = frame.split(b"\0", 1)
            yield from ((topic.decode(), it["id"], value(it)) for it in envelopes(data, *second)
                        if it["kind"] == EVENT and wanted.fullmatch(topic.decode()))


def main(registry, verb, *words):
    if registry == "decode":
        return print(*(KINDS[it["kind"] - 1] for name in (verb, *words) for it in envelopes(open(name, "rb").read())))
    records = call_at(registry, "registry.snapshot")["records"]
    if verb == "call":
        answer = call_at(resolve(records, words[0].split(".")[0]), words[0], json.loads(words[1]))
        return print(json.dumps(answer, default=repr))
    for topic, sequence, payload in itertools.islice(subscribe(records, words[0]), int(words[1])):
        print(topic, sequence, json.dumps(payload, default=repr), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
