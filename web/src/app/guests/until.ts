// Until when a new guest may come: what is offered, and the moment that it means.

export type Until = 'hours' | 'today' | 'week' | 'other';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** What "a while" is. */
export const WHILE_MS = 2 * HOUR;

/** The midnight that ends the day, `later` days after the one of this moment. Days with a clock change are days too. */
export function endOfDay(at: number, later = 0): number {
  const day = new Date(at);
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + 1 + later).getTime();
}

/** Days until the Friday to come; on a Friday or Saturday, until the Sunday. */
export function daysToWeekEnd(now: number): number {
  const weekday = new Date(now).getDay();
  const target = weekday === 5 || weekday === 6 ? 7 : 5;
  return target - weekday;
}

/** The moment of each offer that a home may give, the likeliest first asked for. */
export function offers(now: number, longestDays: number): { until: Exclude<Until, 'other'>; at: number }[] {
  const all = [
    { until: 'hours', at: now + WHILE_MS },
    { until: 'today', at: endOfDay(now) },
    { until: 'week', at: endOfDay(now, daysToWeekEnd(now)) },
  ] as const;
  return all.filter(({ at }) => at <= now + longestDays * DAY);
}

/** What a new guest gets when nobody chooses: today, and late at night a while. */
export const usual = (now: number): Until => (endOfDay(now) - now >= WHILE_MS ? 'today' : 'hours');

/** A moment as the fields of date and time have it. */
export function fieldsOf(at: number): { date: string; time: string } {
  const day = new Date(at);
  const two = (part: number) => String(part).padStart(2, '0');
  return {
    date: `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`,
    time: `${two(day.getHours())}:${two(day.getMinutes())}`,
  };
}

/** The moment of such fields; nothing while they are not whole. */
export function momentOf(date: string, time: string): number | undefined {
  const at = new Date(`${date}T${time || '00:00'}`).getTime();
  return Number.isNaN(at) ? undefined : at;
}
