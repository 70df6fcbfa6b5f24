// Saved views of a list: a name for a set of filters, kept in this browser for this person.

export interface View {
  name: string;
  /** As `Filters.query` gives it. */
  query: string;
}

const MOST = 20;

const isView = (one: unknown): one is View =>
  typeof one === 'object' && one !== null && typeof (one as View).name === 'string' && typeof (one as View).query === 'string';

export class SavedViews {
  all = $state.raw<View[]>([]);
  #key: string;

  constructor(person: string, list: string) {
    this.#key = `klinke.views.${person}.${list}`;
    try {
      const stored: unknown = JSON.parse(localStorage.getItem(this.#key) ?? '[]');
      if (Array.isArray(stored)) this.all = stored.filter(isView);
    } catch {
      // Somebody wrote something else there: start without.
    }
  }

  /** A name that is taken is given to the new view. */
  save(name: string, query: string): void {
    const view = { name: name.trim(), query };
    if (view.name === '') return;
    this.#keep([...this.all.filter((one) => one.name !== view.name), view].slice(-MOST));
  }

  remove(name: string): void {
    this.#keep(this.all.filter((one) => one.name !== name));
  }

  #keep(views: View[]): void {
    this.all = views;
    localStorage.setItem(this.#key, JSON.stringify(views));
  }
}
