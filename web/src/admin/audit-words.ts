// What administrators changed, in words: names where the entries have ids, fields and values as a person reads them.

import type { AuditEntry, AuditName } from '../api/http';
import { locale, t } from '../lib/i18n';
import { sectionAddress } from './routes';

/** What an entry can be about: what its action begins with. */
export const KINDS = ['person', 'home', 'move', 'import', 'role', 'building', 'entrance', 'unit', 'door', 'alarm', 'records', 'rule', 'people_group', 'door_group', 'schedule', 'card', 'bell', 'panel', 'controller', 'policy', 'webhook', 'token', 'trunk', 'phones', 'number'] as const;

export type Names = Record<string, AuditName>;

/** The first of these texts that there is, or what stands in the entry. */
function firstOf(raw: string, ...keys: string[]): string {
  for (const key of keys) {
    const found = t(key);
    if (found !== key) return found;
  }
  return raw;
}

const dashed = (word: string) => word.replaceAll(/[._]/g, '-');

/** What happened; an action that these pages do not know as it is. */
export const actionWords = (action: string) => firstOf(action, `admin-audit-${dashed(action)}`);

/** A field; those of a policy are called what its page calls them. */
export const fieldWords = (field: string) => firstOf(field, `admin-audit-field-${dashed(field)}`, `admin-policy-${dashed(field)}`, ...(POLICY[field] ?? []));

/** What the page of the policy calls by a shorter name. */
const POLICY: Record<string, string[]> = { bell_kinds: ['admin-policy-kinds'], button_order: ['admin-policy-order'] };

/** Where the words of a field's values stand. */
const VALUES: Record<string, string[]> = {
  role: ['admin-role-'],
  events: ['admin-event-'],
  kind: ['admin-kind-', 'admin-bell-', 'admin-door-kind-'],
  bell_kinds: ['admin-bell-'],
  listing: ['admin-bell-'],
  button_order: ['admin-policy-order-'],
  phones: ['admin-policy-phones-'],
  rights: ['admin-right-'],
  relock: ['admin-door-'],
  who: ['admin-rule-'],
  which: ['admin-rule-'],
  holidays: ['admin-holidays-'],
  tier: ['admin-card-tier-'],
  alarm: ['admin-alarm-'],
};


export const moment = (at: number) => new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'short' }).format(at);

const day = (at: number, timeZone?: string) => new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', ...(timeZone && { timeZone }) }).format(at);

/** A value as a person reads it. */
export function valueWords(field: string, value: unknown, names: Names): string {
  if (value === undefined || value === null || value === '') return '';
  if (typeof value === 'boolean') return t(value ? 'admin-audit-yes' : 'admin-audit-no');
  if (typeof value === 'number') {
    if (field.endsWith('_at')) return moment(value);
    // minutes after midnight
    if (field === 'from' || field === 'until') return `${String(Math.floor(value / 60)).padStart(2, '0')}:${String(value % 60).padStart(2, '0')}`;
    return field.endsWith('_day') ? day(value * 86_400_000, 'UTC') : String(value);
  }
  if (typeof value === 'string') {
    return names[value]?.name ?? firstOf(value, ...(VALUES[field] ?? []).map((words) => words + dashed(value)));
  }
  if (Array.isArray(value)) return value.map((one) => valueWords(field, one, names)).join(value.some((one) => typeof one === 'object') ? '; ' : ', ');
  return Object.entries(value)
    .map(([inner, one]) => `${fieldWords(inner)}: ${valueWords(inner, one, names)}`)
    .join(', ');
}

export interface FieldChange {
  field: string;
  from: string;
  to: string;
}

/** Field by field what was and what is, of what differs. Whom it is about stands in the heading already. */
export function changesOf({ before, after, persons }: AuditEntry, names: Names): FieldChange[] {
  const [was, is] = [before ?? {}, after ?? {}] as [Record<string, unknown>, Record<string, unknown>];
  return [...new Set([...Object.keys(was), ...Object.keys(is)])]
    .filter((field) => JSON.stringify(was[field]) !== JSON.stringify(is[field]))
    // ids of what has no name
    .filter((field) => !['webhook', 'move', 'card', 'trunk', 'trunks'].includes(field))
    .filter((field) => !(field === 'person' && persons.includes(String(is[field] ?? was[field]))))
    .map((field) => ({ field: fieldWords(field), from: valueWords(field, was[field], names), to: valueWords(field, is[field], names) }))
    .filter(({ from, to }) => from !== to);
}

export interface Named {
  id: string;
  name: string;
  to?: string | undefined;
}

/** Whom an entry names; the page of each who still has one. */
export const personsOf = (entry: AuditEntry, names: Names): Named[] =>
  entry.persons.map((id) => {
    const named = names[id];
    const building = named?.building;
    return { id, name: named?.name ?? t('admin-audit-gone'), to: building ? `${sectionAddress(building, 'people')}?person=${id}` : undefined };
  });

/** Who did it, and by which role. */
export function actorOf({ actor, actor_name: name, role, token }: AuditEntry): string {
  if (token) return `${name ?? t('admin-audit-gone')} · ${t('admin-token-secret')}`;
  if (!actor) return t('admin-audit-service');
  const who = name ?? t('admin-audit-somebody');
  return role && role !== 'none' ? `${who} · ${firstOf(role, `admin-role-${dashed(role)}`)}` : who;
}

/** The days of a filter as moments; the last one counts. */
export function period(from: string, until: string): { from?: number; until?: number } {
  const [first, last] = [Date.parse(`${from}T00:00`), new Date(`${until}T00:00`)];
  last.setDate(last.getDate() + 1);
  return { ...(from && !Number.isNaN(first) && { from: first }), ...(until && !Number.isNaN(last.getTime()) && { until: last.getTime() }) };
}
