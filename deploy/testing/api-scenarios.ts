import type { Scenario } from './path-scenarios.ts'

/**
 * The service label of a scenario, so that many of them can be tried at once: the rules cost the same for one as for
 * ten.
 */
export interface ApiScenario extends Scenario {
  service: string
}

/** Of this many requests in each step so many are bad. */
const REQUESTS = 10_000

type Kind = 'errors' | 'slow'
/** Bad requests of 10 000, for so many steps. */
type Phase = readonly [bad: number, steps: number]

/** A counter that grows by `rate(bad)` in each step of a phase. */
function counter(phases: readonly Phase[], rate: (bad: number) => number): string {
  let value = 0
  const parts = phases.map(([bad, steps]) => {
    const part = `${value + rate(bad)}+${rate(bad)}x${steps - 1}`
    value += rate(bad) * steps
    return part
  })
  return ['0', ...parts].join(' ')
}

/** Traffic of which some is answered with 503, or late. */
function traffic(service: string, kind: Kind, phases: readonly Phase[]): Record<string, string> {
  const labels = `service="${service}", method="GET", route="/products"`
  const good = counter(phases, (bad) => REQUESTS - bad)
  const bad = counter(phases, (bad) => bad)
  const all = counter(phases, () => REQUESTS)
  const name = 'http_request_duration_seconds'
  if (kind === 'slow')
    return {
      [`${name}_count{${labels}, status="200"}`]: all,
      [`${name}_bucket{${labels}, status="200", le="0.25"}`]: good,
    }
  return {
    [`${name}_count{${labels}, status="200"}`]: good,
    [`${name}_bucket{${labels}, status="200", le="0.25"}`]: good,
    [`${name}_count{${labels}, status="503"}`]: bad,
  }
}

/**
 * 99.9 % without an error, 99 % in time: bad requests of 10 000 that use up the budget in just 30 days (burn rate 1).
 */
const budgets = [
  { kind: 'errors', name: 'ApiErrors', unit: 10 },
  { kind: 'slow', name: 'ApiLatency', unit: 100 },
] as const

type States = Scenario['states']
type Burn = readonly [what: string, phases: readonly (readonly [burnRate: number, steps: number])[], states: States]

function scenarios(alert: 'BurnFast' | 'BurnSlow', burns: readonly Burn[]): ApiScenario[] {
  return budgets.flatMap(({ kind, name, unit }) =>
    burns.map(([what, phases, states]) => {
      const service = `${kind}: ${what}`
      const bad = phases.map(([burnRate, steps]) => [Math.round(burnRate * unit), steps] as const)
      return { alert: name + alert, what, service, states, series: traffic(service, kind, bad) }
    }),
  )
}

// Each pair of windows at both sides of its burn rate, by traffic of which the other pair takes no notice.

/** A step is a minute. */
export const hours = scenarios('BurnFast', [
  [
    '1h and 5m, above 14.4: after about an hour, and no longer than it goes on',
    [
      [0, 360],
      [14.5, 66],
      [0, 30],
    ],
    { '6h': 'silent', '6h30m': 'silent', '7h5m': 'firing', '7h15m': 'silent' },
  ],
  [
    '1h and 5m, below 14.4',
    [
      [0, 360],
      [14.3, 66],
    ],
    { '6h30m': 'silent', '7h5m': 'silent' },
  ],
  [
    '6h and 30m, above 6',
    [
      [0, 360],
      [6.1, 366],
    ],
    { '9h': 'silent', '12h5m': 'firing' },
  ],
  [
    '6h and 30m, below 6',
    [
      [0, 360],
      [5.9, 366],
    ],
    { '9h': 'silent', '12h5m': 'silent' },
  ],
  [
    '6h and 30m, no longer than it goes on',
    [
      [0, 360],
      [10, 366],
      [0, 40],
    ],
    { '12h5m': 'firing', '12h45m': 'silent' },
  ],
])

/** A step is two minutes. */
export const days = scenarios('BurnSlow', [
  [
    '1d and 2h, above 3',
    [
      [0, 1440],
      [3.1, 735],
    ],
    { '2d': 'silent', '72h30m': 'firing' },
  ],
  [
    '1d and 2h, below 3',
    [
      [0, 1440],
      [2.9, 735],
    ],
    { '2d': 'silent', '72h30m': 'silent' },
  ],
  ['3d and 6h, above 1', [[1.1, 2190]], { '73h': 'firing' }],
  ['3d and 6h, below 1', [[0.9, 2190]], { '1d': 'silent', '73h': 'silent' }],
  [
    'until six hours after a few bad hours, which were much of the budget',
    [
      [0, 1980],
      [30, 90],
      [0, 250],
    ],
    { '66h': 'silent', '69h': 'firing', '74h': 'firing', '75h30m': 'silent' },
  ],
])
