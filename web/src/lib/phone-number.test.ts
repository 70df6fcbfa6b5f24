// @vitest-environment node
import { describe, expect, it } from 'vitest';
import { spaced, vcard } from './phone-number';

describe('a number', () => {
  it.each([
    ['+4721600000', '+47 21 60 00 00'],
    ['+4791500123', '+47 915 00 123'],
    ['+46701234567', '+46 70 123 45 67'],
    ['+4520123456', '+45 20 12 34 56'],
    ['+3545812345', '+354 581 2345'],
    ['+358401234567', '+358 40 123 4567'],
    // of a country whose groups are not known
    ['+493012345678', '+493 012 345 678'],
    ['+470', '+47 0'],
    ['12', '12'],
  ])('%s is read as %s', (number, read) => {
    expect(spaced(number)).toBe(read.replaceAll(' ', '\u00a0'));
  });
});

describe('a contact', () => {
  it('has its name and each number, and no sign of a name ends a line', () => {
    expect(vcard('Door: Bjørkeveien 4; A, \\B\nX', ['+4721600000', '+4722222222'])).toBe(
      [
        'BEGIN:VCARD',
        'VERSION:3.0',
        'FN:Door: Bjørkeveien 4\\; A\\, \\\\B\\nX',
        'N:Door: Bjørkeveien 4\\; A\\, \\\\B\\nX;;;;',
        'TEL;TYPE=VOICE:+4721600000',
        'TEL;TYPE=VOICE:+4722222222',
        'END:VCARD',
        '',
      ].join('\r\n'),
    );
  });
});
