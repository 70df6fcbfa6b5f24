// A test call between its dialog and the server. Apart from the other operations: only this page needs it.

import type { components } from '../../api/schema';
import { answer, client } from '../../lib/api';

export type TestCall = components['schemas']['TestCall'];

const of = (trunk: string) => ({ params: { path: { trunk } } });

export const testCalls = {
  /** Calls this number over the trunk. */
  begin: (trunk: string, number: string) => answer(client.POST('/api/v1/trunks/{trunk}/test-call', { ...of(trunk), body: { number } })),
  /** How it goes. */
  show: (trunk: string) => answer(client.GET('/api/v1/trunks/{trunk}/test-call', of(trunk))),
  /** Hangs it up. */
  end: (trunk: string) => answer(client.DELETE('/api/v1/trunks/{trunk}/test-call', of(trunk)))
};

/** What is to be said of a call, in the order in which it happened. `warn`: it works, and something is not right. */
export type Step = { key: string; tone: 'ok' | 'warn' | 'danger'; args?: Record<string, string> };

/** The steps of a call so far. */
export function steps({ rang, answered, encrypted, one_way, key, ended }: TestCall): Step[] {
  const told: Step[] = [{ key: 'admin-trunk-test-sent', tone: 'ok' }];
  if (rang) told.push({ key: 'admin-trunk-test-rang', tone: 'ok' });
  if (answered) told.push({ key: 'admin-trunk-test-answered', tone: 'ok' });
  if (encrypted !== undefined) told.push({ key: encrypted ? 'admin-trunk-test-encrypted' : 'admin-trunk-test-open', tone: 'ok' });
  if (one_way) told.push({ key: 'admin-trunk-test-one-way', tone: 'warn' });
  if (key) told.push({ key: `admin-trunk-test-key-${key.way}`, tone: key.way === 'tone' ? 'warn' : 'ok', args: { key: key.key } });
  if (ended) told.push({ key: `admin-trunk-test-end-${ended.replaceAll('_', '-')}`, tone: ended === 'done' ? 'ok' : ended === 'given_up' ? 'warn' : 'danger' });
  return told;
}
