import { describe, expect, it } from 'vitest';
import type { DirectoryBell } from '../api/wire';
import { arrange, codeOf, entries, fold, liveKeys, narrow, ownStair, surname, typable, type Entry } from './search';

function bell(label: string, unit = '1', entrance = 'A', members: string[] = []): DirectoryBell {
  return {
    bell: `${label}-${unit}`,
    label,
    unit,
    entrance,
    kind: members.length ? 'family' : 'individual',
    members: members.map((name) => ({ member: name, label: name })),
  };
}

const labels = (found: readonly Entry[]) => found.map((entry) => entry.bell.label);

describe('fold', () => {
  it('takes Nordic letters and accents to what a stranger would type', () => {
    expect(fold('Bjørnstad')).toBe('bjornstad');
    expect(fold('ÖBERG Ängström')).toBe('oberg angstrom');
    expect(fold('Ås')).toBe('as');
    expect(fold('Sæther')).toBe('saether');
    expect(fold('Ŋiŋŋe Đorđe Łuczak')).toBe('ninne dorde luczak');
    expect(fold('e\u0301clair')).toBe('eclair');
  });
});

describe('buttons that do not stand among the others', () => {
  const all = entries([bell('Berg', '2101'), { ...bell('Lind', '2102'), search_only: true, alias: 'Tannlege Åse' }]);

  it('are found by text, apartment and alias, and shown by nothing else', () => {
    expect(labels(narrow(all, { query: '' }))).toEqual(['Berg']);
    for (const query of ['lin', '2102', 'tann', 'ase']) expect(labels(narrow(all, { query }))).toEqual(['Lind']);
  });

  it('are dialled by 4 to 8 digits where the panel has such', () => {
    const filter = { query: '471', dials: true };
    expect([...liveKeys(all, filter, [...'1a'])]).toEqual(['1']);
    expect([...liveKeys(all, { ...filter, dials: false }, [...'1a'])]).toEqual([]);
    expect(typable(all, { ...filter, query: '123456789' })).toBe('12345678');
    expect(['471', '4711', '12345678', '47a1'].map((query) => codeOf({ query, dials: true }))).toEqual([undefined, '4711', '12345678', undefined]);
    expect(codeOf({ query: '4711' })).toBeUndefined();
  });
});

describe('surname', () => {
  it.each([
    ['Berg / Lind', 'Berg'],
    ['Andersson, Kari', 'Andersson'],
    ['Kari Andersson', 'Andersson'],
    ['K. Haugen', 'Haugen'],
    ['Berg & Dahl', 'Berg'],
    ['Solveig og Per Moen', 'Moen'],
    ['Berg og Dahl', 'Berg'],
    ['Nordlys Regnskap AS', 'Regnskap'],
    ['Lind', 'Lind'],
  ])('%s → %s', (label, expected) => expect(surname(label)).toBe(expected));
});

describe('narrow', () => {
  const all = entries([
    bell('Østby, Nils', '2101', 'B'),
    bell('Oberg', '2102'),
    bell('Lund / Olsen', '2103'),
    bell('Café Nord', '1', 'A', ['Frida Nilsen']),
  ]);

  it('finds by the beginning of any word, with or without the right letters', () => {
    expect(labels(narrow(all, { query: 'ost' }))).toEqual(['Østby, Nils']);
    expect(labels(narrow(all, { query: 'øs' }))).toEqual(['Østby, Nils']);
    expect(labels(narrow(all, { query: 'ols' }))).toEqual(['Lund / Olsen']);
    expect(labels(narrow(all, { query: 'stby' }))).toEqual([]);
  });

  it('finds by apartment, and by a member of a family or business', () => {
    expect(labels(narrow(all, { query: '2102' }))).toEqual(['Oberg']);
    expect(labels(narrow(all, { query: 'frida' }))).toEqual(['Café Nord']);
  });

  it('puts those first whose surname it is', () => {
    expect(labels(narrow(all, { query: 'o' }))).toEqual(['Østby, Nils', 'Oberg', 'Lund / Olsen']);
    expect(labels(narrow(all, { query: 'n' }))).toEqual(['Café Nord', 'Østby, Nils']);
  });

  it('keeps to a stair', () => {
    expect(labels(narrow(all, { query: 'o', stair: 'B' }))).toEqual(['Østby, Nils']);
  });
});

describe('the keyboard', () => {
  const all = entries([bell('Åberg', '2101'), bell('Berg', '2102')]);

  it('has only keys that leave something', () => {
    expect([...liveKeys(all, { query: '' }, [...'abcå12'])]).toEqual(['a', 'b', 'å', '2']);
    expect([...liveKeys(all, { query: 'b' }, [...'abe'])]).toEqual(['e']);
  });

  it('can not be made to find nothing', () => {
    expect(typable(all, { query: 'berx' })).toBe('ber');
    expect(typable(all, { query: 'xyz' })).toBe('');
    expect(typable(all, { query: 'Aber' })).toBe('Aber');
  });
});

describe('arrange', () => {
  const all = entries([...Array.from({ length: 14 }, (_, n) => bell(`Andersson, ${n}`, `${n}`)), bell('Berg')]);

  it('folds a shared surname only when the hits do not fit', () => {
    const folded = arrange(all, 12).map((item) => (item.kind === 'group' ? `${item.surname} ${item.count}` : item.kind));
    expect(folded).toEqual(['Andersson 14', 'bell']);
    expect(arrange(all, 20)).toHaveLength(15);
  });

  it('shows everybody of a surname once it is chosen', () => {
    const group = narrow(all, { query: '', group: 'andersson' });
    expect(arrange(group, 12, 'andersson').every((item) => item.kind === 'bell')).toBe(true);
  });
});

