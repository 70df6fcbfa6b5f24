// The browser's history as a rune: links are plain `<a href>`; clicks on those of the same page set are taken here.

import { match, type Match } from './router';

/** Said by the window after the page went to another address by itself. */
export const WENT = 'klinke-went';

export class Router<const Table extends Record<string, string>> {
  readonly table: Table;
  current = $state<Match<Table>>();

  constructor(table: Table) {
    this.table = table;
    this.current = match(table, location.pathname);
  }

  /** Follows the history until the returned function is called. */
  listen(): () => void {
    const read = () => (this.current = match(this.table, location.pathname));
    const click = (event: MouseEvent) => {
      if (event.defaultPrevented || event.button !== 0) return;
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
      const link = (event.target as Element | null)?.closest('a');
      if (!link || link.origin !== location.origin || link.target || link.hasAttribute('download')) return;
      if (!match(this.table, link.pathname)) return;
      event.preventDefault();
      this.go(link.pathname + link.search);
    };
    addEventListener('popstate', read);
    document.addEventListener('click', click);
    return () => {
      removeEventListener('popstate', read);
      document.removeEventListener('click', click);
    };
  }

  /** Goes to an address, with its query if it has one. */
  go(to: string, how: 'push' | 'replace' = 'push'): void {
    if (to !== location.pathname + location.search) {
      if (how === 'push') history.pushState(null, '', to);
      else history.replaceState(null, '', to);
    }
    this.current = match(this.table, to.split('?')[0] ?? to);
    // Who reads the query (`Filters`) hears of it, though the page may be the same.
    dispatchEvent(new Event(WENT));
  }
}
