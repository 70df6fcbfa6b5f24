// Alarms in words.

import type { Alarm, AlarmKind } from '../../api/http';
import { t } from '../../lib/i18n';
import { moment } from '../audit-words';

const dashed = (kind: AlarmKind) => kind.replaceAll('_', '-');

export const whatOf = (kind: AlarmKind) => t(`admin-alarm-${dashed(kind)}`);

/** What to do about it. */
export const helpOf = (kind: AlarmKind) => t(`admin-alarm-help-${dashed(kind)}`);

const AT_READERS: readonly AlarmKind[] = ['wrong_codes', 'duress', 'reader_tamper', 'reader_offline', 'reader_fault', 'reader_power'];

/** At which door, or else which controller, and which of its readers or inputs. Who says a door has said its lock. */
export function whereOf({ kind, door, controller, part }: Pick<Alarm, 'kind' | 'door' | 'controller' | 'part'>): string {
  const place = door?.name ?? controller.name;
  if (typeof part !== 'number' || kind === 'output_fault') return place;
  return `${place}, ${t(AT_READERS.includes(kind) ? 'admin-alarm-reader' : 'admin-alarm-input', { part })}`;
}

const told = ({ at, about }: Alarm['began']) => (about ? `${t('admin-alarm-about')} ${moment(at)}` : moment(at));

/** Since when, from when until when, or just when. */
export function whenOf({ began, ended }: Pick<Alarm, 'began' | 'ended'>): string {
  if (!ended) return t('admin-alarm-since', { moment: told(began) });
  const [from, until] = [told(began), told(ended)];
  return from === until ? from : t('admin-alarm-from-until', { from, until });
}
