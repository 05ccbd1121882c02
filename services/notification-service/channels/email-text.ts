import { harmless } from '@product-events/terminal'
import type { Delivery } from './delivery.ts'

/** The subject and both bodies of a mail. A product's name can add no line, no markup and no invisible character. */
export function mailOf({ title, message, product_id, occurred_at }: Delivery['data']) {
  const lines = { title: harmless(title), message: harmless(message), product_id, occurred_at }
  return { subject: lines.title, text: textOf(lines), html: htmlOf(lines) }
}

interface Lines {
  title: string
  message: string
  product_id: string
  occurred_at: string
}

function textOf({ title, message, product_id, occurred_at }: Lines): string {
  return `${title}\n\n${message}\n\nProduct: ${product_id}\nWhen: ${occurred_at}\n`
}

/** `dir="auto"`: a name that is written from right to left must not reorder the words around it. */
function htmlOf({ title, message, product_id, occurred_at }: Lines): string {
  return `<h1>${escape(title)}</h1>
<p dir="auto">${escape(message)}</p>
<p>Product: <code>${escape(product_id)}</code><br>When: ${escape(occurred_at)}</p>
`
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}
