import { afterEach } from 'vitest'
import { takeUndescribedAnswers } from './answers.ts'

afterEach(() => {
  const faults = takeUndescribedAnswers()
  if (faults.length > 0) throw new Error(`answers that the OpenAPI document does not describe:\n${faults.join('\n')}`)
})
