import { fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { setLocale } from '../lib/i18n';
import Privacy from './Privacy.svelte';

const AT = Date.parse('2026-11-22T12:00:00Z');
const KEPT = { building: 'Works', purpose: 'Thefts from the storeroom', days: 14, since: AT };
const RECORD = { id: 'r1', at: AT, about: false, door: { id: 'd', name: 'Gate' }, building: 'Works', outcome: 'opened' };

function server(answers: Record<string, unknown>) {
  const asked: string[] = [];
  vi.stubGlobal('fetch', async (request: Request) => {
    const { pathname, search } = new URL(request.url);
    const what = pathname.replace('/api/v1', '') + search;
    asked.push(what);
    return what in answers ? Response.json(answers[what]) : Response.json({ status: 503, code: 'offline', title: '' }, { status: 503 });
  });
  return asked;
}

beforeEach(() => setLocale('en'));
afterEach(() => vi.unstubAllGlobals());

describe('what is kept about who opens which door', () => {
  it('is nothing in a house where people live, and the app says so', async () => {
    const asked = server({ '/me/records': { items: [], kept: [] }, '/me/records/readings': { items: [] } });
    render(Privacy, { online: true, buildings: ['Storgata 12'] });
    await screen.findByText('Door openings are not logged in Storgata 12.');
    expect(screen.queryByText('My openings')).toBeNull();
    expect(screen.queryByText('Who has read')).toBeNull();
    expect(screen.queryByRole('button')).toBeNull();
    expect(asked).toEqual(['/me/records', '/me/records/readings']);
  });

  it('still names who read where it is switched off by now', async () => {
    server({
      '/me/records': { items: [], kept: [] },
      '/me/records/readings': { items: [{ id: 'x', at: AT, by: { id: 'a', name: 'Anna' }, building: 'Works', file: false }] },
    });
    render(Privacy, { online: true, buildings: ['Works'] });
    await screen.findByText('Door openings are not logged in Works.');
    screen.getByText('Anna');
    screen.getByText('About everybody, in Works');
    expect(screen.queryByText('My openings')).toBeNull();
    expect(screen.queryByRole('button')).toBeNull();
  });

  it('is told building by building, with one’s own records and who has read them', async () => {
    const asked = server({
      '/me/records': { items: [RECORD], next: 'c', kept: [KEPT] },
      '/me/records?cursor=c': { items: [{ ...RECORD, id: 'r0', about: true, outcome: 'refused', reason: 'outside_hours' }], kept: [KEPT] },
      '/me/records/readings': { items: [{ id: 'x', at: AT, by: { id: 'a', name: 'Anna' }, building: 'Works', file: true, purpose: 'The police asked' }] },
    });
    render(Privacy, { online: true, buildings: ['Storgata 12', 'Works'] });
    await screen.findByText('Who uses the doors is recorded in Works.');
    screen.getByText('Purpose: Thefts from the storeroom');
    screen.getByText(/Deleted after 14 days\./);
    screen.getByText('Door openings are not logged in Storgata 12.');
    expect(screen.queryByText('Door openings are not logged in Works.')).toBeNull();
    screen.getByText('Gate');
    await fireEvent.click(screen.getByRole('button', { name: 'Show older' }));
    await screen.findByText('Refused: at another hour');
    screen.getByText(/^about /);
    expect(screen.queryByText('Anna')).toBeNull();
    await fireEvent.click(screen.getByRole('button', { name: 'Show who has read' }));
    await screen.findByText('Anna');
    screen.getByText('About everybody, in Works');
    screen.getByText('As a file, for: The police asked');
    expect(asked).toEqual(['/me/records', '/me/records?cursor=c', '/me/records/readings']);
  });

  it('is not guessed when it could not be fetched', async () => {
    server({});
    render(Privacy, { online: true, buildings: ['Storgata 12'] });
    await screen.findByText('What is kept could not be fetched');
    expect(screen.queryByText(/not logged/)).toBeNull();
  });
});
