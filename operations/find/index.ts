export type * from './found.ts'
export { findEvent, type FindOptions, SINCE_MS } from './find-event.ts'
export { describeFound, describePlace, type PlaceWords } from './words.ts'
