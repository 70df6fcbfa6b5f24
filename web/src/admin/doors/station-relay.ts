// What the form of a station's relay asks for: beside the rest of the API, because few open it.

import { queryOptions } from '@tanstack/svelte-query';
import type { components } from '../../api/schema';
import { answer, client } from '../../lib/api';

type Schemas = components['schemas'];
export type Relay = Schemas['Relay'];
export type RelayFailure = Schemas['RelayFailure'];
export type RelayChange = Schemas['RelayChange'];

const of = (door: string) => ({ params: { path: { door } } });
const PATH = '/api/v1/doors/{door}/station-relay';

export const stationRelay = (door: string) =>
  queryOptions({ queryKey: ['station-relay', door], queryFn: () => answer(client.GET(PATH, of(door))), gcTime: 0, staleTime: Infinity });
export const setStationRelay = (door: string, body: RelayChange) => answer(client.PUT(PATH, { ...of(door), body }));
export const removeStationRelay = (door: string) => answer(client.DELETE(PATH, of(door)));

/** Reads what the station shows at this port, where it is registered now. */
export const stationCertificate = (door: string, panel: string, port: number) =>
  answer(client.GET(`${PATH}/certificate`, { params: { path: { door }, query: { panel, port } } }));

interface Maker {
  name: string;
  path: string;
  https: boolean;
  /** The text of what is to be switched on in the station. */
  hint: string;
}

/** What opens the first relay, as the makers' manuals say. */
export const MAKERS: Record<string, Maker> = {
  '2n': { name: '2N', path: '/api/switch/ctrl?switch=1&action=trigger', https: true, hint: 'admin-relay-hint-2n' },
  'akuvox-high': { name: 'Akuvox, High Security Mode', path: '/fcgi/OpenDoor?action=OpenDoor&DoorNum=1', https: true, hint: 'admin-relay-hint-akuvox' },
  akuvox: { name: 'Akuvox', path: '/fcgi/do?action=OpenDoor&UserName={user}&Password={password}&DoorNum=1', https: false, hint: 'admin-relay-hint-akuvox-old' },
  axis: { name: 'Axis', path: '/axis-cgi/io/port.cgi?action=2%3A%2F500%5C', https: true, hint: 'admin-relay-hint-axis' }
};

/** The port that belongs to a way, where nobody typed another. */
export const portOf = (https: boolean) => (https ? '443' : '80');

export interface Values extends Record<string, unknown> {
  panel: string;
  way: 'keys' | 'http';
  keys: string;
  path: string;
  port: string;
  https: boolean;
  /** The one certificate that counts; empty for those of authorities. */
  certificate: string;
  user: string;
  password: string;
  basic: boolean;
}

/** The form of what is there, or of nothing yet. */
export function valuesOf(relay: Relay | undefined): Values {
  const nothing: Values = { panel: relay?.panel ?? '', way: 'keys', keys: '', path: '', port: '80', https: false, certificate: '', user: '', password: '', basic: false };
  const told = relay?.told;
  if (!told) return nothing;
  if (told.way === 'keys') return { ...nothing, keys: told.keys };
  return { ...nothing, way: 'http', path: told.path, port: String(told.port), https: told.https, certificate: told.certificate ?? '', user: told.user ?? '', basic: told.basic };
}

/** What is sent. A number that is none is refused by the server, beside its field. */
export function changeOf({ panel, way, keys, path, port, https, certificate, user, password, basic }: Values): RelayChange {
  if (way === 'keys') return { panel, told: { way, keys: keys.trim() } };
  const told = { way, path: path.trim(), port: numberOf(port), https, basic };
  // one that was taken counts where there are some
  return { panel, told: { ...told, ...(https && certificate && { certificate }), ...(user && { user }), ...(password && { password }) } };
}

/** The number of a port as it was typed; 0 for what is none. */
export function numberOf(port: string): number {
  const number = Number(port);
  return Number.isInteger(number) && number > 0 && number < 65_536 ? number : 0;
}
