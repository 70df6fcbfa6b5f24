// What a list is narrowed to and sorted by, kept in the address: a page can be loaded again, sent to somebody, and
// saved as a view.
//
//   const filters = new Filters({ text: '', state: '', sort: 'name' });
//   onMount(() => filters.listen());
//   <input bind:value={() => filters.get('text'), (text) => filters.set({ text })} />
//   fetch: (page) => api.people({ ...filters.asked, ...page })

import { WENT } from '../../lib/router.svelte';

export class Filters<const Names extends Record<string, string>> {
  /** What a list starts with; these values are not written into the address. */
  readonly defaults: Names;
  #values = $state.raw<Record<string, string>>({});

  constructor(defaults: Names) {
    this.defaults = defaults;
    this.read(location.search);
  }

  /** Follows the address until the returned function is called. */
  listen(): () => void {
    const read = () => this.read(location.search);
    addEventListener('popstate', read);
    addEventListener(WENT, read);
    return () => {
      removeEventListener('popstate', read);
      removeEventListener(WENT, read);
    };
  }

  get(name: keyof Names & string): string {
    return this.#values[name] ?? this.defaults[name] ?? '';
  }

  /** All of them that are not empty: what the server is asked. */
  get asked(): Partial<Record<keyof Names & string, string>> {
    const names = Object.keys(this.defaults) as (keyof Names & string)[];
    return Object.fromEntries(names.map((name) => [name, this.get(name)] as const).filter(([, value]) => value !== '')) as Partial<
      Record<keyof Names & string, string>
    >;
  }

  /** As the address has it, without `?`; empty for the list as it starts. */
  get query(): string {
    const names = Object.keys(this.defaults).toSorted();
    return new URLSearchParams(
      names.filter((name) => this.get(name) !== this.defaults[name]).map((name) => [name, this.get(name)]),
    ).toString();
  }

  /** Whether anything but the order differs from the start. */
  get narrowed(): boolean {
    return Object.keys(this.defaults).some((name) => name !== 'sort' && this.get(name) !== this.defaults[name]);
  }

  /** Changes some of them. The address is replaced: typing in a search field is not a way to go back. */
  set(changes: Partial<Record<keyof Names & string, string>>): void {
    this.#values = { ...this.#values, ...(changes as Record<string, string>) };
    this.#write();
  }

  /** All of them at once, from a saved view's query. */
  use(query: string): void {
    this.read(query);
    this.#write();
  }

  clear(): void {
    this.use('');
  }

  private read(query: string): void {
    const given = new URLSearchParams(query);
    const found = Object.keys(this.defaults).flatMap((name) => {
      const value = given.get(name);
      return value === null ? [] : [[name, value] as const];
    });
    this.#values = Object.fromEntries(found);
  }

  #write(): void {
    const { query } = this;
    history.replaceState(history.state, '', location.pathname + (query && `?${query}`));
  }
}
