import { locale, t } from '../lib/i18n';
import type { Uses } from './parts';

/** "12 homes and 2 panels": those that there are any of. Empty for none. */
export function usesInWords(uses: Uses, which: readonly (keyof Uses)[]): string {
  const words = which.filter((one) => uses[one] > 0).map((one) => t(`admin-uses-${one}`, { count: uses[one] }));
  return new Intl.ListFormat(locale()).format(words);
}
