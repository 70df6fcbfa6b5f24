// @vitest-environment node
import { FluentResource } from '@fluent/bundle';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const LOCALES = ['nb', 'nn', 'sv', 'da', 'en'];

/** The prefixes whose texts are for these pages; texts with another one belong to the server. */
const OURS = /^(panel|app|admin|guest|door|common)-/;

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

/** The keys of the sections with this heading. */
function keysOf(heading: string): string[] {
  const sections = catalogue('en').split(/^(?=## )/m).filter((section) => section.startsWith(`## ${heading}\n`));
  return [...sections.join('').matchAll(/^([a-z][\w-]*)\s*=/gm)].map((match) => match[1] ?? '');
}

/** The sources that a page needs at once, or with `later` also those that come when something is opened. */
function needed(entry: string, later: boolean): { path: string; text: string }[] {
  const found = new Map<string, string>();
  const visit = (path: string) => {
    if (found.has(path) || !/\.(ts|svelte)$/.test(path)) return;
    const text = readFileSync(join(ROOT, path), 'utf8');
    found.set(path, text);
    const atOnce = [...text.matchAll(/^\s*(?:import|export)\s(?:[^;'"]*?\sfrom\s)?'(\.[^']+)'/gm)];
    const opened = later ? [...text.matchAll(/import\('(\.[^']+)'\)/g)] : [];
    for (const [, to = ''] of [...atOnce, ...opened]) {
      const target = join(dirname(path), to);
      const file = [target, `${target}.ts`, `${target}/index.ts`].find((one) => existsSync(join(ROOT, one)) && /\.\w+$/.test(one));
      if (file) visit(file);
    }
  };
  visit(entry);
  return [...found].map(([path, text]) => ({ path, text }));
}

/** Which of these keys are asked for, and where; one that is built of parts when it could be one of them. */
const asked = (keys: readonly string[], by: readonly { path: string; text: string }[]) =>
  by.flatMap(({ path, text }) => {
    const built = [...text.matchAll(/`([a-z]+(?:-[a-z]+)+-)\$\{/g)].map((match) => match[1] ?? '');
    return keys.filter((key) => text.includes(`'${key}'`) || built.some((start) => key.startsWith(start))).map((key) => `${path}: ${key}`);
  });

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

  it.each(LOCALES.filter((locale) => locale !== 'en'))('%s has the keys and variables of en', (locale) => {
    expect(keys(locale)).toEqual(keys('en'));
  });

  it.each([
    ['nn', 'nb'],
    ['da', 'nb'],
  ])('%s is a language of its own, not %s', (locale, other) => {
    const texts = (name: string) =>
      new Map(catalogue(name).split('\n').flatMap((line) => {
        const found = /^([a-z][\w-]*)\s*=\s*(.+)$/.exec(line);
        return found ? [[found[1] ?? '', found[2] ?? ''] as const] : [];
      }));
    const [own, near] = [texts(locale), texts(other)];
    // The longer a sentence is, the less it can be the same in both; a copied file would have them all.
    const long = [...own].filter(([, text]) => text.split(' ').length >= 6);
    const copied = long.filter(([key, text]) => near.get(key) === text).map(([key]) => key);
    expect(copied.length, copied.join(', ')).toBeLessThan(long.length / 12);
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

  it('has what the app asks for outside of what only administrators load', () => {
    const theirs = [...keysOf('admin'), ...keysOf('admin later')];
    expect(theirs.length).toBeGreaterThan(100);
    expect(asked(theirs, sources().filter(({ path }) => /^(app|ui|lib)\//.test(path)))).toEqual([]);
  });

  it('has what the administration shows at once outside of what comes with the pages that come later', () => {
    const atOnce = needed('admin/main.ts', false);
    expect(atOnce.map(({ path }) => path)).toContain('admin/Shell.svelte');
    expect(atOnce.map(({ path }) => path)).not.toContain('admin/Policy.svelte');
    const later = keysOf('admin later');
    expect(later.length).toBeGreaterThan(50);
    expect(asked(later, atOnce)).toEqual([]);
  });

  it.each(['admin', 'guest', 'panel'])('has nothing that the app alone shows in %s', (surface) => {
    const all = needed(`${surface}/main.ts`, true);
    const alone = keysOf('app alone');
    expect(alone.length).toBeGreaterThan(10);
    expect(asked(alone, all)).toEqual([]);
  });

  it('has no key that no page asks for', () => {
    const text = sources()
      .map((source) => source.text)
      .join('\n');
    const built = [...text.matchAll(/`([a-z]+(?:-[a-z]+)*-)\$\{/g)].map((match) => match[1] ?? '');
    const written = new Set([...text.matchAll(/'([a-z][\w-]*)'/g)].map((match) => match[1] ?? ''));
    const unused = Object.keys(keys('en')).filter(
      (key) => OURS.test(key) && !written.has(key) && !built.some((start) => key.startsWith(start)),
    );
    expect(unused).toEqual([]);
  });
});
