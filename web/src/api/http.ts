// The HTTP API in types, in the form that openapi-fetch reads. Written after the contract until the server's own
// OpenAPI document generates it; nothing but `src/lib/api.ts` imports `paths`.

import type { BellKind, DoorState } from './wire';

export type { BellKind, DoorState };
export type BuildingKind = 'residential' | 'commercial' | 'mixed';
export type DeviceKind = 'app' | 'station';
export type Role = 'manager' | 'building_administrator';
export type Relock = 'on_open' | 'on_close';
/** RFC 9457, with a stable code and the fields that were wrong. */
export interface Problem {
  status: number;
  code: string;
  title: string;
  errors?: { pointer: string; code: string }[];
}

export interface Setup {
  claimed: boolean;
}

export interface Claim {
  code: string;
  organisation: string;
  name: string;
  user_name: string;
  password: string;
}

export interface SignIn {
  user_name: string;
  password: string;
  device_name: string;
}

export interface Session {
  person: { id: string; name: string };
  device: { id: string; name: string; kind: DeviceKind };
  roles: { role: Role; building?: string | null }[];
}

export interface MyDevice {
  id: string;
  name: string;
  kind: DeviceKind;
  current: boolean;
}

export interface Building {
  id: string;
  name: string;
  address: string;
  kind: BuildingKind;
  time_zone: string;
}

export interface Entrance {
  id: string;
  name: string;
}

export interface Unit {
  id: string;
  number: string;
  entrance: string;
  /** How many people live here or work here. */
  residents: number;
  /** How many of their devices have lately proven that they ring. */
  reachable_devices: number;
}

export interface Bell {
  id: string;
  panel: string;
  unit: string;
  label: string;
  kind: BellKind;
  members: string[];
}

export interface Panel {
  id: string;
  name: string;
  entrance?: string | null;
  doors: string[];
  online: boolean;
  paired: boolean;
}

export interface Door {
  id: string;
  name: string;
  controller?: string | null;
  output: number;
  times: { release_ms: number; open_ms: number; relock: Relock };
  state?: DoorState | null;
}

export interface Controller {
  id: string;
  name: string;
  online: boolean;
  version?: string | null;
}

export interface NewPanel {
  code: string;
  name: string;
  entrance?: string;
  doors: string[];
}

export interface NewController {
  code: string;
  name: string;
  doors: { door: string; output: number }[];
}

/** What a controller must be told to find this server and know it. */
export interface ControllerPairing {
  address: string;
  authority_sha256: string;
}

type Failures = {
  [Status in 400 | 401 | 403 | 404 | 409 | 410 | 422 | 429 | 500 | 503]: {
    content: { 'application/problem+json': Problem };
  };
};
type Parameters<Path> = { path: Path; query?: never; header?: never; cookie?: never };
type NoParameters = { path?: never; query?: never; header?: never; cookie?: never };
type Read<Answer, Path = never> = {
  parameters: [Path] extends [never] ? NoParameters : Parameters<Path>;
  requestBody?: never;
  responses: { 200: { content: { 'application/json': Answer } } } & Failures;
};
type Make<Body, Answer, Path = never> = {
  parameters: [Path] extends [never] ? NoParameters : Parameters<Path>;
  requestBody: { content: { 'application/json': Body } };
  responses: { 201: { content: { 'application/json': Answer } } } & Failures;
};
type Remove<Path = never> = {
  parameters: [Path] extends [never] ? NoParameters : Parameters<Path>;
  requestBody?: never;
  responses: { 204: { content?: never } } & Failures;
};
type OfBuilding = { building: string };

export interface paths {
  '/api/v1/setup': { get: Read<Setup> };
  '/api/v1/setup/claim': { post: Make<Claim, Session> };
  '/api/v1/session': { get: Read<Session>; post: Make<SignIn, Session>; delete: Remove };
  '/api/v1/me/devices': { get: Read<MyDevice[]> };
  '/api/v1/me/devices/{device}': { delete: Remove<{ device: string }> };
  '/api/v1/buildings': { get: Read<Building[]> };
  '/api/v1/buildings/{building}/entrances': { get: Read<Entrance[], OfBuilding> };
  '/api/v1/buildings/{building}/units': { get: Read<Unit[], OfBuilding> };
  '/api/v1/buildings/{building}/bells': { get: Read<Bell[], OfBuilding> };
  '/api/v1/buildings/{building}/panels': { get: Read<Panel[], OfBuilding>; post: Make<NewPanel, Panel, OfBuilding> };
  '/api/v1/buildings/{building}/doors': { get: Read<Door[], OfBuilding> };
  '/api/v1/buildings/{building}/controllers': {
    get: Read<Controller[], OfBuilding>;
    post: Make<NewController, Controller, OfBuilding>;
  };
  '/api/v1/controller-pairing': { get: Read<ControllerPairing> };
}
