// What a `ServerTable` asks the server for and gets.

/** One page to ask for. `cursor` is absent for the first. */
export interface PageAsked {
  cursor?: string;
  limit: number;
  sort?: string;
}

/** One page as the API gives it. */
export interface Page<Row> {
  items: Row[];
  /** Where the next page begins; absent or null on the last. */
  next?: string | null;
}

/** Every row of a list, a page after the other: for a form that chooses among all of them, and for files. */
export async function whole<Row>(fetch: (page: PageAsked) => Promise<Page<Row>>): Promise<Row[]> {
  const rows: Row[] = [];
  let cursor: string | undefined;
  do {
    const page = await fetch({ limit: 200, ...(cursor !== undefined && { cursor }) });
    rows.push(...page.items);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return rows;
}

export interface Column {
  key: string;
  label: string;
  /** The server's name of this order; without it the column does not sort. */
  sort?: string;
  /** Numbers stand to the right. */
  number?: boolean;
}

/** The order after a click on a heading: first up, then down, then up again. */
export const nextSort = (sort: string | undefined, name: string) => (sort === name ? `-${name}` : name);

/** How a heading stands in this order. */
export function direction(sort: string | undefined, name: string | undefined): 'ascending' | 'descending' | undefined {
  if (name === undefined) return undefined;
  if (sort === name) return 'ascending';
  return sort === `-${name}` ? 'descending' : undefined;
}
