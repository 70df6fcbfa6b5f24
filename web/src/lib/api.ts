// Every call to the HTTP API. Each gives what the server answered, or throws an `ApiError`.

import createClient from 'openapi-fetch';
import type {
  AlarmMail,
  ApplyImport,
  AppRequirements,
  BellChange,
  BellLook,
  BellOrder,
  BuildingChange,
  CardChange,
  CardView,
  Claim,
  ControllerChange,
  DoorChange,
  EntranceChange,
  GuestEdit,
  GuestMailTo,
  ImportChange,
  ImportStatus,
  InvitationToken,
  MeChange,
  MoveOut,
  MyBellChange,
  MyCardChange,
  NewAdministratorRole,
  NewBell,
  NewBuilding,
  NewCard,
  NewCardReading,
  NewController,
  NewDoor,
  NewDoorGroup,
  NewEntrance,
  NewGuest,
  NewHome,
  NewHomeMember,
  NewMyCard,
  NewMyGuest,
  NewPanel,
  NewPassword,
  NewPerson,
  NewPhoneNumber,
  NewToken,
  NewTrunk,
  NewUnits,
  NewWebhook,
  PanelChange,
  paths,
  NewPropertyManager,
  NewPeopleGroup,
  NewRule,
  NewSchedule,
  RecordsAgreement,
  RecordsWish,
  RuleChange,
  DoorSettingsChange,
  HoldChange,
  LockDown,
  DoorGroupChange,
  PeopleGroupChange,
  ScheduleChange,
  WhyAsked,
  PersonChange,
  PhoneLimitsChange,
  PropertyManagerChange,
  Policy,
  SignIn,
  TrunkChange,
  TrunkOrder,
  UnitChange,
  WebhookChange
} from '../api/http';
import { ApiError, fromAnswer, noAnswer } from './api-problem';
import { sendOnce } from './keys';
import { viewAs } from './view-as';

export { ApiError };

export const client = createClient<paths>({
  baseUrl: location.origin,
  credentials: 'same-origin',
  // Looked up at each call, so that a test can put its own in place.
  fetch: (request) => sendOnce(request, (one) => globalThis.fetch(one))
});

client.use({
  onRequest({ request }) {
    if (viewAs.header) request.headers.set('Klinke-View-As', viewAs.header);
    return request;
  }
});

type Outcome<Data> = { data?: Data; error?: unknown; response: Response };

export async function answer<Data>(call: Promise<Outcome<Data>>): Promise<Data> {
  let outcome: Outcome<Data>;
  try {
    outcome = await call;
  } catch {
    throw noAnswer();
  }
  if (!outcome.response.ok) throw fromAnswer(outcome.response, outcome.error);
  return outcome.data as Data;
}

/** Which rows of a list of people. */
type Rows = { status?: ImportStatus; cursor?: number };
const ofImport = (list: string) => ({ params: { path: { import: list } } });
const rowsOf = (list: string, query: Rows) => ({ params: { path: { import: list }, query } });
/** What a list of people is narrowed to. */
export type PeopleAsked = NonNullable<paths['/api/v1/people']['get']['parameters']['query']>;

/** What the list of changes is narrowed to. */
export type AuditAsked = NonNullable<paths['/api/v1/audit']['get']['parameters']['query']>;

/** A file as it is. */
const bytesOf = (file: Blob) => ({
  body: file as unknown as never,
  bodySerializer: () => file,
  headers: { 'content-type': 'application/octet-stream' }
});
const ofBell = (bell: string) => ({ params: { path: { bell } } });
/** What records of use are narrowed to. */
export type RecordsAsked = NonNullable<paths['/api/v1/buildings/{building}/records']['get']['parameters']['query']>;
/** What a list of homes is narrowed to. */
export type HomesAsked = NonNullable<paths['/api/v1/buildings/{building}/who']['get']['parameters']['query']>;
/** What a list of units is narrowed to. */
export type UnitsAsked = NonNullable<paths['/api/v1/buildings/{building}/units']['get']['parameters']['query']>;
/** What a list of buttons is narrowed to. */
export type BellsAsked = NonNullable<paths['/api/v1/buildings/{building}/bells']['get']['parameters']['query']>;
/** Which moves. */
export type MovesAsked = paths['/api/v1/moves']['get']['parameters']['query'];
type Paged = { cursor?: string; limit?: number };

