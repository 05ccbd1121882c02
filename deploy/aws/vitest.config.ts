import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    // One synthesis takes about ten seconds alone, and each of them its turn on two cores.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    // Loading aws-cdk-lib takes longer than most tests: all files share one worker and its modules.
    fileParallelism: false,
    isolate: false,
    experimental: { viteModuleRunner: false },
  },
})
