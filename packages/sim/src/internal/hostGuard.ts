/**
 * Keeps the host out of a run: its clocks and its randomness answer from the seed, and who goes for its timers, promises
 * or devices is named. A run is synchronous, so nothing else runs while they are replaced.
 */
import { createHook } from "node:async_hooks"
import { globalValue } from "effect/GlobalValue"
import * as MutableRef from "effect/MutableRef"
import * as Scheduler from "effect/Scheduler"
import type { Draw } from "./draw.js"
import { frames, isPrinting } from "./stack.js"

/** @internal What a program has asked the host for. */
export interface HostCall {
  /** Such as `setTimeout` or `Promise.prototype.then`. */
  readonly name: string
  /** Where, the innermost first, without the frames of Effect. */
  readonly stack: ReadonlyArray<string>
}

/** @internal */
export class HostGuard {
  /** What cannot be part of a simulation. */
  call: HostCall | undefined = undefined
  /** What may be harmless, since the host's own streams do it too; but who then waits for ever waits for this. */
  suspect: HostCall | undefined = undefined

  accuse(name: string): void {
    this.call ??= { name, stack: frames() }
  }

  doubt(name: string): void {
    if (this.suspect === undefined && !isPrinting()) this.suspect = { name, stack: frames() }
  }
}

// Device work of Node.js that has nothing to do with what the program prints.
const devices = new Set([
  "DNSCHANNEL",
  "FSEVENTWRAP",
  "FSREQCALLBACK",
  "FSREQPROMISE",
  "GETADDRINFOREQWRAP",
  "GETNAMEINFOREQWRAP",
  "HTTPCLIENTREQUEST",
  "HTTPINCOMINGMESSAGE",
  "PROCESSWRAP",
  "QUERYWRAP",
  "SIGNALWRAP",
  "STATWATCHER",
  "TCPCONNECTWRAP",
  "TCPSERVERWRAP",
  "TCPWRAP",
  "TLSWRAP",
  "UDPSENDWRAP",
  "UDPWRAP",
  "PIPECONNECTWRAP",
  "PIPESERVERWRAP",
  "RANDOMBYTESREQUEST",
  "PBKDF2REQUEST",
  "SCRYPTREQUEST",
  "WORKER",
  "ZLIB"
])

/** What no replacement sees: syntax, and functions that were imported. */
const suspects = new Map([
  ["Immediate", "setImmediate of node:timers"],
  ["MESSAGEPORT", "MessagePort"],
  ["PROMISE", "a promise (await)"],
  ["Timeout", "setTimeout or setInterval of node:timers"]
])

let guarding: HostGuard | undefined

const hook = createHook({
  init: (_id, type) => {
    if (devices.has(type)) guarding?.accuse(type)
    const suspect = suspects.get(type)
    if (suspect !== undefined) guarding?.doubt(suspect)
  }
})

/** The delay with which `Effect.never` keeps a process alive: nobody waits for it. */
const keepAlive = 2 ** 31 - 1

// The counter from which Effect names fibers; it is in the order of some of its maps.
const fiberCounter = globalValue(Symbol.for("effect/Fiber/Id/_fiberCounter"), () => MutableRef.make(0))

type Restore = () => void

/** Replaces a property, and returns how to put the old one back. */
const replace = <T extends object, K extends keyof T>(target: T, key: K, value: T[K]): Restore => {
  const own = Object.getOwnPropertyDescriptor(target, key)
  Object.defineProperty(target, key, {
    value,
    configurable: true,
    writable: true,
    enumerable: own?.enumerable ?? false
  })
  return () => {
    if (own === undefined) delete target[key]
    else Object.defineProperty(target, key, own)
  }
}

/**
 * Runs `body` with the clock and the randomness of the host replaced and its asynchrony guarded.
 *
 * @internal
 */
export const guarded = <A>(guard: HostGuard, now: () => number, random: Draw, crypto: Draw, body: () => A): A => {
  const forbidden = (name: string) => () => {
    guard.accuse(name)
    // What the timer functions of a host return differs; 0 can be given to all that cancel.
    return 0 as never
  }
  // The timer functions have types of the host, which are not looked at here: nothing gets a timer.
  const noTimer = <T>(name: string): T => forbidden(name) as unknown as T
  const { nextTick } = process
  const { then } = Promise.prototype
  const before = { guarding, fibers: MutableRef.get(fiberCounter) }
  const RealDate = Date
  const VirtualDate = new Proxy(RealDate, {
    construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
    apply: () => new RealDate(now()).toString(),
    get: (target, key) => (key === "now" ? now : Reflect.get(target, key))
  })
  const forbiddenInterval = forbidden("setInterval")
  // For the same reason.
  const setInterval = ((_run: () => void, delay?: number) =>
    delay === keepAlive ? 0 : forbiddenInterval()) as unknown as typeof globalThis.setInterval
  guarding = guard
  const restores = [
    replace(globalThis, "setTimeout", noTimer("setTimeout")),
    replace(globalThis, "setInterval", setInterval),
    replace(globalThis, "setImmediate", noTimer("setImmediate")),
    replace(globalThis, "queueMicrotask", forbidden("queueMicrotask")),
    replace(process, "nextTick", (run: (...args: Array<unknown>) => void, ...args: Array<unknown>) => {
      guard.doubt("process.nextTick")
      nextTick(run, ...args)
    }),
    replace(Promise.prototype, "then", function (this: Promise<unknown>, onRight, onWrong) {
      guard.accuse("Promise.prototype.then")
      return then.call(this, onRight, onWrong)
    } as typeof then),
    replace(
      Scheduler.defaultScheduler,
      "scheduleTask",
      forbidden("a fiber outside of the simulation (Effect.runFork)")
    ),
    replace(globalThis, "Date", VirtualDate),
    replace(performance, "now", now),
    replace(Math, "random", () => random.number()),
    replace(globalThis.crypto, "getRandomValues", (array) => {
      if (ArrayBuffer.isView(array)) crypto.bytes(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
      return array
    }),
    replace(globalThis.crypto, "randomUUID", () => uuid(crypto))
  ]
  hook.enable()
  MutableRef.set(fiberCounter, 0)
  try {
    return body()
  } finally {
    MutableRef.set(fiberCounter, before.fibers + MutableRef.get(fiberCounter))
    if (before.guarding === undefined) hook.disable()
    for (const restore of restores.reverse()) restore()
    guarding = before.guarding
  }
}

const uuid = (draw: Draw): `${string}-${string}-${string}-${string}-${string}` => {
  const bytes = draw.bytes(new Uint8Array(16))
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
