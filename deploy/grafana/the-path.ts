import { orNone, type Panel, quantiles, rate, type Row } from './panels.ts'

const requests = (matchers: string) => `http_request_duration_seconds_count{service="product-service"${matchers}}`
const writes = ', method=~"POST|PATCH|DELETE"'
const products = '{service="product-service"}'
const notifications = '{service="notification-service"}'

type Step = readonly [title: string, rate: Panel, delay: Panel, failures: Panel, backlog: Panel]

const steps: readonly Step[] = [
  [
    '1 · A request reaches product-service',
    {
      title: 'Requests',
      question: 'How many requests are answered, by method?',
      unit: 'reqps',
      queries: { '{{method}}': rate(requests(''), 'method') },
    },
    {
      title: 'Request latency',
      question: 'How long do callers wait for their answer?',
      unit: 's',
      queries: quantiles('http_request_duration_seconds', products),
    },
    {
      title: 'Requests refused',
      question: 'How much of what callers ask for is refused (4xx): bad input, unknown products, no token?',
      unit: 'reqps',
      queries: { '{{status}}': orNone(rate(requests(', status=~"4.."'), 'status'), rate(requests(''))) },
    },
    {
      title: 'Requests in flight',
      question: 'How many requests are under way? Above 256 they are turned away.',
      unit: 'short',
      queries: { '{{instance}}': `http_requests_in_flight${products}` },
    },
  ],
  [
    '2 · One transaction writes the product and its event',
    {
      title: 'Products changed',
      question: 'How many products are created, updated and deleted?',
      unit: 'ops',
      queries: {
        created: rate('products_created_total'),
        updated: rate('products_updated_total'),
        deleted: rate('products_deleted_total'),
      },
    },
    {
      title: 'Write latency',
      question: 'How long does a write take until its commit, after which it is answered?',
      unit: 's',
      queries: quantiles('http_request_duration_seconds', `{service="product-service"${writes}, status=~"2.."}`),
    },
    {
      title: 'Requests failed',
      question:
        'How many requests fail (5xx): 503 while the database is away or there is too much to do, 500 for a bug?',
      unit: 'reqps',
      queries: { '{{status}}': orNone(rate(requests(', status=~"5.."'), 'status'), rate(requests(''))) },
    },
    {
      title: 'Waiting for the database',
      question: 'Are all connections of product-service in use, and do queries wait for one?',
      unit: 'short',
      queries: {
        'in use': `sum(database_pool_in_use${products})`,
        'at most': `sum(database_pool_max${products})`,
        waiting: `sum(database_pool_waiting${products})`,
      },
    },
  ],
  [
    '3 · The relay sends events to SQS',
    {
      title: 'Events published',
      question: 'How many events does SQS accept?',
      unit: 'ops',
      queries: { published: rate(`outbox_events_published_total${products}`) },
    },
    {
      title: 'Commit to SQS',
      question: 'How long does it take an event from its append to its acceptance by SQS?',
      unit: 's',
      queries: quantiles('outbox_publish_delay_seconds', products),
    },
    {
      title: 'Publish failures',
      question: 'Does SQS refuse single events, give some up as dead, or go away as a whole (outage)?',
      unit: 'ops',
      queries: { '{{reason}}': rate(`outbox_publish_failures_total${products}`, 'reason') },
    },
    {
      title: 'Events waiting in the outbox',
      question: 'How many events wait, for how long, and does somebody send from every lane?',
      unit: 'short',
      queries: {
        '{{status}}': `max by (status) (outbox_events${products})`,
        'oldest, seconds': `max(outbox_oldest_pending_seconds${products})`,
        'lanes without a relay': `max(outbox_lanes_without_relay${products})`,
        'lanes owned': `sum(outbox_lanes_owned${products})`,
      },
    },
  ],
  [
    '4 · SQS holds the message',
    {
      title: 'Messages received',
      question: 'How many messages does notification-service receive, repeated ones included?',
      unit: 'ops',
      queries: { received: rate('queue_messages_received_total') },
    },
    {
      title: 'Wait in the queue',
      question: 'How long is a message in the queue before it is first received?',
      unit: 's',
      queries: quantiles('queue_wait_seconds', ''),
    },
    {
      title: 'Dead letters',
      question: 'How many messages are in the dead-letter queue and wait for somebody?',
      unit: 'short',
      queries: { 'dead letters': 'max(queue_dead_letters)' },
    },
    {
      title: 'Messages in the queue',
      question: 'How many messages wait to be received (visible), and how many are in hand (in_flight)?',
      unit: 'short',
      queries: { '{{state}}': 'max by (state) (queue_messages)' },
    },
  ],
  [
    '5 · notification-service receives and parses',
    {
      title: 'Batches handled',
      question: 'How many batches of up to ten messages are done with?',
      unit: 'ops',
      queries: { batches: rate('notification_handling_seconds_count') },
    },
    {
      title: 'Receive to delete',
      question: 'How long does a batch take from its receive to its end, stored and deleted?',
      unit: 's',
      queries: quantiles('notification_handling_seconds', ''),
    },
    {
      title: 'Messages that are no event',
      question: 'How often is a message received that is no event, and will end in the dead-letter queue?',
      unit: 'ops',
      queries: { invalid: rate('notification_failures_total{reason="invalid"}') },
    },
    {
      title: 'Receivers',
      question: 'How many receivers are at work? More join while there is more to do, up to 16 a process.',
      unit: 'short',
      queries: { '{{instance}}': 'notification_receivers' },
    },
  ],
  [
    '6 · One transaction stores the notification',
    {
      title: 'Notifications stored',
      question: 'How many notifications are new, and how many messages were known already?',
      unit: 'ops',
      queries: {
        '{{type}}': rate('notifications_total', 'type'),
        duplicates: rate('notifications_duplicates_total'),
      },
    },
    {
      title: 'Event to notification',
      question: 'How long does the whole path take, from the change to its stored notification?',
      unit: 's',
      queries: quantiles('notification_delay_seconds', ''),
    },
    {
      title: 'Notifications refused',
      question: 'How often does the database refuse what a message says for good?',
      unit: 'ops',
      queries: { refused: rate('notification_failures_total{reason="refused"}') },
    },
    {
      title: 'Waiting for the inbox',
      question: 'Are all connections of notification-service in use, and do queries wait for one?',
      unit: 'short',
      queries: {
        'in use': `sum(database_pool_in_use${notifications})`,
        'at most': `sum(database_pool_max${notifications})`,
        waiting: `sum(database_pool_waiting${notifications})`,
      },
    },
  ],
  [
    '7 · The notification goes out to the channels',
    {
      title: 'Deliveries',
      question: 'How many deliveries do the channels accept? No data where none is configured.',
      unit: 'ops',
      queries: {
        '{{channel}} {{endpoint}}': rate('channel_deliveries_total{outcome="accepted"}', 'channel, endpoint'),
      },
    },
    {
      title: 'Notification to channel',
      question: 'How long does it take a notification from its storing to its acceptance by a channel?',
      unit: 's',
      queries: quantiles('outbox_publish_delay_seconds', notifications),
    },
    {
      title: 'Deliveries failed',
      question: 'Which endpoint refuses deliveries, or takes too long?',
      unit: 'ops',
      queries: {
        '{{channel}} {{endpoint}} {{outcome}}': rate(
          'channel_deliveries_total{outcome!="accepted"}',
          'channel, endpoint, outcome',
        ),
      },
    },
    {
      title: 'Deliveries waiting',
      question: 'How many deliveries wait, for how long, and are any dead?',
      unit: 'short',
      queries: {
        '{{status}}': `max by (status) (outbox_events${notifications})`,
        'oldest, seconds': `max(outbox_oldest_pending_seconds${notifications})`,
      },
    },
  ],
]

/** One row for each step of the path, from left to right: rate, delay, failures, backlog. */
export const thePath: readonly Row[] = steps.map(([title, ...panels]) => ({ title, panels }))
