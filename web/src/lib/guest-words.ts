// When a guest may come, in words: for whoever invited them, and for themselves.

import { locale, ownDay, t, tags } from './i18n';

interface Hours {
  days: readonly number[];
  from: number;
  until: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const startOfDay = (moment: number) => new Date(moment).setHours(0, 0, 0, 0);

/** A code in groups that one can keep in mind on the way to the keys. */
export function grouped(code: string): string {
  const half = Math.ceil(code.length / 2);
  return code.length < 5 ? code : `${code.slice(0, half)} ${code.slice(half)}`;
}

/** "today at 14:00". An end at midnight is the end of the day before. */
export function moment(at: number, now: number, { end = false } = {}): string {
  const midnight = end && startOfDay(at) === at;
  const shown = midnight ? at - 1 : at;
  const days = Math.round((startOfDay(shown) - startOfDay(now)) / DAY);
  const time = midnight ? '24:00' : new Intl.DateTimeFormat(tags(), { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at);
  const day =
    days === 0 ? t('guest-today')
    : days === 1 ? t('guest-tomorrow')
    : ownDay(new Intl.DateTimeFormat(tags(), { weekday: 'long', day: 'numeric', month: 'long', ...(new Date(shown).getFullYear() !== new Date(now).getFullYear() && { year: 'numeric' }) }).format(shown));
  return t('guest-moment', { day, time });
}

/** "2 h 14 min" until a moment; the last minute in seconds. */
export function left(until: number, now: number): string {
  const ms = Math.max(0, until - now);
  if (ms >= 2 * DAY) return t('guest-left-days', { days: Math.floor(ms / DAY) });
  if (ms >= HOUR) return t('guest-left-hours', { hours: Math.floor(ms / HOUR), minutes: Math.floor((ms % HOUR) / MINUTE) });
  if (ms >= MINUTE) return t('guest-left-minutes', { minutes: Math.floor(ms / MINUTE) });
  return t('guest-left-seconds', { seconds: Math.ceil(ms / 1_000) });
}

const clock = (minute: number) => `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

/** "Mon–Fri 08:00–17:00", one for each row. */
export function hoursInWords(hours: readonly Hours[]): string[] {
  const format = new Intl.DateTimeFormat(tags(), { weekday: 'short', timeZone: 'UTC' });
  // 5 January 1970 was a Monday
  const name = (day: number) => (locale() === 'nn' ? NYNORSK[day] : undefined) ?? format.format((day + 4) * DAY);
  return hours.map(({ days, from, until }) => {
    const sorted = [...days].sort();
    const runs: number[][] = [];
    for (const day of sorted) {
      const run = runs.at(-1);
      if (run && run.at(-1) === day - 1) run.push(day);
      else runs.push([day]);
    }
    const named = runs.map((run) => (run.length > 2 ? `${name(run[0] ?? 0)}–${name(run.at(-1) ?? 0)}` : run.map(name).join(', ')));
    return `${named.join(', ')} ${clock(from)}–${clock(until)}`;
  });
}

/** Where browsers know bokmål only. */
const NYNORSK = ['mån.', 'tys.', 'ons.', 'tor.', 'fre.', 'lau.', 'sun.'];
