"""A card in the virtual reader vpcd (vsmartcard), over vpcd's TCP protocol. Argument: {"uid": hexadecimal}.

Each message has its length in two bytes before it. One byte: 0 power off, 1 power on, 2 reset, 4 ask for the ATR; anything
else is a command to the card. Says {"ready": true} when pcscd has asked for the ATR, and {"asked": true} each time that somebody
has been told the serial number.
"""
import json
import socket
import struct
import sys

uid = bytes.fromhex(json.loads(sys.argv[1])["uid"])
ATR = bytes.fromhex("3B8F8001804F0CA000000306030001000000006A")
reader = socket.create_connection(("127.0.0.1", 35963))


def receive(length):
    data = b""
    while len(data) < length:
        more = reader.recv(length - len(data))
        if not more:
            sys.exit(0)
        data += more
    return data


def send(data):
    reader.sendall(struct.pack(">H", len(data)) + data)


is_ready = False
while True:
    message = receive(struct.unpack(">H", receive(2))[0])
    if message == b"\x04":
        send(ATR)
        if not is_ready:
            is_ready = True
            print(json.dumps({"ready": True}), flush=True)
    elif len(message) > 1:
        is_asked = message[:4] == b"\xff\xca\x00\x00"
        send(uid + b"\x90\x00" if is_asked else b"\x6d\x00")
        if is_asked:
            print(json.dumps({"asked": True}), flush=True)
