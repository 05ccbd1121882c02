/** What a metric does, and what an alert makes of it. */
export interface Scenario {
  alert: string
  what: string
  /** Series → values, in promtool's notation: `1+2x3` is 1 3 5 7, `1x3` is 1 1 1 1. */
  series: Record<string, string>
  /** Time → the state of the alert then. */
  states: Record<string, 'silent' | 'pending' | 'firing'>
  /**
   * How often there is a value and the rules are evaluated, equal in all scenarios of an alert: every 15 s if left out.
   */
  every?: string
}

/** Hours at a value every 15 s would take promtool ten seconds. */
const MINUTE = '1m'

/** Six minutes at a value every 15 s: longer than any `for` here. */
const FOR_LONG = 'x24'
/** A gauge that could not be read so often: promtool has no shorter notation. */
const unknown = (times: number) => Array<string>(times).fill('NaN').join(' ')
/** Silent, then pending for a minute, then firing. */
const afterAMinute = { '0s': 'pending', '45s': 'pending', '1m': 'firing', '5m': 'firing' } as const
const never = { '0s': 'silent', '1m': 'silent', '6m': 'silent' } as const

const up = (service: string) => `up{job="services", service="${service}", instance="one"}`
const bothUp = { [up('product-service')]: `1${FOR_LONG}`, [up('notification-service')]: `1${FOR_LONG}` }

/** An alert on a gauge that fires after a minute above a limit: at the limit, and just above. */
function gauge(alert: string, series: string, limit: number, above: number): Scenario[] {
  return [
    { alert, what: `not at ${limit}`, series: { [series]: `${limit}${FOR_LONG}` }, states: never },
    { alert, what: `after a minute at ${above}`, series: { [series]: `${above}${FOR_LONG}` }, states: afterAMinute },
    {
      alert,
      what: 'not when it is over within a minute, and not any more once it is',
      series: { [series]: `${above}x3 ${limit}x2 ${above}x8 ${limit}x8` },
      states: { '45s': 'pending', '1m': 'silent', '1m45s': 'pending', '2m45s': 'firing', '4m': 'silent' },
    },
  ]
}

const publishing = (failures: string, published: string): Record<string, string> => ({
  'outbox_publish_failures_total{service="product-service", reason="refused"}': failures,
  'outbox_publish_failures_total{service="product-service", reason="outage"}': '0+1000x60',
  'outbox_events_published_total{service="product-service"}': published,
})
const waits = (within30: string, all: string): Record<string, string> => ({
  'queue_wait_seconds_bucket{service="notification-service", le="30"}': within30,
  'queue_wait_seconds_bucket{service="notification-service", le="60"}': all,
  'queue_wait_seconds_bucket{service="notification-service", le="+Inf"}': all,
})
const queue = (visible: string, handled: string): Record<string, string> => ({
  'queue_messages{service="notification-service", state="visible"}': visible,
  'notification_handling_seconds_count{service="notification-service"}': handled,
})

