// Phone numbers as people read them.

/** How the numbers that begin so are written in their country: the code, and then the digits in groups of so many. */
const GROUPS: readonly (readonly [begins: RegExp, sizes: readonly number[]])[] = [
  // a mobile phone in Norway
  [/^\+47[49]/, [3, 3, 2, 3]],
  [/^\+4[57]/, [3, 2, 2, 2, 2]],
  [/^\+46/, [3, 2, 3, 2, 2]],
  [/^\+354/, [4, 3, 4]],
  [/^\+358/, [4, 2, 3, 4]]
];

/** A number in international form (`+4721600000`) in groups, which eyes and screen readers take in better: on one line, so
 *  with spaces that do not break. */
export function spaced(number: string): string {
  const parts: string[] = [];
  let rest = number;
  for (const size of GROUPS.find(([begins]) => begins.test(number))?.[1] ?? [4]) {
    parts.push(rest.slice(0, size));
    rest = rest.slice(size);
  }
  for (; rest; rest = rest.slice(3)) parts.push(rest.slice(0, 3));
  return parts.join('\u00a0').trim();
}

/** What is escaped in a text value (RFC 6350 §3.4). */
const escaped = (text: string) => text.replace(/[\\,;]/g, (sign) => `\\${sign}`).replace(/\r?\n/g, '\\n');

/** A contact of one name with its numbers, as a file that phones take (vCard 3.0, RFC 2426: what all of them read). */
export function vcard(name: string, numbers: readonly string[]): string {
  const lines = ['BEGIN:VCARD', 'VERSION:3.0', `FN:${escaped(name)}`, `N:${escaped(name)};;;;`, ...numbers.map((number) => `TEL;TYPE=VOICE:${number}`), 'END:VCARD'];
  return lines.map((line) => `${line}\r\n`).join('');
}
