// Records of use in words.

import type { UseRecord, RecordReading } from '../../api/http';
import { t } from '../../lib/i18n';
import { outcomeOf } from '../../lib/record-words';
import { moment } from '../audit-words';

/** When; about when while the clock of the door was not believed. */
export const whenOf = ({ at, about }: Pick<UseRecord, 'at' | 'about'>) => (about ? `${t('admin-alarm-about')} ${moment(at)}` : moment(at));

/** Who; somebody who is deleted has no name, and a guest may have none. */
export function whoOf({ kind, name }: UseRecord['who']): string {
  if (kind === 'gone') return t('admin-audit-gone');
  if (kind === 'guest') return name ? t('admin-record-guest', { name }) : t('admin-record-a-guest');
  return name ?? t('admin-person-anonymous');
}

/** About whom somebody read, at which door and of which time. */
export function about({ person, door, from, until }: Pick<RecordReading, 'person' | 'door' | 'from' | 'until'>): string {
  const parts = [person ? t('admin-records-about', { name: person.name ?? t('admin-person-anonymous') }) : t('admin-records-about-all')];
  if (door) parts.push(door.name);
  if (from || until) parts.push(`${from ? moment(from) : '…'} – ${until ? moment(until) : '…'}`);
  return parts.join(' · ');
}

export { outcomeOf };
