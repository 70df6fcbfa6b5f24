// Every call to the HTTP API. Each gives what the server answered, or throws an `ApiError`.

import createClient from 'openapi-fetch';
import type { Claim, MoveOut, NewController, NewHome, NewPanel, NewPerson, paths, PersonChange, SignIn } from '../api/http';
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

/** What a list of people is narrowed to. */
export type PeopleAsked = NonNullable<paths['/api/v1/people']['get']['parameters']['query']>;

const ofPerson = (person: string) => ({ params: { path: { person } } });
const ofUnit = (unit: string) => ({ params: { path: { unit } } });
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

  people: (query: PeopleAsked) => answer(client.GET('/api/v1/people', { params: { query } })),
  person: (person: string) => answer(client.GET('/api/v1/people/{person}', ofPerson(person))),
  addPerson: (body: NewPerson) => answer(client.POST('/api/v1/people', { body })),
  changePerson: (person: string, body: PersonChange) =>
    answer(client.PATCH('/api/v1/people/{person}', { ...ofPerson(person), body })),
  suspend: (person: string) => answer(client.PUT('/api/v1/people/{person}/suspension', ofPerson(person))),
  liftSuspension: (person: string) => answer(client.DELETE('/api/v1/people/{person}/suspension', ofPerson(person))),
  giveHome: (person: string, body: NewHome) =>
    answer(client.POST('/api/v1/people/{person}/homes', { ...ofPerson(person), body })),
  takeHome: (person: string, unit: string) =>
    answer(client.DELETE('/api/v1/people/{person}/homes/{unit}', { params: { path: { person, unit } } })),

  previewMove: (unit: string) => answer(client.GET('/api/v1/units/{unit}/move-out', ofUnit(unit))),
  planMove: (unit: string, body: MoveOut) =>
    answer(client.POST('/api/v1/units/{unit}/moves', { ...ofUnit(unit), body })),
  moves: (building: string) => answer(client.GET('/api/v1/moves', { params: { query: { building } } })),
  cancelMove: (move: string) => answer(client.DELETE('/api/v1/moves/{move}', { params: { path: { move } } })),

  addPanel: (building: string, body: NewPanel) =>
    answer(client.POST('/api/v1/buildings/{building}/panels', { ...ofBuilding(building), body })),
  addController: (building: string, body: NewController) =>
    answer(client.POST('/api/v1/buildings/{building}/controllers', { ...ofBuilding(building), body })),
  controllerPairing: () => answer(client.GET('/api/v1/controller-pairing'))
};
