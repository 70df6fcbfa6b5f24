import { fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AppDoor } from '../api/wire';
import { setLocale } from '../lib/i18n';
import DoorCard from './DoorCard.svelte';
import type { Opening } from './house';
import OpenDoor from './OpenDoor.svelte';
import SignIn from './SignIn.svelte';

const DOOR: AppDoor = {
  door: 'd1',
  name: 'Garage',
  building: 'Storgata 12',
  system: 'Salto',
  state: { mode: 'locked', position: 'closed', alarm: 'normal' },
};
const opening = (phase: Opening['phase'], more: Partial<Opening> = {}): Opening => ({
  request: 'r1',
  call: undefined,
  phase,
  until: performance.now() + 5_000,
  ...more,
});

beforeEach(() => setLocale('en'));
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe('a door of the list', () => {
  const card = (props: { door?: AppDoor; opening?: Opening; connected?: boolean } = {}) => {
    const onopen = vi.fn();
    render(DoorCard, { door: DOOR, opening: undefined, connected: true, ...props, onopen });
    return { onopen, button: screen.getByRole('button', { name: 'Open Garage' }) };
  };

  it('opens with one tap', async () => {
    const { onopen, button } = card();
    await fireEvent.click(button);
    expect(onopen).toHaveBeenCalledOnce();
    expect(screen.getByText('Locked')).toBeTruthy();
  });

  it('never says "Open" while the server has not', () => {
    const { button } = card({ opening: opening('asking') });
    expect(screen.getByText('Sending …')).toBeTruthy();
    expect((button as HTMLButtonElement).disabled).toBe(true);
    expect(document.querySelector('article.open')).toBeNull();
  });

  it('says "Open" when the server has', () => {
    card({ opening: opening('open') });
    expect(screen.getByText('Open 5 s')).toBeTruthy();
    expect(document.querySelector('article.open')).not.toBeNull();
  });

  it.each([
    ['its controller is away', { door: { ...DOOR, state: undefined } as unknown as AppDoor }, 'Offline', /controller is not connected/],
    ['this device has no connection', { connected: false }, 'Offline', /no connection to Klinke/],
    ['it is blocked', { door: { ...DOOR, state: { ...DOOR.state!, mode: 'blocked' as const } } }, 'Blocked', /opens for nobody/],
    ['it stands unlocked', { door: { ...DOOR, state: { ...DOOR.state!, mode: 'unlocked' as const } } }, 'Held open', /just walk in/],
  ])('takes no tap and says why when %s', (_why, props, chip, reason) => {
    const { button } = card(props);
    expect((button as HTMLButtonElement).disabled).toBe(true);
    expect(screen.getByText(chip)).toBeTruthy();
    expect(document.getElementById(button.getAttribute('aria-describedby')!)?.textContent).toMatch(reason);
  });

  it('says when it opens next outside of one’s hours, and no longer once they have begun', async () => {
    vi.useFakeTimers({ now: new Date(2026, 10, 20, 18, 30) });
    const monday = new Date(2026, 10, 23, 7).getTime();
    const { onopen, button } = card({ door: { ...DOOR, hours: [{ from: monday, until: monday + 36_000_000 }] } });
    const note = document.getElementById(button.getAttribute('aria-describedby')!)!;
    expect(note.textContent).toMatch(/^Opens for you Monday.* 07:00$/);
    // the server decides: a device with a wrong clock shuts nobody out
    await fireEvent.click(button);
    expect(onopen).toHaveBeenCalledOnce();
    await vi.advanceTimersByTimeAsync(monday - Date.now() - 1_000);
    expect(note.isConnected).toBe(true);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(screen.queryByText(/Opens for you/)).toBeNull();
    await vi.advanceTimersByTimeAsync(36_000_000);
    // the last that was told is over: nothing is made up
    expect(screen.queryByText(/Opens for you/)).toBeNull();
  });

  it('says nothing of hours in them, without them, or when it can not be opened at all', () => {
    const now = Date.now();
    card({ door: { ...DOOR, hours: [{ from: now - 1_000, until: now + 60_000 }] } });
    render(DoorCard, { door: { ...DOOR, name: 'Attic', hours: [] }, opening: undefined, connected: true, onopen: vi.fn() });
    expect(screen.queryByText(/Opens for you/)).toBeNull();
  });

  it('does not show an old state as the door’s own while there is no connection', () => {
    card({ connected: false, opening: opening('open') });
    expect(document.querySelector('article.open')).toBeNull();
  });

  it('names its system in the details', async () => {
    card();
    const more = screen.getByRole('button', { name: /Garage.*Details/s });
    const details = document.getElementById(more.getAttribute('aria-controls')!)!;
    expect(details.hidden).toBe(true);
    await fireEvent.click(more);
    expect([details.hidden, more.getAttribute('aria-expanded')]).toEqual([false, 'true']);
    expect(details.textContent).toContain('Salto');
  });
});

