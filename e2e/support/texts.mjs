// The words on the screens, from the catalogue that the pages use: the tests look for what a person reads, and go on
// working when a word is changed.

import { readFileSync } from 'node:fs';

const catalogue = new Map();
for (const line of readFileSync(new URL('../../web/src/locales/en.ftl', import.meta.url), 'utf8').split('\n')) {
  const [, key, text] = /^([a-z][\w-]*)\s*=\s*(.+)$/.exec(line) ?? [];
  if (key) catalogue.set(key, text);
}

const PLACE = /\{\s*\$(\w+)\s*\}/g;

function raw(key) {
  const text = catalogue.get(key);
  if (text === undefined) throw new Error(`web/src/locales/en.ftl has no one-line text ${key}`);
  return text;
}

/** The English text of a key, with every variable filled in. */
export function t(key, values = {}) {
  return raw(key).replace(PLACE, (_, name) => {
    if (!(name in values)) throw new Error(`the text ${key} needs ${name}`);
    return values[name];
  });
}

/** The English text of a key with anything in place of the variables that are not given. */
export function pattern(key, values = {}) {
  const literal = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const parts = raw(key).split(PLACE);
  // split by a pattern with one group: text and variable names in turn
  return new RegExp(parts.map((part, i) => (i % 2 ? (part in values ? literal(values[part]) : '.+') : literal(part))).join(''));
}
