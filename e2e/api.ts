/** What the tests need of the two APIs. */

export interface Product {
  id: string
  name: string
  price: number
}

export interface Notification {
  event_id: string
  event_type: string
  product_id: string
  sequence: number | string
}

/** Creates a product, or throws with the answer that said no. */
export async function createProduct(url: string, name: string): Promise<Product> {
  const response = await fetch(`${url}/products`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, price: 12.5 }),
  })
  if (response.status !== 201) throw new Error(`${response.status}: ${await response.text()}`)
  return (await response.json()) as Product
}

export async function deleteProduct(url: string, id: string): Promise<void> {
  const response = await fetch(`${url}/products/${id}`, { method: 'DELETE' })
  if (response.status !== 204) throw new Error(`${response.status}: ${await response.text()}`)
}

/** Every notification there is, or that there is of one product, newest first, page by page. */
export async function allNotifications(url: string, productId?: string): Promise<Notification[]> {
  const filter = productId === undefined ? '' : `&product_id=${productId}`
  const all: Notification[] = []
  for (let token: string | null = ''; token !== null;) {
    const query: string = token && `&token=${encodeURIComponent(token)}`
    const response = await fetch(`${url}/notifications?limit=100${filter}${query}`)
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`)
    const page = (await response.json()) as { notifications: Notification[]; next_page_token: string | null }
    all.push(...page.notifications)
    token = page.next_page_token
  }
  return all
}
