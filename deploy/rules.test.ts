import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { type ApiScenario, days, hours } from './testing/api-scenarios.ts'
import { pathScenarios, type Scenario } from './testing/path-scenarios.ts'
import { hasPromtool, promtool } from './testing/promtool.ts'
import { alerts, ruleFiles } from './testing/rules.ts'

let dir: string
beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), 'rules-test-'))))
afterAll(() => rmSync(dir, { recursive: true }))

/** How often there is a value of each series, and how often the rules are evaluated. */
interface Pace {
  interval: string
  evaluated: string
}

const seriesOf = ({ series }: Scenario) => Object.entries(series).map(([series, values]) => ({ series, values }))

/** At each time the state of the alert, as Prometheus itself writes it down. */
function expectations({ alert, what, states, ...scenario }: Scenario | ApiScenario) {
  const service = 'service' in scenario ? `, service="${scenario.service}"` : ''
  return Object.entries(states).map(([eval_time, state]) => ({
    // promtool shows the expression of what went wrong, and with it the scenario.
    expr: `count by (alertstate) (ALERTS{alertname="${alert}"${service}}) # ${what}`,
    eval_time,
    exp_samples: state === 'silent' ? [] : [{ labels: `{alertstate="${state}"}`, value: 1 }],
  }))
}

/**
 * Each group of scenarios happens at once, on a Prometheus of its own. What went wrong; nothing when all is as
 * expected.
 */
function complaints(name: string, groups: readonly (readonly Scenario[])[], { interval, evaluated }: Pace): string {
  const file = join(dir, `${name}.yaml`)
  const tests = groups.map((scenarios) => ({
    interval,
    input_series: scenarios.flatMap(seriesOf),
    promql_expr_test: scenarios.flatMap(expectations),
  }))
  writeFileSync(file, stringify({ rule_files: ruleFiles, evaluation_interval: evaluated, tests }))
  return promtool(['test', 'rules', file])
}

describe('every alert', () => {
  test.runIf(hasPromtool)('is written so that promtool finds nothing wrong with it', () => {
    expect(promtool(['check', 'rules', '--lint=all', '--lint-fatal', ...ruleFiles])).toBe('')
  })

  test.each(alerts)('$name has scenarios in which it fires, and others in which it does not', ({ name }) => {
    const scenarios = [...pathScenarios, ...hours, ...days].filter(({ alert }) => alert === name)
    const states = scenarios.map(({ states }) => Object.values(states))
    expect(states.some((states) => states.includes('firing'))).toBe(true)
    expect(states.some((states) => states.every((state) => state === 'silent'))).toBe(true)
  })

  const ofThePath = alerts.filter(({ name }) => pathScenarios.some(({ alert }) => alert === name))
  test.runIf(hasPromtool).each(ofThePath)('$name fires on one side of its threshold only', ({ name }) => {
    const scenarios = pathScenarios.filter(({ alert }) => alert === name)
    const groups = scenarios.map((scenario) => [scenario])
    const every = scenarios[0]?.every ?? '15s'
    expect(complaints(name, groups, { interval: every, evaluated: every })).toBe('')
  })

  test.runIf(hasPromtool)('BurnFast fires on one side of its burn rates only, for errors and for latency', () => {
    expect(complaints('hours', [hours], { interval: '1m', evaluated: '5m' })).toBe('')
  })

  // Evaluated seldom, or the days would take half a minute.
  test.runIf(hasPromtool)('BurnSlow fires on one side of its burn rates only, for errors and for latency', () => {
    expect(complaints('days', [days], { interval: '2m', evaluated: '30m' })).toBe('')
  })
})
