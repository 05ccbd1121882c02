import { h, type VNode } from 'preact'
import htm from 'htm'

/** What a component returns. */
export type View = VNode

type Tag = (strings: TemplateStringsArray, ...values: unknown[]) => View

/** Typed by hand: the package's types describe its CommonJS build. */
export const html = (htm as unknown as { bind(create: typeof h): Tag }).bind(h)
