// @vitest-environment node
import { FluentResource } from '@fluent/bundle';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const LOCALES = ['nb', 'sv', 'en'];

/** The prefixes whose texts are for these pages; texts with another one belong to the server. */
const OURS = /^(panel|app|admin|door|common)-/;

function catalogue(locale: string): string {
  return readFileSync(join(ROOT, 'locales', `${locale}.ftl`), 'utf8');
}

/** Every key with the variables that its text takes. */
function keys(locale: string): Record<string, string[]> {
  const variables = (node: unknown, found: Set<string>): Set<string> => {
    if (node && typeof node === 'object') {
      if ('type' in node && node.type === 'var' && 'name' in node) found.add(String(node.name));
      for (const child of Object.values(node)) variables(child, found);
    }
    return found;
  };
  const { body } = new FluentResource(catalogue(locale));
  return Object.fromEntries(body.map((message) => [message.id, [...variables(message, new Set())].sort()]));
}

function sources(): { path: string; text: string }[] {
  return readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(ts|svelte)$/.test(path) && !path.endsWith('.test.ts'))
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));
}

describe('catalogue', () => {
  it.each(LOCALES)('%s has no line that Fluent can not read and no key twice', (locale) => {
    const written = catalogue(locale)
      .split('\n')
      .flatMap((line) => /^([a-z][\w-]*)\s*=/.exec(line)?.[1] ?? []);
    expect(written).toEqual([...new Set(written)]);
    expect(Object.keys(keys(locale))).toEqual(written);
    const strays = catalogue(locale)
      .split('\n')
      .filter((line) => line !== '' && !/^(#|\s+|\}|[a-z][\w-]*\s*=)/.test(line));
    expect(strays).toEqual([]);
  });

  it.each(['nb', 'sv'])('%s has the keys and variables of en', (locale) => {
    expect(keys(locale)).toEqual(keys('en'));
  });

  it('has every key that a page asks for', () => {
    const known = Object.keys(keys('en'));
    const unknown = sources().flatMap(({ path, text }) => {
      const literal = [...text.matchAll(/\bt\(\s*'([^']+)'/g)].map((match) => match[1] ?? '');
      const built = [...text.matchAll(/\bt\(\s*`([^`$]*)\$\{/g)].map((match) => match[1] ?? '');
      return [
        ...literal.filter((key) => !known.includes(key)),
        ...built.filter((start) => !known.some((key) => key.startsWith(start))),
      ].map((key) => `${path}: ${key}`);
    });
    expect(unknown).toEqual([]);
  });

  it('has no key that no page asks for', () => {
    const text = sources()
      .map((source) => source.text)
      .join('\n');
    const built = [...text.matchAll(/`([a-z]+(?:-[a-z]+)*-)\$\{/g)].map((match) => match[1] ?? '');
    const unused = Object.keys(keys('en')).filter(
      (key) => OURS.test(key) && !text.includes(`'${key}'`) && !built.some((start) => key.startsWith(start)),
    );
    expect(unused).toEqual([]);
  });
});
