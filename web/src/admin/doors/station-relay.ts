// What the form of a station's relay asks for: beside the rest of the API, because few open it.

import { queryOptions } from '@tanstack/svelte-query';
import type { components } from '../../api/schema';
import { answer, client } from '../../lib/api';

type Schemas = components['schemas'];
export type Relay = Schemas['Relay'];
export type RelayChange = Schemas['RelayChange'];

const of = (door: string) => ({ params: { path: { door } } });
const PATH = '/api/v1/doors/{door}/station-relay';

export const stationRelay = (door: string) =>
  queryOptions({ queryKey: ['station-relay', door], queryFn: () => answer(client.GET(PATH, of(door))), gcTime: 0, staleTime: Infinity });
export const setStationRelay = (door: string, body: RelayChange) => answer(client.PUT(PATH, { ...of(door), body }));
export const removeStationRelay = (door: string) => answer(client.DELETE(PATH, of(door)));

/** What opens the first relay, as the makers' manuals say. */
export const MAKERS: Record<string, { name: string; path: string }> = {
  '2n': { name: '2N', path: '/api/switch/ctrl?switch=1&action=trigger' },
  akuvox: { name: 'Akuvox', path: '/fcgi/do?action=OpenDoor&DoorNum=1' },
  axis: { name: 'Axis', path: '/axis-cgi/io/port.cgi?action=2%3A%2F500%5C' }
};

export interface Values extends Record<string, unknown> {
  panel: string;
  way: 'keys' | 'http';
  keys: string;
  path: string;
  port: string;
  https: boolean;
  user: string;
  password: string;
  basic: boolean;
}

/** The form of what is there, or of nothing yet. */
export function valuesOf(relay: Relay | undefined): Values {
  const nothing: Values = { panel: relay?.panel ?? '', way: 'keys', keys: '', path: '', port: '80', https: false, user: '', password: '', basic: false };
  const told = relay?.told;
  if (!told) return nothing;
  if (told.way === 'keys') return { ...nothing, keys: told.keys };
  return { ...nothing, way: 'http', path: told.path, port: String(told.port), https: told.https, user: told.user ?? '', basic: told.basic };
}

/** What is sent. A number that is none is refused by the server, beside its field. */
export function changeOf({ panel, way, keys, path, port, https, user, password, basic }: Values): RelayChange {
  if (way === 'keys') return { panel, told: { way, keys: keys.trim() } };
  const number = Number(port);
  const known = Number.isInteger(number) && number > 0 && number < 65_536 ? number : 0;
  return { panel, told: { way, path: path.trim(), port: known, https, basic, ...(user && { user }), ...(password && { password }) } };
}
