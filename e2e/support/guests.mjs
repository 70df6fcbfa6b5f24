// Guests as their host makes them, through the same API as the app, and what a guest holds.

import assert from 'node:assert/strict';

export const HOUR = 3_600_000;

/** Asks as the person who is signed in on this page. */
export async function api(page, origin, method, path, data) {
  const answer = await page.request.fetch(`${origin}/api/v1${path}`, { method, headers: { origin }, ...(data && { data }) });
  assert.ok(answer.ok(), `${method} ${path}: ${answer.status()} ${await answer.text()}`);
  return answer.status() === 204 ? undefined : answer.json();
}

/** Makes a guest for all doors of the person's first home, until in an hour unless said otherwise. */
export async function makeGuest(page, origin, more = {}) {
  const { homes } = await api(page, origin, 'GET', '/me/guests');
  const { unit, doors } = homes[0];
  return api(page, origin, 'POST', '/me/guests', { unit, name: 'Kari', doors: doors.map(({ door }) => door), ends_at: Date.now() + HOUR, once: false, ...more });
}

/** What is behind the `#`. */
export const tokenOf = (guest) => new URL(guest.link).hash.slice(1);

/** Hours on a day that is neither today nor was yesterday, wherever the building stands. */
export function neverNow() {
  const day = (new Date().getUTCDay() + 6 + 3) % 7;
  return { hours: [{ days: [day], from: 600, until: 720 }], holidays: { are: 'as_usual' }, exceptions: [] };
}

/** A guest's own phone: the page behind the link. */
export async function follow(world, guest, size = 'phone') {
  const page = await world.page(size);
  await page.goto(guest.link);
  return page;
}
