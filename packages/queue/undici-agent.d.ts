/**
 * All of undici takes a tenth of a second to load; its agent alone a fifth of that. The package types only the whole.
 */
declare module 'undici/lib/dispatcher/agent.js' {
  export { Agent as default } from 'undici'
}
