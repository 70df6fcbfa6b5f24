// The wiring of a door in words. What no controller has told is said to be so.

import type { Wiring } from '../../api/http';
import { t } from '../../lib/i18n';

/** What the lock does without power. */
export function withoutPower(wiring: Wiring | undefined): string {
  if (wiring?.handed_on) return t('admin-lock-other');
  return t(`admin-lock-${wiring?.lock?.replace('_', '-') ?? 'unknown'}`);
}

/** Why the door can not stand open, where that is known. */
export function cannotHold(wiring: Wiring | undefined): string | undefined {
  if (!wiring || wiring.holds) return undefined;
  return t(wiring.handed_on ? 'admin-door-handed' : 'admin-door-timer');
}
