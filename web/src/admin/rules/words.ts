// Rules as sentences, and times of a day as they are typed.

import type { Door, DoorGroupPart, NewRule, PeopleGroupPart, Rule, Schedule, SchedulePart } from '../../api/http';
import { locale, t } from '../../lib/i18n';
import { nameOf } from '../people/words';

export type Whom = Rule['who'][number];

/** What a rule says, whether it is kept or still being written. */
export type Sentence = Pick<Rule, 'who' | 'doors' | 'when'>;

export function whomInWords(one: Whom): string {
  if (one.who === 'unit') return t('admin-rule-unit', { number: one.number });
  if (one.who === 'person') return one.hidden ? t('admin-rule-hidden') : nameOf(one);
  if (one.who === 'group') return t('admin-rule-group', { name: one.name });
  return t(`admin-rule-${one.who.replace('_', '-')}`);
}

/** Whom and what a rule names, as it is asked for. */
export const bodyOf = ({ name, who, doors, when }: Sentence & { name: string }): NewRule => ({
  name,
  doors,
  when,
  who: who.map((one) => ('id' in one ? { who: one.who, id: one.id } : one))
});

export const list = (words: string[]) => new Intl.ListFormat(locale()).format(words);

/** Somebody in a group. */
export const memberInWords = (one: PeopleGroupPart['members'][number]) => (one.hidden ? t('admin-rule-hidden') : nameOf(one));

/** A day such as `2026-11-30`; it is the same day wherever it is read. */
export const dayInWords = (day: string) => new Intl.DateTimeFormat(locale(), { dateStyle: 'long', timeZone: 'UTC' }).format(Date.parse(day));

/** "Everybody may open Garage, Office hours, until 31 December 2026". */
export function sentence(rule: Sentence, doors: Door[], groups: DoorGroupPart[], schedules: SchedulePart[]): string {
  const who = rule.who.length > 0 ? list(rule.who.map(whomInWords)) : t('admin-rule-nobody');
  const named = rule.doors.map((door) => {
    if (door.which === 'all_doors') return t('admin-rule-all-doors');
    if (door.which === 'group') return t('admin-rule-the-group', { name: groups.find(({ id }) => id === door.id)?.name ?? '…' });
    return doors.find(({ id }) => id === door.id)?.name ?? '…';
  });
  const when = schedules.find(({ id }) => id === rule.when.schedule)?.name ?? t('admin-rule-any-time');
  const parts = [t('admin-rule-sentence', { who, doors: named.length > 0 ? list(named) : t('admin-rule-no-door'), when })];
  if (rule.when.first_day) parts.push(t('admin-rule-from', { day: dayInWords(rule.when.first_day) }));
  if (rule.when.last_day) parts.push(t('admin-rule-until', { day: dayInWords(rule.when.last_day) }));
  return parts.join(', ');
}

/** Minutes after midnight as a clock shows them; 24:00 is the end of the day. */
export const clock = (minute: number) => `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

/** Minutes after midnight of what stands in a field of time. */
export function minutes(text: string): number {
  const [hours = 0, rest = 0] = text.split(':').map(Number);
  return hours * 60 + rest;
}

/** The end of hours: midnight is the end of the day. */
export const endMinutes = (text: string) => minutes(text) || 1440;

/** What a field of time shows of an end. */
export const endClock = (minute: number) => clock(minute === 1440 ? 0 : minute);

/** From one time of a day to another, as they are typed. */
export type TypedSpan = { from: string; until: string };
type Span = Schedule['exceptions'][number]['spans'][number];
export const typedSpan = ({ from, until }: Span): TypedSpan => ({ from: clock(from), until: endClock(until) });
export const spanOf = ({ from, until }: TypedSpan): Span => ({ from: minutes(from), until: endMinutes(until) });
export const spansInWords = (spans: TypedSpan[]) => (spans.length > 0 ? spans.map(({ from, until }) => `${from}–${until}`).join(', ') : t('admin-schedule-closed'));

const DAY_MS = 86_400_000;
export const dayNumber = (day: string) => Math.floor(Date.parse(day) / DAY_MS);
export const dayText = (day: number) => new Date(day * DAY_MS).toISOString().slice(0, 10);

/** The names of the weekdays, Monday first. */
export function weekdays(style: 'short' | 'long'): string[] {
  const format = new Intl.DateTimeFormat(locale(), { weekday: style, timeZone: 'UTC' });
  // 5 January 1970 was a Monday
  return Array.from({ length: 7 }, (_, day) => format.format((day + 4) * DAY_MS));
}
