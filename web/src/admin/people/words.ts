// What people and days are called on the screen.

import { ownDay, t, tags } from '../../lib/i18n';
import type { Person } from '../../api/http';

/** How the people of a list can be narrowed, as the server names it. */
export const STANDINGS = ['active', 'invited', 'not_invited', 'unreachable', 'suspended'] as const;

export const LANGUAGES = [
  ['nb', 'Norsk bokmål'],
  ['nn', 'Norsk nynorsk'],
  ['sv', 'Svenska'],
  ['da', 'Dansk'],
  ['en', 'English']
] as const;

/** Who wants no name is called by where they live. */
export function nameOf({ name, homes }: { name?: string | null | undefined; homes?: Person['homes'] }): string {
  if (name) return name;
  const number = homes?.[0]?.number;
  return number ? t('admin-person-anonymous-in', { unit: number }) : t('admin-person-anonymous');
}

export const homeIn = (person: Person, building: string) => person.homes.find((home) => home.building === building);

// Days have no time zone: midnight UTC stands for them, written in UTC.
const moment = (day: string) => new Date(`${day}T00:00:00Z`);

export const shortDay = (day: string) =>
  new Intl.DateTimeFormat(tags(), { day: 'numeric', month: 'short', timeZone: 'UTC' }).format(moment(day));

export const longDay = (day: string) =>
  ownDay(new Intl.DateTimeFormat(tags(), { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' }).format(moment(day)));

/** The last day of this day's month. */
export function monthsEnd(day: string): string {
  const last = moment(day);
  last.setUTCMonth(last.getUTCMonth() + 1, 0);
  return last.toISOString().slice(0, 10);
}

/** The day before a day. */
export function dayBefore(day: string): string {
  const before = moment(day);
  before.setUTCDate(before.getUTCDate() - 1);
  return before.toISOString().slice(0, 10);
}
