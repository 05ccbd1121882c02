import { DashboardBuilder, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import {
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common'
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries'

/** As in the provisioned datasource. */
const datasource = { type: 'prometheus', uid: 'prometheus' }
/** Grafana's grid is this wide. */
const GRID_WIDTH = 24
const HEIGHT = 7

/** Grafana's names of units. */
export type Unit = 'reqps' | 'ops' | 's' | 'short' | 'percentunit' | 'bytes'

export interface Panel {
  title: string
  /** The question that it answers. */
  question: string
  unit: Unit
  /** Legend → expression. A legend may name labels: `{{reason}}`. */
  queries: Record<string, string>
}

/** Panels side by side under one heading. Their number divides the grid. */
export interface Row {
  title: string
  panels: readonly Panel[]
}

/** A dashboard that shows the last quarter of an hour, row by row. */
export function dashboard(uid: string, title: string, description: string, rows: readonly Row[]): DashboardBuilder {
  const builder = new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(['product-events'])
    .timezone('browser')
    .refresh('5s')
    .time({ from: 'now-15m', to: 'now' })
    .editable()
  let id = 1
  for (const row of rows) {
    builder.withRow(new RowBuilder(row.title).id(id++))
    const width = GRID_WIDTH / row.panels.length
    for (const panel of row.panels) builder.withPanel(timeSeries(panel).id(id++).span(width))
  }
  return builder
}

function timeSeries({ title, question, unit, queries }: Panel): PanelBuilder {
  const panel = new PanelBuilder()
    .title(title)
    .description(question)
    .datasource(datasource)
    .unit(unit)
    .min(0)
    .fillOpacity(8)
    .height(HEIGHT)
    .legend(new VizLegendOptionsBuilder().showLegend(true))
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi))
  for (const [index, [legend, expr]] of Object.entries(queries).entries()) {
    const refId = String.fromCharCode('A'.charCodeAt(0) + index)
    panel.withTarget(new DataqueryBuilder().refId(refId).expr(expr).legendFormat(legend).range())
  }
  return panel
}

/** Per second, over the time that Grafana finds right for its resolution. */
export function rate(series: string, by = ''): string {
  const labels = by && ` by (${by})`
  return `sum${labels}(rate(${series}[$__rate_interval]))`
}

/** The median, and what one in a hundred exceeds. */
export function quantiles(name: string, selector: string): Record<string, string> {
  const quantile = (q: number) => `histogram_quantile(${q}, ${rate(`${name}_bucket${selector}`, 'le')})`
  return { median: quantile(0.5), 'one in a hundred': quantile(0.99) }
}

/** Zero while `rate` has no series yet, as long as `known` has: no error was seen, and it would have been. */
export function orNone(rate: string, known: string): string {
  return `${rate} or 0 * ${known}`
}
