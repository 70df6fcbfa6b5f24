/**
 * What a panel shows, as one pure function: no clock, no socket, no screen.
 *
 * ```text
 *            ring            call{calling}       call{connected}
 *   rest ──────────▶ asking ─────────────▶ calling ────────────▶ connected
 *    ▲                 │ error, 8 s           │ ended               │ ended
 *    │    back, 20 s   ▼                      ▼                     ▼
 *    └─────────────── over ◀──────────────────┴─────────────────────┘
 * ```
 *
 * Beside it runs the opening of a door, which a resident can start in any of them once a call began.
 * Invariants:
 * - the screen says that a door is open only while `opening` is `open`, which only the server's news make;
 * - a call that the server does not know any more (it restarted) ends in words, never in silence;
 * - a `ring` that got no answer is repeated after a reconnect with the same request id, so it rings once; nor is a tap lost on the
 *   names of the last time, which are there before the first contact: `welcome` sends it;
 * - a visitor who cancels before the call has an id still hangs up, as soon as it has one, and a call that was
 *   hung up while the connection was lost does not come back with it.
 */
import type {
  BellId,
  CallId,
  Directory,
  EndReason,
  ErrorCode,
  OpeningState,
  PanelCall,
  PanelEvent,
  PanelRequest,
  PersonId,
  RefusalCode,
  RequestId,
} from '../api/wire';
import { entries, ownStair, typable } from './search';

/** How long the server may take to answer a ring, ms. */
export const ASKING_MS = 8_000;
/** How long a call goes on without a connection to the server, ms. */
export const LOST_MS = 15_000;
/** How long the end of a call stays on the screen, ms. */
export const OVER_MS = 20_000;
/** The same where the visitor needs nothing more from it, ms. */
export const OVER_SHORT_MS = 8_000;
/** How long a refusal stays, ms. */
export const REFUSED_MS = 15_000;
/** How long an untouched screen keeps what a visitor chose, ms. */
export const IDLE_MS = 30_000;
/** When it warns, ms. */
export const IDLE_WARNING_MS = 20_000;
/** Who needs the large mode gets this much more time. */
export const LARGE_FACTOR = 3;

/** Whom a visitor rings. */
export type Target = { label: string } & ({ bell: BellId; member?: PersonId } | { code: string });

/** Why a call is over: the server's reasons, and those that the panel finds itself. */
export type Ending = Exclude<EndReason, 'visitor_left'> | 'offline' | 'busy' | 'not_accepted';

export type Visit =
  | { at: 'rest' }
  | { at: 'asking'; request: RequestId; target: Target; until: number }
  | { at: 'calling'; call: CallId; label: string; step: number; steps: number; reached: boolean; phone?: boolean | undefined; until: number }
  | { at: 'connected'; call: CallId; label: string; until: number }
  | { at: 'over'; ending: Ending; label: string; until: number };

export type Opening = { door: string } & (
  | { is: 'sending'; until: number }
  | { is: 'open'; until: number; forMs: number }
  | { is: 'refused'; reason: RefusalCode; until: number }
);

/** What a visitor has chosen on the way to a name. */
export interface Browse {
  query: string;
  stair: string | undefined;
  group: string | undefined;
  family: BellId | undefined;
  /** The screen for who has a pass or a code. */
  pass: boolean;
}

export interface PanelState {
  /** `starting` until the first contact, then `online` or `offline`. */
  link: 'starting' | 'online' | 'offline';
  /** When the link was lost. */
  lostAt: number | undefined;
  directory: Directory | undefined;
  visit: Visit;
  /** The last one rung, to try again. */
  target: Target | undefined;
  opening: Opening | undefined;
  /** A ring that was cancelled before its call had an id. */
  cancelled: RequestId | undefined;
  /** The call that the visitor hung up last: it is never taken up again. */
  left: CallId | undefined;
  browse: Browse;
  large: boolean;
  /** A visitor is here: touched, and not idle since. */
  awake: boolean;
  touchedAt: number;
  /** The idle warning shows. */
  warned: boolean;
}

export type PanelAction =
  | { do: 'event'; event: PanelEvent }
  | { do: 'lost' }
  | { do: 'tick' }
  | { do: 'touch' }
  | { do: 'ring'; target: Target; request: RequestId }
  | { do: 'cancel' }
  | { do: 'home' }
  | { do: 'browse'; browse: Partial<Browse> }
  | { do: 'large'; on: boolean };

export type Step = readonly [PanelState, readonly PanelRequest[]];

function atRest(directory: Directory | undefined): Browse {
  const stair = directory && ownStair(directory.panel, directory.bells);
  return { query: '', stair, group: undefined, family: undefined, pass: false };
}

