// What this device knows of its calls and doors: a pure function of the server's messages, what the resident tapped,
// and the monotonic time each came at.
//
//   a call:   ringing ──▶ connected ──▶ ended        a door:   (its own state) ──tap──▶ asking ──▶ sending ──▶ open
//                │  └────────────────────▲ ▲                        │ no answer           │           │ time over
//                ├──▶ elsewhere ─────────┘ │                        ▼                     ▼           ▼
//                └──▶ stopped   (leave by themselves)           unanswered             refused    (its own state)
//
// Invariants:
// - A door is shown open only when the server says `open`, which it does when the controller has reported it.
// - An answer is shown only when the server says `connected`; until then the call is `answering`.
// - `welcome` is the whole truth: what it does not name is over.

import type { AppCall, AppCallState, AppDoor, AppEvent, EndReason, MediaQuality, RefusalCode } from '../api/wire';

/** How long words about a call that is over stay, ms. */
export const ELSEWHERE_MS = 3_000;
export const STOPPED_MS = 3_000;
export const ENDED_MS = 6_000;
/** How long a refusal stays, ms. */
export const REFUSED_MS = 8_000;
/** How long a tap waits for any word from the server, ms. An open command lives 5 s at most. */
export const ASKING_MS = 7_000;

export interface Call extends Omit<AppCall, 'state' | keyof StateFields> {
  phase: AppCallState['state'];
  /** When ringing or talking is over, ms of the monotonic clock. */
  until?: number;
  /** Elsewhere: who. */
  by?: string;
  /** Elsewhere: they opened without answering. */
  opened?: boolean;
  /** Ended: why, when it is known. */
  reason?: EndReason;
  /** "Answer" was tapped here, and the server has not said yet what came of it. */
  answering: boolean;
  /** "Not now" was tapped here. */
  declined: boolean;
  quality: MediaQuality;
  /** When the words about it go away by themselves. */
  closesAt?: number;
}
type StateFields = { left_ms?: unknown; by?: unknown; opened?: unknown; reason?: unknown };

export interface Opening {
  request: string | undefined;
  call: string | undefined;
  phase: 'asking' | 'sending' | 'open' | 'sent' | 'refused' | 'unanswered';
  reason?: RefusalCode;
  /** When this is over by itself. */
  until: number;
}

export interface House {
  device: string | undefined;
  /** `undefined` until the first `welcome`. */
  doors: AppDoor[] | undefined;
  calls: Call[];
  /** By door. */
  openings: ReadonlyMap<string, Opening>;
}

export const EMPTY: House = { device: undefined, doors: undefined, calls: [], openings: new Map() };

export const isLive = (call: Call) => call.phase === 'ringing' || call.phase === 'connected';

function stand(call: Call, state: AppCallState, now: number): Call {
  const { until: _until, closesAt: _closesAt, ...rest } = call;
  switch (state.state) {
    case 'ringing':
      return { ...rest, phase: 'ringing', until: now + state.left_ms };
    case 'connected':
      return { ...rest, phase: 'connected', until: now + state.left_ms, answering: false };
    case 'elsewhere':
      return {
        ...rest,
        phase: 'elsewhere',
        by: state.by,
        opened: state.opened,
        answering: false,
        closesAt: now + ELSEWHERE_MS
      };
    case 'stopped':
      // Whoever tapped "Not now" knows; nothing is left to say.
      return { ...rest, phase: 'stopped', answering: false, closesAt: call.declined ? now : now + STOPPED_MS };
    case 'ended':
      return {
        ...rest,
        phase: 'ended',
        reason: state.reason,
        answering: false,
        closesAt: call.declined ? now : now + ENDED_MS
      };
  }
}

function enter(news: AppCall, before: Call | undefined, now: number): Call {
  const fresh: Call = {
    call: news.call,
    building: news.building,
    panel: news.panel,
    label: news.label,
    ...(news.silent && { silent: true }),
    doors: news.doors,
    join: news.join,
    phase: 'ringing',
    answering: before?.answering ?? false,
    declined: false,
    quality: before?.quality ?? 'good'
  };
  return stand(fresh, news, now);
}

/** A live call that `welcome` does not know any more: over while nobody was listening. */
function lapse(call: Call, now: number): Call {
  if (!isLive(call)) return call;
  const { until: _until, reason: _reason, ...rest } = call;
  return { ...rest, phase: 'ended', answering: false, closesAt: now + ENDED_MS };
}

const edit = (house: House, id: string, change: (call: Call) => Call): House => ({
  ...house,
  calls: house.calls.map((call) => (call.call === id ? change(call) : call))
});

function withOpening(house: House, door: string, opening: Opening | undefined): House {
  const openings = new Map(house.openings);
  if (opening) openings.set(door, opening);
  else openings.delete(door);
  return { ...house, openings };
}

