import type { Terminal } from '@product-events/terminal'

/** Says on stderr that a command uses the stack of `npm start`, because no variable says where to look. */
export function sayWhichStack(file: string | undefined, { stderr }: Pick<Terminal, 'stderr'>): void {
  if (file !== undefined) stderr(`On the stack of npm start (${file}).\n`)
}
