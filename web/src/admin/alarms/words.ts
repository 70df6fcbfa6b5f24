// Alarms in words.

import type { Alarm, AlarmKind } from '../../api/http';
import { t } from '../../lib/i18n';
import { moment } from '../audit-words';

const dashed = (kind: AlarmKind) => kind.replaceAll('_', '-');

export const whatOf = (kind: AlarmKind) => t(`admin-alarm-${dashed(kind)}`);

/** What to do about it. */
export const helpOf = (kind: AlarmKind) => t(`admin-alarm-help-${dashed(kind)}`);

/** At which door, or else which controller, and which of its readers, inputs or outputs. */
export function whereOf({ door, controller, part }: Pick<Alarm, 'door' | 'controller' | 'part'>): string {
  const place = door?.name ?? controller.name;
  return typeof part === 'number' ? `${place}, ${t('admin-alarm-part', { part })}` : place;
}

const told = ({ at, about }: Alarm['began']) => (about ? `${t('admin-alarm-about')} ${moment(at)}` : moment(at));

/** Since when, from when until when, or just when. */
export function whenOf({ began, ended }: Pick<Alarm, 'began' | 'ended'>): string {
  if (!ended) return t('admin-alarm-since', { moment: told(began) });
  const [from, until] = [told(began), told(ended)];
  return from === until ? from : t('admin-alarm-from-until', { from, until });
}
