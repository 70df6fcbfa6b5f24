// Two people changed the same thing. What only one of them changed is taken; what both changed differently is asked.

/** One field that both changed, each in their own way. */
export interface Clash<Values> {
  field: keyof Values & string;
  mine: unknown;
  theirs: unknown;
}

export interface Merge<Values> {
  /** What both agree on, with theirs where it is still to be chosen. */
  merged: Values;
  clashes: Clash<Values>[];
  /** What they changed and I did not: taken, but worth a word. */
  taken: (keyof Values & string)[];
}

const same = (a: unknown, b: unknown) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

/** `base` is what I began with. Only the fields of `base` count: what else the server sends is none of the form's. */
export function merge<Values extends Record<string, unknown>>(base: Values, mine: Values, theirs: Partial<Values>): Merge<Values> {
  const merged: Record<string, unknown> = {};
  const clashes: Clash<Values>[] = [];
  const taken: (keyof Values & string)[] = [];
  for (const field of Object.keys(base) as (keyof Values & string)[]) {
    const server = field in theirs ? theirs[field] : base[field];
    const changedHere = !same(base[field], mine[field]);
    const changedThere = !same(base[field], server);
    if (changedHere && !changedThere) merged[field] = mine[field];
    else merged[field] = server;
    if (changedThere && !changedHere) taken.push(field);
    if (changedThere && changedHere && !same(mine[field], server)) clashes.push({ field, mine: mine[field], theirs: server });
  }
  return { merged: merged as Values, clashes, taken };
}
