import { fireEvent, render, screen, waitFor, within } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { UseRecord, KeptRecords, RecordsPolicy } from '../../api/http';
import { setLocale } from '../../lib/i18n';
import Admin from '../Admin.svelte';
import '../Audit.svelte';
import { sectionsOf } from '../routes';
// what the pages load when they are opened, before the first waits for it
import './Records.svelte';
import { about, outcomeOf, whoOf, whenOf } from './words';

const AT = Date.parse('2026-11-22T12:00:00Z');
const OFF: RecordsPolicy = { may_keep: true, needs_second: false, earliest: AT, version: 1 };
const KEPT: KeptRecords = { purpose: 'Thefts from the storeroom', days: 14, told_on: '2026-11-20', begins_at: AT, asked_by: 'Anna', state: 'on' };
const RECORD: UseRecord = { id: 'r1', at: AT, about: false, door: { id: 'd', name: 'Storeroom' }, who: { kind: 'person', id: 'p1', name: 'Berg' }, outcome: 'opened', reason: null };
const RIGHTS = ['see_building', 'see_people', 'change_building', 'audit', 'read_records'];

/** A server with a workplace, and what it was asked about its records. */
function server(answers: Record<string, unknown>, { kind = 'commercial', rights = RIGHTS } = {}) {
  const asked: { what: string; query: Record<string, string>; body: unknown }[] = [];
  const lists: Record<string, unknown> = {
    'GET /setup': { claimed: true },
    'GET /session': { person: { id: 'me', name: 'Anna' }, device: { id: 'd', name: 'x', kind: 'app' }, roles: [{ role: 'manager', rights }], confidentiality_required: false },
    'GET /buildings': [{ id: 'b', name: 'Storgata 12', address: 'Storgata 12', kind, time_zone: 'Europe/Oslo' }],
    'GET /buildings/b/doors': [{ id: 'd', name: 'Storeroom', controller: 'c', output: 0, kind: 'door', times: {} }],
    ...answers,
  };
  vi.stubGlobal('fetch', async (request: Request) => {
    const { pathname, searchParams } = new URL(request.url);
    const what = `${request.method} ${pathname.replace('/api/v1', '')}`;
    const text = request.method === 'GET' ? '' : await request.text();
    if (what.includes('records')) asked.push({ what, query: Object.fromEntries(searchParams), body: text && JSON.parse(text) });
    const found = lists[what];
    if (found === undefined) return Response.json({ status: 404, code: 'not_found', title: '' }, { status: 404 });
    const given = typeof found === 'function' ? (found as () => unknown)() : found;
    if (given instanceof Response) return given;
    return typeof given === 'string' ? new Response(given, { headers: { 'content-type': 'text/csv' } }) : Response.json(given);
  });
  return { asked, lists, reads: () => asked.filter(({ what }) => what === 'GET /buildings/b/records') };
}

async function open(path = '/admin/buildings/b/records') {
  history.replaceState(null, '', path);
  render(Admin);
  await screen.findByRole('navigation', { name: 'Storgata 12' });
}
const click = async (name: string) => fireEvent.click(await screen.findByRole('button', { name }));
const type = async (label: string, value: string) => fireEvent.input(await screen.findByLabelText(label), { target: { value } });

beforeEach(() => {
  setLocale('en');
  vi.stubGlobal('scrollTo', () => undefined);
  HTMLDialogElement.prototype.showModal = function (this: HTMLDialogElement) {
    this.open = true;
  };
  HTMLDialogElement.prototype.close = function (this: HTMLDialogElement) {
    this.open = false;
    this.dispatchEvent(new Event('close'));
  };
});
afterEach(() => {
  vi.unstubAllGlobals();
  history.replaceState(null, '', '/');
});

