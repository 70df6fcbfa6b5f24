// What is wrong with a trunk or with limits, and what to do about it.

import { fieldWords } from '../../lib/api-words';
import { ApiError } from '../../lib/api-problem';
import { t, tags } from '../../lib/i18n';
import { COUNTED, MOST } from './limits';

/** The words at each field of a trunk, by its path; those of the letter where the general ones would not help. */
export function trunkWords(failure: unknown, hosts: readonly string[], port: number): Record<string, string> {
  if (!(failure instanceof ApiError)) return {};
  const better: Record<string, string> = {
    'settings/host not_an_address': t('admin-trunk-host-wrong'),
    'settings/host host_not_allowed': t('admin-trunk-host-refused', { hosts: hosts.join(', ') }),
    'settings/domain not_an_address': t('admin-trunk-host-wrong'),
    'settings/port out_of_range': t('admin-trunk-port-wrong', { port: String(port) }),
    'settings/account required': t('admin-trunk-account-needed'),
    'settings/caller not_a_phone': t('admin-trunk-caller-wrong')
  };
  const found = [...failure.fields].flatMap(([field, code]) => (better[`${field} ${code}`] ? [[field, better[`${field} ${code}`] ?? ''] as const] : []));
  return { ...fieldWords(failure), ...Object.fromEntries(found) };
}

/** The words at each field of the limits. */
export function limitsWords(failure: unknown): Record<string, string> {
  const words = fieldWords(failure);
  for (const field of COUNTED) {
    const path = `limits/${field}`;
    if (words[path]) words[path] = t('admin-phone-range-wrong', { from: '1', to: new Intl.NumberFormat(tags()).format(MOST[field]) });
  }
  if (words['limits/countries']) words['limits/countries'] = t('admin-phone-countries-wrong');
  return words;
}
