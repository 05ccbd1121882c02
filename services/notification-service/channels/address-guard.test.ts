import { expect, test } from 'vitest'
import { forbiddenLiteral, isPublicAddress } from './address-guard.ts'

const words = (...lines: string[]) => lines.join(' ').split(' ')

test.each(
  words(
    '0.0.0.0 10.0.0.1 10.255.255.255 100.64.0.1 127.0.0.1 127.255.255.255 169.254.169.254 172.16.0.1',
    '172.31.255.255 192.0.0.8 192.168.1.1 198.18.0.1 224.0.0.1 255.255.255.255 :: ::1 fe80::1 fc00::1 fd12::1',
    'ff02::1 2001:db8::1 2002:7f00:1:: 2001::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:7f00:1 ::127.0.0.1',
    '64:ff9b::7f00:1 fec0::1 localhost 127.1 0x7f000001',
  ),
)('nothing is sent to %j', (address) => {
  expect(isPublicAddress(address)).toBe(false)
})

test.each(
  words(
    '1.1.1.1 9.255.255.255 11.0.0.0 126.255.255.255 128.0.0.0 100.63.255.255 100.128.0.0 169.253.255.255',
    '169.255.0.0 172.15.255.255 172.32.0.0 192.167.255.255 223.255.255.255 2606:4700:4700::1111',
    '2001:4860:4860::8888 2a00:1450::1',
  ),
)('%s is public', (address) => {
  expect(isPublicAddress(address)).toBe(true)
})

test('a host that is an address is looked at without a lookup, in brackets too; a name is left to the lookup', () => {
  expect(forbiddenLiteral('127.0.0.1')?.message).toContain('allow_hosts')
  expect(forbiddenLiteral('[::1]')?.message).toContain('not a public address')
  expect(forbiddenLiteral('[2606:4700:4700::1111]')).toBeUndefined()
  expect(forbiddenLiteral('localhost')).toBeUndefined()
  // The URL parser writes every spelling of an IPv4 address as four numbers.
  for (const spelling of ['0x7f000001', '127.1', '2130706433', '0177.0.0.1'])
    expect(forbiddenLiteral(new URL(`https://${spelling}/`).hostname)).toBeDefined()
})
