import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { dashboards, rows } from './grafana/dashboards.ts'
import { alerts, expressions, recorded } from './testing/rules.ts'

const read = (path: string) => readFileSync(join(import.meta.dirname, path), 'utf8')
const volumes = (name: string) =>
  (parse(read('../compose.yaml')) as { services: Record<string, { volumes: string[] }> }).services[name]?.volumes ?? []
const dashboardFiles = readdirSync(join(import.meta.dirname, 'grafana/dashboards'))
const panels = rows.flatMap(({ panels }) => panels)
const queries = panels.flatMap(({ queries }) => Object.values(queries))

/** The metrics of our own that the code registers: their names, without the suffixes that a histogram brings. */
const registered = ['packages', 'services']
  .map((folder) => join(import.meta.dirname, '..', folder))
  .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)))
  .filter((file) => /^(?!.*(\.test\.ts|node_modules)).*\.ts$/.test(file))
  // What adopters of the inbox register; notification-service has metrics of its own.
  .filter((file) => !file.endsWith(join('packages', 'inbox', 'prometheus.ts')))
  .map((file) => readFileSync(file, 'utf8'))
  .filter((source) => /\b(Counter|Gauge|Histogram)\b/.test(source))
  .flatMap((source) => [...source.matchAll(/(?:name: |gauge\(|counter\()'([a-z]+(?:_[a-z]+)+)'/g)])
  .map(([, name = '']) => name)

/** The metrics that an expression asks for, but for those that every process and Prometheus itself has. */
function asked(expression: string): string[] {
  const names = expression.replaceAll(/"[^"]*"|\{\{.*?\}\}/g, '').match(/\b(?:service:)?[a-z]+_[a-z_:0-9]+\b/g) ?? []
  const functions = ['histogram_quantile', 'avg_over_time', 'min_over_time', 'label_replace', '__rate_interval']
  return (
    names
      // What Prometheus calls the label `job` of a metric.
      .filter((name) => !functions.includes(name) && !/^((nodejs|process)_|exported_job$)/.test(name))
      .map((name) => name.replace(/_(bucket|count|sum)$/, ''))
  )
}

test('there are metrics of our own', () => expect(registered.length).toBeGreaterThan(20))

describe('Prometheus', () => {
  const config = parse(read('prometheus/prometheus.yaml')) as {
    rule_files: string[]
    scrape_configs: { job_name: string; file_sd_configs: { files: string[] }[] }[]
  }

  test('reads the targets and the rules that compose.yaml mounts', () => {
    const [files] = config.scrape_configs.map((job) => job.file_sd_configs[0]?.files)
    expect(files).toEqual(['/etc/prometheus/targets.yaml'])
    expect(config.rule_files).toEqual(['/etc/prometheus/rules/*.yaml'])
    expect(volumes('prometheus')).toContain(
      './deploy/prometheus/targets-${COMPOSE_PROFILES:-host}.yaml:/etc/prometheus/targets.yaml:ro',
    )
    expect(volumes('prometheus')).toContain('./deploy/prometheus/prometheus.yaml:/etc/prometheus/prometheus.yml:ro')
    expect(volumes('prometheus')).toContain('./deploy/prometheus/rules:/etc/prometheus/rules:ro')
  })

  test.each([
    ['host', ['host.docker.internal:8082', 'host.docker.internal:8083']],
    ['services', ['product-service:8082', 'notification-service:8083']],
  ])('scrapes both services where they run: %s', (where, expected) => {
    const targets = parse(read(`prometheus/targets-${where}.yaml`)) as {
      targets: string[]
      labels: { service: string }
    }[]
    expect(targets.flatMap(({ targets }) => targets)).toEqual(expected)
    expect(targets.map(({ labels }) => labels.service)).toEqual(['product-service', 'notification-service'])
  })

  test('its rules ask only for metrics that the services have or that other rules record', () => {
    const unknown = expressions.flatMap(asked).filter((name) => ![...registered, ...recorded].includes(name))
    expect(unknown).toEqual([])
  })
})

describe('docs/operations.md', () => {
  const text = read('../docs/operations.md')
  const sections = new Map(
    [...text.matchAll(/^### (\w+)\n([\s\S]*?)(?=^##|$(?![\s\S]))/gm)].map(([, name = '', body = '']) => [name, body]),
  )

  test('has a section for each alert, and for no other', () => {
    expect([...sections.keys()].toSorted()).toEqual(alerts.map(({ name }) => name).toSorted())
  })

  test.each(alerts)('$name leads to its section, which says what it means, where to look and what to do', (alert) => {
    expect(alert.annotations.runbook_url).toBe(`docs/operations.md#${alert.name.toLowerCase()}`)
    expect(alert.labels.severity).toMatch(/^(page|ticket)$/)
    expect(alert.annotations.summary).not.toBe('')
    for (const part of ['**Means:**', '**Look at:**', '**Do:**']) expect(sections.get(alert.name)).toContain(part)
  })
})

describe('Grafana', () => {
  const datasource = (
    parse(read('grafana/provisioning/datasources/prometheus.yaml')) as { datasources: { uid: string; url: string }[] }
  ).datasources[0]

  test('has the Prometheus of compose.yaml as its datasource', () => {
    expect(datasource?.url).toBe('http://prometheus:9090')
  })

  test('finds its provisioning and its dashboards where compose.yaml mounts them', () => {
    expect(volumes('grafana')).toContain('./deploy/grafana/provisioning:/etc/grafana/provisioning:ro')
    const { providers } = parse(read('grafana/provisioning/dashboards/dashboards.yaml')) as {
      providers: { options: { path: string } }[]
    }
    const path = providers[0]?.options.path
    expect(volumes('grafana')).toContain(`./deploy/grafana/dashboards:${path}:ro`)
    const home = /GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH: (\S+)\/(\S+)/.exec(read('../compose.yaml'))
    expect(home?.[1]).toBe(path)
    expect(existsSync(join(import.meta.dirname, 'grafana/dashboards', home?.[2] ?? ''))).toBe(true)
  })

  test('has the dashboards that the code makes: `npm run dashboards` writes them', () => {
    const made = dashboards()
    expect(dashboardFiles.toSorted()).toEqual(Object.keys(made).toSorted())
    for (const [file, json] of Object.entries(made)) expect(read(`grafana/dashboards/${file}`), file).toBe(json)
  })

  test.each(dashboardFiles)(
    '%s asks the datasource, on a grid of whole numbers, each panel under an id of its own',
    (file) => {
      const { panels } = JSON.parse(read(`grafana/dashboards/${file}`)) as {
        panels: { id: number; type: string; gridPos: Record<string, number>; datasource?: { uid: string } }[]
      }
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
      for (const { type, gridPos, datasource: asked } of panels) {
        expect(Object.values(gridPos).every(Number.isInteger)).toBe(true)
        if (type !== 'row') expect(asked?.uid).toBe(datasource?.uid)
      }
    },
  )

  test('asks only for metrics that the services have, and for each of them', () => {
    expect(queries.flatMap(asked).filter((name) => !registered.includes(name))).toEqual([])
    const shown = new Set(queries.flatMap(asked))
    // Alerts read these; as curves they say nothing.
    expect(registered.filter((name) => !shown.has(name)).toSorted()).toEqual([
      'channel_endpoints_disabled_total',
      'outbox_retention_last_success_timestamp_seconds',
      'retention_last_success_timestamp_seconds',
    ])
  })

  test('has a panel for rate, delay, failures and backlog in each of the seven steps', () => {
    const steps = rows.filter(({ title }) => /^\d · /.test(title))
    expect(steps.map(({ title }) => title[0])).toEqual(['1', '2', '3', '4', '5', '6', '7'])
    for (const { panels, title } of steps) expect(panels, title).toHaveLength(4)
  })

  test('answers a question with each panel, and deploy/grafana/README.md has them all', () => {
    const document = read('grafana/README.md')
    for (const { title, question } of panels) expect(document).toContain(`| ${title} | ${question} |`)
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length)
  })
})
