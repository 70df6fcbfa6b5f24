import { fireEvent, render, screen, within } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Door } from '../api/http';
import { ApiError } from '../lib/api-problem';
import { setLocale } from '../lib/i18n';
import Admin from './Admin.svelte';
import Claim from './Claim.svelte';
import { whenOf, whereOf } from './alarms/words';
import { attention, unreachable } from './health';
import { freeOutput, pairCommand, pairingErrors } from './pairing';

beforeEach(() => setLocale('en'));
afterEach(() => {
  vi.unstubAllGlobals();
  history.replaceState(null, '', '/');
});

describe('what needs attention', () => {
  const door = (more: Partial<Door>): Door => ({
    id: 'd',
    name: 'Garage',
    controller: 'c',
    output: 0,
    kind: 'door',
    times: { release_ms: 5_000, open_ms: 30_000, relock: 'on_close' },
    state: { mode: 'locked', position: 'closed', alarm: 'normal' },
    ...more,
  });
  const nothing = { panels: [], controllers: [], doors: [], unreachable: 0 };

  it('is nothing where all is well', () => {
    expect(attention({ ...nothing, doors: [door({})] })).toEqual([]);
  });

  it('is a household that no device of rings, by number and without a name', () => {
    const counts = ([['rung', 4], ['empty', 8], ['suspended', 1], ['no_device', 1], ['no_button', 16]] as const).map(([state, homes]) => ({ state, homes }));
    expect(attention({ ...nothing, unreachable: unreachable(counts) })).toEqual([
      { what: 'units_unreachable', section: 'units', name: '', count: 2 },
    ]);
  });

  it('counts alarms instead of naming the doors that they are at', () => {
    const forced = door({ state: { mode: 'locked', position: 'open', alarm: 'door_forced_open' } });
    const found = attention({ ...nothing, doors: [forced], alarms: { standing: 2, unseen: 1 } });
    expect(found.map(({ what, count }) => [what, count])).toEqual([['alarms_standing', 2], ['alarms_unseen', 1]]);
    expect(attention({ ...nothing, alarms: { standing: 0, unseen: 0 } })).toEqual([]);
  });

  it('is a door in alarm before a panel that is offline', () => {
    const found = attention({
      ...nothing,
      doors: [door({ state: { mode: 'locked', position: 'open', alarm: 'door_forced_open' } }), door({ controller: null })],
      panels: [{ id: 'p', name: 'A', doors: [], online: false, paired: true, door_station: false }],
      controllers: [{ id: 'c', name: 'Basement', online: false, alone_too_long: false }],
    });
    expect(found.map(({ what }) => what)).toEqual(['door_alarm', 'controller_offline', 'panel_offline', 'door_without_controller']);
  });
});

describe('pairing', () => {
  it('gives the command with the address and the authority', () => {
    expect(pairCommand({ address: 'home:7443', authority_sha256: 'AB:CD' })).toBe(
      'klinke-door pair --server home:7443 --authority-sha256 AB:CD --state /var/lib/klinke-door',
    );
  });

  it('gives a new door the lowest output that is free', () => {
    expect([freeOutput([]), freeOutput([0, 1, 3]), freeOutput([1])]).toEqual([0, 2, 0]);
  });

  it('puts an unknown code at the code, and the rest where it belongs', () => {
    expect(pairingErrors(new ApiError({ code: 'unknown_code', status: 404 }))).toMatchObject({ fields: { code: expect.stringContaining('No device') }, words: undefined });
    const fields = new Map([['doors/1/output', 'out_of_range']]);
    expect(pairingErrors(new ApiError({ code: 'invalid', status: 422, fields })).fields).toEqual({ 'doors/1/output': 'This is outside what is possible.' });
    expect(pairingErrors(new ApiError({ code: 'offline', status: 0 })).words).toBe('There is no connection to Klinke.');
  });
});

