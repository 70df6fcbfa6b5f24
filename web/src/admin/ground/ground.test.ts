import { fireEvent, render, screen, waitFor, within } from '@testing-library/svelte';
import axe from 'axe-core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from '../../lib/api-problem';
import { setLocale } from '../../lib/i18n';
import { newQueryClient } from '../queries';
import { Filters } from './filters.svelte';
import { merge } from './merge';
import { direction, nextSort, type PageAsked } from './server-table';
import Stage from './Stage.test.svelte';
import { dismissAll, done, shown } from './undo.svelte';
import { SavedViews } from './views.svelte';

const PEOPLE = ['Anna', 'Berg', 'Cato', 'Dahl', 'Eli'].map((name, index) => ({ id: `p${index}`, name }));

/** A server that pages: a cursor is the place of the first row. */
const paging = (rows = PEOPLE) =>
  vi.fn(({ cursor = '0', limit, sort, text = '' }: PageAsked & { text?: string }) => {
    const found = rows.filter(({ name }) => name.toLowerCase().startsWith(text));
    const ordered = sort === '-name' ? found.toReversed() : found;
    const from = Number(cursor);
    const next = from + limit < ordered.length ? { next: String(from + limit) } : {};
    return Promise.resolve({ items: ordered.slice(from, from + limit), ...next });
  });

const stage = (more: { fetch?: ReturnType<typeof paging>; save?: (values: unknown) => Promise<unknown>; onbulk?: (ids: string[]) => void } = {}) => {
  const fetch = more.fetch ?? paging();
  render(Stage, { client: newQueryClient(), ...more, fetch } as never);
  return fetch;
};
const names = () => screen.getAllByRole('rowheader').map((cell) => cell.textContent?.trim());
const click = (name: string | RegExp, role = 'button') => fireEvent.click(screen.getByRole(role, { name }));

beforeEach(async () => {
  await setLocale('en');
  localStorage.clear();
  dismissAll();
  vi.stubGlobal('matchMedia', () => ({ matches: true, addEventListener: () => undefined, removeEventListener: () => undefined }));
  Element.prototype.scrollIntoView = () => undefined;
  for (const name of ['show', 'showModal'] as const) {
    HTMLDialogElement.prototype[name] = function (this: HTMLDialogElement) {
      this.open = true;
    };
  }
  HTMLDialogElement.prototype.close = function (this: HTMLDialogElement) {
    this.open = false;
    this.dispatchEvent(new Event('close'));
  };
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
  history.replaceState(null, '', '/');
});

