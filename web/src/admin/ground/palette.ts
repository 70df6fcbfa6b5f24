// What the command palette finds, and in which order. Pure; `Palette.svelte` shows it, `providers.ts` says where it
// comes from.

import { fold, words } from '../../lib/fold';
import { byName } from './order';

/** Screens translate `admin-ground-kind-<kind>`. In the order of a tie. */
export const KINDS = ['person', 'unit', 'door', 'building', 'section', 'action'] as const;
export type Kind = (typeof KINDS)[number];

export interface Entry {
  /** Unlike any other's of its kind. */
  id: string;
  kind: Kind;
  title: string;
  /** Beside the title: where it is. It is found by these words too, after the title's. */
  more?: string;
  /** Found by these words too, but they are not shown. */
  also?: string;
  /** An address of these pages, or what to do. */
  go: string | (() => unknown);
  /** Shown before anything is typed. */
  first?: boolean;
}

export interface Asked {
  /** As it was typed, without spaces around it. */
  text: string;
  /** The building whose pages are open. */
  building: string | undefined;
  /** Aborted when something else was typed. */
  signal: AbortSignal;
}

/** Where entries come from. Called anew for each text; what does not fit the text is left out afterwards. */
export interface Provider {
  find: (asked: Asked) => Entry[] | Promise<Entry[]>;
  /** Asks the server for each text: waits until the fingers rest, and is not asked for nothing. */
  remote?: boolean;
}

const MOST_OF_A_KIND = 8;

interface Scored {
  entry: Entry;
  score: number;
}

/** Lower is better; nothing when a word that was typed begins no word of the entry. */
function score(entry: Entry, wanted: readonly string[]): number | undefined {
  const title = words(fold(entry.title));
  const more = words(fold(`${entry.more ?? ''} ${entry.also ?? ''}`));
  let sum = 0;
  for (const start of wanted) {
    const place = title.findIndex((word) => word.startsWith(start));
    if (title.includes(start)) sum += 0;
    else if (place >= 0) sum += 1;
    else if (more.includes(start)) sum += 2;
    else if (more.some((word) => word.startsWith(start))) sum += 3;
    else return undefined;
  }
  const first = wanted[0] ?? '';
  // Who types "b" means Berg before Anna B., and the one with fewer words besides.
  return sum * 100 + (title[0]?.startsWith(first) ? 0 : 20) + Math.min(title.length, 9);
}

const place = (kind: Kind) => KINDS.indexOf(kind);

/** What fits a text, best first, gathered by kind: the kind of the best hit comes first. */
export function rank(entries: readonly Entry[], text: string): { kind: Kind; entries: Entry[] }[] {
  const wanted = words(fold(text));
  const found: Scored[] = [];
  for (const entry of entries) {
    if (wanted.length === 0) {
      if (entry.first) found.push({ entry, score: 0 });
      continue;
    }
    const points = score(entry, wanted);
    if (points !== undefined) found.push({ entry, score: points });
  }
  const order = byName();
  // Before anything is typed they stand as they were given.
  if (wanted.length > 0) found.sort((a, b) => a.score - b.score || place(a.entry.kind) - place(b.entry.kind) || order.compare(a.entry.title, b.entry.title));
  const groups = new Map<Kind, Entry[]>();
  for (const { entry } of found) {
    const group = groups.get(entry.kind) ?? [];
    if (group.length < MOST_OF_A_KIND) groups.set(entry.kind, [...group, entry]);
  }
  return [...groups].map(([kind, list]) => ({ kind, entries: list }));
}

/** What was typed after a verb, whose words may be cut short: "mov out berg" after "Move out" is "berg". Nothing when
 *  the text does not begin with the verb. For actions on things: offer "Move out Berg" for whoever "berg" finds. */
export function afterVerb(text: string, verb: string): string | undefined {
  const typed = text.trim().split(/\s+/);
  for (const word of words(fold(verb))) {
    const start = fold(typed[0] ?? '');
    if (start === '' || !word.startsWith(start)) return undefined;
    typed.shift();
  }
  return typed.join(' ');
}
