// Looking with the eyes of a role: kept for this tab, sent with every request. The server narrows what it answers.

export interface View {
  role: string;
  building: string;
  /** The building's name, for the banner. */
  name: string;
}

const KEY = 'klinke-view-as';
let changed = (_to: View | undefined): void => undefined;

function stored(): View | undefined {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? 'null');
    return kept && typeof kept === 'object' ? (kept as View) : undefined;
  } catch {
    return undefined;
  }
}
let current = location.pathname.startsWith('/admin') ? stored() : undefined;

function set(view: View | undefined): void {
  current = view;
  try {
    if (view) sessionStorage.setItem(KEY, JSON.stringify(view));
    else sessionStorage.removeItem(KEY);
  } catch {
    // without storage it lasts until the page is loaded again
  }
  changed(view);
}

export const viewAs = {
  get current() {
    return current;
  },
  /** The header of every request while one looks. */
  get header(): string | undefined {
    return current && `${current.role}@${current.building}`;
  },
  start: (view: View) => set(view),
  stop: () => {
    if (current) set(undefined);
  },
  onchange(listener: (to: View | undefined) => void) {
    changed = listener;
  }
};
