import { NAMESPACE, ports } from './names.ts'

/** The namespace in CloudWatch of the few metrics that scaling needs. */
export const METRICS_NAMESPACE = 'ProductEvents'
/** As in deploy/prometheus/prometheus.yaml: the rules name this job. */
const JOB = 'services'
export const EMF_LOG_GROUP = '/product-events/metrics'

/** What the collector scrapes: each task of each service, which Cloud Map finds by name. */
const scraped = ['product-service', 'notification-service', 'relay'] as const

/** The configuration of the AWS Distro for OpenTelemetry collector: every metric to Prometheus, three to CloudWatch. */
export function collectorConfig({ region, remoteWriteUrl }: { region: string; remoteWriteUrl: string }): string {
  const config = {
    receivers: {
      prometheus: {
        config: {
          global: { scrape_interval: '30s', scrape_timeout: '10s' },
          scrape_configs: [
            {
              job_name: JOB,
              dns_sd_configs: scraped.map((name) => ({
                names: [`${name}.${NAMESPACE}`],
                type: 'A',
                port: ports[name].operations,
                refresh_interval: '15s',
              })),
              relabel_configs: scraped.map((name) => ({
                source_labels: ['__meta_dns_name'],
                regex: `${name}\\..*`,
                target_label: 'service',
                replacement: name,
              })),
            },
          ],
        },
      },
    },
    processors: {
      batch: {},
      // CloudWatch asks money for each metric.
      'filter/scaling': {
        metrics: {
          include: { match_type: 'strict', metric_names: ['outbox_events', 'outbox_events_published_total'] },
        },
      },
    },
    exporters: {
      prometheusremotewrite: { endpoint: remoteWriteUrl, auth: { authenticator: 'sigv4auth' } },
      awsemf: {
        region,
        namespace: METRICS_NAMESPACE,
        log_group_name: EMF_LOG_GROUP,
        dimension_rollup_option: 'NoDimensionRollup',
        metric_declarations: [
          { dimensions: [['service', 'status']], metric_name_selectors: ['^outbox_events$'] },
          { dimensions: [['service']], metric_name_selectors: ['^outbox_events_published_total$'] },
        ],
      },
    },
    extensions: { sigv4auth: { region, service: 'aps' }, health_check: {} },
    service: {
      extensions: ['sigv4auth', 'health_check'],
      pipelines: {
        'metrics/prometheus': {
          receivers: ['prometheus'],
          processors: ['batch'],
          exporters: ['prometheusremotewrite'],
        },
        'metrics/cloudwatch': {
          receivers: ['prometheus'],
          processors: ['filter/scaling', 'batch'],
          exporters: ['awsemf'],
        },
      },
    },
  }
  // JSON is YAML. Its order is that of the code, so two templates of the same settings are equal.
  return JSON.stringify(config)
}
