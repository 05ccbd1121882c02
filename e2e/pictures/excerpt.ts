/** How many requests of each section of `test_api.sh` are shown; those of the others are not. */
const SHOWN: Record<string, number> = { create: 1, delete: 2, 'bad requests': 1 }

/** As much of what `test_api.sh` said as fits a picture, with `…` where something is left out. */
export function excerpt(output: string): string {
  const [opening = '', ...sections] = output.split(/^(?=--- )/m)
  const [, verdict = ''] = /(\d+ checks, .*)\s*$/.exec(output) ?? []
  const shown = sections.flatMap((section) => {
    const [heading = '', ...requests] = section.trimEnd().split('\n\n')
    const wanted = SHOWN[heading.replace('--- ', '').trim()] ?? 0
    if (wanted === 0) return []
    return [`${heading}\n${requests.slice(0, wanted).join('\n')}${requests.length > wanted ? '\n…' : ''}\n`]
  })
  return [opening.trimEnd() + '\n', ...shown, verdict].join('\n')
}
