import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'

interface Dashboard {
  uid: string
  panels: { title: string; description: string; datasource: { uid: string }; targets: { expr: string }[] }[]
}

const read = (path: string) => readFileSync(join(import.meta.dirname, path), 'utf8')
const volumes = (name: string) =>
  (parse(read('../compose.yaml')) as { services: Record<string, { volumes: string[] }> }).services[name]?.volumes ?? []
const dashboardFiles = readdirSync(join(import.meta.dirname, 'grafana/dashboards'))

/** The metrics of both services, with the suffixes that a histogram brings. */
const counters = [
  'products_created_total',
  'products_updated_total',
  'products_deleted_total',
  'outbox_events_published_total',
  'outbox_publish_failures_total',
  'notifications_total',
  'notifications_duplicates_total',
  'notification_failures_total',
]
const gauges = ['outbox_events', 'outbox_oldest_pending_seconds', 'outbox_lanes_owned']
const histograms = ['http_request_duration_seconds', 'outbox_publish_delay_seconds', 'notification_delay_seconds']
const metrics = [
  ...counters,
  ...gauges,
  ...histograms.flatMap((name) => ['_bucket', '_count', '_sum'].map((suffix) => name + suffix)),
]

test('every metric that the dashboards may ask for is registered in the code', () => {
  const sources = ['product-service', 'notification-service', 'outbox', 'http-api'].flatMap((folder) =>
    readdirSync(join(import.meta.dirname, '..', folder))
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .map((file) => read(`../${folder}/${file}`)),
  )
  const registered = (name: string) => sources.some((source) => source.includes(`'${name}'`))
  expect([...counters, ...gauges, ...histograms].filter((name) => !registered(name))).toEqual([])
})

describe('Prometheus', () => {
  const config = parse(read('prometheus/prometheus.yaml')) as {
    scrape_configs: { job_name: string; file_sd_configs: { files: string[] }[] }[]
  }

  test('reads the targets that compose.yaml mounts', () => {
    const [files] = config.scrape_configs.map((job) => job.file_sd_configs[0]?.files)
    expect(files).toEqual(['/etc/prometheus/targets.yaml'])
    expect(volumes('prometheus')).toContain(
      './deploy/prometheus/targets-${COMPOSE_PROFILES:-host}.yaml:/etc/prometheus/targets.yaml:ro',
    )
    expect(volumes('prometheus')).toContain('./deploy/prometheus/prometheus.yaml:/etc/prometheus/prometheus.yml:ro')
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

  test.each(dashboardFiles)('%s asks the datasource only for metrics that the services have', (file) => {
    const { panels } = JSON.parse(read(`grafana/dashboards/${file}`)) as Dashboard
    expect(new Set(panels.map(({ datasource }) => datasource.uid))).toEqual(new Set([datasource?.uid]))
    const expressions = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
    const names = expressions.flatMap((expr) => expr.match(/\b[a-z]+_[a-z_]+\b/g) ?? [])
    expect(names.filter((name) => name !== 'histogram_quantile' && !metrics.includes(name))).toEqual([])
    for (const expr of expressions)
      expect(
        names.filter((name) => expr.includes(name)),
        expr,
      ).not.toEqual([])
  })

  test('shows every metric of the path on the first dashboard, and says what each panel means', () => {
    const { panels } = JSON.parse(read('grafana/dashboards/product-events.json')) as Dashboard
    const asked = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)).join(' ')
    for (const name of [...counters, ...gauges, ...histograms]) expect(asked).toContain(name)
    for (const { title, description } of panels) expect(description, title).not.toBe('')
  })
})
