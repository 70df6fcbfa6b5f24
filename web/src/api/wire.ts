// The messages that panels and apps exchange with the server, by the names that the pages use. All of them are
// generated from `crates/wire` by way of the server's document (`cargo xtask generate`); this file only names them.

import type { components } from './schema';

type Schemas = components['schemas'];

/** Version of the panel and app protocols. */
export const SIGNALLING = 1;

export type AppCall = Schemas['AppCall'];
export type AppCallState = Schemas['AppCallState'];
export type AppDoor = Schemas['AppDoor'];
export type AppEvent = Schemas['AppEvent'];
export type AppRequest = Schemas['AppRequest'];
export type BellId = Schemas['BellId'];
export type BellKind = Schemas['BellKind'];
export type CallId = Schemas['CallId'];
export type DeviceId = Schemas['DeviceId'];
export type Directory = Schemas['Directory'];
export type DirectoryBell = Schemas['DirectoryBell'];
export type DirectoryMember = Schemas['DirectoryMember'];
export type DoorAlarm = Schemas['DoorAlarm'];
export type DoorId = Schemas['DoorId'];
export type DoorMode = Schemas['DoorMode'];
export type DoorPosition = Schemas['DoorPosition'];
export type DoorRef = Schemas['DoorRef'];
export type DoorState = Schemas['DoorState'];
export type EndReason = Schemas['EndReason'];
export type ErrorCode = Schemas['ErrorCode'];
export type ErrorNews = Schemas['ErrorNews'];
export type MediaQuality = Schemas['MediaQuality'];
export type OpeningId = Schemas['OpeningId'];
export type OpeningNews = Schemas['OpeningNews'];
export type OpeningState = Schemas['OpeningState'];
export type PanelCall = Schemas['PanelCall'];
export type PanelCallState = Schemas['PanelCallState'];
export type PanelEvent = Schemas['PanelEvent'];
export type PanelId = Schemas['PanelId'];
export type PanelRequest = Schemas['PanelRequest'];
export type PresentedPass = Schemas['PresentedPass'];
export type PersonId = Schemas['PersonId'];
export type RefusalCode = Schemas['RefusalCode'];
export type RequestId = Schemas['RequestId'];
