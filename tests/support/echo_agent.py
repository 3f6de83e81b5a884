#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An agent on a worker channel with nothing but Python's standard library: the example of sdk/docs/channel.md.

    { id = "echo", start = { run = { "python3", "echo_agent.py" } }, isolate = "process" }
"""
import os
import socket
import struct
import sys

# -- MessagePack, as much of it as bodies use ---------------------------------------------------------


class Address(bytes):
    """An agent's address: 32 bytes that mean nothing to us."""


def pack(x):
    """The bytes of one value."""
    if x is None:
        return b"\xc0"
    if isinstance(x, bool):
        return b"\xc3" if x else b"\xc2"
    if isinstance(x, int):
        if 0 <= x < 128:
            return struct.pack(">B", x)
        return b"\xd3" + struct.pack(">q", x)
    if isinstance(x, float):
        return b"\xcb" + struct.pack(">d", x)
    if isinstance(x, Address):
        return b"\xc8" + struct.pack(">Hb", len(x), 1) + x
    if isinstance(x, bytes):
        return b"\xc6" + struct.pack(">I", len(x)) + x
    if isinstance(x, str):
        data = x.encode()
        return b"\xdb" + struct.pack(">I", len(data)) + data
    if isinstance(x, (list, tuple)):
        return b"\xdd" + struct.pack(">I", len(x)) + b"".join(map(pack, x))
    if isinstance(x, dict):
        members = (pack(key) + pack(member) for key, member in x.items())
        return b"\xdf" + struct.pack(">I", len(x)) + b"".join(members)
    raise TypeError(f"a message can't hold a {type(x).__name__}")


def unpack(data):
    """The value that `data` holds."""
    value, end = _read(data, 0)
    if end != len(data):
        raise ValueError("bytes are left over")
    return value


