// Words for what went wrong with a request.

import { t } from './i18n';
import { ApiError } from './api-problem';

/** The text of a stable code. A code this page does not know falls back to the server's own words. */
export function wordsOf(code: string, otherwise?: string): string {
  const key = `error-${code.replaceAll('_', '-')}`;
  const words = t(key);
  return words === key ? (otherwise ?? t('error-unknown')) : words;
}

export function wordsOfError(error: unknown): string {
  if (!(error instanceof ApiError)) return t('error-unknown');
  return wordsOf(error.code, error.message === error.code ? undefined : error.message);
}

/** The words at each field, by the field's path. */
export function fieldWords(error: unknown): Record<string, string> {
  if (!(error instanceof ApiError)) return {};
  return Object.fromEntries([...error.fields].map(([field, code]) => [field, wordsOf(code)]));
}
