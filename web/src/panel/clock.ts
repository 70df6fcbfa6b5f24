/** The time as it is written where panels hang: 24 hours, in every language. */
import { locale } from '../lib/i18n';

export function timeOfDay(moment: Date): string {
  return new Intl.DateTimeFormat(locale(), { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(moment);
}

export function dayAndMonth(moment: Date): string {
  // English as it is written in Europe: the day before the month
  const language = locale() === 'en' ? 'en-GB' : locale();
  return new Intl.DateTimeFormat(language, { weekday: 'long', day: 'numeric', month: 'long' }).format(moment);
}
