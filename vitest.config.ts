import { defineConfig } from 'vitest/config'

/** The same native type stripping as in production, instead of vite's transform: what passes here runs there. */
const experimental = { viteModuleRunner: false } as const
/**
 * Files that a worker runs one after the other share its modules: loading them for each took as long as the tests.
 */
const isolate = false
/** How long a test waits for a condition that names no bound of its own; one second was too short on a busy machine. */
const expect = { poll: { timeout: 15_000 } }
const exclude = [
  '**/node_modules/**',
  'dist/**',
  '.data/**',
  'bench/peers/**',
  'e2e/adapters/**',
  'examples/*.test.ts',
  'deploy/aws/**',
  'deploy/kubernetes/**',
]

/** Tests in a browser, and tests of deployments, which take minutes, are steps of their own. */
const browser = ['e2e/console/**/*.e2e.test.ts', 'e2e/build.e2e.test.ts']
const deployment = [
  'least-rights',
  'tls',
  'dead-letters-denied',
  'databases',
  'start-commands',
  'start-deaths',
  'rolling',
  'failover',
].map((name) => `e2e/**/${name}.e2e.test.ts`)
const image = 'deploy/image/image.integration.test.ts'

const processes = {
  globalSetup: ['local/testing/vitest-setup.ts'],
  testTimeout: 120_000,
  hookTimeout: 120_000,
  setupFiles: ['packages/http-api/testing/setup.ts'],
  experimental,
  expect,
}

export default defineConfig({
  test: {
    // Most tests wait for processes, not for a core: more files at once than the two cores that CI has.
    maxWorkers: 4,
    coverage: {
      provider: 'v8',
      include: ['*/**/*.ts'],
      exclude: ['**/*.test.ts', 'bench/**', 'e2e/**', 'local/**', 'vitest.config.ts'],
      reporter: ['text', 'html', 'lcov'],
    },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['**/*.test.ts'],
          // It only ends what hangs: a test must not fail because the machine stood still for half a minute.
          testTimeout: 60_000,
          exclude: [...exclude, '**/*.integration.test.ts', 'e2e/**/*.e2e.test.ts'],
          setupFiles: ['packages/http-api/testing/setup.ts'],
          experimental,
          expect,
          isolate,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['**/*.integration.test.ts'],
          exclude: [...exclude, image],
          globalSetup: ['local/testing/vitest-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          setupFiles: ['packages/http-api/testing/setup.ts'],
          experimental,
          expect,
          isolate,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['e2e/**/*.e2e.test.ts'],
          exclude: [...exclude, ...browser, ...deployment],
          ...processes,
          isolate,
        },
      },
      { test: { name: 'browser', include: browser, exclude, ...processes } },
      { test: { name: 'deployment', include: [...deployment, image], exclude, ...processes } },
    ],
  },
})
