"""A relay that keeps to docs/mqtt-relay.md, on top of Mosquitto's own clients. Argument and what it says are JSON, a line
each.

{"port": TCP port, "topic": text, "user": text, "password": text}
Says: {"ready": true}, {"heard": payload}, {"did": "release" or "lock"}, {"refused": why}, {"ended": true} when its own
timer locks.
"""
import ctypes
import json
import queue
import secrets
import subprocess
import sys
import threading
import time

argument = json.loads(sys.argv[1])
topic = argument["topic"]
broker = ["-h", "127.0.0.1", "-p", str(argument["port"]), "-u", argument["user"], "-P", argument["password"], "-V", "311"]

boot = secrets.token_hex(16)
origin = time.monotonic()
seen = set()
released_until = None
done = None
events = queue.Queue()


def say(**what):
    print(json.dumps(what), flush=True)


def mono():
    return int((time.monotonic() - origin) * 1000)


def listen(lines):
    for line in lines:
        events.put(line)
    events.put(None)


def tell():
    state = {"boot": boot, "mono": mono(), "state": "released" if released_until else "locked", "done": done}
    publisher.stdin.write(json.dumps(state) + "\n")
    publisher.stdin.flush()


def ends_with_us():
    """When this relay is killed, so are its clients (PR_SET_PDEATHSIG, SIGKILL)."""
    ctypes.CDLL(None).prctl(1, 9)


def why_not(is_retained, command):
    """The rules, in their order."""
    if is_retained:
        return "retained"
    if command["boot"] != boot:
        return "other boot"
    if mono() > command["not_after"]:
        return "late"
    if command["not_after"] > mono() + 5000:
        return "too far ahead"
    if command["nonce"] in seen:
        return "repeated"
    seen.add(command["nonce"])
    if command["do"] == "release" and not 1 <= command["for_ms"] <= 60000:
        return "time"
    return None


subscriber = subprocess.Popen(
    ["mosquitto_sub", *broker, "-q", "1", "-t", f"{topic}/command", "-F", "%r %p"],
    stdout=subprocess.PIPE,
    text=True,
    preexec_fn=ends_with_us,
)
publisher = subprocess.Popen(
    ["mosquitto_pub", *broker, "-t", f"{topic}/state", "-l"], stdin=subprocess.PIPE, text=True, preexec_fn=ends_with_us
)
threading.Thread(target=listen, args=(subscriber.stdout,), daemon=True).start()
say(ready=True, boot=boot)
beat = time.monotonic()
while True:
    wakes = min(beat, released_until or beat)
    try:
        line = events.get(timeout=max(0, wakes - time.monotonic()))
    except queue.Empty:
        if released_until and time.monotonic() >= released_until:
            released_until = None
            say(ended=True)
        tell()
        beat = time.monotonic() + argument.get("beat", 5)
        continue
    if line is None:
        sys.exit("the broker is gone")
    retained, payload = line.rstrip("\n").split(" ", 1)
    command = json.loads(payload)
    say(heard=payload)
    refusal = why_not(retained == "1", command)
    if refusal:
        say(refused=refusal)
        continue
    released_until = time.monotonic() + command["for_ms"] / 1000 if command["do"] == "release" else None
    done = command["nonce"]
    say(did=command["do"])
    tell()
