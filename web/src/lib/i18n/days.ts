// Dates with the day's name: browsers know bokmål's only.

import { locale } from './texts.svelte';

const NYNORSK: Record<string, string> = { mandag: 'måndag', tirsdag: 'tysdag', lørdag: 'laurdag', søndag: 'sundag' };

/** A date that begins with the day's name, with that name in the reader's language. */
export const ownDay = (words: string) => (locale() === 'nn' ? words.replace(/^\p{L}+/u, (day) => NYNORSK[day] ?? day) : words);
