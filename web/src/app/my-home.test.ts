import { fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { beforeEach, afterEach, describe, expect, it, vi } from 'vitest';
import type { MyBell, MyHome } from '../api/http';
import { setLocale } from '../lib/i18n';
import BellCard from './BellCard.svelte';
import HomeMembers from './HomeMembers.svelte';
import { clock, minuteOf, newRow, rowsOf } from './hours';

const BELL: MyBell = {
  id: 'b1',
  version: 3,
  building: 'Storgata 12',
  panel: 'Entrance A',
  unit: 'u1',
  number: 'H0201',
  entrance: 'A',
  label: 'Nguyen',
  kind: 'parallel',
  members: ['Linh', 'Anh'],
  hidden: false,
  hours: { hours_are: 'hidden', rows: [] },
  hours_hide: false,
  removed: false,
  may: { text: true, text_waits: false, picture: false, picture_waits: false, hide: true, kinds: ['family', 'parallel'], owner: true },
};

/** What the server was asked, and what it answers. */
function server(status: number, body: unknown) {
  const asked: { method: string; path: string; body: unknown }[] = [];
  vi.stubGlobal('fetch', async (request: Request) => {
    const text = await request.text();
    asked.push({ method: request.method, path: new URL(request.url).pathname, body: text && JSON.parse(text) });
    const type = status < 400 ? 'application/json' : 'application/problem+json';
    return new Response(body === undefined ? null : JSON.stringify(body), { status, headers: { 'content-type': type } });
  });
  return asked;
}

beforeEach(() => setLocale('en'));
afterEach(() => vi.unstubAllGlobals());

describe('a button of one’s own', () => {
  it('shows the text on the panel while it is typed, and sends it with the version that was seen', async () => {
    const asked = server(200, { ...BELL, version: 4, label: 'Nguyen & Co' });
    const onchanged = vi.fn();
    render(BellCard, { bell: BELL, online: true, onchanged });
    await fireEvent.input(screen.getByLabelText('Text on the button'), { target: { value: 'Nguyen & Co' } });
    expect(document.querySelector('.panel')?.textContent).toContain('Nguyen & Co');
    expect(asked).toEqual([]);
    await fireEvent.click(screen.getByRole('button', { name: 'Save the text' }));
    await screen.findByText(/Saved/);
    expect(asked).toEqual([{ method: 'PATCH', path: '/api/v1/me/bells/b1', body: { version: 3, label: 'Nguyen & Co', alias: '' } }]);
    expect(onchanged).toHaveBeenCalledWith(expect.objectContaining({ version: 4 }));
  });

  it('says that somebody else was faster, and shows what is there now', async () => {
    const current = { ...BELL, version: 9, label: 'Anh Nguyen' };
    server(409, { code: 'conflict', title: 'Conflict', status: 409, current });
    const onchanged = vi.fn();
    render(BellCard, { bell: BELL, online: true, onchanged });
    await fireEvent.click(screen.getByRole('button', { name: 'Hide now' }));
    await screen.findByText(/changed this button meanwhile/);
    expect(onchanged).toHaveBeenCalledWith(current);
  });

  it('is locked where somebody else decides', () => {
    const may = { text: false, text_waits: false, picture: false, picture_waits: false, hide: false, kinds: [], owner: false };
    render(BellCard, { bell: { ...BELL, may }, online: true, onchanged: vi.fn() });
    expect(screen.queryByRole('textbox')).toBeNull();
    expect(screen.queryByRole('combobox')).toBeNull();
    expect(screen.queryByRole('button', { name: 'Hide now' })).toBeNull();
    expect(screen.getAllByText('Your administrator decides this.')).toHaveLength(2);
    expect(screen.getByText('Whoever decides for your home chooses this.')).toBeTruthy();
  });

  it('can be shown again by who may no longer hide', () => {
    const may = { ...BELL.may, hide: false };
    render(BellCard, { bell: { ...BELL, hidden: true, may }, online: true, onchanged: vi.fn() });
    expect(screen.getByRole('button', { name: 'Show again' })).toBeTruthy();
    expect(document.querySelector('.panel.off')).not.toBeNull();
  });

  it('takes no taps without a connection', () => {
    render(BellCard, { bell: BELL, online: false, onchanged: vi.fn() });
    expect((screen.getByRole('button', { name: 'Hide now' }) as HTMLButtonElement).disabled).toBe(true);
  });

  it('sends hours over midnight, and midnight itself as the end of the day', async () => {
    const asked = server(200, BELL);
    render(BellCard, { bell: BELL, online: true, onchanged: vi.fn() });
    await fireEvent.click(screen.getByRole('button', { name: 'Add hours' }));
    expect(screen.getByText('Ends on the next day.')).toBeTruthy();
    await fireEvent.input(screen.getByLabelText('To'), { target: { value: '00:00' } });
    await fireEvent.click(screen.getByRole('checkbox', { name: 'Sunday' }));
    await fireEvent.click(screen.getByRole('button', { name: 'Save the hours' }));
    await waitFor(() => expect(asked).toHaveLength(1));
    const rows = [{ days: [0, 1, 2, 3, 4, 5], from: 1_320, until: 1_440 }];
    expect(asked[0]?.body).toEqual({ version: 3, hours: { hours_are: 'hidden', rows } });
  });
});

describe('hours in a form', () => {
  it('are what they were in the timetable', () => {
    const rows = rowsOf({ hours_are: 'shown', rows: [{ days: [6], from: 0, until: 1_440 }] });
    expect(rows).toEqual([{ key: 0, days: [6], from: '00:00', until: '00:00' }]);
    expect([clock(605), minuteOf('10:05'), minuteOf('')]).toEqual(['10:05', 605, 0]);
    expect(newRow(rows).key).toBe(1);
    expect(newRow([]).key).toBe(0);
  });
});

describe('a household', () => {
  const HOME: MyHome = {
    unit: 'u1',
    number: 'H0201',
    building: 'Storgata 12',
    owner: true,
    may_add: true,
    add_is_administrators: false,
    may_give_buttons: true,
    members: [
      { person: 'p1', name: 'Linh', you: true, owner: true, way_in: 'account', own_button: false, may_take_out: false, may_invite: false },
      { person: 'p2', name: 'Minh', you: false, owner: false, way_in: 'invited', own_button: false, may_take_out: true, may_invite: true },
    ],
  };

  it('asks before somebody is removed', async () => {
    HTMLDialogElement.prototype.showModal ??= function (this: HTMLDialogElement) { this.open = true; };
    HTMLDialogElement.prototype.close ??= function (this: HTMLDialogElement) { this.open = false; };
    const asked = server(204, undefined);
    const onchanged = vi.fn(() => Promise.resolve());
    render(HomeMembers, { home: HOME, online: true, onchanged });
    await fireEvent.click(screen.getByRole('button', { name: 'Remove Minh' }));
    expect(asked).toEqual([]);
    await fireEvent.click(screen.getByRole('button', { name: 'Remove' }));
    await screen.findByText('Minh no longer lives here.');
    expect(asked).toEqual([{ method: 'DELETE', path: '/api/v1/me/household/u1/members/p2', body: '' }]);
    expect(onchanged).toHaveBeenCalledOnce();
  });

  it('says who decides where one does not', () => {
    render(HomeMembers, { home: { ...HOME, owner: false, may_add: false }, online: true, onchanged: vi.fn() });
    expect(screen.queryByRole('button', { name: 'Invite a member' })).toBeNull();
    expect(screen.getByText(/Whoever decides for the home invites/)).toBeTruthy();
    expect(screen.queryByRole('button', { name: 'Remove Minh' })).toBeNull();
  });
});