describe('a list of the server', () => {
  it('shows one page, and turns to the next and back', async () => {
    const fetch = stage();
    await screen.findByText('Anna');
    expect(names()).toEqual(['Anna', 'Berg']);
    await click('Next');
    await screen.findByText('Cato');
    expect(names()).toEqual(['Cato', 'Dahl']);
    expect(screen.getByText('3–4')).toBeTruthy();
    await click('Next');
    await screen.findByText('Eli');
    expect((screen.getByRole('button', { name: 'Next' }) as HTMLButtonElement).disabled).toBe(true);
    await click('Previous');
    await screen.findByText('Dahl');
    expect(fetch.mock.calls.map(([asked]) => asked.cursor)).toEqual([undefined, '2', '4']);
  });

  it('is sorted by the server, from the first page on, and says so in the address', async () => {
    const fetch = stage();
    await screen.findByText('Anna');
    await click('Next');
    await screen.findByText('Cato');
    await click('Name');
    await screen.findByText('Eli');
    expect(names()).toEqual(['Eli', 'Dahl']);
    expect(fetch.mock.lastCall?.[0]).toEqual({ limit: 2, sort: '-name' });
    expect(screen.getByRole('columnheader', { name: 'Name' }).getAttribute('aria-sort')).toBe('descending');
    expect(location.search).toBe('?sort=-name');
  });

  it('keeps what is selected from page to page, until the list is another', async () => {
    const onbulk = vi.fn();
    stage({ onbulk });
    await screen.findByText('Anna');
    await click('Select all on this page', 'checkbox');
    await click('Next');
    await screen.findByText('Cato');
    await click('Select Cato', 'checkbox');
    expect(screen.getByText('3 selected')).toBeTruthy();
    await click('Export');
    expect(onbulk).toHaveBeenCalledWith(['p0', 'p1', 'p2']);
    await click('Select Dahl', 'checkbox');
    await fireEvent.input(screen.getByLabelText('Search'), { target: { value: 'e' } });
    await screen.findByText('Eli');
    expect(screen.queryByText('1 selected')).toBeNull();
  });

  it('is walked with j and k, and a row is selected with x and opened with the button that has the focus', async () => {
    stage();
    await screen.findByText('Anna');
    const heading = screen.getByRole('button', { name: 'Name' });
    heading.focus();
    await fireEvent.keyDown(heading, { key: 'j' });
    expect(document.activeElement?.textContent).toBe('Anna');
    await fireEvent.keyDown(document.activeElement!, { key: 'j' });
    expect(document.activeElement?.textContent).toBe('Berg');
    await fireEvent.keyDown(document.activeElement!, { key: 'x' });
    expect((screen.getByLabelText('Select Berg') as HTMLInputElement).checked).toBe(true);
    await fireEvent.keyDown(document.activeElement!, { key: 'k' });
    expect(document.activeElement?.textContent).toBe('Anna');
  });

  it('leaves the letters to the field that they are typed into', async () => {
    stage();
    await screen.findByText('Anna');
    const search = screen.getByLabelText('Search');
    search.focus();
    expect(await fireEvent.keyDown(search, { key: 'x' })).toBe(true);
    expect(screen.queryByText('1 selected')).toBeNull();
  });

  it('tells an empty list from one that is not this person’s and from one that failed', async () => {
    const fetch = vi.fn<() => Promise<never>>();
    fetch.mockRejectedValue(new ApiError({ code: 'forbidden', status: 403 }));
    stage({ fetch: fetch as never });
    expect(await screen.findByText('You do not have access to this')).toBeTruthy();
    fetch.mockRejectedValue(new ApiError({ code: 'malformed', status: 400 }));
    await fireEvent.input(screen.getByLabelText('Search'), { target: { value: 'a' } });
    expect(await screen.findByText('The list could not be fetched')).toBeTruthy();
    fetch.mockResolvedValue({ items: [] } as never);
    await click('Try again');
    expect(await screen.findByText('Nobody yet')).toBeTruthy();
  });

  it('has nothing that axe finds fault with', async () => {
    stage();
    await screen.findByText('Anna');
    await click('Select Anna', 'checkbox');
    await click('Anna');
    await screen.findByRole('dialog', { name: 'Anna' });
    const { violations } = await axe.run(document.body, { rules: { 'color-contrast': { enabled: false }, region: { enabled: false } } });
    expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
  });
});

describe('orders', () => {
  it('turn around on the second click', () => {
    expect([nextSort(undefined, 'name'), nextSort('name', 'name'), nextSort('-name', 'name'), nextSort('-name', 'unit')]).toEqual(['name', '-name', 'name', 'unit']);
    expect([direction('name', 'name'), direction('-name', 'name'), direction('-name', 'unit'), direction('name', undefined)]).toEqual(['ascending', 'descending', undefined, undefined]);
  });
});

describe('the peek', () => {
  it('takes the focus, and gives it back when it is closed with Escape', async () => {
    stage();
    await screen.findByText('Berg');
    screen.getByRole('button', { name: 'Berg' }).focus();
    await click('Berg');
    const peek = await screen.findByRole('dialog', { name: 'Berg' });
    await waitFor(() => expect(document.activeElement?.textContent).toBe('Berg'));
    expect(peek.contains(document.activeElement)).toBe(true);
    expect(names()).toEqual(['Anna', 'Berg']);
    await fireEvent.keyDown(document.activeElement!, { key: 'Escape' });
    expect(screen.queryByRole('dialog')).toBeNull();
    await waitFor(() => expect(document.activeElement).toBe(screen.getByRole('button', { name: 'Berg' })));
  });
});

