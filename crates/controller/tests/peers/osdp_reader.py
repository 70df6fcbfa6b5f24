"""A reader of the C library libosdp. Argument: JSON. Orders: JSON lines on stdin. What it was told: JSON lines on stdout.

{"path": device file or Unix socket, "address": 0-126, "key": hex or null, "secure": bool, "install": bool,
 "serial": number}
"""
import json
import os
import select
import socket
import stat
import sys
import tty

import osdp_sys


class Channel:
    id = 1

    def __init__(self, path):
        if stat.S_ISSOCK(os.stat(path).st_mode):
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.connect(path)
            self.fd = self.sock.fileno()
        else:
            self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
            tty.setraw(self.fd)
        os.set_blocking(self.fd, False)

    def read(self, most):
        try:
            return os.read(self.fd, most)
        except BlockingIOError:
            return b""

    def write(self, data):
        try:
            return os.write(self.fd, data)
        except BlockingIOError:
            return 0

    def flush(self):
        pass


def say(**what):
    print(json.dumps(what), flush=True)


wanted = json.loads(sys.argv[1])
flags = 0
if wanted.get("secure"):
    flags |= osdp_sys.FLAG_ENFORCE_SECURE
if wanted.get("install"):
    flags |= osdp_sys.FLAG_INSTALL_MODE
channel = Channel(wanted["path"])
info = {
    "name": "reader",
    "address": wanted["address"],
    "flags": flags,
    "scbk": bytes.fromhex(wanted["key"]) if wanted.get("key") else None,
    "channel": channel,
    "version": 1,
    "model": 1,
    "vendor_code": 0x0A0B0C,
    "serial_number": wanted.get("serial", 1),
    "firmware_version": 0x010000,
}
able = [
    (osdp_sys.CAP_OUTPUT_CONTROL, 1, 1),
    (osdp_sys.CAP_READER_LED_CONTROL, 1, 1),
    (osdp_sys.CAP_READER_AUDIBLE_OUTPUT, 1, 1),
    (osdp_sys.CAP_COMMUNICATION_SECURITY, 1, 1),
    (osdp_sys.CAP_CONTACT_STATUS_MONITORING, 1, 1),
]
osdp_sys.set_loglevel(osdp_sys.LOG_EMERG)
device = osdp_sys.PeripheralDevice(
    info,
    capabilities=[{"function_code": code, "compliance_level": level, "num_items": count} for code, level, count in able],
)

NAMES = {
    osdp_sys.CMD_OUTPUT: "output",
    osdp_sys.CMD_LED: "lamp",
    osdp_sys.CMD_BUZZER: "tones",
    osdp_sys.CMD_KEYSET: "key",
    osdp_sys.CMD_STATUS: "status",
}


def told(command):
    kind = NAMES.get(command["command"], "other")
    if kind == "status":
        return 0, {"command": osdp_sys.CMD_STATUS, "type": command["type"], "report": bytes([0, 0])}
    rest = {key: value.hex() if isinstance(value, bytes) else value for key, value in command.items()}
    say(told=kind, **rest)
    return 0, None


device.set_command_callback(told)


def obey(order):
    if "card" in order:
        return device.submit_event({
            "event": osdp_sys.EVENT_CARDREAD,
            "reader_no": 0,
            "direction": 0,
            "format": osdp_sys.CARD_FMT_RAW_WIEGAND,
            "length": order["bits"],
            "data": bytes.fromhex(order["card"]),
        })
    if "keys" in order:
        return device.submit_event({
            "event": osdp_sys.EVENT_KEYPRESS, "reader_no": 0, "data": order["keys"].encode()})
    if "tamper" in order:
        return device.submit_event({
            "event": osdp_sys.EVENT_STATUS,
            "type": osdp_sys.STATUS_REPORT_LOCAL,
            "report": bytes([order["tamper"], 0]),
        })
    return None


say(ready=True)
os.set_blocking(0, False)
orders = b""
while True:
    # at once when anything comes, and otherwise every 2 ms: a reader in hardware would be as quick
    ready, _, _ = select.select([0, channel.fd], [], [], 0.002)
    if 0 in ready:
        came = os.read(0, 65536)
        if not came:
            break
        orders += came
        *whole, orders = orders.split(b"\n")
        for line in whole:
            say(done=bool(obey(json.loads(line))))
    device.refresh()
