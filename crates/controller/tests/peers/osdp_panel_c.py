"""A panel of the C library libosdp. Argument: JSON. Orders: JSON lines on stdin. What it was told: JSON lines on stdout.

{"path": device file, "address": 0-126, "key": hex}
"""
import json
import os
import select
import sys
import tty

import osdp_sys


class Channel:
    id = 1

    def __init__(self, path):
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
channel = Channel(wanted["path"])
osdp_sys.set_loglevel(osdp_sys.LOG_EMERG)
panel = osdp_sys.ControlPanel([{
    "name": "panel",
    "address": wanted["address"],
    "flags": osdp_sys.FLAG_ENFORCE_SECURE if wanted.get("key") else 0,
    "scbk": bytes.fromhex(wanted["key"]) if wanted.get("key") else None,
    "channel": channel,
}])


def told(pd, event):
    if event["event"] == osdp_sys.EVENT_CARDREAD:
        say(card=event["data"].hex(), bits=event["length"])
    return 0


panel.set_event_callback(told)
say(ready=True)
os.set_blocking(0, False)
orders = b""
was = None
while True:
    ready, _, _ = select.select([0, channel.fd], [], [], 0.002)
    if 0 in ready:
        came = os.read(0, 65536)
        if not came:
            break
        orders += came
        *whole, orders = orders.split(b"\n")
        for line in whole:
            order = json.loads(line)
            if "lamp" in order:
                panel.submit_command(0, {
                    "command": osdp_sys.CMD_LED, "reader": 0, "led_number": 0, "temporary": True, "control_code": 2,
                    "on_count": 5, "off_count": 5, "on_color": order["lamp"], "off_color": 0, "timer_count": 20})
            if "tones" in order:
                panel.submit_command(0, {
                    "command": osdp_sys.CMD_BUZZER, "reader": 0, "control_code": 2, "on_count": 1, "off_count": 1,
                    "rep_count": order["tones"]})
    panel.refresh()
    now = {"online": bool(panel.status() & 1), "secure": bool(panel.sc_status() & 1)}
    if now != was:
        was = now
        say(**now)
