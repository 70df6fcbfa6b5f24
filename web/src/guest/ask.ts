// What a guest's page asks the server: no account, no cookie, the token in the body and nowhere else.

import type { GuestPass, GuestOpening } from '../api/http';
import { ApiError, fromAnswer, noAnswer } from '../lib/api-problem';

/** An answer, and how far the server's clock is ahead of this device's, ms. */
export interface Answered<Body> {
  body: Body;
  ahead: number;
}

async function ask<Body>(path: string, body: object): Promise<Answered<Body>> {
  let response: Response;
  let answer: unknown;
  try {
    response = await fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      credentials: 'omit',
      cache: 'no-store',
      referrerPolicy: 'no-referrer',
    });
    answer = await response.json().catch(() => undefined);
  } catch {
    throw noAnswer();
  }
  if (!response.ok) throw fromAnswer(response, answer);
  const said = Date.parse(response.headers.get('date') ?? '');
  // the header has whole seconds: a smaller difference is none
  const ahead = Number.isNaN(said) ? 0 : said + 500 - Date.now();
  return { body: answer as Body, ahead: Math.abs(ahead) < 2_000 ? 0 : ahead };
}

export const look = (token: string) => ask<GuestPass>('/api/v1/guest/look', { token });
export const open = (token: string, door: string, request: string) => ask<GuestOpening>('/api/v1/guest/open', { token, door, request });

export { ApiError };
