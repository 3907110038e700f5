"""The server of Python's `aiohttp`: a path for each thing that is tried; prints its port, and how each connection ends."""

import asyncio
import json

from aiohttp import WSMsgType, web


def tell(**seen):
    print(json.dumps(seen), flush=True)


async def handle(request):
    path = request.path
    if path == "/missing":
        raise web.HTTPNotFound(text="nothing here\n")
    if path == "/forbidden":
        raise web.HTTPForbidden(text="not for you\n")
    socket = web.WebSocketResponse(protocols=("b",), compress=True, max_msg_size=0, autoping=path != "/ping")
    await socket.prepare(request)
    if path == "/ping":
        await socket.ping(b"are you there?")
        pong = await socket.receive()
        if pong.type == WSMsgType.PONG and pong.data == b"are you there?":
            await socket.send_str("ponged")
    elif path == "/close":
        await socket.close(code=4321, message="enough €".encode())
        return socket
    while True:
        message = await socket.receive()
        if message.type == WSMsgType.TEXT:
            await socket.send_str(message.data)
        elif message.type == WSMsgType.BINARY:
            await socket.send_bytes(message.data)
        else:
            tell(closed=[message.data, message.extra])
            return socket


async def main():
    app = web.Application()
    app.router.add_get("/{path:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    tell(port=runner.addresses[0][1])
    await asyncio.Future()


asyncio.run(main())