describe('a form', () => {
  const wrong = new ApiError({ code: 'invalid', status: 422, fields: new Map([['email', 'too_long'], ['name', 'empty']]) });
  const submit = () => fireEvent.submit(document.querySelector('#person')!);

  it('knows what was changed', async () => {
    stage();
    expect(screen.getByText('as it was')).toBeTruthy();
    await fireEvent.input(screen.getByLabelText('E-mail'), { target: { value: 'k@example.org' } });
    expect(screen.getByText('changed email')).toBeTruthy();
  });

  it('says above it what is wrong, with the focus there, and leads to the field', async () => {
    stage({ save: () => Promise.reject(wrong) });
    await submit();
    const summary = await screen.findByRole('button', { name: 'Full name: Fill this in.' });
    await waitFor(() => expect(document.activeElement).toBe(summary.closest('[role=alert]')));
    expect(screen.getByLabelText('E-mail').getAttribute('aria-invalid')).toBe('true');
    await fireEvent.click(summary);
    expect(document.activeElement).toBe(screen.getByLabelText('Full name'));
  });

  it('says what is wrong when no field is to blame', async () => {
    stage({ save: () => Promise.reject(new ApiError({ code: 'offline', status: 0 })) });
    await submit();
    expect(await screen.findByText('There is no connection to Klinke.')).toBeTruthy();
  });

  it('that somebody else was first in asks only about what both changed', async () => {
    const save = vi.fn<(values: unknown) => Promise<unknown>>();
    save.mockRejectedValueOnce(new ApiError({ code: 'conflict', status: 409, current: { name: 'Kari Berg', email: 'theirs@example.org' } }));
    save.mockResolvedValueOnce({});
    stage({ save });
    await fireEvent.input(screen.getByLabelText('E-mail'), { target: { value: 'mine@example.org' } });
    await submit();
    const dialog = within(await screen.findByRole('dialog', { name: 'Somebody else changed this too' }));
    expect(dialog.getByText('Taken over from them: Full name')).toBeTruthy();
    expect(dialog.getAllByRole('radio')).toHaveLength(2);
    await fireEvent.click(dialog.getByRole('radio', { name: /mine@example.org/ }));
    await fireEvent.submit(document.querySelector('dialog form')!);
    await waitFor(() => expect(save).toHaveBeenCalledTimes(2));
    expect(save.mock.lastCall?.[0]).toEqual({ name: 'Kari Berg', email: 'mine@example.org' });
    expect(screen.queryByRole('dialog')).toBeNull();
  });
});

describe('merging', () => {
  const base = { name: 'a', email: 'b', phone: null as string | null };
  it('takes what only one changed, and asks about what both did', () => {
    expect(merge(base, { ...base, name: 'mine' }, { ...base, email: 'theirs' })).toEqual({
      merged: { name: 'mine', email: 'theirs', phone: null },
      clashes: [],
      taken: ['email'],
    });
    expect(merge(base, { ...base, name: 'mine' }, { ...base, name: 'theirs' }).clashes).toEqual([{ field: 'name', mine: 'mine', theirs: 'theirs' }]);
  });
  it('has nothing to ask where both wrote the same, and nothing to do with other fields', () => {
    expect(merge(base, { ...base, name: 'same' }, { ...base, name: 'same', version: 4 } as never)).toMatchObject({ clashes: [], taken: [], merged: { name: 'same' } });
  });
});

