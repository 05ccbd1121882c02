import { Duration, type Stack } from 'aws-cdk-lib'
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import type { FargateService } from 'aws-cdk-lib/aws-ecs'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import { scalingNumbers } from '../scaling-numbers.ts'
import type { Balancer } from './balancer.ts'
import type { Data } from './data.ts'

interface Watched {
  topic: ITopic
  data: Data
  services: Record<string, FargateService>
  balancer: Balancer
}

interface Condition {
  metric: cloudwatch.IMetric
  description: string
  above?: number
  below?: number
  /** Periods in a row. */
  periods: number
  /** What the absence of the metric means. */
  missing?: cloudwatch.TreatMissingData
}

const MINUTE = Duration.minutes(1)

/** Alarms that Prometheus cannot raise: about itself, the load balancer, the database, and queues without a reader. */
export function createAlarms(stack: Stack, { topic, data, services, balancer }: Watched): void {
  const action = new SnsAction(topic)
  const alarm = (name: string, { metric, description, above, below, periods, missing }: Condition) => {
    const made = new cloudwatch.Alarm(stack, name, {
      alarmName: `product-events-${name}`,
      alarmDescription: description,
      metric,
      threshold: above ?? below ?? 0,
      comparisonOperator:
        above === undefined
          ? cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
          : cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: periods,
      treatMissingData: missing ?? cloudwatch.TreatMissingData.NOT_BREACHING,
    })
    made.addAlarmAction(action)
    made.addOkAction(action)
  }

  alarm('dead-letters', {
    metric: data.deadLetterQueue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum', period: MINUTE }),
    description: 'Messages are in the dead-letter queue. See "DeadLetters" in docs/operations.md.',
    above: 0,
    periods: 1,
  })
  alarm('oldest-message', {
    metric: data.queue.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum', period: MINUTE }),
    description: 'Messages wait although scaling had its time. See "ConsumerStuck" in docs/operations.md.',
    above: 3 * scalingNumbers.consumerAgeSeconds,
    periods: 3,
  })
  for (const [name, service] of Object.entries(services))
    alarm(`${name}-tasks`, {
      metric: new cloudwatch.Metric({
        namespace: 'ECS/ContainerInsights',
        metricName: 'RunningTaskCount',
        dimensionsMap: { ClusterName: service.cluster.clusterName, ServiceName: service.serviceName },
        statistic: 'Minimum',
        period: MINUTE,
      }),
      description: `No task of ${name} runs. The events of its ECS service say why.`,
      below: 1,
      periods: 3,
      missing: cloudwatch.TreatMissingData.BREACHING,
    })
  alarm('balancer-errors', {
    metric: new cloudwatch.Metric({
      namespace: 'AWS/ApplicationELB',
      metricName: 'HTTPCode_ELB_5XX_Count',
      dimensionsMap: { LoadBalancer: balancer.fullName },
      statistic: 'Sum',
      period: MINUTE,
    }),
    description: 'The load balancer itself answers with 5xx: no healthy task, or connections that break.',
    above: 10,
    periods: 3,
  })
  for (const [name, group] of Object.entries(balancer.groups))
    alarm(`${name}-unhealthy`, {
      metric: group.metrics.unhealthyHostCount({ statistic: 'Maximum', period: MINUTE }),
      description: `Tasks of ${name} do not answer /health/started. A rollout causes this for less than two minutes.`,
      above: 0,
      periods: 5,
    })
  watchDatabase(alarm, data)
}

function watchDatabase(alarm: (name: string, condition: Condition) => void, { database }: Data): void {
  const metric = (metricName: string, statistic: string) =>
    new cloudwatch.Metric({
      namespace: 'AWS/RDS',
      metricName,
      dimensionsMap: database.dimensions,
      statistic,
      period: MINUTE,
    })
  alarm('database-cpu', {
    metric: metric('CPUUtilization', 'Average'),
    description: 'The processor of the database is busy: writes get slower, and a burstable class runs out of credits.',
    above: 80,
    periods: 10,
  })
  alarm('database-connections', {
    metric: metric('DatabaseConnections', 'Maximum'),
    description: 'Close to the limit of a small class (about 110). Each task holds up to eleven.',
    above: 90,
    periods: 5,
  })
  if ('DBInstanceIdentifier' in database.dimensions)
    alarm('database-disk', {
      metric: metric('FreeStorageSpace', 'Minimum'),
      description: 'Less than 2 GB are free although storage grows automatically: it has reached its upper bound.',
      below: 2 * 1024 ** 3,
      periods: 5,
    })
  alarm('database-memory', {
    metric: metric('FreeableMemory', 'Minimum'),
    description: 'The database is short of memory.',
    below: 100 * 1024 ** 2,
    periods: 10,
  })
}
