/** The time as it is written where panels hang: 24 hours, in every language. */
import { ownDay, tags } from '../lib/i18n';

export function timeOfDay(moment: Date): string {
  return new Intl.DateTimeFormat(tags(), { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(moment);
}

export function dayAndMonth(moment: Date): string {
  return ownDay(new Intl.DateTimeFormat(tags(), { weekday: 'long', day: 'numeric', month: 'long' }).format(moment));
}