describe('the first claim', () => {
  const form = () => document.querySelector('form')!;

  it('says how long the password is, by its length', async () => {
    render(Claim, { onclaimed: () => undefined, onalready: () => undefined });
    const password = screen.getByLabelText('Password');
    await fireEvent.input(password, { target: { value: 'short' } });
    expect(screen.getByText('Too short still')).toBeTruthy();
    await fireEvent.input(password, { target: { value: 'twelve-chars' } });
    expect(screen.getByText('Long enough. Longer is better.')).toBeTruthy();
    await fireEvent.input(password, { target: { value: 'sixteen-chars-ok' } });
    expect(screen.getByText('Good length')).toBeTruthy();
  });

  it('marks each field that is wrong, and goes to the first', async () => {
    const body = { status: 422, code: 'invalid', title: '', errors: [{ pointer: '/password', code: 'holds_user_name' }, { pointer: '/name', code: 'empty' }] };
    vi.stubGlobal('fetch', () => Promise.resolve(Response.json(body, { status: 422 })));
    render(Claim, { onclaimed: () => undefined, onalready: () => undefined });
    await fireEvent.submit(form());
    expect(await screen.findByText('The password must not hold the user name.')).toBeTruthy();
    expect(screen.getByLabelText('Your name').getAttribute('aria-invalid')).toBe('true');
    await vi.waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText('Your name')));
  });

  it('puts a wrong code at the code, and gives way to whoever was first', async () => {
    const onalready = vi.fn();
    const fetch = vi.fn(() => Promise.resolve(Response.json({ status: 403, code: 'wrong_code', title: '' }, { status: 403 })));
    vi.stubGlobal('fetch', fetch);
    render(Claim, { onclaimed: () => undefined, onalready });
    await fireEvent.submit(form());
    expect(await screen.findByText('This is not the set-up code.')).toBeTruthy();
    expect(screen.getByLabelText('Set-up code').getAttribute('aria-invalid')).toBe('true');
    fetch.mockResolvedValue(Response.json({ status: 410, code: 'already_claimed', title: '' }, { status: 410 }));
    await fireEvent.submit(form());
    await vi.waitFor(() => expect(onalready).toHaveBeenCalledOnce());
  });
});

