import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { api, ApiError } from './api';
import { fieldOf, fromAnswer } from './api-problem';
import { fieldWords, wordsOf, wordsOfError } from './api-words';
import { setLocale } from './i18n';

const answer = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  vi.fn((_request: Request) =>
    Promise.resolve(
      new Response(typeof body === 'string' ? body : JSON.stringify(body), {
        status,
        headers: { 'content-type': 'application/problem+json', ...headers },
      }),
    ),
  );
const CLAIM = { code: '1', organisation: 'o', name: 'n', user_name: 'u', password: 'p' };

async function failure(call: Promise<unknown>): Promise<ApiError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ApiError);
  return error as ApiError;
}

beforeEach(() => setLocale('en'));
afterEach(() => vi.unstubAllGlobals());

describe('a request', () => {
  it('sends what the contract says, and gives the answer', async () => {
    const fetch = vi.fn((_request: Request) => Promise.resolve(Response.json({ id: 'p', name: 'A' }, { status: 201 })));
    vi.stubGlobal('fetch', fetch);
    expect(await api.addPanel('b/1', { code: '4071 9936', name: 'A', doors: ['d'] })).toEqual({ id: 'p', name: 'A' });
    const request = fetch.mock.calls[0]![0];
    expect([request.method, new URL(request.url).pathname]).toEqual(['POST', '/api/v1/buildings/b%2F1/panels']);
    expect(await request.json()).toEqual({ code: '4071 9936', name: 'A', doors: ['d'] });
  });

  it('finds the fields that were wrong', async () => {
    vi.stubGlobal('fetch', answer(422, {
      status: 422,
      code: 'invalid',
      title: 'Some fields are wrong',
      errors: [
        { pointer: '/user_name', code: 'too_short' },
        { pointer: '/password', code: 'holds_user_name' },
        { pointer: '/password', code: 'too_long' },
      ],
    }));
    const error = await failure(api.claim(CLAIM));
    expect([...error.fields]).toEqual([
      ['user_name', 'too_short'],
      ['password', 'holds_user_name'],
    ]);
    expect(fieldWords(error)).toEqual({
      user_name: 'This is too short.',
      password: 'The password must not hold the user name.',
    });
  });

  it('says how long to wait', async () => {
    vi.stubGlobal('fetch', answer(429, { status: 429, code: 'too_many_tries', title: 'x' }, { 'retry-after': '42' }));
    expect(await failure(api.signIn({ user_name: 'u', password: 'p', device_name: 'd' }))).toMatchObject({
      code: 'too_many_tries',
      retryAfter: 42,
    });
  });

  it('tells no answer from a refusal', async () => {
    vi.stubGlobal('fetch', vi.fn(() => Promise.reject(new TypeError('network'))));
    const error = await failure(api.session());
    expect([error.offline, error.code]).toEqual([true, 'offline']);
  });

  it('survives a page of a proxy in between', async () => {
    vi.stubGlobal('fetch', answer(502, '<h1>Bad gateway</h1>'));
    expect(await failure(api.session())).toMatchObject({ status: 502, code: 'unavailable', offline: false });
  });
});

it('a pointer is a field’s path', () => {
  expect(['/user_name', '#/doors/0/output', '/a~1b~0c'].map(fieldOf)).toEqual(['user_name', 'doors/0/output', 'a/b~c']);
});

it('a date in Retry-After is seconds from now', () => {
  const headers = new Headers({ 'retry-after': 'Sat, 21 Nov 2026 12:00:30 GMT' });
  expect(fromAnswer({ status: 429, headers }, {}, Date.parse('2026-11-21T12:00:00Z')).retryAfter).toBe(30);
});

describe('words', () => {
  it('are our own for a known code, and the server’s for a new one', () => {
    expect(wordsOf('sign_in_failed', 'x')).toBe('The user name or the password is not right.');
    expect(wordsOf('made_next_year', 'In the server’s words')).toBe('In the server’s words');
    expect(wordsOf('made_next_year')).toBe('Something went wrong. Try again.');
  });

  it('are there for what is no answer at all', () => {
    expect(wordsOfError(new Error('x'))).toBe('Something went wrong. Try again.');
  });
});
