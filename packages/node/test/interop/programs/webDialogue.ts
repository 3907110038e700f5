/**
 * The dialogue, with the WebSocket that browsers have, of whoever has it: the page imports this, and so do the programs
 * for undici and for Bun.
 */

/** The part that is used of it. */
export interface WebSocketLike {
  binaryType: string
  readonly protocol: string
  readonly extensions: string
  readonly send: (data: string | Uint8Array) => void
  readonly close: (code?: number, reason?: string) => void
  onopen: ((event: object) => void) | null
  onmessage: ((event: { readonly data: string | ArrayBuffer }) => void) | null
  onerror: ((event: object) => void) | null
  onclose: ((event: { readonly code: number; readonly reason: string; readonly wasClean: boolean }) => void) | null
}

export interface WebSocketConstructor {
  new (url: string, protocols?: Array<string>): WebSocketLike
}

type Closed = readonly [code: number, reason: string]

interface Connection {
  readonly socket: WebSocketLike
  readonly next: () => Promise<string | Uint8Array>
  readonly closed: Promise<Closed>
}

/** Connects; `undefined` if an error comes before it is open. */
const connect = (WebSocket: WebSocketConstructor, url: string, protocols: Array<string> = []) =>
  new Promise<Connection | undefined>((resolve) => {
    const socket = new WebSocket(url, protocols)
    socket.binaryType = "arraybuffer"
    const messages: Array<string | Uint8Array> = []
    let wanted: ((message: string | Uint8Array) => void) | undefined
    const next = () =>
      new Promise<string | Uint8Array>((resolve) => {
        const message = messages.shift()
        if (message === undefined) wanted = resolve
        else resolve(message)
      })
    socket.onmessage = ({ data }) => {
      const message = typeof data === "string" ? data : new Uint8Array(data)
      if (wanted === undefined) messages.push(message)
      else wanted(message)
      wanted = undefined
    }
    const closed = new Promise<Closed>((resolve) => {
      socket.onclose = ({ code, reason, wasClean }) => resolve([code, wasClean ? reason : `not clean: ${reason}`])
    })
    socket.onopen = () => resolve({ socket, next, closed })
    socket.onerror = () => resolve(undefined)
  })

const isSame = (one: string | Uint8Array, other: Uint8Array): boolean =>
  typeof one !== "string" && one.length === other.length && one.every((byte, i) => byte === other[i])

/** What a client cannot say is left out: Pings cannot be sent, and of a refusal nothing is told but that it is one. */
export const dialogue = async (
  WebSocket: WebSocketConstructor,
  base: string,
  sizes: ReadonlyArray<number>,
  tell: (seen: object) => void
): Promise<void> => {
  const opened = async (path: string, protocols?: Array<string>) => {
    const connection = await connect(WebSocket, base + path, protocols)
    if (connection === undefined) throw new Error(`${path} is not opened`)
    return connection
  }
  const leave = async ({ closed, socket }: Connection) => {
    socket.close(1000)
    await closed
  }
  const refused = async (path: string) => {
    const connection = await connect(WebSocket, base + path)
    if (connection === undefined) return "refused"
    await leave(connection)
    return "open"
  }

  const echo = await opened("/echo", ["a", "b"])
  tell({ subprotocol: echo.socket.protocol, extensions: echo.socket.extensions })
  const texts: Array<number> = []
  const binaries: Array<number> = []
  for (const size of sizes) {
    const text = "x".repeat(size)
    echo.socket.send(text)
    if ((await echo.next()) === text) texts.push(size)
    const bytes = Uint8Array.from({ length: size }, (_, i) => (i * 7) & 255)
    echo.socket.send(bytes)
    if (isSame(await echo.next(), bytes)) binaries.push(size)
  }
  echo.socket.send("\u00e9 \u20ac \u{1f600}")
  tell({ texts, binaries, unicode: await echo.next() })
  echo.socket.close(4000, "bye")
  tell({ closed: await echo.closed })

  const fragments = await opened("/fragments")
  tell({ fragments: await fragments.next() })
  await leave(fragments)
  const ping = await opened("/ping")
  tell({ pinged: await ping.next() })
  await leave(ping)
  tell({ closedByServer: await (await opened("/close")).closed })
  tell({ missing: await refused("/missing"), forbidden: await refused("/forbidden") })
}
