// The limits of calls between their form and the server, and what they bound.

import type { PhoneLimitsHere } from '../../api/http';

type Limits = PhoneLimitsHere['limits'];

/** The fields that are numbers, each from 1 to this. */
export const MOST = { number_hour: 60, building_hour: 600, tenant_day: 5_000 } as const;
export type Counted = keyof typeof MOST;
export const COUNTED = Object.keys(MOST) as Counted[];

/** The form's values: numbers as they are typed. */
export type LimitsValues = Record<Counted, string> & { countries: number[] };

export const valuesOf = ({ countries, number_hour, building_hour, tenant_day }: Limits): LimitsValues => ({
  countries: [...countries],
  number_hour: String(number_hour),
  building_hour: String(building_hour),
  tenant_day: String(tenant_day)
});

/** A number as it was typed, when it is one from 1 to `most`. */
export function counted(typed: string, most: number): number | undefined {
  const count = /^\d{1,5}$/.test(typed.trim()) ? Number(typed) : 0;
  return count >= 1 && count <= most ? count : undefined;
}

/** What is sent. What is no number is 0, which the server refuses at its field. */
export const limitsOf = ({ countries, ...typed }: LimitsValues): Limits => ({
  countries,
  number_hour: counted(typed.number_hour, MOST.number_hour) ?? 0,
  building_hour: counted(typed.building_hour, MOST.building_hour) ?? 0,
  tenant_day: counted(typed.tenant_day, MOST.tenant_day) ?? 0
});

/** The days of a long month. */
const DAYS = 31;

/** The most calls and minutes of a month with so many calls a day, each as long as the server lets one be. */
export function month(calls: number, { minutes_day, limits }: Pick<PhoneLimitsHere, 'minutes_day' | 'limits'>): { calls: number; minutes: number } {
  // never less than what the server says of the limits in force
  const minutes = Math.ceil((calls * minutes_day) / limits.tenant_day);
  return { calls: calls * DAYS, minutes: minutes * DAYS };
}

/** A price as people write it, with a comma or a point; none while it is none. */
export function price(typed: string): number | undefined {
  const text = typed.trim().replace(',', '.');
  return /^\d{1,6}(\.\d{0,6})?$/.test(text) ? Number(text) : undefined;
}