describe('records of use', () => {
  it('are in the menu of a workplace only, and only for who may read or keep them', () => {
    const session = (rights: string[]) => ({ roles: [{ rights }] }) as unknown as Parameters<typeof sectionsOf>[0];
    const listed = (kind: 'residential' | 'commercial' | 'mixed' | undefined, rights: string[]) => sectionsOf(session(rights), 'b', kind).includes('records');
    expect(listed('commercial', ['read_records'])).toBe(true);
    expect(listed('commercial', ['change_building'])).toBe(true);
    expect(listed('commercial', ['see_people', 'devices'])).toBe(false);
    for (const kind of ['residential', 'mixed', undefined] as const) expect(listed(kind, RIGHTS), kind).toBe(false);
  });

  it('are not there where people live, and the page and the changes say why in one sentence', async () => {
    server({ 'GET /buildings/b/records/policy': { ...OFF, may_keep: false } }, { kind: 'residential' });
    await open();
    await screen.findByText(/^Somebody lives here: who uses which door is never recorded/);
    expect(screen.queryByRole('link', { name: 'Records of use' })).toBeNull();
    expect(screen.queryByRole('button', { name: 'Keep records …' })).toBeNull();
    await fireEvent.click(screen.getByRole('link', { name: 'Changes' }));
    await screen.findByText(/^Somebody lives here/);
  });

  it('are off, say what they would cost, and are asked for with purpose, days and the day', async () => {
    const { asked } = server({ 'GET /buildings/b/records/policy': OFF, 'PUT /buildings/b/records/policy': { ...OFF, kept: KEPT, version: 2 } });
    await open();
    await screen.findByText('Nothing is recorded about who uses the doors');
    screen.getByText(/^Trust\. People whose comings and goings/);
    expect(screen.queryByLabelText('Purpose')).toBeNull();
    await click('Keep records …');
    expect(screen.queryByText(/^People lived here until lately/)).toBeNull();
    expect((screen.getByLabelText('Days') as HTMLInputElement).value).toBe('14');
    expect((screen.getByRole('button', { name: 'Keep records' }) as HTMLButtonElement).disabled).toBe(true);
    await type('Purpose', ' Thefts from the storeroom ');
    await type('The people were told on', '2026-11-20');
    await click('Keep records');
    await screen.findByText('Your reading is noted, and the people can see it.');
    expect(asked.filter(({ what }) => what.startsWith('PUT'))).toEqual([
      { what: 'PUT /buildings/b/records/policy', query: {}, body: { version: 1, purpose: 'Thefts from the storeroom', days: 14, told_on: '2026-11-20' } },
    ]);
  });

  it('say where people lived before that a second administrator and 30 days come first, also for more of it', async () => {
    server({ 'GET /buildings/b/records/policy': { ...OFF, needs_second: true, kept: { ...KEPT, confirmed_by: 'Berg' } } });
    await open('/admin/buildings/b/records?tab=kept');
    await click('Change');
    await type('Days', '7');
    expect(screen.queryByText(/^People lived here until lately/)).toBeNull();
    await type('Days', '30');
    screen.getByText(/^People lived here until lately/);
  });

  it('say at the field what is wrong with it', async () => {
    const wrong = () => Response.json({ status: 422, code: 'invalid', title: '', errors: [{ pointer: '/days', code: 'out_of_range' }] }, { status: 422 });
    server({ 'GET /buildings/b/records/policy': OFF, 'PUT /buildings/b/records/policy': wrong });
    await open();
    await click('Keep records …');
    await type('Purpose', 'Thefts from the storeroom');
    await type('Days', '91');
    await type('The people were told on', '2026-11-20');
    await click('Keep records');
    await waitFor(() => expect(screen.getByLabelText('Days').getAttribute('aria-invalid')).toBe('true'));
    expect(screen.getByLabelText('Purpose').getAttribute('aria-invalid')).toBeNull();
  });

  it('wait for a second administrator, who agrees', async () => {
    const waits: RecordsPolicy = { ...OFF, needs_second: true, kept: { ...KEPT, state: 'waits_for_second' } };
    const { asked } = server({
      'GET /buildings/b/records/policy': waits,
      'POST /buildings/b/records/policy/confirm': { ...waits, kept: { ...KEPT, state: 'waits_for_day', confirmed_by: 'Berg' } },
    });
    await open();
    await screen.findByText('Anna asked for it; somebody else has to agree. Until then nothing is recorded.');
    expect(screen.queryByRole('button', { name: 'Show records' })).toBeNull();
    await click('Agree');
    await screen.findByText(/^Begins /);
    expect(asked.map(({ what }) => what)).toContain('POST /buildings/b/records/policy/confirm');
    screen.getByText('Berg');
  });

  it('warn before a change that deletes', async () => {
    const { asked } = server({ 'GET /buildings/b/records/policy': { ...OFF, kept: KEPT, version: 4 }, 'PUT /buildings/b/records/policy': { ...OFF, kept: { ...KEPT, days: 7 }, version: 5 } });
    await open('/admin/buildings/b/records?tab=kept');
    await click('Change');
    await type('Days', '30');
    expect(screen.queryByText(/deleted at once/)).toBeNull();
    await type('Days', '7');
    screen.getByText('What is older than that is deleted at once.');
    await type('Purpose', 'Who comes late');
    screen.getByText('What was kept for the other purpose is deleted at once.');
    await type('Purpose', KEPT.purpose);
    await click('Save');
    await screen.findByText('7 days');
    expect(asked.find(({ what }) => what.startsWith('PUT'))?.body).toEqual({ version: 4, purpose: KEPT.purpose, days: 7, told_on: '2026-11-20' });
  });

  it('are not read before somebody asks, and then as far as they are narrowed', async () => {
    const { reads, lists } = server({ 'GET /buildings/b/records/policy': { ...OFF, kept: KEPT }, 'GET /buildings/b/records': { items: [RECORD], next: 'c1' } });
    await open();
    await screen.findByText('Your reading is noted, and the people can see it.');
    await screen.findByRole('option', { name: 'Storeroom' });
    expect(reads()).toEqual([]);
    await fireEvent.change(screen.getByLabelText('Door'), { target: { value: 'd' } });
    await type('From', '2026-11-20');
    expect(reads()).toEqual([]);
    await click('Show records');
    const row = await screen.findByRole('row', { name: /Berg/ });
    within(row).getByText('Storeroom');
    within(row).getByText('Opened');
    expect(within(row).getByRole('link', { name: 'Berg' }).getAttribute('href')).toBe('/admin/buildings/b/people?person=p1');
    expect(reads().map(({ query }) => query)).toEqual([{ door: 'd', from: String(new Date(2026, 10, 20).getTime()) }]);
    // an older page is of what was asked for, whatever stands in the fields by now
    lists['GET /buildings/b/records'] = { items: [{ ...RECORD, id: 'r2', who: { kind: 'gone' }, outcome: 'refused', reason: 'outside_hours' }] };
    await type('From', '');
    await click('Older');
    await screen.findByText('Refused: at another hour');
    expect(reads().at(-1)?.query).toEqual({ door: 'd', from: String(new Date(2026, 10, 20).getTime()), cursor: 'c1' });
    // looking at the page again reads nothing again
    window.dispatchEvent(new Event('focus'));
    document.dispatchEvent(new Event('visibilitychange'));
    expect(reads()).toHaveLength(2);
    expect(screen.queryByRole('button', { name: 'Older' })).toBeNull();
  });

  it('leave as a file only for a purpose', async () => {
    const { asked } = server({ 'GET /buildings/b/records/policy': { ...OFF, kept: KEPT }, 'GET /buildings/b/records.csv': 'at,door\r\n' });
    URL.createObjectURL = vi.fn(() => 'blob:x');
    URL.revokeObjectURL = vi.fn();
    vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(() => undefined);
    await open();
    await click('Download as CSV');
    const dialog = within(screen.getByRole('dialog'));
    expect((dialog.getByRole('button', { name: 'Take the file' }) as HTMLButtonElement).disabled).toBe(true);
    await fireEvent.input(dialog.getByLabelText('What it is for'), { target: { value: 'The police asked' } });
    await fireEvent.click(dialog.getByRole('button', { name: 'Take the file' }));
    await screen.findByText('The file is made.');
    expect(asked.filter(({ what }) => what.endsWith('.csv')).map(({ query }) => query)).toEqual([{ purpose: 'The police asked' }]);
    expect(URL.createObjectURL).toHaveBeenCalledOnce();
  });

  it('show who has read them', async () => {
    server({
      'GET /buildings/b/records/policy': { ...OFF, kept: KEPT },
      'GET /buildings/b/records/readings': { items: [{ id: 'x', at: AT, building: 'Storgata 12', by: { id: 'me', name: 'Anna' }, person: { id: 'p1', name: 'Berg' }, door: { id: 'd', name: 'Storeroom' }, file: true, purpose: 'The police asked' }] },
    });
    await open('/admin/buildings/b/records?tab=readings');
    await screen.findByText('About Berg · Storeroom');
    screen.getByText('File, for: The police asked');
  });

  it('are switched off with a question, which says that everything is deleted', async () => {
    const { asked, lists } = server({ 'GET /buildings/b/records/policy': { ...OFF, kept: KEPT } });
    lists['DELETE /buildings/b/records/policy'] = () => {
      lists['GET /buildings/b/records/policy'] = { ...OFF, version: 0 };
      return new Response(null, { status: 204 });
    };
    await open('/admin/buildings/b/records?tab=kept');
    await click('Switch off and delete');
    const dialog = within(screen.getByRole('dialog'));
    dialog.getByText(/^Every record of this building is deleted at once/);
    expect(asked.some(({ what }) => what.startsWith('DELETE'))).toBe(false);
    await fireEvent.click(dialog.getByRole('button', { name: 'Switch off and delete' }));
    await screen.findByText('Switched off. All records are deleted.');
    await screen.findByText('Nothing is recorded about who uses the doors');
  });

  it('can be looked at, not changed, by who may not change the building', async () => {
    server({ 'GET /buildings/b/records/policy': { ...OFF, kept: KEPT } }, { rights: ['see_building', 'read_records'] });
    await open('/admin/buildings/b/records?tab=kept');
    await screen.findByText('Thefts from the storeroom');
    expect(screen.queryByRole('button', { name: 'Switch off and delete' })).toBeNull();
    expect(screen.queryByRole('button', { name: 'Change' })).toBeNull();
  });
});

describe('a record in words', () => {
  it('says who, about when, and why not', () => {
    expect(whoOf({ kind: 'guest', id: 'g', name: 'Plumber' })).toBe('Plumber, guest');
    expect(whoOf({ kind: 'guest' })).toBe('A guest');
    expect(whoOf({ kind: 'gone' })).toBe('somebody who is gone or has no name');
    expect(whenOf({ at: AT, about: true })).toMatch(/^about /);
    expect(outcomeOf({ outcome: 'refused', reason: 'door_blocked' })).toBe('Refused: the door was blocked');
    expect(outcomeOf({ outcome: 'refused', reason: 'not_known_here' })).toBe('Refused');
    expect(outcomeOf({ outcome: 'failed' })).toBe('Let in, but the lock did not obey');
    expect(about({})).toBe('About everybody');
    expect(about({ from: AT })).toMatch(/^About everybody · .*2026.* – …$/);
  });
});
