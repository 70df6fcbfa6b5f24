// How the number of a card is written: proposed from what was typed, for a person to say. Nothing is decided here.

import type { CardView } from '../api/http';

export const VIEWS = ['serial', 'wiegand26', 'wiegand34', 'bits'] as const satisfies readonly CardView[];

/** What the number looks like; nothing where it could be anything. */
export function proposed(text: string): CardView | undefined {
  const typed = text.trim();
  if (/^\d{1,3}:[\da-f ]{6,}$/i.test(typed)) return 'bits';
  const two = /^(\d{1,5})[-,:/.\s]\s*(\d{1,5})$/.exec(typed);
  if (two) return Number(two[1]) > 255 ? 'wiegand34' : 'wiegand26';
  // ten digits, as desk readers type facility and number together: more than 24 bits hold is the longer one
  if (/^\d{10}$/.test(typed)) return Number(typed) < 2 ** 24 ? 'wiegand26' : 'wiegand34';
  const digits = typed.replaceAll(/[:\-. ]/g, '');
  return /^[\da-f]+$/i.test(digits) && [8, 14, 20].includes(digits.length) ? 'serial' : undefined;
}