describe('ownStair', () => {
  it('is the stair with the name of the panel, when there is a choice', () => {
    const two = [bell('X', '1', 'A'), bell('Y', '2', 'B')];
    expect(ownStair('Entrance B', two)).toBe('B');
    expect(ownStair('B', two)).toBe('B');
    expect(ownStair('Garage', two)).toBeUndefined();
    expect(ownStair('Entrance A', two.slice(0, 1))).toBeUndefined();
  });
});

/** Surnames as frequent as they are in Norway and Sweden: a few very common ones, and a long tail. */
const COMMON =
  'Andersson Johansson Karlsson Nilsson Eriksson Larsson Olsson Persson Svensson Gustafsson Hansen Johansen Olsen Larsen Andersen Pedersen Nilsen Kristiansen Jensen Karlsen'.split(' ');
const TAIL =
  'Aas Aasen Abdi Ahmed Ali Amundsen Antonsen Arnesen Aune Bakke Bakken Berg Berge Berggren Bergström Berntsen Birkeland Bjerke Bjørk Björk Blom Bråten Brekke Bøe Christensen Dahl Dahlberg Danielsen Ekström Eide Eliassen Ellingsen Engen Eriksen Evensen Falk Fjeld Forsberg Foss Fredriksen Fransson Gulbrandsen Gundersen Haga Hagen Halvorsen Hassan Haug Haugen Hauge Helgesen Henriksen Hermansen Holm Holmberg Holmström Hussain Håkansson Isaksen Iversen Jacobsen Jakobsen Jakobsson Jansson Jonsson Jönsson Khan Knudsen Kristensen Kristoffersen Lie Lind Lindberg Lindgren Lindqvist Lindström Lorentzen Lund Lunde Lundberg Lundgren Lundqvist Lundström Lökken Løken Martinsen Mathisen Mikkelsen Moe Moen Mohamed Mortensen Myhre Myklebust Mårtensson Nguyen Nordin Norberg Nygård Nyberg Næss Ness Nilsson Nordström Næss Olofsson Ottosson Paulsen Petersen Pettersen Pettersson Rasmussen Roth Ruud Rønning Samuelsen Sandberg Sandvik Simonsen Sjöberg Sjögren Skaar Skoglund Solberg Solheim Solli Steen Strand Strøm Ström Sund Sundberg Sunde Svendsen Sæther Sætre Sørensen Söderberg Tangen Thomassen Thorsen Tveit Vik Viken Wallin Wiik Wikström Winther Åberg Åkesson Öberg Østby Østlie Ås'.split(' ');
const FIRST = 'Anna Bo Cecilie David Elin Fredrik Grete Hanna Ida Jonas Kari Lars Maria Nils Ola Per Rolf Sara Tom Vera'.split(' ');

/** A fixed sequence of numbers in [0, 1): the same town at every run. */
function sequence(seed: number) {
  let value = seed;
  return () => {
    value = (Math.imul(value, 1_664_525) + 1_013_904_223) >>> 0;
    return value / 2 ** 32;
  };
}

function town(size: number, seed: number): Entry[] {
  const next = sequence(seed);
  const pick = (from: readonly string[]) => from[Math.floor(next() * from.length)] ?? '';
  const name = () => pick(next() < 0.35 ? COMMON : TAIL);
  const bells = Array.from({ length: size }, (_, n) => {
    const label = next() < 0.3 ? `${name()} / ${name()}` : `${name()}, ${pick(FIRST)}`;
    return bell(label, `${1000 + n}`);
  });
  return entries(bells.sort((a, b) => a.label.localeCompare(b.label, 'sv')));
}

/** Taps on letters and surnames until the wanted name is among the first `slots` on the screen. */
function tapsTo(wanted: Entry, all: readonly Entry[], slots: number): number {
  const spelt = fold(wanted.surname);
  let group: string | undefined;
  let query = '';
  for (let taps = 0; taps < 12; taps += 1) {
    const shown = arrange(narrow(all, { query, group }), slots, group).slice(0, slots);
    if (shown.some((item) => item.kind === 'bell' && item.entry === wanted)) return taps;
    if (group === undefined && shown.some((item) => item.kind === 'group' && item.key === wanted.key)) group = wanted.key;
    else query = spelt.slice(0, query.length + 1);
  }
  return Infinity;
}

function percentile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Infinity;
}

describe('taps until the name shows', () => {
  const seeds = [1, 2, 3, 4, 5];

  it('are at most 3 for nine of ten among 400 households', () => {
    for (const seed of seeds) {
      const all = town(400, seed);
      const taps = all.map((entry) => tapsTo(entry, all, 12));
      expect(percentile(taps, 0.9)).toBeLessThanOrEqual(3);
      expect(percentile(taps, 0.5)).toBeLessThanOrEqual(2);
    }
  });

  it('are at most 2 for everybody in a stair of 80', () => {
    for (const seed of seeds) {
      const all = town(80, seed);
      expect(Math.max(...all.map((entry) => tapsTo(entry, all, 12)))).toBeLessThanOrEqual(2);
    }
  });
});
