import { fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { MyPhoneNumber } from '../api/http';
import { setLocale } from '../lib/i18n';
import MyPhone from './MyPhone.svelte';

const NONE: MyPhoneNumber = { can_confirm: true, calls_from: ['+4721600000'] };
const TO_CONFIRM = { number: '+4791500123', code: '4711', until: Date.now() + 600_000 };

/** A server that answers a GET with what `mine` gives, and everything else by its method. */
function server(mine: () => MyPhoneNumber, others: Record<string, [number, unknown]> = {}) {
  const asked: { method: string; body: unknown }[] = [];
  vi.stubGlobal('fetch', async (request: Request) => {
    const text = await request.text();
    if (request.method !== 'GET') asked.push({ method: request.method, body: text && JSON.parse(text) });
    const [status, body] = request.method === 'GET' ? [200, mine()] : (others[request.method] ?? [204, undefined]);
    const type = status < 400 ? 'application/json' : 'application/problem+json';
    return new Response(body === undefined ? null : JSON.stringify(body), { status, headers: { 'content-type': type } });
  });
  return asked;
}

async function askForACall() {
  await fireEvent.click(await screen.findByRole('button', { name: 'Give a number' }));
  await fireEvent.input(screen.getByLabelText('Phone number'), { target: { value: '+47 915 00 123' } });
  await fireEvent.input(screen.getByLabelText('Your password'), { target: { value: 'gul sykkel' } });
  await fireEvent.click(screen.getByRole('button', { name: 'Call me' }));
}

beforeEach(() => setLocale('en'));
afterEach(() => vi.unstubAllGlobals());

describe('one’s own phone', () => {
  it('is nowhere on the page where no phone can be rung and none is', async () => {
    const calls = vi.fn(() => ({ can_confirm: false, calls_from: [] }));
    server(calls);
    render(MyPhone, { online: true, buildings: [] });
    await waitFor(() => expect(calls).toHaveBeenCalled());
    await new Promise((resolve) => setTimeout(resolve));
    expect(screen.queryByRole('heading')).toBeNull();
  });

  it('can be taken away where no other can be given', async () => {
    server(() => ({ number: '+4791500123', verified: 'vouched', can_confirm: false, calls_from: [] }));
    render(MyPhone, { online: true, buildings: [] });
    await screen.findByText('+47 915 00 123');
    screen.getByText(/The administrator can vouch/);
    expect(screen.queryByRole('button', { name: 'Another number' })).toBeNull();
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Remove' }).disabled).toBe(false);
  });

  it('shows the digits until the call is over, and says when it proved nothing', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    try {
      let now: MyPhoneNumber = { ...NONE, waiting: { number: TO_CONFIRM.number, until: TO_CONFIRM.until } };
      const asked = server(() => now, { PUT: [202, TO_CONFIRM] });
      render(MyPhone, { online: true, buildings: ['Bjørkeveien'] });
      await askForACall();
      await screen.findByText('4711');
      expect(asked).toEqual([{ method: 'PUT', body: { number: '+47 915 00 123', password: 'gul sykkel' } }]);
      await vi.advanceTimersByTimeAsync(5_000);
      screen.getByText('4711');
      // it may be the number that is rung already: what came of the call says more
      now = { ...NONE, number: TO_CONFIRM.number, verified: 'vouched', unproven: { number: TO_CONFIRM.number, why: 'not_picked_up' } };
      await vi.advanceTimersByTimeAsync(2_100);
      await screen.findByText(/was not confirmed/);
      screen.getByText(/Nobody picked up/);
      expect(screen.queryByText('4711')).toBeNull();
      await fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
      expect(screen.getByLabelText<HTMLInputElement>('Phone number').value).toBe('+47 915 00 123');
    } finally {
      vi.useRealTimers();
    }
  });

  it('gives up what waits, and nothing else', async () => {
    let now: MyPhoneNumber = { ...NONE, number: '+4791500999', verified: 'called', waiting: { number: TO_CONFIRM.number, until: TO_CONFIRM.until } };
    const asked = server(() => now);
    render(MyPhone, { online: true, buildings: [] });
    const button = await screen.findByRole('button', { name: 'Give up' });
    now = { ...NONE, number: '+4791500999', verified: 'called' };
    await fireEvent.click(button);
    await waitFor(() => expect(screen.queryByText(/not confirmed yet/)).toBeNull());
    screen.getByText('+47 915 00 999');
    expect(asked.map(({ method }) => method)).toEqual(['DELETE']);
  });

  it('says at the field what is wrong with the number, and calls nobody', async () => {
    const problem = { code: 'invalid', title: '', status: 422, errors: [{ pointer: '/number', code: 'costs_extra' }] };
    server(() => NONE, { PUT: [422, problem] });
    render(MyPhone, { online: true, buildings: [] });
    await askForACall();
    await screen.findByText(/costs extra to call/);
    expect(screen.getByLabelText('Phone number').getAttribute('aria-invalid')).toBe('true');
    expect(screen.queryByText('4711')).toBeNull();
  });
});
