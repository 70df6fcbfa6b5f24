/** The time as it is written where panels hang: 24 hours, in every language. */
import { locale, tags } from '../lib/i18n';

export function timeOfDay(moment: Date): string {
  return new Intl.DateTimeFormat(tags(), { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(moment);
}

/** The days whose names differ from bokmål's, which the browser knows. */
const NYNORSK: Record<string, string> = { mandag: 'måndag', tirsdag: 'tysdag', lørdag: 'laurdag' };

export function dayAndMonth(moment: Date): string {
  const words = new Intl.DateTimeFormat(tags(), { weekday: 'long', day: 'numeric', month: 'long' }).format(moment);
  return locale() === 'nn' ? words.replace(/^\p{L}+/u, (day) => NYNORSK[day] ?? day) : words;
}
