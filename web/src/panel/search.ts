/**
 * Finding a name on a panel with a few taps.
 *
 * A query is matched against the beginnings of words, folded so that nobody has to know how a name is spelt:
 * ø ö → o, å ä → a, æ → ae. A key that would leave nothing is dead, so a query always has at least one hit.
 * When the hits do not fit the screen, those with the same surname fold into one button, "Andersson 14 ›".
 */
import type { DirectoryBell } from '../api/wire';
import { fold, words } from '../lib/fold';

export { fold };

/** Endings that say what kind of company it is: never what it is looked up by. */
const COMPANY = new Set(['as', 'asa', 'ab', 'ans', 'da', 'enk', 'sa', 'hb', 'kb', 'oy', 'aps', 'ltd', 'inc']);

/** The first surname of a label: "Berg / Lind" → Berg, "Berg, Kari" → Berg, "Kari Berg" and "Kari og Ola Berg" → Berg. */
export function surname(label: string): string {
  const couple = /^\S+(?: & | og | och | and )\S+\s+(?:.*\s)?(\S+)$/i.exec(label);
  if (couple?.[1] && !label.includes('/')) return couple[1];
  const household = label.split(/[/&+]| og | och | and /i)[0]?.trim() ?? label;
  const beforeComma = household.split(',');
  if (beforeComma.length > 1) return beforeComma[0]?.trim() || label;
  const parts = household.split(/\s+/).filter((part) => part !== '');
  while (parts.length > 1 && COMPANY.has(fold(parts.at(-1) ?? '').replace(/\W/g, ''))) parts.pop();
  return parts.at(-1) ?? label;
}

export interface Entry {
  bell: DirectoryBell;
  surname: string;
  /** The surname, folded: what the same-surname buttons share. */
  key: string;
  words: string[];
}

export function entries(bells: readonly DirectoryBell[]): Entry[] {
  return bells.map((bell) => {
    const name = surname(bell.label);
    const members = bell.members.map((member) => member.label).join(' ');
    return { bell, surname: name, key: fold(name), words: words(fold(`${bell.label} ${bell.alias ?? ''} ${bell.unit} ${members}`)) };
  });
}

export interface Filter {
  query: string;
  /** Only this stair. */
  stair?: string | undefined;
  /** Only this folded surname. */
  group?: string | undefined;
  /** Codes of buttons that stand nowhere can be typed. */
  dials?: boolean | undefined;
}

/** What a filter leaves. Those whose surname begins with the query come first; otherwise the panel's order. */
export function narrow(all: readonly Entry[], { query, stair, group }: Filter): Entry[] {
  const wanted = words(fold(query));
  const hits = all.filter(
    (entry) =>
      (stair === undefined || entry.bell.entrance === stair) &&
      (group === undefined || entry.key === group) &&
      wanted.every((start) => entry.words.some((word) => word.startsWith(start))),
  );
  const first = wanted[0];
  if (first === undefined) return hits.filter((entry) => !entry.bell.search_only);
  const rank = (entry: Entry) => (entry.key.startsWith(first) ? 0 : 1);
  return hits.toSorted((a, b) => rank(a) - rank(b));
}

export type Item = { kind: 'bell'; entry: Entry } | { kind: 'group'; surname: string; key: string; count: number };

/** What the screen lists: each button, or, when they are more than `slots`, one for each shared surname. */
export function arrange(hits: readonly Entry[], slots: number, group?: string): Item[] {
  if (hits.length <= slots || group !== undefined) return hits.map((entry) => ({ kind: 'bell', entry }));
  const shared = new Map<string, Entry[]>();
  for (const entry of hits) shared.set(entry.key, [...(shared.get(entry.key) ?? []), entry]);
  return [...shared.values()].flatMap((same): Item[] => {
    const first = same[0];
    if (!first) return [];
    return same.length === 1
      ? [{ kind: 'bell', entry: first }]
      : [{ kind: 'group', surname: first.surname, key: first.key, count: same.length }];
  });
}

/** What was typed as a code, when it is one. */
export function codeOf({ query, dials }: Filter): string | undefined {
  return dials && /^\d{4,8}$/.test(query) ? query : undefined;
}

/** Whether there is somebody to find, or a code to go on with. */
function leads(all: readonly Entry[], filter: Filter): boolean {
  return narrow(all, filter).length > 0 || (filter.dials === true && /^\d{1,8}$/.test(filter.query));
}

/** Which of these keys leave something. */
export function liveKeys(all: readonly Entry[], filter: Filter, keys: readonly string[]): Set<string> {
  return new Set(keys.filter((key) => leads(all, { ...filter, query: filter.query + key })));
}

/** The longest beginning of what was typed that leaves something. */
export function typable(all: readonly Entry[], filter: Filter): string {
  let query = filter.query;
  while (query !== '' && !leads(all, { ...filter, query })) query = query.slice(0, -1);
  return query;
}

/** The stairs of a directory, A before B and 2 before 10. */
export function stairs(bells: readonly DirectoryBell[]): string[] {
  const names = [...new Set(bells.map((bell) => bell.entrance))];
  return names.sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
}

/** The stair that a panel stands at, when it has the stair's name. */
export function ownStair(panel: string, bells: readonly DirectoryBell[]): string | undefined {
  const all = stairs(bells);
  if (all.length < 2) return undefined;
  return all.find((stair) => stair === panel) ?? all.find((stair) => words(fold(panel)).at(-1) === fold(stair));
}
