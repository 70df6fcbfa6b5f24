import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { differing, type PartValues } from './parts';
import { dayAfter, inDays, LONGEST_DAYS, RIGHTS, ROLES } from './role-words';

describe('the table of roles', () => {
  const source = readFileSync('../crates/model/src/rights.rs', 'utf8');
  const snake = (name: string) => name.replace(/(?!^)[A-Z]/g, '_$&').toLowerCase();

  it('says what the server’s says', () => {
    const body = /const fn rights\(self\)[\s\S]*?\n {4}\}\n/.exec(source)?.[0] ?? '';
    const arms = [...body.matchAll(/((?:Self::\w+(?: \| )?)+) => \{?\s*&\[([^\]]*)\]/g)].flatMap(([, roles = '', rights = '']) =>
      roles.split(' | ').map((role) => [snake(role.replace('Self::', '')), rights.split(',').map((one) => snake(one.trim())).filter(Boolean)] as const)
    );
    const server = new Map(arms);
    expect([...server.keys()].sort()).toEqual([...ROLES.map(({ role }) => role), 'operator'].sort());
    for (const { role, rights, personal } of ROLES) {
      expect([...rights].sort(), role).toEqual([...(server.get(role) ?? [])].sort());
      expect(personal, role).toBe(rights.includes('see_people'));
      expect(RIGHTS).toEqual(expect.arrayContaining([...rights]));
    }
  });

  it('ends within what the server takes, whatever the time of day', () => {
    const most = /LONGEST_ROLE_DAYS: u64 = (\d+)/.exec(source)?.[1];
    expect(dayAfter(inDays(LONGEST_DAYS)) - Date.now()).toBeLessThanOrEqual(Number(most) * 86_400_000);
    expect(dayAfter(inDays(0))).toBeGreaterThan(Date.now());
  });
});

describe('a part that is changed', () => {
  it('sends only what differs', () => {
    const before: PartValues = {
      name: 'A', address: '', kind: 'mixed', time_zone: '', holidays: 'none', number: '', entrance: '', doors: ['1'],
      release: '5', extended: '20', open: '30', relock: 'on_close', controller: '', output: '1'
    };
    expect(differing(before, { ...before })).toEqual({});
    expect(differing(before, { ...before, name: 'B', doors: ['1', '2'] })).toEqual({ name: 'B', doors: ['1', '2'] });
    expect(differing(before, { ...before, controller: '' })).toEqual({});
  });
});
