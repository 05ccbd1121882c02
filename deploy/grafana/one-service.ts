import { orNone, rate, type Row } from './panels.ts'

const of = '{service="$service"}'
const requests = (matchers = '') => `http_request_duration_seconds_count{service="$service"${matchers}}`

/** What a process does and what it needs, for the service that is chosen above. */
export const oneService: readonly Row[] = [
  {
    title: 'HTTP',
    panels: [
      {
        title: 'Requests by route',
        question: 'Which routes are called, and how often?',
        unit: 'reqps',
        queries: { '{{method}} {{route}}': rate(requests(), 'method, route') },
      },
      {
        title: 'Latency by route',
        question: 'Which route is slow for one request in a hundred?',
        unit: 's',
        queries: {
          '{{method}} {{route}}': `histogram_quantile(0.99, ${rate(`http_request_duration_seconds_bucket${of}`, 'le, method, route')})`,
        },
      },
      {
        title: 'Error ratio',
        question: 'Which share of the answers is a 5xx? A promise of 99.9 % allows 0.1 %.',
        unit: 'percentunit',
        queries: { '5xx': `(${orNone(rate(requests(', status=~"5.."')), rate(requests()))}) / ${rate(requests())}` },
      },
      {
        title: 'In flight',
        question: 'How many requests are under way? Above 256 they are turned away.',
        unit: 'short',
        queries: { '{{instance}}': `http_requests_in_flight${of}` },
      },
    ],
  },
  {
    title: 'Event loop and processor',
    panels: [
      {
        title: 'Event loop lag',
        question: 'How late does the process get to what is due? Above half a second it turns requests away.',
        unit: 's',
        queries: {
          'p99 {{instance}}': `nodejs_eventloop_lag_p99_seconds${of}`,
          'max {{instance}}': `nodejs_eventloop_lag_max_seconds${of}`,
        },
      },
      {
        title: 'Processor',
        question: 'How many processors does it keep busy? One is all that JavaScript can use.',
        unit: 'percentunit',
        queries: { '{{instance}}': rate(`process_cpu_seconds_total${of}`, 'instance') },
      },
      {
        title: 'Garbage collection',
        question: 'Which share of the time goes into collecting garbage?',
        unit: 'percentunit',
        queries: { '{{kind}}': rate(`nodejs_gc_duration_seconds_sum${of}`, 'kind') },
      },
    ],
  },
  {
    title: 'What it depends on',
    panels: [
      {
        title: 'Dependencies',
        question: 'Do the database and the queue do their job (1), or not (0)?',
        unit: 'short',
        queries: { '{{dependency}} {{instance}}': `dependency_up${of}` },
      },
      {
        title: 'Connection pool',
        question: 'How many database connections are in use, of how many?',
        unit: 'short',
        queries: {
          'in use {{instance}}': `database_pool_in_use${of}`,
          'at most {{instance}}': `database_pool_max${of}`,
        },
      },
      {
        title: 'Waiting for a connection',
        question: 'How many queries wait for a database connection? Above 300 requests are turned away.',
        unit: 'short',
        queries: { '{{instance}}': `database_pool_waiting${of}` },
      },
    ],
  },
  {
    title: 'Memory and files',
    panels: [
      {
        title: 'Resident memory',
        question: 'How much memory does the process hold, and does it grow?',
        unit: 'bytes',
        queries: { '{{instance}}': `process_resident_memory_bytes${of}` },
      },
      {
        title: 'Heap',
        question: 'How much of it is JavaScript?',
        unit: 'bytes',
        queries: {
          'used {{instance}}': `nodejs_heap_size_used_bytes${of}`,
          'total {{instance}}': `nodejs_heap_size_total_bytes${of}`,
        },
      },
      {
        title: 'Open files',
        question: 'How many files and sockets are open, of how many?',
        unit: 'short',
        queries: { 'open {{instance}}': `process_open_fds${of}`, 'at most {{instance}}': `process_max_fds${of}` },
      },
      {
        title: 'Running since',
        question: 'For how long has it been up? A process that keeps starting shows as teeth.',
        unit: 's',
        queries: { '{{instance}}': `time() - process_start_time_seconds${of}` },
      },
    ],
  },
]
