// @vitest-environment node
import { describe, expect, it } from 'vitest';
import { address, match } from './router';

const TABLE = { list: '/admin', one: '/admin/buildings/:building', part: '/admin/buildings/:building/:section' } as const;

describe('router', () => {
  it('finds the page of an address', () => {
    expect(match(TABLE, '/admin/')).toEqual({ page: 'list', parameters: {} });
    expect(match(TABLE, '/admin/buildings/b%2F1/doors')).toEqual({ page: 'part', parameters: { building: 'b/1', section: 'doors' } });
  });

  it('finds nothing for an address that is no page', () => {
    expect(match(TABLE, '/app')).toBeUndefined();
    expect(match(TABLE, '/admin/buildings')).toBeUndefined();
    expect(match(TABLE, '/admin/buildings/%E0%A4%A')).toBeUndefined();
  });

  it('writes an address that it finds again', () => {
    const path = address(TABLE.part, { building: 'Å/1', section: 'doors' });
    expect(path).toBe('/admin/buildings/%C3%85%2F1/doors');
    expect(match(TABLE, path)?.parameters).toEqual({ building: 'Å/1', section: 'doors' });
  });
});
