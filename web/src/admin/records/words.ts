// Records of use in words.

import type { AccessRecord, RecordReading } from '../../api/http';
import { t } from '../../lib/i18n';
import { outcomeOf } from '../../lib/record-words';
import { moment } from '../audit-words';

/** When; about when while the clock of the door was not believed. */
export const whenOf = ({ at, about }: Pick<AccessRecord, 'at' | 'about'>) => (about ? `${t('admin-alarm-about')} ${moment(at)}` : moment(at));

/** Who; somebody who is deleted has no name, and a guest may have none. */
export function whoOf({ kind, name }: AccessRecord['who']): string {
  if (kind === 'gone') return t('admin-audit-gone');
  if (kind === 'guest') return name ? t('admin-record-guest', { name }) : t('admin-record-a-guest');
  return name ?? t('admin-person-anonymous');
}

/** About whom somebody read. */
export const about = ({ about: whom }: RecordReading) => (whom ? t('admin-records-about', { name: whom.name ?? t('admin-audit-gone') }) : t('admin-records-about-all'));

export { outcomeOf };
