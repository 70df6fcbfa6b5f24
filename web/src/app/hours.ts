// The rows of a timetable as a form has them.

import type { Schedule, Timetable } from '../api/http';

export interface Row {
  /** Tells rows apart while they are edited. */
  key: number;
  /** 0 is Monday. */
  days: number[];
  /** As the browser's time fields have it: `22:00`. */
  from: string;
  until: string;
}

/** Minutes after midnight as a time field has them; 1440 is midnight too. */
export const clock = (minute: number): string =>
  `${String(Math.floor(minute / 60) % 24).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

/** Minutes after midnight of a time field; 0 when it is empty. */
export function minuteOf(time: string): number {
  const [, hour, minute] = /^(\d\d):(\d\d)/.exec(time) ?? [];
  return Number(hour ?? 0) * 60 + Number(minute ?? 0);
}

export const rowsOf = (hours: Timetable): Row[] =>
  hours.rows.map(({ days, from, until }, key) => ({ key, days: [...days], from: clock(from), until: clock(until) }));

/** A new row: the night, every day. */
export const newRow = (rows: readonly Row[]): Row => ({
  key: Math.max(-1, ...rows.map(({ key }) => key)) + 1,
  days: [0, 1, 2, 3, 4, 5, 6],
  from: '22:00',
  until: '07:00',
});

/** Rows as a schedule: what it says of holidays and single days stays. */
export const scheduleOf = (rows: readonly Row[], before?: Schedule | null): Schedule => ({
  holidays: before?.holidays ?? { are: 'as_usual' },
  exceptions: before?.exceptions ?? [],
  hours: rows.map(({ days, from, until }) => ({ days: [...days].sort(), from: minuteOf(from), until: minuteOf(until) || 1_440 })),
});

/** The rows of such a schedule. */
export const rowsOfSchedule = (schedule?: Schedule | null): Row[] =>
  (schedule?.hours ?? []).map(({ days, from, until }, key) => ({ key, days: [...days], from: clock(from), until: clock(until) }));

/** One row more, of working days. */
export const workingHours = (rows: readonly Row[]): Row => ({
  key: Math.max(-1, ...rows.map(({ key }) => key)) + 1,
  days: [0, 1, 2, 3, 4],
  from: '08:00',
  until: '17:00',
});
