import { type Command, general, type Option, type Options, type Program } from './options.ts'

const WIDTH = 28

/** The help of a whole program: its commands, or its one command. Ends with a line break. */
export function helpOfProgram(program: Program): string {
  const { name, summary, more, commands, exits = {} } = program
  const usage = usageOf(program)
  const codes = { 0: 'done', 1: 'not done, stderr says why', 2: 'not understood', ...exits, 130: 'stopped by Ctrl-C' }
  const parts = [
    `${name}${usage === '' ? '' : ` ${usage}`}: ${summary}`,
    commands &&
      Object.entries(commands)
        .map(([command, form]) => commandLine(command, form))
        .join('\n'),
    more,
    commands && `${name} <command> --help says more about one of them.`,
    `${commands ? 'Options of all commands' : 'Options'}:\n${optionLines({ ...program.options, ...general })}`,
    `Exit code: ${Object.entries(codes)
      .map(([code, meaning]) => `${code} ${meaning}`)
      .join(', ')}.`,
  ]
  return `${parts.filter((part) => part !== undefined).join('\n\n')}\n`
}

/** The help of one command of a program. */
export function helpOfCommand(program: Program, name: string): string {
  const command = program.commands?.[name]
  if (command === undefined) return helpOfProgram(program)
  const parts = [
    `${program.name} ${[name, usageOf(command)].filter(Boolean).join(' ')}: ${command.summary}`,
    command.more,
    optionLines({ ...command.options, ...program.options, ...general }),
  ]
  return `${parts.filter((part) => part !== undefined).join('\n\n')}\n`
}

function usageOf({ usage, words }: Command): string {
  if (usage !== undefined) return usage
  if (words === undefined) return ''
  const one = `<${words.name}>${words.max > 1 ? '...' : ''}`
  return words.min === 0 ? `[${one}]` : one
}

function commandLine(name: string, command: Command): string {
  return twoColumns([name, usageOf(command)].filter(Boolean).join(' '), command.summary)
}

function optionLines(options: Options): string {
  return Object.entries(options)
    .map(([name, option]) => twoColumns(`--${name}${option.value ? ` <${option.value}>` : ''}`, helpOf(option)))
    .join('\n')
}

function helpOf(option: Option): string {
  const facts = [
    'oneOf' in option && option.oneOf.join(', '),
    'whole' in option && `${option.whole[0]} to ${option.whole[1]}`,
    'default' in option && option.default !== undefined && `default ${option.default}`,
  ].filter(Boolean)
  return facts.length === 0 ? option.help : `${option.help} (${facts.join('; ')})`
}

function twoColumns(left: string, right: string): string {
  const lines = right.split('\n').join(`\n${' '.repeat(WIDTH + 3)}`)
  return left.length > WIDTH ? `  ${left}\n${' '.repeat(WIDTH + 3)}${lines}` : `  ${left.padEnd(WIDTH)} ${lines}`
}
