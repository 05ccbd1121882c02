export { keepListening, type Heard, type Listen, type Listening, type ListeningOptions } from './listening.ts'
export { createNotifier, createProbe, type Notifies, notify } from './notifier.ts'
