// The focus stays with its row. A browser takes it away from what is moved in the page, such as when an undo puts a row
// back to its place; here it is given back.
//
//   keepFocus(() => frame, () => rows);

const CONTROLS = 'a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled)';
const LINES = 'tbody tr, li';

/** `frame`: what the rows are in. `rows`: what they are drawn from. */
export function keepFocus(frame: () => HTMLElement | undefined, rows: () => unknown): void {
  let held: HTMLElement | undefined;
  let line = -1;
  // before the page is changed
  $effect.pre(() => {
    rows();
    const [at, list] = [document.activeElement, frame()];
    held = at instanceof HTMLElement && list?.contains(at) ? at : undefined;
    line = held ? [...(list?.querySelectorAll(LINES) ?? [])].findIndex((one) => one.contains(at)) : -1;
  });
  $effect(() => {
    rows();
    const [was, list] = [held, frame()];
    held = undefined;
    const now = document.activeElement;
    // what is switched off loses it too, only a moment later
    if (!was || (now === was && !was.matches(':disabled')) || !list) return;
    // whoever went on meanwhile is left alone
    if (now && now !== document.body && now !== was) return;
    const control = (of: Element | null | undefined) => of?.querySelector<HTMLElement>(`.open, ${CONTROLS}`);
    const lines = [...list.querySelectorAll(LINES)];
    const next = was.isConnected
      ? was.matches(':disabled') ? control(was.closest(LINES)) : was
      // its row is gone: where it was, there is another, or the list is at its end
      : control(lines[line] ?? lines.at(-1));
    next?.focus({ preventScroll: !was.isConnected });
  });
}
