// Webhooks in words.

import type { EventKind, Webhook, WebhookTest } from '../../api/http';
import { locale, t } from '../../lib/i18n';

export const EVENTS: readonly EventKind[] = [
  'person.created', 'person.changed', 'person.suspended', 'person.resumed', 'person.deleted',
  'membership.began', 'membership.changed', 'membership.ended',
  'unit.created', 'unit.changed', 'unit.removed',
  'import.applied', 'import.undone',
  'alarm.began'
];

export const eventWords = (event: EventKind) => t(`admin-event-${event.replace('.', '-')}`);

/** Why nothing was taken; an answer that was not 2xx by its status. */
export function failureWords(failure: string): string {
  const status = /^http_(\d+)$/.exec(failure)?.[1];
  return status ? t('admin-webhook-why-http', { status }) : t(`admin-webhook-why-${failure.replaceAll('_', '-')}`);
}

export const moment = (at: number) => new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'short' }).format(at);

/** How it stands, for the eye: a word and a tone. */
export function standing({ enabled, failing_since: since, failure }: Webhook): { tone: 'ok' | 'warn' | 'danger' | 'off'; words: string } {
  if (!enabled) return { tone: 'off', words: t(failure === 'gone' ? 'admin-webhook-gone' : 'admin-webhook-off') };
  if (typeof since !== 'number') return { tone: 'ok', words: t('admin-webhook-on') };
  return { tone: 'danger', words: t('admin-webhook-failing', { since: moment(since), why: failureWords(failure ?? 'no_answer') }) };
}

/** What became of a test. */
export function testWords({ delivered, status, failure }: WebhookTest): string {
  if (delivered) return t('admin-webhook-test-taken', { status: status ?? '' });
  return t('admin-webhook-test-failed', { why: failureWords(failure ?? `http_${status}`) });
}
