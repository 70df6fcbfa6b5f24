/**
 * The messages that panels and apps exchange with the server, exactly as `crates/wire` writes them in JSON.
 * An enum is told apart by its tag (`type` for messages, `state` inside them); a state lies flat beside the
 * fields of the message that carries it. Moments are never absolute: `left_ms` counts from when it is received.
 */

export type Uuid = string;
export type CallId = Uuid;
export type BellId = Uuid;
export type DoorId = Uuid;
export type PanelId = Uuid;
export type PersonId = Uuid;
export type DeviceId = Uuid;
export type RequestId = Uuid;
export type OpeningId = Uuid;

/** Version of the panel and app protocols. */
export const SIGNALLING = 1;

// --- common ------------------------------------------------------------------------------------------------

export interface DoorRef {
  door: DoorId;
  name: string;
}

export type RefusalCode =
  | 'not_allowed'
  | 'suspended'
  | 'blocked'
  | 'no_controller'
  | 'offline'
  | 'expired'
  | 'fault'
  | 'no_call';

/** How far an opening is. A screen shows "open" for `open` only: the controller has said so. */
export type OpeningState =
  | { state: 'sending' }
  | { state: 'open'; for_ms: number }
  | { state: 'refused'; reason: RefusalCode };

export type OpeningNews = {
  request?: RequestId;
  /** Absent when it was refused before one began. */
  opening?: OpeningId;
  door: DoorId;
} & OpeningState;

export type MediaQuality = 'good' | 'reduced' | 'audio_only';

export type ErrorCode =
  | 'malformed'
  | 'too_large'
  | 'too_many'
  | 'version'
  | 'not_proven'
  | 'not_found'
  | 'out_of_order'
  | 'busy'
  | 'bad_offer'
  | 'overloaded'
  | 'internal';

export interface ErrorNews {
  request?: RequestId;
  code: ErrorCode;
}

export type EndReason =
  | 'declined'
  | 'no_answer'
  | 'unreachable'
  | 'visitor_left'
  | 'resident_hung_up'
  | 'time_limit'
  | 'opened'
  | 'interrupted';

// --- doors -------------------------------------------------------------------------------------------------

export type DoorMode = 'locked' | 'unlocked' | 'accessed' | 'blocked' | 'locked_down' | 'locked_open';
export type DoorPosition = 'unknown' | 'open' | 'closed';
export type DoorAlarm = 'normal' | 'door_forced_open' | 'door_open_too_long';

export interface DoorState {
  mode: DoorMode;
  position: DoorPosition;
  alarm: DoorAlarm;
}

// --- panel ↔ server ------------------------------------------------------------------------------------------

export type BellKind = 'individual' | 'sequential' | 'parallel' | 'family';

export interface DirectoryMember {
  member: PersonId;
  label: string;
}

export interface DirectoryBell {
  bell: BellId;
  label: string;
  /** Apartment number or company. */
  unit: string;
  /** The stair it belongs to. */
  entrance: string;
  kind: BellKind;
  /** Filled for `family` only. */
  members: DirectoryMember[];
}

export interface Directory {
  /** Changes when anything below changes. */
  revision: string;
  building: string;
  address: string;
  panel: string;
  bells: DirectoryBell[];
}

export type PanelCallState =
  | { state: 'calling'; step: number; steps: number; reached: boolean; left_ms: number }
  | { state: 'connected'; left_ms: number }
  | { state: 'ended'; reason: EndReason };

export type PanelCall = { call: CallId; label: string } & PanelCallState;

export type PanelRequest =
  | { type: 'hello'; protocol: number; panel: PanelId; signature: string }
  | { type: 'ring'; request: RequestId; bell: BellId; member?: PersonId }
  | { type: 'offer'; call: CallId; sdp: string }
  | { type: 'hang_up'; call: CallId }
  | { type: 'ping' };

export type PanelEvent =
  | { type: 'challenge'; protocol: number; nonce: string }
  | { type: 'welcome'; protocol: number; directory: Directory; call?: PanelCall }
  | { type: 'directory'; directory: Directory }
  | { type: 'call'; call: PanelCall; request?: RequestId }
  | { type: 'answer'; call: CallId; sdp: string }
  | ({ type: 'opening'; call: CallId; door_name: string } & OpeningNews)
  | ({ type: 'error' } & ErrorNews)
  | { type: 'pong' };

// --- app ↔ server --------------------------------------------------------------------------------------------

export type AppCallState =
  | { state: 'ringing'; left_ms: number }
  | { state: 'connected'; left_ms: number }
  | { state: 'elsewhere'; by: string; opened: boolean }
  | { state: 'stopped' }
  | { state: 'ended'; reason: EndReason };

export type AppCall = {
  call: CallId;
  building: string;
  panel: string;
  label: string;
  doors: DoorRef[];
  /** Single-use token to join the media of this call from this device; 60 s. */
  join: string;
} & AppCallState;

export interface AppDoor {
  door: DoorId;
  name: string;
  building: string;
  /** The system that it belongs to. */
  system: string;
  /** Absent while the door's controller is not connected. */
  state?: DoorState;
}

export type AppRequest =
  | { type: 'hello'; protocol: number }
  | { type: 'ringing'; call: CallId }
  | { type: 'offer'; call: CallId; join: string; sdp: string }
  | { type: 'accept'; call: CallId }
  | { type: 'decline'; call: CallId }
  | { type: 'hang_up'; call: CallId }
  | { type: 'video'; call: CallId; on: boolean }
  | { type: 'open'; request: RequestId; door: DoorId; call?: CallId }
  | { type: 'ping' };

export type AppEvent =
  | { type: 'welcome'; protocol: number; device: DeviceId; calls: AppCall[]; doors: AppDoor[] }
  | { type: 'ring'; call: AppCall }
  | ({ type: 'call'; call: CallId } & AppCallState)
  | { type: 'answer'; call: CallId; sdp: string }
  | { type: 'media'; call: CallId; quality: MediaQuality }
  | ({ type: 'opening'; call?: CallId } & OpeningNews)
  | { type: 'door'; door: AppDoor }
  | ({ type: 'error' } & ErrorNews)
  | { type: 'pong' };
