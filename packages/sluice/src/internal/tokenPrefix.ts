/** @internal What an entry of `Sec-WebSocket-Protocol` with a token begins with, where nothing else was said. */
export const tokenPrefix = "bearer."
