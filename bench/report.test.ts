import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { toChart } from './chart.ts'
import { fillIn, makeReport } from './report.ts'
import { readResult, type Result } from './results.ts'
import { measuredIn, scalingBlocks } from './scaling.ts'

const here = import.meta.dirname
const one = (median: number) => ({ median, min: median / 2, max: median * 2 })
const sample: Result = {
  date: '2026-11-22T13:18:07.000Z',
  commit: 'abc1234',
  machine: { cpu: 'Some CPU', cores: 2, memoryGiB: 24, os: 'linux 6' },
  versions: { node: 'v24.21.0', pg: '8.23.1' },
  rounds: 5,
  quick: false,
  results: {
    drain: {
      title: 'the outbox to a sink',
      chart: 'events/s',
      seconds: 12,
      settings: { events: 100, loadTool: 'wrk', postgresql: { wal_level: 'logical' } },
      standings: [
        { name: '1 relay', figures: { 'events/s': one(50_000) }, oursToTheirs: {}, rounds: [] },
        { name: 'A & B', figures: { 'events/s': one(4_000) }, oursToTheirs: { 'events/s': one(12.5) }, rounds: [] },
      ],
      skipped: [{ name: 'pg-boss', reason: 'npm run bench:peers installs it' }],
    },
    wake: { title: 'how soon', failed: 'its process ended with 1 before the last round' },
  },
}

test('a result becomes a table with ranges and ratios, and says where it comes from', () => {
  const { blocks } = makeReport(sample, 'results/x.json')
  expect(blocks.get('circumstances')).toBe(
    'From [x.json](results/x.json): 5 rounds on 2026-11-22 at commit\n' +
      '`abc1234`, 2 × Some CPU, 24 GiB, linux 6.\nnode 24.21.0, pg 8.23.1.',
  )
  expect(blocks.get('drain')).toBe(`![the outbox to a sink](charts/drain.svg)

The outbox to a sink.

|         | events/s                     |
| ------- | ---------------------------- |
| 1 relay | 50,000 (25,000–100,000)      |
| A & B   | 4,000 (2,000–8,000) **12.5** |

skipped: pg-boss (npm run bench:peers installs it)

Took 12 s; events 100, loadTool \`wrk\`, postgresql {wal_level:logical}.`)
})

test('a quick run is called one, and a scenario that failed is told instead of drawn', () => {
  const { blocks, charts } = makeReport({ ...sample, quick: true, rounds: 1 }, 'results/x.json')
  expect(blocks.get('circumstances')).toContain('quick run')
  expect(blocks.get('wake')).toBe('This scenario failed: its process ended with 1 before the last round')
  expect([...charts.keys()]).toEqual(['drain.svg'])
})

test('bars are as long as their medians, have a colour for dark pages, and escape names', () => {
  const { standings } = sample.results.drain as { standings: Parameters<typeof toChart>[2] }
  const svg = toChart('x', 'events/s', standings)
  const widths = [...svg.matchAll(/<rect class="(\w+)".* width="([\d.]+)"/g)].map(([, kind, width]) => [kind, width])
  expect(widths.map(([kind]) => kind)).toEqual(['ours', 'other'])
  expect(Number(widths[0]?.[1]) / Number(widths[1]?.[1])).toBeCloseTo(12.5, 0)
  expect(svg).toContain('prefers-color-scheme: dark')
  expect(svg).toContain('A &amp; B')
})

test('where the shortest bar could not be seen, the scale is logarithmic and says so', () => {
  const bar = (name: string, median: number) => ({
    name,
    figures: { ms: { median, min: median, max: median } },
    oursToTheirs: {},
    rounds: [],
  })
  expect(toChart('x', 'ms', [bar('a', 1), bar('b', 50)])).not.toContain('logarithmic')
  expect(toChart('x', 'ms', [bar('a', 1), bar('b', 51)])).toContain('logarithmic')
})

test('only what stands between markers is written, and what was not measured keeps no old figures', () => {
  const document = 'a\n<!-- drain -->\nold\n<!-- /drain -->\nb\n<!-- gone -->\nold\n<!-- /gone -->\n'
  expect(fillIn(document, new Map([['drain', 'new']]))).toBe(
    'a\n<!-- drain -->\n\nnew\n\n<!-- /drain -->\nb\n<!-- gone -->\n\nNot measured in this run.\n\n<!-- /gone -->\n',
  )
  expect(() => fillIn(document, new Map([['start', 'new']]))).toThrow('no markers for start')
})

test('bench/README.md, its charts and docs/scaling.md are what npm run bench:report makes of the result that they name', async () => {
  const readme = readFileSync(join(here, 'README.md'), 'utf8')
  const source = /\]\((results\/[\w.-]+\.json)\)/.exec(readme)?.[1] ?? ''
  const result = await readResult(join(here, source))
  const { blocks, charts } = makeReport(result, source)
  expect(fillIn(readme, blocks)).toBe(readme)
  expect(readdirSync(join(here, 'charts')).toSorted()).toEqual([...charts.keys()].toSorted())
  for (const [name, svg] of charts) expect(readFileSync(join(here, 'charts', name), 'utf8'), name).toBe(svg)

  const scaling = readFileSync(join(here, '../docs/scaling.md'), 'utf8')
  const scalingSource = /\]\((\.\.\/bench\/results\/[\w.-]+\.json)\)/.exec(scaling)?.[1] ?? ''
  const measured = measuredIn(await readResult(join(here, '../docs', scalingSource)))
  expect(fillIn(scaling, scalingBlocks(measured!, scalingSource))).toBe(scaling)
})
