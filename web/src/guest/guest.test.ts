import { fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { GuestPass } from '../api/http';
import { grouped, hoursInWords, left, moment } from '../lib/guest-words';
import { setLocale } from '../lib/i18n';
import GuestPage from './GuestPage.svelte';

const TOKEN = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567ABCDEFGHIJKLMNOPQRST';
const HOUR = 3_600_000;
const PASS: GuestPass = {
  name: 'Kari',
  building_name: 'Storgata borettslag',
  address: 'Storgata 12',
  doors: [{ door: 'd1', name: 'Entrance A' }],
  starts_at: Date.now() - HOUR,
  ends_at: Date.now() + HOUR,
  once: false,
  code: '123456',
  qr: `KLINKE:${TOKEN}`,
  state: 'now',
};

/** What the server was asked, and what it answers to each path. */
function server(answers: Record<string, () => [number, unknown] | Promise<[number, unknown]>>) {
  const asked: { path: string; body: Record<string, string>; init: RequestInit }[] = [];
  vi.stubGlobal('fetch', async (path: string, init: RequestInit) => {
    asked.push({ path, body: JSON.parse(String(init.body)), init });
    const [status, body] = (await answers[path]?.()) ?? [404, { code: 'not_found' }];
    if (status === 0) throw new TypeError('no network');
    return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });
  });
  return asked;
}
const LOOK = '/api/v1/guest/look';
const OPEN = '/api/v1/guest/open';

beforeEach(async () => {
  await setLocale('en');
  sessionStorage.clear();
  history.replaceState(null, '', `/guest#${TOKEN}`);
});
afterEach(() => vi.unstubAllGlobals());

describe('the page of a guest', () => {
  it('takes the token out of the address and sends it in the body alone, without cookies', async () => {
    const asked = server({ [LOOK]: () => [200, PASS] });
    render(GuestPage);
    await screen.findByText('Storgata borettslag');
    expect(location.href).not.toContain(TOKEN);
    expect(asked[0]).toMatchObject({ path: LOOK, body: { token: TOKEN }, init: { credentials: 'omit' } });
    expect(screen.getByText('123 456')).toBeTruthy();
  });

  it('finds the token before a full stop that a mail program took along', async () => {
    history.replaceState(null, '', `/guest#${TOKEN}.`);
    const asked = server({ [LOOK]: () => [200, PASS] });
    render(GuestPage);
    await screen.findByText('Storgata borettslag');
    expect(asked[0]?.body.token).toBe(TOKEN);
  });

  it('says "Open" when the server has, and never before', async () => {
    let answer = (_: [number, unknown]) => {};
    server({ [LOOK]: () => [200, PASS], [OPEN]: () => new Promise((resolve) => (answer = resolve)) });
    render(GuestPage);
    const button = await screen.findByRole('button', { name: 'Open Entrance A' });
    await fireEvent.click(button);
    expect(button.textContent).toContain('Sending');
    expect(button.classList.contains('open')).toBe(false);
    answer([200, { state: 'open', for_ms: 5_000 }]);
    await vi.waitFor(() => expect(button.classList.contains('open')).toBe(true));
  });

  it('says of a door of another system that it was sent, and never that it is open', async () => {
    server({ [LOOK]: () => [200, PASS], [OPEN]: () => [200, { state: 'sent' }] });
    render(GuestPage);
    const button = await screen.findByRole('button', { name: 'Open Entrance A' });
    await fireEvent.click(button);
    expect((await screen.findAllByText("Sent to the door's own system")).length).toBe(2);
    expect(button.classList.contains('open')).toBe(false);
  });

  it('asks the same again when no answer came, so that one touch opens once', async () => {
    const asked = server({ [LOOK]: () => [200, PASS], [OPEN]: () => [0, undefined] });
    render(GuestPage);
    const button = await screen.findByRole('button', { name: 'Open Entrance A' });
    for (let tries = 0; tries < 2; tries += 1) {
      await fireEvent.click(button);
      await screen.findAllByText('No answer came. Look at the door, or try again.');
    }
    const requests = asked.filter(({ path }) => path === OPEN).map(({ body }) => body.request);
    expect(requests).toHaveLength(2);
    expect(new Set(requests).size).toBe(1);
  });

  it('opens nothing outside of the hours, and says why', async () => {
    const asked = server({ [LOOK]: () => [200, { ...PASS, state: 'outside_hours' }] });
    render(GuestPage);
    await fireEvent.click(await screen.findByRole('button', { name: 'Open Entrance A' }));
    expect(asked.filter(({ path }) => path === OPEN)).toEqual([]);
    expect(screen.getByText('Your pass does not open at this time of day')).toBeTruthy();
  });

  it('forgets a token that the server does not know', async () => {
    server({});
    render(GuestPage);
    await screen.findByText('This pass does not work');
    expect(sessionStorage).toHaveLength(0);
  });

  it('without a link says what to do', () => {
    history.replaceState(null, '', '/guest');
    const asked = server({});
    render(GuestPage);
    expect(screen.getByText('Open the link that you were sent')).toBeTruthy();
    expect(asked).toEqual([]);
  });
});

describe('moments in words', () => {
  const now = new Date('2026-11-23T10:00').getTime();
  const at = (text: string) => new Date(text).getTime();

  it('are today, tomorrow or a day, and an end at midnight is of the day before', () => {
    expect(moment(at('2026-11-23T14:05'), now)).toBe('today at 14:05');
    expect(moment(at('2026-11-24T00:00'), now)).toBe('tomorrow at 00:00');
    expect(moment(at('2026-11-24T00:00'), now, { end: true })).toBe('today at 24:00');
    expect(moment(at('2026-11-28T00:00'), now, { end: true })).toMatch(/^Friday.* 27 November at 24:00$/);
    expect(moment(at('2027-02-01T08:00'), now)).toContain('2027');
  });

  it('count down', () => {
    expect(left(now + 3 * 24 * HOUR, now)).toBe('3 days');
    expect(left(now + 2 * HOUR + 14 * 60_000, now)).toBe('2 h 14 min');
    expect(left(now + 30_000, now)).toBe('30 s');
    expect(left(now - 5, now)).toBe('0 s');
  });

  it('say hours by runs of days, and codes in groups', () => {
    expect(hoursInWords([{ days: [4, 0, 1, 2, 3], from: 480, until: 1_020 }])).toEqual(['Mon–Fri 08:00–17:00']);
    expect(hoursInWords([{ days: [5, 6], from: 0, until: 1_440 }])).toEqual(['Sat, Sun 00:00–24:00']);
    expect([grouped('123456'), grouped('12345678')]).toEqual(['123 456', '1234 5678']);
  });
});
