#!/usr/bin/python3
"""A complete agent that uses no library of Weft, written from docs/protocol.md; it needs python3-zmq and python3-msgpack.

`thermometer` serves read, set and _ping, publishes thermometer.<host>.celsius once a second, and reports to the error bus what is
hotter than its setting `limit`. In a fleet file:   thermometer: {program: ./agent.py, config: {limit: 40}}
"""
import argparse
import json
import os
import secrets
import signal
import socket
import sys
import time

import msgpack
import zmq

from client import ERROR, EVENT, REPLY, REQUEST, WeftError, encode, envelopes, error_of, refuse, value

NO_SUCH_METHOD, BAD_PAYLOAD, HANDLER_FAILED, FENCED = "WEFT-2004", "WEFT-2005", "WEFT-2008", "WEFT-3003"
NAMES = {NO_SUCH_METHOD: ("not_found", "NO_SUCH_METHOD"), BAD_PAYLOAD: ("invalid", "BAD_PAYLOAD"), HANDLER_FAILED: ("internal", "HANDLER_FAILED")}
UNREPORTED_MAX = 1000


def ulid():
    """A new id as text, and its last 8 bytes as the number that stands for it in envelopes."""
    number = int(time.time() * 1000) << 80 | secrets.randbits(80)
    return "".join("0123456789ABCDEFGHJKMNPQRSTVWXYZ"[number >> shift & 31] for shift in range(125, -1, -5)), number & (1 << 64) - 1


def setting(name, default):
    """A variable that the node sets. Its value is YAML: the node writes the part of YAML that is JSON, people also plain text."""
    try:
        return json.loads(os.environ[name])
    except KeyError:
        return default
    except ValueError:
        return os.environ[name]


class Peer:
    """Calls to one endpoint, each with a callback for its answer: done(result, code), code is "" when it succeeded."""

    def __init__(self, agent, endpoint):
        self.agent, self.endpoint, self.number, self.waiting = agent, endpoint, 0, {}
        self.socket = agent.open(zmq.DEALER)
        self.socket.connect(endpoint)
        agent.poll(self.socket, self.take)

    def ask(self, method, argument, done, timeout=1.0):
        self.number += 1
        self.waiting[self.number] = (time.monotonic() + timeout, done)
        self.socket.send(encode(REQUEST, self.number, method, msgpack.packb(argument), int(timeout * 1e6), self.agent.sender, self.agent.epoch))

    def take(self, frames):
        for it in envelopes(*frames):
            if it["kind"] in (REPLY, ERROR) and it["id"] in self.waiting:
                _, done = self.waiting.pop(it["id"])
                done(value(it), "") if it["kind"] == REPLY else done(None, error_of(it)[0])

    def expire(self):
        for number in [number for number, (until, _) in self.waiting.items() if until < time.monotonic()]:
            self.waiting.pop(number)[1](None, "WEFT-2006")


