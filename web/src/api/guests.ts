// The shapes of guests and their passes, until the server's own document has them.

import type { DoorId, OpeningState, RequestId } from './wire';

export interface Hours {
  /** 0 is Monday: the days on which they begin. */
  days: number[];
  /** Minutes after midnight. */
  from: number;
  until: number;
}
export type GuestState = 'coming' | 'now' | 'outside_hours' | 'over' | 'suspended';
export interface GuestDoor {
  door: DoorId;
  name: string;
}
export interface Guest {
  id: string;
  unit?: string;
  building: string;
  building_name: string;
  name: string;
  doors: GuestDoor[];
  starts_at: number;
  ends_at: number;
  hours?: Hours[];
  once: boolean;
  link: string;
  qr: string;
  code: string;
  state: GuestState;
  version: number;
}
export interface GuestHome {
  unit: string;
  label: string;
  building: string;
  building_name: string;
  /** How many more guests the home may have just now. */
  left: number;
  /** For how many days a guest may come; 0 when there are no guests in this building. */
  longest_days: number;
  doors: GuestDoor[];
}
export interface MyGuests {
  items: Guest[];
  homes: GuestHome[];
}
export interface NewGuest {
  name: string;
  doors: DoorId[];
  starts_at?: number;
  ends_at: number;
  once: boolean;
  hours?: Hours[];
}
export interface GuestChange {
  version: number;
  name?: string;
  doors?: DoorId[];
  ends_at?: number;
  hours?: Hours[];
}
/** What a guest sees of their pass. */
export type GuestLook = Pick<Guest, 'name' | 'building_name' | 'doors' | 'starts_at' | 'ends_at' | 'once' | 'code' | 'qr' | 'state'> & {
  address: string;
  hours?: Hours[];
};
export type GuestOpening = Exclude<OpeningState, { state: 'sending' }>;

export type Pass = { kind: 'qr'; text: string } | { kind: 'code'; digits: string };
export type PresentRequest = { type: 'present'; request: RequestId; pass: Pass };
export type PassEvent = { type: 'pass'; request: RequestId; door_name?: string } & OpeningState;
