// Where the command palette's entries come from. A part of the administration that has something to find adds a
// function here; each is asked for every text (see `Provider`).

import type { QueryClient } from '@tanstack/svelte-query';
import { t } from '../../lib/i18n';
import * as queries from '../queries';
import { SECTIONS, sectionAddress } from '../routes';
import type { Asked, Entry, Provider } from './palette';

/** Whatever a list has, or nothing while it can not be fetched: the palette is no place for its errors. */
async function orNone<Row>(list: Promise<Row[]>): Promise<Row[]> {
  try {
    return await list;
  } catch {
    return [];
  }
}

/** The parts of the open building. */
const sections = ({ building }: Asked): Entry[] =>
  building === undefined
    ? []
    : SECTIONS.map((section) => ({
        id: section,
        kind: 'section',
        title: t(`admin-section-${section}`),
        go: sectionAddress(building, section),
        first: true
      }));

/** What can be begun in the open building. */
const actions = ({ building }: Asked): Entry[] =>
  building === undefined
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

export function providers(client: QueryClient): Provider[] {
  const buildings = () => orNone(client.ensureQueryData(queries.buildings()));
  return [
    { find: sections },
    { find: actions },
    {
      find: async () =>
        (await buildings()).map(({ id, name, address }) => ({ id, kind: 'building', title: name, more: address, go: sectionAddress(id, 'overview') }))
    },
    {
      find: async ({ building, text }) => {
        if (building === undefined || text === '') return [];
        const [units, entrances] = await Promise.all([
          orNone(client.ensureQueryData(queries.units(building))),
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
