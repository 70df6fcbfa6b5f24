// When a door opens for somebody next, from what the server told ahead of their rights.

import type { AppDoor } from '../api/wire';
import { ownDay, tags } from '../lib/i18n';

/** The moment from which it opens again, UTC milliseconds; nothing while it opens, or when nobody knows. */
export function opensNext({ hours }: Pick<AppDoor, 'hours'>, now: number): number | undefined {
  if (!hours || hours.some(({ from, until }) => from <= now && now < until)) return undefined;
  return hours.find(({ from }) => now < from)?.from;
}

/** The next moment at which that changes. */
export const changesAt = ({ hours }: Pick<AppDoor, 'hours'>, now: number): number | undefined =>
  hours?.flatMap(({ from, until }) => [from, until]).find((edge) => now < edge);

/** A moment of the days to come, such as "Monday 07:00". */
export const soon = (at: number): string =>
  ownDay(new Intl.DateTimeFormat(tags(), { weekday: 'long', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at));
