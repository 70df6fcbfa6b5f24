/**
 * Texts from the Fluent files in `src/locales`, which the server shares. One locale is loaded at a time, as a
 * chunk of its own. `t` reads reactive state: a component that calls it is drawn anew when the locale changes.
 */
import { FluentBundle, FluentResource, type FluentVariable } from '@fluent/bundle';

export type Locale = 'nb' | 'nn' | 'sv' | 'da' | 'en';

/** Every locale, with its name in its own language. */
export const LOCALES: Readonly<Record<Locale, string>> = {
  nb: 'Bokmål',
  nn: 'Nynorsk',
  sv: 'Svenska',
  da: 'Dansk',
  en: 'English',
};

/** Where this device remembers its locale. */
const STORED = 'klinke.locale';

/** The texts of each locale, by `../../locales/en.ftl`. */
export type Sources = Record<string, () => Promise<string>>;

const sources: Sources = import.meta.glob<string>('../../locales/*.ftl', { query: '?raw', import: 'default' });

/** All texts of a locale that this page asked for so far. */
let read = textsOf(sources);

function textsOf(some: Sources) {
  return async (of: Locale): Promise<string> => {
    const load = some[`../../locales/${of}.ftl`];
    if (!load) throw new Error(`there are no texts for ${of}`);
    return load();
  };
}

let current = $state.raw<{ locale: Locale; bundle: FluentBundle }>();

/** Which locale a list of language tags asks for, best first. */
export function negotiate(wanted: readonly string[]): Locale {
  for (const tag of wanted) {
    const language = tag.toLowerCase().split('-')[0];
    if (language === 'no') return 'nb';
    if (language !== undefined && language in LOCALES) return language as Locale;
  }
  return 'en';
}

function preferred(): Locale {
  const stored = localStorage.getItem(STORED);
  return negotiate(stored ? [stored] : navigator.languages);
}

/** Loads the texts of this device's locale. Await it before the first component is drawn. */
export function startTexts(): Promise<void> {
  return setLocale(preferred(), { remember: false });
}

/** Changes the locale; `remember: false` keeps the device's own for the next start (a visitor's choice). */
export async function setLocale(next: Locale, { remember = true } = {}): Promise<void> {
  if (remember) localStorage.setItem(STORED, next);
  // Without isolation marks: all our locales run left to right, and the marks break copying and matching.
  const bundle = new FluentBundle(tags(next), { useIsolating: false });
  bundle.addResource(new FluentResource(await read(next)));
  current = { locale: next, bundle };
  document.documentElement.lang = next;
}

/** Adds texts that not every page needs, in this locale and in those that are chosen later. */
export async function addTexts(more: Sources): Promise<void> {
  const before = read;
  const added = textsOf(more);
  read = async (of) => `${await before(of)}\n${await added(of)}`;
  try {
    await setLocale(locale(), { remember: false });
  } catch (error) {
    read = before;
    throw error;
  }
}

/** The locale that is shown. */
export function locale(): Locale {
  return current?.locale ?? 'en';
}

/** For `Intl`, best first. Browsers do not know nynorsk: its numbers and dates are those of bokmål (but see the panel's
 *  clock for the days), not those of the browser's own language. English as it is written in Europe. */
export function tags(of: Locale = locale()): string[] {
  return of === 'nn' ? ['nn', 'nb'] : [of === 'en' ? 'en-GB' : of];
}

/** The text of a key. A key without a text shows itself; a test holds that there is none. */
export function t(key: string, args?: Record<string, FluentVariable>): string {
  const message = current?.bundle.getMessage(key);
  if (!current || !message?.value) return key;
  return current.bundle.formatPattern(message.value, args ?? null);
}
