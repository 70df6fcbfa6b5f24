// The roles as the pages offer and explain them. The server's table decides; a test holds this one beside it.

import type { Right, Role } from '../api/http';
import { t } from '../lib/i18n';

interface RoleKind {
  role: Role;
  rights: readonly Right[];
  /** For one building, for all, or for either. */
  where: 'one' | 'all' | 'both';
  /** It reaches personal data: it ends, and asks for confidentiality. */
  personal: boolean;
}

const ALL: readonly Right[] = ['see_building', 'see_people', 'change_people', 'change_building', 'devices', 'roles', 'audit', 'read_records'];

/** Roles that are given on a page, the narrowest first: who looks for one that is enough finds it before the others. */
export const ROLES: readonly RoleKind[] = [
  { role: 'caretaker', rights: ['see_building', 'devices'], where: 'both', personal: false },
  { role: 'auditor', rights: ['see_building', 'see_people', 'audit'], where: 'both', personal: true },
  { role: 'building_administrator', rights: ALL, where: 'one', personal: true },
  { role: 'manager', rights: ALL, where: 'all', personal: true }
];

/** What the matrix shows, in its order. */
export const RIGHTS = ALL;

/** The longest that a role with access to personal data lasts from today on. */
export const LONGEST_DAYS = 364;

export const roleName = (role: string) => t(`admin-role-${role.replaceAll('_', '-')}`);

/** A day from today on, as an input of dates takes it. */
export function inDays(days: number): string {
  const day = new Date();
  day.setDate(day.getDate() + days);
  return [day.getFullYear(), day.getMonth() + 1, day.getDate()].map((part) => String(part).padStart(2, '0')).join('-');
}

/** The first moment after a day, in this browser's time zone. */
export function dayAfter(day: string): number {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
  return new Date(year, month - 1, date + 1).getTime();
}
