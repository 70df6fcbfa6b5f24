// Where the command palette's entries come from. A part of the administration that has something to find adds a
// function here; each is asked for every text (see `Provider`).

import type { QueryClient } from '@tanstack/svelte-query';
import type { Building, Person, Session } from '../../api/http';
import { api } from '../../lib/api';
import { t } from '../../lib/i18n';
import { nameOf } from '../people/words';
import * as queries from '../queries';
import { may, sectionAddress, sectionsOf } from '../routes';
import { afterVerb, type Asked, type Entry, type Provider } from './palette';

/** Whatever a list has, or nothing while it can not be fetched: the palette is no place for its errors. */
async function orNone<Row>(list: Promise<Row[]>): Promise<Row[]> {
  try {
    return await list;
  } catch {
    return [];
  }
}

/** "unit 101" asks for 101. */
function withoutKind(text: string): string {
  const kind = t('admin-unit').toLowerCase();
  return text.split(/\s+/).filter((word) => !kind.startsWith(word.toLowerCase())).join(' ') || text;
}

/** The parts of the open building that this person may see. */
const sections = (session: Session, { building }: Asked, kind: Building['kind'] | undefined): Entry[] =>
  building === undefined
    ? []
    : sectionsOf(session, building, kind).map((section) => ({
        id: section,
        kind: 'section',
        title: t(`admin-section-${section}`),
        go: sectionAddress(building, section),
        first: true
      }));

/** What this person can begin in the open building. */
const actions = (session: Session, { building }: Asked): Entry[] =>
  building === undefined || !may(session, 'devices', building)
    ? []
    : (
        [
          ['panels', 'admin-panel-add'],
          ['controllers', 'admin-controller-add']
        ] as const
      ).map(([section, words]) => ({
        id: words,
        kind: 'action',
        title: t(words),
        go: `${sectionAddress(building, section)}?add=yes`,
        first: true
      }));

/** As many people as one looks through in a list that goes on changing. */
const PEOPLE = 8;

/** A person's page in the building where they live, else in the open one. */
const peopleAddress = (person: Person, building: string | undefined, query: string) => {
  const at = person.homes.find((home) => home.building === building) ?? person.homes[0];
  const place = at?.building ?? building;
  return place === undefined ? undefined : `${sectionAddress(place, 'people')}?${query}`;
};

const homesOf = ({ homes }: Person) => homes.map(({ number, building_name }) => `${number} ${building_name}`).join(', ');

/** People in every building that this person administers, those of no building excepted while none is open. */
async function people({ text, building }: Asked): Promise<Entry[]> {
  const { items } = await api.people({ text, limit: PEOPLE });
  return items.flatMap((person): Entry[] => {
    const go = peopleAddress(person, building, `person=${person.id}`);
    return go ? [{ id: person.id, kind: 'person', title: nameOf(person), more: homesOf(person), go }] : [];
  });
}

/** "move out berg": the move of whoever lives somewhere and is found by "berg". */
async function moves({ text, building }: Asked): Promise<Entry[]> {
  const verb = t('admin-move-out');
  const whom = afterVerb(text, verb);
  if (!whom) return [];
  const { items } = await api.people({ text: whom, limit: PEOPLE });
  return items.flatMap((person) =>
    person.homes
      .filter((home) => home.last_day === undefined || home.last_day === null)
      .map((home): Entry => ({
        id: `${person.id}-${home.unit}`,
        kind: 'action',
        title: `${verb}: ${nameOf(person)}`,
        more: home.building === building ? home.number : `${home.number} ${home.building_name}`,
        go: `${sectionAddress(home.building, 'people')}?move=${home.unit}`
      }))
  );
}

export function providers(client: QueryClient, session: Session): Provider[] {
  const buildings = () => orNone(client.ensureQueryData(queries.buildings()));
  return [
    { find: (asked) => sections(session, asked, client.getQueryData(queries.buildings().queryKey)?.find(({ id }) => id === asked.building)?.kind) },
    { find: (asked) => actions(session, asked) },
    { find: people, remote: true },
    { find: moves, remote: true },
    {
      find: async () =>
        (await buildings()).map(({ id, name, address }) => ({ id, kind: 'building', title: name, more: address, go: sectionAddress(id, 'overview') }))
    },
    {
      remote: true,
      find: async ({ building, text }) => {
        if (building === undefined || text === '') return [];
        const [units, entrances] = await Promise.all([
          orNone(api.units(building, { text: withoutKind(text), limit: 8 }).then(({ items }) => items)),
          orNone(client.ensureQueryData(queries.entrances(building)))
        ]);
        const entrance = new Map(entrances.map(({ id, name }) => [id, name]));
        return units.map(({ id, number, entrance: at }) => ({
          id,
          kind: 'unit',
          title: number,
          more: entrance.get(at) ?? '',
          also: t('admin-unit'),
          go: `${sectionAddress(building, 'units')}?text=${encodeURIComponent(number)}`
        }));
      }
    },
    {
      find: async ({ building, text }) => {
        if (building === undefined || text === '') return [];
        return (await orNone(client.ensureQueryData(queries.doors(building)))).map(({ id, name }) => ({
          id,
          kind: 'door',
          title: name,
          more: t('admin-section-doors'),
          go: sectionAddress(building, 'doors')
        }));
      }
    }
  ];
}
