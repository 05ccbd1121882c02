/** `@product-events/outbox/testing`: for tests of applications, with any test framework. */
export { drainAll } from './drain-all.ts'
export { dumpEvents, type ExpectedEvent, expectEvents, type TablesOptions } from './expect-events.ts'
export {
  createMemoryBroker,
  type MemoryBroker,
  type MemoryBrokerOptions,
  type PublishedEvent,
} from './memory-broker.ts'
