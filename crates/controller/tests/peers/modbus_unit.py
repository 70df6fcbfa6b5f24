"""A Modbus unit of pymodbus, over TCP or on a serial line. Argument, orders and what it says are JSON, a line each.

{"port": TCP port, or "path": device file, "unit": number, "on": [coils that are on at the start]}
Orders: {"input": number, "is": bool}. Says: {"ready": true, "port": number}, {"coil": number, "is": bool} for each write,
{"looked": true} for each read of coils.

"Flash on" (coil address 0x0200 and up: the coil is on for a time in tenths of a second, then off by itself) is written
after Waveshare's manual; it is a mock of that board, not the board.
"""
import asyncio
import json
import struct
import sys

from pymodbus import FramerType
from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.pdu.bit_message import ReadCoilsRequest, WriteSingleCoilRequest, WriteSingleCoilResponse
from pymodbus.server import ModbusSerialServer, ModbusTcpServer

argument = json.loads(sys.argv[1])
unit = argument["unit"]


def say(**what):
    print(json.dumps(what), flush=True)


class Flashed(WriteSingleCoilResponse):
    def encode(self):
        return struct.pack(">HH", self.address, self.tenths)


class Write(WriteSingleCoilRequest):
    def decode(self, data):
        self.address, self.value = struct.unpack(">HH", data[:4])
        self.bits = [self.value == 0xFF00]

    async def datastore_update(self, context, device_id):
        if self.address & 0xFF00 != 0x0200:
            answer = await super().datastore_update(context, device_id)
            if isinstance(answer, WriteSingleCoilResponse):
                say(coil=self.address, **{"is": self.bits[0]})
            return answer
        coil = self.address & 0xFF

        async def put(is_on):
            await context.async_setValues(device_id, 5, coil, [is_on])
            say(coil=coil, **{"is": is_on})

        async def end():
            await asyncio.sleep(self.value / 10)
            await put(False)

        await put(True)
        flashes.append(asyncio.create_task(end()))
        answer = Flashed(address=self.address, dev_id=self.dev_id, transaction_id=self.transaction_id)
        answer.tenths = self.value
        return answer


class Read(ReadCoilsRequest):
    async def datastore_update(self, context, device_id):
        say(looked=True)
        return await super().datastore_update(context, device_id)


flashes = []


async def main():
    coils = [number in argument.get("on", []) for number in range(64)]
    block = lambda values: ModbusSequentialDataBlock(1, values)
    device = ModbusDeviceContext(di=block([False] * 64), co=block(coils), hr=block([0] * 8), ir=block([0] * 8))
    context = ModbusServerContext(devices={unit: device})
    if "port" in argument:
        server = ModbusTcpServer(context, address=("127.0.0.1", argument["port"]), custom_pdu=[Write, Read])
    else:
        server = ModbusSerialServer(
            context, framer=FramerType.RTU, port=argument["path"], baudrate=19200, custom_pdu=[Write, Read]
        )
    await server.serve_forever(background=True)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    say(ready=True)
    while line := await reader.readline():
        order = json.loads(line)
        # the server's own numbering of function codes: 2 means discrete inputs
        await server.context.async_setValues(unit, 2, order["input"], [order["is"]])


asyncio.run(main())
