import { describe, expect, it } from 'vitest';
import type { Directory } from '../../api/wire';
import { moved, previewOf, type Edit } from './edit';

const bell = (id: string) => ({ bell: id, label: id, unit: '1', entrance: 'A', kind: 'parallel' as const, members: [] });
const directory: Directory = { revision: 'r', building: 'B', address: 'S', panel: 'P', dials: false, bells: [bell('a'), bell('b')] };
const edit: Edit = { label: ' New ', alias: '', kind: 'family', members: ['k', 'o'], listing: 'listed', dial_code: '', hidden: false };
const place = { unit: '7', entrance: 'A', removed: false, names: new Map([['k', 'Kari'], ['o', 'Ola']]) };
const shown = (change: Partial<Edit>, id = 'a', removed = false) => previewOf(directory, id, { ...edit, ...change }, { ...place, removed });

describe('the preview', () => {
  it('shows the button where it stands, as it is typed', () => {
    expect(shown({}).bells.map(({ label }) => label)).toEqual(['New', 'b']);
    expect(shown({}).bells[0]?.members).toEqual([{ member: 'k', label: 'Kari' }, { member: 'o', label: 'Ola' }]);
    expect(shown({ label: ' ' }).bells[0]?.label).toBe('…');
    expect(shown({}, 'c').bells.map((one) => one.bell)).toEqual(['a', 'b', 'c']);
  });

  it('leaves out what the panel will not show', () => {
    for (const off of [shown({ hidden: true }), shown({ listing: 'dial_only' }), shown({}, 'a', true)]) {
      expect(off.bells.map((one) => one.bell)).toEqual(['b']);
    }
    expect(shown({ listing: 'dial_only' }).dials).toBe(true);
    expect(shown({ listing: 'dial_only', hidden: true }).dials).toBe(false);
    expect(shown({ listing: 'search_only', alias: ' X ' }).bells[0]).toMatchObject({ search_only: true, alias: 'X' });
  });
});

describe('moved', () => {
  it('takes a thing to another place and keeps the others in order', () => {
    expect(moved(['a', 'b', 'c'], 0, 2)).toEqual(['b', 'c', 'a']);
    expect(moved(['a', 'b', 'c'], 2, 0)).toEqual(['c', 'a', 'b']);
    expect(moved(['a', 'b'], 5, 0)).toEqual(['a', 'b']);
  });
});
