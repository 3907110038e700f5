/** results.svg: the reference table as a chart, a pure function of what was saved. */
import { BarChart } from "echarts/charts"
import { GridComponent, LegendComponent, MarkLineComponent, TitleComponent } from "echarts/components"
import * as echarts from "echarts/core"
import { SVGRenderer } from "echarts/renderers"
import { baseline, subject } from "./Plan.js"
import * as Reference from "./Reference.js"
import type { Results } from "./Results.js"
import * as show from "./show.js"

echarts.use([BarChart, GridComponent, LegendComponent, MarkLineComponent, TitleComponent, SVGRenderer])

const width = 900
const height = 560

/** sluice stands out; the others can be told apart without colours, too, since all have labels in the same order. */
const colors: Readonly<Record<string, string>> = {
  [subject]: "#c2410c",
  "ws+bufferutil": "#94a3b8",
  uws: "#0f766e",
  bun: "#6d5bd0",
  "effect-platform": "#475569"
}
const otherColors = ["#b45309", "#0369a1", "#be185d"]

const ink = "#1f2937"
const faint = "#e5e7eb"
const font = "system-ui, -apple-system, 'Segoe UI', sans-serif"

/** The axis has room beyond the longest bars for what is written there. */
const extent = (values: ReadonlyArray<number>) => ({
  min: Math.min(0.5, ...values) / 1.5,
  max: Math.max(2, ...values) * 1.5
})

const option = (results: Results): echarts.EChartsCoreOption => {
  const works = Reference.measured(results)
  // A peer that speaks no WebSocket is a floor, not a peer; ws is the line at 1.
  const peers = results.peers.filter(
    ({ missing, name }) => missing === undefined && name !== baseline && name !== "net"
  )
  const median = (work: Reference.Work, peer: string) => work.figure(results, peer)?.spread?.median
  const hasFault = (work: Reference.Work, peer: string) => (work.figure(results, peer)?.remarks ?? "") !== ""
  const isFaulty = works.some((work) => peers.some(({ name }) => hasFault(work, name)))
  const values = works
    .flatMap((work) => peers.map(({ name }) => median(work, name)))
    .filter((value) => value !== undefined)
  const text = { color: ink, fontFamily: font }
  const line = {
    silent: true,
    symbol: "none",
    lineStyle: { color: ink, type: "solid", width: 1 },
    label: { ...text, formatter: "ws = 1", position: "start", fontSize: 11 },
    data: [{ xAxis: 1 }]
  }
  return {
    animation: false,
    backgroundColor: "#ffffff",
    title: {
      text: "What a message costs the server, relative to ws",
      subtext: `CPU time (memory in the last row), log scale, less is better${isFaulty ? "; * not without faults" : ""}`,
      left: 16,
      top: 10,
      textStyle: { ...text, fontSize: 16 },
      subtextStyle: { color: "#4b5563", fontFamily: font, fontSize: 12 }
    },
    legend: { bottom: 8, itemWidth: 14, itemHeight: 10, itemGap: 32, textStyle: { ...text, fontSize: 12 } },
    grid: { left: 190, right: 48, top: 74, bottom: 64 },
    xAxis: {
      type: "log",
      ...extent(values),
      axisLabel: { ...text, fontSize: 11 },
      axisLine: { show: false },
      splitLine: { lineStyle: { color: faint } }
    },
    yAxis: {
      type: "category",
      inverse: true,
      data: works.map(({ title }) => title),
      axisLabel: { ...text, fontSize: 12, width: 170, overflow: "break" },
      axisTick: { show: false },
      axisLine: { lineStyle: { color: faint } }
    },
    series: peers.map(({ name, title }, index) => ({
      type: "bar",
      name: title,
      // bars go from 1, what costs as much as ws: to the left for less, to the right for more
      data: works.map((work) => {
        const value = median(work, name)
        if (value === undefined) return null
        const formatter = `${show.figure(value)}${hasFault(work, name) ? "*" : ""}`
        return { value, label: { position: value < 1 ? "left" : "right", formatter } }
      }),
      itemStyle: { color: colors[name] ?? otherColors[index % otherColors.length] },
      barCategoryGap: "24%",
      barGap: "10%",
      label: {
        show: true,
        distance: 3,
        ...text,
        fontSize: 9,
        fontWeight: name === subject ? "bold" : "normal"
      },
      ...(index === 0 ? { markLine: line } : {})
    }))
  }
}

/** What the renderer adds for pages that react to the mouse is counted per process: the same results give the same text. */
const still = (svg: string) =>
  svg.replaceAll(/<style[^>]*>.*?<\/style>\n?/gs, "").replaceAll(/ (?:class="zr[^"]*"|ecmeta_\w+="[^"]*")/g, "")

export const render = (results: Results): string => {
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width, height })
  chart.setOption(option(results))
  const svg = still(chart.renderToSVGString())
  chart.dispose()
  return `${svg}\n`
}