describe('undo', () => {
  it('takes back what was done, and says so', async () => {
    stage();
    const undo = vi.fn(() => Promise.resolve());
    done('Berg was suspended.', { undo });
    expect(await screen.findByText('Berg was suspended.')).toBeTruthy();
    await click('Undo');
    expect(undo).toHaveBeenCalledOnce();
    expect(await screen.findByText('It was undone.')).toBeTruthy();
    expect(screen.queryByRole('button', { name: 'Undo' })).toBeNull();
  });

  it('goes by itself, but not under the pointer', async () => {
    vi.useFakeTimers();
    stage();
    done('One.', { seconds: 2 });
    await vi.advanceTimersByTimeAsync(1_000);
    const toast = screen.getByText('One.').closest('.toasts')!;
    await fireEvent.pointerEnter(toast);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(screen.getByText('One.')).toBeTruthy();
    await fireEvent.pointerLeave(toast);
    await vi.advanceTimersByTimeAsync(1_500);
    expect(screen.queryByText('One.')).toBeNull();
  });

  it('stays and can be tried again when it failed', async () => {
    stage();
    const undo = vi.fn<() => Promise<void>>().mockRejectedValueOnce(new ApiError({ code: 'offline', status: 0 })).mockResolvedValueOnce();
    done('One.', { undo });
    await fireEvent.click(await screen.findByRole('button', { name: 'Undo' }));
    expect(await screen.findByText(/It could not be undone\..*no connection/)).toBeTruthy();
    await click('Undo');
    expect(await screen.findByText('It was undone.')).toBeTruthy();
  });

  it('is Ctrl Z, but not where text is typed', async () => {
    stage();
    const undo = vi.fn(() => Promise.resolve());
    done('One.', { undo });
    await fireEvent.keyDown(screen.getByLabelText('Search'), { key: 'z', ctrlKey: true });
    expect(undo).not.toHaveBeenCalled();
    await fireEvent.keyDown(document.body, { key: 'z', ctrlKey: true });
    expect(undo).toHaveBeenCalledOnce();
    expect(shown()).toHaveLength(1);
  });
});

describe('saved views', () => {
  it('hold what the address has, under a name', async () => {
    stage();
    await screen.findByText('Anna');
    await fireEvent.input(screen.getByLabelText('Search'), { target: { value: 'b' } });
    await screen.findByText('Berg');
    await click('Save this view');
    await fireEvent.input(screen.getByLabelText('Name of the view'), { target: { value: 'With B' } });
    await fireEvent.submit(screen.getByLabelText('Name of the view').closest('form')!);
    await click('All');
    await screen.findByText('Anna');
    expect(location.search).toBe('');
    await click('With B');
    await waitFor(() => expect(names()).toEqual(['Berg']));
    expect(location.search).toBe('?text=b');
    expect(new SavedViews('me', 'people').all).toEqual([{ name: 'With B', query: 'text=b' }]);
    expect(new SavedViews('another', 'people').all).toEqual([]);
  });

  it('begin anew where something else was stored', () => {
    localStorage.setItem('klinke.views.me.people', '{"name":1}');
    expect(new SavedViews('me', 'people').all).toEqual([]);
    localStorage.setItem('klinke.views.me.people', 'not json');
    expect(new SavedViews('me', 'people').all).toEqual([]);
  });
});

describe('filters', () => {
  it('read the address, and leave out what is as it starts', () => {
    history.replaceState(null, '', '/admin?text=b%20c&other=1');
    const filters = new Filters({ text: '', state: '', sort: 'name' });
    expect(filters.asked).toEqual({ text: 'b c', sort: 'name' });
    expect(filters.query).toBe('text=b+c');
    filters.set({ text: '', sort: '-name' });
    expect([location.search, filters.narrowed]).toEqual(['?sort=-name', false]);
    filters.set({ sort: 'name', state: 'active' });
    expect([location.search, filters.narrowed]).toEqual(['?state=active', true]);
    filters.clear();
    expect(location.pathname + location.search).toBe('/admin');
  });
});
