// What came of one use of a door, in words: the same for whoever used it and for whoever reads of it.

import { t } from './i18n';

/** Opened, or refused and why; a reason that these pages do not know stays out. */
export function outcomeOf({ outcome, reason }: { outcome: 'opened' | 'refused' | 'failed'; reason?: string | null | undefined }): string {
  if (outcome !== 'refused') return t(`app-use-${outcome}`);
  if (!reason) return t('app-use-refused');
  const key = `app-use-${reason.replaceAll('_', '-')}`;
  const why = t(key);
  return why === key ? t('app-use-refused') : t('app-use-refused-why', { why });
}
