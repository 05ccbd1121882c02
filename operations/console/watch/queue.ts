import { depthOf } from '@product-events/inbox/command'
import type { Queues } from '../../queues.ts'

/** How many messages are in the queue, and how many in its dead-letter queue. */
export interface Depths {
  visible: number
  in_flight: number
  delayed: number
  dead_letters: number
}

export async function readDepths({ sqs, queueUrl, deadLetterUrl }: Queues): Promise<Depths> {
  const [queue, dead] = await Promise.all([depthOf(sqs, queueUrl), depthOf(sqs, deadLetterUrl)])
  return { ...queue, dead_letters: dead.visible + dead.in_flight + dead.delayed }
}
