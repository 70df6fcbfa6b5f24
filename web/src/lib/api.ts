// Every call to the HTTP API. Each gives what the server answered, or throws an `ApiError`.

import createClient from 'openapi-fetch';
import type {
  Claim,
  NewAdministratorRole,
  NewBell,
  NewBuilding,
  NewController,
  NewDoor,
  NewEntrance,
  NewPanel,
  NewUnits,
  paths,
  Policy,
  SignIn
} from '../api/http';
import { ApiError, fromAnswer, noAnswer } from './api-problem';

export { ApiError };

const client = createClient<paths>({
  baseUrl: location.origin,
  credentials: 'same-origin',
  // Looked up at each call, so that a test can put its own in place.
  fetch: (request) => globalThis.fetch(request)
});

type Outcome<Data> = { data?: Data; error?: unknown; response: Response };

async function answer<Data>(call: Promise<Outcome<Data>>): Promise<Data> {
  let outcome: Outcome<Data>;
  try {
    outcome = await call;
  } catch {
    throw noAnswer();
  }
  if (!outcome.response.ok) throw fromAnswer(outcome.response, outcome.error);
  return outcome.data as Data;
}

const ofBuilding = (building: string) => ({ params: { path: { building } } });

export const api = {
  setup: () => answer(client.GET('/api/v1/setup')),
  claim: (body: Claim) => answer(client.POST('/api/v1/setup/claim', { body })),

  session: () => answer(client.GET('/api/v1/session')),
  signIn: (body: SignIn) => answer(client.POST('/api/v1/session', { body })),
  signOut: () => answer(client.DELETE('/api/v1/session')),
  myDevices: () => answer(client.GET('/api/v1/me/devices')),
  signOutDevice: (device: string) =>
    answer(client.DELETE('/api/v1/me/devices/{device}', { params: { path: { device } } })),

  buildings: () => answer(client.GET('/api/v1/buildings')),
  entrances: (building: string) => answer(client.GET('/api/v1/buildings/{building}/entrances', ofBuilding(building))),
  units: (building: string) => answer(client.GET('/api/v1/buildings/{building}/units', ofBuilding(building))),
  bells: (building: string) => answer(client.GET('/api/v1/buildings/{building}/bells', ofBuilding(building))),
  panels: (building: string) => answer(client.GET('/api/v1/buildings/{building}/panels', ofBuilding(building))),
  doors: (building: string) => answer(client.GET('/api/v1/buildings/{building}/doors', ofBuilding(building))),
  controllers: (building: string) =>
    answer(client.GET('/api/v1/buildings/{building}/controllers', ofBuilding(building))),

  makeBuilding: (body: NewBuilding) => answer(client.POST('/api/v1/buildings', { body })),
  addEntrance: (building: string, body: NewEntrance) =>
    answer(client.POST('/api/v1/buildings/{building}/entrances', { ...ofBuilding(building), body })),
  addUnits: (building: string, body: NewUnits) =>
    answer(client.POST('/api/v1/buildings/{building}/units', { ...ofBuilding(building), body })),
  addDoor: (building: string, body: NewDoor) =>
    answer(client.POST('/api/v1/buildings/{building}/doors', { ...ofBuilding(building), body })),
  addBell: (building: string, body: NewBell) =>
    answer(client.POST('/api/v1/buildings/{building}/bells', { ...ofBuilding(building), body })),
  checklist: (building: string) => answer(client.GET('/api/v1/buildings/{building}/checklist', ofBuilding(building))),
  policy: (building: string) => answer(client.GET('/api/v1/buildings/{building}/policy', ofBuilding(building))),
  setPolicy: (building: string, body: Policy) =>
    answer(client.PUT('/api/v1/buildings/{building}/policy', { ...ofBuilding(building), body })),

  confidentiality: () => answer(client.GET('/api/v1/confidentiality')),
  acceptConfidentiality: (body: { version: number }) => answer(client.POST('/api/v1/confidentiality', { body })),
  roles: () => answer(client.GET('/api/v1/roles')),
  giveRole: (body: NewAdministratorRole) => answer(client.POST('/api/v1/roles', { body })),
  takeRole: (role: string) => answer(client.DELETE('/api/v1/roles/{role}', { params: { path: { role } } })),
  audit: (query: { building?: string; person?: string; cursor?: number; limit?: number }) =>
    answer(client.GET('/api/v1/audit', { params: { query } })),
  auditProof: () => answer(client.GET('/api/v1/audit/proof')),

  addPanel: (building: string, body: NewPanel) =>
    answer(client.POST('/api/v1/buildings/{building}/panels', { ...ofBuilding(building), body })),
  addController: (building: string, body: NewController) =>
    answer(client.POST('/api/v1/buildings/{building}/controllers', { ...ofBuilding(building), body })),
  controllerPairing: () => answer(client.GET('/api/v1/controller-pairing'))
};
