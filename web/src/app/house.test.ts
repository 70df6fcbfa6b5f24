import { describe, expect, it } from 'vitest';
import type { AppCall, AppDoor, AppEvent } from '../api/wire';
import * as house from './house';

const DOOR: AppDoor = {
  door: 'd1',
  name: 'Entrance A',
  building: 'Storgata 12',
  system: 'Klinke',
  state: { mode: 'locked', position: 'closed', alarm: 'normal' },
};
const RINGING: AppCall = {
  call: 'c1',
  building: 'Storgata 12',
  panel: 'Entrance A',
  label: 'Berg',
  doors: [{ door: 'd1', name: 'Entrance A' }],
  join: 'j1',
  state: 'ringing',
  left_ms: 30_000,
};
const welcome = (calls: AppCall[] = []): AppEvent => ({ type: 'welcome', protocol: 1, device: 'me', calls, doors: [DOOR] });

/** Plays messages and taps in order; a step is what happens and when, ms. */
function play(...steps: [number, AppEvent | ((before: house.House, now: number) => house.House)][]): house.House {
  return steps.reduce(
    (before, [now, step]) => (typeof step === 'function' ? step(before, now) : house.receive(before, step, now)),
    house.EMPTY,
  );
}

const start: [number, AppEvent] = [0, welcome()];
const ring: [number, AppEvent] = [1_000, { type: 'ring', call: RINGING }];
const accept: [number, (h: house.House) => house.House] = [2_000, (h) => house.answering(h, 'c1')];
const connect: [number, AppEvent] = [2_100, { type: 'call', call: 'c1', state: 'connected', left_ms: 120_000 }];
const only = (h: house.House) => {
  expect(h.calls).toHaveLength(1);
  return h.calls[0]!;
};

describe('a call', () => {
  it('rings until the time that is left', () => {
    expect(only(play(start, ring))).toMatchObject({ phase: 'ringing', until: 31_000, answering: false, join: 'j1' });
  });

  it('is answered only when the server says so', () => {
    expect(only(play(start, ring, accept))).toMatchObject({ phase: 'ringing', answering: true });
    expect(only(play(start, ring, accept, connect))).toMatchObject({ phase: 'connected', answering: false, until: 122_100 });
  });

  it('was taken by somebody else in the moment that it was answered here', () => {
    const call = only(play(start, ring, accept, [2_100, { type: 'call', call: 'c1', state: 'elsewhere', by: 'Ola', opened: false }]));
    expect(call).toMatchObject({ phase: 'elsewhere', by: 'Ola', opened: false, answering: false, closesAt: 5_100 });
    expect(call.until).toBeUndefined();
  });

  it('closes its last words by itself, and not before', () => {
    const over = play(start, ring, [9_000, { type: 'call', call: 'c1', state: 'ended', reason: 'visitor_left' }]);
    expect(only(over)).toMatchObject({ phase: 'ended', reason: 'visitor_left' });
    expect(house.nextTick(over)).toBe(9_000 + house.ENDED_MS);
    expect(house.tick(over, 9_000 + house.ENDED_MS - 1).calls).toHaveLength(1);
    expect(house.tick(over, 9_000 + house.ENDED_MS).calls).toHaveLength(0);
  });

  it('says nothing more to whoever tapped "Not now"', () => {
    const stopped = play(start, ring, [2_000, (h) => house.dismiss(h, 'c1')], [2_100, { type: 'call', call: 'c1', state: 'stopped' }]);
    expect(house.tick(stopped, 2_100).calls).toHaveLength(0);
  });

  it('stands beside another that rings at the same time', () => {
    const second: AppCall = { ...RINGING, call: 'c2', panel: 'Entrance B', join: 'j2' };
    const both = play(start, ring, [1_500, { type: 'ring', call: second }], [2_000, { type: 'call', call: 'c2', state: 'stopped' }]);
    expect(both.calls.map(({ call, phase }) => [call, phase])).toEqual([
      ['c1', 'ringing'],
      ['c2', 'stopped'],
    ]);
  });

  it('rings without a sound when the server says so', () => {
    const silent = play(start, [1_000, { type: 'ring', call: { ...RINGING, silent: true } }]);
    expect(only(silent)).toMatchObject({ phase: 'ringing', silent: true });
    expect(only(play(start, ring)).silent).toBeUndefined();
  });

  it('rings once, however often the server says so, with the newest token', () => {
    const again = play(start, ring, [1_200, { type: 'ring', call: { ...RINGING, join: 'j9' } }]);
    expect(only(again).join).toBe('j9');
  });

  it('keeps what its media can carry', () => {
    expect(only(play(start, ring, [1_100, { type: 'media', call: 'c1', quality: 'audio_only' }])).quality).toBe('audio_only');
  });
});

