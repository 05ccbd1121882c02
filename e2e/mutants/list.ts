import { inboxMutants } from './inbox.ts'
import type { Mutant, Survivor } from './mutant.ts'
import { outboxMutants } from './outbox.ts'
import { requestMutants } from './requests.ts'
import { sendingMutants } from './sending.ts'

export const mutants: readonly Mutant[] = [...outboxMutants, ...sendingMutants, ...inboxMutants, ...requestMutants]

export const survivors: readonly Survivor[] = []
