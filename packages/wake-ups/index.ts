export { keepListening, type Heard, type Listen, type Listening, type ListeningOptions } from './listening.ts'
export { createNotifier, createProbe, type Notifies } from './notifier.ts'