class Agent:
    def __init__(self, name, version, topics):
        self.name, self.version, self.topics = name, version, topics
        self.host = os.environ.get("WEFT_HOST") or socket.gethostname().partition(".")[0]
        self.instance, self.sender = ulid()
        self.epoch, self.started_us, self.exit_code = 0, int(time.time() * 1e6), None
        self.health, self.renewal = {"health": "passing", "health_text": ""}, [0, 1.0, None]
        self.context, self.poller, self.takers, self.timers = zmq.Context(), zmq.Poller(), {}, []
        address = setting("WEFT__HOST__ADDRESS", "127.0.0.1")
        self.server, self.publisher = self.open(zmq.ROUTER), self.open(zmq.PUB)
        self.call_endpoint, self.publish_endpoint = (
            f"tcp://{address}:{each.bind_to_random_port(f'tcp://{address}')}" for each in (self.server, self.publisher))
        self.poll(self.server, self.take_request)
        self.methods, self.sequences, self.unreported, self.reporting = {}, {}, {}, False
        self.registries = setting("WEFT__REGISTRY__ADDRESSES", ["tcp://127.0.0.1:7411"])
        self.registry = Peer(self, self.registries[0])
        self.bus = Peer(self, setting("WEFT__ERRORBUS__ADDRESS", "tcp://127.0.0.1:7421"))
        self.serve("_ping", "who is there", self.ping, kind="built-in")

    def open(self, kind):
        made = self.context.socket(kind)
        made.linger = 0
        made.tcp_keepalive = 1
        return made

    def poll(self, socket_, take):
        self.poller.register(socket_, zmq.POLLIN)
        self.takers[socket_] = take

    # ---- what an author uses

    def serve(self, name, summary, handler, kind="call"):
        self.methods[name] = (summary, handler, kind)

    def set_health(self, state, text=""):
        """`passing`, `warning` or `critical`, and why: in the record with a renewal at once."""
        self.health, changed = (now := {"health": state, "health_text": text}), now != self.health
        if changed:
            self.renewal[0] = 0

    def publish(self, topic, payload):
        number = self.sequences[topic] = self.sequences.get(topic, 0) + 1
        self.publisher.send(topic.encode() + b"\0" + encode(EVENT, number, "", msgpack.packb(payload), 0, self.sender, self.epoch))

    def report(self, severity, code, message, **values):
        """Kept until the bus has acknowledged it; the bus drops what it has by the id."""
        if len(self.unreported) < UNREPORTED_MAX:
            event = {"id": ulid()[0], "time_us": int(time.time() * 1e6), "host": self.host, "agent": self.name, "version": self.version,
                     "instance": self.instance, "epoch": self.epoch, "severity": severity, "code": code, "message": message, "values": values}
            self.unreported[event["id"]] = event

    def every(self, seconds, work):
        self.timers.append([time.monotonic(), seconds, work])

    # ---- calls from others

    def take_request(self, frames):
        peer, *envelope = frames
        try:
            for it in envelopes(*envelope):
                if it["kind"] == REQUEST:
                    self.server.send_multipart([peer, self.answer(it)])
        except WeftError as refused:  # what cannot be read at all; what came before it in a batch is answered
            number = int.from_bytes(envelope[0][16:24].ljust(8, b"\0"), "little")
            self.server.send_multipart([peer, self.failure(number, *refused.args)])

    def answer(self, it):
        agent, _, method = it["name"].partition(".")
        try:
            refuse(agent not in (self.name, "_") or method not in self.methods, NO_SUCH_METHOD, f"agent '{self.name}' has no method '{method}'")
            result = self.methods[method][1](value(it) or {})
            return encode(REPLY, it["id"], "", msgpack.packb(result), 0, self.sender, self.epoch)
        except WeftError as refused:
            return self.failure(it["id"], *refused.args)
        except Exception as thrown:
            self.report("error", HANDLER_FAILED, "{method} failed: {what}", method=method, what=repr(thrown))
            return self.failure(it["id"], HANDLER_FAILED, repr(thrown))

    def failure(self, number, code, message):
        kind, name = NAMES.get(code, ("invalid", ""))
        body = {"kind": kind, "code": code, "name": name, "message": message, "hint": ""}
        return encode(ERROR, number, "", msgpack.packb(body), 0, self.sender, self.epoch)

    def ping(self, _):
        return {"agent": self.name, "host": self.host, "instance": self.instance, "version": self.version, "pid": os.getpid(),
                "up_us": int(time.time() * 1e6) - self.started_us}

    # ---- the registry, the error bus and the node

    def record(self):
        listed = [{"name": name, "summary": summary, "kind": kind} for name, (summary, _, kind) in self.methods.items() if kind != "built-in"]
        return {"mesh": setting("WEFT__MESH__NAME", "weft"), "host": self.host, "agent": self.name, "version": self.version,
                "slot": os.environ.get("WEFT_SLOT", f"{self.name}@{self.host}"), "claim": int(os.environ.get("WEFT_CLAIM", 0)),
                "instance": self.instance, "epoch": self.epoch, "call_endpoint": self.call_endpoint,
                "publish_endpoint": self.publish_endpoint, "topics": self.topics, "methods": listed, "pid": os.getpid(), "started_us": self.started_us, "protocol_min": 1, "protocol_max": 1} | self.health

    def register(self):
        def done(reply, code):
            if code == FENCED:  # a newer instance has the slot
                self.exit_code = 75
            elif code:
                self.next_registry()
            else:
                self.epoch, self.again, self.renewal[1] = reply["epoch"], self.renew, reply["lease_us"] / 3e6
                notify("READY=1")
        self.registry.ask("registry.register", self.record(), done)

    def renew(self):
        def done(_, code):
            if code == FENCED:
                self.exit_code = 75
            elif code:  # WEFT-3002: the registry does not know this instance; or it did not answer
                self.again, self.renewal[:2] = self.register, (0, 0.2)
        request = {"instance": self.instance, "epoch": self.epoch} | self.health
        self.registry.ask("registry.renew", request, done, timeout=self.renewal[1] / 2)

    def keep_lease(self):
        if not self.registry.waiting:
            self.again()

    def next_registry(self):
        """The first of the list is this host's. Any other one may be used while it is away."""
        self.registries.append(self.registries.pop(0))
        self.poller.unregister(self.registry.socket)
        del self.takers[self.registry.socket]
        self.registry.socket.close()
        self.registry = Peer(self, self.registries[0])

    def send_reports(self):
        def done(_, code):
            self.reporting = False
            for each in events if not code else []:
                self.unreported.pop(each["id"], None)
        events = list(self.unreported.values())[:100]
        if events and not self.reporting:
            self.reporting = True
            self.bus.ask("errorbus.report", {"events": events}, done)

    def run(self):
        """Until TERM or INT, or until a newer instance has this slot; returns the exit code."""
        read_end, write_end = socket.socketpair()
        write_end.setblocking(False)
        signal.set_wakeup_fd(write_end.fileno())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: setattr(self, "exit_code", 0))
        self.poller.register(read_end, zmq.POLLIN)
        self.again = self.register
        self.every(0.2, self.keep_lease)
        self.renewal = self.timers[-1]
        self.every(0.2, self.send_reports)
        self.every(int(os.environ.get("WATCHDOG_USEC", 10_000_000)) / 2e6, lambda: notify("WATCHDOG=1"))
        while self.exit_code is None:
            for timer in self.timers:
                if timer[0] <= time.monotonic():
                    timer[0] = time.monotonic() + timer[1]
                    timer[2]()
            for ready, _ in self.poller.poll(max(0, min(due for due, _, _ in self.timers) - time.monotonic()) * 1000):
                if ready in self.takers:
                    self.takers[ready](ready.recv_multipart())
            self.registry.expire()
            self.bus.expire()
        if self.exit_code == 0:
            self.registry.ask("registry.deregister", {"instance": self.instance, "reason": "stopped"}, lambda *_: None)
            self.registry.socket.poll(500)
        return self.exit_code


