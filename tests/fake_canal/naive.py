"""What a first CANAL program looks like: ctypes, the platform's structs, no doubt. Run as
`python naive.py ACTION LIBRARY CONFIG`; prints one JSON line of what it believes happened."""

import contextlib
import ctypes
import json
import os
import sys
import threading
import time
from ctypes import byref, c_char, c_char_p, c_ubyte, c_ulong

action, path, config = sys.argv[1], sys.argv[2], sys.argv[3].encode()


class Message(ctypes.Structure):
    _fields_ = [
        ("flags", c_ulong),
        ("obid", c_ulong),
        ("id", c_ulong),
        ("size", c_ubyte),
        ("data", c_ubyte * 8),
        ("timestamp", c_ulong),
        ("next", c_ubyte * 64),  # whatever lies behind the struct in a program's memory
    ]


class Status(ctypes.Structure):
    _fields_ = [("channel", c_ulong), ("code", c_ulong), ("subcode", c_ulong)]
    _fields_ += [("text", c_char * 80), ("next", c_ubyte * 64)]


library = ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)
before = config.decode()
handle = library.CanalOpen(config, 0)
said = {"handle": handle, "config_changed": config.decode() != before, "frames": [], "codes": [], "trampled": False}
end = time.monotonic() + 0.3


def receive(call, *timeout):
    while time.monotonic() < end and len(said["frames"]) < 5000:
        message = Message()
        code = call(handle, byref(message), *timeout)
        if code == 0:
            said["frames"].append([message.flags, message.id, message.size, list(message.data), message.timestamp])
        said["codes"].append(code)
        said["trampled"] |= any(message.next)
        if code not in (0, 32) and not (code == 8 and not timeout):
            break  # 32 is the time-out by the book, 8 an empty queue; anything else an error


if action == "block":
    receive(library.CanalBlockingReceive, 50)
elif action == "block0":  # 0: do not wait
    receive(library.CanalBlockingReceive, 0)
elif action == "poll":
    receive(library.CanalReceive)
elif action == "mixed":  # drains, then waits, and knows that 8 is "not yet"
    while library.CanalReceive(handle, byref(Message())) == 0:
        pass
    while time.monotonic() < end:
        said["codes"].append(library.CanalBlockingReceive(handle, byref(Message()), 50))
elif action == "reuse":  # a buffer for the next string, too
    library.CanalClose(handle)
    buffer = ctypes.create_string_buffer(config)
    handle = library.CanalOpen(buffer, 0)
    buffer.value = b"something else"
    receive(library.CanalReceive)
elif action == "available":
    while time.monotonic() < end and library.CanalDataAvailable(handle):
        message = Message()
        said["codes"].append(library.CanalReceive(handle, byref(message)))
        said["frames"].append([message.flags, message.id, message.size, list(message.data), message.timestamp])
elif action == "threads":
    threads = [threading.Thread(target=receive, args=[library.CanalReceive]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    said["overlaps"] = library.FakeCount(3)
elif action == "status":
    status = Status()
    status.next[:4] = b"next"
    library.CanalGetStatus(handle, byref(status))
    said["text"] = len(ctypes.string_at(ctypes.addressof(status) + Status.text.offset))
elif action == "statistics":
    receive(library.CanalReceive)
    said["statistics"] = []
    for _ in range(2):
        counters = (c_ulong * 7)()
        library.CanalGetStatistics(handle, byref(counters))
        said["statistics"].append(list(counters))
elif action == "vendor":
    library.CanalGetVendorString.restype = c_char_p
    said["vendor"] = library.CanalGetVendorString().decode()
elif action == "version":
    library.CanalGetVersion.restype = c_ulong
    said["version"] = library.CanalGetVersion()
elif action == "send":
    for n in range(60):
        size = n % 9
        data = (c_ubyte * 8)(*[(n * 31 + k * 7 + 1) & 255 for k in range(size)])
        library.CanalSend(handle, byref(Message(0, 0, n & 0x7FF, size, data, 0)))
    library.CanalClose(handle)
    said["on_bus"] = library.FakeCount(4)
elif action == "send_remote":
    for n in range(60):
        library.CanalSend(handle, byref(Message(2, 0, n, 8, (c_ubyte * 8)(), 0)))
    said["as_data"] = library.FakeCount(7)
elif action == "close":
    begun = time.monotonic()
    ticks = []
    ticker = threading.Thread(target=lambda: [ticks.append(time.sleep(0.01)) for _ in range(40)], daemon=True)
    closer = ctypes.PyDLL(path).CanalClose  # as an extension module that keeps the GIL
    ticker.start()
    closer(handle)
    said["ticks"], said["close_s"] = len(ticks), time.monotonic() - begun
    with contextlib.suppress(OSError):
        said["stdin"] = os.fstat(0).st_ino
elif action == "two":  # a second library built from the same skeleton
    other = ctypes.CDLL(sys.argv[4], mode=ctypes.RTLD_GLOBAL)
    other.CanalOpen(config.replace(b"first=0", b"first=100000"), 0)
    receive(library.CanalReceive)

print("\n" + json.dumps(said))
