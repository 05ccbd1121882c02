import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort, isGone } from '@product-events/local'
import { vi } from 'vitest'
import { parse, stringify } from 'yaml'
import { ruleFiles } from '../../deploy/testing/rules.ts'

/** Whether this machine has a Prometheus; Debian's package of that name brings it. */
export const hasPrometheus = spawnSync('prometheus', ['--version']).status === 0

/**
 * The committed rules, with every duration in them divided by this: what takes a minute takes three seconds. Nothing
 * else of them is changed. Scrapes and evaluations are once a second, so the shortest duration still has some of them.
 */
const TIMES_FASTER = 20

export interface Sample {
  metric: Record<string, string>
  /** NaN means no data, such as a quantile of nothing. */
  value: number
}

export interface ActiveAlert {
  labels: Record<string, string>
  state: 'pending' | 'firing'
}

export interface Prometheus {
  query(expression: string): Promise<Sample[]>
  alerts(): Promise<ActiveAlert[]>
  /** Rules that could not be evaluated, with the reason. */
  brokenRules(): Promise<string[]>
  stop(): Promise<void>
}

interface Config {
  global: Record<string, string>
  rule_files: string[]
  scrape_configs: { file_sd_configs: { files: string[] }[] }[]
}

/** The committed configuration, on a real Prometheus that scrapes these services by their `host:port`. */
export async function startPrometheus(targets: Record<string, string>): Promise<Prometheus> {
  const dir = await mkdtemp('/tmp/prometheus-test-')
  const port = await freePort()
  const targetsFile = join(dir, 'targets.yaml')
  const entries = Object.entries(targets).map(([service, target]) => ({ targets: [target], labels: { service } }))
  await writeFile(targetsFile, stringify(entries))
  const rules = await Promise.all(
    ruleFiles.map(async (file, index) => {
      await writeFile(join(dir, `rules-${index}.yaml`), faster(await readFile(file, 'utf8')))
      return join(dir, `rules-${index}.yaml`)
    }),
  )
  const config = parse(
    await readFile(join(import.meta.dirname, '../../deploy/prometheus/prometheus.yaml'), 'utf8'),
  ) as Config
  config.global = { ...config.global, scrape_interval: '1s', evaluation_interval: '1s' }
  config.rule_files = rules
  for (const { file_sd_configs } of config.scrape_configs) for (const sd of file_sd_configs) sd.files = [targetsFile]
  await writeFile(join(dir, 'prometheus.yaml'), stringify(config))

  const flags = {
    'config.file': 'prometheus.yaml',
    'storage.tsdb.path': 'data',
    'web.listen-address': `127.0.0.1:${port}`,
  }
  const args = Object.entries({ ...flags, 'log.level': 'error' }).map(([name, value]) => `--${name}=${value}`)
  const child = spawn('prometheus', args, { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  await once(child, 'spawn')
  const url = `http://127.0.0.1:${port}`
  await vi.waitFor(
    async () => {
      if (isGone(child)) return
      if (!(await fetch(`${url}/-/ready`)).ok) throw new Error('not ready')
    },
    { timeout: 20_000 },
  )
  if (isGone(child)) throw new Error(`Prometheus did not start: ${said}`)

  async function ask<Data>(path: string): Promise<Data> {
    const answer = (await (await fetch(`${url}/api/v1/${path}`)).json()) as { data: Data; error?: string }
    if (answer.error !== undefined) throw new Error(`${path}: ${answer.error}`)
    return answer.data
  }

  return {
    async query(expression) {
      const { result } = await ask<{ result: { metric: Record<string, string>; value: [number, string] }[] }>(
        `query?query=${encodeURIComponent(expression)}`,
      )
      return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }))
    },
    alerts: async () => (await ask<{ alerts: ActiveAlert[] }>('alerts')).alerts,
    async brokenRules() {
      const { groups } = await ask<{ groups: { rules: { name: string; lastError?: string }[] }[] }>('rules')
      return groups
        .flatMap(({ rules }) => rules)
        .flatMap(({ name, lastError }) => (lastError ? `${name}: ${lastError}` : []))
    },
    async stop() {
      const exit = once(child, 'exit')
      if (!isGone(child) && child.kill()) await exit
      await rm(dir, { recursive: true, force: true })
    },
  }
}

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 }

function faster(rules: string): string {
  const divided = (_: string, before: string, count: string, unit: string, after: string) =>
    `${before}${(Number(count) * SECONDS[unit as keyof typeof SECONDS]) / TIMES_FASTER}s${after}`
  return rules.replaceAll(/(\[)(\d+)([smhd])(\])/g, divided).replaceAll(/(\bfor: )(\d+)([smhd])($)/gm, divided)
}
