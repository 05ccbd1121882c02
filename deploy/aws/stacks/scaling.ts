import { Duration } from 'aws-cdk-lib'
import { AdjustmentType } from 'aws-cdk-lib/aws-applicationautoscaling'
import { MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch'
import type { FargateService } from 'aws-cdk-lib/aws-ecs'
import type { ApplicationTargetGroup } from 'aws-cdk-lib/aws-elasticloadbalancingv2'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import { METRICS_NAMESPACE } from '../collector.ts'
import { scalingNumbers as numbers } from '../scaling-numbers.ts'

interface Range {
  min: number
  max: number
}

/** By processor and by requests: requests that wait for the database use no processor. */
export function scaleApi(service: FargateService, targetGroup: ApplicationTargetGroup, { min, max }: Range): void {
  const target = service.autoScaleTaskCount({ minCapacity: min, maxCapacity: max })
  const cooldowns = { scaleOutCooldown: Duration.seconds(30), scaleInCooldown: Duration.minutes(5) }
  target.scaleOnCpuUtilization('Cpu', { targetUtilizationPercent: numbers.apiCpuPercent, ...cooldowns })
  target.scaleOnRequestCount('Requests', {
    requestsPerTarget: numbers.apiRequestsPerMinute,
    targetGroup,
    ...cooldowns,
  })
}

/** By the age of the oldest message, but not by that of a message that fails: more consumers would not help it. */
export function scaleConsumer(service: FargateService, queue: Queue, { min, max }: Range): void {
  const age = new MathExpression({
    label: 'age of the oldest message while many wait',
    expression: `IF(waiting > ${numbers.consumerWaiting}, age, 0)`,
    period: Duration.minutes(1),
    usingMetrics: {
      waiting: queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum' }),
      age: queue.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum' }),
    },
  })
  service.autoScaleTaskCount({ minCapacity: min, maxCapacity: max }).scaleOnMetric('Age', {
    metric: age,
    scalingSteps: [
      { upper: numbers.consumerIdleSeconds, change: -1 },
      { lower: numbers.consumerAgeSeconds, change: 1 },
      { lower: numbers.consumerAgeSeconds * 5, change: 2 },
    ],
    adjustmentType: AdjustmentType.CHANGE_IN_CAPACITY,
    evaluationPeriods: 2,
    cooldown: Duration.minutes(3),
  })
}

/** By pending events, but only while SQS takes events: a relay more does not mend a broker. */
export function scaleRelay(service: FargateService, { min, max }: Range): void {
  const metric = (metricName: string, statistic: string, dimensionsMap: Record<string, string>) =>
    new Metric({ namespace: METRICS_NAMESPACE, metricName, statistic, dimensionsMap, period: Duration.minutes(1) })
  const backlog = new MathExpression({
    label: 'pending events while events are published',
    expression: 'IF(published > 0, pending, 0)',
    period: Duration.minutes(1),
    usingMetrics: {
      published: metric('outbox_events_published_total', 'Sum', { service: 'relay' }),
      // Each relay counts the whole outbox.
      pending: metric('outbox_events', 'Maximum', { service: 'relay', status: 'pending' }),
    },
  })
  service.autoScaleTaskCount({ minCapacity: min, maxCapacity: max }).scaleOnMetric('Backlog', {
    metric: backlog,
    scalingSteps: [
      { upper: numbers.relayIdle, change: -1 },
      { lower: numbers.relayBacklog, change: 1 },
      { lower: numbers.relayBacklog * 10, change: 2 },
    ],
    adjustmentType: AdjustmentType.CHANGE_IN_CAPACITY,
    evaluationPeriods: 3,
    // Longer than three evaluations: the effect of a step is measured before the next one.
    cooldown: Duration.minutes(5),
  })
}
