/**
 * For a browser that is led here: it takes an answer for what it says it is, runs nothing of it, shows it in no
 * frame, and lets no other site read it. What helmet sends beyond these has no meaning for JSON; HTTPS, and with it
 * Strict-Transport-Security, is a matter of what stands in front.
 */
export const securityHeaders = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const