/** A panel that starts, with the directory it showed last. */
export function initial(directory: Directory | undefined, now: number): PanelState {
  return {
    link: 'starting',
    lostAt: undefined,
    directory,
    visit: { at: 'rest' },
    target: undefined,
    opening: undefined,
    cancelled: undefined,
    left: undefined,
    browse: atRest(directory),
    large: false,
    awake: false,
    touchedAt: now,
    warned: false,
  };
}

/** The call that the panel's media belong to. */
export function mediaCall(state: PanelState): CallId | undefined {
  return state.visit.at === 'calling' || state.visit.at === 'connected' ? state.visit.call : undefined;
}

/** Whether a visitor's choice would be lost by the idle reset. */
export function hasChoice({ browse, directory, large }: PanelState): boolean {
  const rest = atRest(directory);
  const chose = browse.pass || browse.query !== '' || browse.group !== undefined || browse.family !== undefined;
  return large || chose || browse.stair !== rest.stair;
}

/** What to do on an action at `now` (ms of a monotonic clock): the next state, and what to tell the server. */
export function reduce(state: PanelState, action: PanelAction, now: number): Step {
  switch (action.do) {
    case 'event':
      return onEvent(state, action.event, now);
    case 'lost':
      return only({ ...state, link: 'offline', lostAt: state.lostAt ?? now });
    case 'tick':
      return only(tick(state, now));
    case 'touch':
      return only(touched(state, now));
    case 'ring':
      return ring(touched(state, now), action.target, action.request, now);
    case 'cancel':
      return cancel(state, now);
    case 'home':
      return only(rested(state, now));
    case 'browse':
      return only({ ...touched(state, now), browse: { ...state.browse, ...action.browse } });
    case 'large':
      return only({ ...touched(state, now), large: action.on });
  }
}

function only(state: PanelState): Step {
  return [state, []];
}

function touched(state: PanelState, now: number): PanelState {
  const { visit } = state;
  const kept = visit.at === 'over' ? { ...visit, until: now + OVER_MS * pace(state) } : visit;
  return { ...state, visit: kept, awake: true, touchedAt: now, warned: false };
}

/** Back at the names, with the visitor still here. */
function rested(state: PanelState, now: number): PanelState {
  return { ...touched(state, now), visit: { at: 'rest' }, opening: undefined, browse: atRest(state.directory) };
}

function pace(state: PanelState): number {
  return state.large ? LARGE_FACTOR : 1;
}

function over(state: PanelState, ending: Ending, label: string, now: number): PanelState {
  const stays = ending === 'resident_hung_up' || ending === 'opened' ? OVER_SHORT_MS : OVER_MS;
  return { ...state, visit: { at: 'over', ending, label, until: now + stays * pace(state) }, awake: true };
}

function ring(state: PanelState, target: Target, request: RequestId, now: number): Step {
  if (state.visit.at !== 'rest' && state.visit.at !== 'over') return only(state);
  const rung = { ...state, target, opening: undefined };
  if (state.link === 'offline') return only(over(rung, 'offline', target.label, now));
  return [{ ...rung, visit: { at: 'asking', request, target, until: now + ASKING_MS } }, [ringRequest(target, request)]];
}

function ringRequest(target: Target, request: RequestId): PanelRequest {
  if ('code' in target) return { type: 'dial', request, code: target.code };
  const { bell, member } = target;
  return member === undefined ? { type: 'ring', request, bell } : { type: 'ring', request, bell, member };
}

function cancel(state: PanelState, now: number): Step {
  const { visit } = state;
  const rest = rested(state, now);
  switch (visit.at) {
    case 'asking':
      return only({ ...rest, cancelled: visit.request });
    case 'calling':
    case 'connected':
      return [{ ...rest, left: visit.call }, [{ type: 'hang_up', call: visit.call }]];
    default:
      return only(rest);
  }
}

function onEvent(state: PanelState, event: PanelEvent, now: number): Step {
  switch (event.type) {
    case 'welcome':
      return welcome(withDirectory({ ...state, link: 'online', lostAt: undefined }, event.directory), event.call, now);
    case 'directory':
      return only(withDirectory(state, event.directory));
    case 'call':
      return onCall(state, event.call, event.request, now);
    case 'opening':
    case 'pass':
      return only(onOpening(state, event, now));
    case 'error':
      return only(onError(state, event.code, event.request, now));
    case 'challenge':
    case 'answer':
    case 'pong':
      return only(state);
  }
}

/** The server's whole state: what is not in it is gone. */
function welcome(state: PanelState, call: PanelCall | undefined, now: number): Step {
  const { visit } = state;
  // The answer to a cancelled ring can not come any more: its call is this one, or there is none.
  const settled = { ...state, cancelled: undefined };
  if (call && state.cancelled !== undefined && visit.at !== 'asking') return hungUp(settled, call);
  if (call) return onCall(settled, call, undefined, now);
  if (visit.at === 'asking') return [settled, [ringRequest(visit.target, visit.request)]];
  if (visit.at === 'calling' || visit.at === 'connected') return only(over(settled, 'interrupted', visit.label, now));
  return only(settled);
}

