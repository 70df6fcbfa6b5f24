"""A panel of the Python package osdp, which shares no code with libosdp. Argument: JSON. Orders: JSON lines on stdin.
What it was told: JSON lines on stdout.

{"path": device file, "address": 0-126, "master": hex; the reader's key is made from it and its number}
"""
import json
import logging
import os
import sys

from osdp._control_panel import ControlPanel
from osdp._connection import SerialPortOsdpConnection
from osdp._types import (
    LedColor, PermanentReaderControlCode, ReaderLedControl, ReaderLedControls, TemporaryReaderControlCode)

logging.getLogger("osdp").setLevel(logging.CRITICAL)


def say(**what):
    print(json.dumps(what), flush=True)


class Panel(ControlPanel):
    def on_raw_card_data_reply_received(self, address, card):
        say(card=bytes(card.data).hex(), bits=card.bit_count)


wanted = json.loads(sys.argv[1])
panel = Panel(bytes.fromhex(wanted["master"]))
bus = panel.start_connection(SerialPortOsdpConnection(wanted["path"], 115200))
panel.add_device(bus, wanted["address"], True, True)
say(ready=True)
for line in sys.stdin:
    order = json.loads(line)
    if "lamp" in order:
        lamp = ReaderLedControl(
            0, 0, TemporaryReaderControlCode.SetTemporaryAndStartTimer, 5, 5, LedColor(order["lamp"]), LedColor.Black,
            20, PermanentReaderControlCode.Nop, 0, 0, LedColor.Black, LedColor.Black)
        say(done=panel.reader_led_control(bus, wanted["address"], ReaderLedControls([lamp])))
    if "who" in order:
        who = panel.id_report(bus, wanted["address"])
        say(serial=who.serial_number)
# its thread does not end by itself
os._exit(0)
