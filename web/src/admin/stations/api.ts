// What the pages of SIP devices ask for: beside the rest of the API, because few open them.

import { queryOptions } from '@tanstack/svelte-query';
import type { components } from '../../api/schema';
import { answer, client } from '../../lib/api';
import { whole } from '../ground/server-table';
import { LIVE_MS } from '../queries';

type Schemas = components['schemas'];
export type SipAccount = Schemas['SipAccount'];
export type SipDevice = Schemas['SipDevice'];
export type SipDeviceMade = Schemas['SipDeviceMade'];
export type SipServer = Schemas['SipServer'];
export type DoorStationMade = Schemas['DoorStationMade'];
type NewDoorStation = Schemas['NewDoorStation'];

const ofPerson = (person: string) => ({ params: { path: { person } } });

export const addSipDevice = (person: string, name: string) =>
  answer(client.POST('/api/v1/people/{person}/sip-devices', { ...ofPerson(person), body: { name } }));
export const removeSipDevice = (person: string, sip_device: string) =>
  answer(client.DELETE('/api/v1/people/{person}/sip-devices/{sip_device}', { params: { path: { person, sip_device } } }));

export const addDoorStation = (building: string, body: NewDoorStation) =>
  answer(client.POST('/api/v1/buildings/{building}/door-stations', { params: { path: { building } }, body }));
/** Another account for it; the one before is out. */
export const renewDoorStation = (panel: string) =>
  answer(client.POST('/api/v1/panels/{panel}/door-station', { params: { path: { panel } } }));
/** Which of its buttons it rings with a number that none of them has. */
export const setDoorStation = (panel: string, any_number: string | null) =>
  answer(client.PUT('/api/v1/panels/{panel}/door-station', { params: { path: { panel } }, body: { any_number } }));

export const sipDevices = (person: string) =>
  queryOptions({
    queryKey: ['sip-devices', person],
    queryFn: () => answer(client.GET('/api/v1/people/{person}/sip-devices', ofPerson(person))),
    refetchInterval: LIVE_MS
  });

/** Everything that registers, and where. */
export const sipAccounts = () =>
  queryOptions({
    queryKey: ['sip-accounts'],
    queryFn: async () => {
      let servers: SipServer[] = [];
      const items = await whole(async (query) => {
        const page = await answer(client.GET('/api/v1/sip-accounts', { params: { query } }));
        servers = page.servers;
        return page;
      });
      return { items, servers };
    },
    refetchInterval: LIVE_MS
  });

/** `192.0.2.7:5061`, and an IPv6 address in its brackets. */
export const written = ({ host, port }: SipServer) => `${host.includes(':') ? `[${host}]` : host}:${port}`;
