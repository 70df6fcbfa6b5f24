// Addresses of the pages: which one an address means, and which address a page has. Pure; `router.svelte.ts` ties it
// to the browser's history.

type Names<Pattern extends string> = Pattern extends `${infer Head}/${infer Tail}`
  ? Names<Head> | Names<Tail>
  : Pattern extends `:${infer Name}`
    ? Name
    : never;

export type Parameters<Pattern extends string> = { [Name in Names<Pattern>]: string };

/** One page an address can mean. */
export type Match<Table extends Record<string, string>> = {
  [Name in keyof Table & string]: { page: Name; parameters: Parameters<Table[Name]> };
}[keyof Table & string];

const parts = (path: string) => path.split('/').filter((part) => part !== '');

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

/** The page of an address, or nothing. */
export function match<const Table extends Record<string, string>>(
  table: Table,
  path: string
): Match<Table> | undefined {
  const wanted = parts(path);
  for (const [page, pattern] of Object.entries(table)) {
    const shape = parts(pattern);
    if (shape.length !== wanted.length) continue;
    const parameters: Record<string, string> = {};
    const fits = shape.every((piece, index) => {
      const given = decode(wanted[index] ?? '');
      if (given === undefined) return false;
      if (!piece.startsWith(':')) return piece === given;
      parameters[piece.slice(1)] = given;
      return true;
    });
    if (fits) return { page, parameters } as unknown as Match<Table>;
  }
  return undefined;
}

/** The address of a page. */
export function address<Pattern extends string>(pattern: Pattern, parameters: Parameters<Pattern>): string {
  const given = parameters as Record<string, string>;
  return `/${parts(pattern)
    .map((piece) => (piece.startsWith(':') ? encodeURIComponent(given[piece.slice(1)] ?? '') : piece))
    .join('/')}`;
}
