// Why somebody may open a door, in words.

import type { Because } from '../../api/http';
import { locale, t } from '../../lib/i18n';

export const dayOf = (at: number) => new Intl.DateTimeFormat(locale(), { dateStyle: 'medium' }).format(at);

export function because(one: Because): string {
  if (one.by === 'home') return t('admin-opens-home', { unit: one.number, building: one.building_name });
  if (one.by === 'rule') return one.hours ? t('admin-opens-rule-hours', { name: one.name, hours: one.hours }) : t('admin-opens-rule', { name: one.name });
  const role = t(`admin-role-${one.role.replaceAll('_', '-')}`);
  const where = t(one.everywhere ? 'admin-role-everywhere' : 'admin-role-here');
  return typeof one.ends_at === 'number'
    ? t('admin-opens-role-until', { role, where, day: dayOf(one.ends_at) })
    : t('admin-opens-role', { role, where });
}