/** Ends a call that no visitor waits for. */
function hungUp(state: PanelState, call: PanelCall): Step {
  return call.state === 'ended' ? only(state) : [{ ...state, left: call.call }, [{ type: 'hang_up', call: call.call }]];
}

function withDirectory(state: PanelState, directory: Directory): PanelState {
  if (state.directory?.revision === directory.revision) return state;
  const { browse } = state;
  const own = atRest(directory);
  const stairStays = browse.stair !== undefined && directory.bells.some((bell) => bell.entrance === browse.stair);
  const familyStays = directory.bells.some((bell) => bell.bell === browse.family);
  // What the visitor sees is kept where it still exists, so that a change elsewhere in the house does not disturb.
  const kept: Browse = {
    ...browse,
    stair: state.awake && stairStays ? browse.stair : own.stair,
    family: familyStays ? browse.family : undefined,
    group: undefined,
  };
  kept.query = typable(entries(directory.bells), { ...kept, dials: directory.dials });
  return { ...state, directory, browse: state.awake ? kept : own };
}

function onCall(state: PanelState, call: PanelCall, request: RequestId | undefined, now: number): Step {
  const { visit } = state;
  if (request !== undefined && request === state.cancelled) return hungUp({ ...state, cancelled: undefined }, call);
  // Left by the visitor: the hang-up is on its way, or was lost with the connection.
  if (call.call === state.left) return hungUp(state, call);
  if (call.state === 'ended') {
    const mine = visit.at === 'asking' || (visit.at !== 'rest' && visit.at !== 'over' && visit.call === call.call);
    if (!mine) return only(state);
    // A visitor who hangs up is back at the names already; this is one who walked away from the camera.
    if (call.reason === 'visitor_left') return only(rested(state, now));
    return only(over(state, call.reason, call.label, now));
  }
  // The panel has told the visitor already that it did not work.
  if (visit.at === 'over') return hungUp(state, call);
  const until = now + call.left_ms;
  const awake = { ...state, awake: true, touchedAt: now };
  if (call.state === 'connected') {
    return only({ ...awake, visit: { at: 'connected', call: call.call, label: call.label, until } });
  }
  return only({ ...awake, visit: { ...call, at: 'calling', until } });
}

function onOpening(state: PanelState, news: OpeningState & { door_name?: string }, now: number): PanelState {
  if (state.visit.at === 'rest' && !state.browse.pass && state.opening === undefined) return state;
  const door = news.door_name ?? '';
  switch (news.state) {
    // The door's own system opens it, and does not say when.
    case 'sent':
    case 'sending':
      return { ...state, opening: { door, is: 'sending', until: now + ASKING_MS } };
    case 'open':
      return { ...state, opening: { door, is: 'open', until: now + news.for_ms, forMs: news.for_ms } };
    case 'refused':
      return { ...state, opening: { door, is: 'refused', reason: news.reason, until: now + REFUSED_MS * pace(state) } };
  }
}

function onError(state: PanelState, code: ErrorCode, request: RequestId | undefined, now: number): PanelState {
  const { visit } = state;
  if (request !== undefined && request === state.cancelled) return { ...state, cancelled: undefined };
  if (visit.at !== 'asking' || request !== visit.request) return state;
  return over(state, code === 'busy' || code === 'overloaded' ? 'busy' : 'not_accepted', visit.target.label, now);
}

function tick(state: PanelState, now: number): PanelState {
  let next = state;
  const { visit, opening, lostAt } = state;
  if (opening && opening.until <= now) {
    next = { ...next, opening: undefined };
    // The door was opened and has had its time: the visitor is inside.
    if (opening.is === 'open' && (visit.at === 'over' || next.browse.pass)) next = rested(next, now);
  }
  if (visit.at === 'asking' && visit.until <= now) next = over(next, 'not_accepted', visit.target.label, now);
  if ((visit.at === 'calling' || visit.at === 'connected') && lostAt !== undefined && lostAt + LOST_MS <= now) {
    next = over(next, 'interrupted', visit.label, now);
  }
  if (visit.at === 'over' && visit.until <= now && next.opening?.is !== 'open') {
    next = rested(next, now);
  }
  return idle(next, now);
}

function idle(state: PanelState, now: number): PanelState {
  if (state.visit.at !== 'rest' || !state.awake) return state;
  const untouched = (now - state.touchedAt) / pace(state);
  if (untouched >= IDLE_MS) {
    return { ...state, awake: false, warned: false, large: false, browse: atRest(state.directory) };
  }
  const warned = untouched >= IDLE_WARNING_MS && hasChoice(state);
  return warned === state.warned ? state : { ...state, warned };
}
