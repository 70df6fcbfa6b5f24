// The HTTP API's types, by the names that the pages use. All of them are generated from the server's own document
// (`cargo xtask generate`); this file only names them.

import type { components } from './schema';

export type { paths } from './schema';

type Schemas = components['schemas'];

export type AdministratorRole = Schemas['AdministratorRole'];
export type ApiToken = Schemas['ApiToken'];
export type AuditEntry = Schemas['AuditEntry'];
export type Bell = Schemas['Bell'];
export type BellKind = Schemas['BellKind'];
export type Building = Schemas['Building'];
export type BuildingPolicy = Schemas['BuildingPolicy'];
export type BuildingKind = Schemas['BuildingKind'];
export type Checklist = Schemas['Checklist'];
export type Claim = Schemas['Claim'];
export type Controller = Schemas['Controller'];
export type ControllerPairing = Schemas['ControllerPairing'];
export type DeviceKind = Schemas['DeviceKind'];
export type Door = Schemas['Door'];
export type DoorState = Schemas['DoorState'];
export type Entrance = Schemas['Entrance'];
export type ApplyImport = Schemas['ApplyImport'];
export type Import = Schemas['Import'];
export type ImportChange = Schemas['ImportChange'];
export type ImportColumn = Schemas['Column'];
export type ImportStatus = Schemas['Status'];
export type Invitation = Schemas['Invitation'];
export type InvitationToken = Schemas['InvitationToken'];
export type Move = Schemas['Move'];
export type MoveOut = Schemas['MoveOut'];
export type MovePreview = Schemas['MovePreview'];
export type MyDevice = Schemas['MyDevice'];
export type NewAdministratorRole = Schemas['NewAdministratorRole'];
export type NewBell = Schemas['NewBell'];
export type NewBuilding = Schemas['NewBuilding'];
export type NewController = Schemas['NewController'];
export type NewHome = Schemas['NewHome'];
export type NewLink = Schemas['NewLink'];
export type NewDoor = Schemas['NewDoor'];
export type NewEntrance = Schemas['NewEntrance'];
export type NewPanel = Schemas['NewPanel'];
export type NewPassword = Schemas['NewPassword'];
export type NewPerson = Schemas['NewPerson'];
export type Panel = Schemas['Panel'];
export type Person = Schemas['Person'];
export type PersonChange = Schemas['PersonChange'];
export type NewToken = Schemas['NewToken'];
export type NewUnits = Schemas['NewUnits'];
export type Policy = Schemas['Policy'];
export type Problem = Schemas['Problem'];
export type Relock = Schemas['Relock'];
export type Right = Schemas['Right'];
export type Role = Schemas['Role'];
export type Session = Schemas['Session'];
export type Setup = Schemas['Setup'];
export type SignIn = Schemas['SignIn'];
export type Unit = Schemas['Unit'];
export type Welcome = Schemas['Welcome'];
