import { fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import axe from 'axe-core';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { setLocale } from '../../lib/i18n';
import Palette from './Palette.svelte';
import { afterVerb, rank, type Entry, type Kind, type Provider } from './palette';

const entry = (kind: Kind, title: string, more: Partial<Entry> = {}): Entry => ({ id: title, kind, title, go: `/${title}`, ...more });
const titles = (entries: Entry[], text: string) => rank(entries, text).flatMap((group) => group.entries.map(({ title }) => title));

describe('what is found', () => {
  const all = [entry('person', 'Øystein Berg', { more: '2104' }), entry('person', 'Bo Ås'), entry('unit', '2104', { more: 'A' }), entry('section', 'Bells', { first: true })];

  it('has every word that was typed begin a word, however it is spelt', () => {
    expect(titles(all, 'oyst')).toEqual(['Øystein Berg']);
    expect(titles(all, 'BERG 21')).toEqual(['Øystein Berg']);
    expect(titles(all, 'as')).toEqual(['Bo Ås']);
    expect(titles(all, 'erg')).toEqual([]);
  });

  it('comes by the title before what stands beside it', () => {
    expect(titles(all, '2104')).toEqual(['2104', 'Øystein Berg']);
  });

  it('begins with who has it as first name or whole word', () => {
    expect(titles([entry('person', 'Anna Berg'), entry('person', 'Berg, Cato'), entry('person', 'Bergljot')], 'berg')).toEqual(['Berg, Cato', 'Anna Berg', 'Bergljot']);
  });

  it('is only the pages before anything is typed', () => {
    expect(titles([...all, entry('section', 'Alarms', { first: true })], ' ')).toEqual(['Bells', 'Alarms']);
  });

  it('is gathered by kind, eight of each at most', () => {
    const many = Array.from({ length: 20 }, (_, index) => entry('unit', `2${index}`));
    const groups = rank([...many, entry('door', '2 North')], '2');
    expect(groups.map(({ kind, entries }) => [kind, entries.length])).toEqual([['door', 1], ['unit', 8]]);
    expect(groups[1]?.entries[0]?.title).toBe('20');
  });
});

it('a verb may be cut short', () => {
  expect(afterVerb('mov out berg', 'Move out')).toBe('berg');
  expect(afterVerb('Move out', 'Move out')).toBe('');
  expect(afterVerb('moving', 'Move out')).toBeUndefined();
  expect(afterVerb('flytt ut Åse Berg', 'Flytt ut')).toBe('Åse Berg');
});

describe('the palette', () => {
  beforeEach(async () => {
    await setLocale('en');
    Element.prototype.scrollIntoView = () => undefined;
    HTMLDialogElement.prototype.showModal = function (this: HTMLDialogElement) {
      this.open = true;
    };
    HTMLDialogElement.prototype.close = function (this: HTMLDialogElement) {
      this.open = false;
      this.dispatchEvent(new Event('close'));
    };
  });
  const local: Provider = { find: () => [entry('section', 'Doors', { first: true }), entry('section', 'Panels', { first: true })] };
  const start = async (providers: Provider[] = [local]) => {
    const go = vi.fn();
    render(Palette, { providers, building: 'b', go });
    await fireEvent.keyDown(document.body, { key: 'k', ctrlKey: true });
    const field = screen.getByRole('combobox');
    await waitFor(() => expect(field.getAttribute('aria-expanded')).toBe('true')).catch(() => undefined);
    const type = (value: string) => fireEvent.input(field, { target: { value } });
    return { go, field, type };
  };
  const chosen = (field: HTMLElement) => document.getElementById(field.getAttribute('aria-activedescendant') ?? '')?.textContent?.trim();

  it('opens with the keys and with the mouse, and Enter goes to the first', async () => {
    const { go, field, type } = await start();
    expect(document.activeElement).toBe(field);
    await type('pan');
    await waitFor(() => expect(chosen(field)).toBe('Panels'));
    await fireEvent.keyDown(field, { key: 'Enter' });
    await waitFor(() => expect(go).toHaveBeenCalledWith('/Panels'));
    expect((document.querySelector('dialog') as HTMLDialogElement).open).toBe(false);
    await fireEvent.click(screen.getByRole('button', { name: /Search/ }));
    expect((document.querySelector('dialog') as HTMLDialogElement).open).toBe(true);
    expect((field as HTMLInputElement).value).toBe('');
  });

  it('is walked with the arrows, around the ends', async () => {
    const { field } = await start();
    await waitFor(() => expect(chosen(field)).toBe('Doors'));
    await fireEvent.keyDown(field, { key: 'ArrowUp' });
    expect(chosen(field)).toBe('Panels');
    await fireEvent.keyDown(field, { key: 'ArrowDown' });
    expect(chosen(field)).toBe('Doors');
    expect(screen.getByRole('option', { selected: true }).textContent).toContain('Doors');
  });

  it('waits for the server when Enter was faster, and takes the best of all', async () => {
    let answer: ((entries: Entry[]) => void) | undefined;
    const remote: Provider = { remote: true, find: () => new Promise((done) => (answer = done)) };
    const { go, field, type } = await start([local, remote]);
    await type('d');
    await fireEvent.keyDown(field, { key: 'Enter' });
    expect(go).not.toHaveBeenCalled();
    await waitFor(() => expect(answer).toBeDefined());
    answer?.([entry('person', 'D')]);
    await waitFor(() => expect(go).toHaveBeenCalledWith('/D'));
  });

  it('forgets an answer to what is no longer typed', async () => {
    const answers: ((entries: Entry[]) => void)[] = [];
    const slow: Provider = { find: ({ text }) => (text === '' ? [] : new Promise((done) => answers.push(done))) };
    const { type } = await start([slow]);
    await type('b');
    await type('be');
    await waitFor(() => expect(answers).toHaveLength(2));
    answers[1]?.([entry('person', 'Berg')]);
    await screen.findByText('Berg');
    answers[0]?.([entry('person', 'Berit')]);
    await Promise.resolve();
    expect(screen.queryByText('Berit')).toBeNull();
  });

  it('goes on when one provider fails, and says when nothing was found', async () => {
    const { type } = await start([local, { find: () => Promise.reject(new Error('x')) }]);
    await screen.findByText('Doors');
    await type('zzz');
    expect(await screen.findByText('Nothing was found')).toBeTruthy();
  });

  it('has nothing that axe finds fault with', async () => {
    await start();
    const { violations } = await axe.run(document.body, { rules: { 'color-contrast': { enabled: false }, region: { enabled: false } } });
    expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
  });
});
