/** What a release is made from, as files and git say it. */
export interface Checkout {
  /** `version` of the root's package.json. */
  version: string
  /** `version` of every package that is published, by its name. */
  packages: Record<string, string>
  changelog: string
  branch: string
  /** Paths that are changed and not committed. */
  changed: string[]
  tags: string[]
}

export interface Plan {
  tag: string
  /** The section of the changelog: what the tag says. */
  notes: string
}

/** What stands in the way of releasing a checkout, one line each; empty when nothing does. */
export function faultsOf({ version, packages, changelog, branch, changed, tags }: Checkout): string[] {
  const faults: string[] = []
  if (!/^\d+\.\d+\.\d+$/.test(version)) faults.push(`package.json has version "${version}": expected three numbers`)
  for (const [name, own] of Object.entries(packages))
    if (own !== version) faults.push(`${name} has version ${own}: expected ${version}, as in package.json`)
  if (notesOf(changelog, version) === '') faults.push(`CHANGELOG.md has no section "## [${version}] - <date>"`)
  if (branch !== 'main') faults.push(`the branch is ${branch}: expected main`)
  if (changed.length > 0) faults.push(`not committed: ${changed.join(', ')}`)
  if (tags.includes(`v${version}`)) faults.push(`the tag v${version} exists: raise the version`)
  return faults
}

export function planOf({ version, changelog }: Checkout): Plan {
  return { tag: `v${version}`, notes: notesOf(changelog, version) }
}

/** The section of a version, without its heading; '' when there is none, or it has no date. */
function notesOf(changelog: string, version: string): string {
  const sections = changelog.split(/^## /m)
  const heading = new RegExp(`^\\[${version.replaceAll('.', '\\.')}\\] - \\d{4}-\\d{2}-\\d{2}\\n`)
  const section = sections.find((text) => heading.test(text)) ?? ''
  return section.replace(heading, '').trim()
}