const ofGuest = (guest: string) => ({ params: { path: { guest } } });
const ofPerson = (person: string) => ({ params: { path: { person } } });
const ofUnit = (unit: string) => ({ params: { path: { unit } } });
const ofMember = (unit: string, person: string) => ({ params: { path: { unit, person } } });
const ofReading = (reading: string) => ({ params: { path: { reading } } });
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

  me: () => answer(client.GET('/api/v1/me')),
  changeMe: (body: MeChange) => answer(client.PATCH('/api/v1/me', { body })),
  signOutOthers: () => answer(client.DELETE('/api/v1/me/devices')),
  myBells: () => answer(client.GET('/api/v1/me/bells')),
  changeMyBell: (bell: string, body: MyBellChange) =>
    answer(client.PATCH('/api/v1/me/bells/{bell}', { params: { path: { bell } }, body })),
  myHousehold: () => answer(client.GET('/api/v1/me/household')),
  takeIn: (unit: string, body: NewHomeMember) =>
    answer(client.POST('/api/v1/me/household/{unit}/members', { ...ofUnit(unit), body })),
  inviteMember: (unit: string, person: string) =>
    answer(client.POST('/api/v1/me/household/{unit}/members/{person}/invitation', ofMember(unit, person))),
  takeOut: (unit: string, person: string) =>
    answer(client.DELETE('/api/v1/me/household/{unit}/members/{person}', ofMember(unit, person))),
  giveMemberButton: (unit: string, person: string) =>
    answer(client.PUT('/api/v1/me/household/{unit}/members/{person}/button', ofMember(unit, person))),
  handOnHome: (unit: string, person: string) =>
    answer(client.PUT('/api/v1/me/household/{unit}/owner', { ...ofUnit(unit), body: { person } })),

  myGuests: () => answer(client.GET('/api/v1/me/guests')),
  makeGuest: (body: NewMyGuest) => answer(client.POST('/api/v1/me/guests', { body })),
  changeGuest: (guest: string, body: GuestEdit) => answer(client.PATCH('/api/v1/me/guests/{guest}', { ...ofGuest(guest), body })),
  endGuest: (guest: string) => answer(client.DELETE('/api/v1/me/guests/{guest}', ofGuest(guest))),
  renewGuestLink: (guest: string) => answer(client.POST('/api/v1/me/guests/{guest}/link', ofGuest(guest))),
  mailGuest: (guest: string, body: GuestMailTo) => answer(client.POST('/api/v1/me/guests/{guest}/mail', { ...ofGuest(guest), body })),
  standingGuests: (building: string, query: Paged) =>
    answer(client.GET('/api/v1/buildings/{building}/guests', { params: { path: { building }, query } })),
  addStandingGuest: (building: string, body: NewGuest) =>
    answer(client.POST('/api/v1/buildings/{building}/guests', { ...ofBuilding(building), body })),
  changeStandingGuest: (guest: string, body: GuestEdit) => answer(client.PATCH('/api/v1/guests/{guest}', { ...ofGuest(guest), body })),
  endStandingGuest: (guest: string) => answer(client.DELETE('/api/v1/guests/{guest}', ofGuest(guest))),
  renewStandingLink: (guest: string) => answer(client.POST('/api/v1/guests/{guest}/link', ofGuest(guest))),

  lookAtInvitation: (body: InvitationToken) => answer(client.POST('/api/v1/invitations/look', { body })),
  acceptInvitation: (body: NewPassword) => answer(client.POST('/api/v1/invitations/accept', { body })),
  uploadImport: (building: string, file: Blob) =>
    answer(
      client.POST('/api/v1/buildings/{building}/imports', {
        ...ofBuilding(building),
        ...bytesOf(file)
      })
    ),
  import: (list: string, query: Rows) => answer(client.GET('/api/v1/imports/{import}', rowsOf(list, query))),
  changeImport: (list: string, query: Rows, body: ImportChange) =>
    answer(client.PATCH('/api/v1/imports/{import}', { ...rowsOf(list, query), body })),
  discardImport: (list: string) => answer(client.DELETE('/api/v1/imports/{import}', ofImport(list))),
  applyImport: (list: string, leave_out_errors: ApplyImport['leave_out_errors']) =>
    answer(client.POST('/api/v1/imports/{import}/apply', { ...ofImport(list), body: { leave_out_errors } })),
  importProgress: (list: string) => answer(client.GET('/api/v1/imports/{import}/progress', ofImport(list))),
  undoImport: (list: string) => answer(client.POST('/api/v1/imports/{import}/undo', ofImport(list))),
  invitation: (person: string) => answer(client.GET('/api/v1/people/{person}/invitation', { params: { path: { person } } })),
  invite: (person: string) => answer(client.POST('/api/v1/people/{person}/invitation', { params: { path: { person } } })),
  withdrawInvitation: (person: string) =>
    answer(client.DELETE('/api/v1/people/{person}/invitation', { params: { path: { person } } })),

  buildings: () => answer(client.GET('/api/v1/buildings')),
  entrances: (building: string) => answer(client.GET('/api/v1/buildings/{building}/entrances', ofBuilding(building))),
  units: (building: string, query: UnitsAsked) =>
    answer(client.GET('/api/v1/buildings/{building}/units', { params: { path: { building }, query } })),
  bells: (building: string, query: BellsAsked) =>
    answer(client.GET('/api/v1/buildings/{building}/bells', { params: { path: { building }, query } })),
  panels: (building: string) => answer(client.GET('/api/v1/buildings/{building}/panels', ofBuilding(building))),
  doors: (building: string) => answer(client.GET('/api/v1/buildings/{building}/doors', ofBuilding(building))),
  controllers: (building: string) =>
    answer(client.GET('/api/v1/buildings/{building}/controllers', ofBuilding(building))),

  people: (query: PeopleAsked) => answer(client.GET('/api/v1/people', { params: { query } })),
  person: (person: string) => answer(client.GET('/api/v1/people/{person}', ofPerson(person))),
  addPerson: (body: NewPerson) => answer(client.POST('/api/v1/people', { body })),
  signPersonOut: (person: string) => answer(client.DELETE('/api/v1/people/{person}/sessions', ofPerson(person))),
  deletePerson: (person: string) => answer(client.DELETE('/api/v1/people/{person}', ofPerson(person))),
  changePerson: (person: string, body: PersonChange) =>
    answer(client.PATCH('/api/v1/people/{person}', { ...ofPerson(person), body })),
  suspend: (person: string) => answer(client.PUT('/api/v1/people/{person}/suspension', ofPerson(person))),
  liftSuspension: (person: string) => answer(client.DELETE('/api/v1/people/{person}/suspension', ofPerson(person))),
  giveHome: (person: string, body: NewHome) =>
    answer(client.POST('/api/v1/people/{person}/homes', { ...ofPerson(person), body })),
  takeHome: (person: string, unit: string) =>
    answer(client.DELETE('/api/v1/people/{person}/homes/{unit}', { params: { path: { person, unit } } })),

  who: (building: string, query: HomesAsked) =>
    answer(client.GET('/api/v1/buildings/{building}/who', { params: { path: { building }, query } })),
  homeCounts: (building: string) => answer(client.GET('/api/v1/buildings/{building}/who/counts', ofBuilding(building))),
  openers: (door: string, query: Paged) => answer(client.GET('/api/v1/doors/{door}/who', { params: { path: { door }, query } })),
  doorsOf: (person: string, query: Paged) =>
    answer(client.GET('/api/v1/people/{person}/doors', { params: { path: { person }, query } })),
  appOf: (person: string) => answer(client.GET('/api/v1/people/{person}/app', ofPerson(person))),
  ghosts: (building: string) => answer(client.GET('/api/v1/buildings/{building}/ghosts', ofBuilding(building))),
  keys: (building: string, query: Paged) =>
    answer(client.GET('/api/v1/buildings/{building}/keys', { params: { path: { building }, query } })),

  previewMove: (unit: string) => answer(client.GET('/api/v1/units/{unit}/move-out', ofUnit(unit))),
  planMove: (unit: string, body: MoveOut) =>
    answer(client.POST('/api/v1/units/{unit}/moves', { ...ofUnit(unit), body })),
  moves: (query: MovesAsked) => answer(client.GET('/api/v1/moves', { params: { query } })),
  cancelMove: (move: string) => answer(client.DELETE('/api/v1/moves/{move}', { params: { path: { move } } })),
  makeBuilding: (body: NewBuilding) => answer(client.POST('/api/v1/buildings', { body })),
  addEntrance: (building: string, body: NewEntrance) =>
    answer(client.POST('/api/v1/buildings/{building}/entrances', { ...ofBuilding(building), body })),
  addUnits: (building: string, body: NewUnits) =>
    answer(client.POST('/api/v1/buildings/{building}/units', { ...ofBuilding(building), body })),
  doorSettings: (door: string) => answer(client.GET('/api/v1/doors/{door}/settings', { params: { path: { door } } })),
  changeDoorSettings: (door: string, body: DoorSettingsChange) =>
    answer(client.PUT('/api/v1/doors/{door}/settings', { params: { path: { door } }, body })),
  holdDoor: (door: string, body: HoldChange) =>
    answer(client.PUT('/api/v1/doors/{door}/held', { params: { path: { door } }, body })),
  alarms: (building: string, query: Paged) =>
    answer(client.GET('/api/v1/buildings/{building}/alarms', { params: { path: { building }, query } })),
  seeAlarm: (alarm: string) => answer(client.POST('/api/v1/alarms/{alarm}/seen', { params: { path: { alarm } } })),
  setAlarmMail: (building: string, body: AlarmMail) =>
    answer(client.PUT('/api/v1/buildings/{building}/alarm-mail', { ...ofBuilding(building), body })),
  lockDown: (building: string) => answer(client.GET('/api/v1/buildings/{building}/lock-down', ofBuilding(building))),
  setLockDown: (building: string, body: LockDown) =>
    answer(client.PUT('/api/v1/buildings/{building}/lock-down', { ...ofBuilding(building), body })),
  recordsPolicy: (building: string) => answer(client.GET('/api/v1/buildings/{building}/records/policy', ofBuilding(building))),
  keepRecords: (building: string, body: RecordsWish) =>
    answer(client.PUT('/api/v1/buildings/{building}/records/policy', { ...ofBuilding(building), body })),
  confirmRecords: (building: string, body: RecordsAgreement) =>
    answer(client.POST('/api/v1/buildings/{building}/records/policy/confirm', { ...ofBuilding(building), body })),
  endRecords: (building: string) => answer(client.DELETE('/api/v1/buildings/{building}/records/policy', ofBuilding(building))),
  /** Noted, with what it was narrowed to. */
  records: (building: string, query: RecordsAsked) =>
    answer(client.GET('/api/v1/buildings/{building}/records', { params: { path: { building }, query } })),
  /** The same as a file, and noted with what it is for. */
  recordsFile: (building: string, query: RecordsAsked & { purpose: string }) =>
    answer(client.GET('/api/v1/buildings/{building}/records.csv', { params: { path: { building }, query }, parseAs: 'text' })),
  recordReadings: (building: string, query: Paged) =>
    answer(client.GET('/api/v1/buildings/{building}/records/readings', { params: { path: { building }, query } })),
  myRecords: (query: Paged) => answer(client.GET('/api/v1/me/records', { params: { query } })),
  myRecordReadings: (query: Paged) => answer(client.GET('/api/v1/me/records/readings', { params: { query } })),
  schedules: (building: string) => answer(client.GET('/api/v1/buildings/{building}/schedules', ofBuilding(building))),
  addSchedule: (building: string, body: NewSchedule) =>
    answer(client.POST('/api/v1/buildings/{building}/schedules', { ...ofBuilding(building), body })),
  changeSchedule: (schedule: string, body: ScheduleChange) =>
    answer(client.PATCH('/api/v1/schedules/{schedule}', { params: { path: { schedule } }, body })),
  removeSchedule: (schedule: string) =>
    answer(client.DELETE('/api/v1/schedules/{schedule}', { params: { path: { schedule } } })),
  scheduleWeek: (schedule: string) =>
    answer(client.GET('/api/v1/schedules/{schedule}/week', { params: { path: { schedule } } })),
  peopleGroups: (building: string) => answer(client.GET('/api/v1/buildings/{building}/people-groups', ofBuilding(building))),
  addPeopleGroup: (building: string, body: NewPeopleGroup) =>
    answer(client.POST('/api/v1/buildings/{building}/people-groups', { ...ofBuilding(building), body })),
  changePeopleGroup: (people_group: string, body: PeopleGroupChange) =>
    answer(client.PATCH('/api/v1/people-groups/{people_group}', { params: { path: { people_group } }, body })),
  removePeopleGroup: (people_group: string) =>
    answer(client.DELETE('/api/v1/people-groups/{people_group}', { params: { path: { people_group } } })),
  doorGroups: (building: string) => answer(client.GET('/api/v1/buildings/{building}/door-groups', ofBuilding(building))),
  addDoorGroup: (building: string, body: NewDoorGroup) =>
    answer(client.POST('/api/v1/buildings/{building}/door-groups', { ...ofBuilding(building), body })),
  changeDoorGroup: (door_group: string, body: DoorGroupChange) =>
    answer(client.PATCH('/api/v1/door-groups/{door_group}', { params: { path: { door_group } }, body })),
  removeDoorGroup: (door_group: string) =>
    answer(client.DELETE('/api/v1/door-groups/{door_group}', { params: { path: { door_group } } })),
  rules: (building: string) => answer(client.GET('/api/v1/buildings/{building}/rules', ofBuilding(building))),
  addRule: (building: string, body: NewRule) =>
    answer(client.POST('/api/v1/buildings/{building}/rules', { ...ofBuilding(building), body })),
  changeRule: (rule: string, body: RuleChange) =>
    answer(client.PATCH('/api/v1/rules/{rule}', { params: { path: { rule } }, body })),
  removeRule: (rule: string) => answer(client.DELETE('/api/v1/rules/{rule}', { params: { path: { rule } } })),
  cards: (building: string, query: NonNullable<paths['/api/v1/buildings/{building}/cards']['get']['parameters']['query']>) =>
    answer(client.GET('/api/v1/buildings/{building}/cards', { params: { path: { building }, query } })),
  cardsOf: (person: string) => answer(client.GET('/api/v1/people/{person}/cards', { params: { path: { person } } })),
  addCard: (building: string, body: NewCard) =>
    answer(client.POST('/api/v1/buildings/{building}/cards', { ...ofBuilding(building), body })),
  changeCard: (card: string, body: CardChange) =>
    answer(client.PATCH('/api/v1/cards/{card}', { params: { path: { card } }, body })),
  removeCard: (card: string) => answer(client.DELETE('/api/v1/cards/{card}', { params: { path: { card } } })),
  /** Looks at a file of cards, or gives them. */
  importCards: (building: string, file: Blob, query: { name: string; kind?: CardView; apply?: boolean }) =>
    answer(
      client.POST('/api/v1/buildings/{building}/cards/import', {
        params: { path: { building }, query },
        ...bytesOf(file)
      })
    ),
  /** Readers that can be reached, and a card that is read at one: for who may give it to somebody. */
  readers: (building: string) => answer(client.GET('/api/v1/buildings/{building}/readers', ofBuilding(building))),
  readCard: (building: string, body: NewCardReading) =>
    answer(client.POST('/api/v1/buildings/{building}/card-readings', { ...ofBuilding(building), body })),
  cardReading: (reading: string) => answer(client.GET('/api/v1/card-readings/{reading}', ofReading(reading))),
  cancelCardReading: (reading: string) => answer(client.DELETE('/api/v1/card-readings/{reading}', ofReading(reading))),
  /** The same for a card of one's own. */
  myReaders: () => answer(client.GET('/api/v1/me/readers')),
  readMyCard: (body: NewCardReading) => answer(client.POST('/api/v1/me/card-readings', { body })),
  myCardReading: (reading: string) => answer(client.GET('/api/v1/me/card-readings/{reading}', ofReading(reading))),
  cancelMyCardReading: (reading: string) => answer(client.DELETE('/api/v1/me/card-readings/{reading}', ofReading(reading))),
  myCards: () => answer(client.GET('/api/v1/me/cards')),
  addMyCard: (body: NewMyCard) => answer(client.POST('/api/v1/me/cards', { body })),
  changeMyCard: (card: string, body: MyCardChange) =>
    answer(client.PATCH('/api/v1/me/cards/{card}', { params: { path: { card } }, body })),
  codesOf: (person: string) => answer(client.GET('/api/v1/people/{person}/codes', { params: { path: { person } } })),
  removeCodeOf: (person: string, building: string) =>
    answer(client.DELETE('/api/v1/people/{person}/codes/{building}', { params: { path: { person, building } } })),
  myPhoneNumber: () => answer(client.GET('/api/v1/me/phone-number')),
  confirmMyPhoneNumber: (body: NewPhoneNumber) => answer(client.PUT('/api/v1/me/phone-number', { body })),
  removeMyPhoneNumber: () => answer(client.DELETE('/api/v1/me/phone-number')),
  myCodes: () => answer(client.GET('/api/v1/me/codes')),
  /** Gives one a code, or another one. */
  renewMyCode: (building: string) => answer(client.POST('/api/v1/me/codes/{building}', ofBuilding(building))),
  endMyCode: (building: string) => answer(client.DELETE('/api/v1/me/codes/{building}', ofBuilding(building))),
  why: (building: string, body: WhyAsked) =>
    answer(client.POST('/api/v1/buildings/{building}/why', { ...ofBuilding(building), body })),
  addDoor: (building: string, body: NewDoor) =>
    answer(client.POST('/api/v1/buildings/{building}/doors', { ...ofBuilding(building), body })),
  addBell: (building: string, body: NewBell) =>
    answer(client.POST('/api/v1/buildings/{building}/bells', { ...ofBuilding(building), body })),
  changeBell: (bell: string, body: BellChange) => answer(client.PATCH('/api/v1/bells/{bell}', { ...ofBell(bell), body })),
  moderateBell: (bell: string, body: BellLook) =>
    answer(client.POST('/api/v1/bells/{bell}/moderation', { ...ofBell(bell), body })),
  orderBells: (building: string, body: BellOrder) =>
    answer(client.PUT('/api/v1/buildings/{building}/bells', { ...ofBuilding(building), body })),
  setMyPicture: (bell: string, picture: File) =>
    answer(client.PUT('/api/v1/me/bells/{bell}/picture', { ...ofBell(bell), ...bytesOf(picture) })),
  removeMyPicture: (bell: string) => answer(client.DELETE('/api/v1/me/bells/{bell}/picture', ofBell(bell))),
  putPicture: (bell: string, picture: File) =>
    answer(client.PUT('/api/v1/bells/{bell}/picture', { ...ofBell(bell), ...bytesOf(picture) })),
  panelDirectory: (panel: string) =>
    answer(client.GET('/api/v1/panels/{panel}/directory', { params: { path: { panel } } })),
  removeBell: (bell: string) => answer(client.DELETE('/api/v1/bells/{bell}', { params: { path: { bell } } })),
  checklist: (building: string) => answer(client.GET('/api/v1/buildings/{building}/checklist', ofBuilding(building))),
  policy: (building: string) => answer(client.GET('/api/v1/buildings/{building}/policy', ofBuilding(building))),
  setPolicy: (building: string, body: Policy) =>
    answer(client.PUT('/api/v1/buildings/{building}/policy', { ...ofBuilding(building), body })),

  building: (building: string) => answer(client.GET('/api/v1/buildings/{building}', { params: { path: { building } } })),
  changeBuilding: (building: string, body: BuildingChange) =>
    answer(client.PATCH('/api/v1/buildings/{building}', { params: { path: { building } }, body })),
  removeBuilding: (building: string, name: string) =>
    answer(client.DELETE('/api/v1/buildings/{building}', { params: { path: { building }, query: { name } } })),
  entrance: (entrance: string) => answer(client.GET('/api/v1/entrances/{entrance}', { params: { path: { entrance } } })),
  changeEntrance: (entrance: string, body: EntranceChange) =>
    answer(client.PATCH('/api/v1/entrances/{entrance}', { params: { path: { entrance } }, body })),
  removeEntrance: (entrance: string) => answer(client.DELETE('/api/v1/entrances/{entrance}', { params: { path: { entrance } } })),
  unit: (unit: string) => answer(client.GET('/api/v1/units/{unit}', { params: { path: { unit } } })),
  changeUnit: (unit: string, body: UnitChange) =>
    answer(client.PATCH('/api/v1/units/{unit}', { params: { path: { unit } }, body })),
  removeUnit: (unit: string) => answer(client.DELETE('/api/v1/units/{unit}', { params: { path: { unit } } })),
  door: (door: string) => answer(client.GET('/api/v1/doors/{door}', { params: { path: { door } } })),
  changeDoor: (door: string, body: DoorChange) =>
    answer(client.PATCH('/api/v1/doors/{door}', { params: { path: { door } }, body })),
  removeDoor: (door: string) => answer(client.DELETE('/api/v1/doors/{door}', { params: { path: { door } } })),
  panel: (panel: string) => answer(client.GET('/api/v1/panels/{panel}', { params: { path: { panel } } })),
  changePanel: (panel: string, body: PanelChange) =>
    answer(client.PATCH('/api/v1/panels/{panel}', { params: { path: { panel } }, body })),
  removePanel: (panel: string) => answer(client.DELETE('/api/v1/panels/{panel}', { params: { path: { panel } } })),
  controller: (controller: string) => answer(client.GET('/api/v1/controllers/{controller}', { params: { path: { controller } } })),
  changeController: (controller: string, body: ControllerChange) =>
    answer(client.PATCH('/api/v1/controllers/{controller}', { params: { path: { controller } }, body })),
  removeController: (controller: string) => answer(client.DELETE('/api/v1/controllers/{controller}', { params: { path: { controller } } })),

  appRequirements: () => answer(client.GET('/api/v1/app-requirements')),
  setAppRequirements: (body: AppRequirements) => answer(client.PUT('/api/v1/app-requirements', { body })),
  tenants: () => answer(client.GET('/api/v1/tenants')),
  makeTenant: (body: NewPropertyManager) => answer(client.POST('/api/v1/tenants', { body })),
  changeTenant: (tenant: string, body: PropertyManagerChange) =>
    answer(client.PATCH('/api/v1/tenants/{tenant}', { params: { path: { tenant } }, body })),

  confidentiality: () => answer(client.GET('/api/v1/confidentiality')),
  acceptConfidentiality: (body: { version: number }) => answer(client.POST('/api/v1/confidentiality', { body })),
  roles: () => answer(client.GET('/api/v1/roles')),
  roleChanges: () => answer(client.GET('/api/v1/roles/changes')),
  giveRole: (body: NewAdministratorRole) => answer(client.POST('/api/v1/roles', { body })),
  takeRole: (role: string) => answer(client.DELETE('/api/v1/roles/{role}', { params: { path: { role } } })),
  audit: (query: AuditAsked) => answer(client.GET('/api/v1/audit', { params: { query } })),
  webhooks: () => answer(client.GET('/api/v1/webhooks')),
  addWebhook: (body: NewWebhook) => answer(client.POST('/api/v1/webhooks', { body })),
  changeWebhook: (webhook: string, body: WebhookChange) =>
    answer(client.PATCH('/api/v1/webhooks/{webhook}', { params: { path: { webhook } }, body })),
  removeWebhook: (webhook: string) => answer(client.DELETE('/api/v1/webhooks/{webhook}', { params: { path: { webhook } } })),
  rotateWebhook: (webhook: string) => answer(client.POST('/api/v1/webhooks/{webhook}/secret', { params: { path: { webhook } } })),
  testWebhook: (webhook: string) => answer(client.POST('/api/v1/webhooks/{webhook}/test', { params: { path: { webhook } } })),
  trunks: () => answer(client.GET('/api/v1/trunks')),
  addTrunk: (body: NewTrunk) => answer(client.POST('/api/v1/trunks', { body })),
  changeTrunk: (trunk: string, body: TrunkChange) => answer(client.PUT('/api/v1/trunks/{trunk}', { params: { path: { trunk } }, body })),
  removeTrunk: (trunk: string) => answer(client.DELETE('/api/v1/trunks/{trunk}', { params: { path: { trunk } } })),
  orderTrunks: (body: TrunkOrder) => answer(client.POST('/api/v1/trunks/order', { body })),
  phoneLimits: () => answer(client.GET('/api/v1/phone-limits')),
  setPhoneLimits: (body: PhoneLimitsChange) => answer(client.PUT('/api/v1/phone-limits', { body })),
  phoneNumber: (person: string) => answer(client.GET('/api/v1/people/{person}/phone-number', ofPerson(person))),
  vouchForNumber: (person: string, number: string) =>
    answer(client.PUT('/api/v1/people/{person}/phone-number', { ...ofPerson(person), body: { number } })),
  removeNumber: (person: string) => answer(client.DELETE('/api/v1/people/{person}/phone-number', ofPerson(person))),
  auditProof: () => answer(client.GET('/api/v1/audit/proof')),

  tokens: () => answer(client.GET('/api/v1/tokens')),
  makeToken: (body: NewToken) => answer(client.POST('/api/v1/tokens', { body })),
  revokeToken: (token: string) => answer(client.DELETE('/api/v1/tokens/{token}', { params: { path: { token } } })),

  addPanel: (building: string, body: NewPanel) =>
    answer(client.POST('/api/v1/buildings/{building}/panels', { ...ofBuilding(building), body })),
  addController: (building: string, body: NewController) =>
    answer(client.POST('/api/v1/buildings/{building}/controllers', { ...ofBuilding(building), body })),
  controllerPairing: () => answer(client.GET('/api/v1/controller-pairing'))
};
