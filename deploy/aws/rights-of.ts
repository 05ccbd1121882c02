import { type Rights, rights } from './rights.ts'
import type { Program } from './names.ts'
import type { Settings } from './settings.ts'

/** The rights of a program in a deployment with these settings. */
export function rightsOf(program: Program, { relay }: Settings): Rights {
  return rights[program === 'product-service' && relay ? 'product-service without a relay' : program]
}
