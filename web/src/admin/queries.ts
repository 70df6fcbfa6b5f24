// What the administrator's pages ask the server, and how often.

import { QueryClient, queryOptions } from '@tanstack/svelte-query';
import { api, ApiError, type BellsAsked } from '../lib/api';
import { whole } from './ground/server-table';

/** How often live lists are asked for again. */
export const LIVE_MS = 2_000;

export function newQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // The server may be in the cellar: that the internet is away says nothing about it.
        networkMode: 'offlineFirst',
        retry: (failures, error) => failures < 2 && error instanceof ApiError && (error.offline || error.status >= 500),
        retryDelay: 500,
        staleTime: LIVE_MS / 2,
      },
      mutations: { networkMode: 'offlineFirst' },
    },
  });
}

const live = { refetchInterval: LIVE_MS } as const;

export const buildings = () => queryOptions({ queryKey: ['buildings'], queryFn: api.buildings });
export const entrances = (building: string) =>
  queryOptions({ queryKey: ['entrances', building], queryFn: () => api.entrances(building) });
/** All units of a building: for a form that chooses among them. A page that lists them asks for a page. */
export const units = (building: string) =>
  queryOptions({ queryKey: ['units', building, 'all'], queryFn: () => whole((page) => api.units(building, page)) });
export const unit = (id: string) => queryOptions({ queryKey: ['units', 'one', id], queryFn: () => api.unit(id) });
/** The buttons of a panel or a unit, or those that wait for an administrator: all of them. */
export const bells = (building: string, of: Pick<BellsAsked, 'panel' | 'unit' | 'moderation'>) =>
  queryOptions({ queryKey: ['bells', building, of], queryFn: () => whole((page) => api.bells(building, { ...of, ...page })), ...live });
export const homeCounts = (building: string) =>
  queryOptions({ queryKey: ['home-counts', building], queryFn: () => api.homeCounts(building) });
export const ghosts = (building: string) =>
  queryOptions({ queryKey: ['ghosts', building], queryFn: () => api.ghosts(building) });
export const panels = (building: string) =>
  queryOptions({ queryKey: ['panels', building], queryFn: () => api.panels(building), ...live });
export const panelDirectory = (panel: string) =>
  queryOptions({ queryKey: ['panel-directory', panel], queryFn: () => api.panelDirectory(panel), ...live });
export const household = (unit: string) =>
  queryOptions({ queryKey: ['people', 'unit', unit], queryFn: () => api.people({ unit, limit: 200 }) });
export const doors = (building: string) =>
  queryOptions({ queryKey: ['doors', building], queryFn: () => api.doors(building), ...live });
export const lockDown = (building: string) =>
  queryOptions({ queryKey: ['lock-down', building], queryFn: () => api.lockDown(building), ...live });
export const alarms = (building: string) =>
  queryOptions({ queryKey: ['alarms', building], queryFn: () => api.alarms(building, {}), ...live });
export const recordsPolicy = (building: string) =>
  queryOptions({ queryKey: ['records-policy', building], queryFn: () => api.recordsPolicy(building) });
export const rules = (building: string) => queryOptions({ queryKey: ['rules', building], queryFn: () => api.rules(building) });
export const peopleGroups = (building: string) =>
  queryOptions({ queryKey: ['rules', 'people-groups', building], queryFn: () => api.peopleGroups(building) });
export const doorGroups = (building: string) =>
  queryOptions({ queryKey: ['rules', 'door-groups', building], queryFn: () => api.doorGroups(building) });
export const standingGuests = (building: string) =>
  queryOptions({ queryKey: ['guests', building], queryFn: () => whole((page) => api.standingGuests(building, page)) });
export const schedules = (building: string) =>
  queryOptions({ queryKey: ['schedules', building], queryFn: () => api.schedules(building) });
export const scheduleWeek = (schedule: string) =>
  queryOptions({ queryKey: ['schedules', 'week', schedule], queryFn: () => api.scheduleWeek(schedule) });
export const controllers = (building: string) =>
  queryOptions({ queryKey: ['controllers', building], queryFn: () => api.controllers(building), ...live });
export const checklist = (building: string) =>
  queryOptions({ queryKey: ['checklist', building], queryFn: () => api.checklist(building), ...live });
export const policy = (building: string) =>
  queryOptions({ queryKey: ['policy', building], queryFn: () => api.policy(building) });
export const roleChanges = () => queryOptions({ queryKey: ['roles', 'changes'], queryFn: api.roleChanges });
export const tenants = () => queryOptions({ queryKey: ['tenants'], queryFn: api.tenants });
export const roles = () => queryOptions({ queryKey: ['roles'], queryFn: api.roles });
export const tokens = () => queryOptions({ queryKey: ['tokens'], queryFn: api.tokens });
export const webhooks = () => queryOptions({ queryKey: ['webhooks'], queryFn: api.webhooks, ...live });
export const trunks = () => queryOptions({ queryKey: ['trunks'], queryFn: api.trunks, ...live });
export const phoneLimits = () => queryOptions({ queryKey: ['phone-limits'], queryFn: api.phoneLimits });
export const phoneNumber = (person: string) =>
  queryOptions({ queryKey: ['phone-number', person], queryFn: () => api.phoneNumber(person) });
export const controllerPairing = () =>
  queryOptions({ queryKey: ['controller-pairing'], queryFn: api.controllerPairing, staleTime: Infinity });
