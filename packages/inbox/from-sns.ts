import type { InboxEvent, Message, MessageAttribute, Parsed } from './event.ts'

/**
 * Makes a parser for messages that SNS brought. Without raw message delivery SNS wraps a message: `parse` gets the
 * published text as `Body`, and the published attributes. A message that is not wrapped is parsed as it is.
 */
export function fromSns<Event extends InboxEvent>(
  // The consumer says which events there are, not a parser that takes all.
  parse: (message: Message) => Parsed<NoInfer<Event>>,
): (message: Message) => Parsed<Event> {
  return (message) => parse(unwrapped(message))
}

function unwrapped(message: Message): Message {
  const wrapper = notificationOf(message.Body ?? '')
  if (wrapper === undefined) return message
  const MessageAttributes: Record<string, MessageAttribute> = {}
  for (const [name, { Type, Value }] of Object.entries(wrapper.MessageAttributes ?? {})) {
    MessageAttributes[name] =
      Type === 'Binary'
        ? { DataType: Type, BinaryValue: Buffer.from(Value, 'base64') }
        : { DataType: Type, StringValue: Value }
  }
  return { ...message, Body: wrapper.Message, MessageAttributes }
}

/** https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html */
interface Notification {
  Type: 'Notification'
  TopicArn: string
  Message: string
  MessageAttributes?: Record<string, { Type: string; Value: string }>
}

function notificationOf(body: string): Notification | undefined {
  try {
    const wrapper = JSON.parse(body) as Partial<Notification> | null
    const isWrapped =
      wrapper?.Type === 'Notification' && typeof wrapper.TopicArn === 'string' && typeof wrapper.Message === 'string'
    return isWrapped ? (wrapper as Notification) : undefined
  } catch {
    return undefined
  }
}
