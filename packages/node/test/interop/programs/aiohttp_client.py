"""The client of Python's `aiohttp`, led through the dialogue; prints what it sees, one object a line."""

import asyncio
import json
import sys

import aiohttp
from aiohttp import WSMsgType

BASE = sys.argv[1].replace("ws:", "http:")
SIZES = json.loads(sys.argv[2])


def tell(**seen):
    print(json.dumps(seen), flush=True)


async def main():
    async with aiohttp.ClientSession() as session:

        def connect(path, **options):
            # 15 bits of window: permessage-deflate is offered
            return session.ws_connect(BASE + path, compress=15, max_msg_size=0, **options)

        async def refused(path):
            try:
                async with connect(path):
                    return "open"
            except aiohttp.WSServerHandshakeError as error:
                return error.status

        async with connect("/echo", protocols=("a", "b")) as socket:
            tell(subprotocol=socket.protocol, extensions=socket._response.headers.get("Sec-WebSocket-Extensions", ""))
            texts, binaries = [], []
            for size in SIZES:
                await socket.send_str("x" * size)
                if await socket.receive_str() == "x" * size:
                    texts.append(size)
                data = bytes(i * 7 & 255 for i in range(size))
                await socket.send_bytes(data)
                if await socket.receive_bytes() == data:
                    binaries.append(size)
            await socket.send_str("é € \U0001f600")
            tell(texts=texts, binaries=binaries, unicode=await socket.receive_str())
            await socket.close(code=4000, message=b"bye")
            tell(closed=[socket.close_code, ""])

        async with connect("/echo", autoping=False) as socket:
            await socket.ping(b"are you there?")
            message = await socket.receive()
            tell(pong=message.type == WSMsgType.PONG and message.data == b"are you there?")
        async with connect("/fragments") as socket:
            tell(fragments=await socket.receive_str())
        async with connect("/ping") as socket:
            tell(pinged=await socket.receive_str())
        async with connect("/close") as socket:
            message = await socket.receive()
            tell(closedByServer=[message.data, message.extra])
        tell(missing=await refused("/missing"), forbidden=await refused("/forbidden"))


asyncio.run(main())
