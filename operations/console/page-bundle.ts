import { type Plugin, rolldown } from 'rolldown'

/** Bundles the modules of the console's page as one script for browsers. `modules` are the paths of what is in it. */
export async function bundlePage(main: string): Promise<{ script: string; modules: string[] }> {
  const build = await rolldown({ input: main, platform: 'browser', plugins: [unindent()] })
  const { output } = await build.generate({ format: 'esm', minify: true })
  await build.close()
  return { script: output[0].code, modules: Object.keys(output[0].modules) }
}

/** Templates are indented for people, and `htm` ignores that: without it the script is a twentieth smaller. */
function unindent(): Plugin {
  return {
    name: 'unindent',
    transform: (code, id) =>
      id.includes('node_modules') ? null : { code: code.replaceAll(/\n\s+/g, '\n'), map: null },
  }
}
