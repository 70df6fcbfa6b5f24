// What cards and those who have them are called on the screen.

import type { Card } from '../../api/http';
import { t } from '../../lib/i18n';

/** Who wants no name is called by where they live. */
export function holderOf({ holder }: Card): string {
  if (holder.name) return holder.name;
  const unit = holder.homes[0];
  return unit ? t('admin-person-anonymous-in', { unit }) : t('admin-person-anonymous');
}

/** Whether it opens, and if not, by whom. */
export const stateOf = ({ blocked_by: by }: Card) => (by ? t(`admin-card-blocked-${by}`) : t('admin-card-opens'));
