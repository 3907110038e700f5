/** The tables of the codecs. */
import { memcpy } from "./Codecs.js"
import type { Codec, Decoding, Results } from "./Results.js"
import * as show from "./show.js"
import { ratios, type Spread, spread } from "./statistics.js"

interface Task {
  readonly task: Decoding["task"]
  readonly size: number
  readonly frames: number
}

/** Nanoseconds of a frame, a value for each round. */
const nanos = ({ rounds }: Codec, { frames, size, task }: Task): ReadonlyArray<number | undefined> =>
  rounds.map((round) =>
    "error" in round
      ? undefined
      : round.decodings.find((one) => one.task === task && one.size === size && one.frames === frames)?.nanos
  )

const typical = (codec: Codec, task: Task): number | undefined =>
  spread(nanos(codec, task).filter((value) => value !== undefined))?.median

export const tasks = ({ codecs }: Results, kind: Decoding["task"]): ReadonlyArray<Task> => {
  const decodings = codecs.flatMap(({ rounds }) =>
    rounds.flatMap((round) => ("error" in round ? [] : round.decodings.filter(({ task }) => task === kind)))
  )
  const byName = new Map(decodings.map(({ frames, size, task }) => [`${size} ${frames}`, { task, size, frames }]))
  return [...byName.values()]
}

/** How many times as fast the one is as the other. */
export const speedUp = ({ codecs }: Results, name: string, over: string, task: Task): Spread | undefined => {
  const [one, other] = [name, over].map((wanted) => codecs.find((codec) => codec.name === wanted))
  return one === undefined || other === undefined ? undefined : spread(ratios(nanos(other, task), nanos(one, task)))
}

/** The time of a fragment when there are many, over that when there are few. */
export const growth = (results: Results, name: string): number | undefined => {
  const codec = results.codecs.find((codec) => codec.name === name)
  const [few, many] = [10_000, 100_000].map((frames) => {
    const task = tasks(results, "fragments").find((task) => task.frames === frames)
    return codec === undefined || task === undefined ? undefined : typical(codec, task)
  })
  return few === undefined || many === undefined ? undefined : many / few
}

const errors = ({ codecs }: Results): ReadonlyArray<string> =>
  codecs.flatMap(({ name, rounds }) => {
    const error = rounds.find((round) => "error" in round)
    return error !== undefined && "error" in error ? [`${name}: ERROR ${error.error}`] : []
  })

const speed = (codec: Codec, task: Task): string => {
  const time = typical(codec, task)
  if (time === undefined) return "–"
  const megabytes = (task.size / time) * 1000
  return codec.name === memcpy
    ? `${show.figure(megabytes)} MB/s`
    : `${show.figure(megabytes)} MB/s, ${show.figure(time)} ns`
}

export const sections = (results: Results): ReadonlyArray<string> => {
  const { codecs } = results
  if (codecs.length === 0) return []
  const decoders = codecs.filter(({ name }) => name !== memcpy)
  return [
    "## Codec",
    "Masked frames decoded in one process, arriving in chunks of 64 KiB: payload in a second, time of a frame. `memcpy` is the filling of the chunks, which is part of all.",
    show.table(
      ["payload", ...codecs.map(({ name }) => name)],
      tasks(results, "messages").map((task) => [show.bytes(task.size), ...codecs.map((codec) => speed(codec, task))])
    ),
    "One message in fragments of 16 B: nanoseconds of a fragment.",
    show.table(
      ["fragments", ...decoders.map(({ name }) => name)],
      tasks(results, "fragments").map((task) => [
        show.count(task.frames),
        ...decoders.map((codec) => show.orDash(typical(codec, task)))
      ])
    ),
    ...errors(results)
  ]
}
