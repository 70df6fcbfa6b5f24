// @vitest-environment node
import { expect, it } from 'vitest';
import { proposed } from './card-number';

it.each([
  ['04:A2:2B:1C:55:60:80', 'serial'],
  ['deadbeef', 'serial'],
  ['00112233445566778899', 'serial'],
  ['127-53471', 'wiegand26'],
  ['127,53471', 'wiegand26'],
  ['255 1', 'wiegand26'],
  ['256/1', 'wiegand34'],
  ['0008376543', 'wiegand26'],
  ['4294967295', 'wiegand34'],
  ['37:0123456788', 'bits'],
  ['53471', undefined],
  ['04:A2', undefined],
  ['', undefined],
  ['my card', undefined]
])('%s looks like %s', (text, view) => {
  expect(proposed(text)).toBe(view);
});