def notify(text):
    """To the node, as sd_notify(3) does: a datagram to NOTIFY_SOCKET, which blocks until there is room for it."""
    if "NOTIFY_SOCKET" in os.environ:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to_node:
            to_node.connect(os.environ["NOTIFY_SOCKET"])
            to_node.send(text.encode())


def settings(words):
    """{"limit": 40} of ["agent.limit=40"]; exit code 78 when they are wrong, 64 when the command line is: the node tries neither again."""
    try:
        pairs = (word.removeprefix("agent.").split("=", 1) for word in words)
        found = {"limit": 40} | {key: json.loads(text) for key, text in pairs}
        assert found.keys() == {"limit"} and isinstance(found["limit"], (int, float)), "wanted a number as limit, and no other keys"
        return found
    except (ValueError, AssertionError) as wrong:
        sys.exit(print(f"{words}: {wrong}", file=sys.stderr) or 78)


def main():
    parser = argparse.ArgumentParser(description="An agent of a Weft mesh.")
    parser.add_argument("--name", default="thermometer")
    parser.add_argument("--set", action="append", default=[], metavar="agent.KEY=VALUE")
    parser.error = lambda message: sys.exit(print(message, file=sys.stderr) or 64)
    words = parser.parse_args()
    limit, now = settings(words.set)["limit"], {"celsius": 20.0}
    agent = Agent(words.name, "1.0.0", topics=["thermometer.*.celsius"])

    def set_celsius(request):
        refuse(not isinstance(request.get("celsius"), (int, float)), BAD_PAYLOAD, "payload.celsius: missing, or no number")
        now["celsius"] = float(request["celsius"])
        agent.set_health("warning" if now["celsius"] > limit else "passing", "too hot" if now["celsius"] > limit else "")
        if now["celsius"] > limit:
            agent.report("warning", "THERMOMETER-1", "{celsius} degrees are more than {limit}", celsius=now["celsius"], limit=limit)
        return now

    agent.serve("read", "The temperature", lambda _: now)
    agent.serve("set", "Sets the temperature", set_celsius)
    agent.every(1.0, lambda: agent.publish(f"thermometer.{agent.host}.celsius", now))
    return agent.run()


if __name__ == "__main__":
    sys.exit(main())
