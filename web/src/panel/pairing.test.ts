import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { pair, redeem, type PairingView } from './pairing';

const OFFERED = { pairing: 'x', secret: 's', code: '4071 9936', expires_s: 600 };

/** The server's answers, in order. */
let answers: (() => Response | Promise<Response>)[];
let asked: { path: string; init: RequestInit | undefined }[];

const json = (body: object, status = 200) => () => Response.json(body, { status });

beforeEach(() => {
  vi.useFakeTimers();
  answers = [];
  asked = [];
  vi.stubGlobal('fetch', async (path: string, init?: RequestInit) => {
    asked.push({ path, init });
    const answer = answers.shift();
    if (!answer) throw new TypeError('no network');
    return answer();
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('pairing', () => {
  it('shows its code until it is claimed', async () => {
    answers = [json(OFFERED, 201), json({ state: 'waiting' }), json({ state: 'claimed', panel: 'p1' })];
    const shown: PairingView[] = [];
    const paired = pair('KEY', (view) => shown.push(view));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await paired).toBe('p1');
    expect(shown).toEqual([{ is: 'code', code: '4071 9936' }]);
    expect(asked.map(({ path }) => path)).toEqual([
      '/api/v1/panel-pairings',
      '/api/v1/panel-pairings/x',
      '/api/v1/panel-pairings/x',
    ]);
    expect(asked[0]?.init?.body).toBe('{"public_key":"KEY"}');
    expect(asked[1]?.init?.headers).toEqual({ 'Klinke-Pairing-Secret': 's' });
  });

  it('says what is wrong, and goes on by itself', async () => {
    answers = [
      json({ code: 'not_set_up' }, 503),
      () => Promise.reject(new TypeError('no network')),
      json(OFFERED, 201),
      json({ state: 'expired' }),
      json({ ...OFFERED, code: '1111 2222' }, 201),
      json({ state: 'claimed', panel: 'p1' }),
    ];
    const shown: PairingView[] = [];
    const paired = pair('KEY', (view) => shown.push(view));
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await paired).toBe('p1');
    expect(shown).toEqual([
      { is: 'not_set_up' },
      { is: 'unreachable' },
      { is: 'code', code: '4071 9936' },
      { is: 'code', code: '1111 2222' },
    ]);
  });

  it('claims at once with a ticket, and does not mind one that is used up', async () => {
    answers = [json(OFFERED, 201), json({ panel: 'p9' })];
    expect(await redeem('KEY', 'T')).toBe('p9');
    expect(asked[1]).toMatchObject({ path: '/api/v1/panel-pairings/x/ticket', init: { body: '{"ticket":"T"}' } });
    answers = [json(OFFERED, 201), json({ code: 'unknown_code' }, 404)];
    expect(await redeem('KEY', 'T')).toBeUndefined();
  });
});
