// Which columns of a list somebody wants to see, kept in their browser.

/** Where the browser lets no page keep anything, the choice lives as long as the page. */
function read(key: string): string[] | undefined {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(key) ?? 'null');
    return Array.isArray(found) ? found.filter((one) => typeof one === 'string') : undefined;
  } catch {
    return undefined;
  }
}

export class ChosenColumns {
  #key: string;
  #chosen = $state.raw<string[]>([]);

  /** `first`: those that are shown until somebody chooses. */
  constructor(person: string, list: string, first: readonly string[]) {
    this.#key = `klinke.columns.${person}.${list}`;
    this.#chosen = read(this.#key) ?? [...first];
  }

  has = (column: string): boolean => this.#chosen.includes(column);

  toggle(column: string): void {
    this.#chosen = this.has(column) ? this.#chosen.filter((one) => one !== column) : [...this.#chosen, column];
    try {
      localStorage.setItem(this.#key, JSON.stringify(this.#chosen));
    } catch {
      // it holds for this page
    }
  }
}
