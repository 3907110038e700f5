"""The client of Python's `websockets`, led through the dialogue; prints what it sees, one object a line."""

import asyncio
import json
import sys

from websockets.exceptions import InvalidStatusCode

# what releases from 10 to 15 have alike
from websockets.legacy.client import connect as connect_to

BASE = sys.argv[1]
SIZES = json.loads(sys.argv[2])


def tell(**seen):
    print(json.dumps(seen), flush=True)


def connect(path, **options):
    return connect_to(BASE + path, max_size=None, **options)


async def refused(path):
    try:
        async with connect(path):
            return "open"
    except InvalidStatusCode as error:
        return error.status_code


async def main():
    async with connect("/echo", subprotocols=["a", "b"]) as socket:
        tell(subprotocol=socket.subprotocol, extensions=socket.response_headers.get("Sec-WebSocket-Extensions", ""))
        texts, binaries = [], []
        for size in SIZES:
            await socket.send("x" * size)
            if await socket.recv() == "x" * size:
                texts.append(size)
            data = bytes(i * 7 & 255 for i in range(size))
            await socket.send(data)
            if await socket.recv() == data:
                binaries.append(size)
        await socket.send("é € \U0001f600")
        tell(texts=texts, binaries=binaries, unicode=await socket.recv())
        await socket.send(["He", "l", "lo"])
        tell(fragmentsSent=await socket.recv())
        pong = await socket.ping("are you there?")
        await pong
        tell(pong=True)
        await socket.close(4000, "bye")
        tell(closed=[socket.close_code, socket.close_reason])

    async with connect("/fragments") as socket:
        tell(fragments=await socket.recv())
    async with connect("/ping") as socket:
        tell(pinged=await socket.recv())
    async with connect("/close") as socket:
        await socket.wait_closed()
        tell(closedByServer=[socket.close_code, socket.close_reason])
    tell(missing=await refused("/missing"), forbidden=await refused("/forbidden"))


asyncio.run(main())
