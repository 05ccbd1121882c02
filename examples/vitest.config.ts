import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['*.test.ts'],
    globalSetup: ['../local/testing/vitest-setup.ts'],
    testTimeout: 120_000,
    hookTimeout: 240_000,
    experimental: { viteModuleRunner: false },
  },
})
