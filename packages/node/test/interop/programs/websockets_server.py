"""The server of Python's `websockets`: a path for each thing that is tried; prints its port, and how each connection ends."""

import asyncio
import json
from contextlib import suppress
from http import HTTPStatus

from websockets.exceptions import ConnectionClosed

# what releases from 10 to 15 have alike
from websockets.legacy.server import serve


def tell(**seen):
    print(json.dumps(seen), flush=True)


async def handle(socket):
    if socket.path == "/fragments":
        await socket.send(["He", "l", "lo"])
    elif socket.path == "/ping":
        pong = await socket.ping("are you there?")
        await pong
        await socket.send("ponged")
    elif socket.path == "/close":
        await socket.close(4321, "enough €")
    else:
        with suppress(ConnectionClosed):
            while True:
                await socket.send(await socket.recv())
    await socket.wait_closed()
    tell(closed=[socket.close_code, socket.close_reason])


async def refuse(path, _headers):
    if path == "/missing":
        return HTTPStatus.NOT_FOUND, [], b"nothing here\n"
    if path == "/forbidden":
        return HTTPStatus.FORBIDDEN, [], b"not for you\n"


async def main():
    options = {"subprotocols": ["b"], "process_request": refuse, "max_size": None}
    async with serve(handle, "127.0.0.1", 0, **options) as server:
        tell(port=server.sockets[0].getsockname()[1])
        await asyncio.Future()


asyncio.run(main())