describe('a reconnect', () => {
  it('takes up a call where the server says that it stands, with a new token', () => {
    const back = play(start, ring, accept, connect, [50_000, (h, now) => house.lose(h, now)], [
      52_000,
      welcome([{ ...RINGING, join: 'j2', state: 'connected', left_ms: 70_000 } as AppCall]),
    ]);
    expect(only(back)).toMatchObject({ phase: 'connected', join: 'j2', until: 122_000 });
  });

  it('ends a call that the server knows no more, and does not make up why', () => {
    const gone = only(play(start, ring, accept, connect, [52_000, welcome()]));
    expect(gone).toMatchObject({ phase: 'ended', closesAt: 52_000 + house.ENDED_MS });
    expect(gone.reason).toBeUndefined();
  });

  it('does not keep "answering" when the answer was lost', () => {
    const lost = play(start, ring, accept, [2_050, (h, now) => house.lose(h, now)], [3_000, welcome([{ ...RINGING, join: 'j2' }])]);
    expect(only(lost)).toMatchObject({ phase: 'ringing', answering: false });
  });

  it('gives the answer button back when the server did not take the answer', () => {
    expect(only(play(start, ring, accept, [2_050, { type: 'error', code: 'overloaded' }])).answering).toBe(false);
  });

  it('starts with a call that rang before the page was loaded', () => {
    expect(only(play([0, welcome([RINGING])]))).toMatchObject({ phase: 'ringing', until: 30_000 });
  });
});

describe('a door', () => {
  const tap: [number, (h: house.House, now: number) => house.House] = [100, (h, now) => house.ask(h, 'd1', 'r1', undefined, now)];
  const news = (state: object): AppEvent => ({ type: 'opening', request: 'r1', opening: 'o1', door: 'd1', ...state }) as AppEvent;
  const opening = (h: house.House) => h.openings.get('d1');

  it('is never shown open before the server says that it is', () => {
    expect(opening(play(start, tap))?.phase).toBe('asking');
    expect(opening(play(start, tap, [150, news({ state: 'sending' })]))?.phase).toBe('sending');
    expect(opening(play(start, tap, [150, news({ state: 'sending' })], [300, news({ state: 'open', for_ms: 5_000 })]))).toMatchObject({
      phase: 'open',
      until: 5_300,
    });
  });

  it('is no longer shown open when its time is over', () => {
    const open = play(start, tap, [300, news({ state: 'open', for_ms: 5_000 })]);
    expect(opening(house.tick(open, 5_299))?.phase).toBe('open');
    expect(opening(house.tick(open, 5_300))).toBeUndefined();
  });

  it('says why it was refused', () => {
    expect(opening(play(start, tap, [200, news({ state: 'refused', reason: 'expired' })]))).toMatchObject({ phase: 'refused', reason: 'expired' });
    // another system was asked: never open, and gone like a refusal
    const sent = play(start, tap, [200, news({ state: 'sent' })]);
    expect(opening(sent)).toMatchObject({ phase: 'sent' });
    expect(opening(house.tick(sent, 200 + house.REFUSED_MS))).toBeUndefined();
  });

  it('says that no answer came, after a while or when the connection goes', () => {
    const asked = play(start, tap);
    expect(opening(house.tick(asked, 100 + house.ASKING_MS))?.phase).toBe('unanswered');
    expect(opening(house.lose(asked, 200))?.phase).toBe('unanswered');
    expect(opening(play(start, tap, [150, { type: 'error', request: 'r1', code: 'internal' }]))?.phase).toBe('unanswered');
  });

  it('stays open on the screen when the connection goes', () => {
    const open = play(start, tap, [300, news({ state: 'open', for_ms: 5_000 })]);
    expect(opening(house.lose(open, 400))).toMatchObject({ phase: 'open', until: 5_300 });
  });

  it('does not show the refusal of somebody else', () => {
    const theirs = { ...news({ state: 'refused', reason: 'not_allowed' }), request: 'other' } as AppEvent;
    expect(opening(play(start, [200, theirs]))).toBeUndefined();
    const open = play(start, tap, [150, news({ state: 'open', for_ms: 5_000 })], [200, theirs]);
    expect(opening(open)?.phase).toBe('open');
    const asking = play(start, tap, [150, theirs]);
    expect(opening(asking)?.phase).toBe('asking');
  });

  it('shows what its controller says', () => {
    const { state: _state, ...silent } = DOOR;
    const offline = play(start, [500, { type: 'door', door: silent }]);
    expect(offline.doors).toEqual([silent]);
    expect(offline.doors?.[0]?.state).toBeUndefined();
    const more = play(start, [500, { type: 'door', door: { ...DOOR, door: 'd2' } }]);
    expect(more.doors?.map(({ door }) => door)).toEqual(['d1', 'd2']);
  });
});