describe('a building', () => {
  /** A server with one building; `answers` overrides what a path gives. */
  function server(answers: Record<string, () => Response> = {}) {
    const lists: Record<string, unknown> = {
      '/setup': { claimed: true },
      '/session': { person: { id: 'p', name: 'Anna' }, device: { id: 'd', name: 'x', kind: 'app' }, roles: [{ role: 'manager', rights: ['see_building', 'see_people', 'change_people', 'change_building', 'devices', 'roles', 'audit'] }], confidentiality_required: false },
      '/buildings': [{ id: 'b', name: 'Storgata 12', address: 'Storgata 12', kind: 'residential', time_zone: 'Europe/Oslo' }],
      '/buildings/b/entrances': [{ id: 'e', name: 'A', units: 0 }],
      '/buildings/b/panels': [
        { id: 'p10', name: 'Panel 10', entrance: 'e', doors: ['d'], online: true, paired: true },
        { id: 'p2', name: 'Panel 2', doors: [], online: false, paired: true },
      ],
      '/buildings/b/doors': [],
    };
    vi.stubGlobal('fetch', (request: Request) => {
      const path = new URL(request.url).pathname.replace('/api/v1', '');
      const key = request.method === 'GET' ? path : `${request.method} ${path}`;
      const list = lists[key];
      return Promise.resolve(answers[key]?.() ?? (list ? Response.json(list) : Response.json({ status: 404, code: 'not_found', title: '' }, { status: 404 })));
    });
    return lists;
  }
  const names = () => screen.getAllByRole('rowheader').map((cell) => cell.textContent?.trim());
  const open = async (path: string) => {
    history.replaceState(null, '', path);
    vi.stubGlobal('scrollTo', () => undefined);
    HTMLDialogElement.prototype.showModal ??= function (this: HTMLDialogElement) {
      this.open = true;
    };
    HTMLDialogElement.prototype.close ??= function (this: HTMLDialogElement) {
      this.open = false;
      this.dispatchEvent(new Event('close'));
    };
    render(Admin);
  };

  it('lists its panels, sorted as people count', async () => {
    server();
    await open('/admin/buildings/b/panels');
    await screen.findByText('Panel 10');
    expect(names()).toEqual(['Panel 10', 'Panel 2']);
    await fireEvent.click(screen.getByRole('button', { name: 'Name' }));
    expect(names()).toEqual(['Panel 2', 'Panel 10']);
    await fireEvent.click(screen.getByRole('button', { name: 'Name' }));
    expect(names()).toEqual(['Panel 10', 'Panel 2']);
    expect(screen.getByRole('columnheader', { name: 'Name' }).getAttribute('aria-sort')).toBe('descending');
    expect(within(screen.getByRole('row', { name: /Panel 2/ })).getByText('Offline')).toBeTruthy();
  });

  it('shows a panel that was added, without loading the page again', async () => {
    const lists = server({
      'POST /buildings/b/panels': () => {
        const made = { id: 'new', name: 'Yard', doors: [], online: true, paired: true };
        (lists['/buildings/b/panels'] as unknown[]).push(made);
        return Response.json(made, { status: 201 });
      },
    });
    await open('/admin/buildings/b/panels');
    await screen.findByText('Panel 10');
    await fireEvent.click(screen.getByRole('button', { name: 'Add a panel' }));
    const dialog = within(screen.getByRole('dialog'));
    await fireEvent.input(dialog.getByLabelText('Code'), { target: { value: '4071 9936' } });
    await fireEvent.input(dialog.getByLabelText('Name'), { target: { value: 'Yard' } });
    await fireEvent.submit(document.querySelector('dialog form')!);
    expect(await screen.findByText('Yard was added.')).toBeTruthy();
    expect(names().some((name) => name?.startsWith('Yard'))).toBe(true);
    expect(screen.queryByRole('dialog')).toBeNull();
  });

  it('tells what is not this person’s from what failed', async () => {
    server({
      '/buildings/b/panels': () => Response.json({ status: 403, code: 'forbidden', title: '' }, { status: 403 }),
      '/buildings/b/doors': () => Response.json({ status: 400, code: 'malformed', title: '' }, { status: 400 }),
    });
    await open('/admin/buildings/b/panels');
    expect(await screen.findByText('You do not have access to this')).toBeTruthy();
    await fireEvent.click(screen.getByRole('link', { name: 'Doors' }));
    expect(await screen.findByText('The list could not be fetched')).toBeTruthy();
    expect(screen.getByRole('button', { name: 'Try again' })).toBeTruthy();
  });

  it('says that a list is empty, and how to begin', async () => {
    server({ '/buildings/b/panels': () => Response.json([]) });
    await open('/admin/buildings/b/panels');
    expect(await screen.findByText('No panels yet')).toBeTruthy();
    expect(screen.getAllByRole('button', { name: 'Add a panel' })).toHaveLength(1);
  });

  it('asks to sign in when the session ended elsewhere', async () => {
    let signedIn = true;
    server({ '/buildings/b/doors': () => (signedIn ? Response.json([]) : Response.json({ status: 401, code: 'not_signed_in', title: '' }, { status: 401 })) });
    await open('/admin/buildings/b/panels');
    await screen.findByText('Panel 10');
    signedIn = false;
    expect(await screen.findByText('This device was signed out.', {}, { timeout: 4_000 })).toBeTruthy();
  });
});

describe('an alarm in words', () => {
  const controller = { id: 'c', name: 'Basement' };
  const began = { at: 1_795_262_400_000, about: false };

  it('says the door and the reader, or the controller and its input, and a lock by its door', () => {
    const door = { id: 'd', name: 'Front' };
    expect(whereOf({ kind: 'reader_offline', door, controller, part: 2 })).toBe('Front, Reader 2');
    expect(whereOf({ kind: 'mains', controller, part: 3 })).toBe('Basement, Input 3');
    expect(whereOf({ kind: 'output_fault', door, controller, part: 0 })).toBe('Front');
    expect(whereOf({ kind: 'card_at_two_doors', controller })).toBe('Basement');
  });

  it('says since when while it stands, and that a clock was not believed', () => {
    expect(whenOf({ began })).toMatch(/^since /);
    expect(whenOf({ began: { ...began, about: true }, ended: { at: began.at + 3_600_000, about: false } })).toMatch(/^about .+ – /);
    expect(whenOf({ began, ended: began })).not.toContain('–');
  });
});