/** Takes one message of the server. */
export function receive(house: House, event: AppEvent, now: number): House {
  switch (event.type) {
    case 'welcome': {
      const told = new Set(event.calls.map((call) => call.call));
      const before = new Map(house.calls.map((call) => [call.call, call]));
      return {
        ...house,
        device: event.device,
        doors: event.doors,
        calls: [
          ...event.calls.map((call) => enter(call, before.get(call.call), now)),
          ...house.calls.filter((call) => !told.has(call.call)).map((call) => lapse(call, now))
        ]
      };
    }
    case 'ring': {
      const before = house.calls.find((call) => call.call === event.call.call);
      const call = enter(event.call, before, now);
      return {
        ...house,
        calls: before ? house.calls.map((c) => (c === before ? call : c)) : [...house.calls, call]
      };
    }
    case 'call':
      return edit(house, event.call, (call) => stand(call, event, now));
    case 'media':
      return edit(house, event.call, (call) => ({ ...call, quality: event.quality }));
    case 'opening':
      return receiveOpening(house, event, now);
    case 'door': {
      const known = house.doors?.some((door) => door.door === event.door.door);
      const doors = known
        ? house.doors?.map((door) => (door.door === event.door.door ? event.door : door))
        : [...(house.doors ?? []), event.door];
      return { ...house, doors };
    }
    case 'error': {
      // An error that names no request may be of the answer: the button comes back, to be tapped again.
      if (!event.request) return { ...house, calls: house.calls.map((call) => ({ ...call, answering: false })) };
      const asked = [...house.openings].find(([, opening]) => opening.request === event.request);
      if (!asked) return house;
      // The server did not take the request: nothing was opened by it.
      return withOpening(house, asked[0], { ...asked[1], phase: 'unanswered', until: now + REFUSED_MS });
    }
    default:
      return house;
  }
}

function receiveOpening(house: House, event: Extract<AppEvent, { type: 'opening' }>, now: number): House {
  const before = house.openings.get(event.door);
  const mine = before !== undefined && before.request !== undefined && before.request === event.request;
  const opening = { request: event.request ?? undefined, call: event.call ?? undefined };
  switch (event.state) {
    case 'sending':
      return withOpening(house, event.door, { ...opening, phase: 'sending', until: now + ASKING_MS });
    case 'open':
      return withOpening(house, event.door, { ...opening, phase: 'open', until: now + event.for_ms });
    case 'sent':
      return withOpening(house, event.door, { ...opening, phase: 'sent', until: now + REFUSED_MS });
    case 'refused':
      // Another's refusal says nothing to this person, and must not hide that the door stands open.
      if (!mine && before?.phase === 'open') return house;
      if (!mine && before?.request !== event.request) return house;
      return withOpening(house, event.door, {
        ...opening,
        phase: 'refused',
        reason: event.reason,
        until: now + REFUSED_MS
      });
  }
}

/** The resident tapped "Open". */
export const ask = (house: House, door: string, request: string, call: string | undefined, now: number): House =>
  withOpening(house, door, { request, call, phase: 'asking', until: now + ASKING_MS });

/** The resident tapped "Answer". */
export const answering = (house: House, call: string): House =>
  edit(house, call, (c) => (c.phase === 'ringing' ? { ...c, answering: true } : c));

/** The resident tapped "Not now", or closed the words about a call that is over. */
export const dismiss = (house: House, call: string): House => ({
  ...edit(house, call, (c) => ({ ...c, declined: true })),
  calls: house.calls
    .filter((c) => c.call !== call || isLive(c))
    .map((c) => (c.call === call ? { ...c, declined: true } : c))
});

/** The connection is lost: what was asked and not yet answered is unknown now. */
export function lose(house: House, now: number): House {
  const openings = new Map(house.openings);
  for (const [door, opening] of openings) {
    if (opening.phase === 'asking' || opening.phase === 'sending') {
      openings.set(door, { ...opening, phase: 'unanswered', until: now + REFUSED_MS });
    }
  }
  return { ...house, openings, calls: house.calls.map((call) => ({ ...call, answering: false })) };
}

/** Lets go of what is over at this moment. */
export function tick(house: House, now: number): House {
  let { calls, openings } = house;
  if (calls.some((call) => call.closesAt !== undefined && call.closesAt <= now)) {
    calls = calls.filter((call) => call.closesAt === undefined || call.closesAt > now);
  }
  if ([...openings.values()].some((opening) => opening.until <= now)) {
    const next = new Map<string, Opening>();
    for (const [door, opening] of openings) {
      if (opening.until > now) next.set(door, opening);
      else if (opening.phase === 'asking' || opening.phase === 'sending') {
        next.set(door, { ...opening, phase: 'unanswered', until: now + REFUSED_MS });
      }
    }
    openings = next;
  }
  return calls === house.calls && openings === house.openings ? house : { ...house, calls, openings };
}

/** The next moment `tick` has something to do, if any. */
export function nextTick(house: House): number | undefined {
  const moments = [
    ...house.calls.flatMap((call) => (call.closesAt === undefined ? [] : [call.closesAt])),
    ...[...house.openings.values()].map((opening) => opening.until)
  ];
  return moments.length > 0 ? Math.min(...moments) : undefined;
}
