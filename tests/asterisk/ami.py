"""A small client of Asterisk's manager interface, for tests: actions, events, and the raw bytes as a recording."""
import itertools
import socket
import threading
import time


class Ami:
    def __init__(self, port, user="driver", secret="only-for-tests", host="127.0.0.1", record=None, events="on"):
        self.socket = socket.create_connection((host, port), timeout=10)
        self.socket.settimeout(None)
        self.record = open(record, "wb") if record else None
        self.numbers = itertools.count(1)
        self.waiting, self.listeners, self.closed = {}, [], False
        self.lock = threading.Lock()
        threading.Thread(target=self._read, daemon=True).start()
        answer = self.action("Login", Username=user, Secret=secret, Events=events)
        if answer.get("Response") != "Success":
            raise RuntimeError(f"login as {user}: {answer}")

    def _read(self):
        rest = b""
        while True:
            try:
                piece = self.socket.recv(65536)
            except OSError:
                piece = b""
            if not piece:
                break
            if self.record:
                self.record.write(piece)
                self.record.flush()
            rest += piece
            while b"\r\n\r\n" in rest:
                message, rest = rest.split(b"\r\n\r\n", 1)
                fields = {}
                for line in message.decode("utf-8", "replace").split("\r\n"):
                    name, _, value = line.partition(":")
                    fields.setdefault(name, value.strip())
                self._take(fields)
        self.closed = True
        for slot in list(self.waiting.values()):
            slot[1].set()

    def _take(self, fields):
        slot = self.waiting.get(fields.get("ActionID"))
        if slot and "Response" in fields:
            slot[0].update(fields)
            slot[1].set()
        for listener in list(self.listeners):
            listener(fields)

    def send(self, action, **fields):
        number = f"t{next(self.numbers)}"
        lines = [f"Action: {action}", f"ActionID: {number}"]
        for name, value in fields.items():
            for one in value if isinstance(value, list) else [value]:
                lines.append(f"{name}: {one}")
        with self.lock:
            self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        return number

    def action(self, action, timeout=10, **fields):
        answer, done = {}, threading.Event()
        number = f"a{next(self.numbers)}"
        self.waiting[number] = (answer, done)
        lines = [f"Action: {action}", f"ActionID: {number}"] + [f"{name}: {value}" for name, value in fields.items()]
        with self.lock:
            self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        done.wait(timeout)
        del self.waiting[number]
        return answer

    def call(self, exten, stays, number="+4989123456", context="caller", local="/n", name="Kunde"):
        """A customer dials `exten` and stays `stays` seconds at most."""
        return self.send("Originate", Channel=f"Local/{exten}@inbound{local}", Context=context, Exten=str(stays),
                         Priority="1", CallerID=f'"{name}" <{number}>', Async="true", Timeout="60000")

    def wait_event(self, wanted, timeout=10, **fields):
        """The next event called `wanted` with these fields, or None."""
        found, seen = threading.Event(), {}

        def listen(message):
            if message.get("Event") == wanted and all(message.get(k) == v for k, v in fields.items()) and not seen:
                seen.update(message)
                found.set()

        self.listeners.append(listen)
        found.wait(timeout)
        self.listeners.remove(listen)
        return seen or None

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()
        time.sleep(0.05)
        if self.record:
            self.record.close()
