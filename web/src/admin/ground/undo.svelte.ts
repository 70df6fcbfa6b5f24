// What was just done, and how to take it back: done at once, no "are you sure" before it.
//
//   done(words, { undo: () => api.liftSuspension(id), after: () => client.invalidateQueries(…) });
//
// `Undo.svelte` stands once in the shell and shows them. Ctrl or ⌘ Z outside a field takes back the newest.

export interface Done {
  id: number;
  words: string;
  undo: (() => Promise<unknown>) | undefined;
  after: (() => unknown) | undefined;
  /** How long it is shown. */
  ms: number;
  state: 'done' | 'undoing' | 'undone' | 'failed';
  failure: unknown;
}

/** Time to read it, decide and reach it by keyboard. */
const SECONDS = 10;

let counter = 0;
let list = $state.raw<Done[]>([]);

export const shown = () => list;

export function done(words: string, { undo, after, seconds = SECONDS }: { undo?: () => Promise<unknown>; after?: () => unknown; seconds?: number } = {}): void {
  counter += 1;
  // Three are enough to look at; older ones are past.
  list = [...list.slice(-2), { id: counter, words, undo, after, ms: seconds * 1000, state: 'done', failure: undefined }];
}

export function dismiss(id: number): void {
  list = list.filter((one) => one.id !== id);
}

export const dismissAll = () => (list = []);

function change(id: number, changes: Partial<Done>): void {
  list = list.map((one) => (one.id === id ? { ...one, ...changes } : one));
}

/** Takes one back, or the newest that can be. */
export async function takeBack(id?: number): Promise<void> {
  const one = list.findLast((entry) => entry.undo && (entry.state === 'done' || entry.state === 'failed') && (id === undefined || entry.id === id));
  if (!one?.undo) return;
  change(one.id, { state: 'undoing' });
  try {
    await one.undo();
    change(one.id, { state: 'undone' });
    await one.after?.();
  } catch (failure) {
    change(one.id, { state: 'failed', failure });
  }
}