describe('the door button of a call', () => {
  const button = async (one: Opening | undefined, connected = true) => {
    const onopen = vi.fn();
    render(OpenDoor, { opening: one, connected, now: performance.now(), onopen });
    await fireEvent.click(screen.getByRole('button'));
    return onopen;
  };

  it('opens once for one tap', async () => {
    expect(await button(undefined)).toHaveBeenCalledOnce();
  });

  it('takes no second tap while one is under way', async () => {
    expect(await button(opening('sending'))).not.toHaveBeenCalled();
    expect(screen.getByRole('button').getAttribute('aria-disabled')).toBe('true');
  });

  it('takes none without a connection', async () => {
    expect(await button(undefined, false)).not.toHaveBeenCalled();
  });

  it('can be tapped again after a refusal, which it explains', async () => {
    expect(await button(opening('refused', { reason: 'expired' }))).toHaveBeenCalledOnce();
    expect(screen.getByRole('alert').textContent).toBe('Refused: the door did not answer in time');
  });
});

describe('signing in', () => {
  const answer = (status: number, body: object, headers: Record<string, string> = {}) => {
    const fetch = vi.fn((_request: Request) => Promise.resolve(Response.json(body, { status, headers })));
    vi.stubGlobal('fetch', fetch);
    return fetch;
  };
  const fill = async () => {
    const onsignedin = vi.fn();
    render(SignIn, { onsignedin });
    await fireEvent.input(screen.getByLabelText('User name'), { target: { value: ' Kari ' } });
    await fireEvent.input(screen.getByLabelText('Password'), { target: { value: 'secret' } });
    return onsignedin;
  };
  const submit = () => fireEvent.submit(document.querySelector('form')!);

  it('is known to password managers', () => {
    render(SignIn, { onsignedin: () => undefined });
    expect(screen.getByLabelText('User name').getAttribute('autocomplete')).toBe('username');
    expect(screen.getByLabelText('Password').getAttribute('autocomplete')).toBe('current-password');
  });

  it('sends what was typed, and hands on the session', async () => {
    const session = { person: { id: 'p', name: 'Kari' }, device: {}, roles: [] };
    const fetch = answer(201, session);
    const onsignedin = await fill();
    await submit();
    await vi.waitFor(() => expect(onsignedin).toHaveBeenCalledWith(session));
    expect(await fetch.mock.calls[0]![0].json()).toMatchObject({ user_name: 'Kari', password: 'secret' });
  });

  it('says that it was wrong, and keeps what was typed', async () => {
    answer(401, { status: 401, code: 'sign_in_failed', title: '' });
    await fill();
    await submit();
    expect(await screen.findByText('The user name or the password is not right.')).toBeTruthy();
    expect((screen.getByLabelText('Password') as HTMLInputElement).value).toBe('secret');
  });

  it('counts down how long to wait, and takes no try until then', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
    const fetch = answer(429, { status: 429, code: 'too_many_tries', title: '' }, { 'retry-after': '42' });
    await fill();
    await submit();
    expect(await screen.findByText('You can try again in 42 s.')).toBeTruthy();
    await submit();
    expect(fetch).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(41_000);
    expect(screen.getByText('You can try again in 1 s.')).toBeTruthy();
    await vi.advanceTimersByTimeAsync(1_500);
    expect(screen.getByText('You can try again now.')).toBeTruthy();
    await submit();
    expect(fetch).toHaveBeenCalledTimes(2);
  });
});
