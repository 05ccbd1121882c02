import { toChart } from './chart.ts'
import type { Result, ScenarioResult } from './results.ts'
import { toTable } from './table.ts'

/** What the report is made of: the text between the markers, and a chart for each scenario that was measured. */
export interface Report {
  /** By the name of the marker: `circumstances`, and each scenario. */
  blocks: Map<string, string>
  /** By file name. */
  charts: Map<string, string>
}

/** Turns a result into Markdown tables and SVG charts. `source`: where it is kept, as a link from bench/README.md. */
export function makeReport(result: Result, source: string): Report {
  const blocks = new Map([['circumstances', circumstancesOf(result, source)]])
  const charts = new Map<string, string>()
  for (const [name, scenario] of Object.entries(result.results)) {
    const chart = chartOf(scenario)
    if (chart !== undefined) charts.set(`${name}.svg`, chart)
    const image = chart === undefined ? [] : [`![${scenario.title}](charts/${name}.svg)`]
    blocks.set(name, [...image, textOf(scenario)].join('\n\n'))
  }
  return { blocks, charts }
}

/**
 * Puts each block between its markers, `<!-- name -->` and `<!-- /name -->`. A pair of markers without a block says so:
 * a figure that this run did not measure must not stay from another run. Throws when a block has no markers.
 */
export function fillIn(document: string, blocks: Map<string, string>): string {
  const missing = [...blocks.keys()].filter((name) => !document.includes(`<!-- ${name} -->`))
  if (missing.length > 0) throw new Error(`there are no markers for ${missing.join(', ')}`)
  return document.replaceAll(
    /<!-- ([\w-]+) -->\n[\s\S]*?<!-- \/\1 -->/g,
    (_, name: string) => `<!-- ${name} -->\n\n${blocks.get(name) ?? 'Not measured in this run.'}\n\n<!-- /${name} -->`,
  )
}

function circumstancesOf({ date, commit, machine, versions, rounds, quick }: Result, source: string): string {
  const warning = quick ? ['**A quick run: for a look, not for a claim.**', ''] : []
  return [
    ...warning,
    `From [${source.split('/').at(-1)}](${source}): ${rounds} ${rounds === 1 ? 'round' : 'rounds'} on ${date.slice(0, 10)} at commit`,
    `\`${commit}\`, ${machine.cores} × ${machine.cpu}, ${machine.memoryGiB} GiB, ${machine.os}.`,
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version.replace(/^v/, '')}`)
      .join(', ') + '.',
  ].join('\n')
}

function chartOf(scenario: ScenarioResult): string | undefined {
  if ('failed' in scenario) return undefined
  const { title, chart, standings } = scenario
  return standings.some(({ figures }) => chart in figures) ? toChart(title, chart, standings) : undefined
}

function textOf(scenario: ScenarioResult): string {
  if ('failed' in scenario) return `This scenario failed: ${scenario.failed}`
  const { settings, seconds, title } = scenario
  const shown = (value: unknown) =>
    typeof value === 'string' ? `\`${value}\`` : JSON.stringify(value).replaceAll('"', '')
  const told = Object.entries(settings).map(([name, value]) => `${name} ${shown(value)}`)
  return `${title[0]?.toUpperCase()}${title.slice(1)}.\n\n${toTable(scenario)}\n\nTook ${seconds} s; ${told.join(', ')}.`
}
