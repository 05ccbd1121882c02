import { type Kind, matching, optional } from './read-config.ts'

/** As SQS has it: 80 characters, the end of a FIFO queue's name among them. */
const QUEUE_NAME = /^(?=.{1,80}$)[A-Za-z0-9_-]+(\.fifo)?$/

/**
 * Not parsed as a URL: emulators give hosts like sqs.us-east-1.127.0.0.1, which is not a valid host. No connection is
 * made to it.
 */
const QUEUE_URL = /^https?:\/\/[^/\s]+\/\S+$/

/** The name of the queue between the two services. */
export const queueName: Kind<string> = {
  ...matching(
    QUEUE_NAME,
    'the name of a queue: up to 80 letters, digits, - and _, for a FIFO queue with .fifo at its end',
  ),
  fallback: { value: 'product-notifications' },
}

/** The URL of an existing queue, as SQS or an emulator gives it; undefined when it is not set. */
export const queueUrl: Kind<string | undefined> = optional(
  matching(QUEUE_URL, 'the URL of a queue, like https://sqs.eu-central-1.amazonaws.com/123456789012/name'),
)