export const pathScenarios: Scenario[] = [
  { alert: 'ServiceDown', what: 'not while both answer', series: bothUp, states: never },
  {
    alert: 'ServiceDown',
    what: 'not while one instance of two answers',
    series: { ...bothUp, 'up{job="services", service="product-service", instance="two"}': `0${FOR_LONG}` },
    states: never,
  },
  ...['product-service', 'notification-service'].flatMap((service): Scenario[] => [
    {
      alert: 'ServiceDown',
      what: `after a minute without an answer of ${service}`,
      series: { ...bothUp, [up(service)]: `0${FOR_LONG}` },
      states: afterAMinute,
    },
    {
      alert: 'ServiceDown',
      what: `after a minute without a target for ${service}`,
      series: { ...bothUp, [up(service)]: `_${FOR_LONG}` },
      states: afterAMinute,
    },
  ]),
  {
    alert: 'DependencyDown',
    what: 'not while it does its job',
    series: { 'dependency_up{service="product-service", dependency="queue"}': `1${FOR_LONG}` },
    states: never,
  },
  {
    alert: 'DependencyDown',
    what: 'after a minute, also if only one instance is without it',
    series: {
      'dependency_up{service="product-service", dependency="queue", instance="one"}': `1${FOR_LONG}`,
      'dependency_up{service="product-service", dependency="queue", instance="two"}': `0${FOR_LONG}`,
    },
    states: afterAMinute,
  },
  ...gauge('OldestPendingEventTooOld', 'outbox_oldest_pending_seconds{service="product-service"}', 120, 121),
  {
    alert: 'OldestPendingEventTooOld',
    what: 'not for deliveries to channels, which may wait',
    series: { 'outbox_oldest_pending_seconds{service="notification-service"}': `3600${FOR_LONG}` },
    states: never,
  },
  ...gauge('LanesWithoutRelay', 'outbox_lanes_without_relay{service="product-service"}', 0, 1),
  ...gauge('DeadEvents', 'outbox_events{service="product-service", status="dead"}', 0, 1),
  {
    alert: 'DeadEvents',
    what: 'not for events that are tried again by themselves',
    series: { 'outbox_events{service="product-service", status="failed"}': `100${FOR_LONG}` },
    states: never,
  },
  ...gauge('DeadLetters', 'queue_dead_letters{service="notification-service"}', 0, 1),
  {
    alert: 'DeadLettersUncounted',
    what: 'not while one instance of two counts them',
    series: {
      'queue_dead_letters{service="notification-service", instance="one"}': unknown(24),
      'queue_dead_letters{service="notification-service", instance="two"}': `0${FOR_LONG}`,
    },
    states: never,
  },
  {
    alert: 'DeadLettersUncounted',
    what: 'not when they are counted again within five minutes',
    series: { 'queue_dead_letters{service="notification-service"}': `0x8 ${unknown(8)} 0x8` },
    states: { '2m': 'silent', '4m': 'pending', '4m45s': 'silent', '6m': 'silent' },
  },
  ...[unknown(24), `_${FOR_LONG}`].map((values): Scenario => ({
    alert: 'DeadLettersUncounted',
    what: `after five minutes of ${values}`,
    series: { 'queue_dead_letters{service="notification-service"}': values },
    states: { '0s': 'pending', '4m45s': 'pending', '5m': 'firing' },
  })),

  {
    alert: 'PublishFailures',
    what: 'not at one in twenty, however often SQS as a whole is away',
    series: publishing('0+5x60', '0+95x60'),
    states: { '5m': 'silent', '14m': 'silent' },
  },
  {
    alert: 'PublishFailures',
    what: 'after five minutes at a little more than one in twenty',
    series: publishing('0+51x60', '0+949x60'),
    states: { '15s': 'pending', '5m': 'pending', '5m15s': 'firing', '14m': 'firing' },
  },
  { alert: 'PublishFailures', what: 'not while nothing is sent', series: publishing('0x60', '0x60'), states: never },

  {
    alert: 'ConsumerLag',
    what: 'not while one in a hundred waits longer than 30 seconds',
    series: waits('0+99x60', '0+100x60'),
    states: { '5m': 'silent', '14m': 'silent' },
  },
  {
    alert: 'ConsumerLag',
    what: 'after five minutes while a little more than that wait longer',
    series: waits('0+989x60', '0+1000x60'),
    states: { '15s': 'pending', '5m': 'pending', '5m15s': 'firing', '14m': 'firing' },
  },
  {
    alert: 'ConsumerStuck',
    what: 'a minute after messages wait and none is handled',
    series: queue('1x24', '0x24'),
    states: { '15s': 'pending', '1m': 'pending', '1m15s': 'firing' },
  },
  {
    alert: 'ConsumerStuck',
    what: 'not while any is handled',
    series: queue('1000x24', '0+1x24'),
    states: never,
  },
  {
    alert: 'ConsumerStuck',
    what: 'not while the queue is empty now and then',
    series: queue('1x6 0 1x6 0 1x6 0 1x6', '0x30'),
    states: { '2m': 'silent', '6m': 'silent' },
  },
  {
    alert: 'ChannelDeliveriesLate',
    what: 'not at an hour',
    series: { 'outbox_oldest_pending_seconds{service="notification-service"}': '3600x40' },
    states: { '5m': 'silent', '9m': 'silent' },
  },
  {
    alert: 'ChannelDeliveriesLate',
    what: 'after five minutes at more than an hour',
    series: { 'outbox_oldest_pending_seconds{service="notification-service"}': '3601x40' },
    states: { '0s': 'pending', '4m45s': 'pending', '5m': 'firing' },
  },
  {
    alert: 'RetentionFails',
    what: 'not while one instance succeeds, nor for an outbox that has just started',
    series: {
      'retention_last_success_timestamp_seconds{service="a", instance="1", exported_job="notifications"}': '0x240',
      'retention_last_success_timestamp_seconds{service="a", instance="2", exported_job="notifications"}': '0+60x240',
      'outbox_retention_last_success_timestamp_seconds{service="a", instance="1"}': '0x240',
      'outbox_retention_last_success_timestamp_seconds{service="a", instance="2"}': '1+60x240',
      'process_start_time_seconds{service="a", instance="1"}': '0x240',
      'process_start_time_seconds{service="console", instance="1"}': '0x240',
    },
    states: { '1h': 'silent', '3h55m': 'silent' },
    every: MINUTE,
  },
  ...[
    {
      what: 'after three hours without a success',
      series: { 'retention_last_success_timestamp_seconds{service="a", exported_job="notifications"}': '0x240' },
    },
    {
      what: 'after three hours without a success of the outbox',
      series: { 'outbox_retention_last_success_timestamp_seconds{service="a"}': '1x240' },
    },
    {
      what: 'three hours after a start without any success of the outbox',
      series: {
        'outbox_retention_last_success_timestamp_seconds{service="a"}': '0x240',
        'process_start_time_seconds{service="a"}': '0x240',
      },
    },
  ].map(({ what, series }): Scenario => ({
    alert: 'RetentionFails',
    what,
    series,
    states: { '2h59m': 'silent', '3h2m': 'pending', '3h10m': 'firing' },
    every: MINUTE,
  })),
]