# First bytes of what has a number of fixed size behind it, and of what has a length there.
_NUMBERS = {0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q",
            0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q"}
_LENGTHS = {0xC4: ("bin", ">B"), 0xC5: ("bin", ">H"), 0xC6: ("bin", ">I"),
            0xC7: ("ext", ">B"), 0xC8: ("ext", ">H"), 0xC9: ("ext", ">I"),
            0xD9: ("str", ">B"), 0xDA: ("str", ">H"), 0xDB: ("str", ">I"),
            0xDC: ("list", ">H"), 0xDD: ("list", ">I"), 0xDE: ("map", ">H"), 0xDF: ("map", ">I")}


def _read(data, at):
    first = data[at]
    at += 1
    if first < 0x80:
        return first, at
    if first >= 0xE0:
        return first - 256, at
    if first in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[first], at
    if first in _NUMBERS:
        form = _NUMBERS[first]
        return struct.unpack_from(form, data, at)[0], at + struct.calcsize(form)
    if first < 0x90:
        kind, n = "map", first & 0x0F
    elif first < 0xA0:
        kind, n = "list", first & 0x0F
    elif first < 0xC0:
        kind, n = "str", first & 0x1F
    elif 0xD4 <= first <= 0xD8:
        kind, n = "ext", 1 << (first - 0xD4)
    else:
        kind, form = _LENGTHS[first]
        n = struct.unpack_from(form, data, at)[0]
        at += struct.calcsize(form)
    if kind == "list":
        items = []
        for _ in range(n):
            item, at = _read(data, at)
            items.append(item)
        return items, at
    if kind == "map":
        members = {}
        for _ in range(n):
            key, at = _read(data, at)
            members[key], at = _read(data, at)
        return members, at
    if kind == "ext":
        return Address(data[at + 1:at + 1 + n]), at + 1 + n
    raw = data[at:at + n]
    return (raw.decode() if kind == "str" else raw), at + n


# -- the channel --------------------------------------------------------------------------------------


class Channel:
    """Frames on descriptor 3: a length of 32 bits, big-endian, and the list [name, {field: value}]."""

    def __init__(self):
        self.socket = socket.socket(fileno=3)
        self.stream = self.socket.makefile("rb")

    def receive(self):
        """The next frame as (name, fields); None when the node is gone."""
        header = self.stream.read(4)
        if len(header) < 4:
            return None
        return unpack(self.stream.read(struct.unpack(">I", header)[0]))

    def send(self, name, **fields):
        payload = pack([name, fields])
        self.socket.sendall(struct.pack(">I", len(payload)) + payload)


# -- the agent ----------------------------------------------------------------------------------------


class Agent:
    def __init__(self, channel, hello):
        self.channel = channel
        self.hello = hello
        self.last_id = 0
        self.waiting = {}  # what to do with the answer of each open call
        self.streams = {}  # cause of a call that is answered in parts -> what is still to be sent

    def next_id(self):
        self.last_id += 1  # never used twice
        return self.last_id

    def reply(self, cause, value):
        self.channel.send("reply", on=cause, body=pack(value))
        self.channel.send("done", on=cause)

    def fail(self, cause, code, message):
        self.channel.send("fail", on=cause, why={"code": code, "message": message})
        self.channel.send("done", on=cause)

    def call(self, cause, to, verb, args, then):
        call_id = self.next_id()
        self.waiting[call_id] = then
        self.channel.send("call", on=cause, id=call_id, to=to, verb=verb, args=pack(args), timeout=30.0)

    def stream(self, cause, credit):
        """Sends as many parts as the reader has asked for."""
        left = self.streams[cause]
        while left and credit > 0:
            self.channel.send("part", on=cause, body=pack(left.pop(0)))
            credit -= 1
        if not left:
            del self.streams[cause]
            self.reply(cause, None)

    def serve(self, cause, verb, args, message):
        if verb == "echo":
            self.reply(cause, args)
        elif verb == "who":
            self.reply(cause, {"path": self.hello["path"], "self": self.hello["self"],
                               "from": message["from"], "pid": os.getpid(), "folder": os.getcwd()})
        elif verb == "forward":  # forward(to, verb, ...)
            to, other_verb, *rest = args
            self.call(cause, to, other_verb, rest, lambda answer: self.pass_on(cause, answer))
        elif verb == "count":  # count(n), answered in n parts
            self.streams[cause] = list(range(1, args[0] + 1))
            self.stream(cause, message.get("credit", 0))
        elif verb == "later":  # later(seconds)
            call_id = self.next_id()
            self.waiting[call_id] = lambda answer: self.reply(cause, "now")
            self.channel.send("sleep", on=cause, id=call_id, delay=args[0])
        elif verb == "print":
            print(*args, flush=True)
            self.reply(cause, None)
        elif verb == "crash":
            raise RuntimeError(args[0])
        else:
            self.fail(cause, "unknown_verb", f"{self.hello['path']} has no verb {verb}")

    def pass_on(self, cause, answer):
        if answer["kind"] == "reply":
            self.reply(cause, unpack(answer["body"]))
        else:
            why = unpack(answer["body"])
            self.fail(cause, why["code"], why["message"])

    def handle(self, message):
        """False when it is time to go."""
        kind, cause = message["kind"], message.get("cause")
        if kind == "start":
            self.channel.send("started", on=cause, protocol=1, slots=1, overlapping=["who"])
            self.channel.send("done", on=cause)
        elif kind == "call":
            self.serve(cause, message["verb"], unpack(message["body"]), message)
        elif kind in ("reply", "error"):
            self.waiting.pop(message["id"], lambda answer: None)(message)
        elif kind == "credit" and cause in self.streams:
            self.stream(cause, message["credit"])
        elif kind == "cancel":
            self.streams.pop(cause, None)
            self.channel.send("done", on=cause)
        elif kind == "stop":
            self.channel.send("log", level="info", message="stops in order")
            self.channel.send("exit", why=unpack(message["body"]))
            return False
        elif kind in ("send", "down", "exit", "timer"):
            self.channel.send("done", on=cause)
        return True


def main():
    channel = Channel()
    name, hello = channel.receive()
    if name != "hello" or hello["protocol"] != 1:
        sys.exit(f"echo_agent: the node speaks protocol {hello.get('protocol')}, this program 1")
    agent = Agent(channel, hello)
    while frame := channel.receive():
        name, fields = frame
        if name == "deliver" and not agent.handle(fields):
            break


if __name__ == "__main__":
    main()
